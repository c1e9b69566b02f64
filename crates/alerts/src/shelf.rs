//! What is kept, and where: incidents, conditions of channels, and rhythms of flows, each on a shelf of notes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use milkrun_core::{Notes, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::condition::Condition;
use crate::incident::Incident;
use crate::rhythm::Rhythm;

/// Incidents that are open or not told of yet; those that are past are a record on the same shelf.
const INCIDENTS: &str = "alerts.incidents";
/// The condition of each channel.
const CHANNELS: &str = "alerts.channels";
/// The rhythm of each flow.
const RHYTHMS: &str = "alerts.rhythms";

/// The incidents: the open ones first, then the others, each newest first, `limit` at most.
///
/// # Errors
/// Those of the store.
pub async fn incidents(notes: &dyn Notes, limit: u32) -> Result<Vec<Incident>> {
    let mut all = load_incidents(notes).await?;
    let mut seen: BTreeSet<String> = all.iter().map(Incident::key).collect();
    // One that was recorded just before a crash is still on the shelf.
    for entry in notes.recorded(INCIDENTS, None, limit).await? {
        if let Some(incident) = read::<Incident>("incident", &entry.text)
            && seen.insert(incident.key())
        {
            all.push(incident);
        }
    }
    all.sort_by_key(|incident| (!incident.is_open(), std::cmp::Reverse(incident.found)));
    all.truncate(limit as usize);
    Ok(all)
}

/// Forgets incidents that ended before `before`, and says how many; with `dry`, only says it. One that is open, or
/// that somebody is still to be told of, stays.
///
/// # Errors
/// Those of the store.
pub async fn forget_incidents(notes: &dyn Notes, before: Timestamp, dry: bool) -> Result<u64> {
    if dry {
        let all = notes.recorded(INCIDENTS, None, u32::MAX).await?;
        return Ok(all.iter().filter(|entry| entry.at < before).count() as u64);
    }
    notes.forget_recorded(INCIDENTS, before).await
}

/// The incidents that are open or not told of yet.
pub(crate) async fn load_incidents(notes: &dyn Notes) -> Result<Vec<Incident>> {
    let all = notes.notes(INCIDENTS).await?;
    Ok(all.iter().filter_map(|(_, text)| read("incident", text)).collect())
}

/// Writes incidents down; `None` takes one away, once it has been recorded.
pub(crate) async fn put_incidents(notes: &dyn Notes, incidents: Vec<(String, Option<&Incident>)>) -> Result<()> {
    put(notes, INCIDENTS, incidents).await
}

/// Makes an incident a part of the past.
pub(crate) async fn record_incident(notes: &dyn Notes, incident: &Incident) -> Result<()> {
    notes.record(INCIDENTS, incident.until.unwrap_or(incident.found), &write(incident)).await.map(drop)
}

pub(crate) async fn load_condition(notes: &dyn Notes, channel: &str) -> Result<Condition> {
    let text = notes.note(CHANNELS, channel).await?;
    Ok(text.and_then(|text| read("condition", &text)).unwrap_or_default())
}

pub(crate) async fn put_condition(notes: &dyn Notes, channel: &str, condition: &Condition) -> Result<()> {
    put(notes, CHANNELS, vec![(channel.to_owned(), Some(condition))]).await
}

pub(crate) async fn load_rhythms(notes: &dyn Notes) -> Result<BTreeMap<String, Rhythm>> {
    let all = notes.notes(RHYTHMS).await?;
    Ok(all.iter().filter_map(|(flow, text)| Some((flow.clone(), read("rhythm", text)?))).collect())
}

pub(crate) async fn put_rhythms(notes: &dyn Notes, rhythms: Vec<(String, Option<&Rhythm>)>) -> Result<()> {
    put(notes, RHYTHMS, rhythms).await
}

async fn put<T: Serialize>(notes: &dyn Notes, shelf: &str, all: Vec<(String, Option<&T>)>) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let all = all.into_iter().map(|(name, value)| (name, value.map(write))).collect();
    notes.put_notes(shelf, all).await
}

fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("it is plain data")
}

/// A note; one that cannot be read, such as a newer version's, must not silence all others.
fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Option<T> {
    serde_json::from_str(text)
        .inspect_err(|error| tracing::warn!(%error, what, "a note of the alerts is unreadable"))
        .ok()
}
