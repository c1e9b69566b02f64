//! `milkrun preview` changes nothing at the target, and the next run does what it says.

use std::collections::BTreeMap;

use milkrun_sandbox::yonyou;
use serde_json::{Value, json};

use crate::place::Place;
use crate::simulator::Simulator;

const RECORDS: usize = 100;
const TARGET: &str = "purchase-order";

/// A record of the source. Every tenth is not wanted, every 25th cannot be mapped.
fn record(n: usize, version: u32) -> Value {
    let qty = if n % 25 == 7 { "many".to_owned() } else { format!("{n}.50") };
    json!({
        // 19 digits, which no float holds.
        "id": 6_920_000_000_000_000_000_u64 + n as u64,
        "no": format!("PO-{n:04}"),
        "state": if n % 10 == 3 { "draft" } else { "done" },
        "memo": format!("红色 v{version}"),
        "lines": [{ "row": 1, "qty": qty }, { "row": 2, "qty": "0.10" }],
    })
}

const FLOW: &str = r#"
[source]
account = "files"
stream = "orders"

[sink]
account = "yy"
target = "purchase-order"

[mapping]
filter = [{ field = "state", is = "done" }]

[mapping.fields]
code = "no"
org_code = { const = "0518" }
bustype_code = { const = "A20001" }
vendor_code = { const = "0001000101" }
invoiceVendor_code = { const = "0001000101" }
vouchdate = { const = "2026-08-01 00:00:00" }
memo = "memo"

[mapping.fields.purchaseOrders]
each = "lines"
fields.rowno = { from = "row", type = "text" }
fields.product_cCode = { const = "00000002" }
fields.qty = { from = "qty", type = "decimal" }
"#;

struct Stage {
    vendor: Simulator,
    place: Place,
}

impl Stage {
    fn start() -> Self {
        let settings = yonyou::Settings {
            n_documents: 5,
            app_secret: "vErY-sEcReT-aPp".to_owned(),
            quota: None,
            finance_quota: None,
            ..yonyou::Settings::default()
        };
        let vendor = Simulator::yonyou(settings.clone());
        let place = Place::new(&format!(
            "[accounts.yy]\nconnector = \"yonyou-mdd\"\ndiscovery_url = \"{}\"\ntenant_id = \"{}\"\n\
             app_key = \"{}\"\napp_secret = {{ env = \"APP\" }}\ncalls_per_minute = 6000\n\n\
             [accounts.files]\nconnector = \"file\"\nfolder = \"in\"\n[[accounts.files.streams]]\nname = \"orders\"\n\
             path = \"orders.jsonl\"\nkey = [\"id\"]\nnumber = \"no\"\n",
            vendor.url, settings.tenant_id, settings.app_key
        ));
        let place = place.secret("APP", &settings.app_secret);
        place.flow("orders", FLOW);
        Self { vendor, place }
    }

    /// Writes the source.
    fn holds(&self, records: impl Iterator<Item = Value>) {
        let lines: Vec<String> = records.map(|record| record.to_string()).collect();
        self.place.write("in/orders.jsonl", &(lines.join("\n") + "\n"));
    }

    /// What is predicted for each record, and that looking changed nothing.
    fn predictions(&self) -> BTreeMap<String, Value> {
        let (before, calls) = (self.bodies(), self.vendor.control.stats().total_calls);
        let seen = self.place.milkrun(&["preview", "orders", "--limit", "1000", "--json"]).with(0).json();
        assert_eq!(self.vendor.control.stats().total_calls, calls, "a preview calls nobody");
        assert_eq!(self.bodies(), before, "a preview writes nothing");
        let records = seen["records"].as_array().unwrap().iter();
        records.map(|one| (one["key"].as_str().unwrap().to_owned(), one.clone())).collect()
    }

    /// What came to the vendor by its number: how many documents it made, and what was sent. An update has a key of its
    /// own and makes none.
    fn bodies(&self) -> BTreeMap<String, (usize, Vec<Value>)> {
        let received = self.vendor.control.received(TARGET).unwrap().into_iter();
        let mut all: BTreeMap<String, (usize, Vec<Value>)> = BTreeMap::new();
        for one in received {
            let body: Value = serde_json::from_str(&one.body).unwrap();
            let number = body["code"].as_str().unwrap_or_else(|| panic!("no number in {}", one.body)).to_owned();
            let entry = all.entry(number).or_default();
            entry.0 += one.ids.len();
            entry.1.push(body);
        }
        all
    }

    fn letters(&self) -> BTreeMap<String, String> {
        let letters = self.place.milkrun(&["dead-letters", "orders", "--limit", "1000", "--json"]).with(0).json();
        let letters = letters["dead_letters"].as_array().unwrap().iter();
        letters.map(|one| (text(&one["key"]), text(&one["reason"]))).collect()
    }

    /// Predicts, runs, and compares.
    fn run_does_what_is_predicted(&self, expected: &BTreeMap<&str, usize>) {
        let predicted = self.predictions();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for one in predicted.values() {
            *counts.entry(one["outcome"].as_str().unwrap()).or_default() += 1;
        }
        assert_eq!(&counts, expected);
        let before = self.bodies();
        let ended = self.place.milkrun(&["run", "orders", "--json"]);
        let refused = counts.get("refused").copied().unwrap_or(0);
        let flow = &ended.json()["flows"][0];
        assert!(flow["error"].is_null(), "{ended}");
        let (after, letters) = (self.bodies(), self.letters());
        for (key, one) in &predicted {
            let source: Value = serde_json::from_str(one["record"].as_str().unwrap()).unwrap();
            let number = source["no"].as_str().unwrap();
            let what = format!("{number}, predicted {}", one["outcome"]);
            match one["outcome"].as_str().unwrap() {
                "new" | "changed" => {
                    let (n, all) = after.get(number).unwrap_or_else(|| panic!("{what}: it is not there"));
                    assert_eq!(*n, 1, "{what}: one document");
                    assert_eq!(before.contains_key(number), one["outcome"] == "changed", "{what}");
                    let document: Value = serde_json::from_str(one["documents"][0].as_str().unwrap()).unwrap();
                    let known = before.get(number).map_or(&[][..], |(_, known)| known);
                    let sent: Vec<_> = all.iter().filter(|sent| !known.contains(sent)).collect();
                    assert_eq!(sent.len(), 1, "{what}: sent {sent:?}");
                    holds(sent[0], &document, &what);
                    assert!(!letters.contains_key(key), "{what}: {letters:?}");
                }
                "unchanged" => assert_eq!(after.get(number), before.get(number), "{what}"),
                "filtered" => assert!(!after.contains_key(number) && !letters.contains_key(key), "{what}"),
                "refused" => {
                    assert!(!after.contains_key(number), "{what}: it was sent");
                    let reason = one["reason"].as_str().unwrap();
                    let said = letters.get(key).unwrap_or_else(|| panic!("{what}: no dead letter, {letters:?}"));
                    assert!(said.contains(reason) || reason.contains(said.as_str()), "{what}: {reason} / {said}");
                }
                other => panic!("{what}: {other}"),
            }
        }
        assert_eq!(letters.len(), refused, "{letters:?}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether all of `document` is in what was sent, which also has the key and what an update needs.
#[track_caller]
fn holds(sent: &Value, document: &Value, what: &str) {
    match (sent, document) {
        (Value::Object(sent), Value::Object(document)) => {
            for (name, value) in document {
                holds(sent.get(name).unwrap_or(&Value::Null), value, &format!("{what}, {name}"));
            }
        }
        (Value::Array(sent), Value::Array(document)) => {
            assert_eq!(sent.len(), document.len(), "{what}");
            sent.iter().zip(document).for_each(|(sent, document)| holds(sent, document, what));
        }
        _ => assert_eq!(sent, document, "{what}"),
    }
}

#[test]
fn a_preview_changes_nothing_and_the_run_does_what_it_says() {
    let stage = Stage::start();
    stage.holds((0..RECORDS).map(|n| record(n, 0)));
    // Of 100 records, 10 are drafts, and of the 4 that cannot be mapped none is.
    let n_refused = (0..RECORDS).filter(|n| n % 25 == 7 && n % 10 != 3).count();
    let n_new = RECORDS - 10 - n_refused;
    stage.run_does_what_is_predicted(&BTreeMap::from([("new", n_new), ("filtered", 10), ("refused", n_refused)]));
    stage.vendor.assert_one_each(TARGET, n_new);
    let seen = stage.predictions();
    assert!(seen.values().all(|one| one["outcome"] != "new"), "what was delivered is no news");

    // Some change, some come, and some drafts are done.
    let changed = |n: usize| n.is_multiple_of(9) && n % 10 != 3 && n % 25 != 7;
    let records = (0..RECORDS + 12).map(|n| {
        let mut record = record(n, u32::from(changed(n)));
        if n == 13 || n == 23 {
            record["state"] = "done".into();
        }
        record
    });
    stage.holds(records);
    let second = stage.predictions();
    let n = |outcome: &str| second.values().filter(|one| one["outcome"] == outcome).count();
    let counts: BTreeMap<&str, usize> = ["new", "changed", "unchanged", "filtered", "refused"]
        .into_iter()
        .map(|o| (o, n(o)))
        .filter(|c| c.1 > 0)
        .collect();
    assert_eq!(counts["changed"], (0..RECORDS).filter(|n| changed(*n)).count(), "{counts:?}");
    stage.run_does_what_is_predicted(&counts);

    // Where changes are left alone, nothing more is sent of what was delivered.
    stage.place.flow("orders", &FLOW.replace("[mapping]\n", "changes = \"skip\"\n\n[mapping]\n"));
    stage.holds((0..RECORDS).map(|n| record(n, 2)));
    let third = stage.predictions();
    assert!(third.values().all(|one| !["new", "changed"].contains(&one["outcome"].as_str().unwrap())), "{third:#?}");
    let before = stage.bodies();
    stage.place.milkrun(&["run", "orders"]);
    assert_eq!(stage.bodies(), before);
}

#[test]
fn one_record_is_found_by_its_key_or_number_and_shown_side_by_side() {
    let stage = Stage::start();
    stage.holds((0..RECORDS).map(|n| record(n, 0)));
    for id in ["6920000000000000042", "PO-0042"] {
        let seen = stage.place.milkrun(&["preview", "orders", "--record", id, "--json"]).with(0).json();
        let records = seen["records"].as_array().unwrap();
        assert_eq!(records.len(), 1, "{seen:#}");
        assert_eq!(records[0]["key"], "6920000000000000042");
        assert!(records[0]["documents"][0].as_str().unwrap().contains("\"qty\":42.50"), "as written: {seen:#}");
    }
    let shown = stage.place.milkrun(&["preview", "orders", "--record", "PO-0042", "--lang", "zh"]).with(0);
    assert!(shown.out.contains("红色 v0") && shown.out.contains("6920000000000000042"), "{shown}");
    let missing = stage.place.milkrun(&["preview", "orders", "--record", "PO-9999"]).with(2);
    assert!(missing.said().contains("PO-9999"), "{missing}");
    assert_eq!(stage.vendor.control.stats().total_calls, 0);
}
