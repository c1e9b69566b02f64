//! A sentence with holes: finds what stands in them, and tells it in Chinese.

use std::borrow::Cow;

/// A pattern with fewer letters of its own than these fits nearly anything.
const HARDLY_ANY: usize = 3;
/// And so does one with fewer than these that begins with a hole.
const FEW_LETTERS: usize = 6;

/// A sentence in English and in Chinese.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    english: Vec<Part>,
    chinese: Vec<Part>,
}

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    /// A hole of that number.
    Hole(usize),
}

impl Pattern {
    /// A sentence and its Chinese, both as `format!` has them: `{}`, `{name}`, and `{{` for a brace.
    ///
    /// English that ends with a blank is the beginning of a sentence: what follows is a hole of its own.
    pub(super) fn new(english: &str, chinese: &str) -> Self {
        let follows = if english.ends_with(' ') { "{…}" } else { "" };
        let english = split(&format!("{english}{follows}"));
        let chinese = split(&format!("{chinese}{follows}"));
        let names: Vec<&str> = english.iter().filter_map(|part| part.as_ref().err().map(String::as_str)).collect();
        let unnamed: Vec<usize> = (0..names.len()).filter(|i| names[*i].is_empty()).collect();
        let mut n_unnamed = 0;
        let number = |name: &str, n_unnamed: &mut usize| {
            if name.is_empty() {
                *n_unnamed += 1;
                return unnamed.get(*n_unnamed - 1).copied();
            }
            let by_name = names.iter().position(|n| *n == name);
            by_name.or_else(|| name.parse().ok().filter(|n| *n < names.len()))
        };
        let chinese = chinese.iter().filter_map(|part| match part {
            Ok(words) => Some(Part::Words(words.clone())),
            Err(name) => number(name, &mut n_unnamed).map(Part::Hole),
        });
        let chinese = chinese.collect();
        let mut holes = 0..;
        let mut next = || Part::Hole(holes.next().expect("it has no end"));
        let english =
            english.iter().map(|part| part.as_ref().map_or_else(|_| next(), |words| Part::Words(words.clone())));
        Self { english: english.collect(), chinese }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.english.iter().filter_map(|part| if let Part::Words(words) = part { Some(words.as_str()) } else { None })
    }

    /// How many bytes of it are words of its own: of two patterns that fit, the one with more says more exactly what
    /// was said.
    pub(super) fn n_literal(&self) -> usize {
        self.words().map(str::len).sum()
    }

    /// Whether it fits nearly anything.
    pub(super) fn is_loose(&self) -> bool {
        let n_letters: usize = self.words().map(|words| words.chars().filter(char::is_ascii_alphabetic).count()).sum();
        let begins_with_hole = matches!(self.english.first(), Some(Part::Hole(_)));
        let has_hole = self.english.iter().any(|part| matches!(part, Part::Hole(_)));
        has_hole && (n_letters < HARDLY_ANY || begins_with_hole && n_letters < FEW_LETTERS)
    }

    /// What stands in the holes of what was said, if it is this sentence.
    pub(super) fn find_in<'a>(&self, said: &'a str) -> Option<Vec<&'a str>> {
        let mut holes = Vec::new();
        let mut rest = said;
        let mut before = "";
        for (i, part) in self.english.iter().enumerate() {
            match part {
                Part::Words(words) if i == 0 => rest = rest.strip_prefix(words.as_str())?,
                Part::Words(words) => {
                    let is_last = i + 1 == self.english.len();
                    let at =
                        if is_last { rest.strip_suffix(words.as_str())?.len() } else { rest.find(words.as_str())? };
                    let hole = &rest[..at];
                    // A name in backticks holds none.
                    if before.ends_with('`') && words.starts_with('`') && hole.contains('`') {
                        return None;
                    }
                    if let Some(last) = holes.last_mut() {
                        *last = hole;
                    }
                    rest = &rest[at + words.len()..];
                }
                // What it holds is known when the words behind it are found. Of two side by side, the second holds all.
                Part::Hole(_) => holes.push(""),
            }
            if let Part::Words(words) = part {
                before = words;
            }
        }
        match self.english.last() {
            Some(Part::Hole(_)) => *holes.last_mut().expect("it was pushed for this part") = rest,
            _ if !rest.is_empty() => return None,
            _ => {}
        }
        Some(holes)
    }

    /// The sentence in Chinese; `retell` does the same for what stands in a hole, unless it is a name in backticks.
    pub(super) fn tell<'a>(&self, holes: &[&'a str], retell: impl Fn(&'a str) -> Cow<'a, str>) -> String {
        let mut told = String::new();
        let mut is_name = false;
        for part in &self.chinese {
            let ends_name = std::mem::take(&mut is_name);
            match part {
                // The backtick behind a name belongs to it, also where the name is Chinese.
                Part::Words(words) if ends_name => told.push_str(words),
                Part::Words(words) => push(&mut told, words),
                Part::Hole(n) if told.ends_with('`') => {
                    told.push_str(holes[*n]);
                    is_name = true;
                }
                Part::Hole(n) => push(&mut told, &retell(holes[*n])),
            }
        }
        told
    }
}

/// Adds a text; between Chinese and Latin writing, names in backticks included, stands a blank.
fn push(told: &mut String, text: &str) {
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let is_latin = |c: char| c.is_ascii_alphanumeric() || c == '`';
    if let (Some(last), Some(first)) = (told.chars().last(), text.chars().next())
        && (is_chinese(last) && is_latin(first) || is_latin(last) && is_chinese(first))
    {
        told.push(' ');
    }
    told.push_str(text);
}

/// The words (`Ok`) and the names of the holes (`Err`) of a sentence, in turn.
pub(super) fn split(sentence: &str) -> Vec<Result<String, String>> {
    let mut parts = Vec::new();
    let mut words = String::new();
    let mut rest = sentence;
    while let Some(at) = rest.find(['{', '}']) {
        words.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            words.push_str(brace);
            rest = after;
        } else if let Some((name, after)) = rest.split_once('}') {
            if !words.is_empty() {
                parts.push(Ok(std::mem::take(&mut words)));
            }
            parts.push(Err(name.to_owned()));
            rest = after;
        }
    }
    words.push_str(rest);
    if !words.is_empty() {
        parts.push(Ok(words));
    }
    parts
}
