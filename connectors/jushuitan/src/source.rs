//! Reading: one page, by row version, by a window of time, or whole.

use std::sync::Arc;

use milkrun_core::connector::{Account, Opening, PageRequest, SinkKind};
use milkrun_core::record::plain_text;
use milkrun_core::{Context, Error, ErrorKind, Page, Position, Record, Result, Rows, Source, StreamSpec, async_trait};

use crate::biz::{self, Biz};
use crate::client::Client;
use crate::config::{Api, JushuitanConfig};
use crate::sink::JushuitanSink;
use crate::streams::Stream;

/// The method of [`Source::check`], which both APIs have: a short answer that needs the token.
const CHECK: &str = "/open/shops/query";

/// Opens an account.
pub(crate) fn open(opening: &Opening) -> Result<Account> {
    let config: JushuitanConfig = opening.parse()?;
    config.validate().map_err(|error| error.with("account", &opening.account))?;
    let (api, quota) = (config.api, config.quota());
    let (streams, targets) = (config.all_streams(), config.all_targets());
    let specs = streams.iter().map(|stream| stream.spec(api, config.page_size)).collect();
    let client = Arc::new(Client::new(config));
    let sink = JushuitanSink::new(Arc::clone(&client), targets);
    let source = JushuitanSource { client: Arc::clone(&client), streams, specs };
    let is_new = api == Api::New;
    Ok(Account {
        source: Some(Arc::new(source)),
        sink: is_new.then(|| SinkKind::Calls(Arc::new(sink))),
        protocol: Some(Arc::<Client>::clone(&client)),
        tokens: Some(Arc::<Client>::clone(&client)),
        login: if is_new { Some(client) } else { None },
        ..Account::new(quota)
    })
}

/// Proves the credentials.
pub(crate) async fn check(client: &Client, cx: &Context) -> Result<()> {
    let biz = Biz::default().json("page_index", "1").json("page_size", "1").build();
    let lists = ["datas".to_owned(), "shops".to_owned()];
    client.list(cx, client.call(CHECK, biz), &lists).await.map(drop)
}

/// One Jushuitan company, ready to be read.
#[derive(Debug)]
struct JushuitanSource {
    client: Arc<Client>,
    /// In the order of `specs`.
    streams: Vec<Stream>,
    specs: Vec<StreamSpec>,
}

#[async_trait]
impl Source for JushuitanSource {
    fn streams(&self) -> &[StreamSpec] {
        &self.specs
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        check(&self.client, cx).await
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        self.read(cx, ask).await.map_err(|error| error.with("stream", &ask.stream.name).with("page", ask.at))
    }
}

impl JushuitanSource {
    async fn read(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let stream = self.streams.iter().find(|stream| stream.name == ask.stream.name);
        let stream = stream.ok_or_else(|| Error::config("the account has no such stream"))?;
        let call = self.client.call(&stream.method.path, parameters(stream, &ask)?);
        let (list, body) = self.client.list(cx, call, &stream.method.lists).await?;
        let next = match ask.at {
            Position::Version(from) => highest_version(stream, &list.records, from)?,
            _ => None,
        };
        let (records, body) = match (&stream.method.partition_into, &ask.slice.partition) {
            (Some(field), Some(value)) => with_partition(&list.records, field, value)?,
            _ => (list.records, body),
        };
        // By row version, a total would be of what is still to come, not of the whole.
        let total = list.total.filter(|_| !stream.by_version);
        Ok(Page { records, total, has_next: list.has_next, next, body, ..Page::default() })
    }
}

/// The business parameters of a call for one page, as JSON text.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] if the vendor would refuse them, or accept and quietly change them;
/// [`ErrorKind::State`] for a position of another kind of paging.
fn parameters(stream: &Stream, ask: &PageRequest<'_>) -> Result<String> {
    let method = &stream.method;
    let mut biz = Biz::default();
    let cursor = method.cursor.as_ref().filter(|_| stream.by_version);
    if cursor.is_none_or(|cursor| !cursor.paging_only) {
        method.params.iter().for_each(|(name, param)| {
            biz.param(name, param);
        });
    }
    if let Some(parent) = &method.partition {
        let value = ask.slice.partition.as_ref().filter(|value| !value.is_empty());
        let message = "this stream is read for one value of another stream at a time, and there is none";
        let none = || Error::config(message).with("partition", format!("{}.{}", parent.stream, parent.path));
        biz.json(&parent.parameter, biz::number_or_text(value.ok_or_else(none)?));
    }
    match (cursor, ask.at) {
        (Some(cursor), Position::Version(from)) if biz::is_whole_number(from) => {
            biz.json(&cursor.parameter, from.as_str());
            if !cursor.paging_only {
                biz.json("is_get_total", "false");
            }
            biz.json("page_index", "1");
        }
        (None, Position::Page(number)) => {
            window(stream, ask, &mut biz)?;
            biz.json("page_index", number.to_string());
        }
        _ => {
            let error = Error::new(ErrorKind::State, "the saved position is of another kind of paging");
            return Err(error.advise("run once with --restart"));
        }
    }
    let limits = method.page_size;
    if ask.size < limits.min || limits.max.is_some_and(|max| ask.size > max) {
        let error = Error::config("the vendor does not give pages of this size").with("page_size", ask.size);
        return Err(error.with("min", limits.min).with("max", limits.max.unwrap_or(u32::MAX)));
    }
    Ok(biz.json("page_size", ask.size.to_string()).build())
}

/// Adds the window: both ends or none.
fn window(stream: &Stream, ask: &PageRequest<'_>, biz: &mut Biz) -> Result<()> {
    match (&stream.method.window, &ask.stream.window, ask.slice.window) {
        (Some(names), Some(spec), Some(window)) => {
            let (from, until) = spec.bounds(window)?;
            biz.text(&names.begin, &from).text(&names.end, &until);
            if let Some(date_type) = names.date_type {
                biz.json("date_type", date_type.to_string());
            }
            Ok(())
        }
        (Some(names), _, _) if names.required => {
            Err(Error::config("the vendor gives this stream by windows of time only"))
        }
        _ => Ok(()),
    }
}

/// The highest version of a page that was asked for from `from` on; `None` for a page without records.
///
/// # Errors
/// [`ErrorKind::Malformed`] if a record has none; [`ErrorKind::Incoherent`] if one is below `from`, so that the vendor
/// did not heed it.
fn highest_version(stream: &Stream, records: &[Record], from: &str) -> Result<Option<String>> {
    let field = stream.method.cursor.as_ref().map_or("", |cursor| &cursor.field);
    let mut highest: Option<String> = None;
    for record in records {
        let version = record.get(field).and_then(plain_text).map(|text| text.trim().to_owned());
        let version = version.filter(|text| biz::is_whole_number(text));
        let version = version.ok_or_else(|| Error::malformed("a record has no row version").with("field", field))?;
        if is_below(&version, from) {
            let error = Error::new(ErrorKind::Incoherent, "a record is older than the row version that was asked for");
            return Err(error.with("version", version).with("from", from));
        }
        if highest.as_ref().is_none_or(|highest| is_below(highest, &version)) {
            highest = Some(version);
        }
    }
    Ok(highest)
}

/// Whether one whole number is less than another, of any length.
fn is_below(one: &str, other: &str) -> bool {
    (one.len(), one) < (other.len(), other)
}

/// The records with the partition's value as a further field, in a page of their own: a plain list.
fn with_partition(records: &[Record], field: &str, value: &str) -> Result<(Vec<Record>, Arc<String>)> {
    let value = biz::number_or_text(value);
    let with = |record: &Record| {
        let others = record.fields().filter(|(name, _)| *name != field);
        biz::object(others.chain([(field, value.as_str())]))
    };
    let body = Arc::new(biz::list(records.iter().map(with)));
    let rows: Rows<'_> = serde_json::from_str(&body)
        .map_err(|cause| Error::new(ErrorKind::Unexpected, "a record was put together wrongly").caused_by(cause))?;
    Ok((rows.into_records(&body), body))
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
