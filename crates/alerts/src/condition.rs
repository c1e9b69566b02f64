//! Whether a channel may be used now, and how often it failed. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::{Error, Retry};
use serde::{Deserialize, Serialize};

use crate::words::{Retell, Words};

/// The first pause after a failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause, and the one after a failure that will most likely not pass by itself.
const LONGEST_PAUSE: Duration = Duration::from_mins(30);
/// The window in which messages are counted; a second more than a minute, for messages that travel bunched together.
const WINDOW: SignedDuration = SignedDuration::from_secs(61);

/// The condition of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Condition {
    /// When the messages of the last minute were sent, failed ones too.
    #[serde(default)]
    sent: Vec<Timestamp>,
    /// How often it failed in succession.
    #[serde(default)]
    pub(crate) failures: u32,
    /// Since when it fails.
    #[serde(default)]
    pub(crate) failing_since: Option<Timestamp>,
    /// What the last failure said.
    #[serde(default)]
    pub(crate) error: Option<Words>,
    /// Whether that will most likely not pass by itself.
    #[serde(default)]
    pub(crate) is_final: bool,
    /// Not to be used before this instant.
    #[serde(default)]
    not_before: Option<Timestamp>,
    /// Whether the channel itself asked for that.
    #[serde(default)]
    was_asked: bool,
}

impl Condition {
    /// Whether a message may be sent now, if the channel takes so many in a minute.
    pub(crate) fn is_free(&self, per_minute: usize, now: Timestamp) -> bool {
        self.not_before.is_none_or(|at| now >= at) && self.recent(now).count() < per_minute
    }

    /// When a message may be sent again.
    pub(crate) fn free_at(&self, per_minute: usize, now: Timestamp) -> Timestamp {
        let recent: Vec<Timestamp> = self.recent(now).collect();
        let full = recent.len().checked_sub(per_minute).map(|first| recent[first] + WINDOW);
        [full, self.not_before].into_iter().flatten().max().unwrap_or(now).max(now)
    }

    fn recent(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        self.sent.iter().copied().filter(move |at| now.duration_since(*at) < WINDOW)
    }

    /// A message is about to be sent.
    pub(crate) fn sends(&mut self, now: Timestamp) {
        self.sent = self.recent(now).collect();
        self.sent.push(now);
    }

    /// The message arrived.
    pub(crate) fn succeeded(&mut self) {
        *self = Self { sent: std::mem::take(&mut self.sent), ..Self::default() };
    }

    /// The message did not arrive.
    pub(crate) fn failed(&mut self, error: &Error, now: Timestamp, retell: Retell) {
        self.failures = self.failures.saturating_add(1);
        self.failing_since.get_or_insert(now);
        let en = error.to_string();
        self.error = Some(Words { zh: retell(&en), en });
        let doubled = FIRST_PAUSE.saturating_mul(1 << (self.failures - 1).min(16));
        let (pause, is_final, was_asked) = match error.retry() {
            Retry::After(wait) => (wait, false, true),
            Retry::Backoff | Retry::Exhausted => (doubled.min(LONGEST_PAUSE), false, false),
            Retry::Never => (LONGEST_PAUSE, true, false),
        };
        (self.is_final, self.was_asked) = (is_final, was_asked);
        self.not_before = Some(now + pause);
    }

    /// Its settings may be mended: it is tried again at once, unless it asked for silence itself.
    pub(crate) fn may_be_mended(&mut self) {
        if !self.was_asked {
            self.not_before = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use milkrun_core::ErrorKind;

    use super::*;

    #[test]
    fn pauses_grow_and_a_wish_for_silence_is_kept() {
        let start: Timestamp = "2026-11-27T02:00:00Z".parse().unwrap();
        let mut condition = Condition::default();
        let mut pauses = Vec::new();
        for _ in 0..8 {
            condition.failed(&Error::new(ErrorKind::Unavailable, "down"), start, str::to_owned);
            pauses.push(condition.free_at(18, start).duration_since(start).as_secs());
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1800, 1800]);
        let too_fast = Error::new(ErrorKind::QuotaExceeded, "too fast").retry_after(Duration::from_mins(10));
        condition.failed(&too_fast, start, str::to_owned);
        condition.may_be_mended();
        assert!(!condition.is_free(18, start + Duration::from_secs(599)));
        assert!(condition.is_free(18, start + Duration::from_mins(10)));
        condition.failed(&Error::new(ErrorKind::Refused, "no"), start, str::to_owned);
        assert!(condition.is_final && !condition.is_free(18, start + Duration::from_mins(29)));
        condition.may_be_mended();
        assert!(condition.is_free(18, start));
        condition.succeeded();
        assert_eq!(condition, Condition::default());
    }

    #[test]
    fn no_minute_has_more_messages_than_the_channel_takes() {
        let start: Timestamp = "2026-11-27T02:00:00Z".parse().unwrap();
        let mut condition = Condition::default();
        let mut sent = Vec::new();
        for second in 0..600 {
            let now = start + Duration::from_secs(second);
            if condition.is_free(18, now) {
                condition.sends(now);
                sent.push(second);
            } else {
                let at = condition.free_at(18, now);
                assert!(at > now && condition.is_free(18, at));
            }
        }
        for window in sent.windows(19) {
            assert!(window[18] - window[0] > 60, "{window:?}");
        }
        assert!(sent.len() > 150, "{}", sent.len());
    }
}
