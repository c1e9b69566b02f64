//! What every answer is wrapped in: `{"code", "message", "data"}` and some more.

use milkrun_core::record::{Pairs, plain_text};
use milkrun_core::{Error, ErrorKind, Result};
use serde_json::value::RawValue;

use crate::error;

/// An answer of the gateway, its data unread.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    /// The code, a number or a text; an empty one is none.
    pub(crate) code: Option<String>,
    /// The vendor's message.
    pub(crate) message: String,
    /// Whether it went well, where the vendor says so beside the code.
    pub(crate) success: Option<bool>,
    /// What the vendor finds the call by.
    pub(crate) trace: Option<String>,
    /// What was asked for; `null` is none.
    pub(crate) data: Option<&'a RawValue>,
}

/// The text that some paths answer instead of JSON when they do not accept the token.
const ILLEGAL_TOKEN: &str = "非法token";

/// Reads an answer.
///
/// # Errors
/// [`ErrorKind::TokenExpired`] for the plain text that some paths answer; [`ErrorKind::Malformed`] if the body is no
/// JSON object.
pub(crate) fn read(body: &str) -> Result<Envelope<'_>> {
    // Some paths answer in plain text.
    if body.trim_start_matches(['\u{feff}', '"', ' ']).starts_with(ILLEGAL_TOKEN) {
        return Err(error::classify("310036", ILLEGAL_TOKEN));
    }
    let Pairs(fields) = serde_json::from_str(body)
        .map_err(|cause| Error::malformed("the answer is not the documented JSON").caused_by(cause))?;
    let mut envelope = Envelope::default();
    for (name, value) in fields {
        let text = || plain_text(value.get()).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        match &*name {
            "code" => envelope.code = text(),
            "message" => envelope.message = text().unwrap_or_default(),
            "success" => envelope.success = text().and_then(|text| text.parse().ok()),
            "traceId" => envelope.trace = text(),
            "data" => envelope.data = Some(value).filter(|value| value.get() != "null"),
            _ => {}
        }
    }
    Ok(envelope)
}

impl Envelope<'_> {
    /// Whether the code is one of `good`, compared as text.
    pub(crate) fn has_code(&self, good: &[impl AsRef<str>]) -> bool {
        self.code.as_deref().is_some_and(|code| good.iter().any(|good| good.as_ref() == code))
    }

    /// Passes an answer whose code is one of `good`.
    ///
    /// # Errors
    /// What the code means; `say` strikes secrets out of the vendor's words.
    pub(crate) fn judge(&self, good: &[impl AsRef<str>], say: impl Fn(&str) -> String) -> Result<()> {
        let error = match &self.code {
            None => Error::malformed("the answer has no code"),
            Some(_) if self.has_code(good) && self.success != Some(false) => return Ok(()),
            Some(code) if self.has_code(good) => {
                let message =
                    format!("the code says that it went well, and `success` that it did not: {}", self.message);
                Error::new(ErrorKind::Unexpected, say(&message)).with("vendor_code", code)
            }
            Some(code) => error::classify(code, &say(&self.message)),
        };
        Err(if let Some(trace) = &self.trace { error.with("trace_id", trace) } else { error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_compared_as_text() {
        let judged = |body: &str, good: &[&str]| {
            let outcome = read(body).and_then(|envelope| envelope.judge(good, str::to_owned));
            outcome.map_err(|error| error.kind())
        };
        for body in
            [r#"{"code":"200","data":1}"#, r#"{"code":200,"success":true}"#, r#"{"code":" 200 ","success":null}"#]
        {
            assert_eq!(judged(body, &["200"]), Ok(()), "{body}");
        }
        assert_eq!(judged(r#"{"code":0}"#, &["0", "1"]), Ok(()));
        assert_eq!(judged(r#"{"code":"0000"}"#, &["0000"]), Ok(()));
        // What one interface calls success is a failure of another one.
        assert_eq!(judged(r#"{"code":0}"#, &["200"]), Err(ErrorKind::Refused));
        assert_eq!(judged(r#"{"code":"200"}"#, &["0"]), Err(ErrorKind::Unexpected));
        assert_eq!(judged(r#"{"code":"200","success":false}"#, &["200"]), Err(ErrorKind::Unexpected));
        for body in ["", "{}", "[]", "null", "200", r#"{"code":"","data":{}}"#, r#"{"code":null}"#, r#"{"code":"200""#]
        {
            assert_eq!(judged(body, &["200"]), Err(ErrorKind::Malformed), "{body}");
        }
        for body in ["非法token", "\"非法token\"", "非法token，请重新获取"] {
            assert_eq!(judged(body, &["200"]), Err(ErrorKind::TokenExpired), "{body}");
        }
    }
}
