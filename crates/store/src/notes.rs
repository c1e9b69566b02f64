//! Notes and records of what happened, each on a shelf of its own.

use jiff::Timestamp;
use milkrun_core::notes::Entry;
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{from_id, instant, nanos};
use crate::fault::Work;

/// The notes of a shelf, by name.
pub(crate) fn notes(conn: &Connection, shelf: &str) -> Work<Vec<(String, String)>> {
    let notes = conn
        .prepare_cached("SELECT name, text FROM note WHERE shelf = ?1 ORDER BY name")?
        .query_map([shelf], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(notes)
}

/// One note, if it is there.
pub(crate) fn note(conn: &Connection, shelf: &str, name: &str) -> Work<Option<String>> {
    let found = conn
        .prepare_cached("SELECT text FROM note WHERE shelf = ?1 AND name = ?2")?
        .query_row([shelf, name], |row| row.get(0));
    Ok(found.optional()?)
}

/// Writes notes, and takes away those that are `None`.
pub(crate) fn put(conn: &Connection, shelf: &str, notes: &[(String, Option<String>)]) -> Work<()> {
    let mut write = conn.prepare_cached(
        "INSERT INTO note VALUES(?1, ?2, ?3) ON CONFLICT(shelf, name) DO UPDATE SET text = excluded.text",
    )?;
    let mut remove = conn.prepare_cached("DELETE FROM note WHERE shelf = ?1 AND name = ?2")?;
    for (name, text) in notes {
        match text {
            Some(text) => write.execute([shelf, name, text])?,
            None => remove.execute([shelf, name])?,
        };
    }
    Ok(())
}

/// Adds a line to the record of a shelf, and returns its number.
pub(crate) fn record(conn: &Connection, shelf: &str, at: Timestamp, text: &str) -> Work<u64> {
    conn.prepare_cached("INSERT INTO line(shelf, at, text) VALUES(?1, ?2, ?3)")?.execute(params![
        shelf,
        nanos(at),
        text
    ])?;
    Ok(from_id(conn.last_insert_rowid()))
}

/// The lines of a shelf, newest first, below the number `before`.
pub(crate) fn recorded(conn: &Connection, shelf: &str, before: Option<u64>, limit: u32) -> Work<Vec<Entry>> {
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let lines = conn
        .prepare_cached("SELECT id, at, text FROM line WHERE shelf = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3")?
        .query_map(params![shelf, before, limit], |row| {
            Ok(Entry { id: from_id(row.get(0)?), at: instant(row.get(1)?), text: row.get(2)? })
        })?
        .collect::<Result<_, _>>()?;
    Ok(lines)
}

/// Takes away the lines of a shelf that are older than `before`; says how many.
pub(crate) fn forget(conn: &Connection, shelf: &str, before: Timestamp) -> Work<u64> {
    let n_lines =
        conn.prepare_cached("DELETE FROM line WHERE shelf = ?1 AND at < ?2")?.execute(params![shelf, nanos(before)])?;
    Ok(n_lines as u64)
}
