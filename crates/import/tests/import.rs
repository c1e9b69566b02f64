//! Importing whole texts: what the flow says, and the documents that its mapping makes.
#![expect(clippy::unwrap_used, reason = "all of this is a test, the helpers too")]

use milkrun_core::Record;
use milkrun_import::qeasy::{Imported, Options, import};
use milkrun_mapping::{Mapping, Output};
use toml::de::{DeTable, DeValue};

fn imported(source: &str, target: &str) -> Imported {
    let options = Options {
        name: "x".into(),
        since: "2026-01-05".into(),
        source_account: None,
        sink_account: None,
        is_timetable: |_| true,
    };
    import(source, Some(target), &options).unwrap()
}

/// The documents that the flow's mapping makes of a record.
fn documents(flow: &str, record: &str) -> Vec<String> {
    let (table, errors) = DeTable::parse_recoverable(flow);
    assert!(errors.is_empty(), "{errors:?}\n{flow}");
    let mapping = table.get_ref().iter().find(|(key, _)| key.get_ref() == "mapping");
    let mapping = mapping.map(|(_, value)| match value.get_ref() {
        DeValue::Table(rules) => Mapping::compile(rules, &milkrun_mapping::Options::default())
            .unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{flow}")),
        _ => panic!("`mapping` is no table\n{flow}"),
    });
    let mut output = Output::new();
    mapping.unwrap().apply(&Record::parse(record).unwrap(), &mut output).unwrap_or_else(|e| panic!("{e}\n{flow}"));
    output.iter().map(str::to_owned).collect()
}

#[test]
fn the_pages_samples_give_the_bodies_of_the_page() {
    let (source, target) = (include_str!("samples/page-source.json"), include_str!("samples/page-target.json"));
    let imported = imported(source, target);
    insta::assert_snapshot!("page", imported.flow);
    let record = r#"{"refund_no":"TK2601050001","shop_no":"S01","InventoryClass":{"Code":"0101"},"refund_order_list":[
        {"goods_no":"A1","refund_num":"2.0000","refund_order_amount":"19.90"}]}"#;
    let body = r#"{"FBillNo":"TK2601050001","FSaleOrgId":{"FNumber":"100"},"FEntity":[{"FMaterialId":{"FNumber":"A1"},"FTaxPrice":"9.9500"}]}"#;
    assert_eq!(documents(&imported.flow, record), [body]);
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    source: String,
    target: String,
    record: String,
    documents: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Cases {
    case: Vec<Case>,
}

/// The line of a byte, counted from 1.
fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[test]
fn every_key_is_carried_translated_or_put_to_a_decision() {
    let cases: Cases = toml::from_str(include_str!("cases.toml")).unwrap();
    assert!(cases.case.len() >= 25, "{}", cases.case.len());
    let mut all = String::new();
    let mut wrong = Vec::new();
    for case in cases.case {
        let imported = imported(&case.source, &case.target);
        let said: Vec<_> = imported
            .report
            .decisions()
            .map(|finding| {
                let text = if finding.side == milkrun_import::Side::Source { &case.source } else { &case.target };
                let (line, at) = (line(text, finding.span.start), &text[finding.span.clone()]);
                let at: String = at.chars().take(30).collect();
                assert!(!finding.note.en.is_empty() && !finding.instead.zh.is_empty(), "{finding:?}");
                format!(
                    "{:?}:{line} {} at {at}: {} | {}",
                    finding.side, finding.path, finding.note.en, finding.instead.en
                )
            })
            .collect();
        all.extend(["== ", &case.name, "\n", &imported.flow, "\n-- decisions\n", &said.join("\n"), "\n\n"]);
        let documents = documents(&imported.flow, &case.record);
        if documents != case.documents {
            wrong.push(format!("{}:\n  got  {documents:?}\n  want {:?}\n{}", case.name, case.documents, imported.flow));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    insta::assert_snapshot!("cases", all);
}

/// What `examples/fuzz.rs` has found to lead somewhere new.
#[test]
fn malformed_metadata_never_panics() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut n_texts = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let options = Options {
            name: "x".into(),
            since: String::new(),
            source_account: None,
            sink_account: None,
            is_timetable: |_| true,
        };
        for target in [None, Some(text.as_str())] {
            if let Ok(imported) = import(&text, target, &options) {
                imported.flow.parse::<toml::Table>().unwrap();
            }
        }
        n_texts += 1;
    }
    assert!(n_texts > 100, "the corpus is kept");
}
