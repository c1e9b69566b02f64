//! Conditions on a record or an element: which ones are mapped at all.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::decimal::Decimal;
use crate::error::MapError;
use crate::expr::Expr;
use crate::json::{Elements, kind, plain_text};
use crate::rule::{Place, Source};

/// What has to hold.
#[derive(Debug)]
pub(crate) enum Condition {
    /// All of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// All tests on one value.
    Field { source: Source, tests: Vec<Test> },
    /// An expression that gives true.
    Expr {
        expr: Box<Expr>,
        /// Whether it is given the element of an `each`.
        in_element: bool,
        /// Whether it asks for the exploded element.
        needs_element: bool,
    },
}

/// What conditions are tested on.
pub(crate) trait Facts<'r> {
    /// The JSON text of a value, or `None` if it is missing.
    fn fetch(&self, source: &Source) -> Option<&'r str>;

    /// What the expression says.
    fn says(&self, expr: &Expr, in_element: bool) -> Result<bool, MapError>;
}

/// A test on one value; what is missing or null passes only those that say so.
#[derive(Debug)]
pub(crate) enum Test {
    /// It is one of them; with `false`, it is none of them, and what is missing passes.
    OneOf(Vec<Literal>, bool),
    /// It is a number that compares so.
    Compare(Bound, String),
    /// It is a text that has this part, or a list that has this element.
    Contains(String),
    /// It is missing or null; with `false`, it is there.
    Missing(bool),
}

/// Which side of a number is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    AtLeast,
    AtMost,
    MoreThan,
    LessThan,
}

impl Bound {
    fn allows(self, order: Ordering) -> bool {
        match self {
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
            Self::MoreThan => order.is_gt(),
            Self::LessThan => order.is_lt(),
        }
    }
}

/// A plain value of the flow file, to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) text: String,
    /// Whether it was written as a number, so that `42` and `42.00` are the same.
    pub(crate) number: bool,
}

impl Literal {
    /// Whether it is the same as a plain text; a number and the same digits as text are one.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.text == text
            || (self.number
                && Decimal::parse(text).zip(Decimal::parse(&self.text)).is_some_and(|(a, b)| a.compare(b).is_eq()))
    }
}

impl Condition {
    /// Whether it holds.
    ///
    /// # Errors
    /// If a value that is to be compared by size is not a number: such a record is refused, not silently left out.
    pub(crate) fn holds<'r>(&self, facts: &impl Facts<'r>) -> Result<bool, MapError> {
        match self {
            Self::All(all) => {
                for condition in all {
                    if !condition.holds(facts)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(any) => {
                for condition in any {
                    if condition.holds(facts)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Field { source, tests } => {
                let value = facts.fetch(source).filter(|&raw| raw != "null");
                for test in tests {
                    let passed = test.passes(value);
                    if !passed.map_err(|reason| MapError::new(&source.written, value, reason).under("filter"))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Expr { expr, in_element, .. } => facts.says(expr, *in_element).map_err(|error| error.under("filter")),
        }
    }

    /// Whether it asks for something of the exploded element.
    pub(crate) fn needs_element(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::needs_element),
            Self::Field { source, .. } => source.place == Place::Exploded,
            Self::Expr { needs_element, .. } => *needs_element,
        }
    }
}

impl Test {
    fn passes(&self, value: Option<&str>) -> Result<bool, Cow<'static, str>> {
        let Some(raw) = value else {
            return Ok(matches!(self, Self::OneOf(_, false) | Self::Missing(true)));
        };
        match self {
            Self::Missing(expected) => Ok(!expected),
            Self::OneOf(literals, expected) => {
                let text = plain_text(raw);
                let is_one = text.is_some_and(|text| literals.iter().any(|l| l.matches(&text)));
                Ok(is_one == *expected)
            }
            Self::Compare(bound, than) => {
                let not_a_number = || Cow::Owned(format!("is {}, not a number", kind(raw)));
                let text = plain_text(raw).ok_or_else(not_a_number)?;
                if text.trim().is_empty() {
                    return Ok(false);
                }
                let number = Decimal::parse(text.trim()).ok_or(Cow::Borrowed("is not a number"))?;
                let than = Decimal::parse(than).expect("it was checked when the mapping was compiled");
                Ok(bound.allows(number.compare(than)))
            }
            Self::Contains(part) => {
                if let Some(elements) = Elements::of(raw) {
                    return Ok(elements.filter_map(plain_text).any(|text| text == *part));
                }
                Ok(plain_text(raw).is_some_and(|text| text.contains(part.as_str())))
            }
        }
    }
}
