//! Changes rules and quiet hours in the text of `milkrun.toml`; everything else stays as it was written, comments too.

use milkrun_core::{Error, Result};
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::bound::{Bound, BoundKind};
use crate::quiet::QuietHours;
use crate::rule::Rule;

/// What is to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// Rules by name: whether it is on, and its bound as it is written; without one it stays as it is.
    pub rules: Vec<(String, bool, Option<String>)>,
    /// The quiet hours; empty: none. `None`: as they are.
    pub quiet_hours: Option<String>,
}

/// The text with the change in it.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if the text is no TOML, or names a rule, a bound
/// or quiet hours that are none.
pub fn edit(text: &str, change: &SettingsChange) -> Result<String> {
    let mut document: DocumentMut =
        text.parse().map_err(|e: toml_edit::TomlError| Error::config("the text is not TOML").caused_by(e))?;
    // Both are checked before anything is changed.
    let quiet_hours = change.quiet_hours.as_deref().map(read_quiet_hours).transpose()?;
    let rules = change.rules.iter().map(|(name, is_on, bound)| read_rule(name, *is_on, bound.as_deref()));
    let rules = rules.collect::<Result<Vec<_>>>()?;
    if let Some(hours) = quiet_hours {
        let is_there = document.get("alerts").and_then(|alerts| alerts.get("quiet_hours")).is_some();
        // Nothing to say about nothing; a line that is there keeps its comment.
        if is_there || hours.is_some() {
            let hours = hours.map(|hours| hours.to_string()).unwrap_or_default();
            put(table(document.as_table_mut(), "alerts")?, "quiet_hours", hours.into());
        }
    }
    for (rule, is_on, bound) in rules {
        let name = rule.name();
        let written = document.get("alerts").and_then(|a| a.get("rules")).and_then(|rules| rules.get(name));
        let was_off = written.and_then(Item::as_bool) == Some(false);
        let value: Value = match (is_on, bound) {
            (false, _) => false.into(),
            (true, Some(Bound::Count(n))) => i64::from(n).into(),
            (true, Some(bound)) => bound.to_string().into(),
            (true, None) if was_off => true.into(),
            (true, None) => continue,
        };
        let is_default = written.is_none() && is_on && bound == rule.spec().setting().bound;
        if !is_default {
            let alerts = table(document.as_table_mut(), "alerts")?;
            put(table(alerts, "rules")?, name, value);
        }
    }
    Ok(document.to_string())
}

fn read_quiet_hours(text: &str) -> Result<Option<QuietHours>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let hours = QuietHours::parse(text);
    hours.map(Some).ok_or_else(|| {
        Error::config(format!("`{text}` are no quiet hours"))
            .with("setting", "quiet_hours")
            .advise("write them as 22:00-08:00")
    })
}

fn read_rule(name: &str, is_on: bool, bound: Option<&str>) -> Result<(Rule, bool, Option<Bound>)> {
    let Some(rule) = Rule::of(name) else {
        let known: Vec<&str> = crate::rule::RULES.iter().map(|spec| spec.name).collect();
        return Err(Error::config(format!("there is no rule `{name}`"))
            .advise(milkrun_core::diagnostic::did_you_mean(name, &known)));
    };
    let bad = |kind: Option<BoundKind>| {
        let error = Error::config(format!("`{}` is no bound of the rule `{name}`", bound.unwrap_or_default()));
        let error = error.with("setting", name);
        match kind {
            Some(kind) => error.advise(format!("known: {}", kind.examples().join(", "))),
            None => error.advise("this rule is only on or off"),
        }
    };
    let bound = match (rule.spec().kind, bound) {
        (_, None) => None,
        (None, Some(_)) => return Err(bad(None)),
        (Some(kind), Some(text)) => Some(kind.parse(text).ok_or_else(|| bad(Some(kind)))?),
    };
    Ok((rule, is_on, bound))
}

/// The table of that name, which is made at the end if it is missing.
fn table<'a>(parent: &'a mut dyn TableLike, name: &str) -> Result<&'a mut dyn TableLike> {
    if parent.get(name).is_none() {
        let mut made = Table::new();
        // `[alerts]` needs no line of its own before `[alerts.rules]`, unless it has keys itself.
        made.set_implicit(true);
        parent.insert(name, Item::Table(made));
    }
    let found = parent.get_mut(name).and_then(Item::as_table_like_mut);
    found.ok_or_else(|| Error::config(format!("`{name}` is no table")))
}

/// Puts a value in the place of another, with what stood around it.
fn put(table: &mut dyn TableLike, name: &str, mut value: Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => drop(table.insert(name, Item::Value(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Ours.\n[accounts.km]\nconnector = \"kuaimai\" # the shop\n\n\
        [alerts]\nquiet_hours = \"22:00-08:00\"   # nights\n\n# Who is woken.\n[alerts.channels.ops]\nkind = \"wecom\"\n\n\
        [alerts.rules]\n# Stock may wait.\nlag = \"4h\" # hours\nrun-failed = false\n";

    fn rule(name: &str, is_on: bool, bound: Option<&str>) -> (String, bool, Option<String>) {
        (name.to_owned(), is_on, bound.map(str::to_owned))
    }

    #[test]
    fn only_what_changes_is_written_anew() {
        let rules = vec![
            rule("lag", true, Some("90m")),
            rule("run-failed", true, None),
            rule("dead-letters", true, Some("10")),
            // As they are already, or would be by default: no line for them.
            rule("quota-low", true, Some("10%")),
            rule("disk-low", true, None),
        ];
        let changed = edit(TEXT, &SettingsChange { rules, quiet_hours: Some("23:00-07:30".to_owned()) }).unwrap();
        let expected = TEXT
            .replace("\"22:00-08:00\"", "\"23:00-07:30\"")
            .replace("\"4h\"", "\"1h30m\"")
            .replace("run-failed = false\n", "run-failed = true\ndead-letters = 10\n");
        assert_eq!(changed, expected);
        assert_eq!(edit(TEXT, &SettingsChange::default()).unwrap(), TEXT);
        let off = SettingsChange { rules: vec![rule("lag", false, None)], quiet_hours: Some(String::new()) };
        let expected = TEXT.replace("\"22:00-08:00\"", "\"\"").replace("\"4h\"", "false");
        assert_eq!(edit(TEXT, &off).unwrap(), expected);
    }

    #[test]
    fn tables_are_made_where_they_are_missing() {
        let none = "[accounts.km]\nconnector = \"kuaimai\"\n";
        let lag = SettingsChange { rules: vec![rule("lag", true, Some("1h"))], quiet_hours: None };
        assert_eq!(edit(none, &lag).unwrap(), format!("{none}\n[alerts.rules]\nlag = \"1h\"\n"));
        let quiet = SettingsChange { rules: Vec::new(), quiet_hours: Some("22:00-8:00".to_owned()) };
        assert_eq!(edit(none, &quiet).unwrap(), format!("{none}\n[alerts]\nquiet_hours = \"22:00-08:00\"\n"));
        let inline = "alerts = { rules = { lag = \"2h\" } }\n";
        assert_eq!(edit(inline, &lag).unwrap(), "alerts = { rules = { lag = \"1h\" } }\n");
    }

    #[test]
    fn mistakes_change_nothing() {
        let cases = [
            (rule("lagg", true, None), "there is no rule `lagg`"),
            (rule("lag", true, Some("soon")), "`soon` is no bound of the rule `lag` (setting: lag)"),
            (
                rule("token-refused", true, Some("1")),
                "`1` is no bound of the rule `token-refused` (setting: token-refused)",
            ),
        ];
        for (rule, said) in cases {
            let change = SettingsChange { rules: vec![rule], quiet_hours: None };
            assert_eq!(edit(TEXT, &change).unwrap_err().to_string(), said);
        }
        let change = SettingsChange { rules: Vec::new(), quiet_hours: Some("at night".to_owned()) };
        assert!(edit(TEXT, &change).is_err() && edit("[", &SettingsChange::default()).is_err());
    }
}
