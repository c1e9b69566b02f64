//! Running cargo and other commands.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Result;

/// The folder of the workspace that this chore was started for.
pub(crate) fn root() -> PathBuf {
    let own = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&own).parent().expect("xtask lies in the workspace").to_owned()
}

/// Cargo, to be run in `folder`.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stdin(Stdio::null());
    // What cargo tells this program about itself is not meant for the cargo that it starts.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// The command as a person would type it.
pub(crate) fn typed(command: &Command) -> String {
    let envs = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let envs = envs.map(|(name, value)| format!("{}={}", name.display(), quoted(value)));
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(quoted(program)).chain(command.get_args().map(quoted));
    envs.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_=/.,:@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{word}'") }
}

/// Runs a command whose output goes to the terminal.
///
/// # Errors
/// With the command to repeat, if it cannot be started or does not end well.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = command.status().map_err(|error| format!("`{}`: {error}", typed(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", typed(command)).into()) }
}

/// Runs a command and returns what it wrote to its standard output.
///
/// # Errors
/// As [`run`]; what it wrote to its error output goes to the terminal.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("`{}`: {error}", typed(command)))?;
    if !output.status.success() {
        return Err(format!("`{}` ended with {}", typed(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What cargo knows of a workspace, dependencies left out.
#[derive(Debug)]
pub(crate) struct Workspace(Value);

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    /// If a manifest is wrong.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let text = capture(cargo(folder).args(["metadata", "--no-deps", "--format-version", "1"]))?;
        Ok(Self(serde_json::from_str(&text)?))
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> PathBuf {
        self.0["target_directory"].as_str().expect("cargo names it").into()
    }

    /// The names of the packages.
    pub(crate) fn packages(&self) -> Vec<&str> {
        self.members().filter_map(|package| package["name"].as_str()).collect()
    }

    /// The features of a package.
    pub(crate) fn features(&self, package: &str) -> Vec<&str> {
        let found = self.members().find(|member| member["name"] == package);
        found.and_then(|member| member["features"].as_object()).into_iter().flatten().map(|(n, _)| n.as_str()).collect()
    }

    /// The packages that depend on `dependency`, also for their tests.
    pub(crate) fn dependents(&self, dependency: &str) -> Vec<&str> {
        let depends = |package: &&Value| {
            let all = package["dependencies"].as_array().into_iter().flatten();
            all.into_iter().any(|known| known["name"] == dependency)
        };
        self.members().filter(depends).filter_map(|package| package["name"].as_str()).collect()
    }

    fn members(&self) -> impl Iterator<Item = &Value> {
        self.0["packages"].as_array().into_iter().flatten()
    }
}
