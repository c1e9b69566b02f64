//! Each kind of channel against an endpoint that checks what the vendor's documentation asks for.

use jiff::Timestamp;
use milkrun_alerts::{Channel, ChannelKind, Lang, MailServer, Security};
use milkrun_core::state::Verdict::{Failed, Reconciled};
use milkrun_core::{ErrorKind, Secret};
use milkrun_testkit::http::{Reply, Request};

use crate::mail_server::SmtpServer;
use crate::support::{MINUTE, START, World, base64, hex, hmac, runs, serve};

const SECRET: &str = "SEC0123456789abcdef";

fn channel(lang: Lang, kind: ChannelKind) -> Channel {
    Channel { name: "group".to_owned(), lang, kind }
}

async fn only(kind: Channel) -> World {
    World::new(|settings| settings.channels = vec![kind]).await
}

fn json(request: &Request) -> serde_json::Value {
    assert!(request.header("content-type").unwrap().starts_with("application/json"));
    serde_json::from_str(&request.body).unwrap()
}

/// What DingTalk does with a request: `None` if it takes it.
fn dingtalk(request: &Request, keyword: &str) -> Option<&'static str> {
    let timestamp = request.param("timestamp").unwrap_or_default();
    let sign = base64(&hmac(SECRET.as_bytes(), format!("{timestamp}\n{SECRET}").as_bytes()));
    let at = Timestamp::from_millisecond(timestamp.parse().ok()?).unwrap();
    let is_fresh = at.duration_since(START.parse().unwrap()).abs().as_secs() < 3600;
    if request.param("access_token").as_deref() != Some("t0ken") {
        return Some(r#"{"errcode":300001,"errmsg":"token is not exist"}"#);
    }
    if request.param("sign").as_deref() != Some(&sign) || !is_fresh {
        return Some(r#"{"errcode":310000,"errmsg":"sign not match"}"#);
    }
    let body = json(request);
    let text = body["markdown"]["text"].as_str().unwrap();
    (body["msgtype"] != "markdown" || !text.contains(keyword))
        .then_some(r#"{"errcode":310000,"errmsg":"keywords not in content"}"#)
}

#[tokio::test]
async fn dingtalk_takes_the_signature_and_the_keyword() {
    let server =
        serve(|request| Reply::json(dingtalk(request, "送奶工").unwrap_or(r#"{"errcode":0,"errmsg":"ok"}"#))).await;
    let kind = |secret: &str, keyword: Option<&str>| ChannelKind::DingTalk {
        webhook: Secret::new(format!("{}/robot/send?access_token=t0ken", server.url())),
        secret: Some(Secret::new(secret)),
        keyword: keyword.map(str::to_owned),
    };
    let world = only(channel(Lang::Zh, kind(SECRET, Some("送奶工")))).await;
    let mut facts = runs(&[Reconciled, Failed, Failed]);
    facts.flows[0].pending = 37;
    world.clock.pass(20 * MINUTE);
    world.alerts.look(&facts).await.unwrap();
    let delivered = world.alerts.deliver().await.unwrap();
    assert_eq!(delivered.sent, [("group".to_owned(), 1)], "{delivered:?}");
    let body = json(&server.requests()[0]);
    assert_eq!(body["markdown"]["title"], "告警：流程 orders：最近 2 次运行均失败：无法连接厂商");
    let text = "#### 告警：流程 orders：最近 2 次运行均失败：无法连接厂商\n\n\
        - **开始时间：** 2026-11-27 10:10 Asia/Shanghai（已持续 10 分钟）\n\
        - **涉及单据：** 37\n\
        - **处理方法：** 查看运行说明：milkrun status 或控制台的运行页面；修复后，下次运行会从中断处继续，不会丢失数据\n\n送奶工";
    assert_eq!(body["markdown"]["text"], text);
    // Whatever is wrong with the robot is said, with HTTP status 200 too.
    for (secret, keyword, advice) in [("SECwrong", Some("送奶工"), "secret"), (SECRET, None, "keyword")] {
        let error = only(channel(Lang::Zh, kind(secret, keyword))).await.alerts.test("group").await.unwrap_err();
        assert_eq!(error.fact("code"), Some("310000"));
        assert!(error.help().unwrap().contains(advice), "{error}");
    }
    world.alerts.test("group").await.unwrap();
    let error = world.alerts.test("grup").await.unwrap_err();
    assert_eq!(error.help(), Some("did you mean `group`?"));
}

#[tokio::test]
async fn a_robot_that_is_silenced_is_left_alone_as_long_as_it_says() {
    let server = serve(|_| Reply::json(r#"{"errcode":130101,"errmsg":"send too fast"}"#)).await;
    let webhook = Secret::new(format!("{}/robot/send?access_token=t0ken", server.url()));
    let world = only(channel(Lang::En, ChannelKind::DingTalk { webhook, secret: None, keyword: None })).await;
    for _ in 0..20 {
        world.tick(&runs(&[Failed])).await;
        world.clock.pass(MINUTE);
    }
    assert_eq!(server.n_requests(), 2, "ten minutes apart");
}

#[tokio::test]
async fn feishu_takes_the_signature() {
    let server = serve(|request| {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        let timestamp = body["timestamp"].as_str().unwrap();
        let sign = base64(&hmac(format!("{timestamp}\n{SECRET}").as_bytes(), b""));
        let at = Timestamp::from_second(timestamp.parse().unwrap()).unwrap();
        let is_fresh = at.duration_since(START.parse().unwrap()).abs().as_secs() < 3600;
        if body["sign"] == sign && is_fresh && request.path == "/open-apis/bot/v2/hook/t0ken-0123456789" {
            Reply::json(r#"{"code":0,"msg":"success","data":{}}"#)
        } else {
            Reply::json(
                r#"{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}"#,
            )
        }
    })
    .await;
    let kind = |secret: &str| ChannelKind::Feishu {
        webhook: Secret::new(format!("{}/open-apis/bot/v2/hook/t0ken-0123456789", server.url())),
        secret: Some(Secret::new(secret)),
        keyword: None,
    };
    let world = only(channel(Lang::Zh, kind(SECRET))).await;
    world.tick(&runs(&[Failed])).await;
    world.clock.pass(MINUTE);
    world.tick(&runs(&[Failed, Reconciled, Reconciled])).await;
    let cards: Vec<_> = server.requests().iter().map(|request| json(request)["card"].clone()).collect();
    assert_eq!(cards.len(), 2);
    assert_eq!(cards[0]["header"]["title"]["content"], "告警：流程 orders：最近一次运行失败：无法连接厂商");
    assert_eq!((&cards[0]["header"]["template"], &cards[1]["header"]["template"]), (&"red".into(), &"green".into()));
    assert_eq!(
        cards[1]["elements"][0]["content"],
        "- **开始时间：** 2026-11-27 10:00 Asia/Shanghai\n- **恢复时间：** 2026-11-27 10:01（历时 1 分钟）"
    );
    let error = only(channel(Lang::Zh, kind("wrong"))).await.alerts.test("group").await.unwrap_err();
    assert_eq!((error.kind(), error.fact("code")), (ErrorKind::Forbidden, Some("19021")));
}

#[tokio::test]
async fn wecom_takes_markdown() {
    let server = serve(|request| match request.param("key").as_deref() {
        Some("k") => Reply::json(r#"{"errcode":0,"errmsg":"ok"}"#),
        _ => Reply::json(r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#),
    })
    .await;
    let kind = |key: &str| ChannelKind::WeCom { webhook: Secret::new(format!("{}/send?key={key}", server.url())) };
    let world = only(channel(Lang::En, kind("k"))).await;
    world.tick(&runs(&[Failed])).await;
    let content = json(&server.requests()[0])["markdown"]["content"].clone();
    let content = content.as_str().unwrap();
    assert!(
        content.starts_with("**Alert: Flow orders: the last run failed: the vendor cannot be reached**\n\n"),
        "{content}"
    );
    let error = only(channel(Lang::En, kind("x"))).await.alerts.test("group").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the robot refused the message (code: 93000, said: invalid webhook url, channel: group)"
    );
}

#[tokio::test]
async fn a_webhook_proves_who_sent_it_and_when() {
    let server = serve(|request| {
        let timestamp = request.header("x-milkrun-timestamp").unwrap();
        let sign = hex(&hmac(SECRET.as_bytes(), format!("{timestamp}.{}", request.body).as_bytes()));
        let is_good = request.header("x-milkrun-signature") == Some(&format!("sha256={sign}"));
        Reply::new(if is_good { 204 } else { 401 }, "text/plain", "")
    })
    .await;
    let kind = |secret: &str| ChannelKind::Webhook {
        url: Secret::new(format!("{}/hook", server.url())),
        secret: Some(Secret::new(secret)),
    };
    let world = only(channel(Lang::En, kind(SECRET))).await;
    world.tick(&runs(&[Failed])).await;
    let request = &server.requests()[0];
    let seconds = START.parse::<Timestamp>().unwrap().as_second().to_string();
    assert_eq!(request.header("x-milkrun-timestamp"), Some(&*seconds));
    let notice = &json(request)["notices"][0];
    assert_eq!(notice["what"]["zh"], "流程 orders：最近一次运行失败：无法连接厂商");
    assert_eq!((&notice["flow"], &notice["rule"]), (&"orders".into(), &"run-failed".into()));
    let error = only(channel(Lang::En, kind("wrong"))).await.alerts.test("group").await.unwrap_err();
    assert_eq!(error.to_string(), "the channel refused the message (http_status: 401, channel: group)");
}

#[tokio::test]
async fn what_is_no_answer_of_a_robot_is_no_success() {
    for (answer, kind) in [
        (Reply::html("<html>sign in</html>"), ErrorKind::Malformed),
        (Reply::json("{}"), ErrorKind::Malformed),
        (Reply::json(""), ErrorKind::Malformed),
        (Reply::json("x".repeat(100_000)), ErrorKind::Malformed),
        (Reply::new(302, "text/html", "").header("location", "http://127.0.0.1:1/"), ErrorKind::Refused),
        (Reply::new(429, "text/plain", "").header("retry-after", "120"), ErrorKind::QuotaExceeded),
        (Reply::new(500, "text/plain", ""), ErrorKind::Unavailable),
        (Reply::Abort, ErrorKind::OutcomeUnknown),
        (Reply::new(400, "application/json", r#"{"code":19024,"msg":"Key Words Not Found"}"#), ErrorKind::Refused),
        (Reply::new(502, "application/json", r#"{"errcode":0}"#), ErrorKind::Unavailable),
        (Reply::json(r#"{"errcode":-1,"errmsg":"system busy"}"#), ErrorKind::Unavailable),
    ] {
        let shown = format!("{answer:?}");
        let server = serve(move |_| answer.clone()).await;
        let webhook = Secret::new(format!("{}/send?key=k", server.url()));
        let error =
            only(channel(Lang::En, ChannelKind::WeCom { webhook })).await.alerts.test("group").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{shown}");
    }
}

fn mail(port: u16) -> MailServer {
    MailServer {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        security: Security::None,
        user: Some("alerts@example.com".to_owned()),
        password: Some(Secret::new("pa55word")),
        from: "送奶工 <alerts@example.com>".to_owned(),
        to: vec!["first@example.com".to_owned(), "二号 <second@example.com>".to_owned()],
    }
}

#[tokio::test]
async fn a_mail_arrives_with_its_chinese() {
    let server = SmtpServer::start("pa55word").await;
    let world = only(channel(Lang::Zh, ChannelKind::Mail(Box::new(mail(server.port))))).await;
    world.tick(&runs(&[Failed])).await;
    let [got] = &server.mails()[..] else { panic!("{:?}", server.mails()) };
    assert_eq!(got.from, "alerts@example.com");
    assert_eq!(got.to, ["first@example.com", "second@example.com"]);
    assert_eq!(got.header("subject"), "[Milkrun] 告警：流程 orders：最近一次运行失败：无法连接厂商");
    assert_eq!(got.header("from"), "送奶工 <alerts@example.com>");
    assert_eq!(got.header("to"), "first@example.com, 二号 <second@example.com>");
    assert_eq!(got.header("date"), "Fri, 27 Nov 2026 02:00:00 +0000");
    assert!(got.header("message-id").ends_with("@example.com>"));
    assert_eq!(got.header("content-type"), "text/plain; charset=utf-8");
    let body = "开始时间： 2026-11-27 10:00 Asia/Shanghai\r\n处理方法： 查看运行说明：milkrun status 或控制台的运行页面；修复后，下次运行会从中断处继续，不会丢失数据";
    assert_eq!(got.body.trim_end(), body);
}

#[tokio::test]
async fn a_mail_server_that_says_no_is_quoted() {
    let server = SmtpServer::start("an0ther-one").await;
    let world = only(channel(Lang::Zh, ChannelKind::Mail(Box::new(mail(server.port))))).await;
    let error = world.alerts.test("group").await.unwrap_err();
    assert_eq!((error.kind(), error.fact("code")), (ErrorKind::Forbidden, Some("535")));
    assert!(error.to_string().starts_with("the mail server refuses user or password"), "{error}");
    assert!(server.mails().is_empty());
    // Where TLS is asked for and the server has none, nothing is sent, the password least of all.
    let server = SmtpServer::start("pa55word").await;
    let with_tls = MailServer { security: Security::StartTls, ..mail(server.port) };
    let world = only(channel(Lang::Zh, ChannelKind::Mail(Box::new(with_tls)))).await;
    world.alerts.test("group").await.unwrap_err();
    assert!(server.mails().is_empty() && !server.was_greeted_by_name(), "no AUTH was sent");
    // Nobody listens.
    let port = SmtpServer::start("x").await.port;
    let world = only(channel(Lang::Zh, ChannelKind::Mail(Box::new(mail(port))))).await;
    let error = world.alerts.test("group").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

/// A channel that fails says what to look at, never that the next run goes on: nothing of a run has failed.
#[tokio::test]
async fn whatever_fails_has_an_advice_of_its_own() {
    for (status, body, advice) in [
        (200, r#"{"errcode":40058,"errmsg":"what"}"#, "read what the robot said"),
        (200, r#"{"errcode":-1,"errmsg":"system busy"}"#, "nothing has to be changed here"),
        (200, r#"{"errcode":130101,"errmsg":"send too fast"}"#, "fewer systems"),
        (200, r#"{"errcode":400102,"errmsg":"stopped"}"#, "copy the robot's address anew"),
        (200, "{}", "the robot's own"),
        (200, "<html>", "the robot's own"),
        (302, "", "the address that it sends to"),
        (404, "", "check the address"),
        (429, "", "fewer systems"),
        (503, "", "nothing has to be changed here"),
    ] {
        let server = serve(move |_| Reply::new(status, "application/json", body)).await;
        let webhook = Secret::new(format!("{}/robot/send", server.url()));
        let kind = ChannelKind::DingTalk { webhook, secret: None, keyword: None };
        let error = only(channel(Lang::En, kind)).await.alerts.test("group").await.unwrap_err();
        assert!(error.help().is_some_and(|help| help.contains(advice)), "{status} {body}: {error} {:?}", error.help());
    }
    // Nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let kind = ChannelKind::Webhook { url: Secret::new(format!("http://127.0.0.1:{port}/")), secret: None };
    let error = only(channel(Lang::En, kind)).await.alerts.test("group").await.unwrap_err();
    assert!(error.help().is_some_and(|help| help.contains("this machine reaches it")), "{error} {:?}", error.help());
}
