//! An account whose platform a test plays, and documents on their way.

use std::path::PathBuf;
use std::sync::Arc;

use milkrun_core::{
    Account, AppendSink, Delivery, Key, Opening, Operation, Receipt, Result, SinkKind, Timestamp, async_trait,
    connector,
};
use milkrun_testkit::conformance::{self, Failure, Load, Opened, Scene, Strike, TestClock, Vendor};
use milkrun_testkit::http::{FixtureServer, Reply, Request};

/// A platform that a closure plays, and an account of it.
pub(crate) struct Played {
    pub(crate) server: FixtureServer,
    pub(crate) opened: Opened,
}

struct Settings(toml::Table);

#[async_trait]
impl Vendor for Settings {
    fn settings(&self) -> toml::Table {
        self.0.clone()
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    async fn holds(&self, _: &Arc<TestClock>, _: &milkrun_core::StreamSpec, _: Load) -> Option<Scene> {
        None
    }

    fn fails(&self, _: &milkrun_core::StreamSpec, _: Failure, _: Strike) -> bool {
        false
    }

    fn mends(&self) {}

    fn n_calls(&self) -> u64 {
        0
    }
}

/// The answer to a call for a token.
pub(crate) const GRANTED: &str =
    r#"{"success":true,"code":0,"message":"","content":{"access_token":"t-1","expires_in":7200}}"#;

/// Starts a platform that grants tokens and answers all other calls as told; `settings` are the lists of schemes.
pub(crate) async fn play(settings: &str, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Played {
    let server = FixtureServer::start(move |request| match request.path.as_str() {
        "/v2/oauth" => Reply::json(GRANTED),
        _ => answer(request),
    });
    let server = server.await.unwrap();
    let settings =
        format!("[platform]\nhost = '{}'\napp_key = 'k'\napp_secret = 'hush-hush'\n{settings}", server.url());
    let vendor = Settings(settings.parse().unwrap());
    let clock = Arc::new(TestClock::new(Timestamp::from_second(1_785_600_000).unwrap(), |_| {}));
    let opened = conformance::open(connector("qeasy").unwrap(), &vendor, &clock).unwrap();
    Played { server, opened }
}

impl Played {
    /// Pushes documents.
    pub(crate) async fn push(&self, batch: &[Delivery]) -> Result<Vec<Receipt>> {
        let Some(SinkKind::Calls(sink)) = &self.opened.account.sink else { panic!("{:?}", self.opened.account) };
        sink.deliver(&self.opened.cx, batch).await
    }

    /// All requests but those for a token.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.server.requests().into_iter().filter(|request| request.path != "/v2/oauth").collect()
    }
}

/// A document on its way, which is new.
pub(crate) fn delivery(document: &str) -> Delivery {
    Delivery {
        target: "sales".to_owned(),
        key: Key::Int(1),
        operation: Operation::Insert,
        idempotency_key: "00112233445566778899aabbccddeeff".to_owned(),
        document: document.to_owned(),
        attempts: 0,
    }
}

/// An installation in a folder of its own.
pub(crate) struct Installation(tempfile::TempDir);

impl Installation {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).unwrap()
    }

    /// An account that keeps records here; `settings` go below `noop`.
    pub(crate) fn noop(&self, settings: &str) -> Account {
        let settings = format!("[noop]\n{settings}").parse().unwrap();
        let opening = Opening { account: "kept".to_owned(), settings, folder: self.0.path().to_owned() };
        (connector("qeasy").unwrap().open)(opening).unwrap()
    }
}

/// The account's medium.
pub(crate) fn medium(account: &Account) -> Arc<dyn AppendSink> {
    match &account.sink {
        Some(SinkKind::Appends(sink)) => Arc::clone(sink),
        other => panic!("{other:?}"),
    }
}
