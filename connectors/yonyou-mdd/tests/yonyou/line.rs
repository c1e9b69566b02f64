//! The line to a simulated Yonyou in the same process: calls take their time, come late, get lost, and go on when the
//! caller is dead.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use milkrun_core::transport::{Answer, Carrier, Verb, Wire};
use milkrun_core::{Clock, Error, ErrorKind, Result, async_trait};
use milkrun_sandbox::{Carried, Control, Fault, FaultRule, InProcess};
use milkrun_testkit::dice::Dice;

/// The chances of trouble with one call, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trouble {
    /// The call is torn before it arrives.
    pub(crate) lost_before: u64,
    /// It arrives, and its answer is torn.
    pub(crate) lost_after: u64,
    /// It arrives, and its answer takes so long that the caller or the gateway gives up.
    pub(crate) slow: u64,
    /// It arrives only after the caller has given up.
    pub(crate) late: u64,
    /// The gateway says that it timed out, and nothing was done.
    pub(crate) timed_out: u64,
    /// The back end fails, or the gateway throttles.
    pub(crate) fails: u64,
    /// The back end refuses the document.
    pub(crate) refuses: u64,
}

/// The line. Clones share it.
#[derive(Clone)]
pub(crate) struct Line(Arc<Inner>);

struct Inner {
    vendor: InProcess,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    trouble: Trouble,
    n_saves: u64,
    /// Saves that are on their way, by key.
    under_way: BTreeMap<String, u32>,
}

/// Where the address of the simulated vendor begins.
pub(crate) const HOST: &str = "https://yonyou.example";

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    pub(crate) fn new(vendor: InProcess, clock: &Arc<dyn Clock>, seed: u64) -> Self {
        let state = State {
            dice: Dice::new(seed ^ 0x11_4E),
            trouble: Trouble::default(),
            n_saves: 0,
            under_way: BTreeMap::new(),
        };
        Self(Arc::new(Inner { vendor, clock: Arc::clone(clock), state: Mutex::new(state) }))
    }

    pub(crate) fn control(&self) -> Control {
        self.0.vendor.control()
    }

    pub(crate) fn set_trouble(&self, trouble: Trouble) {
        self.0.state.lock().unwrap().trouble = trouble;
    }

    /// Calls that carried a document to be saved.
    pub(crate) fn n_saves(&self) -> u64 {
        self.0.state.lock().unwrap().n_saves
    }

    /// Whether the back end may refuse a save with this key: it is asked only for keys that it does not know, and gives
    /// one answer to all calls that are on their way.
    fn may_refuse(&self, key: &str) -> bool {
        let known = self.control().received("purchase-order").unwrap();
        let succeeded = known.iter().any(|received| received.key == key && !received.ids.is_empty());
        !succeeded && self.0.state.lock().unwrap().under_way.get(key) == Some(&1)
    }

    async fn travel(self, verb: Verb, wire: Wire) -> Result<Answer> {
        let key = wire.body.split("\"resubmitCheckKey\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let Some(key) = key.map(str::to_owned) else { return self.there_and_back(verb, wire, None).await };
        {
            let state = &mut *self.0.state.lock().unwrap();
            state.n_saves += 1;
            *state.under_way.entry(key.clone()).or_default() += 1;
        }
        let answer = self.there_and_back(verb, wire, Some(&key)).await;
        *self.0.state.lock().unwrap().under_way.get_mut(&key).unwrap() -= 1;
        answer
    }

    /// One call, from here to there and back.
    async fn there_and_back(&self, verb: Verb, wire: Wire, key: Option<&str>) -> Result<Answer> {
        let torn = || Error::new(ErrorKind::OutcomeUnknown, "the line was torn");
        let (there, lost_before, lost_after, fault) = {
            let state = &mut *self.0.state.lock().unwrap();
            let trouble = state.trouble;
            let dice = &mut state.dice;
            let mut hits = |percent| dice.percent(percent);
            let (late, slow) = (hits(trouble.late), hits(trouble.slow));
            let code = |code: &str| Some(Fault::VendorCode { code: code.to_owned(), message: "fault".to_owned() });
            let fault = match () {
                () if slow => Some(Fault::Slow { delay: Duration::from_secs(25 + dice.below(20)) }),
                () if dice.percent(trouble.timed_out) => code("310504"),
                () if dice.percent(trouble.refuses) => code("999"),
                () if dice.percent(trouble.fails) => code(["310071", "310046", "315001"][dice.index(3).unwrap()]),
                () => None,
            };
            let there = if late { 31_000 + dice.below(30_000) } else { dice.below(150) };
            (Duration::from_millis(there), dice.percent(trouble.lost_before), dice.percent(trouble.lost_after), fault)
        };
        self.0.clock.sleep(there).await;
        if lost_before {
            return Err(torn());
        }
        let control = self.control();
        control.set_clock(self.0.clock.now());
        let refuses = matches!(&fault, Some(Fault::VendorCode { code, .. }) if code == "999");
        if let Some(fault) = fault.filter(|_| !refuses || key.is_some_and(|key| self.may_refuse(key))) {
            control.add_fault(FaultRule::new(fault).next(1));
        }
        let verb = if verb == Verb::Get { "GET" } else { "POST" };
        let headers: Vec<(&str, &str)> = wire.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let path = wire.url.strip_prefix(HOST).expect("the vendor has one address");
        let outcome = self.0.vendor.call(verb, path, &headers, wire.body.as_bytes());
        control.clear_faults();
        self.0.clock.sleep(outcome.took).await;
        match outcome.carried {
            Carried::Whole(_) if lost_after => Err(torn()),
            Carried::Whole(answer) => Ok(Answer {
                status: answer.status,
                retry_after: answer.retry_after.map(Duration::from_secs),
                body: Arc::new(answer.body),
            }),
            _ => Err(torn()),
        }
    }
}

#[async_trait]
impl Carrier for Line {
    #[expect(clippy::disallowed_methods, reason = "the vendor of the tests lives beside them")]
    async fn carry(&self, verb: Verb, wire: Wire, _: usize) -> Result<Answer> {
        // What is on its way arrives, even if nobody waits for the answer any more.
        let travel = tokio::spawn(self.clone().travel(verb, wire));
        travel.await.expect("the line does not panic")
    }
}
