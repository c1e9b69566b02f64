//! Brings one value into the form that its rule asks for.

use std::borrow::Cow;

use crate::decimal::{Decimal, Round, Rule, is_json_integer, is_json_number};
use crate::json::{kind, plain_text, write_escaped, write_text};
use crate::rule::{Case, Convert, Lookup, Number, Shape, Time, Value};
use crate::time;

/// What is wrong with a value, as the end of a sentence that begins with it.
pub(crate) type Reason = Cow<'static, str>;

const EMPTY: &str = "\"\"";

/// Writes `raw`, which is neither missing nor null; `false` if it means null after all.
///
/// The order is: trim, `none`, `values`, empty text, type, shape.
pub(crate) fn write(rule: &Value, raw: &str, out: &mut String) -> Result<bool, Reason> {
    let mut raw = Cow::Borrowed(raw);
    if rule.trim && raw.starts_with('"') {
        raw = trimmed(raw);
    }
    if !rule.none.is_empty() {
        let text = plain_text(&raw);
        if text.is_some_and(|text| rule.none.iter().any(|none| none.matches(&text))) {
            return Ok(false);
        }
    }
    if let Some(lookup) = &rule.values {
        raw = Cow::Borrowed(look_up(lookup, &raw)?);
    }
    let typed = rule.convert.empty_is_null();
    if raw == EMPTY || (typed && raw.starts_with('"') && plain_text(&raw).is_some_and(|t| t.trim().is_empty())) {
        if rule.required {
            return Err("is empty".into());
        }
        if typed {
            return Ok(false);
        }
    }
    match &rule.shape {
        None => convert(&rule.convert, &raw, out)?,
        Some(shape) => shaped(&rule.convert, shape, &raw, out)?,
    }
    Ok(true)
}

fn trimmed(raw: Cow<'_, str>) -> Cow<'_, str> {
    let Some(text) = plain_text(&raw) else { return raw };
    let inner = text.trim();
    if inner.len() == text.len() {
        return raw;
    }
    let mut json = String::new();
    write_text(&mut json, inner);
    Cow::Owned(json)
}

fn look_up<'a>(lookup: &'a Lookup, raw: &str) -> Result<&'a str, Reason> {
    let text = plain_text(raw).ok_or_else(|| format!("is {}, and `values` is for plain values", kind(raw)))?;
    let known = lookup.known.iter().find(|(key, _)| *key == text).map(|(_, json)| json);
    let json = known.or(lookup.otherwise.as_ref());
    json.map(String::as_str).ok_or_else(|| "is not among the known `values`".into())
}

fn convert(how: &Convert, raw: &str, out: &mut String) -> Result<(), Reason> {
    match how {
        Convert::AsCame => out.push_str(raw),
        Convert::Text if raw.starts_with('"') => out.push_str(raw),
        Convert::Text => {
            let text = plain_text(raw).ok_or_else(|| format!("is {}, not a text", kind(raw)))?;
            write_text(out, &text);
        }
        Convert::Boolean => out.push_str(boolean(raw)?),
        Convert::Number(number) => write_number(number, raw, out)?,
        Convert::Time(time) => write_time(time, raw, out)?,
    }
    Ok(())
}

fn boolean(raw: &str) -> Result<&'static str, Reason> {
    let text = plain_text(raw).ok_or("is neither true nor false")?;
    match text.trim().to_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "是" => Ok("true"),
        "false" | "0" | "no" | "n" | "否" => Ok("false"),
        _ => Err("is neither true nor false".into()),
    }
}

fn write_number(how: &Number, raw: &str, out: &mut String) -> Result<(), Reason> {
    let text = plain_text(raw).ok_or_else(|| format!("is {}, not a number", kind(raw)))?;
    let text = text.trim();
    let decimal = Decimal::parse(text).ok_or("is not a number")?.shift(how.shift);
    if how.quoted {
        out.push('"');
    }
    let as_came = how.shift == 0 && how.round.is_none() && how.scale == 0;
    if as_came && (is_json_integer(text) || (!how.whole && is_json_number(text))) {
        out.push_str(text);
    } else {
        let round = match how.round {
            None if how.whole && !decimal.is_whole() => return Err("is not a whole number".into()),
            None if how.whole => Some(Round { scale: 0, rule: Rule::Down }),
            round => round,
        };
        decimal.write(round, how.scale, out).ok_or("is too large or too small to be written without an exponent")?;
    }
    if how.quoted {
        out.push('"');
    }
    Ok(())
}

fn write_time(how: &Time, raw: &str, out: &mut String) -> Result<(), Reason> {
    let text = plain_text(raw).ok_or_else(|| format!("is {}, not a date", kind(raw)))?;
    let moment = time::read(&text, how.input, &how.from).map_err(time::NoTime::reason)?;
    if how.quoted {
        out.push('"');
    }
    time::write(moment, &how.output, &how.from, &how.to, out).ok_or("is outside the years 1 to 9999")?;
    if how.quoted {
        out.push('"');
    }
    Ok(())
}

/// Writes the converted value as a text, with its shape.
fn shaped(how: &Convert, shape: &Shape, raw: &str, out: &mut String) -> Result<(), Reason> {
    let converted = match how {
        Convert::AsCame | Convert::Text => Cow::Borrowed(raw),
        _ => {
            let mut json = String::new();
            convert(how, raw, &mut json)?;
            Cow::Owned(json)
        }
    };
    let text = plain_text(&converted).ok_or_else(|| format!("is {}, not a text", kind(&converted)))?;
    let text = match shape.case {
        None => text,
        Some(Case::Upper) => Cow::Owned(text.to_uppercase()),
        Some(Case::Lower) => Cow::Owned(text.to_lowercase()),
    };
    let mut kept: &str = &text;
    if let Some(most) = shape.max_length {
        let around = shape.prefix.chars().count() + shape.suffix.chars().count();
        if let Some((end, _)) = text.char_indices().nth(most.saturating_sub(around)) {
            if !shape.cut {
                let length = text.chars().count() + around;
                return Err(format!("has {length} characters, more than {most}").into());
            }
            kept = &text[..end];
        }
    }
    let untouched = shape.case.is_none() && shape.prefix.is_empty() && shape.suffix.is_empty();
    if untouched && kept.len() == text.len() && converted.starts_with('"') {
        out.push_str(&converted);
        return Ok(());
    }
    out.push('"');
    write_escaped(out, &shape.prefix);
    write_escaped(out, kept);
    write_escaped(out, &shape.suffix);
    out.push('"');
    Ok(())
}
