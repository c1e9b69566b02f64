//! The tokens of both APIs: grants, refreshes, lives and deaths, section 3 of the page.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::protocol::{Problem, refuse};
use super::settings::{AppKind, InitToken, Rotation, Settings};
use crate::beijing;
use crate::dice::Dice;
use crate::form::Form;
use crate::json::Json;

const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// All tokens of the one merchant.
#[derive(Debug)]
pub(crate) struct Session {
    access: String,
    refresh: String,
    ends_ms: i64,
    refresh_ends_ms: i64,
    killed: bool,
    refreshes: u64,
    /// Unused authorisation codes with their ends.
    codes: BTreeMap<String, i64>,
    old: OldToken,
    life_ms: i64,
    refresh_life_ms: i64,
    code_life_ms: i64,
    app: AppKind,
    rotation: Rotation,
    init: InitToken,
    dice: Dice,
}

/// The token of the old API, whose text never changes.
#[derive(Debug)]
struct OldToken {
    text: String,
    ends_ms: i64,
    killed: bool,
    refreshed_ms: Option<i64>,
    life_ms: i64,
    cache_ms: i64,
}

impl Session {
    /// The tokens as they were granted at `now_ms`.
    pub(crate) fn new(settings: &Settings, now_ms: i64) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        let (life_ms, refresh_life_ms) = (ms(settings.token_life), ms(settings.refresh_life));
        let (code_life_ms, old_life_ms) = (ms(settings.code_life), ms(settings.old_token_life));
        Self {
            access: settings.access_token.clone(),
            refresh: settings.refresh_token.clone(),
            ends_ms: now_ms.saturating_add(life_ms),
            refresh_ends_ms: now_ms.saturating_add(refresh_life_ms),
            killed: false,
            refreshes: 0,
            codes: settings.codes.iter().map(|code| (code.clone(), now_ms.saturating_add(code_life_ms))).collect(),
            old: OldToken {
                text: settings.old_token.clone(),
                ends_ms: now_ms.saturating_add(old_life_ms),
                killed: false,
                refreshed_ms: None,
                life_ms: old_life_ms,
                cache_ms: ms(settings.old_refresh_cache),
            },
            life_ms,
            refresh_life_ms,
            code_life_ms,
            app: settings.app,
            rotation: settings.rotation,
            init: settings.init_token,
            dice: Dice::new(settings.seed, u64::MAX - 1, 0),
        }
    }

    /// Whether the access token lives.
    pub(crate) fn alive(&self, now_ms: i64) -> bool {
        !self.killed && now_ms < self.ends_ms
    }

    /// Judges the `access_token` of a call.
    ///
    /// # Errors
    /// `100` if it is another one or dead.
    pub(crate) fn check(&self, sent: &str, now_ms: i64) -> Result<(), Problem> {
        if sent == self.access && self.alive(now_ms) {
            return Ok(());
        }
        Err(refuse("100", "access_token无效或已过期"))
    }

    /// A grant by `getInitToken` or `accessToken`; `init` says which.
    ///
    /// # Errors
    /// `130` for a missing field, `140` for a wrong one or a code that is used, old or made up, `190` for the grant of
    /// another kind of app.
    pub(crate) fn grant(&mut self, init: bool, form: &Form, now_ms: i64, out: &mut Json) -> Result<(), Problem> {
        expect(form, "grant_type", "authorization_code")?;
        let code = form.get("code").ok_or_else(|| refuse("130", "必填数据为空：code"))?;
        if init != (self.app == AppKind::Merchant) {
            return Err(refuse("190", "该应用类型无权使用此授权方式"));
        }
        if init {
            if code.chars().count() != 6 {
                return Err(refuse("140", "参数不符合规范：code 须为 6 位随机字符"));
            }
            if self.init == InitToken::Keeps && self.alive(now_ms) {
                self.describe_grant(now_ms, out);
                return Ok(());
            }
        } else if self.codes.remove(code).is_none_or(|ends_ms| now_ms >= ends_ms) {
            return Err(refuse("140", "code无效或已过期"));
        }
        self.refreshes += 1;
        self.access = self.token();
        self.refresh = self.token();
        self.live_on(now_ms);
        self.describe_grant(now_ms, out);
        Ok(())
    }

    /// A grant by `refreshToken`.
    ///
    /// # Errors
    /// `130` and `140` for fields; `140` with the vendor's message for a refresh token that is dead or another one;
    /// `150` for apps of service providers.
    pub(crate) fn renew(&mut self, form: &Form, now_ms: i64, out: &mut Json) -> Result<(), Problem> {
        expect(form, "grant_type", "refresh_token")?;
        expect(form, "scope", "all")?;
        let sent = form.get("refresh_token").ok_or_else(|| refuse("130", "必填数据为空：refresh_token"))?;
        if self.app == AppKind::ServiceProvider {
            return Err(refuse("150", "服务商应用不支持刷新token，请重新授权"));
        }
        if sent != self.refresh || now_ms >= self.refresh_ends_ms {
            return Err(refuse("140", DEAD_REFRESH));
        }
        self.refreshes += 1;
        if self.rotation != Rotation::Keep {
            self.refresh = self.token();
        }
        if self.rotation == Rotation::Both {
            self.access = self.token();
        }
        self.live_on(now_ms);
        self.describe_grant(now_ms, out);
        Ok(())
    }

    /// A new authorisation code, as the merchant's browser gets it.
    ///
    /// # Errors
    /// `190` for a merchant's own app, which has no such link.
    pub(crate) fn authorise(&mut self, now_ms: i64) -> Result<String, Problem> {
        if self.app == AppKind::Merchant {
            return Err(refuse("190", "自有应用无需授权链接"));
        }
        let code = format!("{:016x}", self.dice.roll());
        self.codes.insert(code.clone(), now_ms.saturating_add(self.code_life_ms));
        Ok(code)
    }

    /// Judges the `token` of a call of the old API.
    ///
    /// # Errors
    /// `100` if it is another one or dead.
    pub(crate) fn check_old(&self, sent: &str, now_ms: i64) -> Result<(), Problem> {
        if sent == self.old.text && !self.old.killed && now_ms < self.old.ends_ms {
            return Ok(());
        }
        Err(refuse("100", "token无效或已过期"))
    }

    /// Extends the token of the old API, which is alive.
    ///
    /// # Errors
    /// `140` before its last week, unless the last refresh is so young that its answer comes again.
    pub(crate) fn renew_old(&mut self, now_ms: i64) -> Result<(), Problem> {
        if self.old.refreshed_ms.is_some_and(|at| now_ms < at.saturating_add(self.old.cache_ms)) {
            return Ok(());
        }
        if now_ms < self.old.ends_ms.saturating_sub(WEEK_MS) {
            return Err(refuse("140", "参数不符合规范：token 到期前一周内才能刷新"));
        }
        self.old.refreshed_ms = Some(now_ms);
        self.old.ends_ms = self.old.ends_ms.saturating_add(self.old.life_ms);
        self.refreshes += 1;
        Ok(())
    }

    /// Ends the access token and the old API's token; the refresh token lives.
    pub(crate) fn kill(&mut self) {
        self.killed = true;
        self.old.killed = true;
    }

    /// Makes all tokens good again, with the same texts.
    pub(crate) fn revive(&mut self, now_ms: i64) {
        self.live_on(now_ms);
        self.old.killed = false;
        self.old.ends_ms = now_ms.saturating_add(self.old.life_ms);
    }

    /// Tokens given or extended so far, by whatever call.
    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes
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
            "old_token": self.old.text,
            "old_ends_ms": self.old.ends_ms,
            "refreshes": self.refreshes,
        })
    }

    fn live_on(&mut self, now_ms: i64) {
        self.killed = false;
        self.ends_ms = now_ms.saturating_add(self.life_ms);
        self.refresh_ends_ms = now_ms.saturating_add(self.refresh_life_ms);
    }

    fn describe_grant(&self, now_ms: i64, out: &mut Json) {
        out.text("access_token", &self.access);
        out.text("refresh_token", &self.refresh);
        out.int("expires_in", (self.ends_ms - now_ms) / 1_000);
        out.text("scope", "all");
    }

    fn token(&mut self) -> String {
        format!("{:016x}{:016x}", self.dice.roll(), self.dice.roll())
    }
}

/// The vendor's message for a refresh token that is dead.
pub(crate) const DEAD_REFRESH: &str = "refresh_token无效或已过期";

fn expect(form: &Form, name: &str, value: &str) -> Result<(), Problem> {
    match form.get(name) {
        None => Err(refuse("130", format!("必填数据为空：{name}"))),
        Some(sent) if sent == value => Ok(()),
        Some(_) => Err(refuse("140", format!("参数不符合规范：{name}"))),
    }
}
