//! The command line: every command, argument and flag, with its English help. The Chinese help is in `text/help.rs`.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::text::{self, Lang, translate_help};

/// Moves business documents between ERPs, and proves that none was lost and none was doubled.
#[derive(Debug, Parser)]
#[command(name = "milkrun", version, disable_help_subcommand = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command; its own come before them.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// The folder of the installation, with `milkrun.toml` and `flows/`.
    #[arg(long, global = true, display_order = 100, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
    /// The language of messages; without it, that of `LC_ALL`, `LC_MESSAGES` or `LANG`.
    #[arg(long, global = true, display_order = 101, value_enum)]
    pub(crate) lang: Option<Lang>,
    /// Writes one JSON document to standard output instead of text; progress and logs go to standard error.
    #[arg(long, global = true, display_order = 102)]
    pub(crate) json: bool,
    /// Logs more: once for information, twice for debugging, three times for everything.
    #[arg(short, long, global = true, display_order = 103, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Logs from this level on.
    #[arg(long, global = true, display_order = 104, value_name = "LEVEL", value_parser = ["off", "error", "warn", "info", "debug", "trace"])]
    pub(crate) log_level: Option<String>,
    /// Appends one JSON line for each call to a vendor to this file; never a secret.
    #[arg(long, global = true, display_order = 105, value_name = "FILE")]
    pub(crate) log_json: Option<PathBuf>,
    /// Writes without colours.
    #[arg(long, global = true, display_order = 106)]
    pub(crate) no_color: bool,
    /// Shows no progress.
    #[arg(long, global = true, display_order = 107)]
    pub(crate) no_progress: bool,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows everything at work in half a minute: a simulated Kuaimai, two flows, and their reconciliation.
    Demo(Demo),
    /// Makes a folder an installation: `milkrun.toml`, `flows/`, and the key of the vault.
    Init(Init),
    /// Lists the vendors this program knows.
    Connectors,
    /// Lists what an account, or a connector, offers to read.
    Streams(Of),
    /// Lists what an account, or a connector, accepts.
    Targets(Of),
    /// Lists all mistakes in all files at once, then proves each account's credentials.
    Check(Check),
    /// Shows what a flow would deliver, without writing anything.
    Preview(Preview),
    /// Runs flows once: reads, maps, delivers, and proves that nothing is missing. Goes on where the last run ended.
    Run(Run),
    /// Runs flows by their timetables, unattended, and serves the console.
    Serve(Serve),
    /// Reads a span of the past again, or for the first time, within a share of the account's limits. What the target
    /// has is not sent again. Without a span, goes on with what is left of earlier ones.
    Backfill(Backfill),
    /// Asks the console of this installation whether all is well; ends with 1 if not.
    Health(Health),
    /// Shows where each flow stands.
    Status,
    /// Shows what became of one record: where it was read, and where it was delivered.
    Trace(Trace),
    /// Lists the records of a flow that were refused, and why.
    DeadLetters(DeadLetters),
    /// Sends refused records again, after the mapping or the target has been mended.
    Replay(Replay),
    /// Tells people what went wrong: tries the channels out, and lists what is and was wrong.
    #[command(subcommand)]
    Alerts(Alerts),
    /// Copies the whole installation (state, pages, settings) while flows may run.
    Backup(Backup),
    /// Makes an installation of a backup.
    Restore(Restore),
    /// Forgets what `[retention]` says is old, and says what that was.
    Retain(Retain),
    /// Looks at state, clock, disk, accounts, files and flows, and says what is wrong and how to mend it.
    Doctor(Doctor),
    /// Simulates a vendor on this machine, to try things out against.
    Sandbox(Sandbox),
    /// Keeps secrets in the installation's encrypted vault.
    #[command(subcommand)]
    Secret(Secret),
    /// Prepares the console in the browser.
    #[command(subcommand)]
    Console(Console),
    /// Grants an account access in the browser: prints the vendor's link, and takes the code that it ends with.
    Login(Login),
    /// Takes the messages that vendors send by themselves, such as app tickets, until Ctrl-C.
    Receive(Receive),
    /// Turns the metadata of another platform into a flow, and says what became of every key.
    #[command(subcommand)]
    Import(Import),
    /// Signs a JSON object from standard input as a vendor's calls are signed, to compare with its debugger.
    Sign(Sign),
    /// Prints the JSON Schema of a file, so that editors complete it.
    Schema(Schema),
    /// Prints the completions for a shell.
    Completions(Completions),
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Shows one flow between two simulated vendors instead: Kuaimai purchase orders to Yonyou, Jushuitan orders to T+,
    /// T+ items kept on this machine, or clients of a JSON file to an interface described by settings.
    #[arg(long, value_enum)]
    pub(crate) flow: Option<crate::commands::Scene>,
    /// How many orders the simulated Kuaimai has.
    #[arg(long, default_value_t = 36_000)]
    pub(crate) orders: u32,
    /// How many items it has.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) items: u32,
    /// Decides all its data.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// A connector to write an example account and an example flow for; may be given several times.
    #[arg(long = "connector", value_name = "CONNECTOR")]
    pub(crate) connectors: Vec<String>,
    /// Where the key of the vault is kept: in the file `milkrun.key`, or in the system's keyring.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) key: KeyPlace,
}

/// Where the key of the vault is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum KeyPlace {
    #[default]
    File,
    Keyring,
}

#[derive(Args, Debug)]
pub(crate) struct Of {
    /// An account of `milkrun.toml`, or the name of a connector.
    #[arg(value_name = "ACCOUNT")]
    pub(crate) name: String,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Reads the files only: fetches no secret and calls no vendor.
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Preview {
    /// The flow.
    pub(crate) flow: String,
    /// How many records are shown.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Shows the record with this key or number.
    #[arg(long, value_name = "ID")]
    pub(crate) record: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The flows; they run side by side.
    #[arg(value_name = "FLOW")]
    pub(crate) flows: Vec<String>,
    /// Runs all flows of the installation.
    #[arg(long, conflicts_with = "flows")]
    pub(crate) all: bool,
    /// Forgets what was read and delivered, and begins anew; says first what that means for the target.
    #[arg(long)]
    pub(crate) restart: bool,
    /// Answers yes to the question that `--restart` asks.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Where the console listens; in place of `[console] listen`.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// Serves no console.
    #[arg(long, conflicts_with = "listen")]
    pub(crate) no_console: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Health {
    /// Where the console is; in place of `[console] listen`.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<std::net::SocketAddr>,
}

#[derive(Args, Debug)]
pub(crate) struct Trace {
    /// The key of the record, or the number people know it by.
    pub(crate) id: String,
    /// Looks in this flow only.
    #[arg(long)]
    pub(crate) flow: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct DeadLetters {
    /// The flow.
    pub(crate) flow: String,
    /// How many are listed.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Shows the source text of each too.
    #[arg(long)]
    pub(crate) full: bool,
    /// Says that the record of this number, whose outcome is not known, is in the target as it is shown.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["limit", "full"])]
    pub(crate) arrived: Option<u64>,
    /// The document's number in the target, so that later changes reach it.
    #[arg(long, value_name = "ID", requires = "arrived")]
    pub(crate) remote_id: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Backfill {
    /// The flow.
    pub(crate) flow: String,
    /// The first day or instant: `2026-01-01`, `2026-01-01 08:00:00` in the stream's zone, or with an offset.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// The first day or instant that is not read any more; without it, all up to now.
    #[arg(long, value_name = "DATE", requires = "from")]
    pub(crate) to: Option<String>,
    /// The percentage of every limit of the source's account that it may use.
    #[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) share: u8,
    /// Reads nothing now: the flow's next runs read the span beside what they read anyway.
    #[arg(long, requires = "from")]
    pub(crate) later: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Replay {
    /// The flow.
    pub(crate) flow: String,
    /// The numbers of dead letters; without them, all.
    #[arg(value_name = "NUMBER")]
    pub(crate) ids: Vec<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// A folder that is not there yet, or a `.tar.zst` file.
    pub(crate) to: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The file or the folder that `milkrun backup` made.
    pub(crate) from: PathBuf,
    /// Replaces a state that is there; it is moved aside.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Retain {
    /// Only says what would be forgotten.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Asks no vendor's host for the time.
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Sandbox {
    /// The vendor, by its connector.
    #[arg(value_enum, default_value_t)]
    pub(crate) vendor: crate::commands::Vendor,
    /// The port on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// How many orders it has.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) orders: u32,
    /// How many items it has.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) items: u32,
    /// How many purchase orders it has; the other stock documents follow from it.
    #[arg(long, default_value_t = 200)]
    pub(crate) documents: u32,
    /// Decides all its data.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// A limit on calls in place of the vendor's, such as `100/1m`; may be given several times. `none` sets no limit.
    #[arg(long = "limit", value_name = "CALLS/TIME")]
    pub(crate) limits: Vec<String>,
    /// How long each call is on its way, in milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(crate) latency: u64,
    /// Up to how much longer, at random, in milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(crate) jitter: u64,
    /// A fault, such as `html`, `drift,rows=3` or `truncated,every=7,method=erp.trade.list.query`; may be given
    /// several times.
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Alerts {
    /// Sends a test message to a channel, or to all of them, in quiet hours too.
    Test(AlertsTest),
    /// Lists incidents: the open ones first, then the newest.
    List(AlertsList),
}

#[derive(Args, Debug)]
pub(crate) struct AlertsTest {
    /// A channel of `milkrun.toml`; left out: all of them.
    pub(crate) channel: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct AlertsList {
    /// How many to list.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Console {
    /// Asks for a password, and prints its hash for `[console.users.NAME]`; from standard input where nobody types.
    Password,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Keeps a secret; it is read from the terminal unseen, or from standard input.
    Set(SecretName),
    /// Lists the names of all secrets, never the secrets.
    List,
    /// Removes a secret.
    Remove(SecretName),
}

#[derive(Args, Debug)]
pub(crate) struct SecretName {
    /// The name that settings refer to: `{ vault = "NAME" }`.
    pub(crate) name: String,
}

#[derive(Args, Debug)]
pub(crate) struct Login {
    /// An account of `milkrun.toml`, or a connector that one account uses.
    #[arg(value_name = "ACCOUNT")]
    pub(crate) name: String,
    /// Prints the link and ends.
    #[arg(long)]
    pub(crate) link: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Receive {
    /// Where it listens; the vendor's messages for an account arrive at `/push/ACCOUNT`.
    #[arg(long, default_value = "127.0.0.1:8600", value_name = "ADDRESS")]
    pub(crate) listen: std::net::SocketAddr,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// The metadata of 轻易云 (qeasy): one JSON file for the side that is read, one for the side that is written.
    Qeasy(ImportQeasy),
}

#[derive(Args, Debug)]
pub(crate) struct ImportQeasy {
    /// The JSON of the source side.
    pub(crate) source: PathBuf,
    /// The JSON of the target side; without it, records go into a file as they are.
    pub(crate) target: Option<PathBuf>,
    /// The flow file to write, such as `flows/stock.toml`.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The account that is read; without it, a name after its connector.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// The account that is written to.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) sink_account: Option<String>,
    /// From when on the flow reads, such as `2026-01-01`; today unless said.
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Writes over a file that is there.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// The connector.
    pub(crate) connector: String,
    /// The sign method, where the vendor has several; in place of the object's `sign_method`.
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Schema {
    /// Which file.
    #[arg(value_enum, default_value_t = SchemaOf::Flow)]
    pub(crate) of: SchemaOf,
}

/// A file with a schema.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum SchemaOf {
    Flow,
    Installation,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

impl Command {
    /// Whether it works on the installation in the folder, so that it writes the log that its settings ask for.
    pub(crate) fn has_installation(&self) -> bool {
        let has_none = matches!(
            self,
            Self::Demo(_)
                | Self::Init(_)
                | Self::Connectors
                | Self::Restore(_)
                | Self::Sandbox(_)
                | Self::Import(_)
                | Self::Sign(_)
                | Self::Schema(_)
                | Self::Completions(_)
        );
        !has_none
    }
}

/// The command line with its help in that language.
pub(crate) fn command(lang: Lang) -> clap::Command {
    let command = Cli::command();
    if lang == Lang::En {
        return command;
    }
    let version = clap::Arg::new("version").short('V').long("version").action(clap::ArgAction::Version);
    let version = version.help(lang.say(text::VERSION_PRINT)).help_heading(lang.say(text::HELP_OPTIONS));
    in_chinese(translate_help(command)).disable_version_flag(true).arg(version)
}

/// The headings that clap would write in English.
fn in_chinese(command: clap::Command) -> clap::Command {
    let say = |text| Lang::Zh.say(text);
    let template = format!("{{about-with-newline}}\n{}{{usage}}\n\n{{all-args}}{{after-help}}", say(text::HELP_USAGE));
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let flag = |name: &'static str, action, text| {
        clap::Arg::new(name).long(name).action(action).help(say(text)).help_heading(say(text::HELP_OPTIONS))
    };
    let mut command = command
        .disable_help_flag(true)
        .arg(flag("help", clap::ArgAction::Help, text::HELP_PRINT).short('h'))
        .help_template(template)
        .subcommand_help_heading(say(text::HELP_COMMANDS))
        .mut_args(|arg| {
            let heading = if arg.is_positional() { text::HELP_ARGUMENTS } else { text::HELP_OPTIONS };
            arg.help_heading(say(heading))
        });
    for name in names {
        command = command.mut_subcommand(name, in_chinese);
    }
    command
}

/// The language that the arguments ask for, before they are parsed: help and mistakes are written in it too.
pub(crate) fn asked_lang(arguments: &[String]) -> Option<Lang> {
    let value = arguments.iter().enumerate().find_map(|(i, argument)| {
        let inline = argument.strip_prefix("--lang=").map(str::to_owned);
        inline.or_else(|| (argument == "--lang").then(|| arguments.get(i + 1).cloned()).flatten())
    })?;
    match value.as_str() {
        "zh" => Some(Lang::Zh),
        "en" => Some(Lang::En),
        _ => None,
    }
}

/// Parses the arguments.
///
/// # Errors
/// clap's own, which says what is wrong, or is the help that was asked for.
pub(crate) fn parse(arguments: &[String], lang: Lang) -> Result<Cli, clap::Error> {
    let matches = command(lang).try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        for lang in [Lang::En, Lang::Zh] {
            command(lang).debug_assert();
        }
    }

    #[test]
    fn the_language_is_known_before_parsing() {
        let arguments = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(asked_lang(&arguments("milkrun --lang zh --help")), Some(Lang::Zh));
        assert_eq!(asked_lang(&arguments("milkrun run --lang=en")), Some(Lang::En));
        assert_eq!(asked_lang(&arguments("milkrun run --lang")), None);
    }

    /// Splits a line as a shell does, as far as the guide needs it; comments and input are left out.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut rest = line.split(" < ").next().unwrap_or(line).trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = match rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
                Some(quote) => rest[1..].split_once(quote).unwrap(),
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            words.push(word.to_owned());
            rest = after.trim_start();
        }
        words
    }

    #[test]
    fn every_command_of_the_guide_can_be_parsed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide");
        let mut n_commands = 0;
        for page in std::fs::read_dir(folder).unwrap() {
            let path = page.unwrap().path();
            let page = std::fs::read_to_string(&path).unwrap();
            for block in page.split("\n```").skip(1).step_by(2) {
                let Some((language @ ("sh" | "console"), lines)) = block.split_once('\n') else { continue };
                let start = if language == "console" { "$ milkrun " } else { "milkrun " };
                for line in lines.lines().filter(|line| line.starts_with(start)) {
                    let line = line.trim_start_matches("$ ");
                    let shown = parse(&words(line), Lang::En).map(drop).map_err(|e| e.to_string());
                    assert_eq!(shown, Ok(()), "{}: {line}", path.display());
                    n_commands += 1;
                }
            }
        }
        assert!(n_commands > 80, "{n_commands}");
    }
}
