//! `milkrun backfill`: a span of the past is opened to be read, and read.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use milkrun_core::state::StateStore as _;
use milkrun_core::{Error, Result};
use milkrun_engine::{Backfill, Flow, Work, backfill_open};
use serde_json::json;

use super::run::{conclude, run_flows};
use super::{Here, Outcome};
use crate::cli;
use crate::config::Moment;
use crate::show::{Out, beijing, number};
use crate::text::{self, fill};

pub(super) async fn backfill(here: Here<'_>, ask: &cli::Backfill) -> Outcome {
    let out = here.out;
    let names = [ask.flow.clone()];
    let mut ready = here.ready(&names, &here.dir()).await?;
    let flows = ready.flows()?;
    let around = ready.state.surroundings();
    if let (Some(from), Some(flow)) = (&ask.from, flows.first()) {
        let from = moment(out, flow, from)?;
        let until = ask.to.as_deref().map(|to| moment(out, flow, to)).transpose()?;
        let opened = backfill_open(flow, &around, &Backfill { from, until, share: ask.share }).await?;
        let (from, to) = (beijing(opened.from), beijing(opened.until));
        let n = number(opened.slices);
        out.note(fill!(out.lang, text::BACKFILL_OPENED, flow = flow.name, n = n, from = from, until = to));
        if until.is_some_and(|until| until > opened.until) {
            out.note(out.say(text::BACKFILL_CUT));
        }
        if ask.later {
            out.note(out.say(text::BACKFILL_LATER));
            let (from, until) = (opened.from, opened.until);
            out.json(&json!({ "flow": flow.name, "from": from, "until": until, "slices": opened.slices }));
            return Ok(0);
        }
    } else {
        let known = ready.state.store.flows().await?;
        if known.iter().all(|flow| flow.name != ask.flow || flow.backfill.is_none()) {
            out.note(fill!(out.lang, text::NO_BACKFILL, flow = ask.flow));
            out.json(&json!({ "flows": [], "exit_code": 0 }));
            return Ok(0);
        }
    }
    let ended = run_flows(here, &flows, &ready.state, &Work::Backfill).await;
    Ok(conclude(out, &ended))
}

/// An instant as it is written, in the zone of the stream's window.
fn moment(out: &Out, flow: &Flow, text: &str) -> Result<Timestamp> {
    let zone = flow.stream.window.as_ref().and_then(|window| TimeZone::get(&window.zone).ok());
    let read = Moment::parse(text).and_then(|moment| moment.in_zone(&zone.unwrap_or(TimeZone::UTC)));
    read.ok_or_else(|| {
        Error::config(fill!(out.lang, text::NO_MOMENT, text = text)).advise(out.say(text::NO_MOMENT_HELP))
    })
}
