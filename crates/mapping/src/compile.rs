//! Compiles `[mapping]`: which documents there are, which fields they have, and where paths begin.

use milkrun_core::stream::UnitKind;
use toml::de::DeTable;

use crate::checks::Checks;
use crate::filter::Condition;
use crate::identity::IdRule;
use crate::json::write_text;
use crate::keys::{MAPPING, meant};
use crate::layout::Wanted;
use crate::mapping::Options;
use crate::path::{Path, Start, Step};
use crate::reader::{Entry, Mistakes, Value, entries};
use crate::rule::{Body, Fate, Field, Place, Source};

/// A mapping's parts.
pub(crate) struct Compiled {
    pub(crate) body: Body,
    pub(crate) filter: Option<Condition>,
    pub(crate) explode: Option<Source>,
    pub(crate) checks: Checks,
    pub(crate) id: Option<IdRule>,
}

/// What is gathered while a mapping is compiled.
pub(crate) struct Compiler<'o> {
    pub(crate) options: &'o Options<'o>,
    pub(crate) mistakes: Mistakes,
    pub(crate) warnings: Mistakes,
    pub(crate) scopes: Vec<Wanted>,
    /// What the stream's units added to the rules; part of their version.
    pub(crate) implied: String,
    /// The path of the list that `explode` names.
    pub(crate) explode: Option<Vec<Step>>,
    /// The field that an id is filled into.
    pub(crate) id_field: Option<String>,
    /// Whether any rule has an expression.
    pub(crate) has_expressions: bool,
}

/// Where a rule stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Here {
    /// The scope of the innermost `each`; `None` at the top.
    pub(crate) scope: Option<usize>,
    /// The path of that element in the record.
    pub(crate) prefix: Vec<Step>,
}

impl<'o> Compiler<'o> {
    pub(crate) fn new(options: &'o Options<'o>) -> Self {
        Self {
            options,
            mistakes: Mistakes::default(),
            warnings: Mistakes::default(),
            scopes: vec![Wanted::default()],
            implied: String::new(),
            explode: None,
            id_field: None,
            has_expressions: false,
        }
    }

    /// Compiles the whole table; `None` only if a mistake was noted.
    pub(crate) fn mapping(&mut self, table: &DeTable<'_>) -> Option<Compiled> {
        let all = entries(table);
        let get = |name: &str| all.iter().find(|e| e.name == name);
        let checks = self.checks(get("checks"));
        let id = get("id").map(|e| self.id(e));
        self.id_field = id.as_ref().and_then(Option::as_ref).filter(|id| id.fill.is_some()).map(|id| id.field.clone());
        let documents = self.documents(&all);
        if let (Some((body, ..)), Some(fields)) = (&documents, get("fields")) {
            self.warn_of_unwritten(body, fields);
        }
        let (body, filter, explode) = documents?;
        let id = id.map_or(Some(None), |id| id.map(Some))?;
        Some(Compiled { body, filter, explode, checks: checks?, id })
    }

    /// Which documents there are.
    fn documents(&mut self, all: &[Entry<'_, '_>]) -> Option<(Body, Option<Condition>, Option<Source>)> {
        for entry in all.iter().filter(|e| !MAPPING.contains(&e.name)) {
            if meant(entry.name, MAPPING).is_some() {
                self.mistakes.unknown_key(entry, "`[mapping]`", MAPPING);
                continue;
            }
            let help = format!("a field is written under `[mapping.fields]`; known here: {}", MAPPING.join(", "));
            self.mistakes.add(entry.span.clone(), format!("`[mapping]` has no key `{}`", entry.name), help);
        }
        let get = |name: &str| all.iter().find(|e| e.name == name);
        let top = Here::default();
        let explode = get("explode").map(|e| self.explode(e.value));
        let filter = get("filter").map(|e| self.filter(e.value, &top));
        let keep_all = get("keep").map(|e| self.mistakes.word("keep", e.value, &[("all", ())]));
        let drop = get("drop").map(|e| (e, self.names(e.value)));
        let fields = get("fields").map(|e| (e, self.fields(e, &top)));
        let transform = get("transform").map(|e| (e, self.transform(e, all)));
        if let (Some((entry, _)), Some(_), None) = (&drop, &fields, &keep_all) {
            let message = "without `keep = \"all\"` only the listed fields are written, so nothing can be dropped";
            self.mistakes.add(entry.span.clone(), message, "add `keep = \"all\"`, or remove `drop`");
        }
        let lists = all.iter().any(|e| matches!(e.name, "keep" | "drop" | "fields" | "explode"));
        let dropped = drop.map_or(Some(Vec::new()), |(_, names)| names)?;
        if let Some((_, expr)) = transform {
            let filter = filter.map_or(Some(None), |f| f.map(Some))?;
            return Some((Body::Transform(Box::new(expr?)), filter, None));
        }
        let body = match (keep_all, fields) {
            (None, Some((_, fields))) => Body::Fields(fields?),
            (None, None) if !lists => Body::AsCame,
            (_, fields) => {
                let fields = fields.map_or(Some(Vec::new()), |(_, fields)| fields)?;
                self.keep_all(fields, &dropped, get("explode"))
            }
        };
        let filter = filter.map_or(Some(None), |f| f.map(Some))?;
        let explode = explode.map_or(Some(None), |e| e.map(Some))?;
        Some((body, filter, explode))
    }

    /// The list that gives one document for each element.
    fn explode(&mut self, value: &Value<'_>) -> Option<Source> {
        let (written, path) = self.mistakes.path("explode", value)?;
        if path.steps.is_empty() || path.steps.iter().any(|s| !matches!(s, Step::Name(_))) {
            let message = "`explode` needs the path of a list, made of names only";
            self.mistakes.add(value.span(), message, "for example `explode = \"orders\"`");
            return None;
        }
        let source = self.source(written, &path, &Here::default());
        self.scopes.push(Wanted::default());
        self.explode = Some(path.steps);
        Some(source)
    }

    fn names(&mut self, value: &Value<'_>) -> Option<Vec<String>> {
        let list = self.mistakes.list("drop", value)?;
        list.into_iter().map(|name| self.mistakes.text("drop", name).map(str::to_owned)).collect()
    }

    /// All fields of the record with `fields` on top.
    fn keep_all(&mut self, fields: Vec<Field>, dropped: &[String], explode: Option<&Entry<'_, '_>>) -> Body {
        let mut fate = Vec::new();
        let mut decide = |slot: u16, what: Fate| {
            let slot = usize::from(slot);
            fate.resize(fate.len().max(slot + 1), Fate::Copied);
            fate[slot] = what;
        };
        for name in dropped {
            decide(self.scopes[0].slot(name), Fate::Dropped);
        }
        if let (Some(steps), Some(entry)) = (&self.explode, explode) {
            match steps.as_slice() {
                [Step::Name(name)] => decide(self.scopes[0].slot(name), Fate::Element),
                _ => self.mistakes.add(
                    entry.value.span(),
                    "when all fields are kept, the exploded list has to be a field of the record itself",
                    "list the fields one by one, without `keep = \"all\"`",
                ),
            }
        }
        let own: Vec<u16> = fields.iter().map(|field| self.scopes[0].slot(&field.name)).collect();
        for (number, &slot) in own.iter().enumerate() {
            decide(slot, Fate::Replaced(number));
        }
        Body::KeepAll { fields, own, fate }
    }

    /// The rules of a `fields` table, in the order of the text.
    pub(crate) fn fields(&mut self, entry: &Entry<'_, '_>, here: &Here) -> Option<Vec<Field>> {
        let table = self.mistakes.table("fields", entry.value)?;
        let all = entries(table);
        if all.is_empty() {
            let help = "write one line for each field, for example `vendor_code = \"supplierCode\"`";
            self.mistakes.add(entry.span.clone(), "`fields` lists no field", help);
        }
        let fields = all.iter().map(|entry| {
            let mut key = String::new();
            write_text(&mut key, entry.name);
            key.push(':');
            let node = self.rule(entry, here)?;
            Some(Field { name: entry.name.to_owned(), key, node })
        });
        // Every rule is looked at, so that every mistake is found.
        fields.collect::<Vec<_>>().into_iter().collect()
    }

    /// Finds out what a path means for a rule that stands `here`.
    pub(crate) fn source(&mut self, written: String, path: &Path, here: &Here) -> Source {
        let exploded = self.in_exploded(path, here);
        let (place, scope, steps) = match (exploded, here.scope, path.start) {
            (Some(rest), ..) => (Place::Exploded, 1, rest),
            (None, Some(scope), Start::Here) => (Place::Element, scope, path.steps.clone()),
            _ => (Place::Record, 0, path.steps.clone()),
        };
        let wanted = &mut self.scopes[scope];
        let (slot, rest) = match steps.split_first() {
            Some((Step::Name(name), rest)) => (Some(wanted.slot(name)), rest.to_vec()),
            _ => (None, steps),
        };
        // A field of the whole name comes before a path, as `Record::at` has it.
        let whole = path.as_one_name().filter(|_| place != Place::Exploded).map(|name| wanted.slot(&name));
        Source { place, scope, whole, slot, rest, written }
    }

    /// The steps inside the exploded element, if the path leads into it.
    fn in_exploded(&self, path: &Path, here: &Here) -> Option<Vec<Step>> {
        if here.scope.is_some() && path.start == Start::Here {
            return None;
        }
        let rest = path.steps.strip_prefix(self.explode.as_deref()?)?;
        (!matches!(rest.first(), Some(Step::Index(_)))).then(|| rest.to_vec())
    }

    /// The path from the record's root, with `[*]` for the elements on the way.
    pub(crate) fn absolute(&self, path: &Path, here: &Here) -> Vec<Step> {
        let mut steps = if let Some(mut rest) = self.in_exploded(path, here) {
            let mut steps = self.explode.clone().unwrap_or_default();
            steps.push(Step::Every);
            steps.append(&mut rest);
            return steps;
        } else if path.start == Start::Here {
            here.prefix.clone()
        } else {
            Vec::new()
        };
        steps.extend(path.steps.iter().cloned());
        steps
    }

    /// What the stream says about the field at that path.
    pub(crate) fn unit_of(&self, absolute: &[Step]) -> Option<UnitKind> {
        let same = |(unit, step): (&Step, &Step)| match unit {
            Step::Every => matches!(step, Step::Every | Step::Index(_)),
            unit => unit == step,
        };
        let meets = |path: &str| {
            let steps = Path::of_unit(path);
            steps.len() == absolute.len() && steps.iter().zip(absolute).all(same)
        };
        self.options.units.iter().find(|u| meets(&u.path)).map(|u| u.unit)
    }
}
