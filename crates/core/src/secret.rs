//! Text that never shows itself.

use std::fmt;
use std::sync::Mutex;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroize;

/// A secret text: printed as stars, wiped when dropped, and not serialisable.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for signing and sending only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it cannot be meant: empty, or with white space, such as the line break at the end of a file, which would
    /// be signed and make the vendor call the signature wrong.
    pub fn is_unusable(&self) -> bool {
        self.0.is_empty() || self.0.contains(char::is_whitespace)
    }
}

/// A text of the vendor without the secrets that it may repeat.
pub fn strike_out<'a>(text: &str, secrets: impl IntoIterator<Item = &'a Secret>) -> String {
    let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "***"))
}

/// How many secrets that were sent are remembered: a call may still be under way when its token has been renewed since.
const MOST_SENT: usize = 16;

/// The secrets that were sent last, to be struck out of what the vendor says of them.
#[derive(Debug, Default)]
pub struct Sent(Mutex<Vec<Secret>>);

impl Sent {
    /// Remembers a secret that is about to be sent.
    pub fn remember(&self, secret: &Secret) {
        let mut sent = self.0.lock().expect("no holder panics");
        if !secret.is_empty() && !sent.contains(secret) {
            sent.push(secret.clone());
            let too_many = sent.len().saturating_sub(MOST_SENT);
            sent.drain(..too_many);
        }
    }

    /// A text of the vendor without them, and without `others`.
    pub fn strike_out<'a>(&self, text: &str, others: impl IntoIterator<Item = &'a Secret>) -> String {
        let sent = self.0.lock().expect("no holder panics");
        strike_out(&strike_out(text, others), sent.iter())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl schemars::JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A secret: an inline text, or better a reference that is resolved when the account is opened.",
            "writeOnly": true,
            "anyOf": [
                { "type": "string" },
                { "type": "object", "properties": { "env": { "type": "string" } }, "required": ["env"], "additionalProperties": false },
                { "type": "object", "properties": { "file": { "type": "string" } }, "required": ["file"], "additionalProperties": false },
                { "type": "object", "properties": { "vault": { "type": "string" } }, "required": ["vault"], "additionalProperties": false },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_itself() {
        let secret = Secret::new("helloworld");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(strike_out("say helloworld twice: helloworld", [&secret, &Secret::new("")]), "say *** twice: ***");
        let sent = Sent::default();
        (0..=MOST_SENT).for_each(|n| sent.remember(&Secret::new(format!("token-{n:02}"))));
        assert_eq!(sent.strike_out("token-00 token-01 token-16 helloworld", [&secret]), "token-00 *** *** ***");
        assert!(!secret.is_unusable() && Secret::new("a\n").is_unusable() && Secret::new("").is_unusable());
    }
}
