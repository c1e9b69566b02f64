//! Jushuitan ERP: the connector of Milkrun. The five facts:
#![doc = include_str!("about.md")]

mod biz;
mod client;
mod config;
mod envelope;
mod error;
mod sign;
mod sink;
mod source;
pub mod streams;
pub mod targets;
mod tokens;

#[cfg(test)]
mod fixture;

use milkrun_core::{ConnectorSpec, inventory};

pub use self::biz::Param;
pub use self::config::{Api, App, JushuitanConfig};
pub use self::sign::{sign, sign_old};

inventory::submit! {
    ConnectorSpec {
        name: "jushuitan",
        title: ("Jushuitan ERP", "聚水潭ERP"),
        about: include_str!("about.md"),
        about_zh: include_str!("about.zh.md"),
        schema: || schemars::schema_for!(JushuitanConfig),
        zh: include_str!("zh.toml"),
        streams: streams::specs,
        targets: targets::specs,
        quota: config::quota,
        example: config::EXAMPLE,
        sign: Some(sign::sign_request),
        open: |opening| source::open(&opening),
    }
}
