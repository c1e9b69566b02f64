//! The leaves of the ledger: where rows are found, added and forgotten.
//!
//! A leaf holds neighbours, see [`leaf`]. No two leaves of a flow overlap, so that a key is in one of them or in none.
//! They lie in the file in the order in which they were made, wherever their keys are: to add one costs no more than
//! its bytes, and an index of their first and last keys says which one to read.

use milkrun_core::Key;
use milkrun_core::state::{LedgerEntry, LedgerRow};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::SqlKey;
use crate::fault::{Fault, Work};
use crate::leaf;

/// Bytes of a full leaf: two of them fit a page of the file.
const LEAF_BYTES: usize = 1_900;

/// Below every key: those that are numbers are not below zero, and every text is above every number.
const BELOW_ALL: Key = Key::Int(-1);

/// Where a leaf is, and what it spans.
struct Leaf {
    id: i64,
    first: Key,
    last: Key,
}

impl Leaf {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (SqlKey(first), SqlKey(last)) = (row.get(1)?, row.get(2)?);
        Ok(Self { id: row.get(0)?, first, last })
    }
}

/// The last leaf that begins at that key or before it.
fn leaf_at(conn: &Connection, flow: i64, key: &Key) -> Work<Option<Leaf>> {
    let sql = "SELECT id, first, last FROM ledger WHERE flow = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1";
    Ok(conn.prepare_cached(sql)?.query_row(params![flow, SqlKey(key)], Leaf::from_row).optional()?)
}

/// The first leaves that begin after that key, at most `limit`.
fn leaves_after(conn: &Connection, flow: i64, key: &Key, limit: u32) -> Work<Vec<Leaf>> {
    let sql = "SELECT id, first, last FROM ledger WHERE flow = ?1 AND first > ?2 ORDER BY first LIMIT ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let leaves = statement.query_map(params![flow, SqlKey(key), limit], Leaf::from_row)?.collect::<Result<_, _>>()?;
    Ok(leaves)
}

/// Reads what a leaf holds.
fn read<T>(conn: &Connection, leaf: i64, read: impl FnOnce(&[u8]) -> Work<T>) -> Work<T> {
    let mut statement = conn.prepare_cached("SELECT rows FROM ledger WHERE id = ?1")?;
    let mut rows = statement.query([leaf])?;
    let row = rows.next()?.ok_or_else(|| Fault::unexpected("rows of the ledger are missing"))?;
    read(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)
}

/// Puts rows, ascending by key, into the leaves, and returns how many keys are new. Of a key that is there, `replaces`
/// says whether the row takes the place of the one that is stored.
pub(crate) fn put<'r>(
    conn: &Connection,
    flow: i64,
    rows: &'r [LedgerRow],
    mut replaces: impl FnMut(&LedgerRow, &'r LedgerRow) -> bool,
) -> Work<u64> {
    let mut n_new = 0;
    let mut rest = rows;
    while let Some(row) = rest.first() {
        let before = leaf_at(conn, flow, &row.key)?;
        let done = match before {
            Some(leaf) if row.key <= leaf.last => put_within(conn, flow, &leaf, rest, &mut replaces)?,
            before => put_between(conn, flow, before, rest, &mut replaces)?,
        };
        n_new += done.n_new;
        rest = &rest[done.n_rows..];
    }
    Ok(n_new)
}

/// What was put.
struct Done {
    /// Of the rows at hand, the first so many.
    n_rows: usize,
    n_new: u64,
}

/// Puts the first rows, whose keys a leaf spans, into it. Or into none, if they are to lie between its halves.
fn put_within<'r>(
    conn: &Connection,
    flow: i64,
    leaf: &Leaf,
    rows: &'r [LedgerRow],
    replaces: &mut impl FnMut(&LedgerRow, &'r LedgerRow) -> bool,
) -> Work<Done> {
    let stored = read(conn, leaf.id, leaf::unpack)?;
    let n_before = stored.partition_point(|stored| stored.key < rows[0].key);
    let (before, after) = stored.split_at(n_before);
    let n_between = rows.partition_point(|row| after.first().is_some_and(|next| row.key < next.key));
    if n_between > stored.len() / 2 {
        // Rows that are read on and on into a gap would write the leaf around it anew each time.
        store(conn, flow, Some(leaf), &before.iter().collect::<Vec<_>>())?;
        store(conn, flow, None, &after.iter().collect::<Vec<_>>())?;
        return Ok(Done { n_rows: 0, n_new: 0 });
    }
    let n_rows = rows.partition_point(|row| row.key <= leaf.last);
    let mixed = Mixed::of(&stored, &rows[..n_rows], replaces);
    if mixed.n_new + mixed.n_replaced > 0 {
        store(conn, flow, Some(leaf), &mixed.rows)?;
    }
    Ok(Done { n_rows, n_new: mixed.n_new })
}

/// Puts the first rows, whose keys lie between a leaf and the next one, there.
fn put_between<'r>(
    conn: &Connection,
    flow: i64,
    before: Option<Leaf>,
    rows: &'r [LedgerRow],
    replaces: &mut impl FnMut(&LedgerRow, &'r LedgerRow) -> bool,
) -> Work<Done> {
    let after = leaves_after(conn, flow, &rows[0].key, 1)?.pop();
    let n_rows = after.as_ref().map_or(rows.len(), |after| rows.partition_point(|row| row.key < after.first));
    let mixed = Mixed::of(&[], &rows[..n_rows], replaces);
    fill(conn, flow, &mixed.rows, before, after)?;
    Ok(Done { n_rows, n_new: mixed.n_new })
}

/// Stored rows and further ones, ascending by key, each key once.
struct Mixed<'a> {
    rows: Vec<&'a LedgerRow>,
    n_new: u64,
    n_replaced: u64,
}

impl<'a> Mixed<'a> {
    fn of<'r: 'a>(
        mut stored: &'a [LedgerRow],
        further: &'r [LedgerRow],
        replaces: &mut impl FnMut(&LedgerRow, &'r LedgerRow) -> bool,
    ) -> Self {
        let mut mixed = Self { rows: Vec::with_capacity(stored.len() + further.len()), n_new: 0, n_replaced: 0 };
        for row in further {
            let n_upto = stored.partition_point(|stored| stored.key <= row.key);
            let (upto, later) = stored.split_at(n_upto);
            mixed.rows.extend(upto);
            stored = later;
            match mixed.rows.last_mut().filter(|last| last.key == row.key) {
                Some(last) if replaces(last, row) => {
                    *last = row;
                    mixed.n_replaced += 1;
                }
                Some(_) => {}
                None => {
                    mixed.rows.push(row);
                    mixed.n_new += 1;
                }
            }
        }
        mixed.rows.extend(stored);
        mixed
    }
}

/// Writes rows that lie between two leaves: with one of them if they are few and it has room, else as leaves of their
/// own.
fn fill(conn: &Connection, flow: i64, rows: &[&LedgerRow], before: Option<Leaf>, after: Option<Leaf>) -> Work<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let packed = leaf::pack(rows);
    if packed.len() >= LEAF_BYTES / 2 {
        return store_packed(conn, flow, None, rows, &packed);
    }
    let has_room = |leaf: &Leaf| {
        let sql = "SELECT length(rows) FROM ledger WHERE id = ?1";
        let len: u32 = conn.prepare_cached(sql)?.query_row([leaf.id], |row| row.get(0))?;
        Ok::<_, Fault>(len as usize + packed.len() <= LEAF_BYTES)
    };
    for (neighbour, is_before) in [(before, true), (after, false)] {
        if let Some(neighbour) = neighbour
            && has_room(&neighbour)?
        {
            let stored = read(conn, neighbour.id, leaf::unpack)?;
            let stored = stored.iter();
            let further = rows.iter().copied();
            let all: Vec<_> = if is_before { stored.chain(further).collect() } else { further.chain(stored).collect() };
            return store(conn, flow, Some(&neighbour), &all);
        }
    }
    store_packed(conn, flow, None, rows, &packed)
}

/// Writes rows in place of a leaf, or as a new one.
fn store(conn: &Connection, flow: i64, old: Option<&Leaf>, rows: &[&LedgerRow]) -> Work<()> {
    store_packed(conn, flow, old, rows, &leaf::pack(rows))
}

/// Like [`store`]; rows that are too many for one leaf become several.
fn store_packed(conn: &Connection, flow: i64, mut old: Option<&Leaf>, rows: &[&LedgerRow], packed: &[u8]) -> Work<()> {
    let n_leaves = packed.len().div_ceil(LEAF_BYTES).min(rows.len());
    if n_leaves <= 1 {
        return store_leaf(conn, flow, old, rows, packed);
    }
    for some in rows.chunks(rows.len().div_ceil(n_leaves)) {
        store_leaf(conn, flow, old.take(), some, &leaf::pack(some))?;
    }
    Ok(())
}

fn store_leaf(conn: &Connection, flow: i64, old: Option<&Leaf>, rows: &[&LedgerRow], packed: &[u8]) -> Work<()> {
    let (Some(first), Some(last)) = (rows.first().map(|row| &row.key), rows.last().map(|row| &row.key)) else {
        return Ok(());
    };
    match old {
        Some(old) if old.first == *first && old.last == *last => {
            conn.prepare_cached("UPDATE ledger SET rows = ?2 WHERE id = ?1")?.execute(params![old.id, packed])?
        }
        Some(old) => conn
            .prepare_cached("UPDATE ledger SET first = ?2, last = ?3, rows = ?4 WHERE id = ?1")?
            .execute(params![old.id, SqlKey(first), SqlKey(last), packed])?,
        None => conn
            .prepare_cached("INSERT INTO ledger(flow, first, last, rows) VALUES(?1, ?2, ?3, ?4)")?
            .execute(params![flow, SqlKey(first), SqlKey(last), packed])?,
    };
    Ok(())
}

/// What the leaves know of each key, in the same order.
pub(crate) fn find(conn: &Connection, flow: i64, keys: &[Key]) -> Work<Vec<Option<LedgerEntry>>> {
    let mut found = vec![None; keys.len()];
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_unstable_by(|&a, &b| keys[a].cmp(&keys[b]));
    let mut wanted = order.as_slice();
    // One query for where a leaf is and what it holds: it is asked for each of many keys that are scattered.
    let sql = "SELECT last, CASE WHEN last >= ?2 THEN rows END FROM ledger
        WHERE flow = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1";
    let mut around = conn.prepare_cached(sql)?;
    while let Some(&at) = wanted.first() {
        let key = &keys[at];
        let mut leaves = around.query(params![flow, SqlKey(key)])?;
        let leaf = match leaves.next()? {
            Some(leaf) => leaf.get_ref(1)?.as_blob_or_null().map_err(rusqlite::Error::from)?.map(|rows| (leaf, rows)),
            None => None,
        };
        let n_keys = match leaf {
            Some((leaf, rows)) => {
                let SqlKey(last): SqlKey<Key> = leaf.get(0)?;
                let n_keys = wanted.partition_point(|&at| keys[at] <= last);
                look_up(rows, keys, &wanted[..n_keys], &mut found)?;
                n_keys
            }
            // The keys of a page lie close together: where one is missing, so are its neighbours up to the next leaf.
            None => match leaves_after(conn, flow, key, 1)?.pop() {
                Some(next) => wanted.partition_point(|&at| keys[at] < next.first),
                None => wanted.len(),
            },
        };
        wanted = &wanted[n_keys..];
    }
    Ok(found)
}

/// Finds the wanted keys, which are ascending, in a leaf.
fn look_up(leaf: &[u8], keys: &[Key], mut wanted: &[usize], found: &mut [Option<LedgerEntry>]) -> Work<()> {
    let mut rows = leaf::Rows::new(leaf)?;
    while !wanted.is_empty()
        && let Some(row) = rows.next()?
    {
        let n_missing = wanted.iter().take_while(|&&at| rows.order(&row, &keys[at]).is_gt()).count();
        wanted = &wanted[n_missing..];
        let n_here = wanted.iter().take_while(|&&at| rows.order(&row, &keys[at]).is_eq()).count();
        wanted[..n_here].iter().for_each(|&at| found[at] = Some(row.entry()));
        wanted = &wanted[n_here..];
    }
    Ok(())
}

/// The row of a key.
pub(crate) fn row_of(conn: &Connection, flow: i64, key: &Key) -> Work<Option<LedgerRow>> {
    let Some(leaf) = leaf_at(conn, flow, key)?.filter(|leaf| *key <= leaf.last) else { return Ok(None) };
    Ok(read(conn, leaf.id, leaf::unpack)?.into_iter().find(|row| row.key == *key))
}

/// Visits all rows with a key above `after`, ascending, until `visit` says that it has enough.
pub(crate) fn walk(
    conn: &Connection,
    flow: i64,
    after: Option<&Key>,
    mut visit: impl FnMut(LedgerRow) -> bool,
) -> Work<()> {
    let after = after.unwrap_or(&BELOW_ALL);
    let mut next = leaf_at(conn, flow, after)?;
    if next.is_none() {
        next = leaves_after(conn, flow, after, 1)?.pop();
    }
    while let Some(leaf) = next {
        for row in read(conn, leaf.id, leaf::unpack)? {
            if row.key > *after && !visit(row) {
                return Ok(());
            }
        }
        next = leaves_after(conn, flow, &leaf.last, 1)?.pop();
    }
    Ok(())
}

/// The greatest key that is a number.
pub(crate) fn highest(conn: &Connection, flow: i64) -> Work<Option<Key>> {
    // Every number is below every text.
    let sql = "SELECT id, first, last FROM ledger WHERE flow = ?1 AND first < '' ORDER BY first DESC LIMIT 1";
    let last = conn.prepare_cached(sql)?.query_row([flow], Leaf::from_row).optional()?;
    let Some(leaf) = last else { return Ok(None) };
    let is_number = |key: &Key| matches!(key, Key::Int(_));
    if is_number(&leaf.last) {
        return Ok(Some(leaf.last));
    }
    Ok(read(conn, leaf.id, leaf::unpack)?.into_iter().map(|row| row.key).rfind(is_number))
}

/// Forgets old rows in the next `limit` leaves after the key `after`, or only counts them; returns how many, and the
/// last key that was looked at, unless there are no further leaves.
///
/// What is left of a leaf joins the one before if it has room.
pub(crate) fn forget(
    conn: &Connection,
    flow: i64,
    after: Option<&Key>,
    limit: u32,
    dry: bool,
    is_old: impl Fn(&LedgerRow) -> bool,
) -> Work<(u64, Option<Key>)> {
    let mut n_rows = 0;
    let mut last = None;
    let mut before: Option<Leaf> = None;
    for leaf in leaves_after(conn, flow, after.unwrap_or(&BELOW_ALL), limit)? {
        last = Some(leaf.last.clone());
        let stored = read(conn, leaf.id, leaf::unpack)?;
        let kept: Vec<_> = stored.iter().filter(|row| !is_old(row)).collect();
        n_rows += (stored.len() - kept.len()) as u64;
        if dry || kept.len() == stored.len() {
            before = Some(leaf);
            continue;
        }
        conn.prepare_cached("DELETE FROM ledger WHERE id = ?1")?.execute([leaf.id])?;
        fill(conn, flow, &kept, before.take(), None)?;
        before = leaf_at(conn, flow, &leaf.last)?;
    }
    Ok((n_rows, last))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use milkrun_testkit::dice::Dice;
    use rusqlite::Transaction;

    use super::*;
    use crate::schema::STATE;

    const FLOW: i64 = 1;

    /// Hands a test an empty ledger that is in memory, in one transaction.
    fn with_ledger(test: impl FnOnce(&Transaction<'_>)) {
        let mut conn = Connection::open_in_memory().unwrap();
        STATE.create(&conn).unwrap();
        test(&conn.transaction().unwrap());
    }

    fn row(key: Key, fingerprint: u128) -> LedgerRow {
        let entry = LedgerEntry { fingerprint, version: None, remote_id: None };
        LedgerRow { key, entry, page: 1, index: 0, idempotency_key: None, at: Timestamp::UNIX_EPOCH }
    }

    fn newer(stored: &LedgerRow, row: &LedgerRow) -> bool {
        row.entry.fingerprint > stored.entry.fingerprint
    }

    /// What the leaves take, in bytes; fails unless each is where its keys are, and none overlaps another.
    fn sizes(conn: &Connection) -> Vec<usize> {
        let leaves = leaves_after(conn, FLOW, &BELOW_ALL, u32::MAX).unwrap();
        assert!(leaves.windows(2).all(|pair| pair[0].last < pair[1].first));
        let sizes = leaves.iter().map(|leaf| {
            let rows = read(conn, leaf.id, leaf::unpack).unwrap();
            assert!(rows.is_sorted_by(|a, b| a.key < b.key));
            assert_eq!((&rows[0].key, &rows[rows.len() - 1].key), (&leaf.first, &leaf.last));
            read(conn, leaf.id, |packed| Ok(packed.len())).unwrap()
        });
        sizes.collect()
    }

    /// What the leaves should hold, and the throws that a test is made of.
    struct Model {
        dice: Dice,
        rows: BTreeMap<Key, LedgerRow>,
        n_put: u128,
    }

    impl Model {
        fn key(&mut self) -> Key {
            match self.dice.below(4) {
                0 => Key::Text(format!("单-{}", self.dice.below(400))),
                1 => {
                    self.rows.keys().nth(self.dice.index(self.rows.len()).unwrap_or(0)).cloned().unwrap_or(Key::Int(0))
                }
                _ => Key::Int(self.dice.below(4_000).cast_signed()),
            }
        }

        /// Keys as they are read: on and on from one, some leaving gaps, or scattered.
        fn keys(&mut self) -> Vec<Key> {
            let n_keys = self.dice.between(1, 150);
            let step = self.dice.between(1, 5).cast_signed();
            let keys: std::collections::BTreeSet<Key> = match (self.dice.percent(50), self.key()) {
                (true, Key::Int(from)) => (0..n_keys.cast_signed()).map(|n| Key::Int(from + n * step)).collect(),
                (true, Key::Text(from)) => (0..n_keys).map(|n| Key::Text(format!("{from}-{n:03}"))).collect(),
                (false, _) => (0..n_keys).map(|_| self.key()).collect(),
            };
            keys.into_iter().collect()
        }

        fn put(&mut self, conn: &Connection) {
            let mut further = Vec::new();
            for key in self.keys() {
                self.n_put += 1;
                let older = self.dice.percent(20);
                let mut row = row(key, if older { 0 } else { self.n_put });
                if self.dice.percent(2) {
                    row.entry.remote_id = Some("凭".repeat(LEAF_BYTES));
                }
                further.push(row);
            }
            let n_before = self.rows.len();
            for row in &further {
                let stored = self.rows.entry(row.key.clone()).or_insert_with(|| row.clone());
                if newer(stored, row) {
                    *stored = row.clone();
                }
            }
            let n_new = put(conn, FLOW, &further, newer).unwrap();
            assert_eq!(n_new, (self.rows.len() - n_before) as u64);
        }

        fn forget(&mut self, conn: &Connection) {
            let dry = self.dice.percent(30);
            let limit = u32::try_from(self.dice.between(1, 5)).unwrap();
            let rest = u128::from(self.dice.below(4));
            let is_old = |row: &LedgerRow| row.entry.fingerprint % 4 == rest;
            let (mut after, mut n_rows) = (None, 0);
            loop {
                let (n, last) = forget(conn, FLOW, after.as_ref(), limit, dry, is_old).unwrap();
                n_rows += n;
                let Some(last) = last else { break };
                assert!(after.is_none_or(|after| after < last));
                after = Some(last);
            }
            let n_before = self.rows.len();
            let n_old = self.rows.values().filter(|row| is_old(row)).count();
            if !dry {
                self.rows.retain(|_, row| !is_old(row));
                assert_eq!(self.rows.len(), n_before - n_old);
            }
            assert_eq!(n_rows, n_old as u64);
        }

        fn look(&mut self, conn: &Connection) {
            let keys: Vec<Key> = (0..self.dice.below(150)).map(|_| self.key()).collect();
            let expected: Vec<_> = keys.iter().map(|key| self.rows.get(key).map(|row| row.entry.clone())).collect();
            assert_eq!(find(conn, FLOW, &keys).unwrap(), expected);

            let key = self.key();
            let found = row_of(conn, FLOW, &key).unwrap();
            assert_eq!(format!("{found:?}"), format!("{:?}", self.rows.get(&key).cloned()));

            let n_rows = 1 + self.dice.index(300).unwrap_or(0);
            let mut visited = Vec::new();
            walk(conn, FLOW, Some(&key), |row| {
                visited.push(row.key);
                visited.len() < n_rows
            })
            .unwrap();
            let above = (std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded);
            assert!(visited.iter().eq(self.rows.range(above).map(|(key, _)| key).take(n_rows)));

            let number = self.rows.keys().rfind(|key| matches!(key, Key::Int(_)));
            assert_eq!(highest(conn, FLOW).unwrap().as_ref(), number);
        }
    }

    #[test]
    fn leaves_hold_what_was_put_and_not_forgotten() {
        for seed in 0..12 {
            with_ledger(|conn| {
                put(conn, FLOW + 1, &[row(Key::Int(7), 1)], newer).unwrap();
                let mut model = Model { dice: Dice::new(seed), rows: BTreeMap::new(), n_put: 0 };
                for _ in 0..60 {
                    if model.dice.percent(85) {
                        model.put(conn);
                    } else {
                        model.forget(conn);
                    }
                    model.look(conn);
                    sizes(conn);
                }
                let mut all = Vec::new();
                walk(conn, FLOW, None, |row| {
                    all.push(row);
                    true
                })
                .unwrap();
                assert_eq!(format!("{all:?}"), format!("{:?}", model.rows.values().collect::<Vec<_>>()));
                assert!(find(conn, FLOW + 1, &[Key::Int(7)]).unwrap()[0].is_some(), "another flow's");
            });
        }
    }

    #[test]
    fn leaves_fill_up_in_whatever_order_pages_come() {
        let page = |from: i64| (from..from + 100).map(|key| row(Key::Int(key), 1)).collect::<Vec<_>>();
        let ascending: Vec<i64> = (0..50).map(|n| n * 100).collect();
        let descending: Vec<i64> = ascending.iter().rev().copied().collect();
        // Eight slices, side by side.
        let side_by_side: Vec<i64> = (0..50).map(|n| n % 8 * 100_000 + n / 8 * 100).collect();
        for order in [ascending, descending, side_by_side] {
            with_ledger(|conn| {
                for &from in &order {
                    assert_eq!(put(conn, FLOW, &page(from), newer).unwrap(), 100);
                }
                let sizes = sizes(conn);
                assert!(sizes.iter().all(|&size| size <= LEAF_BYTES));
                assert!(sizes.iter().sum::<usize>() > sizes.len() * LEAF_BYTES / 3, "{sizes:?}");
            });
        }
    }
}
