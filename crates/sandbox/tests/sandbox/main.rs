//! The simulators, one module for each vendor.
#![expect(clippy::unwrap_used, reason = "the helpers are tests too, and a panic names the line")]

mod chanjet;
mod jushuitan;
mod kuaimai;
mod qeasy;
mod wire;
mod yonyou;
