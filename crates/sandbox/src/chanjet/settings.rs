//! How a Chanjet T+ simulator is set up, with a choice for each point on which the page's sources disagree.

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
    /// Inventory records, at least 1; current stock and bills of material follow from it.
    pub n_inventory: u32,
    /// Partners, at least 1.
    pub n_partners: u32,
    /// Warehouses, at least 1.
    pub n_warehouses: u32,
    /// Persons, departments, projects and unit groups each.
    pub n_small: u32,
    /// Sale orders, sale deliveries, purchase orders and purchase receives each; the other vouchers follow from it.
    pub n_vouchers: u32,
    /// Port on `127.0.0.1`; 0: any free one.
    pub port: u16,
    /// App key.
    pub app_key: String,
    /// App secret.
    pub app_secret: String,
    /// Organisation.
    pub org_id: String,
    /// Access token (`openToken`) that is good at the start.
    pub access_token: String,
    /// Refresh token that is good at the start.
    pub refresh_token: String,
    /// Authorisation codes that can be used once each, within ten minutes from the start.
    pub codes: Vec<String>,
    /// The user's permanent code of the store application.
    pub user_permanent_code: String,
    /// Certificate of the self-built application.
    pub certificate: String,
    /// App ticket that is good until the first push.
    pub app_ticket: String,
    /// Secret that pushes are encrypted with: 16 characters, or 32 hex digits for 16 bytes; with any other, pushes panic.
    pub message_secret: String,
    /// Key that bodies must be signed with; `None`: no signature is asked for, and one that is sent is not judged.
    pub sign_key: Option<String>,
    /// On-premise access instead of the cloud's headers; `None`: there is none.
    pub on_premise: Option<OnPremise>,
    /// Call limits, each a number of calls in any sliding window of a length; none: no limit, as the page names none.
    ///
    /// Measured on the simulator's clock: while that is frozen, windows do not slide.
    pub limits: Vec<(u32, Duration)>,
    /// How a call above the limits is refused.
    pub throttle: Throttle,
    /// Business calls of one calendar month (Beijing) before `50112`; `None`: no end.
    pub monthly_quota: Option<u32>,
    /// Calls of `getTokenByPermanentCode` a day.
    pub permanent_code_calls: u32,
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
    /// Life of an access token from the start and from each grant.
    pub token_life: Duration,
    /// Life of a refresh token from the start and from each grant.
    pub refresh_life: Duration,
    /// Faults in force from the start.
    pub faults: Vec<FaultRule>,
    /// What a refresh token that was used before does.
    pub reuse: Reuse,
    /// What a dead or wrong token answers.
    pub dead_token: DeadToken,
    /// Numbers in token answers.
    pub token_numbers: TokenNumbers,
    /// Whether `generateToken` gives a refresh token.
    pub self_built_refresh: bool,
    /// Envelope of `*/Query`.
    pub query_envelope: QueryEnvelope,
    /// Envelope of `warehouse/Query`.
    pub warehouse_envelope: QueryEnvelope,
    /// Envelope of `*/QueryPage`.
    pub page_envelope: PageEnvelope,
    /// Good code of `FindVoucherList` and `GetVoucherDTO`.
    pub ok_code: OkCode,
    /// Names of the columns of `FindVoucherList`.
    pub columns: Columns,
    /// How ids are written.
    pub ids: IdForm,
    /// How booleans are written.
    pub booleans: BoolForm,
    /// How row versions are written, and read.
    pub ts: TsForm,
    /// The field that carries a row version.
    pub ts_name: TsName,
    /// Whether a row version asked by is included.
    pub ts_bound: TsBound,
    /// Order of the rows of a query without a row version.
    pub order: SortOrder,
    /// What a create answers.
    pub created: CreateAnswer,
    /// Code of the error for an `ExternalCode` that is there already.
    pub duplicate_code: String,
    /// Whether creates refuse customers, warehouses and inventory records whose code is not there.
    pub known_codes_only: bool,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            seed: 1,
            n_inventory: 300,
            n_partners: 50,
            n_warehouses: 3,
            n_small: 6,
            n_vouchers: 300,
            port: 0,
            app_key: "ptPrU0YV".to_owned(),
            app_secret: "sandbox-app-secret".to_owned(),
            org_id: "90016488977".to_owned(),
            access_token: "sandbox.access.token".to_owned(),
            refresh_token: "sandbox-refresh-token".to_owned(),
            codes: vec!["sandbox-code".to_owned()],
            user_permanent_code: "sandbox-user-permanent-code".to_owned(),
            certificate: "sandbox-certificate".to_owned(),
            app_ticket: "sandbox-app-ticket".to_owned(),
            message_secret: "1234567890abcdef".to_owned(),
            sign_key: None,
            on_premise: None,
            limits: Vec::new(),
            throttle: Throttle::default(),
            monthly_quota: None,
            permanent_code_calls: 1_000,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            clock_start: None,
            clock_frozen: false,
            history: 30 * DAY,
            quiet: Duration::from_hours(1),
            token_life: 6 * DAY,
            refresh_life: 30 * DAY,
            faults: Vec::new(),
            reuse: Reuse::default(),
            dead_token: DeadToken::default(),
            token_numbers: TokenNumbers::default(),
            self_built_refresh: true,
            query_envelope: QueryEnvelope::Array,
            warehouse_envelope: QueryEnvelope::ResultText,
            page_envelope: PageEnvelope::default(),
            ok_code: OkCode::default(),
            columns: Columns::default(),
            ids: IdForm::default(),
            booleans: BoolForm::default(),
            ts: TsForm::default(),
            ts_name: TsName::default(),
            ts_bound: TsBound::default(),
            order: SortOrder::default(),
            created: CreateAnswer::default(),
            duplicate_code: "999".to_owned(),
            known_codes_only: true,
        }
    }
}

/// On-premise access, version 2: a login with name and password, and an `Authorization` header signed with RSA.
#[derive(Clone, Debug)]
pub struct OnPremise {
    /// Public key of the `.pem` handed out: DER of a `SubjectPublicKeyInfo`.
    pub public_key: Vec<u8>,
    /// User.
    pub user_name: String,
    /// Password in clear; it travels as MD5 hex.
    pub password: String,
    /// Number of the account set.
    pub account: String,
}

/// How a call above the limits is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Throttle {
    /// HTTP 429.
    #[default]
    TooManyRequests,
    /// HTTP 409 with `{"error":".."}`.
    Conflict,
    /// `EXSV0011` in HTTP 200.
    Code,
}

/// What a refresh token that was used before does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reuse {
    /// `14002`, and nothing else.
    #[default]
    Refused,
    /// `14002`, and the tokens of today die with it.
    EndsSession,
}

/// What a dead or wrong token answers, in HTTP 401.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadToken {
    /// Code `4007`.
    #[default]
    Code,
    /// Code `50000`, and only the message says that the token expired.
    Message,
}

/// Numbers in token answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenNumbers {
    /// `518400`.
    #[default]
    Number,
    /// `"518400"`.
    Text,
}

/// Envelope of `*/Query`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueryEnvelope {
    /// The rows as a bare array.
    #[default]
    Array,
    /// `{"Data":[..]}`.
    Data,
    /// `{"result":[..]}`.
    Result,
    /// `{"result":"[..]"}`: the array as JSON text.
    ResultText,
    /// `{"result":{"Data":[..]}}`.
    ResultData,
}

/// Envelope of `*/QueryPage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageEnvelope {
    /// `{"Data":[..],"TotalCount":..}`.
    #[default]
    Plain,
    /// The same under `result`.
    Result,
}

/// Good code of `FindVoucherList` and `GetVoucherDTO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OkCode {
    /// `"0"`.
    #[default]
    Zero,
    /// `"200"`.
    TwoHundred,
}

/// Names of the columns of `FindVoucherList`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Columns {
    /// As asked for: `SaleDelivery.ID`.
    #[default]
    AsAsked,
    /// Without the voucher's name: `ID`.
    Bare,
}

/// How ids are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdForm {
    /// As texts.
    #[default]
    Text,
    /// As numbers.
    Number,
}

/// How booleans are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoolForm {
    /// `"True"` and `"False"`.
    #[default]
    Text,
    /// `true` and `false`.
    Json,
}

/// How row versions are written, and read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TsForm {
    /// Sixteen hex digits.
    #[default]
    Hex,
    /// A number.
    Number,
}

/// The field that carries a row version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TsName {
    /// `Ts`.
    #[default]
    Ts,
    /// `TS`.
    Upper,
}

/// Whether a row version asked by is included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TsBound {
    /// Rows above it.
    #[default]
    Exclusive,
    /// The row itself too.
    Inclusive,
}

/// Order of the rows of a query without a row version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SortOrder {
    /// By id.
    #[default]
    Id,
    /// By last modification, then by id.
    Updated,
}

/// What a create answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreateAnswer {
    /// Each entity its own: `null` for deliveries and stock vouchers, the id as a quoted text for archives, an object for
    /// orders, bills of material and vouchers.
    #[default]
    OfEntity,
    /// `null` for all.
    Null,
    /// The id as a quoted text for all.
    Id,
    /// `{"code":"0","message":"","data":{"ID":..,"Code":..}}` for all.
    Object,
}
