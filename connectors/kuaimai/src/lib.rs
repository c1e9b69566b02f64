//! Kuaimai ERP: the connector of Milkrun. The five facts:
#![doc = include_str!("../README.md")]

mod client;
mod config;
mod envelope;
mod error;
mod source;
mod streams;

#[cfg(test)]
mod fixture;

use milkrun_core::{ConnectorSpec, inventory};

pub use self::client::sign;
pub use self::config::{KuaimaiConfig, SignMethod};
pub use self::streams::{
    Detail, Form, Inner, Late, PageLimits, Parent, Plan, StreamConfig, Text, UnitPaths, WindowConfig,
};

inventory::submit! {
    ConnectorSpec {
        name: "kuaimai",
        title: ("Kuaimai ERP", "快麦ERP"),
        about: include_str!("../README.md"),
        schema: || schemars::schema_for!(KuaimaiConfig),
        streams: || streams::built_in().iter().map(|stream| stream.spec(None)).collect(),
        targets: Vec::new,
        quota: config::quota,
        example: config::EXAMPLE,
        open: source::open,
    }
}
