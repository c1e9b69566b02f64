//! One file of kept records: locked, cut to what is committed, appended to, durable.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use milkrun_core::{Error, ErrorKind, Existing, Result};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::ids::IdRule;

/// What of a file is committed, as the checkpoint keeps it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// How many bytes.
    len: u64,
    /// A hash of the last bytes, which shows that the file was edited.
    end: String,
}

/// How many bytes before the committed end the mark vouches for.
const END: u64 = 4096;

/// An open file, whose bytes up to `len` are committed or about to be.
#[derive(Debug)]
pub(crate) struct Kept {
    file: File,
    path: PathBuf,
    len: u64,
}

/// A digest of an id, in place of the id.
pub(crate) fn digest(id: &str) -> u128 {
    xxh3_128(id.as_bytes())
}

impl Kept {
    /// Opens the file and cuts what lies beyond `committed`; `None` begins it anew, and keeps what was there aside.
    ///
    /// # Errors
    /// - [`ErrorKind::State`] if the file is not what was committed: missing, shorter, or edited. It stays as it is.
    /// - [`ErrorKind::Busy`] if another process or flow writes it.
    /// - [`ErrorKind::Io`] if it cannot be written.
    pub(crate) fn open(path: &Path, committed: Option<&str>) -> Result<Self> {
        let kept = match committed {
            Some(mark) => Self::resume(path, mark),
            None => Self::begin(path),
        };
        kept.map_err(|error| error.with("file", path.display()))
    }

    fn begin(path: &Path) -> Result<Self> {
        make_folder(path.parent()).map_err(wrong)?;
        let mut file = locked(path)?;
        if file.metadata().map_err(wrong)?.len() > 0 {
            let aside = free_name(path);
            fs::rename(path, &aside).map_err(wrong)?;
            tracing::warn!(file = %path.display(), aside = %aside.display(), "the file was there already and is kept aside");
            // The old file stays locked until here, so that no other process begins it meanwhile.
            file = locked(path)?;
        }
        sync_folder(path.parent()).map_err(wrong)?;
        Ok(Self { file, path: path.to_owned(), len: 0 })
    }

    fn resume(path: &Path, mark: &str) -> Result<Self> {
        let changed = |message: String| {
            Error::new(ErrorKind::State, message).advise(
                "it was changed from outside: put it back as it was, or run once with --restart to keep all anew",
            )
        };
        let Mark { len, end } = serde_json::from_str(mark).map_err(|cause| {
            let error = Error::new(ErrorKind::State, "the committed mark of the file cannot be read");
            error.caused_by(cause).advise("it was written by another version; run once with --restart to keep all anew")
        })?;
        if !path.try_exists().map_err(wrong)? {
            return Err(changed(format!("the file is missing, and {len} bytes of it were committed")));
        }
        let mut file = locked(path)?;
        let n_bytes = file.metadata().map_err(wrong)?.len();
        if n_bytes < len {
            return Err(changed(format!("the file has {n_bytes} bytes, and {len} were committed")));
        }
        if hash_before(&mut file, len).map_err(wrong)? != end {
            return Err(changed(format!("the file has other bytes before byte {len} than were committed")));
        }
        if n_bytes > len {
            file.set_len(len).and_then(|()| file.sync_data()).map_err(wrong)?;
        }
        Ok(Self { file, path: path.to_owned(), len })
    }

    /// Appends lines and makes them durable; after an error nothing has changed.
    pub(crate) fn append(&mut self, lines: &[u8]) -> Result<()> {
        let appended = (|| {
            // What an earlier try may have left there.
            self.file.set_len(self.len)?;
            self.file.seek(SeekFrom::Start(self.len))?;
            self.file.write_all(lines)?;
            self.file.sync_data()
        })();
        appended.map_err(|cause| wrong(cause).with("file", self.path.display()))?;
        self.len += lines.len() as u64;
        Ok(())
    }

    /// The mark to commit.
    pub(crate) fn mark(&mut self) -> Result<String> {
        let end = hash_before(&mut self.file, self.len).map_err(wrong)?;
        Ok(serde_json::to_string(&Mark { len: self.len, end }).expect("a mark is plain data"))
    }

    /// The digests of all ids that are kept.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if a line is no document with an id.
    pub(crate) fn ids(&mut self, rule: &IdRule) -> Result<HashSet<u128>> {
        self.file.seek(SeekFrom::Start(0)).map_err(wrong)?;
        let mut ids = HashSet::new();
        let mut lines = BufReader::new((&mut self.file).take(self.len));
        let mut line = String::new();
        while {
            line.clear();
            lines.read_line(&mut line).map_err(wrong)?
        } > 0
        {
            let (id, _) = rule.apply(&line).map_err(|cause| {
                let error = Error::new(ErrorKind::State, "a kept line has no id");
                error.with("file", self.path.display()).caused_by(cause).advise("set `id_check = false`, or --restart")
            })?;
            ids.insert(digest(&id));
        }
        Ok(ids)
    }

    /// The file's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// What beginning the file anew would do to what it holds now.
pub(crate) fn existing(path: &Path) -> Result<Existing> {
    match fs::metadata(path) {
        Ok(found) if found.len() > 0 => Ok(Existing::KeptAside),
        Ok(_) => Ok(Existing::Nothing),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Existing::Nothing),
        Err(cause) => Err(wrong(cause).with("file", path.display())),
    }
}

fn wrong(cause: io::Error) -> Error {
    if cause.kind() == io::ErrorKind::StorageFull {
        return Error::from(cause);
    }
    let error = Error::new(ErrorKind::Io, "the file cannot be written").caused_by(cause);
    error.advise("check `noop.folder`, the disk, and the rights of the user of this process")
}

/// A hash of the bytes that end at `len`.
fn hash_before(file: &mut File, len: u64) -> io::Result<String> {
    let from = len.saturating_sub(END);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.take(len - from).read_to_end(&mut end)?;
    Ok(format!("{:016x}", xxh3_64(&end)))
}

/// Opens the file, which is made if it is missing, and keeps others from writing it.
fn locked(path: &Path) -> Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(wrong)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(ErrorKind::Busy, "another process or flow writes the file")
            .advise("wait for it to end, or give each flow a target of its own")),
        // A network disk that has no locks: the lease of the flow still keeps its own workers apart.
        Err(TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(cause)) => Err(wrong(cause)),
    }
}

/// `refunds.jsonl.bak-1`, or the first number after it that is free.
fn free_name(path: &Path) -> PathBuf {
    let named = |n: u32| PathBuf::from(format!("{}.bak-{n}", path.display()));
    (1..=u32::MAX).map(named).find(|path| fs::symlink_metadata(path).is_err()).expect("some number is free")
}

/// Makes the folder and those it lies in, durably.
fn make_folder(folder: Option<&Path>) -> io::Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    let missing: Vec<_> = folder.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    fs::create_dir_all(folder)?;
    missing.into_iter().rev().try_for_each(|made| sync_folder(made.parent()))
}

/// Makes the names in the folder durable.
fn sync_folder(folder: Option<&Path>) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let folder = folder.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Proves that files can be made in the folder, or in the first one above it that is there, and leaves nothing behind.
pub(crate) fn probe(folder: &Path) -> Result<()> {
    let there = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let name = there.join(format!(".milkrun-check-{}", std::process::id()));
    let probed = File::create(&name).and_then(|_| fs::remove_file(&name));
    probed.map_err(|cause| wrong(cause).with("folder", folder.display()))
}
