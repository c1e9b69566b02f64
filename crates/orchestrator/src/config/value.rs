//! Values that are written as text: spans of time, dates, and rates.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use milkrun_core::Rate;

/// An instant as a user writes it: with an offset, or in the stream's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Its offset was written.
    Instant(Timestamp),
    /// A date (its start) or a date and a time, in the zone of the stream.
    Local(DateTime),
}

impl Moment {
    /// Reads `2026-01-01`, `2026-01-01 08:00:00` or RFC 3339.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // Short forms such as `20260101` are more likely a slip than a date; a longer text is not a date alone.
        if text.len() <= 10 {
            let date = text.parse::<Date>().ok().filter(|_| text.len() == 10)?;
            return Some(Self::Local(date.at(0, 0, 0, 0)));
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Some(Self::Instant(instant));
        }
        text.parse::<DateTime>().ok().map(Self::Local)
    }

    /// The instant; a time that a change of clocks skips counts as the one after it.
    pub(crate) fn in_zone(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Instant(instant) => Some(instant),
            Self::Local(local) => zone.to_ambiguous_timestamp(local).compatible().ok(),
        }
    }
}

const UNITS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// Reads `90s`, `10m`, `1h30m`, `1d`: whole numbers, each with one of the units ms, s, m, h, d, w.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*ms)?)?;
        rest = tail.trim_start();
    }
    (!text.trim().is_empty()).then(|| Duration::from_millis(total))
}

/// Reads `100/1m`: so many calls in any sliding window of that length.
pub(crate) fn parse_rate(text: &str) -> Option<Rate> {
    let (calls, per) = text.split_once('/')?;
    let per = parse_duration(per).filter(|per| !per.is_zero())?;
    Some(Rate { calls: calls.parse().ok().filter(|calls| *calls > 0)?, per })
}

/// Writes a duration as [`parse_duration`] reads it.
pub(crate) fn write_duration(duration: Duration) -> String {
    let mut ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    // Weeks are read and not written: people think of them as days.
    for (unit, size) in UNITS[..5].iter().rev() {
        let n = ms / size;
        ms %= size;
        if n > 0 {
            text.push_str(&n.to_string());
            text.push_str(unit);
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, secs) in
            [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1h 30m", 5400), ("1d", 86_400), ("2w", 1_209_600)]
        {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(secs)), "{text}");
        }
        assert_eq!(parse_duration("0"), Some(Duration::ZERO));
        for text in ["", " ", "10", "m", "1.5h", "-1h", "1 day", "10min", "99999999999999999999s", "1y"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        for text in ["0s", "1d", "1h30m", "90ms", "10m"] {
            let once = write_duration(parse_duration(text).unwrap());
            assert_eq!(parse_duration(&once), parse_duration(text), "{text}");
        }
        assert_eq!(write_duration(Duration::from_secs(90_061)), "1d1h1m1s");
    }

    #[test]
    fn moments() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let read = |text: &str| Moment::parse(text)?.in_zone(&zone).map(|t| t.to_string());
        assert_eq!(read("2026-01-01").as_deref(), Some("2025-12-31T16:00:00Z"));
        assert_eq!(read("2026-01-01 08:00:00").as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(read("2026-01-01T08:00:00+01:00").as_deref(), Some("2026-01-01T07:00:00Z"));
        for text in ["2026-13-01", "2026-1-1", "yesterday", "20260101", "2026-02-30", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
