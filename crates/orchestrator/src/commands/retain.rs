//! `milkrun retain`: forgets what is old, and says what that was.

use milkrun_core::Error;

use super::{Here, Outcome};
use crate::cli;
use crate::config::write_size;
use crate::show::number;
use crate::text::{self, fill};
use crate::upkeep;
use crate::wiring::{Secrets, open_accounts, prepare_flows};

pub(super) async fn retain(here: Here<'_>, ask: &cli::Retain) -> Outcome {
    let out = here.out;
    let (installation, mut reports) = here.load()?;
    // What is wrong with a flow keeps its ledger; what is wrong with `[retention]` must not forget too much.
    if reports.is_wrong(crate::config::FILE) {
        return Err(super::Failure::Mistakes(reports));
    }
    let Some(state) = here.look(&installation).await? else {
        return Err(Error::config(out.say(text::NO_STATE_YET)).advise(out.say(text::NO_STATE_YET_HELP)).into());
    };
    let accounts = open_accounts(&installation, |_| true, Secrets::StandIn, out.lang, &mut reports).await?;
    let flows = prepare_flows(&installation, &accounts, Some(&state), |_| true, out.lang, &mut reports).await?;
    let done = upkeep::retain(&installation.retention, &flows, &state, ask.dry_run, out.lang).await?;
    out.json(&done);
    let text = if done.dry { text::WOULD_RETAIN } else { text::RETAINED };
    out.line(fill!(
        out.lang,
        text,
        runs = number(done.runs),
        incidents = number(done.incidents),
        letters = number(done.dead_letters),
        ledger = number(done.ledger),
        audit = number(done.audit),
        segments = number(done.segments),
        bytes = write_size(done.bytes)
    ));
    for kept in &done.kept {
        let what = if kept.what == "pages" { text::WHAT_PAGES } else { text::WHAT_LEDGER };
        out.line(fill!(out.lang, text::RETAIN_KEPT, flow = kept.flow, what = out.say(what), why = kept.why));
    }
    Ok(0)
}
