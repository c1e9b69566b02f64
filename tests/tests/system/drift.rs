//! Rows change while they are read: a run never claims more than it has, and once the drift is over nothing is lost,
//! stale or doubled.
//!
//! A pager that only goes forward loses 27 of 1,000 orders when three rows of each page change after it was served.

use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_sandbox::kuaimai::Settings;
use milkrun_sandbox::{Control, Fault, FaultRule};

use crate::installation::{Installation, orders_flow};
use crate::output::Orders;
use crate::vendor::{DAY, Vendor, settings};

/// The vendor's clock is so far behind the machine's at first; signatures may be ten minutes old.
const BEHIND: Duration = Duration::from_mins(8);

/// Asserts that every order whose last change lies before `until` is there in its newest version.
pub(crate) fn assert_has_all_before(orders: &Orders, control: &Control, until: Timestamp, what: &str) {
    let newest = orders.newest();
    for row in control.truth("orders").unwrap() {
        if row.modified < until.as_millisecond() {
            assert_eq!(newest.get(&row.key), Some(&row.version), "{what}: reconciled without {row:?}");
        }
    }
}

/// One account whose orders change while they are read; whether its first run ended reconciled.
fn drifting(seed: u64) -> bool {
    let start = Timestamp::now() - SignedDuration::try_from(BEHIND).unwrap();
    let vendor =
        Vendor::start(Settings { seed, n_orders: 1_000, history: DAY / 2, clock_start: Some(start), ..settings() });
    // Half of the accounts change for ever, the others until so many rows have changed.
    let stop_after = (seed % 2 == 1).then_some(30 * u32::try_from(seed).unwrap());
    vendor.fault(FaultRule::new(Fault::Drift { rows: 3, stop_after }));
    let installation = Installation::new(&vendor);
    // The newest window ends 60 seconds ago for the vendor.
    let flow = |settle| orders_flow(&vendor, &format!("page_size = 100\nsettle = \"{settle}\""), "");
    installation.flow("orders", &flow("9m"));
    let until = Timestamp::now() - SignedDuration::from_mins(9);
    let first = installation.milkrun(&["run", "orders", "--json"]);
    let verdict = first.json()["flows"][0]["verdict"].as_str().unwrap().to_owned();
    let expected = match first.code {
        Some(0) => "reconciled",
        Some(3) => "unreconciled",
        _ => panic!("seed {seed}: {first}"),
    };
    assert_eq!(verdict, expected, "seed {seed}: {first}");
    assert!(vendor.struck(&Fault::drift(3)) > 5, "seed {seed}: the pages drifted");
    if verdict == "reconciled" {
        assert_has_all_before(&installation.orders(), &vendor.control, until, &format!("seed {seed}"));
    }
    installation.orders().assert_nothing_doubled();

    // Time passes, and nothing changes any more.
    vendor.control.clear_faults();
    vendor.control.advance_clock(BEHIND);
    installation.flow("orders", &flow("60s"));
    let last = installation.milkrun(&["run", "orders", "--json"]).with(0).json();
    assert_eq!(last["flows"][0]["verdict"], "reconciled", "seed {seed}");
    installation.orders().assert_newest_are(&vendor.orders());
    verdict == "reconciled"
}

#[test]
fn a_thousand_orders_that_drift_arrive_in_their_newest_version() {
    thread::scope(|scope| {
        let runs: Vec<_> = (0..10).map(|seed| scope.spawn(move || drifting(seed))).collect();
        let reconciled = runs.into_iter().map(|run| run.join().unwrap()).filter(|r| *r).count();
        println!("{reconciled} of 10 first runs ended reconciled in spite of the drift");
    });
}
