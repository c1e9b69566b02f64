//! The console over real HTTP, on a free port, over a desk of the tests.

mod desk;
mod routes;
mod server;
