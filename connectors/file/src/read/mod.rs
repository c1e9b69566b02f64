//! Reading: the records of all files of a stream, one after the other, as pages.

pub(crate) mod csv;
pub(crate) mod feed;
pub(crate) mod json;
pub(crate) mod jsonl;
pub(crate) mod page;
pub(crate) mod path;

use milkrun_core::{Error, Result};

use crate::declared::{ReadForm, Reader};
use crate::error;
use crate::files::FileSet;
use crate::read::feed::Feed;
use crate::read::page::PageText;

/// Finds the records of one file.
pub(crate) trait Records: Send {
    /// Goes to the first byte of the next record; `false` at the end of a file that ends as its form demands.
    ///
    /// Asking again without taking the record goes nowhere.
    fn seek(&mut self) -> Result<bool>;

    /// Appends the record to `out`, byte for byte. Whether it is valid is looked at later.
    fn take(&mut self, out: &mut Vec<u8>) -> Result<()>;

    /// Passes over the record.
    fn skip(&mut self) -> Result<()>;

    /// The line that the next byte is on.
    fn line(&self) -> u64;
}

/// The records of all files of a stream, in order.
pub(crate) struct Walk {
    files: FileSet,
    /// The file that is read, and the ones before it are done.
    at: usize,
    open: Option<Box<dyn Records>>,
    /// How many records lie before the next one.
    position: u64,
}

impl Walk {
    /// The first record of the files as they are now.
    pub(crate) fn new(reader: &Reader) -> Result<Self> {
        let files = FileSet::look(&reader.files, reader.files_may_be_missing)?;
        Ok(Self { files, at: 0, open: None, position: 0 })
    }

    /// The files, in the state they were in when the walk began.
    pub(crate) fn files(&self) -> &FileSet {
        &self.files
    }

    /// How many records lie before the next one.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Goes to the next record; `false` if all files are read.
    pub(crate) fn seek(&mut self, reader: &Reader) -> Result<bool> {
        while self.at < self.files.files().len() {
            if self.open.is_none() {
                self.open = Some(open(reader, &self.files, self.at)?);
            }
            let records = self.open.as_mut().expect("it was opened above");
            match records.seek() {
                Ok(true) => return Ok(true),
                Ok(false) => {
                    self.open = None;
                    self.at += 1;
                }
                Err(e) => return Err(self.placed(e)),
            }
        }
        Ok(false)
    }

    /// Adds the next record, which [`Walk::seek`] has found, to a page.
    pub(crate) fn take(&mut self, page: &mut PageText) -> Result<()> {
        let records = self.open.as_mut().expect("a record was found");
        let line = records.line();
        let taken = page.add(self.at, line, |out| records.take(out));
        taken.map_err(|e| self.placed(e))?;
        self.position += 1;
        Ok(())
    }

    /// Passes over records until `position` of them lie behind; stops at the end of the last file.
    pub(crate) fn skip_to(&mut self, reader: &Reader, position: u64) -> Result<()> {
        while self.position < position && self.seek(reader)? {
            let skipped = self.open.as_mut().expect("a record was found").skip();
            skipped.map_err(|e| self.placed(e))?;
            self.position += 1;
        }
        Ok(())
    }

    /// The error, with the file and the line that is read.
    fn placed(&self, error: Error) -> Error {
        let error = error.with("file", self.files.shown(&self.files.files()[self.at]));
        match &self.open {
            Some(records) => error.with("line", records.line()),
            None => error,
        }
    }
}

fn open(reader: &Reader, files: &FileSet, at: usize) -> Result<Box<dyn Records>> {
    let found = &files.files()[at];
    let opened = Feed::open(&found.path, reader.compression, reader.encoding).map_err(error::reading);
    let records = opened.and_then(|feed| -> Result<Box<dyn Records>> {
        Ok(match &reader.form {
            ReadForm::Json { records, list_may_be_missing } => {
                Box::new(json::JsonRecords::new(feed, records.clone(), *list_may_be_missing))
            }
            ReadForm::Jsonl => Box::new(jsonl::Lines::new(feed)),
            ReadForm::Csv(csv) => Box::new(csv::Rows::new(feed, csv, &reader.key)?),
        })
    });
    records.map_err(|e| e.with("file", files.shown(found)))
}
