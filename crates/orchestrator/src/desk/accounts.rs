//! Accounts as the console shows them: what is left of their tokens and of their limits.

use milkrun_console::model::{Account, QuotaGauge, TokenState};
use milkrun_core::quota::{Lane, QuotaLog as _};
use milkrun_core::state::{FlowSummary, StateStore as _, Verdict};
use milkrun_core::token::TokenStore as _;
use milkrun_core::{Error, ErrorKind, Result};

use super::runs::ShortReport;
use crate::config::{AccountConfig, suggest};
use crate::serve::{House, Loaded};
use crate::text::{self, Lang, fill};

/// All accounts, by name.
pub(super) async fn all(house: &House, lang: Lang) -> Result<Vec<Account>> {
    let loaded = house.loaded();
    let flows = house.state.store.flows().await?;
    let mut accounts = Vec::new();
    for config in &loaded.installation.accounts {
        accounts.push(view(house, &loaded, config, &flows, lang).await?);
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
    let flows = house.state.store.flows().await?;
    view(house, &loaded, config, &flows, lang).await
}

async fn view(
    house: &House,
    loaded: &Loaded,
    config: &AccountConfig,
    flows: &[FlowSummary],
    lang: Lang,
) -> Result<Account> {
    let opened = loaded.accounts.get(&config.name);
    let uses = |flow: &&crate::config::FlowConfig| {
        flow.source.account.value == config.name || flow.sink.account.value == config.name
    };
    let used_by: Vec<String> = loaded.installation.flows.iter().filter(uses).map(|flow| flow.name.clone()).collect();
    let token = match opened.and_then(|account| account.tokens.as_ref()) {
        Some(_) => Some(token(house, config, flows, &used_by, lang).await?),
        None => None,
    };
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

/// What is known of an account's token.
async fn token(
    house: &House,
    config: &AccountConfig,
    flows: &[FlowSummary],
    used_by: &[String],
    lang: Lang,
) -> Result<TokenState> {
    // Without the key of the vault the token is out of reach; what uses the account says so.
    let stored = house.state.store.load_token(&config.name).await.ok().flatten();
    let since = stored.as_ref().map(|stored| stored.token.obtained_at);
    let dead = flows.iter().filter(|flow| used_by.contains(&flow.name)).find_map(|flow| {
        let run = flow.last_run.as_ref().filter(|run| run.verdict == Some(Verdict::Failed))?;
        let report: ShortReport = serde_json::from_str(&run.report).ok()?;
        let is_dead = report.error_kind.as_deref() == Some(ErrorKind::TokenDead.as_str());
        // A token that was had since is another one.
        let is_of_it = since.is_none_or(|since| run.ended.is_some_and(|ended| since <= ended));
        report.reason.filter(|_| is_dead && is_of_it)
    });
    Ok(TokenState {
        since,
        expires: stored.and_then(|stored| stored.token.expires_at),
        dead: dead.map(|reason| lang.retell(&reason).into_owned()),
    })
}
