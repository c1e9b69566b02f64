//! Conditions of a query as settings, and the JSON that they become.

use std::collections::BTreeMap;

use milkrun_core::record::write_json_string;
use serde::Deserialize;

/// The value of a condition, such as `"01"`, `false`, or `[{ Code = "01" }]`; numbers with decimals go as text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a condition is a text, a whole number, true or false, a list or a table")]
pub enum FilterValue {
    /// `true` or `false`.
    Truth(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(BTreeMap<String, Self>),
}

/// Flat, unlike the type: what goes through a schema from top to bottom would never end in a value inside itself.
impl schemars::JsonSchema for FilterValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FilterValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A condition: a text, a whole number, `true` or `false`, a list or a table.",
            "type": ["string", "integer", "boolean", "array", "object"],
        })
    }
}

impl FilterValue {
    /// The value as JSON.
    pub(crate) fn json(&self) -> String {
        match self {
            Self::Truth(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => quoted(text),
            Self::List(values) => {
                let values: Vec<String> = values.iter().map(Self::json).collect();
                format!("[{}]", values.join(","))
            }
            Self::Object(fields) => {
                let fields: Vec<(&str, String)> = fields.iter().map(|(name, value)| (&**name, value.json())).collect();
                crate::envelope::object(fields.iter().map(|(name, value)| (*name, value.as_str())))
            }
        }
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    write_json_string(&mut out, text);
    String::from_utf8(out).expect("a text was quoted")
}

/// The name and the JSON of the condition that a parent's value becomes: `voucherID` takes it as it is, and
/// `Warehouse[].Code` puts it into an object inside a list.
pub(crate) fn condition(parameter: &str, value: &str) -> (String, String) {
    match parameter.split_once("[].") {
        Some((name, field)) => (name.to_owned(), format!("[{{{}:{}}}]", quoted(field), quoted(value))),
        None => (parameter.to_owned(), quoted(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_written_as_the_vendor_prints_them() {
        #[derive(Deserialize)]
        struct Holder {
            filter: BTreeMap<String, FilterValue>,
        }
        let text = "[filter]\nDisabled = false\nWarehouse = [{ Code = '01' }]\nN = 9007199254740993\nText = '仓\"'";
        let holder: Holder = toml::from_str(text).unwrap();
        let json = FilterValue::Object(holder.filter).json();
        assert_eq!(json, r#"{"Disabled":false,"N":9007199254740993,"Text":"仓\"","Warehouse":[{"Code":"01"}]}"#);
        assert!(toml::from_str::<Holder>("[filter]\nN = 1.5").is_err());
        assert_eq!(condition("Warehouse[].Code", "0\"1"), ("Warehouse".into(), r#"[{"Code":"0\"1"}]"#.into()));
        assert_eq!(condition("voucherID", "7"), ("voucherID".into(), "\"7\"".into()));
    }
}
