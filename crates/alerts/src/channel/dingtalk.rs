//! DingTalk's group robot: a Markdown message, signed with time and secret in the address.
//!
//! The signature is HMAC-SHA256 with the secret as the key over `timestamp\nsecret`, in Base64, as a parameter of the
//! address; the time is in milliseconds and at most an hour off. 20 messages in a minute, or the robot is silenced for
//! ten. Every answer has HTTP status 200; `errcode` tells.
//!
//! Source: <https://open.dingtalk.com/document/orgapp/custom-robot-access> and
//! <https://open.dingtalk.com/document/orgapp/customize-robot-security-settings>, read 2026-11-27.

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
    let url = match secret {
        Some(secret) => signed(webhook.expose(), secret.expose(), letter.now.as_millisecond()),
        None => Secret::new(webhook.expose()),
    };
    let message = letter.message;
    let text = with_keyword(&format!("#### {}\n\n{}", message.title, message.body), keyword);
    let body = json!({ "msgtype": "markdown", "markdown": { "title": message.title, "text": text } });
    tell(client, url.expose(), body.to_string(), meaning).await
}

/// The address with time and signature.
fn signed(webhook: &str, secret: &str, timestamp: i64) -> Secret {
    let sign = STANDARD.encode(hmac_sha256(secret.as_bytes(), format!("{timestamp}\n{secret}").as_bytes()));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("timestamp", &timestamp.to_string()).append_pair("sign", &sign);
    let joint = if webhook.contains('?') { '&' } else { '?' };
    Secret::new(format!("{webhook}{joint}{}", query.finish()))
}

fn meaning(code: i64, said: &str) -> Meaning {
    match code {
        -1 => Meaning::of(ErrorKind::Unavailable),
        130_101 | 410_100 => Meaning::of(ErrorKind::QuotaExceeded).wait(Duration::from_mins(10)),
        310_000 if said.contains("keyword") => {
            Meaning::of(ErrorKind::Refused).help("set `keyword` to a word that the robot's security settings name")
        }
        310_000 => Meaning::of(ErrorKind::Forbidden).help(
            "compare `secret` and the addresses allowed with the robot's security settings, and the machine's clock with the time",
        ),
        300_001 | 400_101 | 400_102 => {
            Meaning::of(ErrorKind::Forbidden).help("copy the robot's address anew into `webhook`")
        }
        _ => Meaning::of(ErrorKind::Refused),
    }
}
