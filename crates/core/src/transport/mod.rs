//! The way to a vendor. Outermost first: trace, body limit, retry, token, quota, sign, send, classify.
//!
//! Retry is outside quota, so each attempt pays; outside signing, so each attempt carries the current token. Only
//! calls marked idempotent are repeated, and those that certainly had no effect.

mod body;
mod http;
mod retry;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use self::http::HttpCarrier;
pub use self::http::client;
use self::retry::Pauses;
pub use self::retry::RetryPolicy;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::quota::{HeldBy, HeldUp, Limiter};
use crate::token::{Token, Vault};

/// One call to a vendor, before it is signed. Its `Debug` leaves out the headers, which may carry secrets.
#[derive(Clone)]
pub struct Call {
    /// The vendor's method or path: the name for quotas and logs.
    pub endpoint: String,
    /// The HTTP verb.
    pub verb: Verb,
    /// The address, without what signing adds.
    pub url: String,
    /// Headers beyond those that follow from the body.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Body,
    /// Whether sending it twice has the effect of sending it once.
    pub idempotent: bool,
    /// Whether it carries the account's token.
    pub with_token: bool,
}

/// An HTTP verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

/// What a call sends. Its `Debug` shows how much, never what: fields carry tokens.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// Form fields, in order; encoded after signing.
    Form(Vec<(String, String)>),
    /// JSON text.
    Json(String),
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({:?} {}, {:?})", self.verb, self.endpoint, self.body)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Form(fields) => write!(f, "Form({} fields)", fields.len()),
            Self::Json(text) => write!(f, "Json({} bytes)", text.len()),
        }
    }
}

impl Call {
    /// A POST of form fields that only reads.
    pub fn form(endpoint: &str, url: &str, fields: Vec<(String, String)>) -> Self {
        Self::post(endpoint, url, Body::Form(fields))
    }

    /// A POST of JSON text that only reads.
    pub fn json(endpoint: &str, url: &str, text: String) -> Self {
        Self::post(endpoint, url, Body::Json(text))
    }

    fn post(endpoint: &str, url: &str, body: Body) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            verb: Verb::Post,
            url: url.to_owned(),
            headers: Vec::new(),
            body,
            idempotent: true,
            with_token: true,
        }
    }

    /// A call whose repetition may have a second effect.
    #[must_use]
    pub fn not_idempotent(mut self) -> Self {
        self.idempotent = false;
        self
    }

    /// A call that goes without the account's token.
    #[must_use]
    pub fn without_token(mut self) -> Self {
        self.with_token = false;
        self
    }
}

/// What the vendor answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// How long the vendor asks to wait, from `Retry-After` in seconds.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Arc<String>,
}

impl Answer {
    /// The body, if it begins as JSON does.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`]: an empty body or an HTML page is never "no records".
    pub fn json(&self) -> Result<&str> {
        match self.body.trim_start().as_bytes().first() {
            None => Err(Error::malformed("the answer has an empty body")),
            Some(b'<') => Err(Error::malformed("the answer is an HTML page instead of JSON")),
            Some(_) => Ok(&self.body),
        }
    }

    /// Turns the HTTP statuses that mean the same everywhere into errors.
    ///
    /// # Errors
    /// 429 is [`ErrorKind::QuotaExceeded`], 5xx [`ErrorKind::Unavailable`], 401 and 403 [`ErrorKind::Forbidden`], any
    /// other status but 2xx [`ErrorKind::Refused`].
    pub fn http_ok(&self) -> Result<()> {
        let error = |kind, message: &'static str| Err(Error::new(kind, message).with("http_status", self.status));
        match self.status {
            200..300 => Ok(()),
            429 => {
                let error = Error::new(ErrorKind::QuotaExceeded, "the vendor says that calls come too fast");
                let wait = self.retry_after.unwrap_or(Duration::from_secs(5));
                Err(error.with("http_status", 429).retry_after(wait))
            }
            401 | 403 => error(ErrorKind::Forbidden, "the vendor refuses the caller"),
            500.. => error(ErrorKind::Unavailable, "the vendor's server failed"),
            _ => error(ErrorKind::Refused, "the vendor refuses the request"),
        }
    }
}

/// A call as it goes on the wire. Its `Debug` shows nothing: it is signed, and may hold secrets anywhere.
#[derive(Clone, Default)]
pub struct Wire {
    /// The address with its query.
    pub url: String,
    /// Headers, the content type included.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: String,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire(***)")
    }
}

impl Wire {
    /// The call with its body encoded and nothing signed: form fields as `application/x-www-form-urlencoded`.
    pub fn plain(call: &Call) -> Self {
        let mut headers = call.headers.clone();
        let body = match &call.body {
            Body::Empty => String::new(),
            Body::Form(fields) => {
                let form = "application/x-www-form-urlencoded; charset=UTF-8";
                headers.push(("content-type".to_owned(), form.to_owned()));
                form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
            }
            Body::Json(text) => {
                headers.push(("content-type".to_owned(), "application/json; charset=utf-8".to_owned()));
                text.clone()
            }
        };
        Self { url: call.url.clone(), headers, body }
    }
}

/// How one vendor's calls are signed and its answers judged. Pure: it neither waits nor repeats.
pub trait Protocol: fmt::Debug + Send + Sync {
    /// The call as it goes on the wire at `now`.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] if a key cannot be used.
    fn sign(&self, call: &Call, token: Option<&Token>, now: Timestamp) -> Result<Wire>;

    /// Judges an answer: only a good one passes.
    ///
    /// # Errors
    /// What the answer means; the vendor's own code is the fact `vendor_code`.
    fn classify(&self, call: &Call, answer: &Answer) -> Result<()>;
}

/// Carries signed calls to a vendor and brings its answers: over HTTP, or to a simulation in the same process.
#[async_trait]
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Sends once, and reads an answer whose body has at most `body_limit` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the call certainly did not arrive, [`ErrorKind::OutcomeUnknown`] if it may have.
    async fn carry(&self, verb: Verb, wire: Wire, body_limit: usize) -> Result<Answer>;
}

/// What a transport has done so far.
#[derive(Debug, Default)]
pub struct CallStats {
    calls: AtomicU64,
    repeated: AtomicU64,
}

impl CallStats {
    /// Calls sent, repetitions included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Calls that were sent again.
    pub fn repeated(&self) -> u64 {
        self.repeated.load(Ordering::Relaxed)
    }
}

/// Limits of the transport itself.
#[derive(Clone, Copy, Debug)]
pub struct TransportOptions {
    /// How long one attempt may take, from sending to the end of the body.
    pub timeout: Duration,
    /// The longest body that is read, in bytes.
    pub body_limit: usize,
    /// How calls are repeated.
    pub retry: RetryPolicy,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), body_limit: 64 << 20, retry: RetryPolicy::default() }
    }
}

/// The way to one account's vendor.
#[derive(Debug)]
pub struct Transport {
    carrier: Arc<dyn Carrier>,
    protocol: Arc<dyn Protocol>,
    limiter: Limiter,
    vault: Option<Vault>,
    options: TransportOptions,
    stats: CallStats,
}

impl Transport {
    /// A transport that sends through `client`, see [`client`].
    pub fn new(
        client: reqwest::Client,
        protocol: Arc<dyn Protocol>,
        limiter: Limiter,
        vault: Option<Vault>,
        options: TransportOptions,
    ) -> Self {
        Self::over(Arc::new(HttpCarrier(client)), protocol, limiter, vault, options)
    }

    /// A transport whose calls are carried in another way than over HTTP.
    pub fn over(
        carrier: Arc<dyn Carrier>,
        protocol: Arc<dyn Protocol>,
        limiter: Limiter,
        vault: Option<Vault>,
        options: TransportOptions,
    ) -> Self {
        Self { carrier, protocol, limiter, vault, options, stats: CallStats::default() }
    }

    /// What it has done so far.
    pub fn stats(&self) -> &CallStats {
        &self.stats
    }

    /// The account's limiter.
    pub fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// The account's live token, if the vendor wants one.
    pub fn vault(&self) -> Option<&Vault> {
        self.vault.as_ref()
    }

    /// What holds up all calls of a party that wait now, for `at_least` so long; nothing if none waits, or one may go on.
    pub fn held_up(&self, party: &str, at_least: Duration) -> Option<HeldUp> {
        let waits = self.vault.as_ref().and_then(|vault| vault.waited(party)).is_some_and(|waited| waited >= at_least);
        if waits {
            // The renewal's own calls may be held up too: then that says more.
            let account = self.limiter.account().to_owned();
            let renewal = HeldUp { account, by: HeldBy::Renewal, until: None };
            return self.limiter.held_up_first(at_least).or(Some(renewal));
        }
        self.limiter.held_up(party, at_least)
    }

    /// Whoever counts the calls made from `cx`.
    fn all_stats<'a>(&'a self, cx: &'a Context) -> impl Iterator<Item = &'a CallStats> {
        std::iter::once(&self.stats).chain(cx.counted())
    }

    pub(crate) async fn call(&self, cx: &Context, call: Call) -> Result<Answer> {
        let usual = self.options.retry;
        let mut pauses = Pauses::new(RetryPolicy { attempts: cx.attempts().unwrap_or(usual.attempts), ..usual });
        let mut refused = None;
        for attempt in 1u32.. {
            let held = match (&self.vault, call.with_token, refused.take()) {
                (Some(vault), true, Some(generation)) => Some(vault.refused(cx, generation).await?),
                (Some(vault), true, None) => Some(vault.current(cx).await?),
                _ => None,
            };
            let error = match self.attempt(cx, &call, held.as_ref().map(|h| &h.token), attempt).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error.with("endpoint", &call.endpoint),
            };
            let pause = match (error.kind(), error.retry()) {
                // Once: a new token that is refused too is no matter of age.
                (ErrorKind::TokenExpired, _) if held.is_some() && attempt == 1 => {
                    refused = held.map(|h| h.generation);
                    Some(Duration::ZERO)
                }
                (ErrorKind::QuotaExceeded, Retry::After(wait)) => {
                    // The limiter holds it up with all others of the account.
                    self.limiter.pause(wait);
                    pauses.next().map(|_| Duration::ZERO)
                }
                (_, Retry::Backoff) if call.idempotent => pauses.next(),
                (_, Retry::After(wait)) if call.idempotent => pauses.next().map(|_| wait),
                _ => return Err(error),
            };
            let Some(pause) = pause else {
                return Err(error.with("attempts", attempt).retry_as(Retry::Exhausted));
            };
            for stats in self.all_stats(cx) {
                stats.repeated.fetch_add(1, Ordering::Relaxed);
            }
            tracing::debug!(endpoint = call.endpoint, attempt, %error, ?pause, "the call is repeated");
            if !pause.is_zero() {
                cx.clock().sleep(pause).await;
            }
        }
        unreachable!("the attempts end in the loop")
    }

    async fn attempt(&self, cx: &Context, call: &Call, token: Option<&Token>, attempt: u32) -> Result<Answer> {
        // A call without the token is there to get one: the account's other calls wait for it anyway.
        let permit = match &self.vault {
            Some(_) if !call.with_token => self.limiter.acquire_first(&call.endpoint).await?,
            _ => self.limiter.acquire(cx.party(), &call.endpoint).await?,
        };
        let sent_at = cx.now();
        let wire = self.protocol.sign(call, token, sent_at)?;
        for stats in self.all_stats(cx) {
            stats.calls.fetch_add(1, Ordering::Relaxed);
        }
        let timeout = self.options.timeout;
        let sent = self.carrier.carry(call.verb, wire, self.options.body_limit);
        let outcome = tokio::time::timeout(timeout, sent).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::OutcomeUnknown, "the vendor did not answer in time")
                .with("timeout", format!("{timeout:?}")))
        });
        drop(permit);
        let status = outcome.as_ref().map_or(0, |a| a.status);
        let n_bytes = outcome.as_ref().map_or(0, |a| a.body.len());
        let outcome = outcome.and_then(|answer| self.protocol.classify(call, &answer).map(|()| answer));
        let error = outcome.as_ref().err();
        tracing::info!(
            target: "milkrun::call",
            account = cx.account(),
            endpoint = call.endpoint,
            attempt,
            status,
            bytes = n_bytes,
            ms = u64::try_from(cx.now().duration_since(sent_at).as_millis()).unwrap_or(0),
            kind = error.map(|e| e.kind().as_str()),
            vendor_code = error.and_then(|e| e.fact("vendor_code")),
            "call"
        );
        outcome
    }
}
