//! `milkrun trace`: what became of one record.

use std::collections::BTreeMap;

use milkrun_core::record::plain_text;
use milkrun_core::state::{DeadLetter, Journal as _, JournalRef, StateStore as _, TraceEntry};
use milkrun_core::{Key, Record, Result};
use serde_json::{Value, json};

use super::{Here, Outcome, dead_letters, map};
use crate::cli;
use crate::show::{Out, beijing};
use crate::text::{self, fill};
use crate::wiring::{Prepared, Secrets, State, open_accounts, prepare_flows};

/// How many journalled pages of a flow are searched for a number that is not the key.
const MOST_PAGES: usize = 5_000;
/// How many are listed at a time.
const PAGES: u32 = 200;
/// How many dead letters of a flow are searched.
const MOST_DEAD: u32 = 100_000;

/// One place where the record was found.
struct Found {
    entry: TraceEntry,
    record: Option<Record>,
    documents: Vec<String>,
    problem: Option<String>,
}

pub(super) async fn trace(here: Here<'_>, ask: &cli::Trace) -> Outcome {
    let out = here.out;
    let (installation, mut reports) = here.load()?;
    let Some(state) = here.look(&installation).await? else {
        out.json(&json!({ "id": ask.id, "found": [], "dead_letters": [] }));
        out.line(out.say(text::NOTHING_READ_YET));
        return Ok(1);
    };
    // Mistakes in the files must not keep anybody from looking at what was delivered.
    let accounts = open_accounts(&installation, |_| true, Secrets::StandIn, out.lang, &mut reports).await?;
    let prepared = prepare_flows(&installation, &accounts, Some(&state), |_| true, out.lang, &mut reports).await?;
    let flows: BTreeMap<&str, &Prepared> = prepared.iter().map(|flow| (flow.name.as_str(), flow)).collect();
    let wanted = |flow: &str| ask.flow.as_deref().is_none_or(|only| only == flow);
    let mut entries = state.store.trace(&Key::of(&ask.id)).await?;
    let mut letters = Vec::new();
    for summary in state.store.flows().await?.into_iter().filter(|flow| wanted(&flow.name)) {
        let Some(id) = state.store.flow_id(&summary.name).await? else { continue };
        letters.extend(dead(&state, id, &summary.name, flows.get(summary.name.as_str()), &ask.id).await?);
        if entries.iter().any(|entry| entry.flow == summary.name) {
            continue;
        }
        if let Some(flow) = flows.get(summary.name.as_str())
            && let Some(key) = by_number(&state, id, flow, &ask.id).await?
        {
            let more = state.store.trace(&key).await?;
            entries.extend(more.into_iter().filter(|entry| entry.flow == summary.name));
        }
    }
    entries.retain(|entry| wanted(&entry.flow));
    let mut found = Vec::new();
    for entry in entries {
        let flow = flows.get(entry.flow.as_str()).copied();
        found.push(complete(&state, entry, flow).await);
    }
    out.json(&json!({
        "id": ask.id,
        "found": found.iter().map(found_json).collect::<Vec<_>>(),
        "dead_letters": letters.iter().map(|(flow, letter)| {
            let mut value = dead_letters::json_of(letter);
            value["flow"] = flow.as_str().into();
            value
        }).collect::<Vec<_>>(),
    }));
    for one in &found {
        show(out, one);
    }
    for (flow, letter) in &letters {
        out.line("");
        out.line(fill!(out.lang, text::IN_DEAD_LETTERS, flow = flow));
        dead_letters::show(out, letter, true);
    }
    if found.is_empty() && letters.is_empty() {
        out.line(fill!(out.lang, text::NOT_FOUND, id = ask.id));
        return Ok(1);
    }
    Ok(0)
}

/// The dead letters with that key or number.
async fn dead(
    state: &State,
    id: i64,
    name: &str,
    flow: Option<&&Prepared>,
    wanted: &str,
) -> Result<Vec<(String, DeadLetter)>> {
    let key = Key::of(wanted);
    let is_it = |letter: &DeadLetter| {
        let number = || {
            let path = flow?.stream.number.as_ref()?;
            let record = Record::parse(letter.record.clone()).ok()?;
            Some(number_of(&record, path)? == wanted)
        };
        letter.key.as_ref() == Some(&key) || (letter.record.contains(wanted) && number().unwrap_or(false))
    };
    let letters = state.store.dead_letters(id, 0, MOST_DEAD).await?;
    Ok(letters.into_iter().filter(is_it).map(|letter| (name.to_owned(), letter)).collect())
}

fn number_of(record: &Record, path: &str) -> Option<String> {
    Some(plain_text(&record.at(path)?)?.into_owned())
}

/// The key of the newest journalled record with that number.
async fn by_number(state: &State, id: i64, flow: &Prepared, wanted: &str) -> Result<Option<Key>> {
    let Some(path) = &flow.stream.number else { return Ok(None) };
    let mut before = None;
    let mut searched = 0;
    while searched < MOST_PAGES {
        let pages = state.store.journal_pages(id, before, PAGES).await?;
        let Some((last, _)) = pages.last() else { break };
        before = Some(*last);
        searched += pages.len();
        for (_, at) in pages {
            // A page that is gone with its retention is not searched.
            let Ok(entry) = state.journal.read(&flow.name, at).await else { continue };
            if !entry.body.contains(wanted) {
                continue;
            }
            for place in &entry.records {
                let Some(record) = cut(&entry.body, *place).filter(|text| text.contains(wanted)) else { continue };
                let Ok(record) = Record::parse(record) else { continue };
                if number_of(&record, path).as_deref() == Some(wanted) {
                    return Ok(Key::read(&record, &flow.stream.key));
                }
            }
        }
    }
    Ok(None)
}

/// The text of a record in its page.
fn cut(body: &str, (start, len): (u32, u32)) -> Option<&str> {
    body.get(start as usize..start as usize + len as usize)
}

/// The record as it came, and the documents it gives with today's mapping.
async fn complete(state: &State, entry: TraceEntry, flow: Option<&Prepared>) -> Found {
    let read = async |at: JournalRef| -> Option<Record> {
        let page = state.journal.read(&entry.flow, at).await.ok()?;
        let place = *page.records.get(entry.row.index as usize)?;
        Record::parse(cut(&page.body, place)?).ok()
    };
    let record = match entry.journal {
        Some(at) => read(at).await,
        None => None,
    };
    let mut documents = Vec::new();
    let mut problem = None;
    if let (Some(flow), Some(record)) = (flow, &record) {
        match map(&flow.mapping, record) {
            Ok(mapped) => documents = mapped,
            Err(error) => problem = Some(error.to_string()),
        }
    }
    Found { entry, record, documents, problem }
}

fn found_json(found: &Found) -> Value {
    let TraceEntry { flow, row, .. } = &found.entry;
    json!({
        "flow": flow,
        "key": row.key.to_string(),
        "delivered_at": row.at,
        "remote_id": row.entry.remote_id,
        "idempotency_key": row.idempotency_key,
        "version": row.entry.version,
        "page": row.page,
        "record": found.record.as_ref().map(Record::text),
        "documents": found.documents,
        "problem": found.problem,
    })
}

fn show(out: &Out, found: &Found) {
    let TraceEntry { flow, row, .. } = &found.entry;
    out.line("");
    out.heading(&fill!(out.lang, text::TRACED, flow = flow, key = row.key));
    out.line(fill!(out.lang, text::DELIVERED_AT, at = beijing(row.at), page = row.page));
    if let Some(id) = &row.entry.remote_id {
        out.line(fill!(out.lang, text::REMOTE_ID, id = id));
    }
    if let Some(key) = &row.idempotency_key {
        out.line(fill!(out.lang, text::SENT_WITH_KEY, key = key));
    }
    match &found.record {
        Some(record) => out.line(format!("  {}: {}", out.say(text::SOURCE_RECORD), record.text())),
        None => out.line(format!("  {}", out.say(text::RECORD_NOT_KEPT))),
    }
    for document in &found.documents {
        out.line(format!("  {}: {document}", out.say(text::DOCUMENT)));
    }
    if let Some(problem) = &found.problem {
        out.line(format!("  {}: {}", out.say(text::STAGE_MAPPING), out.retell(problem)));
    }
}
