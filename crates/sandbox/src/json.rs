//! A JSON writer that keeps each number's literal text, which a float in between would change.

use std::fmt::{self, Write as _};

/// JSON text under construction; commas are put where they are missing.
#[derive(Debug, Default)]
pub(crate) struct Json(String);

impl Json {
    /// An empty text with room for `bytes`.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// The finished text.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// Opens an object, as a list element or as the value of the last key.
    pub(crate) fn begin(&mut self) {
        self.separate();
        self.0.push('{');
    }

    /// Closes the object.
    pub(crate) fn end(&mut self) {
        self.0.push('}');
    }

    /// Opens a list under `key`.
    pub(crate) fn begin_list(&mut self, key: &str) {
        self.key(key);
        self.0.push('[');
    }

    /// Closes the list.
    pub(crate) fn end_list(&mut self) {
        self.0.push(']');
    }

    /// Writes a key; what is written next becomes its value.
    pub(crate) fn key(&mut self, key: &str) {
        self.separate();
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    /// A text value.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.quote(value);
    }

    /// A text value built from parts that need no escaping.
    pub(crate) fn format(&mut self, key: &str, value: fmt::Arguments<'_>) {
        self.key(key);
        self.0.push('"');
        self.push(value);
        self.0.push('"');
    }

    /// A whole number.
    pub(crate) fn int(&mut self, key: &str, value: impl Into<i64>) {
        self.key(key);
        self.push(format_args!("{}", value.into()));
    }

    /// Any other value, given as JSON text.
    pub(crate) fn literal(&mut self, key: &str, value: &str) {
        self.key(key);
        self.0.push_str(value);
    }

    /// A value that is JSON text already, as a list element or as the value of the last key.
    pub(crate) fn raw(&mut self, value: &str) {
        self.separate();
        self.0.push_str(value);
    }

    /// Hundredths as text with two decimals: 4200 is `"42.00"`.
    pub(crate) fn hundredths_text(&mut self, key: &str, value: i64) {
        self.format(key, format_args!("{}.{:02}", value / 100, value % 100));
    }

    /// Hundredths as the shortest text: 4200 is `"42"`, 3980 is `"39.8"`.
    pub(crate) fn hundredths_short(&mut self, key: &str, value: i64) {
        self.key(key);
        self.0.push('"');
        self.shortest(value);
        self.0.push('"');
    }

    /// Hundredths as the shortest number: 1860 is `18.6`.
    pub(crate) fn hundredths_number(&mut self, key: &str, value: i64) {
        self.key(key);
        self.shortest(value);
    }

    fn shortest(&mut self, value: i64) {
        match (value / 100, value % 100) {
            (whole, 0) => self.push(format_args!("{whole}")),
            (whole, cents) if cents % 10 == 0 => self.push(format_args!("{whole}.{}", cents / 10)),
            (whole, cents) => self.push(format_args!("{whole}.{cents:02}")),
        }
    }

    fn push(&mut self, value: fmt::Arguments<'_>) {
        self.0.write_fmt(value).expect("a String takes any text");
    }

    fn separate(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }

    fn quote(&mut self, value: &str) {
        self.0.push('"');
        for character in value.chars() {
            match character {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                control if control < ' ' => self.push(format_args!("\\u{:04x}", u32::from(control))),
                other => self.0.push(other),
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn writes_objects_lists_and_literal_numbers() {
        let mut json = Json::default();
        json.begin();
        json.text("a", "say \"{\"\n\u{1}");
        json.literal("b", "1E+2");
        json.begin_list("c");
        json.begin();
        json.int("d", -1);
        json.end();
        json.begin();
        json.end();
        json.end_list();
        json.hundredths_text("e", 4205);
        json.hundredths_short("f", 4200);
        json.hundredths_number("g", 1860);
        json.hundredths_number("h", 7);
        json.end();
        let expected = r#"{"a":"say \"{\"\n\u0001","b":1E+2,"c":[{"d":-1},{}],"e":"42.05","f":"42","g":18.6,"h":0.07}"#;
        assert_eq!(json.into_string(), expected);
    }
}
