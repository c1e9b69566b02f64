//! Acme ERP: the connector of Milkrun. The five facts:
#![doc = include_str!("../README.md")]

mod client;
mod config;
mod error;
mod source;
mod streams;

use milkrun_core::{ConnectorSpec, inventory};

pub use self::config::AcmeConfig;

inventory::submit! {
    ConnectorSpec {
        name: "acme",
        title: ("Acme ERP", "Acme ERP"),
        about: include_str!("../README.md"),
        about_zh: include_str!("../README.zh.md"),
        schema: || schemars::schema_for!(AcmeConfig),
        zh: include_str!("zh.toml"),
        streams: || streams::all(config::page_size()),
        targets: Vec::new,
        quota: || config::quota(config::calls_per_second()),
        example: config::EXAMPLE,
        sign: None,
        open: |opening| source::open(&opening),
    }
}
