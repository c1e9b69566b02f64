//! A page made ready: keys, versions and fingerprints, worked out once.

use jiff::tz::TimeZone;
use milkrun_core::record::{Finder, plain_text};
use milkrun_core::state::LedgerEntry;
use milkrun_core::stream::{StreamSpec, read_stamp, zone};
use milkrun_core::{Error, ErrorKind, Key, Page, Record, Result};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::reading::PageFacts;

/// What tells one version of a record from another.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) key: Option<Key>,
    pub(crate) version: Option<i64>,
    pub(crate) fingerprint: u128,
}

/// What is to be done with a record, given what the ledger knows of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    New,
    Changed,
    Unchanged,
    Older,
}

/// Works out keys, versions and fingerprints for one stream.
#[derive(Clone, Debug)]
pub(crate) struct Marker {
    stream: StreamSpec,
    zone: TimeZone,
}

impl Marker {
    pub(crate) fn new(stream: &StreamSpec) -> Result<Self> {
        let name = stream.window.as_ref().map_or("Asia/Shanghai", |w| &w.zone);
        Ok(Self { stream: stream.clone(), zone: zone(name)? })
    }

    pub(crate) fn mark(&self, record: &Record) -> Mark {
        self.mark_found(&mut self.finder(), record)
    }

    /// Finds a record's version, where it has one, and the parts of its key.
    fn finder(&self) -> Finder<'_> {
        let version = self.stream.version.iter().map(|stamp| stamp.field.as_str());
        Finder::new(version.chain(self.stream.key.iter().map(String::as_str)))
    }

    fn mark_found(&self, finder: &mut Finder<'_>, record: &Record) -> Mark {
        let mut values = finder.values(record);
        let version = self.stream.version.as_ref().and_then(|stamp| {
            let value = values.next().flatten()?;
            read_stamp(&plain_text(&value)?, stamp.form, &self.zone).filter(|&at| Some(at) != stamp.none)
        });
        Mark { key: Key::join(values, self.stream.key.len()), version, fingerprint: record.fingerprint() }
    }

    /// The marks of a page's records, and the page's facts for the proof.
    ///
    /// # Errors
    /// [`ErrorKind::Incoherent`] if two different records of one answer have the same key: then the declared key does
    /// not tell records apart, and one of the two would be lost.
    pub(crate) fn prepare(&self, page: &Page) -> Result<(Vec<Mark>, PageFacts)> {
        let mut facts = PageFacts::default();
        let mut print = Xxh3::new();
        let mut finder = self.finder();
        let marks: Vec<Mark> = page.records.iter().map(|record| self.mark_found(&mut finder, record)).collect();
        for mark in &marks {
            let low = xxh3_64(&mark.fingerprint.to_le_bytes());
            let digest = mark.key.as_ref().map_or(low, Key::digest);
            let version = mark.version.map_or(low, |v| xxh3_64(&v.to_le_bytes()));
            facts.digests.push(digest);
            facts.versions.push(xxh3_64(&(digest ^ version.rotate_left(1)).to_le_bytes()));
            print.update(&mark.fingerprint.to_le_bytes());
        }
        facts.print = print.digest();
        let mut order: Vec<usize> = (0..marks.len()).collect();
        order.sort_unstable_by_key(|&i| facts.digests[i]);
        for pair in order.windows(2) {
            let (a, b) = (&marks[pair[0]], &marks[pair[1]]);
            if let Some(key) = &a.key
                && a.key == b.key
                && a.fingerprint != b.fingerprint
            {
                return Err(Error::new(ErrorKind::Incoherent, "two different records of one page have the same key")
                    .with("key", key)
                    .with("key_fields", self.stream.key.join(", "))
                    .advise("declare a key that tells every record from every other one"));
            }
        }
        Ok((marks, facts))
    }
}

impl Mark {
    /// What the ledger's entry says about this record.
    pub(crate) fn news(&self, known: Option<&LedgerEntry>) -> News {
        match known {
            None => News::New,
            Some(entry) if entry.fingerprint == self.fingerprint => News::Unchanged,
            Some(entry) => match (self.version, entry.version) {
                (Some(here), Some(there)) if here < there => News::Older,
                _ => News::Changed,
            },
        }
    }

    pub(crate) fn entry(&self, remote_id: Option<String>) -> LedgerEntry {
        LedgerEntry { fingerprint: self.fingerprint, version: self.version, remote_id }
    }
}
