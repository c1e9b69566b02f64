//! What the tests share: a clock that is set by hand, a hook that takes messages, and facts.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;
use milkrun_alerts::{Alerts, Channel, ChannelKind, Facts, FlowFacts, Lang, RunFacts, Settings, Words};
use milkrun_core::state::Verdict;
use milkrun_core::{Clock, Secret, async_trait};
use milkrun_testkit::http::{FixtureServer, Reply, Request};
use milkrun_testkit::notes::MemoryNotes;
use sha2::{Digest as _, Sha256};

/// A clock that only moves when it is told to.
#[derive(Clone, Debug)]
pub(crate) struct HandClock(Arc<Mutex<Timestamp>>);

impl HandClock {
    pub(crate) fn at(text: &str) -> Self {
        Self(Arc::new(Mutex::new(text.parse().unwrap())))
    }

    pub(crate) fn set(&self, text: &str) {
        *self.0.lock().unwrap() = text.parse().unwrap();
    }

    pub(crate) fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, _: Duration) {
        unreachable!("alerts never wait");
    }
}

/// An installation whose alerts go to one hook, and what stands around it.
pub(crate) struct World {
    pub(crate) alerts: Alerts,
    pub(crate) clock: HandClock,
    pub(crate) notes: MemoryNotes,
    pub(crate) hook: FixtureServer,
    pub(crate) settings: Settings,
}

pub(crate) const START: &str = "2026-11-27T10:00:00+08:00";
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// A channel in English whose hook takes everything.
pub(crate) fn hook(name: &str, server: &FixtureServer) -> Channel {
    let url = Secret::new(format!("{}/{name}", server.url()));
    Channel { name: name.to_owned(), lang: Lang::En, kind: ChannelKind::Webhook { url, secret: None } }
}

/// Starts a server that answers as told.
pub(crate) async fn serve(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> FixtureServer {
    FixtureServer::start(answer).await.unwrap()
}

pub(crate) fn alerts(settings: &Settings, notes: &MemoryNotes, clock: &HandClock) -> Alerts {
    let client = milkrun_core::transport::client().unwrap();
    let (notes, clock) = (Arc::new(notes.clone()), Arc::new(clock.clone()));
    Alerts::new(settings.clone(), notes, clock, client, |said| format!("中文：{said}"))
}

impl World {
    pub(crate) async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let hook_server = serve(|_| Reply::json("{}")).await;
        let mut settings = Settings { channels: vec![hook("ops", &hook_server)], ..Settings::default() };
        change(&mut settings);
        let (clock, notes) = (HandClock::at(START), MemoryNotes::default());
        let alerts = alerts(&settings, &notes, &clock);
        Self { alerts, clock, notes, hook: hook_server, settings }
    }

    /// The same installation after a restart: nothing is left but the notes.
    pub(crate) fn restart(&mut self) {
        self.alerts = alerts(&self.settings, &self.notes, &self.clock);
    }

    /// Looks and delivers, as the server does each half minute.
    pub(crate) async fn tick(&self, facts: &Facts) {
        self.alerts.look(facts).await.unwrap();
        self.alerts.deliver().await.unwrap();
    }

    /// The titles of all messages so far, or of their notices where there are several.
    pub(crate) fn told(&self) -> Vec<String> {
        self.hook.requests().iter().flat_map(told).collect()
    }
}

/// `began run-failed/orders`, for each notice of a request.
pub(crate) fn told(request: &Request) -> Vec<String> {
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    let notices = body["notices"].as_array().unwrap().iter();
    notices.map(|n| format!("{} {}", n["notice"].as_str().unwrap(), n["id"].as_str().unwrap())).collect()
}

/// A flow without runs, every ten minutes.
pub(crate) fn flow(name: &str) -> FlowFacts {
    FlowFacts { name: name.to_owned(), every: Some(10 * MINUTE), ..FlowFacts::default() }
}

/// Facts of one flow.
pub(crate) fn facts_of(flow: FlowFacts) -> Facts {
    Facts { flows: vec![flow], ..Facts::default() }
}

/// A run of a minute that ended at `ended`.
pub(crate) fn run(id: u64, ended: &str, verdict: Verdict) -> RunFacts {
    let ended: Timestamp = ended.parse().unwrap();
    let reason = (verdict != Verdict::Reconciled)
        .then(|| Words { en: "the vendor cannot be reached".to_owned(), zh: "无法连接厂商".to_owned() });
    RunFacts { id, started: ended - MINUTE, ended, verdict, was_stopped: false, reason, fresh: 1, pending: 0 }
}

/// Facts of the flow `orders` with these runs, oldest first, ten minutes apart from ten o'clock on.
pub(crate) fn runs(verdicts: &[Verdict]) -> Facts {
    let start: Timestamp = START.parse().unwrap();
    let run = |(i, verdict): (usize, &Verdict)| {
        let ended = start + MINUTE * 10 * u32::try_from(i).unwrap();
        run(i as u64 + 1, &ended.to_string(), *verdict)
    };
    let runs = verdicts.iter().enumerate().map(run).rev().collect();
    facts_of(FlowFacts { runs, ..flow("orders") })
}

/// HMAC-SHA256 as RFC 2104 describes it.
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::digest([&block.map(|b| b ^ 0x36)[..], message].concat());
    Sha256::digest([&block.map(|b| b ^ 0x5c)[..], &inner].concat()).to_vec()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, b| {
        write!(text, "{b:02x}").unwrap();
        text
    })
}

#[test]
fn the_hmac_of_the_tests_is_that_of_rfc_4231() {
    let mac = hmac(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(hex(&mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
