//! What `milkrun init` writes for a connector: its example account, and a flow that reads a stream of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use milkrun_core::stream::{StreamSpec, TimeForm};
use milkrun_core::{ConnectorSpec, Result};

use crate::config::{Draft, Reports, load_with};
use crate::text::{self, Lang};
use crate::wiring::{Secrets, open_accounts};

/// The account and the stream that an example flow reads.
#[derive(Debug)]
pub(super) struct Reads {
    account: String,
    stream: StreamSpec,
}

/// Looks for a stream among those that the connector's example account has, by itself or as the example declares them;
/// `None` if nothing can be read from it.
///
/// # Errors
/// If `dir` cannot be looked at.
pub(super) async fn reads(spec: &ConnectorSpec, dir: &Path, lang: Lang) -> Result<Option<Reads>> {
    let (mut example, _) = load_with(dir, Draft::Installation(spec.example), lang)?;
    // What is there already declares nothing for an example.
    example.flows.clear();
    let accounts = open_accounts(&example, |_| true, Secrets::StandIn, lang, &mut Reports::default()).await?;
    // One whose records are found without those of another stream.
    let is_simple = |stream: &&StreamSpec| !stream.key.is_empty() && stream.partition.is_none();
    Ok(accounts.into_iter().find_map(|(account, opened)| {
        let stream = opened.source.as_ref()?.streams().iter().find(is_simple)?.clone();
        Some(Reads { account, stream })
    }))
}

impl Reads {
    /// A name for the flow: the stream's, with the account's before it where `taken` has that name.
    pub(super) fn name(&self, taken: &BTreeSet<String>) -> String {
        let Self { account, stream } = self;
        if taken.contains(&stream.name) { format!("{account}-{}", stream.name) } else { stream.name.clone() }
    }

    /// The file of the flow.
    pub(super) fn flow(&self, name: &str, lang: Lang) -> String {
        let Self { account, stream } = self;
        let values =
            [("flow", name), ("account", account), ("stream", &stream.name), ("title", lang.title(&stream.title))];
        let mut flow = lang.file(text::INIT_FLOW, &values);
        if stream.window.is_none() {
            // A stream that is read whole, or by its versions, begins by itself.
            flow = flow.split_inclusive('\n').filter(|line| !line.starts_with("since")).collect();
        }
        let mut seen = BTreeSet::new();
        let mut field = |path: &str, rule: &str| {
            let last = path.rsplit('.').next().unwrap_or(path);
            if seen.insert(last.to_owned()) {
                writeln!(flow, "{} = {}", key(last), rule.replace('@', &quoted(path))).expect("a text takes all");
            }
        };
        stream.key.iter().chain(&stream.number).for_each(|path| field(path, "@"));
        if let Some(version) = &stream.version {
            match version.form {
                TimeForm::DateTime | TimeForm::Date | TimeForm::EpochMs => {
                    field(&version.field, "{ from = @, type = \"datetime\" }");
                }
                TimeForm::EpochSecs => {
                    field(&version.field, "{ from = @, type = \"datetime\", input = \"epoch-s\" }");
                }
                TimeForm::Version => field(&version.field, "@"),
            }
        }
        flow
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A key as TOML writes it.
fn key(text: &str) -> String {
    let is_bare = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_bare { text.to_owned() } else { quoted(text) }
}
