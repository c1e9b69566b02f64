//! Every route answers as the description says.

use milkrun_console::ROUTES;
use serde_json::{Value, json};

use crate::server::{Server, got};

/// A path of the table with names that the test's desk knows.
pub(crate) fn filled(path: &str) -> String {
    path.replace("{account}", "km")
        .replace("{flow}", "orders")
        .replace("{run}", "1")
        .replace("{letter}", "1")
        .replace("{page}", "1")
        .replace("{channel}", "ops")
}

/// What the route needs beside its path.
pub(crate) fn query(path: &str) -> &'static str {
    match path {
        "/api/v1/calendar" => "?from=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z",
        "/api/v1/trace" => "?id=A-1",
        _ => "",
    }
}

/// A body that the route takes, if it takes one.
pub(crate) fn body(method: &str, path: &str) -> Option<Value> {
    let draft = json!({ "text": "[mapping]", "revision": "r1" });
    let body = match (method, path.trim_start_matches("/api/v1")) {
        ("POST", "/session") => json!({ "user": "zhang", "password": "correct horse" }),
        ("POST", "/flows/{flow}/backfill") => {
            json!({ "from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z" })
        }
        ("POST", "/flows/{flow}/dead-letters/replay") => json!({ "letters": [1, 2] }),
        ("POST", "/flows/{flow}/dead-letters/{letter}/arrived") => json!({ "remote_id": "R-1" }),
        ("POST", "/flows/{flow}/mapping/edit") => {
            json!({ "text": "", "revision": "r1", "target": "a", "rule": { "from": "b" } })
        }
        ("POST", "/flows/{flow}/mapping/preview") => json!({ "text": "[mapping]" }),
        ("POST", "/flows/{flow}/mapping/draft") | ("PUT", "/flows/{flow}/mapping") => draft,
        ("PUT", "/alerts") => json!({ "revision": "r1" }),
        _ => return None,
    };
    Some(body)
}

#[tokio::test]
async fn every_route_answers() {
    let server = Server::open().await;
    let csrf = server.get("/api/v1/session").await.json()["csrf"].as_str().unwrap().to_owned();
    for route in ROUTES.iter().filter(|route| route.path != "/api/v1/events") {
        let path = format!("{}{}", filled(route.path), query(route.path));
        let mut ask = server.ask(route.method, &path).header("x-csrf-token", &csrf);
        if let Some(body) = body(route.method, route.path) {
            ask = ask.json(&body);
        }
        let got = got(ask).await;
        assert!(got.status.is_success(), "{} {path}: {} {}", route.method, got.status, got.text);
    }
    let expected = [
        "local run orders",
        "local cancel orders",
        "local backfill orders 2026-01-01T00:00:00Z",
        "local replay orders Some([1, 2])",
        "local arrived orders 1 Some(\"R-1\")",
        "local save orders",
        "local alerts ",
        "local test ops",
    ];
    assert_eq!(server.done(), expected);
    server.stop().await.unwrap();
}
