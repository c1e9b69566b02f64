//! The commands, one file each.

mod alerts;
mod backfill;
mod backup;
mod check;
mod completions;
mod console;
mod dead_letters;
mod demo;
mod doctor;
mod example;
mod health;
mod import;
mod init;
mod list;
mod login;
mod preview;
mod receive;
mod replay;
mod retain;
mod run;
mod sandbox;
mod schema;
mod secret;
mod sign;
mod status;
mod trace;

pub(crate) use self::alerts::in_chinese;
pub(crate) use self::demo::Scene;
pub(crate) use self::run::asked;
pub(crate) use self::sandbox::Vendor;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use milkrun_core::{Error, ErrorKind, Record, Result};
use milkrun_engine::Flow;
use milkrun_mapping::{MapError, Mapping, Output};

use crate::cli::{Cli, Command, Global};
use crate::config::{self, Installation, Reports, suggest};
use crate::environment::Environment;
use crate::show::Out;
use crate::text::{self, Lang, fill};
use crate::wiring::{Accounts, Prepared, Secrets, State, open_accounts, open_state, prepare_flows};

/// What every command works with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here<'a> {
    pub(crate) out: &'a Out,
    pub(crate) environment: &'a Environment,
    pub(crate) global: &'a Global,
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong.
    Error(Error),
    /// The files are wrong.
    Mistakes(Reports),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Error(error.into())
    }
}

/// An address cannot be listened at, mostly because somebody else does.
pub(crate) fn cannot_listen(cause: std::io::Error, address: SocketAddr, lang: Lang) -> Error {
    let is_taken = cause.kind() == std::io::ErrorKind::AddrInUse;
    let kind = if is_taken { ErrorKind::Busy } else { ErrorKind::ConfigInvalid };
    Error::new(kind, fill!(lang, text::CANNOT_LISTEN, address = address)).caused_by(cause)
}

/// The exit code of a command that did what it was asked.
pub(crate) type Outcome = Result<u8, Failure>;

/// Does what the command line says and returns the exit code.
pub(crate) async fn execute(cli: Cli, environment: &Environment, out: &Out) -> Outcome {
    let here = Here { out, environment, global: &cli.global };
    match cli.command {
        Command::Demo(ask) => demo::demo(here, &ask).await,
        Command::Init(ask) => init::init(here, &ask).await,
        Command::Connectors => Ok(list::connectors(here)),
        Command::Streams(ask) => list::streams(here, &ask.name).await,
        Command::Targets(ask) => list::targets(here, &ask.name).await,
        Command::Check(ask) => check::check(here, ask.offline).await,
        Command::Preview(ask) => preview::preview(here, &ask).await,
        Command::Run(ask) => run::run(here, &ask).await,
        Command::Health(ask) => health::health(here, &ask).await,
        Command::Serve(ask) => crate::serve::serve(here, &ask).await,
        Command::Backfill(ask) => backfill::backfill(here, &ask).await,
        Command::Status => status::status(here).await,
        Command::Trace(ask) => trace::trace(here, &ask).await,
        Command::DeadLetters(ask) => dead_letters::dead_letters(here, &ask).await,
        Command::Replay(ask) => replay::replay(here, &ask).await,
        Command::Alerts(ask) => alerts::alerts(here, &ask).await,
        Command::Backup(ask) => backup::backup(here, &ask).await,
        Command::Restore(ask) => backup::restore(here, &ask).await,
        Command::Retain(ask) => retain::retain(here, &ask).await,
        Command::Doctor(ask) => doctor::doctor(here, &ask).await,
        Command::Sandbox(ask) => sandbox::sandbox(here, &ask).await,
        Command::Secret(ask) => secret::secret(here, &ask).await,
        Command::Console(ask) => console::console(here, &ask),
        Command::Login(ask) => login::login(here, &ask).await,
        Command::Receive(ask) => receive::receive(here, &ask).await,
        Command::Import(ask) => import::import(here, &ask),
        Command::Sign(ask) => sign::sign(here, &ask),
        Command::Schema(ask) => Ok(schema::schema(here, ask.of)),
        Command::Completions(ask) => Ok(completions::completions(here, ask.shell)),
    }
}

/// The folder of the installation that the command line names.
pub(crate) fn dir_of(global: &Global) -> PathBuf {
    global.dir.clone().unwrap_or_else(|| PathBuf::from("."))
}

impl Here<'_> {
    /// The folder of the installation.
    pub(crate) fn dir(&self) -> PathBuf {
        dir_of(self.global)
    }

    /// Reads the installation.
    pub(crate) fn load(&self) -> Result<(Installation, Reports)> {
        config::load(&self.dir(), self.out.lang)
    }

    /// The state for a command that only looks, or `None` if there is none yet.
    pub(crate) async fn look(&self, installation: &Installation) -> Result<Option<State>> {
        if !crate::wiring::has_state(installation)? {
            return Ok(None);
        }
        open_state(installation, self.environment, self.out.lang).await.map(Some)
    }

    /// Opens everything that some flows need.
    pub(crate) async fn ready(&self, names: &[String], dir: &Path) -> Result<Ready, Failure> {
        let (installation, mut reports) = config::load(dir, self.out.lang)?;
        for name in names {
            self.require_flow(&installation, name)?;
        }
        reports.only_flows(dir, names);
        let wanted = |name: &str| names.iter().any(|n| n == name);
        let flows = installation.flows.iter().filter(|flow| wanted(&flow.name));
        let used: Vec<&str> =
            flows.flat_map(|flow| [&flow.source.account.value, &flow.sink.account.value]).map(String::as_str).collect();
        if !reports.is_clean() {
            // Secrets are not fetched for files that cannot be used, but what else is wrong is said with it.
            let wants = |name: &str| used.contains(&name);
            let accounts = open_accounts(&installation, wants, Secrets::StandIn, self.out.lang, &mut reports).await?;
            reports.only_flows(dir, names);
            prepare_flows(&installation, &accounts, None, wanted, self.out.lang, &mut reports).await?;
            return Err(Failure::Mistakes(reports));
        }
        let state = open_state(&installation, self.environment, self.out.lang).await?;
        let secrets =
            Secrets::Fetched { environment: self.environment, vault: Some(&state.store), scrubber: &self.out.scrubber };
        let wants = |name: &str| used.contains(&name);
        let accounts = open_accounts(&installation, wants, secrets, self.out.lang, &mut reports).await?;
        // What other flows declare wrongly for the same accounts is theirs.
        reports.only_flows(dir, names);
        let lang = self.out.lang;
        let prepared = prepare_flows(&installation, &accounts, Some(&state), wanted, lang, &mut reports).await?;
        if !reports.is_clean() {
            return Err(Failure::Mistakes(reports));
        }
        for file in reports.warnings() {
            self.out.note(self.out.warnings(&file));
        }
        Ok(Ready { accounts, state, prepared })
    }

    /// Refuses a flow that has no file.
    pub(crate) fn require_flow(&self, installation: &Installation, name: &str) -> Result<()> {
        if installation.flow_names.iter().any(|n| n == name) {
            return Ok(());
        }
        let known: Vec<&str> = installation.flow_names.iter().map(String::as_str).collect();
        let lang = self.out.lang;
        let message = fill!(lang, text::NO_SUCH_FLOW, name = name);
        let help = if known.is_empty() { lang.say(text::NO_FLOWS).to_owned() } else { suggest(lang, name, &known) };
        Err(Error::new(ErrorKind::NotFound, message).advise(help))
    }
}

/// The documents that a record gives.
pub(crate) fn map(mapping: &Mapping, record: &Record) -> Result<Vec<String>, MapError> {
    let mut output = Output::new();
    mapping.apply(record, &mut output)?;
    Ok(output.iter().map(str::to_owned).collect())
}

/// Flows that fit together, and what they run with.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) accounts: Accounts,
    pub(crate) state: State,
    pub(crate) prepared: Vec<Prepared>,
}

impl Ready {
    /// The flows as the engine runs them, in the order of their names.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub(crate) fn flows(&mut self) -> Result<Vec<Flow>> {
        let Self { accounts, state, prepared } = self;
        prepared.drain(..).map(|flow| flow.open(accounts, state)).collect()
    }
}
