//! The files of an installation as they are used: the newest ones, and the last good one of each that has mistakes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milkrun_alerts::Settings;
use milkrun_console::model::Mistake;
use milkrun_core::{Error, ErrorKind, Result};
use xxhash_rust::xxh3::Xxh3;

use super::watch::{Stamp, stamp};
use crate::config::{self, FlowConfig, Installation, Reports, SecretSource, TableFrom, suggest};
use crate::desk::mistakes;
use crate::environment::Environment;
use crate::show::Scrubber;
use crate::text::{self, Lang, fill};
use crate::wiring::{Accounts, Prepared, Secrets, State, open_accounts, open_alerts, prepare_flows};

/// What files are read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) environment: &'a Environment,
    pub(crate) scrubber: &'a Scrubber,
    /// The language of what is logged.
    pub(crate) lang: Lang,
}

impl<'a> Reader<'a> {
    fn secrets(self, state: &'a State) -> Secrets<'a> {
        Secrets::Fetched { environment: self.environment, vault: Some(&state.store), scrubber: self.scrubber }
    }
}

/// An installation as it is used.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Flows and accounts that have mistakes are here as they were before, if they were good.
    pub(crate) installation: Installation,
    pub(crate) accounts: Accounts,
    /// Who is told of what.
    pub(crate) alerts: Settings,
    /// The flows that can run.
    pub(crate) usable: BTreeSet<String>,
    /// The flows whose newest file has no mistakes.
    pub(crate) sound: BTreeSet<String>,
    /// Changes with everything that accounts are opened from.
    accounts_key: u128,
    /// Whether all accounts could be opened as they are written.
    accounts_are_sound: bool,
    /// What is wrong with the files as they are, in English and in Chinese.
    mistakes: [Vec<Mistake>; 2],
}

/// What a flow is made of beside its accounts: when this changes, a run under way goes on with what is new.
pub(crate) type Substance = (u128, Vec<(PathBuf, Option<Stamp>)>);

impl Loaded {
    /// Reads the files; what is wrong with some does not keep the others from being used.
    ///
    /// # Errors
    /// If there is no installation, and those of the store.
    pub(crate) async fn read(reader: Reader<'_>, state: &State, before: Option<&Self>) -> Result<Self> {
        let (mut installation, mut reports) = config::load(reader.dir, reader.lang)?;
        let key = accounts_key(&installation);
        let mut accounts_are_sound = true;
        let same = before.filter(|before| before.accounts_key == key && before.accounts_are_sound);
        let accounts = if let Some(before) = same {
            before.accounts.clone()
        } else {
            let secrets = reader.secrets(state);
            let mut accounts = open_accounts(&installation, |_| true, secrets, reader.lang, &mut reports).await?;
            accounts_are_sound = accounts.len() == installation.account_names.len();
            if let Some(before) = before {
                keep_accounts(&mut installation, &mut accounts, before);
            }
            accounts
        };
        let lang = reader.lang;
        let secrets = reader.secrets(state);
        let mut alerts = open_alerts(&installation, secrets, lang, &mut reports).await?;
        if let Some(before) = before.filter(|_| reports.is_wrong(config::FILE)) {
            alerts = before.alerts.clone();
        }
        let prepared = prepare_flows(&installation, &accounts, Some(state), |_| true, lang, &mut reports).await?;
        let is_sound = |name: &String| !reports.blames_flow(reader.dir, name);
        let sound: BTreeSet<String> = prepared.into_iter().map(|flow| flow.name).filter(is_sound).collect();
        let mut usable = sound.clone();
        if let Some(before) = before {
            let lost = keep_flows(&mut installation, &sound, before);
            let again = |name: &str| lost.iter().any(|lost| lost == name);
            let mut unheard = Reports::default();
            let prepared = prepare_flows(&installation, &accounts, Some(state), again, lang, &mut unheard).await?;
            usable.extend(prepared.into_iter().map(|flow| flow.name));
        }
        let mistakes = if reports.is_clean() { Default::default() } else { told(reader, state, reports).await? };
        Ok(Self { installation, accounts, alerts, usable, sound, accounts_key: key, accounts_are_sound, mistakes })
    }

    /// What is wrong with the files as they are.
    pub(crate) fn mistakes(&self, lang: Lang) -> &[Mistake] {
        &self.mistakes[lang as usize]
    }

    /// Whether the accounts are opened from the same settings.
    pub(crate) fn has_accounts_of(&self, other: &Self) -> bool {
        self.accounts_key == other.accounts_key
    }

    /// The flow as it is used.
    pub(crate) fn flow(&self, name: &str) -> Option<&FlowConfig> {
        self.installation.flows.iter().find(|flow| flow.name == name)
    }

    /// Refuses a name that no file of `flows/` has.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with the nearest name.
    pub(crate) fn require_file(&self, name: &str, lang: Lang) -> Result<()> {
        let names = &self.installation.flow_names;
        if names.iter().any(|known| known == name) {
            return Ok(());
        }
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let error = Error::new(ErrorKind::NotFound, fill!(lang, text::NO_SUCH_FLOW, name = name));
        Err(error.advise(suggest(lang, name, &known)))
    }

    /// What a flow is made of.
    pub(crate) fn substance(&self, name: &str) -> Option<Substance> {
        let flow = self.flow(name)?;
        let mut text = Xxh3::new();
        text.update(flow.file.text.as_bytes());
        let files = flow.tables.iter().filter_map(|table| match &table.from {
            TableFrom::File(path) => Some(self.installation.dir.join(path)),
            TableFrom::Values(_) | TableFrom::Flow(_) => None,
        });
        Some((text.digest128(), files.map(|path| (path.clone(), stamp(&path))).collect()))
    }

    /// Flows that fit together, as they are used now.
    ///
    /// # Errors
    /// Those of the store, and the mistakes of the flows.
    pub(crate) async fn prepare(
        &self,
        state: &State,
        wanted: impl Fn(&str) -> bool,
        lang: Lang,
    ) -> Result<(Vec<Prepared>, Reports)> {
        let mut reports = Reports::default();
        let prepared =
            prepare_flows(&self.installation, &self.accounts, Some(state), wanted, lang, &mut reports).await?;
        Ok((prepared, reports))
    }
}

/// Everything that accounts are opened from.
fn accounts_key(installation: &Installation) -> u128 {
    let mut key = Xxh3::new();
    for account in &installation.accounts {
        let mut part = |text: &str| {
            key.update(text.as_bytes());
            key.update(b"\0");
        };
        part(&account.name);
        part(account.connector.name);
        part(&account.settings.to_string());
        part(&format!("{:?}", account.quota));
        for reference in &account.secrets {
            part(&reference.source.to_string());
            if let SecretSource::File(path) = &reference.source {
                part(&format!("{:?}", stamp(&installation.dir.join(path))));
            }
        }
    }
    for flow in &installation.flows {
        for declared in [&flow.source.declare, &flow.sink.declare].into_iter().flatten() {
            key.update(flow.name.as_bytes());
            key.update(declared.value.to_string().as_bytes());
        }
    }
    key.digest128()
}

/// Puts accounts that cannot be opened any more back as they were.
fn keep_accounts(installation: &mut Installation, accounts: &mut Accounts, before: &Loaded) {
    for (name, account) in &before.accounts {
        let is_gone = !installation.account_names.contains(name) && !installation.accounts_in_doubt;
        if accounts.contains_key(name) || is_gone {
            continue;
        }
        let Some(config) = before.installation.accounts.iter().find(|config| config.name == *name) else { continue };
        accounts.insert(name.clone(), Arc::clone(account));
        installation.accounts.retain(|config| config.name != *name);
        installation.accounts.push(config.clone());
        if !installation.account_names.contains(name) {
            installation.account_names.push(name.clone());
        }
    }
    installation.accounts.sort_by(|a, b| a.name.cmp(&b.name));
}

/// Puts flows whose files have mistakes back as they were; says which.
fn keep_flows(installation: &mut Installation, sound: &BTreeSet<String>, before: &Loaded) -> Vec<String> {
    let mut kept = Vec::new();
    for name in installation.flow_names.iter().filter(|name| !sound.contains(*name)) {
        let good = before.usable.contains(name).then(|| before.flow(name)).flatten();
        if let Some(flow) = good {
            installation.flows.retain(|flow| flow.name != *name);
            installation.flows.push(flow.clone());
            kept.push(name.clone());
        }
    }
    installation.flows.sort_by(|a, b| a.name.cmp(&b.name));
    kept
}

/// What is wrong, in both languages.
async fn told(reader: Reader<'_>, state: &State, found: Reports) -> Result<[Vec<Mistake>; 2]> {
    let mut all = BTreeMap::from([(reader.lang as usize, mistakes::of_reports(&found, reader.lang))]);
    for lang in [Lang::En, Lang::Zh] {
        if lang as usize != reader.lang as usize {
            let (installation, mut reports) = config::load(reader.dir, lang)?;
            let secrets = reader.secrets(state);
            let accounts = open_accounts(&installation, |_| true, secrets, lang, &mut reports).await?;
            open_alerts(&installation, secrets, lang, &mut reports).await?;
            prepare_flows(&installation, &accounts, Some(state), |_| true, lang, &mut reports).await?;
            all.insert(lang as usize, mistakes::of_reports(&reports, lang));
        }
    }
    let mut take = |lang: Lang| all.remove(&(lang as usize)).unwrap_or_default();
    Ok([take(Lang::En), take(Lang::Zh)])
}
