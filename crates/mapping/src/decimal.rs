//! Decimal numbers of any length as the digits that were written: shift, round, compare; never a float.

use std::cmp::Ordering;

/// The most zeros that are added to write a number without its exponent, as in `1E+2` → `100`.
const MOST_ZEROS: i64 = 1000;

/// A number, borrowed from its text: `digits`, with the decimal point after the first `point` of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: &'a [u8],
    /// Digits after the point, as written.
    fraction: &'a [u8],
    /// Where the decimal point is, counted from the first digit; may lie outside the digits.
    point: i64,
}

/// How a number is cut to fewer digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// To the nearest; a half goes away from zero.
    HalfUp,
    /// To the nearest; a half goes to the even neighbour.
    HalfEven,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// The only rounding there is: at most `scale` digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) scale: u32,
    pub(crate) rule: Rule,
}

impl<'a> Decimal<'a> {
    /// Reads `-12.50`, `+1`, `.5`, `1E+2`; `None` if the text is not a number.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (negative, rest) = match bytes.first()? {
            b'-' => (true, &bytes[1..]),
            b'+' => (false, &bytes[1..]),
            _ => (false, bytes),
        };
        let (whole, rest) = rest.split_at(count_digits(rest));
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => rest.split_at(count_digits(rest)),
            _ => (&[][..], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest.split_first() {
            None => 0,
            Some((b'e' | b'E', rest)) => read_exponent(rest)?,
            Some(_) => return None,
        };
        let zeros = whole.iter().take_while(|&&d| d == b'0').count();
        let whole = &whole[zeros..];
        Some(Self { negative, whole, fraction, point: length(whole) + exponent })
    }

    /// The number times ten to the power of `places`, as `1050` fen are `10.50` yuan.
    pub(crate) fn shift(self, places: i32) -> Self {
        Self { point: self.point + i64::from(places), ..self }
    }

    /// Whether nothing but zeros follows the decimal point.
    pub(crate) fn is_whole(self) -> bool {
        (self.point.max(0)..self.n_digits()).all(|i| self.digit(i) == b'0')
    }

    fn is_zero(self) -> bool {
        (0..self.n_digits()).all(|i| self.digit(i) == b'0')
    }

    fn n_digits(self) -> i64 {
        length(self.whole) + length(self.fraction)
    }

    /// The digit at `index`; zero outside the digits.
    fn digit(self, index: i64) -> u8 {
        let Ok(index) = usize::try_from(index) else { return b'0' };
        let n_whole = self.whole.len();
        if index < n_whole { self.whole[index] } else { self.fraction.get(index - n_whole).copied().unwrap_or(b'0') }
    }

    /// Writes the number without an exponent, rounded if asked, with at least `scale` digits after the point.
    ///
    /// Digits are never dropped except by `round`; zero has no sign. `None` if too many zeros would have to be added.
    pub(crate) fn write(self, round: Option<Round>, scale: u32, out: &mut String) -> Option<()> {
        let natural = (self.n_digits() - self.point).max(0);
        let cut = round.map(|r| i64::from(r.scale)).filter(|&kept| kept < natural);
        let n_fraction = cut.unwrap_or(natural);
        if self.point - self.n_digits() > MOST_ZEROS || (cut.is_none() && -self.point > MOST_ZEROS) {
            return None;
        }
        let end = self.point + n_fraction;
        let up = cut.is_some() && round.is_some_and(|r| self.goes_up(end, r.rule));
        // Rounding up raises the last digit that is not a nine and turns the nines after it to zeros.
        let raised = up.then(|| {
            let mut index = end - 1;
            while self.digit(index) == b'9' {
                index -= 1;
            }
            index
        });
        let shown = |index: i64| match raised {
            Some(raised) if index == raised => self.digit(index) + 1,
            Some(raised) if index > raised => b'0',
            _ => self.digit(index),
        };
        let start = raised.unwrap_or(0).min(0);
        let first = (start..self.point).find(|&i| shown(i) != b'0').unwrap_or(self.point);
        if self.negative && (start.min(self.point)..end).any(|i| shown(i) != b'0') {
            out.push('-');
        }
        if first >= self.point {
            out.push('0');
        }
        out.extend((first..self.point).map(|i| char::from(shown(i))));
        let padded = n_fraction.max(i64::from(scale));
        if padded > 0 {
            out.push('.');
            out.extend((self.point..end).map(|i| char::from(shown(i))));
            out.extend((n_fraction..padded).map(|_| '0'));
        }
        Some(())
    }

    /// Whether dropping the digits from `end` on raises the digit before.
    fn goes_up(self, end: i64, rule: Rule) -> bool {
        let rest_is_zero = |from: i64| (from.max(0)..self.n_digits()).all(|i| self.digit(i) == b'0');
        let next = self.digit(end);
        match rule {
            Rule::Down => false,
            Rule::Up => !rest_is_zero(end),
            Rule::HalfEven if next == b'5' && rest_is_zero(end + 1) => (self.digit(end - 1) - b'0') % 2 == 1,
            Rule::HalfUp | Rule::HalfEven => next >= b'5',
        }
    }

    /// Compares by value: `1E+2`, `100` and `100.00` are equal.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if other.negative { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if self.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) if self.negative != other.negative => {
                return if self.negative { Ordering::Less } else { Ordering::Greater };
            }
            (false, false) => {}
        }
        // Positions of the first digit that counts, seen from the decimal point.
        let first = |n: Self| (0..n.n_digits()).find(|&i| n.digit(i) != b'0').unwrap_or(0);
        let (a, b) = (first(self), first(other));
        let by_size = (self.point - a).cmp(&(other.point - b));
        let n = (self.n_digits() - a).max(other.n_digits() - b);
        let by_digits = || (0..n).map(|i| self.digit(a + i)).cmp((0..n).map(|i| other.digit(b + i)));
        let order = by_size.then_with(by_digits);
        if self.negative { order.reverse() } else { order }
    }
}

/// Whether the text is a number as JSON writes it, so that it can stay as it is.
pub(crate) fn is_json_number(text: &str) -> bool {
    let bytes = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let n_whole = count_digits(bytes);
    if n_whole == 0 || (n_whole > 1 && bytes[0] == b'0') {
        return false;
    }
    let mut rest = &bytes[n_whole..];
    if let Some((b'.', after)) = rest.split_first() {
        let n = count_digits(after);
        if n == 0 {
            return false;
        }
        rest = &after[n..];
    }
    match rest.split_first() {
        None => true,
        Some((b'e' | b'E', after)) => read_exponent(after).is_some(),
        Some(_) => false,
    }
}

/// Whether the text is a whole number as JSON writes it: digits, perhaps with a minus.
pub(crate) fn is_json_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    !digits.is_empty() && count_digits(digits) == digits.len() && (digits[0] != b'0' || text == "0")
}

fn count_digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).expect("a text is shorter than 8 EiB")
}

/// The digits of an exponent with its sign; what is beyond all sense is held at the edge.
fn read_exponent(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || count_digits(digits) != digits.len() {
        return None;
    }
    let edge = i64::from(i32::MAX);
    let value = digits.iter().fold(0_i64, |n, &d| (n * 10 + i64::from(d - b'0')).min(edge));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::{Decimal as Reference, RoundingStrategy};

    use super::*;

    fn write(text: &str, places: i32, round: Option<Round>, scale: u32) -> Option<String> {
        let mut out = String::new();
        Decimal::parse(text)?.shift(places).write(round, scale, &mut out).map(|()| out)
    }

    fn plain(text: &str) -> String {
        write(text, 0, None, 0).unwrap()
    }

    fn shifted(text: &str, places: i32) -> String {
        write(text, places, None, 0).unwrap()
    }

    fn rounded(text: &str, scale: u32, rule: Rule) -> String {
        write(text, 0, Some(Round { scale, rule }), 0).unwrap()
    }

    #[test]
    fn writes_plainly_without_losing_a_digit() {
        let cases = [
            ("0", "0"),
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("0.10", "0.10"),
            ("007", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("+5", "5"),
            ("1E+2", "100"),
            ("1.50e1", "15.0"),
            ("12e-1", "1.2"),
            ("1e-3", "0.001"),
            ("0e5", "0"),
            ("1234567890123456789012", "1234567890123456789012"),
            ("1000000000000000.01", "1000000000000000.01"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text}");
        }
        assert_eq!(write("1e1001", 0, None, 0), None);
        assert_eq!(write("1e-1002", 0, None, 0), None);
        assert_eq!(write("1e-99999999999999999999", 0, Some(Round { scale: 2, rule: Rule::Up }), 0).unwrap(), "0.01");
        for text in ["", "-", ".", "1e", "e5", "1,000", "12a", "NaN", "１", " 1", "1..2", "--1", "0x10"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
            assert!(!is_json_number(text), "{text}");
        }
    }

    #[test]
    fn shifts_money_and_weights() {
        let cases = [
            ("1050", -2, "10.50"),
            ("5", -2, "0.05"),
            ("0", -2, "0.00"),
            ("-5", -2, "-0.05"),
            ("1000", -2, "10.00"),
            ("1050.5", -2, "10.505"),
            ("10.50", 2, "1050"),
            ("10.505", 2, "1050.5"),
            ("10", 2, "1000"),
            ("0.1750", 3, "175.0"),
            ("1500", -3, "1.500"),
            ("1E+2", -2, "1"),
        ];
        for (text, places, expected) in cases {
            assert_eq!(shifted(text, places), expected, "{text}");
        }
    }

    #[test]
    fn rounds_by_the_named_rule() {
        use Rule::{Down, HalfEven, HalfUp, Up};
        let cases = [
            ("9.995", 2, HalfUp, "10.00"),
            ("-9.995", 2, HalfUp, "-10.00"),
            ("2.5", 0, HalfEven, "2"),
            ("3.5", 0, HalfEven, "4"),
            ("2.51", 0, HalfEven, "3"),
            ("0.5", 0, HalfEven, "0"),
            ("0.5", 0, HalfUp, "1"),
            ("-0.4", 0, HalfUp, "0"),
            ("0.999", 2, Down, "0.99"),
            ("0.991", 2, Up, "1.00"),
            ("0.990", 2, Up, "0.99"),
            ("99.99", 1, HalfUp, "100.0"),
            ("0.05", 1, HalfUp, "0.1"),
            ("0.004", 1, Up, "0.1"),
            ("1.5", 2, HalfUp, "1.5"),
            ("1e-9", 2, Down, "0.00"),
        ];
        for (text, scale, rule, expected) in cases {
            assert_eq!(rounded(text, scale, rule), expected, "{text} {rule:?}");
        }
        assert_eq!(write("10.5", 0, None, 4).unwrap(), "10.5000");
        assert_eq!(write("7", 0, None, 2).unwrap(), "7.00");
    }

    const RULES: [(Rule, RoundingStrategy); 4] = [
        (Rule::HalfUp, RoundingStrategy::MidpointAwayFromZero),
        (Rule::HalfEven, RoundingStrategy::MidpointNearestEven),
        (Rule::Down, RoundingStrategy::ToZero),
        (Rule::Up, RoundingStrategy::AwayFromZero),
    ];

    /// Numbers that both sides can hold exactly.
    fn number() -> impl Strategy<Value = String> {
        (any::<bool>(), "[0-9]{1,14}", "(\\.[0-9]{1,10})?").prop_map(|(negative, whole, fraction)| {
            let sign = if negative { "-" } else { "" };
            format!("{sign}{whole}{fraction}")
        })
    }

    fn reference(text: &str) -> Reference {
        text.parse().unwrap()
    }

    proptest! {
        #[test]
        fn compares_as_the_reference_does(a in number(), b in number()) {
            let ours = Decimal::parse(&a).unwrap().compare(Decimal::parse(&b).unwrap());
            prop_assert_eq!(ours, reference(&a).cmp(&reference(&b)), "{} {}", a, b);
            let padded = format!("{}{}e-3", a, if a.contains('.') { "" } else { "." });
            let same = Decimal::parse(&padded).unwrap().shift(3);
            prop_assert_eq!(same.compare(Decimal::parse(&a).unwrap()), Ordering::Equal);
        }

        #[test]
        fn rounds_as_the_reference_does(text in number(), scale in 0_u32..8, which in 0_usize..4) {
            let (rule, strategy) = RULES[which];
            let ours = rounded(&text, scale, rule);
            let expected = reference(&text).round_dp_with_strategy(scale, strategy);
            prop_assert_eq!(reference(&ours), expected, "{} {}", text, ours);
            let n_fraction = ours.split_once('.').map_or(0, |(_, f)| f.len());
            prop_assert!(n_fraction <= scale as usize);
        }

        #[test]
        fn shifting_there_and_back_is_nothing(text in number(), places in -6_i32..6) {
            let there = shifted(&text, places);
            prop_assert_eq!(reference(&shifted(&there, -places)), reference(&text));
            let factor = reference(&format!("1e{places}").parse::<f64>().unwrap().to_string());
            prop_assert_eq!(reference(&there), reference(&text) * factor);
        }

        #[test]
        fn any_length_is_kept(text in "-?[1-9][0-9]{0,80}(\\.[0-9]{1,80})?") {
            prop_assert_eq!(plain(&text), text.clone());
            prop_assert!(is_json_number(&text));
            let there = shifted(&text, -2);
            prop_assert!(Decimal::parse(&there).unwrap().shift(2).compare(Decimal::parse(&text).unwrap()).is_eq());
        }

        #[test]
        fn reads_only_numbers_and_never_panics(text in "[-+0-9.eE]{0,12}") {
            if let Some(n) = Decimal::parse(&text) {
                let mut out = String::new();
                if n.write(Some(Round { scale: 3, rule: Rule::HalfEven }), 2, &mut out).is_some() {
                    prop_assert!(is_json_number(&out), "{} {}", text, out);
                }
            } else {
                prop_assert!(!is_json_number(&text));
            }
        }
    }
}
