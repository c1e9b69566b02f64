//! The shared suite, on recorded answers and against the sandbox, and what is written there.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

mod fixtures;
mod reading;
mod sandbox;
mod tokens;
mod writing;

use milkrun_connector_chanjet_tplus as _;
