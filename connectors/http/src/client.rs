//! What goes on the wire, and what the answers mean.

use std::collections::BTreeMap;

use jiff::Timestamp;
use milkrun_core::secret::Sent;
use milkrun_core::token::{Token, TokenPolicy, TokenSource};
use milkrun_core::transport::{Answer, Call, Protocol, Wire};
use milkrun_core::{Context, Error, ErrorKind, Result, Secret, async_trait};

use crate::config::HttpConfig;
use crate::place::{Draft, Place};
use crate::rules::AnswerConfig;
use crate::signing::SignConfig;
use crate::token::{TOKEN, TokenCall};

/// The way to one vendor.
pub(crate) struct Client {
    pub(crate) base_url: String,
    headers: Vec<(String, String)>,
    fixed: Option<(Place, Secret)>,
    token: Option<TokenCall>,
    sign: Option<SignConfig>,
    rules: AnswerConfig,
    by_endpoint: BTreeMap<String, AnswerConfig>,
    secrets: Vec<Secret>,
    /// The tokens that were sent, to be struck out of the vendor's messages.
    sent: Sent,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.base_url)
    }
}

impl Client {
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] if two entries of one address judge its answers differently.
    pub(crate) fn new(config: &HttpConfig) -> Result<Self> {
        let mut secrets = config.auth.secrets();
        secrets.extend(config.sign.iter().map(|sign| sign.secret.clone()));
        Ok(Self {
            base_url: config.base_url.clone(),
            headers: config.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
            fixed: config.auth.fixed(),
            token: config.auth.token_call(&config.base_url, &config.answer),
            sign: config.sign.clone(),
            rules: config.rules(),
            by_endpoint: config.rules_by_endpoint()?,
            secrets,
            sent: Sent::default(),
        })
    }

    /// Whether the account has a token that is got by a call.
    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// A text of the vendor without the secrets that it may repeat.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.sent.strike_out(text, &self.secrets)
    }
}

impl Protocol for Client {
    fn sign(&self, call: &Call, token: Option<&Token>, now: Timestamp) -> Result<Wire> {
        let mut draft = Draft::of(call);
        for (name, value) in &self.headers {
            if !draft.call.headers.iter().any(|(own, _)| own == name) {
                draft.call.headers.push((name.clone(), value.clone()));
            }
        }
        if let Some((place, key)) = self.fixed.as_ref().filter(|_| call.with_token) {
            draft.put(place, key.expose().to_owned())?;
        }
        if let (Some(token), Some(TokenCall { put, prefix, .. })) = (token, &self.token) {
            draft.put(put, format!("{prefix}{}", token.access.expose()))?;
            self.sent.remember(&token.access);
        }
        if let Some(sign) = self.sign.as_ref().filter(|sign| call.with_token || sign.token_call) {
            sign.sign(&mut draft, token.map(|token| &token.access), now)?;
        }
        Ok(draft.into_wire())
    }

    fn classify(&self, call: &Call, answer: &Answer) -> Result<()> {
        let rules = match &self.token {
            Some(token) if call.endpoint == TOKEN => &token.answer,
            _ => self.by_endpoint.get(&call.endpoint).unwrap_or(&self.rules),
        };
        rules.judge(answer, &|text| self.hide(text))
    }
}

#[async_trait]
impl TokenSource for Client {
    fn policy(&self) -> TokenPolicy {
        self.token.as_ref().expect("only accounts with a token are token sources").policy()
    }

    async fn grant(&self, cx: &Context) -> Result<Token> {
        self.fetch(cx, None).await
    }

    async fn renew(&self, cx: &Context, old: &Token) -> Result<Token> {
        self.fetch(cx, Some(old)).await
    }
}

impl Client {
    async fn fetch(&self, cx: &Context, old: Option<&Token>) -> Result<Token> {
        let call = self.token.as_ref();
        let call = call.ok_or_else(|| Error::new(ErrorKind::Unexpected, "this account has no token to fetch"))?;
        call.fetch(cx, old).await
    }
}
