//! `milkrun run`: flows side by side, with progress, a clean end on Ctrl-C, and their reconciliation.

use std::io::BufRead as _;

use futures_util::future::join_all;
use milkrun_core::state::Verdict;
use milkrun_core::{Error, ErrorKind, Existing, Idempotency, Result, SinkKind};
use milkrun_engine::{Flow, Report, Stop, Stopper, Work};
use serde_json::{Value, json};

use super::{Here, Outcome};
use crate::cli;
use crate::config::Installation;
use crate::show::progress::{Mode, Progress};
use crate::show::{Out, error_json, exit_code, reconciliation};
use crate::text::{self, fill};
use crate::wiring::{State, note_tokens};

pub(super) async fn run(here: Here<'_>, ask: &cli::Run) -> Outcome {
    let dir = here.dir();
    let (installation, _) = here.load()?;
    let names = pick(here, &installation, ask)?;
    let mut ready = here.ready(&names, &dir).await?;
    let flows = ready.flows()?;
    if ask.restart && !confirm(here, &flows, ask.yes).await? {
        return Ok(1);
    }
    let work = if ask.restart { Work::Anew } else { Work::Due };
    let ended = run_flows(here, &flows, &ready.state, &work).await;
    Ok(conclude(here.out, &ended))
}

/// The flows that are asked for.
fn pick(here: Here<'_>, installation: &Installation, ask: &cli::Run) -> Result<Vec<String>> {
    let lang = here.out.lang;
    if installation.flow_names.is_empty() {
        return Err(Error::config(lang.say(text::NO_FLOWS_HERE)).advise(lang.say(text::NO_FLOWS)));
    }
    if ask.all || (ask.flows.is_empty() && installation.flow_names.len() == 1) {
        return Ok(installation.flow_names.clone());
    }
    if ask.flows.is_empty() {
        let names = installation.flow_names.join(", ");
        return Err(Error::config(lang.say(text::WHICH_FLOW)).advise(fill!(
            lang,
            text::WHICH_FLOW_HELP,
            names = names
        )));
    }
    let mut names = ask.flows.clone();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Says what beginning anew means for each target, and asks.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`] if a target refuses to be begun anew, before anything is forgotten, or if nobody can
/// answer.
async fn confirm(here: Here<'_>, flows: &[Flow], yes: bool) -> Result<bool> {
    let out = here.out;
    for flow in flows {
        let (name, target) = (&flow.name, &flow.target);
        let meaning = match (&flow.sink, &target.idempotency) {
            (SinkKind::Appends(sink), _) => match sink.existing(&target.name).await? {
                Existing::Nothing => text::RESTART_NOTHING,
                Existing::KeptAside => text::RESTART_ASIDE,
                Existing::Replaced => text::RESTART_REPLACED,
                Existing::Refused => {
                    let refused = fill!(out.lang, text::RESTART_REFUSED, flow = name, target = target.name);
                    let help = fill!(out.lang, text::RESTART_REFUSED_HELP, file = target.endpoint);
                    return Err(Error::config(refused).advise(help));
                }
            },
            (_, Idempotency::Key { .. }) => text::RESTART_KEY,
            (_, Idempotency::Upsert { .. }) => text::RESTART_UPSERT,
            (_, Idempotency::Unique { look_up: true, .. }) => text::RESTART_UNIQUE,
            (_, Idempotency::Unique { look_up: false, .. } | Idempotency::Skip { .. }) => text::RESTART_KEPT,
            (_, Idempotency::CommittedLength | Idempotency::None) => text::RESTART_DOUBLES,
        };
        out.note(fill!(out.lang, meaning, flow = name, target = target.name));
    }
    if yes {
        return Ok(true);
    }
    if !here.environment.in_is_terminal {
        return Err(Error::config(out.say(text::RESTART_NEEDS_YES)).advise(out.say(text::ADD_YES)));
    }
    out.note(out.say(text::RESTART_QUESTION));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    let yes = matches!(answer.trim(), "y" | "Y" | "yes" | "是");
    if !yes {
        out.note(out.say(text::NOTHING_DONE));
    }
    Ok(yes)
}

/// One flow and how its run ended.
pub(super) type Ended = (String, Result<Report>);

/// Runs flows side by side.
pub(super) async fn run_flows(here: Here<'_>, flows: &[Flow], state: &State, work: &Work) -> Vec<Ended> {
    let (out, around) = (here.out, state.surroundings());
    let mode = match (here.global.no_progress, here.environment.err_is_terminal) {
        (true, _) => Mode::Nothing,
        (false, true) => Mode::Bars,
        (false, false) => Mode::Lines,
    };
    let progress = Progress::new(out, mode, flows.iter().map(|flow| (flow.name.clone(), flow.source_cx.clone())));
    let (stopper, stop) = Stop::new();
    let listening = tokio::spawn(listen(stopper, out.clone()));
    let runs = flows.iter().enumerate().map(|(i, flow)| {
        let (mut stop, progress, around) = (stop.clone(), &progress, &around);
        async move {
            let outcome = milkrun_engine::run(flow, around, work, &mut stop, progress.of(i)).await;
            if let Ok(report) = &outcome {
                note_tokens(&state.store, flow, report).await;
            }
            progress.end(i);
            (flow.name.clone(), outcome)
        }
    });
    let ended = tokio::select! {
        ended = join_all(runs) => ended,
        () = progress.watch() => Vec::new(),
    };
    listening.abort();
    ended
}

/// Asks the runs to stop at the first Ctrl-C, and ends the process at the second.
async fn listen(stopper: Stopper, out: Out) {
    asked().await;
    out.note(out.say(text::STOPPING));
    stopper.stop();
    asked().await;
    out.note(out.say(text::STOPPED_HARD));
    std::process::exit(130);
}

/// Returns when the user or the system asks the process to end.
#[cfg(unix)]
pub(crate) async fn asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = signal(SignalKind::terminate());
    let terminated = async {
        match terminated {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}

/// Returns when the user asks the process to end.
#[cfg(not(unix))]
pub(crate) async fn asked() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Shows how the runs ended and returns the exit code: that of the worst.
pub(super) fn conclude(out: &Out, ended: &[Ended]) -> u8 {
    let reports: Vec<Report> = ended.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()).cloned().collect();
    let code = code_of(ended);
    if out.json {
        out.json(&json!({ "flows": ended.iter().map(|e| ended_json(out, e)).collect::<Vec<_>>(), "exit_code": code }));
        return code;
    }
    if !reports.is_empty() {
        reconciliation(out, &reports);
    }
    for (name, outcome) in ended {
        if let Err(error) = outcome {
            out.note(format!("\n{}", fill!(out.lang, text::FLOW_DID_NOT_BEGIN, flow = name)));
            out.error(error);
        }
    }
    code
}

fn ended_json(out: &Out, (name, outcome): &Ended) -> Value {
    match outcome {
        Ok(report) => serde_json::to_value(report).expect("it is plain data"),
        Err(error) => json!({ "flow": name, "verdict": Verdict::Failed, "error": error_json(error, out.lang) }),
    }
}

fn code_of(ended: &[Ended]) -> u8 {
    let code = |(_, outcome): &Ended| match outcome {
        Err(error) => exit_code(error),
        // Whoever waits for what was asked for has not got it.
        Ok(report) if report.was_stopped() => 1,
        Ok(report) => match report.verdict {
            Verdict::Reconciled => 0,
            Verdict::Unreconciled | Verdict::Partial => 3,
            Verdict::Failed if report.error_kind.as_deref() == Some(ErrorKind::ConfigInvalid.as_str()) => 2,
            Verdict::Failed => 1,
        },
    };
    let codes: Vec<u8> = ended.iter().map(code).collect();
    // Failed says most; then what the configuration keeps from running, then what is not finished.
    [1, 2, 3].into_iter().find(|worst| codes.contains(worst)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_end_decides() {
        let report = |verdict: &str| -> Ended {
            let counts = serde_json::to_value(milkrun_engine::Counts::default()).unwrap();
            let text = json!({
                "flow": "a", "verdict": verdict, "reason": null, "started": "2026-01-01T00:00:00Z",
                "ended": "2026-01-01T00:00:00Z", "counts": counts, "proved": {}, "assumes": "", "promise": "",
                "open": [], "calls": 0, "place": null,
            });
            ("a".to_owned(), Ok(serde_json::from_value(text).unwrap()))
        };
        let error = |kind| -> Ended { ("b".to_owned(), Err(Error::new(kind, "x"))) };
        assert_eq!(code_of(&[report("reconciled")]), 0);
        assert_eq!(code_of(&[report("reconciled"), report("partial")]), 3);
        assert_eq!(code_of(&[report("unreconciled"), report("failed")]), 1);
        assert_eq!(code_of(&[report("partial"), error(ErrorKind::ConfigInvalid)]), 2);
        let mut wrong_key = report("failed");
        wrong_key.1.as_mut().unwrap().error_kind = Some("config-invalid".to_owned());
        assert_eq!(code_of(&[report("reconciled"), wrong_key]), 2);
        assert_eq!(code_of(&[report("reconciled"), error(ErrorKind::Busy)]), 1);
        let mut stopped = report("partial");
        stopped.1.as_mut().unwrap().error_kind = Some("interrupted".to_owned());
        assert_eq!(code_of(&[report("reconciled"), stopped]), 1);
    }
}
