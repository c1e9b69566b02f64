//! The store as others use it: the common contract, files that are not as they should be, and killed processes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod contract;
mod files;
mod journal;
mod killed;
mod upkeep;
mod vault;
