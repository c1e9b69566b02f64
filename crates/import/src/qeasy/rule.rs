//! The rules of a mapping under construction, and how they are written as TOML.

use std::fmt::Write as _;

use crate::toml;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Keys of an inline table with their values as TOML, such as `from = "a"`, `type = "text"`.
    Value(Vec<(String, String)>),
    /// An object of its own.
    Fields(Vec<(String, Rule)>),
    /// One object for each element of a list.
    Each {
        /// The path of the list.
        list: String,
        /// The conditions on its elements, as TOML.
        filter: Option<String>,
        /// The fields of each object.
        fields: Vec<(String, Rule)>,
    },
}

impl Rule {
    /// The value of a field, as text; missing and null give empty text, as templates do.
    pub(crate) fn from(path: &str) -> Self {
        let pairs = [("from", toml::text(path)), ("type", toml::text("text")), ("default", toml::text(""))];
        Self::Value(pairs.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// A value that is always the same.
    pub(crate) fn constant(text: &str) -> Self {
        Self::Value(vec![("const".to_owned(), toml::text(text))])
    }

    /// An expression.
    pub(crate) fn expression(expr: &str) -> Self {
        Self::Value(vec![("expr".to_owned(), toml::text(expr))])
    }

    /// The same with a key set, in place of one that may be there.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: String) -> Self {
        if let Self::Value(pairs) = &mut self {
            pairs.retain(|(known, _)| known != key);
            pairs.push((key.to_owned(), value));
        }
        self
    }

    /// The same without a key.
    #[must_use]
    pub(crate) fn without(mut self, key: &str) -> Self {
        if let Self::Value(pairs) = &mut self {
            pairs.retain(|(known, _)| known != key);
        }
        self
    }

    /// Whether it has that key.
    pub(crate) fn has(&self, key: &str) -> bool {
        matches!(self, Self::Value(pairs) if pairs.iter().any(|(known, _)| known == key))
    }
}

/// Writes the fields of `[mapping.fields]`, in their order.
pub(crate) fn write(fields: &[(String, Rule)], out: &mut String) {
    write_table(&["mapping", "fields"], fields, out);
}

/// The fields of one table. Those that need a table of their own come behind the others, because TOML wants it so; the
/// order among the fields of one document has no meaning.
fn write_table(path: &[&str], fields: &[(String, Rule)], out: &mut String) {
    let _ = write!(out, "\n[{}]\n", toml::path(path));
    for (name, rule) in fields {
        if let Some(line) = inline(rule) {
            let _ = writeln!(out, "{} = {line}", toml::name(name));
        }
    }
    for (name, rule) in fields.iter().filter(|(_, rule)| inline(rule).is_none()) {
        let own: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
        let inner: Vec<&str> = own.iter().copied().chain(["fields"]).collect();
        match rule {
            Rule::Each { list, filter, fields } => {
                let _ = write!(out, "\n[{}]\neach = {}\n", toml::path(&own), toml::text(list));
                if let Some(filter) = filter {
                    let _ = writeln!(out, "filter = {filter}");
                }
                write_table(&inner, fields, out);
            }
            Rule::Fields(fields) => write_table(&inner, fields, out),
            Rule::Value(_) => unreachable!("it was written inline"),
        }
    }
}

/// The longest inline table that is still easy to read.
const WIDE: usize = 100;

/// The rule on one line, if it is short.
fn inline(rule: &Rule) -> Option<String> {
    match rule {
        Rule::Value(pairs) => Some(toml::inline(pairs)),
        Rule::Fields(fields) => {
            let all: Option<Vec<_>> = fields.iter().map(|(name, rule)| Some((name.clone(), inline(rule)?))).collect();
            let line = toml::inline(&[("fields".to_owned(), toml::inline(&all?))]);
            (line.len() <= WIDE).then_some(line)
        }
        Rule::Each { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_written_as_a_person_would() {
        let number = ("FNumber".to_owned(), Rule::constant("100"));
        let fields = vec![
            ("FBillNo".to_owned(), Rule::from("refund_no")),
            (
                "FEntity".to_owned(),
                Rule::Each {
                    list: "lines".into(),
                    filter: None,
                    fields: vec![("单价".to_owned(), Rule::expression(".a + \"b\""))],
                },
            ),
            ("FOrg".to_owned(), Rule::Fields(vec![number])),
        ];
        let mut out = String::new();
        write(&fields, &mut out);
        let expected = r#"
[mapping.fields]
FBillNo = { from = "refund_no", type = "text", default = "" }
FOrg = { fields = { FNumber = { const = "100" } } }

[mapping.fields.FEntity]
each = "lines"

[mapping.fields.FEntity.fields]
"单价" = { expr = '.a + "b"' }
"#;
        assert_eq!(out, expected);
        out.parse::<::toml::Table>().unwrap();
    }
}
