//! Lists: what is asked, and what an answer says of its rows and of the rest.

use std::borrow::Cow;
use std::sync::Arc;

use milkrun_core::record::{Pairs, plain_text};
use milkrun_core::{Error, ErrorKind, Record, Result, Rows};

use crate::body::{Object, list, quoted};
use crate::envelope;
use crate::streams::{Condition, Form, Op, StreamConfig};

/// One page that is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// The page from 1, and how many rows it may have.
    pub(crate) page: Option<(u64, u32)>,
    /// Conditions beyond those of the stream, as JSON.
    pub(crate) conditions: Vec<String>,
    /// Short filters: name and value.
    pub(crate) short: Vec<(String, String)>,
}

/// One condition as JSON; values as text, so that ids stay whole.
pub(crate) fn condition(field: &str, op: Op, value: &str) -> String {
    let (field, op, value) = (quoted(field), quoted(op.as_str()), quoted(value));
    format!("{{\"field\":{field},\"op\":{op},\"value1\":{value}}}")
}

fn declared(condition: &Condition) -> String {
    let mut object = Object::default();
    object.set("field", &quoted(&condition.field));
    object.set("op", &quoted(condition.op.as_str()));
    for (name, value) in [("value1", &condition.value1), ("value2", &condition.value2)] {
        if let Some(value) = value {
            object.set(name, &value.to_string());
        }
    }
    object.write()
}

/// The body of a call for one page of a stream.
pub(crate) fn body(stream: &StreamConfig, query: &Query) -> String {
    let mut body = Object::default();
    let conditions: Vec<String> = stream.conditions.iter().map(declared).chain(query.conditions.clone()).collect();
    // Oldest change first, and one order for all that share a second: rows that change go to the end.
    let by = |field: &String| format!("{{\"field\":{},\"order\":\"asc\"}}", quoted(field));
    let version = Some(&stream.version).filter(|field| !field.is_empty());
    let order: Vec<String> = version.into_iter().chain(stream.key.iter()).map(by).collect();
    match stream.form {
        Form::Bare => {}
        Form::List => {
            if let Some((index, size)) = query.page {
                body.set("pageIndex", &index.to_string());
                body.set("pageSize", &size.to_string());
            }
            let is_sum = if stream.lines.is_some() { Some(false) } else { stream.is_sum };
            if let Some(is_sum) = is_sum {
                body.set("isSum", &is_sum.to_string());
            }
            body.set("simpleVOs", &list(&conditions));
            body.set("queryOrders", &list(&order));
        }
        Form::QueryByPage => {
            body.set("data", &quoted(stream.data.as_deref().unwrap_or_default()));
            if let Some((index, size)) = query.page {
                body.set("page", &format!("{{\"pageIndex\":{index},\"pageSize\":{size}}}"));
            }
            body.set("condition", &format!("{{\"simpleVOs\":{}}}", list(&conditions)));
            body.set("queryOrders", &list(&order));
            body.set("partParam", "{}");
        }
    }
    for (name, value) in &query.short {
        body.set(name, &quoted(value));
    }
    for (name, value) in &stream.params {
        body.set(name, &value.to_string());
    }
    body.write()
}

/// The rows of one answer, and what it says of the rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed {
    /// The rows.
    pub(crate) rows: Vec<Record>,
    /// How many rows the vendor says there are in all.
    pub(crate) total: Option<u64>,
    has_next: Option<bool>,
    n_pages: Option<u64>,
    page: Option<u64>,
    size: Option<u64>,
}

/// Reads a good answer; `name` is the list's in `data`, which may also be a bare list.
///
/// # Errors
/// [`ErrorKind::Malformed`] if there is no list: an empty one is `[]`, or `null` beside a count of 0.
pub(crate) fn read(body: &Arc<String>, name: &str) -> Result<Listed> {
    let malformed = |message: &'static str| Error::malformed(message).with("list", name);
    let envelope = envelope::read(body)?;
    let data =
        envelope.data.map(serde_json::value::RawValue::get).ok_or_else(|| malformed("the answer has no data"))?;
    let rows = |json: &str| -> Result<Vec<Record>> {
        let rows: Rows<'_> =
            serde_json::from_str(json).map_err(|cause| malformed("the list is no list of objects").caused_by(cause))?;
        Ok(rows.into_records(body))
    };
    if data.starts_with('[') {
        return Ok(Listed { rows: rows(data)?, ..Listed::default() });
    }
    let Pairs(fields) =
        serde_json::from_str(data).map_err(|cause| malformed("`data` is no object").caused_by(cause))?;
    let text = |wanted: &str| {
        let field = fields.iter().rev().find(|(name, _)| name == wanted)?;
        plain_text(field.1.get()).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let count = |wanted: &str| -> Result<Option<u64>> {
        let parsed = text(wanted)
            .map(|text| text.parse::<u64>().map_err(|_| malformed("a count is none").with("field", wanted.to_owned())));
        parsed.transpose()
    };
    let total = match count("recordCount")? {
        Some(total) => Some(total),
        None => count("totalCount")?,
    };
    let found = fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.get());
    let rows = match found {
        Some("null") | None if total != Some(0) || found.is_none() => return Err(malformed("the answer has no list")),
        Some("null") | None => Vec::new(),
        Some(json) => rows(json)?,
    };
    Ok(Listed {
        rows,
        total,
        has_next: text("haveNextPage").and_then(|text| text.parse().ok()),
        n_pages: count("pageCount")?,
        page: count("pageIndex")?,
        size: count("pageSize")?,
    })
}

impl Listed {
    /// Whether more follows after the page that was asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Incoherent`] if it is another page; [`ErrorKind::ConfigInvalid`] if the vendor has cut it short.
    pub(crate) fn has_next(&self, page: u64, size: u32) -> Result<bool> {
        if let Some(came) = self.page.filter(|came| *came != page) {
            let error =
                Error::new(ErrorKind::Incoherent, "another page came than was asked for, so that one comes twice");
            return Err(error.with("asked", page).with("came", came));
        }
        let n_rows = self.rows.len() as u64;
        let size = u64::from(size);
        if n_rows > size {
            return Err(Error::malformed("the answer holds more rows than were asked for").with("page_size", size));
        }
        let more = match (self.has_next, self.n_pages, self.total) {
            (Some(more), _, _) => more,
            (None, Some(n_pages), _) => page < n_pages,
            (None, None, Some(total)) => page.saturating_mul(size) < total,
            (None, None, None) => n_rows == size,
        };
        if more && n_rows < size {
            let came = self.size.filter(|came| *came < size);
            let error = match came {
                Some(came) => Error::config("the vendor gives smaller pages than were asked for").with("gives", came),
                None => Error::new(ErrorKind::Incoherent, "the page is not full, and more is to follow"),
            };
            return Err(error.with("page_size", size).with("rows", n_rows).advise("set a smaller `page_size`"));
        }
        Ok(more)
    }
}

/// A value of a row as plain text; `None` if it is missing, null, empty or no plain value.
pub(crate) fn text(row: &Record, path: &str) -> Option<String> {
    let json: Cow<'_, str> = row.at(path)?;
    plain_text(&json).map(Cow::into_owned).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(toml: &str) -> StreamConfig {
        let text = format!("name = 'x'\npath = '/yonbip/x/list'\n{toml}");
        let stream: StreamConfig = toml::from_str(&text).unwrap();
        stream.validate().unwrap();
        stream
    }

    #[test]
    fn the_bodies_of_all_forms() {
        let query = Query {
            page: Some((2, 50)),
            conditions: vec![condition("pubts", Op::Egt, "2026-01-05 00:00:00")],
            short: vec![("open_vouchdate_begin".into(), "2026-01-05".into())],
        };
        let bodies = [
            body(&stream(""), &query),
            body(&stream("is_sum = true"), &query),
            body(&stream("lines = { list = 'l', prefix = 'l_', header = ['id', 'pubts'] }"), &query),
            body(&stream("form = 'query-by-page'\ndata = 'id,code,name'"), &query),
            body(
                &stream("form = 'bare'\nversion = ''\nparams = { warehouse = '1', n = 3, ids = ['1'] }"),
                &Query::default(),
            ),
            body(
                &stream(
                    "conditions = [{ field = 'status', op = 'in', value1 = ['0', '1'] }, { field = 'd', op = 'between', value1 = 1, value2 = 2 }]",
                ),
                &Query::default(),
            ),
        ];
        insta::assert_snapshot!(bodies.join("\n"));
    }

    #[test]
    fn the_end_is_what_the_answer_says_of_it() {
        let ends = |fields: &str, n_rows: usize, page: u64| {
            let rows: Vec<String> = (0..n_rows).map(|i| format!("{{\"id\":{i}}}")).collect();
            let body = format!("{{\"code\":200,\"data\":{{{fields}\"recordList\":{}}}}}", list(&rows));
            read(&Arc::new(body), "recordList")
                .and_then(|listed| listed.has_next(page, 2))
                .map_err(|error| error.kind())
        };
        assert_eq!(ends(r#""pageIndex":1,"pageCount":2,"recordCount":3,"#, 2, 1), Ok(true));
        assert_eq!(ends(r#""pageIndex":"2","pageCount":"2","recordCount":"3","#, 1, 2), Ok(false));
        assert_eq!(ends(r#""recordCount":3,"#, 2, 1), Ok(true));
        assert_eq!(ends(r#""totalCount":2,"#, 2, 1), Ok(false));
        assert_eq!(ends("", 2, 1), Ok(true));
        assert_eq!(ends("", 1, 1), Ok(false));
        // What the vendor says outright is obeyed.
        assert_eq!(ends(r#""pageCount":1,"haveNextPage":true,"#, 2, 1), Ok(true));
        assert_eq!(ends(r#""pageCount":9,"haveNextPage":false,"#, 2, 1), Ok(false));
        assert_eq!(ends(r#""pageIndex":1,"pageCount":2,"#, 2, 2), Err(ErrorKind::Incoherent));
        assert_eq!(ends(r#""pageSize":1,"pageCount":3,"#, 1, 1), Err(ErrorKind::ConfigInvalid));
        assert_eq!(ends(r#""pageCount":3,"#, 1, 1), Err(ErrorKind::Incoherent));
        assert_eq!(ends("", 3, 1), Err(ErrorKind::Malformed));
    }

    #[test]
    fn empty_is_a_claim() {
        let count = |data: &str| {
            let body = Arc::new(format!("{{\"code\":\"200\",\"data\":{data}}}"));
            read(&body, "recordList").map(|listed| listed.rows.len()).map_err(|error| error.kind())
        };
        for empty in ["[]", r#"{"recordList":[]}"#, r#"{"recordList":null,"recordCount":0}"#] {
            assert_eq!(count(empty), Ok(0), "{empty}");
        }
        for none in [
            "null",
            "{}",
            r#"{"recordCount":0}"#,
            r#"{"recordList":null}"#,
            r#"{"recordList":null,"recordCount":2}"#,
            r#"{"recordList":{}}"#,
            r#"{"recordList":[1]}"#,
            r#"{"rows":[]}"#,
            r#"{"recordList":[],"recordCount":-1}"#,
            "\"x\"",
        ] {
            assert_eq!(count(none), Err(ErrorKind::Malformed), "{none}");
        }
    }
}
