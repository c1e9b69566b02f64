//! The Chanjet T+ simulator over HTTP: strictness, envelopes, queries, tokens, pushes, creates, faults and limits.
#![expect(clippy::unwrap_used, reason = "the helpers are tests too, and a panic names the line")]

mod client;
mod creates;
mod faults;
mod gateway;
mod on_premise;
mod queries;
mod tokens;
mod vouchers;
#[path = "../wire/mod.rs"]
mod wire;
