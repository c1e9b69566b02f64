//! Journal files that are cut, damaged or missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use milkrun_core::ErrorKind;
use milkrun_core::state::{Bitmap, Change, Journal, JournalEntry, JournalRef, StateStore};
use milkrun_store::{FileJournal, JournalOptions, SqliteStore, StoreOptions};

fn journal(folder: &Path) -> Arc<FileJournal> {
    FileJournal::new(folder, JournalOptions { segment_bytes: 1000 })
}

fn page(n: usize) -> JournalEntry {
    // Text that does not compress, so that segments fill up: digits of a product that grows.
    let body: String =
        (1..=200_u64).map(|k| (k * k * (n as u64 + 7) * 2_654_435_761 % 1_000_003).to_string()).collect();
    JournalEntry { body: Arc::new(body), records: vec![(1, 2), (5, 100)] }
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder.join("orders")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Ten pages in several segments.
async fn filled(folder: &Path) -> (Arc<FileJournal>, Vec<JournalRef>) {
    let journal = journal(folder);
    journal.open("orders", JournalRef::default()).await.unwrap();
    let mut refs = Vec::new();
    for n in 0..5 {
        refs.extend(journal.append("orders", vec![page(2 * n), page(2 * n + 1)]).await.unwrap());
    }
    (journal, refs)
}

#[tokio::test]
async fn segments_follow_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, refs) = filled(folder.path()).await;
    assert_eq!(refs.iter().map(|r| r.segment).collect::<Vec<_>>(), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    assert!(segments(folder.path())[4].ends_with("orders/000005.seg"));
    for (n, at) in refs.iter().enumerate() {
        assert_eq!(journal.read("orders", *at).await.unwrap(), page(n));
    }
}

#[tokio::test]
async fn later_segments_and_the_rest_of_the_last_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (_, refs) = filled(folder.path()).await;
    let journal = journal(folder.path());
    journal.open("orders", refs[4]).await.unwrap();
    assert_eq!(segments(folder.path()).len(), 3);
    assert_eq!(fs::metadata(&segments(folder.path())[2]).unwrap().len(), refs[4].end());
    // A torn write behind the committed end is cut too.
    let mut torn = fs::read(&segments(folder.path())[2]).unwrap();
    torn.extend_from_slice(b"MRPG and then nothing");
    fs::write(&segments(folder.path())[2], torn).unwrap();
    journal.open("orders", refs[4]).await.unwrap();
    let next = journal.append("orders", vec![page(99)]).await.unwrap();
    assert_eq!(next[0], JournalRef { offset: refs[4].end(), len: next[0].len, segment: 3 });
    assert_eq!(journal.read("orders", refs[4]).await.unwrap(), page(4));
    assert_eq!(journal.read("orders", next[0]).await.unwrap(), page(99));
}

#[tokio::test]
async fn a_short_or_damaged_journal_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (_, refs) = filled(folder.path()).await;
    let path = segments(folder.path())[4].clone();
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[usize::try_from(refs[9].offset).unwrap() + 30] ^= 1;
    let cases = [
        (whole[..whole.len() - 1].to_vec(), "the journal is shorter than what was committed"),
        (Vec::new(), "the journal is shorter than what was committed"),
        (flipped, "an entry of the journal is damaged"),
    ];
    for (content, message) in cases {
        fs::write(&path, &content).unwrap();
        let error = journal(folder.path()).open("orders", refs[9]).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::State, message));
        assert_eq!(error.fact("file"), Some(path.display().to_string().as_str()));
        assert!(error.help().is_some());
        assert_eq!(fs::read(&path).unwrap(), content, "nothing was cut");
    }
}

#[tokio::test]
async fn removed_segments_are_missed_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, refs) = filled(folder.path()).await;
    let n_bytes: u64 = segments(folder.path())[..2].iter().map(|p| fs::metadata(p).unwrap().len()).sum();
    assert_eq!(journal.remove_below("orders", 3).await.unwrap(), n_bytes);
    assert_eq!(journal.remove_below("orders", 3).await.unwrap(), 0);
    assert_eq!(journal.remove_below("unknown", 3).await.unwrap(), 0);
    let error = journal.read("orders", refs[3]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.message().contains("is missing") && error.help().is_some(), "{error}");
    assert_eq!(journal.read("orders", refs[4]).await.unwrap(), page(4));
    journal.open("orders", refs[9]).await.unwrap();
}

#[tokio::test]
async fn a_journal_is_opened_before_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (_, refs) = filled(folder.path()).await;
    let error = journal(folder.path()).append("orders", vec![page(0)]).await.unwrap_err();
    assert!(error.message().contains("was not opened"), "{error}");
    assert_eq!(journal(folder.path()).read("orders", refs[0]).await.unwrap(), page(0));
}

#[tokio::test]
async fn what_is_no_place_is_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, refs) = filled(folder.path()).await;
    for at in [
        JournalRef { offset: 0, ..refs[0] },
        JournalRef { len: 3, ..refs[0] },
        JournalRef { offset: refs[0].offset + 1, ..refs[0] },
        JournalRef { len: refs[0].len - 1, ..refs[0] },
        JournalRef { segment: 0, ..refs[0] },
        JournalRef { offset: u64::MAX - 5, ..refs[0] },
        JournalRef { len: u32::MAX, ..refs[0] },
    ] {
        let kind = journal.read("orders", at).await.unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::State | ErrorKind::Io), "{at:?}: {kind}");
    }
}

#[tokio::test]
async fn segments_are_needed_while_a_page_of_theirs_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, refs) = filled(&folder.path().join("journal")).await;
    let store = SqliteStore::open(folder.path(), StoreOptions::default()).unwrap();
    let lease = store.acquire("orders", Timestamp::UNIX_EPOCH).await.unwrap();
    let pages = refs.iter().zip(0..).map(|(&journal, n)| {
        let todo = if n == 5 { Bitmap::all(1) } else { Bitmap::default() };
        Change::PageAdded { id: n + 1, journal, n_records: 2, todo }
    });
    store.commit(lease, pages.collect()).await.unwrap();
    let left = async || store.journal_pages(lease.flow, None, 100).await.unwrap().len();
    assert_eq!((store.forget_pages_below(lease.flow, 2).await.unwrap(), left().await), (2, 8));
    assert_eq!((store.forget_pages_below(lease.flow, 99).await.unwrap(), left().await), (3, 6), "one is open");
    let done = Change::PageProgress { id: 6, todo: Bitmap::default(), sent: Bitmap::default(), first_sent: None };
    store.commit(lease, vec![done]).await.unwrap();
    let below = store.forget_pages_below(lease.flow, 99).await.unwrap();
    assert_eq!((below, left().await), (5, 2), "the last segment is where the journal goes on");
    journal.remove_below("orders", below).await.unwrap();
    assert_eq!(segments(&folder.path().join("journal")).len(), 1);
    journal.open("orders", store.load(lease).await.unwrap().journal_end).await.unwrap();
}
