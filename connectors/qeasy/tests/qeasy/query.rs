//! What is asked, what counts as an answer, and what the platform's codes lead to.

use std::sync::atomic::{AtomicU32, Ordering};

use milkrun_core::{ErrorKind, PageRequest, Position, Slice, Window};
use milkrun_testkit::conformance::Scene;
use milkrun_testkit::http::Reply;

use crate::support::{Played, play};

const EMPTY: &str = r#"{"success":true,"code":0,"message":"","content":{"rows":[],"total":0,"condition":[]}}"#;

fn slice() -> Slice {
    let window =
        Window { from: "2026-07-31T16:00:00.5Z".parse().unwrap(), until: "2026-08-01T16:00:00Z".parse().unwrap() };
    Slice { window: Some(window), ..Slice::default() }
}

async fn read(played: &Played, size: u32) -> milkrun_core::Result<usize> {
    let stream = &played.opened.source().streams()[0];
    let scene = Scene { slice: slice(), size, n_records: 0 };
    played.opened.page(stream, &scene, &Position::Page(3)).await.map(|page| page.records.len())
}

#[tokio::test]
async fn both_forms_of_the_query_are_asked_as_the_reference_writes_them() {
    let of = |more: &str| format!("[[platform.streams]]\nname = 's'\nscheme = 'b5c4'\n{more}");
    let query = async |more: &str| {
        let played = play(&of(more), |_| Reply::json(EMPTY)).await;
        assert_eq!(read(&played, 50).await.unwrap(), 0);
        let asked = played.asked().remove(0);
        (asked.path.clone(), asked.query.clone(), asked.body)
    };
    let token = vec![("access_token".to_owned(), "t-1".to_owned())];
    let (path, address, body) = query("content = { shop_no = 'S01' }").await;
    assert_eq!((path.as_str(), address), ("/v2/open-api/business/b5c4/query", token.clone()));
    assert_eq!(body, r#"{"CONTENT_shop_no":"S01","begin_at":1785513600,"end_at":1785600000,"page":3,"pageSize":50}"#);
    let (_, address, body) = query("body = 'form'").await;
    assert_eq!((body.as_str(), address), ("page=3&pageSize=50&begin_at=1785513600&end_at=1785600000", token));
    // The first form takes a token of its own, where it has one.
    let own = format!("open_token = 'fixed'\n{}", of("api = 'v1'"));
    let played = play(&own, |_| Reply::json(EMPTY)).await;
    read(&played, 50).await.unwrap();
    assert!(played.server.requests()[0].body.starts_with("token=fixed&page=3"), "{:?}", played.server.requests());
    assert_eq!(played.server.n_requests(), 1);
    let (path, address, body) = query("api = 'v1'\ncondition = { 'content.no' = { '$like' = '单' } }").await;
    assert_eq!((path.as_str(), address), ("/api/open/operation/b5c4/query", Vec::new()));
    let expected = "token=t-1&page=3&pageSize=50&begin_at=1785513600&end_at=1785600000&\
                    condition%5Bcontent.no%5D%5B%24like%5D=%E5%8D%95";
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_page_that_would_be_cut_is_not_asked_for() {
    let played = play("[[platform.streams]]\nname = 's'\nscheme = 'b5c4'", |_| Reply::json(EMPTY)).await;
    let error = read(&played, 101).await.unwrap_err();
    assert_eq!((error.kind(), played.server.n_requests()), (ErrorKind::ConfigInvalid, 0));
}

#[tokio::test]
async fn too_many_calls_are_followed_by_five_minutes_without_one() {
    let n = AtomicU32::new(0);
    let played = play("[[platform.streams]]\nname = 's'\nscheme = 'b5c4'", move |_| {
        Reply::json(match n.fetch_add(1, Ordering::Relaxed) {
            0 => include_str!("fixtures/throttled-by-message.json"),
            _ => EMPTY,
        })
    })
    .await;
    let since = played.opened.cx.now();
    read(&played, 1).await.unwrap();
    assert_eq!(played.opened.cx.now().duration_since(since).as_secs() / 60, 5);
}

#[tokio::test]
async fn a_token_that_has_ended_is_fetched_once_more() {
    let n = AtomicU32::new(0);
    let played =
        play("[[platform.streams]]\nname = 's'\nscheme = 'b5c4'", move |_| match n.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::json(include_str!("fixtures/token-expired-by-message.json")),
            1 => Reply::json(EMPTY),
            _ => Reply::new(401, "application/json", "{}"),
        })
        .await;
    read(&played, 1).await.unwrap();
    assert_eq!(played.server.n_requests(), 4);
    assert_eq!(read(&played, 1).await.unwrap_err().kind(), ErrorKind::TokenExpired);
}

#[tokio::test]
async fn a_code_can_be_told_its_meaning() {
    let settings = "throttled_codes = [40009]\n[[platform.streams]]\nname = 's'\nscheme = 'b5c4'";
    let played = play(settings, |_| Reply::json(r#"{"success":false,"code":40009,"message":"x"}"#)).await;
    let error = read(&played, 1).await.unwrap_err();
    assert_eq!((error.kind(), error.fact("vendor_code")), (ErrorKind::QuotaExceeded, Some("40009")));
}

#[tokio::test]
async fn a_check_reads_the_least() {
    let played = play("[[platform.streams]]\nname = 's'\nscheme = 'b5c4'", |_| Reply::json(EMPTY)).await;
    played.opened.source().check(&played.opened.cx).await.unwrap();
    assert_eq!(played.asked()[0].body, r#"{"page":1,"pageSize":1}"#);
    let ask =
        PageRequest { stream: &played.opened.source().streams()[0], slice: &slice(), at: &Position::Skip(0), size: 1 };
    let error = played.opened.source().read_page(&played.opened.cx, ask).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
}
