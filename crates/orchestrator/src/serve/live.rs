//! A run under way as it looks from outside.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use milkrun_console::model::{LiveRun, SliceState};
use milkrun_core::Error;
use milkrun_core::quota::HeldUp;
use milkrun_engine::{Calls, Counts, Observer, Progress, SliceNow};

use crate::desk::runs::counts;
use crate::show::progress::tell_held_up;
use crate::text::Lang;

/// How many slices are shown.
const MOST_SLICES: usize = 200;
/// How often slices are listed: a run may commit many times a second.
const LIST: Duration = Duration::from_millis(250);

/// What is known of a run while it goes on.
#[derive(Debug)]
pub(crate) struct Live {
    flow: String,
    work: &'static str,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// The number that the store gave; 0 until that is known.
    id: u64,
    started: Timestamp,
    counts: Counts,
    calls: Calls,
    slices: Vec<SliceNow>,
    listed: Option<Instant>,
    /// What keeps it from beginning, if anything does.
    waits_for: Option<String>,
    /// What held its calls up when that was looked at last.
    held_up: Option<HeldUp>,
    has_news: bool,
}

impl Observer for Live {
    fn progress(&self, now: &Progress<'_>) {
        let mut seen = self.seen();
        (seen.id, seen.started) = (now.id(), now.started());
        now.counts().clone_into(&mut seen.counts);
        now.calls().clone_into(&mut seen.calls);
        seen.has_news = true;
        if seen.listed.is_none_or(|listed| listed.elapsed() >= LIST) {
            seen.slices = now.slices(MOST_SLICES);
            seen.listed = Some(Instant::now());
        }
    }
}

impl Live {
    pub(crate) fn new(flow: &str, work: &'static str, started: Timestamp) -> Self {
        let seen = Seen {
            id: 0,
            started,
            counts: Counts::default(),
            calls: Calls::default(),
            slices: Vec::new(),
            listed: None,
            waits_for: None,
            held_up: None,
            has_news: false,
        };
        Self { flow: flow.to_owned(), work, seen: Mutex::new(seen) }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything has happened since this was asked last.
    pub(crate) fn take_news(&self) -> bool {
        let mut seen = self.seen();
        // A run whose calls are held up does not say so itself.
        let held_up = seen.calls.held_up();
        let is_news = seen.held_up != held_up;
        seen.held_up = held_up;
        std::mem::take(&mut seen.has_news) || is_news
    }

    /// It cannot begin, for that reason, or it tries to now.
    pub(super) fn waits_for(&self, error: Option<&Error>) {
        let mut seen = self.seen();
        seen.waits_for = error.map(Error::to_string);
        seen.has_news = true;
    }

    /// How far it is.
    pub(crate) fn now(&self, lang: Lang) -> LiveRun {
        let seen = self.seen();
        LiveRun {
            id: seen.id,
            flow: self.flow.clone(),
            started: seen.started,
            work: self.work.to_owned(),
            counts: counts(&seen.counts),
            calls: seen.calls.source(),
            waits_for: match &seen.waits_for {
                Some(why) => Some(lang.retell(why).into_owned()),
                None => seen.calls.held_up().map(|held| tell_held_up(&held, lang)),
            },
            slices: seen.slices.iter().map(|slice| slice_state(slice, lang)).collect(),
        }
    }
}

fn slice_state(slice: &SliceNow, lang: Lang) -> SliceState {
    SliceState {
        id: slice.id,
        covers: lang.retell(&slice.covers).into_owned(),
        from: slice.window.map(|window| window.from),
        until: slice.window.map(|window| window.until),
        pages: slice.pages,
        records: slice.records,
        reason: slice.why.as_deref().map(|why| lang.retell(why).into_owned()),
    }
}
