//! A vendor for tests: it answers calls over HTTP as the test says, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::{StreamSpec, async_trait, connector};
use milkrun_testkit::conformance::{self, Failure, Load, Opened, Scene, Strike, TestClock, Vendor};
use milkrun_testkit::http::{FixtureServer, Request};

/// One call as the vendor sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The path, or the old API's method.
    pub(crate) method: String,
    /// All parameters of the query and of the form.
    pub(crate) params: BTreeMap<String, String>,
    /// The business parameters, JSON text.
    pub(crate) biz: String,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let form = if request.body.starts_with('{') { "" } else { request.body.as_str() };
        let form = form_urlencoded::parse(form.as_bytes()).into_owned();
        let mut params: BTreeMap<_, _> = request.query.iter().cloned().chain(form).collect();
        match params.remove("method") {
            Some(method) => Self { method, params, biz: request.body.clone() },
            None => Self { method: request.path.clone(), biz: params.remove("biz").unwrap_or_default(), params },
        }
    }
}

/// A running vendor with an account.
pub(crate) struct Desk {
    server: FixtureServer,
    settings: String,
    clock: Arc<TestClock>,
}

/// What the clock shows at the start.
pub(crate) const NOW: &str = "2025-01-01T00:00:00Z";

impl Desk {
    /// Starts one that answers with the body that `answer` gives; `settings` go beside the key and the secret.
    pub(crate) async fn start(settings: &str, answer: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Self {
        let server = FixtureServer::start(move |request| answer(&Asked::of(request)).into()).await.unwrap();
        let url = server.url();
        let url = if settings.contains("'old'") { format!("{url}/api") } else { url.to_owned() };
        let settings = format!("app_key = 'a1'\napp_secret = 'hush-hush'\nbase_url = '{url}'\n{settings}");
        let clock = Arc::new(TestClock::new(NOW.parse().unwrap(), |_| ()));
        Self { server, settings, clock }
    }

    /// One that has a token already.
    pub(crate) async fn with_token(answer: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Self {
        Self::start("access_token = 'given-access'", answer).await
    }

    /// Opens the account, with a token store of its own.
    pub(crate) fn open(&self) -> Opened {
        conformance::open(connector("jushuitan").unwrap(), self, &self.clock).unwrap()
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.server.requests().iter().map(Asked::of).collect()
    }

    /// The methods it was asked for so far.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.method).collect()
    }

    /// Moves the account's clock forwards.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

#[async_trait]
impl Vendor for Desk {
    fn settings(&self) -> toml::Table {
        toml::from_str(&self.settings).unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    fn starts_at(&self) -> Timestamp {
        NOW.parse().unwrap()
    }

    async fn holds(&self, _: &Arc<TestClock>, _: &StreamSpec, _: Load) -> Option<Scene> {
        None
    }

    fn fails(&self, _: &StreamSpec, _: Failure, _: Strike) -> bool {
        false
    }

    fn mends(&self) {}

    fn n_calls(&self) -> u64 {
        self.server.n_requests() as u64
    }
}
