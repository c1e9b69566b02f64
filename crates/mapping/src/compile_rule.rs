//! Compiles one rule: a path, or a table of rule keys.

use std::ops::Range;

use milkrun_core::stream::UnitKind;
use toml::de::DeTable;

use crate::compile::{Compiler, Here};
use crate::keys::{NULLS, RULE, meant, needs};
use crate::layout::Wanted;
use crate::path::{Path, Step};
use crate::reader::{Entry, Mistakes, Value, entries, kind};
use crate::rule::{self, Absent, Computed, Convert, Each, Node, Source};

/// The keys of a rule, and which of them have had their say.
pub(crate) struct Keys<'t, 'i> {
    pub(crate) all: Vec<(Entry<'t, 'i>, bool)>,
}

impl<'t, 'i> Keys<'t, 'i> {
    pub(crate) fn take(&mut self, name: &str) -> Option<&'t Value<'i>> {
        let (entry, used) = self.all.iter_mut().find(|(e, _)| e.name == name)?;
        *used = true;
        Some(entry.value)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&Entry<'t, 'i>> {
        self.all.iter().map(|(e, _)| e).find(|e| e.name == name)
    }
}

/// The paths of a rule, and what the stream says about them.
pub(crate) struct From {
    pub(crate) sources: Vec<Source>,
    pub(crate) units: Vec<KnownUnit>,
}

/// What a field is measured in, its path as it was written, and where.
#[derive(Clone, Debug)]
pub(crate) struct KnownUnit {
    pub(crate) unit: UnitKind,
    pub(crate) path: String,
    pub(crate) span: Range<usize>,
}

impl Compiler<'_> {
    /// The rule of one field.
    pub(crate) fn rule(&mut self, entry: &Entry<'_, '_>, here: &Here) -> Option<Node> {
        if let Some(table) = entry.value.get_ref().as_table() {
            return self.rule_table(entry, table, here);
        }
        if entry.value.get_ref().is_str() {
            let from = self.from(&[entry.value], here)?;
            return Some(Node::Value(Box::new(plain(from.sources))));
        }
        let found = kind(entry.value.get_ref());
        let message = format!("the rule of `{}` must be a path or a table, not {found}", entry.name);
        let help = if found == "a list" { "{ from = […] }" } else { "{ const = … }" };
        self.mistakes.add(entry.value.span(), message, format!("write `{} = {help}`", entry.name));
        None
    }

    fn rule_table(&mut self, entry: &Entry<'_, '_>, table: &DeTable<'_>, here: &Here) -> Option<Node> {
        let all = entries(table);
        let none_known = !all.iter().any(|e| RULE.contains(&e.name));
        let all_known = all.iter().all(|e| RULE.contains(&e.name));
        for key in all.iter().filter(|e| !RULE.contains(&e.name)) {
            let place = format!("the rule of `{}`", entry.name);
            if none_known && meant(key.name, RULE).is_none() {
                let help = format!("a field of an object of its own is written `{}.fields.{}`", entry.name, key.name);
                self.mistakes.add(key.span.clone(), format!("{place} has no key `{}`", key.name), help);
            } else {
                self.mistakes.unknown_key(key, &place, RULE);
            }
        }
        let known = all.iter().filter(|e| RULE.contains(&e.name));
        let mut keys = Keys { all: known.map(|e| (e.clone(), false)).collect() };
        let node = if let Some(value) = keys.take("const") {
            self.mistakes.json("const", value).map(Node::Const)
        } else if let Some(list) = keys.take("each") {
            self.each(list, &mut keys, here)
        } else if keys.take("fields").is_some() {
            let fields = keys.entry("fields").cloned()?;
            self.fields(&fields, here).map(Node::Object)
        } else if let Some(expr) = keys.take("expr") {
            self.computed(expr, &mut keys, here)
        } else if let Some(from) = keys.take("from") {
            let from = self.from(&Mistakes::one_or_more(from), here);
            self.value(from, &mut keys).map(|value| Node::Value(Box::new(value)))
        } else {
            // A key that is not known may be the one that is missing.
            if all_known {
                let message = format!("the rule of `{}` does not say where the value comes from", entry.name);
                self.mistakes.add(
                    entry.span.clone(),
                    message,
                    "add `from`, `const`, `expr`, `fields`, or `each` with `fields`",
                );
            }
            return None;
        };
        self.leftovers(&keys);
        node
    }

    /// Notes the keys that had no say.
    fn leftovers(&mut self, keys: &Keys<'_, '_>) {
        let constant = keys.entry("const").is_some();
        for (entry, _) in keys.all.iter().filter(|(_, used)| !used) {
            let help = if constant { "a constant is written as it is" } else { needs(entry.name) };
            self.mistakes.add(entry.span.clone(), format!("`{}` has no effect here", entry.name), help);
        }
    }

    fn each(&mut self, list: &Value<'_>, keys: &mut Keys<'_, '_>, here: &Here) -> Option<Node> {
        let read = self.mistakes.path("each", list);
        let is_path = read.is_some();
        let (written, path) = read.unwrap_or_else(|| ("@".to_owned(), Path::itself()));
        let list = self.source(written, &path, here);
        let mut prefix = self.absolute(&path, here);
        prefix.push(Step::Every);
        self.scopes.push(Wanted::default());
        let scope = self.scopes.len() - 1;
        let inside = Here { scope: Some(scope), prefix };
        let filter = keys.take("filter").map(|f| self.filter(f, &inside));
        let (body, absent) = if keys.take("fields").is_some() {
            let fields = keys.entry("fields").cloned().and_then(|fields| self.fields(&fields, &inside));
            let absent = self.absent(keys);
            (fields.map(Node::Object), absent)
        } else if let Some(expr) = keys.take("expr") {
            (self.computed(expr, keys, &inside), Absent::default())
        } else {
            let from = if let Some(from) = keys.take("from") {
                self.from(&Mistakes::one_or_more(from), &inside)
            } else {
                let source = self.source("@".to_owned(), &Path::itself(), &inside);
                Some(From { sources: vec![source], units: Vec::new() })
            };
            let value = self.value(from, keys);
            (value.map(|value| Node::Value(Box::new(value))), Absent::default())
        };
        let filter = filter.map_or(Some(None), |f| f.map(Some))?;
        is_path.then_some(())?;
        Some(Node::Each(Box::new(Each { list, scope, filter, body: body?, absent })))
    }

    fn from(&mut self, paths: &[&Value<'_>], here: &Here) -> Option<From> {
        let mut from = From { sources: Vec::new(), units: Vec::new() };
        for value in paths {
            let (written, path) = self.mistakes.path("from", value)?;
            if let Some(unit) = self.unit_of(&self.absolute(&path, here)) {
                from.units.push(KnownUnit { unit, path: written.clone(), span: value.span() });
            }
            from.sources.push(self.source(written, &path, here));
        }
        Some(from)
    }

    /// A value that an expression makes, of what `from` names or of the record or element.
    fn computed(&mut self, expr: &Value<'_>, keys: &mut Keys<'_, '_>, here: &Here) -> Option<Node> {
        let given = keys.take("from").map(|paths| {
            let list = Mistakes::one_or_more(paths);
            let of_first = list.first().and_then(|first| Path::parse(first.get_ref().as_str()?).ok());
            (self.from(&list, here), of_first.map(|path| self.absolute(&path, here)))
        });
        let (from, steps) = given.unwrap_or_else(|| (Some(From { sources: Vec::new(), units: Vec::new() }), None));
        let expr = self.expr("expr", expr, here, steps.as_deref());
        let value = self.value(from, keys);
        let in_element = here.scope.is_some();
        Some(Node::Computed(Box::new(Computed { expr: expr?, value: value?, in_element })))
    }

    pub(crate) fn flag(&mut self, name: &str, keys: &mut Keys<'_, '_>) -> bool {
        keys.take(name).and_then(|value| self.mistakes.flag(name, value)).unwrap_or(false)
    }

    pub(crate) fn absent(&mut self, keys: &mut Keys<'_, '_>) -> Absent {
        let default = keys.take("default").and_then(|d| self.mistakes.json("default", d));
        let required = self.flag("required", keys);
        let null = keys.take("null").and_then(|n| self.mistakes.word("null", n, NULLS));
        if let (Some(entry), true) = (keys.entry("null"), default.is_some() || required) {
            let beside = if required { "required" } else { "default" };
            self.mistakes.note(entry.span.clone(), format!("`null` has no effect beside `{beside}`"));
        }
        Absent { default, required, null }
    }
}

/// A rule that copies the first of its sources.
pub(crate) fn plain(from: Vec<Source>) -> rule::Value {
    let plain = from.len() == 1;
    rule::Value {
        from,
        trim: false,
        none: Vec::new(),
        values: None,
        absent: Absent::default(),
        required: false,
        convert: Convert::AsCame,
        shape: None,
        plain,
    }
}
