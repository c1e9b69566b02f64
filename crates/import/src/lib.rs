//! Turns the interface metadata of other platforms into flows, and accounts for every key: carried over, translated, or
//! left for a person to decide. Nothing is dropped without a word.

mod json;
pub mod qeasy;
mod report;
mod toml;

pub use report::{Fate, Finding, Report, Side};
