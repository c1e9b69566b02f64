//! The connector on answers like those of real vendors.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

use milkrun_connector_http as _;

mod conformance;
mod example;
mod paging;
mod sink;
mod support;
