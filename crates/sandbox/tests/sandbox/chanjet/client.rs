//! A client that sends the vendor's headers with each call.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use milkrun_sandbox::Sandbox;
use milkrun_sandbox::chanjet::{self, Settings};
use serde_json::Value;

pub(crate) use crate::wire::{Reply, control, send};

/// 2026-08-01 12:00:00 in Beijing, where the tests' clocks stand still.
pub(crate) const NOON: i64 = 1_785_556_800;
pub(crate) const KIND: (&str, &str) = ("Content-Type", "application/json;charset=UTF-8");
/// A window over all that there is.
pub(crate) const WINDOW: &str = r#""UpdateDateBegin":"2026-07-31 12:00:00","UpdateDateEnd":"2026-08-01 11:30:00""#;

/// Settings for tests: the clock stands still at noon, a day of history.
pub(crate) fn settings() -> Settings {
    Settings {
        clock_start: Some(Timestamp::from_second(NOON).unwrap()),
        clock_frozen: true,
        history: Duration::from_hours(20),
        ..Settings::default()
    }
}

pub(crate) async fn start(settings: Settings) -> Sandbox {
    chanjet::start(settings).await.unwrap()
}

/// Calls with these headers instead of or beside the usual ones; one given as `-` is left out.
pub(crate) async fn try_call(sandbox: &Sandbox, path: &str, more: &[(&str, &str)], body: &str) -> io::Result<Reply> {
    let token = sandbox.control().session()["access_token"].as_str().unwrap().to_owned();
    let mut headers = vec![("appKey", "ptPrU0YV"), ("appSecret", "sandbox-app-secret"), ("openToken", &token), KIND];
    for (name, value) in more {
        headers.retain(|(known, _)| known != name);
        headers.push((name, value));
    }
    headers.retain(|(_, value)| *value != "-");
    send(sandbox, "POST", &format!("/tplus/api/v2/{path}"), &headers, body).await
}

pub(crate) async fn ask(sandbox: &Sandbox, path: &str, body: &str) -> Reply {
    try_call(sandbox, path, &[], body).await.unwrap()
}

/// HTTP status and code of a refusal.
#[track_caller]
pub(crate) fn code(reply: &Reply) -> (u16, String) {
    let json = reply.json();
    let code = json["code"].as_str().unwrap_or_else(|| panic!("no code in {json}"));
    assert!(json["message"].is_string(), "{json}");
    (reply.status, code.to_owned())
}

/// The rows of a bare array.
#[track_caller]
pub(crate) fn rows(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let Value::Array(rows) = reply.json() else { panic!("no array in {}", reply.body) };
    rows
}
