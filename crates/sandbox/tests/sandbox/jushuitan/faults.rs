//! Faults, and what drift costs each way of reading.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use milkrun_sandbox::jushuitan::{Settings, SortOrder};
use milkrun_sandbox::{Fault, FaultRule, Sandbox};
use serde_json::{Value, json};

use crate::jushuitan::client::{ORDERS, WINDOW, ask, code, rows, settings, start, try_call};

async fn page(sandbox: &Sandbox, number: usize) -> Value {
    ask(sandbox, ORDERS, &format!("{{{WINDOW},\"page_index\":{number},\"page_size\":100}}")).await
}

fn ids(answer: &Value) -> Vec<i64> {
    rows(answer, "orders").iter().map(|row| row["o_id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn drift_costs_a_forward_pager_rows_and_a_cursor_none() {
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        let sandbox = start(Settings { order, ..settings() }).await;
        sandbox.control().add_fault(FaultRule::new(Fault::drift(3)));
        let mut seen = BTreeSet::new();
        for number in 1.. {
            let answer = page(&sandbox, number).await;
            seen.extend(ids(&answer));
            if answer["data"]["has_next"] == false {
                break;
            }
        }
        assert_eq!(seen.len(), 973, "{order:?}");
    }
    let sandbox = start(settings()).await;
    sandbox.control().add_fault(FaultRule::new(Fault::Drift { rows: 3, stop_after: Some(60) }));
    let (mut start_ts, mut seen) = (0, BTreeSet::new());
    loop {
        let biz = format!("{{\"start_ts\":{start_ts},\"is_get_total\":false,\"page_size\":100}}");
        let answer = ask(&sandbox, ORDERS, &biz).await;
        seen.extend(ids(&answer));
        start_ts = rows(&answer, "orders").last().unwrap()["ts"].as_i64().unwrap();
        if ids(&answer).len() < 100 {
            break;
        }
    }
    assert_eq!(seen.len(), 1_000);
    assert!(sandbox.control().stats().modified >= 30);
}

#[tokio::test]
async fn wrong_pages() {
    let sandbox = start(settings()).await;
    let (first, third) = (ids(&page(&sandbox, 1).await), ids(&page(&sandbox, 3).await));
    assert_ne!(first, third);
    let strike = |fault| {
        sandbox.control().clear_faults();
        sandbox.control().add_fault(FaultRule::new(fault).method(ORDERS));
    };

    strike(Fault::TotalMissing);
    let answer = page(&sandbox, 1).await;
    assert!(answer["data"].get("data_count").is_none() && answer["data"].get("page_count").is_none());
    assert_eq!((ids(&answer), &answer["data"]["has_next"]), (first.clone(), &json!(true)));

    strike(Fault::PageIgnored);
    let answer = page(&sandbox, 3).await;
    assert_eq!((ids(&answer), &answer["data"]["page_index"]), (first.clone(), &json!(1)));
    assert_eq!(answer["data"]["data_count"], 1_000);

    strike(Fault::SamePage);
    let answer = page(&sandbox, 30).await;
    assert_eq!((ids(&answer), &answer["data"]["has_next"]), (first, &json!(true)));
    assert_eq!((&answer["data"]["page_index"], &answer["data"]["data_count"]), (&json!(30), &json!(3_100)));
    let one = ask(&sandbox, ORDERS, "{\"start_ts\":0,\"page_size\":5}").await;
    let next = ask(&sandbox, ORDERS, "{\"start_ts\":9007199254740993,\"page_size\":5}").await;
    assert_eq!(ids(&one), ids(&next), "the row version does not move it either");
}

#[tokio::test]
async fn answers_that_are_not_the_vendor_s() {
    let sandbox = start(settings()).await;
    let strike = |fault| {
        sandbox.control().clear_faults();
        sandbox.control().add_fault(FaultRule::new(fault).next(1));
    };
    let biz = [("biz", "{\"start_ts\":0}")];
    strike(Fault::vendor_code("150"));
    assert_eq!(code(&page(&sandbox, 1).await), 150);
    strike(Fault::vendor_code("odd"));
    assert_eq!(page(&sandbox, 1).await["code"], "odd");
    strike(Fault::HttpStatus { status: 502 });
    assert_eq!(try_call(&sandbox, ORDERS, &biz).await.unwrap().status, 502);
    strike(Fault::Html);
    assert!(try_call(&sandbox, ORDERS, &biz).await.unwrap().body.starts_with("<html>"));
    strike(Fault::EmptyBody);
    assert_eq!(try_call(&sandbox, ORDERS, &biz).await.unwrap().body, "");
    strike(Fault::Truncated);
    let half = try_call(&sandbox, ORDERS, &biz).await.unwrap();
    assert!(half.head.contains("application/json") && serde_json::from_str::<Value>(&half.body).is_err());
    strike(Fault::Reset);
    assert_eq!(try_call(&sandbox, ORDERS, &biz).await.err().unwrap().kind(), ErrorKind::ConnectionReset);
    strike(Fault::Cut);
    assert_eq!(try_call(&sandbox, ORDERS, &biz).await.err().unwrap().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(code(&page(&sandbox, 1).await), 0);
}

#[tokio::test]
async fn the_log_says_what_was_asked() {
    let sandbox = start(settings()).await;
    page(&sandbox, 2).await;
    ask(&sandbox, ORDERS, "{\"start_ts\":5,\"page_size\":\"7\"}").await;
    let calls = sandbox.control().calls(0);
    assert_eq!((calls[0].method.as_ref(), calls[0].page_no.as_deref(), calls[0].rows), (ORDERS, Some("2"), 100));
    assert_eq!(calls[0].window.as_deref(), Some("2026-07-31 12:00:00 .. 2026-08-01 11:30:00"));
    assert_eq!((calls[1].key.as_deref(), calls[1].page_size.as_deref()), (Some("5"), Some("7")));
    assert_eq!(calls[1].outcome.as_ref(), "ok");
}
