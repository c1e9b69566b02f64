//! A whole account is read over HTTP, and the next run finds nothing new.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::installation::{Installation, flow, orders_flow};
use crate::output::{lines, text};
use crate::place::Place;
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

#[test]
fn a_row_that_a_file_holds_twice_is_one_key() {
    let place = Place::new(
        "[accounts.files]\nconnector = \"file\"\nfolder = \".\"\n\n[[accounts.files.streams]]\nname = \"orders\"\n\
         path = \"in.csv\"\nkey = [\"id\"]\npage_size = 2\n",
    );
    // Twice on one page, and once more on the next one.
    place.write("in.csv", "id,total\na,1.50\na,1.50\nb,2.00\na,1.50\nc,3.25\n");
    for (name, format) in [("table", None), ("json", Some("--json"))] {
        let source = "[source]\naccount = \"files\"\nstream = \"orders\"\n";
        place.flow(name, &format!("{source}\n[sink]\naccount = \"files\"\ntarget = \"{name}\"\n"));
        let ended = place.milkrun(&[&["run", name][..], format.as_slice()].concat()).with(0);
        assert_eq!(lines(&place.path(&format!("{name}.jsonl"))).len(), 3, "{ended}");
        if format.is_some() {
            let answer = ended.json();
            let report = report(&answer, name);
            assert_eq!(report["verdict"], "reconciled", "{report:#}");
            assert_eq!((&report["counts"]["records"], &report["counts"]["new"]), (&5.into(), &3.into()), "{report:#}");
            let proved = serde_json::json!({ "slices": 1, "distinct": 3, "total": 5 });
            assert_eq!(report["proved"], serde_json::json!({ "snapshot": proved }), "{report:#}");
        } else {
            let row = |name: &str| {
                let line = ended.out.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{ended}"));
                line[name.len()..].trim().to_owned()
            };
            let (total, distinct) = (row("vendor's total"), row("distinct keys read"));
            assert_eq!((total.as_str(), distinct.as_str()), ("5", "3"), "{ended}");
        }
    }
}
