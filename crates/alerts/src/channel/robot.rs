//! What all robots and webhooks have in common: an address that is a secret, one POST, and an answer that may say
//! "no" with HTTP status 200.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use milkrun_core::{Error, ErrorKind, Result, Secret};
use reqwest::Url;
use serde::Deserialize;
use sha2::Sha256;

/// How long one attempt may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// What helps where the robot's code has no advice of its own.
const COMPARE: &str = "read what the robot said, and compare `webhook`, `secret` and `keyword` with its settings";
const COPY: &str = "check that the address is complete and the robot's own, and copy it anew";
const REACH: &str = "check the address, and that this machine reaches it: name, network, proxy, firewall";
const LOOK: &str = "look whether the message has arrived; if not, check the address and the network";
const LATER: &str = "nothing has to be changed here: try again when the server is well again";
const SLOWER: &str = "wait a while, and have fewer systems send to this channel";
const CHECK: &str = "check the address and `secret`, and what the receiver allows";
const MOVED: &str = "write the address that it sends to into the settings";

/// The answer of a robot: each vendor writes one of these.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(alias = "code", alias = "StatusCode")]
    errcode: Option<i64>,
    #[serde(default, alias = "msg", alias = "StatusMessage")]
    errmsg: String,
}

/// What a robot's code means, and what to do about it.
pub(super) struct Meaning {
    pub(super) kind: ErrorKind,
    /// How long to be silent, where the robot is.
    pub(super) wait: Option<Duration>,
    pub(super) help: Option<&'static str>,
}

impl Meaning {
    pub(super) fn of(kind: ErrorKind) -> Self {
        Self { kind, wait: None, help: None }
    }

    pub(super) fn wait(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    pub(super) fn help(self, help: &'static str) -> Self {
        Self { help: Some(help), ..self }
    }
}

/// Sends JSON text to a robot, and judges its answer by its code, whatever the HTTP status is.
pub(super) async fn tell(
    client: &reqwest::Client,
    url: &str,
    body: String,
    meaning: fn(i64, &str) -> Meaning,
) -> Result<()> {
    let answer = fetch(client, url, body, &[]).await?;
    let read = serde_json::from_str::<Answer>(&answer.body).ok();
    let Some(Answer { errcode: Some(code), errmsg }) = read else {
        return answer.http_ok().and_then(|()| Err(Error::malformed("the robot's answer has no code").advise(COPY)));
    };
    if code == 0 {
        return answer.http_ok();
    }
    let Meaning { kind, wait, help } = meaning(code, &errmsg);
    let mut error = Error::new(kind, "the robot refused the message").with("code", code).with("said", errmsg);
    if let Some(wait) = wait {
        error = error.retry_after(wait);
    }
    let usual = match kind {
        ErrorKind::Unavailable => LATER,
        ErrorKind::QuotaExceeded => SLOWER,
        _ => COMPARE,
    };
    Err(error.advise(help.unwrap_or(usual)))
}

/// Sends JSON text to an endpoint whose HTTP status tells.
pub(super) async fn post(client: &reqwest::Client, url: &str, body: String, headers: &[(&str, String)]) -> Result<()> {
    fetch(client, url, body, headers).await?.http_ok()
}

/// An answer over HTTP.
struct HttpAnswer {
    status: u16,
    /// How long the server asks to wait.
    wait: Option<u64>,
    body: String,
}

impl HttpAnswer {
    fn http_ok(&self) -> Result<()> {
        let error = match self.status {
            200..300 => return Ok(()),
            429 => Error::new(ErrorKind::QuotaExceeded, "the channel says that messages come too fast")
                .retry_after(Duration::from_secs(self.wait.unwrap_or(60)))
                .advise(SLOWER),
            500.. => Error::new(ErrorKind::Unavailable, "the channel's server failed").advise(LATER),
            300..400 => Error::new(ErrorKind::Refused, "the channel sends to another address, which is not followed")
                .advise(MOVED),
            _ => Error::new(ErrorKind::Refused, "the channel refused the message").advise(CHECK),
        };
        Err(error.with("http_status", self.status))
    }
}

async fn fetch(client: &reqwest::Client, url: &str, body: String, headers: &[(&str, String)]) -> Result<HttpAnswer> {
    let mut request = client.post(url).timeout(TIMEOUT).header("content-type", "application/json; charset=utf-8");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut response = request.body(body).send().await.map_err(|e| broken(e, "the channel cannot be reached"))?;
    let status = response.status().as_u16();
    let wait = response.headers().get("retry-after").and_then(|v| v.to_str().ok()?.trim().parse().ok());
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| broken(e, "the channel's answer broke off"))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            return Err(Error::malformed("the channel's answer is too long").advise(COPY));
        }
    }
    Ok(HttpAnswer { status, wait, body: String::from_utf8_lossy(&bytes).into_owned() })
}

fn broken(cause: reqwest::Error, message: &'static str) -> Error {
    let (kind, help) =
        if cause.is_connect() { (ErrorKind::Unavailable, REACH) } else { (ErrorKind::OutcomeUnknown, LOOK) };
    // The address holds the robot's token.
    Error::new(kind, message).caused_by(cause.without_url()).advise(help)
}

/// The HMAC-SHA256 of a message.
pub(super) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The host of an address, and its port where it is not the usual one.
pub(super) fn host(address: &Secret) -> Option<String> {
    let url = Url::parse(address.expose()).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The parts of an address that may be its token: long steps of its path, the values of its query, and a password.
pub(super) fn tokens(address: &Secret) -> Vec<Secret> {
    let Ok(url) = Url::parse(address.expose()) else { return Vec::new() };
    let steps = url.path_segments().into_iter().flatten().filter(|step| step.len() >= 12).map(Secret::new);
    let values = url.query_pairs().filter(|(_, value)| value.len() >= 6).map(|(_, value)| Secret::new(value));
    steps.chain(values).chain(url.password().map(Secret::new)).collect()
}

/// Refuses an address that is none.
pub(super) fn check_address(address: &Secret, setting: &'static str) -> Result<()> {
    let url = Url::parse(address.expose()).ok();
    if url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) && !address.is_unusable() {
        return Ok(());
    }
    // The address itself is not shown: it holds a token.
    Err(Error::config("the address of the channel is no http or https address").with("setting", setting))
}

/// The text with the keyword, where the robot asks for one.
pub(super) fn with_keyword(text: &str, keyword: Option<&str>) -> String {
    match keyword {
        Some(keyword) if !text.contains(keyword) => format!("{text}\n\n{keyword}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_its_host_only() {
        let address = Secret::new("https://me:pa55word@example.com:8443/hook/0123456789abcdef?access_token=tok-en-1");
        assert_eq!(host(&address).as_deref(), Some("example.com:8443"));
        let hidden: Vec<_> = tokens(&address).iter().map(|token| token.expose().to_owned()).collect();
        assert_eq!(hidden, ["0123456789abcdef", "tok-en-1", "pa55word"]);
        assert!(check_address(&address, "webhook").is_ok());
        for wrong in ["", "example.com/hook", "ftp://example.com/hook", "https://", "https://example.com/hook\n"] {
            let error = check_address(&Secret::new(wrong), "webhook").unwrap_err();
            assert_eq!(error.fact("setting"), Some("webhook"), "{wrong:?}");
        }
    }
}
