//! How many calls a vendor allows, and the limiter that never exceeds it.
//!
//! | module | answers |
//! | --- | --- |
//! | `mod` | what a vendor allows |
//! | `log` | how many calls each window holds |
//! | `queue` | whose call is next |
//! | `pace` | how evenly calls are sent |
//! | `limiter` | how a caller waits for its call |
//!
//! A vendor counts a call when it arrives, which is some time after it was sent and before its answer is back. So a
//! call counts as under way until its answer, and its window runs from the answer: whatever the network does, no
//! sliding window as the vendor sees it holds more calls than allowed. `governor` smooths the pace; the log of calls
//! decides.

mod limiter;
mod log;
mod pace;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

pub use self::limiter::{HeldBy, HeldUp, Limit, Limiter, Permit};
pub use self::log::{Admission, Full, Lane, LaneLog, MemoryQuotaLog, QuotaLog, left_of, wait_for};
pub use self::queue::Party;

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

    /// So many percent of it. A window that would be left with less than one call becomes as long as one call needs.
    #[must_use]
    pub fn percent(&self, percent: u8) -> Self {
        let percent = u32::from(percent.clamp(1, 100));
        let part = |rate: &Rate| {
            let calls = u64::from(rate.calls.max(1)) * u64::from(percent);
            match u32::try_from(calls / 100).unwrap_or(u32::MAX) {
                0 => {
                    let stretch = rate.per.as_nanos() * 100 / u128::from(calls);
                    Rate { calls: 1, per: Duration::from_nanos(u64::try_from(stretch).unwrap_or(u64::MAX)) }
                }
                calls => Rate { calls, per: rate.per },
            }
        };
        let concurrency = u64::from(self.concurrency) * u64::from(percent) / 100;
        let concurrency = u32::try_from(concurrency).unwrap_or(u32::MAX).max(1);
        Self { rates: self.rates.iter().map(part).collect(), concurrency }
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

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
