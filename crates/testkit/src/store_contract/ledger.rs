//! What a state store promises of its ledger.

use std::collections::BTreeMap;

use milkrun_core::Key;
use milkrun_core::state::{Change, JournalRef, LedgerEntry, LedgerRow, StateStore};

use super::state::{IN_JOURNAL, page};
use super::{Place, at, ms};
use crate::dice::Dice;

/// All promises.
pub(super) async fn all<S: StateStore + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    the_ledger_keeps_the_last_version(&place()).await;
    the_ledger_takes_many_rows_in_any_order(&place()).await;
    the_highest_key_is_a_number(&place()).await;
    keys_are_traced_through_all_flows(&place()).await;
    the_ledger_is_a_map_whatever_happens(&place()).await;
}

pub(super) fn entry(fingerprint: u128) -> LedgerEntry {
    LedgerEntry { fingerprint, version: None, remote_id: None }
}

pub(super) fn row(key: impl Into<AnyKey>, fingerprint: u128) -> LedgerRow {
    let AnyKey(key) = key.into();
    LedgerRow { key, entry: entry(fingerprint), page: 1, index: 0, idempotency_key: None, at: at(0) }
}

/// A key from a number or a text.
pub(super) struct AnyKey(Key);

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

/// Whatever is delivered in whatever order, and whoever dies in between: a key has what was committed for it last, for
/// the worker that wrote it, for one beside it and for one after it.
async fn the_ledger_is_a_map_whatever_happens<S: StateStore + ?Sized>(place: &impl Place<S>) {
    const MANY: i64 = 20_000;
    let mut dice = Dice::new(7);
    let mut known: BTreeMap<Key, LedgerEntry> = BTreeMap::new();
    let (mut store, beside) = (place.open(), place.open());
    let mut lease = store.acquire("a", at(0)).await.unwrap();
    let other = store.acquire("b", at(0)).await.unwrap();
    store.commit(other, vec![Change::Ledger((0..50).map(|n| row(n * 7, 1)).collect())]).await.unwrap();
    for step in 0..60_u64 {
        let rows: Vec<LedgerRow> = match step {
            // Many, new at first and changed then, so that whatever is put off has to be done at some time.
            10 => (0..MANY).map(|n| row(n, 10)).collect(),
            20..24 => (0..MANY).rev().map(|n| row(n, u128::from(step))).collect(),
            _ => {
                let n_rows = dice.between(0, 250);
                let mut any = || {
                    let n = i64::try_from(dice.below(600)).unwrap();
                    let fingerprint = u128::from(dice.below(3));
                    let key = format!("t{n}");
                    let mut row = if n % 5 == 0 { row(key.as_str(), fingerprint) } else { row(n, fingerprint) };
                    row.entry.version = dice.percent(50).then_some(3);
                    row.entry.remote_id = dice.percent(30).then(|| format!("R{n}"));
                    row
                };
                (0..n_rows).map(|_| any()).collect()
            }
        };
        known.extend(rows.iter().map(|row| (row.key.clone(), row.entry.clone())));
        store.commit(lease, vec![Change::Ledger(rows)]).await.unwrap();
        match dice.below(10) {
            0 => {
                place.kill(store);
                store = place.open();
                lease = store.acquire("a", at(1)).await.unwrap();
            }
            1 => {
                store.release(lease).await.unwrap();
                lease = store.acquire("a", at(1)).await.unwrap();
            }
            2 if step < 10 => {
                let rows = vec![row(3, 99), row(3, 98)];
                known = rows.iter().map(|row| (row.key.clone(), row.entry.clone())).collect();
                store.commit(lease, vec![Change::Reset, Change::Ledger(rows)]).await.unwrap();
            }
            _ => {}
        }
        let mut keys: Vec<Key> = (0..300).map(|_| Key::Int(i64::try_from(dice.below(700)).unwrap())).collect();
        keys.extend((0..100).map(|_| Key::Text(format!("t{}", dice.below(700)))));
        let expected: Vec<_> = keys.iter().map(|key| known.get(key).cloned()).collect();
        assert_eq!(store.seen(lease.flow, keys.clone()).await.unwrap(), expected, "step {step}");
        assert_eq!(beside.seen(lease.flow, keys.clone()).await.unwrap(), expected, "step {step}, from beside");
        let key = &keys[0];
        let traced = beside.trace(key).await.unwrap().into_iter().find(|entry| entry.flow == "a");
        assert_eq!(traced.map(|entry| entry.row.entry), known.get(key).cloned(), "step {step}");
        let after = Key::Int(i64::try_from(dice.below(600)).unwrap());
        let ids = beside.remote_ids(lease.flow, Some(after.clone()), 40).await.unwrap();
        let known_ids = known.iter().filter(|(key, _)| **key > after);
        let known_ids = known_ids.filter_map(|(key, entry)| Some((key.clone(), entry.remote_id.clone()?)));
        assert_eq!(ids, known_ids.take(40).collect::<Vec<_>>(), "step {step}");
        let flows = beside.flows().await.unwrap();
        assert_eq!(flows.iter().find(|flow| flow.name == "a").unwrap().ledger, known.len() as u64, "step {step}");
    }
    let untouched = beside.seen(other.flow, vec![Key::Int(7), Key::Int(8)]).await.unwrap();
    assert_eq!(untouched.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
}
