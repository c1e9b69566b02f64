//! `milkrun status`: where each flow stands.

use milkrun_core::state::{FlowSummary, StateStore as _};
use serde_json::{Value, json};

use super::{Here, Outcome};
use crate::desk::flows::proved_until;
use crate::show::{Align, Out, Table, beijing, number};
use crate::text::{self, fill};

pub(super) async fn status(here: Here<'_>) -> Outcome {
    let out = here.out;
    let (installation, _) = here.load()?;
    let known = match here.look(&installation).await? {
        Some(state) => state.store.flows().await?,
        None => Vec::new(),
    };
    let never: Vec<&String> = installation.flow_names.iter().filter(|n| known.iter().all(|k| k.name != **n)).collect();
    let mut all: Vec<Value> = known.iter().map(|flow| summary_json(flow, &installation.flow_names)).collect();
    all.extend(never.iter().map(|name| json!({ "name": name, "last_run": null })));
    out.json(&json!({ "flows": all }));
    let columns = [
        (out.say(text::COLUMN_FLOW), Align::Left),
        (out.say(text::COLUMN_VERDICT), Align::Left),
        (out.say(text::COLUMN_LAST_RUN), Align::Left),
        (out.say(text::COLUMN_UP_TO), Align::Left),
        (out.say(text::COLUMN_DELIVERED), Align::Right),
        (out.say(text::COLUMN_OPEN), Align::Right),
        (out.say(text::COLUMN_PENDING), Align::Right),
        (out.say(text::COLUMN_DEAD), Align::Right),
    ];
    let mut table = Table::new(&columns);
    for flow in &known {
        table.row(row(out, flow));
    }
    for name in never {
        table.row([name.clone(), out.say(text::NEVER_RUN).to_owned()]);
    }
    if table.is_empty() {
        out.line(out.say(text::NO_FLOWS));
    } else {
        table.show(out);
    }
    for flow in &known {
        if let Some(left) = &flow.backfill {
            let (from, until, n) = (beijing(left.from), beijing(left.until), number(left.slices));
            out.line(fill!(out.lang, text::OPEN_BACKFILL, flow = flow.name, from = from, until = until, n = n));
        }
    }
    Ok(0)
}

fn summary_json(flow: &FlowSummary, files: &[String]) -> Value {
    let mut value = serde_json::to_value(flow).expect("it is plain data");
    value["has_file"] = files.contains(&flow.name).into();
    if let Some(run) = &flow.last_run {
        // The report is kept as text; here it is a part of the document.
        let mut report = serde_json::from_str(&run.report).unwrap_or(Value::Null);
        if run.ended.is_none()
            && let Some(report) = report.as_object_mut()
        {
            // What it has left in case it is cut off is no verdict, and while it is under way nothing has cut it off.
            report.remove("verdict");
            if flow.under_way().is_some() {
                report.remove("reason");
            }
        }
        value["last_run"]["report"] = report;
        value["last_run"]["is_under_way"] = flow.under_way().is_some().into();
    }
    value
}

fn row(out: &Out, flow: &FlowSummary) -> Vec<String> {
    let run = flow.last_run.as_ref();
    let verdict = match (&flow.running, run.map(|run| (run.ended, run.verdict))) {
        (Some(holder), _) => fill!(out.lang, text::RUNNING, who = out.lang.retell(&holder.who)),
        (None, Some((Some(_), Some(verdict)))) => out.verdict(verdict),
        (None, Some(_)) => out.say(text::CUT_OFF).to_owned(),
        (None, None) => out.say(text::NEVER_RUN).to_owned(),
    };
    let when = run.map(|run| beijing(run.ended.unwrap_or(run.started))).unwrap_or_default();
    let up_to = proved_until(flow).map(beijing).unwrap_or_default();
    vec![
        flow.name.clone(),
        verdict,
        when,
        up_to,
        number(flow.ledger),
        number(flow.open_slices),
        number(flow.pending),
        number(flow.dead_letters),
    ]
}
