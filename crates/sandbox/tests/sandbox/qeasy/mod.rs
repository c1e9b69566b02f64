//! The qeasy simulator: tokens, quota, queries of both versions, stores and pushes.

mod client;
mod faults;
mod query;
mod store;
mod token;
