//! What a sink accepts: targets as data, deliveries and their receipts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::Key;
use crate::stream::Title;

/// One kind of document a sink accepts, described as data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetSpec {
    /// The target's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese.
    pub title: Title,
    /// The vendor's method or path.
    pub endpoint: String,
    /// How the target keeps one document from arriving twice.
    pub idempotency: Idempotency,
    /// The most documents one call may carry.
    pub batch: u32,
    /// Known traps, for the documentation, in English and in Chinese.
    pub notes: Vec<Title>,
}

/// How a target keeps one document from arriving twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Idempotency {
    /// A key made by the caller; the same key again gives the first result.
    Key {
        /// The field that carries it.
        field: String,
        /// Its greatest length in characters.
        max_len: u32,
        /// How long the target remembers it; `None` for ever.
        remembered_for: Option<Duration>,
    },
    /// A field that the target checks for uniqueness; a second document is refused, and the first can be looked up.
    Unique {
        /// The field.
        field: String,
    },
    /// The same key again replaces the document.
    Upsert {
        /// The field that is the key.
        field: String,
    },
    /// A local medium whose length is part of the checkpoint: what lies beyond it is cut on restart.
    CommittedLength,
    /// Nothing: an outcome that stays unknown is never sent again, and is reported.
    None,
}

impl Idempotency {
    /// What is promised, in one English sentence, for the documentation and the run's report.
    pub fn promise(&self) -> &'static str {
        match self {
            Self::Key { .. } => "exactly once: a repeated key gives the first result",
            Self::Unique { .. } => "exactly once: the target refuses a second document, and the first is looked up",
            Self::Upsert { .. } => "exactly once in effect: a repetition replaces the same document",
            Self::CommittedLength => "exactly once: what was not committed is cut on restart",
            Self::None => {
                "at most once after an unknown outcome: such records become dead letters, to be checked by hand"
            }
        }
    }

    /// Whether a delivery whose outcome is unknown may simply be sent again.
    pub fn may_repeat(&self) -> bool {
        matches!(self, Self::Key { .. } | Self::Upsert { .. })
    }
}

/// One document on its way to a target.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The target's name.
    pub target: String,
    /// The natural key of the source record.
    pub key: Key,
    /// What is to happen at the target.
    pub operation: Operation,
    /// The key made for this operation: the same on every attempt, another one for another version.
    pub idempotency_key: String,
    /// The mapped document, a JSON object.
    pub document: String,
    /// How often it was sent before.
    pub attempts: u32,
}

/// What is to happen at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The target does not have the document yet.
    Insert,
    /// The target has it under this id.
    Update {
        /// The target's own id, as it gave it.
        remote_id: String,
    },
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The target has it now.
    Done {
        /// The target's own id, if it gave one.
        remote_id: Option<String>,
    },
    /// The target had it already, from an earlier attempt.
    Same {
        /// The target's own id, if it gave one.
        remote_id: Option<String>,
    },
    /// The target refuses this document for good.
    Refused {
        /// The target's words.
        reason: String,
    },
    /// It may or may not have arrived.
    Unknown {
        /// What happened instead of an answer.
        reason: String,
    },
}
