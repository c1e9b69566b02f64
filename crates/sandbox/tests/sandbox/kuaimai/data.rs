//! The data: shapes, exact numbers, determinism, and every entity read to its end.

use std::collections::{BTreeMap, BTreeSet};

use milkrun_sandbox::Sandbox;
use milkrun_sandbox::kuaimai::{DetailShape, Settings, awkward};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::kuaimai::client::{NOON, beijing, call, settings, start};

/// The raw text of a field of an object.
fn raw<'a>(object: &'a RawValue, field: &str) -> &'a RawValue {
    let fields: BTreeMap<String, &'a RawValue> = serde_json::from_str(object.get()).unwrap();
    fields[field]
}

fn elements(list: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(list.get()).unwrap()
}

/// All rows of a list method, page by page, with the totals seen.
async fn walk(
    sandbox: &Sandbox,
    method: &str,
    key: &str,
    size: usize,
    more: &[(&str, &str)],
) -> (Vec<Value>, Vec<Value>) {
    let (mut rows, mut totals, size_text) = (Vec::new(), Vec::new(), size.to_string());
    for page in 1.. {
        let page = page.to_string();
        let paging = [("pageNo", page.as_str()), ("pageSize", size_text.as_str())];
        let reply = call(sandbox, method, &[more, &paging].concat()).await;
        assert_eq!(reply.code(), "ok", "{method}: {}", reply.body);
        let answer = reply.json();
        totals.extend(answer.get("total").cloned());
        let Some(page) = answer.get(key) else { break };
        let page = page.as_array().unwrap();
        rows.extend(page.iter().cloned());
        if page.len() < size {
            break;
        }
    }
    (rows, totals)
}

#[tokio::test]
async fn an_order_has_the_shape_of_the_sample() {
    let sandbox = start(settings()).await;
    let sid = awkward::SID.to_string();
    let reply = call(&sandbox, "erp.trade.list.query", &[("sid", &sid)]).await;
    let answer = reply.json();
    assert_eq!(answer["total"], 1);
    let order = &answer["list"][0];
    assert_eq!(order["sid"], awkward::SID);
    for text in ["tid", "shopName", "source", "type", "payment", "payAmount", "postFee", "discountFee", "totalFee"] {
        assert!(order[text].is_string(), "{text}: {}", order[text]);
    }
    for number in
        ["shortId", "userId", "warehouseId", "created", "payTime", "consignTime", "updTime", "modified", "splitSid"]
    {
        assert!(order[number].is_i64(), "{number}: {}", order[number]);
    }
    assert!(order["exceptions"].is_array());
    assert_eq!(order["sellerMemo"], "v0");
    let line = &order["orders"][0];
    for text in ["tid", "sysOuterId", "sysItemOuterId", "sysTitle", "price", "payment", "divideOrderFee"] {
        assert!(line[text].is_string(), "{text}: {}", line[text]);
    }
    assert!(line["id"].as_i64().unwrap() > 1 << 53);
    assert_eq!(line["sid"], order["sid"]);
}

#[tokio::test]
async fn awkward_numbers_go_out_as_written() {
    let sandbox = start(Settings { seed: 77, ..settings() }).await;
    let reply = call(&sandbox, "erp.trade.list.query", &[("sid", &awkward::SID.to_string())]).await;
    let answer: &RawValue = serde_json::from_str(&reply.body).unwrap();
    let order = elements(raw(answer, "list"))[0];
    let lines = elements(raw(order, "orders"));
    assert_eq!(raw(order, "weight").get(), "0.10");
    assert_eq!(raw(order, "cost").get(), "1000000000000000.01");
    assert_eq!(raw(order, "grossProfit").get(), "1E+2");
    assert_eq!(raw(lines[0], "oid").get(), "6920000000000000001");
    assert_eq!(raw(lines[1], "oid").get(), "1234567890123456789012");
}

#[tokio::test]
async fn an_order_takes_about_1600_bytes() {
    let sandbox = start(settings()).await;
    let window = [("startTime", "2026-08-01 00:00:00"), ("endTime", "2026-08-01 12:00:00"), ("pageSize", "200")];
    let bytes = call(&sandbox, "erp.trade.list.query", &window).await.body.len() / 200;
    assert!((1_500..1_800).contains(&bytes), "{bytes}");
}

#[tokio::test]
async fn the_seed_and_the_clock_decide_all_data() {
    let window = [("startTime", "2026-08-01 00:00:00"), ("endTime", "2026-08-01 12:00:00")];
    let mut bodies = Vec::new();
    for seed in [5, 5, 6] {
        let sandbox = start(Settings { seed, ..settings() }).await;
        let orders = call(&sandbox, "erp.trade.list.query", &window).await.body;
        bodies.push(orders + &call(&sandbox, "item.list.query", &[]).await.body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_ne!(bodies[0], bodies[2]);
}

#[tokio::test]
async fn every_entity_is_read_to_its_end() {
    let sandbox = start(settings()).await;
    let day = (beijing((NOON - 24 * 3_600) * 1_000), beijing(NOON * 1_000));
    let year = |days: i64| beijing((NOON - days * 24 * 3_600) * 1_000);
    let orders = [("startTime", day.0.as_str()), ("endTime", day.1.as_str())];
    let returns = [("startTime", day.0.as_str()), ("endTime", day.1.as_str()), ("timeType", "modifyTime")];
    let all = [("startModified", "2020-01-01 00:00:00")];
    for (method, key, id, entity, size, more) in [
        ("erp.trade.list.query", "list", "sid", "orders", 200, &orders[..]),
        ("erp.trade.outstock.simple.query", "list", "sid", "outstock", 200, &orders),
        ("erp.wave.logistics.order.query", "list", "id", "sales-out", 200, &[]),
        ("erp.aftersale.list.query", "list", "id", "after-sale", 7, &[]),
        ("erp.aftersale.refund.warehouse.query", "list", "id", "return-receipts", 10, &returns),
        ("item.list.query", "items", "sysItemId", "items", 100, &[]),
        ("stock.api.status.query", "stockStatusVoList", "sysSkuId", "stock", 100, &[]),
        ("stock.api.status.query", "stockStatusVoList", "sysSkuId", "stock-36003", 100, &[("warehouseId", "36003")]),
        ("purchase.order.query", "list", "id", "purchase-orders", 50, &[]),
        ("warehouse.entry.list.query", "list", "id", "receipts", 200, &[]),
        ("purchase.return.list.query", "list", "id", "purchase-returns", 200, &[]),
        ("other.in.order.query", "list", "id", "other-in", 200, &[]),
        ("other.out.order.query", "list", "id", "other-out", 50, &[]),
        ("erp.allocate.task.query", "list", "id", "transfers", 20, &all),
        ("inventory.sheet.query", "list", "id", "stocktakes", 200, &[]),
        ("erp.shop.list.query", "list", "userId", "shops", 3, &[]),
        ("supplier.list.query", "list", "id", "suppliers", 200, &[]),
    ] {
        let (rows, totals) = walk(&sandbox, method, key, size, more).await;
        let truth = sandbox.control().truth(entity).unwrap();
        let keys: BTreeSet<String> = rows.iter().map(|row| row[id].to_string()).collect();
        let expected: BTreeSet<String> = truth.iter().map(|row| row.key.clone()).collect();
        assert_eq!(keys, expected, "{method}");
        assert_eq!(rows.len(), expected.len(), "{method} gives each row once");
        let as_text = method.starts_with("purchase.") || method.starts_with("warehouse.entry.");
        assert!(totals[0] == if as_text { Value::from(rows.len().to_string()) } else { rows.len().into() }, "{method}");
        let n_pages = if entity.starts_with("stock-") || entity == "stock" { 1 } else { rows.len().div_ceil(size) };
        assert_eq!(totals.len(), n_pages, "{method} carries its total");
    }
    let (warehouses, _) = walk(&sandbox, "erp.warehouse.list.query", "list", 200, &[]).await;
    assert_eq!(warehouses.len(), 3);
    for (method, entity) in [
        ("purchase.order.history.query", "purchase-orders-archive"),
        ("warehouse.entry.history.list.query", "receipts-archive"),
        ("purchase.return.history.list.query", "purchase-returns-archive"),
    ] {
        let mut keys = BTreeSet::new();
        for days in [365, 275, 185, 95] {
            let (from, until) = (year(days), year(days - 90));
            let window = [("startModified", from.as_str()), ("endModified", until.as_str())];
            let (rows, _) = walk(&sandbox, method, "list", 40, &window).await;
            keys.extend(rows.iter().map(|row| row["id"].to_string()));
        }
        assert_eq!(keys.len(), sandbox.control().truth(entity).unwrap().len(), "{method}");
    }
}

#[tokio::test]
async fn documents_keep_their_units() {
    let sandbox = start(settings()).await;
    let first = async |method: &str, more: &[(&str, &str)]| {
        let more = [more, &[("pageSize", "40")]].concat();
        call(&sandbox, method, &more).await.json()["list"].as_array().unwrap().clone()
    };
    let orders = first("purchase.order.query", &[]).await;
    assert!(orders.iter().any(|order| order["totalAmount"].is_i64()), "fen as numbers");
    assert!(orders.iter().any(|order| order["totalAmount"].is_string()), "and as text");
    let returns = first("purchase.return.list.query", &[]).await;
    assert!(returns[0]["gmModified"].is_i64() && returns[0].get("modified").is_none());
    let transfers = first("erp.allocate.task.query", &[("startModified", "2020-01-01 00:00:00")]).await;
    assert!(transfers.iter().any(|transfer| transfer["totalAmount"].is_f64()), "yuan");
    let after_sale = first("erp.aftersale.list.query", &[]).await;
    assert!(after_sale[0]["rawRefundMoney"].as_str().unwrap().contains('.'), "yuan in the head");
    assert!(after_sale[0]["items"][0]["rawRefundMoney"].is_i64(), "fen in the lines");
    let other = first("other.in.order.query", &[]).await;
    assert!(other.iter().any(|document| document["modified"].is_string()), "times as digit text now and then");
    let stocktakes = first("inventory.sheet.query", &[]).await;
    assert!(stocktakes[0]["created"].as_str().unwrap().starts_with("2026-07-"), "and as date text");
}

#[tokio::test]
async fn lines_come_by_id() {
    for (detail, document) in [(DetailShape::Lines, "/list"), (DetailShape::Document, "/list/0/items")] {
        let sandbox = start(Settings { detail, ..settings() }).await;
        for (list, get) in [
            ("purchase.order.query", "purchase.order.get"),
            ("warehouse.entry.list.query", "warehouse.entry.list.get"),
            ("purchase.return.list.query", "purchase.return.list.get"),
            ("other.in.order.query", "other.in.order.get"),
            ("other.out.order.query", "other.out.order.get"),
        ] {
            let head = call(&sandbox, list, &[]).await.json()["list"][0].clone();
            let reply = call(&sandbox, get, &[("id", &head["id"].to_string())]).await;
            assert_eq!(reply.code(), "ok");
            let answer = reply.json();
            let lines = answer.pointer(document).unwrap().as_array().unwrap();
            let count: i64 = lines.iter().map(|line| line["count"].as_i64().unwrap()).sum();
            assert_eq!(head["totalCount"], count, "{get}");
            assert!(lines.iter().all(|line| line["skuOuterId"].as_str().unwrap().starts_with("SKU")));
        }
        assert_eq!(call(&sandbox, "purchase.order.get", &[]).await.code(), "32");
        assert_eq!(call(&sandbox, "purchase.order.get", &[("id", "7")]).await.code(), "400");
    }
}

#[tokio::test]
async fn items_by_number_and_code() {
    let sandbox = start(settings()).await;
    let listed = call(&sandbox, "item.list.query", &[]).await.json()["items"][0].clone();
    let (id, code) = (listed["sysItemId"].to_string(), listed["outerId"].as_str().unwrap().to_owned());
    for named in [("sysItemId", &id), ("outerId", &code)] {
        let named = [(named.0, named.1.as_str())];
        assert_eq!(call(&sandbox, "item.single.get", &named).await.json()["item"], listed);
        assert_eq!(call(&sandbox, "erp.item.sku.list.get", &named).await.json()["itemSkus"], listed["skus"]);
    }
    let by_id = call(&sandbox, "erp.item.list.get", &[("sysItemIds", &format!("{id},7"))]).await;
    assert_eq!(by_id.json()["items"].as_array().unwrap(), std::slice::from_ref(&listed));
    let many = vec![id.as_str(); 21].join(",");
    assert_eq!(call(&sandbox, "erp.item.list.get", &[("sysItemIds", &many)]).await.code(), "33");
    assert_eq!(call(&sandbox, "item.single.get", &[]).await.code(), "32");
    assert_eq!(call(&sandbox, "item.single.get", &[("outerId", "ITEM-201")]).await.code(), "400");

    let stock = call(&sandbox, "erp.item.warehouse.list.get", &[("outerId", &code)]).await.json();
    assert_eq!(stock["skus"].as_array().unwrap().len(), listed["skus"].as_array().unwrap().len());
    assert_eq!(stock["skus"][0]["mainWareHousesStock"].as_array().unwrap().len(), 3);
    let sku = listed["skus"][0]["skuOuterId"].as_str().unwrap();
    let stock = call(&sandbox, "erp.item.warehouse.list.get", &[("skuOuterId", sku)]).await.json();
    assert_eq!(stock["skus"][0]["skuOuterId"], sku);
    assert_eq!(call(&sandbox, "erp.item.warehouse.list.get", &[("skuOuterId", "A,B")]).await.code(), "33");
    assert_eq!(call(&sandbox, "erp.item.warehouse.list.get", &[]).await.code(), "32");
}
