//! Two processes on one flow, and Ctrl-C.

use std::collections::BTreeMap;

use crate::installation::{Installation, orders_flow};
use crate::vendor::{DAY, ORDERS, Vendor};

/// Orders of 20 calls, and an installation that makes four a second.
fn start() -> (Vendor, Installation) {
    let vendor = Vendor::with_orders(1_500, 2 * DAY);
    let installation = Installation::of_orders(&vendor, SOURCE);
    installation.account(&vendor, "calls_per_second = 4");
    (vendor, installation)
}

const SOURCE: &str = "page_size = 100";

#[test]
fn a_second_process_on_one_flow_is_told_that_it_is_busy() {
    let (vendor, installation) = start();
    let mut first = installation.start(&["run", "orders"]);
    assert!(first.until(|| vendor.n_calls() >= 2));
    let second = installation.milkrun(&["run", "orders"]).with(1);
    let said = second.said();
    for part in ["flow `orders` is being run by process ", "wait until it has ended, or stop it"] {
        assert!(said.contains(part), "{second}");
    }
    assert_eq!(said.matches("error: ").count(), 1, "{second}");
    let replay = installation.milkrun(&["replay", "orders", "--json"]);
    let status = installation.milkrun(&["status", "--json"]).with(0).json();
    let doctor = installation.milkrun(&["doctor", "--offline"]);
    assert!(!first.has_ended(), "the first one is still at work");
    assert!(doctor.out.contains("the first run of `orders` is under way: process "), "{doctor}");
    assert!(!doctor.out.contains("up to date") && !doctor.out.contains("cut off"), "{doctor}");
    assert_eq!(replay.json()["flows"][0]["error"]["kind"], "busy", "{replay}");
    assert!(status["flows"][0]["running"]["who"].as_str().unwrap().starts_with("process "), "{status:#}");
    let run = &status["flows"][0]["last_run"];
    assert_eq!(run["is_under_way"], true, "{status:#}");
    assert!(run["report"]["reason"].is_null() && run["report"]["verdict"].is_null(), "{status:#}");
    first.wait().with(0);
    installation.orders().assert_are(&vendor.orders());
    assert!(installation.milkrun(&["status", "--json"]).json()["flows"][0]["running"].is_null());
    let doctor = installation.milkrun(&["doctor", "--offline"]);
    assert!(doctor.out.contains("flows that have run and are up to date: 1"), "{doctor}");
    assert!(!doctor.out.contains("under way"), "{doctor}");
}

#[test]
fn a_run_is_the_first_one_until_one_has_ended() {
    let (vendor, installation) = start();
    let mut first = installation.start(&["run", "orders"]);
    assert!(first.until(|| vendor.n_calls() >= 2));
    first.kill();
    let doctor = installation.milkrun(&["doctor", "--offline"]);
    assert!(doctor.out.contains("the last run of `orders` was cut off"), "{doctor}");
    for says in ["the first run of `orders` is under way: process ", "`orders` is running: process "] {
        let before = vendor.n_calls();
        let mut next = installation.start(&["run", "orders"]);
        assert!(next.until(|| vendor.n_calls() > before));
        let doctor = installation.milkrun(&["doctor", "--offline"]);
        assert!(!next.has_ended(), "it is still at work");
        assert!(doctor.out.contains(says) && !doctor.out.contains("cut off"), "{doctor}");
        next.interrupt();
        next.wait().with(1);
    }
}

#[test]
fn two_flows_do_not_write_one_file() {
    let (vendor, installation) = start();
    installation.flow("again", &orders_flow(&vendor, SOURCE, ""));
    let ended = installation.milkrun(&["run", "orders"]).with(2);
    assert!(ended.said().contains("flows/orders.toml"), "the second by name is refused: {ended}");
    assert_eq!(vendor.n_calls(), 0);
}

#[test]
fn ctrl_c_ends_in_good_order_and_the_next_run_goes_on() {
    let (vendor, installation) = start();
    let mut running = installation.start(&["run", "orders"]);
    assert!(running.until(|| vendor.n_calls() >= 6));
    running.interrupt();
    let ended = running.wait().with(1);
    assert!(ended.said().contains("Ctrl-C"), "{ended}");
    assert!(ended.out.contains("the run was stopped; the next one goes on where it ended"), "{ended}");
    assert!(ended.out.contains("partial") && !ended.out.contains("failed"), "{ended}");
    let first = installation.orders();
    assert!(first.len() > 0 && first.len() < 1_500, "{} orders", first.len());
    let status = installation.milkrun(&["status", "--json"]).with(0).json();
    let flow = &status["flows"][0];
    assert_eq!(flow["ledger"], first.len(), "what is in the file is committed: {status:#}");
    assert!(flow["open_slices"].as_u64().unwrap() > 0, "{status:#}");
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_are(&vendor.orders());
    // The first page of a window is asked for twice, any other once, and one of each open window once more.
    let mut asked: BTreeMap<(String, u64), i64> = BTreeMap::new();
    for call in vendor.calls_of(ORDERS, 0) {
        let page = call.page_no.unwrap().parse().unwrap();
        *asked.entry((call.window.unwrap().into_string(), page)).or_insert(if page == 1 { -2 } else { -1 }) += 1;
    }
    let mut again: BTreeMap<&str, i64> = BTreeMap::new();
    for ((window, _), more) in &asked {
        *again.entry(window).or_default() += (*more).max(0);
    }
    assert!(again.values().all(|n| *n <= 1), "{again:?}");
}
