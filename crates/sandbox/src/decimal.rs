//! Compares numbers as they were written, of any length, without a float in between.

use std::cmp::Ordering;

/// Compares two values: as decimal numbers if both are, else as texts.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    Literal::read(left).compare(&Literal::read(right))
}

/// A value taken apart once, for many comparisons.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literal<'a> {
    text: &'a str,
    decimal: Option<Decimal<'a>>,
}

/// A plain decimal number taken apart, without zeros that say nothing.
#[derive(Clone, Copy, Debug)]
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    rest: &'a str,
}

impl<'a> Literal<'a> {
    /// Takes a value apart.
    pub(crate) fn read(text: &'a str) -> Self {
        Self { text, decimal: Decimal::parse(text) }
    }

    /// Compares with another value, as [`compare`].
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (&self.decimal, &other.decimal) {
            (Some(left), Some(right)) => left.compare(right),
            _ => self.text.cmp(other.text),
        }
    }
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(rest) {
            return None;
        }
        let (whole, rest) = (whole.trim_start_matches('0'), rest.trim_end_matches('0'));
        Some(Self { negative: negative && !(whole.is_empty() && rest.is_empty()), whole, rest })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let size = |left: &Self, right: &Self| {
            let whole = left.whole.len().cmp(&right.whole.len()).then_with(|| left.whole.cmp(right.whole));
            whole.then_with(|| left.rest.cmp(right.rest))
        };
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_numbers() {
        for (left, right, expected) in [
            ("9", "10", Ordering::Less),
            ("-9", "-10", Ordering::Greater),
            ("1.50", "1.5", Ordering::Equal),
            ("-0", "0.0", Ordering::Equal),
            ("1.05", "1.5", Ordering::Less),
            ("-1", "1", Ordering::Less),
            ("2006712890913456134", "2006712890913456135", Ordering::Less),
            ("2026-01-05 11:34:02", "2026-01-05 11:34:10", Ordering::Less),
            ("a", "b", Ordering::Less),
        ] {
            assert_eq!(compare(left, right), expected, "{left} {right}");
            assert_eq!(compare(right, left), expected.reverse(), "{right} {left}");
        }
    }
}
