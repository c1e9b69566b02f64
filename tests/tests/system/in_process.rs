//! An account of the connector `kuaimai` in this process, for what would take too long with the binary.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::connector::Opening;
use milkrun_core::quota::{Limiter, MemoryQuotaLog};
use milkrun_core::token::{Begin, StoredToken, Token, TokenStore, Vault};
use milkrun_core::transport::{Transport, TransportOptions};
use milkrun_core::{
    Account, Clock, Context, Error, ErrorKind, Quota, QuotaSpec, Result, Secret, async_trait, connector,
};
use milkrun_sandbox::kuaimai::Settings;

/// A token that serves for ever.
#[derive(Debug)]
struct Granted(StoredToken);

#[async_trait]
impl TokenStore for Granted {
    async fn load_token(&self, _: &str) -> Result<Option<StoredToken>> {
        Ok(Some(self.0.clone()))
    }

    async fn begin_renewal(&self, _: &str, _: u64, _: Timestamp, _: Duration) -> Result<Begin> {
        Err(Error::new(ErrorKind::Unexpected, "the session is alive and needs no renewal"))
    }

    async fn finish_renewal(&self, _: &str, _: u64, _: &Token) -> Result<u64> {
        unreachable!("none can begin")
    }

    async fn abandon_renewal(&self, _: &str, _: u64, _: bool) -> Result<()> {
        unreachable!("none can begin")
    }
}

/// The account that a simulator at `url` with these settings has.
pub(crate) fn account(url: &str, own: &Settings) -> Account {
    let known =
        [("app_key", &*own.app_key), ("app_secret", &own.app_secret), ("session", &own.session), ("base_url", url)];
    let settings = known.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let opening = Opening { account: "km".into(), settings, folder: ".".into() };
    (connector("kuaimai").unwrap().open)(opening).unwrap()
}

/// Its surroundings: a session that lives, and as many calls as it likes.
pub(crate) fn context(account: &Account, own: &Settings, clock: &Arc<dyn Clock>, http: &reqwest::Client) -> Context {
    let quota = QuotaSpec::account(Quota::unlimited());
    let limiter = Limiter::new("km", &quota, Arc::new(MemoryQuotaLog::default()), Arc::clone(clock));
    let token = Token::new(Secret::new(own.session.clone()), clock.now());
    let granted = Arc::new(Granted(StoredToken { generation: 1, token }));
    let vault = Vault::new("km", granted, account.tokens.clone().unwrap(), Arc::clone(clock));
    let protocol = account.protocol.clone().unwrap();
    let transport = Transport::new(http.clone(), protocol, limiter, Some(vault), TransportOptions::default());
    Context::new("km", Arc::clone(clock), Arc::new(transport))
}
