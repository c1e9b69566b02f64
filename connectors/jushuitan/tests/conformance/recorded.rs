//! The suite on answers like the recorded ones, of both APIs.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use milkrun_core::Record;
use milkrun_testkit::conformance::{self, Failure, FixtureBuilder, FixtureVendor, Waiver, rows_of_page};
use milkrun_testkit::http::{Reply, Request};

const SECRET: &str = "hush-hush-secret";
const TOKEN: &str = "whispered-token";

/// The old API's envelope is flat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    New,
    Old,
}

impl Api {
    fn biz(self, request: &Request) -> Record {
        let text = if self == Self::New { request.param("biz").unwrap() } else { request.body.clone() };
        Record::parse(text).unwrap()
    }

    fn method(self, request: &Request) -> String {
        if self == Self::New { request.path.clone() } else { request.param("method").unwrap() }
    }

    fn wrap(self, page: &str) -> Reply {
        Reply::json(match self {
            Self::New => format!(r#"{{"code":0,"msg":"执行成功","data":{{{page}}}}}"#),
            Self::Old => format!(r#"{{"code":0,"issuccess":true,"msg":"",{page}}}"#),
        })
    }
}

/// A row that has the key fields of all methods but one, and no end yet.
fn row(id: u64) -> String {
    let numbers = ["o_id", "as_id", "io_id", "shop_id", "c_id", "po_id", "supplier_id", "lc_id"];
    let texts =
        ["so_id", "outer_as_id", "sku_id", "i_id", "shop_sku_id", "supplier_code", "name", "lc_name", "shop_name"];
    let mut row = format!(r#"{{"modified":"2026-08-01 00:00:00","ts":{}"#, 9_007_199_254_740_993 + id);
    for name in numbers {
        write!(row, ",\"{name}\":{id}").unwrap();
    }
    for name in texts {
        write!(row, ",\"{name}\":\"246123456789012345{id}\"").unwrap();
    }
    row
}

/// The page that is asked for, of `n` records in all.
fn page(api: Api, request: &Request, n: u64, with_total: bool) -> Reply {
    let (method, biz) = (api.method(request), api.biz(request));
    let number_of = |name: &str| biz.get(name).and_then(|json| json.parse::<u64>().ok());
    let (asked, size) = (number_of("page_index").unwrap(), number_of("page_size").unwrap());
    let from = number_of("start_ts").or(number_of("ts"));
    let (ids, has_next) = match from {
        // Ids grow with their versions.
        Some(from) => {
            let first = from.saturating_sub(9_007_199_254_740_993).max(1);
            ((first..=n).take(usize::try_from(size).unwrap()).collect::<Vec<_>>(), n + 1 > first + size)
        }
        None => (rows_of_page(n, asked, size).collect(), asked * size < n),
    };
    // Only the list of warehouses names any.
    let warehouse =
        |id: u64| if method.contains("wms/partner") { format!(",\"wms_co_id\":{id}}}") } else { "}".to_owned() };
    let rows: Vec<_> = ids.into_iter().map(|id| row(id) + &warehouse(id)).collect();
    let list = match method.as_str() {
        m if m.contains("inventory") && !m.contains("count") => "inventorys",
        m if m.contains("logistic/") || m.contains("single") && m.contains("order") => "orders",
        _ => "datas",
    };
    let counted = with_total && from.is_none() && list != "inventorys" && !method.contains("shops");
    let total = if counted { format!(r#""data_count":{n},"page_count":{},"#, n.div_ceil(size)) } else { String::new() };
    let rows = rows.join(",");
    api.wrap(&format!(r#""page_index":{asked},"page_size":{size},{total}"has_next":{has_next},"{list}":[{rows}]"#))
}

fn vendor(api: Api) -> FixtureBuilder {
    let held = Arc::new(AtomicU64::new(0));
    let last = Arc::clone(&held);
    let (parameter, first) = match api {
        Api::New => ("biz", r#"{"page_index":1,"page_size":3}"#),
        Api::Old => ("page_index", "1"),
    };
    let code = |code: u32, message: &str| {
        let body = format!(r#"{{"code":{code},"msg":"{message}","data":null}}"#);
        move |_: &Request| Reply::json(body.clone())
    };
    let noted = Arc::clone(&held);
    FixtureVendor::new(move |request, n| {
        noted.store(n, Ordering::Relaxed);
        page(api, request, n, true)
    })
    .secret(SECRET)
    .secret(TOKEN)
    .answers(Failure::TemporaryCode, code(150, "系统内部错误"))
    // Vendors like to repeat what they were sent.
    .answers(Failure::Refused, code(130, &format!("not with {SECRET} {TOKEN}-1")))
    .answers(Failure::UnknownCode, code(777, "?"))
    .answers(Failure::ClockSkew, code(140, "验证失败！无效的timestamp，请求最大时间误差15分钟"))
    .answers(Failure::TokenRefused, code(100, "验证失败！无效的access_token或access_token已过期"))
    .answers(Failure::TotalMissing, move |request| page(api, request, last.load(Ordering::Relaxed), false))
    // The suite asks for pages of three; the new API's parameters travel in one field.
    .page_parameter(parameter, first)
}

async fn new_api() -> FixtureVendor {
    vendor(Api::New)
        .settings(|url| {
            format!(
                "app_key = 'a1'\napp_secret = '{SECRET}'\nbase_url = '{url}'\n\
                 [[streams]]\nname = 'packs'\npath = '/open/pack/query'\nkey = ['io_id']\n\
                 page_size = {{ min = 1, usual = 2, max = 50 }}\ncursor = {{}}\nwindow = {{}}\n\
                 [[targets]]\nname = 'packs'\npath = '/open/pack/upload'\nform = 'array'\nid = 'so_id'\n\
                 look_up = {{ path = '/open/pack/query', lists = ['datas'], parameter = 'so_ids' }}\n\
                 fields = [{{ path = 'so_id', required = true }}]"
            )
        })
        .token(
            |request, n| {
                let granted = || {
                    let data =
                        format!(r#"{{"access_token":"{TOKEN}-{n}","refresh_token":"r-{n}","expires_in":2592000}}"#);
                    Reply::json(format!(r#"{{"code":0,"msg":"执行成功","data":{data}}}"#))
                };
                request.path.starts_with("/openWeb/auth/").then(granted)
            },
            |request, n| request.param("access_token") == Some(format!("{TOKEN}-{n}")),
        )
        .start()
        .await
}

async fn old_api() -> FixtureVendor {
    vendor(Api::Old)
        .settings(|url| {
            format!(
                "api = 'old'\napp_key = 'p1'\napp_secret = '{SECRET}'\naccess_token = '{TOKEN}'\n\
                 base_url = '{url}/api/open/query.aspx'"
            )
        })
        .token(
            // The token's text stays the same.
            |request, _| {
                (request.param("method")? == "refresh.token").then(|| Reply::json(r#"{"code":0,"issuccess":true}"#))
            },
            |request, _| request.param("token").as_deref() == Some(TOKEN),
        )
        .start()
        .await
}

#[tokio::test]
async fn the_new_api_conforms() {
    conformance::check("jushuitan", new_api, &[]).await;
}

#[tokio::test]
async fn the_old_api_conforms() {
    let waivers = [Waiver::new("streams", "*", "only five methods of the old API are confirmed")];
    conformance::check("jushuitan", old_api, &waivers).await;
}
