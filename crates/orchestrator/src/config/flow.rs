//! `flows/*.toml`: what one flow reads, where it delivers, and how it maps.

use std::sync::Arc;
use std::time::Duration;

use milkrun_engine::timetable::Schedule;
use toml::de::DeTable;

use super::alerts::{self, RuleSettings};
use super::span::{At, Findings, Section, Span, suggest};
use super::tables::TableConfig;
use super::value::Moment;
use super::{SourceFile, schedule};
use crate::text::{self, fill};

pub(super) const FLOW: &[&str] = &["schedule", "include", "source", "sink", "mapping", "tables", "alerts"];
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
    "declare",
];
pub(super) const SINK: &[&str] = &[
    "account",
    "target",
    "batch",
    "concurrency",
    "attempts",
    "journal",
    "changes",
    "plain_keys",
    "ask_first",
    "declare",
];
/// Keys of `[mapping]`, to say where a misplaced one belongs; the mapping itself is checked by its own crate.
const MAPPING: &[&str] = &["fields", "filter", "explode", "keep", "drop", "transform", "checks", "id"];

/// One flow as it is written; names are not looked up yet.
#[derive(Clone, Debug)]
pub(crate) struct FlowConfig {
    /// The file's name without its ending.
    pub(crate) name: String,
    pub(crate) file: Arc<SourceFile>,
    /// When it starts by itself.
    pub(crate) schedule: Option<Schedule>,
    pub(crate) source: SourceConfig,
    pub(crate) sink: SinkConfig,
    /// The tables that its expressions look values up in.
    pub(crate) tables: Vec<TableConfig>,
    /// Whether there is a `[mapping]`; it is compiled once the stream is known.
    pub(crate) has_mapping: bool,
    /// From where on something is wrong with it, where that differs from the installation.
    pub(crate) alerts: RuleSettings,
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
    /// A stream of the account that this flow declares.
    pub(crate) declare: Option<At<toml::Table>>,
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
    /// What is done with a record that was delivered before and has changed since.
    pub(crate) changes: Option<At<Changes>>,
    /// Whether the source's key goes with a delivery as it is.
    pub(crate) plain_keys: Option<At<bool>>,
    /// Whether documents that were never sent are looked up before they are.
    pub(crate) ask_first: Option<At<bool>>,
    /// A target of the account that this flow declares.
    pub(crate) declare: Option<At<toml::Table>>,
}

/// What is done with a record that was delivered before and has changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    /// It is sent as an update.
    Send,
    /// It is left as it was delivered.
    Skip,
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
    root.close(
        &[("[schedule]", schedule::KEYS), ("[source]", SOURCE), ("[sink]", SINK), ("[mapping]", MAPPING)],
        findings,
    );
    let schedule = schedule::read(root, &file.text, findings);
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
    let plain: toml::Table = toml::from_str(&file.text).unwrap_or_default();
    let tables = root
        .table("tables", findings)
        .map(|(table, _)| super::tables::read(table, plain.get("tables").and_then(toml::Value::as_table), findings));
    let declared = |part: &str| plain.get(part)?.get("declare")?.as_table().cloned();
    let source = source.and_then(|(table, span)| read_source(table, &span, declared("source"), findings));
    let sink = sink.and_then(|(table, span)| read_sink(table, &span, declared("sink"), findings));
    let alerts = root.table("alerts", findings);
    let alerts = alerts.map(|(table, span)| alerts::read_rules("[alerts]", alerts::FLOW_RULES, table, &span, findings));
    let (source, sink) = (source?, sink?);
    Some(FlowConfig {
        name: name.to_owned(),
        file: Arc::clone(file),
        schedule,
        source,
        sink,
        tables: tables.unwrap_or_default(),
        has_mapping,
        alerts: alerts.unwrap_or_default(),
    })
}

fn read_source(
    table: &DeTable<'_>,
    span: &Span,
    declared: Option<toml::Table>,
    findings: &mut Findings,
) -> Option<SourceConfig> {
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
        declare: section.table("declare", findings).and_then(|(_, span)| Some(At { value: declared?, span })),
        account: account?,
        stream: stream?,
    };
    Some(config)
}

fn read_sink(
    table: &DeTable<'_>,
    span: &Span,
    declared: Option<toml::Table>,
    findings: &mut Findings,
) -> Option<SinkConfig> {
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
        plain_keys: section.boolean("plain_keys", findings),
        ask_first: section.boolean("ask_first", findings),
        changes: section.text("changes", findings).and_then(|at| changes(&at, findings)),
        declare: section.table("declare", findings).and_then(|(_, span)| Some(At { value: declared?, span })),
        account: account?,
        target: target?,
    };
    Some(config)
}

fn changes(at: &At<String>, findings: &mut Findings) -> Option<At<Changes>> {
    let value = match at.value.as_str() {
        "send" => Changes::Send,
        "skip" => Changes::Skip,
        other => {
            let lang = findings.lang;
            let message = fill!(lang, text::NO_SUCH_CHOICE, key = "changes", value = other);
            findings.mistake_with(&at.span, message, suggest(lang, other, &["send", "skip"]));
            return None;
        }
    };
    Some(At { value, span: at.span.clone() })
}
