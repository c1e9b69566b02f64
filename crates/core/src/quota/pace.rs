//! An even pace within the shortest window, so that a vendor does not see its whole quota in one instant.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, RateLimiter};
use jiff::Timestamp;

use super::Quota;
use crate::clock::Clock;

type Governor = RateLimiter<NotKeyed, InMemoryState, GovernorClock, NoOpMiddleware<Nanos>>;

/// Says how long a call that may be sent is held back to keep the pace.
pub(super) struct Pace {
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
    pub(super) fn new(quota: &Quota, clock: &Arc<dyn Clock>) -> Option<Self> {
        let shortest = quota.rates.iter().min_by_key(|r| r.per)?;
        let calls = NonZeroU32::new(shortest.calls)?;
        let pace = governor::Quota::with_period(shortest.per / shortest.calls)?.allow_burst(calls);
        let clock = GovernorClock { clock: Arc::clone(clock), start: clock.now() };
        Some(Self { governor: Governor::direct_with_clock(pace, clock.clone()), clock })
    }

    /// How long the next call is held back.
    pub(super) fn wait(&self) -> Duration {
        let blocked = |until: NotUntil<Nanos>| until.wait_time_from(self.clock.now());
        self.governor.check().err().map_or(Duration::ZERO, blocked)
    }
}
