//! The simulated organisation. Its data stay; a slice with the wanted number of records is looked for instead.

use std::sync::Arc;
use std::time::Duration;

use milkrun_core::{Slice, StreamSpec, Timestamp, Window, async_trait};
use milkrun_sandbox::chanjet::{self, Settings};
use milkrun_sandbox::{Control, Fault, FaultRule, Sandbox};
use milkrun_testkit::conformance::{Failure, Load, SLOW, Scene, Strike, TestClock, Vendor};

/// A running organisation.
pub(crate) struct Organisation {
    pub(crate) sandbox: Sandbox,
    pub(crate) control: Control,
    settings: Settings,
    /// Settings of the account in place of the two tokens.
    account: Option<String>,
}

/// Some of everything, changed within a day, on a clock that stands still.
pub(crate) fn settings() -> Settings {
    Settings {
        n_inventory: 40,
        n_partners: 12,
        n_vouchers: 8,
        clock_start: Some("2026-08-01T16:00:00Z".parse().unwrap()),
        clock_frozen: true,
        history: Duration::from_hours(20),
        ..Settings::default()
    }
}

/// The sandbox's name for the records of a stream.
fn entity(stream: &str) -> &'static str {
    match stream {
        "inventory" | "inventory-full" => "inventory",
        "partners" => "partner",
        "warehouses" => "warehouse",
        "persons" => "person",
        "departments" => "department",
        "projects" => "project",
        "bills-of-material" => "bom",
        "current-stock" | "current-stock-by-warehouse" => "current-stock",
        "sale-orders" | "sale-order-documents" => "sale-order",
        "sale-deliveries" => "sale-delivery",
        "purchase-orders" | "purchase-order-list" => "purchase-order",
        "purchase-arrivals" => "purchase-arrival",
        "purchase-receipts" => "purchase-receive",
        other => panic!("{other} is no stream of the connector"),
    }
}

impl Organisation {
    pub(crate) async fn start(settings: Settings) -> Self {
        let sandbox = chanjet::start(settings.clone()).await.unwrap();
        Self { control: sandbox.control(), sandbox, settings, account: None }
    }

    /// The same with other ways to a token.
    pub(crate) fn with_account(self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self }
    }

    /// A clock that the sandbox's follows.
    pub(crate) fn clock(&self) -> Arc<TestClock> {
        let control = self.control.clone();
        Arc::new(TestClock::new(self.starts_at(), move |now| control.set_clock(now)))
    }

    /// A window over exactly `n` changes of the inventory.
    fn window_of(&self, n: usize) -> Window {
        let mut times: Vec<i64> = self.control.truth("inventory").unwrap().iter().map(|row| row.modified).collect();
        times.sort_unstable();
        // Windows begin and end at whole seconds, and the last instant is inside.
        let (down, up) = (|ms: i64| ms.div_euclid(1_000) * 1_000, |ms: i64| -(-ms).div_euclid(1_000) * 1_000);
        let windows = (1..times.len() - n).map(|i| match n {
            0 => (i, up(times[i]) + 1_000, up(times[i]) + 2_000),
            n => (i, down(times[i]), up(times[i + n - 1])),
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
impl Vendor for Organisation {
    fn settings(&self) -> toml::Table {
        let Settings { app_key, app_secret, access_token, refresh_token, org_id, .. } = &self.settings;
        let url = self.sandbox.url();
        let url = url.split("/tplus").next().unwrap().trim_end_matches('/');
        let tokens = format!("access_token = '{access_token}'\nrefresh_token = '{refresh_token}'");
        let tokens = self.account.as_ref().unwrap_or(&tokens);
        toml::from_str(&format!(
            "app_key = '{app_key}'\napp_secret = '{app_secret}'\nbase_url = '{url}'\norg_id = '{org_id}'\n\
             calls_per_second = 50\n{tokens}"
        ))
        .unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        let Settings { app_secret, access_token, refresh_token, .. } = self.settings.clone();
        let now = self.control.session();
        let now = ["access_token", "refresh_token"].map(|name| now[name].as_str().unwrap().to_owned());
        [app_secret, access_token, refresh_token].into_iter().chain(now).collect()
    }

    fn starts_at(&self) -> Timestamp {
        self.settings.clock_start.unwrap()
    }

    fn set_clock(&self, now: Timestamp) {
        self.control.set_clock(now);
    }

    async fn holds(&self, _: &Arc<TestClock>, stream: &StreamSpec, load: Load) -> Option<Scene> {
        if stream.window.is_some() {
            let n_records = match load {
                Load::Empty => 0,
                Load::One => 1,
                Load::Several => 3,
                Load::FullPage => 4,
                Load::FullPageAndOne => 5,
            };
            let slice = Slice { window: Some(self.window_of(n_records)), ..Slice::default() };
            return Some(Scene { slice, size: 4, n_records });
        }
        let rows = self.control.truth(entity(&stream.name)).unwrap();
        let (partition, n_records) = match (&stream.partition, load) {
            (Some(_), Load::Empty) => (Some("W9999".to_owned()), 0),
            (Some(_), _) => {
                let n_records = rows.iter().filter(|row| row.key.starts_with("W0001/")).count();
                (Some("W0001".to_owned()), n_records)
            }
            (None, _) => (None, rows.len()),
        };
        let n = u32::try_from(n_records).unwrap();
        let size = match load {
            Load::Empty if partition.is_some() => 10,
            Load::Empty | Load::One => return None,
            Load::Several => n + 1,
            Load::FullPage => n,
            Load::FullPageAndOne => n - 1,
        };
        Some(Scene { slice: Slice { partition, ..Slice::default() }, size, n_records })
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
            // The one code that may be temporary is a fault the third time.
            Failure::TemporaryCode => Fault::HttpStatus { status: 503 },
            Failure::Refused => Fault::vendor_code("999"),
            Failure::UnknownCode => Fault::vendor_code("isv.unheard-of"),
            Failure::TokenRefused => Fault::vendor_code("4007"),
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
        // A renewal goes well.
        let rule = if failure == Failure::TokenRefused { rule.method(&stream.endpoint) } else { rule };
        self.control.add_fault(rule);
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
}
