//! What is done now and then so that an installation stays well for months: forgetting what is old.

use std::sync::Arc;
use std::time::Duration;

use milkrun_core::{ErrorKind, Result};

use super::house::House;
use crate::upkeep::retain;

/// How often that is done, and how long after the start for the first time.
const EVERY: Duration = Duration::from_hours(1);
const FIRST: Duration = Duration::from_mins(5);

impl House {
    /// Forgets what `[retention]` names, every hour.
    pub(super) async fn keep_tidy(self: Arc<Self>) {
        tokio::time::sleep(FIRST).await;
        loop {
            match self.tidy().await {
                Ok(()) => {}
                // A backup is under way; there is no hurry.
                Err(error) if error.kind() == ErrorKind::Busy => tracing::info!(%error, "nothing is forgotten for now"),
                Err(error) => tracing::error!(%error, help = error.help(), "what is old could not be forgotten"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn tidy(&self) -> Result<()> {
        let loaded = self.loaded();
        let flows = self.prepare_all().await?;
        let done = retain(&loaded.installation.retention, &flows, &self.state, false, self.out.lang).await?;
        tracing::info!(
            runs = done.runs,
            incidents = done.incidents,
            dead_letters = done.dead_letters,
            ledger = done.ledger,
            segments = done.segments,
            audit = done.audit,
            "what is old was forgotten"
        );
        Ok(())
    }
}
