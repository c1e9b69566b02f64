//! `milkrun init`: makes a folder an installation, and leaves alone what is there.

use std::fs;
use std::path::Path;

use milkrun_core::{Error, Result, connector};
use milkrun_store::MasterKey;
use serde_json::json;

use super::{Here, Outcome};
use crate::cli;
use crate::config::{FILE, KEY_FILE, STORE};
use crate::text::{self, fill};

pub(super) fn init(here: Here<'_>, ask: &cli::Init) -> Outcome {
    let out = here.out;
    let dir = here.dir();
    let specs = ask.connectors.iter().map(|name| connector(name)).collect::<Result<Vec<_>>>()?;
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
    for spec in &specs {
        accounts.push('\n');
        accounts.push_str(spec.example);
    }
    put(FILE, &accounts)?;
    put("flows/example.toml.off", &out.lang.file(text::INIT_FLOW, &[]))?;
    put(".gitignore", &format!("/{STORE}/\n/{KEY_FILE}\n"))?;
    let key = dir.join(KEY_FILE);
    if key.exists() {
        MasterKey::from_file(&key)?;
        kept.push(KEY_FILE.to_owned());
    } else {
        MasterKey::create_file(&key)?;
        made.push(KEY_FILE.to_owned());
    }
    out.json(&json!({ "dir": dir.display().to_string(), "made": made, "kept": kept }));
    for name in &made {
        out.line(fill!(out.lang, text::MADE, file = dir.join(name).display()));
    }
    for name in &kept {
        out.line(fill!(out.lang, text::KEPT, file = dir.join(name).display()));
    }
    out.line("");
    out.line(out.say(text::INIT_NEXT));
    Ok(0)
}

pub(super) fn make_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(|e| at(e, dir))
}

pub(super) fn at(cause: std::io::Error, path: &Path) -> Error {
    Error::from(cause).with("path", path.display())
}
