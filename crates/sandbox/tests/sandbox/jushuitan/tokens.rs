//! Grants, refreshes, deaths and the kinds of apps.

use std::time::Duration;

use milkrun_sandbox::jushuitan::{AppKind, InitToken, Rotation, Settings};
use milkrun_sandbox::{Fault, FaultRule, Sandbox};
use serde_json::Value;

use crate::jushuitan::client::{ORDERS, call, code, form, send, settings, start};

const INIT: &str = "/openWeb/auth/getInitToken";
const CODE: &str = "/openWeb/auth/accessToken";
const REFRESH: &str = "/openWeb/auth/refreshToken";
const DAY: Duration = Duration::from_hours(24);

async fn token_call(sandbox: &Sandbox, path: &str, more: &[(&str, &str)]) -> Value {
    let plain = [("access_token", "-"), ("version", "-")];
    call(sandbox, path, &[&plain[..], more].concat()).await
}

async fn init(sandbox: &Sandbox) -> Value {
    token_call(sandbox, INIT, &[("grant_type", "authorization_code"), ("code", "a1B2c3")]).await
}

async fn refresh(sandbox: &Sandbox, token: &str) -> Value {
    let more = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", "all")];
    token_call(sandbox, REFRESH, &more).await
}

async fn works(sandbox: &Sandbox, token: &str) -> i64 {
    code(&call(sandbox, ORDERS, &[("access_token", token), ("biz", "{\"start_ts\":0,\"page_size\":1}")]).await)
}

fn tokens(answer: &Value) -> (String, String) {
    assert_eq!(code(answer), 0, "{answer}");
    let text = |name: &str| answer["data"][name].as_str().unwrap().to_owned();
    assert_eq!(answer["data"]["scope"], "all");
    (text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn a_refresh_replaces_both_and_the_old_ones_die() {
    let sandbox = start(settings()).await;
    let answer = refresh(&sandbox, "sandbox-refresh-token").await;
    assert_eq!(answer["data"]["expires_in"], 2_592_000);
    let (access, second) = tokens(&answer);
    assert_eq!(works(&sandbox, "sandbox-access-token").await, 100);
    assert_eq!(works(&sandbox, &access).await, 0);
    let again = refresh(&sandbox, "sandbox-refresh-token").await;
    assert_eq!((code(&again), again["msg"].as_str()), (140, Some("refresh_token无效或已过期")));
    tokens(&refresh(&sandbox, &second).await);
    assert_eq!(sandbox.control().stats().refreshes, 2);
}

#[tokio::test]
async fn rotation_is_a_choice() {
    let sandbox = start(Settings { rotation: Rotation::Refresh, ..settings() }).await;
    let (access, second) = tokens(&refresh(&sandbox, "sandbox-refresh-token").await);
    assert!(access == "sandbox-access-token" && second != "sandbox-refresh-token");
    assert_eq!(code(&refresh(&sandbox, "sandbox-refresh-token").await), 140);

    let sandbox = start(Settings { rotation: Rotation::Keep, ..settings() }).await;
    for _ in 0..2 {
        let kept = tokens(&refresh(&sandbox, "sandbox-refresh-token").await);
        assert_eq!(kept, ("sandbox-access-token".to_owned(), "sandbox-refresh-token".to_owned()));
    }
}

#[tokio::test]
async fn tokens_end_and_a_merchant_gets_new_ones() {
    let sandbox = start(settings()).await;
    sandbox.control().advance_clock(Duration::from_secs(30 * 24 * 3_600 - 1));
    assert_eq!(works(&sandbox, "sandbox-access-token").await, 0);
    sandbox.control().advance_clock(Duration::from_secs(1));
    assert_eq!(works(&sandbox, "sandbox-access-token").await, 100);
    assert_eq!(code(&refresh(&sandbox, "sandbox-refresh-token").await), 140);
    let (access, _) = tokens(&init(&sandbox).await);
    assert_eq!(works(&sandbox, &access).await, 0);
    let (other, _) = tokens(&init(&sandbox).await);
    assert_eq!((works(&sandbox, &access).await, works(&sandbox, &other).await), (100, 0));
    assert_eq!(sandbox.control().stats().refreshes, 2, "grants are counted as refreshes are");
}

#[tokio::test]
async fn a_merchant_s_token_may_be_kept() {
    let sandbox = start(Settings { init_token: InitToken::Keeps, ..settings() }).await;
    sandbox.control().advance_clock(10 * DAY);
    let answer = init(&sandbox).await;
    assert_eq!(tokens(&answer).0, "sandbox-access-token");
    assert_eq!(answer["data"]["expires_in"], 20 * 24 * 3_600);
    sandbox.control().kill_session();
    assert_ne!(tokens(&init(&sandbox).await).0, "sandbox-access-token");
}

#[tokio::test]
async fn a_killed_token_is_refreshed_or_revived() {
    let sandbox = start(settings()).await;
    sandbox.control().add_fault(FaultRule::new(Fault::SessionDeath).next(1).method(ORDERS));
    assert_eq!(works(&sandbox, "sandbox-access-token").await, 100);
    assert_eq!(works(&sandbox, "sandbox-access-token").await, 100, "it stays dead");
    sandbox.control().revive_session();
    assert_eq!(works(&sandbox, "sandbox-access-token").await, 0);
    sandbox.control().kill_session();
    assert_eq!(sandbox.control().session()["alive"], false);
    let (access, _) = tokens(&refresh(&sandbox, "sandbox-refresh-token").await);
    assert_eq!(works(&sandbox, &access).await, 0);
}

#[tokio::test]
async fn fields_of_token_calls() {
    let sandbox = start(settings()).await;
    let grant = ("grant_type", "authorization_code");
    for (path, more, expected) in [
        (INIT, vec![("code", "a1B2c3")], 130),
        (INIT, vec![grant], 130),
        (INIT, vec![grant, ("code", "a1B2c")], 140),
        (INIT, vec![("grant_type", "refresh_token"), ("code", "a1B2c3")], 140),
        (CODE, vec![grant, ("code", "sandbox-code")], 190),
        (REFRESH, vec![("grant_type", "refresh_token"), ("refresh_token", "sandbox-refresh-token")], 130),
        (REFRESH, vec![("grant_type", "refresh_token"), ("scope", "all")], 130),
        (REFRESH, vec![("grant_type", "refresh_token"), ("scope", "all"), ("refresh_token", "other")], 140),
        (INIT, vec![grant, ("code", "a1B2c3"), ("sign", "00")], 10),
    ] {
        assert_eq!(code(&token_call(&sandbox, path, &more).await), expected, "{path} {more:?}");
    }
    sandbox.control().add_fault(FaultRule::new(Fault::RefreshRefused { code: None }).next(1).method(REFRESH));
    assert_eq!(code(&refresh(&sandbox, "sandbox-refresh-token").await), 140);
    tokens(&refresh(&sandbox, "sandbox-refresh-token").await);
}

#[tokio::test]
async fn a_third_party_takes_a_code_once() {
    let sandbox = start(Settings { app: AppKind::ThirdParty, ..settings() }).await;
    assert_eq!(code(&init(&sandbox).await), 190);
    let take =
        async |code: &str| token_call(&sandbox, CODE, &[("grant_type", "authorization_code"), ("code", code)]).await;
    let (access, second) = tokens(&take("sandbox-code").await);
    assert_eq!(works(&sandbox, &access).await, 0);
    assert_eq!(code(&take("sandbox-code").await), 140);
    tokens(&refresh(&sandbox, &second).await);

    let link = form(&sandbox.control(), &[("access_token", "-"), ("version", "-"), ("state", "s 1")]);
    let page = send(&sandbox, "GET", &format!("/auth?{link}"), &[], "").await.unwrap();
    assert_eq!(page.status, 200);
    let callback = page.body.split_once("callback\">").unwrap().1.split_once('<').unwrap().0;
    let fields: Vec<(String, String)> = form_urlencoded::parse(callback.as_bytes()).into_owned().collect();
    assert_eq!((fields[0].0.as_str(), fields[2].1.as_str()), ("app_key", "s 1"));
    sandbox.control().advance_clock(Duration::from_mins(14));
    tokens(&take(&fields[1].1).await);

    let link = form(&sandbox.control(), &[("access_token", "-"), ("version", "-")]);
    let page = send(&sandbox, "GET", &format!("/auth?{link}"), &[], "").await.unwrap();
    let late = page.body.split_once("code=").unwrap().1.split_once('<').unwrap().0.to_owned();
    sandbox.control().advance_clock(Duration::from_mins(15));
    assert_eq!(code(&take(&late).await), 140);
}

#[tokio::test]
async fn a_service_provider_may_not_refresh() {
    let sandbox = start(Settings { app: AppKind::ServiceProvider, ..settings() }).await;
    assert_eq!(code(&refresh(&sandbox, "sandbox-refresh-token").await), 150);
    tokens(&token_call(&sandbox, CODE, &[("grant_type", "authorization_code"), ("code", "sandbox-code")]).await);
}
