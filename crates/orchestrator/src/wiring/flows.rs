//! Prepares flows: looks up the names of a flow file, checks what only shows against the stream and the target, and
//! compiles the mapping.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use milkrun_core::stream::{StreamSpec, zone};
use milkrun_core::{Account, Clock, Context, Idempotency, Proof, Result, SinkKind, Source, TargetSpec};
use milkrun_engine::{Flow, Options, Span};
use milkrun_mapping::{Mapping, Tables};
use toml::de::{DeTable, DeValue};

use super::accounts::{Accounts, Secrets, open_accounts};
use super::store::State;
use super::tables::load_tables;
use crate::config::{At, Changes, Findings, FlowConfig, Installation, Reports, suggest, write_duration};
use crate::text::{self, fill};

/// A flow whose parts fit together; only the way to the vendor is missing.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) name: String,
    pub(crate) source_account: String,
    pub(crate) sink_account: String,
    pub(crate) stream: StreamSpec,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) sink: SinkKind,
    pub(crate) target: TargetSpec,
    pub(crate) mapping: Arc<Mapping>,
    span: Span,
    options: Options,
    /// How often a call to the source is tried, where the flow says.
    attempts: Option<u32>,
}

/// Prepares the flows that `wanted` names; what is wrong with one goes into `reports`. Without a state, tables of what
/// other flows have delivered are empty.
///
/// # Errors
/// Those of the store.
pub(crate) async fn prepare_flows(
    installation: &Installation,
    accounts: &Accounts,
    state: Option<&State>,
    wanted: impl Fn(&str) -> bool,
    lang: text::Lang,
    reports: &mut Reports,
) -> Result<Vec<Prepared>> {
    let tables = load_tables(installation, &wanted, state, lang, reports).await?;
    let shown = shown(installation, accounts, &wanted, lang).await?;
    let mut all: Vec<Prepared> = Vec::new();
    let mut written: BTreeMap<(String, String), String> = BTreeMap::new();
    for config in &installation.flows {
        let place = (config.sink.account.value.clone(), config.sink.target.value.clone());
        let earlier = written.entry(place).or_insert_with(|| config.name.clone()).clone();
        if !wanted(&config.name) {
            continue;
        }
        let mut findings = Findings::new(lang);
        let tables = tables.get(&config.name).cloned().unwrap_or_default();
        let prepared = prepare(config, installation, &shown, tables, &mut findings);
        if let Some(flow) = &prepared
            && earlier != config.name
            && matches!(flow.sink, SinkKind::Appends(_))
        {
            let target = &config.sink.target;
            let message = fill!(lang, text::TARGET_TAKEN, target = target.value, flow = earlier);
            findings.mistake_with(&target.span, message, lang.say(text::TARGET_TAKEN_HELP));
        }
        let is_open = |name: &String| accounts.contains_key(name);
        let prepared = prepared.filter(|flow| is_open(&flow.source_account) && is_open(&flow.sink_account));
        all.extend(prepared.filter(|_| findings.mistakes.is_empty()));
        reports.add(&config.file, findings);
    }
    Ok(all)
}

/// The accounts, and those that lack a secret with a stand-in for it: which streams and targets they have is known all
/// the same, so that what is wrong with a flow is said together with what is wrong with its account.
async fn shown(
    installation: &Installation,
    accounts: &Accounts,
    wanted: &impl Fn(&str) -> bool,
    lang: text::Lang,
) -> Result<Accounts> {
    let flows = installation.flows.iter().filter(|flow| wanted(&flow.name));
    let named: BTreeSet<&str> =
        flows.flat_map(|flow| [&*flow.source.account.value, &*flow.sink.account.value]).collect();
    let lacks = |name: &str| named.contains(name) && !accounts.contains_key(name);
    // Whatever else is wrong with them has been said.
    let mut unheard = Reports::default();
    let mut shown = open_accounts(installation, lacks, Secrets::StandIn, lang, &mut unheard).await?;
    shown.extend(accounts.iter().map(|(name, account)| (name.clone(), Arc::clone(account))));
    Ok(shown)
}

/// The account that a flow names; `None` if there is none, or if it could not be opened, which has been said.
fn account<'a>(
    name: &At<String>,
    installation: &Installation,
    accounts: &'a Accounts,
    findings: &mut Findings,
) -> Option<&'a Account> {
    if !installation.accounts_in_doubt && !installation.account_names.contains(&name.value) {
        let lang = findings.lang;
        let known: Vec<&str> = installation.account_names.iter().map(String::as_str).collect();
        let message = fill!(lang, text::NO_SUCH_ACCOUNT, name = name.value);
        findings.mistake_with(&name.span, message, suggest(lang, &name.value, &known));
    }
    accounts.get(&name.value).map(Arc::as_ref)
}

fn prepare(
    config: &FlowConfig,
    installation: &Installation,
    accounts: &Accounts,
    tables: Arc<Tables>,
    findings: &mut Findings,
) -> Option<Prepared> {
    let source = account(&config.source.account, installation, accounts, findings)
        .and_then(|account| find_stream(config, account, findings));
    let sink = account(&config.sink.account, installation, accounts, findings)
        .and_then(|account| find_target(config, account, findings));
    // Without the stream its zone is not known; the rest of the mapping is checked all the same.
    let (of_stream, of_target) = (source.as_ref().map(|(_, stream)| stream), sink.as_ref().map(|(_, target)| target));
    let mapping = compile(config, of_stream, of_target, tables, findings);
    let (source, stream) = source?;
    let mut stream = stream;
    let span = span(config, &stream, findings);
    stricter(config, &mut stream, findings);
    let mut options = source_options(config, &stream, findings);
    let (sink, target) = sink?;
    if let Some(options) = &mut options {
        sink_options(config, &sink, &target, options, findings);
        let of_source = installation.accounts.iter().find(|account| account.name == config.source.account.value);
        of_source.map_or("", |account| account.connector.name).clone_into(&mut options.keys.system);
    }
    if stream.key.is_empty() {
        let message = fill!(findings.lang, text::STREAM_WITHOUT_KEY, stream = stream.name);
        findings.mistake(&config.source.stream.span, message);
        return None;
    }
    Some(Prepared {
        name: config.name.clone(),
        source_account: config.source.account.value.clone(),
        sink_account: config.sink.account.value.clone(),
        stream,
        source,
        sink,
        target,
        mapping: mapping?,
        span: span?,
        options: options?,
        attempts: config.source.attempts.as_ref().map(|at| at.value),
    })
}

fn find_stream(
    config: &FlowConfig,
    account: &Account,
    findings: &mut Findings,
) -> Option<(Arc<dyn Source>, StreamSpec)> {
    let lang = findings.lang;
    let wanted = &config.source.stream;
    let name = &config.source.account;
    let Some(source) = &account.source else {
        let message = fill!(lang, text::ACCOUNT_HAS_NO_STREAMS, account = name.value);
        findings.mistake_with(&name.span, message, fill!(lang, text::DECLARE_STREAMS, account = name.value));
        return None;
    };
    let Some(stream) = source.streams().iter().find(|stream| stream.name == wanted.value) else {
        let names: Vec<&str> = source.streams().iter().map(|stream| stream.name.as_str()).collect();
        let message = fill!(lang, text::NO_SUCH_STREAM, account = name.value, stream = wanted.value);
        findings.mistake_with(&wanted.span, message, suggest(lang, &wanted.value, &names));
        return None;
    };
    Some((Arc::clone(source), stream.clone()))
}

fn find_target(config: &FlowConfig, account: &Account, findings: &mut Findings) -> Option<(SinkKind, TargetSpec)> {
    let lang = findings.lang;
    let wanted = &config.sink.target;
    let name = &config.sink.account;
    let Some(sink) = &account.sink else {
        let message = fill!(lang, text::ACCOUNT_HAS_NO_TARGETS, account = name.value);
        findings.mistake(&name.span, message);
        return None;
    };
    let targets = sink.targets();
    if let Some(target) = targets.iter().find(|target| target.name == wanted.value) {
        return Some((sink.clone(), target.clone()));
    }
    if targets.is_empty() && matches!(sink, SinkKind::Appends(_)) {
        return Some((sink.clone(), undeclared(&wanted.value)));
    }
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    let message = fill!(lang, text::NO_SUCH_TARGET, account = name.value, target = wanted.value);
    findings.mistake_with(&wanted.span, message, suggest(lang, &wanted.value, &names));
    None
}

/// A target of a local medium that makes one for every name.
fn undeclared(name: &str) -> TargetSpec {
    TargetSpec {
        name: name.to_owned(),
        title: milkrun_core::stream::Title::new(name, name),
        endpoint: name.to_owned(),
        idempotency: Idempotency::CommittedLength,
        only_new: false,
        batch: 1000,
        fields: Vec::new(),
        notes: Vec::new(),
    }
}

fn compile(
    config: &FlowConfig,
    stream: Option<&StreamSpec>,
    target: Option<&TargetSpec>,
    tables: Arc<Tables>,
    findings: &mut Findings,
) -> Option<Arc<Mapping>> {
    let (table, _) = DeTable::parse_recoverable(&config.file.text);
    let mapping = table.get_ref().iter().find(|(key, _)| key.get_ref() == "mapping");
    // Without rules, records go as they came, and are checked by what the target asks all the same.
    let none = DeTable::new();
    let rules = match mapping.filter(|_| config.has_mapping).map(|(_, value)| value.get_ref()) {
        None => &none,
        Some(DeValue::Table(rules)) => rules,
        Some(_) => return None,
    };
    let mut options = milkrun_mapping::Options { tables, ..milkrun_mapping::Options::default() };
    options.identity = Some(milkrun_mapping::Identity {
        account: config.source.account.value.clone(),
        stream: config.source.stream.value.clone(),
        key: stream.map(|stream| stream.key.clone()).unwrap_or_default(),
    });
    if let Some(stream) = stream {
        options.zone = stream_zone(stream);
        options.units = &stream.units;
    }
    if let Some(target) = target {
        options.fields = &target.fields;
    }
    match Mapping::compile(rules, &options) {
        Ok(mapping) => {
            findings.warnings.extend(mapping.warnings().iter().cloned());
            Some(Arc::new(mapping))
        }
        Err(mistakes) => {
            findings.mistakes.extend(mistakes);
            None
        }
    }
}

fn stream_zone(stream: &StreamSpec) -> TimeZone {
    let name = stream.window.as_ref().map_or("Asia/Shanghai", |window| &window.zone);
    zone(name).unwrap_or(TimeZone::UTC)
}

/// From when on the flow reads, and how its windows are cut.
fn span(config: &FlowConfig, stream: &StreamSpec, findings: &mut Findings) -> Option<Span> {
    let lang = findings.lang;
    let source = &config.source;
    let n_before = findings.mistakes.len();
    let Some(window) = &stream.window else {
        let settings: [(&str, Option<&crate::config::Span>); 5] = [
            ("since", source.since.as_ref().map(|at| &at.span)),
            ("until", source.until.as_ref().map(|at| &at.span)),
            ("window", source.window.as_ref().map(|at| &at.span)),
            ("lookback", source.lookback.as_ref().map(|at| &at.span)),
            ("settle", source.settle.as_ref().map(|at| &at.span)),
        ];
        for (key, place) in settings {
            if let Some(place) = place {
                let message = fill!(lang, text::NO_WINDOW, key = key, stream = stream.name);
                findings.mistake_with(place, message, lang.say(text::REMOVE_LINE));
            }
        }
        return (findings.mistakes.len() == n_before).then(Span::default);
    };
    let zone = stream_zone(stream);
    let mut instant = |key: &str, at: Option<&At<_>>| -> Option<Timestamp> {
        let at: &At<crate::config::Moment> = at?;
        let instant = at.value.in_zone(&zone);
        if instant.is_none() {
            findings.mistake(&at.span, fill!(lang, text::DATE_OUT_OF_RANGE, key = key));
        }
        instant
    };
    let since = instant("since", source.since.as_ref());
    let until = instant("until", source.until.as_ref());
    if !source.has_since {
        let message = fill!(lang, text::NO_SINCE, stream = stream.name);
        let place = &source.stream.span;
        findings.mistake_with(place, message, fill!(lang, text::ADD_LINE, line = "since = \"2026-01-01\""));
    }
    if let (Some(since), Some(until), Some(at)) = (since, until, &source.until)
        && until <= since
    {
        findings.mistake(&at.span, lang.say(text::UNTIL_BEFORE_SINCE));
    }
    if let Some(at) = &source.window {
        let longest = window.longest;
        if at.value > longest {
            let message = fill!(lang, text::WINDOW_TOO_LONG, longest = write_duration(longest), stream = stream.name);
            findings.mistake(&at.span, message);
        } else if at.value < window.granularity || at.value.is_zero() {
            let least = write_duration(window.granularity.max(Duration::from_millis(1)));
            findings.mistake(&at.span, fill!(lang, text::WINDOW_TOO_SHORT, least = least));
        }
    }
    let value = |at: &Option<At<Duration>>| at.as_ref().map(|at| at.value);
    let span = Span {
        since,
        until,
        window: value(&source.window),
        lookback: value(&source.lookback),
        settle: value(&source.settle),
    };
    (findings.mistakes.len() == n_before).then_some(span)
}

/// `proof` may ask for more than the stream does, never for less.
fn stricter(config: &FlowConfig, stream: &mut StreamSpec, findings: &mut Findings) {
    let Some(at) = &config.source.proof else { return };
    let lang = findings.lang;
    let own = stream.proof.name();
    let mut possible = vec![own];
    if matches!(stream.proof, Proof::Backwards { .. }) {
        possible.push(Proof::ReadTwice.name());
    }
    if at.value == own {
        return;
    }
    if possible.contains(&at.value.as_str()) {
        stream.proof = Proof::ReadTwice;
        return;
    }
    let known = ["row-version", "backwards", "read-twice", "snapshot"];
    if known.contains(&at.value.as_str()) {
        let message = fill!(lang, text::PROOF_NOT_STRICTER, stream = stream.name, own = own, asked = at.value);
        findings.mistake_with(&at.span, message, fill!(lang, text::KNOWN_ARE, names = possible.join(", ")));
    } else {
        let message = fill!(lang, text::NO_SUCH_CHOICE, key = "proof", value = at.value);
        findings.mistake_with(&at.span, message, suggest(lang, &at.value, &possible));
    }
}

fn source_options(config: &FlowConfig, stream: &StreamSpec, findings: &mut Findings) -> Option<Options> {
    let lang = findings.lang;
    let mut options = Options::usual(stream, &undeclared(""));
    if let Some(at) = &config.source.page_size {
        let limits = stream.page_size;
        let least = limits.min.max(1);
        if at.value < least || limits.max.is_some_and(|max| at.value > max) {
            let most = limits.max.map_or("∞".to_owned(), |max| max.to_string());
            let message =
                fill!(lang, text::PAGE_SIZE_RANGE, stream = stream.name, value = at.value, least = least, most = most);
            findings.mistake(&at.span, message);
            return None;
        }
        options.page_size = at.value;
    }
    if let Some(at) = &config.source.concurrency {
        options.concurrency = at.value as usize;
    }
    Some(options)
}

fn sink_options(
    config: &FlowConfig,
    sink: &SinkKind,
    target: &TargetSpec,
    options: &mut Options,
    findings: &mut Findings,
) {
    let lang = findings.lang;
    options.batch = target.batch;
    if let Some(at) = &config.sink.batch {
        if at.value > target.batch {
            let message = fill!(lang, text::BATCH_TOO_LARGE, target = target.name, most = target.batch);
            findings.mistake(&at.span, message);
        }
        options.batch = at.value;
    }
    if let Some(at) = &config.sink.concurrency {
        options.sink_concurrency = at.value as usize;
    }
    if let Some(at) = &config.sink.attempts {
        options.delivery_attempts = at.value;
    }
    if let Some(at) = &config.sink.journal {
        if !at.value && matches!(sink, SinkKind::Calls(_)) {
            let message = fill!(lang, text::JOURNAL_NEEDED, target = target.name);
            findings.mistake_with(&at.span, message, lang.say(text::REMOVE_LINE));
        }
        options.journal = at.value;
    }
    let is_set = |at: &Option<At<bool>>| at.as_ref().is_some_and(|at| at.value);
    options.skip_changed = config.sink.changes.as_ref().is_some_and(|at| at.value == Changes::Skip);
    options.ask_first = is_set(&config.sink.ask_first);
    let forgets = matches!(target.idempotency, Idempotency::Key { remembered_for: Some(_), .. });
    if let Some(at) = config.sink.ask_first.as_ref().filter(|at| at.value && forgets)
        && !target.idempotency.can_be_asked()
    {
        let message = fill!(lang, text::CANNOT_BE_ASKED, target = target.name);
        findings.mistake_with(&at.span, message, lang.say(text::REMOVE_LINE));
    }
    options.keys.plain = is_set(&config.sink.plain_keys);
}

impl Prepared {
    /// The flow as the engine runs it.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up, or the engine finds a contradiction.
    pub(crate) fn open(self, accounts: &Accounts, state: &State) -> Result<Flow> {
        self.open_with(|name| {
            let account = accounts.get(name).expect("a flow is prepared only with its accounts");
            state.context(name, account)
        })
    }

    /// The same for looking only: it can judge records, and reaches no vendor.
    ///
    /// # Errors
    /// If the engine finds a contradiction.
    pub(crate) fn open_to_look(self, clock: &Arc<dyn Clock>) -> Result<Flow> {
        self.open_with(|name| Ok(Context::local(name, Arc::clone(clock))))
    }

    fn open_with(self, cx: impl Fn(&str) -> Result<Context>) -> Result<Flow> {
        let source_cx = cx(&self.source_account)?;
        let source_cx = match self.attempts {
            Some(attempts) => source_cx.with_attempts(attempts),
            None => source_cx,
        };
        let sink_cx = cx(&self.sink_account)?;
        let flow = Flow {
            name: self.name,
            stream: self.stream,
            source: self.source,
            source_cx,
            sink: self.sink,
            sink_cx,
            target: self.target,
            mapping: self.mapping,
            span: self.span,
            options: self.options,
        };
        flow.validate()?;
        Ok(flow)
    }
}
