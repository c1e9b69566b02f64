//! Whose call is next: parties that wait take turns, in proportion to their weights.
//!
//! Start-time fair queueing with calls of one size: each call of a party costs it so much virtual time as its weight
//! says, and the party that is served least goes first. A party that comes back after a while starts where the others
//! are; it is not owed its past. Before a party's next call, every other party of the same weight has at most two.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::log::{Full, Lane};
use super::{Rate, signed};

/// Who asks for calls: parties of one account share its quota fairly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The name, such as the flow's.
    pub name: Arc<str>,
    /// The most it may use of every limit, in percent, 1 to 100. Beside others it has that much of a full party's weight.
    pub share: u8,
}

impl Default for Party {
    fn default() -> Self {
        Self { name: "".into(), share: 100 }
    }
}

impl Party {
    /// A party that may use every limit whole.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), share: 100 }
    }

    fn weight(&self) -> u64 {
        u64::from(self.share.clamp(1, 100))
    }
}

/// What one call of a party of weight 1 costs in virtual time.
const COST: u64 = 1_000_000;

/// The calls that wait for one account's quota.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// By the order of asking.
    calls: BTreeMap<u64, Call>,
    next_id: u64,
    /// The virtual time: where the party served last began.
    now: u64,
    /// For each party that was served lately, where its next call begins.
    parties: HashMap<(Arc<str>, u8), u64>,
    /// Lanes that have no room before an instant.
    closed: HashMap<String, Closed>,
    /// The call that asks the log just now: one at a time.
    asking: Option<u64>,
}

/// Until when a lane has no room, and which of its rates is full.
#[derive(Clone, Copy, Debug)]
struct Closed {
    until: Timestamp,
    rate: Option<Rate>,
}

/// What the first of some waiting calls waits for, as far as that is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It may have room now.
    Open,
    /// A lane is full.
    Closed {
        /// The lane's name.
        lane: String,
        /// Which of its rates; `None` if as many calls are under way as may be.
        rate: Option<Rate>,
        /// Until when.
        until: Timestamp,
    },
}

#[derive(Debug)]
struct Call {
    party: Party,
    /// Before all others: without it, none of them is of any use.
    urgent: bool,
    lanes: Arc<[Lane]>,
    wake: Arc<Notify>,
}

/// What a waiting call has to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask the log.
    Ask,
    /// Wait until it is woken.
    Wait,
    /// Wait until it is woken, or until its lanes may have room again.
    WaitUntil(Timestamp),
}

impl Queue {
    /// Takes a place; it is given back when the result is dropped.
    pub(super) fn enter(&self, party: &Party, urgent: bool, lanes: Arc<[Lane]>) -> Place<'_> {
        let wake = Arc::new(Notify::new());
        let mut waiting = self.lock();
        waiting.next_id += 1;
        let id = waiting.next_id;
        waiting.calls.insert(id, Call { party: party.clone(), urgent, lanes, wake: Arc::clone(&wake) });
        Place { queue: self, id, wake }
    }

    /// A call has ended: its lanes may have room again.
    pub(super) fn ended(&self, lanes: &[Lane], now: Timestamp) {
        let mut waiting = self.lock();
        for lane in lanes {
            waiting.closed.remove(&lane.name);
        }
        waiting.wake_first(now);
    }

    /// What the first of a party's waiting calls waits for; `None` if none waits. What is urgent is nobody's: it is asked
    /// for without a party.
    pub(super) fn room(&self, party: Option<&str>, now: Timestamp) -> Option<Room> {
        let waiting = self.lock();
        let own = waiting.calls.values().filter(|call| match party {
            Some(party) => !call.urgent && *call.party.name == *party,
            None => call.urgent,
        });
        // A call whose lanes have room is before all.
        let first =
            own.map(|call| waiting.closed(call, now)).min_by_key(|closed| closed.map(|(_, closed)| closed.until));
        Some(match first? {
            None => Room::Open,
            Some((lane, Closed { until, rate })) => Room::Closed { lane: lane.name.clone(), rate, until },
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().expect("no holder panics")
    }
}

impl Waiting {
    /// Where the next call of a party begins.
    fn start(&self, party: &Party) -> u64 {
        self.parties.get(&(Arc::clone(&party.name), party.share)).map_or(self.now, |&start| start.max(self.now))
    }

    /// The lane of a call that has no room for the longest time.
    fn closed<'a>(&self, call: &'a Call, now: Timestamp) -> Option<(&'a Lane, Closed)> {
        let closed = call.lanes.iter().filter_map(|lane| Some((lane, *self.closed.get(&lane.name)?)));
        closed.filter(|(_, closed)| closed.until > now).max_by_key(|(_, closed)| closed.until)
    }

    fn closed_until(&self, call: &Call, now: Timestamp) -> Option<Timestamp> {
        self.closed(call, now).map(|(_, closed)| closed.until)
    }

    /// The call that is next, of those whose lanes may have room.
    fn first(&self, now: Timestamp) -> Option<u64> {
        let open = self.calls.iter().filter(|(_, call)| self.closed_until(call, now).is_none());
        open.min_by_key(|(id, call)| (!call.urgent, self.start(&call.party), 100 - call.party.share.min(100), **id))
            .map(|(&id, _)| id)
    }

    /// Wakes the call that is next, unless one is asking: that one does it when it knows more.
    fn wake_first(&self, now: Timestamp) {
        if self.asking.is_none()
            && let Some(call) = self.first(now).and_then(|id| self.calls.get(&id))
        {
            call.wake.notify_one();
        }
    }

    /// A party has got a call: its next one begins later.
    fn serve(&mut self, party: &Party) {
        let start = self.start(party);
        self.now = start;
        self.parties.retain(|_, next| *next > start);
        self.parties.insert((Arc::clone(&party.name), party.share), start + COST / party.weight());
    }
}

/// A call's place among those that wait.
#[derive(Debug)]
pub(super) struct Place<'a> {
    queue: &'a Queue,
    id: u64,
    wake: Arc<Notify>,
}

impl Place<'_> {
    /// What the call has to do now. After [`Step::Ask`] it owes one of [`Place::full`] and [`Place::served`].
    pub(super) fn step(&self, now: Timestamp) -> Step {
        let mut waiting = self.queue.lock();
        let own = waiting.calls.get(&self.id).expect("a place has its call");
        if let Some(until) = waiting.closed_until(own, now) {
            waiting.wake_first(now);
            return Step::WaitUntil(until);
        }
        if waiting.asking.is_some() {
            return Step::Wait;
        }
        if waiting.first(now) == Some(self.id) {
            waiting.asking = Some(self.id);
            return Step::Ask;
        }
        waiting.wake_first(now);
        Step::Wait
    }

    /// The log says that the lane has no room.
    pub(super) fn full(&self, lane: usize, full: Full, now: Timestamp) {
        let mut waiting = self.queue.lock();
        let call = waiting.calls.get(&self.id).expect("a place has its call");
        if let Some(lane) = call.lanes.get(lane) {
            let name = lane.name.clone();
            waiting.closed.insert(name, Closed { until: now + signed(full.wait), rate: full.rate });
        }
        waiting.asking = None;
        waiting.wake_first(now);
    }

    /// The log has let the call through. Others go on when the place is dropped.
    pub(super) fn served(&self) {
        let mut waiting = self.queue.lock();
        let call = waiting.calls.get(&self.id).expect("a place has its call");
        // What is urgent is nobody's: it costs its party nothing.
        if !call.urgent {
            let party = call.party.clone();
            waiting.serve(&party);
        }
    }

    /// Returns when the call should look again.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Gives the place back.
    pub(super) fn leave(self, now: Timestamp) {
        self.give_back(Some(now));
    }

    fn give_back(&self, now: Option<Timestamp>) {
        let mut waiting = self.queue.lock();
        if waiting.calls.remove(&self.id).is_none() {
            return;
        }
        if waiting.asking == Some(self.id) {
            waiting.asking = None;
        }
        waiting.wake_first(now.unwrap_or(Timestamp::MAX));
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // The first of all is woken, whether its lanes have room or not: it sees for itself, and wakes who is before it.
        self.give_back(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Quota;

    fn lanes() -> Arc<[Lane]> {
        Arc::new([Lane { name: "km".into(), quota: Quota::per_second(1) }])
    }

    /// Serves `n` calls, keeping so many of each party waiting, and tells how many each got.
    fn serve(queue: &Queue, parties: &[(&str, u8, usize)], n: usize) -> BTreeMap<String, usize> {
        let now = Timestamp::UNIX_EPOCH;
        let mut got = BTreeMap::new();
        let party = |name: &str, share| Party { share, ..Party::new(name) };
        let mut waiting: Vec<(Party, Place<'_>)> = Vec::new();
        for &(name, share, n_calls) in parties {
            for _ in 0..n_calls {
                waiting.push((party(name, share), queue.enter(&party(name, share), false, lanes())));
            }
        }
        for _ in 0..n {
            let first = waiting.iter().position(|(_, place)| place.step(now) == Step::Ask).unwrap();
            let (party, place) = waiting.remove(first);
            place.served();
            place.leave(now);
            *got.entry(party.name.to_string()).or_default() += 1;
            let again = queue.enter(&party, false, lanes());
            waiting.push((party, again));
        }
        got
    }

    #[test]
    fn parties_are_served_by_weight_whatever_they_ask() {
        let queue = Queue::default();
        let got = serve(&queue, &[("many", 100, 40), ("one", 100, 1), ("half", 50, 7)], 1000);
        assert_eq!(got, BTreeMap::from([("many".into(), 400), ("one".into(), 400), ("half".into(), 200)]));
        // Who comes later is not owed what the others had meanwhile.
        let got = serve(&queue, &[("many", 100, 3), ("late", 100, 3)], 100);
        assert_eq!(got, BTreeMap::from([("many".into(), 50), ("late".into(), 50)]));
    }

    #[test]
    fn what_is_urgent_is_first_and_a_closed_lane_holds_up_only_its_own() {
        let (queue, now) = (Queue::default(), Timestamp::UNIX_EPOCH);
        let later = now + jiff::SignedDuration::from_secs(1);
        let full = Full { rate: Some(lanes()[0].quota.rates[0]), wait: std::time::Duration::from_secs(1) };
        let slow: Arc<[Lane]> =
            lanes().iter().cloned().chain([Lane { name: "km/slow".into(), quota: Quota::per_second(1) }]).collect();
        let first = queue.enter(&Party::new("a"), false, slow);
        let second = queue.enter(&Party::new("a"), false, lanes());
        assert_eq!(second.step(now), Step::Wait);
        assert_eq!(first.step(now), Step::Ask);
        first.full(1, full, now);
        let login = queue.enter(&Party::new("a"), true, lanes());
        assert_eq!(second.step(now), Step::Wait);
        assert_eq!(login.step(now), Step::Ask);
        drop(login);
        assert_eq!(second.step(now), Step::Ask);
        second.full(0, full, now);
        assert_eq!(second.step(now), Step::WaitUntil(later));
        assert_eq!(second.step(later), Step::Wait);
        assert_eq!(first.step(later), Step::Ask);
        drop(first);
        assert_eq!(second.step(later), Step::Ask);
    }
}
