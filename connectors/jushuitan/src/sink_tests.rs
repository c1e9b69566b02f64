//! Tests of writing.

use milkrun_core::{Key, Sink, SinkKind};
use milkrun_testkit::conformance::Opened;

use super::*;
use crate::fixture::{Asked, Desk};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../tests/fixtures/", $name, ".json"))
    };
}

fn delivery(target: &str, document: &str) -> Delivery {
    Delivery {
        target: target.to_owned(),
        key: Key::of("1"),
        operation: Operation::Insert,
        idempotency_key: "00112233445566778899aabbccddeeff".to_owned(),
        document: document.to_owned(),
        attempts: 0,
    }
}

fn order(so_id: &str) -> Delivery {
    delivery("orders", &format!(r#"{{"shop_id":10394533,"so_id":"{so_id}","pay_amount":0.10}}"#))
}

fn again(delivery: Delivery) -> Delivery {
    Delivery { attempts: 1, ..delivery }
}

fn sink(opened: &Opened) -> &dyn Sink {
    let Some(SinkKind::Calls(sink)) = &opened.account.sink else { panic!("the account is written to by calls") };
    &**sink
}

/// What becomes of a batch, and the business parameters of the calls.
async fn deliver(
    batch: &[Delivery],
    answer: impl Fn(&Asked) -> String + Send + Sync + 'static,
) -> (Result<Vec<Receipt>>, Vec<String>) {
    let desk = Desk::with_token(answer).await;
    let opened = desk.open();
    let receipts = sink(&opened).deliver(&opened.cx, batch).await;
    (receipts, desk.asked().into_iter().map(|asked| asked.biz).collect())
}

fn done(id: &str) -> Receipt {
    Receipt::Done { remote_id: Some(id.to_owned()) }
}

fn refused(reason: &str) -> Receipt {
    Receipt::Refused { reason: reason.to_owned() }
}

#[tokio::test]
async fn rows_are_matched_by_what_they_name() {
    let batch = [order("2461234567890123456"), order("2461234567890123457"), order("2461234567890123458")];
    let (receipts, asked) = deliver(&batch, |_| fixture!("order-upload-rows-in-another-order").to_owned()).await;
    let receipts = receipts.unwrap();
    assert_eq!(receipts[0], done("92233720368547758071"));
    assert_eq!(receipts[1], Receipt::Unknown { reason: "the vendor's answer does not mention this document".into() });
    assert_eq!(receipts[2], refused("店铺编号不存在"));
    assert_eq!(asked.len(), 1);
    let documents = batch.iter().map(|delivery| delivery.document.as_str()).collect::<Vec<_>>().join(",");
    assert_eq!(asked[0], format!("[{documents}]"), "documents travel byte for byte");
}

#[tokio::test]
async fn skus_go_in_items_and_say_success_as_text() {
    let batch = [delivery("skus", r#"{"sku_id":"A002"}"#), delivery("skus", r#"{"sku_id":"A001-红-L","w":1E+2}"#)];
    let (receipts, asked) = deliver(&batch, |_| fixture!("sku-upload-is-success-as-text").to_owned()).await;
    assert_eq!(receipts.unwrap(), [refused("类目不是叶子节点"), done("A001-红-L")]);
    assert_eq!(asked, [r#"{"items":[{"sku_id":"A002"},{"sku_id":"A001-红-L","w":1E+2}]}"#]);
}

#[tokio::test]
async fn an_adjustment_carries_a_number_of_its_own() {
    let batch = [delivery("inventory-adjustments", r#"{"type":"check","so_id":"PD-1","items":[{"qty":1}]}"#)];
    let (receipts, asked) = deliver(&batch, |_| fixture!("inventory-upload-row-without-flag").to_owned()).await;
    assert_eq!(receipts.unwrap(), [done("445566")]);
    assert_eq!(asked, [batch[0].document.as_str()]);
    let own = "00112233445566778899aabbccddeeff";
    for missing in [r#"{"so_id":null,"items":[]}"#, r#"{"so_id":"","items":[]}"#, r#"{"items":[]}"#] {
        let answer = format!(r#"{{"code":0,"data":{{"datas":[{{"so_id":"{own}","issuccess":1,"io_id":7}}]}}}}"#);
        let (receipts, asked) = deliver(&[delivery("inventory-adjustments", missing)], move |_| answer.clone()).await;
        assert_eq!(receipts.unwrap(), [done("7")]);
        assert_eq!(asked, [format!(r#"{{"items":[],"so_id":"{own}"}}"#)]);
    }
    let many = format!(r#"{{"items":[{}]}}"#, vec!["{}"; 501].join(","));
    let (receipts, asked) = deliver(&[delivery("inventory-adjustments", &many)], |_| unreachable!()).await;
    assert_eq!(receipts.unwrap(), [refused("`items` has 501 lines, and the vendor takes 500 at most")]);
    assert!(asked.is_empty());
}

#[tokio::test]
async fn a_number_that_was_used_already_is_the_same_only_if_it_is_our_own() {
    let whole = |_: &Asked| r#"{"code":160,"msg":"外部单号已存在"}"#.to_owned();
    let row = |so_id: &str| {
        let row =
            format!(r#"{{"code":0,"data":{{"datas":[{{"so_id":"{so_id}","issuccess":false,"msg":"单号重复"}}]}}}}"#);
        move |_: &Asked| row.clone()
    };
    let (made, given) = (r#"{"items":[]}"#, r#"{"items":[],"so_id":"PD-1"}"#);
    let (made, given) = (delivery("inventory-adjustments", made), delivery("inventory-adjustments", given));
    let same = [Receipt::Same { remote_id: None }];
    for other in ["商品A001重复", "SKU does not exist", "单号不存在", "仓库已存在"] {
        let row = format!(r#"{{"so_id":"{}","issuccess":false,"msg":"{other}"}}"#, made.idempotency_key);
        let answer = format!(r#"{{"code":0,"data":{{"datas":[{row}]}}}}"#);
        let receipts = deliver(&[again(made.clone())], move |_| answer.clone()).await.0.unwrap();
        assert_eq!(receipts, [refused(other)]);
    }
    let one = std::slice::from_ref;
    assert_eq!(deliver(one(&made), whole).await.0.unwrap(), same);
    assert_eq!(deliver(one(&made), row(&made.idempotency_key)).await.0.unwrap(), same);
    assert_eq!(deliver(&[again(given.clone())], row("PD-1")).await.0.unwrap(), same);
    assert_eq!(deliver(one(&given), row("PD-1")).await.0.unwrap(), [refused("单号重复")]);
    let Receipt::Refused { reason } = &deliver(&[given], whole).await.0.unwrap()[0] else { panic!("it is refused") };
    assert!(reason.contains("外部单号已存在"), "{reason}");
}

#[tokio::test]
async fn two_documents_of_one_number_do_not_share_a_call() {
    let other_shop = delivery("orders", r#"{"shop_id":2,"so_id":"A"}"#);
    let answer = |asked: &Asked| {
        let id = if asked.biz.contains(r#""shop_id":2"#) { 22 } else { 11 };
        format!(
            r#"{{"code":0,"data":{{"datas":[{{"o_id":{id},"so_id":"A","issuccess":true}},{{"o_id":12,"so_id":"B","issuccess":true}}]}}}}"#
        )
    };
    let (receipts, asked) = deliver(&[order("A"), other_shop, order("B")], answer).await;
    assert_eq!(receipts.unwrap(), [done("11"), done("22"), done("12")]);
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn rows_that_prove_nothing_leave_the_outcome_unknown() {
    for rows in [
        r#"{"datas":[]}"#,
        r#"{"datas":[{"so_id":"A"}]}"#,
        r#"{"datas":[{"so_id":"A","issuccess":"so so","o_id":1}]}"#,
        r#"{"datas":[{"so_id":"A","issuccess":true,"o_id":1},{"so_id":"A","issuccess":false,"msg":"no"}]}"#,
        r#"{"datas":[{"issuccess":true,"o_id":1}]}"#,
        r#"{"datas":[1]}"#,
        r#"{"datas":null}"#,
        "{}",
        "null",
    ] {
        let (receipts, asked) = deliver(&[order("A")], move |_| format!(r#"{{"code":0,"data":{rows}}}"#)).await;
        let receipts = receipts.unwrap();
        assert!(matches!(receipts[..], [Receipt::Unknown { .. }]), "{rows}: {receipts:?}");
        assert_eq!(asked.len(), 1, "{rows}");
    }
}

#[tokio::test]
async fn the_row_that_spoils_a_call_is_found_by_halves() {
    let answer = |asked: &Asked| {
        let ids: Vec<_> =
            ["A", "B", "C", "D"].into_iter().filter(|id| asked.biz.contains(&format!("\"{id}\""))).collect();
        if ids.contains(&"C") {
            return r#"{"code":130,"msg":"必填数据为空"}"#.to_owned();
        }
        let row = |id: &&str| format!(r#"{{"so_id":"{id}","issuccess":true,"o_id":"{id}1"}}"#);
        format!(r#"{{"code":0,"data":{{"datas":[{}]}}}}"#, ids.iter().map(row).collect::<Vec<_>>().join(","))
    };
    let (receipts, asked) = deliver(&["A", "B", "C", "D"].map(order), answer).await;
    let receipts = receipts.unwrap();
    assert_eq!((&receipts[0], &receipts[1], &receipts[3]), (&done("A1"), &done("B1"), &done("D1")));
    let Receipt::Refused { reason } = &receipts[2] else { panic!("{receipts:?}") };
    assert!(reason.starts_with("必填数据为空"), "{reason}");
    assert_eq!(asked.len(), 5);
}

#[tokio::test]
async fn failed_calls_are_unknown_unless_they_certainly_had_no_effect() {
    let mut lines = Vec::new();
    for (name, body) in [
        ("html", "<html></html>"),
        ("internal", r#"{"code":150,"msg":"系统内部错误"}"#),
        ("unheard of", r#"{"code":777,"msg":"?"}"#),
        ("too fast", fixture!("code-200-is-too-fast")),
        ("no permission", r#"{"code":190,"msg":"无API权限"}"#),
        ("refused", r#"{"code":170,"msg":"店铺编号不存在"}"#),
    ] {
        let adjustment = delivery("inventory-adjustments", r#"{"items":[]}"#);
        for delivery in [order("A"), adjustment, delivery("transfers", r#"{"so_id":"T"}"#)] {
            let (outcome, asked) = deliver(std::slice::from_ref(&delivery), move |_| body.to_owned()).await;
            let outcome = match outcome {
                Ok(receipts) => format!("{:?}", receipts[0]),
                Err(error) => format!("error {error:?}"),
            };
            let outcome = outcome.chars().take(90).collect::<String>();
            lines.push(format!("{name}, {}, {} calls: {outcome}", delivery.target, asked.len()));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn what_follows_a_call_that_went_well_is_never_an_error() {
    let answer = |asked: &Asked| {
        let good = r#"{"code":0,"data":{"datas":[{"o_id":1,"so_id":"A","issuccess":true}]}}"#;
        let bad = r#"{"code":190,"msg":"无API权限"}"#;
        if asked.biz.contains(r#""shop_id":2"#) { bad.to_owned() } else { good.to_owned() }
    };
    let (receipts, _) = deliver(&[order("A"), delivery("orders", r#"{"shop_id":2,"so_id":"A"}"#)], answer).await;
    assert!(matches!(receipts.unwrap()[..], [Receipt::Done { .. }, Receipt::Unknown { .. }]));
}

#[tokio::test]
async fn a_document_without_its_number_is_refused_unsent() {
    let (receipts, asked) = deliver(&[delivery("orders", r#"{"shop_id":1}"#)], |_| unreachable!()).await;
    assert_eq!(receipts.unwrap(), [refused("the document has no `so_id`, by which the vendor's answer would name it")]);
    assert!(asked.is_empty());
}

#[tokio::test]
async fn a_changed_document_is_not_sent_where_a_second_one_might_come_of_it() {
    let operation = Operation::Update { remote_id: "77".to_owned() };
    let change = Delivery { operation, ..delivery("purchase-orders", r#"{"external_id":"E-1"}"#) };
    let (receipts, asked) = deliver(&[change], |_| unreachable!()).await;
    let reason = "the vendor is not known to change such documents: change it there by hand (77)";
    assert_eq!((receipts.unwrap(), asked.len()), (vec![refused(reason)], 0));
}

#[tokio::test]
async fn a_further_upload_is_configuration() {
    let settings = "access_token = 'given-access'\n[[targets]]\nname = 'stock-in'\nform = 'object'\nid = 'external_id'\n\
                    path = '/open/webapi/wmsapi/purchasein/createbatch'\nids = ['io_id']\n";
    let desk = Desk::start(settings, |asked| {
        assert_eq!(asked.method, "/open/webapi/wmsapi/purchasein/createbatch");
        r#"{"code":0,"data":{"data":{"external_id":"E-1","io_id":9}}}"#.to_owned()
    })
    .await;
    let opened = desk.open();
    let receipts = sink(&opened).deliver(&opened.cx, &[delivery("stock-in", r#"{"external_id":"E-1"}"#)]).await;
    assert_eq!(receipts.unwrap(), [done("9")]);
    assert_eq!(sink(&opened).targets().last().unwrap().idempotency, milkrun_core::Idempotency::None);
}
