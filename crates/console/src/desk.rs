//! What the console asks of an installation. The binary implements it; tests have one of their own.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use milkrun_core::{Error, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use utoipa::ToSchema;

use crate::model::{
    Account, AlertSettings, AlertSettingsChange, Backfill, CalendarEntry, DeadLetterPage, DeadLetterQuery, Diagnosis,
    Event, Flow, Incident, MappingDraft, MappingEdit, MappingPreview, MappingPreviewRequest, MappingView, Overview,
    Problem, RawPage, Run, RunPage, Saved, Trace,
};

/// A language that the console speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look at everything.
    Viewer,
    /// Also run, cancel, replay, and change files.
    Operator,
}

/// Who asks, and in which language they read.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The name of the user or of the access token.
    pub user: String,
    /// What they may do. The routes have checked it already.
    pub role: Role,
    /// Their language: texts of the answer are in it.
    pub lang: Lang,
}

/// An installation as the console sees and operates it.
///
/// Records, documents and pages are texts here, never parsed numbers: a 19-digit id leaves as it came. Nothing that is
/// returned holds a secret.
#[async_trait]
pub trait Desk: fmt::Debug + Send + Sync {
    /// Everything at a glance.
    async fn overview(&self, caller: &Caller) -> Result<Overview>;

    /// One account.
    async fn account(&self, caller: &Caller, account: &str) -> Result<Account>;

    /// One flow.
    async fn flow(&self, caller: &Caller, flow: &str) -> Result<Flow>;

    /// The runs of a flow, newest first, below the number `before`.
    async fn runs(&self, caller: &Caller, flow: &str, before: Option<u64>, limit: u32) -> Result<RunPage>;

    /// One run with all its figures; of one that is under way, as they are now.
    async fn run(&self, caller: &Caller, flow: &str, run: u64) -> Result<Run>;

    /// The runs that began in `[from, until)`, and those that are to begin in it.
    async fn calendar(&self, caller: &Caller, from: Timestamp, until: Timestamp) -> Result<Vec<CalendarEntry>>;

    /// Starts a run now. `Busy` if the flow is running already.
    async fn start(&self, caller: &Caller, flow: &str) -> Result<()>;

    /// Asks the flow's run to end in good order.
    async fn cancel(&self, caller: &Caller, flow: &str) -> Result<()>;

    /// Begins to read a span of the past beside the flow's runs.
    async fn backfill(&self, caller: &Caller, flow: &str, ask: &Backfill) -> Result<()>;

    /// The refused records of a flow.
    async fn dead_letters(&self, caller: &Caller, flow: &str, query: &DeadLetterQuery) -> Result<DeadLetterPage>;

    /// Sends refused records again: these, or all.
    async fn replay(&self, caller: &Caller, flow: &str, letters: Option<Vec<u64>>) -> Result<()>;

    /// Writes down that a record of unknown outcome has arrived.
    async fn arrived(&self, caller: &Caller, flow: &str, letter: u64, remote_id: Option<String>) -> Result<()>;

    /// What became of the record with that key or business number, in one flow or in all.
    async fn trace(&self, caller: &Caller, id: &str, flow: Option<&str>) -> Result<Trace>;

    /// A journalled page as the vendor sent it.
    async fn raw_page(&self, caller: &Caller, flow: &str, page: u64) -> Result<RawPage>;

    /// The mapping of a flow: its file, its fields with samples, its rules.
    async fn mapping(&self, caller: &Caller, flow: &str) -> Result<MappingView>;

    /// The same for a text that is not saved.
    async fn draft(&self, caller: &Caller, flow: &str, draft: &MappingDraft) -> Result<MappingView>;

    /// Changes a text as a person would, comments and order kept, and returns it with its view.
    async fn edit_mapping(&self, caller: &Caller, flow: &str, edit: &MappingEdit) -> Result<MappingView>;

    /// What the text would make of samples or of refused records.
    async fn preview_mapping(&self, caller: &Caller, flow: &str, ask: &MappingPreviewRequest)
    -> Result<MappingPreview>;

    /// Saves the text, if the file is still the one that it was made from and the text has no mistakes.
    async fn save_mapping(&self, caller: &Caller, flow: &str, draft: &MappingDraft) -> Result<Saved>;

    /// Who is told of what, without secrets.
    async fn alerts(&self, caller: &Caller) -> Result<AlertSettings>;

    /// Changes rules and quiet hours in `milkrun.toml`, comments kept.
    async fn change_alerts(&self, caller: &Caller, change: &AlertSettingsChange) -> Result<Saved>;

    /// Sends a test message through a channel, and returns when it has been taken.
    async fn test_channel(&self, caller: &Caller, channel: &str) -> Result<()>;

    /// Incidents, the open ones first, then the newest.
    async fn incidents(&self, caller: &Caller, limit: u32) -> Result<Vec<Incident>>;

    /// What is wrong with state, clock, disk, accounts and configuration.
    async fn doctor(&self, caller: &Caller) -> Result<Vec<Diagnosis>>;

    /// The figures for `/metrics`, in Prometheus' text form.
    async fn metrics(&self) -> Result<String>;

    /// What happens from now on.
    fn events(&self) -> broadcast::Receiver<Event>;

    /// An error as the caller reads it: in their language, secrets hidden.
    fn problem(&self, lang: Lang, error: &Error) -> Problem;
}
