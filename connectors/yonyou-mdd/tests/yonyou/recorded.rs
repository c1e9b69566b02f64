//! The shared suite, on answers like those of the documentation.

use milkrun_connector_yonyou_mdd as _;
use milkrun_testkit::conformance::{self, Failure, FixtureVendor, Waiver, rows_of_page};
use milkrun_testkit::http::{Reply, Request};

const SECRET: &str = "hush-hush";
const TOKEN: &str = "access/token+";

/// One row: of a document, or of one of its two lines; its fields in order, as a spoilt answer has them.
fn row(id: u64, line: Option<u64>) -> String {
    let line = line.map(|n| format!(r#","orderDetails_id":"{id}{n}","purchaseOrders_id":{id}{n},"qty":{n}.50"#));
    let line = line.unwrap_or_default();
    format!(
        r#"{{"code":"C-{id}","id":{id},"oriSum":1000.3438,"product":{id},"pubts":"2026-08-01 00:00:00","warehouse":"{id}"{line}}}"#
    )
}

/// The page that is asked for, where the vendor has `n` documents in all.
fn page(request: &Request, n: u64) -> Reply {
    if request.path.ends_with("/QueryCurrentStocksByCondition") {
        let rows: Vec<String> = (1..=n).map(|id| row(id, None)).collect();
        return Reply::json(format!(r#"{{"code":200,"data":[{}]}}"#, rows.join(",")));
    }
    let (page, size) = (request.number("pageIndex").unwrap_or(1), request.number("pageSize").unwrap_or(100));
    let wanted = request.body.split(r#""op":"eq","value1":""#).nth(1).and_then(|rest| rest.split('"').next());
    let ids: Vec<u64> = (1..=n).filter(|id| wanted.is_none_or(|wanted| wanted == id.to_string())).collect();
    let rows: Vec<String> = if request.body.contains(r#""isSum":false"#) {
        ids.iter().flat_map(|&id| [row(id, Some(1)), row(id, Some(2))]).collect()
    } else {
        ids.iter().map(|&id| row(id, None)).collect()
    };
    let n_rows = rows.len() as u64;
    let shown: Vec<&str> =
        rows_of_page(n_rows, page, size).map(|at| rows[usize::try_from(at).unwrap() - 1].as_str()).collect();
    Reply::json(format!(
        r#"{{"code":"200","message":"操作成功","data":{{"pageIndex":{page},"pageSize":{size},"recordCount":{n_rows},"pageCount":{},"recordList":[{}]}}}}"#,
        n_rows.div_ceil(size),
        shown.join(",")
    ))
}

async fn vendor() -> FixtureVendor {
    FixtureVendor::new(page)
        .settings(|url| {
            format!(
                "tenant_id = 'k8p3lxta'\napp_key = 'key'\napp_secret = '{SECRET}'\ngateway_url = '{url}/gw'\n\
                 token_url = '{url}/auth'\n\
                 [[streams]]\nname = 'more'\npath = '/yonbip/more/list'\n\
                 [[targets]]\nname = 'more'\npath = '/yonbip/more/save'\n"
            )
        })
        .secret(SECRET)
        .secret(TOKEN)
        .page_parameter("pageIndex", "1")
        .token(
            |request, n| {
                let granted = format!(r#"{{"code":"00000","data":{{"access_token":"{TOKEN}{n}","expire":86400}}}}"#);
                request.path.ends_with("/getAccessToken").then(|| Reply::json(granted))
            },
            |request, n| request.param("access_token") == Some(format!("{TOKEN}{n}")),
        )
        .answers(Failure::TokenRefused, |_| Reply::new(200, "text/plain", "非法token"))
        .answers(Failure::TemporaryCode, |_| Reply::json(r#"{"code":310071,"message":"后端失败"}"#))
        // Vendors like to repeat what they were sent.
        .answers(Failure::Refused, |request| {
            let token = request.param("access_token").unwrap_or_default();
            Reply::json(format!(r#"{{"code":"999","message":"不支持 {SECRET} {token}"}}"#))
        })
        .answers(Failure::UnknownCode, |_| Reply::json(r#"{"code":"31415926","message":"?"}"#))
        .start()
        .await
}

#[tokio::test]
async fn conforms() {
    let waivers = [Waiver::new("clock-skew", "*", "only the call for a token carries a time, and the token is there")];
    conformance::check("yonyou-mdd", vendor, &waivers).await;
}
