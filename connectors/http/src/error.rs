//! Codes of the vendor to errors.

use std::time::Duration;

use milkrun_core::{Error, ErrorKind};

/// Sorts a code other than 0 into an error.
///
/// The vendor answers HTTP 200 whatever happened, so the code is the only signal.
/// Codes: <https://open.http.example/v1/errors>, read 2026-11-26.
pub(crate) fn classify(code: i64, message: &str) -> Error {
    let says = if message.is_empty() { "the vendor reports an error" } else { message };
    let error = |kind| Error::new(kind, says.to_owned());
    let error = match code {
        1001 => error(ErrorKind::ConfigInvalid).advise("check `api_key`"),
        1003 => error(ErrorKind::Forbidden).advise("ask the vendor to allow this interface for the API key"),
        1199 => error(ErrorKind::QuotaExceeded).retry_after(Duration::from_mins(1)),
        2001 => error(ErrorKind::Refused),
        5000 => error(ErrorKind::Unavailable),
        _ => error(ErrorKind::Unexpected),
    };
    error.with("vendor_code", code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_codes() {
        let line = |code| {
            let error = classify(code, "");
            format!("{code} {} {:?} {}", error.kind(), error.retry(), error.help().unwrap_or("-"))
        };
        insta::assert_snapshot!([1001, 1003, 1199, 2001, 5000, 9999].map(line).join("\n"), @r"
        1001 config-invalid Never check `api_key`
        1003 forbidden Never ask the vendor to allow this interface for the API key
        1199 quota-exceeded After(60s) -
        2001 refused Never -
        5000 unavailable Backoff -
        9999 unexpected Never -
        ");
    }
}
