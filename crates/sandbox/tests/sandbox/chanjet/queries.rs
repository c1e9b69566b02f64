//! `*/Query` and `*/QueryPage`: pages, filters, fields, row versions and every envelope.

use std::collections::BTreeSet;

use milkrun_sandbox::Sandbox;
use milkrun_sandbox::chanjet::{
    BoolForm, IdForm, PageEnvelope, QueryEnvelope, Settings, SortOrder, TsBound, TsForm, TsName, awkward,
};
use serde_json::{Value, json};

use crate::chanjet::client::{Reply, WINDOW, ask, code, rows, settings, start};

/// Path, wrapper, entity.
const QUERIES: [(&str, &str, &str); 10] = [
    ("inventory/Query", "param", "inventory"),
    ("partner/Query", "param", "partner"),
    ("warehouse/Query", "param", "warehouse"),
    ("person/Query", "param", "person"),
    ("department/Query", "param", "department"),
    ("Project/Query2", "param", "project"),
    ("UnitGroup/Query", "param", "unit-group"),
    ("currentStock/Query", "param", "current-stock"),
    ("purchaseOrder/Query", "param", "purchase-order"),
    ("bom/Query", "dto", "bom"),
];

/// Settings with a bare array for warehouses too.
fn bare() -> Settings {
    Settings { warehouse_envelope: QueryEnvelope::Array, ..settings() }
}

fn key(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap();
    if row.get("ID").is_some() {
        return text("ID").to_owned();
    }
    format!("{}/{}/{}", text("WarehouseCode"), text("InventoryCode"), text("Batch"))
}

#[tokio::test]
async fn every_query_gives_every_row_once_and_then_an_empty_array() {
    let sandbox = start(bare()).await;
    for (path, wrapper, entity) in QUERIES {
        let truth = sandbox.control().truth(entity).unwrap();
        let mut seen = BTreeSet::new();
        for page in 1.. {
            let body = format!("{{\"{wrapper}\":{{\"PageIndex\":{page},\"PageSize\":\"70\",{WINDOW}}}}}");
            let rows = rows(&ask(&sandbox, path, &body).await);
            assert!(rows.iter().all(|row| seen.insert(key(row))), "{path}: a row came twice");
            if rows.is_empty() {
                break;
            }
        }
        let wanted: BTreeSet<String> = truth.into_iter().map(|row| row.key).collect();
        assert_eq!(seen, wanted, "{path}");
        let other = if wrapper == "param" { "dto" } else { "param" };
        let body = format!("{{\"{other}\":{{\"PageIndex\":1}}}}");
        assert_eq!(code(&ask(&sandbox, path, &body).await), (200, "999".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn without_paging_a_query_stops_early() {
    let sandbox = start(bare()).await;
    assert_eq!(rows(&ask(&sandbox, "inventory/Query", "{\"param\":{}}").await).len(), 100);
    assert_eq!(rows(&ask(&sandbox, "bom/Query", "{\"dto\":{}}").await).len(), 20);
    for path in ["person/Query", "department/Query", "Project/Query2"] {
        assert_eq!(code(&ask(&sandbox, path, "{\"param\":{}}").await), (200, "999".to_owned()), "{path}");
    }
    let page = ask(&sandbox, "inventory/Query", "{\"param\":{\"PageIndex\":1,\"PageSize\":1000}}").await;
    assert_eq!(rows(&page).len(), 300);
}

#[tokio::test]
async fn parameters_that_are_refused() {
    let sandbox = start(bare()).await;
    for param in [
        "\"PageIndex\":0",
        "\"PageIndex\":\"x\"",
        "\"PageIndex\":1.5",
        "\"PageSize\":1001",
        "\"PageSize\":0",
        "\"UpdateDateBegin\":\"2026-07-31\"",
        "\"UpdateDateEnd\":1785556800",
        "\"MadeRecordDate\":\"yesterday\"",
        "\"Disabled\":\"no\"",
        "\"Ts\":\"xyz\"",
        "\"SelectFields\":7",
        "\"SelectFields\":[\"ID\"]",
        "\"Warehouse\":\"W0001\"",
    ] {
        let body = format!("{{\"param\":{{{param}}}}}");
        assert_eq!(code(&ask(&sandbox, "inventory/Query", &body).await), (200, "999".to_owned()), "{param}");
    }
    for body in ["", "[]", "{\"PageIndex\":1}", "PageIndex=1"] {
        assert_eq!(code(&ask(&sandbox, "inventory/Query", body).await).1, "999", "{body}");
    }
    let ignored = ask(&sandbox, "inventory/Query", "{\"param\":{\"pageindex\":7,\"PageSize\":5}}").await;
    assert_eq!(key(&rows(&ignored)[0]), "10482");
}

#[tokio::test]
async fn fields_are_selected_nested_or_flat() {
    let sandbox = start(bare()).await;
    let body = "{\"param\":{\"PageSize\":2,\"SelectFields\":\"ID,Code,Unit.Code,InventoryClassCode,Expired,Nothing\"}}";
    let reply = ask(&sandbox, "inventory/Query", body).await;
    let second = format!(
        "{{\"ID\":\"{}\",\"Code\":\"0101-0002\",\"InventoryClassCode\":\"0101\",\"Unit\":{{\"Code\":\"02\"}},\"Expired\":\"{}\"}}]",
        awkward::ID,
        awkward::EXPIRED
    );
    assert!(reply.body.ends_with(&second), "{}", reply.body);
    let all = rows(&ask(&sandbox, "inventory/Query", "{\"param\":{\"PageSize\":3}}").await);
    for name in ["Name", "Specification", "DefaultBarCode", "InventoryClass", "Unit", "UnitBySale", "priuserdefnvc1"] {
        assert!(all[0].get(name).is_some(), "{name}");
    }
    assert_eq!(all[0]["DynamicPropertyKeys"], json!(["freeitem0"]));
    assert_eq!((&all[0]["priuserdefnvc1"], &all[2]["priuserdefnvc1"]), (&json!(""), &json!(null)));
}

#[tokio::test]
async fn filters() {
    let sandbox = start(bare()).await;
    let count = async |param: &str| {
        let body = format!("{{\"param\":{{\"PageSize\":1000,{param}}}}}");
        rows(&ask(&sandbox, "inventory/Query", &body).await).len()
    };
    let (off, on) = (count("\"Disabled\":true").await, count("\"Disabled\":\"False\"").await);
    assert!(off > 0 && on > off && off + on == 300);
    assert_eq!(count("\"Code\":\"0101-0007\"").await, 1);
    assert_eq!(count(&format!("\"ID\":{}", awkward::ID)).await, 1);
    assert_eq!(count("\"Code\":\"0101-9999\"").await, 0);
    let days = count("\"MadeRecordDate\":\"2026-07-31\"").await;
    assert!(days > 0 && days < 300);
    let stock = async |param: &str| {
        let body = format!("{{\"param\":{{\"PageSize\":1000,{param}}}}}");
        rows(&ask(&sandbox, "currentStock/Query", &body).await)
    };
    let one =
        stock("\"Warehouse\":[{\"Code\":\"W0002\"}],\"Inventory\":[{\"Code\":\"0101-0003\"},{\"Code\":\"0101-0004\"}]")
            .await;
    assert_eq!(one.len(), 2);
    assert!(one.iter().all(|row| row["TotalCount"] == 2 && row["WarehouseCode"] == "W0002"));
    assert_eq!((&one[0]["Batch"], &one[1]["Batch"]), (&json!(""), &json!("B2601")));
    let body = format!("{{\"queryParam\":{{\"PageSize\":1000,{WINDOW}}}}}");
    assert_eq!(rows(&ask(&sandbox, "currentStock/QueryByTime", &body).await).len(), 900);
}

#[tokio::test]
async fn row_versions_page_forward_without_a_loss() {
    for (ts, ts_name, ts_bound) in
        [(TsForm::Hex, TsName::Ts, TsBound::Exclusive), (TsForm::Number, TsName::Upper, TsBound::Inclusive)]
    {
        let sandbox = start(Settings { ts, ts_name, ts_bound, ..bare() }).await;
        let name = if ts_name == TsName::Ts { "Ts" } else { "TS" };
        let (mut last, mut seen) = (json!(0), BTreeSet::new());
        loop {
            let body = format!("{{\"param\":{{\"PageSize\":40,\"Ts\":{last},\"SelectFields\":\"ID,Ts\"}}}}");
            let rows = rows(&ask(&sandbox, "inventory/Query", &body).await);
            let fresh = rows.iter().filter(|row| seen.insert(key(row))).count();
            let repeated = usize::from(ts_bound == TsBound::Inclusive && last != json!(0));
            assert_eq!(fresh + repeated, rows.len());
            let Some(row) = rows.last().filter(|_| fresh > 0) else { break };
            last = row[name].clone();
        }
        assert_eq!(seen.len(), 300);
        let number = match &last {
            Value::String(hex) => i64::from_str_radix(hex, 16).unwrap(),
            number => number.as_i64().unwrap(),
        };
        assert!(last.as_str().is_none_or(|hex| hex.len() == 16) && number > (1 << 53) - 20_001);
        let changed = sandbox.control().change("inventory", 1).unwrap();
        let body = format!("{{\"param\":{{\"PageSize\":40,\"Ts\":{last}}}}}");
        let row = rows(&ask(&sandbox, "inventory/Query", &body).await).pop().unwrap();
        assert_eq!((key(&row), &row["Memo"]), (changed[0].clone(), &json!("v1")));
    }
}

#[tokio::test]
async fn query_page_counts() {
    let sandbox = start(settings()).await;
    for (path, entity, default) in [
        ("inventory/QueryPage", "inventory", 100),
        ("partner/QueryPage", "partner", 50),
        ("bom/QueryPage", "bom", 20),
        ("saleOrder/QueryPage", "sale-order", 100),
    ] {
        let total = sandbox.control().truth(entity).unwrap().len();
        let page = ask(&sandbox, path, "{\"param\":{\"PageIndex\":2,\"PageSize\":15}}").await.json();
        assert_eq!((page["Data"].as_array().unwrap().len(), &page["TotalCount"]), (15, &json!(total)), "{path}");
        let first = ask(&sandbox, path, "{\"param\":{}}").await.json();
        assert_eq!(first["Data"].as_array().unwrap().len(), default, "{path}");
        let past = ask(&sandbox, path, "{\"param\":{\"PageIndex\":100,\"PageSize\":15}}").await.json();
        assert_eq!((&past["Data"], &past["TotalCount"]), (&json!([]), &json!(total)));
    }
    let order = ask(&sandbox, "saleOrder/QueryPage", "{\"param\":{\"PageSize\":1}}").await;
    let line = format!("\"Quantity\":{},", awkward::QUANTITY);
    let amount = format!("\"OrigTaxAmount\":{},", awkward::AMOUNT);
    assert!(order.body.contains(&line) && order.body.contains(&amount), "{}", order.body);
    let boms = ask(&sandbox, "bom/QueryPage", "{\"param\":{}}").await.json();
    let states: BTreeSet<&str> =
        boms["Data"].as_array().unwrap().iter().map(|bom| bom["VoucherState"]["Code"].as_str().unwrap()).collect();
    assert!(states.contains("00") && boms["Data"][0]["BOMChilds"].as_array().unwrap().len() == 2);
}

#[tokio::test]
async fn every_envelope() {
    let body = "{\"param\":{\"PageIndex\":1,\"PageSize\":3}}";
    let read = async |query_envelope, page_envelope| -> (Sandbox, Reply, Reply) {
        let more = Settings { query_envelope, warehouse_envelope: query_envelope, page_envelope, ..settings() };
        let sandbox = start(more).await;
        let (query, page) =
            (ask(&sandbox, "warehouse/Query", body).await, ask(&sandbox, "inventory/QueryPage", body).await);
        (sandbox, query, page)
    };
    let (_sandbox, array, plain) = read(QueryEnvelope::Array, PageEnvelope::Plain).await;
    let wanted = array.json();
    assert_eq!(wanted.as_array().unwrap().len(), 3);
    assert_eq!(plain.json()["Data"].as_array().unwrap().len(), 3);
    let (_sandbox, data, under) = read(QueryEnvelope::Data, PageEnvelope::Result).await;
    assert_eq!(data.json(), json!({ "Data": wanted }));
    assert_eq!(under.json(), json!({ "result": plain.json() }));
    let (_sandbox, result, _) = read(QueryEnvelope::Result, PageEnvelope::Plain).await;
    assert_eq!(result.json(), json!({ "result": wanted }));
    let (_sandbox, nested, _) = read(QueryEnvelope::ResultData, PageEnvelope::Plain).await;
    assert_eq!(nested.json(), json!({ "result": { "Data": wanted } }));
    let (_sandbox, text, _) = read(QueryEnvelope::ResultText, PageEnvelope::Plain).await;
    let inner: Value = serde_json::from_str(text.json()["result"].as_str().unwrap()).unwrap();
    assert_eq!(inner, wanted);
}

#[tokio::test]
async fn forms_and_orders() {
    let more = Settings { ids: IdForm::Number, booleans: BoolForm::Json, order: SortOrder::Updated, ..bare() };
    let sandbox = start(more).await;
    let changed = sandbox.control().change("inventory", 1).unwrap();
    let page = rows(&ask(&sandbox, "inventory/Query", "{\"param\":{\"PageSize\":1000}}").await);
    assert!(page.iter().all(|row| row["ID"].is_i64() && row["Disabled"].is_boolean()));
    assert_eq!(page.last().unwrap()["ID"].to_string(), changed[0], "the newest is the last");
    let sandbox = start(bare()).await;
    sandbox.control().change("inventory", 1).unwrap();
    let page = rows(&ask(&sandbox, "inventory/Query", "{\"param\":{\"PageSize\":1000}}").await);
    let ids: Vec<i64> = page.iter().map(|row| row["ID"].as_str().unwrap().parse().unwrap()).collect();
    assert!(ids.is_sorted() && page.iter().all(|row| row["Disabled"] == "True" || row["Disabled"] == "False"));
}
