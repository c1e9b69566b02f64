//! The engine: slices, paging, proof, delivery. It turns streams into runs, and names no vendor.
//!
//! | module | answers |
//! | --- | --- |
//! | [`flow`] | what a flow is once everything is opened |
//! | [`plan`](mod@plan) | which slices a run reads |
//! | [`reading`] | which page to ask for next, and what the pages prove |
//! | [`preview`](mod@preview) | what a run would do with records, without doing it |
//! | [`live`] | how a run goes on, for whoever watches it |
//! | [`backfill`] | how spans of the past are read beside a flow's runs |
//! | [`run`](mod@run) | how a run begins and ends |
//! | `drive` | how it all goes together meanwhile, and what a crash leaves behind |
//! | [`arrived`] | what a person may say of a record whose outcome is unknown |
//! | [`report`] | what a run says about itself |
//! | [`timetable`] | when a flow starts by itself |

mod append;
mod arrived;
pub mod backfill;
#[cfg(test)]
mod beside;
#[cfg(test)]
mod delivery;
mod digest;
mod drive;
pub mod flow;
pub mod live;
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
#[cfg(test)]
mod watched;

pub use arrived::arrived;
pub use backfill::{Backfill, Opened, backfill_open};
pub use flow::{Flow, KeyRule, Options, Stop, Stopper, Surroundings, Work};
pub use live::{Calls, Observer, Progress, Quiet, SliceNow};
pub use plan::Span;
pub use report::{Beside, Counts, Kind, OpenSlice, Report};
pub use run::{NOTE_EVERY, run};
