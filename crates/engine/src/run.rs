//! One run of one flow: plan, read, prove, deliver, report.
//!
//! Everything happens in one task, by one `select!`: dropping it at any await is the same as a crash, and what was
//! committed is the truth.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use milkrun_core::state::{Change, DeadLetter, FlowState, Lease, LedgerEntry, RunRecord, Stage, StoredSlice, Verdict};
use milkrun_core::stream::Slice;
use milkrun_core::{Appender, Error, ErrorKind, Key, Page, PageRequest, Record, Result, Retry, SinkKind};
use milkrun_mapping::Output;
use tracing::Instrument as _;

use crate::append::{Arrived, Batch, Checking};
use crate::flow::{Flow, Observer, Stop, Surroundings};
use crate::outbox::{Courier, DeadByKey, Outgoing, dead_by_key};
use crate::partition;
use crate::plan::{Plan, PlanState, plan};
use crate::prepare::{Mark, Marker};
use crate::reading::{Ask, PageFacts, Reading, Step};
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
    let calls_before = calls(flow);
    let begun = RunRecord { id: 0, started, ended: None, verdict: None, report: "{}".to_owned() };
    around.store.commit(lease, vec![Change::Run(begun)]).await?;
    let mut run = match Run::new(flow, around, lease, state, Work::Slices, observer).await {
        Ok(run) => run,
        Err(error) => {
            // Without an end, the run would look as if it had been cut off.
            let report =
                serde_json::json!({ "flow": flow.name, "verdict": Verdict::Failed, "reason": error.to_string() });
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
    report.calls = calls(flow) - calls_before;
    let dead = !around.store.dead_letters(lease.flow, 0, 1).await?.is_empty();
    conclude(&mut report, outcome, dead);
    let text = serde_json::to_string(&report).expect("a report can be written");
    let ended = RunRecord { id: 0, started, ended: Some(report.ended), verdict: Some(report.verdict), report: text };
    around.store.commit(lease, vec![Change::Run(ended)]).await?;
    Ok(report)
}

fn calls(flow: &Flow) -> u64 {
    flow.source_cx.transport().map_or(0, |t| t.stats().calls())
}

/// The verdict: the worst that is true of the run.
fn conclude(report: &mut Report, outcome: Result<()>, dead_letters: bool) {
    let (verdict, reason) = match outcome {
        Err(error) => {
            let help = error.help().map(|h| format!(" — {h}")).unwrap_or_default();
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
struct Active {
    slice: Slice,
    reading: Reading,
}

/// A page that has been fetched, or why not.
struct Fetched {
    /// The slice it is a page of; none for dead letters.
    slice: Option<u64>,
    outcome: Result<Fresh>,
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
    marker: Marker,
    observer: &'a dyn Observer,
    slices: BTreeMap<u64, Active>,
    /// Slices whose next page may be fetched; those under way before new ones.
    idle: VecDeque<u64>,
    fetches: FuturesUnordered<BoxFuture<'a, Fetched>>,
    arrived: Arrived,
    pub(crate) checking: Option<Checking<'a>>,
    pub(crate) batch: Batch,
    committing: Option<BoxFuture<'a, Result<Committed>>>,
    /// The memory of a batch that is done, for the next one's documents.
    pub(crate) spare: Output,
    /// What the ledger will know once the batches under way are committed, and the batch it comes with.
    pub(crate) recent: HashMap<Key, (u64, LedgerEntry)>,
    /// Counts the batches.
    pub(crate) batch_number: u64,
    committed: u64,
    pub(crate) appender: Option<Box<dyn Appender>>,
    courier: Option<Courier>,
    delivering: Option<BoxFuture<'a, (Courier, Result<Counts>)>>,
    /// Pages that wait for the courier while it is under way, and how many wait in all.
    returned: Vec<Outgoing>,
    n_outgoing: usize,
    /// Dead letters of earlier runs, by key: delivering the key settles them.
    pub(crate) dead: DeadByKey,
    next_slice: u64,
    pub(crate) next_page: u64,
    failures: Vec<(u64, Error)>,
    pub(crate) report: Report,
}

/// What a commit gives back.
struct Committed {
    number: u64,
    appender: Option<Box<dyn Appender>>,
    /// Slices whose page is durable now.
    slices: Vec<u64>,
    /// Pages for the outbox.
    outgoing: Vec<Outgoing>,
}

/// After so many slices have failed, a run gives up: the vendor is down rather than one answer odd.
const MOST_FAILURES: usize = 3;

/// How many pages may wait in memory for their delivery before reading pauses.
const MOST_WAITING: usize = 8;

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
            recent: HashMap::new(),
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
            report,
        };
        match work {
            Work::Slices => {
                for StoredSlice { id, slice, reading, digests } in state.slices {
                    let reading = Reading::restore(&reading, digests)?;
                    run.slices.insert(id, Active { slice, reading });
                    run.idle.push_back(id);
                }
                run.plan(&state.planned, state.resume_version.as_deref()).await?;
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
    async fn plan(&mut self, planned: &[milkrun_core::state::Planned], resume_version: Option<&str>) -> Result<()> {
        let stored = PlanState { planned, has_open: !self.slices.is_empty(), resume_version };
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

    fn open_slice(&mut self, slice: Slice) -> Change {
        let id = self.next_slice;
        self.next_slice += 1;
        let reading = Reading::new(&self.flow.stream, &slice, self.flow.options.page_size);
        let change = Change::SliceOpened { id, slice: slice.clone(), reading: reading.save() };
        self.slices.insert(id, Active { slice, reading });
        self.idle.push_back(id);
        change
    }

    fn tell(&mut self) {
        self.report.counts.open_slices = self.slices.len() as u64;
        self.report.counts.expected = self.slices.values().filter_map(|active| active.reading.total()).sum();
        self.observer.progress(&self.report.counts);
    }

    /// Goes on until nothing is left to do.
    async fn drive(&mut self, stop: &mut Stop) -> Result<()> {
        let outcome = self.turn(stop).await;
        if let Some(mut appender) = self.appender.take() {
            let finished = async {
                let mark = appender.finish().await?;
                self.around.store.commit(self.lease, vec![Change::SinkMark(mark)]).await
            };
            // Of two errors, the first one says why.
            outcome.and(finished.await)?;
        } else {
            outcome?;
        }
        for (id, error) in &self.failures {
            let slice = self.slices.get(id).map_or_else(String::new, |active| active.slice.to_string());
            tracing::warn!(flow = self.flow.name, slice, %error, "a slice failed");
        }
        match self.failures.pop() {
            Some((id, error)) => {
                let slice = self.slices.get(&id).map_or_else(String::new, |active| active.slice.to_string());
                Err(error.with("stream", &self.flow.stream.name).with("slice", slice))
            }
            None => Ok(()),
        }
    }

    async fn turn(&mut self, stop: &mut Stop) -> Result<()> {
        // When the oldest page of the batch has waited long enough.
        let mut deadline = tokio::time::Instant::now();
        // Why nothing more is begun. What is under way ends first: a commit that is given up half-way leaves documents
        // behind that are not committed, a delivery one whose outcome is unknown.
        let mut ending = None;
        loop {
            if ending.is_none() && self.failures.len() < MOST_FAILURES {
                self.start_fetches();
            }
            self.start_check();
            if self.batch.is_fresh() {
                deadline = tokio::time::Instant::now() + self.flow.options.batch_delay;
                self.batch.age();
            }
            let waits_for_more = !self.fetches.is_empty() || !self.arrived.is_empty() || self.checking.is_some();
            let full = self.batch.n_pages() >= self.flow.options.batch_pages;
            if self.committing.is_none()
                && !self.batch.is_empty()
                && (full || !waits_for_more || tokio::time::Instant::now() >= deadline)
            {
                self.start_commit();
            }
            if ending.is_none() {
                self.start_delivery();
            }
            let waiting = !self.batch.is_empty() && self.committing.is_none();
            if self.fetches.is_empty()
                && self.arrived.is_empty()
                && self.checking.is_none()
                && self.committing.is_none()
                && self.delivering.is_none()
                && self.batch.is_empty()
            {
                break;
            }
            let outcome = tokio::select! {
                biased;
                () = stop.asked(), if ending.is_none() => {
                    Err(Error::new(ErrorKind::Interrupted, "the run was stopped")
                        .advise("run again: it goes on where it ended"))
                }
                done = finished(&mut self.committing) => {
                    self.on_committed(done?);
                    Ok(())
                }
                known = crate::append::checked(&mut self.checking) => self.on_checked(known?),
                Some(fetched) = self.fetches.next(), if !self.fetches.is_empty() => self.on_fetched(fetched),
                (courier, counts) = finished(&mut self.delivering) => self.on_delivered(courier, counts),
                () = tokio::time::sleep_until(deadline), if waiting => Ok(()),
            };
            if let Err(error) = outcome {
                // Of two errors, the first one says why.
                ending.get_or_insert(error);
                // A page that is still on its way is asked for again by the next run.
                self.fetches = FuturesUnordered::new();
            }
        }
        ending.map_or(Ok(()), Err)
    }

    fn start_fetches(&mut self) {
        if self.n_outgoing >= MOST_WAITING.max(self.flow.options.concurrency) {
            return;
        }
        while self.fetches.len() + self.arrived.len() < self.flow.options.concurrency {
            let Some(id) = self.idle.pop_front() else { return };
            let active = &self.slices[&id];
            let ask = active.reading.ask(&self.flow.stream);
            let slice = active.slice.clone();
            let span = tracing::info_span!(
                target: "milkrun::call", "page",
                flow = self.flow.name, stream = self.flow.stream.name, slice = %slice, page = %ask.at
            );
            let (flow, marker) = (self.flow, self.marker.clone());
            let fetch = async move { Fetched { slice: Some(id), outcome: fetch(flow, &marker, &slice, &ask).await } };
            self.fetches.push(Box::pin(fetch.instrument(span)));
        }
    }

    fn on_fetched(&mut self, fetched: Fetched) -> Result<()> {
        match fetched.outcome {
            Ok(fresh) if matches!(self.flow.sink, SinkKind::Calls(_)) => self.take(fetched.slice, fresh, None),
            Ok(fresh) => {
                self.arrived.push_back((fetched.slice, fresh));
                Ok(())
            }
            Err(error) => self.slice_failed(fetched.slice.expect("only slices are fetched"), error),
        }
    }

    /// A slice that fails stays open; the others go on, unless the reason concerns them too.
    fn slice_failed(&mut self, slice: u64, error: Error) -> Result<()> {
        let for_all = matches!(
            error.kind(),
            ErrorKind::ConfigInvalid
                | ErrorKind::Forbidden
                | ErrorKind::TokenDead
                | ErrorKind::TokenExpired
                | ErrorKind::State
                | ErrorKind::Busy
                | ErrorKind::Interrupted
        );
        if for_all {
            return Err(error);
        }
        self.failures.push((slice, error));
        Ok(())
    }

    fn start_check(&mut self) {
        if self.checking.is_some() || self.arrived.is_empty() {
            return;
        }
        let fetched = std::mem::take(&mut self.arrived);
        let keys =
            fetched.iter().flat_map(|(_, fresh)| fresh.marks.iter().filter_map(|mark| mark.key.clone())).collect();
        let store = &self.around.store;
        let flow = self.lease.flow;
        self.checking = Some(Checking::new(fetched, Box::pin(store.seen(flow, keys))));
    }

    fn on_checked(&mut self, (fetched, known): (Arrived, Vec<Option<LedgerEntry>>)) -> Result<()> {
        let mut known = known.into_iter();
        for (slice, fresh) in fetched {
            let n_keys = fresh.marks.iter().filter(|m| m.key.is_some()).count();
            let known = known.by_ref().take(n_keys).collect();
            self.take(slice, fresh, Some(known))?;
        }
        let committed = self.committed;
        self.recent.retain(|_, (number, _)| *number > committed);
        Ok(())
    }

    /// Takes a page into the batch: its records, and what it does to its slice.
    fn take(&mut self, id: Option<u64>, fresh: Fresh, known: Option<Vec<Option<LedgerEntry>>>) -> Result<()> {
        let stream = &self.flow.stream;
        let Some(id) = id else {
            self.report.counts.records += fresh.marks.len() as u64;
            self.take_records(fresh, known);
            self.batch.touch();
            return Ok(());
        };
        let active = self.slices.get_mut(&id).expect("only open slices are fetched");
        let number = active.reading.number();
        let splittable = halves(self.flow, &active.slice);
        let step = match active.reading.accept(stream, &fresh.page, &fresh.facts, splittable.is_some()) {
            Ok(step) => step,
            Err(error) => return self.slice_failed(id, error),
        };
        self.report.counts.pages += 1;
        self.report.counts.records += fresh.marks.len() as u64;
        let digests = Reading::keeps_digests(stream).then(|| (number, fresh.facts.digests.clone()));
        self.take_records(fresh, known);
        let active = self.slices.get_mut(&id).expect("still open");
        match step {
            Step::Proved(evidence) => {
                let resume = active.reading.version().map(|v| Change::ResumeVersion(v.to_owned()));
                self.slices.remove(&id);
                self.report.prove(&evidence);
                self.batch.changes.extend(resume);
                self.batch.changes.push(Change::SliceClosed { id });
                self.batch.touch();
                return Ok(());
            }
            Step::Unproved(why) => {
                self.report.counts.readings_in_vain += 1;
                tracing::debug!(flow = self.flow.name, slice = %active.slice, why, "a reading proved nothing");
                if let Some(parts) = splittable {
                    self.slices.remove(&id);
                    self.report.counts.splits += 1;
                    self.batch.changes.push(Change::SliceClosed { id });
                    for part in parts {
                        let change = self.open_slice(part);
                        let part = self.idle.pop_back().expect("just opened");
                        self.batch.slices.push(part);
                        self.batch.changes.push(change);
                    }
                    self.batch.touch();
                    return Ok(());
                }
                active.reading.again(stream, &active.slice);
                if active.reading.in_vain() >= self.flow.options.max_readings {
                    active.reading.forgive();
                    self.report.open.push((active.slice.to_string(), why.to_owned()));
                } else {
                    self.batch.slices.push(id);
                }
            }
            Step::More => self.batch.slices.push(id),
        }
        let active = &self.slices[&id];
        let forget_below = active.reading.forget_below();
        let digests = digests.filter(|(number, _)| *number >= forget_below);
        self.batch.changes.push(Change::SliceAdvanced { id, reading: active.reading.save(), digests, forget_below });
        self.batch.touch();
        Ok(())
    }

    fn take_records(&mut self, fresh: Fresh, known: Option<Vec<Option<LedgerEntry>>>) {
        match known {
            Some(known) => self.append(fresh, known),
            None => self.enqueue(fresh),
        }
    }

    fn start_commit(&mut self) {
        let next = Batch::writing_into(std::mem::take(&mut self.spare));
        let batch = std::mem::replace(&mut self.batch, next);
        let number = self.batch_number;
        self.batch_number += 1;
        let appender = self.appender.take();
        let sealed = self.seal(batch, appender);
        let (around, lease, flow) = (self.around, self.lease, self.flow);
        self.committing = Some(Box::pin(async move {
            let crate::append::Sealed { mut changes, entries, mut appender, slices, mut outgoing } = sealed;
            if !entries.is_empty() {
                let (pages, entries): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
                let places = around.journal.append(&flow.name, entries).await?;
                let places: HashMap<u64, _> = pages.into_iter().zip(places).collect();
                for change in &mut changes {
                    if let Change::PageAdded { id, journal, .. } = change {
                        *journal = places[id];
                    }
                }
                for page in &mut outgoing {
                    page.page.journal = places[&page.page.id];
                }
            }
            if let Some(appender) = &mut appender {
                changes.push(Change::SinkMark(appender.sync().await?));
            }
            around.store.commit(lease, changes).await?;
            Ok(Committed { number, appender, slices, outgoing })
        }));
    }

    fn on_committed(&mut self, done: Committed) {
        self.committed = done.number;
        if done.appender.is_some() {
            self.appender = done.appender;
        }
        if self.checking.is_none() {
            self.recent.retain(|_, (number, _)| *number > done.number);
        }
        for id in done.slices.into_iter().rev() {
            self.idle.push_front(id);
        }
        self.n_outgoing += done.outgoing.len();
        self.returned.extend(done.outgoing);
        self.tell();
    }

    fn start_delivery(&mut self) {
        if self.delivering.is_some() {
            return;
        }
        let Some(mut courier) = self.courier.take() else { return };
        courier.enqueue(std::mem::take(&mut self.returned));
        if courier.is_idle() {
            self.courier = Some(courier);
            return;
        }
        self.delivering = Some(Box::pin(async move {
            let counts = courier.deliver_next().await;
            (courier, counts)
        }));
    }

    fn on_delivered(&mut self, courier: Courier, counts: Result<Counts>) -> Result<()> {
        self.report.counts.pending = courier.n_unresolved();
        self.n_outgoing = courier.n_waiting() + self.returned.len();
        self.courier = Some(courier);
        let counts = counts?;
        let all = &mut self.report.counts;
        all.new += counts.new;
        all.changed += counts.changed;
        all.unchanged += counts.unchanged;
        all.older += counts.older;
        all.filtered += counts.filtered;
        all.refused += counts.refused;
        all.documents += counts.documents;
        self.tell();
        Ok(())
    }

    pub(crate) fn dead_letter(&self, mark: &Mark, stage: Stage, reason: String, page: u64, record: &str) -> Change {
        Change::DeadLetter(DeadLetter {
            id: 0,
            key: mark.key.clone(),
            stage,
            reason,
            page,
            version: mark.version,
            at: self.around.clock.now(),
            record: record.to_owned(),
        })
    }
}

/// How often a page is asked for whose answer only turns out to be bad when it is read.
const READ_ATTEMPTS: u32 = 3;

async fn fetch(flow: &Flow, marker: &Marker, slice: &Slice, ask: &Ask) -> Result<Fresh> {
    let request = PageRequest { stream: &flow.stream, slice, at: &ask.at, size: ask.size };
    for attempt in 1.. {
        match flow.source.read_page(&flow.source_cx, request).await {
            Ok(page) => {
                let (marks, facts) = marker.prepare(&page).map_err(|e| e.with("page", &ask.at))?;
                return Ok(Fresh { page, marks, facts });
            }
            // What the transport has repeated in vain comes as `Exhausted`.
            Err(error) if error.retry() == Retry::Backoff && attempt < READ_ATTEMPTS => {
                tracing::debug!(flow = flow.name, %slice, %error, "the page is read again");
                flow.source_cx.clock().sleep(Duration::from_secs(1) * attempt).await;
            }
            Err(error) => return Err(error.with("page", &ask.at)),
        }
    }
    unreachable!("the attempts end in the loop")
}

/// The two halves of a slice, if its window can be cut.
fn halves(flow: &Flow, slice: &Slice) -> Option<[Slice; 2]> {
    let granularity = flow.stream.window.as_ref()?.granularity;
    let halves = slice.window?.halves(granularity)?;
    Some(halves.map(|window| Slice { window: Some(window), ..slice.clone() }))
}

/// Waits for the future in `slot` and empties it; never returns while there is none.
async fn finished<T>(slot: &mut Option<BoxFuture<'_, T>>) -> T {
    let Some(future) = slot else { return std::future::pending().await };
    let done = future.await;
    *slot = None;
    done
}
