//! `milkrun serve`: begins, looks at the files now and then, and ends in good order when it is asked to.

use std::sync::Arc;
use std::time::Duration;

use milkrun_core::Error;
use tokio::time::MissedTickBehavior;

use super::house::{Closed, House};
use super::notify::Manager;
use crate::cli;
use crate::commands::{Failure, Here, Outcome, asked};
use crate::text::{self, fill};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long runs under way are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(9);

/// Serves until the process is asked to end.
pub(crate) async fn serve(here: Here<'_>, ask: &cli::Serve) -> Outcome {
    let out = here.out;
    let house = House::open(here).await.map_err(|closed| match closed {
        Closed::Error(error) => Failure::Error(error),
        Closed::Mistakes(reports) => Failure::Mistakes(reports),
    })?;
    let manager = Manager::of(here.environment);
    let n_flows = house.loaded().usable.len();
    out.note(fill!(out.lang, text::SERVING, dir = house.dir.display(), flows = n_flows));
    let _ = ask;
    manager.tell("READY=1");
    tokio::select! {
        () = asked() => {}
        () = keep(&house, &manager) => {}
    }
    manager.tell("STOPPING=1");
    out.note(out.say(text::STOPPING));
    house.runs.end(PATIENCE).await;
    Ok(0)
}

/// Looks at the files, and tells the manager that the program lives.
async fn keep(house: &Arc<House>, manager: &Manager) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_told = tokio::time::Instant::now();
    loop {
        look.tick().await;
        if let Err(error) = house.look_at_files().await {
            tracing::error!(%error, help = Error::help(&error), "the files could not be looked at");
        }
        if let Some(every) = manager.watchdog
            && last_told.elapsed() >= every
        {
            last_told = tokio::time::Instant::now();
            manager.tell("WATCHDOG=1");
        }
    }
}
