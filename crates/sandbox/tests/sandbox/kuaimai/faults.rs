//! Each fault, and the loss that drift causes to a pager that only goes forward.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;

use milkrun_sandbox::kuaimai::Settings;
use milkrun_sandbox::{Fault, FaultRule, Sandbox};
use serde_json::{Value, json};

use crate::kuaimai::client::{Reply, call, control, settings, start, try_call};

const TRADES: &str = "erp.trade.list.query";
const WINDOW: [(&str, &str); 2] = [("startTime", "2026-07-31 12:00:00"), ("endTime", "2026-08-01 11:30:00")];

async fn page(sandbox: &Sandbox, number: usize) -> Reply {
    let number = number.to_string();
    call(sandbox, TRADES, &[&WINDOW[..], &[("pageNo", number.as_str()), ("pageSize", "100")]].concat()).await
}

fn sids(answer: &Value) -> Vec<i64> {
    answer["list"].as_array().unwrap().iter().map(|row| row["sid"].as_i64().unwrap()).collect()
}

/// What a forward pager collects that stops at the first short page.
async fn naive_pager(sandbox: &Sandbox) -> BTreeSet<i64> {
    let mut seen = BTreeSet::new();
    for number in 1.. {
        let rows = sids(&page(sandbox, number).await.json());
        seen.extend(&rows);
        if rows.len() < 100 {
            break;
        }
    }
    seen
}

#[tokio::test]
async fn drift_makes_a_naive_pager_lose_27_of_1000() {
    for seed in 0..10 {
        let sandbox = start(Settings { seed, n_orders: 1_000, ..settings() }).await;
        sandbox.control().add_fault(FaultRule::new(Fault::drift(3)));
        assert_eq!(naive_pager(&sandbox).await.len(), 973, "seed {seed}");
        assert_eq!(sandbox.control().stats().modified, 30);
    }
}

#[tokio::test]
async fn drift_stops_when_told() {
    let sandbox = start(settings()).await;
    let rule = r#"{"fault": "drift", "rows": 4, "stop_after": 10}"#;
    assert_eq!(control(&sandbox, "POST", "faults", rule).await.status, 200);
    assert_eq!(naive_pager(&sandbox).await.len(), 990);
    assert_eq!(sandbox.control().faults()[0].modified, 10);
    sandbox.control().clear_faults();
    assert_eq!(naive_pager(&sandbox).await.len(), 990, "ten have left the window");
}

#[tokio::test]
async fn answers_that_are_not_the_vendor_s() {
    let sandbox = start(settings()).await;
    let whole = page(&sandbox, 1).await.body;
    let strike = |fault| sandbox.control().add_fault(FaultRule::new(fault).next(1));

    strike(Fault::vendor_code("1"));
    assert_eq!(page(&sandbox, 1).await.code(), "1");

    sandbox.control().clear_faults();
    strike(Fault::HttpStatus { status: 502 });
    assert_eq!(page(&sandbox, 1).await.status, 502);

    sandbox.control().clear_faults();
    strike(Fault::Html);
    let html = page(&sandbox, 1).await;
    assert_eq!(html.status, 200);
    assert!(html.body.starts_with("<html>") && html.head.contains("text/html"));

    sandbox.control().clear_faults();
    strike(Fault::EmptyBody);
    let empty = page(&sandbox, 1).await;
    assert_eq!((empty.status, empty.body.as_str()), (200, ""));

    sandbox.control().clear_faults();
    strike(Fault::Truncated);
    let half = page(&sandbox, 1).await;
    assert_eq!(half.status, 200);
    assert!(half.head.contains("application/json") && serde_json::from_str::<Value>(&half.body).is_err());
    assert!((whole.len() / 2).abs_diff(half.body.len()) < 8);

    assert_eq!(page(&sandbox, 1).await.code(), "ok");
    assert_eq!(sandbox.control().stats().faults.len(), 5);
}

#[tokio::test]
async fn broken_connections() {
    let sandbox = start(settings()).await;
    sandbox.control().add_fault(FaultRule::new(Fault::Reset).next(1));
    let reset = try_call(&sandbox, TRADES, &WINDOW).await.err().unwrap();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);

    sandbox.control().clear_faults();
    sandbox.control().add_fault(FaultRule::new(Fault::Cut).next(2));
    let cut = try_call(&sandbox, TRADES, &WINDOW).await.err().unwrap();
    assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
    let small = try_call(&sandbox, "open.system.time.get", &[]).await.err().unwrap();
    assert_eq!(small.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(page(&sandbox, 1).await.code(), "ok");
    let outcomes = sandbox.control().stats().outcomes;
    assert_eq!((outcomes["reset"], outcomes["ok"]), (1, 3));
}

#[tokio::test]
async fn a_slow_answer_ends_with_the_server() {
    let sandbox = start(settings()).await;
    sandbox.control().add_fault(FaultRule::new(Fault::Slow { delay: Duration::from_hours(1) }));
    let handle = sandbox.control();
    let fields = crate::kuaimai::client::encode(&crate::kuaimai::client::signed(crate::kuaimai::client::fields(
        &sandbox, TRADES, &WINDOW,
    )));
    let port = sandbox.port();
    let waiting = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let head = "POST /router HTTP/1.1\r\nhost: s\r\ncontent-type: application/x-www-form-urlencoded\r\n";
        let request = format!("{head}content-length: {}\r\n\r\n{fields}", fields.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    });
    while handle.stats().total_calls == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    sandbox.stop().await;
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn wrong_pages() {
    let sandbox = start(settings()).await;
    let first = sids(&page(&sandbox, 1).await.json());
    let third = sids(&page(&sandbox, 3).await.json());
    assert_ne!(first, third);

    sandbox.control().add_fault(FaultRule::new(Fault::TotalMissing));
    let answer = page(&sandbox, 1).await.json();
    assert!(answer.get("total").is_none() && sids(&answer) == first);

    sandbox.control().clear_faults();
    sandbox.control().add_fault(FaultRule::new(Fault::PageIgnored));
    let answer = page(&sandbox, 3).await.json();
    assert_eq!((sids(&answer), &answer["total"]), (first.clone(), &json!(1_000)));

    sandbox.control().clear_faults();
    sandbox.control().add_fault(FaultRule::new(Fault::SamePage).method(TRADES));
    let answer = page(&sandbox, 30).await.json();
    assert_eq!((sids(&answer), &answer["total"]), (first.clone(), &json!(3_100)));
    let more = [&WINDOW[..], &[("pageNo", "30"), ("pageSize", "100"), ("useHasNext", "true")]].concat();
    assert_eq!(call(&sandbox, TRADES, &more).await.json()["hasNext"], true);
    let items = call(&sandbox, "item.list.query", &[("pageNo", "30")]).await.json();
    assert!(items.get("items").is_none(), "other methods are not struck");
}

#[tokio::test]
async fn faults_are_switched_over_http() {
    let sandbox = start(Settings { faults: vec![FaultRule::new(Fault::Html).every(2)], ..settings() }).await;
    let faults = async |verb: &str, body: &str| control(&sandbox, verb, "faults", body).await;
    assert_eq!(page(&sandbox, 1).await.code(), "ok");
    assert!(page(&sandbox, 1).await.body.starts_with("<html>"));
    let both = r#"[{"fault": "vendor-code", "code": "30077", "next": 1}, {"fault": "truncated", "every": 5}]"#;
    assert_eq!(faults("POST", both).await.json().as_array().unwrap().len(), 3);
    assert_eq!(page(&sandbox, 1).await.code(), "30077");
    let states = faults("GET", "").await.json();
    assert_eq!(states[0], json!({"rule": {"fault": "html", "every": 2}, "seen": 3, "struck": 1, "modified": 0}));
    assert_eq!(faults("POST", r#"{"fault": "htm"}"#).await.status, 400);
    assert_eq!(faults("DELETE", "").await.status, 204);
    assert_eq!(faults("GET", "").await.json(), json!([]));
    assert_eq!(page(&sandbox, 1).await.code(), "ok");
}
