//! JSON as articles print it: with comments, trailing commas and loose quotes, every name and value with its place.

use std::ops::Range;

use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, ast, parse_to_ast};
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
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    let parsed = parsed.map_err(|error| refused(text, error.range().start..error.range().end, error.kind()))?;
    match parsed.value {
        Some(value) => Ok(node(value)),
        None => Err(Diagnostic::new(0..0, "the text is empty")),
    }
}

/// What is wrong, in our words, at the place where the text breaks off.
fn refused(text: &str, range: Range<usize>, kind: &ParseErrorKind) -> Diagnostic {
    use ParseErrorKind as Kind;
    use ParseStringErrorKind as Text;
    let what = match kind {
        Kind::UnterminatedObject => return unclosed(text, range.start, "the text ends inside an object", '}'),
        Kind::UnterminatedArray => return unclosed(text, range.start, "the text ends inside a list", ']'),
        Kind::UnterminatedCommentBlock => return unclosed(text, range.start, "the text ends inside a comment", '/'),
        Kind::String(Text::UnterminatedStringLiteral) => {
            // It swallows all that follows, so that its beginning says more than its end.
            let line_end = text[range.start..].find(['\r', '\n']).map_or(text.len(), |at| range.start + at);
            let mistake = Diagnostic::new(range.start..line_end, "a text begins here and is never ended");
            return mistake.help("add the closing quote");
        }
        Kind::String(Text::InvalidUnicodeEscapeSequence(_) | Text::ExpectedFourHexDigits) => {
            "an escape by number has four digits"
        }
        Kind::String(_) => "this escape is not one of JSON's",
        Kind::ExpectedColonAfterObjectKey => "a colon is missing between a name and its value",
        Kind::ExpectedObjectValue => "a value is missing after the colon",
        Kind::ExpectedStringObjectProperty | Kind::UnexpectedTokenInObject => "the name of a member belongs here",
        Kind::ExpectedComma => "a comma is missing here",
        Kind::MultipleRootJsonValues => "there is something after the end of the JSON",
        Kind::UnexpectedCloseBrace => "this brace closes no object",
        Kind::UnexpectedCloseBracket => "this bracket closes no list",
        Kind::UnexpectedColon => "a colon does not belong here",
        Kind::UnexpectedComma => "a comma does not belong here",
        Kind::UnexpectedWord => "a word does not belong here: texts stand in quotes",
        Kind::NestingDepthExceeded => "lists and objects nest too deep",
        Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral
        | Kind::BareDecimalPointNumbersNotAllowed
        | Kind::HexadecimalNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed => "this is no number of JSON",
        Kind::UnexpectedToken
        | Kind::CommentsNotAllowed
        | Kind::SingleQuotedStringsNotAllowed
        | Kind::TrailingCommasNotAllowed => "this does not belong into JSON",
    };
    Diagnostic::new(range.start..range.end.max(range.start), what)
}

/// The text ended before `close` came: the place is its end, and the help says where that began which is open.
fn unclosed(text: &str, begin: usize, what: &'static str, close: char) -> Diagnostic {
    let end = text.trim_end().len();
    let line = text[..begin].matches('\n').count() + 1;
    let close = if close == '/' { "*/".to_owned() } else { close.to_string() };
    Diagnostic::new(end..end, what).help(format!("it began in line {line}: add `{close}`"))
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
    fn mistakes_stand_where_the_text_breaks_off() {
        use milkrun_core::diagnostic::Diagnostics;
        for (text, expected) in [
            ("", "1:1: the text is empty"),
            (
                "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 2\n",
                "4:11: the text ends inside an object (it began in line 3: add `}`)",
            ),
            ("{\"a\": [\n  1,\n  2,\n", "3:5: the text ends inside a list (it began in line 1: add `]`)"),
            ("{}\n/* no end", "2:10: the text ends inside a comment (it began in line 2: add `*/`)"),
            ("{\n  \"a\": \"x,\n}\n", "2:8: a text begins here and is never ended (add the closing quote)"),
            ("{\"名\": [1, 2}", "1:12: this brace closes no object"),
            ("{\"a\": 1]", "1:8: the name of a member belongs here"),
            ("[1 }", "1:4: this brace closes no object"),
            ("{\"a\": ]", "1:7: this bracket closes no list"),
            ("{\"a\" 1}", "1:6: a colon is missing between a name and its value"),
            ("{\"a\":", "1:6: a value is missing after the colon"),
            ("{} {}", "1:4: there is something after the end of the JSON"),
            ("{\"a\": tru}", "1:7: this does not belong into JSON"),
            ("{\"a\": 1e}", "1:9: this is no number of JSON"),
            ("{\"a\": \"\\u12\"}", "1:8: an escape by number has four digits"),
            ("[,]", "1:2: a comma does not belong here"),
            ("not json at all", "1:1: a word does not belong here: texts stand in quotes"),
        ] {
            let mistake = parse(text).expect_err(text);
            let told = Diagnostics::new(std::path::Path::new("f"), text, vec![mistake]).to_string();
            assert_eq!(told, format!("f:{expected}"), "{text}");
        }
    }
}
