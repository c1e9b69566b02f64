//! `milkrun check`: all mistakes of all files at once, then the credentials of each account.

use milkrun_core::{Result, SinkKind};
use serde_json::json;

use super::{Failure, Here, Outcome};
use crate::config::Installation;
use crate::show::{Align, Table, error_json, exit_code, json_of};
use crate::text::{self, fill};
use crate::wiring::{
    Accounts, At, Secrets, State, open_accounts, open_alerts, open_console, open_state, prepare_flows,
};

pub(super) async fn check(here: Here<'_>, offline: bool) -> Outcome {
    let out = here.out;
    let (installation, mut reports) = here.load()?;
    let mut state = None;
    let secrets = if offline || !reports.is_clean() {
        Secrets::StandIn
    } else {
        let open = state.insert(open_state(&installation, here.environment, out.lang).await?);
        Secrets::Fetched { environment: here.environment, vault: Some(&open.store), scrubber: &out.scrubber }
    };
    let accounts = open_accounts(&installation, |_| true, secrets, out.lang, &mut reports).await?;
    open_alerts(&installation, secrets, out.lang, &mut reports).await?;
    open_console(&installation, At::Settings, secrets, out.lang, &mut reports).await?;
    let flows = prepare_flows(&installation, &accounts, state.as_ref(), |_| true, out.lang, &mut reports).await?;
    if !reports.is_clean() {
        return Err(Failure::Mistakes(reports));
    }
    let warnings = reports.warnings();
    for file in &warnings {
        out.note(format!("{}\n", out.warnings(file)));
    }
    let proved = match (offline, &state) {
        (false, Some(state)) => prove(here, &installation, &accounts, state).await,
        _ => Vec::new(),
    };
    let code = proved.iter().filter_map(|(_, outcome)| outcome.as_ref().err()).map(exit_code).max().unwrap_or(0);
    let account_json = |(name, outcome): &(String, Result<()>)| {
        let error = outcome.as_ref().err().map(|error| error_json(error, out.lang));
        crate::show::without_nulls(json!({ "account": name, "ok": outcome.is_ok(), "error": error }))
    };
    out.json(&crate::show::without_nulls(json!({
        "flows": flows.iter().map(|flow| flow.name.as_str()).collect::<Vec<_>>(),
        "mistakes": [],
        "warnings": json_of(&warnings),
        "accounts": proved.iter().map(account_json).collect::<Vec<_>>(),
    })));
    out.line(fill!(out.lang, text::FILES_ARE_RIGHT, accounts = installation.accounts.len(), flows = flows.len()));
    show(here, &proved);
    if flows.is_empty() {
        out.line(out.say(text::NO_FLOWS));
    }
    Ok(code)
}

/// Asks each account whether its credentials are good.
async fn prove(
    here: Here<'_>,
    installation: &Installation,
    accounts: &Accounts,
    state: &State,
) -> Vec<(String, Result<()>)> {
    let mut all = Vec::new();
    for config in &installation.accounts {
        let Some(account) = accounts.get(&config.name) else { continue };
        if !here.out.json && here.environment.err_is_terminal {
            here.out.note(fill!(here.out.lang, text::CHECKING, account = config.name));
        }
        let outcome = async {
            let cx = state.context(&config.name, account)?;
            if let Some(source) = &account.source {
                source.check(&cx).await?;
            }
            match &account.sink {
                Some(SinkKind::Calls(sink)) => sink.check(&cx).await,
                Some(SinkKind::Appends(sink)) => sink.check().await,
                None => Ok(()),
            }
        };
        all.push((config.name.clone(), outcome.await.map_err(|e| e.with("account", &config.name))));
    }
    all
}

fn show(here: Here<'_>, proved: &[(String, Result<()>)]) {
    let out = here.out;
    if proved.is_empty() || out.json {
        return;
    }
    let columns = [(out.say(text::COLUMN_ACCOUNT), Align::Left), (out.say(text::COLUMN_STATE), Align::Left)];
    let mut table = Table::new(&columns);
    for (name, outcome) in proved {
        let state = match outcome {
            Ok(()) => out.style(out.say(text::ACCOUNT_GOOD)).green().to_string(),
            Err(_) => out.style(out.say(text::ACCOUNT_BAD)).red().to_string(),
        };
        table.row([name.clone(), state]);
    }
    out.line("");
    table.show(out);
    for (_, outcome) in proved {
        if let Err(error) = outcome {
            out.note("");
            out.error(error);
        }
    }
}
