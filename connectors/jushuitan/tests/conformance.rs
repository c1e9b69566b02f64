//! The conformance suite, on answers like the recorded ones.

use milkrun_connector_jushuitan as _;
use milkrun_testkit::conformance::{self, Failure, FixtureVendor, Waiver, rows_of_page};
use milkrun_testkit::http::{Reply, Request};
use serde_json::{Value, json};

const KEY: &str = "hush-hush";

/// One record of each stream as the vendor sent it; each row of a page is that record with an id of its own.
const ORDER: &str = include_str!("fixtures/order.json");
const ITEM: &str = include_str!("fixtures/item.json");

/// The page that is asked for, of `n` records in all.
fn page(request: &Request, n: u64) -> Reply {
    let record = if request.path.starts_with("/orders") { ORDER } else { ITEM };
    let (page, size) = (request.number("page").unwrap_or(1), request.number("page_size").unwrap_or(100));
    let row = |id: u64| {
        let mut row: Value = serde_json::from_str(record).expect("the fixture is JSON");
        row["id"] = id.into();
        row
    };
    let list: Vec<Value> = rows_of_page(n, page, size).map(row).collect();
    Reply::json(json!({ "code": 0, "message": "ok", "data": { "total": n, "list": list } }).to_string())
}

async fn vendor() -> FixtureVendor {
    FixtureVendor::new(page)
        .settings(|url| format!("api_key = '{KEY}'\nbase_url = '{url}'"))
        .secret(KEY)
        .page_parameter("page", "1")
        .answers(Failure::TemporaryCode, |_| Reply::json(include_str!("fixtures/busy.json")))
        // Vendors like to repeat what they were sent.
        .answers(Failure::Refused, |_| Reply::json(format!("{{\"code\":2001,\"message\":\"not with {KEY}\"}}")))
        .answers(Failure::UnknownCode, |_| Reply::json("{\"code\":9999,\"message\":\"?\"}"))
        .start()
        .await
}

#[tokio::test]
async fn conforms() {
    let waivers = [Waiver::new("clock-skew", "*", "calls carry no time, so the vendor cannot mind the clock")];
    conformance::check("jushuitan", vendor, &waivers).await;
}
