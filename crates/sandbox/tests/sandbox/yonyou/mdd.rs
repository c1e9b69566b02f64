//! The nine situations of a repeated save, and the place of the key at each kind of interface.

use std::time::Duration;

use milkrun_sandbox::yonyou::{AfterTimeout, DuplicateCode, KeyPlace, MixedArray, Settings};
use milkrun_sandbox::{Carried, Fault, FaultRule};
use serde_json::json;

use crate::yonyou::client::{Client, PURCHASE, order, settings};

const KEY: &str = "951ada30e0969e954f5d9058fff6a512";
const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);

fn ids(client: &Client, target: &str, key: &str) -> Vec<String> {
    client
        .received(target)
        .into_iter()
        .find(|received| received.key == key)
        .map(|received| received.ids)
        .unwrap_or_default()
}

#[test]
fn situations_1_and_2_give_the_same_complete_object() {
    let client = Client::new(settings());
    let first = client.post(PURCHASE, &order(KEY, "20.89"));
    let data = first.data();
    assert_eq!(data["code"], "CGA20260801000001");
    assert_eq!(data["pubts"], "2026-08-01 12:00:00");
    let echoed = data["resubmitCheckKey"].as_str().unwrap();
    assert!(echoed.starts_with("OPENAPI_") && echoed.ends_with(&format!("_k8p3lxta_{KEY}")) && echoed.len() > 32 + 8);
    assert_eq!(data["headItem"]["define1"], "WMS-7781");
    assert!(data.get("_status").is_none() && data["purchaseOrders"][0].get("_status").is_none());
    assert_eq!(data["purchaseOrders"][0]["mainid"], data["id"]);
    assert!(first.answer.body.contains(r#""oriSum":12345678901234567890.12345670,"#), "numbers stay as they were sent");

    client.control().advance_clock(Duration::from_secs(3_599));
    assert_eq!(client.post(PURCHASE, &order(KEY, "20.89")).data(), data);
    let received = client.received("purchase-order");
    assert_eq!((received.len(), received[0].ids.len(), received[0].calls), (1, 1, 2));
    assert!(received[0].body.contains(r#""qty":20.89"#));
}

#[test]
fn situation_3_gives_the_id_alone() {
    for (duplicate_code, code) in [(DuplicateCode::Long, "100004"), (DuplicateCode::Short, "10004")] {
        let client = Client::new(Settings { duplicate_code, ..settings() });
        let id = client.post(PURCHASE, &order(KEY, "1")).data()["id"].clone();
        client.control().advance_clock(HOUR);
        let again = client.post(PURCHASE, &order(KEY, "1"));
        assert_eq!((again.code().as_str(), &again.json()["data"]), (code, &json!({ "id": id })));
        assert_eq!(ids(&client, "purchase-order", KEY).len(), 1);
    }
}

#[test]
fn situation_4_while_the_first_call_runs() {
    let client = Client::new(settings());
    client.control().add_fault(FaultRule::new(Fault::Slow { delay: 10 * SECOND }).next(1));
    let outcome = client.outcome(PURCHASE, &order(KEY, "1"));
    assert_eq!(outcome.took, 10 * SECOND);
    let Carried::Whole(first) = outcome.carried else { panic!("slow is not lost") };
    client.control().advance_clock(9 * SECOND);
    let parallel = client.post(PURCHASE, &order(KEY, "1"));
    assert_eq!((parallel.code().as_str(), parallel.json().get("data")), ("202", None));
    client.control().advance_clock(SECOND);
    let after = client.post(PURCHASE, &order(KEY, "1"));
    let first: serde_json::Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(after.data(), first["data"]);
    assert_eq!(ids(&client, "purchase-order", KEY).len(), 1);
}

#[test]
fn a_call_runs_as_long_as_its_latency() {
    let client = Client::new(Settings { latency: 2 * SECOND, ..settings() });
    client.post(PURCHASE, &order(KEY, "1"));
    assert_eq!(client.post(PURCHASE, &order(KEY, "1")).code(), "202");
    client.control().advance_clock(SECOND);
    assert_eq!(client.post(PURCHASE, &order(KEY, "1")).code(), "200");
}

#[test]
fn situation_5_an_answer_that_gets_lost() {
    let client = Client::new(settings());
    client.control().add_fault(FaultRule::new(Fault::LostAnswer).next(1));
    let Carried::Lost(lost) = client.outcome(PURCHASE, &order(KEY, "1")).carried else { panic!("it was to be lost") };
    assert_eq!(ids(&client, "purchase-order", KEY).len(), 1, "it had its effect");
    let again = client.post(PURCHASE, &order(KEY, "1")).data();
    assert!(lost.body.contains(&again["id"].to_string()));

    client.control().clear_faults();
    client.control().add_fault(FaultRule::new(Fault::Reset).next(1));
    assert_eq!(client.outcome(PURCHASE, &order("other", "1")).carried, Carried::Reset);
    assert_eq!(ids(&client, "purchase-order", "other").len(), 0, "a reset has none");
    client.control().clear_faults();
    client.control().add_fault(FaultRule::new(Fault::vendor_code("310504")).next(1));
    assert_eq!(client.post(PURCHASE, &order("other", "1")).code(), "310504");
    assert_eq!(client.post(PURCHASE, &order("other", "1")).code(), "200");
    assert_eq!(ids(&client, "purchase-order", "other").len(), 1);
}

#[test]
fn situation_5_a_time_out_of_the_gateway_after_the_effect() {
    for (after_timeout, code) in [(AfterTimeout::IdOnly, "100004"), (AfterTimeout::Cached, "200")] {
        let client = Client::new(Settings { after_timeout, ..settings() });
        client.control().add_fault(FaultRule::new(Fault::Slow { delay: 30 * SECOND }).next(1));
        assert_eq!(client.post(PURCHASE, &order(KEY, "1")).code(), "310504");
        let made = ids(&client, "purchase-order", KEY);
        assert_eq!(made.len(), 1);
        assert_eq!(client.post(PURCHASE, &order(KEY, "1")).code(), "202", "the back end is still at it");
        client.control().advance_clock(30 * SECOND);
        let again = client.post(PURCHASE, &order(KEY, "1"));
        assert_eq!(again.code(), code);
        let id = &again.json()["data"]["id"];
        assert_eq!(id.as_str().map_or_else(|| id.to_string(), str::to_owned), made[0]);
        assert_eq!(ids(&client, "purchase-order", KEY), made);
    }
}

#[test]
fn situation_6_failures_are_not_kept() {
    let client = Client::new(settings());
    let wrong = order(KEY, "1").replace(r#""vendor_code":"0001000101","#, "");
    for _ in 0..2 {
        let refused = client.post(PURCHASE, &wrong);
        assert_eq!(refused.code(), "999");
        assert_eq!(refused.json()["message"], "vendor_code不能为空");
    }
    assert_eq!(client.post(PURCHASE, &order(KEY, "1")).code(), "200");
    let received = client.received("purchase-order");
    assert_eq!((received[0].ids.len(), received[0].calls), (1, 3));
}

#[test]
fn situation_7_a_month_later_another_document_arises() {
    let client = Client::new(settings());
    client.post(PURCHASE, &order(KEY, "1"));
    client.control().advance_clock(Duration::from_secs(30 * 86_400 - 1));
    let mut client = client;
    client.log_in();
    assert_eq!(client.post(PURCHASE, &order(KEY, "1")).code(), "100004");
    client.control().advance_clock(SECOND);
    assert_eq!(client.post(PURCHASE, &order(KEY, "1")).code(), "200");
    assert_eq!(ids(&client, "purchase-order", KEY).len(), 2, "the double is visible");
}

#[test]
fn situation_8_another_body_within_the_hour_is_lost_silently() {
    let client = Client::new(settings());
    let old = client.post(PURCHASE, &order(KEY, "1")).data();
    let new = client.post(PURCHASE, &order(KEY, "2")).data();
    assert_eq!(old, new);
    assert!(client.received("purchase-order")[0].body.contains(r#""qty":1,"#));
}

fn boms(keys: &[&str]) -> String {
    let elements: Vec<String> = keys
        .iter()
        .map(|key| {
            format!(r#"{{"resubmitCheckKey":"{key}","bomComponent":[{{"product":"P","bomAlternate":[{{"n":1}}]}}]}}"#)
        })
        .collect();
    format!(r#"{{"data":[{}]}}"#, elements.join(","))
}

#[test]
fn situation_9_arrays_with_new_and_used_keys() {
    let bom = "/yonbip/mfg/bom/batchsave/V1";
    let start = |mixed_array| {
        let client = Client::new(Settings { mixed_array, ..settings() });
        let data = client.post(bom, &boms(&["a", "b"])).data();
        assert_eq!((&data["count"], &data["sucessCount"], &data["failCount"]), (&json!(2), &json!(2), &json!(0)));
        assert_eq!(data["infos"][1]["bomComponent"][0]["product"], "P");
        assert_eq!(client.post(bom, &boms(&["a", "b"])).data()["infos"], data["infos"]);
        (client, data)
    };
    let documents = |client: &Client| ["a", "b", "c"].map(|key| ids(client, "bill-of-material", key).len());

    let (client, data) = start(MixedArray::Each);
    let mixed = client.post(bom, &boms(&["a", "c"])).data();
    assert_eq!((&mixed["infos"][0], mixed["infos"].as_array().unwrap().len()), (&data["infos"][0], 2));
    assert_eq!(documents(&client), [1, 1, 1]);
    client.control().advance_clock(HOUR);
    let old = client.post(bom, &boms(&["a", "b"]));
    assert_eq!(old.code(), "100004");
    assert_eq!(old.json()["data"], json!([{ "id": data["infos"][0]["id"] }, { "id": data["infos"][1]["id"] }]));

    let (client, _) = start(MixedArray::RefuseAll);
    let refused = client.post(bom, &boms(&["a", "c"]));
    assert_eq!((refused.code().as_str(), refused.json().get("data")), ("100004", None));
    assert_eq!(documents(&client), [1, 1, 0]);

    let (client, _) = start(MixedArray::MakeAll);
    client.post(bom, &boms(&["a", "c"]));
    assert_eq!(documents(&client), [2, 1, 1]);
}

#[test]
fn an_array_fails_row_by_row_and_keeps_no_failure() {
    let client = Client::new(settings());
    let bom = "/yonbip/mfg/bom/batchsave/V1";
    let body = boms(&["a", "b"]).replacen(
        r#""b","bomComponent":[{"product":"P","bomAlternate":[{"n":1}]}]"#,
        r#""b","bomComponent":[]"#,
        1,
    );
    let data = client.post(bom, &body).data();
    assert_eq!((&data["sucessCount"], &data["failCount"]), (&json!(1), &json!(1)));
    assert_eq!(data["messages"], json!([{ "key": "b", "message": "bomComponent不能为空" }]));
    assert_eq!(client.post(bom, &boms(&["b"])).data()["sucessCount"], 1);
    assert_eq!(client.post(bom, &boms(&["x", "x"])).code(), "310008");
    let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    assert_eq!(client.post(bom, &boms(&many.iter().map(String::as_str).collect::<Vec<_>>())).code(), "999");
}

#[test]
fn the_key_has_at_most_32_characters() {
    let client = Client::new(settings());
    assert_eq!(client.post(PURCHASE, &order(&"x".repeat(33), "1")).code(), "310008");
    assert_eq!(client.post(PURCHASE, &order(&"键".repeat(32), "1")).code(), "200");
    assert_eq!(client.post(PURCHASE, &order("1", "1").replace(r#":"1","#, ":1,")).code(), "310008", "and is a text");
}

#[test]
fn without_a_key_every_call_makes_a_document() {
    let client = Client::new(settings());
    for place in ["", "null"] {
        let body = order("K", "1").replace(r#""K""#, if place.is_empty() { r#""""# } else { place });
        assert_ne!(client.post(PURCHASE, &body).data()["id"], client.post(PURCHASE, &body).data()["id"]);
    }
    let misplaced =
        order("K", "1").replace(r#""resubmitCheckKey":"K","#, "").replacen('{', r#"{"resubmitCheckKey":"K","#, 1);
    assert_ne!(client.post(PURCHASE, &misplaced).data()["id"], client.post(PURCHASE, &misplaced).data()["id"]);
    assert_eq!(client.received("purchase-order").len(), 6);
}

#[test]
fn a_key_counts_within_its_interface() {
    let client = Client::new(settings());
    client.post(PURCHASE, &order(KEY, "1"));
    let sale = format!(
        r#"{{"data":{{"resubmitCheckKey":"{KEY}","_status":"Insert","orderDetails":[{{"_status":"Insert","orderDetailPrices!natSum":1.10}}]}}}}"#
    );
    let data = client.post("/yonbip/sd/voucherorder/singleSave", &sale).data();
    assert_eq!(data["orderDetails"][0]["orderDetailPrices!natSum"].to_string(), "1.1");
    assert_eq!((ids(&client, "purchase-order", KEY).len(), ids(&client, "sale-order", KEY).len()), (1, 1));
}

#[test]
fn every_marked_interface_takes_its_document_once() {
    let client = Client::new(Settings {
        more_saves: vec![
            ("/yonbip/a/top".to_owned(), KeyPlace::Top),
            ("/yonbip/a/list".to_owned(), KeyPlace::TopElements),
        ],
        ..settings()
    });
    let data = |more: &str| format!(r#"{{"data":{{"resubmitCheckKey":"{KEY}","_status":"Insert"{more}}}}}"#);
    let lines = |name: &str| data(&format!(r#","{name}":[{{"_status":"Insert","qty":1}}]"#));
    for (path, target, body) in [
        (PURCHASE, "purchase-order", order(KEY, "1")),
        ("/yonbip/sd/voucherorder/singleSave", "sale-order", lines("orderDetails")),
        ("/yonbip/sd/voucherdelivery/singleSave", "delivery", lines("deliveryDetails")),
        ("/yonbip/sd/vouchersaleinvoice/singleSave", "sale-invoice", lines("saleInvoiceDetails")),
        ("/yonbip/sd/vouchersalereturn/singleSave", "sale-return", lines("saleReturnDetails")),
        ("/yonbip/scm/purinrecord/single/save", "purchase-receipt", lines("purInRecords")),
        ("/yonbip/scm/salesout/single/save", "sales-out", lines("details")),
        ("/yonbip/scm/othinrecord/single/save", "other-in", lines("othInRecords")),
        ("/yonbip/scm/othoutrecord/single/save", "other-out", lines("othOutRecords")),
        ("/yonbip/digitalModel/product/idempotent/save", "material", data(r#","name":{"simplifiedName":"轴承"}"#)),
        ("/yonbip/digitalModel/merchant/idempotent/newinsert", "customer", data("")),
        ("/yonbip/mfg/bom/batchsave/V1", "bill-of-material", boms(&[KEY])),
        (
            "/yonbip/fi/ficloud/openapi/voucher/addVoucher",
            "voucher",
            format!(r#"{{"businessId":"{KEY}","bodies":[{{"debitOrg":1.5}}]}}"#),
        ),
        ("/yonbip/EFI/receivable/save", "receivable", data("")),
        ("/yonbip/EFI/payable/save", "payable", data("")),
        ("/yonbip/a/top", "more", format!(r#"{{"resubmitCheckKey":"{KEY}"}}"#)),
        ("/yonbip/a/list", "more", format!(r#"[{{"resubmitCheckKey":"{}"}}]"#, &KEY[..31])),
    ] {
        let first = client.post(path, &body).data();
        assert_eq!(client.post(path, &body).data(), first, "{path}");
        let received = client.received(target);
        let last = received.first().unwrap();
        assert_eq!((last.ids.len(), last.calls), (1, 2), "{path}");
        assert!(KEY.starts_with(&last.key), "{path}");
    }
}

#[test]
fn vouchers_fail_with_404() {
    let client = Client::new(settings());
    let path = "/yonbip/fi/ficloud/openapi/voucher/addVoucher";
    let refused = client.post(path, r#"{"businessId":"b","bodies":[]}"#);
    assert_eq!((refused.answer.status, refused.code().as_str()), (200, "404"));
    assert_eq!(client.post(path, r#"{"resubmitCheckKey":"b","bodies":[{"n":1}]}"#).code(), "200");
    assert_eq!(client.post(path, r#"{"resubmitCheckKey":"b","bodies":[{"n":1}]}"#).code(), "200");
    assert_eq!(
        client.received("voucher").iter().filter(|received| received.key != "b").count(),
        2,
        "its key is businessId"
    );
}

#[test]
fn unmarked_saves_ignore_the_key() {
    let client = Client::new(settings());
    for (path, target) in [
        ("/yonbip/scm/storein/save", "transfer-in"),
        ("/yonbip/scm/storeout/save", "transfer-out"),
        ("/yonbip/sd/vouchersalereturn/batchsave", "sale-return"),
    ] {
        let body = format!(r#"{{"data":{{"resubmitCheckKey":"{KEY}","_status":"Insert","code":"T-1"}}}}"#);
        client.post(path, &body).data();
        client.post(path, &body).data();
        assert_eq!(ids(&client, target, "T-1").len(), 2, "{path}");
    }
}
