//! Alerts: looks at how everything stands now and then and after every run, and tells people what is wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use milkrun_alerts::{AccountFacts, DiskFacts, Facts, FlowFacts, QuotaFacts, Refused, Words};
use milkrun_console::model::Event;
use milkrun_core::Result;
use milkrun_core::quota::{Lane, QuotaLog as _};
use milkrun_core::state::{FlowSummary, RunRecord, StateStore as _};
use milkrun_core::token::TokenStore as _;

use super::house::House;
use super::loaded::Loaded;
use crate::commands::in_chinese;
use crate::config::AccountConfig;
use crate::desk::alerts::incident;

/// How often everything is looked at while nothing happens.
const EVERY: Duration = Duration::from_mins(1);
/// After a run, others that end in the same moment are waited for.
const GATHER: Duration = Duration::from_secs(2);
/// How many runs of each flow the rules look at.
const RUNS: u32 = 20;

/// The last runs of flows, kept until a newer one is known.
#[derive(Debug, Default)]
pub(crate) struct LastRuns(Mutex<BTreeMap<String, Kept>>);

/// By what the newest run is known that has not gone on since, and the runs.
type Kept = ((u64, Option<Timestamp>), Arc<Vec<RunRecord>>);

impl House {
    /// Looks, tells, and sleeps, for ever.
    pub(super) async fn watch_for_incidents(self: Arc<Self>) {
        let mut again_at = None;
        loop {
            let now = self.state.clock.now();
            let until = again_at.take().map(|at: Timestamp| Duration::try_from(at.duration_since(now)));
            let wait = until.map_or(EVERY, |wait| wait.unwrap_or_default().clamp(GATHER, EVERY));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.look_soon.notified() => tokio::time::sleep(GATHER).await,
            }
            match self.look_for_incidents().await {
                Ok(at) => again_at = at,
                Err(error) => tracing::error!(%error, help = error.help(), "it could not be looked for incidents"),
            }
        }
    }

    /// Looks once; returns when something has to be sent again.
    async fn look_for_incidents(&self) -> Result<Option<Timestamp>> {
        let facts = self.facts().await?;
        let changes = self.alerts.look(&facts).await?;
        for changed in changes.began.iter().chain(&changes.ended) {
            self.tell(Event::Incident { incident: incident(changed, self.out.lang) });
        }
        let delivered = self.alerts.deliver().await?;
        for (channel, error) in &delivered.failed {
            tracing::warn!(channel, %error, help = error.help(), "an alert could not be sent");
        }
        Ok(delivered.again_at)
    }

    /// How everything stands.
    async fn facts(&self) -> Result<Facts> {
        let loaded = self.loaded();
        let known = self.state.store.flows().await?;
        let mut flows = Vec::new();
        for name in &loaded.installation.flow_names {
            let schedule = loaded.flow(name).and_then(|flow| flow.schedule.as_ref());
            let every = schedule.and_then(|schedule| schedule.longest_pause(self.state.clock.now()));
            flows.push(match known.iter().find(|flow| flow.name == *name) {
                Some(summary) => FlowFacts::of(summary, &self.last_runs(summary).await?, every, in_chinese),
                None => FlowFacts { name: name.clone(), every, ..FlowFacts::default() },
            });
        }
        let mut accounts = Vec::new();
        for config in &loaded.installation.accounts {
            accounts.push(self.account_facts(&loaded, config).await?);
        }
        let disk = crate::upkeep::disk(self.state.store.folder()).ok();
        let disk = disk.map(|disk| DiskFacts { free: disk.free, total: disk.total });
        Ok(Facts { flows, accounts, disk })
    }

    /// The last runs of a flow; they are read again only when there is a newer one.
    async fn last_runs(&self, summary: &FlowSummary) -> Result<Arc<Vec<RunRecord>>> {
        let Some(last) = &summary.last_run else { return Ok(Arc::default()) };
        let seen = (last.id, last.ended);
        let kept = self.last_runs.0.lock().unwrap_or_else(PoisonError::into_inner).get(&summary.name).cloned();
        if let Some((known, runs)) = kept
            && known == seen
        {
            return Ok(runs);
        }
        let runs = match self.state.store.flow_id(&summary.name).await? {
            Some(id) => self.state.store.runs(id, None, RUNS).await?,
            None => Vec::new(),
        };
        let runs = Arc::new(runs);
        let mut kept = self.last_runs.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(summary.name.clone(), (seen, Arc::clone(&runs)));
        Ok(runs)
    }

    async fn account_facts(&self, loaded: &Loaded, config: &AccountConfig) -> Result<AccountFacts> {
        let mut facts = AccountFacts { name: config.name.clone(), ..AccountFacts::default() };
        let Some(account) = loaded.accounts.get(&config.name) else { return Ok(facts) };
        let store = &self.state.store;
        let known = store.token_facts(&config.name).await?;
        facts.token_refused = known
            .and_then(|known| known.dead)
            .map(|dead| Refused { since: None, reason: Words { zh: in_chinese(&dead), en: dead } });
        if account.tokens.is_some() {
            // What a person has granted in the browser, and nothing can renew, ends for good.
            if account.login.is_some() {
                let held = store.load_token(&config.name).await.ok().flatten();
                facts.access_ends = held.filter(|held| held.token.refresh.is_none()).and_then(|h| h.token.expires_at);
            }
        }
        if account.protocol.is_some() && !account.quota.account.rates.is_empty() {
            let lane = Lane { name: config.name.clone(), quota: account.quota.account.clone() };
            let left = store.left(&lane, self.state.clock.now()).await?;
            facts.quotas.extend(lane.quota.rates.iter().zip(left).map(|(rate, left)| QuotaFacts {
                per: rate.per,
                calls: rate.calls.into(),
                left: left.into(),
            }));
        }
        Ok(facts)
    }
}
