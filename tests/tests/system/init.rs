//! `milkrun init`: what it writes for each connector is right, and runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use milkrun_bundle as _;
use milkrun_core::{connector, connectors};
use tempfile::TempDir;

use crate::milkrun::{Ended, Running, binary};

/// A folder without anything, in which nothing of whoever runs the tests is known: no secret and no key either.
struct Folder {
    dir: TempDir,
    console: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), console: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn milkrun(&self, lang: &str, arguments: &[&str]) -> Ended {
        let mut command = Command::new(binary());
        command.args(arguments).args(["--lang", lang, "--dir"]).arg(self.dir.path()).env_clear();
        Running::start(command, "", &self.console.path().join("console")).wait()
    }

    /// Begins an installation with these connectors, makes the example flows flows, and returns their names.
    fn init(&self, lang: &str, connectors: &[&str]) -> Vec<String> {
        let arguments: Vec<&str> = connectors.iter().flat_map(|name| ["--connector", name]).collect();
        self.milkrun(lang, &[&["init"], arguments.as_slice()].concat()).with(0);
        self.enable()
    }

    fn enable(&self) -> Vec<String> {
        let files = fs::read_dir(self.path("flows")).unwrap().map(|entry| entry.unwrap().path());
        let mut flows: Vec<String> = files.map(|file| enabled(&file)).collect();
        flows.sort();
        flows
    }
}

fn enabled(file: &Path) -> String {
    let name = file.file_name().unwrap().to_str().unwrap();
    let flow = name.strip_suffix(".toml.off").unwrap_or_else(|| panic!("{name} is no example")).to_owned();
    fs::rename(file, file.with_file_name(format!("{flow}.toml"))).unwrap();
    flow
}

/// The example flow that `init` writes for a connector.
pub(crate) fn example_flow(connector: &str) -> String {
    let folder = Folder::new();
    let flows = folder.init("en", &[connector]);
    fs::read_to_string(folder.path(&format!("flows/{}.toml", flows[0]))).unwrap()
}

#[test]
fn what_is_written_for_each_connector_is_right() {
    for spec in connectors() {
        for lang in ["en", "zh"] {
            let folder = Folder::new();
            let flows = folder.init(lang, &[spec.name]);
            assert_eq!(flows.len(), 1, "{}: every connector can be read from", spec.name);
            let checked = folder.milkrun(lang, &["check", "--offline"]).with(0);
            assert_eq!(checked.said(), "", "{}: neither mistakes nor warnings", spec.name);
            let said = if lang == "en" { "flows 1." } else { "流程 1 个。" };
            assert!(checked.out.contains(said), "{checked}");
            let flow = fs::read_to_string(folder.path(&format!("flows/{}.toml", flows[0]))).unwrap();
            // Before anybody is called, what is still to be filled in is named.
            let secrets: Vec<&str> =
                spec.example.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            if !secrets.is_empty() {
                let checked = folder.milkrun(lang, &["check"]).with(2);
                let said = checked.said();
                assert!(secrets.iter().all(|secret| said.contains(secret)), "{checked}");
            }
            assert!(!flow.contains('@') && flow.contains("[mapping.fields]\n"), "{flow}");
        }
    }
}

#[test]
fn several_connectors_make_one_installation() {
    let folder = Folder::new();
    let names: Vec<&str> = connectors().iter().map(|spec| spec.name).collect();
    // One that is named twice is one.
    let flows = folder.init("en", &[names.as_slice(), names.as_slice()].concat());
    assert_eq!(flows.len(), names.len(), "{flows:?}");
    let checked = folder.milkrun("en", &["check", "--offline"]).with(0);
    assert_eq!(checked.said(), "", "{checked}");
}

#[test]
fn an_installation_that_is_there_is_told_what_the_example_needs() {
    let folder = Folder::new();
    assert!(folder.init("en", &[]).is_empty());
    folder.milkrun("en", &["check", "--offline"]).with(0);
    let before = fs::read_to_string(folder.path("milkrun.toml")).unwrap();
    let example = connector("jushuitan").unwrap().example;
    for (lang, there) in [("en", "stays as it is"), ("zh", "保持不变")] {
        let ended = folder.milkrun(lang, &["init", "--connector", "jushuitan"]).with(0);
        assert!(ended.said().contains(there) && ended.said().contains(example.trim_end()), "{ended}");
    }
    assert_eq!(fs::read_to_string(folder.path("milkrun.toml")).unwrap(), before);
    fs::write(folder.path("milkrun.toml"), before + "\n" + example).unwrap();
    let ended = folder.milkrun("en", &["init", "--connector", "jushuitan"]).with(0);
    assert_eq!(ended.said(), "", "nothing is lacking any more");
    assert_eq!(folder.enable().len(), 1);
    folder.milkrun("en", &["check", "--offline"]).with(0);
}
