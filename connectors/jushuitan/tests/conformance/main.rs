//! The conformance suite.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

use milkrun_connector_jushuitan as _;

mod recorded;
