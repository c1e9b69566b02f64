//! Jushuitan: the connector of Milkrun. The five facts:
#![doc = include_str!("../README.md")]

mod client;
mod config;
mod error;
mod source;
mod streams;

use milkrun_core::{ConnectorSpec, inventory};

pub use self::config::JushuitanConfig;

inventory::submit! {
    ConnectorSpec {
        name: "jushuitan",
        title: ("Jushuitan", "Jushuitan"),
        about: include_str!("../README.md"),
        schema: || schemars::schema_for!(JushuitanConfig),
        streams: || streams::all(config::page_size()),
        targets: Vec::new,
        quota: || config::quota(config::calls_per_second()),
        example: config::EXAMPLE,
        sign: None,
        open: |opening| source::open(&opening),
    }
}
