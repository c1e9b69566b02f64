//! What the editor does to texts: all flows that this project shows anybody, and the forms that people write.

use std::path::{Path, PathBuf};

use milkrun_console::model::{Rule, RuleText};

use super::edit::edit;
use super::rules;
use crate::text::Lang;

/// Every TOML text with a mapping in the documentation, in the demo, and in the whole-system tests.
fn texts() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["docs", "docs/guide", "docs/connectors", "crates/orchestrator/src/text/files", "tests/tests/system"]
    {
        files.extend(std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    let mut all = Vec::new();
    for path in files {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !["md", "toml"].contains(&ending) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let blocks: Vec<&str> = match ending {
            "md" => text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect(),
            _ => vec![&text],
        };
        let good = blocks.into_iter().filter(|block| block.contains("[mapping") && toml_of(block));
        all.extend(good.map(|block| (path.clone(), block.to_owned())));
    }
    all
}

fn toml_of(text: &str) -> bool {
    text.parse::<toml_edit::DocumentMut>().is_ok()
}

fn read(text: &str) -> Vec<Rule> {
    rules::read(text, &|_| true)
}

fn without_lines(rules: &[Rule]) -> Vec<Rule> {
    rules.iter().map(|rule| Rule { line: 0, ..rule.clone() }).collect()
}

#[test]
fn a_rule_that_is_drawn_again_changes_nothing() {
    let texts = texts();
    let mut n_rules = 0;
    for (path, text) in &texts {
        for rule in read(text) {
            let [from] = rule.from.as_slice() else { continue };
            if rule.kind != "from" || rule.toml.contains('[') || rule.target.starts_with('"') {
                continue;
            }
            let drawn = edit(text, &rule.target, Some(&RuleText::From(from.clone())), false, Lang::En);
            assert_eq!(drawn.unwrap(), *text, "{}: {rule:?}", path.display());
            n_rules += 1;
        }
    }
    assert!(texts.len() > 20 && n_rules > 80, "{} texts, {n_rules} rules", texts.len());
}

#[test]
fn what_is_removed_or_added_leaves_the_rest_as_it_is() {
    let mut n_rules = 0;
    for (path, text) in texts() {
        let rules = read(&text);
        if rules.is_empty() {
            continue;
        }
        let at = path.display();
        for rule in &rules {
            let less = edit(&text, &rule.target, None, false, Lang::En).unwrap();
            let below = |other: &Rule| {
                let rest = other.target.strip_prefix(&rule.target);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let gone = |other: &Rule| {
                // The last field of a list or an object takes that with it.
                below(other)
                    || rule.target.starts_with(&format!("{}[*].", other.target)) && !read(&less).contains(other)
                    || rule.target.starts_with(&format!("{}.", other.target))
            };
            let expected: Vec<Rule> = without_lines(&rules).into_iter().filter(|other| !below(other)).collect();
            let left = without_lines(&read(&less));
            let lost: Vec<_> = expected.iter().filter(|rule| !left.contains(rule) && !gone(rule)).collect();
            assert!(lost.is_empty() && left.iter().all(|rule| expected.contains(rule)), "{at}: {rule:?}: {lost:?}");
            // What was said beside other rules is still said.
            for line in text.lines().filter(|line| line.starts_with('#')) {
                let is_own = text.split_once(line).is_some_and(|(_, rest)| {
                    let next = rest.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
                    next.is_some_and(|next| !less.contains(next))
                });
                assert!(is_own || less.contains(line), "{at}: `{line}` is gone with {rule:?}");
            }
            n_rules += 1;
        }
        let more = edit(&text, "brand_new", Some(&RuleText::From("some.where".to_owned())), false, Lang::En).unwrap();
        let added = without_lines(&read(&more));
        let is_new = |rule: &&Rule| rule.target == "brand_new";
        assert_eq!(
            added.iter().filter(is_new).map(|rule| rule.from.join(",")).collect::<Vec<_>>(),
            ["some.where"],
            "{at}"
        );
        let others: Vec<Rule> = added.iter().filter(|rule| !is_new(rule)).cloned().collect();
        assert!(without_lines(&rules).iter().all(|rule| others.contains(rule)), "{at}");
    }
    assert!(n_rules > 120, "{n_rules}");
}

/// A change and what becomes of the text.
fn check(text: &str, target: &str, rule: impl Into<Option<RuleText>>, expected: &str) {
    let rule = rule.into();
    assert_eq!(edit(text, target, rule.as_ref(), false, Lang::En).unwrap(), expected, "{target}: {rule:?}");
}

fn from(path: &str) -> RuleText {
    RuleText::From(path.to_owned())
}

fn written(toml: &str) -> RuleText {
    RuleText::Toml(toml.to_owned())
}

#[test]
fn rules_are_written_as_a_person_would() {
    let head = "[mapping.fields]\na = \"x\" # why\n";
    check(head, "a", from("b.c"), "[mapping.fields]\na = \"b.c\" # why\n");
    check(head, "a", written("{ const = \"0518\" }"), "[mapping.fields]\na = { const = \"0518\" } # why\n");
    check(head, "n", from("items[*].qty"), "[mapping.fields]\na = \"x\" # why\nn = \"items[0].qty\"\n");
    let typed = "[mapping.fields]\nday = { from = \"created\", type = \"date\" }\n";
    check(typed, "day", from("paid"), "[mapping.fields]\nday = { from = \"paid\", type = \"date\" }\n");
    // A new list of lines, a new object, and further fields of them.
    let with_lines =
        "[mapping.fields]\na = \"x\" # why\n\n[mapping.fields.lines]\neach = \"items\"\nfields.qty = \"count\"\n";
    check(head, "lines[*].qty", from("items[*].count"), with_lines);
    check(with_lines, "lines[*].no", from("tid"), &format!("{with_lines}fields.no = \"$.tid\"\n"));
    check(with_lines, "lines", from("orders"), &with_lines.replace("\"items\"", "\"orders\""));
    check(with_lines, "lines[*].qty", None::<RuleText>, head);
    let object = "[mapping.fields]\na = \"x\" # why\n\n[mapping.fields.head]\nfields.code = \"tid\"\n";
    check(head, "head.code", from("tid"), object);
    check(head, "tags[*]", from("orders[*].tid"), &format!("{head}tags = {{ each = \"orders\", from = \"tid\" }}\n"));
    // Inside a line, everything stays on it.
    let inline = "[mapping.fields]\nlines = { each = \"items\", fields = { qty = \"count\" } }\n";
    check(inline, "lines[*].no", from("items[*].sku"), &inline.replace("\"count\" }", "\"count\", no = \"sku\" }"));
    // Of one document for each element, paths begin with its list.
    let exploded = "[mapping]\nexplode = \"orders\"\n[mapping.fields]\nsid = \"sid\"\n";
    check(exploded, "oid", from("orders[*].oid"), &format!("{exploded}oid = \"orders.oid\"\n"));
    // A flow without rules keeps what it kept, where its target takes anything.
    let none = "[sink]\naccount = \"files\"\n";
    let made = edit(none, "a", Some(&from("x")), true, Lang::En).unwrap();
    assert_eq!(made, format!("{none}\n[mapping]\nkeep = \"all\"\n\n[mapping.fields]\na = \"x\"\n"));
    check(none, "a", from("x"), &format!("{none}\n[mapping.fields]\na = \"x\"\n"));
}

#[test]
fn what_cannot_be_changed_says_why() {
    let head = "[mapping.fields]\na = \"x\"\n";
    for (text, target, rule) in [
        (head, "a..b", from("x")),
        (head, "a", from("x..y")),
        (head, "a", written("{ from = ")),
        (head, "a", written("1\nb = 2")),
        (head, "a.b", from("x")),
        (head, "lines[*].qty", from("count")),
        (head, "lines[*].qty", written("{ const = 1 }")),
        ("[mapping]\ntransform = \".\"\n", "a", from("x")),
        ("[mapping", "a", from("x")),
    ] {
        let error = edit(text, target, Some(&rule), false, Lang::En).unwrap_err();
        assert!(error.help().is_some(), "{target}: {error}");
    }
}
