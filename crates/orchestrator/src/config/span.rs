//! Reads tables of TOML with the place of everything, and collects all mistakes instead of the first one.

use std::ops::Range;
use std::time::Duration;

use milkrun_core::diagnostic::{Diagnostic, nearest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::{Moment, parse_duration};
use crate::text::{self, Lang, Text, fill};

/// Bytes of a file's text.
pub(crate) type Span = Range<usize>;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// What was found wrong in one file.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) lang: Lang,
    pub(crate) mistakes: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
    /// What must not be shown, though it stands in the file.
    pub(crate) hidden: Vec<Span>,
}

impl Findings {
    pub(crate) fn new(lang: Lang) -> Self {
        Self { lang, mistakes: Vec::new(), warnings: Vec::new(), hidden: Vec::new() }
    }

    pub(crate) fn mistake(&mut self, span: &Span, message: impl Into<String>) {
        self.mistakes.push(Diagnostic::new(span.clone(), message));
    }

    pub(crate) fn mistake_with(&mut self, span: &Span, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Diagnostic::new(span.clone(), message).help(help));
    }

    pub(crate) fn warning(&mut self, span: &Span, message: impl Into<String>, help: impl Into<String>) {
        self.warnings.push(Diagnostic::new(span.clone(), message).help(help));
    }

    /// Says that a value is of another type than it has to be.
    pub(crate) fn wrong_type(&mut self, key: &str, wanted: Text, found: &Spanned<DeValue<'_>>) {
        let lang = self.lang;
        let what = lang.say(type_name(found.get_ref()));
        let message = fill!(lang, text::WRONG_TYPE, key = key, wanted = lang.say(wanted), found = what);
        let help = match (wanted.is(text::A_TEXT), found.get_ref()) {
            (true, DeValue::Integer(n)) => Some(fill!(lang, text::WRITE_IN_QUOTES, value = n)),
            (true, DeValue::Float(n)) => Some(fill!(lang, text::WRITE_IN_QUOTES, value = n)),
            (true, DeValue::Boolean(b)) => Some(fill!(lang, text::WRITE_IN_QUOTES, value = b)),
            (false, DeValue::String(s)) if !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) => {
                Some(fill!(lang, text::WRITE_WITHOUT_QUOTES, value = s))
            }
            (false, DeValue::String(s)) if wanted.is(text::A_BOOLEAN) && (*s == "true" || *s == "false") => {
                Some(fill!(lang, text::WRITE_WITHOUT_QUOTES, value = s))
            }
            _ if wanted.is(text::A_MOMENT) => Some(lang.say(text::DATE_FORM).to_owned()),
            _ if wanted.is(text::A_DURATION) => Some(lang.say(text::DURATION_FORM).to_owned()),
            _ if wanted.is(text::A_SECRET) => Some(lang.say(text::SECRET_FORM).to_owned()),
            _ => None,
        };
        match help {
            Some(help) => self.mistake_with(&found.span(), message, help),
            None => self.mistake(&found.span(), message),
        }
    }
}

/// "did you mean …?" if a name is near, else the list of known names.
pub(crate) fn suggest(lang: Lang, wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known) {
        Some(name) => fill!(lang, text::DID_YOU_MEAN, name = name),
        None if known.is_empty() => lang.say(text::NONE_IS_KNOWN).to_owned(),
        None => fill!(lang, text::KNOWN_ARE, names = known.join(", ")),
    }
}

/// What a value is, in words.
pub(crate) fn type_name(value: &DeValue<'_>) -> Text {
    match value {
        DeValue::String(_) => text::A_TEXT,
        DeValue::Integer(_) => text::AN_INTEGER,
        DeValue::Float(_) => text::A_FLOAT,
        DeValue::Boolean(_) => text::A_BOOLEAN,
        DeValue::Datetime(_) => text::A_DATE_TIME,
        DeValue::Array(_) => text::A_LIST,
        DeValue::Table(_) => text::A_TABLE,
    }
}

/// One table with the keys it may have; reading marks nothing, and [`Section::close`] reports all other keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section<'a> {
    /// As messages name it: `[source]`.
    pub(crate) title: &'a str,
    /// Where a missing key is reported.
    pub(crate) span: &'a Span,
    pub(crate) table: &'a DeTable<'a>,
    pub(crate) keys: &'static [&'static str],
}

impl<'a> Section<'a> {
    pub(crate) fn get(self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        debug_assert!(self.keys.contains(&key), "`{key}` is not declared for {}", self.title);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// A text that is not empty.
    pub(crate) fn text(self, key: &str, findings: &mut Findings) -> Option<At<String>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(s) if s.trim().is_empty() => {
                findings.mistake(&value.span(), fill!(findings.lang, text::EMPTY_TEXT, key = key));
                None
            }
            DeValue::String(s) => Some(At { value: s.clone().into_owned(), span: value.span() }),
            _ => {
                findings.wrong_type(key, text::A_TEXT, value);
                None
            }
        }
    }

    /// A text that has to be there.
    pub(crate) fn required_text(self, key: &str, example: &str, findings: &mut Findings) -> Option<At<String>> {
        if self.get(key).is_none() {
            let lang = findings.lang;
            // A misspelt key is reported as such, and only once.
            if !self.is_misspelt(key) {
                let message = fill!(lang, text::MISSING_KEY, section = self.title, key = key);
                findings.mistake_with(self.span, message, fill!(lang, text::ADD_LINE, line = example));
            }
            return None;
        }
        self.text(key, findings)
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn integer(self, key: &str, least: u32, most: u32, findings: &mut Findings) -> Option<At<u32>> {
        let value = self.get(key)?;
        let DeValue::Integer(written) = value.get_ref() else {
            findings.wrong_type(key, text::AN_INTEGER, value);
            return None;
        };
        let number = i128::from_str_radix(written.as_str(), written.radix()).unwrap_or(i128::MAX);
        match u32::try_from(number) {
            Ok(n) if (least..=most).contains(&n) => Some(At { value: n, span: value.span() }),
            _ => {
                let lang = findings.lang;
                let message = fill!(lang, text::OUT_OF_RANGE, key = key, value = written, least = least, most = most);
                findings.mistake(&value.span(), message);
                None
            }
        }
    }

    pub(crate) fn boolean(self, key: &str, findings: &mut Findings) -> Option<At<bool>> {
        let value = self.get(key)?;
        let DeValue::Boolean(b) = value.get_ref() else {
            findings.wrong_type(key, text::A_BOOLEAN, value);
            return None;
        };
        Some(At { value: *b, span: value.span() })
    }

    /// A span of time such as `"10m"`.
    pub(crate) fn duration(self, key: &str, findings: &mut Findings) -> Option<At<Duration>> {
        let lang = findings.lang;
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(s) => {
                let duration = parse_duration(s);
                if duration.is_none() {
                    let message = fill!(lang, text::NO_DURATION, key = key, value = s);
                    findings.mistake_with(&value.span(), message, lang.say(text::DURATION_FORM));
                }
                Some(At { value: duration?, span: value.span() })
            }
            DeValue::Integer(n) => {
                let message = fill!(lang, text::DURATION_LACKS_UNIT, key = key);
                findings.mistake_with(&value.span(), message, fill!(lang, text::DURATION_WITH_UNIT, value = n));
                None
            }
            _ => {
                findings.wrong_type(key, text::A_DURATION, value);
                None
            }
        }
    }

    /// A date, or a date and a time.
    pub(crate) fn moment(self, key: &str, findings: &mut Findings) -> Option<At<Moment>> {
        let lang = findings.lang;
        let value = self.get(key)?;
        let written = match value.get_ref() {
            DeValue::String(s) => s.clone().into_owned(),
            DeValue::Datetime(at) => at.to_string(),
            _ => {
                findings.wrong_type(key, text::A_MOMENT, value);
                return None;
            }
        };
        let moment = Moment::parse(&written);
        if moment.is_none() {
            let message = fill!(lang, text::NO_DATE, key = key, value = written);
            findings.mistake_with(&value.span(), message, lang.say(text::DATE_FORM));
        }
        Some(At { value: moment?, span: value.span() })
    }

    /// A table, and where it begins.
    pub(crate) fn table(self, key: &str, findings: &mut Findings) -> Option<(&'a DeTable<'a>, Span)> {
        let value = self.get(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            findings.wrong_type(key, text::A_TABLE, value);
            return None;
        };
        Some((table, value.span()))
    }

    /// Whether some unknown key is most likely meant to be this one.
    pub(crate) fn is_misspelt(self, key: &str) -> bool {
        self.get(key).is_none() && self.has_near(key)
    }

    /// Whether some unknown key is near this one, which may be there too.
    pub(crate) fn has_near(self, key: &str) -> bool {
        self.unknown().any(|name| nearest(name.get_ref(), self.keys) == Some(key))
    }

    fn unknown(self) -> impl Iterator<Item = &'a Spanned<std::borrow::Cow<'a, str>>> {
        self.table.keys().filter(move |name| !self.keys.contains(&name.get_ref().as_ref()))
    }

    /// Reports the keys that the table may not have; `others` are tables that such a key may have been meant for.
    pub(crate) fn close(self, others: &[(&str, &[&str])], findings: &mut Findings) {
        for name in self.unknown() {
            let lang = findings.lang;
            let key = name.get_ref();
            let message = fill!(lang, text::UNKNOWN_KEY, key = key, section = self.title);
            let home = others.iter().find(|(_, keys)| keys.contains(&key.as_ref()));
            let help = match home {
                Some((section, _)) => fill!(lang, text::BELONGS_IN, key = key, section = section),
                None => suggest(lang, key, self.keys),
            };
            findings.mistake_with(&name.span(), message, help);
        }
    }
}
