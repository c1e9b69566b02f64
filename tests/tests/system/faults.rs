//! Every fault of the vendor ends in the right place: repeated until it is over, or one clear error and nothing lost.

use std::time::Duration;

use milkrun_sandbox::kuaimai::{Rotation, Settings};
use milkrun_sandbox::{Fault, FaultRule};

use crate::installation::Installation;
use crate::milkrun::{Ended, side_by_side};
use crate::vendor::{DAY, Vendor, settings};

const REFRESH: &str = "open.token.refresh";

/// Orders of three days, about 200 a day.
fn vendor() -> Vendor {
    let latency = Duration::from_millis(20);
    Vendor::start(Settings { n_orders: 600, history: 3 * DAY, latency, rotation: Rotation::Both, ..settings() })
}

/// The sentence that says why a run failed; there has to be exactly one.
fn why(ended: &Ended) -> &str {
    let sentences: Vec<&str> = ended.out.lines().filter_map(|line| line.trim_start().strip_prefix("why: ")).collect();
    assert_eq!(sentences.len(), 1, "{ended}");
    assert_eq!(ended.said(), "", "what is said on standard error too: {ended}");
    sentences[0]
}

/// After the fault is over, a run ends with all orders, each of them once.
fn completes(vendor: &Vendor, installation: &Installation) {
    vendor.control.clear_faults();
    vendor.control.revive_session();
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_are(&vendor.orders());
}

#[test]
fn a_fault_that_passes_is_outlasted() {
    let slow = |secs| FaultRule::new(Fault::Slow { delay: Duration::from_secs(secs) });
    let rules = [
        FaultRule::new(Fault::Html).next(3),
        FaultRule::new(Fault::EmptyBody).next(3),
        FaultRule::new(Fault::Truncated).every(4),
        FaultRule::new(Fault::Reset).every(4),
        FaultRule::new(Fault::Cut).every(4),
        FaultRule::new(Fault::HttpStatus { status: 503 }).next(4),
        FaultRule::new(Fault::vendor_code("1")).every(3),
        slow(1).every(5),
        // Longer than a call may take: it counts as lost.
        slow(40).next(1),
        FaultRule::new(Fault::TotalMissing).next(5),
        FaultRule::new(Fault::TotalMissing),
    ];
    side_by_side(rules, |rule| {
        let vendor = vendor();
        let fault = rule.fault.clone();
        vendor.fault(rule);
        let installation = Installation::of_orders(&vendor, "page_size = 100");
        let ended = installation.milkrun(&["run", "orders"]).with(0);
        assert!(ended.out.contains("reconciled"), "{fault:?}: {ended}");
        assert!(vendor.struck(&fault) > 0, "{fault:?}");
        installation.orders().assert_are(&vendor.orders());
    });
}

#[test]
fn a_fault_that_stays_is_one_clear_error_and_loses_nothing() {
    let cases = [
        (Fault::Html, "the answer is an HTML page instead of JSON"),
        (Fault::EmptyBody, "the answer has an empty body"),
        (Fault::Truncated, "the answer is not the documented JSON"),
        (Fault::Reset, "the vendor cannot be reached"),
        (Fault::Cut, "the answer broke off"),
        (Fault::HttpStatus { status: 503 }, "the vendor's server failed (http_status: 503"),
        (Fault::HttpStatus { status: 404 }, "the vendor refuses the request (http_status: 404"),
        (Fault::vendor_code("1"), "fault (vendor_code: 1"),
        (Fault::vendor_code("20014"), "fault (vendor_code: 20014"),
        (Fault::vendor_code("never-heard-of"), "fault (vendor_code: never-heard-of"),
        (Fault::vendor_code("25"), "check `app_secret` and `sign_method`"),
    ];
    side_by_side(cases, |(fault, expected)| {
        let vendor = vendor();
        let installation = Installation::of_orders(&vendor, "page_size = 100\nattempts = 2");
        // Some pages arrive before it begins; the next are a second away.
        installation.account(&vendor, "calls_per_second = 4");
        let mut running = installation.start(&["run", "orders"]);
        assert!(running.until(|| vendor.n_calls() >= 4));
        vendor.fault(FaultRule::new(fault.clone()));
        // What the settings have to say right is their mistake, whoever finds it.
        let code = if fault == Fault::vendor_code("25") { 2 } else { 1 };
        let ended = running.wait().with(code);
        assert!(why(&ended).contains(expected), "{fault:?}: {ended}");
        installation.orders().assert_nothing_doubled();
        completes(&vendor, &installation);
    });
}

#[test]
fn a_dead_session_is_said_with_what_to_do() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "page_size = 100");
    installation.account(&vendor, "calls_per_second = 4");
    let mut running = installation.start(&["run", "orders"]);
    assert!(running.until(|| vendor.n_calls() >= 4));
    vendor.control.kill_session();
    let ended = running.wait().with(1);
    let why = why(&ended);
    for part in ["the vendor does not accept the session", "ask Kuaimai's support to authorise", "milkrun check"] {
        assert!(why.contains(part), "{ended}");
    }
    assert!(vendor.calls_of(REFRESH, 0).len() <= 1, "a dead session is refreshed once");
    completes(&vendor, &installation);
}

#[test]
fn a_run_that_fails_leaves_nothing_uncommitted_in_the_file() {
    side_by_side(0..8, |n| {
        let vendor = Vendor::start(Settings { n_orders: 2_000, history: 4 * DAY, limits: Vec::new(), ..settings() });
        let installation = Installation::of_orders(&vendor, "page_size = 100");
        installation.account(&vendor, "quota = []");
        let mut running = installation.start(&["run", "orders"]);
        // A reason that concerns all windows ends the run while pages of the others are being committed.
        assert!(running.until(|| vendor.n_calls() >= 8 + n));
        vendor.control.kill_session();
        let ended = running.wait().with(1);
        let status = installation.milkrun(&["status", "--json"]).with(0).json();
        assert_eq!(status["flows"][0]["ledger"], installation.orders().len(), "{ended}");
        completes(&vendor, &installation);
    });
}

#[test]
fn a_session_that_the_vendor_never_takes_again_ends_the_run() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "page_size = 100");
    vendor.fault(FaultRule::new(Fault::vendor_code("invalid_session")));
    let ended = installation.milkrun(&["run", "orders"]).with(1);
    assert!(why(&ended).contains("another program refreshes the same session"), "{ended}");
    assert_eq!(vendor.calls_of(REFRESH, 0).len(), 1, "{ended}");
    completes(&vendor, &installation);
}

#[test]
fn a_session_that_is_refused_is_refreshed_once_for_all_and_kept() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "page_size = 100");
    vendor.fault(FaultRule::new(Fault::vendor_code("invalid_session")).next(1));
    let ended = installation.milkrun(&["run", "orders"]).with(0);
    assert_eq!(vendor.control.stats().refreshes, 1, "{ended}");
    installation.orders().assert_are(&vendor.orders());
    // The new tokens took the place of the old ones, which are dead, and are read from the vault.
    let since = vendor.n_calls();
    installation.milkrun(&["run", "orders"]).with(0);
    assert_eq!(vendor.control.stats().refreshes, 1);
    assert!(vendor.control.calls(since).iter().all(|call| &*call.outcome == "ok"));
}

#[test]
fn a_refresh_that_is_refused_is_said_with_what_to_do() {
    // The vendor's code, the exit code, and what is said; nothing where the session serves on.
    let cases = [
        ("refresh_frequently", 0, None),
        ("33", 2, Some("check `refresh_token`")),
        ("400", 1, Some("check `refresh_token`; if it is right, ask Kuaimai's support")),
        ("invalid_session", 1, Some("ask Kuaimai's support to authorise the API again")),
    ];
    side_by_side(cases, |(code, exit, expected)| {
        let vendor = vendor();
        let installation = Installation::of_orders(&vendor, "page_size = 100");
        vendor.fault(FaultRule::new(Fault::vendor_code("invalid_session")).next(1));
        vendor.control.add_fault(FaultRule::new(Fault::RefreshRefused { code: Some(code.to_owned()) }));
        let ended = installation.milkrun(&["run", "orders"]);
        assert_eq!(ended.code, Some(exit), "{code}: {ended}");
        match expected {
            Some(expected) => assert!(why(&ended).contains(expected), "{code}: {ended}"),
            None => assert_eq!(ended.log("WARN").len(), 1, "{code}: {ended}"),
        }
        assert_eq!(vendor.calls_of(REFRESH, 0).len(), 1, "{code}: {ended}");
        completes(&vendor, &installation);
    });
}

#[test]
fn a_page_that_comes_for_ever_is_found_out_at_its_second_time() {
    side_by_side([Fault::SamePage, Fault::PageIgnored], |fault| {
        // One window with 50 pages.
        let vendor = Vendor::with_orders(1_000, DAY / 2);
        vendor.fault(FaultRule::new(fault.clone()));
        let installation = Installation::of_orders(&vendor, "page_size = 20");
        let ended = installation.milkrun(&["run", "orders"]).with(1);
        let why = why(&ended);
        for part in ["the same page came twice", "parameter: pageNo", "the vendor seems to ignore `pageNo`"] {
            assert!(why.contains(part), "{fault:?}: {ended}");
        }
        assert_eq!(vendor.n_calls(), 2, "{fault:?}: {ended}");
        completes(&vendor, &installation);
    });
}
