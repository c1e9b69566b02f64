//! Signing by a template: what is signed, with which digest, and where the signature goes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use milkrun_core::diagnostic::did_you_mean;
use milkrun_core::settings::check_secret;
use milkrun_core::sign::{lower_hex, upper_hex};
use milkrun_core::stream::zone;
use milkrun_core::transport::{Body, Verb};
use milkrun_core::{Error, Result, Secret, SignRequest, Signed};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::Sha256;

use crate::place::{Draft, Place};
use crate::streams::TimeFormat;

/// How calls are signed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignConfig {
    /// The secret: the key of an HMAC, and what `{secret}` stands for in `text`.
    pub secret: Secret,
    /// The digest.
    pub digest: Digest,
    /// The text that is signed, in which stand `{params}` (the sorted parameters of address and form), `{body}`,
    /// `{timestamp}`, `{secret}`, `{token}`, `{verb}` and `{path}`; a line break is `\n` in quotes.
    pub text: String,
    /// What stands between a parameter's name and its value in `{params}`, such as `"="`.
    #[serde(default)]
    pub pair: String,
    /// What stands between two parameters in `{params}`, such as `"&"`.
    #[serde(default)]
    pub join: String,
    /// Whether parameters with an empty value are left out of `{params}`; they are sent all the same.
    #[serde(default)]
    pub skip_empty: bool,
    /// How the digest is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// Where the signature goes.
    pub put: Place,
    /// Where the time of the call goes, before it is signed; needed if `text` has `{timestamp}`.
    pub timestamp: Option<Place>,
    /// How the time is written.
    #[serde(default)]
    pub timestamp_form: TimeFormat,
    /// The zone of a time that is written as date and time.
    #[serde(default = "beijing")]
    pub timestamp_zone: String,
    /// Whether the call that gets a token is signed too.
    #[serde(default)]
    pub token_call: bool,
}

/// A digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Digest {
    /// MD5 of the text; the secret stands in the text.
    Md5,
    /// SHA-256 of the text; the secret stands in the text.
    Sha256,
    /// HMAC-MD5 with the secret as its key.
    HmacMd5,
    /// HMAC-SHA256 with the secret as its key.
    HmacSha256,
}

/// How a digest is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Lower-case hexadecimal digits.
    #[default]
    HexLower,
    /// Upper-case hexadecimal digits.
    HexUpper,
    /// Base64 with padding.
    Base64,
}

fn beijing() -> String {
    "Asia/Shanghai".to_owned()
}

/// What may stand in braces.
const NAMES: [&str; 7] = ["params", "body", "timestamp", "secret", "token", "verb", "path"];

/// The parts of one call that a template may name.
#[derive(Debug, Default)]
struct Parts {
    params: String,
    body: String,
    timestamp: String,
    token: String,
    verb: String,
    path: String,
}

impl SignConfig {
    /// Refuses what cannot be meant.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        check_secret("sign.secret", &self.secret)?;
        self.put.validate("sign.put")?;
        self.timestamp.iter().try_for_each(|place| place.validate("sign.timestamp"))?;
        zone(&self.timestamp_zone).map_err(|error| error.with("setting", "`sign.timestamp_zone`"))?;
        self.fill(&Parts::default())?;
        let has = |name: &str| self.text.contains(name);
        if has("{timestamp}") && self.timestamp.is_none() {
            return Err(Error::config("`sign.timestamp` is missing: `sign.text` has `{timestamp}`"));
        }
        if matches!(self.digest, Digest::Md5 | Digest::Sha256) && !has("{secret}") {
            return Err(Error::config(
                "`sign.text` has no `{secret}`, and its `sign.digest` has no key: anybody could sign",
            ));
        }
        Ok(())
    }

    /// Puts the time and the signature into a call that is complete otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if the call has no such place.
    pub(crate) fn sign(&self, draft: &mut Draft, token: Option<&Secret>, now: Timestamp) -> Result<()> {
        let timestamp = self.timestamp_form.write(now, &zone(&self.timestamp_zone)?);
        if let Some(place) = &self.timestamp {
            draft.put(place, timestamp.clone())?;
        }
        let after_host = draft.address.split_once("://").map_or(draft.address.as_str(), |(_, rest)| rest);
        let parts = Parts {
            params: self.params(draft.parameters()),
            body: if let Body::Json(text) = &draft.call.body { text.clone() } else { String::new() },
            timestamp,
            token: token.map(|token| token.expose().to_owned()).unwrap_or_default(),
            verb: verb(draft.call.verb).to_owned(),
            path: after_host.find('/').map_or("/", |at| &after_host[at..]).to_owned(),
        };
        let signature = self.digest(&self.fill(&parts)?);
        draft.put(&self.put, signature)
    }

    /// The sorted parameters as they are signed.
    fn params(&self, mut params: Vec<(&str, &str)>) -> String {
        params.retain(|(_, value)| !self.skip_empty || !value.is_empty());
        params.sort_unstable();
        let pairs = params.into_iter().map(|(name, value)| format!("{name}{}{value}", self.pair));
        pairs.collect::<Vec<_>>().join(&self.join)
    }

    /// The template with its parts.
    fn fill(&self, parts: &Parts) -> Result<String> {
        let mut text = String::new();
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(match name {
                "params" => &parts.params,
                "body" => &parts.body,
                "timestamp" => &parts.timestamp,
                "secret" => self.secret.expose(),
                "token" => &parts.token,
                "verb" => &parts.verb,
                "path" => &parts.path,
                _ => {
                    let error = Error::config(format!("`sign.text` has `{{{name}}}`, which means nothing"));
                    return Err(error.advise(did_you_mean(name, &NAMES)));
                }
            });
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }

    fn digest(&self, text: &str) -> String {
        let key = self.secret.expose().as_bytes();
        let bytes = match self.digest {
            Digest::Md5 => Md5::digest(text).to_vec(),
            Digest::Sha256 => Sha256::digest(text).to_vec(),
            Digest::HmacMd5 => mac::<Hmac<Md5>>(key, text),
            Digest::HmacSha256 => mac::<Hmac<Sha256>>(key, text),
        };
        match self.encoding {
            Encoding::HexLower => lower_hex(&bytes),
            Encoding::HexUpper => upper_hex(&bytes),
            Encoding::Base64 => STANDARD.encode(bytes),
        }
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], text: &str) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes a key of any length");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "GET",
        Verb::Post => "POST",
        Verb::Put => "PUT",
        Verb::Delete => "DELETE",
    }
}

/// Signs by hand: `secret`, `digest` and `text` as in the settings, with `params` (an object), `body`, `timestamp`,
/// `token`, `verb` and `path` as the call has them.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names what is missing or means nothing.
pub(crate) fn sign_request(request: &SignRequest) -> Result<Signed> {
    let names = ["secret", "digest", "text", "pair", "join", "encoding", "params"];
    request.only(&names.iter().chain(&NAMES[1..]).copied().collect::<Vec<_>>())?;
    let text = |name: &str| request.text(name).map(Option::unwrap_or_default);
    let choice = |name: &str, usual: &str| -> Result<toml::Value> {
        Ok(toml::Value::String(request.text(name)?.unwrap_or_else(|| usual.to_owned())))
    };
    let digest = toml::Value::String(request.required("digest")?).try_into();
    let digest = digest.map_err(|e: toml::de::Error| Error::config(format!("`digest`: {}", e.message())))?;
    let encoding = choice("encoding", "hex-lower")?.try_into();
    let encoding = encoding.map_err(|e: toml::de::Error| Error::config(format!("`encoding`: {}", e.message())))?;
    let config = SignConfig {
        secret: request.secret("secret")?,
        digest,
        text: request.required("text")?,
        pair: text("pair")?,
        join: text("join")?,
        skip_empty: false,
        encoding,
        put: Place::header("sign"),
        timestamp: None,
        timestamp_form: TimeFormat::default(),
        timestamp_zone: beijing(),
        token_call: false,
    };
    let params = if config.text.contains("{params}") { request.members("params")? } else { Vec::new() };
    let params = config.params(params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect());
    let parts = Parts {
        params,
        body: text("body")?,
        timestamp: text("timestamp")?,
        token: text("token")?,
        verb: text("verb")?,
        path: text("path")?,
    };
    let text = config.fill(&parts)?;
    let sign = config.digest(&text);
    Ok(Signed { text, sign })
}

#[cfg(test)]
mod tests {
    use milkrun_core::transport::Call;

    use super::*;

    fn config(text: &str) -> SignConfig {
        let config: SignConfig = toml::from_str(text).unwrap();
        config.validate().unwrap();
        config
    }

    /// The check values are those of RFC 1321, RFC 2202 and RFC 4231.
    #[test]
    fn digests_are_those_of_the_standards() {
        let check = |digest: &str, secret: &str, text: &str, encoding: &str, expected: &str| {
            let request =
                format!(r#"{{"secret":"{secret}","digest":"{digest}","text":"{text}","encoding":"{encoding}"}}"#);
            let signed = sign_request(&SignRequest::parse(&request).unwrap()).unwrap();
            assert_eq!(signed.sign, expected, "{digest}");
        };
        check("md5", "message digest", "{secret}", "hex-lower", "f96b697d7cb7938d525a2f31aaf161d0");
        check("hmac-md5", "Jefe", "what do ya want for nothing?", "hex-upper", "750C783E6AB0B503EAA86E310A5DB738");
        let sha = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        check("hmac-sha256", "Jefe", "what do ya want for nothing?", "hex-lower", sha);
        check("sha256", "abc", "{secret}", "base64", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn parts_stand_where_the_template_says() {
        let sign = config(
            "secret = 'hush'\ndigest = 'md5'\ntext = '{secret}{verb} {path}|{params}|{timestamp}|{body}{secret}'\n\
             pair = '='\njoin = '&'\nskip_empty = true\nput = { query = 'sign' }\ntimestamp = { query = 't' }\n\
             timestamp_form = 'epoch-secs'",
        );
        let mut call =
            Call::json("POST /x", "https://api.example/v1/x?b=%E5%8D%95&a=1%262&none=", r#"{"n":0.10}"#.to_owned());
        call.verb = Verb::Post;
        let mut draft = Draft::of(&call);
        sign.sign(&mut draft, None, Timestamp::from_second(1_785_600_000).unwrap()).unwrap();
        let text = "hushPOST /v1/x|a=1&2&b=单&t=1785600000|1785600000|{\"n\":0.10}hush";
        let (_, given) = draft.query.pop().unwrap();
        assert_eq!(given, lower_hex(&Md5::digest(text)));
        let by_hand = r#"{"secret":"hush","digest":"md5","pair":"=","join":"&","verb":"POST","path":"/v1/x",
            "text":"{secret}{verb} {path}|{params}|{timestamp}|{body}{secret}","timestamp":1785600000,
            "params":{"b":"单","a":"1&2","t":1785600000},"body":"{\"n\":0.10}"}"#;
        assert_eq!(
            sign_request(&SignRequest::parse(by_hand).unwrap()).unwrap(),
            Signed { text: text.to_owned(), sign: given }
        );
    }

    #[test]
    fn mistakes_are_named() {
        let base = "secret = 'hush'\nput = { query = 'sign' }\n";
        let cases = [
            ("sign.text", "digest = 'md5'\ntext = '{params}'"),
            ("prams", "digest = 'hmac-md5'\ntext = '{prams}'"),
            ("sign.timestamp", "digest = 'hmac-md5'\ntext = '{timestamp}'"),
            ("sign.timestamp_zone", "digest = 'hmac-md5'\ntext = 'x'\ntimestamp_zone = 'Mars'"),
        ];
        for (name, more) in cases {
            let config: SignConfig = toml::from_str(&format!("{base}{more}")).unwrap();
            let error = config.validate().unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("hush"), "{error}");
        }
        let request = SignRequest::parse(r#"{"secret":"x","digest":"sha1","text":"y"}"#).unwrap();
        assert!(sign_request(&request).unwrap_err().to_string().contains("digest"));
    }
}
