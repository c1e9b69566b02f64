//! Reading: one page, and the lines that a page has only a part of.

use std::fmt;
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
struct YonyouSource {
    client: Arc<Client>,
    /// In the order of `specs`.
    streams: Vec<StreamConfig>,
    specs: Vec<StreamSpec>,
}

impl fmt::Debug for YonyouSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "YonyouSource({:?}, {} streams)", self.client, self.streams.len())
    }
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
            return Ok(Page { records: listed.rows, total: listed.total, body, ..Page::default() });
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
            // Records are compared as they came: the lines of one document are all different.
            if !listed.rows.is_empty() && rows.ends_with(&listed.rows) {
                let error = Error::new(ErrorKind::Incoherent, "the same page of a document's lines came twice");
                return Err(error.with("parameter", "pageIndex"));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use milkrun_core::{Slice, Window};

    use crate::fixture::{Asked, Reply, SETTINGS, Stage, ok, stage};

    use super::*;

    /// Orders by id, each with so many lines, as a vendor lists their lines.
    type Orders = BTreeMap<u64, u64>;

    fn number(asked: &Asked, name: &str) -> u64 {
        Record::parse(&*asked.body).unwrap().get(name).unwrap().parse().unwrap()
    }

    /// One page of lines, under the condition on the id if there is one.
    fn lines(orders: &Orders, asked: &Asked) -> Reply {
        let wanted = asked.body.split("\"field\":\"id\",\"op\":\"eq\",\"value1\":\"").nth(1);
        let wanted: Option<u64> = wanted.map(|rest| rest.split('"').next().unwrap().parse().unwrap());
        let rows: Vec<String> = orders
            .iter()
            .filter(|(id, _)| wanted.is_none_or(|wanted| wanted == **id))
            .flat_map(|(id, n)| (1..=*n).map(move |line| (id, n, line)))
            .map(|(id, n, line)| {
                format!(r#"{{"id":"{id}","n":{n},"pubts":"2026-01-05 00:00:0{n}","purchaseOrders_id":{id}{line}}}"#)
            })
            .collect();
        let (page, size) = (number(asked, "pageIndex"), number(asked, "pageSize"));
        let total = rows.len() as u64;
        let shown = rows.into_iter().skip(usize::try_from((page - 1) * size).unwrap());
        let shown: Vec<_> = shown.take(usize::try_from(size).unwrap()).collect();
        let (pages, rows) = (total.div_ceil(size), shown.join(","));
        ok(format!(
            r#"{{"code":"200","data":{{"pageIndex":{page},"pageSize":{size},"recordCount":{total},"pageCount":{pages},"recordList":[{rows}]}}}}"#
        ))
    }

    async fn page(stage: &Stage, name: &str, at: Position, size: u32) -> Result<Page> {
        let source = stage.account.source.clone().unwrap();
        let stream = source.streams().iter().find(|stream| stream.name == name).unwrap().clone();
        let window = stream.window.is_some().then(|| Window {
            from: "2026-01-04T16:00:00Z".parse().unwrap(),
            until: "2026-01-05T16:00:00Z".parse().unwrap(),
        });
        let slice = Slice { window, ..Slice::default() };
        source.read_page(&stage.cx, PageRequest { stream: &stream, slice: &slice, at: &at, size }).await
    }

    /// All documents of a reading: their id and how many lines they have.
    async fn documents(stage: &Stage, size: u32) -> Result<Vec<(u64, usize)>> {
        let mut all = Vec::new();
        for index in 1.. {
            let page = page(stage, "purchase-orders", Position::Page(index), size).await?;
            for record in &page.records {
                assert!(record.place_in(&page.body).is_some(), "the journal has to hold every record");
                let lines = crate::body::elements(record.get("purchaseOrders").unwrap()).unwrap().len();
                all.push((lists::text(record, "id").unwrap().parse().unwrap(), lines));
            }
            assert_eq!(page.total, None, "the vendor counts lines");
            if page.has_next == Some(false) {
                break;
            }
        }
        Ok(all)
    }

    #[tokio::test(start_paused = true)]
    async fn documents_come_whole_and_once_wherever_pages_end() {
        let orders: Orders = [(11, 2), (12, 5), (13, 1), (14, 7), (15, 3), (16, 1)].into();
        for size in 1..=20 {
            let vendor = orders.clone();
            let stage = stage(SETTINGS, move |asked| lines(&vendor, asked));
            let expected: Vec<_> = orders.iter().map(|(id, n)| (*id, usize::try_from(*n).unwrap())).collect();
            assert_eq!(documents(&stage, size).await.unwrap(), expected, "pages of {size} lines");
        }
        let stage = stage(SETTINGS, |asked| lines(&Orders::new(), asked));
        assert_eq!(documents(&stage, 5).await.unwrap(), []);
    }

    /// A document whose lines move while it is read is read again, and one that has gone is left out.
    #[tokio::test(start_paused = true)]
    async fn a_document_that_changes_meanwhile_is_never_half() {
        let n = AtomicUsize::new(0);
        let stage = stage(SETTINGS, move |asked| {
            // The long document grows while its pages are read, once.
            let grown = n.fetch_add(1, Ordering::Relaxed) >= 2;
            let orders = if grown { [(11, 1), (12, 6)] } else { [(11, 1), (12, 5)] };
            lines(&orders.into(), asked)
        });
        let first = page(&stage, "purchase-orders", Position::Page(1), 3).await.unwrap();
        let lines_of = |page: &Page, at: usize| {
            crate::body::elements(page.records[at].get("purchaseOrders").unwrap()).unwrap().len()
        };
        assert_eq!((lines_of(&first, 0), lines_of(&first, 1)), (1, 6));
        let gone = self::stage(SETTINGS, |asked| {
            let whole: Orders = [(11, 1), (12, 5)].into();
            lines(&if asked.body.contains("\"op\":\"eq\"") { Orders::new() } else { whole }, asked)
        });
        assert_eq!(page(&gone, "purchase-orders", Position::Page(1), 3).await.unwrap().records.len(), 1);
        let restless = AtomicUsize::new(0);
        let restless = self::stage(SETTINGS, move |asked| {
            let n = 4 + restless.fetch_add(1, Ordering::Relaxed) as u64 % 3;
            lines(&[(12, n)].into(), asked)
        });
        let error = page(&restless, "purchase-orders", Position::Page(1), 3).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incoherent, "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_by_each_kind_of_stream() {
        let settings = format!(
            "{SETTINGS}[[streams]]\nname = 'old'\npath = '/yonbip/old/list'\n\
             window = {{ axis = 'vouchdate', start = 'open_vouchdate_begin', end = 'open_vouchdate_end', longest_hours = 24 }}"
        );
        let stage = stage(&settings, |_| ok(r#"{"code":"200","data":{"recordList":[],"recordCount":0}}"#));
        for name in ["purchase-orders", "purchase-order-heads", "materials", "warehouses", "old"] {
            page(&stage, name, Position::Page(1), 50).await.unwrap();
        }
        let bodies: Vec<_> = stage.vendor.asked().into_iter().skip(1).map(|asked| asked.body).collect();
        insta::assert_snapshot!(bodies.join("\n"));
    }

    #[tokio::test(start_paused = true)]
    async fn current_stock_comes_at_once_and_numbers_stay_as_written() {
        let body = r#"{"code":200,"data":[{"warehouse":1730475987734784000,"product":"1730491724599552001","currentqty":20.890,"availableqty":1E+2}]}"#;
        let stage = stage(SETTINGS, move |_| ok(body));
        let page = page(&stage, "current-stock", Position::Start, 100).await.unwrap();
        assert_eq!((page.records.len(), page.total), (1, None));
        let (qty, body) = (page.records[0].get("currentqty"), &stage.vendor.asked()[1].body);
        assert_eq!((qty, body.as_str()), (Some("20.890"), "{}"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_vendor_would_quietly_change_is_not_believed() {
        let answers = [
            ("another page", r#""pageIndex":1,"pageCount":3,"recordList":[{"id":1},{"id":2}]"#),
            ("smaller pages", r#""pageIndex":2,"pageSize":1,"pageCount":3,"recordList":[{"id":1}]"#),
            ("no list", r#""pageIndex":2,"recordCount":9"#),
        ];
        let mut lines = Vec::new();
        for (name, data) in answers {
            let stage = stage(SETTINGS, move |_| ok(format!("{{\"code\":\"200\",\"data\":{{{data}}}}}")));
            let error = page(&stage, "purchase-order-heads", Position::Page(2), 2).await.unwrap_err();
            lines.push(format!("{name}: {error:?}"));
        }
        let stage = stage(SETTINGS, |_| panic!("nothing is asked"));
        for (at, size) in [(Position::Page(1), 501), (Position::Skip(0), 10)] {
            let error = page(&stage, "purchase-orders", at, size).await.unwrap_err();
            lines.push(format!("not asked: {error:?}"));
        }
        insta::assert_snapshot!(lines.join("\n"));
    }
}
