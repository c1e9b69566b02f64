//! The store application: tickets, the chain of its tokens, and the messages that the platform pushes, section 2.2.

use std::collections::BTreeSet;

use serde_json::json;

use super::protocol::{Problem, refuse};
use super::seal::seal;
use super::session::Session;
use super::settings::Settings;
use crate::beijing;
use crate::dice::Dice;
use crate::json::Json;

/// Life of an `appAccessToken` and an `orgAccessToken`.
const LIFE_MS: i64 = 7_200_000;

/// What the platform keeps of one application in the store.
#[derive(Debug)]
pub(crate) struct Store {
    ticket: String,
    app_access: Option<(String, i64)>,
    org_access: Option<(String, i64)>,
    permanent_code: Option<String>,
    temp_codes: BTreeSet<String>,
    /// Whether the merchant's temporary code is still to be pushed.
    temp_code_due: bool,
    /// Day and number of calls with the user's permanent code.
    today: (String, u32),
    calls_a_day: u32,
    app_key: String,
    org_id: String,
    secret: String,
    pushed: u64,
    dice: Dice,
}

impl Store {
    /// An application that a merchant has just authorised.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            ticket: settings.app_ticket.clone(),
            app_access: None,
            org_access: None,
            permanent_code: None,
            temp_codes: BTreeSet::new(),
            temp_code_due: true,
            today: (String::new(), 0),
            calls_a_day: settings.permanent_code_calls,
            app_key: settings.app_key.clone(),
            org_id: settings.org_id.clone(),
            secret: settings.message_secret.clone(),
            pushed: 0,
            dice: Dice::new(settings.seed, u64::MAX - 2, 0),
        }
    }

    /// What the platform pushes now: a new ticket, which ends the one before, and the temporary code if it is due.
    pub(crate) fn pushes(&mut self, now_ms: i64) -> Vec<String> {
        self.ticket = self.token();
        let mut pushes = vec![self.push("APP_TICKET", &json!({ "appTicket": self.ticket }), now_ms)];
        if std::mem::take(&mut self.temp_code_due) {
            let code = self.token();
            self.temp_codes.insert(code.clone());
            let content = json!({ "tempAuthCode": code, "state": "sandbox" });
            pushes.push(self.push("TEMP_AUTH_CODE", &content, now_ms));
        }
        pushes
    }

    fn push(&mut self, kind: &str, content: &serde_json::Value, now_ms: i64) -> String {
        self.pushed += 1;
        let message = json!({
            "id": format!("{:08x}", self.pushed),
            "appKey": self.app_key,
            "msgType": kind,
            "time": now_ms.to_string(),
            "bizContent": content,
        });
        json!({ "encryptMsg": seal(&self.secret, &message.to_string()) }).to_string()
    }

    /// The temporary code comes with the next pushes again.
    pub(crate) fn resend_temp_code(&mut self) {
        self.temp_code_due = true;
    }

    /// Judges an app ticket.
    ///
    /// # Errors
    /// `4003` for any but the newest.
    pub(crate) fn check_ticket(&self, ticket: &str) -> Result<(), Problem> {
        if ticket == self.ticket { Ok(()) } else { Err(refuse("4003", "appTicket无效")) }
    }

    /// Step 2: an `appAccessToken` for a ticket.
    ///
    /// # Errors
    /// As [`Self::check_ticket`].
    pub(crate) fn app_access_token(&mut self, ticket: &str, now_ms: i64, out: &mut Json) -> Result<(), Problem> {
        self.check_ticket(ticket)?;
        let token = self.token();
        out.text("appAccessToken", &token);
        out.int("expireTime", LIFE_MS / 1_000);
        self.app_access = Some((token, now_ms.saturating_add(LIFE_MS)));
        Ok(())
    }

    /// Step 3: the permanent code of the merchant for a temporary one, which can be used once.
    ///
    /// # Errors
    /// `4003` for an `appAccessToken` or a code that is wrong, `4008` for an old token.
    pub(crate) fn permanent_code(
        &mut self,
        token: &str,
        code: &str,
        now_ms: i64,
        out: &mut Json,
    ) -> Result<(), Problem> {
        alive(self.app_access.as_ref(), token, "appAccessToken", now_ms)?;
        if !self.temp_codes.remove(code) {
            return Err(refuse("4003", "tempAuthCode无效"));
        }
        let fresh = self.token();
        out.text("permanentAuthCode", self.permanent_code.get_or_insert(fresh));
        out.text("orgId", &self.org_id);
        out.text("appName", "T+Cloud");
        out.text("appId", "58");
        Ok(())
    }

    /// Step 4: an `orgAccessToken` for the permanent code.
    ///
    /// # Errors
    /// As step 3.
    pub(crate) fn org_access_token(
        &mut self,
        token: &str,
        code: &str,
        now_ms: i64,
        out: &mut Json,
    ) -> Result<(), Problem> {
        alive(self.app_access.as_ref(), token, "appAccessToken", now_ms)?;
        if self.permanent_code.as_deref() != Some(code) {
            return Err(refuse("4003", "permanentAuthCode无效"));
        }
        let token = self.token();
        out.text("orgAccessToken", &token);
        out.text("orgId", &self.org_id);
        out.int("expireTime", LIFE_MS / 1_000);
        self.org_access = Some((token, now_ms.saturating_add(LIFE_MS)));
        Ok(())
    }

    /// Step 5: the user's token for the user's permanent code.
    ///
    /// # Errors
    /// As step 3; `50112` with HTTP 401 above the calls of a day.
    pub(crate) fn user_token(
        &mut self,
        token: &str,
        code: &str,
        session: &mut Session,
        now_ms: i64,
        out: &mut Json,
    ) -> Result<(), Problem> {
        alive(self.org_access.as_ref(), token, "orgAccessToken", now_ms)?;
        if !session.is_user(code) {
            return Err(refuse("4003", "userAuthPermanentCode无效"));
        }
        let mut day = beijing::format(now_ms);
        day.truncate("yyyy-MM-dd".len());
        if self.today.0 != day {
            self.today = (day, 0);
        }
        if self.today.1 >= self.calls_a_day {
            return Err(refuse("50112", "永久授权码换取token次数已达当日上限").status(401));
        }
        self.today.1 += 1;
        session.grant(now_ms);
        session.describe_grant(now_ms, out);
        Ok(())
    }

    /// The newest ticket, for the control endpoint.
    pub(crate) fn ticket(&self) -> &str {
        &self.ticket
    }

    fn token(&mut self) -> String {
        format!("{:016x}{:016x}", self.dice.roll(), self.dice.roll())
    }
}

fn alive(held: Option<&(String, i64)>, sent: &str, name: &str, now_ms: i64) -> Result<(), Problem> {
    match held {
        Some((token, ends_ms)) if token == sent && now_ms < *ends_ms => Ok(()),
        Some((token, _)) if token == sent => Err(refuse("4008", format!("{name}已过期"))),
        _ => Err(refuse("4003", format!("{name}无效"))),
    }
}
