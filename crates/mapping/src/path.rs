//! Paths into a record: `a.b`, `a[0]`, `"a.b"`, `$.a` from the record's root, `@` for the thing itself.

use std::fmt;

use crate::json::{Elements, Fields, decode_name};

const NO_STAR: &str = "`*` is not part of a path; something for each element is written with `each`";

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The field of that name.
    Name(String),
    /// The element at that place, counted from 0.
    Index(usize),
    /// Every element of a list; only in the paths of a stream's units.
    Every,
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// At the thing the rule is about: the record, or the element inside `each`.
    Here,
    /// At the record, wherever the rule stands.
    Root,
}

/// A path as a user writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) start: Start,
    pub(crate) steps: Vec<Step>,
    /// Whether a name was quoted, so that its dots are certainly part of it.
    pub(crate) quoted: bool,
}

/// What is wrong with a path, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadPath {
    pub(crate) at: usize,
    pub(crate) message: &'static str,
}

impl Path {
    /// The path of the thing itself.
    pub(crate) fn itself() -> Self {
        Self { start: Start::Here, steps: Vec::new(), quoted: false }
    }

    /// Reads a path.
    pub(crate) fn parse(text: &str) -> Result<Self, BadPath> {
        let bad = |at, message| Err(BadPath { at, message });
        let mut path = Self::itself();
        let mut at = 0;
        // Whether a name may stand here without a dot before it.
        let mut fresh = true;
        for (sign, start) in [("$", Start::Root), ("@", Start::Here)] {
            let rest = text.strip_prefix(sign);
            if rest.is_some_and(|r| r.is_empty() || r.starts_with(['.', '['])) {
                path.start = start;
                at = 1;
                fresh = false;
            }
        }
        if text.is_empty() {
            return bad(0, "the path is empty");
        }
        while at < text.len() {
            let rest = &text[at..];
            if let Some(inner) = rest.strip_prefix('[') {
                if fresh {
                    return bad(at, "a path begins with a name; `@[0]` is the first element of the thing itself");
                }
                let Some((index, _)) = inner.split_once(']') else {
                    return bad(at, "`[` without `]`");
                };
                let Ok(number) = index.parse() else {
                    return bad(
                        at + 1,
                        if index == "*" {
                            NO_STAR
                        } else {
                            "between `[` and `]` stands the number of an element, counted from 0"
                        },
                    );
                };
                path.steps.push(Step::Index(number));
                at += index.len() + 2;
                continue;
            }
            if let Some(after) = rest.strip_prefix('.') {
                if fresh || after.is_empty() || after.starts_with(['.', '[']) {
                    return bad(at, "a name is missing beside this dot");
                }
                at += 1;
            } else if !fresh {
                return bad(at, "between two names stands a dot");
            }
            at += path.take_name(&text[at..]).map_err(|e| BadPath { at: at + e.at, ..e })?;
            fresh = false;
        }
        Ok(path)
    }

    /// Reads the name that `rest` begins with; returns its length.
    fn take_name(&mut self, rest: &str) -> Result<usize, BadPath> {
        if let Some(inner) = rest.strip_prefix('"') {
            let Some(end) = inner.find('"') else {
                return Err(BadPath { at: 0, message: "a quoted name has no closing quote" });
            };
            self.quoted = true;
            self.steps.push(Step::Name(inner[..end].to_owned()));
            return Ok(end + 2);
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = &rest[..end];
        if let Some(at) = name.find(['"', ']', '*']) {
            let message = if name[at..].starts_with('*') {
                NO_STAR
            } else {
                "this character is not part of a name; a name that has it is written in quotes"
            };
            return Err(BadPath { at, message });
        }
        if name.trim() != name {
            return Err(BadPath { at: 0, message: "a name with blanks around it is written in quotes" });
        }
        self.steps.push(Step::Name(name.to_owned()));
        Ok(end)
    }

    /// The path of a stream's unit, where `[*]` or `*` is every element; what cannot be read is never met.
    pub(crate) fn of_unit(text: &str) -> Vec<Step> {
        let parts = text.split(['.', '[']).map(|part| part.trim_end_matches(']'));
        let step = |part: &str| match part.parse() {
            _ if part == "*" => Step::Every,
            Ok(index) => Step::Index(index),
            Err(_) => Step::Name(part.to_owned()),
        };
        parts.filter(|part| !part.is_empty()).map(step).collect()
    }

    /// The whole text as one name, if it might be one: vendors have fields such as `Partner.Code`.
    pub(crate) fn as_one_name(&self) -> Option<String> {
        let names = self.steps.iter().map(|s| match s {
            Step::Name(name) => Some(name.as_str()),
            Step::Index(_) | Step::Every => None,
        });
        let names: Vec<&str> = names.collect::<Option<_>>()?;
        (!self.quoted && names.len() > 1).then(|| names.join("."))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) if name.contains(['.', '[']) => write!(f, "\"{name}\""),
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Every => f.write_str("[*]"),
        }
    }
}

/// Follows `steps` into a JSON text; of a repeated name, the last counts.
pub(crate) fn descend<'a>(text: &'a str, steps: &[Step]) -> Option<&'a str> {
    let mut text = text;
    for step in steps {
        text = match step {
            Step::Name(name) => {
                let wanted =
                    |written: &str| written == name || (written.contains('\\') && decode_name(written) == *name);
                let (start, end) = Fields::of(text)?.filter(|(n, _)| wanted(n)).last()?.1;
                text.get(start..end)?
            }
            Step::Index(index) => Elements::of(text)?.nth(*index)?,
            Step::Every => return None,
        };
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> String {
        let path = Path::parse(text).unwrap();
        let steps: Vec<String> = path.steps.iter().map(Step::to_string).collect();
        format!("{:?} {}", path.start, steps.join("/"))
    }

    #[test]
    fn reads_paths() {
        let cases = [
            ("a", "Here a"),
            ("a.b[0].c", "Here a/b/[0]/c"),
            ("a[0][1]", "Here a/[0]/[1]"),
            ("\"a.b\".c", "Here \"a.b\"/c"),
            ("x.\"a.b\"", "Here x/\"a.b\""),
            ("$.sid", "Root sid"),
            ("$", "Root "),
            ("@", "Here "),
            ("@[2]", "Here [2]"),
            ("$ref", "Here $ref"),
            ("单据.编号", "Here 单据/编号"),
            ("two words", "Here two words"),
        ];
        for (text, expected) in cases {
            assert_eq!(steps(text), expected, "{text}");
        }
        assert_eq!(Path::of_unit("items[*].price"), Path::of_unit("items.*.price"));
    }

    #[test]
    fn refuses_what_is_not_a_path() {
        for (text, at) in [
            ("", 0),
            (".a", 0),
            ("a.", 1),
            ("a..b", 1),
            ("[0]", 0),
            ("a[x]", 2),
            ("a[0", 1),
            ("a[0]b", 4),
            ("\"a", 0),
            ("\"a\"b", 3),
            ("a[*].b", 2),
            ("a.*", 2),
            ("a. b", 2),
        ] {
            assert_eq!(Path::parse(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn follows_paths() {
        let text = r#"{"a":{"b":[{"c":1},{"c":0.10}],"b.c":7},"\u5355":null}"#;
        let at = |path: &str| descend(text, &Path::parse(path).unwrap().steps);
        assert_eq!(at("a.b[1].c"), Some("0.10"));
        assert_eq!(at("a.\"b.c\""), Some("7"));
        assert_eq!(at("单"), Some("null"));
        assert_eq!(at("a.b.c"), None);
        assert_eq!(at("a.b[2]"), None);
        assert_eq!(at("@"), Some(text));
    }
}
