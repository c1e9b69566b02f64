//! A vendor for tests: it answers as the test says, and an account whose calls go there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use milkrun_core::quota::{Limiter, MemoryQuotaLog, Quota, QuotaSpec};
use milkrun_core::token::{Begin, Keeper, StoredToken, Token, TokenStore, Vault};
use milkrun_core::transport::{self, RetryPolicy, Transport, TransportOptions};
use milkrun_core::{
    Account, Clock, Context, Opening, Page, PageRequest, Position, Result, Secret, Slice, SystemClock, Timestamp,
    async_trait,
};
use milkrun_testkit::http::{FixtureServer, Reply, Request};

use crate::config::ChanjetTplusConfig;

/// When it is.
pub(crate) const NOW: &str = "2026-08-01T00:00:00Z";

fn settings(url: &str, more: &str) -> toml::Table {
    let text = format!("app_key = 'ptPrU0YV'\napp_secret = 'hush-hush'\nbase_url = '{url}'\n");
    // A store or self-built application cannot be without.
    let secret = if more.contains("grant") && !more.contains("message_secret") {
        "message_secret = '1234567890abcdef'\n"
    } else {
        ""
    };
    toml::from_str(&format!("{text}{secret}{more}")).unwrap()
}

/// Settings of an account.
pub(crate) fn config(url: &str, more: &str) -> ChanjetTplusConfig {
    settings(url, more).try_into().unwrap()
}

/// An account, and the vendor that its calls go to.
pub(crate) struct Stage {
    pub(crate) account: Account,
    pub(crate) cx: Context,
    pub(crate) server: FixtureServer,
    pub(crate) store: Arc<Store>,
}

impl Stage {
    /// Starts a vendor that answers so, and opens an account with these settings beside the usual ones.
    pub(crate) async fn start(more: &str, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let server = FixtureServer::start(answer).await.unwrap();
        let settings = settings(server.url(), more);
        let opening = Opening { account: "tplus".into(), settings, folder: "/".into() };
        let account = crate::source::open(&opening).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(NOW.parse().unwrap()));
        let quota = QuotaSpec::account(Quota::unlimited());
        let limiter = Limiter::new("tplus", &quota, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
        let store = Arc::new(Store::default());
        let tokens = Arc::clone(account.tokens.as_ref().unwrap());
        let vault = Vault::new("tplus", Arc::clone(&store) as Arc<dyn TokenStore>, tokens, Arc::clone(&clock));
        let short = Duration::from_millis(1);
        let retry = RetryPolicy { attempts: 4, first: short, longest: short };
        let options = TransportOptions { retry, ..TransportOptions::default() };
        let protocol = Arc::clone(account.protocol.as_ref().unwrap());
        let transport = Transport::new(transport::client().unwrap(), protocol, limiter, Some(vault), options);
        let cx = Context::new("tplus", clock, Arc::new(transport)).with_keeper(Arc::clone(&store) as Arc<dyn Keeper>);
        Self { account, cx, server, store }
    }

    /// One page of a stream.
    pub(crate) async fn page(&self, name: &str, slice: &Slice, at: u64, size: u32) -> Result<Page> {
        let source = self.account.source.as_ref().unwrap();
        let stream = source.streams().iter().find(|stream| stream.name == name).unwrap();
        source.read_page(&self.cx, PageRequest { stream, slice, at: &Position::Page(at), size }).await
    }

    /// The paths of all calls so far, without what all have in common.
    pub(crate) fn paths(&self) -> Vec<String> {
        let short = |request: &Request| request.path.trim_start_matches("/tplus/api/v2").to_owned();
        self.server.requests().iter().map(short).collect()
    }
}

/// Tokens and secrets of one account, in memory.
#[derive(Debug, Default)]
pub(crate) struct Store {
    token: Mutex<Option<StoredToken>>,
    secrets: Mutex<BTreeMap<String, Secret>>,
}

impl Store {
    /// The token that is stored.
    pub(crate) fn token(&self) -> Option<Token> {
        self.token.lock().unwrap().as_ref().map(|stored| stored.token.clone())
    }
}

#[async_trait]
impl TokenStore for Store {
    async fn load_token(&self, _: &str) -> Result<Option<StoredToken>> {
        Ok(self.token.lock().unwrap().clone())
    }

    async fn begin_renewal(&self, _: &str, _: u64, _: Timestamp, _: Duration) -> Result<Begin> {
        Ok(Begin::Started { fence: 1, unfinished: false })
    }

    async fn finish_renewal(&self, _: &str, _: u64, token: &Token) -> Result<u64> {
        let mut held = self.token.lock().unwrap();
        let generation = held.as_ref().map_or(1, |held| held.generation + 1);
        *held = Some(StoredToken { generation, token: token.clone() });
        Ok(generation)
    }

    async fn abandon_renewal(&self, _: &str, _: u64, _: bool) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Keeper for Store {
    async fn kept(&self, _: &str, name: &str) -> Result<Option<Secret>> {
        Ok(self.secrets.lock().unwrap().get(name).cloned())
    }

    async fn keep(&self, _: &str, name: &str, secret: &Secret) -> Result<()> {
        self.secrets.lock().unwrap().insert(name.to_owned(), secret.clone());
        Ok(())
    }
}
