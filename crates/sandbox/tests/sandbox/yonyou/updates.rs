//! Updates: the optimistic lock, and what becomes of each line.

use std::time::Duration;

use milkrun_sandbox::yonyou::Settings;
use serde_json::{Value, json};

use crate::yonyou::client::{Client, PURCHASE, order, settings};

fn made(client: &Client) -> Value {
    client.post(PURCHASE, &order("first", "1")).data()
}

fn update(client: &Client, key: &str, id: &Value, pubts: &str, more: &str) -> crate::yonyou::client::Reply {
    let body =
        format!(r#"{{"data":{{"resubmitCheckKey":"{key}","_status":"Update","id":{id},"pubts":"{pubts}"{more}}}}}"#);
    client.post(PURCHASE, &body)
}

#[test]
fn an_update_needs_the_current_pubts() {
    let client = Client::new(settings());
    let document = made(&client);
    let (id, pubts) = (&document["id"], document["pubts"].as_str().unwrap());
    client.control().advance_clock(Duration::from_mins(1));
    let updated = update(&client, "u1", id, pubts, r#","vendor_code":"0001000102","exchRate":null"#).data();
    assert_eq!((&updated["vendor_code"], &updated["exchRate"]), (&json!("0001000102"), &Value::Null));
    assert_eq!((&updated["pubts"], &updated["code"]), (&json!("2026-08-01 12:01:00"), &document["code"]));
    assert_eq!(update(&client, "u2", id, pubts, "").code(), "999", "the old pubts");
    let fresh = update(&client, "u3", id, "2026-08-01 12:01:00", "").data();
    assert_eq!(fresh["pubts"], "2026-08-01 12:01:01", "pubts moves with each save");
    assert_eq!(update(&client, "u4", &json!("123"), pubts, "").code(), "1002");
    let bare = |body: &str| client.post(PURCHASE, body).code();
    assert_eq!(bare(&format!(r#"{{"data":{{"_status":"Update","id":{id}}}}}"#)), "999");
    assert_eq!(bare(r#"{"data":{"_status":"Update","pubts":"2026-08-01 12:01:01"}}"#), "999");
    assert_eq!(bare(&format!(r#"{{"data":{{"_status":"Upsert","id":{id}}}}}"#)), "999");
    assert_eq!(bare(r#"{"data":{"org_code":"0518"}}"#), "999");
    let received = client.received("purchase-order");
    let of = |key: &str| received.iter().find(|received| received.key == key).unwrap();
    assert_eq!((of("first").ids.len(), of("u1").ids.len(), of("u2").ids.len()), (1, 0, 0));
    assert!(of("u1").body.contains("0001000102") && of("u2").body.is_empty());
    assert_eq!(client.control().stats().documents["purchase-orders"], 41);
}

#[test]
fn an_update_with_a_used_key_gives_the_old_object() {
    let client = Client::new(settings());
    let document = made(&client);
    let pubts = document["pubts"].as_str().unwrap();
    let updated = update(&client, "first", &document["id"], pubts, r#","vendor_code":"0001000102""#).data();
    assert_eq!(updated, document);
}

#[test]
fn each_line_says_what_becomes_of_it() {
    let client = Client::new(settings());
    let lines: Vec<String> = (1..=3).map(|n| format!(r#"{{"_status":"Insert","qty":{n}}}"#)).collect();
    let body = order("three", "1");
    let (head, _) = body.split_once(r#""purchaseOrders""#).unwrap();
    let document = client.post(PURCHASE, &format!(r#"{head}"purchaseOrders":[{}]}}}}"#, lines.join(","))).data();
    let line = |n: usize| document["purchaseOrders"][n]["id"].clone();
    let more = format!(
        r#","purchaseOrders":[{{"_status":"Update","id":{},"qty":1.50}},{{"_status":"Delete","id":{}}},{{"_status":"Unchanged","id":{}}},{{"_status":"Insert","qty":4}}]"#,
        line(0),
        line(1),
        line(2)
    );
    let pubts = document["pubts"].as_str().unwrap();
    let reply = update(&client, "u", &document["id"], pubts, &more);
    let quantities: Vec<String> =
        reply.data()["purchaseOrders"].as_array().unwrap().iter().map(|line| line["qty"].to_string()).collect();
    assert_eq!(quantities, ["1.5", "3", "4"]);
    assert!(reply.answer.body.contains(r#""qty":1.50"#));
    let now = reply.data()["pubts"].as_str().unwrap().to_owned();
    let unknown = r#","purchaseOrders":[{"_status":"Update","id":"5","qty":1}]"#;
    assert_eq!(update(&client, "v", &document["id"], &now, unknown).code(), "999");
    assert_eq!(update(&client, "w", &document["id"], &now, "").data()["purchaseOrders"].as_array().unwrap().len(), 3);
}

#[test]
fn what_callers_wrote_is_listed_and_can_be_changed_by_hand() {
    let client = Client::new(Settings { n_documents: 0, ..settings() });
    let document = made(&client);
    let list =
        || client.post(crate::yonyou::client::ORDERS, r#"{"pageIndex":1,"pageSize":10}"#).data()["recordList"].clone();
    assert_eq!((&list()[0]["id"], &list()[0]["qty"]), (&document["id"], &json!(1)));
    client.control().advance_clock(Duration::from_mins(5));
    let changed = client.control().change("purchase-orders", 3).unwrap();
    assert_eq!(changed.len(), 1);
    assert_eq!((&list()[0]["memo"], &list()[0]["pubts"]), (&json!("v1"), &json!("2026-08-01 12:05:00")));
    let pubts = document["pubts"].as_str().unwrap();
    assert_eq!(update(&client, "u", &document["id"], pubts, "").code(), "999", "somebody else changed it");
}
