//! The session: its life, its refresh and its death.

use std::time::Duration;

use milkrun_sandbox::kuaimai::{ExpiresIn, Rotation, Settings};
use milkrun_sandbox::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::kuaimai::client::{NOON, call, control, settings, start};

const REFRESH: &str = "open.token.refresh";
const TOKEN: (&str, &str) = ("refreshToken", "sandbox-refresh-token");
const HOUR: Duration = Duration::from_hours(1);
const LIFE_SECS: i64 = 30 * 24 * 3_600;

#[tokio::test]
async fn a_refresh_keeps_both_strings_and_adds_thirty_days() {
    let sandbox = start(settings()).await;
    sandbox.control().advance_clock(29 * 24 * HOUR);
    let reply = call(&sandbox, REFRESH, &[TOKEN]).await;
    assert_eq!(reply.code(), "ok");
    let expected = json!({
        "accessToken": "sandbox-access-token", "refreshToken": "sandbox-refresh-token",
        "expiresIn": LIFE_SECS, "companyId": 10_001, "userId": 20_001,
    });
    assert_eq!(reply.json()["session"], expected);
    sandbox.control().advance_clock(29 * 24 * HOUR);
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "ok");
    assert_eq!(sandbox.control().stats().refreshes, 1);
}

#[tokio::test]
async fn one_refresh_an_hour() {
    let sandbox = start(settings()).await;
    assert_eq!(call(&sandbox, REFRESH, &[]).await.code(), "32");
    assert_eq!(call(&sandbox, REFRESH, &[("refreshToken", "another")]).await.code(), "33");
    assert_eq!(call(&sandbox, REFRESH, &[TOKEN]).await.code(), "ok");
    sandbox.control().advance_clock(Duration::from_millis(3_599_999));
    assert_eq!(call(&sandbox, REFRESH, &[TOKEN]).await.code(), "refresh_frequently");
    sandbox.control().advance_clock(Duration::from_millis(1));
    assert_eq!(call(&sandbox, REFRESH, &[TOKEN]).await.code(), "ok");
}

#[tokio::test]
async fn a_dead_session_cannot_be_refreshed() {
    let sandbox = start(settings()).await;
    sandbox.control().advance_clock(29 * 24 * HOUR + 23 * HOUR + Duration::from_millis(3_599_999));
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "ok");
    sandbox.control().advance_clock(Duration::from_millis(1));
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "invalid_session");
    assert_eq!(call(&sandbox, REFRESH, &[TOKEN]).await.code(), "invalid_session");
    sandbox.control().revive_session();
    assert_eq!(call(&sandbox, REFRESH, &[TOKEN]).await.code(), "ok");
    let state = control(&sandbox, "POST", "session", r#"{"kill": true}"#).await.json();
    assert_eq!((&state["alive"], &state["refreshes"]), (&json!(false), &json!(1)));
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "invalid_session");
    assert_eq!(control(&sandbox, "POST", "session", r#"{"revive": true}"#).await.json()["alive"], true);
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "ok");
}

#[tokio::test]
async fn rotation_by_setting() {
    for (rotation, same_access) in [(Rotation::Refresh, true), (Rotation::Both, false)] {
        let sandbox = start(Settings { rotation, ..settings() }).await;
        let fresh = call(&sandbox, REFRESH, &[TOKEN]).await.json()["session"].clone();
        let (access, refresh) = (fresh["accessToken"].as_str().unwrap(), fresh["refreshToken"].as_str().unwrap());
        assert_eq!(access == "sandbox-access-token", same_access);
        assert_ne!(refresh, TOKEN.1);
        sandbox.control().advance_clock(HOUR);
        let old = call(&sandbox, "erp.shop.list.query", &[]).await.code();
        assert_eq!(old, if same_access { "ok" } else { "invalid_session" });
        assert_eq!(call(&sandbox, REFRESH, &[("session", access), TOKEN]).await.code(), "33", "the old one is dead");
        let again = call(&sandbox, REFRESH, &[("session", access), ("refreshToken", refresh)]).await;
        assert_eq!(again.code(), "ok");
    }
}

#[tokio::test]
async fn expires_in_by_setting() {
    let end = NOON + LIFE_SECS;
    for (expires_in, number, text) in [
        (ExpiresIn::Seconds, json!(LIFE_SECS), Value::Null),
        (ExpiresIn::EpochSeconds, json!(end), Value::Null),
        (ExpiresIn::EpochMillis, json!(end * 1_000), Value::Null),
        (ExpiresIn::Text, Value::Null, json!("2026-08-31 12:00:00")),
    ] {
        let sandbox = start(Settings { expires_in, ..settings() }).await;
        let reply = call(&sandbox, REFRESH, &[TOKEN]).await.json();
        assert_eq!((&reply["session"]["expiresIn"], &reply["expireTime"]), (&number, &text));
    }
}

#[tokio::test]
async fn session_faults() {
    let sandbox = start(settings()).await;
    sandbox.control().add_fault(FaultRule::new(Fault::RefreshRefused { code: None }).next(1));
    sandbox.control().add_fault(FaultRule::new(Fault::RefreshRefused { code: Some("9".to_owned()) }).next(2));
    assert_eq!(call(&sandbox, REFRESH, &[TOKEN]).await.code(), "refresh_frequently");
    assert_eq!(call(&sandbox, REFRESH, &[TOKEN]).await.code(), "9");
    assert_eq!(call(&sandbox, REFRESH, &[TOKEN]).await.code(), "ok");
    sandbox.control().add_fault(FaultRule::new(Fault::SessionDeath).every(2));
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "ok");
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "invalid_session");
    sandbox.control().clear_faults();
    assert_eq!(call(&sandbox, "erp.shop.list.query", &[]).await.code(), "invalid_session", "it stays dead");
}

#[tokio::test]
async fn a_cut_answer_to_a_refresh_has_its_effect() {
    let sandbox = start(Settings { rotation: Rotation::Refresh, ..settings() }).await;
    sandbox.control().add_fault(FaultRule::new(Fault::Cut).method(REFRESH).next(1));
    assert!(crate::kuaimai::client::try_call(&sandbox, REFRESH, &[TOKEN]).await.is_err());
    assert_eq!(sandbox.control().stats().refreshes, 1);
    sandbox.control().advance_clock(HOUR);
    assert_eq!(call(&sandbox, REFRESH, &[TOKEN]).await.code(), "33");
}
