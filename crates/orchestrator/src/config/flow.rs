//! `flows/*.toml`: what one flow reads, where it delivers, and how it maps.

use std::sync::Arc;
use std::time::Duration;

use toml::de::DeTable;

use super::SourceFile;
use super::span::{At, Findings, Section, Span};
use super::value::{Moment, is_schedule};
use crate::text::{self, fill};

const FLOW: &[&str] = &["schedule", "source", "sink", "mapping"];
pub(super) const SOURCE: &[&str] = &[
    "account",
    "stream",
    "since",
    "until",
    "window",
    "lookback",
    "settle",
    "page_size",
    "concurrency",
    "attempts",
    "proof",
];
pub(super) const SINK: &[&str] = &["account", "target", "batch", "concurrency", "attempts", "journal"];
/// Keys of `[mapping]`, to say where a misplaced one belongs; the mapping itself is checked by its own crate.
const MAPPING: &[&str] = &["fields", "filter", "explode", "keep", "drop"];

/// One flow as it is written; names are not looked up yet.
#[derive(Clone, Debug)]
pub(crate) struct FlowConfig {
    /// The file's name without its ending.
    pub(crate) name: String,
    pub(crate) file: Arc<SourceFile>,
    #[expect(dead_code, reason = "checked here; the scheduler comes with `serve`")]
    pub(crate) schedule: Option<At<String>>,
    pub(crate) source: SourceConfig,
    pub(crate) sink: SinkConfig,
    /// Whether there is a `[mapping]`; it is compiled once the stream is known.
    pub(crate) has_mapping: bool,
}

/// `[source]`.
#[derive(Clone, Debug)]
pub(crate) struct SourceConfig {
    pub(crate) account: At<String>,
    pub(crate) stream: At<String>,
    pub(crate) since: Option<At<Moment>>,
    /// Whether `since` is written, if only wrongly.
    pub(crate) has_since: bool,
    pub(crate) until: Option<At<Moment>>,
    pub(crate) window: Option<At<Duration>>,
    pub(crate) lookback: Option<At<Duration>>,
    pub(crate) settle: Option<At<Duration>>,
    pub(crate) page_size: Option<At<u32>>,
    pub(crate) concurrency: Option<At<u32>>,
    pub(crate) attempts: Option<At<u32>>,
    pub(crate) proof: Option<At<String>>,
}

/// `[sink]`.
#[derive(Clone, Debug)]
pub(crate) struct SinkConfig {
    pub(crate) account: At<String>,
    pub(crate) target: At<String>,
    pub(crate) batch: Option<At<u32>>,
    pub(crate) concurrency: Option<At<u32>>,
    pub(crate) attempts: Option<At<u32>>,
    pub(crate) journal: Option<At<bool>>,
}

/// Reads one flow file; `None` if what is needed to go on is missing or wrong.
pub(super) fn read(
    name: &str,
    file: &Arc<SourceFile>,
    table: &DeTable<'_>,
    findings: &mut Findings,
) -> Option<FlowConfig> {
    let lang = findings.lang;
    let top = 0..0;
    let root = Section { title: lang.say(text::THE_FLOW_FILE), span: &top, table, keys: FLOW };
    root.close(&[("[source]", SOURCE), ("[sink]", SINK), ("[mapping]", MAPPING)], findings);
    let schedule = root.text("schedule", findings);
    if let Some(at) = &schedule
        && !is_schedule(&at.value)
    {
        let message = fill!(lang, text::NO_SCHEDULE, value = at.value);
        findings.mistake_with(&at.span, message, lang.say(text::SCHEDULE_FORM));
    }
    let mut part = |key: &str, example: &str| {
        if root.get(key).is_none() && !root.is_misspelt(key) {
            let message = fill!(lang, text::MISSING_TABLE, key = key);
            findings.mistake_with(&top, message, fill!(lang, text::ADD_LINE, line = example));
        }
        root.table(key, findings)
    };
    let source = part("source", "[source] account = \"…\", stream = \"…\"");
    let sink = part("sink", "[sink] account = \"…\", target = \"…\"");
    let has_mapping = root.get("mapping").is_some() && root.table("mapping", findings).is_some();
    let source = source.and_then(|(table, span)| read_source(table, &span, findings));
    let sink = sink.and_then(|(table, span)| read_sink(table, &span, findings));
    let (source, sink) = (source?, sink?);
    Some(FlowConfig { name: name.to_owned(), file: Arc::clone(file), schedule, source, sink, has_mapping })
}

fn read_source(table: &DeTable<'_>, span: &Span, findings: &mut Findings) -> Option<SourceConfig> {
    let section = Section { title: "[source]", span, table, keys: SOURCE };
    section.close(&[("[sink]", SINK), ("[mapping]", MAPPING), (findings.lang.say(text::TOP_OF_FILE), FLOW)], findings);
    let account = section.required_text("account", "account = \"…\"", findings);
    let stream = section.required_text("stream", "stream = \"…\"", findings);
    let config = SourceConfig {
        since: section.moment("since", findings),
        has_since: section.get("since").is_some() || section.is_misspelt("since"),
        until: section.moment("until", findings),
        window: section.duration("window", findings),
        lookback: section.duration("lookback", findings),
        settle: section.duration("settle", findings),
        page_size: section.integer("page_size", 1, 100_000, findings),
        concurrency: section.integer("concurrency", 1, 64, findings),
        attempts: section.integer("attempts", 1, 100, findings),
        proof: section.text("proof", findings),
        account: account?,
        stream: stream?,
    };
    Some(config)
}

fn read_sink(table: &DeTable<'_>, span: &Span, findings: &mut Findings) -> Option<SinkConfig> {
    let section = Section { title: "[sink]", span, table, keys: SINK };
    section
        .close(&[("[source]", SOURCE), ("[mapping]", MAPPING), (findings.lang.say(text::TOP_OF_FILE), FLOW)], findings);
    let account = section.required_text("account", "account = \"…\"", findings);
    let target = section.required_text("target", "target = \"…\"", findings);
    let config = SinkConfig {
        batch: section.integer("batch", 1, 100_000, findings),
        concurrency: section.integer("concurrency", 1, 64, findings),
        attempts: section.integer("attempts", 1, 100, findings),
        journal: section.boolean("journal", findings),
        account: account?,
        target: target?,
    };
    Some(config)
}
