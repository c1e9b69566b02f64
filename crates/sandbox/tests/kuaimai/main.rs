//! The Kuaimai simulator over HTTP: strictness, data, faults, limits, clock and session.
#![expect(clippy::unwrap_used, reason = "the helpers are tests too, and a panic names the line")]

mod client;
mod data;
mod faults;
mod gateway;
mod in_process;
mod lists;
mod session;
