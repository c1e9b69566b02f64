//! The settings of an account.

use std::collections::BTreeMap;
use std::time::Duration;

use milkrun_core::declared::check_taken;
use milkrun_core::diagnostic::did_you_mean;
use milkrun_core::settings::{Address, check_address, check_given, check_secret, check_secret_if_any};
use milkrun_core::{Error, Quota, QuotaSpec, Result, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::streams::{self, StreamConfig};
use crate::targets::{self, TargetConfig};

/// A minimal account.
pub(crate) const EXAMPLE: &str = r#"[accounts.yy]
connector = "yonyou-mdd"
tenant_id = "k8p3lxta"
app_key = "41832a3d2df94989b500da6a22268747"
app_secret = { env = "YY_APP_SECRET" }
"#;

/// One tenant of Yonyou, as an application sees it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct YonyouConfig {
    /// The tenant's id; its data centre is asked for by it.
    pub tenant_id: String,
    /// The application's key, `appKey`; of a suite, `suiteKey`.
    pub app_key: String,
    /// The application's secret; of a suite, the suite's.
    pub app_secret: Secret,
    /// What kind of application it is.
    #[serde(default)]
    pub application: Application,
    /// The suite's ticket, which older token paths want too. Left out, none is sent.
    pub suite_ticket: Option<Secret>,
    /// Whether tokens are asked for at the path of before 2023-07, without `base/v1`.
    #[serde(default)]
    pub old_token_path: bool,
    /// Where the tenant's data centre is asked for.
    #[serde(default = "discovery_url")]
    pub discovery_url: String,
    /// The address of the business interfaces, such as `https://c2.yonyoucloud.com/iuap-api-gateway`. Left out, it is
    /// asked for.
    pub gateway_url: Option<String>,
    /// The address that tokens are had from, such as `https://c2.yonyoucloud.com/iuap-api-auth`. Left out, it is asked
    /// for.
    pub token_url: Option<String>,
    /// Calls in any minute, 1 to 6000. The free quota is 60; finance interfaces get two thirds of it.
    #[serde(default = "calls_per_minute")]
    pub calls_per_minute: u32,
    /// Calls under way at one time, 1 to 64.
    #[serde(default = "concurrency")]
    pub concurrency: u32,
    /// Records per page, 1 to 500, for all streams, each within its own limits; left out, each stream's usual size.
    pub page_size: Option<u32>,
    /// Where the documents of a target hold a number of your own, such as `purchase-order = "code"`: by it a document is
    /// looked up when its key may be forgotten. Left out, `code`.
    #[serde(default)]
    pub own_numbers: BTreeMap<String, String>,
    /// Further streams, for list interfaces that the connector does not have.
    #[serde(default)]
    pub streams: Vec<StreamConfig>,
    /// Further targets, for save interfaces that the connector does not have.
    #[serde(default)]
    pub targets: Vec<TargetConfig>,
}

/// What kind of application calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Application {
    /// One that the tenant has built for itself.
    #[default]
    SelfBuilt,
    /// A suite of an independent vendor, which the tenant has authorised.
    Suite,
}

fn discovery_url() -> String {
    "https://apigateway.yonyoucloud.com".to_owned()
}

pub(crate) fn calls_per_minute() -> u32 {
    60
}

pub(crate) fn concurrency() -> u32 {
    4
}

/// What an account may do: so many calls for all interfaces, and two thirds of it for each of finance.
///
/// Nobody says whether the vendor's limits are per interface or for the whole application, so that the whole account
/// keeps to the smaller reading.
pub(crate) fn quota(calls_per_minute: u32, concurrency: u32, targets: &[TargetConfig]) -> QuotaSpec {
    const MINUTE: Duration = Duration::from_mins(1);
    let mut quota = QuotaSpec::account(Quota::unlimited().at_once(concurrency).and(calls_per_minute, MINUTE));
    for target in targets.iter().filter(|target| target.is_finance()) {
        let less = Quota::unlimited().and((calls_per_minute * 2 / 3).max(1), MINUTE);
        quota.endpoints.insert(target.path.clone(), less);
    }
    quota
}

impl YonyouConfig {
    /// What this account may do.
    pub(crate) fn quota(&self) -> QuotaSpec {
        quota(self.calls_per_minute, self.concurrency, &self.all_targets())
    }

    /// Refuses what the vendor would refuse, or accept and quietly change.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        check_given("tenant_id", &self.tenant_id)?;
        check_given("app_key", &self.app_key)?;
        check_secret("app_secret", &self.app_secret)?;
        check_secret_if_any("suite_ticket", self.suite_ticket.as_ref())?;
        if self.suite_ticket.is_some() && self.application == Application::SelfBuilt {
            return wrong("`suite_ticket` goes with `application = \"suite\"` only");
        }
        let addresses = [
            ("discovery_url", Some(&self.discovery_url)),
            ("gateway_url", self.gateway_url.as_ref()),
            ("token_url", self.token_url.as_ref()),
        ];
        for (setting, address) in addresses {
            // A slash at its end is what people copy from the vendor's answer.
            address.map_or(Ok(()), |url| check_address(setting, url.trim_end_matches('/'), Address::Base))?;
        }
        if !(1..=6000).contains(&self.calls_per_minute) {
            return wrong("`calls_per_minute` has to be 1 to 6000");
        }
        if !(1..=64).contains(&self.concurrency) {
            return wrong("`concurrency` has to be 1 to 64");
        }
        if self.page_size.is_some_and(|size| !(1..=500).contains(&size)) {
            return wrong("`page_size` has to be 1 to 500: larger pages may be cut without a word");
        }
        let streams = self.all_streams();
        check_taken("streams", streams.iter().map(|stream| stream.name.as_str()))?;
        self.streams.iter().try_for_each(StreamConfig::validate)?;
        let targets = self.all_targets();
        check_taken("targets", targets.iter().map(|target| target.name.as_str()))?;
        self.targets.iter().try_for_each(TargetConfig::validate)?;
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        for (name, path) in &self.own_numbers {
            if !names.contains(&name.as_str()) {
                let error = Error::config(format!("`own_numbers` names `{name}`, which is no target"));
                return Err(error.advise(did_you_mean(name, &names)));
            }
            if path.is_empty() {
                return Err(Error::config(format!("`own_numbers.{name}` is empty")));
            }
        }
        Ok(())
    }

    /// The built-in streams and those that the settings declare.
    pub(crate) fn all_streams(&self) -> Vec<StreamConfig> {
        let mut all = streams::built_in();
        all.extend(self.streams.iter().cloned());
        all
    }

    /// The built-in targets and those that the settings declare, each with the account's own number.
    pub(crate) fn all_targets(&self) -> Vec<TargetConfig> {
        let mut all = targets::built_in();
        all.extend(self.targets.iter().cloned());
        for target in &mut all {
            if let Some(path) = self.own_numbers.get(&target.name) {
                target.number.clone_from(path);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "tenant_id = 'k8p3lxta'\napp_key = 'key'\napp_secret = 'helloworld'\n";

    fn check(settings: &str) -> Result<YonyouConfig> {
        let settings: toml::Table = toml::from_str(settings).unwrap();
        let opening = milkrun_core::connector::Opening { account: "yy".into(), settings, folder: "/".into() };
        let config: YonyouConfig = opening.parse()?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn the_minimum_is_enough_and_shows_no_secret() {
        let config = check(GOOD).unwrap();
        assert_eq!((config.calls_per_minute, config.concurrency), (60, 4));
        assert!(!format!("{config:?}").contains("helloworld"));
        let quota = config.quota();
        assert_eq!(quota.account.rates[0].calls, 60);
        assert_eq!(quota.endpoints["/yonbip/EFI/payable/save"].rates[0].calls, 40);
    }

    #[test]
    fn further_lists_and_saves_are_configuration() {
        let more = r#"
            own_numbers = { purchase-order = "headItem.define1" }
            [[streams]]
            name = "payables"
            path = "/yonbip/EFI/payable/list"
            window = { longest_hours = 24 }
            is_sum = true
            [[targets]]
            name = "transfer-in"
            path = "/yonbip/scm/storein/save"
            lines = ["details"]
        "#;
        let config = check(&format!("{GOOD}{more}")).unwrap();
        let stream = config.all_streams().pop().unwrap().spec(None);
        assert_eq!((stream.name.as_str(), stream.proof.name()), ("payables", "read-twice"));
        let targets = config.all_targets();
        let spec = targets.last().unwrap().spec();
        assert_eq!((spec.name.as_str(), spec.idempotency), ("transfer-in", milkrun_core::Idempotency::None));
        assert_eq!(targets[0].number, "headItem.define1");
    }

    #[test]
    fn refused_by_name() {
        let stream = |lines: &str| format!("{GOOD}[[streams]]\nname = 'more'\npath = '/yonbip/x/list'\n{lines}\n");
        let target = |lines: &str| format!("{GOOD}[[targets]]\nname = 'more'\npath = '/yonbip/x/save'\n{lines}\n");
        let cases = [
            ("tenant_id missing", GOOD.replace("tenant_id = 'k8p3lxta'", "")),
            ("app_key missing", GOOD.replace("app_key = 'key'", "")),
            ("app_secret missing", GOOD.replace("app_secret = 'helloworld'", "")),
            ("tenant_id", GOOD.replace("k8p3lxta", "")),
            ("app_key", GOOD.replace("'key'", "'a key'")),
            ("app_secret", GOOD.replace("helloworld", "helloworld\\n").replace('\'', "\"")),
            ("unknown key", format!("{GOOD}pagesize = 5")),
            ("application", format!("{GOOD}application = 'robot'")),
            ("suite_ticket", format!("{GOOD}suite_ticket = 't'")),
            ("suite_ticket empty", format!("{GOOD}application = 'suite'\nsuite_ticket = ''")),
            ("discovery_url", format!("{GOOD}discovery_url = 'apigateway.yonyoucloud.com'")),
            ("gateway_url", format!("{GOOD}gateway_url = 'https://c2.yonyoucloud.com/x?y=1'")),
            ("token_url", format!("{GOOD}token_url = 'ftp://c2.yonyoucloud.com'")),
            ("calls_per_minute", format!("{GOOD}calls_per_minute = 0")),
            ("concurrency", format!("{GOOD}concurrency = 65")),
            ("page_size", format!("{GOOD}page_size = 501")),
            ("own_numbers target", format!("{GOOD}own_numbers = {{ purchase-orders = 'code' }}")),
            ("own_numbers empty", format!("{GOOD}own_numbers = {{ purchase-order = '' }}")),
            ("stream taken", stream("").replace("'more'", "'purchase-orders'")),
            ("stream name", stream("").replace("'more'", "'More'")),
            ("stream path", stream("").replace("/yonbip/x/list", "yonbip/x/list")),
            ("stream path query", stream("").replace("x/list", "x/list?a=1")),
            ("stream path write", stream("").replace("x/list", "x/save")),
            ("stream key", stream("key = []")),
            ("stream success", stream("success = ['']")),
            ("stream params reserved", stream("params = { pageIndex = '1' }")),
            ("stream op", stream("conditions = [{ field = 'a', op = 'elt', value1 = '1' }]")),
            ("stream page_size", stream("page_size = { min = 5, usual = 2, max = 9 }")),
            ("stream page size 0", stream("page_size = { min = 0, usual = 2, max = 9 }")),
            ("stream backwards", stream("proof = 'backwards'")),
            (
                "stream lines backwards",
                stream(&format!("{LINES}window = {{ longest_hours = 24 }}\nproof = 'backwards'")),
            ),
            ("stream lines is_sum", stream(&format!("{LINES}is_sum = true"))),
            ("stream lines key", stream(&format!("{LINES}key = ['a', 'b']"))),
            ("stream lines header", stream("lines = { list = 'l', prefix = 'l_', header = ['code'] }")),
            ("stream window short", stream("window = { longest_hours = 24, start = 'beginTime' }")),
            ("stream window zero", stream("window = { longest_hours = 0 }")),
            ("stream form data", stream("form = 'query-by-page'")),
            ("stream form bare", stream("form = 'bare'\nwindow = { longest_hours = 24 }")),
            ("stream unknown key", stream("pages = 5")),
            ("target taken", target("").replace("'more'", "'voucher'")),
            ("target name", target("").replace("'more'", "'mehr Daten'")),
            ("target path", target("").replace("/yonbip/x/save", "https://x/save")),
            ("target batch", target("batch = 0")),
            ("target batch object", target("batch = 5")),
            ("target key", target("key = ''")),
            ("target lines", target("lines = ['']")),
            ("target success", target("success = []")),
            ("target list", target("list = 'x/list'")),
            ("target unique", target("unique = true")),
            ("target unknown key", target("idempotent = true")),
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

    const LINES: &str = "lines = { list = 'l', prefix = 'l_', header = ['id', 'pubts'] }\n";
}
