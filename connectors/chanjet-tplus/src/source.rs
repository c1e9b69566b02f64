//! Reading: one page, and the second calls that give whole documents.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use milkrun_core::connector::{Account, Opening, PageRequest};
use milkrun_core::record::plain_text;
use milkrun_core::{
    Context, Error, Login, Page, PushReceiver, Record, Result, SinkKind, Source, StreamSpec, async_trait,
};

use crate::client::Client;
use crate::config::{ChanjetTplusConfig, Edition, Grant};
use crate::envelope;
use crate::filter::quoted;
use crate::push::Receiver;
use crate::query::{self, assemble, with_field, with_key, without_total};
use crate::sink::TplusSink;
use crate::streams::{Detail, StreamConfig, Style};

/// The cheapest call that needs the token: one warehouse.
const CHECK: (&str, &str) = ("warehouse/Query", r#"{"param":{"PageIndex":1,"PageSize":1,"SelectFields":"ID,Code"}}"#);

/// Opens an account.
pub(crate) fn open(opening: &Opening) -> Result<Account> {
    let config: ChanjetTplusConfig = opening.parse()?;
    let with_account = |error: Error| error.with("account", &opening.account);
    config.validate().map_err(with_account)?;
    let quota = config.quota();
    let streams = config.all_streams();
    let specs = streams.iter().map(|stream| stream.spec(config.page_size)).collect();
    let targets = config.all_targets();
    let (concurrency, prefix) = (config.concurrency as usize, config.external_code_prefix.clone());
    let has_login = config.edition == Edition::Cloud && config.grant != Grant::SelfBuilt;
    let pushes = config.message_secret.clone();
    let client = Arc::new(Client::new(config).map_err(with_account)?);
    let source = TplusSource { client: Arc::clone(&client), streams, specs, concurrency };
    let sink = TplusSink::new(Arc::clone(&client), targets, prefix);
    Ok(Account {
        source: Some(Arc::new(source)),
        sink: Some(SinkKind::Calls(Arc::new(sink))),
        protocol: Some(Arc::<Client>::clone(&client)),
        login: has_login.then(|| Arc::<Client>::clone(&client) as Arc<dyn Login>),
        pushes: pushes.map(|secret| Arc::new(Receiver::new(secret)) as Arc<dyn PushReceiver>),
        tokens: Some(client),
        ..Account::new(quota)
    })
}

/// One organisation, ready to be read.
#[derive(Debug)]
struct TplusSource {
    client: Arc<Client>,
    /// In the order of `specs`.
    streams: Vec<StreamConfig>,
    specs: Vec<StreamSpec>,
    concurrency: usize,
}

/// Proves the credentials.
pub(crate) async fn check(client: &Client, cx: &Context) -> Result<()> {
    let (endpoint, body) = CHECK;
    let answer = cx.call(client.call(endpoint, body.to_owned())).await?;
    envelope::list(&answer.body).map(drop)
}

#[async_trait]
impl Source for TplusSource {
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

impl TplusSource {
    async fn read(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let stream = self.streams.iter().find(|stream| stream.name == ask.stream.name);
        let stream = stream.ok_or_else(|| Error::config("the account has no such stream"))?;
        let (body, number) = query::body(stream, &ask)?;
        let answer = cx.call(self.client.call(&stream.endpoint, body)).await?;
        let (records, total, has_next, body) = match stream.style {
            Style::Query => {
                let list = envelope::list(&answer.body)?;
                // The pages before are believed to have been full; if they were not, the rows do not add up to the total,
                // and the engine sees that.
                let seen = (number - 1).saturating_mul(ask.size.into()).saturating_add(list.records.len() as u64);
                let has_next = list.total.map(|total| seen < total && !list.records.is_empty());
                let (records, body) = without_total(list.records, list.body)?;
                (records, list.total, has_next, body)
            }
            Style::VoucherList => {
                let table = envelope::table(&answer.body, &stream.select)?;
                let (records, body) = assemble(&table.rows)?;
                let has_next = table.n_pages.map(|n_pages| number < n_pages && !records.is_empty());
                (records, table.total, has_next, body)
            }
        };
        let (records, body) = self.complete(cx, stream, records, body).await?;
        Ok(Page { records, total, has_next, body, ..Page::default() })
    }

    /// The records with the fields that second calls and made keys give them.
    async fn complete(
        &self,
        cx: &Context,
        stream: &StreamConfig,
        records: Vec<Record>,
        body: Arc<String>,
    ) -> Result<(Vec<Record>, Arc<String>)> {
        let (records, body) = match &stream.make_key {
            Some(made) => assemble(&records.iter().map(|record| with_key(record, made)).collect::<Result<Vec<_>>>()?)?,
            None => (records, body),
        };
        let Some(detail) = &stream.detail else { return Ok((records, body)) };
        let wanted: Vec<_> = records.iter().map(|record| self.with_detail(cx, detail, record)).collect();
        assemble(&stream::iter(wanted).buffered(self.concurrency).try_collect::<Vec<_>>().await?)
    }

    /// The record with the whole document as its field `detail`. The id goes as it came, text or number.
    async fn with_detail(&self, cx: &Context, detail: &Detail, record: &Record) -> Result<String> {
        let json = record.at(&detail.from).unwrap_or_default();
        let id = plain_text(&json).filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::malformed("a row has no id to ask for its document with").with("field", &detail.from)
        })?;
        let body = format!("{{\"param\":{{{}:{json}}}}}", quoted(&detail.parameter));
        let with_id = |error: Error| error.with("id", &id);
        let answer = cx.call(self.client.call(&detail.endpoint, body)).await.map_err(with_id)?;
        let document = envelope::document(&answer.body).map_err(with_id)?;
        Ok(with_field(record, "detail", &document))
    }
}

#[cfg(test)]
mod tests {
    use milkrun_core::{ErrorKind, Key, Slice};
    use milkrun_testkit::http::{Reply, Request};

    use super::*;
    use crate::fixture::Stage;

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../tests/fixtures/", $name, ".json"))
        };
    }

    const TOKEN: &str = "access_token = 'live'";

    async fn read(
        stream: &str,
        at: u64,
        size: u32,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Page {
        let stage = Stage::start(TOKEN, answer).await;
        stage.page(stream, &slice(), at, size).await.unwrap()
    }

    fn slice() -> Slice {
        Slice { partition: Some("01".to_owned()), ..Slice::default() }
    }

    fn keys(stream: &str, page: &Page) -> Vec<String> {
        let stream = crate::streams::built_in().into_iter().find(|config| config.name == stream).unwrap();
        let key = |record: &Record| {
            assert!(record.place_in(&page.body).is_some(), "the journal has to hold every record");
            Key::read(record, &stream.key).unwrap().to_string()
        };
        page.records.iter().map(key).collect()
    }

    #[tokio::test]
    async fn values_stay_as_they_were_written() {
        let body = fixture!("inventory-exact-values");
        let page = read("inventory", 1, 500, move |_| Reply::json(body)).await;
        assert_eq!((page.body.as_str(), page.total, page.has_next), (body, None, None));
        assert_eq!(keys("inventory", &page), ["10482", "1999234567890123456"]);
        for record in &page.records {
            assert!(body.contains(record.text()));
        }
        let raw = |i: usize, path: &str| page.records[i].at(path).unwrap().into_owned();
        for (path, first, second) in [
            ("ID", "\"10482\"", "1999234567890123456"),
            ("Disabled", "\"False\"", "true"),
            ("Ts", "\"000000000A3F51C2\"", "171921872"),
            ("Expired", "null", "\"12.0000\""),
            ("Unit.Code", "\"01\"", "\"02\""),
        ] {
            assert_eq!((raw(0, path).as_str(), raw(1, path).as_str()), (first, second), "{path}");
        }
    }

    #[tokio::test]
    async fn a_list_as_json_text_is_a_list() {
        let page = read("warehouses", 1, 500, |_| Reply::json(fixture!("warehouse-result-as-json-text"))).await;
        assert_eq!(keys("warehouses", &page), ["1", "2"]);
        assert_eq!(page.records[0].get("Name"), Some("\"\\u6210\\u54c1\\u4ed3\""));
        assert!(page.body.starts_with("[{\"ID\":1,"), "{}", page.body);
    }

    #[tokio::test]
    async fn stock_gets_a_key_and_its_total() {
        let stream = "current-stock-by-warehouse";
        let page = read(stream, 1, 500, |_| Reply::json(fixture!("current-stock-total-in-each-row"))).await;
        assert_eq!((page.total, page.has_next), (Some(2), Some(false)));
        assert_eq!(keys(stream, &page), ["01|0101-0007|B2601|freeitem0|红色", "01|0101-0007|||"]);
        assert_eq!(page.records[1].get("AvailableQuantity"), Some("3.50"));
        assert_eq!(page.records[1].get("TotalCount"), None, "it is the list's, and would change with every other row");
    }

    #[tokio::test]
    async fn a_voucher_list_becomes_documents() {
        let answer = |request: &Request| {
            if request.path.ends_with("/FindVoucherList") {
                return Reply::json(fixture!("voucher-list-rows-by-position"));
            }
            let id = request.body.trim_start_matches("{\"param\":{\"voucherID\":").trim_end_matches("}}").to_owned();
            let lines = r#"[{"Quantity":3.50,"Inventory":{"Code":"0101-0007"}}]"#;
            Reply::json(format!(r#"{{"code":"0","message":"","data":{{"ID":{id},"SaleDeliveryDetails":{lines}}}}}"#))
        };
        for (at, has_next) in [(1, true), (2, false)] {
            let page = read("sale-deliveries", at, 2, answer).await;
            assert_eq!((page.total, page.has_next), (Some(3), Some(has_next)));
            assert_eq!(keys("sale-deliveries", &page), ["1999234567890123456", "1999234567890123457"]);
            assert_eq!(page.records[0].get("SaleDelivery.ID"), Some("1999234567890123456"));
            // The id goes as it came.
            assert_eq!(page.records[0].at("detail.ID").as_deref(), Some("1999234567890123456"));
            assert_eq!(page.records[1].at("detail.ID").as_deref(), Some("\"1999234567890123457\""));
            assert_eq!(page.records[0].at("detail.SaleDeliveryDetails[0].Quantity").as_deref(), Some("3.50"));
        }
    }

    #[tokio::test]
    async fn pages_end_by_their_total_or_by_an_empty_page() {
        let page = |total: &str, n: usize| {
            let rows = vec!["{\"ID\":1}"; n].join(",");
            format!("{{\"Data\":[{rows}]{total}}}")
        };
        let cases = [
            (1, page(",\"TotalCount\":5", 2), Some(true)),
            (2, page(",\"TotalCount\":5", 2), Some(true)),
            (3, page(",\"TotalCount\":5", 1), Some(false)),
            (1, page(",\"TotalCount\":0", 0), Some(false)),
            (1, page("", 2), None),
            (1, page("", 1), None),
        ];
        for (at, body, has_next) in cases {
            let answer = body.clone();
            let read = read("inventory-full", at, 2, move |_| Reply::json(answer.clone())).await;
            assert_eq!(read.has_next, has_next, "page {at}: {body}");
        }
    }

    #[tokio::test]
    async fn bad_answers_are_never_no_records() {
        let cases = [
            ("inventory", "null"),
            ("inventory", "\"服务器忙\""),
            ("inventory", r#"{"code":"999","message":"查询被拒绝","data":[]}"#),
            ("inventory", r#"{"code":"0","message":"","data":null}"#),
            ("inventory", r#"{"error":"too many"}"#),
            ("inventory", fixture!("error-in-place-of-an-array")),
            ("sale-deliveries", r#"{"code":"0","data":{"Columns":["a"],"Rows":[[1,2]]}}"#),
            ("sale-deliveries", r#"{"code":"0","data":{"Columns":["a"],"Rows":[["x"]],"TotalPageNum":1}}"#),
            ("sale-deliveries", "[]"),
            ("current-stock", "[{\"Batch\":null}]"),
        ];
        let mut lines = Vec::new();
        for (stream, body) in cases {
            let stage = Stage::start(TOKEN, move |_| Reply::json(body)).await;
            let error = stage.page(stream, &slice(), 1, 2).await.unwrap_err();
            lines.push(format!("{stream} {body}\n  {error:?} [{}]", error.help().unwrap_or("-")));
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[tokio::test]
    async fn the_doubtful_code_is_asked_again_twice() {
        let stage = Stage::start(TOKEN, |_| Reply::json(fixture!("error-in-place-of-an-array"))).await;
        let error = stage.page("inventory", &slice(), 1, 2).await.unwrap_err();
        assert_eq!((error.kind(), stage.server.n_requests()), (ErrorKind::Refused, 3));
    }

    #[tokio::test]
    async fn the_end_of_the_months_calls_is_told_at_once() {
        let body = r#"{"code":"50112","message":"调用次数超限","data":null}"#;
        let stage = Stage::start(TOKEN, move |_| Reply::new(401, "application/json", body)).await;
        let error = stage.page("inventory", &slice(), 1, 2).await.unwrap_err();
        assert_eq!((error.kind(), stage.server.n_requests()), (ErrorKind::QuotaExceeded, 1));
    }
}
