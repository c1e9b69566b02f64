//! Field rules over one record, compiled once.
