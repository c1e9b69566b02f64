//! Templates: `{{field|datetime}}` in a text, and the words that stand for times and paging.

/// A text in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text as it is.
    Text(String),
    /// What stands between the braces.
    Slot(Slot),
}

/// What stands between double braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A time of the run, with the form it is written in.
    Time(Time, Form),
    /// A figure of paging.
    Paging(Paging),
    /// The answer of the last write: `primaryWriteback.id`.
    Writeback(String),
    /// A field of the record, with the form it is written in.
    Field(String, Option<Form>),
}

/// A time of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// When the last run began.
    LastSync,
    /// Now.
    Current,
    /// So many seconds before now.
    Ago(i64),
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Seconds since 1970.
    Seconds,
    /// `yyyy-MM-dd`.
    Date,
    /// `yyyy-MM-dd HH:mm:ss`.
    DateTime,
    /// `HH:mm:ss`.
    Time,
}

/// A figure of paging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// How many records a page has.
    Size,
    /// How many records to skip.
    StartRow,
    /// The page's number.
    StartPage,
}

/// A mistake in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Braces that do not match.
    Braces,
    /// A pipe that is not known.
    Pipe(String),
}

/// Splits a text; texts without braces have one part or none.
///
/// # Errors
/// What cannot be understood. Authors mistype braces (`{{{a}}`), and then nobody knows what was meant.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, Mistake> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let (inside, after) = after.split_once("}}").ok_or(Mistake::Braces)?;
        if inside.contains(['{', '}']) || inside.trim().is_empty() || after.starts_with('}') {
            return Err(Mistake::Braces);
        }
        parts.push(Part::Slot(slot(inside.trim())?));
        rest = after;
    }
    if rest.contains("}}") {
        return Err(Mistake::Braces);
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

fn slot(inside: &str) -> Result<Slot, Mistake> {
    let (name, pipe) = match inside.split_once('|') {
        Some((name, pipe)) => (name.trim(), Some(form(pipe.trim())?)),
        None => (inside, None),
    };
    if let Some(time) = time(name) {
        return Ok(Slot::Time(time, pipe.unwrap_or(Form::Seconds)));
    }
    let paging = match name {
        "PAGINATION_PAGE_SIZE" => Some(Paging::Size),
        "PAGINATION_START_ROW" => Some(Paging::StartRow),
        "PAGINATION_START_PAGE" => Some(Paging::StartPage),
        _ => None,
    };
    if let Some(paging) = paging {
        return Ok(Slot::Paging(paging));
    }
    if let Some(field) = name.strip_prefix("primaryWriteback.") {
        return Ok(Slot::Writeback(field.to_owned()));
    }
    Ok(Slot::Field(name.to_owned(), pipe))
}

/// The form of a pipe; case is ignored.
fn form(pipe: &str) -> Result<Form, Mistake> {
    match pipe.to_ascii_lowercase().as_str() {
        "date" => Ok(Form::Date),
        "datetime" => Ok(Form::DateTime),
        "time" => Ok(Form::Time),
        _ => Err(Mistake::Pipe(pipe.to_owned())),
    }
}

fn time(name: &str) -> Option<Time> {
    match name {
        "LAST_SYNC_TIME" => return Some(Time::LastSync),
        "CURRENT_TIME" => return Some(Time::Current),
        _ => {}
    }
    let (unit, count) = name.split_once("_AGO_")?;
    let seconds = match unit.trim_end_matches('S') {
        "MINUTE" => 60,
        "HOUR" => 3_600,
        "DAY" => 86_400,
        "WEEK" => 7 * 86_400,
        // A month is not of one length: the longest, so that nothing is left out.
        "MONTH" => 31 * 86_400,
        _ => return None,
    };
    count.parse::<u32>().ok().map(|n| Time::Ago(i64::from(n) * seconds))
}

/// The only slot of a text that has nothing else.
pub(crate) fn only_slot(parts: &[Part]) -> Option<&Slot> {
    match parts {
        [Part::Slot(slot)] => Some(slot),
        _ => None,
    }
}

/// Whether any slot holds a time of the run or a figure of paging.
pub(crate) fn is_of_the_run(parts: &[Part]) -> bool {
    parts.iter().any(|part| matches!(part, Part::Slot(Slot::Time(..) | Slot::Paging(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, form: Option<Form>) -> Part {
        Part::Slot(Slot::Field(name.to_owned(), form))
    }

    #[test]
    fn every_form_of_the_page_is_read() {
        let time = |time, form| vec![Part::Slot(Slot::Time(time, form))];
        let cases = [
            ("{{LAST_SYNC_TIME}}", time(Time::LastSync, Form::Seconds)),
            ("{{LAST_SYNC_TIME|date}}", time(Time::LastSync, Form::Date)),
            ("{{LAST_SYNC_TIME|datetime}}", time(Time::LastSync, Form::DateTime)),
            ("{{CURRENT_TIME|dateTime}}", time(Time::Current, Form::DateTime)),
            ("{{DAYS_AGO_2|datetime}}", time(Time::Ago(172_800), Form::DateTime)),
            ("{{MINUTE_AGO_30|datetime}}", time(Time::Ago(1_800), Form::DateTime)),
            ("{{PAGINATION_PAGE_SIZE}}", vec![Part::Slot(Slot::Paging(Paging::Size))]),
            ("{{details_list.goods_no}}", vec![field("details_list.goods_no", None)]),
            ("{{stockin_time|datetime}}", vec![field("stockin_time", Some(Form::DateTime))]),
            ("{{primaryWriteback.id}}", vec![Part::Slot(Slot::Writeback("id".into()))]),
            ("plain", vec![Part::Text("plain".into())]),
            ("", vec![]),
        ];
        for (text, parts) in cases {
            assert_eq!(parse(text), Ok(parts), "{text}");
        }
        let filter = parse("FApproveDate>='{{LAST_SYNC_TIME|dateTime}}'").unwrap();
        assert_eq!(filter.len(), 3);
        assert!(is_of_the_run(&filter) && only_slot(&filter).is_none());
    }

    #[test]
    fn mistyped_braces_and_unknown_pipes_are_no_guess() {
        for text in ["{{{a}}/{{b}}", "{{a}", "a}}", "{{}}", "{{a}}}"] {
            assert_eq!(parse(text), Err(Mistake::Braces), "{text}");
        }
        assert_eq!(parse("{{a|money}}"), Err(Mistake::Pipe("money".into())));
    }
}
