//! The connector from outside: the shared suite, on answers like the documented ones and on the sandbox, and the
//! simulation of deliveries.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

mod line;
mod recorded;
mod sandbox;
mod simulation;
