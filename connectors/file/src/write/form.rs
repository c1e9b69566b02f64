//! Documents in the form of the file: JSON Lines, one JSON list, or rows of CSV, in the file's encoding.

use std::borrow::Cow;

use encoding_rs::{EncoderResult, GB18030};
use milkrun_core::record::{Pairs, plain_text};
use milkrun_core::{Error, ErrorKind, Result};
use serde::de::IgnoredAny;

use crate::config::{CsvConfig, Encoding, Format};
use crate::declared::Writer;

/// Turns documents into the bytes of a file.
#[derive(Debug)]
pub(crate) struct Form {
    format: Format,
    encoding: Encoding,
    csv: CsvConfig,
    columns: Option<Vec<String>>,
    n_rows: u64,
    /// A row that has to be encoded still.
    row: String,
}

impl Form {
    /// The form of a file that has `n_rows` already.
    pub(crate) fn new(writer: &Writer, n_rows: u64, columns: Option<Vec<String>>) -> Self {
        Self {
            format: writer.format,
            encoding: writer.encoding,
            csv: writer.csv.clone(),
            columns: columns.or_else(|| writer.csv.columns.clone()),
            n_rows,
            row: String::new(),
        }
    }

    /// How many documents were taken, in this and in earlier runs.
    pub(crate) fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// The columns, once they are known.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// Appends the documents to `out`, all or none of them.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if one of them cannot be written in this form.
    pub(crate) fn push(&mut self, out: &mut Vec<u8>, documents: &[&str]) -> Result<()> {
        let (len, n_rows, has_columns) = (out.len(), self.n_rows, self.columns.is_some());
        let pushed = documents.iter().try_for_each(|document| self.push_one(out, document));
        if pushed.is_err() {
            out.truncate(len);
            self.n_rows = n_rows;
            self.columns.take_if(|_| !has_columns);
        }
        pushed
    }

    fn push_one(&mut self, out: &mut Vec<u8>, document: &str) -> Result<()> {
        match self.format {
            Format::Csv => self.push_row(out, document)?,
            Format::Jsonl => self.push_line(out, document)?,
            Format::Json => self.push_element(out, document)?,
        }
        self.n_rows += 1;
        Ok(())
    }

    /// What stands after the committed rows, so that the file is whole at any time: the end of the list, or the header
    /// of a table without rows.
    pub(crate) fn tail(&self) -> Vec<u8> {
        let text = match (self.format, self.n_rows) {
            (Format::Json, 0) => Cow::Borrowed("[]\n"),
            (Format::Json, _) => Cow::Borrowed("\n]\n"),
            (Format::Csv, 0) => Cow::Owned(self.columns.as_deref().map(|c| self.head(c)).unwrap_or_default()),
            (Format::Csv | Format::Jsonl, _) => Cow::Borrowed(""),
        };
        let mut tail = Vec::new();
        // A column that the encoding does not have is refused with the first document.
        if encode(&mut tail, &text, self.encoding).is_err() {
            tail.clear();
        }
        tail
    }

    fn push_line(&mut self, out: &mut Vec<u8>, document: &str) -> Result<()> {
        check_object(document)?;
        if memchr::memchr(b'\n', document.as_bytes()).is_some() {
            // Outside of texts a line end says nothing, and within them JSON has none.
            serde_json::from_str::<IgnoredAny>(document).map_err(|e| no_object(document).caused_by(e))?;
            encode(out, &document.replace(['\n', '\r'], ""), self.encoding)?;
        } else {
            encode(out, document, self.encoding)?;
        }
        out.push(b'\n');
        Ok(())
    }

    fn push_element(&mut self, out: &mut Vec<u8>, document: &str) -> Result<()> {
        check_object(document)?;
        out.extend_from_slice(if self.n_rows == 0 { b"[\n" } else { b",\n" });
        encode(out, document, self.encoding)
    }

    fn push_row(&mut self, out: &mut Vec<u8>, document: &str) -> Result<()> {
        let pairs: Pairs<'_> = serde_json::from_str(document).map_err(|e| no_object(document).caused_by(e))?;
        let learned = match &self.columns {
            Some(_) => None,
            None if pairs.0.is_empty() => {
                return Err(refused("a document without fields cannot fix the columns")
                    .advise("name them with csv = { columns = […] }"));
            }
            None => Some(pairs.0.iter().map(|(name, _)| name.clone().into_owned()).collect::<Vec<_>>()),
        };
        let columns = learned.as_deref().or(self.columns.as_deref()).expect("one of the two is there");
        let mut values: Vec<Option<&str>> = vec![None; columns.len()];
        for (i, (name, value)) in pairs.0.iter().enumerate() {
            let here = columns.get(i).is_some_and(|c| c == name);
            let at = if here { Some(i) } else { columns.iter().position(|c| c == name) };
            let Some(at) = at else {
                return Err(refused("the document has a field without a column")
                    .with("field", name)
                    .with("columns", columns.join(", "))
                    .advise("name all columns with csv = { columns = […] }, or leave the field out in the mapping"));
            };
            if values[at].replace(value.get()).is_some() {
                return Err(refused("the document has a field twice").with("field", name));
            }
        }
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        if self.n_rows == 0 {
            row.push_str(&self.head(columns));
        }
        for (i, value) in values.iter().enumerate() {
            let text = match value {
                None | Some("null") => Cow::Borrowed(""),
                Some(value) => plain_text(value).unwrap_or(Cow::Borrowed(value)),
            };
            self.field(&mut row, i, &text, columns.len());
        }
        row.push('\n');
        let encoded = encode(out, &row, self.encoding);
        self.row = row;
        encoded?;
        if learned.is_some() {
            self.columns = learned;
        }
        Ok(())
    }

    /// What stands before the first row.
    fn head(&self, columns: &[String]) -> String {
        let mut head = String::new();
        if self.csv.bom {
            head.push('\u{feff}');
        }
        if self.csv.header {
            columns.iter().enumerate().for_each(|(i, column)| self.field(&mut head, i, column, columns.len()));
            head.push('\n');
        }
        head
    }

    fn field(&self, row: &mut String, index: usize, text: &str, n_columns: usize) {
        let (delimiter, quote) = (self.csv.delimiter, self.csv.quote);
        if index > 0 {
            row.push(delimiter);
        }
        // A line with one empty field would be a blank line, and a mark at the file's start would be taken for its own.
        let unclear = (text.is_empty() && n_columns == 1) || text.starts_with('\u{feff}');
        if !unclear && !text.contains([delimiter, quote, '\n', '\r']) {
            row.push_str(text);
            return;
        }
        row.push(quote);
        for (i, part) in text.split(quote).enumerate() {
            if i > 0 {
                row.push(quote);
                row.push(quote);
            }
            row.push_str(part);
        }
        row.push(quote);
    }
}

/// A look at both ends: the documents come from the mapping, which writes JSON.
fn check_object(document: &str) -> Result<()> {
    if document.starts_with('{') && document.ends_with('}') { Ok(()) } else { Err(no_object(document)) }
}

fn no_object(document: &str) -> Error {
    refused("the document is not a JSON object").with("begins", document.chars().take(40).collect::<String>())
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::Refused, message)
}

fn encode(out: &mut Vec<u8>, text: &str, encoding: Encoding) -> Result<()> {
    if encoding == Encoding::Utf8 {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let mut encoder = GB18030.new_encoder();
    let longest = encoder.max_buffer_length_from_utf8_without_replacement(text.len());
    out.reserve(longest.expect("a document is far shorter than the address space"));
    match encoder.encode_from_utf8_to_vec_without_replacement(text, out, true).0 {
        EncoderResult::InputEmpty => Ok(()),
        EncoderResult::OutputFull => unreachable!("room for the longest form was made"),
        EncoderResult::Unmappable(c) => Err(refused("GB18030 does not have a character of the document")
            .with("character", format!("{c} (U+{:04X})", u32::from(c)))
            .advise("write the file in UTF-8, or replace the character in the mapping")),
    }
}
