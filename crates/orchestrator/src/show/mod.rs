//! Everything that reaches the user goes through here: one writer, which hides secrets and survives a closed pipe.

mod columns;
mod diagnostic;
mod error;
pub(crate) mod progress;
mod report;
mod table;

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::MultiProgress;
use milkrun_core::Secret;
use serde::Serialize;
use serde_json::Value;

pub(crate) use columns::{USUAL_WIDTH, pretty, side_by_side};
pub(crate) use diagnostic::json_of;
pub(crate) use error::{diagnostics, error_json, exit_code, heading};
pub(crate) use report::reconciliation;
pub(crate) use table::{Align, Table};

use crate::text::{self, Lang};

/// Texts that must never be shown; shared by everything that writes.
#[derive(Clone, Default)]
pub(crate) struct Scrubber(Arc<Mutex<Vec<Secret>>>);

/// Shorter secrets are stand-ins of tests: hiding "1" everywhere would hide the rest too.
const SHORTEST: usize = 6;

impl Scrubber {
    /// Hides a secret from now on.
    pub(crate) fn hide(&self, secret: &Secret) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.expose().len() >= SHORTEST && !known.contains(secret) {
            known.push(secret.clone());
        }
    }

    /// The text with stars in the place of each secret.
    pub(crate) fn scrub(&self, mut text: String) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in known.iter() {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), "***");
            }
        }
        text
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber")
    }
}

/// Where the user reads.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    pub(crate) lang: Lang,
    /// Machine output on standard output.
    pub(crate) json: bool,
    /// Colours on standard output.
    pub(crate) color: bool,
    /// Colours on standard error.
    pub(crate) err_color: bool,
    pub(crate) scrubber: Scrubber,
    /// The progress bars, which step aside while something is written.
    pub(crate) bars: MultiProgress,
}

impl Out {
    /// Text without colours, for tests.
    #[cfg(test)]
    pub(crate) fn plain(lang: Lang) -> Self {
        let (scrubber, bars) = (Scrubber::default(), MultiProgress::new());
        Self { lang, json: false, color: false, err_color: false, scrubber, bars }
    }

    /// A line for a person on standard output; nothing with `--json`.
    pub(crate) fn line(&self, text: impl fmt::Display) {
        if !self.json {
            self.print(&text.to_string());
        }
    }

    /// A text on standard output as it is, a line's end added if it has none.
    pub(crate) fn print(&self, text: &str) {
        let text = self.scrubber.scrub(text.to_owned());
        let end = if text.ends_with('\n') { "" } else { "\n" };
        self.bars.suspend(|| write_to(io::stdout().lock(), &format!("{text}{end}")));
    }

    /// The one JSON document of a command on standard output; nothing without `--json`.
    pub(crate) fn json(&self, value: &impl Serialize) {
        if self.json {
            let text = serde_json::to_string_pretty(value).expect("it is plain data");
            self.print(&text);
        }
    }

    /// A line for a person on standard error.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        let text = self.scrubber.scrub(format!("{text}\n"));
        self.bars.suspend(|| write_to(io::stderr().lock(), &text));
    }

    /// What is wrong with a command line, on standard error, or the help that was asked for, on standard output.
    pub(crate) fn usage(&self, error: &clap::Error) {
        if error.use_stderr() {
            self.note(text::tell_usage(error, self.lang, self.err_color).trim_end());
        } else {
            self.print(&text::tell_usage(error, self.lang, self.color));
        }
    }

    /// A heading on standard output.
    pub(crate) fn heading(&self, text: &str) {
        self.line(self.bold(text));
    }

    /// The text in bold, where colours are welcome.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.style(text).bold().to_string()
    }

    /// The text with a style that can be built upon.
    pub(crate) fn style<'a>(&self, text: &'a str) -> console::StyledObject<&'a str> {
        console::style(text).force_styling(self.color)
    }

    /// What another crate said, in the language of the one who reads.
    pub(crate) fn retell<'a>(&self, said: &'a str) -> std::borrow::Cow<'a, str> {
        self.lang.retell(said)
    }

    /// A value that is shown in a table.
    pub(crate) fn say(&self, text: crate::text::Text) -> &'static str {
        self.lang.say(text)
    }
}

/// Writes and flushes. A reader that has gone away (`| head`) is no error, and there is nobody to tell of any other.
fn write_to(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

/// A log writer for `tracing` that steps around the progress bars and hides secrets.
#[derive(Clone, Debug)]
pub(crate) struct LogWriter(pub(crate) Out);

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = self.0.scrubber.scrub(String::from_utf8_lossy(bytes).into_owned());
        self.0.bars.suspend(|| write_to(io::stderr().lock(), &text));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A number with a comma between thousands.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An instant to the second in Beijing time, which its users live in; the machine's own zone plays no part.
pub(crate) fn beijing(at: jiff::Timestamp) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S+08:00").to_string()
}

/// A JSON object without the fields that are null.
pub(crate) fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, v| !v.is_null());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        let scrubber = Scrubber::default();
        scrubber.hide(&Secret::new("helloworld"));
        scrubber.hide(&Secret::new("x"));
        assert_eq!(scrubber.scrub("x=helloworld&y=helloworld".into()), "x=***&y=***");
    }

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(n), text);
        }
    }
}
