//! Accounts as the console shows them: what is left of their tokens and of their limits.

use milkrun_console::model::{Account, QuotaGauge, TokenState};
use milkrun_core::quota::{Lane, QuotaLog as _};
use milkrun_core::{Error, ErrorKind, Result};

use crate::config::{AccountConfig, suggest};
use crate::serve::{House, Loaded};
use crate::text::{self, Lang, fill};

/// All accounts, by name.
pub(super) async fn all(house: &House, lang: Lang) -> Result<Vec<Account>> {
    let loaded = house.loaded();
    let mut accounts = Vec::new();
    for config in &loaded.installation.accounts {
        accounts.push(view(house, &loaded, config, lang).await?);
    }
    Ok(accounts)
}

/// One account.
pub(super) async fn one(house: &House, name: &str, lang: Lang) -> Result<Account> {
    let loaded = house.loaded();
    let accounts = &loaded.installation.accounts;
    let Some(config) = accounts.iter().find(|config| config.name == name) else {
        let known: Vec<&str> = accounts.iter().map(|config| config.name.as_str()).collect();
        let error = Error::new(ErrorKind::NotFound, fill!(lang, text::NO_SUCH_ACCOUNT, name = name));
        return Err(error.advise(suggest(lang, name, &known)));
    };
    view(house, &loaded, config, lang).await
}

async fn view(house: &House, loaded: &Loaded, config: &AccountConfig, lang: Lang) -> Result<Account> {
    let opened = loaded.accounts.get(&config.name);
    let uses = |flow: &&crate::config::FlowConfig| {
        flow.source.account.value == config.name || flow.sink.account.value == config.name
    };
    let used_by: Vec<String> = loaded.installation.flows.iter().filter(uses).map(|flow| flow.name.clone()).collect();
    let token = token(house, config, opened.is_some_and(|account| account.tokens.is_some()), lang).await?;
    let mut quotas = Vec::new();
    if let Some(account) = opened.filter(|account| account.protocol.is_some()) {
        let lane = Lane { name: config.name.clone(), quota: account.quota.account.clone() };
        let left = house.state.store.left(&lane, house.state.clock.now()).await?;
        quotas.extend(lane.quota.rates.iter().zip(left).map(|(rate, left)| QuotaGauge {
            calls: rate.calls,
            per_secs: rate.per.as_secs().max(1),
            left,
        }));
    }
    let cx = house.state.known_context(&config.name);
    Ok(Account {
        name: config.name.clone(),
        connector: config.connector.name.to_owned(),
        title: lang.title(&config.connector.title()).to_owned(),
        is_usable: opened.is_some(),
        token,
        quotas,
        calls: cx.and_then(|cx| Some(cx.transport()?.stats().calls())).unwrap_or(0),
        flows: used_by,
    })
}

/// What is known of an account's token. One that has none to renew shows only that the vendor refuses what is set.
async fn token(house: &House, config: &AccountConfig, renews: bool, lang: Lang) -> Result<Option<TokenState>> {
    let facts = house.state.store.token_facts(&config.name).await?;
    let dead = facts.as_ref().and_then(|facts| facts.dead.as_ref()).map(|reason| lang.retell(reason).into_owned());
    Ok((renews || dead.is_some()).then(|| TokenState {
        since: facts.as_ref().and_then(|facts| facts.since),
        expires: facts.as_ref().and_then(|facts| facts.expires),
        dead,
    }))
}
