//! What the gateway refuses, by code, and what it answers below HTTP 200.

use jiff::Timestamp;
use milkrun_sandbox::Carried;
use milkrun_sandbox::jushuitan::{self, Settings, TimestampRule};

use crate::jushuitan::client::{KIND, NOON, ORDERS, WINDOW, ask, call, code, form, send, settings, start};

#[tokio::test]
async fn each_system_field_has_its_code() {
    let sandbox = start(settings()).await;
    let biz = ("biz", "{\"start_ts\":0}");
    let late = (NOON - 601).to_string();
    let early = (NOON + 601).to_string();
    let edge = (NOON - 600).to_string();
    let millis = (NOON * 1_000).to_string();
    for (field, value, expected) in [
        ("app_key", "-", 130),
        ("app_key", "other", 140),
        ("access_token", "-", 130),
        ("access_token", "other", 100),
        ("timestamp", "-", 130),
        ("timestamp", &late, 180),
        ("timestamp", &early, 180),
        ("timestamp", &millis, 180),
        ("timestamp", "2026-08-01 12:00:00", 180),
        ("timestamp", &edge, 0),
        ("charset", "-", 130),
        ("charset", "gbk", 140),
        ("charset", "UTF-8", 0),
        ("version", "-", 130),
        ("version", "1", 140),
        ("sign", "-", 130),
        ("sign", "0123", 10),
        ("extra", "signed too", 0),
        ("extra", "", 130),
    ] {
        let answer = call(&sandbox, ORDERS, &[biz, (field, value)]).await;
        assert_eq!(code(&answer), expected, "{field} = {value}: {answer}");
    }
    assert_eq!(code(&call(&sandbox, ORDERS, &[]).await), 130, "no biz");
    assert_eq!(code(&ask(&sandbox, ORDERS, "[]").await), 140);
    assert_eq!(code(&ask(&sandbox, ORDERS, "page_index=1").await), 140);
    assert_eq!(code(&ask(&sandbox, "/open/unheard/of", "{}").await), 190);
}

#[tokio::test]
async fn the_signature_covers_the_text_as_it_is_sent() {
    let sandbox = start(settings()).await;
    for biz in [
        "{\"start_ts\":0,\"page_size\":1}",
        "{ \"start_ts\" : 0 ,\n \"page_size\" : 1 }",
        "{\"start_ts\":0,\"page_size\":1,\"note\":\"红 & \\u7ea2 =+%\"}",
    ] {
        assert_eq!(code(&ask(&sandbox, ORDERS, biz).await), 0, "{biz}");
    }
    let body = form(&sandbox.control(), &[("biz", "{\"start_ts\":0}")]).replace("start_ts%22%3A0", "start_ts%22%3A1");
    let answer = send(&sandbox, "POST", ORDERS, &[KIND], &body).await.unwrap();
    assert_eq!(code(&answer.json()), 10);
    let signed = form(&sandbox.control(), &[("biz", "{\"start_ts\":0}")]);
    let (head, sign) = signed.rsplit_once("sign=").unwrap();
    let upper = format!("{head}sign={}", sign.to_uppercase());
    assert_eq!(code(&send(&sandbox, "POST", ORDERS, &[KIND], &upper).await.unwrap().json()), 10);
}

#[tokio::test]
async fn system_parameters_travel_in_the_form_of_a_post() {
    let sandbox = start(settings()).await;
    let body = form(&sandbox.control(), &[("biz", "{\"start_ts\":0}")]);
    let reply = async |verb: &str, path: &str, kind: &str| {
        send(&sandbox, verb, path, &[("content-type", kind)], &body).await.unwrap()
    };
    assert_eq!(reply("GET", ORDERS, KIND.1).await.status, 405);
    assert_eq!(reply("POST", "/router", KIND.1).await.status, 404);
    assert_eq!(code(&reply("POST", ORDERS, "application/json").await.json()), 140);
    assert_eq!(code(&reply("POST", &format!("{ORDERS}?{body}"), KIND.1).await.json()), 140);
    assert_eq!(code(&reply("POST", ORDERS, "application/x-www-form-urlencoded").await.json()), 0);
    let twice = format!("{body}&version=2");
    let answer = send(&sandbox, "POST", ORDERS, &[KIND], &twice).await.unwrap();
    assert_eq!(code(&answer.json()), 140);
}

#[tokio::test]
async fn fifteen_minutes_for_those_who_want_them() {
    let sandbox = start(Settings { timestamp: TimestampRule::FifteenMinutes, ..settings() }).await;
    for (off, expected) in [(900, 0), (901, 140)] {
        let timestamp = (NOON - off).to_string();
        let answer = call(&sandbox, ORDERS, &[("biz", "{\"start_ts\":0}"), ("timestamp", &timestamp)]).await;
        assert_eq!(code(&answer), expected, "{off} seconds");
    }
}

#[tokio::test]
async fn seconds_and_minutes_have_limits_of_their_own() {
    let sandbox = start(Settings { limits: Settings::default().limits, ..settings() }).await;
    let biz = format!("{{{WINDOW},\"page_size\":1}}");
    for _ in 0..5 {
        assert_eq!(code(&ask(&sandbox, ORDERS, &biz).await), 0);
    }
    assert_eq!(code(&ask(&sandbox, ORDERS, &biz).await), 199);
    for second in 1..20 {
        sandbox.control().set_clock(Timestamp::from_second(NOON + second).unwrap());
        for _ in 0..5 {
            assert_eq!(code(&ask(&sandbox, ORDERS, &biz).await), 0, "second {second}");
        }
    }
    sandbox.control().set_clock(Timestamp::from_second(NOON + 20).unwrap());
    assert_eq!(code(&ask(&sandbox, ORDERS, &biz).await), 200);
    sandbox.control().set_clock(Timestamp::from_second(NOON + 60).unwrap());
    assert_eq!(code(&ask(&sandbox, ORDERS, &biz).await), 0);
    let stats = sandbox.control().stats();
    assert_eq!((stats.outcomes["199"], stats.outcomes["200"], stats.outcomes["ok"]), (1, 1, 101));
    assert_eq!(stats.rejected_for_limits, 2);
}

#[tokio::test]
async fn the_same_without_a_socket() {
    let vendor = jushuitan::in_process(settings());
    let body = form(&vendor.control(), &[("biz", "{\"start_ts\":0,\"page_size\":3}")]);
    let Carried::Whole(answer) = vendor.call("POST", ORDERS, &[KIND], body.as_bytes()).carried else {
        panic!("no fault is on");
    };
    let sandbox = start(settings()).await;
    assert_eq!(answer.body, send(&sandbox, "POST", ORDERS, &[KIND], &body).await.unwrap().body);
}
