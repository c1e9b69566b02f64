//! `milkrun import`: the metadata of another platform becomes a flow, and every key is accounted for.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use milkrun_core::diagnostic::{Diagnostic, Diagnostics};
use milkrun_core::{Clock as _, Error, SystemClock};
use milkrun_import::{Fate, Finding, Report, Side, qeasy};
use serde_json::json;

use super::init::{at, make_dir};
use super::{Failure, Here, Outcome};
use crate::cli;
use crate::config::{Reports, read_utf8};
use crate::show::Out;
use crate::text::{self, fill};

/// One of the texts.
struct Text {
    path: PathBuf,
    text: String,
}

pub(super) fn import(here: Here<'_>, ask: &cli::Import) -> Outcome {
    let cli::Import::Qeasy(ask) = ask;
    let out = here.out;
    let read = |path: &PathBuf| -> Result<Text, Failure> {
        match read_utf8(path, out.lang).map_err(|e| at(e, path))? {
            (text, None) => Ok(Text { path: path.clone(), text }),
            (text, Some(mistake)) => Err(Failure::Mistakes(Reports::of(path, &text, vec![mistake]))),
        }
    };
    let source = read(&ask.source)?;
    let target = ask.target.as_ref().map(read).transpose()?;
    if ask.out.exists() && !ask.force {
        let error = Error::config(fill!(out.lang, text::FILE_IS_THERE, file = ask.out.display()));
        return Err(error.advise(out.say(text::FILE_IS_THERE_HELP)).into());
    }
    let name = ask.out.file_stem().and_then(|stem| stem.to_str()).unwrap_or("records").to_owned();
    let today = SystemClock::new().now().to_zoned(TimeZone::fixed(jiff::tz::offset(8))).date();
    let options = qeasy::Options {
        name,
        since: ask.since.clone().unwrap_or_else(|| today.to_string()),
        source_account: ask.account.clone(),
        sink_account: ask.sink_account.clone(),
        is_timetable: crate::config::is_timetable,
    };
    let texts = |side| if side == Side::Source { Some(&source) } else { target.as_ref() };
    let imported = qeasy::import(&source.text, target.as_ref().map(|t| t.text.as_str()), &options);
    let imported = imported.map_err(|(side, mistake)| {
        let Some(text) = texts(side) else { return Failure::Error(Error::config(mistake.message)) };
        Failure::Mistakes(Reports::of(&text.path, &text.text, vec![mistake]))
    })?;
    if let Some(folder) = ask.out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_dir(folder)?;
    }
    fs::write(&ask.out, &imported.flow).map_err(|e| at(e, &ask.out))?;
    if out.json {
        let place = |finding: &Finding| {
            let text = texts(finding.side)?;
            let (line, column) = all_of(text, Vec::new()).line_column(finding.span.start);
            Some(json!({
                "file": text.path.display().to_string(), "line": line, "column": column, "path": finding.path,
                "side": finding.side, "fate": finding.fate, "note": finding.note, "instead": finding.instead,
            }))
        };
        out.json(&json!({
            "flow": ask.out.display().to_string(),
            "accounts": imported.accounts.iter().map(|(a, c)| json!({ "account": a, "connector": c })).collect::<Vec<_>>(),
            "carried": imported.report.count(Fate::Carried),
            "translated": imported.report.count(Fate::Translated),
            "decisions": imported.report.count(Fate::Decision),
            "keys": imported.report.findings.iter().filter_map(place).collect::<Vec<_>>(),
        }));
        return Ok(0);
    }
    for side in [Side::Source, Side::Target] {
        if let Some(text) = texts(side) {
            show(out, text, side, &imported.report);
        }
    }
    conclude(out, &ask.out, &imported);
    Ok(0)
}

fn all_of(text: &Text, all: Vec<Diagnostic>) -> Diagnostics {
    Diagnostics::new(&text.path, &text.text, all)
}

/// What needs a decision, each at its place.
fn show(out: &Out, text: &Text, side: Side, report: &Report) {
    let of_side = report.decisions().filter(|finding| finding.side == side);
    let decisions: Vec<_> = of_side
        .map(|finding| {
            let message = out.lang.labelled(format_args!("`{}`", finding.path), out.lang.title(&finding.note));
            Diagnostic::new(finding.span.clone(), message).help(out.lang.title(&finding.instead))
        })
        .collect();
    if !decisions.is_empty() {
        out.note(format!("{}\n", out.warnings(&all_of(text, decisions))));
    }
}

fn conclude(out: &Out, file: &Path, imported: &qeasy::Imported) {
    let count = |fate| imported.report.count(fate);
    out.line(fill!(
        out.lang,
        text::IMPORTED_KEYS,
        carried = count(Fate::Carried),
        translated = count(Fate::Translated),
        decisions = count(Fate::Decision)
    ));
    out.line(fill!(out.lang, text::MADE, file = file.display()));
    let accounts: Vec<_> = imported.accounts.iter().map(|(name, connector)| format!("{name} ({connector})")).collect();
    out.line(fill!(out.lang, text::IMPORT_NEXT, accounts = accounts.join(", ")));
}
