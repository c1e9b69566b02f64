//! The desk: everything that the console asks of an installation, answered from its state and its files.
//!
//! | file | answers |
//! | --- | --- |
//! | `flows`, `accounts` | where does each stand? |
//! | `runs` | what did a run do? |
//! | `letters` | what was refused, and why? |
//! | `trace` | what became of a record? |
//! | `pages` | what did the vendor send? |
//! | `mapping` | which rules are there, and what do they do? |
//! | `mistakes` | what is wrong, in the language of whoever asks? |
//!
//! Commands print what the same functions return.

pub(crate) mod accounts;
pub(crate) mod alerts;
pub(crate) mod doctor;
pub(crate) mod flows;
pub(crate) mod letters;
pub(crate) mod mapping;
pub(crate) mod mistakes;
mod pages;
pub(crate) mod runs;
mod scrub;
pub(crate) mod trace;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use milkrun_console::desk::Lang as Asked;
use milkrun_console::model::{
    Account, AlertSettings, AlertSettingsChange, Backfill, CalendarEntry, DeadLetterPage, DeadLetterQuery, Diagnosis,
    Disk, Event, Flow, Incident, MappingDraft, MappingEdit, MappingPreview, MappingPreviewRequest, MappingView,
    Overview, Problem, RawPage, Run, RunPage, Saved, Trace,
};
use milkrun_console::{Caller, Desk, Role};
use milkrun_core::{Error, ErrorKind, Result};
use milkrun_engine::Work;
use tokio::sync::broadcast;

pub(crate) use self::runs::Recents;

pub(crate) use self::scrub::hidden;
use crate::serve::{House, backfill, begin};
use crate::text::{self, Lang, fill};

/// The desk of an installation that is kept open.
#[derive(Clone, Debug)]
pub(crate) struct OpenDesk(pub(crate) Arc<House>);

impl From<Asked> for Lang {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::En => Self::En,
            Asked::Zh => Self::Zh,
        }
    }
}

/// The disk that the state is on, where the system says.
async fn disk(house: &House) -> Option<Disk> {
    let disk = crate::upkeep::disk(house.state.store.folder()).ok()?;
    let state = crate::upkeep::state_bytes(&house.state).await.ok()?;
    Some(Disk { free: disk.free, total: disk.total, state })
}

fn lang(caller: &Caller) -> Lang {
    caller.lang.into()
}

impl OpenDesk {
    fn hidden<T: serde::Serialize + serde::de::DeserializeOwned>(&self, answer: T) -> Result<T> {
        hidden(&self.0.out.scrubber, answer)
    }
}

#[async_trait]
impl Desk for OpenDesk {
    async fn overview(&self, caller: &Caller) -> Result<Overview> {
        let lang = lang(caller);
        self.hidden(Overview {
            now: self.0.state.clock.now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            flows: flows::all(&self.0, lang).await?,
            accounts: accounts::all(&self.0, lang).await?,
            incidents: alerts::open(&self.0, lang).await?,
            mistakes: self.0.mistakes(lang),
            disk: disk(&self.0).await,
        })
    }

    async fn account(&self, caller: &Caller, account: &str) -> Result<Account> {
        self.hidden(accounts::one(&self.0, account, lang(caller)).await?)
    }

    async fn flow(&self, caller: &Caller, flow: &str) -> Result<Flow> {
        self.hidden(flows::one(&self.0, flow, lang(caller)).await?)
    }

    async fn runs(&self, caller: &Caller, flow: &str, before: Option<u64>, limit: u32) -> Result<RunPage> {
        self.hidden(runs::page(&self.0, flow, before, limit, lang(caller)).await?)
    }

    async fn run(&self, caller: &Caller, flow: &str, run: u64) -> Result<Run> {
        self.hidden(runs::one(&self.0, flow, run, lang(caller)).await?)
    }

    async fn calendar(&self, _: &Caller, from: Timestamp, until: Timestamp) -> Result<Vec<CalendarEntry>> {
        self.hidden(runs::calendar(&self.0, from, until).await?)
    }

    async fn start(&self, caller: &Caller, flow: &str) -> Result<()> {
        self.0.start(flow, lang(caller)).await
    }

    async fn cancel(&self, caller: &Caller, flow: &str) -> Result<()> {
        let lang = lang(caller);
        let id = self.0.flow_id(flow, lang).await?;
        if self.0.runs.cancel(flow) {
            return Ok(());
        }
        let holder = match id {
            Some(id) => self.0.state.store.holder(id).await?.filter(|holder| !holder.is_own),
            None => None,
        };
        if let Some(holder) = holder {
            let message = fill!(lang, text::FLOW_RUNS_ELSEWHERE, flow = flow, who = lang.retell(&holder.who));
            return Err(Error::new(ErrorKind::Busy, message).advise(lang.say(text::FLOW_RUNS_ELSEWHERE_HELP)));
        }
        let error = Error::new(ErrorKind::NotFound, fill!(lang, text::FLOW_DOES_NOT_RUN, flow = flow));
        Err(error.advise(lang.say(text::FLOW_DOES_NOT_RUN_HELP)))
    }

    async fn backfill(&self, caller: &Caller, flow: &str, ask: &Backfill) -> Result<()> {
        /// What a backfill may use of every limit unless it is said otherwise.
        const SHARE: u8 = 20;
        let share = ask.share.unwrap_or(SHARE);
        let span = milkrun_engine::Backfill { from: ask.from, until: Some(ask.until), share };
        backfill(&self.0, flow, span, lang(caller)).await.map(drop)
    }

    async fn dead_letters(&self, caller: &Caller, flow: &str, query: &DeadLetterQuery) -> Result<DeadLetterPage> {
        self.hidden(letters::page(&self.0, flow, query, lang(caller)).await?)
    }

    async fn replay(&self, caller: &Caller, flow: &str, letters: Option<Vec<u64>>) -> Result<()> {
        let lang = lang(caller);
        let id = self.0.flow_id(flow, lang).await?;
        if let Some(numbers) = &letters {
            letters::with_numbers(&*self.0.state.store, flow, id, numbers, lang).await?;
        }
        begin(&self.0, flow, Work::DeadLetters(letters), lang).await
    }

    async fn arrived(&self, caller: &Caller, flow: &str, letter: u64, remote_id: Option<String>) -> Result<()> {
        let lang = lang(caller);
        let id = self.0.flow_id(flow, lang).await?;
        letters::with_numbers(&*self.0.state.store, flow, id, &[letter], lang).await?;
        let opened = self.0.prepare(flow, lang).await?.open_to_look(&self.0.state.clock)?;
        milkrun_engine::arrived(&opened, &self.0.state.surroundings(), letter, remote_id).await.map(drop)
    }

    async fn trace(&self, caller: &Caller, id: &str, flow: Option<&str>) -> Result<Trace> {
        let lang = lang(caller);
        if let Some(flow) = flow {
            self.0.flow_id(flow, lang).await?;
        }
        let flows = self.0.prepare_all().await?;
        let found = trace::find(&self.0.state, &flows, id, flow).await?;
        self.hidden(trace::view(id, found, &flows, lang))
    }

    async fn raw_page(&self, caller: &Caller, flow: &str, page: u64) -> Result<RawPage> {
        self.hidden(pages::raw(&self.0, flow, page, lang(caller)).await?)
    }

    async fn mapping(&self, caller: &Caller, flow: &str) -> Result<MappingView> {
        self.hidden(mapping::current(&self.0, flow, lang(caller)).await?)
    }

    async fn draft(&self, caller: &Caller, flow: &str, draft: &MappingDraft) -> Result<MappingView> {
        self.hidden(mapping::draft(&self.0, flow, draft, lang(caller)).await?)
    }

    async fn edit_mapping(&self, caller: &Caller, flow: &str, edit: &MappingEdit) -> Result<MappingView> {
        self.hidden(mapping::change(&self.0, flow, edit, lang(caller)).await?)
    }

    async fn preview_mapping(
        &self,
        caller: &Caller,
        flow: &str,
        ask: &MappingPreviewRequest,
    ) -> Result<MappingPreview> {
        self.hidden(mapping::preview(&self.0, flow, ask, lang(caller)).await?)
    }

    async fn save_mapping(&self, caller: &Caller, flow: &str, draft: &MappingDraft) -> Result<Saved> {
        mapping::save(&self.0, flow, draft, lang(caller)).await
    }

    async fn alerts(&self, caller: &Caller) -> Result<AlertSettings> {
        self.hidden(alerts::settings(&self.0, lang(caller))?)
    }

    async fn change_alerts(&self, caller: &Caller, change: &AlertSettingsChange) -> Result<Saved> {
        alerts::change(&self.0, change, lang(caller)).await
    }

    async fn test_channel(&self, caller: &Caller, channel: &str) -> Result<()> {
        alerts::test(&self.0, channel, lang(caller)).await
    }

    async fn incidents(&self, caller: &Caller, limit: u32) -> Result<Vec<Incident>> {
        self.hidden(alerts::incidents(&self.0, limit, lang(caller)).await?)
    }

    async fn doctor(&self, caller: &Caller) -> Result<Vec<Diagnosis>> {
        self.hidden(doctor::diagnose(&self.0, lang(caller)).await?)
    }

    async fn metrics(&self) -> Result<String> {
        let caller = Caller { user: String::new(), role: Role::Viewer, lang: Asked::En };
        Ok(self.0.metrics.render(&self.overview(&caller).await?))
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    fn problem(&self, lang: Asked, error: &Error) -> Problem {
        let told = mistakes::problem(error, lang.into());
        self.hidden(told).unwrap_or_else(|_| Problem {
            kind: error.kind().as_str().to_owned(),
            message: error.kind().as_str().to_owned(),
            help: None,
            facts: std::collections::BTreeMap::new(),
            mistakes: Vec::new(),
        })
    }
}
