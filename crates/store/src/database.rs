//! How a database file is opened.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use milkrun_core::Error;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::fault::{BEGIN_ANEW, BUSY_SECS, Fault, RESTORE, Work, not_a_database};
use crate::schema::Schema;

/// One database file and its settings.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in a sentence, such as `state file`.
    pub what: &'static str,
    /// Its tables.
    pub schema: Schema,
    /// Whether a commit is on the disk when it returns, also when the power fails.
    pub durable: bool,
}

const MAGIC: &[u8] = b"SQLite format 3\0";
/// The writer keeps 4 MiB of pages, which is what a commit looks up and then writes; two readers keep 2 MiB each, because
/// every commit voids what they keep.
const WRITER_CACHE_KIB: u32 = 4 * 1024;
const READER_CACHE_KIB: u32 = 2 * 1024;
/// Pages in the write-ahead log before they are copied into the database: 16 MiB.
const CHECKPOINT_PAGES: u32 = 4000;
/// Statements kept ready for each connection; there are about forty in all.
const STATEMENTS: usize = 64;

impl Database {
    /// Opens the file for the first time: creates it, or checks it and brings its tables up to date.
    ///
    /// Nothing is written before the file has been found to be ours and not newer than this program. `may_migrate` is
    /// asked before an older file is changed.
    pub(crate) fn prepare(&self, may_migrate: impl FnOnce() -> Result<(), Error>) -> Work<()> {
        self.refuse_other_files()?;
        let mut conn = self.connect()?;
        let found = self.schema.check(&conn, self)?;
        if found > 0 && found < self.schema.version() {
            may_migrate()?;
        }
        if found == 0 {
            // So that the file can shrink when much is forgotten. It has to be said before there is any table.
            conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        conn.pragma_update(None, "journal_mode", "WAL")?;
        self.schema.migrate(&mut conn, self)
    }

    /// A connection that writes.
    pub(crate) fn writer(&self) -> Work<Connection> {
        let conn = self.connect()?;
        conn.pragma_update(None, "synchronous", if self.durable { "FULL" } else { "NORMAL" })?;
        conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        set_cache(&conn, WRITER_CACHE_KIB)?;
        Ok(conn)
    }

    /// A connection that cannot write.
    pub(crate) fn reader(&self) -> Work<Connection> {
        let conn = self.connect()?;
        conn.pragma_update(None, "query_only", true)?;
        set_cache(&conn, READER_CACHE_KIB)?;
        Ok(conn)
    }

    /// SQLite takes some short files for empty databases, and would write over them.
    fn refuse_other_files(&self) -> Work<()> {
        let mut start = Vec::new();
        match File::open(&self.path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start)) {
            Ok(n) if n > 0 && start != MAGIC => Err(not_a_database(self.what, &self.path, self.remedy()).into()),
            // What keeps the file from being read is for SQLite to say.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn connect(&self) -> Work<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(Duration::from_secs(BUSY_SECS))?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        // Without it, SQLite parses each query over a range anew whenever a value of it changes.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(conn)
    }

    /// The error for the user.
    pub(crate) fn explain(&self, fault: Fault) -> Error {
        fault.explain(self.what, &self.path, self.remedy())
    }

    /// What to do if it is damaged.
    fn remedy(&self) -> &'static str {
        if self.durable { RESTORE } else { BEGIN_ANEW }
    }

    /// The file's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn set_cache(conn: &Connection, kib: u32) -> Work<()> {
    conn.pragma_update(None, "cache_size", -i64::from(kib))?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}
