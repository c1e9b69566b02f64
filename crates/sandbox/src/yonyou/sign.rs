//! The signature of the token endpoints, section 2 of the page.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The text to sign: names and values without separators, in byte order of the names, without `signature`.
pub(crate) fn text_to_sign(fields: &[(String, String)]) -> String {
    let mut fields: Vec<_> = fields.iter().filter(|(name, _)| name != "signature").collect();
    fields.sort();
    fields.into_iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect()
}

/// The signature before it is URL-encoded: `HmacSHA256` as standard Base64 with padding.
pub(crate) fn sign(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    base64(&mac.finalize().into_bytes())
}

/// Whether a query value, as it stood on the wire, was URL-encoded: nothing but unreserved characters and escapes.
pub(crate) fn is_encoded(raw: &str) -> bool {
    raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%*".contains(&byte))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_usize, |bits, &byte| bits << 8 | usize::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * place) & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_check_value() {
        let fields =
            [("timestamp", "1568098531823"), ("signature", "whatever"), ("appKey", "41832a3d2df94989b500da6a22268747")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let text = text_to_sign(&fields);
        assert_eq!(text, "appKey41832a3d2df94989b500da6a22268747timestamp1568098531823");
        let signature = sign("9c1f0f4f6d8a4c6f9d1b2a3c4d5e6f708192a3b4", &text);
        assert_eq!(signature, "jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz/Vnqynat8=");
        assert!(is_encoded("jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz%2FVnqynat8%3D") && !is_encoded(&signature));
    }

    #[test]
    fn base64_pads() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }
}
