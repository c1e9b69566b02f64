//! Signing calls and judging answers, of both APIs.

use std::sync::Arc;

use jiff::Timestamp;
use milkrun_core::record::Pairs;
use milkrun_core::secret::Sent;
use milkrun_core::token::Token;
use milkrun_core::transport::{Answer, Body, Call, Protocol, Wire};
use milkrun_core::{Context, Error, ErrorKind, Result, Secret};

use crate::config::{Api, JushuitanConfig};
use crate::envelope::{self, Envelope, List};
use crate::error::{self, ACCESS, INIT, REFRESH};

/// The way to one Jushuitan company: what is sent, and what the answers mean.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) config: JushuitanConfig,
    /// Secrets that were sent lately beside those of the settings, to be struck out of the vendor's messages.
    sent: Sent,
}

/// The parameter of a business call.
const BIZ: &str = "biz";
/// The parameter by which a renewal of the old API names its token.
pub(crate) const TOKEN: &str = "token";

impl Client {
    pub(crate) fn new(config: JushuitanConfig) -> Self {
        Self { config, sent: Sent::default() }
    }

    /// A call of the method at `path` with these business parameters, JSON text.
    pub(crate) fn call(&self, path: &str, biz: String) -> Call {
        let endpoint = self.config.api.endpoint(path);
        match self.config.api {
            Api::New => {
                let url = format!("{}{path}", self.config.address());
                Call::form(&endpoint, &url, vec![(BIZ.to_owned(), biz)])
            }
            Api::Old => Call::json(&endpoint, self.config.address(), biz),
        }
    }

    /// A call about tokens; its repetition may have a second effect.
    pub(crate) fn token_call(&self, endpoint: &str, fields: &[(&str, &str)]) -> Call {
        let url = match self.config.api {
            Api::New => format!("{}{endpoint}", self.config.address()),
            Api::Old => self.config.address().to_owned(),
        };
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Call::form(endpoint, &url, fields).without_token().not_idempotent()
    }

    /// Asks for a page: the list of the first of these names.
    ///
    /// # Errors
    /// Those of the call; [`ErrorKind::Malformed`] if the answer holds no such list.
    pub(crate) async fn list(&self, cx: &Context, call: Call, lists: &[String]) -> Result<(List, Arc<String>)> {
        let answer = cx.call(call).await?;
        let list = envelope::list(&self.data(&answer)?, lists, &answer.body)?;
        Ok((list, answer.body))
    }

    /// What a good answer holds.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if it holds nothing.
    pub(crate) fn data<'a>(&self, answer: &'a Answer) -> Result<Pairs<'a>> {
        Envelope::read(&answer.body, self.config.api)?.data()
    }

    /// A text of the vendor without the secrets that it may repeat.
    pub(crate) fn strike_out(&self, text: &str) -> String {
        let config = &self.config;
        let settings = [Some(&config.app_secret), config.access_token.as_ref(), config.refresh_token.as_ref()];
        self.sent.strike_out(text, settings.into_iter().flatten())
    }

    /// Remembers a secret, because the vendor may repeat it.
    pub(crate) fn remember(&self, secret: &Secret) {
        self.sent.remember(secret);
    }

    /// All parameters of a call of the new API, `sign` included.
    fn signed_fields(&self, call: &Call, token: Option<&Token>, now: Timestamp) -> Result<Vec<(String, String)>> {
        let Body::Form(fields) = &call.body else {
            return Err(Error::new(ErrorKind::Unexpected, "the new API takes form fields only"));
        };
        let mut fields = fields.clone();
        let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        add("app_key", &self.config.app_key);
        add("timestamp", &now.as_second().to_string());
        add("charset", "utf-8");
        if !matches!(call.endpoint.as_str(), INIT | ACCESS | REFRESH) {
            add("version", "2");
        }
        if let Some(token) = token {
            add("access_token", token.access.expose());
        }
        fields.retain(|(_, value)| !value.is_empty());
        let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signed = crate::sign::sign(&self.config.app_secret, pairs);
        fields.push(("sign".to_owned(), signed.sign));
        Ok(fields)
    }

    /// A call of the old API: its system parameters travel in the address, and its business parameters in the body.
    fn wire_old(&self, call: &Call, token: Option<&Token>, now: Timestamp) -> Result<Wire> {
        let missing = || Error::new(ErrorKind::Unexpected, "a call of the old API needs a token");
        let (token, body) = match &call.body {
            Body::Json(text) => (token.ok_or_else(missing)?.access.expose(), text.clone()),
            // A renewal names its token by itself, and says nothing else.
            Body::Form(fields) => {
                let named = fields.iter().find(|(name, _)| name == TOKEN).ok_or_else(missing)?;
                (named.1.as_str(), "{}".to_owned())
            }
            Body::Empty => return Err(Error::new(ErrorKind::Unexpected, "the old API takes JSON only")),
        };
        let ts = now.as_second().to_string();
        let (key, id) = (&self.config.app_secret, &self.config.app_key);
        let signed = crate::sign::sign_old(key, &call.endpoint, id, token, &ts);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("method", call.endpoint.as_str()), ("partnerid", id), ("token", token), ("ts", &ts)])
            .append_pair("sign", &signed.sign)
            .finish();
        Ok(Wire::plain(&Call { url: format!("{}?{query}", call.url), body: Body::Json(body), ..call.clone() }))
    }
}

impl Protocol for Client {
    fn sign(&self, call: &Call, token: Option<&Token>, now: Timestamp) -> Result<Wire> {
        if let Some(token) = token {
            self.remember(&token.access);
        }
        match self.config.api {
            Api::New => {
                let fields = self.signed_fields(call, token, now)?;
                Ok(Wire::plain(&Call { body: Body::Form(fields), ..call.clone() }))
            }
            Api::Old => self.wire_old(call, token, now),
        }
    }

    /// Reads the answer to its end, so that one that was cut is found here, where it is asked for again.
    fn classify(&self, call: &Call, answer: &Answer) -> Result<()> {
        answer.http_ok()?;
        let envelope = Envelope::read(answer.json()?, self.config.api)?;
        let code = match (envelope.code.as_str(), envelope.success) {
            ("0", None | Some(true)) => return Ok(()),
            // One word of failure is enough.
            (code, _) => code,
        };
        Err(error::classify(&call.endpoint, code, &self.strike_out(&envelope.message)))
    }
}

/// Whether a call about tokens may have had its effect though no good answer came.
pub(crate) fn is_doubtful(error: &Error) -> bool {
    let server_failed = error.fact("http_status").is_some_and(|status| status.starts_with('5'));
    matches!(error.kind(), ErrorKind::Malformed | ErrorKind::OutcomeUnknown) || server_failed
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use milkrun_core::Retry;

    use super::*;
    use crate::error::OLD_REFRESH;

    const NOW: &str = "2025-01-01T00:00:00.9Z";

    fn client(more: &str) -> Client {
        let text = format!("app_key = 'a1'\napp_secret = 'hush-hush'\n{more}");
        Client::new(toml::from_str(&text).unwrap())
    }

    fn token() -> Token {
        Token::new(Secret::new("live-token"), NOW.parse().unwrap())
    }

    fn fields(text: &str) -> BTreeMap<String, String> {
        form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }

    fn answer(body: &str) -> Answer {
        Answer { status: 200, retry_after: None, body: Arc::new(body.to_owned()) }
    }

    #[test]
    fn the_new_api_signs_its_form() {
        let client = client("");
        let biz = r#"{"名":"短袖 &=+%","empty":"","none":null}"#;
        let call = client.call("/open/sku/query", biz.to_owned());
        let wire = client.sign(&call, Some(&token()), NOW.parse().unwrap()).unwrap();
        assert_eq!(wire.url, "https://openapi.jushuitan.com/open/sku/query");
        let mut sent = fields(&wire.body);
        let given = sent.remove("sign").unwrap();
        let pairs = sent.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(crate::sign::sign(&Secret::new("hush-hush"), pairs).sign, given);
        let sent: Vec<_> = sent.iter().map(|(name, value)| format!("{name}={value}")).collect();
        insta::assert_snapshot!(sent.join("\n"), @r#"
        access_token=live-token
        app_key=a1
        biz={"名":"短袖 &=+%","empty":"","none":null}
        charset=utf-8
        timestamp=1735689600
        version=2
        "#);
        let renewal = client.token_call(REFRESH, &[("grant_type", "refresh_token"), ("scope", "all"), ("code", "")]);
        let wire = client.sign(&renewal, None, NOW.parse().unwrap()).unwrap();
        let names: Vec<_> = fields(&wire.body).into_keys().collect();
        assert_eq!(names, ["app_key", "charset", "grant_type", "scope", "sign", "timestamp"]);
    }

    #[test]
    fn the_old_api_signs_its_address() {
        let client = client("api = 'old'\naccess_token = 'live-token'");
        let call = client.call("/open/orders/single/query", r#"{"page_index":1}"#.to_owned());
        assert_eq!(call.endpoint, "orders.single.query");
        let wire = client.sign(&call, Some(&token()), NOW.parse().unwrap()).unwrap();
        assert_eq!(wire.body, r#"{"page_index":1}"#);
        let (address, query) = wire.url.split_once('?').unwrap();
        assert_eq!(address, "https://open.erp321.com/api/open/query.aspx");
        let sent = fields(query);
        let signed =
            crate::sign::sign_old(&Secret::new("hush-hush"), "orders.single.query", "a1", "live-token", "1735689600");
        assert_eq!(sent["sign"], signed.sign);
        assert_eq!(
            (&*sent["method"], &*sent["partnerid"], &*sent["token"]),
            ("orders.single.query", "a1", "live-token")
        );
        let renewal = client.token_call(OLD_REFRESH, &[(TOKEN, "live-token")]);
        let wire = client.sign(&renewal, None, NOW.parse().unwrap()).unwrap();
        assert_eq!(wire.body, "{}");
        assert!(
            wire.url.contains("method=refresh.token&partnerid=a1&token=live-token&ts=1735689600&sign="),
            "{}",
            wire.url
        );
        assert!(client.sign(&call, None, NOW.parse().unwrap()).is_err());
    }

    #[test]
    fn judges_answers() {
        let (new, old) = (client(""), client("api = 'old'\naccess_token = 'live-token'"));
        let judge = |client: &Client, body: &str| {
            let call = client.call("/open/sku/query", String::new());
            client.classify(&call, &answer(body)).map_err(|error| (error.kind(), error.retry()))
        };
        for good in [r#"{"code":0,"msg":"执行成功","data":null}"#, r#"{"code":"0"}"#, r#"{"code":0,"issuccess":true}"#]
        {
            assert_eq!(judge(&new, good), Ok(()), "{good}");
            assert_eq!(judge(&old, good), Ok(()), "{good}");
        }
        let malformed = Err((ErrorKind::Malformed, Retry::Backoff));
        for bad in ["", "<html>", "null", "[]", r#"{"code":0"#, r#"{"msg":"ok"}"#, r#"{"code":0,"issuccess":"so so"}"#]
        {
            assert_eq!(judge(&new, bad), malformed, "{bad}");
        }
        assert_eq!(judge(&old, r#"{"code":0,"issuccess":false}"#), Err((ErrorKind::Unexpected, Retry::Never)));
        assert_eq!(judge(&new, r#"{"code":"100"}"#), Err((ErrorKind::TokenExpired, Retry::Never)));
        let wait = Retry::After(std::time::Duration::from_mins(1));
        assert_eq!(judge(&new, r#"{"code":200}"#), Err((ErrorKind::QuotaExceeded, wait)));
    }

    #[test]
    fn messages_keep_no_secret() {
        let client = client("access_token = 'given-token'\nrefresh_token = 'given-refresh'");
        let call = client.call("/open/sku/query", String::new());
        client.sign(&call, Some(&token()), NOW.parse().unwrap()).unwrap();
        let body = r#"{"code":160,"msg":"no hush-hush given-token given-refresh live-token"}"#;
        let error = client.classify(&call, &answer(body)).unwrap_err();
        assert_eq!(error.to_string(), "no *** *** *** *** (vendor_code: 160)");
        let shown = format!("{client:?}");
        assert!(!["hush-hush", "given", "live-token"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
}
