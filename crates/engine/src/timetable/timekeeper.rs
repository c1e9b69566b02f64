//! A dispatcher whose decisions are durable before anybody acts on them.
//!
//! Who follows it does this, and nothing between:
//!
//! ```text
//! open → for each cut_off run that the history says has ended: had_ended
//! loop: due → act on the decisions → sleep until next_wake, or until a run ends (ended), a person
//!       asks (start), or files change (replace)
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use milkrun_core::Result;
use milkrun_core::notes::Notes;

use super::dispatcher::{Decision, Dispatcher, Entry, Manual, State, Upcoming};
use super::mark::Mark;

/// The shelf of the marks; a note for each flow.
pub const SHELF: &str = "timetable";

/// Follows the timetables of an installation. One at a time for each place of notes.
#[derive(Debug)]
pub struct Timekeeper {
    notes: Arc<dyn Notes>,
    dispatcher: Dispatcher,
    /// Decided, and not given out yet.
    decided: Vec<Decision>,
    /// Marks that are to be written.
    unwritten: BTreeMap<String, Option<String>>,
}

impl Timekeeper {
    /// Goes on where the timekeeper before was; see [`Dispatcher::new`].
    ///
    /// # Errors
    /// Those of the notes.
    pub async fn open(
        notes: Arc<dyn Notes>,
        entries: Vec<Entry>,
        at_once: Option<usize>,
        now: Timestamp,
    ) -> Result<Self> {
        let mut marks = Vec::new();
        for (flow, text) in notes.notes(SHELF).await? {
            if let Some(mark) = Mark::read(&text) {
                marks.push((flow, mark));
            } else {
                tracing::warn!(flow, "its mark cannot be read; its timetable counts from now on");
            }
        }
        let dispatcher = Dispatcher::new(entries, marks, at_once, now);
        Ok(Self { notes, dispatcher, decided: Vec::new(), unwritten: BTreeMap::new() })
    }

    /// Runs that were cut off with the program before; see [`Dispatcher::cut_off`].
    pub fn cut_off(&self) -> Vec<(String, Timestamp)> {
        self.dispatcher.cut_off()
    }

    /// One of them had ended; see [`Dispatcher::had_ended`].
    pub fn had_ended(&mut self, flow: &str) {
        self.dispatcher.had_ended(flow);
    }

    /// What is to be done now; it is durable when this returns.
    ///
    /// # Errors
    /// Those of the notes. Nothing is lost: the next call gives out what this one could not write.
    pub async fn due(&mut self, now: Timestamp) -> Result<Vec<Decision>> {
        self.decided.extend(self.dispatcher.due(now));
        self.unwritten.extend(
            self.dispatcher.take_changes().into_iter().map(|(flow, mark)| (flow, mark.map(|mark| mark.write()))),
        );
        if !self.unwritten.is_empty() {
            let notes = self.unwritten.iter().map(|(flow, mark)| (flow.clone(), mark.clone())).collect();
            self.notes.put_notes(SHELF, notes).await?;
            self.unwritten.clear();
        }
        Ok(std::mem::take(&mut self.decided))
    }

    /// A run has ended; see [`Dispatcher::ended`]. Returns what is to be done now.
    ///
    /// # Errors
    /// Those of [`Timekeeper::due`].
    pub async fn ended(&mut self, flow: &str, now: Timestamp) -> Result<Vec<Decision>> {
        self.dispatcher.ended(flow);
        self.due(now).await
    }

    /// A person wants a flow to start; see [`Dispatcher::start`]. Returns also what is to be done now.
    ///
    /// # Errors
    /// Those of [`Timekeeper::due`].
    pub async fn start(&mut self, flow: &str, now: Timestamp) -> Result<(Manual, Vec<Decision>)> {
        let answer = self.dispatcher.start(flow, now);
        Ok((answer, self.due(now).await?))
    }

    /// Files have changed; see [`Dispatcher::replace`]. Returns what is to be done now.
    ///
    /// # Errors
    /// Those of [`Timekeeper::due`].
    pub async fn replace(
        &mut self,
        entries: Vec<Entry>,
        at_once: Option<usize>,
        now: Timestamp,
    ) -> Result<Vec<Decision>> {
        self.dispatcher.replace(entries, at_once, now);
        self.due(now).await
    }

    /// When to call [`Timekeeper::due`] again if nothing else happens.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.dispatcher.next_wake()
    }

    /// Where a flow stands.
    pub fn state(&self, flow: &str) -> Option<State> {
        self.dispatcher.state(flow)
    }

    /// The starts to come; see [`Dispatcher::upcoming`].
    pub fn upcoming(&self, from: Timestamp, until: Timestamp, limit: usize) -> Vec<Upcoming> {
        self.dispatcher.upcoming(from, until, limit)
    }
}
