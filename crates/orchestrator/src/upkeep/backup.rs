//! A copy of a running installation: the databases of one instant, the pages they refer to, and its files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milkrun_core::state::StateStore as _;
use milkrun_core::{Error, ErrorKind, Result};
use milkrun_store::{JournalPart, SqliteStore};

use super::files::{OwnFiles, own_files};
use super::manifest::{self, Manifest};
use super::{HOLD, Tell, archive, blocking};
use crate::config::{FILE, Installation, Reports};
use crate::text;
use crate::wiring::State;

/// Copies an installation to `to`, a folder or a `.tar.zst` file that is not there yet. Flows may run meanwhile.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] if there is something at `to`; [`ErrorKind::Busy`] if other upkeep is under way, or if
/// pages were removed meanwhile; those of the files.
pub(crate) async fn backup(
    installation: &Installation,
    reports: &Reports,
    state: &State,
    to: &Path,
    tell: &Tell,
) -> Result<Manifest> {
    if to.exists() {
        let error = Error::config("there is something already where the backup would be").with("path", to.display());
        return Err(error.advise("name a file or a folder that is not there yet"));
    }
    let _hold = state.store.hold(HOLD)?;
    // Beside the backup, and not yet under its name: what broke off is never taken for a backup.
    let part = beside(to, "part");
    let fresh = || -> std::io::Result<()> {
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(part.join("state"))
    };
    fresh().map_err(|e| Error::from(e).with("folder", part.display()))?;
    let made = fill(installation, reports, state, &part, tell).await;
    let ended = match made {
        Ok(manifest) => finish(&part, to, manifest, tell).await,
        Err(error) => Err(error),
    };
    if ended.is_err() {
        drop(fs::remove_dir_all(&part));
    }
    ended
}

/// A name beside that one.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{end}"));
    path.with_file_name(name)
}

async fn fill(
    installation: &Installation,
    reports: &Reports,
    state: &State,
    part: &Path,
    tell: &Tell,
) -> Result<Manifest> {
    let mut manifest = Manifest::new(state.clock.now(), SqliteStore::schema_version());
    let told = Arc::clone(tell);
    let parts = state.store.copy_into(&part.join("state"), move |n, of| told(text::COPY_STATE, n, of)).await?;
    manifest.flows = state.store.flows().await?.into_iter().map(|flow| flow.name).collect();
    let mut own = own_files(installation)?;
    let settings = settings(installation, reports, &mut own, &mut manifest)?;
    manifest.left_out = own.left_out.iter().cloned().collect();
    let segments = segments(state, &parts).await?;
    let (part, tell) = (part.to_owned(), Arc::clone(tell));
    blocking(move || {
        for name in ["state.db", "quota.db"] {
            let path = format!("state/{name}");
            let file = open(&part.join(&path))?;
            manifest.files.push(manifest::sum(file, &path, |_| Ok(()))?);
        }
        let total = segments.iter().map(|segment| segment.bytes).sum();
        let mut done = 0;
        for segment in &segments {
            let file = open(&segment.from)?;
            let put = manifest::put(file, &part.join(&segment.path), &segment.path, segment.bytes, |n| {
                done += n;
                tell(text::COPY_PAGES, done, total);
            })?;
            if put.bytes < segment.bytes {
                return Err(changed().with("file", segment.from.display()));
            }
            manifest.files.push(put);
        }
        for (path, from) in &own.files {
            let path = format!("config/{path}");
            manifest.files.push(manifest::put(open(from)?, &part.join(&path), &path, u64::MAX, |_| ())?);
        }
        let path = format!("config/{FILE}");
        manifest.files.push(manifest::put(settings.as_bytes(), &part.join(&path), &path, u64::MAX, |_| ())?);
        let text = serde_json::to_string_pretty(&manifest).expect("it is plain data");
        manifest::put(text.as_bytes(), &part.join(manifest::NAME), manifest::NAME, u64::MAX, |_| ())?;
        Ok(manifest)
    })
    .await
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| Error::from(e).with("file", path.display()))
}

/// `milkrun.toml` without the secrets that stand in it.
fn settings(
    installation: &Installation,
    reports: &Reports,
    own: &mut OwnFiles,
    manifest: &mut Manifest,
) -> Result<String> {
    own.files.remove(FILE);
    match reports.without_secrets() {
        Some((text, has_stars)) => {
            manifest.has_stars = has_stars;
            Ok(text)
        }
        None => Err(Error::config("there is no milkrun.toml to copy").with("folder", installation.dir.display())),
    }
}

/// A segment to be copied, or the start of one.
struct Copied {
    from: PathBuf,
    path: String,
    bytes: u64,
}

/// The segments that the copy of the state refers to; the last of each flow only up to its last committed entry.
async fn segments(state: &State, parts: &[JournalPart]) -> Result<Vec<Copied>> {
    let mut all = Vec::new();
    for part in parts {
        let there = state.journal.segments(&part.flow).await?;
        for number in part.first..=part.end.segment {
            let from = state.journal.path_of(&part.flow, number);
            let Some(segment) = there.iter().find(|segment| segment.number == number) else {
                return Err(changed().with("file", from.display()));
            };
            let bytes = if number == part.end.segment { part.end.end() } else { segment.bytes };
            let names: Vec<_> = from.iter().rev().take(2).map(|name| name.to_string_lossy()).collect();
            let path = format!("state/journal/{}/{}", names[1], names[0]);
            all.push(Copied { from, path, bytes });
        }
    }
    Ok(all)
}

fn changed() -> Error {
    Error::new(ErrorKind::Busy, "pages that the copied state refers to are not there any more")
        .advise("a flow was run with `--restart` meanwhile: make the backup again; if it stays so, `milkrun doctor`")
}

/// Gives the backup its name, packed if the name asks for it.
async fn finish(part: &Path, to: &Path, manifest: Manifest, tell: &Tell) -> Result<Manifest> {
    let (part, to, tell) = (part.to_owned(), to.to_owned(), Arc::clone(tell));
    blocking(move || {
        let at = |e: std::io::Error| Error::from(e).with("path", to.display());
        if archive::is_archive(&to) {
            let packed = beside(&to, "packing");
            let (mut done, total) = (0, manifest.bytes());
            archive::pack(&part, &manifest, &packed, |n| {
                done += n;
                tell(text::PACK, done, total);
            })?;
            fs::rename(&packed, &to).map_err(at)?;
            fs::remove_dir_all(&part).map_err(at)?;
        } else {
            fs::rename(&part, &to).map_err(at)?;
        }
        Ok(manifest)
    })
    .await
}
