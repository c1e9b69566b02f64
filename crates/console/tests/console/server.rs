//! A console on a free port, with its clock in the test's hand, and a client that sends what it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use milkrun_console::access::PasswordHash;
use milkrun_console::{Access, Role, router, serve};
use milkrun_core::notes::Notes as _;
use milkrun_core::{Clock, Secret, Timestamp};
use milkrun_testkit::notes::MemoryNotes;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::desk::TestDesk;

/// `correct horse` and `battery staple`, hashed with the least work that argon2 allows, so that tests are quick.
pub(crate) const ZHANG: (&str, &str) = ("zhang", "correct horse");
pub(crate) const LI: (&str, &str) = ("li", "battery staple");
pub(crate) const GRAFANA: &str = "token-of-grafana-0123456789";
pub(crate) const ROBOT: &str = "token-of-the-robot-0123456789";

/// A clock that stands still until the test moves it.
#[derive(Clone, Debug)]
pub(crate) struct HandClock(Arc<Mutex<Timestamp>>);

impl HandClock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new("2026-11-01T08:00:00Z".parse().unwrap())))
    }

    pub(crate) fn advance(&self, secs: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(secs);
    }
}

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

/// A console that is being served.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) desk: TestDesk,
    pub(crate) clock: HandClock,
    pub(crate) notes: MemoryNotes,
    pub(crate) client: Client,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<milkrun_core::Result<()>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["kind"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

/// Users `zhang` (operator) and `li` (viewer), programs `robot` (operator) and `grafana` (viewer).
pub(crate) fn people(listen: SocketAddr) -> Access {
    Access::new(listen, false)
        .with_user(ZHANG.0, Role::Operator, hash(ZHANG.1))
        .with_user(LI.0, Role::Viewer, hash(LI.1))
        .with_token("grafana", Role::Viewer, &Secret::new(GRAFANA))
        .with_token("robot", Role::Operator, &Secret::new(ROBOT))
}

/// Hashes with the least work that argon2 allows, so that tests are quick.
pub(crate) fn hash(password: &str) -> PasswordHash {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
    let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash = cheap.hash_password_with_salt(password.as_bytes(), b"salt of the tests").unwrap();
    PasswordHash::parse(&hash.to_string()).unwrap()
}

impl Server {
    /// Everybody on this machine is operator.
    pub(crate) async fn open() -> Self {
        Self::start(|listen| Access::new(listen, false)).await
    }

    /// People have to sign in.
    pub(crate) async fn closed() -> Self {
        Self::start(people).await
    }

    pub(crate) async fn start(access: impl FnOnce(SocketAddr) -> Access) -> Self {
        Self::with(access, TestDesk::default(), MemoryNotes::default(), HandClock::new()).await
    }

    pub(crate) async fn with(
        access: impl FnOnce(SocketAddr) -> Access,
        desk: TestDesk,
        notes: MemoryNotes,
        clock: HandClock,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = router(Arc::new(desk.clone()), access(address), Arc::new(notes.clone()), Arc::new(clock.clone()));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { drop(stopped.await) };
        let served = tokio::spawn(serve(listener, app, None, shutdown));
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { address, desk, clock, notes, client, stop: Some(stop), served }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        got(self.ask("GET", path)).await
    }

    /// Signs in with name and password.
    pub(crate) async fn sign_in(&self, (user, password): (&str, &str)) -> SignedIn {
        let got = self.try_sign_in(user, password).await;
        assert_eq!(got.status, 200, "{}", got.text);
        let cookie = got.header("set-cookie").split(';').next().unwrap().to_owned();
        SignedIn { cookie, csrf: got.json()["csrf"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn try_sign_in(&self, user: &str, password: &str) -> Got {
        let body = serde_json::json!({ "user": user, "password": password });
        got(self.ask("POST", "/api/v1/session").json(&body)).await
    }

    pub(crate) fn done(&self) -> Vec<String> {
        self.desk.done.lock().unwrap().clone()
    }

    /// The lines of the audit log, newest first.
    pub(crate) async fn notes_of_audit(&self) -> Vec<String> {
        let lines = self.notes.recorded(milkrun_console::access::AUDIT_SHELF, None, 1000).await.unwrap();
        lines.into_iter().map(|line| line.text).collect()
    }

    /// Ends the console, and says how it ended.
    pub(crate) async fn stop(mut self) -> milkrun_core::Result<()> {
        drop(self.stop.take());
        self.served.await.unwrap()
    }
}

impl SignedIn {
    pub(crate) fn on(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("cookie", &self.cookie)
    }

    pub(crate) fn changing(&self, request: RequestBuilder) -> RequestBuilder {
        self.on(request).header("x-csrf-token", &self.csrf)
    }
}

pub(crate) async fn got(request: RequestBuilder) -> Got {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Got { status, headers, text: response.text().await.unwrap() }
}
