//! Faults, drift among them, and the log.

use std::collections::BTreeSet;

use milkrun_sandbox::{Carried, Fault, FaultRule, qeasy};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::qeasy::client::{Client, JSON, NOON, SOURCE, ids, settings};

fn page(client: &Client, number: u32) -> Value {
    let body = format!(r#"{{"page":{number},"pageSize":50,"end_at":{}}}"#, NOON - 1);
    client.v2(SOURCE, "query", &body).content()
}

#[test]
fn drift_makes_a_pager_lose_rows() {
    let client = Client::new(settings());
    client.control().add_fault(FaultRule::new(Fault::drift(3)).method("query"));
    let mut seen = BTreeSet::new();
    for number in 1.. {
        let rows = ids(&page(&client, number));
        seen.extend(rows.iter().cloned());
        if rows.len() < 50 {
            break;
        }
    }
    assert!((230..250).contains(&seen.len()), "{}", seen.len());
    let changed = client.control().truth("source").unwrap().iter().filter(|row| row.version > 0).count();
    assert_eq!(changed as u64, client.control().stats().modified);
    assert_eq!(client.control().change("source", 2).unwrap().len(), 2);
}

#[test]
fn wrong_pages() {
    let client = Client::new(settings());
    let (first, third) = (page(&client, 1), page(&client, 3));
    assert_ne!(ids(&first), ids(&third));
    let with = |fault, number| {
        client.control().clear_faults();
        client.control().add_fault(FaultRule::new(fault));
        page(&client, number)
    };
    assert!(with(Fault::TotalMissing, 1).get("total").is_none());
    let ignored = with(Fault::PageIgnored, 3);
    assert_eq!((ids(&ignored), &ignored["total"]), (ids(&first), &json!(250)));
    let stuck = with(Fault::SamePage, 30);
    assert_eq!((ids(&stuck), &stuck["total"]), (ids(&first), &json!(1_550)));
}

#[test]
fn shared_faults() {
    let client = Client::new(settings());
    let path = format!("/v2/open-api/business/{SOURCE}/query?access_token={}", client.token);
    let strike = |fault| {
        client.control().clear_faults();
        client.control().add_fault(FaultRule::new(fault).next(1));
        client.outcome("POST", &path, JSON, r#"{"page":1,"pageSize":10}"#).carried
    };
    let whole = |carried| match carried {
        Carried::Whole(answer) => answer,
        other => panic!("{other:?}"),
    };
    assert!(whole(strike(Fault::vendor_code("50000"))).body.contains(r#""code":50000"#));
    assert_eq!(whole(strike(Fault::HttpStatus { status: 502 })).status, 502);
    assert!(whole(strike(Fault::Html)).body.starts_with("<html>"));
    assert_eq!(whole(strike(Fault::EmptyBody)).body, "");
    assert!(serde_json::from_str::<Value>(&whole(strike(Fault::Truncated)).body).is_err());
    assert_eq!(strike(Fault::Reset), Carried::Reset);
    assert!(matches!(strike(Fault::Cut), Carried::Cut(_)));
}

#[test]
fn the_log_says_what_was_asked_for() {
    let client = Client::new(settings());
    page(&client, 2);
    let calls = client.control().calls(0);
    let last = calls.last().unwrap();
    assert_eq!((&*last.method, last.page_no.as_deref(), last.page_size.as_deref()), ("query", Some("2"), Some("50")));
    assert_eq!((last.window.as_deref(), last.rows), (Some(format!(" .. {}", NOON - 1).as_str()), 50));
}

#[tokio::test]
async fn it_serves_over_a_socket_too() {
    let sandbox = qeasy::start(settings()).await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", sandbox.port())).await.unwrap();
    let body = r#"{"app_key":"sandbox-app-key","app_secret":"sandbox-app-secret"}"#;
    let head = "POST /v2/oauth HTTP/1.1\r\nhost: s\r\nconnection: close\r\ncontent-type: application/json\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("access_token"), "{text}");
}
