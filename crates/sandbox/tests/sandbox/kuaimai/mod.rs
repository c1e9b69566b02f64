//! The Kuaimai simulator over HTTP: strictness, data, faults, limits, clock and session.

mod client;
mod data;
mod faults;
mod gateway;
mod in_process;
mod lists;
mod session;
