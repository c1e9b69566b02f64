//! The one place that names `backoff`: growing, jittered pauses between attempts.
//!
//! The crate is unmaintained (RUSTSEC-2025-0012); replacing it means replacing this file.

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

/// How often and how patiently a call is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 6, first: Duration::from_millis(500), longest: Duration::from_secs(30) }
    }
}

/// The pauses between the attempts of one call.
#[derive(Debug)]
pub(super) struct Pauses {
    left: u32,
    backoff: ExponentialBackoff,
}

impl Pauses {
    pub(super) fn new(policy: RetryPolicy) -> Self {
        let backoff = ExponentialBackoffBuilder::new()
            .with_initial_interval(policy.first)
            .with_max_interval(policy.longest)
            .with_max_elapsed_time(None)
            .build();
        Self { left: policy.attempts.saturating_sub(1), backoff }
    }

    /// The next pause, or `None` when the attempts are used up.
    pub(super) fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        self.backoff.next_backoff()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let policy = RetryPolicy { attempts: 4, first: Duration::from_secs(1), longest: Duration::from_secs(2) };
        let mut pauses = Pauses::new(policy);
        let all: Vec<_> = std::iter::from_fn(|| pauses.next()).collect();
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|p| *p >= Duration::from_millis(500) && *p <= Duration::from_secs(3)), "{all:?}");
    }
}
