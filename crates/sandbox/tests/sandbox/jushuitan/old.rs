//! The old API: signed query, raw JSON body, flat envelope, and a token whose text never changes.

use std::time::Duration;

use milkrun_sandbox::Sandbox;
use serde_json::Value;

use crate::jushuitan::client::{md5, send, settings, start};

const DAY: Duration = Duration::from_hours(24);

async fn call(sandbox: &Sandbox, method: &str, body: &str) -> Value {
    signed(sandbox, method, "sandbox-old-token", body, "application/json").await
}

async fn signed(sandbox: &Sandbox, method: &str, token: &str, body: &str, kind: &str) -> Value {
    let ts = sandbox.control().now().as_second();
    let sign = md5(&format!("{method}sandbox-partnertoken{token}ts{ts}sandbox-partner-key"));
    let path =
        format!("/api/open/query.aspx?method={method}&partnerid=sandbox-partner&token={token}&ts={ts}&sign={sign}");
    send(sandbox, "POST", &path, &[("content-type", kind)], body).await.unwrap().json()
}

#[tokio::test]
async fn five_methods_answer_flat() {
    let sandbox = start(settings()).await;
    let window = "\"modified_begin\":\"2026-07-31 12:00:00\",\"modified_end\":\"2026-08-01 11:30:00\"";
    for (method, list) in [
        ("orders.single.query", "orders"),
        ("sku.query", "datas"),
        ("shops.query", "datas"),
        ("inventory.query", "inventorys"),
        ("refund.single.query", "datas"),
    ] {
        for kind in ["application/json", "application/x-www-form-urlencoded"] {
            let answer = signed(&sandbox, method, "sandbox-old-token", &format!("{{{window}}}"), kind).await;
            assert_eq!((&answer["code"], &answer["issuccess"]), (&Value::from(0), &Value::from(true)), "{answer}");
            assert!(answer.get("data").is_none() && !answer[list].as_array().unwrap().is_empty());
        }
    }
    let refused = call(&sandbox, "purchase.query", "{}").await;
    assert_eq!((&refused["code"], &refused["issuccess"]), (&Value::from(190), &Value::from(false)));
    assert_eq!(call(&sandbox, "orders.single.query", "{}").await["code"], 130);
    assert_eq!(call(&sandbox, "orders.single.query", "[]").await["code"], 140);
    assert_eq!(signed(&sandbox, "sku.query", "other", "{}", "application/json").await["code"], 100);
    let path = "/api/open/query.aspx?method=sku.query&partnerid=sandbox-partner&token=t&ts=1785556800&sign=00";
    assert_eq!(send(&sandbox, "POST", path, &[], "{}").await.unwrap().json()["code"], 120);
    assert_eq!(send(&sandbox, "GET", path, &[], "").await.unwrap().status, 405);
    assert_eq!(sandbox.control().calls(0)[0].method.as_ref(), "orders.single.query");
}

#[tokio::test]
async fn the_token_is_extended_in_its_last_week_only() {
    let sandbox = start(settings()).await;
    let ends = |sandbox: &Sandbox| sandbox.control().session()["old_ends_ms"].as_i64().unwrap();
    let first_end = ends(&sandbox);
    assert_eq!(call(&sandbox, "refresh.token", "{}").await["code"], 140);
    sandbox.control().advance_clock(358 * DAY);
    for body in ["{}", ""] {
        assert_eq!(call(&sandbox, "refresh.token", body).await["code"], 0, "a repeat gets the same answer");
    }
    assert_eq!(ends(&sandbox) - first_end, 365 * 24 * 3_600_000);
    assert_eq!(sandbox.control().stats().refreshes, 1);
    sandbox.control().advance_clock(Duration::from_hours(1));
    assert_eq!(call(&sandbox, "refresh.token", "{}").await["code"], 140);
    sandbox.control().advance_clock(372 * DAY);
    assert_eq!(call(&sandbox, "refresh.token", "{}").await["code"], 100, "a dead token cannot be extended");
    assert_eq!(call(&sandbox, "sku.query", "{}").await["code"], 100);
}

#[tokio::test]
async fn a_killed_token_comes_back_by_hand_only() {
    let sandbox = start(settings()).await;
    sandbox.control().kill_session();
    assert_eq!(call(&sandbox, "sku.query", "{}").await["code"], 100);
    sandbox.control().revive_session();
    assert_eq!(call(&sandbox, "sku.query", "{}").await["code"], 0);
}
