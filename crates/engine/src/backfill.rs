//! Reading spans of the past again, or for the first time, beside what a flow reads anyway.
//!
//! A span is cut into slices of the flow's own state, marked with the share of the quota that their reading may use.
//! Whoever runs the flow carries them: a run reads them beside its own slices and ends when those are done; a run of
//! [`Work::Backfill`](crate::Work::Backfill) reads nothing else and ends when none is left. What they bring goes through
//! the same ledger and outbox as all else, so that what the target has is not sent again.

use milkrun_core::state::{Change, FlowState, Lease};
use milkrun_core::stream::{Slice, Window};
use milkrun_core::{Context, Error, Result, Timestamp};

use crate::flow::{Flow, Surroundings};
use crate::partition;
use crate::plan::plan_backfill;
use crate::reading::Reading;

/// A span of the past to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it; none reads up to now.
    pub until: Option<Timestamp>,
    /// The percentage of every limit of the source's account that it may use, 1 to 100.
    pub share: u8,
}

/// What has been opened to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The first instant, on a step that the vendor knows.
    pub from: Timestamp,
    /// The first instant after it: no later than what can be relied on by now.
    pub until: Timestamp,
    /// The new slices. What an earlier backfill has left open within them is read as a part of them.
    pub slices: u64,
}

/// Opens a span of the past of `flow`; it is durable when this returns, and the next run reads it.
///
/// # Errors
/// - [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if the stream cannot be asked for a span of
///   time, if nothing is left of the span, or if the share is none.
/// - [`ErrorKind::Busy`](milkrun_core::ErrorKind::Busy) while the flow runs.
/// - Those of the store, and of the source where its partitions have to be asked for.
pub async fn backfill_open(flow: &Flow, around: &Surroundings, ask: &Backfill) -> Result<Opened> {
    flow.validate()?;
    if !(1..=100).contains(&ask.share) {
        let error = Error::config("a share is a percentage from 1 to 100").with("share", ask.share);
        return Err(error.advise("choose 20 to leave most of the quota to the flow's own runs"));
    }
    let now = around.clock.now();
    let whole = Window { from: ask.from, until: ask.until.unwrap_or(now) };
    // Before anything is written or asked: whether there is anything to be read at all.
    plan_backfill(&flow.stream, &flow.span, whole, None, now)?;
    let lease = around.store.acquire(&flow.name, now).await?;
    let outcome = open(flow, around, lease, ask.share, whole).await;
    around.store.release(lease).await?;
    outcome
}

async fn open(flow: &Flow, around: &Surroundings, lease: Lease, share: u8, whole: Window) -> Result<Opened> {
    let FlowState { slices: open, mut next_slice, .. } = around.store.load(lease).await?;
    let flow = &Flow { source_cx: backfill_context(&flow.source_cx, &flow.name, share), ..flow.clone() };
    let partitions = match &flow.stream.partition {
        Some(partition) => Some(partition::values(flow, partition).await?),
        None => None,
    };
    let now = around.clock.now();
    let (slices, whole) = plan_backfill(&flow.stream, &flow.span, whole, partitions.as_deref(), now)?;
    let opened = Opened { from: whole.from, until: whole.until, slices: slices.len() as u64 };
    // A reading that is under way may have passed the place of a row that was there when this span was asked for: it is
    // replaced, not relied on.
    let replaced =
        open.iter().filter(|stored| stored.share.is_some() && slices.iter().any(|slice| covers(slice, &stored.slice)));
    let mut changes: Vec<Change> = replaced.map(|stored| Change::SliceClosed { id: stored.id }).collect();
    for slice in slices {
        let reading = Reading::new(&flow.stream, &slice, flow.options.page_size).save();
        changes.push(Change::SliceOpened { id: next_slice, slice, share: Some(share), reading });
        next_slice += 1;
    }
    if !changes.is_empty() {
        around.store.commit(lease, changes).await?;
    }
    tracing::info!(flow = flow.name, from = %opened.from, until = %opened.until, slices = opened.slices, share,
        "a backfill was opened");
    Ok(opened)
}

/// Whether reading `whole` reads `part` too.
fn covers(whole: &Slice, part: &Slice) -> bool {
    let inside = match (whole.window, part.window) {
        (Some(whole), Some(part)) => whole.from <= part.from && part.until <= whole.until,
        _ => false,
    };
    inside && whole.axis == part.axis && whole.partition == part.partition
}

/// The surroundings in which slices of backfills are read: a party of its own, bounded to its share.
pub(crate) fn backfill_context(cx: &Context, flow: &str, share: u8) -> Context {
    cx.clone().as_party(&format!("{flow}:backfill")).with_share(share)
}
