//! Reading: one page, and the second calls that give its documents their lines.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use milkrun_core::connector::{Account, Opening, PageRequest};
use milkrun_core::record::{Pairs, plain_text, write_json_string};
use milkrun_core::{Context, Error, ErrorKind, Page, Position, Record, Result, Rows, Source, StreamSpec, async_trait};

use crate::client::Client;
use crate::config::KuaimaiConfig;
use crate::envelope::ENVELOPE_FIELDS;
use crate::streams::{Detail, Inner, StreamConfig};

/// The method of [`Source::check`]: it has no pages and a short answer, and like all others it needs the session.
const CHECK: &str = "erp.warehouse.list.query";

/// Opens an account.
pub(crate) fn open(opening: &Opening) -> Result<Account> {
    let config: KuaimaiConfig = opening.parse()?;
    config.validate().map_err(|error| error.with("account", &opening.account))?;
    let quota = config.quota();
    let streams = config.all_streams();
    let specs = streams.iter().map(|stream| stream.spec(config.page_size)).collect();
    let concurrency = config.concurrency as usize;
    let client = Arc::new(Client::new(config));
    let source = KuaimaiSource { client: Arc::clone(&client), streams, specs, concurrency };
    Ok(Account {
        source: Some(Arc::new(source)),
        protocol: Some(Arc::<Client>::clone(&client)),
        tokens: Some(client),
        ..Account::new(quota)
    })
}

/// One Kuaimai company, ready to be read.
#[derive(Debug)]
struct KuaimaiSource {
    client: Arc<Client>,
    /// In the order of `specs`.
    streams: Vec<StreamConfig>,
    specs: Vec<StreamSpec>,
    concurrency: usize,
}

#[async_trait]
impl Source for KuaimaiSource {
    fn streams(&self) -> &[StreamSpec] {
        &self.specs
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        let call = self.client.call(CHECK, Vec::new());
        let answer = cx.call(call.clone()).await?;
        self.client.rows(&call, &answer.body, &["list".to_owned()], true).map(drop)
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        self.read(cx, ask).await.map_err(|error| error.with("stream", &ask.stream.name).with("page", ask.at))
    }
}

impl KuaimaiSource {
    async fn read(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let stream = self.streams.iter().find(|stream| stream.name == ask.stream.name);
        let stream = stream.ok_or_else(|| Error::config("the account has no such stream"))?;
        let call = self.client.call(&stream.method, parameters(stream, &ask)?);
        let answer = cx.call(call.clone()).await?;
        let (envelope, rows) = self.client.rows(&call, &answer.body, &stream.lists, stream.list_may_be_missing)?;
        let n_rows = rows.len();
        let texts = if let Some(inner) = &stream.inner {
            Some(rows.iter().map(|row| unfold(row, inner)).collect::<Result<Vec<_>>>()?.concat())
        } else if let Some(detail) = &stream.detail {
            Some(self.with_details(cx, detail, &rows).await?)
        } else {
            renamed(&rows, &stream.rename)
        };
        let (records, body) = texts.map_or(Ok((rows, answer.body)), |texts| assemble(&texts))?;
        let page = Page { records, body, ..Page::default() };
        if stream.inner.is_some() {
            // The vendor counts rows, and so does a short page; neither says anything of the lists inside.
            return Ok(Page { has_next: Some(n_rows >= ask.size as usize), ..page });
        }
        // An empty result may leave out its total too. On a later page that only means that it is not repeated.
        let nothing = (n_rows == 0 && *ask.at == ask.stream.paging.start()).then_some(0);
        Ok(Page { total: envelope.total.or(nothing), has_next: envelope.has_next, ..page })
    }

    /// The rows as text, each with the answer of its second call; a few calls are made side by side.
    async fn with_details(&self, cx: &Context, detail: &Detail, heads: &[Record]) -> Result<Vec<String>> {
        let wanted: Vec<_> = heads.iter().map(|head| self.with_detail(cx, detail, head)).collect();
        stream::iter(wanted).buffered(self.concurrency).try_collect().await
    }

    async fn with_detail(&self, cx: &Context, detail: &Detail, head: &Record) -> Result<String> {
        let id = head.get(&detail.parameter).and_then(plain_text).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| {
            Error::malformed("a document has no id to ask for its lines with").with("field", &detail.parameter)
        })?;
        let call = self.client.call(&detail.method, vec![(detail.parameter.clone(), id.clone().into_owned())]);
        let with_id = |error: Error| error.with("id", &id);
        let answer = cx.call(call.clone()).await.map_err(with_id)?;
        let envelope = self.client.read(&call, &answer.body, &[]).map_err(with_id)?.0;
        join(head, &answer.body, envelope.bad_code().is_some()).map_err(with_id)
    }
}

/// The parameters of a call for one page.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] if the vendor would refuse them, or accept and quietly change them.
fn parameters(stream: &StreamConfig, ask: &PageRequest<'_>) -> Result<Vec<(String, String)>> {
    let mut params: Vec<_> = stream.params.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut add = |name: &str, value: String| params.push((name.to_owned(), value));
    match (&stream.window, &ask.stream.window, ask.slice.window) {
        (Some(names), Some(spec), Some(window)) => {
            if let Some(parameter) = &names.axis_parameter {
                add(parameter, names.sent(ask.slice.axis.as_ref().unwrap_or(&names.axis)).to_owned());
            }
            let (from, until) = spec.bounds(window)?;
            add(&names.start, from);
            add(&names.end, until);
        }
        (Some(names), _, _) if names.required => {
            return Err(Error::config("the vendor gives this stream by windows of time only"));
        }
        _ => {}
    }
    if let Some(parent) = &stream.partition {
        let value = ask.slice.partition.clone().filter(|value| !value.is_empty());
        let message = "this stream is read for one value of another stream at a time, and there is none";
        let none = || Error::config(message).with("partition", format!("{}.{}", parent.stream, parent.path));
        add(&parent.parameter, value.ok_or_else(none)?);
    }
    match (ask.at, stream.page_size) {
        (Position::Start, None) => {}
        (Position::Page(number), Some(limits)) => {
            if ask.size < limits.min || limits.max.is_some_and(|max| ask.size > max) {
                let error = Error::config("the vendor does not give pages of this size").with("page_size", ask.size);
                return Err(error.with("min", limits.min).with("max", limits.max.unwrap_or(u32::MAX)));
            }
            add("pageNo", number.to_string());
            add("pageSize", ask.size.to_string());
        }
        _ => {
            let error = Error::new(ErrorKind::State, "the saved position is of another kind of paging");
            return Err(error.advise("run once with --restart"));
        }
    }
    Ok(params)
}

/// Makes a page of records that were put together from several texts: its body is a plain list.
fn assemble(texts: &[String]) -> Result<(Vec<Record>, Arc<String>)> {
    let body = Arc::new(format!("[{}]", texts.join(",\n")));
    let rows: Rows<'_> = serde_json::from_str(&body)
        .map_err(|cause| Error::new(ErrorKind::Unexpected, "a record was put together wrongly").caused_by(cause))?;
    Ok((rows.into_records(&body), body))
}

/// Writes fields as an object; the values keep every byte.
fn object<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = b"{".to_vec();
    for (name, value) in fields {
        if out.len() > 1 {
            out.push(b',');
        }
        write_json_string(&mut out, name);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'}');
    String::from_utf8(out).expect("texts were put together")
}

/// An object with one field more.
fn with_field(record: &Record, name: &str, value: &str) -> String {
    let text = record.text().trim_end();
    let open = text.strip_suffix('}').expect("a record is an object");
    let comma = if record.is_empty() { "" } else { "," };
    format!("{open}{comma}\"{name}\":{value}}}")
}

/// The head with the answer of its second call as one field more: `detail`, or `detail_answer` if it has such a field.
///
/// The fields of the envelope are left out; `code` stays if it is the document's own.
///
/// # Errors
/// [`ErrorKind::Malformed`] if the answer holds nothing else.
fn join(head: &Record, answer: &str, own_code: bool) -> Result<String> {
    let Pairs(pairs) =
        serde_json::from_str(answer).map_err(|cause| Error::malformed("the answer is no object").caused_by(cause))?;
    let envelope = |name: &str| ENVELOPE_FIELDS.contains(&name) || (name == "code" && !own_code);
    let rest: Vec<_> = pairs.iter().filter(|(name, _)| !envelope(name)).map(|(n, v)| (&**n, v.get())).collect();
    if rest.is_empty() {
        return Err(Error::malformed("the answer holds no document"));
    }
    let name = if head.get("detail").is_none() { "detail" } else { "detail_answer" };
    Ok(with_field(head, name, &object(rest)))
}

/// One record for each element of the list inside a row: the row's other fields, and the element in a field of its own.
///
/// A row without any of the lists is an element itself, as in the documentation's example.
fn unfold(row: &Record, inner: &Inner) -> Result<Vec<String>> {
    let Some(list) = inner.lists.iter().find_map(|list| row.get(list)) else {
        let id = row.get(&inner.flat_id).unwrap_or("null");
        return Ok(vec![with_field(row, &inner.field, &object([("id", id)]))]);
    };
    let elements: Option<Vec<&serde_json::value::RawValue>> = serde_json::from_str(list)
        .map_err(|cause| Error::malformed("the list inside a row is no list").caused_by(cause))?;
    let around = object(row.fields().filter(|(name, _)| !inner.lists.iter().any(|list| list == name)));
    let around = Record::parse(around)?;
    Ok(elements.unwrap_or_default().iter().map(|element| with_field(&around, &inner.field, element.get())).collect())
}

/// The rows with the fields that the vendor calls by two names under the wanted one; `None` if all have it already.
fn renamed(rows: &[Record], rename: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let wanted = |row: &Record, name: &str| match rename.get(name) {
        Some(wanted) if row.get(wanted).is_none() => Some(wanted.clone()),
        _ => None,
    };
    let is_other = |row: &Record| rename.keys().any(|name| row.get(name).is_some() && wanted(row, name).is_some());
    rows.iter().any(is_other).then(|| {
        let text = |row: &Record| {
            let names: Vec<_> = row.fields().map(|(name, _)| wanted(row, name).unwrap_or(name.to_owned())).collect();
            object(names.iter().map(String::as_str).zip(row.fields().map(|(_, value)| value)))
        };
        rows.iter().map(text).collect()
    })
}

#[cfg(test)]
mod tests {
    use milkrun_core::{Slice, Window};

    use super::*;
    use crate::fixture::{Params, Vendor, context};
    use crate::streams::built_in;

    fn spec(name: &str) -> (StreamConfig, StreamSpec) {
        let stream = built_in().into_iter().find(|stream| stream.name == name).unwrap();
        let spec = stream.spec(None);
        (stream, spec)
    }

    fn slice() -> Slice {
        let window =
            Window { from: "2026-07-31T16:00:00Z".parse().unwrap(), until: "2026-08-01T15:59:59.5Z".parse().unwrap() };
        Slice { window: Some(window), ..Slice::default() }
    }

    /// One page of a stream, from a vendor that answers so.
    async fn page(name: &str, at: u64, answer: impl Fn(&Params) -> String + Send + Sync + 'static) -> Result<Page> {
        let vendor = Vendor::start(answer).await;
        let text = format!(
            "app_key = '123456'\napp_secret = 'helloworld'\nsession = 'live'\nbase_url = '{}'\nconcurrency = 2",
            vendor.url
        );
        let opening = Opening { account: "km".into(), settings: toml::from_str(&text).unwrap(), folder: "/".into() };
        let account = open(&opening).unwrap();
        let cx = context(account.protocol.unwrap(), account.tokens.unwrap(), "2026-08-01T00:00:00Z");
        let source = account.source.unwrap();
        let stream = source.streams().iter().find(|spec| spec.name == name).unwrap();
        let slice = Slice { partition: stream.partition.as_ref().map(|_| "ITEM-8".to_owned()), ..slice() };
        let at = if stream.paging.start() == Position::Start { Position::Start } else { Position::Page(at) };
        source.read_page(&cx, PageRequest { stream, slice: &slice, at: &at, size: stream.page_size.usual }).await
    }

    fn texts(page: &Page) -> Vec<&str> {
        for record in &page.records {
            assert!(record.place_in(&page.body).is_some(), "the journal has to hold every record");
        }
        page.records.iter().map(Record::text).collect()
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../tests/fixtures/", $name, ".json"))
        };
    }

    #[tokio::test]
    async fn numbers_arrive_byte_for_byte() {
        let body = fixture!("exact-numbers");
        let page = page("orders", 1, |_| body.to_owned()).await.unwrap();
        assert_eq!((page.total, page.records.len(), page.body.as_str()), (Some(2), 2, body));
        for text in texts(&page) {
            assert!(body.contains(text), "{text}");
        }
        assert_eq!(page.records[1].at("orders[0].cost").as_deref(), Some("9.30"));
    }

    #[tokio::test]
    async fn samples_and_quirks_give_their_records() {
        let read = |stream, at, body: &'static str| async move {
            let page = page(stream, at, |_| body.to_owned()).await.unwrap();
            let (_, spec) = spec(stream);
            let keys =
                page.records.iter().map(|record| milkrun_core::Key::read(record, &spec.key).unwrap().to_string());
            (page.total, keys.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(read("orders", 1, fixture!("orders")).await, (Some(1), "5973932837575123".to_owned()));
        assert_eq!(read("items", 1, fixture!("items")).await, (Some(3120), "4387287189219900".to_owned()));
        assert_eq!(read("orders", 1, fixture!("empty-without-list-and-total")).await, (Some(0), String::new()));
        assert_eq!(read("orders", 2, fixture!("empty-without-list-and-total")).await, (None, String::new()));
        assert_eq!(read("orders", 2, fixture!("total-on-page-one-only")).await, (None, "5973932837575124".to_owned()));
        assert_eq!(
            read("shops", 1, fixture!("code-and-msg-in-a-good-answer")).await,
            (Some(1), "900000001".to_owned())
        );
    }

    #[tokio::test]
    async fn the_inner_list_of_items_has_one_name() {
        let other = page("items", 1, |_| fixture!("items-inner-list-called-items").to_owned()).await.unwrap();
        let usual = page("items", 1, |_| fixture!("items").to_owned()).await.unwrap();
        assert_eq!(texts(&usual).len(), texts(&other).len());
        assert_eq!(other.records[0].get("skus"), usual.records[0].get("skus"));
        assert_eq!((other.records[0].get("items"), other.total), (None, usual.total));
    }

    #[tokio::test]
    async fn heads_get_their_lines() {
        let answer = |params: &Params| match (params["method"].as_str(), params.get("id").map(String::as_str)) {
            ("purchase.order.get", Some("7000000000000000201")) => fixture!("purchase-order-flat").to_owned(),
            ("purchase.order.get", Some("7000000000000000202")) => fixture!("purchase-order-nested").to_owned(),
            ("purchase.order.query", None) => fixture!("purchase-orders").to_owned(),
            _ => panic!("{params:?}"),
        };
        let page = page("purchase-orders", 1, answer).await.unwrap();
        assert_eq!(page.total, Some(2));
        insta::assert_snapshot!(texts(&page).join("\n"), @r#"
        {"id":7000000000000000201,"code":"CG2608010001","shortId":11,"totalAmount":123450,"detail":{"id":7000000000000000201,"code":"CG2608010001","list":[{"id":7000000000000000301,"price":1850,"count":1E+2}]}}
        {"id":7000000000000000202,"code":"CG2608010002","shortId":12,"totalAmount":"99","detail":"head's own","detail_answer":{"purchaseOrder":{"id":7000000000000000202,"items":[{"amount":0.10}]}}}
        "#);
    }

    #[tokio::test]
    async fn lines_that_do_not_come_are_an_error() {
        let answer = |params: &Params| match params["method"].as_str() {
            "purchase.order.query" => fixture!("purchase-orders").to_owned(),
            _ => r#"{"success":true,"traceId":"1"}"#.to_owned(),
        };
        let error = page("purchase-orders", 3, answer).await.unwrap_err();
        insta::assert_snapshot!(error, @"the answer holds no document (id: 7000000000000000201, stream: purchase-orders, page: page 3)");
    }

    #[tokio::test]
    async fn both_shapes_of_stock_per_warehouse_are_read() {
        let full = page("stock-per-warehouse", 1, |_| fixture!("stock-per-warehouse").to_owned()).await.unwrap();
        let flat =
            page("stock-per-warehouse", 1, |_| fixture!("stock-per-warehouse-example").to_owned()).await.unwrap();
        assert_eq!((full.total, full.has_next, flat.has_next), (None, Some(false), Some(false)));
        insta::assert_snapshot!([texts(&full), texts(&flat)].concat().join("\n"), @r#"
        {"skuOuterId":"SKU000817","sysSkuId":4387287189219907123,"warehouse":{"id":36001,"code":"A","num":5}}
        {"skuOuterId":"SKU000817","sysSkuId":4387287189219907123,"warehouse":{"id":36002,"num":0.10}}
        {"skuOuterId":"SKU000817","wareHouseId":36001,"num":5,"warehouse":{"id":36001}}
        "#);
    }

    #[tokio::test]
    async fn bad_answers_are_never_no_records() {
        let cases = [
            ("html", "<!DOCTYPE html><html></html>"),
            ("empty", ""),
            ("cut", r#"{"success":true,"list":[{"sid":1}"#),
            ("another list", r#"{"success":true,"rows":[{"sid":1}]}"#),
            ("total without list", r#"{"success":true,"total":5}"#),
            ("unknown code", r#"{"success":true,"code":"isv.unheard-of","list":[]}"#),
            ("signature", fixture!("error-signature")),
            ("number as code", fixture!("error-code-as-number")),
        ];
        let mut lines = Vec::new();
        for (name, body) in cases {
            let error = page("orders", 1, |_| body.to_owned()).await.unwrap_err();
            lines.push(format!("{name}: {error:?}"));
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn the_parameters_of_every_stream() {
        let mut lines = Vec::new();
        for stream in built_in() {
            let spec = stream.spec(None);
            let partition = stream.partition.as_ref().map(|_| "ITEM-8".to_owned());
            let axes = spec.window.iter().flat_map(|window| window.late.iter().map(|late| Some(late.axis.clone())));
            for axis in [None].into_iter().chain(axes) {
                let slice = Slice { partition: partition.clone(), axis, ..slice() };
                let at = spec.paging.start();
                let ask = PageRequest { stream: &spec, slice: &slice, at: &at, size: spec.page_size.usual };
                let params = parameters(&stream, &ask).unwrap();
                let params: Vec<_> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
                lines.push(format!("{} {} {}", stream.name, stream.method, params.join("&")));
            }
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn what_the_vendor_would_quietly_change_is_not_sent() {
        let refused = |name: &str, slice: Slice, at: Position, size: u32| {
            let (stream, spec) = spec(name);
            parameters(&stream, &PageRequest { stream: &spec, slice: &slice, at: &at, size }).unwrap_err().to_string()
        };
        let lines = [
            refused("orders", slice(), Position::Page(1), 19),
            refused("stock", slice(), Position::Page(1), 101),
            refused("orders", slice(), Position::Cursor("x".into()), 100),
            refused("transfers", Slice::default(), Position::Page(1), 20),
            refused("stock-all-warehouses", slice(), Position::Page(1), 100),
            refused(
                "stock-all-warehouses",
                Slice { partition: Some(String::new()), ..slice() },
                Position::Page(1),
                100,
            ),
        ];
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[tokio::test]
    async fn check_proves_the_session() {
        let vendor = Vendor::start(|_| r#"{"success":true,"list":[]}"#.to_owned()).await;
        let text = format!("app_key = '1'\napp_secret = 's'\nsession = 'live'\nbase_url = '{}'", vendor.url);
        let opening = Opening { account: "km".into(), settings: toml::from_str(&text).unwrap(), folder: "/".into() };
        let account = open(&opening).unwrap();
        let cx = context(account.protocol.unwrap(), account.tokens.unwrap(), "2026-08-01T00:00:00Z");
        account.source.unwrap().check(&cx).await.unwrap();
        assert_eq!(vendor.n_calls(CHECK), 1);
        assert_eq!(vendor.asked()[0]["session"], "live");
    }

    #[test]
    fn is_registered_with_a_true_example() {
        let spec = milkrun_core::connector("kuaimai").unwrap();
        assert_eq!((spec.streams)().len(), built_in().len());
        let schema = serde_json::to_value((spec.schema)()).unwrap();
        let example: toml::Table = toml::from_str(spec.example).unwrap();
        let mut settings = example["accounts"]["km"].as_table().unwrap().clone();
        assert_eq!(settings.remove("connector").unwrap().as_str(), Some(spec.name));
        assert!(settings.keys().all(|name| schema["properties"].get(name).is_some()), "{settings:?}");
        let required: Vec<_> =
            schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert!(required.iter().all(|name| settings.contains_key(*name)), "{required:?}");
    }
}
