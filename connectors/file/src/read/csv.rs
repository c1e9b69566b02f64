//! CSV: one row for each record, as an object of texts.
//!
//! Stricter than the usual readers: a quote that is never closed would otherwise swallow all rows after it into one
//! field, and text after a closing quote would be changed without a word.

use std::io::BufRead as _;

use milkrun_core::record::write_json_string;
use milkrun_core::{Error, Result};

use crate::config::CsvConfig;
use crate::declared::repeated;
use crate::error::{malformed, reading};
use crate::read::Records;
use crate::read::feed::{Feed, LONGEST};

/// The rows of one file.
pub(crate) struct Rows {
    feed: Feed,
    delimiter: u8,
    quote: u8,
    /// What stands before each value: `{"first":` or `,"next":`.
    heads: Vec<Vec<u8>>,
    row: Row,
}

/// The fields of one row: their texts in a row, and where each ends.
#[derive(Default)]
struct Row {
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote in a quoted field: its end, or the first half of a quote that belongs to the text.
    Quote,
    /// After a carriage return outside quotes.
    Return,
}

impl Rows {
    /// Reads the header, if there is one; it has to name the columns of the key.
    pub(crate) fn new(feed: Feed, csv: &CsvConfig, key: &[String]) -> Result<Self> {
        let (delimiter, quote) = (ascii(csv.delimiter), ascii(csv.quote));
        let mut rows = Self { feed, delimiter, quote, heads: Vec::new(), row: Row::default() };
        let names = match &csv.columns {
            Some(columns) => columns.clone(),
            None => rows.header()?,
        };
        // A web page or a wrong delimiter gives a header too, and at times no rows at all.
        if let Some(missing) = key.iter().find(|column| !names.contains(column)) {
            let begins = names.join(&csv.delimiter.to_string()).chars().take(60).collect::<String>();
            return Err(malformed("the header has no such column as the key names")
                .with("column", missing)
                .with("header", begins)
                .advise("check `key`, `csv.delimiter`, and that the file is no web page"));
        }
        for (i, name) in names.iter().enumerate() {
            let mut head = vec![if i == 0 { b'{' } else { b',' }];
            write_json_string(&mut head, name);
            head.push(b':');
            rows.heads.push(head);
        }
        Ok(rows)
    }

    fn header(&mut self) -> Result<Vec<String>> {
        if !self.seek()? {
            return Err(malformed("the file is empty, without even a header")
                .advise("if it has no header, say csv = { header = false, columns = […] }"));
        }
        self.read_row()?;
        let names: Vec<_> = self.row.fields().map(|f| text(f).map(str::to_owned)).collect::<Result<_>>()?;
        if let Some(empty) = names.iter().position(String::is_empty) {
            return Err(malformed("a column has no name in the header").with("column", empty + 1));
        }
        if let Some(twice) = repeated(&names) {
            return Err(malformed("the header names a column twice")
                .with("column", twice)
                .advise("rename one, or say header = false and name the columns with `columns`"));
        }
        Ok(names)
    }

    /// Reads one row into `self.row`.
    fn read_row(&mut self) -> Result<()> {
        let first_line = self.feed.line();
        let at_fault = |message: &'static str, line: u64| malformed(message).with("line", line);
        let row = &mut self.row;
        row.text.clear();
        row.ends.clear();
        let mut state = State::FieldStart;
        loop {
            if row.text.len() > LONGEST {
                return Err(at_fault("a row is longer than 64 MiB", first_line).advise("is a closing quote missing?"));
            }
            let line = self.feed.line();
            let chunk = self.feed.fill_buf().map_err(reading)?;
            if chunk.is_empty() {
                if state == State::Quoted {
                    return Err(at_fault("a quoted field is not closed at the end of the file", first_line)
                        .advise("the file is cut, or a closing quote is missing"));
                }
                row.ends.push(row.text.len());
                return Ok(());
            }
            let mut n = 0;
            while n < chunk.len() {
                let here = |n: usize| line + chunk[..n].iter().map(|&b| u64::from(b == b'\n')).sum::<u64>();
                let b = chunk[n];
                match state {
                    State::FieldStart if b == self.quote => state = State::Quoted,
                    State::Quoted if b == self.quote => state = State::Quote,
                    State::Quoted => {
                        let run = chunk[n..].iter().position(|&b| b == self.quote).unwrap_or(chunk.len() - n);
                        row.text.extend_from_slice(&chunk[n..n + run]);
                        n += run;
                        continue;
                    }
                    State::Quote if b == self.quote => {
                        row.text.push(b);
                        state = State::Quoted;
                    }
                    State::Return if b != b'\n' => {
                        return Err(at_fault("a carriage return stands outside quotes", here(n))
                            .advise("end lines with a line feed, and put fields with line ends into quotes"));
                    }
                    _ if b == b'\n' => {
                        row.ends.push(row.text.len());
                        self.feed.consume(n + 1);
                        return Ok(());
                    }
                    _ if b == b'\r' => state = State::Return,
                    _ if b == self.delimiter => {
                        row.ends.push(row.text.len());
                        state = State::FieldStart;
                    }
                    State::Quote => {
                        return Err(at_fault("text follows the closing quote of a field", here(n))
                            .advise("a quote within a quoted field is written twice"));
                    }
                    _ => {
                        let ends = |&b: &u8| b == self.delimiter || b == b'\n' || b == b'\r';
                        let run = chunk[n..].iter().position(ends).unwrap_or(chunk.len() - n);
                        row.text.extend_from_slice(&chunk[n..n + run]);
                        state = State::Plain;
                        n += run;
                        continue;
                    }
                }
                n += 1;
            }
            self.feed.consume(n);
        }
    }
}

impl Row {
    fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }
}

impl Records for Rows {
    fn seek(&mut self) -> Result<bool> {
        while let Some(b) = self.feed.peek().map_err(reading)? {
            if !matches!(b, b'\n' | b'\r') {
                return Ok(true);
            }
            self.feed.consume(1);
        }
        Ok(false)
    }

    fn take(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let line = self.feed.line();
        self.read_row()?;
        let (n_fields, n_columns) = (self.row.ends.len(), self.heads.len());
        if n_fields != n_columns {
            return Err(malformed("the row has another number of fields than there are columns")
                .with("line", line)
                .with("fields", n_fields)
                .with("columns", n_columns));
        }
        for (head, field) in self.heads.iter().zip(self.row.fields()) {
            out.extend_from_slice(head);
            write_json_string(out, text(field).map_err(|e| e.with("line", line))?);
        }
        out.push(b'}');
        Ok(())
    }

    fn skip(&mut self) -> Result<()> {
        self.read_row()
    }

    fn line(&self) -> u64 {
        self.feed.line()
    }
}

fn text(field: &[u8]) -> Result<&str> {
    std::str::from_utf8(field).map_err(|e| -> Error {
        malformed("the text is not UTF-8")
            .with("field", field.escape_ascii().to_string().chars().take(40).collect::<String>())
            .caused_by(e)
            .advise("if the file is in GBK or GB18030, set encoding = \"gb18030\"")
    })
}

fn ascii(c: char) -> u8 {
    u8::try_from(c).expect("the settings allow ASCII alone")
}
