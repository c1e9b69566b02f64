//! Group commit: one thread writes, and what waits together is committed together.

use std::fmt;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use milkrun_core::{Error, ErrorKind, Result};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::database::Database;
use crate::fault::{Fault, Work, copy_of};

/// The thread that writes one database.
///
/// Each unit of work succeeds or fails for itself; those that succeed are acknowledged when their common commit is
/// durable. Dropping the writer finishes what waits.
pub(crate) struct Writer {
    units: Option<mpsc::Sender<Unit>>,
    thread: Option<JoinHandle<()>>,
}

/// Work to be done on the connection, or to be refused for that reason.
type Unit = Box<dyn FnOnce(Result<&Connection, Error>) -> Answer + Send>;

/// What waits for the commit.
struct Answer {
    /// Why the work failed, if it did.
    failed: Option<Error>,
    /// Told whether the commit was made.
    tell: Box<dyn FnOnce(Result<()>)>,
}

/// The most units in one transaction, so that the first does not wait long for the last.
const MOST_UNITS: usize = 64;

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(database: Database) -> Result<Self> {
        let conn = database.writer().map_err(|f| database.explain(f))?;
        let (units, waiting) = mpsc::channel();
        let thread = thread::Builder::new()
            .name(format!("write {}", database.what))
            .spawn(move || serve(&conn, &database, &waiting))?;
        Ok(Self { units: Some(units), thread: Some(thread) })
    }

    /// Does `work` in a transaction, and returns when it is committed; an error undoes it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.send(work, move |outcome| drop(reply.send(outcome)));
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Like [`Writer::run`], for callers that cannot wait.
    pub(crate) fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
        then: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let unit: Unit = Box::new(move |conn| {
            let outcome = match conn {
                Ok(conn) => work(conn),
                Err(error) => Err(Fault::Told(error)),
            };
            match outcome {
                Ok(value) => {
                    Answer { failed: None, tell: Box::new(move |committed| then(committed.map(|()| value))) }
                }
                // The thread explains the fault, and tells it back.
                Err(fault) => Answer {
                    failed: Some(fault.explain(WHAT, std::path::Path::new(""))),
                    tell: Box::new(move |committed| then(committed.and(Err(stopped())))),
                },
            }
        });
        if let Some(units) = &self.units {
            // If the thread is gone, the unit is dropped, and with it the sender of the answer.
            drop(units.send(unit));
        }
    }
}
const WHAT: &str = "";
