//! The shared suite, against the simulated Yonyou.

use std::sync::Arc;
use std::time::Duration;

use milkrun_connector_yonyou_mdd as _;
use milkrun_core::{Paging, Slice, StreamSpec, Timestamp, Window, async_trait};
use milkrun_sandbox::yonyou::{self, Settings};
use milkrun_sandbox::{Control, Fault, FaultRule, Sandbox};
use milkrun_testkit::conformance::{self, Failure, Load, SLOW, Scene, Strike, TestClock, Vendor, Waiver};

/// The simulated tenant. Its documents stay; a slice with the wanted number of them is looked for instead.
struct Tenant {
    sandbox: Sandbox,
    control: Control,
    settings: Settings,
}

/// How long tokens live here: longer than a case waits before it has a token refused once more.
const TOKEN_LIFE: Duration = Duration::from_hours(12);

async fn tenant() -> Tenant {
    let settings = Settings {
        n_documents: 40,
        clock_start: Some("2026-08-01T16:00:00Z".parse().unwrap()),
        clock_frozen: true,
        history: Duration::from_hours(20),
        token_life: TOKEN_LIFE,
        ..Settings::default()
    };
    let sandbox = yonyou::start(settings.clone()).await.unwrap();
    Tenant { control: sandbox.control(), sandbox, settings }
}

/// The simulator's name for the records of a stream.
fn entity(stream: &str) -> &str {
    match stream {
        "purchase-order-heads" => "purchase-orders",
        "sale-order-heads" => "sale-orders",
        "sales-outs" | "other-ins" | "other-outs" => stream,
        "current-stock" => "stock",
        other => other,
    }
}

impl Tenant {
    /// When the records of a stream were changed, in milliseconds, oldest first.
    fn times(&self, stream: &str) -> Vec<i64> {
        let rows = self.control.truth(entity(stream)).unwrap_or_else(|| panic!("no records for `{stream}`"));
        let mut times: Vec<i64> = rows.iter().map(|row| row.modified).collect();
        times.sort_unstable();
        times
    }

    /// A window over exactly `n` changes; times are whole seconds, and the last instant may be inside.
    fn window_of(&self, stream: &str, n: usize) -> Window {
        let times = self.times(stream);
        let windows = (1..times.len() - n).map(|i| match n {
            0 => (i, times[i] + 1_000, times[i] + 2_000),
            n => (i, times[i], times[i + n - 1] + 1_000),
        });
        let alone = |&(i, from, until): &(usize, i64, i64)| {
            let (before, after) = if n == 0 { (times[i], times[i + 1]) } else { (times[i - 1], times[i + n]) };
            before < from && until < after
        };
        let (_, from, until) = windows.into_iter().find(alone).expect("not all records share their seconds");
        let instant = |ms| Timestamp::from_millisecond(ms).unwrap();
        Window { from: instant(from), until: instant(until) }
    }
}

#[async_trait]
impl Vendor for Tenant {
    fn settings(&self) -> toml::Table {
        let Settings { tenant_id, app_key, app_secret, .. } = &self.settings;
        let url = self.sandbox.url();
        toml::from_str(&format!(
            "tenant_id = '{tenant_id}'\napp_key = '{app_key}'\napp_secret = '{app_secret}'\ndiscovery_url = '{url}'\n"
        ))
        .unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.settings.app_secret.clone()]
    }

    fn starts_at(&self) -> Timestamp {
        self.settings.clock_start.unwrap()
    }

    fn set_clock(&self, now: Timestamp) {
        self.control.set_clock(now);
    }

    async fn holds(&self, _: &Arc<TestClock>, stream: &StreamSpec, load: Load) -> Option<Scene> {
        let size = if stream.paging == Paging::None { 100 } else { 4 };
        let n_records = match load {
            Load::Empty => 0,
            Load::One => 1,
            Load::Several => 3,
            Load::FullPage => size as usize,
            Load::FullPageAndOne => size as usize + 1,
        };
        if stream.window.is_some() {
            let window = Some(self.window_of(&stream.name, n_records));
            return Some(Scene { slice: Slice { window, ..Slice::default() }, size, n_records });
        }
        let n_records = self.times(&stream.name).len();
        let n = u32::try_from(n_records).unwrap();
        let size = match load {
            Load::Several => n.max(100),
            Load::FullPage => n,
            Load::FullPageAndOne => n - 1,
            _ => return None,
        };
        Some(Scene { slice: Slice::default(), size, n_records })
    }

    fn fails(&self, stream: &StreamSpec, failure: Failure, strike: Strike) -> bool {
        let fault = match failure {
            Failure::Html => Fault::Html,
            Failure::EmptyBody => Fault::EmptyBody,
            Failure::Truncated => Fault::Truncated,
            Failure::BrokenOff => Fault::Cut,
            Failure::Reset => Fault::Reset,
            Failure::Slow => Fault::Slow { delay: SLOW },
            Failure::Throttled => Fault::HttpStatus { status: 429 },
            Failure::TemporaryCode => Fault::vendor_code("310071"),
            Failure::Refused => Fault::vendor_code("999"),
            Failure::UnknownCode => Fault::vendor_code("31415926"),
            Failure::TokenRefused => Fault::vendor_code("310036"),
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
        // A new token is granted.
        let rule = if failure == Failure::TokenRefused { rule.method(&stream.endpoint) } else { rule };
        self.control.add_fault(rule);
        true
    }

    fn mends(&self) {
        self.control.clear_faults();
    }

    async fn ends_token(&self, clock: &Arc<TestClock>) -> bool {
        clock.advance(TOKEN_LIFE);
        true
    }

    fn n_calls(&self) -> u64 {
        self.control.stats().total_calls
    }

    fn n_renewals(&self) -> u64 {
        self.control.stats().refreshes
    }
}

#[tokio::test]
async fn conforms() {
    let whole = "it is read whole, and is never so small here";
    let waivers = [
        Waiver::new("clock-skew", "*", "only the call for a token carries a time, and the token is there"),
        Waiver::new("empty", "current-stock warehouses", whole),
        Waiver::new("one-record", "current-stock warehouses", whole),
        // The lines of one document fill no page, so that the answer contradicts itself before it comes twice.
        Waiver::new("page-ignored", "purchase-orders", "it is refused one page earlier, for another reason"),
    ];
    conformance::check("yonyou-mdd", tenant, &waivers).await;
}
