//! The runs under way: each is a task of its own that can be asked to end, and at most one of a flow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use milkrun_console::model::{Event, LiveRun};
use milkrun_core::{Error, ErrorKind, Result};
use milkrun_engine::{Backfill, Flow, Opened, Report, Stop, Stopper, Work, backfill_open};
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

use super::house::House;
use super::live::Live;
use super::pauses::{Pauses, is_for_now};
use crate::desk::runs::{counts, summary, summary_of_report};
use crate::text::{self, Lang, fill};
use crate::wiring::note_tokens;

/// How often listeners hear of a run that goes on.
const TELL: Duration = Duration::from_millis(300);

/// All runs under way.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    all: Mutex<BTreeMap<String, Running>>,
    /// Is told whenever a run has ended.
    ended: Notify,
}

/// One run under way.
#[derive(Debug)]
struct Running {
    stopper: Stopper,
    /// What happens when it has ended.
    then: Then,
    /// Spans of the past that are to be opened when it has ended, before it goes on.
    spans: Vec<(Backfill, oneshot::Sender<Result<Opened>>)>,
    work: Work,
    live: Arc<Live>,
    task: Option<AbortHandle>,
}

/// What happens when a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Nothing.
    Rest,
    /// It goes on with the files as they are then.
    GoOn,
}

impl Runs {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The flows that run.
    pub(crate) fn flows(&self) -> Vec<String> {
        self.all().keys().cloned().collect()
    }

    /// The run of a flow as it is now.
    pub(crate) fn live(&self, flow: &str, lang: Lang) -> Option<LiveRun> {
        self.all().get(flow).map(|running| running.live.now(lang))
    }

    /// Whether a run of the flow is under way that would not make way for another.
    pub(super) fn is_busy(&self, flow: &str) -> bool {
        self.all().get(flow).is_some_and(|running| running.work != Work::Backfill)
    }

    /// Returns when the flow does not run.
    pub(super) async fn free(&self, flow: &str) {
        loop {
            let ended = self.ended.notified();
            if !self.all().contains_key(flow) {
                return;
            }
            ended.await;
        }
    }

    /// Asks the run of a flow to end; says whether there is one.
    pub(crate) fn cancel(&self, flow: &str) -> bool {
        let mut all = self.all();
        let Some(running) = all.get_mut(flow) else { return false };
        running.then = Then::Rest;
        running.stopper.stop();
        true
    }

    /// Asks the run of a flow to end, and to go on at once with the files as they are now.
    pub(super) fn renew(&self, flow: &str) {
        if let Some(running) = self.all().get_mut(flow) {
            running.then = Then::GoOn;
            running.stopper.stop();
        }
    }

    /// Asks a run that only reads spans of the past to make way: the flow's own runs read them beside their own.
    pub(super) fn make_way(&self, flow: &str) {
        if let Some(running) = self.all().get_mut(flow).filter(|running| running.work == Work::Backfill) {
            running.then = Then::Rest;
            running.stopper.stop();
        }
    }

    /// Has the run of a flow open a span of the past between two of its commits; `None` if none is under way.
    fn open_span(&self, flow: &str, span: Backfill) -> Option<oneshot::Receiver<Result<Opened>>> {
        let mut all = self.all();
        let running = all.get_mut(flow)?;
        let (tell, told) = oneshot::channel();
        running.spans.push((span, tell));
        running.then = Then::GoOn;
        running.stopper.stop();
        Some(told)
    }

    fn take_spans(&self, flow: &str) -> Vec<(Backfill, oneshot::Sender<Result<Opened>>)> {
        self.all().get_mut(flow).map(|running| std::mem::take(&mut running.spans)).unwrap_or_default()
    }

    /// What asks the next run of a flow to end, if there is to be one.
    fn again(&self, flow: &str) -> Option<Stop> {
        let mut all = self.all();
        let running = all.get_mut(flow).filter(|running| running.then == Then::GoOn)?;
        let (stopper, stop) = Stop::new();
        (running.stopper, running.then) = (stopper, Then::Rest);
        Some(stop)
    }

    /// Asks all runs to end, waits for them so long, and drops those that have not: what they have committed stays.
    pub(super) async fn end(&self, patience: Duration) {
        for flow in self.flows() {
            self.cancel(&flow);
        }
        let all_ended = async {
            loop {
                let ended = self.ended.notified();
                if self.all().is_empty() {
                    return;
                }
                ended.await;
            }
        };
        if tokio::time::timeout(patience, all_ended).await.is_err() {
            for (flow, running) in std::mem::take(&mut *self.all()) {
                tracing::warn!(flow, "the run did not end in time and is dropped: the next one goes on where it was");
                if let Some(task) = running.task {
                    task.abort();
                }
            }
        }
    }
}

/// Begins a run; it goes on by itself.
///
/// # Errors
/// [`ErrorKind::Busy`] if the flow runs already, and what keeps it from beginning.
pub(crate) async fn begin(house: &Arc<House>, name: &str, work: Work, lang: Lang) -> Result<()> {
    if house.runs.all().contains_key(name) {
        return Err(busy(name, lang));
    }
    let flow = open(house, name, lang).await?;
    let (stopper, stop) = Stop::new();
    let live = Arc::new(Live::new(name, work_name(&work), house.state.clock.now()));
    let running = Running {
        stopper,
        then: Then::Rest,
        spans: Vec::new(),
        work: work.clone(),
        live: Arc::clone(&live),
        task: None,
    };
    {
        let mut all = house.runs.all();
        if all.contains_key(name) {
            return Err(busy(name, lang));
        }
        all.insert(name.to_owned(), running);
    }
    house.tell(Event::Started { flow: name.to_owned() });
    let task = tokio::spawn(go(Arc::clone(house), flow, work, stop, live)).abort_handle();
    if let Some(running) = house.runs.all().get_mut(name) {
        running.task = Some(task);
    }
    Ok(())
}

/// Opens a span of the past, and reads it beside the flow's own runs.
///
/// # Errors
/// Those of [`backfill_open`], and of [`begin`].
pub(crate) async fn backfill(house: &Arc<House>, name: &str, span: Backfill, lang: Lang) -> Result<Opened> {
    // Whoever asks is told of mistakes at once.
    let flow = open(house, name, lang).await?;
    if let Some(told) = house.runs.open_span(name, span)
        && let Ok(opened) = told.await
    {
        return opened;
    }
    // Nothing is under way, or it ended before it could open the span.
    let opened = backfill_open(&flow, &house.state.surroundings(), &span).await?;
    match begin(house, name, Work::Backfill, lang).await {
        // A run that began meanwhile reads it too.
        Err(error) if error.kind() == ErrorKind::Busy => Ok(opened),
        outcome => outcome.map(|()| opened),
    }
}

/// The error of whoever wants a flow to run that runs.
pub(super) fn busy(flow: &str, lang: Lang) -> Error {
    Error::new(ErrorKind::Busy, fill!(lang, text::FLOW_RUNS, flow = flow)).advise(lang.say(text::FLOW_RUNS_HELP))
}

/// The work as the API calls it.
fn work_name(work: &Work) -> &'static str {
    match work {
        Work::Due | Work::Anew => "run",
        Work::Backfill => "backfill",
        Work::DeadLetters(_) => "replay",
    }
}

/// The flow with the files as they are now. Its tables are read anew: those of other flows have grown.
async fn open(house: &House, name: &str, lang: Lang) -> Result<Flow> {
    let accounts = house.loaded().accounts.clone();
    house.prepare(name, lang).await?.open(&accounts, &house.state)
}

/// Runs until it has ended and nobody wants it to go on; then the listeners are told.
async fn go(house: Arc<House>, flow: Flow, work: Work, stop: Stop, live: Arc<Live>) {
    let name = flow.name.clone();
    let is_due = work == Work::Due;
    let ended = {
        // However this ends, a panic included, the flow is free again.
        let _free = Free { house: &house, flow: &name, is_due };
        let ended = rounds(&house, flow, work, stop, &live).await;
        // Before it is free: whoever finds it free may start it.
        if is_due {
            house.run_ended(&name, ended.as_ref().is_none_or(Report::was_stopped)).await;
        }
        ended
    };
    if let Some(report) = &ended {
        let run = summary(summary_of_report(report), house.out.lang);
        house.metrics.ended(&run, &counts(&report.counts));
        house.tell(Event::Ended { run });
    }
    house.look_soon.notify_one();
    if !ended.is_none_or(|report| report.was_stopped()) {
        house.go_on_backfilling(&name).await;
    }
}

/// Runs again as often as the files change meanwhile; returns how the last run ended, if it began.
///
/// One that cannot begin for now, as another process runs the flow, is tried again until it is asked to end: nobody
/// else would begin it.
async fn rounds(house: &House, mut flow: Flow, mut work: Work, mut stop: Stop, live: &Live) -> Option<Report> {
    let name = flow.name.clone();
    let mut pauses = Pauses::default();
    loop {
        let report = match one(house, &flow, &work, &mut stop, live).await {
            Ok(report) => report,
            Err(error) if is_for_now(&error) => {
                pauses.tell(&name, &error);
                live.waits_for(Some(&error));
                house.tell(Event::Progress { run: live.now(house.out.lang) });
                let is_asked = tokio::select! {
                    biased;
                    () = stop.asked() => true,
                    () = tokio::time::sleep(pauses.next()) => false,
                };
                live.waits_for(None);
                if is_asked {
                    // Whoever wants spans of the past opened finds out why it cannot be done.
                    drop(house.runs.take_spans(&name));
                    stop = house.runs.again(&name)?;
                }
                flow = reopened(house, &name).await.unwrap_or(flow);
                continue;
            }
            Err(error) => {
                tracing::error!(flow = name, %error, help = error.help(), "the run did not begin");
                return None;
            }
        };
        pauses = Pauses::default();
        tracing::info!(flow = name, verdict = %report.verdict, reason = report.reason, "the run has ended");
        note_tokens(&house.state.store, &flow, &report).await;
        let mut has_opened = false;
        for (span, tell) in house.runs.take_spans(&name) {
            let opened = backfill_open(&flow, &house.state.surroundings(), &span).await;
            has_opened |= opened.as_ref().is_ok_and(|opened| opened.slices > 0);
            // Whoever asked may be gone.
            let _ = tell.send(opened);
        }
        if has_opened && !report.was_stopped() {
            work = Work::Backfill;
        }
        let again = if report.was_stopped() || has_opened { house.runs.again(&name) } else { None };
        let Some(again) = again else { return Some(report) };
        stop = again;
        let Some(new) = reopened(house, &name).await else { return Some(report) };
        flow = new;
    }
}

/// The flow with the files as they are now, to go on with.
async fn reopened(house: &House, name: &str) -> Option<Flow> {
    let reopened = open(house, name, house.out.lang).await;
    let no = |error: &Error| tracing::error!(flow = name, %error, "the flow cannot go on with its new files");
    reopened.inspect_err(no).ok()
}

/// One run, of which listeners hear meanwhile.
async fn one(house: &House, flow: &Flow, work: &Work, stop: &mut Stop, live: &Live) -> Result<Report> {
    let around = house.state.surroundings();
    let telling = async {
        loop {
            tokio::time::sleep(TELL).await;
            if house.events.receiver_count() > 0 && live.take_news() {
                house.tell(Event::Progress { run: live.now(house.out.lang) });
            }
        }
    };
    tokio::select! {
        outcome = milkrun_engine::run(flow, &around, work, stop, live) => outcome,
        never = telling => never,
    }
}

/// Frees a flow whose run is over.
struct Free<'a> {
    house: &'a Arc<House>,
    flow: &'a str,
    is_due: bool,
}

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.house.runs.all().remove(self.flow);
        self.house.runs.ended.notify_waiters();
        if self.is_due && std::thread::panicking() {
            // Nobody has said yet that the run is over, and the timetable goes on without it.
            let (house, flow) = (Arc::clone(self.house), self.flow.to_owned());
            tokio::spawn(async move { house.run_ended(&flow, false).await });
        }
    }
}
