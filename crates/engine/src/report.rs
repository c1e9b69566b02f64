//! What a run says about itself: counts, evidence, verdict.

use std::collections::BTreeMap;

use jiff::Timestamp;
use milkrun_core::ErrorKind;
use milkrun_core::state::Verdict;
use milkrun_core::stream::Window;
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
    /// Distinct keys read in them; none if some of them were not counted.
    pub distinct: Option<u64>,
    /// The sum of the vendor's totals, where it gave them.
    pub total: Option<u64>,
}

/// What a run is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It goes on where the last one ended.
    #[default]
    Run,
    /// It sends dead letters again.
    Replay,
    /// It reads spans of the past.
    Backfill,
}

impl Kind {
    /// The kind as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Replay => "replay",
            Self::Backfill => "backfill",
        }
    }
}

/// A slice that stays open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OpenSliceForms")]
pub struct OpenSlice {
    /// Its number within the flow.
    pub id: u64,
    /// What it covers, in words.
    pub covers: String,
    /// The span of time, where it has one.
    pub window: Option<Window>,
    /// Why it stays open.
    pub why: String,
}

/// Open slices as reports have written them: once as what they cover and why.
#[derive(Deserialize)]
#[serde(untagged)]
enum OpenSliceForms {
    Pair(String, String),
    Whole { id: u64, covers: String, window: Option<Window>, why: String },
}

impl From<OpenSliceForms> for OpenSlice {
    fn from(form: OpenSliceForms) -> Self {
        match form {
            OpenSliceForms::Pair(covers, why) => Self { id: 0, covers, window: None, why },
            OpenSliceForms::Whole { id, covers, window, why } => Self { id, covers, window, why },
        }
    }
}

/// What a run has read of backfills beside its own slices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Slices that it proved.
    pub proved: u64,
    /// Slices that are not proved yet.
    pub open: u64,
    /// Of these, the first ones that could not be proved or read in this run.
    pub set_aside: Vec<OpenSlice>,
}

/// What a run did, and how it ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Its number in the flow's history; 0 for what is not written there.
    #[serde(default)]
    pub run: u64,
    /// What it was there for.
    #[serde(default)]
    pub kind: Kind,
    /// The flow.
    pub flow: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Why it did not end `reconciled`, in one sentence.
    pub reason: Option<String>,
    /// The kind of the error that ended it, such as `config-invalid`; `interrupted` if it was only stopped.
    #[serde(default)]
    pub error_kind: Option<String>,
    /// The fingerprint of the mapping that it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
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
    /// Slices that could not be proved or read, and stay open.
    pub open: Vec<OpenSlice>,
    /// What it read of backfills beside that; it does not count in the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<Beside>,
    /// Calls made to the source, repetitions included.
    pub calls: u64,
    /// Calls made to the target, repetitions included.
    #[serde(default)]
    pub sink_calls: u64,
    /// Where the documents are, for a local target.
    pub place: Option<String>,
}

impl Report {
    /// Whether it was stopped before its end: nothing is wrong, and the next run goes on there.
    pub fn was_stopped(&self) -> bool {
        self.error_kind.as_deref() == Some(ErrorKind::Interrupted.as_str())
    }

    /// Takes a proof into account.
    pub(crate) fn prove(&mut self, evidence: &Evidence) {
        let proved = self.proved.entry(evidence.plan.clone()).or_default();
        proved.slices += 1;
        let add = |sum: Option<u64>, more: Option<u64>| match (sum, more) {
            (None, more) if proved.slices == 1 => more,
            (Some(sum), Some(more)) => Some(sum + more),
            _ => None,
        };
        proved.distinct = add(proved.distinct, evidence.distinct);
        proved.total = add(proved.total, evidence.total);
        self.counts.proved_slices += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_slices_of_older_reports_can_be_read() {
        let old: Vec<OpenSlice> = serde_json::from_str(r#"[["[a, b)", "rows moved"]]"#).unwrap();
        let expected = OpenSlice { id: 0, covers: "[a, b)".into(), window: None, why: "rows moved".into() };
        assert_eq!(old, std::slice::from_ref(&expected));
        let new = serde_json::to_string(&expected).unwrap();
        assert_eq!(serde_json::from_str::<OpenSlice>(&new).unwrap(), expected);
    }
}
