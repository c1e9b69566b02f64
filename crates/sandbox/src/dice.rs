//! Seeded numbers: the same seed and place give the same numbers on every machine.

/// A `SplitMix64` stream.
///
/// It is written out here because the data of a seed must never change with the version of a crate.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The stream that belongs to one place (such as entity and row) under one seed.
    pub(crate) fn new(seed: u64, place: u64, row: u64) -> Self {
        let mut dice = Self(seed ^ place.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        dice.0 = dice.roll() ^ row.wrapping_mul(0xA076_1D64_78BD_642F);
        dice.roll();
        dice
    }

    /// The next 64 bits.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number of `0..limit`; 0 if `limit` is not positive.
    pub(crate) fn below(&mut self, limit: i64) -> i64 {
        let rolled = (self.roll() >> 1).cast_signed();
        if limit > 0 { rolled % limit } else { 0 }
    }

    /// A position of `0..limit`; 0 if `limit` is 0.
    pub(crate) fn position(&mut self, limit: u32) -> u32 {
        u32::try_from(self.below(i64::from(limit))).unwrap_or(0)
    }

    /// One of the choices.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let limit = u64::try_from(choices.len()).expect("a list of choices is short");
        choices[usize::try_from(self.roll() % limit).expect("below the number of choices")]
    }

    /// Takes one out of a list, whose order changes; `None` if it is empty.
    pub(crate) fn draw<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        let left = u32::try_from(from.len()).expect("lists of places are short");
        (left > 0).then(|| from.swap_remove(self.position(left) as usize))
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_place_always_rolls_the_same_numbers() {
        let rolls = |seed, place, row| {
            let mut dice = Dice::new(seed, place, row);
            [dice.roll(), dice.roll()]
        };
        assert_eq!(rolls(1, 2, 3), rolls(1, 2, 3));
        assert_ne!(rolls(1, 2, 3), rolls(2, 2, 3));
        assert_ne!(rolls(1, 2, 3), rolls(1, 3, 3));
        assert_ne!(rolls(1, 2, 3), rolls(1, 2, 4));
    }

    #[test]
    fn limits_hold() {
        let mut dice = Dice::new(7, 0, 0);
        assert!((0..1_000).all(|_| (0..10).contains(&dice.below(10))));
        assert_eq!((dice.below(0), dice.position(0)), (0, 0));
        assert!((0..1_000).all(|_| dice.position(3) < 3));
        let mut left = vec![1, 2, 3];
        let mut drawn: Vec<i32> = std::iter::from_fn(|| dice.draw(&mut left)).collect();
        drawn.sort_unstable();
        assert_eq!(drawn, [1, 2, 3]);
    }
}
