//! Mistakes and errors as the console's callers read them.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::Path;

use milkrun_console::model::{Mistake, Problem};
use milkrun_core::Error;
use milkrun_core::diagnostic::{Diagnostic, Diagnostics};

use crate::config::Reports;
use crate::show::{diagnostics, heading};
use crate::text::Lang;

/// Everything that keeps files from being used.
pub(crate) fn of_reports(reports: &Reports, lang: Lang) -> Vec<Mistake> {
    of_files(&reports.mistakes(), false, lang)
}

/// What was found in files.
pub(crate) fn of_files(files: &[Diagnostics], is_warning: bool, lang: Lang) -> Vec<Mistake> {
    let of_file = |file: &Diagnostics| {
        let one = |found: &Diagnostic| {
            let (line, column) = file.line_column(found.span.start);
            Mistake {
                file: file.file.display().to_string(),
                line: u32::try_from(line).unwrap_or(u32::MAX),
                column: u32::try_from(column).unwrap_or(u32::MAX),
                message: lang.retell(&found.message).into_owned(),
                help: found.help.as_deref().map(|help| lang.retell(help).into_owned()),
                is_warning,
            }
        };
        file.all.iter().map(one).collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

/// A file that cannot be read at all.
pub(crate) fn of_error(error: &Error, file: &Path, lang: Lang) -> Mistake {
    Mistake {
        file: file.display().to_string(),
        line: 1,
        column: 1,
        message: lang.retell(error.message()).into_owned(),
        help: error.help().map(|help| lang.retell(help).into_owned()),
        is_warning: false,
    }
}

/// An error as its reader reads it.
pub(crate) fn problem(error: &Error, lang: Lang) -> Problem {
    let (_, fix) = heading(error.kind());
    let mut facts: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in error.context() {
        facts.insert((*name).to_owned(), lang.retell(value).into_owned());
    }
    let mistakes = diagnostics(error).map(|file| of_files(std::slice::from_ref(file), false, lang));
    if let Some(cause) = error.source().filter(|_| mistakes.is_none()) {
        facts.insert("cause".to_owned(), lang.retell(&cause.to_string()).into_owned());
    }
    Problem {
        kind: error.kind().as_str().to_owned(),
        message: lang.retell(error.message()).into_owned(),
        help: Some(error.help().map_or_else(|| lang.say(fix).to_owned(), |help| lang.retell(help).into_owned())),
        facts,
        mistakes: mistakes.unwrap_or_default(),
    }
}
