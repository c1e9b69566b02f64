//! The optional signature over the body, for applications with a sign key.

use md5::{Digest, Md5};
use milkrun_core::sign::lower_hex;
use milkrun_core::{Result, Secret, SignRequest, Signed};

/// Signs a body as it is sent: returns the text that was signed, without the key, and the signature.
///
/// The text is `appKey=…&bizContent=…&timestamp=…`, where the body goes without ASCII white space, also inside its
/// texts, and its part is left out if nothing remains. `timestamp` is in milliseconds.
///
/// Source: the vendor's Java SDK, as of November 2026.
pub fn sign(app_key: &str, sign_key: &Secret, timestamp: &str, body: &str) -> (String, String) {
    let content: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let content = if content.is_empty() { content } else { format!("&bizContent={content}") };
    let text = format!("appKey={app_key}{content}&timestamp={timestamp}");
    let sign = md5_hex(&[&text, sign_key.expose()]);
    (text, sign)
}

/// MD5 over these texts one after the other, as lower-case hexadecimal digits.
pub(crate) fn md5_hex(texts: &[&str]) -> String {
    let digest = texts.iter().fold(Md5::new(), Digest::chain_update);
    lower_hex(&digest.finalize())
}

/// Signs what a person gives: `{"sign_key", "app_key", "timestamp", "body"}`; `body` may be left out.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names what is missing or unknown.
pub(crate) fn sign_request(request: &SignRequest) -> Result<Signed> {
    request.only(&["sign_key", "app_key", "timestamp", "body"])?;
    let body = request.text("body")?.unwrap_or_default();
    let (app_key, timestamp) = (request.required("app_key")?, request.required("timestamp")?);
    let (text, sign) = sign(&app_key, &request.secret("sign_key")?, &timestamp, &body);
    Ok(Signed { text, sign })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_check_value_says() {
        let request = SignRequest::parse(
            r#"{"sign_key":"sgnKey-0f1e2d3c","app_key":"ptPrU0YV","timestamp":1605167299197,
                "body":"{\"param\":{\"PageIndex\":1,\"PageSize\":100}}"}"#,
        );
        let signed = sign_request(&request.unwrap()).unwrap();
        assert_eq!(signed.sign, "9411ee2f3a45b3284b54e0d247e5a575");
        let text = "appKey=ptPrU0YV&bizContent={\"param\":{\"PageIndex\":1,\"PageSize\":100}}&timestamp=1605167299197";
        assert_eq!(signed.text, text);
    }

    #[test]
    fn white_space_and_blank_bodies_take_no_part() {
        let key = Secret::new("k");
        let (text, one) = sign("a", &key, "1", "{ \"n\" :\t\"红 色\u{3000}\" }\r\n");
        assert_eq!(text, "appKey=a&bizContent={\"n\":\"红色\u{3000}\"}&timestamp=1");
        assert_eq!(sign("a", &key, "1", "{\"n\":\"红色\u{3000}\"}").1, one);
        assert_eq!(sign("a", &key, "1", " \n").0, "appKey=a&timestamp=1");
    }

    #[test]
    fn mistakes_are_named() {
        for (json, name) in [
            (r#"{"sign_key":"k","app_key":"a"}"#, "timestamp"),
            (r#"{"app_key":"a","timestamp":1}"#, "sign_key"),
            (r#"{"sign_key":"k","app_key":"a","timestamp":1,"bdy":""}"#, "bdy"),
        ] {
            let error = sign_request(&SignRequest::parse(json).unwrap()).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
