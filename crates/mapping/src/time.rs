//! Points in time: read as vendors write them, written in a named zone; the machine's own zone is never used.

use std::fmt::Write as _;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned, fmt::strtime};

use crate::decimal::Decimal;
use crate::json::write_escaped;

/// Numbers below this cannot be told from seconds: as milliseconds they lie before March 1973.
const SMALLEST_MS: i64 = 100_000_000_000;

/// How a time is written at the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Digits are milliseconds, everything else a date text.
    Auto,
    /// Milliseconds since 1970.
    EpochMs,
    /// Seconds since 1970.
    EpochSecs,
    /// A date text; digits are `yyyyMMdd` or `yyyyMMddHHmmss`.
    Text,
}

/// How a time is written for the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// `2026-08-01`.
    Date,
    /// `2026-08-01 00:00:00`.
    DateTime,
    /// As `strftime` says; `day` if only the day counts.
    Format {
        /// The form, such as `%Y%m%d`.
        format: String,
        /// Whether a day without a time keeps its day, whatever the zones.
        day: bool,
    },
    /// Milliseconds since 1970.
    Millis,
    /// Seconds since 1970.
    Secs,
}

/// What a text says: a day without a time, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A day of the calendar.
    Day(Date),
    /// An instant.
    At(Timestamp),
}

/// Why a text is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTime {
    /// It is nothing of the kind.
    NotADate,
    /// A number too small for milliseconds since 1970.
    MaybeSeconds,
}

impl NoTime {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NotADate => "is not a date",
            Self::MaybeSeconds => {
                "is too small for milliseconds since 1970; \
                 say `input = \"epoch-s\"` if it is seconds, or name it in `none` if it means no date"
            }
        }
    }
}

/// Reads a plain text or the digits of a number; texts without an offset are in `zone`.
pub(crate) fn read(text: &str, input: Input, zone: &TimeZone) -> Result<Moment, NoTime> {
    let text = text.trim();
    let number = || whole_number(text).ok_or(NoTime::NotADate);
    let at = |t: Result<Timestamp, jiff::Error>| t.map(Moment::At).map_err(|_| NoTime::NotADate);
    match input {
        Input::EpochMs => at(Timestamp::from_millisecond(number()?)),
        Input::EpochSecs => at(Timestamp::from_second(number()?)),
        Input::Text => read_text(text, zone).or_else(|| read_digits(text, zone)).ok_or(NoTime::NotADate),
        Input::Auto => match whole_number(text) {
            Some(ms) if ms.abs() < SMALLEST_MS => Err(NoTime::MaybeSeconds),
            Some(ms) => at(Timestamp::from_millisecond(ms)),
            None => read_text(text, zone).ok_or(NoTime::NotADate),
        },
    }
}

/// A whole number of at most 18 digits, whether written plainly or as `1.7E12`.
fn whole_number(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let decimal = Decimal::parse(text).filter(|d| d.is_whole())?;
    let mut plain = String::new();
    decimal.write(None, 0, &mut plain)?;
    plain.split('.').next()?.parse().ok()
}

/// `20260801` or `20260801235959`.
fn read_digits(text: &str, zone: &TimeZone) -> Option<Moment> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i8>().ok();
    let date = Date::new(text.get(..4)?.parse().ok()?, part(4..6)?, part(6..8)?).ok()?;
    match text.len() {
        8 => Some(Moment::Day(date)),
        14 => instant(date.to_datetime(Time::new(part(8..10)?, part(10..12)?, part(12..14)?, 0).ok()?), zone),
        _ => None,
    }
}

/// `2026-08-01`, `2026/8/1 9:30`, `2026-08-01T00:00:00.123+08:00` and the like.
fn read_text(text: &str, zone: &TimeZone) -> Option<Moment> {
    let mut rest = text;
    let year = take_number(&mut rest, 4)?;
    let separator = rest.chars().next().filter(|c| matches!(c, '-' | '/' | '.'))?;
    rest = &rest[1..];
    let month = take_number(&mut rest, 2)?;
    rest = rest.strip_prefix(separator)?;
    let day = take_number(&mut rest, 2)?;
    let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    if rest.is_empty() {
        return Some(Moment::Day(date));
    }
    rest = rest.strip_prefix('T').or_else(|| rest.strip_prefix(' ').map(str::trim_start))?;
    let hour = take_number(&mut rest, 2)?;
    rest = rest.strip_prefix(':')?;
    let minute = take_number(&mut rest, 2)?;
    let mut second = 0;
    let mut nanos = 0;
    if let Some(after) = rest.strip_prefix(':') {
        rest = after;
        second = take_number(&mut rest, 2)?;
        if let Some(after) = rest.strip_prefix(['.', ',']) {
            rest = after;
            let before = rest.len();
            let fraction = take_number(&mut rest, 9)?;
            let n_digits = u32::try_from(before - rest.len()).ok()?;
            nanos = fraction * 10_i32.pow(9 - n_digits);
        }
    }
    let small = |n: i32| i8::try_from(n).ok();
    let time = date.to_datetime(Time::new(small(hour)?, small(minute)?, small(second)?, nanos).ok()?);
    match rest.trim_start() {
        "" => instant(time, zone),
        "Z" | "z" => Some(Moment::At(Offset::UTC.to_timestamp(time).ok()?)),
        offset => Some(Moment::At(read_offset(offset)?.to_timestamp(time).ok()?)),
    }
}

/// Up to `most` digits as a number; at least one has to be there.
fn take_number(rest: &mut &str, most: usize) -> Option<i32> {
    let n = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let number = rest.get(..n)?.parse().ok()?;
    *rest = &rest[n..];
    Some(number)
}

/// `+08:00`, `-0500` or `+08`.
fn read_offset(text: &str) -> Option<Offset> {
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = text[1..].replacen(':', "", 1);
    let all_digits = digits.bytes().all(|b| b.is_ascii_digit()) && matches!(digits.len(), 2 | 4);
    let hours: i32 = digits.get(..2).filter(|_| all_digits)?.parse().ok()?;
    let minutes: i32 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
    let in_range = minutes < 60 && hours * 60 + minutes <= 25 * 60;
    in_range.then(|| Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()).flatten()
}

fn instant(time: DateTime, zone: &TimeZone) -> Option<Moment> {
    zone.to_ambiguous_timestamp(time).compatible().ok().map(Moment::At)
}

/// The zone of that name: `Asia/Shanghai`, or a fixed offset such as `+08:00`.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    if name.starts_with(['+', '-']) {
        return read_offset(name).map(TimeZone::fixed);
    }
    TimeZone::get(name).ok()
}

/// What is wrong with a format, if anything.
pub(crate) fn check_format(format: &str) -> Option<String> {
    if !format.contains('%') {
        return Some("it has no `%`, so every time would give the same text".to_owned());
    }
    let sample = Zoned::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
    strtime::format(format, &sample).err().map(|e| e.to_string())
}

/// Writes the inside of a text, or the digits of a number; `None` if the time is out of range.
///
/// A day without a time stays that day where only the day counts; else it is its midnight in `from`.
pub(crate) fn write(moment: Moment, output: &Output, from: &TimeZone, to: &TimeZone, out: &mut String) -> Option<()> {
    let at = |moment: Moment| match moment {
        Moment::At(at) => Some(at),
        Moment::Day(day) => from.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().ok(),
    };
    let local = |moment: Moment| at(moment).map(|t| to.to_datetime(t));
    match output {
        Output::Date => match moment {
            Moment::Day(day) => write_date(day, out),
            Moment::At(_) => write_date(local(moment)?.date(), out),
        },
        Output::DateTime => {
            let time = local(moment)?;
            write_date(time.date(), out);
            for (sign, part) in [(' ', time.hour()), (':', time.minute()), (':', time.second())] {
                out.push(sign);
                write_two(part, out);
            }
        }
        Output::Format { format, day } => {
            let zoned = match moment {
                Moment::Day(date) if *day => to.to_zoned(date.at(0, 0, 0, 0)).ok()?,
                _ => Zoned::new(at(moment)?, to.clone()),
            };
            let text = strtime::format(format, &zoned).ok()?;
            write_escaped(out, &text);
        }
        Output::Millis => write!(out, "{}", at(moment)?.as_millisecond()).ok()?,
        Output::Secs => write!(out, "{}", at(moment)?.as_second()).ok()?,
    }
    Some(())
}

/// Whether a text is a date as documents have it: `2026-08-01`, for `day` also followed by a time; else with its time.
pub(crate) fn is_written(text: &str, day: bool) -> bool {
    let Some((date, rest)) = text.split_at_checked(10) else { return false };
    let form = |(i, b): (usize, u8)| if matches!(i, 4 | 7) { b == b'-' } else { b.is_ascii_digit() };
    let is_date = date.bytes().enumerate().all(form) && date.parse::<Date>().is_ok();
    let is_time = |rest: &str| {
        let form = |(i, b): (usize, u8)| if matches!(i, 2 | 5) { b == b':' } else { b.is_ascii_digit() };
        rest.len() == 8 && rest.bytes().enumerate().all(form) && rest.parse::<Time>().is_ok()
    };
    is_date
        && match rest.as_bytes().first() {
            None => day,
            Some(b' ' | b'T') => day || is_time(&rest[1..]),
            Some(_) => false,
        }
}

fn write_date(date: Date, out: &mut String) {
    let _ = match date.year() {
        year @ 1000..=9999 => {
            let (century, rest) = (i8::try_from(year / 100), i8::try_from(year % 100));
            write_two(century.unwrap_or_default(), out);
            write_two(rest.unwrap_or_default(), out);
            Ok(())
        }
        year => write!(out, "{year:04}"),
    };
    for part in [date.month(), date.day()] {
        out.push('-');
        write_two(part, out);
    }
}

fn write_two(number: i8, out: &mut String) {
    let number = number.unsigned_abs();
    out.push(char::from(b'0' + number / 10 % 10));
    out.push(char::from(b'0' + number % 10));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shanghai() -> TimeZone {
        zone("Asia/Shanghai").unwrap()
    }

    fn utc(text: &str, input: Input) -> String {
        match read(text, input, &shanghai()) {
            Ok(Moment::At(at)) => at.to_string(),
            Ok(Moment::Day(day)) => format!("day {day}"),
            Err(e) => format!("{e:?}"),
        }
    }

    #[test]
    fn reads_what_vendors_write() {
        let cases = [
            ("1785513600000", "2026-07-31T16:00:00Z"),
            ("1785513600123", "2026-07-31T16:00:00.123Z"),
            ("1.7855136E12", "2026-07-31T16:00:00Z"),
            ("2026-08-01 00:00:00", "2026-07-31T16:00:00Z"),
            ("2026-08-01 00:00:00.487", "2026-07-31T16:00:00.487Z"),
            ("2026-08-01T00:00:00", "2026-07-31T16:00:00Z"),
            ("2026-08-01T00:00:00Z", "2026-08-01T00:00:00Z"),
            ("2026-08-01T00:00:00.5-05:00", "2026-08-01T05:00:00.5Z"),
            ("2026-08-01 00:00:00 +0800", "2026-07-31T16:00:00Z"),
            ("2026/8/1 9:30", "2026-08-01T01:30:00Z"),
            ("2026-08-01", "day 2026-08-01"),
            (" 2026-08-01 ", "day 2026-08-01"),
            ("2026.8.1", "day 2026-08-01"),
            ("1785513600", "MaybeSeconds"),
            ("0", "MaybeSeconds"),
            ("20260801", "MaybeSeconds"),
            ("2026-02-30", "NotADate"),
            ("2026-08-01 25:00:00", "NotADate"),
            ("2026-08-01 00:00:00 x", "NotADate"),
            ("2026-08-01 00:00:00+99:00", "NotADate"),
            ("------永久授权------", "NotADate"),
            ("2026年8月", "NotADate"),
            ("1e99", "NotADate"),
            ("", "NotADate"),
        ];
        for (text, expected) in cases {
            assert_eq!(utc(text, Input::Auto), expected, "{text}");
        }
        assert_eq!(utc("1785513600", Input::EpochSecs), "2026-07-31T16:00:00Z");
        assert_eq!(utc("0", Input::EpochMs), "1970-01-01T00:00:00Z");
        assert_eq!(utc("20260801", Input::Text), "day 2026-08-01");
        assert_eq!(utc("20260801093000", Input::Text), "2026-08-01T01:30:00Z");
        assert_eq!(utc("2026080", Input::Text), "NotADate");
        assert_eq!(utc("1990-07-01 00:00:00", Input::Auto), "1990-06-30T15:00:00Z", "Shanghai had summer time");
    }

    #[test]
    fn writes_in_the_named_zone() {
        let at = Moment::At("2026-07-31T16:00:00.25Z".parse().unwrap());
        let shown = |moment, output: &Output, to: &str| {
            let mut out = String::new();
            write(moment, output, &shanghai(), &zone(to).unwrap(), &mut out).unwrap();
            out
        };
        assert_eq!(shown(at, &Output::Date, "Asia/Shanghai"), "2026-08-01");
        assert_eq!(shown(at, &Output::Date, "UTC"), "2026-07-31");
        assert_eq!(shown(at, &Output::DateTime, "America/New_York"), "2026-07-31 12:00:00");
        assert_eq!(shown(at, &Output::DateTime, "+09:30"), "2026-08-01 01:30:00");
        assert_eq!(shown(at, &Output::Millis, "UTC"), "1785513600250");
        assert_eq!(shown(at, &Output::Secs, "UTC"), "1785513600");
        let format = Output::Format { format: "%Y年%m月%d日 \"%H\"".to_owned(), day: false };
        assert_eq!(shown(at, &format, "Asia/Shanghai"), "2026年08月01日 \\\"00\\\"");
        let day = Moment::Day("2026-08-01".parse().unwrap());
        assert_eq!(shown(day, &Output::Date, "America/New_York"), "2026-08-01");
        assert_eq!(shown(day, &Output::DateTime, "UTC"), "2026-07-31 16:00:00");
        assert!(check_format("yyyy-MM-dd").is_some() && check_format("%Q%").is_some());
        assert!(check_format("%Y-%m-%dT%H:%M:%S%.f%:z").is_none());
        assert!(zone("Asia/Beijing").is_none() && zone("GMT+8").is_none());
    }
}
