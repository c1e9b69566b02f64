//! The process is killed at random moments and started again: each order arrives once, and hardly a page is asked for
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use milkrun_sandbox::CallRecord;
use milkrun_sandbox::kuaimai::Settings;
use milkrun_testkit::dice::Dice;

use crate::installation::{Installation, orders_flow};
use crate::vendor::{DAY, ORDERS, Vendor, floor, settings};

const LATENCY: Duration = Duration::from_millis(10);
/// Kills of one reading.
const KILLS: u64 = 8;
/// Calls of one reading: 50 pages, and in each of six windows the first page once more.
const CALLS: u64 = 56;

/// Which pages of which window were asked for in all lives.
///
/// A window is asked for its first page, for the total, and then from the last page back to the first one.
#[derive(Debug, Default)]
struct Book(BTreeMap<String, Pages>);

#[derive(Debug, Default)]
struct Pages {
    probed: bool,
    read: BTreeSet<u64>,
}

impl Book {
    /// Notes the calls of one life; for each window, how many of its pages had been asked for before.
    fn take(&mut self, calls: &[CallRecord]) -> BTreeMap<String, u64> {
        let mut again = BTreeMap::new();
        for call in calls {
            let (Some(window), Some(page)) = (&call.window, &call.page_no) else { continue };
            let page = page.parse().unwrap();
            let pages = self.0.entry(window.to_string()).or_default();
            let is_new = if page == 1 && pages.read.is_empty() {
                !std::mem::replace(&mut pages.probed, true)
            } else {
                pages.read.insert(page)
            };
            *again.entry(window.to_string()).or_default() += u64::from(!is_new);
        }
        again
    }
}

/// Reads 5,000 orders with a process that is killed again and again.
fn killed_again_and_again(seed: u64, journal: bool) {
    let vendor = Vendor::start(Settings { n_orders: 5_000, history: 5 * DAY, latency: LATENCY, ..settings() });
    let installation = Installation::new(&vendor);
    // A fixed end, and no reaching back, keep the windows the same in every life.
    let until = floor(vendor.control.now()) - SignedDuration::from_mins(30);
    let source = format!("until = \"{until}\"\nlookback = \"0\"\npage_size = 100");
    installation.flow("orders", &orders_flow(&vendor, &source, &format!("journal = {journal}")));
    let mut dice = Dice::new(seed);
    let mut book = Book::default();
    let mut kills = 0;
    let mut done = 0;
    let mut at_the_start = 0;
    loop {
        let since = vendor.n_calls();
        let mut life = installation.start(&["run", "orders"]);
        let survived = if kills < KILLS {
            // Moments counted in calls are spread over the whole reading; those counted in time also fall before the
            // first call.
            let share = CALLS.saturating_sub(done) / (KILLS - kills) + 2;
            let calls = if dice.percent(70) { since + 1 + dice.below(share) } else { 0 };
            let more = Duration::from_millis(if calls > 0 { dice.below(25) } else { dice.below(300) });
            let mut reached = None;
            let ended = !life.until(|| {
                if reached.is_none() && vendor.n_calls() >= calls {
                    reached = Some(Instant::now());
                }
                reached.is_some_and(|at: Instant| at.elapsed() >= more)
            });
            kills += u64::from(!ended);
            if ended { Some(life.wait()) } else { life.kill().code.map(|code| panic!("it ended with {code} by itself")) }
        } else {
            Some(life.wait())
        };
        // A call that was on its way reaches the vendor all the same.
        vendor.settle();
        let calls = vendor.calls_of(ORDERS, since);
        at_the_start += u64::from(calls.is_empty());
        let again = book.take(&calls);
        done += calls.len() as u64 - again.values().sum::<u64>();
        assert!(again.values().all(|n| *n <= 1), "seed {seed}, journal {journal}, life {kills}: {again:?}");
        let Some(ended) = survived else { continue };
        ended.with(0);
        break;
    }
    assert!(kills >= KILLS / 2, "seed {seed}: only {kills} kills");
    println!("seed {seed}, journal {journal}: {kills} kills, {at_the_start} before the first call, {done} pages");
    installation.orders().assert_are(&vendor.orders());
    assert_eq!(installation.path(".milkrun/journal/orders").exists(), journal);
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_are(&vendor.orders());
}

#[test]
fn a_process_that_is_killed_goes_on_where_it_was() {
    std::thread::scope(|scope| {
        scope.spawn(|| killed_again_and_again(1, true));
        scope.spawn(|| killed_again_and_again(2, false));
    });
}
