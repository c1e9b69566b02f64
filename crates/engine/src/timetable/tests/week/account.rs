//! An account of the simulated week: its limiter on our side, and what the vendor and the other flows see of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use milkrun_core::connector::{PageRequest, Source};
use milkrun_core::page::Page;
use milkrun_core::quota::{Limiter, MemoryQuotaLog, Party, Quota, QuotaLog, QuotaSpec};
use milkrun_core::stream::StreamSpec;
use milkrun_core::{Clock, Context, Result};
use milkrun_testkit::dice::Dice;
use milkrun_testkit::world::World;

/// While a flow waits for a call, every other flow of the account gets two at most: twice what taking turns gives it.
const TWICE_ITS_SHARE: u32 = 2;

#[derive(Debug)]
pub(super) struct Account {
    name: String,
    quota: Quota,
    log: Arc<dyn QuotaLog>,
    limiter: Mutex<Arc<Limiter>>,
    /// Whether flows share a place in the queue, as if there were no turns.
    first_come: bool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    dice: Option<Dice>,
    /// When calls arrived at the vendor.
    arrivals: VecDeque<Timestamp>,
    under_way: u32,
    /// How many calls of each flow wait.
    waiting: BTreeMap<String, u32>,
    /// What others have got since the flow began to wait, or was served last.
    passed: BTreeMap<String, BTreeMap<String, u32>>,
    contended: u64,
    found: Vec<String>,
}

impl Account {
    pub(super) fn new(
        seed: u64,
        name: &str,
        quota: Quota,
        generous: bool,
        first_come: bool,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let log: Arc<dyn QuotaLog> = Arc::new(MemoryQuotaLog::default());
        let mut ours = quota.clone();
        if generous {
            ours.rates.iter_mut().for_each(|rate| rate.calls += 1);
        }
        let limiter = Limiter::new(name, &QuotaSpec::account(ours.clone()), Arc::clone(&log), Arc::clone(clock));
        let seen = Seen { dice: Some(Dice::new(seed)), ..Seen::default() };
        Self {
            name: name.to_owned(),
            quota,
            log,
            limiter: Mutex::new(Arc::new(limiter)),
            first_come,
            seen: Mutex::new(seen),
        }
    }

    /// The program has died; the log of calls is kept.
    pub(super) fn restart(&self, generous: bool, clock: &Arc<dyn Clock>) {
        let mut ours = self.quota.clone();
        if generous {
            ours.rates.iter_mut().for_each(|rate| rate.calls += 1);
        }
        let limiter = Limiter::new(&self.name, &QuotaSpec::account(ours), Arc::clone(&self.log), Arc::clone(clock));
        *self.limiter.lock().unwrap() = Arc::new(limiter);
        let seen = &mut *self.seen.lock().unwrap();
        assert!(seen.waiting.values().all(|n| *n == 0) && seen.under_way == 0, "everything was dropped");
    }

    pub(super) fn found(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap().found)
    }

    pub(super) fn contended(&self) -> u64 {
        self.seen.lock().unwrap().contended
    }

    fn ask(&self, flow: &str) {
        let seen = &mut *self.seen.lock().unwrap();
        let waiting = seen.waiting.entry(flow.to_owned()).or_default();
        *waiting += 1;
        if *waiting == 1 {
            seen.passed.remove(flow);
        }
    }

    fn give_up(&self, flow: &str) {
        *self.seen.lock().unwrap().waiting.get_mut(flow).unwrap() -= 1;
    }

    fn grant(&self, flow: &str, now: Timestamp) {
        let seen = &mut *self.seen.lock().unwrap();
        seen.passed.remove(flow);
        let others = seen.waiting.iter().filter(|(other, n)| **n > 0 && *other != flow);
        let others: Vec<String> = others.map(|(other, _)| other.clone()).collect();
        seen.contended += u64::from(!others.is_empty());
        for other in others {
            let n = seen.passed.entry(other.clone()).or_default().entry(flow.to_owned()).or_default();
            *n += 1;
            if *n > TWICE_ITS_SHARE {
                seen.found.push(format!("{now}: {other} waited while {flow} got {n} calls of {}", self.name));
            }
        }
    }

    fn arrive(&self, now: Timestamp) {
        let seen = &mut *self.seen.lock().unwrap();
        seen.under_way += 1;
        seen.arrivals.push_back(now);
        let age = |at: Timestamp| now.duration_since(at);
        let signed = |per: Duration| SignedDuration::try_from(per).unwrap();
        let longest = self.quota.rates.iter().map(|rate| signed(rate.per)).max().unwrap();
        while seen.arrivals.front().is_some_and(|at| age(*at) > longest) {
            seen.arrivals.pop_front();
        }
        for rate in &self.quota.rates {
            let n = seen.arrivals.iter().rev().take_while(|at| age(**at) <= signed(rate.per)).count();
            if n > rate.calls as usize {
                seen.found.push(format!("{now}: {} is over its limit: {n} calls in {:?}", self.name, rate.per));
            }
        }
        if seen.under_way > self.quota.concurrency {
            seen.found.push(format!("{now}: {} is over its limit: {} calls at once", self.name, seen.under_way));
        }
    }

    fn leave(&self) {
        self.seen.lock().unwrap().under_way -= 1;
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(self.seen.lock().unwrap().dice.as_mut().unwrap().below(120))
    }
}

/// Says what has become of a call, also if the program dies under it.
struct Asked<'a> {
    account: &'a Account,
    flow: &'a str,
    is_waiting: bool,
    has_arrived: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.account.give_up(self.flow);
        }
        if self.has_arrived {
            self.account.leave();
        }
    }
}

/// A flow's world behind its account.
#[derive(Debug)]
pub(super) struct Limited {
    pub(super) flow: String,
    pub(super) world: World,
    pub(super) account: Arc<Account>,
}

#[async_trait]
impl Source for Limited {
    fn streams(&self) -> &[StreamSpec] {
        self.world.streams()
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        self.world.check(cx).await
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let account = &*self.account;
        let limiter = Arc::clone(&*account.limiter.lock().unwrap());
        let nobody = Party::default();
        let party = if account.first_come { &nobody } else { cx.party() };
        let mut asked = Asked { account, flow: &self.flow, is_waiting: true, has_arrived: false };
        account.ask(&self.flow);
        let permit = limiter.acquire(party, "pages").await?;
        account.give_up(&self.flow);
        asked.is_waiting = false;
        account.grant(&self.flow, cx.now());
        cx.clock().sleep(account.delay()).await;
        account.arrive(cx.now());
        asked.has_arrived = true;
        let page = self.world.read_page(cx, ask).await;
        drop(asked);
        drop(permit);
        page
    }
}
