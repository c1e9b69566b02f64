//! Field rules over one record, compiled once: the `[mapping]` table of a flow turns records into documents.
//!
//! It does no I/O, reads no clock, and knows the machine's zone as little as any vendor. The same record gives the same
//! documents for ever, so a mapped document need not be stored. Numbers are text from end to end: what no rule changes
//! leaves byte for byte as it came.
//!
//! | file | answers |
//! | --- | --- |
//! | `mapping` | what is the API? |
//! | `compile`, `compile_rule`, `compile_value`, `compile_filter` | how does TOML become rules, and what mistakes are found? |
//! | `keys`, `reader` | which words are there; how is a TOML value read, and what is said if it is wrong? |
//! | `rule`, `filter` | what is a rule after compilation; when does a condition hold? |
//! | `apply` | how is a document written? |
//! | `layout` | how are the fields of a record found quickly? |
//! | `convert`, `decimal`, `time` | what happens to one value? |
//! | `json`, `path` | how are values found in JSON text? |
//! | `error` | why was a record refused? |
//!
//! The rule keys are described for users in `docs/mapping.md`.

mod apply;
mod compile;
mod compile_expr;
mod compile_filter;
mod compile_rule;
mod compile_value;
mod convert;
mod decimal;
mod error;
mod expr;
mod filter;
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
pub use error::MapError;
pub use mapping::{Mapping, Options};
pub use schema::schema;
pub use tables::{Table, Tables};
