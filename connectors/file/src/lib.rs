//! Files: JSON, JSON Lines and CSV, plain or compressed.
//!
#![doc = include_str!("about.md")]

mod config;
mod declared;
mod error;
mod files;
mod read;
mod sink;
mod source;
mod write;

use std::sync::Arc;

use milkrun_core::inventory;
use milkrun_core::{Account, ConnectorSpec, Opening, Quota, QuotaSpec, Result, SinkKind};

use crate::config::FileConfig;
use crate::sink::FileSink;
use crate::source::FileSource;

inventory::submit! {
    ConnectorSpec {
        name: "file",
        title: ("Files", "文件"),
        about: include_str!("about.md"),
        about_zh: include_str!("about.zh.md"),
        schema: || schemars::schema_for!(FileConfig),
        zh: include_str!("zh.toml"),
        streams: Vec::new,
        targets: Vec::new,
        quota: || QuotaSpec::account(Quota::unlimited()),
        example: EXAMPLE,
        sign: None,
        open,
    }
}

const EXAMPLE: &str = r#"[accounts.files]
connector = "file"
folder = "data"

[[accounts.files.streams]]
name = "orders"
path = "in/*.json"
key = ["id"]
"#;

fn open(opening: Opening) -> Result<Account> {
    let config: FileConfig = opening.parse()?;
    let at_account = |e: milkrun_core::Error| e.with("account", &opening.account);
    let readers = config.readers(&opening.folder).map_err(at_account)?;
    let writers = config.writers(&opening.folder).map_err(at_account)?;
    let source = (!readers.is_empty()).then(|| Arc::new(FileSource::new(&config, readers)) as _);
    let sink = FileSink::new(opening.folder, config.folder, writers);
    let quota = QuotaSpec::account(Quota::unlimited());
    Ok(Account { source, sink: Some(SinkKind::Appends(Arc::new(sink))), ..Account::new(quota) })
}
