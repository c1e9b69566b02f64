//! qeasy datahub (轻易云): the connector of Milkrun. The five facts:
#![doc = include_str!("about.md")]

mod client;
mod config;
mod error;
mod ids;
mod kept;
mod noop;
mod sink;
mod source;

use milkrun_core::{ConnectorSpec, inventory};

pub use self::config::QeasyConfig;

inventory::submit! {
    ConnectorSpec {
        name: "qeasy",
        title: ("qeasy datahub", "轻易云数据集成平台"),
        about: include_str!("about.md"),
        about_zh: include_str!("about.zh.md"),
        schema: || schemars::schema_for!(QeasyConfig),
        zh: include_str!("zh.toml"),
        streams: Vec::new,
        targets: Vec::new,
        quota: config::usual_quota,
        example: config::EXAMPLE,
        sign: None,
        open: |opening| source::open(&opening),
    }
}
