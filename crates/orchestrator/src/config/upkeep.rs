//! `[retention]` and `[logs]`: how long what is kept, and where a structured log is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use milkrun_core::diagnostic::Diagnostic;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::flow::FlowConfig;
use super::span::{At, Findings, Section, Span};
use super::value::{parse_duration, write_duration};
use crate::text::{self, fill};

pub(super) const RETENTION_KEYS: &[&str] = &["runs", "pages", "pages_size", "ledger", "dead_letters", "audit"];
pub(super) const LOGS_KEYS: &[&str] = &["file", "level", "size", "keep"];
/// The levels that a log may be written from.
pub(super) const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

const DAY: Duration = Duration::from_hours(24);
/// What a target remembers its keys for (Yonyou MDD: a month) is the least that a ledger has to know.
const LEDGER_FLOOR: Duration = Duration::from_hours(31 * 24);
/// People need some weeks to mend what was refused.
const LETTERS_FLOOR: Duration = Duration::from_hours(30 * 24);
/// One segment of the journal.
const PAGES_SIZE_FLOOR: u64 = 64 << 20;

/// How long what is kept; `None` is for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Runs in the history, and incidents that ended; the last run of each flow stays.
    pub(crate) runs: Option<Duration>,
    /// Pages as they came; those with something to deliver, and those of flows with open slices, stay.
    pub(crate) pages: Option<Duration>,
    /// The most bytes of pages, of all flows together.
    pub(crate) pages_size: Option<u64>,
    /// Rows of ledgers, where forgetting them doubles nothing.
    pub(crate) ledger: Option<Duration>,
    /// Where that is written.
    pub(super) ledger_span: Option<Span>,
    /// Refused records.
    pub(crate) dead_letters: Option<Duration>,
    /// Who did what.
    pub(crate) audit: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        let (year, month) = (Some(400 * DAY), Some(30 * DAY));
        Self {
            runs: year,
            pages: month,
            pages_size: Some(20 << 30),
            ledger: None,
            ledger_span: None,
            dead_letters: None,
            audit: year,
        }
    }
}

/// A structured log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logs {
    /// Where it is written.
    pub(crate) file: PathBuf,
    /// From which level on.
    pub(crate) level: String,
    /// A file that has grown to this many bytes is put aside.
    pub(crate) size: u64,
    /// How many files that were put aside are kept.
    pub(crate) keep: u32,
}

/// Reads `[retention]`.
pub(super) fn read_retention(table: &DeTable<'_>, span: &Span, findings: &mut Findings) -> Retention {
    let section = Section { title: "[retention]", span, table, keys: RETENTION_KEYS };
    section.close(&[], findings);
    let usual = Retention::default();
    let mut age = |key, usual, floor| age(section, key, usual, floor, findings);
    let runs = age("runs", usual.runs, DAY);
    let pages = age("pages", usual.pages, DAY);
    let ledger = age("ledger", usual.ledger, LEDGER_FLOOR);
    let dead_letters = age("dead_letters", usual.dead_letters, LETTERS_FLOOR);
    let audit = age("audit", usual.audit, DAY);
    let pages_size = match section.get("pages_size") {
        Some(value) if is_never(value) => None,
        Some(_) => size(section, "pages_size", PAGES_SIZE_FLOOR, findings).map_or(usual.pages_size, Some),
        None => usual.pages_size,
    };
    let ledger_span = section.get("ledger").map(Spanned::span);
    Retention { runs, pages, pages_size, ledger, ledger_span, dead_letters, audit }
}

/// Refuses a ledger that forgets what some flow reads again: how far it looks back, on top of what targets remember.
pub(super) fn check_lookback(retention: &Retention, flows: &[FlowConfig], findings: &mut Findings) {
    let (Some(age), Some(span)) = (retention.ledger, &retention.ledger_span) else { return };
    for flow in flows {
        let back = flow.source.lookback.as_ref().map_or(Duration::ZERO, |lookback| lookback.value);
        let floor = LEDGER_FLOOR.saturating_add(back);
        if age < floor {
            let lang = findings.lang;
            let message = fill!(lang, text::BELOW_FLOOR, key = "ledger", floor = write_duration(floor));
            let help = fill!(lang, text::WHY_LOOKBACK_FLOOR, flow = flow.name, lookback = write_duration(back));
            findings.mistake_with(span, message, help);
            return;
        }
    }
}

/// Reads `[logs]`; `None` if there is no file to write.
pub(super) fn read_logs(dir: &Path, table: &DeTable<'_>, span: &Span, findings: &mut Findings) -> Option<Logs> {
    let section = Section { title: "[logs]", span, table, keys: LOGS_KEYS };
    section.close(&[], findings);
    let file = section.required_text("file", "file = \"logs/milkrun.jsonl\"", findings);
    let level = section.text("level", findings);
    if let Some(level) = level.as_ref().filter(|level| !LEVELS.contains(&level.value.as_str())) {
        let message = fill!(findings.lang, text::NO_SUCH_LEVEL, value = level.value);
        let help = super::suggest(findings.lang, &level.value, LEVELS);
        findings.mistake_with(&level.span, message, help);
    }
    let size = size(section, "size", 1 << 20, findings).unwrap_or(64 << 20);
    let keep = section.integer("keep", 1, 1_000, findings).map_or(8, |keep| keep.value);
    let level = level.map_or_else(|| "info".to_owned(), |level| level.value);
    Some(Logs { file: dir.join(file?.value), level, size, keep })
}

fn is_never(value: &Spanned<DeValue<'_>>) -> bool {
    matches!(value.get_ref(), DeValue::String(s) if s == "never")
}

/// A span of time, or nothing for `"never"`; what is usual if it is not there, or wrong, which has been said.
fn age(
    section: Section<'_>,
    key: &'static str,
    usual: Option<Duration>,
    floor: Duration,
    findings: &mut Findings,
) -> Option<Duration> {
    let Some(value) = section.get(key) else { return usual };
    if is_never(value) {
        return None;
    }
    let lang = findings.lang;
    if let DeValue::String(s) = value.get_ref()
        && parse_duration(s).is_none()
    {
        let message = fill!(lang, text::NO_DURATION, key = key, value = s);
        findings.mistake_with(&value.span(), message, lang.say(text::AGE_FORM));
        return usual;
    }
    let Some(At { value: age, span }) = section.duration(key, findings) else { return usual };
    if age < floor {
        let message = fill!(lang, text::BELOW_FLOOR, key = key, floor = write_duration(floor));
        findings.mistakes.push(Diagnostic::new(span, message).help(lang.say(why(key))));
        return usual;
    }
    Some(age)
}

/// Why there is a least age.
fn why(key: &str) -> text::Text {
    match key {
        "ledger" => text::WHY_LEDGER_FLOOR,
        "dead_letters" => text::WHY_LETTERS_FLOOR,
        _ => text::WHY_FLOOR,
    }
}

/// A number of bytes such as `"20GiB"`.
fn size(section: Section<'_>, key: &'static str, floor: u64, findings: &mut Findings) -> Option<u64> {
    let At { value, span } = section.text(key, findings)?;
    let lang = findings.lang;
    let Some(bytes) = parse_size(&value) else {
        let message = fill!(lang, text::NO_SIZE, key = key, value = value);
        findings.mistake_with(&span, message, lang.say(text::SIZE_FORM));
        return None;
    };
    if bytes < floor {
        findings.mistake(&span, fill!(lang, text::BELOW_FLOOR, key = key, floor = write_size(floor)));
        return None;
    }
    Some(bytes)
}

const SIZES: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Reads `20GiB`, `500 MB`: a whole number and a unit.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let (unit, factor) = SIZES.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text[..text.len() - unit.len()].trim_end();
    number.parse::<u64>().ok().filter(|_| number.bytes().all(|b| b.is_ascii_digit()))?.checked_mul(*factor)
}

/// Writes a number of bytes with one digit after the point at most.
pub(crate) fn write_size(bytes: u64) -> String {
    let Some((unit, factor)) = SIZES[..4].iter().rev().find(|(_, factor)| bytes >= *factor) else {
        return format!("{bytes} B");
    };
    let tenths = u128::from(bytes) * 10 / u128::from(*factor);
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if tenth == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes) in
            [("20GiB", 20 << 30), ("64 MiB", 64 << 20), ("500MB", 500_000_000), ("0B", 0), ("7KiB", 7168)]
        {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in ["", "20", "GiB", "-1GiB", "+1GiB", "1.5GiB", "20gib", "99999999999TiB", "1 G"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (20 << 30, "20 GiB")] {
            assert_eq!(write_size(bytes), text);
        }
        assert_eq!(write_size(u64::MAX), "16777215.9 TiB");
    }
}
