//! Importing whole texts.

use milkrun_import::qeasy::{Options, import};

fn options() -> Options {
    Options { name: "x".into(), since: "2026-01-05".into(), source_account: None, sink_account: None }
}

#[test]
fn the_pages_samples() {
    let (source, target) = (include_str!("samples/page-source.json"), include_str!("samples/page-target.json"));
    let imported = import(source, Some(target), &options()).unwrap();
    println!("{}", imported.flow);
    for finding in &imported.report.findings {
        println!("{:?} {} {:?} {}", finding.side, finding.path, finding.fate, finding.note.en);
    }
}
