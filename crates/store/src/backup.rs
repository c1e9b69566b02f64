//! Copies of the databases as they were at one instant, made while others go on writing.

use std::path::Path;
use std::time::Duration;

use milkrun_core::state::JournalRef;
use milkrun_core::{Error, ErrorKind};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::codec::journal_ref;
use crate::database::Database;
use crate::fault::Work;

/// Pages copied between two calls of `progress`: 16 MiB.
const STEP: i32 = 4_096;
/// How long a copy waits for a lock on its own, new file before it looks again.
const AGAIN: Duration = Duration::from_millis(20);

/// The part of a flow's journal that a copy of the state refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalPart {
    /// The flow.
    pub flow: String,
    /// The first segment that some page of it is in.
    pub first: u32,
    /// The last committed entry: its segment is the last, and what lies behind it is not part of the copy.
    pub end: JournalRef,
}

/// Copies a database to `to`, which must not be there yet, with SQLite's online backup.
///
/// `progress` is told how many pages are done, and of how many.
pub(crate) fn copy(database: &Database, to: &Path, mut progress: impl FnMut(u64, u64)) -> Work<()> {
    if to.exists() {
        let error = Error::new(ErrorKind::ConfigInvalid, "there is a file already where the copy would be");
        return Err(error.with("file", to.display()).into());
    }
    let from = database.reader()?;
    // One snapshot held from here on: otherwise each commit of others would begin the copy anew, without end.
    from.execute_batch("BEGIN")?;
    let _: i64 = from.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let mut into = Connection::open(to)?;
    into.pragma_update(None, "synchronous", "FULL")?;
    {
        let backup = Backup::new(&from, &mut into)?;
        loop {
            let outcome = backup.step(STEP)?;
            let done = backup.progress();
            let count = |n: i32| u64::try_from(n).unwrap_or_default();
            progress(count(done.pagecount - done.remaining), count(done.pagecount));
            match outcome {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(AGAIN),
            }
        }
    }
    // The copy is one file, without a log beside it.
    into.pragma_update(None, "journal_mode", "DELETE")?;
    into.close().map_err(|(_, error)| error)?;
    from.execute_batch("COMMIT")?;
    Ok(())
}

/// What the state file at `path` refers to in the journal, and its version.
pub(crate) fn journal_parts(path: &Path) -> Work<(Vec<JournalPart>, i64)> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let version = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut statement = conn.prepare(
        "SELECT name, journal_segment, journal_offset, journal_len, \
         (SELECT min(segment) FROM page WHERE flow = flow.id AND segment > 0) FROM flow ORDER BY name",
    )?;
    let parts = statement
        .query_map([], |row| {
            let end = journal_ref(row, 1)?;
            Ok(JournalPart { flow: row.get(0)?, first: row.get::<_, Option<u32>>(4)?.unwrap_or(end.segment), end })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    Ok((parts.into_iter().filter(|part| part.end.segment > 0).collect(), version))
}

/// What SQLite finds wrong with a database, at most so many lines; nothing: it is sound.
pub(crate) fn integrity(conn: &Connection, most: u32) -> Work<Vec<String>> {
    let mut statement = conn.prepare(&format!("PRAGMA integrity_check({most})"))?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}
