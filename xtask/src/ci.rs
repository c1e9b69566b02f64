//! `ci`: everything that has to hold before a change goes in, in the order in which it fails soonest.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::args::Args;
use crate::chaos::{self, Chaos};
use crate::shell::{self, Workspace, cargo, typed};
use crate::{Result, api, connector, docs, web};

/// One step.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&mut Job) -> Result,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", what: "the code is formatted", run: fmt },
    Step { name: "clippy", what: "no lint in any target", run: clippy },
    Step { name: "test", what: "all tests", run: test },
    Step { name: "exact", what: "the tests of records once more with serde_json/arbitrary_precision", run: exact },
    Step { name: "features", what: "the binary with no connector, with each one alone, and with all", run: features },
    Step { name: "doc", what: "the code's documentation builds without warnings", run: doc },
    Step { name: "docs", what: "docs/connectors/ is what the registry says", run: |job| docs::check(&job.root) },
    Step {
        name: "new-connector",
        what: "a new connector compiles, is listed, and passes conformance",
        run: new_connector,
    },
    Step { name: "demo", what: "the README's first command ends reconciled", run: demo },
    Step { name: "chaos", what: "a short round of kills loses and doubles nothing", run: short_chaos },
    Step { name: "web", what: "the console's page: types, logic, and built files that are not stale", run: web_page },
    Step { name: "browser", what: "the console in a real browser, in both languages", run: browser },
    Step { name: "api", what: "the console's API under requests made from its description", run: console_api },
    Step { name: "deny", what: "licences and sources of dependencies (needs cargo-deny)", run: deny },
];

/// What the steps share.
struct Job {
    root: PathBuf,
    workspace: Workspace,
    tests: Tally,
    /// What a step has to say beside that it ended well.
    note: Option<String>,
}

/// Tests, as their runners counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
}

/// `cargo xtask ci`.
pub(crate) fn main(mut args: Args) -> Result {
    let only: Option<String> = args.option("--only")?;
    let list = args.flag("--list");
    args.finish()?;
    if list {
        for step in STEPS {
            println!("{:<14} {}", step.name, step.what);
        }
        return Ok(());
    }
    let chosen: Vec<&Step> = STEPS.iter().filter(|step| only.as_deref().is_none_or(|name| name == step.name)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("no step is called `{}`; there are {}", only.unwrap_or_default(), names.join(", ")).into());
    }
    let root = shell::root();
    let workspace = Workspace::load(&root)?;
    let mut job = Job { root, workspace, tests: Tally::default(), note: None };
    let begun = Instant::now();
    let mut summary = Vec::new();
    let mut outcome: Result = Ok(());
    for step in chosen {
        println!("\n=== {}: {}", step.name, step.what);
        let at = Instant::now();
        let result = (step.run)(&mut job);
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        let note = job.note.take().map(|note| format!("  {note}")).unwrap_or_default();
        println!("=== {}: {word}, {}", step.name, seconds(at.elapsed()));
        summary.push(format!("{:<14} {word:<6} {:>8}{note}", step.name, seconds(at.elapsed())));
        if let Err(error) = result {
            outcome = Err(format!("{error}\n\nto repeat: cargo xtask ci --only {}", step.name).into());
            break;
        }
    }
    println!("\n{}\n{:<14} {:<6} {:>8}", summary.join("\n"), "all", "", seconds(begun.elapsed()));
    if let Err(error) = &outcome {
        println!("\nerror: {error}\n");
    }
    // Last, so that it is found at the end of a log.
    println!("{} passed, {} failed", job.tests.passed, job.tests.failed);
    // What went wrong has been said above that line.
    if outcome.is_err() {
        std::process::exit(1);
    }
    Ok(())
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn fmt(job: &mut Job) -> Result {
    shell::run(cargo(&job.root).args(["fmt", "--all", "--check"]))
}

fn clippy(job: &mut Job) -> Result {
    shell::run(cargo(&job.root).args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// A command that runs tests: nextest where it is installed, else cargo's own.
fn runner(folder: &Path) -> Command {
    let mut nextest = cargo(folder);
    nextest.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = cargo(folder);
    if nextest.status().is_ok_and(|status| status.success()) {
        command.args(["nextest", "run", "--no-tests", "pass", "--status-level", "fail"]);
    } else {
        command.args(["test", "--no-fail-fast"]);
    }
    command
}

fn test(job: &mut Job) -> Result {
    let mut command = runner(&job.root);
    run_tests(job, command.arg("--workspace"))
}

/// Any dependency may switch `arbitrary_precision` on for the whole binary; numbers have to stay as written then too.
fn exact(job: &mut Job) -> Result {
    let ours = |name: &&str| {
        let core = ["milkrun-core", "milkrun-mapping", "milkrun-engine", "milkrun-store"];
        core.contains(name) || name.starts_with("milkrun-connector-")
    };
    let packages: Vec<String> =
        job.workspace.dependents("serde_json").into_iter().filter(ours).map(str::to_owned).collect();
    let mut command = runner(&job.root);
    for package in packages {
        command.args(["--package", &package]);
    }
    run_tests(job, command.args(["--features", "serde_json/arbitrary_precision"]))
}

/// Runs tests, shows what they say, and adds up how many there were.
fn run_tests(job: &mut Job, command: &mut Command) -> Result {
    let tally = counted(command)?;
    job.tests.passed += tally.0.passed;
    job.tests.failed += tally.0.failed;
    job.note = Some(format!("{} passed, {} failed", tally.0.passed, tally.0.failed));
    if tally.1 { Ok(()) } else { Err(format!("`{}` failed", typed(command)).into()) }
}

fn counted(command: &mut Command) -> Result<(Tally, bool)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (lines, received) = mpsc::channel::<String>();
    let outputs: [Box<dyn Read + Send>; 2] =
        [Box::new(child.stdout.take().expect("it is piped")), Box::new(child.stderr.take().expect("it is piped"))];
    for output in outputs {
        let lines = lines.clone();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                // The receiver is there as long as there are senders.
                let _ = lines.send(String::from_utf8_lossy(&line).into_owned());
                line.clear();
            }
        });
    }
    drop(lines);
    let mut tally = Tally::default();
    for line in received {
        print!("{line}");
        // A log may be followed from elsewhere; where nobody reads any more, the tests go on all the same.
        let _ = std::io::stdout().flush();
        if let Some(found) = tally_of(&line) {
            tally.passed += found.passed;
            tally.failed += found.failed;
        }
    }
    Ok((tally, child.wait()?.success()))
}

/// What a line says of tests: `test result: ok. 3 passed; 1 failed; …` of cargo's own runner, or
/// `Summary [ 1.2s] 4 tests run: 3 passed (1 slow), 1 failed, 0 skipped` of nextest, or `# pass 3` and `# fail 1` of
/// Node's.
fn tally_of(line: &str) -> Option<Tally> {
    let line = line.trim();
    let node =
        |word: &str| ["# ", "ℹ "].iter().find_map(|mark| line.strip_prefix(mark)?.strip_prefix(word)?.parse().ok());
    if let Some(passed) = node("pass ") {
        return Some(Tally { passed, failed: 0 });
    }
    if let Some(failed) = node("fail ") {
        return Some(Tally { passed: 0, failed });
    }
    let counts = match line.strip_prefix("test result: ") {
        Some(rest) => rest,
        None => line.strip_prefix("Summary [")?.split_once("run: ")?.1,
    };
    let count = |what: &str| {
        let before = &counts[..counts.find(what)?];
        before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
    };
    let failed = [" failed", " timed out", " exec failed"].into_iter().filter_map(count).sum();
    Some(Tally { passed: count(" passed").unwrap_or(0), failed })
}

fn features(job: &mut Job) -> Result {
    let all = job.workspace.features("milkrun");
    let single: Vec<&str> = all.into_iter().filter(|name| !["default", "all"].contains(name)).collect();
    let check = |features: &str| {
        println!("  --no-default-features --features \"{features}\"");
        let mut command = cargo(&job.root);
        command.args(["check", "--quiet", "--package", "milkrun", "--no-default-features", "--features", features]);
        shell::run(&mut command)
    };
    check("")?;
    single.iter().try_for_each(|feature| check(feature))?;
    check("all")?;
    job.note = Some(format!("{} combinations", single.len() + 2));
    Ok(())
}

fn doc(job: &mut Job) -> Result {
    let mut command = cargo(&job.root);
    command.args(["doc", "--quiet", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    shell::run(&mut command)
}

/// The name that the self-test uses: two words, so that every spelling differs.
const PROBE: &str = "acme-probe";

/// Makes a connector in a copy of the workspace, and does with it what a developer would.
fn new_connector(job: &mut Job) -> Result {
    let target = job.workspace.target();
    let copy = target.join("xtask").join("new-connector");
    copy_workspace(&job.root, &copy)?;
    connector::create(&copy, PROBE)?;
    let package = format!("milkrun-connector-{PROBE}");
    let cargo = || {
        let mut command = cargo(&copy);
        command.env("CARGO_TARGET_DIR", &target);
        command
    };
    shell::run(cargo().args(["fmt", "--all", "--check"]))?;
    let lints = ["clippy", "--quiet", "--all-targets", "--package", &package, "--package", "milkrun-bundle"];
    shell::run(cargo().args(lints).args(["--", "-D", "warnings"]))?;
    let (tally, good) = counted(cargo().args(["test", "--quiet", "--package", &package]))?;
    if !good || tally.passed == 0 {
        return Err(format!("the new connector's tests failed; it is in {}", copy.display()).into());
    }
    let listed =
        shell::capture(cargo().args(["run", "--quiet", "--package", "milkrun", "--", "connectors", "--json"]))?;
    if !listed.contains(&format!("\"{PROBE}\"")) {
        return Err("the new connector is not listed by `milkrun connectors`".into());
    }
    job.note = Some(format!("its own tests: {} passed", tally.passed));
    Ok(())
}

/// Copies the files of the workspace that are, or could be, in the repository; what is unchanged there keeps its time.
///
/// The copy's version differs: cargo would take its crates for those of the original otherwise, and both use one
/// target folder, so that dependencies are not built again.
fn copy_workspace(from: &Path, to: &Path) -> Result {
    let mut git = Command::new("git");
    git.current_dir(from).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let listed = shell::capture(&mut git)?;
    let mut files: Vec<&str> = listed.split('\0').filter(|name| !name.is_empty()).collect();
    files.retain(|name| from.join(name).is_file());
    remove_others(to, to, &files)?;
    for name in files {
        let mut new = fs::read(from.join(name))?;
        if name == "Cargo.toml" {
            let manifest = String::from_utf8(new)?;
            let (before, after) = manifest.split_once("\nversion = \"").ok_or("the workspace has no version")?;
            new = format!("{before}\nversion = \"0.0.0-copy+{after}").into_bytes();
        }
        let path = to.join(name);
        if fs::read(&path).is_ok_and(|old| old == new) {
            continue;
        }
        fs::create_dir_all(path.parent().expect("a file lies in a folder"))?;
        fs::write(&path, new)?;
    }
    Ok(())
}

/// Removes what is not in `files`: the connector of the last time, and what the original has no more.
fn remove_others(root: &Path, folder: &Path, files: &[&str]) -> Result {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(root, &path, files)?;
            // It fails while something is in it, which then is to stay.
            let _ = fs::remove_dir(&path);
        } else if !path.strip_prefix(root)?.to_str().is_some_and(|name| files.contains(&name)) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn demo(job: &mut Job) -> Result {
    let folder = job.workspace.target().join("xtask").join("demo");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let mut command = cargo(&folder);
    let manifest = job.root.join("Cargo.toml");
    command.args(["run", "--quiet", "--manifest-path"]).arg(manifest).args(["--package", "milkrun", "--", "demo"]);
    let said = shell::capture(&mut command)?;
    print!("{said}");
    fs::remove_dir_all(&folder)?;
    if said.contains("reconciled") && !said.contains("unreconciled") {
        Ok(())
    } else {
        Err(format!("`{}` did not say that it is reconciled", typed(&command)).into())
    }
}

fn short_chaos(job: &mut Job) -> Result {
    let outcome = chaos::run(&job.root, &Chaos { kills: 12, orders: 3_000, seed: 7, release: false })?;
    job.note = Some(outcome);
    Ok(())
}

/// Whether a step can run here. What it lacks is said, and is a failure where everything is to be checked.
fn can_run(job: &mut Job, programs: &[&str]) -> Result<bool> {
    let Some(missing) = web::lacks(programs) else { return Ok(true) };
    if std::env::var_os("MILKRUN_CI_FULL").is_some() {
        return Err(format!("not installed: {missing}").into());
    }
    job.note = Some(format!("left out: {missing} not installed"));
    Ok(false)
}

fn web_page(job: &mut Job) -> Result {
    if !can_run(job, &["node", "npm"])? {
        return Ok(());
    }
    web::install(&job.root)?;
    web::check(&job.root)?;
    run_tests(job, &mut web::unit_tests(&job.root))
}

fn browser(job: &mut Job) -> Result {
    if !can_run(job, &["node", "npm", "chromium"])? {
        return Ok(());
    }
    web::install(&job.root)?;
    let binary = binary(job)?;
    run_tests(job, &mut web::browser_tests(&job.root, &binary))
}

fn console_api(job: &mut Job) -> Result {
    if !can_run(job, &[api::PROGRAM])? {
        return Ok(());
    }
    api::try_all(&job.root, &binary(job)?)
}

/// The program as it is now.
fn binary(job: &Job) -> Result<PathBuf> {
    shell::run(cargo(&job.root).args(["build", "--quiet", "--package", "milkrun"]))?;
    Ok(job.workspace.target().join("debug").join("milkrun"))
}

fn deny(job: &mut Job) -> Result {
    if !can_run(job, &["cargo-deny"])? {
        return Ok(());
    }
    // Advisories appear without a change of ours and need the network: `cargo deny check advisories` is for a timetable.
    shell::run(cargo(&job.root).args(["deny", "--all-features", "check", "bans", "licenses", "sources"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_runners_are_understood() {
        let tally = |passed, failed| Some(Tally { passed, failed });
        let plain = "test result: ok. 17 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s";
        assert_eq!(tally_of(plain), tally(17, 0));
        assert_eq!(tally_of("test result: FAILED. 1 passed; 3 failed; 0 ignored"), tally(1, 3));
        assert_eq!(tally_of("     Summary [   0.031s] 121 tests run: 121 passed (2 slow), 3 skipped"), tally(121, 0));
        assert_eq!(
            tally_of("     Summary [   1s] 5 tests run: 3 passed, 1 failed, 1 timed out, 0 skipped"),
            tally(3, 2)
        );
        assert_eq!(tally_of("     Summary [   1s] 0 tests run: 0 passed, 9 skipped"), tally(0, 0));
        assert_eq!(tally_of("# pass 12"), tally(12, 0));
        assert_eq!(tally_of("# fail 2"), tally(0, 2));
        assert_eq!(tally_of("ℹ pass 7"), tally(7, 0));
        assert_eq!(tally_of("# pass the salt"), None);
        assert_eq!(tally_of("running 3 tests"), None);
    }
}
