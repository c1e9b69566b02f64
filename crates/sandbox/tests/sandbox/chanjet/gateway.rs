//! What the gateway refuses, by HTTP status and code.

use std::time::Duration;

use jiff::Timestamp;
use md5::{Digest, Md5};
use milkrun_sandbox::Carried;
use milkrun_sandbox::chanjet::{self, DeadToken, Settings, Throttle};

use crate::chanjet::client::{KIND, NOON, ask, code, rows, send, settings, start, try_call};

const BODY: &str = r#"{"param":{"PageIndex":1,"PageSize":2}}"#;

#[tokio::test]
async fn each_header_has_its_status_and_code() {
    let sandbox = start(settings()).await;
    for (header, value, expected) in [
        ("appKey", "-", (401, "50000")),
        ("appKey", "other", (403, "50112")),
        ("appSecret", "-", (401, "50000")),
        ("appSecret", "other", (401, "50000")),
        ("openToken", "-", (401, "4007")),
        ("openToken", "other", (401, "4007")),
    ] {
        let reply = try_call(&sandbox, "inventory/Query", &[(header, value)], BODY).await.unwrap();
        assert_eq!(code(&reply), (expected.0, expected.1.to_owned()), "{header}: {value}");
    }
    for path in ["inventory/query", "Inventory/Query", "nothing/Query", "SaleOrderOpenApi/Find"] {
        assert_eq!(code(&ask(&sandbox, path, BODY).await), (404, "50003".to_owned()), "{path}");
    }
    let upper = [("appKey", "-"), ("APPKEY", "ptPrU0YV")];
    let good = try_call(&sandbox, "inventory/Query", &upper, BODY).await.unwrap();
    assert!(good.status == 200 && good.head.contains("content-type: application/json"));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(try_call(&sandbox, "inventory/Query", &form, BODY).await.unwrap().status, 415);
    assert_eq!(send(&sandbox, "GET", "/tplus/api/v2/inventory/Query", &[KIND], "").await.unwrap().status, 405);
}

#[tokio::test]
async fn a_dead_token_may_be_known_by_its_message_alone() {
    let sandbox = start(Settings { dead_token: DeadToken::Message, ..settings() }).await;
    sandbox.control().advance_clock(Duration::from_hours(6 * 24));
    let reply = ask(&sandbox, "inventory/Query", BODY).await;
    assert_eq!(code(&reply), (401, "50000".to_owned()));
    assert!(reply.body.contains("expired"));
}

#[tokio::test]
async fn bodies_are_signed_where_there_is_a_sign_key() {
    let sandbox = start(Settings { sign_key: Some("sgnKey-0f1e2d3c".to_owned()), ..settings() }).await;
    let body = "{ \"param\": {\"PageIndex\": 1,\n\"PageSize\": 2, \"Name\": \"红 & 白=+%\"} }";
    let bare: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let text = format!("appKey=ptPrU0YV&bizContent={bare}&timestamp=1605167299197sgnKey-0f1e2d3c");
    let sign = Md5::digest(text).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let upper = sign.to_uppercase();
    let time = ("timestamp", "1605167299197");
    for (headers, expected) in [
        (vec![time, ("signature", sign.as_str())], 200),
        (vec![time, ("signature", upper.as_str())], 403),
        (vec![("timestamp", "1605167299198"), ("signature", sign.as_str())], 403),
        (vec![("signature", sign.as_str())], 403),
        (vec![time], 403),
    ] {
        let reply = try_call(&sandbox, "inventory/Query", &headers, body).await.unwrap();
        assert_eq!(reply.status, expected, "{headers:?} {}", reply.body);
    }
}

#[tokio::test]
async fn a_month_has_its_quota() {
    let sandbox = start(Settings { monthly_quota: Some(2), ..settings() }).await;
    for _ in 0..2 {
        assert_eq!(rows(&ask(&sandbox, "inventory/Query", BODY).await).len(), 2);
    }
    assert_eq!(code(&ask(&sandbox, "inventory/Query", BODY).await), (401, "50112".to_owned()));
    sandbox.control().set_clock("2026-08-06T11:00:00+08:00".parse().unwrap());
    assert_eq!(code(&ask(&sandbox, "inventory/Query", BODY).await), (401, "50112".to_owned()));
    sandbox.control().set_clock("2026-09-01T00:00:00+08:00".parse().unwrap());
    sandbox.control().revive_session();
    assert_eq!(ask(&sandbox, "inventory/Query", BODY).await.status, 200);
}

#[tokio::test]
async fn too_fast_is_said_in_three_ways() {
    for (throttle, status, text) in [
        (Throttle::TooManyRequests, 429, "error"),
        (Throttle::Conflict, 409, "{\"error\":"),
        (Throttle::Code, 200, "EXSV0011"),
    ] {
        let limits = vec![(2, Duration::from_secs(1))];
        let sandbox = start(Settings { throttle, limits, ..settings() }).await;
        for _ in 0..2 {
            assert_eq!(ask(&sandbox, "inventory/Query", BODY).await.status, 200);
        }
        let reply = ask(&sandbox, "inventory/Query", BODY).await;
        assert_eq!(reply.status, status);
        assert!(reply.body.contains(text), "{}", reply.body);
        sandbox.control().set_clock(Timestamp::from_second(NOON + 1).unwrap());
        assert_eq!(rows(&ask(&sandbox, "inventory/Query", BODY).await).len(), 2);
        assert_eq!(sandbox.control().stats().rejected_for_limits, 1);
    }
}

#[tokio::test]
async fn the_same_without_a_socket() {
    let vendor = chanjet::in_process(settings());
    let headers =
        [("appKey", "ptPrU0YV"), ("appSecret", "sandbox-app-secret"), ("openToken", "sandbox.access.token"), KIND];
    let path = "/tplus/api/v2/inventory/Query";
    let Carried::Whole(answer) = vendor.call("POST", path, &headers, BODY.as_bytes()).carried else {
        panic!("no fault is on");
    };
    let sandbox = start(settings()).await;
    assert_eq!(answer.body, ask(&sandbox, "inventory/Query", BODY).await.body);
}
