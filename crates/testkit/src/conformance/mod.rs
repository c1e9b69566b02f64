//! The conformance suite: what every connector has to do, asked of a vendor that a test holds in its hands.
//!
//! A connector's `tests/conformance.rs` starts a [`Vendor`] and names what does not apply to it, with the reason:
//!
//! ```no_run
//! use milkrun_testkit::conformance::{self, Failure, FixtureVendor, Waiver};
//! use milkrun_testkit::http::Reply;
//!
//! const KEY: &str = "hush-hush";
//!
//! /// The vendor's answer: the records of the page that is asked for, of `n` in all.
//! fn page(request: &milkrun_testkit::http::Request, n: u64) -> Reply {
//!     let (page, size) = (request.number("page").unwrap_or(1), request.number("page_size").unwrap_or(100));
//!     let ids = conformance::rows_of_page(n, page, size);
//!     let rows: Vec<_> = ids.map(|id| format!("{{\"id\":{id},\"modified\":\"2026-08-01 00:00:00\"}}")).collect();
//!     Reply::json(format!("{{\"code\":0,\"data\":{{\"total\":{n},\"list\":[{}]}}}}", rows.join(",")))
//! }
//!
//! async fn vendor() -> FixtureVendor {
//!     FixtureVendor::new(page)
//!         .settings(|url| format!("api_key = '{KEY}'\nbase_url = '{url}'"))
//!         .secret(KEY)
//!         .page_parameter("page", "1")
//!         .answers(Failure::TemporaryCode, |_| Reply::json("{\"code\":5000,\"message\":\"busy\"}"))
//!         .answers(Failure::Refused, |_| Reply::json(format!("{{\"code\":2001,\"message\":\"no, {KEY}\"}}")))
//!         .answers(Failure::UnknownCode, |_| Reply::json("{\"code\":9999}"))
//!         .start()
//!         .await
//! }
//!
//! #[tokio::test]
//! async fn conforms() {
//!     let waivers = [Waiver::new("clock-skew", "*", "calls carry no time")];
//!     conformance::check("acme", vendor, &waivers).await;
//! }
//! ```
//!
//! # What it asks
//! Each case gets a vendor, a clock and a token store of its own; [`Case::ALL`] says what each of them asks. Cases of
//! streams run for every stream of the account. Cases that cannot apply are left out by themselves: those about calls
//! where the account makes none, those about tokens where it has none, those about a second page where there is none.
//! What the vendor under test cannot play has to be waived with a reason, and a waiver for what passes is an error.
//!
//! Whatever the case, nothing that it brings to light may hold a secret: errors with their facts, causes and advice, the
//! `Debug` of all that was opened, and the log at every level.
//!
//! Time is a [`TestClock`]: it stands still but for waits, which end at once and are remembered.

mod cases;
mod fixture;
mod settings;
mod surroundings;
#[cfg(test)]
mod tests;
mod walk;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use milkrun_core::{ConnectorSpec, Slice, StreamSpec, connector};

pub use self::fixture::{FixtureBuilder, FixtureVendor, rows_of_page};
use self::surroundings::Stage;
pub use self::surroundings::{Opened, TestClock, open};

/// How many records a slice is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// None.
    Empty,
    /// One.
    One,
    /// At least two, all on one page.
    Several,
    /// As many as a page may have.
    FullPage,
    /// One more than a page may have.
    FullPageAndOne,
}

/// A slice that holds so many records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The slice.
    pub slice: Slice,
    /// How many records a page may have.
    pub size: u32,
    /// How many records the slice holds.
    pub n_records: usize,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// An HTML page with HTTP 200.
    Html,
    /// HTTP 200 without a body.
    EmptyBody,
    /// The first half of the answer arrives as if it were all.
    Truncated,
    /// The connection ends in the middle of the answer.
    BrokenOff,
    /// The connection is reset instead of an answer.
    Reset,
    /// The answer takes [`SLOW`] longer.
    Slow,
    /// The vendor says that calls come too fast; it waits for [`Vendor::told_wait`].
    Throttled,
    /// The vendor's own word for "not now".
    TemporaryCode,
    /// The vendor's own word for "never".
    Refused,
    /// A code that the vendor does not document.
    UnknownCode,
    /// The vendor's clock shows another time, so that it refuses the call.
    ClockSkew,
    /// The vendor refuses the token; a renewed one would be accepted.
    TokenRefused,
    /// Answers carry no total.
    TotalMissing,
    /// The page parameter is ignored, as after a misspelling: the first page comes always.
    PageIgnored,
    /// The first page comes always, and claims that more follows.
    SamePage,
}

/// How much later [`Failure::Slow`] answers come.
pub const SLOW: Duration = Duration::from_secs(3);

/// When it goes wrong, counted over the calls from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strike {
    /// At each call.
    Always,
    /// At the next n calls.
    Next(u32),
    /// At every n-th call: `Every(3)` leaves two calls alone and strikes the third.
    Every(u32),
}

impl Strike {
    /// Whether the call with this number is struck, counted from 1.
    pub fn hits(self, n: u32) -> bool {
        match self {
            Self::Always => true,
            Self::Next(most) => n <= most,
            Self::Every(step) => n.is_multiple_of(step.max(1)),
        }
    }
}

/// A vendor under test, as a test holds it in its hands.
#[async_trait]
pub trait Vendor: Send + Sync {
    /// The settings of a valid account, without `connector`.
    fn settings(&self) -> toml::Table;

    /// The folder of the installation.
    fn folder(&self) -> PathBuf {
        PathBuf::from("/")
    }

    /// The texts that nothing may show: those of the settings, and the tokens granted so far.
    fn secrets(&self) -> Vec<String>;

    /// What the clocks show at the start.
    fn starts_at(&self) -> Timestamp {
        Timestamp::from_second(1_785_600_000).expect("2026-08-01T16:00:00Z is a time")
    }

    /// Sets the vendor's clock: called whenever the account's clock moves.
    fn set_clock(&self, _: Timestamp) {}

    /// Makes a slice of the stream hold so many records; `None` if the vendor cannot do that.
    async fn holds(&self, clock: &Arc<TestClock>, stream: &StreamSpec, load: Load) -> Option<Scene>;

    /// From now on this goes wrong with calls for that stream, beside nothing else; false if the vendor cannot do that.
    fn fails(&self, stream: &StreamSpec, failure: Failure, strike: Strike) -> bool;

    /// From now on nothing goes wrong.
    fn mends(&self);

    /// Ends the token in use, or lets it grow so old that it has to be replaced; false if the vendor cannot do that.
    async fn ends_token(&self, _clock: &Arc<TestClock>) -> bool {
        false
    }

    /// Calls received so far, those that fail included; 0 where no calls are made.
    fn n_calls(&self) -> u64;

    /// Tokens granted or renewed so far.
    fn n_renewals(&self) -> u64 {
        0
    }

    /// How long one has to wait after [`Failure::Throttled`].
    fn told_wait(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// One thing that every connector has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// See [`Case::what`], as for all others.
    Streams,
    /// See there.
    Check,
    /// See there.
    RequiredSettings,
    /// See there.
    UnknownSettings,
    /// See there.
    Secrets,
    /// See there.
    OneRenewal,
    /// See there.
    Slow,
    /// See there.
    Reads(Load),
    /// See there.
    Resumes,
    /// See there.
    ForeignPosition,
    /// See there.
    Fails(Failure),
}

impl Case {
    /// All cases, in the order in which they run.
    pub const ALL: [Self; 27] = [
        Self::Streams,
        Self::Check,
        Self::RequiredSettings,
        Self::UnknownSettings,
        Self::Secrets,
        Self::OneRenewal,
        Self::Slow,
        Self::Reads(Load::Empty),
        Self::Reads(Load::One),
        Self::Reads(Load::Several),
        Self::Reads(Load::FullPage),
        Self::Reads(Load::FullPageAndOne),
        Self::Resumes,
        Self::ForeignPosition,
        Self::Fails(Failure::Html),
        Self::Fails(Failure::EmptyBody),
        Self::Fails(Failure::Truncated),
        Self::Fails(Failure::BrokenOff),
        Self::Fails(Failure::Reset),
        Self::Fails(Failure::Throttled),
        Self::Fails(Failure::TemporaryCode),
        Self::Fails(Failure::Refused),
        Self::Fails(Failure::UnknownCode),
        Self::Fails(Failure::ClockSkew),
        Self::Fails(Failure::TokenRefused),
        Self::Fails(Failure::TotalMissing),
        Self::Fails(Failure::PageIgnored),
    ];

    /// The name that reports and waivers use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Streams => "streams",
            Self::Check => "check",
            Self::RequiredSettings => "required-settings",
            Self::UnknownSettings => "unknown-settings",
            Self::Secrets => "secrets",
            Self::OneRenewal => "one-renewal",
            Self::Slow | Self::Fails(Failure::Slow) => "slow",
            Self::Reads(Load::Empty) => "empty",
            Self::Reads(Load::One) => "one-record",
            Self::Reads(Load::Several) => "several-records",
            Self::Reads(Load::FullPage) => "full-page",
            Self::Reads(Load::FullPageAndOne) => "full-page-and-one",
            Self::Resumes => "resumes",
            Self::ForeignPosition => "foreign-position",
            Self::Fails(Failure::Html) => "html",
            Self::Fails(Failure::EmptyBody) => "empty-body",
            Self::Fails(Failure::Truncated) => "truncated",
            Self::Fails(Failure::BrokenOff) => "broken-off",
            Self::Fails(Failure::Reset) => "reset",
            Self::Fails(Failure::Throttled) => "throttled",
            Self::Fails(Failure::TemporaryCode) => "temporary-code",
            Self::Fails(Failure::Refused) => "refused",
            Self::Fails(Failure::UnknownCode) => "unknown-code",
            Self::Fails(Failure::ClockSkew) => "clock-skew",
            Self::Fails(Failure::TokenRefused) => "token-refused",
            Self::Fails(Failure::TotalMissing) => "total-missing",
            Self::Fails(Failure::PageIgnored) => "page-ignored",
            Self::Fails(Failure::SamePage) => "same-page",
        }
    }

    /// What it asks.
    pub fn what(self) -> &'static str {
        match self {
            Self::Streams => "streams are the same each time the account is opened, and their facts make sense",
            Self::Check => "`check` passes for a good account, and fails where the answer is no answer",
            Self::RequiredSettings => "each required setting that is left out is asked for by its name",
            Self::UnknownSettings => "a setting that does not exist is refused by its name, at every level",
            Self::Secrets => "neither what was opened nor what refuses a setting shows a secret",
            Self::OneRenewal => {
                "eight readers whose token ends renew it once, and use the new one only once it is stored"
            }
            Self::Slow => "an answer that does not come in time is asked for again, and in the end said",
            Self::Reads(_) => {
                "every record comes once, with its key, a version that can be read, and totals that add up"
            }
            Self::Resumes => "another process that goes on from any position reads the same records from there on",
            Self::ForeignPosition => "a saved position of another kind of paging is refused",
            Self::Fails(Failure::Html | Failure::EmptyBody | Failure::Truncated) => {
                "it is asked for again, and in the end an error, never an empty page"
            }
            Self::Fails(Failure::BrokenOff | Failure::Reset | Failure::Slow | Failure::TemporaryCode) => {
                "it is asked for again, and in the end said"
            }
            Self::Fails(Failure::Throttled) => "nothing is sent for as long as told, then it goes on",
            Self::Fails(Failure::Refused) => "it is said at once, and not asked for again",
            Self::Fails(Failure::UnknownCode) => "it is an error, never an empty page",
            Self::Fails(Failure::ClockSkew) => "the error says at once that it is about the time",
            Self::Fails(Failure::TokenRefused) => "the token is renewed once, and not for ever",
            Self::Fails(Failure::TotalMissing) => "the records come all the same, and no total is made up",
            Self::Fails(Failure::PageIgnored | Failure::SamePage) => {
                "the same page once more can be recognised, so that a reading does not go on for ever"
            }
        }
    }

    /// Whether it runs for each stream.
    fn is_of_stream(self) -> bool {
        matches!(self, Self::Reads(_) | Self::Resumes | Self::ForeignPosition | Self::Fails(_))
    }
}

/// A case that a connector cannot pass or a vendor cannot play, and why.
#[derive(Clone, Debug)]
pub struct Waiver {
    case: &'static str,
    streams: Vec<&'static str>,
    reason: &'static str,
}

impl Waiver {
    /// Waives a case for these streams, separated by blanks; `*` is all of them, and also cases without a stream.
    pub fn new(case: &'static str, streams: &'static str, reason: &'static str) -> Self {
        Self { case, streams: streams.split_whitespace().collect(), reason }
    }

    fn covers(&self, case: Case, stream: &str) -> bool {
        self.case == case.name() && self.streams.iter().any(|name| *name == "*" || *name == stream)
    }
}

/// Why a case did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The connector does something else.
    Failed(String),
    /// The vendor under test cannot do what the case needs.
    Unplayable(String),
    /// The case has no meaning here.
    NotApplicable,
}

impl From<milkrun_core::Error> for Stop {
    fn from(error: milkrun_core::Error) -> Self {
        Self::Failed(format!("{error:?}"))
    }
}

/// How a case went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The connector does what it has to.
    Passed,
    /// The case has no meaning for this account or stream.
    NotApplicable,
    /// It is waived, and would not pass.
    Waived,
    /// The connector does something else, or a waiver is missing or stale.
    Failed,
}

/// How one case went for one stream.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case.
    pub case: Case,
    /// The stream; empty for cases without one.
    pub stream: String,
    /// How it went.
    pub mark: Mark,
    /// Why, unless it passed.
    pub why: String,
}

/// How all cases went.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One entry for each case and stream.
    pub outcomes: Vec<Outcome>,
    /// Waivers that waive nothing.
    pub stale: Vec<String>,
}

impl Report {
    /// How many cases went so.
    pub fn n(&self, mark: Mark) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.mark == mark).count()
    }

    /// What is wrong, one line each; empty if nothing is.
    pub fn failures(&self) -> String {
        let mut text = String::new();
        for Outcome { case, stream, why, .. } in self.outcomes.iter().filter(|o| o.mark == Mark::Failed) {
            let stream = if stream.is_empty() { String::new() } else { format!("[{stream}]") };
            let _ = writeln!(text, "{}{stream}: {why}\n    ({})", case.name(), case.what());
        }
        for stale in &self.stale {
            let _ = writeln!(text, "{stale}");
        }
        text
    }
}

/// Runs all cases against vendors that `start` starts, and panics with what is wrong.
///
/// # Panics
/// If a case fails, cannot be played without a waiver, or passes in spite of one.
pub async fn check<V: Vendor + 'static>(name: &str, start: impl AsyncFn() -> V, waivers: &[Waiver]) {
    let report = run(name, start, waivers).await;
    let failures = report.failures();
    assert!(failures.is_empty(), "`{name}` does not conform:\n{failures}");
    assert!(report.n(Mark::Passed) > 0, "`{name}` was asked nothing");
}

/// Runs all cases against vendors that `start` starts.
///
/// Runs on a current-thread runtime only, as `#[tokio::test]` makes it: the log is captured for the thread.
///
/// # Panics
/// If no connector of that name is linked, or the vendor's settings do not open an account that can be read.
pub async fn run<V: Vendor + 'static>(name: &str, start: impl AsyncFn() -> V, waivers: &[Waiver]) -> Report {
    run_cases(name, start, waivers, &Case::ALL).await
}

async fn run_cases<V: Vendor + 'static>(
    name: &str,
    start: impl AsyncFn() -> V,
    waivers: &[Waiver],
    cases: &[Case],
) -> Report {
    let spec: &'static ConnectorSpec = connector(name).expect("the test names the connector's crate");
    let streams = {
        let stage = Stage::new(spec, Arc::new(start().await));
        stage.open().expect("the vendor's settings are good").source().streams().to_vec()
    };
    let mut report = Report::default();
    let mut used = vec![false; waivers.len()];
    for &case in cases {
        let scopes: Vec<Option<&StreamSpec>> =
            if case.is_of_stream() { streams.iter().map(Some).collect() } else { vec![None] };
        for stream in scopes {
            let stage = Stage::new(spec, Arc::new(start().await));
            let outcome = {
                let _log = stage.transcript.capture();
                cases::play(case, &stage, &streams, stream).await
            };
            let outcome = outcome.and_then(|()| stage.shows_no_secret());
            let stream = stream.map(|stream| stream.name.clone()).unwrap_or_default();
            let waiver = waivers.iter().position(|waiver| waiver.covers(case, &stream));
            if let Some(waiver) = waiver {
                used[waiver] = true;
            }
            let reason = waiver.map(|waiver| waivers[waiver].reason);
            let (mark, why) = match (outcome, reason) {
                (Ok(()), None) => (Mark::Passed, String::new()),
                (Ok(()), Some(reason)) => (Mark::Failed, format!("stale waiver: it passes, in spite of “{reason}”")),
                (Err(Stop::NotApplicable), Some(reason)) => {
                    (Mark::Failed, format!("stale waiver: it has no meaning here, beside “{reason}”"))
                }
                (Err(Stop::NotApplicable), None) => (Mark::NotApplicable, String::new()),
                (Err(_), Some(reason)) => (Mark::Waived, reason.to_owned()),
                (Err(Stop::Failed(why)), None) => (Mark::Failed, why),
                (Err(Stop::Unplayable(what)), None) => {
                    (Mark::Failed, format!("the vendor cannot play {what}: teach it, or waive the case with a reason"))
                }
            };
            report.outcomes.push(Outcome { case, stream, mark, why });
        }
    }
    let stale = waivers.iter().zip(used).filter(|(_, used)| !used);
    report
        .stale
        .extend(stale.map(|(waiver, _)| format!("stale waiver: no case is `{}` {:?}", waiver.case, waiver.streams)));
    report
}
