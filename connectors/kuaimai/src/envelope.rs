//! What every answer is wrapped in, read in one pass together with its records.

use std::sync::Arc;

use milkrun_core::record::plain_text;
use milkrun_core::scan::Parts;
use milkrun_core::{Error, Record, Result};

/// Codes of good answers, which the documentation's examples carry.
const GOOD_CODES: [&str; 3] = ["0", "200", "success"];

/// The fields of the envelope; what else an answer has at its top is the answer itself.
pub(crate) const ENVELOPE_FIELDS: [&str; 7] =
    ["success", "msg", "subCode", "subMsg", "solution", "traceId", "trace_id"];

/// An answer of the gateway, without its records.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    /// Whether the vendor says that it went well; good answers may leave it out.
    pub(crate) success: Option<bool>,
    /// The vendor's code, a text or a number; an empty one is none.
    pub(crate) code: Option<String>,
    /// The vendor's message.
    pub(crate) message: Option<String>,
    /// The vendor's inner code, inner message and advice.
    pub(crate) more: [Option<String>; 3],
    /// What the vendor finds the call by; documented as `trace_id`, sent as `traceId`.
    pub(crate) trace: Option<String>,
    /// How many records there are in all.
    pub(crate) total: Option<u64>,
    /// Whether more follows.
    pub(crate) has_next: Option<bool>,
    /// The document's own id, where a document lies flat in the envelope.
    pub(crate) id: Option<String>,
    /// A further field that is a list or an object with something in it.
    pub(crate) other: Option<String>,
}

/// Reads an answer; the records are those of the first name in `lists` that the answer has.
///
/// # Errors
/// [`ErrorKind::Malformed`](milkrun_core::ErrorKind::Malformed) if the body is not one JSON object of the documented
/// types.
pub(crate) fn read(body: &Arc<String>, lists: &[String]) -> Result<(Envelope, Option<Vec<Record>>)> {
    let parts = Parts::split(body, lists)?;
    let mut envelope = Envelope::default();
    for (name, value) in parts.fields {
        envelope.take(&name, value)?;
    }
    let best = parts.lists.into_iter().min_by_key(|(rank, _)| *rank);
    Ok((envelope, best.map(|(_, rows)| rows.into_records(body))))
}

impl Envelope {
    /// Takes one of the answer's own fields.
    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        let text = || plain_text(value).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        match name {
            "success" => self.success = truth(name, value)?,
            "hasNext" => self.has_next = truth(name, value)?,
            "code" => self.code = text(),
            "msg" => self.message = text(),
            "subCode" => self.more[0] = text(),
            "subMsg" => self.more[1] = text(),
            "solution" => self.more[2] = text(),
            "traceId" | "trace_id" => self.trace = text().or(self.trace.take()),
            "id" => self.id = text(),
            // A number; in the purchase methods digits as text.
            "total" => {
                let count = |digits: String| digits.parse().map_err(|_| wrong("`total` is no count".to_owned()));
                self.total = text().map(count).transpose()?;
            }
            _ if self.other.is_none() && has_something(value) => self.other = Some(name.to_owned()),
            _ => {}
        }
        Ok(())
    }

    /// The code if it says that something went wrong.
    pub(crate) fn bad_code(&self) -> Option<&str> {
        self.code.as_deref().filter(|code| !GOOD_CODES.contains(code))
    }

    /// Whether anything in the envelope shows that the gateway wrote it and is content.
    fn is_signed_off(&self) -> bool {
        self.success == Some(true) || self.code.is_some() || self.trace.is_some() || self.total == Some(0)
    }

    /// Makes sure that an answer without a list means that there are no records. Ask it of a good answer only.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](milkrun_core::ErrorKind::Malformed) if the answer says or holds anything else.
    pub(crate) fn is_really_empty(&self, lists: &[String], may_be_missing: bool) -> Result<()> {
        let missing = |message: String| Err(Error::malformed(message).with("list", lists.join(" or ")));
        match (&self.other, self.total) {
            _ if !may_be_missing => missing("the answer has no list".to_owned()),
            (_, Some(total @ 1..)) => missing(format!("the answer has no list and names a total of {total}")),
            _ if self.has_next == Some(true) => missing("the answer has no list and says that more follows".to_owned()),
            (Some(other), _) => missing(format!("the answer has no list, but something else in `{other}`")),
            _ if !self.is_signed_off() => missing("the answer has no list and no word of success".to_owned()),
            _ => Ok(()),
        }
    }
}

fn wrong(cause: String) -> Error {
    Error::malformed("the answer is not the documented JSON").with("cause", cause)
}

/// A boolean, as such or as text; `null` is none.
fn truth(name: &str, value: &str) -> Result<Option<bool>> {
    match value {
        "true" | "\"true\"" => Ok(Some(true)),
        "false" | "\"false\"" => Ok(Some(false)),
        "null" => Ok(None),
        _ => Err(wrong(format!("`{name}` is neither true nor false"))),
    }
}

/// Whether a JSON text is a list or an object that is not empty.
fn has_something(value: &str) -> bool {
    value.strip_prefix(['[', '{']).is_some_and(|rest| !rest.trim_start().starts_with([']', '}']))
}

#[cfg(test)]
mod tests {
    use milkrun_core::ErrorKind;

    use super::*;

    fn list() -> Vec<String> {
        vec!["list".to_owned()]
    }

    /// How many records an answer has, or why it is none.
    fn count(body: &str) -> Result<usize, String> {
        let read = |body: &str| -> Result<usize> {
            let (envelope, records) = read(&Arc::new(body.to_owned()), &list())?;
            match records {
                Some(records) => Ok(records.len()),
                None => envelope.is_really_empty(&list(), true).map(|()| 0),
            }
        };
        read(body).map_err(|error| {
            assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
            error.message().to_owned()
        })
    }

    #[test]
    fn empty_is_a_claim() {
        for body in [
            r#"{"success":true}"#,
            r#"{"success":true,"total":0,"list":null}"#,
            r#"{"traceId":"1"}"#,
            r#"{"total":"0"}"#,
            r#"{"code":"200","msg":"ok"}"#,
            r#"{"success":true,"list":[]}"#,
            r#"{"success":true,"data":[],"extra":{ }}"#,
        ] {
            assert_eq!(count(body), Ok(0), "{body}");
        }
        let refused = [
            "",
            "null",
            "[]",
            "{}",
            r#"{"a":1}"#,
            r#"{"success":true,"total":2}"#,
            r#"{"success":true,"total":"2"}"#,
            r#"{"success":true,"hasNext":true}"#,
            r#"{"success":true,"rows":[{"id":1}]}"#,
            r#"{"success":true,"data":{"list":[]}}"#,
            r#"{"success":true,"list":{}}"#,
            r#"{"success":true,"list":[1]}"#,
            r#"{"success":true,"list":[{"id":1}]"#,
            r#"{"success":true,"list":[]}}"#,
            r#"{"success":true,"total":-1}"#,
            r#"{"success":true,"total":1.5}"#,
            r#"{"success":"perhaps"}"#,
            "<html></html>",
        ];
        let reasons: Vec<_> = refused.iter().map(|body| format!("{body:40} {}", count(body).unwrap_err())).collect();
        insta::assert_snapshot!(reasons.join("\n"));
    }

    #[test]
    fn the_first_name_wins_and_both_traces_are_read() {
        let body = r#"{"b":[{"id":1}],"a":[{"id":2},{"id":3}],"trace_id":"7","code":25,"success":null}"#;
        let names = vec!["a".to_owned(), "b".to_owned()];
        let (envelope, records) = read(&Arc::new(body.to_owned()), &names).unwrap();
        assert_eq!(records.unwrap().len(), 2);
        assert_eq!((envelope.trace.as_deref(), envelope.bad_code()), (Some("7"), Some("25")));
        let (envelope, records) = read(&Arc::new(r#"{"a":null,"b":[],"code":""}"#.to_owned()), &names).unwrap();
        assert_eq!((records.unwrap().len(), envelope.bad_code()), (0, None));
    }
}
