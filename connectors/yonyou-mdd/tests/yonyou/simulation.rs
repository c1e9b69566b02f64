//! Deliveries to a simulated Yonyou, seed by seed: through the real courier and the real connector, with time-outs after
//! the effect, answers that get lost, calls that arrive when nobody waits for them any more, crashes at any await, the
//! hour and the month passing, and several senders at once. Each source document is exactly one document there.
//!
//! A failure names its seed; `MILKRUN_SEED=n` runs that one alone, with `MILKRUN_SEEDS` as many as wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use milkrun_core::connector::{Opening, SinkKind, connector};
use milkrun_core::quota::{Limiter, MemoryQuotaLog};
use milkrun_core::state::{StateStore, Verdict};
use milkrun_core::stream::{Proof, StreamSpec};
use milkrun_core::token::Vault;
use milkrun_core::transport::{RetryPolicy, Transport, TransportOptions};
use milkrun_core::{Clock, Context, PageRequest, Position, Quota, QuotaSpec, Record, Slice, Source, SystemClock};
use milkrun_engine::{Flow, KeyRule, Options, Quiet, Report, Span, Stop, Surroundings, Work, run};
use milkrun_mapping::Mapping;
use milkrun_sandbox::yonyou::{self, AfterTimeout, DuplicateCode, Settings};
use milkrun_testkit::dice::Dice;
use milkrun_testkit::memory::{MemoryJournal, MemoryStore, MemoryTokens};
use milkrun_testkit::sample_stream;
use milkrun_testkit::world::{Drift, Totals, World};

use crate::line::{HOST, Line, Trouble};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// What every source record becomes.
const MAPPING: &str = r#"
[fields]
org_code = { const = "0518" }
vendor_code = { const = "0001000101" }
vouchdate = { const = "2026-08-01 00:00:00" }
code = { from = "id", type = "text" }
memo = { from = "version", type = "text" }
[fields.purchaseOrders]
each = "lines"
[fields.purchaseOrders.fields]
rowno = { from = "n", type = "text" }
product_cCode = { const = "00000002" }
qty = { const = "1.50" }
"#;

/// Polls a future so many times and then drops it.
struct Mortal<F> {
    life: Pin<Box<F>>,
    polls: u64,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let Some(left) = self.polls.checked_sub(1) else { return Poll::Ready(None) };
        self.polls = left;
        self.life.as_mut().poll(cx).map(Some)
    }
}

/// One sender: a flow with a state of its own.
struct Sender {
    flow: Flow,
    store: MemoryStore,
    around: Surroundings,
}

struct Simulation {
    seed: u64,
    dice: Dice,
    clock: Arc<dyn Clock>,
    world: World,
    line: Line,
    tokens: MemoryTokens,
    senders: Vec<Sender>,
    source: Arc<dyn Source>,
    cx: Context,
    found: Vec<String>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let began = "2026-08-01T03:00:00Z".parse().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(began));
        let settings = Settings {
            seed,
            n_documents: 0,
            public_address: Some(HOST.to_owned()),
            clock_start: Some(began),
            clock_frozen: true,
            quota: None,
            finance_quota: None,
            latency: Duration::from_millis(dice.below(2_000)),
            duplicate_code: [DuplicateCode::Long, DuplicateCode::Short][dice.index(2).unwrap()],
            after_timeout: [AfterTimeout::IdOnly, AfterTimeout::Cached][dice.index(2).unwrap()],
            ..Settings::default()
        };
        let opening = Opening {
            account: "yy".into(),
            settings: toml::from_str(&format!(
                "tenant_id = '{}'\napp_key = '{}'\napp_secret = '{}'\ndiscovery_url = '{HOST}'",
                settings.tenant_id, settings.app_key, settings.app_secret
            ))
            .unwrap(),
            folder: "/".into(),
        };
        let account = (connector("yonyou-mdd").unwrap().open)(opening).unwrap();
        let line = Line::new(yonyou::in_process(settings), &clock, seed);
        let tokens = MemoryTokens::default();
        let limiter = Limiter::new(
            "yy",
            &QuotaSpec::account(Quota::unlimited()),
            Arc::new(MemoryQuotaLog::default()),
            Arc::clone(&clock),
        );
        let source = account.tokens.clone().unwrap();
        let vault = Vault::new("yy", Arc::new(tokens.clone()), source, Arc::clone(&clock));
        let protocol = account.protocol.clone().unwrap();
        // Pauses are jittered, and a simulation has to be the same each time.
        let retry = RetryPolicy { attempts: 3, first: Duration::ZERO, longest: Duration::ZERO };
        let options = TransportOptions { retry, ..TransportOptions::default() };
        let transport = Transport::over(Arc::new(line.clone()), protocol, limiter, Some(vault), options);
        let cx = Context::new("yy", Arc::clone(&clock), Arc::new(transport));

        let stream = StreamSpec { window: None, proof: Proof::ReadTwice, ..sample_stream() };
        let world =
            World::new(seed, stream.clone(), dice.between(5, 40), began, MINUTE * 60).with_totals(Totals::Every);
        let target = account.sink.as_ref().unwrap().target("purchase-order").unwrap();
        let mut options = Options::usual(&stream, &target);
        options.page_size = u32::try_from(dice.between(4, 12)).unwrap();
        options.sink_concurrency = usize::try_from(dice.between(1, 6)).unwrap();
        options.keys = KeyRule { system: "world".into(), plain: dice.percent(50) };
        let n_senders = if dice.percent(25) { 2 } else { 1 };
        // A sender that is new to documents that another one has sent long ago can only ask.
        options.ask_first = n_senders > 1 && dice.percent(50);
        let sender = |n: u32| {
            let flow = Flow {
                name: format!("sender-{n}"),
                stream: stream.clone(),
                source: Arc::new(world.clone()),
                source_cx: Context::local("source", Arc::clone(&clock)),
                sink: account.sink.clone().unwrap(),
                sink_cx: cx.clone(),
                target: target.clone(),
                mapping: Arc::new(Mapping::compile_str(MAPPING).unwrap()),
                span: Span::default(),
                options: options.clone(),
            };
            let store = MemoryStore::default();
            let journal = Arc::new(MemoryJournal::default());
            let around = Surroundings { store: Arc::new(store.clone()), journal, clock: Arc::clone(&clock) };
            Sender { flow, store, around }
        };
        let senders = (0..n_senders).map(sender).collect();
        let source = account.source.clone().unwrap();
        assert!(matches!(account.sink, Some(SinkKind::Calls(_))));
        Self { seed, dice, clock: Arc::clone(&clock), world, line, tokens, senders, source, cx, found: Vec::new() }
    }

    /// Runs with drift, faults and crashes, then lets the world come to rest and runs until all is delivered.
    async fn play(mut self) -> (u64, Vec<String>) {
        for _ in 0..self.dice.between(2, 6) {
            self.make_trouble();
            self.all_run(true).await;
            self.check_doubled("while it runs");
            let pause = self.pause();
            self.clock.sleep(pause).await;
        }
        self.world.set_drift(Drift::default());
        self.world.settle(self.clock.now());
        self.line.set_trouble(Trouble::default());
        for _ in 0..12 {
            self.clock.sleep(MINUTE * 2).await;
            if self.all_run(false).await {
                break;
            }
            self.replay().await;
        }
        if !self.all_run(false).await {
            self.found.push("a world at rest was not reconciled".to_owned());
        }
        self.check_doubled("at rest");
        self.check_content().await;
        let seed = self.seed;
        (self.line.n_saves(), self.found.into_iter().map(|fault| format!("seed {seed}: {fault}")).collect())
    }

    fn make_trouble(&mut self) {
        let dice = &mut self.dice;
        let mut some = |most: u64| if dice.percent(60) { dice.below(most) } else { 0 };
        self.world.set_drift(Drift { leave: some(100), arrive: some(30), ..Drift::default() });
        self.line.set_trouble(Trouble {
            lost_before: some(20),
            lost_after: some(30),
            slow: some(20),
            late: some(15),
            timed_out: some(15),
            fails: some(15),
            refuses: some(8),
        });
    }

    /// How long nothing runs: a moment, an hour or more, days, or longer than keys are remembered.
    fn pause(&mut self) -> Duration {
        let forgetting = self.senders.len() == 1 || self.senders[0].flow.options.ask_first;
        match self.dice.below(if forgetting { 10 } else { 7 }) {
            0..5 => Duration::from_secs(self.dice.below(300)),
            5..7 => MINUTE * u32::try_from(self.dice.between(50, 180)).unwrap(),
            7..9 => DAY * u32::try_from(self.dice.between(1, 26)).unwrap(),
            _ => DAY * u32::try_from(self.dice.between(27, 70)).unwrap(),
        }
    }

    /// One run of every sender, side by side, with a crash of them all at some poll if `mortal`; whether all is
    /// reconciled.
    async fn all_run(&mut self, mortal: bool) -> bool {
        let polls = if mortal && self.dice.percent(70) { self.dice.below(1_500) } else { u64::MAX };
        let runs = self.senders.iter().map(|sender| async {
            let (_stopper, mut stop) = Stop::new();
            run(&sender.flow, &sender.around, &Work::Due, &mut stop, &Quiet).await
        });
        let runs: Vec<_> = runs.collect();
        let life = Box::pin(join_all(runs));
        match (Mortal { life, polls }).await {
            None => {
                self.senders.iter().for_each(|sender| sender.store.crash());
                self.tokens.crash();
                false
            }
            Some(reports) => {
                let mut reconciled = true;
                for report in reports {
                    match report {
                        Ok(Report { verdict, .. }) => reconciled &= verdict == Verdict::Reconciled,
                        Err(error) => self.found.push(format!("a run did not begin: {error:?}")),
                    }
                }
                reconciled
            }
        }
    }

    async fn replay(&mut self) {
        for sender in &self.senders {
            if !sender.store.dead_letters(1, 0, 1).await.unwrap().is_empty() {
                let (_stopper, mut stop) = Stop::new();
                run(&sender.flow, &sender.around, &Work::DeadLetters(None), &mut stop, &Quiet).await.unwrap();
            }
        }
    }

    /// For each number, the ids of the documents that were ever made with it, whatever their keys were.
    fn made(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for received in self.line.control().received("purchase-order").unwrap() {
            // A key by which nothing was made has no document.
            let Ok(body) = Record::parse(received.body) else {
                assert_eq!(received.ids, [] as [String; 0]);
                continue;
            };
            let code = body.get("code").expect("the mapping sets it");
            made.entry(code.trim_matches('"').to_owned()).or_default().extend(received.ids);
        }
        made
    }

    fn check_doubled(&mut self, when: &str) {
        let doubled = self.made().into_iter().filter(|(_, ids)| ids.len() > 1);
        let doubled: Vec<_> = doubled.map(|(code, ids)| format!("{when}, {code} is {} documents", ids.len())).collect();
        self.found.extend(doubled);
    }

    /// Reads everything back through the connector: one document for each row, as the row is now.
    async fn check_content(&mut self) {
        let stream = self.source.streams().iter().find(|stream| stream.name == "purchase-order-heads").unwrap();
        let mut there: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for n in 1.. {
            let (slice, at) = (Slice::default(), Position::Page(n));
            let ask = PageRequest { stream, slice: &slice, at: &at, size: 100 };
            let page = self.source.read_page(&self.cx, ask).await.unwrap();
            for row in &page.records {
                let text = |name: &str| row.get(name).unwrap_or("null").trim_matches('"').to_owned();
                there.entry(text("code")).or_default().push(text("memo"));
            }
            if page.has_next == Some(false) {
                break;
            }
        }
        for row in self.world.rows() {
            match there.remove(&row.id.to_string()).as_deref() {
                Some([memo]) if *memo == row.version.to_string() => {}
                other => self.found.push(format!("{} has version {}, and there is {other:?}", row.id, row.version)),
            }
        }
        if !there.is_empty() {
            self.found.push(format!("nobody sent {there:?}"));
        }
    }
}

/// How many seeds are played: about 110 deliveries each. 1,000 of them send more than 100,000.
const SEEDS: u64 = 300;

/// So many seeds, unless the environment says otherwise.
#[expect(clippy::disallowed_methods, reason = "a person who looks for a rare fault says how many seeds")]
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let read = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (read("MILKRUN_SEED"), read("MILKRUN_SEEDS")) {
        (Some(seed), n) => seed..seed + n.unwrap_or(1),
        (None, n) => 0..n.unwrap_or(usual),
    }
}

#[test]
fn each_source_document_is_one_document_there() {
    let play = |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async { Simulation::new(seed).play().await })
    };
    let seeds = seeds(SEEDS);
    let next = AtomicU64::new(seeds.start);
    let worker = || {
        let mine = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds.end));
        mine.map(play).collect::<Vec<_>>()
    };
    let n_workers = std::thread::available_parallelism().map_or(1, usize::from);
    let played = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..n_workers).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let n_saves: u64 = played.iter().map(|(n, _)| n).sum();
    let mut found: Vec<String> = played.into_iter().flat_map(|(_, faults)| faults).collect();
    found.sort();
    println!("{n_saves} deliveries were sent");
    assert!(found.is_empty(), "{} faults, the first ones:\n{}", found.len(), found[..found.len().min(8)].join("\n"));
}
