//! The `milkrun` binary, built from this tree, and its processes.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// After so long a process is stuck.
const PATIENCE: Duration = Duration::from_secs(100);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_micros(200);

/// The binary of this tree in the profile of these tests; cargo decides whether it has to be built.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // …/target/debug/deps/system-0123456789abcdef
        let own = std::env::current_exe().unwrap();
        let profile = own.ancestors().nth(2).unwrap();
        let target = profile.parent().unwrap();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--package", "milkrun", "--target-dir"]).arg(target);
        cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")]);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        // Cargo describes this package to this process; build scripts of dependencies would take it for a change.
        for (name, _) in std::env::vars_os() {
            let described = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
            if name.to_str().is_some_and(|name| described.iter().any(|start| name.starts_with(start))) {
                cargo.env_remove(name);
            }
        }
        let status = cargo.env_remove("LD_LIBRARY_PATH").status().unwrap();
        assert!(status.success(), "the binary does not build");
        profile.join("milkrun")
    })
}

/// A running process; it is killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    what: String,
    out: PathBuf,
    err: PathBuf,
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; none if it was killed.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error, the log included.
    pub(crate) err: String,
    what: String,
}

impl Running {
    /// Starts `command`; what it writes goes into files whose names begin with `console`.
    pub(crate) fn start(mut command: Command, input: &str, console: &Path) -> Self {
        let file = |end: &str| console.with_extension(end);
        let (out, err) = (file("out"), file("err"));
        command.stdin(Stdio::piped()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let what = command.get_args().map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let mut child = command.spawn().unwrap();
        // A program that does not listen is no mistake.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Self { child, what, out, err }
    }

    /// The exit status, if it has ended.
    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.status().is_some()
    }

    /// Waits until `condition` holds or the process has ended; says whether it still runs.
    pub(crate) fn until(&mut self, mut condition: impl FnMut() -> bool) -> bool {
        let begun = Instant::now();
        while !condition() {
            if self.has_ended() {
                return false;
            }
            assert!(begun.elapsed() < PATIENCE, "waited too long during {}\n{}", self.what, self.written());
            thread::sleep(LOOK);
        }
        true
    }

    /// Waits until `condition` holds of what it has written, or it has ended; says whether it still runs.
    pub(crate) fn until_written(&mut self, mut condition: impl FnMut(&str) -> bool) -> bool {
        let (out, err) = (self.out.clone(), self.err.clone());
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        self.until(|| condition(&(read(&out) + &read(&err))))
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        self.until(|| false);
        self.ended()
    }

    /// Kills it at once, by SIGKILL; gives what it left behind.
    pub(crate) fn kill(mut self) -> Ended {
        // It may have ended by itself just now.
        let _ = self.child.kill();
        self.ended()
    }

    /// Asks it to end, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Asks it to end, as a service manager does.
    pub(crate) fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    fn ended(&mut self) -> Ended {
        let code = self.child.wait().unwrap().code();
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        Ended { code, out: read(&self.out), err: read(&self.err), what: self.what.clone() }
    }

    /// What it has written so far.
    pub(crate) fn written(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default() + &fs::read_to_string(&self.err).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// The JSON document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self}"))
    }

    /// Standard error without the lines of the log, which begin with a year.
    pub(crate) fn said(&self) -> String {
        let is_log = |line: &&str| !(line.starts_with("20") && line.contains("Z "));
        self.err.lines().filter(is_log).collect::<Vec<_>>().join("\n")
    }

    /// The lines of the log at that level.
    pub(crate) fn log(&self, level: &str) -> Vec<&str> {
        self.err.lines().filter(|line| line.starts_with("20") && line.contains(&format!("Z {level:>5} "))).collect()
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, out, what, .. } = self;
        // The log would bury what the program says.
        write!(
            f,
            "milkrun {what}\nended with {code:?} and said\n{out}\n{}\n{}",
            self.said(),
            self.log("WARN").join("\n")
        )
    }
}

/// Runs all cases side by side: each waits most of the time.
pub(crate) fn side_by_side<C: Send>(cases: impl IntoIterator<Item = C>, check: impl Fn(C) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            let check = &check;
            scope.spawn(move || check(case));
        }
    });
}
