//! What each rule finds, and what it says.

use std::time::Duration;

use milkrun_alerts::{
    AccountFacts, Bound, DiskFacts, Facts, FlowFacts, QuotaFacts, Refused, Rule, RunFacts, Setting, Words,
};
use milkrun_core::Clock as _;
use milkrun_core::state::Verdict::{Failed, Partial, Reconciled, Unreconciled};
use milkrun_core::state::{RunRecord, Verdict};

use crate::support::{HOUR, World, facts_of, flow, run, runs};

/// What is said in English and in Chinese about facts that are looked at for the first time.
async fn found(facts: &Facts, rules: &[(Rule, Setting)]) -> Vec<String> {
    let world = World::new(|settings| settings.rules.all.extend(rules.iter().copied())).await;
    let changes = world.alerts.look(facts).await.unwrap();
    changes.began.iter().map(|incident| format!("{} / {}", incident.what.en, incident.what.zh)).collect()
}

fn on(bound: Bound) -> Setting {
    Setting { is_on: true, bound: Some(bound) }
}

#[tokio::test]
async fn runs_are_counted() {
    let three = [(Rule::RunFailed, on(Bound::Count(3)))];
    assert!(found(&runs(&[Reconciled, Failed, Failed]), &three).await.is_empty());
    assert_eq!(
        found(&runs(&[Reconciled, Failed, Failed, Failed]), &three).await,
        [
            "Flow orders: the last 3 runs failed: the vendor cannot be reached / 流程 orders：最近 3 次运行均失败：无法连接厂商"
        ]
    );
    let off = [(Rule::RunFailed, Setting { is_on: false, bound: Some(Bound::Count(1)) })];
    assert!(found(&runs(&[Failed]), &off).await.is_empty());
    // What a person stopped did not fail, and proves nothing either.
    let mut stopped = runs(&[Failed, Failed]);
    stopped.flows[0].runs[0].was_stopped = true;
    assert_eq!(found(&stopped, &[]).await.len(), 1);
    stopped.flows[0].runs[1].was_stopped = true;
    assert!(found(&stopped, &[]).await.is_empty());
}

#[tokio::test]
async fn what_is_not_proved_or_not_delivered_is_said() {
    let mut facts = runs(&[Unreconciled]);
    facts.flows[0].open_slices = 2;
    let said = found(&facts, &[]).await;
    assert!(said[0].starts_with("Flow orders: it is not proved that everything was read; open slices: 2"), "{said:?}");
    // Refused records are the matter of another rule.
    assert!(found(&runs(&[Partial]), &[]).await.is_empty());
    let mut facts = runs(&[Partial]);
    facts.flows[0].runs[0].pending = 5;
    let said = found(&facts, &[]).await;
    assert!(said[0].starts_with("Flow orders: documents wait in the outbox"), "{said:?}");
}

#[tokio::test]
async fn a_lag_is_measured_beyond_the_timetable() {
    let world = World::new(|_| {}).await;
    let lag = |every: Option<Duration>, lag: Duration| {
        facts_of(FlowFacts { every, up_to: Some(world.clock.now() - lag), ..flow("orders") })
    };
    assert!(found(&lag(Some(24 * HOUR), 25 * HOUR), &[]).await.is_empty());
    assert_eq!(
        found(&lag(Some(24 * HOUR), 27 * HOUR), &[]).await,
        ["Flow orders is behind: it has read up to 2026-11-26 07:00 / 流程 orders 落后：只读取到 2026-11-26 07:00"]
    );
    // A flow that people start is as far behind as they let it be, unless it says otherwise itself.
    let by_hand = lag(None, 1000 * HOUR);
    assert!(found(&by_hand, &[]).await.is_empty());
    let own = World::new(|settings| {
        let lag = [(Rule::Lag, on(Bound::Time(48 * HOUR)))].into();
        settings.rules.flows.insert("orders".to_owned(), lag);
    })
    .await;
    assert_eq!(own.alerts.look(&by_hand).await.unwrap().began.len(), 1);
}

/// A run in each hour of so many days before now, which finds records in every fourth hour; none in the last `silent`.
fn hourly(world: &World, days: u64, silent: u64) -> Facts {
    let n_hours = days * 24;
    let one = |hour: u64| {
        let ended = world.clock.now() - HOUR * u32::try_from(n_hours - hour).unwrap();
        let fresh = u64::from(hour.is_multiple_of(4) && n_hours - hour > silent);
        RunFacts { fresh, ..run(hour + 1, &ended.to_string(), Reconciled) }
    };
    facts_of(FlowFacts { runs: (0..n_hours).rev().map(one).collect(), ..flow("orders") })
}

#[tokio::test]
async fn silence_is_measured_against_what_is_usual() {
    let world = World::new(|_| {}).await;
    // Twice the usual four hours are nothing yet, nine are.
    assert!(found(&hourly(&world, 20, 6), &[]).await.is_empty());
    assert_eq!(
        found(&hourly(&world, 20, 9), &[]).await,
        [
            "Flow orders: no new records since 2026-11-26 21:59, though it usually finds some within 4 h / 流程 orders：自 2026-11-26 21:59 起没有新记录，而平时最多间隔 4 小时"
        ]
    );
    // Before a week is known, nothing is usual, but a fixed time can be asked for.
    assert!(found(&hourly(&world, 5, 30), &[]).await.is_empty());
    assert_eq!(found(&hourly(&world, 5, 30), &[(Rule::NoRecords, on(Bound::Time(24 * HOUR)))]).await.len(), 1);
    // A flow that never found anything is not expected to.
    assert!(found(&hourly(&world, 20, 20 * 24), &[]).await.is_empty());
}

#[tokio::test]
async fn silence_ends_with_the_first_record() {
    let world = World::new(|_| {}).await;
    world.tick(&hourly(&world, 20, 9)).await;
    let mut facts = hourly(&world, 20, 9);
    let next = RunFacts { fresh: 3, ..run(1000, "2026-11-27T10:00:00+08:00", Reconciled) };
    facts.flows[0].runs.insert(0, next);
    world.tick(&facts).await;
    assert_eq!(world.told(), ["began no-records/orders", "ended no-records/orders"]);
}

fn account(change: impl FnOnce(&mut AccountFacts)) -> Facts {
    let mut account = AccountFacts { name: "km".to_owned(), ..AccountFacts::default() };
    change(&mut account);
    Facts { accounts: vec![account], ..Facts::default() }
}

#[tokio::test]
async fn tokens_are_watched() {
    let ends = |text: &str| account(|account| account.access_ends = Some(text.parse().unwrap()));
    assert!(found(&ends("2026-12-05T10:00:00+08:00"), &[]).await.is_empty());
    assert_eq!(
        found(&ends("2026-12-03T10:00:00+08:00"), &[]).await,
        ["Account km: its access ends at 2026-12-03 10:00 / 账户 km：授权将于 2026-12-03 10:00 到期"]
    );
    let said = found(&ends("2026-11-01T10:00:00+08:00"), &[]).await;
    assert!(said[0].starts_with("Account km: its access ended at 2026-11-01 10:00"), "{said:?}");
    let reason = Words { en: "invalid session".to_owned(), zh: "会话无效".to_owned() };
    let refused = account(|account| account.token_refused = Some(Refused { since: None, reason }));
    assert_eq!(
        found(&refused, &[]).await,
        ["Account km: the vendor refuses its token: invalid session / 账户 km：厂商拒绝其令牌：会话无效"]
    );
}

#[tokio::test]
async fn quotas_of_days_and_months_are_watched() {
    let quota = |hours, calls, left| QuotaFacts { per: hours * HOUR, calls, left };
    let with = |quotas: Vec<QuotaFacts>| account(|account| account.quotas = quotas);
    // A second's window is empty all the time.
    assert!(found(&with(vec![quota(1, 100, 0), quota(24, 1000, 100)]), &[]).await.is_empty());
    let short = with(vec![quota(24, 1000, 99), quota(30 * 24, 10_000, 7)]);
    assert_eq!(
        found(&short, &[]).await,
        [
            "Account km: calls left in 1 d: 99 of 1000 / 账户 km：每 1 天 可调用 1000 次，仅剩 99 次",
            "Account km: calls left in 30 d: 7 of 10000 / 账户 km：每 30 天 可调用 10000 次，仅剩 7 次",
        ]
    );
    let world = World::new(|_| {}).await;
    for left in [99, 110, 150, 99, 199] {
        world.tick(&with(vec![quota(24, 1000, left)])).await;
    }
    // The limits could not be asked for.
    world.tick(&with(Vec::new())).await;
    assert_eq!(world.told(), ["began quota-low/km/1d"]);
    world.tick(&with(vec![quota(24, 1000, 200)])).await;
    assert_eq!(world.told(), ["began quota-low/km/1d", "ended quota-low/km/1d"]);
}

#[tokio::test]
async fn the_disk_is_watched() {
    let world = World::new(|_| {}).await;
    let disk = |free| Facts { disk: Some(DiskFacts { free, total: 100_000_000_000 }), ..Facts::default() };
    world.tick(&disk(2_000_000_000)).await;
    assert!(world.told().is_empty());
    for free in [1_960_000_000, 2_300_000_000, 1_900_000_000] {
        world.tick(&disk(free)).await;
    }
    // It could not be asked.
    world.tick(&Facts::default()).await;
    assert_eq!(world.told(), ["began disk-low"]);
    let said = &world.alerts.incidents(1).await.unwrap()[0].what;
    assert_eq!(said.en, "The disk of the state has only 1.9 GB left of 100.0 GB");
    world.tick(&disk(2_400_000_000)).await;
    assert_eq!(world.told(), ["began disk-low", "ended disk-low"]);
    assert_eq!(found(&disk(4_000_000_000), &[(Rule::DiskLow, on(Bound::Percent(5)))]).await.len(), 1);
}

#[tokio::test]
async fn dead_letters_are_counted() {
    let letters = |n| facts_of(FlowFacts { dead_letters: n, ..flow("orders") });
    assert!(found(&letters(0), &[]).await.is_empty());
    assert!(found(&letters(9), &[(Rule::DeadLetters, on(Bound::Count(10)))]).await.is_empty());
    assert_eq!(
        found(&letters(10), &[(Rule::DeadLetters, on(Bound::Count(10)))]).await,
        ["Flow orders: 10 records were refused and are dead letters / 流程 orders：10 条记录被拒绝，成为死信"]
    );
    assert_eq!(
        found(&letters(1), &[]).await,
        ["Flow orders: 1 record was refused and is a dead letter / 流程 orders：1 条记录被拒绝，成为死信"]
    );
}

#[test]
fn the_facts_of_a_run_are_those_of_its_report() {
    let at = |text: &str| text.parse().unwrap();
    let report = r#"{"flow":"orders","verdict":"partial","reason":"the run was stopped","error_kind":"interrupted",
        "counts":{"records":900,"new":3,"changed":2,"unchanged":880,"older":10,"filtered":4,"refused":1,"pending":7}}"#;
    let mut record = RunRecord {
        id: 4,
        started: at("2026-11-27T02:00:00Z"),
        ended: Some(at("2026-11-27T02:05:00Z")),
        verdict: Some(Verdict::Partial),
        report: report.to_owned(),
    };
    let facts = RunFacts::of(&record, |said| said.replace("the run was stopped", "运行被停止")).unwrap();
    assert_eq!((facts.fresh, facts.pending, facts.was_stopped), (10, 7, true));
    assert_eq!(facts.reason.unwrap().zh, "运行被停止");
    // One without a report that can be read is still a run.
    "cut off".clone_into(&mut record.report);
    assert_eq!(RunFacts::of(&record, str::to_owned).unwrap().verdict, Verdict::Partial);
    record.ended = None;
    assert_eq!(RunFacts::of(&record, str::to_owned), None);
}

#[test]
fn the_pages_list_every_rule_with_its_default() {
    for page in ["alerts.md", "alerts.zh.md"] {
        let path = format!("{}/../../docs/{page}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        let cell = |row: &str, n: usize| row.split('|').nth(n).unwrap().trim().trim_matches('`').to_owned();
        let listed: Vec<_> = rows.map(|row| (cell(row, 1), cell(row, 2))).collect();
        let known = milkrun_alerts::RULES.iter();
        let known: Vec<_> = known.map(|spec| (spec.name.to_owned(), spec.default.unwrap_or("").to_owned())).collect();
        assert_eq!(listed, known, "{page}");
    }
}
