//! Stores and pushes: `idCheck`, duplicates, and what is sent on.

use milkrun_sandbox::qeasy::Settings;
use milkrun_sandbox::{Carried, Fault, FaultRule};
use serde_json::json;

use crate::qeasy::client::{Client, JSON, SINK, ids, settings};

fn body(id_check: &str, records: &str) -> String {
    format!(r#"{{"id":1,"multiple":true{id_check},"content":[{records}]}}"#)
}

#[test]
fn a_known_id_is_a_duplicate_unless_told_otherwise() {
    let client = Client::new(settings());
    let first = r#"{"id":"A","amount":12345678901234567890.12345670}"#;
    assert_eq!(client.push(SINK, &body("", first)).content(), json!({ "count": 1, "duplicates": 0 }));
    let second = r#"{"id":"A","amount":2}"#;
    for id_check in ["", r#","idCheck":true"#] {
        assert_eq!(client.push(SINK, &body(id_check, second)).content(), json!({ "count": 0, "duplicates": 1 }));
    }
    let received = &client.received("sink")[0];
    assert_eq!((received.ids.len(), received.calls, received.body.as_str()), (1, 3, first));
    assert_eq!(client.received("dispatched")[0].ids.len(), 1);

    assert_eq!(client.push(SINK, &body(r#","idCheck":false"#, second)).content()["count"], 1);
    let received = &client.received("sink")[0];
    assert_eq!((received.ids.len(), received.calls, received.body.as_str()), (1, 4, second));
    assert_eq!(client.received("dispatched")[0].ids.len(), 2, "overwritten and sent again");
    let rows = client.v2(SINK, "query", r#"{"page":1,"pageSize":10}"#).content();
    assert_eq!((ids(&rows), &rows["rows"][0]["amount"]), (vec!["A".to_owned()], &json!(2)));
}

#[test]
fn duplicates_may_be_shown() {
    let client = Client::new(Settings { show_duplicates: true, ..settings() });
    client.push(SINK, &body("", r#"{"id":"A"},{"id":"A"},{"id":7}"#));
    let rows = client.v2(SINK, "query", r#"{"page":1,"pageSize":10}"#).content();
    assert_eq!(rows["total"], 3);
    assert_eq!(client.control().stats().documents["sink"], 2);
}

#[test]
fn a_store_keeps_and_a_store_dispatch_sends_on() {
    let client = Client::new(settings());
    assert_eq!(client.v2(SINK, "store", r#"{"content":{"id":"A"}}"#).content()["count"], 1);
    assert!(client.received("dispatched").is_empty());
    assert_eq!(client.v2(SINK, "store-dispatch", r#"{"content":[{"id":"B"}]}"#).content()["count"], 1);
    assert_eq!(client.received("dispatched")[0].key, "B");
    assert_eq!(client.received("sink").len(), 2);
}

#[test]
fn all_or_none() {
    let client = Client::new(settings());
    for wrong in [
        r#"{"id":1,"multiple":true,"content":[{"id":"A"},{"name":"x"}]}"#,
        r#"{"id":1,"multiple":true,"content":[{"id":"A"},{"id":""}]}"#,
        r#"{"id":1,"multiple":true,"content":[1]}"#,
        r#"{"id":1,"multiple":true,"content":{"id":"A"}}"#,
        r#"{"id":1,"multiple":false,"content":[{"id":"A"}]}"#,
        r#"{"id":1,"content":[{"id":"A"}]}"#,
        r#"{"id":"1","multiple":true,"content":[{"id":"A"}]}"#,
        r#"{"id":1,"multiple":true,"idCheck":1,"content":[{"id":"A"}]}"#,
        r#"{"id":1,"multiple":true}"#,
        r#"{"id":1,"multiple":true,"content":[{"id":"A","id":"B"}]}"#,
    ] {
        assert_eq!(client.push(SINK, wrong).code(), 40_010, "{wrong}");
    }
    assert!(client.received("sink").is_empty());
    assert_eq!(client.push(SINK, r#"{"id":1,"multiple":false,"content":{"id":"A"}}"#).code(), 0);
}

#[test]
fn a_platform_that_makes_up_ids_doubles_what_comes_twice() {
    let client = Client::new(Settings { generate_ids: true, ..settings() });
    let bare = body("", r#"{"name":"x"}"#);
    client.push(SINK, &bare);
    client.push(SINK, &bare);
    assert_eq!(client.received("sink").len(), 2);
}

#[test]
fn a_lost_answer_had_its_effect() {
    let client = Client::new(settings());
    client.control().add_fault(FaultRule::new(Fault::LostAnswer).next(1).method("push"));
    let push = body("", r#"{"id":"A"}"#);
    let outcome = client.outcome("POST", &format!("/api/open/operation/{SINK}"), JSON, &push);
    assert!(matches!(outcome.carried, Carried::Lost(_)));
    assert_eq!(client.push(SINK, &push).content()["duplicates"], 1);
    assert_eq!(client.received("sink")[0].ids.len(), 1);
}
