//! Alerts against local endpoints: what is said, to whom, how often, and that no secret is in it.

#![expect(clippy::unwrap_used, reason = "tests")]

mod channels;
mod delivery;
mod lifetime;
mod mail_server;
mod rules;
mod secrets;
mod support;
