//! The simulator's own clock, which tests set, advance and stop.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A clock that runs with the machine unless it is frozen, and that can be moved at any time.
///
/// It tells two things: the wall time, which may go backwards when set, and the time elapsed since the start, which
/// never does. Call limits use the latter.
#[derive(Debug)]
pub(crate) struct Clock {
    mark: Instant,
    wall_ms: i64,
    elapsed: Duration,
    frozen: bool,
}

impl Clock {
    /// A clock that starts at `start`, or at the machine's time.
    pub(crate) fn new(start: Option<Timestamp>, frozen: bool) -> Self {
        let start = start.unwrap_or_else(Timestamp::now);
        Self { mark: Instant::now(), wall_ms: start.as_millisecond(), elapsed: Duration::ZERO, frozen }
    }

    /// The wall time as epoch milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.wall_ms.saturating_add(to_ms(self.running()))
    }

    /// The wall time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::MAX)
    }

    /// The time that went by since the start, advances included.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed.saturating_add(self.running())
    }

    /// Sets the wall time, forwards or backwards; a step forwards counts as elapsed.
    pub(crate) fn set(&mut self, to: Timestamp) {
        self.settle();
        let to = to.as_millisecond();
        let step = to.saturating_sub(self.wall_ms);
        self.elapsed = self.elapsed.saturating_add(Duration::from_millis(step.max(0).unsigned_abs()));
        self.wall_ms = to;
    }

    /// Moves the wall time forwards.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.settle();
        self.wall_ms = self.wall_ms.saturating_add(to_ms(by));
        self.elapsed = self.elapsed.saturating_add(by);
    }

    /// Stops the clock or lets it run on.
    pub(crate) fn freeze(&mut self, frozen: bool) {
        self.settle();
        self.frozen = frozen;
    }

    /// Whether the clock stands still.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen
    }

    fn running(&self) -> Duration {
        if self.frozen { Duration::ZERO } else { self.mark.elapsed() }
    }

    fn settle(&mut self) {
        let running = self.running();
        self.wall_ms = self.wall_ms.saturating_add(to_ms(running));
        self.elapsed = self.elapsed.saturating_add(running);
        self.mark = Instant::now();
    }
}

fn to_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let start = Timestamp::from_second(1_785_513_600).unwrap();
        let mut clock = Clock::new(Some(start), true);
        assert_eq!(clock.now(), start);
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clock.now_ms(), 1_785_513_601_500);
        assert_eq!(clock.elapsed(), Duration::from_millis(1_500));
        clock.set(start);
        assert_eq!(clock.now(), start);
        assert_eq!(clock.elapsed(), Duration::from_millis(1_500), "what went by never shrinks");
        clock.set(Timestamp::from_second(1_785_513_610).unwrap());
        assert_eq!(clock.elapsed(), Duration::from_millis(11_500));
    }
}
