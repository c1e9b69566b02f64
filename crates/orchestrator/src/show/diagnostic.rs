//! Mistakes in files: the place, a piece of the text, the cause, and what to write instead.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use milkrun_core::diagnostic::{Diagnostic, Diagnostics};
use serde::Serialize;

use super::Out;
use crate::config::Reports;
use crate::text::{self, fill};

/// One mistake for `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct DiagnosticJson {
    file: String,
    line: usize,
    column: usize,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// All mistakes for `--json`.
pub(crate) fn json_of(all: &[Diagnostics]) -> Vec<DiagnosticJson> {
    let of_file = |file: &Diagnostics| {
        let one = |d: &Diagnostic| {
            let (line, column) = file.line_column(d.span.start);
            let (message, help) = (d.message.clone(), d.help.clone());
            DiagnosticJson { file: file.file.display().to_string(), line, column, message, help }
        };
        file.all.iter().map(one).collect::<Vec<_>>()
    };
    all.iter().flat_map(of_file).collect()
}

impl Out {
    /// Mistakes as a person reads them.
    pub(crate) fn mistakes(&self, file: &Diagnostics) -> String {
        let level = Level::ERROR.with_name(self.say(text::ERROR));
        file.all.iter().map(|d| self.render(file, d, level.clone())).collect::<Vec<_>>().join("\n\n")
    }

    /// Warnings as a person reads them.
    pub(crate) fn warnings(&self, file: &Diagnostics) -> String {
        let level = Level::WARNING.with_name(self.say(text::WARNING));
        file.all.iter().map(|d| self.render(file, d, level.clone())).collect::<Vec<_>>().join("\n\n")
    }

    /// Everything that is wrong with the files, and how much it is.
    pub(crate) fn reports(&self, reports: &Reports) {
        let (mistakes, warnings) = (reports.mistakes(), reports.warnings());
        self.json(&serde_json::json!({
            "error": { "kind": "config-invalid", "mistakes": json_of(&mistakes), "warnings": json_of(&warnings) },
        }));
        if self.json {
            return;
        }
        for file in &warnings {
            self.note(format!("{}\n", self.warnings(file)));
        }
        for file in &mistakes {
            self.note(format!("{}\n", self.mistakes(file)));
        }
        let n: usize = mistakes.iter().map(|file| file.all.len()).sum();
        self.note(fill!(self.lang, text::N_MISTAKES, n = n));
    }

    fn render(&self, file: &Diagnostics, diagnostic: &Diagnostic, level: Level<'_>) -> String {
        let source = &file.text;
        let span = visible(source, &diagnostic.span);
        let path = file.file.display().to_string();
        let snippet = Snippet::source(source.as_str()).path(path).fold(true);
        let snippet = snippet.annotation(AnnotationKind::Primary.span(span));
        let message = self.retell(&diagnostic.message);
        let help = diagnostic.help.as_deref().map(|help| self.retell(help));
        let mut group: Group<'_> = level.primary_title(message.as_ref()).element(snippet);
        if let Some(help) = &help {
            group = group.element(Level::HELP.with_name(self.say(text::HELP)).message(help.as_ref()));
        }
        let renderer = if self.err_color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// A span that fits the text, starts and ends between characters, and does not run over many lines.
fn visible(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.min(text.len())).max(start);
    let first_line = text[start..end].find('\n').map_or(end, |at| start + at);
    start..first_line
}
