//! What is wrong with the installation, found while it runs.

use milkrun_console::model::Diagnosis;
use milkrun_core::Result;

use crate::config;
use crate::serve::House;
use crate::text::Lang;
use crate::upkeep::{Health, Patient, diagnose as look};
use crate::wiring::{At, Secrets, open_accounts, open_alerts, open_console, prepare_flows};

/// Everything that `milkrun doctor` looks at, but for what takes long: files are not read whole, and no vendor is asked.
pub(super) async fn diagnose(house: &House, lang: Lang) -> Result<Vec<Diagnosis>> {
    let (installation, mut reports) = config::load(&house.dir, lang)?;
    let state = Some(&house.state);
    let accounts = open_accounts(&installation, |_| true, Secrets::StandIn, lang, &mut reports).await?;
    open_alerts(&installation, Secrets::StandIn, lang, &mut reports).await?;
    open_console(&installation, At::Settings, Secrets::StandIn, lang, &mut reports).await?;
    prepare_flows(&installation, &accounts, state, |_| true, lang, &mut reports).await?;
    let found = look(Patient {
        installation: &installation,
        reports: &reports,
        accounts: &accounts,
        state: Ok(state),
        lang,
        deep: false,
        online: false,
        now: house.state.clock.now(),
    });
    let health = |health| match health {
        Health::Good => "good",
        Health::Warning => "warning",
        Health::Bad => "bad",
    };
    let told = found.await.into_iter().map(|finding| Diagnosis {
        what: finding.what.to_owned(),
        health: health(finding.health).to_owned(),
        finding: finding.finding,
        advice: finding.advice,
    });
    Ok(told.collect())
}
