//! A temporary installation that reads a simulated Kuaimai and writes files, as a user would set it up.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::Running;
use crate::shell::{self, Workspace, cargo};
use crate::{Result, http};

/// The `milkrun` binary, built now.
///
/// # Errors
/// If it does not build.
pub(crate) fn build(root: &Path, release: bool) -> Result<PathBuf> {
    let mut command = cargo(root);
    command.args(["build", "--quiet", "--package", "milkrun"]);
    if release {
        command.arg("--release");
    }
    shell::run(&mut command)?;
    Ok(Workspace::load(root)?.target().join(if release { "release" } else { "debug" }).join("milkrun"))
}

/// An empty folder under the target folder, for what one chore leaves behind while it runs.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn scratch(root: &Path, name: &str) -> Result<PathBuf> {
    let folder = Workspace::load(root)?.target().join("xtask").join(name);
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Removes a folder with all that is in it, if it is there.
///
/// # Errors
/// If something in it cannot be removed.
pub(crate) fn remove(folder: &Path) -> Result {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// A running `milkrun sandbox`.
#[derive(Debug)]
pub(crate) struct Sandbox {
    /// The address of the vendor's interface.
    pub(crate) url: String,
    server: String,
    _running: Running,
}

impl Sandbox {
    /// Starts it with these arguments, on any free port.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) fn start(milkrun: &Path, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(milkrun);
        command.arg("sandbox").args(arguments).args(["--port", "0", "--lang", "en"]).stderr(Stdio::inherit());
        let (running, url) = Running::server(&mut command, address)?;
        let server = url.split('/').nth(2).ok_or("the sandbox has no address")?.to_owned();
        Ok(Self { url, server, _running: running })
    }

    /// How many calls it had so far.
    pub(crate) fn n_calls(&self) -> Result<u64> {
        Ok(self.stats()?["total_calls"].as_u64().ok_or("the sandbox does not say how many calls it had")?)
    }

    /// What it counts.
    pub(crate) fn stats(&self) -> Result<Value> {
        Ok(serde_json::from_str(&http::get(&self.server, "/_sandbox/stats")?)?)
    }

    /// The calls with a number above `since`, oldest first.
    pub(crate) fn calls(&self, since: u64) -> Result<Vec<Value>> {
        Ok(serde_json::from_str(&http::get(&self.server, &format!("/_sandbox/calls?since={since}"))?)?)
    }

    /// The keys of everything it has of a kind.
    pub(crate) fn truth(&self, entity: &str) -> Result<Vec<String>> {
        let lines = http::get(&self.server, &format!("/_sandbox/truth/{entity}"))?;
        let key = |line: &str| -> Result<String> {
            let row: Value = serde_json::from_str(line)?;
            Ok(row["key"].as_str().ok_or("a row of the truth has no key")?.to_owned())
        };
        lines.lines().map(key).collect()
    }
}

/// The address of a Kuaimai gateway in a line of output.
pub(crate) fn address(line: &str) -> Option<String> {
    let rest = &line[line.find("http://")?..];
    let end = rest.find("/router")? + "/router".len();
    Some(rest[..end].to_owned())
}

/// What the simulator takes for a good account: setting, variable, secret.
const SECRETS: [(&str, &str, &str); 3] = [
    ("app_secret", "KM_APP_SECRET", "sandbox-app-secret"),
    ("session", "KM_SESSION", "sandbox-access-token"),
    ("refresh_token", "KM_REFRESH_TOKEN", "sandbox-refresh-token"),
];

/// The key of the vault, which keeps nothing of worth here.
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// How many calls the account may make.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quota<'a> {
    /// As many as it likes: the vendor is a simulator that has no limit.
    Unlimited,
    /// So many calls in any window of so many seconds, all of them together.
    Rates(&'a [(u32, u32)]),
}

/// One flow: orders or another stream of the account `km`, to a file of the same name.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) stream: &'static str,
    /// Further lines of `[source]`.
    pub(crate) source: String,
    /// Further lines of `[sink]`.
    pub(crate) sink: String,
    /// The lines after them.
    pub(crate) mapping: String,
}

/// An installation in its own folder.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) folder: PathBuf,
}

impl Installation {
    /// Makes one with an account `km` at `url`, an account `files`, and these flows, each named after its stream.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn make(folder: &Path, url: &str, quota: Quota<'_>, flows: &[Flow]) -> Result<Self> {
        remove(folder)?;
        fs::create_dir_all(folder.join("flows"))?;
        let mut text = format!("[accounts.km]\nconnector = \"kuaimai\"\nbase_url = \"{url}\"\napp_key = \"100001\"\n");
        for (setting, variable, _) in SECRETS {
            let _ = writeln!(text, "{setting} = {{ env = \"{variable}\" }}");
        }
        match quota {
            Quota::Unlimited => text.push_str("quota = []\n"),
            Quota::Rates(rates) => {
                let rates = rates.iter().map(|(calls, secs)| format!("\"{calls}/{secs}s\""));
                let _ = writeln!(text, "quota = [{}]", rates.collect::<Vec<_>>().join(", "));
            }
        }
        text.push_str("\n[accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n");
        fs::write(folder.join("milkrun.toml"), text)?;
        let installation = Self { folder: folder.to_owned() };
        for flow in flows {
            installation.write_flow(flow)?;
        }
        Ok(installation)
    }

    /// Writes a flow's file, in place of an earlier one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write_flow(&self, flow: &Flow) -> Result {
        let Flow { stream, source, sink, mapping } = flow;
        let text = format!(
            "[source]\naccount = \"km\"\nstream = \"{stream}\"\n{source}\n\n[sink]\naccount = \"files\"\n\
             target = \"{stream}\"\n{sink}\n\n{mapping}"
        );
        Ok(fs::write(self.folder.join("flows").join(format!("{stream}.toml")), text)?)
    }

    /// The command that runs a flow once.
    pub(crate) fn run(&self, milkrun: &Path, flow: &str) -> Command {
        let mut command = Command::new(milkrun);
        command.args(["run", flow, "--no-progress", "--lang", "en", "--dir"]).arg(&self.folder).stdin(Stdio::null());
        command.envs(SECRETS.map(|(_, variable, secret)| (variable, secret))).env("MILKRUN_KEY", KEY);
        command
    }

    /// The file that a flow writes.
    pub(crate) fn output(&self, flow: &str) -> PathBuf {
        self.folder.join("out").join(format!("{flow}.jsonl"))
    }
}

/// How often each key is in a file of orders.
///
/// # Errors
/// If a line is no order: torn, say.
pub(crate) fn keys_of(file: &Path, field: &str) -> Result<HashMap<String, u32>> {
    let mut found = HashMap::new();
    for (n, line) in fs::read_to_string(file)?.lines().enumerate() {
        let row: Value =
            serde_json::from_str(line).map_err(|error| format!("{}:{}: {error}", file.display(), n + 1))?;
        let key = match &row[field] {
            Value::String(text) => text.clone(),
            Value::Null => return Err(format!("{}:{}: no `{field}`", file.display(), n + 1).into()),
            other => other.to_string(),
        };
        *found.entry(key).or_insert(0) += 1;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_text_and_in_json() {
        let found = Some("http://127.0.0.1:4012/router".to_owned());
        assert_eq!(address("listens on http://127.0.0.1:4012/router, control: http://x"), found);
        assert_eq!(address("  \"url\": \"http://127.0.0.1:4012/router\","), found);
        assert_eq!(address("{"), None);
    }
}
