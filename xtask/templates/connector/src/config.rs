//! The settings of an account.

use milkrun_core::settings::{Address, check_address, check_given};
use milkrun_core::{Error, Quota, QuotaSpec, Result, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// A minimal account.
pub(crate) const EXAMPLE: &str = r#"[accounts.acme]
connector = "acme"
api_key = { env = "ACME_API_KEY" }
"#;

/// One Acme ERP company.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcmeConfig {
    /// The API key.
    pub api_key: Secret,
    /// The address of the API.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// Calls in any second, 1 to 5.
    #[serde(default = "calls_per_second")]
    pub calls_per_second: u32,
    /// Records per page, 1 to 100.
    #[serde(default = "page_size")]
    pub page_size: u32,
}

fn base_url() -> String {
    "https://open.acme.example/v1".to_owned()
}

pub(crate) fn calls_per_second() -> u32 {
    5
}

pub(crate) fn page_size() -> u32 {
    100
}

/// What an account may do.
pub(crate) fn quota(calls_per_second: u32) -> QuotaSpec {
    QuotaSpec::account(Quota::per_second(calls_per_second).at_once(8))
}

impl AcmeConfig {
    /// Refuses what the vendor would refuse, or accept and quietly change.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::config(message));
        // A line break from a file would end the header, and the call would fail without a word about the key.
        check_given("api_key", self.api_key.expose())?;
        check_address("base_url", &self.base_url, Address::Base)?;
        if !(1..=5).contains(&self.calls_per_second) {
            return wrong("`calls_per_second` has to be 1 to 5");
        }
        if !(1..=100).contains(&self.page_size) {
            return wrong("`page_size` has to be 1 to 100: the vendor gives no larger pages");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use milkrun_core::ErrorKind;
    use milkrun_core::connector::Opening;

    use super::*;

    fn check(settings: &str) -> Result<AcmeConfig> {
        let settings = toml::from_str(settings).unwrap();
        let config: AcmeConfig = Opening { account: "a".into(), settings, folder: "/".into() }.parse()?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn the_minimum_is_enough_and_shows_no_secret() {
        let config = check("api_key = 'hush-hush'").unwrap();
        assert_eq!((config.calls_per_second, config.page_size), (5, 100));
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn refused_by_name() {
        let cases = [
            ("api_key", ""),
            ("api_key", "api_key = 'hush\thush'"),
            ("base_url", "api_key = 'hush'\nbase_url = 'open.acme.example'"),
            ("calls_per_second", "api_key = 'hush'\ncalls_per_second = 6"),
            ("page_size", "api_key = 'hush'\npage_size = 101"),
            ("pagesize", "api_key = 'hush'\npagesize = 10"),
        ];
        for (name, settings) in cases {
            let error = check(settings).expect_err(settings);
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{settings}");
            let text = error.to_string();
            assert!(text.contains(&format!("`{name}`")) && !text.contains("hush"), "{text}");
        }
    }
}
