//! Call limits as a vendor measures them: in every sliding window, at the moment a call arrives.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

/// What one window saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WindowStats {
    /// Calls the window allows.
    pub calls: u32,
    /// Length of the window.
    pub per_ms: u64,
    /// Most calls that ever arrived in one window of this length, refused ones included.
    pub most_arrived: u32,
    /// Most calls that were ever served in one window of this length.
    pub most_served: u32,
}

/// Why a call is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The time until a call would be served again.
    pub(crate) wait: Duration,
    /// Length of the window that is full.
    pub(crate) window: Duration,
}

/// All windows of one account.
#[derive(Debug)]
pub(crate) struct Limiter {
    windows: Vec<Window>,
    refused: u64,
}

#[derive(Debug)]
struct Window {
    calls: usize,
    length: Duration,
    arrived: VecDeque<Duration>,
    served: VecDeque<Duration>,
    most_arrived: usize,
    most_served: usize,
}

impl Limiter {
    /// A limiter of `calls` per `length` each.
    pub(crate) fn new(limits: &[(u32, Duration)]) -> Self {
        let window = |&(calls, length): &(u32, Duration)| Window {
            calls: calls as usize,
            length,
            arrived: VecDeque::new(),
            served: VecDeque::new(),
            most_arrived: 0,
            most_served: 0,
        };
        Self { windows: limits.iter().map(window).collect(), refused: 0 }
    }

    /// Notes a call that arrives at `now` and says whether it may be served.
    ///
    /// A refused call takes no place in the windows. A call leaves a window exactly one length after it arrived.
    ///
    /// # Errors
    /// The time until a call would be served again, and the window that takes the longest.
    pub(crate) fn admit(&mut self, now: Duration) -> Result<(), Refusal> {
        let mut refusal: Option<Refusal> = None;
        for window in &mut self.windows {
            let left = |at: &mut Duration| now.saturating_sub(*at) >= window.length;
            while window.arrived.pop_front_if(left).is_some() {}
            while window.served.pop_front_if(left).is_some() {}
            window.arrived.push_back(now);
            window.most_arrived = window.most_arrived.max(window.arrived.len());
            if window.served.len() >= window.calls {
                let oldest =
                    window.served.front().map_or(window.length, |&at| (at + window.length).saturating_sub(now));
                let wait = oldest.max(Duration::from_millis(1));
                if refusal.is_none_or(|other| other.wait < wait) {
                    refusal = Some(Refusal { wait, window: window.length });
                }
            }
        }
        if let Some(refusal) = refusal {
            self.refused += 1;
            return Err(refusal);
        }
        for window in &mut self.windows {
            window.served.push_back(now);
            window.most_served = window.most_served.max(window.served.len());
        }
        Ok(())
    }

    /// Calls refused so far.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// What each window saw so far.
    pub(crate) fn stats(&self) -> Vec<WindowStats> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let stats = |window: &Window| WindowStats {
            calls: count(window.calls),
            per_ms: u64::try_from(window.length.as_millis()).unwrap_or(u64::MAX),
            most_arrived: count(window.most_arrived),
            most_served: count(window.most_served),
        };
        self.windows.iter().map(stats).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_window_slides() {
        let refused = |wait, window| Err(Refusal { wait: ms(wait), window: ms(window) });
        let mut limiter = Limiter::new(&[(2, ms(1_000))]);
        assert_eq!(limiter.admit(ms(0)), Ok(()));
        assert_eq!(limiter.admit(ms(900)), Ok(()));
        assert_eq!(limiter.admit(ms(999)), refused(1, 1_000));
        assert_eq!(limiter.admit(ms(1_000)), Ok(()), "the call at 0 has left");
        assert_eq!(limiter.admit(ms(1_100)), refused(800, 1_000), "the call at 900 has not");
        assert_eq!(limiter.stats()[0].most_served, 2);
        assert_eq!(limiter.stats()[0].most_arrived, 4);
        assert_eq!(limiter.refused(), 2);
    }

    #[test]
    fn every_window_counts_and_refused_calls_do_not() {
        let refused = |wait, window| Err(Refusal { wait: ms(wait), window: ms(window) });
        let mut limiter = Limiter::new(&[(2, ms(100)), (3, ms(1_000))]);
        assert_eq!(limiter.admit(ms(0)), Ok(()));
        assert_eq!(limiter.admit(ms(0)), Ok(()));
        assert_eq!(limiter.admit(ms(0)), refused(100, 100));
        assert_eq!(limiter.admit(ms(100)), Ok(()));
        assert_eq!(limiter.admit(ms(200)), refused(800, 1_000));
        assert_eq!(limiter.admit(ms(1_000)), Ok(()));
    }

    #[test]
    fn no_limits_refuse_nothing() {
        let mut limiter = Limiter::new(&[]);
        assert!((0..1_000).all(|_| limiter.admit(ms(0)).is_ok()));
    }
}
