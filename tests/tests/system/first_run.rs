//! A whole account is read over HTTP, and the next run finds nothing new.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::installation::{Installation, flow, orders_flow};
use crate::output::{lines, text};
use crate::vendor::{DAY, Vendor};

/// The report of a flow in the answer of `run --json`.
fn report<'a>(answer: &'a Value, flow: &str) -> &'a Value {
    answer["flows"].as_array().unwrap().iter().find(|report| report["flow"] == flow).unwrap()
}

#[test]
fn a_first_run_holds_exactly_the_vendors_truth_and_a_second_one_adds_nothing() {
    let vendor = Vendor::with_orders(3_000, 4 * DAY);
    let installation = Installation::new(&vendor);
    let lookback = SignedDuration::from_hours(3);
    installation.flow("orders", &orders_flow(&vendor, "lookback = \"3h\"", ""));
    let since = format!("since = \"{}\"", vendor.since());
    installation.flow("items", &flow("items", "items", &since, ""));

    let first = installation.milkrun(&["run", "--all", "--json"]).with(0).json();
    installation.orders().assert_are(&vendor.orders());
    let items = lines(&installation.path("out/items.jsonl"));
    let keys: Vec<String> = items.iter().map(|item| text(&item["sysItemId"])).collect();
    assert_eq!(keys.len(), 20);
    assert_eq!(
        keys.into_iter().collect::<BTreeSet<_>>(),
        vendor.control.truth("items").unwrap().into_iter().map(|row| row.key).collect()
    );
    for (name, n) in [("orders", 3_000), ("items", 20)] {
        let report = report(&first, name);
        assert_eq!(report["verdict"], "reconciled", "{report:#}");
        let counts = ["records", "new", "documents", "changed", "unchanged", "refused"].map(|c| &report["counts"][c]);
        // Every order of a slice with several pages is read once, those of the first page twice.
        assert!(counts[0].as_u64().unwrap() >= n, "{report:#}");
        assert_eq!((counts[1], counts[2]), (&Value::from(n), &Value::from(n)), "{report:#}");
        let proved = report["proved"].as_object().unwrap().values();
        assert_eq!(proved.map(|p| p["distinct"].as_u64().unwrap()).sum::<u64>(), n, "{report:#}");
    }

    let before = installation.path("out/orders.jsonl").metadata().unwrap().len();
    let status = installation.milkrun(&["status", "--json"]).with(0).json();
    let flow = status["flows"].as_array().unwrap().iter().find(|flow| flow["name"] == "orders").unwrap();
    let read_up_to: Timestamp = flow["planned"][0][1].as_str().unwrap().parse().unwrap();
    let second = installation.milkrun(&["run", "orders", "--json"]).with(0).json();
    let report = report(&second, "orders");
    assert_eq!(report["verdict"], "reconciled", "{report:#}");
    assert_eq!((&report["counts"]["new"], &report["counts"]["changed"]), (&Value::from(0), &Value::from(0)));
    let from = (read_up_to - lookback).as_millisecond();
    let in_lookback = vendor.control.truth("orders").unwrap().iter().filter(|row| row.modified >= from).count();
    assert!(in_lookback > 20);
    assert_eq!(report["counts"]["unchanged"], in_lookback, "{report:#}");
    assert_eq!(installation.path("out/orders.jsonl").metadata().unwrap().len(), before, "nothing is written");
}
