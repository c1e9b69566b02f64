//! Tokens: what the endpoints want, how long a token lives, and who shares it.

use std::time::Duration;

use milkrun_sandbox::yonyou::{Grant, Settings, TokenShape};
use milkrun_sandbox::{Fault, FaultRule};
use serde_json::json;

use crate::yonyou::client::{APP, Client, NOON, ORDERS, encode, settings, signature};

const PATH: &str = "/iuap-api-auth/open-auth/selfAppAuth/base/v1/getAccessToken";
const PAGE: &str = r#"{"pageIndex":1,"pageSize":10}"#;

fn code(client: &Client, query: &str) -> String {
    client.raw("GET", &format!("{PATH}?{query}"), b"").code()
}

#[test]
fn the_check_value_of_the_page() {
    let fields = [("appKey", APP), ("timestamp", "1568098531823")];
    let signed = signature("9c1f0f4f6d8a4c6f9d1b2a3c4d5e6f708192a3b4", &fields);
    assert_eq!(encode(&signed), "jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz%2FVnqynat8%3D");
    let secret = "9c1f0f4f6d8a4c6f9d1b2a3c4d5e6f708192a3b4".to_owned();
    let then = jiff::Timestamp::from_millisecond(1_568_098_531_823).unwrap();
    let vendor =
        milkrun_sandbox::yonyou::in_process(Settings { app_secret: secret, clock_start: Some(then), ..settings() });
    let client = Client { vendor, token: String::new() };
    let ok = format!("appKey={APP}&timestamp=1568098531823&signature=jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz%2FVnqynat8%3D");
    assert_eq!(code(&client, &ok), "00000");
    for wrong in [
        "jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz/Vnqynat8=",
        "jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz%252FVnqynat8%253D",
        "jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz%2FVnqynat8",
        "JXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz%2FVnqynat8%3D",
    ] {
        assert_eq!(
            code(&client, &format!("appKey={APP}&timestamp=1568098531823&signature={wrong}")),
            "50000",
            "{wrong}"
        );
    }
}

#[test]
fn what_a_token_call_must_hold() {
    let client = Client::new(settings());
    let now = (NOON * 1_000).to_string();
    let good = encode(&signature("sandbox-app-secret", &[("appKey", APP), ("timestamp", &now)]));
    assert_eq!(code(&client, &format!("timestamp={now}&signature={good}")), "50000");
    assert_eq!(code(&client, &format!("appKey={APP}&signature={good}")), "50000");
    assert_eq!(code(&client, &format!("appKey={APP}&timestamp={now}")), "50000");
    assert_eq!(code(&client, &format!("appKey=other&timestamp={now}&signature={good}")), "10018");
    assert_eq!(code(&client, &format!("appKey={APP}&timestamp={now}&extra=1&signature={good}")), "50000");
    assert_eq!(code(&client, &format!("appKey={APP}&appKey={APP}&timestamp={now}&signature={good}")), "50000");
    for off in [NOON - 301, NOON + 301] {
        let then = (off * 1_000).to_string();
        let signed = encode(&signature("sandbox-app-secret", &[("appKey", APP), ("timestamp", &then)]));
        assert_eq!(code(&client, &format!("appKey={APP}&timestamp={then}&signature={signed}")), "50000");
    }
    assert_eq!(client.raw("POST", PATH, b"").code(), "310405");
}

#[test]
fn both_paths_behind_both_hosts_grant() {
    let client = Client::new(settings());
    for host in ["/iuap-api-auth", "/iuap-api-gateway"] {
        for path in ["base/v1/getAccessToken", "getAccessToken"] {
            let path = format!("{host}/open-auth/selfAppAuth/{path}?{}", client.token_query());
            let data = client.raw("GET", &path, b"").json()["data"].clone();
            assert_eq!(data["expire"], 7_200);
            assert!(data["access_token"].as_str().unwrap().contains(['+', '/', '=']));
        }
    }
}

#[test]
fn a_suite_names_its_tenant() {
    let mut client = Client::new(settings());
    let now = NOON.to_string();
    let fields = [("suiteKey", "suite-6b1f3a8e"), ("tenantId", "k8p3lxta"), ("timestamp", now.as_str())];
    let signed = encode(&signature("sandbox-suite-secret", &fields));
    let query = format!("suiteKey=suite-6b1f3a8e&tenantId=k8p3lxta&timestamp={now}&signature={signed}");
    for path in ["base/v1/getAccessToken", "getAccessToken"] {
        let reply = client.raw("GET", &format!("/iuap-api-auth/open-auth/suiteApp/{path}?{query}"), b"");
        client.token = reply.json()["data"]["access_token"].as_str().unwrap().to_owned();
        assert_eq!(client.post(ORDERS, PAGE).code(), "200");
    }
    let foreign = query.replace("k8p3lxta", "other");
    assert_eq!(
        client.raw("GET", &format!("/iuap-api-auth/open-auth/suiteApp/getAccessToken?{foreign}"), b"").code(),
        "10018"
    );
}

#[test]
fn a_token_lives_two_hours() {
    let mut client = Client::new(settings());
    client.control().advance_clock(Duration::from_secs(7_199));
    assert_eq!(client.post(ORDERS, PAGE).code(), "200");
    client.control().advance_clock(Duration::from_secs(1));
    assert_eq!(client.post(ORDERS, PAGE).code(), "310036");
    client.log_in();
    assert_eq!(client.post(ORDERS, PAGE).code(), "200");
    assert_eq!(client.control().stats().refreshes, 2);
}

#[test]
fn what_becomes_of_the_last_token() {
    for (grant, old_lives, same) in
        [(Grant::OldDies, false, false), (Grant::OldLives, true, false), (Grant::Same, true, true)]
    {
        let mut client = Client::new(Settings { grant, ..settings() });
        let old = client.token.clone();
        client.log_in();
        assert_eq!(client.token == old, same, "{grant:?}");
        assert_eq!(client.post(ORDERS, PAGE).code(), "200");
        client.token = old;
        assert_eq!(client.post(ORDERS, PAGE).code() == "200", old_lives, "{grant:?}");
    }
}

#[test]
fn token_shapes() {
    let shape = |token_shape| {
        let client = Client {
            vendor: milkrun_sandbox::yonyou::in_process(Settings { token_shape, ..settings() }),
            token: String::new(),
        };
        client.raw("GET", &format!("{PATH}?{}", client.token_query()), b"").json()
    };
    assert_eq!(shape(TokenShape::ExpiresIn)["data"]["expires_in"], 7_200);
    let bare = shape(TokenShape::Bare);
    assert!(bare["access_token"].is_string() && bare["expires_in"] == 7_200 && bare.get("code").is_none());
}

#[test]
fn sessions_die_and_come_back() {
    let mut client = Client::new(settings());
    client.control().kill_session();
    assert_eq!(client.control().session()["alive"], false);
    assert_eq!(client.post(ORDERS, PAGE).code(), "310036");
    client.control().revive_session();
    assert_eq!(client.post(ORDERS, PAGE).code(), "200");
    client.control().add_fault(FaultRule::new(Fault::SessionDeath).next(1));
    assert_eq!(client.post(ORDERS, PAGE).code(), "310036");
    assert_eq!(client.post(ORDERS, PAGE).code(), "310036", "it stays dead");
    client.log_in();
    assert_eq!(client.post(ORDERS, PAGE).code(), "200");
    assert_eq!(client.control().session()["grants"], json!(2));
    client.control().add_fault(FaultRule::new(Fault::RefreshRefused { code: None }));
    assert_eq!(code(&client, &client.token_query()), "10018");
}
