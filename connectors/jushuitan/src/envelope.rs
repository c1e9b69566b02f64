//! What every answer is wrapped in: nested in `data` with the new API, flat with the old one.

use std::sync::Arc;

use milkrun_core::record::{Pairs, plain_text};
use milkrun_core::{Error, ErrorKind, Record, Result, Rows};

use crate::config::Api;

/// An answer: its code and message, and the fields that hold what was asked for.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    /// The vendor's code, a number or a text.
    pub(crate) code: String,
    /// The vendor's message.
    pub(crate) message: String,
    /// Whether the vendor says that it went well; the new API leaves it out.
    pub(crate) success: Option<bool>,
    fields: Pairs<'a>,
    api: Api,
}

/// The page that an answer holds.
#[derive(Debug)]
pub(crate) struct List {
    /// Its records.
    pub(crate) records: Vec<Record>,
    /// How many records there are in all.
    pub(crate) total: Option<u64>,
    /// Whether more follows.
    pub(crate) has_next: Option<bool>,
}

impl<'a> Envelope<'a> {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if the body is not one JSON object with a code.
    pub(crate) fn read(body: &'a str, api: Api) -> Result<Self> {
        let fields: Pairs<'a> = serde_json::from_str(body).map_err(undocumented)?;
        let text = |name| value(&fields, name).and_then(plain_text);
        let code = text("code").map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| Error::malformed("the answer has no code"))?;
        let message = text("msg").unwrap_or_default().trim().to_owned();
        let success = truth(&fields, "issuccess")?;
        Ok(Self { code, message, success, fields, api })
    }

    /// The fields that hold what was asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if the new API's `data` is no object.
    pub(crate) fn data(self) -> Result<Pairs<'a>> {
        match self.api {
            Api::Old => Ok(self.fields),
            Api::New => match value(&self.fields, "data") {
                Some(data) if data.starts_with('{') => serde_json::from_str(data).map_err(undocumented),
                _ => Err(Error::malformed("the answer has no `data`")),
            },
        }
    }
}

/// The records of the first of `lists` that `data` has, out of `body`.
///
/// A list that is `null` is none, unless the vendor counts no record in the same breath.
///
/// # Errors
/// [`ErrorKind::Malformed`] if there is no such list: that is never "no records".
pub(crate) fn list(data: &Pairs<'_>, lists: &[String], body: &Arc<String>) -> Result<List> {
    let total = count(data, "data_count")?;
    let has_next = truth(data, "has_next")?;
    let missing = |message: &'static str| Error::malformed(message).with("list", lists.join(" or "));
    let found = lists.iter().find_map(|list| value(data, list));
    let records = match found {
        Some("null") if total == Some(0) && has_next != Some(true) => Vec::new(),
        None | Some("null") => return Err(missing("the answer has no list")),
        Some(json) => {
            let rows: Rows<'_> = serde_json::from_str(json).map_err(undocumented)?;
            rows.into_records(body)
        }
    };
    if records.is_empty() && has_next == Some(true) {
        return Err(missing("the answer has no record and says that more follows"));
    }
    Ok(List { records, total, has_next })
}

/// The value of a field as JSON text; of a repeated name, the last.
pub(crate) fn value<'a>(fields: &Pairs<'a>, name: &str) -> Option<&'a str> {
    fields.0.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.get())
}

/// A boolean, as such, as a number or as text; `null` is none.
///
/// # Errors
/// [`ErrorKind::Malformed`] if it is something else.
fn truth(fields: &Pairs<'_>, name: &'static str) -> Result<Option<bool>> {
    match value(fields, name).map(truth_of) {
        None | Some(Ok(None)) => Ok(None),
        Some(Ok(truth)) => Ok(truth),
        Some(Err(())) => Err(Error::malformed("a field is neither true nor false").with("field", name)),
    }
}

/// What a JSON text says, `None` for nothing.
pub(crate) fn truth_of(json: &str) -> Result<Option<bool>, ()> {
    match plain_text(json).map(|text| text.trim().to_lowercase()).as_deref() {
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        None if json == "null" => Ok(None),
        Some("") => Ok(None),
        _ => Err(()),
    }
}

/// A count, as a number or its text; `null` and an empty text are none.
fn count(fields: &Pairs<'_>, name: &'static str) -> Result<Option<u64>> {
    let Some(json) = value(fields, name).filter(|json| *json != "null") else { return Ok(None) };
    match plain_text(json).as_deref().map(str::trim) {
        Some("") => Ok(None),
        Some(text) if text.parse::<u64>().is_ok() => Ok(text.parse().ok()),
        _ => Err(Error::malformed("a field is no count").with("field", name)),
    }
}

fn undocumented(cause: serde_json::Error) -> Error {
    Error::new(ErrorKind::Malformed, "the answer is not the documented JSON").caused_by(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, api: Api) -> Result<List> {
        let body = Arc::new(body.to_owned());
        let data = Envelope::read(&body, api)?.data()?;
        list(&data, &["datas".to_owned(), "shops".to_owned()], &body)
    }

    #[test]
    fn both_envelopes_hold_the_same_page() {
        let page =
            r#""page_size":50,"page_index":1,"data_count":"2","page_count":1,"has_next":0,"datas":[{"a":1},{"a":"2"}]"#;
        for (body, api) in [
            (format!(r#"{{"code":0,"msg":"执行成功","data":{{{page}}}}}"#), Api::New),
            (format!(r#"{{"code":"0","issuccess":true,"msg":null,{page}}}"#), Api::Old),
        ] {
            let list = read(&body, api).unwrap();
            assert_eq!((list.records.len(), list.total, list.has_next), (2, Some(2), Some(false)), "{body}");
            assert_eq!(list.records[1].get("a"), Some("\"2\""));
        }
    }

    #[test]
    fn has_next_comes_in_three_forms() {
        for (json, truth) in [
            ("true", Some(true)),
            ("1", Some(true)),
            ("\"true\"", Some(true)),
            ("\"True\"", Some(true)),
            ("false", Some(false)),
            ("\"0\"", Some(false)),
            ("null", None),
            ("\"\"", None),
        ] {
            let body = format!(r#"{{"code":0,"data":{{"has_next":{json},"datas":[{{"a":1}}]}}}}"#);
            assert_eq!(read(&body, Api::New).unwrap().has_next, truth, "{json}");
        }
    }

    #[test]
    fn empty_is_a_claim() {
        for good in [
            r#"{"code":0,"data":{"datas":[]}}"#,
            r#"{"code":0,"data":{"shops":[],"data_count":0,"has_next":false}}"#,
            r#"{"code":0,"data":{"datas":null,"data_count":0,"has_next":false}}"#,
        ] {
            assert_eq!(read(good, Api::New).unwrap().records.len(), 0, "{good}");
        }
        let refused = [
            "",
            "[]",
            "{}",
            r#"{"data":{"datas":[]}}"#,
            r#"{"code":null,"data":{"datas":[]}}"#,
            r#"{"code":0}"#,
            r#"{"code":0,"datas":[]}"#,
            r#"{"code":0,"data":[]}"#,
            r#"{"code":0,"data":null}"#,
            r#"{"code":0,"data":{}}"#,
            r#"{"code":0,"data":{"data_count":0}}"#,
            r#"{"code":0,"data":{"datas":null}}"#,
            r#"{"code":0,"data":{"datas":null,"data_count":3}}"#,
            r#"{"code":0,"data":{"orders":[]}}"#,
            r#"{"code":0,"data":{"datas":[],"has_next":true}}"#,
            r#"{"code":0,"data":{"datas":{}}}"#,
            r#"{"code":0,"data":{"datas":[1]}}"#,
            r#"{"code":0,"data":{"datas":[{"a":1}]}"#,
            r#"{"code":0,"data":{"datas":[],"data_count":-1}}"#,
            r#"{"code":0,"data":{"datas":[],"data_count":1.5}}"#,
            r#"{"code":0,"data":{"datas":[],"has_next":"perhaps"}}"#,
        ];
        let reasons: Vec<_> = refused
            .iter()
            .map(|body| {
                let error = read(body, Api::New).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
                format!("{body:52} {}", error.message())
            })
            .collect();
        insta::assert_snapshot!(reasons.join("\n"));
    }
}
