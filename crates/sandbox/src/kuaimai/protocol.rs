//! What the gateway checks before any method runs, and its error envelope, sections 1, 2 and 6 of the page.

use super::session::Session;
use super::settings::Settings;
use super::sign::{self, SignMethod};
use crate::beijing;
use crate::form::Form;

/// How far a call's timestamp may be from the gateway's clock, either way.
const TOLERANCE_MS: i64 = 10 * 60 * 1_000;

/// A call refused with one of the vendor's codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A problem with this code.
pub(crate) fn refuse(code: &str, message: impl Into<String>) -> Problem {
    Problem { code: code.to_owned(), message: message.into() }
}

/// Checks the common parameters, in this order: form, method, version, app key, sign, timestamp, format, signature,
/// session.
///
/// `known` says whether the gateway has a method.
///
/// # Errors
/// - `50`: body unreadable, field doubled, or value empty. The sources disagree on how an empty value is signed, and
///   the page concludes that none may be sent.
/// - `26`/`27` method missing / unknown; `28`/`29` version missing / unknown; `22`/`23` app key missing / invalid;
///   `24`/`25` sign missing / invalid; `20`/`invalid_session` session missing / dead.
/// - `32`/`33`: timestamp missing / malformed or more than ten minutes off; `33` too for another `format` or
///   `sign_method`.
pub(crate) fn check(
    form: Option<&Form>,
    settings: &Settings,
    session: &Session,
    known: impl Fn(&str) -> bool,
    now_ms: i64,
) -> Result<(), Problem> {
    let form = form.ok_or_else(|| refuse("50", "body is neither urlencoded nor multipart/form-data"))?;
    if let Some(name) = form.doubled() {
        return Err(refuse("50", format!("{name} given twice")));
    }
    if let Some((name, _)) = form.fields().iter().find(|(_, value)| value.is_empty()) {
        return Err(refuse("50", format!("{name} is empty")));
    }
    match form.get("method") {
        None => return Err(refuse("26", "method missing")),
        Some(method) if !known(method) => return Err(refuse("27", format!("unknown method {method}"))),
        Some(_) => {}
    }
    match form.get("version") {
        None => return Err(refuse("28", "version missing")),
        Some("1.0") => {}
        Some(_) => return Err(refuse("29", "unknown version")),
    }
    match form.get("appKey") {
        None => return Err(refuse("22", "appKey missing")),
        Some(key) if key != settings.app_key => return Err(refuse("23", "appKey invalid")),
        Some(_) => {}
    }
    let signature = form.get("sign").ok_or_else(|| refuse("24", "sign missing"))?;
    let timestamp = form.get("timestamp").ok_or_else(|| refuse("32", "timestamp missing"))?;
    let sent_ms = beijing::parse(timestamp).ok_or_else(|| refuse("33", "timestamp malformed"))?;
    if (now_ms - sent_ms).abs() > TOLERANCE_MS {
        return Err(refuse("33", "timestamp more than 10 minutes off (GMT+8)"));
    }
    if form.get("format").is_some_and(|format| format != "json") {
        return Err(refuse("33", "format invalid"));
    }
    let method = SignMethod::parse(form.get("sign_method")).ok_or_else(|| refuse("33", "sign_method invalid"))?;
    let expected = sign::sign(method, &settings.app_secret, &sign::text_to_sign(form.fields()));
    if !expected.eq_ignore_ascii_case(signature) {
        return Err(refuse("25", "sign invalid"));
    }
    session.check(form.get("session"), now_ms)
}
