//! How many calls a vendor allows, and the limiter that never exceeds it.
//!
//! A vendor counts a call when it arrives, which is some time after it was sent and before its answer is back. So a
//! call counts as under way until its answer, and its window runs from the answer: whatever the network does, no
//! sliding window as the vendor sees it holds more calls than allowed. `governor` smooths the pace; the log of calls
//! decides.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::clock::Clock;
use crate::error::Result;

/// So many calls in any sliding window of that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Calls allowed.
    pub calls: u32,
    /// Length of the window.
    pub per: Duration,
}

/// All limits that hold together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The sliding windows.
    pub rates: Vec<Rate>,
    /// The most calls under way at one time.
    pub concurrency: u32,
}

impl Quota {
    /// No limit but the number of calls under way.
    pub fn unlimited() -> Self {
        Self { rates: Vec::new(), concurrency: 64 }
    }

    /// So many calls in any second.
    pub fn per_second(calls: u32) -> Self {
        Self::unlimited().and(calls, Duration::from_secs(1))
    }

    /// A further window.
    #[must_use]
    pub fn and(mut self, calls: u32, per: Duration) -> Self {
        self.rates.push(Rate { calls, per });
        self
    }

    /// Another number of calls under way.
    #[must_use]
    pub fn at_once(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency;
        self
    }

    fn longest(&self) -> Duration {
        self.rates.iter().map(|r| r.per).max().unwrap_or_default()
    }
}

/// The limits of an account, and of single endpoints on top of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaSpec {
    /// For all calls of the account together.
    pub account: Quota,
    /// For the calls of one endpoint.
    pub endpoints: BTreeMap<String, Quota>,
}

impl QuotaSpec {
    /// Limits for the account alone.
    pub fn account(quota: Quota) -> Self {
        Self { account: quota, endpoints: BTreeMap::new() }
    }
}

/// One group of calls that are counted together.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The name that processes share, such as `km` or `km/erp.trade.list.query`.
    pub name: String,
    /// Its limits.
    pub quota: Quota,
}

/// Whether a call may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may, and counts as under way until [`QuotaLog::leave`] is told its ticket.
    Entered(u64),
    /// Not in this time, because of the lane with that index.
    Wait {
        /// The lane that is full.
        lane: usize,
        /// How long at least.
        wait: Duration,
    },
}

/// The memory of calls, shared by all that use an account.
#[async_trait]
pub trait QuotaLog: fmt::Debug + Send + Sync {
    /// Counts a call in all lanes, or in none of them.
    async fn enter(&self, lanes: &[Lane], now: Timestamp) -> Result<Admission>;

    /// The call has been answered, has failed or was given up; its windows run from `now`.
    fn leave(&self, ticket: u64, now: Timestamp);

    /// For each rate of the lane, how many calls are left now.
    async fn left(&self, lane: &Lane, now: Timestamp) -> Result<Vec<u32>>;
}

/// How long a caller waits for a place that another call holds, before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The calls of one lane: those under way, and when the others ended.
#[derive(Debug, Default)]
pub struct LaneLog {
    under_way: BTreeSet<u64>,
    ended: VecDeque<Timestamp>,
}

impl LaneLog {
    /// How long a call has to wait; zero if it may be sent.
    pub fn wait(&mut self, quota: &Quota, now: Timestamp) -> Duration {
        let longest = quota.longest();
        while self.ended.front().is_some_and(|&t| now.duration_since(t) > signed(longest)) {
            self.ended.pop_front();
        }
        wait_for(quota, self.under_way.len(), now, |skip| self.ended.iter().rev().nth(skip).copied())
    }

    fn left(&self, rate: Rate, now: Timestamp) -> u32 {
        let recent = self.ended.iter().rev().take_while(|&&t| now.duration_since(t) <= signed(rate.per)).count();
        left_of(rate, self.under_way.len() + recent)
    }
}

/// How long a call has to wait, from the number of calls under way and the ends of the others, newest first.
///
/// `ended(n)` is when the call with that index ended, counted from the newest, or `None` if there are not so many.
pub fn wait_for(
    quota: &Quota,
    under_way: usize,
    now: Timestamp,
    ended: impl Fn(usize) -> Option<Timestamp>,
) -> Duration {
    if under_way >= quota.concurrency.max(1) as usize {
        return LOOK_AGAIN;
    }
    let waits = quota.rates.iter().map(|rate| {
        let places = rate.calls.max(1) as usize;
        if under_way >= places {
            return LOOK_AGAIN;
        }
        // The call that has to be out of the window: with it and all newer ones, the window would be full.
        let Some(end) = ended(places - under_way - 1) else { return Duration::ZERO };
        // One millisecond more, so that a window which includes both its ends is kept too.
        let free_at = end + signed(rate.per) + SignedDuration::from_millis(1);
        Duration::try_from(free_at.duration_since(now)).unwrap_or(Duration::ZERO)
    });
    waits.max().unwrap_or_default()
}

/// How many calls a rate has left when `used` are in its window.
pub fn left_of(rate: Rate, used: usize) -> u32 {
    rate.calls.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// A log of calls in memory, for one process.
#[derive(Debug, Default)]
pub struct MemoryQuotaLog {
    inner: Mutex<MemoryLanes>,
}

#[derive(Debug, Default)]
struct MemoryLanes {
    next: u64,
    lanes: BTreeMap<String, LaneLog>,
}

#[async_trait]
impl QuotaLog for MemoryQuotaLog {
    async fn enter(&self, lanes: &[Lane], now: Timestamp) -> Result<Admission> {
        let mut inner = self.inner.lock().expect("no holder panics");
        for (index, lane) in lanes.iter().enumerate() {
            let wait = inner.lanes.entry(lane.name.clone()).or_default().wait(&lane.quota, now);
            if !wait.is_zero() {
                return Ok(Admission::Wait { lane: index, wait });
            }
        }
        inner.next += 1;
        let ticket = inner.next;
        for lane in lanes {
            inner.lanes.entry(lane.name.clone()).or_default().under_way.insert(ticket);
        }
        Ok(Admission::Entered(ticket))
    }

    fn leave(&self, ticket: u64, now: Timestamp) {
        let mut inner = self.inner.lock().expect("no holder panics");
        for lane in inner.lanes.values_mut() {
            if lane.under_way.remove(&ticket) {
                lane.ended.push_back(now);
            }
        }
    }

    async fn left(&self, lane: &Lane, now: Timestamp) -> Result<Vec<u32>> {
        let mut inner = self.inner.lock().expect("no holder panics");
        let log = inner.lanes.entry(lane.name.clone()).or_default();
        Ok(lane.quota.rates.iter().map(|&rate| log.left(rate, now)).collect())
    }
}

/// Lets calls through in the order they ask, never more than the quota allows.
#[derive(Debug)]
pub struct Limiter {
    account: Lane,
    endpoints: BTreeMap<String, Lane>,
    log: Arc<dyn QuotaLog>,
    clock: Arc<dyn Clock>,
    pace: Option<Pace>,
    /// Held while a call waits for the account's quota, so that calls are let through in order.
    turn: tokio::sync::Mutex<()>,
    /// The calls under way, where no rate has to be kept.
    slots: Semaphore,
    ended: Notify,
    /// No call before this instant: the vendor said that it is too fast.
    pause: Mutex<Option<Timestamp>>,
}

type Governor = RateLimiter<NotKeyed, InMemoryState, GovernorClock, NoOpMiddleware<Nanos>>;

struct Pace {
    governor: Governor,
    clock: GovernorClock,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}

/// Shows `governor` the time of our clock.
#[derive(Clone, Debug)]
struct GovernorClock {
    clock: Arc<dyn Clock>,
    start: Timestamp,
}

impl governor::clock::Clock for GovernorClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let passed = self.clock.now().duration_since(self.start).as_nanos();
        Nanos::from(u64::try_from(passed).unwrap_or(0))
    }
}

impl Pace {
    /// Smooths to the shortest window; bursts of a whole window are let through, and the log decides on them.
    fn new(quota: &Quota, clock: &Arc<dyn Clock>) -> Option<Self> {
        let shortest = quota.rates.iter().min_by_key(|r| r.per)?;
        let calls = NonZeroU32::new(shortest.calls)?;
        let pace = governor::Quota::with_period(shortest.per / shortest.calls)?.allow_burst(calls);
        let clock = GovernorClock { clock: Arc::clone(clock), start: clock.now() };
        Some(Self { governor: Governor::direct_with_clock(pace, clock.clone()), clock })
    }

    fn wait(&self) -> Duration {
        let blocked = |until: NotUntil<Nanos>| until.wait_time_from(self.clock.now());
        self.governor.check().err().map_or(Duration::ZERO, blocked)
    }
}

impl Limiter {
    /// A limiter for `account`.
    pub fn new(account: &str, spec: &QuotaSpec, log: Arc<dyn QuotaLog>, clock: Arc<dyn Clock>) -> Self {
        let lane = |name: String, quota: &Quota| Lane { name, quota: quota.clone() };
        Self {
            account: lane(account.to_owned(), &spec.account),
            endpoints: spec
                .endpoints
                .iter()
                .map(|(name, quota)| (name.clone(), lane(format!("{account}/{name}"), quota)))
                .collect(),
            pace: Pace::new(&spec.account, &clock),
            log,
            clock,
            turn: tokio::sync::Mutex::new(()),
            slots: Semaphore::new(spec.account.concurrency.max(1) as usize),
            ended: Notify::new(),
            pause: Mutex::new(None),
        }
    }

    /// Waits until a call of `endpoint` may be sent. Dropping the permit says that its answer is there.
    ///
    /// # Errors
    /// Those of the log of calls.
    pub async fn acquire(&self, endpoint: &str) -> Result<Permit<'_>> {
        let mut lanes = vec![self.account.clone()];
        lanes.extend(self.endpoints.get(endpoint).cloned());
        // Without a rate there is nothing that other processes or a restart would have to know.
        if lanes.iter().all(|lane| lane.quota.rates.is_empty()) {
            let slot = self.slots.acquire().await.expect("the semaphore is never closed");
            while !self.pause_left().is_zero() {
                self.clock.sleep(self.pause_left()).await;
            }
            return Ok(Permit { limiter: self, ticket: None, _slot: Some(slot) });
        }
        loop {
            let turn = self.turn.lock().await;
            loop {
                let pause = self.pause_left();
                if !pause.is_zero() {
                    self.clock.sleep(pause).await;
                    continue;
                }
                let now = self.clock.now();
                match self.log.enter(&lanes, now).await? {
                    Admission::Entered(ticket) => {
                        let permit = Permit { limiter: self, ticket: Some(ticket), _slot: None };
                        if let Some(pace) = &self.pace {
                            let wait = pace.wait();
                            if !wait.is_zero() {
                                self.clock.sleep(wait).await;
                            }
                        }
                        return Ok(permit);
                    }
                    // A full endpoint must not hold up the account's other calls.
                    Admission::Wait { lane: 1.., wait } => {
                        drop(turn);
                        self.wait(wait).await;
                        break;
                    }
                    Admission::Wait { wait, .. } => self.wait(wait).await,
                }
            }
        }
    }

    async fn wait(&self, wait: Duration) {
        tokio::select! {
            () = self.clock.sleep(wait) => {}
            () = self.ended.notified() => {}
        }
    }

    fn pause_left(&self) -> Duration {
        let pause = *self.pause.lock().expect("no holder panics");
        pause.map_or(Duration::ZERO, |until| {
            Duration::try_from(until.duration_since(self.clock.now())).unwrap_or(Duration::ZERO)
        })
    }

    /// Sends nothing for `wait`: the vendor said that it is too fast.
    pub fn pause(&self, wait: Duration) {
        let until = self.clock.now() + signed(wait);
        let mut pause = self.pause.lock().expect("no holder panics");
        *pause = Some(pause.map_or(until, |old| old.max(until)));
    }

    /// How many calls are left now in the fullest window, and the window; `None` without a limit.
    ///
    /// # Errors
    /// Those of the log of calls.
    pub async fn left(&self) -> Result<Option<(u32, Rate)>> {
        let left = self.log.left(&self.account, self.clock.now()).await?;
        Ok(left.into_iter().zip(self.account.quota.rates.iter().copied()).min_by_key(|(left, _)| *left))
    }
}

/// Leave to send one call; dropping it says that the answer is there.
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    ticket: Option<u64>,
    _slot: Option<SemaphorePermit<'a>>,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.limiter.log.leave(ticket, self.limiter.clock.now());
            self.limiter.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    /// A small generator, so that the delays are the same on every machine.
    struct Seeded(u64);
    impl Seeded {
        fn below(&mut self, n: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % n
        }
    }

    /// The most arrivals in any window of that length, both ends included.
    fn fullest(arrivals: &[Duration], per: Duration) -> usize {
        let inside = |a: Duration, end: Duration| a <= end && end.saturating_sub(a) <= per;
        arrivals.iter().map(|&end| arrivals.iter().filter(|&&a| inside(a, end)).count()).max().unwrap_or(0)
    }

    /// Sends for `span` through limiters that share a log, and returns the arrivals at the vendor.
    async fn send(seed: u64, quota: Quota, span: Duration, n_limiters: usize, longest_ms: u64) -> Vec<Duration> {
        let log: Arc<dyn QuotaLog> = Arc::new(MemoryQuotaLog::default());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(Timestamp::UNIX_EPOCH));
        let start = tokio::time::Instant::now();
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let mut senders = tokio::task::JoinSet::new();
        for n in 0..n_limiters {
            let limiter =
                Arc::new(Limiter::new("a", &QuotaSpec::account(quota.clone()), Arc::clone(&log), Arc::clone(&clock)));
            for m in 0..8 {
                let (limiter, arrivals) = (Arc::clone(&limiter), Arc::clone(&arrivals));
                let mut random = Seeded(seed * 1000 + n as u64 * 100 + m);
                senders.spawn(async move {
                    loop {
                        let permit = limiter.acquire("x").await.unwrap();
                        if start.elapsed() >= span {
                            return;
                        }
                        tokio::time::sleep(Duration::from_millis(random.below(longest_ms))).await;
                        arrivals.lock().unwrap().push(start.elapsed());
                        tokio::time::sleep(Duration::from_millis(random.below(longest_ms))).await;
                        drop(permit);
                    }
                });
            }
        }
        senders.join_all().await;
        let mut arrivals = Arc::try_unwrap(arrivals).unwrap().into_inner().unwrap();
        arrivals.sort();
        arrivals
    }

    #[tokio::test(start_paused = true)]
    async fn no_sliding_window_is_ever_exceeded() {
        let quota = Quota::per_second(5).and(100, Duration::from_mins(1));
        for seed in 0..40 {
            for (n_limiters, longest_ms) in [(1, 30), (2, 400), (3, 3000)] {
                let arrivals = send(seed, quota.clone(), Duration::from_secs(125), n_limiters, longest_ms).await;
                for rate in &quota.rates {
                    let most = fullest(&arrivals, rate.per);
                    assert!(most <= rate.calls as usize, "seed {seed}: {most} calls in {:?}", rate.per);
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nearly_all_allowed_calls_are_used() {
        let quota = Quota::per_second(5).and(100, Duration::from_mins(1));
        for seed in 0..10 {
            let n_calls = send(seed, quota.clone(), Duration::from_secs(125), 2, 30).await.len();
            // 225 are possible: 100 in each of the first two minutes, 25 in the last five seconds.
            assert!(n_calls >= 223, "seed {seed}: {n_calls}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_every_caller() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(Timestamp::UNIX_EPOCH));
        let spec = QuotaSpec::account(Quota::per_second(100));
        let limiter = Limiter::new("a", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
        limiter.pause(Duration::from_secs(7));
        limiter.acquire("x").await.unwrap();
        assert!(clock.now() >= Timestamp::UNIX_EPOCH + SignedDuration::from_secs(7));
        let spec = QuotaSpec::account(Quota::unlimited());
        let limiter = Limiter::new("b", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
        limiter.pause(Duration::from_secs(7));
        limiter.acquire("x").await.unwrap();
        assert!(clock.now() >= Timestamp::UNIX_EPOCH + SignedDuration::from_secs(14));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_endpoint_does_not_hold_up_the_others() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(Timestamp::UNIX_EPOCH));
        let mut spec = QuotaSpec::account(Quota::per_second(100));
        spec.endpoints.insert("slow".into(), Quota::unlimited().and(1, Duration::from_mins(1)));
        let limiter = Limiter::new("a", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
        drop(limiter.acquire("slow").await.unwrap());
        tokio::select! {
            biased;
            _ = limiter.acquire("slow") => panic!("the second call in a minute"),
            permit = limiter.acquire("fast") => drop(permit.unwrap()),
        }
        assert!(clock.now() < Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1));
    }
}
