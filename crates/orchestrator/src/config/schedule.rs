//! `schedule` of a flow file: a timetable as text, or a table that also says how it is followed.

use std::time::Duration;

use jiff::tz::TimeZone;
use milkrun_core::diagnostic::did_you_mean;
use milkrun_engine::timetable::table::{DEFAULT_ZONE, zone};
use milkrun_engine::timetable::{Missed, Mistake, Overlap, Policy, Schedule, Timetable};
use toml::de::DeValue;

use super::span::{At, Findings, Section, Span, suggest};
use crate::text::{self, fill};

pub(super) const KEYS: &[&str] = &["cron", "zone", "overlap", "missed", "jitter", "paused"];

/// Starts are put off by this much at most.
const MOST_JITTER: Duration = Duration::from_hours(24);

/// Reads the timetable of a flow file, whose text is `text`; `None` if there is none, or only a wrong one.
pub(super) fn read(root: Section<'_>, text: &str, findings: &mut Findings) -> Option<Schedule> {
    let value = root.get("schedule")?;
    let (table, span) = match value.get_ref() {
        DeValue::Table(table) => (table, value.span()),
        DeValue::String(_) => {
            let cron = root.text("schedule", findings)?;
            let timetable = timetable(&cron, &default_zone(), text, findings)?;
            return Some(Schedule { timetable, policy: Policy::default(), paused: false });
        }
        _ => {
            findings.wrong_type("schedule", text::A_SCHEDULE, value);
            return None;
        }
    };
    let section = Section { title: "[schedule]", span: &span, table, keys: KEYS };
    section.close(&[], findings);
    let zone = section.text("zone", findings).and_then(|at| {
        let found = zone(&at.value);
        found.map_err(|mistake| tell(&of_china(mistake, &at.value), &at, text, findings)).ok()
    });
    let cron = section.required_text("cron", "cron = \"0 */5 * * * ?\"", findings);
    let timetable = cron.and_then(|cron| timetable(&cron, &zone.unwrap_or_else(default_zone), text, findings));
    let policy = Policy {
        overlap: choice(section, "overlap", &Overlap::NAMES, findings),
        missed: choice(section, "missed", &Missed::NAMES, findings),
        jitter: jitter(section, findings),
    };
    let paused = section.boolean("paused", findings).is_some_and(|at| at.value);
    Some(Schedule { timetable: timetable?, policy, paused })
}

/// Whether a text is a timetable, as another platform has it.
pub(crate) fn is_timetable(text: &str) -> bool {
    Timetable::parse(text, &default_zone()).is_ok()
}

fn default_zone() -> TimeZone {
    zone(DEFAULT_ZONE).expect("the zone is in the program")
}

fn timetable(cron: &At<String>, zone: &TimeZone, text: &str, findings: &mut Findings) -> Option<Timetable> {
    Timetable::parse(&cron.value, zone).map_err(|mistake| tell(&mistake, cron, text, findings)).ok()
}

/// How people write China's zone, which is called after Shanghai.
const CHINA: [&str; 5] = ["beijing", "peking", "china", "+8", "+08"];

/// For one of those, the name that is nearest in letters is another place.
fn of_china(mistake: Mistake, value: &str) -> Mistake {
    let value = value.to_lowercase();
    if !CHINA.iter().any(|name| value.contains(name)) {
        return mistake;
    }
    Mistake { help: Some(did_you_mean(DEFAULT_ZONE, &[DEFAULT_ZONE])), ..mistake }
}

/// Says what is wrong with a written value, at the very part of it.
fn tell(mistake: &Mistake, at: &At<String>, text: &str, findings: &mut Findings) {
    let lang = findings.lang;
    let message = lang.retell(&mistake.message).into_owned();
    let span = part(at, mistake, text);
    match &mistake.help {
        Some(help) => findings.mistake_with(&span, message, lang.retell(help).into_owned()),
        None => findings.mistake(&span, message),
    }
}

/// Where a part of a value stands, if it is written as it is, without escapes.
fn part(at: &At<String>, mistake: &Mistake, text: &str) -> Span {
    let start = at.span.start + 1;
    let is_plain = text.get(start..).is_some_and(|rest| rest.starts_with(&at.value));
    let is_all = mistake.place.is_empty() || mistake.place.len() == at.value.len();
    if is_plain && !is_all { start + mistake.place.start..start + mistake.place.end } else { at.span.clone() }
}

fn choice<T: Copy + Default>(
    section: Section<'_>,
    key: &str,
    names: &[(&'static str, T)],
    findings: &mut Findings,
) -> T {
    let Some(at) = section.text(key, findings) else { return T::default() };
    if let Some((_, value)) = names.iter().find(|(name, _)| *name == at.value) {
        return *value;
    }
    let lang = findings.lang;
    let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
    let message = fill!(lang, text::NO_SUCH_CHOICE, key = key, value = at.value);
    findings.mistake_with(&at.span, message, suggest(lang, &at.value, &names));
    T::default()
}

fn jitter(section: Section<'_>, findings: &mut Findings) -> Duration {
    let Some(at) = section.duration("jitter", findings) else { return Duration::ZERO };
    if at.value > MOST_JITTER {
        findings.mistake(&at.span, findings.lang.say(text::JITTER_TOO_LONG));
    }
    at.value
}
