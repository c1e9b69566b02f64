//! A backup becomes an installation again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use milkrun_core::{Error, ErrorKind, Result};
use milkrun_store::{check_backup, replace_state};
use serde::Serialize;

use super::manifest::{self, Manifest};
use super::{Tell, archive, blocking};
use crate::config::{self, FILE};
use crate::text::{self, Lang};

/// What a restore has done.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Restored {
    /// The instant that the state is of.
    pub(crate) made: Timestamp,
    /// The flows in it.
    pub(crate) flows: Vec<String>,
    /// The folder of the state.
    pub(crate) state: String,
    /// Where the state that was there is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aside: Option<String>,
    /// Files that were put.
    pub(crate) put: Vec<String>,
    /// Files that were there, differ from the backup's, and were left alone.
    pub(crate) kept: Vec<String>,
    /// Keys and secrets that are not in the backup and not here.
    pub(crate) missing: Vec<String>,
    /// Whether `milkrun.toml` has stars in the place of secrets.
    pub(crate) has_stars: bool,
}

/// Puts the backup `from` into the installation `dir`.
///
/// A state that is there is only replaced with `force`, and then moved aside. Files of the installation that are there
/// stay as they are.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] if there is a state and no `force`; [`ErrorKind::State`] if the backup is not whole;
/// [`ErrorKind::Busy`] if a process has the state open. Nothing is changed then.
pub(crate) async fn restore(from: &Path, dir: &Path, force: bool, lang: Lang, tell: &Tell) -> Result<Restored> {
    fs::create_dir_all(dir).map_err(|e| Error::from(e).with("folder", dir.display()))?;
    // Within the installation, so that the state can be moved to its place.
    let part = dir.join(".restore.part");
    let done = bring_back(from, dir, &part, force, lang, tell).await;
    if part.exists()
        && let Err(error) = fs::remove_dir_all(&part)
    {
        tracing::warn!(%error, folder = %part.display(), "what was unpacked stays");
    }
    done
}

async fn bring_back(from: &Path, dir: &Path, part: &Path, force: bool, lang: Lang, tell: &Tell) -> Result<Restored> {
    // The settings that are here say where the state is; without any, those of the backup do.
    let here = if dir.join(FILE).exists() { Some(state_folder(dir, dir, lang)?) } else { None };
    if let Some(state) = &here {
        refuse_state(state, force)?;
    }
    let manifest = unpack(from, part, tell).await?;
    let state = match here {
        Some(state) => state,
        None => state_folder(&part.join("config"), dir, lang)?,
    };
    refuse_state(&state, force)?;
    check_backup(&part.join("state")).await?;
    let aside = state.join(format!("replaced-{}", manifest_time(Timestamp::now())));
    let (to, new, old) = (state.clone(), part.join("state"), aside.clone());
    blocking(move || {
        // The state may be on another disk than the installation.
        let near = to.join(".restore.part");
        if near.exists() {
            fs::remove_dir_all(&near)?;
        }
        let moved = fs::create_dir_all(&to).and_then(|()| move_folder(&new, &near));
        moved.map_err(|e| Error::from(e).with("folder", to.display()))?;
        let replaced = replace_state(&to, &near, &old);
        drop(fs::remove_dir_all(&near));
        replaced
    })
    .await?;
    let (mut put, mut kept) = (Vec::new(), Vec::new());
    for file in &manifest.files {
        let Some(name) = file.path.strip_prefix("config/") else { continue };
        let (new, to) = (part.join(&file.path), dir.join(name));
        if to.exists() {
            if fs::read(&to)? != fs::read(&new)? {
                kept.push(name.to_owned());
            }
            continue;
        }
        let at = |e: std::io::Error| Error::from(e).with("file", to.display());
        if let Some(above) = to.parent() {
            fs::create_dir_all(above).map_err(at)?;
        }
        fs::copy(&new, &to).map_err(at)?;
        put.push(name.to_owned());
    }
    let has_stars = manifest.has_stars && put.iter().any(|name| name == FILE);
    let is_gone = |name: &&String| !dir.join(name.as_str()).exists();
    Ok(Restored {
        made: manifest.made,
        flows: manifest.flows,
        state: state.display().to_string(),
        aside: aside.exists().then(|| aside.display().to_string()),
        put,
        kept,
        missing: manifest.left_out.iter().filter(is_gone).cloned().collect(),
        has_stars,
    })
}

/// A time that can be a part of a file's name anywhere.
fn manifest_time(at: Timestamp) -> String {
    at.strftime("%Y%m%d-%H%M%S").to_string()
}

/// Where the settings in `settings` say that the state of the installation `dir` is.
fn state_folder(settings: &Path, dir: &Path, lang: Lang) -> Result<PathBuf> {
    let (installation, _) = config::load(settings, lang)?;
    let path = installation.store.path;
    Ok(path.strip_prefix(settings).map_or_else(|_| path.clone(), |below| dir.join(below)))
}

fn refuse_state(state: &Path, force: bool) -> Result<()> {
    if force || !state.join("state.db").exists() {
        return Ok(());
    }
    let error = Error::config("there is a state already, and it is not replaced without being told to");
    Err(error
        .with("folder", state.display())
        .advise("add `--force`: the state that is there is moved aside, not removed"))
}

/// Copies or unpacks the backup into `part`, and proves every checksum.
async fn unpack(from: &Path, part: &Path, tell: &Tell) -> Result<Manifest> {
    let (from, part, tell) = (from.to_owned(), part.to_owned(), Arc::clone(tell));
    blocking(move || {
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(&part)?;
        let is_folder = from.is_dir();
        if !is_folder {
            let mut done = 0;
            archive::unpack(&from, &part, |n| {
                done += n;
                tell(text::UNPACK, done, 0);
            })?;
        }
        let source = if is_folder { &from } else { &part };
        let manifest = Manifest::read(source)?;
        let (mut done, total) = (0, manifest.bytes());
        for file in &manifest.files {
            let path = source.join(&file.path);
            let open = File::open(&path).map_err(|e| damaged(&file.path).caused_by(e))?;
            let mut tell = |n: u64| {
                done += n;
                tell(text::PROVE, done, total);
            };
            let found = if is_folder {
                manifest::put(open, &part.join(&file.path), &file.path, u64::MAX, tell)?
            } else {
                manifest::sum(open, &file.path, |bytes| {
                    tell(bytes.len() as u64);
                    Ok(())
                })?
            };
            if found != *file {
                return Err(damaged(&file.path));
            }
        }
        Ok(manifest)
    })
    .await
}

fn damaged(path: &str) -> Error {
    Error::new(ErrorKind::State, "the backup is damaged: a file is missing, or is not as it was made")
        .with("path", path)
        .advise("nothing was changed; use another backup")
}

/// Moves a folder, by copying it where it goes to another disk.
fn move_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    if fs::rename(from, to).is_ok() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            move_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
            File::open(&target)?.sync_all()?;
        }
    }
    Ok(())
}
