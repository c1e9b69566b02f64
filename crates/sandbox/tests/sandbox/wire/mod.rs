//! Sends one request over a connection of its own, and sees how the connection ends; shared by the vendors' tests.

use std::io;

use milkrun_sandbox::Sandbox;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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
}

/// Sends one request.
///
/// # Errors
/// If the connection breaks, or ends before the body's announced length.
pub(crate) async fn send(
    sandbox: &Sandbox,
    verb: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.port())).await?;
    let headers: String = headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
    let request = format!(
        "{verb} {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
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
    send(sandbox, verb, &format!("/_sandbox/{path}"), &[], body).await.unwrap()
}
