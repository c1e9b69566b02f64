//! What the console asks, what is forgotten, and copies of a state that is written to.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::quota::{Admission, Lane, QuotaLog as _};
use milkrun_core::state::{
    Bitmap, Change, DeadLetter, Journal as _, JournalEntry, JournalRef, LedgerEntry, LedgerRow, RunRecord, Stage,
    StateStore, Verdict,
};
use milkrun_core::token::{Begin, Token, TokenStore as _};
use milkrun_core::{ErrorKind, Key, Quota, Secret, Slice};
use milkrun_store::{
    FileJournal, JournalOptions, LetterFilter, MasterKey, SqliteStore, StoreOptions, TokenFacts, check_backup,
    replace_state,
};

fn open(folder: &Path) -> Arc<SqliteStore> {
    let key = MasterKey::from_text(&"42".repeat(32)).unwrap();
    SqliteStore::open(folder, StoreOptions { key: Some(key), owner: None }).unwrap()
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_785_513_600 + secs).unwrap()
}

fn run(started: Timestamp) -> Change {
    let (ended, verdict) = (Some(started + SignedDuration::from_secs(1)), Some(Verdict::Partial));
    Change::Run(RunRecord { id: 0, started, ended, verdict, report: "{}".into() })
}

async fn write(store: &SqliteStore, flow: &str, changes: Vec<Change>) -> i64 {
    let lease = store.acquire(flow, at(0)).await.unwrap();
    store.commit(lease, changes).await.unwrap();
    store.release(lease).await.unwrap();
    lease.flow
}

fn row(key: Key, at: Timestamp) -> LedgerRow {
    let entry = LedgerEntry { fingerprint: 7, version: None, remote_id: None };
    LedgerRow { key, entry, page: 1, index: 0, idempotency_key: None, at }
}

#[tokio::test]
async fn a_calendar_asks_by_time_over_all_flows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for (flow, secs) in [("b", 0), ("a", 10), ("b", 20), ("a", 30)] {
        write(&store, flow, vec![run(at(secs) + SignedDuration::from_millis(500))]).await;
    }
    write(&store, "c", vec![run(at(20))]).await;
    let between = async |from, until, limit| {
        let runs = store.runs_between(from, until, limit).await.unwrap();
        runs.into_iter().map(|run| format!("{}{}", run.flow, run.id)).collect::<Vec<_>>()
    };
    assert_eq!(between(at(0), at(31), 99).await, ["b1", "a1", "c1", "b2", "a2"]);
    let half = SignedDuration::from_millis(500);
    assert_eq!(between(at(10) + half, at(20) + half, 99).await, ["a1", "c1"], "the end is not part of it");
    assert_eq!(between(at(11), at(20), 99).await, Vec::<String>::new());
    assert_eq!(between(at(0), at(31), 2).await, ["b1", "a1"]);
    let id = store.flow_id("a").await.unwrap().unwrap();
    let below = async |before| {
        let runs = store.runs(id, before, 1).await.unwrap();
        runs.first().map(|run| run.id)
    };
    assert_eq!((below(None).await, below(Some(2)).await, below(Some(1)).await), (Some(2), Some(1), None));
    // The ledger knows an instant to the millisecond.
    let at_ms = |ms: i64| at(0) + SignedDuration::from_millis(ms);
    let by = async |ms| store.run_at(id, at_ms(ms)).await.unwrap().map(|run| run.id);
    assert_eq!(
        (by(10_499).await, by(10_500).await, by(30_499).await, by(30_500).await),
        (None, Some(1), Some(1), Some(2))
    );
    let nanos = write(&store, "d", vec![run(at(0) + SignedDuration::from_nanos(7_000_300))]).await;
    assert_eq!(store.run_at(nanos, at_ms(7)).await.unwrap().map(|run| run.id), Some(1));
    assert!(store.run_at(nanos, at_ms(6)).await.unwrap().is_none());
}

fn letter(key: &str, stage: Stage, reason: &str, record: &str) -> Change {
    let key = Some(Key::of(key));
    let (reason, record) = (reason.into(), record.into());
    Change::DeadLetter(DeadLetter { id: 0, key, stage, reason, page: 1, version: None, at: at(0), record })
}

#[tokio::test]
async fn dead_letters_are_found_by_text_and_stage() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let letters = vec![
        letter("10", Stage::Target, "no shop 100%", r#"{"id":10,"buyer":"张三"}"#),
        letter("11", Stage::Mapping, "field `qty`", r#"{"id":11,"sku":"A_1"}"#),
        letter("12", Stage::Target, "no shop", r#"{"id":12,"sku":"AB1"}"#),
    ];
    let flow = write(&store, "orders", letters).await;
    let other = write(&store, "other", vec![letter("10", Stage::Target, "", "")]).await;
    let find = async |text: &str, stage| {
        let filter = LetterFilter { text: Some(text.to_owned()), stage };
        let found = store.find_dead_letters(flow, 0, 99, filter.clone()).await.unwrap();
        assert_eq!(store.count_dead_letters(flow, filter).await.unwrap(), found.len() as u64);
        found.iter().map(|letter| letter.id).collect::<Vec<_>>()
    };
    assert_eq!(find("", None).await, [1, 2, 3]);
    assert_eq!(find("", Some(Stage::Target)).await, [1, 3]);
    assert_eq!(find("张三", None).await, [1]);
    assert_eq!(find("NO SHOP", Some(Stage::Target)).await, [1, 3]);
    // What would be a pattern is taken as it is.
    assert_eq!(find("100%", None).await, [1]);
    assert_eq!(find("A_1", None).await, [2]);
    assert_eq!(find("12", None).await, [3]);
    assert_eq!(find("'; --", None).await, Vec::<u64>::new());
    let page = async |after| {
        let found = store.find_dead_letters(flow, after, 1, LetterFilter::default()).await.unwrap();
        found.first().map(|letter| letter.id)
    };
    assert_eq!((page(0).await, page(1).await, page(3).await, page(u64::MAX).await), (Some(1), Some(2), None, None));
    assert_eq!(store.count_dead_letters(other, LetterFilter::default()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_token_is_known_without_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(store.token_facts("km").await.unwrap(), None);
    store.token_died("km", "the session is over").await.unwrap();
    let dead = store.token_facts("km").await.unwrap().unwrap();
    assert_eq!(dead.dead.as_deref(), Some("the session is over"));
    store.token_lives("km").await.unwrap();
    assert_eq!(store.token_facts("km").await.unwrap(), None);
    store.token_died("km", "the session is over").await.unwrap();
    let begin = store.begin_renewal("km", 0, at(0), std::time::Duration::from_mins(1)).await.unwrap();
    let Begin::Started { fence, .. } = begin else { panic!("{begin:?}") };
    assert!(store.token_facts("km").await.unwrap().unwrap().is_unfinished);
    let token = Token { expires_at: Some(at(900)), ..Token::new(Secret::new("hush"), at(5)) };
    store.finish_renewal("km", fence, &token).await.unwrap();
    let facts = TokenFacts { since: Some(at(5)), expires: Some(at(900)), dead: None, is_unfinished: false };
    drop(store);
    let without_key = SqliteStore::open(folder.path(), StoreOptions::default()).unwrap();
    assert_eq!(without_key.token_facts("km").await.unwrap(), Some(facts.clone()));
    drop(without_key);
    // As an older version kept it.
    let sql = "UPDATE token SET since = NULL, expires = NULL";
    rusqlite::Connection::open(folder.path().join("state.db")).unwrap().execute_batch(sql).unwrap();
    assert_eq!(open(folder.path()).token_facts("km").await.unwrap(), Some(facts));
    let store = open(folder.path());
    assert!(store.forget_token("km").await.unwrap());
    assert_eq!(store.token_facts("km").await.unwrap(), None);
}

#[tokio::test]
async fn the_last_run_of_each_flow_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for secs in [0, 10, 20] {
        write(&store, "a", vec![run(at(secs))]).await;
    }
    let flow = write(&store, "b", vec![run(at(0))]).await;
    let a = store.flow_id("a").await.unwrap().unwrap();
    for (dry, left) in [(true, 3), (false, 1)] {
        assert_eq!(store.forget_runs(a, at(99), dry).await.unwrap(), 2);
        assert_eq!(store.runs(a, None, 99).await.unwrap().len(), left);
    }
    assert_eq!(store.forget_runs(flow, at(99), false).await.unwrap(), 0);
    assert_eq!(store.runs(a, None, 99).await.unwrap()[0].id, 3);
    // Numbers go on.
    write(&store, "a", vec![run(at(30))]).await;
    assert_eq!(store.runs(a, None, 1).await.unwrap()[0].id, 4);
}

#[tokio::test]
async fn old_rows_of_a_ledger_are_forgotten_beside_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (open(folder.path()), open(folder.path()));
    let keys = |from: i64, n: i64, secs| (from..from + n).map(|key| row(Key::Int(key), at(secs))).collect::<Vec<_>>();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    // More than one chunk, texts among them.
    let mut old = keys(0, 45_000, 0);
    old.push(row(Key::Text("a".into()), at(0)));
    store.commit(lease, vec![Change::Ledger(old)]).await.unwrap();
    store.commit(lease, vec![Change::Ledger(keys(50_000, 10, 100))]).await.unwrap();
    // A changed row waits beside the ledger: its old form must not be taken for the last word.
    let mut changed = row(Key::Int(3), at(100));
    changed.entry.fingerprint = 8;
    store.commit(lease, vec![Change::Ledger(vec![changed])]).await.unwrap();
    // One that was looked up just before is forgotten like all others.
    assert!(store.seen(lease.flow, vec![Key::Int(1)]).await.unwrap()[0].is_some());
    assert_eq!(other.forget_ledger(lease.flow, at(50), true).await.unwrap(), 45_000);
    assert_eq!(other.forget_ledger(lease.flow, at(50), false).await.unwrap(), 45_000);
    assert_eq!(other.forget_ledger(lease.flow, at(50), false).await.unwrap(), 0);
    let wanted = vec![Key::Int(2), Key::Int(3), Key::Int(50_001), Key::Text("a".into())];
    let seen = store.seen(lease.flow, wanted).await.unwrap();
    let seen: Vec<_> = seen.iter().map(|entry| entry.as_ref().map(|entry| entry.fingerprint)).collect();
    assert_eq!(seen, [None, Some(8), Some(7), None]);
    // A forgotten key is new again, and the count is right.
    store.commit(lease, vec![Change::Ledger(keys(1, 2, 200))]).await.unwrap();
    store.release(lease).await.unwrap();
    assert_eq!(store.flows().await.unwrap()[0].ledger, 13);
    assert!(store.seen(lease.flow, vec![Key::Int(1), Key::Int(2)]).await.unwrap().iter().all(Option::is_some));
    let journal = FileJournal::new(&folder.path().join("journal"), JournalOptions::default());
    let before = store.sizes(&journal).await.unwrap();
    assert!(before.unused > 0 && before.ledger_rows == 13 && before.journal == 0);
    store.give_back().await.unwrap();
    assert_eq!(store.sizes(&journal).await.unwrap().unused, 0);
}

#[tokio::test]
async fn a_copy_is_one_instant_of_a_state_that_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state"));
    store.put_secret("app", &Secret::new("hushhush")).await.unwrap();
    let journal = FileJournal::new(&folder.path().join("state/journal"), JournalOptions { segment_bytes: 1 });
    let lease = store.acquire("orders", at(0)).await.unwrap();
    journal.open("orders", JournalRef::default()).await.unwrap();
    // Each page is a segment, and a row of the ledger.
    let page = async |n: i64| {
        let entry = JournalEntry { body: format!(r#"[{{"id":{n}}}]"#).into(), records: vec![(1, 8)] };
        let at_page = journal.append("orders", vec![entry]).await.unwrap()[0];
        let (id, todo) = (n.cast_unsigned(), Bitmap::default());
        let added = Change::PageAdded { id, journal: at_page, n_records: 1, todo };
        let rows = (n * 1_000..n * 1_000 + 500).map(|key| row(Key::Int(key), at(0))).collect();
        store.commit(lease, vec![added, Change::Ledger(rows)]).await.unwrap();
    };
    for n in 1..=20 {
        page(n).await;
    }
    let into = folder.path().join("copy");
    fs::create_dir(&into).unwrap();
    let (from, to) = (Arc::clone(&store), into.clone());
    let copying = tokio::spawn(async move { from.copy_into(&to, |_, _| ()).await });
    for n in 21..=40 {
        page(n).await;
    }
    let parts = copying.await.unwrap().unwrap();
    let part = &parts[0];
    assert_eq!((part.flow.as_str(), part.first), ("orders", 1));
    assert_eq!(check_backup(&into).await.unwrap(), parts);
    assert_eq!(store.copy_into(&into, |_, _| ()).await.unwrap_err().kind(), ErrorKind::ConfigInvalid);
    drop(store);
    // The copy opens, and holds as many rows as its last page says.
    let copy = open(&into);
    let rows = copy.flows().await.unwrap()[0].ledger;
    assert_eq!(rows, 500 * u64::from(part.end.segment));
    assert_eq!(copy.get_secret("app").await.unwrap().unwrap().expose(), "hushhush");
    assert_eq!(copy.integrity(1).await.unwrap(), Vec::<String>::new());
    assert_eq!(copy.dead_leases().await.unwrap().len(), 1, "whoever ran the flow there does not run it here");
}

#[tokio::test]
async fn a_damaged_copy_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(check_backup(folder.path()).await.unwrap_err().kind(), ErrorKind::Io);
    fs::write(folder.path().join("state.db"), [7; 5000]).unwrap();
    assert_eq!(check_backup(folder.path()).await.unwrap_err().message(), "the state file is not a database");
}

#[tokio::test]
async fn segments_and_what_needs_them_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let journal = FileJournal::new(&folder.path().join("journal"), JournalOptions { segment_bytes: 1 });
    assert_eq!(journal.segments("orders").await.unwrap(), []);
    let lease = store.acquire("orders", at(0)).await.unwrap();
    journal.open("orders", JournalRef::default()).await.unwrap();
    for id in 1..=3 {
        let entry = JournalEntry { body: r#"[{"id":1}]"#.to_owned().into(), records: vec![(1, 8)] };
        let place = journal.append("orders", vec![entry]).await.unwrap()[0];
        let todo = if id == 2 { Bitmap::all(1) } else { Bitmap::default() };
        store.commit(lease, vec![Change::PageAdded { id, journal: place, n_records: 1, todo }]).await.unwrap();
    }
    let segments = journal.segments("orders").await.unwrap();
    assert_eq!(segments.iter().map(|segment| segment.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(journal.bytes().await.unwrap(), segments.iter().map(|segment| segment.bytes).sum::<u64>());
    assert!(journal.path_of("orders", 2).ends_with("orders/000002.seg"));
    assert_eq!(store.needed_pages(lease.flow).await.unwrap(), (0, 2));
    let opened = Change::SliceOpened { id: 1, slice: Slice::default(), reading: "{}".into(), share: None };
    store.commit(lease, vec![opened]).await.unwrap();
    assert_eq!(store.needed_pages(lease.flow).await.unwrap(), (1, 2));
}

#[test]
fn a_state_is_replaced_when_nobody_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let [state, new, aside] = ["state", "new", "aside"].map(|name| folder.path().join(name));
    drop(open(&state));
    fs::create_dir_all(state.join("journal/orders")).unwrap();
    let old = fs::read(state.join("state.db")).unwrap();
    fs::create_dir_all(new.join("journal/items")).unwrap();
    fs::write(new.join("state.db"), "new").unwrap();
    let store = open(&state);
    assert_eq!(replace_state(&state, &new, &aside).unwrap_err().kind(), ErrorKind::Busy);
    drop(store);
    replace_state(&state, &new, &aside).unwrap();
    assert_eq!(fs::read_to_string(state.join("state.db")).unwrap(), "new");
    assert!(state.join("journal/items").exists() && !state.join("journal/orders").exists());
    assert!(aside.join("journal/orders").exists());
    assert_eq!(fs::read(aside.join("state.db")).unwrap(), old);
    assert!(state.join("quota.db").exists() && !aside.join("quota.db").exists(), "the log of calls goes on");
}

#[tokio::test]
async fn a_restore_keeps_the_later_log_of_calls() {
    let lane = Lane { name: "km".into(), quota: Quota::per_second(9) };
    let write = async |folder: &Path, ends: &[i64]| {
        let store = open(folder);
        for secs in ends {
            let Admission::Entered(ticket) = store.enter(std::slice::from_ref(&lane), at(*secs)).await.unwrap() else {
                panic!("nothing else is under way")
            };
            store.leave(ticket, at(*secs));
        }
    };
    for (here, backup, kept) in
        [(&[100, 200][..], &[100][..], true), (&[100], &[100, 200], false), (&[100], &[], true), (&[], &[100], false)]
    {
        let folder = tempfile::tempdir().unwrap();
        let [state, new, aside] = ["state", "new", "aside"].map(|name| folder.path().join(name));
        write(&state, here).await;
        write(&new, backup).await;
        replace_state(&state, &new, &aside).unwrap();
        assert_eq!(!aside.join("quota.db").exists(), kept, "{here:?} {backup:?}");
        let most = here.iter().chain(backup).max().unwrap();
        let left = open(&state).left(&lane, at(*most)).await.unwrap();
        assert_eq!(left, [8], "{here:?} {backup:?}: the last call counts");
    }
}

#[test]
fn a_restore_that_broke_off_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let [state, new, aside] = ["state", "new", "aside"].map(|name| folder.path().join(name));
    drop(open(&state));
    let put = || {
        fs::create_dir_all(&new).unwrap();
        for name in ["state.db", "quota.db"] {
            fs::write(new.join(name), "new").unwrap();
        }
    };
    put();
    // It was killed when the log of calls was new and the state was still the old one.
    fs::create_dir_all(&aside).unwrap();
    fs::rename(state.join("quota.db"), aside.join("quota.db")).unwrap();
    fs::rename(new.join("quota.db"), state.join("quota.db")).unwrap();
    fs::write(state.join("restoring"), "").unwrap();
    let error = SqliteStore::open(&state, StoreOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.message().contains("broke off") && error.help().unwrap().contains("restore"), "{error}");
    put();
    replace_state(&state, &new, &aside).unwrap();
    let read = |path: &Path| fs::read(path).unwrap();
    assert_eq!((read(&state.join("state.db")), read(&state.join("quota.db"))), (b"new".to_vec(), b"new".to_vec()));
    assert!(
        read(&aside.join("quota.db")).starts_with(b"SQLite") && read(&aside.join("state.db")).starts_with(b"SQLite")
    );
    assert!(!state.join("restoring").exists());
}
