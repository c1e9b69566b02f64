//! Tokens: the first one by a call or by a code that a person brings, and later ones by renewal.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use md5::{Digest, Md5};
use milkrun_core::record::plain_text;
use milkrun_core::sign::lower_hex;
use milkrun_core::token::{Token, TokenPolicy, TokenSource};
use milkrun_core::transport::Answer;
use milkrun_core::{Context, Error, ErrorKind, Login, Result, Secret, async_trait};

use crate::client::{Client, TOKEN, is_doubtful};
use crate::config::{Api, App};
use crate::envelope::value;
use crate::error::{ACCESS, DEAD, INIT, OLD_DEAD, OLD_REFRESH, REFRESH};

/// What a token keeps to know the grant in the settings that it comes from.
const GRANT: &str = "grant";
/// A refresh token is not trusted any more so long before the end of the token that it came with.
const REFRESH_ENDS: SignedDuration = SignedDuration::from_hours(12);
/// How long after a renewal that failed while the token still lives the next one is tried.
const TRY_AGAIN: Duration = Duration::from_hours(1);
/// A longer life cannot be meant.
const LONGEST_LIFE: i64 = 10 * 366 * 24 * 3600;

#[async_trait]
impl TokenSource for Client {
    /// A token of the new API is renewed in its last day, as a public client does; one of the old API in its last week,
    /// because earlier the vendor refuses, and it lives one year from there.
    fn policy(&self) -> TokenPolicy {
        const DAY: Duration = Duration::from_hours(24);
        match self.config.api {
            Api::New => TokenPolicy { before_end: DAY, longest_age: None, shortest_age: Duration::from_mins(10) },
            Api::Old => {
                TokenPolicy { before_end: 6 * DAY, longest_age: Some(359 * DAY), shortest_age: Duration::from_hours(1) }
            }
        }
    }

    async fn grant(&self, cx: &Context) -> Result<Token> {
        if let Some(access) = &self.config.access_token {
            let mut token = Token::new(access.clone(), cx.now());
            token.refresh.clone_from(&self.config.refresh_token);
            token.expires_at = self.config.token_end();
            return Ok(self.with_grant(token));
        }
        match self.config.app {
            App::Own => self.init(cx).await,
            App::ThirdParty => Err(Error::new(ErrorKind::TokenDead, "nobody has granted access yet").advise(DEAD)),
        }
    }

    async fn renew(&self, cx: &Context, old: &Token) -> Result<Token> {
        // The settings were changed since the token was granted: a person has authorised anew.
        if old.extra.get(GRANT) != Some(&self.grant_digest()) {
            return self.grant(cx).await;
        }
        let renewed = match self.config.api {
            Api::New => self.renew_new(cx, old).await,
            Api::Old => self.renew_old(cx, old).await,
        };
        let alive = old.expires_at.is_none_or(|end| cx.now() < end);
        // While the token serves on, one try an hour is enough.
        renewed.map_err(|error| if alive { error.retry_after(TRY_AGAIN) } else { error })
    }
}

impl Client {
    /// The first token of a merchant's own app, which can be had again whenever the last one has died.
    async fn init(&self, cx: &Context) -> Result<Token> {
        // "Any six random characters": they only have to differ from call to call.
        let seed = format!("{}{}", self.config.app_key, cx.now().as_nanosecond());
        let code = &lower_hex(&Md5::digest(seed))[..6];
        let call = self.token_call(INIT, &[("grant_type", "authorization_code"), ("code", code)]);
        let answer = cx.call(call).await?;
        self.granted(&answer, None, cx.now())
    }

    async fn renew_new(&self, cx: &Context, old: &Token) -> Result<Token> {
        let own = self.config.app == App::Own;
        let near_end = old.expires_at.is_some_and(|end| cx.now() + REFRESH_ENDS >= end);
        let Some(refresh) = old.refresh.as_ref().filter(|_| !(own && near_end)) else {
            if own {
                return self.init(cx).await;
            }
            let error = Error::new(ErrorKind::TokenDead, "the token was refused and there is none to renew it with");
            return Err(error.advise(DEAD));
        };
        self.remember(refresh);
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose()), ("scope", "all")];
        match cx.call(self.token_call(REFRESH, &fields)).await {
            Ok(answer) => self.granted(&answer, Some(old), cx.now()),
            // The vendor may have replaced both tokens before the answer was spoilt.
            Err(error) if is_doubtful(&error) => {
                let error =
                    Error::new(ErrorKind::OutcomeUnknown, "the answer to a renewal cannot be read").caused_by(error);
                Err(error.advise("run again: if the vendor has replaced the token, the next renewal says what to do"))
            }
            Err(error) if own && is_about_the_token(&error) => {
                tracing::info!(account = cx.account(), %error, "the token cannot be renewed; the app asks for a new one");
                self.init(cx).await
            }
            Err(error) if error.help().is_none() && is_about_the_token(&error) => Err(error.advise(DEAD)),
            Err(error) => Err(error),
        }
    }

    /// Makes the token live a year longer; its text stays the same.
    ///
    /// The answer does not say when it ends. It is taken to end a year from now at the earliest, and is renewed a week
    /// before that.
    async fn renew_old(&self, cx: &Context, old: &Token) -> Result<Token> {
        let call = self.token_call(OLD_REFRESH, &[(TOKEN, old.access.expose())]);
        let advise = |error: Error| if error.help().is_none() { error.advise(OLD_DEAD) } else { error };
        cx.call(call).await.map_err(advise)?;
        Ok(Token { obtained_at: cx.now(), expires_at: None, ..old.clone() })
    }

    /// The tokens that an answer gives. Whether either of them changes is not documented: what comes back is taken, and
    /// what does not come back stays as it was.
    ///
    /// The causes of errors are left out: they could repeat what was read.
    fn granted(&self, answer: &Answer, old: Option<&Token>, now: Timestamp) -> Result<Token> {
        let unknown = || Error::new(ErrorKind::OutcomeUnknown, "the answer to a call for a token holds none");
        let data = self.data(answer).map_err(|_| unknown())?;
        let text = |name| value(&data, name).and_then(plain_text).filter(|text| !text.is_empty());
        let secret = |name| text(name).map(|text| Secret::new(text.into_owned()));
        let (access, refresh) = (secret("access_token"), secret("refresh_token"));
        // A new refresh token alone is worth keeping too: the one before it may be used up.
        let kept = old.filter(|_| refresh.is_some()).map(|old| old.access.clone());
        let access = access.or(kept).ok_or_else(unknown)?;
        let mut token = Token::new(access, now);
        token.refresh = refresh.or_else(|| old.and_then(|old| old.refresh.clone()));
        token.expires_at = text("expires_in").and_then(|secs| end(&secs, now));
        [Some(&token.access), token.refresh.as_ref()].into_iter().flatten().for_each(|secret| self.remember(secret));
        Ok(self.with_grant(token))
    }

    fn with_grant(&self, mut token: Token) -> Token {
        token.extra.insert(GRANT.to_owned(), self.grant_digest());
        token
    }

    /// Names the grant in the settings without repeating it.
    fn grant_digest(&self) -> Secret {
        let given = self.config.access_token.as_ref().map_or("", Secret::expose);
        let salted = Md5::new().chain_update(self.config.app_secret.expose()).chain_update(given);
        Secret::new(lower_hex(&salted.finalize()))
    }
}

/// When a token ends that lives so many seconds; `None` if that makes no sense.
fn end(secs: &str, now: Timestamp) -> Option<Timestamp> {
    let secs: i64 = secs.trim().parse().ok().filter(|secs| (1..=LONGEST_LIFE).contains(secs))?;
    now.checked_add(SignedDuration::from_secs(secs)).ok()
}

/// Whether the vendor minds the token or this kind of app, so that a token of another origin may help.
fn is_about_the_token(error: &Error) -> bool {
    use ErrorKind::{Refused, TokenDead, TokenExpired, Unexpected};
    matches!(error.kind(), TokenDead | TokenExpired | Refused | Unexpected)
}

#[async_trait]
impl Login for Client {
    /// Source: <https://openweb.jushuitan.com/doc?docId=25>, as of early 2026. `state` is not sent: whether it is signed
    /// is not documented.
    fn link(&self, now: Timestamp) -> Result<String> {
        if self.config.app == App::Own {
            let error = Error::config("`app` is the merchant's own, which needs no grant in a browser");
            return Err(error.advise("set `app = \"third-party\"` if it is somebody else's"));
        }
        let timestamp = now.as_second().to_string();
        let params = [("app_key", self.config.app_key.as_str()), ("timestamp", &timestamp), ("charset", "utf-8")];
        let signed = crate::sign::sign(&self.config.app_secret, params);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(params)
            .append_pair("sign", &signed.sign)
            .finish();
        Ok(format!("{}?{query}", self.config.login_url))
    }

    async fn redeem(&self, cx: &Context, code: &Secret) -> Result<Token> {
        self.remember(code);
        let call = self.token_call(ACCESS, &[("grant_type", "authorization_code"), ("code", code.expose())]);
        let answer = cx.call(call).await.map_err(|error| {
            if is_doubtful(&error) { error.advise("run `milkrun login` again: the code may be used up") } else { error }
        })?;
        self.granted(&answer, None, cx.now())
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
