//! The `Authorization` header of on-premise installations: a JWT signed with RSA-PSS, inside JSON, inside Base64.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use milkrun_core::{Error, ErrorKind, Result, Secret};
use serde_json::json;

use crate::sign::md5_hex;

/// How long a signature is good: the vendor's SDK adds 30 s, though its comment speaks of five minutes.
const LIFE_MS: i64 = 30_000;

/// Signs the calls of one on-premise application.
pub(crate) struct Signer {
    app_key: String,
    org_id: String,
    app_secret: Secret,
    key: RsaKeyPair,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.app_key)
    }
}

impl Signer {
    /// A signer with the private key of the `.pem` file that the vendor handed out.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] if it holds no RSA key of at least 2048 bits.
    pub(crate) fn new(app_key: &str, app_secret: &Secret, org_id: &str, pem: &Secret) -> Result<Self> {
        let wrong = || Error::config("`pem` holds no private RSA key of at least 2048 bits");
        let der = pem_bytes(pem.expose()).ok_or_else(wrong)?;
        let key = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)).map_err(|_| wrong())?;
        Ok(Self { app_key: app_key.to_owned(), org_id: org_id.to_owned(), app_secret: app_secret.clone(), key })
    }

    /// The header's value for a call at `now`; a call that asks for a token has none yet.
    ///
    /// `sub` is what a public client sends; the vendor's notes do not say it.
    pub(crate) fn authorization(&self, token: Option<&Secret>, now: Timestamp) -> Result<String> {
        let exp = now.as_millisecond() + LIFE_MS;
        let payload = match token {
            None => json!({ "sub": "cjt", "exp": exp, "datas": self.datas() }),
            Some(token) => {
                json!({ "sub": "chanjet", "exp": exp, "datas": self.datas(), "access_token": token.expose() })
            }
        };
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"PS256","typ":"JWT"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| Error::new(ErrorKind::Unexpected, "the call cannot be signed with the key in `pem`"))?;
        let jwt = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let outer = json!({ "appKey": self.app_key, "authInfo": jwt, "orgId": self.org_id });
        Ok(STANDARD.encode(outer.to_string()))
    }

    /// MD5 over the credentials, in this order and without spaces.
    fn datas(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let (key, org, secret) = (quoted(&self.app_key), quoted(&self.org_id), quoted(self.app_secret.expose()));
        md5_hex(&[&format!("{{\"appkey\":{key},\"orgid\":{org},\"appsecret\":{secret}}}")])
    }
}

/// The bytes of the first private key in a PEM text, or of a bare Base64 text.
fn pem_bytes(pem: &str) -> Option<Vec<u8>> {
    let inner = match pem.split_once("PRIVATE KEY-----") {
        Some((_, rest)) => rest.split_once("-----")?.0,
        None => pem,
    };
    let text: String = inner.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    /// A key, and its PEM text.
    pub(crate) fn new_key() -> (RsaKeyPair, String) {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = STANDARD.encode(key.as_der().unwrap().as_ref());
        let lines: Vec<&str> = der.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        (key, format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
    }

    fn decode(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn the_header_is_a_signed_token_inside_json_inside_base64() {
        let (key, pem) = new_key();
        let signer = Signer::new("key-1", &Secret::new("hush"), "", &Secret::new(pem)).unwrap();
        let now: Timestamp = "2026-08-01T00:00:00Z".parse().unwrap();
        for token in [None, Some(Secret::new("live"))] {
            let header = signer.authorization(token.as_ref(), now).unwrap();
            let outer: Value = serde_json::from_slice(&STANDARD.decode(header).unwrap()).unwrap();
            assert_eq!((&outer["appKey"], &outer["orgId"]), (&json!("key-1"), &json!("")));
            let jwt = outer["authInfo"].as_str().unwrap();
            let (signed, signature) = jwt.rsplit_once('.').unwrap();
            let (head, payload) = signed.split_once('.').unwrap();
            assert_eq!(decode(head), json!({ "alg": "PS256", "typ": "JWT" }));
            let payload = decode(payload);
            assert_eq!(payload["exp"], json!(now.as_millisecond() + 30_000));
            assert_eq!(payload["access_token"].as_str(), token.as_ref().map(Secret::expose));
            // echo -n '{"appkey":"key-1","orgid":"","appsecret":"hush"}' | md5sum
            assert_eq!(payload["datas"], "68b4a799a9fbd55297bdf7422edbf0a1");
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.public_key().as_ref());
            public.verify(signed.as_bytes(), &signature).unwrap();
        }
        assert_eq!(format!("{signer:?}"), "Signer(key-1)");
    }

    #[test]
    fn what_is_no_key_is_refused_by_name() {
        for pem in
            ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"]
        {
            let error = Signer::new("k", &Secret::new("s"), "", &Secret::new(pem)).unwrap_err();
            assert!(error.kind() == ErrorKind::ConfigInvalid && error.message().contains("`pem`"), "{error}");
        }
    }
}
