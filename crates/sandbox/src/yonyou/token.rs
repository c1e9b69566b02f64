//! Tokens: grants to the self-built application and to the ISV suite, and their judgement, section 2 of the page.

use std::time::Duration;

use serde_json::{Value, json};

use super::problem::{Problem, refuse};
use super::settings::{Grant, Settings, TokenShape};
use super::sign;
use crate::dice::Dice;
use crate::form::Form;
use crate::tree::Tree;

/// Who asks for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// The self-built application.
    Own,
    /// The ISV suite.
    Suite,
}

#[derive(Clone, Debug)]
struct Token {
    client: Client,
    text: String,
    ends_ms: i64,
    killed: bool,
}

/// All tokens that were granted.
#[derive(Debug)]
pub(crate) struct Tokens {
    granted: Vec<Token>,
    grants: u64,
    dice: Dice,
}

impl Tokens {
    /// No token yet.
    pub(crate) fn new(seed: u64) -> Self {
        Self { granted: Vec::new(), grants: 0, dice: Dice::new(seed, u64::MAX - 1, 1) }
    }

    /// Judges a token call and grants; `query` is the query string as it came.
    ///
    /// # Errors
    /// `10018` for a foreign application or tenant; [`Settings::wrong_signature_code`] for everything else that is wrong.
    pub(crate) fn grant(
        &mut self,
        settings: &Settings,
        client: Client,
        query: &str,
        now_ms: i64,
    ) -> Result<Tree, Problem> {
        let wrong = |message: &str| refuse(&settings.wrong_signature_code, message);
        let form = Form::urlencoded(query.as_bytes());
        if let Some(name) = form.doubled() {
            return Err(wrong(&format!("{name} given twice")));
        }
        let (key, known, secret) = match client {
            Client::Own => ("appKey", &settings.app_key, &settings.app_secret),
            Client::Suite => ("suiteKey", &settings.suite_key, &settings.suite_secret),
        };
        if form.get(key).ok_or_else(|| wrong(&format!("{key} missing")))? != known {
            return Err(refuse("10018", "应用不存在或已停用"));
        }
        if client == Client::Suite {
            let tenant = form.get("tenantId").ok_or_else(|| wrong("tenantId missing"))?;
            if tenant != settings.tenant_id {
                return Err(refuse("10018", "租户未开通"));
            }
        }
        let sent = form.get("timestamp").ok_or_else(|| wrong("timestamp missing"))?;
        let sent_ms = match (client, sent.len(), sent.parse::<i64>()) {
            (_, 13, Ok(ms)) => ms,
            // One of the vendor's own demos sends seconds.
            (Client::Suite, 10, Ok(seconds)) => seconds * 1_000,
            _ => return Err(wrong("timestamp is not epoch milliseconds")),
        };
        if now_ms.abs_diff(sent_ms) > millis(settings.timestamp_tolerance).unsigned_abs() {
            return Err(wrong("timestamp too far off"));
        }
        let signature = form.get("signature").ok_or_else(|| wrong("signature missing"))?;
        let raw = query.split('&').find_map(|pair| pair.strip_prefix("signature=")).unwrap_or_default();
        if !sign::is_encoded(raw) || signature != sign::sign(secret, &sign::text_to_sign(form.fields())) {
            return Err(wrong("签名错误"));
        }
        let (text, ends_ms) = self.next(settings, client, now_ms);
        let left = Tree::int((ends_ms - now_ms) / 1_000);
        let text = Tree::text(text);
        let envelope =
            |data| Tree::object([("code", Tree::text("00000")), ("message", Tree::text("成功！")), ("data", data)]);
        Ok(match settings.token_shape {
            TokenShape::Expire => envelope(Tree::object([("access_token", text), ("expire", left)])),
            TokenShape::ExpiresIn => envelope(Tree::object([("access_token", text), ("expires_in", left)])),
            TokenShape::Bare => Tree::object([("access_token", text), ("expires_in", left)]),
        })
    }

    fn next(&mut self, settings: &Settings, client: Client, now_ms: i64) -> (String, i64) {
        self.granted.retain(|token| token.ends_ms > now_ms);
        let last = self.granted.iter().rev().find(|token| token.client == client && !token.killed);
        if let (Grant::Same, Some(token)) = (settings.grant, last) {
            return (token.text.clone(), token.ends_ms);
        }
        if settings.grant == Grant::OldDies {
            self.granted.retain(|token| token.client != client);
        }
        self.grants += 1;
        // Long, with characters that must be encoded in a query.
        let text = format!("yt+{:016x}/{:016x}{:016x}==", self.dice.roll(), self.dice.roll(), self.dice.roll());
        let ends_ms = now_ms.saturating_add(millis(settings.token_life));
        self.granted.push(Token { client, text: text.clone(), ends_ms, killed: false });
        (text, ends_ms)
    }

    /// Judges the token of a business call.
    ///
    /// # Errors
    /// `310001` if it is missing, `310036` if it is unknown or dead.
    pub(crate) fn check(&self, sent: Option<&str>, now_ms: i64) -> Result<(), Problem> {
        let sent = sent.filter(|sent| !sent.is_empty()).ok_or_else(|| refuse("310001", "access_token不能为空"))?;
        let good = self.granted.iter().any(|token| token.text == sent && !token.killed && now_ms < token.ends_ms);
        if good { Ok(()) } else { Err(refuse("310036", "非法token")) }
    }

    /// Ends all tokens.
    pub(crate) fn kill(&mut self) {
        self.granted.iter_mut().for_each(|token| token.killed = true);
    }

    /// Makes the last token good again for a whole life.
    pub(crate) fn revive(&mut self, settings: &Settings, now_ms: i64) {
        if let Some(token) = self.granted.last_mut() {
            token.killed = false;
            token.ends_ms = now_ms.saturating_add(millis(settings.token_life));
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
            "alive": last.is_some_and(|token| !token.killed && now_ms < token.ends_ms),
            "access_token": last.map(|token| &token.text),
            "ends_ms": last.map(|token| token.ends_ms),
            "grants": self.grants,
        })
    }
}

/// Milliseconds of a setting.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
