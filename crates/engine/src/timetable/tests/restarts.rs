//! What survives a crash, a downtime, and a change of files in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use milkrun_core::notes::{Entry as Line, Notes};
use milkrun_core::{Error, ErrorKind, Result};
use milkrun_testkit::notes::MemoryNotes;

use super::super::{Dispatcher, Entry, Mark, Missed, Overlap, Policy, Timekeeper};
use super::dispatching::{dawn, entry, minute, short, with};
use super::tables::in_zone;

/// Ends the program and starts the next one.
fn restart(old: &mut Dispatcher, marks: &mut Vec<(String, Mark)>, entries: Vec<Entry>, now: Timestamp) -> Dispatcher {
    for (flow, mark) in old.take_changes() {
        marks.retain(|(name, _)| *name != flow);
        let again = mark.map(|mark| Mark::read(&mark.write()).unwrap());
        marks.extend(again.map(|mark| (flow, mark)));
    }
    Dispatcher::new(entries, marks.clone(), None, now)
}

fn played(entry: &Entry, up_to: i64, again_at: i64) -> Vec<String> {
    let mut marks = Vec::new();
    let mut first = Dispatcher::new(vec![entry.clone()], Vec::new(), None, dawn());
    first.due(minute(up_to));
    first.ended("f");
    let mut second = restart(&mut first, &mut marks, vec![entry.clone()], minute(again_at));
    let mut said = short(&second.due(minute(again_at)));
    while second.state("f").unwrap().running_since.is_some() {
        second.ended("f");
        said.extend(short(&second.due(minute(again_at))));
    }
    said
}

#[test]
fn after_a_downtime_missed_starts_are_made_up_for_as_the_policy_says() {
    let flow = |missed| with("f", "*/10 * * * *", Overlap::Skip, missed);
    assert_eq!(played(&flow(Missed::Once), 10, 45), ["f 00:20-00:30 left out: missed", "f 00:40 missed"]);
    assert_eq!(played(&flow(Missed::Each), 10, 45), ["f 00:20 missed", "f 00:30 missed", "f 00:40 missed"]);
    assert_eq!(played(&flow(Missed::Skip), 10, 45), ["f 00:20-00:40 left out: missed"]);
    // Nothing was missed.
    assert!(played(&flow(Missed::Each), 10, 19).is_empty());
    assert_eq!(played(&flow(Missed::Skip), 10, 20), ["f 00:20 timetable"]);
}

#[test]
fn a_flow_that_never_started_has_not_missed_what_was_before_it() {
    let mut marks = Vec::new();
    let mut first = Dispatcher::new(vec![entry("f", "0 * * * *")], Vec::new(), None, minute(30));
    let mut second = restart(&mut first, &mut marks, vec![entry("f", "0 * * * *")], minute(59));
    assert!(second.due(minute(59)).is_empty());
    // And yet its first start is missed if nobody is there.
    let mut third = restart(&mut second, &mut marks, vec![entry("f", "0 * * * *")], minute(65));
    assert_eq!(short(&third.due(minute(65))), ["f 01:00 missed"]);
}

#[test]
fn a_run_that_was_cut_off_begins_again_at_once_and_before_all_others() {
    let entries = || vec![entry("a", "*/10 * * * *"), entry("b", "5 * * * *"), entry("c", "*/10 * * * *")];
    let mut marks = Vec::new();
    let mut first = Dispatcher::new(entries(), Vec::new(), Some(1), dawn());
    assert_eq!(short(&first.due(minute(5))), ["b 00:05 timetable"]);
    assert!(first.due(minute(10)).is_empty(), "they wait");
    for (flow, mark) in first.take_changes() {
        marks.extend(mark.map(|mark| (flow, mark)));
    }
    let mut second = Dispatcher::new(entries(), marks.clone(), Some(1), minute(12));
    assert_eq!(second.cut_off(), [("b".to_owned(), minute(5))]);
    assert_eq!(short(&second.due(minute(12))), ["b 00:05 resumed"]);
    second.ended("b");
    // Starts that were decided on and not begun are not lost either.
    assert_eq!(short(&second.due(minute(13))), ["a 00:10 timetable"]);
    // Where the history knows that it had ended, it is not begun again.
    let mut third = Dispatcher::new(entries(), marks, Some(1), minute(12));
    third.had_ended("b");
    third.had_ended("a");
    third.had_ended("nobody");
    assert_eq!(short(&third.due(minute(12))), ["a 00:10 timetable"]);
}

#[test]
fn a_crash_while_a_resumed_run_waits_still_resumes_it() {
    let mut marks = Vec::new();
    let flows = || vec![entry("f", "*/10 * * * *")];
    let mut dispatcher = Dispatcher::new(flows(), Vec::new(), None, dawn());
    dispatcher.due(minute(10));
    for at in [11, 12, 13] {
        dispatcher = restart(&mut dispatcher, &mut marks, flows(), minute(at));
        // No `due`: this program is killed at once as well.
        assert_eq!(dispatcher.cut_off(), [("f".to_owned(), minute(10))]);
    }
    assert_eq!(short(&dispatcher.due(minute(14))), ["f 00:10 resumed"]);
}

#[test]
fn a_clock_that_was_put_back_neither_repeats_nor_stops_a_flow() {
    let flows = || vec![entry("f", "*/10 * * * *")];
    let play = |back_to: i64| {
        let mut marks = Vec::new();
        let mut first = Dispatcher::new(flows(), Vec::new(), None, dawn());
        first.due(minute(600));
        first.ended("f");
        let mut second = restart(&mut first, &mut marks, flows(), minute(back_to));
        assert!(second.due(minute(back_to)).is_empty());
        second.next_wake()
    };
    assert_eq!(play(570), Some(minute(610)), "a small step repeats nothing");
    assert_eq!(play(125), Some(minute(130)), "a large one does not stop it for hours");
}

#[test]
fn files_change_in_the_middle() {
    let mut dispatcher = Dispatcher::new(vec![entry("f", "*/10 * * * *")], Vec::new(), None, dawn());
    // The same again: nothing changes.
    dispatcher.replace(vec![entry("f", "*/10 * * * *")], None, minute(9));
    assert_eq!(short(&dispatcher.due(minute(10))), ["f 00:10 timetable"]);
    // A change of policy while it runs, and of what is due at that very instant.
    dispatcher.replace(vec![with("f", "*/10 * * * *", Overlap::Queue, Missed::Once)], None, minute(20));
    assert!(dispatcher.due(minute(20)).is_empty());
    dispatcher.ended("f");
    assert_eq!(short(&dispatcher.due(minute(21))), ["f 00:20 timetable"]);
    dispatcher.ended("f");
    // Another timetable: what the old one had up to now is not lost, and of the new one counts what comes from now on.
    dispatcher.replace(vec![entry("f", "3 * * * *")], None, minute(30));
    assert_eq!(short(&dispatcher.due(minute(30))), ["f 00:30 timetable"]);
    assert_eq!(dispatcher.next_wake(), Some(minute(63)));
    dispatcher.replace(vec![entry("f", "*/5 * * * *")], None, minute(36));
    dispatcher.ended("f");
    assert_eq!(dispatcher.next_wake(), Some(minute(40)), "00:35 lies before the change");
    // In another zone the same text is another timetable.
    let berlin = Entry { timetable: Some(in_zone("0 2 * * *", "Europe/Berlin")), ..entry("f", "0 2 * * *") };
    dispatcher.replace(vec![berlin], None, minute(37));
    assert_eq!(dispatcher.next_wake(), Some("2026-06-01T00:00:00Z".parse().unwrap()));
    // No timetable any more.
    dispatcher.replace(vec![Entry { timetable: None, ..entry("f", "@daily") }], None, minute(38));
    assert_eq!(dispatcher.next_wake(), None);
}

#[test]
fn a_start_that_jitter_has_put_off_is_not_lost_when_the_timetable_changes() {
    let late =
        |cron| Entry { policy: Policy { jitter: Duration::from_mins(9), ..Policy::default() }, ..entry("f", cron) };
    let mut dispatcher = Dispatcher::new(vec![late("*/10 * * * *")], Vec::new(), None, dawn());
    let wake = dispatcher.next_wake().unwrap();
    assert!(wake > minute(10));
    dispatcher.replace(vec![late("0 * * * *")], None, minute(10));
    assert_eq!(short(&dispatcher.due(minute(10))), ["f 00:10 timetable"]);
    dispatcher.ended("f");
    assert!(dispatcher.due(minute(59)).is_empty());
}

#[test]
fn a_flow_goes_and_comes_back() {
    let mut dispatcher = Dispatcher::new(vec![entry("f", "*/10 * * * *")], Vec::new(), None, dawn());
    dispatcher.due(minute(10));
    // Its file has a mistake for half an hour; the run that is under way ends meanwhile.
    dispatcher.replace(Vec::new(), None, minute(11));
    assert_eq!(dispatcher.next_wake(), None);
    dispatcher.ended("f");
    assert!(dispatcher.due(minute(40)).is_empty());
    dispatcher.replace(vec![entry("f", "*/10 * * * *")], None, minute(42));
    assert_eq!(short(&dispatcher.due(minute(42))), ["f 00:20-00:30 left out: missed", "f 00:40 missed"]);
    // Gone while it runs, back while it runs: it is not begun twice.
    dispatcher.replace(Vec::new(), None, minute(43));
    dispatcher.replace(vec![entry("f", "*/10 * * * *")], None, minute(44));
    assert_eq!(short(&dispatcher.due(minute(50))), ["f 00:50 left out: running"]);
}

#[test]
fn a_paused_flow_makes_up_for_nothing() {
    let paused = Entry { paused: true, ..with("f", "*/10 * * * *", Overlap::Skip, Missed::Each) };
    let followed = Entry { paused: false, ..paused.clone() };
    let mut marks = Vec::new();
    let mut dispatcher = Dispatcher::new(vec![followed.clone()], Vec::new(), None, dawn());
    dispatcher.due(minute(10));
    dispatcher.ended("f");
    dispatcher.replace(vec![paused.clone()], None, minute(15));
    assert_eq!(dispatcher.next_wake(), None);
    assert!(dispatcher.due(minute(35)).is_empty());
    // Not after a restart without the pause either.
    let mut dispatcher = restart(&mut dispatcher, &mut marks, vec![followed.clone()], minute(45));
    assert!(dispatcher.due(minute(45)).is_empty());
    assert_eq!(dispatcher.next_wake(), Some(minute(50)));
    // Nor is a run that was cut off begun again while it is paused; a person may start it.
    dispatcher.due(minute(50));
    let mut dispatcher = restart(&mut dispatcher, &mut marks, vec![paused], minute(55));
    assert!(dispatcher.due(minute(55)).is_empty());
    dispatcher.start("f", minute(56));
    assert_eq!(short(&dispatcher.due(minute(56))), ["f 00:56 manual"]);
}

#[test]
fn a_timetable_that_was_changed_while_nobody_was_there_has_missed_what_the_old_one_had() {
    let mut marks = Vec::new();
    let mut first = Dispatcher::new(vec![entry("f", "0 * * * *")], Vec::new(), None, dawn());
    first.due(minute(60));
    first.ended("f");
    let mut second = restart(&mut first, &mut marks, vec![entry("f", "*/10 * * * *")], minute(145));
    assert_eq!(short(&second.due(minute(145))), ["f 02:00 missed"]);
    second.ended("f");
    assert_eq!(second.next_wake(), Some(minute(150)));
}

#[test]
fn the_mark_of_a_flow_without_a_file_is_kept_for_a_while() {
    let mut marks = Vec::new();
    let mut dispatcher = Dispatcher::new(vec![entry("f", "@daily")], Vec::new(), None, dawn());
    for (days, kept) in [(1, 1), (89, 1), (91, 0)] {
        dispatcher = restart(&mut dispatcher, &mut marks, Vec::new(), minute(days * 24 * 60));
        dispatcher = restart(&mut dispatcher, &mut marks, Vec::new(), minute(days * 24 * 60));
        assert_eq!(marks.len(), kept, "after {days} days");
    }
}

/// Notes that can be away.
#[derive(Debug, Default)]
struct Fickle {
    notes: MemoryNotes,
    is_away: AtomicBool,
}

#[async_trait]
impl Notes for Fickle {
    async fn notes(&self, shelf: &str) -> Result<Vec<(String, String)>> {
        self.notes.notes(shelf).await
    }
    async fn note(&self, shelf: &str, name: &str) -> Result<Option<String>> {
        self.notes.note(shelf, name).await
    }
    async fn put_notes(&self, shelf: &str, notes: Vec<(String, Option<String>)>) -> Result<()> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::State, "the disk is full"));
        }
        self.notes.put_notes(shelf, notes).await
    }
    async fn record(&self, shelf: &str, at: Timestamp, text: &str) -> Result<u64> {
        self.notes.record(shelf, at, text).await
    }
    async fn recorded(&self, shelf: &str, before: Option<u64>, limit: u32) -> Result<Vec<Line>> {
        self.notes.recorded(shelf, before, limit).await
    }
    async fn forget_recorded(&self, shelf: &str, before: Timestamp) -> Result<u64> {
        self.notes.forget_recorded(shelf, before).await
    }
}

#[tokio::test]
async fn nothing_is_given_out_before_it_is_written_and_nothing_is_lost() {
    let notes = Arc::new(Fickle::default());
    let open =
        |now| Timekeeper::open(Arc::clone(&notes) as Arc<dyn Notes>, vec![entry("f", "*/10 * * * *")], None, now);
    let mut keeper = open(dawn()).await.unwrap();
    keeper.due(dawn()).await.unwrap();
    notes.is_away.store(true, Ordering::Relaxed);
    assert!(keeper.due(minute(10)).await.is_err());
    assert!(keeper.due(minute(11)).await.is_err());
    // Killed here, the next one knows nothing of it and begins it.
    let mut other = open(minute(11)).await.unwrap();
    notes.is_away.store(false, Ordering::Relaxed);
    assert_eq!(short(&other.due(minute(11)).await.unwrap()), ["f 00:10 timetable"]);
    // Not killed, it is given out once, as soon as it is written.
    assert_eq!(short(&keeper.due(minute(12)).await.unwrap()), ["f 00:10 timetable"]);
    assert!(keeper.due(minute(12)).await.unwrap().is_empty());
    let mark = notes.note("timetable", "f").await.unwrap().unwrap();
    let begun = format!(r#""begun":{{"due":"{}","at":"{}"}}"#, minute(10), minute(10));
    assert!(mark.contains(&begun), "{mark}");
    assert!(keeper.ended("f", minute(13)).await.unwrap().is_empty());
    assert_eq!(keeper.start("f", minute(14)).await.unwrap().1.len(), 1);
    assert!(keeper.replace(Vec::new(), None, minute(15)).await.unwrap().is_empty());
    assert_eq!(keeper.state("f").unwrap().running_since, Some(minute(14)));
    assert!(keeper.upcoming(dawn(), minute(100), 9).is_empty());
}

#[tokio::test]
async fn a_mark_that_cannot_be_read_makes_the_flow_a_new_one() {
    let notes = MemoryNotes::default();
    notes.put_notes("timetable", vec![("f".to_owned(), Some("{\"v\":2}".to_owned()))]).await.unwrap();
    let mut keeper = Timekeeper::open(Arc::new(notes), vec![entry("f", "@hourly")], None, minute(5)).await.unwrap();
    assert!(keeper.due(minute(5)).await.unwrap().is_empty());
    assert_eq!(keeper.next_wake(), Some(minute(60)));
}
