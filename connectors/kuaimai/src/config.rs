//! The settings of an account.

use milkrun_core::declared::check_taken;
use milkrun_core::settings::{Address, check_address, check_secret, check_secret_if_any};
use milkrun_core::{Error, Quota, QuotaSpec, Result, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::streams::{self, StreamConfig};

/// A minimal account.
pub(crate) const EXAMPLE: &str = r#"[accounts.km]
connector = "kuaimai"
app_key = "123456"
app_secret = { env = "KM_APP_SECRET" }
session = { env = "KM_SESSION" }
refresh_token = { env = "KM_REFRESH_TOKEN" }
"#;

/// One Kuaimai company, as the vendor's e-mail grants it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KuaimaiConfig {
    /// The app key: digits.
    pub app_key: String,
    /// The app secret.
    pub app_secret: Secret,
    /// The access token of the grant; renewed ones are kept in the vault. A changed setting takes the vault's place at
    /// the next renewal.
    pub session: Secret,
    /// The refresh token of the grant. Without it the session serves until it dies, 30 days after the grant.
    pub refresh_token: Option<Secret>,
    /// The address of the gateway.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// How calls are signed.
    #[serde(default)]
    pub sign_method: SignMethod,
    /// Calls in any second, 1 to 15, by all that use the app key; about 15 were seen to pass.
    #[serde(default = "calls_per_second")]
    pub calls_per_second: u32,
    /// Calls under way at one time, 1 to 64; also how many documents of a page are asked for side by side.
    #[serde(default = "concurrency")]
    pub concurrency: u32,
    /// Records per page, 1 to 200, for all streams, each within its own limits; left out, each stream's usual size.
    pub page_size: Option<u32>,
    /// Further streams, for read methods that the connector does not have.
    #[serde(default)]
    pub streams: Vec<StreamConfig>,
}

/// How calls are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignMethod {
    /// HMAC-MD5, the vendor's default.
    #[default]
    Hmac,
    /// MD5 over the secret, the text and the secret.
    Md5,
    /// HMAC-SHA256.
    HmacSha256,
}

impl SignMethod {
    /// The value of the parameter `sign_method`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::Md5 => "md5",
            Self::HmacSha256 => "hmac-sha256",
        }
    }
}

fn base_url() -> String {
    "https://gw.superboss.cc/router".to_owned()
}

fn calls_per_second() -> u32 {
    12
}

fn concurrency() -> u32 {
    8
}

/// What an account may do unless it is set otherwise.
pub(crate) fn quota() -> QuotaSpec {
    QuotaSpec::account(Quota::per_second(calls_per_second()).at_once(concurrency()))
}

impl KuaimaiConfig {
    /// What this account may do.
    pub(crate) fn quota(&self) -> QuotaSpec {
        QuotaSpec::account(Quota::per_second(self.calls_per_second).at_once(self.concurrency))
    }

    /// Refuses what the vendor would refuse, or accept and quietly change.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        if self.app_key.is_empty() || !self.app_key.bytes().all(|b| b.is_ascii_digit()) {
            return wrong("`app_key` has to be digits");
        }
        check_secret("app_secret", &self.app_secret)?;
        check_secret("session", &self.session)?;
        check_secret_if_any("refresh_token", self.refresh_token.as_ref())?;
        check_address("base_url", &self.base_url, Address::Base)?;
        if self.base_url.contains("://gw3.superboss.cc") {
            return wrong("`base_url` is the vendor's internal gateway; use https://gw.superboss.cc/router");
        }
        if !(1..=15).contains(&self.calls_per_second) {
            return wrong("`calls_per_second` has to be 1 to 15: faster calls are answered with HTTP 429");
        }
        if !(1..=64).contains(&self.concurrency) {
            return wrong("`concurrency` has to be 1 to 64");
        }
        if self.page_size.is_some_and(|size| !(1..=200).contains(&size)) {
            return wrong("`page_size` has to be 1 to 200: the vendor gives no larger pages");
        }
        let streams = self.all_streams();
        let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
        check_taken("streams", names.iter().copied())?;
        self.streams.iter().try_for_each(|stream| stream.validate(&names))
    }

    /// The built-in streams and those that the settings declare.
    pub(crate) fn all_streams(&self) -> Vec<StreamConfig> {
        let mut all = streams::built_in();
        all.extend(self.streams.iter().cloned());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "app_key = '123456'\napp_secret = 'helloworld'\nsession = 'test'\n";

    fn check(settings: &str) -> Result<KuaimaiConfig> {
        let settings: toml::Table = toml::from_str(settings).unwrap();
        let opening = milkrun_core::connector::Opening { account: "km".into(), settings, folder: "/".into() };
        let config: KuaimaiConfig = opening.parse()?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn the_minimum_is_enough_and_shows_no_secret() {
        let config = check(GOOD).unwrap();
        assert_eq!((config.calls_per_second, config.concurrency), (12, 8));
        assert_eq!(config.sign_method, SignMethod::Hmac);
        let shown = format!("{config:?}");
        assert!(!shown.contains("helloworld") && !shown.contains("test"), "{shown}");
    }

    #[test]
    fn a_further_read_method_is_configuration() {
        let stream = "[[streams]]\nname = 'virtual-warehouses'\nmethod = 'erp.virtual.warehouse.query'\nkey = ['id']\n\
                      page_size = { min = 1, usual = 100, max = 500 }\n";
        let config = check(&format!("{GOOD}{stream}")).unwrap();
        let spec = config.all_streams().pop().unwrap().spec(None);
        assert_eq!((spec.name.as_str(), spec.page_size.usual), ("virtual-warehouses", 100));
        assert_eq!(spec.paging, milkrun_core::Paging::page_number("pageNo"));
    }

    #[test]
    fn refused_by_name() {
        let stream =
            |lines: &str| format!("{GOOD}[[streams]]\nname = 'more'\nmethod = 'erp.x.query'\nkey = ['id']\n{lines}\n");
        let window = "start = 's', end = 'e', longest_hours = 24";
        let cases = [
            ("app_key missing", GOOD.replace("app_key = '123456'", "")),
            ("app_secret missing", GOOD.replace("app_secret = 'helloworld'", "")),
            ("session missing", GOOD.replace("session = 'test'", "")),
            ("app_key", GOOD.replace("123456", "app-1")),
            ("app_secret", GOOD.replace("helloworld", "helloworld\\n").replace('\'', "\"")),
            ("session", GOOD.replace("'test'", "''")),
            ("refresh_token", format!("{GOOD}refresh_token = ''")),
            ("unknown key", format!("{GOOD}pagesize = 5")),
            ("base_url", format!("{GOOD}base_url = 'gw.superboss.cc/router'")),
            ("base_url query", format!("{GOOD}base_url = 'https://gw.superboss.cc/router?x=1'")),
            ("base_url internal", format!("{GOOD}base_url = 'https://gw3.superboss.cc/router'")),
            ("sign_method", format!("{GOOD}sign_method = 'sha1'")),
            ("calls_per_second", format!("{GOOD}calls_per_second = 16")),
            ("concurrency", format!("{GOOD}concurrency = 0")),
            ("page_size", format!("{GOOD}page_size = 500")),
            ("stream taken", stream("").replace("'more'", "'orders'")),
            ("stream twice", stream("") + &stream("").replace(GOOD, "")),
            ("stream name", stream("").replace("'more'", "'Mehr Daten'")),
            ("stream write", stream("").replace("erp.x.query", "erp.trade.cancel")),
            ("stream detail write", stream("detail = { method = 'purchase.add' }")),
            ("stream key", stream("").replace("['id']", "[]")),
            ("stream lists", stream("lists = ['']")),
            ("stream pages", stream("page_size = { min = 10, usual = 5 }")),
            ("stream proof", stream("proof = 'backwards'")),
            ("stream page_no", stream("params = { page_no = '1' }")),
            ("stream reserved", stream("params = { session = 'x' }")),
            ("stream empty value", stream("params = { state = '' }")),
            ("stream parameter twice", stream(&format!("params = {{ s = '1' }}\nwindow = {{ axis = 'a', {window} }}"))),
            (
                "stream late",
                stream(&format!(
                    "window = {{ axis = 'a', late = [{{ axis = 'b', every_hours = 1, reach_hours = 1 }}], {window} }}"
                )),
            ),
            (
                "stream late zero",
                stream(&format!(
                    "window = {{ axis = 'a', late = [{{ axis = 'a', every_hours = 0, reach_hours = 1 }}], {window} }}"
                )),
            ),
            ("stream axis value", stream(&format!("window = {{ axis = 'a', axis_values = {{ a = '1' }}, {window} }}"))),
            (
                "stream axis value of no axis",
                stream(&format!(
                    "window = {{ axis = 'a', axis_parameter = 'p', axis_values = {{ b = '1' }}, {window} }}"
                )),
            ),
            (
                "stream axis value empty",
                stream(&format!(
                    "window = {{ axis = 'a', axis_parameter = 'p', axis_values = {{ a = '' }}, {window} }}"
                )),
            ),
            ("stream longest", stream("window = { axis = 'a', start = 's', end = 'e', longest_hours = 0 }")),
            ("stream parent", stream("partition = { stream = 'warehouse', path = 'id', parameter = 'w' }")),
            ("stream rename", stream("rename = { a = 'b' }\ndetail = { method = 'erp.x.get' }")),
            ("stream unknown key", stream("pages = 5")),
        ];
        let refused = cases.map(|(name, settings)| {
            let error = check(&settings).expect_err(name);
            assert_eq!(error.kind(), milkrun_core::ErrorKind::ConfigInvalid, "{name}");
            let text = error.to_string();
            assert!(!text.contains("helloworld"), "{text}");
            let text = text.lines().next().unwrap().chars().take(150).collect::<String>();
            format!("{name}: {text}{}", error.help().map(|help| format!(" [{help}]")).unwrap_or_default())
        });
        insta::assert_snapshot!(refused.join("\n"));
    }
}
