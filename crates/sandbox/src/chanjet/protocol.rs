//! What the gateway checks before anything runs, and the envelopes of errors, sections 1 and 5 of the page.

use super::session::Session;
use super::settings::Settings;
use super::sign;
use crate::json::Json;
use crate::vendor::{Answer, Call};

/// Which envelope an endpoint has; those of good answers differ more than those of errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Family {
    /// Business calls: `{code,message,data}`.
    #[default]
    Plain,
    /// Token service: `{code,message,result}`.
    A,
    /// Self-built application: `{result,value,error,traceId}`.
    B,
}

/// A call refused with one of the vendor's codes, and the HTTP status that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) status: u16,
}

impl Problem {
    /// The same with another HTTP status.
    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

/// A problem with this code, in HTTP 200.
pub(crate) fn refuse(code: &str, message: impl Into<String>) -> Problem {
    Problem { code: code.to_owned(), message: message.into(), status: 200 }
}

/// The answer to a path that does not exist.
pub(crate) fn unknown_path() -> Problem {
    refuse("50003", "请求的服务不存在").status(404)
}

/// The HTTP status that comes with a code which nobody but a fault made.
pub(crate) fn usual_status(code: &str) -> u16 {
    match code {
        "4007" | "50000" | "50003" | "50112" => 401,
        _ => 200,
    }
}

/// Checks `appKey` and `appSecret`.
///
/// # Errors
/// `50000` with HTTP 401 if one is missing or the secret is wrong, `50112` with HTTP 403 for another key.
pub(crate) fn check_app(key: Option<&str>, secret: Option<&str>, settings: &Settings) -> Result<(), Problem> {
    match key {
        None => return Err(refuse("50000", "appKey缺失").status(401)),
        Some(key) if key != settings.app_key => return Err(refuse("50112", "appKey不匹配").status(403)),
        Some(_) => {}
    }
    if secret != Some(settings.app_secret.as_str()) {
        return Err(refuse("50000", "appSecret错误").status(401));
    }
    Ok(())
}

/// Checks a business call in this order: application, body signature, token.
///
/// # Errors
/// As [`check_app`] and [`Session::check`]; `50000` with HTTP 403 for a signature that is missing or wrong, where the
/// application has a sign key.
pub(crate) fn check_business(call: &Call, settings: &Settings, session: &Session, now_ms: i64) -> Result<(), Problem> {
    check_app(call.header("appkey"), call.header("appsecret"), settings)?;
    if let Some(sign_key) = &settings.sign_key {
        let wrong = || refuse("50000", "签名错误").status(403);
        let timestamp = call.header("timestamp").filter(|text| text.parse::<u64>().is_ok()).ok_or_else(wrong)?;
        let expected = sign::body(&settings.app_key, sign_key, timestamp, &call.body);
        if call.header("signature") != Some(expected.as_str()) {
            return Err(wrong());
        }
    }
    session.check(call.header("opentoken"), now_ms)
}

/// An answer in JSON.
pub(crate) fn json_answer(status: u16, body: String, outcome: &str) -> Answer {
    Answer {
        status,
        content_type: "application/json;charset=UTF-8",
        retry_after: None,
        body,
        outcome: outcome.to_owned(),
        rows: 0,
        drifted: 0,
    }
}

/// The answer to a call that is refused.
pub(crate) fn refusal(family: Family, problem: &Problem, trace: u64) -> Answer {
    let mut out = Json::with_capacity(160);
    out.begin();
    match family {
        Family::Plain | Family::A => {
            out.text("code", &problem.code);
            out.text("message", &problem.message);
            out.literal(if family == Family::A { "result" } else { "data" }, "null");
        }
        Family::B => {
            out.literal("result", "false");
            out.literal("value", "null");
            out.key("error");
            out.begin();
            out.text("code", &problem.code);
            out.text("msg", &problem.message);
            out.text("hint", "");
            out.end();
            out.format("traceId", format_args!("{trace:016x}"));
        }
    }
    out.end();
    json_answer(problem.status, out.into_string(), &problem.code)
}
