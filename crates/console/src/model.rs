//! What the HTTP API says and hears: plain data, the same as in its `OpenAPI` description.
//!
//! Records, documents and pages are texts, because a JSON parser of the reader's would round their numbers. Instants
//! are RFC 3339 in UTC. Fields that are missing are left out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::desk::Role;

/// Who is signed in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Their name.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// To be sent as `x-csrf-token` with every request that changes something.
    pub csrf: String,
    /// Whether they can sign out: not on an open loopback console.
    pub can_sign_out: bool,
}

/// Name and password, or an access token alone.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The user; left out with an access token.
    #[serde(default)]
    pub user: Option<String>,
    /// The password or the access token.
    pub password: String,
}

/// What went wrong, as the caller reads it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The kind, such as `config-invalid`, `busy`, `not-found`.
    pub kind: String,
    /// What happened, in one sentence.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The facts, such as `account` or `vendor_code`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// The mistakes in files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
}

/// A mistake in a file or in a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Whether the flow runs all the same.
    #[serde(default)]
    pub is_warning: bool,
}

/// Everything at a glance.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// The instant it is now, at the server.
    pub now: Timestamp,
    /// The version of the program.
    pub version: String,
    /// All flows, by name.
    pub flows: Vec<Flow>,
    /// All accounts, by name.
    pub accounts: Vec<Account>,
    /// Incidents that are open.
    pub incidents: Vec<Incident>,
    /// Mistakes that keep files from being used.
    pub mistakes: Vec<Mistake>,
    /// The disk that the state is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
}

/// A disk.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Disk {
    /// Bytes that are free.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
    /// Bytes that the state takes.
    pub state: u64,
}

/// One flow, and where it stands.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Flow {
    /// Its name.
    pub name: String,
    /// The source's account.
    pub source_account: String,
    /// The stream.
    pub stream: String,
    /// The sink's account.
    pub sink_account: String,
    /// The target.
    pub target: String,
    /// Whether it can run: its files have no mistakes.
    pub is_usable: bool,
    /// Whether there is a file for it; without one, only its past is known.
    pub has_file: bool,
    /// The timetable as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The timetable in words, in the caller's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_words: Option<String>,
    /// When it starts next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_start: Option<Timestamp>,
    /// The run under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<LiveRun>,
    /// Another process that has the right to run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
    /// The last run that has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<RunSummary>,
    /// The verdicts of the last runs, oldest first, 30 at most.
    pub recent: Vec<RunSummary>,
    /// Up to where everything is read and proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved_until: Option<Timestamp>,
    /// How many seconds lie between that and now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_secs: Option<u64>,
    /// Documents in the ledger.
    pub delivered: u64,
    /// Slices that are not proved.
    pub open_slices: u64,
    /// Records in the outbox.
    pub pending: u64,
    /// Refused records.
    pub dead_letters: u64,
    /// Spans of the past that are being read beside it.
    pub backfills: Vec<BackfillState>,
}

/// Another process that runs a flow.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Elsewhere {
    /// Who that is, such as `process 12 on host`.
    pub who: String,
    /// Since when.
    pub since: Timestamp,
    /// The run that it is at; left out where it does something that has no place in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
}

/// One account, its token and its limits.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The connector.
    pub connector: String,
    /// The vendor, in the caller's language.
    pub title: String,
    /// Whether it can be used.
    pub is_usable: bool,
    /// The token, where the vendor has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenState>,
    /// One gauge for each limit of the account.
    pub quotas: Vec<QuotaGauge>,
    /// Calls made since the program was started.
    pub calls: u64,
    /// The flows that use it.
    pub flows: Vec<String>,
}

/// What is known of a token; never the token.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenState {
    /// When it was granted or renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it ends, where the vendor says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Why it cannot be renewed any more, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead: Option<String>,
}

/// How much of one limit is left.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QuotaGauge {
    /// Calls allowed.
    pub calls: u32,
    /// In so many seconds.
    pub per_secs: u64,
    /// Calls left now.
    pub left: u32,
}

/// A run under way.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LiveRun {
    /// Its number within the flow.
    pub id: u64,
    /// The flow.
    pub flow: String,
    /// When it began.
    pub started: Timestamp,
    /// What it does: `run`, `replay` or `backfill`.
    pub work: String,
    /// Its figures so far.
    pub counts: Counts,
    /// Calls made so far.
    pub calls: u64,
    /// What keeps it from beginning, such as another process that runs the flow, or what holds its calls up, such as the
    /// account's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Slices under way or waiting, oldest first, 200 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<SliceState>,
}

/// A slice of a run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SliceState {
    /// Its number within the flow.
    pub id: u64,
    /// What it covers.
    pub covers: String,
    /// The first instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The first instant after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Pages read.
    pub pages: u64,
    /// Records read.
    pub records: u64,
    /// Why it is still open, where its reading has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The figures of a run. Every record that was read is in exactly one of `new` to `pending`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Pages read.
    pub pages: u64,
    /// Records read, repetitions included.
    pub records: u64,
    /// Delivered for the first time.
    pub new: u64,
    /// Delivered as changed.
    pub changed: u64,
    /// As they were.
    pub unchanged: u64,
    /// Older than what the target has.
    pub older: u64,
    /// Dropped by the filter.
    pub filtered: u64,
    /// Dead letters.
    pub refused: u64,
    /// In the outbox.
    pub pending: u64,
    /// Documents written.
    pub documents: u64,
    /// Slices not proved yet.
    pub open_slices: u64,
    /// Slices proved.
    pub proved_slices: u64,
    /// Slices cut in two.
    pub splits: u64,
    /// Readings that proved nothing.
    pub readings_in_vain: u64,
    /// Rows that the open slices are known to have.
    pub expected: u64,
}

/// One run in the history.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunSummary {
    /// Its number within the flow.
    pub id: u64,
    /// The flow.
    pub flow: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; left out while it runs, or if it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// `reconciled`, `unreconciled`, `partial` or `failed`; left out while it runs, or if it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Why it did not end `reconciled`, in the caller's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it is under way, here or in another process; without an end and this, it was cut off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_under_way: bool,
    /// Who runs it, while it is under way in another process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_by: Option<String>,
    /// Records read.
    pub records: u64,
    /// Documents written.
    pub documents: u64,
    /// Calls to the source.
    pub calls: u64,
}

/// A page of runs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunPage {
    /// The runs, newest first.
    pub runs: Vec<RunSummary>,
    /// What to pass as `before` for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// One run with all its figures.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// What the list says of it.
    pub summary: RunSummary,
    /// Its figures.
    pub counts: Counts,
    /// How its slices were proved.
    pub proved: Vec<ProvedBy>,
    /// Slices that stayed open.
    pub open: Vec<SliceState>,
    /// What the proofs rest on.
    pub assumes: String,
    /// What the target promises about repetition.
    pub promise: String,
    /// Where the documents are, for a local target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What it does now, if it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveRun>,
}

/// The slices that one plan has proved.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProvedBy {
    /// The plan.
    pub plan: String,
    /// How many slices.
    pub slices: u64,
    /// Distinct keys in them; left out where they were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
    /// The vendor's own total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// A run in the calendar, past or to come.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CalendarEntry {
    /// The flow.
    pub flow: String,
    /// When it began, or is to begin.
    pub at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Its number; left out if it is still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// Its verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Whether it is under way, here or in another process.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_under_way: bool,
}

/// A span of the past to be read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Backfill {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// The percentage of every limit that it may use, 1 to 100.
    #[serde(default)]
    pub share: Option<u8>,
}

/// A span of the past that is being read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BackfillState {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// Slices that are not proved yet.
    pub open_slices: u64,
}

/// Which refused records are wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeadLetterQuery {
    /// Those after this number.
    #[serde(default)]
    pub after: Option<u64>,
    /// So many at most: 1 to 500, 50 if nothing is said.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Those whose key, reason or record has this text.
    #[serde(default)]
    pub text: Option<String>,
    /// Those refused by `key`, `mapping`, `target` or `unknown`.
    #[serde(default)]
    pub stage: Option<String>,
}

/// A page of refused records.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterPage {
    /// The records, oldest first.
    pub letters: Vec<DeadLetter>,
    /// What to pass as `after` for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// How many the flow has in all.
    pub total: u64,
}

/// A refused record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    /// Its number within the flow.
    pub id: u64,
    /// The flow.
    pub flow: String,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its business number, where the stream names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Who refused it: `key`, `mapping`, `target` or `unknown`.
    pub stage: String,
    /// Why, in the caller's language.
    pub reason: String,
    /// The page it was on.
    pub page: u64,
    /// When it was refused.
    pub at: Timestamp,
    /// The record as the vendor sent it: JSON text.
    pub record: String,
}

/// Which refused records are sent again.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Their numbers; left out: all.
    #[serde(default)]
    pub letters: Option<Vec<u64>>,
}

/// What a person found out about a record of unknown outcome.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivedAs {
    /// The target's id, if it is known.
    #[serde(default)]
    pub remote_id: Option<String>,
}

/// What became of a record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// What was asked for.
    pub id: String,
    /// Where it was delivered.
    pub found: Vec<Traced>,
    /// Where it was refused.
    pub dead_letters: Vec<DeadLetter>,
    /// Where it waits: read, but not delivered yet.
    pub pending: Vec<Traced>,
}

/// One flow's delivery of a record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Traced {
    /// The flow.
    pub flow: String,
    /// The record's key.
    pub key: String,
    /// The target.
    pub target: String,
    /// When it was delivered; left out while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// The target's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// The key that it was sent with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The page it was on.
    pub page: u64,
    /// The record as the vendor sent it: JSON text; left out once its page is no longer kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Its documents with the mapping as it is now: JSON texts.
    pub documents: Vec<String>,
    /// The fingerprint of the mapping as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_version: Option<String>,
    /// The run that delivered it; left out if it is no longer in the history, or if it was none, such as a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<DeliveringRun>,
    /// Why today's mapping refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The run that delivered a record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeliveringRun {
    /// Its number within the flow.
    pub id: u64,
    /// When it began.
    pub started: Timestamp,
    /// The fingerprint of the mapping that it used; left out where the history does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
}

/// A page as it came.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RawPage {
    /// The flow.
    pub flow: String,
    /// The page's number.
    pub page: u64,
    /// Its text.
    pub body: String,
    /// How many records it has.
    pub records: u64,
}

/// The mapping of a flow.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MappingView {
    /// The flow.
    pub flow: String,
    /// The text of the flow's file.
    pub text: String,
    /// Names the file as it is on disk; saving needs it.
    pub revision: String,
    /// The source's fields, as seen in samples.
    pub source: Vec<SourceField>,
    /// The target's fields: those it declares, and those the mapping fills.
    pub target: Vec<TargetField>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What is wrong with the text.
    pub mistakes: Vec<Mistake>,
    /// Records that the samples were taken from: JSON texts.
    pub samples: Vec<String>,
    /// Whether the text can be changed here: not if the flow includes another platform's metadata.
    pub is_editable: bool,
}

/// A field of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceField {
    /// Its path: `a.b`, and `lines[*].qty` in a list.
    pub path: String,
    /// `text`, `number`, `boolean`, `list`, `object` or `null`.
    pub kind: String,
    /// Values seen, as they are written, three at most.
    pub samples: Vec<String>,
}

/// A field of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetField {
    /// Its path.
    pub path: String,
    /// What it is, in the caller's language.
    pub title: String,
    /// What it holds, such as `decimal`.
    pub kind: String,
    /// Whether it has to be there.
    pub required: bool,
    /// Whether the target declares it; else only the mapping knows it.
    pub is_declared: bool,
}

/// What fills one field of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rule {
    /// The field, with `[*]` for lists.
    pub target: String,
    /// The source's fields that it reads, with `[*]` for lists.
    pub from: Vec<String>,
    /// `from`, `const`, `expr`, `each` or `fields`.
    pub kind: String,
    /// The rule as it is written: TOML.
    pub toml: String,
    /// Its line in the file, from 1.
    pub line: u32,
}

/// A text that is not saved.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingDraft {
    /// The text of the whole file.
    pub text: String,
    /// The file that it was made from.
    pub revision: String,
}

/// One change of a mapping.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingEdit {
    /// The text to change.
    pub text: String,
    /// The file that it was made from.
    pub revision: String,
    /// The field of the target, with `[*]` for lists.
    pub target: String,
    /// What is to fill it; left out: nothing any more.
    #[serde(default)]
    pub rule: Option<RuleText>,
}

/// What is to fill a field.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RuleText {
    /// A field of the source, with `[*]` for lists; the rest of an existing rule stays.
    From(String),
    /// A rule as TOML, such as `{ from = "created", type = "date" }`.
    Toml(String),
}

/// Which records are to be mapped.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingPreviewRequest {
    /// The text of the whole file.
    pub text: String,
    /// These refused records; left out: the newest records that were read.
    #[serde(default)]
    pub letters: Option<Vec<u64>>,
    /// So many at most: 1 to 50, 5 if nothing is said.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// What a text would make of records.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MappingPreview {
    /// What is wrong with the text; then nothing was mapped.
    pub mistakes: Vec<Mistake>,
    /// The records.
    pub records: Vec<Previewed>,
}

/// A record, what it would become, and what would happen to it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Previewed {
    /// The dead letter that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<u64>,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `new`, `changed`, `unchanged`, `older`, `filtered` or `refused`.
    pub outcome: String,
    /// Why it would be refused, in the caller's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The record: JSON text.
    pub record: String,
    /// Its documents: JSON texts.
    pub documents: Vec<String>,
}

/// A file was saved.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Saved {
    /// Names the file as it is now.
    pub revision: String,
}

/// Who is told of what.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlertSettings {
    /// Names `milkrun.toml` as it is on disk.
    pub revision: String,
    /// The channels, by name.
    pub channels: Vec<Channel>,
    /// The rules, in the order they are shown.
    pub rules: Vec<AlertRule>,
    /// When nobody is disturbed, such as `22:00-08:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<String>,
    /// The zone of the quiet hours.
    pub zone: String,
}

/// A way to people.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// `dingtalk`, `wecom`, `feishu`, `mail` or `webhook`.
    pub kind: String,
    /// Whom it reaches, without secrets: a host, or addresses.
    pub reaches: String,
}

/// When people are told.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlertRule {
    /// Its name, such as `lag`.
    pub name: String,
    /// What it watches, in the caller's language.
    pub title: String,
    /// Whether it is on.
    pub is_on: bool,
    /// Its bound as it is written, such as `2h` or `90%`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
}

/// What is to change about alerts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertSettingsChange {
    /// The file that it was made from.
    pub revision: String,
    /// Rules to change, by name; the others stay.
    #[serde(default)]
    pub rules: Vec<AlertRuleChange>,
    /// The quiet hours; empty: none. Left out: as they are.
    #[serde(default)]
    pub quiet_hours: Option<String>,
}

/// What is to change about one rule.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertRuleChange {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub is_on: bool,
    /// Its bound.
    #[serde(default)]
    pub bound: Option<String>,
}

/// Something that is or was wrong.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Incident {
    /// What it is about, such as `run-failed/orders`.
    pub id: String,
    /// The rule that found it.
    pub rule: String,
    /// The flow, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// The account, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What happened, in the caller's language.
    pub title: String,
    /// What to do, in the caller's language.
    pub advice: String,
    /// How many documents it is about, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; left out while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The channels that were told.
    pub told: Vec<String>,
}

/// One finding of `milkrun doctor`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Diagnosis {
    /// What was looked at, such as `state` or `clock`.
    pub what: String,
    /// `good`, `warning` or `bad`.
    pub health: String,
    /// What was found, in the caller's language.
    pub finding: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// One line of the audit log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Audit {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub user: String,
    /// From which address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What was done, such as `flow.run`.
    pub action: String,
    /// To what, such as the flow's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether it was done; else why not.
    pub outcome: String,
}

/// What has just happened: one server-sent event, `event:` being its `type`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// A run goes on.
    Progress {
        /// How far it is.
        run: LiveRun,
    },
    /// A run began.
    Started {
        /// The flow.
        flow: String,
    },
    /// A run ended.
    Ended {
        /// How.
        run: RunSummary,
    },
    /// Files were changed and read again.
    Reloaded {
        /// Mistakes that keep some from being used.
        mistakes: Vec<Mistake>,
    },
    /// An incident began or ended.
    Incident {
        /// Which.
        incident: Incident,
    },
}
