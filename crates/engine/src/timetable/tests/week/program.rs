//! The week: flows, accounts, and a program that dies and comes back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use milkrun_core::notes::{Entry as Line, Notes};
use milkrun_core::quota::Quota;
use milkrun_core::state::StateStore;
use milkrun_core::stream::WindowSpec;
use milkrun_core::{Clock, Context, Idempotency, Result, SinkKind, SystemClock};
use milkrun_mapping::Mapping;
use milkrun_testkit::dice::Dice;
use milkrun_testkit::memory::{MemoryJournal, MemoryStore};
use milkrun_testkit::notes::MemoryNotes;
use milkrun_testkit::sample_stream;
use milkrun_testkit::sinks::{MemoryAppend, sample_target};
use milkrun_testkit::world::{Drift, World};
use tokio::task::JoinSet;

use super::super::super::{Decision, Entry, Manual, Missed, Overlap, Policy, Timekeeper};
use super::super::tables::table;
use super::account::{Account, Limited};
use super::truth::{Figures, Truth};
use super::{Size, began, days};
use crate::flow::{Flow, Options, Stop, Stopper, Surroundings, Work};
use crate::live::Quiet;
use crate::plan::Span;
use crate::run::run;

/// So many runs may be under way at one time.
const AT_ONCE: usize = 24;

/// What is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// Marks are written now and then only.
    Forgetful,
    /// Now and then a start that was given out is not begun.
    LosesStarts,
    /// The limiter serves calls as they come.
    FirstCome,
    /// The limiter allows a call more than the vendor.
    Generous,
}

/// Notes that lose what is written to them, if they are to.
#[derive(Debug)]
struct Shelf {
    notes: MemoryNotes,
    dice: Mutex<Option<Dice>>,
}

#[async_trait]
impl Notes for Shelf {
    async fn notes(&self, shelf: &str) -> Result<Vec<(String, String)>> {
        self.notes.notes(shelf).await
    }
    async fn note(&self, shelf: &str, name: &str) -> Result<Option<String>> {
        self.notes.note(shelf, name).await
    }
    async fn put_notes(&self, shelf: &str, notes: Vec<(String, Option<String>)>) -> Result<()> {
        if self.dice.lock().unwrap().as_mut().is_some_and(|dice| dice.percent(50)) {
            return Ok(());
        }
        self.notes.put_notes(shelf, notes).await
    }
    async fn record(&self, shelf: &str, at: Timestamp, text: &str) -> Result<u64> {
        self.notes.record(shelf, at, text).await
    }
    async fn recorded(&self, shelf: &str, before: Option<u64>, limit: u32) -> Result<Vec<Line>> {
        self.notes.recorded(shelf, before, limit).await
    }
    async fn forget_recorded(&self, shelf: &str, before: Timestamp) -> Result<u64> {
        self.notes.forget_recorded(shelf, before).await
    }
}

/// A flow and its state.
struct Played {
    flow: Flow,
    store: MemoryStore,
    around: Surroundings,
}

pub(super) struct Week {
    dice: Dice,
    flaw: Flaw,
    end: Timestamp,
    clock: Arc<dyn Clock>,
    accounts: Vec<Arc<Account>>,
    flows: BTreeMap<String, Played>,
    entries: Vec<Entry>,
    notes: Arc<dyn Notes>,
    truth: Arc<Mutex<Truth>>,
}

/// What interrupts the program.
enum Interruption {
    Death,
    Reload,
    Person,
}

impl Week {
    pub(super) fn new(seed: u64, size: Size, flaw: Flaw) -> Self {
        let mut dice = Dice::new(seed);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(began()));
        let quota = |dice: &mut Dice| {
            let calls = u32::try_from(dice.between(2, 5)).unwrap();
            let quota = Quota::per_second(calls).and(calls * 20, Duration::from_mins(1));
            quota.at_once(u32::try_from(dice.between(2, 6)).unwrap())
        };
        let (generous, first_come) = (flaw == Flaw::Generous, flaw == Flaw::FirstCome);
        let account = |n| {
            let quota = quota(&mut dice);
            Arc::new(Account::new(dice.next_u64(), &format!("account-{n}"), quota, generous, first_come, &clock))
        };
        let accounts: Vec<Arc<Account>> = (0..size.accounts).map(account).collect();
        let mut week = Self {
            end: began() + SignedDuration::try_from(days(size.days)).unwrap(),
            accounts,
            flows: BTreeMap::new(),
            entries: Vec::new(),
            notes: Arc::new(Shelf {
                notes: MemoryNotes::default(),
                dice: Mutex::new((flaw == Flaw::Forgetful).then(|| Dice::new(seed))),
            }),
            truth: Arc::default(),
            dice,
            flaw,
            clock,
        };
        for n in 0..size.flows {
            week.add(n);
        }
        week
    }

    fn add(&mut self, n: usize) {
        let name = format!("flow-{n:03}");
        let account = Arc::clone(&self.accounts[n % self.accounts.len()]);
        let window = WindowSpec {
            settle: Duration::from_mins(1),
            lookback: Duration::from_mins(12),
            longest: Duration::from_hours(1),
            ..WindowSpec::beijing("modified")
        };
        let stream = milkrun_core::StreamSpec { window: Some(window), ..sample_stream() };
        let world = World::new(self.dice.next_u64(), stream.clone(), 4, began(), Duration::from_hours(3));
        world.set_drift(Drift { arrive: 10, leave: 5, fail: 2, slow: 5, ..Drift::default() });
        let target = sample_target(Idempotency::CommittedLength, 1);
        let options = Options {
            page_size: 4,
            concurrency: [1, 2, 8][n % 3],
            journal: false,
            max_readings: 3,
            ..Options::usual(&stream, &target)
        };
        let store = MemoryStore::default();
        let around = Surroundings {
            store: Arc::new(store.clone()),
            journal: Arc::new(MemoryJournal::default()),
            clock: Arc::clone(&self.clock),
        };
        let span = Span { since: Some(began() - SignedDuration::from_hours(2)), ..Span::default() };
        let flow = Flow {
            name: name.clone(),
            stream,
            source: Arc::new(Limited { flow: name.clone(), world, account }),
            source_cx: Context::local("source", Arc::clone(&self.clock)),
            sink: SinkKind::Appends(Arc::new(MemoryAppend::new(self.dice.next_u64()))),
            sink_cx: Context::local("sink", Arc::clone(&self.clock)),
            target,
            mapping: Arc::new(Mapping::identity()),
            span,
            options,
        };
        self.flows.insert(name.clone(), Played { flow, store, around });
        let entry = self.entry(&name, n % self.accounts.len());
        self.entries.push(entry);
    }

    fn entry(&mut self, flow: &str, account: usize) -> Entry {
        let dice = &mut self.dice;
        // Most of them at the same hours, as people do.
        let crons = [
            "0 0 2 * * ?",
            "0 2 * * *",
            "0 */6 * * *",
            "0 0 2/4 * * ?",
            "30 */4 * * *",
            "15 8-20/2 * * MON-FRI",
            "0 0 2 ? * 2-6",
            "*/20 2 * * *",
            "0-19 3 * * *",
        ];
        let policy = Policy {
            overlap: [Overlap::Skip, Overlap::Queue, Overlap::Cancel][dice.index(3).unwrap()],
            missed: [Missed::Once, Missed::Each, Missed::Skip][dice.index(3).unwrap()],
            jitter: [Duration::ZERO, Duration::from_secs(20), Duration::from_mins(10)][dice.index(3).unwrap()],
        };
        Entry {
            flow: flow.to_owned(),
            account: format!("account-{account}"),
            timetable: Some(table(crons[dice.index(crons.len()).unwrap()])),
            policy,
            paused: false,
        }
    }

    /// Plays it; what was wrong, and what it was made of.
    pub(super) async fn play(mut self) -> (Vec<String>, Figures) {
        while self.clock.now() < self.end {
            self.live().await;
            let died = self.clock.now();
            let away = match self.dice.below(4) {
                0 => Duration::ZERO,
                1 => Duration::from_secs(self.dice.below(120)),
                _ => Duration::from_secs(self.dice.below(4 * 3600)),
            };
            self.clock.sleep(away).await;
            let now = self.clock.now();
            // Files may be changed while nobody is there.
            if self.dice.percent(30) {
                self.change_files();
            }
            if now < self.end {
                self.truth.lock().unwrap().away(died, now);
            }
        }
        let mut truth = std::mem::take(&mut *self.truth.lock().unwrap());
        for account in &self.accounts {
            truth.found.extend(account.found());
            truth.figures.contended += account.contended();
        }
        // What is due at the very end may or may not be begun.
        truth.check(self.end - SignedDuration::from_hours(5));
        (truth.found, truth.figures)
    }

    fn change_files(&mut self) {
        for _ in 0..3 {
            let at = self.dice.index(self.entries.len()).unwrap();
            let flow = self.entries[at].flow.clone();
            self.entries[at] = self.entry(&flow, at % self.accounts.len());
        }
    }

    /// One life of the program.
    async fn live(&mut self) {
        for account in &self.accounts {
            account.restart(self.flaw == Flaw::Generous, &self.clock);
        }
        let now = self.clock.now();
        let opened = Timekeeper::open(Arc::clone(&self.notes), self.entries.clone(), Some(AT_ONCE), now).await;
        let mut keeper = opened.unwrap();
        self.truth.lock().unwrap().follow(&self.entries, now);
        for (flow, at) in keeper.cut_off() {
            let last = self.flows[&flow].store.runs(1, None, 1).await.unwrap().pop();
            if last.is_some_and(|run| run.started >= at && run.ended.is_some()) {
                keeper.had_ended(&flow);
                self.truth.lock().unwrap().ended(&flow, now);
            }
        }
        let mut runs: JoinSet<String> = JoinSet::new();
        let mut stoppers: BTreeMap<String, Stopper> = BTreeMap::new();
        let mut interruptions = self.interruptions(now);
        let mut decisions = keeper.due(now).await.unwrap();
        loop {
            // It may die with decisions that were written and not acted on.
            let dies = !decisions.is_empty() && self.dice.below(2_000) == 0;
            self.act(decisions, &mut runs, &mut stoppers, dies);
            if dies {
                break;
            }
            let now = self.clock.now();
            let wait = |until: Timestamp| Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
            let (next, _) = interruptions.first().expect("it dies at last");
            let wake = keeper.next_wake().unwrap_or(Timestamp::MAX).min(*next);
            let ended = tokio::select! {
                biased;
                Some(ended) = runs.join_next(), if !runs.is_empty() => Some(ended.expect("runs do not panic")),
                () = self.clock.sleep(wait(wake)) => None,
            };
            let now = self.clock.now();
            decisions = match ended {
                Some(flow) => {
                    stoppers.remove(&flow);
                    keeper.ended(&flow, now).await.unwrap()
                }
                None if interruptions[0].0 > now => keeper.due(now).await.unwrap(),
                None => match interruptions.remove(0).1 {
                    Interruption::Death => break,
                    Interruption::Reload => {
                        // What is due at this instant is decided by the files as they were.
                        let mut decisions = keeper.due(now).await.unwrap();
                        self.change_files();
                        self.reloaded(now);
                        decisions.extend(keeper.replace(self.entries.clone(), Some(AT_ONCE), now).await.unwrap());
                        decisions
                    }
                    Interruption::Person => {
                        let at = self.dice.index(self.entries.len()).unwrap();
                        let (answer, decisions) = keeper.start(&self.entries[at].flow, now).await.unwrap();
                        assert_ne!(answer, Manual::Unknown);
                        decisions
                    }
                },
            };
        }
        // Dead: what was under way is dropped where it stands.
        runs.shutdown().await;
        self.flows.values().for_each(|played| played.store.crash());
    }

    fn reloaded(&self, now: Timestamp) {
        let mut truth = self.truth.lock().unwrap();
        truth.follow(&self.entries, now);
        truth.figures.reloads += 1;
    }

    fn interruptions(&mut self, now: Timestamp) -> Vec<(Timestamp, Interruption)> {
        let life = self.dice.between(1, 18 * 3600);
        let after = |secs: u64| now + SignedDuration::from_secs(i64::try_from(secs).unwrap());
        let death = after(life).min(self.end);
        let mut all = vec![(death, Interruption::Death)];
        for _ in 0..self.dice.below(4) {
            all.push((after(self.dice.below(life)), Interruption::Reload));
            all.push((after(self.dice.below(life)), Interruption::Person));
        }
        // Programs like to die in the middle of the night's work.
        if self.dice.percent(40) {
            let night: Timestamp =
                now.to_zoned(jiff::tz::TimeZone::UTC).date().at(18, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
            let moment = night + SignedDuration::from_secs(i64::try_from(self.dice.below(300)).unwrap());
            if moment > now && moment < death {
                all.push((moment, Interruption::Death));
            }
        }
        all.sort_by_key(|(at, _)| *at);
        all
    }

    fn act(
        &mut self,
        decisions: Vec<Decision>,
        runs: &mut JoinSet<String>,
        stoppers: &mut BTreeMap<String, Stopper>,
        dies: bool,
    ) {
        let now = self.clock.now();
        for decision in decisions {
            let mut truth = self.truth.lock().unwrap();
            match decision {
                Decision::Start { flow, due, why } => {
                    if self.flaw == Flaw::LosesStarts && self.dice.percent(1) {
                        runs.spawn(async move { flow });
                        continue;
                    }
                    truth.start(&flow, due, why, now);
                    let n = truth.n_running();
                    if n > AT_ONCE {
                        truth.found.push(format!("{now}: {n} runs at once"));
                    }
                    if dies {
                        continue;
                    }
                    let (stopper, mut stop) = Stop::new();
                    stoppers.insert(flow.clone(), stopper);
                    let played = &self.flows[&flow];
                    let (work, around) = (played.flow.clone(), played.around.clone());
                    let (truth, clock) = (Arc::clone(&self.truth), Arc::clone(&self.clock));
                    runs.spawn(async move {
                        let outcome = run(&work, &around, &Work::Due, &mut stop, &Quiet).await;
                        let mut truth = truth.lock().unwrap();
                        if let Err(error) = outcome {
                            truth.found.push(format!("{} did not begin: {error}", work.name));
                        }
                        truth.ended(&work.name, clock.now());
                        work.name
                    });
                }
                Decision::Cancel { flow } => {
                    truth.figures.cancelled += 1;
                    match stoppers.get(&flow) {
                        Some(stopper) => stopper.stop(),
                        None => truth.found.push(format!("{now}: {flow} is to be cancelled and does not run")),
                    }
                }
                Decision::Skipped { .. } => truth.figures.overlapped += 1,
            }
        }
    }
}
