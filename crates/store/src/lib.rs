//! State on SQLite, the journal of raw pages, and the sealed token vault.
//!
//! It never interprets a record, never talks to a vendor, and never reads the clock or the environment: instants and
//! keys are handed in.
//!
//! | file | answers |
//! | --- | --- |
//! | `store` | how a folder is opened, and which trait is served by what |
//! | `schema`, `sql/*.sql` | which tables there are, and how an older file is brought up to date |
//! | `database`, `fault` | how a file is opened, and what SQLite's errors mean to a user |
//! | `writer`, `reader` | group commit, and snapshots beside it |
//! | `worker`, `lease` | who lives, who may run a flow, and how a dead worker's flow is taken over |
//! | `commit`, `ledger` | what each change does, and how changed records are kept from costing a page each |
//! | `query` | what a flow, a run and a key look like from outside |
//! | `quota` | calls under way and ended, shared by processes |
//! | `notes` | small documents and records of those who operate it |
//! | `key`, `seal`, `vault` | the master key, sealing, tokens and secrets |
//! | `journal`, `segment` | pages as they came, compressed and append-only |

mod codec;
mod commit;
mod database;
mod fault;
mod journal;
mod key;
mod lease;
mod ledger;
mod notes;
mod query;
mod quota;
mod reader;
mod schema;
mod seal;
mod segment;
mod store;
mod vault;
mod worker;
mod writer;

pub use journal::{FileJournal, JournalOptions};
pub use key::MasterKey;
pub use store::{SqliteStore, StoreOptions};
