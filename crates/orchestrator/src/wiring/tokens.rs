//! Which tokens are dead, as the runs of flows find out.

use milkrun_core::{ErrorKind, Result};
use milkrun_engine::{Flow, Report};
use milkrun_store::SqliteStore;

/// Writes down what a run says of the tokens of its flow's accounts: that one is dead, or that both are not.
///
/// That it cannot be written is no fault of the run.
pub(crate) async fn note_tokens(store: &SqliteStore, flow: &Flow, report: &Report) {
    if let Err(error) = note(store, flow, report).await {
        tracing::error!(flow = flow.name, %error, "it could not be written down whether a token is dead");
    }
}

async fn note(store: &SqliteStore, flow: &Flow, report: &Report) -> Result<()> {
    let accounts = [(flow.source_cx.account(), report.calls), (flow.sink_cx.account(), report.sink_calls)];
    if report.error_kind.as_deref() == Some(ErrorKind::TokenDead.as_str()) {
        let reason = report.reason.as_deref().unwrap_or_default();
        if let Some((account, _)) = accounts.iter().find(|(account, _)| names(reason, account)) {
            store.token_died(account, reason).await?;
        }
    } else if report.error_kind.is_none() {
        for (account, _) in accounts.iter().filter(|(_, calls)| *calls > 0) {
            let facts = store.token_facts(account).await?;
            if facts.is_some_and(|facts| facts.dead.is_some()) {
                store.token_lives(account).await?;
            }
        }
    }
    Ok(())
}

/// Whether that account is the one of which the reason speaks.
fn names(reason: &str, account: &str) -> bool {
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
    reason.split_once(&format!("account: {account}")).is_some_and(|(_, rest)| !goes_on(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_the_one_that_the_reason_names() {
        let reason = "token-dead: renewed already (account: km-2, stream: orders)";
        assert!(names(reason, "km-2"));
        assert!(!names(reason, "km") && !names(reason, "other"));
    }
}
