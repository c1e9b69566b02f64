//! `milkrun preview`: what a flow would deliver, without delivering it.

use std::time::Duration;

use console::Term;
use jiff::{SignedDuration, Timestamp};
use milkrun_core::record::plain_text;
use milkrun_core::stream::{Slice, StreamSpec, Window};
use milkrun_core::{Error, ErrorKind, Key, PageRequest, Record, Result};
use milkrun_engine::Flow;
use milkrun_engine::preview::{Fate, Judged, judge};
use serde_json::{Value, json};

use super::{Here, Outcome};
use crate::cli;
use crate::desk::mapping::fate_name;
use crate::show::{Out, USUAL_WIDTH, pretty, side_by_side};
use crate::text::{self, Text, fill};

/// How many windows, newest first, are looked into for records.
const MOST_WINDOWS: u32 = 31;
/// How many pages are read in search of one record.
const MOST_PAGES: u32 = 50;

pub(super) async fn preview(here: Here<'_>, ask: &cli::Preview) -> Outcome {
    let out = here.out;
    let names = [ask.flow.clone()];
    let mut ready = here.ready(&names, &here.dir()).await?;
    let flows = ready.flows()?;
    let [flow] = flows.as_slice() else {
        return Err(Error::config(fill!(out.lang, text::NO_SUCH_FLOW, name = ask.flow)).into());
    };
    let around = ready.state.surroundings();
    let records = read(out, flow, ask).await?;
    let shown = judge(flow, &around, records).await?;
    out.json(&json!({ "flow": flow.name, "records": shown.iter().map(shown_json).collect::<Vec<_>>() }));
    if shown.is_empty() {
        out.line(out.say(text::NO_RECORDS));
    }
    for one in &shown {
        show(out, flow, one);
    }
    out.line("");
    out.line(out.say(text::NOTHING_WRITTEN));
    Ok(0)
}

/// Reads the records to be shown: the newest ones, or the one with that key or number.
async fn read(out: &Out, flow: &Flow, ask: &cli::Preview) -> Result<Vec<Record>> {
    let wanted = |record: &Record| match &ask.record {
        None => true,
        Some(id) => {
            let number = flow.stream.number.as_ref().and_then(|path| Some(plain_text(&record.at(path)?)?.into_owned()));
            Key::read(record, &flow.stream.key) == Some(Key::of(id)) || number.as_ref() == Some(id)
        }
    };
    let most = if ask.record.is_some() { 1 } else { ask.limit as usize };
    let mut records = Vec::new();
    let mut n_pages = 0;
    for slice in slices(flow).await? {
        let mut at = Some(flow.stream.paging.start());
        while let Some(here) = at {
            let size = flow.options.page_size;
            let request = PageRequest { stream: &flow.stream, slice: &slice, at: &here, size };
            let page = flow.source.read_page(&flow.source_cx, request).await.map_err(|e| e.with("page", &here))?;
            n_pages += 1;
            records.extend(page.records.iter().filter(|record| wanted(record)).cloned());
            if records.len() >= most {
                records.truncate(most);
                return Ok(records);
            }
            if n_pages >= MOST_PAGES {
                break;
            }
            at = flow.stream.paging.next(&here, &page, size)?;
        }
        // Without a search, the newest window that has anything is enough.
        if n_pages >= MOST_PAGES || (ask.record.is_none() && !records.is_empty()) {
            break;
        }
    }
    match &ask.record {
        Some(id) if records.is_empty() => {
            let error =
                Error::new(ErrorKind::NotFound, fill!(out.lang, text::RECORD_NOT_FOUND, id = id, pages = n_pages));
            Err(error.advise(fill!(out.lang, text::RECORD_NOT_FOUND_HELP, id = id)))
        }
        _ => Ok(records),
    }
}

/// Where records may be found, newest first.
async fn slices(flow: &Flow) -> Result<Vec<Slice>> {
    let partition = match &flow.stream.partition {
        None => None,
        Some(partition) => Some(first_value(flow, &partition.stream, &partition.path).await?),
    };
    let Some(window) = &flow.stream.window else { return Ok(vec![Slice { partition, ..Slice::default() }]) };
    let signed = |duration: Duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    let longest = flow.span.window.map_or(window.longest, |own| own.min(window.longest));
    let settled = flow.source_cx.now() - signed(flow.span.settle.unwrap_or(window.settle));
    let until = flow.span.until.map_or(settled, |until| until.min(settled));
    // As the engine plans: a window that is not cut to the step of the times sent would be sent too long.
    let step = i128::try_from(window.granularity.as_nanos()).unwrap_or(1).max(1);
    let mut until = Timestamp::from_nanosecond(until.as_nanosecond().div_euclid(step) * step).unwrap_or(until);
    let mut slices = Vec::new();
    for _ in 0..MOST_WINDOWS {
        let from = flow.span.since.map_or(until - signed(longest), |since| since.max(until - signed(longest)));
        if from >= until {
            break;
        }
        slices.push(Slice { window: Some(Window { from, until }), partition: partition.clone(), ..Slice::default() });
        until = from;
    }
    Ok(slices)
}

/// The first value that a stream's slices are made of.
async fn first_value(flow: &Flow, parent: &str, path: &str) -> Result<String> {
    let none = || Error::config("the stream it depends on has no records").with("stream", parent);
    let spec: &StreamSpec = flow.source.streams().iter().find(|stream| stream.name == parent).ok_or_else(none)?;
    let (slice, at) = (Slice::default(), spec.paging.start());
    let request = PageRequest { stream: spec, slice: &slice, at: &at, size: spec.page_size.usual };
    let page = flow.source.read_page(&flow.source_cx, request).await?;
    let path = path.replace("[*]", "[0]");
    let value = page.records.iter().find_map(|record| Some(plain_text(&record.at(&path)?)?.into_owned()));
    value.ok_or_else(none)
}

fn text(fate: &Fate) -> Text {
    match fate {
        Fate::New => text::FATE_NEW,
        Fate::Changed { .. } => text::FATE_CHANGED,
        Fate::Unchanged => text::FATE_UNCHANGED,
        Fate::Older => text::FATE_OLDER,
        Fate::Filtered => text::FATE_FILTERED,
        Fate::Refused(_) => text::FATE_REFUSED,
    }
}

fn shown_json(shown: &Judged) -> Value {
    let (remote_id, reason) = match &shown.fate {
        Fate::Changed { remote_id } => (remote_id.clone(), None),
        Fate::Refused(reason) => (None, Some(reason.clone())),
        _ => (None, None),
    };
    json!({
        "key": shown.key.as_ref().map(ToString::to_string),
        "outcome": fate_name(&shown.fate),
        "reason": reason,
        "remote_id": remote_id,
        // As text: going through numbers would change them.
        "record": shown.record.text(),
        "documents": shown.documents,
    })
}

fn show(out: &Out, flow: &Flow, shown: &Judged) {
    let key = shown.key.as_ref().map_or_else(|| "—".to_owned(), ToString::to_string);
    let number = flow.stream.number.as_ref().and_then(|path| Some(plain_text(&shown.record.at(path)?)?.into_owned()));
    let number = number.filter(|n| *n != key).map(|n| format!(" ({n})")).unwrap_or_default();
    out.line("");
    out.line(format!("{}{number}  {}", out.bold(&key), out.say(text(&shown.fate))));
    match &shown.fate {
        Fate::Refused(reason) => out.line(format!("  {}", out.retell(reason))),
        Fate::Changed { remote_id: Some(id) } => {
            out.line(fill!(out.lang, text::REMOTE_ID, id = id));
        }
        _ => {}
    }
    let source = titled(out.say(text::SOURCE_RECORD), pretty(shown.record.text()));
    let width = Term::stdout().size_checked().map_or(USUAL_WIDTH, |(_, columns)| usize::from(columns)) - INDENT.len();
    let mut document = Vec::new();
    for text in &shown.documents {
        document.extend(titled(out.say(text::DOCUMENT), pretty(text)));
    }
    for line in side_by_side(&source, &document, width) {
        out.line(format!("{INDENT}{line}"));
    }
}

/// What stands before each line of a record.
const INDENT: &str = "  ";

fn titled(title: &str, mut lines: Vec<String>) -> Vec<String> {
    lines.insert(0, title.to_owned());
    lines
}
