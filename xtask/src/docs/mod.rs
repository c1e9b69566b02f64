//! `docs`: the pages of `docs/connectors/` in both languages, written from what the binary says of its connectors.

mod page;
mod schema;
mod words;

use std::fs;
use std::path::Path;

use serde_json::Value;

use self::words::Lang;
use crate::Result;
use crate::args::Args;
use crate::shell::{self, cargo};

/// Where the pages are.
pub(crate) const FOLDER: &str = "docs/connectors";

/// `cargo xtask docs [--check]`.
pub(crate) fn main(mut args: Args) -> Result {
    let only_check = args.flag("--check");
    args.finish()?;
    let root = shell::root();
    if only_check { check(&root) } else { write(&root) }
}

/// Refuses pages that differ from what would be written.
///
/// # Errors
/// Names the pages, and shows the first line that differs.
pub(crate) fn check(root: &Path) -> Result {
    let pages = pages(root)?;
    let mut stale = Vec::new();
    for (name, text) in &pages {
        let path = format!("{FOLDER}/{name}");
        match fs::read_to_string(root.join(&path)) {
            Ok(old) if old == *text => {}
            Ok(old) => stale.push(format!("{path} is stale{}", first_difference(&old, text))),
            Err(_) => stale.push(format!("{path} is missing")),
        }
    }
    for name in superfluous(root, &pages)? {
        stale.push(format!("{FOLDER}/{name} is of no connector"));
    }
    if stale.is_empty() {
        println!("{} pages are up to date", pages.len());
        return Ok(());
    }
    Err(format!("{}\nrun `cargo xtask docs` and commit what it writes", stale.join("\n")).into())
}

fn write(root: &Path) -> Result {
    let pages = pages(root)?;
    fs::create_dir_all(root.join(FOLDER))?;
    for name in superfluous(root, &pages)? {
        fs::remove_file(root.join(FOLDER).join(&name))?;
        println!("{FOLDER}/{name} is removed");
    }
    for (name, text) in pages {
        let path = root.join(FOLDER).join(&name);
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            fs::write(path, text)?;
            println!("{FOLDER}/{name} is written");
        }
    }
    Ok(())
}

/// Pages that are there and belong to no connector.
fn superfluous(root: &Path, pages: &[(String, String)]) -> Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(root.join(FOLDER)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !pages.iter().any(|(known, _)| *known == name) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// All pages by file name.
fn pages(root: &Path) -> Result<Vec<(String, String)>> {
    let mut pages = Vec::new();
    for lang in [Lang::En, Lang::Zh] {
        let mut command = cargo(root);
        command.args(["run", "--quiet", "--package", "milkrun", "--features", "all"]);
        let text = shell::capture(command.args(["--", "connectors", "--json", "--lang", lang.name()]))?;
        let said: Value = serde_json::from_str(&text)?;
        let connectors = said["connectors"].as_array().ok_or("`milkrun connectors --json` gave no list")?;
        pages.push((lang.file("README"), page::index(connectors, lang)));
        for connector in connectors {
            let name = connector["name"].as_str().ok_or("a connector has no name")?;
            pages.push((lang.file(name), page::of(connector, lang)));
        }
    }
    Ok(pages)
}

/// The first line that differs, of both texts.
fn first_difference(old: &str, new: &str) -> String {
    let (mut old, mut new) = (old.lines(), new.lines());
    for number in 1.. {
        let (old, new) = (old.next(), new.next());
        if old != new {
            let show = |line: Option<&str>| line.map_or("(end)".to_owned(), |line| format!("`{line}`"));
            return format!(", at line {number}:\n  is     {}\n  should {}", show(old), show(new));
        }
        if old.is_none() {
            break;
        }
    }
    " in its line ends".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_shown() {
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), ", at line 2:\n  is     `b`\n  should `c`");
        assert_eq!(first_difference("a\n", "a\nc\n"), ", at line 2:\n  is     (end)\n  should `c`");
        assert_eq!(first_difference("a\n", "a"), " in its line ends");
    }
}
