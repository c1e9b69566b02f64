//! `[alerts]`: who is told of what, and from where on something is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use milkrun_alerts::{BoundKind, ChannelKind, Lang as Language, QuietHours, RULES, Rule, RuleSpec, Security, Setting};
use milkrun_core::Secret;
use milkrun_core::diagnostic::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SourceFile;
use super::account::is_name;
use super::secret::{self, SecretSource};
use super::span::{At, Findings, Section, Span, suggest};
use crate::text::{self, fill};

pub(super) const ALERTS: &[&str] = &["channels", "quiet_hours", "remind", "rules", "zone"];
const ROBOT: &[&str] = &["keyword", "kind", "lang", "secret", "webhook"];
const WECOM: &[&str] = &["kind", "lang", "webhook"];
const MAIL: &[&str] = &["from", "host", "kind", "lang", "password", "port", "security", "to", "user"];
const WEBHOOK: &[&str] = &["kind", "lang", "secret", "url"];
/// Keys whose values are no secrets.
const PLAIN: &[&str] = &["from", "host", "keyword", "kind", "lang", "port", "security", "to", "user"];
/// The names of all rules, in the order they are shown.
pub(super) const ALL_RULES: &[&str] = &{
    let mut names = [""; RULES.len()];
    let mut i = 0;
    while i < RULES.len() {
        names[i] = RULES[i].name;
        i += 1;
    }
    names
};
/// The names of the rules that a flow may set for itself.
pub(super) const FLOW_RULES: &[&str] = &["run-failed", "run-unreconciled", "dead-letters", "lag", "no-records"];

/// Rules as they are written.
pub(crate) type RuleSettings = BTreeMap<Rule, Setting>;

/// `[alerts]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlertsConfig {
    pub(crate) rules: RuleSettings,
    pub(crate) channels: Vec<ChannelConfig>,
    pub(crate) quiet_hours: Option<QuietHours>,
    pub(crate) remind: Option<Duration>,
    /// The zone of quiet hours and messages, and its name.
    pub(crate) zone: Option<(TimeZone, String)>,
}

/// `[alerts.channels.NAME]`; secrets are still references.
#[derive(Clone, Debug)]
pub(crate) struct ChannelConfig {
    pub(crate) name: String,
    pub(crate) file: Arc<SourceFile>,
    /// Where its name stands.
    pub(crate) span: Span,
    pub(crate) lang: Language,
    pub(crate) kind: Way,
    /// Where each setting stands.
    pub(crate) spans: Vec<(String, Span)>,
}

/// How a channel is reached.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    DingTalk(RobotConfig),
    WeCom(RobotConfig),
    Feishu(RobotConfig),
    Webhook(RobotConfig),
    Mail(Box<MailConfig>),
}

/// An address that is a secret, and what else a robot wants.
#[derive(Clone, Debug)]
pub(crate) struct RobotConfig {
    pub(crate) address: Held,
    pub(crate) secret: Option<Held>,
    pub(crate) keyword: Option<String>,
}

/// Where e-mail goes out, and whom it goes to.
#[derive(Clone, Debug)]
pub(crate) struct MailConfig {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) security: Security,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Held>,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
}

/// A setting that is a secret.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) setting: &'static str,
    pub(crate) from: HeldFrom,
    pub(crate) span: Span,
}

/// Where it is.
#[derive(Clone, Debug)]
pub(crate) enum HeldFrom {
    /// In the file itself.
    Inline(Secret),
    /// Elsewhere.
    Source(SecretSource),
}

impl ChannelConfig {
    /// Where a setting stands.
    pub(crate) fn span_of(&self, setting: &str) -> Option<Span> {
        self.spans.iter().find(|(name, _)| name == setting).map(|(_, span)| span.clone())
    }
}

/// Reads `[alerts]`.
pub(super) fn read(file: &Arc<SourceFile>, table: &DeTable<'_>, span: &Span, findings: &mut Findings) -> AlertsConfig {
    let section = Section { title: "[alerts]", span, table, keys: ALERTS };
    section.close(&[("[alerts.rules]", ALL_RULES)], findings);
    let rules = section.table("rules", findings);
    let rules = rules.map(|(table, span)| read_rules("[alerts.rules]", ALL_RULES, table, &span, findings));
    let channels = section.table("channels", findings);
    let channels = channels.map(|(table, _)| read_channels(file, table, findings)).unwrap_or_default();
    AlertsConfig {
        rules: rules.unwrap_or_default(),
        channels,
        quiet_hours: quiet_hours(section, findings),
        remind: section.duration("remind", findings).and_then(|at| remind(&at, findings)),
        zone: section.text("zone", findings).and_then(|at| zone(&at, findings)),
    }
}

/// Reads a table of rules; a flow may have fewer than the installation.
pub(super) fn read_rules(
    title: &str,
    keys: &'static [&'static str],
    table: &DeTable<'_>,
    span: &Span,
    findings: &mut Findings,
) -> RuleSettings {
    let section = Section { title, span, table, keys };
    section.close(&[(findings.lang.say(text::ALERT_RULES), ALL_RULES)], findings);
    let known = keys.iter().filter_map(|name| Some((Rule::of(name)?, section.get(name)?)));
    known.filter_map(|(rule, value)| Some((rule, setting(rule.spec(), value, findings)?))).collect()
}

/// `true`, `false`, or a bound.
fn setting(spec: &RuleSpec, value: &Spanned<DeValue<'_>>, findings: &mut Findings) -> Option<Setting> {
    let lang = findings.lang;
    let usual = spec.setting();
    let written = match (value.get_ref(), spec.kind) {
        (DeValue::Boolean(is_on), _) => return Some(Setting { is_on: *is_on, ..usual }),
        (DeValue::String(written), Some(_)) => written.clone().into_owned(),
        (DeValue::Integer(written), Some(BoundKind::Count)) => written.to_string(),
        (_, None) => {
            findings.wrong_type(spec.name, text::A_BOOLEAN, value);
            return None;
        }
        (other, Some(_)) => other.as_str().map_or_else(|| text_of(other), str::to_owned),
    };
    let bound = spec.kind.and_then(|kind| kind.parse(&written));
    if bound.is_none() {
        let examples: Vec<String> = match spec.kind {
            Some(BoundKind::Count) => BoundKind::Count.examples().iter().map(ToString::to_string).collect(),
            kind => kind.iter().flat_map(|kind| kind.examples()).map(|text| format!("\"{text}\"")).collect(),
        };
        let message = fill!(lang, text::NO_BOUND, key = spec.name, value = written);
        findings.mistake_with(&value.span(), message, fill!(lang, text::BOUND_FORM, examples = examples.join(", ")));
    }
    Some(Setting { is_on: true, bound: Some(bound?) })
}

fn text_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        _ => "…".to_owned(),
    }
}

/// `22:00-08:00`; an empty text is none, which the console writes in place of those that were.
fn quiet_hours(section: Section<'_>, findings: &mut Findings) -> Option<QuietHours> {
    let lang = findings.lang;
    let value = section.get("quiet_hours")?;
    let DeValue::String(written) = value.get_ref() else {
        findings.wrong_type("quiet_hours", text::A_TEXT, value);
        return None;
    };
    let hours = QuietHours::parse(written);
    if hours.is_none() && !written.trim().is_empty() {
        let message = fill!(lang, text::NO_QUIET_HOURS, value = written);
        findings.mistake_with(&value.span(), message, lang.say(text::QUIET_HOURS_FORM));
    }
    hours
}

fn remind(at: &At<Duration>, findings: &mut Findings) -> Option<Duration> {
    if at.value < Duration::from_mins(10) {
        let lang = findings.lang;
        findings.mistake_with(&at.span, lang.say(text::REMIND_TOO_SHORT), lang.say(text::REMIND_FORM));
        return None;
    }
    Some(at.value)
}

fn zone(at: &At<String>, findings: &mut Findings) -> Option<(TimeZone, String)> {
    let zone = TimeZone::get(&at.value).ok();
    if zone.is_none() {
        let lang = findings.lang;
        let message = fill!(lang, text::NO_ALERT_ZONE, value = at.value);
        findings.mistake_with(&at.span, message, lang.say(text::ALERT_ZONE_FORM));
    }
    Some((zone?, at.value.clone()))
}

fn read_channels(file: &Arc<SourceFile>, channels: &DeTable<'_>, findings: &mut Findings) -> Vec<ChannelConfig> {
    let mut all = Vec::new();
    for (name, value) in channels {
        let lang = findings.lang;
        let DeValue::Table(table) = value.get_ref() else {
            findings.wrong_type(name.get_ref(), text::A_TABLE, value);
            continue;
        };
        if !is_name(name.get_ref()) {
            let message = fill!(lang, text::BAD_CHANNEL_NAME, name = name.get_ref());
            findings.mistake_with(&name.span(), message, lang.say(text::ACCOUNT_NAME_FORM));
            continue;
        }
        // Whatever the kind, and however a key is misspelt: an address with its token must not be shown.
        let written = table.iter().filter(|(key, value)| is_text(value) && !PLAIN.contains(&key.get_ref().as_ref()));
        findings.hidden.extend(written.map(|(_, value)| value.span()));
        let title = format!("[alerts.channels.{}]", name.get_ref());
        let kind = Section { title: &title, span: &value.span(), table, keys: &["kind"] };
        let example = format!("kind = \"{}\"", ChannelKind::NAMES[0]);
        if let Some(key) =
            table.keys().find(|key| kind.is_misspelt("kind") && nearest(key.get_ref(), &["kind"]).is_some())
        {
            let message = fill!(lang, text::UNKNOWN_KEY, key = key.get_ref(), section = title);
            findings.mistake_with(&key.span(), message, fill!(lang, text::DID_YOU_MEAN, name = "kind"));
            continue;
        }
        let Some(kind) = kind.required_text("kind", &example, findings) else { continue };
        let keys = match kind.value.as_str() {
            "dingtalk" | "feishu" => ROBOT,
            "wecom" => WECOM,
            "mail" => MAIL,
            "webhook" => WEBHOOK,
            other => {
                let message = fill!(lang, text::NO_SUCH_CHOICE, key = "kind", value = other);
                findings.mistake_with(&kind.span, message, suggest(lang, other, &ChannelKind::NAMES));
                continue;
            }
        };
        let n_before = findings.mistakes.len();
        let span = value.span();
        let section = Section { title: &title, span: &span, table, keys };
        section.close(&[], findings);
        let language = language(section, findings);
        let way = match kind.value.as_str() {
            "dingtalk" => robot(section, "webhook", name.get_ref(), findings).map(Way::DingTalk),
            "feishu" => robot(section, "webhook", name.get_ref(), findings).map(Way::Feishu),
            "wecom" => robot(section, "webhook", name.get_ref(), findings).map(Way::WeCom),
            "webhook" => robot(section, "url", name.get_ref(), findings).map(Way::Webhook),
            _ => mail(section, name.get_ref(), findings).map(|mail| Way::Mail(Box::new(mail))),
        };
        let spans = table.iter().map(|(key, value)| (key.get_ref().clone().into_owned(), value.span())).collect();
        if let Some(kind) = way.filter(|_| findings.mistakes.len() == n_before) {
            let (name, span, file) = (name.get_ref().clone().into_owned(), name.span(), Arc::clone(file));
            all.push(ChannelConfig { name, file, span, lang: language, kind, spans });
        }
    }
    all
}

fn is_text(value: &Spanned<DeValue<'_>>) -> bool {
    matches!(value.get_ref(), DeValue::String(_))
}

fn language(section: Section<'_>, findings: &mut Findings) -> Language {
    let Some(at) = section.text("lang", findings) else { return Language::default() };
    Language::of(&at.value).unwrap_or_else(|| {
        let lang = findings.lang;
        let message = fill!(lang, text::NO_SUCH_CHOICE, key = "lang", value = at.value);
        findings.mistake_with(&at.span, message, suggest(lang, &at.value, &Language::NAMES));
        Language::default()
    })
}

fn robot(section: Section<'_>, address: &'static str, name: &str, findings: &mut Findings) -> Option<RobotConfig> {
    let has = |key: &str| section.keys.contains(&key);
    Some(RobotConfig {
        secret: if has("secret") { held(section, "secret", name, findings) } else { None },
        keyword: if has("keyword") { section.text("keyword", findings).map(|at| at.value) } else { None },
        address: required_held(section, address, name, findings)?,
    })
}

fn mail(section: Section<'_>, name: &str, findings: &mut Findings) -> Option<MailConfig> {
    let lang = findings.lang;
    let host = section.required_text("host", "host = \"smtp.example.com\"", findings);
    let from = section.required_text("from", "from = \"alerts@example.com\"", findings);
    let security = section.text("security", findings).and_then(|at| {
        let security = Security::of(&at.value);
        if security.is_none() {
            let message = fill!(lang, text::NO_SUCH_CHOICE, key = "security", value = at.value);
            findings.mistake_with(&at.span, message, suggest(lang, &at.value, &Security::NAMES));
        }
        security
    });
    Some(MailConfig {
        port: section.integer("port", 1, 65_535, findings).and_then(|at| u16::try_from(at.value).ok()),
        security: security.unwrap_or_default(),
        user: section.text("user", findings).map(|at| at.value),
        password: held(section, "password", name, findings),
        to: recipients(section, findings)?,
        host: host?.value,
        from: from?.value,
    })
}

/// One address, or a list of them.
fn recipients(section: Section<'_>, findings: &mut Findings) -> Option<Vec<String>> {
    let Some(value) = section.get("to") else {
        section.required_text("to", "to = [\"ops@example.com\"]", findings);
        return None;
    };
    let one = [value.clone()];
    let entries: &[Spanned<DeValue<'_>>] = match value.get_ref() {
        DeValue::Array(list) => list,
        _ => &one,
    };
    let mut all = Vec::new();
    for entry in entries {
        match entry.get_ref() {
            DeValue::String(address) => all.push(address.clone().into_owned()),
            _ => findings.wrong_type("to", text::A_TEXT, entry),
        }
    }
    if all.is_empty() && entries.is_empty() {
        findings.mistake(&value.span(), fill!(findings.lang, text::EMPTY_TEXT, key = "to"));
    }
    Some(all)
}

fn required_held(section: Section<'_>, key: &'static str, name: &str, findings: &mut Findings) -> Option<Held> {
    if section.get(key).is_none() {
        section.required_text(key, &format!("{key} = {{ env = \"{}\" }}", variable(name, key)), findings);
        return None;
    }
    held(section, key, name, findings)
}

/// A secret: a reference, or, with a warning, the text itself.
fn held(section: Section<'_>, key: &'static str, name: &str, findings: &mut Findings) -> Option<Held> {
    let lang = findings.lang;
    let value = section.get(key)?;
    let from = match value.get_ref() {
        DeValue::String(text) => {
            let message = fill!(lang, text::INLINE_SECRET, key = key);
            let help = fill!(lang, text::INLINE_SECRET_HELP, key = key, env = variable(name, key));
            findings.warning(&value.span(), message, help);
            HeldFrom::Inline(Secret::new(text.clone()))
        }
        DeValue::Table(_) => {
            let Some(reference) = secret::reference(value, key) else {
                secret::explain(value, key, findings);
                return None;
            };
            HeldFrom::Source(reference.source)
        }
        _ => {
            findings.hidden.push(value.span());
            findings.wrong_type(key, text::A_SECRET, value);
            return None;
        }
    };
    Some(Held { setting: key, from, span: value.span() })
}

/// A good name for the variable that holds a secret.
fn variable(channel: &str, key: &str) -> String {
    format!("{channel}_{key}").to_uppercase().replace('-', "_")
}

/// What each rule watches, as its schema says it, with the Chinese.
pub(super) fn rule_titles() -> milkrun_core::Catalogue {
    RULES.iter().map(|spec| (spec.title(Language::En), spec.title(Language::Zh))).collect()
}

/// The schema of a table of rules.
pub(super) fn rules_schema(keys: &[&str]) -> serde_json::Value {
    let rule = |spec: &RuleSpec| {
        let on = serde_json::json!({ "type": "boolean" });
        let text = spec.kind.map(|kind| serde_json::json!({ "type": "string", "examples": kind.examples() }));
        let count =
            (spec.kind == Some(BoundKind::Count)).then(|| serde_json::json!({ "type": "integer", "minimum": 1 }));
        let any: Vec<_> = [Some(on), text, count].into_iter().flatten().collect();
        let mut schema = serde_json::json!({ "description": spec.title(Language::En), "anyOf": any });
        if let Some(default) = spec.default {
            schema["default"] = default.into();
        }
        (spec.name.to_owned(), schema)
    };
    let rules = RULES.iter().filter(|spec| keys.contains(&spec.name)).map(rule);
    let properties: serde_json::Map<_, _> = rules.collect();
    serde_json::json!({
        "type": "object",
        "additionalProperties": false,
        "description": "From where on something is wrong: true, false, or a bound.",
        "properties": properties,
    })
}

/// The schema of `[alerts]`.
pub(super) fn schema() -> serde_json::Value {
    use serde_json::{Map, Value, json};

    let secret = json!({
        "description": "A secret: an inline text, or better a reference.",
        "anyOf": [
            { "type": "string" },
            { "type": "object", "properties": { "env": { "type": "string" } }, "required": ["env"], "additionalProperties": false },
            { "type": "object", "properties": { "file": { "type": "string" } }, "required": ["file"], "additionalProperties": false },
            { "type": "object", "properties": { "vault": { "type": "string" } }, "required": ["vault"], "additionalProperties": false },
        ],
    });
    let property = |key: &str| match key {
        "webhook" | "url" | "secret" | "password" => secret.clone(),
        "lang" => json!({ "enum": Language::NAMES, "default": "zh", "description": "The language of its messages." }),
        "keyword" => {
            json!({ "type": "string", "description": "A word of the robot's security settings; every message has it." })
        }
        "host" => json!({ "type": "string", "description": "The mail server." }),
        "port" => {
            json!({ "type": "integer", "minimum": 1, "maximum": 65_535, "description": "Left out: 465, 587 or 25." })
        }
        "security" => {
            json!({ "enum": Security::NAMES, "default": "tls", "description": "How the connection is kept secret." })
        }
        "user" => json!({ "type": "string", "description": "Who sends, where the server wants to know." }),
        "from" => json!({ "type": "string", "description": "The sender." }),
        "to" => json!({
            "description": "The recipients.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }],
        }),
        _ => json!({ "type": "string" }),
    };
    let channel = |kind: &str, keys: &[&str], required: &[&str]| {
        let mut properties: Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), property(key))).collect();
        properties.insert("kind".to_owned(), json!({ "const": kind }));
        json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required })
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "description": "Who is told of what.",
        "properties": {
            "channels": {
                "type": "object",
                "description": "The ways to people, by name.",
                "additionalProperties": { "oneOf": [
                    channel("dingtalk", ROBOT, &["kind", "webhook"]),
                    channel("wecom", WECOM, &["kind", "webhook"]),
                    channel("feishu", ROBOT, &["kind", "webhook"]),
                    channel("mail", MAIL, &["kind", "host", "from", "to"]),
                    channel("webhook", WEBHOOK, &["kind", "url"]),
                ] },
            },
            "quiet_hours": { "type": "string", "examples": ["22:00-08:00"], "description": "When nobody is disturbed; what happens then is told afterwards." },
            "remind": { "type": "string", "default": "24h", "description": "How long something is wrong before people are reminded of it." },
            "rules": rules_schema(ALL_RULES),
            "zone": { "type": "string", "default": "Asia/Shanghai", "description": "The zone of the quiet hours and of the times in messages." },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_flows_are_those_of_the_table() {
        let of_flow: Vec<_> = RULES.iter().filter(|spec| spec.is_of_flow).map(|spec| spec.name).collect();
        assert_eq!(of_flow, FLOW_RULES);
        let kinds = [ROBOT, WECOM, MAIL, WEBHOOK];
        assert!(kinds.iter().all(|keys| keys.is_sorted()));
    }
}
