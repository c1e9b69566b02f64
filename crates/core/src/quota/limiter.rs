//! How a caller waits for its call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::log::{Admission, Full, Lane, MemoryQuotaLog, QuotaLog};
use super::pace::Pace;
use super::queue::{Party, Queue, Room, Step};
use super::{QuotaSpec, Rate, signed};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

/// Lets the calls of an account through, never more than the quota allows.
///
/// Parties that wait take turns in proportion to their weights; within a party, calls go in the order they ask. What
/// the account cannot do without, such as the renewal of its token, goes before all.
#[derive(Debug)]
pub struct Limiter {
    account: Lane,
    endpoints: BTreeMap<String, Lane>,
    log: Arc<dyn QuotaLog>,
    /// For calls without a rate: there is nothing that other processes or a restart would have to know.
    local: Arc<dyn QuotaLog>,
    clock: Arc<dyn Clock>,
    pace: Option<Pace>,
    queue: Queue,
    /// No call before this instant: the vendor said that it is too fast.
    pause: Mutex<Option<Timestamp>>,
}

impl Limiter {
    /// A limiter for `account`.
    pub fn new(account: &str, spec: &QuotaSpec, log: Arc<dyn QuotaLog>, clock: Arc<dyn Clock>) -> Self {
        let endpoint = |(name, quota): (&String, &super::Quota)| {
            (name.clone(), Lane { name: format!("{account}/{name}"), quota: quota.clone() })
        };
        Self {
            account: Lane { name: account.to_owned(), quota: spec.account.clone() },
            endpoints: spec.endpoints.iter().map(endpoint).collect(),
            pace: Pace::new(&spec.account, &clock),
            log,
            local: Arc::new(MemoryQuotaLog::default()),
            clock,
            queue: Queue::default(),
            pause: Mutex::new(None),
        }
    }

    /// The account.
    pub fn account(&self) -> &str {
        &self.account.name
    }

    /// The lanes that count a call: the account's, the endpoint's, and the same for the party where it is bounded.
    fn lanes(&self, party: &Party, urgent: bool, endpoint: &str) -> Arc<[Lane]> {
        let common = std::iter::once(&self.account).chain(self.endpoints.get(endpoint));
        let bounded = (party.share < 100 && !urgent).then(|| {
            let part = |lane: &Lane| Lane {
                name: format!("{}@{}", lane.name, party.name),
                quota: lane.quota.percent(party.share),
            };
            common.clone().map(part).collect::<Vec<_>>()
        });
        common.cloned().chain(bounded.into_iter().flatten()).collect()
    }

    /// Waits until `party` may send a call to `endpoint`. Dropping the permit says that its answer is there.
    ///
    /// # Errors
    /// Those of the log of calls.
    pub async fn acquire(&self, party: &Party, endpoint: &str) -> Result<Permit<'_>> {
        self.wait_for_turn(party, false, endpoint).await
    }

    /// Like [`Limiter::acquire`], before all others: for what the account cannot do without.
    ///
    /// # Errors
    /// Those of the log of calls.
    pub async fn acquire_first(&self, endpoint: &str) -> Result<Permit<'_>> {
        self.wait_for_turn(&Party::default(), true, endpoint).await
    }

    async fn wait_for_turn(&self, party: &Party, urgent: bool, endpoint: &str) -> Result<Permit<'_>> {
        let lanes = self.lanes(party, urgent, endpoint);
        let place = self.queue.enter(party, urgent, Arc::clone(&lanes));
        loop {
            let pause = self.pause_left();
            if !pause.is_zero() {
                self.clock.sleep(pause).await;
                continue;
            }
            let now = self.clock.now();
            match place.step(now) {
                Step::Wait => place.woken().await,
                Step::WaitUntil(until) => {
                    let wait = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
                    tokio::select! {
                        () = self.clock.sleep(wait) => {}
                        () = place.woken() => {}
                    }
                }
                Step::Ask => match self.ask(&lanes, now).await? {
                    Answer::Full { lane, full } => place.full(lane, full, self.clock.now()),
                    Answer::Entered(ticket) => {
                        place.served();
                        let permit = Permit { limiter: self, lanes, ticket: Some(ticket) };
                        let pace = self.pace.as_ref().map_or(Duration::ZERO, Pace::wait);
                        if !pace.is_zero() {
                            self.clock.sleep(pace).await;
                        }
                        place.leave(self.clock.now());
                        return Ok(permit);
                    }
                },
            }
        }
    }

    /// Asks the log. A caller that is gone before its answer has no call under way.
    async fn ask(&self, lanes: &Arc<[Lane]>, now: Timestamp) -> Result<Answer> {
        let is_local = lanes.iter().all(|lane| lane.quota.rates.is_empty());
        let log = Arc::clone(if is_local { &self.local } else { &self.log });
        let (clock, lanes) = (Arc::clone(&self.clock), Arc::clone(lanes));
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            let answer = log.enter(&lanes, now).await.map(|admission| match admission {
                Admission::Entered(number) => Answer::Entered(Ticket { log, clock, number }),
                Admission::Wait { lane, full } => Answer::Full { lane, full },
            });
            drop(tell.send(answer));
        });
        told.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::State, "the log of calls gave no answer")))
    }

    fn pause_left(&self) -> Duration {
        let pause = *self.pause.lock().expect("no holder panics");
        pause.map_or(Duration::ZERO, |until| {
            Duration::try_from(until.duration_since(self.clock.now())).unwrap_or(Duration::ZERO)
        })
    }

    /// Sends nothing for `wait`: the vendor said that it is too fast.
    pub fn pause(&self, wait: Duration) {
        let until = self.clock.now() + signed(wait);
        let mut pause = self.pause.lock().expect("no holder panics");
        *pause = Some(pause.map_or(until, |old| old.max(until)));
    }

    /// What holds up all calls of a party that wait now, for `at_least` so long; nothing if none waits, or one may go on.
    pub fn held_up(&self, party: &str, at_least: Duration) -> Option<HeldUp> {
        self.held_up_of(Some(party), at_least)
    }

    /// The same for what the account cannot do without.
    pub(crate) fn held_up_first(&self, at_least: Duration) -> Option<HeldUp> {
        self.held_up_of(None, at_least)
    }

    fn held_up_of(&self, party: Option<&str>, at_least: Duration) -> Option<HeldUp> {
        let now = self.clock.now();
        let closed = match self.queue.room(party, now)? {
            Room::Open => None,
            Room::Closed { lane, rate, until } => Some((HeldBy::Limit(self.limit(&lane, rate)), until)),
        };
        let pause = self.pause.lock().expect("no holder panics").map(|until| (HeldBy::Vendor, until));
        let (by, until) = [pause, closed].into_iter().flatten().max_by_key(|(_, until)| *until)?;
        let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        let account = self.account.name.clone();
        (!left.is_zero() && left >= at_least).then_some(HeldUp { account, by, until: Some(until) })
    }

    /// Whose lane it is.
    fn limit(&self, lane: &str, rate: Option<Rate>) -> Limit {
        let endpoints = self.endpoints.iter().map(|(endpoint, own)| (Some(endpoint), own));
        let own = |(endpoint, own): (Option<&String>, &Lane)| {
            let rest = lane.strip_prefix(own.name.as_str())?;
            let is_own = rest.is_empty() || rest.starts_with('@');
            is_own.then(|| Limit { endpoint: endpoint.cloned(), is_share: !rest.is_empty(), rate })
        };
        let limit = endpoints.chain([(None, &self.account)]).find_map(own);
        limit.unwrap_or(Limit { endpoint: None, is_share: false, rate })
    }

    /// How many calls are left now in the fullest window, and the window; `None` without a limit.
    ///
    /// # Errors
    /// Those of the log of calls.
    pub async fn left(&self) -> Result<Option<(u32, Rate)>> {
        let left = self.log.left(&self.account, self.clock.now()).await?;
        Ok(left.into_iter().zip(self.account.quota.rates.iter().copied()).min_by_key(|(left, _)| *left))
    }
}

/// Why calls that want to be sent are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldUp {
    /// The account.
    pub account: String,
    /// What holds them.
    pub by: HeldBy,
    /// Until when, as far as is known now.
    pub until: Option<Timestamp>,
}

/// What holds calls up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// A limit has no room.
    Limit(Limit),
    /// The vendor said that calls come too fast.
    Vendor,
    /// The account's token is being renewed.
    Renewal,
}

/// A limit of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The endpoint, if it is not that of all calls.
    pub endpoint: Option<String>,
    /// Whether it is the share that a party may use of the limit.
    pub is_share: bool,
    /// The rate; `None` if as many calls are under way as may be.
    pub rate: Option<Rate>,
}

/// What the log says to a call.
enum Answer {
    Entered(Ticket),
    Full { lane: usize, full: Full },
}

/// A call that the log counts as under way; dropping it ends it.
#[derive(Debug)]
struct Ticket {
    log: Arc<dyn QuotaLog>,
    clock: Arc<dyn Clock>,
    number: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.log.leave(self.number, self.clock.now());
    }
}

/// Leave to send one call; dropping it says that the answer is there.
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    lanes: Arc<[Lane]>,
    ticket: Option<Ticket>,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // First the log, then those who ask it.
        self.ticket = None;
        self.limiter.queue.ended(&self.lanes, self.limiter.clock.now());
    }
}
