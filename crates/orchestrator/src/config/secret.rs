//! Secrets in settings: where they are said to be, and how they are fetched from there.

use std::path::{Path, PathBuf};

use milkrun_core::{Error, Result, Secret};
use milkrun_store::SqliteStore;
use toml::Spanned;
use toml::de::DeValue;

use super::span::{Findings, Span, suggest};
use crate::environment::Environment;
use crate::keyring;
use crate::text::{self, Lang, fill};

const KINDS: &[&str] = &["env", "file", "vault"];

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretSource {
    /// A variable of the environment.
    Env(String),
    /// A file; its text without the line's end.
    File(PathBuf),
    /// The installation's own vault.
    Vault(String),
    /// The system's keyring; only the vault's key may be there.
    Keyring(String),
}

/// A setting that refers to a secret.
#[derive(Clone, Debug)]
pub(crate) struct SecretRef {
    /// The path of the setting: `app_secret`, `streams.0.name`.
    pub(crate) path: String,
    pub(crate) source: SecretSource,
    pub(crate) span: Span,
}

/// The reference that a value is, if it is one: a table with one of `env`, `file` and `vault`, and nothing else.
pub(super) fn reference(value: &Spanned<DeValue<'_>>, path: &str) -> Option<SecretRef> {
    let DeValue::Table(table) = value.get_ref() else { return None };
    let [(kind, name)] = table.iter().collect::<Vec<_>>()[..] else { return None };
    let DeValue::String(name) = name.get_ref() else { return None };
    if name.trim().is_empty() {
        return None;
    }
    let source = match kind.get_ref().as_ref() {
        "env" => SecretSource::Env(name.clone().into_owned()),
        "file" => SecretSource::File(PathBuf::from(name.as_ref())),
        "vault" => SecretSource::Vault(name.clone().into_owned()),
        _ => return None,
    };
    Some(SecretRef { path: path.to_owned(), source, span: value.span() })
}

/// The name in `{ keyring = "NAME" }`, if a value is that.
pub(super) fn in_keyring(value: &Spanned<DeValue<'_>>) -> Option<SecretSource> {
    let DeValue::Table(table) = value.get_ref() else { return None };
    let [(kind, name)] = table.iter().collect::<Vec<_>>()[..] else { return None };
    let DeValue::String(name) = name.get_ref() else { return None };
    let is_it = kind.get_ref() == "keyring" && !name.trim().is_empty();
    is_it.then(|| SecretSource::Keyring(name.clone().into_owned()))
}

/// Says what is wrong with a table that should be a reference and is none.
pub(super) fn explain(value: &Spanned<DeValue<'_>>, path: &str, findings: &mut Findings) {
    let lang = findings.lang;
    let DeValue::Table(table) = value.get_ref() else { return };
    let unknown: Vec<_> = table.keys().filter(|key| !KINDS.contains(&key.get_ref().as_ref())).collect();
    for key in &unknown {
        let message = fill!(lang, text::UNKNOWN_SECRET_SOURCE, key = key.get_ref());
        findings.mistake_with(&key.span(), message, suggest(lang, key.get_ref(), KINDS));
    }
    if !unknown.is_empty() {
        return;
    }
    if table.len() != 1 {
        let message = fill!(lang, text::SECRET_NEEDS_ONE_SOURCE, key = path);
        findings.mistake_with(&value.span(), message, lang.say(text::SECRET_FORM));
        return;
    }
    for (kind, name) in table {
        match name.get_ref() {
            DeValue::String(_) => {
                findings.mistake(&name.span(), fill!(lang, text::EMPTY_TEXT, key = kind.get_ref()));
            }
            _ => findings.wrong_type(kind.get_ref(), text::A_TEXT, name),
        }
    }
}

impl SecretSource {
    /// Fetches the secret.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) says where it was looked for, and what to
    /// do; the secret itself is in no message.
    pub(crate) async fn fetch(
        &self,
        lang: Lang,
        dir: &Path,
        environment: &Environment,
        vault: Option<&SqliteStore>,
    ) -> Result<Secret> {
        let missing = |message: String, help: String| Error::config(message).advise(help);
        let secret = match self {
            Self::Env(name) => environment.variable(name).map(Secret::new).ok_or_else(|| {
                let help = fill!(lang, text::SET_VARIABLE, name = name);
                missing(fill!(lang, text::VARIABLE_NOT_SET, name = name), help)
            })?,
            Self::File(path) => {
                let path = dir.join(path);
                let read = std::fs::read_to_string(&path).map_err(|e| {
                    let help = fill!(lang, text::MAKE_SECRET_FILE, path = path.display());
                    missing(fill!(lang, text::SECRET_FILE_UNREADABLE, path = path.display()), help).caused_by(e)
                })?;
                let text = read.strip_suffix('\n').unwrap_or(&read);
                Secret::new(text.strip_suffix('\r').unwrap_or(text))
            }
            Self::Vault(name) => {
                let found = match vault {
                    Some(vault) => vault.get_secret(name).await?,
                    None => None,
                };
                found.ok_or_else(|| {
                    let help = fill!(lang, text::PUT_INTO_VAULT, name = name);
                    missing(fill!(lang, text::NOT_IN_VAULT, name = name), help)
                })?
            }
            Self::Keyring(name) => keyring::load(lang, name).await?,
        };
        if secret.is_empty() {
            return Err(missing(
                fill!(lang, text::SECRET_IS_EMPTY, source = self),
                lang.say(text::SECRET_FORM).to_owned(),
            ));
        }
        Ok(secret)
    }
}

impl std::fmt::Display for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Vault(name) => write!(f, "vault {name}"),
            Self::Keyring(name) => write!(f, "keyring {name}"),
        }
    }
}

/// The setting at `path`, such as `streams.0.name`.
pub(crate) fn setting<'a>(settings: &'a mut toml::Table, path: &str) -> Option<&'a mut toml::Value> {
    let mut steps = path.split('.');
    let mut place = settings.get_mut(steps.next()?)?;
    for step in steps {
        place = match place {
            toml::Value::Table(table) => table.get_mut(step)?,
            toml::Value::Array(list) => list.get_mut(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(place)
}

/// Words in the name of a key whose value is better not shown.
const SECRET_WORDS: &[&str] = &["secret", "token", "passw", "session", "credential", "webhook"];

/// The text of `milkrun.toml` with stars in the place of secrets, of the same length: what stands at `hidden`, and on
/// each line whose key sounds like a secret, the value. A mistake of grammar or of spelling must not show it either.
pub(super) fn mask(text: &str, hidden: &[Span]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut cover = |span: Span| {
        let span = span.start.min(text.len())..span.end.min(text.len());
        // Quotes and line ends stay, so that the line still reads as a line.
        for byte in bytes[span].iter_mut().filter(|b| !matches!(**b, b'"' | b'\'' | b'\n' | b'\r')) {
            *byte = b'*';
        }
    };
    hidden.iter().cloned().for_each(&mut cover);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((key, value)) = line.split_once('=') {
            let key = key.trim().to_lowercase();
            let value_start = start + line.len() - value.trim_start().len();
            let is_reference = value.trim_start().starts_with('{') || value.trim().is_empty();
            if !is_reference
                && !key.starts_with('#')
                && (key == "url" || SECRET_WORDS.iter().any(|word| key.contains(word)))
            {
                cover(value_start..start + line.len());
            }
        }
        start += line.len();
    }
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(text.len()))
}
