//! Tokens: however many flows, threads and processes share an account, its token is renewed once, and the new one is
//! durable before it is used.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::secret::Secret;

/// What proves who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Goes with each call.
    pub access: Secret,
    /// Renews the token, where the vendor has such a thing.
    pub refresh: Option<Secret>,
    /// When it was had.
    pub obtained_at: Timestamp,
    /// When it ends, where that is known.
    pub expires_at: Option<Timestamp>,
    /// Whatever else has to be kept with it, such as a session cookie.
    pub extra: BTreeMap<String, Secret>,
}

#[derive(Serialize, Deserialize)]
struct Exposed {
    access: String,
    refresh: Option<String>,
    obtained_at: Timestamp,
    expires_at: Option<Timestamp>,
    #[serde(default)]
    extra: BTreeMap<String, String>,
}

impl Token {
    /// A token without an end or a way to renew it.
    pub fn new(access: Secret, obtained_at: Timestamp) -> Self {
        Self { access, refresh: None, obtained_at, expires_at: None, extra: BTreeMap::new() }
    }

    /// The token in plain text, to be sealed at once.
    pub fn expose(&self) -> String {
        let plain = |s: &Secret| s.expose().to_owned();
        let exposed = Exposed {
            access: plain(&self.access),
            refresh: self.refresh.as_ref().map(plain),
            obtained_at: self.obtained_at,
            expires_at: self.expires_at,
            extra: self.extra.iter().map(|(k, v)| (k.clone(), plain(v))).collect(),
        };
        serde_json::to_string(&exposed).expect("texts and times can be written")
    }

    /// Reads what [`Token::expose`] wrote.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if it is something else.
    pub fn from_exposed(text: &str) -> Result<Self> {
        let exposed: Exposed =
            serde_json::from_str(text).map_err(|_| Error::new(ErrorKind::State, "the stored token cannot be read"))?;
        Ok(Self {
            access: Secret::new(exposed.access),
            refresh: exposed.refresh.map(Secret::new),
            obtained_at: exposed.obtained_at,
            expires_at: exposed.expires_at,
            extra: exposed.extra.into_iter().map(|(k, v)| (k, Secret::new(v))).collect(),
        })
    }
}

/// When a token is renewed.
#[derive(Clone, Copy, Debug)]
pub struct TokenPolicy {
    /// How long before its end.
    pub before_end: Duration,
    /// How old it may grow, whatever its end.
    pub longest_age: Option<Duration>,
    /// How long the vendor refuses a further renewal.
    pub shortest_age: Duration,
}

/// How tokens are had from one vendor.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// When a token is renewed.
    fn policy(&self) -> TokenPolicy;

    /// The first token: from the settings, or by a call.
    ///
    /// # Errors
    /// [`ErrorKind::TokenDead`] says what a person has to do.
    async fn grant(&self, cx: &Context) -> Result<Token>;

    /// A token in place of `old`.
    ///
    /// # Errors
    /// [`ErrorKind::TokenDead`] says what a person has to do; after [`ErrorKind::OutcomeUnknown`] the vendor may or
    /// may not have taken `old` out of use.
    async fn renew(&self, cx: &Context, old: &Token) -> Result<Token>;
}

/// A stored token and its generation, which grows by one with every renewal.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The generation.
    pub generation: u64,
    /// The token.
    pub token: Token,
}

/// Leave to renew a token, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The intent is durable; nobody else renews until it is finished, abandoned or out of time.
    Started {
        /// Has to be given back with the result.
        fence: u64,
        /// A renewal of the same token began earlier and never ended: its outcome is unknown.
        unfinished: bool,
    },
    /// Somebody else is renewing.
    Busy,
    /// The token was renewed meanwhile.
    Moved,
}

/// Where tokens are kept, sealed, and who may renew them.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// The token of `account`, if there is one.
    async fn load_token(&self, account: &str) -> Result<Option<StoredToken>>;

    /// Writes the intent to renew `generation` (0: there is none yet) and takes the lease for `lasts`.
    async fn begin_renewal(&self, account: &str, generation: u64, now: Timestamp, lasts: Duration) -> Result<Begin>;

    /// Stores the new token as the next generation, if the lease is still held, and ends the intent.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if the lease was lost.
    async fn finish_renewal(&self, account: &str, fence: u64, token: &Token) -> Result<u64>;

    /// Ends the lease; the intent ends too unless `unknown`.
    async fn abandon_renewal(&self, account: &str, fence: u64, unknown: bool) -> Result<()>;
}

/// Small secrets that an account has to keep beside its token, sealed as tokens are: an app ticket, a permanent code.
#[async_trait]
pub trait Keeper: fmt::Debug + Send + Sync {
    /// The secret that `account` keeps under that name.
    async fn kept(&self, account: &str, name: &str) -> Result<Option<Secret>>;

    /// Keeps a secret in place of the last one of that name; it is durable when this returns.
    async fn keep(&self, account: &str, name: &str, secret: &Secret) -> Result<()>;
}

/// How long a renewal may take before another process may try.
const LEASE: Duration = Duration::from_mins(2);
/// How long after a failed renewal the next one is tried, unless the vendor says.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a waiting process looks whether the renewal of another one is done.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The live token of one account.
#[derive(Debug)]
pub struct Vault {
    account: String,
    store: Arc<dyn TokenStore>,
    source: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    cached: Mutex<Option<Arc<StoredToken>>>,
    /// After a renewal that failed while the token still lives, none is tried before this instant.
    not_before: Mutex<Option<Timestamp>>,
    /// Held while this process renews.
    turn: tokio::sync::Mutex<()>,
    /// The parties whose calls wait for a token, and since when: one for each call.
    waiting: Mutex<Vec<(Arc<str>, Timestamp)>>,
}

/// A call that waits for a token; dropping it says that it does no more.
#[derive(Debug)]
struct Waits<'a> {
    vault: &'a Vault,
    call: (Arc<str>, Timestamp),
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut waiting = self.vault.waiting.lock().expect("no holder panics");
        // Calls of one party and instant are the same to all who ask.
        if let Some(at) = waiting.iter().position(|call| *call == self.call) {
            waiting.swap_remove(at);
        }
    }
}

impl Vault {
    /// The vault's view of one account.
    pub fn new(account: &str, store: Arc<dyn TokenStore>, source: Arc<dyn TokenSource>, clock: Arc<dyn Clock>) -> Self {
        Self {
            account: account.to_owned(),
            store,
            source,
            clock,
            cached: Mutex::new(None),
            not_before: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
            waiting: Mutex::default(),
        }
    }

    /// How long calls of a party have been waiting for the account's token, which somebody renews; `None` if none waits.
    pub fn waited(&self, party: &str) -> Option<Duration> {
        let waiting = self.waiting.lock().expect("no holder panics");
        let since = waiting.iter().filter(|(name, _)| **name == *party).map(|(_, since)| *since).min()?;
        Some(Duration::try_from(self.clock.now().duration_since(since)).unwrap_or_default())
    }

    fn waits(&self, cx: &Context) -> Waits<'_> {
        let call = (Arc::clone(&cx.party().name), self.clock.now());
        self.waiting.lock().expect("no holder panics").push(call.clone());
        Waits { vault: self, call }
    }

    /// The token to use now; it is had or renewed first if it is due.
    ///
    /// # Errors
    /// Those of the store and of the token source.
    pub async fn current(&self, cx: &Context) -> Result<Arc<StoredToken>> {
        let cached = self.cached();
        if let Some(held) = &cached
            && !self.is_due(&held.token)
        {
            return Ok(Arc::clone(held));
        }
        let _waits = self.waits(cx);
        let _turn = self.turn.lock().await;
        let Some(held) = self.load().await? else { return self.renew(cx, None).await };
        if !self.is_due(&held.token) {
            return Ok(held);
        }
        match self.renew(cx, Some(Arc::clone(&held))).await {
            // A token that is only due, not dead, serves on; a later call tries again.
            Err(error) if self.is_alive(&held.token) => {
                let wait = if let Retry::After(wait) = error.retry() { wait } else { PATIENCE };
                *self.not_before.lock().expect("no holder panics") = Some(self.clock.now() + signed(wait));
                tracing::warn!(account = self.account, %error, "the token could not be renewed yet");
                Ok(held)
            }
            outcome => outcome,
        }
    }

    /// The token in place of the one of `generation`, which the vendor refused.
    ///
    /// # Errors
    /// Those of the store and of the token source.
    pub async fn refused(&self, cx: &Context, generation: u64) -> Result<Arc<StoredToken>> {
        let _waits = self.waits(cx);
        let _turn = self.turn.lock().await;
        match self.load().await? {
            Some(held) if held.generation == generation => self.renew(cx, Some(held)).await,
            Some(held) => Ok(held),
            None => self.renew(cx, None).await,
        }
    }

    /// Puts a token that a person has just granted in place of whatever there is.
    ///
    /// # Errors
    /// Those of the store, and those of `redeem`.
    pub async fn replace(&self, redeem: impl Future<Output = Result<Token>>) -> Result<Arc<StoredToken>> {
        let _turn = self.turn.lock().await;
        let fence = loop {
            let generation = self.load().await?.map_or(0, |held| held.generation);
            match self.store.begin_renewal(&self.account, generation, self.clock.now(), LEASE).await? {
                Begin::Started { fence, .. } => break fence,
                Begin::Busy => self.clock.sleep(LOOK_AGAIN).await,
                Begin::Moved => {}
            }
        };
        match redeem.await {
            Ok(token) => {
                let generation = self.store.finish_renewal(&self.account, fence, &token).await?;
                Ok(self.keep(StoredToken { generation, token }))
            }
            Err(error) => {
                self.store.abandon_renewal(&self.account, fence, false).await?;
                Err(error.with("account", &self.account))
            }
        }
    }

    fn cached(&self) -> Option<Arc<StoredToken>> {
        self.cached.lock().expect("no holder panics").clone()
    }

    fn keep(&self, held: StoredToken) -> Arc<StoredToken> {
        let held = Arc::new(held);
        *self.cached.lock().expect("no holder panics") = Some(Arc::clone(&held));
        held
    }

    async fn load(&self) -> Result<Option<Arc<StoredToken>>> {
        Ok(self.store.load_token(&self.account).await?.map(|held| self.keep(held)))
    }

    fn is_alive(&self, token: &Token) -> bool {
        token.expires_at.is_none_or(|end| self.clock.now() < end)
    }

    /// Whether the token should be renewed: near its end or too old, but not younger than the vendor allows.
    ///
    /// The margin is spread by up to a tenth, from the token's age, so that many accounts do not renew in one second.
    fn is_due(&self, token: &Token) -> bool {
        let policy = self.source.policy();
        let now = self.clock.now();
        let age = now.duration_since(token.obtained_at);
        let not_before = *self.not_before.lock().expect("no holder panics");
        if age < signed(policy.shortest_age) || not_before.is_some_and(|at| now < at) {
            return false;
        }
        let spread = u32::try_from(token.obtained_at.as_millisecond().unsigned_abs() % 100).expect("below 100");
        let margin = policy.before_end + policy.before_end * spread / 1000;
        token.expires_at.is_some_and(|end| now + signed(margin) >= end)
            || policy.longest_age.is_some_and(|longest| age >= signed(longest))
    }

    /// Renews `old`, or has the first token; whoever comes second takes what the first one got.
    async fn renew(&self, cx: &Context, old: Option<Arc<StoredToken>>) -> Result<Arc<StoredToken>> {
        let generation = old.as_ref().map_or(0, |held| held.generation);
        let (fence, unfinished) = loop {
            match self.store.begin_renewal(&self.account, generation, self.clock.now(), LEASE).await? {
                Begin::Started { fence, unfinished } => break (fence, unfinished),
                Begin::Busy => self.clock.sleep(LOOK_AGAIN).await,
                Begin::Moved => {
                    return self.load().await?.ok_or_else(|| Error::new(ErrorKind::State, "the token has vanished"));
                }
            }
        };
        let had = match &old {
            Some(held) => self.source.renew(cx, &held.token).await,
            None => self.source.grant(cx).await,
        };
        match had {
            Ok(token) => {
                let generation = self.store.finish_renewal(&self.account, fence, &token).await?;
                tracing::info!(account = self.account, generation, "the token was renewed");
                Ok(self.keep(StoredToken { generation, token }))
            }
            Err(error) => {
                let unknown = error.kind() == ErrorKind::OutcomeUnknown;
                self.store.abandon_renewal(&self.account, fence, unknown).await?;
                // The lease may have run out meanwhile, and another process have taken its turn: vendors then tell the
                // slower one that the token was renewed already, and what is stored is the new one.
                if let Some(held) = self.load().await?
                    && held.generation != generation
                {
                    return Ok(held);
                }
                let error = error.with("account", &self.account);
                if unfinished && error.help().is_none() {
                    return Err(error.advise(
                        "an earlier renewal was cut off before its answer could be saved, so the vendor may have \
                         replaced the token: authorise the account again and store the new token with `milkrun secret set`",
                    ));
                }
                Err(error)
            }
        }
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A store in memory: what is in it outlives a crash.
    #[derive(Debug, Default)]
    struct Shelf(Mutex<ShelfData>);

    #[derive(Debug, Default)]
    struct ShelfData {
        held: Option<(u64, String)>,
        fence: u64,
        /// The fence and the end of the lease, and whether the intent still stands.
        lease: Option<(u64, Timestamp)>,
        intent: bool,
    }

    #[async_trait]
    impl TokenStore for Shelf {
        async fn load_token(&self, _: &str) -> Result<Option<StoredToken>> {
            let data = self.0.lock().unwrap();
            let stored = data.held.as_ref().map(|(generation, text)| {
                Ok(StoredToken { generation: *generation, token: Token::from_exposed(text)? })
            });
            stored.transpose()
        }

        async fn begin_renewal(&self, _: &str, generation: u64, now: Timestamp, lasts: Duration) -> Result<Begin> {
            let mut data = self.0.lock().unwrap();
            if data.held.as_ref().map_or(0, |(g, _)| *g) != generation {
                return Ok(Begin::Moved);
            }
            if data.lease.is_some_and(|(_, until)| now < until) {
                return Ok(Begin::Busy);
            }
            data.fence += 1;
            data.lease = Some((data.fence, now + signed(lasts)));
            let unfinished = std::mem::replace(&mut data.intent, true);
            Ok(Begin::Started { fence: data.fence, unfinished })
        }

        async fn finish_renewal(&self, _: &str, fence: u64, token: &Token) -> Result<u64> {
            let mut data = self.0.lock().unwrap();
            if data.lease.is_none_or(|(held, _)| held != fence) {
                return Err(Error::new(ErrorKind::Busy, "the lease was lost"));
            }
            let generation = data.held.as_ref().map_or(0, |(g, _)| *g) + 1;
            (data.held, data.lease, data.intent) = (Some((generation, token.expose())), None, false);
            Ok(generation)
        }

        async fn abandon_renewal(&self, _: &str, _: u64, unknown: bool) -> Result<()> {
            let mut data = self.0.lock().unwrap();
            (data.lease, data.intent) = (None, unknown);
            Ok(())
        }
    }

    /// A vendor whose tokens are numbered; renewing takes a second.
    #[derive(Debug)]
    struct Numbered {
        n_renewals: AtomicU32,
        outcome: fn(u32) -> Result<()>,
    }

    #[async_trait]
    impl TokenSource for Numbered {
        fn policy(&self) -> TokenPolicy {
            let hour = Duration::from_hours(1);
            TokenPolicy { before_end: hour, longest_age: Some(24 * hour), shortest_age: hour }
        }

        async fn grant(&self, cx: &Context) -> Result<Token> {
            Ok(Token::new(Secret::new("token-0"), cx.now()))
        }

        async fn renew(&self, cx: &Context, _: &Token) -> Result<Token> {
            cx.clock().sleep(Duration::from_secs(1)).await;
            let n = self.n_renewals.fetch_add(1, Ordering::SeqCst) + 1;
            (self.outcome)(n)?;
            Ok(Token::new(Secret::new(format!("token-{n}")), cx.now()))
        }
    }

    struct Setting {
        shelf: Arc<Shelf>,
        vendor: Arc<Numbered>,
        clock: Arc<dyn Clock>,
        cx: Context,
    }

    impl Setting {
        fn new(outcome: fn(u32) -> Result<()>) -> Self {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(Timestamp::UNIX_EPOCH));
            let vendor = Arc::new(Numbered { n_renewals: AtomicU32::new(0), outcome });
            let cx = Context::local("a", Arc::clone(&clock));
            Self { shelf: Arc::default(), vendor, clock, cx }
        }

        /// The vault of one process.
        fn vault(&self) -> Vault {
            let source = Arc::clone(&self.vendor) as Arc<dyn TokenSource>;
            Vault::new("a", Arc::clone(&self.shelf) as Arc<dyn TokenStore>, source, Arc::clone(&self.clock))
        }

        fn n_renewals(&self) -> u32 {
            self.vendor.n_renewals.load(Ordering::SeqCst)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn eight_processes_renew_once() {
        let setting = Setting::new(|_| Ok(()));
        let vaults: Vec<_> = (0..8).map(|_| setting.vault()).collect();
        let mut held = Vec::new();
        for vault in &vaults {
            held.push(vault.current(&setting.cx).await.unwrap());
        }
        assert!(held.iter().all(|h| h.token.access.expose() == "token-0" && h.generation == 1));
        let all = vaults
            .iter()
            .zip(&held)
            .flat_map(|(v, h)| [v.refused(&setting.cx, h.generation), v.refused(&setting.cx, h.generation)]);
        let renewed = futures_all(all.collect()).await;
        assert!(renewed.iter().all(|h| h.as_ref().unwrap().token.access.expose() == "token-1"));
        assert_eq!(setting.n_renewals(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whose_calls_wait_for_a_renewal_is_told() {
        let setting = Setting::new(|_| Ok(()));
        let (vault, cx) = (setting.vault(), setting.cx.clone().as_party("p"));
        let held = vault.current(&cx).await.unwrap();
        assert_eq!(vault.waited("p"), None);
        let later = async |ms| {
            setting.clock.sleep(Duration::from_millis(ms)).await;
            [vault.waited("p"), vault.waited("other")]
        };
        tokio::select! {
            biased;
            _ = vault.refused(&cx, held.generation) => panic!("a renewal takes a second"),
            told = later(400) => assert_eq!(told, [Some(Duration::from_millis(400)), None]),
        }
        assert_eq!(vault.waited("p"), None, "who has given up does not wait");
    }

    async fn futures_all<T>(mut futures: Vec<impl Future<Output = T>>) -> Vec<T> {
        let mut futures: Vec<_> = futures.drain(..).map(Box::pin).collect();
        let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
        std::future::poll_fn(|cx| {
            for (future, slot) in futures.iter_mut().zip(&mut done) {
                if slot.is_none()
                    && let std::task::Poll::Ready(value) = future.as_mut().poll(cx)
                {
                    *slot = Some(value);
                }
            }
            if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        done.into_iter().flatten().collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_when_it_is_old_and_serves_on_if_that_fails() {
        let setting = Setting::new(|n| if n == 1 { Err(Error::new(ErrorKind::Unavailable, "away")) } else { Ok(()) });
        let vault = setting.vault();
        vault.current(&setting.cx).await.unwrap();
        setting.clock.sleep(Duration::from_hours(25)).await;
        for _ in 0..5 {
            assert_eq!(vault.current(&setting.cx).await.unwrap().token.access.expose(), "token-0");
        }
        assert_eq!(setting.n_renewals(), 1, "a failed renewal is not repeated at once");
        setting.clock.sleep(PATIENCE).await;
        assert_eq!(vault.current(&setting.cx).await.unwrap().token.access.expose(), "token-2");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_too_slow_takes_the_token_that_is_stored() {
        let setting = Setting::new(|_| Err(Error::new(ErrorKind::TokenDead, "renewed already")));
        let (vault, shelf) = (setting.vault(), Arc::clone(&setting.shelf));
        let held = vault.current(&setting.cx).await.unwrap();
        let other = Token::new(Secret::new("token-of-another"), setting.clock.now());
        let (renewed, ()) = tokio::join!(vault.refused(&setting.cx, held.generation), async {
            setting.clock.sleep(Duration::from_millis(500)).await;
            let mut data = shelf.0.lock().unwrap();
            (data.held, data.lease) = (Some((held.generation + 1, other.expose())), None);
        });
        assert_eq!(renewed.unwrap().token, other);
        let error = vault.refused(&setting.cx, held.generation + 1).await.unwrap_err();
        assert_eq!((error.kind(), setting.n_renewals()), (ErrorKind::TokenDead, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_was_cut_off_is_told_when_the_next_one_fails() {
        let setting = Setting::new(|_| Err(Error::new(ErrorKind::TokenDead, "dead")));
        let vault = setting.vault();
        let held = vault.current(&setting.cx).await.unwrap();
        // Killed while the vendor was being asked.
        tokio::select! {
            biased;
            _ = vault.refused(&setting.cx, held.generation) => panic!("it takes a second"),
            () = setting.clock.sleep(Duration::from_millis(10)) => {}
        }
        let error = setting.vault().refused(&setting.cx, held.generation).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TokenDead);
        assert!(error.help().unwrap().contains("cut off"), "{error:?}");
    }
}
