//! Which fields of an object the rules ask for, and how they are found without looking each name up.
//!
//! Records of one stream come with the same names in nearly the same order. So the names of one record are kept, and
//! the next record's names are compared with them one by one, stepping over a few that are missing; only a name that is
//! not where it was expected is looked up.

use std::collections::HashMap;

use crate::json::decode_name;

/// No slot: nobody asks for the field.
pub(crate) const NO_SLOT: u16 = u16::MAX;

/// How many expected names a record may leave out in a row.
const STEP_OVER: usize = 4;

/// The names that the rules ask for in one kind of object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    slots: HashMap<String, u16>,
}

impl Wanted {
    /// The slot of `name`, a new one if it has none.
    pub(crate) fn slot(&mut self, name: &str) -> u16 {
        let next = u16::try_from(self.slots.len()).ok().filter(|&n| n != NO_SLOT);
        let next = next.expect("a mapping names fewer than 65,535 fields");
        *self.slots.entry(name.to_owned()).or_insert(next)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    fn find(&self, name: &str) -> u16 {
        self.slots.get(name).copied().unwrap_or(NO_SLOT)
    }
}

/// Where a value lies: at a field's number in a record, or from byte to byte in an element's text.
pub(crate) type Spot = (u32, u32);

/// The slot is empty: the object does not have the field.
const NOWHERE: Spot = (u32::MAX, u32::MAX);

/// What was found in one object, and the names that the next one is expected to have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    spots: Vec<Spot>,
    /// The slot of each field of the object, in its order.
    pub(crate) by_field: Vec<u16>,
    names: Vec<u8>,
    /// For each expected name, where it ends in `names`, and its slot.
    expected: Vec<(u32, u16)>,
}

impl Found {
    /// Finds the wanted fields; of a repeated name, the last counts. `escaped`: names are as written in JSON.
    pub(crate) fn fill<'a>(
        &mut self,
        wanted: &Wanted,
        fields: impl Iterator<Item = (&'a str, Spot)> + Clone,
        escaped: bool,
    ) {
        let look_up = |name: &str| if escaped { wanted.find(&decode_name(name)) } else { wanted.find(name) };
        self.clear(wanted);
        let mut at = 0;
        let mut n_missed = 0;
        for (name, spot) in fields.clone() {
            let slot = if let Some(known) = self.expect(at, name) {
                at = known + 1;
                self.expected[known].1
            } else {
                n_missed += 1;
                look_up(name)
            };
            self.by_field.push(slot);
            if let Some(place) = self.spots.get_mut(usize::from(slot)) {
                *place = spot;
            }
        }
        if n_missed * 4 > self.by_field.len() {
            self.learn(fields.map(|(name, _)| name));
        }
    }

    /// Forgets what was found, as if the object had no field.
    pub(crate) fn clear(&mut self, wanted: &Wanted) {
        self.spots.clear();
        self.spots.resize(wanted.len(), NOWHERE);
        self.by_field.clear();
    }

    /// The place of `name` among the expected names, at `at` or shortly after.
    fn expect(&self, at: usize, name: &str) -> Option<usize> {
        let mut start = if at == 0 { 0 } else { self.expected[at - 1].0 as usize };
        for (i, &(end, _)) in self.expected.iter().enumerate().skip(at).take(STEP_OVER) {
            let end = end as usize;
            if self.names[start..end] == *name.as_bytes() {
                return Some(i);
            }
            start = end;
        }
        None
    }

    /// Expects the names of this object from now on.
    fn learn<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        self.names.clear();
        self.expected.clear();
        for (name, &slot) in names.zip(&self.by_field) {
            self.names.extend_from_slice(name.as_bytes());
            let end = u32::try_from(self.names.len()).expect("a record is shorter than 4 GiB");
            self.expected.push((end, slot));
        }
    }

    /// Where the value of that slot lies, if the object has it.
    pub(crate) fn spot(&self, slot: u16) -> Option<Spot> {
        self.spots.get(usize::from(slot)).copied().filter(|&spot| spot != NOWHERE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(found: &mut Found, wanted: &Wanted, names: &[&str]) -> String {
        let fields = (0..).zip(names).map(|(i, name)| (*name, (i, 0)));
        found.fill(wanted, fields, false);
        let spot = |slot| found.spot(slot).map_or("-".to_owned(), |(i, _)| i.to_string());
        (0..3).map(spot).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn finds_the_fields_in_any_order() {
        let mut wanted = Wanted::default();
        assert_eq!(["a", "b", "c", "a"].map(|n| wanted.slot(n)), [0, 1, 2, 0]);
        let found = &mut Found::default();
        assert_eq!(fill(found, &wanted, &["x", "a", "y", "b", "z", "c"]), "1 3 5");
        assert_eq!(fill(found, &wanted, &["x", "a", "y", "b", "z", "c"]), "1 3 5");
        assert_eq!(fill(found, &wanted, &["a", "b", "c"]), "0 1 2");
        assert_eq!(fill(found, &wanted, &["x", "a", "new", "y", "c"]), "1 - 4");
        assert_eq!(fill(found, &wanted, &["c", "b", "a", "b"]), "2 3 0");
        assert_eq!(fill(found, &wanted, &["q", "r", "c", "b", "a"]), "4 3 2");
        assert_eq!(fill(found, &wanted, &[]), "- - -");
        assert_eq!(fill(found, &wanted, &["x", "a", "y", "b", "z", "c"]), "1 3 5");
    }
}
