//! `new-connector`: writes a crate from the templates and names it wherever connectors are named.

use std::fs;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::shell::{self, Workspace, cargo};
use crate::{Result, docs, time};

/// The template is a connector called `acme`: its files, by their place in the new crate.
const TEMPLATE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../templates/connector/Cargo.toml")),
    ("README.md", include_str!("../templates/connector/README.md")),
    ("README.zh.md", include_str!("../templates/connector/README.zh.md")),
    ("src/lib.rs", include_str!("../templates/connector/src/lib.rs")),
    ("src/config.rs", include_str!("../templates/connector/src/config.rs")),
    ("src/zh.toml", include_str!("../templates/connector/src/zh.toml")),
    ("src/streams.rs", include_str!("../templates/connector/src/streams.rs")),
    ("src/source.rs", include_str!("../templates/connector/src/source.rs")),
    ("src/client.rs", include_str!("../templates/connector/src/client.rs")),
    ("src/error.rs", include_str!("../templates/connector/src/error.rs")),
    ("tests/conformance.rs", include_str!("../templates/connector/tests/conformance.rs")),
    ("tests/fixtures/busy.json", include_str!("../templates/connector/tests/fixtures/busy.json")),
    ("tests/fixtures/item.json", include_str!("../templates/connector/tests/fixtures/item.json")),
    ("tests/fixtures/order.json", include_str!("../templates/connector/tests/fixtures/order.json")),
];

/// Features that stand for something else than one connector.
const RESERVED: [&str; 2] = ["all", "default"];

/// `cargo xtask new-connector NAME`.
pub(crate) fn main(mut args: Args) -> Result {
    let name = args.name().ok_or("which name? such as `cargo xtask new-connector acme`")?;
    args.finish()?;
    let root = shell::root();
    create(&root, &name)?;
    println!("connectors/{name} is made, and named in the bundle, in the binary and in the workspace.\n");
    println!("  cargo test -p milkrun-connector-{name}    its tests, with the conformance suite");
    println!("  cargo run -- connectors                   lists it");
    println!("  cargo xtask docs                          writes {}/{name}.md", docs::FOLDER);
    println!(
        "\nThe vendor in it is invented. In reading order: README.md, src/config.rs, src/streams.rs, src/source.rs,"
    );
    println!(
        "src/client.rs, src/error.rs, tests/conformance.rs with its fixtures. Chinese: README.zh.md, src/zh.toml."
    );
    Ok(())
}

/// Makes the connector in the workspace at `root`, formatted and with the lock file up to date.
///
/// # Errors
/// If the name cannot be one, is taken, or one of the files to change is not as expected; then nothing is written.
pub(crate) fn create(root: &Path, name: &str) -> Result {
    let name = Name::parse(name)?;
    let workspace = Workspace::load(root)?;
    let taken = workspace.features("milkrun").contains(&name.kebab.as_str());
    let folder = root.join("connectors").join(&name.kebab);
    if taken || folder.exists() || workspace.packages().contains(&name.package().as_str()) {
        return Err(format!("`{}` is taken", name.kebab).into());
    }
    let mut files: Vec<(PathBuf, String)> =
        TEMPLATE.iter().map(|(path, text)| (folder.join(path), name.fill(text))).collect();
    for (path, change) in CHANGES {
        let path = root.join(path);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = change(&text, &name).ok_or_else(|| format!("{}: no connector is named there", path.display()))?;
        files.push((path, text));
    }
    for (path, text) in files {
        fs::create_dir_all(path.parent().expect("a file lies in a folder"))?;
        fs::write(&path, text)?;
    }
    // Names differ in length, so lines break elsewhere than in the template.
    shell::run(cargo(root).args(["fmt", "--package", &name.package()]))?;
    shell::run(cargo(root).args(["update", "--quiet", "--workspace", "--offline"]))
}

type Change = fn(&str, &Name) -> Option<String>;

/// Where connectors are named beside their own folder.
const CHANGES: [(&str, Change); 4] = [
    ("Cargo.toml", |text, name| {
        let line = format!("{0} = {{ path = \"connectors/{1}\" }}\n", name.package(), name.kebab);
        insert(text, "milkrun-connector-", " = { path", &name.kebab, &line, 1)
    }),
    ("crates/bundle/Cargo.toml", |text, name| {
        let text = add_to_all(text, &name.kebab)?;
        let line = format!("{} = [\"dep:{}\"]\n", name.kebab, name.package());
        let text = insert(&text, "", " = [\"dep:milkrun-connector-", &name.kebab, &line, 1)?;
        let line = format!("{} = {{ workspace = true, optional = true }}\n", name.package());
        insert(&text, "milkrun-connector-", " = { workspace = true, optional", &name.kebab, &line, 1)
    }),
    ("crates/bundle/src/lib.rs", |text, name| {
        let lines = format!("#[cfg(feature = \"{}\")]\nuse {} as _;\n", name.kebab, name.package().replace('-', "_"));
        insert(text, "#[cfg(feature = \"", "\")]", &name.kebab, &lines, 2)
    }),
    ("crates/orchestrator/Cargo.toml", |text, name| {
        let line = format!("{0} = [\"milkrun-bundle/{0}\"]\n", name.kebab);
        insert_where(
            text,
            |line| line.split_once(" = [\"milkrun-bundle/").map(|(n, _)| n).filter(|n| *n != "all"),
            &name.kebab,
            &line,
            1,
        )
    }),
];

/// Inserts `lines` among the entries that read `before`, a name, `after`, in the order of the names.
fn insert(text: &str, before: &str, after: &str, name: &str, lines: &str, entry: usize) -> Option<String> {
    let name_of = |line: &str| -> Option<usize> {
        let rest = line.strip_prefix(before)?;
        rest.find(after).filter(|&end| !rest[..end].contains(' '))
    };
    insert_where(text, |line| name_of(line).map(|end| &line[before.len()..before.len() + end]), name, lines, entry)
}

/// Inserts `lines` before the first entry of a later name, or after the last entry; an entry has `entry` lines.
///
/// Without any entry there is no place for it, which gives `None`.
fn insert_where(
    text: &str,
    name_of: impl Fn(&str) -> Option<&str>,
    name: &str,
    lines: &str,
    entry: usize,
) -> Option<String> {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let entries = || all.iter().enumerate().filter_map(|(i, line)| Some((i, name_of(line)?)));
    let later = entries().find(|(_, known)| *known > name).map(|(i, _)| i);
    let at = later.or_else(|| entries().last().map(|(i, _)| i + entry))?;
    Some([&all[..at].concat(), lines, &all[at..].concat()].concat())
}

/// Adds a name to the list `all` of a manifest's features.
fn add_to_all(text: &str, name: &str) -> Option<String> {
    const START: &str = "\nall = [";
    let start = text.find(START)? + START.len();
    let end = start + text[start..].find(']')?;
    let mut names: Vec<&str> = text[start..end].split(',').map(|n| n.trim().trim_matches('"')).collect();
    names.retain(|known| !known.is_empty());
    names.push(name);
    names.sort_unstable();
    let list: Vec<String> = names.iter().map(|known| format!("\"{known}\"")).collect();
    Some(format!("{}{}{}", &text[..start], list.join(", "), &text[end..]))
}

/// A connector's name in all its spellings.
#[derive(Debug)]
struct Name {
    /// `acme-two`: folder, feature, registered name and setting.
    kebab: String,
}

impl Name {
    /// # Errors
    /// Says how names are written, if this is not one.
    fn parse(name: &str) -> Result<Self> {
        let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !name.split('-').all(word) || !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.len() > 40 {
            let rule = "lower-case letters and digits, words joined by `-`, a letter first, 40 characters at most";
            return Err(format!("`{name}` cannot name a connector: {rule}, such as `acme` or `acme-cloud`").into());
        }
        if RESERVED.contains(&name) {
            return Err(format!("`{name}` is reserved: it names a group of features").into());
        }
        Ok(Self { kebab: name.to_owned() })
    }

    fn package(&self) -> String {
        format!("milkrun-connector-{}", self.kebab)
    }

    /// The words, each with a capital, with `between` between them.
    fn capitals(&self, between: &str) -> String {
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        self.kebab.split('-').map(capital).collect::<Vec<_>>().join(between)
    }

    /// The template's text with this name in place of `acme`, whatever its spelling, and today's date.
    fn fill(&self, template: &str) -> String {
        let snake = self.kebab.replace('-', "_");
        let spellings = [
            ("milkrun_connector_acme", format!("milkrun_connector_{snake}")),
            ("Acme ERP", self.capitals(" ")),
            ("ACME", snake.to_uppercase()),
            ("acme", self.kebab.clone()),
            ("@TODAY@", time::date(time::now())),
        ];
        let mut out = String::with_capacity(template.len() + 256);
        let mut rest = template;
        while let Some(next) = rest.chars().next() {
            if let Some((pattern, spelling)) = spellings.iter().find(|(pattern, _)| rest.starts_with(pattern)) {
                out.push_str(spelling);
                rest = &rest[pattern.len()..];
            } else if let Some(after) = rest.strip_prefix("Acme") {
                // A part of an identifier, or a word of prose.
                let identifier = after.starts_with(|c: char| c.is_ascii_uppercase());
                out.push_str(&self.capitals(if identifier { "" } else { " " }));
                rest = after;
            } else {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab() {
        for good in ["acme", "u8-cloud", "a1"] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(41);
        for bad in ["", "Acme", "acme_two", "-acme", "acme-", "a--b", "8u", "快麦", "all", "default", "../x", &long] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_spelling_is_filled() {
        let name = Name::parse("acme-two").unwrap();
        let text = name.fill("acme milkrun_connector_acme AcmeConfig \"Acme ERP\" the Acme API ACME_KEY");
        assert_eq!(
            text,
            "acme-two milkrun_connector_acme_two AcmeTwoConfig \"Acme Two\" the Acme Two API ACME_TWO_KEY"
        );
    }

    #[test]
    fn entries_stay_sorted() {
        let name = |name| Name::parse(name).unwrap();
        let [root, bundle, lib, binary] = CHANGES.map(|(_, change)| change);
        let manifest = "[features]\ndefault = [\"all\"]\nall = [\"file\", \"kuaimai\"]\nfile = [\"dep:milkrun-connector-file\"]\n\
                        kuaimai = [\"dep:milkrun-connector-kuaimai\"]\n\n[dependencies]\n\
                        milkrun-connector-file = { workspace = true, optional = true }\n\
                        milkrun-connector-kuaimai = { workspace = true, optional = true }\n";
        assert_eq!(
            bundle(manifest, &name("http")).unwrap(),
            "[features]\ndefault = [\"all\"]\nall = [\"file\", \"http\", \"kuaimai\"]\nfile = [\"dep:milkrun-connector-file\"]\n\
             http = [\"dep:milkrun-connector-http\"]\nkuaimai = [\"dep:milkrun-connector-kuaimai\"]\n\n[dependencies]\n\
             milkrun-connector-file = { workspace = true, optional = true }\n\
             milkrun-connector-http = { workspace = true, optional = true }\n\
             milkrun-connector-kuaimai = { workspace = true, optional = true }\n"
        );
        let uses = "//! x\n\n#[cfg(feature = \"file\")]\nuse milkrun_connector_file as _;\n";
        let with = |lines: &str| uses.replace("#[cfg", &format!("{lines}#[cfg"));
        let acme = "#[cfg(feature = \"acme\")]\nuse milkrun_connector_acme as _;\n";
        assert_eq!(lib(uses, &name("acme")).unwrap(), with(acme));
        let zed = "#[cfg(feature = \"zed-two\")]\nuse milkrun_connector_zed_two as _;\n";
        assert_eq!(lib(uses, &name("zed-two")).unwrap(), format!("{uses}{zed}"));
        let features = "all = [\"milkrun-bundle/all\"]\nfile = [\"milkrun-bundle/file\"]\n\n[dependencies]\n";
        assert_eq!(
            binary(features, &name("zed")).unwrap(),
            "all = [\"milkrun-bundle/all\"]\nfile = [\"milkrun-bundle/file\"]\nzed = [\"milkrun-bundle/zed\"]\n\n[dependencies]\n"
        );
        let members =
            "milkrun-core = { path = \"crates/core\" }\nmilkrun-connector-file = { path = \"connectors/file\" }\n";
        assert_eq!(
            root(members, &name("zed")).unwrap(),
            format!("{members}milkrun-connector-zed = {{ path = \"connectors/zed\" }}\n")
        );
        assert_eq!(lib("//! nothing\n", &name("zed")), None);
    }
}
