//! When flows start: timetables, what happens to starts that overlap or are missed, and who keeps the time.
//!
//! | module | answers |
//! | --- | --- |
//! | [`table`] | at which instants does a timetable start a flow? |
//! | [`field`] | what may stand in a field of it? |
//! | [`words`] | what does it mean, in words? |
//! | [`policy`] | what becomes of a start while the flow runs, and of one that was missed? |
//! | [`mark`] | what is known of a flow's starts after a crash? |
//! | [`dispatcher`] | which flow starts now? |
//! | [`timekeeper`] | how is a decision durable before it is acted on? |

pub mod dispatcher;
pub mod field;
pub mod mark;
pub mod policy;
pub mod table;
pub mod timekeeper;
pub mod words;

#[cfg(test)]
mod tests;

pub use dispatcher::{Decision, Dispatcher, Entry, Manual, Skip, State, Upcoming, Why};
pub use field::Mistake;
pub use mark::Mark;
pub use policy::{Missed, Overlap, Policy, Schedule};
pub use table::Timetable;
pub use timekeeper::{SHELF, Timekeeper};
