//! `[accounts.NAME]`: which connector, and its settings with the place of each.

use std::sync::Arc;

use milkrun_core::diagnostic::Diagnostic;
use milkrun_core::{ConnectorSpec, Error, Rate};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SourceFile;
use super::secret::SecretRef;
use super::shape::Shape;
use super::span::{Findings, Span, suggest};
use super::value::parse_rate;
use crate::text::{self, Lang, fill};

/// One account as it is written.
#[derive(Clone, Debug)]
pub(crate) struct AccountConfig {
    pub(crate) name: String,
    pub(crate) file: Arc<SourceFile>,
    /// Where its name stands.
    pub(crate) span: Span,
    pub(crate) connector: &'static ConnectorSpec,
    /// The calls it may make, in place of what the connector says; none at all is no limit.
    pub(crate) quota: Option<Vec<Rate>>,
    /// The connector's own settings; secrets are still references.
    pub(crate) settings: toml::Table,
    /// The settings that hold a secret in plain text.
    pub(crate) inline: Vec<String>,
    /// The settings that refer to secrets.
    pub(crate) secrets: Vec<SecretRef>,
    /// Where each setting stands, by its path.
    pub(crate) spans: Vec<(String, Span)>,
    /// Whether its settings have the right shape, so that opening it is worth trying.
    pub(crate) sound: bool,
}

/// Reads all accounts. `plain` is the same table without places.
pub(super) fn read_all(
    file: &Arc<SourceFile>,
    accounts: &DeTable<'_>,
    plain: &toml::Table,
    findings: &mut Findings,
) -> Vec<AccountConfig> {
    let mut all = Vec::new();
    for (name, value) in accounts {
        let lang = findings.lang;
        let DeValue::Table(table) = value.get_ref() else {
            findings.wrong_type(name.get_ref(), text::A_TABLE, value);
            continue;
        };
        if !is_name(name.get_ref()) {
            let message = fill!(lang, text::BAD_ACCOUNT_NAME, name = name.get_ref());
            findings.mistake_with(&name.span(), message, lang.say(text::ACCOUNT_NAME_FORM));
            continue;
        }
        let Some(connector) = connector(name, value, table, findings) else { continue };
        let mut settings =
            plain.get(name.get_ref().as_ref()).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        settings.retain(|key, _| !OWN_KEYS.contains(&key));
        let schema = (connector.schema)().to_value();
        let n_before = findings.mistakes.len();
        let quota = table.iter().find(|(key, _)| key.get_ref() == "quota");
        let quota = quota.and_then(|(_, value)| rates(value, findings));
        let mut shape = Shape::new(&schema, name.get_ref());
        shape.table(value, table, &schema, "", findings);
        let seen = shape.seen;
        all.push(AccountConfig {
            name: name.get_ref().clone().into_owned(),
            file: Arc::clone(file),
            span: name.span(),
            connector,
            quota,
            settings,
            inline: seen.inline,
            secrets: seen.secrets,
            spans: seen.spans,
            sound: findings.mistakes.len() == n_before,
        });
    }
    all
}

/// The keys of an account that are the same for every connector.
pub(super) const OWN_KEYS: &[&str] = &["connector", "quota"];

/// `["5/1s", "100/1m"]`.
fn rates(value: &Spanned<DeValue<'_>>, findings: &mut Findings) -> Option<Vec<Rate>> {
    let lang = findings.lang;
    let DeValue::Array(list) = value.get_ref() else {
        findings.wrong_type("quota", text::A_LIST, value);
        return None;
    };
    let mut rates = Vec::new();
    for entry in list {
        let DeValue::String(written) = entry.get_ref() else {
            findings.wrong_type("quota", text::A_TEXT, entry);
            continue;
        };
        if let Some(rate) = parse_rate(written) {
            rates.push(rate);
        } else {
            let message = fill!(lang, text::BAD_LIMIT, value = written);
            findings.mistake_with(&entry.span(), message, lang.say(text::LIMIT_FORM));
        }
    }
    Some(rates)
}

/// Letters, digits, `-` and `_`: the name is part of file names and of the quota's lanes.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

fn connector(
    name: &Spanned<std::borrow::Cow<'_, str>>,
    whole: &Spanned<DeValue<'_>>,
    table: &DeTable<'_>,
    findings: &mut Findings,
) -> Option<&'static ConnectorSpec> {
    let lang = findings.lang;
    let all = milkrun_core::connectors();
    let names: Vec<&str> = all.iter().map(|spec| spec.name).collect();
    let Some((_, value)) = table.iter().find(|(key, _)| key.get_ref() == "connector") else {
        let near = table.keys().find(|key| milkrun_core::diagnostic::nearest(key.get_ref(), &["connector"]).is_some());
        if let Some(key) = near {
            let message = fill!(lang, text::UNKNOWN_SETTING, key = key.get_ref());
            findings.mistake_with(&key.span(), message, fill!(lang, text::DID_YOU_MEAN, name = "connector"));
        } else {
            let message = fill!(lang, text::NO_CONNECTOR, account = name.get_ref());
            let help = fill!(lang, text::NAME_A_CONNECTOR, names = names.join(", "));
            findings.mistake_with(&whole.span(), message, help);
        }
        return None;
    };
    let DeValue::String(wanted) = value.get_ref() else {
        findings.wrong_type("connector", text::A_TEXT, value);
        return None;
    };
    let found = all.iter().find(|spec| spec.name == wanted).copied();
    if found.is_none() {
        let message = fill!(lang, text::NO_SUCH_CONNECTOR, name = wanted);
        findings.mistake_with(&value.span(), message, suggest(lang, wanted, &names));
    }
    found
}

impl AccountConfig {
    /// Where a setting stands.
    pub(crate) fn span_of(&self, path: &str) -> Option<Span> {
        self.spans.iter().find(|(at, _)| at == path).map(|(_, span)| span.clone())
    }

    /// What the connector says about the settings, at the setting that it names.
    pub(crate) fn locate(&self, error: &Error, lang: Lang) -> Diagnostic {
        let span = self.guess(error).unwrap_or_else(|| self.span.clone());
        let mut message = error.message().to_owned();
        // The account is where the finger points; other facts are news.
        let facts: Vec<_> = error.context().iter().filter(|(name, _)| *name != "account").collect();
        if !facts.is_empty() {
            let facts: Vec<_> = facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            message = fill!(lang, text::WITH_FACTS, message = message, facts = facts.join(", "));
        }
        let diagnostic = Diagnostic::new(span, message);
        match error.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// The setting that an error is about: the entry of a list that it names, and the name it writes in backticks.
    fn guess(&self, error: &Error) -> Option<Span> {
        let entry = ["streams", "targets"].iter().find_map(|list| {
            let about_list = || error.fact("name").filter(|_| error.message().contains(&format!("`{list}`")));
            let name = error.fact(list.strip_suffix('s')?).or_else(about_list)?;
            let entries = self.settings.get(*list)?.as_array()?;
            let of_name = |entry: &toml::Value| entry.get("name").and_then(toml::Value::as_str) == Some(name);
            // Of two entries with one name, the second is the mistake.
            let index = entries.iter().rposition(of_name)?;
            Some(format!("{list}.{index}"))
        });
        let quoted = error.message().split('`').skip(1).step_by(2);
        let paths = quoted.flat_map(|name| {
            let nested = entry.as_ref().map(|entry| format!("{entry}.{name}"));
            nested.into_iter().chain([name.to_owned()])
        });
        let in_entry = entry.as_ref().and_then(|entry| self.span_of(&format!("{entry}.name")));
        // The whole list is a poor place where the entry is known.
        let exact =
            paths.filter(|path| !["streams", "targets"].contains(&path.as_str())).find_map(|path| self.span_of(&path));
        exact.or(in_entry).or_else(|| self.span_of(error.message().split('`').nth(1)?))
    }
}
