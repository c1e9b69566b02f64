// What the HTTP API says and hears, as `crates/console/src/model.rs` declares it.
//
// Instants are RFC 3339 in UTC. Records, documents and pages are JSON texts: show them, never parse them into numbers.

/** An instant: RFC 3339 in UTC. */
export type Timestamp = string;

/** A JSON text whose numbers are to be shown as written. */
export type JsonText = string;

/** What somebody may do. */
export type Role = 'viewer' | 'operator';

/** Who is signed in. */
export interface Session {
  /** Their name. */
  user: string;
  /** What they may do. */
  role: Role;
  /** To be sent as `x-csrf-token` with every request that changes something. */
  csrf: string;
  /** Whether they can sign out: not on an open loopback console. */
  can_sign_out: boolean;
}

/** Name and password, or an access token alone. */
export interface SignIn {
  /** The user; left out with an access token. */
  user?: string;
  /** The password or the access token. */
  password: string;
}

/** What went wrong, as the caller reads it. */
export interface Problem {
  /** The kind, such as `config-invalid`, `busy`, `not-found`. */
  kind: string;
  /** What happened, in one sentence. */
  message: string;
  /** What to do. */
  help?: string;
  /** The facts, such as `account` or `vendor_code`. */
  facts?: Record<string, string>;
  /** The mistakes in files. */
  mistakes?: Mistake[];
}

/** A mistake in a file or in a draft. */
export interface Mistake {
  /** The file. */
  file: string;
  /** The line, from 1. */
  line: number;
  /** The column, from 1, in characters. */
  column: number;
  /** What is wrong. */
  message: string;
  /** What to write instead. */
  help?: string;
  /** Whether the flow runs all the same. */
  is_warning: boolean;
}

/** Everything at a glance. */
export interface Overview {
  /** The instant it is now, at the server. */
  now: Timestamp;
  /** The version of the program. */
  version: string;
  /** All flows, by name. */
  flows: Flow[];
  /** All accounts, by name. */
  accounts: Account[];
  /** Incidents that are open. */
  incidents: Incident[];
  /** Mistakes that keep files from being used. */
  mistakes: Mistake[];
  /** The disk that the state is on. */
  disk?: Disk;
}

/** A disk. */
export interface Disk {
  /** Bytes that are free. */
  free: number;
  /** Bytes in all. */
  total: number;
  /** Bytes that the state takes. */
  state: number;
}

/** One flow, and where it stands. */
export interface Flow {
  /** Its name. */
  name: string;
  /** The source's account. */
  source_account: string;
  /** The stream. */
  stream: string;
  /** The sink's account. */
  sink_account: string;
  /** The target. */
  target: string;
  /** Whether it can run: its files have no mistakes. */
  is_usable: boolean;
  /** Whether there is a file for it; without one, only its past is known. */
  has_file: boolean;
  /** The timetable as written. */
  schedule?: string;
  /** The timetable in words, in the caller's language. */
  schedule_words?: string;
  /** When it starts next. */
  next_start?: Timestamp;
  /** The run under way. */
  running?: LiveRun;
  /** Another process that has the right to run it. */
  elsewhere?: Elsewhere;
  /** The last run that has ended. */
  last_run?: RunSummary;
  /** The verdicts of the last runs, oldest first, 30 at most. */
  recent: RunSummary[];
  /** Up to where everything is read and proved. */
  proved_until?: Timestamp;
  /** How many seconds lie between that and now. */
  lag_secs?: number;
  /** Documents in the ledger. */
  delivered: number;
  /** Slices that are not proved. */
  open_slices: number;
  /** Records in the outbox. */
  pending: number;
  /** Refused records. */
  dead_letters: number;
  /** Spans of the past that are being read beside it. */
  backfills: BackfillState[];
}

/** Another process that runs a flow. */
export interface Elsewhere {
  /** Who that is, such as `process 12 on host`. */
  who: string;
  /** Since when. */
  since: Timestamp;
  /** The run that it is at; left out where it does something that has no place in the history. */
  run?: number;
}

/** One account, its token and its limits. */
export interface Account {
  /** Its name. */
  name: string;
  /** The connector. */
  connector: string;
  /** The vendor, in the caller's language. */
  title: string;
  /** Whether it can be used. */
  is_usable: boolean;
  /** The token, where the vendor has one. */
  token?: TokenState;
  /** One gauge for each limit of the account. */
  quotas: QuotaGauge[];
  /** Calls made since the program was started. */
  calls: number;
  /** The flows that use it. */
  flows: string[];
}

/** What is known of a token; never the token. */
export interface TokenState {
  /** When it was granted or renewed. */
  since?: Timestamp;
  /** When it ends, where the vendor says. */
  expires?: Timestamp;
  /** Why it cannot be renewed any more, and what to do. */
  dead?: string;
}

/** How much of one limit is left. */
export interface QuotaGauge {
  /** Calls allowed. */
  calls: number;
  /** In so many seconds. */
  per_secs: number;
  /** Calls left now. */
  left: number;
}

/** A run under way. */
export interface LiveRun {
  /** Its number within the flow. */
  id: number;
  /** The flow. */
  flow: string;
  /** When it began. */
  started: Timestamp;
  /** What it does: `run`, `replay` or `backfill`. */
  work: Work;
  /** Its figures so far. */
  counts: Counts;
  /** Calls made so far. */
  calls: number;
  /** What keeps it from beginning, such as another process that runs the flow, or what holds its calls up, such as the account's limit. */
  waits_for?: string;
  /** Slices under way or waiting, oldest first, 200 at most. */
  slices?: SliceState[];
}

/** A slice of a run. */
export interface SliceState {
  /** Its number within the flow. */
  id: number;
  /** What it covers. */
  covers: string;
  /** The first instant. */
  from?: Timestamp;
  /** The first instant after it. */
  until?: Timestamp;
  /** Pages read. */
  pages: number;
  /** Records read. */
  records: number;
  /** Why it is still open, where its reading has failed. */
  reason?: string;
}

/** The figures of a run. Every record that was read is in exactly one of `new` to `pending`. */
export interface Counts {
  /** Pages read. */
  pages: number;
  /** Records read, repetitions included. */
  records: number;
  /** Delivered for the first time. */
  new: number;
  /** Delivered as changed. */
  changed: number;
  /** As they were. */
  unchanged: number;
  /** Older than what the target has. */
  older: number;
  /** Dropped by the filter. */
  filtered: number;
  /** Dead letters. */
  refused: number;
  /** In the outbox. */
  pending: number;
  /** Documents written. */
  documents: number;
  /** Slices not proved yet. */
  open_slices: number;
  /** Slices proved. */
  proved_slices: number;
  /** Slices cut in two. */
  splits: number;
  /** Readings that proved nothing. */
  readings_in_vain: number;
  /** Rows that the open slices are known to have. */
  expected: number;
}

/** One run in the history. */
export interface RunSummary {
  /** Its number within the flow. */
  id: number;
  /** The flow. */
  flow: string;
  /** When it began. */
  started: Timestamp;
  /** When it ended; left out while it runs, or if it was killed. */
  ended?: Timestamp;
  /** `reconciled`, `unreconciled`, `partial` or `failed`; left out while it runs, or if it was killed. */
  verdict?: Verdict;
  /** Why it did not end `reconciled`, in the caller's language. */
  reason?: string;
  /** Whether it is under way, here or in another process; without an end and this, it was cut off. */
  is_under_way?: boolean;
  /** Who runs it, while it is under way in another process. */
  run_by?: string;
  /** Records read. */
  records: number;
  /** Documents written. */
  documents: number;
  /** Calls to the source. */
  calls: number;
}

/** A page of runs. */
export interface RunPage {
  /** The runs, newest first. */
  runs: RunSummary[];
  /** What to pass as `before` for more. */
  next?: number;
}

/** One run with all its figures. */
export interface Run {
  /** What the list says of it. */
  summary: RunSummary;
  /** Its figures. */
  counts: Counts;
  /** How its slices were proved. */
  proved: ProvedBy[];
  /** Slices that stayed open. */
  open: SliceState[];
  /** What the proofs rest on. */
  assumes: string;
  /** What the target promises about repetition. */
  promise: string;
  /** Where the documents are, for a local target. */
  place?: string;
  /** What it does now, if it is under way. */
  live?: LiveRun;
}

/** The slices that one plan has proved. */
export interface ProvedBy {
  /** The plan. */
  plan: string;
  /** How many slices. */
  slices: number;
  /** Distinct keys in them; left out where they were not counted. */
  distinct?: number;
  /** The vendor's own total. */
  total?: number;
}

/** A run in the calendar, past or to come. */
export interface CalendarEntry {
  /** The flow. */
  flow: string;
  /** When it began, or is to begin. */
  at: Timestamp;
  /** When it ended. */
  ended?: Timestamp;
  /** Its number; left out if it is still to come. */
  run?: number;
  /** Its verdict. */
  verdict?: Verdict;
  /** Whether it is under way, here or in another process. */
  is_under_way?: boolean;
}

/** A span of the past to be read. */
export interface Backfill {
  /** The first instant. */
  from: Timestamp;
  /** The first instant after it. */
  until: Timestamp;
  /** The percentage of every limit that it may use, 1 to 100. */
  share?: number;
}

/** A span of the past that is being read. */
export interface BackfillState {
  /** The first instant. */
  from: Timestamp;
  /** The first instant after it. */
  until: Timestamp;
  /** Slices that are not proved yet. */
  open_slices: number;
}

/** Which refused records are wanted. */
export interface DeadLetterQuery {
  /** Those after this number. */
  after?: number;
  /** So many at most: 1 to 500, 50 if nothing is said. */
  limit?: number;
  /** Those whose key, reason or record has this text. */
  text?: string;
  /** Those refused by `key`, `mapping`, `target` or `unknown`. */
  stage?: Stage;
}

/** A page of refused records. */
export interface DeadLetterPage {
  /** The records, oldest first. */
  letters: DeadLetter[];
  /** What to pass as `after` for more. */
  next?: number;
  /** How many the flow has in all. */
  total: number;
}

/** A refused record. */
export interface DeadLetter {
  /** Its number within the flow. */
  id: number;
  /** The flow. */
  flow: string;
  /** Its key. */
  key?: string;
  /** Its business number, where the stream names one. */
  number?: string;
  /** Who refused it: `key`, `mapping`, `target` or `unknown`. */
  stage: Stage;
  /** Why, in the caller's language. */
  reason: string;
  /** The page it was on. */
  page: number;
  /** When it was refused. */
  at: Timestamp;
  /** The record as the vendor sent it: JSON text. */
  record: JsonText;
}

/** Which refused records are sent again. */
export interface Replay {
  /** Their numbers; left out: all. */
  letters?: number[];
}

/** What a person found out about a record of unknown outcome. */
export interface ArrivedAs {
  /** The target's id, if it is known. */
  remote_id?: string;
}

/** What became of a record. */
export interface Trace {
  /** What was asked for. */
  id: string;
  /** Where it was delivered. */
  found: Traced[];
  /** Where it was refused. */
  dead_letters: DeadLetter[];
  /** Where it waits: read, but not delivered yet. */
  pending: Traced[];
}

/** One flow's delivery of a record. */
export interface Traced {
  /** The flow. */
  flow: string;
  /** The record's key. */
  key: string;
  /** The target. */
  target: string;
  /** When it was delivered; left out while it waits. */
  delivered_at?: Timestamp;
  /** The target's id. */
  remote_id?: string;
  /** The key that it was sent with. */
  idempotency_key?: string;
  /** The page it was on. */
  page: number;
  /** The record as the vendor sent it: JSON text; left out once its page is no longer kept. */
  record?: JsonText;
  /** Its documents with the mapping as it is now: JSON texts. */
  documents: JsonText[];
  /** The fingerprint of the mapping as it is now. */
  mapping_version?: string;
  /** The run that delivered it; left out if it is no longer in the history, or if it was none, such as a replay. */
  run?: DeliveringRun;
  /** Why today's mapping refuses it. */
  problem?: string;
}

/** The run that delivered a record. */
export interface DeliveringRun {
  /** Its number within the flow. */
  id: number;
  /** When it began. */
  started: Timestamp;
  /** The fingerprint of the mapping that it used; left out where the history does not have it. */
  mapping?: string;
}

/** A page as it came. */
export interface RawPage {
  /** The flow. */
  flow: string;
  /** The page's number. */
  page: number;
  /** Its text. */
  body: string;
  /** How many records it has. */
  records: number;
}

/** The mapping of a flow. */
export interface MappingView {
  /** The flow. */
  flow: string;
  /** The text of the flow's file. */
  text: string;
  /** Names the file as it is on disk; saving needs it. */
  revision: string;
  /** The source's fields, as seen in samples. */
  source: SourceField[];
  /** The target's fields: those it declares, and those the mapping fills. */
  target: TargetField[];
  /** The rules. */
  rules: Rule[];
  /** What is wrong with the text. */
  mistakes: Mistake[];
  /** Records that the samples were taken from: JSON texts. */
  samples: JsonText[];
  /** Whether the text can be changed here: not if the flow includes another platform's metadata. */
  is_editable: boolean;
}

/** A field of the source. */
export interface SourceField {
  /** Its path: `a.b`, and `lines[*].qty` in a list. */
  path: string;
  /** `text`, `number`, `boolean`, `list`, `object` or `null`. */
  kind: ValueKind;
  /** Values seen, as they are written, three at most. */
  samples: string[];
}

/** A field of the target. */
export interface TargetField {
  /** Its path. */
  path: string;
  /** What it is, in the caller's language. */
  title: string;
  /** What it holds, such as `decimal`. */
  kind: string;
  /** Whether it has to be there. */
  required: boolean;
  /** Whether the target declares it; else only the mapping knows it. */
  is_declared: boolean;
}

/** What fills one field of the target. */
export interface Rule {
  /** The field, with `[*]` for lists. */
  target: string;
  /** The source's fields that it reads, with `[*]` for lists. */
  from: string[];
  /** `from`, `const`, `expr`, `each` or `fields`. */
  kind: RuleKind;
  /** The rule as it is written: TOML. */
  toml: string;
  /** Its line in the file, from 1. */
  line: number;
}

/** A text that is not saved. */
export interface MappingDraft {
  /** The text of the whole file. */
  text: string;
  /** The file that it was made from. */
  revision: string;
}

/** One change of a mapping. */
export interface MappingEdit {
  /** The text to change. */
  text: string;
  /** The file that it was made from. */
  revision: string;
  /** The field of the target, with `[*]` for lists. */
  target: string;
  /** What is to fill it; left out: nothing any more. */
  rule?: RuleText;
}

/** Which records are to be mapped. */
export interface MappingPreviewRequest {
  /** The text of the whole file. */
  text: string;
  /** These refused records; left out: the newest records that were read. */
  letters?: number[];
  /** So many at most: 1 to 50, 5 if nothing is said. */
  limit?: number;
}

/** What a text would make of records. */
export interface MappingPreview {
  /** What is wrong with the text; then nothing was mapped. */
  mistakes: Mistake[];
  /** The records. */
  records: Previewed[];
}

/** A record, what it would become, and what would happen to it. */
export interface Previewed {
  /** The dead letter that it comes from. */
  letter?: number;
  /** Its key. */
  key?: string;
  /** `new`, `changed`, `unchanged`, `older`, `filtered` or `refused`. */
  outcome: Outcome;
  /** Why it would be refused, in the caller's language. */
  reason?: string;
  /** The record: JSON text. */
  record: JsonText;
  /** Its documents: JSON texts. */
  documents: JsonText[];
}

/** A file was saved. */
export interface Saved {
  /** Names the file as it is now. */
  revision: string;
}

/** Who is told of what. */
export interface AlertSettings {
  /** Names `milkrun.toml` as it is on disk. */
  revision: string;
  /** The channels, by name. */
  channels: Channel[];
  /** The rules, in the order they are shown. */
  rules: AlertRule[];
  /** When nobody is disturbed, such as `22:00-08:00`. */
  quiet_hours?: string;
  /** The zone of the quiet hours. */
  zone: string;
}

/** A way to people. */
export interface Channel {
  /** Its name. */
  name: string;
  /** `dingtalk`, `wecom`, `feishu`, `mail` or `webhook`. */
  kind: ChannelKind;
  /** Whom it reaches, without secrets: a host, or addresses. */
  reaches: string;
}

/** When people are told. */
export interface AlertRule {
  /** Its name, such as `lag`. */
  name: string;
  /** What it watches, in the caller's language. */
  title: string;
  /** Whether it is on. */
  is_on: boolean;
  /** Its bound as it is written, such as `2h` or `90%`, where it has one. */
  bound?: string;
}

/** What is to change about alerts. */
export interface AlertSettingsChange {
  /** The file that it was made from. */
  revision: string;
  /** Rules to change, by name; the others stay. */
  rules?: AlertRuleChange[];
  /** The quiet hours; empty: none. Left out: as they are. */
  quiet_hours?: string;
}

/** What is to change about one rule. */
export interface AlertRuleChange {
  /** Its name. */
  name: string;
  /** Whether it is on. */
  is_on: boolean;
  /** Its bound. */
  bound?: string;
}

/** Something that is or was wrong. */
export interface Incident {
  /** What it is about, such as `run-failed/orders`. */
  id: string;
  /** The rule that found it. */
  rule: string;
  /** The flow, if it is about one. */
  flow?: string;
  /** The account, if it is about one. */
  account?: string;
  /** What happened, in the caller's language. */
  title: string;
  /** What to do, in the caller's language. */
  advice: string;
  /** How many documents it is about, where that is known. */
  documents?: number;
  /** Since when. */
  since: Timestamp;
  /** Until when; left out while it is open. */
  until?: Timestamp;
  /** The channels that were told. */
  told: string[];
}

/** One finding of `milkrun doctor`. */
export interface Diagnosis {
  /** What was looked at, such as `state` or `clock`. */
  what: string;
  /** `good`, `warning` or `bad`. */
  health: Health;
  /** What was found, in the caller's language. */
  finding: string;
  /** How to mend it. */
  advice?: string;
}

/** One line of the audit log. */
export interface Audit {
  /** Its number. */
  id: number;
  /** When. */
  at: Timestamp;
  /** Who. */
  user: string;
  /** From which address. */
  address?: string;
  /** What was done, such as `flow.run`. */
  action: string;
  /** To what, such as the flow's name. */
  subject?: string;
  /** Whether it was done; else why not. */
  outcome: string;
}

/** How a run ended. */
export type Verdict = 'reconciled' | 'unreconciled' | 'partial' | 'failed';

/** What a run does. */
export type Work = 'run' | 'replay' | 'backfill';

/** Who refused a record. */
export type Stage = 'key' | 'mapping' | 'target' | 'unknown';

/** How something is that was looked at. */
export type Health = 'good' | 'warning' | 'bad';

/** What would become of a record. */
export type Outcome = 'new' | 'changed' | 'unchanged' | 'older' | 'filtered' | 'refused';

/** How a rule fills its field. */
export type RuleKind = 'from' | 'const' | 'expr' | 'each' | 'fields';

/** What a value of the source is. */
export type ValueKind = 'text' | 'number' | 'boolean' | 'list' | 'object' | 'null';

/** What a channel is. */
export type ChannelKind = 'dingtalk' | 'wecom' | 'feishu' | 'mail' | 'webhook';

/** What is to fill a field: a field of the source, or a rule as TOML. */
export type RuleText = { from: string } | { toml: string };

/** What has just happened. */
export type Event =
  | { type: 'progress'; run: LiveRun }
  | { type: 'started'; flow: string }
  | { type: 'ended'; run: RunSummary }
  | { type: 'reloaded'; mistakes: Mistake[] }
  | { type: 'incident'; incident: Incident };
