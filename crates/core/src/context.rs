//! What a connector is given with every request: the time, and the way to the vendor.

use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::quota::Party;
use crate::secret::Secret;
use crate::token::Keeper;
use crate::transport::{Answer, Call, CallStats, Transport};

/// The surroundings of one account.
#[derive(Clone, Debug)]
pub struct Context {
    account: Arc<str>,
    clock: Arc<dyn Clock>,
    transport: Option<Arc<Transport>>,
    keeper: Option<Arc<dyn Keeper>>,
    attempts: Option<u32>,
    counted: Option<Arc<CallStats>>,
    party: Party,
}

impl Context {
    /// The surroundings of an account that makes no calls.
    pub fn local(account: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            account: account.into(),
            clock,
            transport: None,
            keeper: None,
            attempts: None,
            counted: None,
            party: Party::default(),
        }
    }

    /// The surroundings of an account that calls its vendor through `transport`.
    pub fn new(account: &str, clock: Arc<dyn Clock>, transport: Arc<Transport>) -> Self {
        Self { transport: Some(transport), ..Self::local(account, clock) }
    }

    /// The same surroundings, in the name of a party: those of one account share its quota fairly.
    #[must_use]
    pub fn as_party(mut self, name: &str) -> Self {
        self.party.name = name.into();
        self
    }

    /// The same surroundings, for a party that may use so many percent of every limit of the account, 1 to 100.
    #[must_use]
    pub fn with_share(mut self, percent: u8) -> Self {
        self.party.share = percent.clamp(1, 100);
        self
    }

    /// In whose name calls are made.
    pub fn party(&self) -> &Party {
        &self.party
    }

    /// The same surroundings, with calls tried so often in all instead of as often as is usual.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// The same surroundings, whose calls are counted apart from those of others that use the account.
    #[must_use]
    pub fn counted_in(mut self, stats: Arc<CallStats>) -> Self {
        self.counted = Some(stats);
        self
    }

    /// Where the calls made from here are counted beside the account's own count.
    pub(crate) fn counted(&self) -> Option<&CallStats> {
        self.counted.as_deref()
    }

    /// The same surroundings, with a place for the account's small secrets.
    #[must_use]
    pub fn with_keeper(mut self, keeper: Arc<dyn Keeper>) -> Self {
        self.keeper = Some(keeper);
        self
    }

    /// A small secret of this account, kept earlier.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn kept(&self, name: &str) -> Result<Option<Secret>> {
        match &self.keeper {
            Some(keeper) => keeper.kept(&self.account, name).await,
            None => Ok(None),
        }
    }

    /// Keeps a small secret of this account; it is durable when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::State`] where there is no place for it, and those of the store.
    pub async fn keep(&self, name: &str, secret: &Secret) -> Result<()> {
        let keeper = self.keeper.as_ref();
        let keeper =
            keeper.ok_or_else(|| Error::new(ErrorKind::State, "this account has no place to keep a secret"))?;
        keeper.keep(&self.account, name, secret).await
    }

    /// How often a call is tried in all, where that is not the usual number.
    pub fn attempts(&self) -> Option<u32> {
        self.attempts
    }

    /// The account's name.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The instant it is now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The way to the vendor, if there is one.
    pub fn transport(&self) -> Option<&Arc<Transport>> {
        self.transport.as_ref()
    }

    /// Makes one call: under the quota, signed, retried where that is safe, its answer judged.
    ///
    /// # Errors
    /// What the connector's protocol made of the answer, or what kept it from coming.
    pub async fn call(&self, call: Call) -> Result<Answer> {
        let transport = self.transport.as_ref();
        let transport = transport.ok_or_else(|| Error::new(ErrorKind::Unexpected, "this account makes no calls"))?;
        // Boxed: having a token may itself make a call.
        Box::pin(transport.call(self, call)).await
    }
}
