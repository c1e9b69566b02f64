//! Incidents: what is wrong from when to when, and who was told of it. Pure: it neither waits nor sends.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::finding::{About, Finding, Judged};
use crate::rule::Rule;
use crate::words::Words;

/// Something that is or was wrong. However long it lasts, it is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// What it is about, such as `run-failed/orders`; a later one of the same kind has the same id.
    pub id: String,
    /// The rule that found it.
    pub rule: Rule,
    /// The flow, account or channel.
    pub about: About,
    /// What happened, as it was seen last.
    pub what: Words,
    /// What to do.
    pub advice: Words,
    /// How many documents it is about, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// Since when it is wrong.
    pub since: Timestamp,
    /// When it was found.
    pub found: Timestamp,
    /// When it was well again; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Nobody is told before this instant: it was found in quiet hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// What each channel was told, by its name.
    pub told: BTreeMap<String, Told>,
}

/// What a channel was told of an incident, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// That it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Timestamp>,
    /// That it is still open, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded: Option<Timestamp>,
    /// That it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

/// What there is to say about an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Notice {
    /// It began.
    Began,
    /// It is still open.
    Reminder,
    /// It began and ended before the channel could be told.
    Passed,
    /// It ended.
    Ended,
}

impl Incident {
    /// An incident that begins with a finding; `held_until` is the end of the quiet hours, if they hold.
    fn begin(finding: Finding, now: Timestamp, held_until: Option<Timestamp>) -> Self {
        let Finding { id, rule, about, what, advice, documents, since } = finding;
        // A clock that was set back must not let it begin in the future.
        let since = since.filter(|since| *since <= now).unwrap_or(now);
        let told = BTreeMap::new();
        Self { id, rule, about, what, advice, documents, since, found: now, until: None, held_until, told }
    }

    /// Its name on the shelf: an incident of the same id may begin before the last one is told of.
    pub(crate) fn key(&self) -> String {
        format!("{}@{}", self.id, self.found.as_millisecond())
    }

    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.until.is_none()
    }

    /// What has to be said to a channel now, outside of quiet hours.
    pub(crate) fn due(&self, channel: &str, now: Timestamp, remind: Duration) -> Option<Notice> {
        if self.held_until.is_some_and(|until| now < until) || self.concerns_channel(channel) {
            return None;
        }
        let told = self.told.get(channel).cloned().unwrap_or_default();
        match (told.began, self.until) {
            (None, None) => Some(Notice::Began),
            // Nobody was disturbed by it, and nobody needs to be.
            (None, Some(until)) if self.held_until.is_some_and(|held| until <= held) => None,
            (None, Some(_)) if told.ended.is_none() => Some(Notice::Passed),
            (Some(_), Some(_)) if told.ended.is_none() => Some(Notice::Ended),
            (Some(began), None) => {
                let last = told.reminded.unwrap_or(began);
                let remind = SignedDuration::try_from(remind).unwrap_or(SignedDuration::MAX);
                (now.duration_since(last) >= remind).then_some(Notice::Reminder)
            }
            _ => None,
        }
    }

    /// When something will have to be said to a channel, if nothing changes.
    pub(crate) fn next_due(&self, channel: &str, remind: SignedDuration) -> Option<Timestamp> {
        if self.concerns_channel(channel) {
            return None;
        }
        let told = self.told.get(channel);
        match (told.and_then(|told| told.reminded.or(told.began)), self.until) {
            (Some(last), None) => last.checked_add(remind).ok(),
            (None, _) => self.held_until,
            (Some(_), Some(_)) => None,
        }
    }

    /// A channel was told.
    pub(crate) fn mark(&mut self, channel: &str, notice: Notice, now: Timestamp) {
        let told = self.told.entry(channel.to_owned()).or_default();
        match notice {
            Notice::Began => told.began = Some(now),
            Notice::Reminder => told.reminded = Some(now),
            Notice::Passed => (told.began, told.ended) = (Some(now), Some(now)),
            Notice::Ended => told.ended = Some(now),
        }
    }

    /// Whether it has ended and nothing is left to say.
    pub(crate) fn is_done<'a>(&self, mut channels: impl Iterator<Item = &'a str>, now: Timestamp) -> bool {
        let Some(until) = self.until else { return false };
        // A channel that stays broken must not keep every incident for ever.
        let is_old = now.duration_since(until) > SignedDuration::from_hours(7 * 24);
        is_old || !channels.any(|channel| self.will_be_due(channel))
    }

    /// Whether an ended incident still has something for the channel, if only after the quiet hours.
    fn will_be_due(&self, channel: &str) -> bool {
        let after = self.held_until.unwrap_or(Timestamp::MIN);
        self.due(channel, after.max(self.found), Duration::MAX).is_some()
    }

    /// A channel is not told of its own failure: by the time it works again, that is past.
    fn concerns_channel(&self, channel: &str) -> bool {
        matches!(&self.about, About::Channel(name) if name == channel)
    }
}

/// What changed about the incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that began.
    pub began: Vec<Incident>,
    /// Those that ended.
    pub ended: Vec<Incident>,
    /// The keys of those that have to be written down.
    pub(crate) changed: Vec<String>,
}

/// Compares what is wrong now with the incidents that are known.
///
/// `held_until` is the end of the quiet hours, if they hold at `now`.
pub(crate) fn compare(
    incidents: &mut Vec<Incident>,
    judged: Judged,
    now: Timestamp,
    held_until: Option<Timestamp>,
) -> Changes {
    let mut changes = Changes::default();
    let mut findings: BTreeMap<String, Finding> = judged.findings.into_iter().map(|f| (f.id.clone(), f)).collect();
    for incident in incidents.iter_mut().filter(|incident| incident.is_open()) {
        match findings.remove(&incident.id) {
            Some(found) => {
                let is_same = incident.what == found.what
                    && incident.advice == found.advice
                    && incident.documents == found.documents;
                if !is_same {
                    (incident.what, incident.advice, incident.documents) = (found.what, found.advice, found.documents);
                    changes.changed.push(incident.key());
                }
            }
            None if judged.unknown.contains(&incident.id) => {}
            None => {
                incident.until = Some(now);
                changes.changed.push(incident.key());
                changes.ended.push(incident.clone());
            }
        }
    }
    for finding in findings.into_values() {
        let incident = Incident::begin(finding, now, held_until);
        changes.changed.push(incident.key());
        changes.began.push(incident.clone());
        incidents.push(incident);
    }
    changes
}
