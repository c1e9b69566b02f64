//! JSON as articles print it: with comments, trailing commas and loose quotes, every name and value with its place.

use std::ops::Range;

use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};
use milkrun_core::diagnostic::Diagnostic;

/// A value and where it stands, in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

/// A value; numbers stay as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) name_span: Range<usize>,
    pub(crate) node: Node,
}

/// Reads a text.
///
/// # Errors
/// Where it stops being JSON, and why.
pub(crate) fn parse(text: &str) -> Result<Node, Diagnostic> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()).map_err(|error| {
        let range = error.range();
        Diagnostic::new(range.start..range.end.max(range.start), format!("this is no JSON: {}", error.kind()))
    })?;
    match parsed.value {
        Some(value) => Ok(node(value)),
        None => Err(Diagnostic::new(0..0, "the text is empty")),
    }
}

fn node(value: ast::Value<'_>) -> Node {
    use jsonc_parser::common::Ranged as _;
    let range = value.range();
    let value = match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(literal) => Value::Boolean(literal.value),
        ast::Value::NumberLit(literal) => Value::Number(literal.value.to_owned()),
        ast::Value::StringLit(literal) => Value::Text(literal.value.into_owned()),
        ast::Value::Array(list) => Value::List(list.elements.into_iter().map(node).collect()),
        ast::Value::Object(object) => Value::Object(object.properties.into_iter().map(member).collect()),
    };
    Node { span: range.start..range.end, value }
}

fn member(property: ast::ObjectProp<'_>) -> Member {
    use jsonc_parser::common::Ranged as _;
    let range = property.name.range();
    let name = property.name.as_str().to_owned();
    Member { name, name_span: range.start..range.end, node: node(property.value) }
}

impl Node {
    /// The members, if it is an object.
    pub(crate) fn members(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub(crate) fn elements(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The member of that name; of several, the last counts.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.members()?.iter().rev().find(|member| member.name == name).map(|member| &member.node)
    }

    /// A text, number or boolean as plain text.
    pub(crate) fn plain(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            Value::Boolean(is) => Some(is.to_string()),
            Value::Null | Value::List(_) | Value::Object(_) => None,
        }
    }

    /// The plain text of a member that is there and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.plain().filter(|text| !text.is_empty())
    }

    /// A boolean, also as text or number, as older exports write it.
    pub(crate) fn is_true(&self) -> Option<bool> {
        match self.plain()?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_articles_print_is_read() {
        let text = "{ // the source\n \"id\": 6920000000000000001, /* x */ 'name': \"名\", \"list\": [1.50, null,],\n}";
        let node = parse(text).unwrap();
        assert_eq!(node.text("id").as_deref(), Some("6920000000000000001"));
        assert_eq!(node.text("name").as_deref(), Some("名"));
        let list = node.get("list").unwrap();
        assert_eq!(&text[list.span.clone()], "[1.50, null,]");
        assert_eq!(list.elements().unwrap()[0].plain().as_deref(), Some("1.50"));
        assert_eq!(&text[node.members().unwrap()[0].name_span.clone()], "\"id\"");
    }

    #[test]
    fn mistakes_have_a_place() {
        for text in ["", "{\"a\": }", "{\"a\": [1, 2}", "not json at all"] {
            let mistake = parse(text).unwrap_err();
            assert!(mistake.span.start <= text.len(), "{text}: {mistake:?}");
        }
    }
}
