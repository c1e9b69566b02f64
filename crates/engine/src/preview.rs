//! What a run would do with records, by the same comparison and the same mapping, without doing it.

use std::collections::HashMap;

use milkrun_core::state::LedgerEntry;
use milkrun_core::target::Idempotency;
use milkrun_core::{Key, Record, Result, SinkKind};
use milkrun_mapping::Output;

use crate::flow::{Flow, Surroundings};
use crate::prepare::{Mark, Marker, News};

/// What a run would do with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Deliver it: the target does not have it.
    New,
    /// Deliver it: the target has an older version.
    Changed {
        /// The target's id of it, if it gave one.
        remote_id: Option<String>,
    },
    /// Nothing: the target has it as it is.
    Unchanged,
    /// Nothing: the target has a newer version.
    Older,
    /// Nothing: the flow's filter drops it.
    Filtered,
    /// Make it a dead letter, for this reason.
    Refused(String),
}

/// A record, what it would become, and what would happen to it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its key, if it has one.
    pub key: Option<Key>,
    /// The record.
    pub record: Record,
    /// Its documents; none if it cannot be mapped or is dropped.
    pub documents: Vec<String>,
    /// What a run would do.
    pub fate: Fate,
}

/// Judges records as the next run would.
///
/// Of several records with one key, each is judged as if those before it had been delivered.
///
/// # Errors
/// Those of the store.
pub async fn judge(flow: &Flow, around: &Surroundings, records: Vec<Record>) -> Result<Vec<Judged>> {
    let marker = Marker::new(&flow.stream)?;
    let id = around.store.flow_id(&flow.name).await?;
    // Of a target that is called, each document of a record has a row of its own in the ledger.
    let one_by_one = matches!(flow.sink, SinkKind::Calls(_)) && flow.mapping.explodes();
    let mut judged = Vec::with_capacity(records.len());
    let mut rows: Vec<(Mark, Vec<Key>, Option<String>)> = Vec::with_capacity(records.len());
    let mut output = Output::new();
    for record in records {
        let mark = marker.mark(&record);
        output.clear();
        let refusal = flow.mapping.apply(&record, &mut output).err().map(|error| error.to_string());
        let documents: Vec<String> = output.iter().map(str::to_owned).collect();
        let keys = match &mark.key {
            None => Vec::new(),
            Some(key) if one_by_one => (0..documents.len()).map(|n| document_key(key, n)).collect(),
            Some(key) => vec![key.clone()],
        };
        judged.push(Judged { key: mark.key.clone(), record, documents, fate: Fate::Filtered });
        rows.push((mark, keys, refusal));
    }
    let wanted: Vec<Key> = rows.iter().flat_map(|(_, keys, _)| keys.clone()).collect();
    let known = match id {
        Some(id) => around.store.seen(id, wanted.clone()).await?,
        None => vec![None; wanted.len()],
    };
    let mut ledger: HashMap<Key, LedgerEntry> =
        wanted.into_iter().zip(known).filter_map(|(key, entry)| Some((key, entry?))).collect();
    for (one, (mark, keys, refusal)) in judged.iter_mut().zip(rows) {
        one.fate = fate(flow, &mark, &keys, refusal, one.documents.is_empty(), &mut ledger);
    }
    Ok(judged)
}

/// What becomes of one record; what would be delivered goes into `ledger`.
fn fate(
    flow: &Flow,
    mark: &Mark,
    keys: &[Key],
    refusal: Option<String>,
    is_dropped: bool,
    ledger: &mut HashMap<Key, LedgerEntry>,
) -> Fate {
    if mark.key.is_none() {
        return Fate::Refused(no_key(flow));
    }
    let news =
        |key: &Key| (flow.news(mark, ledger.get(key)), ledger.get(key).and_then(|entry| entry.remote_id.clone()));
    let all: Vec<(News, Option<String>)> = keys.iter().map(news).collect();
    let idle = |news: News| matches!(news, News::Unchanged | News::Older);
    // A record of several documents is done when all of them are; the first one that is not says what is to be done.
    let Some((news, remote_id)) = all.iter().find(|(news, _)| !idle(*news)).or(all.first()).cloned() else {
        return refusal.map_or(Fate::Filtered, Fate::Refused);
    };
    match (news, refusal) {
        (News::Unchanged, _) => return Fate::Unchanged,
        (News::Older, _) => return Fate::Older,
        (_, Some(reason)) => return Fate::Refused(reason),
        (News::New | News::Changed, None) if is_dropped => return Fate::Filtered,
        (News::Changed, None) if flow.target.only_new && (remote_id.is_some() || is_local(flow)) => {
            return Fate::Refused("the target takes new documents only, and the record has changed".to_owned());
        }
        (News::New | News::Changed, None) => {}
    }
    for key in keys {
        let remote_id = ledger.get(key).and_then(|entry| entry.remote_id.clone());
        ledger.insert(key.clone(), mark.entry(remote_id));
    }
    if news == News::New { Fate::New } else { Fate::Changed { remote_id } }
}

/// Whether the target is a medium of this machine, which needs no id of its own to know a document again.
fn is_local(flow: &Flow) -> bool {
    flow.target.idempotency == Idempotency::CommittedLength
}

/// The ledger's key for one of several documents of a record.
pub(crate) fn document_key(key: &Key, n: usize) -> Key {
    Key::Text(format!("{key}#{n}"))
}

/// Why a record without a key is refused.
pub(crate) fn no_key(flow: &Flow) -> String {
    let fields = flow.stream.key.join(", ");
    format!("the record has no key: `{fields}` is missing, null or not a plain value")
}
