//! Dates of the calendar, for file names and configuration.

use std::time::{SystemTime, UNIX_EPOCH};

/// A day in milliseconds.
pub(crate) const DAY: i64 = 86_400_000;

/// The time now, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).expect("the clock is right to a million years")
}

/// An instant, in milliseconds since 1970, as `2026-08-01T00:00:00Z`.
pub(crate) fn rfc3339(millis: i64) -> String {
    let seconds = millis.div_euclid(1000).rem_euclid(86_400);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", date(millis))
}

/// The date of an instant in UTC, as `2026-08-01`; 1970 or later.
pub(crate) fn date(millis: i64) -> String {
    let mut days = millis.div_euclid(DAY);
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let mut year = 1970;
    while days >= 365 + i64::from(is_leap(year)) {
        days -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written() {
        assert_eq!(rfc3339(1_785_513_600_000), "2026-07-31T16:00:00Z");
        assert_eq!(rfc3339(1_709_210_096_789), "2024-02-29T12:34:56Z");
        assert_eq!(date(1_735_689_599_000), "2024-12-31");
        assert_eq!(date(now()).len(), 10);
    }
}
