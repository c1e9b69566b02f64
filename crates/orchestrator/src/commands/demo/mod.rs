//! `milkrun demo`: simulated vendors, flows between them, and their reconciliation.

mod scenes;

pub(crate) use self::scenes::Scene;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use milkrun_core::state::Verdict;
use milkrun_core::{Error, Result, Secret};
use milkrun_engine::Work;
use milkrun_sandbox::kuaimai;
use milkrun_store::MasterKey;

use super::init::{at, make_dir};
use super::run::{conclude, run_flows};
use super::{Here, Outcome};
use crate::cli;
use crate::config::{FILE, KEY_FILE, STORE};
use crate::text::{self, Lang, fill};

/// The first line of a demo's `milkrun.toml`, by which a later demo knows that the folder is its own.
const MARK: &str = "# Made by `milkrun demo`.";

pub(super) async fn demo(here: Here<'_>, ask: &cli::Demo) -> Outcome {
    let out = here.out;
    let lang = out.lang;
    let dir = here.global.dir.clone().unwrap_or_else(|| PathBuf::from("milkrun-demo"));
    clear(&dir, lang)?;
    if let Some(scene) = ask.flow {
        return scenes::play(here, scene, ask, &dir).await;
    }
    let settings =
        kuaimai::Settings { seed: ask.seed, n_orders: ask.orders, n_items: ask.items, ..kuaimai::Settings::default() };
    let sandbox = kuaimai::start(settings.clone()).await?;
    out.note(fill!(lang, text::DEMO_SANDBOX, url = sandbox.url(), orders = ask.orders, items = ask.items));
    write(&dir, &sandbox.url(), &settings, lang)?;
    out.note(fill!(lang, text::DEMO_WRITTEN, dir = dir.display()));
    keep_secrets(here, &dir, &settings).await?;
    let names = ["items".to_owned(), "orders".to_owned()];
    let mut ready = here.ready(&names, &dir).await?;
    let flows = ready.flows()?;
    let ended = run_flows(here, &flows, &ready.state, &Work::Due).await;
    let code = conclude(out, &ended);
    sandbox.stop().await;
    let good = ended.iter().all(|(_, run)| run.as_ref().is_ok_and(|report| report.verdict == Verdict::Reconciled));
    if good {
        out.line("");
        let order = example_order(&dir).unwrap_or_else(|| "…".to_owned());
        out.line(fill!(lang, text::DEMO_NEXT, dir = dir.display(), order = order));
    }
    Ok(code)
}

/// Takes an earlier demo away; a folder with anything else in it is left alone.
fn clear(dir: &Path, lang: Lang) -> Result<()> {
    let file = dir.join(FILE);
    let is_empty = fs::read_dir(dir).map_or(true, |mut entries| entries.next().is_none());
    if is_empty {
        return Ok(());
    }
    let is_own = fs::read_to_string(&file).is_ok_and(|text| text.starts_with(MARK));
    if !is_own {
        let error = Error::config(fill!(lang, text::DEMO_FOREIGN, dir = dir.display()));
        return Err(error.advise(lang.say(text::DEMO_FOREIGN_HELP)));
    }
    // Only what a demo writes; the file with the mark last, so that a clearing that was cut off can be taken up again.
    for name in ["in", "out", "flows", STORE] {
        remove(&dir.join(name), |path| fs::remove_dir_all(path))?;
    }
    for name in [KEY_FILE, FILE] {
        remove(&dir.join(name), |path| fs::remove_file(path))?;
    }
    Ok(())
}

fn remove(path: &Path, how: impl Fn(&Path) -> std::io::Result<()>) -> Result<()> {
    match how(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(at(e, path)),
        _ => Ok(()),
    }
}

/// Writes the installation.
fn write(dir: &Path, url: &str, settings: &kuaimai::Settings, lang: Lang) -> Result<()> {
    make_dir(&dir.join("flows"))?;
    let put = |name: &str, text: String| {
        let path = dir.join(name);
        fs::write(&path, text).map_err(|e| at(e, &path))
    };
    // The file with the mark first, see `clear`.
    let accounts = lang.file(text::DEMO_FILE, &[("url", url), ("app_key", &settings.app_key)]);
    put(FILE, format!("{MARK}\n{accounts}"))?;
    let start = settings.clock_start.unwrap_or_else(Timestamp::now);
    let days = i64::try_from(settings.history.as_secs() / 86_400 + 2).unwrap_or(i64::MAX);
    let since = days_before(start, days);
    put("flows/orders.toml", lang.file(text::DEMO_ORDERS, &[("since", &since)]))?;
    put("flows/items.toml", lang.file(text::DEMO_ITEMS, &[("since", &since)]))?;
    MasterKey::create_file(&dir.join(KEY_FILE)).map(drop)
}

/// The day so many days before an instant, in Beijing.
fn days_before(at: Timestamp, days: i64) -> String {
    let zone = TimeZone::get("Asia/Shanghai").expect("the zone database is built in");
    at.to_zoned(zone).date().saturating_sub(days.days()).to_string()
}

/// Puts the simulator's secrets where real ones belong.
async fn keep_secrets(here: Here<'_>, dir: &Path, settings: &kuaimai::Settings) -> Result<()> {
    let (installation, _) = crate::config::load(dir, here.out.lang)?;
    let state = crate::wiring::open_state(&installation, here.environment, here.out.lang).await?;
    let secrets = [
        ("km-app-secret", &settings.app_secret),
        ("km-session", &settings.session),
        ("km-refresh-token", &settings.refresh_token),
    ];
    for (name, secret) in secrets {
        state.store.put_secret(name, &Secret::new(secret.clone())).await?;
    }
    Ok(())
}

/// The number of some order that was delivered.
fn example_order(dir: &Path) -> Option<String> {
    use std::io::BufRead as _;
    let file = fs::File::open(dir.join("out/orders.jsonl")).ok()?;
    let line = std::io::BufReader::new(file).lines().next()?.ok()?;
    let record = milkrun_core::Record::parse(line).ok()?;
    Some(milkrun_core::record::plain_text(record.get("order_no")?)?.into_owned())
}
