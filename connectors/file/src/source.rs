//! The source: pages of records from files, each page read wholly in the state that it names.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use milkrun_core::stream::{PageSize, Title};
use milkrun_core::{
    Context, End, Error, ErrorKind, Page, PageRequest, Paging, Position, Proof, Result, Source, StreamSpec, async_trait,
};

use crate::config::{FileConfig, StreamConfig};
use crate::declared::{ReadForm, Reader};
use crate::read::Walk;
use crate::read::page::PageText;

/// How often a page is read again because a file changed meanwhile.
const ATTEMPTS: u32 = 3;

/// How many walks are kept open, so that flows that read at the same time do not start over with each page.
const WALKS: usize = 8;

/// The files of one account, ready to be read.
pub(crate) struct FileSource {
    streams: Vec<StreamSpec>,
    readers: Arc<Vec<Reader>>,
    /// Walks that stand where a page ended, with the index of their stream, the one used last at the end.
    walks: Arc<Mutex<Vec<(usize, Walk)>>>,
}

impl FileSource {
    pub(crate) fn new(config: &FileConfig, readers: Vec<Reader>) -> Self {
        let streams = config.streams.iter().zip(&readers).map(|(stream, reader)| spec(stream, reader)).collect();
        Self { streams, readers: Arc::new(readers), walks: Arc::default() }
    }

    fn index(&self, stream: &str) -> Result<usize> {
        self.readers.iter().position(|r| r.name == stream).ok_or_else(|| {
            let names: Vec<_> = self.readers.iter().map(|r| r.name.as_str()).collect();
            let error = Error::config(format!("no stream of this account is called `{stream}`"));
            error.advise(milkrun_core::diagnostic::did_you_mean(stream, &names))
        })
    }
}

fn spec(stream: &StreamConfig, reader: &Reader) -> StreamSpec {
    StreamSpec {
        name: stream.name.clone(),
        title: Title::new(format!("records of {}", reader.files), format!("{} 中的记录", reader.files)),
        endpoint: reader.files.to_string(),
        key: stream.key.clone(),
        number: stream.number.clone(),
        version: None,
        window: None,
        paging: Paging::Offset { parameter: "record".to_owned(), end: End::HasNext },
        page_size: PageSize { min: 1, usual: stream.page_size, max: Some(10_000) },
        proof: Proof::Snapshot {
            assumes: "a file that changes gets another length, another time of change, or another first or last 16 KiB"
                .to_owned(),
        },
        partition: None,
        list_may_be_missing: stream.list_may_be_missing,
        units: Vec::new(),
        notes: Vec::new(),
    }
}

#[async_trait]
impl Source for FileSource {
    fn streams(&self) -> &[StreamSpec] {
        &self.streams
    }

    /// Reads the first record of every stream.
    async fn check(&self, _cx: &Context) -> Result<()> {
        let readers = Arc::clone(&self.readers);
        blocking(move || {
            for reader in readers.iter() {
                read_page(reader, None, 0, 1).map_err(|e| e.with("stream", &reader.name))?;
            }
            Ok(())
        })
        .await
    }

    async fn read_page(&self, _cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let from = match ask.at {
            Position::Start => 0,
            Position::Skip(n) => *n,
            at => {
                return Err(Error::new(ErrorKind::State, "the saved position is not a number of records")
                    .with("stream", &ask.stream.name)
                    .with("position", at)
                    .advise("run once with --restart"));
            }
        };
        let stream = self.index(&ask.stream.name)?;
        let (readers, walks, size) = (Arc::clone(&self.readers), Arc::clone(&self.walks), ask.size);
        let page = blocking(move || {
            let lock = || walks.lock().unwrap_or_else(PoisonError::into_inner);
            let walk = {
                let mut walks = lock();
                let at = walks.iter().rposition(|(s, walk)| *s == stream && walk.position() == from);
                at.map(|at| walks.remove(at).1)
            };
            let (page, walk) = read_page(&readers[stream], walk, from, size)?;
            if let Some(walk) = walk {
                let mut walks = lock();
                if walks.len() == WALKS {
                    walks.remove(0);
                }
                walks.push((stream, walk));
            }
            Ok(page)
        });
        page.await.map_err(|e| e.with("stream", &ask.stream.name))
    }
}

/// Reads up to `size` records from the one with index `from`, and gives back the walk if more may follow.
///
/// Whatever the outcome, it counts only if the files did not change while it came about; else it is read again.
fn read_page(reader: &Reader, mut walk: Option<Walk>, from: u64, size: u32) -> Result<(Page, Option<Walk>)> {
    for _ in 0..ATTEMPTS {
        let mut walk = match walk.take() {
            Some(walk) => walk,
            None => Walk::new(reader)?,
        };
        let outcome = collect(reader, &mut walk, from, size);
        if walk.files().is_unchanged() {
            let (page, more) = outcome?;
            return Ok((page, more.then_some(walk)));
        }
    }
    Err(Error::new(ErrorKind::Unavailable, "the files change while they are read")
        .with("file", &reader.files)
        .advise("write files under another name, and rename them when they are complete"))
}

fn collect(reader: &Reader, walk: &mut Walk, from: u64, size: u32) -> Result<(Page, bool)> {
    walk.skip_to(reader, from)?;
    let mut text = PageText::new();
    let mut at_end = false;
    while text.len() < size as usize && !text.is_full() {
        if !walk.seek(reader)? {
            at_end = true;
            break;
        }
        walk.take(&mut text)?;
    }
    // What is wrong with the next record is said when it is asked for: the ones before it are good.
    let peeked = if at_end { Ok(false) } else { walk.seek(reader) };
    let (body, records) = text.into_records().map_err(|fault| {
        let name = walk.files().shown(&walk.files().files()[fault.file]);
        let error = fault.error.with("file", name).with("line", fault.line);
        let is_lines = matches!(reader.form, ReadForm::Jsonl) && error.help().is_none();
        let help = "each line has to hold one whole object; if the file is one JSON value, set format = \"json\"";
        if is_lines { error.advise(help) } else { error }
    })?;
    let has_next = *peeked.as_ref().unwrap_or(&true);
    let page = Page {
        records,
        total: (!has_next).then(|| walk.position()),
        has_next: Some(has_next),
        next: None,
        snapshot: Some(walk.files().identity().to_owned()),
        body,
    };
    Ok((page, peeked.unwrap_or(false)))
}

/// Runs file operations on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| match e.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(e) => Err(Error::new(ErrorKind::Interrupted, "the process is ending").caused_by(e)),
    })
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSource").field("readers", &self.readers).finish_non_exhaustive()
    }
}
