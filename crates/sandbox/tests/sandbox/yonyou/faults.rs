//! Faults, drift among them, as this vendor shows them.

use std::collections::BTreeSet;
use std::time::Duration;

use milkrun_sandbox::{Carried, Fault, FaultRule};
use serde_json::{Value, json};

use crate::yonyou::client::{Client, ORDERS, settings};

fn page(client: &Client, number: u32) -> Value {
    let filter = r#"[{"field":"pubts","op":"elt","value1":"2026-08-01 12:00:00"}]"#;
    let body = format!(r#"{{"pageIndex":{number},"pageSize":10,"isSum":true,"simpleVOs":{filter}}}"#);
    client.post(ORDERS, &body).data()
}

fn keys(data: &Value) -> Vec<String> {
    data["recordList"].as_array().unwrap().iter().map(|row| row["code"].to_string()).collect()
}

#[test]
fn drift_makes_a_pager_lose_rows() {
    let client = Client::new(settings());
    client.control().advance_clock(Duration::from_mins(1));
    client.control().add_fault(FaultRule::new(Fault::drift(2)).method(ORDERS));
    let mut seen = BTreeSet::new();
    for number in 1.. {
        let rows = keys(&page(&client, number));
        seen.extend(rows.iter().cloned());
        if rows.len() < 10 {
            break;
        }
    }
    assert!(seen.len() < 40, "{}", seen.len());
    let truth = client.control().truth("purchase-orders").unwrap();
    assert_eq!(truth.iter().map(|row| u64::from(row.version)).sum::<u64>(), client.control().stats().modified);
}

#[test]
fn wrong_pages() {
    let client = Client::new(settings());
    let (first, third) = (page(&client, 1), page(&client, 3));
    assert_ne!(keys(&first), keys(&third));
    let with = |fault, number| {
        client.control().clear_faults();
        client.control().add_fault(FaultRule::new(fault));
        page(&client, number)
    };
    let bare = with(Fault::TotalMissing, 1);
    assert!(bare.get("recordCount").is_none() && bare.get("pageCount").is_none() && keys(&bare) == keys(&first));
    let ignored = with(Fault::PageIgnored, 3);
    assert_eq!((keys(&ignored), &ignored["pageCount"]), (keys(&first), &json!(4)));
    let stuck = with(Fault::SamePage, 30);
    assert_eq!((keys(&stuck), &stuck["pageCount"]), (keys(&first), &json!(31)));
}

#[test]
fn shared_faults() {
    let client = Client::new(settings());
    let body = r#"{"pageIndex":1,"pageSize":10}"#;
    let strike = |fault| {
        client.control().clear_faults();
        client.control().add_fault(FaultRule::new(fault).next(1));
        client.outcome(ORDERS, body).carried
    };
    let whole = |carried| match carried {
        Carried::Whole(answer) => answer,
        other => panic!("{other:?}"),
    };
    let broken = whole(strike(Fault::vendor_code("310043")));
    assert_eq!((broken.status, broken.body.contains(r#""code":"310043""#)), (200, true));
    assert_eq!(whole(strike(Fault::HttpStatus { status: 502 })).status, 502);
    assert!(whole(strike(Fault::Html)).body.starts_with("<html>"));
    assert_eq!(whole(strike(Fault::EmptyBody)).body, "");
    assert!(serde_json::from_str::<Value>(&whole(strike(Fault::Truncated)).body).is_err());
    assert_eq!(strike(Fault::Reset), Carried::Reset);
    assert!(matches!(strike(Fault::LostAnswer), Carried::Lost(_)));
    assert!(matches!(strike(Fault::Cut), Carried::Cut(_)));
    client.control().clear_faults();
    assert_eq!(client.post(ORDERS, body).code(), "200");
}

#[test]
fn the_log_says_what_was_asked_for() {
    let client = Client::new(settings());
    page(&client, 2);
    let calls = client.control().calls(0);
    let last = calls.last().unwrap();
    assert_eq!((&*last.method, last.page_no.as_deref(), last.page_size.as_deref()), (ORDERS, Some("2"), Some("10")));
    assert!(last.window.as_deref().unwrap().contains("2026-08-01 12:00:00"));
    assert_eq!((&*last.outcome, last.rows), ("ok", 10));
    client.post(crate::yonyou::client::PURCHASE, &crate::yonyou::client::order("k1", "1"));
    assert_eq!(client.control().calls(0).last().unwrap().key.as_deref(), Some("k1"));
}
