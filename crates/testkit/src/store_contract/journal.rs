//! What a journal promises.

use std::sync::Arc;

use milkrun_core::ErrorKind;
use milkrun_core::state::{Journal, JournalEntry, JournalRef};

use super::{Place, kind};

/// What a journal promises.
pub async fn journal<S: Journal + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    entries_come_back_as_they_were(&place()).await;
    what_was_not_committed_is_cut(&place()).await;
    a_journal_that_ends_too_early_is_an_error(&place()).await;
}
fn text(body: &str, records: &[(u32, u32)]) -> JournalEntry {
    JournalEntry { body: Arc::new(body.to_owned()), records: records.to_vec() }
}

fn some_entries() -> Vec<JournalEntry> {
    let long = r#"{"oid":6920000000000000001,"名":"0.10"},"#.repeat(5000);
    let spans: Vec<_> = (0..5000).map(|n| (n * 41, 40)).collect();
    vec![text("", &[]), text(r#"[{"a":1},{"a":1E+2}]"#, &[(1, 7), (9, 10)]), text(&long, &spans)]
}

async fn entries_come_back_as_they_were<S: Journal + ?Sized>(place: &impl Place<S>) {
    let journal = place.open();
    journal.open("采购/1", JournalRef::default()).await.unwrap();
    journal.open("items", JournalRef::default()).await.unwrap();
    assert!(journal.append("items", Vec::new()).await.unwrap().is_empty());
    let mut refs = journal.append("采购/1", some_entries()).await.unwrap();
    let other = journal.append("items", vec![text("x", &[])]).await.unwrap();
    refs.extend(journal.append("采购/1", some_entries()).await.unwrap());
    assert!(refs.is_sorted_by(|a, b| a < b && JournalRef::default() < *a));
    let reader = place.open();
    for (at, entry) in refs.iter().zip(some_entries().into_iter().chain(some_entries())) {
        assert_eq!(journal.read("采购/1", *at).await.unwrap(), entry);
        assert_eq!(reader.read("采购/1", *at).await.unwrap(), entry);
    }
    assert_eq!(journal.read("items", other[0]).await.unwrap(), text("x", &[]));
}

async fn what_was_not_committed_is_cut<S: Journal + ?Sized>(place: &impl Place<S>) {
    let journal = place.open();
    journal.open("orders", JournalRef::default()).await.unwrap();
    let first = journal.append("orders", some_entries()).await.unwrap();
    let lost = journal.append("orders", some_entries()).await.unwrap();
    let end = first[2];
    place.kill(journal);
    let journal = place.open();
    journal.open("orders", end).await.unwrap();
    assert_eq!(kind(journal.read("orders", lost[1]).await), Some(ErrorKind::State));
    let again = journal.append("orders", vec![text("again", &[])]).await.unwrap();
    assert_eq!(journal.read("orders", again[0]).await.unwrap(), text("again", &[]));
    assert!(again[0] > end);
    for (at, entry) in first.iter().zip(some_entries()) {
        assert_eq!(journal.read("orders", *at).await.unwrap(), entry);
    }
    journal.open("orders", again[0]).await.unwrap();
    assert_eq!(journal.read("orders", again[0]).await.unwrap(), text("again", &[]));
    // Nothing was committed: nothing is kept.
    journal.open("orders", JournalRef::default()).await.unwrap();
    assert_eq!(kind(journal.read("orders", first[0]).await), Some(ErrorKind::State));
    journal.append("orders", some_entries()).await.unwrap();
}

async fn a_journal_that_ends_too_early_is_an_error<S: Journal + ?Sized>(place: &impl Place<S>) {
    let journal = place.open();
    journal.open("orders", JournalRef::default()).await.unwrap();
    let refs = journal.append("orders", some_entries()).await.unwrap();
    let beyond = JournalRef { offset: refs[2].end(), ..refs[2] };
    assert_eq!(kind(journal.open("orders", beyond).await), Some(ErrorKind::State));
    assert_eq!(journal.read("orders", refs[2]).await.unwrap(), some_entries()[2], "nothing was cut");
}
