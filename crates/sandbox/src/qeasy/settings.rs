//! How a qeasy simulator is set up, with a choice for each point that the page leaves open.

use std::time::Duration;

use jiff::Timestamp;

use crate::faults::FaultRule;

/// Everything that can be chosen at the start.
///
/// The same settings give the same data and the same answers; without `clock_start` the data follow the machine's
/// clock.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Settings {
    /// Decides all data.
    pub seed: u64,
    /// Records of the source scheme.
    pub n_records: u32,
    /// Port on `127.0.0.1`; 0: any free one.
    pub port: u16,
    /// Scheme that has records from the start.
    pub source_scheme: String,
    /// Scheme that has none.
    pub sink_scheme: String,
    /// Key of the application.
    pub app_key: String,
    /// Secret of the application.
    pub app_secret: String,
    /// The fixed token of the v1 query; a living access token does as well.
    pub v1_token: String,
    /// Life of an access token.
    pub token_life: Duration,
    /// Whether an access token dies when another one is asked for, which shows who does not share it.
    pub old_token_dies: bool,
    /// Limits over all calls together; none by default.
    ///
    /// Measured on the simulator's clock: while that is frozen, windows do not slide.
    pub limits: Vec<(u32, Duration)>,
    /// Calls of the v2 interface (the token call apart) in any sliding window of a length; `None`: any number.
    pub quota: Option<(u32, Duration)>,
    /// How long every v2 call is refused from the first one above `quota` on.
    pub pause: Duration,
    /// Whether throttled answers name `Retry-After` (whole seconds, rounded up).
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
    /// No record is younger than this at the start.
    pub quiet: Duration,
    /// Faults in force from the start.
    pub faults: Vec<FaultRule>,
    /// The codes, of which the page gives the range alone.
    pub codes: Codes,
    /// Whether rows come oldest first instead of newest first.
    pub oldest_first: bool,
    /// What a row looks like.
    pub row: RowShape,
    /// Whether queries also show the records that were stored as duplicates.
    pub show_duplicates: bool,
    /// Whether a record without `id` gets a random one instead of being refused.
    pub generate_ids: bool,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            seed: 1,
            n_records: 1_000,
            port: 0,
            source_scheme: "6f9b2c1a-3d54-3e0b-9a77-0c5d8e1f2a34".to_owned(),
            sink_scheme: "b81d4f6e-7c20-3a95-8e13-52f0a9c7d461".to_owned(),
            app_key: "sandbox-app-key".to_owned(),
            app_secret: "sandbox-app-secret".to_owned(),
            v1_token: "sandbox-v1-token".to_owned(),
            token_life: Duration::from_hours(2),
            old_token_dies: true,
            limits: Vec::new(),
            quota: Some((60, Duration::from_mins(1))),
            pause: Duration::from_mins(5),
            retry_after: false,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            clock_start: None,
            clock_frozen: false,
            history: 30 * DAY,
            quiet: Duration::from_hours(1),
            faults: Vec::new(),
            codes: Codes::default(),
            oldest_first: false,
            row: RowShape::default(),
            show_duplicates: false,
            generate_ids: false,
        }
    }
}

/// Codes of refused calls, each within `40001` to `40029`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// Unknown application or wrong secret.
    pub credentials: u32,
    /// Token missing.
    pub token_missing: u32,
    /// Token unknown or dead.
    pub token_invalid: u32,
    /// A parameter is missing or wrong.
    pub parameter: u32,
    /// No such scheme.
    pub scheme: u32,
    /// No such record.
    pub record: u32,
    /// Too many calls, or the pause after them.
    pub throttled: u32,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            credentials: 40_001,
            token_missing: 40_002,
            token_invalid: 40_003,
            parameter: 40_010,
            scheme: 40_014,
            record: 40_020,
            throttled: 40_029,
        }
    }
}

/// What a row of a query looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowShape {
    /// The record itself, as it was pushed.
    #[default]
    Record,
    /// `{id, status, content, created_at, updated_at}`, the record under `content`, times in Unix seconds.
    Wrapped,
}
