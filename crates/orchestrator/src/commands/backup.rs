//! `milkrun backup` and `milkrun restore`: a copy of the whole installation, and back.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use milkrun_core::Error;
use serde_json::json;

use super::{Here, Outcome};
use crate::cli;
use crate::config::write_size;
use crate::show::{beijing, number};
use crate::text::{self, fill};
use crate::upkeep::{self, Tell};

pub(super) async fn backup(here: Here<'_>, ask: &cli::Backup) -> Outcome {
    let out = here.out;
    let (installation, reports) = here.load()?;
    let Some(state) = here.look(&installation).await? else {
        return Err(Error::config(out.say(text::NO_STATE_YET)).advise(out.say(text::NO_STATE_YET_HELP)).into());
    };
    let (tell, bar) = progress(here);
    let made = upkeep::backup(&installation, &reports, &state, &ask.to, &tell).await;
    bar.finish_and_clear();
    let manifest = made?;
    out.json(&json!({
        "backup": ask.to.display().to_string(),
        "made": manifest.made,
        "flows": manifest.flows,
        "files": manifest.files.len(),
        "bytes": manifest.bytes(),
        "left_out": manifest.left_out,
        "has_stars": manifest.has_stars,
    }));
    let (files, bytes) = (number(manifest.files.len() as u64), write_size(manifest.bytes()));
    let (at, to) = (beijing(manifest.made), ask.to.display());
    out.line(fill!(out.lang, text::BACKED_UP, at = at, to = to, files = files, bytes = bytes));
    if !manifest.left_out.is_empty() {
        out.line(fill!(out.lang, text::BACKUP_LACKS, names = manifest.left_out.join(", ")));
    }
    if manifest.has_stars {
        out.line(out.say(text::BACKUP_STARS));
    }
    Ok(0)
}

pub(super) async fn restore(here: Here<'_>, ask: &cli::Restore) -> Outcome {
    let out = here.out;
    let (tell, bar) = progress(here);
    let done = upkeep::restore(&ask.from, &here.dir(), ask.force, out.lang, &tell).await;
    bar.finish_and_clear();
    let done = done?;
    out.json(&done);
    let at = beijing(done.made);
    out.line(fill!(out.lang, text::RESTORED, at = at, state = done.state, flows = done.flows.join(", ")));
    if let Some(aside) = &done.aside {
        out.line(fill!(out.lang, text::RESTORE_ASIDE, aside = aside));
    }
    for (text, names) in
        [(text::RESTORE_PUT, &done.put), (text::RESTORE_KEPT, &done.kept), (text::RESTORE_MISSING, &done.missing)]
    {
        if !names.is_empty() {
            out.line(fill!(out.lang, text, names = names.join(", ")));
        }
    }
    if done.has_stars {
        out.line(out.say(text::RESTORE_STARS));
    }
    out.line("");
    out.line(fill!(out.lang, text::RESTORE_MEANS, at = at));
    Ok(0)
}

/// A bar on a terminal, and nothing elsewhere.
fn progress(here: Here<'_>) -> (Tell, ProgressBar) {
    let watched = here.environment.err_is_terminal && !here.global.no_progress && !here.out.json;
    let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{msg} [{bar:24.cyan/dim}] {percent}%").expect("it is a constant");
    let bar = ProgressBar::with_draw_target(None, target).with_style(style);
    let (shown, lang) = (bar.clone(), here.out.lang);
    let tell: Tell = Arc::new(move |what, done, of| {
        shown.set_message(lang.say(what));
        shown.set_length(of.max(done));
        shown.set_position(done);
    });
    (tell, bar)
}
