//! A vendor for tests, in the same process: it answers calls as the test says, and remembers what it was asked.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use milkrun_core::connector::{Account, Opening};
use milkrun_core::quota::{Limiter, MemoryQuotaLog};
use milkrun_core::token::Vault;
use milkrun_core::transport::{Answer, Carrier, Transport, TransportOptions, Verb, Wire};
use milkrun_core::{
    Clock, Context, Error, ErrorKind, Key, Operation, Quota, QuotaSpec, Result, Sink, SinkKind, SystemClock,
    async_trait,
};
use milkrun_core::{Delivery, Receipt};
use milkrun_testkit::memory::MemoryTokens;

/// The secret of all fixtures, which nothing may show.
pub(crate) const SECRET: &str = "hush-hush-secret";

/// One call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) verb: Verb,
    /// The address without its query.
    pub(crate) url: String,
    pub(crate) query: BTreeMap<String, String>,
    /// The query as it was encoded.
    pub(crate) raw_query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    /// Whether the address ends so.
    pub(crate) fn is(&self, path: &str) -> bool {
        self.url.ends_with(path)
    }
}

/// What is answered; `Err` is no answer at all.
pub(crate) type Reply = Result<(u16, String), ErrorKind>;

/// An answer with HTTP 200.
#[expect(clippy::unnecessary_wraps, reason = "beside those that are none")]
pub(crate) fn ok(body: impl Into<String>) -> Reply {
    Ok((200, body.into()))
}

/// A vendor that a closure plays.
pub(crate) struct Vendor {
    answer: Box<dyn Fn(&Asked) -> Reply + Send + Sync>,
    asked: Mutex<Vec<Asked>>,
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vendor")
    }
}

impl Vendor {
    /// All calls so far that the closure saw.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The bodies of the calls for that path.
    pub(crate) fn bodies(&self, path: &str) -> Vec<String> {
        self.asked().into_iter().filter(|asked| asked.is(path)).map(|asked| asked.body).collect()
    }
}

#[async_trait]
impl Carrier for Vendor {
    async fn carry(&self, verb: Verb, wire: Wire, _: usize) -> Result<Answer> {
        let (url, raw_query) = wire.url.split_once('?').unwrap_or((&wire.url, ""));
        let query = form_urlencoded::parse(raw_query.as_bytes()).into_owned().collect();
        let (url, raw_query) = (url.to_owned(), raw_query.to_owned());
        let asked = Asked { verb, url, query, raw_query, headers: wire.headers, body: wire.body };
        let reply = (self.answer)(&asked);
        self.asked.lock().unwrap().push(asked);
        let (status, body) = reply.map_err(|kind| Error::new(kind, "the line is torn"))?;
        Ok(Answer { status, retry_after: None, body: Arc::new(body) })
    }
}

/// An account with its vendor.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) vendor: Arc<Vendor>,
    pub(crate) account: Account,
    pub(crate) cx: Context,
}

/// The settings of all fixtures; both addresses are given.
pub(crate) const SETTINGS: &str = "tenant_id = 'k8p3lxta'\napp_key = 'key'\napp_secret = 'hush-hush-secret'\n\
    gateway_url = 'https://c2.example/iuap-api-gateway'\ntoken_url = 'https://c2.example/iuap-api-auth'\n";

/// An account whose vendor answers so; calls for tokens are answered before.
pub(crate) fn stage(settings: &str, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Stage {
    let answer = move |asked: &Asked| {
        if asked.is("/getAccessToken") {
            return ok(r#"{"code":"00000","message":"成功！","data":{"access_token":"to/ke+n=","expire":7200}}"#);
        }
        answer(asked)
    };
    bare_stage(settings, answer)
}

/// An account whose vendor answers so.
pub(crate) fn bare_stage(settings: &str, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Stage {
    let opening = Opening { account: "yy".into(), settings: toml::from_str(settings).unwrap(), folder: "/".into() };
    let account = crate::source::open(&opening).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at("2026-08-01T00:00:00Z".parse().unwrap()));
    let quota = QuotaSpec::account(Quota::unlimited());
    let limiter = Limiter::new("yy", &quota, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
    let tokens = account.tokens.clone().unwrap();
    let vault = Vault::new("yy", Arc::new(MemoryTokens::default()), tokens, Arc::clone(&clock));
    let vendor = Arc::new(Vendor { answer: Box::new(answer), asked: Mutex::default() });
    let carrier = Arc::clone(&vendor) as Arc<dyn Carrier>;
    let protocol = account.protocol.clone().unwrap();
    let transport = Transport::over(carrier, protocol, limiter, Some(vault), TransportOptions::default());
    let cx = Context::new("yy", clock, Arc::new(transport));
    Stage { vendor, account, cx }
}

/// A delivery of a new document.
pub(crate) fn delivery(target: &str, key: &str, document: &str) -> Delivery {
    Delivery {
        target: target.to_owned(),
        key: Key::of("S-1"),
        operation: Operation::Insert,
        idempotency_key: key.to_owned(),
        document: document.to_owned(),
        attempts: 0,
    }
}

/// The same delivery as an update of that document.
pub(crate) fn update(delivery: Delivery, remote_id: &str) -> Delivery {
    Delivery { operation: Operation::Update { remote_id: remote_id.to_owned() }, ..delivery }
}

/// The same delivery once more.
pub(crate) fn again(delivery: &Delivery) -> Delivery {
    Delivery { attempts: delivery.attempts + 1, ..delivery.clone() }
}

impl Stage {
    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        match &self.account.sink {
            Some(SinkKind::Calls(sink)) => Arc::clone(sink),
            _ => panic!("the sink is called"),
        }
    }

    pub(crate) async fn deliver(&self, batch: &[Delivery]) -> Result<Vec<Receipt>> {
        self.sink().deliver(&self.cx, batch).await
    }

    /// The receipt of one delivery.
    pub(crate) async fn send(&self, delivery: &Delivery) -> Receipt {
        self.deliver(std::slice::from_ref(delivery)).await.unwrap().remove(0)
    }
}
