//! `chaos`: a flow is killed at random moments until it has read everything; each record has to arrive exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::args::Args;
use crate::dice::Dice;
use crate::installation::{self, Flow, Installation, Quota, Sandbox, keys_of, remove, scratch};
use crate::process::Running;
use crate::time::{DAY, now, rfc3339};
use crate::{Result, shell};

/// What a round is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chaos {
    /// How often the process is killed; if everything is read before, it is read anew.
    pub(crate) kills: u32,
    pub(crate) orders: u32,
    pub(crate) seed: u64,
    pub(crate) release: bool,
}

/// Records of a page.
const PAGE: u64 = 20;
/// How long a call is on its way, in milliseconds, so that a life has time to be ended in.
const LATENCY: &str = "20";
/// What the last life said.
const LOG: &str = "last-life.log";
/// After so long without a call, a run is stuck.
const PATIENCE: Duration = Duration::from_mins(2);

/// `cargo xtask chaos`.
pub(crate) fn main(mut args: Args) -> Result {
    let chaos = Chaos {
        kills: args.option("--kills")?.unwrap_or(200),
        orders: args.option("--orders")?.unwrap_or(50_000),
        seed: args.option("--seed")?.unwrap_or(1),
        release: args.flag("--release"),
    };
    args.finish()?;
    run(&shell::root(), &chaos).map(drop)
}

/// What was seen of all lives together.
#[derive(Debug, Default)]
struct Seen {
    kills: u32,
    /// Kills before the first call of a life, while it read, and after its last page was asked for.
    kills_early: u32,
    calls: u64,
    /// Pages that were asked for again, and the most of one slice in one life.
    again: u64,
    most_again: u64,
    rounds: u32,
}

/// Plays a round and returns what it saw in one line.
///
/// # Errors
/// If anything was lost or doubled, or more than one page of a slice was fetched again after a kill.
pub(crate) fn run(root: &Path, chaos: &Chaos) -> Result<String> {
    let milkrun = installation::build(root, chaos.release)?;
    let folder = scratch(root, "chaos")?;
    let (orders, seed) = (chaos.orders.to_string(), chaos.seed.to_string());
    let arguments = ["--orders", &orders, "--seed", &seed, "--limit", "none", "--latency", LATENCY];
    let begun = Instant::now();
    let sandbox = Sandbox::start(&milkrun, &arguments)?;
    // The simulator's newest order is an hour old. A fixed end, and no reaching back, keep the slices the same in every
    // life, so that each call can be told to be new or a repetition.
    let until = now() / 1000 * 1000 - DAY / 48;
    let flow = Flow {
        stream: "orders",
        source: format!(
            "since = \"{}\"\nuntil = \"{}\"\nlookback = \"0\"\npage_size = {PAGE}",
            rfc3339(until - 31 * DAY),
            rfc3339(until)
        ),
        sink: String::new(),
        mapping: String::new(),
    };
    let truth: BTreeSet<String> = sandbox.truth("orders")?.into_iter().collect();
    let mut dice = Dice(chaos.seed);
    let mut seen = Seen::default();
    while seen.rounds == 0 || seen.kills < chaos.kills {
        seen.rounds += 1;
        let installation = Installation::make(
            &folder.join(seen.rounds.to_string()),
            &sandbox.url,
            Quota::Unlimited,
            std::slice::from_ref(&flow),
        )?;
        round(&milkrun, &sandbox, &installation, chaos, &mut dice, &mut seen)?;
        compare(&installation, &truth)?;
        remove(&installation.folder)?;
    }
    remove(&folder)?;
    let line = format!(
        "{} kills ({} before the first call), {} complete readings of {} orders, {} calls, {} pages fetched again \
         (at most {} of a slice after a kill), 0 lost, 0 doubled",
        seen.kills,
        seen.kills_early,
        seen.rounds,
        truth.len(),
        seen.calls,
        seen.again,
        seen.most_again
    );
    println!("{line}; seed {}, {:.0} s", chaos.seed, begun.elapsed().as_secs_f64());
    if seen.most_again > 1 {
        return Err("after a kill, more than one page of a slice was fetched again".into());
    }
    Ok(line)
}

/// Reads everything once, killed again and again while kills are left.
fn round(
    milkrun: &Path,
    sandbox: &Sandbox,
    installation: &Installation,
    chaos: &Chaos,
    dice: &mut Dice,
    seen: &mut Seen,
) -> Result {
    // Two calls more for each slice: the first page is asked for twice, and an empty day once.
    let expected = u64::from(chaos.orders) / PAGE + 2 * 31;
    let mut book = Book::default();
    let mut read_up_to = sandbox.n_calls()?;
    let mut done = 0;
    loop {
        let left = chaos.kills.saturating_sub(seen.kills);
        // What is left of the reading, spread over the kills that are left; a life begins with pages fetched again.
        let share = expected.saturating_sub(done) / u64::from(left.max(1)) + 8;
        let log = File::create(installation.folder.join(LOG))?;
        let mut command = installation.run(milkrun, "orders");
        let mut life = Running(command.stdout(log.try_clone()?).stderr(log).spawn()?);
        let ended =
            if left == 0 { await_end(&mut life, sandbox)? } else { await_moment(&mut life, sandbox, dice, share)? };
        let killed = ended.is_none();
        // Kills, if it is still alive, and waits.
        drop(life);
        // Calls that were on their way reach the vendor all the same.
        thread::sleep(Duration::from_millis(if killed { 30 } else { 0 }));
        let calls = sandbox.calls(read_up_to)?;
        if let Some(last) = calls.last() {
            read_up_to = last["n"].as_u64().ok_or("a call has no number")?;
        }
        seen.calls += calls.len() as u64;
        let again = book.take(&calls)?;
        let n_again = again.values().sum::<u64>();
        done += calls.len() as u64 - n_again;
        seen.again += n_again;
        seen.most_again = seen.most_again.max(again.values().copied().max().unwrap_or(0));
        if killed {
            seen.kills += 1;
            seen.kills_early += u32::from(calls.is_empty());
            if seen.kills.is_multiple_of(25) {
                println!("  {} kills, {done} of about {expected} pages", seen.kills);
            }
        } else if ended == Some(0) {
            return Ok(());
        } else {
            let log = fs::read_to_string(installation.folder.join(LOG))?;
            return Err(format!("a life ended with exit code {ended:?}, not killed:\n{log}").into());
        }
    }
}

/// Waits for a random moment; `None` then, or the exit code if the process ended before.
///
/// Two of three moments are counted in calls, so that kills are spread over the whole reading, the others in time, so
/// that they also fall before the first call and after the last one.
fn await_moment(life: &mut Running, sandbox: &Sandbox, dice: &mut Dice, share: u64) -> Result<Option<i32>> {
    let at_calls = if dice.below(3) == 0 { None } else { Some(sandbox.n_calls()? + 1 + dice.below(share)) };
    let more = Duration::from_millis(if at_calls.is_some() { dice.below(25) } else { dice.below(400) });
    let begun = Instant::now();
    let mut reached = None;
    loop {
        if let Some(status) = life.0.try_wait()? {
            return Ok(Some(status.code().unwrap_or(-1)));
        }
        if reached.is_none() {
            let is_there = match at_calls {
                Some(calls) => sandbox.n_calls()? >= calls,
                None => true,
            };
            reached = is_there.then(Instant::now);
        }
        if reached.is_some_and(|at| at.elapsed() >= more) {
            return Ok(None);
        }
        if begun.elapsed() > PATIENCE {
            return Err("the run makes no calls any more and does not end".into());
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits for the end of the last life, and returns its exit code.
fn await_end(life: &mut Running, sandbox: &Sandbox) -> Result<Option<i32>> {
    let (mut calls, mut at) = (0, Instant::now());
    loop {
        if let Some(status) = life.0.try_wait()? {
            return Ok(Some(status.code().unwrap_or(-1)));
        }
        let now = sandbox.n_calls()?;
        if now > calls {
            (calls, at) = (now, Instant::now());
        } else if at.elapsed() > PATIENCE {
            return Err("the run makes no calls any more and does not end".into());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Which pages of which slice were asked for in earlier lives.
///
/// A slice is read from its first page, for the total, and then from the last page back to the first one.
#[derive(Debug, Default)]
struct Book(BTreeMap<String, SlicePages>);

#[derive(Debug, Default)]
struct SlicePages {
    asked_first: bool,
    backwards: BTreeSet<u64>,
}

impl Book {
    /// Notes the calls of one life; for each slice, how many of its pages had been asked for before.
    fn take(&mut self, calls: &[Value]) -> Result<BTreeMap<String, u64>> {
        let mut again = BTreeMap::new();
        for call in calls {
            let Some(window) = call["window"].as_str() else { continue };
            let page: u64 = call["page_no"].as_str().and_then(|n| n.parse().ok()).ok_or("a call has no page")?;
            let slice = self.0.entry(window.to_owned()).or_default();
            let is_new = if page == 1 && slice.backwards.is_empty() {
                !std::mem::replace(&mut slice.asked_first, true)
            } else {
                slice.backwards.insert(page)
            };
            if !is_new {
                *again.entry(window.to_owned()).or_insert(0) += 1;
            }
        }
        Ok(again)
    }
}

/// Whether the file holds each order once.
fn compare(installation: &Installation, truth: &BTreeSet<String>) -> Result {
    let found = keys_of(&installation.output("orders"), "sid")?;
    let lost: Vec<&String> = truth.iter().filter(|key| !found.contains_key(*key)).collect();
    let doubled: Vec<&String> = found.iter().filter(|(_, n)| **n > 1).map(|(key, _)| key).collect();
    let strange = found.keys().filter(|key| !truth.contains(*key)).count();
    if lost.is_empty() && doubled.is_empty() && strange == 0 {
        return Ok(());
    }
    let some = |keys: &[&String]| keys.iter().take(5).map(|key| key.as_str()).collect::<Vec<_>>().join(", ");
    Err(format!(
        "{} lost ({}), {} doubled ({}), {strange} unknown to the vendor; see {}",
        lost.len(),
        some(&lost),
        doubled.len(),
        some(&doubled),
        installation.folder.display()
    )
    .into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_that_are_fetched_again_are_counted() {
        let call = |window: &str, page: u64| json!({ "window": window, "page_no": page.to_string() });
        let mut book = Book::default();
        let mut again = |calls: &[Value]| book.take(calls).unwrap().into_values().collect::<Vec<_>>();
        assert!(again(&[call("a", 1), call("b", 1), call("a", 3), json!({ "method": "check" })]).is_empty());
        assert_eq!(again(&[call("a", 3), call("a", 2), call("b", 1)]), [1, 1]);
        assert_eq!(again(&[call("a", 1), call("b", 2), call("b", 1)]), [0; 0]);
        assert_eq!(again(&[call("a", 1), call("a", 2)]), [2]);
    }
}
