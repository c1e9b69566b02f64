//! `--json` of the commands, and what becomes of records that a mapping refuses.

use std::collections::BTreeSet;

use milkrun_core::Record;
use milkrun_sandbox::{Fault, FaultRule};
use serde_json::Value;

use crate::installation::{Installation, orders_flow};
use crate::output::{lines, text};
use crate::vendor::{DAY, Vendor};

/// Asserts that an object has these fields.
#[track_caller]
fn has(value: &Value, fields: &[&str]) {
    let missing: Vec<_> = fields.iter().filter(|field| value.get(**field).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {value:#}");
}

fn list<'a>(value: &'a Value, field: &str) -> &'a Vec<Value> {
    value[field].as_array().unwrap_or_else(|| panic!("`{field}` is no list in {value:#}"))
}

#[test]
fn every_command_answers_in_one_json_document() {
    let vendor = Vendor::with_orders(100, DAY / 2);
    let installation = Installation::of_orders(&vendor, "");
    let json = |arguments: &[&str]| installation.milkrun(&[arguments, &["--json"]].concat()).with(0).json();

    let connectors = json(&["connectors"]);
    for connector in list(&connectors, "connectors") {
        has(connector, &["name", "title", "about", "example", "schema", "quota", "streams", "targets"]);
    }
    let streams = json(&["streams", "km"]);
    assert_eq!(streams, json(&["streams", "kuaimai"]), "an account has what its connector has");
    for stream in list(&streams, "streams") {
        let fields = ["name", "title", "key", "number", "version", "window", "paging", "page_size", "proof", "units"];
        has(stream, &fields);
    }
    has(&json(&["targets", "files"]), &["targets"]);
    let check = json(&["check"]);
    has(&check, &["accounts", "flows", "mistakes", "warnings"]);
    assert!(list(&check, "accounts").iter().all(|account| account["ok"] == true), "{check:#}");
    let never = json(&["status"]);
    assert_eq!((&never["flows"][0]["name"], &never["flows"][0]["last_run"]), (&"orders".into(), &Value::Null));

    let run = json(&["run", "orders"]);
    assert_eq!(run["exit_code"], 0);
    let report = &run["flows"][0];
    has(report, &["flow", "verdict", "reason", "started", "ended", "counts", "proved", "assumes", "promise", "open"]);
    has(report, &["calls", "place"]);
    let counts = ["records", "new", "changed", "unchanged", "older", "filtered", "refused", "pending", "documents"];
    has(&report["counts"], &counts);
    let sum = counts[1..8].iter().map(|name| report["counts"][*name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(report["counts"]["records"], sum, "every record is in exactly one: {report:#}");
    assert_eq!(report["calls"], vendor.control.stats().calls["erp.trade.list.query"]);

    let status = json(&["status"]);
    let flow = &status["flows"][0];
    has(flow, &["name", "has_file", "running", "planned", "ledger", "open_slices", "pending", "dead_letters"]);
    assert_eq!((&flow["ledger"], &flow["last_run"]["verdict"]), (&100.into(), &"reconciled".into()));
    assert_eq!(flow["last_run"]["report"]["counts"], report["counts"]);
    assert!(list(&json(&["dead-letters", "orders"]), "dead_letters").is_empty());
    has(&json(&["secret", "list"]), &["secrets"]);

    let error = installation.milkrun(&["run", "order", "--json"]).with(2);
    assert_eq!((&error.json()["error"]["kind"], error.said()), (&"not-found".into(), String::new()), "{error}");
    assert!(text(&error.json()["error"]["help"]).contains("orders"), "the nearest name is said: {error}");
}

#[test]
fn every_call_is_one_line_of_the_log() {
    let vendor = Vendor::with_orders(300, DAY);
    vendor.fault(FaultRule::new(Fault::Html).next(1));
    let installation = Installation::of_orders(&vendor, "page_size = 100");
    installation.milkrun(&["run", "orders"]).with(0);
    let log = lines(&installation.path("console/calls.jsonl"));
    assert_eq!(log.len() as u64, vendor.n_calls());
    for call in &log {
        has(
            call,
            &["time", "account", "flow", "stream", "slice", "page", "endpoint", "attempt", "status", "bytes", "ms"],
        );
        assert_eq!(
            (&call["flow"], &call["stream"], &call["status"]),
            (&"orders".into(), &"orders".into(), &200.into())
        );
    }
    let spoilt: Vec<_> = log.iter().filter(|call| call.get("kind").is_some()).collect();
    assert_eq!(spoilt.len(), 1, "{log:#?}");
    assert_eq!(spoilt[0]["kind"], "malformed");
    let again = |call: &&Value| call["slice"] == spoilt[0]["slice"] && call["attempt"] == 2;
    assert_eq!(log.iter().filter(again).count(), 1);
}

#[test]
fn an_order_is_traced_by_its_key_and_by_its_number() {
    let vendor = Vendor::with_orders(100, DAY / 2);
    let installation = Installation::of_orders(&vendor, "");
    installation.flow("orders", &orders_flow(&vendor, "", "[mapping.fields]\nno = \"tid\"\nkey = \"sid\"\n"));
    installation.milkrun(&["run", "orders"]).with(0);
    for line in lines(&installation.path("out/orders.jsonl")).iter().step_by(40) {
        let (sid, tid) = (text(&line["key"]), text(&line["no"]));
        for id in [&sid, &tid] {
            let traced = installation.milkrun(&["trace", id, "--json"]).with(0).json();
            assert_eq!(list(&traced, "found").len(), 1, "{traced:#}");
            let found = &traced["found"][0];
            has(found, &["flow", "key", "delivered_at", "remote_id", "version", "page", "record", "documents"]);
            has(&found["run"], &["id", "started", "mapping"]);
            assert_eq!((&found["run"]["id"], &found["run"]["mapping"]), (&1.into(), &found["mapping_now"]));
            assert_eq!((&found["key"], &found["flow"]), (&sid.clone().into(), &"orders".into()));
            let record = Record::parse(text(&found["record"])).unwrap();
            assert_eq!(record.get("sid"), Some(&*sid));
            assert_eq!(text(&found["documents"][0]), format!("{{\"no\":\"{tid}\",\"key\":{sid}}}"));
        }
    }
    // The mapping changes: what was delivered was made with the one before.
    let line = lines(&installation.path("out/orders.jsonl")).remove(0);
    installation.flow("orders", &orders_flow(&vendor, "", "[mapping.fields]\nkey = \"sid\"\n"));
    installation.milkrun(&["run", "orders"]).with(0);
    let traced = installation.milkrun(&["trace", &text(&line["key"]), "--json"]).with(0).json();
    let found = &traced["found"][0];
    assert_eq!(found["run"]["id"], 1, "{found:#}");
    assert!(found["run"]["mapping"] != found["mapping_now"] && found["mapping_now"].is_string(), "{found:#}");
    let shown = installation.milkrun(&["trace", &text(&line["key"])]).with(0);
    assert!(shown.out.contains("  by run 1, begun ") && shown.out.contains("the one of now, "), "{shown}");
    let unknown = installation.milkrun(&["trace", "1", "--json"]).with(1).json();
    assert!(list(&unknown, "found").is_empty() && list(&unknown, "dead_letters").is_empty());
}

#[test]
fn a_preview_writes_nothing() {
    let vendor = Vendor::with_orders(100, DAY / 2);
    let installation = Installation::of_orders(&vendor, "");
    let truth = vendor.control.truth("orders");
    let preview = |limit: &str| installation.milkrun(&["preview", "orders", "--limit", limit, "--json"]).with(0).json();
    let outcomes = |preview: &Value| {
        let records = list(preview, "records");
        for record in records {
            has(record, &["key", "outcome", "reason", "record", "documents"]);
        }
        (records.len(), records.iter().map(|record| text(&record["outcome"])).collect::<BTreeSet<_>>())
    };
    assert_eq!(outcomes(&preview("7")), (7, BTreeSet::from(["new".to_owned()])));
    assert!(!installation.path("out").exists());
    let status = installation.milkrun(&["status", "--json"]).with(0).json();
    assert_eq!(status["flows"][0]["last_run"], Value::Null, "{status:#}");

    installation.milkrun(&["run", "orders"]).with(0);
    // The log of calls is the one thing that a preview adds to.
    let content = || {
        let content = installation.content().into_iter();
        content.filter(|(path, _)| !path.ends_with("quota.db")).collect::<Vec<_>>()
    };
    let before = content();
    assert_eq!(outcomes(&preview("100")), (100, BTreeSet::from(["unchanged".to_owned()])));
    assert!(before == content(), "the state, the journal and the documents are as they were");
    assert_eq!(vendor.control.truth("orders"), truth);
}

/// A mapping that knows only some of the vendor's words.
const TOO_STRICT: &str = r#"
[mapping.fields]
sid = "sid"
sellerMemo = "sellerMemo"
status = { from = "sysStatus", values = { FINISHED = "done", SELLER_SEND_GOODS = "sent" } }
"#;

#[test]
fn refused_records_wait_until_the_mapping_is_mended_and_arrive_then() {
    let vendor = Vendor::with_orders(400, DAY);
    let installation = Installation::new(&vendor);
    installation.flow("orders", &orders_flow(&vendor, "", TOO_STRICT));
    let run = installation.milkrun(&["run", "orders", "--json"]).with(3).json();
    let report = &run["flows"][0];
    assert_eq!(report["verdict"], "partial", "{report:#}");
    let dead = || {
        let answer = installation.milkrun(&["dead-letters", "orders", "--limit", "1000", "--json"]).with(0).json();
        list(&answer, "dead_letters").clone()
    };
    let letters = dead();
    let refused = letters.len();
    assert!(refused > 10, "{report:#}");
    // A record that is read twice is refused twice, and has one dead letter.
    assert!(report["counts"]["refused"].as_u64().unwrap() >= refused as u64, "{report:#}");
    assert_eq!(installation.orders().len(), 400 - refused, "the others are delivered");
    for letter in &letters {
        has(letter, &["id", "key", "stage", "reason", "page", "at", "record"]);
        let record = Record::parse(text(&letter["record"])).unwrap();
        assert_eq!(record.get("sid"), letter["key"].as_str());
        let word = record.get("sysStatus").unwrap().trim_matches('"');
        let expected = format!("field `status`: `{word}` (from `sysStatus`) is not among the known `values`");
        assert_eq!((&letter["stage"], &letter["reason"]), (&"mapping".into(), &expected.into()));
    }
    let shown = installation.milkrun(&["dead-letters", "orders"]).with(0);
    for part in ["field `status`: `WAIT_", "refused by the mapping", "milkrun replay orders"] {
        assert!(shown.out.contains(part), "{shown}");
    }
    let list = |limit: usize| installation.milkrun(&["dead-letters", "orders", "--limit", &limit.to_string()]);
    let more = |limit: usize| list(limit).with(0).out.contains(&format!("There are more than {limit}"));
    assert_eq!((more(1), more(refused - 1), more(refused)), (true, true, false));
    list(0).with(2);
    for wrong in
        [["replay", "orders", "9999"], ["preview", "orders", "--record=none"], ["dead-letters", "ordres", "--full"]]
    {
        let error = installation.milkrun(&[&wrong[..], &["--json"]].concat()).with(2).json();
        assert_eq!(error["error"]["kind"], "not-found", "{wrong:?}: {error}");
    }
    let traced = installation.milkrun(&["trace", letters[0]["key"].as_str().unwrap(), "--json"]).with(0).json();
    assert_eq!(traced["dead_letters"][0]["id"], letters[0]["id"]);

    // Neither another run nor a replay without a better mapping makes them go away.
    installation.milkrun(&["run", "orders"]).with(3);
    installation.milkrun(&["replay", "orders"]).with(3);
    assert_eq!(dead().len(), refused);

    installation.flow("orders", &orders_flow(&vendor, "", &TOO_STRICT.replace(" } }", " }, otherwise = \"open\" }")));
    let gone = letters[0]["id"].to_string();
    let ended = installation.milkrun(&["replay", "orders", &gone]).with(2);
    assert!(
        ended.said().contains(&format!("has no dead letter {gone}")),
        "what was sent again has a new number: {ended}"
    );
    installation.milkrun(&["replay", "orders", &dead()[0]["id"].to_string()]).with(3);
    assert_eq!(dead().len(), refused - 1, "one alone was sent");
    let replay = installation.milkrun(&["replay", "orders", "--json"]).with(0).json();
    assert_eq!(replay["flows"][0]["counts"]["new"], refused - 1, "{replay:#}");
    assert!(dead().is_empty());
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_are(&vendor.orders());
}
