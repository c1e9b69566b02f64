//! Sending over HTTP, the usual way to a vendor.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::body::{NotUtf8, Text};
use super::{Answer, Carrier, Verb, Wire};
use crate::error::{Error, ErrorKind, Result};

/// Sends over HTTP.
#[derive(Debug)]
pub(super) struct HttpCarrier(pub(super) reqwest::Client);

#[async_trait]
impl Carrier for HttpCarrier {
    async fn carry(&self, verb: Verb, wire: Wire, body_limit: usize) -> Result<Answer> {
        let verb = match verb {
            Verb::Get => reqwest::Method::GET,
            Verb::Post => reqwest::Method::POST,
            Verb::Put => reqwest::Method::PUT,
            Verb::Delete => reqwest::Method::DELETE,
        };
        let mut request = self.0.request(verb, &wire.url);
        for (name, value) in &wire.headers {
            request = request.header(name, value);
        }
        if !wire.body.is_empty() {
            request = request.body(wire.body);
        }
        let mut response = request.send().await.map_err(|e| broken(e, "the vendor cannot be reached"))?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|v| v.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let limit = body_limit;
        let expected = response.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let mut text = Text::with_capacity(expected.min(limit));
        let not_utf8 = |NotUtf8| Error::malformed("the answer is not UTF-8");
        while let Some(chunk) = response.chunk().await.map_err(|e| broken(e, "the answer broke off"))? {
            if text.len() + chunk.len() > limit {
                let error = Error::new(ErrorKind::Refused, "the answer is longer than the limit");
                return Err(error.with("limit_bytes", limit).advise("ask for smaller pages (page_size)"));
            }
            text.push(&chunk).map_err(not_utf8)?;
        }
        let body = Arc::new(text.finish().map_err(not_utf8)?);
        Ok(Answer { status, retry_after, body })
    }
}

/// A call that could not even connect had no effect; of any other, nobody knows.
fn broken(cause: reqwest::Error, message: &'static str) -> Error {
    let kind = if cause.is_connect() { ErrorKind::Unavailable } else { ErrorKind::OutcomeUnknown };
    // The address may carry a token in its query.
    Error::new(kind, message).caused_by(cause.without_url())
}

/// The HTTP client for all accounts: no retries and no redirects of its own, the system's root certificates.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] if the system's certificates cannot be read.
pub fn client() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(50))
        .tcp_nodelay(true)
        .user_agent(concat!("milkrun/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| Error::config("the HTTP client cannot be set up").caused_by(e))
}
