//! What must not work: without credentials, with a viewer's, with cookies that are none, from other sites and names.

use milkrun_console::{Access, Need, ROUTES, Role, Route};
use milkrun_core::Secret;
use reqwest::RequestBuilder;
use serde_json::json;

use crate::routes::{body, filled, query};
use crate::server::{GRAFANA, LI, ROBOT, Server, SignedIn, ZHANG, got, hash, people};

/// The request that a route takes.
fn whole(server: &Server, route: &Route) -> RequestBuilder {
    let ask = server.ask(route.method, &format!("{}{}", filled(route.path), query(route.path)));
    match body(route.method, route.path) {
        Some(body) => ask.json(&body),
        None => ask,
    }
}

/// Routes for which somebody has to be known, but for the endless one.
fn guarded() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.need != Need::Nothing)
}

fn changing() -> impl Iterator<Item = &'static Route> {
    guarded().filter(|route| route.method != "GET")
}

#[tokio::test]
async fn nothing_is_served_to_nobody() {
    let server = Server::closed().await;
    let forged = SignedIn { cookie: cookie(&server, "forged"), csrf: "forged".to_owned() };
    for route in guarded() {
        let cases = [
            ("no credentials", whole(&server, route)),
            ("a forged cookie", forged.changing(whole(&server, route))),
            ("an empty cookie", whole(&server, route).header("cookie", cookie(&server, ""))),
            ("a basic header", whole(&server, route).basic_auth(ZHANG.0, Some(ZHANG.1))),
        ];
        for (what, ask) in cases {
            let got = got(ask).await;
            assert_eq!(got.status, 401, "{} {} with {what}: {}", route.method, route.path, got.text);
            assert_eq!(got.header("www-authenticate"), "Bearer");
            // Wrong access tokens are slowed down; that is another test.
            server.clock.advance(3600);
        }
    }
    assert_eq!(server.done(), [""; 0]);
}

fn cookie(server: &Server, id: &str) -> String {
    format!("milkrun-{}={id}", server.address.port())
}

#[tokio::test]
async fn a_viewer_looks_and_changes_nothing() {
    let server = Server::closed().await;
    for route in guarded().filter(|route| route.path != "/api/v1/events" && route.action != Some("session.sign-out")) {
        let li = server.sign_in(LI).await;
        let by_cookie = got(li.changing(whole(&server, route))).await;
        let by_token = got(whole(&server, route).bearer_auth(GRAFANA)).await;
        for got in [by_cookie, by_token] {
            if route.need == Need::Role(Role::Operator) {
                assert_eq!((got.status.as_u16(), got.kind().as_str()), (403, "forbidden"), "{}", route.path);
            } else {
                assert!(got.status.is_success(), "{} {}: {}", route.method, route.path, got.text);
            }
        }
    }
    assert_eq!(server.done(), [""; 0]);
    let denied = server.notes_of_audit().await;
    assert!(
        denied.iter().any(|line| line.contains("\"li\"") && line.contains("flow.run") && line.contains("forbidden"))
    );
}

/// Whatever changes something asks for an operator, except what only reads or only concerns oneself; and each is
/// written down.
#[test]
fn the_table_of_roles_is_complete() {
    const READS: [&str; 3] = ["/mapping/draft", "/mapping/edit", "/mapping/preview"];
    for route in ROUTES {
        let changes = route.method != "GET" && !READS.iter().any(|end| route.path.ends_with(end));
        let is_session = route.path == "/api/v1/session";
        assert_eq!(route.action.is_some(), changes && !(is_session && route.method == "POST"), "{}", route.path);
        let asks_operator = route.need == Need::Role(Role::Operator);
        assert_eq!(asks_operator, changes && !is_session || route.path == "/api/v1/audit", "{}", route.path);
        let is_open = route.path == "/health" || is_session && route.method == "POST";
        assert_eq!(route.need == Need::Nothing, is_open, "{}", route.path);
    }
    let mut names: Vec<_> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ROUTES.len());
}

#[tokio::test]
async fn other_sites_change_nothing() {
    for open in [true, false] {
        let server = if open { Server::open().await } else { Server::closed().await };
        let me = if open {
            let csrf = server.get("/api/v1/session").await.json()["csrf"].as_str().unwrap().to_owned();
            SignedIn { cookie: String::new(), csrf }
        } else {
            server.sign_in(ZHANG).await
        };
        let own = format!("http://{}", server.address);
        for route in changing().filter(|route| route.action != Some("session.sign-out")) {
            let ask = || me.changing(whole(&server, route));
            let foreign = [
                ("cross-site", ask().header("origin", "https://evil.example")),
                ("cross-site", ask().header("origin", "null")),
                ("cross-site", ask().header("origin", own.replace("http:", "https:"))),
                ("cross-site", ask().header("origin", format!("http://localhost:{}", server.address.port() + 1))),
                ("cross-site", ask().header("sec-fetch-site", "cross-site")),
                ("cross-site", ask().header("sec-fetch-site", "same-site")),
                ("csrf", me.on(whole(&server, route))),
                ("csrf", me.on(whole(&server, route)).header("x-csrf-token", "")),
                ("csrf", me.on(whole(&server, route)).header("x-csrf-token", format!("{}0", me.csrf))),
            ];
            for (kind, ask) in foreign {
                let got = got(ask).await;
                assert_eq!(
                    (got.status.as_u16(), got.kind()),
                    (403, kind.to_owned()),
                    "{} {}",
                    route.method,
                    route.path
                );
            }
            let good = got(ask().header("origin", &own).header("sec-fetch-site", "same-origin")).await;
            assert!(good.status.is_success(), "{} {}: {}", route.method, route.path, good.text);
        }
        // Nor can another site sign somebody in.
        let ask = server.ask("POST", "/api/v1/session").header("origin", "https://evil.example");
        let got = got(ask.json(&json!({ "user": "zhang", "password": ZHANG.1 }))).await;
        assert_eq!((got.status.as_u16(), got.kind().as_str()), (403, "cross-site"));
        assert!(got.headers.get("access-control-allow-origin").is_none());
    }
}

/// The token of one session is worth nothing in another.
#[tokio::test]
async fn a_csrf_token_belongs_to_one_session() {
    let server = Server::closed().await;
    let (one, other) = (server.sign_in(ZHANG).await, server.sign_in(ZHANG).await);
    let mixed = SignedIn { cookie: one.cookie.clone(), csrf: other.csrf };
    assert_eq!(got(mixed.changing(server.ask("POST", "/api/v1/flows/orders/run"))).await.kind(), "csrf");
    assert_eq!(got(one.changing(server.ask("POST", "/api/v1/flows/orders/run"))).await.status, 202);
}

#[tokio::test]
async fn other_names_do_not_lead_here() {
    let server = Server::open().await;
    let port = server.address.port();
    for host in ["evil.example".to_owned(), format!("evil.example:{port}"), format!("127.0.0.1.evil.example:{port}")] {
        for path in ["/", "/health", "/metrics", "/api/v1/session", "/api/v1/overview"] {
            let got = got(server.ask("GET", path).header("host", &host)).await;
            assert_eq!((got.status.as_u16(), got.kind().as_str()), (403, "wrong-host"), "{host} {path}");
        }
    }
    for host in [format!("localhost:{port}"), "127.0.0.1".to_owned(), "[::1]:1".to_owned()] {
        assert_eq!(got(server.ask("GET", "/api/v1/overview").header("host", &host)).await.status, 200, "{host}");
    }
    // A proxy that somebody put in front makes others reach what only this machine should.
    let got = got(server.ask("GET", "/api/v1/overview").header("x-forwarded-for", "10.0.0.1")).await;
    assert_eq!((got.status.as_u16(), got.kind().as_str()), (403, "wrong-host"));
}

#[tokio::test]
async fn sessions_end() {
    let server = Server::closed().await;
    let alive = async |who: &SignedIn| got(who.on(server.ask("GET", "/api/v1/session"))).await.status == 200;
    // Signed out.
    let one = server.sign_in(ZHANG).await;
    assert!(alive(&one).await);
    let out = got(one.changing(server.ask("DELETE", "/api/v1/session"))).await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert!(!alive(&one).await);
    // Not used for twelve hours; each use begins them anew.
    let one = server.sign_in(ZHANG).await;
    for _ in 0..3 {
        server.clock.advance(11 * 3600);
        assert!(alive(&one).await);
    }
    server.clock.advance(12 * 3600);
    assert!(!alive(&one).await);
    // After seven days in any case.
    let one = server.sign_in(ZHANG).await;
    for _ in 0..(7 * 24 / 8 - 1) {
        server.clock.advance(8 * 3600);
        assert!(alive(&one).await);
    }
    server.clock.advance(8 * 3600);
    assert!(!alive(&one).await);
}

#[tokio::test]
async fn a_changed_password_a_changed_role_and_a_lost_user_count_at_once() {
    let first = Server::closed().await;
    let (zhang, li) = (first.sign_in(ZHANG).await, first.sign_in(LI).await);
    let (desk, notes, clock) = (first.desk.clone(), first.notes.clone(), first.clock.clone());
    // Another process with other settings, reached under the same name.
    let asks = async |access: fn(Access) -> Access, who: &SignedIn| {
        let build = |_| access(Access::new(first.address, false));
        let again = Server::with(build, desk.clone(), notes.clone(), clock.clone()).await;
        let got = got(who.on(again.ask("GET", "/api/v1/session"))).await;
        (got.status.as_u16(), got.json()["role"].as_str().unwrap_or_default().to_owned())
    };
    let other_role = |access: Access| access.with_user("li", Role::Operator, hash(LI.1));
    assert_eq!(asks(other_role, &li).await, (200, "operator".to_owned()));
    let other_password = |access: Access| access.with_user("zhang", Role::Operator, hash("another one"));
    assert_eq!(asks(other_password, &zhang).await.0, 401);
    let gone = |access: Access| access.with_user("wang", Role::Operator, hash("x"));
    assert_eq!(asks(gone, &li).await.0, 401);
}

#[tokio::test]
async fn a_session_is_never_the_one_that_was_brought() {
    let server = Server::closed().await;
    let planted = cookie(&server, "planted-by-somebody");
    let ask = server.ask("POST", "/api/v1/session").header("cookie", &planted);
    let got_in = got(ask.json(&json!({ "user": ZHANG.0, "password": ZHANG.1 }))).await;
    let set = got_in.header("set-cookie").to_owned();
    assert!(!set.contains("planted") && set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
    assert!(set.contains("Path=/") && !set.contains("Secure") && !set.contains("Domain"), "{set}");
    assert_eq!(got(server.ask("GET", "/api/v1/session").header("cookie", &planted)).await.status, 401);
    // The old session of the same browser ends; and two cookies of the name are none.
    let old = server.sign_in(ZHANG).await;
    let ask = old.on(server.ask("POST", "/api/v1/session"));
    assert_eq!(got(ask.json(&json!({ "user": ZHANG.0, "password": ZHANG.1 }))).await.status, 200);
    assert_eq!(got(old.on(server.ask("GET", "/api/v1/session"))).await.status, 401);
    let new = server.sign_in(ZHANG).await;
    let both = format!("{planted}; {}", new.cookie);
    assert_eq!(got(server.ask("GET", "/api/v1/session").header("cookie", both)).await.status, 401);
    // Only hashes are kept.
    let kept = format!("{:?}", server.notes);
    let id = new.cookie.split('=').nth(1).unwrap();
    assert!(!kept.contains(id) && !kept.contains(&new.csrf), "{kept}");
}

#[tokio::test]
async fn guessers_wait_longer_and_longer() {
    let server = Server::closed().await;
    let mut waits = Vec::new();
    for _ in 0..10 {
        let got = server.try_sign_in("zhang", "wrong").await;
        if got.status == 429 {
            let wait: u64 = got.header("retry-after").parse().unwrap();
            waits.push(wait);
            server.clock.advance(wait);
        } else {
            assert_eq!((got.status.as_u16(), got.kind().as_str()), (401, "wrong-credentials"));
        }
    }
    assert_eq!(waits, [1, 2]);
    let got_in = server.try_sign_in(ZHANG.0, ZHANG.1).await;
    assert_eq!((got_in.status.as_u16(), got_in.kind().as_str()), (429, "too-many-attempts"), "right ones wait too");
    server.clock.advance(got_in.header("retry-after").parse().unwrap());
    assert_eq!(server.try_sign_in(ZHANG.0, ZHANG.1).await.status, 200);
    assert_eq!(server.try_sign_in("zhang", "wrong").await.status, 401, "success begins anew");
    // Access tokens too, and what is right for a session is not held up by them.
    let zhang = server.sign_in(ZHANG).await;
    let mut n_refused = 0;
    for n in 0..20 {
        let got = got(server.ask("GET", "/api/v1/overview").bearer_auth(format!("guess-{n}"))).await;
        n_refused += u32::from(got.status == 429);
    }
    assert!(n_refused > 5, "{n_refused}");
    assert_eq!(got(zhang.on(server.ask("GET", "/api/v1/overview"))).await.status, 200);
}

#[tokio::test]
async fn unknown_users_get_the_same_answer() {
    let server = Server::closed().await;
    let (known, unknown) = (server.try_sign_in("zhang", "x").await, server.try_sign_in("nobody", "x").await);
    assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
    let names = |headers: &reqwest::header::HeaderMap| headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&known.headers), names(&unknown.headers));
    let audit = server.notes_of_audit().await.join("\n");
    assert!(audit.contains("nobody") && audit.contains("wrong-credentials") && !audit.contains("\"x\""), "{audit}");
}

#[tokio::test]
async fn who_did_what_is_written_down() {
    let server = Server::closed().await;
    let zhang = server.sign_in(ZHANG).await;
    for path in ["/api/v1/flows/orders/run", "/api/v1/flows/unknown/run"] {
        got(zhang.changing(server.ask("POST", path))).await;
    }
    got(server.ask("POST", "/api/v1/flows/orders/dead-letters/1/arrived").bearer_auth(ROBOT).json(&json!({}))).await;
    let audit = got(zhang.on(server.ask("GET", "/api/v1/audit?limit=10"))).await.json();
    let told: Vec<String> = audit
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let of = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
            format!("{} {} {} {} {}", of("user"), of("address"), of("action"), of("subject"), of("outcome"))
        })
        .collect();
    let expected = [
        "robot 127.0.0.1 dead-letters.arrived orders/1 done",
        "zhang 127.0.0.1 flow.run unknown not-found",
        "zhang 127.0.0.1 flow.run orders done",
        "zhang 127.0.0.1 session.sign-in - done",
    ];
    assert_eq!(told, expected);
    let before = audit[1]["id"].as_u64().unwrap();
    let rest = got(zhang.on(server.ask("GET", &format!("/api/v1/audit?before={before}&limit=1")))).await.json();
    assert_eq!(rest[0]["id"], audit[2]["id"]);
    assert_eq!(rest.as_array().unwrap().len(), 1);
}

/// No password, token, hash, session id or csrf token of somebody else is in any answer.
#[tokio::test]
async fn no_secret_is_served() {
    let server =
        Server::start(|listen| people(listen).with_token("ops", Role::Viewer, &Secret::new("ops-token-0123456789")))
            .await;
    let (zhang, li) = (server.sign_in(ZHANG).await, server.sign_in(LI).await);
    let mut said = String::new();
    for route in guarded().filter(|route| route.path != "/api/v1/events" && route.action != Some("session.sign-out")) {
        let answer = got(zhang.changing(whole(&server, route))).await;
        said.extend([answer.text, format!("{:?}", answer.headers)]);
    }
    let wrong = server.ask("POST", "/api/v1/session").header("content-type", "application/json");
    said.push_str(&got(wrong.body("{\"user\":\"zhang\",\"password\":\"correct horse\",")).await.text);
    let wrong = server.ask("POST", "/api/v1/session").json(&json!({ "user": "zhang", "password": ["correct horse"] }));
    said.push_str(&got(wrong).await.text);
    let id = |who: &SignedIn| who.cookie.split('=').nth(1).unwrap().to_owned();
    let secrets = [ZHANG.1, LI.1, GRAFANA, ROBOT, "ops-token", "argon2id", &id(&zhang), &id(&li), &li.csrf];
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} was said");
    }
}
