//! Throws mutated metadata at the importer: `cargo run --release -p milkrun-import --example fuzz -- SECONDS [SEED]`.
//!
//! What leads to something new, a report of another shape, is kept in `tests/corpus` and mutated further; a test reads
//! all of it again. A panic ends the program and leaves its input in `tests/corpus/panic.json`.
#![expect(clippy::print_stdout, reason = "a program that tells what it found")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, panic};

use milkrun_import::qeasy::{Options, import};
use milkrun_testkit::dice::Dice;

/// Words that mean something.
const WORDS: [&str; 34] = [
    "{{",
    "}}",
    "{{a}}",
    "{{LAST_SYNC_TIME|datetime}}",
    "{{CURRENT_TIME}}000",
    "{{DAYS_AGO_2|date}}",
    "_function ",
    "_findCollection find A from b where C={{d}}",
    "_endFind",
    "CASE WHEN ",
    " THEN ",
    " ELSE ",
    " END",
    "ROUND(",
    "SUM(",
    "(",
    ")",
    "'",
    "\\\"",
    "%",
    "*1000",
    "\"children\":[",
    "\"value\":",
    "\"field\":\"x\",",
    "\"type\":\"array\",",
    "null",
    "[[",
    "]]",
    "{\"name\":\"ArrayToString\",\"params\":\",\"}",
    "中",
    "\\u0000",
    "9223372036854775808",
    "-",
    ",",
];

fn main() {
    let mut arguments = env::args().skip(1);
    let seconds: u64 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(60);
    let seed = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut dice = Dice::new(seed);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut corpus = seeds();
    for entry in fs::read_dir(&folder).expect("the corpus is there") {
        corpus.push(fs::read_to_string(entry.expect("it can be listed").path()).expect("it is text"));
    }
    let mut known: BTreeSet<String> = corpus.iter().map(|text| shape(text)).collect();
    let (begun, mut n_tries, n_before) = (Instant::now(), 0u64, known.len());
    while begun.elapsed() < Duration::from_secs(seconds) {
        let text = mutated(&corpus, &mut dice);
        n_tries += 1;
        let shape = panic::catch_unwind(|| shape(&text)).unwrap_or_else(|_| {
            fs::write(folder.join("panic.json"), &text).expect("it can be written");
            panic!("try {n_tries} made the importer panic; see tests/corpus/panic.json");
        });
        if text.len() < 4_000 && known.insert(shape) {
            if known.len() - n_before <= 400 {
                fs::write(folder.join(format!("{seed}-{n_tries:09}.json")), &text).expect("it can be written");
            }
            corpus.push(text);
        }
    }
    println!("{n_tries} texts in {seconds} s, {} new shapes, no panic", known.len() - n_before);
}

/// The texts of the tests.
fn seeds() -> Vec<String> {
    let cases: toml::Table = include_str!("../tests/cases.toml").parse().expect("a test reads it");
    let cases = cases["case"].as_array().expect("a list of cases");
    let text = |case: &toml::Value, key: &str| case[key].as_str().unwrap_or_default().to_owned();
    cases.iter().flat_map(|case| [text(case, "source"), text(case, "target")]).collect()
}

/// What the importer makes of a text on either side, in short: which keys met which fate, and the places of mistakes.
fn shape(text: &str) -> String {
    let options = Options {
        name: "x".into(),
        since: "2026-01-01".into(),
        source_account: None,
        sink_account: None,
        is_timetable: |_| true,
    };
    let plain = r#"{"api":"/a","id":"id","request":[]}"#;
    let mut all = BTreeSet::new();
    for (source, target) in [(text, None), (plain, Some(text)), (text, Some(text))] {
        match import(source, target, &options) {
            Err((side, mistake)) => drop(all.insert(format!("{side:?} {}", mistake.message))),
            Ok(imported) => {
                imported.flow.parse::<toml::Table>().expect("the flow is TOML");
                for finding in imported.report.findings {
                    let path: String = finding.path.chars().filter(|c| !c.is_ascii_digit()).take(24).collect();
                    let note: String = finding.note.en.split('`').step_by(2).collect();
                    all.insert(format!("{:?} {path} {:?} {note}", finding.side, finding.fate));
                }
            }
        }
    }
    all.into_iter().collect::<Vec<_>>().join("\n")
}

fn mutated(corpus: &[String], dice: &mut Dice) -> String {
    let pick = |dice: &mut Dice| corpus[dice.index(corpus.len()).expect("there are seeds")].clone();
    let mut text = pick(dice);
    for _ in 0..dice.between(1, 4) {
        let place = |text: &str, dice: &mut Dice| {
            let at = usize::try_from(dice.below(text.len() as u64 + 1)).expect("a length");
            text.floor_char_boundary(at)
        };
        let at = place(&text, dice);
        match dice.below(5) {
            0 => text.insert_str(at, WORDS[dice.index(WORDS.len()).expect("there are words")]),
            1 => {
                let until =
                    text.ceil_char_boundary((at + usize::try_from(dice.below(30)).expect("small")).min(text.len()));
                text.replace_range(at..until, "");
            }
            2 => {
                let other = pick(dice);
                let (a, b) = (place(&other, dice), place(&other, dice));
                text.insert_str(at, &other[a.min(b)..a.max(b)]);
            }
            3 => text.truncate(at),
            _ => text.insert(at, char::from_u32(u32::try_from(dice.below(0x300)).expect("small")).unwrap_or('x')),
        }
    }
    text
}
