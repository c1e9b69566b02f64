//! State in memory: what was committed outlives a crash, nothing else does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use milkrun_core::state::{
    Change, DeadLetter, FlowState, FlowSummary, Holder, Journal, JournalEntry, JournalRef, Lease, LedgerEntry,
    LedgerRow, OpenBackfill, OutboxPage, Planned, RunRecord, StateStore, StoredSlice, TraceEntry,
};
use milkrun_core::token::{Begin, StoredToken, Token, TokenStore};
use milkrun_core::{Error, ErrorKind, Key, Result};

/// A store in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    flows: BTreeMap<String, i64>,
    state: BTreeMap<i64, FlowData>,
    n_commits: u64,
}

#[derive(Clone, Debug, Default)]
struct FlowData {
    fence: u64,
    held: Option<Timestamp>,
    planned: BTreeMap<String, Timestamp>,
    slices: BTreeMap<u64, StoredSlice>,
    next_slice: u64,
    next_page: u64,
    ledger: BTreeMap<Key, LedgerRow>,
    pages: BTreeMap<u64, OutboxPage>,
    dead: BTreeMap<u64, DeadLetter>,
    next_dead: u64,
    sink_mark: Option<String>,
    resume_version: Option<String>,
    runs: Vec<RunRecord>,
    run: Option<(u64, u64)>,
}

impl MemoryStore {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder panics")
    }

    /// All workers are dead: their leases can be taken over.
    pub fn crash(&self) {
        for flow in self.inner().state.values_mut() {
            flow.held = None;
        }
    }

    /// How many commits were made.
    pub fn n_commits(&self) -> u64 {
        self.inner().n_commits
    }

    fn flow<T>(&self, lease: Lease, act: impl FnOnce(&mut FlowData) -> Result<T>) -> Result<T> {
        let mut inner = self.inner();
        let flow = inner.state.get_mut(&lease.flow).ok_or_else(|| Error::new(ErrorKind::State, "no such flow"))?;
        if flow.held.is_none() || flow.fence != lease.fence {
            return Err(Error::new(ErrorKind::Busy, "the lease is void"));
        }
        act(flow)
    }

    fn read<T>(&self, flow: i64, act: impl FnOnce(&FlowData) -> T) -> T {
        match self.inner().state.get(&flow) {
            Some(data) => act(data),
            None => act(&FlowData::default()),
        }
    }
}

impl FlowData {
    fn apply(&mut self, change: Change) -> Result<()> {
        match change {
            Change::SliceOpened { id, slice, share, reading } => {
                self.next_slice = self.next_slice.max(id + 1);
                self.slices.insert(id, StoredSlice { id, slice, share, reading, digests: Vec::new() });
            }
            Change::SliceAdvanced { id, reading, digests, forget_below } => {
                let slice = self.slices.get_mut(&id).ok_or_else(|| Error::new(ErrorKind::State, "no such slice"))?;
                slice.reading = reading;
                slice.digests.extend(digests);
                slice.digests.retain(|(number, _)| *number >= forget_below);
            }
            Change::SliceClosed { id } => {
                self.slices.remove(&id);
            }
            Change::Planned(Planned { axis, until }) => {
                self.planned.insert(axis, until);
            }
            Change::ResumeVersion(version) => self.resume_version = Some(version),
            Change::Ledger(rows) => {
                for row in rows {
                    self.next_page = self.next_page.max(row.page + 1);
                    self.ledger.insert(row.key.clone(), row);
                }
            }
            Change::PageAdded { id, journal, todo, .. } => {
                self.next_page = self.next_page.max(id + 1);
                let sent = milkrun_core::state::Bitmap::default();
                self.pages.insert(id, OutboxPage { id, journal, todo, sent, first_sent: None });
            }
            Change::PageProgress { id, todo, sent, first_sent } => {
                let page = self.pages.get_mut(&id).ok_or_else(|| Error::new(ErrorKind::State, "no such page"))?;
                page.todo = todo;
                page.sent = sent;
                page.first_sent = first_sent;
            }
            Change::DeadLetter(mut letter) => {
                // A later refusal of the same key takes the place and the number of the earlier one.
                let earlier = self.dead.values().find(|old| letter.key.is_some() && old.key == letter.key);
                letter.id = earlier.map_or(self.next_dead + 1, |old| old.id);
                self.next_dead = self.next_dead.max(letter.id);
                self.next_page = self.next_page.max(letter.page + 1);
                self.dead.insert(letter.id, letter);
            }
            Change::DeadLetterSettled(id) => {
                self.dead.remove(&id);
            }
            Change::SinkMark(mark) => self.sink_mark = Some(mark),
            Change::Run(mut run) => match self.run {
                Some((fence, id)) if fence == self.fence => {
                    run.id = id;
                    *self.runs.last_mut().expect("the run was added") = run;
                }
                _ => {
                    run.id = self.runs.len() as u64 + 1;
                    self.run = Some((self.fence, run.id));
                    self.runs.push(run);
                }
            },
            Change::Reset => {
                let kept = std::mem::take(self);
                *self = Self {
                    fence: kept.fence,
                    held: kept.held,
                    next_slice: kept.next_slice,
                    next_page: kept.next_page,
                    dead: kept.dead,
                    next_dead: kept.next_dead,
                    runs: kept.runs,
                    run: kept.run,
                    ..Self::default()
                };
            }
        }
        Ok(())
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn acquire(&self, flow: &str, now: Timestamp) -> Result<Lease> {
        let mut inner = self.inner();
        let next = i64::try_from(inner.flows.len()).expect("few flows") + 1;
        let id = *inner.flows.entry(flow.to_owned()).or_insert(next);
        let data = inner.state.entry(id).or_default();
        if data.held.is_some() {
            return Err(Error::new(ErrorKind::Busy, "another worker runs the flow").with("flow", flow));
        }
        data.held = Some(now);
        data.fence += 1;
        Ok(Lease { flow: id, fence: data.fence })
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        self.flow(lease, |data| {
            data.held = None;
            Ok(())
        })
    }

    async fn load(&self, lease: Lease) -> Result<FlowState> {
        self.flow(lease, |data| {
            let planned = data.planned.iter().map(|(axis, until)| Planned { axis: axis.clone(), until: *until });
            Ok(FlowState {
                planned: planned.collect(),
                slices: data.slices.values().cloned().collect(),
                sink_mark: data.sink_mark.clone(),
                resume_version: data.resume_version.clone(),
                journal_end: data.pages.values().map(|p| p.journal).max().unwrap_or_default(),
                next_slice: data.next_slice,
                next_page: data.next_page,
                highest_key: data.ledger.keys().rev().find(|k| matches!(k, Key::Int(_))).cloned(),
            })
        })
    }

    async fn seen(&self, flow: i64, keys: Vec<Key>) -> Result<Vec<Option<LedgerEntry>>> {
        Ok(self.read(flow, |data| keys.iter().map(|key| data.ledger.get(key).map(|r| r.entry.clone())).collect()))
    }

    async fn commit(&self, lease: Lease, changes: Vec<Change>) -> Result<()> {
        // A place to crash before the commit, and one after it.
        tokio::task::yield_now().await;
        self.inner().n_commits += 1;
        let done = self.flow(lease, |data| {
            let mut next = data.clone();
            for change in changes {
                next.apply(change)?;
            }
            *data = next;
            Ok(())
        });
        tokio::task::yield_now().await;
        done
    }

    async fn open_pages(&self, flow: i64, after: Option<u64>, limit: u32) -> Result<Vec<OutboxPage>> {
        let later = |page: &&OutboxPage| after.is_none_or(|after| page.id > after) && !page.todo.is_empty();
        Ok(self.read(flow, |data| data.pages.values().filter(later).take(limit as usize).cloned().collect()))
    }

    async fn flows(&self) -> Result<Vec<FlowSummary>> {
        let inner = self.inner();
        let summary = |(name, id): (&String, &i64)| {
            let data = &inner.state[id];
            FlowSummary {
                name: name.clone(),
                running: data.held.map(|since| Holder { who: "this process".to_owned(), since, is_own: true }),
                open_slices: data.slices.values().filter(|slice| slice.share.is_none()).count() as u64,
                backfill: OpenBackfill::of(data.slices.values().map(|slice| (&slice.slice, slice.share))),
                ledger: data.ledger.len() as u64,
                pending: data.pages.values().map(|p| p.todo.len() as u64).sum(),
                dead_letters: data.dead.len() as u64,
                planned: data.planned.clone().into_iter().collect(),
                last_run: data.runs.last().cloned(),
            }
        };
        Ok(inner.flows.iter().map(summary).collect())
    }

    async fn remote_ids(&self, flow: i64, after: Option<Key>, limit: u32) -> Result<Vec<(Key, String)>> {
        Ok(self.read(flow, |data| {
            let later = data.ledger.values().filter(|row| after.as_ref().is_none_or(|after| row.key > *after));
            let ids = later.filter_map(|row| Some((row.key.clone(), row.entry.remote_id.clone()?)));
            ids.take(limit as usize).collect()
        }))
    }

    async fn flow_id(&self, flow: &str) -> Result<Option<i64>> {
        Ok(self.inner().flows.get(flow).copied())
    }

    async fn runs(&self, flow: i64, before: Option<u64>, limit: u32) -> Result<Vec<RunRecord>> {
        Ok(self.read(flow, |data| {
            let below = data.runs.iter().rev().filter(|run| before.is_none_or(|before| run.id < before));
            below.take(limit as usize).cloned().collect()
        }))
    }

    async fn dead_letters(&self, flow: i64, after: u64, limit: u32) -> Result<Vec<DeadLetter>> {
        Ok(self.read(flow, |data| data.dead.range(after + 1..).take(limit as usize).map(|(_, l)| l.clone()).collect()))
    }

    async fn trace(&self, key: &Key) -> Result<Vec<TraceEntry>> {
        let inner = self.inner();
        let found = inner.flows.iter().filter_map(|(flow, id)| {
            let data = &inner.state[id];
            let row = data.ledger.get(key)?.clone();
            let journal = data.pages.get(&row.page).map(|p| p.journal).filter(|j| j.segment > 0);
            Some(TraceEntry { flow: flow.clone(), row, journal })
        });
        Ok(found.collect())
    }

    async fn journal_pages(&self, flow: i64, before: Option<u64>, limit: u32) -> Result<Vec<(u64, JournalRef)>> {
        Ok(self.read(flow, |data| {
            let pages = data.pages.range(..before.unwrap_or(u64::MAX)).rev().filter(|(_, p)| p.journal.segment > 0);
            pages.take(limit as usize).map(|(id, page)| (*id, page.journal)).collect()
        }))
    }
}

/// Tokens in memory, for one process and one account. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryTokens(Arc<Mutex<Renewals>>);

#[derive(Debug, Default)]
struct Renewals {
    held: Option<StoredToken>,
    fence: u64,
    renewing: bool,
}

impl MemoryTokens {
    fn inner(&self) -> MutexGuard<'_, Renewals> {
        self.0.lock().expect("no holder panics")
    }

    /// All workers are dead: renewals can be taken over.
    pub fn crash(&self) {
        self.inner().renewing = false;
    }
}

#[async_trait]
impl TokenStore for MemoryTokens {
    async fn load_token(&self, _: &str) -> Result<Option<StoredToken>> {
        Ok(self.inner().held.clone())
    }

    async fn begin_renewal(&self, _: &str, generation: u64, _: Timestamp, _: Duration) -> Result<Begin> {
        let mut inner = self.inner();
        if inner.held.as_ref().map_or(0, |held| held.generation) != generation {
            return Ok(Begin::Moved);
        }
        if std::mem::replace(&mut inner.renewing, true) {
            return Ok(Begin::Busy);
        }
        inner.fence += 1;
        Ok(Begin::Started { fence: inner.fence, unfinished: false })
    }

    async fn finish_renewal(&self, _: &str, fence: u64, token: &Token) -> Result<u64> {
        let mut inner = self.inner();
        if !inner.renewing || inner.fence != fence {
            return Err(Error::new(ErrorKind::Busy, "the lease was lost"));
        }
        inner.renewing = false;
        let generation = inner.held.as_ref().map_or(0, |held| held.generation) + 1;
        inner.held = Some(StoredToken { generation, token: token.clone() });
        Ok(generation)
    }

    async fn abandon_renewal(&self, _: &str, _: u64, _: bool) -> Result<()> {
        self.inner().renewing = false;
        Ok(())
    }
}

/// A journal in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<BTreeMap<String, Vec<JournalEntry>>>>);

#[async_trait]
impl Journal for MemoryJournal {
    async fn open(&self, flow: &str, end: JournalRef) -> Result<()> {
        let mut flows = self.0.lock().expect("no holder panics");
        let entries = flows.entry(flow.to_owned()).or_default();
        let committed = usize::try_from(end.end()).expect("few entries");
        if entries.len() < committed {
            return Err(Error::new(ErrorKind::State, "the journal is shorter than what was committed"));
        }
        entries.truncate(committed);
        Ok(())
    }

    async fn append(&self, flow: &str, new: Vec<JournalEntry>) -> Result<Vec<JournalRef>> {
        let mut flows = self.0.lock().expect("no holder panics");
        let entries = flows.entry(flow.to_owned()).or_default();
        let places = new.into_iter().map(|entry| {
            entries.push(entry);
            JournalRef { segment: 1, offset: entries.len() as u64 - 1, len: 1 }
        });
        Ok(places.collect())
    }

    async fn read(&self, flow: &str, at: JournalRef) -> Result<JournalEntry> {
        let flows = self.0.lock().expect("no holder panics");
        let entry = flows.get(flow).and_then(|entries| entries.get(usize::try_from(at.offset).ok()?));
        entry.cloned().ok_or_else(|| Error::new(ErrorKind::State, "the journal has no such entry"))
    }
}
