//! The loop of a run: fetch, look up, commit, deliver, all side by side, until nothing is left to do.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use milkrun_core::state::{Change, DeadLetter, LedgerEntry, Stage};
use milkrun_core::stream::Slice;
use milkrun_core::{Appender, Context, Error, ErrorKind, PageRequest, Result, Retry, SinkKind};
use tracing::Instrument as _;

use crate::append::{Arrived, Batch, Checking, Sealed};
use crate::backfill::backfill_context;
use crate::flow::{Flow, Stop};
use crate::outbox::{Courier, Outgoing};
use crate::prepare::{Mark, Marker};
use crate::reading::{Ask, Evidence, Reading, Step};
use crate::report::Counts;
use crate::run::{Fresh, Run};

/// A page that has been fetched, or why not.
pub(crate) struct Fetched {
    /// The slice it is a page of; none for dead letters.
    pub(crate) slice: Option<u64>,
    pub(crate) outcome: Result<Fresh>,
}

/// What a commit gives back.
pub(crate) struct Committed {
    number: u64,
    appender: Option<Box<dyn Appender>>,
    /// Slices whose page is durable now.
    slices: Vec<u64>,
    /// Pages for the outbox.
    outgoing: Vec<Outgoing>,
    /// What is true now that it is committed.
    counts: Counts,
    proved: Vec<(bool, Evidence)>,
}

/// After so many slices have failed, a run gives up: the vendor is down rather than one answer odd.
const MOST_FAILURES: usize = 3;

/// How many pages may wait in memory for their delivery before reading pauses.
const MOST_WAITING: usize = 8;

/// The end of a run that was asked for.
fn stopped() -> Error {
    Error::new(ErrorKind::Interrupted, "the run was stopped")
}

impl<'a> Run<'a> {
    /// Goes on until nothing is left to do.
    pub(crate) async fn drive(&mut self, stop: &mut Stop) -> Result<()> {
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
        // When the oldest page that waits for its commit has waited long enough.
        let mut deadline = None;
        // Why nothing more is begun. What is under way ends first: a commit that is given up half-way leaves documents
        // behind that are not committed, a delivery one whose outcome is unknown.
        let mut ending = None;
        loop {
            if ending.is_none() && self.failures.len() < MOST_FAILURES {
                self.start_fetches();
            }
            let goes_on = ending.is_none() && self.failures.len() < MOST_FAILURES && self.n_own > 0;
            if goes_on {
                self.start_fetches_beside();
            } else if ending.is_some() || (self.fetches.is_empty() && self.is_at_rest()) {
                self.give_up_fetches_beside();
            }
            let now = tokio::time::Instant::now();
            let n_waiting = self.arrived.len() + self.batch.n_pages();
            deadline = (n_waiting > 0).then(|| deadline.unwrap_or(now + self.flow.options.batch_delay));
            let is_late = deadline.is_some_and(|deadline| now >= deadline);
            // Pages are looked up and committed together: one question and one sync for many of them.
            if is_late || self.fetches.is_empty() || n_waiting >= self.flow.options.batch_pages {
                self.start_check();
                let full = self.batch.n_pages() >= self.flow.options.batch_pages;
                let all_here = self.arrived.is_empty() && self.checking.is_none();
                if self.committing.is_none() && !self.batch.is_empty() && (full || all_here) {
                    self.start_commit();
                    deadline = None;
                }
            }
            if ending.is_none() {
                self.start_delivery();
            }
            if self.fetches.is_empty() && self.beside.fetches.is_empty() && self.is_at_rest() {
                let goes_on = ending.is_none() && self.failures.is_empty();
                match self.deferred.take().filter(|_| goes_on) {
                    // What it has not even planned yet is left to do: it has not ended by itself.
                    Some(_) if stop.is_asked() => ending = Some(stopped()),
                    Some(before) => self.plan(&before).await?,
                    None => break,
                }
                continue;
            }
            let outcome = tokio::select! {
                biased;
                () = stop.asked(), if ending.is_none() => Err(stopped()),
                done = finished(&mut self.committing) => {
                    self.on_committed(done?);
                    Ok(())
                }
                known = crate::append::checked(&mut self.checking) => self.on_checked(known?),
                Some(fetched) = self.fetches.next(), if !self.fetches.is_empty() => self.on_fetched(fetched),
                Some(fetched) = self.beside.fetches.next(), if !self.beside.fetches.is_empty() => {
                    self.on_fetched(fetched)
                }
                (courier, counts) = finished(&mut self.delivering) => self.on_delivered(courier, counts),
                () = tokio::time::sleep_until(deadline.unwrap_or(now)), if deadline.is_some() && !is_late => Ok(()),
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
        // What is in memory is bounded by what one commit takes and what is under way, however slow the disk is.
        let (at_once, most) = (self.flow.options.concurrency, self.flow.options.batch_pages);
        while self.fetches.len() < at_once && self.fetches.len() + self.n_in_hand() < most.max(at_once) + at_once / 2 {
            let Some(id) = self.idle.pop_front() else { return };
            let fetch = self.fetch_next(id);
            self.fetches.push(fetch);
        }
    }

    /// Fetches for slices of backfills, beside the run's own: at most their share of what is read at once, and only
    /// while delivery keeps up, so that nothing of the run's own waits for them.
    fn start_fetches_beside(&mut self) {
        let (at_once, most) = (self.flow.options.concurrency, self.flow.options.batch_pages);
        while self.n_outgoing < MOST_WAITING / 2
            && self.beside.n_failed < MOST_FAILURES
            && self.n_in_hand() < most.max(at_once)
            && let Some(&id) = self.beside.idle.front()
        {
            let share = usize::from(self.slices[&id].share.unwrap_or(100));
            if self.beside.fetches.len() >= (at_once * share / 100).max(1) {
                return;
            }
            self.beside.idle.pop_front();
            self.beside.fetching.insert(id);
            let fetch = self.fetch_next(id);
            self.beside.fetches.push(fetch);
        }
    }

    /// The run's own slices are done: what is on its way for others is asked for again by whoever reads them next.
    fn give_up_fetches_beside(&mut self) {
        self.beside.fetches = FuturesUnordered::new();
        let given_up = std::mem::take(&mut self.beside.fetching);
        for id in given_up.into_iter().rev() {
            self.beside.idle.push_front(id);
        }
    }

    /// The next page of a slice, on its way.
    fn fetch_next(&mut self, id: u64) -> BoxFuture<'a, Fetched> {
        let active = self.slices.get_mut(&id).expect("only open slices are fetched");
        let ask = active.reading.ask(&self.flow.stream);
        let slice = active.slice.clone();
        let of_slice =
            active.span.get_or_insert_with(|| tracing::info_span!(target: "milkrun::call", "slice", slice = %slice));
        let span = tracing::info_span!(target: "milkrun::call", parent: &*of_slice, "page", page = %ask.at);
        let (flow, marker) = (self.flow, self.marker.clone());
        let cx = match active.share {
            Some(share) => backfill_context(&flow.source_cx, &flow.name, share),
            None => flow.source_cx.clone(),
        };
        let fetch = async move { Fetched { slice: Some(id), outcome: fetch(flow, &cx, &marker, &slice, &ask).await } };
        Box::pin(fetch.instrument(span))
    }

    /// Whether all that has been read is committed and nothing is being delivered.
    fn is_at_rest(&self) -> bool {
        self.arrived.is_empty()
            && self.checking.is_none()
            && self.committing.is_none()
            && self.delivering.is_none()
            && self.batch.is_empty()
    }

    /// Pages that are here and on no disk, and not on their way there.
    fn n_in_hand(&self) -> usize {
        self.arrived.len() + self.checking.as_ref().map_or(0, Checking::n_pages) + self.batch.n_pages()
    }

    pub(crate) fn on_fetched(&mut self, fetched: Fetched) -> Result<()> {
        if let Some(id) = &fetched.slice {
            self.beside.fetching.remove(id);
        }
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
    ///
    /// One that is read beside concerns nobody else, unless the store or the run itself has failed: a vendor may refuse
    /// what lies too far back for ever.
    fn slice_failed(&mut self, slice: u64, error: Error) -> Result<()> {
        if self.slices.get(&slice).is_some_and(|active| !active.own) {
            if matches!(error.kind(), ErrorKind::State | ErrorKind::Busy | ErrorKind::Interrupted) {
                return Err(error);
            }
            tracing::warn!(flow = self.flow.name, slice, %error, "a slice of a backfill failed");
            self.beside.n_failed += 1;
            self.set_aside(slice, &error.to_string());
            return Ok(());
        }
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
        self.set_aside(slice, &error.to_string());
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
            self.batch.counts.records += fresh.marks.len() as u64;
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
        self.batch.counts.pages += 1;
        self.batch.counts.records += fresh.marks.len() as u64;
        let digests = Reading::keeps_digests(stream).then(|| (number, fresh.facts.digests.clone()));
        self.take_records(fresh, known);
        let active = self.slices.get_mut(&id).expect("still open");
        match step {
            Step::Proved(evidence) => {
                let resume = active.reading.version().map(|v| Change::ResumeVersion(v.to_owned()));
                let own = self.close_slice(id).is_some_and(|active| active.own);
                self.batch.proved.push((own, evidence));
                self.batch.changes.extend(resume);
                self.batch.changes.push(Change::SliceClosed { id });
                self.batch.touch();
                return Ok(());
            }
            Step::Unproved(why) => {
                self.report.counts.readings_in_vain += 1;
                tracing::debug!(flow = self.flow.name, slice = %active.slice, why, "a reading proved nothing");
                if let Some(parts) = splittable {
                    let (share, own) = (active.share, active.own);
                    self.close_slice(id);
                    self.batch.counts.splits += 1;
                    self.batch.changes.push(Change::SliceClosed { id });
                    for part in parts {
                        let (part, change) = self.open_slice(part, share, own);
                        self.batch.slices.push(part);
                        self.batch.changes.push(change);
                    }
                    self.batch.touch();
                    return Ok(());
                }
                active.reading.again(stream, &active.slice);
                active.why = Some(why.to_owned());
                if active.reading.in_vain() >= self.flow.options.max_readings {
                    active.reading.forgive();
                    self.set_aside(id, why);
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
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.changes.extend(self.note(&batch.counts));
        let number = self.batch_number;
        self.batch_number += 1;
        let appender = self.appender.take();
        let sealed = self.seal(batch, appender);
        let (around, lease, flow) = (self.around, self.lease, self.flow);
        self.committing = Some(Box::pin(async move {
            let Sealed { mut changes, entries, mut appender, slices, mut outgoing, counts, proved } = sealed;
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
            Ok(Committed { number, appender, slices, outgoing, counts, proved })
        }));
    }

    fn on_committed(&mut self, done: Committed) {
        self.committed = done.number;
        self.report.counts.add(&done.counts);
        for (own, evidence) in &done.proved {
            if *own {
                self.report.prove(evidence);
            } else {
                self.beside.n_proved += 1;
            }
        }
        if done.appender.is_some() {
            self.appender = done.appender;
        }
        if self.checking.is_none() {
            self.recent.retain(|_, (number, _)| *number > done.number);
        }
        for id in done.slices.into_iter().rev() {
            self.queue_of(id).push_front(id);
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
        self.report.counts.add(&counts);
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

async fn fetch(flow: &Flow, cx: &Context, marker: &Marker, slice: &Slice, ask: &Ask) -> Result<Fresh> {
    let request = PageRequest { stream: &flow.stream, slice, at: &ask.at, size: ask.size };
    for attempt in 1.. {
        match flow.source.read_page(cx, request).await {
            Ok(page) => {
                let (marks, facts) = marker.prepare(&page).map_err(|e| e.with("page", &ask.at))?;
                return Ok(Fresh { page, marks, facts });
            }
            // What the transport has repeated in vain comes as `Exhausted`.
            Err(error) if error.retry() == Retry::Backoff && attempt < READ_ATTEMPTS => {
                tracing::debug!(flow = flow.name, %slice, %error, "the page is read again");
                cx.clock().sleep(Duration::from_secs(1) * attempt).await;
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
