//! Lists in all their forms, details, and the current stock.

use std::collections::BTreeSet;

use milkrun_sandbox::yonyou::{IdForm, LineKeys, Settings, awkward};
use serde_json::{Value, json};

use crate::yonyou::client::{Client, ORDERS, settings};

fn rows(data: &Value) -> Vec<Value> {
    data["recordList"].as_array().unwrap().clone()
}

fn id(row: &Value) -> String {
    row["id"].as_str().map_or_else(|| row["id"].to_string(), str::to_owned)
}

fn walk(client: &Client, path: &str, size: u32, more: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1.. {
        let data = client.post(path, &format!(r#"{{"pageIndex":{page},"pageSize":{size}{more}}}"#)).data();
        all.extend(rows(&data));
        if data["pageCount"].as_u64().unwrap() <= page {
            assert_eq!(data["recordCount"], all.len());
            return all;
        }
        assert_eq!(rows(&data).len(), size as usize);
    }
    unreachable!("the last page ends the walk")
}

#[test]
fn rows_are_documents_or_lines() {
    let client = Client::new(settings());
    let documents = walk(&client, ORDERS, 7, r#","isSum":true"#);
    let keys: BTreeSet<String> = documents.iter().map(id).collect();
    let truth: BTreeSet<String> =
        client.control().truth("purchase-orders").unwrap().into_iter().map(|row| row.key).collect();
    assert_eq!((documents.len(), keys), (40, truth.clone()));
    assert!(documents.iter().all(|row| row.get("qty").is_none() && row.get("purchaseOrders").is_none()));

    for default in [r#","isSum":false"#, ""] {
        let lines = walk(&client, ORDERS, 7, default);
        assert!(lines.len() > 40);
        assert_eq!(lines.iter().map(id).collect::<BTreeSet<_>>(), truth);
        let ids: BTreeSet<String> = lines.iter().map(|row| row["purchaseOrders_id"].to_string()).collect();
        assert_eq!(ids.len(), lines.len());
        assert!(lines.iter().all(|row| row["qty"].is_number() && row["vendor_code"].is_string()));
    }
}

#[test]
fn a_document_may_be_split_over_two_pages() {
    let client = Client::new(settings());
    let lines = walk(&client, ORDERS, 1, "");
    let ids: Vec<String> = lines.iter().map(id).collect();
    assert!(ids.windows(2).any(|pair| pair[0] == pair[1]), "pages of one row split documents with two lines");
}

#[test]
fn line_keys_in_both_readings() {
    let keys = |line_keys| {
        let client = Client::new(Settings { line_keys, ..settings() });
        let row = walk(&client, ORDERS, 500, "")[0].clone();
        (row.get("qty").is_some(), row.get("purchaseOrders_qty").is_some(), row.get("purchaseOrders_memo").is_some())
    };
    assert_eq!(keys(LineKeys::Colliding), (true, false, true));
    assert_eq!(keys(LineKeys::All), (false, true, true));
}

#[test]
fn awkward_numbers_arrive_as_they_were_written() {
    let client = Client::new(settings());
    let filter =
        format!(r#"{{"pageIndex":1,"pageSize":10,"simpleVOs":[{{"field":"id","op":"eq","value1":{}}}]}}"#, awkward::ID);
    let body = client.post(ORDERS, &filter).answer.body;
    for (key, value) in [
        ("id", awkward::ID),
        ("oriUnitPrice", awkward::PRICE),
        ("oriTaxUnitPrice", awkward::TAX_PRICE),
        ("oriSum", awkward::SUM),
        ("invExchRate", awkward::RATE),
    ] {
        assert!(body.contains(&format!("\"{key}\":{value},")), "{key} in {body}");
    }
}

#[test]
fn ids_are_numbers_or_texts() {
    let forms = |ids| {
        let client = Client::new(Settings { ids, ..settings() });
        let texts = walk(&client, "/yonbip/sd/voucherorder/list", 500, r#","isSum":true"#);
        texts.iter().filter(|row| row["id"].is_string()).count()
    };
    assert_eq!((forms(IdForm::Numbers), forms(IdForm::Texts)), (0, 40));
    assert!((5..35).contains(&forms(IdForm::Mixed)));
}

#[test]
fn windows_by_pubts_and_short_filters() {
    let client = Client::new(settings());
    let all = walk(&client, ORDERS, 500, r#","isSum":true,"queryOrders":[{"field":"pubts","order":"asc"}]"#);
    let pubts: Vec<&str> = all.iter().map(|row| row["pubts"].as_str().unwrap()).collect();
    assert!(pubts.is_sorted());
    assert!(pubts.windows(2).any(|pair| pair[0] == pair[1]), "some share their second");
    let (from, until) = (pubts[10], pubts[20]);
    let expected = pubts.iter().filter(|at| (from..=until).contains(*at)).count();
    let between = format!(
        r#","isSum":true,"simpleVOs":[{{"field":"pubts","op":"between","value1":"{from}","value2":"{until}"}}]"#
    );
    assert_eq!(walk(&client, ORDERS, 3, &between).len(), expected);
    let pair = format!(
        r#","isSum":true,"simpleVOs":[{{"logicOp":"and","conditions":[{{"field":"pubts","op":"egt","value1":"{from}"}},{{"field":"pubts","op":"lt","value1":"{until}"}}]}}]"#
    );
    assert_eq!(walk(&client, ORDERS, 3, &pair).len(), pubts.iter().filter(|at| (from..until).contains(*at)).count());

    let day = all[5]["vouchdate"].as_str().unwrap();
    let open = format!(r#","isSum":true,"open_vouchdate_begin":"{day}","open_vouchdate_end":"{day}""#);
    let same_day = walk(&client, ORDERS, 500, &open);
    assert!(!same_day.is_empty() && same_day.iter().all(|row| row["vouchdate"] == day));

    let materials = "/yonbip/digitalModel/product/integration/querylist";
    let everything = walk(&client, materials, 500, "");
    let from = everything[3]["pubts"].as_str().unwrap();
    let newer = walk(&client, materials, 500, &format!(r#","beginTime":"{from}""#));
    assert_eq!(newer.len(), everything.iter().filter(|row| row["pubts"].as_str().unwrap() >= from).count());
}

#[test]
fn the_newest_comes_first_unless_an_order_is_asked_for() {
    let client = Client::new(settings());
    let order = |more: &str, field: &str| -> Vec<String> {
        walk(&client, ORDERS, 500, more).iter().map(|row| row[field].to_string()).collect()
    };
    assert!(order("", "pubts").iter().rev().is_sorted());
    assert!(order(r#","queryOrders":[{"field":"code","order":"asc"}]"#, "code").is_sorted());
}

#[test]
fn wrong_questions() {
    let client = Client::new(settings());
    for (body, code) in [
        (r#"{"pageSize":10}"#, "310003"),
        (r#"{"pageIndex":1}"#, "310003"),
        (r#"{"pageIndex":"1","pageSize":10}"#, "310008"),
        (r#"{"pageIndex":1.5,"pageSize":10}"#, "310008"),
        (r#"{"pageIndex":0,"pageSize":10}"#, "999"),
        (r#"{"pageIndex":1,"pageSize":501}"#, "999"),
        (r#"{"pageIndex":1,"pageSize":10,"isSum":"true"}"#, "999"),
        (r#"{"pageIndex":1,"pageSize":10,"simpleVOs":[{"field":"pubts","op":"ge","value1":"x"}]}"#, "999"),
        (r#"{"pageIndex":1,"pageSize":10,"simpleVOs":[{"field":"nope","op":"eq","value1":"x"}]}"#, "999"),
        (r#"{"pageIndex":1,"pageSize":10,"queryOrders":[{"field":"pubts","order":"up"}]}"#, "999"),
        (r#"{"pageIndex":1,"pageSize":10,"queryOrders":[{"field":"nope","order":"asc"}]}"#, "999"),
    ] {
        assert_eq!(client.post(ORDERS, body).code(), code, "{body}");
    }
    let past = client.post(ORDERS, r#"{"pageIndex":99,"pageSize":500}"#).data();
    assert!(rows(&past).is_empty());
}

#[test]
fn query_by_page_serves_the_fields_asked_for() {
    let client = Client::new(settings());
    let path = "/yonbip/digitalModel/vendor/queryByPage";
    let body = |page: u32| {
        format!(
            r#"{{"data":"id,code,name","page":{{"pageIndex":{page},"pageSize":4}},"condition":{{"simpleVOs":[]}},"queryOrders":[{{"field":"code","order":"asc"}}],"partParam":{{}}}}"#
        )
    };
    let first = client.post(path, &body(1)).data();
    assert_eq!((&first["recordCount"], &first["pageCount"], rows(&first).len()), (&json!(10), &json!(3), 4));
    let keys: Vec<String> = rows(&first)[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["code", "id", "name"]);
    assert_eq!(rows(&first)[0]["code"], "0001000101");
    assert_eq!(rows(&client.post(path, &body(3)).data()).len(), 2);
    assert_eq!(client.post(path, r#"{"pageIndex":1,"pageSize":4}"#).code(), "310003");
}

#[test]
fn details_hold_the_lines() {
    let client = Client::new(settings());
    let path = client.path("/yonbip/scm/purchaseorder/detail");
    let data = client.raw("GET", &format!("{path}&id={}", awkward::ID), b"").data();
    assert_eq!(data["id"].to_string(), awkward::ID);
    assert!(!data["purchaseOrders"].as_array().unwrap().is_empty());
    assert_eq!(client.raw("GET", &format!("{path}&id=1"), b"").code(), "1002");
    assert_eq!(client.raw("GET", &path, b"").code(), "310003");
}

#[test]
fn the_current_stock_is_a_bare_array() {
    let client = Client::new(settings());
    let path = "/yonbip/scm/stock/QueryCurrentStocksByCondition";
    let all = client.post(path, "{}").data();
    assert_eq!(all.as_array().unwrap().len(), 40);
    let one = client.post(path, r#"{"warehouse_code":"000001"}"#).data();
    let one = one.as_array().unwrap();
    assert!(
        !one.is_empty() && one.iter().all(|row| row["warehouse_code"] == "000001" && row["currentqty"].is_number())
    );
}

#[test]
fn pages_without_counts() {
    let client = Client::new(Settings { page_count: false, have_next_page: true, ..settings() });
    let page = |n: u32| client.post(ORDERS, &format!(r#"{{"pageIndex":{n},"pageSize":30,"isSum":true}}"#)).data();
    assert!(page(1).get("pageCount").is_none() && page(1)["recordCount"] == 40);
    assert_eq!((&page(1)["haveNextPage"], &page(2)["haveNextPage"]), (&json!(true), &json!(false)));
}

#[test]
fn the_same_seed_gives_the_same_data() {
    let page =
        |seed| Client::new(Settings { seed, ..settings() }).post(ORDERS, r#"{"pageIndex":1,"pageSize":500}"#).data();
    assert_eq!(page(1), page(1));
    assert_ne!(page(1), page(2));
}
