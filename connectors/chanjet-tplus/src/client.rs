//! What is sent, and what the answers mean.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use jiff::Timestamp;
use milkrun_core::secret::Sent;
use milkrun_core::token::Token;
use milkrun_core::transport::{Answer, Body, Call, Protocol, Verb, Wire};
use milkrun_core::{Error, ErrorKind, Result, Secret};

use crate::config::{ChanjetTplusConfig, Edition, Grant};
use crate::envelope::{self, Failure};
use crate::error::{self, Signal};
use crate::jwt::Signer;
use crate::sign::sign;

/// The code that sources disagree about: throttling, or an unknown service.
const MAYBE_TEMPORARY: &str = "EXSV0011";

/// How often such an answer to one and the same call is taken for temporary.
const MOST_TEMPORARY: u32 = 2;

/// The way to one organisation.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) config: ChanjetTplusConfig,
    /// Signs the calls of an on-premise installation.
    signer: Option<Signer>,
    /// Secrets that were sent, to be struck out of the vendor's messages.
    sent: Sent,
    /// How often a call was answered by [`MAYBE_TEMPORARY`], one time after the other.
    in_vain: Mutex<BTreeMap<u64, u32>>,
}

const MOST_IN_VAIN: usize = 1024;

impl Client {
    /// A client for valid settings.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] if the key of an on-premise installation cannot be used.
    pub(crate) fn new(config: ChanjetTplusConfig) -> Result<Self> {
        let signer = match &config.pem {
            Some(pem) => {
                let org_id = config.org_id.as_deref().unwrap_or_default();
                Some(Signer::new(&config.app_key, &config.app_secret, org_id, pem)?)
            }
            None => None,
        };
        Ok(Self { config, signer, sent: Sent::default(), in_vain: Mutex::default() })
    }

    /// A call of an entity's action, with a JSON body.
    pub(crate) fn call(&self, endpoint: &str, body: String) -> Call {
        Call::json(endpoint, &format!("{}/tplus/api/v2/{endpoint}", self.config.base()), body)
    }

    /// A POST to the token service.
    pub(crate) fn post_to_tokens(&self, endpoint: &str, body: String) -> Call {
        Call::json(endpoint, &format!("{}/{endpoint}", self.config.base()), body).without_token()
    }

    /// A GET of the token service.
    pub(crate) fn get_of_tokens(&self, endpoint: &str, query: &[(&str, &str)]) -> Call {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let call = Call::json(endpoint, &format!("{}/{endpoint}?{query}", self.config.base()), String::new());
        Call { verb: Verb::Get, body: Body::Empty, ..call.without_token() }
    }

    /// Remembers a secret that is about to be sent.
    pub(crate) fn remember(&self, secret: &Secret) {
        self.sent.remember(secret);
    }

    /// A text of the vendor without the secrets that it may repeat.
    pub(crate) fn strike_out(&self, text: &str) -> String {
        let config = &self.config;
        let settings = [
            Some(&config.app_secret),
            config.access_token.as_ref(),
            config.refresh_token.as_ref(),
            config.permanent_auth_code.as_ref(),
            config.user_auth_permanent_code.as_ref(),
            config.certificate.as_ref(),
            config.message_secret.as_ref(),
            config.sign_key.as_ref(),
            config.password.as_ref(),
        ];
        self.sent.strike_out(text, settings.into_iter().flatten())
    }

    /// What an answer that is no good one means.
    fn judge(&self, call: &Call, answer: &Answer, failure: &Failure) -> Error {
        let error = error::classify(Signal {
            status: answer.status,
            code: failure.code.as_deref(),
            message: &self.strike_out(&failure.message),
            of_tokens: !call.with_token,
            retry_after: answer.retry_after,
        });
        // Only two of the four ways to a token have a login.
        let refuses_token = !call.with_token && (error.kind() == ErrorKind::TokenDead || error.help().is_none());
        let is_about_login = refuses_token || error.help() == Some(error::LOG_IN);
        let error = match self.instead_of_login().filter(|_| is_about_login) {
            Some(help) => error.advise(help),
            None => error,
        };
        let error = match &failure.hint {
            Some(hint) => error.with("hint", self.strike_out(hint)),
            None => error,
        };
        let error = match &failure.trace {
            Some(trace) => error.with("trace_id", trace),
            None => error,
        };
        // A create may have had its effect, whatever the third answer is.
        if failure.code.as_deref() == Some(MAYBE_TEMPORARY) && call.idempotent && self.is_in_vain(call) {
            return error::not_temporary(error);
        }
        error
    }

    /// What a person does about a token that cannot be had, where there is no login.
    fn instead_of_login(&self) -> Option<&'static str> {
        match (self.config.edition, self.config.grant) {
            (Edition::OnPremise, _) => Some(
                "check `app_key`, `app_secret`, `user_name`, `password`, `account_number` and `pem`, and that the machine's clock is right: a \
                 signature is good for 30 s",
            ),
            (Edition::Cloud, Grant::SelfBuilt) => Some(
                "check `app_key`, `app_secret` and `certificate`, and that `milkrun receive` is running, so that it \
                 takes the next APP_TICKET",
            ),
            (Edition::Cloud, Grant::Oauth | Grant::StoreApp) => None,
        }
    }

    /// Counts an answer that may be temporary; true if the same call had too many of them.
    fn is_in_vain(&self, call: &Call) -> bool {
        let mut in_vain = self.in_vain.lock().expect("no holder panics");
        if in_vain.len() > MOST_IN_VAIN {
            in_vain.clear();
        }
        let count = in_vain.entry(name_of(call)).or_default();
        *count += 1;
        let too_many = *count > MOST_TEMPORARY;
        if too_many {
            in_vain.remove(&name_of(call));
        }
        too_many
    }

    fn is_well(&self, call: &Call) {
        let mut in_vain = self.in_vain.lock().expect("no holder panics");
        if !in_vain.is_empty() {
            in_vain.remove(&name_of(call));
        }
    }
}

/// Names one and the same call, whenever it is sent.
fn name_of(call: &Call) -> u64 {
    let mut hasher = DefaultHasher::new();
    call.url.hash(&mut hasher);
    if let Body::Json(text) = &call.body {
        text.hash(&mut hasher);
    }
    hasher.finish()
}

impl Protocol for Client {
    fn sign(&self, call: &Call, token: Option<&Token>, now: Timestamp) -> Result<Wire> {
        if let Some(token) = token {
            self.remember(&token.access);
        }
        if self.config.edition == Edition::OnPremise {
            let no_key = || Error::new(ErrorKind::Unexpected, "an on-premise account without a key");
            let signer = self.signer.as_ref().ok_or_else(no_key)?;
            let Body::Json(text) = &call.body else {
                return Err(Error::new(ErrorKind::Unexpected, "an on-premise T+ takes JSON in a form only"));
            };
            let form = Body::Form(vec![("_args".to_owned(), text.clone())]);
            let mut wire = Wire::plain(&Call { body: form, ..call.clone() });
            let authorization = signer.authorization(token.map(|token| &token.access), now)?;
            wire.headers.push(("Authorization".to_owned(), authorization));
            return Ok(wire);
        }
        let mut wire = Wire::plain(call);
        let mut add = |name: &str, value: String| wire.headers.push((name.to_owned(), value));
        add("appKey", self.config.app_key.clone());
        add("appSecret", self.config.app_secret.expose().to_owned());
        if let Some(token) = token {
            add("openToken", token.access.expose().to_owned());
        }
        if let (Some(key), Verb::Post) = (&self.config.sign_key, call.verb) {
            let timestamp = now.as_millisecond().to_string();
            let body = if let Body::Json(text) = &call.body { text } else { "" };
            let (_, signature) = sign(&self.config.app_key, key, &timestamp, body);
            add("signature", signature);
            add("timestamp", timestamp);
        }
        Ok(wire)
    }

    /// Reads the answer to its end, so that one that was cut is found here, where it is asked for again.
    fn classify(&self, call: &Call, answer: &Answer) -> Result<()> {
        if !(200..300).contains(&answer.status) {
            let failure = envelope::open(&answer.body).ok().and_then(|envelope| envelope.content.err());
            return Err(self.judge(call, answer, &failure.unwrap_or_default()));
        }
        match envelope::open(answer.json()?)?.content {
            Ok(_) => {
                self.is_well(call);
                Ok(())
            }
            Err(failure) => Err(self.judge(call, answer, &failure)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use milkrun_core::Retry;
    use serde_json::json;

    use super::*;
    use crate::fixture::config;

    const NOW: &str = "2026-08-01T00:00:00Z";

    fn client(more: &str) -> Client {
        Client::new(config("https://openapi.chanjet.com", more)).unwrap()
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, body: Arc::new(body.to_owned()) }
    }

    fn headers(wire: &Wire) -> BTreeMap<&str, &str> {
        wire.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn cloud_calls_carry_the_secret_in_the_header() {
        let client = client("sign_key = 'sgnKey-0f1e2d3c'");
        let token = Token::new(Secret::new("a.b-c_d"), NOW.parse().unwrap());
        let body = r#"{"param":{"PageIndex":1,"PageSize":100}}"#;
        let call = client.call("inventory/Query", body.to_owned());
        let now = Timestamp::from_millisecond(1_605_167_299_197).unwrap();
        let wire = client.sign(&call, Some(&token), now).unwrap();
        assert_eq!(wire.url, "https://openapi.chanjet.com/tplus/api/v2/inventory/Query");
        let sent = headers(&wire);
        let names: Vec<_> = sent.keys().copied().collect();
        assert_eq!(names, ["appKey", "appSecret", "content-type", "openToken", "signature", "timestamp"]);
        assert_eq!((sent["openToken"], sent["appSecret"]), ("a.b-c_d", "hush-hush"));
        assert_eq!(sent["signature"], "9411ee2f3a45b3284b54e0d247e5a575");
        assert_eq!(wire.body, body);
        let get = client.get_of_tokens("auth/v2/refreshToken", &[("refreshToken", "a+b")]);
        let wire = client.sign(&get, None, now).unwrap();
        assert_eq!(wire.url, "https://openapi.chanjet.com/auth/v2/refreshToken?refreshToken=a%2Bb");
        assert_eq!(headers(&wire).keys().copied().collect::<Vec<_>>(), ["appKey", "appSecret"]);
        assert!(!format!("{client:?} {call:?}").contains("hush"), "{client:?}");
    }

    #[test]
    fn on_premise_calls_are_forms() {
        let (_, pem) = crate::jwt::tests::new_key();
        let more =
            format!("edition = 'on-premise'\nuser_name = 'u'\npassword = 'p'\naccount_number = '3'\npem = '''{pem}'''");
        let client = Client::new(config("http://erp:8080", &more)).unwrap();
        let call = client.call("inventory/Query", json!({ "param": { "Name": "仓&=" } }).to_string());
        let wire = client.sign(&call, None, NOW.parse().unwrap()).unwrap();
        assert_eq!(wire.url, "http://erp:8080/tplus/api/v2/inventory/Query");
        assert_eq!(wire.body, "_args=%7B%22param%22%3A%7B%22Name%22%3A%22%E4%BB%93%26%3D%22%7D%7D");
        let sent = headers(&wire);
        assert_eq!(sent.keys().copied().collect::<Vec<_>>(), ["Authorization", "content-type"]);
        assert!(sent["content-type"].starts_with("application/x-www-form-urlencoded"));
    }

    #[test]
    fn a_doubtful_code_is_temporary_twice_for_the_same_call() {
        let client = client("");
        let (one, other) = (client.call("a/Query", "{}".into()), client.call("b/Query", "{}".into()));
        let busy = answer(200, r#"{"code":"EXSV0011","message":"服务调用异常","data":null}"#);
        let judge = |call: &Call, answer: &Answer| client.classify(call, answer).unwrap_err();
        let advice = |error: &Error| (error.kind(), error.retry());
        let again = (ErrorKind::Unavailable, Retry::Backoff);
        let never = (ErrorKind::Refused, Retry::Never);
        assert_eq!(advice(&judge(&one, &busy)), again);
        assert_eq!(advice(&judge(&other, &busy)), again);
        assert_eq!(advice(&judge(&one, &busy)), again);
        assert_eq!(advice(&judge(&one, &busy)), never);
        // A good answer, like the end of the count, begins anew.
        for _ in 0..5 {
            assert_eq!(advice(&judge(&other, &busy)), again);
            client.classify(&other, &answer(200, "[]")).unwrap();
        }
        let create = client.call("a/Create", "{}".into()).not_idempotent();
        for _ in 0..5 {
            assert_eq!(advice(&judge(&create, &busy)), again);
        }
    }

    #[test]
    fn good_and_bad_answers() {
        let client = client("");
        let call = client.call("inventory/Query", "{}".into());
        for good in ["[]", "null", "\"17\"", "{\"Data\":[]}", r#"{"result":"[]"}"#] {
            client.classify(&call, &answer(200, good)).unwrap();
        }
        for bad in ["", "<html>", "[{\"ID\":1}", "{\"Data\":[]", "nul"] {
            assert_eq!(client.classify(&call, &answer(200, bad)).unwrap_err().kind(), ErrorKind::Malformed, "{bad}");
        }
        let html = client.classify(&call, &answer(502, "<html>")).unwrap_err();
        assert_eq!((html.kind(), html.fact("http_status")), (ErrorKind::Unavailable, Some("502")));
    }

    #[test]
    fn errors_keep_the_trace_and_no_secret() {
        let client = client("refresh_token = 'old-refresh'");
        let call = client.call("inventory/Query", "{}".into());
        let token = Token::new(Secret::new("live.token"), NOW.parse().unwrap());
        client.sign(&call, Some(&token), NOW.parse().unwrap()).unwrap();
        let body = r#"{"result":false,"value":null,"error":{"code":"x","msg":"not live.token with hush-hush",
                       "hint":"old-refresh"},"traceId":"7"}"#;
        let error = client.classify(&call, &answer(200, body)).unwrap_err();
        insta::assert_snapshot!(error, @"not *** with *** (vendor_code: x, hint: ***, trace_id: 7)");
    }
}
