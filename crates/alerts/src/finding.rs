//! What is wrong now: the rules applied to the facts.
//!
//! A rule lets go later than it takes hold, so that what swings around a bound is one incident: a run has to end well
//! twice, a lag has to shrink to four fifths of its bound, quota and disk have to rise well above theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use milkrun_core::state::Verdict;

use crate::bound::Bound;
use crate::facts::{AccountFacts, DiskFacts, Facts, FlowFacts, QuotaFacts, RunFacts};
use crate::rhythm::Rhythm;
use crate::rule::{Rule, Rules};
use crate::texts;
use crate::words::{Hole, Lang, Phrase, Words, tell_length};

/// Runs that have to end well before a flow counts as mended.
const GOOD_RUNS: usize = 2;
/// Starts further apart than this are no flapping: one good run is news enough.
const RARE: Duration = Duration::from_hours(6);

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about, such as `run-failed/orders`: the same as long as it is the same thing.
    pub id: String,
    /// The rule that found it.
    pub rule: Rule,
    /// The flow, account or channel.
    pub about: About,
    /// What happened.
    pub what: Words,
    /// What to do.
    pub advice: Words,
    /// How many documents it is about, where that is known.
    pub documents: Option<u64>,
    /// Since when, where the facts say so.
    pub since: Option<Timestamp>,
}

/// What an incident is about.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A flow.
    Flow(String),
    /// An account.
    Account(String),
    /// A channel.
    Channel(String),
    /// The machine.
    Machine,
}

/// What the rules say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    pub(crate) findings: Vec<Finding>,
    /// What could not be judged this time: such incidents stay as they are.
    pub(crate) unknown: BTreeSet<String>,
}

/// What is needed to judge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) zone: &'a TimeZone,
    pub(crate) now: Timestamp,
    /// The ids of the incidents that are open.
    pub(crate) open: &'a BTreeSet<String>,
    pub(crate) rhythms: &'a BTreeMap<String, Rhythm>,
}

impl Judge<'_> {
    /// What is wrong in these facts.
    pub(crate) fn judge(self, facts: &Facts) -> Judged {
        let mut judged = Judged::default();
        for flow in &facts.flows {
            self.flow(flow, &mut judged);
        }
        for account in &facts.accounts {
            self.account(account, &mut judged);
        }
        self.disk(facts.disk, &mut judged);
        judged
    }

    /// The bound of a rule that is on, and whether its incident is open.
    fn bound(self, flow: Option<&str>, rule: Rule, id: &str) -> Option<(Option<Bound>, bool)> {
        let setting = flow.map_or_else(|| self.rules.setting(rule), |flow| self.rules.of_flow(flow, rule));
        setting.is_on.then_some((setting.bound, self.open.contains(id)))
    }

    fn flow(self, flow: &FlowFacts, judged: &mut Judged) {
        let rules = [Rule::RunFailed, Rule::RunUnreconciled, Rule::DeadLetters, Rule::Lag, Rule::NoRecords];
        for rule in rules {
            let id = format!("{}/{}", rule.name(), flow.name);
            let Some((Some(bound), is_open)) = self.bound(Some(&flow.name), rule, &id) else { continue };
            let found = match (rule, bound) {
                (Rule::RunFailed, Bound::Count(n)) => {
                    runs(flow, n, is_open, |run| run.verdict == Verdict::Failed, run_failed)
                }
                (Rule::RunUnreconciled, Bound::Count(n)) => runs(flow, n, is_open, is_unproved, run_unreconciled),
                (Rule::DeadLetters, Bound::Count(n)) => dead_letters(flow, u64::from(n)),
                (Rule::Lag, Bound::Time(bound)) => self.lag(flow, bound, is_open),
                (Rule::NoRecords, bound) => self.no_records(flow, bound),
                _ => continue,
            };
            judged.add(id, rule, About::Flow(flow.name.clone()), found);
        }
    }

    fn lag(self, flow: &FlowFacts, bound: Duration, is_open: bool) -> Found {
        // A flow that people start is behind as long as they let it be, unless its own file says otherwise.
        if flow.every.is_none() && !self.rules.is_set_for(&flow.name, Rule::Lag) {
            return Found::Good;
        }
        let Some(up_to) = flow.up_to else { return Found::Unknown };
        let bound = if is_open { bound * 4 / 5 } else { bound };
        let allowed = bound + flow.every.unwrap_or_default();
        let lag = Duration::try_from(self.now.duration_since(up_to)).unwrap_or_default();
        if lag <= allowed {
            return Found::Good;
        }
        let at = self.clock(up_to);
        Found::Bad(Said {
            what: texts::LAG.fill(&[("flow", Hole::Text(&flow.name)), ("at", Hole::Text(&at))]),
            advice: texts::FIX_LAG.fill(&[]),
            documents: some(flow.pending),
            since: Some(up_to),
        })
    }

    fn no_records(self, flow: &FlowFacts, bound: Bound) -> Found {
        let rhythm = self.rhythms.get(&flow.name);
        let Some(last) = rhythm.and_then(Rhythm::last) else { return Found::Unknown };
        // A run that fails says so by itself, and what does not run is behind.
        let newest = flow.runs.iter().find(|run| !run.was_stopped);
        if newest.is_none_or(|run| run.verdict == Verdict::Failed) {
            return Found::Unknown;
        }
        let usual = rhythm.and_then(Rhythm::usual);
        let longest = match (bound, usual) {
            (Bound::Time(longest), _) => longest,
            (Bound::Times(n), Some(usual)) => usual.saturating_mul(n),
            _ => return Found::Unknown,
        };
        // Measured to the last run, not to now: between two runs nobody can know.
        let seen = newest.map_or(last, |run| run.started);
        if Duration::try_from(seen.duration_since(last)).unwrap_or_default() <= longest {
            return Found::Good;
        }
        let (at, name) = (self.clock(last), Hole::Text(&flow.name));
        let what = match (bound, usual) {
            (Bound::Times(_), Some(usual)) => {
                texts::NO_RECORDS.fill(&[("flow", name), ("at", Hole::Text(&at)), ("usual", Hole::Length(usual))])
            }
            _ => texts::NO_RECORDS_FOR.fill(&[("flow", name), ("at", Hole::Text(&at))]),
        };
        let advice = texts::FIX_NO_RECORDS.fill(&[("flow", name)]);
        Found::Bad(Said { what, advice, documents: None, since: Some(last) })
    }

    fn account(self, account: &AccountFacts, judged: &mut Judged) {
        let name = Hole::Text(&account.name);
        let about = || About::Account(account.name.clone());
        let id = |rule: Rule| format!("{}/{}", rule.name(), account.name);
        let rule = Rule::TokenExpires;
        if let Some((Some(Bound::Time(bound)), _)) = self.bound(None, rule, &id(rule))
            && let Some(ends) = account.access_ends
            && Duration::try_from(ends.duration_since(self.now)).unwrap_or_default() <= bound
        {
            let phrase = if ends > self.now { texts::TOKEN_EXPIRES } else { texts::TOKEN_EXPIRED };
            let said = Said {
                what: phrase.fill(&[("account", name), ("at", Hole::Text(&self.clock(ends)))]),
                advice: texts::FIX_TOKEN_EXPIRES.fill(&[("account", name)]),
                documents: None,
                since: None,
            };
            judged.findings.push(said.named(id(rule), rule, about()));
        }
        let rule = Rule::TokenRefused;
        if let Some((_, _)) = self.bound(None, rule, &id(rule))
            && let Some(refused) = &account.token_refused
        {
            let said = Said {
                what: with_reason(texts::TOKEN_REFUSED.fill(&[("account", name)]), Some(&refused.reason)),
                advice: texts::FIX_TOKEN_REFUSED.fill(&[("account", name)]),
                documents: None,
                since: refused.since,
            };
            judged.findings.push(said.named(id(rule), rule, about()));
        }
        let rule = Rule::QuotaLow;
        if account.quotas.is_empty() {
            let own = format!("{}/", id(rule));
            judged.unknown.extend(self.open.iter().filter(|open| open.starts_with(&own)).cloned());
        }
        for quota in account.quotas.iter().filter(|quota| quota.per >= Duration::from_hours(24) && quota.calls > 0) {
            let id = format!("{}/{}/{}", rule.name(), account.name, tell_length(quota.per, Lang::En).replace(' ', ""));
            if let Some((Some(Bound::Percent(percent)), is_open)) = self.bound(None, rule, &id)
                && is_short(quota, percent, is_open)
            {
                let said = Said {
                    what: texts::QUOTA_LOW.fill(&[
                        ("account", name),
                        ("left", Hole::Count(quota.left)),
                        ("calls", Hole::Count(quota.calls)),
                        ("per", Hole::Length(quota.per)),
                    ]),
                    advice: texts::FIX_QUOTA_LOW.fill(&[]),
                    documents: None,
                    since: None,
                };
                judged.findings.push(said.named(id, rule, about()));
            }
        }
    }

    fn disk(self, disk: Option<DiskFacts>, judged: &mut Judged) {
        let id = Rule::DiskLow.name().to_owned();
        let Some((Some(bound), is_open)) = self.bound(None, Rule::DiskLow, &id) else { return };
        let Some(disk) = disk else {
            judged.unknown.insert(id);
            return;
        };
        let least = match bound {
            Bound::Bytes(bytes) => u128::from(bytes),
            Bound::Percent(percent) => u128::from(disk.total) * u128::from(percent) / 100,
            _ => return,
        };
        let least = if is_open { least * 6 / 5 } else { least };
        if u128::from(disk.free) < least {
            let said = Said {
                what: texts::DISK_LOW.fill(&[
                    ("free", Hole::Text(&tell_size(disk.free))),
                    ("total", Hole::Text(&tell_size(disk.total))),
                ]),
                advice: texts::FIX_DISK_LOW.fill(&[]),
                documents: None,
                since: None,
            };
            judged.findings.push(said.named(id, Rule::DiskLow, About::Machine));
        }
    }

    /// An instant as people of the installation read it.
    fn clock(self, at: Timestamp) -> String {
        tell_instant(at, self.zone)
    }
}

/// Whether the last `n` runs are bad; an open incident ends after two good ones.
fn runs(
    flow: &FlowFacts,
    n: u32,
    is_open: bool,
    is_bad: fn(&RunFacts) -> bool,
    say: fn(&FlowFacts, &RunFacts, usize, Option<&RunFacts>) -> Said,
) -> Found {
    let ended: Vec<&RunFacts> = flow.runs.iter().filter(|run| !run.was_stopped).collect();
    let Some(newest) = ended.first() else { return Found::Unknown };
    let n_bad = ended.iter().take_while(|run| is_bad(run)).count();
    if n_bad == 0 {
        let is_rare = ended.get(1).is_some_and(|before| {
            newest.started.duration_since(before.started) >= jiff::SignedDuration::try_from(RARE).expect("six hours")
        }) || flow.every.is_some_and(|every| every >= RARE);
        let n_good = ended.iter().take_while(|run| !is_bad(run)).count();
        let wanted = if is_rare { 1 } else { GOOD_RUNS };
        let last_bad = ended.iter().find(|run| is_bad(run));
        return match last_bad {
            Some(bad) if is_open && n_good < wanted => Found::Bad(say(flow, bad, 0, None)),
            _ => Found::Good,
        };
    }
    if n_bad < n as usize && !is_open {
        return Found::Good;
    }
    Found::Bad(say(flow, newest, n_bad, Some(ended[n_bad - 1])))
}

/// An instant as people of a zone read it, to the minute.
pub(crate) fn tell_instant(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `1.5 GB`, with one digit after the point.
fn tell_size(bytes: u64) -> String {
    let units = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let (unit, size) = units.into_iter().find(|(_, size)| bytes >= *size).unwrap_or(("B", 1));
    let tenths = bytes / (size / 10).max(1);
    if size == 1 { format!("{bytes} B") } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// Whether too few calls are left; an open incident ends ten points above the bound, or at twice it if that is less.
fn is_short(quota: &QuotaFacts, percent: u8, is_open: bool) -> bool {
    let percent = u128::from(percent);
    let percent = if is_open { (percent * 2).min(percent + 10) } else { percent };
    u128::from(quota.left) * 100 < u128::from(quota.calls) * percent
}

/// Whether a run left something unproved, or undelivered that is no dead letter.
fn is_unproved(run: &RunFacts) -> bool {
    run.verdict == Verdict::Unreconciled || run.verdict == Verdict::Partial && run.pending > 0
}

fn run_failed(flow: &FlowFacts, run: &RunFacts, n: usize, first: Option<&RunFacts>) -> Said {
    let name = ("flow", Hole::Text(&flow.name));
    let what = match n {
        0 => texts::RUN_UNSTEADY.fill(&[name]),
        1 => texts::RUN_FAILED.fill(&[name]),
        n => texts::RUNS_FAILED.fill(&[name, ("n", Hole::Count(n as u64))]),
    };
    Said {
        what: with_reason(what, run.reason.as_ref()),
        advice: texts::FIX_RUN_FAILED.fill(&[]),
        documents: some(flow.pending),
        since: first.map(|run| run.ended),
    }
}

fn run_unreconciled(flow: &FlowFacts, run: &RunFacts, n: usize, first: Option<&RunFacts>) -> Said {
    let name = ("flow", Hole::Text(&flow.name));
    let is_undelivered = run.verdict == Verdict::Partial;
    let what = match (n, is_undelivered) {
        (0, _) => texts::UNPROVED_UNSTEADY.fill(&[name]),
        (_, true) => texts::UNDELIVERED.fill(&[name]),
        (_, false) => texts::UNRECONCILED.fill(&[name, ("n", Hole::Count(flow.open_slices))]),
    };
    let advice: Phrase = if is_undelivered { texts::FIX_UNDELIVERED } else { texts::FIX_UNRECONCILED };
    Said {
        what: with_reason(what, run.reason.as_ref()),
        advice: advice.fill(&[]),
        documents: some(flow.pending),
        since: first.map(|run| run.ended),
    }
}

fn dead_letters(flow: &FlowFacts, least: u64) -> Found {
    if flow.dead_letters < least {
        return Found::Good;
    }
    let name = ("flow", Hole::Text(&flow.name));
    Found::Bad(Said {
        what: texts::DEAD_LETTERS.fill(&[name, ("n", Hole::Count(flow.dead_letters))]),
        advice: texts::FIX_DEAD_LETTERS.fill(&[name]),
        documents: Some(flow.dead_letters),
        since: None,
    })
}

/// What happened, and why, where that is known.
pub(crate) fn with_reason(what: Words, reason: Option<&Words>) -> Words {
    match reason {
        Some(reason) => texts::WITH_REASON.fill(&[("what", Hole::Words(&what)), ("reason", Hole::Words(reason))]),
        None => what,
    }
}

/// No documents are not worth a line.
fn some(n: u64) -> Option<u64> {
    (n > 0).then_some(n)
}

/// What is said about something that is wrong.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) what: Words,
    pub(crate) advice: Words,
    pub(crate) documents: Option<u64>,
    pub(crate) since: Option<Timestamp>,
}

impl Said {
    pub(crate) fn named(self, id: String, rule: Rule, about: About) -> Finding {
        let Self { what, advice, documents, since } = self;
        Finding { id, rule, about, what, advice, documents, since }
    }
}

/// What a rule found.
enum Found {
    Good,
    Bad(Said),
    Unknown,
}

impl Judged {
    fn add(&mut self, id: String, rule: Rule, about: About, found: Found) {
        match found {
            Found::Good => {}
            Found::Bad(said) => self.findings.push(said.named(id, rule, about)),
            Found::Unknown => drop(self.unknown.insert(id)),
        }
    }
}
