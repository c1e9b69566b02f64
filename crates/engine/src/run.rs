//! One run of one flow: it begins here, with its plan, and ends here, with its verdict. What happens between is `drive`.
//!
//! Everything happens in one task, by one `select!`: dropping it at any await is the same as a crash, and what was
//! committed is the truth.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use milkrun_core::state::{Change, FlowState, Lease, LedgerEntry, Planned, RunRecord, StoredSlice, Verdict};
use milkrun_core::stream::Slice;
use milkrun_core::{Appender, Error, ErrorKind, Page, Record, Result, SinkKind};
use milkrun_mapping::Output;
use tracing::{Instrument as _, Span};

use crate::append::{Arrived, Batch, Checking};
use crate::backfill::backfill_context;
use crate::digest::ByKey;
use crate::drive::{Committed, Fetched};
use crate::flow::{Flow, Stop, Surroundings, Work};
use crate::live::{Calls, Observer, Progress};
use crate::outbox::{Courier, DeadByKey, Outgoing, dead_by_key};
use crate::partition;
use crate::plan::{Plan, PlanState, overlaps_open, plan};
use crate::prepare::{Mark, Marker};
use crate::reading::{PageFacts, Reading};
use crate::report::{Beside, Counts, Kind, OpenSlice, Report};

/// Runs `flow` once.
///
/// Dead letters that are sent again go through the mapping as it is now. A letter leaves the list in the same commit
/// that takes its record on; what is refused again comes back as a new one. A record of which the target has a newer
/// version by now is dropped.
///
/// # Errors
/// Only what keeps the run from beginning: a flow that contradicts itself, a state that cannot be read, another worker
/// that runs it. What happens later is in the report.
pub async fn run(
    flow: &Flow,
    around: &Surroundings,
    work: &Work,
    stop: &mut Stop,
    observer: &dyn Observer,
) -> Result<Report> {
    flow.validate()?;
    let lease = around.store.acquire(&flow.name, around.clock.now()).await?;
    let span = tracing::info_span!(target: "milkrun::call", "run", flow = flow.name, stream = flow.stream.name);
    // Boxed: what a run keeps between two awaits is too much for its callers' futures.
    let outcome = Box::pin(run_leased(flow, around, lease, work, stop, observer).instrument(span)).await;
    around.store.release(lease).await?;
    outcome
}

async fn run_leased(
    flow: &Flow,
    around: &Surroundings,
    lease: Lease,
    work: &Work,
    stop: &mut Stop,
    observer: &dyn Observer,
) -> Result<Report> {
    let started = around.clock.now();
    if *work == Work::Anew {
        around.store.commit(lease, vec![Change::Reset]).await?;
    }
    let state = around.store.load(lease).await?;
    // Other flows may use the same accounts: theirs are not this run's calls.
    let mut flow = flow.as_party();
    let mut reads_as = flow.source_cx.clone();
    if *work == Work::Backfill
        && let Some(share) = state.slices.iter().filter_map(|stored| stored.share).max()
    {
        flow.sink_cx = backfill_context(&flow.sink_cx, &flow.name, share);
        reads_as = backfill_context(&flow.source_cx, &flow.name, share);
    }
    let calls = Calls::of(&reads_as, &flow.sink_cx);
    flow.source_cx = flow.source_cx.counted_in(Arc::clone(&calls.source));
    flow.sink_cx = flow.sink_cx.counted_in(Arc::clone(&calls.sink));
    let flow = &flow;
    let record = match work {
        Work::Due | Work::Anew | Work::Backfill => Some(begin(flow, around, lease, started).await?),
        Work::DeadLetters(_) => None,
    };
    let mut run = match Run::new(flow, around, lease, state, work, calls, record.clone(), observer).await {
        Ok(run) => run,
        Err(error) => {
            if let Some(record) = record {
                // Without an end, the run would look as if it had been cut off.
                let report = serde_json::json!({ "flow": flow.name, "verdict": Verdict::Failed,
                    "reason": error.to_string(), "error_kind": error.kind().as_str() });
                let (ended, verdict) = (Some(around.clock.now()), Some(Verdict::Failed));
                let ended = RunRecord { ended, verdict, report: report.to_string(), ..record };
                // Of two errors, the first one says why.
                let _ = around.store.commit(lease, vec![Change::Run(ended)]).await;
            }
            return Err(error);
        }
    };
    let outcome = run.drive(stop).await;
    let mut report = run.report_now();
    let dead = !around.store.dead_letters(lease.flow, 0, 1).await?.is_empty();
    conclude(&mut report, outcome, dead, stop.is_asked());
    if let Some(record) = record {
        let text = serde_json::to_string(&report).expect("a report can be written");
        let ended = RunRecord { ended: Some(report.ended), verdict: Some(report.verdict), report: text, ..record };
        around.store.commit(lease, vec![Change::Run(ended)]).await?;
    }
    Ok(report)
}

/// Writes into the history that a run has begun, and returns it with its number.
async fn begin(flow: &Flow, around: &Surroundings, lease: Lease, started: Timestamp) -> Result<RunRecord> {
    let report = serde_json::json!({ "mapping": flow.mapping.fingerprint() }).to_string();
    let begun = RunRecord { id: 0, started, ended: None, verdict: None, report };
    around.store.commit(lease, vec![Change::Run(begun.clone())]).await?;
    let newest = around.store.runs(lease.flow, None, 1).await?.pop();
    Ok(newest.unwrap_or(begun))
}

/// The verdict: the worst that is true of the run.
fn conclude(report: &mut Report, outcome: Result<()>, dead_letters: bool, was_asked: bool) {
    let (verdict, reason) = match outcome {
        Err(error) if was_asked && error.kind() == ErrorKind::Interrupted => {
            report.error_kind = Some(error.kind().as_str().to_owned());
            (Verdict::Partial, Some("the run was stopped; the next one goes on where it ended".to_owned()))
        }
        Err(error) => {
            let help = error.help().map(|h| format!(" — {h}")).unwrap_or_default();
            report.error_kind = Some(error.kind().as_str().to_owned());
            (Verdict::Failed, Some(format!("{error}{help}")))
        }
        Ok(()) if !report.open.is_empty() => {
            let reason = match report.open.len() {
                1 => "1 slice could not be proved complete and stays open".to_owned(),
                n => format!("{n} slices could not be proved complete and stay open"),
            };
            (Verdict::Unreconciled, Some(reason))
        }
        Ok(()) if report.counts.pending > 0 => {
            let reason = match report.counts.pending {
                1 => "1 record waits in the outbox".to_owned(),
                n => format!("{n} records wait in the outbox"),
            };
            (Verdict::Partial, Some(reason))
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
    /// For a slice of a backfill, the percentage of every limit that its reading may use.
    pub(crate) share: Option<u8>,
    /// Whether the run ends when it is proved or set aside; the others are read beside as long as it lasts.
    pub(crate) own: bool,
    /// Not read any more in this run.
    pub(crate) set_aside: bool,
    /// Why its last reading failed or proved nothing.
    pub(crate) why: Option<String>,
    /// What its calls are logged under; none before the first.
    pub(crate) span: Option<Span>,
}

impl Active {
    /// A slice that is not read yet.
    fn new(slice: Slice, reading: Reading, share: Option<u8>, own: bool) -> Self {
        Self { slice, reading, share, own, set_aside: false, why: None, span: None }
    }

    /// What the report says of it when it stays open.
    pub(crate) fn stays_open(&self, id: u64, why: &str) -> OpenSlice {
        OpenSlice { id, covers: self.slice.to_string(), window: self.slice.window, why: why.to_owned() }
    }
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
    pub(crate) beside: BesideOf<'a>,
    /// Own slices that are neither proved nor set aside.
    pub(crate) n_own: usize,
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
    pub(crate) calls: Calls,
    /// The run in the history, if it has a place there.
    record: Option<RunRecord>,
    /// When the history was last told how far the run is.
    noted: Timestamp,
}

/// The slices that a run reads beside its own.
#[derive(Default)]
pub(crate) struct BesideOf<'a> {
    /// How many are not proved.
    pub(crate) n_open: u64,
    pub(crate) n_proved: u64,
    pub(crate) n_failed: usize,
    /// Those whose next page may be fetched.
    pub(crate) idle: VecDeque<u64>,
    pub(crate) fetches: FuturesUnordered<BoxFuture<'a, Fetched>>,
    pub(crate) fetching: BTreeSet<u64>,
}

/// Of the slices beside that were set aside, so many are told.
const TOLD_BESIDE: usize = 20;

/// How often the history is told how far a run is: what a run that was killed did later than this after its last word
/// was not its own.
pub const NOTE_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// Up to where earlier runs have planned.
#[derive(Debug)]
pub(crate) struct Before {
    planned: Vec<Planned>,
    resume_version: Option<String>,
}

impl<'a> Run<'a> {
    #[expect(clippy::too_many_arguments, reason = "all that a run begins with, in one place")]
    async fn new(
        flow: &'a Flow,
        around: &'a Surroundings,
        lease: Lease,
        state: FlowState,
        work: &Work,
        calls: Calls,
        record: Option<RunRecord>,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        let now = around.clock.now();
        let mut report = Report {
            run: record.as_ref().map_or(0, |record| record.id),
            kind: match work {
                Work::Due | Work::Anew => Kind::Run,
                Work::Backfill => Kind::Backfill,
                Work::DeadLetters(_) => Kind::Replay,
            },
            flow: flow.name.clone(),
            verdict: Verdict::Failed,
            reason: None,
            error_kind: None,
            mapping: Some(flow.mapping.fingerprint()),
            started: now,
            ended: now,
            counts: Counts::default(),
            proved: BTreeMap::new(),
            assumes: flow.stream.proof.assumes().to_owned(),
            promise: flow.target.idempotency.promise().to_owned(),
            open: Vec::new(),
            backfill: None,
            calls: 0,
            sink_calls: 0,
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
            beside: BesideOf::default(),
            n_own: 0,
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
            calls,
            record,
            noted: now,
        };
        match work {
            Work::Due | Work::Anew => {
                for stored in state.slices {
                    let own = stored.share.is_none();
                    run.go_on_with(stored, own)?;
                }
                let before = Before { planned: state.planned, resume_version: state.resume_version };
                // The overlap with what was planned last would be read a second time, once for each restart.
                if overlaps_open(&before.planned, run.own_slices().map(|active| &active.slice)) {
                    run.deferred = Some(before);
                    run.tell();
                } else {
                    run.plan(&before).await?;
                }
            }
            Work::Backfill => {
                for stored in state.slices.into_iter().filter(|stored| stored.share.is_some()) {
                    run.go_on_with(stored, true)?;
                }
                run.tell();
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
        let has_open = self.own_slices().next().is_some();
        let stored = PlanState { planned, has_open, resume_version: resume_version.as_deref() };
        let partitions = match &self.flow.stream.partition {
            Some(partition) => Some(partition::values(self.flow, partition).await?),
            None => None,
        };
        let now = self.around.clock.now();
        let Plan { slices, planned } = plan(&self.flow.stream, &self.flow.span, &stored, partitions.as_deref(), now)?;
        let mut changes: Vec<_> = planned.into_iter().map(Change::Planned).collect();
        for slice in slices {
            let (id, change) = self.open_slice(slice, None, true);
            self.idle.push_back(id);
            changes.push(change);
        }
        if !changes.is_empty() {
            self.around.store.commit(self.lease, changes).await?;
        }
        self.tell();
        Ok(())
    }

    /// Goes on with a slice that an earlier run has left open.
    fn go_on_with(&mut self, stored: StoredSlice, own: bool) -> Result<()> {
        let StoredSlice { id, slice, share, reading, digests } = stored;
        let reading = Reading::restore(&reading, digests)?;
        self.insert(id, Active::new(slice, reading, share, own));
        self.queue_of(id).push_back(id);
        Ok(())
    }

    /// A new slice, which is fetched once that is durable.
    pub(crate) fn open_slice(&mut self, slice: Slice, share: Option<u8>, own: bool) -> (u64, Change) {
        let id = self.next_slice;
        self.next_slice += 1;
        let reading = Reading::new(&self.flow.stream, &slice, self.flow.options.page_size);
        let change = Change::SliceOpened { id, slice: slice.clone(), share, reading: reading.save() };
        self.insert(id, Active::new(slice, reading, share, own));
        (id, change)
    }

    fn insert(&mut self, id: u64, active: Active) {
        if active.own {
            self.n_own += 1;
        } else {
            self.beside.n_open += 1;
        }
        self.slices.insert(id, active);
    }

    /// The slice is proved, or has been replaced by its parts.
    pub(crate) fn close_slice(&mut self, id: u64) -> Option<Active> {
        let active = self.slices.remove(&id)?;
        if !active.own {
            self.beside.n_open -= 1;
        } else if !active.set_aside {
            self.n_own -= 1;
        }
        Some(active)
    }

    /// The slice stays open: this run reads it no more.
    pub(crate) fn set_aside(&mut self, id: u64, why: &str) {
        let Some(active) = self.slices.get_mut(&id) else { return };
        active.why = Some(why.to_owned());
        if active.own && !active.set_aside {
            self.n_own -= 1;
            let open = active.stays_open(id, why);
            self.report.open.push(open);
        }
        active.set_aside = true;
    }

    fn own_slices(&self) -> impl Iterator<Item = &Active> {
        self.slices.values().filter(|active| active.own)
    }

    /// Where the slice waits for its next page.
    pub(crate) fn queue_of(&mut self, id: u64) -> &mut VecDeque<u64> {
        if self.slices.get(&id).is_some_and(|active| !active.own) { &mut self.beside.idle } else { &mut self.idle }
    }

    pub(crate) fn tell(&mut self) {
        self.report.counts.open_slices = self.slices.len() as u64 - self.beside.n_open;
        self.report.counts.expected = self.own_slices().filter_map(|active| active.reading.total()).sum();
        self.observer.progress(&Progress {
            id: self.report.run,
            kind: self.report.kind,
            started: self.report.started,
            counts: &self.report.counts,
            calls: &self.calls,
            slices: &self.slices,
            idle: &self.idle,
            idle_beside: &self.beside.idle,
        });
    }

    /// The report as it would be if the run ended now; nothing in it is a verdict.
    pub(crate) fn report_now(&self) -> Report {
        let (ended, calls, sink_calls) = (self.around.clock.now(), self.calls.source(), self.calls.sink());
        let set_aside = self.slices.iter().filter(|(_, active)| !active.own && active.set_aside);
        let told = |(&id, active): (&u64, &Active)| active.stays_open(id, active.why.as_deref().unwrap_or_default());
        let backfill = (self.beside.n_open + self.beside.n_proved > 0).then(|| Beside {
            proved: self.beside.n_proved,
            open: self.beside.n_open,
            set_aside: set_aside.take(TOLD_BESIDE).map(told).collect(),
        });
        Report { ended, backfill, calls, sink_calls, ..self.report.clone() }
    }

    /// For a commit that is made anyway: how far the run will be with it, so that a run which is killed has left word.
    pub(crate) fn note(&mut self, more: &Counts) -> Option<Change> {
        let now = self.around.clock.now();
        if now.duration_since(self.noted) < NOTE_EVERY {
            return None;
        }
        let record = self.record.clone()?;
        self.noted = now;
        let mut report = self.report_now();
        report.counts.add(more);
        report.reason = Some("the run was cut off".to_owned());
        let report = serde_json::to_string(&report).expect("a report can be written");
        Some(Change::Run(RunRecord { report, ..record }))
    }
}
