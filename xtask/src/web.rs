//! The console's page: built from its lock file, compared with what is committed, and tried in a real browser.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::shell;

/// Where the page's sources are.
const FOLDER: &str = "crates/console/web";

/// Where its built files are, within that folder.
const BUILT: &str = "dist";

/// What a step needs that may not be installed, and whether it is.
pub(crate) fn lacks(programs: &[&str]) -> Option<String> {
    let is_there = |program: &&str| {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !is_there(program)).collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// npm, to be run for the page.
fn npm(root: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(root.join(FOLDER)).stdin(Stdio::null());
    command
}

/// Installs what the lock file names.
pub(crate) fn install(root: &Path) -> Result {
    shell::run(npm(root).args(["ci", "--no-audit", "--no-fund"]))
}

/// Checks the types, builds the page anew and refuses built files that are not what comes out.
///
/// # Errors
/// If a type is wrong, the build fails, or the committed files are stale.
pub(crate) fn check(root: &Path) -> Result {
    shell::run(npm(root).args(["run", "--silent", "check"]))?;
    let built = root.join(FOLDER).join(BUILT);
    let committed = files(&built)?;
    shell::run(npm(root).args(["run", "--silent", "build"]))?;
    let fresh = files(&built)?;
    if committed == fresh {
        return Ok(());
    }
    let differs = |name: &&PathBuf| committed.get(*name) != fresh.get(*name);
    let mut names: Vec<String> =
        committed.keys().chain(fresh.keys()).filter(differs).map(|name| name.display().to_string()).collect();
    names.sort();
    names.dedup();
    Err(format!("{FOLDER}/{BUILT} is stale: {}\nthe fresh files are there now; commit them", names.join(", ")).into())
}

/// The tests of the page's logic, to be counted.
pub(crate) fn unit_tests(root: &Path) -> Command {
    let mut command = npm(root);
    command.args(["test", "--silent"]);
    command
}

/// The tests in a real browser, against the binary that lies at `binary`.
pub(crate) fn browser_tests(root: &Path, binary: &Path) -> Command {
    let mut command = npm(root);
    command.args(["run", "--silent", "e2e"]).env("MILKRUN_BIN", binary);
    command
}

/// All files of a folder with their content, by their path in it.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).map_err(|error| format!("{}: {error}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(folder)?.to_owned(), fs::read(&path)?);
            }
        }
    }
    Ok(found)
}
