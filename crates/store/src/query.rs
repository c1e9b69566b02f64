//! What flows, runs and keys look like from outside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use milkrun_core::Key;
use milkrun_core::state::{
    Bitmap, DeadLetter, FlowSummary, JournalRef, OpenBackfill, OutboxPage, RunRecord, TraceEntry,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::{Written, from_id, id, journal_ref};
use crate::commit::read_slice;
use crate::console;
use crate::fault::Work;
use crate::lease;
use crate::ledger;
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
    let flows: Vec<(i64, String)> = conn
        .prepare_cached("SELECT id, name FROM flow ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut entries = Vec::new();
    for (flow, name) in flows {
        if let Some(row) = ledger::row_of(conn, flow, key)? {
            entries.push(TraceEntry { flow: name, journal: journal_of(conn, flow, row.page)?, row });
        }
    }
    Ok(entries)
}

/// Where a page lies in the journal, if it does.
fn journal_of(conn: &Connection, flow: i64, page: u64) -> Work<Option<JournalRef>> {
    let sql = "SELECT segment, offset, len FROM page WHERE flow = ?1 AND id = ?2 AND segment > 0";
    Ok(conn.prepare_cached(sql)?.query_row(params![flow, id(page)], |row| journal_ref(row, 0)).optional()?)
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
