//! What flows, runs and keys look like from outside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use milkrun_core::Key;
use milkrun_core::state::{
    Bitmap, DeadLetter, FlowSummary, JournalRef, LedgerEntry, LedgerRow, OpenBackfill, OutboxPage, RunRecord,
    TraceEntry,
};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::{Fingerprint, SqlKey, Written, from_id, id, journal_ref};
use crate::commit::read_slice;
use crate::console;
use crate::fault::Work;
use crate::lease;
use crate::worker::Workers;

/// All flows, by name.
pub(crate) fn flows(conn: &Connection, workers: &Workers) -> Work<Vec<FlowSummary>> {
    let mut pending = pending(conn)?;
    let rows = conn
        .prepare_cached(
            "SELECT id, name, ledger_rows, (SELECT count(*) FROM slice WHERE flow = flow.id AND share IS NULL), \
             (SELECT count(*) FROM dead_letter WHERE flow = flow.id) FROM flow ORDER BY name",
        )?
        .query_map([], |row| {
            let flow: i64 = row.get(0)?;
            let summary = FlowSummary {
                name: row.get(1)?,
                running: None,
                open_slices: from_id(row.get(3)?),
                backfill: None,
                ledger: from_id(row.get(2)?),
                pending: pending.remove(&flow).unwrap_or_default(),
                dead_letters: from_id(row.get(4)?),
                planned: Vec::new(),
                last_run: None,
            };
            Ok((flow, summary))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    rows.into_iter()
        .map(|(flow, mut summary)| {
            summary.running = lease::holder(conn, workers, flow)?;
            summary.planned = conn
                .prepare_cached("SELECT axis, until FROM planned WHERE flow = ?1")?
                .query_map([flow], |row| {
                    let Written(until) = row.get(1)?;
                    Ok((row.get(0)?, until))
                })?
                .collect::<Result<_, _>>()?;
            summary.backfill = open_backfill(conn, flow)?;
            summary.last_run = runs(conn, flow, None, 1)?.pop();
            Ok(summary)
        })
        .collect()
}

/// What is left of the flow's backfills.
fn open_backfill(conn: &Connection, flow: i64) -> Work<Option<OpenBackfill>> {
    let slices = conn
        .prepare_cached("SELECT spec, share FROM slice WHERE flow = ?1 AND share IS NOT NULL")?
        .query_map([flow], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?
        .map(|row| {
            let (spec, share) = row?;
            Ok((read_slice(&spec)?, share))
        })
        .collect::<Work<Vec<_>>>()?;
    Ok(OpenBackfill::of(slices.iter().map(|(slice, share)| (slice, *share))))
}

/// Records to deliver, by flow.
fn pending(conn: &Connection) -> Work<BTreeMap<i64, u64>> {
    let mut statement = conn.prepare_cached("SELECT flow, todo FROM page WHERE todo IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut pending = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let n: u32 = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?.iter().map(|b| b.count_ones()).sum();
        *pending.entry(row.get(0)?).or_default() += u64::from(n);
    }
    Ok(pending)
}

/// The number of a flow, if it is known.
pub(crate) fn flow_id(conn: &Connection, name: &str) -> Work<Option<i64>> {
    let found = conn.prepare_cached("SELECT id FROM flow WHERE name = ?1")?.query_row([name], |row| row.get(0));
    Ok(found.optional()?)
}

/// Keys that are numbers are not below zero.
const BELOW_ALL: Key = Key::Int(-1);

/// Keys with the ids that the target gave, ascending; what is not merged yet counts.
pub(crate) fn remote_ids(conn: &Connection, flow: i64, after: Option<&Key>, limit: u32) -> Work<Vec<(Key, String)>> {
    // Of a group, SQLite gives the row that has the highest `seq`.
    let ids = conn
        .prepare_cached(
            "SELECT ledger.key, iif(newer.seq IS NULL, ledger.remote_id, newer.remote_id) AS id FROM ledger \
             LEFT JOIN (SELECT key, remote_id, max(seq) AS seq FROM recent WHERE flow = ?1 GROUP BY key) AS newer \
             ON newer.key = ledger.key \
             WHERE flow = ?1 AND id IS NOT NULL AND ledger.key > ?3 ORDER BY ledger.key LIMIT ?2",
        )?
        .query_map(params![flow, limit, SqlKey(after.unwrap_or(&BELOW_ALL))], |row| {
            let SqlKey(key) = row.get(0)?;
            Ok((key, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(ids)
}

/// Pages with something to deliver, oldest first.
pub(crate) fn open_pages(conn: &Connection, flow: i64, after: Option<u64>, limit: u32) -> Work<Vec<OutboxPage>> {
    let bitmap =
        |row: &Row<'_>, at| row.get::<_, Option<Vec<u8>>>(at).map(|b| Bitmap::from_bytes(b.unwrap_or_default()));
    let pages = conn
        .prepare_cached(
            "SELECT id, segment, offset, len, todo, sent, first_sent FROM page \
             WHERE flow = ?1 AND todo IS NOT NULL AND id > ?2 ORDER BY id LIMIT ?3",
        )?
        .query_map(params![flow, after.map_or(-1, id), limit], |row| {
            let (todo, sent) = (bitmap(row, 4)?, bitmap(row, 5)?);
            let first_sent = row.get::<_, Option<i64>>(6)?.and_then(|ms| Timestamp::from_millisecond(ms).ok());
            Ok(OutboxPage { id: from_id(row.get(0)?), journal: journal_ref(row, 1)?, todo, sent, first_sent })
        })?
        .collect::<Result<_, _>>()?;
    Ok(pages)
}

/// The runs of a flow, newest first, below the number `before`.
pub(crate) fn runs(conn: &Connection, flow: i64, before: Option<u64>, limit: u32) -> Work<Vec<RunRecord>> {
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let runs = conn
        .prepare_cached(
            "SELECT id, started, ended, verdict, report FROM run WHERE flow = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
        )?
        .query_map(params![flow, before, limit], run)?
        .collect::<Result<_, _>>()?;
    Ok(runs)
}

/// A run, of its number, its start, its end, its verdict and its report.
pub(crate) fn run(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let Written(started) = row.get(1)?;
    Ok(RunRecord {
        id: from_id(row.get(0)?),
        started,
        ended: row.get::<_, Option<Written<_>>>(2)?.map(|Written(ended)| ended),
        verdict: row.get::<_, Option<Written<_>>>(3)?.map(|Written(verdict)| verdict),
        report: row.get(4)?,
    })
}

/// The dead letters of a flow, oldest first.
pub(crate) fn dead_letters(conn: &Connection, flow: i64, after: u64, limit: u32) -> Work<Vec<DeadLetter>> {
    let letters = conn
        .prepare_cached(
            "SELECT id, key, stage, reason, page, version, at, record FROM dead_letter \
             WHERE flow = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        )?
        .query_map(params![flow, id(after), limit], console::letter)?
        .collect::<Result<_, _>>()?;
    Ok(letters)
}

/// What is known of a key, in all flows, by name.
pub(crate) fn trace(conn: &Connection, key: &Key) -> Work<Vec<TraceEntry>> {
    let mut entries = trace_in(conn, "ledger", "flow.name", key)?;
    // What is not merged yet is newer, and of a key that the ledger has. What says nothing new is left alone there too.
    for recent in trace_in(conn, "recent", "seq", key)? {
        let same = |entry: &TraceEntry| {
            entry.row.entry == recent.row.entry && entry.row.idempotency_key == recent.row.idempotency_key
        };
        if let Some(entry) = entries.iter_mut().find(|entry| entry.flow == recent.flow)
            && !same(entry)
        {
            *entry = recent;
        }
    }
    Ok(entries)
}

fn trace_in(conn: &Connection, table: &str, order: &str, key: &Key) -> Work<Vec<TraceEntry>> {
    let entries = conn
        .prepare_cached(&format!(
            "SELECT flow.name, key, fingerprint, version, remote_id, row.page, idx, idempotency_key, at, \
             segment, offset, len \
             FROM flow CROSS JOIN {table} AS row ON row.flow = flow.id AND key = ?1 \
             LEFT JOIN page ON page.flow = flow.id AND page.id = row.page AND segment > 0 ORDER BY {order}",
        ))?
        .query_map([SqlKey(key)], |row| {
            let (SqlKey(key), Fingerprint(fingerprint)) = (row.get(1)?, row.get(2)?);
            let at = Timestamp::from_millisecond(row.get(8)?).map_err(|e| FromSqlError::Other(e.into()))?;
            let row_of_ledger = LedgerRow {
                key,
                entry: LedgerEntry { fingerprint, version: row.get(3)?, remote_id: row.get(4)? },
                page: from_id(row.get(5)?),
                index: row.get(6)?,
                idempotency_key: row.get(7)?,
                at,
            };
            let journal = match row.get::<_, Option<u32>>(9)? {
                Some(_) => Some(journal_ref(row, 9)?),
                None => None,
            };
            Ok(TraceEntry { flow: row.get(0)?, row: row_of_ledger, journal })
        })?
        .collect::<Result<_, _>>()?;
    Ok(entries)
}

/// The journalled pages of a flow, newest first.
pub(crate) fn journal_pages(
    conn: &Connection,
    flow: i64,
    before: Option<u64>,
    limit: u32,
) -> Work<Vec<(u64, JournalRef)>> {
    let pages = conn
        .prepare_cached(
            "SELECT id, segment, offset, len FROM page WHERE flow = ?1 AND segment > 0 AND id < ?2 \
             ORDER BY id DESC LIMIT ?3",
        )?
        .query_map(params![flow, before.map_or(i64::MAX, id), limit], |row| {
            Ok((from_id(row.get(0)?), journal_ref(row, 1)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(pages)
}
