//! Signing, judging answers, and renewing the session.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use md5::{Digest, Md5};
use milkrun_core::diagnostic::did_you_mean;
use milkrun_core::record::plain_text;
use milkrun_core::secret::strike_out;
use milkrun_core::sign::upper_hex;
use milkrun_core::stream::{TimeForm, beijing, read_stamp, write_time};
use milkrun_core::token::{Token, TokenPolicy, TokenSource};
use milkrun_core::transport::{Answer, Body, Call, Protocol, Wire};
use milkrun_core::{Context, Error, ErrorKind, Record, Result, Secret, SignRequest, Signed, async_trait};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::config::{KuaimaiConfig, SignMethod};
use crate::envelope::{self, Envelope};
use crate::error::{self, REFRESH};

/// Signs parameters: returns the text that was signed, without the secret, and the signature in upper case.
///
/// The text is each name and value, joined without separators in the byte order of the names. `sign` itself takes no
/// part, and neither do empty values, which must not be sent: sources disagree on whether they are signed.
///
/// Source: <https://open.kuaimai.com>, signing, as of early 2026.
pub fn sign<'a>(
    method: SignMethod,
    secret: &Secret,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> (String, String) {
    let mut params: Vec<_> = params.into_iter().filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    params.sort_unstable();
    let text: String = params.into_iter().flat_map(|(name, value)| [name, value]).collect();
    let secret = secret.expose().as_bytes();
    let sign = match method {
        SignMethod::Md5 => {
            upper_hex(&Md5::new().chain_update(secret).chain_update(&text).chain_update(secret).finalize())
        }
        SignMethod::Hmac => upper_hex(&mac::<Hmac<Md5>>(secret, &text)),
        SignMethod::HmacSha256 => upper_hex(&mac::<Hmac<Sha256>>(secret, &text)),
    };
    (text, sign)
}

/// Signs what a person gives: `{"secret", "sign_method", "params"}`.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] names what is missing or unknown.
pub(crate) fn sign_request(request: &SignRequest) -> Result<Signed> {
    request.only(&["secret", "sign_method", "params"])?;
    let wanted = request.text("sign_method")?.unwrap_or_else(|| SignMethod::default().as_str().to_owned());
    let methods = [SignMethod::Md5, SignMethod::Hmac, SignMethod::HmacSha256];
    let method = methods.into_iter().find(|method| method.as_str() == wanted).ok_or_else(|| {
        let help = did_you_mean(&wanted, &methods.map(SignMethod::as_str));
        Error::config(format!("there is no sign method `{wanted}`")).advise(help)
    })?;
    let params = request.members("params")?;
    let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let (text, sign) = sign(method, &request.secret("secret")?, pairs);
    Ok(Signed { text, sign })
}

fn mac<M: Mac + KeyInit>(secret: &[u8], text: &str) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(secret).expect("an HMAC takes a key of any length");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

/// The way to one Kuaimai company: what is sent, and what the answers mean.
#[derive(Debug)]
pub(crate) struct Client {
    config: KuaimaiConfig,
    /// The session that was sent last, to be struck out of the vendor's messages.
    sent: Mutex<Option<Secret>>,
}

/// Answers up to this length are judged by their whole envelope before anything else is done with them.
///
/// An error of the gateway is a few hundred bytes. A page is longer, and is read once only, by [`Client::read`], which
/// judges it by the same rules: reading it here too would cost 0.1 s of 0.25 s for 100,000 orders.
const SHORT: usize = 16 << 10;

impl Client {
    pub(crate) fn new(config: KuaimaiConfig) -> Self {
        Self { config, sent: Mutex::default() }
    }

    /// A call of `method` with these parameters.
    pub(crate) fn call(&self, method: &str, params: Vec<(String, String)>) -> Call {
        Call::form(method, &self.config.base_url, params)
    }

    /// Reads a good answer of `call`, with the records of the first of `lists` that it has.
    ///
    /// # Errors
    /// What the answer means, if it is no good one.
    pub(crate) fn read(
        &self,
        call: &Call,
        body: &Arc<String>,
        lists: &[String],
    ) -> Result<(Envelope, Option<Vec<Record>>)> {
        let (envelope, records) = envelope::read(body, lists)?;
        self.judge(call, &envelope)?;
        Ok((envelope, records))
    }

    /// Like [`Client::read`], for methods that give a list: a missing one is none only where the answer means that.
    ///
    /// # Errors
    /// What the answer means, if it is no good one.
    pub(crate) fn rows(
        &self,
        call: &Call,
        body: &Arc<String>,
        lists: &[String],
        may_be_missing: bool,
    ) -> Result<(Envelope, Vec<Record>)> {
        let (envelope, records) = self.read(call, body, lists)?;
        if records.is_none() {
            envelope.is_really_empty(lists, may_be_missing)?;
        }
        Ok((envelope, records.unwrap_or_default()))
    }

    /// Whether the answer is a good one: `success` is not false, and `code` says nothing else.
    ///
    /// Where a document lies flat in the envelope, its own number is the answer's `code`: an answer that says `success`
    /// and holds the very id that was asked for is that document.
    fn judge(&self, call: &Call, envelope: &Envelope) -> Result<()> {
        let code = match (envelope.success, envelope.bad_code()) {
            (Some(true), Some(_)) if is_document(call, envelope) => return Ok(()),
            (_, Some(code)) => code,
            (Some(false), None) => envelope.code.as_deref().unwrap_or("none"),
            _ => return Ok(()),
        };
        let say = |text: &Option<String>| self.strike_out(text.as_deref().unwrap_or_default());
        let mut error = error::classify(&call.endpoint, code, &say(&envelope.message));
        for (name, text) in ["sub_code", "sub_message", "solution"].into_iter().zip(&envelope.more) {
            error = if text.is_some() { error.with(name, say(text)) } else { error };
        }
        if let Some(trace) = &envelope.trace {
            error = error.with("trace_id", trace);
        }
        Err(error)
    }

    /// A text of the vendor without the secrets that it may repeat.
    fn strike_out(&self, text: &str) -> String {
        let sent = self.sent.lock().expect("no holder panics").clone();
        let secrets = [Some(&self.config.app_secret), Some(&self.config.session), self.config.refresh_token.as_ref()];
        strike_out(text, secrets.into_iter().flatten().chain(&sent))
    }
}

fn is_document(call: &Call, envelope: &Envelope) -> bool {
    let Body::Form(fields) = &call.body else { return false };
    envelope.id.is_some() && fields.iter().any(|(name, value)| name == "id" && Some(value) == envelope.id.as_ref())
}

impl Protocol for Client {
    fn sign(&self, call: &Call, token: Option<&Token>, now: Timestamp) -> Result<Wire> {
        let Body::Form(fields) = &call.body else {
            return Err(Error::new(ErrorKind::Unexpected, "Kuaimai takes form fields only"));
        };
        let mut fields = fields.clone();
        let timestamp = write_time(now, TimeForm::DateTime, &beijing());
        let common = [
            ("method", call.endpoint.as_str()),
            ("appKey", &self.config.app_key),
            ("timestamp", &timestamp),
            ("format", "json"),
            ("version", "1.0"),
            ("sign_method", self.config.sign_method.as_str()),
        ];
        fields.extend(common.map(|(name, value)| (name.to_owned(), value.to_owned())));
        // A renewal names the session it is for by itself.
        if let Some(token) = token {
            fields.push(("session".to_owned(), token.access.expose().to_owned()));
            let mut sent = self.sent.lock().expect("no holder panics");
            if sent.as_ref() != Some(&token.access) {
                *sent = Some(token.access.clone());
            }
        }
        fields.retain(|(_, value)| !value.is_empty());
        let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let (_, sign) = sign(self.config.sign_method, &self.config.app_secret, pairs);
        fields.push(("sign".to_owned(), sign));
        Ok(Wire::plain(&Call { body: Body::Form(fields), ..call.clone() }))
    }

    fn classify(&self, call: &Call, answer: &Answer) -> Result<()> {
        answer.http_ok()?;
        let body = answer.json()?;
        // An answer that was cut has to be found here, because only the transport asks again.
        if body.len() <= SHORT || !is_whole(body) {
            let (envelope, _) = envelope::read(&answer.body, &[])?;
            return self.judge(call, &envelope);
        }
        Ok(())
    }
}

/// Whether a long answer begins and ends as an object does, as one that was cut hardly ever does.
///
/// One that was cut behind a bracket is found by [`Client::read`]; then the page is asked for again, not the call.
fn is_whole(body: &str) -> bool {
    let body = body.trim();
    body.starts_with('{') && body.ends_with('}')
}

/// How long a session lives at most, whatever an answer says.
const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A shorter life cannot be meant, because a session can be refreshed once an hour at most.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// What a token keeps to know the grant that it comes from.
const GRANT: &str = "grant";

#[async_trait]
impl TokenSource for Client {
    fn policy(&self) -> TokenPolicy {
        const HOUR: Duration = Duration::from_hours(1);
        let renewable = self.config.refresh_token.is_some();
        TokenPolicy {
            before_end: if renewable { 3 * 24 * HOUR } else { Duration::ZERO },
            longest_age: renewable.then_some(7 * 24 * HOUR),
            shortest_age: HOUR,
        }
    }

    async fn grant(&self, cx: &Context) -> Result<Token> {
        let mut token = Token::new(self.config.session.clone(), cx.now());
        token.refresh.clone_from(&self.config.refresh_token);
        token.extra.insert(GRANT.to_owned(), self.grant_digest());
        Ok(token)
    }

    async fn renew(&self, cx: &Context, old: &Token) -> Result<Token> {
        // The settings were changed since the token was granted: a person has authorised anew.
        if old.extra.get(GRANT) != Some(&self.grant_digest()) {
            return self.grant(cx).await;
        }
        let Some(refresh) = old.refresh.as_ref().or(self.config.refresh_token.as_ref()) else {
            let error = Error::new(ErrorKind::TokenDead, "the session was refused and `refresh_token` is not set");
            return Err(error.advise(error::DEAD));
        };
        let text = |secret: &Secret| secret.expose().to_owned();
        let params = vec![("session".to_owned(), text(&old.access)), ("refreshToken".to_owned(), text(refresh))];
        let call = self.call(REFRESH, params).without_token().not_idempotent();
        match cx.call(call).await {
            Ok(answer) => renewed(&answer, old, cx.now()),
            // It was refreshed within the last hour, so it is good. Asking again has to wait as long as after a renewal.
            Err(error) if error.fact("vendor_code") == Some("refresh_frequently") => {
                tracing::warn!(account = cx.account(), "the session was refreshed less than an hour ago; it serves on");
                Ok(Token { obtained_at: cx.now(), ..old.clone() })
            }
            // The vendor may have renewed it before the answer was spoilt.
            Err(error) if error.kind() == ErrorKind::Malformed || error.fact("http_status").is_some_and(is_5xx) => {
                Err(Error::new(ErrorKind::OutcomeUnknown, "the answer to a renewal cannot be read").caused_by(error))
            }
            Err(error) => Err(error),
        }
    }
}

fn is_5xx(status: &str) -> bool {
    status.len() == 3 && status.starts_with('5')
}

impl Client {
    /// Names the grant in the settings without repeating it.
    fn grant_digest(&self) -> Secret {
        Secret::new(upper_hex(&Sha256::digest(self.config.session.expose())))
    }
}

/// The token that an answer to a renewal gives.
///
/// Both texts may stay the same or change, so that whatever comes back is taken. The causes of errors are left out: they
/// would repeat what was read.
///
/// Source: <https://open.kuaimai.com>, `open.token.refresh`, as of early 2026, and three public clients.
fn renewed(answer: &Answer, old: &Token, now: Timestamp) -> Result<Token> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Session<'a> {
        access_token: String,
        refresh_token: Option<String>,
        #[serde(borrow)]
        expires_in: Option<&'a RawValue>,
        #[serde(borrow)]
        expire_time: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply<'a> {
        #[serde(borrow)]
        session: Session<'a>,
        #[serde(borrow)]
        expire_time: Option<&'a RawValue>,
    }
    let unknown = || Error::new(ErrorKind::OutcomeUnknown, "the answer to a renewal holds no session");
    let reply: Reply = serde_json::from_str(&answer.body).map_err(|_| unknown())?;
    let session = reply.session;
    if session.access_token.is_empty() {
        return Err(unknown());
    }
    let end = session.expires_in.or(session.expire_time).or(reply.expire_time);
    Ok(Token {
        access: Secret::new(session.access_token),
        refresh: session.refresh_token.filter(|text| !text.is_empty()).map(Secret::new).or_else(|| old.refresh.clone()),
        obtained_at: now,
        expires_at: end.and_then(|end| expiry(end.get(), now)),
        extra: old.extra.clone(),
    })
}

/// When a session ends: sources disagree on whether seconds from now, seconds or milliseconds since 1970, or a date and
/// time is meant, and a number tells by its size. 30 days from now at most; what makes no sense is not known.
fn expiry(json: &str, now: Timestamp) -> Option<Timestamp> {
    let text = plain_text(json)?;
    let end = match text.trim().parse::<i64>() {
        Ok(ms @ 100_000_000_000..) => Timestamp::from_millisecond(ms).ok()?,
        Ok(secs @ 1_000_000_000..) => Timestamp::from_second(secs).ok()?,
        Ok(secs @ 0..) => now.checked_add(SignedDuration::from_secs(secs)).ok()?,
        Ok(_) => return None,
        Err(_) => Timestamp::from_millisecond(read_stamp(text.trim(), TimeForm::DateTime, &beijing())?).ok()?,
    };
    (end >= now + SHORTEST_LIFE).then(|| end.min(now + LIFE))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use milkrun_core::Retry;

    use super::*;
    use crate::fixture::{Params, Vendor, context};

    const NOW: &str = "2026-08-01T00:00:00Z";

    fn config(url: &str, more: &str) -> KuaimaiConfig {
        let text = format!(
            "app_key = '123456'\napp_secret = 'helloworld'\nsession = 'old-session'\nbase_url = '{url}'\n{more}"
        );
        toml::from_str(&text).unwrap()
    }

    fn client() -> Client {
        Client::new(config("https://gw.superboss.cc/router", "refresh_token = 'old-refresh'"))
    }

    fn answer(body: impl Into<String>) -> Answer {
        Answer { status: 200, retry_after: None, body: Arc::new(body.into()) }
    }

    #[test]
    fn signs_as_the_documentation_prints() {
        let secret = Secret::new("helloworld");
        let check = |method: SignMethod, printed: &str| {
            let params = [
                ("timestamp", "2020-09-21 16:58:00"),
                ("method", "open.system.time.get"),
                ("sign", "takes no part"),
                ("appKey", "123456"),
                ("session", "test"),
                ("format", "json"),
                ("empty", ""),
                ("sign_method", method.as_str()),
                ("version", "1.0"),
            ];
            let (text, sign) = sign(method, &secret, params);
            let joined = format!(
                "appKey123456formatjsonmethodopen.system.time.getsessiontestsign_method{}timestamp2020-09-21 \
                 16:58:00version1.0",
                method.as_str()
            );
            assert_eq!((text, sign.as_str()), (joined, printed));
        };
        check(SignMethod::HmacSha256, "7905D5EF37CA177B9219DBFA603F773A7616F424D545E731AAFBB992408F6CEE");
        check(SignMethod::Hmac, "33F8A0DBB3DB1E60E210A7307DD15075");
        check(SignMethod::Md5, "F1D3BB43123A50C78EBCB84CD301A340");
    }

    #[test]
    fn names_are_sorted_by_their_bytes() {
        let names = ["timestamp", "outerId", "foobar", "timeType", "foo", "outSids", "foo_bar", "Z", "a"];
        let (text, _) = sign(SignMethod::Md5, &Secret::new("s"), names.map(|name| (name, "=")));
        assert_eq!(text, "Z=a=foo=foo_bar=foobar=outSids=outerId=timeType=timestamp=");
    }

    #[test]
    fn sends_beijing_time_and_nothing_empty() {
        let client = client();
        let call = client.call("item.list.query", vec![("a".into(), "短袖 &=".into()), ("b".into(), String::new())]);
        let token = Token::new(Secret::new("live"), NOW.parse().unwrap());
        let wire = client.sign(&call, Some(&token), "2026-07-31T16:00:00.9Z".parse().unwrap()).unwrap();
        let mut sent: BTreeMap<_, _> = form_urlencoded::parse(wire.body.as_bytes()).into_owned().collect();
        let given = sent.remove("sign").unwrap();
        let pairs = sent.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(sign(SignMethod::Hmac, &Secret::new("helloworld"), pairs).1, given);
        insta::assert_debug_snapshot!(sent);
        assert!(!format!("{client:?}").contains("live") && !format!("{client:?}").contains("old-"), "{client:?}");
    }

    #[test]
    fn judges_short_and_long_answers() {
        let client = client();
        let long = format!("{{\"list\":[{}],\"success\":true}}", vec![r#"{"a":"x}"}"#; 4000].join(","));
        let call = client.call("erp.trade.list.query", Vec::new());
        let judge = |body: &str| client.classify(&call, &answer(body)).map_err(|error| (error.kind(), error.retry()));
        let malformed = Err((ErrorKind::Malformed, Retry::Backoff));
        for good in [r#"{"list":[]}"#, r#"{"success":true,"code":0}"#, r#"{"code":"success"}"#, &long] {
            assert_eq!(judge(good), Ok(()), "{good:.80}");
        }
        for bad in ["", " ", "<html>", "null", "[]", "{\"list\":[", &long[..long.len() - 1], "{}}"] {
            assert_eq!(judge(bad), malformed, "{bad:.80}");
        }
        // A cut of a long answer is found here, where the call is repeated, or when it is read.
        let page = format!("{{\"list\":[{}]}}", vec![r#"{"a":[1],"b":"x"}"#; 2000].join(","));
        for cut in (SHORT..page.len()).step_by(7).map(|n| &page[..n]) {
            let read = || envelope::read(&Arc::new(cut.to_owned()), &[]).map_err(|error| (error.kind(), error.retry()));
            assert!(judge(cut) == malformed || (cut.ends_with('}') && read().map(drop) == malformed));
        }
        assert_eq!(judge(r#"{"success":false}"#), Err((ErrorKind::Unexpected, Retry::Never)));
        assert_eq!(judge(r#"{"code":"isv.unheard-of","list":[]}"#), Err((ErrorKind::Unexpected, Retry::Never)));
        assert_eq!(judge(r#"{"success":true,"code":"25"}"#), Err((ErrorKind::ConfigInvalid, Retry::Never)));
        assert_eq!(judge(r#"{"success":false,"code":1}"#), Err((ErrorKind::Unavailable, Retry::Backoff)));
        let busy = Answer { status: 429, retry_after: Some(Duration::from_secs(2)), ..answer("") };
        assert_eq!(client.classify(&call, &busy).unwrap_err().retry(), Retry::After(Duration::from_secs(2)));
    }

    #[test]
    fn a_documents_own_code_is_no_error() {
        let client = client();
        let flat = answer(include_str!("../tests/fixtures/purchase-order-flat.json"));
        let ask = |id: &str| client.call("purchase.order.get", vec![("id".into(), id.into())]);
        assert!(client.classify(&ask("7000000000000000201"), &flat).is_ok());
        assert_eq!(client.classify(&ask("1"), &flat).unwrap_err().fact("vendor_code"), Some("CG2608010001"));
    }

    #[test]
    fn errors_keep_the_trace_and_no_secret() {
        let client = client();
        let call = client.call("item.list.query", Vec::new());
        let token = Token::new(Secret::new("renewed-session"), NOW.parse().unwrap());
        client.sign(&call, Some(&token), NOW.parse().unwrap()).unwrap();
        let body = r#"{"success":false,"code":"25","msg":"bad old-session renewed-session","trace_id":"7",
                       "subCode":"s","subMsg":"helloworld","solution":"old-refresh"}"#;
        let error = client.classify(&call, &answer(body)).unwrap_err();
        insta::assert_snapshot!(error, @"bad *** *** (vendor_code: 25, sub_code: s, sub_message: ***, solution: ***, trace_id: 7)");
    }

    #[test]
    fn the_end_of_a_session_is_read_liberally() {
        let now: Timestamp = NOW.parse().unwrap();
        let read = |json: &str| expiry(json, now).map(|end| end.to_string());
        let in_ten_days = Some("2026-08-11T00:00:00Z".to_owned());
        for json in
            ["864000", "\"864000\"", "1786406400", "1786406400000", "\"1786406400000\"", "\"2026-08-11 08:00:00\""]
        {
            assert_eq!(read(json), in_ten_days, "{json}");
        }
        for json in ["2592000", "31536000", "99999999999999", "\"2099-01-01 00:00:00\""] {
            assert_eq!(read(json), Some("2026-08-31T00:00:00Z".to_owned()), "{json}");
        }
        for json in ["null", "0", "30", "-1", "\"soon\"", "1.5", "{}", "1600000000", "9223372036854775807"] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    /// What a vendor answers whose live session is `live`, and whose renewals end with `renewal`.
    fn vendor(live: &'static str, renewal: &'static str) -> impl Fn(&Params) -> String {
        move |params| match (params["method"].as_str(), params["session"].as_str()) {
            (REFRESH, _) => renewal.to_owned(),
            (_, session) if session == live => include_str!("../tests/fixtures/orders.json").to_owned(),
            _ => include_str!("../tests/fixtures/error-session.json").to_owned(),
        }
    }

    async fn call_with(live: &'static str, renewal: &'static str, more: &str) -> (Vendor, Result<Answer>) {
        let vendor = Vendor::start(vendor(live, renewal)).await;
        let client = Arc::new(Client::new(config(&vendor.url, more)));
        let cx = context(Arc::<Client>::clone(&client), Arc::<Client>::clone(&client), NOW);
        let outcome = cx.call(client.call("erp.trade.list.query", Vec::new())).await;
        (vendor, outcome)
    }

    const RENEWABLE: &str = "refresh_token = 'old-refresh'";

    #[tokio::test]
    async fn a_refused_session_is_renewed_once() {
        let refresh = include_str!("../tests/fixtures/refresh.json");
        let (vendor, outcome) = call_with("new-session", refresh, RENEWABLE).await;
        assert!(outcome.is_ok());
        let asked = vendor.asked();
        let sessions: Vec<_> = asked.iter().map(|params| (&*params["method"], &*params["session"])).collect();
        let orders = "erp.trade.list.query";
        assert_eq!(sessions, [(orders, "old-session"), (REFRESH, "old-session"), (orders, "new-session")]);
        assert_eq!(asked[1]["refreshToken"], "old-refresh");
        let (vendor, outcome) = call_with("another", refresh, RENEWABLE).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TokenExpired);
        assert_eq!((vendor.n_calls(REFRESH), vendor.n_calls(orders)), (1, 2));
    }

    #[tokio::test]
    async fn failed_renewals_say_what_to_do() {
        let cases = [
            ("dead", include_str!("../tests/fixtures/error-session.json"), RENEWABLE),
            ("no refresh token", "", ""),
            ("too often", r#"{"success":false,"code":"refresh_frequently","msg":"slow down"}"#, RENEWABLE),
            ("unreadable", "<html></html>", RENEWABLE),
            ("no session in it", r#"{"success":true,"session":{"refreshToken":"leaked"}}"#, RENEWABLE),
            ("refused", r#"{"success":false,"code":"9","msg":"refreshToken old-refresh unknown"}"#, RENEWABLE),
        ];
        let mut lines = Vec::new();
        for (name, renewal, more) in cases {
            let (vendor, outcome) = call_with("nothing", renewal, more).await;
            let error = outcome.unwrap_err();
            let help = error.help().unwrap_or("-");
            lines.push(format!("{name}, {} renewals: {error:?} [{help}]", vendor.n_calls(REFRESH)));
        }
        let text = lines.join("\n");
        assert!(!text.contains("old-") && !text.contains("leaked"), "{text}");
        insta::assert_snapshot!(text);
    }

    #[tokio::test]
    async fn a_session_that_is_too_young_to_refresh_serves_on() {
        let frequent = r#"{"success":false,"code":"refresh_frequently"}"#;
        let vendor = Vendor::start(vendor("old-session", frequent)).await;
        let client = Arc::new(Client::new(config(&vendor.url, RENEWABLE)));
        let cx = context(Arc::<Client>::clone(&client), Arc::<Client>::clone(&client), NOW);
        let old = client.grant(&cx).await.unwrap();
        let kept = client.renew(&cx, &old).await.unwrap();
        assert_eq!((kept.access, kept.refresh), (old.access, old.refresh));
    }

    #[tokio::test]
    async fn a_changed_setting_takes_the_place_of_the_old_grant() {
        let vendor = Vendor::start(|_| panic!("no call is needed")).await;
        let old = Client::new(config(&vendor.url, RENEWABLE));
        let changed = KuaimaiConfig { session: Secret::new("authorised-anew"), ..config(&vendor.url, RENEWABLE) };
        let new = Arc::new(Client::new(changed));
        let cx = context(Arc::<Client>::clone(&new), Arc::<Client>::clone(&new), NOW);
        let token = old.grant(&cx).await.unwrap();
        assert_eq!(new.renew(&cx, &token).await.unwrap().access.expose(), "authorised-anew");
        assert!(!format!("{token:?}").contains("old-session"));
    }

    #[test]
    fn a_session_without_a_way_to_renew_it_is_never_due() {
        let policy = Client::new(config("https://gw.superboss.cc/router", "")).policy();
        assert_eq!((policy.longest_age, policy.before_end), (None, Duration::ZERO));
        let policy = client().policy();
        assert_eq!(
            (policy.longest_age, policy.shortest_age),
            (Some(Duration::from_hours(168)), Duration::from_hours(1))
        );
    }
}
