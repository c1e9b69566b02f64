//! Queries of both versions.

use std::collections::BTreeSet;

use milkrun_sandbox::qeasy::{RowShape, Settings, awkward};
use serde_json::json;

use crate::qeasy::client::{Client, FORM, NOON, SOURCE, id, ids, settings};

fn walk(client: &Client, more: &str) -> Vec<String> {
    let mut all = Vec::new();
    for page in 1.. {
        let content = client.v2(SOURCE, "query", &format!(r#"{{"page":{page},"pageSize":100{more}}}"#)).content();
        let rows = ids(&content);
        if rows.is_empty() {
            assert_eq!(content["total"], all.len());
            return all;
        }
        all.extend(rows);
    }
    unreachable!("an empty page ends the walk")
}

#[test]
fn every_record_comes_once_and_the_newest_first() {
    let client = Client::new(settings());
    let all = walk(&client, "");
    let truth = client.control().truth("source").unwrap();
    assert_eq!(all.iter().cloned().collect::<BTreeSet<_>>(), truth.iter().map(|row| row.key.clone()).collect());
    assert_eq!(all.len(), 250);
    let time = |key: &String| truth.iter().find(|row| row.key == *key).unwrap().modified;
    assert!(all.iter().rev().map(time).is_sorted());
    let oldest = Client::new(Settings { oldest_first: true, ..settings() });
    assert!(walk(&oldest, "").iter().map(time).is_sorted());
}

#[test]
fn windows_are_unix_seconds_with_both_ends() {
    let client = Client::new(settings());
    let truth = client.control().truth("source").unwrap();
    let times: Vec<i64> = truth.iter().map(|row| row.modified / 1_000).collect();
    let (begin, end) = (times[40], times[80]);
    let expected = times.iter().filter(|time| (begin..=end).contains(*time)).count();
    assert_eq!(walk(&client, &format!(r#","begin_at":{begin},"end_at":{end}"#)).len(), expected);
    let fields = [
        ("token", "sandbox-v1-token"),
        ("page", "1"),
        ("pageSize", "100"),
        ("begin_at", &begin.to_string()),
        ("end_at", &end.to_string()),
    ];
    assert_eq!(client.v1(&fields).content()["total"], expected);
}

#[test]
fn filters() {
    let client = Client::new(settings());
    let shops = client.v2(SOURCE, "query", r#"{"page":1,"pageSize":100,"CONTENT_shop_no":"S01"}"#).content();
    let rows = shops["rows"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["shop_no"] == "S01"));
    let v1 = |name: &str, value: &str| {
        client.v1(&[("token", "sandbox-v1-token"), ("page", "1"), ("pageSize", "1"), (name, value)])
    };
    let same = v1("condition[shop_no][$eq]", "S01").content();
    assert_eq!((&same["total"], &same["condition"]), (&shops["total"], &json!({ "shop_no": { "$eq": "S01" } })));
    let count = |name: &str, value: &str| v1(name, value).content()["total"].as_u64().unwrap();
    assert_eq!(count("condition[id][$eq]", awkward::ID), 1);
    assert_eq!(count("condition[id][$gt]", awkward::ID), 249);
    assert_eq!(count("condition[number][$in]", "TK00000001,TK00000002"), 2);
    assert_eq!(count("condition[number][$like]", "0000002"), 11);
    assert_eq!(count("condition[nope][$eq]", "1"), 0);
    assert_eq!(v1("condition[id][$regex]", "1").code(), 40_010);
    assert_eq!(v1("condition[id]", "1").code(), 40_010);
}

#[test]
fn awkward_numbers_arrive_as_they_were_written() {
    let client = Client::new(settings());
    let path = format!("/v2/open-api/business/{SOURCE}/find-one/{}?access_token={}", awkward::ID, client.token);
    let reply = client.raw("GET", &path, "", "");
    assert_eq!(id(&reply.content()), awkward::ID);
    assert!(reply.answer.body.contains(&format!("\"amount\":{},", awkward::AMOUNT)));
    assert_eq!(client.raw("GET", &path.replace(awkward::ID, "1"), "", "").code(), 40_020);
}

#[test]
fn rows_may_be_wrapped() {
    let client = Client::new(Settings { row: RowShape::Wrapped, ..settings() });
    let row = client.v2(SOURCE, "query", r#"{"page":1,"pageSize":1}"#).content()["rows"][0].clone();
    assert_eq!((&row["status"], row["content"]["remark"].as_str()), (&json!(2), Some("v0")));
    assert!(row["updated_at"].as_i64().unwrap() < NOON && row["id"] == id(&row["content"]));
}

#[test]
fn wrong_questions() {
    let client = Client::new(settings());
    for body in [
        "",
        "[]",
        r#"{"page":1}"#,
        r#"{"page":0,"pageSize":10}"#,
        r#"{"page":1,"pageSize":101}"#,
        r#"{"page":1,"pageSize":"x"}"#,
        r#"{"page":1,"page":2,"pageSize":10}"#,
        r#"{"page":1,"pageSize":10,"begin_at":1785556800000}"#,
        r#"{"page":1,"pageSize":10,"begin_at":20,"end_at":10}"#,
        r#"{"page":1,"pageSize":10,"begin_at":"2026-08-01 00:00:00"}"#,
    ] {
        assert_eq!(client.v2(SOURCE, "query", body).code(), 40_010, "{body}");
    }
    let form = |body: &str| {
        let path = format!("/v2/open-api/business/{SOURCE}/query?access_token={}", client.token);
        client.raw("POST", &path, FORM, body).code()
    };
    assert_eq!((form("page=1&pageSize=10"), form("page=1")), (0, 40_010));
    assert_eq!(client.v1(&[("page", "1"), ("pageSize", "10")]).code(), 40_002);
    assert_eq!(client.v1(&[("token", "x"), ("page", "1"), ("pageSize", "10")]).code(), 40_003);
    assert_eq!(client.v1(&[("token", &client.token), ("page", "1"), ("pageSize", "10")]).code(), 0);
    assert_eq!(
        client.v1(&[("token", "sandbox-v1-token"), ("page", "1"), ("page", "1"), ("pageSize", "10")]).code(),
        40_010
    );
}
