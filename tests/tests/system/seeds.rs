//! A thousand seeds of drift: the engine and the connector in this process, over HTTP to a simulator for each seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::state::Verdict;
use milkrun_core::transport::client;
use milkrun_core::{Clock, Context, Idempotency, SinkKind};
use milkrun_engine::{Flow, Options, Quiet, Span, Stop, Surroundings, Work};
use milkrun_mapping::Mapping;
use milkrun_sandbox::kuaimai::{self, EmptyResult, Settings, SortOrder, TotalOn, WindowEnd};
use milkrun_sandbox::{Fault, FaultRule};
use milkrun_testkit::conformance::TestClock;
use milkrun_testkit::dice::Dice;
use milkrun_testkit::memory::{MemoryJournal, MemoryStore};
use milkrun_testkit::sinks::{MemoryAppend, sample_target};

use crate::drift::assert_has_all_before;
use crate::in_process::{account, context};
use crate::output::Orders;
use crate::vendor::{DAY, ORDERS, settings, truth};

const N_SEEDS: u64 = 1_000;
const START: &str = "2026-08-01T12:00:00Z";
/// A change shows at the latest so long after it was made, see the stream.
const SETTLE: SignedDuration = SignedDuration::from_secs(60);

/// A flow of orders from `url` into memory, and its surroundings.
fn flow(
    url: &str,
    own: &Settings,
    clock: &Arc<TestClock>,
    http: &reqwest::Client,
    dice: &mut Dice,
) -> (Flow, MemoryAppend) {
    let account = account(url, own);
    let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(clock);
    let cx = context(&account, own, &clock, http);
    let source = account.source.unwrap();
    let stream = source.streams().iter().find(|stream| stream.endpoint == ORDERS).unwrap().clone();
    let sink = MemoryAppend::new(0);
    let target = sample_target(Idempotency::CommittedLength, 1);
    let concurrency = [1, 1, 1, 4][dice.index(4).unwrap()];
    let options = Options {
        page_size: 20,
        concurrency,
        batch_delay: Duration::ZERO,
        journal: false,
        ..Options::usual(&stream, &target)
    };
    let since = clock.now() - SignedDuration::from_hours(22);
    let flow = Flow {
        name: "orders".into(),
        stream,
        source,
        source_cx: cx,
        sink: SinkKind::Appends(Arc::new(sink.clone())),
        sink_cx: Context::local("memory", clock),
        target,
        mapping: Arc::new(Mapping::compile_str("fields = { sid = \"sid\", sellerMemo = \"sellerMemo\" }").unwrap()),
        span: Span { since: Some(since), ..Span::default() },
        options,
    };
    (flow, sink)
}

/// What a seed saw.
#[derive(Debug, Default)]
struct Seen {
    runs: u64,
    reconciled: u64,
    drifted: u64,
    calls: u64,
}

/// Plays one seed: two runs while rows change, with time between them, and one when nothing changes any more.
async fn play(seed: u64, http: &reqwest::Client) -> Seen {
    let mut dice = Dice::new(seed);
    let start: Timestamp = START.parse().unwrap();
    let own = Settings {
        seed,
        n_orders: u32::try_from(dice.between(41, 60)).unwrap(),
        n_items: 3,
        limits: Vec::new(),
        // A second with more orders than a page takes cannot be cut in two.
        history: if dice.percent(20) { Duration::from_secs(1) } else { DAY * 20 / 24 },
        clock_start: Some(start),
        clock_frozen: true,
        // The points on which the sources of the vendor's page disagree.
        order: [SortOrder::Descending, SortOrder::Descending, SortOrder::Ascending][dice.index(3).unwrap()],
        total_on: [TotalOn::EveryPage, TotalOn::FirstPage, TotalOn::Never][dice.index(3).unwrap()],
        empty: [EmptyResult::Omitted, EmptyResult::EmptyList][dice.index(2).unwrap()],
        window_end: [WindowEnd::Instant, WindowEnd::WholeSecond][dice.index(2).unwrap()],
        ..settings()
    };
    let sandbox = kuaimai::start(own.clone()).await.unwrap();
    let control = sandbox.control();
    let follower = control.clone();
    let clock = Arc::new(TestClock::new(start, move |now| follower.set_clock(now)));
    let rows = u32::try_from(dice.between(1, 4)).unwrap();
    let stop_after = dice.percent(50).then(|| u32::try_from(dice.between(1, 60)).unwrap());
    control.add_fault(FaultRule::new(Fault::Drift { rows, stop_after }).method(ORDERS));
    let (flow, sink) = flow(&sandbox.url(), &own, &clock, http, &mut dice);
    let state = MemoryStore::default();
    let around = Surroundings {
        store: Arc::new(state),
        journal: Arc::new(MemoryJournal::default()),
        clock: Arc::<TestClock>::clone(&clock) as _,
    };
    let (_stopper, stop) = Stop::new();
    let mut seen = Seen::default();
    for run in 0..3 {
        if run == 2 {
            control.clear_faults();
        }
        let until = clock.now() - SETTLE;
        let report = milkrun_engine::run(&flow, &around, &Work::Due, &mut stop.clone(), &Quiet).await.unwrap();
        let orders = Orders::of(&sink.lines());
        let what = format!("seed {seed}, run {run}");
        orders.assert_nothing_doubled();
        match report.verdict {
            Verdict::Reconciled => {
                seen.reconciled += u64::from(run < 2);
                assert_has_all_before(&orders, &control, until, &what);
            }
            Verdict::Unreconciled if run < 2 => {}
            verdict => panic!("{what}: {verdict:?}: {report:?}"),
        }
        clock.advance(Duration::from_secs(dice.between(61, 300)));
    }
    Orders::of(&sink.lines()).assert_newest_are(&truth(&control));
    let stats = control.stats();
    seen.runs = 2;
    seen.drifted = stats.modified;
    seen.calls = stats.total_calls;
    sandbox.stop().await;
    seen
}

#[test]
fn a_thousand_seeds_of_drift_lose_double_and_overclaim_nothing() {
    let next = AtomicU64::new(0);
    let worker = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let http = client().unwrap();
            let mut all = Seen::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= N_SEEDS {
                    return all;
                }
                let seen = play(seed, &http).await;
                all.runs += seen.runs;
                all.reconciled += seen.reconciled;
                all.drifted += seen.drifted;
                all.calls += seen.calls;
            }
        })
    };
    let all = thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    println!("{N_SEEDS} seeds: {all:?}");
    assert!(all.iter().map(|seen| seen.drifted).sum::<u64>() > 10 * N_SEEDS, "rows drifted: {all:?}");
}
