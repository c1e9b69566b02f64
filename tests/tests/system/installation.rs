//! An installation in a folder of its own, written as a user would, that reads a simulated Kuaimai and writes files.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use milkrun_sandbox::Control;
use tempfile::TempDir;

use crate::milkrun::{Ended, Running, binary};
use crate::output::Orders;
use crate::vendor::Vendor;

/// The key of the vault.
pub(crate) const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// One installation; when it ends, no secret may be in any of its files, nor in anything its processes wrote.
#[derive(Debug)]
pub(crate) struct Installation {
    dir: TempDir,
    variables: Vec<(&'static str, String)>,
    /// What the settings of the vendor say must never be shown.
    secrets: Vec<String>,
    /// Knows the tokens as they are now.
    control: Control,
    n_processes: Cell<u32>,
}

impl Installation {
    /// With an account `km` at `vendor`, an account `files`, and no flow.
    pub(crate) fn new(vendor: &Vendor) -> Self {
        let dir = TempDir::with_prefix("milkrun-").unwrap();
        fs::create_dir(dir.path().join("flows")).unwrap();
        fs::create_dir(dir.path().join("console")).unwrap();
        let variables = variables(vendor);
        let secrets = variables.iter().map(|(_, secret)| secret.clone()).collect();
        let control = vendor.control.clone();
        let installation = Self { dir, variables, secrets, control, n_processes: Cell::new(0) };
        installation.account(vendor, "calls_per_second = 15\n");
        installation
    }

    /// The same with the flow `orders`, see [`orders_flow`].
    pub(crate) fn of_orders(vendor: &Vendor, source: &str) -> Self {
        let installation = Self::new(vendor);
        installation.flow("orders", &orders_flow(vendor, source, ""));
        installation
    }

    /// Writes the accounts; `more` are further settings of `km`.
    pub(crate) fn account(&self, vendor: &Vendor, more: &str) {
        let text = format!(
            "[accounts.km]\nconnector = \"kuaimai\"\nbase_url = \"{}\"\napp_key = \"{}\"\n\
             app_secret = {{ env = \"KM_APP_SECRET\" }}\nsession = {{ env = \"KM_SESSION\" }}\n\
             refresh_token = {{ env = \"KM_REFRESH_TOKEN\" }}\n{more}\n\
             [accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n",
            vendor.url, vendor.settings.app_key
        );
        fs::write(self.path("milkrun.toml"), text).unwrap();
    }

    /// Writes a flow's file, in place of an earlier one.
    pub(crate) fn flow(&self, name: &str, text: &str) {
        fs::write(self.path(&format!("flows/{name}.toml")), text).unwrap();
    }

    /// A path in the installation's folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// Sets a variable for the processes to come.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
    }

    /// Takes a variable away from the processes to come.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| *known != name);
    }

    /// Sets all variables as they were at first.
    pub(crate) fn set_secrets(&mut self, vendor: &Vendor) {
        self.variables = variables(vendor);
    }

    /// Starts `milkrun` with these arguments, in English unless they say otherwise, with the log of everything.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_told(arguments, "")
    }

    /// Runs `milkrun` with these arguments and this input to its end.
    pub(crate) fn milkrun_told(&self, arguments: &[&str], input: &str) -> Ended {
        self.start_told(arguments, input).wait()
    }

    fn start_told(&self, arguments: &[&str], input: &str) -> Running {
        let mut command = Command::new(binary());
        command.args(arguments).args(["--no-progress", "-vvv"]);
        if !arguments.contains(&"--lang") {
            command.args(["--lang", "en"]);
        }
        command.arg("--dir").arg(self.dir.path()).arg("--log-json").arg(self.path("console/calls.jsonl"));
        // Neither proxies nor languages nor colours of whoever runs the tests.
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        let number = self.n_processes.get();
        self.n_processes.set(number + 1);
        Running::start(command, input, &self.path(&format!("console/{number}")))
    }

    /// Runs `milkrun` with these arguments to its end.
    pub(crate) fn milkrun(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).wait()
    }

    /// The orders in the file of the flow `orders`.
    pub(crate) fn orders(&self) -> Orders {
        Orders::read(&self.path("out/orders.jsonl"))
    }

    /// All files under the folder, devices left out.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.dir.path().to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.is_file() {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }

    /// What the files hold, but for the console's.
    pub(crate) fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = self.files().into_iter();
        let named =
            files.map(|path| (path.strip_prefix(self.dir.path()).unwrap().to_owned(), fs::read(&path).unwrap()));
        named.filter(|(path, _)| !path.starts_with("console")).collect()
    }

    /// Asserts that none of the secrets is in any file: state, documents, logs, and what the processes wrote.
    pub(crate) fn assert_no_secret(&self) {
        let session = self.control.session();
        let tokens = ["session", "refresh_token"].map(|token| session[token].as_str().unwrap().to_owned());
        for path in self.files() {
            let Ok(bytes) = fs::read(&path) else { continue };
            for secret in self.secrets.iter().chain(&tokens) {
                let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "`{secret}` is in {}", shown(&path, self.dir.path()));
            }
        }
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_no_secret();
        }
    }
}

fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

/// The variables that the settings refer to.
fn variables(vendor: &Vendor) -> Vec<(&'static str, String)> {
    let own = &vendor.settings;
    vec![
        ("KM_APP_SECRET", own.app_secret.clone()),
        ("KM_SESSION", own.session.clone()),
        ("KM_REFRESH_TOKEN", own.refresh_token.clone()),
        ("MILKRUN_KEY", KEY.to_owned()),
    ]
}

/// The file of a flow: orders of `km` from [`Vendor::since`] on, as they come, to `out/orders.jsonl`. `source` are
/// further lines of `[source]`, `rest` further lines of `[sink]` and what comes after.
pub(crate) fn orders_flow(vendor: &Vendor, source: &str, rest: &str) -> String {
    flow("orders", "orders", &format!("since = \"{}\"\n{source}", vendor.since()), rest)
}

/// The file of a flow from a stream of `km` to a target of `files`.
pub(crate) fn flow(stream: &str, target: &str, source: &str, rest: &str) -> String {
    format!(
        "[source]\naccount = \"km\"\nstream = \"{stream}\"\n{source}\n\n[sink]\naccount = \"files\"\n\
         target = \"{target}\"\n{rest}\n"
    )
}
