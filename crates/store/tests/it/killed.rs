//! A worker that is killed: another takes its place at once, with all that was committed.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::ErrorKind;
use milkrun_core::quota::{Admission, Lane, Quota, QuotaLog};
use milkrun_core::state::{Change, RunRecord, StateStore};
use milkrun_store::{SqliteStore, StoreOptions};

const FOLDER: &str = "MILKRUN_TEST_FOLDER";
const NOW: Timestamp = Timestamp::constant(1_785_513_600, 5);

fn open(folder: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(folder, StoreOptions::default()).unwrap()
}

fn lane() -> Lane {
    Lane { name: "km".into(), quota: Quota::unlimited().at_once(1) }
}

/// The child's part: commits, says so, and waits to be killed.
#[tokio::test]
async fn child() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let store = open(Path::new(&folder));
    let lease = store.acquire("orders", NOW).await.unwrap();
    store.enter(&[lane()], NOW).await.unwrap();
    let begun = RunRecord { id: 0, started: NOW, ended: None, verdict: None, report: "{}".into() };
    store.commit(lease, vec![Change::Run(begun)]).await.unwrap();
    for n in 0_u64.. {
        store.commit(lease, vec![Change::SinkMark(n.to_string())]).await.unwrap();
        println!("committed {n}");
    }
}

#[tokio::test]
async fn its_flow_and_its_calls_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "committed 20"));

    let store = open(folder.path());
    let error = store.acquire("orders", NOW).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    let holder = format!("flow `orders` is being run by process {} on ", child.id());
    assert!(error.message().starts_with(&holder), "{error}");
    // An instant is told to the second.
    assert!(error.message().ends_with(&format!(" since {NOW:.0}")), "{error}");
    assert!(matches!(store.enter(&[lane()], NOW).await.unwrap(), Admission::Wait { .. }));
    let is_under_way = async || {
        let mark = store.runs_between(NOW, NOW + SignedDuration::from_secs(1), 9).await.unwrap().remove(0);
        let flow = store.flows().await.unwrap().remove(0);
        assert_eq!(flow.under_way().is_some(), mark.is_under_way);
        assert!(flow.under_way().is_none_or(|holder| !holder.is_own && holder.who.starts_with("process ")));
        mark.is_under_way
    };
    assert!(is_under_way().await);

    child.kill().unwrap();
    child.wait().unwrap();
    let told = lines.filter_map(|line| line.strip_prefix("committed ")?.parse::<u64>().ok()).max().unwrap_or(20);
    assert!(!is_under_way().await && store.flows().await.unwrap()[0].running.is_none());
    // Whoever takes the right over is not at the run that was cut off.
    let lease = store.acquire("orders", NOW + SignedDuration::from_nanos(1)).await.unwrap();
    assert!(!is_under_way().await && store.holder(lease.flow).await.unwrap().unwrap().is_own);
    assert_eq!(lease.fence, 2);
    let mark: u64 = store.load(lease).await.unwrap().sink_mark.unwrap().parse().unwrap();
    assert!(mark == told || mark == told + 1, "{told} was acknowledged, and {mark} is there");
    assert!(matches!(store.enter(&[lane()], NOW).await.unwrap(), Admission::Entered(_)));
    assert_eq!(std::fs::read_dir(folder.path().join("workers")).unwrap().count(), 1);
}
