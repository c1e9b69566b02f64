//! The process is killed at random moments and started again: each order arrives once, and hardly a page is asked for
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use milkrun_sandbox::CallRecord;
use milkrun_sandbox::kuaimai::Settings;
use milkrun_testkit::dice::Dice;

use crate::installation::{Installation, orders_flow};
use crate::milkrun::Running;
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

/// Waits for a random moment; says whether the process still runs then.
fn await_moment(life: &mut Running, dice: &mut Dice, share: u64, vendor: &Vendor, at: &Installation) -> bool {
    let delay = |begun: Instant, most: u64, dice: &mut Dice| {
        let moment = Duration::from_millis(dice.below(most));
        move || begun.elapsed() >= moment
    };
    match dice.below(10) {
        // In the middle of a commit: documents are written, and the state does not know of them yet.
        0..4 => {
            let length = || at.path("out/orders.jsonl").metadata().map_or(0, |file| file.len());
            let (mut before, mut commits) = (length(), 1 + dice.below(share.div_ceil(2)));
            life.until(|| {
                let now = length();
                commits -= u64::from(now > before);
                before = now;
                commits == 0
            })
        }
        // Soon after a call, so that the moments are spread over the whole reading.
        4..8 => {
            let calls = vendor.n_calls() + 1 + dice.below(share);
            life.until(|| vendor.n_calls() >= calls) && life.until(delay(Instant::now(), 25, dice))
        }
        // At any time, before the first call too.
        _ => life.until(delay(Instant::now(), 300, dice)),
    }
}

/// Reads 5,000 orders with a process that is killed again and again; says how that went.
fn killed_again_and_again(seed: u64, journal: bool) -> String {
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
            let share = CALLS.saturating_sub(done) / (KILLS - kills) + 2;
            let ended = !await_moment(&mut life, &mut dice, share, &vendor, &installation);
            kills += u64::from(!ended);
            let last = if ended { life.wait() } else { life.kill() };
            // None if it was killed.
            last.code.is_some().then_some(last)
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
    let seen = format!("seed {seed}, journal {journal}: {kills} kills, {at_the_start} before the first call");
    installation.orders().assert_are(&vendor.orders());
    // Whatever life delivered an order, the page it came with is there.
    for sid in vendor.orders().keys().step_by(1_700) {
        let found = &installation.milkrun(&["trace", sid, "--json"]).with(0).json()["found"][0];
        assert_eq!(found["record"].is_string(), journal, "{found:#}");
    }
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_are(&vendor.orders());
    seen
}

#[test]
fn a_process_that_is_killed_goes_on_where_it_was() {
    std::thread::scope(|scope| {
        let rounds =
            [(1, true), (2, false)].map(|(seed, journal)| scope.spawn(move || killed_again_and_again(seed, journal)));
        for round in rounds {
            println!("{}", round.join().unwrap());
        }
    });
}

#[test]
fn a_process_that_is_killed_while_it_begins_leaves_a_state_that_opens() {
    let vendor = Vendor::with_orders(200, DAY / 2);
    let installation = Installation::of_orders(&vendor, "");
    let mut dice = Dice::new(3);
    let mut survived = 0;
    for _ in 0..25 {
        let mut life = installation.start(&["run", "orders"]);
        let (begun, moment) = (Instant::now(), Duration::from_micros(dice.below(80_000)));
        life.until(|| begun.elapsed() >= moment);
        survived += u32::from(life.kill().code == Some(0));
    }
    println!("{survived} of 25 were done before their moment came");
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_are(&vendor.orders());
}
