//! An account of a vendor that a test plays, ready to be read and written.

use std::sync::Arc;

use milkrun_core::{Delivery, Key, Operation, Slice, Timestamp, async_trait, connector};
use milkrun_testkit::conformance::{self, Failure, Load, Opened, Scene, Strike, TestClock, Vendor};
use milkrun_testkit::http::{FixtureServer, Reply, Request};

/// A vendor that a closure plays, and an account of it.
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

/// Starts a vendor and opens an account of it; `settings` lack the address.
pub(crate) async fn play(settings: &str, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Played {
    let server = FixtureServer::start(answer).await.unwrap();
    let settings = format!("base_url = '{}'\n{settings}", server.url());
    let vendor = Settings(settings.parse().unwrap());
    let clock = Arc::new(TestClock::new(Timestamp::from_second(1_785_600_000).unwrap(), |_| {}));
    let opened = conformance::open(connector("http").unwrap(), &vendor, &clock).unwrap();
    Played { server, opened }
}

impl Played {
    /// Everything that a stream gives, page by page, as the texts of its records.
    pub(crate) async fn read(&self, stream: &str, slice: Slice, size: u32) -> milkrun_core::Result<Vec<Vec<String>>> {
        let spec = self.opened.source().streams().iter().find(|spec| spec.name == stream).unwrap();
        let scene = Scene { slice, size, n_records: 0 };
        let mut at = spec.paging.start();
        let mut pages = Vec::new();
        loop {
            let page = self.opened.page(spec, &scene, &at).await?;
            pages.push(page.records.iter().map(|record| record.text().to_owned()).collect());
            match spec.paging.next(&at, &page, size)? {
                Some(next) if pages.len() < 20 => at = next,
                _ => return Ok(pages),
            }
        }
    }

    /// The sink.
    pub(crate) fn sink(&self) -> Arc<dyn milkrun_core::Sink> {
        match &self.opened.account.sink {
            Some(milkrun_core::SinkKind::Calls(sink)) => Arc::clone(sink),
            other => panic!("{other:?}"),
        }
    }

    /// Sends documents.
    pub(crate) async fn send(&self, batch: &[Delivery]) -> milkrun_core::Result<Vec<milkrun_core::Receipt>> {
        self.sink().deliver(&self.opened.cx, batch).await
    }

    /// The bodies of all requests so far.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.server.requests().into_iter().map(|request| request.body).collect()
    }
}

/// A document on its way, which is new.
pub(crate) fn delivery(target: &str, document: &str) -> Delivery {
    Delivery {
        target: target.to_owned(),
        key: Key::Int(1),
        operation: Operation::Insert,
        idempotency_key: "00112233445566778899aabbccddeeff".to_owned(),
        document: document.to_owned(),
        attempts: 0,
    }
}

/// The same, and the target has it already under that id.
pub(crate) fn update(target: &str, document: &str, remote_id: &str) -> Delivery {
    Delivery { operation: Operation::Update { remote_id: remote_id.to_owned() }, ..delivery(target, document) }
}
