//! Tokens of every kind, from vendors that are played.

use milkrun_core::transport::Answer;
use milkrun_testkit::http::{Reply, Request};

use super::*;
use crate::fixture::Stage;

const REFRESHED: &str = include_str!("../../tests/fixtures/token-envelope-a.json");
const NUMBERS_AS_TEXT: &str = include_str!("../../tests/fixtures/token-numbers-as-text.json");
const GENERATED: &str = include_str!("../../tests/fixtures/token-envelope-b.json");
const EXPIRED: &str = include_str!("../../tests/fixtures/error-token-expired.json");
const USED: &str = include_str!("../../tests/fixtures/error-refresh-token-used.json");
const RENEWABLE: &str = "refresh_token = 'old-refresh'";

/// What a vendor answers whose live token is `live`, and whose token service answers so.
fn vendor(live: &'static str, service: impl Fn(&Request) -> &'static str + Send + Sync) -> impl Fn(&Request) -> Reply {
    move |request| {
        if !request.path.starts_with("/tplus/") || request.path.contains("collaborationapp") {
            return Reply::json(service(request));
        }
        match request.header("opentoken") {
            Some(token) if token == live => Reply::json("[]"),
            _ => Reply::new(401, "application/json", EXPIRED),
        }
    }
}

async fn call(stage: &Stage) -> Result<Answer> {
    let client = Client::new(crate::fixture::config(stage.server.url(), "")).unwrap();
    stage.cx.call(client.call("warehouse/Query", "{}".to_owned())).await
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_both_new_ones_are_kept() {
    let more = format!("{RENEWABLE}\naccess_token = 'old-access'");
    let stage = Stage::start(&more, vendor("new.access-token", |_| REFRESHED)).await;
    call(&stage).await.unwrap();
    assert_eq!(stage.paths(), ["/warehouse/Query", "/auth/v2/refreshToken", "/warehouse/Query"]);
    let asked = &stage.server.requests()[1];
    assert_eq!((asked.method.as_str(), asked.header("appkey")), ("GET", Some("ptPrU0YV")));
    assert_eq!(asked.param("grantType").as_deref(), Some("refresh_token"));
    assert_eq!(asked.param("refreshToken").as_deref(), Some("old-refresh"));
    assert_eq!(asked.header("opentoken"), None);
    let token = stage.store.token().unwrap();
    assert_eq!(token.refresh, Some(Secret::new("new-refresh")));
    assert_eq!(token.expires_at.unwrap().duration_since(token.obtained_at).as_secs(), 518_400);
    // The next renewal is for the new one, whatever the settings say.
    let error = stage.account.tokens.as_ref().unwrap().renew(&stage.cx, &token).await.map(|token| token.access);
    assert_eq!(error.unwrap(), Secret::new("new.access-token"));
    assert_eq!(stage.server.requests()[3].param("refreshToken").as_deref(), Some("new-refresh"));
}

#[tokio::test]
async fn the_first_token_comes_from_the_settings_or_a_renewal() {
    for (more, paths) in [
        ("access_token = 'live'", vec!["/warehouse/Query"]),
        (RENEWABLE, vec!["/auth/v2/refreshToken", "/warehouse/Query"]),
    ] {
        let live = if more == RENEWABLE { "new.access-token" } else { "live" };
        let stage = Stage::start(more, vendor(live, |_| NUMBERS_AS_TEXT)).await;
        call(&stage).await.unwrap();
        assert_eq!(stage.paths(), paths);
    }
}

#[tokio::test]
async fn failed_renewals_say_what_to_do() {
    let cases = [
        ("never authorised", "", ""),
        ("no refresh token", "access_token = 'old'", ""),
        ("used up", RENEWABLE, USED),
        ("refused", RENEWABLE, r#"{"code":"4003","message":"refreshToken old-refresh","result":null}"#),
        ("expired", RENEWABLE, r#"{"code":"500","message":"refresh token 已过期","result":null}"#),
        ("unreadable", RENEWABLE, "<html></html>"),
        ("no token in it", RENEWABLE, r#"{"code":"200","result":{"refresh_token":"leaked"}}"#),
        ("another organisation", "refresh_token = 'old-refresh'\norg_id = '7'", REFRESHED),
    ];
    let mut lines = Vec::new();
    for (name, more, answer) in cases {
        let stage = Stage::start(more, vendor("nothing", move |_| answer)).await;
        let error = call(&stage).await.unwrap_err();
        let text = format!("{name}: {error:?} [{}]", error.help().unwrap_or("-"));
        for secret in ["old-refresh", "leaked", "new-refresh", "hush"] {
            assert!(!text.contains(secret), "{text}");
        }
        lines.push(text);
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn a_login_is_a_link_and_a_code() {
    let more = "redirect_uri = 'https://erp.example.com/cb?x=1'";
    let stage = Stage::start(more, vendor("new.access-token", |_| REFRESHED)).await;
    let login = stage.account.login.as_ref().unwrap();
    let link = login.link("2026-08-01T00:00:00Z".parse().unwrap()).unwrap();
    insta::assert_snapshot!(link);
    let token = login.redeem(&stage.cx, &Secret::new("code-1\n")).await.unwrap();
    assert_eq!((token.access.expose(), token.refresh.unwrap().expose()), ("new.access-token", "new-refresh"));
    let asked = &stage.server.requests()[0];
    assert_eq!(asked.path, "/auth/v2/getToken");
    let params = ["grantType", "code", "redirectUri"].map(|name| asked.param(name).unwrap());
    assert_eq!(params, ["authorization_code", "code-1", "https://erp.example.com/cb?x=1"]);

    let stage = Stage::start(more, |_| Reply::json(USED)).await;
    let error = stage.account.login.as_ref().unwrap().redeem(&stage.cx, &Secret::new("code-1")).await.unwrap_err();
    assert_eq!((error.kind(), stage.server.n_requests()), (ErrorKind::TokenDead, 1));
    let stage = Stage::start("", |_| Reply::json("null")).await;
    let error = stage.account.login.as_ref().unwrap().link("2026-08-01T00:00:00Z".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("`redirect_uri`"), "{error}");
}

fn store_service(request: &Request) -> &'static str {
    match request.path.as_str() {
        "/auth/appAuth/getAppAccessToken" => r#"{"code":"200","result":{"appAccessToken":"app","expireTime":7200}}"#,
        "/auth/orgAuth/getPermanentAuthCode" => {
            r#"{"code":"200","result":{"permanentAuthCode":"permanent","orgId":"90016488977","appName":"T+"}}"#
        }
        "/auth/orgAuth/getOrgAccessToken" => r#"{"code":"200","result":{"orgAccessToken":"org","orgId":"9"}}"#,
        "/auth/token/getTokenByPermanentCode" => REFRESHED,
        _ => r#"{"code":"200","result":null}"#,
    }
}

#[tokio::test]
async fn a_store_application_needs_a_ticket_and_two_codes() {
    let stage = Stage::start("grant = 'store-app'", vendor("new.access-token", store_service)).await;
    let missing = async |what: &str| {
        let error = call(&stage).await.unwrap_err();
        let text = format!("{error} [{}]", error.help().unwrap_or("-"));
        assert!(error.kind() == ErrorKind::TokenDead && text.contains(what), "{text}");
        text
    };
    let mut texts = vec![missing("auth/appTicket/resend").await];
    assert_eq!(stage.paths(), ["/auth/appTicket/resend"]);
    stage.cx.keep(APP_TICKET, &Secret::new("ticket")).await.unwrap();
    texts.push(missing("orgTempAuthCode/resend").await);
    stage.cx.keep(TEMP_AUTH_CODE, &Secret::new("temporary")).await.unwrap();
    texts.push(missing("milkrun login").await);
    insta::assert_snapshot!(texts.join("\n"));
    stage.cx.keep(USER_PERMANENT_CODE, &Secret::new("user")).await.unwrap();
    call(&stage).await.unwrap();
    let paths = stage.paths();
    let (_, last) = paths.split_at(paths.len() - 4);
    assert_eq!(
        last,
        [
            "/auth/appAuth/getAppAccessToken",
            "/auth/orgAuth/getOrgAccessToken",
            "/auth/token/getTokenByPermanentCode",
            "/warehouse/Query"
        ],
        "the permanent code was kept, and the temporary one is not traded twice"
    );
    let requests = stage.server.requests();
    let bodies: Vec<_> = requests.iter().rev().skip(1).take(3).map(|request| request.body.as_str()).collect();
    assert_eq!(
        bodies,
        [
            r#"{"orgAccessToken":"org","userAuthPermanentCode":"user"}"#,
            r#"{"appAccessToken":"app","permanentAuthCode":"permanent"}"#,
            r#"{"appTicket":"ticket"}"#
        ]
    );
}

#[tokio::test]
async fn a_code_that_was_used_leaves_the_permanent_one() {
    let service = |request: &Request| match request.path.as_str() {
        "/auth/orgAuth/getPermanentAuthCode" => r#"{"code":"4003","message":"tempAuthCode used","result":null}"#,
        _ => store_service(request),
    };
    let more = "grant = 'store-app'\nuser_auth_permanent_code = 'user'";
    let stage = Stage::start(more, vendor("new.access-token", service)).await;
    stage.cx.keep(APP_TICKET, &Secret::new("ticket")).await.unwrap();
    stage.cx.keep(TEMP_AUTH_CODE, &Secret::new("used")).await.unwrap();
    assert_eq!(call(&stage).await.unwrap_err().kind(), ErrorKind::TokenDead);
    stage.cx.keep(PERMANENT_AUTH_CODE, &Secret::new("earlier")).await.unwrap();
    call(&stage).await.unwrap();
    let last = stage.server.requests().into_iter().rev().nth(2).unwrap();
    assert_eq!(last.body, r#"{"appAccessToken":"app","permanentAuthCode":"earlier"}"#);
}

#[tokio::test]
async fn the_users_permanent_code_of_a_login_is_kept() {
    let more = "grant = 'store-app'\nredirect_uri = 'https://erp.example.com/cb'";
    let stage = Stage::start(more, |_| Reply::json(NUMBERS_AS_TEXT)).await;
    stage.account.login.as_ref().unwrap().redeem(&stage.cx, &Secret::new("c")).await.unwrap();
    assert_eq!(stage.cx.kept(USER_PERMANENT_CODE).await.unwrap(), Some(Secret::new("user-permanent")));
}

#[tokio::test]
async fn a_self_built_application_needs_a_ticket_and_its_certificate() {
    let more = "grant = 'self-built'\ncertificate = 'cert'";
    let stage = Stage::start(more, vendor("new.access-token", |_| GENERATED)).await;
    assert!(stage.account.login.is_none() && stage.account.pushes.is_some());
    let receiver = stage.account.pushes.as_ref().unwrap();
    let ticket = r#"{"msgType":"APP_TICKET","bizContent":{"appTicket":"t-1"}}"#;
    let message = crate::push::tests::encrypted(b"1234567890abcdef", ticket);
    receiver.receive(&stage.cx, &message).await.unwrap();
    call(&stage).await.unwrap();
    let asked = &stage.server.requests()[0];
    assert_eq!(asked.path, "/v1/common/auth/selfBuiltApp/generateToken");
    assert_eq!(asked.body, r#"{"appTicket":"t-1","certificate":"cert"}"#);
    let failure = r#"{"result":false,"value":null,"error":{"code":"4002","msg":"appTicket t-1","hint":"again"},
                     "traceId":"77"}"#;
    let stage = Stage::start(more, move |_| Reply::json(failure)).await;
    stage.cx.keep(APP_TICKET, &Secret::new("t-1")).await.unwrap();
    let error = call(&stage).await.unwrap_err();
    assert_eq!((error.kind(), error.fact("trace_id")), (ErrorKind::TokenDead, Some("77")));
    assert!(!error.to_string().contains("t-1"), "{error}");
}

#[tokio::test]
async fn on_premise_logs_in_by_name_and_password() {
    let (_, pem) = crate::jwt::tests::new_key();
    let more =
        format!("edition = 'on-premise'\nuser_name = '张三'\npassword = 'p'\naccount_number = '3'\npem = '''{pem}'''");
    let stage = Stage::start(&more, |request| {
        let login = request.path.ends_with("GetRealNameTPlusToken");
        Reply::json(if login { r#"{"result":true,"access_token":"live","sid":"s"}"# } else { "[]" })
    })
    .await;
    call(&stage).await.unwrap();
    let asked = &stage.server.requests()[0];
    assert_eq!(asked.path, "/tplus/api/v2/collaborationapp/GetRealNameTPlusToken");
    assert_eq!(asked.param("IsFree").as_deref(), Some("1"));
    let args = r#"{"accNum":"3","password":"83878c91171338902e0fe0fb97a8c47a","userName":"张三"}"#;
    assert_eq!(asked.param("_args").as_deref(), Some(args));
    assert!(asked.header("authorization").is_some() && asked.header("appsecret").is_none());
    assert_eq!(stage.store.token().unwrap().access, Secret::new("live"));
    let refused = r#"{"code":"4007","message":"","data":null}"#;
    let stage = Stage::start(&more, move |_| Reply::new(401, "application/json", refused)).await;
    let error = call(&stage).await.unwrap_err();
    let help = error.help().unwrap();
    assert!(error.kind() == ErrorKind::TokenDead && help.contains("`password`") && help.contains("clock"), "{error}");
}
