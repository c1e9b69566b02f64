//! Beijing time, the zone of every text date on the wire of these vendors.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

const FORM: &str = "%Y-%m-%d %H:%M:%S";
const ZONE: Offset = Offset::constant(8);

/// Epoch milliseconds of `yyyy-MM-dd HH:mm:ss` in GMT+8; any other form gives `None`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let shaped = text.len() == 19
        && text.bytes().enumerate().all(|(idx, byte)| match idx {
            4 | 7 => byte == b'-',
            10 => byte == b' ',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    let civil = DateTime::strptime(FORM, text).ok().filter(|_| shaped)?;
    ZONE.to_timestamp(civil).ok().map(Timestamp::as_millisecond)
}

/// The text of epoch milliseconds in GMT+8, cut to the second.
pub(crate) fn format(ms: i64) -> String {
    let instant = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    instant.to_zoned(TimeZone::fixed(ZONE)).strftime(FORM).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_in_beijing_is_sixteen_hours_utc() {
        assert_eq!(parse("2026-08-01 00:00:00"), Some(1_785_513_600_000));
        assert_eq!(format(1_785_513_600_999), "2026-08-01 00:00:00");
        assert_eq!(parse("2000-01-01 00:00:00"), Some(946_656_000_000));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "2026-08-01", "2026-8-1 00:00:00", "2026-08-01T00:00:00", "2026-02-30 00:00:00", "１"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
