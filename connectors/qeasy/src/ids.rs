//! The id of a document: asked for, or filled in with the same one on every run.

use milkrun_core::record::{Pairs, plain_text, write_json_string};
use milkrun_core::{Error, ErrorKind, Key, Record, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

/// What happens to a document without its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingId {
    /// It is refused.
    #[default]
    Refuse,
    /// It gets a UUID (version 5) over `source` and the fields of `id_from`.
    Fill,
}

/// Where ids are, and where they come from.
#[derive(Clone, Debug)]
pub(crate) struct IdRule {
    pub(crate) field: String,
    pub(crate) missing: MissingId,
    pub(crate) source: Option<String>,
    pub(crate) from: Vec<String>,
}

/// The namespace of all ids that Milkrun fills in: the UUID of the URL namespace over the project's name. It never
/// changes, because the ids would change with it.
fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, b"milkrun:qeasy")
}

impl IdRule {
    /// Refuses what cannot be meant.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] names the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.field.is_empty() || self.field.contains(['.', '[']) {
            return Err(Error::config("`id_field` has to be the name of a field at the top of the document"));
        }
        let fills = self.missing == MissingId::Fill;
        if fills && (self.from.is_empty() || self.from.iter().any(String::is_empty)) {
            return Err(Error::config("`id_from` has to name the document's fields that are its natural key"));
        }
        let is_source = |source: &String| source.split_once('/').is_some_and(|(a, s)| !a.is_empty() && !s.is_empty());
        if fills && !self.source.as_ref().is_some_and(is_source) {
            return Err(Error::config("`source` has to be the account and the stream that the documents come from")
                .advise("write it as \"km/orders\": records of two sources may have one number"));
        }
        if !fills && (self.source.is_some() || !self.from.is_empty()) {
            return Err(Error::config("`source` and `id_from` mean nothing unless `missing_id` is \"fill\""));
        }
        Ok(())
    }

    /// The document's id, and the document with it.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if it has none and none can be made.
    pub(crate) fn apply(&self, document: &str) -> Result<(String, String)> {
        let refused =
            |message: &'static str, field: &str| Err(Error::new(ErrorKind::Refused, message).with("field", field));
        let record = Record::parse(document)
            .map_err(|cause| Error::new(ErrorKind::Refused, "the document is no JSON object").caused_by(cause))?;
        let value = record.get(&self.field).unwrap_or("null");
        match plain_text(value) {
            Some(id) if !id.trim().is_empty() => return Ok((id.into_owned(), document.to_owned())),
            None if value != "null" => return refused("the document's id is neither a text nor a number", &self.field),
            _ => {}
        }
        if self.missing == MissingId::Refuse {
            return refused("the document has no id", &self.field);
        }
        let Some(key) = Key::read(&record, &self.from) else {
            return refused(
                "the document has no id, and lacks a part of the key that one is made of",
                &self.from.join(", "),
            );
        };
        let source = self.source.as_deref().unwrap_or_default();
        let id = Uuid::new_v5(&namespace(), format!("{source}/{key}").as_bytes()).to_string();
        Ok((id.clone(), with_id(document, &self.field, &id)?))
    }
}

/// The document with the id in its place, or in front of all other fields.
fn with_id(document: &str, field: &str, id: &str) -> Result<String> {
    let Pairs(pairs) = serde_json::from_str(document)
        .map_err(|cause| Error::new(ErrorKind::Refused, "the document is no JSON object").caused_by(cause))?;
    let mut out = b"{".to_vec();
    write_json_string(&mut out, field);
    out.push(b':');
    write_json_string(&mut out, id);
    for (name, value) in pairs.iter().filter(|(name, _)| name != field) {
        out.push(b',');
        write_json_string(&mut out, name);
        out.push(b':');
        out.extend_from_slice(value.get().as_bytes());
    }
    out.push(b'}');
    Ok(String::from_utf8(out).expect("texts were put together"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(missing: MissingId, source: &str) -> IdRule {
        let (source, from) = match missing {
            MissingId::Refuse => (None, Vec::new()),
            MissingId::Fill => (Some(source.to_owned()), vec!["no".to_owned(), "line".to_owned()]),
        };
        let rule = IdRule { field: "id".to_owned(), missing, source, from };
        rule.validate().unwrap();
        rule
    }

    #[test]
    fn an_id_that_is_there_stays_with_every_byte() {
        let fill = rule(MissingId::Fill, "km/orders");
        for document in [r#"{ "id":6920000000000000001,"n":0.10 }"#, r#"{"id":"A-1"}"#] {
            assert_eq!(fill.apply(document).unwrap().1, document);
        }
        assert_eq!(fill.apply(r#"{"id":6920000000000000001}"#).unwrap().0, "6920000000000000001");
    }

    #[test]
    fn a_missing_id_is_refused_or_filled_in() {
        let refuse = rule(MissingId::Refuse, "");
        for document in [r#"{"no":"1","line":1}"#, r#"{"id":null}"#, r#"{"id":" "}"#, r#"{"id":[1]}"#] {
            let error = refuse.apply(document).unwrap_err();
            assert_eq!((error.kind(), error.fact("field")), (ErrorKind::Refused, Some("id")), "{document}");
        }
        let fill = rule(MissingId::Fill, "km/orders");
        let (id, document) = fill.apply(r#"{"no":"O1","id":"","line":1,"n":0.10}"#).unwrap();
        assert_eq!(document, format!(r#"{{"id":"{id}","no":"O1","line":1,"n":0.10}}"#));
        // These never change: the same record has the same id in every release.
        assert_eq!(id, "d9403022-9744-56af-add8-6402f0829a0d");
        assert_eq!(fill.apply(&document).unwrap().0, id, "an id once filled in stays");
        assert_eq!(fill.apply(r#"{"line":"1","no":"O1","n":7}"#).unwrap().0, id, "over the key alone");
        for other in [r#"{"no":"O1","line":2}"#, r#"{"no":"O1|1","line":""}"#] {
            assert_ne!(fill.apply(other).map(|(id, _)| id).unwrap_or_default(), id, "{other}");
        }
        assert_ne!(rule(MissingId::Fill, "km/refunds").apply(r#"{"no":"O1","line":1}"#).unwrap().0, id);
        assert_eq!(fill.apply(r#"{"no":"O1"}"#).unwrap_err().kind(), ErrorKind::Refused);
    }
}
