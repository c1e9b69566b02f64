//! What an account is given in a case: a clock that does not wait, tokens in memory, and a log that is kept.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use milkrun_core::quota::{Limiter, MemoryQuotaLog};
use milkrun_core::token::{Begin, Keeper, StoredToken, Token, TokenStore, Vault};
use milkrun_core::transport::{self, Answer, Call, Protocol, RetryPolicy, Transport, TransportOptions, Wire};
use milkrun_core::{
    Account, Clock, ConnectorSpec, Context, Error, ErrorKind, Opening, Page, PageRequest, Position, Result, Secret,
    Source, StreamSpec,
};

use super::{Scene, Stop, Vendor};

/// The name of the account in all cases.
const ACCOUNT: &str = "account-under-test";

/// How often a call is tried in all.
pub(crate) const ATTEMPTS: u32 = 6;

/// A clock that stands still but for waits, which end at once and are remembered.
pub struct TestClock {
    now: Mutex<Timestamp>,
    waits: Mutex<Vec<Duration>>,
    follower: Box<dyn Fn(Timestamp) + Send + Sync>,
}

impl fmt::Debug for TestClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestClock({})", self.now())
    }
}

impl TestClock {
    /// A clock that shows `start`, and tells `follower` each new time.
    pub fn new(start: Timestamp, follower: impl Fn(Timestamp) + Send + Sync + 'static) -> Self {
        follower(start);
        Self { now: Mutex::new(start), waits: Mutex::default(), follower: Box::new(follower) }
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        let now = {
            let mut now = self.now.lock().expect("no holder panics");
            *now += SignedDuration::try_from(by).expect("no test waits for ages");
            *now
        };
        (self.follower)(now);
    }

    /// All waits so far.
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().expect("no holder panics").clone()
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().expect("no holder panics")
    }

    async fn sleep(&self, wait: Duration) {
        self.waits.lock().expect("no holder panics").push(wait);
        self.advance(wait);
        // Whoever waits for another call has to let it come.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Everything that a case brought to light.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transcript(Arc<Mutex<Vec<u8>>>);

impl io::Write for Transcript {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no holder panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transcript {
    /// Keeps the log of this thread, at every level, as long as the guard lives.
    pub(crate) fn capture(&self) -> tracing::subscriber::DefaultGuard {
        let kept = self.clone();
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        tracing::subscriber::set_default(log.with_writer(move || kept.clone()).finish())
    }

    pub(crate) fn note(&self, text: &str) {
        let mut kept = self.0.lock().expect("no holder panics");
        kept.extend_from_slice(text.as_bytes());
        kept.push(b'\n');
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no holder panics")).into_owned()
    }
}

/// An error with everything a person can see of it.
pub(crate) fn shown(error: &Error) -> String {
    format!("{error:?} help: {}", error.help().unwrap_or("-"))
}

/// Tokens in memory, and the access tokens that were ever stored.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    token: Option<StoredToken>,
    stored: Vec<String>,
    secrets: BTreeMap<String, Secret>,
    fence: u64,
    renewing: bool,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(***)")
    }
}

impl Tokens {
    fn has_stored(&self, token: &Token) -> bool {
        self.0.lock().expect("no holder panics").stored.iter().any(|stored| stored == token.access.expose())
    }
}

#[async_trait]
impl Keeper for Tokens {
    async fn kept(&self, _: &str, name: &str) -> Result<Option<Secret>> {
        Ok(self.0.lock().expect("no holder panics").secrets.get(name).cloned())
    }

    async fn keep(&self, _: &str, name: &str, secret: &Secret) -> Result<()> {
        self.0.lock().expect("no holder panics").secrets.insert(name.to_owned(), secret.clone());
        Ok(())
    }
}

#[async_trait]
impl TokenStore for Tokens {
    async fn load_token(&self, _: &str) -> Result<Option<StoredToken>> {
        Ok(self.0.lock().expect("no holder panics").token.clone())
    }

    async fn begin_renewal(&self, _: &str, generation: u64, _: Timestamp, _: Duration) -> Result<Begin> {
        let mut kept = self.0.lock().expect("no holder panics");
        if kept.renewing {
            return Ok(Begin::Busy);
        }
        if kept.token.as_ref().map_or(0, |held| held.generation) != generation {
            return Ok(Begin::Moved);
        }
        kept.renewing = true;
        kept.fence += 1;
        Ok(Begin::Started { fence: kept.fence, unfinished: false })
    }

    async fn finish_renewal(&self, _: &str, fence: u64, token: &Token) -> Result<u64> {
        // A place for other tasks to use the token too early.
        tokio::task::yield_now().await;
        let mut kept = self.0.lock().expect("no holder panics");
        if !kept.renewing || kept.fence != fence {
            return Err(Error::new(ErrorKind::Busy, "the lease was lost"));
        }
        kept.renewing = false;
        kept.stored.push(token.access.expose().to_owned());
        let generation = kept.token.as_ref().map_or(0, |held| held.generation) + 1;
        kept.token = Some(StoredToken { generation, token: token.clone() });
        Ok(generation)
    }

    async fn abandon_renewal(&self, _: &str, _: u64, _: bool) -> Result<()> {
        self.0.lock().expect("no holder panics").renewing = false;
        Ok(())
    }
}

/// A protocol that looks on: no call may carry a token that is not stored.
#[derive(Debug)]
struct Watched {
    inner: Arc<dyn Protocol>,
    tokens: Arc<Tokens>,
    n_unstored: Arc<Mutex<u32>>,
}

impl Protocol for Watched {
    fn sign(&self, call: &Call, token: Option<&Token>, now: Timestamp) -> Result<Wire> {
        if token.is_some_and(|token| !self.tokens.has_stored(token)) {
            *self.n_unstored.lock().expect("no holder panics") += 1;
        }
        self.inner.sign(call, token, now)
    }

    fn classify(&self, call: &Call, answer: &Answer) -> Result<()> {
        self.inner.classify(call, answer)
    }
}

/// An account that is ready to be read.
#[derive(Debug)]
pub struct Opened {
    /// What the connector made of the settings.
    pub account: Account,
    /// Its surroundings.
    pub cx: Context,
    n_unstored: Arc<Mutex<u32>>,
    transcript: Transcript,
}

impl Opened {
    /// The source.
    ///
    /// # Panics
    /// If the account cannot be read.
    pub fn source(&self) -> &dyn Source {
        self.account.source.as_deref().expect("the suite is for accounts that can be read")
    }

    /// Fetches one page.
    ///
    /// # Errors
    /// Those of the source.
    pub async fn page(&self, stream: &StreamSpec, scene: &Scene, at: &Position) -> Result<Page> {
        let ask = PageRequest { stream, slice: &scene.slice, at, size: scene.size };
        let page = self.source().read_page(&self.cx, ask).await;
        page.inspect_err(|error| self.transcript.note(&shown(error)))
    }

    /// Whether the account makes calls.
    pub(crate) fn makes_calls(&self) -> bool {
        self.account.protocol.is_some()
    }

    /// Calls that carried a token before it was stored.
    pub(crate) fn n_unstored(&self) -> u32 {
        *self.n_unstored.lock().expect("no holder panics")
    }
}

/// Opens an account of that vendor with surroundings of its own.
///
/// # Errors
/// Those of the connector.
pub fn open(spec: &ConnectorSpec, vendor: &dyn Vendor, clock: &Arc<TestClock>) -> Result<Opened> {
    let opening = Opening { account: ACCOUNT.to_owned(), settings: vendor.settings(), folder: vendor.folder() };
    let (tokens, transcript) = (Arc::default(), Transcript::default());
    Ok(surround((spec.open)(opening)?, clock, &tokens, &transcript, TransportOptions::default()))
}

/// One client for all: to read the system's certificates takes longer than a case.
///
/// Each vendor has a port of its own, so that no case meets the connections of another one.
fn client() -> reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> =
        LazyLock::new(|| transport::client().expect("the system's certificates can be read"));
    CLIENT.clone()
}

fn surround(
    account: Account,
    clock: &Arc<TestClock>,
    tokens: &Arc<Tokens>,
    transcript: &Transcript,
    options: TransportOptions,
) -> Opened {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let n_unstored = Arc::default();
    let cx = if let Some(inner) = &account.protocol {
        let protocol =
            Watched { inner: Arc::clone(inner), tokens: Arc::clone(tokens), n_unstored: Arc::clone(&n_unstored) };
        let limiter = Limiter::new(ACCOUNT, &account.quota, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
        let store = Arc::clone(tokens) as Arc<dyn TokenStore>;
        let vault = account.tokens.as_ref();
        let vault = vault.map(|source| Vault::new(ACCOUNT, store, Arc::clone(source), Arc::clone(&clock)));
        let transport = Transport::new(client(), Arc::new(protocol), limiter, vault, options);
        Context::new(ACCOUNT, clock, Arc::new(transport))
    } else {
        Context::local(ACCOUNT, clock)
    };
    let cx = cx.with_keeper(Arc::clone(tokens) as Arc<dyn Keeper>);
    Opened { account, cx, n_unstored, transcript: transcript.clone() }
}

/// What one case plays on.
pub(crate) struct Stage {
    pub(crate) spec: &'static ConnectorSpec,
    pub(crate) vendor: Arc<dyn Vendor>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) transcript: Transcript,
    tokens: Arc<Tokens>,
}

impl Stage {
    pub(crate) fn new(spec: &'static ConnectorSpec, vendor: Arc<dyn Vendor>) -> Self {
        let follower = Arc::clone(&vendor);
        let clock = TestClock::new(vendor.starts_at(), move |now| follower.set_clock(now));
        Self { spec, vendor, clock: Arc::new(clock), transcript: Transcript::default(), tokens: Arc::default() }
    }

    /// What the connector makes of these settings; errors are noted.
    pub(crate) fn account(&self, settings: toml::Table) -> Result<Account> {
        let opening = Opening { account: ACCOUNT.to_owned(), settings, folder: self.vendor.folder() };
        (self.spec.open)(opening).inspect_err(|error| self.transcript.note(&shown(error)))
    }

    /// Opens the account as another process would: only the stored token is shared.
    pub(crate) fn open(&self) -> Result<Opened> {
        self.open_with(TransportOptions::default().timeout)
    }

    /// The same with another time limit for one attempt.
    pub(crate) fn open_with(&self, timeout: Duration) -> Result<Opened> {
        let retry = RetryPolicy { attempts: ATTEMPTS, ..RetryPolicy::default() };
        let options = TransportOptions { timeout, retry, ..TransportOptions::default() };
        let account = self.account(self.vendor.settings())?;
        let opened = surround(account, &self.clock, &self.tokens, &self.transcript, options);
        self.transcript.note(&format!("{opened:?}"));
        Ok(opened)
    }

    /// Whether nothing that was brought to light holds a secret.
    pub(crate) fn shows_no_secret(&self) -> Result<(), Stop> {
        let text = self.transcript.text();
        for secret in self.vendor.secrets() {
            if let Some(at) = text.find(&secret) {
                let (from, to) = (text.floor_char_boundary(at.saturating_sub(200)), text.ceil_char_boundary(at));
                return Err(Stop::Failed(format!("a secret is shown after: …{}", &text[from..to])));
            }
        }
        Ok(())
    }
}
