//! What became of one record: found by its key or its business number, delivered, refused, or waiting.

use jiff::Timestamp;
use milkrun_console::model;
use milkrun_core::state::{DeadLetter, Journal as _, OutboxPage, StateStore as _, TraceEntry};
use milkrun_core::{Key, Record, Result};

use super::letters::{self, number_of};
use super::pages::{Pages, record_of, text_of};
use crate::commands::map;
use crate::text::Lang;
use crate::wiring::{Prepared, State};

/// How many journalled pages of a flow are searched for a number that is not the key.
const MOST_PAGES: usize = 5_000;
/// How many pages of the outbox are listed at a time.
const PAGES: u32 = 200;
/// How many dead letters are looked through at a time.
const LETTERS: u32 = 500;

/// Everything that was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) delivered: Vec<Delivered>,
    /// Refused records, each with its flow and its business number.
    pub(crate) dead: Vec<(String, DeadLetter)>,
    pub(crate) pending: Vec<Pending>,
}

/// One place where the record was delivered.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) entry: TraceEntry,
    pub(crate) mapped: Mapped,
    /// The run that delivered it, where the history still has it.
    pub(crate) run: Option<model::DeliveringRun>,
    /// The fingerprint of the mapping as it is now.
    pub(crate) mapping_now: Option<String>,
}

/// The run that delivered what the ledger has from that instant; `None` if it is forgotten, or if it was none, such as a
/// replay of dead letters.
async fn delivering_run(state: &State, flow: i64, at: Timestamp) -> Result<Option<model::DeliveringRun>> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Told {
        mapping: Option<String>,
        ended: Option<Timestamp>,
    }
    let Some(run) = state.store.run_at(flow, at).await? else { return Ok(None) };
    let told: Told = serde_json::from_str(&run.report).unwrap_or_default();
    // One without an end was at work until its last word and a little longer, or is still.
    let is_under_way = match run.ended {
        Some(_) => false,
        None => state.store.holder(flow).await?.is_some_and(|holder| holder.is_at(run.started, run.ended)),
    };
    let ended = run.ended.unwrap_or_else(|| told.ended.unwrap_or(run.started) + milkrun_engine::NOTE_EVERY);
    let is_it = is_under_way || at.as_millisecond() <= ended.as_millisecond();
    Ok(is_it.then_some(model::DeliveringRun { id: run.id, started: run.started, mapping: told.mapping }))
}

/// One place where the record waits in the outbox.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) flow: String,
    pub(crate) key: Key,
    pub(crate) page: u64,
    /// Whether it was sent, and nobody knows yet what became of it.
    pub(crate) was_sent: bool,
    pub(crate) mapped: Mapped,
}

/// A record as it came, and the documents that it gives with the mapping as it is now.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    pub(crate) record: Option<Record>,
    pub(crate) documents: Vec<String>,
    /// Why the mapping refuses it.
    pub(crate) problem: Option<String>,
}

impl Mapped {
    fn of(flow: Option<&Prepared>, record: Option<Record>) -> Self {
        let (mut documents, mut problem) = (Vec::new(), None);
        if let (Some(flow), Some(record)) = (flow, &record) {
            match map(&flow.mapping, record) {
                Ok(mapped) => documents = mapped,
                Err(error) => problem = Some(error.to_string()),
            }
        }
        Self { record, documents, problem }
    }
}

/// Looks for a record by its key, or by the number people know it by, in one flow or in all.
///
/// `flows` are those whose files can be used; of the others only keys are known.
///
/// # Errors
/// Those of the state.
pub(crate) async fn find(state: &State, flows: &[Prepared], id: &str, only: Option<&str>) -> Result<Found> {
    let wanted = |flow: &str| only.is_none_or(|only| only == flow);
    let mut entries = state.store.trace(&Key::of(id)).await?;
    let mut found = Found::default();
    for summary in state.store.flows().await?.into_iter().filter(|flow| wanted(&flow.name)) {
        let name = &summary.name;
        let Some(number) = state.store.flow_id(name).await? else { continue };
        let flow = flows.iter().find(|flow| flow.name == *name);
        if summary.dead_letters > 0 {
            let letters = dead(state, number, flow, id).await?;
            found.dead.extend(letters.into_iter().map(|letter| (name.clone(), letter)));
        }
        let mut is_found = entries.iter().any(|entry| entry.flow == *name);
        if let Some(flow) = flow.filter(|_| summary.pending > 0) {
            let waiting = pending(state, number, flow, id).await?;
            is_found |= !waiting.is_empty();
            found.pending.extend(waiting);
        }
        let is_dead = found.dead.iter().any(|(flow, _)| flow == name);
        if let Some(flow) = flow.filter(|_| !is_found && !is_dead)
            && let Some(key) = by_number(state, number, flow, id).await?
        {
            let more = state.store.trace(&key).await?;
            entries.extend(more.into_iter().filter(|entry| entry.flow == *name));
        }
    }
    entries.retain(|entry| wanted(&entry.flow));
    for entry in entries {
        let flow = flows.iter().find(|flow| flow.name == entry.flow);
        let record = match entry.journal {
            Some(at) => {
                let page = state.journal.read(&entry.flow, at).await.ok();
                page.and_then(|page| record_of(&page, entry.row.index as usize))
            }
            None => None,
        };
        let run = match state.store.flow_id(&entry.flow).await? {
            Some(id) => delivering_run(state, id, entry.row.at).await?,
            None => None,
        };
        let mapping_now = flow.map(|flow| flow.mapping.fingerprint());
        found.delivered.push(Delivered { entry, mapped: Mapped::of(flow, record), run, mapping_now });
    }
    Ok(found)
}

/// Whether a record has that key or that number.
fn is_it(flow: &Prepared, record: &Record, wanted: &str) -> bool {
    let number = || flow.stream.number.as_ref().and_then(|path| number_of(record, path));
    Key::read(record, &flow.stream.key) == Some(Key::of(wanted)) || number().as_deref() == Some(wanted)
}

/// The dead letters with that key or number.
async fn dead(state: &State, id: i64, flow: Option<&Prepared>, wanted: &str) -> Result<Vec<DeadLetter>> {
    let key = Key::of(wanted);
    let is_wanted = |letter: &DeadLetter| {
        let by_record = || {
            let record = Record::parse(letter.record.as_str()).ok();
            flow.zip(record).is_some_and(|(flow, record)| is_it(flow, &record, wanted))
        };
        letter.key.as_ref() == Some(&key) || (letter.record.contains(wanted) && by_record())
    };
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let letters = state.store.dead_letters(id, after, LETTERS).await?;
        let Some(last) = letters.last() else { return Ok(found) };
        after = last.id;
        found.extend(letters.into_iter().filter(is_wanted));
    }
}

/// The records with that key or number that were read and are not delivered yet.
async fn pending(state: &State, id: i64, flow: &Prepared, wanted: &str) -> Result<Vec<Pending>> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let pages: Vec<OutboxPage> = state.store.open_pages(id, after, PAGES).await?;
        let Some(last) = pages.last() else { return Ok(found) };
        after = Some(last.id);
        for page in pages {
            let Ok(entry) = state.journal.read(&flow.name, page.journal).await else { continue };
            if !entry.body.contains(wanted) {
                continue;
            }
            for index in page.todo.iter() {
                let Some(record) = record_of(&entry, index).filter(|record| is_it(flow, record, wanted)) else {
                    continue;
                };
                let Some(key) = Key::read(&record, &flow.stream.key) else { continue };
                let (page, was_sent) = (page.id, page.sent.has(index));
                let mapped = Mapped::of(Some(flow), Some(record));
                found.push(Pending { flow: flow.name.clone(), key, page, was_sent, mapped });
            }
        }
    }
}

/// The key of the newest journalled record with that number.
async fn by_number(state: &State, id: i64, flow: &Prepared, wanted: &str) -> Result<Option<Key>> {
    let Some(path) = &flow.stream.number else { return Ok(None) };
    let mut pages = Pages::newest(state, &flow.name, id, MOST_PAGES);
    while let Some(page) = pages.next().await? {
        if !page.body.contains(wanted) {
            continue;
        }
        for index in 0..page.records.len() {
            let Some(record) = text_of(&page, index).filter(|text| text.contains(wanted)) else { continue };
            let Ok(record) = Record::parse(record) else { continue };
            if number_of(&record, path).as_deref() == Some(wanted) {
                return Ok(Key::read(&record, &flow.stream.key));
            }
        }
    }
    Ok(None)
}

/// What was found, as its reader reads it.
pub(super) fn view(id: &str, found: Found, flows: &[Prepared], lang: Lang) -> model::Trace {
    let flow_of = |name: &str| flows.iter().find(|flow| flow.name == name);
    let traced = |flow: &str, key: &Key, page: u64, mapped: Mapped| {
        let known = flow_of(flow);
        model::Traced {
            flow: flow.to_owned(),
            key: key.to_string(),
            target: known.map(|flow| flow.target.name.clone()).unwrap_or_default(),
            delivered_at: None,
            remote_id: None,
            idempotency_key: None,
            page,
            record: mapped.record.map(|record| record.text().to_owned()),
            documents: mapped.documents,
            mapping_version: known.map(|flow| flow.mapping.fingerprint()),
            run: None,
            problem: mapped.problem.map(|problem| lang.retell(&problem).into_owned()),
        }
    };
    let delivered = found.delivered.into_iter().map(|delivered| {
        let row = delivered.entry.row;
        model::Traced {
            delivered_at: Some(row.at),
            remote_id: row.entry.remote_id,
            idempotency_key: row.idempotency_key,
            run: delivered.run,
            ..traced(&delivered.entry.flow, &row.key, row.page, delivered.mapped)
        }
    });
    let delivered = delivered.collect();
    let dead = found.dead.into_iter().map(|(flow, letter)| {
        let number = flow_of(&flow).and_then(|flow| flow.stream.number.as_deref());
        letters::view(&flow, letter, number, lang)
    });
    model::Trace {
        id: id.to_owned(),
        found: delivered,
        dead_letters: dead.collect(),
        pending: found.pending.into_iter().map(|p| traced(&p.flow, &p.key, p.page, p.mapped)).collect(),
    }
}
