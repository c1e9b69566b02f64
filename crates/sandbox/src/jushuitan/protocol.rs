//! What both gateways check before anything runs, and the envelopes of section 6.

use super::session::Session;
use super::settings::{Settings, TimestampRule};
use super::sign;
use crate::form::Form;
use crate::json::Json;

/// Which of the two APIs a call came through; each has its own envelope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Generation {
    /// `openapi.jushuitan.com`: lists lie under `data`.
    #[default]
    New,
    /// `open.erp321.com`: lists lie flat beside `issuccess`.
    Old,
}

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

/// The answer to an unknown method.
pub(crate) fn no_permission() -> Problem {
    refuse("190", "没有权限访问该接口")
}

/// The system fields of a call of the new API, in this order: form, `app_key`, `charset`, `version`, `timestamp`,
/// `sign`, and for business calls `access_token` and `biz`.
///
/// # Errors
/// - `140`: parameters in the query string, another content type, a field given twice, another `app_key`, `charset` or
///   `version`, and with [`TimestampRule::FifteenMinutes`] a timestamp too far off;
/// - `130`: a field missing or empty. The sources disagree on how an empty value is signed, and the page concludes that
///   none may be sent;
/// - `180`: a timestamp that is no second count or too far off;
/// - `10`: another signature, which is lower-case hex;
/// - `100`: another access token, or a dead one.
pub(crate) fn check_new(
    form: Option<&Form>,
    query: &str,
    settings: &Settings,
    session: Option<&Session>,
    now_ms: i64,
) -> Result<(), Problem> {
    if !query.is_empty() {
        return Err(refuse("140", "参数不符合规范：系统参数须放在表单中"));
    }
    let form =
        form.ok_or_else(|| refuse("140", "参数不符合规范：Content-Type 须为 application/x-www-form-urlencoded"))?;
    if let Some(name) = form.doubled() {
        return Err(refuse("140", format!("参数不符合规范：{name} 重复")));
    }
    if let Some((name, _)) = form.fields().iter().find(|(_, value)| value.is_empty()) {
        return Err(refuse("130", format!("必填数据为空：{name}")));
    }
    let need = |name: &str| form.get(name).ok_or_else(|| refuse("130", format!("必填数据为空：{name}")));
    if need("app_key")? != settings.app_key {
        return Err(refuse("140", "参数不符合规范：app_key"));
    }
    if !need("charset")?.eq_ignore_ascii_case("utf-8") {
        return Err(refuse("140", "参数不符合规范：charset"));
    }
    if session.is_some() && need("version")? != "2" {
        return Err(refuse("140", "参数不符合规范：version"));
    }
    let timestamp = need("timestamp")?;
    let signature = need("sign")?;
    check_timestamp(timestamp, settings, now_ms)?;
    if sign::new_api(&settings.app_secret, form.fields()) != signature {
        return Err(refuse("10", "签名错误"));
    }
    if let Some(session) = session {
        session.check(need("access_token")?, now_ms)?;
        need("biz")?;
    }
    Ok(())
}

/// The system parameters of a call of the old API, from its query string.
///
/// # Errors
/// As [`check_new`]; a wrong signature is `120` here.
pub(crate) fn check_old(query: &Form, settings: &Settings, now_ms: i64) -> Result<(), Problem> {
    if let Some(name) = query.doubled() {
        return Err(refuse("140", format!("参数不符合规范：{name} 重复")));
    }
    let need = |name: &str| {
        let value = query.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| refuse("130", format!("必填数据为空：{name}")))
    };
    let (method, partner_id, token) = (need("method")?, need("partnerid")?, need("token")?);
    let (ts, signature) = (need("ts")?, need("sign")?);
    if partner_id != settings.partner_id {
        return Err(refuse("140", "参数不符合规范：partnerid"));
    }
    check_timestamp(ts, settings, now_ms)?;
    if sign::old_api(&settings.partner_key, method, partner_id, token, ts) != signature {
        return Err(refuse("120", "签名错误"));
    }
    Ok(())
}

/// Checks a link that a merchant's browser follows to grant access.
///
/// # Errors
/// As [`check_new`].
pub(crate) fn check_link(query: &str, settings: &Settings, now_ms: i64) -> Result<Form, Problem> {
    let form = Form::urlencoded(query.as_bytes());
    check_new(Some(&form), "", settings, None, now_ms)?;
    Ok(form)
}

fn check_timestamp(text: &str, settings: &Settings, now_ms: i64) -> Result<(), Problem> {
    let (minutes, code) = match settings.timestamp {
        TimestampRule::TenMinutes => (10, "180"),
        TimestampRule::FifteenMinutes => (15, "140"),
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let sent = text.parse::<i64>().ok().filter(|_| digits);
    match sent {
        Some(sent) if sent.abs_diff(now_ms.div_euclid(1_000)) <= minutes * 60 => Ok(()),
        _ => Err(refuse(code, "时间戳超出允许范围")),
    }
}

/// Writes an envelope up to its data; the caller closes `data` (new API) and the envelope itself.
pub(crate) fn open(generation: Generation, out: &mut Json) {
    out.begin();
    out.literal("code", "0");
    match generation {
        Generation::New => {
            out.text("msg", "执行成功");
            out.key("data");
            out.begin();
        }
        Generation::Old => {
            out.literal("issuccess", "true");
            out.text("msg", "执行成功");
        }
    }
}

/// Closes what [`open`] opened.
pub(crate) fn close(generation: Generation, out: &mut Json) {
    if generation == Generation::New {
        out.end();
    }
    out.end();
}

/// The text of a refusal.
pub(crate) fn refusal(generation: Generation, code: &str, message: &str) -> String {
    let mut out = Json::with_capacity(120);
    out.begin();
    if code.parse::<i64>().is_ok() {
        out.literal("code", code);
    } else {
        out.text("code", code);
    }
    if generation == Generation::Old {
        out.literal("issuccess", "false");
    }
    out.text("msg", message);
    if generation == Generation::New {
        out.literal("data", "null");
    }
    out.end();
    out.into_string()
}
