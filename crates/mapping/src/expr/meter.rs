//! The budget of one evaluation: every step pays, and what cannot pay ends.
//!
//! Values have no access to the evaluation they belong to (their operations are those of `jaq_core::ValT`), so the budget
//! is kept for the thread. Evaluations do not nest.

use std::cell::Cell;

/// Steps that every evaluation may take.
const STEPS: u64 = 100_000;
/// Further steps for each byte of the record.
const STEPS_PER_BYTE: u64 = 20;
/// The most steps, however large the record.
const MOST_STEPS: u64 = 2_000_000;
/// Bytes of new text or of new list that cost one step, so that memory is bounded by the steps.
const BYTES_PER_STEP: usize = 32;

/// How deep lists and objects may nest: as deep as a record may.
pub(crate) const DEEPEST: u16 = 120;

/// Why an evaluation was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It took all its steps.
    Steps,
    /// It made a value that nests too deep.
    Depth,
}

impl Stop {
    /// As the end of a sentence that begins with the expression.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Steps => format!("took more steps than it may ({} for this record)", GRANTED.get()),
            Self::Depth => format!("made a value that nests deeper than {DEEPEST}"),
        }
    }
}

thread_local! {
    static GRANTED: Cell<u64> = const { Cell::new(0) };
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static STOPPED: Cell<Option<Stop>> = const { Cell::new(None) };
}

/// Begins an evaluation over a record of so many bytes.
pub(crate) fn start(bytes: usize) {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    grant(STEPS.saturating_add(bytes.saturating_mul(STEPS_PER_BYTE)).min(MOST_STEPS));
}

/// Begins an evaluation of so many steps.
pub(crate) fn grant(steps: u64) {
    GRANTED.set(steps);
    LEFT.set(steps);
    STOPPED.set(None);
}

/// Takes `n` steps; `false` once the budget is spent.
pub(crate) fn pay(n: usize) -> bool {
    let left = LEFT.get();
    let n = u64::try_from(n).unwrap_or(u64::MAX);
    if left < n || STOPPED.get().is_some() {
        stop(Stop::Steps);
        return false;
    }
    LEFT.set(left - n);
    true
}

/// Pays for so many new bytes, before they are allocated.
pub(crate) fn pay_bytes(n: usize) -> bool {
    pay(1 + n / BYTES_PER_STEP)
}

/// Ends the evaluation; the first reason counts.
pub(crate) fn stop(why: Stop) {
    if STOPPED.get().is_none() {
        STOPPED.set(Some(why));
    }
}

/// Whether the evaluation has been ended, and why.
pub(crate) fn stopped() -> Option<Stop> {
    STOPPED.get()
}

/// The steps taken so far.
#[cfg(test)]
pub(crate) fn taken() -> u64 {
    GRANTED.get() - LEFT.get()
}
