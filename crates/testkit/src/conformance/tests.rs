//! The suite itself: a connector without a flaw passes, and each flaw is found by the case that is about it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::page::{End, Paging};
use milkrun_core::stream::{Proof, WindowSpec};
use milkrun_core::token::{Token, TokenPolicy, TokenSource};
use milkrun_core::transport::{Answer, Call, Protocol, Wire};
use milkrun_core::{
    Account, Context, Error, ErrorKind, Opening, Page, PageRequest, Position, Quota, QuotaSpec, Result, Rows, Secret,
    Source, StreamSpec, inventory,
};
use serde_json::{Value, json};

use super::*;
use crate::http::{Reply, Request};

const SECRET: &str = "hush-hush";

/// A connector whose settings name the flaw that it has.
#[derive(Debug)]
struct Mock {
    url: String,
    secret: Secret,
    flaw: String,
    streams: Vec<StreamSpec>,
    /// For the flaw `shown`.
    #[expect(dead_code, reason = "only its `Debug` is looked at")]
    shown: String,
}

inventory::submit! {
    ConnectorSpec {
        name: "mock",
        title: ("Mock", "模拟"),
        about: "",
        about_zh: "",
        schema: || schemars_of_mock().try_into().expect("it is a schema"),
        zh: "",
        streams: || vec![stream("orders"), stream("items")],
        targets: Vec::new,
        quota: || QuotaSpec::account(Quota::per_second(5)),
        example: "",
        sign: None,
        open: |opening| open(&opening),
    }
}

fn schemars_of_mock() -> Value {
    let text = json!({ "type": "string" });
    json!({ "type": "object", "properties": { "url": text, "secret": text, "flaw": text }, "required": ["url", "secret", "flaw"] })
}

fn stream(name: &str) -> StreamSpec {
    let windowed = name == "orders";
    StreamSpec {
        name: name.to_owned(),
        window: windowed.then(|| WindowSpec::beijing("modified")),
        proof: if windowed { Proof::Backwards { assumes: "none enters".into() } } else { Proof::ReadTwice },
        paging: Paging::PageNumber { parameter: "page".into(), first: 1, end: End::ShortPage },
        ..crate::sample_stream()
    }
}

fn open(opening: &Opening) -> Result<Account> {
    let text = |name: &'static str| {
        let value = opening.settings.get(name).and_then(toml::Value::as_str).map(ToOwned::to_owned);
        value.ok_or_else(|| Error::config("a setting is missing").with("setting", name))
    };
    let flaw = text("flaw")?;
    if flaw != "lenient"
        && let Some(other) = opening.settings.keys().find(|name| !["url", "secret", "flaw"].contains(&name.as_str()))
    {
        return Err(Error::config("there is no such setting").with("setting", other));
    }
    let secret = match text("secret") {
        Err(_) if flaw == "optional" => String::new(),
        secret => secret?,
    };
    let streams = vec![stream("orders"), stream("items")];
    let shown = if flaw == "shown" { secret.clone() } else { String::new() };
    let mock = Arc::new(Mock { url: text("url")?, secret: Secret::new(secret), flaw, streams, shown });
    let quota = QuotaSpec::account(Quota::per_second(5));
    let tokens = Some(Arc::clone(&mock) as Arc<dyn TokenSource>);
    Ok(Account { source: Some(Arc::<Mock>::clone(&mock)), protocol: Some(mock), tokens, ..Account::new(quota) })
}

impl Mock {
    fn has(&self, flaw: &str) -> bool {
        self.flaw == flaw
    }
}

impl Protocol for Mock {
    fn sign(&self, call: &Call, token: Option<&Token>, _: Timestamp) -> Result<Wire> {
        let mut wire = Wire::plain(call);
        wire.headers.push(("x-key".to_owned(), self.secret.expose().to_owned()));
        if let Some(token) = token {
            wire.headers.push(("x-token".to_owned(), token.access.expose().to_owned()));
        }
        Ok(wire)
    }

    fn classify(&self, _: &Call, answer: &Answer) -> Result<()> {
        if self.has("ignores-throttling") && answer.status == 429 {
            return Err(Error::new(ErrorKind::QuotaExceeded, "slower").retry_after(Duration::from_millis(1)));
        }
        answer.http_ok()?;
        let Ok(json) = serde_json::from_str::<Value>(
            answer.json().or_else(|e| if self.has("empty") { Ok("{\"code\":0}") } else { Err(e) })?,
        ) else {
            return Err(Error::malformed("no JSON"));
        };
        let error = |kind| Err(Error::new(kind, "the vendor reports an error"));
        match json["code"].as_u64() {
            Some(0) => Ok(()),
            Some(1) => error(ErrorKind::TokenExpired),
            Some(2) => error(ErrorKind::Unavailable),
            Some(3) if self.has("repeats") => error(ErrorKind::Unavailable),
            Some(3) if self.has("echoes") => Err(Error::new(ErrorKind::Refused, json["message"].to_string())),
            Some(3) => error(ErrorKind::Refused),
            Some(4) => Err(Error::config("refused").advise("set the machine's clock")),
            _ if self.has("takes-codes") => Ok(()),
            _ => error(ErrorKind::Unexpected),
        }
    }
}

#[async_trait]
impl TokenSource for Mock {
    fn policy(&self) -> TokenPolicy {
        TokenPolicy { before_end: Duration::ZERO, longest_age: None, shortest_age: Duration::ZERO }
    }

    async fn grant(&self, cx: &Context) -> Result<Token> {
        let call = Call::form("token", &format!("{}/token", self.url), Vec::new()).without_token();
        let answer = cx.call(call).await?;
        let json: Value = serde_json::from_str(&answer.body).map_err(|_| Error::malformed("no JSON"))?;
        Ok(Token::new(Secret::new(json["token"].as_str().unwrap_or_default()), cx.now()))
    }

    async fn renew(&self, cx: &Context, _: &Token) -> Result<Token> {
        if self.has("renews-twice") {
            self.grant(cx).await?;
        }
        self.grant(cx).await
    }
}

#[async_trait]
impl Source for Mock {
    fn streams(&self) -> &[StreamSpec] {
        &self.streams
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        if self.has("checks-nothing") {
            return Ok(());
        }
        cx.call(Call::form("check", &format!("{}/orders", self.url), Vec::new())).await.map(drop)
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let number = match ask.at {
            Position::Page(number) => *number,
            _ if self.has("any-position") => 1,
            at => return Err(Error::new(ErrorKind::State, "another kind of paging").with("at", at)),
        };
        let fields = vec![("page".to_owned(), number.to_string()), ("size".to_owned(), ask.size.to_string())];
        let call = Call::form(&ask.stream.name, &format!("{}/{}", self.url, ask.stream.name), fields);
        let call = if self.has("repeats-nothing") { call.not_idempotent() } else { call };
        let answer = cx.call(call).await?;
        let body = if self.has("empty") && answer.body.is_empty() { Arc::new("{}".to_owned()) } else { answer.body };
        let json: Value = serde_json::from_str(&body).unwrap_or_default();
        let list = json["list"].as_array().cloned().unwrap_or_default();
        let mut list: Vec<String> = list.iter().map(ToString::to_string).collect();
        if self.has("drops") && list.len() > 1 {
            list.pop();
        }
        let text = Arc::new(format!("[{}]", list.join(",")));
        let rows: Rows<'_> = serde_json::from_str(&text).map_err(|_| Error::malformed("no rows"))?;
        let mut records = rows.into_records(&text);
        if self.has("keyless") {
            for record in &mut records {
                *record = milkrun_core::Record::parse(r#"{"name":"x"}"#)?;
            }
        }
        let total = json["total"].as_u64().or_else(|| self.has("invents-totals").then_some(99));
        Ok(Page { records, total, body: text, ..Page::default() })
    }
}

fn page(request: &Request, n: u64) -> Reply {
    let rows = rows_of_page(n, request.number("page").unwrap_or(1), request.number("size").unwrap_or(100));
    let rows: Vec<_> = rows.map(|id| json!({ "id": id, "modified": 1_785_513_600_000_u64 })).collect();
    Reply::json(json!({ "code": 0, "total": n, "list": rows }).to_string())
}

async fn report(flaw: &'static str, cases: &[Case]) -> Report {
    let start = async || {
        FixtureVendor::new(page)
            .settings(move |url| format!("url = '{url}'\nsecret = '{SECRET}'\nflaw = '{flaw}'"))
            .secret(SECRET)
            .secret("token-number")
            .page_parameter("page", "1")
            .token(
                |request, n| {
                    (request.path == "/token")
                        .then(|| Reply::json(format!("{{\"code\":0,\"token\":\"token-number-{n}\"}}")))
                },
                |request, n| request.header("x-token") == Some(&format!("token-number-{n}")),
            )
            .answers(Failure::TokenRefused, |_| Reply::json("{\"code\":1}"))
            .answers(Failure::TemporaryCode, |_| Reply::json("{\"code\":2}"))
            .answers(Failure::Refused, |_| Reply::json(format!("{{\"code\":3,\"message\":\"not with {SECRET}\"}}")))
            .answers(Failure::ClockSkew, |_| Reply::json("{\"code\":4}"))
            .answers(Failure::UnknownCode, |_| Reply::json("{\"code\":9999}"))
            .start()
            .await
    };
    run_cases("mock", start, &[], cases).await
}

#[tokio::test]
async fn without_a_flaw_all_passes() {
    let report = report("none", &Case::ALL).await;
    assert_eq!(report.failures(), "");
    let n_cases = Case::ALL.iter().map(|case| if case.is_of_stream() { 2 } else { 1 }).sum::<usize>();
    // Items give no totals that a proof needs, but they do give totals.
    assert_eq!(report.n(Mark::Passed), n_cases);
}

#[tokio::test]
async fn every_flaw_is_found() {
    let flaws = [
        ("lenient", "unknown-settings"),
        ("optional", "required-settings"),
        ("shown", "secrets"),
        ("echoes", "refused"),
        ("checks-nothing", "check"),
        ("drops", "several-records"),
        ("drops", "full-page-and-one"),
        ("keyless", "one-record"),
        ("any-position", "foreign-position"),
        ("empty", "empty-body"),
        ("repeats", "refused"),
        ("repeats-nothing", "reset"),
        ("repeats-nothing", "slow"),
        ("takes-codes", "unknown-code"),
        ("invents-totals", "total-missing"),
        ("ignores-throttling", "throttled"),
        ("renews-twice", "one-renewal"),
        ("renews-twice", "token-refused"),
    ];
    for (flaw, name) in flaws {
        let case = Case::ALL.into_iter().find(|case| case.name() == name).unwrap();
        let report = report(flaw, &[case]).await;
        let passed: Vec<_> = report.outcomes.iter().filter(|outcome| outcome.mark != Mark::Failed).collect();
        assert!(passed.is_empty(), "`{flaw}` is not found by `{name}`: {passed:?}");
    }
}

#[tokio::test]
async fn waivers_need_a_reason_that_holds() {
    let bare = async || {
        FixtureVendor::new(page)
            .settings(|url| format!("url = '{url}'\nsecret = '{SECRET}'\nflaw = 'none'"))
            .start()
            .await
    };
    let waivers = [
        Waiver::new("clock-skew", "orders", "it is about orders"),
        Waiver::new("html", "items", "a stale one"),
        Waiver::new("htlm", "*", "a misspelt one"),
    ];
    let report = run("mock", bare, &waivers).await;
    let failures = report.failures();
    let lines = [
        "html[items]: stale waiver: it passes, in spite of “a stale one”",
        "clock-skew[items]: the vendor cannot play ClockSkew: teach it, or waive the case with a reason",
        "stale waiver: no case is `htlm` [\"*\"]",
    ];
    for line in lines {
        assert!(failures.contains(line), "{failures}");
    }
    assert!(!failures.contains("clock-skew[orders]"), "{failures}");
    assert_eq!(report.n(Mark::Waived), 1);
}
