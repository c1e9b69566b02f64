//! Quiet hours: when nobody is disturbed.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// Hours of each day in which nothing is sent, such as `22:00-08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    until: Time,
}

impl QuietHours {
    /// Reads `22:00-08:00`; `None` if it is not of that form or covers no time.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, until) = text.split_once(['-', '–'])?;
        let (from, until) = (time(from)?, time(until)?);
        (from != until).then_some(Self { from, until })
    }

    /// When the quiet hours that hold at `now` end; `None` outside them.
    pub fn end(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = zone.to_datetime(now);
        let at = local.time();
        let over_night = self.until < self.from;
        let date = match (over_night, at >= self.from, at < self.until) {
            (false, true, true) | (true, false, true) => local.date(),
            (true, true, false) => local.date().tomorrow().ok()?,
            _ => return None,
        };
        // A time that a change of clocks skips counts as the one after it.
        let end = zone.to_ambiguous_timestamp(date.to_datetime(self.until)).compatible().ok()?;
        (end > now).then_some(end)
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, until) = (self.from, self.until);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), until.hour(), until.minute())
    }
}

/// Reads `8:00` or `08:00`; `24:00` is the midnight at the end of a day.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let is_number =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hour, 2) || minute.len() != 2 || !is_number(minute, 2) {
        return None;
    }
    match (hour.parse().ok()?, minute.parse().ok()?) {
        (24, 0) => Some(Time::midnight()),
        (hour, minute) => Time::new(hour, minute, 0, 0).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_end_in_the_zone_of_the_installation() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let night = QuietHours::parse("22:00-8:00").unwrap();
        assert_eq!(night.to_string(), "22:00-08:00");
        for (now, end) in [
            ("2026-11-27T21:59:59+08:00", None),
            ("2026-11-27T22:00:00+08:00", Some("2026-11-28T08:00:00+08:00")),
            ("2026-11-28T03:00:00+08:00", Some("2026-11-28T08:00:00+08:00")),
            ("2026-11-28T08:00:00+08:00", None),
        ] {
            assert_eq!(night.end(at(now), &shanghai), end.map(at), "{now}");
        }
        let noon = QuietHours::parse("12:00 - 13:30").unwrap();
        assert_eq!(noon.end(at("2026-11-27T12:10:00+08:00"), &shanghai), Some(at("2026-11-27T13:30:00+08:00")));
        assert_eq!(noon.end(at("2026-11-27T13:30:00+08:00"), &shanghai), None);
        let to_midnight = QuietHours::parse("20:00-24:00").unwrap();
        assert_eq!(to_midnight.end(at("2026-11-27T20:00:00+08:00"), &shanghai), Some(at("2026-11-28T00:00:00+08:00")));
        // On the day that New York's clocks skip two o'clock.
        let new_york = TimeZone::get("America/New_York").unwrap();
        let odd = QuietHours::parse("22:00-02:30").unwrap();
        assert_eq!(odd.end(at("2026-03-08T01:00:00-05:00"), &new_york), Some(at("2026-03-08T03:30:00-04:00")));
        for text in ["", "22:00", "22-8", "25:00-08:00", "22:00-08:60", "08:00-08:00", "22:00-08:0", "a:00-08:00"] {
            assert_eq!(QuietHours::parse(text), None, "{text}");
        }
    }
}
