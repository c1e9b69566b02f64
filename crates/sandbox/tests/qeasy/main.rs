//! The qeasy simulator: tokens, quota, queries of both versions, stores and pushes.
#![expect(clippy::unwrap_used, reason = "the helpers are tests too, and a panic names the line")]

mod client;
mod faults;
mod query;
mod store;
mod token;
