//! Calls under way and ended, shared by all processes of the folder.
//!
//! They lie in a file of their own, so that a call never waits for a commit of records. It is written without waiting
//! for the disk: when the power fails, the last calls before it may be missing.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use milkrun_core::Result;
use milkrun_core::quota::{Admission, Lane, left_of, wait_for};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::codec::{instant, nanos};
use crate::database::Database;
use crate::fault::Work;
use crate::worker::{Workers, random};
use crate::writer::Writer;

/// The log of calls.
#[derive(Debug)]
pub(crate) struct Calls {
    writer: Writer,
    workers: Arc<Workers>,
    /// The next ticket: a random number of this worker's in the upper half, a count in the lower.
    next: AtomicU64,
}

/// Every so many calls, those that no window holds any more are deleted.
const TIDY_EVERY: u64 = 32;
/// Two processes' clocks may differ by so much, as each runs on from its own start.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

impl Calls {
    pub(crate) fn start(database: Database, workers: Arc<Workers>) -> Result<Self> {
        let upper = u64::from(u32::from_le_bytes(random()?) >> 1) << 32;
        Ok(Self { writer: Writer::start(database)?, workers, next: AtomicU64::new(upper) })
    }

    pub(crate) async fn enter(&self, lanes: &[Lane], now: Timestamp) -> Result<Admission> {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let (lanes, workers) = (lanes.to_vec(), Arc::clone(&self.workers));
        self.writer.run(move |conn| enter(conn, &workers, &lanes, ticket, now)).await
    }

    pub(crate) fn leave(&self, ticket: u64, now: Timestamp) {
        let work = move |conn: &Connection| {
            // A call that was given up for dead may have ended already: the later end counts.
            conn.prepare_cached("UPDATE call SET ended = max(coalesce(ended, ?2), ?2) WHERE ticket = ?1")?
                .execute(params![ticket.cast_signed(), nanos(now)])?;
            Ok(())
        };
        self.writer.send(work, |outcome| {
            if let Err(error) = outcome {
                // The call counts as under way as long as this process lives, so that no limit is exceeded.
                tracing::error!(%error, "the end of a call could not be written");
            }
        });
    }

    pub(crate) async fn left(&self, lane: &Lane, now: Timestamp) -> Result<Vec<u32>> {
        let lane = lane.clone();
        self.writer.run(move |conn| left(conn, &lane, now)).await
    }
}

fn enter(conn: &Connection, workers: &Workers, lanes: &[Lane], ticket: u64, now: Timestamp) -> Work<Admission> {
    let numbers = lanes.iter().map(|lane| number(conn, &lane.name)).collect::<Work<Vec<_>>>()?;
    for (index, (lane, &number)) in lanes.iter().zip(&numbers).enumerate() {
        if ticket.is_multiple_of(TIDY_EVERY) {
            tidy(conn, lane, number, now)?;
        }
        let under_way = under_way(conn, workers, number, now)?;
        let ended = |skip: usize| nth_end(conn, number, skip);
        // `wait_for` asks for ends and knows no errors: the first one is kept.
        let fault = RefCell::new(None);
        let full = wait_for(&lane.quota, under_way, now, |skip| {
            ended(skip).unwrap_or_else(|e| {
                fault.replace(Some(e));
                None
            })
        });
        if let Some(fault) = fault.into_inner() {
            return Err(fault);
        }
        if let Some(full) = full {
            return Ok(Admission::Wait { lane: index, full });
        }
    }
    let mut insert = conn.prepare_cached("INSERT INTO call(ticket, lane, worker) VALUES(?1, ?2, ?3)")?;
    for number in numbers {
        insert.execute(params![ticket.cast_signed(), number, workers.own()])?;
    }
    Ok(Admission::Entered(ticket))
}

fn left(conn: &Connection, lane: &Lane, now: Timestamp) -> Work<Vec<u32>> {
    let number = number(conn, &lane.name)?;
    let mut count = conn.prepare_cached(
        "SELECT (SELECT count(*) FROM call WHERE lane = ?1 AND ended IS NULL) + \
         (SELECT count(*) FROM call WHERE lane = ?1 AND ended >= ?2)",
    )?;
    let used = |rate: milkrun_core::Rate| -> Work<u32> {
        let used: i64 = count.query_row(params![number, nanos(before(now, signed(rate.per)))], |row| row.get(0))?;
        Ok(left_of(rate, usize::try_from(used).unwrap_or(usize::MAX)))
    };
    lane.quota.rates.iter().copied().map(used).collect()
}

/// When the last call of a log ended that nobody has open, if any has.
pub(crate) fn newest_end(path: &Path) -> rusqlite::Result<Option<i64>> {
    // Not read-only: what has not been moved out of the log of its writes yet counts too.
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.query_row("SELECT max(ended) FROM call", [], |row| row.get(0))
}

/// The number of a lane, which is new if nobody has named it before.
fn number(conn: &Connection, name: &str) -> Work<i64> {
    let known = conn.prepare_cached("SELECT id FROM lane WHERE name = ?1")?.query_row([name], |row| row.get(0));
    if let Some(number) = known.optional()? {
        return Ok(number);
    }
    conn.execute("INSERT INTO lane(name) VALUES(?1)", [name])?;
    Ok(conn.last_insert_rowid())
}

/// How many calls of the lane are under way. Those of a worker that is found dead end now.
fn under_way(conn: &Connection, workers: &Workers, lane: i64, now: Timestamp) -> Work<usize> {
    let counts: Vec<(String, i64)> = conn
        .prepare_cached("SELECT worker, count(*) FROM call WHERE lane = ?1 AND ended IS NULL GROUP BY worker")?
        .query_map([lane], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut under_way = 0;
    for (worker, n_calls) in counts {
        if workers.is_alive(&worker)? {
            under_way += usize::try_from(n_calls).expect("a count");
            continue;
        }
        // The vendor may still be working on them, and nobody will see the answer: now is the latest known instant.
        let n_calls = conn
            .prepare_cached("UPDATE call SET ended = ?3 WHERE lane = ?1 AND worker = ?2 AND ended IS NULL")?
            .execute(params![lane, worker, nanos(now)])?;
        tracing::info!(worker, n_calls, "calls of a dead worker count as ended");
    }
    Ok(under_way)
}

fn nth_end(conn: &Connection, lane: i64, skip: usize) -> Work<Option<Timestamp>> {
    let end = conn
        .prepare_cached(
            "SELECT ended FROM call WHERE lane = ?1 AND ended IS NOT NULL ORDER BY ended DESC LIMIT 1 OFFSET ?2",
        )?
        .query_row(params![lane, i64::try_from(skip).unwrap_or(i64::MAX)], |row| row.get(0))
        .optional()?;
    Ok(end.map(instant))
}

/// Deletes what no window holds any more, and mends ends that lie in the future because the clock was set back.
fn tidy(conn: &Connection, lane: &Lane, number: i64, now: Timestamp) -> Work<()> {
    let longest = lane.quota.rates.iter().map(|rate| signed(rate.per)).max().unwrap_or_default();
    let longest = longest.saturating_add(SKEW);
    conn.prepare_cached("DELETE FROM call WHERE lane = ?1 AND ended < ?2")?
        .execute(params![number, nanos(before(now, longest))])?;
    let after = now.checked_add(longest).unwrap_or(Timestamp::MAX);
    conn.prepare_cached("UPDATE call SET ended = ?3 WHERE lane = ?1 AND ended > ?2")?.execute(params![
        number,
        nanos(after),
        nanos(now)
    ])?;
    Ok(())
}

fn signed(duration: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn before(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_sub(span).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use milkrun_core::Quota;
    use milkrun_core::quota::Full;

    use super::*;
    use crate::schema::QUOTA;
    use crate::worker::Gate;

    fn calls(folder: &Path) -> Calls {
        let database = Database { path: folder.join("quota.db"), what: "quota file", schema: QUOTA, durable: false };
        database.prepare(|| Ok(())).unwrap();
        let gate = Gate::pass(folder).unwrap();
        Calls::start(database, Arc::new(Workers::join(folder.join("workers"), &gate).unwrap())).unwrap()
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_785_513_600 + secs).unwrap()
    }

    async fn one_call(calls: &Calls, lane: &Lane, now: Timestamp) -> Admission {
        let admission = calls.enter(std::slice::from_ref(lane), now).await.unwrap();
        if let Admission::Entered(ticket) = admission {
            calls.leave(ticket, now);
        }
        admission
    }

    #[tokio::test]
    async fn calls_that_no_window_holds_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let calls = calls(folder.path());
        let lane = Lane { name: "km".into(), quota: Quota::per_second(1).and(40, Duration::from_mins(1)) };
        for n in 0..500 {
            assert!(matches!(one_call(&calls, &lane, at(n * 2 + 1)).await, Admission::Entered(_)));
        }
        let count = |conn: &Connection| Ok(conn.query_row("SELECT count(*) FROM call", [], |row| row.get(0))?);
        let n_calls: i64 = calls.writer.run(count).await.unwrap();
        assert!(n_calls <= 60 + 32, "{n_calls}");
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_does_not_stop_calls_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let lane = Lane { name: "km".into(), quota: Quota::per_second(1) };
        one_call(&calls(folder.path()), &lane, at(86_400)).await;
        // The first call of a process puts such ends in order.
        let full = Full { rate: Some(lane.quota.rates[0]), wait: Duration::from_millis(1001) };
        let calls = calls(folder.path());
        assert_eq!(one_call(&calls, &lane, at(0)).await, Admission::Wait { lane: 0, full });
        assert!(matches!(one_call(&calls, &lane, at(2)).await, Admission::Entered(_)));
        // A small difference between two processes' clocks is waited for.
        one_call(&calls, &lane, at(30)).await;
        assert!(matches!(one_call(&calls, &lane, at(10)).await, Admission::Wait { .. }));
    }
}
