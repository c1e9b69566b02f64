//! `milkrun doctor`: what is wrong with state, clock, disk, accounts, files and flows, and how to mend it.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::quota::Rate;
use milkrun_core::state::{FlowSummary, Holder, StateStore as _, Verdict};
use milkrun_core::{Error, ErrorKind, Result};
use milkrun_engine::timetable::Schedule;
use milkrun_store::SqliteStore;
use serde::Serialize;

use super::disk::{disk, growth, state_bytes};
use crate::config::{AccountConfig, Installation, Reports, write_duration, write_size};
use crate::show::{beijing, number};
use crate::text::{self, Lang, Text, fill};
use crate::wiring::{Accounts, State};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Health {
    /// As it should be.
    Good,
    /// It works, and will not for ever.
    Warning,
    /// Something does not work.
    Bad,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the field is called so in the API")]
pub(crate) struct Finding {
    /// What was looked at: `state`, `clock`, `disk`, `accounts`, `files` or `flows`.
    pub(crate) what: &'static str,
    /// How bad it is.
    pub(crate) health: Health,
    /// What was found.
    pub(crate) finding: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<String>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patient<'a> {
    pub(crate) installation: &'a Installation,
    /// What was found in the files, with accounts opened and flows prepared.
    pub(crate) reports: &'a Reports,
    pub(crate) accounts: &'a Accounts,
    /// The state, nothing if there is none yet, or why it does not open.
    pub(crate) state: std::result::Result<Option<&'a State>, &'a Error>,
    pub(crate) lang: Lang,
    /// Whether the state file is read whole, which may take long.
    pub(crate) deep: bool,
    /// Whether the vendors' hosts are asked for the time.
    pub(crate) online: bool,
    /// Now.
    pub(crate) now: Timestamp,
}

/// The state grows to fill the disk within so many days: bad, or a warning.
const DAYS_BAD: i64 = 7;
const DAYS_WARNING: i64 = 30;
/// Less room than this is bad whatever the growth.
const LEAST_FREE: u64 = 1 << 30;
/// A clock may differ by so much from a vendor's: signatures of most vendors are good for ten minutes.
const SKEW_WARNING: SignedDuration = SignedDuration::from_secs(30);
const SKEW_BAD: SignedDuration = SignedDuration::from_mins(5);
/// How long a host is waited for.
const HOST_WAIT: Duration = Duration::from_secs(5);
/// A token that ends this soon, and that nothing renews, is a warning.
const TOKEN_DAYS: i64 = 7;
/// A flow may lag behind by so much beyond the longest pause of its timetable, as alerts have it by default.
const LAG: Duration = Duration::from_hours(2);
/// A first run that was cut off more often than this is taken for a later one.
const MOST_CUT_OFF: u32 = 100;

/// Looks at everything and says what was found, the worst of each part first.
pub(crate) async fn diagnose(patient: Patient<'_>) -> Vec<Finding> {
    let mut seen = Seen { lang: patient.lang, all: Vec::new() };
    match patient.state {
        Err(error) => seen.error("state", error),
        Ok(None) => seen.good("state", patient.lang.say(text::NOTHING_READ_YET)),
        Ok(Some(state)) => {
            for outcome in [
                look_at_state(patient, state, &mut seen).await,
                look_at_history(patient, state, &mut seen).await,
                look_at_disk(state, &mut seen).await,
                look_at_tokens(patient, state, &mut seen).await,
                look_at_flows(patient, state, &mut seen).await,
            ] {
                if let Err(error) = outcome {
                    seen.error("state", &error);
                }
            }
        }
    }
    if patient.online {
        ask_hosts(patient, &mut seen).await;
    }
    look_at_quotas(patient, &mut seen);
    look_at_files(patient, &mut seen);
    let order = ["state", "clock", "disk", "accounts", "files", "flows"];
    let place = |finding: &Finding| order.iter().position(|what| *what == finding.what);
    seen.all.sort_by_key(|finding| (place(finding), std::cmp::Reverse(finding.health)));
    seen.all
}

struct Seen {
    lang: Lang,
    all: Vec<Finding>,
}

impl Seen {
    fn add(&mut self, what: &'static str, health: Health, finding: impl Into<String>, advice: Option<String>) {
        self.all.push(Finding { what, health, finding: finding.into(), advice });
    }

    fn good(&mut self, what: &'static str, finding: impl Into<String>) {
        self.add(what, Health::Good, finding, None);
    }

    fn warn(&mut self, what: &'static str, finding: impl Into<String>, advice: Text) {
        self.add(what, Health::Warning, finding, Some(self.lang.say(advice).to_owned()));
    }

    fn bad(&mut self, what: &'static str, finding: impl Into<String>, advice: Text) {
        self.add(what, Health::Bad, finding, Some(self.lang.say(advice).to_owned()));
    }

    fn error(&mut self, what: &'static str, error: &Error) {
        let finding = self.lang.retell(error.message()).into_owned();
        let advice = error.help().map(|help| self.lang.retell(help).into_owned());
        self.add(what, Health::Bad, finding, advice);
    }

    /// Whether nothing worse than good was found there.
    fn is_good(&self, what: &str) -> bool {
        self.all.iter().all(|finding| finding.what != what || finding.health == Health::Good)
    }
}

async fn look_at_state(patient: Patient<'_>, state: &State, seen: &mut Seen) -> Result<()> {
    let lang = patient.lang;
    if patient.deep {
        for line in state.store.integrity(3).await? {
            seen.bad("state", fill!(lang, text::DOC_DAMAGED, finding = line), text::DOC_DAMAGED_HELP);
        }
    }
    for (flow, owner) in state.store.dead_leases().await? {
        seen.warn("state", fill!(lang, text::DOC_DEAD_LEASE, flow = flow, owner = owner), text::DOC_DEAD_LEASE_HELP);
    }
    for summary in state.store.flows().await? {
        let Some(id) = state.store.flow_id(&summary.name).await? else { continue };
        let there: BTreeSet<u32> =
            state.journal.segments(&summary.name).await?.iter().map(|segment| segment.number).collect();
        let (_, needed) = state.store.needed_pages(id).await?;
        for segment in state.store.segments_in_use(id).await?.into_iter().filter(|n| !there.contains(n)) {
            let file = state.journal.path_of(&summary.name, segment);
            let finding = fill!(lang, text::DOC_SEGMENT_MISSING, flow = summary.name, file = file.display());
            if segment >= needed {
                seen.bad("state", finding, text::DOC_SEGMENT_NEEDED_HELP);
            } else {
                seen.warn("state", finding, text::DOC_SEGMENT_HELP);
            }
        }
    }
    if seen.is_good("state") {
        let sizes = state.store.sizes(&state.journal).await?;
        let whole = if patient.deep { text::DOC_STATE_GOOD } else { text::DOC_STATE_SHALLOW };
        let found = fill!(
            lang,
            whole,
            schema = SqliteStore::schema_version(),
            database = write_size(sizes.database),
            pages = write_size(sizes.journal),
            rows = number(sizes.ledger_rows)
        );
        seen.good("state", found);
    }
    Ok(())
}

/// Whether the clock is behind what it has been.
async fn look_at_history(patient: Patient<'_>, state: &State, seen: &mut Seen) -> Result<()> {
    let flows = state.store.flows().await?;
    let newest =
        flows.iter().filter_map(|flow| flow.last_run.as_ref()).map(|run| run.ended.unwrap_or(run.started)).max();
    if let Some(newest) = newest.filter(|newest| *newest > patient.now + SKEW_WARNING) {
        let finding = fill!(patient.lang, text::DOC_CLOCK_BEHIND, now = beijing(patient.now), newest = beijing(newest));
        seen.bad("clock", finding, text::DOC_CLOCK_HELP);
    }
    Ok(())
}

async fn look_at_disk(state: &State, seen: &mut Seen) -> Result<()> {
    let lang = seen.lang;
    let disk = match disk(state.store.folder()) {
        Ok(disk) => disk,
        Err(error) => {
            seen.error("disk", &error);
            return Ok(());
        }
    };
    let growth = growth(state).await?.filter(|growth| *growth > 0);
    let days = growth.map(|growth| i64::try_from(disk.free).unwrap_or(i64::MAX) / growth);
    let (free, total) = (write_size(disk.free), write_size(disk.total));
    let size = write_size(state_bytes(state).await?);
    let found = match (growth, days) {
        (Some(growth), Some(days)) => {
            let growth = write_size(growth.unsigned_abs());
            fill!(lang, text::DOC_DISK_GROWS, free = free, total = total, size = size, growth = growth, days = days)
        }
        _ => fill!(lang, text::DOC_DISK, free = free, total = total, size = size),
    };
    if disk.free < LEAST_FREE || days.is_some_and(|days| days < DAYS_BAD) {
        seen.bad("disk", found, text::DOC_DISK_HELP);
    } else if days.is_some_and(|days| days < DAYS_WARNING) {
        seen.warn("disk", found, text::DOC_DISK_HELP);
    } else {
        seen.good("disk", found);
    }
    Ok(())
}

async fn look_at_tokens(patient: Patient<'_>, state: &State, seen: &mut Seen) -> Result<()> {
    let lang = patient.lang;
    for config in &patient.installation.accounts {
        let name = &config.name;
        let renews = patient.accounts.get(name).is_some_and(|account| account.tokens.is_some());
        let Some(facts) = state.store.token_facts(name).await? else { continue };
        if let Some(reason) = &facts.dead {
            let finding = fill!(lang, text::DOC_TOKEN_DEAD, account = name, reason = lang.retell(reason));
            seen.bad("accounts", finding, text::DOC_TOKEN_HELP);
            continue;
        }
        if facts.is_unfinished {
            seen.warn(
                "accounts",
                fill!(lang, text::DOC_TOKEN_UNFINISHED, account = name),
                text::DOC_TOKEN_UNFINISHED_HELP,
            );
        }
        let Some(expires) = facts.expires else {
            if facts.since.is_some() {
                seen.good("accounts", fill!(lang, text::DOC_TOKEN_ENDLESS, account = name));
            }
            continue;
        };
        let left = expires.duration_since(patient.now);
        if left.is_negative() && !renews {
            let finding = fill!(lang, text::DOC_TOKEN_ENDED, account = name, end = beijing(expires));
            seen.bad("accounts", finding, text::DOC_TOKEN_HELP);
        } else if left.is_negative() {
            // The next call renews it; whether the vendor still allows that shows then.
            let finding = fill!(lang, text::DOC_TOKEN_ENDED, account = name, end = beijing(expires));
            seen.warn("accounts", finding, text::DOC_TOKEN_RENEW_HELP);
        } else {
            let left = write_duration(Duration::from_secs(left.as_secs().unsigned_abs() / 60 * 60));
            let found = fill!(lang, text::DOC_TOKEN_LEFT, account = name, left = left, end = beijing(expires));
            if !renews && expires.duration_since(patient.now) < SignedDuration::from_hours(24 * TOKEN_DAYS) {
                seen.warn("accounts", found, text::DOC_TOKEN_HELP);
            } else {
                seen.good("accounts", found);
            }
        }
    }
    Ok(())
}

async fn look_at_flows(patient: Patient<'_>, state: &State, seen: &mut Seen) -> Result<()> {
    let lang = patient.lang;
    let known = state.store.flows().await?;
    let mut n_have_run = 0;
    for name in &patient.installation.flow_names {
        let flow = known.iter().find(|flow| flow.name == *name);
        let first_by = match flow {
            Some(flow) => at_first_run(state, flow).await?,
            None => None,
        };
        match flow {
            Some(flow) if flow.last_run.is_some() || first_by.is_some() => {
                n_have_run += usize::from(first_by.is_none());
                look_at_flow(patient, flow, first_by, seen);
            }
            _ => seen.warn("flows", fill!(lang, text::DOC_FLOW_NEVER, flow = name), text::DOC_FLOW_NEVER_HELP),
        }
    }
    if n_have_run > 0 && seen.is_good("flows") {
        seen.good("flows", fill!(lang, text::DOC_FLOWS_GOOD, n = n_have_run));
    }
    Ok(())
}

/// Who is at a flow's first run, if that is under way: no run before it has come to its end.
async fn at_first_run<'a>(state: &State, flow: &'a FlowSummary) -> Result<Option<&'a Holder>> {
    // Whoever begins a run has the right to it before there is a record of it.
    let Some(run) = &flow.last_run else { return Ok(flow.running.as_ref()) };
    let (Some(holder), Some(id)) = (flow.under_way(), state.store.flow_id(&flow.name).await?) else { return Ok(None) };
    let before = state.store.runs(id, Some(run.id), MOST_CUT_OFF).await?;
    // Runs have numbers from 1 on; one that is not kept any more had an end.
    let are_all = before.len() as u64 + 1 == run.id;
    Ok(Some(holder).filter(|_| are_all && before.iter().all(|run| run.ended.is_none())))
}

/// `first_by` is at the flow's first run.
fn look_at_flow(patient: Patient<'_>, flow: &FlowSummary, first_by: Option<&Holder>, seen: &mut Seen) {
    let lang = patient.lang;
    let name = &flow.name;
    let run = flow.last_run.as_ref();
    let says_who = |seen: &mut Seen, words, holder: &Holder| {
        seen.good("flows", fill!(lang, words, flow = name, who = lang.retell(&holder.who)));
    };
    match run.map(|run| (run.ended, run.verdict)) {
        _ if let Some(holder) = first_by => says_who(seen, text::DOC_FLOW_FIRST, holder),
        Some((None, _)) if let Some(holder) = flow.under_way() => says_who(seen, text::DOC_FLOW_RUNS, holder),
        Some((_, Some(Verdict::Failed))) => {
            let report: serde_json::Value =
                run.and_then(|run| serde_json::from_str(&run.report).ok()).unwrap_or_default();
            let reason = lang.retell(report["reason"].as_str().unwrap_or_default()).into_owned();
            let is_dead = report["error_kind"] == ErrorKind::TokenDead.as_str();
            let advice = if is_dead { text::DOC_TOKEN_HELP } else { text::DOC_FLOW_FAILED_HELP };
            seen.bad("flows", fill!(lang, text::DOC_FLOW_FAILED, flow = name, reason = reason), advice);
        }
        Some((_, Some(Verdict::Unreconciled))) => {
            seen.warn("flows", fill!(lang, text::DOC_FLOW_UNPROVED, flow = name), text::DOC_FLOW_UNPROVED_HELP);
        }
        Some((None, _)) => {
            seen.warn("flows", fill!(lang, text::DOC_FLOW_CUT, flow = name), text::DOC_FLOW_CUT_HELP);
        }
        _ => {}
    }
    if flow.dead_letters > 0 {
        let finding = fill!(lang, text::DOC_FLOW_LETTERS, flow = name, n = number(flow.dead_letters));
        seen.warn("flows", finding, text::DOC_FLOW_LETTERS_HELP);
    }
    let planned = flow.planned.iter().map(|(_, until)| *until).min();
    let config = patient.installation.flows.iter().find(|config| config.name == *name);
    let schedule = config.and_then(|config| config.schedule.as_ref());
    if let Some(proved) = planned.filter(|planned| is_behind(*planned, schedule, patient.now)) {
        let finding = fill!(lang, text::DOC_FLOW_LAG, flow = name, until = beijing(proved));
        seen.warn("flows", finding, text::DOC_FLOW_LAG_HELP);
    }
}

/// Whether a flow that is read up to there should be further. One that people start is as far as they want it.
fn is_behind(planned: Timestamp, schedule: Option<&Schedule>, now: Timestamp) -> bool {
    let Some(pause) = schedule.and_then(|schedule| schedule.longest_pause(now)) else { return false };
    Duration::try_from(now.duration_since(planned)).is_ok_and(|lag| lag > pause + LAG)
}

/// Compares the clock with the `Date` that the accounts' hosts answer with.
async fn ask_hosts(patient: Patient<'_>, seen: &mut Seen) {
    let lang = patient.lang;
    let hosts: BTreeSet<String> = patient.installation.accounts.iter().flat_map(hosts_of).collect();
    let Ok(client) = milkrun_core::transport::client() else { return };
    let asked = hosts.into_iter().map(|host| {
        let client = client.clone();
        async move {
            let asking = client.head(&host).timeout(HOST_WAIT).send();
            // What the clock says is taken when the answer is there.
            let date =
                asking.await.ok().and_then(|answer| Some(answer.headers().get("date")?.to_str().ok()?.to_owned()));
            (host, date.as_deref().and_then(http_date), Timestamp::now())
        }
    });
    let mut unknown = Vec::new();
    for (host, date, now) in futures_util::future::join_all(asked).await {
        let Some(date) = date else {
            unknown.push(host);
            continue;
        };
        let skew = now.duration_since(date);
        let secs = skew.as_secs();
        let finding = fill!(lang, text::DOC_CLOCK_SKEW, host = host, secs = secs);
        if skew.abs() > SKEW_BAD {
            seen.bad("clock", finding, text::DOC_CLOCK_HELP);
        } else if skew.abs() > SKEW_WARNING {
            seen.warn("clock", finding, text::DOC_CLOCK_HELP);
        } else {
            seen.good("clock", finding);
        }
    }
    if !unknown.is_empty() {
        let finding = fill!(lang, text::DOC_CLOCK_UNKNOWN, hosts = unknown.join(", "));
        seen.warn("clock", finding, text::DOC_CLOCK_UNKNOWN_HELP);
    }
}

/// The addresses in an account's settings, or those that its connector has where nothing is set: scheme and host.
fn hosts_of(config: &AccountConfig) -> Vec<String> {
    let of = |name: &str, value: Option<&str>| {
        // Where people are sent in a browser is not where calls go.
        let is_call = !["redirect", "authorize", "auth_url", "login"].iter().any(|word| name.contains(word));
        value.filter(|_| is_call).and_then(host_of)
    };
    let set: Vec<String> = config.settings.iter().filter_map(|(name, value)| of(name, value.as_str())).collect();
    if !set.is_empty() {
        return set;
    }
    let schema = (config.connector.schema)().to_value();
    let properties = schema.get("properties").and_then(serde_json::Value::as_object);
    let usual = properties.into_iter().flatten();
    usual.filter_map(|(name, about)| of(name, about.get("default").and_then(serde_json::Value::as_str))).collect()
}

/// `https://host:port` of an address.
fn host_of(address: &str) -> Option<String> {
    let scheme = ["https://", "http://"].iter().find(|scheme| address.starts_with(**scheme))?;
    let host = address[scheme.len()..].split(['/', '?', '#']).next()?;
    // Nobody's password is sent to see what time it is.
    (!host.is_empty() && !host.contains('@')).then(|| format!("{scheme}{host}"))
}

/// An HTTP date as servers write it today: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix(" GMT")?;
    let at = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S", text).ok()?;
    jiff::tz::TimeZone::UTC.to_ambiguous_timestamp(at).compatible().ok()
}

/// Limits that are set wider than the vendor's.
fn look_at_quotas(patient: Patient<'_>, seen: &mut Seen) {
    let lang = patient.lang;
    for config in &patient.installation.accounts {
        let Some(set) = &config.quota else { continue };
        for vendor in (config.connector.quota)().account.rates {
            let allowed = set.iter().map(|rate| allows(*rate, vendor.per)).min();
            if allowed.is_none_or(|allowed| allowed > u128::from(vendor.calls)) {
                let vendor = format!("{}/{}", vendor.calls, write_duration(vendor.per));
                let finding = fill!(lang, text::DOC_QUOTA_WIDE, account = config.name, vendor = vendor);
                seen.warn("accounts", finding, text::DOC_QUOTA_WIDE_HELP);
            }
        }
    }
}

/// The most calls that a limit lets through in a window of that length, as long as it is not shorter than the limit's.
fn allows(rate: Rate, window: Duration) -> u128 {
    let n_windows = if rate.per.is_zero() { 1 } else { window.as_nanos().div_ceil(rate.per.as_nanos()).max(1) };
    u128::from(rate.calls) * n_windows
}

fn look_at_files(patient: Patient<'_>, seen: &mut Seen) {
    let lang = patient.lang;
    for (health, files) in [(Health::Bad, patient.reports.mistakes()), (Health::Warning, patient.reports.warnings())] {
        for file in files {
            for one in &file.all {
                let (line, column) = file.line_column(one.span.start);
                let message = lang.retell(&one.message);
                let finding = format!("{}:{line}:{column}: {message}", file.file.display());
                let advice = one.help.as_deref().map(|help| lang.retell(help).into_owned());
                seen.add("files", health, finding, advice);
            }
        }
    }
    if seen.is_good("files") {
        let (accounts, flows) = (patient.installation.accounts.len(), patient.installation.flow_names.len());
        seen.good("files", fill!(lang, text::FILES_ARE_RIGHT, accounts = accounts, flows = flows));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read() {
        let read = |text| http_date(text).map(|at| at.to_string());
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT").as_deref(), Some("1994-11-06T08:49:37Z"));
        for text in ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_flow_is_behind_by_its_own_timetable() {
        use jiff::tz::TimeZone;
        use milkrun_engine::timetable::{Policy, Timetable};

        let now: Timestamp = "2026-11-27T02:00:00Z".parse().unwrap();
        let behind = |cron: &str, paused, hours| {
            let timetable = Timetable::parse(cron, &TimeZone::get("Asia/Shanghai").unwrap()).unwrap();
            let schedule = Schedule { timetable, policy: Policy::default(), paused };
            is_behind(now - SignedDuration::from_hours(hours), Some(&schedule), now)
        };
        assert!(!behind("0 * * * *", false, 3) && behind("0 * * * *", false, 4), "each hour");
        assert!(!behind("0 6 * * 1", false, 7 * 24 + 2) && behind("0 6 * * 1", false, 7 * 24 + 3), "each week");
        assert!(!behind("0 * * * *", true, 900), "one that is not followed");
        assert!(!is_behind(now - SignedDuration::from_hours(900), None, now), "one that people start");
    }

    #[test]
    fn only_scheme_and_host_are_asked() {
        assert_eq!(host_of("https://gw.example/router?x=1").as_deref(), Some("https://gw.example"));
        assert_eq!(host_of("http://127.0.0.1:8123").as_deref(), Some("http://127.0.0.1:8123"));
        for text in ["ftp://x", "gw.example", "https://", "https://user:pass@gw.example/"] {
            assert_eq!(host_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_limit_lets_through_whole_windows() {
        let rate = |calls, secs| Rate { calls, per: Duration::from_secs(secs) };
        assert_eq!(allows(rate(5, 1), Duration::from_mins(1)), 300);
        assert_eq!(allows(rate(100, 60), Duration::from_secs(1)), 100);
        assert_eq!(allows(rate(7, 40), Duration::from_mins(1)), 14);
    }
}
