//! Forgetting: what is old and needed no more, a little at a time, so that nobody waits for it.

use std::path::Path;

use jiff::Timestamp;
use milkrun_core::Key;
use milkrun_core::state::LedgerRow;
use rusqlite::{Connection, params};

use crate::fault::Work;
use crate::{leaves, ledger};

/// Leaves of a ledger that are looked at in one transaction; a full one has about seventy rows.
const LEDGER_CHUNK: u32 = 256;
/// How many free pages are given back in one transaction: 16 MiB.
pub(crate) const VACUUM_CHUNK: u32 = 4_096;

/// One chunk of a ledger.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Where the next one begins; `None`: this was the last.
    pub(crate) last: Option<Key>,
    /// Rows that are forgotten, or would be.
    pub(crate) n_rows: u64,
}

/// Forgets the rows of one chunk of a flow's ledger that were delivered before `before`; with `dry`, only counts them.
pub(crate) fn forget_ledger(
    conn: &Connection,
    flow: i64,
    after: Option<&Key>,
    before: Timestamp,
    dry: bool,
) -> Work<Chunk> {
    // A row stays while a newer version of its key waits to be merged.
    let waiting = ledger::waiting_keys(conn, flow)?;
    let is_old = |row: &LedgerRow| row.at < before && !waiting.contains(&row.key);
    let (n_rows, last) = leaves::forget(conn, flow, after, LEDGER_CHUNK, dry, is_old)?;
    if n_rows > 0 && !dry {
        let count = "UPDATE flow SET ledger_rows = max(ledger_rows - ?2, 0) WHERE id = ?1";
        conn.prepare_cached(count)?.execute(params![flow, i64::try_from(n_rows).unwrap_or(i64::MAX)])?;
    }
    Ok(Chunk { last, n_rows })
}

/// Forgets the runs of a flow that began before `before`, but for the last one; with `dry`, only counts them.
pub(crate) fn forget_runs(conn: &Connection, flow: i64, before: Timestamp, dry: bool) -> Work<u64> {
    const COUNT: &str = "SELECT count(*) FROM run WHERE flow = ?1 AND started < ?2 \
                         AND id < (SELECT max(id) FROM run WHERE flow = ?1)";
    const DELETE: &str = "DELETE FROM run WHERE flow = ?1 AND started < ?2 \
                          AND id < (SELECT max(id) FROM run WHERE flow = ?1)";
    if dry { count(conn, COUNT, flow, before) } else { delete(conn, DELETE, flow, before) }
}

/// Forgets the dead letters of a flow that were refused before `before`; with `dry`, only counts them.
pub(crate) fn forget_letters(conn: &Connection, flow: i64, before: Timestamp, dry: bool) -> Work<u64> {
    const COUNT: &str = "SELECT count(*) FROM dead_letter WHERE flow = ?1 AND at < ?2";
    const DELETE: &str = "DELETE FROM dead_letter WHERE flow = ?1 AND at < ?2";
    if dry { count(conn, COUNT, flow, before) } else { delete(conn, DELETE, flow, before) }
}

fn count(conn: &Connection, sql: &str, flow: i64, before: Timestamp) -> Work<u64> {
    let count: i64 = conn.query_row(sql, params![flow, before.to_string()], |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

fn delete(conn: &Connection, sql: &str, flow: i64, before: Timestamp) -> Work<u64> {
    Ok(conn.execute(sql, params![flow, before.to_string()])? as u64)
}

/// What keeps the pages of a flow: open slices, and the first segment with something to deliver or that is written to.
pub(crate) fn needed_pages(conn: &Connection, flow: i64) -> Work<(u64, u32)> {
    let slices: i64 = conn.query_row("SELECT count(*) FROM slice WHERE flow = ?1", [flow], |row| row.get(0))?;
    Ok((slices.cast_unsigned(), crate::commit::needed_segment(conn, flow)?))
}

/// The segments that pages of a flow lie in.
pub(crate) fn segments_in_use(conn: &Connection, flow: i64) -> Work<Vec<u32>> {
    let mut statement =
        conn.prepare_cached("SELECT DISTINCT segment FROM page WHERE flow = ?1 AND segment > 0 ORDER BY segment")?;
    let segments = statement.query_map([flow], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(segments)
}

/// Gives free pages back to the file system, some at a time; returns how many are left.
pub(crate) fn give_back(conn: &Connection) -> Work<u64> {
    let mut statement = conn.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_CHUNK})"))?;
    let mut rows = statement.query([])?;
    // Each step gives one page back.
    while rows.next()?.is_some() {}
    drop(rows);
    let free: i64 = conn.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    // A file made by an early version cannot shrink: its free pages are used again.
    let mode: i64 = conn.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    Ok(if mode == 0 { 0 } else { free.cast_unsigned() })
}

/// Bytes of a database with its log; 0 if it is not there.
pub(crate) fn bytes_of(database: &Path) -> u64 {
    let len = |path: &Path| std::fs::metadata(path).map_or(0, |m| m.len());
    let log = database.with_extension("db-wal");
    len(database) + len(&log)
}
