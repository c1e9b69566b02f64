//! How a run goes on, for whoever watches it: cheap to tell, and no more than what is asked for.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::Context;
use milkrun_core::quota::HeldUp;
use milkrun_core::stream::Window;
use milkrun_core::transport::CallStats;

use crate::report::{Counts, Kind};
use crate::run::Active;

/// Is told how a run goes on.
pub trait Observer: Send + Sync {
    /// Called after every commit, and when the plan is made.
    fn progress(&self, now: &Progress<'_>);
}

/// Is told and says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Observer for Quiet {
    fn progress(&self, _: &Progress<'_>) {}
}

/// The calls that a run has made so far, and what holds the next ones up. Clones count on.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    pub(crate) source: Arc<CallStats>,
    pub(crate) sink: Arc<CallStats>,
    /// In whose name they are made, source and sink.
    ways: Option<Arc<[Context; 2]>>,
}

/// A call that waits for less is not held up: limits are kept all the time.
const HELD_UP: Duration = Duration::from_secs(1);

impl Calls {
    /// None so far, to be made in the name of these.
    pub(crate) fn of(source: &Context, sink: &Context) -> Self {
        Self { ways: Some(Arc::new([source.clone(), sink.clone()])), ..Self::default() }
    }

    /// What holds the run's next calls up for a second at least, if anything does; of two accounts, what lasts
    /// longer, and what nobody knows the end of last.
    pub fn held_up(&self) -> Option<HeldUp> {
        let ways = self.ways.as_ref()?.iter();
        let held = ways.filter_map(|cx| cx.transport()?.held_up(&cx.party().name, HELD_UP));
        held.max_by_key(|held| held.until)
    }

    /// Calls to the source's account, repetitions included.
    pub fn source(&self) -> u64 {
        self.source.calls()
    }

    /// Calls to the sink's account, repetitions included.
    pub fn sink(&self) -> u64 {
        self.sink.calls()
    }
}

/// A run as it is now.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    pub(crate) started: Timestamp,
    pub(crate) counts: &'a Counts,
    pub(crate) calls: &'a Calls,
    pub(crate) slices: &'a BTreeMap<u64, Active>,
    pub(crate) idle: &'a VecDeque<u64>,
    pub(crate) idle_beside: &'a VecDeque<u64>,
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("id", &self.id).field("counts", self.counts).finish_non_exhaustive()
    }
}

impl Progress<'_> {
    /// The run's number in the flow's history; 0 for what is not written there.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What it does.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// When it began.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Its figures.
    pub fn counts(&self) -> &Counts {
        self.counts
    }

    /// Its calls; to be cloned by whoever wants to know them between two reports.
    pub fn calls(&self) -> &Calls {
        self.calls
    }

    /// The slices that are not proved yet, oldest first, `most` of them.
    pub fn slices(&self, most: usize) -> Vec<SliceNow> {
        let waiting: HashSet<u64> = self.idle.iter().chain(self.idle_beside).copied().collect();
        let now = |(&id, active): (&u64, &Active)| {
            let (pages, records) = active.reading.done();
            SliceNow {
                id,
                covers: active.slice.to_string(),
                window: active.slice.window,
                pages,
                records,
                expected: active.reading.total(),
                backfill: active.share.is_some(),
                waits: waiting.contains(&id),
                why: active.why.clone(),
            }
        };
        self.slices.iter().take(most).map(now).collect()
    }
}

/// A slice that is not proved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceNow {
    /// Its number within the flow.
    pub id: u64,
    /// What it covers, in words.
    pub covers: String,
    /// The span of time, where it has one.
    pub window: Option<Window>,
    /// Pages of the reading under way.
    pub pages: u64,
    /// Records of the reading under way.
    pub records: u64,
    /// Rows that the vendor says it has, as far as that is known.
    pub expected: Option<u64>,
    /// Whether it is a slice of a backfill.
    pub backfill: bool,
    /// Whether it waits for its turn.
    pub waits: bool,
    /// Why its last reading failed or proved nothing.
    pub why: Option<String>,
}
