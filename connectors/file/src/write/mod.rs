//! Writing: one open target, whose documents are gathered in memory and appended with each sync.

mod disk;
mod form;
mod mark;

use std::mem;
use std::path::PathBuf;

use milkrun_core::{Appender, Error, ErrorKind, Existing, Result, async_trait};

use crate::declared::Writer;
use crate::source::blocking;
use crate::write::disk::Disk;
pub(crate) use crate::write::disk::probe;
use crate::write::form::Form;
use crate::write::mark::Mark;

/// What opening the file anew would do to what it holds now. It may block.
pub(crate) fn existing(writer: &Writer) -> Result<Existing> {
    disk::existing(writer, &Form::new(writer, 0, None).tail())
}

/// How much memory is kept between two syncs.
const KEPT: usize = 4 * 1024 * 1024;

/// An open file, and the documents that are not on it yet.
#[derive(Debug)]
pub(crate) struct FileAppender {
    path: PathBuf,
    shown: String,
    form: Form,
    /// The form's name for the mark.
    form_name: String,
    buffer: Vec<u8>,
    /// `None` while a sync is under way, and after one that was abandoned.
    disk: Option<Disk>,
}

impl FileAppender {
    /// Opens the file and cuts what lies beyond `committed`; `None` begins anew. It may block.
    pub(crate) fn open(writer: &Writer, committed: Option<&str>) -> Result<Self> {
        let (disk, form) = match committed {
            None => {
                let form = Form::new(writer, 0, None);
                (Disk::begin(writer, &form.tail())?, form)
            }
            Some(text) => {
                let mark = Mark::read(text, writer)?;
                let form = Form::new(writer, mark.rows, mark.columns.clone());
                (Disk::resume(writer, &mark, &form.tail())?, form)
            }
        };
        Ok(Self {
            path: writer.file.full(),
            shown: writer.file.to_string(),
            form,
            form_name: mark::form(writer),
            buffer: Vec::new(),
            disk: Some(disk),
        })
    }

    fn mark(&self, disk: &Disk) -> String {
        let columns = self.form.columns().map(<[String]>::to_vec);
        Mark { len: disk.len(), rows: self.form.n_rows(), end: disk.end(), form: self.form_name.clone(), columns }
            .write()
    }
}

#[async_trait]
impl Appender for FileAppender {
    fn push(&mut self, documents: &[&str]) -> Result<()> {
        self.form.push(&mut self.buffer, documents).map_err(|e| e.with("file", &self.shown))
    }

    /// After an error the documents are still here, and a further call tries again.
    async fn sync(&mut self) -> Result<String> {
        let Some(mut disk) = self.disk.take() else {
            return Err(Error::new(ErrorKind::Interrupted, "an earlier writing of the file was abandoned")
                .with("file", &self.shown));
        };
        if self.buffer.is_empty() {
            let mark = self.mark(&disk);
            self.disk = Some(disk);
            return Ok(mark);
        }
        let rows = mem::take(&mut self.buffer);
        let tail = self.form.tail();
        let (disk, mut rows, appended) = blocking(move || {
            let appended = disk.append(&rows, &tail, false);
            Ok((disk, rows, appended))
        })
        .await?;
        self.disk = Some(disk);
        if appended.is_ok() {
            rows.clear();
            rows.shrink_to(KEPT);
        }
        self.buffer = rows;
        appended.map(|()| self.mark(self.disk.as_ref().expect("it was put back above")))
    }

    /// The file is whole after each sync, so there is nothing more to do.
    async fn finish(&mut self) -> Result<String> {
        self.sync().await
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}
