//! An installation in a folder of its own for accounts of any vendors, written file by file.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use milkrun_sandbox::Control;
use tempfile::TempDir;

use crate::installation::KEY;
use crate::milkrun::{Ended, Running, binary};

/// What the tokens are called in what simulators say of their sessions.
const TOKENS: &[&str] = &["access_token", "refresh_token", "session"];

/// An installation; when it ends, no secret may be in any of its files, nor in anything its processes wrote.
#[derive(Debug)]
pub(crate) struct Place {
    dir: TempDir,
    variables: Vec<(String, String)>,
    secrets: Vec<String>,
    controls: Vec<Control>,
    n_processes: Cell<u32>,
}

impl Place {
    /// With these accounts, the text of `milkrun.toml`.
    pub(crate) fn new(accounts: &str) -> Self {
        let dir = TempDir::with_prefix("milkrun-").unwrap();
        let place =
            Self { dir, variables: Vec::new(), secrets: Vec::new(), controls: Vec::new(), n_processes: Cell::new(0) };
        place.write("milkrun.toml", accounts);
        place.write("console/.keep", "");
        place
    }

    /// The same with a variable that holds a secret.
    pub(crate) fn secret(mut self, variable: &str, secret: &str) -> Self {
        self.variables.push((variable.to_owned(), secret.to_owned()));
        self.hides(secret)
    }

    /// The same with a text that may never be shown.
    pub(crate) fn hides(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// The same, looking out for the tokens that this simulator gives too.
    pub(crate) fn watching(mut self, control: &Control) -> Self {
        self.controls.push(control.clone());
        self
    }

    /// Writes a file, in place of an earlier one, with its folders.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a flow, in place of an earlier one.
    pub(crate) fn flow(&self, name: &str, text: &str) {
        self.write(&format!("flows/{name}.toml"), text);
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts `milkrun` with these arguments.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_told(arguments, "")
    }

    /// Runs `milkrun` with these arguments to its end.
    pub(crate) fn milkrun(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).wait()
    }

    /// The same with this on standard input.
    pub(crate) fn milkrun_told(&self, arguments: &[&str], input: &str) -> Ended {
        self.start_told(arguments, input).wait()
    }

    /// In English and in this folder unless the arguments say otherwise, with the log of everything.
    fn start_told(&self, arguments: &[&str], input: &str) -> Running {
        let number = self.n_processes.get();
        self.n_processes.set(number + 1);
        let mut command = Command::new(binary());
        command.args(arguments).args(["--no-progress", "-vvv"]);
        if !arguments.contains(&"--dir") {
            command.arg("--dir").arg(self.dir.path());
        }
        if !arguments.contains(&"--lang") {
            command.args(["--lang", "en"]);
        }
        command.arg("--log-json").arg(self.path(&format!("console/{number}.jsonl")));
        // Paths of arguments are relative to the folder, and nothing is taken from whoever runs the tests.
        command.current_dir(self.dir.path()).env_clear().env("MILKRUN_KEY", KEY);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Running::start(command, input, &self.path(&format!("console/{number}")))
    }

    /// Runs a flow and asserts that it ended reconciled.
    #[track_caller]
    pub(crate) fn reconciles(&self, flow: &str) {
        let ended = self.milkrun(&["run", flow, "--json"]);
        let report = ended.json();
        assert_eq!(report["flows"][0]["verdict"], "reconciled", "{flow}: {ended}");
        ended.with(0);
    }

    /// All files under the folder.
    fn files(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.dir.path().to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    }

    /// Asserts that none of the secrets is in any file: state, documents, logs, and what the processes wrote.
    pub(crate) fn assert_no_secret(&self) {
        let sessions = self.controls.iter().map(Control::session).collect::<Vec<_>>();
        let of_sessions = sessions.iter().flat_map(|session| TOKENS.iter().filter_map(|name| session[*name].as_str()));
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).chain(of_sessions).collect();
        for path in self.files() {
            let Ok(bytes) = fs::read(&path) else { continue };
            for secret in &secrets {
                let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                let shown = path.strip_prefix(self.dir.path()).unwrap_or(&path).display();
                assert!(!found, "`{secret}` is in {shown}");
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_no_secret();
        }
    }
}
