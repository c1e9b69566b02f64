//! Snapshots beside the writer: each piece of reading sees one committed state.

use std::fmt;
use std::sync::{Arc, Mutex};

use milkrun_core::{Error, ErrorKind, Result};
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::database::Database;
use crate::fault::Work;

/// Connections that only read, used on tokio's blocking threads.
pub(crate) struct Readers {
    inner: Arc<Inner>,
    turns: Arc<Semaphore>,
}

struct Inner {
    database: Database,
    idle: Mutex<Vec<Connection>>,
}

/// A long question from the console does not hold up the engine's short ones.
const N_READERS: usize = 2;

impl Readers {
    /// Readers of `database`; connections are opened when they are needed.
    pub(crate) fn new(database: Database) -> Self {
        let inner = Arc::new(Inner { database, idle: Mutex::default() });
        Self { inner, turns: Arc::new(Semaphore::new(N_READERS)) }
    }

    /// Does `work` on one snapshot.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect("the semaphore is never closed");
        let inner = Arc::clone(&self.inner);
        let read = tokio::task::spawn_blocking(move || {
            let outcome = inner.run(work);
            drop(turn);
            outcome
        });
        read.await
            .unwrap_or_else(|e| Err(Error::new(ErrorKind::Unexpected, "reading the state broke off").caused_by(e)))
    }
}

impl Inner {
    fn run<T>(&self, work: impl FnOnce(&Connection) -> Work<T>) -> Result<T> {
        let idle = self.idle.lock().expect("no holder panics").pop();
        let conn = match idle {
            Some(conn) => conn,
            None => self.database.reader().map_err(|f| self.database.explain(f))?,
        };
        let outcome = snapshot(&conn, work);
        // A connection that failed may be in the middle of something: it is not used again.
        if outcome.is_ok() {
            self.idle.lock().expect("no holder panics").push(conn);
        }
        outcome.map_err(|f| self.database.explain(f))
    }
}

/// One transaction around all statements: they see one state, and the file is locked once.
fn snapshot<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Work<T>) -> Work<T> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let value = work(conn)?;
    conn.prepare_cached("COMMIT")?.execute([])?;
    Ok(value)
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}
