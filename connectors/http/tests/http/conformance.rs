//! The shared suite, on three vendors that have little in common.

use milkrun_testkit::conformance::{self, Failure, FixtureVendor, Waiver, rows_of_page};
use milkrun_testkit::http::{Reply, Request};

const SECRET: &str = "hush-hush";

fn rows(ids: impl Iterator<Item = u64>) -> String {
    let row = |id: u64| {
        format!(r#"{{"id":{},"modified":"2026-08-01 00:00:00","no":"N-{id}"}}"#, 6_920_000_000_000_000_000 + id)
    };
    ids.map(row).collect::<Vec<_>>().join(",")
}

/// Page numbers, a fixed bearer token, a code in every answer.
async fn numbers() -> FixtureVendor {
    let page = |request: &Request, n: u64| {
        assert_eq!(request.header("authorization"), Some("Bearer hush-hush"));
        let (page, size) = (request.number("page").unwrap_or(1), request.number("size").unwrap_or(100));
        let list = rows(rows_of_page(n, page, size));
        Reply::json(format!(r#"{{"code":0,"message":"ok","data":{{"total":{n},"list":[{list}]}}}}"#))
    };
    let settings = |url: &str| {
        format!(
            r#"
            base_url = "{url}"
            auth = {{ bearer = "{SECRET}" }}
            [answer]
            success = "code"
            success_values = [0]
            message = "message"
            list = "data.list"
            total = "data.total"
            codes = {{ temporary = [5000], refused = [2001], clock = ["E-TIME"] }}
            [[streams]]
            name = "orders"
            path = "/orders"
            key = ["id"]
            number = "no"
            version = {{ field = "modified", form = "date-time" }}
            paging = {{ kind = "page-number", parameter = "page", size_parameter = "size", end = "short-page" }}
            window = {{ axis = "modified", start = "from", end = "until", zone = "Asia/Shanghai", longest_hours = 24 }}
            proof = "backwards"
            [[streams]]
            name = "items"
            path = "/items/query"
            verb = "post"
            body = {{ "filter.kind" = "all" }}
            key = ["id"]
            paging = {{ kind = "page-number", parameter = "page", size_parameter = "size" }}
            [[streams]]
            name = "stock"
            path = "/items/{{item}}/stock"
            key = ["id"]
            partition = {{ stream = "items", path = "no", parameter = "item" }}
            "#
        )
    };
    FixtureVendor::new(page)
        .settings(settings)
        .secret(SECRET)
        .page_parameter("page", "1")
        .answers(Failure::TemporaryCode, |_| Reply::json(include_str!("fixtures/code-in-200-busy.json")))
        // Vendors like to repeat what they were sent.
        .answers(Failure::Refused, |_| Reply::json(format!("{{\"code\":2001,\"message\":\"not with {SECRET}\"}}")))
        .answers(Failure::UnknownCode, |_| Reply::json("{\"code\":9999,\"message\":\"?\"}"))
        .answers(Failure::ClockSkew, |_| Reply::json("{\"code\":\"E-TIME\",\"message\":\"too old\"}"))
        .start()
        .await
}

#[tokio::test]
async fn page_numbers_with_a_bearer_token() {
    conformance::check("http", numbers, &[]).await;
}

/// Cursors, OAuth 2 client credentials, success by the HTTP status alone.
async fn cursors() -> FixtureVendor {
    let page = |request: &Request, n: u64| {
        let (from, size) = (request.number("after").unwrap_or(0), request.number("limit").unwrap_or(100));
        let until = (from + size).min(n);
        let next = if until < n { format!("\"{until}\"") } else { "null".to_owned() };
        Reply::json(format!(r#"{{"items":[{}],"total":{n},"paging":{{"next":{next}}}}}"#, rows((from + 1)..=until)))
    };
    let settings = |url: &str| {
        format!(
            r#"
            base_url = "{url}"
            [auth.oauth2]
            token_path = "/oauth/token"
            client_id = "me"
            client_secret = "{SECRET}"
            scope = "read"
            [answer]
            list = "items"
            total = "total"
            message = "why"
            [answer.statuses]
            token = [401]
            temporary = [503]
            refused = [422]
            [[streams]]
            name = "orders"
            path = "/orders"
            key = ["id"]
            paging = {{ kind = "cursor", parameter = "after", size_parameter = "limit", next = "paging.next" }}
            "#
        )
    };
    let grant = |request: &Request, n: u64| {
        let is_asked =
            request.path == "/oauth/token" && request.param("grant_type").as_deref() == Some("client_credentials");
        let knows = request.param("client_secret").as_deref() == Some(SECRET);
        (is_asked && knows).then(|| {
            Reply::json(format!(r#"{{"access_token":"secret-token-{n}","token_type":"bearer","expires_in":86400}}"#))
        })
    };
    let shows = |request: &Request, n: u64| {
        request.header("authorization") == Some(format!("Bearer secret-token-{n}").as_str())
    };
    let json = |status, body: &str| Reply::new(status, "application/json", body);
    FixtureVendor::new(page)
        .settings(settings)
        .secret(SECRET)
        .secret("secret-token-1")
        .secret("secret-token-2")
        .page_parameter("after", "0")
        .token(grant, shows)
        .answers(Failure::TokenRefused, move |request: &Request| {
            let token = request.header("authorization").unwrap_or("no token").to_owned();
            json(401, &format!(r#"{{"why":"{token} is old"}}"#))
        })
        .answers(Failure::TemporaryCode, move |_| json(503, "{}"))
        .answers(Failure::Refused, move |_| json(422, r#"{"why":"no"}"#))
        .answers(Failure::UnknownCode, move |_| json(418, "{}"))
        .start()
        .await
}

#[tokio::test]
async fn cursors_with_oauth2() {
    let waivers = [Waiver::new("clock-skew", "*", "calls carry no time, so the vendor cannot mind the clock")];
    conformance::check("http", cursors, &waivers).await;
}

/// Offsets in a form, every call signed with MD5 over the sorted parameters between the secret.
async fn offsets() -> FixtureVendor {
    let page = |request: &Request, n: u64| {
        let fields: Vec<(String, String)> = form(&request.body);
        let given = fields.iter().find(|(name, _)| name == "sign").map(|(_, value)| value.clone());
        assert_eq!(given.as_deref(), Some(sign(&fields).as_str()), "signed over what is sent");
        let (skip, size) = (request.number("skip").unwrap(), request.number("take").unwrap());
        let until = (skip + size).min(n);
        let more = until < n;
        Reply::json(format!(r#"{{"errcode":0,"more":{more},"rows":[{}]}}"#, rows((skip.min(n) + 1)..=until)))
    };
    let settings = |url: &str| {
        format!(
            r#"
            base_url = "{url}"
            [sign]
            secret = "{SECRET}"
            digest = "md5"
            text = "{{secret}}{{params}}{{secret}}"
            encoding = "hex-upper"
            put = {{ body = "sign" }}
            timestamp = {{ body = "timestamp" }}
            [answer]
            success = "errcode"
            success_values = [0]
            success_may_be_missing = true
            message = "errmsg"
            list = "rows"
            has_next = "more"
            codes = {{ temporary = [-1], refused = [40001], clock = [40014] }}
            [[streams]]
            name = "orders"
            path = "/orders"
            verb = "post"
            send = "form"
            body = {{ app = "me" }}
            key = ["id"]
            list_may_be_missing = true
            paging = {{ kind = "offset", parameter = "skip", size_parameter = "take", end = "has-next" }}
            page_size = {{ min = 1, usual = 50, max = 50 }}
            "#
        )
    };
    let wrong = |code: i32| move |_: &Request| Reply::json(format!(r#"{{"errcode":{code},"errmsg":"{SECRET}"}}"#));
    FixtureVendor::new(page)
        .settings(settings)
        .secret(SECRET)
        .answers(Failure::TemporaryCode, wrong(-1))
        .answers(Failure::Refused, wrong(40001))
        .answers(Failure::UnknownCode, wrong(77))
        .answers(Failure::ClockSkew, wrong(40014))
        .start()
        .await
}

fn form(body: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

/// The vendor's own way to sign, written for the test alone.
fn sign(fields: &[(String, String)]) -> String {
    use md5::Digest as _;
    let mut named: Vec<String> =
        fields.iter().filter(|(name, _)| name != "sign").map(|(name, value)| format!("{name}{value}")).collect();
    named.sort();
    let digest = md5::Md5::digest(format!("{SECRET}{}{SECRET}", named.concat()));
    milkrun_core::sign::upper_hex(&digest)
}

#[tokio::test]
async fn offsets_with_a_signature() {
    let waivers =
        [Waiver::new("page-ignored", "*", "a vendor that signs refuses a parameter that was changed on the way")];
    conformance::check("http", offsets, &waivers).await;
}
