//! What happens to a call from its arrival to its answer, whoever carries it: limits, faults, the vendor, the log.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::dice::Dice;
use crate::faults::{Fault, FaultRule, Faults};
use crate::limits::Limiter;
use crate::stats::{CallLog, CallRecord};
use crate::vendor::{Answer, Call, Inbound, Moment, Vendor};

/// Largest request body; the vendors' own limits lie far below.
pub(crate) const BODY_LIMIT: usize = 8 << 20;

/// What each simulator is started with, whatever the vendor.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) seed: u64,
    pub(crate) port: u16,
    pub(crate) limits: Vec<(u32, Duration)>,
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    pub(crate) clock_start: Timestamp,
    pub(crate) clock_frozen: bool,
    pub(crate) faults: Vec<FaultRule>,
}

/// All that changes while the simulator runs.
pub(crate) struct State {
    pub(crate) vendor: Box<dyn Vendor>,
    pub(crate) clock: Clock,
    pub(crate) limiter: Limiter,
    pub(crate) faults: Faults,
    pub(crate) log: CallLog,
    calls: u64,
}

/// The state with what is needed around it.
pub(crate) struct Shared {
    state: Mutex<State>,
    seed: u64,
    latency: Duration,
    jitter: Duration,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// How long one call takes on both of its ways.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ways {
    /// Until it arrives.
    pub(crate) there: Duration,
    /// From its answer until the caller has it.
    pub(crate) back: Duration,
}

/// How an answer gets to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carriage {
    /// It arrives.
    Whole,
    /// Nothing was done, and the connection is reset.
    Reset,
    /// The call was done, and the connection is reset.
    Lost,
    /// The call was done, and the connection ends after so many bytes, most of the head among them.
    Cut(usize),
}

/// An answer, how it is carried, and how long after the arrival the caller has it.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) answer: Answer,
    pub(crate) carriage: Carriage,
    pub(crate) hold: Duration,
}

impl Shared {
    /// A vendor's simulator before its first call.
    pub(crate) fn new(frame: Frame, vendor: Box<dyn Vendor>) -> Self {
        let mut faults = Faults::default();
        frame.faults.into_iter().for_each(|rule| faults.add(rule));
        let state = State {
            vendor,
            clock: Clock::new(Some(frame.clock_start), frame.clock_frozen),
            limiter: Limiter::new(&frame.limits),
            faults,
            log: CallLog::default(),
            calls: 0,
        };
        Self { state: Mutex::new(state), seed: frame.seed, latency: frame.latency, jitter: frame.jitter }
    }

    /// The state; what a panicking call left is still used, since every step leaves it whole.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that is about to set out, and rolls how long it will be on its ways.
    pub(crate) fn set_out(&self) -> Ways {
        let mut state = self.state();
        state.calls += 1;
        let mut dice = Dice::new(self.seed, u64::MAX, state.calls);
        Ways { there: self.one_way(&mut dice), back: self.one_way(&mut dice) }
    }

    /// Half of the latency and up to half of the jitter.
    fn one_way(&self, dice: &mut Dice) -> Duration {
        let most = i64::try_from(self.jitter.as_micros() / 2).unwrap_or(i64::MAX - 1);
        self.latency / 2 + Duration::from_micros(dice.below(most + 1).unsigned_abs())
    }

    /// Answers a call that has arrived and whose answer will be `back` on its way.
    pub(crate) fn judge(&self, inbound: &Inbound<'_>, back: Duration) -> Judged {
        judge(&mut self.state(), inbound, back)
    }
}

fn judge(state: &mut State, inbound: &Inbound<'_>, back: Duration) -> Judged {
    let plain = |answer| Judged { answer, carriage: Carriage::Whole, hold: back };
    if inbound.body.len() > BODY_LIMIT {
        return plain(Answer::html(413, "Request Entity Too Large"));
    }
    let at_ms = state.clock.now_ms();
    let call = match state.vendor.understand(inbound) {
        Ok(call) => call,
        Err(answer) => {
            log(state, at_ms, Call::default(), &answer, &[]);
            return plain(answer);
        }
    };
    if let Err(refusal) = state.limiter.admit(state.clock.elapsed()) {
        let answer = state.vendor.throttled(refusal);
        log(state, at_ms, call, &answer, &[]);
        return plain(answer);
    }
    let faults = state.faults.strike(&call.method);
    let instead = faults.iter().find_map(|fault| match fault {
        Fault::Reset => Some(Answer { outcome: "reset".to_owned(), ..Answer::html(200, "") }),
        Fault::Html => Some(Answer { outcome: "html".to_owned(), ..Answer::html(200, "系统维护中") }),
        Fault::EmptyBody => {
            Some(Answer { outcome: "empty-body".to_owned(), body: String::new(), ..Answer::html(200, "") })
        }
        Fault::HttpStatus { status } => Some(Answer::html(*status, "Service Unavailable")),
        Fault::VendorCode { code, message } => Some(state.vendor.envelope(code, message)),
        _ => None,
    });
    let slow = |fault: &Fault| if let Fault::Slow { delay } = fault { *delay } else { Duration::ZERO };
    let hold = faults.iter().map(slow).fold(back, Duration::saturating_add);
    let mut answer = instead.unwrap_or_else(|| {
        let moment = Moment { now_ms: at_ms, n: state.calls, faults: &faults, hold };
        state.vendor.answer(&call, moment)
    });
    state.faults.note_drift(&call.method, answer.drifted);
    log(state, at_ms, call, &answer, &faults);
    if faults.contains(&Fault::Truncated) {
        let half = answer.body.floor_char_boundary(answer.body.len() / 2);
        answer.body.truncate(half);
    }
    let carriage = if faults.contains(&Fault::Reset) {
        Carriage::Reset
    } else if faults.contains(&Fault::LostAnswer) {
        Carriage::Lost
    } else if faults.contains(&Fault::Cut) {
        // The head takes 100 to 200 bytes; a small body is cut off within the head.
        Carriage::Cut(if answer.body.len() > 300 { 100 + answer.body.len() / 2 } else { 50 })
    } else {
        Carriage::Whole
    };
    Judged { answer, carriage, hold }
}

fn log(state: &mut State, at_ms: i64, call: Call, answer: &Answer, faults: &[Fault]) {
    let boxed = |text: Option<String>| text.map(String::into_boxed_str);
    state.log.push(CallRecord {
        n: 0,
        at_ms,
        method: call.method.into(),
        page_no: boxed(call.page_no),
        page_size: boxed(call.page_size),
        window: boxed(call.window),
        key: boxed(call.key),
        outcome: answer.outcome.as_str().into(),
        rows: answer.rows,
        faults: faults.iter().map(Fault::name).collect(),
    });
}
