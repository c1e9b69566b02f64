//! The call that gives a token, and what its answer holds.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::record::plain_text;
use milkrun_core::sign::lower_hex;
use milkrun_core::token::{Token, TokenPolicy};
use milkrun_core::transport::{Answer, Call};
use milkrun_core::{Context, Error, ErrorKind, Result, Secret};
use sha2::{Digest as _, Sha256};

use crate::endpoint::{Endpoint, Value};
use crate::json::find;
use crate::place::Place;
use crate::rules::AnswerConfig;

/// The call that gives a token.
#[derive(Debug)]
pub(crate) struct TokenCall {
    pub(crate) base_url: String,
    pub(crate) endpoint: Endpoint,
    /// What is sent, each under its path.
    pub(crate) fields: Vec<(String, Secret)>,
    pub(crate) headers: Vec<(String, Secret)>,
    /// The path of the token in the answer.
    pub(crate) token: String,
    /// The path of its life in seconds.
    pub(crate) expires_in: Option<String>,
    /// Its life where the answer does not say it.
    pub(crate) life: Option<SignedDuration>,
    pub(crate) before_end: Duration,
    pub(crate) refresh: Option<Refresh>,
    pub(crate) put: Place,
    pub(crate) prefix: String,
    pub(crate) answer: AnswerConfig,
    /// The setting that describes it, for advice.
    pub(crate) setting: &'static str,
}

/// A refresh token, which may change with each use.
#[derive(Debug)]
pub(crate) struct Refresh {
    /// Where it is sent.
    pub(crate) name: String,
    /// The one of the settings.
    pub(crate) first: Secret,
    /// The path of the next one in the answer.
    pub(crate) next: String,
}

/// What a token keeps to know the settings that it comes from.
const GRANT: &str = "grant";

impl TokenCall {
    /// When tokens are renewed.
    pub(crate) fn policy(&self) -> TokenPolicy {
        TokenPolicy { before_end: self.before_end, longest_age: None, shortest_age: Duration::ZERO }
    }

    /// A token in place of `old`, or the first one.
    ///
    /// # Errors
    /// [`ErrorKind::TokenDead`] if the vendor does not accept the account; [`ErrorKind::OutcomeUnknown`] if it may or may
    /// not have used up the refresh token.
    pub(crate) async fn fetch(&self, cx: &Context, old: Option<&Token>) -> Result<Token> {
        // After a change of the settings, a person has authorised anew.
        let kept = old.filter(|old| old.extra.get(GRANT) == Some(&self.digest())).and_then(|old| old.refresh.clone());
        let refresh = self.refresh.as_ref().map(|refresh| (refresh, kept.unwrap_or_else(|| refresh.first.clone())));
        let answer = cx.call(self.call(refresh.as_ref().map(|(refresh, token)| (refresh.name.as_str(), token)))?).await;
        let answer = answer.map_err(|error| self.judge(error, refresh.is_some()))?;
        self.read(&answer, refresh.map(|(refresh, used)| (refresh.next.as_str(), used)), cx.now())
    }

    fn call(&self, refresh: Option<(&str, &Secret)>) -> Result<Call> {
        let mut request = self.endpoint.request(&self.base_url)?;
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), value));
        for (name, value) in fields.chain(refresh) {
            request.set(name, &Value::Text(value.expose().to_owned()))?;
        }
        let headers = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.expose().to_owned()));
        request.headers.extend(headers);
        let call = Call { endpoint: TOKEN.to_owned(), ..request.call(None).without_token() };
        // A refresh token may be used up by a call whose answer is lost.
        Ok(if refresh.is_some() { call.not_idempotent() } else { call })
    }

    fn judge(&self, error: Error, uses_up: bool) -> Error {
        let spoilt =
            error.kind() == ErrorKind::Malformed || error.fact("http_status").is_some_and(|s| s.starts_with('5'));
        match error.kind() {
            _ if uses_up && spoilt => {
                Error::new(ErrorKind::OutcomeUnknown, "the answer to a renewal cannot be read").caused_by(error)
            }
            ErrorKind::TokenExpired | ErrorKind::Forbidden | ErrorKind::Refused => {
                let message = "the vendor does not give a token for these settings";
                let error = Error::new(ErrorKind::TokenDead, message).caused_by(error);
                error.advise(format!(
                    "check `{}`; authorise the account again if the vendor asks for that",
                    self.setting
                ))
            }
            _ => error,
        }
    }

    /// The token of an answer. The causes of errors are left out: they would repeat what was read.
    fn read(&self, answer: &Answer, refresh: Option<(&str, Secret)>, now: Timestamp) -> Result<Token> {
        let text = |path: &str| find(&answer.body, path).and_then(plain_text).filter(|text| !text.trim().is_empty());
        let kind = if refresh.is_some() { ErrorKind::OutcomeUnknown } else { ErrorKind::Malformed };
        let missing = |path: &str| Error::new(kind, "the answer to the call for a token holds none").with("path", path);
        let access = text(&self.token).ok_or_else(|| missing(&self.token))?;
        if !access.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(
                Error::new(kind, "the token holds white space or characters beyond ASCII").with("path", &self.token)
            );
        }
        let mut token = Token::new(Secret::new(access.into_owned()), now);
        let told = self.expires_in.as_ref().and_then(|path| text(path)?.trim().parse::<i64>().ok());
        // A life that makes no sense is not known.
        let told = told.filter(|secs| (1..=10 * 365 * 86_400).contains(secs)).map(SignedDuration::from_secs);
        token.expires_at = told.or(self.life).and_then(|life| now.checked_add(life).ok());
        token.refresh = refresh.map(|(next, used)| text(next).map_or(used, |next| Secret::new(next.into_owned())));
        token.extra.insert(GRANT.to_owned(), self.digest());
        Ok(token)
    }

    /// Names the settings without repeating them.
    fn digest(&self) -> Secret {
        let mut hash = Sha256::new();
        for secret in
            self.fields.iter().map(|(_, value)| value).chain(self.refresh.iter().map(|refresh| &refresh.first))
        {
            hash.update(secret.expose());
            hash.update([0]);
        }
        Secret::new(lower_hex(&hash.finalize()))
    }
}

/// The endpoint of the call for a token, in quotas and logs.
pub(crate) const TOKEN: &str = "token";
