//! The ledger: the last version of each record that was delivered.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use milkrun_core::Key;
use milkrun_core::state::{LedgerEntry, LedgerRow};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use crate::codec::{Fingerprint, SqlKey};
use crate::fault::{Fault, Work};

const N_COLUMNS: usize = 9;
const COLUMNS: &str = "flow, key, fingerprint, version, remote_id, page, idx, idempotency_key, at";

/// Rows that one statement takes. Many together cost less than half of one by one.
const SIZES: [usize; 3] = [100, 10, 1];

/// Changed rows that wait until they are merged: with more, they would need more memory than a page cache.
const MOST_RECENT: usize = 56_000;

/// For each size: adds rows, notes changed rows, merges them.
static STATEMENTS: LazyLock<[[String; 3]; 3]> = LazyLock::new(|| {
    SIZES.map(|n_rows| {
        let row = format!("({})", ["?"; N_COLUMNS].join(","));
        let rows = vec![row.as_str(); n_rows].join(",");
        let add = format!("INSERT INTO ledger({COLUMNS}) VALUES {rows} ON CONFLICT(flow, key) DO NOTHING");
        let note = format!("INSERT INTO recent({COLUMNS}) VALUES {rows}");
        // An unchanged row is not written: it keeps the page on which it was first delivered so.
        let merge = format!(
            "INSERT INTO ledger({COLUMNS}) VALUES {rows} \
             ON CONFLICT(flow, key) DO UPDATE SET fingerprint = excluded.fingerprint, \
             version = excluded.version, remote_id = excluded.remote_id, page = excluded.page, idx = excluded.idx, \
             idempotency_key = excluded.idempotency_key, at = excluded.at \
             WHERE fingerprint <> excluded.fingerprint OR remote_id IS NOT excluded.remote_id \
             OR version IS NOT excluded.version OR idempotency_key IS NOT excluded.idempotency_key"
        );
        [add, note, merge]
    })
});

/// What the changed rows say that are not merged yet, for the flows that this store has a lease of.
///
/// Changed records are scattered over the ledger: written in place, each would cost a whole page of the file, twice.
/// So they are written one after the other into a table of their own, and merged in key order when they are many, and
/// when the flow's lease is given back or taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Arc<Mutex<HashMap<i64, Waiting>>>);

/// The changed rows of one flow.
#[derive(Debug, Default)]
struct Waiting {
    /// How many rows there are; of one key there may be several.
    n_rows: usize,
    newest: HashMap<Key, LedgerEntry>,
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

    fn n_rows(&self, flow: i64) -> usize {
        self.0.lock().expect("no holder panics").get(&flow).map_or(0, |waiting| waiting.n_rows)
    }
}

/// What a commit has done to the ledger.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// How many keys are new.
    pub(crate) n_new: u64,
    /// What is not merged yet.
    pub(crate) changed: Vec<(Key, LedgerEntry)>,
    /// Everything is merged.
    pub(crate) merged: bool,
}

/// Writes the rows; of two with one key, the later wins.
///
/// A row whose fingerprint, version, remote id and idempotency key are as stored is left alone, so that it keeps the
/// page and the instant at which it was first delivered so. Instants are kept to the millisecond.
///
/// They are written in key order: neighbours share a page of the file.
pub(crate) fn write(conn: &Connection, flow: i64, mut rows: Vec<LedgerRow>, recent: &Recent) -> Work<Written> {
    if !rows.is_sorted_by(|a, b| a.key <= b.key) {
        rows.sort_by(|a, b| a.key.cmp(&b.key));
    }
    let mut written = Written::default();
    let mut rest = rows.as_slice();
    for (n_rows, [add, note, _]) in SIZES.into_iter().zip(STATEMENTS.iter()) {
        while rest.len() >= n_rows {
            let (chunk, later) = rest.split_at(n_rows);
            // Adding tells new keys from known ones, so that their number is known without counting them all.
            let added = bind(conn.prepare_cached(add)?, flow, chunk)?.raw_execute()?;
            if added < n_rows {
                bind(conn.prepare_cached(note)?, flow, chunk)?.raw_execute()?;
                written.changed.extend(chunk.iter().map(|row| (row.key.clone(), row.entry.clone())));
            }
            written.n_new += u64::try_from(added).expect("a count");
            rest = later;
        }
    }
    if recent.n_rows(flow) + written.changed.len() > MOST_RECENT {
        merge(conn, flow)?;
        written.merged = true;
    }
    Ok(written)
}

/// Takes the changed rows of a flow into its ledger.
///
/// Not in one statement: SQLite would keep every page that it changes twice in memory until its end.
pub(crate) fn merge(conn: &Connection, flow: i64) -> Work<()> {
    let count = "SELECT count(*) FROM recent WHERE flow = ?1";
    let count: u32 = conn.prepare_cached(count)?.query_row([flow], |row| row.get(0))?;
    let mut left = count as usize;
    if left == 0 {
        return Ok(());
    }
    // Of two rows with one key, the later wins.
    let mut ordered =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM recent WHERE flow = ?1 ORDER BY key, seq"))?;
    let mut rows = ordered.query([flow])?;
    for (n_rows, [_, _, merge]) in SIZES.into_iter().zip(STATEMENTS.iter()) {
        let mut statement = conn.prepare_cached(merge)?;
        while left >= n_rows {
            for n in 0..n_rows {
                let row = rows.next()?.ok_or_else(|| Fault::unexpected("the changed rows are fewer than counted"))?;
                for column in 0..N_COLUMNS {
                    let value = ToSqlOutput::Borrowed(row.get_ref(column)?);
                    statement.raw_bind_parameter(n * N_COLUMNS + column + 1, value)?;
                }
            }
            statement.raw_execute()?;
            left -= n_rows;
        }
    }
    drop(rows);
    conn.prepare_cached("DELETE FROM recent WHERE flow = ?1")?.execute([flow])?;
    Ok(())
}

fn bind<'c>(mut statement: CachedStatement<'c>, flow: i64, rows: &[LedgerRow]) -> Work<CachedStatement<'c>> {
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

/// What is known of each key, in the same order.
///
/// The keys are walked through in their order beside the ledger's: those of a page lie close together, whether they
/// are all there or all missing, and then one search serves many of them.
pub(crate) fn seen(conn: &Connection, flow: i64, keys: &[Key], recent: &Recent) -> Work<Vec<Option<LedgerEntry>>> {
    let mut found = vec![None; keys.len()];
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_unstable_by(|&a, &b| keys[a].cmp(&keys[b]));
    let mut statement = conn.prepare_cached(
        "SELECT key, fingerprint, version, remote_id FROM ledger WHERE flow = ?1 AND key >= ?2 ORDER BY key",
    )?;
    let mut wanted = order.as_slice();
    while let Some((&first, _)) = wanted.split_first() {
        let mut rows = statement.query(params![flow, SqlKey(&keys[first])])?;
        // Stepping on pays as long as it finds something.
        let mut credit = 0;
        loop {
            let Some(row) = rows.next()? else {
                wanted = &[];
                break;
            };
            let here = row.get_ref(0)?;
            let n_missing = wanted.iter().take_while(|&&at| order_of(here, &keys[at]) == Ordering::Greater).count();
            wanted = &wanted[n_missing..];
            let n_here = wanted.iter().take_while(|&&at| order_of(here, &keys[at]) == Ordering::Equal).count();
            if n_here > 0 {
                let entry = entry(row, 1)?;
                wanted[..n_here].iter().for_each(|&at| found[at] = Some(entry.clone()));
                wanted = &wanted[n_here..];
                credit = (credit + 1).min(8);
            } else if credit >= 2 {
                credit -= 2;
            } else {
                break;
            }
            if wanted.is_empty() {
                break;
            }
        }
    }
    drop(statement);
    overlay(conn, flow, keys, recent, &mut found)?;
    Ok(found)
}

/// Puts what is not merged yet over what the ledger says.
fn overlay(conn: &Connection, flow: i64, keys: &[Key], recent: &Recent, found: &mut [Option<LedgerEntry>]) -> Work<()> {
    let put = |recent: &HashMap<Key, LedgerEntry>, found: &mut [Option<LedgerEntry>]| {
        if recent.is_empty() {
            return;
        }
        for (key, found) in keys.iter().zip(found) {
            if let Some(entry) = recent.get(key) {
                *found = Some(entry.clone());
            }
        }
    };
    if let Some(waiting) = recent.0.lock().expect("no holder panics").get(&flow) {
        put(&waiting.newest, found);
        return Ok(());
    }
    // Another worker's flow, or one whose worker was killed.
    let mut statement =
        conn.prepare_cached("SELECT key, fingerprint, version, remote_id FROM recent WHERE flow = ?1 ORDER BY seq")?;
    let rows = statement.query_map([flow], |row| {
        let SqlKey(key) = row.get(0)?;
        Ok((key, entry(row, 1)?))
    })?;
    put(&rows.collect::<Result<_, _>>()?, found);
    Ok(())
}

/// A row's entry in three columns, the first at `at`.
fn entry(row: &Row<'_>, at: usize) -> rusqlite::Result<LedgerEntry> {
    let Fingerprint(fingerprint) = row.get(at)?;
    Ok(LedgerEntry { fingerprint, version: row.get(at + 1)?, remote_id: row.get(at + 2)? })
}

/// How SQLite orders a stored key and ours: numbers before texts, texts by their bytes, as we do.
fn order_of(stored: ValueRef<'_>, key: &Key) -> Ordering {
    match (stored, key) {
        (ValueRef::Integer(stored), Key::Int(key)) => stored.cmp(key),
        (ValueRef::Text(stored), Key::Text(key)) => stored.cmp(key.as_bytes()),
        (ValueRef::Integer(_), Key::Text(_)) => Ordering::Less,
        _ => Ordering::Greater,
    }
}

/// The greatest key that is a number.
pub(crate) fn highest(conn: &Connection, flow: i64) -> Work<Option<Key>> {
    // Every number is below every text.
    let highest = conn
        .prepare_cached("SELECT key FROM ledger WHERE flow = ?1 AND key < '' ORDER BY key DESC LIMIT 1")?
        .query_row([flow], |row| row.get(0).map(Key::Int))
        .optional()?;
    Ok(highest)
}
