//! Records on their way into a commit: compared with the ledger, mapped, and gathered until the commit takes them.

use std::collections::VecDeque;
use std::ops::Range;

use futures_util::future::BoxFuture;
use milkrun_core::state::{Bitmap, Change, JournalEntry, JournalRef, LedgerEntry, LedgerRow, OutboxPage, Stage};
use milkrun_core::{Appender, Page, Record, Result};
use milkrun_mapping::{Outcome, Output};

use crate::outbox::Outgoing;
use crate::prepare::News;
use crate::preview::no_key;
use crate::reading::Evidence;
use crate::report::Counts;
use crate::run::{Fresh, Run};

/// Pages in the order they came, each with its slice; dead letters have none.
pub(crate) type Arrived = VecDeque<(Option<u64>, Fresh)>;

/// Pages whose keys are being looked up in the ledger.
pub(crate) struct Checking<'a> {
    fetched: Arrived,
    known: BoxFuture<'a, Result<Vec<Option<LedgerEntry>>>>,
}

impl<'a> Checking<'a> {
    pub(crate) fn new(fetched: Arrived, known: BoxFuture<'a, Result<Vec<Option<LedgerEntry>>>>) -> Self {
        Self { fetched, known }
    }

    /// How many pages they are.
    pub(crate) fn n_pages(&self) -> usize {
        self.fetched.len()
    }
}

/// The pages and what the ledger knows of their keys, in one row; never returns while nothing is looked up.
pub(crate) async fn checked(slot: &mut Option<Checking<'_>>) -> Result<(Arrived, Vec<Option<LedgerEntry>>)> {
    let Some(checking) = slot else { return std::future::pending().await };
    let known = (&mut checking.known).await;
    let fetched = std::mem::take(&mut checking.fetched);
    *slot = None;
    Ok((fetched, known?))
}

/// What the next commit will hold.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<Change>,
    /// Slices whose next page may be fetched once this is committed.
    pub(crate) slices: Vec<u64>,
    ledger: Vec<LedgerRow>,
    /// For each row of the ledger, its documents and its record.
    written: Vec<Written>,
    records: Vec<Vec<Record>>,
    /// All documents, one after the other.
    documents: Output,
    entries: Vec<(u64, JournalEntry)>,
    outgoing: Vec<Outgoing>,
    /// What will be true once it is committed.
    pub(crate) counts: Counts,
    /// Whether the slice was one of the run's own, and what proved it.
    pub(crate) proved: Vec<(bool, Evidence)>,
    n_pages: usize,
}

/// One record and its documents, by their numbers.
#[derive(Debug)]
struct Written {
    documents: Range<usize>,
    /// Its page among the batch's, and its index there.
    record: (usize, usize),
    new: bool,
}

/// A batch that takes nothing more.
pub(crate) struct Sealed {
    pub(crate) changes: Vec<Change>,
    pub(crate) entries: Vec<(u64, JournalEntry)>,
    pub(crate) appender: Option<Box<dyn Appender>>,
    pub(crate) slices: Vec<u64>,
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) counts: Counts,
    /// Whether the slice was one of the run's own, and what proved it.
    pub(crate) proved: Vec<(bool, Evidence)>,
}

impl Batch {
    /// An empty batch whose documents go into that memory.
    pub(crate) fn writing_into(documents: Output) -> Self {
        Self { documents, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.n_pages == 0
    }

    pub(crate) fn n_pages(&self) -> usize {
        self.n_pages
    }

    /// Counts a page.
    pub(crate) fn touch(&mut self) {
        self.n_pages += 1;
    }
}

impl Run<'_> {
    /// Takes the records of a page for an appending sink: the effect goes into the same commit as the cursor.
    pub(crate) fn append(&mut self, fresh: Fresh, known: Vec<Option<LedgerEntry>>) {
        let page_id = self.next_page;
        let now = self.around.clock.now();
        let mut known = known.into_iter();
        let mut any = false;
        let n_records = self.batch.records.len();
        for (at, (record, mark)) in fresh.page.records.iter().zip(&fresh.marks).enumerate() {
            let Some(key) = &mark.key else {
                if !self.refused_keyless.insert(mark.fingerprint) {
                    self.batch.counts.unchanged += 1;
                    continue;
                }
                let reason = no_key(self.flow);
                let letter = self.dead_letter(mark, Stage::Key, reason, page_id, record.text());
                self.batch.changes.push(letter);
                self.batch.counts.refused += 1;
                any = true;
                continue;
            };
            let stored = known.next().expect("one answer for each key");
            let known = self.recent.get(key).map(|(_, entry)| entry).or(stored.as_ref());
            let news = self.flow.news(mark, known);
            match news {
                News::Unchanged => self.batch.counts.unchanged += 1,
                News::Older => self.batch.counts.older += 1,
                // It was read twice, and refused the first time.
                _ if self.refused.get(key) == Some(&mark.fingerprint) => self.batch.counts.unchanged += 1,
                News::New | News::Changed => match self.flow.mapping.apply(record, &mut self.batch.documents) {
                    Err(error) => {
                        self.refused.insert(key.clone(), mark.fingerprint);
                        let reason = error.to_string();
                        let letter = self.dead_letter(mark, Stage::Mapping, reason, page_id, record.text());
                        self.batch.changes.push(letter);
                        self.batch.counts.refused += 1;
                        any = true;
                    }
                    Ok(Outcome::Filtered | Outcome::Mapped { n: 0 }) => self.batch.counts.filtered += 1,
                    Ok(Outcome::Mapped { n }) => {
                        if !self.refused.is_empty() {
                            self.refused.remove(key);
                        }
                        let end = self.batch.documents.len();
                        let entry = mark.entry(None);
                        self.recent.insert(key.clone(), (self.batch_number, entry.clone()));
                        let index = u32::try_from(at).expect("a page has fewer than 2^32 records");
                        let row =
                            LedgerRow { key: key.clone(), entry, page: page_id, index, idempotency_key: None, at: now };
                        self.batch.ledger.push(row);
                        let new = news == News::New;
                        self.batch.written.push(Written { documents: end - n..end, record: (n_records, at), new });
                        any = true;
                    }
                },
            }
        }
        if any {
            self.next_page += 1;
            if self.flow.options.journal {
                self.add_page(page_id, &fresh.page, Bitmap::default());
            }
            self.batch.records.push(fresh.page.records);
        }
    }

    /// Takes the records of a page for a sink that is called: they go into the journal and the outbox.
    pub(crate) fn enqueue(&mut self, fresh: Fresh) {
        let n_records = fresh.page.records.len();
        if n_records == 0 {
            return;
        }
        let id = self.next_page;
        self.next_page += 1;
        let todo = Bitmap::all(n_records);
        self.add_page(id, &fresh.page, todo.clone());
        let page = OutboxPage { id, journal: JournalRef::default(), todo, sent: Bitmap::default(), first_sent: None };
        self.batch.outgoing.push(Outgoing { page, records: Some(fresh.page.records) });
    }

    fn add_page(&mut self, id: u64, page: &Page, todo: Bitmap) {
        let n_records = u32::try_from(page.records.len()).expect("a page has fewer than 2^32 records");
        self.batch.changes.push(Change::PageAdded { id, journal: JournalRef::default(), n_records, todo });
        self.batch.entries.push((id, entry(page)));
    }

    /// Hands the documents to the appender; one that it refuses becomes a dead letter instead of a ledger row.
    pub(crate) fn seal(&mut self, batch: Batch, mut appender: Option<Box<dyn Appender>>) -> Sealed {
        let Batch { mut changes, slices, ledger, written, records, mut documents, entries, outgoing, .. } = batch;
        let (mut counts, proved) = (batch.counts, batch.proved);
        let mut rows = Vec::with_capacity(ledger.len());
        let mut texts = Vec::new();
        for (row, written) in ledger.into_iter().zip(written) {
            let appender = appender.as_mut().expect("only appending sinks have ledger rows here");
            texts.clear();
            texts.extend(written.documents.clone().filter_map(|number| documents.get(number)));
            if let Err(error) = appender.push(&texts) {
                self.recent.remove(&row.key);
                self.refused.insert(row.key.clone(), row.entry.fingerprint);
                counts.refused += 1;
                changes.push(Change::DeadLetter(milkrun_core::state::DeadLetter {
                    id: 0,
                    key: Some(row.key),
                    stage: Stage::Target,
                    reason: error.to_string(),
                    page: row.page,
                    version: row.entry.version,
                    at: row.at,
                    record: records[written.record.0][written.record.1].text().to_owned(),
                }));
                continue;
            }
            *if written.new { &mut counts.new } else { &mut counts.changed } += 1;
            counts.documents += written.documents.len() as u64;
            if !self.dead.is_empty()
                && let Some((letter, _)) = self.dead.remove(&row.key)
            {
                changes.push(Change::DeadLetterSettled(letter));
            }
            rows.push(row);
        }
        if !rows.is_empty() {
            changes.push(Change::Ledger(rows));
        }
        // The next batch but one writes into the same memory.
        documents.clear();
        self.spare = documents;
        Sealed { changes, entries, appender, slices, outgoing, counts, proved }
    }
}

/// The page as the journal keeps it: its body with the places of its records, or the records alone where they were
/// put together from several answers.
pub(crate) fn entry(page: &Page) -> JournalEntry {
    let places: Option<Vec<_>> = page.records.iter().map(|record| record.place_in(&page.body)).collect();
    if let Some(records) = places {
        return JournalEntry { body: std::sync::Arc::clone(&page.body), records };
    }
    let mut body = String::new();
    let mut records = Vec::with_capacity(page.records.len());
    for record in &page.records {
        let start = u32::try_from(body.len()).expect("a page is shorter than 4 GiB");
        body.push_str(record.text());
        body.push('\n');
        records.push((start, u32::try_from(record.text().len()).expect("a page is shorter than 4 GiB")));
    }
    JournalEntry { body: std::sync::Arc::new(body), records }
}
