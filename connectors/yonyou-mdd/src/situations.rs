//! The nine situations of the vendor's idempotency, and what else a call may end in.

use milkrun_core::{ErrorKind, Receipt};

use crate::fixture::{Reply, SETTINGS, Stage, again, delivery, ok, stage, update};

const SAVE: &str = "/yonbip/scm/purchaseorder/singleSave_v1";
const DETAIL: &str = "/yonbip/scm/purchaseorder/detail";
const LIST: &str = "/yonbip/scm/purchaseorder/list";
const KEY: &str = "951ada30e0969e954f5d9058fff6a512";
const ORDER: &str =
    r#"{"org_code":"0518","code":"MINE-1","oriSum":1000.3438,"purchaseOrders":[{"rowno":"10","qty":20.89}]}"#;
const SAVED: &str = include_str!("../tests/fixtures/saved.json");
const ID_ALONE: &str = include_str!("../tests/fixtures/saved-again-after-an-hour.json");
const ID: &str = "2410387773493760123";

fn done() -> Receipt {
    Receipt::Done { remote_id: Some(ID.to_owned()) }
}

fn same() -> Receipt {
    Receipt::Same { remote_id: Some(ID.to_owned()) }
}

fn is_unknown(receipt: &Receipt) -> bool {
    matches!(receipt, Receipt::Unknown { .. })
}

fn code(code: &str, message: &str) -> Reply {
    ok(format!("{{\"code\":{code},\"message\":\"{message}\"}}"))
}

/// A vendor whose saves end so, one after the other; the last answer stays.
fn saves(replies: Vec<Reply>) -> Stage {
    let replies = std::sync::Mutex::new(replies);
    stage(SETTINGS, move |asked| {
        if asked.is(DETAIL) {
            return ok(SAVED);
        }
        assert!(asked.is(SAVE), "{asked:?}");
        let mut replies = replies.lock().unwrap();
        if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
    })
}

/// Every body is the same one, with the same key.
fn one_body(stage: &Stage) -> String {
    let mut bodies = stage.vendor.bodies(SAVE);
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    bodies.remove(0)
}

#[tokio::test(start_paused = true)]
async fn situation_1_the_first_call_succeeds() {
    let stage = saves(vec![ok(SAVED)]);
    assert_eq!(stage.send(&delivery("purchase-order", KEY, ORDER)).await, done());
    let expected = format!(
        r#"{{"data":{{"resubmitCheckKey":"{KEY}","_status":"Insert","org_code":"0518","code":"MINE-1","oriSum":1000.3438,"purchaseOrders":[{{"_status":"Insert","rowno":"10","qty":20.89}}]}}}}"#
    );
    assert_eq!(one_body(&stage), expected);
}

#[tokio::test(start_paused = true)]
async fn situation_2_within_the_hour_the_gateway_repeats_the_whole_document() {
    let stage = saves(vec![Err(ErrorKind::OutcomeUnknown), ok(SAVED)]);
    let first = delivery("purchase-order", KEY, ORDER);
    assert!(is_unknown(&stage.send(&first).await));
    assert_eq!(stage.send(&again(&first)).await, done());
    one_body(&stage);
}

#[tokio::test(start_paused = true)]
async fn situation_3_later_the_id_alone_comes_back_and_means_success() {
    for (code_text, id) in [("\"100004\"", "\"2410387773493760123\""), ("10004", "2410387773493760123")] {
        let body = format!("{{\"code\":{code_text},\"message\":\"重复提交\",\"data\":{{\"id\":{id}}}}}");
        let stage = saves(vec![Err(ErrorKind::OutcomeUnknown), ok(body)]);
        let first = delivery("purchase-order", KEY, ORDER);
        assert!(is_unknown(&stage.send(&first).await));
        assert_eq!(stage.send(&again(&first)).await, same());
    }
    // Before this flow has ever sent it, nobody knows which version is there: it is to be updated.
    let stage = saves(vec![ok(ID_ALONE)]);
    let exists = Receipt::Exists { remote_id: ID.to_owned() };
    assert_eq!(stage.send(&delivery("purchase-order", KEY, ORDER)).await, exists);
    // What takes no updates stays as it is.
    let stage = self::stage(SETTINGS, |_| ok(ID_ALONE));
    assert_eq!(stage.send(&delivery("voucher", KEY, "{}")).await, same());
    // An update that was made is made.
    let stage = saves(vec![ok(ID_ALONE)]);
    assert_eq!(stage.send(&update(delivery("purchase-order", KEY, ORDER), ID)).await, same());
}

#[tokio::test(start_paused = true)]
async fn situation_4_a_call_that_is_still_running_is_waited_for_with_the_same_key() {
    let stage = saves(vec![Err(ErrorKind::OutcomeUnknown), code("\"202\"", "处理中"), code("202", ""), ok(SAVED)]);
    let first = delivery("purchase-order", KEY, ORDER);
    for _ in 0..3 {
        assert!(is_unknown(&stage.send(&first).await));
    }
    assert_eq!(stage.send(&again(&first)).await, done());
    one_body(&stage);
}

#[tokio::test(start_paused = true)]
async fn situation_5_no_answer_is_an_unknown_outcome_and_nothing_is_repeated_here() {
    let replies = [
        Err(ErrorKind::OutcomeUnknown),
        code("310504", "超时"),
        code("\"310071\"", "后端失败"),
        code("310072", "后端失败"),
        code("315001", "未知"),
        Ok((502, "<html>Bad gateway</html>".to_owned())),
        ok("<html>repair</html>"),
        ok(""),
        ok(&SAVED[..SAVED.len() / 2]),
        code("\"31415\"", "what?"),
        ok(r#"{"code":"200","success":false,"message":"?"}"#),
    ];
    for reply in replies {
        let what = format!("{reply:?}");
        let stage = saves(vec![reply]);
        assert!(is_unknown(&stage.send(&delivery("purchase-order", KEY, ORDER)).await), "{what}");
        assert_eq!(stage.vendor.bodies(SAVE).len(), 1, "{what}");
    }
    // What certainly did not arrive is no unknown outcome.
    let stage = saves(vec![Err(ErrorKind::Unavailable)]);
    let error = stage.deliver(&[delivery("purchase-order", KEY, ORDER)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn situation_6_failures_are_not_remembered_and_the_key_stays_good() {
    let stage = saves(vec![code("\"999\"", "物料[X]不存在"), ok(SAVED)]);
    let first = delivery("purchase-order", KEY, ORDER);
    let Receipt::Refused { reason } = stage.send(&first).await else { panic!("it is refused") };
    assert!(reason.contains("物料[X]不存在") && reason.contains("999"), "{reason}");
    let corrected = delivery("purchase-order", KEY, &ORDER.replace("0518", "0519"));
    assert_eq!(stage.send(&corrected).await, done());
    let bodies = stage.vendor.bodies(SAVE);
    assert!(bodies.iter().all(|body| body.contains(KEY)) && bodies[1].contains("0519"), "{bodies:?}");
}

#[tokio::test(start_paused = true)]
async fn situation_7_before_a_key_that_may_be_forgotten_is_used_the_document_is_looked_up() {
    // The engine asks in time, see its own tests; this is what it is told.
    let lists = |rows: &'static str| {
        stage(SETTINGS, move |asked| {
            assert!(asked.is(LIST), "{asked:?}");
            ok(format!("{{\"code\":\"200\",\"data\":{{\"pageIndex\":1,\"pageSize\":10,\"recordList\":{rows}}}}}"))
        })
    };
    let first = again(&delivery("purchase-order", KEY, ORDER));
    let stage = lists(r#"[{"id":2410387773493760123,"code":"MINE-1","pubts":"2026-01-05 18:13:17"}]"#);
    assert_eq!(stage.sink().look_up(&stage.cx, &first).await.unwrap(), Some(same()));
    // What this flow has never sent may be of another version.
    let exists = Receipt::Exists { remote_id: ID.to_owned() };
    let never_sent = delivery("purchase-order", KEY, ORDER);
    assert_eq!(stage.sink().look_up(&stage.cx, &never_sent).await.unwrap(), Some(exists));
    let asked = &stage.vendor.bodies(LIST)[0];
    assert!(asked.contains(r#"{"field":"code","op":"eq","value1":"MINE-1"}"#), "{asked}");
    let stage = lists("[]");
    assert_eq!(stage.sink().look_up(&stage.cx, &first).await.unwrap(), None);
    let stage = lists(r#"[{"id":1,"code":"MINE-1"},{"id":2,"code":"MINE-1"}]"#);
    assert_eq!(stage.sink().look_up(&stage.cx, &first).await.unwrap_err().kind(), ErrorKind::Incoherent);
    let stage = lists(r#"[{"id":1,"code":"OTHER"}]"#);
    let error = stage.sink().look_up(&stage.cx, &first).await.unwrap_err();
    assert!(error.message().contains("condition"), "{error}");
    // Without a number, or a list, nothing is guessed.
    for delivery in [delivery("purchase-order", KEY, "{}"), delivery("bill-of-material", KEY, r#"{"code":"B"}"#)] {
        let error = stage.sink().look_up(&stage.cx, &delivery).await.unwrap_err();
        assert!(error.help().unwrap().contains("by hand"), "{error}");
    }
    // An update names the id, and may go again.
    assert_eq!(stage.sink().look_up(&stage.cx, &update(first, ID)).await.unwrap(), None);
    // The field may be another one.
    let settings = format!("{SETTINGS}own_numbers = {{ purchase-order = 'headItem.define1' }}");
    let stage = self::stage(&settings, |_| {
        ok(r#"{"code":"200","data":{"recordList":[{"id":7,"headItem":{"define1":"WMS-7"}}]}}"#)
    });
    let wms = delivery("purchase-order", KEY, r#"{"headItem":{"define1":"WMS-7"}}"#);
    let found = stage.sink().look_up(&stage.cx, &again(&wms)).await.unwrap();
    assert_eq!(found, Some(Receipt::Same { remote_id: Some("7".to_owned()) }));
}

#[tokio::test(start_paused = true)]
async fn situation_8_a_changed_document_goes_as_an_update_with_a_key_of_its_own() {
    let stage = saves(vec![ok(SAVED)]);
    let changed =
        delivery("purchase-order", "another-key", r#"{"oriSum":7.10,"purchaseOrders":[{"rowno":"10","qty":3}]}"#);
    assert_eq!(stage.send(&update(changed, ID)).await, done());
    let asked = stage.vendor.asked();
    assert!(asked.iter().any(|asked| asked.is(DETAIL) && asked.query["id"] == ID), "the document is read before");
    let expected = r#"{"data":{"resubmitCheckKey":"another-key","_status":"Update","id":2410387773493760123,"pubts":"2026-01-05 18:13:17","oriSum":7.10,"purchaseOrders":[{"_status":"Insert","rowno":"10","qty":3},{"_status":"Delete","id":2410387773526528456}]}}"#;
    assert_eq!(one_body(&stage), expected);
}

const BOM: &str = "/yonbip/mfg/bom/batchsave/V1";

#[tokio::test(start_paused = true)]
async fn situation_9_repetitions_of_a_list_go_one_by_one() {
    let stage = stage(SETTINGS, |asked| {
        assert!(asked.is(BOM));
        match asked.body.matches("resubmitCheckKey").count() {
            2 => Err(ErrorKind::OutcomeUnknown),
            _ if asked.body.contains("K-1") => ok(ID_ALONE),
            _ => ok(r#"{"code":"200","data":{"count":1,"sucessCount":1,"failCount":0,"infos":[{"id":8}]}}"#),
        }
    });
    let batch = [delivery("bill-of-material", "K-1", "{}"), delivery("bill-of-material", "K-2", "{}")];
    let first = stage.deliver(&batch).await.unwrap();
    assert!(first.iter().all(is_unknown), "{first:?}");
    let batch = [again(&batch[0]), again(&batch[1])];
    let second = stage.deliver(&batch).await.unwrap();
    assert_eq!(second, [same(), Receipt::Done { remote_id: Some("8".to_owned()) }]);
    let n_keys: Vec<usize> = stage.vendor.bodies(BOM).iter().map(|body| body.matches("K-").count()).collect();
    assert_eq!(n_keys, [2, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_refused_as_a_whole_goes_one_by_one() {
    let stage = stage(SETTINGS, |asked| {
        if asked.body.contains("K-1") {
            return code("999", "子件[Z]不存在");
        }
        ok(r#"{"code":"200","data":[{"id":8}]}"#)
    });
    let batch = [delivery("bill-of-material", "K-1", "{}"), delivery("bill-of-material", "K-2", "{}")];
    assert!(stage.deliver(&batch).await.unwrap().iter().all(is_unknown));
    let again = stage.deliver(&[again(&batch[0]), again(&batch[1])]).await.unwrap();
    assert!(matches!(again[0], Receipt::Refused { .. }));
    assert_eq!(again[1], Receipt::Done { remote_id: Some("8".to_owned()) });
}

#[tokio::test(start_paused = true)]
async fn an_update_that_loses_a_race_is_made_anew_once() {
    let moved = SAVED.replace("2026-01-05 18:13:17", "2026-01-05 18:20:00");
    for (after, n_saves, wins) in [(moved.clone(), 2, true), (SAVED.to_owned(), 1, false)] {
        let n = std::sync::atomic::AtomicUsize::new(0);
        let stage = stage(SETTINGS, move |asked| {
            if asked.is(DETAIL) {
                let first = n.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
                return ok(if first { SAVED.to_owned() } else { after.clone() });
            }
            if asked.body.contains("18:20:00") { ok(SAVED) } else { code("999", "数据已被修改") }
        });
        let receipt = stage.send(&update(delivery("purchase-order", "K", "{}"), ID)).await;
        assert_eq!(receipt == done(), wins, "{receipt:?}");
        assert_eq!(stage.vendor.bodies(SAVE).len(), n_saves);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_updated_is_said() {
    let gone = stage(SETTINGS, |_| code("\"1002\"", "数据不存在"));
    let elsewhere = stage(SETTINGS, |_| ok(SAVED.replace(ID, "7")));
    let order = update(delivery("purchase-order", "K", "{}"), ID);
    let cases = [
        (&gone, order.clone(), "has no document with the id"),
        (&gone, update(delivery("customer", "K", "{}"), ID), "takes new documents only"),
        (&gone, update(delivery("voucher", "K", "{}"), ID), "takes new documents only"),
        (&gone, delivery("purchase-order", &"K".repeat(33), "{}"), "characters"),
        (&gone, delivery("purchase-order", "", "{}"), "characters"),
        (&gone, delivery("purchase-order", "K", r#"{"resubmitCheckKey":"x"}"#), "resubmitCheckKey"),
    ];
    for (stage, delivery, expected) in cases {
        let Receipt::Refused { reason } = stage.send(&delivery).await else { panic!("{expected}") };
        assert!(reason.contains(expected), "{reason}");
        assert!(stage.vendor.bodies(SAVE).is_empty(), "nothing was sent");
    }
    let error = elsewhere.deliver(&[order]).await.unwrap_err();
    assert!(error.message().contains("another document"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn throttling_and_a_dead_token_have_no_effect_and_are_waited_out() {
    let throttled = ["\"310032\"", "310039", "310042", "310046", "310043"];
    for first in throttled.map(|c| code(c, "流控")).into_iter().chain([code("310036", ""), ok("非法token")]) {
        let what = format!("{first:?}");
        let stage = saves(vec![first, ok(SAVED)]);
        assert_eq!(stage.send(&delivery("purchase-order", KEY, ORDER)).await, done(), "{what}");
        one_body(&stage);
        assert_eq!(stage.vendor.bodies(SAVE).len(), 2, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_voucher_has_its_key_in_business_id_and_no_data() {
    let stage = stage(SETTINGS, |_| ok(r#"{"code":"200","data":{"id":"V-1"}}"#));
    let receipt = stage.send(&delivery("voucher", KEY, r#"{"bodies":[{"debit":0.10}]}"#)).await;
    assert_eq!(receipt, Receipt::Done { remote_id: Some("V-1".to_owned()) });
    let body = &stage.vendor.bodies("/addVoucher")[0];
    assert_eq!(body, &format!(r#"{{"businessId":"{KEY}","bodies":[{{"debit":0.10}}]}}"#));
    let stage = self::stage(SETTINGS, |_| code("\"404\"", "借贷不平"));
    assert!(matches!(stage.send(&delivery("voucher", KEY, "{}")).await, Receipt::Refused { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_idempotency_is_told_row_by_row() {
    let stage = stage(SETTINGS, |_| {
        ok(
            r#"{"code":"200","message":"操作成功","data":{"count":2,"sucessCount":1,"failCount":1,"messages":[{"sourceUnique":"A-2","message":"编码[A-2]已存在"}],"infos":[{"id":"2288730399308775431","sourceUnique":"A-1","targetUnique":"2288730399308775431","created":true}]}}"#,
        )
    });
    let row = |key: &str| {
        let mut row = delivery("supplier", "ignored", &format!(r#"{{"code":"{key}"}}"#));
        row.key = milkrun_core::Key::of(key);
        row
    };
    let receipts = stage.deliver(&[row("A-2"), row("A-1")]).await.unwrap();
    assert_eq!(receipts[0], Receipt::Refused { reason: "编码[A-2]已存在".to_owned() });
    assert_eq!(receipts[1], Receipt::Done { remote_id: Some("2288730399308775431".to_owned()) });
    let body = &stage.vendor.bodies("/batchSaveV2")[0];
    let expected = r#"{"data":[{"sourceUnique":"A-2","_status":"Insert","code":"A-2"},{"sourceUnique":"A-1","_status":"Insert","code":"A-1"}]}"#;
    assert_eq!(body, expected, "the key is not for interfaces that ignore it");
}
