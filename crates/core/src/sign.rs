//! Signing by hand: what `milkrun sign` gives a connector, and what it gets back.

use crate::error::{Error, Result};
use crate::record::{Pairs, Record, plain_text};
use crate::secret::Secret;

/// A JSON object that says what is to be signed, its values as they were written.
#[derive(Clone)]
pub struct SignRequest(Record);

/// What was signed, and the signature as it goes on the wire before the address is encoded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Signed {
    /// The text that was signed; it holds no secret unless the vendor's rule puts it there.
    pub text: String,
    /// The signature.
    pub sign: String,
}

/// Bytes as lower-case hexadecimal digits.
pub fn lower_hex(bytes: &[u8]) -> String {
    hex(bytes, b"0123456789abcdef")
}

/// Bytes as upper-case hexadecimal digits.
pub fn upper_hex(bytes: &[u8]) -> String {
    hex(bytes, b"0123456789ABCDEF")
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    bytes.iter().flat_map(|b| [digits[usize::from(b >> 4)], digits[usize::from(b & 15)]]).map(char::from).collect()
}

impl std::fmt::Debug for SignRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.0.fields().map(|(name, _)| name).collect();
        write!(f, "SignRequest({})", names.join(", "))
    }
}

impl SignRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) if it is no JSON object.
    pub fn parse(text: &str) -> Result<Self> {
        let record = Record::parse(text.trim()).map_err(|e| Error::config("the input is no JSON object").caused_by(e));
        record.map(Self)
    }

    /// The same with a text in place of whatever the field holds.
    #[must_use]
    pub fn with_text(&self, name: &str, text: &str) -> Self {
        let quoted = serde_json::Value::from(text).to_string();
        let others = self.0.fields().filter(|(known, _)| *known != name);
        let fields = others.chain([(name, quoted.as_str())]);
        let fields: Vec<_> = fields.map(|(name, json)| format!("{}:{json}", serde_json::Value::from(name))).collect();
        Self(Record::parse(format!("{{{}}}", fields.join(","))).expect("fields of an object make an object"))
    }

    /// Refuses fields that are not among `known`: a misspelt one would be left out of the signature without a word.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) with the nearest name.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        match self.0.fields().find(|(name, _)| !known.contains(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Error::config(format!("the input has a field `{name}` that means nothing here"))
                .advise(crate::diagnostic::did_you_mean(name, known))),
        }
    }

    /// A text or number as it was written; `None` if it is missing or null.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) if it is a list or an object.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        self.0.get(name).map_or(Ok(None), |json| value(name, json))
    }

    /// A text or number that has to be there.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) names the field.
    pub fn required(&self, name: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| Error::config(format!("the input has no `{name}`")))
    }

    /// A secret that has to be there.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) names the field.
    pub fn secret(&self, name: &str) -> Result<Secret> {
        self.required(name).map(Secret::new)
    }

    /// The members of an object, in the order they were written; those that are null are left out.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) if it is missing or no object, or if a member is
    /// a list or an object.
    pub fn members(&self, name: &str) -> Result<Vec<(String, String)>> {
        let json = self.0.get(name).ok_or_else(|| Error::config(format!("the input has no `{name}`")))?;
        let pairs: Pairs<'_> =
            serde_json::from_str(json).map_err(|_| Error::config(format!("`{name}` has to be an object")))?;
        let member = |(name, json): &(std::borrow::Cow<'_, str>, &serde_json::value::RawValue)| {
            value(name, json.get()).map(|text| text.map(|text| (name.to_string(), text))).transpose()
        };
        pairs.0.iter().filter_map(member).collect()
    }
}

fn value(name: &str, json: &str) -> Result<Option<String>> {
    match json.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'[' | b'{') => Err(Error::config(format!("`{name}` has to be a text or a number"))
            .advise("write JSON inside a text, as it goes on the wire")),
        _ => Ok(plain_text(json).map(std::borrow::Cow::into_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_signed_as_written() {
        let request = SignRequest::parse(
            r#"{"secret":"s","params":{"b":1.50,"a":"\u4e2d&=+%","none":null,"id":1234567890123456789}}"#,
        )
        .unwrap();
        let members = request.members("params").unwrap();
        let members: Vec<_> = members.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(members, [("b", "1.50"), ("a", "中&=+%"), ("id", "1234567890123456789")]);
        assert_eq!(request.text("none").unwrap(), None);
        assert!(!format!("{request:?}").contains("中"));
        let other = request.with_text("secret", "t\"").with_text("more", "m");
        assert_eq!((other.required("secret").unwrap(), other.required("more").unwrap()), ("t\"".into(), "m".into()));
        assert_eq!(other.members("params").unwrap().len(), 3);
    }

    #[test]
    fn mistakes_are_named() {
        let request = SignRequest::parse(r#"{"secrt":"s","params":{"a":[1]},"n":[]}"#).unwrap();
        let error = request.only(&["secret", "params"]).unwrap_err();
        assert!(error.to_string().contains("secrt") && error.help().unwrap().contains("secret"), "{error}");
        for error in [request.members("params").unwrap_err(), request.text("n").unwrap_err()] {
            assert_eq!(error.kind(), crate::ErrorKind::ConfigInvalid);
        }
        assert!(request.required("secret").is_err());
        assert!(SignRequest::parse("[1]").is_err());
        assert_eq!((lower_hex(&[0x0f, 0xa1]), upper_hex(&[0x0f, 0xa1])), ("0fa1".to_owned(), "0FA1".to_owned()));
    }
}
