//! Opens accounts: secrets are fetched, the connector reads its settings, and mistakes are shown where they stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use milkrun_core::connector::Opening;
use milkrun_core::diagnostic::Diagnostic;
use milkrun_core::{Account, ErrorKind, Result, Secret};
use milkrun_store::SqliteStore;

use crate::config::{AccountConfig, Declared, Findings, Installation, Reports, declared, setting};
use crate::environment::Environment;
use crate::show::Scrubber;
use crate::text::Lang;

/// The accounts that could be opened, by name.
pub(crate) type Accounts = BTreeMap<String, Arc<Account>>;

/// Where secrets come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Secrets<'a> {
    /// They are fetched; each that is missing is a mistake.
    Fetched {
        /// Has the variables.
        environment: &'a Environment,
        /// The vault, if some setting refers to it.
        vault: Option<&'a SqliteStore>,
        /// Hides them from now on.
        scrubber: &'a Scrubber,
    },
    /// They are not needed: each is a stand-in, which no vendor is ever sent.
    StandIn,
}

/// A stand-in for a secret, for looking at an account without using it: sixteen hexadecimal digits, so that it has the
/// form of keys too.
const STAND_IN: &str = "0123456789abcdef";

/// Opens the accounts that `wanted` names, or all.
///
/// # Errors
/// Only those of the vault itself; what is wrong with an account goes into `reports`.
pub(crate) async fn open_accounts(
    installation: &Installation,
    wanted: impl Fn(&str) -> bool,
    secrets: Secrets<'_>,
    lang: Lang,
    reports: &mut Reports,
) -> Result<Accounts> {
    let mut opened = Accounts::new();
    for config in installation.accounts.iter().filter(|config| config.sound && wanted(&config.name)) {
        let mut findings = Findings::new(lang);
        let mut further = Vec::new();
        for (declared, own) in declared(installation, config, lang) {
            if own.mistakes.is_empty() {
                further.push(declared);
            } else {
                reports.add(&declared.file, own);
            }
        }
        if let Some(account) = open(installation, config, further, secrets, &mut findings, reports).await? {
            opened.insert(config.name.clone(), Arc::new(account));
        }
        reports.add(&config.file, findings);
    }
    Ok(opened)
}

async fn open(
    installation: &Installation,
    config: &AccountConfig,
    mut further: Vec<Declared>,
    secrets: Secrets<'_>,
    findings: &mut Findings,
    reports: &mut Reports,
) -> Result<Option<Account>> {
    let mut settings = config.settings.clone();
    let mut put = |path: &str, text: &str| {
        if let Some(place) = setting(&mut settings, path) {
            *place = toml::Value::String(text.to_owned());
        }
    };
    let n_before = findings.mistakes.len();
    for reference in &config.secrets {
        let Secrets::Fetched { environment, vault, scrubber } = secrets else {
            put(&reference.path, STAND_IN);
            continue;
        };
        match reference.source.fetch(findings.lang, &installation.dir, environment, vault).await {
            Ok(secret) => {
                scrubber.hide(&secret);
                put(&reference.path, secret.expose());
            }
            // A vault that cannot be read is not the setting's fault.
            Err(error) if error.kind() != ErrorKind::ConfigInvalid => return Err(error.with("account", &config.name)),
            Err(error) => {
                let message = crate::text::fill!(
                    findings.lang,
                    crate::text::SECRET_MISSING,
                    account = config.name,
                    setting = reference.path,
                    reason = error.message()
                );
                let diagnostic = Diagnostic::new(reference.span.clone(), message);
                findings.mistakes.push(match error.help() {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                });
            }
        }
    }
    if let Secrets::Fetched { scrubber, .. } = secrets {
        for path in &config.inline {
            if let Some(text) = setting(&mut settings, path).and_then(|value| value.as_str()) {
                scrubber.hide(&Secret::new(text));
            }
        }
    }
    if findings.mistakes.len() > n_before {
        return Ok(None);
    }
    loop {
        let opening = Opening {
            account: config.name.clone(),
            settings: with_declared(&settings, &further),
            folder: installation.dir.clone(),
        };
        let error = match (config.connector.open)(opening) {
            Ok(mut account) => {
                if let Some(rates) = &config.quota {
                    account.quota.account.rates.clone_from(rates);
                    account.quota.endpoints.clear();
                }
                return Ok(Some(account));
            }
            Err(error) => error,
        };
        // What one flow declares wrongly keeps no other flow from the account.
        let names = ["stream", "target", "name"].map(|fact| error.fact(fact));
        let Some(wrong) = further.iter().position(|declared| names.contains(&Some(declared.name.as_str()))) else {
            findings.mistakes.push(config.locate(&error, findings.lang));
            return Ok(None);
        };
        let wrong = further.remove(wrong);
        let mut own = Findings::new(findings.lang);
        own.mistakes.push(Diagnostic { span: wrong.span, ..config.locate(&error, findings.lang) });
        reports.add(&wrong.file, own);
    }
}

/// The settings with what flows declare at the end of its lists.
fn with_declared(settings: &toml::Table, further: &[Declared]) -> toml::Table {
    let mut settings = settings.clone();
    for declared in further {
        let list = settings.entry(declared.list).or_insert_with(|| toml::Value::Array(Vec::new()));
        if let toml::Value::Array(list) = list {
            list.push(declared.table.clone().into());
        }
    }
    settings
}
