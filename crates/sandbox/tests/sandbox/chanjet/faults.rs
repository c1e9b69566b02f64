//! Faults, and what drift costs a pager that only goes forward.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use milkrun_sandbox::chanjet::Settings;
use milkrun_sandbox::{Fault, FaultRule, Sandbox};
use serde_json::{Value, json};

use crate::chanjet::client::{Reply, WINDOW, ask, code, rows, settings, start, try_call};

async fn page(sandbox: &Sandbox, path: &str, number: usize) -> Reply {
    ask(sandbox, path, &format!("{{\"param\":{{\"PageIndex\":{number},\"PageSize\":100,{WINDOW}}}}}")).await
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["ID"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn drift_makes_a_forward_pager_lose_rows() {
    let sandbox = start(Settings { n_inventory: 1_000, ..settings() }).await;
    sandbox.control().add_fault(FaultRule::new(Fault::drift(3)));
    let mut seen = BTreeSet::new();
    for number in 1.. {
        let rows = rows(&page(&sandbox, "inventory/Query", number).await);
        seen.extend(ids(&rows));
        if rows.len() < 100 {
            break;
        }
    }
    assert_eq!(seen.len(), 973);
    assert_eq!(sandbox.control().stats().modified, 30);
}

#[tokio::test]
async fn wrong_pages() {
    let sandbox = start(settings()).await;
    let first = ids(&rows(&page(&sandbox, "inventory/Query", 1).await));
    assert_ne!(first, ids(&rows(&page(&sandbox, "inventory/Query", 3).await)));
    let strike = |fault| {
        sandbox.control().clear_faults();
        sandbox.control().add_fault(FaultRule::new(fault));
    };
    let find = "{\"selectFields\":[\"SaleOrder.ID\"],\"pageIndex\":30,\"pageSize\":100}";
    let vouchers = "SaleOrderOpenApi/FindVoucherList";

    strike(Fault::PageIgnored);
    assert_eq!(ids(&rows(&page(&sandbox, "inventory/Query", 3).await)), first);
    let answer = ask(&sandbox, vouchers, find).await.json();
    assert_eq!((answer["data"]["Rows"].as_array().unwrap().len(), &answer["data"]["TotalPageNum"]), (100, &json!(3)));

    strike(Fault::SamePage);
    assert_eq!(ids(&rows(&page(&sandbox, "inventory/Query", 30).await)), first);
    let answer = page(&sandbox, "inventory/QueryPage", 30).await.json();
    assert_eq!((ids(answer["Data"].as_array().unwrap()), &answer["TotalCount"]), (first, &json!(3_100)));
    let answer = ask(&sandbox, vouchers, find).await.json();
    assert_eq!((answer["data"]["Rows"].as_array().unwrap().len(), &answer["data"]["TotalPageNum"]), (100, &json!(31)));
    let one = ask(&sandbox, "inventory/Query", "{\"param\":{\"Ts\":\"0\",\"PageSize\":5}}").await;
    let next = ask(&sandbox, "inventory/Query", "{\"param\":{\"Ts\":\"0020000000000000\",\"PageSize\":5}}").await;
    assert_eq!(one.body, next.body, "the row version does not move it either");

    strike(Fault::TotalMissing);
    assert!(page(&sandbox, "inventory/QueryPage", 1).await.json().get("TotalCount").is_none());
    let answer = ask(&sandbox, vouchers, find).await.json();
    assert!(answer["data"].get("TotalCount").is_none() && answer["data"].get("TotalPageNum").is_none());
    assert!(rows(&page(&sandbox, "currentStock/Query", 1).await)[0].get("TotalCount").is_none());
}

#[tokio::test]
async fn answers_that_are_not_the_vendor_s() {
    let sandbox = start(settings()).await;
    let strike = |fault| {
        sandbox.control().clear_faults();
        sandbox.control().add_fault(FaultRule::new(fault).next(1));
    };
    let next = async || page(&sandbox, "inventory/Query", 1).await;
    for (vendor_code, status) in [("EXSV0011", 200), ("999", 200), ("4007", 401), ("50112", 401)] {
        strike(Fault::vendor_code(vendor_code));
        assert_eq!(code(&next().await), (status, vendor_code.to_owned()));
    }
    strike(Fault::HttpStatus { status: 503 });
    assert_eq!(next().await.status, 503);
    strike(Fault::Html);
    assert!(next().await.body.starts_with("<html>"));
    strike(Fault::EmptyBody);
    assert_eq!(next().await.body, "");
    strike(Fault::Truncated);
    assert!(serde_json::from_str::<Value>(&next().await.body).is_err());
    let body = format!("{{\"param\":{{{WINDOW}}}}}");
    strike(Fault::Reset);
    let reset = try_call(&sandbox, "inventory/Query", &[], &body).await.err().unwrap();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    strike(Fault::Cut);
    let cut = try_call(&sandbox, "inventory/Query", &[], &body).await.err().unwrap();
    assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(rows(&next().await).len(), 100);
}

#[tokio::test]
async fn the_log_says_what_was_asked() {
    let sandbox = start(settings()).await;
    page(&sandbox, "inventory/Query", 2).await;
    let body = "{\"selectFields\":[\"SaleOrder.ID\"],\"paramDic\":{\"ExternalCode\":\"X\"},\"pageIndex\":3}";
    ask(&sandbox, "SaleOrderOpenApi/FindVoucherList", body).await;
    let calls = sandbox.control().calls(0);
    assert_eq!((calls[0].method.as_ref(), calls[0].page_no.as_deref()), ("inventory/Query", Some("2")));
    assert_eq!((calls[0].rows, calls[0].window.as_deref()), (100, Some("2026-07-31 12:00:00 .. 2026-08-01 11:30:00")));
    assert_eq!((calls[1].key.as_deref(), calls[1].page_no.as_deref()), (Some("X"), Some("3")));
    assert_eq!(calls[1].method.as_ref(), "SaleOrderOpenApi/FindVoucherList");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes() {
    let body = async |seed| {
        let sandbox = start(Settings { seed, ..settings() }).await;
        [page(&sandbox, "inventory/Query", 1).await.body, page(&sandbox, "saleOrder/QueryPage", 1).await.body]
    };
    let (one, again, other) = (body(1).await, body(1).await, body(2).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
}
