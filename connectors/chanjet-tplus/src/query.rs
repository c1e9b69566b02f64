//! The bodies of read calls, and records that are put together.

use std::sync::Arc;

use milkrun_core::connector::PageRequest;
use milkrun_core::record::plain_text;
use milkrun_core::{Error, ErrorKind, Position, Record, Result, Rows};
use serde_json::value::RawValue;

use crate::envelope::{TOTAL, object};
use crate::filter::{condition, quoted};
use crate::streams::{MakeKey, StreamConfig, Style};

/// The body of a call for one page, and the page's number.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] if the vendor would refuse it, or quietly change the page's size.
pub(crate) fn body(stream: &StreamConfig, ask: &PageRequest<'_>) -> Result<(String, u64)> {
    let Position::Page(number) = *ask.at else {
        let error = Error::new(ErrorKind::State, "the saved position is of another kind of paging");
        return Err(error.advise("run once with --restart"));
    };
    let limits = stream.limits();
    if ask.size < limits.min || limits.max.is_some_and(|max| ask.size > max) {
        let error = Error::config("the vendor does not give pages of this size").with("page_size", ask.size);
        return Err(error.with("min", limits.min).with("max", limits.max.unwrap_or(u32::MAX)));
    }
    let conditions = conditions(stream, ask)?;
    let conditions = conditions.iter().map(|(name, json)| (name.as_str(), json.as_str()));
    let (index, size) = (number.to_string(), ask.size.to_string());
    let body = match stream.style {
        Style::Query => {
            let fields = quoted(&stream.select.join(","));
            let paging = [("PageIndex", index.as_str()), ("PageSize", &size)];
            let fields = (!stream.select.is_empty()).then_some(("SelectFields", fields.as_str()));
            let inner = object(paging.into_iter().chain(conditions).chain(fields));
            object([(stream.wrapper.as_deref().unwrap_or("param"), inner.as_str())])
        }
        Style::VoucherList => {
            let columns: Vec<String> = stream.select.iter().map(|column| quoted(column)).collect();
            let (columns, conditions) = (format!("[{}]", columns.join(",")), object(conditions));
            let fields = [("selectFields", columns.as_str()), ("paramDic", &conditions)];
            object(fields.into_iter().chain([("pageIndex", index.as_str()), ("pageSize", &size)]))
        }
    };
    Ok((body, number))
}

/// Names and JSON texts of the conditions: those of the settings, the window, the parent's value.
fn conditions(stream: &StreamConfig, ask: &PageRequest<'_>) -> Result<Vec<(String, String)>> {
    let mut conditions: Vec<_> = stream.filter.iter().map(|(name, value)| (name.clone(), value.json())).collect();
    if let (Some(names), Some(spec), Some(window)) = (&stream.window, &ask.stream.window, ask.slice.window) {
        let (from, until) = spec.bounds(window)?;
        conditions.extend([(names.start.clone(), quoted(&from)), (names.end.clone(), quoted(&until))]);
    }
    if let Some(parent) = &stream.partition {
        let value = ask.slice.partition.as_deref().filter(|value| !value.is_empty());
        let none = || {
            let error = Error::config("this stream is read for one value of another stream at a time, and has none");
            error.with("partition", format!("{}.{}", parent.stream, parent.path))
        };
        conditions.push(condition(&parent.parameter, value.ok_or_else(none)?));
    }
    Ok(conditions)
}

/// An object with one field more.
pub(crate) fn with_field(record: &Record, name: &str, json: &str) -> String {
    let text = record.text().trim_end();
    let open = text.strip_suffix('}').expect("a record is an object");
    let comma = if record.is_empty() { "" } else { "," };
    format!("{open}{comma}{}:{json}}}", quoted(name))
}

/// The rows without the number of all rows, which each row of the current stock repeats: it is the list's and not the
/// row's, and would make every row another one whenever one comes or goes.
pub(crate) fn without_total(rows: Vec<Record>, body: Arc<String>) -> Result<(Vec<Record>, Arc<String>)> {
    if rows.iter().all(|row| row.get(TOTAL).is_none()) {
        return Ok((rows, body));
    }
    let rest = |row: &Record| object(row.fields().filter(|(name, _)| *name != TOTAL));
    assemble(&rows.iter().map(rest).collect::<Vec<_>>())
}

/// The record with the field that is made of several others.
///
/// # Errors
/// [`ErrorKind::Malformed`] if none of the parts is there.
pub(crate) fn with_key(record: &Record, made: &MakeKey) -> Result<String> {
    let parts: Vec<String> = made.parts.iter().map(|path| part(record, path)).collect();
    if parts.iter().all(String::is_empty) {
        return Err(Error::malformed("a row has nothing to make its key of").with("parts", made.parts.join(", ")));
    }
    Ok(with_field(record, &made.field, &quoted(&parts.join("|"))))
}

/// One part of a made key: a plain value, or the plain values of a list joined by `,`; separators are escaped.
fn part(record: &Record, path: &str) -> String {
    let Some(json) = record.at(path) else { return String::new() };
    let escape = |text: &str| {
        text.chars().flat_map(|c| ['|', ',', '\\'].contains(&c).then_some('\\').into_iter().chain([c])).collect()
    };
    match serde_json::from_str::<Vec<&RawValue>>(&json) {
        Ok(values) => {
            let value = |value: &&RawValue| -> String {
                plain_text(value.get()).map_or_else(|| value.get().to_owned(), |text| escape(&text))
            };
            values.iter().map(value).collect::<Vec<_>>().join(",")
        }
        Err(_) => plain_text(&json).map(|text| escape(&text)).unwrap_or_default(),
    }
}

/// Makes a page of records that were put together: its body is a plain list.
pub(crate) fn assemble(texts: &[String]) -> Result<(Vec<Record>, Arc<String>)> {
    let body = Arc::new(format!("[{}]", texts.join(",\n")));
    let rows: Rows<'_> = serde_json::from_str(&body)
        .map_err(|cause| Error::new(ErrorKind::Unexpected, "a record was put together wrongly").caused_by(cause))?;
    Ok((rows.into_records(&body), body))
}

#[cfg(test)]
mod tests {
    use milkrun_core::{Slice, Window};

    use super::*;
    use crate::streams::built_in;

    #[test]
    fn the_bodies_of_every_stream() {
        let window =
            Window { from: "2025-12-31T16:00:00Z".parse().unwrap(), until: "2026-01-01T15:59:59.5Z".parse().unwrap() };
        let slice = Slice { window: Some(window), partition: Some("01".to_owned()), ..Slice::default() };
        let lines = built_in().into_iter().map(|stream| {
            let spec = stream.spec(None);
            let ask = PageRequest { stream: &spec, slice: &slice, at: &Position::Page(3), size: 2 };
            format!("{}\n  {} {}", stream.name, stream.endpoint, body(&stream, &ask).unwrap().0)
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn what_the_vendor_would_quietly_change_is_not_sent() {
        let stream = built_in().into_iter().find(|stream| stream.name == "current-stock-by-warehouse").unwrap();
        let spec = stream.spec(None);
        let refused = |at: Position, size: u32| {
            let ask = PageRequest { stream: &spec, slice: &Slice::default(), at: &at, size };
            body(&stream, &ask).unwrap_err().to_string()
        };
        let all = [
            refused(Position::Page(1), 1001),
            refused(Position::Page(1), 0),
            refused(Position::Page(1), 10),
            refused(Position::Start, 10),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn a_made_key_is_one_for_text_and_number() {
        let made = MakeKey { field: "K".into(), parts: ["W", "I", "B", "D"].map(String::from).to_vec() };
        let key = |json: &str| {
            let record = Record::parse(with_key(&Record::parse(json).unwrap(), &made).unwrap()).unwrap();
            plain_text(record.get("K").unwrap()).unwrap().into_owned()
        };
        assert_eq!(key(r#"{"W":"01","I":7,"B":null,"D":["红色","a,b"]}"#), "01|7||红色,a\\,b");
        assert_eq!(key(r#"{"W":"01","I":"7","D":[ "红色" , "a,b" ]}"#), "01|7||红色,a\\,b");
        assert_ne!(key(r#"{"W":"a|b","I":""}"#), key(r#"{"W":"a","I":"b"}"#));
        assert_eq!(key(r#"{"W":"01","D":[]}"#), "01|||");
        assert!(with_key(&Record::parse(r#"{"B":null,"D":[]}"#).unwrap(), &made).is_err());
    }
}
