//! `include` in a flow file: the metadata of another platform as it is, with the file's own tables on top.

use std::path::{Path, PathBuf};

use milkrun_core::diagnostic::{Diagnostic, Diagnostics};
use milkrun_import::qeasy;
use toml::de::{DeTable, DeValue};
use toml_edit::{DocumentMut, Item, Table};

use super::span::Findings;
use super::{AccountConfig, At, read_utf8, tidy};
use crate::text::{self, Lang, fill};

/// Whether a flow includes anything.
pub(crate) fn is_wanted(text: &str) -> bool {
    let (table, _) = DeTable::parse_recoverable(text);
    table.get_ref().keys().any(|key| key.get_ref() == "include")
}

/// The text of a flow with what it includes; `None` if that cannot be read, which has been said.
///
/// `included` gets the files that are read. The metadata gives the tables, and what the file says itself takes their
/// place, key by key. What the metadata declares is left out where the flow's account is of another connector, such as
/// one that keeps documents for comparison: it says how the interface is called, which nobody does then.
pub(super) fn expand(
    name: &str,
    path: &Path,
    text: &str,
    accounts: &[AccountConfig],
    included: &mut Vec<PathBuf>,
    findings: &mut Findings,
) -> Option<String> {
    let lang = findings.lang;
    let table = super::parse(text, findings);
    let (_, value) = table.get_ref().iter().find(|(key, _)| key.get_ref() == "include")?;
    let wrong = |findings: &mut Findings| {
        findings.mistake_with(&value.span(), lang.say(text::BAD_INCLUDE), lang.say(text::INCLUDE_FORM));
        None
    };
    let DeValue::Table(include) = value.get_ref() else { return wrong(findings) };
    let mut files = Vec::new();
    for (key, value) in include {
        let (DeValue::Array(list), "qeasy") = (value.get_ref(), key.get_ref().as_ref()) else { return wrong(findings) };
        for entry in list {
            let DeValue::String(file) = entry.get_ref() else { return wrong(findings) };
            files.push(At { value: path.parent().unwrap_or(Path::new("")).join(file.as_ref()), span: entry.span() });
        }
    }
    if files.is_empty() || files.len() > 2 {
        return wrong(findings);
    }
    included.extend(files.iter().map(|file| file.value.clone()));
    let mut texts = Vec::new();
    for file in &files {
        match read_utf8(&file.value, lang) {
            Ok((text, None)) => texts.push(text),
            Ok((text, Some(mistake))) => {
                let mistake = Diagnostics::new(&tidy(&file.value), &text, vec![mistake]);
                findings.mistakes.push(in_included(lang, file, &mistake));
                return None;
            }
            Err(cause) => {
                let message = fill!(lang, text::INCLUDED_UNREADABLE, file = tidy(&file.value).display(), cause = cause);
                findings.mistake(&file.span, message);
                return None;
            }
        }
    }
    let options = qeasy::Options {
        name: name.to_owned(),
        // A flow that includes metadata says itself from when on it reads.
        since: String::new(),
        source_account: None,
        sink_account: None,
        is_timetable: super::is_timetable,
    };
    let imported = match qeasy::import(&texts[0], texts.get(1).map(String::as_str), &options) {
        Ok(imported) => imported,
        Err((side, mistake)) => {
            let which = &files[usize::from(side == milkrun_import::Side::Target)];
            let source = &texts[usize::from(side == milkrun_import::Side::Target)];
            let mistake = Diagnostics::new(&tidy(&which.value), source, vec![mistake]);
            findings.mistakes.push(in_included(lang, which, &mistake));
            return None;
        }
    };
    let n = imported.report.decisions().count();
    if n > 0 {
        let names: Vec<_> = files.iter().map(|file| tidy(&file.value).display().to_string()).collect();
        let command = format!("milkrun import qeasy {} --out /dev/null --force", names.join(" "));
        let help = fill!(lang, text::INCLUDED_DECISIONS_HELP, command = command);
        findings.warning(&value.span(), fill!(lang, text::INCLUDED_DECISIONS, n = n), help);
    }
    let mut merged: DocumentMut = imported.flow.parse().expect("the importer writes TOML");
    if let Some(source) = merged["source"].as_table_mut() {
        source.remove("since");
    }
    // What is wrong with its grammar has been said.
    let mut own: DocumentMut = text.parse().ok()?;
    own.remove("include");
    for (part, (_, connector)) in ["source", "sink"].into_iter().zip(&imported.accounts) {
        let account = own.get(part).and_then(|own| own.get("account")).and_then(Item::as_str);
        let account = accounts.iter().find(|other| Some(other.name.as_str()) == account);
        if account.is_some_and(|account| account.connector.name != *connector)
            && let Some(imported) = merged[part].as_table_mut()
        {
            imported.remove("declare");
        }
    }
    lay_over(merged.as_table_mut(), own.as_table());
    Some(merged.to_string())
}

/// The first mistake of an included file, shown where the file is named.
fn in_included(lang: Lang, named: &At<PathBuf>, mistakes: &Diagnostics) -> Diagnostic {
    let mistake = &mistakes.all[0];
    let (line, column) = mistakes.line_column(mistake.span.start);
    let file = format!("{}:{line}:{column}", mistakes.file.display());
    let cause = lang.retell(&mistake.message);
    let told = Diagnostic::new(named.span.clone(), fill!(lang, text::INCLUDED_UNREADABLE, file = file, cause = cause));
    match &mistake.help {
        Some(help) => told.help(lang.retell(help)),
        None => told,
    }
}

/// Puts the entries of `own` in the place of those of the same name; tables are gone into.
fn lay_over(base: &mut Table, own: &Table) {
    for (key, item) in own {
        match (base.get_mut(key), item) {
            (Some(Item::Table(below)), Item::Table(above)) => lay_over(below, above),
            (_, item) => {
                base.insert(key, item.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_says_itself_counts() {
        let mut base: DocumentMut = "a = 1\n[t]\nx = 1 # why\ny = 2\n[t.u]\nz = 3\n".parse().unwrap();
        let own: DocumentMut = "[t]\ny = 5\n[t.u]\nw = 4\n[v]\nq = 6\n".parse().unwrap();
        lay_over(base.as_table_mut(), own.as_table());
        assert_eq!(base.to_string(), "a = 1\n[t]\nx = 1 # why\ny = 5\n[t.u]\nz = 3\nw = 4\n[v]\nq = 6\n");
    }
}
