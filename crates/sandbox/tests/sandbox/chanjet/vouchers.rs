//! `FindVoucherList` and `GetVoucherDTO`.

use std::collections::BTreeSet;

use milkrun_sandbox::chanjet::{Columns, OkCode, Settings};
use serde_json::{Value, json};

use crate::chanjet::client::{WINDOW, ask, code, settings, start};

#[tokio::test]
async fn rows_come_by_position() {
    let sandbox = start(settings()).await;
    for (voucher, root, entity) in [
        ("SaleOrder", "SaleOrder", "sale-order"),
        ("SaleDelivery", "SaleDelivery", "sale-delivery"),
        ("PurchaseOrder", "PurchaseOrder", "purchase-order"),
        ("PurchaseArrival", "PurchaseArrival", "purchase-arrival"),
        ("PurchaseArrival", "RDRecord", "purchase-arrival"),
        ("PurchaseReceive", "RDRecord", "purchase-receive"),
        ("OtherReceive", "RDRecord", "other-receive"),
        ("OtherDispatch", "RDRecord", "other-dispatch"),
        ("SaleDispatch", "RDRecord", "sale-dispatch"),
    ] {
        let truth = sandbox.control().truth(entity).unwrap();
        let columns = json!([format!("{root}.ID"), format!("{root}.Code"), format!("{root}.Ts")]);
        let mut seen = BTreeSet::new();
        for page in 1.. {
            let body = format!(
                "{{\"selectFields\":{columns},\"paramDic\":{{{WINDOW}}},\"pageIndex\":{page},\"pageSize\":40}}"
            );
            let answer = ask(&sandbox, &format!("{voucher}OpenApi/FindVoucherList"), &body).await.json();
            assert_eq!((&answer["code"], &answer["data"]["Columns"]), (&json!("0"), &columns), "{answer}");
            let data = &answer["data"];
            assert_eq!(data["TotalCount"], json!(truth.len()));
            assert_eq!(data["TotalPageNum"], json!(truth.len().div_ceil(40)));
            let rows = data["Rows"].as_array().unwrap();
            assert!(rows.iter().all(|row| row.as_array().unwrap().len() == 3 && row[2].is_string()));
            assert!(rows.iter().all(|row| seen.insert(row[0].as_str().unwrap().to_owned())));
            if json!(page) == data["TotalPageNum"] {
                break;
            }
        }
        assert_eq!(seen, truth.into_iter().map(|row| row.key).collect(), "{voucher}");
    }
}

#[tokio::test]
async fn columns_and_codes_are_a_choice() {
    let sandbox = start(Settings { columns: Columns::Bare, ok_code: OkCode::TwoHundred, ..settings() }).await;
    let path = "SaleDeliveryOpenApi/FindVoucherList";
    let body = "{\"selectFields\":[\"SaleDelivery.Customer.Code\",\"SaleDelivery.Nothing\",\"Code\"],\
                \"paramDic\":{\"SaleDelivery.Code\":\"SA-2026-0003\"}}";
    let answer = ask(&sandbox, path, body).await.json();
    assert_eq!(answer["code"], "200");
    assert_eq!(answer["data"]["Columns"], json!(["Customer.Code", "Nothing", "Code"]));
    let rows = answer["data"]["Rows"].as_array().unwrap();
    assert!(rows.len() == 1 && rows[0][0].is_string() && rows[0][1].is_null() && rows[0][2].is_null());
    let usual = ask(&sandbox, path, "{\"selectFields\":[\"SaleDelivery.ID\"]}").await.json();
    assert_eq!(usual["data"]["Rows"].as_array().unwrap().len(), 50);
    for body in [
        "{\"pageIndex\":1}",
        "{\"selectFields\":[]}",
        "{\"selectFields\":\"SaleDelivery.ID\"}",
        "{\"selectFields\":[\"SaleDelivery.ID\"],\"paramDic\":[]}",
    ] {
        assert_eq!(code(&ask(&sandbox, path, body).await), (200, "999".to_owned()), "{body}");
    }
}

#[tokio::test]
async fn one_voucher_by_id_or_code() {
    let sandbox = start(settings()).await;
    let get = async |param: &str| {
        ask(&sandbox, "SaleDeliveryOpenApi/GetVoucherDTO", &format!("{{\"param\":{{{param}}}}}")).await
    };
    let by_code = get("\"voucherCode\":\"SA-2026-0002\"").await.json();
    assert_eq!((&by_code["code"], &by_code["data"]["Code"]), (&json!("0"), &json!("SA-2026-0002")));
    let id = by_code["data"]["ID"].as_str().unwrap();
    assert_eq!(get(&format!("\"voucherID\":\"{id}\"")).await.json(), by_code);
    assert_eq!(get(&format!("\"voucherID\":{id}")).await.json(), by_code);
    assert!(!by_code["data"]["SaleDeliveryDetails"].as_array().unwrap().is_empty());
    assert_eq!(code(&get("\"voucherCode\":\"SA-2026-9999\"").await), (200, "999".to_owned()));
    assert_eq!(code(&get("").await), (200, "999".to_owned()));
    let arrival =
        ask(&sandbox, "PurchaseReceiveOpenApi/GetVoucherDTO", "{\"param\":{\"voucherCode\":\"PR-2026-0001\"}}");
    let lines: Value = arrival.await.json()["data"]["RDRecordDetails"].clone();
    assert_eq!(lines.as_array().unwrap().len(), 2);
}
