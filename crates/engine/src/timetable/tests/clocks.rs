//! Changes of clocks, against a search that looks at every minute.

use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};
use milkrun_testkit::dice::Dice;

use super::super::Timetable;
use super::tables::in_zone;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn local(table: &Timetable, from: &str, until: &str) -> Vec<String> {
    let show = |start: Timestamp| start.to_zoned(table.zone().clone()).strftime("%d %H:%M %z").to_string();
    table.starts(at(from), at(until)).map(show).collect()
}

#[test]
fn a_skipped_time_starts_once_at_the_change_and_a_doubled_one_once() {
    type Case<'a> = (&'a str, &'a str, (&'a str, &'a str), &'a [&'a str]);
    let (spring, autumn) = (("2026-03-08T05:00Z", "2026-03-08T12:00Z"), ("2026-11-01T04:00Z", "2026-11-01T12:00Z"));
    let cases: &[Case<'_>] = &[
        ("30 2 * * *", "America/New_York", spring, &["08 03:00 -0400"]),
        // Both lie in the gap and start it once; so does what is due at its end anyway.
        ("15,45 2 * * *", "America/New_York", spring, &["08 03:00 -0400"]),
        ("30 2,3 * * *", "America/New_York", spring, &["08 03:00 -0400", "08 03:30 -0400"]),
        ("0 2,3 * * *", "America/New_York", spring, &["08 03:00 -0400"]),
        ("30 1 * * *", "America/New_York", autumn, &["01 01:30 -0400"]),
        ("0,30 1 * * *", "America/New_York", autumn, &["01 01:00 -0400", "01 01:30 -0400"]),
        ("0 0 1-2 * * ?", "America/New_York", autumn, &["01 01:00 -0400", "01 02:00 -0500"]),
        ("30 2 * * *", "Europe/Berlin", ("2026-03-29T00:00Z", "2026-03-29T05:00Z"), &["29 03:00 +0200"]),
        ("30 2 * * *", "Europe/Berlin", ("2026-10-24T23:00Z", "2026-10-25T05:00Z"), &["25 02:30 +0200"]),
        // A pace goes on evenly.
        (
            "*/30 * * * *",
            "America/New_York",
            ("2026-03-08T06:00Z", "2026-03-08T08:00Z"),
            &["08 01:00 -0500", "08 01:30 -0500", "08 03:00 -0400", "08 03:30 -0400"],
        ),
        (
            "0 * * * *",
            "America/New_York",
            ("2026-11-01T04:00Z", "2026-11-01T08:00Z"),
            &["01 00:00 -0400", "01 01:00 -0400", "01 01:00 -0500", "01 02:00 -0500"],
        ),
        // A day that a zone left out whole.
        ("0 12 30 12 *", "Pacific/Apia", ("2011-12-29T00:00Z", "2012-01-02T00:00Z"), &["31 00:00 +1400"]),
        // Half an hour, and a change at midnight.
        ("10 2 * * *", "Australia/Lord_Howe", ("2026-10-03T12:00Z", "2026-10-03T18:00Z"), &["04 02:30 +1100"]),
        ("0 0 * * *", "America/Asuncion", ("2023-10-01T00:00Z", "2023-10-01T12:00Z"), &["01 01:00 -0300"]),
    ];
    for (text, zone, (from, until), expected) in cases {
        assert_eq!(local(&in_zone(text, zone), from, until), *expected, "{text} in {zone}");
    }
}

/// All starts in whole minutes, found by looking at every one of them.
fn search(table: &Timetable, minutes: &[u16], hours: &[u16], from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let zone = table.zone();
    let is_pace = hours.len() == 24;
    let is_named = |local: jiff::civil::DateTime| {
        let has = |all: &[u16], n: i8| all.contains(&u16::try_from(n).unwrap());
        has(minutes, local.minute()) && has(hours, local.hour())
    };
    let mut found = Vec::new();
    let mut at = from;
    while at < until {
        let local = zone.to_datetime(at);
        let second_time = match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Fold { after, .. } => zone.to_offset(at) == after,
            _ => false,
        };
        // What the clocks have just jumped over.
        let before = zone.to_datetime(at - SignedDuration::from_mins(1));
        let mut skipped = std::iter::successors(Some(before), |t| Some(*t + SignedDuration::from_mins(1)))
            .skip(1)
            .take_while(|t| *t < local);
        if is_pace {
            if is_named(local) {
                found.push(at);
            }
        } else if is_named(local) && !second_time || skipped.any(is_named) {
            found.push(at);
        }
        at += SignedDuration::from_mins(1);
    }
    found
}

#[test]
fn dice_and_a_search_agree_around_changes_of_clocks() {
    let mut dice = Dice::new(7);
    let spans = [
        ("America/New_York", "2026-03-07T12:00Z"),
        ("America/New_York", "2026-10-31T12:00Z"),
        ("Europe/Berlin", "2026-03-28T12:00Z"),
        ("Europe/Berlin", "2026-10-24T12:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T03:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T03:00Z"),
        ("Asia/Shanghai", "2026-06-01T00:00Z"),
    ];
    for round in 0..140 {
        let (zone, from) = spans[round % spans.len()];
        let (from, until) = (at(from), at(from) + SignedDuration::from_hours(30));
        let mut pick = |n: u64, most: u64| {
            let mut all: Vec<u16> = (0..=dice.below(n)).map(|_| u16::try_from(dice.below(most)).unwrap()).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let minutes = pick(4, 60);
        // Mostly hours at which clocks change.
        let hours = if round % 5 == 0 { (0..24).collect() } else { pick(4, 5) };
        let list = |all: &[u16]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let table = in_zone(&format!("{} {} * * *", list(&minutes), list(&hours)), zone);
        let expected = search(&table, &minutes, &hours, from, until);
        let forward: Vec<Timestamp> = table.starts(from, until).collect();
        assert_eq!(forward, expected, "{table:?}");
        let end = until - SignedDuration::from_secs(1);
        let back = std::iter::successors(table.latest(end), |t| table.latest(*t - SignedDuration::from_secs(1)));
        let mut backward: Vec<Timestamp> = back.take_while(|t| *t >= from).collect();
        backward.reverse();
        assert_eq!(backward, expected, "{table:?} backwards");
        for _ in 0..40 {
            let moment = from + SignedDuration::from_millis(i64::try_from(dice.below(30 * 3_600_000)).unwrap());
            assert_eq!(
                table.latest(moment).filter(|t| *t >= from),
                expected.iter().rev().find(|t| **t <= moment).copied()
            );
            let next = expected.iter().find(|t| **t > moment).copied();
            assert_eq!(table.next_after(moment).filter(|t| *t < until), next, "{table:?} after {moment}");
        }
    }
}
