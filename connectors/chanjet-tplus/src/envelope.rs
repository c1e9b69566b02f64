//! What answers are wrapped in: ten shapes, told apart by their fields, and what is inside.

use std::sync::Arc;

use milkrun_core::record::{Pairs, plain_text};
use milkrun_core::{Error, Record, Result, Rows};
use serde_json::value::RawValue;

/// Codes of good answers: the token service says `200`, the voucher interfaces `0`.
const GOOD_CODES: [&str; 2] = ["0", "200"];

/// The shape of an answer. The letters are those of the vendor notes in `about.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `[…]`: most queries.
    Array,
    /// `"…"` or a number: the id that a create gives.
    Text,
    /// `null`: a create that went well and gives no id.
    Null,
    /// `{code, message, result}`: the token service.
    A,
    /// `{result: true or false, value, error}`: the self-built application's token.
    B,
    /// `{result: <payload>}`, where only the boolean `false` means failure.
    BPrime,
    /// `{code, message, data}`.
    C,
    /// `{code, message[, data]}` with a bad code, at times in place of an array and with HTTP 200.
    PlainError,
    /// `{"error": …}`: protective throttling, with HTTP 409.
    ErrorOnly,
    /// Any other object: a page with `Data`, or a document.
    Object,
}

/// What an answer says that went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The vendor's code, if it gives one.
    pub(crate) code: Option<String>,
    /// The vendor's words; may be empty.
    pub(crate) message: String,
    /// The vendor's hint, if it gives one.
    pub(crate) hint: Option<String>,
    /// What the vendor finds the call by.
    pub(crate) trace: Option<String>,
}

/// An answer that was opened.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    /// Its shape.
    pub(crate) shape: Shape,
    /// What is inside, as JSON text, or what went wrong.
    pub(crate) content: Result<&'a str, Failure>,
}

/// Opens an answer.
///
/// # Errors
/// [`ErrorKind::Malformed`](milkrun_core::ErrorKind::Malformed) if it is not one JSON value.
pub(crate) fn open(body: &str) -> Result<Envelope<'_>> {
    let json = body.trim();
    if !json.starts_with('{') {
        let value: &RawValue = serde_json::from_str(json).map_err(undocumented)?;
        let shape = match json.as_bytes().first() {
            Some(b'[') => Shape::Array,
            Some(b'n') => Shape::Null,
            _ => Shape::Text,
        };
        return Ok(Envelope { shape, content: Ok(value.get()) });
    }
    let fields: Fields<'_> = Fields(serde_json::from_str(json).map_err(undocumented)?);
    let envelope = |shape, content| Ok(Envelope { shape, content });
    let code = fields.text("code");
    let is_bad = code.as_deref().is_some_and(|code| !GOOD_CODES.contains(&code));
    match (fields.get("result"), fields.get("error"), fields.get("code")) {
        (Some(_), _, Some(_)) if is_bad => envelope(Shape::A, Err(fields.failure(code))),
        (Some("false"), _, Some(_)) => envelope(Shape::A, Err(fields.failure(code))),
        (Some(result), _, Some(_)) => envelope(Shape::A, Ok(result)),
        (Some(result @ ("true" | "false")), error, None) if error.is_some() || fields.get("value").is_some() => {
            let error = error.filter(|error| *error != "null");
            if result == "false" || error.is_some() {
                return envelope(Shape::B, Err(fields.failure_in(error)));
            }
            envelope(Shape::B, Ok(fields.get("value").unwrap_or("null")))
        }
        (Some("false"), _, None) => envelope(Shape::BPrime, Err(fields.failure(None))),
        // What `true` confirms stands beside it.
        (Some("true"), _, None) => envelope(Shape::BPrime, Ok(json)),
        (Some(result), _, None) => envelope(Shape::BPrime, Ok(result)),
        (None, _, Some(_)) if is_bad => envelope(Shape::PlainError, Err(fields.failure(code))),
        // Without a code nothing says that it went well, unless something is there.
        (None, _, Some(_)) if code.is_none() && fields.get("data").is_none_or(|data| data == "null") => {
            envelope(Shape::PlainError, Err(fields.failure(None)))
        }
        (None, _, Some(_)) => envelope(Shape::C, Ok(fields.get("data").unwrap_or("null"))),
        (None, Some(error), None) => envelope(Shape::ErrorOnly, Err(fields.failure_in(Some(error)))),
        (None, None, None) => envelope(Shape::Object, Ok(json)),
    }
}

/// The fields of an object.
struct Fields<'a>(Pairs<'a>);

impl<'a> Fields<'a> {
    /// The field of that name as JSON text; of a repeated name, the last.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.get())
    }

    /// The first of these fields that is a plain value with something in it.
    fn any(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text(name))
    }

    fn text(&self, name: &str) -> Option<String> {
        let text = plain_text(self.get(name)?)?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn count(&self, name: &str) -> Result<Option<u64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Error::malformed("a count is no whole number").with("field", name))
    }

    fn failure(&self, code: Option<String>) -> Failure {
        Failure {
            code,
            message: self.any(&["message", "msg"]).unwrap_or_default(),
            hint: self.text("hint"),
            trace: self.any(&["traceId", "trace_id"]),
        }
    }

    /// What an `error` says, which may be a text or an object of its own.
    fn failure_in(&self, error: Option<&str>) -> Failure {
        let outer = self.failure(None);
        match error.map(serde_json::from_str::<Pairs<'_>>) {
            Some(Ok(pairs)) => {
                let inner = Fields(pairs);
                let failure = inner.failure(inner.text("code"));
                Failure { trace: failure.trace.or(outer.trace), ..failure }
            }
            _ => Failure { message: error.and_then(plain_text).map_or(outer.message, Into::into), ..outer },
        }
    }
}

/// Reads the payload of an answer that is already known to be a good one; errors name the envelope.
fn within<'a, T>(body: &'a str, read: impl FnOnce(&'a str) -> Result<T>) -> Result<T> {
    let Envelope { shape, content } = open(body)?;
    let json = content.map_err(|_| Error::malformed("the answer is an error"));
    json.and_then(read).map_err(|error| error.with("envelope", format!("{shape:?}")))
}

/// The records of a list, with the text that they lie in and what the answer says of their number.
#[derive(Debug)]
pub(crate) struct List {
    /// The records.
    pub(crate) records: Vec<Record>,
    /// How many there are in all, if the answer says so.
    pub(crate) total: Option<u64>,
    /// The text that the records lie in: the answer, or the JSON text inside it.
    pub(crate) body: Arc<String>,
}

/// Where an object may hold its list, the likeliest first.
const LISTS: [&str; 4] = ["Data", "data", "result", "value"];

/// The field that says how many rows there are in all: of a page, or of each row of the current stock.
pub(crate) const TOTAL: &str = "TotalCount";

/// How deep a list may lie.
const DEEPEST: u32 = 4;

/// Reads the list of a query: a bare array, or one inside any of the envelopes, at times as JSON text.
///
/// # Errors
/// [`ErrorKind::Malformed`](milkrun_core::ErrorKind::Malformed) if there is none: an empty result is an empty list, or
/// no list beside `"TotalCount": 0`.
pub(crate) fn list(body: &Arc<String>) -> Result<List> {
    within(body, |json| find_list(body, json, None, DEEPEST))
}

fn find_list(body: &Arc<String>, json: &str, total: Option<u64>, deeper: u32) -> Result<List> {
    let missing = || Err(Error::malformed("the answer has no list"));
    if deeper == 0 {
        return missing();
    }
    match json.as_bytes().first() {
        Some(b'[') => {
            let rows: Rows<'_> = serde_json::from_str(json).map_err(undocumented)?;
            let records = rows.into_records(body);
            Ok(List { total: total_of(total, &records)?, records, body: Arc::clone(body) })
        }
        Some(b'"') => {
            let inner = unquote(json)?;
            find_list(&inner, inner.trim(), total, deeper - 1)
        }
        Some(b'{') => {
            let fields = Fields(serde_json::from_str(json).map_err(undocumented)?);
            let total = fields.count(TOTAL)?.or(total);
            match LISTS.iter().find_map(|name| fields.get(name).filter(|value| *value != "null")) {
                Some(value) => find_list(body, value, total, deeper - 1),
                None if total == Some(0) && LISTS.iter().any(|name| fields.get(name).is_some()) => {
                    Ok(List { records: Vec::new(), total, body: Arc::clone(body) })
                }
                None => missing(),
            }
        }
        _ => missing(),
    }
}

/// The total: of the page, or the one that each row of the current stock repeats.
fn total_of(total: Option<u64>, records: &[Record]) -> Result<Option<u64>> {
    let of = |record: &Record| record.get(TOTAL).and_then(plain_text).map(std::borrow::Cow::into_owned);
    let (None, Some(first)) = (total, records.first().and_then(of)) else { return Ok(total) };
    if records.iter().any(|record| of(record).as_ref() != Some(&first)) {
        return Ok(None);
    }
    first.parse().map(Some).map_err(|_| Error::malformed("a count is no whole number").with("field", TOTAL))
}

/// The table of `FindVoucherList`: rows by position, made objects with the names of the columns.
#[derive(Debug)]
pub(crate) struct Table {
    /// Each row as the text of an object; the values keep every byte.
    pub(crate) rows: Vec<String>,
    /// How many rows there are in all, if the answer says so.
    pub(crate) total: Option<u64>,
    /// How many pages there are, if the answer says so.
    pub(crate) n_pages: Option<u64>,
}

/// Reads the table of a `FindVoucherList`; `asked` are the columns that were asked for.
///
/// They name the columns where the answer does not, or does so without the voucher's name: `ID` is `SaleDelivery.ID`.
///
/// # Errors
/// [`ErrorKind::Malformed`](milkrun_core::ErrorKind::Malformed) if there is none, or a row has not as many values as
/// there are columns.
pub(crate) fn table(body: &str, asked: &[String]) -> Result<Table> {
    within(body, |json| match json.as_bytes().first() {
        Some(b'"') => find_table(&unquote(json)?, asked),
        _ => find_table(json, asked),
    })
}

fn find_table(json: &str, asked: &[String]) -> Result<Table> {
    let missing = |what| Error::malformed("the answer has no table").with("missing", what);
    let fields = Fields(serde_json::from_str(json).map_err(|_| missing("data"))?);
    let (total, n_pages) = (fields.count(TOTAL)?, fields.count("TotalPageNum")?);
    let rows: Option<Vec<Vec<&RawValue>>> =
        serde_json::from_str(fields.get("Rows").ok_or_else(|| missing("Rows"))?).map_err(undocumented)?;
    let rows = match rows {
        None if total != Some(0) => return Err(missing("Rows")),
        rows => rows.unwrap_or_default(),
    };
    let columns: Option<Vec<String>> = match fields.get("Columns") {
        Some(columns) => serde_json::from_str(columns).map_err(undocumented)?,
        None => None,
    };
    let columns = columns.filter(|columns| !columns.is_empty()).unwrap_or_else(|| asked.to_vec());
    let columns: Vec<&str> = columns.iter().map(|column| full_name(column, asked)).collect();
    let row = |values: &Vec<&RawValue>| {
        if values.len() != columns.len() {
            let error = Error::malformed("a row has not as many values as there are columns");
            return Err(error.with("values", values.len()).with("columns", columns.len()));
        }
        Ok(object(columns.iter().copied().zip(values.iter().map(|value| value.get()))))
    };
    Ok(Table { rows: rows.iter().map(row).collect::<Result<_>>()?, total, n_pages })
}

/// The column's name as it was asked for, if that is clear.
fn full_name<'a>(column: &'a str, asked: &'a [String]) -> &'a str {
    let is_it = |asked: &&String| asked.strip_suffix(column).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let mut alike = asked.iter().filter(is_it);
    match (alike.next(), alike.next()) {
        (Some(only), None) => only,
        _ => column,
    }
}

/// Reads one document: an object, bare or inside any of the envelopes.
///
/// # Errors
/// [`ErrorKind::Malformed`](milkrun_core::ErrorKind::Malformed) if there is none.
pub(crate) fn document(body: &str) -> Result<String> {
    within(body, |json| {
        let json = if json.starts_with('"') { unquote(json)?.to_string() } else { json.to_owned() };
        Record::parse(json.trim()).map(|record| record.text().to_owned())
    })
}

/// The id that a create gives, if it gives one: a quoted text, a number, or a field of an object.
///
/// # Errors
/// [`ErrorKind::Malformed`](milkrun_core::ErrorKind::Malformed) if the answer is a list or anything else.
pub(crate) fn created(body: &str) -> Result<Option<String>> {
    within(body, find_id)
}

fn find_id(json: &str) -> Result<Option<String>> {
    let id = |json: &str| plain_text(json).map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    match json.as_bytes().first() {
        Some(b'n' | b't') => Ok(None),
        Some(b'"') if plain_text(json).is_some_and(|text| text.trim_start().starts_with('{')) => {
            Ok(id_in(&unquote(json)?))
        }
        Some(b'"' | b'0'..=b'9') => Ok(id(json)),
        Some(b'{') => Ok(id_in(json)),
        _ => Err(Error::malformed("the answer to a create is not a documented one")),
    }
}

fn id_in(json: &str) -> Option<String> {
    let fields = Fields(serde_json::from_str(json).ok()?);
    fields.any(&["ID", "Id", "id", "voucherID"])
}

/// The fields of the object that a good answer of the token service holds, by any of these names.
///
/// # Errors
/// [`ErrorKind::Malformed`](milkrun_core::ErrorKind::Malformed) if it holds none.
pub(crate) fn members<const N: usize>(body: &str, names: [&[&str]; N]) -> Result<[Option<String>; N]> {
    within(body, |json| {
        // The cause is left out: it would repeat what was read.
        let fields = serde_json::from_str(json).map_err(|_| Error::malformed("the answer holds no object"));
        let fields = Fields(fields?);
        Ok(names.map(|names| fields.any(names)))
    })
}

/// The text of a JSON string that holds JSON.
fn unquote(json: &str) -> Result<Arc<String>> {
    let text: String = serde_json::from_str(json).map_err(undocumented)?;
    if text.trim_start().starts_with(['[', '{']) {
        return Ok(Arc::new(text));
    }
    Err(Error::malformed("the answer is a text where JSON is documented"))
}

/// Writes fields as an object; the values keep every byte.
pub(crate) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = b"{".to_vec();
    for (name, value) in fields {
        if out.len() > 1 {
            out.push(b',');
        }
        milkrun_core::record::write_json_string(&mut out, name);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'}');
    String::from_utf8(out).expect("texts were put together")
}

fn undocumented(cause: serde_json::Error) -> Error {
    Error::malformed("the answer is not the documented JSON").caused_by(cause)
}

#[cfg(test)]
mod tests;
