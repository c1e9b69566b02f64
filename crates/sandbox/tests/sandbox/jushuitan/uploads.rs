//! Uploads: results row by row, keys that make one document, and what the control endpoints say of them.

use milkrun_sandbox::Sandbox;
use milkrun_sandbox::jushuitan::{Repeat, Settings};
use milkrun_sandbox::{Fault, FaultRule};
use serde_json::Value;

use crate::jushuitan::client::{ORDERS, ask, code, control, rows, settings, start, try_call};

const UPLOAD: &str = "/open/jushuitan/orders/upload";
const SKUS: &str = "/open/jushuitan/itemsku/upload";
const INVENTORY: &str = "/open/jushuitan/inventoryv2/upload";

fn order(so_id: &str, pay_amount: &str, more: &str) -> String {
    format!(
        "{{\"shop_id\":10394533,\"so_id\":\"{so_id}\",\"order_date\":\"2026-08-01 10:00:00\",\
         \"shop_status\":\"WAIT_SELLER_SEND_GOODS\",\"pay_amount\":{pay_amount},\"freight\":8.00,\"free_amount\":\"1.1\",\
         \"items\":[{{\"sku_id\":\"A00001-红-L\",\"qty\":2,\"amount\":19.90}},{{\"sku_id\":\"x\",\"qty\":1,\"amount\":0.1}}]{more}}}"
    )
}

fn results<'a>(answer: &'a Value, success: &str) -> Vec<(&'a str, bool)> {
    let number = if success == "is_success" { "sku_id" } else { "so_id" };
    let result = |row: &'a Value| (row[number].as_str().unwrap(), row[success].as_bool().unwrap());
    rows(answer, "datas").iter().map(result).collect()
}

#[tokio::test]
async fn orders_are_judged_one_by_one() {
    let sandbox = start(settings()).await;
    let waiting = order("6", "26.9", ",\"pay\":{\"amount\":26.9}").replace("WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_PAY");
    let rows = [
        order("1", "26.90", ""),
        order("2", "26.91", ""),
        order("3", "\"26.9\"", "").replace("10394533", "7"),
        order("4", "26.9", "").replace("\"items\"", "\"lines\""),
        order("", "26.9", ""),
        waiting,
        order("7", "26.9", ""),
    ];
    let answer = ask(&sandbox, UPLOAD, &format!("[{}]", rows.join(","))).await;
    let expected = [("1", true), ("2", false), ("3", false), ("4", false), ("", false), ("6", false), ("7", true)];
    assert_eq!(results(&answer, "issuccess"), expected);
    let rows = &answer["data"]["datas"];
    assert!(rows[0]["o_id"].is_i64() && rows[0]["msg"] == "" && rows[1]["o_id"].is_null());
    assert!(rows[2]["msg"].as_str().unwrap().contains("店铺"));
    assert_eq!(sandbox.control().stats().documents["uploaded-orders"], 2);
}

#[tokio::test]
async fn the_same_order_again_is_the_same_document() {
    let sandbox = start(settings()).await;
    sandbox.control().add_fault(FaultRule::new(Fault::LostAnswer).next(1));
    let biz = format!("[{}]", order("2461234567890123456", "26.9", ""));
    assert!(try_call(&sandbox, UPLOAD, &[("biz", &biz)]).await.is_err());
    let answer = ask(&sandbox, UPLOAD, &biz).await;
    let received = sandbox.control().received("orders").unwrap();
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].key.as_str(), received[0].calls), ("10394533/2461234567890123456", 2));
    assert_eq!(received[0].ids, [answer["data"]["datas"][0]["o_id"].to_string()]);
    assert_eq!(format!("[{}]", received[0].body), biz);

    let other = biz.replace("10394533", "10394534");
    ask(&sandbox, UPLOAD, &other).await;
    assert_eq!(sandbox.control().received("orders").unwrap().len(), 2, "another shop's is another order");
    let found = ask(&sandbox, ORDERS, "{\"so_ids\":[\"2461234567890123456\"]}").await;
    let found = rows(&found, "orders");
    assert_eq!(found.len(), 2);
    assert_eq!((&found[0]["shop_id"], &found[0]["pay_amount"]), (&Value::from(10_394_533), &Value::from(26.9)));
    assert_eq!(found[0]["o_id"].to_string(), received[0].ids[0]);

    let lines = control(&sandbox, "GET", "received/orders", "").await;
    assert_eq!(lines.body.lines().count(), 2);
    assert_eq!(control(&sandbox, "GET", "received/shops", "").await.status, 404);
}

#[tokio::test]
async fn what_is_no_list_of_orders_is_refused_whole() {
    let sandbox = start(settings()).await;
    let many = |n: usize| {
        let orders: Vec<String> = (0..n).map(|so| order(&so.to_string(), "26.9", "")).collect();
        format!("[{}]", orders.join(","))
    };
    assert_eq!(code(&ask(&sandbox, UPLOAD, &order("1", "26.9", "")).await), 140);
    assert_eq!(code(&ask(&sandbox, UPLOAD, "[]").await), 130);
    assert_eq!(code(&ask(&sandbox, UPLOAD, "[1]").await), 140);
    assert_eq!(code(&ask(&sandbox, UPLOAD, &many(51)).await), 140);
    assert!(sandbox.control().received("orders").unwrap().is_empty());
    assert_eq!(rows(&ask(&sandbox, UPLOAD, &many(50)).await, "datas").len(), 50);
}

#[tokio::test]
async fn skus_need_leaf_categories() {
    let sandbox = start(settings()).await;
    let biz = "{\"items\":[{\"sku_id\":\"N-1\",\"i_id\":\"N\",\"name\":\"新品\",\"c_name\":\"上衣\"},\
               {\"sku_id\":\"N-2\",\"i_id\":\"N\",\"name\":\"新品\",\"c_name\":\"服装\"},\
               {\"sku_id\":\"N-3\",\"i_id\":\"N\"},{\"sku_id\":\"N-4\",\"i_id\":\"N\",\"name\":\"x\"}]}";
    let expected = [("N-1", true), ("N-2", false), ("N-3", false), ("N-4", true)];
    for calls in 1..=2 {
        assert_eq!(results(&ask(&sandbox, SKUS, biz).await, "is_success"), expected);
        let received = sandbox.control().received("skus").unwrap();
        assert_eq!((received.len(), received[0].ids.len(), received[0].calls), (2, 1, calls));
    }
    assert_eq!(code(&ask(&sandbox, SKUS, "[]").await), 140);
}

#[tokio::test]
async fn an_adjustment_is_made_once() {
    let adjustment = |so: &str, sku: &str| {
        format!(
            "{{\"so_id\":\"{so}\",\"type\":\"adjust\",\"wms_co_id\":10012,\"items\":[{{\"sku_id\":\"{sku}\",\"qty\":-2.50}}]}}"
        )
    };
    for (repeat, again) in [(Repeat::SameDocument, true), (Repeat::Refused, false)] {
        let sandbox = start(Settings { repeat, ..settings() }).await;
        let upload = async |sandbox: &Sandbox, biz: &str| ask(sandbox, INVENTORY, biz).await;
        let first = upload(&sandbox, &adjustment("T1", "A00001-红-L")).await;
        assert_eq!(results(&first, "issuccess"), [("T1", true)]);
        let second = upload(&sandbox, &adjustment("T1", "A00001-红-L")).await;
        assert_eq!(results(&second, "issuccess"), [("T1", again)]);
        if again {
            assert_eq!(first["data"]["datas"][0]["io_id"], second["data"]["datas"][0]["io_id"]);
        }
        let unknown = upload(&sandbox, &format!("[{}]", adjustment("T2", "A99999-红-L"))).await;
        assert_eq!(results(&unknown, "issuccess"), [("T2", false)]);
        let kind = upload(&sandbox, &adjustment("T3", "A00001-红-L").replace("adjust", "add")).await;
        assert_eq!(results(&kind, "issuccess"), [("T3", false)]);
        let lines = vec!["{\"sku_id\":\"A00001-红-L\",\"qty\":1}"; 501].join(",");
        let long = format!("{{\"so_id\":\"T4\",\"type\":\"check\",\"items\":[{lines}]}}");
        assert_eq!(code(&upload(&sandbox, &long).await), 140);
        let received = sandbox.control().received("inventory").unwrap();
        assert_eq!((received.len(), received[0].ids.len(), received[0].calls), (1, 1, 2));
    }
}
