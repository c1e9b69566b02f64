//! The id of a document that has none: refused, or made from what the record is, the same every time.

use milkrun_core::{Key, Record};
use sha1::{Digest, Sha1};

use crate::error::MapError;
use crate::json::{Fields, decode_name, write_text};

/// Where the records of a flow come from, so that an id can be made for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The account's name.
    pub account: String,
    /// The stream's name.
    pub stream: String,
    /// The paths of the record's natural key.
    pub key: Vec<String>,
}

/// What is done about a document without an id.
#[derive(Clone, Debug)]
pub(crate) struct IdRule {
    /// The field of the document.
    pub(crate) field: String,
    /// From what an id is made; `None` refuses the record.
    pub(crate) fill: Option<Identity>,
}

/// The namespace of URLs, as RFC 9562 has it.
const URL: [u8; 16] = [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

impl IdRule {
    /// Looks for the id in the document that begins at `start` of `out`, and fills it in if that is the rule.
    ///
    /// `number` tells the documents of one record apart; it is `None` where a record has only one.
    pub(crate) fn apply(
        &self,
        record: &Record,
        number: Option<usize>,
        start: usize,
        out: &mut String,
    ) -> Result<(), MapError> {
        let document = &out[start..];
        let found =
            Fields::of(document).and_then(|mut fields| fields.find(|(name, _)| decode_name(name) == self.field));
        let place = found.map(|(_, (from, to))| (from, to));
        if place.is_some_and(|(from, to)| !matches!(&document[from..to], "null" | "\"\"")) {
            return Ok(());
        }
        let Some(identity) = &self.fill else {
            let reason = if place.is_some() { "is empty" } else { "is missing" };
            let reason = format!("{reason}, and a document without it is not sent");
            return Err(MapError::of_document(&self.field, None, reason));
        };
        let Some(key) = Key::read(record, &identity.key) else {
            let reason = "is missing, and the record has no key to make it from";
            return Err(MapError::of_document(&self.field, None, reason));
        };
        let mut name = format!("milkrun:{}/{}/{key}", identity.account, identity.stream);
        if let Some(number) = number {
            name.extend(["#", &number.to_string()]);
        }
        let id = uuid_v5(&URL, &name);
        if let Some((from, to)) = place {
            out.replace_range(start + from..start + to, &format!("\"{id}\""));
            return Ok(());
        }
        let empty = Fields::of(document).is_none_or(|mut fields| fields.next().is_none());
        // The document is an object, and its last character closes it.
        let end = document.trim_end().len() - 1;
        let mut field = String::from(if empty { "" } else { "," });
        write_text(&mut field, &self.field);
        field.extend([":\"", &id, "\""]);
        out.insert_str(start + end, &field);
        Ok(())
    }
}

/// The UUID of a name in a namespace, by SHA-1.
fn uuid_v5(namespace: &[u8; 16], name: &str) -> String {
    let digest = Sha1::new().chain_update(namespace).chain_update(name).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_the_published_uuid() {
        // The example of RFC 9562, appendix A.4: version 5 of www.example.com in the namespace of DNS names.
        let dns = [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        assert_eq!(uuid_v5(&dns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}
