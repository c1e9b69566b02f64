//! A client that signs and sends one call.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use md5::{Digest, Md5};
use milkrun_sandbox::jushuitan::{self, Settings};
use milkrun_sandbox::{Control, Sandbox};
use serde_json::Value;

pub(crate) use crate::wire::{Reply, control, send};

/// 2026-08-01 12:00:00 in Beijing, where the tests' clocks stand still.
pub(crate) const NOON: i64 = 1_785_556_800;
pub(crate) const KIND: (&str, &str) = ("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
pub(crate) const ORDERS: &str = "/open/orders/single/query";
/// A window over all that there is.
pub(crate) const WINDOW: &str = r#""modified_begin":"2026-07-31 12:00:00","modified_end":"2026-08-01 11:30:00""#;

/// Settings for tests: the clock stands still at noon, a day of history, no call limits.
pub(crate) fn settings() -> Settings {
    Settings {
        clock_start: Some(Timestamp::from_second(NOON).unwrap()),
        clock_frozen: true,
        history: Duration::from_hours(20),
        limits: Vec::new(),
        ..Settings::default()
    }
}

pub(crate) async fn start(settings: Settings) -> Sandbox {
    jushuitan::start(settings).await.unwrap()
}

pub(crate) fn md5(text: &str) -> String {
    Md5::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// The system fields and the given ones, signed; a field given as `-` is left out, and a signature given stays.
pub(crate) fn form(control: &Control, more: &[(&str, &str)]) -> String {
    let now = control.now().as_second().to_string();
    let token = control.session()["access_token"].as_str().unwrap().to_owned();
    let mut fields = vec![
        ("app_key", "5a3e1f0c9b8d47268c51d0e4f7a2b693"),
        ("access_token", &token),
        ("timestamp", &now),
        ("charset", "utf-8"),
        ("version", "2"),
    ];
    for (key, value) in more {
        fields.retain(|(known, _)| known != key);
        fields.push((key, value));
    }
    fields.retain(|(_, value)| *value != "-");
    let mut sorted = fields.clone();
    sorted.sort_unstable();
    let text: String = sorted.iter().flat_map(|(key, value)| [*key, *value]).collect();
    let sign = md5(&format!("sandbox-app-secret{text}"));
    if !more.iter().any(|(key, _)| *key == "sign") {
        fields.push(("sign", &sign));
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Calls with these fields beside or instead of the usual ones.
pub(crate) async fn call(sandbox: &Sandbox, path: &str, more: &[(&str, &str)]) -> Value {
    try_call(sandbox, path, more).await.unwrap().json()
}

pub(crate) async fn try_call(sandbox: &Sandbox, path: &str, more: &[(&str, &str)]) -> io::Result<Reply> {
    send(sandbox, "POST", path, &[KIND], &form(&sandbox.control(), more)).await
}

/// Asks with business parameters.
pub(crate) async fn ask(sandbox: &Sandbox, path: &str, biz: &str) -> Value {
    call(sandbox, path, &[("biz", biz)]).await
}

/// The code of an answer.
#[track_caller]
pub(crate) fn code(answer: &Value) -> i64 {
    assert!(answer["msg"].is_string(), "{answer}");
    answer["code"].as_i64().unwrap_or_else(|| panic!("no code in {answer}"))
}

/// The list of a good answer.
#[track_caller]
pub(crate) fn rows<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    assert_eq!(code(answer), 0, "{answer}");
    answer["data"][name].as_array().unwrap_or_else(|| panic!("no {name} in {answer}"))
}
