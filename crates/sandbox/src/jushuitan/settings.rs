//! How a Jushuitan simulator is set up, with a choice for each point that the page leaves open.

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
    /// Orders; stock-outs, logistics, after-sale orders and return receipts follow from it.
    pub n_orders: u32,
    /// Items by style, at least 1, with three SKUs each; shop SKUs, combos and inventory follow from it.
    pub n_items: u32,
    /// Purchase orders; the other stock documents follow from it.
    pub n_documents: u32,
    /// Shops, at least 1.
    pub n_shops: u32,
    /// Suppliers, at least 1.
    pub n_suppliers: u32,
    /// Port on `127.0.0.1`; 0: any free one.
    pub port: u16,
    /// App key of the new API.
    pub app_key: String,
    /// App secret of the new API.
    pub app_secret: String,
    /// What kind of app it is, which decides how it gets tokens.
    pub app: AppKind,
    /// Authorisation codes that can be used once each, within `code_life` from the start.
    pub codes: Vec<String>,
    /// Access token that is good at the start.
    pub access_token: String,
    /// Refresh token that is good at the start.
    pub refresh_token: String,
    /// Partner id of the old API.
    pub partner_id: String,
    /// Partner key of the old API.
    pub partner_key: String,
    /// Token of the old API.
    pub old_token: String,
    /// Call limits, each a number of calls in any sliding window of a length; none: no limit.
    ///
    /// Windows of up to a second answer `199`, longer ones `200`. Measured on the simulator's clock: while that is
    /// frozen, windows do not slide.
    pub limits: Vec<(u32, Duration)>,
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
    /// Life of an access token, `expires_in`, from the start and from each grant.
    pub token_life: Duration,
    /// Life of a refresh token from the start and from each grant.
    pub refresh_life: Duration,
    /// Life of an authorisation code.
    pub code_life: Duration,
    /// Life of the old API's token from the start and from each refresh.
    pub old_token_life: Duration,
    /// How long a repeated `refresh.token` of the old API gets the answer of the first.
    pub old_refresh_cache: Duration,
    /// Faults in force from the start.
    pub faults: Vec<FaultRule>,
    /// Order of the rows of a window.
    pub order: SortOrder,
    /// What the last second of a window holds.
    pub window_end: WindowEnd,
    /// How `has_next` is written.
    pub has_next: HasNext,
    /// How `ts` is written.
    pub ts: TsForm,
    /// What becomes of the tokens at a refresh.
    pub rotation: Rotation,
    /// What a repeated `getInitToken` gives while the token lives.
    pub init_token: InitToken,
    /// How far a timestamp may be off, and the code for more.
    pub timestamp: TimestampRule,
    /// What a second inventory adjustment with the same `so_id` answers.
    pub repeat: Repeat,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            seed: 1,
            n_orders: 1_000,
            n_items: 100,
            n_documents: 200,
            n_shops: 5,
            n_suppliers: 20,
            port: 0,
            app_key: "5a3e1f0c9b8d47268c51d0e4f7a2b693".to_owned(),
            app_secret: "sandbox-app-secret".to_owned(),
            app: AppKind::default(),
            codes: vec!["sandbox-code".to_owned()],
            access_token: "sandbox-access-token".to_owned(),
            refresh_token: "sandbox-refresh-token".to_owned(),
            partner_id: "sandbox-partner".to_owned(),
            partner_key: "sandbox-partner-key".to_owned(),
            old_token: "sandbox-old-token".to_owned(),
            limits: vec![(5, Duration::from_secs(1)), (100, Duration::from_mins(1))],
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            clock_start: None,
            clock_frozen: false,
            history: 30 * DAY,
            quiet: Duration::from_hours(1),
            token_life: 30 * DAY,
            refresh_life: 30 * DAY,
            code_life: Duration::from_mins(15),
            old_token_life: 365 * DAY,
            old_refresh_cache: Duration::from_hours(1),
            faults: Vec::new(),
            order: SortOrder::default(),
            window_end: WindowEnd::default(),
            has_next: HasNext::default(),
            ts: TsForm::default(),
            rotation: Rotation::default(),
            init_token: InitToken::default(),
            timestamp: TimestampRule::default(),
            repeat: Repeat::default(),
        }
    }
}

/// What kind of app calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppKind {
    /// The merchant's own: `getInitToken` and `refreshToken`.
    #[default]
    Merchant,
    /// A third party's: authorisation code and `refreshToken`.
    ThirdParty,
    /// A service provider's: authorisation code; `refreshToken` is refused with `150`.
    ServiceProvider,
}

/// Order of the rows of a window, by the time it is asked by, then by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SortOrder {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
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

/// How `has_next` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HasNext {
    /// `true` or `false`.
    #[default]
    Bool,
    /// `1` or `0`.
    Number,
    /// `"true"` or `"false"`.
    Text,
}

/// How `ts` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TsForm {
    /// As a number.
    #[default]
    Number,
    /// As a text.
    Text,
}

/// What becomes of the tokens at a refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// Both are replaced, and the old ones die.
    #[default]
    Both,
    /// The refresh token is replaced, and the old one dies; the access token lives longer.
    Refresh,
    /// Both strings stay and live longer.
    Keep,
}

/// What a repeated `getInitToken` gives while the token lives; a dead one is always replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitToken {
    /// New tokens; the old ones die.
    #[default]
    Renews,
    /// The same tokens with the life that is left.
    Keeps,
}

/// How far a timestamp may be off, and the code for more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampRule {
    /// 10 minutes either way, `180` (vendor's documentation).
    #[default]
    TenMinutes,
    /// 15 minutes either way, `140` (newer error table).
    FifteenMinutes,
}

/// What a second inventory adjustment with the same `so_id` answers; neither makes a second document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// Success with the id of the first.
    #[default]
    SameDocument,
    /// A row that failed.
    Refused,
}
