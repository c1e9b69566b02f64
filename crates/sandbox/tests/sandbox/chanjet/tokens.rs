//! Grants by code, refresh with rotation, the store application's chain with its pushes, the self-built application.

use std::time::Duration;

use aws_lc_rs::cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use milkrun_sandbox::chanjet::{Reuse, Settings, TokenNumbers};
use milkrun_sandbox::{Fault, FaultRule, Sandbox};
use serde_json::{Value, json};

use crate::chanjet::client::{KIND, Reply, code, control, rows, send, settings, start, try_call};

const APP: [(&str, &str); 3] = [("appKey", "ptPrU0YV"), ("appSecret", "sandbox-app-secret"), KIND];
const DAY: Duration = Duration::from_hours(24);

async fn get(sandbox: &Sandbox, path: &str) -> Reply {
    send(sandbox, "GET", path, &APP, "").await.unwrap()
}

async fn refresh(sandbox: &Sandbox, token: &str) -> Reply {
    get(sandbox, &format!("/auth/v2/refreshToken?grantType=refresh_token&refreshToken={token}")).await
}

async fn exchange(sandbox: &Sandbox, code: &str) -> Reply {
    let path = format!("/auth/v2/getToken?grantType=authorization_code&code={code}&redirectUri=http%3A%2F%2Fa.test");
    get(sandbox, &path).await
}

async fn post(sandbox: &Sandbox, path: &str, body: &Value) -> Reply {
    send(sandbox, "POST", path, &APP, &body.to_string()).await.unwrap()
}

async fn works(sandbox: &Sandbox, token: &str) -> bool {
    let body = "{\"param\":{\"PageSize\":1}}";
    let reply = try_call(sandbox, "inventory/Query", &[("openToken", token)], body).await.unwrap();
    if reply.status == 200 {
        return rows(&reply).len() == 1;
    }
    assert_eq!(code(&reply), (401, "4007".to_owned()));
    false
}

#[track_caller]
fn tokens(reply: &Reply) -> (String, String) {
    assert_eq!(code(reply), (200, "200".to_owned()), "{}", reply.body);
    let result = &reply.json()["result"];
    let text = |name: &str| result[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn a_refresh_replaces_both_and_an_old_refresh_token_is_14002() {
    let sandbox = start(settings()).await;
    let reply = refresh(&sandbox, "sandbox-refresh-token").await;
    let result = reply.json()["result"].clone();
    assert_eq!((&result["expires_in"], &result["refresh_expires_in"]), (&json!(518_400), &json!(2_592_000)));
    assert!(
        ["scope", "user_id", "org_id", "app_name", "sid", "user_auth_permanent_code"]
            .iter()
            .all(|name| result[name].is_string())
    );
    let (access, second) = tokens(&reply);
    assert!(access.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)));
    assert!(!works(&sandbox, "sandbox.access.token").await && works(&sandbox, &access).await);
    assert_eq!(code(&refresh(&sandbox, "sandbox-refresh-token").await), (200, "14002".to_owned()));
    assert!(works(&sandbox, &access).await, "the second of two parallel refreshes harms nothing");
    tokens(&refresh(&sandbox, &second).await);
    assert_eq!(sandbox.control().stats().refreshes, 2);
}

#[tokio::test]
async fn a_reuse_may_end_everything() {
    let sandbox = start(Settings { reuse: Reuse::EndsSession, ..settings() }).await;
    let (access, second) = tokens(&refresh(&sandbox, "sandbox-refresh-token").await);
    assert_eq!(code(&refresh(&sandbox, "sandbox-refresh-token").await).1, "14002");
    assert!(!works(&sandbox, &access).await);
    assert_eq!(code(&refresh(&sandbox, &second).await).1, "4008");
}

#[tokio::test]
async fn lives() {
    let sandbox = start(Settings { token_numbers: TokenNumbers::Text, ..settings() }).await;
    sandbox.control().advance_clock(6 * DAY);
    assert!(!works(&sandbox, "sandbox.access.token").await);
    let reply = refresh(&sandbox, "sandbox-refresh-token").await;
    assert_eq!(reply.json()["result"]["expires_in"], "518400");
    let (_, second) = tokens(&reply);
    sandbox.control().advance_clock(30 * DAY);
    assert_eq!(code(&refresh(&sandbox, &second).await), (200, "4008".to_owned()));
    assert_eq!(code(&exchange(&sandbox, "sandbox-code").await).1, "4008", "codes live ten minutes");
}

#[tokio::test]
async fn a_code_is_used_once_and_older_paths_still_work() {
    let sandbox = start(settings()).await;
    sandbox.control().advance_clock(Duration::from_mins(9));
    let (access, second) = tokens(&exchange(&sandbox, "sandbox-code").await);
    assert!(works(&sandbox, &access).await);
    assert_eq!(code(&exchange(&sandbox, "sandbox-code").await), (200, "4003".to_owned()));
    let old = format!("/auth/refreshToken?appKey=ptPrU0YV&grantType=refresh_token&refreshToken={second}");
    let secret = [("appSecret", "sandbox-app-secret")];
    tokens(&send(&sandbox, "GET", &old, &secret, "").await.unwrap());
    for (path, expected) in [
        ("/auth/v2/getToken?code=x&redirectUri=y", "4001"),
        ("/auth/v2/getToken?grantType=refresh_token&code=x&redirectUri=y", "4002"),
        ("/auth/v2/getToken?grantType=authorization_code&code=x", "4001"),
        ("/auth/v2/refreshToken?grantType=refresh_token", "4001"),
        ("/auth/v2/refreshToken?grantType=refresh_token&refreshToken=never", "4003"),
    ] {
        assert_eq!(code(&get(&sandbox, path).await), (200, expected.to_owned()), "{path}");
    }
    let third = sandbox.control().session()["refresh_token"].as_str().unwrap().to_owned();
    let path = format!("/auth/v2/refreshToken?grantType=refresh_token&refreshToken={third}");
    tokens(&send(&sandbox, "POST", &path, &APP, "").await.unwrap());
    let fourth = sandbox.control().session()["refresh_token"].clone();
    let body = json!({ "grantType": "refresh_token", "refreshToken": fourth });
    tokens(&post(&sandbox, "/auth/v2/refreshToken", &body).await);
    let wrong = [("appKey", "other"), ("appSecret", "sandbox-app-secret")];
    let reply = send(&sandbox, "GET", "/auth/v2/getToken", &wrong, "").await.unwrap();
    assert_eq!(code(&reply), (403, "50112".to_owned()));
    assert_eq!(send(&sandbox, "POST", "/auth/v2/getToken", &APP, "{}").await.unwrap().status, 405);
}

#[tokio::test]
async fn deaths_and_refusals() {
    let sandbox = start(settings()).await;
    let death = FaultRule::new(Fault::SessionDeath).next(1).method("inventory/Query");
    sandbox.control().add_fault(death);
    assert!(!works(&sandbox, "sandbox.access.token").await);
    assert!(!works(&sandbox, "sandbox.access.token").await, "it stays dead");
    let path = "/auth/v2/refreshToken";
    sandbox.control().add_fault(FaultRule::new(Fault::RefreshRefused { code: None }).next(1).method(path));
    assert_eq!(code(&refresh(&sandbox, "sandbox-refresh-token").await), (200, "14002".to_owned()));
    let (access, _) = tokens(&refresh(&sandbox, "sandbox-refresh-token").await);
    assert!(works(&sandbox, &access).await);
    sandbox.control().kill_session();
    assert!(!works(&sandbox, &access).await);
    sandbox.control().revive_session();
    assert!(works(&sandbox, &access).await);
}

/// A pushed message in clear.
fn open(push: &str) -> Value {
    let push: Value = serde_json::from_str(push).unwrap();
    let mut bytes = STANDARD.decode(push["encryptMsg"].as_str().unwrap()).unwrap();
    let key = UnboundCipherKey::new(&AES_128, b"1234567890abcdef").unwrap();
    let key = PaddedBlockDecryptingKey::ecb_pkcs7(key).unwrap();
    serde_json::from_slice(key.decrypt(&mut bytes, DecryptionContext::None).unwrap()).unwrap()
}

#[tokio::test]
async fn the_chain_of_the_store_application() {
    let sandbox = start(Settings { permanent_code_calls: 2, ..settings() }).await;
    let pushes = control(&sandbox, "POST", "pushes", "").await.json();
    let pushes: Vec<Value> = pushes.as_array().unwrap().iter().map(|push| open(push.as_str().unwrap())).collect();
    assert_eq!((&pushes[0]["msgType"], &pushes[1]["msgType"]), (&json!("APP_TICKET"), &json!("TEMP_AUTH_CODE")));
    let ticket = &pushes[0]["bizContent"]["appTicket"];
    let temporary = &pushes[1]["bizContent"]["tempAuthCode"];

    let app_path = "/auth/appAuth/getAppAccessToken";
    assert_eq!(code(&post(&sandbox, app_path, &json!({ "appTicket": "sandbox-app-ticket" })).await).1, "4003");
    assert_eq!(code(&post(&sandbox, app_path, &json!({})).await).1, "4001");
    let app = post(&sandbox, app_path, &json!({ "appTicket": ticket })).await.json()["result"].clone();
    assert_eq!(app["expireTime"], 7_200);
    let permanent = json!({ "appAccessToken": app["appAccessToken"], "tempAuthCode": temporary });
    let path = "/auth/orgAuth/getPermanentAuthCode";
    let granted = post(&sandbox, path, &permanent).await.json()["result"].clone();
    assert_eq!(granted["orgId"], "90016488977");
    assert_eq!(code(&post(&sandbox, path, &permanent).await).1, "4003", "a temporary code is used once");
    let org = json!({ "appAccessToken": app["appAccessToken"], "permanentAuthCode": granted["permanentAuthCode"] });
    let org = post(&sandbox, "/auth/orgAuth/getOrgAccessToken", &org).await.json()["result"].clone();
    let user = json!({
        "orgAccessToken": org["orgAccessToken"],
        "userAuthPermanentCode": "sandbox-user-permanent-code",
    });
    let path = "/auth/token/getTokenByPermanentCode";
    let wrong = json!({ "orgAccessToken": org["orgAccessToken"], "userAuthPermanentCode": "x" });
    assert_eq!(code(&post(&sandbox, path, &wrong).await).1, "4003");
    for _ in 0..2 {
        let (access, _) = tokens(&post(&sandbox, path, &user).await);
        assert!(works(&sandbox, &access).await);
    }
    assert_eq!(code(&post(&sandbox, path, &user).await), (401, "50112".to_owned()));
    sandbox.control().advance_clock(Duration::from_hours(2));
    assert_eq!(code(&post(&sandbox, path, &user).await).1, "4008");

    assert_eq!(sandbox.control().pushes().len(), 1, "only the ticket comes by itself");
    assert_eq!(code(&get(&sandbox, "/auth/orgTempAuthCode/resend").await).1, "200");
    assert_eq!(code(&post(&sandbox, "/auth/appTicket/resend", &json!({})).await).1, "200");
    assert_eq!(sandbox.control().pushes().len(), 2);
}

#[tokio::test]
async fn a_self_built_application_has_its_own_envelope() {
    let path = "/v1/common/auth/selfBuiltApp/generateToken";
    let body = json!({ "appTicket": "sandbox-app-ticket", "certificate": "sandbox-certificate" });
    for self_built_refresh in [true, false] {
        let sandbox = start(Settings { self_built_refresh, ..settings() }).await;
        let answer = post(&sandbox, path, &body).await.json();
        assert_eq!((&answer["result"], &answer["error"]), (&json!(true), &json!(null)));
        let value = &answer["value"];
        assert_eq!((&value["expiresIn"], value.get("refreshToken").is_some()), (&json!(518_400), self_built_refresh));
        assert!(works(&sandbox, value["accessToken"].as_str().unwrap()).await);
        let wrong =
            post(&sandbox, path, &json!({ "appTicket": "sandbox-app-ticket", "certificate": "x" })).await.json();
        assert_eq!((&wrong["result"], &wrong["value"]), (&json!(false), &json!(null)));
        assert!(wrong["error"]["code"] == "4003" && wrong["error"]["msg"].is_string() && wrong["traceId"].is_string());
        sandbox.control().pushes();
        assert_eq!(post(&sandbox, path, &body).await.json()["result"], false, "the ticket is not the newest");
    }
}
