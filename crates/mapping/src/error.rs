//! Why a record cannot be mapped: the field, the value, and what is wrong with it.

use std::borrow::Cow;
use std::fmt;

use crate::json::plain_text;

/// The most characters of a value that are shown.
const SHOWN: usize = 80;

/// A record that does not fit its mapping; the other records of the page are not affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapError {
    field: String,
    source: String,
    value: Option<String>,
    reason: Cow<'static, str>,
}

impl MapError {
    /// `value` is JSON text.
    pub(crate) fn new(source: &str, value: Option<&str>, reason: impl Into<Cow<'static, str>>) -> Self {
        let value = value.map(|json| shorten(&plain_text(json).unwrap_or(Cow::Borrowed(json))));
        Self { field: String::new(), source: source.to_owned(), value, reason: reason.into() }
    }

    /// A field of a document that falls short of what is asked of it; `value` is JSON text.
    pub(crate) fn of_document(path: &str, value: Option<&str>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { field: path.to_owned(), ..Self::new("", value, reason) }
    }

    /// The same mistake, in that document of several.
    pub(crate) fn in_document(mut self, index: usize) -> Self {
        self.reason = format!("{} (document {} of the record)", self.reason, index + 1).into();
        self
    }

    /// The same mistake, seen from the object that holds the field.
    pub(crate) fn under(self, field: &str) -> Self {
        self.behind(field)
    }

    /// The same mistake, seen from the list that holds the element.
    pub(crate) fn in_element(self, index: usize) -> Self {
        self.behind(&format!("[{index}]"))
    }

    /// The same mistake in a document that was made from the element of a list: the source path names the element.
    pub(crate) fn exploded(mut self, list: &str, index: usize) -> Self {
        let rest = self.source.strip_prefix(list).filter(|rest| rest.is_empty() || rest.starts_with('.'));
        if let Some(rest) = rest {
            self.source = format!("{list}[{index}]{rest}");
        }
        self
    }

    fn behind(mut self, first: &str) -> Self {
        let link = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        self.field = format!("{first}{link}{}", self.field);
        self
    }

    /// The path of the field in the target document, such as `purchaseOrders[3].qty`; `filter` for a condition.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The path in the record, as the rule names it; `expr` for an expression, empty for a check of the document.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value, cut to 80 characters; `None` if there was none.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What is wrong, such as "is not a date".
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// ``field `vouchdate`: `abc` (from `created`) is not a date``.
impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, source, value, reason } = self;
        if !field.is_empty() {
            write!(f, "field `{field}`: ")?;
        }
        match value {
            Some(value) if source.is_empty() => write!(f, "`{value}` {reason}"),
            None if source.is_empty() => write!(f, "{reason}"),
            Some(value) => write!(f, "`{value}` (from `{source}`) {reason}"),
            None => write!(f, "`{source}` {reason}"),
        }
    }
}

impl std::error::Error for MapError {}

impl From<MapError> for milkrun_core::Error {
    fn from(e: MapError) -> Self {
        let field = e.field.clone();
        Self::new(milkrun_core::ErrorKind::Refused, "the record does not fit the mapping")
            .with("field", field)
            .caused_by(e)
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}
