//! Reads a TOML table and notes every mistake with its place.

use std::ops::Range;

use milkrun_core::diagnostic::Diagnostic;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::decimal::{Decimal, is_json_integer, is_json_number};
use crate::filter::Literal;
use crate::json::write_text;
use crate::keys::instead_of;
use crate::path::Path;

/// A TOML value and its place.
pub(crate) type Value<'i> = Spanned<DeValue<'i>>;

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(pub(crate) Vec<Diagnostic>);

impl Mistakes {
    pub(crate) fn add(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(Diagnostic::new(span, message).help(help));
    }

    pub(crate) fn note(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.0.push(Diagnostic::new(span, message));
    }

    /// Notes that a value is of the wrong kind.
    fn wrong_kind(&mut self, name: &str, expected: &str, value: &Value<'_>) {
        let found = kind(value.get_ref());
        self.note(value.span(), format!("`{name}` must be {expected}, not {found}"));
    }

    /// Notes a key that is not known here.
    pub(crate) fn unknown_key(&mut self, key: &Entry<'_, '_>, place: &str, known: &[&str]) {
        let help = instead_of(key.name, known);
        self.add(key.span.clone(), format!("{place} has no key `{}`", key.name), help);
    }

    pub(crate) fn text<'t>(&mut self, name: &str, value: &'t Value<'_>) -> Option<&'t str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_kind(name, "a text", value);
        }
        text
    }

    pub(crate) fn flag(&mut self, name: &str, value: &Value<'_>) -> Option<bool> {
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_kind(name, "true or false", value);
        }
        flag
    }

    pub(crate) fn table<'t, 'i>(&mut self, name: &str, value: &'t Value<'i>) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_kind(name, "a table", value);
        }
        table
    }

    /// A list, or one value in its stead.
    pub(crate) fn one_or_more<'t, 'i>(value: &'t Value<'i>) -> Vec<&'t Value<'i>> {
        value.get_ref().as_array().map_or_else(|| vec![value], |list| list.iter().collect())
    }

    pub(crate) fn list<'t, 'i>(&mut self, name: &str, value: &'t Value<'i>) -> Option<Vec<&'t Value<'i>>> {
        let list = value.get_ref().as_array();
        if list.is_none() {
            self.wrong_kind(name, "a list", value);
        }
        list.map(|list| list.iter().collect())
    }

    /// A whole number in `range`.
    pub(crate) fn count(&mut self, name: &str, value: &Value<'_>, range: Range<u32>) -> Option<u32> {
        let digits = value.get_ref().as_integer().filter(|n| n.radix() == 10);
        let count = digits.and_then(|n| n.as_str().parse().ok()).filter(|n| range.contains(n));
        if count.is_none() {
            let expected = format!("a whole number from {} to {}", range.start, range.end - 1);
            if digits.is_some() {
                self.note(value.span(), format!("`{name}` must be {expected}"));
            } else {
                self.wrong_kind(name, &expected, value);
            }
        }
        count
    }

    /// One of the words of `table`.
    pub(crate) fn word<T: Copy>(&mut self, name: &str, value: &Value<'_>, table: &[(&str, T)]) -> Option<T> {
        let word = self.text(name, value)?;
        let found = table.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
            self.add(value.span(), format!("`{name}` cannot be `{word}`"), instead_of(word, &known));
        }
        found
    }

    /// A path into the record; a mistake is noted at its very character.
    pub(crate) fn path(&mut self, name: &str, value: &Value<'_>) -> Option<(String, Path)> {
        let text = self.text(name, value)?;
        match Path::parse(text) {
            Ok(path) => Some((text.to_owned(), path)),
            Err(bad) => {
                let span = value.span();
                // Only a text without escapes has its characters at known places.
                let at = if span.len() == text.len() + 2 { span.start + 1 + bad.at } else { span.start };
                self.note(at..span.end, format!("`{text}` is not a path: {}", bad.message));
                None
            }
        }
    }

    /// A plain value to compare with.
    pub(crate) fn literal(&mut self, name: &str, value: &Value<'_>) -> Option<Literal> {
        let (text, number) = match value.get_ref() {
            DeValue::String(text) => (text.to_string(), false),
            DeValue::Boolean(flag) => (flag.to_string(), false),
            DeValue::Integer(_) | DeValue::Float(_) => (self.json(name, value)?, true),
            DeValue::Datetime(time) => (time.to_string(), false),
            DeValue::Array(_) | DeValue::Table(_) => {
                self.wrong_kind(name, "a text, a number, or true or false", value);
                return None;
            }
        };
        Some(Literal { text, number })
    }

    /// A number of any length as it was written, as a number or as a text.
    pub(crate) fn number(&mut self, name: &str, value: &Value<'_>) -> Option<String> {
        if !matches!(value.get_ref(), DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_)) {
            self.wrong_kind(name, "a number", value);
            return None;
        }
        let literal = self.literal(name, value)?;
        if Decimal::parse(&literal.text).is_none() {
            self.note(value.span(), format!("`{name}` must be a number, and `{}` is not", literal.text));
            return None;
        }
        Some(literal.text)
    }

    /// The value as JSON text; numbers keep every digit.
    pub(crate) fn json(&mut self, name: &str, value: &Value<'_>) -> Option<String> {
        let mut out = String::new();
        self.write_json(name, value, &mut out)?;
        Some(out)
    }

    fn write_json(&mut self, name: &str, value: &Value<'_>, out: &mut String) -> Option<()> {
        match value.get_ref() {
            DeValue::String(text) => write_text(out, text),
            DeValue::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
            DeValue::Datetime(time) => write_text(out, &time.to_string()),
            DeValue::Integer(number) => {
                let digits = number.as_str().trim_start_matches('+');
                if number.radix() == 10 && is_json_integer(digits) {
                    out.push_str(digits);
                } else {
                    let Ok(number) = u128::from_str_radix(digits, number.radix()) else {
                        self.note(value.span(), format!("`{name}` is a number that is too large for this notation"));
                        return None;
                    };
                    out.push_str(&number.to_string());
                }
            }
            DeValue::Float(number) => {
                let digits = number.as_str().trim_start_matches('+');
                if !is_json_number(digits) {
                    self.note(
                        value.span(),
                        format!("`{name}` must be a number that JSON knows, and `{digits}` is not"),
                    );
                    return None;
                }
                out.push_str(digits);
            }
            DeValue::Array(list) => {
                out.push('[');
                for (i, value) in list.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { "," });
                    self.write_json(name, value, out)?;
                }
                out.push(']');
            }
            DeValue::Table(table) => {
                out.push('{');
                for (i, entry) in entries(table).iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { "," });
                    write_text(out, entry.name);
                    out.push(':');
                    self.write_json(name, entry.value, out)?;
                }
                out.push('}');
            }
        }
        Some(())
    }
}

/// One key of a table with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'t, 'i> {
    pub(crate) name: &'t str,
    /// The place of the key.
    pub(crate) span: Range<usize>,
    pub(crate) value: &'t Value<'i>,
}

/// The keys of a table in the order of the text.
pub(crate) fn entries<'t, 'i>(table: &'t DeTable<'i>) -> Vec<Entry<'t, 'i>> {
    let entry = |(key, value): (&'t Spanned<_>, &'t Value<'i>)| Entry {
        name: AsRef::<str>::as_ref(key.get_ref() as &std::borrow::Cow<'i, str>),
        span: key.span(),
        value,
    };
    let mut all: Vec<Entry<'t, 'i>> = table.iter().map(entry).collect();
    all.sort_by_key(|e| e.span.start);
    all
}

/// What a TOML value is, with its article.
pub(crate) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A text that two tables share exactly if they say the same, whatever their blanks and comments.
pub(crate) fn canonical(table: &DeTable<'_>, out: &mut String) {
    canonical_without(table, "", out);
}

/// The same without one key, which has no part in what documents say.
pub(crate) fn canonical_without(table: &DeTable<'_>, left_out: &str, out: &mut String) {
    out.push('{');
    for entry in entries(table).iter().filter(|entry| entry.name != left_out) {
        write_text(out, entry.name);
        out.push('=');
        canonical_value(entry.value.get_ref(), out);
        out.push(';');
    }
    out.push('}');
}

fn canonical_value(value: &DeValue<'_>, out: &mut String) {
    match value {
        DeValue::String(text) => write_text(out, text),
        DeValue::Integer(number) => out.push_str(&number.to_string()),
        DeValue::Float(number) => out.push_str(number.as_str()),
        DeValue::Boolean(flag) => out.push_str(&flag.to_string()),
        DeValue::Datetime(time) => out.push_str(&time.to_string()),
        DeValue::Array(list) => {
            out.push('[');
            for value in list {
                canonical_value(value.get_ref(), out);
                out.push(',');
            }
            out.push(']');
        }
        DeValue::Table(table) => canonical(table, out),
    }
}
