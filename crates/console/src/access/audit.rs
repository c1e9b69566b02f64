//! Who did what: one line for each change, and for each attempt to sign in.

use std::net::IpAddr;
use std::sync::Arc;

use milkrun_core::notes::Notes;
use milkrun_core::{Clock, Result};
use serde::{Deserialize, Serialize};

use crate::model::Audit;

/// The shelf of the notes that has the audit log.
pub const AUDIT_SHELF: &str = "console.audit";

/// The longest name or subject that is written down, in characters.
const LONGEST: usize = 200;

/// What is written down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<IpAddr>,
    pub(crate) action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    pub(crate) outcome: String,
}

/// The audit log. How long its lines are kept is the installation's affair.
#[derive(Debug)]
pub(crate) struct AuditLog {
    notes: Arc<dyn Notes>,
    clock: Arc<dyn Clock>,
}

impl AuditLog {
    pub(crate) fn new(notes: Arc<dyn Notes>, clock: Arc<dyn Clock>) -> Self {
        Self { notes, clock }
    }

    /// Writes down a line.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn write(&self, mut line: Line) -> Result<()> {
        let cut = |text: &mut String| *text = text.chars().take(LONGEST).collect();
        cut(&mut line.user);
        line.subject.as_mut().map(cut).unwrap_or_default();
        let now = self.clock.now();
        let text = serde_json::to_string(&line).expect("plain data can be written");
        self.notes.record(AUDIT_SHELF, now, &text).await.map(drop)
    }

    /// The lines, newest first, below the number `before`.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn read(&self, before: Option<u64>, limit: u32) -> Result<Vec<Audit>> {
        let entries = self.notes.recorded(AUDIT_SHELF, before, limit).await?;
        let lines = entries.into_iter().filter_map(|entry| {
            let Line { user, address, action, subject, outcome } = serde_json::from_str(&entry.text).ok()?;
            let address = address.map(|address| address.to_string());
            Some(Audit { id: entry.id, at: entry.at, user, address, action, subject, outcome })
        });
        Ok(lines.collect())
    }
}
