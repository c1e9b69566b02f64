//! What SQLite's errors mean to a user.

use std::io;
use std::path::Path;

use milkrun_core::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// What went wrong while the database was at work.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite said so.
    Sql(rusqlite::Error),
    /// We say so, in full.
    Told(Error),
}

/// The result of work on a database.
pub(crate) type Work<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

impl Fault {
    /// Something stored that this version cannot have written.
    pub(crate) fn unexpected(what: &'static str) -> Self {
        Self::Told(Error::new(ErrorKind::State, what).advise(RESTORE))
    }

    /// The error for the user; `path` is the database, `what` its name in a sentence, and `remedy` what to do if it is
    /// damaged.
    pub(crate) fn explain(self, what: &str, path: &Path, remedy: &'static str) -> Error {
        match self {
            Self::Told(error) => error,
            Self::Sql(error) => explain(error, what, path, remedy),
        }
    }
}

/// What to do if the state file is damaged.
pub(crate) const RESTORE: &str =
    "nothing was changed; put a backup in its place, or move it away to begin anew, which delivers every record again";

/// What to do if the log of calls is damaged: it holds nothing that lasts.
pub(crate) const BEGIN_ANEW: &str = "end all milkrun processes that use this folder, remove the file and what is called \
    like it with -wal and -shm, wait until the longest window of the vendors' quotas has passed, and run again: it only \
    holds the last calls, and no record depends on it";

/// How long a writer waits for another process's transaction.
pub(crate) const BUSY_SECS: u64 = 30;

fn explain(error: rusqlite::Error, what: &str, path: &Path, remedy: &'static str) -> Error {
    let code = error.sqlite_error_code();
    let told = match code {
        Some(ErrorCode::DiskFull) => Error::from(io::Error::from(io::ErrorKind::StorageFull)),
        Some(ErrorCode::NotADatabase) => not_a_database(what, path, remedy),
        Some(ErrorCode::DatabaseCorrupt) => {
            Error::new(ErrorKind::State, format!("the {what} is damaged")).advise(remedy)
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            Error::new(ErrorKind::Io, format!("the {what} cannot be opened for writing"))
                .advise("check that its folder exists and that this user may write to the folder and the file")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::new(ErrorKind::Busy, format!("another process has kept the {what} locked for {BUSY_SECS} s"))
                .advise("end the program that has it open, such as a sqlite3 shell or a backup, and run again")
        }
        Some(ErrorCode::SystemIoFailure) => {
            Error::new(ErrorKind::Io, format!("the {what} could not be read or written"))
                .advise("check the disk, and that there is room on it; nothing committed is lost")
        }
        _ => Error::new(ErrorKind::State, format!("the {what} could not be used")),
    };
    let told = told.with("file", path.display());
    if code == Some(ErrorCode::DiskFull) { told } else { told.caused_by(error) }
}

/// The error for a file that SQLite has not written.
pub(crate) fn not_a_database(what: &str, path: &Path, remedy: &'static str) -> Error {
    Error::new(ErrorKind::State, format!("the {what} is not a database")).with("file", path.display()).advise(remedy)
}

/// The same error once more, for a further caller that it concerns.
pub(crate) fn copy_of(error: &Error) -> Error {
    let copy = Error::new(error.kind(), error.message().to_owned()).retry_as(error.retry());
    let copy = match error.help() {
        Some(help) => copy.advise(help.to_owned()),
        None => copy,
    };
    error.context().iter().fold(copy, |copy, (name, value)| copy.with(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: i32) -> String {
        let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        let error = Fault::Sql(error).explain("state file", Path::new("/x/state.db"), RESTORE);
        assert!(error.help().is_some(), "{error}");
        format!("{error:?}")
    }

    #[test]
    fn names_the_file_and_the_matter() {
        use rusqlite::ffi;
        let table = [
            (ffi::SQLITE_FULL, "io: the disk is full (file: /x/state.db)"),
            (ffi::SQLITE_NOTADB, "state: the state file is not a database (file: /x/state.db)"),
            (ffi::SQLITE_CORRUPT, "state: the state file is damaged (file: /x/state.db)"),
            (ffi::SQLITE_READONLY, "io: the state file cannot be opened for writing (file: /x/state.db)"),
            (ffi::SQLITE_CANTOPEN, "io: the state file cannot be opened for writing (file: /x/state.db)"),
            (ffi::SQLITE_BUSY, "busy: another process has kept the state file locked for 30 s (file: /x/state.db)"),
            (ffi::SQLITE_IOERR, "io: the state file could not be read or written (file: /x/state.db)"),
        ];
        for (code, start) in table {
            assert!(told(code).starts_with(start), "{}", told(code));
        }
    }

    #[test]
    fn a_copy_says_the_same() {
        let error = Error::new(ErrorKind::Busy, "no").with("flow", "x").advise("wait");
        let copy = copy_of(&error);
        assert_eq!(format!("{copy:?} {:?}", copy.help()), format!("{error:?} {:?}", error.help()));
    }
}
