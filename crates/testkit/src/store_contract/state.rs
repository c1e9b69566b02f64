//! What a state store promises: leases, checkpoints, outbox, dead letters and runs.

use super::ledger::{entry, row};
use super::{Place, at, kind, ledger, ms};
use jiff::SignedDuration;
use milkrun_core::state::{
    Bitmap, Change, DeadLetter, FlowState, JournalRef, Lease, LedgerRow, OpenBackfill, Planned, RunRecord, Stage,
    StateStore, Verdict,
};
use milkrun_core::{ErrorKind, Key, Slice, Window};

/// What a state store promises.
pub async fn state_store<S: StateStore + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    a_new_flow_is_empty(&place()).await;
    what_was_committed_is_there_again(&place()).await;
    a_commit_is_all_or_nothing(&place()).await;
    flows_commit_side_by_side(&place()).await;
    a_flow_has_one_living_worker(&place()).await;
    a_void_lease_writes_nothing(&place()).await;
    a_dead_workers_flow_is_taken_over(&place()).await;
    ledger::all(&place).await;
    digests_keep_their_order(&place()).await;
    pages_are_open_until_all_is_delivered(&place()).await;
    pages_without_a_journal_are_kept_while_open(&place()).await;
    page_numbers_are_never_given_twice(&place()).await;
    dead_letters_are_one_for_each_key(&place()).await;
    runs_are_numbered_by_lease(&place()).await;
    a_reset_keeps_runs_and_dead_letters(&place()).await;
    flows_are_summed_up(&place()).await;
}

fn window(from: i64, until: i64) -> Slice {
    Slice { window: Some(Window { from: at(from), until: at(until) }), ..Slice::default() }
}

fn opened(id: u64) -> Change {
    Change::SliceOpened { id, slice: window(0, 3600), share: None, reading: "{}".into() }
}

fn advanced(id: u64, reading: &str, digests: Option<(u32, Vec<u64>)>, forget_below: u32) -> Change {
    Change::SliceAdvanced { id, reading: reading.into(), digests, forget_below }
}
pub(super) fn page(id: u64, journal: JournalRef, todo: &[usize]) -> Change {
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

pub(super) const IN_JOURNAL: JournalRef = JournalRef { segment: 2, offset: 5_000_000_000, len: 77 };

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
    assert!(store.runs(lease.flow, None, 10).await.unwrap().is_empty());
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
        Change::SliceOpened { id: 8, slice: by_pay_time.clone(), share: Some(20), reading: "first".into() },
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
    assert_eq!(state.slices.iter().map(|s| s.share).collect::<Vec<_>>(), [None, None, Some(20)]);
    let summary = store.flows().await.unwrap().remove(0);
    let left = OpenBackfill { from: at(0), until: at(60), slices: 1 };
    assert_eq!((summary.open_slices, summary.backfill), (2, Some(left)));
    assert_eq!((&state.slices[1].slice, state.slices[1].reading.as_str()), (&window(0, 3600), "second"));
    assert_eq!(state.slices[1].digests, [(1, vec![u64::MAX, 0, 5])]);
    assert_eq!(state.resume_version.as_deref(), Some("9223372036854775807"));
    assert_eq!(state.sink_mark.as_deref(), Some("bytes 12345"));
    assert_eq!(state.journal_end, IN_JOURNAL);
    assert_eq!((state.next_slice, state.next_page), (9, 7));
    assert_eq!(state.highest_key, Some(Key::Int(12)));

    store.commit(lease, vec![Change::SliceClosed { id: 3 }, Change::SliceClosed { id: 8 }]).await.unwrap();
    assert_eq!(store.flows().await.unwrap().remove(0).backfill, None);
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
        assert!(store.runs(lease.flow, None, 10).await.unwrap().is_empty());
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
    let runs = store.runs(first.flow, None, 10).await.unwrap();
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
    let runs = store.runs(first.flow, None, 10).await.unwrap();
    let shown: Vec<_> = runs.iter().map(|r| (r.id, r.verdict.unwrap())).collect();
    let newest_first =
        [(4, Verdict::Failed), (3, Verdict::Unreconciled), (2, Verdict::Reconciled), (1, Verdict::Partial)];
    assert_eq!(shown, newest_first);
    assert_eq!(format!("{:?}", runs[3]), format!("{:?}", RunRecord { id: 1, ..run(0, Some(Verdict::Partial)) }));
    assert_eq!(store.runs(first.flow, None, 2).await.unwrap().len(), 2);
    let earlier = store.runs(first.flow, Some(3), 1).await.unwrap();
    assert_eq!(earlier.iter().map(|run| run.id).collect::<Vec<_>>(), [2]);
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
    assert_eq!(store.runs(lease.flow, None, 10).await.unwrap().len(), 1);
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
    let begun = Change::Run(run(1, None));
    store.commit(lease, vec![begun]).await.unwrap();
    let orders = store.flows().await.unwrap().remove(1);
    assert!(orders.under_way().is_some_and(|holder| holder.is_own && holder.since == at(0)));
    store.release(lease).await.unwrap();
    // Who comes later is not at a run that began before.
    let lease = store.acquire("orders", at(2)).await.unwrap();
    let orders = store.flows().await.unwrap().remove(1);
    assert!(orders.running.is_some() && orders.under_way().is_none());
    store.release(lease).await.unwrap();
    place.kill(dead);
    assert!(store.flows().await.unwrap().iter().all(|f| f.running.is_none()));
}
