//! What a run says about itself: counts, evidence, verdict.

use std::collections::BTreeMap;

use jiff::Timestamp;
use milkrun_core::state::Verdict;
use serde::{Deserialize, Serialize};

use crate::reading::Evidence;

/// Running figures of one run. Every record that was read is in exactly one of `new` to `refused`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Pages read.
    pub pages: u64,
    /// Records read, repetitions included.
    pub records: u64,
    /// Records delivered that the target did not have.
    pub new: u64,
    /// Records delivered that the target had in an older version.
    pub changed: u64,
    /// Records read again as they were: the target has them, or this run has refused them already.
    pub unchanged: u64,
    /// Records older than what the target has.
    pub older: u64,
    /// Records that the flow's filter drops.
    pub filtered: u64,
    /// Records that became dead letters.
    pub refused: u64,
    /// Records that wait in the outbox.
    pub pending: u64,
    /// Documents written: more than records where one becomes several.
    pub documents: u64,
    /// Slices that are not proved yet.
    pub open_slices: u64,
    /// Slices proved.
    pub proved_slices: u64,
    /// Slices that were cut in two and read again.
    pub splits: u64,
    /// Readings that proved nothing.
    pub readings_in_vain: u64,
    /// Rows that the open slices are known to have, read or not.
    pub expected: u64,
}

impl Counts {
    /// Adds what a commit or a delivery has brought.
    pub(crate) fn add(&mut self, more: &Self) {
        self.pages += more.pages;
        self.records += more.records;
        self.new += more.new;
        self.changed += more.changed;
        self.unchanged += more.unchanged;
        self.older += more.older;
        self.filtered += more.filtered;
        self.refused += more.refused;
        self.documents += more.documents;
        self.splits += more.splits;
    }
}

/// The slices proved by one plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    /// How many slices.
    pub slices: u64,
    /// Distinct keys read in them.
    pub distinct: u64,
    /// The sum of the vendor's totals, where it gave them.
    pub total: Option<u64>,
}

/// What a run did, and how it ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The flow.
    pub flow: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Why it did not end `reconciled`, in one sentence.
    pub reason: Option<String>,
    /// The kind of the error that ended it, such as `config-invalid`.
    #[serde(default)]
    pub error_kind: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// The figures.
    pub counts: Counts,
    /// For each plan, the slices it proved.
    pub proved: BTreeMap<String, Proved>,
    /// What the proofs rest on beyond what is checked.
    pub assumes: String,
    /// What the target promises about repetition.
    pub promise: String,
    /// Slices that stay open: what they cover, and why.
    pub open: Vec<(String, String)>,
    /// Calls made to the source, repetitions included.
    pub calls: u64,
    /// Where the documents are, for a local target.
    pub place: Option<String>,
}

impl Report {
    /// Takes a proof into account.
    pub(crate) fn prove(&mut self, evidence: &Evidence) {
        let proved = self.proved.entry(evidence.plan.clone()).or_default();
        proved.slices += 1;
        proved.distinct += evidence.distinct;
        proved.total = match (proved.total, evidence.total) {
            (Some(sum), Some(total)) => Some(sum + total),
            (None, Some(total)) if proved.slices == 1 => Some(total),
            _ => None,
        };
        self.counts.proved_slices += 1;
    }
}
