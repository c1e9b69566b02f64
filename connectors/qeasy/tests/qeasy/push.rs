//! What is pushed, and what becomes of each record.

use milkrun_core::{ErrorKind, Operation, Receipt};
use milkrun_testkit::http::Reply;

use crate::support::{delivery, play};

const TARGET: &str = "[[platform.targets]]\nname = 'sales'\nscheme = 'b5c4'\n";
const GOOD: &str = r#"{"success":true,"code":0,"message":"","content":{}}"#;

fn done(id: &str) -> Receipt {
    Receipt::Done { remote_id: Some(id.to_owned()) }
}

#[tokio::test]
async fn a_batch_is_pushed_as_the_reference_writes_it() {
    let played = play(TARGET, |_| Reply::json(GOOD)).await;
    let batch = [delivery(r#"{"id":"A","n":0.10}"#), delivery("{}"), delivery(r#"{"id":6920000000000000001}"#)];
    let receipts = played.push(&batch).await.unwrap();
    assert_eq!((&receipts[0], &receipts[2]), (&done("A"), &done("6920000000000000001")));
    assert!(matches!(&receipts[1], Receipt::Refused { reason } if reason.contains("no id")), "{receipts:?}");
    let asked = played.server.requests();
    assert_eq!((asked.len(), asked[0].path.as_str(), asked[0].query.len()), (1, "/api/open/operation/b5c4", 0));
    let expected =
        r#"{"id":1,"multiple":true,"idCheck":true,"content":[{"id":"A","n":0.10},{"id":6920000000000000001}]}"#;
    assert_eq!(asked[0].body, expected, "no token, and every byte of the documents");
}

#[tokio::test]
async fn a_missing_id_is_the_same_on_every_run() {
    let fill = format!("{TARGET}missing_id = 'fill'\nsource = 'km/orders'\nid_from = ['no']\nvia = 'store'\n");
    let push = async || {
        let played = play(&fill, |_| Reply::json(GOOD)).await;
        let receipts = played.push(&[delivery(r#"{"no":"O1"}"#)]).await.unwrap();
        let asked = played.asked().remove(0);
        assert_eq!(asked.path, "/v2/open-api/business/b5c4/store");
        assert_eq!(asked.param("access_token").as_deref(), Some("t-1"));
        (receipts, asked.body)
    };
    let first = push().await;
    assert_eq!(push().await, first);
    let Receipt::Done { remote_id: Some(id) } = &first.0[0] else { panic!("{first:?}") };
    assert!(first.1.contains(&format!(r#"[{{"id":"{id}","no":"O1"}}]"#)), "{}", first.1);
}

#[tokio::test]
async fn a_changed_record_is_refused_where_the_platform_would_skip_it() {
    let update = |document| {
        let operation = Operation::Update { remote_id: "A".to_owned() };
        milkrun_core::Delivery { operation, ..delivery(document) }
    };
    let played = play(TARGET, |_| Reply::json(GOOD)).await;
    let refused = played.push(&[update(r#"{"id":"A"}"#)]).await.unwrap();
    assert!(matches!(&refused[..], [Receipt::Refused { reason }] if reason.contains("idCheck")), "{refused:?}");
    assert_eq!(played.server.n_requests(), 0);
    let played = play(&format!("{TARGET}id_check = false"), |_| Reply::json(GOOD)).await;
    assert_eq!(played.push(&[update(r#"{"id":"A"}"#)]).await.unwrap(), [done("A")]);
    assert!(played.server.requests()[0].body.contains(r#""idCheck":false"#));
}

#[tokio::test]
async fn a_lost_answer_is_followed_by_the_same_push() {
    let n = std::sync::atomic::AtomicU32::new(0);
    let played = play(TARGET, move |_| match n.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => Reply::Abort,
        1 => Reply::Truncate(GOOD.to_owned()),
        _ => Reply::json(GOOD),
    })
    .await;
    assert_eq!(played.push(&[delivery(r#"{"id":"A"}"#)]).await.unwrap(), [done("A")]);
    let bodies: Vec<_> = played.server.requests().into_iter().map(|request| request.body).collect();
    assert!(bodies.len() == 3 && bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn what_the_answer_does_not_say_is_unknown() {
    let two = [delivery(r#"{"id":"A"}"#), delivery(r#"{"id":"B"}"#)];
    for body in ["{}", "", "<html>", r#"{"success":false,"code":77}"#, include_str!("fixtures/code-in-200-busy.json")] {
        let played = play(TARGET, move |_| Reply::json(body)).await;
        let receipts = played.push(&two).await.unwrap();
        assert!(receipts.iter().all(|r| matches!(r, Receipt::Unknown { .. })), "{body}: {receipts:?}");
    }
    let refused = r#"{"success":false,"code":40005,"message":"参数错误"}"#;
    let played = play(TARGET, move |_| Reply::json(refused)).await;
    let error = played.push(&two).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Refused && error.help().unwrap().contains("batch = 1"), "{error:?}");
    let receipts = played.push(&two[..1]).await.unwrap();
    assert!(matches!(&receipts[..], [Receipt::Refused { reason }] if reason.contains("参数错误")), "{receipts:?}");
}

#[tokio::test]
async fn the_credentials_are_checked_without_pushing() {
    let played = play(TARGET, |_| Reply::json(GOOD)).await;
    let Some(milkrun_core::SinkKind::Calls(sink)) = &played.opened.account.sink else { panic!() };
    sink.check(&played.opened.cx).await.unwrap();
    assert_eq!((played.server.n_requests(), played.asked().len()), (1, 0));
    assert!(played.opened.account.source.is_none());
}
