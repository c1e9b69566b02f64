//! The shared suite against the sandbox, for both APIs, and what only the sandbox can show.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use milkrun_connector_jushuitan as _;
use milkrun_core::{
    Clock as _, Delivery, ErrorKind, Key, Operation, Paging, Position, Receipt, Secret, SinkKind, Slice, StreamSpec,
    Timestamp, Window, async_trait, connector,
};
use milkrun_sandbox::jushuitan::{self, AppKind, HasNext, Rotation, Settings, TsForm};
use milkrun_sandbox::{Control, Fault, FaultRule, Sandbox};
use milkrun_testkit::conformance::{self, Failure, Load, Opened, SLOW, Scene, Strike, TestClock, Vendor, Waiver};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const DAY: Duration = Duration::from_hours(24);

/// The simulated company. Its data stay; a slice with the wanted number of records is looked for instead.
struct Company {
    sandbox: Sandbox,
    control: Control,
    settings: Settings,
    /// Whether it is called by the old API.
    old: bool,
    /// How many seconds the vendor's clock is ahead of the account's.
    skew: AtomicI64,
}

/// Enough of everything that a page and one more can be had, and so little that all of it fits a page.
fn few() -> Settings {
    Settings {
        n_orders: 90,
        n_items: 33,
        n_documents: 48,
        clock_start: Some("2026-08-01T16:00:00Z".parse().unwrap()),
        clock_frozen: true,
        history: Duration::from_hours(20),
        // The forms that bite.
        has_next: HasNext::Text,
        ts: TsForm::Text,
        ..Settings::default()
    }
}

async fn company_of(settings: Settings) -> Company {
    let sandbox = jushuitan::start(settings.clone()).await.unwrap();
    Company { control: sandbox.control(), sandbox, settings, old: false, skew: AtomicI64::new(0) }
}

async fn company() -> Company {
    company_of(few()).await
}

/// The same, called by the old API with a token in its last week, when it can be renewed.
async fn old_company() -> Company {
    Company { old: true, ..company_of(Settings { old_token_life: 5 * DAY, ..few() }).await }
}

/// The sandbox's name for the records of a stream.
fn entity(stream: &str) -> &str {
    match stream.trim_end_matches("-by-window") {
        "sales-out" => "stock-out",
        "inventory-per-warehouse" => "inventory-10012",
        "skus-in-use" => "skus",
        other => other,
    }
}

const DAY_MS: i64 = 24 * 3_600_000;

fn window(from_ms: i64, until_ms: i64) -> Window {
    let instant = |ms| Timestamp::from_millisecond(ms).unwrap();
    Window { from: instant(from_ms), until: instant(until_ms) }
}

impl Company {
    fn n_rows(&self, stream: &str) -> usize {
        self.control.truth(entity(stream)).unwrap().len()
    }

    /// A window over exactly `n` changes.
    fn window_of(&self, stream: &str, n: usize) -> Option<Window> {
        let mut times: Vec<i64> = self.control.truth(entity(stream)).unwrap().iter().map(|row| row.modified).collect();
        times.sort_unstable();
        let (first, last) = (*times.first()?, *times.last()?);
        // Windows begin and end at whole seconds, and what the last one holds is not documented.
        let (down, up) = (|ms: i64| ms.div_euclid(1_000) * 1_000, |ms: i64| -(-ms).div_euclid(1_000) * 1_000);
        if n == 0 {
            return Some(window(down(first) - 2_000, down(first) - 1_000));
        }
        let bounds: Vec<i64> = [first - DAY_MS].into_iter().chain(times).chain([last + DAY_MS]).collect();
        let alone = bounds.windows(n + 2).map(|run| (run[0], down(run[1]), up(run[n]), run[n + 1]));
        let mut alone = alone.filter(|(before, from, until, after)| before < from && until + 1_000 <= *after);
        alone.next().map(|(_, from, until, _)| window(from, until))
    }

    fn open(&self, clock: &Arc<TestClock>) -> Opened {
        conformance::open(connector("jushuitan").unwrap(), self, clock).unwrap()
    }

    fn clock(self: &Arc<Self>) -> Arc<TestClock> {
        let company = Arc::clone(self);
        Arc::new(TestClock::new(company.starts_at(), move |now| company.set_clock(now)))
    }
}

#[async_trait]
impl Vendor for Company {
    fn settings(&self) -> toml::Table {
        let Settings { app_key, app_secret, partner_id, partner_key, old_token, .. } = &self.settings;
        let url = self.sandbox.url();
        if self.old {
            return toml::from_str(&format!(
                "api = 'old'\napp_key = '{partner_id}'\napp_secret = '{partner_key}'\naccess_token = '{old_token}'\n\
                 token_expires = '2026-08-06'\nbase_url = '{url}/api/open/query.aspx'"
            ))
            .unwrap();
        }
        let app = if self.settings.app == AppKind::Merchant { "own" } else { "third-party" };
        toml::from_str(&format!(
            "app = '{app}'\nlogin_url = '{url}/auth'\napp_key = '{app_key}'\napp_secret = '{app_secret}'\nbase_url = '{url}'\n\
             streams = [{{ name = 'skus-in-use', path = '/open/sku/query', key = ['autoid'], proof = 'backwards',\n\
             page_size = {{ min = 1, usual = 2, max = 50 }}, window = {{ longest_hours = 24 }} }}]"
        ))
        .unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        if self.old {
            return vec![self.settings.partner_key.clone(), self.settings.old_token.clone()];
        }
        let now = self.control.session();
        let now = ["access_token", "refresh_token"].map(|name| now[name].as_str().unwrap().to_owned());
        [self.settings.app_secret.clone()].into_iter().chain(now).collect()
    }

    fn starts_at(&self) -> Timestamp {
        self.settings.clock_start.unwrap()
    }

    fn set_clock(&self, now: Timestamp) {
        let skew = jiff::SignedDuration::from_secs(self.skew.load(Ordering::Relaxed));
        self.control.set_clock(now + skew);
    }

    async fn holds(&self, _: &Arc<TestClock>, stream: &StreamSpec, load: Load) -> Option<Scene> {
        let name = stream.name.as_str();
        let partition = stream.partition.as_ref().map(|_| "10012".to_owned());
        if stream.window.is_some() {
            let size = 2;
            let n_records = match load {
                Load::Empty => 0,
                Load::One => 1,
                Load::Several | Load::FullPage => size,
                Load::FullPageAndOne => size + 1,
            };
            let window = Some(self.window_of(name, n_records)?);
            let size = u32::try_from(size).unwrap();
            return Some(Scene { slice: Slice { window, partition, ..Slice::default() }, size, n_records });
        }
        // What cannot be asked for by time is all there is.
        let n_records = self.n_rows(name);
        let all = u32::try_from(n_records).unwrap();
        let size = match load {
            Load::Several if all < stream.page_size.max? => all + 1,
            Load::FullPage => all,
            Load::FullPageAndOne => all - 1,
            _ => return None,
        };
        Some(Scene { slice: Slice { partition, ..Slice::default() }, size, n_records })
    }

    fn fails(&self, stream: &StreamSpec, failure: Failure, strike: Strike) -> bool {
        let code = |code: &str, message: &str| Fault::VendorCode { code: code.to_owned(), message: message.to_owned() };
        let fault = match failure {
            Failure::Html => Fault::Html,
            Failure::EmptyBody => Fault::EmptyBody,
            Failure::Truncated => Fault::Truncated,
            Failure::BrokenOff => Fault::Cut,
            Failure::Reset => Fault::Reset,
            Failure::Slow => Fault::Slow { delay: SLOW },
            Failure::Throttled => code("199", "调用频次超过限制"),
            Failure::TemporaryCode => code("150", "系统内部错误"),
            Failure::Refused => code("130", "必填数据为空"),
            Failure::UnknownCode => code("777", "?"),
            Failure::TokenRefused => code("100", "无效的access_token或access_token已过期"),
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
        // The old API's token keeps its text, and a dead one cannot be renewed: it is left to grow two hours old.
        if self.old {
            clock.advance(Duration::from_hours(2));
        } else {
            self.control.kill_session();
        }
        true
    }

    fn n_calls(&self) -> u64 {
        self.control.stats().total_calls
    }

    fn n_renewals(&self) -> u64 {
        self.control.stats().refreshes
    }

    /// As long as code 199 is over.
    fn told_wait(&self) -> Duration {
        Duration::from_secs(1)
    }
}

#[tokio::test]
async fn conforms() {
    let waivers = [
        Waiver::new("empty", WHOLE, "the sandbox always has some, and they have no window"),
        Waiver::new("one-record", WHOLE, "the sandbox always has more, and they have no window"),
    ];
    conformance::check("jushuitan", company, &waivers).await;
}

#[tokio::test]
async fn the_old_api_conforms() {
    let waivers = [
        Waiver::new("streams", "*", "only five methods of the old API are confirmed"),
        Waiver::new("empty", "shops", "the sandbox always has some, and they have no window"),
        Waiver::new("one-record", "shops", "the sandbox always has more, and they have no window"),
    ];
    conformance::check("jushuitan", old_company, &waivers).await;
}

const WHOLE: &str = "orders sales-out after-sale return-receipts inventory inventory-per-warehouse purchase-in \
                     other-in-out shops warehouses";

/// Reads a stream by row version to its end: the keys as they came.
async fn by_version(opened: &Opened, name: &str, size: u32, mut at: Position) -> (Vec<String>, Position) {
    let stream = opened.source().streams().iter().find(|stream| stream.name == name).unwrap();
    assert!(matches!(stream.paging, Paging::RowVersion { .. }));
    let scene = Scene { slice: Slice::default(), size, n_records: 0 };
    let mut keys = Vec::new();
    loop {
        let page = opened.page(stream, &scene, &at).await.unwrap();
        keys.extend(page.records.iter().map(|record| Key::read(record, &stream.key).unwrap().to_string()));
        match stream.paging.next(&at, &page, size).unwrap() {
            Some(next) => at = next,
            None => return (keys, page.next.map_or(at, Position::Version)),
        }
    }
}

#[tokio::test]
async fn none_and_one_by_row_version() {
    for n in [0, 1] {
        let company = Arc::new(company_of(Settings { n_orders: n, n_documents: n, ..few() }).await);
        let opened = company.open(&company.clock());
        for stream in ["orders", "sales-out", "after-sale", "return-receipts", "purchase-in", "other-in-out"] {
            let (keys, end) = by_version(&opened, stream, 50, Position::Version("0".to_owned())).await;
            assert_eq!(keys.len(), company.n_rows(stream), "{stream}");
            assert_eq!(by_version(&opened, stream, 50, end).await.0, keys, "{stream}: the boundary comes again");
        }
    }
}

/// The vendor's own warning: paging a window loses rows that change. By row version none is lost, and the quota of 5 a
/// second and 100 a minute is kept on the way.
#[tokio::test]
async fn drift_loses_no_row_by_row_version_and_no_call_is_too_fast() {
    let company = Arc::new(company_of(Settings { n_orders: 1_000, ..few() }).await);
    let clock = company.clock();
    let opened = company.open(&clock);
    company.control.add_fault(FaultRule::new(Fault::Drift { rows: 3, stop_after: Some(300) }));
    let since = clock.now();
    let (keys, end) = by_version(&opened, "orders", 5, Position::Version("0".to_owned())).await;
    let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), 1_000);
    assert!(company.control.stats().modified >= 200, "{:?}", company.control.stats().modified);
    assert_eq!(company.control.stats().rejected_for_limits, 0);
    let (n_calls, waited) = (company.n_calls(), clock.now().duration_since(since).as_secs());
    assert!(n_calls > 250 && waited < 60 * i64::try_from(n_calls.div_ceil(100)).unwrap(), "{n_calls} in {waited} s");

    // What changes after the end, and only that and the boundary, comes from there on.
    company.control.clear_faults();
    let changed = company.control.change("orders", 3).unwrap();
    let (keys, _) = by_version(&opened, "orders", 100, end).await;
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(changed.iter().all(|key| keys.contains(key)), "{keys:?} {changed:?}");
}

#[tokio::test]
async fn whatever_a_renewal_keeps_or_replaces_the_account_goes_on() {
    for rotation in [Rotation::Both, Rotation::Refresh, Rotation::Keep] {
        let company = Arc::new(company_of(Settings { rotation, ..few() }).await);
        let clock = company.clock();
        let opened = company.open(&clock);
        let check = async || opened.source().check(&opened.cx).await.unwrap();
        check().await;
        let n_grants = company.n_renewals();
        for _ in 0..3 {
            clock.advance(29 * DAY + Duration::from_hours(3));
            check().await;
        }
        let n_renewals = company.n_renewals() - n_grants;
        assert_eq!((n_renewals, company.control.stats().outcomes.len()), (3, 1), "{rotation:?}");
        // Long asleep: both tokens are dead, and the merchant's own app asks for new ones.
        clock.advance(100 * DAY);
        check().await;
    }
}

/// Opens a link as a browser would, and takes the code out of the page that it ends at.
async fn open_link(link: &str) -> Secret {
    let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut socket = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    socket.read_to_string(&mut page).await.unwrap();
    let (_, rest) = page.split_once("code=").unwrap_or_else(|| panic!("{page}"));
    Secret::new(rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>())
}

#[tokio::test]
async fn a_person_grants_access_and_a_service_provider_has_to_ask_again() {
    for app in [AppKind::ThirdParty, AppKind::ServiceProvider] {
        let company = Arc::new(company_of(Settings { app, ..few() }).await);
        let clock = company.clock();
        let opened = company.open(&clock);
        let check = async || opened.source().check(&opened.cx).await;
        let login = opened.account.login.as_ref().unwrap();
        let vault = opened.cx.transport().unwrap().vault().unwrap();
        let log_in = async || {
            let code = open_link(&login.link(clock.now()).unwrap()).await;
            vault.replace(login.redeem(&opened.cx, &code)).await.unwrap();
            let used = login.redeem(&opened.cx, &code).await.unwrap_err();
            assert_eq!(used.kind(), ErrorKind::TokenDead, "{used:?}");
        };
        let nobody = check().await.unwrap_err();
        assert!(
            nobody.kind() == ErrorKind::TokenDead && nobody.help().unwrap().contains("milkrun login"),
            "{nobody:?}"
        );
        log_in().await;
        check().await.unwrap();
        company.control.kill_session();
        match (app, check().await) {
            (AppKind::ServiceProvider, Err(error)) => {
                let help = error.help().unwrap();
                assert!(
                    error.kind() == ErrorKind::TokenDead && help.starts_with("service providers"),
                    "{error:?}, {help}"
                );
                log_in().await;
                check().await.unwrap();
            }
            (_, outcome) => outcome.unwrap(),
        }
    }
}

fn delivery(target: &str, document: &str, idempotency_key: &str) -> Delivery {
    Delivery {
        target: target.to_owned(),
        key: Key::of("1"),
        operation: Operation::Insert,
        idempotency_key: idempotency_key.to_owned(),
        document: document.to_owned(),
        attempts: 0,
    }
}

/// For each upload: the answer is lost after the effect, and what is sent again makes no second document.
#[tokio::test]
async fn what_is_sent_again_after_a_lost_answer_is_one_document() {
    for repeat in [jushuitan::Repeat::SameDocument, jushuitan::Repeat::Refused] {
        let company = Arc::new(company_of(Settings { repeat, ..few() }).await);
        let opened = company.open(&company.clock());
        let Some(SinkKind::Calls(sink)) = &opened.account.sink else { panic!("the account is written to by calls") };
        let shop = company.control.truth("shops").unwrap()[0].key.clone();
        let sku = company.control.truth("skus").unwrap()[0].key.clone();
        let own = "00112233445566778899aabbccddeeff";
        let order = format!(
            r#"{{"shop_id":{shop},"so_id":"92461234567890123456","order_date":"2026-08-01 00:00:00",
            "shop_status":"WAIT_SELLER_SEND_GOODS","shop_buyer_id":"b","receiver_name":"李","receiver_address":"路 1 号",
            "receiver_state":"上海市","receiver_city":"上海市","receiver_district":"浦东新区","receiver_mobile":"13800000000",
            "pay_amount":19.90,"freight":0.10,
            "items":[{{"sku_id":"{sku}","shop_sku_id":"{sku}","amount":19.80,"base_price":19.80,"qty":1,"name":"衫","outer_oi_id":"1"}}],
            "pay":{{"outer_pay_id":"p1","pay_date":"2026-08-01 00:00:00","payment":"支付宝","seller_account":"s",
            "buyer_account":"b","amount":19.90}}}}"#
        );
        let documents = [
            delivery("orders", &order, own),
            delivery("skus", r#"{"sku_id":"NEW-1","i_id":"NEW","name":"新品"}"#, own),
            delivery(
                "inventory-adjustments",
                &format!(r#"{{"type":"check","is_confirm":true,"items":[{{"sku_id":"{sku}","qty":7}}]}}"#),
                own,
            ),
        ];
        for delivery in documents {
            let target = delivery.target.clone();
            let entity = if target == "inventory-adjustments" { "inventory" } else { &target };
            company.control.add_fault(FaultRule::new(Fault::LostAnswer).next(6));
            let receipts = sink.deliver(&opened.cx, std::slice::from_ref(&delivery)).await.unwrap();
            assert!(matches!(receipts[..], [Receipt::Unknown { .. }]), "{target}: {receipts:?}");
            company.control.clear_faults();
            let receipts = sink.deliver(&opened.cx, std::slice::from_ref(&delivery)).await.unwrap();
            let good = matches!(receipts[..], [Receipt::Done { .. } | Receipt::Same { .. }]);
            assert!(good, "{target}, {repeat:?}: {receipts:?}");
            let received = company.control.received(entity).unwrap();
            assert_eq!((received.len(), received[0].ids.len()), (1, 1), "{target}: {received:?}");
        }
    }
}
