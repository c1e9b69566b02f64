//! The business parameters as JSON text: values keep every digit, and nothing goes through a float.

use milkrun_core::record::write_json_string;
use schemars::JsonSchema;
use serde::Deserialize;

/// The value of a business parameter in the settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a parameter has to be true or false, a whole number, a text, or a list of texts")]
pub enum Param {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
}

impl Param {
    fn json(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => quoted(text),
            Self::Texts(texts) => list(texts.iter().map(|text| quoted(text))),
        }
    }
}

/// A JSON object being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Biz(Vec<(String, String)>);

impl Biz {
    /// Adds a member, its value as JSON text.
    pub(crate) fn json(&mut self, name: &str, json: impl Into<String>) -> &mut Self {
        self.0.push((name.to_owned(), json.into()));
        self
    }

    /// Adds a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.json(name, quoted(text))
    }

    /// Adds a value of the settings.
    pub(crate) fn param(&mut self, name: &str, param: &Param) -> &mut Self {
        self.json(name, param.json())
    }

    /// The object, in the order in which its members were added.
    pub(crate) fn build(&self) -> String {
        object(self.0.iter().map(|(name, json)| (name.as_str(), json.as_str())))
    }
}

/// Members as an object; the values keep every byte.
pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let members = members.into_iter().map(|(name, json)| format!("{}:{json}", quoted(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Elements as a list; they keep every byte.
pub(crate) fn list(elements: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let elements: Vec<_> = elements.into_iter().map(|element| element.as_ref().to_owned()).collect();
    format!("[{}]", elements.join(","))
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    write_json_string(&mut out, text);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// Digits as a JSON number, anything else as a JSON string.
pub(crate) fn number_or_text(text: &str) -> String {
    if is_whole_number(text) { text.to_owned() } else { quoted(text) }
}

/// Whether a text is a whole number as JSON writes it, without sign: `0`, or digits that do not begin with a zero.
pub(crate) fn is_whole_number(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_kept() {
        let mut biz = Biz::default();
        biz.json("start_ts", number_or_text("18446744073709551615")).text("名\"", "a\\b\n");
        biz.param("flag", &Param::Flag(true)).param("ids", &Param::Texts(vec!["0518".into(), "中".into()]));
        biz.param("n", &Param::Number(-7)).json("w", number_or_text("007")).json("e", number_or_text(""));
        let text = r#"{"start_ts":18446744073709551615,"名\"":"a\\b\n","flag":true,"ids":["0518","中"],"n":-7,"w":"007","e":""}"#;
        assert_eq!(biz.build(), text);
        assert_eq!(Biz::default().build(), "{}");
    }
}
