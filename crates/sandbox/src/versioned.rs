//! Rows that carry a row version beside their times, as those of a database do that counts its changes.

use crate::dice::Dice;
use crate::table::{Entry, Row, Table};

/// The rows of one entity with their versions; `K` names the further times a row has.
#[derive(Debug)]
pub(crate) struct Versioned<K> {
    table: Table<K>,
    ts: Vec<i64>,
    by_ts: Vec<Entry>,
}

impl<K: Copy + Ord> Versioned<K> {
    /// A table of these rows, with versions above `last_ts`, which becomes the highest of them.
    ///
    /// Versions ascend by position and leave gaps, since the rest of the database counts on the same number.
    pub(crate) fn new(rows: Vec<Row>, dice: &mut Dice, last_ts: &mut i64) -> Self {
        let ts: Vec<i64> = rows
            .iter()
            .map(|_| {
                *last_ts += 1 + 2 * dice.below(50);
                *last_ts
            })
            .collect();
        let by_ts = (0..).zip(&ts).map(|(seq, &ts)| (ts, seq)).collect();
        Self { table: Table::new(rows), ts, by_ts }
    }

    /// The rows with their indexes by time.
    pub(crate) fn table(&self) -> &Table<K> {
        &self.table
    }

    /// The same, for indexes that are built at first use.
    pub(crate) fn table_mut(&mut self) -> &mut Table<K> {
        &mut self.table
    }

    /// The version of a row.
    pub(crate) fn ts(&self, seq: u32) -> i64 {
        self.ts[seq as usize]
    }

    /// The entries by version, lowest first.
    pub(crate) fn by_ts(&self) -> &[Entry] {
        &self.by_ts
    }

    /// Modifies a row, which gets the version `ts`, above all others.
    pub(crate) fn touch(&mut self, seq: u32, now_ms: i64, ts: i64) {
        self.table.touch(seq, now_ms);
        let was = (self.ts[seq as usize], seq);
        let place = self.by_ts.binary_search(&was).expect("each row is indexed under its version");
        self.by_ts.remove(place);
        self.by_ts.push((ts, seq));
        self.ts[seq as usize] = ts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touched_row_has_the_highest_version() {
        let rows = (0..4).map(|n| Row { created: n, updated: 10 * n, version: 0 }).collect();
        let mut last_ts = 100;
        let mut versioned: Versioned<u8> = Versioned::new(rows, &mut Dice::new(1, 2, 3), &mut last_ts);
        assert!(versioned.ts(0) > 100 && versioned.ts(3) == last_ts && versioned.by_ts().is_sorted());
        versioned.touch(1, 50, last_ts + 2);
        assert_eq!(versioned.by_ts().last(), Some(&(last_ts + 2, 1)));
        assert_eq!((versioned.ts(1), versioned.table().row(1).version), (last_ts + 2, 1));
        assert!(versioned.by_ts().is_sorted() && versioned.by_ts().len() == 4);
    }
}
