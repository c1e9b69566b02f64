//! The engine: slices, paging, proof, delivery. It turns streams into runs, and names no vendor.
//!
//! | module | answers |
//! | --- | --- |
//! | [`flow`] | what a flow is once everything is opened |
//! | [`plan`](mod@plan) | which slices a run reads |
//! | [`reading`] | which page to ask for next, and what the pages prove |
//! | [`preview`](mod@preview) | what a run would do with records, without doing it |
//! | [`run`](mod@run) | how it all goes together, and what a crash leaves behind |
//! | [`report`] | what a run says about itself |

mod append;
#[cfg(test)]
mod delivery;
pub mod flow;
mod outbox;
mod partition;
pub mod plan;
mod prepare;
pub mod preview;
pub mod reading;
pub mod report;
pub mod run;
#[cfg(test)]
mod simulation;

pub use flow::{Flow, KeyRule, Observer, Options, Quiet, Stop, Stopper, Surroundings};
pub use plan::Span;
pub use report::{Counts, Report};
pub use run::{replay, run};
