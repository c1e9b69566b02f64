//! A mapping after compilation: what is written where, and from what.

use jiff::tz::TimeZone;

use crate::decimal::Round;
use crate::expr::Expr;
use crate::filter::{Condition, Literal};
use crate::path::Step;
use crate::time;

/// What the documents consist of.
#[derive(Debug)]
pub(crate) enum Body {
    /// The record as it came, byte for byte.
    AsCame,
    /// An object of the listed fields.
    Fields(Vec<Field>),
    /// What the expression gives, one object for each document.
    Transform(Box<Expr>),
    /// All fields of the record, with the listed ones on top.
    KeepAll {
        fields: Vec<Field>,
        /// For each of them, the slot of the record's own field of that name.
        own: Vec<u16>,
        /// What becomes of the record's own field, by slot; further fields are copied.
        fate: Vec<Fate>,
    },
}

/// What becomes of a field of the record when all are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is copied as it came.
    Copied,
    /// It is left out.
    Dropped,
    /// The rule of that number is written in its place.
    Replaced(usize),
    /// It is the list that `explode` takes apart: the element is written in its place.
    Element,
}

/// One field of the target document.
#[derive(Debug)]
pub(crate) struct Field {
    /// The name, for messages.
    pub(crate) name: String,
    /// The name as it is written: `"name":`.
    pub(crate) key: String,
    pub(crate) node: Node,
}

/// How a value of the document comes about.
#[derive(Debug)]
pub(crate) enum Node {
    /// The same JSON text every time.
    Const(String),
    /// A value of the record.
    Value(Box<Value>),
    /// A value that an expression gives.
    Computed(Box<Computed>),
    /// An object of its own.
    Object(Vec<Field>),
    /// A list with one value for each element of a list.
    Each(Box<Each>),
}

/// A value that an expression gives, brought into form as one of the record's would be.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) expr: Expr,
    /// Its `from` is what the expression is given; without any, it is given the record or the element.
    pub(crate) value: Value,
    /// Whether it stands in an `each`.
    pub(crate) in_element: bool,
}

/// A value taken from the record.
#[derive(Debug)]
pub(crate) struct Value {
    /// Where it is looked for; the first that is neither missing nor null counts.
    pub(crate) from: Vec<Source>,
    pub(crate) trim: bool,
    /// What means null.
    pub(crate) none: Vec<Literal>,
    pub(crate) values: Option<Lookup>,
    pub(crate) absent: Absent,
    /// Whether empty text is refused, besides what is missing or null.
    pub(crate) required: bool,
    pub(crate) convert: Convert,
    pub(crate) shape: Option<Shape>,
    /// Whether the value is copied and nothing else, so that the short way can be taken.
    pub(crate) plain: bool,
}

/// A table of values.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// Plain text → JSON text, in the order of the file.
    pub(crate) known: Vec<(String, String)>,
    /// JSON text for all others; without it they are refused.
    pub(crate) otherwise: Option<String>,
}

/// What is done about a value that is missing or null.
#[derive(Debug, Default)]
pub(crate) struct Absent {
    /// JSON text that is written instead.
    pub(crate) default: Option<String>,
    /// Whether it is refused.
    pub(crate) required: bool,
    /// Whether null is written; without it, what is missing is left out and null is written.
    pub(crate) null: Option<bool>,
}

/// The form a value is brought into.
#[derive(Debug)]
pub(crate) enum Convert {
    AsCame,
    Text,
    Number(Number),
    Boolean,
    Time(Time),
}

impl Convert {
    /// Whether an empty text says that there is no value.
    pub(crate) fn empty_is_null(&self) -> bool {
        !matches!(self, Self::AsCame | Self::Text)
    }
}

/// How a number is written.
#[derive(Debug)]
pub(crate) struct Number {
    /// Whether it has to be a whole number.
    pub(crate) whole: bool,
    /// Powers of ten it is multiplied by.
    pub(crate) shift: i32,
    pub(crate) round: Option<Round>,
    /// Digits after the point, at least.
    pub(crate) scale: u32,
    /// Whether it is written as a text.
    pub(crate) quoted: bool,
}

/// How a time is read and written.
#[derive(Debug)]
pub(crate) struct Time {
    pub(crate) input: time::Input,
    pub(crate) from: TimeZone,
    pub(crate) to: TimeZone,
    pub(crate) output: time::Output,
    /// Whether it is written as a text.
    pub(crate) quoted: bool,
}

/// What is done to a text at last.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) case: Option<Case>,
    pub(crate) prefix: String,
    pub(crate) suffix: String,
    /// The most characters, prefix and suffix included.
    pub(crate) max_length: Option<usize>,
    /// Whether what is too long is cut, not refused.
    pub(crate) cut: bool,
}

/// Upper or lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Upper,
    Lower,
}

/// One value for each element of a list.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) list: Source,
    /// The number of the elements' scope.
    pub(crate) scope: usize,
    pub(crate) filter: Option<Condition>,
    pub(crate) body: Node,
    pub(crate) absent: Absent,
}

/// Where a value is looked for.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) place: Place,
    /// The number of the scope whose slots are meant.
    pub(crate) scope: usize,
    /// The slot of the whole path taken as one name, if it might be one.
    pub(crate) whole: Option<u16>,
    /// The slot of the path's first name; `None` for the thing itself.
    pub(crate) slot: Option<u16>,
    /// The steps after the first name.
    pub(crate) rest: Vec<Step>,
    /// The path as the user wrote it.
    pub(crate) written: String,
}

/// The thing a source path begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The record.
    Record,
    /// The element that `explode` made this document from.
    Exploded,
    /// The element of the innermost `each`.
    Element,
}
