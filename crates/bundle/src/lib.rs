//! The one list of connectors: names each enabled crate so that it is linked and registers itself.
#![deny(unused_crate_dependencies)]

#[cfg(feature = "file")]
use milkrun_connector_file as _;
#[cfg(feature = "kuaimai")]
use milkrun_connector_kuaimai as _;
