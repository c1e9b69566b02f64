//! What is decided while the program runs.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::{Decision, Dispatcher, Entry, Manual, Missed, Overlap, Policy, Skip, Why};
use super::tables::table;

/// Beijing's midnight of a Monday.
pub(super) fn dawn() -> Timestamp {
    "2026-05-31T16:00:00Z".parse().unwrap()
}

pub(super) fn minute(n: i64) -> Timestamp {
    dawn() + SignedDuration::from_mins(n)
}

pub(super) fn entry(flow: &str, cron: &str) -> Entry {
    Entry {
        flow: flow.to_owned(),
        account: "km".to_owned(),
        timetable: Some(table(cron)),
        policy: Policy::default(),
        paused: false,
    }
}

pub(super) fn with(flow: &str, cron: &str, overlap: Overlap, missed: Missed) -> Entry {
    Entry { policy: Policy { overlap, missed, ..Policy::default() }, ..entry(flow, cron) }
}

/// Decisions in short: `orders 00:10 timetable`.
pub(super) fn short(decisions: &[Decision]) -> Vec<String> {
    let time = |at: &Timestamp| {
        let local = at.to_zoned(super::super::table::zone("Asia/Shanghai").unwrap());
        local.strftime(if local.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
    };
    let say = |decision: &Decision| match decision {
        Decision::Start { flow, due, why } => format!("{flow} {} {why:?}", time(due)).to_lowercase(),
        Decision::Cancel { flow } => format!("{flow} cancel"),
        Decision::Skipped { flow, first, last, why } if first == last => {
            format!("{flow} {} left out: {why:?}", time(first)).to_lowercase()
        }
        Decision::Skipped { flow, first, last, why } => {
            format!("{flow} {}-{} left out: {why:?}", time(first), time(last)).to_lowercase()
        }
    };
    decisions.iter().map(say).collect()
}

fn new(entries: Vec<Entry>) -> Dispatcher {
    Dispatcher::new(entries, Vec::new(), None, dawn())
}

#[test]
fn a_new_flow_starts_at_its_next_time_and_not_before() {
    let mut dispatcher = new(vec![entry("orders", "*/10 * * * *")]);
    assert!(dispatcher.due(dawn()).is_empty());
    assert_eq!(dispatcher.next_wake(), Some(minute(10)));
    assert!(dispatcher.due(minute(10) - SignedDuration::from_nanos(1)).is_empty());
    assert_eq!(short(&dispatcher.due(minute(10))), ["orders 00:10 timetable"]);
    assert!(dispatcher.due(minute(10)).is_empty(), "no start is given twice");
    dispatcher.ended("orders");
    assert!(dispatcher.due(minute(11)).is_empty());
    assert_eq!(dispatcher.next_wake(), Some(minute(20)));
    // A little late is on time.
    assert_eq!(short(&dispatcher.due(minute(20) + SignedDuration::from_secs(50))), ["orders 00:20 timetable"]);
}

#[test]
fn overlap_is_skipped_queued_or_cancels() {
    let play = |overlap| {
        let mut dispatcher = new(vec![with("f", "*/10 * * * *", overlap, Missed::Once)]);
        let mut said = Vec::new();
        for at in [10, 20, 30] {
            said.extend(short(&dispatcher.due(minute(at))));
        }
        dispatcher.ended("f");
        said.extend(short(&dispatcher.due(minute(35))));
        dispatcher.ended("f");
        said.extend(short(&dispatcher.due(minute(40))));
        said
    };
    assert_eq!(
        play(Overlap::Skip),
        ["f 00:10 timetable", "f 00:20 left out: running", "f 00:30 left out: running", "f 00:40 timetable"]
    );
    assert_eq!(
        play(Overlap::Queue),
        ["f 00:10 timetable", "f 00:30 left out: waiting", "f 00:20 timetable", "f 00:40 timetable"]
    );
    assert_eq!(
        play(Overlap::Cancel),
        ["f 00:10 timetable", "f cancel", "f 00:30 left out: waiting", "f 00:20 timetable", "f 00:40 timetable"]
    );
}

#[test]
fn a_person_starts_a_flow_and_its_timetable_goes_on() {
    let mut dispatcher = new(vec![entry("f", "*/10 * * * *"), Entry { timetable: None, ..entry("by-hand", "@daily") }]);
    assert_eq!(dispatcher.start("nobody", minute(3)), Manual::Unknown);
    assert_eq!(dispatcher.start("f", minute(3)), Manual::Taken);
    assert_eq!(dispatcher.start("by-hand", minute(3)), Manual::Taken);
    // Asked twice before it was given out: once.
    assert_eq!(dispatcher.start("f", minute(3)), Manual::Taken);
    assert_eq!(short(&dispatcher.due(minute(3))), ["by-hand 00:03 manual", "f 00:03 manual"]);
    assert_eq!(dispatcher.start("f", minute(4)), Manual::Busy);
    assert_eq!(short(&dispatcher.due(minute(10))), ["f 00:10 left out: running"]);
    dispatcher.ended("f");
    assert_eq!(short(&dispatcher.due(minute(20))), ["f 00:20 timetable"]);
    assert_eq!(dispatcher.state("f").unwrap().running_since, Some(minute(20)));
}

#[test]
fn a_run_is_ended_once_and_only_if_it_was_begun() {
    let mut dispatcher = Dispatcher::new(
        vec![entry("a", "*/10 * * * *"), entry("b", "*/10 * * * *"), entry("c", "*/10 * * * *")],
        Vec::new(),
        Some(1),
        dawn(),
    );
    dispatcher.ended("a");
    dispatcher.ended("nobody");
    assert_eq!(short(&dispatcher.due(minute(10))), ["a 00:10 timetable"]);
    dispatcher.ended("b");
    assert!(dispatcher.due(minute(10)).is_empty());
    dispatcher.ended("a");
    dispatcher.ended("a");
    assert_eq!(short(&dispatcher.due(minute(10))), ["b 00:10 timetable"], "one place is free, not two");
}

#[test]
fn places_go_to_the_account_with_the_fewest_then_to_the_oldest_then_by_name() {
    let of = |flow: &str, account: &str, cron: &str| Entry { account: account.to_owned(), ..entry(flow, cron) };
    let mut entries: Vec<Entry> = (1..=8).map(|n| of(&format!("big-{n}"), "big", "10 0 * * *")).collect();
    entries.extend([of("small", "small", "12 0 * * *"), of("tiny", "tiny", "11 0 * * *")]);
    let mut dispatcher = Dispatcher::new(entries, Vec::new(), Some(2), dawn());
    assert_eq!(short(&dispatcher.due(minute(10))), ["big-1 00:10 timetable", "big-2 00:10 timetable"]);
    for at in [11, 12] {
        assert!(dispatcher.due(minute(at)).is_empty());
    }
    dispatcher.ended("big-2");
    assert_eq!(short(&dispatcher.due(minute(13))), ["tiny 00:11 timetable"]);
    dispatcher.ended("big-1");
    assert_eq!(short(&dispatcher.due(minute(13))), ["big-3 00:10 timetable"], "nothing of it runs, and it is older");
    dispatcher.ended("tiny");
    assert_eq!(short(&dispatcher.due(minute(13))), ["small 00:12 timetable"]);
    dispatcher.ended("small");
    assert_eq!(short(&dispatcher.due(minute(13))), ["big-4 00:10 timetable"]);
    // While it waits for a place, a further start of it is left out.
    let state = dispatcher.state("big-5").unwrap();
    assert_eq!((state.waiting, state.running_since), (1, None));
}

#[test]
fn a_start_that_waits_for_a_place_stands_for_those_that_come_meanwhile() {
    for overlap in [Overlap::Skip, Overlap::Queue, Overlap::Cancel] {
        let entries =
            vec![with("a", "*/10 * * * *", overlap, Missed::Once), with("b", "*/10 * * * *", overlap, Missed::Once)];
        let mut dispatcher = Dispatcher::new(entries, Vec::new(), Some(1), dawn());
        assert_eq!(short(&dispatcher.due(minute(10))), ["a 00:10 timetable"]);
        let said = short(&dispatcher.due(minute(20)));
        assert!(said.contains(&"b 00:20 left out: waiting".to_owned()), "{overlap:?}: {said:?}");
        dispatcher.ended("a");
        assert_eq!(short(&dispatcher.due(minute(21)))[0], "b 00:10 timetable", "{overlap:?}");
    }
}

#[test]
fn the_clock_jumps_forward() {
    let play = |missed| {
        let mut dispatcher = new(vec![with("f", "*/10 * * * *", Overlap::Skip, missed)]);
        let mut said = short(&dispatcher.due(minute(95)));
        while dispatcher.state("f").unwrap().running_since.is_some() {
            dispatcher.ended("f");
            said.extend(short(&dispatcher.due(minute(96))));
        }
        said.extend(short(&dispatcher.due(minute(100))));
        said
    };
    assert_eq!(play(Missed::Once), ["f 00:10-01:20 left out: missed", "f 01:30 missed", "f 01:40 timetable"]);
    assert_eq!(play(Missed::Skip), ["f 00:10-01:30 left out: missed", "f 01:40 timetable"]);
    let each: Vec<String> = (1..=9).map(|n| format!("f {:02}:{}0 missed", n / 6, n % 6)).collect();
    assert_eq!(play(Missed::Each), [each, vec!["f 01:40 timetable".to_owned()]].concat());
}

#[test]
fn an_on_time_start_stands_for_those_that_were_missed() {
    let mut dispatcher = new(vec![with("f", "*/10 * * * *", Overlap::Queue, Missed::Once)]);
    let said = short(&dispatcher.due(minute(90) + SignedDuration::from_secs(10)));
    assert_eq!(said, ["f 00:10-01:20 left out: missed", "f 01:30 timetable"]);
    dispatcher.ended("f");
    assert!(dispatcher.due(minute(92)).is_empty());
}

#[test]
fn missed_starts_are_bounded_and_cheap_to_find() {
    let mut dispatcher = new(vec![
        with("each", "* * * * * ?", Overlap::Skip, Missed::Each),
        with("once", "* * * * * ?", Overlap::Skip, Missed::Once),
        with("skip", "* * * * * ?", Overlap::Skip, Missed::Skip),
    ]);
    // Ten years of seconds.
    let now = dawn() + SignedDuration::from_hours(24 * 3650);
    let said = dispatcher.due(now);
    let starts = |flow: &str| said.iter().filter(|d| matches!(d, Decision::Start { flow: f, .. } if f == flow)).count();
    assert_eq!([starts("each"), starts("once"), starts("skip")], [1, 1, 1]);
    let left_out = |flow: &str| {
        said.iter().any(|d| matches!(d, Decision::Skipped { flow: f, why: Skip::Missed, .. } if f == flow))
    };
    assert!(left_out("each") && left_out("once") && left_out("skip"));
    // The newest hundred, of which those of the last minute count as on time and are not made up for.
    assert_eq!(dispatcher.state("each").unwrap().waiting, 38);
    assert_eq!(dispatcher.state("once").unwrap().waiting, 0);
}

#[test]
fn the_clock_jumps_backward() {
    let mut dispatcher = new(vec![entry("f", "*/10 * * * *")]);
    assert_eq!(short(&dispatcher.due(minute(30)))[1..], ["f 00:30 timetable"]);
    dispatcher.ended("f");
    for at in [29, 5, 25, 30, 39] {
        assert!(dispatcher.due(minute(at)).is_empty(), "nothing is repeated at {at}");
    }
    assert_eq!(short(&dispatcher.due(minute(40))), ["f 00:40 timetable"]);
}

#[test]
fn jitter_is_the_same_every_time_and_stays_before_the_next_start() {
    let spread = |flow: &str, cron: &str, jitter: u64| {
        let policy = Policy { jitter: Duration::from_secs(jitter), ..Policy::default() };
        let table = table(cron);
        let starts: Vec<Timestamp> = table.starts(dawn(), minute(600)).collect();
        let begins: Vec<Timestamp> = starts.iter().map(|start| policy.begins(flow, &table, *start)).collect();
        assert_eq!(begins, starts.iter().map(|start| policy.begins(flow, &table, *start)).collect::<Vec<_>>());
        for (i, (start, begins)) in starts.iter().zip(&begins).enumerate() {
            assert!(begins >= start);
            assert!(begins.duration_since(*start) <= SignedDuration::from_secs(i64::try_from(jitter).unwrap()));
            assert!(starts.get(i + 1).is_none_or(|next| begins < next), "{flow} {cron} {jitter}");
        }
        begins
    };
    let a = spread("a", "*/10 * * * *", 30);
    assert_ne!(a, spread("b", "*/10 * * * *", 30), "flows are spread");
    let put_off: std::collections::BTreeSet<_> = a.iter().map(|t| t.as_millisecond() % 600_000).collect();
    assert!(put_off.len() > 30, "so are the starts of one flow");
    spread("a", "*/10 * * * *", 86_400);
    spread("a", "* * * * * ?", 5);
    assert_eq!(spread("a", "*/10 * * * *", 0)[0], dawn());
}

#[test]
fn with_jitter_each_start_is_given_once() {
    let policy = Policy { jitter: Duration::from_mins(30), ..Policy::default() };
    let mut dispatcher = new(vec![Entry { policy, ..entry("f", "*/10 * * * *") }]);
    let mut dues = Vec::new();
    while let Some(wake) = dispatcher.next_wake().filter(|wake| *wake < minute(600)) {
        for decision in dispatcher.due(wake) {
            let Decision::Start { due, why: Why::Timetable, .. } = decision else { panic!("{decision:?}") };
            assert_eq!(due, wake);
            dues.push(due);
        }
        dispatcher.ended("f");
    }
    assert_eq!(dues.len(), 59);
    let slots: Vec<i64> = dues.iter().map(|due| due.duration_since(dawn()).as_secs() / 600).collect();
    assert_eq!(slots, (1..60).collect::<Vec<_>>(), "each within its ten minutes");
}

#[test]
fn the_calendar_shows_what_is_to_come() {
    let policy = Policy { jitter: Duration::from_mins(5), ..Policy::default() };
    let mut dispatcher = new(vec![
        entry("a", "*/30 * * * *"),
        Entry { policy, ..entry("b", "0 * * * *") },
        Entry { paused: true, ..entry("c", "* * * * *") },
        Entry { timetable: None, ..entry("d", "@daily") },
    ]);
    let show = |dispatcher: &Dispatcher, from: i64, until: i64, limit: usize| -> Vec<String> {
        let all = dispatcher.upcoming(minute(from), minute(until), limit);
        assert!(all.is_sorted());
        all.iter().map(|next| format!("{} {}", next.flow, next.at.duration_since(dawn()).as_mins() / 30 * 30)).collect()
    };
    assert_eq!(show(&dispatcher, 0, 121, 99), ["a 30", "a 60", "b 60", "a 90", "a 120"]);
    assert_eq!(show(&dispatcher, 0, 121, 2), ["a 30", "a 60"]);
    // What is begun already is no start to come.
    dispatcher.due(minute(61));
    assert!(!show(&dispatcher, 0, 126, 99).contains(&"a 60".to_owned()));
    assert!(dispatcher.upcoming(minute(5), minute(5), 99).is_empty());
    // Every start that comes was announced, to the millisecond.
    dispatcher.ended("a");
    dispatcher.ended("b");
    let announced = dispatcher.upcoming(minute(61), minute(600), 999);
    let mut given = Vec::new();
    while let Some(wake) = dispatcher.next_wake().filter(|wake| *wake < minute(600)) {
        for decision in dispatcher.due(wake) {
            match decision {
                Decision::Start { flow, due, .. } => {
                    dispatcher.ended(&flow);
                    given.push((due, flow));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    given.sort();
    assert_eq!(given, announced.into_iter().map(|next| (next.at, next.flow)).collect::<Vec<_>>());
}
