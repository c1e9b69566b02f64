//! A span of the past is read beside a flow's runs: killed, carried on by live runs, ended by itself, nothing doubled.

use std::time::Duration;

use jiff::SignedDuration;
use milkrun_sandbox::kuaimai::Settings;
use serde_json::Value;

use crate::installation::{Installation, flow};
use crate::vendor::{DAY, Vendor, floor, settings};

fn orders(installation: &Installation) -> Value {
    installation.milkrun(&["status", "--json"]).with(0).json()["flows"][0].clone()
}

#[test]
fn a_killed_backfill_is_carried_on_by_live_runs() {
    let latency = Duration::from_millis(10);
    let vendor = Vendor::start(Settings { n_orders: 3_000, history: 5 * DAY, latency, ..settings() });
    let installation = Installation::new(&vendor);
    let since = floor(vendor.control.now() - SignedDuration::from_hours(36));
    let source = format!("since = \"{since}\"\npage_size = 50");
    installation.flow("orders", &flow("orders", "orders", &source, ""));
    let own = installation.milkrun(&["run", "orders", "--json"]).with(0).json();
    let n_own = installation.orders().len();
    assert!(n_own > 100 && n_own < 2_000, "{n_own}");
    assert!(own["flows"][0]["backfill"].is_null());

    // Killed in the middle: what was committed stays, and the rest is open.
    let from = vendor.since().to_string();
    let mut life =
        installation.start(&["backfill", "orders", "--from", &from, "--to", &since.to_string(), "--share", "60"]);
    let file = installation.path("out/orders.jsonl");
    let length = || file.metadata().unwrap().len();
    let before = length();
    assert!(life.until(|| length() > before), "it has to be killed before it ends");
    life.kill();
    let status = orders(&installation);
    let left = status["backfill"]["slices"].as_u64().unwrap();
    assert!(left > 0 && status["open_slices"] == 0, "{status:#}");
    assert!(status["last_run"]["verdict"].is_null());
    let shown = installation.milkrun(&["status"]).with(0).out;
    assert!(shown.contains("milkrun backfill orders"), "{shown}");

    // The last line may be torn.
    let n_killed = std::fs::read_to_string(&file).unwrap().lines().count();
    // Live runs that read their own part once more carry it on, and it counts in none of their verdicts.
    installation.flow("orders", &flow("orders", "orders", &format!("{source}\nlookback = \"36h\""), ""));
    let mut proved = 0;
    for _ in 0..3 {
        let report = installation.milkrun(&["run", "orders", "--json"]).with(0).json()["flows"][0].clone();
        assert_eq!((&report["verdict"], &report["kind"]), (&"reconciled".into(), &"run".into()), "{report:#}");
        proved += report["backfill"]["proved"].as_u64().unwrap_or(0);
    }
    let n_read = installation.orders().len();
    // A run of its own ends it.
    let ended = installation.milkrun(&["backfill", "orders", "--json"]).with(0).json();
    assert!(ended["flows"].as_array().unwrap().iter().all(|run| run["verdict"] == "reconciled"), "{ended:#}");
    assert!(orders(&installation)["backfill"].is_null());
    assert!(proved > 0 || n_read > n_killed, "the live runs read nothing of it");
    installation.orders().assert_are(&vendor.orders());

    // Once more, all of it: nothing is sent again.
    let all = ["backfill", "orders", "--from", &from, "--share", "100", "--json"];
    let again = installation.milkrun(&all).with(0).json();
    let counts = &again["flows"][0]["counts"];
    assert_eq!((counts["new"].as_u64(), counts["changed"].as_u64()), (Some(0), Some(0)), "{again:#}");
    assert!(counts["unchanged"].as_u64().unwrap() >= 3_000);
    installation.orders().assert_are(&vendor.orders());
}

#[test]
fn a_backfill_says_what_it_cannot_do() {
    let vendor = Vendor::with_orders(50, DAY);
    let installation = Installation::of_orders(&vendor, "");
    installation.flow("shops", &flow("shops", "shops", "", ""));
    let said = |arguments: &[&str], code: i32| installation.milkrun(arguments).with(code).said();
    assert!(said(&["backfill", "shops", "--from", "2026-01-01"], 2).contains("span of time"));
    assert!(said(&["backfill", "orders", "--from", "yesterday"], 2).contains("`yesterday` is no day"));
    assert!(said(&["backfill", "orders", "--from", "2999-01-01"], 2).contains("the span to be read is empty"));
    assert!(said(&["backfill", "orders", "--from", "2026-01-01", "--share", "0"], 2).contains("1..=100"));
    assert!(said(&["backfill", "orders"], 0).contains("No backfill"));
    let from = vendor.since().to_string();
    let later = said(&["backfill", "orders", "--from", &from, "--to", "2999-01-01", "--later"], 0);
    assert!(later.contains("What is later may still change") && later.contains("next runs"), "{later}");
    assert!(!orders(&installation)["backfill"].is_null());
}

#[test]
fn one_slice_is_told_as_one() {
    let vendor = Vendor::with_orders(50, DAY);
    let installation = Installation::of_orders(&vendor, "");
    let (from, to) = (vendor.since(), vendor.since() + SignedDuration::from_hours(1));
    let later = ["backfill", "orders", "--from", &from.to_string(), "--to", &to.to_string(), "--later"];
    let opened = installation.milkrun(&later).with(0).said();
    assert!(opened.contains(": 1 slice from "), "{opened}");
    let status = installation.milkrun(&["status"]).with(0);
    assert!(status.out.contains(" is open, 1 slice is left: "), "{status}");
}
