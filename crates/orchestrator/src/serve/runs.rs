//! The runs under way: each is a task of its own that can be asked to end, and at most one of a flow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use milkrun_console::model::{Event, LiveRun};
use milkrun_core::state::StateStore as _;
use milkrun_core::{Error, ErrorKind, Result};
use milkrun_engine::{Flow, Report, Stop, Stopper};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::house::House;
use super::live::Live;
use crate::desk::runs::{summary, summary_of_report};
use crate::text::{self, Lang, fill};

/// How often listeners hear of a run that goes on.
const TELL: Duration = Duration::from_millis(300);

/// What a run does.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Reads and delivers.
    Run,
    /// Sends dead letters again: these, or all.
    Replay(Option<Vec<u64>>),
}

impl Work {
    /// The work as the API calls it.
    fn name(&self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Replay(_) => "replay",
        }
    }
}

/// All runs under way.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    all: Mutex<BTreeMap<String, Running>>,
    ended: Notify,
}

/// One run under way.
#[derive(Debug)]
struct Running {
    stopper: Stopper,
    /// What happens when it has ended.
    then: Then,
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
    pub(crate) fn live(&self, flow: &str) -> Option<LiveRun> {
        self.all().get(flow).map(|running| running.live.now())
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
    pub(crate) fn renew(&self, flow: &str) {
        if let Some(running) = self.all().get_mut(flow) {
            running.then = Then::GoOn;
            running.stopper.stop();
        }
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
    pub(crate) async fn end(&self, patience: Duration) {
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
pub(crate) async fn start(house: &Arc<House>, name: &str, work: Work, lang: Lang) -> Result<()> {
    let busy = || {
        Error::new(ErrorKind::Busy, fill!(lang, text::FLOW_RUNS, flow = name)).advise(lang.say(text::FLOW_RUNS_HELP))
    };
    if house.runs.all().contains_key(name) {
        return Err(busy());
    }
    let flow = open(house, name, lang).await?;
    let (stopper, stop) = Stop::new();
    let live = Arc::new(Live::new(&flow, work.name(), house.state.clock.now()));
    let running = Running { stopper, then: Then::Rest, live: Arc::clone(&live), task: None };
    {
        let mut all = house.runs.all();
        if all.contains_key(name) {
            return Err(busy());
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

/// The flow with the files as they are now. Its tables are read anew: those of other flows have grown.
async fn open(house: &House, name: &str, lang: Lang) -> Result<Flow> {
    let accounts = house.loaded().accounts.clone();
    house.prepare(name, lang).await?.open(&accounts, &house.state)
}

/// Runs until it has ended and nobody wants it to go on; then the listeners are told.
async fn go(house: Arc<House>, flow: Flow, work: Work, stop: Stop, live: Arc<Live>) {
    let ended = {
        // However this ends, a panic included, the flow is free again.
        let _free = Free { house: Arc::clone(&house), flow: flow.name.clone() };
        rounds(&house, flow, &work, stop, &live).await
    };
    if let Some(report) = ended {
        house.tell(Event::Ended { run: summary(summary_of_report(live.now().id, &report), house.out.lang) });
    }
}

/// Runs again as often as the files change meanwhile; returns how the last run ended, if it began.
async fn rounds(house: &House, mut flow: Flow, work: &Work, mut stop: Stop, live: &Live) -> Option<Report> {
    let name = flow.name.clone();
    loop {
        let outcome = one(house, &flow, work, &mut stop, live).await;
        match &outcome {
            Ok(report) => {
                tracing::info!(flow = name, verdict = %report.verdict, reason = report.reason, "the run has ended");
            }
            Err(error) => tracing::error!(flow = name, %error, help = error.help(), "the run did not begin"),
        }
        let report = outcome.ok()?;
        let was_cut = report.error_kind.as_deref() == Some(ErrorKind::Interrupted.as_str());
        let Some(again) = house.runs.again(&name).filter(|_| was_cut) else { return Some(report) };
        stop = again;
        flow = match open(house, &name, house.out.lang).await {
            Ok(flow) => flow,
            Err(error) => {
                tracing::error!(flow = name, %error, "the flow cannot go on with its new files");
                return Some(report);
            }
        };
        live.begin_anew(&flow);
    }
}

/// One run, of which listeners hear meanwhile.
async fn one(house: &House, flow: &Flow, work: &Work, stop: &mut Stop, live: &Live) -> Result<Report> {
    let around = house.state.surroundings();
    let run = async {
        match work {
            Work::Run => milkrun_engine::run(flow, &around, false, stop, live).await,
            Work::Replay(letters) => milkrun_engine::replay(flow, &around, letters.clone(), stop, live).await,
        }
    };
    let telling = async {
        loop {
            tokio::time::sleep(TELL).await;
            if house.events.receiver_count() > 0 && live.take_news() {
                number(house, live, work).await;
                house.tell(Event::Progress { run: live.now() });
            }
        }
    };
    let outcome = tokio::select! {
        outcome = run => outcome,
        never = telling => never,
    };
    number(house, live, work).await;
    outcome
}

/// Finds out which number the store has given to the run.
async fn number(house: &House, live: &Live, work: &Work) {
    if live.has_number() || !matches!(work, Work::Run) {
        return;
    }
    let store = &house.state.store;
    let Ok(Some(id)) = store.flow_id(&live.flow).await else { return };
    if let Ok(runs) = store.runs(id, None, 1).await
        && let Some(run) = runs.first()
    {
        live.set_number(run.id);
    }
}

/// Frees a flow whose run is over.
struct Free {
    house: Arc<House>,
    flow: String,
}

impl Drop for Free {
    fn drop(&mut self) {
        self.house.runs.all().remove(&self.flow);
        self.house.runs.ended.notify_waiters();
    }
}
