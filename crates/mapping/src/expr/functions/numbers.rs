//! Exact reckoning: money, rounding by a named rule. Numbers may be numbers or their text.

use super::{Answer, Wrong, wrong};
use crate::decimal::Rule;
use crate::expr::kind::Env;
use crate::expr::number::{self, Num, Reason};
use crate::expr::value::Val;
use crate::keys::{ROUNDING, instead_of};

/// The most decimals that may be asked for.
pub(super) const MOST_DECIMALS: i64 = 100;

/// A number, or a text that says one.
fn number(value: &Val) -> Result<Num, Wrong> {
    match value {
        Val::Num(number) => Ok(number.clone()),
        Val::Str(text) => Num::of_text(text).ok_or_else(|| Wrong(value.clone(), "is not a number".to_owned())),
        other => Err(wrong(other, "a number")),
    }
}

fn answer(of: &Val, result: Result<Num, Reason>) -> Answer {
    result.map(Val::Num).map_err(|reason| Wrong(of.clone(), reason.to_owned()))
}

fn scale(value: &Val) -> Result<u32, Wrong> {
    let scale = value.as_index().filter(|n| (0..=MOST_DECIMALS).contains(n));
    let scale = scale.and_then(|n| u32::try_from(n).ok());
    scale.ok_or_else(|| Wrong(value.clone(), format!("is not a number of decimals from 0 to {MOST_DECIMALS}")))
}

fn rule(value: &Val) -> Result<Rule, Wrong> {
    let word = value.as_str().ok_or_else(|| wrong(value, "the name of a rounding rule"))?;
    let known = ROUNDING.iter().find(|(known, _)| *known == word).map(|(_, rule)| *rule);
    known.ok_or_else(|| {
        let names: Vec<&str> = ROUNDING.iter().map(|(name, _)| *name).collect();
        Wrong(value.clone(), format!("is not a rounding rule: {}", instead_of(word, &names)))
    })
}

pub(super) fn to_number(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    number(value).map(Val::Num)
}

pub(super) fn floor(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    toward(value, true)
}

pub(super) fn ceil(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    toward(value, false)
}

/// The next whole number below or above.
fn toward(value: &Val, below: bool) -> Answer {
    let number = number(value)?;
    let negative = number.compare(&Num::Int(0)).is_lt();
    answer(value, number.rounded(0, if negative == below { Rule::Up } else { Rule::Down }, false))
}

pub(super) fn abs(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    let number = number(value)?;
    Ok(Val::Num(if number.compare(&Num::Int(0)).is_lt() { number.negated() } else { number }))
}

pub(super) fn round(_: &Env, value: &Val, [places, by]: &[Val; 2]) -> Answer {
    answer(value, number(value)?.rounded(scale(places)?, rule(by)?, false))
}

pub(super) fn fixed(_: &Env, value: &Val, [places, by]: &[Val; 2]) -> Answer {
    answer(value, number(value)?.rounded(scale(places)?, rule(by)?, true))
}

pub(super) fn fen_to_yuan(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    or_null(value, |value| answer(value, number(value)?.shifted(-2)))
}

pub(super) fn yuan_to_fen(_: &Env, value: &Val, []: &[Val; 0]) -> Answer {
    or_null(value, |value| answer(value, number(value)?.shifted(2)))
}

/// Null stays null: what was not there is not nought.
fn or_null(value: &Val, f: impl FnOnce(&Val) -> Answer) -> Answer {
    match value {
        Val::Null => Ok(Val::Null),
        value => f(value),
    }
}

pub(super) fn dec_add(_: &Env, a: &Val, [b]: &[Val; 1]) -> Answer {
    answer(a, number::add(&number(a)?, &number(b)?))
}

pub(super) fn dec_sub(_: &Env, a: &Val, [b]: &[Val; 1]) -> Answer {
    answer(a, number::sub(&number(a)?, &number(b)?))
}

pub(super) fn dec_mul(_: &Env, a: &Val, [b]: &[Val; 1]) -> Answer {
    answer(a, number::mul(&number(a)?, &number(b)?))
}

pub(super) fn dec_div(_: &Env, a: &Val, [b, places, by]: &[Val; 3]) -> Answer {
    answer(a, number::div(&number(a)?, &number(b)?, scale(places)?, rule(by)?))
}
