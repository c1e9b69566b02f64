//! Walks over JSON text that is known to be valid, without reading what nobody asks for.
//!
//! A [`Record`](milkrun_core::Record) was checked when its page was read, so its parts need not be checked again. On text
//! that is not JSON the walks end early; they never panic.

use std::borrow::Cow;

pub(crate) use milkrun_core::record::plain_text;

/// Where the first character that is not blank lies at or after `at`.
fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The end of the string that begins (after its quote) at `at`: the place of the closing quote.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The end of the value that begins at `at`.
fn value_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at + 1).map(|end| end + 1),
        b'{' | b'[' => {
            let mut depth = 0_usize;
            loop {
                match bytes.get(at)? {
                    b'"' => at = string_end(bytes, at + 1)?,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth == 1 => return Some(at + 1),
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
            }
        }
        _ => {
            let plain = |b: &u8| !matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            Some(at + bytes[at..].iter().take_while(|b| plain(b)).count())
        }
    }
}

/// The parts of an object or a list, one after the other.
#[derive(Clone, Debug)]
struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str, open: u8) -> Option<Self> {
        let at = skip_blank(text.as_bytes(), 0);
        (text.as_bytes().get(at) == Some(&open)).then_some(Self { text, at: at + 1 })
    }

    /// The place of the next value's first character, if there is one.
    fn next_start(&mut self) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = skip_blank(bytes, self.at);
        if bytes.get(at) == Some(&b',') {
            at = skip_blank(bytes, at + 1);
        }
        (!matches!(bytes.get(at), None | Some(b'}' | b']'))).then_some(at)
    }

    fn take_value(&mut self, start: usize) -> Option<(usize, usize)> {
        let end = value_end(self.text.as_bytes(), start)?;
        self.at = end;
        (end > start).then_some((start, end))
    }
}

/// The fields of an object: name as written (without quotes), and where the value lies in the text.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a>(Walk<'a>);

impl<'a> Fields<'a> {
    /// The fields of `text`; `None` if it is not an object.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        Walk::new(text, b'{').map(Self)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, (usize, usize));

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0.next_start()?;
        let text = self.0.text;
        let bytes = text.as_bytes();
        let end = string_end(bytes, start + 1)?;
        let colon = skip_blank(bytes, end + 1);
        let value = self.0.take_value(skip_blank(bytes, colon + 1))?;
        Some((text.get(start + 1..end)?, value))
    }
}

/// The elements of a list, as JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a>(Walk<'a>);

impl<'a> Elements<'a> {
    /// The elements of `text`; `None` if it is not a list.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        Walk::new(text, b'[').map(Self)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0.next_start()?;
        let (start, end) = self.0.take_value(start)?;
        self.0.text.get(start..end)
    }
}

/// A name as written in an object, decoded.
pub(crate) fn decode_name(name: &str) -> Cow<'_, str> {
    if name.contains('\\') {
        let decoded = serde_json::from_str(&format!("\"{name}\""));
        return decoded.map_or(Cow::Borrowed(name), Cow::Owned);
    }
    Cow::Borrowed(name)
}

/// Writes `text` as a JSON string.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    write_escaped(out, text);
    out.push('"');
}

/// Writes `text` as it stands inside a JSON string.
pub(crate) fn write_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\u00");
                out.push(char::from(HEX[usize::from(control >> 4)]));
                out.push(char::from(HEX[usize::from(control & 15)]));
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// What a JSON text is, with its article.
pub(crate) fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "a text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_over_fields_and_elements() {
        let text = r#" { "a" : 1 ,"b\"":"x}\"]", "c":[1,{"d":[ ]}] ,"e":null, "单":1E+2 } "#;
        let fields: Vec<_> = Fields::of(text).unwrap().map(|(n, (a, b))| (decode_name(n), &text[a..b])).collect();
        let names: Vec<&str> = fields.iter().map(|(n, _)| n.as_ref()).collect();
        assert_eq!(names, ["a", "b\"", "c", "e", "单"]);
        let values: Vec<&str> = fields.iter().map(|(_, v)| *v).collect();
        assert_eq!(values, ["1", r#""x}\"]""#, r#"[1,{"d":[ ]}]"#, "null", "1E+2"]);
        let list: Vec<_> = Elements::of("[ 1, \"a,b\" ,[2,3] ,{}, -0.10]").unwrap().collect();
        assert_eq!(list, ["1", "\"a,b\"", "[2,3]", "{}", "-0.10"]);
        assert_eq!(Elements::of("[]").unwrap().count(), 0);
        assert!(Elements::of("{}").is_none() && Fields::of("[1]").is_none() && Fields::of("").is_none());
    }

    #[test]
    fn ends_early_on_what_is_not_json() {
        for text in ["{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":[", "[", "[[", "[\"", "[\"\\", "{a:1}", "{]", "[,,]"] {
            let _ = Fields::of(text).map(Iterator::count);
            let _ = Elements::of(text).map(Iterator::count);
        }
    }

    #[test]
    fn escapes_what_must_be_escaped() {
        let text = "a\"\\\n\t\u{1}中/";
        let mut out = String::new();
        write_text(&mut out, text);
        assert_eq!(out, "\"a\\\"\\\\\\n\\t\\u0001中/\"");
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}
