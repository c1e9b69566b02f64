//! Decides which flow starts when: a state machine without a clock, a task or a wait of its own.
//!
//! - A flow never runs twice at a time, and no start of a timetable is given out twice.
//! - Between two calls nothing is to be done before [`Dispatcher::next_wake`], so that a program at rest sleeps.
//! - Where only so many runs may be under way, those begin first that were cut off by a crash; then those of the account
//!   with the fewest runs under way, so that no account starves another; then the oldest due; then by name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::mark::{Begun, Mark, Waiting};
use super::policy::{MOST_CAUGHT_UP, Missed, ON_TIME, Overlap, Policy, Schedule};
use super::table::{Timetable, zone};

/// If starts are dealt with up to an instant this far in the future, the machine's clock was ahead and has been put
/// back: the timetable is followed from now on again. A smaller step back repeats no start.
const PUT_BACK: SignedDuration = SignedDuration::from_hours(1);

/// The mark of a flow that has no file is kept for so long.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24 * 90);

/// A flow and how it is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub flow: String,
    /// The account it reads from.
    pub account: String,
    /// When it starts by itself; a flow without one is started by people.
    pub timetable: Option<Timetable>,
    /// How the timetable is followed.
    pub policy: Policy,
    /// Whether the timetable is not followed for now. Nothing that was due meanwhile is made up for.
    pub paused: bool,
}

impl Entry {
    /// A flow with its schedule, if it has one.
    pub fn new(flow: impl Into<String>, account: impl Into<String>, schedule: Option<&Schedule>) -> Self {
        Self {
            flow: flow.into(),
            account: account.into(),
            timetable: schedule.map(|schedule| schedule.timetable.clone()),
            policy: schedule.map(|schedule| schedule.policy).unwrap_or_default(),
            paused: schedule.is_some_and(|schedule| schedule.paused),
        }
    }
}

/// Why a flow starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Its run was cut off with the program; it goes on.
    Resumed,
    /// Its timetable says so.
    Timetable,
    /// Its timetable said so while nobody was there.
    Missed,
    /// A person wants it.
    Manual,
}

/// Why a flow does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It is running.
    Running,
    /// A start of it is waiting already.
    Waiting,
    /// Nobody was there, and the policy is not to make up for all of it.
    Missed,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Begin a run, and say so with [`Dispatcher::ended`] when it has ended.
    Start {
        /// The flow.
        flow: String,
        /// When it was due.
        due: Timestamp,
        /// Why.
        why: Why,
    },
    /// Ask the flow's run to end in good order: another start waits for it.
    Cancel {
        /// The flow.
        flow: String,
    },
    /// Nothing, but people may want to know: these starts of the timetable are left out.
    Skipped {
        /// The flow.
        flow: String,
        /// The first of them.
        first: Timestamp,
        /// The last of them.
        last: Timestamp,
        /// Why.
        why: Skip,
    },
}

/// What becomes of a person's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manual {
    /// The flow starts, now or when it is its turn.
    Taken,
    /// It is running.
    Busy,
    /// There is no such flow.
    Unknown,
}

/// Where a flow stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// When its timetable starts it next.
    pub next: Option<Timestamp>,
    /// Since when it runs.
    pub running_since: Option<Timestamp>,
    /// How many starts of it are waiting.
    pub waiting: usize,
}

/// A start in the future.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Upcoming {
    /// When.
    pub at: Timestamp,
    /// The flow.
    pub flow: String,
}

type Name = Arc<str>;

#[derive(Debug)]
struct Flow {
    /// `None` while it has no file that could be used.
    entry: Option<Entry>,
    /// The timetable that `until` belongs to.
    table: Option<Timetable>,
    /// Starts of the timetable up to here are dealt with.
    until: Timestamp,
    paused: bool,
    /// When its next start is due.
    wake: Option<Timestamp>,
    begun: Option<Begun>,
    is_asked_to_end: bool,
    waiting: VecDeque<Waiting>,
}

impl Flow {
    fn new(until: Timestamp) -> Self {
        Self {
            entry: None,
            table: None,
            until,
            paused: false,
            wake: None,
            begun: None,
            is_asked_to_end: false,
            waiting: VecDeque::new(),
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            cron: self.table.as_ref().map(|table| table.text().to_owned()),
            zone: self.table.as_ref().map(|table| table.zone_name().to_owned()),
            until: self.until,
            paused: self.paused,
            begun: self.begun.clone(),
            waiting: self.waiting.iter().cloned().collect(),
        }
    }

    fn restore(mark: Mark) -> Self {
        let table = mark.cron.zip(mark.zone).and_then(|(cron, name)| {
            let zone = zone(&name).ok()?;
            Timetable::parse(&cron, &zone).ok()
        });
        let mut waiting = VecDeque::from(mark.waiting);
        if let Some(Begun { due, at }) = mark.begun {
            waiting.push_front(Waiting { due, why: Why::Resumed, begun: Some(at) });
        }
        Self { table, paused: mark.paused, waiting, ..Self::new(mark.until) }
    }

    fn account(&self) -> &str {
        self.entry.as_ref().map_or("", |entry| &entry.account)
    }

    fn can_begin(&self) -> bool {
        self.entry.is_some() && self.begun.is_none() && !self.waiting.is_empty()
    }
}

/// The flows of an installation, their timetables, and what was decided.
#[derive(Debug)]
pub struct Dispatcher {
    flows: BTreeMap<Name, Flow>,
    wakes: BTreeSet<(Timestamp, Name)>,
    /// Flows that could begin now.
    ready: BTreeSet<Name>,
    at_once: Option<usize>,
    /// How many runs are under way, by account as it was when they began.
    running: BTreeMap<Name, String>,
    running_of: BTreeMap<String, usize>,
    /// Flows whose marks are not as they were written last.
    changed: BTreeSet<Name>,
    /// What was decided outside of [`Dispatcher::due`].
    early: Vec<Decision>,
}

impl Dispatcher {
    /// A dispatcher that goes on where the one before it was, as its marks say.
    ///
    /// Missed starts are looked for here and given out by the next [`Dispatcher::due`]. `at_once` is the most runs that
    /// may be under way at one time. A flow without a mark is new: its timetable counts from now on.
    pub fn new(entries: Vec<Entry>, marks: Vec<(String, Mark)>, at_once: Option<usize>, now: Timestamp) -> Self {
        let mut new = Self {
            flows: BTreeMap::new(),
            wakes: BTreeSet::new(),
            ready: BTreeSet::new(),
            at_once,
            running: BTreeMap::new(),
            running_of: BTreeMap::new(),
            changed: BTreeSet::new(),
            early: Vec::new(),
        };
        for (flow, mark) in marks {
            let name = Name::from(flow);
            if mark.begun.is_some() {
                new.changed.insert(Arc::clone(&name));
            }
            new.flows.insert(name, Flow::restore(mark));
        }
        new.replace(entries, at_once, now);
        let forgotten = |flow: &Flow| flow.entry.is_none() && flow.until < now.saturating_sub(FORGOTTEN).unwrap_or(now);
        let gone: Vec<Name> = new.flows.iter().filter(|(_, flow)| forgotten(flow)).map(|(n, _)| n.clone()).collect();
        for name in gone {
            new.flows.remove(&name);
            new.changed.insert(name);
        }
        new
    }

    /// Takes other entries, as after a change of files. Runs under way go on, and no start is lost or given twice:
    ///
    /// - starts that the old timetable had up to now are decided on first;
    /// - a timetable that was changed counts from now on;
    /// - a flow that is missing starts nothing; when it is back, what it has missed is made up for by its policy.
    pub fn replace(&mut self, entries: Vec<Entry>, at_once: Option<usize>, now: Timestamp) {
        self.at_once = at_once;
        let mut gone: BTreeSet<Name> = self.flows.keys().cloned().collect();
        for entry in entries {
            let name = Name::from(entry.flow.as_str());
            gone.remove(&name);
            self.put(&name, entry, now);
        }
        for name in gone {
            let flow = self.flows.get_mut(&name).expect("it was listed");
            flow.entry = None;
            if let Some(wake) = flow.wake.take() {
                self.wakes.remove(&(wake, Arc::clone(&name)));
            }
            self.ready.remove(&name);
        }
    }

    fn put(&mut self, name: &Name, entry: Entry, now: Timestamp) {
        let is_new = !self.flows.contains_key(name);
        let flow = self.flows.entry(Arc::clone(name)).or_insert_with(|| Flow::new(now));
        let before = flow.mark();
        if flow.until > now + PUT_BACK {
            flow.until = now;
        }
        let was_paused = flow.paused;
        flow.paused = entry.paused;
        let old = flow.table.clone();
        let is_other = old != entry.timetable;
        let policy = entry.policy;
        let timetable = entry.timetable.clone();
        flow.entry = Some(entry);
        if flow.paused {
            // Nobody wants what was decided before either, but for what a person has asked for.
            flow.waiting.retain(|start| start.why == Why::Manual);
            flow.until = flow.until.max(now);
        } else if was_paused {
            flow.until = flow.until.max(now);
        } else if is_other && let Some(old) = old {
            self.catch_up(name, &old, policy, now, true);
        }
        let flow = self.flows.get_mut(name).expect("it was put there");
        if is_other {
            flow.until = flow.until.max(now);
        }
        flow.table = timetable;
        if is_new || flow.mark() != before {
            self.changed.insert(Arc::clone(name));
        }
        self.plan(name);
        self.note_ready(name);
    }

    /// Works out when the flow's next start is due.
    fn plan(&mut self, name: &Name) {
        let flow = self.flows.get_mut(name).expect("a known flow");
        if let Some(wake) = flow.wake.take() {
            self.wakes.remove(&(wake, Arc::clone(name)));
        }
        let Some(entry) = flow.entry.as_ref().filter(|entry| !entry.paused) else { return };
        let Some(table) = &entry.timetable else { return };
        let next = table.next_after(flow.until).map(|next| entry.policy.begins(name, table, next));
        if let Some(wake) = next {
            flow.wake = Some(wake);
            self.wakes.insert((wake, Arc::clone(name)));
        }
    }

    fn note_ready(&mut self, name: &Name) {
        if self.flows.get(name).is_some_and(Flow::can_begin) {
            self.ready.insert(Arc::clone(name));
        } else {
            self.ready.remove(name);
        }
    }

    /// When there will be something to decide, if nothing else happens before.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(wake, _)| *wake)
    }

    /// What is to be done now. Calling it too often or too late does no harm.
    pub fn due(&mut self, now: Timestamp) -> Vec<Decision> {
        while let Some((wake, name)) = self.wakes.first().cloned()
            && wake <= now
        {
            let entry = self.flows[&name].entry.as_ref().expect("only flows with an entry wake");
            let table = entry.timetable.clone().expect("only flows with a timetable wake");
            let policy = entry.policy;
            self.catch_up(&name, &table, policy, now, false);
            self.plan(&name);
        }
        let mut decisions = std::mem::take(&mut self.early);
        self.begin(now, &mut decisions);
        decisions
    }

    /// Decides on the starts of `table` up to now; with `all`, also on those that jitter has put off beyond now.
    fn catch_up(&mut self, name: &Name, table: &Timetable, policy: Policy, now: Timestamp, all: bool) {
        let flow = self.flows.get_mut(name).expect("a known flow");
        let due = |start: Timestamp| {
            let begins = policy.begins(name, table, start);
            if all { begins.min(now) } else { begins }
        };
        let before = |start: Timestamp| table.latest(start - SignedDuration::from_secs(1));
        let mut newest = table.latest(now);
        if newest.is_some_and(|start| due(start) > now) {
            newest = newest.and_then(before);
        }
        let Some(newest) = newest.filter(|newest| *newest > flow.until) else { return };
        let is_on_time = |start: Timestamp| now.duration_since(due(start)) <= ON_TIME;
        // Backwards, because there may be any number of them.
        let starts = std::iter::successors(Some(newest), |start| before(*start));
        let starts = starts.take_while(|start| *start > flow.until);
        let each = policy.missed == Missed::Each;
        let mut taken: Vec<Timestamp> =
            starts.take_while(|start| each || is_on_time(*start)).take(MOST_CAUGHT_UP).collect();
        let mut last_left_out = taken.last().map_or(Some(newest), |oldest| before(*oldest));
        if taken.is_empty() && policy.missed == Missed::Once {
            taken.push(newest);
            last_left_out = before(newest);
        }
        let from = table.next_after(flow.until).unwrap_or(newest);
        if let Some(last) = last_left_out.filter(|last| *last >= from) {
            self.early.push(Decision::Skipped { flow: name.to_string(), first: from, last, why: Skip::Missed });
        }
        flow.until = newest;
        self.changed.insert(Arc::clone(name));
        for start in taken.into_iter().rev() {
            let why = if is_on_time(start) { Why::Timetable } else { Why::Missed };
            self.arrive(name, policy, start, Waiting { due: due(start), why, begun: None });
        }
        self.note_ready(name);
    }

    /// A start has come.
    fn arrive(&mut self, name: &Name, policy: Policy, start: Timestamp, new: Waiting) {
        let flow = self.flows.get_mut(name).expect("a known flow");
        let is_running = flow.begun.is_some();
        let is_idle = !is_running && flow.waiting.is_empty();
        let each = policy.missed == Missed::Each;
        // Of those that are made up for one by one, all may wait.
        let one_waits = flow.waiting.iter().any(|start| !each || start.why != Why::Missed);
        let skip = if is_idle || (each && new.why == Why::Missed) {
            None
        } else if policy.overlap == Overlap::Skip {
            Some(if is_running { Skip::Running } else { Skip::Waiting })
        } else {
            one_waits.then_some(Skip::Waiting)
        };
        if let Some(why) = skip {
            self.early.push(Decision::Skipped { flow: name.to_string(), first: start, last: start, why });
            return;
        }
        let is_next = flow.waiting.is_empty();
        flow.waiting.push_back(new);
        if flow.waiting.len() > MOST_CAUGHT_UP
            && let Some(oldest) = flow.waiting.iter().position(|start| start.why == Why::Missed)
            && let Some(Waiting { due, .. }) = flow.waiting.remove(oldest)
        {
            self.early.push(Decision::Skipped { flow: name.to_string(), first: due, last: due, why: Skip::Missed });
        }
        if is_running && is_next && policy.overlap == Overlap::Cancel && !flow.is_asked_to_end {
            flow.is_asked_to_end = true;
            self.early.push(Decision::Cancel { flow: name.to_string() });
        }
    }

    /// Begins what can begin.
    fn begin(&mut self, now: Timestamp, decisions: &mut Vec<Decision>) {
        while self.at_once.is_none_or(|most| self.running.len() < most) {
            let turn = |name: &&Name| {
                let flow = &self.flows[*name];
                let first = flow.waiting.front().expect("a start is waiting");
                let running = self.running_of.get(flow.account()).copied().unwrap_or(0);
                (first.why != Why::Resumed, running, first.due, Arc::clone(*name))
            };
            let Some(name) = self.ready.iter().min_by_key(turn).cloned() else { return };
            self.ready.remove(&name);
            let flow = self.flows.get_mut(&name).expect("a known flow");
            let Waiting { due, why, .. } = flow.waiting.pop_front().expect("a start is waiting");
            flow.begun = Some(Begun { due, at: now });
            flow.is_asked_to_end = false;
            let account = flow.account().to_owned();
            *self.running_of.entry(account.clone()).or_default() += 1;
            self.running.insert(Arc::clone(&name), account);
            self.changed.insert(Arc::clone(&name));
            decisions.push(Decision::Start { flow: name.to_string(), due, why });
        }
    }

    /// The flow's run has ended, however it ended. What may begin now is given out by [`Dispatcher::due`].
    ///
    /// Not to be said of a run that the end of the program cuts off: without it, the next program begins it again.
    pub fn ended(&mut self, flow: &str) {
        let Some((name, account)) = self.running.remove_entry(flow) else { return };
        if let Some(n) = self.running_of.get_mut(&account) {
            *n -= 1;
            if *n == 0 {
                self.running_of.remove(&account);
            }
        }
        let flow = self.flows.get_mut(&name).expect("a flow that runs is known");
        flow.begun = None;
        flow.is_asked_to_end = false;
        self.changed.insert(Arc::clone(&name));
        self.note_ready(&name);
    }

    /// A person wants the flow to start now; it is given out by [`Dispatcher::due`]. Its timetable goes on as it is.
    pub fn start(&mut self, flow: &str, now: Timestamp) -> Manual {
        let Some((name, flow)) = self.flows.get_key_value(flow).map(|(name, _)| Arc::clone(name)).and_then(|name| {
            let flow = self.flows.get_mut(&name).filter(|flow| flow.entry.is_some())?;
            Some((name, flow))
        }) else {
            return Manual::Unknown;
        };
        if flow.begun.is_some() {
            return Manual::Busy;
        }
        // One that waits for its turn is what the person wants.
        if flow.waiting.is_empty() {
            flow.waiting.push_back(Waiting { due: now, why: Why::Manual, begun: None });
            self.changed.insert(Arc::clone(&name));
            self.note_ready(&name);
        }
        Manual::Taken
    }

    /// Runs that were begun, with the time of it, and were cut off with the program before this one; they begin again.
    pub fn cut_off(&self) -> Vec<(String, Timestamp)> {
        let first = |flow: &Flow| flow.waiting.front().and_then(|start| start.begun);
        self.flows.iter().filter_map(|(name, flow)| Some((name.to_string(), first(flow)?))).collect()
    }

    /// A run of [`Dispatcher::cut_off`] had ended after all, and only that was not written down: it does not begin again.
    pub fn had_ended(&mut self, flow: &str) {
        let Some((name, flow)) = self.flows.iter_mut().find(|(name, _)| &***name == flow) else { return };
        if flow.waiting.front().is_some_and(|start| start.begun.is_some()) {
            flow.waiting.pop_front();
            let name = Arc::clone(name);
            self.changed.insert(Arc::clone(&name));
            self.note_ready(&name);
        }
    }

    /// Where a flow stands.
    pub fn state(&self, flow: &str) -> Option<State> {
        let flow = self.flows.get(flow)?;
        let running_since = flow.begun.as_ref().map(|begun| begun.at);
        Some(State { next: flow.wake, running_since, waiting: flow.waiting.len() })
    }

    /// The starts that timetables have in `[from, until)` from now on, oldest first; the first `limit` of them.
    pub fn upcoming(&self, from: Timestamp, until: Timestamp, limit: usize) -> Vec<Upcoming> {
        let mut heads = BTreeSet::new();
        let next = |name: &Name, after: Timestamp| {
            let entry = self.flows[name].entry.as_ref().filter(|entry| !entry.paused)?;
            let table = entry.timetable.as_ref()?;
            let start = table.next_after(after)?;
            Some((entry.policy.begins(name, table, start), start, Arc::clone(name)))
        };
        for (name, flow) in &self.flows {
            let jitter = flow.entry.as_ref().map_or(std::time::Duration::ZERO, |entry| entry.policy.jitter);
            let first = from.saturating_sub(jitter).unwrap_or(from) - SignedDuration::from_nanos(1);
            let mut head = next(name, first.max(flow.until));
            while let Some((at, start, _)) = &head
                && *at < from
            {
                head = next(name, *start);
            }
            heads.extend(head);
        }
        let mut all = Vec::new();
        while all.len() < limit
            && let Some((at, start, name)) = heads.pop_first()
            && at < until
        {
            heads.extend(next(&name, start));
            all.push(Upcoming { at, flow: name.to_string() });
        }
        all
    }

    /// The marks that are not as they were written last; `None` for a flow that nobody needs to remember.
    pub fn take_changes(&mut self) -> Vec<(String, Option<Mark>)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|name| (name.to_string(), self.flows.get(&name).map(Flow::mark))).collect()
    }
}
