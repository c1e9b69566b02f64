//! The shared suite, against the sandbox.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use milkrun_connector_kuaimai as _;
use milkrun_core::{Clock as _, Slice, StreamSpec, Timestamp, Window, async_trait, connector};
use milkrun_sandbox::kuaimai::{self, Rotation, Settings};
use milkrun_sandbox::{Control, Fault, FaultRule, Sandbox};
use milkrun_testkit::conformance::{self, Failure, Load, SLOW, Scene, Strike, TestClock, Vendor, Waiver};

const DAY: Duration = Duration::from_hours(24);

/// The simulated company. Its data stay; a slice with the wanted number of records is looked for instead.
struct Company {
    sandbox: Sandbox,
    control: Control,
    settings: Settings,
    /// How many seconds the vendor's clock is ahead of the account's.
    skew: AtomicI64,
}

/// Enough of everything that a page and one more can be had, within a day.
async fn company() -> Company {
    let settings = Settings {
        n_orders: 1_000,
        n_items: 60,
        n_documents: 100,
        clock_start: Some("2026-08-01T16:00:00Z".parse().unwrap()),
        clock_frozen: true,
        history: Duration::from_hours(20),
        session_life: 300 * DAY,
        rotation: Rotation::Both,
        ..Settings::default()
    };
    let sandbox = kuaimai::start(settings.clone()).await.unwrap();
    Company { control: sandbox.control(), sandbox, settings, skew: AtomicI64::new(0) }
}

/// The sandbox's name for the records of a stream, where their times of change are the ones asked by.
fn entity(stream: &str) -> Option<&'static str> {
    Some(match stream {
        "orders" => "orders",
        "sales-outstock" => "outstock",
        "after-sale" => "after-sale",
        "return-receipts" => "return-receipts",
        "items" => "items",
        "stock" => "stock",
        "stock-all-warehouses" => "stock-36002",
        "purchase-orders" => "purchase-orders",
        "purchase-receipts" => "receipts",
        "purchase-returns" => "purchase-returns",
        "purchase-orders-archive" => "purchase-orders-archive",
        "purchase-receipts-archive" => "receipts-archive",
        "purchase-returns-archive" => "purchase-returns-archive",
        "other-in" => "other-in",
        "other-out" => "other-out",
        "transfers" => "transfers",
        "stocktakes" => "stocktakes",
        _ => return None,
    })
}

impl Company {
    /// A window over exactly `n` changes.
    fn window_of(&self, entity: &str, n: usize) -> Window {
        let mut times: Vec<i64> = self.control.truth(entity).unwrap().iter().map(|row| row.modified).collect();
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

    /// A window over exactly `n` records where only the vendor's total tells how many there are.
    async fn window_by_total(&self, clock: &Arc<TestClock>, stream: &StreamSpec, n: u64) -> Window {
        let opened = conformance::open(connector("kuaimai").unwrap(), self, clock).unwrap();
        let start = self.settings.clock_start.unwrap();
        let from = start - jiff::SignedDuration::from_hours(22);
        let (mut low, mut high) = (0, 20 * 3_600);
        loop {
            let middle = i64::midpoint(low, high);
            let window = Window { from, until: from + jiff::SignedDuration::from_secs(middle) };
            let scene = Scene { slice: Slice { window: Some(window), ..Slice::default() }, size: 20, n_records: 0 };
            let page = opened.page(stream, &scene, &stream.paging.start()).await.unwrap();
            match page.total.unwrap() {
                total if total == n => return window,
                total if total < n => low = middle + 1,
                _ => high = middle,
            }
            assert!(low < high, "no window over `{}` holds {n}", stream.name);
        }
    }

    /// What cannot be asked for by time, and has the size that it has.
    fn fixed(name: &str, load: Load) -> Option<(Option<&'static str>, u32, usize)> {
        Some(match (name, load) {
            ("shops", Load::Several) => (None, 20, 7),
            ("shops", Load::FullPage) => (None, 7, 7),
            ("shops", Load::FullPageAndOne) => (None, 6, 7),
            ("suppliers", Load::Several) => (None, 200, 20),
            ("suppliers", Load::FullPage) => (None, 20, 20),
            ("suppliers", Load::FullPageAndOne) => (None, 19, 20),
            ("warehouses", Load::Several) => (None, 200, 3),
            // Three warehouses for each SKU.
            ("stock-per-warehouse", Load::Empty) => (Some("ITEM-no"), 20, 0),
            ("sku-stock-per-warehouse", Load::Empty) => (Some("SKU-no"), 20, 0),
            ("sku-stock-per-warehouse", Load::Several) => (Some("SKU000001"), 20, 3),
            _ => return None,
        })
    }
}

#[async_trait]
impl Vendor for Company {
    fn settings(&self) -> toml::Table {
        let Settings { app_key, app_secret, session, refresh_token, .. } = &self.settings;
        let url = self.sandbox.url();
        toml::from_str(&format!(
            "app_key = '{app_key}'\napp_secret = '{app_secret}'\nsession = '{session}'\nbase_url = '{url}'\n\
             refresh_token = '{refresh_token}'\n\
             streams = [{{ name = 'orders-of-a-shop', method = 'erp.trade.outstock.simple.query', key = ['sid'],\n\
             params = {{ userIds = '900000001' }}, page_size = {{ min = 1, usual = 2, max = 200 }},\n\
             window = {{ axis = 'upd_time', start = 'startTime', end = 'endTime', longest_hours = 24 }} }}]"
        ))
        .unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        let Settings { app_secret, session, refresh_token, .. } = self.settings.clone();
        let now = self.control.session();
        let now = ["session", "refresh_token"].map(|name| now[name].as_str().unwrap().to_owned());
        [app_secret, session, refresh_token].into_iter().chain(now).collect()
    }

    fn starts_at(&self) -> Timestamp {
        self.settings.clock_start.unwrap()
    }

    fn set_clock(&self, now: Timestamp) {
        let skew = jiff::SignedDuration::from_secs(self.skew.load(Ordering::Relaxed));
        self.control.set_clock(now + skew);
    }

    async fn holds(&self, clock: &Arc<TestClock>, stream: &StreamSpec, load: Load) -> Option<Scene> {
        let name = stream.name.as_str();
        if name == "stock-per-warehouse" && load == Load::Several {
            let slice = Slice { partition: Some("ITEM-000001".to_owned()), ..Slice::default() };
            let opened = conformance::open(connector("kuaimai").unwrap(), self, clock).unwrap();
            let scene = Scene { slice, size: 20, n_records: 0 };
            let page = opened.page(stream, &scene, &stream.paging.start()).await.unwrap();
            return Some(Scene { n_records: page.records.len(), ..scene });
        }
        let size = stream.page_size.min.max(4);
        let n_records = match load {
            Load::Empty => 0,
            Load::One => 1,
            Load::Several => 3,
            Load::FullPage => size as usize,
            Load::FullPageAndOne => size as usize + 1,
        };
        if let Some(entity) = entity(name) {
            let partition = stream.partition.as_ref().map(|_| "36002".to_owned());
            let window = Some(self.window_of(entity, n_records));
            return Some(Scene { slice: Slice { window, partition, ..Slice::default() }, size, n_records });
        }
        if stream.window.is_some() {
            if name == "orders-archive" {
                clock.advance(92 * DAY);
            }
            let window = Some(self.window_by_total(clock, stream, n_records as u64).await);
            return Some(Scene { slice: Slice { window, ..Slice::default() }, size, n_records });
        }
        let (partition, size, n_records) = Self::fixed(name, load)?;
        let partition = partition.map(ToOwned::to_owned);
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
            Failure::TemporaryCode => Fault::vendor_code("1"),
            Failure::Refused => Fault::vendor_code("9"),
            Failure::UnknownCode => Fault::vendor_code("isv.unheard-of"),
            Failure::TokenRefused => Fault::vendor_code("invalid_session"),
            Failure::TotalMissing => Fault::TotalMissing,
            Failure::PageIgnored => Fault::PageIgnored,
            Failure::SamePage => Fault::SamePage,
            Failure::ClockSkew => {
                assert_eq!(strike, Strike::Always);
                self.skew.store(20 * 60, Ordering::Relaxed);
                self.control.advance_clock(Duration::from_mins(20));
                return true;
            }
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
        let skew = jiff::SignedDuration::from_secs(self.skew.swap(0, Ordering::Relaxed));
        self.control.set_clock(self.control.now() - skew);
    }

    async fn ends_token(&self, clock: &Arc<TestClock>) -> bool {
        // A dead session cannot be renewed, so it is renewed when it is seven days old.
        clock.advance(8 * DAY);
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
    let waivers = [
        Waiver::new("empty", "shops suppliers warehouses", "the sandbox always has some, and they have no window"),
        Waiver::new("one-record", "shops suppliers warehouses", "the sandbox always has more, and they have no window"),
        Waiver::new("one-record", "stock-per-warehouse sku-stock-per-warehouse", "the sandbox has three warehouses"),
        Waiver::new("full-page", PER_WAREHOUSE, ONE_PAGE),
        Waiver::new("full-page-and-one", PER_WAREHOUSE, ONE_PAGE),
        Waiver::new("resumes", PER_WAREHOUSE, ONE_PAGE),
        Waiver::new("page-ignored", PER_WAREHOUSE, ONE_PAGE),
    ];
    conformance::check("kuaimai", company, &waivers).await;
}

const PER_WAREHOUSE: &str = "stock-per-warehouse sku-stock-per-warehouse";
const ONE_PAGE: &str = "the sandbox gives all of a code on one page, and no item of it has as many SKUs as a page";

/// The sandbox's clock is the account's, so that the quota is proved on the way: no call comes too fast.
#[tokio::test]
async fn no_call_is_too_fast() {
    let company = Arc::new(company().await);
    let clock = {
        let company = Arc::clone(&company);
        Arc::new(TestClock::new(company.starts_at(), move |now| company.set_clock(now)))
    };
    let opened = conformance::open(connector("kuaimai").unwrap(), &*company, &clock).unwrap();
    let stream = opened.source().streams().iter().find(|stream| stream.name == "purchase-orders").unwrap();
    let slice = Slice { window: Some(company.window_of("purchase-orders", 90)), ..Slice::default() };
    let scene = Scene { slice, size: 90, n_records: 90 };
    let since = clock.now();
    assert_eq!(opened.page(stream, &scene, &stream.paging.start()).await.unwrap().records.len(), 90);
    assert_eq!(company.control.stats().rejected_for_limits, 0);
    assert_eq!(company.n_calls(), 91);
    assert!(clock.now().duration_since(since).as_secs() < 30, "the quota is used: {}", clock.now());
}
