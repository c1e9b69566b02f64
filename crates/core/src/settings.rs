//! Checks of settings that accounts of several connectors have: addresses, names and secrets.
//!
//! Each refusal is of the kind [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) and names the setting;
//! none repeats a value, which may be a secret.

use crate::error::{Error, Result};
use crate::secret::Secret;

/// How much an address may hold. None may hold a user or a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Scheme, host and port.
    Host,
    /// The same with a path that more is put behind, so that neither a query nor a slash ends it.
    Base,
    /// The same with whatever path and query.
    Page,
}

/// Refuses what is no http or https address, or holds more than it may.
///
/// # Errors
/// As the module says.
pub fn check_address(setting: &str, address: &str, may_be: Address) -> Result<()> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let is_good = |rest: &str| {
        let is_whole = !rest.is_empty() && !rest.starts_with(['/', '?']);
        let is_plain = !rest.contains(['#', '@']) && !rest.contains(char::is_whitespace);
        let fits = match may_be {
            Address::Host => !rest.contains(['/', '?']),
            Address::Base => !rest.contains('?') && !rest.ends_with('/'),
            Address::Page => true,
        };
        is_whole && is_plain && fits
    };
    if rest.is_some_and(is_good) {
        return Ok(());
    }
    Err(Error::config(match may_be {
        Address::Host => format!("`{setting}` has to be an http or https address without a path"),
        Address::Base => {
            format!("`{setting}` has to be an http or https address without user, query, fragment or slash at its end")
        }
        Address::Page => format!("`{setting}` has to be an http or https address without user or fragment"),
    }))
}

/// Refuses a name that a vendor gave, such as an app key, if it is empty or holds what is lost in a header.
///
/// # Errors
/// As the module says.
pub fn check_given(setting: &str, name: &str) -> Result<()> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::config(format!("`{setting}` is empty, or holds white space or characters beyond ASCII")))
}

/// Refuses a secret that [cannot be meant](Secret::is_unusable).
///
/// # Errors
/// As the module says.
pub fn check_secret(setting: &str, secret: &Secret) -> Result<()> {
    if !secret.is_unusable() {
        return Ok(());
    }
    Err(Error::config(format!("`{setting}` is empty or holds white space")))
}

/// The same for a secret that may be missing.
///
/// # Errors
/// As the module says.
pub fn check_secret_if_any(setting: &str, secret: Option<&Secret>) -> Result<()> {
    if secret.is_none_or(|secret| !secret.is_unusable()) {
        return Ok(());
    }
    Err(Error::config(format!("`{setting}` is empty or holds white space; leave it out if there is none")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_what_it_may_and_no_more() {
        // Each with whether it is a host, a base and a page.
        let cases = [
            ("https://api.example", [true, true, true]),
            ("http://127.0.0.1:8080", [true, true, true]),
            ("https://api.example/v1", [false, true, true]),
            ("https://api.example/", [false, false, true]),
            ("https://api.example/v1?x=1", [false, false, true]),
            ("https://api.example?x=1", [false, false, true]),
            ("https://api.example/#top", [false; 3]),
            ("https://me@api.example", [false; 3]),
            ("https://api.example/v 1", [false; 3]),
            ("https://api.example/v1\n", [false; 3]),
            ("https:///v1", [false; 3]),
            ("https://", [false; 3]),
            ("ftp://api.example", [false; 3]),
            ("api.example", [false; 3]),
            ("", [false; 3]),
        ];
        for (address, expected) in cases {
            let is = |may_be| check_address("base_url", address, may_be).is_ok();
            assert_eq!([Address::Host, Address::Base, Address::Page].map(is), expected, "{address}");
        }
    }

    #[test]
    fn names_and_secrets_are_whole() {
        for (text, is_name, is_secret) in [
            ("abc-1", true, true),
            ("", false, false),
            ("a b", false, false),
            ("a\n", false, false),
            ("密钥", false, true),
        ] {
            let secret = Secret::new(text);
            assert_eq!(check_given("app_key", text).is_ok(), is_name, "{text:?}");
            assert_eq!(check_secret("app_secret", &secret).is_ok(), is_secret, "{text:?}");
            assert_eq!(check_secret_if_any("token", Some(&secret)).is_ok(), is_secret, "{text:?}");
        }
        assert!(check_secret_if_any("token", None).is_ok());
        let error = check_secret("app_secret", &Secret::new("hush hush")).unwrap_err();
        assert!(error.message().contains("`app_secret`") && !error.to_string().contains("hush"), "{error}");
    }
}
