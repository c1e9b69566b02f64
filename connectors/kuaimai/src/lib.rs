//! Kuaimai ERP: the connector of Milkrun. The five facts:
#![doc = include_str!("about.md")]

mod client;
mod config;
mod envelope;
mod error;
mod source;
pub mod streams;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the vendor of the tests runs beside them")]
mod fixture;

use milkrun_core::{ConnectorSpec, inventory};

pub use self::client::sign;
pub use self::config::{KuaimaiConfig, SignMethod};

inventory::submit! {
    ConnectorSpec {
        name: "kuaimai",
        title: ("Kuaimai ERP", "快麦ERP"),
        about: include_str!("about.md"),
        about_zh: include_str!("about.zh.md"),
        schema: || schemars::schema_for!(KuaimaiConfig),
        zh: include_str!("zh.toml"),
        streams: || streams::built_in().iter().map(|stream| stream.spec(None)).collect(),
        targets: Vec::new,
        quota: config::quota,
        example: config::EXAMPLE,
        sign: Some(client::sign_request),
        open: |opening| source::open(&opening),
    }
}
