//! The user token of the cloud: code, refresh with rotation, self-built application, and death, section 2 of the page.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::protocol::{Problem, refuse};
use super::settings::{DeadToken, Reuse, Settings, TokenNumbers};
use crate::beijing;
use crate::dice::Dice;
use crate::json::Json;

/// Life of an authorisation code.
const CODE_LIFE_MS: i64 = 10 * 60_000;

/// The token of the one user.
#[derive(Debug)]
pub(crate) struct Session {
    access: String,
    refresh: String,
    ends_ms: i64,
    refresh_ends_ms: i64,
    killed: bool,
    refreshes: u64,
    /// Refresh tokens that were good once.
    spent: BTreeSet<String>,
    codes: BTreeMap<String, i64>,
    life_ms: i64,
    refresh_life_ms: i64,
    reuse: Reuse,
    dead_token: DeadToken,
    numbers: TokenNumbers,
    org_id: String,
    user_permanent_code: String,
    dice: Dice,
}

impl Session {
    /// The token as it was granted at `now_ms`.
    pub(crate) fn new(settings: &Settings, now_ms: i64) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        let (life_ms, refresh_life_ms) = (ms(settings.token_life), ms(settings.refresh_life));
        Self {
            access: settings.access_token.clone(),
            refresh: settings.refresh_token.clone(),
            ends_ms: now_ms.saturating_add(life_ms),
            refresh_ends_ms: now_ms.saturating_add(refresh_life_ms),
            killed: false,
            refreshes: 0,
            spent: BTreeSet::new(),
            codes: settings.codes.iter().map(|code| (code.clone(), now_ms.saturating_add(CODE_LIFE_MS))).collect(),
            life_ms,
            refresh_life_ms,
            reuse: settings.reuse,
            dead_token: settings.dead_token,
            numbers: settings.token_numbers,
            org_id: settings.org_id.clone(),
            user_permanent_code: settings.user_permanent_code.clone(),
            dice: Dice::new(settings.seed, u64::MAX - 1, 0),
        }
    }

    /// Whether the access token lives.
    pub(crate) fn alive(&self, now_ms: i64) -> bool {
        !self.killed && now_ms < self.ends_ms
    }

    /// Judges the token of a call.
    ///
    /// # Errors
    /// HTTP 401 if it is missing, another one or dead; the code depends on [`Settings::dead_token`].
    pub(crate) fn check(&self, sent: Option<&str>, now_ms: i64) -> Result<(), Problem> {
        if sent == Some(&self.access) && self.alive(now_ms) {
            return Ok(());
        }
        Err(match self.dead_token {
            DeadToken::Code => refuse("4007", "token无效或已过期").status(401),
            DeadToken::Message => refuse("50000", "openToken is invalid or expired").status(401),
        })
    }

    /// A grant by authorisation code.
    ///
    /// # Errors
    /// `4003` for a code that is used or made up, `4008` for an old one.
    pub(crate) fn exchange(&mut self, code: &str, now_ms: i64) -> Result<(), Problem> {
        match self.codes.remove(code) {
            None => Err(refuse("4003", "授权码无效")),
            Some(ends_ms) if now_ms >= ends_ms => Err(refuse("4008", "授权码已过期")),
            Some(_) => {
                self.grant(now_ms);
                Ok(())
            }
        }
    }

    /// A refresh: new tokens both, and the old ones are dead at once.
    ///
    /// # Errors
    /// `14002` for a refresh token that was used before, `4003` for one that never was, `4008` for an old one.
    pub(crate) fn renew(&mut self, sent: &str, now_ms: i64) -> Result<(), Problem> {
        if self.spent.contains(sent) {
            if self.reuse == Reuse::EndsSession {
                self.killed = true;
                self.refresh_ends_ms = now_ms;
            }
            return Err(refuse("14002", "refreshToken正在刷新或已被使用"));
        }
        if sent != self.refresh {
            return Err(refuse("4003", "refreshToken无效"));
        }
        if now_ms >= self.refresh_ends_ms {
            return Err(refuse("4008", "refreshToken已过期"));
        }
        self.grant(now_ms);
        Ok(())
    }

    /// New tokens, whatever granted them; the old ones die.
    pub(crate) fn grant(&mut self, now_ms: i64) {
        self.refreshes += 1;
        let spent = std::mem::take(&mut self.refresh);
        self.spent.insert(spent);
        self.access = self.jwt();
        self.refresh = self.token();
        self.live_on(now_ms);
    }

    /// Whether a code is this user's permanent one.
    pub(crate) fn is_user(&self, code: &str) -> bool {
        code == self.user_permanent_code
    }

    /// Writes the `result` of envelope A.
    pub(crate) fn describe_grant(&self, now_ms: i64, out: &mut Json) {
        out.text("access_token", &self.access);
        out.text("refresh_token", &self.refresh);
        out.text("scope", "auth_all");
        self.number("expires_in", (self.ends_ms - now_ms) / 1_000, out);
        self.number("refresh_expires_in", (self.refresh_ends_ms - now_ms) / 1_000, out);
        out.text("user_id", "60012395368");
        out.text("org_id", &self.org_id);
        out.text("app_name", "T+Cloud");
        out.format("sid", format_args!("{:016x}", self.dice.clone().roll()));
        out.text("user_auth_permanent_code", &self.user_permanent_code);
    }

    /// Writes the `value` of envelope B.
    pub(crate) fn describe_self_built(&self, with_refresh: bool, now_ms: i64, out: &mut Json) {
        out.text("accessToken", &self.access);
        if with_refresh {
            out.text("refreshToken", &self.refresh);
        }
        self.number("expiresIn", (self.ends_ms - now_ms) / 1_000, out);
        self.number("refreshExpiresIn", (self.refresh_ends_ms - now_ms) / 1_000, out);
        out.text("orgId", &self.org_id);
    }

    /// Ends the access token; the refresh token lives.
    pub(crate) fn kill(&mut self) {
        self.killed = true;
    }

    /// Makes both tokens good again, with the same texts.
    pub(crate) fn revive(&mut self, now_ms: i64) {
        self.live_on(now_ms);
    }

    /// Tokens given so far, by whatever grant.
    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes
    }

    /// The access token of today.
    pub(crate) fn access(&self) -> &str {
        &self.access
    }

    /// For the control endpoint.
    pub(crate) fn describe(&self, now_ms: i64) -> Value {
        json!({
            "alive": self.alive(now_ms),
            "access_token": self.access,
            "refresh_token": self.refresh,
            "ends_ms": self.ends_ms,
            "ends": beijing::format(self.ends_ms),
            "refresh_ends_ms": self.refresh_ends_ms,
            "codes": self.codes.keys().collect::<Vec<_>>(),
            "user_auth_permanent_code": self.user_permanent_code,
            "refreshes": self.refreshes,
        })
    }

    /// A made-up token of 32 hex digits.
    pub(crate) fn token(&mut self) -> String {
        format!("{:016x}{:016x}", self.dice.roll(), self.dice.roll())
    }

    /// A made-up text that looks like a JWT.
    fn jwt(&mut self) -> String {
        format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", self.token(), self.token())
    }

    fn live_on(&mut self, now_ms: i64) {
        self.killed = false;
        self.ends_ms = now_ms.saturating_add(self.life_ms);
        self.refresh_ends_ms = now_ms.saturating_add(self.refresh_life_ms);
    }

    fn number(&self, name: &str, value: i64, out: &mut Json) {
        match self.numbers {
            TokenNumbers::Number => out.int(name, value),
            TokenNumbers::Text => out.format(name, format_args!("{value}")),
        }
    }
}
