//! The connector on answers like those of the reference, and on a disk.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

use milkrun_connector_qeasy as _;

mod conformance;
mod noop;
mod push;
mod query;
mod sandbox;
mod support;
