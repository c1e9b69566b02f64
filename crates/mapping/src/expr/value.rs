//! The values of expressions: JSON with the numbers as they were written.

use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

use super::meter::{self, DEEPEST, Stop};
use super::number::Num;
use super::write;

/// A value. Lists and objects are shared and know how deep they nest; comparing, writing and growing them pays.
#[derive(Clone, Debug, Default)]
pub(crate) enum Val {
    /// Null.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Num(Num),
    /// A text.
    Str(Rc<str>),
    /// A list.
    List(Rc<List>),
    /// An object, in the order of its fields.
    Obj(Rc<Obj>),
}

/// The elements of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) items: Vec<Val>,
    depth: u16,
}

/// The fields of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Obj {
    pub(crate) fields: Vec<(Rc<str>, Val)>,
    depth: u16,
}

/// How many fields of an object are looked at for one step.
const FIELDS_PER_STEP: usize = 32;

impl Obj {
    fn place(&self, name: &str) -> Option<usize> {
        meter::pay(1 + self.fields.len() / FIELDS_PER_STEP);
        self.fields.iter().position(|(known, _)| **known == *name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Val> {
        self.place(name).map(|at| &self.fields[at].1)
    }

    /// Sets a field, in its place or at the end.
    pub(crate) fn set(&mut self, name: Rc<str>, value: Val) {
        self.depth = self.depth.max(above(&value));
        // What is too deep is not kept, so that dropping it is never deep either.
        if meter::stopped() == Some(Stop::Depth) {
            return;
        }
        match self.place(&name) {
            Some(at) => self.fields[at].1 = value,
            None => self.fields.push((name, value)),
        }
    }

    /// Takes the value of a field, and leaves null.
    pub(crate) fn take(&mut self, name: &str) -> Val {
        self.place(name).map(|at| std::mem::take(&mut self.fields[at].1)).unwrap_or_default()
    }

    /// Takes a field out, the others keep their order.
    pub(crate) fn remove(&mut self, name: &str) {
        if let Some(at) = self.place(name) {
            meter::pay(1 + self.fields.len() / FIELDS_PER_STEP);
            self.fields.remove(at);
        }
    }

    /// Fields that are known to have different names.
    pub(crate) fn of_distinct(fields: Vec<(Rc<str>, Val)>) -> Self {
        let depth = fields.iter().map(|(_, value)| above(value)).max().unwrap_or(1);
        Self { fields, depth }
    }
}

impl List {
    pub(crate) fn of(items: Vec<Val>) -> Self {
        let depth = items.iter().map(above).max().unwrap_or(1);
        Self { items, depth }
    }

    pub(crate) fn set(&mut self, at: usize, value: Val) {
        self.depth = self.depth.max(above(&value));
        if meter::stopped() != Some(Stop::Depth) {
            self.items[at] = value;
        }
    }
}

/// The depth of something that holds the value; ends the evaluation if it is too deep.
fn above(value: &Val) -> u16 {
    let depth = match value {
        Val::List(list) => list.depth + 1,
        Val::Obj(obj) => obj.depth + 1,
        _ => 1,
    };
    if depth > DEEPEST {
        meter::stop(Stop::Depth);
        return DEEPEST;
    }
    depth
}

impl Val {
    pub(crate) fn text(text: &str) -> Self {
        Self::Str(Rc::from(text))
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        let list = List::of(items);
        if meter::stopped() == Some(Stop::Depth) {
            return Self::Null;
        }
        Self::List(Rc::new(list))
    }

    pub(crate) fn object(fields: Vec<(Rc<str>, Self)>) -> Self {
        let obj = Obj::of_distinct(fields);
        if meter::stopped() == Some(Stop::Depth) {
            return Self::Null;
        }
        Self::Obj(Rc::new(obj))
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_index(&self) -> Option<i64> {
        match self {
            Self::Num(number) => number.as_i64(),
            _ => None,
        }
    }

    /// A text, a number, or true or false, as plain text.
    pub(crate) fn plain(&self) -> Option<Rc<str>> {
        match self {
            Self::Str(text) => Some(Rc::clone(text)),
            Self::Num(number) => Some(number.text()),
            Self::Bool(flag) => Some(Rc::from(if *flag { "true" } else { "false" })),
            _ => None,
        }
    }

    /// What it is, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Num(_) => "a number",
            Self::Str(_) => "a text",
            Self::List(_) => "a list",
            Self::Obj(_) => "an object",
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(false) => 1,
            Self::Bool(true) => 2,
            Self::Num(_) => 3,
            Self::Str(_) => 4,
            Self::List(_) => 5,
            Self::Obj(_) => 6,
        }
    }

    /// How much there is to compare, in steps; pays for the walk, and stops at what cannot be paid.
    pub(crate) fn size(&self) -> usize {
        if !meter::pay(1) {
            return 1;
        }
        match self {
            Self::Str(text) => 1 + text.len() / 16,
            Self::Num(number) => 1 + number.len() / 16,
            Self::List(list) => 1 + list.items.iter().map(Self::size).sum::<usize>(),
            Self::Obj(obj) => 1 + obj.fields.iter().map(|(_, value)| 1 + value.size()).sum::<usize>(),
            _ => 1,
        }
    }

    /// Compares in full, without paying: the caller has paid for the size of both.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Num(a), Self::Num(b)) => a.compare(b),
            (Self::Str(a), Self::Str(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => {
                let pairs = a.items.iter().zip(&b.items).map(|(a, b)| a.order(b));
                pairs.into_iter().find(|o| o.is_ne()).unwrap_or_else(|| a.items.len().cmp(&b.items.len()))
            }
            (Self::Obj(a), Self::Obj(b)) => {
                let sorted = |obj: &Obj| {
                    let mut all: Vec<(Rc<str>, Self)> = obj.fields.clone();
                    all.sort_by(|a, b| a.0.cmp(&b.0));
                    all
                };
                let (a, b) = (sorted(a), sorted(b));
                let names = a.iter().map(|(name, _)| name).cmp(b.iter().map(|(name, _)| name));
                let values = || a.iter().zip(&b).map(|(a, b)| a.1.order(&b.1)).find(|o| o.is_ne());
                names.then_with(|| values().unwrap_or(Ordering::Equal))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// Compares and pays; what cannot be paid is equal.
    fn compare(&self, other: &Self) -> Ordering {
        // Of different kinds, the kinds alone are compared.
        let paid = match (self, other) {
            (Self::Num(a), Self::Num(b)) => meter::pay(1 + (a.len() + b.len()) / 16),
            (Self::Str(_), Self::Str(_)) | (Self::List(_), Self::List(_)) | (Self::Obj(_), Self::Obj(_)) => {
                meter::pay(self.size() + other.size())
            }
            _ => meter::pay(1),
        };
        if paid { self.order(other) } else { Ordering::Equal }
    }
}

impl PartialEq for Val {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other).is_eq()
    }
}

impl PartialOrd for Val {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.compare(other))
    }
}

/// The most characters of a value in a message.
const SHOWN: usize = 60;

/// The JSON text, cut to what a message needs.
impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write::shown(self, SHOWN * 4, &mut text);
        match text.char_indices().nth(SHOWN) {
            None => f.write_str(&text),
            Some((at, _)) => write!(f, "{}…", &text[..at]),
        }
    }
}
