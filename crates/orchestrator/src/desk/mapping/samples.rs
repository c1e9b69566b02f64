//! The fields of a source as its records show them.

use std::collections::HashMap;

use milkrun_console::model::SourceField;
use milkrun_core::Record;
use milkrun_core::record::{Pairs, plain_text};
use serde_json::value::RawValue;

use super::path::Steps;

/// How many values of a field are shown, and how much of each.
const MOST_SAMPLES: usize = 3;
const LONGEST: usize = 80;
/// How many fields, how deep, and how many elements of a list are looked at.
const MOST_FIELDS: usize = 1_000;
const DEEPEST: usize = 8;
const ELEMENTS: usize = 5;

/// The fields of these records, in the order they are first seen.
#[derive(Debug, Default)]
pub(super) struct Fields {
    all: Vec<SourceField>,
    places: HashMap<Steps, usize>,
}

impl Fields {
    pub(super) fn of(records: &[Record]) -> Self {
        let mut fields = Self::default();
        for record in records {
            fields.object(record.text(), &Steps::default());
        }
        fields
    }

    pub(super) fn has(&self, path: &Steps) -> bool {
        self.places.contains_key(path) || self.places.contains_key(&path.clone().whole())
    }

    pub(super) fn into_all(self) -> Vec<SourceField> {
        self.all
    }

    fn object(&mut self, json: &str, at: &Steps) {
        let Ok(pairs) = serde_json::from_str::<Pairs<'_>>(json) else { return };
        for (name, value) in pairs.0 {
            self.value(value.get(), at.and(&name, false));
        }
    }

    fn value(&mut self, json: &str, at: Steps) {
        if at.0.len() > DEEPEST {
            return;
        }
        let kind = kind_of(json);
        self.note(&at, kind, json);
        match kind {
            "object" => self.object(json, &at),
            "list" => {
                let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) else { return };
                let inside = at.elements();
                for element in elements.into_iter().take(ELEMENTS) {
                    match kind_of(element.get()) {
                        "object" => self.object(element.get(), &inside),
                        kind => self.note(&inside, kind, element.get()),
                    }
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, at: &Steps, kind: &str, json: &str) {
        let index = match self.places.get(at) {
            Some(index) => *index,
            None if self.all.len() >= MOST_FIELDS => return,
            None => {
                self.all.push(SourceField { path: at.to_string(), kind: kind.to_owned(), samples: Vec::new() });
                self.places.insert(at.clone(), self.all.len() - 1);
                self.all.len() - 1
            }
        };
        let field = &mut self.all[index];
        if field.kind == "null" {
            kind.clone_into(&mut field.kind);
        }
        let Some(value) = plain_text(json) else { return };
        let mut sample: String = value.chars().take(LONGEST).collect();
        if sample.len() < value.len() {
            sample.push('…');
        }
        if field.samples.len() < MOST_SAMPLES && !field.samples.contains(&sample) {
            field.samples.push(sample);
        }
    }
}

fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "text",
        Some(b't' | b'f') => "boolean",
        Some(b'[') => "list",
        Some(b'{') => "object",
        Some(b'n') | None => "null",
        Some(_) => "number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_kinds_and_values_as_they_are_written() {
        let records = [
            r#"{"tid":6920000000000000001,"memo":null,"items":[{"qty":"2.00"},{"qty":1.50}],"tags":["a","b"],"a.b":true}"#,
            r#"{"tid":1E+2,"memo":"急","buyer":{"nick":"李"}}"#,
        ];
        let records = records.map(|text| Record::parse(text).unwrap());
        let shown: Vec<String> = Fields::of(&records)
            .into_all()
            .into_iter()
            .map(|field| format!("{} {} {}", field.path, field.kind, field.samples.join(",")))
            .collect();
        let expected = [
            "tid number 6920000000000000001,1E+2",
            "memo text 急",
            "items list ",
            "items[*].qty text 2.00,1.50",
            "tags list ",
            "tags[*] text a,b",
            "\"a.b\" boolean true",
            "buyer object ",
            "buyer.nick text 李",
        ];
        assert_eq!(shown, expected);
    }
}
