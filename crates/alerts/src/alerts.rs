//! The engine: it looks at facts, keeps incidents, and sends what is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use milkrun_core::{Clock, Error, Notes, Result};
use tokio::sync::Mutex;

use crate::channel::{Channel, Letter, Limits};
use crate::facts::Facts;
use crate::finding::{About, Finding, Judge, Said, with_reason};
use crate::incident::{Changes, Incident, Notice, compare};
use crate::message::Writer;
use crate::rhythm::Rhythm;
use crate::rule::Rule;
use crate::settings::Settings;
use crate::shelf;
use crate::texts;
use crate::words::{Hole, Retell};

/// Finds incidents and tells people. All of it may be shared and called from several places.
#[derive(Debug)]
pub struct Alerts {
    settings: RwLock<Arc<Settings>>,
    notes: Arc<dyn Notes>,
    clock: Arc<dyn Clock>,
    client: reqwest::Client,
    retell: Retell,
    /// Whoever reads notes and writes them back holds it.
    shelf: Mutex<Memory>,
    /// Whoever sends holds it, so that no notice is sent twice at one time.
    sending: Mutex<()>,
}

/// What need not be read again.
#[derive(Debug, Default)]
struct Memory {
    rhythms: Option<BTreeMap<String, Rhythm>>,
    /// Channels that were tried since the settings were read.
    tried: BTreeSet<String>,
}

/// What was sent.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Messages that arrived: the channel, and how many notices it told.
    pub sent: Vec<(String, usize)>,
    /// Channels that failed, and why.
    pub failed: Vec<(String, Error)>,
    /// When something may be due again that the next look at the facts does not bring by itself.
    pub again_at: Option<Timestamp>,
}

impl Alerts {
    /// Alerts that are kept on `notes` and sent through `client`; `retell` tells in Chinese what this crate and the
    /// core say in English.
    pub fn new(
        settings: Settings,
        notes: Arc<dyn Notes>,
        clock: Arc<dyn Clock>,
        client: reqwest::Client,
        retell: Retell,
    ) -> Self {
        let settings = RwLock::new(Arc::new(settings));
        Self { settings, notes, clock, client, retell, shelf: Mutex::default(), sending: Mutex::default() }
    }

    /// Other settings from now on. Channels that failed are tried again at once: they may be mended.
    pub async fn replace(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        self.shelf.lock().await.tried.clear();
    }

    /// The settings as they are.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Compares the facts with the incidents that are known, and writes down what changed. Sends nothing.
    ///
    /// # Errors
    /// Those of the store; then nothing has changed.
    pub async fn look(&self, facts: &Facts) -> Result<Changes> {
        let settings = self.settings();
        let mut memory = self.shelf.lock().await;
        let now = self.clock.now();
        self.take_rhythms(&mut memory, facts, &settings).await?;
        let mut incidents = shelf::load_incidents(&*self.notes).await?;
        let open = incidents.iter().filter(|incident| incident.is_open()).map(|incident| incident.id.clone()).collect();
        let judge = Judge {
            rules: &settings.rules,
            zone: &settings.zone,
            now,
            open: &open,
            rhythms: memory.rhythms.as_ref().expect("they were loaded above"),
        };
        let mut judged = judge.judge(facts);
        judged.findings.extend(self.broken_channels(&settings).await?);
        let quiet = settings.quiet_hours.and_then(|quiet| quiet.end(now, &settings.zone));
        let changes = compare(&mut incidents, judged, now, quiet);
        self.put(&settings, &incidents, &changes.changed, now).await?;
        for incident in &changes.began {
            tracing::warn!(target: "milkrun::alert", id = incident.id, what = incident.what.en, "an incident began");
        }
        for incident in &changes.ended {
            tracing::info!(target: "milkrun::alert", id = incident.id, what = incident.what.en, "an incident ended");
        }
        Ok(changes)
    }

    /// Sends to each channel what is due, one message at the most. A channel that fails blocks no other one.
    ///
    /// What was sent and could not be written down before a crash is sent once more.
    ///
    /// # Errors
    /// Those of the store. What a channel says is in the result.
    pub async fn deliver(&self) -> Result<Delivered> {
        let _sending = self.sending.lock().await;
        let settings = self.settings();
        let incidents = {
            let _memory = self.shelf.lock().await;
            shelf::load_incidents(&*self.notes).await?
        };
        let now = self.clock.now();
        if let Some(end) = settings.quiet_hours.and_then(|quiet| quiet.end(now, &settings.zone)) {
            return Ok(Delivered { again_at: (!incidents.is_empty()).then_some(end), ..Delivered::default() });
        }
        let told = settings.channels.iter().map(|channel| self.tell(&settings, channel, &incidents));
        let mut delivered = Delivered::default();
        for (channel, outcome) in settings.channels.iter().zip(join_all(told).await) {
            let name = || channel.name.clone();
            match outcome? {
                Outcome::Nothing => {}
                Outcome::Sent(n) => delivered.sent.push((name(), n)),
                Outcome::Later(at) => delivered.wake(at),
                Outcome::Failed(error, at) => {
                    delivered.failed.push((name(), error));
                    delivered.wake(at);
                }
            }
        }
        Ok(delivered)
    }

    /// Sends a test message, in quiet hours too.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if there is no such channel; else why the
    /// message did not arrive.
    pub async fn test(&self, channel: &str) -> Result<()> {
        let settings = self.settings();
        let Some(channel) = settings.channels.iter().find(|known| known.name == channel) else {
            let known: Vec<&str> = settings.channels.iter().map(|known| known.name.as_str()).collect();
            return Err(Error::config(format!("there is no channel `{channel}`"))
                .advise(milkrun_core::diagnostic::did_you_mean(channel, &known)));
        };
        let now = self.clock.now();
        let message = writer(&settings, channel, now).test();
        let id = format!("test.{}", now.as_millisecond());
        let letter = Letter { message: &message, notices: &[], now, id: &id };
        self.send(channel, letter).await
    }

    /// The incidents: the open ones first, then the newest, `limit` at most.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn incidents(&self, limit: u32) -> Result<Vec<Incident>> {
        let _memory = self.shelf.lock().await;
        shelf::incidents(&*self.notes, limit).await
    }

    /// Takes in what the flows have found since the last look.
    async fn take_rhythms(&self, memory: &mut Memory, facts: &Facts, settings: &Settings) -> Result<()> {
        if memory.rhythms.is_none() {
            memory.rhythms = Some(shelf::load_rhythms(&*self.notes).await?);
        }
        let rhythms = memory.rhythms.as_mut().expect("they were loaded above");
        let mut changed = BTreeSet::new();
        for flow in &facts.flows {
            if rhythms.entry(flow.name.clone()).or_default().take(&flow.runs, &settings.zone) {
                changed.insert(flow.name.as_str());
            }
        }
        let changed = rhythms.iter().filter(|(flow, _)| changed.contains(flow.as_str()));
        let changed = changed.map(|(flow, rhythm)| (flow.clone(), Some(rhythm))).collect();
        shelf::put_rhythms(&*self.notes, changed).await
    }

    /// A channel that fails is an incident, which the others tell.
    async fn broken_channels(&self, settings: &Settings) -> Result<Vec<Finding>> {
        let setting = settings.rules.setting(Rule::ChannelFailed);
        let Some(crate::Bound::Count(least)) = setting.bound.filter(|_| setting.is_on) else { return Ok(Vec::new()) };
        let mut findings = Vec::new();
        for channel in &settings.channels {
            let condition = shelf::load_condition(&*self.notes, &channel.name).await?;
            if condition.failures < least && !condition.is_final {
                continue;
            }
            let name = [("channel", Hole::Text(&channel.name))];
            let said = Said {
                what: with_reason(texts::CHANNEL_FAILED.fill(&name), condition.error.as_ref()),
                advice: texts::FIX_CHANNEL_FAILED.fill(&name),
                documents: None,
                since: condition.failing_since,
            };
            let id = format!("{}/{}", Rule::ChannelFailed.name(), channel.name);
            findings.push(said.named(id, Rule::ChannelFailed, About::Channel(channel.name.clone())));
        }
        Ok(findings)
    }

    /// Tells one channel what is due.
    async fn tell(&self, settings: &Settings, channel: &Channel, incidents: &[Incident]) -> Result<Outcome> {
        let now = self.clock.now();
        let mut notices: Vec<(Notice, &Incident)> = Vec::new();
        for incident in incidents {
            notices.extend(incident.due(&channel.name, now, settings.remind).map(|notice| (notice, incident)));
        }
        if notices.is_empty() {
            let remind = SignedDuration::try_from(settings.remind).unwrap_or(SignedDuration::MAX);
            let later = incidents.iter().filter_map(|incident| incident.next_due(&channel.name, remind));
            let next = later.filter(|at| *at > now).min();
            return Ok(next.map_or(Outcome::Nothing, Outcome::Later));
        }
        notices.sort_by_key(|(notice, incident)| (*notice, incident.since));
        let Limits { per_minute, .. } = channel.kind.limits();
        {
            let mut memory = self.shelf.lock().await;
            let mut condition = shelf::load_condition(&*self.notes, &channel.name).await?;
            if memory.tried.insert(channel.name.clone()) {
                condition.may_be_mended();
            }
            if !condition.is_free(per_minute, now) {
                return Ok(Outcome::Later(condition.free_at(per_minute, now)));
            }
        }
        let message = writer(settings, channel, now).write(&notices);
        let letter = Letter { message: &message, notices: &notices, now, id: &id_of(&channel.name, &notices) };
        if let Err(error) = self.send(channel, letter).await {
            let condition = shelf::load_condition(&*self.notes, &channel.name).await?;
            return Ok(Outcome::Failed(error, condition.free_at(per_minute, self.clock.now())));
        }
        self.mark(settings, &channel.name, &notices).await?;
        Ok(Outcome::Sent(notices.len()))
    }

    /// Sends one message and writes down how the channel is. The attempt is counted before it is made.
    async fn send(&self, channel: &Channel, letter: Letter<'_>) -> Result<()> {
        self.change_condition(channel, |condition| condition.sends(letter.now)).await?;
        let sent = channel.send(&self.client, letter).await.map_err(|error| error.with("channel", &channel.name));
        let now = self.clock.now();
        self.change_condition(channel, |condition| match &sent {
            Ok(()) => condition.succeeded(),
            Err(error) => condition.failed(error, now, self.retell),
        })
        .await?;
        if let Err(error) = &sent {
            tracing::warn!(target: "milkrun::alert", channel = channel.name, %error, "a message did not arrive");
        }
        sent
    }

    async fn change_condition(
        &self,
        channel: &Channel,
        change: impl FnOnce(&mut crate::condition::Condition),
    ) -> Result<()> {
        let _memory = self.shelf.lock().await;
        let mut condition = shelf::load_condition(&*self.notes, &channel.name).await?;
        change(&mut condition);
        shelf::put_condition(&*self.notes, &channel.name, &condition).await
    }

    /// Writes down that a channel was told, on the incidents as they are by now.
    async fn mark(&self, settings: &Settings, channel: &str, notices: &[(Notice, &Incident)]) -> Result<()> {
        let _memory = self.shelf.lock().await;
        let now = self.clock.now();
        let mut incidents = shelf::load_incidents(&*self.notes).await?;
        let told: BTreeMap<String, Notice> =
            notices.iter().map(|(notice, incident)| (incident.key(), *notice)).collect();
        let mut changed = Vec::new();
        for incident in &mut incidents {
            let key = incident.key();
            if let Some(notice) = told.get(&key) {
                incident.mark(channel, *notice, now);
                changed.push(key);
            }
        }
        self.put(settings, &incidents, &changed, now).await
    }

    /// Writes changed incidents down; those that have ended and are told become a part of the past.
    async fn put(&self, settings: &Settings, incidents: &[Incident], changed: &[String], now: Timestamp) -> Result<()> {
        let mut notes = Vec::new();
        for incident in incidents {
            let key = incident.key();
            if incident.is_done(settings.channels.iter().map(|channel| channel.name.as_str()), now) {
                shelf::record_incident(&*self.notes, incident).await?;
                notes.push((key, None));
            } else if changed.contains(&key) {
                notes.push((key, Some(incident)));
            }
        }
        shelf::put_incidents(&*self.notes, notes).await
    }
}

/// What became of one channel's message.
#[derive(Debug)]
enum Outcome {
    Nothing,
    Sent(usize),
    Later(Timestamp),
    Failed(Error, Timestamp),
}

impl Delivered {
    fn wake(&mut self, at: Timestamp) {
        self.again_at = Some(self.again_at.map_or(at, |known| known.min(at)));
    }
}

/// How messages of a channel are written.
fn writer<'a>(settings: &'a Settings, channel: &Channel, now: Timestamp) -> Writer<'a> {
    let Limits { bytes, style, .. } = channel.kind.limits();
    let (zone, zone_name) = (&settings.zone, settings.zone_name.as_str());
    Writer { lang: channel.lang, zone, zone_name, style, limit: bytes, now }
}

/// A name for a message: the same for the same notices to the same channel.
fn id_of(channel: &str, notices: &[(Notice, &Incident)]) -> String {
    use sha2::{Digest as _, Sha256};

    let mut digest = Sha256::new();
    digest.update(channel);
    for (notice, incident) in notices {
        digest.update(format!("\n{notice:?} {}", incident.key()));
        // Each reminder is a message of its own.
        if *notice == Notice::Reminder {
            digest.update(format!("{:?}", incident.told.get(channel).and_then(|told| told.reminded)));
        }
    }
    milkrun_core::sign::lower_hex(&digest.finalize()[..16])
}
