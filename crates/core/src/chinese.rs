//! Descriptions in Chinese: catalogues by the English text, and schemas that they translate.
//!
//! What a setting is stands in English at its place in the code. The Chinese lies beside the code as data, in one
//! `zh.toml` for each crate: `"The English text." = "中文。"`. Line breaks in the English do not count.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The Chinese of texts, by the English.
#[derive(Clone, Debug, Default)]
pub struct Catalogue(BTreeMap<String, String>);

impl Catalogue {
    /// The catalogue of a crate: the text of its `zh.toml`, which is a part of the program.
    ///
    /// # Panics
    /// If it is no TOML table of texts.
    pub fn parse(text: &str) -> Self {
        Self(toml::from_str(text).unwrap_or_else(|error| panic!("a catalogue of descriptions: {error}")))
    }

    /// What the types of this crate say, which the settings of most connectors are made of.
    pub fn core() -> Self {
        Self::parse(include_str!("zh.toml"))
    }

    /// Adds what another catalogue has and this one has not.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (english, chinese) in other.0 {
            self.0.entry(english).or_insert(chinese);
        }
        self
    }

    /// The Chinese of a text.
    pub fn get(&self, english: &str) -> Option<&str> {
        self.0.get(&one_line(english)).map(String::as_str)
    }

    /// The English of all texts.
    pub fn english(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }

    /// Puts the Chinese in the place of each description that it knows.
    pub fn translate(&self, schema: &mut Value) {
        each_description(schema, &mut |text| {
            if let Some(chinese) = self.get(text) {
                chinese.clone_into(text);
            }
        });
    }
}

impl<S: Into<String>> FromIterator<(S, S)> for Catalogue {
    fn from_iter<I: IntoIterator<Item = (S, S)>>(texts: I) -> Self {
        Self(texts.into_iter().map(|(english, chinese)| (english.into(), chinese.into())).collect())
    }
}

/// All descriptions of a schema, each in one line.
pub fn descriptions(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_description(&mut schema.clone(), &mut |text| {
        found.insert(one_line(text));
    });
    found
}

fn each_description(schema: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, value) in keywords {
                match (keyword.as_str(), value) {
                    // Their keys are names, whatever word they are.
                    ("properties" | "$defs", Value::Object(named)) => {
                        named.values_mut().for_each(|schema| each_description(schema, visit));
                    }
                    // Values of settings, whatever they hold.
                    ("default" | "examples" | "const" | "enum", _) => {}
                    // A title that is no sentence is the name of a type.
                    ("title", Value::String(text)) if text.contains(' ') => visit(text),
                    ("description", Value::String(text)) => visit(text),
                    (_, value) => each_description(value, visit),
                }
            }
        }
        Value::Array(several) => several.iter_mut().for_each(|one| each_description(one, visit)),
        _ => {}
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn descriptions_are_found_and_translated_and_values_are_left_alone() {
        let schema = |key: &str, size: &str, title: &str| {
            json!({
                "title": title,
                "properties": {
                    "description": { "type": "string", "title": "Text", "description": key },
                    "default": { "anyOf": [{ "description": size }], "default": { "description": "The key." } },
                },
            })
        };
        let english = schema("The key.", "Records per page,\n1 to 100.", "A file");
        assert_eq!(
            descriptions(&english),
            ["A file", "Records per page, 1 to 100.", "The key."].map(Into::into).into()
        );
        let own = Catalogue::parse("\"The key.\" = \"键。\"");
        let more = [("The key.", "钥匙。"), ("Records per page, 1 to 100.", "每页记录数，1 到 100。")];
        let catalogue = own.or(more.into_iter().collect());
        let mut chinese = english;
        catalogue.translate(&mut chinese);
        assert_eq!(chinese, schema("键。", "每页记录数，1 到 100。", "A file"));
        assert_eq!(catalogue.english(), ["Records per page, 1 to 100.", "The key."].map(Into::into).into());
    }
}
