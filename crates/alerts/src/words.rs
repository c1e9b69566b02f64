//! Both languages: a sentence as it is kept, and one with holes as it stands in a table.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A language of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The names of all languages as they are written.
    pub const NAMES: [&'static str; 2] = ["zh", "en"];

    /// The language of that name.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

/// What is said, in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Words {
    /// The same in both languages, such as a name.
    pub fn same(text: impl Into<String>) -> Self {
        let en = text.into();
        Self { zh: en.clone(), en }
    }

    /// What is said in a language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Tells in Chinese what another part of the program said in English.
pub type Retell = fn(&str) -> String;

/// A sentence of this crate's tables in both languages; `{name}` is a hole, and `{n:run|runs}` one whose number is
/// followed by a word that fits it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrase {
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

impl Phrase {
    pub(crate) fn get(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.zh,
            Lang::En => self.en,
        }
    }

    /// The sentence with its holes filled, in one language.
    pub(crate) fn tell(self, lang: Lang, values: &[(&str, Hole<'_>)]) -> String {
        let mut told = String::new();
        let mut rest = self.get(lang);
        while let Some((before, after)) = rest.split_once('{') {
            told.push_str(before);
            let (name, after) = after.split_once('}').expect("the test of the tables finds an open hole");
            let (name, counted) =
                name.split_once(':').map_or((name, None), |(name, words)| (name, words.split_once('|')));
            let (_, value) = values.iter().find(|(n, _)| *n == name).expect("every sentence is filled in a test");
            told.push_str(&value.tell(lang));
            if let Some((one, other)) = counted {
                told.push(' ');
                told.push_str(if matches!(value, Hole::Count(1)) { one } else { other });
            }
            rest = after;
        }
        told + rest
    }

    /// The sentence with its holes filled, in both languages.
    pub(crate) fn fill(self, values: &[(&str, Hole<'_>)]) -> Words {
        Words { en: self.tell(Lang::En, values), zh: self.tell(Lang::Zh, values) }
    }
}

/// What stands in a hole.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hole<'a> {
    /// A name, or a text that is the same in both languages.
    Text(&'a str),
    /// Words, each language in its own sentence.
    Words(&'a Words),
    /// A number of things.
    Count(u64),
    /// A length of time.
    Length(Duration),
}

impl Hole<'_> {
    fn tell(self, lang: Lang) -> String {
        match self {
            Self::Text(text) => text.to_owned(),
            Self::Words(words) => words.get(lang).to_owned(),
            Self::Count(n) => n.to_string(),
            Self::Length(length) => tell_length(length, lang),
        }
    }
}

/// A length of time as people say it: its two greatest units, minutes at the least.
pub(crate) fn tell_length(length: Duration, lang: Lang) -> String {
    let minutes = length.as_secs() / 60;
    let units = [(minutes / 1440, "d", "天"), (minutes / 60 % 24, "h", "小时"), (minutes % 60, "min", "分钟")];
    let first = units.iter().position(|(n, ..)| *n > 0);
    let Some(first) = first else {
        return match lang {
            Lang::Zh => "不到 1 分钟".to_owned(),
            Lang::En => "less than a minute".to_owned(),
        };
    };
    let told = units[first..].iter().take(2).filter(|(n, ..)| *n > 0).map(|(n, en, zh)| match lang {
        Lang::Zh => format!("{n} {zh}"),
        Lang::En => format!("{n} {en}"),
    });
    told.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units() {
        let cases = [
            (30, "less than a minute", "不到 1 分钟"),
            (60, "1 min", "1 分钟"),
            (7_500, "2 h 5 min", "2 小时 5 分钟"),
            (86_400, "1 d", "1 天"),
            (90_061, "1 d 1 h", "1 天 1 小时"),
        ];
        for (secs, en, zh) in cases {
            let length = Duration::from_secs(secs);
            assert_eq!((&*tell_length(length, Lang::En), &*tell_length(length, Lang::Zh)), (en, zh));
        }
    }

    #[test]
    fn holes_are_filled() {
        let phrase = Phrase { en: "{n} of {what}", zh: "{what}中的 {n} 个" };
        let what = Words { en: "all".to_owned(), zh: "全部".to_owned() };
        let told = phrase.fill(&[("n", Hole::Count(3)), ("what", Hole::Words(&what))]);
        assert_eq!((&*told.en, &*told.zh), ("3 of all", "全部中的 3 个"));
    }
}
