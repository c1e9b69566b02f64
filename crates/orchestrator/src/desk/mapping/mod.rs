//! The mapping of a flow as the editor shows and changes it.
//!
//! | file | answers |
//! | --- | --- |
//! | `path` | what does a path mean where a rule stands? |
//! | `samples` | which fields does the source have? |
//! | `rules`, `expression` | what fills each field of the target, and from what? |
//! | `edit` | how does one rule change and everything else stay? |
//! | `save` | how does a text become the flow's file? |

mod edit;
mod expression;
mod path;
mod rules;
mod samples;
mod save;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use milkrun_console::model::{
    MappingDraft, MappingEdit, MappingPreview, MappingPreviewRequest, MappingView, Mistake, Previewed, TargetField,
};
use milkrun_core::state::{Stage, StateStore as _};
use milkrun_core::target::FieldKind;
use milkrun_core::{Error, ErrorKind, Record, Result, TargetSpec};
use milkrun_engine::preview::{Fate, Judged, judge};

pub(super) use self::save::{put, revision, save};

use self::path::Steps;
use self::samples::Fields;
use super::mistakes::of_files;
use super::{letters, pages};
use crate::config::{self, Draft, Reports};
use crate::serve::House;
use crate::text::{self, Lang, fill};
use crate::wiring::{Prepared, Secrets, open_accounts, prepare_flows};

/// How many records fields and values are taken from, and how many of them are shown.
const RECORDS: usize = 40;
const SHOWN: usize = 5;
/// How many records a preview shows if nothing is said, and at most.
const USUAL_PREVIEW: u32 = 5;
const MOST_PREVIEW: u32 = 50;

/// A text as a flow's file: what it gives, and what is wrong with it.
struct Tried {
    flow: Option<Prepared>,
    target: Option<TargetSpec>,
    /// The fields of the stream's key, where they are known.
    key: Vec<String>,
    reports: Reports,
}

/// Reads a text as the file of a flow, without using it.
async fn try_text(house: &House, flow: &str, text: &str, lang: Lang) -> Result<Tried> {
    let (installation, mut reports) = config::load_with(&house.dir, Draft::Flow { name: flow, text }, lang)?;
    let config = installation.flows.iter().find(|config| config.name == flow);
    let used: Vec<&str> = config
        .map(|config| vec![config.source.account.value.as_str(), config.sink.account.value.as_str()])
        .unwrap_or_default();
    let wants = |name: &str| used.contains(&name);
    // No vendor is called for a text that is only looked at.
    let accounts = open_accounts(&installation, wants, Secrets::StandIn, lang, &mut reports).await?;
    let stream = config.and_then(|config| {
        let streams = accounts.get(&config.source.account.value)?.source.as_ref()?.streams();
        streams.iter().find(|stream| stream.name == config.source.stream.value)
    });
    let key = stream.map(|stream| stream.key.clone()).unwrap_or_default();
    let target = config.and_then(|config| {
        let sink = accounts.get(&config.sink.account.value)?.sink.as_ref()?;
        sink.target(&config.sink.target.value)
    });
    reports.only_flows(&house.dir, &[flow.to_owned()]);
    let state = Some(&house.state);
    let mut prepared = prepare_flows(&installation, &accounts, state, |name| name == flow, lang, &mut reports).await?;
    Ok(Tried { flow: prepared.pop(), target, key, reports })
}

impl Tried {
    /// What is wrong with the flow's own file.
    fn mistakes(&self, house: &House, flow: &str, lang: Lang) -> Vec<Mistake> {
        let [mistakes, warnings] = self.reports.of_flow(&house.dir, flow);
        let mut all = of_files(&mistakes, false, lang);
        all.extend(of_files(&warnings, true, lang));
        all
    }
}

/// The mapping as the flow's file has it.
pub(super) async fn current(house: &House, flow: &str, lang: Lang) -> Result<MappingView> {
    let text = save::read(house, flow, lang)?;
    let revision = save::revision(&text);
    view(house, flow, text, revision, lang).await
}

/// The same for a text that is not saved.
pub(super) async fn draft(house: &House, flow: &str, draft: &MappingDraft, lang: Lang) -> Result<MappingView> {
    save::read(house, flow, lang)?;
    view(house, flow, draft.text.clone(), draft.revision.clone(), lang).await
}

/// A text with one rule changed.
pub(super) async fn change(house: &House, flow: &str, ask: &MappingEdit, lang: Lang) -> Result<MappingView> {
    save::read(house, flow, lang)?;
    if config::includes(&ask.text) {
        return Err(Error::config(fill!(lang, text::INCLUDED_NOT_EDITABLE, flow = flow))
            .advise(lang.say(text::INCLUDED_NOT_EDITABLE_HELP)));
    }
    let tried = try_text(house, flow, &ask.text, lang).await?;
    // A target that declares its fields takes no others.
    let keeps = tried.target.is_none_or(|target| target.fields.is_empty());
    let text = edit::edit(&ask.text, &ask.target, ask.rule.as_ref(), keeps, lang)?;
    view(house, flow, text, ask.revision.clone(), lang).await
}

async fn view(house: &House, flow: &str, text: String, revision: String, lang: Lang) -> Result<MappingView> {
    let tried = try_text(house, flow, &text, lang).await?;
    let records = samples_of(house, flow, &tried.key).await?;
    let fields = Fields::of(&records);
    let rules = rules::read(&text, &|path| records.is_empty() || fields.has(path));
    let mistakes = tried.mistakes(house, flow, lang);
    let target = target_fields(tried.target.as_ref(), &rules, lang);
    let is_editable = !config::includes(&text) && house.out.scrubber.scrub(text.clone()) == text;
    Ok(MappingView {
        flow: flow.to_owned(),
        text,
        revision,
        source: fields.into_all(),
        target,
        rules,
        mistakes,
        samples: records.iter().take(SHOWN).map(|record| record.text().to_owned()).collect(),
        is_editable,
    })
}

/// Records of a flow to learn from: the newest that were read, or else refused ones.
async fn samples_of(house: &House, flow: &str, key: &[String]) -> Result<Vec<Record>> {
    let Some(id) = house.state.store.flow_id(flow).await? else { return Ok(Vec::new()) };
    let mut records = pages::newest_records(&house.state, flow, id, key, RECORDS).await?;
    if records.is_empty() {
        let letters = house.state.store.dead_letters(id, 0, u32::try_from(RECORDS).unwrap_or(u32::MAX)).await?;
        records = letters.into_iter().filter_map(|letter| Record::parse(letter.record).ok()).collect();
    }
    Ok(records)
}

/// The fields that a target declares, then those that only rules know.
fn target_fields(target: Option<&TargetSpec>, rules: &[milkrun_console::model::Rule], lang: Lang) -> Vec<TargetField> {
    let declared = target.map(|target| target.fields.as_slice()).unwrap_or_default();
    let mut all: Vec<TargetField> = declared
        .iter()
        .map(|field| TargetField {
            path: field.path.clone(),
            title: lang.title(&field.title).to_owned(),
            kind: kind_name(field.kind).to_owned(),
            required: field.required,
            is_declared: true,
        })
        .collect();
    for rule in rules {
        if all.iter().any(|field| field.path == rule.target) {
            continue;
        }
        let kind = match rule.kind.as_str() {
            "each" => "list",
            "fields" => "object",
            _ => "any",
        };
        all.push(TargetField {
            path: rule.target.clone(),
            title: String::new(),
            kind: kind.to_owned(),
            required: false,
            is_declared: false,
        });
    }
    // Fields stand below the list or the object that they are fields of.
    let mut ordered: Vec<TargetField> = Vec::with_capacity(all.len());
    for field in all {
        let parent = Steps::parse(&field.path).filter(|path| path.0.len() > 1).map(|mut path| {
            path.0.pop();
            path
        });
        let place = parent.and_then(|parent| {
            let (inside, whole) = (parent.to_string(), parent.clone().whole().to_string());
            let below = |other: &TargetField| {
                let rest = other.path.strip_prefix(inside.as_str());
                other.path == whole || rest.is_some_and(|rest| rest.starts_with('.'))
            };
            ordered.iter().rposition(below)
        });
        match place {
            Some(at) => ordered.insert(at + 1, field),
            None => ordered.push(field),
        }
    }
    ordered
}

fn kind_name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Any => "any",
        FieldKind::Text => "text",
        FieldKind::Integer => "integer",
        FieldKind::Decimal => "decimal",
        FieldKind::Boolean => "boolean",
        FieldKind::Date => "date",
        FieldKind::DateTime => "date-time",
        FieldKind::List => "list",
        FieldKind::Object => "object",
    }
}

/// What a text would make of records.
pub(super) async fn preview(
    house: &House,
    flow: &str,
    ask: &MappingPreviewRequest,
    lang: Lang,
) -> Result<MappingPreview> {
    save::read(house, flow, lang)?;
    let tried = try_text(house, flow, &ask.text, lang).await?;
    let mistakes = tried.mistakes(house, flow, lang);
    let Some(prepared) = tried.flow else {
        if mistakes.iter().all(|mistake| mistake.is_warning) {
            // What keeps the flow from being used stands in another file.
            let others = tried.reports.mistakes().into_iter().next();
            let none = || Error::config(fill!(lang, text::FLOW_HAS_MISTAKES, flow = flow));
            return Err(others.map_or_else(none, Error::from));
        }
        return Ok(MappingPreview { mistakes, records: Vec::new() });
    };
    let limit = ask.limit.unwrap_or(USUAL_PREVIEW).clamp(1, MOST_PREVIEW) as usize;
    let id = house.state.store.flow_id(flow).await?;
    let mut numbers = Vec::new();
    let mut records = Vec::new();
    if let Some(letters) = &ask.letters {
        let asked: Vec<u64> = letters.iter().copied().take(limit).collect();
        for letter in letters::with_numbers(&*house.state.store, flow, id, &asked, lang).await? {
            if let Ok(record) = Record::parse(letter.record) {
                numbers.push(Some(letter.id));
                records.push(record);
            }
        }
    } else if let Some(id) = id {
        records = pages::newest_records(&house.state, flow, id, &prepared.stream.key, limit).await?;
        if records.is_empty() {
            let letters = house.state.store.dead_letters(id, 0, u32::try_from(limit).unwrap_or(MOST_PREVIEW)).await?;
            for letter in letters.into_iter().filter(|letter| letter.stage != Stage::Key) {
                if let Ok(record) = Record::parse(letter.record) {
                    numbers.push(Some(letter.id));
                    records.push(record);
                }
            }
        }
    }
    numbers.resize(records.len(), None);
    let opened = prepared.open_to_look(&Arc::clone(&house.state.clock))?;
    let judged = judge(&opened, &house.state.surroundings(), records).await?;
    let records = judged.into_iter().zip(numbers).map(|(judged, letter)| previewed(judged, letter, lang)).collect();
    Ok(MappingPreview { mistakes, records })
}

fn previewed(judged: Judged, letter: Option<u64>, lang: Lang) -> Previewed {
    let reason = match &judged.fate {
        Fate::Refused(reason) => Some(lang.retell(reason).into_owned()),
        _ => None,
    };
    Previewed {
        letter,
        key: judged.key.map(|key| key.to_string()),
        outcome: fate_name(&judged.fate).to_owned(),
        reason,
        record: judged.record.text().to_owned(),
        documents: judged.documents,
    }
}

/// What would become of a record, as scripts and the API read it.
pub(crate) fn fate_name(fate: &Fate) -> &'static str {
    match fate {
        Fate::New => "new",
        Fate::Changed { .. } => "changed",
        Fate::Unchanged => "unchanged",
        Fate::Older => "older",
        Fate::Filtered => "filtered",
        Fate::Refused(_) => "refused",
    }
}

/// The error of a text that was made from another file than there is now.
fn moved(flow: &str, lang: Lang) -> Error {
    Error::new(ErrorKind::Busy, fill!(lang, text::FILE_MOVED, flow = flow)).advise(lang.say(text::FILE_MOVED_HELP))
}
