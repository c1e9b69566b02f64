//! The memory of calls that decides whether a further one may be sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{Quota, Rate, signed};
use crate::error::Result;

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
        /// Which of its limits, and for how long.
        full: Full,
    },
}

/// A limit that has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Of several, the one that lasts longest; `None` if as many calls are under way as may be.
    pub rate: Option<Rate>,
    /// How long it lasts at least; never zero.
    pub wait: Duration,
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
    /// Why a call has to wait; nothing if it may be sent.
    pub fn wait(&mut self, quota: &Quota, now: Timestamp) -> Option<Full> {
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

/// Why a call has to wait, from the number of calls under way and the ends of the others, newest first; nothing if it
/// may be sent.
///
/// `ended(n)` is when the call with that index ended, counted from the newest, or `None` if there are not so many.
pub fn wait_for(
    quota: &Quota,
    under_way: usize,
    now: Timestamp,
    ended: impl Fn(usize) -> Option<Timestamp>,
) -> Option<Full> {
    if under_way >= quota.concurrency.max(1) as usize {
        return Some(Full { rate: None, wait: LOOK_AGAIN });
    }
    let full = quota.rates.iter().filter_map(|&rate| {
        let places = rate.calls.max(1) as usize;
        let full = |wait| Full { rate: Some(rate), wait };
        if under_way >= places {
            return Some(full(LOOK_AGAIN));
        }
        // The call that has to be out of the window: with it and all newer ones, the window would be full.
        let end = ended(places - under_way - 1)?;
        // One millisecond more, so that a window which includes both its ends is kept too.
        let free_at = end + signed(rate.per) + SignedDuration::from_millis(1);
        let wait = Duration::try_from(free_at.duration_since(now)).ok()?;
        (!wait.is_zero()).then(|| full(wait))
    });
    full.max_by_key(|full| full.wait)
}

/// How many calls a rate has left when `used` are in its window.
pub fn left_of(rate: Rate, used: usize) -> u32 {
    rate.calls.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
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
            if let Some(full) = inner.lanes.entry(lane.name.clone()).or_default().wait(&lane.quota, now) {
                return Ok(Admission::Wait { lane: index, full });
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
