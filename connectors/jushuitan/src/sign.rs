//! Both signatures: of the new API over all its parameters, of the old one over five values.

use md5::{Digest, Md5};
use milkrun_core::diagnostic::did_you_mean;
use milkrun_core::sign::lower_hex;
use milkrun_core::{Error, Result, Secret, SignRequest, Signed};

use crate::config::Api;

/// Signs the parameters of a call of the new API: the text that was signed, without the secret, and the signature.
///
/// The text is each name and value, joined without separators in the byte order of the names; the secret goes before
/// it. `sign` itself takes no part, and neither do empty values, which are not sent: sources disagree on whether they
/// are signed. `biz` is signed as the text that is sent.
///
/// Source: <https://openweb.jushuitan.com/doc?docId=70>, and seven public clients.
pub fn sign<'a>(secret: &Secret, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> Signed {
    let mut params: Vec<_> = params.into_iter().filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    params.sort_unstable();
    let text: String = params.into_iter().flat_map(|(name, value)| [name, value]).collect();
    let sign = lower_hex(&Md5::new().chain_update(secret.expose()).chain_update(&text).finalize());
    Signed { text, sign }
}

/// Signs a call of the old API: the text that was signed, without the partner key, and the signature.
///
/// The partner key goes behind the text. Business parameters take no part.
///
/// Source: four public clients of the vendor's old documentation, whose printed value they reproduce.
pub fn sign_old(partner_key: &Secret, method: &str, partner_id: &str, token: &str, ts: &str) -> Signed {
    let text = [method, partner_id, "token", token, "ts", ts].concat();
    let sign = lower_hex(&Md5::new().chain_update(&text).chain_update(partner_key.expose()).finalize());
    Signed { text, sign }
}

/// Signs what a person gives: `{"api": "new", "secret", "params"}`, or for the old API
/// `{"api": "old", "partnerkey", "method", "partnerid", "token", "ts"}`.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names what is missing or unknown.
pub(crate) fn sign_request(request: &SignRequest) -> Result<Signed> {
    let wanted = request.text("api")?.unwrap_or_else(|| Api::New.as_str().to_owned());
    let apis = [Api::New, Api::Old];
    match apis.into_iter().find(|api| api.as_str() == wanted) {
        Some(Api::New) => {
            request.only(&["api", "secret", "params"])?;
            let params = request.members("params")?;
            let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            Ok(sign(&request.secret("secret")?, pairs))
        }
        Some(Api::Old) => {
            request.only(&["api", "partnerkey", "method", "partnerid", "token", "ts"])?;
            let [method, id, token, ts] = ["method", "partnerid", "token", "ts"].map(|name| request.required(name));
            Ok(sign_old(&request.secret("partnerkey")?, &method?, &id?, &token?, &ts?))
        }
        None => {
            Err(Error::config(format!("there is no API `{wanted}`"))
                .advise(did_you_mean(&wanted, &apis.map(Api::as_str))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIZ: &str = r#"{"page_index":1,"page_size":100,"modified_begin":"2024-12-31 00:00:00","modified_end":"2024-12-31 23:59:59"}"#;

    fn by_hand(text: &str) -> Result<Signed> {
        sign_request(&SignRequest::parse(text)?)
    }

    #[test]
    fn the_check_value_of_the_new_api() {
        let secret = Secret::new("00112233445566778899aabbccddeeff");
        let signed = sign(
            &secret,
            [
                ("sign", "takes no part"),
                ("version", "2"),
                ("app_key", "ffeeddccbbaa99887766554433221100"),
                ("access_token", "0123456789abcdef0123456789abcdef"),
                ("timestamp", "1735689600"),
                ("charset", "utf-8"),
                ("biz", BIZ),
                ("state", ""),
            ],
        );
        assert_eq!(signed.sign, "2c9c188bafeaecda390b402b494ab6fd");
        assert!(signed.text.starts_with("access_token0123456789abcdef0123456789abcdefapp_keyffee"), "{}", signed.text);
        assert!(!signed.text.contains(secret.expose()));
    }

    #[test]
    fn the_check_value_of_the_old_api() {
        let key = Secret::new("k0000000000000000000000000000002");
        let (id, token) = ("p0000000000000000000000000000001", "t0000000000000000000000000000003");
        let signed = sign_old(&key, "refresh.token", id, token, "1735689600");
        assert_eq!(signed.sign, "c040d29e0543e34be8e894c2af53bc77");
        assert_eq!(signed.text, format!("refresh.token{id}token{token}ts1735689600"));
    }

    #[test]
    fn both_can_be_had_by_hand() {
        let biz = BIZ.replace('"', "\\\"");
        let new = by_hand(&format!(
            r#"{{"secret":"00112233445566778899aabbccddeeff","params":{{"app_key":"ffeeddccbbaa99887766554433221100",
            "access_token":"0123456789abcdef0123456789abcdef","timestamp":1735689600,"version":2,"charset":"utf-8",
            "state":null,"biz":"{biz}"}}}}"#
        ));
        assert_eq!(new.unwrap().sign, "2c9c188bafeaecda390b402b494ab6fd");
        let old = by_hand(
            r#"{"api":"old","partnerkey":"k0000000000000000000000000000002","method":"refresh.token",
            "partnerid":"p0000000000000000000000000000001","token":"t0000000000000000000000000000003","ts":1735689600}"#,
        );
        assert_eq!(old.unwrap().sign, "c040d29e0543e34be8e894c2af53bc77");
        let strange =
            by_hand(r#"{"api":"new","secret":"s","params":{"biz":"{\"名\":\"短袖&=+%\",\"n\":1.50}"}}"#).unwrap();
        assert_eq!(strange.text, r#"biz{"名":"短袖&=+%","n":1.50}"#);
        for (wrong, about) in [
            (r#"{"api":"odl"}"#, "odl"),
            (r#"{"secret":"s"}"#, "params"),
            (r#"{"params":{}}"#, "secret"),
            (r#"{"api":"old","partnerkey":"k","method":"m","partnerid":"p","ts":1}"#, "token"),
            (r#"{"api":"old","secret":"k"}"#, "secret"),
        ] {
            let error = by_hand(wrong).unwrap_err().to_string();
            assert!(error.contains(&format!("`{about}`")), "{wrong}: {error}");
        }
    }
}
