//! Streams, targets and value tables that a flow brings along itself.

use std::sync::Mutex;

use milkrun_sandbox::chanjet;
use milkrun_testkit::http::Reply;
use serde_json::Value;

use crate::output::lines;
use crate::place::Place;
use crate::server::Server;
use crate::simulator::Simulator;

/// A T+, and an installation with an account of it and one of files.
fn tplus() -> (Simulator, Place) {
    let settings = chanjet::Settings {
        n_inventory: 20,
        n_small: 6,
        n_vouchers: 3,
        app_secret: "vErY-sEcReT-aPp".to_owned(),
        access_token: "vErY-sEcReT-aCcEsS".to_owned(),
        refresh_token: "vErY-sEcReT-rEfReSh".to_owned(),
        known_codes_only: false,
        ..chanjet::Settings::default()
    };
    let vendor = Simulator::tplus(settings.clone());
    let place = Place::new(&format!(
        "[accounts.tplus]\nconnector = \"chanjet-tplus\"\nbase_url = \"{}\"\napp_key = \"{}\"\n\
         app_secret = {{ env = \"APP\" }}\naccess_token = {{ env = \"ACCESS\" }}\n\
         refresh_token = {{ env = \"REFRESH\" }}\n{FILES}",
        vendor.url, settings.app_key
    ));
    let place = place.watching(&vendor.control).secret("APP", &settings.app_secret);
    (vendor, place.secret("ACCESS", &settings.access_token).secret("REFRESH", &settings.refresh_token))
}

const FILES: &str = "[accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n\
    [accounts.in]\nconnector = \"file\"\nfolder = \"in\"\n[[accounts.in.streams]]\nname = \"rows\"\n\
    path = \"rows.jsonl\"\nkey = [\"id\"]\n";

/// Reads the unit groups of T+, which the connector has no stream for.
const UNITS: &str = r#"
[source]
account = "tplus"
stream = "unit-groups"

[source.declare]
endpoint = "UnitGroup/Query"
key = ["ID"]
number = "Code"
page_size = { min = 1, usual = 2, max = 100 }

[sink]
account = "files"
target = "units"
"#;

/// Writes other receipts into T+, which the connector has no target for.
const RECEIPTS: &str = r#"
[source]
account = "in"
stream = "rows"

[sink]
account = "tplus"
target = "other-receipts"

[sink.declare]
endpoint = "otherReceive/Create"
fields = [{ path = "VoucherDate", kind = "date", required = true }]

[mapping.fields]
ExternalCode = { from = "id", prefix = "R-" }
VoucherDate = { const = "2026-08-01" }
RDRecordDetails = { each = "lines", fields = { Inventory = { fields = { Code = "sku" } }, Quantity = { from = "qty", type = "decimal" } } }
"#;

fn write_rows(place: &Place, n: usize) {
    let row = |i: usize| format!("{{\"id\":{i},\"lines\":[{{\"sku\":\"A{i}\",\"qty\":\"{i}.50\"}}]}}\n");
    place.write("in/rows.jsonl", &(1..=n).map(row).collect::<String>());
}

#[test]
fn a_flow_brings_its_own_stream_and_its_own_target() {
    let (vendor, place) = tplus();
    write_rows(&place, 12);
    place.flow("units", UNITS);
    place.flow("receipts", RECEIPTS);
    place.milkrun(&["check"]).with(0);
    place.reconciles("units");
    place.reconciles("receipts");
    let found: Vec<String> =
        lines(&place.path("out/units.jsonl")).iter().map(|unit| unit["ID"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found.len(), 6, "{found:?}");
    vendor.assert_one_each("otherReceive", 12);
    let body = &vendor.control.received("otherReceive").unwrap()[0].body;
    assert!(body.contains("\"Quantity\":1.50") || body.contains("\"Quantity\":\"1.50\""), "as written: {body}");
    // Nothing is sent a second time.
    let calls = vendor.n_calls("otherReceive/Create");
    place.reconciles("receipts");
    assert_eq!(vendor.n_calls("otherReceive/Create"), calls);
}

#[test]
fn a_mistake_in_a_declaration_is_shown_where_it_stands_and_stops_no_other_flow() {
    let (_vendor, place) = tplus();
    write_rows(&place, 3);
    place.flow("units", UNITS);
    for (right, wrong, at, parts) in [
        ("endpoint = \"otherReceive", "endpont = \"otherReceive", 11, vec!["endpont", "endpoint"]),
        ("required = true", "required = \"yes\"", 12, vec!["required"]),
        ("otherReceive/Create", "otherReceive/Delete", 10, vec!["otherReceive/Delete", "/Create"]),
        ("kind = \"date\"", "kind = \"dat\"", 12, vec!["dat", "date"]),
    ] {
        place.flow("receipts", &RECEIPTS.replace(right, wrong));
        let ended = place.milkrun(&["check", "--offline"]).with(2);
        let said = ended.said();
        let lines: Vec<u32> =
            said.split("receipts.toml:").skip(1).filter_map(|rest| rest.split(':').next()?.parse().ok()).collect();
        assert!(lines.iter().any(|line| (at..=at + 1).contains(line)), "{wrong}: {lines:?} {ended}");
        for part in parts {
            assert!(said.contains(part), "{wrong}: `{part}` is not in {ended}");
        }
        let refused = place.milkrun(&["run", "receipts"]).with(2);
        assert!(refused.said().contains("receipts.toml"), "{refused}");
        place.reconciles("units");
    }
}

#[test]
fn values_are_looked_up_in_tables_of_three_origins() {
    let ids = Mutex::new(0);
    let server = Server::start(move |request| {
        let mut n = ids.lock().unwrap();
        *n += 1;
        let id = request.param("no").unwrap();
        Reply::json(format!(r#"{{"code":0,"data":{{"id":"R-{id}"}}}}"#))
    });
    let place = Place::new(&format!(
        "{FILES}[accounts.api]\nconnector = \"http\"\nbase_url = \"{}\"\n[[accounts.api.targets]]\nname = \"rows\"\n\
         path = \"/rows\"\nremote_id = \"data.id\"\n",
        server.url
    ));
    write_rows(&place, 5);
    place.write("tables/shops.csv", "\u{feff}code,name,area\n1,一号店,华东\n2,\"二,号店\",华南\n");
    place.write("tables/rates.json", r#"[{"id":3,"rate":1.50},{"id":4,"rate":2}]"#);
    place.flow(
        "first",
        "[source]\naccount = \"in\"\nstream = \"rows\"\n[sink]\naccount = \"api\"\ntarget = \"rows\"\n\
         [mapping.fields]\nno = { from = \"id\", type = \"text\" }\n",
    );
    let second = r#"
[source]
account = "in"
stream = "rows"
[sink]
account = "files"
target = "looked-up"
[tables.kinds.values]
"1" = "调拨"
"2" = 6920000000000000001
[tables.shops]
file = "tables/shops.csv"
[tables.rates]
file = "tables/rates.json"
[tables.remote]
flow = "first"
[mapping.fields]
id = "id"
kind = { expr = 'lookup("kinds"; .id) // "none"' }
shop = { expr = 'lookup("shops"; .id)' }
area = { expr = 'lookup("shops"; .id; "area")' }
rate = { expr = 'lookup("rates"; .id)' }
remote = { expr = 'lookup("remote"; .id)' }
"#;
    place.flow("second", second);
    place.milkrun(&["check"]).with(0);
    place.reconciles("first");
    place.reconciles("second");
    let rows: Vec<String> = place.read("out/looked-up.jsonl").lines().map(str::to_owned).collect();
    assert_eq!(
        rows,
        [
            r#"{"id":1,"kind":"调拨","shop":"一号店","area":"华东","rate":null,"remote":"R-1"}"#,
            r#"{"id":2,"kind":6920000000000000001,"shop":"二,号店","area":"华南","rate":null,"remote":"R-2"}"#,
            r#"{"id":3,"kind":"none","shop":null,"area":null,"rate":1.50,"remote":"R-3"}"#,
            r#"{"id":4,"kind":"none","shop":null,"area":null,"rate":2,"remote":"R-4"}"#,
            r#"{"id":5,"kind":"none","shop":null,"area":null,"rate":null,"remote":"R-5"}"#,
        ]
    );
    // What cannot be read is a mistake of the flow that wants it, and of no other.
    for (right, wrong, part) in [
        ("flow = \"first\"", "flow = \"frist\"", "first"),
        ("tables/shops.csv", "tables/shop.csv", "shop.csv"),
        ("lookup(\"kinds\"; .id)", "lookup(\"kind\"; .id)", "kinds"),
    ] {
        place.flow("second", &second.replace(right, wrong));
        let ended = place.milkrun(&["check", "--offline"]);
        assert!(ended.code == Some(2) && ended.said().contains("second.toml:"), "{wrong}: {ended}");
        assert!(ended.said().contains(part), "{wrong}: {ended}");
        place.reconciles("first");
    }
    let trace: Value = place.milkrun(&["trace", "3", "--flow", "first", "--json"]).with(0).json();
    assert!(trace.to_string().contains("R-3"), "{trace:#}");
}
