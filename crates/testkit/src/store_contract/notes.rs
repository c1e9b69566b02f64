//! What a place for notes and records promises.

use jiff::SignedDuration;
use milkrun_core::notes::Notes;

use super::{Place, at};

/// What a place for notes and records promises.
pub async fn notes<S: Notes + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    notes_are_replaced_and_taken_away(&place()).await;
    shelves_are_apart(&place()).await;
    texts_come_back_as_they_were(&place()).await;
    others_see_what_was_written(&place()).await;
    lines_are_paged_newest_first(&place()).await;
    numbers_are_never_given_twice(&place()).await;
    old_lines_are_forgotten(&place()).await;
    many_may_write_at_once(&place()).await;
}

fn note(name: &str, text: &str) -> (String, Option<String>) {
    (name.into(), Some(text.into()))
}

fn pair(name: &str, text: &str) -> (String, String) {
    (name.into(), text.into())
}

async fn numbers<S: Notes + ?Sized>(notes: &S, shelf: &str, before: Option<u64>, limit: u32) -> Vec<u64> {
    notes.recorded(shelf, before, limit).await.unwrap().iter().map(|entry| entry.id).collect()
}

async fn notes_are_replaced_and_taken_away<S: Notes + ?Sized>(place: &impl Place<S>) {
    let notes = place.open();
    assert_eq!(notes.notes("timetable").await.unwrap(), []);
    assert_eq!(notes.note("timetable", "orders").await.unwrap(), None);
    notes.put_notes("timetable", vec![note("orders", "1"), note("items", "2")]).await.unwrap();
    assert_eq!(notes.notes("timetable").await.unwrap(), [pair("items", "2"), pair("orders", "1")], "by name");
    let changes = vec![note("stock", "3"), ("items".into(), None), note("orders", "4"), ("unknown".into(), None)];
    notes.put_notes("timetable", changes).await.unwrap();
    assert_eq!(notes.notes("timetable").await.unwrap(), [pair("orders", "4"), pair("stock", "3")]);
    assert_eq!(notes.note("timetable", "orders").await.unwrap().as_deref(), Some("4"));
    assert_eq!(notes.note("timetable", "items").await.unwrap(), None);
    // Of two with one name, the later counts.
    notes
        .put_notes("timetable", vec![note("a", "1"), note("a", "2"), note("b", "1"), ("b".into(), None)])
        .await
        .unwrap();
    assert_eq!(notes.note("timetable", "a").await.unwrap().as_deref(), Some("2"));
    assert_eq!(notes.note("timetable", "b").await.unwrap(), None);
    notes.put_notes("timetable", Vec::new()).await.unwrap();
    assert_eq!(notes.notes("timetable").await.unwrap().len(), 3);
}

async fn shelves_are_apart<S: Notes + ?Sized>(place: &impl Place<S>) {
    let notes = place.open();
    notes.put_notes("a", vec![note("x", "1")]).await.unwrap();
    notes.put_notes("b", vec![note("x", "2")]).await.unwrap();
    notes.put_notes("a", vec![("x".into(), None)]).await.unwrap();
    assert_eq!(notes.notes("a").await.unwrap(), []);
    assert_eq!(notes.notes("b").await.unwrap(), [pair("x", "2")]);
    let first = notes.record("a", at(0), "one").await.unwrap();
    let second = notes.record("b", at(0), "two").await.unwrap();
    assert!(first < second, "numbers grow over all shelves");
    assert_eq!(numbers(&*notes, "a", None, 9).await, [first]);
    assert_eq!(notes.forget_recorded("a", at(1)).await.unwrap(), 1);
    assert_eq!(numbers(&*notes, "b", None, 9).await, [second]);
}

async fn texts_come_back_as_they_were<S: Notes + ?Sized>(place: &impl Place<S>) {
    let notes = place.open();
    let long = "页".repeat(100_000);
    for text in ["", "'; DROP TABLE note; --", "订单\n\t\u{0}\u{1f69a}", "19 digits: 6920000000000000001", &long] {
        notes.put_notes(text, vec![note(text, text)]).await.unwrap();
        assert_eq!(notes.note(text, text).await.unwrap().as_deref(), Some(text));
        let instant = at(0) + SignedDuration::from_nanos(123_456_789);
        let id = notes.record(text, instant, text).await.unwrap();
        let entries = notes.recorded(text, None, 9).await.unwrap();
        let entry = entries.first().unwrap();
        assert_eq!((entries.len(), entry.id, entry.at, entry.text.as_str()), (1, id, instant, text));
    }
}

async fn others_see_what_was_written<S: Notes + ?Sized>(place: &impl Place<S>) {
    let (a, b) = (place.open(), place.open());
    a.put_notes("s", vec![note("x", "1")]).await.unwrap();
    let first = a.record("s", at(0), "one").await.unwrap();
    assert_eq!(b.note("s", "x").await.unwrap().as_deref(), Some("1"));
    let second = b.record("s", at(0), "two").await.unwrap();
    assert!(first < second);
    place.kill(a);
    place.kill(b);
    let c = place.open();
    assert_eq!(c.notes("s").await.unwrap(), [pair("x", "1")]);
    assert_eq!(numbers(&*c, "s", None, 9).await, [second, first]);
}

async fn lines_are_paged_newest_first<S: Notes + ?Sized>(place: &impl Place<S>) {
    let notes = place.open();
    let mut ids = Vec::new();
    for n in 0..5 {
        // The clock may be set back: numbers say what came later, not instants.
        ids.push(notes.record("audit", at(-n), &n.to_string()).await.unwrap());
        notes.record("other", at(n), "").await.unwrap();
    }
    ids.reverse();
    assert_eq!(numbers(&*notes, "audit", None, 2).await, ids[..2]);
    assert_eq!(numbers(&*notes, "audit", Some(ids[1]), 2).await, ids[2..4]);
    assert_eq!(numbers(&*notes, "audit", Some(ids[3]), 2).await, ids[4..]);
    assert_eq!(numbers(&*notes, "audit", Some(ids[4]), 2).await, Vec::<u64>::new());
    assert_eq!(numbers(&*notes, "audit", None, 0).await, Vec::<u64>::new());
    assert_eq!(numbers(&*notes, "audit", Some(u64::MAX), 9).await, ids);
}

async fn numbers_are_never_given_twice<S: Notes + ?Sized>(place: &impl Place<S>) {
    let notes = place.open();
    let first = notes.record("audit", at(0), "one").await.unwrap();
    assert_eq!(notes.forget_recorded("audit", at(1)).await.unwrap(), 1);
    drop(notes);
    assert!(first < place.open().record("audit", at(2), "two").await.unwrap());
}

async fn old_lines_are_forgotten<S: Notes + ?Sized>(place: &impl Place<S>) {
    let notes = place.open();
    for n in 0..5 {
        notes.record("audit", at(n), &n.to_string()).await.unwrap();
    }
    assert_eq!(notes.forget_recorded("audit", at(3)).await.unwrap(), 3);
    assert_eq!(notes.forget_recorded("audit", at(3)).await.unwrap(), 0);
    let left: Vec<_> = notes.recorded("audit", None, 9).await.unwrap().into_iter().map(|entry| entry.text).collect();
    assert_eq!(left, ["4", "3"], "what is as old as that stays");
}

async fn many_may_write_at_once<S: Notes + ?Sized>(place: &impl Place<S>) {
    let notes = place.open();
    let one = |n: i64| {
        let notes = &notes;
        async move {
            notes.put_notes("s", vec![note(&format!("{n:02}"), "x")]).await.unwrap();
            notes.record("s", at(n), "x").await.unwrap()
        }
    };
    let (a, b, c, d) = tokio::join!(one(0), one(1), one(2), one(3));
    let mut ids = vec![a, b, c, d];
    ids.sort_unstable();
    ids.dedup();
    ids.reverse();
    assert_eq!(numbers(&*notes, "s", None, 9).await, ids);
    assert_eq!((ids.len(), notes.notes("s").await.unwrap().len()), (4, 4));
}
