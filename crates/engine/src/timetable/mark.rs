//! What is kept of a flow's starts: up to where they are dealt with, and what was begun and has not ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::dispatcher::Why;

/// A flow's starts, as they are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The timetable that was followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The zone of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Starts up to here, this instant included, are dealt with.
    pub until: Timestamp,
    /// Whether it was not followed at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The run that was begun and has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    /// Starts that are decided on and not begun, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
}

/// A run under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// When it was due.
    pub due: Timestamp,
    /// When it was begun.
    pub at: Timestamp,
}

/// A start that is decided on and not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// When it is due.
    pub due: Timestamp,
    /// Why the flow starts.
    pub why: Why,
    /// For a run that is begun again: when it was begun first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Timestamp>,
}

impl Mark {
    /// As it stands on the shelf.
    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).expect("a mark can be written")
    }

    /// Reads it; `None` if another version of the program has written it in a form of its own.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
