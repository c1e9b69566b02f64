//! Tokens: by authorisation in a browser, for store applications, for self-built ones, and on premise.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::token::{Token, TokenPolicy, TokenSource};
use milkrun_core::{Context, Error, ErrorKind, Login, Result, Secret, async_trait};
use serde_json::json;

use crate::client::Client;
use crate::config::{Edition, Grant};
use crate::envelope;
use crate::error::LOG_IN;
use crate::push::{APP_TICKET, TEMP_AUTH_CODE};
use crate::sign::md5_hex;

/// Trades in the code that the browser brought.
const GET_TOKEN: &str = "auth/v2/getToken";
/// Renews a token; both old ones stop at once.
const REFRESH_TOKEN: &str = "auth/v2/refreshToken";
const APP_ACCESS_TOKEN: &str = "auth/appAuth/getAppAccessToken";
const PERMANENT_CODE: &str = "auth/orgAuth/getPermanentAuthCode";
const ORG_ACCESS_TOKEN: &str = "auth/orgAuth/getOrgAccessToken";
const TOKEN_BY_CODE: &str = "auth/token/getTokenByPermanentCode";
const RESEND_TICKET: &str = "auth/appTicket/resend";
const SELF_BUILT: &str = "v1/common/auth/selfBuiltApp/generateToken";
/// The login of on-premise installations.
const REAL_NAME: &str = "collaborationapp/GetRealNameTPlusToken?IsFree=1";

/// The names under which the permanent codes of a store application are kept.
const PERMANENT_AUTH_CODE: &str = "permanent-auth-code";
const USER_PERMANENT_CODE: &str = "user-auth-permanent-code";
/// What a token keeps to know the settings that it comes from.
const ORIGIN: &str = "origin";
/// What a token keeps to know the organisation that it is for.
const ORGANISATION: &str = "organisation";

const NO_ORGANISATION: &str = "have the organisation enable the application again while `milkrun receive` is running, so \
    that the platform pushes a TEMP_AUTH_CODE (`GET auth/orgTempAuthCode/resend` sends the last one again), or set \
    `permanent_auth_code`";
const NO_USER: &str = "run `milkrun login` for this account once, or set `user_auth_permanent_code`";

#[async_trait]
impl TokenSource for Client {
    fn policy(&self) -> TokenPolicy {
        const HOUR: Duration = Duration::from_hours(1);
        // In the cloud a token lives six days. On premise its life is not known, and one is fetched about once a day.
        let days = if self.config.edition == Edition::OnPremise { 1 } else { 5 };
        TokenPolicy { before_end: HOUR, longest_age: Some(days * 24 * HOUR), shortest_age: HOUR / 6 }
    }

    async fn grant(&self, cx: &Context) -> Result<Token> {
        let token = match (self.config.edition, self.config.grant) {
            (Edition::OnPremise, _) => self.on_premise(cx).await,
            (Edition::Cloud, Grant::Oauth) => self.of_settings(cx).await,
            (Edition::Cloud, Grant::StoreApp) => self.of_store_app(cx).await,
            (Edition::Cloud, Grant::SelfBuilt) => self.of_self_built_app(cx).await,
        };
        let token = token?;
        self.same_organisation(token.extra.get(ORGANISATION))?;
        Ok(self.marked(token))
    }

    async fn renew(&self, cx: &Context, old: &Token) -> Result<Token> {
        let is_oauth = (self.config.edition, self.config.grant) == (Edition::Cloud, Grant::Oauth);
        // All others begin anew, and so does a person who has put other tokens into the settings.
        let changed = old.extra.get(ORIGIN).is_some_and(|origin| *origin != self.origin());
        if !is_oauth || (changed && self.has_tokens()) {
            return self.grant(cx).await;
        }
        let Some(refresh) = &old.refresh else {
            let error = Error::new(ErrorKind::TokenDead, "the token was refused, and there is no refresh token");
            return Err(error.advise(LOG_IN));
        };
        Ok(self.marked(self.refreshed(cx, refresh).await?))
    }
}

#[async_trait]
impl Login for Client {
    fn link(&self, now: Timestamp) -> Result<String> {
        let config = &self.config;
        let missing = || Error::config("`milkrun login` needs `redirect_uri`");
        let redirect = config.redirect_uri.as_deref().ok_or_else(missing)?;
        // Ties the answer in the browser to this link, for a person to compare; nothing secret is in it.
        let state = &md5_hex(&[&config.app_key, &now.as_nanosecond().to_string()])[..16];
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("client_id", config.app_key.as_str()),
                ("response_type", "code"),
                ("scope", "all"),
                ("state", state),
                ("redirect_uri", redirect),
            ])
            .finish();
        Ok(format!("{}?{query}", config.authorize_url))
    }

    async fn redeem(&self, cx: &Context, code: &Secret) -> Result<Token> {
        self.remember(code);
        let redirect = self.config.redirect_uri.as_deref().unwrap_or_default();
        let query = [("grantType", "authorization_code"), ("code", code.expose().trim()), ("redirectUri", redirect)];
        // A code serves once.
        let answer = cx.call(self.get_of_tokens(GET_TOKEN, &query).not_idempotent()).await;
        let answer = answer.map_err(|error| match error.kind() {
            ErrorKind::TokenDead | ErrorKind::Refused | ErrorKind::Unexpected => {
                let dead = Error::new(ErrorKind::TokenDead, "the vendor does not accept the code");
                let advice = "a code serves once, for ten minutes: run `milkrun login` again";
                dead.advise(advice).caused_by(error)
            }
            _ => error,
        })?;
        let token = self.user_token(cx, &answer.body).await?;
        self.same_organisation(token.extra.get(ORGANISATION))?;
        Ok(self.marked(token))
    }
}

impl Client {
    /// Names the tokens of the settings without repeating them.
    fn origin(&self) -> Secret {
        let text = |secret: &Option<Secret>| secret.as_ref().map_or(String::new(), |s| s.expose().to_owned());
        let (access, refresh) = (text(&self.config.access_token), text(&self.config.refresh_token));
        Secret::new(md5_hex(&[&access, "\n", &refresh]))
    }

    fn has_tokens(&self) -> bool {
        self.config.access_token.is_some() || self.config.refresh_token.is_some()
    }

    fn marked(&self, mut token: Token) -> Token {
        token.extra.insert(ORIGIN.to_owned(), self.origin());
        token
    }

    /// The token of the settings, or one for the refresh token there.
    async fn of_settings(&self, cx: &Context) -> Result<Token> {
        let config = &self.config;
        match (&config.access_token, &config.refresh_token) {
            (Some(access), refresh) => Ok(Token { refresh: refresh.clone(), ..Token::new(access.clone(), cx.now()) }),
            (None, Some(refresh)) => self.refreshed(cx, refresh).await,
            (None, None) => Err(Error::new(ErrorKind::TokenDead, "the account was never authorised").advise(LOG_IN)),
        }
    }

    /// A new token for a refresh token, which is used up by that.
    async fn refreshed(&self, cx: &Context, refresh: &Secret) -> Result<Token> {
        self.remember(refresh);
        let query = [("grantType", "refresh_token"), ("refreshToken", refresh.expose())];
        let call = self.get_of_tokens(REFRESH_TOKEN, &query).not_idempotent();
        let answer = cx.call(call).await.map_err(in_doubt)?;
        self.user_token(cx, &answer.body).await.map_err(in_doubt)
    }

    /// Asks for a token as a store application: app token, organisation's token, user's token.
    async fn of_store_app(&self, cx: &Context) -> Result<Token> {
        let ticket = self.ticket(cx).await?;
        let body = json!({ "appTicket": ticket.expose() });
        let app = self.ask(cx, APP_ACCESS_TOKEN, &body, &["appAccessToken"]).await?;
        let code = self.permanent_code(cx, &app).await?;
        let body = json!({ "appAccessToken": app.expose(), "permanentAuthCode": code.expose() });
        let org = self.ask(cx, ORG_ACCESS_TOKEN, &body, &["orgAccessToken"]).await?;
        let user = match &self.config.user_auth_permanent_code {
            Some(code) => Some(code.clone()),
            None => cx.kept(USER_PERMANENT_CODE).await?,
        };
        let user = user.ok_or_else(|| {
            Error::new(ErrorKind::TokenDead, "no user has authorised the application yet").advise(NO_USER)
        })?;
        self.remember(&user);
        let body = json!({ "orgAccessToken": org.expose(), "userAuthPermanentCode": user.expose() });
        let answer = cx.call(self.post_to_tokens(TOKEN_BY_CODE, body.to_string())).await?;
        self.user_token(cx, &answer.body).await
    }

    /// The organisation's permanent code: from a temporary one that was pushed, kept before it is used, else the one
    /// of the settings or of earlier.
    async fn permanent_code(&self, cx: &Context, app: &Secret) -> Result<Secret> {
        let known = match &self.config.permanent_auth_code {
            Some(code) => Some(code.clone()),
            None => cx.kept(PERMANENT_AUTH_CODE).await?,
        };
        let pushed = cx.kept(TEMP_AUTH_CODE).await?.filter(|code| !code.is_empty());
        let code = match (pushed, known) {
            // The one of the settings is what a person has chosen.
            (_, Some(code)) if self.config.permanent_auth_code.is_some() => Ok(code),
            (Some(pushed), known) => match (self.traded(cx, app, &pushed).await, known) {
                (Err(error), Some(known)) if error.kind() == ErrorKind::TokenDead => Ok(known),
                (traded, _) => traded,
            },
            (None, Some(known)) => Ok(known),
            (None, None) => {
                let message = "the organisation has not enabled the application yet";
                Err(Error::new(ErrorKind::TokenDead, message).advise(NO_ORGANISATION))
            }
        };
        code.inspect(|code| self.remember(code))
    }

    /// The permanent code for a temporary one, which serves once.
    async fn traded(&self, cx: &Context, app: &Secret, pushed: &Secret) -> Result<Secret> {
        self.remember(pushed);
        let body = json!({ "appAccessToken": app.expose(), "tempAuthCode": pushed.expose() });
        let call = self.post_to_tokens(PERMANENT_CODE, body.to_string()).not_idempotent();
        let answer = cx.call(call).await.map_err(|error| {
            let refused = matches!(error.kind(), ErrorKind::TokenDead | ErrorKind::Refused | ErrorKind::Unexpected);
            if !refused {
                return error;
            }
            let dead = Error::new(ErrorKind::TokenDead, "the vendor does not accept the temporary code");
            dead.advise(NO_ORGANISATION).caused_by(error)
        })?;
        let [code, org_id] = envelope::members(&answer.body, [&["permanentAuthCode"], &["orgId", "org_id"]])?;
        self.same_organisation(org_id.map(Secret::new).as_ref())?;
        let code = Secret::new(code.ok_or_else(|| lacks("permanentAuthCode"))?);
        cx.keep(PERMANENT_AUTH_CODE, &code).await?;
        cx.keep(TEMP_AUTH_CODE, &Secret::new("")).await?;
        Ok(code)
    }

    async fn of_self_built_app(&self, cx: &Context) -> Result<Token> {
        let ticket = self.ticket(cx).await?;
        let certificate = self.config.certificate.as_ref().map_or("", Secret::expose);
        let body = json!({ "appTicket": ticket.expose(), "certificate": certificate });
        let answer = cx.call(self.post_to_tokens(SELF_BUILT, body.to_string())).await?;
        self.user_token(cx, &answer.body).await
    }

    async fn on_premise(&self, cx: &Context) -> Result<Token> {
        let config = &self.config;
        let password = md5_hex(&[config.password.as_ref().map_or("", Secret::expose)]);
        self.remember(&Secret::new(password.clone()));
        let body = json!({
            "userName": config.user_name.as_deref().unwrap_or_default(),
            "password": password,
            "accNum": config.account_number.as_deref().unwrap_or_default(),
        });
        let answer = cx.call(self.call(REAL_NAME, body.to_string()).without_token()).await?;
        self.user_token(cx, &answer.body).await
    }

    /// The app ticket that was pushed last; if none was, the platform is asked to push it again.
    async fn ticket(&self, cx: &Context) -> Result<Secret> {
        let Some(ticket) = cx.kept(APP_TICKET).await? else {
            let call = self.post_to_tokens(RESEND_TICKET, "{}".to_owned()).not_idempotent();
            let error = Error::new(ErrorKind::TokenDead, "no app ticket has been pushed yet").advise(format!(
                "register the address `…/push/{}` of `milkrun receive` for messages of the application at the open \
                 platform, keep `milkrun receive` running, and run again once the next APP_TICKET has come; the platform \
                 was asked just now to send it again (`auth/appTicket/resend`)",
                cx.account()
            ));
            // The request is a courtesy: the platform pushes tickets by itself too.
            return Err(match cx.call(call).await {
                Ok(_) => error,
                Err(cause) => error.caused_by(cause),
            });
        };
        self.remember(&ticket);
        Ok(ticket)
    }

    /// One secret out of an answer of the token service.
    async fn ask(
        &self,
        cx: &Context,
        endpoint: &str,
        body: &serde_json::Value,
        names: &'static [&'static str],
    ) -> Result<Secret> {
        let answer = cx.call(self.post_to_tokens(endpoint, body.to_string())).await?;
        let [secret] = envelope::members(&answer.body, [names])?;
        let secret = Secret::new(secret.ok_or_else(|| lacks(names[0]))?);
        self.remember(&secret);
        Ok(secret)
    }

    /// The token in an answer: snake case from the token service, camel case for self-built applications.
    ///
    /// Numbers come as such or as text. What a user's permanent code is good for, keeps it.
    async fn user_token(&self, cx: &Context, body: &str) -> Result<Token> {
        let [access, refresh, expires_in, org_id, user_code] = envelope::members(
            body,
            [
                &["access_token", "accessToken"],
                &["refresh_token", "refreshToken"],
                &["expires_in", "expiresIn"],
                &["org_id", "orgId"],
                &["user_auth_permanent_code", "userAuthPermanentCode"],
            ],
        )?;
        let access = Secret::new(access.ok_or_else(|| lacks("access_token"))?);
        if access.is_unusable() || !access.expose().is_ascii() {
            return Err(Error::malformed("the token holds characters that cannot be sent"));
        }
        if let (Grant::StoreApp, Some(code)) = (self.config.grant, user_code) {
            cx.keep(USER_PERMANENT_CODE, &Secret::new(code)).await?;
        }
        let now = cx.now();
        let secs = expires_in.and_then(|text| text.parse::<i64>().ok()).filter(|secs| *secs > 0);
        let expires_at = secs.and_then(|secs| now.checked_add(SignedDuration::from_secs(secs)).ok());
        let extra = org_id.map(|org_id| (ORGANISATION.to_owned(), Secret::new(org_id))).into_iter().collect();
        Ok(Token { refresh: refresh.map(Secret::new), expires_at, extra, ..Token::new(access, now) })
    }

    /// Refuses a token of another organisation, if the settings name one.
    ///
    /// A renewal is not asked: its new token has to be kept, whatever the settings say.
    fn same_organisation(&self, org_id: Option<&Secret>) -> Result<()> {
        match (self.config.edition, &self.config.org_id, org_id) {
            (Edition::Cloud, Some(wanted), Some(org_id)) if wanted != org_id.expose() => {
                let error = Error::config("the token is of another organisation than `org_id`");
                Err(error.with("org_id", wanted).with("granted", org_id.expose()))
            }
            _ => Ok(()),
        }
    }
}

fn lacks(name: &'static str) -> Error {
    Error::malformed("the answer of the token service lacks a field").with("field", name)
}

/// The vendor may have renewed the token before the answer was lost or spoilt.
fn in_doubt(error: Error) -> Error {
    let by_gateway = error.kind() == ErrorKind::Unavailable
        && (error.fact("http_status").is_some() || error.fact("vendor_code").is_some());
    if error.kind() == ErrorKind::Malformed || by_gateway {
        return Error::new(ErrorKind::OutcomeUnknown, "the answer to a renewal cannot be read").caused_by(error);
    }
    error
}

#[cfg(test)]
mod tests;
