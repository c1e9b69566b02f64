//! Delivery to a sink that is called: each record once, in order, whatever crashes or times out.
//!
//! For one key, nothing is sent before the outcome of what was sent earlier is known. That a record is about to be
//! sent is durable before it is; what came of it is durable before the next one of its key is looked at.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use milkrun_core::state::{Change, DeadLetter, JournalEntry, Lease, LedgerEntry, LedgerRow, OutboxPage, Stage};
use milkrun_core::{Delivery, Error, ErrorKind, Idempotency, Key, Operation, Receipt, Record, Result, Sink};
use milkrun_mapping::{Outcome, Output};
use xxhash_rust::xxh3::xxh3_128;

use crate::flow::{Flow, Surroundings};
use crate::prepare::{Mark, Marker, News};
use crate::preview::{document_key, no_key};
use crate::report::Counts;

/// A page of the outbox, with its records while they are still in memory.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) page: OutboxPage,
    pub(crate) records: Option<Vec<Record>>,
}

/// Takes pages from the outbox, one after the other.
#[derive(Debug)]
pub(crate) struct Courier {
    flow: Flow,
    sink: Arc<dyn Sink>,
    around: Surroundings,
    lease: Lease,
    marker: Marker,
    queue: VecDeque<Outgoing>,
    /// Keys with a delivery whose outcome could not be found out in this run: nothing more is sent for them.
    blocked: HashSet<Key>,
    n_unresolved: u64,
    /// Dead letters by key: delivering the key settles them.
    dead: DeadByKey,
    /// For each record of the round, its documents that have no receipt yet.
    open_parcels: HashMap<usize, u32>,
    documents: Output,
}

/// One document of one record.
#[derive(Debug)]
struct Parcel {
    /// The record's page.
    page: u64,
    /// Its index there.
    index: usize,
    key: Key,
    mark: Mark,
    news: News,
    document: String,
    known: Option<LedgerEntry>,
    /// It was sent before, and no receipt came.
    doubtful: bool,
}

/// How long to wait before a delivery whose outcome is unknown is looked at again: 5 s, then twice as long each time.
const FIRST_WAIT: Duration = Duration::from_secs(5);

impl Courier {
    /// A courier for what earlier runs left in the outbox and what this one adds.
    pub(crate) async fn new(flow: &Flow, sink: &Arc<dyn Sink>, around: &Surroundings, lease: Lease) -> Result<Self> {
        let mut queue = VecDeque::new();
        let mut after = None;
        loop {
            let pages = around.store.open_pages(lease.flow, after, 256).await?;
            let Some(last) = pages.last() else { break };
            after = Some(last.id);
            queue.extend(pages.into_iter().map(|page| Outgoing { page, records: None }));
        }
        let dead = dead_by_key(around, lease).await?;
        Ok(Self {
            flow: flow.clone(),
            sink: Arc::clone(sink),
            around: around.clone(),
            lease,
            marker: Marker::new(&flow.stream)?,
            queue,
            blocked: HashSet::new(),
            n_unresolved: 0,
            dead,
            open_parcels: HashMap::new(),
            documents: Output::new(),
        })
    }

    pub(crate) fn enqueue(&mut self, pages: Vec<Outgoing>) {
        self.queue.extend(pages);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn n_waiting(&self) -> usize {
        self.queue.len()
    }

    /// Records that stay in the outbox for the next run.
    pub(crate) fn n_unresolved(&self) -> u64 {
        self.n_unresolved
    }

    /// Delivers the oldest page; what can't be settled now stays in the outbox.
    ///
    /// # Errors
    /// What keeps the sink from taking anything; what was committed stays.
    pub(crate) async fn deliver_next(&mut self) -> Result<Counts> {
        let Some(mut outgoing) = self.queue.pop_front() else { return Ok(Counts::default()) };
        let records = match outgoing.records.take() {
            Some(records) => records,
            None => self.load(&outgoing.page).await?,
        };
        let mut counts = Counts::default();
        let mut page = outgoing.page;
        let mut passed = HashSet::new();
        // A key that comes twice in a page goes in two rounds, so that its versions cannot overtake each other.
        while let Some(round) = self.next_round(&page, &records, &mut passed) {
            self.deliver_round(&mut page, &records, round, &mut counts).await?;
        }
        self.n_unresolved += page.todo.len() as u64;
        Ok(counts)
    }

    async fn load(&self, page: &OutboxPage) -> Result<Vec<Record>> {
        let JournalEntry { body, records } = self.around.journal.read(&self.flow.name, page.journal).await?;
        let slice = |&(start, len): &(u32, u32)| body.get(start as usize..start as usize + len as usize);
        let texts = records.iter().map(|place| {
            slice(place).ok_or_else(|| Error::new(ErrorKind::State, "the journal's places do not fit its page"))
        });
        texts.map(|text| Record::parse(text?)).collect()
    }

    /// The records to deliver now: each key once, none that is blocked; `None` when the page is through.
    fn next_round(
        &self,
        page: &OutboxPage,
        records: &[Record],
        passed: &mut HashSet<usize>,
    ) -> Option<Vec<(usize, Mark)>> {
        let mut keys = HashSet::new();
        let mut round = Vec::new();
        for index in page.todo.iter().filter(|i| !passed.contains(i)).collect::<Vec<_>>() {
            let mark = self.marker.mark(&records[index]);
            if let Some(key) = &mark.key {
                if self.blocked.contains(key) {
                    passed.insert(index);
                    continue;
                }
                if !keys.insert(key.clone()) {
                    continue;
                }
            }
            passed.insert(index);
            round.push((index, mark));
        }
        (!round.is_empty()).then_some(round)
    }

    async fn deliver_round(
        &mut self,
        page: &mut OutboxPage,
        records: &[Record],
        round: Vec<(usize, Mark)>,
        counts: &mut Counts,
    ) -> Result<()> {
        let mut changes = Vec::new();
        let mut parcels = self.pack(page, records, round, counts, &mut changes).await?;
        // A doubtful parcel that may not simply be sent again is asked about first.
        let may_repeat = self.may_repeat(page);
        let (ask, sure): (Vec<_>, Vec<_>) = parcels.into_iter().partition(|parcel| {
            let is_new = parcel.known.is_none();
            if parcel.doubtful { !may_repeat } else { is_new && self.asks_first() }
        });
        parcels = sure;
        for parcel in ask {
            self.ask_about(page, records, parcel, counts, &mut changes, &mut parcels).await?;
        }
        self.commit(page, changes).await?;
        let per_call = self.flow.options.batch.min(self.flow.target.batch).max(1) as usize;
        let at_once = self.flow.options.sink_concurrency.max(1);
        // Where a repetition could double, only what is really sent next is marked as sent.
        let wave = if self.flow.target.idempotency.may_repeat() { parcels.len().max(1) } else { per_call * at_once };
        let mut parcels = VecDeque::from(parcels);
        while !parcels.is_empty() {
            let now: Vec<Parcel> = parcels.drain(..wave.min(parcels.len())).collect();
            for parcel in &now {
                page.sent.set(parcel.index);
                page.first_sent.get_or_insert(self.around.clock.now());
            }
            self.commit(page, Vec::new()).await?;
            self.send(page, records, now, per_call, at_once, counts).await?;
        }
        Ok(())
    }

    /// Compares with the ledger and maps; what needs no delivery is settled in `changes`.
    async fn pack(
        &mut self,
        page: &mut OutboxPage,
        records: &[Record],
        round: Vec<(usize, Mark)>,
        counts: &mut Counts,
        changes: &mut Vec<Change>,
    ) -> Result<Vec<Parcel>> {
        let explodes = self.flow.mapping.explodes();
        let mut candidates = Vec::new();
        for (index, mark) in round {
            let Some(key) = mark.key.clone() else {
                let reason = no_key(&self.flow);
                self.bury(page, index, &mark, Stage::Key, reason, &records[index], counts, changes);
                continue;
            };
            if let Some((_, Stage::Unknown)) = self.dead.get(&key) {
                self.bury_unknown(page, index, &mark, &records[index], counts, changes);
                continue;
            }
            let documents = if explodes { self.map(page, index, &mark, records, counts, changes) } else { None };
            match documents {
                Some(documents) => {
                    for (n, document) in documents.into_iter().enumerate() {
                        let key = document_key(&key, n);
                        candidates.push((index, mark.clone(), key, Some(document)));
                    }
                }
                None if explodes => {}
                None => candidates.push((index, mark, key, None)),
            }
        }
        let keys = candidates.iter().map(|(_, _, key, _)| key.clone()).collect();
        let known = self.around.store.seen(self.lease.flow, keys).await?;
        let mut parcels: Vec<Parcel> = Vec::new();
        let mut idle = BTreeMap::new();
        for ((index, mark, key, document), known) in candidates.into_iter().zip(known) {
            let news = self.flow.news(&mark, known.as_ref());
            if matches!(news, News::Unchanged | News::Older) {
                idle.entry(index).or_insert(news);
                continue;
            }
            let document = match document {
                Some(document) => document,
                None => match self.map(page, index, &mark, records, counts, changes) {
                    Some(mut documents) => documents.remove(0),
                    None => continue,
                },
            };
            let doubtful = page.sent.has(index);
            parcels.push(Parcel { page: page.id, index, key, mark, news, document, known, doubtful });
        }
        // A record of several documents is done when all of them are.
        self.open_parcels.clear();
        for parcel in &parcels {
            *self.open_parcels.entry(parcel.index).or_default() += 1;
            idle.remove(&parcel.index);
        }
        for (index, news) in idle {
            page.todo.clear(index);
            *if news == News::Older { &mut counts.older } else { &mut counts.unchanged } += 1;
        }
        Ok(parcels)
    }

    /// The documents of a record, or `None` if it has become a dead letter or is filtered out.
    fn map(
        &mut self,
        page: &mut OutboxPage,
        index: usize,
        mark: &Mark,
        records: &[Record],
        counts: &mut Counts,
        changes: &mut Vec<Change>,
    ) -> Option<Vec<String>> {
        self.documents.clear();
        match self.flow.mapping.apply(&records[index], &mut self.documents) {
            Err(error) => {
                let reason = error.to_string();
                self.bury(page, index, mark, Stage::Mapping, reason, &records[index], counts, changes);
                None
            }
            Ok(Outcome::Filtered | Outcome::Mapped { n: 0 }) => {
                page.todo.clear(index);
                counts.filtered += 1;
                None
            }
            Ok(Outcome::Mapped { .. }) => Some(self.documents.iter().map(str::to_owned).collect()),
        }
    }

    /// Finds out what became of a parcel that may not be sent twice.
    async fn ask_about(
        &mut self,
        page: &mut OutboxPage,
        records: &[Record],
        parcel: Parcel,
        counts: &mut Counts,
        changes: &mut Vec<Change>,
        parcels: &mut Vec<Parcel>,
    ) -> Result<()> {
        if !self.flow.target.idempotency.can_be_asked() {
            self.bury_unknown(page, parcel.index, &parcel.mark, &records[parcel.index], counts, changes);
            return Ok(());
        }
        let delivery = self.delivery(&parcel, 1);
        match self.sink.look_up(&self.flow.sink_cx, &delivery).await {
            Ok(Some(Receipt::Exists { remote_id })) => parcels.push(self.existing(page, parcel, remote_id, changes)),
            Ok(Some(receipt)) => {
                self.settle(page, records, &parcel, receipt, counts, changes);
            }
            Ok(None) => parcels.push(parcel),
            Err(error) => {
                tracing::warn!(flow = self.flow.name, key = %parcel.key, %error, "an outcome is still unknown");
                self.blocked.insert(parcel.key);
            }
        }
        Ok(())
    }

    /// Sends parcels in calls side by side, and commits each receipt as it comes.
    async fn send(
        &mut self,
        page: &mut OutboxPage,
        records: &[Record],
        parcels: Vec<Parcel>,
        per_call: usize,
        at_once: usize,
        counts: &mut Counts,
    ) -> Result<()> {
        let mut left = parcels;
        for attempt in 0..self.flow.options.delivery_attempts.max(1) {
            if attempt > 0 {
                self.around.clock.sleep(FIRST_WAIT * 2u32.pow(attempt.min(6) - 1)).await;
                if !self.flow.target.idempotency.may_repeat() {
                    let mut changes = Vec::new();
                    let mut sure = Vec::new();
                    for parcel in left {
                        self.ask_about(page, records, parcel, counts, &mut changes, &mut sure).await?;
                    }
                    left = sure;
                    self.commit(page, changes).await?;
                }
            }
            let batches: Vec<Vec<Delivery>> =
                left.chunks(per_call).map(|c| c.iter().map(|p| self.delivery(p, attempt)).collect()).collect();
            let mut batches_of_parcels: VecDeque<Vec<Parcel>> = VecDeque::new();
            let mut rest = left.into_iter();
            for batch in &batches {
                batches_of_parcels.push_back(rest.by_ref().take(batch.len()).collect());
            }
            left = Vec::new();
            let (sink, cx) = (Arc::clone(&self.sink), self.flow.sink_cx.clone());
            let calls = batches.into_iter().map(|batch| {
                let (sink, cx) = (Arc::clone(&sink), cx.clone());
                async move { (sink.deliver(&cx, &batch).await, batch.len()) }
            });
            let mut receipts = stream::iter(calls).buffered(at_once);
            let mut failure = None;
            while let Some((receipts, n)) = receipts.next().await {
                let parcels = batches_of_parcels.pop_front().expect("one answer for each call");
                let receipts = match receipts {
                    Ok(receipts) if receipts.len() == n => receipts,
                    Ok(receipts) => {
                        let message = format!("receipts and deliveries differ in number: {} and {n}", receipts.len());
                        vec![Receipt::Unknown { reason: message }; n]
                    }
                    Err(error) => {
                        failure.get_or_insert(error);
                        continue;
                    }
                };
                let mut changes = Vec::new();
                for (parcel, receipt) in parcels.into_iter().zip(receipts) {
                    if let Some(parcel) = self.settled(page, records, parcel, receipt, counts, &mut changes) {
                        left.push(parcel);
                    }
                }
                self.commit(page, changes).await?;
            }
            drop(receipts);
            if let Some(error) = failure {
                return Err(error.with("target", &self.flow.target.name));
            }
            if left.is_empty() {
                return Ok(());
            }
        }
        for parcel in left {
            self.blocked.insert(record_key(&parcel));
        }
        Ok(())
    }

    /// Settles a parcel by its receipt; gives it back if the outcome is still unknown.
    fn settled(
        &mut self,
        page: &mut OutboxPage,
        records: &[Record],
        mut parcel: Parcel,
        receipt: Receipt,
        counts: &mut Counts,
        changes: &mut Vec<Change>,
    ) -> Option<Parcel> {
        if let Receipt::Unknown { reason } = &receipt {
            tracing::warn!(flow = self.flow.name, key = %parcel.key, reason, "the outcome of a delivery is unknown");
            parcel.doubtful = true;
            return Some(parcel);
        }
        if let Receipt::Exists { remote_id } = receipt {
            return Some(self.existing(page, parcel, remote_id, changes));
        }
        self.settle(page, records, &parcel, receipt, counts, changes);
        None
    }

    /// The parcel as an update of a document that the target has from somebody else, such as the same flow under
    /// another name: its id is kept, its version is not known.
    fn existing(&self, page: &OutboxPage, mut parcel: Parcel, remote_id: String, changes: &mut Vec<Change>) -> Parcel {
        let entry = LedgerEntry { fingerprint: 0, version: None, remote_id: Some(remote_id) };
        changes.push(Change::Ledger(vec![self.ledger_row(page, &parcel, entry.clone())]));
        parcel.known = Some(entry);
        parcel
    }

    fn ledger_row(&self, page: &OutboxPage, parcel: &Parcel, entry: LedgerEntry) -> LedgerRow {
        LedgerRow {
            key: parcel.key.clone(),
            entry,
            page: page.id,
            index: u32::try_from(parcel.index).expect("a page has fewer than 2^32 records"),
            idempotency_key: Some(self.idempotency_key(parcel)),
            at: self.around.clock.now(),
        }
    }

    fn settle(
        &mut self,
        page: &mut OutboxPage,
        records: &[Record],
        parcel: &Parcel,
        receipt: Receipt,
        counts: &mut Counts,
        changes: &mut Vec<Change>,
    ) {
        match receipt {
            Receipt::Done { remote_id } | Receipt::Same { remote_id } => {
                counts.documents += 1;
                let left = self.open_parcels.entry(parcel.index).or_default();
                *left = left.saturating_sub(1);
                if *left == 0 && page.todo.has(parcel.index) {
                    page.todo.clear(parcel.index);
                    *if parcel.news == News::New { &mut counts.new } else { &mut counts.changed } += 1;
                    let settled = self.dead.remove(&record_key(parcel));
                    changes.extend(settled.map(|(id, _)| Change::DeadLetterSettled(id)));
                }
                let remote_id = remote_id.or_else(|| parcel.known.as_ref().and_then(|k| k.remote_id.clone()));
                changes.push(Change::Ledger(vec![self.ledger_row(page, parcel, parcel.mark.entry(remote_id))]));
            }
            Receipt::Refused { reason } => {
                self.bury(
                    page,
                    parcel.index,
                    &parcel.mark,
                    Stage::Target,
                    reason,
                    &records[parcel.index],
                    counts,
                    changes,
                );
            }
            Receipt::Unknown { .. } | Receipt::Exists { .. } => {
                self.blocked.insert(record_key(parcel));
            }
        }
    }

    /// Whether it arrived is not known and cannot be found out: only a person may have it sent again.
    fn bury_unknown(
        &mut self,
        page: &mut OutboxPage,
        index: usize,
        mark: &Mark,
        record: &Record,
        counts: &mut Counts,
        changes: &mut Vec<Change>,
    ) {
        let reason = "it may or may not have arrived, and the target can neither be asked nor told twice: look there, \
                      and replay it if it is missing";
        // A later page of this run may bring the record again; its letter has no number before the commit.
        if let Some(key) = &mark.key {
            self.dead.entry(key.clone()).or_insert((0, Stage::Unknown)).1 = Stage::Unknown;
        }
        self.bury(page, index, mark, Stage::Unknown, reason.to_owned(), record, counts, changes);
    }

    /// Dead letters that are being replayed: their keys may be sent again.
    pub(crate) fn forget_dead(&mut self, key: &Key) {
        self.dead.remove(key);
    }

    #[expect(clippy::too_many_arguments, reason = "all of it goes into one dead letter")]
    fn bury(
        &mut self,
        page: &mut OutboxPage,
        index: usize,
        mark: &Mark,
        stage: Stage,
        reason: String,
        record: &Record,
        counts: &mut Counts,
        changes: &mut Vec<Change>,
    ) {
        page.todo.clear(index);
        counts.refused += 1;
        changes.push(Change::DeadLetter(DeadLetter {
            id: 0,
            key: mark.key.clone(),
            stage,
            reason,
            page: page.id,
            version: mark.version,
            at: self.around.clock.now(),
            record: record.text().to_owned(),
        }));
    }

    fn delivery(&self, parcel: &Parcel, attempts: u32) -> Delivery {
        let remote_id = parcel.known.as_ref().and_then(|known| known.remote_id.clone());
        let operation = match remote_id {
            Some(remote_id) => Operation::Update { remote_id },
            None => Operation::Insert,
        };
        Delivery {
            target: self.flow.target.name.clone(),
            key: parcel.key.clone(),
            operation,
            idempotency_key: self.idempotency_key(parcel),
            document: parcel.document.clone(),
            attempts: attempts.max(u32::from(parcel.doubtful)),
        }
    }

    fn idempotency_key(&self, parcel: &Parcel) -> String {
        let remote_id = parcel.known.as_ref().and_then(|known| known.remote_id.as_deref());
        let flow = &self.flow.name;
        let (page, index, fingerprint) = (parcel.page, parcel.index, parcel.mark.fingerprint);
        let version = |id: &str| format!("{id} {fingerprint:032x} {page} {index} {flow}");
        idempotency_key(&self.flow, &parcel.key, remote_id.map(version))
    }

    /// Whether documents that this flow has never sent are asked about before they are sent.
    fn asks_first(&self) -> bool {
        let forgets =
            matches!(self.flow.target.idempotency, Idempotency::Key { remembered_for: Some(_), look_up: true, .. });
        self.flow.options.ask_first && forgets
    }

    /// Whether what was sent earlier of this page may simply be sent again.
    fn may_repeat(&self, page: &OutboxPage) -> bool {
        let age = page.first_sent.map(|at| self.around.clock.now().duration_since(at).try_into().unwrap_or_default());
        self.flow.target.idempotency.may_repeat_after(age.unwrap_or_default())
    }

    async fn commit(&mut self, page: &OutboxPage, mut changes: Vec<Change>) -> Result<()> {
        let (todo, sent) = (page.todo.clone(), page.sent.clone());
        changes.push(Change::PageProgress { id: page.id, todo, sent, first_sent: page.first_sent });
        self.around.store.commit(self.lease, changes).await
    }
}

/// The key that goes with one operation: the same on every attempt.
///
/// An insert has one key for good, whatever the flow is called, so that a document which the target has from an earlier
/// life is found again instead of doubled. Each update has a key of its own, because a target that remembers keys would answer a changed document
/// with its old result: over the target's id, the record's fingerprint, and the flow's page that it came with, for a
/// record may also change back, and two flows may write one document. It names the id, so that nothing is doubled.
///
/// It is the source's key where the flow says that it is unique and the target takes it, else 32 hexadecimal digits
/// over system, account, stream, target, key and operation.
fn idempotency_key(flow: &Flow, key: &Key, update: Option<String>) -> String {
    let key = key.to_string();
    let operation = match update {
        None if flow.options.keys.plain && fits(&flow.target.idempotency, &key) => return key,
        None => "insert".to_owned(),
        Some(version) => format!("update {version}"),
    };
    let (account, target) = (flow.source_cx.account(), &flow.target.name);
    let parts = [&flow.options.keys.system, account, &flow.stream.name, target, &key, &operation];
    // With their lengths, so that no two rows of parts make one text.
    let text = parts.map(|part| format!("{}:{part}", part.len())).join("\n");
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

/// Whether the target takes this key as it is: short enough, and without blanks that it might trim.
fn fits(idempotency: &Idempotency, key: &str) -> bool {
    let most = if let Idempotency::Key { max_len, .. } = idempotency { *max_len } else { 32 };
    key.len() <= most as usize && key.bytes().all(|b| b.is_ascii_graphic())
}

/// The key of the record that the parcel is a part of.
fn record_key(parcel: &Parcel) -> Key {
    parcel.mark.key.clone().unwrap_or_else(|| parcel.key.clone())
}

/// A flow's dead letters, by key: their numbers, and who refused them.
pub(crate) type DeadByKey = BTreeMap<Key, (u64, Stage)>;

/// The dead letters of a flow that have a key.
pub(crate) async fn dead_by_key(around: &Surroundings, lease: Lease) -> Result<DeadByKey> {
    let mut dead = BTreeMap::new();
    let mut after = 0;
    loop {
        let letters = around.store.dead_letters(lease.flow, after, 1000).await?;
        let Some(last) = letters.last() else { return Ok(dead) };
        after = last.id;
        dead.extend(letters.into_iter().filter_map(|letter| Some((letter.key?, (letter.id, letter.stage)))));
    }
}
