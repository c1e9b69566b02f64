//! The journal: pages as they came, compressed, in append-only segment files.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use milkrun_core::state::{Journal, JournalEntry, JournalRef};
use milkrun_core::{Error, ErrorKind, Result};

use crate::segment::{ENTRY_HEAD_LEN, Encoder, HEAD_LEN, decode, head};

/// What a caller may choose of a journal.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// A segment that has grown to this size gets no further entries.
    pub segment_bytes: u64,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20 }
    }
}

/// The journals of all flows: `<folder>/<flow>/NNNNNN.seg`.
///
/// A flow's journal is written by whoever has its lease; anybody may read it meanwhile.
#[derive(Debug)]
pub struct FileJournal {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    options: JournalOptions,
    flows: Mutex<HashMap<String, Arc<Mutex<Tail>>>>,
    /// Compressors at rest: their memory is used again.
    encoders: Mutex<Vec<Encoder>>,
}

/// A segment file of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its number, from 1.
    pub number: u32,
    /// Its length.
    pub bytes: u64,
    /// When it was written to for the last time, as the file system says.
    pub written: Timestamp,
}

/// Where the next entry of a flow goes.
#[derive(Debug, Default)]
struct Tail {
    segment: u32,
    end: u64,
    /// The segment, if it is open for writing.
    file: Option<File>,
}

impl FileJournal {
    /// The journals in `folder`, which is created when it is needed.
    pub fn new(folder: &Path, options: JournalOptions) -> Arc<Self> {
        let (flows, encoders) = (Mutex::default(), Mutex::default());
        Arc::new(Self { inner: Arc::new(Inner { folder: folder.to_owned(), options, flows, encoders }) })
    }

    /// Removes the segments of a flow below that number and returns how many bytes they had.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if a file cannot be removed.
    pub async fn remove_below(&self, flow: &str, segment: u32) -> Result<u64> {
        let flow = flow.to_owned();
        self.blocking(move |inner| inner.remove(&flow, |n| n < segment)).await
    }

    /// The segments of a flow, in order; none if it has no journal.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if its folder cannot be read.
    pub async fn segments(&self, flow: &str) -> Result<Vec<Segment>> {
        let flow = flow.to_owned();
        self.blocking(move |inner| inner.segments(&flow)).await
    }

    /// Where a segment of a flow is.
    pub fn path_of(&self, flow: &str, segment: u32) -> PathBuf {
        self.inner.path(flow, segment)
    }

    /// The bytes of all segments of all flows.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if a folder cannot be read.
    pub async fn bytes(&self) -> Result<u64> {
        self.blocking(Inner::bytes).await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> Result<T> + Send + 'static) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.unwrap_or_else(|e| Err(Error::new(ErrorKind::Unexpected, "the journal broke off").caused_by(e)))
    }
}

#[async_trait]
impl Journal for FileJournal {
    async fn open(&self, flow: &str, end: JournalRef) -> Result<()> {
        let flow = flow.to_owned();
        self.blocking(move |inner| inner.open(&flow, end)).await
    }

    async fn append(&self, flow: &str, entries: Vec<JournalEntry>) -> Result<Vec<JournalRef>> {
        let flow = flow.to_owned();
        self.blocking(move |inner| inner.append(&flow, &entries)).await
    }

    async fn read(&self, flow: &str, at: JournalRef) -> Result<JournalEntry> {
        let flow = flow.to_owned();
        self.blocking(move |inner| inner.read(&flow, at)).await
    }
}

impl Inner {
    fn open(&self, flow: &str, end: JournalRef) -> Result<()> {
        let tail = self.tail(flow);
        let mut tail = lock(&tail);
        *tail = Tail::default();
        if end.segment > 0 {
            // The last committed entry is read whole: the length alone would not show a torn one.
            self.read(flow, end)?;
            let path = self.path(flow, end.segment);
            let at = |e: io::Error| at(e, &path);
            let file = OpenOptions::new().write(true).open(&path).map_err(at)?;
            if file.metadata().map_err(at)?.len() > end.end() {
                file.set_len(end.end()).and_then(|()| file.sync_data()).map_err(at)?;
            }
            *tail = Tail { segment: end.segment, end: end.end(), file: Some(file) };
        }
        self.remove(flow, |n| n > end.segment).map(drop)
    }

    fn append(&self, flow: &str, entries: &[JournalEntry]) -> Result<Vec<JournalRef>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::new();
        let lens = self.encode(entries, &mut bytes)?;
        let tail = self.tail(flow);
        let mut tail = lock(&tail);
        if tail.file.is_none() || tail.end >= self.options.segment_bytes {
            self.begin_segment(flow, &mut tail)?;
        }
        let segment = tail.segment;
        let path = self.path(flow, segment);
        let mut offset = tail.end;
        tail.write(&bytes).map_err(|e| at(e, &path))?;
        let refs = lens.into_iter().map(|len| {
            let at = JournalRef { segment, offset, len };
            offset = at.end();
            at
        });
        Ok(refs.collect())
    }

    fn encode(&self, entries: &[JournalEntry], out: &mut Vec<u8>) -> Result<Vec<u32>> {
        let resting = lock(&self.encoders).pop();
        let mut encoder = resting.map_or_else(Encoder::new, Ok)?;
        let lens = entries.iter().map(|entry| encoder.encode(entry, out)).collect();
        lock(&self.encoders).push(encoder);
        lens
    }

    /// Makes the next segment; it and its place in the folder are durable.
    fn begin_segment(&self, flow: &str, tail: &mut Tail) -> Result<()> {
        let folder = self.flow_folder(flow);
        let segment = tail.segment + 1;
        let path = self.path(flow, segment);
        let make = || -> io::Result<File> {
            fs::create_dir_all(&folder)?;
            // Never over an entry: a segment that is there though it should not be is an error.
            let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            file.write_all(&head(segment))?;
            file.sync_data()?;
            let above = self.folder.parent().filter(|above| !above.as_os_str().is_empty());
            for folder in [Some(folder.as_path()), Some(&self.folder), above].into_iter().flatten() {
                sync_folder(folder)?;
            }
            Ok(file)
        };
        let file = make().map_err(|e| {
            if e.kind() == io::ErrorKind::AlreadyExists {
                return Error::new(ErrorKind::State, "the journal was not opened before it was written")
                    .with("file", path.display());
            }
            // Half a segment would be in the way of the next attempt.
            drop(fs::remove_file(&path));
            at(e, &path)
        })?;
        *tail = Tail { segment, end: HEAD_LEN, file: Some(file) };
        Ok(())
    }

    fn read(&self, flow: &str, entry: JournalRef) -> Result<JournalEntry> {
        let path = self.path(flow, entry.segment);
        let damaged = |message: &'static str| {
            Error::new(ErrorKind::State, message)
                .with("file", path.display())
                .with("offset", entry.offset)
                .advise("put the file back from a backup, or run the flow with `--restart`, which begins a new journal")
        };
        let mut file = match File::open(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(damaged("a segment of the journal is missing: it was removed or has never been here"));
            }
            file => file.map_err(|e| at(e, &path))?,
        };
        let len = entry.len as usize;
        if entry.offset < HEAD_LEN || len < ENTRY_HEAD_LEN {
            return Err(damaged("this is not a place in the journal"));
        }
        let mut bytes = Vec::with_capacity(len);
        let read = file
            .seek(SeekFrom::Start(entry.offset))
            .and_then(|_| (&mut file).take(entry.len.into()).read_to_end(&mut bytes));
        read.map_err(|e| at(e, &path))?;
        if bytes.len() < len {
            return Err(damaged("the journal is shorter than what was committed"));
        }
        decode(&bytes).ok_or_else(|| damaged("an entry of the journal is damaged"))
    }

    /// Removes the segments of a flow whose number is chosen, newest first, and returns how many bytes they had.
    fn remove(&self, flow: &str, chosen: impl Fn(u32) -> bool) -> Result<u64> {
        let folder = self.flow_folder(flow);
        let mut segments: Vec<u32> = numbers(&folder)?.into_iter().filter(|&n| chosen(n)).collect();
        segments.sort_unstable();
        let mut n_bytes = 0;
        for &segment in segments.iter().rev() {
            let path = self.path(flow, segment);
            n_bytes +=
                fs::metadata(&path).and_then(|m| fs::remove_file(&path).map(|()| m.len())).map_err(|e| at(e, &path))?;
        }
        if !segments.is_empty() {
            sync_folder(&folder).map_err(|e| at(e, &folder))?;
        }
        Ok(n_bytes)
    }

    fn segments(&self, flow: &str) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        for number in numbers(&self.flow_folder(flow))? {
            let path = self.path(flow, number);
            let found = match fs::metadata(&path) {
                // Retention of another process may be at work.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                found => found.and_then(|m| Ok((m.len(), m.modified()?))).map_err(|e| at(e, &path))?,
            };
            let written = Timestamp::try_from(found.1).unwrap_or(Timestamp::UNIX_EPOCH);
            segments.push(Segment { number, bytes: found.0, written });
        }
        segments.sort_unstable_by_key(|segment| segment.number);
        Ok(segments)
    }

    fn bytes(&self) -> Result<u64> {
        let flows = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
            flows => flows.map_err(|e| at(e, &self.folder))?,
        };
        let mut bytes = 0;
        for flow in flows {
            let folder = flow.map_err(|e| at(e, &self.folder))?.path();
            for number in numbers(&folder)? {
                bytes += fs::metadata(folder.join(file_name(number))).map_or(0, |m| m.len());
            }
        }
        Ok(bytes)
    }

    fn tail(&self, flow: &str) -> Arc<Mutex<Tail>> {
        Arc::clone(lock(&self.flows).entry(flow.to_owned()).or_default())
    }

    fn flow_folder(&self, flow: &str) -> PathBuf {
        self.folder.join(folder_name(flow))
    }

    fn path(&self, flow: &str, segment: u32) -> PathBuf {
        self.flow_folder(flow).join(file_name(segment))
    }
}

fn file_name(segment: u32) -> String {
    format!("{segment:06}.seg")
}

/// The numbers of the segments in a flow's folder, in no order; none if it is not there.
fn numbers(folder: &Path) -> Result<Vec<u32>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(Vec::new()),
        entries => entries.map_err(|e| at(e, folder))?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(|e| at(e, folder))?.file_name();
        numbers.extend(name.to_str().and_then(|n| n.strip_suffix(".seg")).and_then(|n| n.parse::<u32>().ok()));
    }
    Ok(numbers)
}

impl Tail {
    /// Writes at the end and waits for the disk; what a failed attempt left is cut, or overwritten by the next.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_mut().expect("a segment has been begun");
        file.seek(SeekFrom::Start(self.end))?;
        if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_data()) {
            drop(file.set_len(self.end));
            return Err(error);
        }
        self.end += bytes.len() as u64;
        Ok(())
    }
}

/// A flow's name as a folder's: what a file system could take for something else is written as `%` and its code.
fn folder_name(flow: &str) -> String {
    let mut name = String::with_capacity(flow.len());
    for (i, c) in flow.char_indices() {
        let plain = c.is_alphanumeric() || c == '-' || c == '_' || (c == '.' && i > 0);
        if plain {
            name.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(name, "%{byte:02X}").expect("writing to memory cannot fail");
            }
        }
    }
    name
}

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems keep names durable by themselves and cannot open a folder.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn at(error: io::Error, path: &Path) -> Error {
    Error::from(error).with("file", path.display())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder panics")
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("folder", &self.folder).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_names_become_folder_names() {
        let table = [
            ("orders", "orders"),
            ("采购订单-1.b", "采购订单-1.b"),
            ("..", "%2E."),
            ("a/b c", "a%2Fb%20c"),
            ("a%2Fb", "a%252Fb"),
            ("", ""),
        ];
        for (flow, folder) in table {
            assert_eq!(folder_name(flow), folder);
        }
    }
}
