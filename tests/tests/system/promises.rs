//! What each connector promises, end to end: nothing is lost while rows drift, and an answer that gets lost makes no
//! second document.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_sandbox::{Fault, FaultRule, chanjet, jushuitan, qeasy, yonyou};

use crate::milkrun::side_by_side;
use crate::output::{lines, text, version};
use crate::place::Place;
use crate::simulator::Simulator;
use crate::vendor::{DAY, floor};

pub(crate) const APP: &str = "vErY-sEcReT-aPp";
pub(crate) const ACCESS: &str = "vErY-sEcReT-aCcEsS";
pub(crate) const REFRESH: &str = "vErY-sEcReT-rEfReSh";
/// The vendor's clock is so far behind the machine's while its rows drift.
const BEHIND: Duration = Duration::from_mins(8);

pub(crate) fn start_jushuitan(change: impl FnOnce(&mut jushuitan::Settings)) -> (Simulator, String) {
    let mut settings = jushuitan::Settings {
        n_orders: 400,
        n_items: 40,
        n_documents: 0,
        app_secret: APP.to_owned(),
        access_token: ACCESS.to_owned(),
        refresh_token: REFRESH.to_owned(),
        limits: Vec::new(),
        history: DAY / 2,
        ..jushuitan::Settings::default()
    };
    change(&mut settings);
    let vendor = Simulator::jushuitan(settings.clone());
    let account = format!(
        "connector = \"jushuitan\"\nbase_url = \"{}\"\napp_key = \"{}\"\ncalls_per_second = 50\n\
         calls_per_minute = 3000\napp_secret = {{ env = \"APP\" }}\naccess_token = {{ env = \"ACCESS\" }}\n\
         refresh_token = {{ env = \"REFRESH\" }}\n",
        vendor.url, settings.app_key
    );
    (vendor, account)
}

pub(crate) fn start_tplus(change: impl FnOnce(&mut chanjet::Settings)) -> (Simulator, String) {
    let mut settings = chanjet::Settings {
        n_inventory: 400,
        n_vouchers: 3,
        app_secret: APP.to_owned(),
        access_token: ACCESS.to_owned(),
        refresh_token: REFRESH.to_owned(),
        known_codes_only: false,
        history: DAY / 2,
        ..chanjet::Settings::default()
    };
    change(&mut settings);
    let vendor = Simulator::tplus(settings.clone());
    let account = format!(
        "connector = \"chanjet-tplus\"\nbase_url = \"{}\"\napp_key = \"{}\"\ncalls_per_second = 50\n\
         app_secret = {{ env = \"APP\" }}\naccess_token = {{ env = \"ACCESS\" }}\n\
         refresh_token = {{ env = \"REFRESH\" }}\n",
        vendor.url, settings.app_key
    );
    (vendor, account)
}

pub(crate) fn start_yonyou(settings: yonyou::Settings) -> (Simulator, String) {
    let own = yonyou::Settings { app_secret: APP.to_owned(), quota: None, finance_quota: None, ..settings };
    let vendor = Simulator::yonyou(own.clone());
    let account = format!(
        "connector = \"yonyou-mdd\"\ndiscovery_url = \"{}\"\ntenant_id = \"{}\"\napp_key = \"{}\"\n\
         app_secret = {{ env = \"APP\" }}\ncalls_per_minute = 6000\n",
        vendor.url, own.tenant_id, own.app_key
    );
    (vendor, account)
}

/// An installation with this account under the name `it`, and one of files.
pub(crate) fn place(vendor: &Simulator, account: &str) -> Place {
    let place = Place::new(&format!(
        "[accounts.it]\n{account}\n[accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n\
         [accounts.in]\nconnector = \"file\"\nfolder = \"in\"\n[[accounts.in.streams]]\nname = \"rows\"\n\
         path = \"rows.jsonl\"\nkey = [\"id\"]\n"
    ));
    let place = if vendor.control.session().is_object() { place.watching(&vendor.control) } else { place };
    place.secret("APP", APP).secret("ACCESS", ACCESS).secret("REFRESH", REFRESH)
}

/// The newest line of each key in a file: its version.
fn newest(place: &Place, file: &str, key: &str, version_in: &str) -> BTreeMap<String, u32> {
    lines(&place.path(file)).iter().map(|line| (text(&line[key]), version(&line[version_in]))).collect()
}

#[test]
fn rows_that_drift_arrive_in_their_newest_version() {
    let behind = SignedDuration::try_from(BEHIND).unwrap();
    let cases = [
        ("orders", "orders", "/open/orders/single/query"),
        ("orders-by-window", "orders", "/open/orders/single/query"),
        ("inventory", "inventory", "inventory/Query"),
    ];
    side_by_side(cases, |(stream, entity, method)| {
        let clock_start = Some(Timestamp::now() - behind);
        let is_tplus = stream == "inventory";
        let (vendor, account) = if is_tplus {
            let (vendor, account) = start_tplus(|settings| settings.clock_start = clock_start);
            (vendor, account + "[accounts.it.adjust.inventory]\nselect = [\"ID\", \"Code\", \"Memo\"]\n")
        } else {
            start_jushuitan(|settings| settings.clock_start = clock_start)
        };
        let (key, version_in) = if is_tplus { ("ID", "Memo") } else { ("o_id", "remark") };
        let place = place(&vendor, &account);
        vendor.control.add_fault(FaultRule::new(Fault::Drift { rows: 3, stop_after: Some(45) }).method(method));
        let since = floor(vendor.control.now() - SignedDuration::try_from(2 * DAY).unwrap());
        let flow = |settle: &str| {
            // A stream by row version has no windows.
            let span = if stream == "orders" {
                String::new()
            } else {
                format!("since = \"{since}\"\nsettle = \"{settle}\"\n")
            };
            format!(
                "[source]\naccount = \"it\"\nstream = \"{stream}\"\npage_size = 50\n{span}\n[sink]\n\
                 account = \"files\"\ntarget = \"rows\"\n"
            )
        };
        place.flow("rows", &flow("9m"));
        let first = place.milkrun(&["run", "rows", "--json"]);
        let verdict = first.json()["flows"][0]["verdict"].as_str().unwrap().to_owned();
        match first.code {
            Some(0) => assert_eq!(verdict, "reconciled", "{stream}: {first}"),
            Some(3) => assert_eq!(verdict, "unreconciled", "{stream}: {first}"),
            _ => panic!("{stream}: {first}"),
        }
        assert!(vendor.control.stats().faults["drift"] > 5, "{stream}: the pages drifted");

        // Time passes, and nothing changes any more.
        vendor.control.clear_faults();
        vendor.control.advance_clock(BEHIND);
        place.flow("rows", &flow("60s"));
        place.reconciles("rows");
        let truth: BTreeMap<String, u32> =
            vendor.control.truth(entity).unwrap().into_iter().map(|row| (row.key, row.version)).collect();
        assert_eq!(newest(&place, "out/rows.jsonl", key, version_in), truth, "{stream}: first {verdict}");
        assert!(truth.values().any(|version| *version > 0), "{stream}");
    });
}

/// A target whose answers get lost.
struct Lossy {
    vendor: Simulator,
    account: String,
    target: &'static str,
    /// What the simulator calls what arrives, and the method that takes it.
    received: &'static str,
    method: &'static str,
    mapping: &'static str,
}

const DELIVERY: &str = r#"
ExternalCode = { from = "id", prefix = "K-" }
VoucherDate = { const = "2026-08-01" }
Customer = { fields = { Code = { const = "C1" } } }
SaleDeliveryDetails = { each = "lines", fields = { Inventory = { fields = { Code = "sku" } }, Quantity = { from = "qty", type = "decimal" } } }
"#;
const SALE_ORDER: &str = r#"
VoucherDate = { const = "2026-08-01" }
Customer = { fields = { Code = { const = "C1" } } }
SaleOrderDetails = { each = "lines", fields = { Inventory = { fields = { Code = "sku" } }, Quantity = { from = "qty", type = "decimal" } } }
"#;
const PURCHASE_ORDER: &str = r#"
code = { from = "id", prefix = "K-" }
org_code = { const = "0518" }
bustype_code = { const = "A20001" }
vendor_code = { const = "0001000101" }
invoiceVendor_code = { const = "0001000101" }
vouchdate = { const = "2026-08-01 00:00:00" }
purchaseOrders = { each = "lines", fields = { product_cCode = "sku", qty = { from = "qty", type = "decimal" } } }
"#;
const ORDER: &str = r#"
shop_id = { const = 10394533 }
so_id = { from = "id", prefix = "K-" }
shop_status = { const = "WAIT_SELLER_SEND_GOODS" }
pay_amount = { from = "amount", type = "decimal" }
order_date = { const = "2026-08-01 00:00:00" }
items = { each = "lines", fields = { sku_id = "sku", amount = { from = "amount", type = "decimal" }, qty = { from = "qty", type = "decimal" } } }
"#;
const SKU: &str = r#"
sku_id = { from = "id", prefix = "K-" }
i_id = { const = "K" }
name = { const = "红色短袖" }
"#;
const ADJUSTMENT: &str = r#"
type = { const = "adjust" }
items = { each = "lines", fields = { sku_id = { const = "A00001-红-L" }, qty = { from = "qty", type = "decimal" } } }
"#;
const PUSH: &str = r#"
id = { from = "id", prefix = "K-" }
name = { const = "红色短袖" }
"#;

fn lossy() -> Vec<Lossy> {
    let mut all = Vec::new();
    for (target, received, method, mapping) in [
        ("sale-delivery", "saleDelivery", "saleDelivery/Create", DELIVERY),
        ("sale-order", "saleOrder", "saleOrder/Create", SALE_ORDER),
    ] {
        let (vendor, account) = start_tplus(|settings| settings.n_inventory = 5);
        all.push(Lossy { vendor, account, target, received, method, mapping });
    }
    for (target, received, method, mapping) in [
        ("orders", "orders", "/open/jushuitan/orders/upload", ORDER),
        ("skus", "skus", "/open/jushuitan/itemsku/upload", SKU),
        ("inventory-adjustments", "inventory", "/open/jushuitan/inventoryv2/upload", ADJUSTMENT),
    ] {
        let (vendor, account) = start_jushuitan(|settings| settings.n_orders = 5);
        all.push(Lossy { vendor, account, target, received, method, mapping });
    }
    let (vendor, account) = start_yonyou(yonyou::Settings { n_documents: 3, ..yonyou::Settings::default() });
    all.push(Lossy {
        vendor,
        account,
        target: "purchase-order",
        received: "purchase-order",
        method: "/yonbip/scm/purchaseorder/singleSave_v1",
        mapping: PURCHASE_ORDER,
    });
    let own = qeasy::Settings { n_records: 3, app_secret: APP.to_owned(), quota: None, ..qeasy::Settings::default() };
    let vendor = Simulator::qeasy(own.clone());
    let account = format!(
        "connector = \"qeasy\"\n[accounts.it.platform]\nhost = \"{}\"\napp_key = \"{}\"\n\
         app_secret = {{ env = \"APP\" }}\n[[accounts.it.platform.targets]]\nname = \"records\"\nscheme = \"{}\"\n\
         batch = 2\n",
        vendor.url, own.app_key, own.sink_scheme
    );
    all.push(Lossy { vendor, account, target: "records", received: "sink", method: "push", mapping: PUSH });
    all
}

#[test]
fn an_answer_that_is_lost_makes_no_second_document() {
    const ROWS: usize = 12;
    side_by_side(lossy(), |Lossy { vendor, account, target, received, method, mapping }| {
        let place = place(&vendor, &account);
        let row = |n: usize| {
            format!(
                "{{\"id\":{n},\"amount\":\"{n}.50\",\"lines\":[{{\"sku\":\"S{n}\",\"qty\":\"1\",\"amount\":\"{n}.50\"}}]}}\n"
            )
        };
        place.write("in/rows.jsonl", &(1..=ROWS).map(row).collect::<String>());
        let batch = if ["records", "orders", "skus"].contains(&target) { "batch = 2\n" } else { "" };
        place.flow(
            "rows",
            &format!(
                "[source]\naccount = \"in\"\nstream = \"rows\"\n[sink]\naccount = \"it\"\ntarget = \"{target}\"\n\
                 concurrency = 4\n{batch}[mapping.fields]\n{mapping}"
            ),
        );
        place.milkrun(&["check"]).with(0);
        vendor.control.add_fault(FaultRule::new(Fault::LostAnswer).next(3).method(method));
        let first = place.milkrun(&["run", "rows", "--json"]);
        let lost = vendor.control.stats().faults.get("lost-answer").copied().unwrap_or(0);
        assert_eq!(lost, 3, "{target}: so many answers were lost: {first}");
        vendor.control.clear_faults();
        place.reconciles("rows");
        vendor.assert_one_each(received, ROWS);
        let letters = place.milkrun(&["dead-letters", "rows", "--json"]).with(0).json();
        assert_eq!(letters["dead_letters"].as_array().unwrap().len(), 0, "{target}: {letters:#}");
    });
}
