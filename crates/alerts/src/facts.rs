//! What the rules look at: a snapshot of an installation, gathered by the caller.

use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::state::{FlowSummary, RunRecord, Verdict};
use serde::Deserialize;

use crate::words::{Retell, Words};

/// An installation at one instant.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every flow that is configured; one that is missing has no incidents any more.
    pub flows: Vec<FlowFacts>,
    /// Every account that is configured.
    pub accounts: Vec<AccountFacts>,
    /// The disk that holds the state; `None` if it could not be asked.
    pub disk: Option<DiskFacts>,
}

/// A flow.
#[derive(Clone, Debug, Default)]
pub struct FlowFacts {
    /// Its name.
    pub name: String,
    /// Its runs that have ended, newest first; twenty are enough, more make [`Rhythm`](crate::Rhythm) known sooner.
    pub runs: Vec<RunFacts>,
    /// How many records are dead letters.
    pub dead_letters: u64,
    /// Records that wait in the outbox.
    pub pending: u64,
    /// Slices that are not proved.
    pub open_slices: u64,
    /// Up to where it has read: the first instant that is not planned yet. `None` before its first run, or if the
    /// stream has no window.
    pub up_to: Option<Timestamp>,
    /// The longest time between two starts by its timetable; `None` if people start it.
    pub every: Option<Duration>,
}

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts {
    /// Its number within the flow.
    pub id: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended.
    pub verdict: Verdict,
    /// Whether it was only stopped, or found the flow busy: that is nobody's mistake.
    pub was_stopped: bool,
    /// Why it did not end `reconciled`.
    pub reason: Option<Words>,
    /// Records that were new to the flow, changed, filtered or refused: not those that it read once more.
    pub fresh: u64,
    /// Records that it left in the outbox.
    pub pending: u64,
}

/// An account.
#[derive(Clone, Debug, Default)]
pub struct AccountFacts {
    /// Its name.
    pub name: String,
    /// When its access ends unless a person acts: not where the token is renewed by itself.
    pub access_ends: Option<Timestamp>,
    /// The token was refused, or its renewal was.
    pub token_refused: Option<Refused>,
    /// Its limits, as far as they are known.
    pub quotas: Vec<QuotaFacts>,
}

/// Something was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
    /// What was said.
    pub reason: Words,
}

/// One limit of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaFacts {
    /// The length of its window.
    pub per: Duration,
    /// Calls allowed in it.
    pub calls: u64,
    /// Calls left now.
    pub left: u64,
}

/// A disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskFacts {
    /// Bytes that are free to this user.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

/// The parts of a run's report that the rules look at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reported {
    reason: Option<String>,
    error_kind: Option<String>,
    counts: Counts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counts {
    new: u64,
    changed: u64,
    filtered: u64,
    refused: u64,
    pending: u64,
}

impl RunFacts {
    /// The facts of a run of the history; `None` if it has not ended.
    pub fn of(run: &RunRecord, retell: Retell) -> Option<Self> {
        let (ended, verdict) = (run.ended?, run.verdict?);
        let report: Reported = serde_json::from_str(&run.report).unwrap_or_default();
        let counts = report.counts;
        Some(Self {
            id: run.id,
            started: run.started,
            ended,
            verdict,
            was_stopped: matches!(report.error_kind.as_deref(), Some("interrupted" | "busy")),
            reason: report.reason.map(|en| Words { zh: retell(&en), en }),
            fresh: counts.new + counts.changed + counts.filtered + counts.refused,
            pending: counts.pending,
        })
    }
}

impl FlowFacts {
    /// The facts of a flow as the store lists it, with its newest runs.
    pub fn of(flow: &FlowSummary, runs: &[RunRecord], every: Option<Duration>, retell: Retell) -> Self {
        Self {
            name: flow.name.clone(),
            runs: runs.iter().filter_map(|run| RunFacts::of(run, retell)).collect(),
            dead_letters: flow.dead_letters,
            pending: flow.pending,
            open_slices: flow.open_slices,
            up_to: flow.planned.iter().find(|(axis, _)| axis.is_empty()).map(|(_, until)| *until),
            every,
        }
    }
}
