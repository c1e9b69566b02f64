//! Sets and maps that are quick because nobody chooses their keys to make them slow.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use milkrun_core::Key;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The digests of keys.
pub(crate) type Digests = HashSet<u64, BuildHasherDefault<Mixer>>;

/// What is known of keys.
pub(crate) type ByKey<T> = HashMap<Key, T, BuildHasherDefault<Mixer>>;

/// Mixes a few numbers, and texts by xxh3.
#[derive(Debug, Default)]
pub(crate) struct Mixer(u64);

/// The golden ratio in 64 bits: odd, and without a pattern.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(n.into());
    }

    fn write_u64(&mut self, n: u64) {
        let mixed = u128::from(self.0 ^ n) * u128::from(STEP);
        // Both halves, so that each bit of the number reaches all bits of the result.
        self.0 = u64::try_from(mixed >> 64).expect("half of it")
            ^ u64::try_from(mixed & u128::from(u64::MAX)).expect("half of it");
    }

    fn write_i64(&mut self, n: i64) {
        self.write_u64(n.cast_unsigned());
    }

    fn write_isize(&mut self, n: isize) {
        self.write_u64(n.cast_unsigned() as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_spread() {
        let low = |n: i64| {
            let mut mixer = Mixer::default();
            std::hash::Hash::hash(&Key::Int(n), &mut mixer);
            (mixer.finish() & 1023, mixer.finish() >> 57)
        };
        let places: HashSet<_> = (0..1024).map(|n| low(5_973_932_000_000_000 + n)).collect();
        assert!(places.len() > 1000, "{}", places.len());
    }

    #[test]
    fn numbers_and_texts_are_found_again() {
        let keys = [Key::Int(7), Key::Text("7".into()), Key::Text(String::new()), Key::Int(-7)];
        let known: ByKey<usize> = keys.iter().cloned().zip(0..).collect();
        assert_eq!(keys.iter().map(|key| known[key]).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}
