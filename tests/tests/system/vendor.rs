//! A simulated Kuaimai in a thread of its own, and what is true there.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use milkrun_sandbox::kuaimai::Settings;
use milkrun_sandbox::{CallRecord, Control, Fault, FaultRule};

use crate::simulator::Simulator;

pub(crate) const DAY: Duration = Duration::from_hours(24);
/// The method of the stream `orders`.
pub(crate) const ORDERS: &str = "erp.trade.list.query";

/// A running simulator; it has to have kept its call limits when it stops.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub(crate) settings: Settings,
    simulator: Simulator,
}

impl Deref for Vendor {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

/// Secrets that stand out in any text; the limits are the vendor's own, 15 calls a second.
pub(crate) fn settings() -> Settings {
    Settings {
        n_items: 20,
        n_documents: 0,
        app_secret: "vErY-sEcReT-aPp".to_owned(),
        session: "vErY-sEcReT-sEsSiOn".to_owned(),
        refresh_token: "vErY-sEcReT-rEfReSh".to_owned(),
        ..Settings::default()
    }
}

impl Vendor {
    pub(crate) fn start(settings: Settings) -> Self {
        let simulator = Simulator::kuaimai(settings.clone());
        Self { settings, simulator }
    }

    /// So many orders, changed last within `history` before one hour ago.
    pub(crate) fn with_orders(n_orders: u32, history: Duration) -> Self {
        Self::start(Settings { n_orders, history, ..settings() })
    }

    /// Before the oldest order.
    pub(crate) fn since(&self) -> Timestamp {
        let reach = self.settings.history + self.settings.quiet + Duration::from_hours(1);
        floor(self.control.now() - SignedDuration::try_from(reach).unwrap())
    }

    /// All orders: the version of each.
    pub(crate) fn orders(&self) -> BTreeMap<String, u32> {
        truth(&self.control)
    }

    /// How many calls have come so far, of all methods.
    pub(crate) fn n_calls(&self) -> u64 {
        self.control.stats().total_calls
    }

    /// Waits until nothing more is under way: no call comes for five times as long as one takes.
    pub(crate) fn settle(&self) {
        let (mut n_calls, mut at) = (self.n_calls(), Instant::now());
        while at.elapsed() < self.settings.latency * 5 {
            thread::sleep(Duration::from_millis(1));
            let now = self.n_calls();
            if now > n_calls {
                (n_calls, at) = (now, Instant::now());
            }
        }
    }

    /// The calls of a method after that number.
    pub(crate) fn calls_of(&self, method: &str, since: u64) -> Vec<CallRecord> {
        self.control.calls(since).into_iter().filter(|call| &*call.method == method).collect()
    }

    /// Switches a fault of orders on.
    pub(crate) fn fault(&self, rule: FaultRule) {
        self.control.add_fault(rule.method(ORDERS));
    }

    /// How often a fault struck.
    pub(crate) fn struck(&self, fault: &Fault) -> u64 {
        self.control.stats().faults.get(fault.name()).copied().unwrap_or(0)
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_eq!(self.control.stats().rejected_for_limits, 0, "the vendor's limits hold in every test");
        }
    }
}

/// The instant without parts of a second, as flows take it.
pub(crate) fn floor(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap()
}

/// All orders as they stand now: the version of each.
pub(crate) fn truth(control: &Control) -> BTreeMap<String, u32> {
    control.truth("orders").unwrap().into_iter().map(|row| (row.key, row.version)).collect()
}
