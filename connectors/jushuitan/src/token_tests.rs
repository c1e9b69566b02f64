//! Tests of tokens.

use std::collections::BTreeMap;

use milkrun_core::{Key, Position, Slice};
use milkrun_testkit::conformance::{Opened, Scene};

use super::*;
use crate::fixture::{Asked, Desk, NOW};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../tests/fixtures/", $name, ".json"))
    };
}

const GRANTED: &str = fixture!("token-grant");
const THIRD: &str = "app = 'third-party'\n";
const GIVEN: &str = "access_token = 'given-access'\nrefresh_token = 'given-refresh'\n";

/// Token methods and their answers.
type Tokens = &'static [(&'static str, &'static str)];

/// What a vendor answers whose live token is `live`, and whose token methods answer so.
fn vendor(live: &'static str, tokens: Tokens) -> impl Fn(&Asked) -> String {
    move |asked| {
        if let Some((_, body)) = tokens.iter().find(|(method, _)| *method == asked.method) {
            return (*body).to_owned();
        }
        let token = asked.params.get("access_token").or(asked.params.get("token")).map(String::as_str);
        match token {
            Some(token) if token == live => r#"{"code":0,"issuccess":true,"data":{"shops":[]},"shops":[]}"#.to_owned(),
            Some(_) => fixture!("access-token-dead").to_owned(),
            None => panic!("no answer to {asked:?}"),
        }
    }
}

async fn check(opened: &Opened) -> Result<()> {
    opened.source().check(&opened.cx).await
}

fn params(asked: &Asked) -> String {
    let leave_out = ["sign", "app_key", "charset", "timestamp"];
    let params = asked.params.iter().filter(|(name, _)| !leave_out.contains(&name.as_str()));
    let params: Vec<_> = params.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} {}", asked.method, params.join(" "))
}

#[tokio::test]
async fn a_merchants_own_app_has_its_first_token_by_a_call() {
    let desk = Desk::start("", vendor("fresh-access", &[(INIT, GRANTED)])).await;
    let opened = desk.open();
    check(&opened).await.unwrap();
    check(&opened).await.unwrap();
    assert_eq!(desk.methods(), [INIT, "/open/shops/query", "/open/shops/query"]);
    let first = &desk.asked()[0];
    let code = &first.params["code"];
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_alphanumeric()), "{code}");
    assert_eq!(first.params["grant_type"], "authorization_code");
    let names: Vec<_> = first.params.keys().map(String::as_str).collect();
    assert_eq!(names, ["app_key", "charset", "code", "grant_type", "sign", "timestamp"]);
}

#[tokio::test]
async fn a_token_is_renewed_on_its_last_day() {
    let renewed = r#"{"code":0,"data":{"access_token":"second","refresh_token":"second-refresh","expires_in":864000}}"#;
    let tokens: &'static [_] = Box::leak(Box::new([(INIT, GRANTED), (REFRESH, renewed)]));
    let desk = Desk::start("", move |asked| {
        let live = if asked.params.get("access_token").is_some_and(|token| token == "second") {
            "second"
        } else {
            "fresh-access"
        };
        vendor(live, tokens)(asked)
    })
    .await;
    let opened = desk.open();
    check(&opened).await.unwrap();
    desk.advance(Duration::from_hours(28 * 24));
    check(&opened).await.unwrap();
    desk.advance(Duration::from_hours(30));
    check(&opened).await.unwrap();
    let shops = "/open/shops/query";
    assert_eq!(desk.methods(), [INIT, shops, shops, REFRESH, shops]);
    assert_eq!(
        params(&desk.asked()[3]),
        format!("{REFRESH} grant_type=refresh_token refresh_token=fresh-refresh scope=all")
    );
    assert_eq!(desk.asked()[4].params["access_token"], "second");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let settings = format!("{THIRD}{GIVEN}");
    let desk = Desk::start(&settings, vendor("fresh-access", &[(REFRESH, GRANTED)])).await;
    check(&desk.open()).await.unwrap();
    assert_eq!(desk.methods(), ["/open/shops/query", REFRESH, "/open/shops/query"]);
    let desk = Desk::start(&settings, vendor("another", &[(REFRESH, GRANTED)])).await;
    assert_eq!(check(&desk.open()).await.unwrap_err().kind(), ErrorKind::TokenExpired);
    assert_eq!(desk.methods(), ["/open/shops/query", REFRESH, "/open/shops/query"]);
}

#[tokio::test]
async fn what_does_not_come_back_stays_as_it_was() {
    let config = toml::from_str(&format!("app_key = 'a1'\napp_secret = 'hush-hush'\n{GIVEN}")).unwrap();
    let client = Client::new(config);
    let now: Timestamp = NOW.parse().unwrap();
    let old = client.with_grant(Token {
        refresh: Some(Secret::new("given-refresh")),
        ..Token::new(Secret::new("given-access"), now)
    });
    let granted = |body: &str, old| {
        let answer = Answer { status: 200, retry_after: None, body: std::sync::Arc::new(body.to_owned()) };
        client.granted(&answer, old, now)
    };
    let shown = |token: &Token| {
        let refresh = token.refresh.as_ref().map(Secret::expose);
        (token.access.expose().to_owned(), refresh.map(str::to_owned), token.expires_at.map(|end| end.to_string()))
    };
    let kept = granted(fixture!("refresh-keeps-the-access-token"), Some(&old)).unwrap();
    let (access, refresh, end) = shown(&kept);
    assert_eq!((access.as_str(), refresh.as_deref()), ("given-access", Some("fresh-refresh")));
    assert_eq!(end.as_deref(), Some("2025-01-11T00:00:00Z"));
    let only_access = r#"{"code":0,"data":{"access_token":"new","refresh_token":"","expires_in":"never"}}"#;
    let (access, refresh, end) = shown(&granted(only_access, Some(&old)).unwrap());
    assert_eq!((access.as_str(), refresh.as_deref(), end), ("new", Some("given-refresh"), None));
    for none in
        [r#"{"code":0,"data":{}}"#, r#"{"code":0,"data":null}"#, r#"{"code":0,"data":{"access_token":""}}"#, "<html>"]
    {
        assert_eq!(granted(none, Some(&old)).unwrap_err().kind(), ErrorKind::OutcomeUnknown, "{none}");
    }
    assert!(granted(fixture!("refresh-keeps-the-access-token"), None).is_err());
}

#[tokio::test]
async fn failed_renewals_say_what_to_do() {
    let third = format!("{THIRD}{GIVEN}");
    let cases: [(&str, &str, Tokens); 10] = [
        ("third party, dead", &third, &[(REFRESH, fixture!("refresh-token-dead"))]),
        ("third party, provider", &third, &[(REFRESH, fixture!("refresh-forbidden-for-providers"))]),
        ("third party, internal error", &third, &[(REFRESH, r#"{"code":150,"msg":"系统内部错误"}"#)]),
        ("third party, unreadable", &third, &[(REFRESH, "<html></html>")]),
        ("third party, no token in it", &third, &[(REFRESH, r#"{"code":0,"data":{"expires_in":1}}"#)]),
        (
            "third party, refused with secrets",
            &third,
            &[(REFRESH, r#"{"code":777,"msg":"given-refresh given-access"}"#)],
        ),
        ("third party, nothing to renew with", "app = 'third-party'\naccess_token = 'given-access'", &[]),
        ("third party, nothing granted", THIRD, &[]),
        ("own, all dead", GIVEN, &[(REFRESH, fixture!("refresh-token-dead")), (INIT, r#"{"code":100,"msg":"无效"}"#)]),
        ("old", "api = 'old'\naccess_token = 'given-access'", &[(OLD_REFRESH, fixture!("access-token-dead"))]),
    ];
    let mut lines = Vec::new();
    for (name, settings, tokens) in cases {
        let desk = Desk::start(settings, vendor("nothing", tokens)).await;
        let error = check(&desk.open()).await.unwrap_err();
        lines.push(format!("{name}: {error:?} [{}]", error.help().unwrap_or("-")));
    }
    let text = lines.join("\n");
    assert!(!text.contains("given-") && !text.contains("hush"), "{text}");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn an_own_app_asks_for_a_new_token_where_the_old_one_cannot_be_renewed() {
    for refresh in [
        fixture!("refresh-token-dead"),
        fixture!("refresh-forbidden-for-providers"),
        r#"{"code":777,"msg":"?"}"#,
        fixture!("access-token-dead"),
    ] {
        let tokens: &'static [_] = Box::leak(Box::new([(REFRESH, refresh), (INIT, GRANTED)]));
        let desk = Desk::start(GIVEN, vendor("fresh-access", tokens)).await;
        check(&desk.open()).await.unwrap();
        assert_eq!(desk.methods(), ["/open/shops/query", REFRESH, INIT, "/open/shops/query"]);
    }
    // A refresh token is not tried in the last twelve hours.
    let settings = format!("{GIVEN}token_expires = '2025-01-01'");
    let desk = Desk::start(&settings, vendor("fresh-access", &[(INIT, GRANTED)])).await;
    check(&desk.open()).await.unwrap();
    assert_eq!(desk.methods(), ["/open/shops/query", INIT, "/open/shops/query"]);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_yet_serves_on_and_is_tried_once_an_hour() {
    let settings = format!("{THIRD}{GIVEN}token_expires = '2025-01-02'");
    let desk =
        Desk::start(&settings, vendor("given-access", &[(REFRESH, fixture!("refresh-forbidden-for-providers"))])).await;
    let opened = desk.open();
    // The token was just had; the vault leaves it alone for ten minutes.
    for minutes in [0, 11, 30, 31] {
        desk.advance(Duration::from_mins(minutes));
        check(&opened).await.unwrap();
    }
    let n_renewals = desk.methods().iter().filter(|method| *method == REFRESH).count();
    assert_eq!(n_renewals, 2);
}

#[tokio::test]
async fn a_changed_setting_takes_the_place_of_the_old_grant() {
    let client = |access: &str| {
        let text = format!("app_key = 'a1'\napp_secret = 'hush-hush'\naccess_token = '{access}'");
        Client::new(toml::from_str(&text).unwrap())
    };
    let desk = Desk::with_token(|_| panic!("no call is needed")).await;
    let cx = desk.open().cx;
    let token = client("given-access").grant(&cx).await.unwrap();
    assert_eq!(client("granted-anew").renew(&cx, &token).await.unwrap().access.expose(), "granted-anew");
    assert!(!format!("{token:?}").contains("given-access"));
}

#[tokio::test]
async fn the_old_token_keeps_its_text_and_lives_longer() {
    let settings = "api = 'old'\naccess_token = 'given-access'\ntoken_expires = '2025-01-20'";
    let good = r#"{"code":0,"issuccess":true,"msg":""}"#;
    let tokens: &'static [_] = Box::leak(Box::new([(OLD_REFRESH, good)]));
    let desk = Desk::start(settings, vendor("given-access", tokens)).await;
    let opened = desk.open();
    // Not due; due in the last week; renewed; not due for a year less a week; due again.
    for days in [0, 14, 1, 340, 20] {
        desk.advance(days * Duration::from_hours(24));
        check(&opened).await.unwrap();
    }
    let shops = "shops.query";
    assert_eq!(desk.methods(), [shops, OLD_REFRESH, shops, shops, shops, OLD_REFRESH, shops]);
    let renewal = &desk.asked()[1];
    assert_eq!((renewal.biz.as_str(), renewal.params["token"].as_str()), ("{}", "given-access"));
}

#[tokio::test]
async fn a_person_grants_access_in_a_browser() {
    let desk = Desk::start(THIRD, vendor("fresh-access", &[(ACCESS, GRANTED)])).await;
    let opened = desk.open();
    let login = opened.account.login.as_ref().unwrap();
    let link = login.link("2025-01-01T00:00:00.9Z".parse().unwrap()).unwrap();
    let (address, query) = link.split_once('?').unwrap();
    assert_eq!(address, "https://openweb.jushuitan.com/auth");
    let mut sent: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let given = sent.remove("sign").unwrap();
    let pairs: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("app_key", "a1"), ("charset", "utf-8"), ("timestamp", "1735689600")]);
    assert_eq!(crate::sign::sign(&Secret::new("hush-hush"), pairs).sign, given);
    assert!(!link.contains("hush"));

    let vault = opened.cx.transport().unwrap().vault().unwrap();
    let code = Secret::new("code-from-the-browser");
    vault.replace(login.redeem(&opened.cx, &code)).await.unwrap();
    check(&opened).await.unwrap();
    assert_eq!(desk.methods(), [ACCESS, "/open/shops/query"]);
    assert_eq!(params(&desk.asked()[0]), format!("{ACCESS} code=code-from-the-browser grant_type=authorization_code"));

    let refuses = Desk::start(THIRD, |_| r#"{"code":130,"msg":"code code-from-the-browser无效"}"#.to_owned()).await;
    let opened = refuses.open();
    let error = opened.account.login.as_ref().unwrap().redeem(&opened.cx, &code).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::TokenDead, "code ***无效"));
    assert!(error.help().unwrap().contains("milkrun login"));

    let own = Desk::start("", |_| unreachable!()).await.open();
    let error = own.account.login.as_ref().unwrap().link(NOW.parse().unwrap()).unwrap_err();
    assert!(error.kind() == ErrorKind::ConfigInvalid && error.message().contains("`app`"));
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_loses_no_page() {
    let desk = Desk::start(GIVEN, |asked| match (asked.method.as_str(), asked.params.get("access_token")) {
        (REFRESH, _) => GRANTED.to_owned(),
        (_, Some(token)) if token == "fresh-access" => fixture!("skus").to_owned(),
        _ => fixture!("access-token-dead").to_owned(),
    })
    .await;
    let opened = desk.open();
    let stream = opened.source().streams().iter().find(|stream| stream.name == "skus").unwrap();
    let scene = Scene { slice: Slice::default(), size: 50, n_records: 1 };
    let page = opened.page(stream, &scene, &Position::Page(1)).await.unwrap();
    assert_eq!(Key::read(&page.records[0], &stream.key), Some(Key::of("A001-红-L")));
}
