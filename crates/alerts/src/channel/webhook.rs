//! Any HTTP endpoint: JSON, signed so that the receiver knows who sent it and when.
//!
//! ```text
//! POST …                                   any 2xx answer is taken for an arrival
//! content-type: application/json; charset=utf-8
//! x-milkrun-id: 6d2c…                      the same when the same message is repeated
//! x-milkrun-timestamp: 1795740000          seconds; refuse what is older than five minutes
//! x-milkrun-signature: sha256=9f86…        HMAC-SHA256 in hexadecimal digits with the secret as the key, over the
//!                                          timestamp, a full stop, and the body as it came
//!
//! {"title": …, "text": …, "notices": [{"notice": "began" | "reminder" | "ended" | "passed", "id": "run-failed/orders",
//!  "rule": …, "flow" | "account" | "channel": …, "what": {"en": …, "zh": …}, "advice": {…}, "documents": 12,
//!  "since": "2026-11-27T02:00:00Z", "until": …}, …]}
//! ```
//!
//! A test has no notices.

use milkrun_core::sign::lower_hex;
use milkrun_core::{Result, Secret};
use serde_json::{Value, json};

use super::Letter;
use super::robot::{hmac_sha256, post};
use crate::finding::About;
use crate::incident::{Incident, Notice};

pub(super) async fn send(
    client: &reqwest::Client,
    url: &Secret,
    secret: Option<&Secret>,
    letter: Letter<'_>,
) -> Result<()> {
    let message = letter.message;
    let notices: Vec<Value> = letter.notices.iter().map(|(notice, incident)| told(*notice, incident)).collect();
    let body = json!({ "title": message.title, "text": message.body, "notices": notices }).to_string();
    let timestamp = letter.now.as_second();
    let mut headers = vec![("x-milkrun-id", letter.id.to_owned()), ("x-milkrun-timestamp", timestamp.to_string())];
    if let Some(secret) = secret {
        let sign = hmac_sha256(secret.expose().as_bytes(), format!("{timestamp}.{body}").as_bytes());
        headers.push(("x-milkrun-signature", format!("sha256={}", lower_hex(&sign))));
    }
    post(client, url.expose(), body, &headers).await
}

fn told(notice: Notice, incident: &Incident) -> Value {
    let mut value = json!({
        "notice": notice,
        "id": incident.id,
        "rule": incident.rule,
        "what": incident.what,
        "advice": incident.advice,
        "since": incident.since,
    });
    match &incident.about {
        About::Flow(name) => value["flow"] = name.as_str().into(),
        About::Account(name) => value["account"] = name.as_str().into(),
        About::Channel(name) => value["channel"] = name.as_str().into(),
        About::Machine => {}
    }
    if let Some(n) = incident.documents {
        value["documents"] = n.into();
    }
    if let Some(until) = incident.until {
        value["until"] = json!(until);
    }
    value
}
