//! The one list of connectors: names each enabled crate so that it is linked and registers itself.
#![deny(unused_crate_dependencies)]

#[cfg(feature = "chanjet-tplus")]
use milkrun_connector_chanjet_tplus as _;
#[cfg(feature = "file")]
use milkrun_connector_file as _;
#[cfg(feature = "http")]
use milkrun_connector_http as _;
#[cfg(feature = "jushuitan")]
use milkrun_connector_jushuitan as _;
#[cfg(feature = "kuaimai")]
use milkrun_connector_kuaimai as _;
#[cfg(feature = "qeasy")]
use milkrun_connector_qeasy as _;
#[cfg(feature = "yonyou-mdd")]
use milkrun_connector_yonyou_mdd as _;
