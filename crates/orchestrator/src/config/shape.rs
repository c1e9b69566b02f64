//! Checks a TOML value against a connector's JSON Schema, so that each wrong setting is shown where it stands.
//!
//! It knows the parts of JSON Schema that `schemars` writes for plain settings; what it does not know it lets pass,
//! since the connector reads the settings itself afterwards.

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::account::OWN_KEYS;
use super::secret::{self, SecretRef};
use super::span::{Findings, Span, suggest, type_name};
use crate::text::{self, Text, fill};

/// What the check finds out on its way.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Settings that refer to a secret.
    pub(super) secrets: Vec<SecretRef>,
    /// Settings that hold a secret in plain text.
    pub(super) inline: Vec<String>,
    /// Where each setting stands, by its path: `streams.0.name`.
    pub(super) spans: Vec<(String, Span)>,
}

/// One check of one account's settings.
#[derive(Debug)]
pub(super) struct Shape<'s> {
    root: &'s Value,
    /// The account's name, for examples.
    account: &'s str,
    pub(super) seen: Seen,
}

impl<'s> Shape<'s> {
    pub(super) fn new(root: &'s Value, account: &'s str) -> Self {
        Self { root, account, seen: Seen::default() }
    }

    /// Follows `$ref`; says whether the schema is that of a secret.
    fn resolve(&self, mut schema: &'s Value) -> (&'s Value, bool) {
        let mut is_secret = false;
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            is_secret |= reference.ends_with("/Secret");
            let Some(next) = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) else { break };
            schema = next;
        }
        (schema, is_secret)
    }

    /// Checks `value`, which stands at `path`.
    pub(super) fn check(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        schema: &'s Value,
        path: &str,
        findings: &mut Findings,
    ) {
        let (schema, is_secret) = self.resolve(schema);
        self.seen.spans.push((path.to_owned(), value.span()));
        if is_secret {
            self.secret(value, path, findings);
            return;
        }
        if let Some(variants) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
            self.any_of(value, variants, path, findings);
            return;
        }
        if let Some(names) = constants(schema) {
            one_of(value, &names, path, findings);
            return;
        }
        let types = types(schema);
        let fits = types.is_empty() || types.iter().any(|name| is_of(value.get_ref(), name));
        if !fits {
            let wants_text = types.contains(&"string");
            if let (true, Some(reference)) = (wants_text, secret::reference(value, path)) {
                self.seen.secrets.push(reference);
                return;
            }
            findings.wrong_type(last(path), wanted(&types), value);
            return;
        }
        match value.get_ref() {
            DeValue::Table(table) => self.table(value, table, schema, path, findings),
            DeValue::Array(list) => {
                let Some(items) = schema.get("items") else { return };
                for (i, item) in list.iter().enumerate() {
                    self.check(item, items, &format!("{path}.{i}"), findings);
                }
            }
            DeValue::Integer(written) => {
                let number = i128::from_str_radix(written.as_str(), written.radix()).unwrap_or(i128::MAX);
                let (least, most) = range(schema);
                if number < least || number > most {
                    let (lang, key) = (findings.lang, last(path));
                    let message =
                        fill!(lang, text::OUT_OF_RANGE, key = key, value = written, least = least, most = most);
                    findings.mistake(&value.span(), message);
                }
            }
            _ => {}
        }
    }

    /// The settings of an account, or a table within them.
    pub(super) fn table(
        &mut self,
        whole: &Spanned<DeValue<'_>>,
        table: &toml::de::DeTable<'_>,
        schema: &'s Value,
        path: &str,
        findings: &mut Findings,
    ) {
        let lang = findings.lang;
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut names: Vec<&str> = properties.map_or(&none, |p| p).keys().map(String::as_str).collect();
        if path.is_empty() {
            names.extend(OWN_KEYS);
            names.sort_unstable();
        }
        let additional = schema.get("additionalProperties");
        let mut misspelt = Vec::new();
        for (name, value) in table {
            let key = name.get_ref().as_ref();
            let at = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            // The account's own keys are not among the connector's settings.
            if path.is_empty() && OWN_KEYS.contains(&key) {
                continue;
            }
            match (properties.and_then(|p| p.get(key)), additional) {
                (Some(property), _) => self.check(value, property, &at, findings),
                (None, Some(Value::Bool(false))) => {
                    // It may be a secret under a wrong name.
                    findings.hidden.push(value.span());
                    misspelt.extend(milkrun_core::diagnostic::nearest(key, &names));
                    let message = if path.is_empty() {
                        fill!(lang, text::UNKNOWN_SETTING, key = key)
                    } else {
                        fill!(lang, text::UNKNOWN_KEY, key = key, section = format!("`{}`", generic(path)))
                    };
                    findings.mistake_with(&name.span(), message, suggest(lang, key, &names));
                }
                (None, Some(other @ Value::Object(_))) => self.check(value, other, &at, findings),
                (None, _) => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for key in required {
            let there = table.keys().any(|name| name.get_ref() == key);
            if !there && !misspelt.contains(&key) {
                let message = fill!(lang, text::MISSING_SETTING, key = key);
                let property = properties.and_then(|p| p.get(key));
                let about = property.and_then(|p| self.resolve_description(p)).unwrap_or_default();
                let line = self.example(key, property);
                let about = about.replace('\n', " ");
                let help = fill!(lang, text::ADD_LINE_ABOUT, line = line, about = about);
                findings.mistake_with(&whole.span(), message, help.trim_end());
            }
        }
    }

    fn resolve_description(&self, property: &'s Value) -> Option<&'s str> {
        let own = property.get("description").or_else(|| self.resolve(property).0.get("description"));
        // The first sentence is enough here.
        let text = own.and_then(Value::as_str)?;
        Some(text.split_inclusive(". ").next().unwrap_or(text).trim_end())
    }

    /// A good name for the variable that holds a secret.
    fn variable(&self, key: &str) -> String {
        format!("{}_{key}", self.account).to_uppercase().replace('-', "_")
    }

    /// A line that would set the setting.
    fn example(&self, key: &str, property: Option<&'s Value>) -> String {
        let Some((schema, is_secret)) = property.map(|p| self.resolve(p)) else { return format!("{key} = …") };
        if is_secret {
            return format!("{key} = {{ env = \"{}\" }}", self.variable(key));
        }
        match types(schema).first() {
            Some(&"integer") => format!("{key} = 1"),
            Some(&"array") => format!("{key} = […]"),
            Some(&"boolean") => format!("{key} = true"),
            _ => format!("{key} = \"…\""),
        }
    }

    fn secret(&mut self, value: &Spanned<DeValue<'_>>, path: &str, findings: &mut Findings) {
        let lang = findings.lang;
        if !matches!(value.get_ref(), DeValue::Table(_)) {
            findings.hidden.push(value.span());
        }
        match value.get_ref() {
            DeValue::String(_) => {
                self.seen.inline.push(path.to_owned());
                let message = fill!(lang, text::INLINE_SECRET, key = last(path));
                let help = fill!(lang, text::INLINE_SECRET_HELP, key = last(path), env = self.variable(last(path)));
                findings.warning(&value.span(), message, help);
            }
            DeValue::Table(_) => match secret::reference(value, path) {
                Some(reference) => self.seen.secrets.push(reference),
                None => secret::explain(value, path, findings),
            },
            _ => findings.wrong_type(last(path), text::A_SECRET, value),
        }
    }

    /// One of several shapes: the one that fits, or the mistakes of the one that is nearest.
    fn any_of(&mut self, value: &Spanned<DeValue<'_>>, variants: &'s [Value], path: &str, findings: &mut Findings) {
        let is_null = |schema: &&Value| types(schema) == ["null"];
        let real: Vec<&'s Value> = variants.iter().filter(|schema| !is_null(schema)).collect();
        if let [only] = real.as_slice() {
            self.seen.spans.pop();
            self.check(value, only, path, findings);
            return;
        }
        let names: Vec<_> = real.iter().filter_map(|schema| constants(self.resolve(schema).0)).collect();
        if names.len() == real.len() {
            one_of(value, &names.concat(), path, findings);
            return;
        }
        let mut best: Option<(Findings, Seen)> = None;
        for schema in &real {
            let mut tried = Self::new(self.root, self.account);
            let mut own = Findings::new(findings.lang);
            tried.check(value, schema, path, &mut own);
            if best.as_ref().is_none_or(|(b, _)| own.mistakes.len() < b.mistakes.len()) {
                best = Some((own, tried.seen));
            }
        }
        if let Some((own, seen)) = best {
            findings.mistakes.extend(own.mistakes);
            findings.warnings.extend(own.warnings);
            findings.hidden.extend(own.hidden);
            self.seen.inline.extend(seen.inline);
            self.seen.secrets.extend(seen.secrets);
            self.seen.spans.extend(seen.spans);
        }
    }
}

/// The texts a schema lists, if it lists texts.
fn constants(schema: &Value) -> Option<Vec<&str>> {
    if let Some(one) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![one]);
    }
    let listed = schema.get("enum")?.as_array()?;
    // A setting that may be left out lists null too.
    listed.iter().filter(|v| !v.is_null()).map(Value::as_str).collect()
}

fn one_of(value: &Spanned<DeValue<'_>>, names: &[&str], path: &str, findings: &mut Findings) {
    let lang = findings.lang;
    match value.get_ref() {
        DeValue::String(s) if names.contains(&s.as_ref()) => {}
        DeValue::String(s) => {
            let message = fill!(lang, text::NO_SUCH_CHOICE, key = last(path), value = s);
            findings.mistake_with(&value.span(), message, suggest(lang, s, names));
        }
        other => {
            let found = lang.say(type_name(other));
            let message =
                fill!(lang, text::WRONG_TYPE, key = last(path), wanted = lang.say(text::A_TEXT), found = found);
            findings.mistake_with(&value.span(), message, fill!(lang, text::KNOWN_ARE, names = names.join(", ")));
        }
    }
}

/// The schema's type or types.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of(value: &DeValue<'_>, name: &str) -> bool {
    match name {
        "string" => matches!(value, DeValue::String(_)),
        "integer" => matches!(value, DeValue::Integer(_)),
        "number" => matches!(value, DeValue::Integer(_) | DeValue::Float(_)),
        "boolean" => matches!(value, DeValue::Boolean(_)),
        "array" => matches!(value, DeValue::Array(_)),
        "object" => matches!(value, DeValue::Table(_)),
        _ => false,
    }
}

fn wanted(types: &[&str]) -> Text {
    match types.iter().find(|name| **name != "null") {
        Some(&"integer") => text::AN_INTEGER,
        Some(&"number") => text::A_NUMBER,
        Some(&"boolean") => text::A_BOOLEAN,
        Some(&"array") => text::A_LIST,
        Some(&"object") => text::A_TABLE,
        _ => text::A_TEXT,
    }
}

/// The least and the greatest integer, from the bounds and from the width that schemars names.
fn range(schema: &Value) -> (i128, i128) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64).map(i128::from);
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let (least, most) = match format {
        "uint8" => (0, i128::from(u8::MAX)),
        "uint16" => (0, i128::from(u16::MAX)),
        "uint32" => (0, i128::from(u32::MAX)),
        "int32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        "uint64" | "uint" => (0, i128::from(i64::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    (bound("minimum").unwrap_or(least), bound("maximum").unwrap_or(most))
}

/// The last name of a path, for messages.
fn last(path: &str) -> &str {
    path.rsplit('.').find(|part| !part.bytes().all(|b| b.is_ascii_digit())).unwrap_or(path)
}

/// A path with `[]` in place of its indexes.
fn generic(path: &str) -> String {
    let mut text = String::new();
    for part in path.split('.') {
        match part.bytes().all(|b| b.is_ascii_digit()) {
            true => text.push_str("[]"),
            false if text.is_empty() => text.push_str(part),
            false => {
                text.push('.');
                text.push_str(part);
            }
        }
    }
    text
}
