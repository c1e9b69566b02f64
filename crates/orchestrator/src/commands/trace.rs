//! `milkrun trace`: what became of one record.

use milkrun_core::Record;
use milkrun_core::state::TraceEntry;
use serde_json::{Value, json};

use super::{Here, Outcome, dead_letters};
use crate::cli;
use crate::desk::trace::{Delivered, Mapped, Pending, find};
use crate::show::{Out, beijing, without_nulls};
use crate::text::{self, fill};
use crate::wiring::{Secrets, open_accounts, prepare_flows};

pub(super) async fn trace(here: Here<'_>, ask: &cli::Trace) -> Outcome {
    let out = here.out;
    let (installation, mut reports) = here.load()?;
    let Some(state) = here.look(&installation).await? else {
        out.json(&json!({ "id": ask.id, "found": [], "dead_letters": [], "pending": [] }));
        out.line(out.say(text::NOTHING_READ_YET));
        return Ok(1);
    };
    // Mistakes in the files must not keep anybody from looking at what was delivered.
    let accounts = open_accounts(&installation, |_| true, Secrets::StandIn, out.lang, &mut reports).await?;
    let flows = prepare_flows(&installation, &accounts, Some(&state), |_| true, out.lang, &mut reports).await?;
    let found = find(&state, &flows, &ask.id, ask.flow.as_deref()).await?;
    out.json(&json!({
        "id": ask.id,
        "found": found.delivered.iter().map(found_json).collect::<Vec<_>>(),
        "dead_letters": found.dead.iter().map(|(flow, letter)| {
            let mut value = dead_letters::json_of(letter);
            value["flow"] = flow.as_str().into();
            value
        }).collect::<Vec<_>>(),
        "pending": found.pending.iter().map(pending_json).collect::<Vec<_>>(),
    }));
    for one in &found.delivered {
        show(out, one);
    }
    for one in &found.pending {
        out.line("");
        out.heading(&fill!(out.lang, text::TRACED, flow = one.flow, key = one.key));
        let state = if one.was_sent { text::WAITS_FOR_OUTCOME } else { text::WAITS };
        out.line(format!("  {}", fill!(out.lang, state, page = one.page)));
        show_mapped(out, &one.mapped);
    }
    for (flow, letter) in &found.dead {
        out.line("");
        out.line(fill!(out.lang, text::IN_DEAD_LETTERS, flow = flow));
        dead_letters::show(out, letter, true);
    }
    if found.delivered.is_empty() && found.dead.is_empty() && found.pending.is_empty() {
        out.line(fill!(out.lang, text::NOT_FOUND, id = ask.id));
        return Ok(1);
    }
    Ok(0)
}

fn pending_json(pending: &Pending) -> Value {
    without_nulls(json!({
        "flow": pending.flow,
        "key": pending.key.to_string(),
        "page": pending.page,
        "was_sent": pending.was_sent,
        "record": pending.mapped.record.as_ref().map(Record::text),
        "documents": pending.mapped.documents,
        "problem": pending.mapped.problem,
    }))
}

fn found_json(found: &Delivered) -> Value {
    let TraceEntry { flow, row, .. } = &found.entry;
    json!({
        "flow": flow,
        "key": row.key.to_string(),
        "delivered_at": row.at,
        "remote_id": row.entry.remote_id,
        "idempotency_key": row.idempotency_key,
        "version": row.entry.version,
        "run": found.run,
        "mapping_now": found.mapping_now,
        "page": row.page,
        "record": found.mapped.record.as_ref().map(Record::text),
        "documents": found.mapped.documents,
        "problem": found.mapped.problem,
    })
}

fn show(out: &Out, found: &Delivered) {
    let TraceEntry { flow, row, .. } = &found.entry;
    out.line("");
    out.heading(&fill!(out.lang, text::TRACED, flow = flow, key = row.key));
    out.line(fill!(out.lang, text::DELIVERED_AT, at = beijing(row.at), page = row.page));
    out.line(by_run(out, found));
    if let Some(id) = &row.entry.remote_id {
        out.line(fill!(out.lang, text::REMOTE_ID, id = id));
    }
    if let Some(key) = &row.idempotency_key {
        out.line(fill!(out.lang, text::SENT_WITH_KEY, key = key));
    }
    show_mapped(out, &found.mapped);
}

/// Which run delivered it, and whether the mapping is still the same.
fn by_run(out: &Out, found: &Delivered) -> String {
    let Some(run) = &found.run else { return out.say(text::BY_RUN_UNKNOWN).to_owned() };
    let (id, started) = (run.id, beijing(run.started));
    match (&run.mapping, &found.mapping_now) {
        (Some(mapping), Some(now)) if mapping == now => {
            fill!(out.lang, text::BY_RUN_SAME, run = id, started = started, mapping = mapping)
        }
        (Some(mapping), now) => {
            let now = now.as_deref().unwrap_or("–");
            fill!(out.lang, text::BY_RUN_OTHER, run = id, started = started, mapping = mapping, now = now)
        }
        (None, _) => fill!(out.lang, text::BY_RUN, run = id, started = started),
    }
}

fn show_mapped(out: &Out, mapped: &Mapped) {
    let labelled = |label, what: &str| out.line(format!("  {}", out.lang.labelled(out.say(label), what)));
    match &mapped.record {
        Some(record) => labelled(text::SOURCE_RECORD, record.text()),
        None => out.line(format!("  {}", out.say(text::RECORD_NOT_KEPT))),
    }
    for document in &mapped.documents {
        labelled(text::DOCUMENT, document);
    }
    if let Some(problem) = &mapped.problem {
        labelled(text::STAGE_MAPPING, &out.retell(problem));
    }
}
