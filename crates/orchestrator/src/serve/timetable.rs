//! Follows the timetables: what they decide is durable first, and then done.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::notes::Notes;
use milkrun_core::state::StateStore as _;
use milkrun_core::{Error, ErrorKind, Result};
use milkrun_engine::Work;
use milkrun_engine::timetable::{Decision, Entry, Manual, State, Timekeeper, Upcoming};
use tokio::sync::{Mutex, SetOnce};

use super::house::House;
use super::loaded::Loaded;
use super::pauses::{Pauses, is_for_now};
use super::runs::{begin, busy};
use crate::desk::runs::ShortReport;
use crate::text::{self, Lang, fill};

/// The longest sleep: a clock that was set, or a machine that slept, is noticed after it.
const LONGEST: Duration = Duration::from_secs(30);

/// The timekeeper, once it has begun. The console answers before that.
#[derive(Debug, Default)]
pub(crate) struct Timetable(SetOnce<Mutex<Timekeeper>>);

impl Timetable {
    /// Where a flow stands.
    pub(crate) async fn state(&self, flow: &str) -> Option<State> {
        self.0.get()?.lock().await.state(flow)
    }

    /// The starts to come in a span.
    pub(crate) async fn upcoming(&self, from: Timestamp, until: Timestamp, most: usize) -> Vec<Upcoming> {
        match self.0.get() {
            Some(keeper) => keeper.lock().await.upcoming(from, until, most),
            None => Vec::new(),
        }
    }

    /// Sleeps until something is due, or may be.
    pub(super) async fn sleep(&self, now: Timestamp) {
        let next = match self.0.get() {
            Some(keeper) => keeper.lock().await.next_wake(),
            None => None,
        };
        let wait = next.map_or(LONGEST, |next| Duration::try_from(next.duration_since(now)).unwrap_or_default());
        // A little after it rather than a little before.
        tokio::time::sleep(wait.min(LONGEST) + Duration::from_millis(1)).await;
    }
}

/// The flows that can run, and when each starts.
fn entries(loaded: &Loaded) -> Vec<Entry> {
    let usable = loaded.installation.flows.iter().filter(|flow| loaded.usable.contains(&flow.name));
    usable.map(|flow| Entry::new(&flow.name, &flow.source.account.value, flow.schedule.as_ref())).collect()
}

impl House {
    /// Goes on where the timekeeper before was: runs that were cut off begin again.
    ///
    /// # Errors
    /// Those of the state.
    pub(super) async fn follow_timetables(self: &Arc<Self>) -> Result<()> {
        let notes = Arc::clone(&self.state.store) as Arc<dyn Notes>;
        let mut keeper = Timekeeper::open(notes, entries(&self.loaded()), None, self.state.clock.now()).await?;
        for (flow, begun) in keeper.cut_off() {
            if self.had_ended(&flow, begun).await? {
                keeper.had_ended(&flow);
            }
        }
        let due = keeper.due(self.state.clock.now()).await?;
        // It is set once.
        let _ = self.timetable.0.set(Mutex::new(keeper));
        self.act(due);
        for flow in self.state.store.flows().await? {
            if flow.backfill.is_some() && self.loaded().usable.contains(&flow.name) {
                tokio::spawn(begin_when_free(Arc::clone(self), flow.name, Work::Backfill));
            }
        }
        Ok(())
    }

    /// Whether the run that began then has ended by itself: one that was asked to end goes on.
    async fn had_ended(&self, flow: &str, begun: Timestamp) -> Result<bool> {
        let Some(id) = self.state.store.flow_id(flow).await? else { return Ok(false) };
        let last = self.state.store.runs(id, None, 1).await?.pop();
        Ok(last.is_some_and(|run| {
            let report: ShortReport = serde_json::from_str(&run.report).unwrap_or_default();
            let was_stopped = report.error_kind.as_deref() == Some(ErrorKind::Interrupted.as_str());
            run.started >= begun && run.ended.is_some() && !was_stopped
        }))
    }

    /// Does what is due now.
    ///
    /// # Errors
    /// Those of the state; what could not be written down is given out the next time.
    pub(super) async fn do_what_is_due(self: &Arc<Self>) -> Result<()> {
        let Some(keeper) = self.timetable.0.get() else { return Ok(()) };
        let due = keeper.lock().await.due(self.state.clock.now()).await?;
        self.act(due);
        Ok(())
    }

    /// Takes the timetables as the files have them now.
    pub(super) async fn take_timetables(self: &Arc<Self>) -> Result<()> {
        let keeper = self.timetable.0.wait().await;
        let due = keeper.lock().await.replace(entries(&self.loaded()), None, self.state.clock.now()).await?;
        self.act(due);
        Ok(())
    }

    /// Starts a flow because a person wants it.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if it runs, the mistakes of its files, and those of the state.
    pub(crate) async fn start(self: &Arc<Self>, flow: &str, lang: Lang) -> Result<()> {
        // Whoever asks is told of mistakes at once.
        self.prepare(flow, lang).await?;
        if self.runs.is_busy(flow) {
            return Err(busy(flow, lang));
        }
        // A run that began without it would be no run that goes on after the program.
        let keeper = self.timetable.0.wait().await;
        let (answer, due) = keeper.lock().await.start(flow, self.state.clock.now()).await?;
        self.act(due);
        match answer {
            Manual::Taken => Ok(()),
            Manual::Busy => Err(busy(flow, lang)),
            Manual::Unknown => {
                let message = fill!(lang, text::FLOW_HAS_MISTAKES, flow = flow);
                Err(Error::config(message).advise(lang.say(text::MEND_FILES)))
            }
        }
    }

    /// A run has ended. One that ends with the program is begun again by the next one.
    pub(super) async fn run_ended(self: &Arc<Self>, flow: &str, was_stopped: bool) {
        let keeper = self.timetable.0.wait().await;
        if was_stopped && self.is_closing() {
            return;
        }
        let due = keeper.lock().await.ended(flow, self.state.clock.now()).await;
        match due {
            Ok(due) => self.act(due),
            Err(error) => tracing::error!(flow, %error, "the end of a run could not be written down"),
        }
    }

    /// Reads on what is left of spans of the past, now that nothing else of the flow is under way.
    pub(super) async fn go_on_backfilling(self: &Arc<Self>, flow: &str) {
        let left = match self.state.store.flows().await {
            Ok(flows) => flows.into_iter().any(|known| known.name == flow && known.backfill.is_some()),
            Err(error) => {
                tracing::error!(flow, %error, "it could not be looked for spans of the past");
                false
            }
        };
        if left && !self.is_closing() {
            tokio::spawn(begin_when_free(Arc::clone(self), flow.to_owned(), Work::Backfill));
        }
    }

    fn act(self: &Arc<Self>, decisions: Vec<Decision>) {
        for decision in decisions {
            match decision {
                Decision::Start { flow, due, why } => {
                    tracing::info!(flow, %due, ?why, "a run is due");
                    tokio::spawn(begin_when_free(Arc::clone(self), flow, Work::Due));
                }
                Decision::Cancel { flow } => {
                    tracing::info!(flow, "the run is asked to end, because the next one is due");
                    self.runs.cancel(&flow);
                }
                Decision::Skipped { flow, first, last, why } => {
                    tracing::info!(flow, %first, %last, ?why, "starts of the timetable are left out");
                }
            }
        }
    }
}

/// Begins a run as soon as nothing else of the flow is under way, such as dead letters that are sent again.
///
/// Its type is written out: whether it can be sent to another thread depends on itself otherwise.
fn begin_when_free(house: Arc<House>, flow: String, work: Work) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut pauses = Pauses::default();
        loop {
            if work == Work::Due {
                house.runs.make_way(&flow);
            }
            house.runs.free(&flow).await;
            if house.is_closing() {
                return;
            }
            match begin(&house, &flow, work.clone(), house.out.lang).await {
                Ok(()) => return,
                // Another run of it has begun meanwhile. It reads the spans of the past too.
                Err(_) if house.runs.live(&flow, house.out.lang).is_some() => {
                    if work == Work::Backfill {
                        return;
                    }
                }
                Err(error) if is_for_now(&error) => {
                    pauses.tell(&flow, &error);
                    tokio::time::sleep(pauses.next()).await;
                }
                Err(error) => {
                    tracing::error!(flow, %error, help = error.help(), "the run did not begin");
                    if work == Work::Due {
                        house.run_ended(&flow, false).await;
                    }
                    return;
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use milkrun_testkit::notes::MemoryNotes;

    use super::*;

    #[tokio::test]
    async fn whoever_wants_the_timekeeper_before_it_has_begun_waits_for_it() {
        let timetable = Timetable::default();
        let mut early = Box::pin(timetable.0.wait());
        assert!(early.as_mut().now_or_never().is_none(), "nothing begins without a mark of it");
        assert_eq!(timetable.state("orders").await, None);
        let now = Timestamp::UNIX_EPOCH;
        let (notes, entry) = (Arc::new(MemoryNotes::default()), Entry::new("orders", "km", None));
        let keeper = Timekeeper::open(Arc::clone(&notes) as _, vec![entry.clone()], None, now).await.unwrap();
        timetable.0.set(Mutex::new(keeper)).unwrap();
        let (answer, due) = early.await.lock().await.start("orders", now).await.unwrap();
        assert_eq!((answer, due.len()), (Manual::Taken, 1));
        // The next program knows of it.
        let next = Timekeeper::open(notes, vec![entry], None, now).await.unwrap();
        assert_eq!(next.cut_off(), [("orders".to_owned(), now)]);
    }
}
