//! Texts: characters, not bytes, are counted, so a Chinese one counts as one.

use std::fmt::Write as _;
use std::rc::Rc;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::{Answer, Wrong, wrong};
use crate::expr::kind::Env;
use crate::expr::meter;
use crate::expr::value::Val;
use crate::expr::write;

/// The hashes there are.
pub(crate) const HASHES: &[&str] = &["md5", "sha256"];

/// The longest text that is made by padding.
const LONGEST: i64 = 10_000;

/// A text, or a number or truth value as text.
fn text(value: &Val) -> Result<Rc<str>, Wrong> {
    let text = value.plain().ok_or_else(|| wrong(value, "a text"))?;
    paid(text.len(), value)?;
    Ok(text)
}

/// Pays for a text before it is made.
fn paid(bytes: usize, value: &Val) -> Result<(), Wrong> {
    if meter::pay_bytes(bytes) { Ok(()) } else { Err(Wrong(value.clone(), "is too long".to_owned())) }
}

fn count(value: &Val, most: i64) -> Result<usize, Wrong> {
    let count = value.as_index().filter(|n| (0..=most).contains(n)).and_then(|n| usize::try_from(n).ok());
    count.ok_or_else(|| Wrong(value.clone(), format!("is not a number of characters from 0 to {most}")))
}

/// Null stays null, everything else goes through `f` as text.
fn each(value: &Val, f: impl FnOnce(&str) -> String) -> Answer {
    if matches!(value, Val::Null) {
        return Ok(Val::Null);
    }
    Ok(Val::text(&f(&text(value)?)))
}

pub(super) fn to_json(value: &Val) -> Val {
    let mut out = String::new();
    write::write(value, &mut out);
    Val::text(&out)
}

pub(super) fn from_json(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    let json = value.as_str().ok_or_else(|| wrong(value, "a text"))?;
    // Reading is linear, and each value is larger than its text.
    paid(json.len().saturating_mul(8), value)?;
    write::parse(json).ok_or_else(|| Wrong(value.clone(), "is not JSON".to_owned()))
}

pub(super) fn starts_with(_: &Env, value: &Val, [part]: &[Val; 1]) -> Answer {
    Ok(Val::Bool(text(value)?.starts_with(&*text(part)?)))
}

pub(super) fn ends_with(_: &Env, value: &Val, [part]: &[Val; 1]) -> Answer {
    Ok(Val::Bool(text(value)?.ends_with(&*text(part)?)))
}

pub(super) fn without_prefix(_: &Env, value: &Val, [part]: &[Val; 1]) -> Answer {
    let part = text(part)?;
    each(value, |text| text.strip_prefix(&*part).unwrap_or(text).to_owned())
}

pub(super) fn without_suffix(_: &Env, value: &Val, [part]: &[Val; 1]) -> Answer {
    let part = text(part)?;
    each(value, |text| text.strip_suffix(&*part).unwrap_or(text).to_owned())
}

pub(super) fn trim(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    each(value, |text| text.trim().to_owned())
}

pub(super) fn trim_start(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    each(value, |text| text.trim_start().to_owned())
}

pub(super) fn trim_end(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    each(value, |text| text.trim_end().to_owned())
}

pub(super) fn upper(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    each(value, str::to_uppercase)
}

pub(super) fn lower(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    each(value, str::to_lowercase)
}

pub(super) fn split(_: &Env, value: &Val, [by]: &[Val; 1]) -> Answer {
    let (whole, by) = (text(value)?, text(by)?);
    // Every part is a value of its own.
    paid(whole.len().saturating_mul(8), value)?;
    let parts = if by.is_empty() {
        whole.chars().map(|c| Val::text(c.encode_utf8(&mut [0; 4]))).collect()
    } else if whole.is_empty() {
        Vec::new()
    } else {
        whole.split(&*by).map(Val::text).collect()
    };
    Ok(Val::list(parts))
}

pub(super) fn replace(_: &Env, value: &Val, [from, to]: &[Val; 2]) -> Answer {
    if matches!(value, Val::Null) {
        return Ok(Val::Null);
    }
    let (whole, part, to) = (text(value)?, text(from)?, text(to)?);
    if part.is_empty() {
        return Err(Wrong(from.clone(), "cannot be replaced, since it is empty".to_owned()));
    }
    let n = whole.matches(&*part).count();
    paid(whole.len().saturating_add(n.saturating_mul(to.len())), value)?;
    Ok(Val::text(&whole.replace(&*part, &to)))
}

pub(super) fn cut(_: &Env, value: &Val, [most]: &[Val; 1]) -> Answer {
    let most = count(most, i64::MAX)?;
    each(value, |text| {
        let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
        text[..end].to_owned()
    })
}

pub(super) fn right(_: &Env, value: &Val, [most]: &[Val; 1]) -> Answer {
    let most = count(most, i64::MAX)?;
    each(value, |text| {
        let n = text.chars().count();
        text.chars().skip(n.saturating_sub(most)).collect()
    })
}

pub(super) fn pad_left(_: &Env, value: &Val, [width, with]: &[Val; 2]) -> Answer {
    let padding = padding(value, width, with)?;
    each(value, |text| padding + text)
}

pub(super) fn pad_right(_: &Env, value: &Val, [width, with]: &[Val; 2]) -> Answer {
    let padding = padding(value, width, with)?;
    each(value, |text| text.to_owned() + &padding)
}

fn padding(value: &Val, width: &Val, with: &Val) -> Result<String, Wrong> {
    let width = count(width, LONGEST)?;
    let character = with.plain().filter(|text| text.chars().count() == 1);
    let character = character.ok_or_else(|| Wrong(with.clone(), "is not a single character".to_owned()))?;
    if matches!(value, Val::Null) {
        return Ok(String::new());
    }
    let n = width.saturating_sub(text(value)?.chars().count());
    paid(n * character.len(), value)?;
    Ok(character.repeat(n))
}

pub(super) fn md5(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    each(value, |text| hex(&Md5::digest(text)))
}

pub(super) fn sha256(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    each(value, |text| hex(&Sha256::digest(text)))
}

pub(super) fn hash(env: &Env, value: &Val, [how]: &[Val; 1]) -> Answer {
    match how.as_str() {
        Some("md5") => md5(env, value, &[]),
        Some("sha256") => sha256(env, value, &[]),
        _ => Err(Wrong(how.clone(), format!("is not a hash; known: {}", HASHES.join(", ")))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
