//! The console over real HTTP, on a free port, over a desk of the tests.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

mod desk;
mod document;
mod requests;
mod routes;
mod security;
mod server;
mod stream;
mod tls;
