//! Who lives: each open store holds the lock on a file of its own, and the system takes it away when the process dies.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use milkrun_core::{Error, ErrorKind, Result};

/// This worker, and a view of the others on the same folder.
#[derive(Debug)]
pub(crate) struct Workers {
    folder: PathBuf,
    own: String,
    /// Locked while this worker lives.
    _lock: File,
}

impl Workers {
    /// Joins the workers of `folder`, and removes what dead ones left there.
    ///
    /// The caller holds the [`Gate`], so that nobody takes a worker for dead that is not yet locked.
    pub(crate) fn join(folder: PathBuf, _gate: &Gate) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let own = random_name()?;
        let lock = OpenOptions::new().read(true).write(true).create_new(true).open(lock_file(&folder, &own))?;
        lock.try_lock().map_err(io::Error::from)?;
        let workers = Self { folder, own, _lock: lock };
        for entry in fs::read_dir(&workers.folder)? {
            let name = entry?.file_name();
            if let Some(name) = name.to_str().and_then(|n| n.strip_suffix(".lock")) {
                workers.is_alive(name)?;
            }
        }
        Ok(workers)
    }

    /// The name of this worker.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// Whether that worker still runs. The file of a dead one is removed.
    pub(crate) fn is_alive(&self, worker: &str) -> Result<bool> {
        if worker == self.own {
            return Ok(true);
        }
        let path = lock_file(&self.folder, worker);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        match file.try_lock() {
            Ok(()) => {
                remove(&path);
                Ok(false)
            }
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(e)) => Err(e.into()),
        }
    }

    /// Whether any other worker runs.
    pub(crate) fn has_others(&self) -> Result<bool> {
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let name = name.to_str().and_then(|n| n.strip_suffix(".lock"));
            if let Some(name) = name
                && name != self.own
                && self.is_alive(name)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        remove(&lock_file(&self.folder, &self.own));
    }
}

/// Whether any worker of that folder runs; nothing is changed.
pub(crate) fn any_alive(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|end| end != "lock") {
            continue;
        }
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(true),
            Err(TryLockError::Error(e)) => return Err(e),
        }
    }
    Ok(false)
}

/// A lock that every process holds while it opens the folder.
#[derive(Debug)]
pub(crate) struct Gate {
    _lock: File,
}

impl Gate {
    /// Waits until no other process is opening the folder.
    pub(crate) fn pass(folder: &Path) -> Result<Self> {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("open.lock"))?;
        lock.lock()?;
        Ok(Self { _lock: lock })
    }
}

/// Who this process is, in words.
pub(crate) fn describe_self() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
    let host = host.unwrap_or_default();
    let host = if host.trim().is_empty() { "this machine" } else { host.trim() };
    format!("process {} on {host}", std::process::id())
}

fn lock_file(folder: &Path, worker: &str) -> PathBuf {
    folder.join(format!("{worker}.lock"))
}

/// A file that stays costs nothing: whoever looks next finds it unlocked.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(%error, file = %path.display(), "a lock file stays");
    }
}

fn random_name() -> Result<String> {
    Ok(format!("{:032x}", u128::from_le_bytes(random()?)))
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(ErrorKind::Io, "the system gives no random numbers").caused_by(e))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_lives_as_long_as_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let gate = Gate::pass(folder.path()).unwrap();
        let join = || Workers::join(folder.path().join("workers"), &gate).unwrap();
        let (a, b) = (join(), join());
        assert!(a.is_alive(a.own()).unwrap() && a.is_alive(b.own()).unwrap() && a.has_others().unwrap());
        let gone = b.own().to_owned();
        drop(b);
        assert!(!a.is_alive(&gone).unwrap() && !a.has_others().unwrap());
    }

    #[test]
    fn the_file_of_a_killed_worker_is_cleaned_up() {
        let folder = tempfile::tempdir().unwrap();
        let gate = Gate::pass(folder.path()).unwrap();
        let workers = folder.path().join("workers");
        fs::create_dir(&workers).unwrap();
        fs::write(workers.join("dead.lock"), "").unwrap();
        let a = Workers::join(workers.clone(), &gate).unwrap();
        assert!(!workers.join("dead.lock").exists());
        fs::write(workers.join("dead.lock"), "").unwrap();
        assert!(!a.is_alive("dead").unwrap());
        assert!(!workers.join("dead.lock").exists());
    }
}
