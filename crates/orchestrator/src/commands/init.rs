//! `milkrun init`: makes a folder an installation, and leaves alone what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use milkrun_core::{Error, Result, connector};
use milkrun_store::MasterKey;
use serde_json::json;

use super::{Here, Outcome, example};
use crate::cli::{self, KeyPlace};
use crate::config::{FILE, KEY_FILE, STORE};
use crate::keyring;
use crate::show::without_nulls;
use crate::text::{self, fill};

pub(super) async fn init(here: Here<'_>, ask: &cli::Init) -> Outcome {
    let out = here.out;
    let dir = here.dir();
    let name = keyring::usual_name(&dir);
    let in_keyring = ask.key == KeyPlace::Keyring;
    // Before anything is written: where there is no keyring, nothing is left half done.
    let is_new_key = in_keyring && keyring::make(out.lang, &name).await?;
    let names: BTreeSet<&String> = ask.connectors.iter().collect();
    let specs = names.into_iter().map(|name| connector(name)).collect::<Result<Vec<_>>>()?;
    make_dir(&dir)?;
    make_dir(&dir.join("flows"))?;
    let mut made = Vec::new();
    let mut kept = Vec::new();
    let mut put = |name: &str, text: &str| -> Result<()> {
        let path = dir.join(name);
        if path.exists() {
            kept.push(name.to_owned());
        } else {
            fs::write(&path, text).map_err(|e| at(e, &path))?;
            made.push(name.to_owned());
        }
        Ok(())
    };
    let mut accounts = out.lang.file(text::INIT_FILE, &[]);
    if !specs.iter().any(|spec| accounts_of(spec.example).contains("files")) {
        accounts.push('\n');
        accounts.push_str(&out.lang.file(text::INIT_FILES, &[]));
    }
    for spec in &specs {
        accounts.push('\n');
        accounts.push_str(spec.example);
    }
    if in_keyring {
        let value = toml::Value::String(name.clone());
        let store = format!("\n[store]\nkey = {{ keyring = {value} }}\n");
        accounts.push_str(&store);
    }
    put(FILE, &accounts)?;
    let mut flows = BTreeSet::new();
    for spec in &specs {
        if let Some(reads) = example::reads(spec, &dir, out.lang).await? {
            let flow = reads.name(&flows);
            put(&format!("flows/{flow}.toml.off"), &reads.flow(&flow, out.lang))?;
            flows.insert(flow);
        }
    }
    put(".gitignore", &format!("/{STORE}/\n/{KEY_FILE}\n"))?;
    let key = dir.join(KEY_FILE);
    if in_keyring {
        // Its place is named below.
    } else if key.exists() {
        MasterKey::from_file(&key)?;
        kept.push(KEY_FILE.to_owned());
    } else {
        MasterKey::create_file(&key)?;
        made.push(KEY_FILE.to_owned());
    }
    let in_words = in_keyring.then_some(&name);
    out.json(&without_nulls(json!({
        "dir": dir.display().to_string(), "made": made, "kept": kept, "keyring": in_words, "is_new_key": in_words.map(|_| is_new_key),
    })));
    for name in &made {
        out.line(fill!(out.lang, text::MADE, file = dir.join(name).display()));
    }
    for name in &kept {
        out.line(fill!(out.lang, text::KEPT, file = dir.join(name).display()));
    }
    if in_keyring {
        let text = if is_new_key { text::KEYRING_KEY_MADE } else { text::KEYRING_KEY_KEPT };
        out.line(fill!(out.lang, text, name = name));
        if kept.iter().any(|name| name == FILE) {
            out.note(fill!(out.lang, text::KEYRING_ADD_SETTING, name = name));
        }
    }
    if kept.iter().any(|name| name == FILE) {
        let there = accounts_of(&fs::read_to_string(dir.join(FILE)).map_err(|e| at(e, &dir.join(FILE)))?);
        let lacking: Vec<&str> =
            specs.iter().map(|spec| spec.example).filter(|example| !accounts_of(example).is_subset(&there)).collect();
        if !lacking.is_empty() {
            out.note(fill!(out.lang, text::INIT_ADD_ACCOUNTS, accounts = lacking.join("\n")));
        }
    }
    out.line("");
    out.line(out.say(if specs.is_empty() { text::INIT_NEXT } else { text::INIT_NEXT_FLOW }));
    Ok(0)
}

/// The names of the accounts in a text of `milkrun.toml`; none if it cannot be read.
fn accounts_of(text: &str) -> BTreeSet<String> {
    let table: toml::Table = text.parse().unwrap_or_default();
    let accounts = table.get("accounts").and_then(toml::Value::as_table);
    accounts.into_iter().flat_map(toml::Table::keys).cloned().collect()
}

pub(super) fn make_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(|e| at(e, dir))
}

pub(super) fn at(cause: std::io::Error, path: &Path) -> Error {
    Error::from(cause).with("path", path.display())
}
