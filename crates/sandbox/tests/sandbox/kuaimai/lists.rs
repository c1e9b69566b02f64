//! List methods: page limits, windows, order, totals, cursors and changes.

use std::time::Duration;

use milkrun_sandbox::Sandbox;
use milkrun_sandbox::kuaimai::{EmptyResult, Settings, SortOrder, TotalOn, WindowEnd};
use milkrun_sandbox::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::kuaimai::client::{NOON, beijing, call, control, settings, start};

const TRADES: &str = "erp.trade.list.query";
/// 24 hours before the tests' noon, and noon.
const WINDOW: [(&str, &str); 2] = [("startTime", "2026-07-31 12:00:00"), ("endTime", "2026-08-01 12:00:00")];

async fn trades(sandbox: &Sandbox, more: &[(&str, &str)]) -> Value {
    call(sandbox, TRADES, &[&WINDOW, more].concat()).await.json()
}

fn times(answer: &Value) -> Vec<i64> {
    answer["list"].as_array().unwrap().iter().map(|row| row["updTime"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn wrong_pages_and_windows_have_their_codes() {
    let sandbox = start(settings()).await;
    let day_and_a_second = [("startTime", "2026-07-31 11:59:59"), ("endTime", "2026-08-01 12:00:00")];
    let archive = |from, until| [("startModified", from), ("endModified", until)];
    for (method, more, expected) in [
        (TRADES, &[("pageNo", "0")][..], "20001"),
        (TRADES, &[("pageNo", "one")], "20001"),
        (TRADES, &[("pageSize", "19")], "20002"),
        (TRADES, &[("pageSize", "20")], "ok"),
        (TRADES, &[("pageSize", "201")], "20002"),
        (TRADES, &[("startTime", "-")], "32"),
        (TRADES, &[("endTime", "-")], "32"),
        (TRADES, &[("startTime", "2026-08-01")], "33"),
        (TRADES, &[("startTime", "2026-08-01 12:00:01")], "33"),
        (TRADES, &day_and_a_second, "30077"),
        (TRADES, &[("timeType", "modified")], "33"),
        (TRADES, &[("timeType", "consign_time")], "ok"),
        (TRADES, &[("queryType", "1")], "33"),
        (TRADES, &[("queryType", "1"), ("timeType", "audit_time")], "33"),
        (TRADES, &[("queryType", "1"), ("timeType", "created")], "ok"),
        (TRADES, &[("queryType", "1"), ("timeType", "created"), ("useCursor", "true")], "33"),
        (TRADES, &[("useCursor", "true"), ("cursor", "next")], "33"),
        (TRADES, &[("userIds", "900000001,x")], "20014"),
        (TRADES, &[("userIds", "1,2,3,4,5,6,7,8,9,10,11")], "20015"),
        ("stock.api.status.query", &[("pageSize", "101")], "20019"),
        ("stock.api.status.query", &[("pageSize", "0")], "20002"),
        ("stock.api.status.query", &[("warehouseId", "7")], "20301"),
        ("erp.aftersale.list.query", &[("pageSize", "201")], "20002"),
        ("erp.allocate.task.query", &[], "32"),
        ("erp.allocate.task.query", &[("code", "DB000001")], "ok"),
        ("erp.allocate.task.query", &[("startModified", "2026-07-01 00:00:00"), ("pageSize", "10")], "20002"),
        ("erp.aftersale.refund.warehouse.query", &[], "32"),
        ("erp.aftersale.refund.warehouse.query", &[("timeType", "modifyTime")], "ok"),
        ("erp.wave.logistics.order.query", &[("timeType", "7")], "33"),
        ("erp.wave.logistics.order.query", &[("timeBegin", "2026-08-01 00:00:00")], "33"),
        ("purchase.order.query", &[("timeType", "3")], "33"),
        ("purchase.order.history.query", &[], "32"),
        ("purchase.order.history.query", &archive("2026-01-01 00:00:00", "2026-04-01 00:00:00"), "ok"),
        ("purchase.order.history.query", &archive("2026-01-01 00:00:00", "2026-04-01 00:00:01"), "33"),
        ("item.list.query", &[("orderBy", "price")], "33"),
    ] {
        let reply = call(&sandbox, method, &[&WINDOW, more].concat()).await;
        assert_eq!(reply.code(), expected, "{method} {more:?}: {}", reply.body);
    }
}

#[tokio::test]
async fn defaults_of_page_sizes() {
    let sandbox = start(settings()).await;
    for (method, key, expected) in [
        (TRADES, "list", 20),
        ("erp.aftersale.list.query", "list", 1),
        ("item.list.query", "items", 40),
        ("purchase.order.query", "list", 40),
        ("erp.wave.logistics.order.query", "list", 40),
    ] {
        let misspelled = [&WINDOW[..], &[("page_no", "9"), ("page_size", "3")]].concat();
        let answer = call(&sandbox, method, &misspelled).await.json();
        assert_eq!(answer[key].as_array().unwrap().len(), expected, "{method}");
        let first = call(&sandbox, method, &[&WINDOW[..], &[("pageNo", "1")]].concat()).await.json();
        assert_eq!(answer[key], first[key], "page_no is ignored");
    }
}

#[tokio::test]
async fn rows_are_sorted_and_ends_are_inclusive() {
    for (order, window_end) in
        [(SortOrder::Descending, WindowEnd::Instant), (SortOrder::Ascending, WindowEnd::WholeSecond)]
    {
        let sandbox = start(Settings { order, window_end, ..settings() }).await;
        let newest = times(&trades(&sandbox, &[("pageSize", "200")]).await);
        let mut sorted = newest.clone();
        sorted.sort_unstable();
        if order == SortOrder::Descending {
            sorted.reverse();
        }
        assert_eq!(newest, sorted);
        // A window that ends in the second of some row.
        let row = newest[100];
        assert_ne!(row % 1_000, 0);
        let second = beijing(row);
        let one = [("startTime", second.as_str()), ("endTime", second.as_str()), ("pageSize", "200")];
        let answer = trades(&sandbox, &one).await;
        let found = answer.get("list").is_some_and(|_| times(&answer).contains(&row));
        assert_eq!(found, window_end == WindowEnd::WholeSecond);
    }
}

#[tokio::test]
async fn a_changed_row_leaves_its_window() {
    let sandbox = start(settings()).await;
    let window = [("startTime", "2026-07-31 12:00:00"), ("endTime", "2026-08-01 11:30:00"), ("pageSize", "200")];
    assert_eq!(trades(&sandbox, &window).await["total"], 1_000);
    let changed = control(&sandbox, "POST", "change", r#"{"entity": "orders", "n": 3}"#).await.json();
    let changed = changed["changed"].as_array().unwrap();
    assert_eq!(changed.len(), 3);
    assert_eq!(trades(&sandbox, &window).await["total"], 997);
    let now = trades(&sandbox, &[("startTime", "2026-08-01 11:30:00"), ("endTime", "2026-08-01 12:00:01")]).await;
    let memos: Vec<&Value> = now["list"].as_array().unwrap().iter().map(|row| &row["sellerMemo"]).collect();
    assert_eq!(memos, ["v1", "v1", "v1"]);
    assert!(times(&now).iter().all(|time| *time >= NOON * 1_000));

    let truth = control(&sandbox, "GET", "truth/orders", "").await.body;
    let rows: Vec<Value> = truth.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 1_000);
    let newer: Vec<&Value> = rows.iter().filter(|row| row["version"] == 1).map(|row| &row["key"]).collect();
    assert_eq!(newer.len(), 3);
    assert!(newer.iter().all(|key| changed.contains(key)));
    assert_eq!(control(&sandbox, "POST", "change", r#"{"entity": "order", "n": 1}"#).await.status, 404);
    assert_eq!(control(&sandbox, "GET", "truth/order", "").await.status, 404);
}

#[tokio::test]
async fn totals_by_setting() {
    for (total_on, expected) in [
        (TotalOn::EveryPage, [true, true, true, false]),
        (TotalOn::FirstPage, [true, false, true, false]),
        (TotalOn::Never, [false; 4]),
    ] {
        let sandbox = start(Settings { total_on, ..settings() }).await;
        let orders = [trades(&sandbox, &[("pageNo", "1")]).await, trades(&sandbox, &[("pageNo", "2")]).await];
        let stock = [
            call(&sandbox, "stock.api.status.query", &[]).await.json(),
            call(&sandbox, "stock.api.status.query", &[("pageNo", "2")]).await.json(),
        ];
        let seen = [&orders[0], &orders[1], &stock[0], &stock[1]].map(|answer| answer.get("total").is_some());
        assert_eq!(seen, expected, "{total_on:?}");
    }
}

#[tokio::test]
async fn empty_results_by_setting() {
    for (empty, expected) in
        [(EmptyResult::Omitted, json!({})), (EmptyResult::EmptyList, json!({"total": 0, "list": []}))]
    {
        let sandbox = start(Settings { empty, ..settings() }).await;
        let none = [("startTime", "2026-06-01 00:00:00"), ("endTime", "2026-06-02 00:00:00")];
        let mut answer = trades(&sandbox, &none).await;
        answer.as_object_mut().unwrap().retain(|key, _| key != "traceId" && key != "success");
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn has_next_replaces_the_total() {
    let sandbox = start(settings()).await;
    for (page, has_next) in [("1", true), ("4", true), ("5", false), ("6", false)] {
        let answer = trades(&sandbox, &[("useHasNext", "true"), ("pageNo", page), ("pageSize", "200")]).await;
        assert_eq!(answer["hasNext"], has_next, "page {page}");
        assert!(answer.get("total").is_none());
    }
}

#[tokio::test]
async fn a_cursor_loses_nothing_that_stays() {
    let sandbox = start(settings()).await;
    sandbox.control().add_fault(FaultRule::new(Fault::drift(3)));
    let window = [("startTime", "2026-07-31 12:00:00"), ("endTime", "2026-08-01 11:30:00"), ("pageSize", "100")];
    let (mut seen, mut cursor, mut calls) = (0, None::<String>, 0);
    loop {
        let mut more = [&window[..], &[("useCursor", "true")]].concat();
        more.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let answer = trades(&sandbox, &more).await;
        assert!(answer.get("total").is_none());
        seen += times(&answer).len();
        calls += 1;
        if answer["hasNext"] == false {
            break;
        }
        cursor = answer["cursor"].as_str().map(str::to_owned);
    }
    assert_eq!((seen, calls), (1_000, 10));
}

#[tokio::test]
async fn old_orders_need_their_query_type() {
    let sandbox = start(settings()).await;
    let created = [("timeType", "created"), ("pageSize", "200")];
    let recent = trades(&sandbox, &created).await["total"].as_i64().unwrap();
    assert!(recent > 0);
    let old = [("queryType", "1"), ("timeType", "created")];
    assert!(trades(&sandbox, &old).await.get("list").is_none());
    sandbox.control().advance_clock(Duration::from_hours(100 * 24));
    sandbox.control().revive_session();
    assert_eq!(trades(&sandbox, &old).await["total"], recent);
    assert!(trades(&sandbox, &created).await.get("list").is_none());
}

#[tokio::test]
async fn filters_of_orders() {
    let sandbox = start(settings()).await;
    let order = trades(&sandbox, &[]).await["list"][3].clone();
    let by_tid = call(&sandbox, TRADES, &[("tid", order["tid"].as_str().unwrap())]).await.json();
    assert_eq!(by_tid["list"], json!([order]));
    let shop = order["userId"].to_string();
    let of_shop = trades(&sandbox, &[("userIds", &shop), ("pageSize", "200")]).await;
    let rows = of_shop["list"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["userId"] == order["userId"]));
    assert!(of_shop["total"].as_i64().unwrap() < 1_000);
    assert!(call(&sandbox, TRADES, &[("sid", "1")]).await.json().get("list").is_none());
}
