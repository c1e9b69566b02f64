//! The vendor's limits are never exceeded, by whatever runs at one time; [`Vendor`] asserts it when it stops.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use milkrun_core::transport::client;
use milkrun_core::{Clock, Quota, SystemClock};
use milkrun_sandbox::kuaimai::Settings;
use milkrun_store::{SqliteStore, StoreOptions};

use crate::in_process::{account, context};
use crate::installation::{Installation, flow, orders_flow};
use crate::vendor::{DAY, Vendor, settings};

const SECOND: Duration = Duration::from_secs(1);

/// A vendor that allows these calls, far enough away for calls to arrive closer together than they were sent.
fn vendor(limits: &[(u32, Duration)]) -> Vendor {
    Vendor::start(Settings {
        n_orders: 600,
        history: 2 * DAY,
        limits: limits.to_vec(),
        latency: Duration::from_millis(20),
        jitter: Duration::from_millis(60),
        ..settings()
    })
}

/// Two flows of one account, which allows five calls a second.
fn installation(vendor: &Vendor) -> Installation {
    let installation = Installation::new(vendor);
    installation.account(vendor, "calls_per_second = 5\n");
    installation.flow("orders", &orders_flow(vendor, "page_size = 50", ""));
    let since = format!("since = \"{}\"\npage_size = 50", vendor.since());
    installation.flow("outstock", &flow("sales-outstock", "outstock", &since, ""));
    installation
}

/// All orders are there, and the account used what it may.
fn complete(vendor: &Vendor, installation: &Installation) {
    installation.orders().assert_are(&vendor.orders());
    let window = &vendor.control.stats().windows[0];
    assert_eq!((window.most_arrived, window.most_served), (5, 5));
}

#[test]
fn flows_processes_and_restarts_together_stay_inside_the_vendors_limit() {
    let one_process = || {
        let vendor = vendor(&[(5, SECOND)]);
        let installation = installation(&vendor);
        installation.milkrun(&["run", "--all"]).with(0);
        complete(&vendor, &installation);
    };
    let two_processes = || {
        let vendor = vendor(&[(5, SECOND)]);
        let installation = installation(&vendor);
        let both = ["orders", "outstock"].map(|flow| installation.start(&["run", flow]));
        for process in both {
            process.wait().with(0);
        }
        complete(&vendor, &installation);
    };
    let restarts = || {
        let vendor = vendor(&[(5, SECOND)]);
        let installation = installation(&vendor);
        for n_calls in [3, 9, 16] {
            let mut process = installation.start(&["run", "--all"]);
            assert!(process.until(|| vendor.n_calls() >= n_calls));
            process.kill();
        }
        installation.milkrun(&["run", "--all"]).with(0);
        complete(&vendor, &installation);
    };
    thread::scope(|scope| {
        scope.spawn(one_process);
        scope.spawn(two_processes);
        scope.spawn(restarts);
    });
}

#[test]
fn two_windows_and_two_workers_on_one_log_are_never_refused() {
    const N_CALLS: usize = 45;
    let limits = [(5, SECOND), (20, 5 * SECOND)];
    let vendor = vendor(&limits);
    let quota = limits.iter().fold(Quota::unlimited(), |quota, (calls, per)| quota.and(*calls, *per));
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let http = client().unwrap();
        let account = account(&vendor.url, &vendor.settings);
        let source = account.source.clone().unwrap();
        let mut callers = tokio::task::JoinSet::new();
        for _worker in 0..2 {
            let store = SqliteStore::open(folder.path(), StoreOptions::default()).unwrap();
            let cx = context(&account, &vendor.settings, quota.clone(), store, &clock, &http);
            for _ in 0..4 {
                let (cx, source, control) = (cx.clone(), Arc::clone(&source), vendor.control.clone());
                callers.spawn(async move {
                    while control.stats().total_calls < N_CALLS as u64 {
                        source.check(&cx).await.unwrap();
                    }
                });
            }
        }
        callers.join_all().await;
    });
    let stats = vendor.control.stats();
    let fullest: Vec<_> = stats.windows.iter().map(|window| (window.most_arrived, window.most_served)).collect();
    assert_eq!(fullest, [(5, 5), (20, 20)], "both limits are reached, and neither is exceeded");
}
