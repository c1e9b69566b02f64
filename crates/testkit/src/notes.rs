//! Notes and records in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use milkrun_core::Result;
use milkrun_core::notes::{Entry, Notes};

/// Notes in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryNotes(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    notes: BTreeMap<(String, String), String>,
    lines: Vec<(String, Entry)>,
    last: u64,
}

impl MemoryNotes {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder panics")
    }
}

#[async_trait]
impl Notes for MemoryNotes {
    async fn notes(&self, shelf: &str) -> Result<Vec<(String, String)>> {
        let inner = self.inner();
        let of_shelf = inner.notes.iter().filter(|((on, _), _)| on == shelf);
        Ok(of_shelf.map(|((_, name), text)| (name.clone(), text.clone())).collect())
    }

    async fn note(&self, shelf: &str, name: &str) -> Result<Option<String>> {
        Ok(self.inner().notes.get(&(shelf.to_owned(), name.to_owned())).cloned())
    }

    async fn put_notes(&self, shelf: &str, notes: Vec<(String, Option<String>)>) -> Result<()> {
        let mut inner = self.inner();
        for (name, text) in notes {
            let at = (shelf.to_owned(), name);
            match text {
                Some(text) => inner.notes.insert(at, text),
                None => inner.notes.remove(&at),
            };
        }
        Ok(())
    }

    async fn record(&self, shelf: &str, at: Timestamp, text: &str) -> Result<u64> {
        let mut inner = self.inner();
        inner.last += 1;
        let id = inner.last;
        inner.lines.push((shelf.to_owned(), Entry { id, at, text: text.to_owned() }));
        Ok(id)
    }

    async fn recorded(&self, shelf: &str, before: Option<u64>, limit: u32) -> Result<Vec<Entry>> {
        let inner = self.inner();
        let wanted = |(on, entry): &&(String, Entry)| on == shelf && before.is_none_or(|before| entry.id < before);
        let newest_first = inner.lines.iter().rev().filter(wanted);
        Ok(newest_first.take(limit as usize).map(|(_, entry)| entry.clone()).collect())
    }

    async fn forget_recorded(&self, shelf: &str, before: Timestamp) -> Result<u64> {
        let mut inner = self.inner();
        let n_before = inner.lines.len();
        inner.lines.retain(|(on, entry)| on != shelf || entry.at >= before);
        Ok((n_before - inner.lines.len()) as u64)
    }
}
