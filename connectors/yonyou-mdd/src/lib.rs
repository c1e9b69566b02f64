//! Yonyou YonBIP and YonSuite: the connector of Milkrun. The five facts, and what is promised:
#![doc = include_str!("about.md")]

mod body;
mod client;
mod config;
mod envelope;
mod error;
mod list;
mod receipts;
mod regroup;
mod sink;
mod source;
pub mod streams;
pub mod targets;
mod token;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod situations;

use milkrun_core::{ConnectorSpec, inventory};

pub use self::config::{Application, YonyouConfig};
pub use self::token::sign;

inventory::submit! {
    ConnectorSpec {
        name: "yonyou-mdd",
        title: ("Yonyou YonBIP / YonSuite", "用友 YonBIP / YonSuite"),
        about: include_str!("about.md"),
        about_zh: include_str!("about.zh.md"),
        schema: || schemars::schema_for!(YonyouConfig),
        zh: include_str!("zh.toml"),
        streams: || streams::built_in().iter().map(|stream| stream.spec(None)).collect(),
        targets: || targets::built_in().iter().map(targets::TargetConfig::spec).collect(),
        quota: || config::quota(config::calls_per_minute(), config::concurrency(), &targets::built_in()),
        example: config::EXAMPLE,
        sign: Some(token::sign_request),
        open: |opening| source::open(&opening),
    }
}
