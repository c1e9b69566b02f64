//! The access token, its life and its refresh, section 3 of the page.

use std::time::Duration;

use serde_json::{Value, json};

use super::protocol::{Problem, refuse};
use super::settings::{ExpiresIn, Rotation, Settings};
use crate::beijing;
use crate::dice::Dice;
use crate::json::Json;

/// The one session of the simulated company.
#[derive(Debug)]
pub(crate) struct Session {
    access: String,
    refresh: String,
    ends_ms: i64,
    refreshed_ms: Option<i64>,
    killed: bool,
    refreshes: u64,
    life_ms: i64,
    interval_ms: i64,
    rotation: Rotation,
    expires_in: ExpiresIn,
    dice: Dice,
}

impl Session {
    /// The session the vendor's first e-mail grants, at `now_ms`.
    pub(crate) fn new(settings: &Settings, now_ms: i64) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        let life_ms = ms(settings.session_life);
        Self {
            access: settings.session.clone(),
            refresh: settings.refresh_token.clone(),
            ends_ms: now_ms.saturating_add(life_ms),
            refreshed_ms: None,
            killed: false,
            refreshes: 0,
            life_ms,
            interval_ms: ms(settings.refresh_interval),
            rotation: settings.rotation,
            expires_in: settings.expires_in,
            dice: Dice::new(settings.seed, u64::MAX - 1, 0),
        }
    }

    /// Whether the session lives.
    pub(crate) fn alive(&self, now_ms: i64) -> bool {
        !self.killed && now_ms < self.ends_ms
    }

    /// Judges the `session` of a call.
    ///
    /// # Errors
    /// `20` if it is missing, `invalid_session` if it is another one or dead.
    pub(crate) fn check(&self, sent: Option<&str>, now_ms: i64) -> Result<(), Problem> {
        match sent {
            None => Err(refuse("20", "session missing")),
            Some(sent) if sent == self.access && self.alive(now_ms) => Ok(()),
            Some(_) => Err(refuse("invalid_session", "user not enabled")),
        }
    }

    /// Refreshes the session and writes the reply's `session`.
    ///
    /// # Errors
    /// `32` without a refresh token, `33` for a wrong one, `refresh_frequently` within the hour after a refresh.
    pub(crate) fn renew(&mut self, sent: Option<&str>, now_ms: i64, out: &mut Json) -> Result<(), Problem> {
        let sent = sent.ok_or_else(|| refuse("32", "refreshToken missing"))?;
        if sent != self.refresh {
            return Err(refuse("33", "refreshToken invalid"));
        }
        if self.refreshed_ms.is_some_and(|at| now_ms < at.saturating_add(self.interval_ms)) {
            return Err(refuse("refresh_frequently", "refresh too often"));
        }
        self.refreshed_ms = Some(now_ms);
        self.refreshes += 1;
        self.ends_ms = now_ms.saturating_add(self.life_ms);
        if self.rotation != Rotation::Keep {
            self.refresh = self.token();
        }
        if self.rotation == Rotation::Both {
            self.access = self.token();
        }
        out.key("session");
        out.begin();
        out.text("accessToken", &self.access);
        out.text("refreshToken", &self.refresh);
        match self.expires_in {
            ExpiresIn::Seconds => out.int("expiresIn", self.life_ms / 1_000),
            ExpiresIn::EpochSeconds => out.int("expiresIn", self.ends_ms / 1_000),
            ExpiresIn::EpochMillis => out.int("expiresIn", self.ends_ms),
            ExpiresIn::Text => {}
        }
        out.int("companyId", 10_001);
        out.int("userId", 20_001);
        out.end();
        if self.expires_in == ExpiresIn::Text {
            out.text("expireTime", &beijing::format(self.ends_ms));
        }
        Ok(())
    }

    /// Ends the session.
    pub(crate) fn kill(&mut self) {
        self.killed = true;
    }

    /// Makes it good again, with the same tokens.
    pub(crate) fn revive(&mut self, now_ms: i64) {
        self.killed = false;
        self.ends_ms = now_ms.saturating_add(self.life_ms);
    }

    /// Refreshes so far.
    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes
    }

    /// For the control endpoint.
    pub(crate) fn describe(&self, now_ms: i64) -> Value {
        json!({
            "alive": self.alive(now_ms),
            "session": self.access,
            "refresh_token": self.refresh,
            "ends_ms": self.ends_ms,
            "refreshes": self.refreshes,
        })
    }

    fn token(&mut self) -> String {
        format!("sandbox-{:016x}{:016x}", self.dice.roll(), self.dice.roll())
    }
}
