//! Batch saves without keys: a result for each row, in the shapes that occur.

use milkrun_sandbox::yonyou::{BatchShape, Counter, Infos, Messages, Settings};
use serde_json::{Value, json};

use crate::yonyou::client::{Client, settings};

const PRODUCTS: &str = "/yonbip/digitalModel/product/batch/save";
const ROWS: &str = r#"{"data":[{"sourceUnique":"A-1","code":"A-1","name":{"simplifiedName":"轴承"}},{"sourceUnique":"A-2","code":"00000001"}]}"#;

fn answer(batch: BatchShape) -> Value {
    let client = Client::new(Settings { batch, ..settings() });
    let reply = client.post(PRODUCTS, ROWS);
    assert_eq!(reply.code(), "200", "whatever becomes of the rows");
    reply.data()
}

#[test]
fn the_sample_of_the_page() {
    let data = answer(BatchShape::default());
    assert_eq!((&data["count"], &data["sucessCount"], &data["failCount"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(data["messages"], json!([{ "message": "编码[00000001]已存在", "sourceUnique": "A-2" }]));
    let info = &data["infos"][0];
    assert_eq!((&info["sourceUnique"], &info["created"]), (&json!("A-1"), &json!(true)));
    assert!(info["targetUnique"].is_string() && info.get("id").is_some());
}

#[test]
fn all_shapes() {
    let messages = |messages| answer(BatchShape { messages, ..BatchShape::default() });
    let text = "编码[00000001]已存在";
    assert_eq!(messages(Messages::Code)["messages"], json!([{ "code": "999", "message": text }]));
    assert_eq!(messages(Messages::Key)["messages"], json!([{ "key": "A-2", "message": text }]));
    assert_eq!(messages(Messages::Texts)["messages"], json!([text]));
    assert_eq!(messages(Messages::OneText)["messages"], json!(text));
    assert_eq!(messages(Messages::OneObject)["messages"], json!({ "message": text, "sourceUnique": "A-2" }));
    assert_eq!(
        (&messages(Messages::Singular)["message"], messages(Messages::Singular).get("messages")),
        (&json!(text), None)
    );

    let infos = |infos| answer(BatchShape { infos, ..BatchShape::default() })["infos"][0].clone();
    assert_eq!(infos(Infos::Full)["name"]["simplifiedName"], "轴承");
    assert_eq!(infos(Infos::Id).as_object().unwrap().len(), 1);
    assert_eq!(infos(Infos::Data)["data"]["sourceUnique"], "A-1");
    assert_eq!((&infos(Infos::Code)["code"], &infos(Infos::Code)["data"]["code"]), (&json!("200"), &json!("A-1")));

    let counter = |counter| answer(BatchShape { counter, ..BatchShape::default() });
    assert!(counter(Counter::Success).get("sucessCount").is_none() && counter(Counter::Success)["successCount"] == 1);
    assert!(counter(Counter::Both)["sucessCount"] == 1 && counter(Counter::Both)["successCount"] == 1);
    let failed = answer(BatchShape { fail_infos: Some("failInfos"), ..BatchShape::default() });
    assert_eq!(failed["failInfos"][0]["sourceUnique"], "A-2");
}

#[test]
fn a_repeated_row_is_refused_by_its_code_or_doubled_without_one() {
    let client = Client::new(settings());
    let suppliers = "/yonbip/digitalModel/vendor/batchSaveV2";
    let coded = r#"{"data":[{"code":"S-1","name":"x"}]}"#;
    assert_eq!(client.post(suppliers, coded).data()["sucessCount"], 1);
    assert_eq!(client.post(suppliers, coded).data()["failCount"], 1);
    let bare = r#"{"data":[{"sourceUnique":"S-2","resubmitCheckKey":"k"}]}"#;
    client.post(suppliers, bare);
    client.post(suppliers, bare);
    let received = client.received("supplier");
    let ids = |key: &str| received.iter().find(|received| received.key == key).unwrap().ids.len();
    assert_eq!((ids("S-1"), ids("S-2")), (1, 2));
}

#[test]
fn a_remembered_source_updates() {
    let client = Client::new(Settings { remember_source: true, ..settings() });
    let row = |name: &str| {
        format!(r#"{{"data":[{{"sourceUnique":"W-1","org___code":"0518","name":{{"zh_CN":"{name}"}}}}]}}"#)
    };
    let warehouses = "/yonbip/digitalModel/warehouse/batchSave";
    let first = client.post(warehouses, &row("一")).data();
    let second = client.post(warehouses, &row("二")).data();
    assert_eq!((&first["infos"][0]["created"], &second["infos"][0]["created"]), (&json!(true), &json!(false)));
    assert_eq!(first["infos"][0]["id"], second["infos"][0]["id"]);
    assert_eq!(client.received("warehouse")[0].ids.len(), 1);
}

#[test]
fn what_is_no_batch_is_refused() {
    let client = Client::new(settings());
    assert_eq!(client.post(PRODUCTS, "{}").code(), "310003");
    assert_eq!(client.post(PRODUCTS, r#"{"data":{"code":"A"}}"#).code(), "310008");
    assert_eq!(client.post(PRODUCTS, r#"{"data":[]}"#).code(), "999");
    let rows = vec!["{}"; 51].join(",");
    assert_eq!(client.post(PRODUCTS, &format!(r#"{{"data":[{rows}]}}"#)).code(), "999");
    assert_eq!(client.post(PRODUCTS, r#"{"data":[1]}"#).data()["failCount"], 1);
}
