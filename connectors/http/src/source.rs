//! Reading: one page.

use std::sync::Arc;

use milkrun_core::connector::{Account, Opening, PageRequest};
use milkrun_core::record::plain_text;
use milkrun_core::stream::TimeForm;
use milkrun_core::{
    Context, Error, ErrorKind, Page, Paging, Position, Record, Result, Rows, SinkKind, Source, StreamSpec, async_trait,
};

use crate::client::Client;
use crate::config::{CheckConfig, HttpConfig};
use crate::endpoint::{Endpoint, Request, Value};
use crate::json::find;
use crate::rules::AnswerConfig;
use crate::sink::HttpSink;
use crate::streams::StreamConfig;

/// Opens an account.
pub(crate) fn open(opening: &Opening) -> Result<Account> {
    let config: HttpConfig = opening.parse()?;
    let at_account = |error: Error| error.with("account", &opening.account);
    config.validate().map_err(at_account)?;
    let client = Arc::new(Client::new(&config).map_err(at_account)?);
    let quota = config.quota().map_err(at_account)?;
    let rules = config.rules();
    let streams: Vec<Stream> = config.streams.iter().map(|stream| Stream::new(stream, &rules)).collect();
    let check = config.check.as_ref().map(CheckConfig::endpoint);
    let sink = (!config.targets.is_empty())
        .then(|| SinkKind::Calls(Arc::new(HttpSink::new(Arc::clone(&client), &config.targets, &rules, check.clone()))));
    let source = HttpSource {
        client: Arc::clone(&client),
        specs: config.streams.iter().map(StreamConfig::spec).collect(),
        streams,
        check,
    };
    let source = (!config.streams.is_empty()).then(|| Arc::new(source) as Arc<dyn Source>);
    let tokens = client.has_token().then(|| Arc::clone(&client) as _);
    Ok(Account { source, sink, protocol: Some(client), tokens, ..Account::new(quota) })
}

/// One vendor, ready to be read.
#[derive(Debug)]
struct HttpSource {
    client: Arc<Client>,
    /// In the order of `specs`.
    streams: Vec<Stream>,
    specs: Vec<StreamSpec>,
    check: Option<Endpoint>,
}

/// One stream with its address and its rules.
#[derive(Debug)]
struct Stream {
    config: StreamConfig,
    endpoint: Endpoint,
    rules: AnswerConfig,
}

/// Proves the credentials by a call of its own, or by getting a token.
pub(crate) async fn check(client: &Client, endpoint: Option<&Endpoint>, cx: &Context) -> Result<()> {
    if let Some(endpoint) = endpoint {
        return cx.call(endpoint.request(&client.base_url)?.call(None)).await.map(drop);
    }
    match cx.transport().and_then(|transport| transport.vault()) {
        Some(vault) => vault.current(cx).await.map(drop),
        None => Ok(()),
    }
}

#[async_trait]
impl Source for HttpSource {
    fn streams(&self) -> &[StreamSpec] {
        &self.specs
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        let whole = |spec: &&StreamSpec| spec.partition.is_none();
        let Some(spec) = self.specs.iter().find(whole).filter(|_| self.check.is_none()) else {
            return check(&self.client, self.check.as_ref(), cx).await;
        };
        let window = spec.window.as_ref().map(|window| {
            let length = jiff::SignedDuration::try_from(window.longest).unwrap_or(jiff::SignedDuration::MAX);
            let length = length.min(jiff::SignedDuration::from_hours(24));
            milkrun_core::Window { from: cx.now() - length, until: cx.now() }
        });
        let slice = milkrun_core::Slice { window, ..Default::default() };
        let ask = PageRequest { stream: spec, slice: &slice, at: &spec.paging.start(), size: spec.page_size.min };
        self.read_page(cx, ask).await.map(drop)
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        self.read(cx, ask).await.map_err(|error| error.with("stream", &ask.stream.name).with("at", ask.at))
    }
}

impl HttpSource {
    async fn read(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let stream = self.streams.iter().find(|stream| stream.config.name == ask.stream.name);
        let stream = stream.ok_or_else(|| Error::config("the account has no such stream"))?;
        let mut request = stream.endpoint.request(&self.client.base_url)?;
        let link = stream.ask_for(&ask, &mut request)?;
        let mut call = request.call(None);
        if let Some(link) = link {
            call.url = link;
        }
        let asked = call.url.clone();
        let body = cx.call(call).await?.body;
        stream.page(&ask, &body, &asked, &self.client.base_url)
    }
}

impl Stream {
    fn new(config: &StreamConfig, base: &AnswerConfig) -> Self {
        Self { config: config.clone(), endpoint: config.endpoint(), rules: config.answer.over(base) }
    }

    /// Sets the parameters of a page; gives the address in place of the usual one, if it is read by its link.
    fn ask_for(&self, ask: &PageRequest<'_>, request: &mut Request<'_>) -> Result<Option<String>> {
        if let Some(window) = &self.config.window {
            match ask.slice.window {
                Some(span) => {
                    if let Some(parameter) = &window.axis_parameter {
                        let axis = ask.slice.axis.clone().unwrap_or_else(|| window.axis.clone());
                        request.set(parameter, &Value::Text(axis))?;
                    }
                    let (from, until) = window.bounds(span)?;
                    request.set(&window.start, &Value::of(&from))?;
                    request.set(&window.end, &Value::of(&until))?;
                }
                None if window.required => {
                    return Err(Error::config("the vendor gives this stream by windows of time only"));
                }
                None => {}
            }
        }
        if let Some(parent) = &self.config.partition {
            let value = ask.slice.partition.as_ref().filter(|value| !value.is_empty());
            let message = "this stream is read for one value of another stream at a time, and there is none";
            let value = value.ok_or_else(|| Error::config(message).with("partition", &parent.stream))?;
            request.set(&parent.parameter, &Value::Text(value.clone()))?;
        }
        if let Some(parameter) = &self.config.paging.size_parameter {
            request.set(parameter, &Value::of(&ask.size.to_string()))?;
        }
        let parameter = self.config.paging.parameter.as_deref().unwrap_or_default();
        match (&ask.stream.paging, ask.at) {
            (Paging::PageNumber { .. }, Position::Page(n)) | (Paging::Offset { .. }, Position::Skip(n)) => {
                request.set(parameter, &Value::of(&n.to_string()))?;
            }
            (Paging::Cursor { .. }, Position::Cursor(json)) => request.set(parameter, &Value::Json(json.clone()))?,
            (Paging::RowVersion { .. }, Position::Version(version)) => request.set(parameter, &Value::of(version))?,
            (Paging::Link, Position::Link(link)) => return Ok(Some(link.clone())),
            (Paging::Cursor { .. } | Paging::Link | Paging::None, Position::Start) => {}
            _ => {
                let error = Error::new(ErrorKind::State, "the saved position is of another kind of paging");
                return Err(error.advise("run once with --restart"));
            }
        }
        Ok(None)
    }

    /// The page that a good answer holds.
    fn page(&self, ask: &PageRequest<'_>, body: &Arc<String>, asked: &str, base_url: &str) -> Result<Page> {
        let total = self.rules.total.as_ref().and_then(|path| find(body, path));
        let total = total.map(|json| {
            let count = plain_text(json).and_then(|text| text.trim().parse::<u64>().ok());
            count.ok_or_else(|| {
                Error::malformed("the total is no count").with("path", self.rules.total.as_deref().unwrap_or(""))
            })
        });
        let total = total.transpose()?;
        let has_next = match self.rules.has_next.as_ref().and_then(|path| find(body, path)) {
            None => None,
            Some("true" | "\"true\"" | "1" | "\"1\"") => Some(true),
            Some("false" | "\"false\"" | "0" | "\"0\"") => Some(false),
            Some(_) => return Err(Error::malformed("what says whether more follows is neither true nor false")),
        };
        let path = self.rules.list.as_deref().unwrap_or_default();
        let records = match find(body, path) {
            Some(json) => {
                let rows: Rows<'_> = serde_json::from_str(json).map_err(|cause| {
                    Error::malformed("the list is no list of objects").with("path", path).caused_by(cause)
                })?;
                rows.into_records(body)
            }
            None if self.config.list_may_be_missing && total.unwrap_or(0) == 0 && has_next != Some(true) => Vec::new(),
            None => return Err(Error::malformed("the answer has no list").with("path", path)),
        };
        let next = match &ask.stream.paging {
            Paging::Cursor { .. } => self.next(body, has_next)?.map(ToOwned::to_owned),
            Paging::Link => match self.next(body, has_next)? {
                Some(json) => Some(link(json, asked, base_url)?),
                None => None,
            },
            Paging::RowVersion { field, .. } => highest(&records, field)?,
            _ => None,
        };
        Ok(Page { records, total, has_next, next, body: Arc::clone(body), ..Page::default() })
    }

    /// What the next page is asked for with, as JSON text; nothing, an empty text and `false` mean that none follows.
    fn next<'b>(&self, body: &'b str, has_next: Option<bool>) -> Result<Option<&'b str>> {
        let path = self.config.paging.next.as_deref().unwrap_or_default();
        let next = find(body, path).filter(|json| !matches!(*json, "\"\"" | "false"));
        match (has_next, next) {
            (Some(false), _) => Ok(None),
            (Some(true), None) => {
                Err(Error::malformed("the answer says that more follows, and not with what to ask for it")
                    .with("path", path))
            }
            (_, next) => Ok(next),
        }
    }
}

/// The highest version of a page.
fn highest(records: &[Record], field: &str) -> Result<Option<String>> {
    let mut highest: Option<String> = None;
    for record in records {
        let value = record.at(field);
        let version = value.as_deref().and_then(plain_text).filter(|text| {
            milkrun_core::stream::read_stamp(text, TimeForm::Version, &jiff::tz::TimeZone::UTC).is_some()
        });
        let version = version.ok_or_else(|| Error::malformed("a record has no row version").with("field", field))?;
        // Digits without leading zeros, or hexadecimal digits of one length: the longer one is the greater one.
        let rank = |text: &str| (text.len(), text.to_ascii_lowercase());
        if highest.as_ref().is_none_or(|known| rank(known) < rank(&version)) {
            highest = Some(version.into_owned());
        }
    }
    Ok(highest)
}

/// The whole address of the next page, which has to be one of the same host: the account's key goes nowhere else.
fn link(json: &str, asked: &str, base_url: &str) -> Result<String> {
    let text = plain_text(json).ok_or_else(|| Error::malformed("the link to the next page is no text"))?;
    let host_end = base_url.find("://").map_or(0, |at| at + 3);
    let host = base_url[host_end..].find('/').map_or(base_url, |at| &base_url[..host_end + at]);
    let rest_of =
        |whole: &str| whole.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    if rest_of(&text) {
        return Ok(text.into_owned());
    }
    if text.starts_with('/') && !text.starts_with("//") {
        return Ok(format!("{host}{text}"));
    }
    if text.starts_with('?') {
        return Ok(format!("{}{text}", asked.split('?').next().unwrap_or(asked)));
    }
    Err(Error::malformed("the link to the next page leads to another host")
        .advise("links are followed below `base_url` only"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_at_the_host() {
        let of =
            |text: &str| link(&format!("\"{text}\""), "https://api.example/v1/orders?a=1", "https://api.example/v1");
        for (text, expected) in [
            ("https://api.example/v1/orders?p=2", "https://api.example/v1/orders?p=2"),
            ("/v1/orders?p=2", "https://api.example/v1/orders?p=2"),
            ("?p=2", "https://api.example/v1/orders?p=2"),
        ] {
            assert_eq!(of(text).unwrap(), expected);
        }
        for text in ["https://api.example.evil/x", "//evil/x", "http://api.example/v1", "https://evil/", "orders", ""] {
            assert_eq!(of(text).unwrap_err().kind(), ErrorKind::Malformed, "{text}");
        }
    }

    #[test]
    fn the_highest_version_is_found_without_reading_it_as_a_number() {
        let of = |versions: &[&str]| {
            let records: Vec<_> = versions.iter().map(|v| Record::parse(format!("{{\"ts\":{v}}}")).unwrap()).collect();
            highest(&records, "ts")
        };
        assert_eq!(of(&["9", "10", "8"]).unwrap().as_deref(), Some("10"));
        assert_eq!(of(&["\"00A9\"", "\"00B1\""]).unwrap().as_deref(), Some("00B1"));
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&["null"]).unwrap_err().kind(), ErrorKind::Malformed);
    }
}
