//! What timetables mean, instant by instant.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::super::table::{DEFAULT_ZONE, zone};
use super::super::{Mistake, Timetable};

pub(super) fn table(text: &str) -> Timetable {
    in_zone(text, DEFAULT_ZONE)
}

pub(super) fn in_zone(text: &str, name: &str) -> Timetable {
    Timetable::parse(text, &zone(name).unwrap()).unwrap_or_else(|mistake| panic!("{text}: {mistake}"))
}

fn local(table: &Timetable, from: &str, n: usize) -> Vec<String> {
    let from: Zoned = format!("{from}[{}]", table.zone_name()).parse().unwrap();
    let starts = table.starts(from.timestamp(), Timestamp::MAX).take(n);
    starts.map(|start| start.to_zoned(table.zone().clone()).strftime("%m-%d %a %H:%M:%S").to_string()).collect()
}

fn mistake(text: &str) -> Mistake {
    Timetable::parse(text, &TimeZone::UTC).expect_err(text)
}

#[test]
fn every_form_means_what_its_documentation_says() {
    // 2026-06-01 is a Monday.
    let cases: &[(&str, &str, &[&str])] = &[
        ("*/5 * * * *", "2026-06-01T00:01", &["06-01 Mon 00:05:00", "06-01 Mon 00:10:00"]),
        ("0 */5 * * * ?", "2026-06-01T00:01", &["06-01 Mon 00:05:00", "06-01 Mon 00:10:00"]),
        ("30 */5 * * * *", "2026-06-01T00:01", &["06-01 Mon 00:05:30", "06-01 Mon 00:10:30"]),
        ("*/20 * * * * ?", "2026-06-01T00:01", &["06-01 Mon 00:01:00", "06-01 Mon 00:01:20"]),
        // A start at the very instant counts.
        ("0 2 * * *", "2026-06-01T02:00", &["06-01 Mon 02:00:00", "06-02 Tue 02:00:00"]),
        ("0 0/10 * * * ?", "2026-06-01T00:51", &["06-01 Mon 01:00:00", "06-01 Mon 01:10:00"]),
        ("0 5/25 * * * ?", "2026-06-01T00:51", &["06-01 Mon 00:55:00", "06-01 Mon 01:05:00"]),
        ("4-59/10 6-23 * * *", "2026-06-01T05:00", &["06-01 Mon 06:04:00", "06-01 Mon 06:14:00"]),
        // Weekdays: five fields count from Sunday 0, six as Quartz from Sunday 1.
        ("0 9 * * 1", "2026-06-02T00:00", &["06-08 Mon 09:00:00"]),
        ("0 9 * * 0", "2026-06-02T00:00", &["06-07 Sun 09:00:00"]),
        ("0 9 * * 7", "2026-06-02T00:00", &["06-07 Sun 09:00:00"]),
        (
            "0 9 * * 5-7",
            "2026-06-02T00:00",
            &["06-05 Fri 09:00:00", "06-06 Sat 09:00:00", "06-07 Sun 09:00:00", "06-12 Fri 09:00:00"],
        ),
        ("0 0 9 ? * 2", "2026-06-02T00:00", &["06-08 Mon 09:00:00"]),
        ("0 0 9 ? * 1", "2026-06-02T00:00", &["06-07 Sun 09:00:00"]),
        ("0 0 9 ? * 7", "2026-06-02T00:00", &["06-06 Sat 09:00:00"]),
        ("0 0 9 ? * 2-6", "2026-06-05T10:00", &["06-08 Mon 09:00:00"]),
        ("0 0 9 ? * MON-FRI", "2026-06-05T10:00", &["06-08 Mon 09:00:00"]),
        ("0 9 * * mon-fri", "2026-06-05T10:00", &["06-08 Mon 09:00:00"]),
        (
            "0 0 9 ? * fri-mon",
            "2026-06-02T00:00",
            &[
                "06-05 Fri 09:00:00",
                "06-06 Sat 09:00:00",
                "06-07 Sun 09:00:00",
                "06-08 Mon 09:00:00",
                "06-12 Fri 09:00:00",
            ],
        ),
        (
            "0 0 22-2/2 * * ?",
            "2026-06-01T03:00",
            &["06-01 Mon 22:00:00", "06-02 Tue 00:00:00", "06-02 Tue 02:00:00", "06-02 Tue 22:00:00"],
        ),
        ("0 0 0 L * ?", "2026-02-01T00:00", &["02-28 Sat 00:00:00", "03-31 Tue 00:00:00"]),
        ("0 15 10 ? * 6L", "2026-06-01T00:00", &["06-26 Fri 10:15:00", "07-31 Fri 10:15:00"]),
        ("0 15 10 ? * FRIL", "2026-06-01T00:00", &["06-26 Fri 10:15:00"]),
        ("15 10 * * 5L", "2026-06-01T00:00", &["06-26 Fri 10:15:00"]),
        ("0 0 8 ? * 2#1", "2026-06-02T00:00", &["07-06 Mon 08:00:00"]),
        ("0 0 8 ? * MON#1", "2026-06-02T00:00", &["07-06 Mon 08:00:00"]),
        ("0 8 * * 1#1", "2026-06-02T00:00", &["07-06 Mon 08:00:00"]),
        ("0 0 8 ? * 2#5", "2026-06-01T00:00", &["06-29 Mon 08:00:00", "08-31 Mon 08:00:00"]),
        ("0 0 9 ? * L", "2026-06-01T00:00", &["06-06 Sat 09:00:00"]),
        ("0 0 9 15W * ?", "2026-08-01T00:00", &["08-14 Fri 09:00:00", "09-15 Tue 09:00:00"]),
        ("0 0 9 LW * ?", "2026-05-01T00:00", &["05-29 Fri 09:00:00", "06-30 Tue 09:00:00"]),
        ("0 0 12 1/5 * ? 2027", "2026-06-01T00:00", &["01-01 Fri 12:00:00", "01-06 Wed 12:00:00"]),
        ("0 0 0 29 2 ?", "2026-06-01T00:00", &["02-29 Tue 00:00:00"]),
        ("0 12 1 jan,jul *", "2026-06-01T00:00", &["07-01 Wed 12:00:00", "01-01 Fri 12:00:00"]),
        // Both set: either of them.
        ("0 0 13 * 5", "2026-06-01T00:00", &["06-05 Fri 00:00:00", "06-12 Fri 00:00:00", "06-13 Sat 00:00:00"]),
        // Everything named is no restriction by itself, and beside a restriction it is as crons have it.
        ("0 0 0 ? * 1-7", "2026-06-01T01:00", &["06-02 Tue 00:00:00"]),
        ("@hourly", "2026-06-01T00:01", &["06-01 Mon 01:00:00"]),
        ("@daily", "2026-06-01T00:01", &["06-02 Tue 00:00:00"]),
        ("@Midnight", "2026-06-01T00:01", &["06-02 Tue 00:00:00"]),
        ("@weekly", "2026-06-01T00:01", &["06-07 Sun 00:00:00"]),
        ("@monthly", "2026-06-01T00:01", &["07-01 Wed 00:00:00"]),
        ("@yearly", "2026-06-01T00:01", &["01-01 Fri 00:00:00"]),
        ("@annually", "2026-06-01T00:01", &["01-01 Fri 00:00:00"]),
    ];
    for (text, from, expected) in cases {
        assert_eq!(local(&table(text), &format!("{from}:00"), expected.len()), *expected, "{text}");
    }
}

#[test]
fn mistakes_name_their_place_and_the_way_out() {
    let cases = [
        ("", 0..0, "five, six or seven fields; this one has 0", "*/5 * * * *"),
        ("* * * *", 0..7, "this one has 4", "0 */5 * * * ?"),
        ("every 5 minutes", 0..15, "this one has 3", "minute, hour, day"),
        ("@dayly", 0..6, "no timetable `@dayly`", "`@daily`"),
        ("60 * * * *", 0..2, "`60` is no minute: they go from 0 to 59", ""),
        ("0 24 * * *", 2..4, "`24` is no hour: they go from 0 to 23", ""),
        ("0 0 0 * *", 4..5, "`0` is no day of the month: they go from 1 to 31", ""),
        ("0 0 1 13 *", 6..8, "`13` is no month", ""),
        ("0 0 * * 8", 8..9, "`8` is no weekday: they go from 0 to 7", ""),
        ("0 0 9 ? * 0", 10..11, "`0` is no weekday: they go from 1 to 7", ""),
        ("0 0 9 ? * 8", 10..11, "`8` is no weekday: they go from 1 to 7", ""),
        ("0 0 9 ? * MOM", 10..13, "`MOM` is no weekday", "`MON`"),
        ("0 0 9 ? * MONDAY", 10..16, "`MONDAY` is no weekday", ""),
        ("0 9 1 JAM *", 6..9, "`JAM` is no month", "`JAN`"),
        ("0 0 0 1 1 ? 1900", 12..16, "`1900` is no year", ""),
        ("*/0 * * * *", 0..3, "a step of 0 is not possible for a minute: it has to be 1 to 59", ""),
        ("*/90 * * * *", 0..4, "a step of 90", ""),
        ("5,,10 * * * *", 2..2, "`` is no minute", ""),
        ("1-2-3 * * * *", 0..5, "`2-3` is no minute", ""),
        ("*/2/3 * * * *", 0..5, "cannot be read as a minute", "0/10"),
        ("/10 * * * *", 0..3, "`` is no minute", ""),
        ("? * * * *", 0..1, "`?` cannot stand for a minute", "write `*`"),
        ("*,5 * * * *", 0..3, "names every minute and others beside it", ""),
        ("0 0 * * L", 8..9, "`L` is no weekday", ""),
        ("0 0 9 ? * 2#6", 10..13, "cannot be read as a weekday", ""),
        ("0 0 9 L,LW * ?", 6..10, "names the last day of the month twice", ""),
        ("0 0 9 L-3 * ?", 6..9, "`L` is no day of the month", ""),
        ("0 0 9 1 * 2", 0..11, "day and weekday are both set", "write `?`"),
        ("0 9 */2 * 1", 0..11, "crons disagree", "one by one"),
        ("0 0 0 30 2 ?", 0..12, "never starts anything", "its month"),
        ("0 0 31 4,6 *", 0..12, "never starts anything", ""),
        ("0 0 0 29 2 ? 2027", 0..17, "never starts anything", "its year"),
        ("0 */5 * * * $", 12..13, "`$` is no weekday", ""),
        ("0 0 99999999999 * *", 4..15, "`99999999999` is no day of the month", ""),
    ];
    for (text, place, message, help) in cases {
        let mistake = mistake(text);
        assert_eq!(mistake.place, place, "{text}: {mistake}");
        assert!(mistake.message.contains(message), "{text}: {mistake}");
        assert!(mistake.help.clone().unwrap_or_default().contains(help), "{text}: {mistake}");
    }
    let mistake = zone("Asia/Shangai").unwrap_err();
    assert_eq!(mistake.to_string(), "there is no time zone `Asia/Shangai` (did you mean `Asia/Shanghai`?)");
    assert!(zone("Beijing time of some kind").unwrap_err().help.unwrap().contains("Europe/Berlin"));
    assert_eq!(in_zone("@daily", "asia/shanghai").zone_name(), "Asia/Shanghai");
}

#[test]
fn a_timetable_that_is_over_has_no_next_start() {
    let table = table("0 0 12 1 1 ? 2026");
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(table.next_after(at("2025-12-31T00:00:00Z")), Some(at("2026-01-01T04:00:00Z")));
    assert_eq!(table.next_after(at("2026-01-01T04:00:00Z")), None);
    assert_eq!(table.latest(at("2030-01-01T00:00:00Z")), Some(at("2026-01-01T04:00:00Z")));
    assert_eq!(table.latest(at("2025-12-31T00:00:00Z")), None);
    assert_eq!(table.next_after(Timestamp::MAX), None);
    assert_eq!(table.latest(Timestamp::MIN), None);
}
