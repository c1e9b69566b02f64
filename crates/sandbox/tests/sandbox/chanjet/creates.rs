//! Creates: what they answer, which keys are unique, and how to find again what was created.

use milkrun_sandbox::chanjet::{CreateAnswer, Settings};
use milkrun_sandbox::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::chanjet::client::{ask, code, control, rows, settings, start, try_call};

fn delivery(external: &str) -> String {
    format!(
        "{{\"dto\":{{\"VoucherDate\":\"2026-01-05\",\"ExternalCode\":\"{external}\",\"Customer\":{{\"Code\":\"C0012\"}},\
         \"Warehouse\":{{\"Code\":\"W0001\"}},\"Memo\":null,\"SaleDeliveryDetails\":[\
         {{\"Inventory\":{{\"Code\":\"0101-0007\"}},\"Quantity\":3.50,\"OrigTaxAmount\":475.58}}]}}}}"
    )
}

#[tokio::test]
async fn a_delivery_answers_null_and_a_second_one_is_refused() {
    let sandbox = start(settings()).await;
    let reply = ask(&sandbox, "saleDelivery/Create", &delivery("WDT-1")).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "null"));
    let again = ask(&sandbox, "saleDelivery/Create", &delivery("WDT-1")).await;
    assert_eq!(code(&again), (200, "999".to_owned()));
    assert_eq!(again.json()["message"], "外部系统数据编号重复");
    let received = sandbox.control().received("saleDelivery").unwrap();
    assert_eq!((received.len(), received[0].ids.len(), received[0].calls), (1, 1, 2));
    assert_eq!(received[0].key, "WDT-1");
    assert_eq!(format!("{{\"dto\":{}}}", received[0].body), delivery("WDT-1"));
    assert_eq!(sandbox.control().stats().documents["created-saleDelivery"], 1);
    assert_eq!(
        ask(&sandbox, "otherDispatch/Create", &delivery("WDT-1").replace("SaleDelivery", "RDRecord")).await.body,
        "null"
    );
}

#[tokio::test]
async fn what_was_created_is_found_by_its_keys() {
    let sandbox = start(settings()).await;
    sandbox.control().add_fault(FaultRule::new(Fault::LostAnswer).next(1));
    assert!(try_call(&sandbox, "saleDelivery/Create", &[], &delivery("WDT-2")).await.is_err());
    let find = async |filter: &str| {
        let body = format!(
            "{{\"selectFields\":[\"SaleDelivery.ID\",\"SaleDelivery.Code\",\"SaleDelivery.ExternalCode\",\
             \"SaleDelivery.Customer.Code\"],\"paramDic\":{{{filter}}},\"pageIndex\":1,\"pageSize\":50}}"
        );
        let answer = ask(&sandbox, "SaleDeliveryOpenApi/FindVoucherList", &body).await.json();
        assert_eq!(answer["data"]["TotalCount"], json!(answer["data"]["Rows"].as_array().unwrap().len()));
        answer["data"]["Rows"].as_array().unwrap().clone()
    };
    let found = find("\"ExternalCode\":\"WDT-2\"").await;
    assert_eq!((found.len(), &found[0][2], &found[0][3]), (1, &json!("WDT-2"), &json!("C0012")));
    let received = sandbox.control().received("saleDelivery").unwrap();
    assert_eq!(found[0][0], json!(received[0].ids[0]));
    let voucher = found[0][1].as_str().unwrap();
    assert_eq!(find(&format!("\"SaleDelivery.Code\":\"{voucher}\"")).await, found);
    assert_eq!(find("\"ExternalCode\":\"WDT-3\"").await.len(), 0);
    assert_eq!(find("\"ExternalCode\":\"WDT-2\",\"Code\":\"other\"").await.len(), 0);
    let body = format!("{{\"param\":{{\"voucherCode\":\"{voucher}\"}}}}");
    let whole = ask(&sandbox, "SaleDeliveryOpenApi/GetVoucherDTO", &body).await;
    assert!(whole.body.contains("\"Quantity\":3.50"), "{}", whole.body);
    assert_eq!(whole.json()["data"]["SaleDeliveryDetails"][0]["Inventory"]["Code"], "0101-0007");
    let lines = control(&sandbox, "GET", "received/saleDelivery", "").await;
    assert_eq!(lines.body.lines().count(), 1);
    assert_eq!(control(&sandbox, "GET", "received/nothing", "").await.status, 404);
}

#[tokio::test]
async fn archives_answer_an_id_and_codes_are_unique() {
    let sandbox = start(settings()).await;
    let body = "{\"dto\":{\"Code\":\"N-1\",\"Name\":\"新客户\",\"PartnerType\":{\"Code\":\"01\"}}}";
    let id: String = serde_json::from_str(&ask(&sandbox, "partner/Create", body).await.body).unwrap();
    assert_eq!(id.len(), 19);
    assert_eq!(code(&ask(&sandbox, "partner/Create", body).await).1, "999");
    assert_eq!(code(&ask(&sandbox, "partner/Create", &body.replace("N-1", "C0001")).await).1, "999");
    let received = sandbox.control().received("partner").unwrap();
    assert_eq!((received[0].key.as_str(), &received[0].ids, received[0].calls), ("N-1", &vec![id.clone()], 2));
    let query = "{\"param\":{\"Code\":\"N-1\",\"SelectFields\":\"ID,Name,PartnerType.Code\"}}";
    let found = rows(&ask(&sandbox, "partner/Query", query).await);
    assert_eq!(found, [json!({ "ID": id, "Name": "新客户", "PartnerType": { "Code": "01" } })]);
    assert_eq!(code(&ask(&sandbox, "inventory/Create", "{\"dto\":{\"Code\":\"N-1\"}}").await).1, "999");
}

#[tokio::test]
async fn orders_and_vouchers_answer_an_object() {
    let sandbox = start(settings()).await;
    let order = delivery("O-1")
        .replace("SaleDeliveryDetails", "SaleOrderDetails")
        .replace("\"Memo\":null", "\"Code\":\"XS-1\"");
    let answer = ask(&sandbox, "saleOrder/Create", &order).await.json();
    assert_eq!((&answer["code"], &answer["data"]["Code"]), (&json!("0"), &json!("XS-1")));
    let page = ask(&sandbox, "saleOrder/QueryPage", "{\"param\":{\"ExternalCode\":\"O-1\"}}").await.json();
    assert_eq!((&page["TotalCount"], &page["Data"][0]["ID"]), (&json!(1), &answer["data"]["ID"]));
    let buy = order.replace("SaleOrder", "PurchaseOrder");
    assert_eq!(ask(&sandbox, "purchaseOrder/Create", &buy).await.json()["code"], "0");

    let voucher = |credit: &str| {
        format!(
            "{{\"dto\":{{\"VoucherDate\":\"2026-01-05\",\"ExternalCode\":\"V-1\",\"DocType\":{{\"Code\":\"记\"}},\"Entrys\":[\
             {{\"AmountDr\":\"0.30\"}},{{\"AmountCr\":{credit}}},{{\"AmountCr\":0.1}}]}}}}"
        )
    };
    assert_eq!(code(&ask(&sandbox, "doc/Create", &voucher("0.21")).await).1, "999");
    assert_eq!(ask(&sandbox, "doc/Create", &voucher("0.20")).await.json()["code"], "0");
    assert_eq!(sandbox.control().received("doc").unwrap()[0].ids.len(), 1);
}

#[tokio::test]
async fn documents_that_are_refused() {
    let sandbox = start(settings()).await;
    let whole = delivery("X");
    for (from, to) in [
        ("\"dto\"", "\"param\""),
        ("2026-01-05", "2026/01/05"),
        ("\"VoucherDate\":\"2026-01-05\",", ""),
        ("C0012", "C9999"),
        ("\"Customer\":{\"Code\":\"C0012\"},", ""),
        ("W0001", "W0009"),
        ("0101-0007", "0101-9999"),
        ("3.50", "\"many\""),
        ("\"Quantity\":3.50,", ""),
        ("SaleDeliveryDetails", "Details"),
    ] {
        let body = whole.replace(from, to);
        assert_ne!(body, whole);
        assert_eq!(code(&ask(&sandbox, "saleDelivery/Create", &body).await), (200, "999".to_owned()), "{from}");
    }
    assert_eq!(code(&ask(&sandbox, "saleDelivery/Create", "[]").await).1, "999");
    assert!(sandbox.control().received("saleDelivery").unwrap().is_empty());
    assert_eq!(ask(&sandbox, "saleDelivery/Create", &whole).await.body, "null", "a refusal keeps no key");

    ask(&sandbox, "partner/Create", "{\"dto\":{\"Code\":\"N-1\",\"Name\":\"n\"}}").await;
    let to_the_new_one = delivery("Y").replace("C0012", "N-1");
    assert_eq!(ask(&sandbox, "saleDelivery/Create", &to_the_new_one).await.body, "null");

    let sandbox = start(Settings { known_codes_only: false, ..settings() }).await;
    let foreign = whole.replace("C0012", "示例旗舰店").replace("0101-0007", "A00001-红-L");
    assert_eq!(ask(&sandbox, "saleDelivery/Create", &foreign).await.body, "null");
}

#[tokio::test]
async fn answers_and_codes_are_a_choice() {
    for (created, is_it) in [
        (CreateAnswer::Null, Value::is_null as fn(&Value) -> bool),
        (CreateAnswer::Id, Value::is_string),
        (CreateAnswer::Object, Value::is_object),
    ] {
        let sandbox = start(Settings { created, duplicate_code: "77".to_owned(), ..settings() }).await;
        assert!(is_it(&ask(&sandbox, "saleDelivery/Create", &delivery("A")).await.json()));
        let partner = "{\"dto\":{\"Code\":\"N-1\",\"Name\":\"n\",\"ExternalCode\":\"A\"}}";
        assert!(is_it(&ask(&sandbox, "partner/Create", partner).await.json()));
        assert_eq!(code(&ask(&sandbox, "partner/Create", partner).await), (200, "77".to_owned()));
    }
}
