//! The three signatures of Kuaimai, section 2 of its page.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

/// How a call is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignMethod {
    /// HMAC-MD5, the default.
    Hmac,
    /// MD5 of the text between two copies of the secret.
    Md5,
    /// HMAC-SHA-256.
    HmacSha256,
}

impl SignMethod {
    /// Reads `sign_method`.
    pub(crate) fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("hmac") => Some(Self::Hmac),
            Some("md5") => Some(Self::Md5),
            Some("hmac-sha256") => Some(Self::HmacSha256),
            Some(_) => None,
        }
    }
}

/// The text to sign: keys and values without separators, in byte order of the keys, without `sign`.
pub(crate) fn text_to_sign(fields: &[(String, String)]) -> String {
    let mut fields: Vec<_> = fields.iter().filter(|(key, _)| key != "sign").collect();
    fields.sort();
    fields.into_iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]).collect()
}

/// The signature of `text` as upper-case hex.
pub(crate) fn sign(method: SignMethod, secret: &str, text: &str) -> String {
    match method {
        SignMethod::Hmac => hex(&mac::<Hmac<Md5>>(secret, text)),
        SignMethod::Md5 => hex(&Md5::digest([secret, text, secret].concat())),
        SignMethod::HmacSha256 => hex(&mac::<Hmac<Sha256>>(secret, text)),
    }
}

fn mac<M: Mac + KeyInit>(secret: &str, text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(b"0123456789ABCDEF"[usize::from(half)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(sign_method: &str) -> Vec<(String, String)> {
        [
            ("version", "1.0"),
            ("method", "open.system.time.get"),
            ("appKey", "123456"),
            ("timestamp", "2020-09-21 16:58:00"),
            ("sign", "whatever"),
            ("format", "json"),
            ("session", "test"),
            ("sign_method", sign_method),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }

    #[test]
    fn the_printed_check_values() {
        let text = "appKey123456formatjsonmethodopen.system.time.getsessiontestsign_methodhmac-sha256\
                    timestamp2020-09-21 16:58:00version1.0";
        assert_eq!(text_to_sign(&fields("hmac-sha256")), text);
        for (name, expected) in [
            ("hmac-sha256", "7905D5EF37CA177B9219DBFA603F773A7616F424D545E731AAFBB992408F6CEE"),
            ("hmac", "33F8A0DBB3DB1E60E210A7307DD15075"),
            ("md5", "F1D3BB43123A50C78EBCB84CD301A340"),
        ] {
            let method = SignMethod::parse(Some(name)).unwrap();
            assert_eq!(sign(method, "helloworld", &text_to_sign(&fields(name))), expected, "{name}");
        }
    }

    #[test]
    fn keys_sort_by_bytes() {
        let keys = ["timestamp", "timeType", "outerId", "outSids", "foobar", "foo_bar", "foo"];
        let fields: Vec<_> = keys.iter().map(|key| ((*key).to_owned(), ";".to_owned())).collect();
        assert_eq!(text_to_sign(&fields), "foo;foo_bar;foobar;outSids;outerId;timeType;timestamp;");
    }

    #[test]
    fn sign_methods() {
        assert_eq!(SignMethod::parse(None), Some(SignMethod::Hmac));
        assert_eq!(SignMethod::parse(Some("HMAC")), None);
    }
}
