//! A JSON Schema as rows of a table: one for each setting, those of inner tables under dotted names.

use std::fmt::Write as _;

use serde_json::Value;

use super::words::{self, Lang};

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// `streams[].name` is the setting `name` of each entry of the list `streams`.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) default: Option<String>,
    pub(super) about: String,
}

/// How deep tables in tables are followed.
const DEEPEST: usize = 4;

/// The settings that a schema describes, required ones first, each group in the order of the names.
pub(super) fn settings(schema: &Value, lang: Lang) -> Vec<Setting> {
    let mut rows = Vec::new();
    collect((schema, lang), schema, "", 0, &mut rows);
    rows
}

fn collect((root, lang): (&Value, Lang), table: &Value, prefix: &str, depth: usize, rows: &mut Vec<Setting>) {
    let table = resolve(root, table);
    let Some(properties) = table["properties"].as_object() else { return };
    let is_required =
        |name: &str| table["required"].as_array().into_iter().flatten().any(|known| known.as_str() == Some(name));
    let mut names: Vec<&String> = properties.keys().collect();
    names.sort_by_key(|name| (!is_required(name), name.as_str()));
    for name in names {
        let property = &properties[name];
        let full = format!("{prefix}{name}");
        let default = property.get("default").filter(|value| !value.is_null() && !is_empty(value));
        rows.push(Setting {
            name: full.clone(),
            kind: kind(root, property, lang),
            required: is_required(name),
            default: default.map(Value::to_string),
            about: about(root, property, lang),
        });
        if depth < DEEPEST
            && let Some((inner, between)) = inner(root, property)
        {
            collect((root, lang), inner, &format!("{full}{between}"), depth + 1, rows);
        }
    }
}

/// The table that a setting holds, or a list of which it holds, and what stands between the names.
fn inner<'a>(root: &'a Value, property: &'a Value) -> Option<(&'a Value, &'static str)> {
    let property = resolve(root, without_null(property));
    if is_secret(property) {
        return None;
    }
    let element = resolve(root, without_null(&property["items"]));
    let has_fields = |schema: &Value| schema["properties"].as_object().is_some_and(|fields| !fields.is_empty());
    if has_fields(property) {
        Some((property, "."))
    } else if has_fields(element) {
        Some((element, "[]."))
    } else {
        None
    }
}

/// What a value is, in a word or two.
fn kind(root: &Value, property: &Value, lang: Lang) -> String {
    let named = without_null(property);
    let schema = resolve(root, named);
    let say = |text| lang.say(text).to_owned();
    let of = |text, inner: &Value| lang.fill(text, &[("kind", &kind(root, inner, lang))]);
    if is_secret(schema) {
        return say(words::SECRET);
    }
    if let Some(name) = named["$ref"].as_str()
        && schema.to_string().contains(name)
    {
        // What holds values of its own kind may hold anything.
        return say(words::ANY);
    }
    if let Some(choices) = choices(schema) {
        let choices: Vec<_> = choices.iter().map(|(choice, _)| format!("`{choice}`")).collect();
        return choices.join(lang.say(words::COMMA));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        _ => Vec::new(),
    };
    match types[..] {
        ["object"] if schema["additionalProperties"].is_object() => {
            of(words::TABLE_OF, &schema["additionalProperties"])
        }
        ["array"] => of(words::LIST_OF, &schema["items"]),
        [] => match alternatives(schema) {
            Some(several) => {
                let kinds: Vec<_> = several.iter().map(|one| kind(root, one, lang)).collect();
                kinds.join(lang.say(words::OR))
            }
            None => say(words::ANY),
        },
        ref several => several.iter().map(|one| plain(one, lang)).collect::<Vec<_>>().join(lang.say(words::OR)),
    }
}

/// A type that says nothing of what is inside.
fn plain(name: &str, lang: Lang) -> &str {
    match name {
        "integer" => lang.say(words::WHOLE_NUMBER),
        "number" => lang.say(words::NUMBER_KIND),
        "boolean" => lang.say(words::TRUE_OR_FALSE),
        "string" => lang.say(words::TEXT),
        "object" => lang.say(words::TABLE),
        "array" => lang.say(words::LIST),
        other => other,
    }
}

/// The description, with what each of its choices means.
fn about(root: &Value, property: &Value, lang: Lang) -> String {
    let schema = resolve(root, without_null(property));
    let own = property["description"].as_str().or_else(|| schema["description"].as_str()).unwrap_or_default();
    let mut text = own.split_whitespace().collect::<Vec<_>>().join(" ");
    let explained = choices(schema).unwrap_or_default();
    for (choice, meaning) in explained.iter().filter(|(_, meaning)| !meaning.is_empty()) {
        let (between, colon) = (lang.say(words::BLANK), lang.say(words::COLON));
        let _ = write!(text, "{between}`{choice}`{colon}{meaning}");
    }
    text
}

/// The texts a value can be, with their meanings; `None` if it is not a choice.
fn choices(schema: &Value) -> Option<Vec<(String, String)>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(choices) = schema["enum"].as_array() {
        return choices.iter().map(|choice| Some((text(choice)?, String::new()))).collect();
    }
    let several = schema["oneOf"].as_array()?;
    let mut found = Vec::new();
    for one in several {
        if let Some(choice) = text(&one["const"]) {
            let meaning = one["description"].as_str().unwrap_or_default();
            found.push((choice, meaning.split_whitespace().collect::<Vec<_>>().join(" ")));
        } else {
            found.extend(one["enum"].as_array()?.iter().filter_map(text).map(|choice| (choice, String::new())));
        }
    }
    Some(found)
}

fn alternatives(schema: &Value) -> Option<Vec<&Value>> {
    let several = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array())?;
    Some(several.iter().filter(|one| one["type"] != "null").collect())
}

/// A setting that may be left out is described as "this or null".
fn without_null(schema: &Value) -> &Value {
    match alternatives(schema) {
        Some(several) if several.len() == 1 => several[0],
        _ => schema,
    }
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
    name.map_or(schema, |name| &root["$defs"][name])
}

fn is_secret(schema: &Value) -> bool {
    schema["writeOnly"] == true
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_become_rows() {
        let schema = json!({
            "type": "object", "required": ["key"],
            "properties": {
                "size": { "type": "integer", "default": 100, "description": "Records per page,\n1 to 100." },
                "key": { "$ref": "#/$defs/Secret", "description": "The key." },
                "way": { "$ref": "#/$defs/Way" },
                "parts": { "type": "array", "default": [], "items": { "$ref": "#/$defs/Part" } },
                "late": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                "tree": { "$ref": "#/$defs/Tree" },
            },
            "$defs": {
                "Secret": { "writeOnly": true, "anyOf": [{ "type": "string" }, { "type": "object" }] },
                "Way": { "oneOf": [{ "const": "a", "description": "First." }, { "enum": ["b", "c"] }] },
                "Part": { "type": "object", "properties": { "of": { "type": ["boolean", "null"] } } },
                "Tree": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "$ref": "#/$defs/Tree" } }] },
            },
        });
        let rows = settings(&schema, Lang::En);
        let short: Vec<String> = rows
            .iter()
            .map(|row| {
                let must = if row.required { "!" } else { "" };
                format!("{}{must}|{}|{}|{}", row.name, row.kind, row.default.as_deref().unwrap_or("-"), row.about)
            })
            .collect();
        assert_eq!(
            short,
            [
                "key!|secret|-|The key.",
                "late|text|-|",
                "parts|list of: table|-|",
                "parts[].of|`true` or `false`|-|",
                "size|whole number|100|Records per page, 1 to 100.",
                "tree|any|-|",
                "way|`a`, `b`, `c`|-| `a`: First.",
            ]
        );
        let chinese: Vec<_> = settings(&schema, Lang::Zh).into_iter().map(|row| row.kind).collect();
        let expected = ["密钥", "文本", "表的列表", "`true` 或 `false`", "整数", "任意", "`a`、`b`、`c`"];
        assert_eq!(chinese, expected);
    }
}
