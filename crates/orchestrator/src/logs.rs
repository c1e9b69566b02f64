//! Logs: lines on standard error, and JSON lines on request: one for each call to a vendor, or one for every event.

mod rotate;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use milkrun_core::{Error, Result};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use rotate::Rotating;

use crate::cli::Global;
use crate::config::Logs;
use crate::figures::{CallFigures, figures};
use crate::show::{LogWriter, Out, Scrubber};

/// The target of the events that tell of calls.
const CALL: &str = "milkrun::call";

/// Starts logging as the command line asks for it.
///
/// Only Milkrun's own events are logged, whatever the level: other crates know nothing of secrets.
///
/// # Errors
/// If a file cannot be opened.
pub(crate) fn start(
    global: &Global,
    logs: Option<&Logs>,
    out: &Out,
    #[cfg(feature = "otel")] telemetry: Option<&crate::telemetry::Telemetry>,
) -> Result<()> {
    let level = match (global.log_level.as_deref(), global.verbose) {
        (Some(level), _) => level.parse().unwrap_or(LevelFilter::WARN),
        (None, 0) => LevelFilter::WARN,
        (None, 1) => LevelFilter::INFO,
        (None, 2) => LevelFilter::DEBUG,
        (None, _) => LevelFilter::TRACE,
    };
    let writer = out.clone();
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(out.err_color)
        .with_writer(move || LogWriter(writer.clone()))
        .with_filter(Targets::new().with_target("milkrun", level));
    let calls = global.log_json.as_deref().map(|path| CallLog::open(path, out.scrubber.clone())).transpose()?;
    let calls = calls.map(|log| log.with_filter(Targets::new().with_target(CALL, LevelFilter::INFO)));
    let every = match logs {
        Some(logs) => {
            let level: LevelFilter = logs.level.parse().unwrap_or(LevelFilter::INFO);
            let log = EventLog::open(logs, out.scrubber.clone())?;
            Some(log.with_filter(Targets::new().with_target("milkrun", level)))
        }
        None => None,
    };
    let counted = CallFigures(figures().clone()).with_filter(Targets::new().with_target(CALL, LevelFilter::INFO));
    let subscriber = tracing_subscriber::registry().with(lines).with(calls).with(every).with(counted);
    #[cfg(feature = "otel")]
    let subscriber = subscriber.with(telemetry.map(crate::telemetry::Telemetry::layer));
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|e| Error::config("logging was started twice").caused_by(e))
}

/// Writes each call as one line of JSON, with the fields of the spans around it.
#[derive(Debug)]
struct CallLog {
    file: Mutex<File>,
    scrubber: Scrubber,
}

impl CallLog {
    fn open(path: &Path, scrubber: Scrubber) -> Result<Self> {
        let file =
            OpenOptions::new().create(true).append(true).open(path).map_err(|e| {
                Error::config("the log file cannot be written").with("file", path.display()).caused_by(e)
            })?;
        Ok(Self { file: Mutex::new(file), scrubber })
    }
}

/// The fields of a span or an event.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

/// Keeps the fields of a span; another log may have done so already.
fn note_span<S: Subscriber + for<'a> LookupSpan<'a>>(attributes: &Attributes<'_>, id: &Id, cx: &Context<'_, S>) {
    let mut fields = Fields::default();
    attributes.record(&mut fields);
    if let Some(span) = cx.span(id) {
        span.extensions_mut().replace(fields);
    }
}

/// Adds to the fields of a span.
fn note_record<S: Subscriber + for<'a> LookupSpan<'a>>(id: &Id, values: &Record<'_>, cx: &Context<'_, S>) {
    if let Some(span) = cx.span(id)
        && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
    {
        values.record(fields);
    }
}

/// The fields of an event, with those of the spans around it, and its time.
fn line_of<S: Subscriber + for<'a> LookupSpan<'a>>(event: &Event<'_>, cx: &Context<'_, S>) -> Fields {
    let mut line = Fields::default();
    line.0.insert("time".to_owned(), Timestamp::now().to_string().into());
    for span in cx.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
        if let Some(fields) = span.extensions().get::<Fields>() {
            line.0.extend(fields.0.clone());
        }
    }
    event.record(&mut line);
    line
}

/// Writes every event as one line of JSON into a file that is put aside when it has grown.
#[derive(Debug)]
struct EventLog {
    file: Mutex<Rotating>,
    scrubber: Scrubber,
}

impl EventLog {
    fn open(logs: &Logs, scrubber: Scrubber) -> Result<Self> {
        let file = Rotating::open(&logs.file, logs.size, logs.keep).map_err(|e| {
            Error::config("the log file cannot be written").with("file", logs.file.display()).caused_by(e)
        })?;
        Ok(Self { file: Mutex::new(file), scrubber })
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for EventLog {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        note_span(attributes, id, &cx);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        note_record(id, values, &cx);
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let metadata: &Metadata<'_> = event.metadata();
        let mut line = line_of(event, &cx);
        line.0.insert("level".to_owned(), metadata.level().as_str().to_lowercase().into());
        line.0.insert("target".to_owned(), metadata.target().into());
        let text = self.scrubber.scrub(Value::Object(line.0).to_string());
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not end a run.
        let _ = file.line(&format!("{text}\n"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for CallLog {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        note_span(attributes, id, &cx);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        note_record(id, values, &cx);
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let metadata: &Metadata<'_> = event.metadata();
        if metadata.target() != CALL || !metadata.is_event() {
            return;
        }
        let mut line = line_of(event, &cx);
        line.0.remove("message");
        let text = self.scrubber.scrub(Value::Object(line.0).to_string());
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // One write for each line, so that two processes can share the file; a full disk must not end a run.
        let _ = file.write_all(format!("{text}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_one_flat_line_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.jsonl");
        let scrubber = Scrubber::default();
        scrubber.hide(&milkrun_core::Secret::new("topsecret"));
        let log = CallLog::open(&path, scrubber).unwrap();
        let log = log.with_filter(Targets::new().with_target(CALL, LevelFilter::INFO));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(log), || {
            let span = tracing::info_span!(target: "milkrun::call", "page", flow = "orders", page = 3);
            let _inside = span.enter();
            let kind: Option<&str> = None;
            tracing::info!(target: "milkrun::call", endpoint = "a topsecret b", status = 200_u16, kind, "call");
            tracing::info!("something else");
        });
        let text = std::fs::read_to_string(path).unwrap();
        let line: Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["flow"], "orders");
        assert_eq!(line["page"], 3);
        assert_eq!(line["status"], 200);
        assert_eq!(line["endpoint"], "a *** b");
        assert_eq!(line.get("kind"), None);
        assert_eq!(line.get("message"), None);
    }

    #[test]
    fn every_event_is_a_line_with_its_level_and_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/milkrun.jsonl");
        let scrubber = Scrubber::default();
        scrubber.hide(&milkrun_core::Secret::new("topsecret"));
        let logs = Logs { file: path.clone(), level: "debug".into(), size: 1 << 20, keep: 1 };
        let log = EventLog::open(&logs, scrubber.clone()).unwrap();
        let log = log.with_filter(Targets::new().with_target("milkrun", LevelFilter::DEBUG));
        let calls = CallLog::open(&folder.path().join("calls.jsonl"), scrubber).unwrap();
        let calls = calls.with_filter(Targets::new().with_target(CALL, LevelFilter::INFO));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(calls).with(log), || {
            let _inside = tracing::info_span!(target: "milkrun::call", "page", flow = "orders").entered();
            tracing::warn!(target: "milkrun::engine", key = "topsecret", "a topsecret \"quote\"\n");
            tracing::trace!(target: "milkrun::engine", "too fine");
            tracing::info!(target: "other", "another crate's");
            tracing::info!(target: "milkrun::call", status = 200_u16, "call");
        });
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        let (told, call) = (&lines[0], &lines[1]);
        assert_eq!(
            (&told["level"], &told["target"], &told["flow"]),
            (&"warn".into(), &"milkrun::engine".into(), &"orders".into())
        );
        assert_eq!((&told["message"], &told["key"]), (&"a *** \"quote\"\n".into(), &"***".into()));
        assert_eq!((&call["status"], &call["message"]), (&200.into(), &"call".into()));
    }
}
