//! How a Kuaimai simulator is set up, with a choice for each point on which the sources of the page disagree.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::faults::FaultRule;

/// Everything that can be chosen at the start.
///
/// The same settings give the same data and the same answers; without `clock_start` the data follow the machine's
/// clock.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Decides all data.
    pub seed: u64,
    /// Orders of `erp.trade.list.query`; the other sales entities follow from it.
    pub n_orders: u32,
    /// Items, at least 1, with one to four SKUs each.
    pub n_items: u32,
    /// Purchase orders; the other stock documents follow from it.
    pub n_documents: u32,
    /// Port on `127.0.0.1`; 0: any free one.
    pub port: u16,
    /// App key; digits, as the vendor's.
    pub app_key: String,
    /// App secret.
    pub app_secret: String,
    /// Access token.
    pub session: String,
    /// Refresh token.
    pub refresh_token: String,
    /// Call limits, each a number of calls in any sliding window of a length; none: no limit.
    ///
    /// Measured on the simulator's clock: while that is frozen, windows do not slide.
    pub limits: Vec<(u32, Duration)>,
    /// Whether HTTP 429 names `Retry-After` (whole seconds, rounded up).
    pub retry_after: bool,
    /// Time each call takes on the way, half before it arrives and half after it is answered.
    pub latency: Duration,
    /// Up to this much more, at random, on both ways together.
    pub jitter: Duration,
    /// Where the clock starts; `None`: the machine's time.
    pub clock_start: Option<Timestamp>,
    /// Whether the clock stands still until it is moved.
    pub clock_frozen: bool,
    /// Span over which the modified times spread, up to `quiet` before the clock's start.
    pub history: Duration,
    /// No document is younger than this at the start.
    pub quiet: Duration,
    /// Life of the session from the start and from each refresh.
    pub session_life: Duration,
    /// A refresh sooner than this after the last one is refused.
    pub refresh_interval: Duration,
    /// Faults in force from the start.
    pub faults: Vec<FaultRule>,
    /// Order of the rows in an answer.
    pub order: SortOrder,
    /// What the last second of a window holds.
    pub window_end: WindowEnd,
    /// Which pages carry `total`. Stock never carries it past page 1.
    pub total_on: TotalOn,
    /// What an empty result looks like.
    pub empty: EmptyResult,
    /// What good answers carry beside their data.
    pub envelope: Envelope,
    /// What `expiresIn` means in the refresh reply.
    pub expires_in: ExpiresIn,
    /// What becomes of the tokens at a refresh.
    pub rotation: Rotation,
    /// What the `.get` methods of documents answer.
    pub detail: DetailShape,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            seed: 1,
            n_orders: 1_000,
            n_items: 200,
            n_documents: 200,
            port: 0,
            app_key: "100001".to_owned(),
            app_secret: "sandbox-app-secret".to_owned(),
            session: "sandbox-access-token".to_owned(),
            refresh_token: "sandbox-refresh-token".to_owned(),
            limits: vec![(15, Duration::from_secs(1))],
            retry_after: true,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            clock_start: None,
            clock_frozen: false,
            history: 30 * DAY,
            quiet: Duration::from_hours(1),
            session_life: 30 * DAY,
            refresh_interval: Duration::from_hours(1),
            faults: Vec::new(),
            order: SortOrder::default(),
            window_end: WindowEnd::default(),
            total_on: TotalOn::default(),
            empty: EmptyResult::default(),
            envelope: Envelope::default(),
            expires_in: ExpiresIn::default(),
            rotation: Rotation::default(),
            detail: DetailShape::default(),
        }
    }
}

/// Order of the rows, by the time a window is asked by, then by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SortOrder {
    /// Newest first.
    #[default]
    Descending,
    /// Oldest first.
    Ascending,
}

/// How the end of a window, which has whole seconds, compares with rows, which have milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowEnd {
    /// As an instant: a row at `12:00:00.001` lies after `12:00:00`.
    #[default]
    Instant,
    /// As a whole second: it lies within.
    WholeSecond,
}

/// Which pages carry `total`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TotalOn {
    /// Every page (vendor's documentation).
    #[default]
    EveryPage,
    /// Page 1 only (seen in production).
    FirstPage,
    /// None.
    Never,
}

/// What an empty result looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyResult {
    /// Neither list nor `total`.
    #[default]
    Omitted,
    /// An empty list, and `total` as on other pages.
    EmptyList,
}

/// What good answers carry beside their data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    /// `"success":true`.
    #[default]
    Success,
    /// No `success` at all.
    Bare,
    /// `"success":true,"code":"0","msg":"success"`.
    WithCode,
}

/// What `expiresIn` means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpiresIn {
    /// Seconds from now.
    #[default]
    Seconds,
    /// Epoch seconds.
    EpochSeconds,
    /// Epoch milliseconds.
    EpochMillis,
    /// No `expiresIn`; a top-level `expireTime` text instead.
    Text,
}

/// What becomes of the tokens at a refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// Both strings stay.
    #[default]
    Keep,
    /// The refresh token is replaced, and the old one dies.
    Refresh,
    /// Both are replaced, and the old ones die.
    Both,
}

/// What `purchase.order.get` and the like answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetailShape {
    /// `list` holds the lines.
    #[default]
    Lines,
    /// `list` holds the document, which holds its lines under `items`.
    Document,
}
