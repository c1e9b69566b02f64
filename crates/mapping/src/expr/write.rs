//! Between values and JSON text.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::value::RawValue;

use super::meter::{self, DEEPEST, Stop};
use super::number::Num;
use super::value::Val;
use crate::json::{Elements, Fields, decode_name, plain_text, write_text};

/// From so many fields on, names are looked up.
const MANY: usize = 64;

/// Reads JSON text that is known to be valid; what is not JSON gives null.
///
/// Of a repeated name the last counts, in the place of the first.
pub(crate) fn read(json: &str) -> Val {
    read_at(json, 1)
}

/// What nests too deep ends the evaluation.
fn read_at(json: &str, depth: u16) -> Val {
    if depth > DEEPEST {
        meter::stop(Stop::Depth);
        return Val::Null;
    }
    let json = json.trim_ascii();
    match json.as_bytes().first() {
        Some(b'"') => plain_text(json).map_or(Val::Null, |text| Val::text(&text)),
        Some(b'{') => {
            let mut fields: Vec<(Rc<str>, Val)> = Vec::with_capacity(16);
            // Many names are not compared with each other one by one.
            let mut places: HashMap<Rc<str>, usize> = HashMap::new();
            for (name, (start, end)) in Fields::of(json).into_iter().flatten() {
                let value = read_at(json.get(start..end).unwrap_or_default(), depth + 1);
                let name = decode_name(name);
                if fields.len() == MANY {
                    places.extend(fields.iter().enumerate().map(|(at, (name, _))| (Rc::clone(name), at)));
                }
                let known = if fields.len() < MANY {
                    fields.iter().position(|(known, _)| **known == *name)
                } else {
                    places.get(name.as_ref()).copied()
                };
                if let Some(at) = known {
                    fields[at].1 = value;
                    continue;
                }
                let name: Rc<str> = Rc::from(name.as_ref());
                if fields.len() >= MANY {
                    places.insert(Rc::clone(&name), fields.len());
                }
                fields.push((name, value));
            }
            Val::object(fields)
        }
        Some(b'[') => {
            let items = Elements::of(json).into_iter().flatten();
            Val::list(items.map(|item| read_at(item, depth + 1)).collect())
        }
        Some(b't') => Val::Bool(true),
        Some(b'f') => Val::Bool(false),
        Some(b'-' | b'0'..=b'9') => Val::Num(Num::of_json(json)),
        _ => Val::Null,
    }
}

/// Reads JSON text from anywhere; `None` if it is none.
pub(crate) fn parse(text: &str) -> Option<Val> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    Some(read(raw.get()))
}

/// Writes the JSON text and pays for it; `false` if it could not be paid, and the text is cut off anywhere.
pub(crate) fn write(value: &Val, out: &mut String) -> bool {
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(true) => out.push_str("true"),
        Val::Bool(false) => out.push_str("false"),
        Val::Num(number) => {
            if !meter::pay_bytes(number.len()) {
                return false;
            }
            number.write(out);
        }
        Val::Str(text) => {
            if !meter::pay_bytes(text.len()) {
                return false;
            }
            write_text(out, text);
        }
        Val::List(list) => {
            out.push('[');
            for (i, item) in list.items.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                if !meter::pay(1) || !write(item, out) {
                    return false;
                }
            }
            out.push(']');
        }
        Val::Obj(obj) => {
            out.push('{');
            for (i, (name, value)) in obj.fields.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                if !meter::pay_bytes(name.len()) {
                    return false;
                }
                write_text(out, name);
                out.push(':');
                if !write(value, out) {
                    return false;
                }
            }
            out.push('}');
        }
    }
    true
}

/// Writes the beginning of the JSON text, about `most` bytes; pays nothing.
pub(crate) fn shown(value: &Val, most: usize, out: &mut String) {
    if out.len() > most {
        return;
    }
    match value {
        Val::Str(text) => {
            let end = text.floor_char_boundary(most);
            write_text(out, &text[..end]);
        }
        Val::List(list) => {
            out.push('[');
            for (i, item) in list.items.iter().enumerate().take_while(|(i, _)| *i <= most) {
                out.push_str(if i == 0 { "" } else { "," });
                shown(item, most, out);
            }
            out.push(']');
        }
        Val::Obj(obj) => {
            out.push('{');
            for (i, (name, value)) in obj.fields.iter().enumerate().take_while(|(i, _)| *i <= most) {
                out.push_str(if i == 0 { "" } else { "," });
                write_text(out, name);
                out.push(':');
                shown(value, most, out);
            }
            out.push('}');
        }
        Val::Num(number) => number.write(out),
        Val::Null => out.push_str("null"),
        Val::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
    }
}
