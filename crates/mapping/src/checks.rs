//! What a target asks of a document, checked in one pass before the document is sent.

use std::fmt::Write as _;

use milkrun_core::{FieldKind, FieldSpec};

use crate::decimal::{Decimal, Round, Rule};
use crate::error::MapError;
use crate::json::{Elements, Fields, decode_name, kind, plain_text};
use crate::time;

/// The most allowed values that a message lists.
const LISTED: usize = 8;

/// Checks of documents, compiled once and shared by all threads.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    root: Place,
    n: usize,
}

/// What is asked at one place of a document, and below it.
#[derive(Clone, Debug, Default)]
struct Place {
    asked: Option<Asked>,
    fields: Vec<(String, Place)>,
    element: Option<Box<Place>>,
}

/// What is asked of one value.
#[derive(Clone, Debug)]
struct Asked {
    kind: FieldKind,
    required: bool,
    max_chars: Option<usize>,
    scale: Option<u32>,
    one_of: Vec<String>,
}

/// One step of a path in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// The field of an object.
    Name(&'a str),
    /// Every element of a list.
    Every,
}

/// The steps of `lines[*].qty`; `None` if the path has another form.
pub(crate) fn parts(path: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    for name in path.split('.') {
        let bare = name.trim_end_matches("[*]");
        if bare.is_empty() || bare.contains(['[', ']', '*']) {
            return None;
        }
        parts.push(Part::Name(bare));
        parts.extend(std::iter::repeat_n(Part::Every, (name.len() - bare.len()) / 3));
    }
    Some(parts)
}

impl Checks {
    /// The checks that these fields ask for; of two for one path the stricter parts of both count.
    ///
    /// # Errors
    /// The path that is none: paths are names joined by `.`, with `[*]` for every element of a list.
    pub fn new(fields: &[FieldSpec]) -> Result<Self, String> {
        let mut checks = Self::default();
        for field in fields {
            let parts =
                parts(&field.path).ok_or_else(|| format!("`{}` is not a path such as `lines[*].qty`", field.path))?;
            let place = parts.iter().fold(&mut checks.root, |place, part| place.below(part));
            place.ask(field);
            checks.n += 1;
        }
        Ok(checks)
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Checks one document, JSON text that is known to be valid.
    ///
    /// # Errors
    /// The first field that falls short, with its path, its value and the reason.
    pub fn check(&self, document: &str) -> Result<(), MapError> {
        if self.is_empty() {
            return Ok(());
        }
        let mut path = String::new();
        self.root.inside(document.trim_ascii(), &mut path)
    }
}

/// Checks one document by what the fields ask; for more than one document, keep [`Checks`].
///
/// # Errors
/// The first field that falls short; or the path of a field that is none.
pub fn check(document: &str, fields: &[FieldSpec]) -> Result<(), MapError> {
    let checks = Checks::new(fields).map_err(|reason| MapError::of_document("", None, reason))?;
    checks.check(document)
}

impl Place {
    fn below(&mut self, part: &Part<'_>) -> &mut Self {
        match part {
            Part::Every => self.element.get_or_insert_default(),
            Part::Name(name) => {
                let at = self.fields.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                    self.fields.push(((*name).to_owned(), Self::default()));
                    self.fields.len() - 1
                });
                &mut self.fields[at].1
            }
        }
    }

    fn ask(&mut self, field: &FieldSpec) {
        let least = |a: Option<u32>, b: Option<u32>| a.into_iter().chain(b).min();
        let known = self.asked.take();
        let known_chars = known.as_ref().and_then(|k| k.max_chars.and_then(|n| u32::try_from(n).ok()));
        let both = |a: &[String], b: &[String]| match (a, b) {
            ([], all) | (all, []) => all.to_vec(),
            (a, b) => a.iter().filter(|word| b.contains(word)).cloned().collect(),
        };
        self.asked = Some(Asked {
            kind: match &known {
                Some(known) if field.kind == FieldKind::Any => known.kind,
                _ => field.kind,
            },
            required: field.required || known.as_ref().is_some_and(|k| k.required),
            max_chars: least(field.max_chars, known_chars).map(|n| n as usize),
            scale: least(field.scale, known.as_ref().and_then(|k| k.scale)),
            one_of: both(&field.one_of, known.as_ref().map_or(&[], |k| &k.one_of)),
        });
    }

    /// Checks a value that is there.
    fn value(&self, json: &str, path: &mut String) -> Result<(), MapError> {
        let absent = json == "null" || json == "\"\"";
        if let Some(asked) = &self.asked {
            if absent && asked.required {
                let reason = if json == "null" { "is null" } else { "is empty" };
                return Err(MapError::of_document(path, None, format!("{reason}, and the target asks for it")));
            }
            if !absent {
                asked.check(json).map_err(|reason| MapError::of_document(path, Some(json), reason))?;
            }
        }
        if absent && !self.fields.is_empty() {
            return self.nothing_below(path);
        }
        self.inside(json, path)
    }

    /// Checks what is inside a value.
    fn inside(&self, json: &str, path: &mut String) -> Result<(), MapError> {
        let length = path.len();
        if !self.fields.is_empty() {
            let Some(fields) = Fields::of(json) else {
                let reason = format!("is {}, and the target asks for an object", kind(json));
                return Err(MapError::of_document(path, Some(json), reason));
            };
            let mut seen = Seen::default();
            for (name, (start, end)) in fields {
                let name = decode_name(name);
                let Some(at) = self.fields.iter().position(|(known, _)| *known == name) else { continue };
                seen.add(at);
                push_name(path, &name);
                self.fields[at].1.value(json.get(start..end).unwrap_or_default(), path)?;
                path.truncate(length);
            }
            for (at, (name, place)) in self.fields.iter().enumerate() {
                if !seen.has(at) {
                    push_name(path, name);
                    place.missing(path)?;
                    path.truncate(length);
                }
            }
        }
        if let Some(element) = &self.element {
            let Some(elements) = Elements::of(json) else {
                if json == "null" || json == "\"\"" {
                    return Ok(());
                }
                let reason = format!("is {}, and the target asks for a list", kind(json));
                return Err(MapError::of_document(path, Some(json), reason));
            };
            for (i, json) in elements.enumerate() {
                let _ = write!(path, "[{i}]");
                element.value(json, path)?;
                path.truncate(length);
            }
        }
        Ok(())
    }

    /// The value is missing: so is everything below it, except for the elements of a list.
    fn missing(&self, path: &mut String) -> Result<(), MapError> {
        if self.asked.as_ref().is_some_and(|asked| asked.required) {
            return Err(MapError::of_document(path, None, "is missing, and the target asks for it"));
        }
        self.nothing_below(path)
    }

    fn nothing_below(&self, path: &mut String) -> Result<(), MapError> {
        let length = path.len();
        for (name, place) in &self.fields {
            push_name(path, name);
            place.missing(path)?;
            path.truncate(length);
        }
        Ok(())
    }
}

/// Which fields of an object were there.
#[derive(Default)]
struct Seen {
    first: u64,
    more: Vec<usize>,
}

impl Seen {
    fn add(&mut self, at: usize) {
        if at < 64 { self.first |= 1 << at } else { self.more.push(at) }
    }

    fn has(&self, at: usize) -> bool {
        if at < 64 { self.first & (1 << at) != 0 } else { self.more.contains(&at) }
    }
}

fn push_name(path: &mut String, name: &str) {
    path.push_str(if path.is_empty() { "" } else { "." });
    path.push_str(name);
}

impl Asked {
    /// Checks a value that is neither null nor an empty text.
    fn check(&self, json: &str) -> Result<(), String> {
        let text = || plain_text(json);
        let is_text = json.starts_with('"');
        let is_number = matches!(json.as_bytes().first(), Some(b'-' | b'0'..=b'9'));
        let asks = |what: &str| format!("is {}, and the target asks for {what}", kind(json));
        match self.kind {
            FieldKind::Any => {}
            FieldKind::Text if is_text || is_number => {}
            FieldKind::Text => return Err(asks("a text")),
            FieldKind::Integer | FieldKind::Decimal => {
                let whole = self.kind == FieldKind::Integer;
                let what = if whole { "a whole number" } else { "a number" };
                let text = text().filter(|_| is_text || is_number).ok_or_else(|| asks(what))?;
                let number = Decimal::parse(&text).ok_or("is not a number")?;
                if whole && !number.is_whole() {
                    return Err("is not a whole number".to_owned());
                }
            }
            FieldKind::Boolean if matches!(json, "true" | "false") => {}
            FieldKind::Boolean => return Err(asks("true or false")),
            FieldKind::Date | FieldKind::DateTime => {
                let day = self.kind == FieldKind::Date;
                let text = text().filter(|_| is_text).ok_or_else(|| asks("a date"))?;
                if !time::is_written(&text, day) {
                    let form = if day { "2026-08-01" } else { "2026-08-01 00:00:00" };
                    return Err(format!("is not a date of the form {form}"));
                }
            }
            FieldKind::List if json.starts_with('[') => {
                if self.required && Elements::of(json).is_some_and(|mut elements| elements.next().is_none()) {
                    return Err("has no element, and the target asks for one".to_owned());
                }
            }
            FieldKind::List => return Err(asks("a list")),
            FieldKind::Object if json.starts_with('{') => {}
            FieldKind::Object => return Err(asks("an object")),
        }
        self.limits(json)
    }

    fn limits(&self, json: &str) -> Result<(), String> {
        if self.max_chars.is_none() && self.scale.is_none() && self.one_of.is_empty() {
            return Ok(());
        }
        let Some(text) = plain_text(json) else { return Ok(()) };
        if let Some(most) = self.max_chars
            && text.len() > most
        {
            let n = text.chars().count();
            if n > most {
                return Err(format!("has {n} characters, more than {most}"));
            }
        }
        if let Some(most) = self.scale {
            let number = Decimal::parse(text.trim()).ok_or("is not a number")?;
            let mut cut = String::new();
            let written = number.write(Some(Round { scale: most, rule: Rule::Down }), 0, &mut cut);
            let same = Decimal::parse(&cut).is_some_and(|cut| cut.compare(number).is_eq());
            if written.is_none() || !same {
                return Err(format!("has too many decimals, more than {most}"));
            }
        }
        if self.one_of.is_empty() {
            return Ok(());
        }
        let number = Decimal::parse(&text).filter(|_| !json.starts_with('"'));
        let same = |word: &String| {
            *word == *text || number.zip(Decimal::parse(word)).is_some_and(|(a, b)| a.compare(b).is_eq())
        };
        if self.one_of.iter().any(same) {
            return Ok(());
        }
        let mut listed = self.one_of.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
        if self.one_of.len() > LISTED {
            listed.push_str(", …");
        }
        Err(format!("is none of the values the target knows: {listed}"))
    }
}
