//! A ready vendor for plain JSON APIs: a closure renders pages, and failures are answers.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use milkrun_core::{Paging, Slice, StreamSpec, Window};

use super::{Failure, Load, SLOW, Scene, Strike, TestClock, Vendor};
use crate::http::{FixtureServer, Reply, Request};

/// How long to wait after [`Failure::Throttled`], as the header `retry-after` says.
const TOLD: Duration = Duration::from_secs(7);

/// The rows of a page, counted from 1, where pages count from 1 too and hold `size` rows of `n` in all.
pub fn rows_of_page(n: u64, page: u64, size: u64) -> Range<u64> {
    let from = page.saturating_sub(1).saturating_mul(size).min(n);
    from + 1..(from + size).min(n) + 1
}

type Render = dyn Fn(&Request, u64) -> Reply + Send + Sync;
type AnswerTo = dyn Fn(&Request) -> Reply + Send + Sync;
type Grant = dyn Fn(&Request, u64) -> Option<Reply> + Send + Sync;
type Shows = dyn Fn(&Request, u64) -> bool + Send + Sync;

/// A [`FixtureVendor`] that is being described.
pub struct FixtureBuilder {
    settings: Box<dyn Fn(&str) -> String + Send + Sync>,
    secrets: Vec<String>,
    answers: Answers,
}

/// Everything that answers.
struct Answers {
    page: Box<Render>,
    page_parameter: Option<(String, String)>,
    failures: BTreeMap<Failure, Box<AnswerTo>>,
    token: Option<(Box<Grant>, Box<Shows>)>,
}

/// What changes while it runs.
#[derive(Default)]
struct State {
    n_records: u64,
    failing: Option<(Failure, Strike, u32)>,
    n_calls: u64,
    n_tokens: u64,
    /// The token that was granted last has ended.
    ended: bool,
}

/// A vendor that a closure plays: it holds any number of records, and fails in all ways.
pub struct FixtureVendor {
    server: FixtureServer,
    settings: toml::Table,
    secrets: Vec<String>,
    answers: Arc<Answers>,
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for FixtureBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixtureBuilder")
    }
}

impl fmt::Debug for FixtureVendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FixtureVendor({})", self.server.url())
    }
}

impl FixtureVendor {
    /// A vendor that answers a good call so: `page` gives the page that the request asks for, of so many records in all.
    ///
    /// It is asked for every path that is no token's, so that `check` and all streams go through it.
    #[expect(clippy::new_ret_no_self, reason = "a vendor is described first and started then")]
    pub fn new(page: impl Fn(&Request, u64) -> Reply + Send + Sync + 'static) -> FixtureBuilder {
        let answers = Answers { page: Box::new(page), page_parameter: None, failures: BTreeMap::new(), token: None };
        FixtureBuilder { settings: Box::new(|_| String::new()), secrets: Vec::new(), answers }
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

impl FixtureBuilder {
    /// The settings of a valid account as TOML, without `connector`, for a vendor at this address.
    #[must_use]
    pub fn settings(mut self, settings: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.settings = Box::new(settings);
        self
    }

    /// A text that nothing may show.
    #[must_use]
    pub fn secret(mut self, text: &str) -> Self {
        self.secrets.push(text.to_owned());
        self
    }

    /// The parameter that says which page is wanted, and its value for the first one.
    #[must_use]
    pub fn page_parameter(mut self, name: &str, first: &str) -> Self {
        self.answers.page_parameter = Some((name.to_owned(), first.to_owned()));
        self
    }

    /// How the vendor answers when this goes wrong. Those that are the same for all vendors are there already.
    #[must_use]
    pub fn answers(mut self, failure: Failure, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        self.answers.failures.insert(failure, Box::new(answer));
        self
    }

    /// How tokens are had: `grant` answers a call for the token with this number, counted from 1, and gives `None` for
    /// all other calls; `shows` says whether a call carries it. The answer to a call that does not carry the current
    /// token is that of [`Failure::TokenRefused`].
    #[must_use]
    pub fn token(
        mut self,
        grant: impl Fn(&Request, u64) -> Option<Reply> + Send + Sync + 'static,
        shows: impl Fn(&Request, u64) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.answers.token = Some((Box::new(grant), Box::new(shows)));
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// If no port is free, the settings are no TOML, or a vendor with tokens has no answer to one that it refuses.
    pub async fn start(self) -> FixtureVendor {
        let Self { settings, secrets, answers } = self;
        let refuses = answers.failures.contains_key(&Failure::TokenRefused);
        assert!(answers.token.is_none() || refuses, "say how the vendor answers Failure::TokenRefused");
        let (answers, state) = (Arc::new(answers), Arc::<Mutex<State>>::default());
        let (answering, changing) = (Arc::clone(&answers), Arc::clone(&state));
        let server = FixtureServer::start(move |request| {
            let mut state = changing.lock().expect("no holder panics");
            answering.answer(request, &mut state)
        });
        let server = server.await.expect("a port is free");
        let settings = settings(server.url()).parse().expect("the settings are TOML");
        FixtureVendor { server, settings, secrets, answers, state }
    }
}

impl Answers {
    fn answer(&self, request: &Request, state: &mut State) -> Reply {
        state.n_calls += 1;
        if let Some((grant, shows)) = &self.token {
            if let Some(granted) = grant(request, state.n_tokens + 1) {
                state.n_tokens += 1;
                state.ended = false;
                return granted;
            }
            if state.ended || !shows(request, state.n_tokens) {
                return self.failures[&Failure::TokenRefused](request);
            }
        }
        if let Some((failure, strike, n)) = &mut state.failing {
            *n += 1;
            if strike.hits(*n) {
                return self.fail(*failure, request, state.n_records);
            }
        }
        (self.page)(request, state.n_records)
    }

    fn fail(&self, failure: Failure, request: &Request, n: u64) -> Reply {
        if let Some(answer) = self.failures.get(&failure) {
            return answer(request);
        }
        let good = (self.page)(request, n);
        match failure {
            Failure::Html => Reply::html("<!DOCTYPE html>\n<html><body>Under repair.</body></html>"),
            Failure::EmptyBody => Reply::json(""),
            Failure::Truncated => spoil(good, |body| body[..body.floor_char_boundary(body.len() / 2)].to_owned()),
            Failure::BrokenOff => {
                Reply::Truncate(if let Reply::Answer { body, .. } = good { body } else { "{}".into() })
            }
            Failure::Reset => Reply::Abort,
            Failure::Slow => Reply::Late(SLOW, Box::new(good)),
            Failure::Throttled => Reply::new(429, "text/html", "<html>Too fast.</html>")
                .header("retry-after", &TOLD.as_secs().to_string()),
            Failure::TotalMissing => spoil(good, |body| {
                let mut json = serde_json::from_str(body).expect("the page is JSON");
                remove_total(&mut json);
                json.to_string()
            }),
            Failure::PageIgnored | Failure::SamePage => {
                let (name, first) = self.page_parameter.as_ref().expect("looked at by `fails`");
                (self.page)(&request.with_param(name, first), n)
            }
            Failure::TemporaryCode
            | Failure::Refused
            | Failure::UnknownCode
            | Failure::ClockSkew
            | Failure::TokenRefused => unreachable!("looked at by `fails`"),
        }
    }

    fn plays(&self, failure: Failure) -> bool {
        let own = matches!(
            failure,
            Failure::TemporaryCode
                | Failure::Refused
                | Failure::UnknownCode
                | Failure::ClockSkew
                | Failure::TokenRefused
        );
        let pages = matches!(failure, Failure::PageIgnored | Failure::SamePage);
        self.failures.contains_key(&failure) || !(own || (pages && self.page_parameter.is_none()))
    }
}

/// The answer with another body.
fn spoil(good: Reply, spoil: impl FnOnce(&str) -> String) -> Reply {
    match good {
        Reply::Answer { status, headers, body } => Reply::Answer { status, headers, body: spoil(&body) },
        other => other,
    }
}

/// What vendors call the total.
const TOTALS: [&str; 3] = ["total", "totalCount", "recordCount"];

/// Takes the total out of the objects around the records.
fn remove_total(json: &mut serde_json::Value) {
    if let serde_json::Value::Object(fields) = json {
        for name in TOTALS {
            fields.remove(name);
        }
        fields.values_mut().for_each(remove_total);
    }
}

#[async_trait]
impl Vendor for FixtureVendor {
    fn settings(&self) -> toml::Table {
        self.settings.clone()
    }

    fn secrets(&self) -> Vec<String> {
        self.secrets.clone()
    }

    async fn holds(&self, _: &Arc<TestClock>, stream: &StreamSpec, load: Load) -> Option<Scene> {
        let limits = stream.page_size;
        let paged = stream.paging != Paging::None;
        let size = if paged { 3.clamp(limits.min, limits.max.unwrap_or(u32::MAX)) } else { limits.usual };
        let n_records = match load {
            Load::Empty => 0,
            Load::One => 1,
            Load::Several => 2,
            Load::FullPage => size,
            Load::FullPageAndOne => size + 1,
        };
        self.state().n_records = n_records.into();
        let window = stream.window.as_ref().map(|window| {
            let until = self.starts_at() - SignedDuration::from_hours(24);
            let length = SignedDuration::try_from(window.longest).unwrap_or(SignedDuration::MAX);
            Window { from: until - length.min(SignedDuration::from_hours(1)), until }
        });
        let partition = stream.partition.as_ref().map(|_| "P-1".to_owned());
        Some(Scene { slice: Slice { window, partition, ..Slice::default() }, size, n_records: n_records as usize })
    }

    fn fails(&self, _: &StreamSpec, failure: Failure, strike: Strike) -> bool {
        let plays = self.answers.plays(failure);
        self.state().failing = plays.then_some((failure, strike, 0));
        plays
    }

    fn mends(&self) {
        self.state().failing = None;
    }

    async fn ends_token(&self, _: &Arc<TestClock>) -> bool {
        self.state().ended = true;
        self.answers.token.is_some()
    }

    fn n_calls(&self) -> u64 {
        self.state().n_calls
    }

    fn n_renewals(&self) -> u64 {
        self.state().n_tokens
    }

    fn told_wait(&self) -> Duration {
        TOLD
    }
}
