//! How a run is tried again that could not begin.

use std::time::Duration;

use milkrun_core::{Error, ErrorKind};

/// The first pause.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest one: what has kept the run from beginning may be gone any time.
const LONGEST: Duration = Duration::from_secs(15);

/// The pauses between attempts; each is twice as long as the one before, up to a limit.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    last: Option<Duration>,
    told: Option<String>,
}

impl Pauses {
    /// How long to wait now.
    pub(super) fn next(&mut self) -> Duration {
        let next = self.last.map_or(SHORTEST, |last| (last * 2).min(LONGEST));
        self.last = Some(next);
        next
    }

    /// Writes into the log what keeps the run from beginning, once for each reason.
    pub(super) fn tell(&mut self, flow: &str, error: &Error) {
        let reason = error.to_string();
        if self.told.as_ref() != Some(&reason) {
            tracing::warn!(flow, %error, help = error.help(), "the run cannot begin for now; it is tried again");
            self.told = Some(reason);
        }
    }
}

/// Whether what has kept a run from beginning is likely to pass by itself: another process has the flow or the state
/// file, or the state cannot be read or written just now.
pub(super) fn is_for_now(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Busy | ErrorKind::State)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let mut pauses = Pauses::default();
        let secs: Vec<u64> = std::iter::repeat_with(|| pauses.next().as_secs()).take(6).collect();
        assert_eq!(secs, [1, 2, 4, 8, 15, 15]);
    }

    #[test]
    fn what_needs_a_person_is_not_tried_again() {
        for kind in [ErrorKind::Busy, ErrorKind::State] {
            assert!(is_for_now(&Error::new(kind, "no")), "{kind:?}");
        }
        for kind in [ErrorKind::ConfigInvalid, ErrorKind::TokenDead, ErrorKind::NotFound, ErrorKind::Forbidden] {
            assert!(!is_for_now(&Error::new(kind, "no")), "{kind:?}");
        }
    }
}
