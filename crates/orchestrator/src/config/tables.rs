//! `[tables.NAME]` of a flow: where the values come from that its expressions look up.

use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use super::span::{At, Findings, Section, Span};
use crate::text::{self, fill};

/// One table as it is written.
#[derive(Clone, Debug)]
pub(crate) struct TableConfig {
    pub(crate) name: String,
    pub(crate) from: TableFrom,
    /// Where it says so.
    pub(crate) span: Span,
}

/// Where the values of a table come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TableFrom {
    /// The flow file itself: each key and its value as JSON text.
    Values(Vec<(String, String)>),
    /// A file, relative to the installation.
    File(PathBuf),
    /// The keys of another flow's records, and the ids that its target gave them.
    Flow(String),
}

const KEYS: &[&str] = &["values", "file", "flow"];

/// Reads `[tables]`; `plain` is the same table without places.
pub(super) fn read(table: &DeTable<'_>, plain: Option<&toml::Table>, findings: &mut Findings) -> Vec<TableConfig> {
    let mut all = Vec::new();
    for (name, value) in table {
        let name = name.get_ref().as_ref();
        let DeValue::Table(inner) = value.get_ref() else {
            findings.wrong_type(name, text::A_TABLE, value);
            continue;
        };
        let title = format!("[tables.{name}]");
        let span = value.span();
        let section = Section { title: &title, span: &span, table: inner, keys: KEYS };
        section.close(&[], findings);
        let values = section.table("values", findings).map(|(_, span)| At {
            value: plain.and_then(|plain| plain.get(name)?.get("values")?.as_table().cloned()).unwrap_or_default(),
            span,
        });
        let file = section.text("file", findings);
        let flow = section.text("flow", findings);
        let lang = findings.lang;
        let one = match (values, file, flow) {
            (Some(values), None, None) => (TableFrom::Values(json_of(&values, findings)), values.span),
            (None, Some(file), None) => (TableFrom::File(PathBuf::from(file.value)), file.span),
            (None, None, Some(flow)) => (TableFrom::Flow(flow.value), flow.span),
            _ => {
                if KEYS.iter().all(|key| section.get(key).is_none() || section.is_misspelt(key))
                    || KEYS.iter().filter(|key| section.get(key).is_some()).count() > 1
                {
                    findings.mistake_with(&span, fill!(lang, text::BAD_TABLE, name = name), lang.say(text::TABLE_FORM));
                }
                continue;
            }
        };
        all.push(TableConfig { name: name.to_owned(), from: one.0, span: one.1 });
    }
    all
}

/// The values as JSON text; what is no plain value is a mistake.
fn json_of(values: &At<toml::Table>, findings: &mut Findings) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (key, value) in &values.value {
        let json = match value {
            toml::Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(is) => is.to_string(),
            _ => {
                let lang = findings.lang;
                let message = fill!(lang, text::BAD_TABLE_VALUE, key = key);
                findings.mistake_with(&values.span, message, lang.say(text::TABLE_VALUE_FORM));
                continue;
            }
        };
        all.push((key.clone(), json));
    }
    all
}
