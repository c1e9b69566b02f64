//! Where time comes from: nothing in Milkrun reads the machine's clock or its zone by itself.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The time, and waiting for it.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// The instant it is now.
    fn now(&self) -> Timestamp;

    /// Returns when `wait` has passed.
    async fn sleep(&self, wait: Duration);
}

/// The machine's clock, or tokio's where a test has paused it.
///
/// Instants advance with tokio's monotonic clock from the moment of creation, so that a step of the machine's clock
/// never shortens a wait.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Timestamp,
    at: tokio::time::Instant,
}

impl SystemClock {
    /// A clock that shows the machine's time.
    pub fn new() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// A clock that shows `started` now and runs on from there.
    pub fn starting_at(started: Timestamp) -> Self {
        Self { started, at: tokio::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.started + self.at.elapsed()
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}
