//! Paging of every kind, windows, partitions, and tokens that a call gives.

use milkrun_core::{ErrorKind, Slice, Window};
use milkrun_testkit::http::Reply;

use crate::support::play;

fn window() -> Slice {
    let window =
        Window { from: "2026-07-31T16:00:00Z".parse().unwrap(), until: "2026-08-01T16:00:00Z".parse().unwrap() };
    Slice { window: Some(window), ..Slice::default() }
}

#[tokio::test]
async fn links_are_followed_to_their_end() {
    let settings = "answer.list = ''\n[[streams]]\nname = 'o'\npath = '/o'\nkey = ['id']\nanswer.list = 'data'\n\
                    paging = { kind = 'link', next = 'links.next', size_parameter = 'n' }";
    let vendor = play(settings, |request| {
        Reply::json(match request.param("p").as_deref() {
            None => r#"{"data":[{"id":1}],"links":{"next":"?p=2&key=a%26b"}}"#,
            Some("2") => r#"{"data":[{"id":2}],"links":{"next":"/o?p=3"}}"#,
            _ => r#"{"data":[{"id":3}],"links":{}}"#,
        })
    })
    .await;
    let pages = vendor.read("o", Slice::default(), 1).await.unwrap();
    assert_eq!(pages.concat(), [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    let asked = vendor.server.requests();
    assert_eq!(asked[0].param("n").as_deref(), Some("1"));
    assert_eq!((asked[1].param("p").as_deref(), asked[1].param("key").as_deref()), (Some("2"), Some("a&b")));
}

#[tokio::test]
async fn a_link_is_followed_as_it_was_written_and_a_key_is_added_to_it() {
    let stream = "[[streams]]\nname = 'o'\npath = '/o'\nkey = ['id']\nanswer.list = 'd'\n\
                  paging = { kind = 'link', next = 'n' }";
    for auth in ["", "auth.key = { value = 'k', put = { query = 'key' } }\n"] {
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = std::sync::Arc::clone(&asked);
        let vendor = play(&format!("{auth}{stream}"), move |request| {
            seen.lock().unwrap().push(request.query.clone());
            let is_first = !request.query.iter().any(|(name, _)| name == "c");
            Reply::json(if is_first { r#"{"d":[{"id":1}],"n":"?flag&c=a%2Fb%20c"}"# } else { r#"{"d":[{"id":2}]}"# })
        })
        .await;
        assert_eq!(vendor.read("o", Slice::default(), 1).await.unwrap().len(), 2, "{auth}");
        let second = asked.lock().unwrap()[1].clone();
        let has_key = second.iter().any(|(name, value)| name == "key" && value == "k");
        assert_eq!((second[1].1.as_str(), has_key), ("a/b c", !auth.is_empty()));
    }
}

#[tokio::test]
async fn a_fixed_key_goes_where_the_settings_say() {
    let stream = "[[streams]]\nname = 'o'\npath = '/o'\nverb = 'post'\nkey = ['id']\nanswer.list = ''";
    let read = async |auth: &str, more: &str| {
        let vendor = play(&format!("{auth}\n{stream}\n{more}"), |_| Reply::json("[]")).await;
        vendor.read("o", Slice::default(), 1).await.unwrap();
        vendor.server.requests().remove(0)
    };
    let asked = read("auth.key = { value = 'k&1', put = { header = 'X-Api-Key' } }", "").await;
    assert_eq!(asked.header("x-api-key"), Some("k&1"));
    let asked = read("auth.key = { value = 'k&1', put = { query = 'key' } }", "").await;
    assert_eq!(asked.query, [("key".to_owned(), "k&1".to_owned())]);
    let asked = read("auth.key = { value = 'k&1', put = { body = 'head.key' } }", "").await;
    assert_eq!(asked.body, r#"{"head":{"key":"k&1"}}"#);
    let asked = read("auth.key = { value = 'k&1', put = { body = 'key' } }", "send = 'form'").await;
    assert_eq!(asked.body, "key=k%261");
    // The example of RFC 7617.
    let asked = read("auth.basic = { user = 'Aladdin', password = 'open sesame' }", "").await;
    assert_eq!(asked.header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    let asked = read("headers = { x-tenant = '7' }", "headers = { x-tenant = '8' }").await;
    assert_eq!(asked.headers.iter().filter(|(name, _)| name == "x-tenant").count(), 1);
    assert_eq!(asked.header("x-tenant"), Some("8"));
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let settings = "auth.bearer = 'x'\n[[streams]]\nname = 'o'\npath = '/o'\nkey = ['id']\nanswer.list = 'data'\n\
                    paging = { kind = 'link', next = 'next' }";
    let vendor = play(settings, |_| Reply::json(r#"{"data":[],"next":"https://elsewhere.example/o"}"#)).await;
    let error = vendor.read("o", Slice::default(), 1).await.unwrap_err();
    assert_eq!((error.kind(), vendor.server.n_requests()), (ErrorKind::Malformed, 1));
}

#[tokio::test]
async fn row_versions_are_asked_for_from_the_highest_on() {
    let settings = "[[streams]]\nname = 'o'\npath = '/o'\nverb = 'post'\nkey = ['id']\nanswer.list = ''\n\
                    numbers_as_text = true\n\
                    paging = { kind = 'row-version', parameter = 'q.since', size_parameter = 'q.n', field = 'ts' }";
    let vendor = play(settings, |request| {
        let since: u64 = since(request);
        let rows: Vec<String> = [7, 9, 10, 11]
            .into_iter()
            .filter(|ts| *ts >= since)
            .take(2)
            .map(|ts| format!("{{\"id\":{ts},\"ts\":\"{ts}\"}}"))
            .collect();
        Reply::json(format!("[{}]", rows.join(",")))
    })
    .await;
    let pages = vendor.read("o", Slice::default(), 2).await.unwrap();
    let n_rows: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(n_rows, [2, 2, 2, 1]);
    assert_eq!(vendor.bodies()[1], r#"{"q":{"n":"2","since":"9"}}"#);
}

#[tokio::test]
async fn a_cursor_goes_back_as_it_came() {
    let settings = "[[streams]]\nname = 'o'\npath = '/o'\nverb = 'post'\nkey = ['id']\nanswer = { list = 'd', has_next = 'more' }\n\
                    paging = { kind = 'cursor', parameter = 'after', next = 'next' }";
    let vendor = play(settings, |request| {
        let first = request.body == "{}";
        Reply::json(if first {
            r#"{"d":[{"id":1}],"more":true,"next":{"n":6920000000000000001,"s":"单"}}"#
        } else {
            r#"{"d":[{"id":2}],"more":false,"next":"the last one"}"#
        })
    })
    .await;
    assert_eq!(vendor.read("o", Slice::default(), 1).await.unwrap().len(), 2);
    assert_eq!(vendor.bodies(), ["{}", r#"{"after":{"n":6920000000000000001,"s":"单"}}"#]);
    let liar = play(settings, |_| Reply::json(r#"{"d":[{"id":1}],"more":true}"#)).await;
    assert_eq!(liar.read("o", Slice::default(), 1).await.unwrap_err().kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn windows_and_partitions_are_sent_where_the_settings_say() {
    let settings = "[[streams]]\nname = 'shops'\npath = '/shops'\nkey = ['id']\nanswer.list = ''\n\
                    [[streams]]\nname = 'o'\npath = '/shops/{shop}/orders'\nverb = 'post'\nkey = ['id']\nanswer.list = ''\n\
                    body = { 'q.flag' = true }\nheaders = { x-version = '2' }\n\
                    partition = { stream = 'shops', path = 'id', parameter = 'shop' }\n\
                    window = { axis = 'changed', axis_parameter = 'q.by', start = 'q.from', end = 'q.to', form = 'epoch-secs', \
                    zone = 'Asia/Shanghai', longest_hours = 24, required = true }";
    let vendor = play(settings, |_| Reply::json("[]")).await;
    let slice = Slice { partition: Some("单/1".to_owned()), ..window() };
    vendor.read("o", slice, 10).await.unwrap();
    let asked = vendor.server.requests().pop().unwrap();
    assert_eq!(asked.path, "/shops/%E5%8D%95%2F1/orders");
    assert_eq!(asked.header("x-version"), Some("2"));
    assert_eq!(asked.body, r#"{"q":{"flag":true,"by":"changed","from":1785513600,"to":1785600000}}"#);
    for (slice, named) in [(window(), "no"), (Slice { partition: Some("1".to_owned()), ..Slice::default() }, "windows")]
    {
        let error = vendor.read("o", slice, 10).await.unwrap_err();
        assert!(error.kind() == ErrorKind::ConfigInvalid && error.to_string().contains(named), "{error}");
    }
    assert_eq!(vendor.server.n_requests(), 1);
}

#[tokio::test]
async fn a_missing_list_is_empty_only_where_that_is_declared() {
    let settings = "answer = { list = 'd.rows', total = 'd.total' }\n\
                    [[streams]]\nname = 'strict'\npath = '/o'\nkey = ['id']\n\
                    [[streams]]\nname = 'lax'\npath = '/p'\nkey = ['id']\nlist_may_be_missing = true";
    for (body, lax) in [
        (r#"{"d":{"total":0}}"#, true),
        (r#"{"d":{"rows":null}}"#, true),
        (r#"{"d":null}"#, true),
        (r#"{"d":{"total":"2"}}"#, false),
        (r#"{"d":{"rows":{}}}"#, false),
        (r#"{"d":{"rows":[1]}}"#, false),
        (r#"{"d":{"rows":[],"total":"many"}}"#, false),
    ] {
        let vendor = play(settings, move |_| Reply::json(body)).await;
        assert_eq!(
            vendor.read("strict", Slice::default(), 1).await.unwrap_err().kind(),
            ErrorKind::Malformed,
            "{body}"
        );
        assert_eq!(vendor.read("lax", Slice::default(), 1).await.is_ok(), lax, "{body}");
    }
}

const LOGIN: &str = "[auth.login]\npath = '/login'\nfields = { 'user.name' = 'me', 'user.password' = 'hush-hush' }\n\
                     token = 'data.token'\nexpires_in = 'data.life'\nput = { header = 'x-token' }\n\
                     [answer]\nsuccess = 'code'\nsuccess_values = [0]\nlist = 'data'\ncodes = { token = [4003] }\n\
                     [[streams]]\nname = 'o'\npath = '/o'\nkey = ['id']\n";

#[tokio::test]
async fn a_login_gives_the_token_and_once_more_when_it_is_refused() {
    let vendor = play(LOGIN, |request| {
        Reply::json(match (request.path.as_str(), request.header("x-token")) {
            ("/login", None) if request.body.contains("hush-hush") => {
                r#"{"code":0,"data":{"token":"t-1","life":7200}}"#
            }
            (_, Some("t-1")) => r#"{"code":0,"data":[{"id":1}]}"#,
            _ => r#"{"code":4003,"message":"hush-hush"}"#,
        })
    })
    .await;
    assert_eq!(vendor.read("o", Slice::default(), 1).await.unwrap().concat(), [r#"{"id":1}"#]);
    assert_eq!(vendor.bodies()[0], r#"{"user":{"name":"me","password":"hush-hush"}}"#);
    // Refused for ever: renewed once, and then said.
    let vendor = play(LOGIN, |request| {
        Reply::json(if request.path == "/login" { r#"{"code":0,"data":{"token":"t-1"}}"# } else { r#"{"code":4003}"# })
    })
    .await;
    let error = vendor.read("o", Slice::default(), 1).await.unwrap_err();
    assert_eq!((error.kind(), vendor.server.n_requests()), (ErrorKind::TokenExpired, 4));
}

#[tokio::test]
async fn a_login_that_is_refused_says_what_to_check() {
    for body in [r#"{"code":9,"message":"me or hush-hush is wrong"}"#, r#"{"code":0,"data":{}}"#] {
        let vendor = play(LOGIN, move |_| Reply::json(body)).await;
        let error = vendor.read("o", Slice::default(), 1).await.unwrap_err();
        assert!(!format!("{error:?}").contains("hush-hush"), "{error:?}");
    }
    let vendor = play(LOGIN, |_| Reply::new(401, "application/json", "{}")).await;
    let error = vendor.read("o", Slice::default(), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenDead);
    assert!(error.help().unwrap().contains("auth.login"), "{error:?}");
}

const OAUTH: &str = "[auth.oauth2]\ntoken_path = '/token'\ngrant = 'refresh-token'\nclient_id = 'me'\nclient_in = 'basic'\n\
                     client_secret = 'hush-hush'\nrefresh_token = 'first'\nsend = 'json'\nnames = { refresh_token = 'r' }\n\
                     put = { query = 'access_token' }\n\
                     [[streams]]\nname = 'o'\npath = '/o'\nkey = ['id']\nanswer.list = ''\n";

#[tokio::test]
async fn a_refresh_token_that_rotates_is_used_once() {
    let vendor = play(OAUTH, |request| {
        if request.path == "/o" {
            let good = request.param("access_token").as_deref() == Some("a-second");
            return if good { Reply::json("[]") } else { Reply::new(401, "application/json", "{}") };
        }
        assert_eq!(request.header("authorization"), Some("Basic bWU6aHVzaC1odXNo"));
        Reply::json(match request.param("r").as_deref() {
            Some("first") => r#"{"access_token":"a-first","refresh_token":"second","expires_in":"3600"}"#,
            Some("second") => r#"{"access_token":"a-second","refresh_token":"third"}"#,
            _ => r#"{"error":"invalid_grant"}"#,
        })
    })
    .await;
    vendor.read("o", Slice::default(), 1).await.unwrap();
    let stored = vendor.opened.cx.transport().unwrap().vault().unwrap().current(&vendor.opened.cx).await.unwrap();
    assert_eq!(stored.token.refresh.as_ref().unwrap().expose(), "third");
    assert_eq!((stored.generation, vendor.server.n_requests()), (2, 4));
}

#[tokio::test]
async fn a_refresh_whose_answer_is_spoilt_is_not_sent_again() {
    let refused = |body: &'static str, status| move |_: &_| Reply::new(status, "application/json", body);
    for (body, status, kind) in [
        ("{\"access_tok", 200, ErrorKind::OutcomeUnknown),
        ("{}", 500, ErrorKind::OutcomeUnknown),
        ("{\"x\":1}", 200, ErrorKind::OutcomeUnknown),
        ("{\"error\":\"invalid_grant\"}", 400, ErrorKind::TokenDead),
        ("{\"error\":\"invalid_client\"}", 401, ErrorKind::ConfigInvalid),
    ] {
        let vendor = play(OAUTH, refused(body, status)).await;
        let error = vendor.read("o", Slice::default(), 1).await.unwrap_err();
        assert_eq!((error.kind(), vendor.server.n_requests()), (kind, 1), "{body}: {error:?}");
    }
}

fn since(request: &milkrun_testkit::http::Request) -> u64 {
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    body["q"]["since"].as_str().unwrap().parse().unwrap()
}
