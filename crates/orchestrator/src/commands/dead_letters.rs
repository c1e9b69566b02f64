//! `milkrun dead-letters`: the records of a flow that were refused, and why.

use milkrun_core::state::{DeadLetter, Stage, StateStore as _};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Here, Outcome};
use crate::cli;
use crate::show::{Out, beijing};
use crate::text::{self, fill};

pub(super) async fn dead_letters(here: Here<'_>, ask: &cli::DeadLetters) -> Outcome {
    let out = here.out;
    if let Some(number) = ask.arrived {
        return arrived(here, ask, number).await;
    }
    let (installation, _) = here.load()?;
    let mut letters = Vec::new();
    let limit = ask.limit as usize;
    let known = match here.look(&installation).await? {
        None => false,
        Some(state) => match state.store.flow_id(&ask.flow).await? {
            None => false,
            Some(flow) => {
                letters = state.store.dead_letters(flow, 0, ask.limit.saturating_add(1)).await?;
                true
            }
        },
    };
    if !known {
        // A flow that has run and lost its file still has its dead letters; one that is in neither is a mistake.
        here.require_flow(&installation, &ask.flow)?;
    }
    // One more than is listed was asked for, to see whether there is more.
    let has_more = letters.len() > limit;
    letters.truncate(limit);
    out.json(&json!({ "flow": ask.flow, "dead_letters": letters.iter().map(json_of).collect::<Vec<_>>() }));
    if letters.is_empty() {
        out.line(fill!(out.lang, text::NO_DEAD_LETTERS, flow = ask.flow));
        return Ok(0);
    }
    for letter in &letters {
        show(out, letter, ask.full);
    }
    if has_more {
        out.line(fill!(out.lang, text::MORE_LETTERS, limit = limit));
    }
    out.line("");
    out.line(fill!(out.lang, text::REPLAY_NEXT, flow = ask.flow));
    if letters.iter().any(|letter| letter.stage == Stage::Unknown) {
        out.line(fill!(out.lang, text::ARRIVED_NEXT, flow = ask.flow));
    }
    Ok(0)
}

/// Writes down what a person has found out about a record whose outcome was not known.
async fn arrived(here: Here<'_>, ask: &cli::DeadLetters, number: u64) -> Outcome {
    let out = here.out;
    let mut ready = here.ready(std::slice::from_ref(&ask.flow), &here.dir()).await?;
    let flow = ready.flows()?.remove(0);
    let key = milkrun_engine::arrived(&flow, &ready.state.surroundings(), number, ask.remote_id.clone()).await?;
    out.json(&json!({ "flow": ask.flow, "arrived": number, "key": key.to_string(), "remote_id": ask.remote_id }));
    out.line(fill!(out.lang, text::ARRIVED, key = key));
    Ok(0)
}

/// A dead letter with its record as JSON, byte for byte where that is possible.
pub(super) fn json_of(letter: &DeadLetter) -> Value {
    let record = serde_json::from_str::<Box<RawValue>>(&letter.record).ok();
    json!({
        "id": letter.id,
        "key": letter.key.as_ref().map(ToString::to_string),
        "stage": letter.stage.as_str(),
        "reason": letter.reason,
        "page": letter.page,
        "at": letter.at,
        // As text: going through numbers would change them.
        "record": record.map_or_else(|| letter.record.clone(), |raw| raw.get().to_owned()),
    })
}

pub(super) fn show(out: &Out, letter: &DeadLetter, full: bool) {
    let key = letter.key.as_ref().map_or_else(|| "—".to_owned(), ToString::to_string);
    out.line("");
    out.heading(&fill!(out.lang, text::DEAD_LETTER, id = letter.id, key = key));
    let who = match letter.stage {
        milkrun_core::state::Stage::Key => text::STAGE_KEY,
        milkrun_core::state::Stage::Mapping => text::STAGE_MAPPING,
        milkrun_core::state::Stage::Target => text::STAGE_TARGET,
        milkrun_core::state::Stage::Unknown => text::STAGE_UNKNOWN,
    };
    out.line(format!("  {}", out.lang.labelled(out.say(who), out.retell(&letter.reason))));
    out.line(format!("  {}", out.lang.labelled(out.say(text::SINCE), beijing(letter.at))));
    let record = if full { letter.record.clone() } else { cut(&letter.record, 200) };
    out.line(format!("  {record}"));
}

/// The beginning of a text.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
