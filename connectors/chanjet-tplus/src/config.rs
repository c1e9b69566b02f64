//! The settings of an account.

use std::collections::BTreeMap;

use milkrun_core::declared::check_taken;
use milkrun_core::diagnostic::did_you_mean;
use milkrun_core::settings::{Address, check_address, check_given};
use milkrun_core::stream::PageSize;
use milkrun_core::{Error, Quota, QuotaSpec, Result, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::filter::FilterValue;
use crate::push::is_message_secret;
use crate::streams::{self, StreamConfig, WindowConfig};
use crate::targets::{self, TargetConfig};

/// A minimal account.
pub(crate) const EXAMPLE: &str = r#"[accounts.tplus]
connector = "chanjet-tplus"
app_key = "ptPrU0YV"
app_secret = { env = "TPLUS_APP_SECRET" }
redirect_uri = "https://erp.example.com/callback"   # as registered at the open platform; then: milkrun login tplus
"#;

/// One organisation at Chanjet T+.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChanjetTplusConfig {
    /// The app key.
    pub app_key: String,
    /// The app secret.
    pub app_secret: Secret,
    /// Where T+ runs.
    #[serde(default)]
    pub edition: Edition,
    /// How tokens are had in the cloud.
    #[serde(default)]
    pub grant: Grant,
    /// The address up to `/tplus`: the vendor's cloud unless set otherwise; required for `on-premise`.
    pub base_url: Option<String>,
    /// The page that a person opens to authorise.
    #[serde(default = "authorize_url")]
    pub authorize_url: String,
    /// The address that the authorisation ends at, as it is registered at the open platform; for `milkrun login`.
    pub redirect_uri: Option<String>,
    /// For `grant = "oauth"`: the access token of an earlier authorisation, in place of `milkrun login`.
    pub access_token: Option<Secret>,
    /// For `grant = "oauth"`: the refresh token of an earlier authorisation; it is used up at the first renewal, and
    /// the new ones are kept in the vault.
    pub refresh_token: Option<Secret>,
    /// For `grant = "store-app"`: the permanent code of the organisation. Left out, it is had with the temporary code
    /// that the platform pushes.
    pub permanent_auth_code: Option<Secret>,
    /// For `grant = "store-app"`: the permanent code of the user. Left out, it is had by `milkrun login`.
    pub user_auth_permanent_code: Option<Secret>,
    /// For `grant = "self-built"`: the certificate of the application.
    pub certificate: Option<Secret>,
    /// What pushed messages are encrypted with: 16 characters, or 32 hexadecimal digits. Required for all grants that
    /// live by the app ticket: `store-app` and `self-built`.
    pub message_secret: Option<Secret>,
    /// The organisation's id. In the cloud it refuses tokens of another organisation; `on-premise` signs it.
    pub org_id: Option<String>,
    /// The key of the optional signature over bodies, for applications that have one.
    pub sign_key: Option<Secret>,
    /// For `on-premise`: the user.
    pub user_name: Option<String>,
    /// For `on-premise`: the user's password.
    pub password: Option<Secret>,
    /// For `on-premise`: the number of the account set (账套).
    pub account_number: Option<String>,
    /// For `on-premise`: the text of the `.pem` file that the vendor handed out.
    pub pem: Option<Secret>,
    /// What is put before a source key that becomes a document's `ExternalCode`; it keeps the keys of several sources
    /// apart. Without effect where the mapping sets `ExternalCode`. Once documents were delivered, it has to stay.
    #[serde(default)]
    pub external_code_prefix: String,
    /// Calls in any second, 1 to 50. The vendor publishes no number.
    #[serde(default = "calls_per_second")]
    pub calls_per_second: u32,
    /// Calls under way at one time, 1 to 64; also how many documents of a page are asked for side by side.
    #[serde(default = "concurrency")]
    pub concurrency: u32,
    /// Records per page, 1 to 1000, for all streams, each within its own limits; left out, each stream's usual size.
    pub page_size: Option<u32>,
    /// Changes to streams of the connector, by their names: other fields, conditions, a window.
    #[serde(default)]
    pub adjust: BTreeMap<String, Adjust>,
    /// Further streams, for read interfaces that the connector does not have.
    #[serde(default)]
    pub streams: Vec<StreamConfig>,
    /// Further targets, for create interfaces that the connector does not have.
    #[serde(default)]
    pub targets: Vec<TargetConfig>,
}

/// Where T+ runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Edition {
    /// In the vendor's cloud (T+Cloud).
    #[default]
    Cloud,
    /// On a machine of the company's own, version 12.3 or later.
    OnPremise,
}

/// How tokens are had in the cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// A person authorises in a browser (`milkrun login`), and the token is renewed from then on.
    #[default]
    Oauth,
    /// An application of the vendor's store: app ticket, permanent codes, no person at the screen.
    StoreApp,
    /// An application that the company built for itself: app ticket and certificate.
    SelfBuilt,
}

/// Changes to a stream of the connector.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjust {
    /// The fields to ask for, in place of the stream's.
    pub select: Option<Vec<String>>,
    /// Conditions, beside the stream's or in place of those of the same name.
    #[serde(default)]
    pub filter: BTreeMap<String, FilterValue>,
    /// How a span of time is asked for, in place of the stream's.
    pub window: Option<WindowConfig>,
    /// How many records a page may have, in place of the stream's.
    pub page_size: Option<PageSize>,
}

fn authorize_url() -> String {
    "https://market.chanjet.com/user/v2/authorize".to_owned()
}

fn calls_per_second() -> u32 {
    5
}

fn concurrency() -> u32 {
    4
}

/// What an account may do unless it is set otherwise.
pub(crate) fn quota() -> QuotaSpec {
    QuotaSpec::account(Quota::per_second(calls_per_second()).at_once(concurrency()))
}

/// The vendor's cloud.
const CLOUD: &str = "https://openapi.chanjet.com";

impl ChanjetTplusConfig {
    /// What this account may do.
    pub(crate) fn quota(&self) -> QuotaSpec {
        QuotaSpec::account(Quota::per_second(self.calls_per_second).at_once(self.concurrency))
    }

    /// The address, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        self.base_url.as_deref().unwrap_or(CLOUD)
    }

    /// The built-in streams as they were adjusted, and those that the settings declare.
    pub(crate) fn all_streams(&self) -> Vec<StreamConfig> {
        let mut all = streams::built_in();
        for stream in &mut all {
            let Some(adjust) = self.adjust.get(&stream.name) else { continue };
            if let Some(select) = &adjust.select {
                stream.select.clone_from(select);
            }
            stream.filter.extend(adjust.filter.clone());
            stream.window = adjust.window.clone().or(stream.window.take());
            stream.page_size = adjust.page_size.or(stream.page_size);
        }
        all.extend(self.streams.iter().cloned());
        all
    }

    /// The built-in targets and those that the settings declare.
    pub(crate) fn all_targets(&self) -> Vec<TargetConfig> {
        let mut all = targets::built_in();
        all.extend(self.targets.iter().cloned());
        all
    }

    /// Refuses what the vendor would refuse, or accept and quietly change.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        check_given("app_key", &self.app_key)?;
        self.validate_secrets()?;
        self.validate_grant()?;
        if let Some(url) = &self.base_url {
            check_address("base_url", url, Address::Base)?;
            if url.to_lowercase().contains("/tplus") {
                return wrong("`base_url` has to end before `/tplus`");
            }
        }
        check_address("authorize_url", &self.authorize_url, Address::Base)?;
        if let Some(url) = &self.redirect_uri {
            check_address("redirect_uri", url, Address::Page)?;
        }
        if !(1..=50).contains(&self.calls_per_second) {
            return wrong("`calls_per_second` has to be 1 to 50");
        }
        if !(1..=64).contains(&self.concurrency) {
            return wrong("`concurrency` has to be 1 to 64");
        }
        if self.page_size.is_some_and(|size| !(1..=streams::LARGEST_PAGE).contains(&size)) {
            return wrong("`page_size` has to be 1 to 1000: the vendor gives no larger pages");
        }
        self.validate_streams()?;
        let targets = self.all_targets();
        check_taken("targets", targets.iter().map(|target| target.name.as_str()))?;
        self.targets.iter().try_for_each(TargetConfig::validate)
    }

    /// Secrets that travel in headers or are compared byte for byte hold no white space.
    fn validate_secrets(&self) -> Result<()> {
        let secrets = [
            ("app_secret", Some(&self.app_secret)),
            ("access_token", self.access_token.as_ref()),
            ("refresh_token", self.refresh_token.as_ref()),
            ("permanent_auth_code", self.permanent_auth_code.as_ref()),
            ("user_auth_permanent_code", self.user_auth_permanent_code.as_ref()),
            ("sign_key", self.sign_key.as_ref()),
        ];
        for (name, secret) in secrets {
            secret.map_or(Ok(()), |secret| check_given(name, secret.expose()))?;
        }
        let whole = [("certificate", &self.certificate), ("password", &self.password), ("pem", &self.pem)];
        for (name, secret) in whole {
            let text = secret.as_ref().map(Secret::expose);
            let line_end = name != "pem" && text.is_some_and(|text| text.ends_with(['\n', '\r']));
            if text.is_some_and(|text| text.trim().is_empty()) || line_end {
                return Err(Error::config(format!("`{name}` is empty or ends with a line break")));
            }
        }
        if self.message_secret.as_ref().is_some_and(|secret| !is_message_secret(secret)) {
            return Err(Error::config("`message_secret` has to be 16 characters or 32 hexadecimal digits"));
        }
        Ok(())
    }

    /// Each edition and grant needs settings of its own, and those of another one would be without effect.
    fn validate_grant(&self) -> Result<()> {
        let way = match (self.edition, self.grant) {
            (Edition::OnPremise, Grant::Oauth) => "edition = \"on-premise\"",
            (Edition::OnPremise, _) => return Err(Error::config("`grant` is for the cloud, not for `on-premise`")),
            (Edition::Cloud, Grant::Oauth) => "grant = \"oauth\"",
            (Edition::Cloud, Grant::StoreApp) => "grant = \"store-app\"",
            (Edition::Cloud, Grant::SelfBuilt) => "grant = \"self-built\"",
        };
        let (oauth, store, built, premise) =
            ("grant = \"oauth\"", "grant = \"store-app\"", "grant = \"self-built\"", "edition = \"on-premise\"");
        // The setting, whether it is there, the ways that need it, the ways that may have it.
        let table: [(&str, bool, &[&str], &[&str]); 14] = [
            ("base_url", self.base_url.is_some(), &[premise], &[oauth, store, built]),
            ("redirect_uri", self.redirect_uri.is_some(), &[], &[oauth, store]),
            ("access_token", self.access_token.is_some(), &[], &[oauth]),
            ("refresh_token", self.refresh_token.is_some(), &[], &[oauth]),
            ("permanent_auth_code", self.permanent_auth_code.is_some(), &[], &[store]),
            ("user_auth_permanent_code", self.user_auth_permanent_code.is_some(), &[], &[store]),
            ("certificate", self.certificate.is_some(), &[built], &[]),
            ("message_secret", self.message_secret.is_some(), &[store, built], &[oauth]),
            ("org_id", self.org_id.is_some(), &[], &[oauth, store, built, premise]),
            ("sign_key", self.sign_key.is_some(), &[], &[oauth, store, built]),
            ("user_name", self.user_name.is_some(), &[premise], &[]),
            ("password", self.password.is_some(), &[premise], &[]),
            ("account_number", self.account_number.is_some(), &[premise], &[]),
            ("pem", self.pem.is_some(), &[premise], &[]),
        ];
        for (name, is_there, needed, allowed) in table {
            if !is_there && needed.contains(&way) {
                return Err(Error::config(format!("`{way}` needs `{name}`")));
            }
            if is_there && !needed.contains(&way) && !allowed.contains(&way) {
                return Err(Error::config(format!("`{name}` has no meaning with `{way}`")));
            }
        }
        Ok(())
    }

    fn validate_streams(&self) -> Result<()> {
        let built_in = streams::built_in();
        let own: Vec<&str> = built_in.iter().map(|stream| stream.name.as_str()).collect();
        if let Some(name) = self.adjust.keys().find(|name| !own.contains(&name.as_str())) {
            let error = Error::config(format!("`adjust` names `{name}`, which is no stream of the connector"));
            return Err(error.advise(did_you_mean(name, &own)));
        }
        let streams = self.all_streams();
        let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
        check_taken("streams", names.iter().copied())?;
        streams.iter().try_for_each(|stream| stream.validate(&names))
    }
}

#[cfg(test)]
mod tests {
    use milkrun_core::ErrorKind;
    use milkrun_core::connector::Opening;

    use super::*;

    const GOOD: &str = "app_key = 'ptPrU0YV'\napp_secret = 'hush-hush'\n";
    const PREMISE: &str = "edition = 'on-premise'\nbase_url = 'http://erp:8080'\nuser_name = 'u'\n\
                           password = 'hush'\naccount_number = '3'\npem = 'hush'\n";

    fn check(settings: &str) -> Result<ChanjetTplusConfig> {
        let settings = toml::from_str(settings).unwrap();
        let config: ChanjetTplusConfig = Opening { account: "t".into(), settings, folder: "/".into() }.parse()?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn the_minimum_of_each_way_is_enough_and_shows_no_secret() {
        let built = "grant = 'self-built'\ncertificate = 'hush'\nmessage_secret = '1234567890abcdef'";
        let store = "grant = 'store-app'\nmessage_secret = '00112233445566778899aabbccddeeff'";
        for more in ["", "refresh_token = 'hush'", built, store, PREMISE] {
            let config = check(&format!("{GOOD}{more}")).unwrap();
            let shown = format!("{config:?}");
            assert!(!shown.contains("hush") && !shown.contains("12345678"), "{shown}");
        }
        let config = check(GOOD).unwrap();
        assert_eq!((config.base(), config.calls_per_second, config.concurrency), (CLOUD, 5, 4));
    }

    #[test]
    fn streams_are_adjusted_and_added() {
        let more = "[adjust.inventory]\nselect = ['ID', 'Code', 'Name']\nfilter = { Disabled = false }\n\
                    page_size = { min = 1, usual = 50, max = 50 }\n\
                    [[streams]]\nname = 'units'\nendpoint = 'UnitGroup/Query'\nkey = ['ID']\n\
                    [[targets]]\nname = 'inventory'\nendpoint = 'inventory/Create'\n";
        let config = check(&format!("{GOOD}{more}")).unwrap();
        let streams = config.all_streams();
        let inventory = streams.iter().find(|stream| stream.name == "inventory").unwrap();
        assert_eq!((inventory.select.join(","), inventory.page_size.unwrap().usual), ("ID,Code,Name".into(), 50));
        assert_eq!(inventory.filter["Disabled"], FilterValue::Truth(false));
        assert!(inventory.window.is_some(), "what is not adjusted stays");
        assert_eq!(streams.last().unwrap().name, "units");
        assert_eq!(config.all_targets().last().unwrap().endpoint, "inventory/Create");
    }

    #[test]
    fn refused_by_name() {
        let with = |more: &str| format!("{GOOD}{more}");
        let stream = |lines: &str| with(&format!("[[streams]]\nname = 'more'\nendpoint = 'x/Query'\n{lines}\n"));
        let keyed = |lines: &str| stream(&format!("key = ['ID']\n{lines}"));
        let target = |lines: &str| with(&format!("[[targets]]\nname = 'more'\n{lines}\n"));
        let premise = |setting: &str| {
            let lines = PREMISE.lines().filter(|line| !line.starts_with(setting));
            with(&lines.collect::<Vec<_>>().join("\n"))
        };
        let window = "window = { axis = 'a', start = 's', end = 'e', longest_hours = 24 }";
        let built = "grant = 'self-built'\n";
        let cases = [
            ("app_key missing", GOOD.replace("app_key = 'ptPrU0YV'", "")),
            ("app_secret missing", GOOD.replace("app_secret = 'hush-hush'", "")),
            ("app_key", GOOD.replace("ptPrU0YV", "pt PrU0YV")),
            ("app_secret", GOOD.replace("hush-hush", "密hush")),
            ("unknown key", with("pagesize = 5")),
            ("edition", with("edition = 'private'")),
            ("grant", with("grant = 'password'")),
            ("grant on-premise", with(&format!("{PREMISE}grant = 'self-built'\n"))),
            ("refresh_token", with("refresh_token = ''")),
            ("refresh_token elsewhere", with(&format!("{PREMISE}refresh_token = 'hush'\n"))),
            ("certificate missing", with(&format!("{built}message_secret = '1234567890abcdef'"))),
            ("certificate", with(&format!("{built}certificate = \"hush\\n\"\nmessage_secret = '1234567890abcdef'"))),
            ("message_secret missing", with(&format!("{built}certificate = 'hush'"))),
            ("message_secret", with("message_secret = 'hush'")),
            ("permanent_auth_code elsewhere", with("permanent_auth_code = 'hush'")),
            ("redirect_uri elsewhere", with(&format!("{PREMISE}redirect_uri = 'https://x'\n"))),
            ("base_url missing", premise("base_url")),
            ("user_name missing", premise("user_name")),
            ("password missing", premise("password")),
            ("account_number missing", premise("account_number")),
            ("pem missing", premise("pem")),
            ("pem elsewhere", with("pem = 'hush'")),
            ("base_url", with("base_url = 'openapi.chanjet.com'")),
            ("base_url slash", with("base_url = 'https://openapi.chanjet.com/'")),
            ("base_url path", with("base_url = 'https://openapi.chanjet.com/TPlus/api/v2'")),
            ("redirect_uri", with("redirect_uri = 'callback'")),
            ("calls_per_second", with("calls_per_second = 0")),
            ("concurrency", with("concurrency = 65")),
            ("page_size", with("page_size = 1001")),
            ("adjust", with("[adjust.inventries]")),
            ("adjust unknown key", with("[adjust.inventory]\nfields = ['ID']")),
            ("adjust without the key", with("[adjust.inventory]\nselect = ['Code']")),
            ("adjust filter float", with("[adjust.inventory]\nfilter = { N = 1.5 }")),
            ("stream taken", keyed("").replace("'more'", "'inventory'")),
            ("stream name", keyed("").replace("'more'", "'Mehr Daten'")),
            ("stream write", keyed("").replace("x/Query", "x/Create")),
            ("stream path", keyed("").replace("x/Query", "Query")),
            ("stream detail write", keyed("detail = { endpoint = 'x/Delete', from = 'ID' }")),
            ("stream key", stream("key = []")),
            ("stream key not asked for", keyed("select = ['Code']")),
            ("stream number not asked for", keyed("number = 'Code'\nselect = ['ID']")),
            ("stream pages", keyed("page_size = { min = 1, usual = 2000, max = 2000 }")),
            ("stream proof", keyed("proof = 'backwards'")),
            ("stream proof without a total", keyed(&format!("proof = 'backwards'\n{window}"))),
            ("stream reserved", keyed("filter = { PageIndex = 2 }")),
            ("stream parameter twice", keyed(&format!("filter = {{ s = '1' }}\n{window}"))),
            ("stream longest", keyed(&window.replace("24", "0"))),
            ("stream parent", keyed("partition = { stream = 'warehous', path = 'Code', parameter = 'W' }")),
            ("stream style", keyed("style = 'report'")),
            ("stream list without columns", keyed("style = 'voucher-list'")),
            ("stream wrapper", keyed("style = 'voucher-list'\nselect = ['ID']\nwrapper = 'param'")),
            ("stream make_key", keyed("make_key = { field = 'K', parts = [] }")),
            ("stream unknown key", keyed("pages = 5")),
            ("target taken", target("endpoint = 'x/Create'").replace("'more'", "'voucher'")),
            ("target read", target("endpoint = 'x/Query'")),
            ("target batch", target("endpoint = 'x/CreateBatch'")),
            ("target look_up write", target("endpoint = 'x/Create'\nlook_up = { endpoint = 'x/Create' }")),
            ("target unknown key", target("endpoint = 'x/Create'\nbatch = 5")),
        ];
        let refused = cases.map(|(name, settings)| {
            let error = check(&settings).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{name}");
            let text = error.to_string();
            assert!(!text.contains("hush"), "{text}");
            let text = text.lines().next().unwrap().chars().take(150).collect::<String>();
            format!("{name}: {text}{}", error.help().map(|help| format!(" [{help}]")).unwrap_or_default())
        });
        insta::assert_snapshot!(refused.join("\n"));
    }
}
