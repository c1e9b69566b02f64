//! The settings of an account: the platform with its schemes, or a place to keep records.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use milkrun_core::declared::{Plan, UnitPaths, check_name, check_taken, hours, title_or_name};
use milkrun_core::page::End;
use milkrun_core::settings::{Address, check_address, check_given, check_secret, check_secret_if_any};
use milkrun_core::stream::{PageSize, Stamp, TimeForm, Title};
use milkrun_core::{
    Error, FieldSpec, Idempotency, Paging, Quota, QuotaSpec, Result, Secret, StreamSpec, TargetSpec, WindowSpec,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::ids::{IdRule, MissingId};

/// A minimal account.
pub(crate) const EXAMPLE: &str = r#"[accounts.qeasy.platform]
host = "https://pro-service.qliang.cloud"
app_key = "1a2b3c"
app_secret = { env = "QEASY_APP_SECRET" }

[[accounts.qeasy.platform.streams]]
name = "refunds"
scheme = "b5c4f6d2-0a3e-3c1d-9a54-6f1c2d3e4f50"

[accounts.qeasy]
connector = "qeasy"

[accounts.kept]
connector = "qeasy"
noop = {}
"#;

/// An account of the connector `qeasy`: one of the two.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QeasyConfig {
    /// The platform, which is called.
    pub platform: Option<PlatformConfig>,
    /// `写入空操作`: records are kept below a folder of the installation, and nobody is called.
    pub noop: Option<NoopConfig>,
}

/// The platform.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlatformConfig {
    /// The address of the platform, such as `https://pro-service.qliang.cloud` or `https://api.qeasy.cloud`.
    pub host: String,
    /// The address for calls below `/api/open`, if it is another one.
    pub open_host: Option<String>,
    /// The app key.
    pub app_key: String,
    /// The app secret.
    pub app_secret: Secret,
    /// The token of the first form of the query, if it is a fixed one of its own; otherwise the access token.
    pub open_token: Option<Secret>,
    /// Calls in any minute, 1 to 60: after more, the platform answers nothing for five minutes.
    #[serde(default = "calls_per_minute")]
    pub calls_per_minute: u32,
    /// Codes from 40001 to 40029 that mean that the token has expired, where the message does not say so.
    #[serde(default)]
    pub token_codes: Vec<u32>,
    /// Codes from 40001 to 40029 that mean too many calls, where the message does not say so.
    #[serde(default)]
    pub throttled_codes: Vec<u32>,
    /// Schemes whose records are read.
    #[serde(default)]
    pub streams: Vec<StreamConfig>,
    /// Schemes that records are pushed into.
    #[serde(default)]
    pub targets: Vec<TargetConfig>,
}

/// A scheme whose records are read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The stream's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// The scheme's UUID.
    pub scheme: String,
    /// Which form of the query is called.
    #[serde(default)]
    pub api: Api,
    /// How the second form of the query takes its parameters.
    #[serde(default)]
    pub body: Form,
    /// For the second form: values that fields of the record's content have to have; sent as `CONTENT_<field>`.
    #[serde(default)]
    pub content: BTreeMap<String, String>,
    /// For the first form: conditions on fields, each an operator with its value; sent as `condition[<field>][<operator>]`.
    #[serde(default)]
    pub condition: BTreeMap<String, BTreeMap<String, String>>,
    /// The paths of the primary key's parts.
    #[serde(default = "id_key")]
    pub key: Vec<String>,
    /// The path of the number people know the record by.
    pub number: Option<String>,
    /// The field with the time of the last change, if there is one: date and time in Beijing time.
    pub version: Option<String>,
    /// Records per page, 1 to 100.
    #[serde(default = "page_size")]
    pub page_size: u32,
    /// The longest span of one call.
    #[serde(default = "longest_hours")]
    pub longest_hours: u32,
    /// How long after a change the platform may still show the old state.
    #[serde(default = "settle_secs")]
    pub settle_secs: u32,
    /// How far the next run reaches back.
    #[serde(default = "lookback_secs")]
    pub lookback_secs: u32,
    /// How a reading is proved complete.
    #[serde(default)]
    pub proof: Plan,
    /// Fields with a unit.
    #[serde(default)]
    pub units: UnitPaths,
}

/// Which form of the query is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// `/api/open/operation/{scheme}/query`: form fields.
    V1,
    /// `/v2/open-api/business/{scheme}/query`.
    #[default]
    V2,
}

/// How parameters are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// As JSON.
    #[default]
    Json,
    /// As form fields.
    Form,
}

/// A scheme that records are pushed into.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The target's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// The scheme's UUID.
    pub scheme: String,
    /// Which call takes the records.
    #[serde(default)]
    pub via: Via,
    /// The most records of one call, 1 to 100.
    #[serde(default = "batch")]
    pub batch: u32,
    /// idCheck: whether the platform skips a record whose id it knows. With `false` it overwrites it and sends it on again.
    #[serde(default = "yes")]
    pub id_check: bool,
    /// The field of the document that is its id.
    #[serde(default = "id_field")]
    pub id_field: String,
    /// What happens to a document without its id.
    #[serde(default)]
    pub missing_id: MissingId,
    /// For `missing_id = "fill"`: the account and the stream that the documents come from, such as `km/orders`.
    pub source: Option<String>,
    /// For `missing_id = "fill"`: the fields of the document that are its natural key.
    #[serde(default)]
    pub id_from: Vec<String>,
    /// What is asked of fields; a document that falls short is refused before it is sent.
    #[serde(default)]
    pub fields: Vec<FieldSpec>,
}

/// Which call takes the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// `/api/open/operation/{scheme}`.
    #[default]
    Push,
    /// `/v2/open-api/business/{scheme}/store`, whose body is not documented: it is sent that of the push.
    Store,
}

/// A place to keep records.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoopConfig {
    /// The folder, relative to that of the installation; each target is a file there, `<target>.jsonl`.
    #[serde(default = "kept_folder")]
    pub folder: String,
    /// Targets with rules for ids. Without an entry, every target is there, and documents are kept as they come.
    #[serde(default)]
    pub targets: Vec<KeptConfig>,
}

/// One kind of records that are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptConfig {
    /// The target's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// idCheck: whether a document whose id is kept already is refused. With `false` it is kept beside the first one, and
    /// the last one of an id counts. Takes 16 bytes of memory for each id.
    #[serde(default = "yes")]
    pub id_check: bool,
    /// The field of the document that is its id.
    #[serde(default = "id_field")]
    pub id_field: String,
    /// What happens to a document without its id.
    #[serde(default)]
    pub missing_id: MissingId,
    /// For `missing_id = "fill"`: the account and the stream that the documents come from, such as `km/orders`.
    pub source: Option<String>,
    /// For `missing_id = "fill"`: the fields of the document that are its natural key.
    #[serde(default)]
    pub id_from: Vec<String>,
}

fn calls_per_minute() -> u32 {
    50
}

fn id_key() -> Vec<String> {
    vec![id_field()]
}

fn id_field() -> String {
    "id".to_owned()
}

fn page_size() -> u32 {
    100
}

fn batch() -> u32 {
    50
}

fn longest_hours() -> u32 {
    24
}

fn settle_secs() -> u32 {
    60
}

fn lookback_secs() -> u32 {
    600
}

fn kept_folder() -> String {
    ".milkrun/kept".to_owned()
}

fn yes() -> bool {
    true
}

/// What an account may do unless it is set otherwise.
pub(crate) fn usual_quota() -> QuotaSpec {
    per_minute(calls_per_minute())
}

fn per_minute(calls: u32) -> QuotaSpec {
    QuotaSpec::account(Quota::unlimited().and(calls, Duration::from_mins(1)).at_once(4))
}

impl QeasyConfig {
    /// Refuses what the platform would refuse, or accept and quietly change.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        match (&self.platform, &self.noop) {
            (Some(platform), None) => platform.validate(),
            (None, Some(noop)) => noop.validate(),
            _ => Err(Error::config("the account has to be one of `platform` and `noop`")
                .advise("`platform` is called; `noop = {}` keeps records and calls nobody")),
        }
    }
}

impl PlatformConfig {
    /// What this account may do.
    pub(crate) fn quota(&self) -> QuotaSpec {
        per_minute(self.calls_per_minute)
    }

    /// Where calls below `/api/open` go.
    pub(crate) fn open_host(&self) -> &str {
        self.open_host.as_ref().unwrap_or(&self.host)
    }

    fn validate(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        for (setting, host) in [("host", Some(&self.host)), ("open_host", self.open_host.as_ref())] {
            let Some(host) = host else { continue };
            check_address(&format!("platform.{setting}"), host, Address::Host)?;
            if host.contains("://api.qingyiyun.com") {
                return wrong(
                    "`platform.host` is an address that articles use as an illustration; nothing answers there",
                );
            }
        }
        check_given("platform.app_key", &self.app_key)?;
        check_secret("platform.app_secret", &self.app_secret)?;
        check_secret_if_any("platform.open_token", self.open_token.as_ref())?;
        if !(1..=60).contains(&self.calls_per_minute) {
            return wrong(
                "`platform.calls_per_minute` has to be 1 to 60: after more, the platform pauses for five minutes",
            );
        }
        let codes: Vec<u32> = self.token_codes.iter().chain(&self.throttled_codes).copied().collect();
        if codes.iter().any(|code| !(40_001..=40_029).contains(code)) {
            return wrong("`platform.token_codes` and `platform.throttled_codes` have to be codes from 40001 to 40029");
        }
        if codes.iter().collect::<BTreeSet<_>>().len() != codes.len() {
            return wrong("`platform.token_codes` and `platform.throttled_codes` name a code twice");
        }
        if self.streams.is_empty() && self.targets.is_empty() {
            return wrong(
                "`platform.streams` and `platform.targets` are both missing: there is nothing to read or to write",
            );
        }
        check_taken("streams", self.streams.iter().map(|stream| stream.name.as_str()))?;
        check_taken("targets", self.targets.iter().map(|target| target.name.as_str()))?;
        self.streams.iter().try_for_each(|stream| stream.validate().map_err(|e| e.with("stream", &stream.name)))?;
        self.targets.iter().try_for_each(|target| target.validate().map_err(|e| e.with("target", &target.name)))
    }
}

/// Refuses what would change the address.
fn check_scheme(scheme: &str) -> Result<()> {
    if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Ok(());
    }
    Err(Error::config("`scheme` has to be the scheme's UUID").with("scheme", scheme))
}

impl StreamConfig {
    /// The path of the query.
    pub(crate) fn path(&self) -> String {
        match self.api {
            Api::V1 => format!("/api/open/operation/{}/query", self.scheme),
            Api::V2 => format!("/v2/open-api/business/{}/query", self.scheme),
        }
    }

    /// What the engine needs to know.
    pub(crate) fn spec(&self) -> StreamSpec {
        let window = WindowSpec {
            form: TimeForm::EpochSecs,
            longest: hours(self.longest_hours),
            settle: Duration::from_secs(self.settle_secs.into()),
            lookback: Duration::from_secs(self.lookback_secs.into()),
            ..WindowSpec::beijing("begin_at")
        };
        let version = |field: &String| Stamp { field: field.clone(), form: TimeForm::DateTime, none: None };
        StreamSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.path(),
            key: self.key.clone(),
            number: self.number.clone(),
            version: self.version.as_ref().map(version),
            proof: self.proof.proof(Some(&window)),
            window: Some(window),
            paging: Paging::PageNumber { parameter: "page".to_owned(), first: 1, end: End::EmptyPage },
            page_size: PageSize { usual: self.page_size, ..PageSize::up_to(100) },
            partition: None,
            list_may_be_missing: false,
            units: self.units.units(),
            notes: vec![Title::new(
                "Which of a record's times `begin_at` and `end_at` are over is not documented; compare a first reading with \
                 the platform's own list.",
                "`begin_at` 与 `end_at` 对应记录的哪个时间，公开资料没有说明；首次读取后请与平台列表核对。",
            )],
        }
    }

    fn validate(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        check_name(&self.name)?;
        check_scheme(&self.scheme)?;
        if self.key.is_empty() || self.key.iter().any(String::is_empty) {
            return wrong("`key` has to name at least one field, and none may be empty");
        }
        if !(1..=100).contains(&self.page_size) {
            return wrong("`page_size` has to be 1 to 100: the platform gives no larger pages");
        }
        if self.longest_hours == 0 {
            return wrong("`longest_hours` has to be at least 1");
        }
        if self.api == Api::V1 && (!self.content.is_empty() || self.body != Form::Json) {
            return wrong("`content` and `body` are for api = \"v2\"; the first form of the query has `condition`");
        }
        if self.api == Api::V2 && !self.condition.is_empty() {
            return wrong("`condition` is for api = \"v1\"; the second form of the query has `content`");
        }
        let is_name = |name: &String| !name.is_empty() && !name.contains(['[', ']']);
        let operators = self.condition.values();
        if !self.content.keys().chain(self.condition.keys()).all(is_name) || operators.clone().any(BTreeMap::is_empty) {
            return wrong("`content` or `condition` has a field without a name, or without an operator");
        }
        if operators.flat_map(BTreeMap::keys).any(|operator| !operator.starts_with('$') || !is_name(operator)) {
            return wrong("`condition` has an operator that does not begin with `$`");
        }
        Ok(())
    }
}

impl TargetConfig {
    /// The path of the call.
    pub(crate) fn path(&self) -> String {
        match self.via {
            Via::Push => format!("/api/open/operation/{}", self.scheme),
            Via::Store => format!("/v2/open-api/business/{}/store", self.scheme),
        }
    }

    /// Where ids are, and where they come from.
    pub(crate) fn ids(&self) -> IdRule {
        IdRule {
            field: self.id_field.clone(),
            missing: self.missing_id,
            source: self.source.clone(),
            from: self.id_from.clone(),
        }
    }

    /// What the engine needs to know.
    pub(crate) fn spec(&self) -> TargetSpec {
        let field = self.id_field.clone();
        let (note, idempotency) = if self.id_check {
            let note = Title::new(
                "idCheck: the platform skips a known id, so that a changed record is refused here instead of being skipped \
                 without a word. That a push leaves one record for each id is documented; the form of its answer is not.",
                "idCheck：平台跳过已有 id，因此变更的记录在此被拒绝，而不是被悄悄跳过。同一 id 只存一条有文档说明，返回格式没有。",
            );
            (note, Idempotency::Skip { field })
        } else {
            let note = Title::new(
                "Without idCheck the platform overwrites a known id and sends the record on again, after a repeated push too.",
                "关闭 idCheck 时，平台覆盖已有 id 并再次下发；重复推送也会再次下发。",
            );
            (note, Idempotency::Upsert { field })
        };
        TargetSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.path(),
            idempotency,
            only_new: self.id_check,
            batch: self.batch,
            fields: self.fields.clone(),
            notes: vec![note],
        }
    }

    fn validate(&self) -> Result<()> {
        check_name(&self.name)?;
        check_scheme(&self.scheme)?;
        if !(1..=100).contains(&self.batch) {
            return Err(Error::config("`batch` has to be 1 to 100"));
        }
        if self.fields.iter().any(|field| field.path.is_empty()) {
            return Err(Error::config("`fields` has an entry without a `path`"));
        }
        self.ids().validate()
    }
}

impl NoopConfig {
    fn validate(&self) -> Result<()> {
        if self.folder.is_empty() {
            return Err(Error::config("`noop.folder` is empty"));
        }
        check_taken("targets", self.targets.iter().map(|target| target.name.as_str()))?;
        self.targets.iter().try_for_each(|target| {
            check_name(&target.name)?;
            target.ids().validate().map_err(|error| error.with("target", &target.name))
        })
    }
}

impl KeptConfig {
    /// Where ids are, and where they come from.
    pub(crate) fn ids(&self) -> IdRule {
        IdRule {
            field: self.id_field.clone(),
            missing: self.missing_id,
            source: self.source.clone(),
            from: self.id_from.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use milkrun_core::ErrorKind;
    use milkrun_core::connector::Opening;

    use super::*;

    const GOOD: &str =
        "[platform]\nhost = 'https://pro-service.qliang.cloud'\napp_key = 'k'\napp_secret = 'hush-hush'\n";
    const STREAM: &str = "[[platform.streams]]\nname = 'refunds'\nscheme = 'b5c4f6d2-0a3e-3c1d-9a54-6f1c2d3e4f50'\n";
    const TARGET: &str = "[[platform.targets]]\nname = 'sales'\nscheme = 'b5c4f6d2'\n";

    fn check(settings: &str) -> Result<QeasyConfig> {
        let settings = toml::from_str(settings).unwrap();
        let config: QeasyConfig = Opening { account: "a".into(), settings, folder: "/".into() }.parse()?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn the_minimum_is_enough_and_shows_no_secret() {
        let config = check(&format!("{GOOD}{STREAM}{TARGET}")).unwrap();
        assert!(!format!("{config:?}").contains("hush"));
        let platform = config.platform.unwrap();
        assert_eq!(platform.quota().account.rates[0].calls, 50);
        assert_eq!(
            platform.streams[0].spec().endpoint,
            "/v2/open-api/business/b5c4f6d2-0a3e-3c1d-9a54-6f1c2d3e4f50/query"
        );
        assert_eq!(platform.targets[0].spec().endpoint, "/api/open/operation/b5c4f6d2");
        check("noop = {}").unwrap();
    }

    #[test]
    fn the_examples_open() {
        let example: toml::Table = EXAMPLE.replace("{ env = \"QEASY_APP_SECRET\" }", "'x'").parse().unwrap();
        for (name, account) in example["accounts"].as_table().unwrap() {
            let mut account = account.as_table().unwrap().clone();
            assert_eq!(account.remove("connector").unwrap().as_str(), Some("qeasy"), "{name}");
            check(&account.to_string()).unwrap();
        }
    }

    #[test]
    fn refused_by_name() {
        let platform = |lines: &str| format!("{GOOD}{lines}\n{STREAM}");
        let stream = |lines: &str| format!("{GOOD}{STREAM}{lines}\n");
        let target = |lines: &str| format!("{GOOD}{TARGET}{lines}\n");
        let noop = |lines: &str| format!("[noop]\n[[noop.targets]]\nname = 'refunds'\n{lines}\n");
        let fill = "missing_id = 'fill'\nsource = 'km/orders'\nid_from = ['no']";
        let cases = [
            ("neither", String::new()),
            ("both", format!("{GOOD}{STREAM}[noop]\n")),
            ("unknown", format!("colour = 1\n{GOOD}{STREAM}")),
            ("host missing", platform("").replace("host = 'https://pro-service.qliang.cloud'\n", "")),
            ("app_key missing", platform("").replace("app_key = 'k'\n", "")),
            ("app_secret missing", platform("").replace("app_secret = 'hush-hush'\n", "")),
            ("host path", platform("").replace("qliang.cloud", "qliang.cloud/api")),
            ("host scheme", platform("").replace("https://", "")),
            ("host illustration", platform("").replace("pro-service.qliang.cloud", "api.qingyiyun.com")),
            ("open_host", platform("open_host = 'x'")),
            ("app_key", platform("").replace("'k'", "'k k'")),
            ("app_secret", platform("").replace("hush-hush", "hush hush")),
            ("open_token", platform("open_token = ''")),
            ("calls_per_minute", platform("calls_per_minute = 61")),
            ("token_codes", platform("token_codes = [50000]")),
            ("codes twice", platform("token_codes = [40001]\nthrottled_codes = [40001]")),
            ("nothing", GOOD.to_owned()),
            ("stream name", stream("").replace("'refunds'", "'退货'")),
            ("stream twice", stream(STREAM)),
            ("stream scheme", stream("").replace("'b5c4f6d2-0a3e-3c1d-9a54-6f1c2d3e4f50'", "'a/b'")),
            ("stream key", stream("key = []")),
            ("stream page_size", stream("page_size = 101")),
            ("stream longest_hours", stream("longest_hours = 0")),
            ("stream api", stream("api = 'v3'")),
            ("stream v1 content", stream("api = 'v1'\ncontent = { a = 'b' }")),
            ("stream v1 body", stream("api = 'v1'\nbody = 'form'")),
            ("stream v2 condition", stream("condition = { a = { '$eq' = 'b' } }")),
            ("stream operator", stream("api = 'v1'\ncondition = { a = { eq = 'b' } }")),
            ("stream no operator", stream("api = 'v1'\ncondition = { a = {} }")),
            ("stream field", stream("content = { 'a[0]' = 'b' }")),
            ("target scheme", target("").replace("'b5c4f6d2'", "''")),
            ("target batch", target("batch = 0")),
            ("target fields", target("fields = [{ path = '' }]")),
            ("target id_field", target("id_field = 'a.b'")),
            ("target fill source", target(fill).replace("'km/orders'", "'km'")),
            ("target fill from", target(fill).replace("['no']", "[]")),
            ("target no fill", target("id_from = ['no']")),
            ("target via", target("via = 'store-dispatch'")),
            ("noop folder", "noop = { folder = '' }".to_owned()),
            ("noop twice", noop("[[noop.targets]]\nname = 'refunds'")),
            ("noop name", noop("").replace("'refunds'", "'../x'")),
            ("noop fill", noop("missing_id = 'fill'")),
            ("noop unknown", noop("scheme = 'x'")),
        ];
        let refused = cases.map(|(name, settings)| {
            let error = check(&settings).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{name}");
            let text = error.to_string();
            assert!(!text.contains("hush"), "{text}");
            let text = text.lines().next().unwrap().chars().take(170).collect::<String>();
            format!("{name}: {text}{}", error.help().map(|help| format!(" [{help}]")).unwrap_or_default())
        });
        insta::assert_snapshot!(refused.join("\n"));
    }
}
