//! The bounds of rules, as they are written: `2h`, `90%`, `3`, `2x`, `2GB`.

use std::fmt;
use std::time::Duration;

/// From where on something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// So many: `3`.
    Count(u32),
    /// A length of time: `2h`.
    Time(Duration),
    /// A share of the whole: `10%`.
    Percent(u8),
    /// Bytes: `2GB`.
    Bytes(u64),
    /// So many times what is usual: `2x`.
    Times(u32),
}

/// What a bound may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundKind {
    /// [`Bound::Count`].
    Count,
    /// [`Bound::Time`].
    Time,
    /// [`Bound::Percent`].
    Percent,
    /// [`Bound::Bytes`] or [`Bound::Percent`].
    Space,
    /// [`Bound::Times`] or [`Bound::Time`].
    Silence,
}

const SIZES: [(&str, u64); 6] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
];
const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

impl BoundKind {
    /// Reads a bound; `None` if it is none of this kind.
    pub fn parse(self, text: &str) -> Option<Bound> {
        let text = text.trim();
        match self {
            Self::Count => count(text).map(Bound::Count),
            Self::Time => time(text).map(Bound::Time),
            Self::Percent => percent(text),
            Self::Space => percent(text).or_else(|| size(text).map(Bound::Bytes)),
            Self::Silence => {
                let times = text.strip_suffix('x').and_then(|n| count(n.trim())).map(Bound::Times);
                times.or_else(|| time(text).map(Bound::Time))
            }
        }
    }

    /// Bounds of this kind, as examples.
    pub fn examples(self) -> &'static [&'static str] {
        match self {
            Self::Count => &["1", "3"],
            Self::Time => &["2h", "7d"],
            Self::Percent => &["10%"],
            Self::Space => &["2GB", "5%"],
            Self::Silence => &["2x", "6h"],
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => write!(f, "{n}"),
            Self::Percent(n) => write!(f, "{n}%"),
            Self::Times(n) => write!(f, "{n}x"),
            Self::Bytes(n) => {
                let fits = |(_, size): &&(&str, u64)| *n > 0 && n % size == 0;
                let (unit, size) = SIZES.iter().find(fits).unwrap_or(&("MB", 1_000_000));
                write!(f, "{}{unit}", n / size)
            }
            Self::Time(length) => write_time(*length, f),
        }
    }
}

fn write_time(length: Duration, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut secs = length.as_secs();
    if secs == 0 {
        return f.write_str("0s");
    }
    for (unit, size) in &UNITS[1..] {
        if secs >= *size {
            write!(f, "{}{unit}", secs / size)?;
            secs %= size;
        }
    }
    Ok(())
}

fn count(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n| *n > 0)
}

fn percent(text: &str) -> Option<Bound> {
    let n = text.strip_suffix('%')?.trim_end().parse().ok()?;
    (1..=99).contains(&n).then_some(Bound::Percent(n))
}

fn size(text: &str) -> Option<u64> {
    let (unit, size) = SIZES.iter().find(|(unit, _)| text.ends_with(unit))?;
    let n: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
    n.checked_mul(*size).filter(|n| *n > 0)
}

/// Reads `90s`, `2h30m`, `7d`: whole numbers with their units; not nothing at all.
fn time(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut secs: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let (_, size) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit))?;
        secs = secs.checked_add(number.parse::<u64>().ok()?.checked_mul(*size)?)?;
        rest = tail[1..].trim_start();
    }
    // A hundred years are no bound, and would leave the range of instants.
    (1..=3_153_600_000).contains(&secs).then(|| Duration::from_secs(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_and_written() {
        use BoundKind::{Count, Percent, Silence, Space, Time};
        let good = [
            (Count, "3", "3"),
            (Time, "2h", "2h"),
            (Time, "90m", "1h30m"),
            (Time, "1w", "7d"),
            (Percent, "10 %", "10%"),
            (Space, "2GB", "2GB"),
            (Space, "2GiB", "2GiB"),
            (Space, "1500MB", "1500MB"),
            (Space, "5%", "5%"),
            (Silence, "2x", "2x"),
            (Silence, "6h", "6h"),
        ];
        for (kind, text, written) in good {
            let bound = kind.parse(text).unwrap();
            assert_eq!(bound.to_string(), written);
            assert_eq!(kind.parse(written), Some(bound), "{text}");
        }
        let bad = [
            (Count, "0"),
            (Count, "1.5"),
            (Time, "2"),
            (Time, "0s"),
            (Time, ""),
            (Time, "2 hours"),
            (Time, "99999999999999999999s"),
            (Percent, "10"),
            (Percent, "100%"),
            (Space, "2"),
            (Space, "2h"),
            (Silence, "0x"),
            (Silence, "x"),
        ];
        for (kind, text) in bad {
            assert_eq!(kind.parse(text), None, "{kind:?} {text:?}");
        }
        for kind in [Count, Time, Percent, Space, Silence] {
            assert!(kind.examples().iter().all(|text| kind.parse(text).is_some()));
        }
    }
}
