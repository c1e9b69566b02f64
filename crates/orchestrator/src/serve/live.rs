//! A run under way as it looks from outside.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use milkrun_console::model::LiveRun;
use milkrun_core::Context;
use milkrun_engine::{Counts, Flow, Observer};

use crate::desk::runs::counts;

/// What is known of a run while it goes on.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) flow: String,
    work: &'static str,
    started: Timestamp,
    /// The number that the store gave; 0 until that is known.
    number: AtomicU64,
    counts: Mutex<Counts>,
    has_news: AtomicBool,
    source: Mutex<Source>,
}

/// The account that is called, and how often it was before.
#[derive(Debug)]
struct Source {
    cx: Context,
    calls_before: u64,
}

impl Source {
    fn of(flow: &Flow) -> Self {
        let mut source = Self { cx: flow.source_cx.clone(), calls_before: 0 };
        source.calls_before = source.calls();
        source
    }

    fn calls(&self) -> u64 {
        self.cx.transport().map_or(0, |transport| transport.stats().calls()) - self.calls_before
    }
}

impl Observer for Live {
    fn progress(&self, counts: &Counts) {
        counts.clone_into(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        self.has_news.store(true, Ordering::Relaxed);
    }
}

impl Live {
    pub(crate) fn new(flow: &Flow, work: &'static str, started: Timestamp) -> Self {
        Self {
            flow: flow.name.clone(),
            work,
            started,
            number: AtomicU64::new(0),
            counts: Mutex::default(),
            has_news: AtomicBool::new(false),
            source: Mutex::new(Source::of(flow)),
        }
    }

    /// The same run goes on with other files, as a run of its own.
    pub(crate) fn begin_anew(&self, flow: &Flow) {
        self.number.store(0, Ordering::Relaxed);
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = Counts::default();
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = Source::of(flow);
    }

    pub(crate) fn has_number(&self) -> bool {
        self.number.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn set_number(&self, number: u64) {
        self.number.store(number, Ordering::Relaxed);
    }

    /// Whether anything has happened since this was asked last.
    pub(crate) fn take_news(&self) -> bool {
        self.has_news.swap(false, Ordering::Relaxed)
    }

    /// How far it is.
    pub(crate) fn now(&self) -> LiveRun {
        LiveRun {
            id: self.number.load(Ordering::Relaxed),
            flow: self.flow.clone(),
            started: self.started,
            work: self.work.to_owned(),
            counts: counts(&self.counts.lock().unwrap_or_else(PoisonError::into_inner)),
            calls: self.source.lock().unwrap_or_else(PoisonError::into_inner).calls(),
            waits_for: None,
            slices: Vec::new(),
        }
    }
}
