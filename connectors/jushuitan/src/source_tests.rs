//! Tests of reading.

use milkrun_core::{Key, Slice, Window};
use milkrun_testkit::conformance::Scene;

use super::*;
use crate::fixture::{Asked, Desk, NOW};
use crate::streams::built_in;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../tests/fixtures/", $name, ".json"))
    };
}

fn streams(api: Api) -> Vec<Stream> {
    built_in().iter().flat_map(|method| method.streams(api)).collect()
}

fn stream(name: &str) -> (Stream, StreamSpec) {
    let stream = streams(Api::New).into_iter().find(|stream| stream.name == name).unwrap();
    let spec = stream.spec(Api::New, None);
    (stream, spec)
}

fn slice() -> Slice {
    let until: jiff::Timestamp = NOW.parse().unwrap();
    let from = until - jiff::SignedDuration::from_hours(24);
    Slice { window: Some(Window { from, until }), ..Slice::default() }
}

/// One page of a stream, from a vendor that answers so.
async fn page(name: &str, at: Position, body: &'static str) -> Result<Page> {
    let desk = Desk::with_token(move |_| body.to_owned()).await;
    page_of(&desk, name, at).await
}

async fn page_of(desk: &Desk, name: &str, at: Position) -> Result<Page> {
    let opened = desk.open();
    let stream = opened.source().streams().iter().find(|spec| spec.name == name).unwrap();
    let slice = Slice {
        partition: stream.partition.as_ref().map(|_| "10011".to_owned()),
        window: slice().window.filter(|_| stream.window.is_some()),
        ..Slice::default()
    };
    let scene = Scene { slice, size: stream.page_size.usual, n_records: 0 };
    opened.page(stream, &scene, &at).await
}

fn texts(page: &Page) -> Vec<&str> {
    for record in &page.records {
        assert!(record.place_in(&page.body).is_some(), "the journal has to hold every record");
    }
    page.records.iter().map(Record::text).collect()
}

fn from(version: &str) -> Position {
    Position::Version(version.to_owned())
}

#[tokio::test]
async fn the_samples_give_their_records() {
    let read = |name: &'static str, at, body| async move {
        let page = page(name, at, body).await.unwrap();
        let (_, spec) = stream(name);
        let keys = page.records.iter().map(|record| Key::read(record, &spec.key).unwrap().to_string());
        let keys = keys.collect::<Vec<_>>().join(" ");
        for text in texts(&page) {
            assert!(spec.partition.is_some() || body.contains(text), "{text}");
        }
        format!("{name}: {keys}, total {:?}, more {:?}, next {:?}", page.total, page.has_next, page.next)
    };
    let lines = [
        read("orders-by-window", Position::Page(1), fixture!("orders")).await,
        // The total is of what is still to come; it says nothing of the slice.
        read("orders", from("0"), fixture!("orders")).await,
        read("skus", Position::Page(1), fixture!("skus")).await,
        read("after-sale-by-window", Position::Page(1), fixture!("has-next-as-one")).await,
        read("orders", from("9223372036854775806"), fixture!("exact-numbers")).await,
        read("inventory-by-window", Position::Page(1), fixture!("inventory-without-warehouse-and-total")).await,
        read("inventory", from("7"), fixture!("inventory-without-warehouse-and-total")).await,
        read("inventory-per-warehouse", from("7"), fixture!("inventory-without-warehouse-and-total")).await,
        read("shops", Position::Page(1), fixture!("shops-list-called-shops")).await,
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn numbers_arrive_byte_for_byte() {
    let page = page("orders", from("0"), fixture!("exact-numbers")).await.unwrap();
    let values = ["o_id", "so_id", "ts", "pay_amount", "freight", "free_amount", "platform_free_amount"];
    let lines = page.records.iter().map(|record| values.map(|name| record.get(name).unwrap()).join(" "));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    10258641 "92461234567890123456789" 9223372036854775807 "19.90" "0.10" 1E+2 ""
    92233720368547758071 246123456789012345678 "9223372036854775806" 19.90 0.1 1000000000000000.01 0.10
    "#);
    assert_eq!((page.next.as_deref(), page.has_next), (Some("9223372036854775807"), Some(true)));
}

#[tokio::test]
async fn the_warehouse_that_was_asked_for_is_put_into_the_record() {
    let desk = Desk::with_token(|_| fixture!("inventory-without-warehouse-and-total").to_owned()).await;
    let page = page_of(&desk, "inventory-per-warehouse-by-window", Position::Page(2)).await.unwrap();
    assert_eq!(
        texts(&page)[1],
        r#"{"sku_id":"0518","i_id":"","qty":"0.50","modified":"2025-03-01 00:05:10","ts":"8839211500125","wms_co_id":10011}"#
    );
    assert_eq!(
        desk.asked()[0].biz,
        r#"{"wms_co_id":10011,"modified_begin":"2024-12-31 08:00:00","modified_end":"2025-01-01 08:00:00","page_index":2,"page_size":100}"#
    );
    let row = Record::parse(r#"{"sku_id":"a","wms_co_id":0}"#).unwrap();
    let (records, _) = with_partition(&[row], "wms_co_id", "W-1").unwrap();
    assert_eq!(records[0].text(), r#"{"sku_id":"a","wms_co_id":"W-1"}"#, "a name is never there twice");
}

/// A vendor with rows of these versions, oldest first, that heeds `start_ts` and gives two rows a page.
fn versions(rows: &'static [&'static str]) -> impl Fn(&Asked) -> String {
    move |asked| {
        let biz = Record::parse(asked.biz.as_str()).unwrap();
        assert_eq!((biz.get("page_index"), biz.get("is_get_total")), (Some("1"), Some("false")), "{}", asked.biz);
        let from = biz.get("start_ts").unwrap();
        let is_in = |row: &&&str| !is_below(row.trim_matches('"'), from);
        let left: Vec<_> = rows.iter().filter(is_in).collect();
        let more = left.len() > 2;
        let page = left.iter().take(2).map(|ts| {
            let id = rows.iter().position(|row| *row == **ts).unwrap();
            format!(r#"{{"o_id":{id},"so_id":"{id}","ts":{ts}}}"#)
        });
        format!(r#"{{"code":0,"data":{{"has_next":{more},"orders":[{}]}}}}"#, page.collect::<Vec<_>>().join(","))
    }
}

#[tokio::test]
async fn row_versions_are_followed_to_the_end() {
    let rows = &["2147483648", "\"9007199254740993\"", "9007199254740995", "9223372036854775807"];
    let desk = Desk::with_token(versions(rows)).await;
    let opened = desk.open();
    let stream = opened.source().streams().iter().find(|spec| spec.name == "orders").unwrap();
    let scene = Scene { slice: Slice::default(), size: 2, n_records: 4 };
    let (mut at, mut keys) = (stream.paging.start(), Vec::new());
    loop {
        let page = opened.page(stream, &scene, &at).await.unwrap();
        keys.extend(page.records.iter().map(|record| Key::read(record, &stream.key).unwrap().to_string()));
        match stream.paging.next(&at, &page, 2).unwrap() {
            Some(next) => at = next,
            None => break,
        }
    }
    // The row at each boundary comes again.
    assert_eq!(keys, ["0", "1", "1", "2", "2", "3", "3"]);
    let asked = desk.asked().into_iter().map(|asked| asked.biz).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(asked, @r#"
    {"start_ts":0,"is_get_total":false,"page_index":1,"page_size":2}
    {"start_ts":9007199254740993,"is_get_total":false,"page_index":1,"page_size":2}
    {"start_ts":9007199254740995,"is_get_total":false,"page_index":1,"page_size":2}
    {"start_ts":9223372036854775807,"is_get_total":false,"page_index":1,"page_size":2}
    "#);
}

#[tokio::test]
async fn bad_answers_are_never_no_records() {
    let start = || Position::Page(1);
    let cases = [
        ("html", "skus", start(), "<!DOCTYPE html><html></html>"),
        ("empty", "skus", start(), ""),
        ("cut", "skus", start(), r#"{"code":0,"data":{"datas":[{"sku_id":1}"#),
        ("another list", "skus", start(), r#"{"code":0,"data":{"orders":[{"sku_id":1}]}}"#),
        ("unknown code", "skus", start(), r#"{"code":777,"msg":"?","data":{"datas":[]}}"#),
        ("code 200", "skus", start(), fixture!("code-200-is-too-fast")),
        ("no version", "orders", from("0"), r#"{"code":0,"data":{"orders":[{"o_id":1}]}}"#),
        ("odd version", "orders", from("0"), r#"{"code":0,"data":{"orders":[{"o_id":1,"ts":1.5}]}}"#),
        ("older version", "orders", from("100"), r#"{"code":0,"data":{"orders":[{"o_id":1,"ts":99}]}}"#),
    ];
    let mut lines = Vec::new();
    for (name, stream, at, body) in cases {
        let error = page(stream, at, body).await.unwrap_err();
        lines.push(format!("{name}: {error:?}"));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_parameters_of_every_stream() {
    let mut lines = Vec::new();
    for api in [Api::New, Api::Old] {
        for stream in streams(api) {
            let spec = stream.spec(api, None);
            let slice = Slice { partition: spec.partition.as_ref().map(|_| "10011".to_owned()), ..slice() };
            let at = spec.paging.start();
            let ask = PageRequest { stream: &spec, slice: &slice, at: &at, size: spec.page_size.usual };
            lines.push(format!("{} {} {}", spec.name, spec.endpoint, parameters(&stream, &ask).unwrap()));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_the_vendor_would_quietly_change_is_not_sent() {
    let refused = |name: &str, slice: Slice, at: Position, size: u32| {
        let (stream, spec) = stream(name);
        parameters(&stream, &PageRequest { stream: &spec, slice: &slice, at: &at, size }).unwrap_err().to_string()
    };
    let lines = [
        refused("orders", Slice::default(), from("0"), 101),
        refused("skus", slice(), Position::Page(1), 51),
        refused("skus", slice(), from("0"), 50),
        refused("orders", Slice::default(), Position::Page(1), 50),
        refused("orders", Slice::default(), from("0A3F"), 50),
        refused("orders-by-window", Slice::default(), Position::Page(1), 50),
        refused("inventory-per-warehouse", Slice::default(), from("0"), 50),
        refused("inventory-per-warehouse", Slice { partition: Some(String::new()), ..slice() }, from("0"), 50),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn further_methods_send_their_parameters() {
    let settings = "access_token = 'given-access'\n[[streams]]\nname = 'packs'\npath = '/open/pack/query'\n\
                    key = ['pack_id']\npage_size = { min = 1, usual = 50, max = 50 }\ncursor = {}\nwindow = {}\n\
                    params = { pack_type = '箱', only = ['a', '0518'], n = 3 }";
    let desk = Desk::start(settings, |_| r#"{"code":0,"data":{"datas":[]}}"#.to_owned()).await;
    page_of(&desk, "packs", from("5")).await.unwrap();
    page_of(&desk, "packs-by-window", Position::Page(1)).await.unwrap();
    let asked = desk.asked().into_iter().map(|asked| format!("{} {}", asked.method, asked.biz)).collect::<Vec<_>>();
    insta::assert_snapshot!(asked.join("\n"), @r#"
    /open/pack/query {"n":3,"only":["a","0518"],"pack_type":"箱","start_ts":5,"is_get_total":false,"page_index":1,"page_size":50}
    /open/pack/query {"n":3,"only":["a","0518"],"pack_type":"箱","modified_begin":"2024-12-31 08:00:00","modified_end":"2025-01-01 08:00:00","page_index":1,"page_size":50}
    "#);
}

#[tokio::test]
async fn the_old_api_is_read_flat() {
    let desk = Desk::start("api = 'old'\naccess_token = 'given-access'", |asked| match asked.method.as_str() {
        "orders.single.query" => fixture!("old-orders-flat").to_owned(),
        _ => r#"{"code":0,"issuccess":true,"shops":[]}"#.to_owned(),
    })
    .await;
    let page = page_of(&desk, "orders-by-window", Position::Page(1)).await.unwrap();
    assert_eq!((page.records.len(), page.total, page.has_next), (1, Some(1), Some(false)));
    let opened = desk.open();
    opened.source().check(&opened.cx).await.unwrap();
    assert!(opened.account.sink.is_none() && opened.account.login.is_none());
    assert_eq!(desk.methods(), ["orders.single.query", "shops.query"]);
    let asked = &desk.asked()[0];
    assert_eq!((asked.params["token"].as_str(), asked.params["partnerid"].as_str()), ("given-access", "a1"));
    assert!(asked.biz.contains(r#""modified_begin":"2024-12-31 08:00:00""#), "{}", asked.biz);
}

#[tokio::test]
async fn check_proves_the_token() {
    let desk = Desk::with_token(|_| fixture!("shops-list-called-shops").to_owned()).await;
    let opened = desk.open();
    opened.source().check(&opened.cx).await.unwrap();
    let asked = &desk.asked()[0];
    assert_eq!((asked.method.as_str(), asked.params["access_token"].as_str()), (CHECK, "given-access"));
    assert_eq!(asked.biz, r#"{"page_index":1,"page_size":1}"#);
}

#[test]
fn is_registered_with_a_true_example() {
    let spec = milkrun_core::connector("jushuitan").unwrap();
    let schema = serde_json::to_value((spec.schema)()).unwrap();
    let example: toml::Table = toml::from_str(spec.example).unwrap();
    let mut settings = example["accounts"]["jst"].as_table().unwrap().clone();
    assert_eq!(settings.remove("connector").unwrap().as_str(), Some(spec.name));
    assert!(settings.keys().all(|name| schema["properties"].get(name).is_some()), "{settings:?}");
    let required: Vec<_> = schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(required.iter().all(|name| settings.contains_key(*name)), "{required:?}");
    assert_eq!((spec.streams)().len(), streams(Api::New).len());
}
