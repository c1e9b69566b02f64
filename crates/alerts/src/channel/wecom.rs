//! WeCom's group robot: a Markdown message of at most 4,096 bytes; the key stands in the address.
//!
//! 20 messages in a minute. Every answer has HTTP status 200; `errcode` tells.
//!
//! Source: <https://developer.work.weixin.qq.com/document/path/91770> and the list of codes,
//! <https://developer.work.weixin.qq.com/document/path/90313>, read 2026-11-27.

use std::time::Duration;

use milkrun_core::{ErrorKind, Result, Secret};
use serde_json::json;

use super::Letter;
use super::robot::{Meaning, tell};

pub(super) async fn send(client: &reqwest::Client, webhook: &Secret, letter: Letter<'_>) -> Result<()> {
    let content = format!("**{}**\n\n{}", letter.message.title, letter.message.body);
    let body = json!({ "msgtype": "markdown", "markdown": { "content": content } });
    tell(client, webhook.expose(), body.to_string(), meaning).await
}

fn meaning(code: i64, _: &str) -> Meaning {
    match code {
        -1 => Meaning::of(ErrorKind::Unavailable),
        45_009 | 45_033 => Meaning::of(ErrorKind::QuotaExceeded).wait(Duration::from_mins(1)),
        93_000 => Meaning::of(ErrorKind::Forbidden).help("copy the robot's address anew into `webhook`"),
        _ => Meaning::of(ErrorKind::Refused),
    }
}
