//! What jaq does with values: index, iterate, update, reckon. Everything that loops or allocates pays.

use std::cell::Cell;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::rc::Rc;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Exn, ValR, ValT, ValX};

use super::meter;
use super::number::{self, Num};
use super::value::{List, Val};
use super::write;

pub(crate) type Error = jaq_core::Error<Val>;

/// A value that does not fit, and why; remembered so that a refusal can name both.
#[derive(Clone, Debug)]
pub(crate) struct Culprit {
    /// What the error says in full.
    pub(crate) text: String,
    /// The value as JSON text, shortened.
    pub(crate) value: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

thread_local! {
    static CULPRIT: Cell<Option<Culprit>> = const { Cell::new(None) };
}

/// The value that the last error was about.
pub(crate) fn take_culprit() -> Option<Culprit> {
    CULPRIT.take()
}

/// An error about a value: `reason` is the end of a sentence that begins with it.
pub(crate) fn fail(value: &Val, reason: impl Into<String>) -> Error {
    let (value, reason) = (value.to_string(), reason.into());
    let text = format!("{value} {reason}");
    CULPRIT.set(Some(Culprit { text: text.clone(), value, reason }));
    Error::str(text)
}

/// An error that says what a value is, and what it should be.
pub(crate) fn wrong(value: &Val, expected: &str) -> Error {
    fail(value, format!("is {}, not {expected}", value.kind()))
}

/// What an operation gives once the budget is spent; the evaluation ends soon after.
pub(crate) fn spent() -> Error {
    Error::new(Val::Null)
}

impl From<bool> for Val {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<isize> for Val {
    fn from(number: isize) -> Self {
        Self::Num(Num::Int(number as i64))
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        meter::pay_bytes(text.len());
        Self::Str(Rc::from(text))
    }
}

impl From<Range<Self>> for Val {
    fn from(range: Range<Self>) -> Self {
        let ends = [("start", range.start), ("end", range.end)];
        Self::object(ends.into_iter().filter_map(|(name, end)| Some((Rc::from(name), end?))).collect())
    }
}

/// Takes no more than can be paid for.
impl FromIterator<Self> for Val {
    fn from_iter<I: IntoIterator<Item = Self>>(values: I) -> Self {
        Self::list(values.into_iter().take_while(|_| meter::pay(1)).collect())
    }
}

fn reckon(a: &Val, b: &Val, sign: &str, how: fn(&Num, &Num) -> Result<Num, number::Reason>) -> ValR<Val> {
    if !meter::pay(1) {
        return Err(spent());
    }
    let (Val::Num(x), Val::Num(y)) = (a, b) else {
        let not_a_number = if matches!(a, Val::Num(_)) { b } else { a };
        return Err(fail(not_a_number, format!("is {}, and `{sign}` needs numbers", not_a_number.kind())));
    };
    how(x, y).map(Val::Num).map_err(|reason| fail(a, format!("{sign} {b} {reason}")))
}

/// Numbers add up, texts and lists are joined, objects are merged; null adds nothing.
impl Add for Val {
    type Output = ValR<Self>;

    fn add(self, other: Self) -> ValR<Self> {
        match (self, other) {
            (Self::Null, other) | (other, Self::Null) => Ok(other),
            (Self::Str(a), Self::Str(b)) => {
                if !meter::pay_bytes(a.len() + b.len()) {
                    return Err(spent());
                }
                Ok(Self::Str(Rc::from([&*a, &*b].concat())))
            }
            (Self::List(mut a), Self::List(b)) => {
                let copied = if Rc::strong_count(&a) > 1 { a.items.len() } else { 0 };
                if !meter::pay(1 + copied + b.items.len()) {
                    return Err(spent());
                }
                let mut items = std::mem::take(&mut Rc::make_mut(&mut a).items);
                items.extend(b.items.iter().cloned());
                Ok(Self::list(items))
            }
            (Self::Obj(mut a), Self::Obj(b)) => {
                let copied = if Rc::strong_count(&a) > 1 { a.fields.len() } else { 0 };
                if !meter::pay(1 + copied + b.fields.len()) {
                    return Err(spent());
                }
                let into = Rc::make_mut(&mut a);
                for (name, value) in &b.fields {
                    into.set(Rc::clone(name), value.clone());
                }
                Ok(Self::Obj(a))
            }
            (a, b) if a.kind() == b.kind() || matches!(a, Self::Bool(_)) => reckon(&a, &b, "+", number::add),
            (a, b) => Err(fail(&b, format!("is {}, and `+` needs two of a kind: {a} is {}", b.kind(), a.kind()))),
        }
    }
}

impl Sub for Val {
    type Output = ValR<Self>;

    fn sub(self, other: Self) -> ValR<Self> {
        reckon(&self, &other, "-", number::sub)
    }
}

impl Mul for Val {
    type Output = ValR<Self>;

    fn mul(self, other: Self) -> ValR<Self> {
        reckon(&self, &other, "*", number::mul)
    }
}

impl Div for Val {
    type Output = ValR<Self>;

    fn div(self, other: Self) -> ValR<Self> {
        reckon(&self, &other, "/", number::div_even)
    }
}

impl Rem for Val {
    type Output = ValR<Self>;

    fn rem(self, other: Self) -> ValR<Self> {
        reckon(&self, &other, "%", number::rem)
    }
}

impl Neg for Val {
    type Output = ValR<Self>;

    fn neg(self) -> ValR<Self> {
        match self {
            Self::Num(number) => Ok(Self::Num(number.negated())),
            other => Err(wrong(&other, "a number")),
        }
    }
}

/// The place in a list of `len` that an index means; negative ones count from the end.
fn place(index: i64, len: usize) -> Option<usize> {
    let place = if index < 0 { i64::try_from(len).ok()? + index } else { index };
    usize::try_from(place).ok().filter(|&place| place < len)
}

/// The bounds of a slice within `len`.
fn bounds(range: &Range<&Val>, len: usize) -> Result<(usize, usize), Error> {
    let bound = |end: Option<&Val>, default: usize| match end {
        None | Some(Val::Null) => Ok(default),
        Some(value) => {
            let index = value.as_index().ok_or_else(|| wrong(value, "a whole number"))?;
            let index = if index < 0 { i64::try_from(len).unwrap_or(i64::MAX) + index } else { index };
            Ok(usize::try_from(index.max(0)).unwrap_or(usize::MAX).min(len))
        }
    };
    let (start, end) = (bound(range.start, 0)?, bound(range.end, len)?);
    Ok((start, end.max(start)))
}

/// The byte where the character of that number begins.
fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

impl ValT for Val {
    fn from_num(text: &str) -> ValR<Self> {
        let number = Num::of_text(text).ok_or_else(|| Error::str(format!("`{text}` is not a number")))?;
        Ok(Self::Num(number))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(pairs: I) -> ValR<Self> {
        let mut fields: Vec<(Rc<str>, Self)> = Vec::new();
        for (name, value) in pairs {
            if !meter::pay(1) {
                return Err(spent());
            }
            let Self::Str(name) = name else {
                return Err(fail(&name, format!("is {}, and the name of a field is a text", name.kind())));
            };
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => fields.push((name, value)),
            }
        }
        Ok(Self::object(fields))
    }

    fn key_values(self) -> BoxIter<'static, ValR<(Self, Self), Self>> {
        match self {
            Self::List(list) if meter::pay(1 + list.items.len()) => {
                let n = list.items.len();
                Box::new((0..n).map(move |i| Ok((Self::from(i.cast_signed()), list.items[i].clone()))))
            }
            Self::Obj(obj) if meter::pay(1 + obj.fields.len()) => {
                let n = obj.fields.len();
                Box::new((0..n).map(move |i| {
                    let (name, value) = &obj.fields[i];
                    Ok((Self::Str(Rc::clone(name)), value.clone()))
                }))
            }
            Self::List(_) | Self::Obj(_) => box_once(Err(spent())),
            other => box_once(Err(wrong(&other, "a list or an object"))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        match self {
            Self::List(list) if meter::pay(1 + list.items.len()) => {
                let n = list.items.len();
                Box::new((0..n).map(move |i| Ok(list.items[i].clone())))
            }
            Self::Obj(obj) if meter::pay(1 + obj.fields.len()) => {
                let n = obj.fields.len();
                Box::new((0..n).map(move |i| Ok(obj.fields[i].1.clone())))
            }
            Self::List(_) | Self::Obj(_) => box_once(Err(spent())),
            other => box_once(Err(wrong(&other, "a list or an object"))),
        }
    }

    fn index(self, index: &Self) -> ValR<Self> {
        if !meter::pay(1) {
            return Err(spent());
        }
        match (&self, index) {
            (Self::Obj(obj), Self::Str(name)) => Ok(obj.get(name).cloned().unwrap_or_default()),
            (Self::List(list), Self::Num(number)) => {
                let index = number.as_i64().ok_or_else(|| wrong(&Self::Num(number.clone()), "a whole number"))?;
                Ok(place(index, list.items.len()).map(|at| list.items[at].clone()).unwrap_or_default())
            }
            (Self::Null, Self::Str(_) | Self::Num(_)) => Ok(Self::Null),
            (_, Self::Str(name)) => Err(fail(&self, format!("is {}, and has no field `{name}`", self.kind()))),
            _ => Err(fail(&self, format!("is {}, and has no element {index}", self.kind()))),
        }
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        match &self {
            Self::Null => Ok(Self::Null),
            Self::List(list) => {
                let (start, end) = bounds(&range, list.items.len())?;
                if !meter::pay(1 + end - start) {
                    return Err(spent());
                }
                Ok(Self::list(list.items[start..end].to_vec()))
            }
            Self::Str(text) => {
                if !meter::pay_bytes(text.len()) {
                    return Err(spent());
                }
                let (start, end) = bounds(&range, text.chars().count())?;
                Ok(Self::text(&text[byte_of(text, start)..byte_of(text, end)]))
            }
            _ => Err(wrong(&self, "a list or a text")),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(self, opt: Opt, f: impl Fn(Self) -> I) -> ValX<'a, Self> {
        match self {
            Self::List(list) => {
                if !meter::pay(1 + list.items.len()) {
                    return Err(spent().into());
                }
                // The list is taken apart, so that its elements are not shared where they need not be.
                let items = Rc::try_unwrap(list).map_or_else(|shared| shared.items.clone(), |list| list.items);
                let mut mapped = Vec::with_capacity(items.len());
                for item in items {
                    for value in f(item) {
                        if !meter::pay(1) {
                            return Err(spent().into());
                        }
                        mapped.push(value?);
                    }
                }
                Ok(Self::list(mapped))
            }
            Self::Obj(obj) => {
                if !meter::pay(1 + obj.fields.len()) {
                    return Err(spent().into());
                }
                let fields = Rc::try_unwrap(obj).map_or_else(|shared| shared.fields.clone(), |obj| obj.fields);
                let mut mapped = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    if let Some(value) = f(value).next() {
                        mapped.push((name, value?));
                    }
                }
                Ok(Self::object(mapped))
            }
            other => opt.fail(other, |other| Exn::from(wrong(&other, "a list or an object"))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match (self, index) {
            (Self::Null, Self::Str(name)) => {
                let value = f(Self::Null).next().transpose()?;
                Ok(value.map_or(Self::Null, |value| Self::object(vec![(Rc::clone(name), value)])))
            }
            (Self::Obj(mut obj), Self::Str(name)) => {
                let copied = if Rc::strong_count(&obj) > 1 { obj.fields.len() } else { 0 };
                if !meter::pay(1 + copied) {
                    return Err(spent().into());
                }
                let into = Rc::make_mut(&mut obj);
                let old = into.take(name);
                match f(old).next().transpose()? {
                    Some(value) => into.set(Rc::clone(name), value),
                    None => into.remove(name),
                }
                Ok(Self::Obj(obj))
            }
            (Self::List(mut list), Self::Num(number)) => {
                let at = number.as_i64().and_then(|index| place(index, list.items.len()));
                let Some(at) = at else {
                    let error = Error::str(format!("the list has no element {index}"));
                    return opt.fail(Self::List(list), |_| Exn::from(error));
                };
                if !meter::pay(1 + list.items.len() / 8) {
                    return Err(spent().into());
                }
                let into: &mut List = Rc::make_mut(&mut list);
                let old = std::mem::take(&mut into.items[at]);
                match f(old).next().transpose()? {
                    Some(value) => into.set(at, value),
                    None => {
                        into.items.remove(at);
                    }
                }
                Ok(Self::List(list))
            }
            (other, index) => {
                let error = fail(&other, format!("is {}, and has no place {index}", other.kind()));
                opt.fail(other, |_| Exn::from(error))
            }
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let Self::List(list) = &self else {
            return opt.fail(self, |other| Exn::from(wrong(&other, "a list")));
        };
        let (start, end) = match bounds(&range, list.items.len()) {
            Ok(bounds) => bounds,
            Err(error) => return opt.fail(self, |_| Exn::from(error)),
        };
        if !meter::pay(1 + list.items.len()) {
            return Err(spent().into());
        }
        let part = Self::list(list.items[start..end].to_vec());
        let new = match f(part).next().transpose()? {
            None => Vec::new(),
            Some(Self::List(new)) => new.items.clone(),
            Some(other) => return Err(wrong(&other, "a list").into()),
        };
        if !meter::pay(1 + new.len()) {
            return Err(spent().into());
        }
        let mut items = list.items.clone();
        items.splice(start..end, new);
        Ok(Self::list(items))
    }

    fn as_bool(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    fn into_string(self) -> Self {
        if let Self::Str(_) = self {
            return self;
        }
        let mut text = String::new();
        write::write(&self, &mut text);
        Self::Str(Rc::from(text))
    }
}
