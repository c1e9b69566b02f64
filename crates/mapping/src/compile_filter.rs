//! Compiles `filter`: conditions, all of which must hold.

use toml::de::DeValue;

use crate::compile::{Compiler, Here};
use crate::filter::{Bound, Condition, Test};
use crate::keys::CONDITION;
use crate::reader::{Entry, Mistakes, Value, entries, kind};

impl Compiler<'_> {
    /// A list of conditions, or a single one.
    pub(crate) fn filter(&mut self, value: &Value<'_>, here: &Here) -> Option<Condition> {
        match value.get_ref() {
            DeValue::Array(_) | DeValue::Table(_) => self.conditions("filter", value, here).map(Condition::All),
            _ => {
                let help = "for example `filter = [ { field = \"status\", is = \"paid\" } ]`";
                self.mistakes.add(value.span(), "`filter` must be a list of conditions", help);
                None
            }
        }
    }

    fn conditions(&mut self, name: &str, value: &Value<'_>, here: &Here) -> Option<Vec<Condition>> {
        let list = Mistakes::one_or_more(value);
        if list.is_empty() {
            self.mistakes.note(value.span(), format!("`{name}` lists no condition"));
        }
        let compiled: Vec<_> = list.into_iter().map(|one| self.condition(one, here)).collect();
        compiled.into_iter().collect()
    }

    fn condition(&mut self, value: &Value<'_>, here: &Here) -> Option<Condition> {
        let Some(table) = value.get_ref().as_table() else {
            let message = format!("a condition must be a table, not {}", kind(value.get_ref()));
            self.mistakes.add(value.span(), message, "for example `{ field = \"status\", is = \"paid\" }`");
            return None;
        };
        let all = entries(table);
        for entry in &all {
            if !CONDITION.contains(&entry.name) {
                self.mistakes.unknown_key(entry, "a condition", CONDITION);
            }
        }
        if let Some(group) = all.iter().find(|e| matches!(e.name, "any" | "all" | "expr")) {
            for entry in all.iter().filter(|e| e.name != group.name && CONDITION.contains(&e.name)) {
                let message = format!("`{}` cannot stand beside `{}`", entry.name, group.name);
                self.mistakes.add(entry.span.clone(), message, "make it a condition of its own");
            }
            if group.name == "expr" {
                let text = self.mistakes.text("expr", group.value)?;
                let needs_element = text.contains("$element");
                let expr = Box::new(self.expr("expr", group.value, here, None)?);
                return Some(Condition::Expr { expr, in_element: here.scope.is_some(), needs_element });
            }
            let parts = self.conditions(group.name, group.value, here)?;
            return Some(if group.name == "any" { Condition::Any(parts) } else { Condition::All(parts) });
        }
        let all_known = all.iter().all(|e| CONDITION.contains(&e.name));
        let Some(field) = all.iter().find(|e| e.name == "field") else {
            // A key that is not known may be the one that is missing.
            if all_known {
                let help = "for example `{ field = \"status\", is = \"paid\" }`";
                self.mistakes.add(value.span(), "the condition names no `field`", help);
            }
            return None;
        };
        let tests: Vec<&Entry<'_, '_>> =
            all.iter().filter(|e| e.name != "field" && CONDITION.contains(&e.name)).collect();
        if tests.is_empty() && all_known {
            let help = format!("known: {}", CONDITION[1..11].join(", "));
            self.mistakes.add(value.span(), "the condition says nothing about its `field`", help);
        }
        let tests: Vec<_> = tests.into_iter().map(|entry| self.test(entry)).collect();
        let (written, path) = self.mistakes.path("field", field.value)?;
        let source = self.source(written, &path, here);
        Some(Condition::Field { source, tests: tests.into_iter().collect::<Option<_>>()? })
    }

    fn test(&mut self, entry: &Entry<'_, '_>) -> Option<Test> {
        let Entry { name, value, .. } = *entry;
        let mistakes = &mut self.mistakes;
        Some(match name {
            "is" => Test::OneOf(vec![mistakes.literal(name, value)?], true),
            "is_not" => Test::OneOf(vec![mistakes.literal(name, value)?], false),
            "one_of" | "not_one_of" => {
                let list = mistakes.list(name, value)?;
                let literals = list.into_iter().map(|one| mistakes.literal(name, one)).collect::<Option<_>>()?;
                Test::OneOf(literals, name == "one_of")
            }
            "at_least" => Test::Compare(Bound::AtLeast, mistakes.number(name, value)?),
            "at_most" => Test::Compare(Bound::AtMost, mistakes.number(name, value)?),
            "more_than" => Test::Compare(Bound::MoreThan, mistakes.number(name, value)?),
            "less_than" => Test::Compare(Bound::LessThan, mistakes.number(name, value)?),
            "contains" => Test::Contains(mistakes.text(name, value)?.to_owned()),
            "missing" => Test::Missing(mistakes.flag(name, value)?),
            _ => return None,
        })
    }
}
