//! What every store has to do, as tests that run against any of them.
//!
//! Each suite takes a function that makes a new, empty [`Place`]. Each opening of it stands for a further worker on the
//! same state.
//!
//! ```ignore
//! store_contract::state_store(|| {
//!     let folder = tempfile::tempdir().unwrap();
//!     move || SqliteStore::open(folder.path(), StoreOptions::default()).unwrap()
//! })
//! .await;
//! ```

#![expect(clippy::unwrap_used, reason = "a contract is tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::quota::{Admission, Lane, Quota, QuotaLog};
use milkrun_core::state::{
    Bitmap, Change, DeadLetter, FlowState, Journal, JournalEntry, JournalRef, Lease, LedgerEntry, LedgerRow, Planned,
    RunRecord, Stage, StateStore, Verdict,
};
use milkrun_core::token::{Begin, Token, TokenStore};
use milkrun_core::{ErrorKind, Key, Result, Secret, Slice, Window};

/// Where state is kept.
pub trait Place<S: ?Sized> {
    /// A further worker on the same state.
    fn open(&self) -> Arc<S>;

    /// The worker dies.
    fn kill(&self, worker: Arc<S>) {
        drop(worker);
    }
}

/// Where dropping a worker is its death, a function that opens the place is enough.
impl<S: ?Sized, F: Fn() -> Arc<S>> Place<S> for F {
    fn open(&self) -> Arc<S> {
        self()
    }
}

/// An instant of the tests: so many seconds after the first of August 2026 in Beijing.
fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_785_513_600 + secs).unwrap()
}

fn ms(at: Timestamp, ms: i64) -> Timestamp {
    at + SignedDuration::from_millis(ms)
}

/// What a state store promises.
pub async fn state_store<S: StateStore + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    a_new_flow_is_empty(&place()).await;
    what_was_committed_is_there_again(&place()).await;
    a_commit_is_all_or_nothing(&place()).await;
    flows_commit_side_by_side(&place()).await;
    a_flow_has_one_living_worker(&place()).await;
    a_void_lease_writes_nothing(&place()).await;
    a_dead_workers_flow_is_taken_over(&place()).await;
    the_ledger_keeps_the_last_version(&place()).await;
    the_ledger_takes_many_rows_in_any_order(&place()).await;
    the_highest_key_is_a_number(&place()).await;
    keys_are_traced_through_all_flows(&place()).await;
    digests_keep_their_order(&place()).await;
    pages_are_open_until_all_is_delivered(&place()).await;
    pages_without_a_journal_are_kept_while_open(&place()).await;
    page_numbers_are_never_given_twice(&place()).await;
    dead_letters_are_one_for_each_key(&place()).await;
    runs_are_numbered_by_lease(&place()).await;
    a_reset_keeps_runs_and_dead_letters(&place()).await;
    flows_are_summed_up(&place()).await;
}

/// What a token store promises.
pub async fn token_store<S: TokenStore + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    a_token_comes_back_as_it_was(&place()).await;
    one_worker_renews_at_a_time(&place()).await;
    a_renewal_that_lost_its_lease_stores_nothing(&place()).await;
    an_unfinished_renewal_is_remembered(&place()).await;
    a_dead_workers_renewal_is_taken_over(&place()).await;
}

/// What a log of calls promises.
pub async fn quota_log<S: QuotaLog + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    a_window_runs_from_the_answer(&place()).await;
    all_windows_hold_together(&place()).await;
    calls_under_way_count(&place()).await;
    a_call_enters_all_lanes_or_none(&place()).await;
    old_calls_are_forgotten(&place()).await;
}

/// What a log of calls promises that outlives its processes.
pub async fn lasting_quota_log<S: QuotaLog + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    workers_share_a_window(&place()).await;
    a_window_survives_a_restart(&place()).await;
    calls_of_a_dead_worker_end_when_it_is_noticed(&place()).await;
}

/// What a journal promises.
pub async fn journal<S: Journal + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    entries_come_back_as_they_were(&place()).await;
    what_was_not_committed_is_cut(&place()).await;
    a_journal_that_ends_too_early_is_an_error(&place()).await;
}

fn kind<T>(outcome: Result<T>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

fn window(from: i64, until: i64) -> Slice {
    Slice { window: Some(Window { from: at(from), until: at(until) }), ..Slice::default() }
}

fn opened(id: u64) -> Change {
    Change::SliceOpened { id, slice: window(0, 3600), reading: "{}".into() }
}

fn advanced(id: u64, reading: &str, digests: Option<(u32, Vec<u64>)>, forget_below: u32) -> Change {
    Change::SliceAdvanced { id, reading: reading.into(), digests, forget_below }
}

fn entry(fingerprint: u128) -> LedgerEntry {
    LedgerEntry { fingerprint, version: None, remote_id: None }
}

fn row(key: impl Into<AnyKey>, fingerprint: u128) -> LedgerRow {
    let AnyKey(key) = key.into();
    LedgerRow { key, entry: entry(fingerprint), page: 1, index: 0, idempotency_key: None, at: at(0) }
}

/// A key from a number or a text.
struct AnyKey(Key);

impl From<i64> for AnyKey {
    fn from(n: i64) -> Self {
        Self(Key::Int(n))
    }
}

impl From<&str> for AnyKey {
    fn from(text: &str) -> Self {
        Self(Key::of(text))
    }
}

fn page(id: u64, journal: JournalRef, todo: &[usize]) -> Change {
    Change::PageAdded { id, journal, n_records: 10, todo: bitmap(todo) }
}

fn bitmap(indexes: &[usize]) -> Bitmap {
    let mut bitmap = Bitmap::default();
    for &index in indexes {
        bitmap.set(index);
    }
    bitmap
}

fn indexes(bitmap: &Bitmap) -> Vec<usize> {
    bitmap.iter().collect()
}

fn letter(key: Option<&str>, reason: &str) -> DeadLetter {
    DeadLetter {
        id: 0,
        key: key.map(Key::of),
        stage: Stage::Target,
        reason: reason.into(),
        page: 7,
        version: Some(3),
        at: at(5),
        record: r#"{"oid":6920000000000000001,"n":0.10}"#.into(),
    }
}

fn run(started: i64, verdict: Option<Verdict>) -> RunRecord {
    let ended = verdict.map(|_| at(started + 9));
    RunRecord { id: 0, started: at(started), ended, verdict, report: r#"{"n":1E+2}"#.into() }
}

const IN_JOURNAL: JournalRef = JournalRef { segment: 2, offset: 5_000_000_000, len: 77 };

/// What can be compared of a flow's state.
fn shown(state: &FlowState) -> String {
    format!("{state:?}")
}

async fn a_new_flow_is_empty<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    assert_eq!(store.flow_id("orders").await.unwrap(), None);
    assert!(store.flows().await.unwrap().is_empty());
    let lease = store.acquire("orders", at(0)).await.unwrap();
    assert_eq!(store.flow_id("orders").await.unwrap(), Some(lease.flow));
    let state = store.load(lease).await.unwrap();
    assert!(state.planned.is_empty() && state.slices.is_empty());
    assert_eq!((state.sink_mark, state.resume_version, state.highest_key), (None, None, None));
    assert_eq!(state.journal_end, JournalRef::default());
    store.commit(lease, Vec::new()).await.unwrap();
    assert!(store.seen(lease.flow, Vec::new()).await.unwrap().is_empty());
    assert!(store.open_pages(lease.flow, None, 10).await.unwrap().is_empty());
    assert!(store.runs(lease.flow, 10).await.unwrap().is_empty());
    assert!(store.dead_letters(lease.flow, 0, 10).await.unwrap().is_empty());
    assert!(store.journal_pages(lease.flow, None, 10).await.unwrap().is_empty());
    assert!(store.trace(&Key::Int(1)).await.unwrap().is_empty());
}

async fn what_was_committed_is_there_again<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    let by_pay_time = Slice {
        axis: Some("pay_time".into()),
        partition: Some("仓 1".into()),
        from_version: Some("00000000000007D1".into()),
        ..window(0, 60)
    };
    let planned = |axis: &str, until| Change::Planned(Planned { axis: axis.into(), until });
    let changes = vec![
        Change::SliceOpened { id: 8, slice: by_pay_time.clone(), reading: "first".into() },
        opened(4),
        opened(3),
        advanced(4, "second", Some((1, vec![u64::MAX, 0, 5])), 0),
        planned("", at(1)),
        planned("", ms(at(2), 3) + SignedDuration::from_nanos(4)),
        planned("pay_time", at(-99)),
        Change::ResumeVersion("9223372036854775807".into()),
        Change::SinkMark("bytes 12345".into()),
        page(6, IN_JOURNAL, &[0, 9]),
        Change::Ledger(vec![row(12, 1)]),
    ];
    store.commit(lease, changes).await.unwrap();
    let written = store.load(lease).await.unwrap();
    place.kill(store);

    let store = place.open();
    let lease = store.acquire("orders", at(9)).await.unwrap();
    let mut state = store.load(lease).await.unwrap();
    assert_eq!(shown(&state), shown(&written));
    state.planned.sort_by(|a, b| a.axis.cmp(&b.axis));
    let until = ms(at(2), 3) + SignedDuration::from_nanos(4);
    let planned = [("", until), ("pay_time", at(-99))].map(|(axis, until)| Planned { axis: axis.into(), until });
    assert_eq!(state.planned, planned);
    assert_eq!(state.slices.iter().map(|s| s.id).collect::<Vec<_>>(), [3, 4, 8], "oldest first");
    assert_eq!((&state.slices[2].slice, state.slices[2].reading.as_str()), (&by_pay_time, "first"));
    assert_eq!((&state.slices[1].slice, state.slices[1].reading.as_str()), (&window(0, 3600), "second"));
    assert_eq!(state.slices[1].digests, [(1, vec![u64::MAX, 0, 5])]);
    assert_eq!(state.resume_version.as_deref(), Some("9223372036854775807"));
    assert_eq!(state.sink_mark.as_deref(), Some("bytes 12345"));
    assert_eq!(state.journal_end, IN_JOURNAL);
    assert_eq!((state.next_slice, state.next_page), (9, 7));
    assert_eq!(state.highest_key, Some(Key::Int(12)));

    store.commit(lease, vec![Change::SliceClosed { id: 3 }, Change::SliceClosed { id: 8 }]).await.unwrap();
    let state = store.load(lease).await.unwrap();
    assert_eq!(state.slices.iter().map(|s| s.id).collect::<Vec<_>>(), [4]);
    assert_eq!(state.next_slice, 9, "numbers are never given twice");
}

async fn a_commit_is_all_or_nothing<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    store.commit(lease, vec![opened(1), page(1, JournalRef::default(), &[1])]).await.unwrap();
    let before = shown(&store.load(lease).await.unwrap());
    let changes = || {
        vec![
            opened(2),
            advanced(1, "on", None, 0),
            Change::Planned(Planned { axis: String::new(), until: at(0) }),
            Change::Ledger(vec![row(5, 5)]),
            page(2, IN_JOURNAL, &[1]),
            Change::PageProgress { id: 1, todo: bitmap(&[]), sent: bitmap(&[1]), first_sent: None },
            Change::DeadLetter(letter(Some("5"), "no")),
            Change::SinkMark("m".into()),
            Change::ResumeVersion("v".into()),
            Change::Run(run(0, None)),
        ]
    };
    let impossible = [
        // What is not there cannot be changed: the engine and the store would disagree from here on.
        advanced(99, "on", None, 0),
        Change::PageProgress { id: 99, todo: bitmap(&[1]), sent: bitmap(&[]), first_sent: None },
    ];
    for bad in impossible {
        let what = format!("{bad:?}");
        let mut changes = changes();
        changes.push(bad);
        assert_eq!(kind(store.commit(lease, changes).await), Some(ErrorKind::State), "{what}");
        assert_eq!(shown(&store.load(lease).await.unwrap()), before, "{what}");
        assert_eq!(store.seen(lease.flow, vec![Key::Int(5)]).await.unwrap(), [None]);
        assert_eq!(store.open_pages(lease.flow, None, 10).await.unwrap().len(), 1);
        assert!(store.dead_letters(lease.flow, 0, 10).await.unwrap().is_empty());
        assert!(store.runs(lease.flow, 10).await.unwrap().is_empty());
    }
    store.commit(lease, changes()).await.unwrap();
    assert_eq!(store.seen(lease.flow, vec![Key::Int(5)]).await.unwrap(), [Some(entry(5))]);
}

async fn flows_commit_side_by_side<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let a = store.acquire("a", at(0)).await.unwrap();
    let b = store.acquire("b", at(0)).await.unwrap();
    let void = Lease { fence: b.fence + 1, ..b };
    let rows = |n| vec![Change::Ledger(vec![row(n, 1)])];
    for n in 0..20 {
        let outcomes = tokio::join!(
            store.commit(a, rows(n)),
            store.commit(void, rows(100 + n)),
            store.commit(b, rows(n)),
            store.commit(a, vec![opened(1), advanced(99, "on", None, 0)]),
            store.commit(a, rows(200 + n)),
        );
        assert_eq!(kind(outcomes.0), None);
        assert_eq!(kind(outcomes.1), Some(ErrorKind::Busy));
        assert_eq!(kind(outcomes.2), None);
        assert_eq!(kind(outcomes.3), Some(ErrorKind::State));
        assert_eq!(kind(outcomes.4), None);
    }
    let ledgers: Vec<u64> = store.flows().await.unwrap().iter().map(|flow| flow.ledger).collect();
    assert_eq!(ledgers, [40, 20]);
    assert!(store.load(a).await.unwrap().slices.is_empty());
}

async fn a_flow_has_one_living_worker<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let (first, second) = (place.open(), place.open());
    let lease = first.acquire("orders", at(0)).await.unwrap();
    for other in [&first, &second] {
        let error = other.acquire("orders", at(1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.to_string().contains("orders"), "{error}");
    }
    second.acquire("items", at(1)).await.unwrap();
    first.release(lease).await.unwrap();
    assert_eq!(kind(first.commit(lease, Vec::new()).await), Some(ErrorKind::Busy), "it was given back");
    let later = second.acquire("orders", at(2)).await.unwrap();
    assert_eq!(later.flow, lease.flow);
    assert!(later.fence > lease.fence);
    // An old lease gives nothing back, whether or not that is said.
    first.release(lease).await.ok();
    assert_eq!(kind(first.acquire("orders", at(3)).await), Some(ErrorKind::Busy));
    second.commit(later, Vec::new()).await.unwrap();
}

async fn a_void_lease_writes_nothing<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    for void in [Lease { fence: lease.fence + 1, ..lease }, Lease { fence: lease.fence - 1, ..lease }] {
        let changes = vec![opened(1), Change::Ledger(vec![row(1, 1)]), Change::Reset];
        assert_eq!(kind(store.commit(void, changes).await), Some(ErrorKind::Busy));
        assert_eq!(kind(store.load(void).await), Some(ErrorKind::Busy));
    }
    let unknown = Lease { flow: lease.flow + 1, ..lease };
    assert!(store.commit(unknown, vec![opened(1)]).await.is_err() && store.load(unknown).await.is_err());
    assert!(store.load(lease).await.unwrap().slices.is_empty());
    assert_eq!(store.seen(lease.flow, vec![Key::Int(1)]).await.unwrap(), [None]);
}

async fn a_dead_workers_flow_is_taken_over<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let dead = place.open();
    let lease = dead.acquire("orders", at(0)).await.unwrap();
    dead.commit(lease, vec![Change::SinkMark("1".into())]).await.unwrap();
    let living = place.open();
    assert_eq!(kind(living.acquire("orders", at(0)).await), Some(ErrorKind::Busy));
    place.kill(dead);
    let later = living.acquire("orders", at(0)).await.unwrap();
    assert!(later.fence > lease.fence);
    assert_eq!(living.load(later).await.unwrap().sink_mark.as_deref(), Some("1"));
    assert_eq!(kind(living.commit(lease, Vec::new()).await), Some(ErrorKind::Busy));
}

async fn the_ledger_keeps_the_last_version<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    let other = store.acquire("items", at(0)).await.unwrap();
    let full = LedgerRow {
        entry: LedgerEntry { fingerprint: u128::MAX, version: Some(i64::MIN), remote_id: Some("単".into()) },
        page: 3,
        index: 99,
        idempotency_key: Some("k-1".into()),
        ..row("a|b", 0)
    };
    // Of two versions in one commit, and even in one change, the later counts.
    let changes =
        vec![Change::Ledger(vec![row(7, 1), full.clone(), row(7, 2)]), Change::Ledger(vec![row("007", 3), row(7, 4)])];
    store.commit(lease, changes).await.unwrap();
    store.commit(other, vec![Change::Ledger(vec![row(7, 70)])]).await.unwrap();
    let keys = ["a|b", "8", "7", "007", "7"].map(Key::of).to_vec();
    let seen = store.seen(lease.flow, keys.clone()).await.unwrap();
    assert_eq!(seen, [Some(full.entry.clone()), None, Some(entry(4)), Some(entry(3)), Some(entry(4))]);
    assert_eq!(store.seen(other.flow, vec![Key::Int(7)]).await.unwrap(), [Some(entry(70))]);

    // Each fact of an entry can change alone.
    let mut newer = full;
    newer.entry.version = None;
    store.commit(lease, vec![Change::Ledger(vec![newer.clone()])]).await.unwrap();
    assert_eq!(store.seen(lease.flow, keys[..1].to_vec()).await.unwrap(), [Some(newer.entry.clone())]);
    newer.entry.remote_id = None;
    store.commit(lease, vec![Change::Ledger(vec![newer.clone()])]).await.unwrap();
    assert_eq!(store.seen(lease.flow, keys[..1].to_vec()).await.unwrap(), [Some(newer.entry.clone())]);
    newer.entry.fingerprint = 0;
    store.commit(lease, vec![Change::Ledger(vec![newer.clone()])]).await.unwrap();
    assert_eq!(store.seen(lease.flow, keys[..1].to_vec()).await.unwrap(), [Some(newer.entry)]);
    assert_eq!(store.flows().await.unwrap().iter().map(|f| f.ledger).collect::<Vec<_>>(), [1, 3], "by name");
}

async fn the_ledger_takes_many_rows_in_any_order<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    // 1237 is prime: its multiples visit every key below it once.
    let rows = |from: i64, fingerprint: u128| (0..257).map(|n| row((from + n * 500) % 1237, fingerprint)).collect();
    store.commit(lease, vec![Change::Ledger(rows(0, 1))]).await.unwrap();
    store.commit(lease, vec![Change::Ledger(rows(500 * 100, 2))]).await.unwrap();
    let keys: Vec<i64> = (0..1237).collect();
    let seen = store.seen(lease.flow, keys.into_iter().map(Key::Int).collect()).await.unwrap();
    let n_with = |fingerprint| seen.iter().filter(|s| **s == Some(entry(fingerprint))).count();
    assert_eq!((n_with(1), n_with(2)), (100, 257));
    assert_eq!(store.flows().await.unwrap()[0].ledger, 357);
}

async fn the_highest_key_is_a_number<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let other = store.acquire("a", at(0)).await.unwrap();
    let lease = store.acquire("b", at(0)).await.unwrap();
    store.commit(other, vec![Change::Ledger(vec![row(999, 1)])]).await.unwrap();
    store.commit(lease, vec![Change::Ledger(vec![row("X-9", 1), row("0123", 1)])]).await.unwrap();
    assert_eq!(store.load(lease).await.unwrap().highest_key, None);
    let numbers = vec![row(0, 1), row(100_000_000_000_000_000, 1), row(20, 1)];
    store.commit(lease, vec![Change::Ledger(numbers)]).await.unwrap();
    assert_eq!(store.load(lease).await.unwrap().highest_key, Some(Key::Int(100_000_000_000_000_000)));
}

async fn keys_are_traced_through_all_flows<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let key = Key::of("6920000000000000001");
    let row = |page| LedgerRow {
        key: key.clone(),
        entry: LedgerEntry { fingerprint: 5, version: Some(2), remote_id: Some("R1".into()) },
        page,
        index: 4,
        idempotency_key: Some("K1".into()),
        at: ms(at(3), 250),
    };
    for (flow, journal) in [("b", IN_JOURNAL), ("a", JournalRef::default())] {
        let lease = store.acquire(flow, at(0)).await.unwrap();
        let changes = vec![page(1, journal, &[]), Change::Ledger(vec![row(1)])];
        store.commit(lease, changes).await.unwrap();
    }
    let found = store.trace(&key).await.unwrap();
    assert_eq!(found.iter().map(|e| e.flow.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(format!("{:?}", found[0].row), format!("{:?}", row(1)));
    assert_eq!((found[0].journal, found[1].journal), (None, Some(IN_JOURNAL)));
    assert!(store.trace(&Key::of("69")).await.unwrap().is_empty());
}

async fn digests_keep_their_order<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    let digests = |reading, one: u64| Some((reading, vec![one, u64::MAX - one]));
    let first = vec![opened(1), opened(2), advanced(1, "a", digests(2, 9), 0), advanced(2, "b", digests(1, 1), 0)];
    store.commit(lease, first).await.unwrap();
    let second = vec![
        advanced(1, "c", digests(1, 3), 0),
        advanced(1, "d", Some((1, Vec::new())), 0),
        advanced(1, "e", None, 0),
        advanced(1, "f", digests(3, 1), 0),
    ];
    store.commit(lease, second).await.unwrap();
    let of = async |id: u64| {
        let state = store.load(lease).await.unwrap();
        let slice = state.slices.into_iter().find(|s| s.id == id).unwrap();
        (slice.reading, slice.digests)
    };
    let pair = |reading, one: u64| (reading, vec![one, u64::MAX - one]);
    assert_eq!(of(1).await, ("f".into(), vec![pair(2, 9), pair(1, 3), (1, Vec::new()), pair(3, 1)]));
    store.commit(lease, vec![advanced(1, "g", digests(3, 2), 3)]).await.unwrap();
    assert_eq!(of(1).await, ("g".into(), vec![pair(3, 1), pair(3, 2)]));
    assert_eq!(of(2).await, ("b".into(), vec![pair(1, 1)]), "another slice keeps its own");
    store.commit(lease, vec![Change::SliceClosed { id: 1 }, opened(1)]).await.unwrap();
    assert_eq!(of(1).await, ("{}".into(), Vec::new()), "closing forgets them");
}

async fn pages_are_open_until_all_is_delivered<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    let other = store.acquire("items", at(0)).await.unwrap();
    let journal = |n: u64| JournalRef { segment: 1, offset: 16 + n * 100, len: 100 };
    let added = vec![
        page(1, journal(0), &[0, 3, 64]),
        page(2, journal(1), &[]),
        page(3, journal(2), &[9]),
        page(4, journal(3), &[1]),
    ];
    store.commit(lease, added).await.unwrap();
    store.commit(other, vec![page(2, IN_JOURNAL, &[5])]).await.unwrap();
    let open = async |after, limit| {
        let pages = store.open_pages(lease.flow, after, limit).await.unwrap();
        pages.into_iter().map(|p| (p.id, indexes(&p.todo), indexes(&p.sent))).collect::<Vec<_>>()
    };
    let all = [(1, vec![0, 3, 64], vec![]), (3, vec![9], vec![]), (4, vec![1], vec![])];
    assert_eq!(open(None, 10).await, all);
    assert_eq!(open(None, 2).await, all[..2]);
    assert_eq!(open(Some(1), 1).await, all[1..2]);
    assert_eq!(open(Some(4), 10).await, []);
    assert_eq!(store.open_pages(lease.flow, None, 1).await.unwrap()[0].journal, journal(0));

    let progress = vec![
        Change::PageProgress { id: 1, todo: bitmap(&[3]), sent: bitmap(&[0, 3]), first_sent: Some(at(7)) },
        Change::PageProgress { id: 3, todo: bitmap(&[]), sent: bitmap(&[9]), first_sent: None },
    ];
    store.commit(lease, progress).await.unwrap();
    assert_eq!(open(None, 10).await, [(1, vec![3], vec![0, 3]), (4, vec![1], vec![])]);
    let first_sent: Vec<_> =
        store.open_pages(lease.flow, None, 10).await.unwrap().iter().map(|page| page.first_sent).collect();
    assert_eq!(first_sent, [Some(at(7)), None]);
    let pending: Vec<u64> = store.flows().await.unwrap().iter().map(|f| f.pending).collect();
    assert_eq!(pending, [1, 2]);

    // All of them stay in the journal.
    let journalled = async |before, limit| store.journal_pages(lease.flow, before, limit).await.unwrap();
    let newest_first: Vec<_> = [4, 3, 2, 1].map(|id| (id, journal(id - 1))).to_vec();
    assert_eq!(journalled(None, 10).await, newest_first);
    assert_eq!(journalled(None, 1).await, newest_first[..1]);
    assert_eq!(journalled(Some(3), 10).await, newest_first[2..]);
    assert_eq!(store.load(lease).await.unwrap().journal_end, journal(3));
}

async fn page_numbers_are_never_given_twice<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    let on_page = |page| Change::Ledger(vec![LedgerRow { page, ..row(1, page.into()) }, row(2, 1)]);
    let refused_on = |page| Change::DeadLetter(DeadLetter { page, ..letter(None, "no") });
    let changes = [page(5, JournalRef::default(), &[]), on_page(8), refused_on(11), page(7, IN_JOURNAL, &[1])];
    for (change, next) in changes.into_iter().zip([6, 9, 12, 12]) {
        store.commit(lease, vec![change]).await.unwrap();
        assert_eq!(store.load(lease).await.unwrap().next_page, next);
    }
}

async fn pages_without_a_journal_are_kept_while_open<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    let none = JournalRef::default();
    store.commit(lease, vec![page(1, IN_JOURNAL, &[]), page(2, none, &[1]), page(3, none, &[])]).await.unwrap();
    assert_eq!(store.open_pages(lease.flow, None, 10).await.unwrap().len(), 1);
    let state = store.load(lease).await.unwrap();
    assert_eq!((state.next_page, state.journal_end), (4, IN_JOURNAL));
    store
        .commit(lease, vec![Change::PageProgress { id: 2, todo: bitmap(&[]), sent: bitmap(&[1]), first_sent: None }])
        .await
        .unwrap();
    assert!(store.open_pages(lease.flow, None, 10).await.unwrap().is_empty());
    assert_eq!(store.journal_pages(lease.flow, None, 10).await.unwrap(), [(1, IN_JOURNAL)]);
}

async fn dead_letters_are_one_for_each_key<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    let other = store.acquire("items", at(0)).await.unwrap();
    let add = |key, reason| Change::DeadLetter(letter(key, reason));
    let first = vec![add(Some("7"), "a"), add(None, "b"), add(Some("x"), "c"), add(None, "b")];
    store.commit(lease, first).await.unwrap();
    store.commit(other, vec![add(Some("7"), "z")]).await.unwrap();
    let letters = async |after, limit| {
        let letters = store.dead_letters(lease.flow, after, limit).await.unwrap();
        letters.into_iter().map(|l| (l.id, l.reason)).collect::<Vec<_>>()
    };
    let all = letters(0, 10).await;
    assert_eq!(all.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "b"]);
    assert!(all.is_sorted_by(|a, b| a.0 < b.0) && all[0].0 > 0);
    let written = store.dead_letters(lease.flow, 0, 1).await.unwrap().remove(0);
    assert_eq!(written, DeadLetter { id: all[0].0, ..letter(Some("7"), "a") });

    // A later refusal takes the place of the earlier one, with its number.
    let newer = DeadLetter { stage: Stage::Unknown, version: None, ..letter(Some("x"), "d") };
    store.commit(lease, vec![Change::DeadLetter(newer.clone())]).await.unwrap();
    assert_eq!(letters(all[1].0, 1).await, [(all[2].0, "d".into())]);
    let written = store.dead_letters(lease.flow, all[1].0, 1).await.unwrap().remove(0);
    assert_eq!(written, DeadLetter { id: all[2].0, ..newer });

    let settled = [all[0].0, all[3].0].map(Change::DeadLetterSettled).to_vec();
    store.commit(lease, settled.clone()).await.unwrap();
    assert_eq!(letters(0, 10).await, [(all[1].0, "b".into()), (all[2].0, "d".into())]);
    store.commit(lease, settled).await.unwrap();
    store.commit(lease, vec![add(Some("7"), "e")]).await.unwrap();
    let newest = letters(all[2].0, 10).await;
    assert!(newest.len() == 1 && newest[0].0 > all[3].0, "numbers are never given twice: {newest:?}");
    let counts: Vec<u64> = store.flows().await.unwrap().iter().map(|f| f.dead_letters).collect();
    assert_eq!(counts, [1, 3]);
}

async fn runs_are_numbered_by_lease<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let first = store.acquire("orders", at(0)).await.unwrap();
    store.commit(first, vec![Change::Run(run(0, None))]).await.unwrap();
    let runs = store.runs(first.flow, 10).await.unwrap();
    assert_eq!((runs.len(), runs[0].id, runs[0].ended, runs[0].verdict), (1, 1, None, None));
    store.commit(first, vec![Change::Run(run(0, Some(Verdict::Partial)))]).await.unwrap();
    store.release(first).await.unwrap();
    for (n, verdict) in [Verdict::Reconciled, Verdict::Unreconciled, Verdict::Failed].into_iter().enumerate() {
        let lease = store.acquire("orders", at(0)).await.unwrap();
        let started = 100 + i64::try_from(n).unwrap();
        store.commit(lease, vec![Change::Run(run(started, None))]).await.unwrap();
        store.commit(lease, vec![Change::Run(run(started, Some(verdict)))]).await.unwrap();
        store.release(lease).await.unwrap();
    }
    let runs = store.runs(first.flow, 10).await.unwrap();
    let shown: Vec<_> = runs.iter().map(|r| (r.id, r.verdict.unwrap())).collect();
    let newest_first =
        [(4, Verdict::Failed), (3, Verdict::Unreconciled), (2, Verdict::Reconciled), (1, Verdict::Partial)];
    assert_eq!(shown, newest_first);
    assert_eq!(format!("{:?}", runs[3]), format!("{:?}", RunRecord { id: 1, ..run(0, Some(Verdict::Partial)) }));
    assert_eq!(store.runs(first.flow, 2).await.unwrap().len(), 2);
}

async fn a_reset_keeps_runs_and_dead_letters<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    let other = store.acquire("items", at(0)).await.unwrap();
    let changes = || {
        vec![
            opened(5),
            advanced(5, "on", Some((1, vec![1])), 0),
            Change::Planned(Planned { axis: String::new(), until: at(0) }),
            Change::ResumeVersion("v".into()),
            Change::SinkMark("m".into()),
            Change::Ledger(vec![row(1, 1), row(2, 2)]),
            page(9, IN_JOURNAL, &[1]),
            Change::DeadLetter(letter(Some("1"), "no")),
            Change::Run(run(0, None)),
        ]
    };
    store.commit(lease, changes()).await.unwrap();
    store.commit(other, changes()).await.unwrap();
    let untouched = shown(&store.load(other).await.unwrap());
    // What comes before it in the commit is forgotten too, and what comes after it is not.
    let reset = vec![Change::Ledger(vec![row(3, 3)]), Change::Reset, Change::Ledger(vec![row(4, 4)]), opened(6)];
    store.commit(lease, reset).await.unwrap();
    let state = store.load(lease).await.unwrap();
    assert_eq!(state.slices.iter().map(|s| s.id).collect::<Vec<_>>(), [6]);
    assert!(state.planned.is_empty() && state.slices[0].digests.is_empty());
    assert_eq!((state.sink_mark, state.resume_version), (None, None));
    assert_eq!(state.highest_key, Some(Key::Int(4)));
    // Dead letters still speak of pages: their numbers go on. No page speaks of the journal: it begins anew.
    assert_eq!((state.next_slice, state.next_page, state.journal_end), (7, 10, JournalRef::default()));
    let seen = store.seen(lease.flow, (1..=4).map(Key::Int).collect()).await.unwrap();
    assert_eq!(seen, [None, None, None, Some(entry(4))]);
    assert!(store.open_pages(lease.flow, None, 10).await.unwrap().is_empty());
    assert!(store.journal_pages(lease.flow, None, 10).await.unwrap().is_empty());
    assert_eq!(store.dead_letters(lease.flow, 0, 10).await.unwrap().len(), 1);
    assert_eq!(store.runs(lease.flow, 10).await.unwrap().len(), 1);
    assert_eq!(store.flows().await.unwrap().iter().map(|f| f.ledger).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(shown(&store.load(other).await.unwrap()), untouched);
}

async fn flows_are_summed_up<S: StateStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let dead = place.open();
    let lease = store.acquire("orders", at(0)).await.unwrap();
    dead.acquire("items", at(0)).await.unwrap();
    let changes = vec![
        opened(1),
        opened(2),
        Change::Planned(Planned { axis: String::new(), until: at(60) }),
        Change::Ledger(vec![row(1, 1)]),
        page(1, JournalRef::default(), &[0, 2, 4]),
        page(2, IN_JOURNAL, &[1]),
        Change::DeadLetter(letter(None, "no")),
        Change::Run(run(0, Some(Verdict::Partial))),
    ];
    store.commit(lease, changes).await.unwrap();
    let flows = store.flows().await.unwrap();
    assert_eq!(flows.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["items", "orders"], "by name");
    let orders = &flows[1];
    assert_eq!((orders.open_slices, orders.ledger, orders.pending, orders.dead_letters), (2, 1, 4, 1));
    assert_eq!(orders.planned, [(String::new(), at(60))]);
    assert_eq!(orders.last_run.as_ref().unwrap().verdict, Some(Verdict::Partial));
    assert!(orders.running.is_some() && flows[0].running.is_some() && flows[0].last_run.is_none());
    store.release(lease).await.unwrap();
    place.kill(dead);
    assert!(store.flows().await.unwrap().iter().all(|f| f.running.is_none()));
}

fn token(access: &str) -> Token {
    Token {
        access: Secret::new(access),
        refresh: Some(Secret::new("刷新-1")),
        obtained_at: at(0),
        expires_at: Some(at(2_592_000)),
        extra: BTreeMap::from([("session".to_owned(), Secret::new("cookie=1;"))]),
    }
}

const LASTS: Duration = Duration::from_mins(2);

fn started(begin: &Begin) -> (u64, bool) {
    match *begin {
        Begin::Started { fence, unfinished } => (fence, unfinished),
        Begin::Busy | Begin::Moved => panic!("{begin:?}"),
    }
}

/// Renews from `generation` without anything in the way.
async fn renew<S: TokenStore + ?Sized>(store: &S, account: &str, generation: u64, token: &Token) -> u64 {
    let begin = store.begin_renewal(account, generation, at(0), LASTS).await.unwrap();
    store.finish_renewal(account, started(&begin).0, token).await.unwrap()
}

async fn a_token_comes_back_as_it_was<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    assert!(store.load_token("km").await.unwrap().is_none());
    assert_eq!(renew(&*store, "km", 0, &token("first")).await, 1);
    assert_eq!(renew(&*store, "km", 1, &token("second")).await, 2);
    assert_eq!(renew(&*store, "yy", 0, &Token::new(Secret::new("other"), at(1))).await, 1);
    place.kill(store);
    let store = place.open();
    let held = store.load_token("km").await.unwrap().unwrap();
    assert_eq!((held.generation, held.token), (2, token("second")));
    let held = store.load_token("yy").await.unwrap().unwrap();
    assert_eq!((held.generation, held.token), (1, Token::new(Secret::new("other"), at(1))));
}

async fn one_worker_renews_at_a_time<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let (first, second) = (place.open(), place.open());
    let begin = first.begin_renewal("km", 0, at(0), LASTS).await.unwrap();
    let (fence, unfinished) = started(&begin);
    assert!(!unfinished);
    for other in [&first, &second] {
        assert_eq!(other.begin_renewal("km", 0, at(119), LASTS).await.unwrap(), Begin::Busy);
    }
    let elsewhere = second.begin_renewal("yy", 0, at(0), LASTS).await.unwrap();
    assert_eq!(started(&elsewhere).1, unfinished);
    assert!(first.load_token("km").await.unwrap().is_none());
    assert_eq!(first.finish_renewal("km", fence, &token("new")).await.unwrap(), 1);
    assert_eq!(second.begin_renewal("km", 0, at(1), LASTS).await.unwrap(), Begin::Moved);
    assert_eq!(second.begin_renewal("km", 7, at(1), LASTS).await.unwrap(), Begin::Moved);
    let begin = second.begin_renewal("km", 1, at(1), LASTS).await.unwrap();
    assert!(started(&begin).0 > fence);
}

async fn a_renewal_that_lost_its_lease_stores_nothing<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let (slow, quick) = (place.open(), place.open());
    assert_eq!(renew(&*slow, "km", 0, &token("first")).await, 1);
    let lost = started(&slow.begin_renewal("km", 1, at(0), LASTS).await.unwrap()).0;
    let begin = quick.begin_renewal("km", 1, at(120), LASTS).await.unwrap();
    let (fence, unfinished) = started(&begin);
    assert!(unfinished && fence > lost);
    assert_eq!(kind(slow.finish_renewal("km", lost, &token("lost")).await), Some(ErrorKind::Busy));
    slow.abandon_renewal("km", lost, false).await.unwrap();
    assert_eq!(slow.begin_renewal("km", 1, at(121), LASTS).await.unwrap(), Begin::Busy, "it is not the slow one's");
    assert_eq!(quick.finish_renewal("km", fence, &token("second")).await.unwrap(), 2);
    assert_eq!(kind(quick.finish_renewal("km", fence, &token("again")).await), Some(ErrorKind::Busy));
    assert_eq!(kind(quick.finish_renewal("unknown", fence, &token("x")).await), Some(ErrorKind::Busy));
    let held = slow.load_token("km").await.unwrap().unwrap();
    assert_eq!((held.generation, held.token), (2, token("second")));
}

async fn an_unfinished_renewal_is_remembered<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let begin = async |generation| started(&store.begin_renewal("km", generation, at(0), LASTS).await.unwrap());
    for (unknown, unfinished) in [(false, false), (true, true), (false, false)] {
        let fence = begin(0).await.0;
        store.abandon_renewal("km", fence, unknown).await.unwrap();
        let (fence, remembered) = begin(0).await;
        assert_eq!(remembered, unfinished);
        store.abandon_renewal("km", fence, false).await.unwrap();
    }
    let fence = begin(0).await.0;
    store.abandon_renewal("km", fence, true).await.unwrap();
    let fence = begin(0).await.0;
    store.finish_renewal("km", fence, &token("new")).await.unwrap();
    assert!(!begin(1).await.1, "the intent was that of the earlier generation");
}

async fn a_dead_workers_renewal_is_taken_over<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let dead = place.open();
    let lost = started(&dead.begin_renewal("km", 0, at(0), LASTS).await.unwrap()).0;
    let living = place.open();
    assert_eq!(living.begin_renewal("km", 0, at(1), LASTS).await.unwrap(), Begin::Busy);
    place.kill(dead);
    let begin = living.begin_renewal("km", 0, at(1), LASTS).await.unwrap();
    let (fence, unfinished) = started(&begin);
    assert!(unfinished && fence > lost);
    assert_eq!(kind(living.finish_renewal("km", lost, &token("lost")).await), Some(ErrorKind::Busy));
    assert_eq!(living.finish_renewal("km", fence, &token("new")).await.unwrap(), 1);
}

fn lane(name: &str, quota: Quota) -> Lane {
    Lane { name: name.into(), quota }
}

/// Enters one lane that must have room.
async fn enter<S: QuotaLog + ?Sized>(log: &S, lane: &Lane, now: Timestamp) -> u64 {
    match log.enter(std::slice::from_ref(lane), now).await.unwrap() {
        Admission::Entered(ticket) => ticket,
        Admission::Wait { wait, .. } => panic!("{} is full for {wait:?}", lane.name),
    }
}

/// The milliseconds to wait for one lane, which must be full.
async fn wait<S: QuotaLog + ?Sized>(log: &S, lane: &Lane, now: Timestamp) -> u128 {
    match log.enter(std::slice::from_ref(lane), now).await.unwrap() {
        Admission::Entered(_) => panic!("{} has room", lane.name),
        Admission::Wait { wait, .. } => wait.as_millis(),
    }
}

async fn a_window_runs_from_the_answer<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let lane = lane("km", Quota::per_second(2));
    assert_eq!(log.left(&lane, at(0)).await.unwrap(), [2]);
    let (a, b) = (enter(&*log, &lane, at(0)).await, enter(&*log, &lane, at(0)).await);
    assert_ne!(a, b);
    log.leave(a, ms(at(0), 400));
    log.leave(b, ms(at(0), 600));
    assert_eq!(log.left(&lane, ms(at(0), 600)).await.unwrap(), [0]);
    // Both ends of a window count, so it is free one millisecond after it.
    assert_eq!(wait(&*log, &lane, ms(at(0), 600)).await, 801);
    assert_eq!(wait(&*log, &lane, ms(at(1), 400)).await, 1);
    assert_eq!(log.left(&lane, ms(at(1), 401)).await.unwrap(), [1]);
    let c = enter(&*log, &lane, ms(at(1), 401)).await;
    log.leave(c, ms(at(1), 450));
    assert_eq!(wait(&*log, &lane, ms(at(1), 450)).await, 151);
}

async fn all_windows_hold_together<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let lane = lane("km", Quota::per_second(2).and(3, Duration::from_mins(1)));
    for n in 0..3 {
        let ticket = enter(&*log, &lane, at(n)).await;
        log.leave(ticket, at(n));
    }
    assert_eq!(log.left(&lane, ms(at(2), 500)).await.unwrap(), [1, 0]);
    assert_eq!(wait(&*log, &lane, at(10)).await, 50_001);
    enter(&*log, &lane, ms(at(60), 1)).await;
}

async fn calls_under_way_count<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let few = lane("few", Quota::unlimited().at_once(1));
    let rated = lane("rated", Quota::unlimited().and(1, Duration::from_secs(1)));
    for lane in [few, rated] {
        let ticket = enter(&*log, &lane, at(0)).await;
        assert!(wait(&*log, &lane, at(3600)).await > 0, "{} has no answer yet", lane.name);
        log.leave(ticket, at(3600));
        enter(&*log, &lane, ms(at(3601), 1)).await;
    }
}

async fn a_call_enters_all_lanes_or_none<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let account = lane("km", Quota::per_second(5));
    let endpoint = lane("km/slow", Quota::unlimited().and(1, Duration::from_mins(1)));
    let both = [account.clone(), endpoint.clone()];
    let Admission::Entered(ticket) = log.enter(&both, at(0)).await.unwrap() else { panic!("both are free") };
    log.leave(ticket, at(0));
    for _ in 0..10 {
        let full = log.enter(&both, at(0)).await.unwrap();
        assert_eq!(full, Admission::Wait { lane: 1, wait: Duration::from_millis(60_001) });
    }
    assert_eq!(log.left(&account, at(0)).await.unwrap(), [4], "a call that waits is counted nowhere");
    for _ in 0..4 {
        enter(&*log, &account, at(0)).await;
    }
    assert!(matches!(log.enter(&both, at(0)).await.unwrap(), Admission::Wait { lane: 0, .. }));
}

async fn old_calls_are_forgotten<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let lane = lane("km", Quota::per_second(1));
    let mut tickets = std::collections::BTreeSet::new();
    for n in 0..200 {
        let ticket = enter(&*log, &lane, at(n * 100)).await;
        assert!(tickets.insert(ticket), "a ticket is given once");
        log.leave(ticket, at(n * 100));
        assert_eq!(wait(&*log, &lane, at(n * 100)).await, 1001);
    }
}

async fn workers_share_a_window<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let (first, second) = (place.open(), place.open());
    let lane = lane("km", Quota::per_second(2));
    let a = enter(&*first, &lane, at(0)).await;
    let b = enter(&*second, &lane, at(0)).await;
    assert_ne!(a, b);
    assert!(wait(&*first, &lane, at(0)).await > 0);
    second.leave(b, at(1));
    first.leave(a, at(2));
    // What a worker has left is counted in its own next question, and then by everybody.
    assert_eq!(first.left(&lane, at(2)).await.unwrap().len(), 1);
    assert_eq!(second.left(&lane, at(2)).await.unwrap(), [0]);
    assert_eq!(wait(&*second, &lane, at(2)).await, 1);
    assert_eq!(second.left(&lane, ms(at(2), 1)).await.unwrap(), [1]);
}

async fn a_window_survives_a_restart<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let lane = lane("km", Quota::unlimited().and(3, Duration::from_mins(1)));
    let log = place.open();
    for n in 0..3 {
        let ticket = enter(&*log, &lane, at(n)).await;
        log.leave(ticket, at(n));
    }
    place.kill(log);
    let log = place.open();
    assert_eq!(log.left(&lane, at(30)).await.unwrap(), [0]);
    assert_eq!(wait(&*log, &lane, at(30)).await, 30_001);
    enter(&*log, &lane, ms(at(60), 1)).await;
}

async fn calls_of_a_dead_worker_end_when_it_is_noticed<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let (dead, living) = (place.open(), place.open());
    let lane = lane("km", Quota::unlimited().and(2, Duration::from_mins(1)));
    for n in 0..2 {
        enter(&*dead, &lane, at(n)).await;
    }
    assert!(wait(&*living, &lane, at(300)).await > 0, "they are under way");
    place.kill(dead);
    assert_eq!(wait(&*living, &lane, at(300)).await, 60_001);
    enter(&*living, &lane, ms(at(360), 1)).await;
    enter(&*living, &lane, ms(at(360), 1)).await;
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
