//! What the files hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// The lines of a file of orders, each by its `sid` and its version, which the sandbox writes into `sellerMemo`.
#[derive(Debug)]
pub(crate) struct Orders(Vec<(String, u32)>);

impl Orders {
    /// Reads whole lines; a torn one panics.
    pub(crate) fn read(file: &Path) -> Self {
        Self(lines(file).iter().map(order).collect())
    }

    /// Of lines in memory.
    pub(crate) fn of(lines: &[String]) -> Self {
        Self(lines.iter().map(|line| order(&serde_json::from_str(line).unwrap())).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Asserts that each order is there once, in the version that is true.
    #[track_caller]
    pub(crate) fn assert_are(&self, truth: &BTreeMap<String, u32>) {
        self.assert_newest_are(truth);
        assert_eq!(self.0.len(), truth.len(), "some orders are there twice");
    }

    /// Asserts that the newest line of each order has the version that is true, and that no version is there twice.
    #[track_caller]
    pub(crate) fn assert_newest_are(&self, truth: &BTreeMap<String, u32>) {
        let newest = self.newest();
        let lost: Vec<_> = truth.iter().filter(|(sid, _)| !newest.contains_key(*sid)).collect();
        let stale: Vec<_> = truth.iter().filter(|(sid, v)| newest.get(*sid).is_some_and(|found| found != *v)).collect();
        let strange: Vec<_> = newest.keys().filter(|sid| !truth.contains_key(*sid)).collect();
        assert!(
            lost.is_empty() && stale.is_empty() && strange.is_empty(),
            "of {} orders are lost: {lost:?}, stale: {stale:?}, unknown: {strange:?}",
            truth.len()
        );
        self.assert_nothing_doubled();
    }

    /// Asserts that no version of an order is there twice.
    #[track_caller]
    pub(crate) fn assert_nothing_doubled(&self) {
        let mut seen = BTreeSet::new();
        for line in &self.0 {
            assert!(seen.insert(line), "{line:?} is there twice");
        }
    }

    /// The version in the last line of each order.
    pub(crate) fn newest(&self) -> BTreeMap<String, u32> {
        self.0.iter().cloned().collect()
    }
}

/// The key and the version of an order.
fn order(order: &Value) -> (String, u32) {
    (text(&order["sid"]), version(&order["sellerMemo"]))
}

/// The lines of a file as JSON; a torn one panics.
pub(crate) fn lines(file: &Path) -> Vec<Value> {
    let content = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    assert!(content.is_empty() || content.ends_with('\n'), "the last line of {} is torn", file.display());
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{}: {e}: {line}", file.display()));
    content.lines().map(parse).collect()
}

/// A text or a number as text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `v3` is 3.
pub(crate) fn version(value: &Value) -> u32 {
    value.as_str().unwrap().strip_prefix('v').unwrap().parse().unwrap()
}
