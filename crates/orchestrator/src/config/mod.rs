//! One folder is one installation: `milkrun.toml` and `flows/*.toml`, read with the place of everything.
//!
//! | file | answers |
//! | --- | --- |
//! | `alerts` | who is told of what? |
//! | `account` | what is an account, and where is the setting that the connector complains about? |
//! | `console` | who may use the console, and where is it? |
//! | `declare` | which streams and targets does a flow declare by itself? |
//! | `flow` | what may a flow file say? |
//! | `include` | how does the metadata of another platform become a part of a flow? |
//! | `schedule` | when does a flow start by itself? |
//! | `secret` | where may a secret be, and how is it fetched? |
//! | `shape` | do the settings have the shape of the connector's schema? |
//! | `tables` | where do the values come from that expressions look up? |
//! | `telemetry` | where are spans sent? |
//! | `upkeep` | how long is what kept, and where is a structured log written? |
//! | `span`, `value` | how is a value read, and what is said if it is wrong? |
//! | `schema` | what do editors need to complete these files? |

mod account;
mod alerts;
mod console;
mod declare;
mod flow;
mod include;
mod schedule;
mod schema;
mod secret;
mod shape;
mod span;
mod tables;
mod telemetry;
mod upkeep;
mod value;

#[cfg(test)]
mod seeded_mistakes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milkrun_core::diagnostic::{Diagnostic, Diagnostics};
use milkrun_core::{Error, Result};
use toml::Spanned;
use toml::de::DeTable;

pub(crate) use self::account::AccountConfig;
pub(crate) use self::alerts::{AlertsConfig, ChannelConfig, Held, HeldFrom, RobotConfig, Way};
pub(crate) use self::console::{ConsoleConfig, TlsConfig, TokenConfig};
pub(crate) use self::declare::{Declared, declared};
pub(crate) use self::flow::{Changes, FlowConfig};
pub(crate) use self::include::is_wanted as includes;
pub(crate) use self::schedule::is_timetable;
pub(crate) use self::schema::{account_schema, flow_schema, installation_schema};
pub(crate) use self::secret::{SecretSource, setting};
pub(crate) use self::span::{At, Findings, Span, suggest};
pub(crate) use self::tables::{TableConfig, TableFrom};
#[cfg(feature = "otel")]
pub(crate) use self::telemetry::collector;
pub(crate) use self::upkeep::{Logs, Retention, write_size};
pub(crate) use self::value::{Moment, parse_rate, write_duration};

use self::span::Section;
use crate::text::{self, Lang, fill};

/// The name of the file that makes a folder an installation.
pub(crate) const FILE: &str = "milkrun.toml";
/// Where the state is kept unless it is said otherwise.
pub(crate) const STORE: &str = ".milkrun";
/// Where the key of the vault is kept unless it is said otherwise.
pub(crate) const KEY_FILE: &str = "milkrun.key";

pub(super) const TOP: &[&str] = &["accounts", "alerts", "console", "logs", "retention", "store", "telemetry"];
pub(super) const STORE_KEYS: &[&str] = &["path", "key"];

/// A file as it was read.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// As the user would name it.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// One installation as it is written.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) dir: PathBuf,
    pub(crate) accounts: Vec<AccountConfig>,
    /// The names of all accounts, those that cannot be used too.
    pub(crate) account_names: Vec<String>,
    /// Whether `account_names` may lack some, so that one that is missing is no second mistake.
    pub(crate) accounts_in_doubt: bool,
    pub(crate) alerts: AlertsConfig,
    pub(crate) store: StoreConfig,
    pub(crate) retention: Retention,
    /// The structured log, if there is to be one.
    pub(crate) logs: Option<Logs>,
    pub(crate) console: ConsoleConfig,
    pub(crate) flows: Vec<FlowConfig>,
    /// The names of all flow files, those that cannot be used too.
    pub(crate) flow_names: Vec<String>,
    /// Files that flows include.
    pub(crate) included: Vec<PathBuf>,
}

/// `[store]`.
#[derive(Clone, Debug)]
pub(crate) struct StoreConfig {
    /// The folder of the state.
    pub(crate) path: PathBuf,
    /// Where the master key is.
    pub(crate) key: SecretSource,
    /// Whether the place of the key was written, not left to the default.
    pub(crate) key_is_set: bool,
}

/// What was found in all files: by file, mistakes and warnings.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    files: BTreeMap<PathBuf, FileReport>,
}

/// What was found in one file.
#[derive(Debug)]
struct FileReport {
    file: Arc<SourceFile>,
    mistakes: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    hidden: Vec<Span>,
}

impl Reports {
    /// Adds what was found in one file.
    pub(crate) fn add(&mut self, file: &Arc<SourceFile>, findings: Findings) {
        let new =
            || FileReport { file: Arc::clone(file), mistakes: Vec::new(), warnings: Vec::new(), hidden: Vec::new() };
        let report = self.files.entry(file.path.clone()).or_insert_with(new);
        report.mistakes.extend(findings.mistakes);
        report.warnings.extend(findings.warnings);
        report.hidden.extend(findings.hidden);
    }

    /// What is wrong with one file that is not part of an installation.
    pub(crate) fn of(path: &Path, text: &str, mistakes: Vec<Diagnostic>) -> Self {
        let file = Arc::new(SourceFile { path: path.to_owned(), text: text.to_owned() });
        let report = FileReport { file, mistakes, warnings: Vec::new(), hidden: Vec::new() };
        Self { files: BTreeMap::from([(path.to_owned(), report)]) }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.files.values().all(|report| report.mistakes.is_empty())
    }

    /// Whether something is wrong with a file of that name.
    pub(crate) fn is_wrong(&self, name: &str) -> bool {
        self.files.values().any(|report| report.file.path.ends_with(name) && !report.mistakes.is_empty())
    }

    /// The mistakes, by file.
    pub(crate) fn mistakes(&self) -> Vec<Diagnostics> {
        self.collect(|report| &report.mistakes)
    }

    /// The warnings, by file.
    pub(crate) fn warnings(&self) -> Vec<Diagnostics> {
        self.collect(|report| &report.warnings)
    }

    fn collect(&self, pick: impl Fn(&FileReport) -> &Vec<Diagnostic>) -> Vec<Diagnostics> {
        let of_file = |report: &FileReport| {
            let mut all = pick(report).clone();
            all.dedup();
            let file = &report.file;
            // Only the installation's own file may hold secrets.
            let text =
                if file.path.ends_with(FILE) { secret::mask(&file.text, &report.hidden) } else { file.text.clone() };
            Diagnostics::new(&file.path, &text, all)
        };
        self.files.values().map(of_file).filter(|d| !d.all.is_empty()).collect()
    }

    /// The text of `milkrun.toml` without the secrets that stand in it, and whether there was any.
    pub(crate) fn without_secrets(&self) -> Option<(String, bool)> {
        let report = self.files.values().find(|report| report.file.path.ends_with(FILE))?;
        let masked = secret::mask(&report.file.text, &report.hidden);
        let had_any = masked != report.file.text;
        Some((masked, had_any))
    }

    /// Leaves out what was found in the files of other flows than these.
    pub(crate) fn only_flows(&mut self, dir: &Path, names: &[String]) {
        self.files.retain(|path, _| flow_of(dir, path).is_none_or(|flow| names.iter().any(|name| name == flow)));
    }

    /// What was found in the file of one flow: mistakes, and warnings.
    pub(crate) fn of_flow(&self, dir: &Path, name: &str) -> [Vec<Diagnostics>; 2] {
        [self.mistakes(), self.warnings()].map(|mut found| {
            found.retain(|found| flow_of(dir, &found.file) == Some(name));
            found
        })
    }

    /// Whether something is wrong with the file of a flow.
    pub(crate) fn blames_flow(&self, dir: &Path, name: &str) -> bool {
        let is_own = |path: &Path| flow_of(dir, path) == Some(name);
        self.files.iter().any(|(path, report)| !report.mistakes.is_empty() && is_own(path))
    }
}

/// The flow that a file is of. What a file includes is shown under a longer name.
fn flow_of<'a>(dir: &Path, path: &'a Path) -> Option<&'a str> {
    let file = path.strip_prefix(tidy(&dir.join("flows"))).ok()?;
    file.to_str()?.split(" (").next()?.strip_suffix(".toml")
}

/// Reads an installation: what is usable, and everything that is wrong.
///
/// # Errors
/// If there is no `milkrun.toml`, or a file cannot be read.
pub(crate) fn load(dir: &Path, lang: Lang) -> Result<(Installation, Reports)> {
    load_with(dir, Draft::Nothing, lang)
}

/// A text that is read in the place of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draft<'a> {
    /// All files are read as they are.
    Nothing,
    /// The text of `milkrun.toml`.
    Installation(&'a str),
    /// The text of a flow's file.
    Flow {
        /// The flow.
        name: &'a str,
        /// The text.
        text: &'a str,
    },
}

/// The same with a text in the place of a file.
///
/// # Errors
/// Those of [`load`].
pub(crate) fn load_with(dir: &Path, draft: Draft<'_>, lang: Lang) -> Result<(Installation, Reports)> {
    let mut reports = Reports::default();
    let path = dir.join(FILE);
    let mut findings = Findings::new(lang);
    let text = match draft {
        Draft::Installation(text) => text.to_owned(),
        _ => read_text(&path, &mut findings).map_err(|e| no_installation(lang, dir, e))?,
    };
    let file = Arc::new(SourceFile { path: tidy(&path), text });
    let mut installation = Installation {
        dir: dir.to_owned(),
        accounts: Vec::new(),
        account_names: Vec::new(),
        accounts_in_doubt: false,
        alerts: AlertsConfig::default(),
        store: StoreConfig {
            path: dir.join(STORE),
            key: SecretSource::File(PathBuf::from(KEY_FILE)),
            key_is_set: false,
        },
        retention: Retention::default(),
        logs: None,
        console: ConsoleConfig::default(),
        flows: Vec::new(),
        flow_names: Vec::new(),
        included: Vec::new(),
    };
    // Of a text that is not UTF-8, only that is said.
    let table = parse(if findings.mistakes.is_empty() { &file.text } else { "" }, &mut findings);
    read_installation(&mut installation, &file, &table, &mut findings);
    reports.add(&file, findings);
    let own_file = file;
    for (name, path) in flow_files(dir)? {
        let mut findings = Findings::new(lang);
        let text = match draft {
            Draft::Flow { name: drafted, text } if drafted == name => text.to_owned(),
            _ => read_text(&path, &mut findings).map_err(|e| Error::from(e).with("file", path.display()))?,
        };
        let mut file = Arc::new(SourceFile { path: tidy(&path), text });
        if !findings.mistakes.is_empty() {
            installation.flow_names.push(name);
            reports.add(&file, findings);
            continue;
        }
        if include::is_wanted(&file.text) {
            let mut findings = Findings::new(lang);
            let (accounts, included) = (&installation.accounts, &mut installation.included);
            let merged = include::expand(&name, &path, &file.text, accounts, included, &mut findings);
            reports.add(&file, findings);
            let Some(text) = merged else {
                installation.flow_names.push(name);
                continue;
            };
            // Mistakes are shown where they stand once both are one text.
            file = Arc::new(SourceFile { path: tidy(&path).with_extension("toml (with what it includes)"), text });
        }
        let mut findings = Findings::new(lang);
        let table = parse(&file.text, &mut findings);
        // After a mistake of grammar, what is missing may only be behind it.
        if findings.mistakes.is_empty()
            && let Some(flow) = flow::read(&name, &file, table.get_ref(), &mut findings)
        {
            installation.flows.push(flow);
        }
        installation.flow_names.push(name);
        reports.add(&file, findings);
    }
    let mut findings = Findings::new(lang);
    upkeep::check_lookback(&installation.retention, &installation.flows, &mut findings);
    reports.add(&own_file, findings);
    Ok((installation, reports))
}

/// The text of a file, and the mistake of one that is not UTF-8: what stands in the place of such bytes is shown.
///
/// Editors in Chinese write GBK where nobody tells them otherwise.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read_utf8(path: &Path, lang: Lang) -> std::io::Result<(String, Option<Diagnostic>)> {
    Ok(match String::from_utf8(std::fs::read(path)?) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let span = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
            let mistake = Diagnostic::new(span, lang.say(text::NOT_UTF8)).help(lang.say(text::SAVE_AS_UTF8));
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(mistake))
        }
    })
}

fn read_text(path: &Path, findings: &mut Findings) -> std::io::Result<String> {
    let (text, mistake) = read_utf8(path, findings.lang)?;
    findings.mistakes.extend(mistake);
    Ok(text)
}

/// The structured log that `milkrun.toml` asks for, before anything else is read; what is wrong is said later.
pub(crate) fn logs_of(dir: &Path) -> Option<Logs> {
    let text = std::fs::read_to_string(dir.join(FILE)).ok()?;
    let (table, _) = DeTable::parse_recoverable(&text);
    let mut findings = Findings::new(Lang::En);
    let top = 0..0;
    let root = Section { title: FILE, span: &top, table: table.get_ref(), keys: TOP };
    let (table, span) = root.table("logs", &mut findings)?;
    upkeep::read_logs(dir, table, &span, &mut findings)
}

fn no_installation(lang: Lang, dir: &Path, cause: std::io::Error) -> Error {
    if cause.kind() == std::io::ErrorKind::NotFound {
        let message = fill!(lang, text::NO_INSTALLATION, file = FILE, dir = dir.display());
        return Error::config(message).advise(lang.say(text::MAKE_INSTALLATION));
    }
    let message = fill!(lang, text::FILE_UNREADABLE, file = dir.join(FILE).display());
    Error::config(message).caused_by(cause)
}

/// `./milkrun.toml` is what users call `milkrun.toml`.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

/// The files of `flows/`, by name.
fn flow_files(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = dir.join("flows");
    let listed = match std::fs::read_dir(&folder) {
        Ok(listed) => listed,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::from(e).with("folder", folder.display())),
    };
    let mut files = Vec::new();
    for entry in listed {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|extension| extension == "toml") && !name.starts_with('.') {
            files.push((name, path));
        }
    }
    files.sort();
    Ok(files)
}

/// Parses a file as far as its grammar allows.
fn parse<'a>(text: &'a str, findings: &mut Findings) -> Spanned<DeTable<'a>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..text.len().min(1));
        findings.mistake(&span, fill!(findings.lang, text::NOT_TOML, message = error.message()));
    }
    table
}

fn read_installation(
    installation: &mut Installation,
    file: &Arc<SourceFile>,
    table: &Spanned<DeTable<'_>>,
    findings: &mut Findings,
) {
    let lang = findings.lang;
    let top = 0..0;
    let has_grammar = findings.mistakes.is_empty();
    let root = Section { title: FILE, span: &top, table: table.get_ref(), keys: TOP };
    root.close(&[], findings);
    if let Some((table, span)) = root.table("store", findings) {
        read_store(&mut installation.store, &installation.dir, table, &span, findings);
    }
    if let Some((table, span)) = root.table("telemetry", findings) {
        telemetry::read(table, &span, findings);
    }
    if let Some((table, span)) = root.table("alerts", findings) {
        installation.alerts = alerts::read(file, table, &span, findings);
    }
    if let Some((table, span)) = root.table("retention", findings) {
        installation.retention = upkeep::read_retention(table, &span, findings);
    }
    if let Some((table, span)) = root.table("logs", findings) {
        installation.logs = upkeep::read_logs(&installation.dir, table, &span, findings);
    }
    if let Some((table, span)) = root.table("console", findings) {
        installation.console = console::read(file, table, &span, findings);
    }
    // After a mistake of grammar, users and tokens may only be behind it.
    installation.console.sound &= has_grammar && !root.has_near("console");
    if let Some((accounts, _)) = root.table("accounts", findings) {
        installation.account_names = accounts.keys().map(|name| name.get_ref().clone().into_owned()).collect();
        // After a mistake of grammar, what is missing may only be behind it.
        if has_grammar {
            // The same text once more without places.
            let plain: toml::Table = toml::from_str(&file.text).unwrap_or_default();
            let plain = plain.get("accounts").and_then(toml::Value::as_table).cloned().unwrap_or_default();
            installation.accounts = account::read_all(file, accounts, &plain, findings);
        }
    }
    if installation.account_names.is_empty() && findings.mistakes.is_empty() {
        findings.mistake_with(&top, lang.say(text::NO_ACCOUNTS), lang.say(text::ADD_ACCOUNT));
    }
    installation.accounts_in_doubt = !has_grammar
        || installation.account_names.is_empty()
        || root.has_near("accounts")
        || installation.account_names.iter().any(|name| !account::is_name(name));
}

fn read_store(store: &mut StoreConfig, dir: &Path, table: &DeTable<'_>, span: &Span, findings: &mut Findings) {
    let section = Section { title: "[store]", span, table, keys: STORE_KEYS };
    section.close(&[], findings);
    if let Some(path) = section.text("path", findings) {
        store.path = dir.join(path.value);
    }
    let Some(value) = section.get("key") else { return };
    let source = secret::reference(value, "key").map(|reference| reference.source);
    match source.or_else(|| secret::in_keyring(value)) {
        Some(SecretSource::Vault(_)) => {
            findings.mistake(&value.span(), findings.lang.say(text::KEY_IN_VAULT));
        }
        Some(source) => (store.key, store.key_is_set) = (source, true),
        None => {
            let lang = findings.lang;
            findings.mistake_with(&value.span(), lang.say(text::BAD_STORE_KEY), lang.say(text::STORE_KEY_FORM));
        }
    }
}
