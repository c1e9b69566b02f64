//! What has happened in the week, and whether it is what timetables and policies promise.
//!
//! It is worked out from the starts that were given, the times at which the program was there, and every instant of
//! every timetable: it knows nothing of how the dispatcher decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::super::super::policy::ON_TIME;
use super::super::super::{Entry, Missed, Overlap, Why};

/// What the week was made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) starts: u64,
    pub(super) resumed: u64,
    pub(super) missed: u64,
    pub(super) manual: u64,
    pub(super) overlapped: u64,
    pub(super) cancelled: u64,
    pub(super) crashes: u64,
    pub(super) reloads: u64,
    pub(super) contended: u64,
}

/// A start that was given.
#[derive(Clone, Debug)]
struct Given {
    due: Timestamp,
    at: Timestamp,
    /// When its run ended, or the end of the week.
    ended: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub(super) struct Truth {
    given: BTreeMap<String, Vec<Given>>,
    /// The entries of each flow, and since when they count.
    entries: BTreeMap<String, Vec<(Timestamp, Entry)>>,
    /// When nobody was there.
    away: Vec<(Timestamp, Timestamp)>,
    running: BTreeSet<String>,
    pub(super) figures: Figures,
    pub(super) found: Vec<String>,
}

impl Truth {
    /// From now on the flows are these.
    pub(super) fn follow(&mut self, entries: &[Entry], now: Timestamp) {
        for entry in entries {
            let known = self.entries.entry(entry.flow.clone()).or_default();
            if known.last().is_none_or(|(_, last)| last != entry) {
                known.push((now, entry.clone()));
            }
        }
    }

    pub(super) fn start(&mut self, flow: &str, due: Timestamp, why: Why, now: Timestamp) {
        self.figures.starts += 1;
        match why {
            Why::Resumed => self.figures.resumed += 1,
            Why::Missed => self.figures.missed += 1,
            Why::Manual => self.figures.manual += 1,
            Why::Timetable => {}
        }
        if !self.running.insert(flow.to_owned()) {
            self.found.push(format!("{now}: {flow} is started while it runs"));
        }
        if due > now {
            self.found.push(format!("{now}: {flow} is started before it is due at {due}"));
        }
        let given = self.given.entry(flow.to_owned()).or_default();
        let before = given.iter().rfind(|given| given.due == due);
        match (why, before) {
            (Why::Resumed, Some(Given { ended: None, .. })) => return,
            (Why::Resumed, _) => self.found.push(format!("{now}: {flow} goes on with {due}, which is not under way")),
            (_, Some(_)) if why != Why::Manual => {
                self.found.push(format!("{now}: the start of {flow} at {due} is given a second time"));
            }
            _ => {}
        }
        given.push(Given { due, at: now, ended: None });
    }

    pub(super) fn ended(&mut self, flow: &str, now: Timestamp) {
        self.running.remove(flow);
        if let Some(last) = self.given.get_mut(flow).and_then(|given| given.last_mut()) {
            last.ended.get_or_insert(now);
        }
    }

    /// Which flows run.
    pub(super) fn n_running(&self) -> usize {
        self.running.len()
    }

    /// The program was away.
    pub(super) fn away(&mut self, from: Timestamp, until: Timestamp) {
        self.running.clear();
        self.away.push((from, until));
        self.figures.crashes += 1;
    }

    /// Holds every start of every timetable against what has happened.
    pub(super) fn check(&mut self, end: Timestamp) {
        for (flow, entries) in &self.entries {
            let until = entries.iter().skip(1).map(|(from, _)| *from).chain([end]);
            for ((from, entry), until) in entries.iter().zip(until) {
                let (Some(table), policy) = (&entry.timetable, entry.policy) else { continue };
                // Starts after the last change up to the next one; what is due at its very instant belongs to the old.
                let starts = table.starts(*from + SignedDuration::from_nanos(1), until);
                for start in starts.filter(|start| policy.begins(flow, table, *start) < until) {
                    if let Some(why) = self.missing(flow, entries, entry, start) {
                        self.found.push(format!("the start of {flow} at {start} is missing: {why} ({policy:?})"));
                    }
                }
            }
        }
    }

    /// Why a start should have been given that was not.
    fn missing(&self, flow: &str, entries: &[(Timestamp, Entry)], entry: &Entry, start: Timestamp) -> Option<String> {
        let none = Vec::new();
        let given = self.given.get(flow).unwrap_or(&none);
        let table = entry.timetable.as_ref()?;
        let due = entry.policy.begins(flow, table, start);
        if given.iter().any(|given| given.due == due) {
            return None;
        }
        let occupies = |given: &Given, at: Timestamp| given.due <= at && given.ended.is_none_or(|ended| ended >= at);
        let waits = |given: &Given, at: Timestamp| given.due <= at && given.at >= at && given.due != due;
        let away = self.away.iter().find(|(from, until)| *from <= due && due < *until);
        let Some((_, back)) = away else {
            let covered = match entry.policy.overlap {
                Overlap::Skip => given.iter().any(|given| occupies(given, due)),
                Overlap::Queue | Overlap::Cancel => given.iter().any(|given| waits(given, due)),
            };
            return (!covered).then(|| format!("the flow was free, {given:?}"));
        };
        // Nobody was there. What counts is the policy that the program found when it came back.
        let policy = entries.iter().rfind(|(from, _)| from <= back).map_or(entry.policy, |(_, entry)| entry.policy);
        let due = policy.begins(flow, table, start).min(*back);
        if given.iter().any(|given| given.due == due) {
            return None;
        }
        // What was under way or waited then stands for it.
        let occupied = given.iter().any(|given| occupies(given, *back) && given.due < *back);
        let is_late = back.duration_since(due) > ON_TIME;
        let covered = match policy.missed {
            Missed::Skip => is_late || occupied,
            Missed::Once => occupied || given.iter().any(|given| given.due > due && given.due <= *back),
            Missed::Each => !is_late && occupied,
        };
        (!covered).then(|| format!("nobody was there until {back} ({policy:?}), {given:?}"))
    }
}
