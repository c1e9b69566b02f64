//! `milkrun doctor`: what is wrong, and how to mend it.

use jiff::Timestamp;
use serde_json::json;

use super::{Here, Outcome};
use crate::cli;
use crate::text::{self, fill};
use crate::upkeep::{Finding, Health, Patient, diagnose};
use crate::wiring::{At, Secrets, open_accounts, open_alerts, open_console, prepare_flows};

pub(super) async fn doctor(here: Here<'_>, ask: &cli::Doctor) -> Outcome {
    let out = here.out;
    let (installation, mut reports) = here.load()?;
    let opened = here.look(&installation).await;
    let state = opened.as_ref().map(Option::as_ref);
    // Without a state there is no vault, and what it would have to say is said of the state.
    let secrets = match state {
        Ok(state) if reports.is_clean() => Secrets::Fetched {
            environment: here.environment,
            vault: state.map(|state| &*state.store),
            scrubber: &out.scrubber,
        },
        _ => Secrets::StandIn,
    };
    let accounts = open_accounts(&installation, |_| true, secrets, out.lang, &mut reports).await?;
    open_alerts(&installation, secrets, out.lang, &mut reports).await?;
    open_console(&installation, At::Settings, secrets, out.lang, &mut reports).await?;
    prepare_flows(&installation, &accounts, state.ok().flatten(), |_| true, out.lang, &mut reports).await?;
    let found = diagnose(Patient {
        installation: &installation,
        reports: &reports,
        accounts: &accounts,
        state,
        lang: out.lang,
        deep: true,
        online: !ask.offline,
        now: Timestamp::now(),
    })
    .await;
    let count = |health| found.iter().filter(|finding| finding.health == health).count();
    let (good, warnings, bad) = (count(Health::Good), count(Health::Warning), count(Health::Bad));
    out.json(&json!({ "findings": found, "good": good, "warnings": warnings, "bad": bad }));
    for finding in &found {
        show(here, finding);
    }
    out.line("");
    out.line(fill!(out.lang, text::DOC_SUMMARY, bad = bad, warnings = warnings, good = good));
    Ok(u8::from(bad > 0))
}

fn show(here: Here<'_>, finding: &Finding) {
    let out = here.out;
    let health = match finding.health {
        Health::Good => out.style(out.say(text::DOC_GOOD)).green(),
        Health::Warning => out.style(out.say(text::DOC_WARNING)).yellow(),
        Health::Bad => out.style(out.say(text::DOC_BAD)).red(),
    };
    let what = out.say(match finding.what {
        "state" => text::DOC_PART_STATE,
        "clock" => text::DOC_PART_CLOCK,
        "disk" => text::DOC_PART_DISK,
        "accounts" => text::DOC_PART_ACCOUNTS,
        "flows" => text::DOC_PART_FLOWS,
        _ => text::DOC_PART_FILES,
    });
    out.line(format!("{health}  {}", out.lang.labelled(what, &finding.finding)));
    if let Some(advice) = &finding.advice {
        out.line(fill!(out.lang, text::WHAT_TO_DO, help = advice));
    }
}
