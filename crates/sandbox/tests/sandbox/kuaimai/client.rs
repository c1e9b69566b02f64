//! A client that signs and sends one call over a connection of its own, and sees how the connection ends.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use md5::{Digest, Md5};
use milkrun_sandbox::Sandbox;
use milkrun_sandbox::kuaimai::{self, Settings};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// 2026-08-01 12:00:00 in Beijing, where the tests' clocks stand still.
pub(crate) const NOON: i64 = 1_785_556_800;

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    /// The vendor's code, or `ok`.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        let json = self.json();
        match json.get("code") {
            None => {
                assert_eq!(json["success"], true);
                "ok".to_owned()
            }
            Some(code) => {
                assert_eq!(json["success"], false);
                assert!(json["trace_id"].is_string() && json["msg"].is_string());
                code.as_str().unwrap().to_owned()
            }
        }
    }
}

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
    kuaimai::start(settings).await.unwrap()
}

pub(crate) fn beijing(ms: i64) -> String {
    let zone = TimeZone::fixed(Offset::constant(8));
    Timestamp::from_millisecond(ms).unwrap().to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The common and the given fields, unsigned; a field given as `-` is left out.
pub(crate) fn fields(sandbox: &Sandbox, method: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let now = beijing(sandbox.control().now().as_millisecond());
    let mut fields: Vec<(String, String)> = [
        ("method", method),
        ("appKey", "100001"),
        ("timestamp", &now),
        ("format", "json"),
        ("version", "1.0"),
        ("sign_method", "md5"),
        ("session", "sandbox-access-token"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec();
    for (key, value) in more {
        fields.retain(|(known, _)| known != key);
        fields.push(((*key).to_owned(), (*value).to_owned()));
    }
    fields.retain(|(_, value)| value != "-");
    fields
}

/// The fields with their signature; a signature given already stays.
pub(crate) fn signed(mut fields: Vec<(String, String)>) -> Vec<(String, String)> {
    if !fields.iter().any(|(key, _)| key == "sign") {
        let mut sorted = fields.clone();
        sorted.sort();
        let text: String = sorted.iter().flat_map(|(key, value)| [key.as_str(), value]).collect();
        let digest = Md5::digest(format!("sandbox-app-secret{text}sandbox-app-secret"));
        fields.push(("sign".to_owned(), digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))));
    }
    fields
}

pub(crate) fn encode(fields: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Calls a method.
pub(crate) async fn call(sandbox: &Sandbox, method: &str, more: &[(&str, &str)]) -> Reply {
    try_call(sandbox, method, more).await.unwrap()
}

/// Calls a method and gives what the connection gave.
pub(crate) async fn try_call(sandbox: &Sandbox, method: &str, more: &[(&str, &str)]) -> io::Result<Reply> {
    let body = encode(&signed(fields(sandbox, method, more)));
    send(sandbox, "POST", "/router", "application/x-www-form-urlencoded; charset=UTF-8", &body).await
}

/// Sends one request.
///
/// # Errors
/// If the connection breaks, or ends before the body's announced length.
pub(crate) async fn send(sandbox: &Sandbox, verb: &str, path: &str, kind: &str, body: &str) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.port())).await?;
    let kind = if kind.is_empty() { String::new() } else { format!("content-type: {kind}\r\n") };
    let request = format!(
        "{verb} {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n{kind}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map(|text| text.parse().unwrap());
    if length.is_some_and(|length: usize| length > body.len()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Reply { status: head[9..12].parse().unwrap(), body: body.to_owned(), head })
}

/// Calls a control endpoint.
pub(crate) async fn control(sandbox: &Sandbox, verb: &str, path: &str, body: &str) -> Reply {
    send(sandbox, verb, &format!("/_sandbox/{path}"), "", body).await.unwrap()
}
