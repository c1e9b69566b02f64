//! Numbers of expressions: the text they were written as, and exact arithmetic of any length.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::rc::Rc;

use num_bigint::{BigInt, Sign};

use super::meter;
use crate::decimal::{Decimal, Round, Rule, is_json_number};

/// The most digits that are reckoned with.
const MOST_DIGITS: usize = 1_000;
/// The most decimals of a quotient that comes out even.
const MOST_DECIMALS: u32 = 40;

/// A number. Small whole ones are kept as such, all others as their JSON text.
#[derive(Clone, Debug)]
pub(crate) enum Num {
    /// A whole number whose text is its digits.
    Int(i64),
    /// A JSON number.
    Text(Rc<str>),
}

/// What is wrong with a calculation, as the end of a sentence.
pub(crate) type Reason = &'static str;

const TOO_LONG: Reason = "has more than 1000 digits";

/// A number as `digits × 10^-scale`.
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    digits: BigInt,
    scale: u32,
}

impl Num {
    /// The number that the JSON text is.
    pub(crate) fn of_json(text: &str) -> Self {
        let small = text.len() < 19 && text != "-0" && !text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'));
        match text.parse() {
            Ok(number) if small => Self::Int(number),
            _ => Self::Text(Rc::from(text)),
        }
    }

    /// The number that a text says, with the digits it has: `" 042.50 "` is `42.50`.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        if is_json_number(text) {
            return Some(Self::of_json(text));
        }
        let mut plain = String::new();
        Decimal::parse(text)?.write(None, 0, &mut plain)?;
        Some(Self::of_json(&plain))
    }

    pub(crate) fn text(&self) -> Rc<str> {
        match self {
            Self::Int(number) => Rc::from(number.to_string()),
            Self::Text(text) => Rc::clone(text),
        }
    }

    /// The bytes of its text, about.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Int(_) => 8,
            Self::Text(text) => text.len(),
        }
    }

    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Int(number) => {
                let _ = write!(out, "{number}");
            }
            Self::Text(text) => out.push_str(text),
        }
    }

    /// The whole number it is, whatever its form, if it is small.
    pub(crate) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Text(_) => {
                let exact = self.exact().ok()?;
                let ten = BigInt::from(10).pow(exact.scale);
                let whole = &exact.digits / &ten;
                (&whole * ten == exact.digits).then(|| i64::try_from(whole).ok()).flatten()
            }
        }
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        if let (Self::Int(a), Self::Int(b)) = (self, other) {
            return a.cmp(b);
        }
        let (a, b) = (self.text(), other.text());
        match (Decimal::parse(&a), Decimal::parse(&b)) {
            (Some(a), Some(b)) => a.compare(b),
            _ => a.cmp(&b),
        }
    }

    /// Its digits and its scale; refuses what is too long to be reckoned with.
    pub(crate) fn exact(&self) -> Result<Exact, Reason> {
        let text = match self {
            Self::Int(number) => return Ok(Exact { digits: BigInt::from(*number), scale: 0 }),
            Self::Text(text) => text,
        };
        if text.len() > MOST_DIGITS {
            return Err(TOO_LONG);
        }
        meter::pay(1 + text.len() / 16);
        let mut plain = String::new();
        let decimal = Decimal::parse(text).ok_or("is not a number")?;
        decimal.write(None, 0, &mut plain).ok_or(TOO_LONG)?;
        let scale = plain.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        plain.retain(|c| c != '.');
        let digits = plain.parse().map_err(|_| "is not a number")?;
        Ok(Exact { digits, scale: u32::try_from(scale).map_err(|_| TOO_LONG)? })
    }

    /// The number with at most so many decimals, by the rule; with `pad`, with exactly so many.
    pub(crate) fn rounded(&self, scale: u32, rule: Rule, pad: bool) -> Result<Self, Reason> {
        if let (Self::Int(_), false) = (self, pad) {
            return Ok(self.clone());
        }
        let text = self.text();
        meter::pay(1 + text.len() / 16);
        let mut out = String::new();
        let decimal = Decimal::parse(&text).ok_or("is not a number")?;
        decimal.write(Some(Round { scale, rule }), if pad { scale } else { 0 }, &mut out).ok_or(TOO_LONG)?;
        Ok(Self::of_json(&out))
    }

    /// The number times ten to the power of `places`.
    pub(crate) fn shifted(&self, places: i32) -> Result<Self, Reason> {
        let text = self.text();
        meter::pay(1 + text.len() / 16);
        let mut out = String::new();
        Decimal::parse(&text).ok_or("is not a number")?.shift(places).write(None, 0, &mut out).ok_or(TOO_LONG)?;
        Ok(Self::of_json(&out))
    }

    pub(crate) fn negated(&self) -> Self {
        match self {
            Self::Int(number) if *number != i64::MIN => Self::Int(-number),
            _ => {
                let text = self.text();
                meter::pay_bytes(text.len());
                let negated = text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned);
                Self::of_json(&negated)
            }
        }
    }
}

impl Exact {
    fn number(self) -> Result<Num, Reason> {
        let mut text = self.digits.magnitude().to_string();
        meter::pay(1 + text.len() / 16);
        if text.len() > MOST_DIGITS {
            return Err(TOO_LONG);
        }
        let scale = self.scale as usize;
        if scale > 0 {
            if text.len() <= scale {
                text.insert_str(0, &"0".repeat(scale + 1 - text.len()));
            }
            text.insert(text.len() - scale, '.');
        }
        if self.digits.sign() == Sign::Minus {
            text.insert(0, '-');
        }
        Ok(Num::of_json(&text))
    }

    /// Both with the same scale.
    fn aligned(self, other: Self) -> (BigInt, BigInt, u32) {
        let scale = self.scale.max(other.scale);
        let raise = |n: Self| n.digits * BigInt::from(10).pow(scale - n.scale);
        (raise(self), raise(other), scale)
    }
}

/// `a + b`, exactly; the longer scale stays, so that `10.50 + 0.50` is `11.00`.
pub(crate) fn add(a: &Num, b: &Num) -> Result<Num, Reason> {
    if let (Num::Int(a), Num::Int(b)) = (a, b)
        && let Some(sum) = a.checked_add(*b)
    {
        return Ok(Num::Int(sum));
    }
    let (a, b, scale) = a.exact()?.aligned(b.exact()?);
    Exact { digits: a + b, scale }.number()
}

/// `a - b`, exactly.
pub(crate) fn sub(a: &Num, b: &Num) -> Result<Num, Reason> {
    add(a, &b.negated())
}

/// `a × b`, exactly; the scales add up.
pub(crate) fn mul(a: &Num, b: &Num) -> Result<Num, Reason> {
    if let (Num::Int(a), Num::Int(b)) = (a, b)
        && let Some(product) = a.checked_mul(*b)
    {
        return Ok(Num::Int(product));
    }
    let (a, b) = (a.exact()?, b.exact()?);
    Exact { digits: a.digits * b.digits, scale: a.scale + b.scale }.number()
}

/// `a ÷ b` with at most `scale` decimals, rounded by the rule.
pub(crate) fn div(a: &Num, b: &Num, scale: u32, rule: Rule) -> Result<Num, Reason> {
    let (a, b, _) = a.exact()?.aligned(b.exact()?);
    if b.sign() == Sign::NoSign {
        return Err("is divided by zero");
    }
    // One digit more than wanted, and a last one that says whether anything is left, decide every rule.
    let raised = a * BigInt::from(10).pow(scale + 1);
    let (mut quotient, rest) = (&raised / &b, &raised % &b);
    let negative = (raised.sign() == Sign::Minus) != (b.sign() == Sign::Minus);
    quotient *= 10;
    if rest.sign() != Sign::NoSign {
        quotient += if negative { -1 } else { 1 };
    }
    Exact { digits: quotient, scale: scale + 2 }.number()?.rounded(scale, rule, false)
}

/// `a ÷ b` if it comes out even, without zeros at the end.
pub(crate) fn div_even(a: &Num, b: &Num) -> Result<Num, Reason> {
    let (mut a, b, _) = a.exact()?.aligned(b.exact()?);
    if b.sign() == Sign::NoSign {
        return Err("is divided by zero");
    }
    for scale in 0..=MOST_DECIMALS {
        if (&a % &b).sign() == Sign::NoSign {
            return Exact { digits: a / b, scale }.number();
        }
        a *= 10;
    }
    Err("does not come out even; write dec_div(…; scale; \"half-up\") to round")
}

/// What is left of `a` when `b` is taken off as often as possible, with the sign of `a`.
pub(crate) fn rem(a: &Num, b: &Num) -> Result<Num, Reason> {
    let (a, b, scale) = a.exact()?.aligned(b.exact()?);
    if b.sign() == Sign::NoSign {
        return Err("is divided by zero");
    }
    Exact { digits: a % b, scale }.number()
}
