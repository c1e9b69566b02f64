//! What goes on the wire, what the answers mean, and the token.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::record::plain_text;
use milkrun_core::secret::Sent;
use milkrun_core::token::{Token, TokenPolicy, TokenSource};
use milkrun_core::transport::{Answer, Body, Call, Protocol, Wire};
use milkrun_core::{Context, Error, ErrorKind, Record, Result, Rows, Secret, async_trait};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::config::PlatformConfig;
use crate::error::{KnownCodes, PAUSE, classify};

/// The path of the call for a token.
const OAUTH: &str = "/v2/oauth";

/// The way to the platform.
#[derive(Debug)]
pub(crate) struct Client {
    host: String,
    open_host: String,
    app_key: String,
    app_secret: Secret,
    open_token: Option<Secret>,
    known: KnownCodes,
    /// The tokens that were sent, to be struck out of the platform's messages.
    sent: Sent,
}

/// What every answer is wrapped in.
#[derive(Deserialize)]
struct Envelope<'a> {
    success: Option<bool>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

/// An answer with a page of records.
#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    content: Content<'a>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    rows: Rows<'a>,
    #[serde(borrow)]
    total: Option<&'a RawValue>,
}

/// An answer with a token.
#[derive(Deserialize)]
struct Granted<'a> {
    #[serde(borrow)]
    content: Grant<'a>,
}

#[derive(Deserialize)]
struct Grant<'a> {
    access_token: String,
    #[serde(borrow)]
    expires_in: Option<&'a RawValue>,
}

impl Client {
    pub(crate) fn new(config: &PlatformConfig) -> Self {
        Self {
            host: config.host.clone(),
            open_host: config.open_host().to_owned(),
            app_key: config.app_key.clone(),
            app_secret: config.app_secret.clone(),
            open_token: config.open_token.clone(),
            known: KnownCodes { token: config.token_codes.clone(), throttled: config.throttled_codes.clone() },
            sent: Sent::default(),
        }
    }

    /// A call of that path.
    pub(crate) fn call(&self, path: &str, body: Body) -> Call {
        let host = if path.starts_with("/api/open/") { &self.open_host } else { &self.host };
        let call = Call { body, ..Call::json(path, &format!("{host}{path}"), String::new()) };
        let has_own = matches!(call.body, Body::Form(_)) && path.starts_with("/api/open/") && self.open_token.is_some();
        if has_own { call.without_token() } else { call }
    }

    /// The records of a good answer, and how many there are in all.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if there is no list of objects where the reference says: that is never "no records".
    pub(crate) fn rows(body: &Arc<String>) -> Result<(Vec<Record>, Option<u64>)> {
        let listed: Listed<'_> = serde_json::from_str(body)
            .map_err(|cause| Error::malformed("the answer has no list `content.rows`").caused_by(cause))?;
        let total = match listed.content.total.map(RawValue::get) {
            None | Some("null") => None,
            Some(json) => {
                let count = plain_text(json).and_then(|text| text.parse().ok());
                Some(count.ok_or_else(|| Error::malformed("`content.total` is no count"))?)
            }
        };
        if body_has_null_rows(body) {
            return Err(Error::malformed("the list `content.rows` is null"));
        }
        Ok((listed.content.rows.into_records(body), total))
    }

    /// A text of the platform without the secrets that it may repeat.
    fn hide(&self, text: &str) -> String {
        self.sent.strike_out(text, [&self.app_secret].into_iter().chain(&self.open_token))
    }

    /// Judges the envelope: `success` is not false and `code` is 0, and one of the two is there.
    fn judge(&self, body: &str) -> Result<()> {
        let envelope: Envelope<'_> = serde_json::from_str(body)
            .map_err(|cause| Error::malformed("the answer is not the documented JSON").caused_by(cause))?;
        let text =
            |json: Option<&RawValue>| json.and_then(|json| plain_text(json.get())).map(|text| text.trim().to_owned());
        let code = text(envelope.code).filter(|code| !code.is_empty());
        match (envelope.success, code.as_deref()) {
            (Some(true) | None, Some("0")) | (Some(true), None) => Ok(()),
            (None, None) => Err(Error::malformed("the answer does not say whether it went well")),
            (_, code) => Err(classify(&self.known, code, &self.hide(&text(envelope.message).unwrap_or_default()))),
        }
    }
}

/// `Rows` takes `null` for an empty list.
fn body_has_null_rows(body: &str) -> bool {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        content: Inner<'a>,
    }
    #[derive(Deserialize)]
    struct Inner<'a> {
        #[serde(borrow)]
        rows: Option<&'a RawValue>,
    }
    let read: Result<Outer<'_>, _> = serde_json::from_str(body);
    read.is_ok_and(|outer| outer.content.rows.is_none())
}

impl Protocol for Client {
    fn sign(&self, call: &Call, token: Option<&Token>, _: Timestamp) -> Result<Wire> {
        let mut call = call.clone();
        let is_v2 = call.endpoint.starts_with("/v2/");
        let own = self.open_token.as_ref().filter(|_| !is_v2);
        if let (Body::Form(fields), Some(token), false) = (&mut call.body, own.or(token.map(|t| &t.access)), is_v2) {
            fields.insert(0, ("token".to_owned(), token.expose().to_owned()));
        }
        let Some(token) = token.filter(|_| call.with_token) else { return Ok(Wire::plain(&call)) };
        if is_v2 {
            let access = token.access.expose();
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("access_token", access).finish();
            call.url = format!("{}?{query}", call.url);
        }
        self.sent.remember(&token.access);
        Ok(Wire::plain(&call))
    }

    fn classify(&self, call: &Call, answer: &Answer) -> Result<()> {
        match answer.status {
            401 if call.with_token => {
                return Err(Error::new(ErrorKind::TokenExpired, "the platform does not accept the token")
                    .with("http_status", 401));
            }
            429 => {
                let error = answer.http_ok().expect_err("429 is no good status");
                return Err(error.retry_after(answer.retry_after.unwrap_or(PAUSE)));
            }
            _ => answer.http_ok()?,
        }
        self.judge(answer.json()?)
    }
}

#[async_trait]
impl TokenSource for Client {
    fn policy(&self) -> TokenPolicy {
        TokenPolicy { before_end: Duration::from_mins(5), longest_age: None, shortest_age: Duration::ZERO }
    }

    async fn grant(&self, cx: &Context) -> Result<Token> {
        let pair = |name: &str, value: &str| (name.to_owned(), serde_json::Value::from(value));
        let fields = [pair("app_key", &self.app_key), pair("app_secret", self.app_secret.expose())];
        let body = serde_json::Value::Object(fields.into_iter().collect()).to_string();
        let call = self.call(OAUTH, Body::Json(body)).without_token();
        let answer = cx.call(call).await.map_err(|error| match error.kind() {
            ErrorKind::TokenExpired | ErrorKind::Refused | ErrorKind::Forbidden => {
                let dead = Error::new(ErrorKind::TokenDead, "the platform gives no token for these settings");
                dead.caused_by(error).advise("check `platform.app_key` and `platform.app_secret`")
            }
            _ => error,
        })?;
        // The cause is left out: it would repeat what was read.
        let granted: Granted<'_> = serde_json::from_str(&answer.body)
            .map_err(|_| Error::malformed("the answer holds no `content.access_token`"))?;
        let Grant { access_token, expires_in } = granted.content;
        if access_token.is_empty() {
            return Err(Error::malformed("the answer holds an empty `content.access_token`"));
        }
        let secs = expires_in.and_then(|json| plain_text(json.get())?.parse::<i64>().ok());
        let secs = secs.filter(|secs| (1..=366 * 86_400).contains(secs)).unwrap_or(LIFE);
        let mut token = Token::new(Secret::new(access_token), cx.now());
        token.expires_at = cx.now().checked_add(SignedDuration::from_secs(secs)).ok();
        Ok(token)
    }

    async fn renew(&self, cx: &Context, _: &Token) -> Result<Token> {
        self.grant(cx).await
    }
}

/// How many seconds a token lives where the answer does not say it.
const LIFE: i64 = 7200;

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        let config = "host = 'https://pro-service.qliang.cloud'\nopen_host = 'https://open.example'\napp_key = 'k'\n\
                      app_secret = 'hush-hush'";
        Client::new(&toml::from_str(config).unwrap())
    }

    #[test]
    fn the_token_stands_where_each_form_wants_it() {
        let client = client();
        let token = Token::new(Secret::new("t&1"), Timestamp::UNIX_EPOCH);
        let sign = |path: &str, body: Body| {
            client.sign(&client.call(path, body), Some(&token), Timestamp::UNIX_EPOCH).unwrap()
        };
        let v2 = sign("/v2/open-api/business/s/query", Body::Json("{}".into()));
        assert_eq!(v2.url, "https://pro-service.qliang.cloud/v2/open-api/business/s/query?access_token=t%261");
        let v1 = sign("/api/open/operation/s/query", Body::Form(vec![("page".into(), "1".into())]));
        assert_eq!(
            (v1.url.as_str(), v1.body.as_str()),
            ("https://open.example/api/open/operation/s/query", "token=t%261&page=1")
        );
        let push = client.call("/api/open/operation/s", Body::Json("{}".into())).without_token();
        let push = client.sign(&push, None, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((push.url.as_str(), push.body.as_str()), ("https://open.example/api/open/operation/s", "{}"));
    }

    #[test]
    fn empty_is_a_claim() {
        let judge = |body: &str| {
            let body = Arc::new(body.to_owned());
            client().judge(&body).and_then(|()| Client::rows(&body)).map(|(rows, total)| (rows.len(), total))
        };
        assert_eq!(
            judge(r#"{"success":true,"code":0,"message":"","content":{"rows":[],"total":0}}"#).unwrap(),
            (0, Some(0))
        );
        assert_eq!(judge(r#"{"code":"0","content":{"rows":[{"id":1}],"total":"7"}}"#).unwrap(), (1, Some(7)));
        assert_eq!(judge(r#"{"success":true,"content":{"rows":[{}],"condition":[]}}"#).unwrap(), (1, None));
        let bad = [
            "",
            "{}",
            r#"{"content":{"rows":[]}}"#,
            r#"{"code":0}"#,
            r#"{"code":0,"content":[]}"#,
            r#"{"code":0,"content":{"rows":null}}"#,
            r#"{"code":0,"content":{"rows":[1]}}"#,
            r#"{"code":0,"content":{"rows":{}}}"#,
            r#"{"code":0,"content":{"rows":[],"total":"many"}}"#,
            r#"{"success":"yes","code":0,"content":{"rows":[]}}"#,
        ];
        for body in bad {
            assert_eq!(judge(body).unwrap_err().kind(), ErrorKind::Malformed, "{body}");
        }
        assert_eq!(judge(r#"{"success":false,"code":0}"#).unwrap_err().kind(), ErrorKind::Unexpected);
        assert_eq!(judge(r#"{"success":false,"message":"hush-hush"}"#).unwrap_err().message(), "***");
    }
}
