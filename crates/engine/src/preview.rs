//! What a run would do with records, by the same comparison and the same mapping, without doing it.

use milkrun_core::{Key, Record, Result};
use milkrun_mapping::Output;

use crate::flow::{Flow, Surroundings};
use crate::prepare::{Marker, News};

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
/// # Errors
/// Those of the store.
pub async fn judge(flow: &Flow, around: &Surroundings, records: Vec<Record>) -> Result<Vec<Judged>> {
    let marker = Marker::new(&flow.stream)?;
    let marks: Vec<_> = records.iter().map(|record| marker.mark(record)).collect();
    let keys: Vec<Key> = marks.iter().filter_map(|mark| mark.key.clone()).collect();
    let known = match around.store.flow_id(&flow.name).await? {
        Some(id) => around.store.seen(id, keys).await?,
        None => vec![None; keys.len()],
    };
    let mut known = known.into_iter();
    let mut output = Output::new();
    let judged = records.into_iter().zip(marks).map(|(record, mark)| {
        output.clear();
        let mapped = flow.mapping.apply(&record, &mut output);
        let documents: Vec<String> = output.iter().map(str::to_owned).collect();
        let entry = mark.key.as_ref().and_then(|_| known.next().flatten());
        let fate = match (&mark.key, mark.news(entry.as_ref()), mapped) {
            (None, ..) => Fate::Refused(no_key(flow)),
            (_, News::Unchanged, _) => Fate::Unchanged,
            (_, News::Older, _) => Fate::Older,
            (.., Err(error)) => Fate::Refused(error.to_string()),
            (.., Ok(_)) if documents.is_empty() => Fate::Filtered,
            (_, News::New, _) => Fate::New,
            (_, News::Changed, _) => Fate::Changed { remote_id: entry.and_then(|entry| entry.remote_id) },
        };
        Judged { key: mark.key, record, documents, fate }
    });
    Ok(judged.collect())
}

/// Why a record without a key is refused.
pub(crate) fn no_key(flow: &Flow) -> String {
    let fields = flow.stream.key.join(", ");
    format!("the record has no key: `{fields}` is missing, null or not a plain value")
}
