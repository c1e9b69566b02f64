//! The Jushuitan simulator over HTTP: strictness, data, cursors, tokens, the old API, uploads, faults and limits.
#![expect(clippy::unwrap_used, reason = "the helpers are tests too, and a panic names the line")]

mod client;
mod faults;
mod gateway;
mod lists;
mod old;
mod tokens;
mod uploads;
#[path = "../wire/mod.rs"]
mod wire;
