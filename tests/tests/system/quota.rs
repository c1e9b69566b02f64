//! The vendor's limits are never exceeded, by whatever runs at one time; [`Vendor`] asserts it when it stops.

use std::time::Duration;

use milkrun_sandbox::kuaimai::Settings;

use crate::installation::{Installation, flow, orders_flow};
use crate::milkrun::side_by_side;
use crate::vendor::{DAY, Vendor, settings};

const SECOND: Duration = Duration::from_secs(1);

/// Two flows of one account that may make five calls a second and twenty in five seconds, at a vendor far enough away
/// for calls to arrive closer together than they were sent.
fn start() -> (Vendor, Installation) {
    let vendor = Vendor::start(Settings {
        n_orders: 560,
        history: 2 * DAY,
        limits: vec![(5, SECOND), (20, 5 * SECOND)],
        latency: Duration::from_millis(20),
        jitter: Duration::from_millis(60),
        ..settings()
    });
    let installation = Installation::new(&vendor);
    installation.account(&vendor, "quota = [\"5/1s\", \"20/5s\"]");
    installation.flow("orders", &orders_flow(&vendor, "page_size = 50", ""));
    let since = format!("since = \"{}\"\npage_size = 50", vendor.since());
    installation.flow("outstock", &flow("sales-outstock", "outstock", &since, ""));
    (vendor, installation)
}

/// Two flows in one process.
fn one_process(vendor: &Vendor, at: &Installation) {
    at.milkrun(&["run", "--all"]).with(0);
    assert!(vendor.n_calls() > 25);
}

/// Each flow in a process of its own.
fn two_processes(_: &Vendor, at: &Installation) {
    for process in ["orders", "outstock"].map(|flow| at.start(&["run", flow])) {
        process.wait().with(0);
    }
}

/// Processes that are killed in the middle of a window and followed by others at once.
fn restarts(vendor: &Vendor, at: &Installation) {
    for n_calls in [3, 9, 18, 22] {
        let mut process = at.start(&["run", "--all"]);
        assert!(process.until(|| vendor.n_calls() >= n_calls));
        process.kill();
    }
    at.milkrun(&["run", "--all"]).with(0);
}

#[test]
fn flows_processes_and_restarts_together_stay_inside_both_windows() {
    let cases: [fn(&Vendor, &Installation); 3] = [one_process, two_processes, restarts];
    side_by_side(cases, |case| {
        let (vendor, installation) = start();
        case(&vendor, &installation);
        installation.orders().assert_are(&vendor.orders());
        // How near they came depends on how fast this machine is.
        for window in vendor.control.stats().windows {
            assert!(window.most_arrived <= window.calls, "{window:?}");
            assert!(window.most_served * 10 >= window.calls * 7, "the limit is used: {window:?}");
        }
    });
}
