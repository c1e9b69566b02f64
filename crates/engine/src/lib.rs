//! The engine: slices, paging, proof, delivery. It turns streams into runs, and names no vendor.
//!
//! | module | answers |
//! | --- | --- |
//! | [`flow`] | what a flow is once everything is opened |
//! | [`plan`](mod@plan) | which slices a run reads |
//! | [`reading`] | which page to ask for next, and what the pages prove |
//! | [`preview`](mod@preview) | what a run would do with records, without doing it |
//! | [`run`](mod@run) | how a run begins and ends |
//! | `drive` | how it all goes together meanwhile, and what a crash leaves behind |
//! | [`arrived`] | what a person may say of a record whose outcome is unknown |
//! | [`report`] | what a run says about itself |
//! | [`timetable`] | when a flow starts by itself |

mod append;
mod arrived;
#[cfg(test)]
mod delivery;
mod digest;
mod drive;
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
pub mod timetable;
#[cfg(test)]
mod told;

pub use arrived::arrived;
pub use flow::{Flow, KeyRule, Observer, Options, Quiet, Stop, Stopper, Surroundings};
pub use plan::Span;
pub use report::{Counts, Report};
pub use run::{replay, run};
