//! Tokens, and the pause after too many calls.

use std::time::Duration;

use milkrun_sandbox::qeasy::{Codes, Settings};
use milkrun_sandbox::{Fault, FaultRule};

use crate::qeasy::client::{Client, FORM, JSON, SINK, SOURCE, settings};

const PAGE: &str = r#"{"page":1,"pageSize":10}"#;

#[test]
fn a_token_lives_two_hours_and_dies_with_the_next() {
    let mut client = Client::new(settings());
    client.control().advance_clock(Duration::from_secs(7_199));
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 0);
    client.control().advance_clock(Duration::from_secs(1));
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 40_003);
    client.log_in();
    let old = client.token.clone();
    client.log_in();
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 0);
    client.token = old;
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 40_003);

    let mut client = Client::new(Settings { old_token_dies: false, ..settings() });
    let old = client.token.clone();
    client.log_in();
    client.token = old;
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 0);
}

#[test]
fn what_a_token_call_must_hold() {
    let client = Client::new(settings());
    let ask = |kind: &str, body: &str| client.raw("POST", "/v2/oauth", kind, body);
    let good = r#"{"app_key":"sandbox-app-key","app_secret":"sandbox-app-secret"}"#;
    assert_eq!(ask(JSON, good).content()["expires_in"], 7_200);
    assert_eq!(ask(FORM, "app_key=sandbox-app-key&app_secret=sandbox-app-secret").code(), 40_010);
    assert_eq!(ask(JSON, r#"{"app_key":"sandbox-app-key"}"#).code(), 40_010);
    assert_eq!(ask(JSON, r#"{"app_key":"sandbox-app-key","app_secret":"x"}"#).code(), 40_001);
    assert_eq!(client.raw("GET", "/v2/oauth", JSON, "").answer.status, 405);
    assert_eq!(client.raw("POST", "/v2/oauths", JSON, good).answer.status, 404);
    client.control().add_fault(FaultRule::new(Fault::RefreshRefused { code: Some("40005".to_owned()) }));
    assert_eq!(ask(JSON, good).code(), 40_005);
}

#[test]
fn sessions_die_and_come_back() {
    let mut client = Client::new(settings());
    client.control().kill_session();
    assert_eq!(
        (client.v2(SOURCE, "query", PAGE).code(), client.control().session()["alive"].as_bool()),
        (40_003, Some(false))
    );
    client.control().revive_session();
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 0);
    client.control().add_fault(FaultRule::new(Fault::SessionDeath).next(1));
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 40_003);
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 40_003, "it stays dead");
    client.log_in();
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 0);
    assert_eq!(client.control().stats().refreshes, 2);
}

#[test]
fn sixty_calls_and_then_five_minutes_of_nothing() {
    let client = Client::new(Settings { quota: Some((60, Duration::from_mins(1))), retry_after: true, ..settings() });
    assert!((0..60).all(|_| client.v2(SOURCE, "query", PAGE).code() == 0));
    let refused = client.v2(SINK, "store", r#"{"content":[{"id":"1"}]}"#);
    assert_eq!((refused.code(), refused.answer.retry_after), (40_029, Some(300)));
    assert!(client.received("sink").is_empty());
    client.control().advance_clock(Duration::from_secs(299));
    let still = client.v2(SOURCE, "query", PAGE);
    assert_eq!(
        (still.code(), still.answer.retry_after),
        (40_029, Some(1)),
        "calls within the pause do not lengthen it"
    );
    client.control().advance_clock(Duration::from_secs(1));
    assert_eq!(client.v2(SOURCE, "query", PAGE).code(), 0);
}

#[test]
fn tokens_schemes_and_codes() {
    let codes = Codes { token_missing: 40_021, token_invalid: 40_022, scheme: 40_023, ..Codes::default() };
    let client = Client::new(Settings { codes, ..settings() });
    let path = format!("/v2/open-api/business/{SOURCE}/query");
    assert_eq!(client.raw("POST", &path, JSON, PAGE).code(), 40_021);
    assert_eq!(client.raw("POST", &format!("{path}?access_token=x"), JSON, PAGE).code(), 40_022);
    assert_eq!(client.v2("nobody", "query", PAGE).code(), 40_023);
    assert_eq!(client.push("nobody", r#"{"id":1,"multiple":true,"content":[]}"#).code(), 40_023);
}
