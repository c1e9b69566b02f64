//! Which files of an installation belong into a backup: settings, flows, tables; never a key, never a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use milkrun_core::{Error, Result};

use crate::config::{FILE, Installation, KEY_FILE, SecretSource, TableFrom};

/// The files of an installation, but for its state and `milkrun.toml`.
#[derive(Debug, Default)]
pub(crate) struct OwnFiles {
    /// By their path relative to the installation, with `/`.
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// What was left out, because it is a key or a secret.
    pub(crate) left_out: BTreeSet<String>,
}

/// Finds the files of an installation.
///
/// # Errors
/// If a folder cannot be read.
pub(crate) fn own_files(installation: &Installation) -> Result<OwnFiles> {
    let dir = &installation.dir;
    let mut own = OwnFiles::default();
    let mut found = Vec::new();
    walk(&dir.join("flows"), &mut found)?;
    for flow in &installation.flows {
        found.extend(flow.tables.iter().filter_map(|table| match &table.from {
            TableFrom::File(path) => Some(dir.join(path)),
            _ => None,
        }));
        found.extend(included(&dir.join("flows").join(format!("{}.toml", flow.name))));
    }
    let secrets = secret_files(installation);
    for path in found {
        let Some(name) = relative(dir, &path) else { continue };
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if secrets.iter().any(|secret| secret == &real) {
            own.left_out.insert(name);
        } else if path.is_file() {
            own.files.insert(name, path);
        }
    }
    for secret in &secrets {
        let name = fs::canonicalize(dir).ok().and_then(|dir| relative(&dir, secret));
        own.left_out.insert(name.unwrap_or_else(|| secret.display().to_string()));
    }
    Ok(own)
}

/// The key file, and every file that a setting takes a secret from, where they are there.
fn secret_files(installation: &Installation) -> BTreeSet<PathBuf> {
    let dir = &installation.dir;
    let mut all = vec![dir.join(KEY_FILE)];
    let sources = installation.accounts.iter().flat_map(|account| account.secrets.iter().map(|secret| &secret.source));
    for source in sources.chain([&installation.store.key]) {
        if let SecretSource::File(path) = source {
            all.push(dir.join(path));
        }
    }
    all.iter().filter_map(|path| fs::canonicalize(path).ok()).collect()
}

/// The metadata that a flow's file includes.
fn included(flow: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(flow).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    let Some(toml::Value::Table(include)) = table.get("include") else { return Vec::new() };
    let lists = include.values().filter_map(toml::Value::as_array).flatten();
    let above = flow.parent().unwrap_or(Path::new(""));
    lists.filter_map(toml::Value::as_str).map(|name| above.join(name)).collect()
}

/// A path below the installation, with `/`; `None` if it lies elsewhere, or is `milkrun.toml`.
fn relative(dir: &Path, path: &Path) -> Option<String> {
    use std::path::Component;
    let mut parts: Vec<&str> = Vec::new();
    for part in path.strip_prefix(dir).ok()?.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(parts.join("/")).filter(|name| !name.is_empty() && name != FILE)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| Error::from(e).with("folder", folder.display()))?,
    };
    for entry in entries {
        let entry = entry?;
        // A link is not followed: it may lead out of the installation, or round in a circle.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), found)?;
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}
