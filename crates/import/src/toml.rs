//! Writing TOML: quoted texts, names, and tables whose lines a person would write so.

use std::fmt::Write as _;

/// A text in quotes: literal where that keeps it as it is, basic otherwise.
pub(crate) fn text(text: &str) -> String {
    let plain = |c: char| c != '\'' && (!c.is_control() || c == '\t');
    let needs_escape = text.contains(['"', '\\']) || text.chars().any(char::is_control);
    if needs_escape && text.chars().all(plain) {
        return format!("'{text}'");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A name: bare where that is allowed.
pub(crate) fn name(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare { name.to_owned() } else { text(name) }
}

/// A name behind others, joined by dots.
pub(crate) fn path(parts: &[&str]) -> String {
    parts.iter().map(|part| name(part)).collect::<Vec<_>>().join(".")
}

/// An inline table.
pub(crate) fn inline(pairs: &[(String, String)]) -> String {
    if pairs.is_empty() {
        return "{}".to_owned();
    }
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{} = {value}", name(key))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// A list of texts.
pub(crate) fn texts<T: AsRef<str>>(all: &[T]) -> String {
    let all: Vec<_> = all.iter().map(|one| text(one.as_ref())).collect();
    format!("[{}]", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for value in ["", "plain", "it's", "a \"b\" c", "back\\slash", "both ' and \"", "line\nbreak", "中文", "\u{1}"]
        {
            let table: ::toml::Table = format!("a = {}\n{} = 1", text(value), name(value)).parse().unwrap();
            assert_eq!(table["a"].as_str(), Some(value));
            assert!(value.is_empty() || table.contains_key(value), "{value}");
        }
        assert_eq!(inline(&[("a".into(), "1".into()), ("b c".into(), text("x"))]), "{ a = 1, \"b c\" = \"x\" }");
        assert_eq!((path(&["a", "b.c"]), texts(&["x"])), ("a.\"b.c\"".to_owned(), "[\"x\"]".to_owned()));
    }
}
