//! The ledger: the last version of each record that was delivered.

use std::sync::LazyLock;

use milkrun_core::Key;
use milkrun_core::state::{LedgerEntry, LedgerRow};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::codec::{Fingerprint, SqlKey};
use crate::fault::Work;

const N_COLUMNS: usize = 9;

/// Rows that one statement takes. Many together cost less than half of one by one.
const SIZES: [usize; 3] = [100, 10, 1];

static STATEMENTS: LazyLock<[(String, String); 3]> = LazyLock::new(|| {
    SIZES.map(|n_rows| {
        let row = format!("({})", ["?"; N_COLUMNS].join(","));
        let insert = format!(
            "INSERT INTO ledger(flow, key, fingerprint, version, remote_id, page, idx, idempotency_key, at) VALUES {}",
            vec![row.as_str(); n_rows].join(",")
        );
        let add = format!("{insert} ON CONFLICT(flow, key) DO NOTHING");
        // An unchanged row is not written: it keeps the page on which it was first delivered so.
        let replace = format!(
            "{insert} ON CONFLICT(flow, key) DO UPDATE SET fingerprint = excluded.fingerprint, \
             version = excluded.version, remote_id = excluded.remote_id, page = excluded.page, idx = excluded.idx, \
             idempotency_key = excluded.idempotency_key, at = excluded.at \
             WHERE fingerprint <> excluded.fingerprint OR remote_id IS NOT excluded.remote_id \
             OR version IS NOT excluded.version OR idempotency_key IS NOT excluded.idempotency_key"
        );
        (add, replace)
    })
});

/// Writes the rows; of two with one key, the later wins. Returns how many keys are new.
///
/// A row whose fingerprint, version, remote id and idempotency key are as stored is left alone, so that it keeps the
/// page and the instant at which it was first delivered so. Instants are kept to the millisecond.
///
/// They are written in key order: neighbours share a page of the file.
pub(crate) fn write(conn: &Connection, flow: i64, mut rows: Vec<LedgerRow>) -> Work<u64> {
    if !rows.is_sorted_by(|a, b| a.key <= b.key) {
        rows.sort_by(|a, b| a.key.cmp(&b.key));
    }
    let mut n_new = 0;
    let mut rest = rows.as_slice();
    for (n_rows, (add, replace)) in SIZES.into_iter().zip(STATEMENTS.iter()) {
        while rest.len() >= n_rows {
            let (chunk, later) = rest.split_at(n_rows);
            // Adding first tells new keys from known ones, so that their number is known without counting them all.
            let added = bind(conn.prepare_cached(add)?, flow, chunk)?.raw_execute()?;
            if added < n_rows {
                bind(conn.prepare_cached(replace)?, flow, chunk)?.raw_execute()?;
            }
            n_new += u64::try_from(added).expect("a count");
            rest = later;
        }
    }
    Ok(n_new)
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
pub(crate) fn seen(conn: &Connection, flow: i64, keys: &[Key]) -> Work<Vec<Option<LedgerEntry>>> {
    let mut statement =
        conn.prepare_cached("SELECT fingerprint, version, remote_id FROM ledger WHERE flow = ?1 AND key = ?2")?;
    keys.iter()
        .map(|key| {
            let entry = statement.query_row(params![flow, SqlKey(key)], |row| {
                let Fingerprint(fingerprint) = row.get(0)?;
                Ok(LedgerEntry { fingerprint, version: row.get(1)?, remote_id: row.get(2)? })
            });
            Ok(entry.optional()?)
        })
        .collect()
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
