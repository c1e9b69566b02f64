//! The console over real HTTP, on a free port, over a desk of the tests.

mod desk;
mod document;
mod requests;
mod routes;
mod security;
mod server;
mod stream;
mod tls;
