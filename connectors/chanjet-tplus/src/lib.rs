//! Chanjet T+ (畅捷通T+): the connector of Milkrun. The five facts:
#![doc = include_str!("about.md")]

mod client;
mod config;
mod envelope;
mod error;
mod filter;
mod jwt;
mod push;
mod query;
mod sign;
mod sink;
mod source;
pub mod streams;
pub mod targets;
mod tokens;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod readme;

use milkrun_core::{ConnectorSpec, inventory};

pub use self::config::{Adjust, ChanjetTplusConfig, Edition, Grant};
pub use self::filter::FilterValue;
pub use self::sign::sign;

inventory::submit! {
    ConnectorSpec {
        name: "chanjet-tplus",
        title: ("Chanjet T+", "畅捷通T+"),
        about: include_str!("about.md"),
        about_zh: include_str!("about.zh.md"),
        schema: || schemars::schema_for!(ChanjetTplusConfig),
        zh: include_str!("zh.toml"),
        streams: || streams::built_in().iter().map(|stream| stream.spec(None)).collect(),
        targets: || targets::built_in().iter().map(targets::TargetConfig::spec).collect(),
        quota: config::quota,
        example: config::EXAMPLE,
        sign: Some(sign::sign_request),
        open: |opening| source::open(&opening),
    }
}
