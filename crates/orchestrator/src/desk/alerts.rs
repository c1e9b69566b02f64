//! Alerts as the console shows and changes them: channels, rules, quiet hours, incidents.

use std::fs;
use std::sync::Arc;

use milkrun_alerts::{About, RULES, SettingsChange};
use milkrun_console::model::{AlertRule, AlertSettings, AlertSettingsChange, Channel, Incident, Saved};
use milkrun_core::{Error, ErrorKind, Result};

use super::mapping::{put, revision};
use crate::config::{self, Draft, FILE, suggest};
use crate::serve::House;
use crate::text::{self, Lang, fill};
use crate::wiring::{Secrets, open_alerts};

fn language(lang: Lang) -> milkrun_alerts::Lang {
    match lang {
        Lang::En => milkrun_alerts::Lang::En,
        Lang::Zh => milkrun_alerts::Lang::Zh,
    }
}

/// An incident as its reader reads it.
pub(crate) fn incident(incident: &milkrun_alerts::Incident, lang: Lang) -> Incident {
    let (flow, account) = match &incident.about {
        About::Flow(name) => (Some(name.clone()), None),
        About::Account(name) => (None, Some(name.clone())),
        About::Channel(_) | About::Machine => (None, None),
    };
    Incident {
        id: incident.id.clone(),
        rule: incident.rule.name().to_owned(),
        flow,
        account,
        title: incident.what.get(language(lang)).to_owned(),
        advice: incident.advice.get(language(lang)).to_owned(),
        documents: incident.documents,
        since: incident.since,
        until: incident.until,
        told: incident.told.keys().cloned().collect(),
    }
}

/// Incidents, the open ones first, then the newest.
pub(super) async fn incidents(house: &House, limit: u32, lang: Lang) -> Result<Vec<Incident>> {
    let all = house.alerts.incidents(limit).await?;
    Ok(all.iter().map(|one| incident(one, lang)).collect())
}

/// Those that are open.
pub(super) async fn open(house: &House, lang: Lang) -> Result<Vec<Incident>> {
    /// There are never more that somebody would look at.
    const MOST: u32 = 500;
    let all = house.alerts.incidents(MOST).await?;
    Ok(all.iter().filter(|one| one.is_open()).map(|one| incident(one, lang)).collect())
}

/// Who is told of what.
pub(super) fn settings(house: &House, lang: Lang) -> Result<AlertSettings> {
    let text = read(house)?;
    let settings = house.alerts.settings();
    let channels = settings.channels.iter().map(|channel| Channel {
        name: channel.name.clone(),
        kind: channel.kind.name().to_owned(),
        reaches: channel.reaches(),
    });
    let rules = RULES.iter().map(|spec| {
        let setting = settings.rules.setting(spec.rule);
        AlertRule {
            name: spec.name.to_owned(),
            title: spec.title(language(lang)).to_owned(),
            is_on: setting.is_on,
            bound: setting.bound.map(|bound| bound.to_string()),
        }
    });
    Ok(AlertSettings {
        revision: revision(&text),
        channels: channels.collect(),
        rules: rules.collect(),
        quiet_hours: settings.quiet_hours.map(|hours| hours.to_string()),
        zone: settings.zone_name.clone(),
    })
}

/// Changes rules and quiet hours in `milkrun.toml`; the rest of the file stays as it is.
pub(super) async fn change(house: &Arc<House>, ask: &AlertSettingsChange, lang: Lang) -> Result<Saved> {
    let _alone = house.writing.lock().await;
    let text = read(house)?;
    if revision(&text) != ask.revision {
        let error = Error::new(ErrorKind::Busy, lang.say(text::SETTINGS_MOVED));
        return Err(error.advise(lang.say(text::FILE_MOVED_HELP)));
    }
    let rules = ask.rules.iter().map(|rule| (rule.name.clone(), rule.is_on, rule.bound.clone())).collect();
    let change = SettingsChange { rules, quiet_hours: ask.quiet_hours.clone() };
    let changed = milkrun_alerts::edit(&text, &change)?;
    // What is written is read as the file would be, so that nothing is put there that could not be used.
    let (installation, mut reports) = config::load_with(&house.dir, Draft::Installation(&changed), lang)?;
    open_alerts(&installation, Secrets::StandIn, lang, &mut reports).await?;
    if let Some(wrong) = reports.mistakes().into_iter().find(|found| found.file.ends_with(FILE)) {
        return Err(Error::from(wrong).advise(lang.say(text::MEND_TEXT)));
    }
    put(&house.dir.join(FILE), &changed)?;
    house.look_at_files().await?;
    Ok(Saved { revision: revision(&changed) })
}

/// Sends a test message through a channel.
pub(super) async fn test(house: &House, channel: &str, lang: Lang) -> Result<()> {
    let settings = house.alerts.settings();
    if !settings.channels.iter().any(|known| known.name == channel) {
        let known: Vec<&str> = settings.channels.iter().map(|known| known.name.as_str()).collect();
        let error = Error::new(ErrorKind::NotFound, fill!(lang, text::NO_SUCH_CHANNEL, name = channel));
        return Err(error.advise(suggest(lang, channel, &known)));
    }
    house.alerts.test(channel).await
}

fn read(house: &House) -> Result<String> {
    let path = house.dir.join(FILE);
    fs::read_to_string(&path).map_err(|e| Error::from(e).with("file", path.display()))
}
