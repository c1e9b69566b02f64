//! The Chanjet T+ simulator over HTTP: strictness, envelopes, queries, tokens, pushes, creates, faults and limits.

mod client;
mod creates;
mod faults;
mod gateway;
mod on_premise;
mod queries;
mod tokens;
mod vouchers;
