//! Small documents of those who operate an installation, and records of what happened, each on a shelf of its own.
//!
//! What is written here is a few bytes at a time and of no flow: how far a timetable has been dealt with, which
//! incidents are open, who is signed in, who did what. The owner of a shelf says what its documents hold.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::Result;

/// One line of a record of what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number; it grows over all shelves.
    pub id: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, as its shelf writes it.
    pub text: String,
}

/// Where notes and records are kept. When a writing method returns, what it wrote is durable.
#[async_trait]
pub trait Notes: fmt::Debug + Send + Sync {
    /// The notes of a shelf, by name.
    async fn notes(&self, shelf: &str) -> Result<Vec<(String, String)>>;

    /// One note, if it is there.
    async fn note(&self, shelf: &str, name: &str) -> Result<Option<String>>;

    /// Puts notes in place of those of the same names, and takes away those that are `None`; all or nothing.
    async fn put_notes(&self, shelf: &str, notes: Vec<(String, Option<String>)>) -> Result<()>;

    /// Adds a line to the record of a shelf, and returns its number.
    async fn record(&self, shelf: &str, at: Timestamp, text: &str) -> Result<u64>;

    /// The lines of a shelf, newest first, below the number `before`.
    async fn recorded(&self, shelf: &str, before: Option<u64>, limit: u32) -> Result<Vec<Entry>>;

    /// Takes away the lines of a shelf that are older than `before`; says how many.
    async fn forget_recorded(&self, shelf: &str, before: Timestamp) -> Result<u64>;
}
