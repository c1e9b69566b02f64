//! Group commit: one thread writes, and what waits together is committed together.

use std::fmt;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use milkrun_core::{Error, ErrorKind, Result};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::database::Database;
use crate::fault::{Work, copy_of};

/// The thread that writes one database.
///
/// Each unit of work succeeds or fails for itself; those that succeed are told so when their common commit is durable.
/// Dropping the writer finishes what waits.
pub(crate) struct Writer {
    units: Option<mpsc::Sender<Box<dyn Unit>>>,
    thread: Option<JoinHandle<()>>,
}

/// The most units in one transaction, so that the first does not wait long for the last.
const MOST_UNITS: usize = 64;

impl Writer {
    /// Opens the database for writing and starts the thread.
    pub(crate) fn start(database: Database) -> Result<Self> {
        let conn = database.writer().map_err(|f| database.explain(f))?;
        let (units, waiting) = mpsc::channel();
        let thread = thread::Builder::new()
            .name(database.what.replace(' ', "-"))
            .spawn(move || Group { conn, database }.serve(&waiting))?;
        Ok(Self { units: Some(units), thread: Some(thread) })
    }

    /// Does `work` in a transaction and returns when it is committed; an error undoes it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.send(work, move |outcome| drop(reply.send(outcome)));
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Like [`Writer::run`]; `note` is told on the writing thread what was committed, before any later work begins.
    pub(crate) async fn run_and<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
        note: impl FnOnce(&mut T) + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let then = move |mut outcome: Result<T>| {
            if let Ok(value) = &mut outcome {
                note(value);
            }
            drop(reply.send(outcome));
        };
        self.send(work, then);
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Reads with what the writing thread has in memory: pages that are about to be written are read once, and no
    /// commit of its own makes it forget them, as it does with the connections beside it.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.hand_over(Job { work: Some(work), value: None, then: |o| drop(reply.send(o)), only_reads: true });
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Like [`Writer::run`] for callers that cannot wait: `then` is called on the writing thread.
    pub(crate) fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
        then: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        self.hand_over(Job { work: Some(work), value: None, then, only_reads: false });
    }

    fn hand_over(&self, unit: impl Unit + 'static) {
        let unit: Box<dyn Unit> = Box::new(unit);
        if let Some(units) = &self.units {
            // If the thread has ended, the unit is dropped, and whoever waits for it is told.
            drop(units.send(unit));
        }
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::State, "the thread that writes has ended")
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.units = None;
        if let Some(thread) = self.thread.take() {
            // If it panicked, its message has been printed.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// Work that is committed or undone as a whole.
trait Unit: Send {
    fn run(&mut self, conn: &Connection) -> Work<()>;
    fn tell(self: Box<Self>, outcome: Result<()>);
    fn only_reads(&self) -> bool;
}

struct Job<W, T, F> {
    work: Option<W>,
    value: Option<T>,
    then: F,
    only_reads: bool,
}

impl<W, T, F> Unit for Job<W, T, F>
where
    W: FnOnce(&Connection) -> Work<T> + Send,
    T: Send,
    F: FnOnce(Result<T>) + Send,
{
    fn run(&mut self, conn: &Connection) -> Work<()> {
        let work = self.work.take().expect("a unit runs once");
        self.value = Some(work(conn)?);
        Ok(())
    }

    fn tell(self: Box<Self>, outcome: Result<()>) {
        let value = self.value;
        (self.then)(outcome.map(|()| value.expect("a unit that succeeded has a value")));
    }

    fn only_reads(&self) -> bool {
        self.only_reads
    }
}

struct Group {
    conn: Connection,
    database: Database,
}

impl Group {
    fn serve(&self, waiting: &mpsc::Receiver<Box<dyn Unit>>) {
        while let Ok(first) = waiting.recv() {
            let mut units = vec![first];
            units.extend(waiting.try_iter().take(MOST_UNITS - 1));
            while !units.is_empty() {
                // Whoever only reads does not wait for the disk, unless what it asks after was handed over before.
                let n_first = units.iter().take_while(|unit| unit.only_reads() == units[0].only_reads()).count();
                let later = units.split_off(n_first);
                let only_reads = units[0].only_reads();
                units = if only_reads { self.look(units) } else { self.commit(units) };
                units.extend(later);
            }
        }
    }

    /// Runs units that only read, on one snapshot.
    fn look(&self, units: Vec<Box<dyn Unit>>) -> Vec<Box<dyn Unit>> {
        if let Err(error) = self.execute("BEGIN") {
            tell_all(units, &error);
            return Vec::new();
        }
        for mut unit in units {
            let outcome = self.run(&mut *unit);
            unit.tell(outcome);
        }
        if let Err(error) = self.execute("COMMIT") {
            tracing::error!(%error, "a reading could not be ended");
        }
        Vec::new()
    }

    /// Runs the units in one transaction; returns those that were not reached because it broke off.
    fn commit(&self, units: Vec<Box<dyn Unit>>) -> Vec<Box<dyn Unit>> {
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            tell_all(units, &error);
            return Vec::new();
        }
        let alone = units.len() == 1;
        let mut done = Vec::with_capacity(units.len());
        let mut rest = units.into_iter();
        while let Some(mut unit) = rest.next() {
            let outcome = if alone { self.run(&mut *unit) } else { self.run_apart(&mut *unit) };
            match outcome {
                Ok(()) => done.push(unit),
                // A full disk or a failing one makes SQLite undo the whole transaction.
                Err(error) if self.conn.is_autocommit() => {
                    tell_all(done, &error);
                    unit.tell(Err(error));
                    return rest.collect();
                }
                Err(error) => unit.tell(Err(error)),
            }
        }
        let committed = if done.is_empty() { self.execute("ROLLBACK") } else { self.execute("COMMIT") };
        match committed {
            Ok(()) => done.into_iter().for_each(|unit| unit.tell(Ok(()))),
            Err(error) => {
                if !self.conn.is_autocommit()
                    && let Err(error) = self.execute("ROLLBACK")
                {
                    tracing::error!(%error, "a failed commit could not be undone");
                }
                tell_all(done, &error);
            }
        }
        Vec::new()
    }

    fn run(&self, unit: &mut dyn Unit) -> Result<()> {
        unit.run(&self.conn).map_err(|fault| self.database.explain(fault))
    }

    /// Runs a unit so that its failure leaves the others of its transaction alone.
    fn run_apart(&self, unit: &mut dyn Unit) -> Result<()> {
        self.execute("SAVEPOINT unit")?;
        let outcome = self.run(unit);
        if outcome.is_err() && !self.conn.is_autocommit() {
            self.execute("ROLLBACK TO unit")?;
        }
        if !self.conn.is_autocommit() {
            self.execute("RELEASE unit")?;
        }
        outcome
    }

    fn execute(&self, sql: &str) -> Result<()> {
        let outcome = self.conn.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        outcome.map(drop).map_err(|error| self.database.explain(error.into()))
    }
}

fn tell_all(units: Vec<Box<dyn Unit>>, error: &Error) {
    for unit in units {
        unit.tell(Err(copy_of(error)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;
    use crate::schema::QUOTA;

    fn database(folder: &std::path::Path) -> Database {
        let database = Database { path: folder.join("t.db"), what: "test file", schema: QUOTA, durable: true };
        database.prepare(|| Ok(())).unwrap();
        database
    }

    fn insert(conn: &Connection, name: &str) -> Work<()> {
        conn.execute("INSERT INTO lane(name) VALUES(?1)", [name])?;
        Ok(())
    }

    async fn names(writer: &Writer) -> Vec<String> {
        writer
            .run(|conn| {
                let mut statement = conn.prepare("SELECT name FROM lane ORDER BY id")?;
                let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
                Ok(names)
            })
            .await
            .unwrap()
    }

    /// Keeps the thread busy until the returned sender is used, so that what is sent meanwhile forms one group.
    fn hold(writer: &Writer) -> mpsc::Sender<()> {
        let (go, gate) = mpsc::channel::<()>();
        let wait = move |_: &Connection| {
            gate.recv().unwrap_err();
            Ok(())
        };
        writer.send(wait, |outcome: Result<()>| outcome.unwrap());
        go
    }

    #[tokio::test]
    async fn a_failing_unit_leaves_the_others_of_its_group_alone() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::start(database(folder.path())).unwrap();
        let go = hold(&writer);
        let (a, b, c) = tokio::join!(
            writer.run(|conn| insert(conn, "a")),
            writer.run(|conn| {
                insert(conn, "b")?;
                Err::<(), _>(Fault::Told(Error::new(ErrorKind::Busy, "no")))
            }),
            async {
                let c = writer.run(|conn| insert(conn, "c"));
                drop(go);
                c.await
            },
        );
        a.unwrap();
        c.unwrap();
        assert_eq!(b.unwrap_err().kind(), ErrorKind::Busy);
        assert_eq!(names(&writer).await, ["a", "c"]);
    }

    #[tokio::test]
    async fn a_full_disk_undoes_the_group_and_says_so_to_all() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::start(database(folder.path())).unwrap();
        let set = |n: &'static str| {
            writer.run(move |conn| Ok(conn.pragma_update_and_check(None, "max_page_count", n, |_| Ok(()))?))
        };
        set("8").await.unwrap();
        let full = writer.run(|conn| {
            for n in 0..1000 {
                insert(conn, &format!("{n}{}", "x".repeat(1000)))?;
            }
            Ok(())
        });
        let error = full.await.unwrap_err();
        assert_eq!(error.message(), "the disk is full");
        assert!(error.help().is_some_and(|help| help.contains("free some space")));
        assert!(names(&writer).await.is_empty());
        set("100000").await.unwrap();
        writer.run(|conn| insert(conn, "a")).await.unwrap();
        assert_eq!(names(&writer).await, ["a"]);
    }

    #[tokio::test]
    async fn what_waits_is_finished_before_the_writer_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path());
        let writer = Writer::start(database.clone()).unwrap();
        let go = hold(&writer);
        for n in 0..200 {
            writer.send(move |conn| insert(conn, &n.to_string()), |_| ());
        }
        drop(go);
        drop(writer);
        let writer = Writer::start(database).unwrap();
        assert_eq!(names(&writer).await.len(), 200);
    }
}
