//! The shared suite, on answers like those of the reference.

use milkrun_testkit::conformance::{self, Failure, FixtureVendor, Waiver, rows_of_page};
use milkrun_testkit::http::{Reply, Request};

const SECRET: &str = "hush-hush";
const BUSY: &str = include_str!("fixtures/code-in-200-busy.json");
const TOKEN: &str = include_str!("fixtures/token-expired-by-message.json");

/// The page that is asked for, of `n` records in all.
fn page(request: &Request, n: u64) -> Reply {
    let (page, size) = (request.number("page").unwrap(), request.number("pageSize").unwrap());
    assert!(size <= 100, "pageSize is 100 at most");
    let row = |id: u64| format!(r#"{{"id":{},"status":2}}"#, 6_920_000_000_000_000_000 + id);
    let rows = rows_of_page(n, page, size).map(row).collect::<Vec<_>>().join(",");
    Reply::json(format!(
        r#"{{"success":true,"code":0,"message":"ok","content":{{"rows":[{rows}],"total":{n},"condition":{{}}}}}}"#
    ))
}

async fn vendor() -> FixtureVendor {
    let settings = |url: &str| {
        format!(
            "[platform]\nhost = '{url}'\napp_key = 'k'\napp_secret = '{SECRET}'\n\
             [[platform.streams]]\nname = 'refunds'\nscheme = 'b5c4f6d2'\nproof = 'backwards'\ncontent = {{ shop = 'S01' }}\n\
             [[platform.streams]]\nname = 'orders'\nscheme = 'a1'\napi = 'v1'\ncondition = {{ status = {{ '$eq' = '2' }} }}\n"
        )
    };
    let grant = |request: &Request, n: u64| {
        let knows = request.body == format!(r#"{{"app_key":"k","app_secret":"{SECRET}"}}"#);
        (request.path == "/v2/oauth" && knows).then(|| {
            Reply::json(format!(
                r#"{{"success":true,"code":0,"content":{{"access_token":"secret-token-{n}","expires_in":86400}}}}"#
            ))
        })
    };
    let shows = |request: &Request, n: u64| {
        let place = if request.path.starts_with("/v2/") { "access_token" } else { "token" };
        request.param(place) == Some(format!("secret-token-{n}"))
    };
    FixtureVendor::new(page)
        .settings(settings)
        .secret(SECRET)
        .secret("secret-token-1")
        .secret("secret-token-2")
        .page_parameter("page", "1")
        .token(grant, shows)
        .answers(Failure::TokenRefused, |_| Reply::json(TOKEN))
        .answers(Failure::TemporaryCode, |_| Reply::json(BUSY))
        // Platforms like to repeat what they were sent.
        .answers(Failure::Refused, |request| {
            let token = request.param("access_token").unwrap_or_default();
            Reply::json(format!(r#"{{"success":false,"code":40005,"message":"参数错误 {token}"}}"#))
        })
        .answers(Failure::UnknownCode, |_| Reply::json(r#"{"success":false,"code":77,"message":"?"}"#))
        .start()
        .await
}

#[tokio::test]
async fn conforms() {
    let waivers = [Waiver::new("clock-skew", "*", "calls carry no time, so the platform cannot mind the clock")];
    conformance::check("qeasy", vendor, &waivers).await;
}
