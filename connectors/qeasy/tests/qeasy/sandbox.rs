//! The shared suite against the simulator, and pushes whose answers are lost.

use std::sync::Arc;
use std::time::Duration;

use milkrun_core::{Receipt, Slice, StreamSpec, Timestamp, Window, async_trait, connector};
use milkrun_sandbox::qeasy::{self, Settings};
use milkrun_sandbox::{Control, Fault, FaultRule, Sandbox};
use milkrun_testkit::conformance::{self, Failure, Load, SLOW, Scene, Strike, TestClock, Vendor, Waiver};

use crate::support::delivery;

/// The simulated platform. Its records stay; a window with the wanted number of them is looked for instead.
struct Platform {
    sandbox: Sandbox,
    control: Control,
    settings: Settings,
}

async fn platform() -> Platform {
    let settings = Settings {
        n_records: 400,
        clock_start: Some("2026-08-01T16:00:00Z".parse().unwrap()),
        clock_frozen: true,
        token_life: Duration::from_hours(24),
        ..Settings::default()
    };
    let sandbox = qeasy::start(settings.clone()).await.unwrap();
    Platform { control: sandbox.control(), sandbox, settings }
}

impl Platform {
    /// A window over exactly `n` changes; both of its ends count.
    fn window_of(&self, n: usize) -> Window {
        let mut times: Vec<i64> = self.control.truth("source").unwrap().iter().map(|row| row.modified).collect();
        times.sort_unstable();
        let windows = (1..times.len() - n).map(|i| match n {
            0 => (i, times[i - 1] + 1_000, times[i] - 1_000),
            n => (i, times[i], times[i + n - 1]),
        });
        let alone =
            |&(i, from, until): &(usize, i64, i64)| from <= until && times[i - 1] < from && until < times[i + n];
        let (_, from, until) = windows.into_iter().find(alone).expect("not all records share their seconds");
        let instant = |ms| Timestamp::from_millisecond(ms).unwrap();
        // The engine's windows end before their upper end, and the platform's do not.
        Window { from: instant(from), until: instant(until) }
    }
}

#[async_trait]
impl Vendor for Platform {
    fn settings(&self) -> toml::Table {
        let Settings { app_key, app_secret, source_scheme, sink_scheme, codes, .. } = &self.settings;
        let url = self.sandbox.url();
        let (token, throttled) = (codes.token_invalid, codes.throttled);
        toml::from_str(&format!(
            "[platform]\nhost = '{url}'\napp_key = '{app_key}'\napp_secret = '{app_secret}'\n\
             token_codes = [{token}]\nthrottled_codes = [{throttled}]\n\
             [[platform.streams]]\nname = 'records'\nscheme = '{source_scheme}'\nproof = 'backwards'\n\
             [[platform.streams]]\nname = 'records-v1'\nscheme = '{source_scheme}'\napi = 'v1'\n\
             [[platform.streams]]\nname = 'records-form'\nscheme = '{source_scheme}'\nbody = 'form'\n\
             [[platform.targets]]\nname = 'sales'\nscheme = '{sink_scheme}'\n"
        ))
        .unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        let token = self.control.session()["access_token"].as_str().map(ToOwned::to_owned);
        [self.settings.app_secret.clone()].into_iter().chain(token).collect()
    }

    fn starts_at(&self) -> Timestamp {
        self.settings.clock_start.unwrap()
    }

    fn set_clock(&self, now: Timestamp) {
        self.control.set_clock(now);
    }

    async fn holds(&self, _: &Arc<TestClock>, _: &StreamSpec, load: Load) -> Option<Scene> {
        let size = 4;
        let n_records = match load {
            Load::Empty => 0,
            Load::One => 1,
            Load::Several => 3,
            Load::FullPage => size as usize,
            Load::FullPageAndOne => size as usize + 1,
        };
        let slice = Slice { window: Some(self.window_of(n_records)), ..Slice::default() };
        Some(Scene { slice, size, n_records })
    }

    fn fails(&self, stream: &StreamSpec, failure: Failure, strike: Strike) -> bool {
        let code = |code: u32| Fault::VendorCode { code: code.to_string(), message: String::new() };
        let codes = self.settings.codes;
        let fault = match failure {
            Failure::Html => Fault::Html,
            Failure::EmptyBody => Fault::EmptyBody,
            Failure::Truncated => Fault::Truncated,
            Failure::BrokenOff => Fault::Cut,
            Failure::Reset => Fault::Reset,
            Failure::Slow => Fault::Slow { delay: SLOW },
            Failure::Throttled => code(codes.throttled),
            Failure::TemporaryCode => code(50_000),
            Failure::Refused => code(codes.parameter),
            Failure::UnknownCode => code(77),
            Failure::TokenRefused => code(codes.token_invalid),
            Failure::TotalMissing => Fault::TotalMissing,
            Failure::PageIgnored => Fault::PageIgnored,
            Failure::SamePage => Fault::SamePage,
            Failure::ClockSkew => return false,
        };
        let rule = FaultRule::new(fault);
        let rule = match strike {
            Strike::Always => rule,
            Strike::Next(n) => rule.next(n),
            Strike::Every(n) => rule.every(n),
        };
        // Tokens are granted in any case.
        self.control.add_fault(rule.method(if stream.endpoint.starts_with("/v2/") { "query" } else { "query-v1" }));
        true
    }

    fn mends(&self) {
        self.control.clear_faults();
    }

    async fn ends_token(&self, _: &Arc<TestClock>) -> bool {
        self.control.kill_session();
        true
    }

    fn n_calls(&self) -> u64 {
        self.control.stats().total_calls
    }

    fn n_renewals(&self) -> u64 {
        self.control.stats().refreshes
    }

    fn told_wait(&self) -> Duration {
        Duration::from_mins(5)
    }
}

#[tokio::test]
async fn conforms() {
    let waivers = [Waiver::new("clock-skew", "*", "calls carry no time, so the platform cannot mind the clock")];
    conformance::check("qeasy", platform, &waivers).await;
}

/// The sandbox's clock is the account's, so that the quota is proved on the way: it pauses for five minutes otherwise.
#[tokio::test]
async fn no_call_is_too_fast() {
    let platform = Arc::new(platform().await);
    let clock = {
        let platform = Arc::clone(&platform);
        Arc::new(TestClock::new(platform.starts_at(), move |now| platform.set_clock(now)))
    };
    let opened = conformance::open(connector("qeasy").unwrap(), &*platform, &clock).unwrap();
    let stream = &opened.source().streams()[0];
    let scene =
        Scene { slice: Slice { window: Some(platform.window_of(1)), ..Slice::default() }, size: 1, n_records: 1 };
    let since = opened.cx.now();
    for _ in 0..150 {
        assert_eq!(opened.page(stream, &scene, &stream.paging.start()).await.unwrap().records.len(), 1);
    }
    let outcomes = platform.control.stats().outcomes;
    assert!(!outcomes.contains_key(&platform.settings.codes.throttled.to_string()), "{outcomes:?}");
    let minutes = opened.cx.now().duration_since(since).as_secs() / 60;
    assert!((2..=4).contains(&minutes), "the quota is used: {minutes} minutes for 150 calls");
}

#[tokio::test]
async fn every_byte_of_the_awkward_record_arrives() {
    let platform = Arc::new(platform().await);
    let clock = Arc::new(TestClock::new(platform.starts_at(), |_| {}));
    let opened = conformance::open(connector("qeasy").unwrap(), &*platform, &clock).unwrap();
    let stream = &opened.source().streams()[0];
    let scene = Scene { slice: Slice::default(), size: 100, n_records: 400 };
    let mut at = stream.paging.start();
    let mut text = String::new();
    loop {
        let page = opened.page(stream, &scene, &at).await.unwrap();
        page.records.iter().for_each(|record| text.push_str(record.text()));
        let Some(next) = stream.paging.next(&at, &page, 100).unwrap() else { break };
        at = next;
    }
    for awkward in [qeasy::awkward::ID, qeasy::awkward::AMOUNT] {
        assert!(text.contains(awkward), "{awkward}");
    }
}

#[tokio::test]
async fn a_push_whose_answer_is_lost_leaves_one_record() {
    let platform = Arc::new(platform().await);
    let clock = Arc::new(TestClock::new(platform.starts_at(), |_| {}));
    let opened = conformance::open(connector("qeasy").unwrap(), &*platform, &clock).unwrap();
    let Some(milkrun_core::SinkKind::Calls(sink)) = &opened.account.sink else { panic!("{opened:?}") };
    platform.control.add_fault(FaultRule::new(Fault::LostAnswer).next(2).method("push"));
    let batch = [delivery(r#"{"id":"A","n":0.10}"#), delivery(r#"{"id":6920000000000000007}"#)];
    let receipts = sink.deliver(&opened.cx, &batch).await.unwrap();
    let done = |id: &str| Receipt::Done { remote_id: Some(id.to_owned()) };
    assert_eq!(receipts, [done("A"), done("6920000000000000007")]);
    let received = platform.control.received("sink").unwrap();
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|one| one.ids.len() == 1 && one.calls == 3), "{received:?}");
    let dispatched = platform.control.received("dispatched").unwrap();
    assert!(dispatched.iter().all(|one| one.calls == 1), "sent on once: {dispatched:?}");
}
