//! The JSON Schema of `[mapping]`, for editors.

use schemars::Schema;

/// The Chinese of the schema's descriptions, by the English.
pub const SCHEMA_ZH: &str = include_str!("schema.zh.toml");

/// The schema of the mapping table; its root is the table itself.
pub fn schema() -> Schema {
    serde_json::from_str(include_str!("schema.json")).expect("the schema is part of the program")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::keys::{
        CHECK, CONDITION, ID, INPUTS, KINDS, MAPPING, MISSING_ID, NULLS, ROUND, ROUNDING, RULE, TYPES, UNITS, WRITE_AS,
    };

    /// The names at a place of the schema: the keys of an object, or the words of a list.
    fn names(place: &str) -> BTreeSet<String> {
        let schema = schema();
        let found = schema.pointer(place).unwrap_or_else(|| panic!("{place}"));
        let keys = found.as_object().map(|o| o.keys().cloned().collect());
        let words = || found.as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect();
        keys.unwrap_or_else(words)
    }

    fn set(known: &[&str]) -> BTreeSet<String> {
        known.iter().map(ToString::to_string).collect()
    }

    fn words<T>(known: &[(&str, T)]) -> BTreeSet<String> {
        known.iter().map(|(word, _)| (*word).to_owned()).collect()
    }

    #[test]
    fn the_schema_and_the_compiler_know_the_same_words() {
        let rule = "/$defs/rule/anyOf/1/properties";
        assert_eq!(names("/properties"), set(MAPPING));
        assert_eq!(names(rule), set(RULE));
        assert_eq!(names("/$defs/condition/properties"), set(CONDITION));
        assert_eq!(names(&format!("{rule}/round/properties")), set(ROUND));
        assert_eq!(names(&format!("{rule}/round/properties/rule/enum")), words(ROUNDING));
        assert_eq!(names(&format!("{rule}/type/enum")), words(TYPES));
        assert_eq!(names(&format!("{rule}/unit/enum")), words(UNITS));
        assert_eq!(names(&format!("{rule}/input/enum")), words(INPUTS));
        assert_eq!(names(&format!("{rule}/null/enum")), words(NULLS));
        assert_eq!(names(&format!("{rule}/write_as/enum")), words(WRITE_AS));
        assert_eq!(names("/$defs/check/properties"), set(CHECK));
        assert_eq!(names("/$defs/check/properties/kind/enum"), words(KINDS));
        assert_eq!(names("/properties/id/properties"), set(ID));
        assert_eq!(names("/properties/id/properties/missing/enum"), words(MISSING_ID));
    }

    #[test]
    fn the_reference_names_every_word() {
        let reference = include_str!("../../../docs/mapping.md");
        let words = [words(TYPES), words(UNITS), words(ROUNDING), words(INPUTS), words(KINDS), words(MISSING_ID)];
        let keys = [MAPPING, RULE, CONDITION, ROUND, CHECK, ID].concat();
        for word in set(&keys).into_iter().chain(words.into_iter().flatten()) {
            assert!(reference.contains(&format!("`{word}`")), "docs/mapping.md does not name `{word}`");
        }
        for name in crate::expr::function_names() {
            let named = [format!("`{name}`"), format!("`{name}(")].iter().any(|form| reference.contains(form));
            assert!(named, "docs/mapping.md does not name the function `{name}`");
        }
    }
}
