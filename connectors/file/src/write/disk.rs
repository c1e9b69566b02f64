//! The file on disk: locked, cut to what is committed, appended to, durable.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use milkrun_core::{Error, ErrorKind, Existing, Result};

use crate::config::{Compression, OnExisting};
use crate::declared::Writer;
use crate::error::doing;
use crate::files::inode;
use crate::write::mark::{END, Mark, hash};

/// An open file, whose bytes up to `len` are committed or about to be.
#[derive(Debug)]
pub(crate) struct Disk {
    file: File,
    /// The file as the settings say it.
    shown: String,
    compression: Compression,
    len: u64,
    /// The last bytes before `len`.
    end: Vec<u8>,
    /// Whether there may be something after `len`.
    beyond: bool,
}

impl Disk {
    /// Begins the file anew. `tail` is what a file without rows holds.
    ///
    /// # Errors
    /// - [`ErrorKind::Busy`] if another process or flow writes it.
    /// - [`ErrorKind::ConfigInvalid`] if it has content, and the settings say that this is to be refused.
    /// - [`ErrorKind::Io`] if it cannot be written.
    pub(crate) fn begin(writer: &Writer, tail: &[u8]) -> Result<Self> {
        let path = writer.file.full();
        let shown = writer.file.to_string();
        let wrong = |e| doing("the file cannot be written", e).with("file", &shown);
        make_folder(path.parent()).map_err(wrong)?;
        let mut file = open_locked(&path, &shown)?;
        let n_bytes = file.metadata().map_err(wrong)?.len();
        match fate(&file, n_bytes, writer, tail).map_err(wrong)? {
            Existing::Nothing | Existing::Replaced => {}
            Existing::Refused => {
                return Err(Error::config("the file is there already, and on_existing = \"refuse\"")
                    .with("file", &shown)
                    .with("bytes", n_bytes)
                    .advise("move it away, or set on_existing = \"keep-aside\" or \"replace\""));
            }
            Existing::KeptAside => {
                let aside = free_name(&path);
                fs::rename(&path, &aside).map_err(wrong)?;
                tracing::warn!(file = shown, aside = %aside.display(), "the file was there already and is kept aside");
                // The old file stays locked until here, so that no other process begins it meanwhile.
                file = open_locked(&path, &shown)?;
            }
        }
        sync_folder(path.parent()).map_err(wrong)?;
        let mut disk =
            Self { file, shown, compression: writer.compression, len: 0, end: Vec::new(), beyond: n_bytes > 0 };
        disk.append(&[], tail, true)?;
        Ok(disk)
    }

    /// Opens the file and cuts what lies beyond the mark.
    ///
    /// # Errors
    /// - [`ErrorKind::State`] if the file is not what was committed: missing, shorter, or edited. It stays as it is.
    /// - [`ErrorKind::Busy`] if another process or flow writes it.
    /// - [`ErrorKind::Io`] if it cannot be written.
    pub(crate) fn resume(writer: &Writer, mark: &Mark, tail: &[u8]) -> Result<Self> {
        let path = writer.file.full();
        let shown = writer.file.to_string();
        let wrong = |e| doing("the file cannot be written", e).with("file", &shown);
        let changed = |message: String| {
            Error::new(ErrorKind::State, message).with("file", &shown).advise(
                "it was changed from outside: put it back as it was, or run once with --restart to write all anew",
            )
        };
        if !path.try_exists().map_err(wrong)? {
            return Err(changed(format!("the file is missing, and {} bytes of it were committed", mark.len)));
        }
        let mut file = open_locked(&path, &shown)?;
        let n_bytes = file.metadata().map_err(wrong)?.len();
        if n_bytes < mark.len {
            return Err(changed(format!("the file has {n_bytes} bytes, and {} were committed", mark.len)));
        }
        let mut end = Vec::with_capacity(END);
        file.seek(SeekFrom::Start(mark.len.saturating_sub(END as u64))).map_err(wrong)?;
        (&mut file).take(mark.len.min(END as u64)).read_to_end(&mut end).map_err(wrong)?;
        if hash(&end) != mark.end {
            return Err(changed(format!("the file has other bytes before byte {} than were committed", mark.len)));
        }
        let mut disk = Self { file, shown, compression: writer.compression, len: mark.len, end, beyond: true };
        disk.append(&[], tail, mark.rows == 0)?;
        Ok(disk)
    }

    /// How many bytes are committed or about to be.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// A hash of the last bytes.
    pub(crate) fn end(&self) -> String {
        hash(&self.end)
    }

    /// Appends `rows`, then `tail` which does not count, and makes both durable.
    ///
    /// After an error nothing has changed: what was written lies beyond the end, and the next call writes over it.
    pub(crate) fn append(&mut self, rows: &[u8], tail: &[u8], is_empty: bool) -> Result<()> {
        let appended = self.try_append(rows, tail, is_empty);
        appended.map_err(|e| {
            // Only to be tidy: the mark has not moved, and the next opening cuts as well.
            let _ = self.file.set_len(self.len);
            doing("the file cannot be written", e).with("file", &self.shown)
        })
    }

    fn try_append(&mut self, rows: &[u8], tail: &[u8], is_empty: bool) -> io::Result<()> {
        let packed_rows;
        let rows = match self.compression {
            Compression::None => rows,
            compression => {
                packed_rows = pack(rows, false, compression)?;
                &packed_rows
            }
        };
        let tail = pack(tail, is_empty, self.compression)?;
        if self.beyond {
            self.file.set_len(self.len)?;
        } else if rows.is_empty() && tail.is_empty() {
            return Ok(());
        }
        self.beyond = true;
        self.file.seek(SeekFrom::Start(self.len))?;
        self.file.write_all(rows)?;
        self.file.write_all(&tail)?;
        self.file.sync_data()?;
        self.beyond = !tail.is_empty();
        self.len += rows.len() as u64;
        let keep = END.saturating_sub(rows.len()).min(self.end.len());
        self.end.drain(..self.end.len() - keep);
        self.end.extend_from_slice(&rows[rows.len() - rows.len().min(END)..]);
        Ok(())
    }
}

/// One gzip member or zstd frame of `bytes`; nothing of nothing, unless the file would be empty without it.
fn pack(bytes: &[u8], is_file: bool, compression: Compression) -> io::Result<Vec<u8>> {
    if bytes.is_empty() && !is_file {
        return Ok(Vec::new());
    }
    match compression {
        Compression::None => Ok(bytes.to_vec()),
        Compression::Gzip => {
            let mut member = GzEncoder::new(Vec::new(), flate2::Compression::default());
            member.write_all(bytes)?;
            member.finish()
        }
        Compression::Zstd => {
            let mut frame = zstd::Encoder::new(Vec::new(), zstd::DEFAULT_COMPRESSION_LEVEL)?;
            frame.include_checksum(true)?;
            frame.write_all(bytes)?;
            frame.finish()
        }
    }
}

/// Opens the file, which is made if it is missing, and keeps others from writing it.
fn open_locked(path: &Path, shown: &str) -> Result<File> {
    let wrong = |e| doing("the file cannot be written", e).with("file", shown);
    let busy = || {
        Error::new(ErrorKind::Busy, "another process or flow writes the file")
            .with("file", shown)
            .advise("wait for it to end, or give each flow a target of its own")
    };
    for _ in 0..100 {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(wrong)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(busy());
            }
            // A network disk that has no locks: the lease of the flow still keeps its own workers apart.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(e)) => return Err(wrong(e)),
        }
        // Another process may have moved it aside between the opening and the lock.
        let is_there = fs::metadata(path)
            .is_ok_and(|there| file.metadata().is_ok_and(|mine| inode(&there)[..2] == inode(&mine)[..2]));
        if is_there {
            return Ok(file);
        }
    }
    Err(busy())
}

/// What beginning the file anew would do to what it holds now. `tail` is what a file without rows holds.
///
/// # Errors
/// [`ErrorKind::Io`] if it cannot be read.
pub(crate) fn existing(writer: &Writer, tail: &[u8]) -> Result<Existing> {
    let fate = || match File::open(writer.file.full()) {
        Ok(file) => fate(&file, file.metadata()?.len(), writer, tail),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Existing::Nothing),
        Err(e) => Err(e),
    };
    fate().map_err(|e| doing("the file cannot be read", e).with("file", &writer.file))
}

/// What becomes of the `n_bytes` of the file: a file without rows holds nothing.
fn fate(file: &File, n_bytes: u64, writer: &Writer, tail: &[u8]) -> io::Result<Existing> {
    if n_bytes == 0 || holds(file, n_bytes, &pack(tail, true, writer.compression)?)? {
        return Ok(Existing::Nothing);
    }
    Ok(match writer.on_existing {
        OnExisting::KeepAside => Existing::KeptAside,
        OnExisting::Replace => Existing::Replaced,
        OnExisting::Refuse => Existing::Refused,
    })
}

/// Whether the file holds these bytes and no others.
fn holds(mut file: &File, n_bytes: u64, expected: &[u8]) -> io::Result<bool> {
    if n_bytes != expected.len() as u64 {
        return Ok(false);
    }
    let mut bytes = Vec::with_capacity(expected.len());
    file.seek(SeekFrom::Start(0))?;
    file.take(n_bytes).read_to_end(&mut bytes)?;
    Ok(bytes == expected)
}

/// `orders.jsonl.bak-1`, or the first number after it that is free.
fn free_name(path: &Path) -> PathBuf {
    let named = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".bak-{n}"));
        PathBuf::from(name)
    };
    (1..=u32::MAX).map(named).find(|p| fs::symlink_metadata(p).is_err()).expect("some number is free")
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

/// Proves that the file can be written, and leaves nothing behind.
pub(crate) fn probe(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return OpenOptions::new().append(true).open(path).map(|_| ());
    }
    let folder = path.ancestors().skip(1).find(|p| p.exists()).unwrap_or(Path::new("."));
    let name = folder.join(format!(".milkrun-check-{}", std::process::id()));
    File::create(&name)?;
    fs::remove_file(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_append_changes_nothing_and_can_be_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let file = || OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
            let shown = "x".to_owned();
            let mut disk = Disk { file: file(), shown, compression, len: 0, end: Vec::new(), beyond: false };
            disk.append(b"one\n", b"]", false).unwrap();
            let (len, end, bytes) = (disk.len(), disk.end(), fs::read(&path).unwrap());
            let good = std::mem::replace(&mut disk.file, File::open(&path).unwrap());
            assert_eq!(disk.append(b"two\n", b"]", false).unwrap_err().kind(), ErrorKind::Io);
            assert_eq!((disk.len(), disk.end(), fs::read(&path).unwrap()), (len, end, bytes));
            // Half of it came through.
            disk.file = good;
            disk.file.write_all(b"two, and much that will not stay").unwrap();
            disk.append(b"two\n", b"]", false).unwrap();
            let mut text = String::new();
            let bytes = fs::read(&path).unwrap();
            match compression {
                Compression::None => text = String::from_utf8(bytes).unwrap(),
                Compression::Gzip => {
                    flate2::read::MultiGzDecoder::new(&*bytes).read_to_string(&mut text).map(|_| ()).unwrap();
                }
                Compression::Zstd => text = String::from_utf8(zstd::decode_all(&*bytes).unwrap()).unwrap(),
            }
            assert_eq!(text, "one\ntwo\n]");
        }
    }
}
