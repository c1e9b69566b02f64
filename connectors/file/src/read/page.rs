//! The text of one page: the records as one JSON list, split and checked in one pass.

use std::ops::Range;
use std::sync::Arc;

use milkrun_core::{Error, Record, Result, Rows};

use crate::error::malformed;
use crate::read::json::bare;

/// A page ends when it is this long, whatever number of records was asked for.
const FULL: usize = 4 * 1024 * 1024;

/// Records on their way to be a page.
#[derive(Debug)]
pub(crate) struct PageText {
    text: Vec<u8>,
    places: Vec<Place>,
}

/// Where a record came from, and where it lies in the page.
#[derive(Debug)]
struct Place {
    file: usize,
    line: u64,
    span: Range<usize>,
}

/// A record that is not what it should be.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The index of the file.
    pub file: usize,
    /// The line that the record begins on.
    pub line: u64,
    /// What is wrong.
    pub error: Error,
}

impl PageText {
    pub(crate) fn new() -> Self {
        Self { text: vec![b'['], places: Vec::new() }
    }

    /// How many records it has.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it is so long that it has to end.
    pub(crate) fn is_full(&self) -> bool {
        self.text.len() >= FULL
    }

    /// Adds the record that `take` appends.
    pub(crate) fn add(&mut self, file: usize, line: u64, take: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
        if !self.places.is_empty() {
            self.text.extend_from_slice(b",\n");
        }
        let start = self.text.len();
        take(&mut self.text)?;
        self.places.push(Place { file, line, span: start..self.text.len() });
        Ok(())
    }

    /// The text and its records.
    ///
    /// Every record has to be one JSON object, exactly as long as what was added: a line that holds two objects, or two
    /// lines that only together are objects, are found out.
    ///
    /// # Errors
    /// The first record that is at fault.
    pub(crate) fn into_records(mut self) -> Result<(Arc<String>, Vec<Record>), Fault> {
        self.text.push(b']');
        let Self { text, places } = self;
        let body = match String::from_utf8(text) {
            Ok(body) => Arc::new(body),
            Err(e) => {
                let at = e.utf8_error().valid_up_to();
                let place = places.iter().find(|p| at < p.span.end).or(places.last()).expect("only records hold text");
                let error = malformed("the text is not UTF-8")
                    .with("byte_of_record", at - place.span.start.min(at))
                    .advise("if the file is in GBK or GB18030, set encoding = \"gb18030\"");
                return Err(Fault { file: place.file, line: place.line, error });
            }
        };
        let records = match serde_json::from_str::<Rows<'_>>(&body) {
            Ok(rows) => rows.into_records(&body),
            Err(_) => return Err(first_fault(&body, &places)),
        };
        let fits = |(record, place): (&Record, &Place)| {
            let text = &body[place.span.clone()];
            // An empty object is written anew as `{}` by `Rows`, so its own text is looked at.
            record.text().len() == text.len() || (record.is_empty() && is_empty_object(text))
        };
        if records.len() != places.len() || !records.iter().zip(&places).all(fits) {
            return Err(first_fault(&body, &places));
        }
        Ok((body, records))
    }
}

fn is_empty_object(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    inner.is_some_and(|t| t.trim_ascii().is_empty())
}

/// Reads the records one by one to find the one that is at fault.
fn first_fault(body: &str, places: &[Place]) -> Fault {
    for place in places {
        let text = &body[place.span.clone()];
        let Err(cause) = serde_json::from_str::<serde::de::IgnoredAny>(text) else {
            if text.starts_with('{') {
                continue;
            }
            let error =
                malformed("the record is not a JSON object").with("begins", text.chars().take(40).collect::<String>());
            return Fault { file: place.file, line: place.line, error };
        };
        let message = if cause.is_eof() { "the record is not complete JSON" } else { "the record is not JSON" };
        let line = place.line + (cause.line() as u64).saturating_sub(1);
        let error = malformed(message).with("line", line).caused_by(bare(&cause));
        return Fault { file: place.file, line, error };
    }
    let place = places.last().expect("an empty page is good");
    Fault { file: place.file, line: place.line, error: malformed("the records of the page are not JSON objects") }
}
