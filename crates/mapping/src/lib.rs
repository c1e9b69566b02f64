//! Field rules over one record, compiled once: the `[mapping]` table of a flow turns records into documents.
//!
//! It does no I/O, reads no clock, and knows the machine's zone as little as any vendor. The same record gives the same
//! documents for ever, so a mapped document need not be stored. Numbers are text from end to end: what no rule changes
//! leaves byte for byte as it came.
//!
//! | file | answers |
//! | --- | --- |
//! | `mapping` | what is the API? |
//! | `compile`, `compile_rule`, `compile_value`, `compile_filter`, `compile_expr`, `compile_checks` | how does TOML become rules, and what mistakes are found? |
//! | `keys`, `reader` | which words are there; how is a TOML value read, and what is said if it is wrong? |
//! | `rule`, `filter` | what is a rule after compilation; when does a condition hold? |
//! | `apply`, `apply/computed` | how is a document written; what becomes of what an expression gives? |
//! | `layout` | how are the fields of a record found quickly? |
//! | `convert`, `decimal`, `time` | what happens to one value? |
//! | `expr` | how are expressions compiled and run, and why can none run without end? |
//! | `tables` | what can be looked up? |
//! | `checks`, `identity` | what is asked of a document before it is sent? |
//! | `json`, `path` | how are values found in JSON text? |
//! | `error` | why was a record refused? |
//!
//! The rule keys are described for users in `docs/mapping.md`.

mod apply;
mod checks;
mod compile;
mod compile_checks;
mod compile_expr;
mod compile_filter;
mod compile_rule;
mod compile_value;
mod convert;
mod decimal;
mod error;
mod expr;
mod filter;
mod identity;
mod json;
mod keys;
mod layout;
mod mapping;
mod path;
mod reader;
mod rule;
mod schema;
mod tables;
mod time;

pub use apply::{Outcome, Output};
pub use checks::{Checks, check};
pub use error::MapError;
pub use identity::Identity;
pub use mapping::{Mapping, Options};
pub use schema::{SCHEMA_ZH, schema};
pub use tables::{Table, Tables};
