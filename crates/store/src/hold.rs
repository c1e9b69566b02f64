//! One at a time: a locked file in the folder for whatever only one process may do, with who does it beside it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use milkrun_core::{Error, ErrorKind, Result};

/// The right to do something alone on a state folder. It ends when this is dropped, and with the process.
#[derive(Debug)]
#[must_use = "the right ends when this is dropped"]
pub struct Hold {
    /// Who holds it, in words. Not in the locked file itself, which some systems let nobody else read.
    card: PathBuf,
    _lock: File,
}

impl Hold {
    /// Takes the right `name` in `folder`, or says who has it and since when.
    pub(crate) fn take(folder: &Path, name: &str, owner: &str) -> Result<Self> {
        debug_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "`{name}` becomes a file's name");
        let path = folder.join(format!("{name}.lock"));
        let card = folder.join(format!("{name}.holder"));
        let at = |e: std::io::Error| Error::from(e).with("file", path.display());
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(at)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(name, &card)),
            Err(TryLockError::Error(e)) => return Err(at(e)),
        }
        // The file's own time says since when: nobody has to read the clock for it.
        fs::write(&card, owner).map_err(at)?;
        Ok(Self { card, _lock: lock })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The locked file stays: another process may have opened it already, and would wait for a file without a name.
        if let Err(error) = fs::remove_file(&self.card) {
            tracing::debug!(%error, file = %self.card.display(), "a file that says who does something stays");
        }
    }
}

fn taken(name: &str, card: &Path) -> Error {
    let owner = fs::read_to_string(card).ok().filter(|owner| !owner.is_empty());
    let owner = owner.unwrap_or_else(|| "another process".to_owned());
    let since = fs::metadata(card).and_then(|m| m.modified()).ok().and_then(|at| Timestamp::try_from(at).ok());
    let message = match since.and_then(|at| Timestamp::from_second(at.as_second()).ok()) {
        Some(since) => format!("`{name}` is under way on this folder already: {owner} since {since}"),
        None => format!("`{name}` is under way on this folder already: {owner}"),
    };
    Error::new(ErrorKind::Busy, message)
        .advise("wait until it has ended, or stop it; if it is killed, its right ends with it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_each_name_for_itself() {
        let folder = tempfile::tempdir().unwrap();
        let serve = Hold::take(folder.path(), "serve", "process 1 on here").unwrap();
        let error = Hold::take(folder.path(), "serve", "process 2 on here").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        let start = "`serve` is under way on this folder already: process 1 on here since 2";
        assert!(error.message().starts_with(start), "{error}");
        let upkeep = Hold::take(folder.path(), "upkeep", "process 2 on here").unwrap();
        drop((serve, upkeep));
        let again = Hold::take(folder.path(), "serve", "process 3 on here").unwrap();
        assert!(Hold::take(folder.path(), "serve", "x").unwrap_err().message().contains("process 3"));
        drop(again);
    }

    #[test]
    fn what_a_killed_process_left_is_no_hold() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("serve.lock"), "").unwrap();
        fs::write(folder.path().join("serve.holder"), "process 9 on here").unwrap();
        let hold = Hold::take(folder.path(), "serve", "process 1 on here").unwrap();
        assert!(Hold::take(folder.path(), "serve", "x").unwrap_err().message().contains("process 1"));
        drop(hold);
    }
}
