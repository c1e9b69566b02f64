//! One row before it is written: its fields in the vendor's forms, from which a caller selects.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::settings::{BoolForm, IdForm, Settings, TsForm, TsName};

/// What a field holds, as JSON text.
#[derive(Clone, Debug)]
enum Node {
    Raw(String),
    /// An object with its own fields, which can be selected one by one.
    Object(Vec<(Name, String)>),
}

type Name = Cow<'static, str>;

/// The fields of one row, in the vendor's order.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    fields: Vec<(Name, Node)>,
    ids: IdForm,
    booleans: BoolForm,
    ts: TsForm,
    ts_name: TsName,
}

impl Record {
    /// A row without fields.
    pub(crate) fn new(settings: &Settings) -> Self {
        let Settings { ids, booleans, ts, ts_name, .. } = *settings;
        Self { fields: Vec::new(), ids, booleans, ts, ts_name }
    }

    /// A field given as JSON text.
    pub(crate) fn raw(&mut self, name: &'static str, json: impl Into<String>) {
        self.fields.push((name.into(), Node::Raw(json.into())));
    }

    /// A text, or `null`.
    pub(crate) fn text<'a>(&mut self, name: &'static str, text: impl Into<Option<&'a str>>) {
        self.raw(name, text.into().map_or_else(|| "null".to_owned(), quoted));
    }

    /// An id.
    pub(crate) fn id(&mut self, name: &'static str, id: i64) {
        self.raw(name, id_text(self.ids, id));
    }

    /// A boolean.
    pub(crate) fn flag(&mut self, name: &'static str, flag: bool) {
        let text = match (self.booleans, flag) {
            (BoolForm::Text, true) => "\"True\"",
            (BoolForm::Text, false) => "\"False\"",
            (BoolForm::Json, true) => "true",
            (BoolForm::Json, false) => "false",
        };
        self.raw(name, text);
    }

    /// The row version.
    pub(crate) fn version(&mut self, ts: i64) {
        let name = match self.ts_name {
            TsName::Ts => "Ts",
            TsName::Upper => "TS",
        };
        match self.ts {
            TsForm::Hex => self.raw(name, format!("\"{ts:016X}\"")),
            TsForm::Number => self.raw(name, ts.to_string()),
        }
    }

    /// An object of texts, such as a class with its code and name.
    pub(crate) fn object(&mut self, name: &'static str, fields: &[(&'static str, &str)]) {
        let fields = fields.iter().map(|&(name, text)| (name.into(), quoted(text))).collect();
        self.fields.push((name.into(), Node::Object(fields)));
    }

    /// A field as a caller sent it.
    pub(crate) fn sent(&mut self, name: &str, json: &str) {
        let node = match serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
            Ok(fields) => {
                Node::Object(fields.into_iter().map(|(name, json)| (name.into(), json.get().to_owned())).collect())
            }
            Err(_) => Node::Raw(json.to_owned()),
        };
        self.fields.push((name.to_owned().into(), node));
    }

    /// The row as a JSON object, with all fields or those selected.
    ///
    /// Nested fields are selected as `Unit.Code`, which gives `"Unit":{"Code":..}`, or as `UnitCode`, which gives that
    /// field; the row version as `Ts` however it is named. Names that the row does not have are left out.
    pub(crate) fn select(&self, selected: Option<&[String]>) -> String {
        let has = |name: &str| selected.is_none_or(|names| names.iter().any(|known| known == name));
        let mut parts = Vec::new();
        for (name, node) in &self.fields {
            match node {
                Node::Raw(json) if has(name) || (name == "TS" && has("Ts")) => parts.push(format!("\"{name}\":{json}")),
                Node::Raw(_) => {}
                Node::Object(fields) => {
                    let nested: Vec<String> = fields
                        .iter()
                        .filter(|(sub, _)| has(name) || has(&format!("{name}.{sub}")))
                        .map(|(sub, json)| format!("\"{sub}\":{json}"))
                        .collect();
                    if !nested.is_empty() {
                        parts.push(format!("\"{name}\":{{{}}}", nested.join(",")));
                    }
                    let flat = fields.iter().filter(|(sub, _)| selected.is_some() && has(&format!("{name}{sub}")));
                    parts.extend(flat.map(|(sub, json)| format!("\"{name}{sub}\":{json}")));
                }
            }
        }
        format!("{{{}}}", parts.join(","))
    }

    /// One field by its path, as JSON text; `null` for a path that the row does not have.
    pub(crate) fn cell(&self, path: &str) -> &str {
        let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
        let node = self.fields.iter().find(|(name, _)| name == head || (name == "TS" && head == "Ts"));
        match (node, rest) {
            (Some((_, Node::Raw(json))), None) => json,
            (Some((_, Node::Object(fields))), Some(rest)) => {
                fields.iter().find(|(name, _)| name == rest).map_or("null", |(_, json)| json)
            }
            _ => "null",
        }
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An id as JSON.
pub(crate) fn id_text(form: IdForm, id: i64) -> String {
    match form {
        IdForm::Text => format!("\"{id}\""),
        IdForm::Number => id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_selected_one_by_one() {
        let mut record = Record::new(&Settings { ts_name: TsName::Upper, ..Settings::default() });
        record.id("ID", 1_999_234_567_890_123_456);
        record.text("Name", "轴承\"座");
        record.object("Unit", &[("Code", "01"), ("Name", "个")]);
        record.flag("Disabled", true);
        record.version(0x0A3F_51C2);
        let select = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            record.select(Some(&names))
        };
        assert_eq!(select(&["ID", "Unit.Name", "no"]), r#"{"ID":"1999234567890123456","Unit":{"Name":"个"}}"#);
        assert_eq!(select(&["Unit"]), r#"{"Unit":{"Code":"01","Name":"个"}}"#);
        assert_eq!(select(&["UnitName", "Ts"]), r#"{"UnitName":"个","TS":"000000000A3F51C2"}"#);
        assert!(
            record.select(None).contains(r#""Name":"轴承\"座","Unit":{"Code":"01","Name":"个"},"Disabled":"True""#)
        );
        assert_eq!((record.cell("Unit.Code"), record.cell("Unit"), record.cell("X.Y")), ("\"01\"", "null", "null"));
    }
}
