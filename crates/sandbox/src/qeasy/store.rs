//! The records of the schemes: those that the seed gives and those that callers stored.

use std::collections::{BTreeMap, HashMap};

use super::settings::{RowShape, Settings};
use crate::dice::Dice;
use crate::tree::Tree;
use crate::vendor::Received;

/// States of a record, as the platform numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Waiting = 0,
    Duplicate = 1,
    Finished = 2,
}

/// One record of a scheme.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its unique key.
    pub(crate) id: String,
    pub(crate) status: Status,
    /// When it was stored first, Unix seconds.
    pub(crate) created: i64,
    /// When it was stored or modified last, Unix seconds.
    pub(crate) updated: i64,
    pub(crate) version: u32,
    pub(crate) content: Tree,
}

impl Record {
    /// As a query shows it.
    pub(crate) fn render(&self, shape: RowShape) -> Tree {
        match shape {
            RowShape::Record => self.content.clone(),
            RowShape::Wrapped => Tree::object([
                ("id", Tree::text(self.id.as_str())),
                ("status", Tree::int(self.status as u8)),
                ("content", self.content.clone()),
                ("created_at", Tree::int(self.created)),
                ("updated_at", Tree::int(self.updated)),
            ]),
        }
    }
}

/// How records are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Whether a known id makes the record a duplicate instead of overwriting it.
    pub(crate) id_check: bool,
    /// Whether stored records are sent to the scheme's target at once.
    pub(crate) dispatch: bool,
}

/// The records of one scheme.
#[derive(Debug, Default)]
pub(crate) struct Scheme {
    records: Vec<Record>,
    places: HashMap<String, usize>,
    received: BTreeMap<String, Received>,
    dispatched: BTreeMap<String, Received>,
    sent: u64,
    modified: u64,
}

impl Scheme {
    /// The source scheme's records, for a clock that starts at `start_ms`.
    pub(crate) fn seeded(settings: &Settings, start_ms: i64) -> Self {
        let seconds = |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4);
        let until = start_ms / 1_000 - seconds(settings.quiet);
        let span = seconds(settings.history);
        let n = i64::from(settings.n_records);
        let mut scheme = Self::default();
        for seq in 0..settings.n_records {
            // One in 40 shares the second of the one before it.
            let place = i64::from(if seq % 40 == 1 { seq - 1 } else { seq });
            let updated = until - span + span * place / n;
            let (id, content) = seed(settings.seed, seq);
            let status = Status::Finished;
            scheme.places.insert(id.clone(), scheme.records.len());
            scheme.records.push(Record { id, status, created: updated, updated, version: 0, content });
        }
        scheme
    }

    /// All records in the order in which they were stored, duplicates included.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The records that are no duplicates, with their places.
    pub(crate) fn originals(&self) -> impl Iterator<Item = (usize, &Record)> {
        self.records.iter().enumerate().filter(|(_, record)| record.status != Status::Duplicate)
    }

    /// The record with this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Record> {
        self.records.get(*self.places.get(id)?)
    }

    /// Stores one record; gives whether it was new or overwritten, not a duplicate.
    pub(crate) fn store(&mut self, id: &str, content: &Tree, manner: Manner, now: i64) -> bool {
        let known = self.places.get(id).copied();
        let number = format!("{:024x}", self.records.len() + 1);
        let received = self.received.entry(id.to_owned()).or_insert_with(|| empty(id));
        received.calls += 1;
        let status = match (known, manner) {
            (Some(_), Manner { id_check: true, .. }) => Status::Duplicate,
            (_, Manner { dispatch: true, .. }) => Status::Finished,
            _ => Status::Waiting,
        };
        let fresh =
            Record { id: id.to_owned(), status, created: now, updated: now, version: 0, content: content.clone() };
        if status == Status::Duplicate {
            self.records.push(fresh);
            return false;
        }
        received.body = content.to_string();
        if let Some(record) = known.and_then(|place| self.records.get_mut(place)) {
            record.updated = now.max(record.updated);
            record.version += 1;
            record.status = status;
            record.content = content.clone();
        } else {
            received.ids.push(number);
            self.places.insert(id.to_owned(), self.records.len());
            self.records.push(fresh);
        }
        if manner.dispatch {
            self.sent += 1;
            let dispatched = self.dispatched.entry(id.to_owned()).or_insert_with(|| empty(id));
            dispatched.calls += 1;
            dispatched.ids.push(self.sent.to_string());
            dispatched.body = content.to_string();
        }
        true
    }

    /// Modifies a record by hand: its `remark` says the version.
    pub(crate) fn touch(&mut self, place: usize, now: i64) -> Option<String> {
        let record = self.records.get_mut(place)?;
        record.updated = now.max(record.updated + 1);
        record.version += 1;
        record.content.set("remark", Tree::text(format!("v{}", record.version)));
        self.modified += 1;
        Some(record.id.clone())
    }

    /// Records modified by hand or by drift so far.
    pub(crate) fn modified(&self) -> u64 {
        self.modified
    }

    /// Each id with the records it made.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.values().cloned().collect()
    }

    /// Each id with how often it was sent on to the scheme's target.
    pub(crate) fn dispatched(&self) -> Vec<Received> {
        self.dispatched.values().cloned().collect()
    }
}

fn empty(id: &str) -> Received {
    Received { key: id.to_owned(), ids: Vec::new(), calls: 0, body: String::new() }
}

/// One record of the start: an order with nested lines, its numbers as vendors write them.
fn seed(seed: u64, seq: u32) -> (String, Tree) {
    let mut dice = Dice::new(seed, 8_000, u64::from(seq));
    let number = 6_920_000_000_000_000_001 + i64::from(seq) * 1_009;
    let id = number.to_string();
    let mut lines = Vec::new();
    for line in 0..=dice.below(3) {
        let price = dice.below(10_000_000_000);
        lines.push(Tree::object([
            (
                "line_id",
                if dice.chance(50) {
                    Tree::int(number + line + 1)
                } else {
                    Tree::text((number + line + 1).to_string())
                },
            ),
            ("goods_no", Tree::text(dice.pick(&["A1", "A2", "轴承座", "B\"4\" & C"]))),
            ("num", Tree::text(format!("{}.0000", 1 + dice.below(50)))),
            ("price", Tree::Number(format!("{}.{:08}", price / 100_000_000, price % 100_000_000))),
        ]));
    }
    let amount = if seq == 0 {
        super::awkward::AMOUNT.to_owned()
    } else {
        format!("{}.{:02}", dice.below(9_000), dice.below(100))
    };
    let content = Tree::object([
        ("id", if dice.chance(50) { Tree::int(number) } else { Tree::text(id.as_str()) }),
        ("number", Tree::text(format!("TK{:08}", seq + 1))),
        ("shop_no", Tree::text(dice.pick(&["S01", "S02", "S03"]))),
        ("amount", Tree::Number(amount)),
        ("remark", Tree::text("v0")),
        ("details_list", Tree::List(lines)),
    ]);
    (id, content)
}
