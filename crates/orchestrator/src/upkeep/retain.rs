//! What is forgotten now: whatever `[retention]` names, as far as nothing depends on it any more.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_alerts::forget_incidents;
use milkrun_console::access::AUDIT_SHELF;
use milkrun_core::notes::Notes as _;
use milkrun_core::state::{FlowSummary, StateStore as _};
use milkrun_core::{Idempotency, Result, SinkKind};
use milkrun_store::Segment;
use serde::Serialize;

use super::HOLD;
use super::disk::note_sizes;
use crate::config::Retention;
use crate::text::{self, Lang, Text};
use crate::wiring::{Prepared, State};

/// What was forgotten, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Forgotten {
    /// Nothing was changed: this is what would be forgotten.
    pub(crate) dry: bool,
    /// Runs in the history.
    pub(crate) runs: u64,
    /// Incidents that are past.
    pub(crate) incidents: u64,
    /// Refused records.
    pub(crate) dead_letters: u64,
    /// Rows of ledgers.
    pub(crate) ledger: u64,
    /// Files of pages.
    pub(crate) segments: u64,
    /// Bytes of pages.
    pub(crate) bytes: u64,
    /// Lines of the audit log.
    pub(crate) audit: u64,
    /// What stays though it is old, and why.
    pub(crate) kept: Vec<Kept>,
}

/// What of a flow stays though it is old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Kept {
    /// The flow.
    pub(crate) flow: String,
    /// `pages` or `ledger`.
    pub(crate) what: &'static str,
    /// Why.
    pub(crate) why: String,
}

/// Forgets what `keep` names; with `dry`, only says what that would be. Flows may run meanwhile.
///
/// # Errors
/// [`Busy`](milkrun_core::ErrorKind::Busy) if other upkeep is under way; those of the state.
pub(crate) async fn retain(
    keep: &Retention,
    flows: &[Prepared],
    state: &State,
    dry: bool,
    lang: Lang,
) -> Result<Forgotten> {
    let _hold = state.store.hold(HOLD)?;
    let now = state.clock.now();
    let mut done = Forgotten { dry, ..Forgotten::default() };
    let known = state.store.flows().await?;
    let mut pages = Pages::default();
    for summary in &known {
        let Some(id) = state.store.flow_id(&summary.name).await? else { continue };
        if let Some(before) = before(now, keep.runs) {
            done.runs += state.store.forget_runs(id, before, dry).await?;
        }
        if let Some(before) = before(now, keep.dead_letters) {
            done.dead_letters += state.store.forget_dead_letters(id, before, dry).await?;
        }
        if let Some(age) = keep.ledger {
            match may_forget(summary, flows) {
                Ok(proved) => {
                    if let Some(before) = before(now.min(proved), Some(age)) {
                        done.ledger += state.store.forget_ledger(id, before, dry).await?;
                    }
                }
                Err(why) => done.kept.push(kept(summary, "ledger", why, lang)),
            }
        }
        pages.add(id, summary, state).await?;
    }
    pages.choose_old(before(now, keep.pages));
    pages.choose_many(keep.pages_size);
    pages.forget(state, dry, lang, &mut done).await?;
    // They are what happened to runs, and are kept as long.
    if let Some(before) = before(now, keep.runs) {
        done.incidents = forget_incidents(&*state.store, before, dry).await?;
    }
    if let Some(before) = before(now, keep.audit) {
        done.audit = if dry {
            let lines = state.store.recorded(AUDIT_SHELF, None, u32::MAX).await?;
            lines.iter().filter(|line| line.at < before).count() as u64
        } else {
            state.store.forget_recorded(AUDIT_SHELF, before).await?
        };
    }
    if !dry {
        state.store.give_back().await?;
        note_sizes(state).await?;
    }
    Ok(done)
}

fn kept(flow: &FlowSummary, what: &'static str, why: Text, lang: Lang) -> Kept {
    Kept { flow: flow.name.clone(), what, why: lang.say(why).to_owned() }
}

/// The instant that is so long before `now`.
fn before(now: Timestamp, age: Option<Duration>) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::try_from(age?).ok()?).ok()
}

/// Up to when a flow's records are proved and need no row of the ledger to stay single; or why its rows stay.
///
/// A record whose row is forgotten counts as new when it is read once more. That doubles nothing where the same key
/// replaces the document, and where old records are not read again unless they change.
fn may_forget(summary: &FlowSummary, flows: &[Prepared]) -> Result<Timestamp, Text> {
    let Some(flow) = flows.iter().find(|flow| flow.name == summary.name) else { return Err(text::LEDGER_NO_FILE) };
    if matches!(flow.sink, SinkKind::Appends(_)) {
        return Err(text::LEDGER_FILE);
    }
    if !matches!(flow.target.idempotency, Idempotency::Upsert { .. }) {
        return Err(text::LEDGER_DOUBLES);
    }
    if flow.stream.window.is_none() {
        return Err(text::LEDGER_WHOLE);
    }
    if summary.open_slices > 0 || summary.pending > 0 {
        return Err(text::KEPT_OPEN);
    }
    // Where a flow rests, what the next run reads again begins at its proved end, not today.
    summary.planned.iter().map(|(_, until)| *until).min().ok_or(text::KEPT_OPEN)
}

/// The segments of all flows, and below which of them nothing stays.
#[derive(Debug, Default)]
struct Pages {
    flows: Vec<Flow>,
}

#[derive(Debug)]
struct Flow {
    id: i64,
    name: String,
    segments: Vec<Segment>,
    /// Segments from this one on are needed.
    needed: u32,
    open_slices: u64,
    /// Segments below this one go.
    below: u32,
}

impl Pages {
    async fn add(&mut self, id: i64, summary: &FlowSummary, state: &State) -> Result<()> {
        let (open_slices, needed) = state.store.needed_pages(id).await?;
        let segments = state.journal.segments(&summary.name).await?;
        self.flows.push(Flow { id, name: summary.name.clone(), segments, needed, open_slices, below: 0 });
        Ok(())
    }

    /// Old segments go, up to the first that is not old.
    fn choose_old(&mut self, before: Option<Timestamp>) {
        let Some(before) = before else { return };
        for flow in &mut self.flows {
            let old = flow.segments.iter().take_while(|segment| segment.written < before);
            flow.below = old.map(|segment| segment.number + 1).max().unwrap_or(0).min(flow.needed);
        }
    }

    /// While there is too much, the oldest segment of all flows goes.
    fn choose_many(&mut self, most: Option<u64>) {
        let Some(most) = most else { return };
        let mut left: u64 = self.flows.iter().map(Flow::left).sum();
        let mut oldest: BTreeMap<(Timestamp, usize, u32), u64> = BTreeMap::new();
        for (n, flow) in self.flows.iter().enumerate().filter(|(_, flow)| flow.open_slices == 0) {
            let free = flow.segments.iter().filter(|segment| (flow.below..flow.needed).contains(&segment.number));
            oldest.extend(free.map(|segment| ((segment.written, n, segment.number), segment.bytes)));
        }
        for ((_, n, number), bytes) in oldest {
            if left <= most {
                break;
            }
            // The clock of the file system may have been set back: what lies below goes too, and is counted once.
            if number >= self.flows[n].below {
                let flow = &mut self.flows[n];
                let below = flow.segments.iter().filter(|s| (flow.below..number).contains(&s.number));
                left = left.saturating_sub(below.map(|s| s.bytes).sum::<u64>() + bytes);
                flow.below = number + 1;
            }
        }
    }

    async fn forget(self, state: &State, dry: bool, lang: Lang, done: &mut Forgotten) -> Result<()> {
        for flow in self.flows {
            if flow.open_slices > 0 {
                if flow.below > 0 {
                    let why = lang.say(text::KEPT_OPEN).to_owned();
                    done.kept.push(Kept { flow: flow.name, what: "pages", why });
                }
                continue;
            }
            let mut below = flow.below;
            if !dry && below > 0 {
                below = state.store.forget_pages_below(flow.id, below).await?;
                state.journal.remove_below(&flow.name, below).await?;
            }
            let gone = flow.segments.iter().filter(|segment| segment.number < below);
            for segment in gone {
                done.segments += 1;
                done.bytes += segment.bytes;
            }
        }
        Ok(())
    }
}

impl Flow {
    /// The bytes of segments that stay.
    fn left(&self) -> u64 {
        self.segments.iter().filter(|segment| segment.number >= self.below).map(|segment| segment.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(bytes: &[u64], written: &[i64], needed: u32) -> Flow {
        let segments = bytes.iter().zip(written).zip(1..).map(|((&bytes, &secs), number)| Segment {
            number,
            bytes,
            written: Timestamp::from_second(secs).unwrap(),
        });
        Flow { id: 1, name: "x".into(), segments: segments.collect(), needed, open_slices: 0, below: 0 }
    }

    fn below(pages: &Pages) -> Vec<u32> {
        pages.flows.iter().map(|flow| flow.below).collect()
    }

    #[test]
    fn old_segments_go_and_needed_ones_stay() {
        let mut pages = Pages { flows: vec![flow(&[1, 1, 1], &[10, 20, 30], 3), flow(&[1, 1], &[10, 20], 1)] };
        pages.choose_old(Some(Timestamp::from_second(25).unwrap()));
        assert_eq!(below(&pages), [3, 1], "of the second flow, the first segment has something to deliver");
        pages.choose_old(None);
        assert_eq!(below(&pages), [3, 1]);
    }

    #[test]
    fn of_too_much_the_oldest_goes_whoevers_it_is() {
        let make =
            || Pages { flows: vec![flow(&[10, 10, 10], &[10, 30, 50], 3), flow(&[10, 10, 10], &[20, 40, 60], 3)] };
        for (most, expected) in [(60, [0, 0]), (59, [2, 0]), (45, [2, 2]), (40, [2, 2]), (39, [3, 2]), (0, [3, 3])] {
            let mut pages = make();
            pages.choose_many(Some(most));
            assert_eq!(below(&pages), expected, "{most}");
        }
        let mut pages = make();
        pages.flows[0].open_slices = 1;
        pages.choose_many(Some(0));
        assert_eq!(below(&pages), [0, 3]);
        pages.choose_many(None);
        assert_eq!(below(&pages), [0, 3]);
    }
}
