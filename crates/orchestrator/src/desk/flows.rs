//! Flows as the console shows them: where each stands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use milkrun_console::model::{BackfillState, Elsewhere, Flow};
use milkrun_core::Result;
use milkrun_core::state::{FlowSummary, StateStore as _};

use super::runs::{as_it_stands, summary};
use crate::serve::{House, Loaded};
use crate::text::Lang;

/// All flows, by name: those with a file, and those of which only the past is known.
pub(super) async fn all(house: &House, lang: Lang) -> Result<Vec<Flow>> {
    let loaded = house.loaded();
    let mut known: BTreeMap<String, FlowSummary> =
        house.state.store.flows().await?.into_iter().map(|flow| (flow.name.clone(), flow)).collect();
    let mut names = loaded.installation.flow_names.clone();
    names.extend(known.keys().filter(|name| !loaded.installation.flow_names.contains(name)).cloned());
    names.sort();
    let mut flows = Vec::with_capacity(names.len());
    for name in names {
        let summary = known.remove(&name);
        flows.push(view(house, &loaded, &name, summary, lang).await?);
    }
    Ok(flows)
}

/// One flow.
pub(super) async fn one(house: &House, name: &str, lang: Lang) -> Result<Flow> {
    let loaded = house.loaded();
    let summary = house.state.store.flows().await?.into_iter().find(|flow| flow.name == name);
    if summary.is_none() {
        loaded.require_file(name, lang)?;
    }
    view(house, &loaded, name, summary, lang).await
}

async fn view(house: &House, loaded: &Loaded, name: &str, summary_of: Option<FlowSummary>, lang: Lang) -> Result<Flow> {
    let now = house.state.clock.now();
    let config = loaded.flow(name);
    let last = summary_of.as_ref().and_then(|flow| flow.last_run.as_ref());
    let recent = house.recents.of(&*house.state.store, name, last).await?;
    let running = house.runs.live(name, lang);
    let holder = summary_of.as_ref().and_then(|flow| flow.running.as_ref());
    let recent: Vec<_> = recent.into_iter().map(|run| as_it_stands(summary(run, lang), holder, lang)).collect();
    let elsewhere = holder.filter(|holder| !holder.is_own).map(|holder| Elsewhere {
        who: lang.retell(&holder.who).into_owned(),
        since: holder.since,
        run: last.filter(|run| holder.is_at(run.started, run.ended)).map(|run| run.id),
    });
    let text = |pick: fn(&crate::config::FlowConfig) -> &str| config.map_or_else(String::new, |c| pick(c).to_owned());
    let table = config.and_then(|config| config.schedule.as_ref()).map(|schedule| &schedule.timetable);
    let proved_until = summary_of.as_ref().and_then(proved_until);
    Ok(Flow {
        name: name.to_owned(),
        source_account: text(|c| &c.source.account.value),
        stream: text(|c| &c.source.stream.value),
        sink_account: text(|c| &c.sink.account.value),
        target: text(|c| &c.sink.target.value),
        is_usable: loaded.sound.contains(name),
        has_file: loaded.installation.flow_names.iter().any(|known| known == name),
        schedule: table.map(|table| table.text().to_owned()),
        schedule_words: table.map(|table| lang.title(&table.words()).to_owned()),
        next_start: house.timetable.state(name).await.and_then(|state| state.next),
        running,
        elsewhere,
        last_run: recent.iter().rev().find(|run| run.ended.is_some()).cloned(),
        recent,
        proved_until,
        lag_secs: proved_until.map(|until| lag(until, now)),
        delivered: summary_of.as_ref().map_or(0, |flow| flow.ledger),
        open_slices: summary_of.as_ref().map_or(0, |flow| flow.open_slices),
        pending: summary_of.as_ref().map_or(0, |flow| flow.pending),
        dead_letters: summary_of.as_ref().map_or(0, |flow| flow.dead_letters),
        backfills: summary_of
            .and_then(|flow| flow.backfill)
            .map(|left| BackfillState { from: left.from, until: left.until, open_slices: left.slices })
            .into_iter()
            .collect(),
    })
}

/// Up to where everything is read and proved, where nothing is open before it.
pub(crate) fn proved_until(flow: &FlowSummary) -> Option<Timestamp> {
    let planned = flow.planned.iter().find(|(axis, _)| axis.is_empty()).map(|(_, until)| *until);
    planned.filter(|_| flow.open_slices == 0)
}

/// The seconds from one instant to a later one.
fn lag(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.duration_since(from).as_secs()).unwrap_or(0)
}
