//! Who may run a flow, and how a dead worker's flow is taken over.

use jiff::Timestamp;
use milkrun_core::state::{Holder, Lease};
use milkrun_core::{Error, ErrorKind};
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{Written, from_id, id};
use crate::fault::Work;
use crate::ledger;
use crate::worker::Workers;

/// Takes the right to run `flow`, which is created if it is new.
pub(crate) fn acquire(conn: &Connection, workers: &Workers, owner: &str, flow: &str, now: Timestamp) -> Work<Lease> {
    let known = conn
        .prepare_cached("SELECT id, fence, worker, owner, since FROM flow WHERE name = ?1")?
        .query_row([flow], |row| {
            let holder: Option<(String, String, String)> = match row.get(2)? {
                Some(worker) => Some((worker, row.get(3)?, row.get(4)?)),
                None => None,
            };
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, holder))
        })
        .optional()?;
    let (number, fence) = match known {
        Some((_, _, Some((worker, owner, since)))) if workers.is_alive(&worker)? => {
            // To the second, as people read it.
            let since = since.parse::<Timestamp>().map_or(since, |since| format!("{since:.0}"));
            let message = format!("flow `{flow}` is being run by {owner} since {since}");
            let help = "wait until it has ended, or stop it; if it is killed, its right ends with it";
            return Err(Error::new(ErrorKind::Busy, message).advise(help).into());
        }
        Some((number, fence, holder)) => {
            if let Some((_, owner, _)) = holder {
                tracing::info!(flow, owner, "the flow is taken over: its worker is dead");
            }
            (number, fence)
        }
        None => {
            conn.prepare_cached("INSERT INTO flow(name) VALUES(?1)")?.execute([flow])?;
            (conn.last_insert_rowid(), 0)
        }
    };
    conn.prepare_cached("UPDATE flow SET fence = ?2, worker = ?3, owner = ?4, since = ?5 WHERE id = ?1")?
        .execute(params![number, fence + 1, workers.own(), owner, now.to_string()])?;
    // What a killed worker left.
    ledger::merge_and_count(conn, number)?;
    Ok(Lease { flow: number, fence: from_id(fence + 1) })
}

/// Who has the right to run a flow; nobody if that worker is dead.
pub(crate) fn holder(conn: &Connection, workers: &Workers, flow: i64) -> Work<Option<Holder>> {
    let found = conn
        .prepare_cached("SELECT worker, owner, since FROM flow WHERE id = ?1 AND worker IS NOT NULL")?
        .query_row([flow], |row| {
            let (worker, Written(since)) = (row.get::<_, String>(0)?, row.get(2)?);
            let is_own = worker == workers.own();
            Ok((worker, Holder { who: row.get(1)?, since, is_own }))
        })
        .optional()?;
    match found {
        Some((worker, holder)) if workers.is_alive(&worker)? => Ok(Some(holder)),
        _ => Ok(None),
    }
}

/// Gives the right back; does nothing if it was lost. Says whether it was there to be given back.
pub(crate) fn release(conn: &Connection, worker: &str, lease: Lease) -> Work<bool> {
    let released = conn
        .prepare_cached("UPDATE flow SET worker = NULL WHERE id = ?1 AND fence = ?2 AND worker = ?3")?
        .execute(params![lease.flow, id(lease.fence), worker])?;
    if released > 0 {
        ledger::merge_and_count(conn, lease.flow)?;
    }
    Ok(released > 0)
}

/// Gives back every right that `worker` has.
pub(crate) fn release_all(conn: &Connection, worker: &str) -> Work<()> {
    conn.execute("UPDATE flow SET worker = NULL WHERE worker = ?1", [worker])?;
    Ok(())
}

/// Refuses a lease that is not the flow's newest, or that was given back.
pub(crate) fn check(conn: &Connection, worker: &str, lease: Lease) -> Work<()> {
    let held: Option<(i64, Option<String>)> = conn
        .prepare_cached("SELECT fence, worker FROM flow WHERE id = ?1")?
        .query_row([lease.flow], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if held.is_some_and(|(fence, holder)| fence == id(lease.fence) && holder.as_deref() == Some(worker)) {
        return Ok(());
    }
    let error = Error::new(ErrorKind::Busy, "the right to run the flow was lost to another worker")
        .advise("nothing was written; run the flow again when the other run has ended")
        .with("flow", lease.flow)
        .with("fence", lease.fence);
    Err(error.into())
}
