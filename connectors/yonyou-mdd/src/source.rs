//! Reading: one page, and the lines that a page has only a part of.

use std::sync::Arc;

use milkrun_core::connector::{Account, Opening, PageRequest, SinkKind};
use milkrun_core::{Context, Error, ErrorKind, Page, Position, Record, Result, Rows, Source, StreamSpec, async_trait};

use crate::body::list;
use crate::client::Client;
use crate::config::YonyouConfig;
use crate::list::{self as lists, Listed, Query};
use crate::regroup::{self, Group};
use crate::sink::YonyouSink;
use crate::streams::{Op, StreamConfig};

/// Opens an account.
pub(crate) fn open(opening: &Opening) -> Result<Account> {
    let config: YonyouConfig = opening.parse()?;
    config.validate().map_err(|error| error.with("account", &opening.account))?;
    let quota = config.quota();
    let streams = config.all_streams();
    let specs = streams.iter().map(|stream| stream.spec(config.page_size)).collect();
    let targets = config.all_targets();
    let client = Arc::new(Client::new(config));
    let sink = YonyouSink::new(Arc::clone(&client), targets);
    let source = YonyouSource { client: Arc::clone(&client), streams, specs };
    Ok(Account {
        source: Some(Arc::new(source)),
        sink: Some(SinkKind::Calls(Arc::new(sink))),
        protocol: Some(Arc::<Client>::clone(&client)),
        tokens: Some(client),
        ..Account::new(quota)
    })
}

/// One tenant, ready to be read.
#[derive(Debug)]
struct YonyouSource {
    client: Arc<Client>,
    /// In the order of `specs`.
    streams: Vec<StreamConfig>,
    specs: Vec<StreamSpec>,
}

/// Proves that a token is granted and accepted: one row of the first list.
///
/// An application that may not use that very interface has proved as much.
pub(crate) async fn check(client: &Client, cx: &Context) -> Result<()> {
    let stream = &crate::streams::built_in()[0];
    let body = lists::body(stream, &Query { page: Some((1, 1)), ..Query::default() });
    let outcome = match client.post(cx, &stream.path, body).await {
        Ok(call) => cx.call(call).await.and_then(|answer| lists::read(&answer.body, &stream.list)),
        Err(error) => Err(error),
    };
    match outcome {
        Err(error) if error.fact("vendor_code") == Some("310037") => Ok(()),
        outcome => outcome.map(drop),
    }
}

#[async_trait]
impl Source for YonyouSource {
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

impl YonyouSource {
    async fn read(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let stream = self.streams.iter().find(|stream| stream.name == ask.stream.name);
        let stream = stream.ok_or_else(|| Error::config("the account has no such stream"))?;
        let query = query(stream, &ask)?;
        let (listed, body) = self.list(cx, stream, &query).await?;
        let Some((page, size)) = query.page else {
            let total = Some(listed.rows.len() as u64);
            return Ok(Page { records: listed.rows, total, body, ..Page::default() });
        };
        let more = listed.has_next(page, size)?;
        if stream.lines.is_none() {
            let (total, has_next) = (listed.total, Some(more));
            return Ok(Page { records: listed.rows, total, has_next, body, ..Page::default() });
        }
        let mut texts = Vec::new();
        for group in regroup::groups(&listed.rows, &stream.key[0])? {
            let with_id = |error: Error| error.with("id", &group.id);
            if !group.may_have_more(page, more) {
                texts.push(regroup::document(&group.rows, stream).map_err(with_id)?);
            } else if let Some(text) = self.straddling(cx, stream, &group, page, size).await.map_err(with_id)? {
                texts.push(text);
            }
        }
        let (records, body) = assemble(&texts)?;
        // The vendor's total counts lines; of documents it says nothing.
        Ok(Page { records, has_next: Some(more), body, ..Page::default() })
    }

    async fn list(&self, cx: &Context, stream: &StreamConfig, query: &Query) -> Result<(Listed, Arc<String>)> {
        let call = self.client.post(cx, &stream.path, lists::body(stream, query)).await?;
        let answer = cx.call(call).await?;
        Ok((lists::read(&answer.body, &stream.list)?, answer.body))
    }

    /// A document that may have lines on other pages: all its lines are asked for at once, by its id.
    ///
    /// `None` if it belongs to an earlier page, or is gone.
    async fn straddling(
        &self,
        cx: &Context,
        stream: &StreamConfig,
        group: &Group,
        page: u64,
        size: u32,
    ) -> Result<Option<String>> {
        let mut attempts = 0;
        loop {
            let rows = self.lines_of(cx, stream, &group.id, size).await?;
            if rows.is_empty() || !group.begins_here(page, &rows, &regroup::line_id(stream)) {
                return Ok(None);
            }
            attempts += 1;
            match regroup::document(&rows, stream) {
                Err(error) if error.kind() == ErrorKind::Incoherent && attempts < READINGS => {}
                outcome => return outcome.map(Some),
            }
        }
    }

    async fn lines_of(&self, cx: &Context, stream: &StreamConfig, id: &str, size: u32) -> Result<Vec<Record>> {
        let mut rows: Vec<Record> = Vec::new();
        for page in 1.. {
            let conditions = vec![lists::condition(&stream.key[0], Op::Eq, id)];
            let query = Query { page: Some((page, size)), conditions, ..Query::default() };
            let (listed, _) = self.list(cx, stream, &query).await?;
            let more = listed.has_next(page, size)?;
            if listed.rows.iter().any(|row| lists::text(row, &stream.key[0]).as_deref() != Some(id)) {
                let error = Error::new(ErrorKind::Incoherent, "the vendor does not keep to the condition on the id");
                return Err(error.with("field", &stream.key[0]));
            }
            rows.extend(listed.rows);
            if !more {
                break;
            }
        }
        Ok(rows)
    }
}

/// How often the lines of a document that changes meanwhile are read.
const READINGS: u32 = 3;

/// What is asked for one page.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] if the vendor would refuse it, or accept and quietly change it.
fn query(stream: &StreamConfig, ask: &PageRequest<'_>) -> Result<Query> {
    let mut query = Query::default();
    if let (Some(names), Some(spec), Some(window)) = (&stream.window, &ask.stream.window, ask.slice.window) {
        let (from, until) = spec.bounds(window)?;
        if let (Some(start), Some(end)) = (&names.start, &names.end) {
            query.short = vec![(start.clone(), from), (end.clone(), until)];
        } else {
            let axis = ask.slice.axis.as_ref().unwrap_or(&names.axis);
            // `elt` is only guessed at.
            query.conditions = vec![lists::condition(axis, Op::Egt, &from), lists::condition(axis, Op::Lt, &until)];
        }
    }
    query.page = match (ask.at, ask.stream.paging.start()) {
        (Position::Start, Position::Start) => None,
        (Position::Page(page), Position::Page(_)) => {
            let limits = stream.page_size;
            if ask.size < limits.min || limits.max.is_some_and(|max| ask.size > max) {
                return Err(Error::config("the vendor does not give pages of this size").with("page_size", ask.size));
            }
            Some((*page, ask.size))
        }
        _ => {
            let error = Error::new(ErrorKind::State, "the saved position is of another kind of paging");
            return Err(error.advise("run once with --restart"));
        }
    };
    Ok(query)
}

/// Makes a page of documents that were put together: its body is a plain list.
fn assemble(texts: &[String]) -> Result<(Vec<Record>, Arc<String>)> {
    let body = Arc::new(list(texts));
    let rows: Rows<'_> = serde_json::from_str(&body)
        .map_err(|cause| Error::new(ErrorKind::Unexpected, "a document was put together wrongly").caused_by(cause))?;
    Ok((rows.into_records(&body), body))
}
