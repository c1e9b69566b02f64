//! Access tokens, and the pause after too many calls.

use std::time::Duration;

use serde_json::{Value, json};

use super::protocol::{Problem, refuse};
use super::settings::Settings;
use crate::dice::Dice;
use crate::limits::Limiter;

/// All tokens that were granted, each with its end.
#[derive(Debug)]
pub(crate) struct Tokens {
    granted: Vec<(String, i64)>,
    killed: bool,
    grants: u64,
    dice: Dice,
}

impl Tokens {
    /// No token yet.
    pub(crate) fn new(seed: u64) -> Self {
        Self { granted: Vec::new(), killed: false, grants: 0, dice: Dice::new(seed, u64::MAX - 1, 3) }
    }

    /// A new token.
    pub(crate) fn grant(&mut self, settings: &Settings, now_ms: i64) -> String {
        if settings.old_token_dies || self.killed {
            self.granted.clear();
        }
        self.killed = false;
        self.grants += 1;
        let token = format!("qe-{:016x}{:016x}", self.dice.roll(), self.dice.roll());
        self.granted.push((token.clone(), now_ms.saturating_add(millis(settings.token_life))));
        token
    }

    /// Whether a token lives.
    pub(crate) fn alive(&self, token: &str, now_ms: i64) -> bool {
        !self.killed && self.granted.iter().any(|(known, ends_ms)| known == token && now_ms < *ends_ms)
    }

    /// Ends all tokens.
    pub(crate) fn kill(&mut self) {
        self.killed = true;
    }

    /// Makes them good again, the last one for a whole life.
    pub(crate) fn revive(&mut self, settings: &Settings, now_ms: i64) {
        self.killed = false;
        if let Some((_, ends_ms)) = self.granted.last_mut() {
            *ends_ms = now_ms.saturating_add(millis(settings.token_life));
        }
    }

    /// Tokens granted so far.
    pub(crate) fn grants(&self) -> u64 {
        self.grants
    }

    /// For the control endpoint.
    pub(crate) fn describe(&self, now_ms: i64) -> Value {
        let last = self.granted.last();
        json!({
            "alive": last.is_some_and(|(token, _)| self.alive(token, now_ms)),
            "access_token": last.map(|(token, _)| token),
            "ends_ms": last.map(|(_, ends_ms)| ends_ms),
            "grants": self.grants,
        })
    }
}

/// The calls of the v2 interface, and whether it pauses.
#[derive(Debug)]
pub(crate) struct Quota {
    limiter: Option<Limiter>,
    paused_until_ms: i64,
    start_ms: i64,
}

impl Quota {
    /// No call yet.
    pub(crate) fn new(settings: &Settings, start_ms: i64) -> Self {
        Self { limiter: settings.quota.map(|quota| Limiter::new(&[quota])), paused_until_ms: i64::MIN, start_ms }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// The code of throttled calls above the quota, and in the pause that follows the first of them.
    pub(crate) fn admit(&mut self, settings: &Settings, now_ms: i64) -> Result<(), Problem> {
        let Some(limiter) = &mut self.limiter else { return Ok(()) };
        if now_ms >= self.paused_until_ms {
            let elapsed = Duration::from_millis((now_ms - self.start_ms).max(0).unsigned_abs());
            if limiter.admit(elapsed).is_ok() {
                return Ok(());
            }
            self.paused_until_ms = now_ms.saturating_add(millis(settings.pause));
        }
        let left_ms = (self.paused_until_ms - now_ms).unsigned_abs();
        let retry_after = settings.retry_after.then(|| left_ms.div_ceil(1_000));
        Err(Problem { retry_after, ..refuse(settings.codes.throttled, "调用过于频繁,请5分钟后重试") })
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
