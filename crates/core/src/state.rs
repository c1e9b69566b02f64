//! What survives a crash: checkpoints, ledger, outbox, dead letters and run history, behind narrow traits that a
//! further backend implements as a further crate.
//!
//! Everything is written by one atomic [`StateStore::commit`] of [`Change`]s under a lease, so that the cursor and the
//! records it covers move together and a worker that has lost its lease writes nothing.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::record::Key;
use crate::stream::Slice;

/// The right to run one flow. Every commit carries it; a newer lease makes it void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The store's number for the flow.
    pub flow: i64,
    /// Grows with every lease of the flow.
    pub fence: u64,
}

/// What is stored of a flow when a run begins.
#[derive(Clone, Debug, Default)]
pub struct FlowState {
    /// For each axis, up to where slices have been planned.
    pub planned: Vec<Planned>,
    /// The slices that are not proved yet, oldest first.
    pub slices: Vec<StoredSlice>,
    /// The mark that the appending sink committed last.
    pub sink_mark: Option<String>,
    /// The row version that the next run starts at.
    pub resume_version: Option<String>,
    /// Where the committed part of the journal ends.
    pub journal_end: JournalRef,
    /// The next free number for a slice.
    pub next_slice: u64,
    /// The next free number for a page.
    pub next_page: u64,
    /// The highest key in the ledger, if it is a number: a greater one is certainly new.
    pub highest_key: Option<Key>,
}

/// Up to where slices have been planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The axis; empty for the stream's usual one.
    pub axis: String,
    /// The first instant that is not planned yet.
    pub until: Timestamp,
}

/// A slice that is not proved yet, and how far its reading has come.
#[derive(Clone, Debug)]
pub struct StoredSlice {
    /// Its number within the flow.
    pub id: u64,
    /// What it covers.
    pub slice: Slice,
    /// For a slice of a backfill, the percentage of every limit that its reading may use.
    pub share: Option<u8>,
    /// The state of the reading, as the engine wrote it.
    pub reading: String,
    /// The digests of the pages read so far: `(reading, digests)`, in the order they were committed.
    pub digests: Vec<(u32, Vec<u64>)>,
}

/// What the ledger knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The fingerprint of the record that was delivered.
    pub fingerprint: u128,
    /// Its version, where the stream has one.
    pub version: Option<i64>,
    /// The target's id.
    pub remote_id: Option<String>,
}

/// One row of the ledger: the last version of a record that was delivered.
#[derive(Clone, Debug)]
pub struct LedgerRow {
    /// The record's key.
    pub key: Key,
    /// What it was like.
    pub entry: LedgerEntry,
    /// The page that it was on.
    pub page: u64,
    /// Its index in that page.
    pub index: u32,
    /// The key it was sent with, where the target takes one.
    pub idempotency_key: Option<String>,
    /// When it was delivered.
    pub at: Timestamp,
}

/// Where a page lies in the journal. The default is the journal's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct JournalRef {
    /// The segment's number, from 1; 0 before there is one.
    pub segment: u32,
    /// The first byte.
    pub offset: u64,
    /// The number of bytes.
    pub len: u32,
}

impl JournalRef {
    /// The first byte after the entry.
    pub fn end(self) -> u64 {
        self.offset + u64::from(self.len)
    }
}

/// A page of the outbox: which of its records still have to be delivered.
#[derive(Clone, Debug)]
pub struct OutboxPage {
    /// Its number within the flow.
    pub id: u64,
    /// Where its records are.
    pub journal: JournalRef,
    /// Records that have to be delivered.
    pub todo: Bitmap,
    /// Records that were sent at least once: without a receipt their outcome is unknown.
    pub sent: Bitmap,
    /// When the first of them was sent.
    pub first_sent: Option<Timestamp>,
}

/// A set of record indexes of one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap(Vec<u8>);

impl Bitmap {
    /// The indexes below `n`.
    pub fn all(n: usize) -> Self {
        let mut bitmap = Self::default();
        (0..n).for_each(|i| bitmap.set(i));
        bitmap
    }

    /// From its bytes, lowest index in the lowest bit of the first byte.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the set has `index`.
    pub fn has(&self, index: usize) -> bool {
        self.0.get(index / 8).is_some_and(|b| b & (1 << (index % 8)) != 0)
    }

    /// Adds `index`.
    pub fn set(&mut self, index: usize) {
        if self.0.len() <= index / 8 {
            self.0.resize(index / 8 + 1, 0);
        }
        self.0[index / 8] |= 1 << (index % 8);
    }

    /// Takes `index` out.
    pub fn clear(&mut self, index: usize) {
        if let Some(byte) = self.0.get_mut(index / 8) {
            *byte &= !(1 << (index % 8));
        }
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&b| b == 0)
    }

    /// How many indexes the set has.
    pub fn len(&self) -> usize {
        self.0.iter().map(|b| b.count_ones() as usize).sum()
    }

    /// The indexes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len() * 8).filter(|&i| self.has(i))
    }
}

/// A record that was refused for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its number within the flow; the store gives it.
    pub id: u64,
    /// The record's key, if it has one.
    pub key: Option<Key>,
    /// Who refused it.
    pub stage: Stage,
    /// Why, with the field and the value where they are known.
    pub reason: String,
    /// The page it was on.
    pub page: u64,
    /// The record's version, where the stream has one.
    pub version: Option<i64>,
    /// When it was refused.
    pub at: Timestamp,
    /// The record as the vendor sent it.
    pub record: String,
}

/// Who refused a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It has no usable key.
    Key,
    /// The mapping.
    Mapping,
    /// The target.
    Target,
    /// Nobody: whether it arrived is not known, and the target cannot be asked.
    Unknown,
}

impl Stage {
    /// The stage as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Mapping => "mapping",
            Self::Target => "target",
            Self::Unknown => "unknown",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every slice is proved complete and every record is delivered.
    Reconciled,
    /// Some slice could not be proved complete; it stays open.
    Unreconciled,
    /// Every slice is proved complete, but some record is not delivered; or it was stopped before its end.
    Partial,
    /// An error ended the run early; what was committed stays.
    Failed,
}

impl Verdict {
    /// The verdict as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reconciled => "reconciled",
            Self::Unreconciled => "unreconciled",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One run in the history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its number within the flow; 0 until the store has given one.
    pub id: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it runs or if it was killed.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub verdict: Option<Verdict>,
    /// Its report, as JSON text.
    pub report: String,
}

/// One change of a flow's state.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new slice.
    SliceOpened {
        /// Its number.
        id: u64,
        /// What it covers.
        slice: Slice,
        /// For a slice of a backfill, the percentage of every limit that its reading may use.
        share: Option<u8>,
        /// The state of its reading.
        reading: String,
    },
    /// A page of a slice was read.
    SliceAdvanced {
        /// The slice.
        id: u64,
        /// The new state of its reading.
        reading: String,
        /// The reading that the page belongs to, and the digests of its keys.
        digests: Option<(u32, Vec<u64>)>,
        /// Digests of readings below this one are not needed any more.
        forget_below: u32,
    },
    /// A slice is proved, or has been replaced by its parts.
    SliceClosed {
        /// The slice.
        id: u64,
    },
    /// Slices have been planned up to here.
    Planned(Planned),
    /// The row version that the next run starts at.
    ResumeVersion(String),
    /// Records that were delivered.
    Ledger(Vec<LedgerRow>),
    /// A page, with what of it has to be delivered.
    PageAdded {
        /// Its number.
        id: u64,
        /// Where it lies in the journal.
        journal: JournalRef,
        /// How many records it has.
        n_records: u32,
        /// Records that have to be delivered.
        todo: Bitmap,
    },
    /// Records of a page were sent or delivered; a page with nothing to do is done.
    PageProgress {
        /// The page.
        id: u64,
        /// Records that have to be delivered.
        todo: Bitmap,
        /// Records that were sent at least once.
        sent: Bitmap,
        /// When the first of them was sent.
        first_sent: Option<Timestamp>,
    },
    /// A record was refused for good. A later refusal of the same key takes the place of an earlier one.
    DeadLetter(DeadLetter),
    /// A dead letter was delivered, replaced or dropped.
    DeadLetterSettled(u64),
    /// The appending sink is durable up to this mark.
    SinkMark(String),
    /// A run began, or ended.
    Run(RunRecord),
    /// Everything is forgotten but the run history and the dead letters: `--restart`.
    Reset,
}

/// Who has the right to run a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Who that is, in words, such as `process 12 on host`.
    pub who: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether it is whoever asks.
    #[serde(skip)]
    pub is_own: bool,
}

impl Holder {
    /// Whether a run is under way because of this right: it has no end, and began under it. One that began before was
    /// cut off together with whoever had the right then.
    pub fn is_at(&self, started: Timestamp, ended: Option<Timestamp>) -> bool {
        ended.is_none() && started >= self.since
    }
}

/// A flow as listed.
#[derive(Clone, Debug, Serialize)]
pub struct FlowSummary {
    /// Its name.
    pub name: String,
    /// Who has the right to run it now, and lives.
    pub running: Option<Holder>,
    /// Slices that are not proved, without those of backfills.
    pub open_slices: u64,
    /// What is left of backfills, if there is anything.
    pub backfill: Option<OpenBackfill>,
    /// Records in the ledger.
    pub ledger: u64,
    /// Records in the outbox.
    pub pending: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// For each axis, up to where slices have been planned.
    pub planned: Vec<(String, Timestamp)>,
    /// The last run.
    pub last_run: Option<RunRecord>,
}

impl FlowSummary {
    /// Who is at the last run, if it is under way. A last run that nobody is at and that has no end was cut off.
    pub fn under_way(&self) -> Option<&Holder> {
        let run = self.last_run.as_ref()?;
        self.running.as_ref().filter(|holder| holder.is_at(run.started, run.ended))
    }
}

/// The slices of backfills that are not proved yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBackfill {
    /// Where the first of them begins.
    pub from: Timestamp,
    /// Where the last of them ends.
    pub until: Timestamp,
    /// How many they are.
    pub slices: u64,
}

impl OpenBackfill {
    /// What is left, from the slices of a flow and their shares.
    pub fn of<'a>(slices: impl Iterator<Item = (&'a Slice, Option<u8>)>) -> Option<Self> {
        let windows = slices.filter(|(_, share)| share.is_some()).filter_map(|(slice, _)| slice.window);
        windows.fold(None, |left: Option<Self>, window| {
            let Self { from, until, slices } =
                left.unwrap_or(Self { from: window.from, until: window.until, slices: 0 });
            Some(Self { from: from.min(window.from), until: until.max(window.until), slices: slices + 1 })
        })
    }
}

/// What is known of one key of a flow.
#[derive(Clone, Debug)]
pub struct TraceEntry {
    /// The flow.
    pub flow: String,
    /// The ledger's row.
    pub row: LedgerRow,
    /// Where its page lies in the journal, if it is kept.
    pub journal: Option<JournalRef>,
}

/// Where the state of flows is kept.
#[async_trait]
pub trait StateStore: fmt::Debug + Send + Sync {
    /// Takes the right to run `flow`, which is created if it is new.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) if a living worker has it.
    async fn acquire(&self, flow: &str, now: Timestamp) -> Result<Lease>;

    /// Gives the right back.
    async fn release(&self, lease: Lease) -> Result<()>;

    /// What is stored of the flow.
    async fn load(&self, lease: Lease) -> Result<FlowState>;

    /// What the ledger knows of each key, in the same order.
    async fn seen(&self, flow: i64, keys: Vec<Key>) -> Result<Vec<Option<LedgerEntry>>>;

    /// Makes all changes, or none of them. When it returns, they are durable.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) if the lease is void.
    async fn commit(&self, lease: Lease, changes: Vec<Change>) -> Result<()>;

    /// Pages with something to deliver, oldest first, after the page `after`.
    async fn open_pages(&self, flow: i64, after: Option<u64>, limit: u32) -> Result<Vec<OutboxPage>>;

    /// The ids that the target gave to records, by key, ascending after `after`.
    async fn remote_ids(&self, flow: i64, after: Option<Key>, limit: u32) -> Result<Vec<(Key, String)>>;

    /// All flows, by name.
    async fn flows(&self) -> Result<Vec<FlowSummary>>;

    /// The store's number for a flow, if it is known.
    async fn flow_id(&self, flow: &str) -> Result<Option<i64>>;

    /// The runs of a flow, newest first, below the number `before`.
    async fn runs(&self, flow: i64, before: Option<u64>, limit: u32) -> Result<Vec<RunRecord>>;

    /// The dead letters of a flow, oldest first, after the one with the number `after`.
    async fn dead_letters(&self, flow: i64, after: u64, limit: u32) -> Result<Vec<DeadLetter>>;

    /// What is known of a key, in all flows.
    async fn trace(&self, key: &Key) -> Result<Vec<TraceEntry>>;

    /// The journalled pages of a flow, newest first, below the page `before`.
    async fn journal_pages(&self, flow: i64, before: Option<u64>, limit: u32) -> Result<Vec<(u64, JournalRef)>>;
}

/// The pages as they came, compressed and append-only.
#[async_trait]
pub trait Journal: fmt::Debug + Send + Sync {
    /// Cuts what lies beyond `end`, the end of the last committed entry.
    async fn open(&self, flow: &str, end: JournalRef) -> Result<()>;

    /// Appends the entries; they are durable when it returns.
    async fn append(&self, flow: &str, entries: Vec<JournalEntry>) -> Result<Vec<JournalRef>>;

    /// Reads one entry.
    async fn read(&self, flow: &str, at: JournalRef) -> Result<JournalEntry>;
}

/// One page of the journal: its text, and where its records lie in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalEntry {
    /// The page as it came.
    pub body: std::sync::Arc<String>,
    /// The records: `(first byte, number of bytes)`.
    pub records: Vec<(u32, u32)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitmaps_hold_indexes() {
        let mut bitmap = Bitmap::all(10);
        bitmap.clear(3);
        bitmap.clear(700);
        bitmap.set(40);
        assert_eq!(bitmap.len(), 10);
        assert_eq!(bitmap.iter().collect::<Vec<_>>(), [0, 1, 2, 4, 5, 6, 7, 8, 9, 40]);
        assert_eq!(Bitmap::from_bytes(bitmap.as_bytes().to_vec()), bitmap);
        assert!(Bitmap::all(0).is_empty());
    }
}
