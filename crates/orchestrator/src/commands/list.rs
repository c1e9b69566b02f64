//! `milkrun connectors`, `streams` and `targets`: what there is to choose from.

use std::time::Duration;

use milkrun_core::stream::StreamSpec;
use milkrun_core::{ConnectorSpec, Error, QuotaSpec, TargetSpec};
use serde_json::json;

use super::{Failure, Here, Outcome};
use crate::config::{account_schema, suggest, write_duration};
use crate::show::{Align, Table};
use crate::text::{self, Lang, fill};
use crate::wiring::{Secrets, open_accounts};

pub(super) fn connectors(here: Here<'_>) -> u8 {
    let out = here.out;
    let all = milkrun_core::connectors();
    out.json(&json!({ "connectors": all.iter().map(|spec| connector_json(spec, out.lang)).collect::<Vec<_>>() }));
    let columns = [
        (out.say(text::COLUMN_CONNECTOR), Align::Left),
        (out.say(text::COLUMN_TITLE), Align::Left),
        (out.say(text::COLUMN_STREAMS), Align::Right),
        (out.say(text::COLUMN_TARGETS), Align::Right),
        (out.say(text::COLUMN_QUOTA), Align::Left),
    ];
    let mut table = Table::new(&columns);
    let count = |spec: &ConnectorSpec, setting: &str, n: usize| {
        let is_setting = (spec.schema)().pointer(&format!("/properties/{setting}")).is_some();
        if n == 0 && is_setting { out.say(text::AS_CONFIGURED).to_owned() } else { n.to_string() }
    };
    for spec in &all {
        table.row([
            spec.name.to_owned(),
            out.lang.title(&spec.title()).to_owned(),
            count(spec, "streams", (spec.streams)().len()),
            count(spec, "targets", (spec.targets)().len()),
            quota(&(spec.quota)(), out.say(text::NO_LIMIT)),
        ]);
    }
    table.show(out);
    out.line("");
    out.line(out.say(text::CONNECTORS_NEXT));
    0
}

/// A connector with all that can be known without an account; what is prose is in that language.
fn connector_json(spec: &ConnectorSpec, lang: Lang) -> serde_json::Value {
    json!({
        "name": spec.name,
        "title": spec.title(),
        "about": if lang == Lang::Zh { spec.about_zh } else { spec.about },
        "example": spec.example,
        "schema": account_schema(spec, lang),
        "quota": (spec.quota)(),
        "streams": (spec.streams)().iter().map(|stream| stream_json(stream, lang)).collect::<Vec<_>>(),
        "targets": (spec.targets)().iter().map(|target| target_json(target, lang)).collect::<Vec<_>>(),
    })
}

/// A stream, and what its proof rests on.
fn stream_json(stream: &StreamSpec, lang: Lang) -> serde_json::Value {
    let mut value = json!(stream);
    value["assumes"] = json!(lang.retell(stream.proof.assumes()));
    value
}

/// A target, and what it promises about repetition.
fn target_json(target: &TargetSpec, lang: Lang) -> serde_json::Value {
    let mut value = json!(target);
    value["promise"] = json!(lang.retell(target.idempotency.promise()));
    value
}

/// `12/1s`.
fn quota(spec: &QuotaSpec, none: &str) -> String {
    let rates: Vec<_> =
        spec.account.rates.iter().map(|rate| format!("{}/{}", rate.calls, write_duration(rate.per))).collect();
    if rates.is_empty() { none.to_owned() } else { rates.join(", ") }
}

/// What an account, or else a connector of that name, has.
async fn find(here: Here<'_>, name: &str) -> Result<(Vec<StreamSpec>, Vec<TargetSpec>), Failure> {
    let lang = here.out.lang;
    let connectors = milkrun_core::connectors();
    let connector = connectors.iter().find(|spec| spec.name == name);
    let of_connector = |spec: &ConnectorSpec| ((spec.streams)(), (spec.targets)());
    let (installation, mut reports) = match (here.load(), connector) {
        (Ok(loaded), _) => loaded,
        (Err(_), Some(spec)) => return Ok(of_connector(spec)),
        (Err(error), None) => return Err(error.into()),
    };
    if !installation.account_names.iter().any(|account| account == name) {
        if let Some(spec) = connector {
            return Ok(of_connector(spec));
        }
        let mut known: Vec<&str> = installation.account_names.iter().map(String::as_str).collect();
        known.extend(connectors.iter().map(|spec| spec.name));
        let error = Error::config(fill!(lang, text::NO_SUCH_ACCOUNT, name = name));
        return Err(error.advise(suggest(lang, name, &known)).into());
    }
    reports.only_flows(&installation.dir, &[]);
    let accounts = open_accounts(&installation, |n| n == name, Secrets::StandIn, lang, &mut reports).await?;
    let Some(account) = accounts.get(name) else { return Err(Failure::Mistakes(reports)) };
    let streams = account.source.as_ref().map(|source| source.streams().to_vec()).unwrap_or_default();
    let targets = account.sink.as_ref().map(|sink| sink.targets().to_vec()).unwrap_or_default();
    Ok((streams, targets))
}

pub(super) async fn streams(here: Here<'_>, name: &str) -> Outcome {
    let out = here.out;
    let (streams, _) = find(here, name).await?;
    out.json(&json!({ "streams": streams }));
    if streams.is_empty() {
        out.line(fill!(out.lang, text::NO_STREAMS, name = name));
        return Ok(0);
    }
    let columns = [
        (out.say(text::COLUMN_STREAM), Align::Left),
        (out.say(text::COLUMN_TITLE), Align::Left),
        (out.say(text::COLUMN_KEY), Align::Left),
        (out.say(text::COLUMN_WINDOW), Align::Left),
        (out.say(text::COLUMN_PAGE), Align::Right),
        (out.say(text::COLUMN_PROOF), Align::Left),
    ];
    let mut table = Table::new(&columns);
    for stream in &streams {
        table.row([
            stream.name.clone(),
            out.lang.title(&stream.title).to_owned(),
            stream.key.join(", "),
            window(out.say(text::READ_WHOLE), stream),
            stream.page_size.usual.to_string(),
            stream.proof.name().to_owned(),
        ]);
    }
    table.show(out);
    let noted: Vec<_> = streams.iter().filter(|stream| !stream.notes.is_empty()).collect();
    if !noted.is_empty() {
        out.line("");
        out.heading(out.say(text::NOTES));
        for stream in noted {
            for note in &stream.notes {
                out.line(format!("  {}", out.lang.labelled(&stream.name, out.lang.title(note))));
            }
        }
    }
    Ok(0)
}

/// `upd_time, 1d at most`.
fn window(whole: &str, stream: &StreamSpec) -> String {
    match &stream.window {
        None => whole.to_owned(),
        Some(window) if window.longest == Duration::MAX => window.axis.clone(),
        Some(window) => format!("{} ≤ {}", window.axis, write_duration(window.longest)),
    }
}

pub(super) async fn targets(here: Here<'_>, name: &str) -> Outcome {
    let out = here.out;
    let (_, targets) = find(here, name).await?;
    out.json(&json!({ "targets": targets }));
    if targets.is_empty() {
        out.line(fill!(out.lang, text::NO_TARGETS, name = name));
        return Ok(0);
    }
    let columns = [
        (out.say(text::COLUMN_TARGET), Align::Left),
        (out.say(text::COLUMN_TITLE), Align::Left),
        (out.say(text::COLUMN_BATCH), Align::Right),
        (out.say(text::COLUMN_PROMISE), Align::Left),
    ];
    let mut table = Table::new(&columns);
    for target in &targets {
        table.row([
            target.name.clone(),
            out.lang.title(&target.title).to_owned(),
            target.batch.to_string(),
            out.retell(target.idempotency.promise()).into_owned(),
        ]);
    }
    table.show(out);
    Ok(0)
}
