//! Mistakes in what a user wrote: the file, the place, the cause, and the nearest right name.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One mistake in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where, in bytes of the file's text.
    pub span: Range<usize>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake at `span`.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), span, help: None }
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All mistakes of one file.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    /// The file, as the user named it.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// The mistakes, in the order of the text.
    pub all: Vec<Diagnostic>,
}

impl Diagnostics {
    /// The mistakes of `file`, in the order of the text.
    pub fn new(file: &Path, text: &str, mut all: Vec<Diagnostic>) -> Self {
        all.sort_by_key(|d| (d.span.start, d.span.end));
        Self { file: file.to_owned(), text: text.to_owned(), all }
    }

    /// The line and the column of a byte, counted from 1; columns count characters.
    pub fn line_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

/// One line per mistake: `file:line:column: message (help)`.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.all.iter().enumerate() {
            let (line, column) = self.line_column(d.span.start);
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{line}:{column}: {}", self.file.display(), d.message)?;
            if let Some(help) = &d.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl From<Diagnostics> for crate::Error {
    fn from(mistakes: Diagnostics) -> Self {
        let n = mistakes.all.len();
        let what = if n == 1 { "1 mistake".to_owned() } else { format!("{n} mistakes") };
        Self::config(format!("{what} in {}", mistakes.file.display())).caused_by(mistakes)
    }
}

/// The known name that is nearest to `wrong`, if one is near.
pub fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let score = |name: &str| strsim::normalized_damerau_levenshtein(&wrong, &name.to_lowercase());
    let best = known.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(best) >= 0.5).then_some(*best)
}

/// "did you mean …?" if a name is near, else the list of known names.
pub fn did_you_mean(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "none is known".to_owned(),
        None => format!("known: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_place_and_the_nearest_name() {
        let help = did_you_mean("kuaimia", &["file", "kuaimai"]);
        assert_eq!(help, "did you mean `kuaimai`?");
        let all = vec![Diagnostic::new(9..12, "no such field").help(help)];
        let text = Diagnostics::new(Path::new("flows/a.toml"), "名 = 1\nb = 2\n", all).to_string();
        assert_eq!(text, "flows/a.toml:2:2: no such field (did you mean `kuaimai`?)");
        assert_eq!(did_you_mean("zzz", &["file", "kuaimai"]), "known: file, kuaimai");
    }
}
