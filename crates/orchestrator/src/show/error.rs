//! Errors as a person reads them: what happened, where, why, the facts, and what to do.

use std::error::Error as _;

use milkrun_core::diagnostic::Diagnostics;
use milkrun_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};

use super::{Out, json_of, without_nulls};
use crate::text::{self, Lang, Text, fill};

/// The exit code that an error ends the process with.
pub(crate) fn exit_code(error: &Error) -> u8 {
    // A name that nothing has is a mistake of the command line as one of a file is.
    if matches!(error.kind(), ErrorKind::ConfigInvalid | ErrorKind::NotFound) { 2 } else { 1 }
}

/// What happened and what usually helps, for each kind of error.
pub(crate) fn heading(kind: ErrorKind) -> (Text, Text) {
    match kind {
        ErrorKind::ConfigInvalid => (text::KIND_CONFIG, text::FIX_CONFIG),
        ErrorKind::Forbidden => (text::KIND_FORBIDDEN, text::FIX_FORBIDDEN),
        ErrorKind::TokenExpired => (text::KIND_TOKEN_EXPIRED, text::FIX_TOKEN_EXPIRED),
        ErrorKind::TokenDead => (text::KIND_TOKEN_DEAD, text::FIX_TOKEN_DEAD),
        ErrorKind::QuotaExceeded => (text::KIND_QUOTA, text::FIX_QUOTA),
        ErrorKind::Unavailable => (text::KIND_UNAVAILABLE, text::FIX_UNAVAILABLE),
        ErrorKind::OutcomeUnknown => (text::KIND_UNKNOWN_OUTCOME, text::FIX_UNKNOWN_OUTCOME),
        ErrorKind::Malformed => (text::KIND_MALFORMED, text::FIX_MALFORMED),
        ErrorKind::Refused => (text::KIND_REFUSED, text::FIX_REFUSED),
        ErrorKind::Incoherent => (text::KIND_INCOHERENT, text::FIX_INCOHERENT),
        ErrorKind::State => (text::KIND_STATE, text::FIX_STATE),
        ErrorKind::NotFound => (text::KIND_NOT_FOUND, text::FIX_NOT_FOUND),
        ErrorKind::Busy => (text::KIND_BUSY, text::FIX_BUSY),
        ErrorKind::Io => (text::KIND_IO, text::FIX_IO),
        ErrorKind::Interrupted => (text::KIND_INTERRUPTED, text::FIX_INTERRUPTED),
        ErrorKind::Unexpected => (text::KIND_UNEXPECTED, text::FIX_UNEXPECTED),
    }
}

impl Out {
    /// Shows an error: on standard error for a person, on standard output with `--json`.
    pub(crate) fn error(&self, error: &Error) {
        if self.json {
            self.json(&json!({ "error": error_json(error, self.lang) }));
        } else {
            self.note(self.error_text(error));
        }
    }

    /// An error as a person reads it.
    pub(crate) fn error_text(&self, error: &Error) -> String {
        if let Some(file) = diagnostics(error) {
            return self.mistakes(file);
        }
        let (what, fix) = heading(error.kind());
        let name = console::style(self.say(text::ERROR)).red().bold().force_styling(self.err_color);
        let mut lines = vec![self.lang.labelled(name, self.say(what)), format!("  {}", self.retell(error.message()))];
        let mut cause = error.source();
        while let Some(error) = cause {
            let own = error.downcast_ref::<Error>().map_or_else(|| error.to_string(), |e| e.message().to_owned());
            lines.push(fill!(self.lang, text::CAUSE, cause = self.retell(&own)));
            cause = error.source();
        }
        for (name, value) in error.context() {
            lines.push(format!("  {name}: {}", self.retell(value)));
        }
        let help = error.help().map_or(self.say(fix).into(), |help| self.retell(help));
        lines.push(fill!(self.lang, text::WHAT_TO_DO, help = help));
        lines.join("\n")
    }
}

/// The mistakes of a file that an error carries.
pub(crate) fn diagnostics(error: &Error) -> Option<&Diagnostics> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<Diagnostics>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// An error for `--json`.
pub(crate) fn error_json(error: &Error, lang: Lang) -> Value {
    let facts: Map<_, _> =
        error.context().iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    let (_, fix) = heading(error.kind());
    let places = diagnostics(error).map(|file| json_of(std::slice::from_ref(file)));
    without_nulls(json!({
        "kind": error.kind().as_str(),
        "message": error.message(),
        "facts": (!facts.is_empty()).then_some(facts),
        "causes": (!causes.is_empty() && places.is_none()).then_some(causes),
        "mistakes": places,
        "help": error.help().unwrap_or(lang.say(fix)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ErrorKind; 16] = [
        ErrorKind::ConfigInvalid,
        ErrorKind::Forbidden,
        ErrorKind::TokenExpired,
        ErrorKind::TokenDead,
        ErrorKind::QuotaExceeded,
        ErrorKind::Unavailable,
        ErrorKind::OutcomeUnknown,
        ErrorKind::Malformed,
        ErrorKind::Refused,
        ErrorKind::Incoherent,
        ErrorKind::State,
        ErrorKind::Busy,
        ErrorKind::NotFound,
        ErrorKind::Io,
        ErrorKind::Interrupted,
        ErrorKind::Unexpected,
    ];

    #[test]
    fn every_kind_says_what_happened_and_what_to_do() {
        let shown = [Lang::En, Lang::Zh].map(|lang| {
            let out = Out::plain(lang);
            KINDS.map(|kind| out.error_text(&Error::new(kind, "what the program found"))).join("\n")
        });
        insta::assert_snapshot!(shown.join("\n\n"));
    }

    #[test]
    fn an_error_tells_cause_facts_and_help_and_hides_secrets() {
        let cause = std::io::Error::other("the cause");
        let error =
            Error::new(ErrorKind::State, "what happened").with("file", "a.db").caused_by(cause).advise("do this");
        let out = Out::plain(Lang::En);
        insta::assert_snapshot!(out.error_text(&error), @r"
        error: the state cannot be read, written or understood
          what happened
          cause: the cause
          file: a.db
          what to do: do this
        ");
        insta::assert_snapshot!(
            error_json(&error, Lang::En),
            @r#"{"causes":["the cause"],"facts":{"file":"a.db"},"help":"do this","kind":"state","message":"what happened"}"#
        );
        assert_eq!((exit_code(&error), exit_code(&Error::config("x"))), (1, 2));
    }
    #[test]
    fn errors_of_every_crate_are_told_in_chinese() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("orders.csv");
        std::fs::write(
            folder.path().join("state.db"),
            "this is no database, and longer than its head would be. ".repeat(20),
        )
        .unwrap();
        let store = milkrun_store::SqliteStore::open(folder.path(), milkrun_store::StoreOptions::default());
        let refused = |rules: &str, record: &str| {
            let mapping = milkrun_mapping::Mapping::compile_str(rules).unwrap();
            let record = milkrun_core::Record::parse(record.to_owned()).unwrap();
            Error::from(crate::commands::map(&mapping, &record).unwrap_err())
        };
        let errors = [
            Error::from(std::fs::File::open(missing).unwrap_err()),
            store.map(drop).unwrap_err(),
            refused("[fields]\nday = { from = \"created\", type = \"date\" }", r#"{"created":"soon"}"#),
            refused("[fields]\nqty = { expr = \".n | dec_div(0; 2; \\\"half-up\\\")\" }", r#"{"n":5}"#),
            // A vendor's own words stay.
            Error::new(ErrorKind::Forbidden, "IP未授权")
                .with("vendor_code", 110)
                .advise("add this machine's public address to the app's IP list on the vendor's open platform"),
        ];
        let out = Out::plain(Lang::Zh);
        let shown = errors.map(|error| {
            // Scripts read the English words.
            assert_eq!(error_json(&error, Lang::Zh)["message"], error.message());
            out.error_text(&error)
        });
        insta::assert_snapshot!(shown.join("\n").replace(&folder.path().display().to_string(), "DIR"));
    }
}
