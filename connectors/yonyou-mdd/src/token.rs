//! Signing, and having tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use milkrun_core::record::{Pairs, plain_text};
use milkrun_core::token::{Token, TokenPolicy, TokenSource};
use milkrun_core::transport::{Body, Call, Verb};
use milkrun_core::{Context, Error, ErrorKind, Result, Secret, SignRequest, Signed, async_trait};
use sha2::Sha256;
use std::time::Duration;

use crate::client::Client;
use crate::config::Application;
use crate::envelope;

/// The name of the call for a token, for quotas and logs.
pub(crate) const TOKEN: &str = "getAccessToken";

/// Signs parameters: returns the text that was signed, and the signature before the address is encoded.
///
/// The text is the name and value of every parameter except `signature`, in the byte order of the names, without any
/// separator. The signature is HMAC-SHA256 in standard Base64 with padding.
///
/// Source: the vendor's demo for suites and two independent clients, as of 2026-09.
pub fn sign<'a>(secret: &Secret, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> (String, String) {
    let mut params: Vec<_> = params.into_iter().filter(|(name, _)| *name != "signature").collect();
    params.sort_unstable();
    let text: String = params.into_iter().flat_map(|(name, value)| [name, value]).collect();
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("an HMAC takes a key of any length");
    let signature = STANDARD.encode(mac.chain_update(&text).finalize().into_bytes());
    (text, signature)
}

/// Signs what a person gives: `{"secret", "params"}`.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] names what is missing or unknown.
pub(crate) fn sign_request(request: &SignRequest) -> Result<Signed> {
    request.only(&["secret", "params"])?;
    let params = request.members("params")?;
    let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let (text, sign) = sign(&request.secret("secret")?, pairs);
    Ok(Signed { text, sign })
}

impl Client {
    /// The call for a token; it is signed with the time when it is sent.
    async fn token_call(&self, cx: &Context) -> Result<Call> {
        let base = &self.addresses(cx).await?.token;
        let application = match self.config.application {
            Application::SelfBuilt => "selfAppAuth",
            Application::Suite => "suiteApp",
        };
        let version = if self.config.old_token_path { "" } else { "base/v1/" };
        let url = format!("{base}/open-auth/{application}/{version}{TOKEN}");
        let (headers, body) = (Vec::new(), Body::Empty);
        let endpoint = TOKEN.to_owned();
        Ok(Call { endpoint, verb: Verb::Get, url, headers, body, idempotent: true, with_token: false })
    }

    /// The parameters of the call for a token at `now`, with their signature.
    pub(crate) fn token_query(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        // Milliseconds: the documents say so; one demo sends seconds.
        let timestamp = now.as_millisecond().to_string();
        let config = &self.config;
        let mut params = match config.application {
            Application::SelfBuilt => vec![("appKey", config.app_key.clone())],
            Application::Suite => vec![("suiteKey", config.app_key.clone()), ("tenantId", config.tenant_id.clone())],
        };
        params.extend(config.suite_ticket.as_ref().map(|ticket| ("suiteTicket", ticket.expose().to_owned())));
        params.push(("timestamp", timestamp));
        let (_, signature) = sign(&config.app_secret, params.iter().map(|(name, value)| (*name, value.as_str())));
        params.push(("signature", signature));
        params
    }
}

#[async_trait]
impl TokenSource for Client {
    fn policy(&self) -> TokenPolicy {
        // There is nothing to renew with: a token is asked for anew before its two hours are over.
        TokenPolicy { before_end: Duration::from_mins(5), longest_age: None, shortest_age: Duration::ZERO }
    }

    async fn grant(&self, cx: &Context) -> Result<Token> {
        let answer = cx.call(self.token_call(cx).await?).await?;
        granted(&answer.body, cx.now())
    }

    async fn renew(&self, cx: &Context, _: &Token) -> Result<Token> {
        self.grant(cx).await
    }
}

/// How long a token lives where the answer does not say.
const LIFE: SignedDuration = SignedDuration::from_hours(2);
/// More seconds than this cannot be meant.
const LONGEST_LIFE: i64 = 30 * 24 * 3600;

/// The token that a good answer gives: in `data`, or, as one client saw it, at the top.
///
/// The causes of errors are left out: they would repeat what was read.
fn granted(body: &str, now: Timestamp) -> Result<Token> {
    let none = || Error::malformed("the answer holds no access token");
    let envelope = envelope::read(body)?;
    let inside = envelope.data.map_or(body, serde_json::value::RawValue::get);
    let Pairs(fields) = serde_json::from_str(inside).map_err(|_| none())?;
    let text = |wanted: &str| {
        let field = fields.iter().rev().find(|(name, _)| name == wanted)?;
        plain_text(field.1.get()).map(|text| text.trim().to_owned())
    };
    let access = text("access_token").map(Secret::new).filter(|token| !token.is_unusable()).ok_or_else(none)?;
    let secs = ["expire", "expires_in"].iter().find_map(|name| text(name)?.parse::<i64>().ok());
    let life = secs.filter(|secs| (1..=LONGEST_LIFE).contains(secs)).map_or(LIFE, SignedDuration::from_secs);
    let mut token = Token::new(access, now);
    token.expires_at = Some(now + life);
    Ok(token)
}

/// A code of the call for a token that is not its success.
pub(crate) fn refused(error: Error) -> Error {
    let known = error.help().is_some() || error.kind() != ErrorKind::Unexpected;
    if known { error } else { error.advise("check `app_key`, `app_secret`, and that the machine's clock is right") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "9c1f0f4f6d8a4c6f9d1b2a3c4d5e6f708192a3b4";

    #[test]
    fn the_check_value() {
        let params = [("timestamp", "1568098531823"), ("appKey", "41832a3d2df94989b500da6a22268747")];
        let (text, signature) = sign(&Secret::new(SECRET), params.into_iter().chain([("signature", "x")]));
        assert_eq!(text, "appKey41832a3d2df94989b500da6a22268747timestamp1568098531823");
        assert_eq!(signature, "jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz/Vnqynat8=");
        let encoded: String = form_urlencoded::byte_serialize(signature.as_bytes()).collect();
        assert_eq!(encoded, "jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz%2FVnqynat8%3D");
    }

    #[test]
    fn by_hand_it_is_the_same() {
        let sign = |json: &str| sign_request(&SignRequest::parse(json).unwrap());
        let params = r#"{"timestamp":1568098531823,"appKey":"41832a3d2df94989b500da6a22268747","none":null}"#;
        let signed = sign(&format!(r#"{{"secret":"{SECRET}","params":{params}}}"#)).unwrap();
        assert_eq!(signed.sign, "jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz/Vnqynat8=");
        assert_eq!(signed.text, "appKey41832a3d2df94989b500da6a22268747timestamp1568098531823");
        // Names go by their bytes, capitals first; values go as written.
        let odd = sign(r#"{"secret":"s","params":{"b":"&=+%","a":1.50,"B":"中"}}"#).unwrap();
        assert_eq!(odd.text, "B中a1.50b&=+%");
        for bad in [r#"{"params":{}}"#, r#"{"secret":"s"}"#, r#"{"secret":"s","params":{},"app":1}"#] {
            assert_eq!(sign(bad).unwrap_err().kind(), ErrorKind::ConfigInvalid, "{bad}");
        }
    }

    #[test]
    fn tokens_of_both_shapes_are_read() {
        let now: Timestamp = "2026-08-01T00:00:00Z".parse().unwrap();
        let read = |body: &str| {
            let token = granted(body, now).map_err(|error| error.kind())?;
            Ok::<_, ErrorKind>((token.access.expose().to_owned(), token.expires_at.unwrap().to_string()))
        };
        let two_hours = "2026-08-01T02:00:00Z".to_owned();
        for body in [
            r#"{"code":"00000","message":"成功！","data":{"access_token":"a/b+c=","expire":7200}}"#,
            r#"{"access_token":"a/b+c=","expires_in":"7200"}"#,
            r#"{"code":"00000","data":{"access_token":"a/b+c=","expire":99999999}}"#,
            r#"{"code":"00000","data":{"access_token":"a/b+c="}}"#,
        ] {
            assert_eq!(read(body), Ok(("a/b+c=".to_owned(), two_hours.clone())), "{body}");
        }
        let short = r#"{"code":"00000","data":{"access_token":"t","expire":600}}"#;
        assert_eq!(read(short).unwrap().1, "2026-08-01T00:10:00Z");
        for body in [r#"{"code":"00000"}"#, r#"{"data":{"access_token":""}}"#, r#"{"data":"t"}"#, "<html>"] {
            assert_eq!(read(body), Err(ErrorKind::Malformed), "{body}");
        }
    }
}
