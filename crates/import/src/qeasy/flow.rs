//! The flow file: what was understood of both sides, written as a person would write it.

use std::fmt::Write as _;

use super::rule::{self, Rule};
use super::source::Request;
use super::when::{self, Bound, Written};
use crate::toml;

/// Which connector speaks to the system that an `api` belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    ChanjetTplus,
    Jushuitan,
    Kuaimai,
    Yonyou,
    /// `写入空操作`.
    Noop,
    Http,
}

impl Platform {
    /// By the form of the path or method.
    pub(crate) fn of(api: &str) -> Self {
        // A method's name: words joined by dots, the last of which says that it reads.
        let words: Vec<&str> = if api.contains('/') { Vec::new() } else { api.split('.').collect() };
        let reads = words.len() > 1 && matches!(words.last(), Some(&("query" | "get")));
        match api {
            "写入空操作" => Self::Noop,
            _ if api.starts_with("/tplus/api/") => Self::ChanjetTplus,
            _ if api.starts_with("/yonbip/") => Self::Yonyou,
            _ if api.starts_with("/open/") => Self::Jushuitan,
            _ if reads => Self::Kuaimai,
            _ => Self::Http,
        }
    }

    /// The connector's name.
    pub(crate) fn connector(self) -> &'static str {
        match self {
            Self::ChanjetTplus => "chanjet-tplus",
            Self::Jushuitan => "jushuitan",
            Self::Kuaimai => "kuaimai",
            Self::Yonyou => "yonyou-mdd",
            Self::Noop => "qeasy",
            Self::Http => "http",
        }
    }

    /// The name that an account is given, unless the user names one.
    pub(crate) fn account(self) -> &'static str {
        match self {
            Self::ChanjetTplus => "tplus",
            Self::Jushuitan => "jst",
            Self::Kuaimai => "km",
            Self::Yonyou => "yy",
            Self::Noop => "noop",
            Self::Http => "api",
        }
    }
}

/// A name of a stream or target, made of an `api`.
pub(crate) fn name_of(api: &str, otherwise: &str) -> String {
    let api = api.trim_start_matches("/tplus/api/v2/").trim_start_matches("/yonbip/").trim_start_matches("/open/");
    let mut name = String::new();
    let mut last_lower = false;
    for c in api.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && last_lower {
                name.push('-');
            }
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
        last_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let name = name.trim_end_matches('-').to_owned();
    if name.is_empty() { otherwise.to_owned() } else { name }
}

/// What the source side becomes.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) account: String,
    pub(crate) request: Request,
    pub(crate) key: Vec<String>,
    pub(crate) number: Option<String>,
    pub(crate) since: String,
}

/// What the target side becomes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sink {
    pub(crate) account: String,
    pub(crate) target: String,
    /// The lines of `[sink.declare]`, if the target has to be declared.
    pub(crate) declare: Vec<(String, String)>,
    /// Documents per call.
    pub(crate) batch: Option<u32>,
    /// Whether records that were delivered and have changed are left alone.
    pub(crate) skip_changes: bool,
}

/// What the mapping becomes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mapping {
    pub(crate) filter: Option<String>,
    pub(crate) explode: Option<String>,
    pub(crate) fields: Vec<(String, Rule)>,
}

/// Writes the whole file.
pub(crate) fn write(head: &str, schedule: Option<&str>, source: &Source, sink: &Sink, mapping: &Mapping) -> String {
    let mut out = String::new();
    for line in head.lines() {
        let _ = writeln!(out, "# {line}");
    }
    if let Some(schedule) = schedule {
        let _ = writeln!(out, "\nschedule = {}", toml::text(schedule));
    }
    write_source(source, &mut out);
    write_sink(sink, &mut out);
    if mapping.filter.is_some() || mapping.explode.is_some() {
        out.push_str("\n[mapping]\n");
        if let Some(explode) = &mapping.explode {
            let _ = writeln!(out, "explode = {}", toml::text(explode));
        }
        if let Some(filter) = &mapping.filter {
            let _ = writeln!(out, "filter = {filter}");
        }
    }
    if !mapping.fields.is_empty() {
        rule::write(&mapping.fields, &mut out);
    }
    out
}

fn write_source(source: &Source, out: &mut String) {
    let request = &source.request;
    let platform = Platform::of(&request.api);
    let name = name_of(&request.api, "records");
    let _ = writeln!(out, "\n[source]\naccount = {}\nstream = {}", toml::text(&source.account), toml::text(&name));
    if request.start.is_some() {
        let _ = writeln!(out, "since = {}", toml::text(&source.since));
    }
    if let Some((_, Bound { back: back @ 1.., .. })) = &request.start {
        let _ = writeln!(out, "lookback = {}", toml::text(&when::span(*back)));
    }
    out.push_str("\n[source.declare]\n");
    let mut line = |key: &str, value: String| {
        let _ = writeln!(out, "{key} = {value}");
    };
    let size = |usual: u32, max: Option<u32>| {
        let usual = request.page_size.unwrap_or(usual);
        let usual = max.map_or(usual, |max| usual.min(max));
        let max = max.map(|max| format!(", max = {max}")).unwrap_or_default();
        format!("{{ min = 1, usual = {usual}{max} }}")
    };
    match platform {
        Platform::ChanjetTplus => {
            line("endpoint", toml::text(request.api.trim_start_matches("/tplus/api/v2/")));
            if let Some(wrapper) = request.wrapper.as_ref().filter(|wrapper| *wrapper != "param") {
                line("wrapper", toml::text(wrapper));
            }
            if let Some((_, select)) = request.fixed.iter().find(|(name, _)| name == "SelectFields") {
                let fields: Vec<_> = select.split(',').map(str::trim).filter(|field| !field.is_empty()).collect();
                line("select", toml::texts(&fields));
            }
            line("page_size", size(500, Some(1000)));
        }
        Platform::Kuaimai => {
            line("method", toml::text(&request.api));
            line("page_size", size(100, Some(200)));
        }
        Platform::Jushuitan => {
            line("path", toml::text(&request.api));
            line("page_size", size(50, Some(50)));
        }
        Platform::Yonyou => {
            line("path", toml::text(&request.api));
            line("page_size", size(100, Some(500)));
        }
        Platform::Noop | Platform::Http => {
            line("path", toml::text(&path_of(&request.api)));
            line("verb", toml::text(if request.verb == "get" { "get" } else { "post" }));
            line("numbers_as_text", "true".to_owned());
            line("page_size", size(100, None));
        }
    }
    line("key", toml::texts(&source.key));
    if let Some(number) = &source.number {
        line("number", toml::text(number));
    }
    let fixed: Vec<(String, String)> = request
        .fixed
        .iter()
        .filter(|(name, _)| platform != Platform::ChanjetTplus || name != "SelectFields")
        .map(|(name, value)| (wrapped(platform, request, name), toml::text(value)))
        .collect();
    if !fixed.is_empty() {
        let key = match platform {
            Platform::ChanjetTplus => "filter",
            Platform::Http | Platform::Noop if request.verb == "get" => "query",
            Platform::Http | Platform::Noop => "body",
            _ => "params",
        };
        line(key, toml::inline(&fixed));
    }
    if platform == Platform::Http {
        write_answer(request, out);
    }
    write_window(platform, request, out);
}

/// The path in the body that a parameter has.
fn wrapped(platform: Platform, request: &Request, name: &str) -> String {
    match &request.wrapper {
        Some(wrapper) if platform == Platform::Http => format!("{wrapper}.{name}"),
        _ => name.to_owned(),
    }
}

fn path_of(api: &str) -> String {
    if api.starts_with('/') { api.to_owned() } else { format!("/{api}") }
}

fn write_answer(request: &Request, out: &mut String) {
    let mut answer = vec![("list".to_owned(), toml::text(request.list.as_deref().unwrap_or("")))];
    if let Some((key, good)) = &request.success {
        answer.push(("success".to_owned(), toml::text(key)));
        answer.push(("success_values".to_owned(), toml::texts(&[good])));
    }
    let _ = writeln!(out, "answer = {}", toml::inline(&answer));
    let name = |name: &str| toml::text(&wrapped(Platform::Http, request, name));
    let mut paging = Vec::new();
    match (&request.page, &request.skip) {
        (Some((parameter, first)), _) => {
            paging.push(("kind", toml::text("page-number")));
            paging.push(("parameter", name(parameter)));
            paging.push(("first", first.to_string()));
        }
        (None, Some(parameter)) => {
            paging.push(("kind", toml::text("offset")));
            paging.push(("parameter", name(parameter)));
        }
        (None, None) => paging.push(("kind", toml::text("none"))),
    }
    if request.page.is_some() || request.skip.is_some() {
        if let Some(size) = &request.size {
            paging.push(("size_parameter", name(size)));
        }
        // The platform asks until a page is empty.
        paging.push(("end", toml::text("empty-page")));
    }
    let paging: Vec<_> = paging.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let _ = writeln!(out, "paging = {}", toml::inline(&paging));
}

/// The upper end's parameter, where only the lower one was sent.
pub(crate) fn end_of(start: &str) -> Option<String> {
    let pairs =
        [("Begin", "End"), ("begin", "end"), ("Start", "End"), ("start", "end"), ("From", "To"), ("from", "to")];
    pairs.iter().find(|(from, _)| start.contains(from)).map(|(from, to)| start.replacen(from, to, 1))
}

fn write_window(platform: Platform, request: &Request, out: &mut String) {
    let Some((start, bound)) = &request.start else { return };
    let Some(end) = request.end.as_ref().map(|(end, _)| end.clone()).or_else(|| end_of(start)) else { return };
    let name = |name: &str| toml::text(&wrapped(platform, request, name));
    out.push_str("\n[source.declare.window]\n");
    let mut line = |key: &str, value: String| {
        let _ = writeln!(out, "{key} = {value}");
    };
    line("axis", toml::text(start));
    line(if platform == Platform::Jushuitan { "begin" } else { "start" }, name(start));
    line("end", name(&end));
    let form = bound.form;
    match platform {
        Platform::Http | Platform::Noop => {
            line("form", toml::text(form.name()));
            line("zone", toml::text("Asia/Shanghai"));
        }
        Platform::Kuaimai if form == Written::EpochMs => line("form", toml::text("epoch-ms")),
        Platform::ChanjetTplus if form == Written::Date => line("form", toml::text("date")),
        _ => {}
    }
    let longest = match platform {
        Platform::ChanjetTplus => 720,
        Platform::Jushuitan => 168,
        _ => 24,
    };
    line("longest_hours", longest.to_string());
    if let Some((every, reach)) = request.late
        && platform != Platform::Jushuitan
    {
        let late = format!("[{{ axis = {}, every_hours = {every}, reach_hours = {reach} }}]", toml::text(start));
        line("late", late);
    }
}

fn write_sink(sink: &Sink, out: &mut String) {
    let _ = writeln!(out, "\n[sink]\naccount = {}\ntarget = {}", toml::text(&sink.account), toml::text(&sink.target));
    if let Some(batch) = sink.batch {
        let _ = writeln!(out, "batch = {batch}");
    }
    if sink.skip_changes {
        out.push_str("changes = \"skip\"\n");
    }
    if !sink.declare.is_empty() {
        out.push_str("\n[sink.declare]\n");
        for (key, value) in &sink.declare {
            let _ = writeln!(out, "{key} = {value}");
        }
    }
}
