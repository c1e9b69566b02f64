//! Timetables, policies and dispatchers, tried out.

mod clocks;
mod dispatching;
mod restarts;
mod tables;
mod week;
mod words;
