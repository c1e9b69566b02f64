//! Requests that are malformed, too large, too many, or of the wrong kind: each gets a refusal, and none a failure.

use reqwest::RequestBuilder;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::{ROBOT, Server, got};
use milkrun_core::ErrorKind;

async fn status(ask: RequestBuilder) -> (u16, String) {
    let got = got(ask).await;
    assert_eq!(got.header("content-type"), "application/json", "{}", got.text);
    assert!(!got.json()["message"].as_str().unwrap().is_empty());
    (got.status.as_u16(), got.kind())
}

fn told(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

#[tokio::test]
async fn bodies_have_to_be_what_the_route_takes() {
    let server = Server::closed().await;
    let backfill = |body: String, kind: &str| {
        let ask = server.ask("POST", "/api/v1/flows/orders/backfill").bearer_auth(ROBOT);
        if kind.is_empty() { ask.body(body) } else { ask.header("content-type", kind).body(body) }
    };
    let good = json!({ "from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z" });
    let with = |name: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string()
    };
    let json = "application/json";
    for (body, kind, expected) in [
        (good.to_string(), "text/plain", told(415, "not-json")),
        (good.to_string(), "", told(415, "not-json")),
        (good.to_string(), "application/x-www-form-urlencoded", told(415, "not-json")),
        (String::new(), json, told(400, "malformed")),
        ("{".to_owned(), json, told(400, "malformed")),
        ("[]".to_owned(), json, told(400, "malformed")),
        ("[".repeat(100_000), json, told(400, "malformed")),
        (with("from", json!(5)), json, told(400, "malformed")),
        (with("from", json!("yesterday")), json, told(400, "malformed")),
        (with("from", json!("2026-03-01T00:00:00Z")), json, told(400, "malformed")),
        (with("share", json!(0)), json, told(400, "malformed")),
        (with("share", json!(101)), json, told(400, "malformed")),
        (with("share", json!(300)), json, told(400, "malformed")),
        (with("other", json!(1)), json, told(400, "malformed")),
        (with("other", json!("x".repeat(2 << 20))), json, told(413, "too-large")),
    ] {
        let shown = body.chars().take(60).collect::<String>();
        assert_eq!(status(backfill(body, kind)).await, expected, "{shown} as {kind}");
    }
    let not_text = server.ask("POST", "/api/v1/flows/orders/backfill").bearer_auth(ROBOT);
    let not_text = not_text.header("content-type", json).body(vec![b'"', 0xff, b'"']);
    assert_eq!(status(not_text).await, told(400, "malformed"));
    let sign_in = server.ask("POST", "/api/v1/session").header("content-type", json).body("x".repeat(20 << 10));
    assert_eq!(status(sign_in).await, told(413, "too-large"));
    let letters = json!({ "letters": vec![1; 10_001] });
    let replay = server.ask("POST", "/api/v1/flows/orders/dead-letters/replay").bearer_auth(ROBOT).json(&letters);
    assert_eq!(status(replay).await, told(400, "malformed"));
    assert_eq!(server.done(), [""; 0]);
}

#[tokio::test]
async fn addresses_have_to_be_what_the_route_takes() {
    let server = Server::open().await;
    let long = "x".repeat(2000);
    for (path, expected) in [
        ("/api/v1/flows/unknown", told(404, "not-found")),
        ("/api/v1/flows/orders/runs/99999999999999999999", told(404, "not-found")),
        ("/api/v1/flows/orders/runs/18446744073709551615", told(404, "not-found")),
        ("/api/v1/flows/orders/runs/-1", told(404, "not-found")),
        ("/api/v1/flows/orders/pages/x", told(404, "not-found")),
        ("/api/v1/flows/%ff", told(404, "not-found")),
        ("/api/v1/flows/orders/runs?limit=0", told(400, "malformed")),
        ("/api/v1/flows/orders/runs?limit=501", told(400, "malformed")),
        ("/api/v1/flows/orders/runs?limit=x", told(400, "malformed")),
        ("/api/v1/flows/orders/runs?limit=1&limit=2", told(400, "malformed")),
        ("/api/v1/flows/orders/runs?before=-1", told(400, "malformed")),
        ("/api/v1/flows/orders/dead-letters?stage=other", told(400, "malformed")),
        ("/api/v1/flows/orders/dead-letters?other=1", told(400, "malformed")),
        (&format!("/api/v1/flows/orders/dead-letters?text={long}"), told(400, "malformed")),
        ("/api/v1/trace", told(400, "malformed")),
        ("/api/v1/trace?id=", told(400, "malformed")),
        ("/api/v1/trace?id=%20", told(400, "malformed")),
        (&format!("/api/v1/trace?id={long}"), told(400, "malformed")),
        ("/api/v1/calendar", told(400, "malformed")),
        ("/api/v1/calendar?from=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z", told(400, "malformed")),
        ("/api/v1/calendar?from=2020-01-01T00:00:00Z&until=2026-01-01T00:00:00Z", told(400, "malformed")),
        ("/api/v1/nothing", told(404, "not-found")),
        ("/api", told(404, "not-found")),
        ("/api/v2/overview", told(404, "not-found")),
        ("/assets/none.js", told(404, "not-found")),
    ] {
        assert_eq!(status(server.ask("GET", path)).await, expected, "{path}");
    }
    for path in [
        "/api/v1/flows/orders/runs?before=18446744073709551615&lang=zh",
        "/api/v1/flows/orders/dead-letters?text=&stage=&lang=zh",
        "/api/v1/trace?id=%F0%9F%98%80%00&flow=",
    ] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    for (method, path) in
        [("DELETE", "/api/v1/overview"), ("PATCH", "/api/v1/flows/orders"), ("POST", "/"), ("PUT", "/x")]
    {
        assert_eq!(status(server.ask(method, path)).await, told(405, "wrong-method"), "{method} {path}");
    }
    let got = got(server.ask("DELETE", "/api/v1/overview")).await;
    assert_eq!(got.header("allow"), "GET,HEAD");
}

/// A client of its own, since others tidy up paths before they send them.
async fn raw(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server may refuse before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn nobody_climbs_out_of_the_page() {
    let server = Server::open().await;
    for path in [
        "/../../../../etc/passwd",
        "/assets/../../Cargo.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/..%5c..%5cetc%5cpasswd",
        "/%252e%252e%252fetc%252fpasswd",
        "//etc/passwd",
        "/....//....//etc/passwd",
        "/.git/config",
        "/assets/%00",
        "/C:/windows/win.ini",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = raw(&server, request.as_bytes()).await;
        let is_page = answer.contains("<title>Milkrun</title>") && answer.starts_with("HTTP/1.1 200");
        assert!(answer.starts_with("HTTP/1.1 404") || is_page, "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("[package]"), "{path}");
    }
}

#[tokio::test]
async fn floods_of_headers_are_refused() {
    let server = Server::open().await;
    let head = |rest: &str| format!("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{rest}\r\n");
    let many = "x: 1\r\n".repeat(200);
    assert!(raw(&server, head(&many).as_bytes()).await.starts_with("HTTP/1.1 431"));
    let long = format!("x: {}\r\n", "y".repeat(100_000));
    assert!(raw(&server, head(&long).as_bytes()).await.starts_with("HTTP/1.1 431"));
    let smuggled = "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let smuggled = format!("{smuggled}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n");
    let answer = raw(&server, smuggled.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(raw(&server, b"GET /health HTTP/1.1\r\nconnection: close\r\n\r\n").await.starts_with("HTTP/1.1 403"));
    assert!(raw(&server, b"\x16\x03\x01\x00\xa5nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    assert_eq!(server.get("/health").await.status, 200);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let server = Server::closed().await;
    for path in ["/", "/health", "/api/v1/overview", "/api/v1/nothing", "/assets/none.js"] {
        let got = server.get(path).await;
        let content = got.header("content-security-policy");
        assert!(content.contains("default-src 'self'") && content.contains("frame-ancestors 'none'"), "{path}");
        assert!(!content.contains("unsafe"), "{content}");
        assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(got.header("referrer-policy"), "no-referrer");
        assert_eq!(got.header("cross-origin-resource-policy"), "same-origin");
        assert!(got.header("permissions-policy").contains("camera=()"));
        assert_eq!(got.header("strict-transport-security"), "");
        let cached = if path == "/" { "no-cache" } else { "no-store" };
        assert_eq!(got.header("cache-control"), cached, "{path}");
    }
}

#[tokio::test]
async fn a_failing_desk_is_told_of_with_a_fitting_status() {
    use ErrorKind::{Busy, ConfigInvalid, Interrupted, Io, NotFound, Refused, State, TokenDead, Unavailable};
    let server = Server::open().await;
    for (kind, expected) in [
        (NotFound, 404),
        (Busy, 409),
        (ConfigInvalid, 422),
        (Refused, 422),
        (TokenDead, 422),
        (Unavailable, 422),
        (State, 503),
        (Io, 503),
        (Interrupted, 503),
    ] {
        *server.desk.fails.lock().unwrap() = Some(kind);
        let got = server.get("/api/v1/overview?lang=zh").await;
        assert_eq!((got.status.as_u16(), got.kind()), (expected, kind.as_str().to_owned()));
        assert!(got.json()["message"].as_str().unwrap().starts_with("Zh: "), "{}", got.text);
    }
}

#[tokio::test]
async fn health_is_that_of_the_desk() {
    let server = Server::closed().await;
    let ask = async || {
        let got = server.get("/health").await;
        (got.status.as_u16(), got.text)
    };
    assert_eq!(ask().await, (200, "well\n".to_owned()));
    *server.desk.fails.lock().unwrap() = Some(ErrorKind::State);
    assert_eq!(ask().await.0, 200, "an answer is good for two seconds");
    server.clock.advance(2);
    assert_eq!(ask().await, (503, "not well\n".to_owned()));
    *server.desk.fails.lock().unwrap() = None;
    server.clock.advance(2);
    assert_eq!(ask().await.0, 200);
}
