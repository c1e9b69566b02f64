//! JSON: one value for each file, walked along a path to the records without holding more than one of them.

use std::io::{BufRead as _, Read as _};

use milkrun_core::{Error, Result};
use serde::Deserialize as _;
use serde::de::IgnoredAny;

use crate::error::{malformed, reading};
use crate::read::Records;
use crate::read::feed::{Feed, LONGEST};
use crate::read::path::{RecordPath, Step};

/// The longest name, number or literal outside the records.
const LONGEST_TOKEN: u64 = 1024 * 1024;

/// The records of one file.
pub(crate) struct JsonRecords {
    feed: Feed,
    /// Where the records are; without it, the root's form decides.
    path: Option<RecordPath>,
    list_may_be_missing: bool,
    /// The lists and objects on the way that are open, from the root.
    open: Vec<Open>,
    at: At,
    scratch: Vec<u8>,
}

/// A list or object on the way to the records.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// How many elements or fields were met.
    n_met: u64,
    /// Whether the field on the way was among them.
    found: bool,
}

/// Where the walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before the root value.
    Root,
    /// Before a record.
    Record,
    /// After a value, in the innermost open list or object.
    Within,
    /// After the root value.
    End,
}

impl JsonRecords {
    pub(crate) fn new(feed: Feed, path: Option<RecordPath>, list_may_be_missing: bool) -> Self {
        Self { feed, path, list_may_be_missing, open: Vec::new(), at: At::Root, scratch: Vec::new() }
    }

    fn path(&self) -> &RecordPath {
        self.path.as_ref().expect("it is set when the root is met")
    }

    /// The next byte that is not white space.
    fn token(&mut self) -> Result<u8> {
        self.feed.peek_token().map_err(reading)?.ok_or_else(cut)
    }

    /// Enters the value that begins at the next byte, which is at the depth of the open lists and objects.
    fn enter(&mut self) -> Result<()> {
        let depth = self.open.len();
        let b = self.token()?;
        match (self.path().steps().get(depth), b) {
            (None, b'{') => {
                self.at = At::Record;
                return Ok(());
            }
            (None, b'[') => {
                return Err(malformed("the path leads to a list, not to a record")
                    .advise(format!("set records = \"{}[*]\"", self.path())));
            }
            (Some(Step::Each), b'[') | (Some(Step::Field(_)), b'{') => {
                self.feed.consume(1);
                self.open.push(Open { n_met: 0, found: false });
            }
            (Some(_), b'n') if self.list_may_be_missing => self.pass_over()?,
            (step, b) => {
                let wanted = match step {
                    None => "a record",
                    Some(Step::Each) => "a list",
                    Some(Step::Field(_)) => "an object",
                };
                let Some(kind) = kind_of(b) else {
                    let error = malformed(format!("the file is not JSON where {wanted} should begin"));
                    return Err(if b == b'<' { error.advise("it may be a web page or XML") } else { error });
                };
                let error = malformed(format!("{} is {kind}, not {wanted}", self.path().prefix(depth)));
                return Err(if b == b'n' && step.is_some() { allow_missing(error) } else { error });
            }
        }
        self.at = At::Within;
        Ok(())
    }

    /// Goes on within the innermost open list or object: to its next value on the way, or out of it.
    fn go_on(&mut self) -> Result<()> {
        let Some(depth) = self.open.len().checked_sub(1) else {
            self.at = At::End;
            return Ok(());
        };
        let Open { n_met, found } = self.open[depth];
        let name = match &self.path().steps()[depth] {
            Step::Each => None,
            Step::Field(name) => Some(name.clone()),
        };
        let closing = if name.is_some() { b'}' } else { b']' };
        let mut b = self.token()?;
        if b == closing {
            self.feed.consume(1);
            self.open.pop();
            if let Some(name) = name
                && !found
                && !self.list_may_be_missing
            {
                let error = malformed(format!("{} has no field `{name}`", self.path().prefix(depth)));
                return Err(allow_missing(error));
            }
            return Ok(());
        }
        if n_met > 0 {
            if b != b',' {
                return Err(malformed("the file is not JSON: a comma or the end of a list or object is missing"));
            }
            self.feed.consume(1);
            b = self.token()?;
        }
        self.open[depth].n_met += 1;
        let Some(name) = name else { return self.enter() };
        if b != b'"' {
            return Err(malformed("the file is not JSON: the name of a field is missing"));
        }
        let met = self.field_name()?;
        if self.token()? != b':' {
            return Err(malformed("the file is not JSON: a colon is missing").with("field", met));
        }
        self.feed.consume(1);
        if met != name {
            return self.pass_over();
        }
        if found {
            let error = malformed(format!("{} has two fields `{name}`", self.path().prefix(depth)));
            return Err(error);
        }
        self.open[depth].found = true;
        self.enter()
    }

    fn field_name(&mut self) -> Result<String> {
        self.scratch.clear();
        self.scratch.push(b'"');
        self.feed.consume(1);
        loop {
            let n = (&mut self.feed).take(LONGEST_TOKEN).read_until(b'"', &mut self.scratch).map_err(reading)?;
            if n == 0 {
                return Err(cut());
            }
            let inner = &self.scratch[..self.scratch.len() - 1];
            let n_slashes = inner.iter().rev().take_while(|&&b| b == b'\\').count();
            if self.scratch.ends_with(b"\"") && n_slashes % 2 == 0 {
                let name = serde_json::from_slice(&self.scratch);
                return name
                    .map_err(|e| malformed("the file is not JSON: the name of a field is damaged").caused_by(e));
            }
            if self.scratch.len() as u64 > LONGEST_TOKEN {
                return Err(malformed("the name of a field is longer than 1 MiB"));
            }
        }
    }

    /// Passes over a value that is not on the way; it has to be JSON all the same.
    fn pass_over(&mut self) -> Result<()> {
        let b = self.token()?;
        let is_plain = !matches!(b, b'{' | b'[' | b'"');
        let passed = if is_plain {
            self.scratch.clear();
            while let Some(b) = self.feed.peek().map_err(reading)?
                && !matches!(b, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r')
                && self.scratch.len() as u64 <= LONGEST_TOKEN
            {
                self.scratch.push(b);
                self.feed.consume(1);
            }
            if self.feed.peek().map_err(reading)?.is_none() {
                return Err(cut());
            }
            serde_json::from_slice(&self.scratch)
        } else {
            IgnoredAny::deserialize(&mut serde_json::Deserializer::from_reader(&mut self.feed))
        };
        passed.map(|_| ()).map_err(|e| {
            if e.is_io() {
                return reading(e.into());
            }
            if e.is_eof() && !is_plain {
                cut()
            } else {
                malformed("the file is not JSON: a value is damaged").caused_by(bare(&e))
            }
        })
    }

    /// Hands the bytes of the record that begins at the next byte to `each`.
    fn record(&mut self, mut each: impl FnMut(&[u8])) -> Result<()> {
        let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
        let mut n_bytes = 0;
        loop {
            let chunk = self.feed.fill_buf().map_err(reading)?;
            if chunk.is_empty() {
                return Err(cut());
            }
            let mut end = None;
            for (i, &b) in chunk.iter().enumerate() {
                if in_text {
                    match b {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => in_text = false,
                        _ => {}
                    }
                    continue;
                }
                match b {
                    b'"' => in_text = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            end = Some(i + 1);
                            break;
                        }
                    }
                    _ => {}
                }
            }
            let n = end.unwrap_or(chunk.len());
            each(&chunk[..n]);
            n_bytes += n;
            self.feed.consume(n);
            if end.is_some() {
                self.at = At::Within;
                return Ok(());
            }
            if n_bytes > LONGEST {
                let help = "say with `records` where the records are, such as `data.list[*]`";
                return Err(malformed("a record is longer than 64 MiB").advise(help));
            }
        }
    }
}

impl Records for JsonRecords {
    fn seek(&mut self) -> Result<bool> {
        loop {
            match self.at {
                At::Record => return Ok(true),
                At::Within => self.go_on()?,
                At::Root => {
                    let Some(b) = self.feed.peek_token().map_err(reading)? else {
                        let help = "an empty list is written as []; one object for each line is format = \"jsonl\"";
                        return Err(malformed("the file is empty, which is not JSON").advise(help));
                    };
                    let list = if b == b'[' { RecordPath::root_list() } else { RecordPath::default() };
                    self.path.get_or_insert(list);
                    self.enter()?;
                }
                At::End => {
                    if self.feed.peek_token().map_err(reading)?.is_none() {
                        return Ok(false);
                    }
                    return Err(malformed("more follows the end of the JSON value")
                        .advise("if each line is an object of its own, set format = \"jsonl\""));
                }
            }
        }
    }

    fn take(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.record(|bytes| out.extend_from_slice(bytes))
    }

    fn skip(&mut self) -> Result<()> {
        self.record(|_| {})
    }

    fn line(&self) -> u64 {
        self.feed.line()
    }
}

fn cut() -> Error {
    malformed("the file ends in the middle of its JSON").advise("it was cut; fetch or make it again")
}

fn allow_missing(error: Error) -> Error {
    error.advise("where that means an empty list, say `list_may_be_missing = true`")
}

/// What a value is by its first byte; `None` if no value begins so.
fn kind_of(first: u8) -> Option<&'static str> {
    Some(match first {
        b'{' => "an object",
        b'[' => "a list",
        b'"' => "a text",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        b'-' | b'0'..=b'9' => "a number",
        _ => return None,
    })
}

/// What serde says, without a place that counts from somewhere else than the file's start.
pub(crate) fn bare(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}
