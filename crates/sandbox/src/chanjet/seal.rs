//! The encryption of pushed messages, section 2.4 of the page: AES-128, ECB, PKCS5, Base64.

use aws_lc_rs::cipher::{AES_128, PaddedBlockEncryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The text as the platform sends it.
///
/// # Panics
/// If the secret is neither 16 bytes nor 32 hex digits.
pub(crate) fn seal(secret: &str, text: &str) -> String {
    let key = key(secret).expect("a message secret has 16 characters or 32 hex digits");
    let key = UnboundCipherKey::new(&AES_128, &key).expect("the key has 16 bytes");
    let key = PaddedBlockEncryptingKey::ecb_pkcs7(key).expect("AES has this mode");
    let mut bytes = text.as_bytes().to_vec();
    key.encrypt(&mut bytes).expect("a padded text of any length can be encrypted");
    STANDARD.encode(bytes)
}

fn key(secret: &str) -> Option<[u8; 16]> {
    if let Ok(key) = secret.as_bytes().try_into() {
        return Some(key);
    }
    let digits = Some(secret).filter(|secret| secret.len() == 32)?;
    let digits: Option<Vec<u8>> = digits.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
    let bytes: Vec<u8> = digits?.chunks(2).map(|pair| pair.iter().fold(0, |byte, half| byte << 4 | half)).collect();
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value() {
        let sealed = "aQVDx9KX3a1Lf3xsdTOPdALexWUsAhX5OvafAJ8PbVg=";
        assert_eq!(seal("1234567890abcdef", "0123456789abcdef"), sealed);
        assert_eq!(seal("31323334353637383930616263646566", "0123456789abcdef"), sealed);
    }

    #[test]
    fn other_secrets_are_none() {
        assert_eq!((key("short"), key("3132333435363738393061626364656"), key(&"zz".repeat(16))), (None, None, None));
    }
}
