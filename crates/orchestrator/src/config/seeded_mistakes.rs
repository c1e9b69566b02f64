//! Two hundred mistakes made by dice in right files: renamed, retyped, removed, doubled and misplaced lines. Nearly all
//! have to be answered at the right line, by a cause that names the right fix.

use milkrun_core::diagnostic::Diagnostics;
use milkrun_testkit::dice::Dice;

use super::tests::{check, put};
use crate::text::Lang;

const INSTALLATION: &str = r#"[accounts.km]
connector = "kuaimai"
app_key = "123456"
app_secret = { env = "KM_SECRET" }
session = { env = "KM_SESSION" }
calls_per_second = 10
concurrency = 4
sign_method = "hmac"
quota = ["10/1s", "500/1m"]

[[accounts.km.streams]]
name = "virtual-stock"
method = "erp.virtual.stock.query"
key = ["id"]
number = "code"
version = "modified"
page_size = { min = 1, usual = 100, max = 200 }

[accounts.files]
connector = "file"
folder = "out"

[[accounts.files.targets]]
name = "orders"
path = "orders.jsonl"
format = "jsonl"

[store]
path = ".milkrun"
"#;

const FLOW: &str = r#"schedule = "0 */5 * * * ?"

[source]
account = "km"
stream = "orders"
since = "2026-01-01"
window = "12h"
lookback = "10m"
page_size = 100
concurrency = 4
attempts = 5
proof = "read-twice"

[sink]
account = "files"
target = "orders"
batch = 500
journal = true

[mapping]
filter = [ { field = "sysStatus", is = "FINISHED" } ]

[mapping.fields]
order_no = "tid"
shop = { from = "shopName", required = true, max_length = 40, cut = true }
status = { from = "sysStatus", values = { FINISHED = "done" }, otherwise = "other" }
created = { from = "created", type = "datetime" }
amount = { from = "payAmount", type = "decimal", scale = 2 }

[mapping.fields.lines]
each = "orders"

[mapping.fields.lines.fields]
sku = "sysOuterId"
qty = { from = "num", type = "integer" }
"#;

const FILES: [(&str, &str); 2] = [("milkrun.toml", INSTALLATION), ("flows/orders.toml", FLOW)];

/// Keys without which an installation or a flow cannot be used.
const REQUIRED: [&str; 9] =
    ["connector", "app_key", "app_secret", "session", "account", "stream", "target", "method", "key"];

/// Values that are names of something, so that a misspelt one has a nearest right one.
const NAMES: [&str; 14] = [
    "kuaimai",
    "file",
    "km",
    "files",
    "orders",
    "read-twice",
    "datetime",
    "decimal",
    "integer",
    "hmac",
    "jsonl",
    "order",
    "10/1s",
    "500/1m",
];

/// One mistake.
#[derive(Debug)]
struct Mistake {
    what: String,
    file: usize,
    text: String,
    /// The lines, counted from 1, where it may be shown.
    lines: Vec<usize>,
    /// One of these has to stand in what is said.
    names: Vec<String>,
}

/// A key of a line, where it is one.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    (!key.contains([' ', '#'])).then_some(key)
}

/// The line of the table's head that a line belongs to; 1 for none.
fn head_of(lines: &[&str], at: usize) -> usize {
    (0..at).rev().find(|&i| lines[i].starts_with('[')).map_or(1, |i| i + 1)
}

/// A word with one letter doubled, dropped, or swapped with the next.
fn misspelt(word: &str, dice: &mut Dice) -> String {
    let letters: Vec<char> = word.chars().collect();
    let at = 1 + usize::try_from(dice.below(letters.len() as u64 - 2)).unwrap();
    let mut wrong = letters.clone();
    match dice.below(3) {
        0 => wrong.insert(at, letters[at]),
        1 => drop(wrong.remove(at)),
        _ => wrong.swap(at, at + 1),
    }
    let wrong: String = wrong.into_iter().collect();
    if wrong == word { format!("{word}x") } else { wrong }
}

fn with_line(lines: &[&str], at: usize, new: Option<String>) -> String {
    let mut all: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    match new {
        Some(new) => all[at] = new,
        None => drop(all.remove(at)),
    }
    all.join("\n") + "\n"
}

/// Makes one mistake of a kind; `None` where the dice point at a line that it does not suit.
fn mistake(kind: u64, dice: &mut Dice) -> Option<Mistake> {
    let file = dice.index(FILES.len())?;
    let lines: Vec<&str> = FILES[file].1.lines().collect();
    let at = dice.index(lines.len())?;
    let line = lines[at];
    let key = key_of(line)?;
    let is_field = (head_of(&lines, at)..=at).any(|i| lines[i - 1].contains("fields]"));
    let head = head_of(&lines, at);
    let named = |what: &str, text: String, lines: Vec<usize>, names: Vec<String>| {
        Some(Mistake { what: format!("{what} `{line}`"), file, text, lines, names })
    };
    match kind {
        // Names of the document's fields are free.
        0 if !is_field && key.len() > 3 => {
            let wrong = misspelt(key, dice);
            let text = with_line(&lines, at, Some(line.replacen(key, &wrong, 1)));
            named(&format!("renamed to {wrong}"), text, vec![at + 1], vec![format!("`{key}`")])
        }
        1 if !is_field => {
            let value = &line[key.len() + 3..];
            // A secret may be an inline text.
            let other = if value.starts_with(['"', '{']) { "[[5]]" } else { "\"five\"" };
            let text = with_line(&lines, at, Some(format!("{key} = {other}")));
            named("retyped", text, vec![at + 1], vec![format!("`{key}`"), format!("{key}:")])
        }
        2 if REQUIRED.contains(&key) => {
            let text = with_line(&lines, at, None);
            let place = (head..=at + 1).collect();
            named("removed", text, place, vec![format!("{key} = "), format!("`{key}`")])
        }
        3 => {
            let text = with_line(&lines, at, Some(format!("{line}\n{line}")));
            named("doubled", text, vec![at + 1, at + 2], vec!["duplicate".to_owned()])
        }
        // A line of [source] in [sink] and the other way round, or of an account in a flow.
        4 if file == 1
            && !is_field
            && head > 1
            && !["account", "concurrency", "attempts", "declare"].contains(&key) =>
        {
            let (from, to) =
                if lines[head - 1] == "[source]" { ("[source]", "[sink]") } else { ("[sink]", "[source]") };
            if lines[head - 1] != from {
                return None;
            }
            let moved = with_line(&lines, at, None);
            let target = moved.lines().position(|l| l == to)? + 1;
            let text = moved.replacen(&format!("{to}\n"), &format!("{to}\n{line}\n"), 1);
            let names = vec![from.to_owned(), format!("`{key}`")];
            named("misplaced", text, vec![target + 1], names)
        }
        5 => {
            let name = NAMES.iter().find(|name| line.contains(&format!("\"{name}\"")))?;
            if name.len() < 3 || (is_field && !line.contains("type = ")) {
                return None;
            }
            let wrong = misspelt(name, dice);
            let text = with_line(&lines, at, Some(line.replacen(&format!("\"{name}\""), &format!("\"{wrong}\""), 1)));
            named(
                &format!("misspelt as {wrong}"),
                text,
                vec![at + 1],
                vec![(*name).to_owned(), format!("`{key}`"), "CALLS/TIME".to_owned()],
            )
        }
        _ => None,
    }
}

/// Why the answer is not good enough, if it is not.
fn flaw(mistake: &Mistake, answers: &[Diagnostics]) -> Option<String> {
    let said: Vec<_> = answers
        .iter()
        .flat_map(|file| {
            file.all.iter().map(|d| {
                let help = d.help.clone().unwrap_or_default();
                (file.file.clone(), file.line_column(d.span.start).0, format!("{} {help}", d.message))
            })
        })
        .collect();
    let shown: Vec<_> = said.iter().map(|(file, line, text)| format!("{}:{line}: {text}", file.display())).collect();
    let right = said.iter().any(|(file, line, text)| {
        file.ends_with(FILES[mistake.file].0)
            && mistake.lines.contains(line)
            && mistake.names.iter().any(|name| text.contains(name))
    });
    (!right).then(|| format!("{}\n    {}", mistake.what, shown.join("\n    ")))
}

#[test]
fn nearly_all_are_answered_at_the_right_line_with_the_right_fix() {
    const N: usize = 200;
    let mut dice = Dice::new(2026);
    let folder = tempfile::tempdir().unwrap();
    let mut misses = Vec::new();
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..N {
        let kind = dice.below(6);
        let mistake = std::iter::repeat_with(|| mistake(kind, &mut dice)).flatten().next().unwrap();
        *kinds.entry(mistake.what.split(' ').next().unwrap().to_owned()).or_default() += 1;
        for (i, (name, text)) in FILES.iter().enumerate() {
            put(folder.path(), name, if i == mistake.file { &mistake.text } else { text });
        }
        let reports = check(folder.path(), Lang::En);
        misses.extend(flaw(&mistake, &reports.mistakes()));
    }
    let text = misses.join("\n  ").replace(&folder.path().display().to_string(), "");
    println!("{} of {N} answered; kinds: {kinds:?}; missed:\n  {text}", N - misses.len());
    assert!(kinds.len() == 6 && kinds.values().all(|&n| n >= 15), "{kinds:?}");
    assert!(misses.len() <= N / 20, "{} of {N} missed:\n  {text}", misses.len());
}

#[test]
fn the_files_are_right_before_the_dice_are_thrown() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        put(folder.path(), name, text);
    }
    let reports = check(folder.path(), Lang::En);
    assert!(reports.is_clean(), "{:?}", reports.mistakes());
}
