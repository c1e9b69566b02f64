//! What the simulator remembers of the calls it got.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use crate::limits::WindowStats;

/// Calls kept in the log; older ones are dropped.
const LOG_LEN: usize = 100_000;
/// Calls shown with the statistics.
const TAIL_LEN: usize = 20;

/// One call to the vendor's interface, as it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallRecord {
    /// Number of the call, from 1, without gaps.
    pub n: u64,
    /// The simulator's time at its arrival, epoch milliseconds.
    pub at_ms: i64,
    /// The vendor's method; empty if the call named none.
    pub method: Arc<str>,
    /// Page asked for, as the text sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_no: Option<Box<str>>,
    /// Page size asked for, as the text sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<Box<str>>,
    /// Start and end of the window asked for, as the texts sent, with ` .. ` between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Box<str>>,
    /// Cursor, id or code asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Box<str>>,
    /// `ok`, the vendor's code, or the HTTP status.
    pub outcome: Arc<str>,
    /// Rows in the answer.
    pub rows: u32,
    /// Faults that struck, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<&'static str>,
}

/// What happened since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// The simulator's time, epoch milliseconds.
    pub now_ms: i64,
    /// Calls that reached the vendor's interface, refused ones included.
    pub total_calls: u64,
    /// Calls by method, refused ones included.
    pub calls: BTreeMap<String, u64>,
    /// Calls by outcome: `ok`, the vendor's codes, HTTP statuses.
    pub outcomes: BTreeMap<String, u64>,
    /// Calls refused for the call limits.
    pub rejected_for_limits: u64,
    /// What each limit's window saw.
    pub windows: Vec<WindowStats>,
    /// Rows in all answers.
    pub rows_served: u64,
    /// Tokens refreshed.
    pub refreshes: u64,
    /// Rows modified since the start, by drift or by hand.
    pub modified: u64,
    /// Documents by entity.
    pub documents: BTreeMap<&'static str, usize>,
    /// How often each fault struck.
    pub faults: BTreeMap<&'static str, u64>,
    /// The last calls, oldest first.
    pub tail: Vec<CallRecord>,
}

/// The log of calls with its sums.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    total: u64,
    rows: u64,
    names: BTreeMap<Arc<str>, u64>,
    outcomes: BTreeMap<Arc<str>, u64>,
    faults: BTreeMap<&'static str, u64>,
    records: VecDeque<CallRecord>,
}

impl CallLog {
    /// Adds one call; `n` is given here, and repeated texts are shared.
    pub(crate) fn push(&mut self, mut record: CallRecord) {
        self.total += 1;
        record.n = self.total;
        self.rows += u64::from(record.rows);
        record.method = count(&mut self.names, record.method);
        record.outcome = count(&mut self.outcomes, record.outcome);
        for &fault in &record.faults {
            *self.faults.entry(fault).or_default() += 1;
        }
        if self.records.len() == LOG_LEN {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }

    /// The calls still remembered with a number above `since`, oldest first.
    pub(crate) fn since(&self, since: u64) -> Vec<CallRecord> {
        self.records.iter().filter(|record| record.n > since).cloned().collect()
    }

    /// The log's part of the statistics; the rest is zero.
    pub(crate) fn stats(&self) -> Stats {
        let owned = |sums: &BTreeMap<Arc<str>, u64>| sums.iter().map(|(name, n)| (name.to_string(), *n)).collect();
        Stats {
            now_ms: 0,
            total_calls: self.total,
            calls: owned(&self.names),
            outcomes: owned(&self.outcomes),
            rejected_for_limits: 0,
            windows: Vec::new(),
            rows_served: self.rows,
            refreshes: 0,
            modified: 0,
            documents: BTreeMap::new(),
            faults: self.faults.clone(),
            tail: self.records.iter().skip(self.records.len().saturating_sub(TAIL_LEN)).cloned().collect(),
        }
    }
}

fn count(sums: &mut BTreeMap<Arc<str>, u64>, name: Arc<str>) -> Arc<str> {
    if let Some((known, _)) = sums.get_key_value(&name) {
        let known = known.clone();
        *sums.entry(known.clone()).or_default() += 1;
        return known;
    }
    sums.insert(name.clone(), 1);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(method: &str, outcome: &str) -> CallRecord {
        CallRecord {
            n: 0,
            at_ms: 5,
            method: method.into(),
            page_no: None,
            page_size: None,
            window: None,
            key: None,
            outcome: outcome.into(),
            rows: 2,
            faults: vec!["html"],
        }
    }

    #[test]
    fn the_log_is_bounded_and_its_sums_are_not() {
        let mut log = CallLog::default();
        for _ in 0..LOG_LEN {
            log.push(record("a", "ok"));
        }
        log.push(record("b", "429"));
        let stats = log.stats();
        assert_eq!(stats.total_calls, 100_001);
        assert_eq!(stats.calls["a"], 100_000);
        assert_eq!(stats.rows_served, 200_002);
        assert_eq!(stats.faults["html"], 100_001);
        assert_eq!(stats.tail.len(), TAIL_LEN);
        assert_eq!(log.since(0).len(), LOG_LEN);
        assert_eq!(log.since(100_000)[0].n, 100_001);
    }
}
