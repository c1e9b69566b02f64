//! The connector as the engine uses it: files are written, read back, cut, resumed and refused.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

mod conformance;
mod errors;
mod kill;
mod registry;
mod resume;
mod round_trip;
mod support;
