//! Feishu's group robot: a card, signed with time and secret in the body.
//!
//! The signature is HMAC-SHA256 with `timestamp\nsecret` as the key over no bytes at all, in Base64; the time is in
//! seconds and at most an hour off. 100 messages in a minute, 5 in a second; 20 KB each. `code` tells, whatever the
//! HTTP status; older robots write `StatusCode`.
//!
//! Source: <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>, read 2026-11-27.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use milkrun_core::{ErrorKind, Result, Secret};
use serde_json::json;

use super::Letter;
use super::robot::{Meaning, hmac_sha256, tell, with_keyword};

pub(super) async fn send(
    client: &reqwest::Client,
    webhook: &Secret,
    secret: Option<&Secret>,
    keyword: Option<&str>,
    letter: Letter<'_>,
) -> Result<()> {
    let message = letter.message;
    let color = if message.is_good { "green" } else { "red" };
    let mut body = json!({
        "msg_type": "interactive",
        "card": {
            "config": { "wide_screen_mode": true },
            "header": { "template": color, "title": { "tag": "plain_text", "content": message.title } },
            "elements": [{ "tag": "markdown", "content": with_keyword(&message.body, keyword) }],
        },
    });
    if let Some(secret) = secret {
        let timestamp = letter.now.as_second();
        let key = Secret::new(format!("{timestamp}\n{}", secret.expose()));
        body["timestamp"] = timestamp.to_string().into();
        body["sign"] = STANDARD.encode(hmac_sha256(key.expose().as_bytes(), b"")).into();
    }
    tell(client, webhook.expose(), body.to_string(), meaning).await
}

fn meaning(code: i64, _: &str) -> Meaning {
    match code {
        11_232 => Meaning::of(ErrorKind::QuotaExceeded).wait(Duration::from_mins(1)),
        19_021 => Meaning::of(ErrorKind::Forbidden)
            .help("compare `secret` with the robot's security settings, and the machine's clock with the time"),
        19_022 => Meaning::of(ErrorKind::Forbidden)
            .help("add the address of this machine to those that the robot's security settings allow"),
        19_024 => {
            Meaning::of(ErrorKind::Refused).help("set `keyword` to a word that the robot's security settings name")
        }
        19_001 | 19_002 => Meaning::of(ErrorKind::Forbidden).help("copy the robot's address anew into `webhook`"),
        _ => Meaning::of(ErrorKind::Refused),
    }
}
