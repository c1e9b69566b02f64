//! The guide in `docs/guide/` holds: each page is played from top to bottom in an installation of its own.
//!
//! | block | what is done with it |
//! | --- | --- |
//! | begins with `# milkrun.toml`, `# flows/x.toml`, `// x.json` | is that file; with further words on that line it is added to it |
//! | `sh`, `milkrun sandbox …` | that simulator runs from here on, on a free port in place of the shown one |
//! | `sh`, `export …` | these variables are set from here on |
//! | `sh`, other `milkrun …` | is not run; that it can be parsed is a test of the command line |
//! | `console` | each `$ …` is run, and what follows it is what it writes |
//!
//! Of what is written, numbers may differ, and so may the width of columns; `…` stands for what was left out. The
//! `since` of flows is moved to three days ago, because what is simulated lies in the last weeks. The English page is
//! played in English, the Chinese one in Chinese; their blocks are the same but for comments and for what is written. In
//! the end the installation has to be right: `milkrun check --offline` finds nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use crate::installation::KEY;
use crate::milkrun::{Ended, Running, binary, side_by_side};
use crate::registry::root;

/// The pages, in reading order.
const PAGES: [&str; 12] = [
    "first-flow",
    "mapping",
    "accounts",
    "reconciled",
    "delivery",
    "qeasy",
    "own-endpoint",
    "own-vendor",
    "own-connector",
    "operate",
    "upkeep",
    "trouble",
];
const LANGS: [&str; 2] = ["en", "zh"];

fn file_of(page: &str, lang: &str) -> PathBuf {
    let end = if lang == "en" { "md" } else { "zh.md" };
    root().join("docs/guide").join(format!("{page}.{end}"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A fenced block of a page.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut all = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            all.push(Block { language: language.to_owned(), text: text.join("\n") + "\n" });
        }
    }
    all
}

impl Block {
    /// Without comments; of a console, the commands alone.
    fn bare(&self) -> String {
        let name = self.file().map(|(name, _)| name);
        let lines = self.text.lines().filter_map(|line| match self.language.as_str() {
            "console" => line.starts_with("$ ").then_some(line),
            "toml" | "sh" if line.starts_with('#') => None,
            "toml" | "sh" => Some(line.split(" #").next().unwrap_or(line).trim_end()),
            _ => Some(line),
        });
        let lines = name.into_iter().chain(lines);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The file that it is, and whether it is added to what is there.
    fn file(&self) -> Option<(&str, bool)> {
        let first = self.text.lines().next()?;
        let first = first.strip_prefix("# ").or_else(|| first.strip_prefix("// "))?;
        let (name, rest) = first.split_once(' ').unwrap_or((first, ""));
        let name = name.trim_end_matches(',');
        let is_file = [".toml", ".json", ".csv"].iter().any(|end| name.ends_with(end));
        is_file.then_some((name, !rest.is_empty()))
    }
}

/// The installation that a page is about.
struct Play {
    lang: &'static str,
    page: String,
    dir: TempDir,
    variables: BTreeMap<String, String>,
    /// Simulators, and the port that the page calls each by.
    sandboxes: Vec<Running>,
    ports: Vec<(String, String)>,
    has_checked: bool,
    n: u32,
}

impl Play {
    fn new(page: &str, lang: &'static str) -> Self {
        let dir = TempDir::with_prefix("milkrun-guide-").unwrap();
        fs::create_dir(dir.path().join(".console")).unwrap();
        let variables = BTreeMap::from([("MILKRUN_KEY".to_owned(), KEY.to_owned())]);
        Self {
            lang,
            page: page.to_owned(),
            dir,
            variables,
            sandboxes: Vec::new(),
            ports: Vec::new(),
            has_checked: false,
            n: 0,
        }
    }

    /// A free port in place of the page's.
    fn ported(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (shown, real)| text.replace(shown, real))
    }

    fn play(&mut self, block: &Block) {
        if let Some((name, add)) = block.file() {
            self.write(name, add, &block.text);
        }
        match block.language.as_str() {
            "sh" => block.text.lines().for_each(|line| self.prepare(line)),
            "console" => self.converse(&block.text),
            _ => {}
        }
    }

    fn write(&self, name: &str, add: bool, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = if add { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        // What is simulated lies in the last weeks, at the same distance from the start of each simulator.
        let since = Timestamp::from_second(Timestamp::now().as_second() - 3 * 24 * 3600).unwrap();
        // Neither CSV nor JSON that calls take has comments.
        let has_comments = path.extension().is_some_and(|extension| extension == "toml");
        let text = if has_comments { text } else { text.split_once('\n').map_or("", |(_, rest)| rest) };
        let text = self.ported(text).replace("since = \"2026-01-01\"", &format!("since = \"{since}\""));
        fs::write(path, before + &text).unwrap();
    }

    fn prepare(&mut self, line: &str) {
        let words = words(line);
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["export", settings @ ..] => {
                let pairs = settings.iter().map(|one| one.split_once('=').unwrap());
                self.variables.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            ["milkrun", "sandbox", arguments @ ..] => {
                let at = arguments.iter().position(|a| *a == "--port").expect("the page names a port");
                let port = arguments[at + 1].to_owned();
                let mut arguments = arguments.to_vec();
                arguments[at + 1] = "0";
                let mut command = self.command(binary());
                command.arg("sandbox").args(arguments).arg("--json");
                let console = self.console();
                let mut running = Running::start(command, "", &console);
                let said = console.with_extension("out");
                let answer = || fs::read_to_string(&said).ok().filter(|text| text.ends_with("}\n"));
                assert!(running.until(|| answer().is_some()), "{}: the sandbox does not start: {line}", self.page);
                let answer: Value = serde_json::from_str(&answer().unwrap()).unwrap();
                self.ports.push((port, answer["port"].to_string()));
                self.sandboxes.push(running);
            }
            _ => {}
        }
    }

    fn console(&mut self) -> PathBuf {
        self.n += 1;
        self.dir.path().join(format!(".console/{}", self.n))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env_clear().envs(&self.variables);
        command.env("LANG", if self.lang == "zh" { "zh_CN.UTF-8" } else { "en_US.UTF-8" });
        command
    }

    fn run(&mut self, line: &str) -> Ended {
        let (asked, input) = line.split_once(" < ").map_or((line, None), |(asked, file)| (asked, Some(file)));
        let input = input.map(|file| read(&self.dir.path().join(file))).unwrap_or_default();
        let words = words(asked);
        let mut command = self.command(if words[0] == "milkrun" { binary() } else { Path::new(&words[0]) });
        command.args(&words[1..]);
        if words[0] == "milkrun" {
            command.arg("--no-progress");
        }
        let console = self.console();
        Running::start(command, &input, &console).wait()
    }

    /// Runs each command and compares what it writes.
    fn converse(&mut self, text: &str) {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("{}: no command: {line}", self.page));
            let mut shown = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                shown.push(line);
            }
            let ended = self.run(command);
            self.has_checked |= command == "milkrun check --offline";
            let written = format!("{}{}", ended.err, ended.out);
            let written = self.ports.iter().fold(written, |text, (shown, real)| text.replace(real.as_str(), shown));
            let (wanted, found) = (plain(&shown.join("\n")), plain(&written));
            assert!(
                matches(&wanted, &found),
                "{} ({}): `{command}` ended with {:?} and wrote\n{written}\nbut the page shows\n{}",
                self.page,
                self.lang,
                ended.code,
                shown.join("\n")
            );
        }
    }

    /// What the page has written down is right.
    fn conclude(&mut self) {
        if !self.dir.path().join("milkrun.toml").exists() {
            return;
        }
        let ended = self.run("milkrun check --offline").with(0);
        // Warnings have to be shown, and were compared then.
        assert!(ended.err.is_empty() || self.has_checked, "{}: {}", self.page, ended.err);
    }
}

/// Splits a line as a shell does; comments are left out.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Lines in which all numbers, and all widths, are alike; empty lines are left out.
fn plain(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut plain = String::new();
        for c in line.trim().chars() {
            let c = if c.is_ascii_digit() { '0' } else { c };
            if !(plain.ends_with(c) && matches!(c, '0' | ' ' | '─' | '-')) {
                plain.push(c);
            }
        }
        plain
    };
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Whether `found` is `wanted`, where a line `…` stands for any lines, and `…` within one for any text.
fn matches(wanted: &[String], found: &[String]) -> bool {
    match (wanted.split_first(), found.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "…" => {
            matches(rest, found) || found.split_first().is_some_and(|(_, later)| matches(wanted, later))
        }
        (Some((first, rest)), Some((line, later))) => line_matches(first, line) && matches(rest, later),
        _ => false,
    }
}

fn line_matches(wanted: &str, line: &str) -> bool {
    let Some((before, after)) = wanted.split_once('…') else { return wanted == line };
    let Some(rest) = line.strip_prefix(before) else { return false };
    (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| line_matches(after, &rest[at..]))
}

#[test]
fn every_page_does_what_it_says() {
    let cases = PAGES.iter().flat_map(|page| LANGS.iter().map(move |lang| (*page, *lang)));
    side_by_side(cases, |(page, lang)| {
        let mut play = Play::new(page, lang);
        for block in blocks(&read(&file_of(page, lang))) {
            play.play(&block);
        }
        play.conclude();
    });
}

#[test]
fn both_languages_show_the_same() {
    for page in PAGES {
        let bare = |lang| blocks(&read(&file_of(page, lang))).iter().map(|b| (b.language.clone(), b.bare())).collect();
        let (en, zh): (Vec<_>, Vec<_>) = (bare("en"), bare("zh"));
        assert_eq!(en, zh, "{page}");
        let headings = |lang| read(&file_of(page, lang)).lines().filter(|line| line.starts_with("## ")).count();
        assert_eq!(headings("en"), headings("zh"), "{page}");
    }
}

#[test]
fn there_are_no_further_pages() {
    let pages: BTreeSet<PathBuf> = PAGES.iter().flat_map(|page| LANGS.iter().map(|lang| file_of(page, lang))).collect();
    let listed = fs::read_dir(root().join("docs/guide")).unwrap().map(|entry| entry.unwrap().path());
    let found: BTreeSet<PathBuf> = listed.filter(|path| !path.ends_with("README.md")).collect();
    assert_eq!(found, pages);
    let index = read(&root().join("docs/guide/README.md"));
    for page in &pages {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(index.contains(&format!("({name})")), "the index does not link {name}");
    }
}

/// The names of a page's headings, as links call them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let is_kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        heading.to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// What a page links to, without what stands in code.
fn links(page: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_block = false;
    for line in page.lines() {
        in_block ^= line.starts_with("```");
        if in_block {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        links.extend(prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
    }
    links
}

#[test]
fn every_link_leads_somewhere() {
    let root = root();
    let mut pages: Vec<PathBuf> = PAGES.iter().flat_map(|page| LANGS.iter().map(|lang| file_of(page, lang))).collect();
    let others = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/alerts.md",
        "docs/alerts.zh.md",
        "docs/deploy/README.md",
        "docs/deploy/README.zh.md",
        "docs/guide/README.md",
        "docs/mapping.md",
    ];
    pages.extend(others.iter().map(|name| root.join(name)));
    for path in pages {
        let page = read(&path);
        for link in links(&page) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').map_or((link.as_str(), None), |(file, a)| (file, Some(a)));
            let to = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(to.exists(), "{}: there is no {link}", path.display());
            if let Some(anchor) = anchor {
                assert!(anchors(&read(&to)).contains(anchor), "{}: no heading for {link}", path.display());
            }
        }
    }
}

#[test]
fn what_is_shown_is_compared_as_the_pages_mean_it() {
    let same = |wanted: &str, found: &str| matches(&plain(wanted), &plain(found));
    assert!(same("records   1,000\n…\nend", "records 36,412\na\nb\nend\n"));
    assert!(same("a …\n", "a b c\n"));
    assert!(!same("records 1\n", "records 1\nrefused 1\n"));
    assert!(!same("a\n…\nend", "a\nb\n"));
    assert_eq!(words("milkrun sign x --method 'a b' # why"), ["milkrun", "sign", "x", "--method", "a b"]);
}
