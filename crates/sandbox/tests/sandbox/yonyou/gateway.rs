//! What the gateway checks before an interface runs, and discovery.

use std::time::Duration;

use milkrun_sandbox::yonyou::{self, Settings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::yonyou::client::{Client, JSON, ORDERS, PURCHASE, order, settings};

const PAGE: &str = r#"{"pageIndex":1,"pageSize":10}"#;

#[tokio::test]
async fn discovery_names_the_server_itself() {
    let sandbox = yonyou::start(settings()).await.unwrap();
    let ask = async |tenant: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", sandbox.port())).await.unwrap();
        let path = format!("/open-auth/dataCenter/getGatewayAddress?tenantId={tenant}");
        let host = format!("127.0.0.1:{}", sandbox.port());
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200"));
        serde_json::from_str::<Value>(text.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let known = ask("k8p3lxta").await;
    assert_eq!(known["code"], "00000");
    assert_eq!(known["data"]["gatewayUrl"], format!("{}/iuap-api-gateway", sandbox.url()));
    assert_eq!(known["data"]["tokenUrl"], format!("{}/iuap-api-auth", sandbox.url()));
    let unknown = ask("nobody").await;
    assert_eq!((&unknown["code"], &unknown["message"]), (&json!("500"), &json!("根据租户id获取网关地址出现异常")));
}

#[test]
fn the_path_comes_before_the_token() {
    let client = Client::new(settings());
    for path in [
        "/",
        "/yonbip/scm/purchaseorder/list",
        "/iuap-api-gateway/yonbip/scm/purchaseorder/lists",
        "/iuap-api-auth/yonbip/scm/purchaseorder/list",
    ] {
        let reply = client.raw("POST", path, PAGE.as_bytes());
        assert_eq!((reply.answer.status, reply.code()), (404, "310404".to_owned()), "{path}");
    }
    assert_eq!(client.raw("GET", &client.path(ORDERS), b"").code(), "310405");
    assert_eq!(client.raw("POST", &client.path("/yonbip/scm/purchaseorder/detail"), b"{}").code(), "310405");
}

#[test]
fn the_token_stands_in_the_query_and_is_encoded() {
    let client = Client::new(settings());
    let base = format!("/iuap-api-gateway{ORDERS}");
    assert_eq!(client.raw("POST", &base, PAGE.as_bytes()).code(), "310001");
    assert_eq!(client.raw("POST", &format!("{base}?access_token="), PAGE.as_bytes()).code(), "310001");
    assert_eq!(client.raw("POST", &format!("{base}?access_token=x"), PAGE.as_bytes()).code(), "310036");
    let raw = format!("{base}?access_token={}", client.token);
    assert_eq!(client.raw("POST", &raw, PAGE.as_bytes()).code(), "310036", "a raw + is a blank");
    let bearer = format!("Bearer {}", client.token);
    let headers = [JSON[0], ("Authorization", bearer.as_str())];
    let outcome = client.vendor.call("POST", &base, &headers, PAGE.as_bytes());
    let milkrun_sandbox::Carried::Whole(answer) = outcome.carried else { panic!("nothing was to go wrong") };
    assert!(answer.body.contains("310001"));
}

#[test]
fn some_interfaces_answer_a_bad_token_with_plain_text() {
    let client = Client::new(settings());
    let path = "/iuap-api-gateway/yonbip/fi/ficloud/openapi/voucher/queryVouchers?access_token=x";
    let reply = client.raw("POST", path, PAGE.as_bytes());
    assert_eq!((reply.answer.status, reply.answer.body.as_str()), (200, "非法token"));
    assert!(reply.answer.content_type.starts_with("text/plain"));
}

#[test]
fn authorisation_and_bodies() {
    let client = Client::new(Settings { unauthorised: vec![ORDERS.to_owned()], ..settings() });
    assert_eq!(client.post(ORDERS, PAGE).code(), "310037");
    let save = |body: &str| client.post(PURCHASE, body).code();
    assert_eq!(save("{"), "310002");
    assert_eq!(save(""), "310002");
    assert_eq!(save(r#"{"data":{"a":1,"a":2}}"#), "310002");
    assert_eq!(save("{}"), "310003");
    assert_eq!(save(r#"{"data":[]}"#), "310008");
    let body = order("k", "1");
    let outcome =
        client.vendor.call("POST", &client.path(PURCHASE), &[("content-type", "text/plain")], body.as_bytes());
    let milkrun_sandbox::Carried::Whole(answer) = outcome.carried else { panic!("nothing was to go wrong") };
    assert!(answer.body.contains("310002"));
    assert_eq!(client.control().stats().documents["purchase-orders"], 40, "nothing was made");
}

#[test]
fn each_interface_has_its_quota() {
    let minute = Duration::from_mins(1);
    let quotas =
        Settings { quota: Some((3, minute)), finance_quota: Some((2, minute)), retry_after: true, ..settings() };
    let client = Client::new(quotas);
    let codes = |path: &str, n: usize| (0..n).map(|_| client.post(path, PAGE).code()).collect::<Vec<_>>();
    assert_eq!(codes(ORDERS, 4), ["200", "200", "200", "310046"]);
    assert_eq!(codes("/yonbip/sd/voucherorder/list", 1), ["200"], "others have their own");
    assert_eq!(codes("/yonbip/EFI/receivable/list", 3), ["200", "200", "310046"]);
    assert_eq!(client.post(ORDERS, PAGE).answer.retry_after, Some(60));
    client.control().advance_clock(minute);
    assert_eq!(codes(ORDERS, 1), ["200"]);
}

#[test]
fn limits_over_all_calls() {
    let limits = vec![(2, Duration::from_secs(1))];
    let client = Client::new(Settings { limits, throttle_code: "310032".to_owned(), ..settings() });
    assert_eq!(client.post(ORDERS, PAGE).code(), "200");
    let refused = client.post(ORDERS, PAGE);
    assert_eq!((refused.code().as_str(), refused.answer.status, refused.answer.retry_after), ("310032", 200, None));
}

#[test]
fn success_has_many_forms() {
    let chosen =
        vec![(ORDERS.to_owned(), "\"0000\"".to_owned()), ("/yonbip/EFI/receivable/list".to_owned(), "0".to_owned())];
    let client = Client::new(Settings { success_values: chosen, ..settings() });
    let code = |path: &str| client.post(path, PAGE).json()["code"].clone();
    assert_eq!(code(ORDERS), json!("0000"));
    assert_eq!(code("/yonbip/EFI/receivable/list"), json!(0));
    assert_eq!(code("/yonbip/digitalModel/vendor/list"), json!(200));
    assert_eq!(code("/yonbip/sd/voucherorder/list"), json!("200"));
}
