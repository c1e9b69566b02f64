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
//! | `commit` | what each change does |
//! | `ledger`, `leaves`, `leaf` | what is known of each record, how changed ones are kept from costing a page each, and how rows are packed |
//! | `hold` | what only one process may do at a time |
//! | `query`, `console` | what a flow, a run and a key look like from outside |
//! | `retain`, `backup`, `upkeep` | what is forgotten, copied and measured while others go on |
//! | `quota` | calls under way and ended, shared by processes |
//! | `notes` | small documents and records of those who operate it |
//! | `key`, `seal`, `vault` | the master key, sealing, tokens and secrets |
//! | `journal`, `segment`, `varint` | pages as they came, compressed and append-only |

mod backup;
mod codec;
mod commit;
mod console;
mod database;
mod fault;
mod hold;
mod journal;
mod key;
mod leaf;
mod lease;
mod leaves;
mod ledger;
mod notes;
mod query;
mod quota;
mod reader;
mod retain;
mod schema;
mod seal;
mod segment;
mod store;
mod upkeep;
mod varint;
mod vault;
mod worker;
mod writer;

pub use backup::JournalPart;
pub use console::{LetterFilter, RunMark, Sizes, TokenFacts};
pub use hold::Hold;
pub use journal::{FileJournal, JournalOptions, Segment};
pub use key::MasterKey;
pub use store::{SqliteStore, StoreOptions};
pub use upkeep::{check_backup, replace_state};
