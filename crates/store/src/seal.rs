//! Sealing: XChaCha20-Poly1305 with a random nonce, bound to the name of what is sealed.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use milkrun_core::{Error, ErrorKind, Result, Secret};
use zeroize::Zeroizing;

use crate::key::MasterKey;
use crate::worker::random;

const N_NONCE: usize = 24;

/// Seals `text`; it can be opened only under the same `name`. The nonce comes first.
pub(crate) fn seal(key: &MasterKey, name: &str, text: &Secret) -> Result<Vec<u8>> {
    let nonce: [u8; N_NONCE] = random()?;
    let payload = Payload { msg: text.expose().as_bytes(), aad: name.as_bytes() };
    let sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Error::new(ErrorKind::Unexpected, "the text is too long to be sealed"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what was sealed under `name` with the key of that id.
pub(crate) fn open(key: &MasterKey, key_id: &str, name: &str, sealed: &[u8]) -> Result<Secret> {
    check_key(key, key_id)?;
    let damaged = || {
        Error::new(ErrorKind::State, "a sealed value in the vault is damaged, or was moved from another place")
            .advise("store the secret again with `milkrun secret set`, or authorise the account again")
    };
    let (nonce, ciphertext) = sealed.split_first_chunk::<N_NONCE>().ok_or_else(damaged)?;
    let payload = Payload { msg: ciphertext, aad: name.as_bytes() };
    let text = cipher(key).decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| damaged())?;
    Ok(Secret::new(str::from_utf8(&text).map_err(|_| damaged())?))
}

/// Refuses a key other than the one that was sealed with.
pub(crate) fn check_key(key: &MasterKey, key_id: &str) -> Result<()> {
    if key.id() == key_id {
        return Ok(());
    }
    let message = format!("the vault was sealed with another key (key id {key_id}; the key in use is {})", key.id());
    Err(Error::config(message)
        .advise("use that key; if it is lost, remove the secrets and store them again with `milkrun secret set`"))
}

fn cipher(key: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> MasterKey {
        MasterKey::from_text(&digit.repeat(64)).unwrap()
    }

    #[test]
    fn opens_what_it_sealed_under_the_same_name() {
        let text = Secret::new("helloworld");
        let sealed = seal(&key("1"), "a", &text).unwrap();
        assert_eq!(open(&key("1"), key("1").id(), "a", &sealed).unwrap(), text);
        assert_ne!(sealed, seal(&key("1"), "a", &text).unwrap());
        assert_eq!(open(&key("1"), key("1").id(), "b", &sealed).unwrap_err().kind(), ErrorKind::State);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key("1"), key("1").id(), "a", &changed).unwrap_err().kind(), ErrorKind::State);
            assert_eq!(open(&key("1"), key("1").id(), "a", &sealed[..at]).unwrap_err().kind(), ErrorKind::State);
        }
    }

    #[test]
    fn names_the_right_key_when_it_has_another() {
        let sealed = seal(&key("1"), "a", &Secret::new("x")).unwrap();
        let error = open(&key("2"), key("1").id(), "a", &sealed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.message().contains("another key") && error.message().contains(key("1").id()), "{error}");
    }
}
