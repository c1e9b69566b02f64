//! The Yonyou simulator: gateway, tokens, lists, idempotent saves, batches and faults.
#![expect(clippy::unwrap_used, reason = "the helpers are tests too, and a panic names the line")]

mod batches;
mod client;
mod faults;
mod gateway;
mod lists;
mod mdd;
mod simulation;
mod token;
mod updates;
