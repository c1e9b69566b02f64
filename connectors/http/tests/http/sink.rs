//! Targets: what is sent, and what the answers say of each document.

use milkrun_core::{ErrorKind, Idempotency, Receipt};
use milkrun_testkit::http::{Reply, Request};

use crate::support::{delivery, play, update};

fn done(id: &str) -> Receipt {
    Receipt::Done { remote_id: Some(id.to_owned()) }
}

#[tokio::test]
async fn a_key_goes_into_a_header_and_the_call_is_repeated_with_it() {
    let settings = "[[targets]]\nname = 'c'\npath = '/c'\nremote_id = 'id'\n\
                    idempotency = { kind = 'key', header = 'Idempotency-Key' }";
    let n_calls = std::sync::atomic::AtomicU32::new(0);
    let vendor = play(settings, move |_| match n_calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => Reply::Abort,
        _ => Reply::json(r#"{"id":6920000000000000001}"#),
    })
    .await;
    let document = r#"{"n":0.10,"name":"单"}"#;
    assert_eq!(vendor.send(&[delivery("c", document)]).await.unwrap(), [done("6920000000000000001")]);
    let requests = vendor.server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|r| r.header("idempotency-key") == Some("00112233445566778899aabbccddeeff")));
    assert!(requests.iter().all(|r| r.body == document), "every byte stays");
}

#[tokio::test]
async fn without_a_key_nothing_is_sent_twice() {
    let settings = "[[targets]]\nname = 'c'\npath = '/c'";
    for reply in
        [Reply::Abort, Reply::Truncate("{\"a\":1}".into()), Reply::json(""), Reply::new(502, "text/html", "<p>")]
    {
        let vendor = play(settings, move |_| reply.clone()).await;
        let receipts = vendor.send(&[delivery("c", "{}")]).await.unwrap();
        assert!(matches!(receipts[..], [Receipt::Unknown { .. }]), "{receipts:?}");
        assert_eq!(vendor.server.n_requests(), 1);
        let asked = vendor.sink().look_up(&vendor.opened.cx, &delivery("c", "{}")).await.unwrap();
        assert!(matches!(asked, Some(Receipt::Unknown { .. })));
    }
    let vendor = play(settings, |_| Reply::new(403, "text/html", "")).await;
    assert_eq!(vendor.send(&[delivery("c", "{}")]).await.unwrap_err().kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn a_path_and_an_address_are_filled_from_the_document() {
    let settings = "[[targets]]\nname = 'c'\npath = '/c/{client.id}'\n\
                    [[targets]]\nname = 'q'\npath = '/q'\nverb = 'get'\nquery = { v = 2 }";
    let vendor = play(settings, |_| Reply::json("{}")).await;
    let batch = [delivery("c", r#"{"client":{"id":"a/b"},"x":1}"#)];
    assert_eq!(vendor.send(&batch).await.unwrap(), [Receipt::Done { remote_id: None }]);
    let refused = vendor.send(&[delivery("c", "{}")]).await.unwrap();
    assert!(matches!(&refused[..], [Receipt::Refused { reason }] if reason.contains("client.id")), "{refused:?}");
    vendor.send(&[delivery("q", r#"{"name":"单 &","n":0.10,"none":null}"#)]).await.unwrap();
    let refused = vendor.send(&[delivery("q", r#"{"lines":[]}"#)]).await.unwrap();
    assert!(matches!(&refused[..], [Receipt::Refused { reason }] if reason.contains("lines")), "{refused:?}");
    let asked = vendor.server.requests();
    assert_eq!((asked.len(), asked[0].path.as_str()), (2, "/c/a%2Fb"));
    let query: Vec<_> = asked[1].query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(query, [("v", "2"), ("name", "单 &"), ("n", "0.10")]);
    assert_eq!(asked[1].body, "");
}

const BATCH: &str = "[[targets]]\nname = 'c'\npath = '/c'\nbatch = 10\nwrap = 'data.rows'\nbody = { 'data.mode' = 'all' }\n\
                     idempotency = { kind = 'upsert', field = 'no' }\n\
                     rows = { list = 'results', success = 'ok', success_values = [true], remote_id = 'id', code = 'code', \
                     message = 'why', codes = { duplicate = ['DUP'], temporary = ['BUSY'] } }";

#[tokio::test]
async fn every_row_of_a_batch_has_its_own_outcome() {
    let vendor = play(BATCH, |_| {
        Reply::json(
            r#"{"results":[{"ok":true,"id":"A"},{"ok":false,"code":"BAD","why":"no such unit"},
                {"ok":false,"code":"DUP"},{"ok":false,"code":"BUSY"},{"code":1}]}"#,
        )
    })
    .await;
    let good = |no: &str| delivery("c", &format!("{{\"no\":\"{no}\"}}"));
    let batch = [good("1"), good("2"), delivery("c", r#"{"no":""}"#), good("3"), good("4"), good("5")];
    let receipts = vendor.send(&batch).await.unwrap();
    assert_eq!(
        vendor.bodies(),
        [r#"{"data":{"mode":"all","rows":[{"no":"1"},{"no":"2"},{"no":"3"},{"no":"4"},{"no":"5"}]}}"#]
    );
    assert_eq!(receipts[0], done("A"));
    assert!(matches!(&receipts[1], Receipt::Refused { reason } if reason.contains("no such unit")));
    assert!(matches!(&receipts[2], Receipt::Refused { reason } if reason.contains("idempotency.field")));
    assert_eq!(receipts[3], Receipt::Same { remote_id: None });
    assert!(matches!(&receipts[4], Receipt::Unknown { .. }));
    assert!(matches!(&receipts[5], Receipt::Unknown { .. }));
}

#[tokio::test]
async fn results_that_do_not_fit_the_batch_say_nothing() {
    for body in [r#"{"results":[{"ok":true}]}"#, "{}", r#"{"results":7}"#] {
        let vendor = play(BATCH, move |_| Reply::json(body)).await;
        let batch = [delivery("c", r#"{"no":"1"}"#), delivery("c", r#"{"no":"2"}"#)];
        let receipts = vendor.send(&batch).await.unwrap();
        assert!(receipts.iter().all(|receipt| matches!(receipt, Receipt::Unknown { .. })), "{receipts:?}");
    }
    let vendor = play(BATCH, |_| Reply::new(400, "application/json", "{}")).await;
    let batch = [delivery("c", r#"{"no":"1"}"#), delivery("c", r#"{"no":"2"}"#)];
    let error = vendor.send(&batch).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Refused && error.help().unwrap().contains("batch = 1"), "{error:?}");
}

const UNIQUE: &str = "[[targets]]\nname = 'c'\npath = '/c'\nremote_id = 'id'\nanswer = { code = 'code', statuses = { duplicate = [409] } }\n\
                      update = { path = '/c/{remote_id}', id_field = 'id' }\n\
                      idempotency = { kind = 'unique', field = 'no', look_up = { path = '/c', parameter = 'like', \
                      answer = { list = 'found' }, remote_id = 'id' } }";

/// A vendor that finds by a part of the number.
fn finder(request: &Request) -> Reply {
    match request.method.as_str() {
        "GET" => Reply::json(r#"{"found":[{"no":"A-10","id":10},{"no":"A-1","id":1}]}"#),
        "PUT" => Reply::json(r#"{"id":1}"#),
        _ => Reply::new(409, "application/json", r#"{"code":"exists"}"#),
    }
}

#[tokio::test]
async fn a_duplicate_is_the_document_that_is_found() {
    let vendor = play(UNIQUE, finder).await;
    let same = |id: &str| Receipt::Same { remote_id: Some(id.to_owned()) };
    assert_eq!(vendor.send(&[delivery("c", r#"{"no":"A-1"}"#)]).await.unwrap(), [same("1")]);
    let refused = vendor.send(&[delivery("c", r#"{"no":"A-100"}"#)]).await.unwrap();
    assert!(matches!(&refused[..], [Receipt::Refused { .. }]), "{refused:?}");
    let look_up = async |document| vendor.sink().look_up(&vendor.opened.cx, &delivery("c", document)).await.unwrap();
    assert_eq!(look_up(r#"{"no":"A-10"}"#).await, Some(same("10")));
    assert_eq!(look_up(r#"{"no":"A"}"#).await, None);
    let vendor = play(UNIQUE, |_| Reply::json("{}")).await;
    let asked = vendor.sink().look_up(&vendor.opened.cx, &delivery("c", r#"{"no":"A"}"#)).await;
    assert_eq!(asked.unwrap_err().kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn a_changed_document_goes_where_updates_go_or_nowhere() {
    let vendor = play(UNIQUE, finder).await;
    assert_eq!(vendor.send(&[update("c", r#"{"no":"A-1"}"#, "1")]).await.unwrap(), [done("1")]);
    let asked = vendor.server.requests().pop().unwrap();
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str(), asked.body.as_str()),
        ("PUT", "/c/1", r#"{"no":"A-1","id":"1"}"#)
    );
    let settings =
        "[[targets]]\nname = 'c'\npath = '/c'\nremote_id = 'id'\nidempotency = { kind = 'key', field = 'k' }";
    let vendor = play(settings, |_| Reply::json("{}")).await;
    let refused = vendor.send(&[update("c", "{}", "1")]).await.unwrap();
    assert!(matches!(&refused[..], [Receipt::Refused { reason }] if reason.contains("update")), "{refused:?}");
    vendor.send(&[delivery("c", "{}")]).await.unwrap();
    assert_eq!(vendor.bodies(), [r#"{"k":"00112233445566778899aabbccddeeff"}"#]);
}

#[tokio::test]
async fn a_target_says_what_it_promises() {
    let vendor = play(&format!("{UNIQUE}\n{}", BATCH.replace("'c'", "'b'").replace("'/c'", "'/b'")), finder).await;
    let sink = vendor.sink();
    let promises: Vec<&Idempotency> = sink.targets().iter().map(|target| &target.idempotency).collect();
    assert_eq!(
        promises,
        [&Idempotency::Unique { field: "no".into(), look_up: true }, &Idempotency::Upsert { field: "no".into() }]
    );
    assert!(vendor.opened.account.source.is_none());
    sink.check(&vendor.opened.cx).await.unwrap();
}
