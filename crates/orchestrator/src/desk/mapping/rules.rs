//! The rules of a mapping as they are written: which field each fills, from what, and on which line.

use milkrun_console::model::Rule;
use toml_edit::{Document, Item, TableLike, Value};

use super::expression;
use super::path::{Scope, Steps};

/// The rules in a flow's text, in its order; none if it cannot be read.
///
/// `is_field` says whether the source has a field: what an expression reads is only guessed from its text.
pub(super) fn read(text: &str, is_field: &dyn Fn(&Steps) -> bool) -> Vec<Rule> {
    let Ok(document) = Document::parse(text) else { return Vec::new() };
    let Some(mapping) = document.as_item().get("mapping") else { return Vec::new() };
    let Some(fields) = mapping.get("fields").and_then(Item::as_table_like) else { return Vec::new() };
    let mut reading = Reading { text, is_field, rules: Vec::new() };
    reading.fields(fields, &Steps::default(), &scope(mapping));
    reading.rules.sort_by_key(|rule| rule.line);
    reading.rules
}

/// What the paths of a mapping's fields are relative to.
pub(super) fn scope(mapping: &Item) -> Scope {
    let explode = mapping.get("explode").and_then(Item::as_str).and_then(Steps::parse);
    Scope { explode, element: Steps::default() }
}

struct Reading<'a> {
    text: &'a str,
    is_field: &'a dyn Fn(&Steps) -> bool,
    rules: Vec<Rule>,
}

impl Reading<'_> {
    fn fields(&mut self, fields: &dyn TableLike, place: &Steps, scope: &Scope) {
        for (name, item) in fields.iter() {
            let key = fields.key(name).and_then(toml_edit::Key::span);
            let line = key.or(item.span()).map_or(1, |span| self.line(span.start));
            self.rule(name, item, place, scope, line);
        }
    }

    fn rule(&mut self, name: &str, item: &Item, place: &Steps, scope: &Scope, line: u32) {
        let path = |text: &str| scope.absolute(text);
        let mut add = |target: &Steps, from: Vec<Steps>, kind: &str, toml: String| {
            let mut from: Vec<String> = from.iter().map(ToString::to_string).filter(|path| !path.is_empty()).collect();
            from.dedup();
            self.rules.push(Rule { target: target.to_string(), from, kind: kind.to_owned(), toml, line });
        };
        let target = place.and(name, false);
        if let Some(text) = item.as_str() {
            add(&target, path(text).into_iter().collect(), "from", written(item));
            return;
        }
        let Some(rule) = item.as_table_like() else { return };
        let text_of = |key: &str| rule.get(key).and_then(Item::as_str);
        let from = |scope: &Scope| match rule.get("from") {
            Some(Item::Value(Value::Array(list))) => {
                list.iter().filter_map(|value| scope.absolute(value.as_str()?)).collect::<Vec<_>>()
            }
            Some(item) => item.as_str().and_then(|text| scope.absolute(text)).into_iter().collect(),
            None => Vec::new(),
        };
        let fields = rule.get("fields").and_then(Item::as_table_like);
        if let Some(list) = text_of("each") {
            let Some(list) = path(list) else { return };
            let elements = scope.of_elements(list.clone());
            if let Some(fields) = fields {
                add(&target, vec![list], "each", written(item));
                self.fields(fields, &target.elements(), &elements);
            } else {
                let mut read = vec![list];
                read.extend(from(&elements));
                add(&target, read, "each", written(item));
            }
        } else if let Some(fields) = fields {
            add(&target, Vec::new(), "fields", written(item));
            self.fields(fields, &target, scope);
        } else if let Some(text) = text_of("expr") {
            let mut read = from(scope);
            // Beside `from`, what the expression says of `.` is said of that value.
            if read.is_empty() {
                let guessed = expression::paths(text).into_iter().filter_map(|path| scope.absolute(&path));
                read.extend(guessed.filter(|path| (self.is_field)(path)));
            }
            add(&target, read, "expr", written(item));
        } else if rule.get("const").is_some() {
            add(&target, Vec::new(), "const", written(item));
        } else {
            add(&target, from(scope), "from", written(item));
        }
    }

    fn line(&self, at: usize) -> u32 {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        u32::try_from(before.split(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
    }
}

/// A rule as it would be written on one line, without the rules of the fields below it.
fn written(item: &Item) -> String {
    let Some(table) = item.as_table_like() else { return item.to_string().trim().to_owned() };
    let mut line = toml_edit::InlineTable::new();
    for (key, item) in table.iter().filter(|(key, _)| *key != "fields") {
        if let Ok(mut value) = item.clone().into_value() {
            value.decor_mut().clear();
            line.insert(key, value);
        }
    }
    line.to_string()
}
