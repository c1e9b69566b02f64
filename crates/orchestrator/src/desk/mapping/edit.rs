//! Changes one rule of a flow's text as a person would: comments, order and form of everything else stay.

use milkrun_console::model::RuleText;
use milkrun_core::{Error, Result};
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::path::{Scope, Step, Steps};
use super::rules::scope;
use crate::text::{self, Lang, fill};

/// The text with another rule for one field of the target, or with none.
///
/// `keeps` says that a flow without rules is to keep all other fields: its target takes anything.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) says what keeps the change from being made.
pub(super) fn edit(text: &str, target: &str, rule: Option<&RuleText>, keeps: bool, lang: Lang) -> Result<String> {
    let change = Change { lang, rule, target };
    let steps = Steps::parse(target).ok_or_else(|| change.refuse(text::BAD_TARGET_PATH, text::TARGET_PATH_FORM))?;
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| {
        Error::config(fill!(lang, text::NOT_TOML, message = e.message())).advise(lang.say(text::MEND_TEXT_FIRST))
    })?;
    if rule.is_none() && document.get("mapping").and_then(|mapping| mapping.get("fields")).is_none() {
        return Ok(text.to_owned());
    }
    let root = document.as_table_mut();
    if !root.contains_key("mapping") {
        let mut table = Table::new();
        table.set_implicit(!keeps);
        root.insert("mapping", Item::Table(table));
    }
    let mapping = &mut root["mapping"];
    let scope = scope(mapping);
    let is_value = is_inline(mapping);
    let Some(table) = mapping.as_table_like_mut() else {
        return Err(change.refuse(text::FIELD_IS_TAKEN, text::FIELD_IS_TAKEN_HELP));
    };
    if table.contains_key("transform") {
        return Err(change.refuse(text::TRANSFORM_IS_WHOLE, text::TRANSFORM_IS_WHOLE_HELP));
    }
    if !table.contains_key("fields") {
        if keeps && !table.contains_key("keep") {
            table.insert("keep", toml_edit::value("all"));
        }
        table.insert("fields", if is_value { inline(InlineTable::new()) } else { Item::Table(Table::new()) });
    }
    if let Some(fields) = table.get_mut("fields") {
        change.put(fields, &steps.0, &scope)?;
    }
    Ok(document.to_string())
}

/// What is to be changed.
struct Change<'a> {
    lang: Lang,
    rule: Option<&'a RuleText>,
    target: &'a str,
}

impl Change<'_> {
    fn refuse(&self, what: text::Text, help: text::Text) -> Error {
        Error::config(fill!(self.lang, what, target = self.target)).advise(self.lang.say(help))
    }

    fn taken(&self) -> Error {
        self.refuse(text::FIELD_IS_TAKEN, text::FIELD_IS_TAKEN_HELP)
    }

    /// Changes the rule at `steps` below these fields.
    fn put(&self, item: &mut Item, steps: &[Step], scope: &Scope) -> Result<()> {
        let [head, below @ ..] = steps else { return Ok(()) };
        let is_value = is_inline(item);
        let fields = item.as_table_like_mut().ok_or_else(|| self.taken())?;
        if below.is_empty() {
            return self.leaf(fields, head, scope);
        }
        if !fields.contains_key(&head.name) {
            if self.rule.is_none() {
                return Ok(());
            }
            let made = self.parent(is_value, head, scope)?;
            match made {
                Item::Value(value) => append(fields, &head.name, value),
                made => drop(fields.insert(&head.name, made)),
            }
        }
        let Some(parent) = fields.get_mut(&head.name) else { return Err(self.taken()) };
        let is_value = is_inline(parent);
        let parent = parent.as_table_like_mut().ok_or_else(|| self.taken())?;
        let list = parent.get("each").and_then(Item::as_str).map(str::to_owned);
        let inner = match (&list, head.is_list) {
            (Some(list), true) => scope.of_elements(scope.absolute(list).ok_or_else(|| self.taken())?),
            (None, false) if !["from", "const", "expr"].iter().any(|key| parent.contains_key(key)) => scope.clone(),
            _ => return Err(self.taken()),
        };
        if !parent.contains_key("fields") {
            if self.rule.is_none() {
                return Ok(());
            }
            // An `each` that has a rule for its elements gives plain values.
            if parent.contains_key("from") || parent.contains_key("expr") {
                return Err(self.taken());
            }
            let new = if is_value { inline(InlineTable::new()) } else { dotted() };
            parent.insert("fields", new);
        }
        let Some(own) = parent.get_mut("fields") else { return Err(self.taken()) };
        self.put(own, below, &inner)?;
        // Without a field, a list or an object would be another rule.
        if self.rule.is_none() && own.as_table_like().is_some_and(TableLike::is_empty) {
            fields.remove(&head.name);
        }
        Ok(())
    }

    /// A list or an object that is not there yet, in the form in which its surroundings are written.
    fn parent(&self, is_value: bool, head: &Step, scope: &Scope) -> Result<Item> {
        let each = match (head.is_list, self.rule) {
            (false, _) => None,
            (true, Some(RuleText::From(from))) => {
                let path = Steps::parse(from).ok_or_else(|| self.refuse(text::BAD_SOURCE_PATH, text::PATH_FORM))?;
                let list = innermost_new_list(&path, scope);
                Some(list.ok_or_else(|| self.refuse(text::NO_LIST_KNOWN, text::NO_LIST_KNOWN_HELP))?)
            }
            (true, _) => return Err(self.refuse(text::NO_LIST_KNOWN, text::NO_LIST_KNOWN_HELP)),
        };
        let each = each.map(|list| scope.relative(&list));
        if is_value {
            let mut table = InlineTable::new();
            if let Some(each) = each {
                table.insert("each", each.into());
            }
            table.insert("fields", Value::InlineTable(InlineTable::new()));
            return Ok(inline(table));
        }
        let mut table = Table::new();
        if let Some(each) = each {
            table.insert("each", toml_edit::value(each));
        }
        table.insert("fields", dotted());
        Ok(Item::Table(table))
    }

    fn leaf(&self, fields: &mut dyn TableLike, head: &Step, scope: &Scope) -> Result<()> {
        let name = head.name.as_str();
        match self.rule {
            None => {
                fields.remove(name);
            }
            Some(RuleText::Toml(toml)) => {
                let value = self.value(toml)?;
                replace(fields, name, value);
            }
            Some(RuleText::From(from)) => {
                let path = Steps::parse(from).ok_or_else(|| self.refuse(text::BAD_SOURCE_PATH, text::PATH_FORM))?;
                match fields.get_mut(name).and_then(Item::as_table_like_mut) {
                    Some(rule) => self.draw(rule, &path, scope)?,
                    None if head.is_list => {
                        let list = innermost_new_list(&path, scope);
                        let list = list.ok_or_else(|| self.refuse(text::NO_LIST_KNOWN, text::NO_LIST_KNOWN_HELP))?;
                        let mut rule = InlineTable::new();
                        each_value(&mut rule, &list, &path, scope);
                        append(fields, name, Value::InlineTable(rule));
                    }
                    None => replace(fields, name, scope.relative(&path).into()),
                }
            }
        }
        Ok(())
    }

    /// Lets an existing rule of several keys read another field; the rest of it stays.
    fn draw(&self, rule: &mut dyn TableLike, path: &Steps, scope: &Scope) -> Result<()> {
        if rule.contains_key("each") {
            if rule.contains_key("fields") {
                replace(rule, "each", scope.relative(&path.clone().whole()).into());
            } else {
                let list = innermost_new_list(path, scope).unwrap_or_else(|| path.clone());
                each_value(rule, &list, path, scope);
            }
            return Ok(());
        }
        if rule.contains_key("fields") {
            return Err(self.taken());
        }
        rule.remove("const");
        // Alone, an expression says itself what it reads; beside `from` it is said of that value.
        if !rule.contains_key("from") {
            rule.remove("expr");
        }
        replace(rule, "from", scope.relative(path).into());
        Ok(())
    }

    /// A rule as it was written by hand.
    fn value(&self, toml: &str) -> Result<Value> {
        let wrong = |message: &str| {
            Error::config(fill!(self.lang, text::NOT_TOML, message = self.lang.retell(message)))
                .advise(self.lang.say(text::RULE_FORM))
        };
        let line = format!("rule = {}\n", toml.trim());
        let mut parsed: DocumentMut = line.parse().map_err(|e: toml_edit::TomlError| wrong(e.message()))?;
        if parsed.len() != 1 {
            return Err(wrong("one rule is wanted"));
        }
        let value = parsed.remove("rule").and_then(|item| item.into_value().ok());
        let mut value = value.ok_or_else(|| wrong("one rule is wanted"))?;
        value.decor_mut().clear();
        Ok(value)
    }
}

/// The list that a path goes into after the element that rules are about already.
fn innermost_new_list(path: &Steps, scope: &Scope) -> Option<Steps> {
    let start = if path.after(&scope.element).is_some() { scope.element.0.len() } else { 0 };
    let exploded = scope.explode.as_ref().map(|list| list.clone().elements());
    let start = match exploded.filter(|list| path.after(list).is_some()) {
        Some(list) => start.max(list.0.len()),
        None => start,
    };
    let n = path.0.iter().skip(start).position(|step| step.is_list)?;
    Some(Steps(path.0[..=start + n].to_vec()).whole())
}

/// A list of plain values: its path, and what is taken from each element.
fn each_value(rule: &mut dyn TableLike, list: &Steps, path: &Steps, scope: &Scope) {
    replace(rule, "each", scope.relative(list).into());
    match path.after(&list.clone().elements()).filter(|rest| !rest.0.is_empty()) {
        Some(_) => replace(rule, "from", scope.of_elements(list.clone()).relative(path).into()),
        None => {
            rule.remove("from");
        }
    }
}

/// Puts a value in the place of another one, with the blanks and comments around it.
fn replace(table: &mut dyn TableLike, name: &str, mut value: Value) {
    if let Some(Item::Value(old)) = table.get(name) {
        *value.decor_mut() = old.decor().clone();
    }
    if let Some(item @ Item::Value(_)) = table.get_mut(name) {
        *item = Item::Value(value);
        return;
    }
    // A table of its own is written elsewhere; the value stands among the others.
    table.remove(name);
    append(table, name, value);
}

/// Adds a value at the end; blanks before the end of a line's table stay there.
fn append(table: &mut dyn TableLike, name: &str, mut value: Value) {
    if let Some((_, Item::Value(last))) = table.iter_mut().last() {
        let suffix = last.decor().suffix().and_then(|suffix| suffix.as_str()).unwrap_or_default().to_owned();
        if !suffix.is_empty() && suffix.trim().is_empty() {
            last.decor_mut().set_suffix("");
            value.decor_mut().set_suffix(suffix);
        }
    }
    table.insert(name, Item::Value(value));
}

fn inline(table: InlineTable) -> Item {
    Item::Value(Value::InlineTable(table))
}

/// `fields.x = …`
fn dotted() -> Item {
    let mut table = Table::new();
    table.set_dotted(true);
    Item::Table(table)
}

/// Whether what is added to a table has to be a value of its line: only a table with a heading of its own may have
/// further headings below it.
fn is_inline(item: &Item) -> bool {
    item.is_value() || item.as_table().is_some_and(Table::is_dotted)
}
