//! The Yonyou simulator: gateway, tokens, lists, idempotent saves, batches and faults.

mod batches;
mod client;
mod faults;
mod gateway;
mod lists;
mod mdd;
mod simulation;
mod token;
mod updates;
