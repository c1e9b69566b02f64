//! The settings of an account.

use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::declared::check_taken;
use milkrun_core::settings::{Address, check_address, check_given, check_secret, check_secret_if_any};
use milkrun_core::stream::{TimeForm, beijing, read_stamp};
use milkrun_core::{Error, Quota, QuotaSpec, Result, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::streams::{self, Stream, StreamConfig};
use crate::targets::{self, TargetConfig};

/// A minimal account.
pub(crate) const EXAMPLE: &str = r#"[accounts.jst]
connector = "jushuitan"
app_key = "0123456789abcdef0123456789abcdef"
app_secret = { env = "JST_APP_SECRET" }
"#;

/// One Jushuitan company, as one app of the vendor's open platform sees it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JushuitanConfig {
    /// The app key; with the old API the `partnerid`.
    pub app_key: String,
    /// The app secret; with the old API the `partnerkey`.
    pub app_secret: Secret,
    /// Which of the vendor's APIs is called.
    #[serde(default)]
    pub api: Api,
    /// Whose app it is, which decides how the first token is had.
    #[serde(default)]
    pub app: App,
    /// A token that was granted elsewhere; with the old API it is required. Renewed ones are kept in the vault, and a
    /// changed setting takes the vault's place at the next renewal.
    pub access_token: Option<Secret>,
    /// The refresh token that was granted with `access_token`; not with the old API.
    pub refresh_token: Option<Secret>,
    /// The day on which `access_token` ends, such as `2027-03-01`. The old API's token is renewed in its last week, and
    /// without this setting nobody knows when that is.
    pub token_expires: Option<String>,
    /// The address of the API; left out, the vendor's production address.
    pub base_url: Option<String>,
    /// The address that a person opens to grant access to a third-party app.
    #[serde(default = "login_url")]
    pub login_url: String,
    /// Calls in any second, from 1; the vendor's usual package has 5, for each app and merchant.
    #[serde(default = "calls_per_second")]
    pub calls_per_second: u32,
    /// Calls in any minute, at least `calls_per_second`; the vendor's usual package has 100, for each app and merchant.
    #[serde(default = "calls_per_minute")]
    pub calls_per_minute: u32,
    /// Records per page, 1 to 500, for all streams, each within its own limits; left out, the most each may have.
    pub page_size: Option<u32>,
    /// Further streams, for read methods that the connector does not have.
    #[serde(default)]
    pub streams: Vec<StreamConfig>,
    /// Further targets, for upload methods that the connector does not have.
    #[serde(default)]
    pub targets: Vec<TargetConfig>,
}

/// Which of the vendor's APIs is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// The open API at openapi.jushuitan.com.
    #[default]
    New,
    /// The old one at open.erp321.com, which takes no new apps since the end of 2021.
    Old,
}

impl Api {
    /// The value of the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
        }
    }

    /// What a method is called: its path, or the old API's dotted name.
    pub(crate) fn endpoint(self, path: &str) -> String {
        match self {
            Self::New => path.to_owned(),
            Self::Old => path.trim_start_matches("/open/").replace('/', "."),
        }
    }
}

/// Whose app it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum App {
    /// The merchant's own: tokens are had by a call, and nobody has to do anything.
    #[default]
    Own,
    /// A third party's or a service provider's: a person grants access in a browser, see `milkrun login`.
    ThirdParty,
}

fn login_url() -> String {
    "https://openweb.jushuitan.com/auth".to_owned()
}

fn calls_per_second() -> u32 {
    5
}

fn calls_per_minute() -> u32 {
    100
}

/// What an account may do unless it is set otherwise.
pub(crate) fn quota() -> QuotaSpec {
    limits(calls_per_second(), calls_per_minute())
}

fn limits(per_second: u32, per_minute: u32) -> QuotaSpec {
    let quota = Quota::per_second(per_second).and(per_minute, Duration::from_mins(1));
    QuotaSpec::account(quota.at_once(per_second.min(8)))
}

impl JushuitanConfig {
    /// What this account may do.
    pub(crate) fn quota(&self) -> QuotaSpec {
        limits(self.calls_per_second, self.calls_per_minute)
    }

    /// The address that is called.
    pub(crate) fn address(&self) -> &str {
        let usual = match self.api {
            Api::New => "https://openapi.jushuitan.com",
            Api::Old => "https://open.erp321.com/api/open/query.aspx",
        };
        self.base_url.as_deref().unwrap_or(usual)
    }

    /// When the token of the settings ends, in Beijing the first instant of that day: rather too early than too late.
    pub(crate) fn token_end(&self) -> Option<Timestamp> {
        let ms = read_stamp(self.token_expires.as_deref()?, TimeForm::Date, &beijing())?;
        Timestamp::from_millisecond(ms).ok()
    }

    /// The streams of the account: the connector's own and those that the settings declare.
    pub(crate) fn all_streams(&self) -> Vec<Stream> {
        let methods = streams::built_in().into_iter().chain(self.streams.iter().cloned());
        methods.flat_map(|method| method.streams(self.api)).collect()
    }

    /// The targets of the account; the old API is only read.
    pub(crate) fn all_targets(&self) -> Vec<TargetConfig> {
        match self.api {
            Api::New => targets::built_in().into_iter().chain(self.targets.iter().cloned()).collect(),
            Api::Old => Vec::new(),
        }
    }

    /// Refuses what the vendor would refuse, or accept and quietly change.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        check_given("app_key", &self.app_key)?;
        check_secret("app_secret", &self.app_secret)?;
        check_secret_if_any("access_token", self.access_token.as_ref())?;
        check_secret_if_any("refresh_token", self.refresh_token.as_ref())?;
        if self.refresh_token.is_some() && self.access_token.is_none() {
            return wrong("`refresh_token` needs the `access_token` that it was granted with");
        }
        if self.token_expires.is_some() && self.token_end().is_none() {
            return wrong("`token_expires` has to be a day such as `2027-03-01`");
        }
        if self.token_expires.is_some() && self.access_token.is_none() {
            return wrong("`token_expires` is the end of `access_token`, which is not set");
        }
        self.validate_api()?;
        check_address("base_url", self.address(), Address::Base)?;
        check_address("login_url", &self.login_url, Address::Base)?;
        if self.calls_per_second == 0 || self.calls_per_minute < self.calls_per_second {
            return wrong("`calls_per_second` has to be at least 1, and `calls_per_minute` at least as much");
        }
        if self.page_size.is_some_and(|size| !(1..=500).contains(&size)) {
            return wrong("`page_size` has to be 1 to 500: the vendor gives no larger pages");
        }
        self.validate_declared()
    }

    fn validate_api(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        let old_address = ["erp321.com", "sursung.com", "query.aspx"].iter().any(|part| self.address().contains(part));
        match self.api {
            Api::New if old_address => wrong("`base_url` is an address of the old API; set `api = \"old\"` with it"),
            Api::Old if self.access_token.is_none() => {
                wrong("the old API needs `access_token`: the token that the merchant granted")
            }
            Api::Old if self.refresh_token.is_some() => wrong("the old API has no `refresh_token`; leave it out"),
            Api::Old if self.app != App::Own => wrong("`app` means nothing to the old API; leave it out"),
            Api::Old if !self.targets.is_empty() => wrong("`targets` are for the new API; the old one is only read"),
            Api::New | Api::Old => Ok(()),
        }
    }

    fn validate_declared(&self) -> Result<()> {
        let streams = self.all_streams();
        let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
        check_taken("streams", names.iter().copied())?;
        self.streams.iter().try_for_each(|stream| stream.validate(&names))?;
        if let Some(stream) = self.streams.iter().find(|stream| stream.streams(self.api).is_empty()) {
            let error =
                Error::config("a stream of the old API has to say `old = true` and cannot be by row version only");
            return Err(error.with("stream", &stream.name));
        }
        let targets = self.all_targets();
        check_taken("targets", targets.iter().map(|target| target.name.as_str()))?;
        self.targets.iter().try_for_each(TargetConfig::validate)
    }
}

#[cfg(test)]
mod tests {
    use milkrun_core::connector::Opening;

    use super::*;

    const GOOD: &str = "app_key = 'a1'\napp_secret = 'hush-hush'\n";
    const OLD: &str = "api = 'old'\napp_key = 'a1'\napp_secret = 'hush-hush'\naccess_token = 'whisper'\n";

    fn check(settings: &str) -> Result<JushuitanConfig> {
        let settings: toml::Table = toml::from_str(settings).unwrap();
        let opening = Opening { account: "jst".into(), settings, folder: "/".into() };
        let config: JushuitanConfig = opening.parse()?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn the_minimum_is_enough_and_shows_no_secret() {
        let config = check(GOOD).unwrap();
        assert_eq!((config.calls_per_second, config.calls_per_minute, config.api), (5, 100, Api::New));
        assert_eq!((config.address(), config.quota()), ("https://openapi.jushuitan.com", quota()));
        let old = check(&format!("{OLD}token_expires = '2027-03-01'")).unwrap();
        assert_eq!(old.address(), "https://open.erp321.com/api/open/query.aspx");
        assert_eq!(old.token_end().unwrap().to_string(), "2027-02-28T16:00:00Z");
        assert!(old.all_targets().is_empty());
        let shown = format!("{config:?} {old:?}");
        assert!(!shown.contains("hush") && !shown.contains("whisper"), "{shown}");
    }

    #[test]
    fn a_further_method_is_configuration() {
        let more = "[[streams]]\nname = 'virtual-stock'\npath = '/open/pack/query'\nkey = ['pack_id']\n\
                    page_size = { min = 1, usual = 50, max = 50 }\nparams = { type = 'a', n = 1, on = true }\n\
                    window = {}\ncursor = {}\n\
                    [[targets]]\nname = 'virtual-quantities'\npath = '/open/webapi/x/batchupdate'\nform = 'object'\n\
                    id = 'so_id'\nids = ['io_id']\n";
        let config = check(&format!("{GOOD}{more}")).unwrap();
        let names: Vec<_> = config.all_streams().into_iter().rev().take(2).map(|stream| stream.name).collect();
        assert_eq!(names, ["virtual-stock-by-window", "virtual-stock"]);
        assert_eq!(config.all_targets().last().unwrap().name, "virtual-quantities");
    }

    #[test]
    fn refused_by_name() {
        let stream = |lines: &str| {
            let page = "page_size = { min = 1, usual = 50, max = 50 }";
            format!("{GOOD}[[streams]]\nname = 'more'\npath = '/open/x/query'\nkey = ['id']\n{page}\n{lines}\n")
        };
        let target = |lines: &str| {
            format!(
                "{GOOD}[[targets]]\nname = 'more'\npath = '/open/x/upload'\nform = 'array'\nid = 'so_id'\n{lines}\n"
            )
        };
        let parent = "partition = { stream = 'warehouse', path = 'wms_co_id', parameter = 'w' }";
        let cases = [
            ("app_key missing", GOOD.replace("app_key = 'a1'", "")),
            ("app_secret missing", GOOD.replace("app_secret = 'hush-hush'", "")),
            ("app_key", GOOD.replace("'a1'", "''")),
            ("app_secret", GOOD.replace("hush-hush", "hush-hush\\n").replace('\'', "\"")),
            ("access_token", format!("{GOOD}access_token = ''")),
            ("refresh_token", format!("{GOOD}access_token = 'whisper'\nrefresh_token = 'a b'")),
            ("refresh_token alone", format!("{GOOD}refresh_token = 'whisper'")),
            ("token_expires", format!("{GOOD}access_token = 'whisper'\ntoken_expires = 'soon'")),
            ("token_expires alone", format!("{GOOD}token_expires = '2027-03-01'")),
            ("unknown key", format!("{GOOD}pagesize = 5")),
            ("api", format!("{GOOD}api = 'qimen'")),
            ("app", format!("{GOOD}app = 'mine'")),
            ("old without token", OLD.replace("access_token = 'whisper'", "")),
            ("old with refresh", format!("{OLD}refresh_token = 'whisper'")),
            ("old with app", format!("{OLD}app = 'third-party'")),
            ("old with targets", format!("{OLD}{}", target("").replace(GOOD, ""))),
            ("old stream", format!("{OLD}{}", stream("").replace(GOOD, ""))),
            ("base_url", format!("{GOOD}base_url = 'openapi.jushuitan.com'")),
            ("base_url slash", format!("{GOOD}base_url = 'https://openapi.jushuitan.com/'")),
            ("base_url old", format!("{GOOD}base_url = 'https://open.erp321.com/api/open/query.aspx'")),
            ("login_url", format!("{GOOD}login_url = 'https://openweb.jushuitan.com/auth?x=1'")),
            ("calls_per_second", format!("{GOOD}calls_per_second = 0")),
            ("calls_per_minute", format!("{GOOD}calls_per_minute = 4")),
            ("page_size", format!("{GOOD}page_size = 501")),
            ("stream taken", stream("").replace("'more'", "'orders-by-window'")),
            ("stream name", stream("").replace("'more'", "'Mehr Daten'")),
            ("stream write", stream("").replace("/x/query", "/jushuitan/orders/upload")),
            ("stream path", stream("").replace("/open/x/query", "/openWeb/x/query")),
            ("stream key", stream("").replace("['id']", "[]")),
            ("stream lists", stream("lists = ['']")),
            ("stream pages", stream("").replace("usual = 50", "usual = 51")),
            ("stream proof", stream("proof = 'backwards'")),
            ("stream longest", stream("window = { longest_hours = 169 }")),
            ("stream date_type", stream("params = { date_type = 2 }")),
            ("stream reserved", stream("params = { page_index = 2 }")),
            ("stream parameter twice", stream("window = {}\nparams = { modified_end = 'x' }")),
            ("stream param float", stream("params = { price = 1.5 }")),
            ("stream parent", stream(parent)),
            ("stream into", stream("partition_into = 'w'")),
            ("stream unknown key", stream("pages = 5")),
            ("target taken", target("").replace("'more'", "'orders'")),
            ("target name", target("").replace("'more'", "'Mehr'")),
            ("target read", target("").replace("/x/upload", "/sku/query")),
            ("target id", target("").replace("'so_id'", "''")),
            ("target batch", target("batch = 0")),
            ("target object batch", target("batch = 2").replace("'array'", "'object'")),
            ("target form", target("").replace("'array'", "'rows'")),
            ("target upsert", target("idempotency = 'upsert'\nkey = []")),
            ("target key max", target("idempotency = 'key'")),
            ("target most_items", target("most_items = 0")),
            ("target unknown key", target("pages = 5")),
        ];
        let refused = cases.map(|(name, settings)| {
            let error = check(&settings).expect_err(name);
            assert_eq!(error.kind(), milkrun_core::ErrorKind::ConfigInvalid, "{name}");
            let text = error.to_string();
            assert!(!text.contains("hush") && !text.contains("whisper"), "{text}");
            let text = text.lines().next().unwrap().chars().take(150).collect::<String>();
            format!("{name}: {text}{}", error.help().map(|help| format!(" [{help}]")).unwrap_or_default())
        });
        insta::assert_snapshot!(refused.join("\n"));
    }
}
