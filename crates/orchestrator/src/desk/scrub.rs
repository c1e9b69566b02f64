//! Hides secrets in whatever is answered: every text of it, wherever it stands.

use milkrun_core::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::show::Scrubber;

/// The answer with stars in the place of each secret.
///
/// Answers hold texts, counts and instants, so nothing is lost on the way: records and documents are texts.
///
/// # Errors
/// None as long as answers can be read as they are written.
pub(crate) fn hidden<T: Serialize + DeserializeOwned>(scrubber: &Scrubber, answer: T) -> Result<T> {
    let odd = |e: serde_json::Error| {
        Error::new(ErrorKind::Unexpected, "an answer cannot be read as it is written").caused_by(e)
    };
    let mut value = serde_json::to_value(answer).map_err(odd)?;
    hide(scrubber, &mut value);
    serde_json::from_value(value).map_err(odd)
}

fn hide(scrubber: &Scrubber, value: &mut Value) {
    match value {
        Value::String(text) => *text = scrubber.scrub(std::mem::take(text)),
        Value::Array(list) => list.iter_mut().for_each(|value| hide(scrubber, value)),
        Value::Object(fields) => fields.values_mut().for_each(|value| hide(scrubber, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
