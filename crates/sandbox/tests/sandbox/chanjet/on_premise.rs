//! On-premise access: the login, and headers that carry a PS256 JWT.

use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use md5::{Digest, Md5};
use milkrun_sandbox::Sandbox;
use milkrun_sandbox::chanjet::{OnPremise, QueryEnvelope, Settings};
use serde_json::{Value, json};

use crate::chanjet::client::{Reply, rows, send, settings, start};

const LOGIN: &str = "collaborationapp/GetRealNameTPlusToken?IsFree=1";

fn md5(text: &str) -> String {
    Md5::digest(text).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// What `datas` hashes, with `more` before the closing brace.
fn datas(more: &str) -> String {
    md5(&format!("{{\"appkey\":\"ptPrU0YV\",\"orgid\":\"\",\"appsecret\":\"sandbox-app-secret\"{more}}}"))
}

fn authorization(key: &KeyPair, alg: &str, payload: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": alg, "typ": "JWT" })), part(payload));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    STANDARD.encode(json!({ "appKey": "ptPrU0YV", "authInfo": token, "orgId": "" }).to_string())
}

async fn call(sandbox: &Sandbox, path: &str, authorization: &str, args: &str) -> Reply {
    let headers = [("Authorization", authorization), ("Content-Type", "application/x-www-form-urlencoded")];
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("_args", args).finish();
    send(sandbox, "POST", &format!("/tplus/api/v2/{path}"), &headers, &body).await.unwrap()
}

#[tokio::test]
async fn a_login_and_signed_calls() {
    let (key, other) = (KeyPair::generate(KeySize::Rsa2048).unwrap(), KeyPair::generate(KeySize::Rsa2048).unwrap());
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let on_premise = OnPremise {
        public_key: public.as_ref().to_vec(),
        user_name: "demo".to_owned(),
        password: "secret & 1".to_owned(),
        account: "3".to_owned(),
    };
    let more = Settings { query_envelope: QueryEnvelope::Array, on_premise: Some(on_premise), ..settings() };
    let sandbox = start(more).await;
    let now = sandbox.control().now().as_millisecond();
    let login = json!({ "userName": "demo", "password": md5("secret & 1"), "accNum": "3" }).to_string();
    let good = json!({ "sub": "tplus", "exp": now + 30_000, "datas": datas("") });

    let answer = call(&sandbox, LOGIN, &authorization(&key, "PS256", &good), &login).await.json();
    assert_eq!((&answer["result"], &answer["access_token"]), (&json!(true), &json!("sandbox.access.token")));
    assert!(answer["sid"].is_string());
    let wrong = login.replace("demo", "nobody");
    let refused = call(&sandbox, LOGIN, &authorization(&key, "PS256", &good), &wrong).await.json();
    assert_eq!((&refused["result"], &refused["error"]["code"]), (&json!(false), &json!("4003")));

    let args = "{\"param\":{\"PageIndex\":1,\"PageSize\":2}}";
    let token = json!("sandbox.access.token");
    let with = |name: &str, value: Value| {
        let mut payload = good.clone();
        payload["access_token"] = token.clone();
        payload[name] = value;
        payload
    };
    let hashed = json!({
        "sub": "tplus", "exp": now + 300_000, "datas": datas(",\"access_token\":\"sandbox.access.token\""),
    });
    for payload in [with("access_token", token.clone()), with("exp", json!(now + 300_000)), hashed] {
        let reply = call(&sandbox, "inventory/Query", &authorization(&key, "PS256", &payload), args).await;
        assert_eq!(rows(&reply).len(), 2, "{payload}");
    }
    for (payload, expected) in [
        (with("access_token", json!("other")), "4007"),
        (with("access_token", Value::Null), "4007"),
        (with("exp", json!(now)), "50000"),
        (with("exp", json!(now / 1_000 + 30)), "50000"),
        (with("exp", json!(now + 300_001)), "50000"),
        (with("datas", json!("0")), "50000"),
        (with("sub", json!("")), "50000"),
    ] {
        let reply = call(&sandbox, "inventory/Query", &authorization(&key, "PS256", &payload), args).await;
        assert_eq!((reply.status, &reply.json()["code"]), (401, &json!(expected)), "{payload}");
    }
    let usual = with("sub", json!("tplus"));
    for header in [authorization(&other, "PS256", &usual), authorization(&key, "RS256", &usual), "x".to_owned()] {
        assert_eq!(call(&sandbox, "inventory/Query", &header, args).await.json()["code"], "50000");
    }
    let header = authorization(&key, "PS256", &usual);
    let json_kind = [("Authorization", header.as_str()), ("Content-Type", "application/json")];
    let reply = send(&sandbox, "POST", "/tplus/api/v2/inventory/Query", &json_kind, args).await.unwrap();
    assert_eq!(reply.status, 415);

    sandbox.control().kill_session();
    assert_eq!(call(&sandbox, "inventory/Query", &header, args).await.json()["code"], "4007");
    let again = call(&sandbox, LOGIN, &authorization(&key, "PS256", &good), &login).await.json();
    assert_ne!(again["access_token"], "sandbox.access.token");
    sandbox.control().advance_clock(Duration::from_secs(31));
    let late = call(&sandbox, LOGIN, &authorization(&key, "PS256", &good), &login).await;
    assert_eq!((late.status, &late.json()["error"]["code"]), (401, &json!("50000")));
}

#[tokio::test]
async fn the_cloud_has_no_login() {
    let sandbox = start(settings()).await;
    assert_eq!(call(&sandbox, LOGIN, "x", "{}").await.status, 404);
}
