//! How the account proves who it is: a fixed key, or a token that is got and renewed by a call.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use milkrun_core::settings::check_secret;
use milkrun_core::{Error, Result, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::endpoint::{Endpoint, Method, Send, check_header_value};
use crate::place::{Place, check_header};
use crate::rules::{AnswerConfig, Codes, is_path};
use crate::token::{Refresh, TokenCall};

/// How the account proves who it is: one of these, or none.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// A key that goes with every call.
    pub key: Option<KeyAuth>,
    /// HTTP basic authentication.
    pub basic: Option<BasicAuth>,
    /// A token without an end, sent as `Authorization: Bearer …`.
    pub bearer: Option<Secret>,
    /// A token that a call for it gives.
    pub login: Option<LoginConfig>,
    /// OAuth 2: client credentials, or a refresh token.
    pub oauth2: Option<OAuth2Config>,
}

/// A key that goes with every call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyAuth {
    /// The key.
    pub value: Secret,
    /// Where it goes.
    pub put: Place,
}

/// HTTP basic authentication.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// A token that a call for it gives; when it ends, the same call gives the next one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    /// The path below `base_url`, or a whole address.
    pub path: String,
    /// The verb.
    #[serde(default)]
    pub verb: Method,
    /// Where `fields` go: into a JSON body for `post`, into the address for `get`, unless set.
    pub send: Option<Send>,
    /// What is sent, each under its path in the body: names, passwords, keys.
    pub fields: BTreeMap<String, Secret>,
    /// Headers of this call alone.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// The path of the token in the answer.
    pub token: String,
    /// The path of the token's life in seconds.
    pub expires_in: Option<String>,
    /// The token's life in seconds, where the answer does not say it. Without both, it is renewed when it is refused.
    pub life_secs: Option<u32>,
    /// How long before its end the token is renewed.
    #[serde(default = "usual_margin")]
    pub before_end_secs: u32,
    /// Where the token goes in all other calls; `Authorization: Bearer …` if left out.
    pub put: Option<Place>,
    /// What stands before the token there; `"Bearer "` if `put` is left out, else nothing.
    pub prefix: Option<String>,
    /// What is different about the answer to this call.
    #[serde(default)]
    pub answer: AnswerConfig,
}

/// OAuth 2 with a token endpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth2Config {
    /// The token endpoint: a path below `base_url`, or a whole address.
    pub token_path: String,
    /// What the token is asked for with.
    #[serde(default)]
    pub grant: Grant,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// The first refresh token, for `grant = "refresh-token"`; each one that the vendor gives takes its place. A changed
    /// setting takes the vault's place at the next renewal.
    pub refresh_token: Option<Secret>,
    /// The scope, if one is asked for.
    pub scope: Option<String>,
    /// Where id and secret go.
    #[serde(default)]
    pub client_in: ClientIn,
    /// Whether the call is a form, as the standard says, or JSON.
    #[serde(default = "form")]
    pub send: Send,
    /// The vendor's own names for the fields, such as `{ client_id = "appKey" }`.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// The path of the access token in the answer.
    #[serde(default = "access_token")]
    pub access_token: String,
    /// The path of the next refresh token in the answer.
    #[serde(default = "refresh_token")]
    pub next_refresh_token: String,
    /// The path of the token's life in seconds.
    #[serde(default = "expires_in")]
    pub expires_in: String,
    /// How long before its end the token is renewed.
    #[serde(default = "usual_margin")]
    pub before_end_secs: u32,
    /// Where the token goes in all other calls; `Authorization: Bearer …` if left out.
    pub put: Option<Place>,
    /// What stands before the token there; `"Bearer "` if `put` is left out, else nothing.
    pub prefix: Option<String>,
    /// How the answer to this call is judged, if not as the standard says.
    pub answer: Option<AnswerConfig>,
}

/// What a token is asked for with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// With the client's id and secret alone.
    #[default]
    ClientCredentials,
    /// With a refresh token, which may change with each use.
    RefreshToken,
}

/// Where the client's id and secret go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientIn {
    /// Into the body.
    #[default]
    Body,
    /// Into the header `Authorization: Basic …`.
    Basic,
}

fn usual_margin() -> u32 {
    60
}

fn form() -> Send {
    Send::Form
}

fn access_token() -> String {
    "access_token".to_owned()
}

fn refresh_token() -> String {
    "refresh_token".to_owned()
}

fn expires_in() -> String {
    "expires_in".to_owned()
}

/// The names of the standard, which `names` may replace.
const NAMES: [&str; 5] = ["grant_type", "client_id", "client_secret", "refresh_token", "scope"];

impl AuthConfig {
    /// Refuses what cannot be meant; `base` are the account's rules for answers.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self, base: &AnswerConfig) -> Result<()> {
        let all = [
            self.key.is_some(),
            self.basic.is_some(),
            self.bearer.is_some(),
            self.login.is_some(),
            self.oauth2.is_some(),
        ];
        if all.iter().filter(|given| **given).count() > 1 {
            return Err(Error::config("`auth` has to be one of `key`, `basic`, `bearer`, `login` and `oauth2`"));
        }
        let usable = |at: &str, secret: &Secret| {
            check_secret(at, secret)?;
            check_header_value(at, secret.expose())
        };
        if let Some(KeyAuth { value, put }) = &self.key {
            usable("auth.key.value", value)?;
            put.validate("auth.key.put")?;
        }
        if let Some(BasicAuth { user, password }) = &self.basic {
            if user.is_empty() || user.contains(':') {
                return Err(Error::config("`auth.basic.user` is empty or holds a colon"));
            }
            if password.is_empty() || password.expose().contains(['\n', '\r']) {
                return Err(Error::config("`auth.basic.password` is empty or holds a line break"));
            }
        }
        self.bearer.iter().try_for_each(|token| usable("auth.bearer", token))?;
        self.login.iter().try_for_each(|login| login.validate(base))?;
        self.oauth2.iter().try_for_each(OAuth2Config::validate)
    }

    /// What is sent with every call, if it never changes: where it goes, and the text.
    pub(crate) fn fixed(&self) -> Option<(Place, Secret)> {
        if let Some(KeyAuth { value, put }) = &self.key {
            return Some((put.clone(), value.clone()));
        }
        let authorization = |text: String| (Place::header("authorization"), Secret::new(text));
        if let Some(BasicAuth { user, password }) = &self.basic {
            return Some(authorization(format!("Basic {}", basic(user, password))));
        }
        self.bearer.as_ref().map(|token| authorization(format!("Bearer {}", token.expose())))
    }

    /// How a token is got, if it is.
    pub(crate) fn token_call(&self, base_url: &str, base: &AnswerConfig) -> Option<TokenCall> {
        if let Some(login) = &self.login {
            return Some(login.token_call(base_url, base));
        }
        self.oauth2.as_ref().map(|oauth2| oauth2.token_call(base_url))
    }

    /// Every secret of the settings, to be struck out of the vendor's words.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let mut secrets: Vec<Secret> = self.key.iter().map(|key| key.value.clone()).collect();
        secrets.extend(self.basic.iter().flat_map(|b| [b.password.clone(), Secret::new(basic(&b.user, &b.password))]));
        secrets.extend(self.bearer.clone());
        if let Some(LoginConfig { fields, headers, .. }) = &self.login {
            // A word such as `cn` is no secret, and striking it out would make messages unreadable.
            let values = fields.values().chain(headers.values());
            secrets.extend(values.filter(|value| value.expose().len() >= 4).cloned());
        }
        if let Some(oauth2) = &self.oauth2 {
            secrets.push(oauth2.client_secret.clone());
            secrets.extend(oauth2.refresh_token.clone());
            secrets.push(Secret::new(basic(&oauth2.client_id, &oauth2.client_secret)));
        }
        secrets
    }
}

/// The text after `Basic `.
fn basic(user: &str, password: &Secret) -> String {
    STANDARD.encode(format!("{user}:{}", password.expose()))
}

impl LoginConfig {
    fn validate(&self, base: &AnswerConfig) -> Result<()> {
        let at = "auth.login.";
        self.endpoint().validate(at, true)?;
        if self.fields.keys().any(|name| !is_path(name)) || self.fields.values().any(Secret::is_empty) {
            return Err(Error::config("`auth.login.fields` has an empty name or value"));
        }
        for (name, value) in &self.headers {
            check_header("auth.login.headers", name)?;
            check_header_value("auth.login.headers", value.expose())?;
        }
        for (setting, path) in [("token", Some(&self.token)), ("expires_in", self.expires_in.as_ref())] {
            if path.is_some_and(|path| !is_path(path)) {
                return Err(Error::config(format!("`{at}{setting}` has to be names joined by `.`")));
            }
        }
        if self.life_secs.is_some_and(|life| life <= self.before_end_secs) {
            return Err(Error::config("`auth.login.life_secs` has to be longer than `before_end_secs`"));
        }
        self.put.iter().try_for_each(|put| put.validate("auth.login.put"))?;
        self.answer.over(base).validate("auth.login.answer")
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.verb, &self.path, self.send)
    }

    fn token_call(&self, base_url: &str, base: &AnswerConfig) -> TokenCall {
        let (put, prefix) = carried(self.put.as_ref(), self.prefix.as_deref());
        TokenCall {
            base_url: base_url.to_owned(),
            endpoint: self.endpoint(),
            fields: self.fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            token: self.token.clone(),
            expires_in: self.expires_in.clone(),
            life: self.life_secs.map(|secs| SignedDuration::from_secs(secs.into())),
            before_end: Duration::from_secs(self.before_end_secs.into()),
            refresh: None,
            put,
            prefix,
            answer: self.answer.over(base),
            setting: "auth.login",
        }
    }
}

impl OAuth2Config {
    fn validate(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        self.endpoint().validate("auth.oauth2.token_", true)?;
        if self.client_id.is_empty() {
            return wrong("`auth.oauth2.client_id` is empty");
        }
        check_secret("auth.oauth2.client_secret", &self.client_secret)?;
        if self.send == Send::Query {
            return wrong("`auth.oauth2.send` has to be \"form\" or \"json\": addresses end up in logs");
        }
        match (self.grant, &self.refresh_token) {
            (Grant::RefreshToken, None) => return wrong("`auth.oauth2.refresh_token` is missing for this `grant`"),
            (Grant::ClientCredentials, Some(_)) => {
                return wrong("`auth.oauth2.refresh_token` means nothing for this `grant`");
            }
            (Grant::RefreshToken, Some(token)) => check_secret("auth.oauth2.refresh_token", token)?,
            (Grant::ClientCredentials, None) => {}
        }
        if let Some(name) = self.names.keys().find(|name| !NAMES.contains(&name.as_str())) {
            let error = Error::config(format!("`auth.oauth2.names` has `{name}`, which the standard does not have"));
            return Err(error.advise(milkrun_core::diagnostic::did_you_mean(name, &NAMES)));
        }
        if self.names.values().any(|name| !is_path(name)) {
            return wrong("`auth.oauth2.names` has an empty name");
        }
        if ![&self.access_token, &self.next_refresh_token, &self.expires_in].into_iter().all(|path| is_path(path)) {
            return wrong(
                "`auth.oauth2`: `access_token`, `next_refresh_token` and `expires_in` have to be paths in the answer",
            );
        }
        self.put.iter().try_for_each(|put| put.validate("auth.oauth2.put"))?;
        self.answer.iter().try_for_each(|answer| answer.validate("auth.oauth2.answer"))
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(Method::Post, &self.token_path, Some(self.send))
    }

    fn name(&self, standard: &str) -> String {
        self.names.get(standard).cloned().unwrap_or_else(|| standard.to_owned())
    }

    fn token_call(&self, base_url: &str) -> TokenCall {
        let grant = match self.grant {
            Grant::ClientCredentials => "client_credentials",
            Grant::RefreshToken => "refresh_token",
        };
        let mut fields = vec![(self.name("grant_type"), Secret::new(grant))];
        let mut headers = Vec::new();
        match self.client_in {
            ClientIn::Body => {
                fields.push((self.name("client_id"), Secret::new(self.client_id.clone())));
                fields.push((self.name("client_secret"), self.client_secret.clone()));
            }
            ClientIn::Basic => {
                let text = format!("Basic {}", basic(&self.client_id, &self.client_secret));
                headers.push(("authorization".to_owned(), Secret::new(text)));
            }
        }
        fields.extend(self.scope.iter().map(|scope| (self.name("scope"), Secret::new(scope.clone()))));
        let (put, prefix) = carried(self.put.as_ref(), self.prefix.as_deref());
        let refresh = self.refresh_token.clone().map(|first| Refresh {
            name: self.name("refresh_token"),
            first,
            next: self.next_refresh_token.clone(),
        });
        TokenCall {
            base_url: base_url.to_owned(),
            endpoint: self.endpoint(),
            fields,
            headers,
            token: self.access_token.clone(),
            expires_in: Some(self.expires_in.clone()),
            life: None,
            before_end: Duration::from_secs(self.before_end_secs.into()),
            refresh,
            put,
            prefix,
            answer: self.answer.clone().unwrap_or_else(standard_answers),
            setting: "auth.oauth2",
        }
    }
}

/// Errors as RFC 6749, section 5.2, writes them.
fn standard_answers() -> AnswerConfig {
    let words = |words: &[&str]| words.iter().map(|word| crate::json::Plain::Text((*word).to_owned())).collect();
    AnswerConfig {
        success: Some("error".to_owned()),
        success_values: Some(Vec::new()),
        success_may_be_missing: Some(true),
        message: Some("error_description".to_owned()),
        codes: Some(Codes {
            token: words(&["invalid_grant"]),
            settings: words(&[
                "invalid_client",
                "invalid_request",
                "invalid_scope",
                "unauthorized_client",
                "unsupported_grant_type",
            ]),
            temporary: words(&["temporarily_unavailable", "server_error"]),
            ..Codes::default()
        }),
        ..AnswerConfig::default()
    }
}

fn carried(put: Option<&Place>, prefix: Option<&str>) -> (Place, String) {
    let usual = if put.is_none() { "Bearer " } else { "" };
    let place = put.cloned().unwrap_or_else(|| Place::header("authorization"));
    (place, prefix.unwrap_or(usual).to_owned())
}
