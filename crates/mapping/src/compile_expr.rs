//! Compiles expressions, and finds the place of their mistakes in the file.

use std::borrow::Cow;
use std::ops::Range;

use milkrun_core::diagnostic::Diagnostic;
use toml::de::DeValue;

use crate::compile::{Compiler, Here};
use crate::expr::{Around, Expr, Note};
use crate::path::Step;
use crate::reader::{Entry, Value};

/// Keys that have no say beside `transform`.
const NOT_BESIDE_TRANSFORM: &[&str] = &["fields", "keep", "drop", "explode"];

impl Compiler<'_> {
    /// The expression of a key; `given` is the path of its input if that is neither the record nor the element.
    pub(crate) fn expr(&mut self, name: &str, value: &Value<'_>, here: &Here, given: Option<&[Step]>) -> Option<Expr> {
        let text = self.mistakes.text(name, value)?;
        self.has_expressions = true;
        let element = self.explode.as_ref().map(|list| [list.as_slice(), &[Step::Every]].concat());
        let unit_of = |steps: &[Step]| self.unit_of(steps);
        let around = Around {
            here: Some(given.unwrap_or(&here.prefix)),
            element: element.as_deref(),
            unit_of: &unit_of,
            tables: &self.options.tables,
        };
        let compiled = Expr::compile(text, &around);
        let diagnostic =
            |note: Note| Diagnostic { span: in_file(value, note.span), message: note.message, help: note.help };
        match compiled {
            Ok((expr, warnings)) => {
                self.warnings.0.extend(warnings.into_iter().map(diagnostic));
                Some(expr)
            }
            Err(mistakes) => {
                self.mistakes.0.extend(mistakes.into_iter().map(diagnostic));
                None
            }
        }
    }

    /// The expression that makes whole documents.
    pub(crate) fn transform(&mut self, entry: &Entry<'_, '_>, all: &[Entry<'_, '_>]) -> Option<Expr> {
        for other in all.iter().filter(|e| NOT_BESIDE_TRANSFORM.contains(&e.name)) {
            let message = format!("`{}` cannot stand beside `transform`", other.name);
            self.mistakes.add(other.span.clone(), message, "the expression gives the whole document");
        }
        self.expr("transform", entry.value, &Here::default(), None)
    }
}

/// The place in the file of a part of a text.
///
/// Exact for texts without escapes, and for those whose escapes are all of two characters that stand for a quote or a
/// backslash; else the whole text.
fn in_file(value: &Value<'_>, part: Range<usize>) -> Range<usize> {
    let span = value.span();
    let DeValue::String(text) = value.get_ref() else { return span };
    let around = span.len().saturating_sub(text.len());
    let before = match text {
        Cow::Borrowed(_) => match around {
            2 => 1,
            // Three quotes, and perhaps the line break after them, which is no part of the text.
            6 => 3,
            7 => 4,
            8 => 5,
            _ => return span,
        },
        Cow::Owned(text) => {
            let escapes = |text: &str| text.bytes().filter(|b| matches!(b, b'"' | b'\\')).count();
            if around != 2 + escapes(text) {
                return span;
            }
            let shifted = |at: usize| 1 + at + escapes(&text[..at]);
            return span.start + shifted(part.start)..(span.start + shifted(part.end)).min(span.end);
        }
    };
    let start = (span.start + before + part.start).min(span.end);
    start..(span.start + before + part.end).min(span.end)
}
