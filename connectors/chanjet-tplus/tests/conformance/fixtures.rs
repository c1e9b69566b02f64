//! The suite on answers like the recorded ones.

use milkrun_testkit::conformance::{self, Failure, FixtureVendor, Waiver, rows_of_page};
use milkrun_testkit::http::{Reply, Request};
use serde_json::{Value, json};

const SECRET: &str = "hush-hush";

/// Records of the vendor; each row of a page is the first of them with an id of its own.
const ITEMS: &str = include_str!("../fixtures/inventory-exact-values.json");
const STOCK: &str = include_str!("../fixtures/current-stock-total-in-each-row.json");

/// What the vendor gives of so many records in all.
#[derive(Clone, Copy)]
struct Holding {
    n: u64,
    with_totals: bool,
}

fn row(record: &str, id: u64) -> Value {
    let rows: Value = serde_json::from_str(record).expect("the fixture is JSON");
    let mut row = rows[0].clone();
    // Both ways of writing an id, longer than a float holds.
    let id = 1_999_234_567_890_123_456 + id;
    row["ID"] = if id.is_multiple_of(2) { json!(id) } else { json!(id.to_string()) };
    row["Batch"] = json!(format!("B{id}"));
    row
}

/// The page that is asked for, or the page of that number.
fn page(request: &Request, holding: Holding, number: Option<u64>) -> Reply {
    let body: Value = serde_json::from_str(&request.body).expect("all calls carry JSON");
    let action = request.path.rsplit('/').next().unwrap_or_default();
    if action == "GetVoucherDTO" {
        let id = &body["param"]["voucherID"];
        return Reply::json(json!({ "code": "0", "message": "", "data": { "ID": id, "Details": [] } }).to_string());
    }
    let asked = if action == "FindVoucherList" { &body } else { &body["param"] };
    let count =
        |upper: &str, lower: &str| asked[upper].as_u64().or(asked[lower].as_u64()).expect("pages are asked for");
    let (index, size) = (number.unwrap_or(count("PageIndex", "pageIndex")), count("PageSize", "pageSize"));
    let Holding { n, with_totals } = holding;
    let ids = rows_of_page(n, index, size);
    let answer = match action {
        "FindVoucherList" => {
            let columns = asked["selectFields"].as_array().expect("columns are asked for").clone();
            let cell = |column: &Value, id: u64| {
                let is_id = column.as_str().is_some_and(|name| name.rsplit('.').next() == Some("ID"));
                if is_id { json!(1_999_234_567_890_123_456 + id) } else { json!(format!("SA-{id}")) }
            };
            let rows: Vec<Value> = ids.map(|id| columns.iter().map(|column| cell(column, id)).collect()).collect();
            let mut data = json!({ "Columns": columns, "Rows": rows });
            if with_totals {
                data["TotalCount"] = n.into();
                data["TotalPageNum"] = n.div_ceil(size).into();
            }
            json!({ "code": "0", "message": "", "data": data })
        }
        "QueryPage" => {
            let mut answer = json!({ "Data": ids.map(|id| row(ITEMS, id)).collect::<Vec<_>>() });
            if with_totals {
                answer["TotalCount"] = n.into();
            }
            answer
        }
        _ if request.path.contains("currentStock") => {
            let stock = |id| {
                let mut row = row(STOCK, id);
                row["TotalCount"] = if with_totals { json!(n) } else { Value::Null };
                row
            };
            ids.map(stock).collect()
        }
        _ => ids.map(|id| row(ITEMS, id)).collect(),
    };
    // Of warehouses the list is JSON text.
    let is_text = request.path.contains("warehouse");
    Reply::json(if is_text { json!({ "result": answer.to_string() }) } else { answer }.to_string())
}

fn first_page_again(request: &Request) -> Reply {
    let body: Value = serde_json::from_str(&request.body).expect("all calls carry JSON");
    let size = body["param"]["PageSize"].as_u64().or(body["pageSize"].as_u64()).unwrap_or(0);
    page(request, Holding { n: size + 1, with_totals: true }, Some(1))
}

const SETTINGS: &str = "
calls_per_second = 50
[adjust.partners]
filter = { Disabled = false }
page_size = { min = 1, usual = 100, max = 1000 }
[[streams]]
name = 'units'
title = { en = 'Units', zh = '计量单位' }
endpoint = 'UnitGroup/Query'
wrapper = 'param'
key = ['ID']
page_size = { min = 1, usual = 2, max = 1000 }
window = { axis = 'UpdateDate', start = 'UpdateDateBegin', end = 'UpdateDateEnd', longest_hours = 24, late = [{ axis = 'UpdateDate', every_hours = 24, reach_hours = 72 }] }
[[streams]]
name = 'stock-by-item'
endpoint = 'currentStock/Query'
key = ['K']
make_key = { field = 'K', parts = ['WarehouseCode', 'Batch'] }
partition = { stream = 'inventory', path = 'Code', parameter = 'Inventory[].Code' }
[[streams]]
name = 'arrivals'
endpoint = 'PurchaseArrivalOpenApi/FindVoucherList'
style = 'voucher-list'
select = ['PurchaseArrival.ID']
key = ['PurchaseArrival.ID']
detail = { endpoint = 'PurchaseArrivalOpenApi/GetVoucherDTO', from = 'PurchaseArrival.ID' }
[[targets]]
name = 'other-receive'
endpoint = 'otherReceive/Create'
look_up = { endpoint = 'OtherReceiveOpenApi/FindVoucherList', style = 'voucher-list', code = 'RDRecord.ExternalCode', id = 'RDRecord.ID' }
fields = [{ path = 'VoucherDate', kind = 'date', required = true }]
";

async fn vendor() -> FixtureVendor {
    let error = |code: &'static str| {
        // Vendors like to repeat what they were sent.
        let body = json!({ "code": code, "message": format!("not with {SECRET}"), "data": null }).to_string();
        move |_: &Request| Reply::json(body.clone())
    };
    let builder = FixtureVendor::new(|request, n| page(request, Holding { n, with_totals: true }, None))
        .settings(|url| {
            format!("app_key = 'ptPrU0YV'\napp_secret = '{SECRET}'\nbase_url = '{url}'\nrefresh_token = 'refresh-0'{SETTINGS}")
        })
        .token(
            |request, n| {
                let asks = request.path == "/auth/v2/refreshToken";
                let old = format!("refresh-{}", n - 1);
                (asks && request.param("refreshToken").as_deref() == Some(&old)).then(|| {
                    let result = json!({ "access_token": format!("access.{n}"), "refresh_token": format!("refresh-{n}"),
                        "expires_in": "518400" });
                    Reply::json(json!({ "code": "200", "message": "成功", "result": result }).to_string())
                })
            },
            |request, n| request.header("opentoken") == Some(&format!("access.{n}")),
        )
        .answers(Failure::TemporaryCode, |_| Reply::new(503, "application/json", "{\"error\":\"unavailable\"}"))
        .answers(Failure::Refused, error("999"))
        .answers(Failure::UnknownCode, error("unheard-of"))
        .answers(Failure::TokenRefused, |_| {
            Reply::new(401, "application/json", include_str!("../fixtures/error-token-expired.json"))
        })
        .answers(Failure::TotalMissing, |request| page(request, Holding { n: 2, with_totals: false }, None))
        .answers(Failure::PageIgnored, first_page_again)
        .answers(Failure::SamePage, first_page_again);
    let tokens = (0..9).flat_map(|n| [format!("refresh-{n}"), format!("access.{n}")]);
    tokens.fold(builder.secret(SECRET), |builder, secret| builder.secret(&secret)).start().await
}

#[tokio::test]
async fn conforms() {
    let waivers = [Waiver::new("clock-skew", "*", "calls in the cloud carry no time")];
    conformance::check("chanjet-tplus", vendor, &waivers).await;
}
