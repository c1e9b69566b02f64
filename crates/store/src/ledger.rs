//! The ledger: the last version of each record that was delivered.
//!
//! New rows go into its [`leaves`], changed ones wait in a table of their own until they are merged.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex};

use jiff::Timestamp;
use milkrun_core::Key;
use milkrun_core::state::{LedgerEntry, LedgerRow};
use rusqlite::types::FromSqlError;
use rusqlite::{CachedStatement, Connection, Row, Statement, params};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::codec::{Fingerprint, SqlKey, from_id};
use crate::fault::{Fault, Work};
use crate::leaves;

const N_COLUMNS: usize = 9;
const COLUMNS: &str = "flow, key, fingerprint, version, remote_id, page, idx, idempotency_key, at";

/// Rows that one statement takes. Many together cost less than half of one by one.
const SIZES: [usize; 3] = [100, 10, 1];

/// Changed rows that wait until they are merged. A merge writes most of the ledger anew and sorts them in memory: with
/// half as many there are twice as many merges, with twice as many they need more memory than a page cache.
const MOST_RECENT: usize = 56_000;

/// Keys that are remembered as found: more than all pages that are under way have.
const MOST_FOUND: usize = 14_000;

/// For each size: notes changed rows.
static NOTE: LazyLock<[String; 3]> = LazyLock::new(|| {
    SIZES.map(|n_rows| {
        let row = format!("({})", ["?"; N_COLUMNS].join(","));
        format!("INSERT INTO recent({COLUMNS}) VALUES {}", vec![row.as_str(); n_rows].join(","))
    })
});

/// Rows of a long list that are in memory at a time.
const PUT_AT_A_TIME: usize = 1_000;

/// Where the changed rows are that are not merged yet, for the flows that this store has a lease of.
///
/// Changed records are scattered over the ledger: written in place, each would cost a whole page of the file, twice.
/// So they are written one after the other into a table of their own, and merged in key order when they are many, and
/// when the flow's lease is given back or taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Arc<Mutex<HashMap<i64, Waiting>>>);

/// XXH3-128 of a key, so that a long one takes no more memory than a short one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct KeyDigest([u8; 16]);

impl KeyDigest {
    fn of(key: &Key) -> Self {
        let digest = match key {
            Key::Int(number) => xxh3_128_with_seed(&number.to_le_bytes(), 0),
            Key::Text(text) => xxh3_128_with_seed(text.as_bytes(), 1),
        };
        Self(digest.to_le_bytes())
    }
}

/// The changed rows of one flow.
#[derive(Debug, Default)]
struct Waiting {
    /// How many rows there are; of one key there may be several.
    n_rows: usize,
    /// Of each key, by its digest, the number of the newest row.
    newest: HashMap<KeyDigest, i64>,
    /// Keys that were found in the leaves lately: their rows are written without looking them up again.
    found: HashSet<Key>,
}

impl Recent {
    /// The flow's changed rows are all merged.
    pub(crate) fn clear(&self, flow: i64) {
        self.0.lock().expect("no holder panics").insert(flow, Waiting::default());
    }

    /// The flow is another worker's from now on.
    pub(crate) fn forget(&self, flow: i64) {
        self.0.lock().expect("no holder panics").remove(&flow);
    }

    /// Remembers which of the keys were found in the leaves.
    fn remember(&self, flow: i64, keys: &[Key], found: &[Option<LedgerEntry>]) {
        let mut all = self.0.lock().expect("no holder panics");
        let Some(waiting) = all.get_mut(&flow) else { return };
        if waiting.found.len() + keys.len() > MOST_FOUND {
            waiting.found.clear();
        }
        let in_leaves = keys.iter().zip(found).filter(|(_, found)| found.is_some());
        waiting.found.extend(in_leaves.map(|(key, _)| key.clone()));
    }

    /// Parts rows from those whose keys were found in the leaves.
    fn part_found(&self, flow: i64, rows: Vec<LedgerRow>) -> (Vec<LedgerRow>, Vec<LedgerRow>) {
        match self.0.lock().expect("no holder panics").get_mut(&flow) {
            Some(waiting) => rows.into_iter().partition(|row| waiting.found.remove(&row.key)),
            None => (Vec::new(), rows),
        }
    }

    /// Takes what a commit has written.
    pub(crate) fn take(&self, flow: i64, written: Written) {
        let mut all = self.0.lock().expect("no holder panics");
        let Some(waiting) = all.get_mut(&flow) else { return };
        if written.merged {
            *waiting = Waiting::default();
        } else {
            waiting.n_rows += written.changed.len();
            waiting.newest.extend(written.changed);
        }
    }

    /// For each of the keys that has a row waiting, its index and that row's number; `None` if the flow is another
    /// worker's.
    fn newest(&self, flow: i64, keys: &[Key]) -> Option<Vec<(usize, i64)>> {
        let all = self.0.lock().expect("no holder panics");
        let newest = &all.get(&flow)?.newest;
        if newest.is_empty() {
            return Some(Vec::new());
        }
        let of_key = |(at, key)| newest.get(&KeyDigest::of(key)).map(|&number| (at, number));
        Some(keys.iter().enumerate().filter_map(of_key).collect())
    }

    fn n_rows(&self, flow: i64) -> usize {
        self.0.lock().expect("no holder panics").get(&flow).map_or(0, |waiting| waiting.n_rows)
    }
}

/// What a commit has done to the ledger.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// How many keys are new.
    pub(crate) n_new: u64,
    /// What is not merged yet: the keys, and the numbers of their rows.
    changed: Vec<(KeyDigest, i64)>,
    /// Everything is merged.
    pub(crate) merged: bool,
}

/// Writes the rows; of two with one key, the later wins. New ones are packed at once, changed ones wait to be merged.
///
/// A row whose fingerprint, version, remote id and idempotency key are as stored is left alone, so that it keeps the
/// page and the instant at which it was first delivered so. Instants are kept to the millisecond.
pub(crate) fn write(conn: &Connection, flow: i64, mut rows: Vec<LedgerRow>, recent: &Recent) -> Work<Written> {
    if !rows.is_sorted_by(|a, b| a.key <= b.key) {
        rows.sort_by(|a, b| a.key.cmp(&b.key));
    }
    let (found, others) = recent.part_found(flow, rows);
    let mut changed: Vec<&LedgerRow> = found.iter().collect();
    let mut n_new = leaves::put(conn, flow, &others, |_, row| {
        changed.push(row);
        false
    })?;
    let first = note(conn, flow, &changed)?;
    let changed: Vec<_> = changed.into_iter().map(|row| KeyDigest::of(&row.key)).zip(first..).collect();
    let merged = recent.n_rows(flow) + changed.len() > MOST_RECENT;
    if merged {
        n_new += merge(conn, flow)?;
    }
    Ok(Written { n_new, changed, merged })
}

/// Notes rows that the ledger has in another form, and returns the number of the first; the others follow.
fn note(conn: &Connection, flow: i64, mut rows: &[&LedgerRow]) -> Work<i64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let last: i64 = conn.prepare_cached("SELECT coalesce(max(seq), 0) FROM recent")?.query_row([], |row| row.get(0))?;
    for (n_rows, note) in SIZES.into_iter().zip(NOTE.iter()) {
        while let Some((chunk, later)) = rows.split_at_checked(n_rows) {
            bind(conn.prepare_cached(note)?, flow, chunk)?.raw_execute()?;
            rows = later;
        }
    }
    // SQLite numbers a new row one above the highest.
    Ok(last + 1)
}

fn bind<'c>(mut statement: CachedStatement<'c>, flow: i64, rows: &[&LedgerRow]) -> Work<CachedStatement<'c>> {
    for (n, row) in rows.iter().enumerate() {
        let at = n * N_COLUMNS;
        let entry = &row.entry;
        statement.raw_bind_parameter(at + 1, flow)?;
        statement.raw_bind_parameter(at + 2, SqlKey(&row.key))?;
        statement.raw_bind_parameter(at + 3, entry.fingerprint.to_be_bytes().as_slice())?;
        statement.raw_bind_parameter(at + 4, entry.version)?;
        statement.raw_bind_parameter(at + 5, entry.remote_id.as_deref())?;
        statement.raw_bind_parameter(at + 6, row.page.cast_signed())?;
        statement.raw_bind_parameter(at + 7, row.index)?;
        statement.raw_bind_parameter(at + 8, row.idempotency_key.as_deref())?;
        statement.raw_bind_parameter(at + 9, row.at.as_millisecond())?;
    }
    Ok(statement)
}

/// Takes the changed rows of a flow into its leaves, and returns how many keys are new there: those whose row was
/// forgotten since it was found.
pub(crate) fn merge(conn: &Connection, flow: i64) -> Work<u64> {
    // Of two rows with one key, the later wins.
    let mut ordered =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM recent WHERE flow = ?1 ORDER BY key, seq"))?;
    let n_new = put_all(conn, flow, &mut ordered)?;
    conn.prepare_cached("DELETE FROM recent WHERE flow = ?1")?.execute([flow])?;
    Ok(n_new)
}

/// The same, and counts the new ones as rows of the flow.
pub(crate) fn merge_and_count(conn: &Connection, flow: i64) -> Work<()> {
    let n_new = merge(conn, flow)?;
    if n_new > 0 {
        let count = "UPDATE flow SET ledger_rows = ledger_rows + ?2 WHERE id = ?1";
        conn.prepare_cached(count)?.execute(params![flow, n_new.cast_signed()])?;
    }
    Ok(())
}

/// Puts the rows that a statement yields, ascending by key, into the leaves, some at a time; returns how many keys are
/// new.
fn put_all(conn: &Connection, flow: i64, ordered: &mut Statement<'_>) -> Work<u64> {
    let mut n_new = 0;
    let mut rows = ordered.query_map([flow], whole)?;
    loop {
        let some = rows.by_ref().take(PUT_AT_A_TIME).collect::<Result<Vec<_>, _>>()?;
        if some.is_empty() {
            return Ok(n_new);
        }
        n_new += leaves::put(conn, flow, &some, says_more)?;
    }
}

/// Whether a row says of its record anything else than the stored one.
fn says_more(stored: &LedgerRow, row: &LedgerRow) -> bool {
    stored.entry != row.entry || stored.idempotency_key != row.idempotency_key
}

/// A row of [`COLUMNS`].
fn whole(row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    let SqlKey(key) = row.get(1)?;
    Ok(LedgerRow {
        key,
        entry: entry(row, 2)?,
        page: from_id(row.get(5)?),
        index: row.get(6)?,
        idempotency_key: row.get(7)?,
        at: Timestamp::from_millisecond(row.get(8)?).map_err(|e| FromSqlError::Other(e.into()))?,
    })
}

/// What is known of each key, in the same order.
pub(crate) fn seen(conn: &Connection, flow: i64, keys: &[Key], recent: &Recent) -> Work<Vec<Option<LedgerEntry>>> {
    let mut found = leaves::find(conn, flow, keys)?;
    recent.remember(flow, keys, &found);
    overlay(conn, flow, keys, recent, &mut found)?;
    Ok(found)
}

/// Puts what is not merged yet over what the ledger says.
fn overlay(conn: &Connection, flow: i64, keys: &[Key], recent: &Recent, found: &mut [Option<LedgerEntry>]) -> Work<()> {
    let read = |row: &Row<'_>| {
        let SqlKey(key): SqlKey<Key> = row.get(0)?;
        Ok((key, entry(row, 1)?))
    };
    if let Some(newest) = recent.newest(flow, keys) {
        let sql = "SELECT key, fingerprint, version, remote_id FROM recent WHERE seq = ?1";
        for (at, number) in newest {
            let (key, entry) = conn.prepare_cached(sql)?.query_row([number], read)?;
            if key != keys[at] {
                return Err(Fault::unexpected("a changed row is another record's"));
            }
            found[at] = Some(entry);
        }
        return Ok(());
    }
    // Another worker's flow, or one whose worker was killed.
    let sql = "SELECT key, fingerprint, version, remote_id FROM recent WHERE flow = ?1 ORDER BY seq";
    let newest: HashMap<Key, LedgerEntry> =
        conn.prepare_cached(sql)?.query_map([flow], read)?.collect::<Result<_, _>>()?;
    for (key, found) in keys.iter().zip(found) {
        if let Some(entry) = newest.get(key) {
            *found = Some(entry.clone());
        }
    }
    Ok(())
}

/// A row's entry in three columns, the first at `at`.
fn entry(row: &Row<'_>, at: usize) -> rusqlite::Result<LedgerEntry> {
    let Fingerprint(fingerprint) = row.get(at)?;
    Ok(LedgerEntry { fingerprint, version: row.get(at + 1)?, remote_id: row.get(at + 2)? })
}

/// The keys of rows that are not merged yet.
pub(crate) fn waiting_keys(conn: &Connection, flow: i64) -> Work<HashSet<Key>> {
    let mut statement = conn.prepare_cached("SELECT key FROM recent WHERE flow = ?1")?;
    let keys = statement.query_map([flow], |row| row.get(0).map(|SqlKey(key)| key))?.collect::<Result<_, _>>()?;
    Ok(keys)
}

/// The ids that the target gave to records, by key, ascending after `after`; what is not merged yet counts.
pub(crate) fn remote_ids(conn: &Connection, flow: i64, after: Option<&Key>, limit: u32) -> Work<Vec<(Key, String)>> {
    let mut newest: HashMap<Key, Option<String>> = conn
        .prepare_cached("SELECT key, remote_id FROM recent WHERE flow = ?1 ORDER BY seq")?
        .query_map([flow], |row| Ok((row.get(0).map(|SqlKey(key)| key)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut ids = Vec::new();
    leaves::walk(conn, flow, after, |row| {
        let id = newest.remove(&row.key).unwrap_or(row.entry.remote_id);
        ids.extend(id.map(|id| (row.key, id)));
        ids.len() < limit as usize
    })?;
    Ok(ids)
}

/// The row of a key; what is not merged yet counts.
pub(crate) fn row_of(conn: &Connection, flow: i64, key: &Key) -> Work<Option<LedgerRow>> {
    let mut newest = leaves::row_of(conn, flow, key)?;
    let sql = format!("SELECT {COLUMNS} FROM recent WHERE flow = ?1 AND key = ?2 ORDER BY seq");
    for row in conn.prepare_cached(&sql)?.query_map(params![flow, SqlKey(key)], whole)? {
        let row = row?;
        if newest.as_ref().is_none_or(|stored| says_more(stored, &row)) {
            newest = Some(row);
        }
    }
    Ok(newest)
}

/// The rows of version 4 of the schema, one in each row of SQLite's, are packed.
pub(crate) fn pack_rows(conn: &Connection) -> Work<()> {
    let flows: Vec<i64> =
        conn.prepare("SELECT id FROM flow ORDER BY id")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for flow in flows {
        let mut statement =
            conn.prepare(&format!("SELECT {COLUMNS} FROM ledger_of_rows WHERE flow = ?1 ORDER BY key"))?;
        put_all(conn, flow, &mut statement)?;
    }
    conn.execute_batch("DROP TABLE ledger_of_rows")?;
    Ok(())
}
