//! JSON as text: finding a value by its path, and setting values without touching the rest.

use milkrun_core::record::{Pairs, write_json_string};
use milkrun_core::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A text, a whole number, or a truth value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a text, a whole number, true or false; write other numbers as text")]
pub enum Plain {
    /// A text.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// True or false.
    Truth(bool),
}

impl Plain {
    /// The value as plain text.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

/// A value of a body: a plain one, a list, or a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a text, a whole number, true, false, a list or a table; write other numbers as text")]
pub enum Fixed {
    /// A text, a whole number, or a truth value.
    Plain(Plain),
    /// A list.
    List(Vec<Fixed>),
    /// A table.
    Table(std::collections::BTreeMap<String, Fixed>),
}

impl Fixed {
    /// The value as JSON text.
    pub(crate) fn json(&self) -> String {
        match self {
            Self::Plain(Plain::Text(text)) => quoted(text),
            Self::Plain(plain) => plain.text(),
            Self::List(items) => list(items.iter().map(Self::json)),
            Self::Table(fields) => {
                Tree(fields.iter().map(|(name, value)| (name.clone(), Node::Raw(value.json()))).collect()).text()
            }
        }
    }
}

/// The text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_json_string(&mut out, text);
    String::from_utf8(out).expect("a JSON string is UTF-8")
}

/// The values as a JSON list.
pub(crate) fn list(values: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", values.into_iter().collect::<Vec<_>>().join(","))
}

/// The value at a path of names and indexes joined by dots; an empty path is the whole. `null` counts as missing.
pub(crate) fn find<'a>(json: &'a str, path: &str) -> Option<&'a str> {
    let json = json.trim();
    if path.is_empty() {
        return (json != "null").then_some(json);
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    if json.starts_with('[') {
        let index: usize = name.parse().ok()?;
        let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        return find(items.get(index)?.get(), rest);
    }
    let Pairs(pairs) = serde_json::from_str(json).ok()?;
    let of = |wanted: &str| pairs.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value.get());
    // A name may hold dots itself.
    of(path).and_then(|whole| find(whole, "")).or_else(|| find(of(name)?, rest))
}

/// A JSON object that is being put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(Vec<(String, Node)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Raw(String),
    Inner(Tree),
}

impl Tree {
    /// Reads an object; its values stay as they were written.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](milkrun_core::ErrorKind::Refused) if it is none.
    pub(crate) fn parse(json: &str) -> Result<Self> {
        let Pairs(pairs) = serde_json::from_str(json).map_err(|cause| {
            Error::new(milkrun_core::ErrorKind::Refused, "the document is no JSON object").caused_by(cause)
        })?;
        Ok(Self(
            pairs.into_iter().map(|(name, value)| (name.into_owned(), Node::Raw(value.get().to_owned()))).collect(),
        ))
    }

    /// Sets the value at a path of names joined by dots, and makes the objects on the way.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if something else stands in the way.
    pub(crate) fn set(&mut self, path: &str, json: String) -> Result<()> {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let at = self.0.iter().rposition(|(known, _)| known == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), Node::Inner(Self::default())));
            self.0.len() - 1
        });
        let node = &mut self.0[at].1;
        let Some(rest) = rest else {
            *node = Node::Raw(json);
            return Ok(());
        };
        if let Node::Raw(raw) = node {
            let in_the_way = |cause| {
                Error::config("a value of the body stands where an object is needed")
                    .with("path", path)
                    .caused_by(cause)
            };
            *node = Node::Inner(Self::parse(raw).map_err(in_the_way)?);
        }
        match node {
            Node::Inner(inner) => inner.set(rest, json),
            Node::Raw(_) => unreachable!("it was read just now"),
        }
    }

    /// The fields at the top, as JSON text.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, node)| (name.as_str(), node.text()))
    }

    /// The object as JSON text.
    pub(crate) fn text(&self) -> String {
        let fields = self.0.iter().map(|(name, node)| format!("{}:{}", quoted(name), node.text()));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }
}

impl Node {
    fn text(&self) -> String {
        match self {
            Self::Raw(json) => json.clone(),
            Self::Inner(tree) => tree.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_paths() {
        let json = r#" {"code":0,"data":{"list":[{"id":6920000000000000001}],"a.b":"x","none":null},"a.b":1} "#;
        let cases = [
            ("code", Some("0")),
            ("data.list", Some(r#"[{"id":6920000000000000001}]"#)),
            ("data.list.0.id", Some("6920000000000000001")),
            ("data.list.1", None),
            ("data.list.x", None),
            ("a.b", Some("1")),
            ("data.a.b", Some("\"x\"")),
            ("data.none", None),
            ("code.x", None),
            ("nothing", None),
        ];
        for (path, expected) in cases {
            assert_eq!(find(json, path), expected, "{path}");
        }
        assert_eq!(find("[1]", ""), Some("[1]"));
        assert_eq!(find(" null ", ""), None);
    }

    #[test]
    fn values_are_set_and_the_rest_keeps_every_byte() {
        let mut tree = Tree::parse(r#"{"n": 0.10 ,"in":{"a": 1E2}}"#).unwrap();
        tree.set("in.b", "2".to_owned()).unwrap();
        tree.set("new.deep", quoted("\"单\"")).unwrap();
        tree.set("n", "7".to_owned()).unwrap();
        assert_eq!(tree.text(), r#"{"n":7,"in":{"a":1E2,"b":2},"new":{"deep":"\"单\""}}"#);
        assert!(tree.set("n.x", "1".to_owned()).is_err());
        assert!(Tree::parse("[1]").is_err());
    }

    #[test]
    fn fixed_values_are_written_as_json() {
        #[derive(Deserialize)]
        struct Table {
            v: Fixed,
        }
        let read = |text: &str| toml::from_str::<Table>(&format!("v = {text}")).map(|table| table.v.json());
        assert_eq!(
            read("{ a = [1, true, 'x'], b = { c = '0.10' } }").unwrap(),
            r#"{"a":[1,true,"x"],"b":{"c":"0.10"}}"#
        );
        let error = read("0.1").unwrap_err().to_string();
        assert!(error.contains("write other numbers as text"), "{error}");
    }
}
