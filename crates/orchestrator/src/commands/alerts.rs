//! `milkrun alerts`: tries the channels out, and lists what is and was wrong.

use std::sync::Arc;

use milkrun_alerts::{About, Alerts, Incident, Lang as Language, incidents};
use milkrun_core::{Error, Notes, Result};
use serde_json::{Value, json};

use super::{Failure, Here, Outcome};
use crate::cli;
use crate::config::suggest;
use crate::show::{Align, Table, beijing, error_json, exit_code, number, without_nulls};
use crate::text::{self, Lang, fill};
use crate::wiring::{Secrets, open_alerts, open_state};

pub(super) async fn alerts(here: Here<'_>, ask: &cli::Alerts) -> Outcome {
    match ask {
        cli::Alerts::Test(ask) => test(here, ask.channel.as_deref()).await,
        cli::Alerts::List(ask) => list(here, ask.limit).await,
    }
}

async fn test(here: Here<'_>, channel: Option<&str>) -> Outcome {
    let (out, lang) = (here.out, here.out.lang);
    let (installation, mut reports) = here.load()?;
    // What is wrong with flows is no reason not to try a channel.
    reports.only_flows(&installation.dir, &[]);
    if !reports.is_clean() {
        return Err(Failure::Mistakes(reports));
    }
    let known: Vec<&str> = installation.alerts.channels.iter().map(|known| known.name.as_str()).collect();
    if known.is_empty() {
        return Err(Error::config(lang.say(text::NO_CHANNELS)).advise(lang.say(text::ADD_CHANNEL)).into());
    }
    if let Some(name) = channel.filter(|name| !known.contains(name)) {
        let error = Error::config(fill!(lang, text::NO_SUCH_CHANNEL, name = name));
        return Err(error.advise(suggest(lang, name, &known)).into());
    }
    let state = open_state(&installation, here.environment, lang).await?;
    let secrets =
        Secrets::Fetched { environment: here.environment, vault: Some(&state.store), scrubber: &out.scrubber };
    let settings = open_alerts(&installation, secrets, lang, &mut reports).await?;
    if !reports.is_clean() {
        return Err(Failure::Mistakes(reports));
    }
    let channels: Vec<(String, String)> =
        settings.channels.iter().map(|channel| (channel.name.clone(), channel.reaches())).collect();
    let notes: Arc<dyn Notes> = Arc::clone(&state.store) as _;
    let client = milkrun_core::transport::client()?;
    let alerts = Alerts::new(settings, notes, Arc::clone(&state.clock), client, in_chinese);
    let mut tried: Vec<(String, Result<()>)> = Vec::new();
    for (name, reaches) in channels.into_iter().filter(|(name, _)| channel.is_none_or(|wanted| wanted == name)) {
        let outcome = alerts.test(&name).await;
        match &outcome {
            Ok(()) => out.line(fill!(lang, text::TEST_SENT, channel = name, reaches = reaches)),
            Err(error) if !out.json => {
                out.note(fill!(lang, text::TEST_FAILED, channel = name));
                out.error(error);
            }
            Err(_) => {}
        }
        tried.push((name, outcome));
    }
    let shown = tried.iter().map(|(name, outcome)| {
        let error = outcome.as_ref().err().map(|error| error_json(error, lang));
        without_nulls(json!({ "channel": name, "ok": outcome.is_ok(), "error": error }))
    });
    out.json(&json!({ "channels": shown.collect::<Vec<_>>() }));
    Ok(tried.iter().filter_map(|(_, outcome)| outcome.as_ref().err()).map(exit_code).max().unwrap_or(0))
}

/// What the alerts and the core say, in Chinese.
pub(crate) fn in_chinese(said: &str) -> String {
    Lang::Zh.retell(said).into_owned()
}

async fn list(here: Here<'_>, limit: u32) -> Outcome {
    let out = here.out;
    let (installation, _) = here.load()?;
    let all = match here.look(&installation).await? {
        Some(state) => incidents(&*state.store, limit).await?,
        None => Vec::new(),
    };
    let language = match out.lang {
        Lang::En => Language::En,
        Lang::Zh => Language::Zh,
    };
    out.json(&json!({ "incidents": all.iter().map(|incident| incident_json(incident, language)).collect::<Vec<_>>() }));
    if all.is_empty() {
        out.line(out.say(text::NO_INCIDENTS));
        out.line(out.say(text::WHO_LOOKS));
        return Ok(0);
    }
    let columns = [
        (out.say(text::COLUMN_SINCE), Align::Left),
        (out.say(text::COLUMN_UNTIL), Align::Left),
        (out.say(text::COLUMN_INCIDENT), Align::Left),
        (out.say(text::COLUMN_DOCUMENTS), Align::Right),
        (out.say(text::COLUMN_TOLD), Align::Left),
    ];
    let mut table = Table::new(&columns);
    for incident in &all {
        let told: Vec<&str> = incident.told.keys().map(String::as_str).collect();
        table.row([
            beijing(incident.since),
            incident.until.map_or_else(|| out.say(text::STILL_OPEN).to_owned(), beijing),
            incident.what.get(language).to_owned(),
            incident.documents.map(number).unwrap_or_default(),
            told.join(", "),
        ]);
    }
    table.show(out);
    for incident in all.iter().filter(|incident| incident.is_open()) {
        out.line(fill!(out.lang, text::INCIDENT_ADVICE, id = incident.id, advice = incident.advice.get(language)));
    }
    Ok(0)
}

fn incident_json(incident: &Incident, lang: Language) -> Value {
    let (flow, account) = match &incident.about {
        About::Flow(name) => (Some(name), None),
        About::Account(name) => (None, Some(name)),
        About::Channel(_) | About::Machine => (None, None),
    };
    without_nulls(json!({
        "id": incident.id,
        "rule": incident.rule,
        "flow": flow,
        "account": account,
        "title": incident.what.get(lang),
        "advice": incident.advice.get(lang),
        "documents": incident.documents,
        "since": incident.since,
        "until": incident.until,
        "told": incident.told.keys().collect::<Vec<_>>(),
    }))
}
