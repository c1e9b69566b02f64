//! How a Yonyou simulator is set up, with a choice for each point that the page leaves open.

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
    /// Documents of each kind that has a list; a quarter as many base data of each kind, at least 5.
    pub n_documents: u32,
    /// Port on `127.0.0.1`; 0: any free one.
    pub port: u16,
    /// The tenant; discovery knows no other.
    pub tenant_id: String,
    /// Key of the self-built application.
    pub app_key: String,
    /// Secret of the self-built application.
    pub app_secret: String,
    /// Key of the ISV suite.
    pub suite_key: String,
    /// Secret of the ISV suite.
    pub suite_secret: String,
    /// Scheme and host that discovery names; `None`: `http://` and the call's own `Host`.
    pub public_address: Option<String>,
    /// Limits over all calls together, refused with `throttle_code`; none by default.
    ///
    /// Measured on the simulator's clock: while that is frozen, windows do not slide.
    pub limits: Vec<(u32, Duration)>,
    /// Code of calls above `limits`: one of `310032`, `310039` and `310042`.
    pub throttle_code: String,
    /// Calls of one interface in any sliding window of a length, refused with `310046`; `None`: any number.
    pub quota: Option<(u32, Duration)>,
    /// The same for the finance interfaces (`/yonbip/fi/` and `/yonbip/EFI/`).
    pub finance_quota: Option<(u32, Duration)>,
    /// Whether throttled answers name `Retry-After` (whole seconds, rounded up).
    pub retry_after: bool,
    /// Time each call takes on the way, half before it arrives and half after it is answered.
    ///
    /// A save counts as running until its answer has arrived.
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
    /// Faults in force from the start.
    pub faults: Vec<FaultRule>,
    /// Life of a token.
    pub token_life: Duration,
    /// What becomes of the last token when another one is asked for.
    pub grant: Grant,
    /// What the token answer looks like.
    pub token_shape: TokenShape,
    /// How far the timestamp of a token call may be from the gateway's clock, either way.
    pub timestamp_tolerance: Duration,
    /// Code of a token call whose signature is wrong, or that lacks a parameter.
    pub wrong_signature_code: String,
    /// Interfaces, by path from `/yonbip` on, that the application may not call (`310037`).
    pub unauthorised: Vec<String>,
    /// Interfaces, by path, that answer a bad token with the plain text `非法token` instead of `310036`.
    pub plain_token_answers: Vec<String>,
    /// Success values that differ from the built-in ones, each an interface's path and a JSON literal such as `"0000"`
    /// with its quotes.
    pub success_values: Vec<(String, String)>,
    /// Answers that take this long or longer become `310504`, after their effect.
    pub gateway_timeout: Duration,
    /// What answers a key whose first call succeeded after the gateway had given up on it.
    pub after_timeout: AfterTimeout,
    /// How long the gateway keeps a success, from its answer on.
    pub cache_life: Duration,
    /// How long the back end knows a key, from its success on.
    pub key_life: Duration,
    /// Code of a repeated call that the back end recognises.
    pub duplicate_code: DuplicateCode,
    /// What becomes of an array with some new and some used keys.
    pub mixed_array: MixedArray,
    /// Whether complete objects carry `resubmitCheckKey` in the gateway's long form.
    pub echo_key: bool,
    /// Whether an update without `pubts` is refused; a wrong one always is.
    pub pubts_required: bool,
    /// Further MDD saves, each a path from `/yonbip` on and the place of its key; their documents count as `more`.
    pub more_saves: Vec<(String, KeyPlace)>,
    /// How ids are written.
    pub ids: IdForm,
    /// Largest `pageSize`.
    pub max_page_size: u32,
    /// Whether pages carry `pageCount`.
    pub page_count: bool,
    /// Whether pages carry `haveNextPage`.
    pub have_next_page: bool,
    /// Names of line fields in rows per line.
    pub line_keys: LineKeys,
    /// Most rows of a save that takes several.
    pub max_rows: usize,
    /// Whether a batch row with a known `sourceUnique` updates its document instead of making another one.
    pub remember_source: bool,
    /// What the answers to batch saves look like.
    pub batch: BatchShape,
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_mins(1);
        const DAY: Duration = Duration::from_hours(24);
        Self {
            seed: 1,
            n_documents: 200,
            port: 0,
            tenant_id: "k8p3lxta".to_owned(),
            app_key: "41832a3d2df94989b500da6a22268747".to_owned(),
            app_secret: "sandbox-app-secret".to_owned(),
            suite_key: "suite-6b1f3a8e".to_owned(),
            suite_secret: "sandbox-suite-secret".to_owned(),
            public_address: None,
            limits: Vec::new(),
            throttle_code: "310039".to_owned(),
            quota: Some((60, MINUTE)),
            finance_quota: Some((40, MINUTE)),
            retry_after: false,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            clock_start: None,
            clock_frozen: false,
            history: 30 * DAY,
            quiet: Duration::from_hours(1),
            faults: Vec::new(),
            token_life: Duration::from_hours(2),
            grant: Grant::default(),
            token_shape: TokenShape::default(),
            timestamp_tolerance: 5 * MINUTE,
            wrong_signature_code: "50000".to_owned(),
            unauthorised: Vec::new(),
            plain_token_answers: vec!["/yonbip/fi/ficloud/openapi/voucher/queryVouchers".to_owned()],
            success_values: Vec::new(),
            gateway_timeout: Duration::from_secs(30),
            after_timeout: AfterTimeout::default(),
            cache_life: Duration::from_hours(1),
            key_life: 30 * DAY,
            duplicate_code: DuplicateCode::default(),
            mixed_array: MixedArray::default(),
            echo_key: true,
            pubts_required: true,
            more_saves: Vec::new(),
            ids: IdForm::default(),
            max_page_size: 500,
            page_count: true,
            have_next_page: false,
            line_keys: LineKeys::default(),
            max_rows: 50,
            remember_source: false,
            batch: BatchShape::default(),
        }
    }
}

/// What becomes of the last token of an application when it asks for another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grant {
    /// The last one dies, which shows who does not share it.
    #[default]
    OldDies,
    /// Both live.
    OldLives,
    /// The same token comes again as long as it lives, with what is left of its life.
    Same,
}

/// What the token answer looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenShape {
    /// `data` holds `access_token` and `expire`.
    #[default]
    Expire,
    /// `data` holds `access_token` and `expires_in`.
    ExpiresIn,
    /// `access_token` and `expires_in` stand alone, without an envelope.
    Bare,
}

/// What answers a key whose first call succeeded after the gateway had given up on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterTimeout {
    /// The back end, with the id alone: the gateway saw no success that it could keep.
    #[default]
    IdOnly,
    /// The gateway, with the complete object.
    Cached,
}

/// Code of a repeated call that the back end recognises; the sources name both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateCode {
    /// `100004`, as on the idempotency page.
    #[default]
    Long,
    /// `10004`, as in the code table.
    Short,
}

impl DuplicateCode {
    /// The code.
    pub fn text(self) -> &'static str {
        match self {
            Self::Long => "100004",
            Self::Short => "10004",
        }
    }
}

/// What becomes of an array with some new and some used keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MixedArray {
    /// Each element is judged by its own key.
    #[default]
    Each,
    /// The call is refused as a duplicate, without `data`, and nothing is made.
    RefuseAll,
    /// Keys are not looked at: everything is made, and doubles arise.
    MakeAll,
}

/// Where a save carries its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// `resubmitCheckKey` in the object `data`.
    Data,
    /// `resubmitCheckKey` in each element of the array `data`.
    DataElements,
    /// `resubmitCheckKey` at the top level; there is no `data`.
    Top,
    /// `resubmitCheckKey` in each element of an array at the top level.
    TopElements,
    /// `businessId` at the top level; there is no `data`.
    BusinessId,
}

/// How ids are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdForm {
    /// Some as numbers and some as text, always the same way for one id.
    #[default]
    Mixed,
    /// All as numbers.
    Numbers,
    /// All as text.
    Texts,
}

/// Names of line fields in rows per line (`isSum` false).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineKeys {
    /// Only those that the header has too are prefixed, as in the page's sample (`purchaseOrders_id` beside `qty`).
    #[default]
    Colliding,
    /// All are prefixed, as in the page's text.
    All,
}

/// What the answer to a batch save looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchShape {
    /// Name of the number of good rows.
    pub counter: Counter,
    /// Form of the failures.
    pub messages: Messages,
    /// Form of the good rows.
    pub infos: Infos,
    /// Name of a list of failed rows beside the messages, such as `failInfos` or `failinfos`.
    pub fail_infos: Option<&'static str>,
}

/// Name of the number of good rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counter {
    /// `sucessCount`, the vendor's own spelling.
    #[default]
    Sucess,
    /// `successCount`.
    Success,
    /// Both.
    Both,
}

/// Form of the failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Messages {
    /// `messages` holds `{message, sourceUnique}`.
    #[default]
    Source,
    /// `messages` holds `{code, message}`.
    Code,
    /// `messages` holds `{key, message}`.
    Key,
    /// `messages` holds texts.
    Texts,
    /// `messages` is one text.
    OneText,
    /// `messages` is one object `{message, sourceUnique}`, of the first failure.
    OneObject,
    /// `message` is one text.
    Singular,
}

/// Form of the good rows in `infos`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Infos {
    /// `{id, sourceUnique, targetUnique, created}`.
    #[default]
    Source,
    /// Complete objects.
    Full,
    /// `{id}`.
    Id,
    /// `{data: {sourceUnique, targetUnique}}`.
    Data,
    /// `{code, message, data}` with the complete object.
    Code,
}
