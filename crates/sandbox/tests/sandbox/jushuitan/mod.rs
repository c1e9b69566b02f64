//! The Jushuitan simulator over HTTP: strictness, data, cursors, tokens, the old API, uploads, faults and limits.

mod client;
mod faults;
mod gateway;
mod lists;
mod old;
mod tokens;
mod uploads;
