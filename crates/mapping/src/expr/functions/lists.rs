//! Lists and objects.

use std::rc::Rc;

use super::{Answer, Wrong, wrong};
use crate::expr::kind::Env;
use crate::expr::meter;
use crate::expr::number::Num;
use crate::expr::value::Val;
use crate::expr::write;

fn size(n: usize) -> Val {
    Val::Num(Num::Int(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// Pays for so many elements.
fn paid(n: usize) -> Result<(), Wrong> {
    if meter::pay(n) { Ok(()) } else { Err(Wrong(Val::Null, "is too much".to_owned())) }
}

fn items(value: &Val) -> Result<&[Val], Wrong> {
    match value {
        Val::List(list) => {
            paid(list.items.len())?;
            Ok(&list.items)
        }
        other => Err(wrong(other, "a list")),
    }
}

pub(super) fn length(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    match value {
        Val::Null => Ok(size(0)),
        Val::Str(text) => {
            paid(text.len() / 32)?;
            Ok(size(text.chars().count()))
        }
        Val::List(list) => Ok(size(list.items.len())),
        Val::Obj(obj) => Ok(size(obj.fields.len())),
        other => Err(wrong(other, "a text, a list or an object")),
    }
}

pub(super) fn keys(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    match value {
        Val::Obj(obj) => {
            paid(obj.fields.len().saturating_mul(4))?;
            let mut names: Vec<Rc<str>> = obj.fields.iter().map(|(name, _)| Rc::clone(name)).collect();
            names.sort();
            Ok(Val::list(names.into_iter().map(Val::Str).collect()))
        }
        other => Ok(Val::list((0..items(other)?.len()).map(size).collect())),
    }
}

pub(super) fn has(_: &Env, value: &Val, [key]: &[Val; 1]) -> Answer {
    match (value, key) {
        (Val::Obj(obj), Val::Str(name)) => Ok(Val::Bool(obj.get(name).is_some())),
        (Val::List(list), Val::Num(number)) => {
            let at = number.as_i64().and_then(|n| usize::try_from(n).ok());
            Ok(Val::Bool(at.is_some_and(|at| at < list.items.len())))
        }
        (Val::Null, _) => Ok(Val::Bool(false)),
        (other, _) => Err(wrong(other, "an object or a list")),
    }
}

/// A text has a part, a list has an element.
pub(super) fn contains(_: &Env, value: &Val, [part]: &[Val; 1]) -> Answer {
    match (value, part) {
        (Val::Str(text), part) => {
            let part = part.plain().ok_or_else(|| wrong(part, "a text"))?;
            paid(text.len() / 32 + part.len() / 32)?;
            Ok(Val::Bool(text.contains(&*part)))
        }
        (Val::List(list), part) => Ok(Val::Bool(list.items.iter().any(|item| item == part))),
        (Val::Null, _) => Ok(Val::Bool(false)),
        (other, _) => Err(wrong(other, "a text or a list")),
    }
}

pub(super) fn within(env: &Env, value: &Val, [list]: &[Val; 1]) -> Answer {
    contains(env, list, std::array::from_ref(value))
}

pub(super) fn reverse(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    Ok(Val::list(items(value)?.iter().rev().cloned().collect()))
}

pub(super) fn flatten(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    fn into(items: &[Val], out: &mut Vec<Val>) -> Result<(), Wrong> {
        paid(1 + items.len())?;
        for item in items {
            match item {
                Val::List(list) => into(&list.items, out)?,
                other => out.push(other.clone()),
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    into(items(value)?, &mut out)?;
    Ok(Val::list(out))
}

pub(super) fn join(_: &Env, value: &Val, [between]: &[Val; 1]) -> Answer {
    let between = between.plain().ok_or_else(|| wrong(between, "a text"))?;
    let mut out = String::new();
    for (i, item) in items(value)?.iter().enumerate() {
        let text = match item {
            Val::Null => Rc::from(""),
            item => item.plain().ok_or_else(|| wrong(item, "a text"))?,
        };
        if !meter::pay_bytes(text.len() + between.len()) {
            return Err(Wrong(Val::Null, "is too long".to_owned()));
        }
        out.push_str(if i == 0 { "" } else { &between });
        out.push_str(&text);
    }
    Ok(Val::text(&out))
}

/// The place of a part in a text, or of an element in a list, counted from 0; null if it is not there.
pub(super) fn index(_: &Env, value: &Val, [part]: &[Val; 1]) -> Answer {
    match (value, part) {
        (Val::Str(text), Val::Str(part)) => {
            paid(text.len() / 32)?;
            Ok(text.find(&**part).map_or(Val::Null, |at| size(text[..at].chars().count())))
        }
        (Val::List(list), part) => Ok(list.items.iter().position(|item| item == part).map_or(Val::Null, size)),
        (Val::Null, _) => Ok(Val::Null),
        (other, _) => Err(wrong(other, "a text or a list")),
    }
}

/// Null, a text of nothing but blanks, a list without elements, an object without fields.
pub(super) fn is_empty(value: &Val) -> bool {
    match value {
        Val::Null => true,
        Val::Str(text) => text.trim().is_empty(),
        Val::List(list) => list.items.is_empty(),
        Val::Obj(obj) => obj.fields.is_empty(),
        _ => false,
    }
}

/// jq's name of the kind.
pub(super) fn type_name(value: &Val) -> &'static str {
    match value {
        Val::Null => "null",
        Val::Bool(_) => "boolean",
        Val::Num(_) => "number",
        Val::Str(_) => "string",
        Val::List(_) => "array",
        Val::Obj(_) => "object",
    }
}

/// Pairs of key and value, by key; equal keys keep their order.
fn by_key(value: &Val) -> Result<Vec<(Val, Val)>, Wrong> {
    let mut pairs = Vec::new();
    let mut size = 0_usize;
    for pair in items(value)? {
        if let Val::List(pair) = pair
            && let [key, value] = pair.items.as_slice()
        {
            size = size.saturating_add(key.size());
            pairs.push((key.clone(), value.clone()));
        }
    }
    // Each key is compared about as often as the number of pairs has bits.
    let n_rounds = (usize::BITS - pairs.len().leading_zeros()) as usize;
    paid(size.saturating_mul(n_rounds))?;
    pairs.sort_by(|a, b| a.0.order(&b.0));
    Ok(pairs)
}

pub(super) fn sorted_pairs(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    let pairs = by_key(value)?;
    Ok(Val::list(pairs.into_iter().map(|(key, value)| Val::list(vec![key, value])).collect()))
}

pub(super) fn grouped_pairs(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    let mut groups: Vec<(Val, Vec<Val>)> = Vec::new();
    for (key, value) in by_key(value)? {
        match groups.last_mut().filter(|(known, _)| known.order(&key).is_eq()) {
            Some((_, group)) => group.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    Ok(Val::list(groups.into_iter().map(|(_, group)| Val::list(group)).collect()))
}

/// The JSON text of a value that stands in a table.
pub(super) fn of_json(json: &str) -> Val {
    write::read(json)
}
