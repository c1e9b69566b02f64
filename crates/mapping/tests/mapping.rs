//! Golden cases (`cases.toml`), mistakes with their places (`mistakes.txt`), and what holds for every mapping.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use milkrun_core::diagnostic::{Diagnostic, Diagnostics};
use milkrun_core::stream::{Title, Unit, UnitKind, zone};
use milkrun_core::{FieldKind, FieldSpec, Record};
use milkrun_mapping::{Identity, Mapping, Options, Outcome, Output, Table, Tables};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    mapping: String,
    record: String,
    zone: Option<String>,
    #[serde(default)]
    units: BTreeMap<String, UnitKind>,
    /// What the target asks of its documents.
    #[serde(default)]
    target: Vec<FieldSpec>,
    #[serde(default)]
    tables: BTreeMap<String, TableCase>,
    document: Option<String>,
    documents: Option<Vec<String>>,
    #[serde(default)]
    filtered: bool,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableCase {
    columns: Vec<String>,
    /// The rows of a table of texts, as a CSV file has it.
    rows: Vec<Vec<String>>,
}

fn tables(of: &BTreeMap<String, TableCase>) -> Tables {
    let mut tables = Tables::new();
    for (name, TableCase { columns, rows }) in of {
        tables.insert(name, Table::of_texts(columns.clone(), rows.clone()).expect("the table of a case is one"));
    }
    tables
}

fn units(of: &BTreeMap<String, UnitKind>) -> Vec<Unit> {
    of.iter().map(|(path, unit)| Unit { path: path.clone(), unit: *unit }).collect()
}

fn listed(text: &str, mistakes: Vec<Diagnostic>) -> String {
    Diagnostics::new(Path::new("flow.toml"), text, mistakes).to_string()
}

/// Maps the record and tells the outcome in one text; `out` may be used before.
fn outcome(case: &Case, mapping: &Mapping, out: &mut Output) -> String {
    let record = Record::parse(case.record.as_str()).expect("the record of a case is an object");
    out.clear();
    match mapping.apply(&record, out) {
        Ok(Outcome::Filtered) => {
            assert!(out.is_empty());
            "filtered".to_owned()
        }
        Ok(Outcome::Mapped { n }) => {
            assert_eq!(n, out.len());
            assert_eq!(out.text(), out.iter().collect::<String>());
            for document in out.iter() {
                Record::parse(document).expect("a document is a JSON object");
            }
            out.iter().collect::<Vec<_>>().join("\n")
        }
        Err(e) => {
            assert!(out.is_empty() && out.text().is_empty());
            format!("error: {e}")
        }
    }
}

#[test]
fn golden_cases() {
    let cases: Cases = toml::from_str(include_str!("cases.toml")).unwrap();
    assert!(cases.case.len() >= 150, "{} cases", cases.case.len());
    let shared = &mut Output::new();
    let mut wrong = String::new();
    for case in &cases.case {
        let units = units(&case.units);
        let mut options = Options { units: &units, fields: &case.target, ..Options::default() };
        options.tables = Arc::new(tables(&case.tables));
        let (account, stream) = ("shop".to_owned(), "orders".to_owned());
        options.identity = Some(Identity { account, stream, key: vec!["tid".to_owned()] });
        if let Some(name) = &case.zone {
            options.zone = zone(name).unwrap();
        }
        let expected = match case {
            Case { document: Some(one), .. } => one.clone(),
            Case { documents: Some(several), .. } => several.join("\n"),
            Case { filtered: true, .. } => "filtered".to_owned(),
            Case { error: Some(error), .. } => format!("error: {error}"),
            _ => panic!("the case `{}` expects nothing", case.name),
        };
        let found = match Mapping::compile_str_with(&case.mapping, &options) {
            Err(mistakes) => listed(&case.mapping, mistakes),
            Ok(mapping) => {
                if case.target.is_empty() {
                    assert!(mapping.warnings().is_empty(), "{}: {:?}", case.name, mapping.warnings());
                }
                let found = outcome(case, &mapping, &mut Output::new());
                // A second record, and an output that served other mappings, change nothing.
                assert_eq!(outcome(case, &mapping, shared), found, "{}", case.name);
                assert_eq!(outcome(case, &mapping, shared), found, "{}", case.name);
                found
            }
        };
        if found != expected {
            let _ = writeln!(wrong, "{}\n  expected {expected}\n  found    {found}", case.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Titles and texts, with lines of four dashes between them.
fn titled(file: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = file.split("----\n").collect();
    assert!(parts.len().is_multiple_of(2), "every title has a text");
    parts.chunks(2).map(|pair| (pair[0].trim(), pair[1])).collect()
}

#[test]
fn mistakes_are_answered_with_place_cause_and_help() {
    let cases = titled(include_str!("mistakes.txt"));
    assert!(cases.len() >= 20);
    let mut report = String::new();
    for (title, text) in cases {
        let mistakes = Mapping::compile_str(text).expect_err(title);
        assert!(mistakes.iter().all(|m| m.span.end <= text.len() && text.get(m.span.clone()).is_some()), "{title}");
        let _ = writeln!(report, "# {title}\n{}\n", listed(text, mistakes));
    }
    insta::assert_snapshot!(report);
}

#[test]
fn warnings_name_units_that_do_not_fit() {
    let known = [
        ("totalAmount", UnitKind::Fen),
        ("items[*].price", UnitKind::Fen),
        ("items.*.parts.*.price", UnitKind::Fen),
        ("payAmount", UnitKind::Yuan),
    ];
    let units = units(&known.map(|(path, unit)| (path.to_owned(), unit)).into());
    let options = Options { units: &units, ..Options::default() };
    let mut report = String::new();
    for (title, text) in titled(include_str!("warnings.txt")) {
        let mapping = Mapping::compile_str_with(text, &options).expect(title);
        let _ = writeln!(report, "# {title}\n{}\n", listed(text, mapping.warnings().to_vec()));
    }
    insta::assert_snapshot!(report);
}

#[test]
fn warnings_name_fields_that_the_target_asks_for_and_nobody_writes() {
    let asked = ["code", "head.day", "lines[*].qty", "lines[*].sku", "more[*].n", "whole.part", "id"];
    let fields = asked.map(|path| FieldSpec::new(path, FieldKind::Any, Title::default()).required());
    let identity = Some(Identity { account: "a".into(), stream: "s".into(), key: vec!["k".into()] });
    let options = Options { fields: &fields, identity, ..Options::default() };
    let text = "id = { field = 'id', missing = 'fill' }\n[fields]\nhead = { fields = { no = 'n' } }\nwhole = 'w'\n\
                lines = { each = 'l', fields = { qty = 'q' } }";
    let mapping = Mapping::compile_str_with(text, &options).unwrap();
    let said: Vec<&str> = mapping.warnings().iter().map(|w| w.message.as_str()).collect();
    let expected = ["code", "head.day", "lines[*].sku"];
    assert_eq!(said, expected.map(|path| format!("the target asks for `{path}`, and no rule writes it")));
    assert!(Mapping::compile_str_with("keep = 'all'", &options).unwrap().warnings().is_empty());
}

#[test]
fn checks_can_be_had_without_a_mapping() {
    let fields = [FieldSpec::new("a", FieldKind::Integer, Title::default()).required()];
    assert!(milkrun_mapping::check(r#"{"a":1}"#, &fields).is_ok());
    let refused = milkrun_mapping::check(r#"{"a":1.5}"#, &fields).unwrap_err();
    assert_eq!((refused.field(), refused.value(), refused.reason()), ("a", Some("1.5"), "is not a whole number"));
    assert_eq!(refused.to_string(), "field `a`: `1.5` is not a whole number");
    let options = Options { fields: &fields, ..Options::default() };
    let as_came = Mapping::compile_str_with("", &options).unwrap();
    let out = &mut Output::new();
    assert!(as_came.apply(&Record::parse(r#"{ "a" :7}"#).unwrap(), out).is_ok());
    assert!(as_came.apply(&Record::parse(r#"{"b":7}"#).unwrap(), out).is_err());
    assert_eq!(out.text(), r#"{ "a" :7}"#, "the refused one left nothing behind");
    assert!(milkrun_mapping::Checks::new(&[FieldSpec::new("a[0]", FieldKind::Any, Title::default())]).is_err());
}

#[test]
fn checks_are_no_part_of_the_version() {
    let version = |text: &str| Mapping::compile_str(text).unwrap().version();
    assert_eq!(version("fields.a = 'x'\nchecks.a = { required = true }"), version("fields.a = 'x'"));
    assert_ne!(version("fields.a = { expr = '.x' }"), version("fields.a = { expr = '.y' }"));
}

/// The fenced blocks of a page: language and text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let inside = page.split("```").skip(1).step_by(2);
    inside.filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn the_examples_of_the_reference_are_true() {
    let blocks = blocks(include_str!("../../../docs/mapping.md"));
    assert!(blocks.len() >= 16 && blocks.len().is_multiple_of(2));
    for pair in blocks.chunks(2) {
        let [("toml", rules), ("json", lines)] = pair else { panic!("a toml block without its json: {pair:?}") };
        let flow = toml::de::DeTable::parse(rules).unwrap();
        let table = flow.get_ref()["mapping"].get_ref().as_table().unwrap();
        let mapping = Mapping::compile(table, &Options::default());
        let mapping = mapping.unwrap_or_else(|mistakes| panic!("{}", listed(rules, mistakes)));
        let (record, documents) = lines.split_once('\n').unwrap();
        let out = &mut Output::new();
        mapping.apply(&Record::parse(record).unwrap(), out).unwrap();
        assert_eq!(out.iter().collect::<Vec<_>>().join("\n"), documents.trim(), "{rules}");
    }
}

#[test]
fn the_version_changes_with_the_rules_only() {
    let version = |text: &str| Mapping::compile_str(text).unwrap().version();
    let one = version("[fields]\na = 'x'\nb = { from = 'y', type = 'date' }");
    assert_eq!(one, version("# a comment\nfields.a   = \"x\"\nfields.b = { from = \"y\", type = \"date\" } # more"));
    assert_eq!(one, 11_754_421_731_244_400_964, "a constant of this edition: a change here sends every document again");
    assert_ne!(one, version("[fields]\nb = { from = 'y', type = 'date' }\na = 'x'"), "the order of the fields counts");
    assert_ne!(one, version("[fields]\na = 'x'\nb = { from = 'y', type = 'datetime' }"));
    assert_ne!(one, version("filter = { field = 'z', is = 1 }\n[fields]\na = 'x'\nb = { from = 'y', type = 'date' }"));
    let utc = Options { zone: zone("UTC").unwrap(), ..Options::default() };
    let text = "[fields]\na = 'x'\nb = { from = 'y', type = 'date' }";
    assert_ne!(one, Mapping::compile_str_with(text, &utc).unwrap().version(), "the stream's zone counts");
    let units = [Unit { path: "y".into(), unit: UnitKind::EpochMs }];
    let known = Options { units: &units, ..Options::default() };
    assert_ne!(one, Mapping::compile_str_with(text, &known).unwrap().version(), "what the stream adds counts");
    assert_eq!(version(""), Mapping::identity().version());
}

#[test]
fn says_what_it_is() {
    let compile = |text| Mapping::compile_str(text).unwrap();
    assert!(Mapping::identity().is_identity() && compile("").is_identity());
    assert!(!compile("filter = { field = 'a', is = 1 }").is_identity());
    assert!(compile("explode = 'l'").explodes() && !compile("keep = 'all'").explodes());
}

#[test]
fn documents_are_appended_and_an_error_takes_its_own_back() {
    let mapping = Mapping::compile_str("explode = 'l'\nfields.n = { from = 'l.n', type = 'integer' }").unwrap();
    let record = |text: &str| Record::parse(text).unwrap();
    let out = &mut Output::new();
    assert_eq!(mapping.apply(&record(r#"{"l":[{"n":1},{"n":2}]}"#), out).unwrap(), Outcome::Mapped { n: 2 });
    let error = mapping.apply(&record(r#"{"l":[{"n":3},{"n":4.5}]}"#), out).unwrap_err();
    assert_eq!(
        (error.field(), error.source(), error.value(), error.reason()),
        ("n", "l[1].n", Some("4.5"), "is not a whole number")
    );
    assert_eq!(mapping.apply(&record(r#"{"l":[{"n":5}]}"#), out).unwrap(), Outcome::Mapped { n: 1 });
    assert_eq!(out.iter().collect::<Vec<_>>(), [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":5}"#]);
    assert_eq!((out.get(2), out.get(3)), (Some(r#"{"n":5}"#), None));
    let refused = milkrun_core::Error::from(error);
    assert_eq!(refused.fact("field"), Some("n"));
    assert!(refused.to_string().ends_with("field `n`: `4.5` (from `l[1].n`) is not a whole number"), "{refused}");
}

/// JSON texts of all kinds, with the numbers and texts that bite.
fn json() -> impl Strategy<Value = String> {
    let bites = [
        "null",
        "true",
        "false",
        "0",
        "-0.0",
        "42.00",
        "1E+2",
        "1e-400",
        "6920000000000000001",
        "1234567890123456789012",
        "946656000000",
        "1740758400000",
        "1000000000000000.01",
        r#""""#,
        r#"" ""#,
        r#""2026-08-01 00:00:00""#,
        r#""2026-08-01""#,
        r#""42.00""#,
        r#""-7""#,
        r#""\u77ed\"\\x""#,
        r#""短袖T恤""#,
        r#""1""#,
        "{}",
        "[]",
    ];
    let leaf = prop_oneof![proptest::sample::select(bites.to_vec()).prop_map(str::to_owned), "-?[1-9][0-9]{0,25}"];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[ {}]", list.join(" , "))),
            object(inner),
        ]
    })
}

/// An object of a few names, some of them repeated or escaped.
fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let names = ["a", "b", "c", "d", "l", "n", "t", "\\u0061", "x.y", "单"];
    let field =
        (proptest::sample::select(names.to_vec()), value).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    proptest::collection::vec(field, 0..8).prop_map(|fields| format!("{{{}}}", fields.join(", ")))
}

/// Mappings that use every rule key, on the names that [`object`] makes.
const EVERY_KEY: [&str; 4] = [
    r#"
filter = [ { any = [ { field = "a", is_not = 1 }, { field = "n", contains = "1" } ] } ]
[fields]
a = { from = ["a", "b[0].a", "@"], type = "text", trim = true, upper = true, max_length = 5, cut = true, prefix = "p" }
b = { from = "b", type = "decimal", round = { scale = 1, rule = "half-even" }, scale = 2, unit = "g-to-kg", none = [0, ""] }
"#,
    r#"
[fields]
c = { from = "t", type = "datetime", format = "rfc3339", zone = "UTC" }
d = { from = "c", type = "timestamp-ms", input = "text", write_as = "text", default = 1 }
e = { from = "d", values = { "1" = "x", "true" = 2 }, otherwise = [1], null = "keep" }
f = { from = "n", type = "integer", write_as = "text", suffix = "s", max_length = 30 }
"#,
    r#"
explode = "l"
keep = "all"
drop = ["b"]
filter = { field = "l.a", missing = false }
[fields]
a = "x.y"
l2 = { each = "l.l", fields = { n = "$.n", x = "@", a = { from = "a", type = "boolean" } } }
"#,
    r#"
[fields]
a = { each = "l", filter = { field = "n", at_least = 1 }, fields = { n = "n", "单" = "单", l = { each = "l" } } }
o = { fields = { a = "a", b = { from = "b", null = "omit" }, c = { const = { a = [1, 0.10] } } } }
"#,
];

proptest! {
    #[test]
    fn copies_are_exact_and_what_was_learnt_changes_nothing(records in proptest::collection::vec(object(json()), 1..6)) {
        let mapping = Mapping::compile_str("[fields]\nx = 'a'\ny = 'x.y'\nz = 'l'\nw = 'n'").unwrap();
        let shared = &mut Output::new();
        for text in &records {
            let record = Record::parse(text.as_str()).unwrap();
            let rules = [("x", "a"), ("y", "x.y"), ("z", "l"), ("w", "n")];
            let copied = rules.iter().filter_map(|(to, from)| Some(format!("\"{to}\":{}", record.at(from)?)));
            let expected = format!("{{{}}}", copied.collect::<Vec<_>>().join(","));
            shared.clear();
            mapping.apply(&record, shared).unwrap();
            prop_assert_eq!(shared.text(), &expected, "{}", text);
        }
    }

    #[test]
    fn any_record_gives_json_or_a_reason(records in proptest::collection::vec(object(json()), 1..4)) {
        let shared = &mut Output::new();
        for rules in EVERY_KEY {
            let mapping = Mapping::compile_str(rules).unwrap();
            for text in &records {
                let record = Record::parse(text.as_str()).unwrap();
                shared.clear();
                let outcome = mapping.apply(&record, shared);
                let fresh = &mut Output::new();
                prop_assert_eq!(&outcome, &mapping.apply(&record, fresh));
                prop_assert_eq!(shared.text(), fresh.text());
                match outcome {
                    Ok(_) => for document in shared.iter() {
                        prop_assert!(Record::parse(document).is_ok(), "{} {}", text, document);
                    },
                    Err(e) => prop_assert!(!e.reason().is_empty() && shared.is_empty()),
                }
            }
        }
    }

    #[test]
    fn spoilt_rules_never_panic(which in any::<proptest::sample::Index>(), cuts in proptest::collection::vec(
        (any::<proptest::sample::Index>(), 0_usize..4, "[a-z=\"\\[\\]{}.,0-9\n单-]{0,3}"), 1..4)) {
        let mistakes = titled(include_str!("mistakes.txt"));
        let texts: Vec<&str> = EVERY_KEY.into_iter().chain(mistakes.iter().map(|(_, text)| *text)).collect();
        let mut text: Vec<char> = which.get(&texts).chars().collect();
        for (at, n, with) in cuts {
            let at = at.index(text.len());
            let end = (at + n).min(text.len());
            text.splice(at..end, with.chars());
        }
        let text: String = text.into_iter().collect();
        match Mapping::compile_str(&text) {
            Ok(mapping) => {
                let _ = mapping.apply(&Record::parse(r#"{"a":1,"l":[{"a":2}],"t":"x"}"#).unwrap(), &mut Output::new());
            }
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                for m in mistakes {
                    prop_assert!(text.get(m.span.clone()).is_some(), "{:?} {}", m, text);
                }
            }
        }
    }
}
