//! Rows of made-up entities, choices among them, and hashes of texts: what vendors with plain tables share.

use std::ops::Range;

use md5::{Digest, Md5};

use crate::dice::Dice;
use crate::table::Row;

/// `n` rows whose modified times spread evenly over the span, strictly ascending; one pair in 40 lies 7 ms apart.
///
/// `age` says how long before its last modification each row was created.
pub(crate) fn spread(dice: &mut Dice, n: u32, span: &Range<i64>, age: impl Fn(u32) -> i64) -> Vec<Row> {
    let length = (span.end - span.start).max(0);
    let (step, rest) = (length / (i64::from(n) + 1), length % (i64::from(n) + 1));
    let mut rows: Vec<Row> = Vec::with_capacity(n as usize);
    for seq in 0..n {
        let grid = span.start + step * i64::from(seq) + rest * i64::from(seq) / (i64::from(n) + 1);
        let updated = match rows.last() {
            Some(last) if seq % 40 == 1 && step > 20 => last.updated + 7,
            _ => grid + dice.below(step / 2),
        };
        rows.push(Row { created: updated - age(seq), updated, version: 0 });
    }
    rows
}

/// Up to `n` of the positions, each at most once.
pub(crate) fn some_of(dice: &mut Dice, mut positions: Vec<u32>, n: u32) -> Vec<u32> {
    let mut chosen = Vec::new();
    while let (true, Ok(left @ 1..)) = (chosen.len() < n as usize, u32::try_from(positions.len())) {
        chosen.push(positions.swap_remove(dice.position(left) as usize));
    }
    chosen
}

/// The MD5 of a text as lower-case hex.
pub(crate) fn md5_hex(text: &str) -> String {
    let half = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    Md5::digest(text).iter().flat_map(|byte| [half(byte >> 4), half(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_ascend_within_the_span() {
        for (n, span) in [(0, 0..10), (1, 0..10), (100, 5_000..1_000_000), (100, 0..100)] {
            let rows = spread(&mut Dice::new(1, 2, 3), n, &span, |seq| i64::from(seq) + 1);
            assert_eq!(rows.len(), n as usize);
            assert!(rows.iter().all(|row| row.created < row.updated && span.contains(&row.updated)));
            assert!(rows.windows(2).all(|pair| pair[0].updated <= pair[1].updated));
        }
    }

    #[test]
    fn choices_never_repeat() {
        let mut chosen = some_of(&mut Dice::new(1, 2, 3), (0..10).collect(), 20);
        chosen.sort_unstable();
        assert_eq!(chosen, (0..10).collect::<Vec<u32>>());
        assert_eq!(some_of(&mut Dice::new(1, 2, 3), (0..10).collect(), 3).len(), 3);
    }

    #[test]
    fn the_hash_of_nothing() {
        assert_eq!(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
