//! Mistakes in files: the place, a piece of the text, the cause, and what to write instead.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use console::strip_ansi_codes;
use milkrun_core::diagnostic::{Diagnostic, Diagnostics};
use serde::Serialize;

use super::Out;
use crate::config::Reports;
use crate::text::{self, Lang, fill};

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
        let rendered = renderer.render(&[group]);
        match self.lang {
            Lang::En => rendered,
            Lang::Zh => with_own_colon(&rendered, self.lang),
        }
    }
}

/// The renderer puts its own colon behind a name; here it is the language's, which is as wide.
fn with_own_colon(rendered: &str, lang: Lang) -> String {
    let names = [text::ERROR, text::WARNING, text::HELP].map(|name| lang.say(name));
    let own = |line: &str| {
        names.iter().find_map(|name| {
            let (before, after) = line.split_once(name)?;
            let (codes, rest) = after.split_once(": ")?;
            // A name has nothing before it but the mark of a note, and nothing behind it; what has is a piece of the file.
            let is_name = ["", "="].contains(&strip_ansi_codes(before).trim()) && strip_ansi_codes(codes).is_empty();
            is_name.then(|| format!("{before}{name}{codes}{}{rest}", lang.colon()))
        })
    };
    rendered.split('\n').map(|line| own(line).unwrap_or_else(|| line.to_owned())).collect::<Vec<_>>().join("\n")
}

/// A span that fits the text, starts and ends between characters, and does not run over many lines.
fn visible(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.min(text.len())).max(start);
    let first_line = text[start..end].find('\n').map_or(end, |at| start + at);
    start..first_line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_the_colon_of_its_language_with_colours_and_without() {
        let source = "# 错误: a piece of the file\n错误: \"x\"\n";
        let mistake = Diagnostic::new(34..37, "错误: of this name").help("请写 建议: x");
        let file = Diagnostics::new("flows/x.toml".as_ref(), source, vec![mistake]);
        let mut shown = Vec::new();
        for (lang, err_color) in [(Lang::En, false), (Lang::Zh, false), (Lang::Zh, true)] {
            let out = Out { err_color, ..Out::plain(lang) };
            shown.push(strip_ansi_codes(&out.mistakes(&file)).into_owned());
            shown.push(strip_ansi_codes(&out.warnings(&file)).lines().next().unwrap().to_owned());
        }
        assert_eq!(shown[2..4], shown[4..6], "colours change nothing else");
        insta::assert_snapshot!(shown[..4].join("\n\n"), @r#"
        error: 错误: of this name
         --> flows/x.toml:2:2
          |
        2 | 错误: "x"
          |   ^^^
          |
          = help: 请写 建议: x

        warning: 错误: of this name

        错误：错误: of this name
         --> flows/x.toml:2:2
          |
        2 | 错误: "x"
          |   ^^^
          |
          = 建议：请写 建议: x

        警告：错误: of this name
        "#);
    }
}
