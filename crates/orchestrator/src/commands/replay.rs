//! `milkrun replay`: sends refused records again.

use milkrun_core::state::StateStore as _;
use milkrun_core::{Error, ErrorKind};
use milkrun_engine::Work;

use super::run::{conclude, run_flows};
use super::{Here, Outcome};
use crate::cli;
use crate::text::{self, fill};

pub(super) async fn replay(here: Here<'_>, ask: &cli::Replay) -> Outcome {
    let out = here.out;
    let names = [ask.flow.clone()];
    let mut ready = here.ready(&names, &here.dir()).await?;
    let flows = ready.flows()?;
    let letters = match ready.state.store.flow_id(&ask.flow).await? {
        Some(flow) => ready.state.store.dead_letters(flow, 0, u32::MAX).await?,
        None => Vec::new(),
    };
    let unknown: Vec<_> =
        ask.ids.iter().filter(|id| letters.iter().all(|l| l.id != **id)).map(u64::to_string).collect();
    if !unknown.is_empty() {
        let message = fill!(out.lang, text::NO_SUCH_LETTER, flow = ask.flow, ids = unknown.join(", "));
        return Err(Error::new(ErrorKind::NotFound, message)
            .advise(fill!(out.lang, text::LIST_LETTERS, flow = ask.flow))
            .into());
    }
    if letters.is_empty() && !out.json {
        out.line(fill!(out.lang, text::NO_DEAD_LETTERS, flow = ask.flow));
        return Ok(0);
    }
    let ids = (!ask.ids.is_empty()).then(|| ask.ids.clone());
    let ended = run_flows(here, &flows, &ready.state, &Work::DeadLetters(ids)).await;
    Ok(conclude(out, &ended))
}
