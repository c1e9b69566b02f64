//! Times of the run in requests, and crontabs: what they say of windows, look-back and timetable.

use super::function::{self, Expr, Operator};
use super::template::{self, Form, Part, Slot, Time};

/// A bound of the span that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// Whether it is the lower end.
    pub(crate) lower: bool,
    /// How it is written.
    pub(crate) form: Written,
    /// How far before the last run it lies, in seconds.
    pub(crate) back: i64,
}

/// How a bound is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    DateTime,
    Date,
    EpochSecs,
    EpochMs,
}

/// The bound that a value of a request is, if it is one.
pub(crate) fn bound(value: &str) -> Option<Bound> {
    if let Some(expr) = value.strip_prefix("_function ") {
        return reckoned(&function::parse(expr).ok()?);
    }
    let parts = template::parse(value).ok()?;
    match parts.as_slice() {
        [Part::Slot(Slot::Time(time, form))] => {
            let form = match form {
                Form::Date => Written::Date,
                Form::DateTime => Written::DateTime,
                Form::Seconds => Written::EpochSecs,
                Form::Time => return None,
            };
            Some(of_time(*time, form, 0))
        }
        // Milliseconds by putting three noughts behind seconds.
        [Part::Slot(Slot::Time(time, Form::Seconds)), Part::Text(noughts)] if noughts == "000" => {
            Some(of_time(*time, Written::EpochMs, 0))
        }
        // `({{LAST_SYNC_TIME}}-(3600*24))*1000` without the word before it.
        _ => reckoned(&function::parse(value).ok()?),
    }
}

fn of_time(time: Time, form: Written, back: i64) -> Bound {
    match time {
        Time::Current => Bound { lower: false, form, back },
        Time::LastSync => Bound { lower: true, form, back },
        Time::Ago(seconds) => Bound { lower: true, form, back: seconds + back },
    }
}

/// A bound that is reckoned from seconds: `a * t + b`.
fn reckoned(tree: &Expr) -> Option<Bound> {
    if let Expr::Call(name, arguments) = tree
        && name == "FROM_UNIXTIME"
    {
        let [inner, Expr::Text(form)] = arguments.as_slice() else { return None };
        let [Part::Text(form)] = form.as_slice() else { return None };
        let form = match form.as_str() {
            "%Y-%m-%d %H:%i:%s" | "%Y-%m-%d %T" | "%Y-%m-%d %H:%i:%S" => Written::DateTime,
            "%Y-%m-%d" => Written::Date,
            _ => return None,
        };
        let line = linear(inner)?;
        return line.time.filter(|_| line.factor == 1).map(|time| of_time(time, form, -line.plus));
    }
    let line = linear(tree)?;
    let time = line.time?;
    match line.factor {
        1 => Some(of_time(time, Written::EpochSecs, -line.plus)),
        1000 if line.plus % 1000 == 0 => Some(of_time(time, Written::EpochMs, -line.plus / 1000)),
        _ => None,
    }
}

/// `factor * time + plus`.
struct Line {
    time: Option<Time>,
    factor: i64,
    plus: i64,
}

fn linear(tree: &Expr) -> Option<Line> {
    match tree {
        Expr::Number(number) => Some(Line { time: None, factor: 0, plus: number.parse().ok()? }),
        Expr::Negative(inner) => scaled(&linear(inner)?, -1),
        Expr::Slot(parts) => match parts.as_slice() {
            [Part::Slot(Slot::Time(time, Form::Seconds))] => Some(Line { time: Some(*time), factor: 1, plus: 0 }),
            _ => None,
        },
        Expr::Binary(Operator::Add, left, right) => sum(&linear(left)?, &linear(right)?),
        Expr::Binary(Operator::Subtract, left, right) => sum(&linear(left)?, &scaled(&linear(right)?, -1)?),
        Expr::Binary(Operator::Multiply, left, right) => {
            let (left, right) = (linear(left)?, linear(right)?);
            match (left.time, right.time) {
                (_, None) => scaled(&left, right.plus),
                (None, _) => scaled(&right, left.plus),
                _ => None,
            }
        }
        _ => None,
    }
}

fn scaled(line: &Line, by: i64) -> Option<Line> {
    Some(Line { time: line.time, factor: line.factor.checked_mul(by)?, plus: line.plus.checked_mul(by)? })
}

fn sum(left: &Line, right: &Line) -> Option<Line> {
    if left.time.is_some() && right.time.is_some() {
        return None;
    }
    let time = left.time.or(right.time);
    Some(Line { time, factor: left.factor.checked_add(right.factor)?, plus: left.plus.checked_add(right.plus)? })
}

/// A span as a flow writes it: `2d`, `90m`.
pub(crate) fn span(seconds: i64) -> String {
    [(86_400, "d"), (3_600, "h"), (60, "m")]
        .into_iter()
        .find(|(unit, _)| seconds > 0 && seconds % unit == 0)
        .map_or(format!("{seconds}s"), |(unit, letter)| format!("{}{letter}", seconds / unit))
}

/// A crontab of five or six fields as a flow's timetable; `None` if it has another number of fields.
pub(crate) fn schedule(crontab: &str) -> Option<String> {
    let fields: Vec<&str> = crontab.split_whitespace().collect();
    matches!(fields.len(), 5 | 6).then(|| fields.join(" "))
}

/// How often a crontab runs, in whole hours, at least 1.
pub(crate) fn hours_between(crontab: &str) -> u32 {
    let fields: Vec<&str> = crontab.split_whitespace().collect();
    let fields = if fields.len() == 6 { &fields[1..] } else { &fields[..] };
    let any = |field: Option<&&str>| field.is_none_or(|field| matches!(*field, "*" | "?"));
    let hour = fields.get(1);
    if let Some(step) = hour.and_then(|hour| hour.split_once("*/")) {
        return step.1.parse().unwrap_or(1).max(1);
    }
    let several = |field: Option<&&str>| field.is_some_and(|field| field.contains([',', '-', '/']));
    if any(hour) || several(hour) {
        return 1;
    }
    match (any(fields.get(2)), any(fields.get(4))) {
        (true, true) => 24,
        (true, false) => 168,
        (false, _) => 720,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_run_are_bounds() {
        let bound = |value: &str| super::bound(value).map(|b| (b.lower, b.form, b.back));
        let cases = [
            ("{{LAST_SYNC_TIME|datetime}}", Some((true, Written::DateTime, 0))),
            ("{{LAST_SYNC_TIME|date}}", Some((true, Written::Date, 0))),
            ("{{LAST_SYNC_TIME}}", Some((true, Written::EpochSecs, 0))),
            ("{{CURRENT_TIME}}000", Some((false, Written::EpochMs, 0))),
            ("{{CURRENT_TIME|dateTime}}", Some((false, Written::DateTime, 0))),
            ("{{DAYS_AGO_2|datetime}}", Some((true, Written::DateTime, 172_800))),
            ("_function ({{LAST_SYNC_TIME}}-(3600 * 24))* 1000", Some((true, Written::EpochMs, 86_400))),
            ("({{LAST_SYNC_TIME}}-(3600 * 24))* 1000", Some((true, Written::EpochMs, 86_400))),
            (
                "_function FROM_UNIXTIME( ({{LAST_SYNC_TIME}}-600) , '%Y-%m-%d %H:%i:%s' )",
                Some((true, Written::DateTime, 600)),
            ),
            ("_function {{LAST_SYNC_TIME}}*2", None),
            ("_function {{LAST_SYNC_TIME}}+{{CURRENT_TIME}}", None),
            ("x{{LAST_SYNC_TIME}}", None),
            ("500", None),
            ("{{shop}}", None),
        ];
        for (value, expected) in cases {
            assert_eq!(bound(value), expected, "{value}");
        }
    }

    #[test]
    fn crontabs() {
        assert_eq!(schedule("3 2  * * *").as_deref(), Some("3 2 * * *"));
        assert_eq!(schedule("0 */5 * * * ?").as_deref(), Some("0 */5 * * * ?"));
        assert_eq!(schedule("* * *"), None);
        let hours = ["*/30 * * * *", "4-59/10 6-23 * * *", "0 */4 * * *", "3 2 * * *", "0 3 * * 1", "0 0 2 1 * ?"];
        assert_eq!(hours.map(hours_between), [1, 1, 4, 24, 168, 720]);
        assert_eq!([span(172_800), span(5_400), span(61)], ["2d", "90m", "61s"]);
    }
}
