//! Server-sent events, and how the console ends.

use futures_util::StreamExt as _;
use milkrun_console::model::Event;

use crate::server::{Server, ZHANG, got};

fn started(n: u32) -> Event {
    Event::Started { flow: format!("flow-{n}") }
}

/// Reads until the text has `end`.
async fn read(
    stream: &mut (impl futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin),
    end: &str,
) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let Some(part) = stream.next().await else { return text };
        text.push_str(std::str::from_utf8(&part.unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn events_come_as_they_happen_and_a_slow_reader_is_told() {
    let server = Server::open().await;
    let response = server.ask("GET", "/api/v1/events").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = Box::pin(response.bytes_stream());
    read(&mut stream, ": connected").await;
    server.desk.events.send(started(0)).unwrap();
    let text = read(&mut stream, "\n\n").await;
    assert!(
        text.contains("event: started\n") && text.contains("data: {\"type\":\"started\",\"flow\":\"flow-0\"}"),
        "{text}"
    );
    // All at once, and more than the buffer holds: the stream has no chance to read in between.
    for n in 1..=20 {
        server.desk.events.send(started(n)).unwrap();
    }
    let text = read(&mut stream, "flow-20").await;
    assert!(text.contains("event: lagged\n"), "{text}");
}

#[tokio::test]
async fn streams_are_bounded_and_end_with_the_console() {
    let server = Server::open().await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        let response = server.ask("GET", "/api/v1/events").send().await.unwrap();
        assert_eq!(response.status(), 200);
        streams.push(Box::pin(response.bytes_stream()));
    }
    let refused = server.get("/api/v1/events").await;
    assert_eq!((refused.status.as_u16(), refused.kind().as_str()), (503, "unavailable"));
    assert_eq!(refused.header("retry-after"), "5");
    server.stop().await.unwrap();
    for mut stream in streams {
        let rest = read(&mut stream, "never").await;
        assert!(rest.is_empty() || rest.starts_with(": connected") || rest.starts_with("retry"), "{rest}");
    }
}

#[tokio::test]
async fn nobody_listens_without_signing_in() {
    let server = Server::closed().await;
    assert_eq!(server.get("/api/v1/events").await.status, 401);
    let zhang = server.sign_in(ZHANG).await;
    let response = zhang.on(server.ask("GET", "/api/v1/events")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let out = got(zhang.changing(server.ask("DELETE", "/api/v1/session"))).await;
    assert_eq!(out.status, 204);
}
