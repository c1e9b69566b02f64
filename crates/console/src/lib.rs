//! Milkrun in the browser: an HTTP API over an installation, and the page that uses it.
//!
//! The console holds nothing of its own: what it shows and does goes through [`Desk`], which the binary implements.

pub mod desk;
pub mod model;

pub use desk::{Caller, Desk, Lang, Role};
