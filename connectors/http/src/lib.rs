//! Any JSON API by configuration alone: the connector of Milkrun. The five facts:
#![doc = include_str!("about.md")]

mod auth;
mod client;
mod config;
mod endpoint;
mod error;
mod json;
mod place;
mod rules;
mod signing;
mod sink;
mod source;
mod streams;
mod targets;
mod token;

use milkrun_core::{ConnectorSpec, inventory};

pub use self::config::HttpConfig;

inventory::submit! {
    ConnectorSpec {
        name: "http",
        title: ("Any JSON API", "任意 JSON 接口"),
        about: include_str!("about.md"),
        about_zh: include_str!("about.zh.md"),
        schema: || schemars::schema_for!(HttpConfig),
        zh: include_str!("zh.toml"),
        streams: Vec::new,
        targets: Vec::new,
        quota: config::usual_quota,
        example: config::EXAMPLE,
        sign: Some(signing::sign_request),
        open: |opening| source::open(&opening),
    }
}
