//! How much of a quota is used: two flows of one account, in two processes, against a simulator with two windows.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::installation::{self, Flow, Installation, Quota, Sandbox, remove, scratch};
use crate::process::Running;
use crate::time::{DAY, now, rfc3339};
use crate::{Result, shell};

/// Calls in any window of so many seconds.
const RATES: [(u32, u32); 2] = [(5, 1), (100, 60)];
/// Of 100 allowed calls, so many have to be used.
const MARK: f64 = 99.0;

/// `cargo xtask bench quota [--seconds N]`.
pub(super) fn main(mut args: Args) -> Result {
    let seconds: u64 = args.option("--seconds")?.unwrap_or(125);
    args.finish()?;
    let root = shell::root();
    let milkrun = installation::build(&root, true)?;
    let folder = scratch(&root, "quota")?;
    let limits: Vec<String> = RATES.iter().map(|(calls, secs)| format!("{calls}/{secs}s")).collect();
    let mut arguments = vec!["--orders", "60000", "--latency", "60", "--jitter", "80"];
    for limit in &limits {
        arguments.extend(["--limit", limit]);
    }
    let sandbox = Sandbox::start(&milkrun, &arguments)?;
    let since = format!("since = \"{}\"\npage_size = 20", rfc3339(now() / 1000 * 1000 - 31 * DAY));
    let flow = |stream| Flow { stream, source: since.clone(), sink: String::new(), mapping: String::new() };
    let flows = [flow("orders"), flow("sales-outstock")];
    let installation = Installation::make(&folder, &sandbox.url, Quota::Rates(&RATES), &flows)?;
    let start = |stream: &str| -> Result<Running> {
        let mut command = installation.run(&milkrun, stream);
        Ok(Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    };
    let mut running = vec![start("orders")?, start("sales-outstock")?];
    let begun = Instant::now();
    let mut restarted = false;
    // One second more than is counted: the first call comes a little after the start.
    while begun.elapsed() < Duration::from_secs(seconds + 1) {
        // In the middle of a minute's window, one of the two is killed and started again.
        if !restarted && begun.elapsed() >= Duration::from_secs(seconds / 3) {
            restarted = true;
            drop(running.remove(0));
            running.push(start("orders")?);
        }
        for process in &mut running {
            if let Some(status) = process.0.try_wait()? {
                return Err(format!("a flow ended with {status} before the time was over").into());
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
    drop(running);
    let calls = sandbox.calls(0)?;
    let at = |call: &serde_json::Value| call["at_ms"].as_u64().unwrap_or(0);
    let first = calls.first().map(at).ok_or("there was no call")?;
    let counted: Vec<_> = calls.iter().filter(|call| at(call) < first + seconds * 1000).collect();
    let used = counted.iter().filter(|call| call["outcome"] == "ok").count();
    let rejected = counted.iter().filter(|call| call["outcome"] == "429").count();
    let allowed = allowed(&RATES, seconds);
    remove(&folder)?;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred calls")]
    let percent = used as f64 * 100.0 / allowed as f64;
    println!(
        "limits {} over {seconds} s, two processes of one account, one of them killed and restarted",
        limits.join(" and ")
    );
    println!("used {used} of {allowed} allowed calls: {percent:.1} % (mark: at least {MARK} %)");
    println!("rejected {rejected} (mark: none)");
    if rejected > 0 || percent < MARK { Err("the mark is not reached".into()) } else { Ok(()) }
}

/// The most calls that fit into `[0, seconds)` when every one is sent at the first moment allowed.
fn allowed(rates: &[(u32, u32)], seconds: u64) -> usize {
    let mut sent: Vec<u64> = Vec::new();
    loop {
        let free = |&(calls, secs): &(u32, u32)| {
            let before = sent.len().checked_sub(calls as usize);
            before.map_or(0, |i| sent[i] + u64::from(secs) * 1000)
        };
        let next = rates.iter().map(free).max().unwrap_or(0).max(sent.last().copied().unwrap_or(0));
        if next >= seconds * 1000 {
            return sent.len();
        }
        sent.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_counted_exactly() {
        assert_eq!(allowed(&[(5, 1)], 10), 50);
        assert_eq!(allowed(&RATES, 60), 100);
        assert_eq!(allowed(&RATES, 125), 225);
    }
}
