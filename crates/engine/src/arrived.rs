//! A dead letter whose outcome nobody knew, and which a person has found at the target.

use milkrun_core::state::{Change, Lease, LedgerRow, Stage};
use milkrun_core::{Error, ErrorKind, Key, Record, Result};
use milkrun_mapping::{Outcome, Output};

use crate::flow::{Flow, Surroundings};
use crate::prepare::Marker;

/// Writes into the ledger that the record of a dead letter has arrived as the letter shows it, and settles the letter.
///
/// From then on it counts as delivered: it is not sent again, and a later version of it goes out as a change, under
/// `remote_id` where that is given. Returns the record's key.
///
/// # Errors
/// - [`ErrorKind::NotFound`] if there is no such letter.
/// - [`ErrorKind::ConfigInvalid`] if its record was refused and so cannot have arrived, or if one id is given for several
///   documents.
/// - Those of the lease and the store.
pub async fn arrived(flow: &Flow, around: &Surroundings, letter: u64, remote_id: Option<String>) -> Result<Key> {
    flow.validate()?;
    let lease = around.store.acquire(&flow.name, around.clock.now()).await?;
    let outcome = note(flow, around, lease, letter, remote_id).await;
    around.store.release(lease).await?;
    outcome
}

async fn note(flow: &Flow, around: &Surroundings, lease: Lease, number: u64, remote_id: Option<String>) -> Result<Key> {
    let found = around.store.dead_letters(lease.flow, number.saturating_sub(1), 1).await?.pop();
    let Some(letter) = found.filter(|letter| letter.id == number) else {
        let error = Error::new(ErrorKind::NotFound, "there is no such dead letter");
        let error = error.with("flow", &flow.name).with("number", number);
        return Err(error.advise(format!("`milkrun dead-letters {}` lists them", flow.name)));
    };
    if letter.stage != Stage::Unknown {
        let error = Error::config("the record was refused, so it has not arrived").with("number", number);
        return Err(error.with("stage", letter.stage.as_str()).advise("mend the reason and replay it"));
    }
    let record = Record::parse(letter.record)?;
    let mark = Marker::new(&flow.stream)?.mark(&record);
    let unreadable = || Error::new(ErrorKind::State, "the dead letter's record has no key").with("number", number);
    let key = mark.key.clone().ok_or_else(unreadable)?;
    // A record of several documents is delivered when all of them are, each under a key of its own.
    let keys: Vec<Key> = if flow.mapping.explodes() {
        let mapped = flow.mapping.apply(&record, &mut Output::new());
        let n = match mapped.map_err(|e| Error::config(e.to_string()).with("number", number))? {
            Outcome::Mapped { n } => n,
            Outcome::Filtered => 0,
        };
        (0..n).map(|n| Key::Text(format!("{key}#{n}"))).collect()
    } else {
        vec![key.clone()]
    };
    if remote_id.is_some() && keys.len() != 1 {
        let error = Error::config("the record gives several documents, and one id cannot be that of all");
        return Err(error.with("documents", keys.len()).advise("mark it without an id"));
    }
    let known = around.store.seen(lease.flow, keys.clone()).await?;
    let row = |(key, known): (Key, Option<milkrun_core::state::LedgerEntry>)| LedgerRow {
        key,
        entry: mark.entry(remote_id.clone().or_else(|| known.and_then(|known| known.remote_id))),
        page: letter.page,
        index: 0,
        idempotency_key: None,
        at: around.clock.now(),
    };
    let rows = keys.into_iter().zip(known).map(row).collect();
    around.store.commit(lease, vec![Change::Ledger(rows), Change::DeadLetterSettled(number)]).await?;
    tracing::info!(flow = flow.name, %key, number, "a dead letter was marked as arrived");
    Ok(key)
}
