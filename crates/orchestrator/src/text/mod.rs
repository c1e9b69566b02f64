//! What a user reads, in English and in Chinese, from one catalogue.

mod catalogue;
mod files;
mod help;
mod messages;
mod typeset;
mod usage;

use std::fmt::Display;

pub(crate) use catalogue::*;
pub(crate) use files::{
    DEMO_CLIENTS, DEMO_FILE, DEMO_ITEMS, DEMO_ORDERS, DEMO_PURCHASE, DEMO_SALES, DEMO_STOCK, File, INIT_FILE,
    INIT_FILES, INIT_FLOW,
};
pub(crate) use help::translate as translate_help;
pub(crate) use usage::tell as tell_usage;

/// A language of the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Lang {
    // No doc comments: they would become help texts and make the short help a long one.
    #[default]
    En,
    Zh,
}

impl Lang {
    /// The language that a locale's name asks for: `zh_CN.UTF-8` is Chinese, everything else English.
    pub(crate) fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("zh") { Self::Zh } else { Self::En }
    }

    /// A sentence without placeholders.
    pub(crate) fn say(self, text: Text) -> &'static str {
        match self {
            Self::En => text.en,
            Self::Zh => text.zh,
        }
    }

    /// A sentence with its placeholders filled.
    pub(crate) fn fill(self, text: Text, values: &[(&str, &dyn Display)]) -> String {
        let add = |filled: &mut String, piece: &str| match self {
            Self::En => filled.push_str(piece),
            Self::Zh => typeset::set(filled, piece),
        };
        let mut filled = String::new();
        let mut rest = self.say(text);
        while let Some((before, after)) = rest.split_once('{') {
            add(&mut filled, before);
            // Other braces are a part of the sentence: `{ env = "NAME" }`.
            let Some((Placeholder { name, counted }, after)) = placeholder(after) else {
                filled.push('{');
                rest = after;
                continue;
            };
            let value = values.iter().find(|(n, _)| *n == name);
            debug_assert!(value.is_some(), "`{{{name}}}` of {text:?} is not filled");
            if let Some((_, value)) = value {
                let value = value.to_string();
                add(&mut filled, &value);
                if let Some((one, many)) = counted {
                    filled.push(' ');
                    filled.push_str(if value == "1" { one } else { many });
                }
            }
            rest = after;
        }
        add(&mut filled, rest);
        filled
    }

    /// The text of a title in this language.
    pub(crate) fn title(self, title: &milkrun_core::stream::Title) -> &str {
        match self {
            Self::En => &title.en,
            Self::Zh => &title.zh,
        }
    }
}

/// A sentence in both languages; `{name}` is a placeholder, and `{n:file|files}` one whose number is followed by a word
/// that fits it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    en: &'static str,
    zh: &'static str,
}

impl Text {
    /// Whether it is the same sentence.
    pub(crate) fn is(self, other: Self) -> bool {
        self.en == other.en
    }
}

/// What stands between two braces.
struct Placeholder<'a> {
    name: &'a str,
    /// The words that follow one and any other number.
    counted: Option<(&'a str, &'a str)>,
}

/// A placeholder, and what follows it; `text` begins after the brace.
fn placeholder(text: &str) -> Option<(Placeholder<'_>, &str)> {
    let (inside, after) = text.split_once('}')?;
    let (name, counted) = match inside.split_once(':') {
        Some((name, words)) => (name, Some(words.split_once('|')?)),
        None => (inside, None),
    };
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_name.then_some((Placeholder { name, counted }, after))
}

/// Fills a sentence: `fill!(lang, FLOW_IS_BUSY, flow = name)`.
macro_rules! fill {
    ($lang:expr, $text:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $lang.fill($text, &[$((stringify!($name), &$value as &dyn std::fmt::Display)),*])
    };
}
pub(crate) use fill;

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(text: &str) -> Vec<&str> {
        let mut names: Vec<_> = text.split('{').skip(1).filter_map(|part| Some(placeholder(part)?.0.name)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn both_languages_say_everything_with_the_same_placeholders() {
        for (name, text) in ALL {
            assert!(!text.en.is_empty() && !text.zh.is_empty(), "{name} is missing in one language");
            assert_eq!(placeholders(text.en), placeholders(text.zh), "{name}");
            for side in [text.en, text.zh] {
                assert_eq!(side.matches('{').count(), side.matches('}').count(), "{name}");
            }
        }
    }

    #[test]
    fn fills_placeholders() {
        let text = Text { en: "{a} of { {b} }, {a}", zh: "{b}中的{a}" };
        assert_eq!(fill!(Lang::En, text, a = 1, b = "x"), "1 of { x }, 1");
        assert_eq!(fill!(Lang::Zh, text, a = 1, b = "x"), "x 中的 1");
        let text = Text { en: "{n:file is|files are} left", zh: "剩余 {n} 个文件" };
        assert_eq!(fill!(Lang::En, text, n = 0), "0 files are left");
        assert_eq!(fill!(Lang::En, text, n = 1), "1 file is left");
        assert_eq!(fill!(Lang::En, text, n = "1,001"), "1,001 files are left");
        assert_eq!(fill!(Lang::Zh, text, n = 1), "剩余 1 个文件");
        assert_eq!(Lang::of_locale("zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(Lang::of_locale("C.UTF-8"), Lang::En);
    }
}
