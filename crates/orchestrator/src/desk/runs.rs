//! Runs as the console shows them: lists, single ones, the calendar.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use milkrun_console::model::{self, CalendarEntry, Counts, ProvedBy, RunPage, RunSummary, SliceState};
use milkrun_core::state::{Holder, RunRecord, StateStore};
use milkrun_core::{Error, ErrorKind, Result};
use milkrun_engine::Report;

use crate::serve::House;
use crate::text::{self, Lang, fill};

/// How many runs a flow shows at a glance.
const AT_A_GLANCE: u32 = 30;
/// The most runs of a page.
const MOST: u32 = 500;
/// The most entries of a calendar.
const MOST_ENTRIES: u32 = 20_000;

/// The figures of a run.
pub(crate) fn counts(counts: &milkrun_engine::Counts) -> Counts {
    Counts {
        pages: counts.pages,
        records: counts.records,
        new: counts.new,
        changed: counts.changed,
        unchanged: counts.unchanged,
        older: counts.older,
        filtered: counts.filtered,
        refused: counts.refused,
        pending: counts.pending,
        documents: counts.documents,
        open_slices: counts.open_slices,
        proved_slices: counts.proved_slices,
        splits: counts.splits,
        readings_in_vain: counts.readings_in_vain,
        expected: counts.expected,
    }
}

/// A run that has just ended.
pub(crate) fn summary_of_report(report: &Report) -> RunSummary {
    RunSummary {
        id: report.run,
        flow: report.flow.clone(),
        started: report.started,
        ended: Some(report.ended),
        verdict: Some(report.verdict.to_string()),
        reason: report.reason.clone(),
        is_under_way: false,
        run_by: None,
        records: report.counts.records,
        documents: report.counts.documents,
        calls: report.calls,
    }
}

/// A run of the history; its reason is still in English.
fn summary_of_record(flow: &str, run: &RunRecord) -> RunSummary {
    let report = serde_json::from_str::<Report>(&run.report).ok();
    // A run that failed before it began has a shorter report.
    let short = serde_json::from_str::<ShortReport>(&run.report).unwrap_or_default();
    RunSummary {
        id: run.id,
        flow: flow.to_owned(),
        started: run.started,
        ended: run.ended,
        verdict: run.verdict.map(|verdict| verdict.to_string()),
        reason: short.reason,
        is_under_way: false,
        run_by: None,
        records: report.as_ref().map_or(0, |report| report.counts.records),
        documents: report.as_ref().map_or(0, |report| report.counts.documents),
        calls: report.as_ref().map_or(0, |report| report.calls),
    }
}

/// What every report has.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct ShortReport {
    pub(crate) reason: Option<String>,
    pub(crate) error_kind: Option<String>,
}

/// The same in the language of its reader.
pub(crate) fn summary(mut run: RunSummary, lang: Lang) -> RunSummary {
    run.reason = run.reason.map(|reason| lang.retell(&reason).into_owned());
    run
}

/// A run has left word that it was cut off, in case it is; one that a living process is at is under way.
pub(super) fn as_it_stands(mut run: RunSummary, holder: Option<&Holder>, lang: Lang) -> RunSummary {
    if let Some(holder) = holder.filter(|holder| holder.is_at(run.started, run.ended)) {
        run.reason = None;
        run.is_under_way = true;
        run.run_by = (!holder.is_own).then(|| lang.retell(&holder.who).into_owned());
    }
    run
}

/// The last runs of flows, kept until a newer one is known.
#[derive(Debug, Default)]
pub(crate) struct Recents(Mutex<BTreeMap<String, (Seen, Vec<RunSummary>)>>);

/// By what a run is known that has not gone on since: its number, and when it ended.
type Seen = (u64, Option<Timestamp>);

impl Recents {
    /// The last runs of a flow, oldest first; `last` is the newest one.
    pub(super) async fn of(
        &self,
        store: &dyn StateStore,
        flow: &str,
        last: Option<&RunRecord>,
    ) -> Result<Vec<RunSummary>> {
        let Some(last) = last else { return Ok(Vec::new()) };
        let seen = (last.id, last.ended);
        if let Some((known, runs)) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(flow)
            && *known == seen
        {
            let mut runs = runs.clone();
            // While it has no end, it goes on.
            if let Some(newest) = runs.last_mut() {
                *newest = summary_of_record(flow, last);
            }
            return Ok(runs);
        }
        let Some(id) = store.flow_id(flow).await? else { return Ok(Vec::new()) };
        let runs = store.runs(id, None, AT_A_GLANCE).await?;
        let runs: Vec<RunSummary> = runs.iter().rev().map(|run| summary_of_record(flow, run)).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(flow.to_owned(), (seen, runs.clone()));
        Ok(runs)
    }
}

/// A page of the runs of a flow, newest first.
pub(super) async fn page(house: &House, flow: &str, before: Option<u64>, limit: u32, lang: Lang) -> Result<RunPage> {
    let Some(id) = house.flow_id(flow, lang).await? else { return Ok(RunPage { runs: Vec::new(), next: None }) };
    let limit = limit.clamp(1, MOST);
    let runs = house.state.store.runs(id, before, limit).await?;
    let next = runs.last().filter(|last| runs.len() == limit as usize && last.id > 1).map(|last| last.id);
    let holder = house.state.store.holder(id).await?;
    let shown = |run| as_it_stands(summary(summary_of_record(flow, run), lang), holder.as_ref(), lang);
    let runs = runs.iter().map(shown).collect();
    Ok(RunPage { runs, next })
}

/// One run.
pub(super) async fn one(house: &House, flow: &str, number: u64, lang: Lang) -> Result<model::Run> {
    let none = || Error::new(ErrorKind::NotFound, fill!(lang, text::NO_SUCH_RUN, flow = flow, number = number));
    let id = house.flow_id(flow, lang).await?.ok_or_else(none)?;
    let found = house.state.store.runs(id, number.checked_add(1), 1).await?.pop();
    let run = found.filter(|run| run.id == number).ok_or_else(none)?;
    let live = house.runs.live(flow, lang).filter(|live| live.id == number);
    let holder = house.state.store.holder(id).await?;
    let summary = as_it_stands(summary(summary_of_record(flow, &run), lang), holder.as_ref(), lang);
    let Ok(report) = serde_json::from_str::<Report>(&run.report) else {
        return Ok(model::Run {
            summary,
            counts: live.as_ref().map(|live| live.counts.clone()).unwrap_or_default(),
            proved: Vec::new(),
            open: Vec::new(),
            assumes: String::new(),
            promise: String::new(),
            place: None,
            live,
        });
    };
    let proved = report.proved.iter().map(|(plan, proved)| ProvedBy {
        plan: plan.clone(),
        slices: proved.slices,
        distinct: proved.distinct,
        total: proved.total,
    });
    let open = report.open.iter().map(|slice| SliceState {
        id: slice.id,
        covers: lang.retell(&slice.covers).into_owned(),
        from: slice.window.map(|window| window.from),
        until: slice.window.map(|window| window.until),
        pages: 0,
        records: 0,
        reason: Some(lang.retell(&slice.why).into_owned()).filter(|reason| !reason.is_empty()),
    });
    Ok(model::Run {
        summary,
        counts: counts(&report.counts),
        proved: proved.collect(),
        open: open.collect(),
        assumes: lang.retell(&report.assumes).into_owned(),
        promise: lang.retell(&report.promise).into_owned(),
        place: report.place.clone(),
        live,
    })
}

/// The runs of all flows that began in `[from, until)`, and those that are to begin in it, by time.
pub(super) async fn calendar(house: &House, from: Timestamp, until: Timestamp) -> Result<Vec<CalendarEntry>> {
    let now = house.state.clock.now();
    let past = house.state.store.runs_between(from, until, MOST_ENTRIES).await?;
    let mut all: Vec<CalendarEntry> = past
        .into_iter()
        .map(|run| CalendarEntry {
            flow: run.flow,
            at: run.started,
            ended: run.ended,
            run: Some(run.id),
            verdict: run.verdict.map(|verdict| verdict.to_string()),
            is_under_way: run.is_under_way,
        })
        .collect();
    let room = (MOST_ENTRIES as usize).saturating_sub(all.len());
    let coming = house.timetable.upcoming(from.max(now), until, room).await;
    all.extend(coming.into_iter().map(|start| CalendarEntry {
        flow: start.flow,
        at: start.at,
        ended: None,
        run: None,
        verdict: None,
        is_under_way: false,
    }));
    all.sort_by(|a, b| (a.at, &a.flow).cmp(&(b.at, &b.flow)));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_an_end_is_under_way_only_where_a_living_process_is_at_it() {
        let at = |secs| Timestamp::from_second(secs).unwrap();
        let report = r#"{"reason":"the run was cut off"}"#.to_owned();
        let record = RunRecord { id: 3, started: at(5), ended: None, verdict: None, report };
        let holder = |since, is_own| Holder { who: "process 12 on host".to_owned(), since: at(since), is_own };
        let shown = |holder: Option<Holder>, lang| {
            let run = as_it_stands(summary(summary_of_record("f", &record), lang), holder.as_ref(), lang);
            (run.is_under_way, run.run_by, run.reason)
        };
        let cut = |reason: &str| (false, None, Some(reason.to_owned()));
        assert_eq!(shown(None, Lang::En), cut("the run was cut off"));
        // Who took the right later is not at this run.
        assert_eq!(shown(Some(holder(6, false)), Lang::Zh), cut("运行被中断"));
        assert_eq!(shown(Some(holder(5, true)), Lang::En), (true, None, None));
        let who = |who: &str| (true, Some(who.to_owned()), None);
        assert_eq!(shown(Some(holder(4, false)), Lang::En), who("process 12 on host"));
        assert_eq!(shown(Some(holder(4, false)), Lang::Zh), who("host 上的进程 12"));
    }
}
