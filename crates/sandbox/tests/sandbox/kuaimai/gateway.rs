//! What is checked before any method runs, the call limits, and the control endpoints.

use std::time::Duration;

use milkrun_sandbox::kuaimai::{Envelope, Settings};
use serde_json::json;

use crate::kuaimai::client::{NOON, beijing, call, control, encode, fields, send, settings, signed, start};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn each_common_parameter_is_checked() {
    let sandbox = start(settings()).await;
    let early = beijing((NOON - 601) * 1_000);
    let just = beijing((NOON - 600) * 1_000);
    let late = beijing((NOON + 601) * 1_000);
    let utc = beijing((NOON - 8 * 3_600) * 1_000);
    for (changes, expected) in [
        (&[][..], "ok"),
        (&[("sign_method", "md5"), ("format", "-")], "ok"),
        (&[("method", "-")], "26"),
        (&[("method", "erp.trade.list.get")], "27"),
        (&[("method", "kuaimai.order.list.query")], "27"),
        (&[("version", "-")], "28"),
        (&[("version", "2.0")], "29"),
        (&[("appKey", "-")], "22"),
        (&[("appKey", "100002")], "23"),
        (&[("sign", "00")], "25"),
        (&[("sign_method", "sha1")], "33"),
        (&[("format", "xml")], "33"),
        (&[("timestamp", "-")], "32"),
        (&[("timestamp", "1785556800000")], "33"),
        (&[("timestamp", &just)], "ok"),
        (&[("timestamp", &early)], "33"),
        (&[("timestamp", &late)], "33"),
        (&[("timestamp", &utc)], "33"),
        (&[("session", "-")], "20"),
        (&[("session", "another")], "invalid_session"),
        (&[("remark", "")], "50"),
    ] {
        let reply = call(&sandbox, "erp.shop.list.query", changes).await;
        assert_eq!(reply.code(), expected, "{changes:?}: {}", reply.body);
    }
    let unsigned = encode(&fields(&sandbox, "erp.shop.list.query", &[]));
    assert_eq!(send(&sandbox, "POST", "/router", FORM, &unsigned).await.unwrap().code(), "24");
    let doubled = encode(&signed(fields(&sandbox, "erp.shop.list.query", &[]))) + "&method=erp.shop.list.query";
    assert_eq!(send(&sandbox, "POST", "/router", FORM, &doubled).await.unwrap().code(), "50");
}

#[tokio::test]
async fn a_signature_covers_the_raw_text_and_its_case_does_not_matter() {
    let sandbox = start(settings()).await;
    let mut fields = signed(fields(&sandbox, "erp.shop.list.query", &[("remark", "红 & {\"a\": 0.10}+%")]));
    assert_eq!(send(&sandbox, "POST", "/router", FORM, &encode(&fields)).await.unwrap().code(), "ok");
    fields.last_mut().unwrap().1.make_ascii_uppercase();
    assert_eq!(send(&sandbox, "POST", "/router", FORM, &encode(&fields)).await.unwrap().code(), "ok");
    fields[0].1.push('x');
    assert_eq!(send(&sandbox, "POST", "/router", FORM, &encode(&fields)).await.unwrap().code(), "27");
}

#[tokio::test]
async fn bodies_and_verbs() {
    let sandbox = start(settings()).await;
    let fields = signed(fields(&sandbox, "erp.shop.list.query", &[]));
    let query = encode(&fields);
    let mut multipart = String::new();
    for (key, value) in &fields {
        let part = format!("--b0\r\nContent-Disposition: form-data; name=\"{key}\"\r\n\r\n{value}\r\n");
        multipart.push_str(&part);
    }
    multipart.push_str("--b0--\r\n");
    let send =
        async |verb: &str, path: &str, kind: &str, body: &str| send(&sandbox, verb, path, kind, body).await.unwrap();
    assert_eq!(send("POST", "/router", "multipart/form-data; boundary=b0", &multipart).await.code(), "ok");
    assert_eq!(send("POST", "/router", "application/json", "{}").await.code(), "50");
    assert_eq!(send("POST", "/router", "", &query).await.code(), "50");
    assert_eq!(
        send("POST", &format!("/router?{query}"), FORM, "").await.code(),
        "26",
        "a query beside POST is ignored"
    );
    assert_eq!(send("GET", &format!("/router?{query}"), "", "").await.code(), "ok");
    assert_eq!(send("GET", &format!("/router?{query}&x={}", "y".repeat(900)), "", "").await.status, 414);
    assert_eq!(send("PUT", "/router", FORM, &query).await.status, 405);
    assert_eq!(send("POST", "/", FORM, &query).await.status, 404);
    assert_eq!(send("GET", "/_sandbox/nothing", "", "").await.status, 404);
}

#[tokio::test]
async fn good_envelopes() {
    for (envelope, expected) in [
        (Envelope::Success, json!({"success": true})),
        (Envelope::Bare, json!({})),
        (Envelope::WithCode, json!({"success": true, "code": "0", "msg": "success"})),
    ] {
        let sandbox = start(Settings { envelope, ..settings() }).await;
        let mut answer = call(&sandbox, "open.system.time.get", &[]).await.json();
        let fields = answer.as_object_mut().unwrap();
        assert_eq!(fields.remove("traceId").unwrap(), "1876936694781585001");
        assert_eq!(fields.remove("time").unwrap(), "2026-08-01 12:00:00");
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn the_sixteenth_call_in_a_second_is_refused() {
    let sandbox = start(Settings { limits: Settings::default().limits, ..settings() }).await;
    for _ in 0..15 {
        assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "ok");
    }
    let refused = call(&sandbox, "erp.shop.list.query", &[]).await;
    assert_eq!(refused.status, 429);
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    assert_eq!(control(&sandbox, "GET", "stats", "").await.status, 200, "control calls are not counted");
    sandbox.control().advance_clock(Duration::from_millis(999));
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.status, 429);
    sandbox.control().advance_clock(Duration::from_millis(1));
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "ok");
    let stats = sandbox.control().stats();
    assert_eq!((stats.total_calls, stats.rejected_for_limits), (18, 2));
    assert_eq!((stats.windows[0].most_served, stats.windows[0].most_arrived), (15, 17));
    assert_eq!(stats.outcomes["ok"], 16);
}

#[tokio::test]
async fn the_clock_is_set_over_http() {
    let sandbox = start(settings()).await;
    let clock = async |verb: &str, body: &str| control(&sandbox, verb, "clock", body).await;
    assert_eq!(clock("GET", "").await.json()["now"], "2026-08-01 12:00:00");
    assert_eq!(clock("POST", r#"{"advance_ms": 1500}"#).await.json()["now_ms"], NOON * 1_000 + 1_500);
    assert_eq!(clock("POST", r#"{"set": "2026-09-01 00:00:00"}"#).await.json()["now"], "2026-09-01 00:00:00");
    assert_eq!(clock("POST", r#"{"set": "2026-08-01T04:00:00Z"}"#).await.json()["now_ms"], NOON * 1_000);
    for wrong in [r#"{"set": "noon"}"#, r#"{"advance": 1}"#, "now"] {
        assert_eq!(clock("POST", wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(clock("POST", r#"{"freeze": false}"#).await.json()["frozen"], false);
}

#[tokio::test]
async fn the_log_names_page_and_window() {
    let sandbox = start(settings()).await;
    let window = [("startTime", "2026-08-01 00:00:00"), ("endTime", "2026-08-01 11:59:59")];
    let more = [&window[..], &[("pageNo", "2"), ("pageSize", "50")]].concat();
    assert_eq!(call(&sandbox, "erp.trade.list.query", &more).await.code(), "ok");
    assert_eq!(call(&sandbox, "erp.trade.list.query", &[]).await.code(), "32");
    let calls = control(&sandbox, "GET", "calls", "").await.json();
    let expected = json!({
        "n": 1, "at_ms": NOON * 1_000, "method": "erp.trade.list.query", "page_no": "2", "page_size": "50",
        "window": "2026-08-01 00:00:00 .. 2026-08-01 11:59:59", "outcome": "ok", "rows": 50,
    });
    assert_eq!(calls[0], expected);
    assert_eq!(calls[1]["outcome"], "32");
    assert_eq!(control(&sandbox, "GET", "calls?since=1", "").await.json().as_array().unwrap().len(), 1);
    let stats = control(&sandbox, "GET", "stats", "").await.json();
    assert_eq!(stats["calls"]["erp.trade.list.query"], 2);
    assert_eq!(stats["documents"]["orders"], 1_000);
    assert_eq!(stats["tail"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_stopped_or_dropped_sandbox_frees_its_port() {
    let sandbox = start(settings()).await;
    let port = sandbox.port();
    assert_eq!(sandbox.url(), format!("http://127.0.0.1:{port}/router"));
    let handle = sandbox.control();
    sandbox.stop().await;
    assert_eq!(handle.stats().total_calls, 0, "the handle outlives the server");
    let again = start(Settings { port, ..settings() }).await;
    assert_eq!(call(&again, "erp.shop.list.query", &[]).await.code(), "ok");
    let taken = milkrun_sandbox::kuaimai::start(Settings { port, ..settings() }).await;
    assert!(taken.is_err(), "the port is taken");
}
