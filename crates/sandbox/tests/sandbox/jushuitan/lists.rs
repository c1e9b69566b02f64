//! Every list method: pages, windows, row versions, filters and the types of the page's samples.

use std::collections::BTreeSet;

use milkrun_sandbox::Sandbox;
use milkrun_sandbox::jushuitan::{HasNext, Settings, SortOrder, TsForm, WindowEnd, awkward};
use serde_json::{Value, json};

use crate::jushuitan::client::{ORDERS, WINDOW, ask, call, code, rows, settings, start, try_call};

/// Path, list, entity, primary key, greatest page, default page.
const METHODS: [(&str, &str, &str, &str, usize, usize); 22] = [
    (ORDERS, "orders", "orders", "o_id", 100, 30),
    ("/open/refund/single/query", "datas", "after-sale", "as_id", 50, 30),
    ("/open/aftersale/received/query", "datas", "return-receipts", "io_id", 50, 30),
    ("/open/sku/query", "datas", "skus", "sku_id", 50, 30),
    ("/open/mall/item/query", "datas", "items", "i_id", 50, 30),
    ("/open/skumap/query", "datas", "shop-skus", "shop_sku_id", 50, 30),
    ("/open/combine/sku/query", "datas", "combos", "sku_id", 50, 30),
    ("/open/inventory/query", "inventorys", "inventory", "sku_id", 100, 30),
    ("/open/inventory/count/query", "datas", "stocktakes", "io_id", 50, 30),
    ("/open/purchase/query", "datas", "purchase-orders", "po_id", 50, 30),
    ("/open/purchasein/query", "datas", "purchase-in", "io_id", 50, 30),
    ("/open/webapi/wmsapi/purchasein/purchaseinquery", "datas", "purchase-in", "io_id", 50, 30),
    ("/open/purchaseout/query", "datas", "purchase-returns", "io_id", 50, 30),
    ("/open/orders/out/simple/query", "datas", "stock-out", "io_id", 50, 30),
    ("/open/other/inout/query", "datas", "other-in-out", "io_id", 50, 30),
    ("/open/allocate/query", "datas", "transfers", "io_id", 50, 30),
    ("/open/logistic/query", "orders", "logistics", "o_id", 50, 30),
    ("/open/shops/query", "datas", "shops", "shop_id", 100, 100),
    ("/open/supplier/query", "datas", "suppliers", "supplier_id", 500, 30),
    ("/open/wms/partner/query", "datas", "warehouses", "wms_co_id", 50, 30),
    ("/open/logisticscompany/query", "datas", "carriers", "lc_id", 50, 30),
    ("/open/category/query", "datas", "categories", "c_id", 50, 30),
];

/// A window of a day, by modification, which every method with windows accepts.
fn biz(page: usize, size: usize) -> String {
    format!("{{{WINDOW},\"date_type\":0,\"page_index\":{page},\"page_size\":{size}}}")
}

fn key(row: &Value, field: &str) -> String {
    row[field].as_str().map_or_else(|| row[field].to_string(), ToOwned::to_owned)
}

#[tokio::test]
async fn every_method_gives_every_row_once() {
    let sandbox = start(settings()).await;
    for (path, list, entity, id, most, default) in METHODS {
        let truth = sandbox.control().truth(entity).unwrap();
        let wanted: BTreeSet<&str> = truth.iter().map(|row| row.key.rsplit('/').next().unwrap()).collect();
        let mut seen = BTreeSet::new();
        for page in 1.. {
            let answer = ask(&sandbox, path, &biz(page, most)).await;
            let rows = rows(&answer, list);
            let data = &answer["data"];
            assert_eq!((&data["page_index"], &data["page_size"]), (&json!(page), &json!(most)));
            if matches!(entity, "shops" | "inventory") {
                assert!(data.get("data_count").is_none() && data.get("page_count").is_none(), "{path}");
            } else {
                assert_eq!(data["data_count"], json!(truth.len()), "{path}");
                assert_eq!(data["page_count"], json!(truth.len().div_ceil(most)), "{path}");
            }
            assert_eq!(data["has_next"], json!(page * most < truth.len()), "{path}");
            assert!(rows.iter().all(|row| seen.insert(key(row, id))), "{path}: a row came twice");
            if data["has_next"] == false {
                break;
            }
        }
        assert_eq!(seen.iter().map(String::as_str).collect::<BTreeSet<_>>(), wanted, "{path}");
        let past = ask(&sandbox, path, &biz(1_000, most)).await;
        assert_eq!((rows(&past, list).len(), &past["data"]["has_next"]), (0, &json!(false)));
        assert_eq!(code(&ask(&sandbox, path, &biz(1, most + 1)).await), 140, "{path}");
        let answer = ask(&sandbox, path, &format!("{{{WINDOW},\"date_type\":0}}")).await;
        assert_eq!(answer["data"]["page_size"], default, "{path}");
    }
}

#[tokio::test]
async fn pages_and_windows_that_do_not_conform() {
    let sandbox = start(settings()).await;
    let day = |from: &str, until: &str| format!("{{\"modified_begin\":\"{from}\",\"modified_end\":\"{until}\"}}");
    let (week, more) = ("2026-07-25 00:00:00", "2026-07-24 23:59:59");
    let end = "2026-08-01 00:00:00";
    for (path, biz, expected) in [
        (ORDERS, "{}".to_owned(), 130),
        (ORDERS, "{\"page_index\":1,\"page_size\":50}".to_owned(), 130),
        (ORDERS, day(week, end), 0),
        (ORDERS, day(more, end), 140),
        (ORDERS, day(end, week), 140),
        (ORDERS, day("2026-08-01T00:00:00", end), 140),
        (ORDERS, "{\"modified_begin\":\"2026-07-31 00:00:00\"}".to_owned(), 140),
        (ORDERS, "{\"modified_end\":\"2026-07-31 00:00:00\"}".to_owned(), 140),
        (ORDERS, format!("{{{WINDOW},\"page_index\":0}}"), 140),
        (ORDERS, format!("{{{WINDOW},\"page_index\":\"2\"}}"), 0),
        (ORDERS, format!("{{{WINDOW},\"page_index\":1.5}}"), 140),
        (ORDERS, format!("{{{WINDOW},\"page_size\":-1}}"), 140),
        (ORDERS, format!("{{{WINDOW},\"date_type\":1}}"), 140),
        (ORDERS, format!("{{{WINDOW},\"date_type\":3}}"), 0),
        (ORDERS, format!("{{{WINDOW},\"pageindex\":7}}"), 0),
        (ORDERS, "{\"start_ts\":-1}".to_owned(), 140),
        (ORDERS, "{\"so_ids\":[]}".to_owned(), 140),
        ("/open/supplier/query", day("2026-07-31 00:00:00", end), 0),
        ("/open/supplier/query", day("2026-07-30 23:59:59", end), 140),
        ("/open/sku/query", "{}".to_owned(), 0),
        ("/open/sku/query", "{\"sku_ids\":[\"A00001-红-L\"]}".to_owned(), 140),
        ("/open/inventory/query", format!("{{{WINDOW},\"ts\":1}}"), 140),
        ("/open/inventory/query", "{\"wms_co_id\":7}".to_owned(), 140),
        ("/open/purchasein/query", format!("{{{WINDOW},\"start_ts\":1}}"), 140),
        ("/open/purchasein/query", "{\"start_ts\":1,\"is_get_total\":false,\"page_size\":50}".to_owned(), 0),
        ("/open/other/inout/query", "{\"start_ts\":1,\"io_ids\":[6500001]}".to_owned(), 140),
    ] {
        assert_eq!(code(&ask(&sandbox, path, &biz).await), expected, "{path} {biz}");
    }
}

#[tokio::test]
async fn numbers_are_counted() {
    let sandbox = start(settings()).await;
    let numbers = |field: &str, n: usize, first: i64| {
        let numbers: Vec<String> = (0..n).map(|idx| format!("\"{}\"", first + i64::try_from(idx).unwrap())).collect();
        format!("{{\"{field}\":[{}]}}", numbers.join(","))
    };
    for (path, field, most, first) in [
        (ORDERS, "so_ids", 20, 1),
        ("/open/orders/out/simple/query", "so_ids", 50, 1),
        ("/open/purchase/query", "po_ids", 30, 4_500_000_001),
        ("/open/purchasein/query", "io_ids", 30, 6_300_001),
    ] {
        assert_eq!(code(&ask(&sandbox, path, &numbers(field, most, first)).await), 0, "{path}");
        assert_eq!(code(&ask(&sandbox, path, &numbers(field, most + 1, first)).await), 140, "{path}");
    }
    let skus = |n: usize| format!("{{\"sku_ids\":\"{}\"}}", vec!["A00002-黑-M"; n].join(","));
    for (path, list, most) in [("/open/sku/query", "datas", 20), ("/open/inventory/query", "inventorys", 100)] {
        assert_eq!(rows(&ask(&sandbox, path, &skus(most)).await, list).len(), 1);
        assert_eq!(code(&ask(&sandbox, path, &skus(most + 1)).await), 140, "{path}");
    }
    let one = ask(&sandbox, ORDERS, "{\"o_ids\":[10258648],\"so_ids\":\"2461234567891000003,77\"}").await;
    assert_eq!(rows(&one, "orders")[0]["so_id"], "2461234567891000003");
    assert_eq!(rows(&ask(&sandbox, ORDERS, "{\"o_ids\":[5]}").await, "orders").len(), 0);
    let receipts = ask(&sandbox, "/open/purchasein/query", "{\"po_ids\":[4500000012]}").await;
    assert_eq!(rows(&receipts, "datas")[0]["po_id"], json!(4_500_000_012_i64));
}

#[tokio::test]
async fn row_versions_are_inclusive_and_cross_what_a_float_holds() {
    let sandbox = start(settings()).await;
    for (path, list, field, entity) in [
        (ORDERS, "orders", "start_ts", "orders"),
        ("/open/refund/single/query", "datas", "start_ts", "after-sale"),
        ("/open/aftersale/received/query", "datas", "start_ts", "return-receipts"),
        ("/open/inventory/query", "inventorys", "ts", "inventory"),
        ("/open/purchasein/query", "datas", "start_ts", "purchase-in"),
        ("/open/orders/out/simple/query", "datas", "start_ts", "stock-out"),
        ("/open/other/inout/query", "datas", "start_ts", "other-in-out"),
    ] {
        let n_rows = sandbox.control().truth(entity).unwrap().len();
        let (mut start_ts, mut seen, mut boundary) = (0_i64, 0, None);
        loop {
            let biz = format!("{{\"{field}\":{start_ts},\"is_get_total\":false,\"page_index\":1,\"page_size\":50}}");
            let answer = ask(&sandbox, path, &biz).await;
            let rows = rows(&answer, list);
            assert!(answer["data"].get("data_count").is_none());
            let versions: Vec<i64> = rows.iter().map(|row| row["ts"].as_i64().unwrap()).collect();
            assert!(versions.is_sorted() && versions[0] >= start_ts);
            if let Some(boundary) = boundary {
                assert_eq!(boundary, rows[0], "{path}: the boundary row comes again");
                seen -= 1;
            }
            seen += rows.len();
            start_ts = *versions.last().unwrap();
            boundary = rows.last().cloned();
            if rows.len() < 50 {
                break;
            }
        }
        assert_eq!(seen, n_rows, "{path}");
        assert!(start_ts > 1 << 53, "{path}");
    }
    let changed = sandbox.control().change("orders", 1).unwrap();
    let found = ask(&sandbox, ORDERS, &format!("{{\"o_ids\":[{}]}}", changed[0])).await;
    let found = rows(&found, "orders")[0].clone();
    assert_eq!((found["remark"].as_str(), found["modified"].as_str()), (Some("v1"), Some("2026-08-01 12:00:00")));
    let newest = ask(&sandbox, ORDERS, &format!("{{\"start_ts\":\"{}\"}}", found["ts"])).await;
    assert_eq!(rows(&newest, "orders"), [found], "its version is the newest of all");
}

#[tokio::test]
async fn inventory_per_warehouse_adds_up() {
    let sandbox = start(Settings { n_items: 10, ..settings() }).await;
    assert_eq!(sandbox.control().change("inventory-10012", 4).unwrap().len(), 4);
    let qty = async |sandbox: &Sandbox, warehouse: &str| -> Vec<i64> {
        let answer = ask(sandbox, "/open/inventory/query", &format!("{{{warehouse}\"page_size\":100}}")).await;
        let mut rows = rows(&answer, "inventorys").to_vec();
        assert!(rows.iter().all(|row| row.get("wms_co_id").is_none()));
        rows.sort_by_key(|row| key(row, "sku_id"));
        rows.iter().map(|row| row["qty"].as_i64().unwrap()).collect()
    };
    let all = qty(&sandbox, "").await;
    assert_eq!(all, qty(&sandbox, "\"wms_co_id\":0,").await);
    let mut sum = vec![0; 30];
    for warehouse in ["10011", "\"10012\"", "10013"] {
        let part = qty(&sandbox, &format!("\"wms_co_id\":{warehouse},")).await;
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    assert_eq!(all, sum);
}

#[tokio::test]
async fn a_change_moves_in_the_sort() {
    for (order, first) in [(SortOrder::Ascending, false), (SortOrder::Descending, true)] {
        let sandbox = start(Settings { order, ..settings() }).await;
        let changed = sandbox.control().change("orders", 1).unwrap();
        let biz = |page: usize| {
            let window = "\"modified_begin\":\"2026-07-31 12:00:00\",\"modified_end\":\"2026-08-01 12:00:00\"";
            format!("{{{window},\"page_index\":{page},\"page_size\":100}}")
        };
        let page = ask(&sandbox, ORDERS, &biz(if first { 1 } else { 10 })).await;
        let page = rows(&page, "orders");
        let row = if first { &page[0] } else { page.last().unwrap() };
        assert_eq!((key(row, "o_id"), row["modified"].as_str()), (changed[0].clone(), Some("2026-08-01 12:00:00")));
        let times: Vec<&str> = page.iter().map(|row| row["modified"].as_str().unwrap()).collect();
        assert!(if first { times.iter().rev().is_sorted() } else { times.is_sorted() });
    }
}

#[tokio::test]
async fn the_end_of_a_window_is_an_instant_or_a_second() {
    for (window_end, expected) in [(WindowEnd::Instant, 0), (WindowEnd::WholeSecond, 1)] {
        let sandbox = start(Settings { window_end, ..settings() }).await;
        let truth = sandbox.control().truth("orders").unwrap();
        let row = truth.iter().find(|row| row.modified % 1_000 > 0).unwrap();
        let second = (row.modified / 1_000 - crate::jushuitan::client::NOON) + 12 * 3_600;
        let at = if second < 0 {
            let second = second + 24 * 3_600;
            format!("2026-07-31 {:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
        } else {
            format!("2026-08-01 {:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
        };
        let biz = format!("{{\"modified_begin\":\"{at}\",\"modified_end\":\"{at}\"}}");
        let answer = ask(&sandbox, ORDERS, &biz).await;
        let found = rows(&answer, "orders").iter().filter(|found| key(found, "o_id") == row.key).count();
        assert_eq!(found, expected, "{window_end:?}");
    }
}

#[tokio::test]
async fn other_dates_have_their_own_windows() {
    let sandbox = start(settings()).await;
    let sent = ask(&sandbox, ORDERS, &format!("{{{WINDOW},\"date_type\":3,\"page_size\":100}}")).await;
    let sent = rows(&sent, "orders");
    assert!(!sent.is_empty() && sent.iter().all(|row| row["send_date"].is_string() && row["status"] == "Sent"));
    let ordered = ask(&sandbox, ORDERS, &format!("{{{WINDOW},\"date_type\":2,\"page_size\":100}}")).await;
    let within = |row: &Value| {
        let date = row["order_date"].as_str().unwrap();
        ("2026-07-31 12:00:00".."2026-08-01 11:30:01").contains(&date)
    };
    assert!(!rows(&ordered, "orders").is_empty() && rows(&ordered, "orders").iter().all(within));
    let logistics = async |more: &str| {
        let answer = ask(&sandbox, "/open/logistic/query", &format!("{{{WINDOW}{more}}}")).await;
        answer["data"]["data_count"].as_u64().unwrap()
    };
    let (usual, send, modified) =
        (logistics("").await, logistics(",\"date_type\":3").await, logistics(",\"date_type\":0").await);
    assert!(usual == send && send != modified);
    let rows = ask(&sandbox, "/open/logistic/query", &format!("{{{WINDOW}}}")).await;
    assert!(rows["data"]["orders"][0].get("modified").is_none());
}

#[tokio::test]
async fn types_that_bite() {
    let sandbox = start(Settings { has_next: HasNext::Text, ts: TsForm::Text, ..settings() }).await;
    let reply = try_call(&sandbox, ORDERS, &[("biz", "{\"start_ts\":0,\"page_size\":100}")]).await.unwrap();
    let order =
        format!("\"pay_amount\":{},\"paid_amount\":{},\"freight\":\"", awkward::PAY_AMOUNT, awkward::PAID_AMOUNT);
    assert!(reply.body.contains(&order), "{}", reply.body);
    assert!(reply.body.contains(&format!("\"outer_oi_id\":\"{}\"", awkward::OUTER_OI_ID)));
    let answer = reply.json();
    assert_eq!(answer["data"]["has_next"], "true");
    let orders = rows(&answer, "orders");
    assert_eq!(orders[0]["so_id"], awkward::SO_ID);
    assert!(orders.iter().all(|row| row["ts"].is_string() && row["freight"].is_string() && row["o_id"].is_i64()));
    assert!(orders.iter().any(|row| row["pay_amount"].is_string()));
    assert!(orders.iter().any(|row| row["platform_free_amount"] == ""));
    assert!(orders.iter().any(|row| row["buyer_id"].is_i64()) && orders.iter().any(|row| row["buyer_id"].is_string()));
    assert!(orders.iter().any(|row| row["created"].as_str().unwrap().contains('.')));
    let skus = try_call(&sandbox, "/open/sku/query", &[("biz", "{}")]).await.unwrap();
    assert!(skus.body.contains(&format!("\"weight\":{}", awkward::WEIGHT)), "{}", skus.body);
    assert_eq!(skus.json()["data"]["datas"][0]["autoid"], awkward::AUTOID);
    let refunds = ask(&sandbox, "/open/refund/single/query", "{}").await;
    let refunds = rows(&refunds, "datas");
    assert!(refunds.iter().all(|row| row["freight"].is_number() && row["order_labels"].is_array()));
    let shops = ask(&sandbox, "/open/shops/query", "{}").await;
    assert_eq!(rows(&shops, "datas")[0]["session_expired"], "------永久授权------");
    assert_eq!(shops["data"]["has_next"], "false");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes() {
    let body = async |seed| {
        let sandbox = start(Settings { seed, has_next: HasNext::Number, ..settings() }).await;
        let more = [("biz", "{\"start_ts\":0,\"page_size\":100}")];
        let body = try_call(&sandbox, ORDERS, &more).await.unwrap().body;
        assert_eq!(call(&sandbox, ORDERS, &more).await["data"]["has_next"], 1);
        body
    };
    let (one, again, other) = (body(1).await, body(1).await, body(2).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
}
