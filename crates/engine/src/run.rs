//! One run of one flow: it begins here, with its plan, and ends here, with its verdict. What happens between is `drive`.
//!
//! Everything happens in one task, by one `select!`: dropping it at any await is the same as a crash, and what was
//! committed is the truth.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use milkrun_core::state::{Change, FlowState, Lease, LedgerEntry, Planned, RunRecord, StoredSlice, Verdict};
use milkrun_core::stream::Slice;
use milkrun_core::transport::CallStats;
use milkrun_core::{Appender, Error, Page, Record, Result, SinkKind};
use milkrun_mapping::Output;

use crate::append::{Arrived, Batch, Checking};
use crate::digest::ByKey;
use crate::drive::{Committed, Fetched};
use crate::flow::{Flow, Observer, Stop, Surroundings};
use crate::outbox::{Courier, DeadByKey, Outgoing, dead_by_key};
use crate::partition;
use crate::plan::{Plan, PlanState, overlaps_open, plan};
use crate::prepare::{Mark, Marker};
use crate::reading::{PageFacts, Reading};
use crate::report::{Counts, Report};

/// What a run takes its records from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Work {
    /// The source.
    Slices,
    /// Dead letters: these, or all of them.
    DeadLetters(Option<Vec<u64>>),
}

/// Runs `flow` once; it goes on where the last run ended.
///
/// `restart` forgets first what was read and delivered, so that everything is read and sent again.
///
/// # Errors
/// Only what keeps the run from beginning: a flow that contradicts itself, a state that cannot be read, another worker
/// that runs it. What happens later is in the report.
pub async fn run(
    flow: &Flow,
    around: &Surroundings,
    restart: bool,
    stop: &mut Stop,
    observer: &dyn Observer,
) -> Result<Report> {
    flow.validate()?;
    let lease = around.store.acquire(&flow.name, around.clock.now()).await?;
    // Boxed: what a run keeps between two awaits is too much for its callers' futures.
    let outcome = Box::pin(run_leased(flow, around, lease, restart, stop, observer)).await;
    around.store.release(lease).await?;
    outcome
}

/// Sends dead letters again, through the mapping as it is now: those with the given numbers, or all.
///
/// A letter leaves the list in the same commit that takes its record on; what is refused again comes back as a new
/// one. A record of which the target has a newer version by now is dropped.
///
/// # Errors
/// Those of [`run`].
pub async fn replay(
    flow: &Flow,
    around: &Surroundings,
    letters: Option<Vec<u64>>,
    stop: &mut Stop,
    observer: &dyn Observer,
) -> Result<Report> {
    flow.validate()?;
    let flow = &flow.as_party();
    let lease = around.store.acquire(&flow.name, around.clock.now()).await?;
    let outcome = async {
        let state = around.store.load(lease).await?;
        let mut run = Run::new(flow, around, lease, state, Work::DeadLetters(letters), observer).await?;
        let outcome = run.drive(stop).await;
        let mut report = run.report;
        report.ended = around.clock.now();
        let dead = !around.store.dead_letters(lease.flow, 0, 1).await?.is_empty();
        conclude(&mut report, outcome, dead);
        Ok(report)
    };
    let outcome = Box::pin(outcome).await;
    around.store.release(lease).await?;
    outcome
}

async fn run_leased(
    flow: &Flow,
    around: &Surroundings,
    lease: Lease,
    restart: bool,
    stop: &mut Stop,
    observer: &dyn Observer,
) -> Result<Report> {
    let started = around.clock.now();
    if restart {
        around.store.commit(lease, vec![Change::Reset]).await?;
    }
    let state = around.store.load(lease).await?;
    // Other flows may use the same account: theirs are not this run's calls.
    let calls = Arc::new(CallStats::default());
    let mut flow = flow.as_party();
    flow.source_cx = flow.source_cx.counted_in(Arc::clone(&calls));
    let flow = &flow;
    let begun = RunRecord { id: 0, started, ended: None, verdict: None, report: "{}".to_owned() };
    around.store.commit(lease, vec![Change::Run(begun)]).await?;
    let mut run = match Run::new(flow, around, lease, state, Work::Slices, observer).await {
        Ok(run) => run,
        Err(error) => {
            // Without an end, the run would look as if it had been cut off.
            let report = serde_json::json!({ "flow": flow.name, "verdict": Verdict::Failed, "reason": error.to_string(),
                    "error_kind": error.kind().as_str() });
            let (ended, verdict) = (Some(around.clock.now()), Some(Verdict::Failed));
            let ended = RunRecord { id: 0, started, ended, verdict, report: report.to_string() };
            // Of two errors, the first one says why.
            let _ = around.store.commit(lease, vec![Change::Run(ended)]).await;
            return Err(error);
        }
    };
    let outcome = run.drive(stop).await;
    let mut report = run.report;
    report.ended = around.clock.now();
    report.calls = calls.calls();
    let dead = !around.store.dead_letters(lease.flow, 0, 1).await?.is_empty();
    conclude(&mut report, outcome, dead);
    let text = serde_json::to_string(&report).expect("a report can be written");
    let ended = RunRecord { id: 0, started, ended: Some(report.ended), verdict: Some(report.verdict), report: text };
    around.store.commit(lease, vec![Change::Run(ended)]).await?;
    Ok(report)
}

/// The verdict: the worst that is true of the run.
fn conclude(report: &mut Report, outcome: Result<()>, dead_letters: bool) {
    let (verdict, reason) = match outcome {
        Err(error) => {
            let help = error.help().map(|h| format!(" — {h}")).unwrap_or_default();
            report.error_kind = Some(error.kind().as_str().to_owned());
            (Verdict::Failed, Some(format!("{error}{help}")))
        }
        Ok(()) if !report.open.is_empty() => {
            let n = report.open.len();
            (Verdict::Unreconciled, Some(format!("{n} slices could not be proved complete and stay open")))
        }
        Ok(()) if report.counts.pending > 0 => {
            (Verdict::Partial, Some(format!("{} records wait in the outbox", report.counts.pending)))
        }
        Ok(()) if dead_letters => (Verdict::Partial, Some("there are dead letters".to_owned())),
        Ok(()) => (Verdict::Reconciled, None),
    };
    report.verdict = verdict;
    report.reason = reason;
}

/// A slice that is not proved yet.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) slice: Slice,
    pub(crate) reading: Reading,
}

/// A page with everything worked out that needs no state.
pub(crate) struct Fresh {
    pub(crate) page: Page,
    pub(crate) marks: Vec<Mark>,
    pub(crate) facts: PageFacts,
}

pub(crate) struct Run<'a> {
    pub(crate) flow: &'a Flow,
    pub(crate) around: &'a Surroundings,
    pub(crate) lease: Lease,
    pub(crate) marker: Marker,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) slices: BTreeMap<u64, Active>,
    /// Slices whose next page may be fetched; those under way before new ones.
    pub(crate) idle: VecDeque<u64>,
    pub(crate) fetches: FuturesUnordered<BoxFuture<'a, Fetched>>,
    pub(crate) arrived: Arrived,
    pub(crate) checking: Option<Checking<'a>>,
    pub(crate) batch: Batch,
    pub(crate) committing: Option<BoxFuture<'a, Result<Committed>>>,
    /// The memory of a batch that is done, for the next one's documents.
    pub(crate) spare: Output,
    /// What the ledger will know once the batches under way are committed, and the batch it comes with.
    pub(crate) recent: ByKey<(u64, LedgerEntry)>,
    /// Counts the batches.
    pub(crate) batch_number: u64,
    pub(crate) committed: u64,
    pub(crate) appender: Option<Box<dyn Appender>>,
    pub(crate) courier: Option<Courier>,
    pub(crate) delivering: Option<BoxFuture<'a, (Courier, Result<Counts>)>>,
    /// Pages that wait for the courier while it is under way, and how many wait in all.
    pub(crate) returned: Vec<Outgoing>,
    pub(crate) n_outgoing: usize,
    /// Dead letters of earlier runs, by key: delivering the key settles them.
    pub(crate) dead: DeadByKey,
    pub(crate) next_slice: u64,
    pub(crate) next_page: u64,
    pub(crate) failures: Vec<(u64, Error)>,
    /// What was planned before, while new slices wait for the open ones to be done.
    pub(crate) deferred: Option<Before>,
    /// What this run has refused, so that reading it again refuses nothing new: by key, and without one.
    pub(crate) refused: ByKey<u128>,
    pub(crate) refused_keyless: HashSet<u128>,
    pub(crate) report: Report,
}

/// Up to where earlier runs have planned.
#[derive(Debug)]
pub(crate) struct Before {
    planned: Vec<Planned>,
    resume_version: Option<String>,
}
impl<'a> Run<'a> {
    async fn new(
        flow: &'a Flow,
        around: &'a Surroundings,
        lease: Lease,
        state: FlowState,
        work: Work,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        let now = around.clock.now();
        let mut report = Report {
            flow: flow.name.clone(),
            verdict: Verdict::Failed,
            reason: None,
            error_kind: None,
            started: now,
            ended: now,
            counts: Counts::default(),
            proved: BTreeMap::new(),
            assumes: flow.stream.proof.assumes().to_owned(),
            promise: flow.target.idempotency.promise().to_owned(),
            open: Vec::new(),
            calls: 0,
            place: None,
        };
        if flow.options.journal || matches!(flow.sink, SinkKind::Calls(_)) {
            around.journal.open(&flow.name, state.journal_end).await?;
        }
        let mut appender = None;
        let mut courier = None;
        match &flow.sink {
            SinkKind::Appends(sink) => {
                let mut open = sink.open(&flow.target.name, state.sink_mark.as_deref()).await?;
                report.place = Some(open.place());
                if state.sink_mark.is_none() {
                    // From here on what lies beyond the mark is ours, to be cut after a crash.
                    around.store.commit(lease, vec![Change::SinkMark(open.sync().await?)]).await?;
                }
                appender = Some(open);
            }
            SinkKind::Calls(sink) => courier = Some(Courier::new(flow, sink, around, lease).await?),
        }
        let dead = dead_by_key(around, lease).await?;
        let mut run = Self {
            flow,
            around,
            lease,
            marker: Marker::new(&flow.stream)?,
            observer,
            slices: BTreeMap::new(),
            idle: VecDeque::new(),
            fetches: FuturesUnordered::new(),
            arrived: VecDeque::new(),
            checking: None,
            batch: Batch::default(),
            committing: None,
            spare: Output::new(),
            recent: ByKey::default(),
            batch_number: 1,
            committed: 0,
            appender,
            courier,
            delivering: None,
            returned: Vec::new(),
            n_outgoing: 0,
            dead,
            next_slice: state.next_slice,
            next_page: state.next_page,
            failures: Vec::new(),
            deferred: None,
            refused: ByKey::default(),
            refused_keyless: HashSet::new(),
            report,
        };
        match work {
            Work::Slices => {
                for StoredSlice { id, slice, reading, digests } in state.slices {
                    let reading = Reading::restore(&reading, digests)?;
                    run.slices.insert(id, Active { slice, reading });
                    run.idle.push_back(id);
                }
                let before = Before { planned: state.planned, resume_version: state.resume_version };
                // The overlap with what was planned last would be read a second time, once for each restart.
                if overlaps_open(&before.planned, run.slices.values().map(|active| &active.slice)) {
                    run.deferred = Some(before);
                    run.tell();
                } else {
                    run.plan(&before).await?;
                }
            }
            Work::DeadLetters(chosen) => run.take_dead_letters(chosen.as_deref()).await?,
        }
        Ok(run)
    }

    /// Puts dead letters in front of the ledger as if they had just been read.
    async fn take_dead_letters(&mut self, chosen: Option<&[u64]>) -> Result<()> {
        let mut after = 0;
        loop {
            let letters = self.around.store.dead_letters(self.lease.flow, after, 200).await?;
            let Some(last) = letters.last() else { return Ok(()) };
            after = last.id;
            let mut page = Page::default();
            for letter in letters {
                if chosen.is_none_or(|chosen| chosen.contains(&letter.id)) {
                    page.records.push(Record::parse(letter.record)?);
                    self.batch.changes.push(Change::DeadLetterSettled(letter.id));
                    if let Some(key) = &letter.key {
                        self.dead.remove(key);
                        if let Some(courier) = &mut self.courier {
                            courier.forget_dead(key);
                        }
                    }
                }
            }
            if !page.records.is_empty() {
                let marks = page.records.iter().map(|record| self.marker.mark(record)).collect();
                self.on_fetched(Fetched {
                    slice: None,
                    outcome: Ok(Fresh { page, marks, facts: PageFacts::default() }),
                })?;
            }
        }
    }

    /// Adds the new slices; they are durable before the first of them is read.
    pub(crate) async fn plan(&mut self, before: &Before) -> Result<()> {
        let Before { planned, resume_version } = before;
        let has_open = !self.slices.is_empty();
        let stored = PlanState { planned, has_open, resume_version: resume_version.as_deref() };
        let partitions = match &self.flow.stream.partition {
            Some(partition) => Some(partition::values(self.flow, partition).await?),
            None => None,
        };
        let now = self.around.clock.now();
        let Plan { slices, planned } = plan(&self.flow.stream, &self.flow.span, &stored, partitions.as_deref(), now)?;
        let mut changes: Vec<_> = planned.into_iter().map(Change::Planned).collect();
        for slice in slices {
            changes.push(self.open_slice(slice));
        }
        if !changes.is_empty() {
            self.around.store.commit(self.lease, changes).await?;
        }
        self.tell();
        Ok(())
    }

    pub(crate) fn open_slice(&mut self, slice: Slice) -> Change {
        let id = self.next_slice;
        self.next_slice += 1;
        let reading = Reading::new(&self.flow.stream, &slice, self.flow.options.page_size);
        let change = Change::SliceOpened { id, slice: slice.clone(), reading: reading.save() };
        self.slices.insert(id, Active { slice, reading });
        self.idle.push_back(id);
        change
    }

    pub(crate) fn tell(&mut self) {
        self.report.counts.open_slices = self.slices.len() as u64;
        self.report.counts.expected = self.slices.values().filter_map(|active| active.reading.total()).sum();
        self.observer.progress(&self.report.counts);
    }
}
