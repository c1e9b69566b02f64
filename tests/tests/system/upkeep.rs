//! Upkeep of an installation that is in use: backup beside a run, restore, retention, doctor, the log.

use std::fs;
use std::path::Path;
use std::process::Command;

use milkrun_sandbox::kuaimai::Settings;
use serde_json::Value;

use crate::installation::Installation;
use crate::milkrun::Running;
use crate::vendor::{DAY, Vendor, settings};

fn vendor() -> Vendor {
    Vendor::start(Settings { n_orders: 600, history: DAY, ..settings() })
}

/// All findings of that part, as `health: finding`.
fn findings(report: &Value, what: &str) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter().filter(|finding| finding["what"] == what);
    all.map(|f| format!("{}: {}", f["health"].as_str().unwrap(), f["finding"].as_str().unwrap())).collect()
}

#[test]
fn a_backup_beside_a_run_becomes_an_installation_that_goes_on() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "page_size = 50");
    // A log of calls that comes from a backup does not know the last second: the limit leaves room for both.
    installation.account(&vendor, "calls_per_second = 5\n");
    let mut running = installation.start(&["run", "orders"]);
    let pages = || vendor.control.calls(0).len();
    assert!(running.until(|| pages() >= 5), "{}", running.written());
    let (folder, archive) = (installation.path("backup"), installation.path("backup.tar.zst"));
    let to = |path: &Path| path.display().to_string();
    let made = installation.milkrun(&["backup", &to(&folder), "--json"]).with(0).json();
    assert_eq!(made["flows"], serde_json::json!(["orders"]));
    installation.milkrun(&["backup", &to(&archive)]).with(0);
    running.wait().with(0);
    // Neither is overwritten.
    let again = installation.milkrun(&["backup", &to(&archive)]).with(2);
    assert!(again.said().contains("there is something already where the backup would be"), "{again}");

    // The installation is lost, and comes back from either.
    let n_orders = installation.orders().newest().len();
    let lost = |name: &str| {
        let path = installation.path(name);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    };
    let written = fs::read(installation.path("out/orders.jsonl")).unwrap();
    for backup in [&folder, &archive] {
        // The documents are not part of the backup: they are where they have been.
        fs::write(installation.path("out/orders.jsonl"), &written).unwrap();
        for name in [".milkrun", "flows", "milkrun.toml"] {
            lost(name);
        }
        let done = installation.milkrun(&["restore", &to(backup), "--json"]).with(0).json();
        assert_eq!(done["put"], serde_json::json!(["flows/orders.toml", "milkrun.toml"]));
        let ended = installation.milkrun(&["run", "orders", "--json"]).with(0).json();
        assert!(ended.to_string().contains("reconciled"), "{ended}");
        installation.orders().assert_nothing_doubled();
        assert_eq!(installation.orders().newest().len(), n_orders);
    }
    // A state is not replaced by mistake, and moved aside if it is meant.
    let refused = installation.milkrun(&["restore", &to(&archive)]).with(2);
    assert!(refused.said().contains("add `--force`"), "{refused}");
    fs::write(installation.path("out/orders.jsonl"), &written).unwrap();
    let done = installation.milkrun(&["restore", &to(&archive), "--force", "--json"]).with(0).json();
    assert!(Path::new(done["aside"].as_str().unwrap()).join("state.db").exists(), "{done}");
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_nothing_doubled();
}

#[test]
fn a_backup_that_was_touched_is_refused_and_changes_nothing() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "");
    installation.milkrun(&["run", "orders"]).with(0);
    let backup = installation.path("backup");
    installation.milkrun(&["backup", &backup.display().to_string()]).with(0);
    let before = installation.content();
    let segment = backup.join("state/journal/orders/000001.seg");
    let whole = fs::read(&segment).unwrap();
    let mut bytes = whole.clone();
    bytes[100] ^= 1;
    let restore = || installation.milkrun(&["restore", &backup.display().to_string(), "--force"]);
    fs::write(&segment, bytes).unwrap();
    let refused = restore().with(1);
    assert!(refused.said().contains("the backup is damaged"), "{refused}");
    fs::write(&segment, &whole).unwrap();
    fs::rename(backup.join("manifest.json"), backup.join("m")).unwrap();
    assert!(restore().with(1).said().contains("it has no manifest"));
    fs::rename(backup.join("m"), backup.join("manifest.json")).unwrap();
    let after = installation.content();
    let changed: Vec<_> = before.iter().filter(|(path, bytes)| after.get(*path) != Some(*bytes)).collect();
    assert!(changed.iter().all(|(path, _)| path.ends_with("open.lock")), "{changed:?}");
}

#[test]
fn no_secret_is_in_a_backup_in_clear() {
    let vendor = vendor();
    let mut installation = Installation::of_orders(&vendor, "");
    installation.milkrun_told(&["secret", "set", "app"], "vErY-sEcReT-vAuLtEd\n").with(0);
    fs::create_dir(installation.path("flows/keys")).unwrap();
    installation.milkrun(&["run", "orders"]).with(0);
    let (folder, archive) = (installation.path("backup"), installation.path("b.tar.zst"));
    installation.milkrun(&["backup", &folder.display().to_string()]).with(0);
    installation.assert_no_secret();
    // Secrets that stand in the settings, and a file that is one.
    let own = vendor.settings.clone();
    let text = fs::read_to_string(installation.path("milkrun.toml")).unwrap();
    let inline = text.replace("{ env = \"KM_APP_SECRET\" }", &format!("\"{}\"", own.app_secret));
    let inline = inline.replace("{ env = \"KM_SESSION\" }", "{ file = \"flows/keys/session\" }");
    fs::write(installation.path("milkrun.toml"), &inline).unwrap();
    fs::write(installation.path("flows/keys/session"), &own.session).unwrap();
    let made = installation.milkrun(&["backup", &archive.display().to_string(), "--json"]).with(0).json();
    assert_eq!((&made["has_stars"], &made["left_out"]), (&true.into(), &serde_json::json!(["flows/keys/session"])));
    fs::write(installation.path("milkrun.toml"), &text).unwrap();
    fs::remove_file(installation.path("flows/keys/session")).unwrap();
    for name in [".milkrun", "flows", "backup"] {
        fs::remove_dir_all(installation.path(name)).unwrap();
    }
    fs::remove_file(installation.path("milkrun.toml")).unwrap();
    // Unpacked, the archive holds no secret either: the whole folder is looked through.
    let done = installation.milkrun(&["restore", &archive.display().to_string()]).with(0);
    assert!(done.out.contains("milkrun.toml has stars") && done.out.contains("flows/keys/session"), "{done}");
    installation.assert_no_secret();
    let all = installation.content();
    assert!(all.values().all(|bytes| !bytes.windows(19).any(|part| part == b"vErY-sEcReT-vAuLtEd")));
    installation.unset("MILKRUN_KEY");
    installation.milkrun(&["status"]).with(0);
}

#[test]
fn retention_forgets_what_is_old_and_nothing_that_is_needed() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "");
    installation.milkrun(&["run", "orders"]).with(0);
    let text = fs::read_to_string(installation.path("milkrun.toml")).unwrap();
    let set = |retention: &str| {
        fs::write(installation.path("milkrun.toml"), format!("{text}\n[retention]\n{retention}")).unwrap();
    };
    set("ledger = \"10d\"\n");
    let refused = installation.milkrun(&["retain"]).with(2);
    assert!(refused.said().contains("`ledger` has to be at least 31d"), "{refused}");
    set("ledger = \"400d\"\nruns = \"1d\"\npages_size = \"64MiB\"\n");
    let dry = installation.milkrun(&["retain", "--dry-run", "--json"]).with(0).json();
    assert_eq!(
        (&dry["dry"], &dry["runs"], &dry["ledger"], &dry["segments"]),
        (&true.into(), &0.into(), &0.into(), &0.into())
    );
    // A file never forgets: what is read again would stand in it twice.
    assert_eq!((&dry["kept"][0]["flow"], &dry["kept"][0]["what"]), (&"orders".into(), &"ledger".into()));
    let done = installation.milkrun(&["retain"]).with(0);
    assert!(done.out.contains("the target is a file"), "{done}");
    let before = installation.orders();
    installation.milkrun(&["run", "orders"]).with(0);
    assert_eq!(installation.orders().len(), before.len());
}

#[test]
fn a_doctor_finds_what_is_wrong_and_nothing_else() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "");
    installation.flow(
        "never",
        &crate::installation::orders_flow(&vendor, "", "").replace("target = \"orders\"", "target = \"never\""),
    );
    installation.milkrun(&["run", "orders"]).with(0);
    let report = installation.milkrun(&["doctor", "--json"]).with(0).json();
    assert!(findings(&report, "state")[0].starts_with("good: the state is sound"), "{report}");
    assert!(
        findings(&report, "clock").iter().all(|finding| finding.starts_with("good: the clock differs by")),
        "{report}"
    );
    assert!(
        findings(&report, "disk").iter().all(|finding| finding.contains(" are free; the state takes ")),
        "{report}"
    );
    assert!(findings(&report, "flows").contains(&"warning: `never` has never run".to_owned()), "{report}");
    assert!(report["findings"].as_array().unwrap().iter().all(|f| f["health"] == "good" || f["advice"].is_string()));
    // A page is missing, a limit is too wide, a file is wrong.
    fs::remove_file(installation.path(".milkrun/journal/orders/000001.seg")).unwrap();
    installation.account(&vendor, "quota = [\"100/1s\"]\n");
    installation.flow("never", "[source]\naccount = \"km\"\n");
    let report = installation.milkrun(&["doctor", "--offline", "--json"]).with(1).json();
    assert!(findings(&report, "state")[0].starts_with("bad: pages of `orders` are missing: "), "{report}");
    assert!(findings(&report, "clock").is_empty(), "{report}");
    let wide = "warning: the `quota` of `km` allows more than the vendor's 12/1s".to_owned();
    assert!(findings(&report, "accounts").contains(&wide), "{report}");
    assert!(
        findings(&report, "files").iter().any(|f| f.starts_with("bad: ") && f.contains("flows/never.toml")),
        "{report}"
    );
    // A state that does not open is said, and the rest all the same.
    fs::write(installation.path(".milkrun/state.db"), b"garbage ".repeat(1000)).unwrap();
    let report = installation.milkrun(&["doctor", "--offline", "--json"]).with(1).json();
    assert_eq!(findings(&report, "state"), ["bad: the state file is not a database"]);
    assert!(!findings(&report, "files").is_empty());
}

#[test]
fn the_log_is_put_aside_when_it_is_full() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "page_size = 20");
    let path = installation.path("milkrun.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        format!("{text}\n[logs]\nfile = \"logs/m.jsonl\"\nlevel = \"trace\"\nsize = \"1MiB\"\nkeep = 2\n"),
    )
    .unwrap();
    installation.milkrun(&["run", "orders"]).with(0);
    let log = fs::read_to_string(installation.path("logs/m.jsonl")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["target"] == "milkrun::call" && line["level"] == "info"), "{log}");
    // That it holds no secret is looked for when the installation ends.
    fs::write(&path, format!("{text}\n[logs]\nfile = \"milkrun.toml/x\"\n")).unwrap();
    let refused = installation.milkrun(&["status"]).with(2);
    assert!(refused.said().contains("the log file cannot be written"), "{refused}");
}

#[test]
fn a_keyring_that_is_not_built_in_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(crate::milkrun::binary());
    command.args(["init", "--key", "keyring", "--lang", "en", "--dir"]).arg(folder.path().join("new")).env_clear();
    let ended = Running::start(command, "", &folder.path().join("console")).wait();
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.said().contains("--features keyring"), "{ended}");
    assert!(!folder.path().join("new").exists(), "nothing is left half done");
}
