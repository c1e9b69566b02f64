//! JSON as it was written: numbers keep their literal text, and objects keep their order.

use std::fmt::{self, Write as _};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// One JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// An object, in its own order; no key occurs twice.
    Object(Vec<(String, Tree)>),
}

/// The members of an object before their values are read.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl Tree {
    /// Reads a whole JSON text; `None` if it is none, or if an object names a key twice.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::read(serde_json::from_str(text).ok()?)
    }

    fn read(raw: &RawValue) -> Option<Self> {
        let text = raw.get();
        Some(match text.as_bytes().first()? {
            b'n' => Self::Null,
            b't' => Self::Bool(true),
            b'f' => Self::Bool(false),
            b'"' => Self::Text(serde_json::from_str(text).ok()?),
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Self::List(items.into_iter().map(Self::read).collect::<Option<_>>()?)
            }
            b'{' => {
                let Members(members) = serde_json::from_str(text).ok()?;
                let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                if names.windows(2).any(|pair| pair[0] == pair[1]) {
                    return None;
                }
                let members = members.into_iter().map(|(name, raw)| Some((name, Self::read(raw)?)));
                Self::Object(members.collect::<Option<_>>()?)
            }
            _ => Self::Number(text.to_owned()),
        })
    }

    /// An object of these members.
    pub(crate) fn object<const N: usize>(members: [(&str, Tree); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// A text.
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    /// A whole number.
    pub(crate) fn int(value: impl fmt::Display) -> Self {
        Self::Number(value.to_string())
    }

    /// The value of a key, if this is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Tree> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Tree> {
        let Self::Object(members) = self else { return None };
        members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Puts a value under a key, in its old place or at the end; does nothing unless this is an object.
    pub(crate) fn set(&mut self, key: &str, value: Tree) {
        if let Some(known) = self.get_mut(key) {
            *known = value;
        } else if let Self::Object(members) = self {
            members.push((key.to_owned(), value));
        }
    }

    /// The text, if this is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The items, if this is a list.
    pub(crate) fn as_list(&self) -> Option<&[Tree]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The members, if this is an object.
    pub(crate) fn members(&self) -> Option<&[(String, Tree)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// A text or the literal of a number, which some vendors use for each other.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(literal) => f.write_str(literal),
            Self::Text(text) => quote(f, text),
            Self::List(items) => {
                f.write_char('[')?;
                for (idx, item) in items.iter().enumerate() {
                    if idx > 0 {
                        f.write_char(',')?;
                    }
                    item.fmt(f)?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (idx, (name, value)) in members.iter().enumerate() {
                    if idx > 0 {
                        f.write_char(',')?;
                    }
                    quote(f, name)?;
                    f.write_char(':')?;
                    value.fmt(f)?;
                }
                f.write_char('}')
            }
        }
    }
}

fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn what_was_read_is_written_the_same() {
        for text in [
            r#"{"id":2410387773493760123,"sum":12345678901234567890.12345670,"e":1E+2,"n":null,"z":[true,"中\n\"",{}]}"#,
            "[]",
            "-0.10",
        ] {
            assert_eq!(Tree::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "{'a':1}", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "[{\"a\":1,\"a\":2}]", "01"] {
            assert_eq!(Tree::parse(text), None, "{text}");
        }
    }

    #[test]
    fn members_keep_their_place() {
        let mut tree = Tree::parse(r#"{"a":1,"b":2}"#).unwrap();
        tree.set("a", Tree::text("x"));
        tree.set("c", Tree::Null);
        assert_eq!(tree.to_string(), r#"{"a":"x","b":2,"c":null}"#);
        assert_eq!(tree.get("a").and_then(Tree::scalar), Some("x"));
        assert!(tree.get("c").is_some_and(Tree::is_null) && tree.get("d").is_none());
    }
}
