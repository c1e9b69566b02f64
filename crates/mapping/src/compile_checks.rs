//! Compiles `[mapping.checks]` and `[mapping.id]`: what is asked of documents before they are sent.

use milkrun_core::{FieldKind, FieldSpec};
use toml::de::DeTable;

use crate::checks::{Checks, Part, parts};
use crate::compile::Compiler;
use crate::identity::{IdRule, Identity};
use crate::keys::{CHECK, ID, KINDS, MISSING_ID};
use crate::reader::{Entry, entries};
use crate::rule::{Body, Field, Node};

/// The longest text and the most decimals that can be asked for.
const LONGEST: u32 = 10_000_000;
const MOST_DECIMALS: u32 = 100;

impl Compiler<'_> {
    /// The checks of the target and of the flow.
    pub(crate) fn checks(&mut self, entry: Option<&Entry<'_, '_>>) -> Option<Checks> {
        let mut fields = self.options.fields.to_vec();
        if let Some(entry) = entry {
            let table = self.mistakes.table("checks", entry.value)?;
            let own: Vec<_> = entries(table).iter().map(|entry| self.check(entry)).collect();
            fields.extend(own.into_iter().collect::<Option<Vec<_>>>()?);
        }
        // The flow's paths were looked at, so that a wrong one is the target's.
        match Checks::new(&fields) {
            Ok(checks) => Some(checks),
            Err(message) => {
                self.mistakes.note(entry.map_or(0..0, |e| e.span.clone()), message);
                None
            }
        }
    }

    fn check(&mut self, entry: &Entry<'_, '_>) -> Option<FieldSpec> {
        let mut field = FieldSpec::new(entry.name, FieldKind::Any, milkrun_core::stream::Title::default());
        if parts(entry.name).is_none() {
            let message = format!("`{}` is not the path of a document's field", entry.name);
            self.mistakes.add(entry.span.clone(), message, "for example `\"lines[*].qty\"`");
            return None;
        }
        let table: &DeTable<'_> = self.mistakes.table(entry.name, entry.value)?;
        let all = entries(table);
        let n_before = self.mistakes.0.len();
        for Entry { name, span, value } in &all {
            match *name {
                "kind" => field.kind = self.mistakes.word("kind", value, KINDS).unwrap_or_default(),
                "required" => field.required = self.mistakes.flag("required", value).unwrap_or_default(),
                "max_chars" => field.max_chars = self.mistakes.count("max_chars", value, 1..LONGEST + 1),
                "scale" => field.scale = self.mistakes.count("scale", value, 0..MOST_DECIMALS + 1),
                "one_of" => {
                    let list = self.mistakes.list("one_of", value).unwrap_or_default();
                    let words = list.into_iter().filter_map(|one| self.mistakes.literal("one_of", one));
                    field.one_of = words.map(|word| word.text).collect();
                }
                _ => {
                    let key = Entry { name, span: span.clone(), value };
                    self.mistakes.unknown_key(&key, &format!("the check of `{}`", entry.name), CHECK);
                }
            }
        }
        if all.is_empty() {
            self.mistakes.add(entry.span.clone(), "the check asks for nothing", "for example `{ required = true }`");
        }
        (self.mistakes.0.len() == n_before).then_some(field)
    }

    /// What is done about a document without an id.
    pub(crate) fn id(&mut self, entry: &Entry<'_, '_>) -> Option<IdRule> {
        let table = self.mistakes.table("id", entry.value)?;
        let all = entries(table);
        for key in all.iter().filter(|e| !ID.contains(&e.name)) {
            self.mistakes.unknown_key(key, "`[mapping.id]`", ID);
        }
        let get = |name: &str| all.iter().find(|e| e.name == name);
        let missing = get("missing");
        let fill = missing.map_or(Some(false), |e| self.mistakes.word("missing", e.value, MISSING_ID));
        let Some(field) = get("field") else {
            let help = "for example `id = { field = \"id\", missing = \"refuse\" }`";
            self.mistakes.add(entry.span.clone(), "`[mapping.id]` names no `field`", help);
            return None;
        };
        let field = self.mistakes.text("field", field.value).map(str::to_owned);
        let fill = fill?;
        let identity = self.options.identity.clone();
        if let (true, None, Some(missing)) = (fill, &identity, missing) {
            let message = "an id can be filled in only where account, stream and key are known";
            self.mistakes.note(missing.value.span(), message);
            return None;
        }
        let fill = identity.filter(|_| fill);
        if let Some(Identity { account, stream, key }) = &fill {
            // What ids are made from is part of what documents say.
            self.implied.extend([" id=", account, "/", stream, "/", &key.join("|")]);
        }
        Some(IdRule { field: field?, fill })
    }

    /// Warns of fields that the target asks for and no rule writes: every record would be refused.
    pub(crate) fn warn_of_unwritten(&mut self, body: &Body, entry: &Entry<'_, '_>) {
        let Body::Fields(fields) = body else { return };
        let required = self.options.fields.iter().filter(|field| field.required);
        let filled = self.id_field.as_deref();
        for field in required.filter(|field| Some(field.path.as_str()) != filled) {
            let Some(steps) = parts(&field.path) else { continue };
            if !is_written(fields, &steps) {
                let message = format!("the target asks for `{}`, and no rule writes it", field.path);
                let help = "every record would be refused; add a rule for it";
                self.warnings.add(entry.span.clone(), message, help);
            }
        }
    }
}

/// Whether the rules may write a field there.
fn is_written(fields: &[Field], steps: &[Part<'_>]) -> bool {
    let Some((Part::Name(name), rest)) = steps.split_first() else { return true };
    let Some(field) = fields.iter().find(|field| field.name == *name) else {
        // What hangs on the elements of a list that is not written is asked of no one.
        return rest.contains(&Part::Every);
    };
    match (&field.node, rest) {
        (_, []) => true,
        (Node::Object(fields), rest) => is_written(fields, rest),
        (Node::Each(each), [Part::Every, rest @ ..]) => match &each.body {
            Node::Object(fields) => is_written(fields, rest),
            _ => true,
        },
        // What is inside a copied or computed value is not known.
        _ => true,
    }
}
