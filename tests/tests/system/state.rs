//! State, documents or settings that cannot be used: one clear error each, nothing is changed, and when it is mended
//! nothing is lost.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use milkrun_sandbox::kuaimai::Settings;

use crate::installation::Installation;
use crate::milkrun::side_by_side;
use crate::vendor::{DAY, Vendor, settings};

const STATE: &str = ".milkrun/state.db";
const QUOTA: &str = ".milkrun/quota.db";
const JOURNAL: &str = ".milkrun/journal/orders/000001.seg";
const OUT: &str = "out/orders.jsonl";

/// A vendor whose clock is so far behind that a change it makes now is settled, and inside the lookback.
fn vendor() -> Vendor {
    let start = Timestamp::now() - SignedDuration::from_mins(5);
    Vendor::start(Settings { n_orders: 150, history: DAY / 2, clock_start: Some(start), ..settings() })
}

/// Copies a folder with all files in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &place);
        } else {
            fs::copy(&path, &place).unwrap();
        }
    }
}

fn remove(path: &Path) {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
}

/// Changes the bytes of a file.
fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// One thing that is wrong: what, how it comes about, the exit code, and what the error says.
struct Case {
    name: &'static str,
    harm: fn(&mut Installation),
    code: i32,
    says: &'static [&'static str],
}

const fn case(name: &'static str, harm: fn(&mut Installation), code: i32, says: &'static [&'static str]) -> Case {
    Case { name, harm, code, says }
}

const BACKUP: &str = "put a backup in its place";
const OUTSIDE: &str = "it was changed from outside: put it back as it was, or run once with --restart";

const CASES: &[Case] = &[
    case(
        "garbage in place of the state",
        |i| fs::write(i.path(STATE), b"garbage ".repeat(1000)).unwrap(),
        1,
        &["the state file is not a database", "state.db", BACKUP],
    ),
    case(
        "a few bytes in place of the state",
        |i| fs::write(i.path(STATE), b"garbage").unwrap(),
        1,
        &["the state file is not a database", "state.db", BACKUP],
    ),
    case(
        "damage inside the state",
        |i| edit(&i.path(STATE), |bytes| bytes[4096..].fill(b'Z')),
        1,
        &["the state file is damaged", "state.db", BACKUP],
    ),
    case(
        "an empty state",
        |i| fs::write(i.path(STATE), b"").unwrap(),
        1,
        &["the state file is empty, though this folder has been used", BACKUP],
    ),
    case(
        "a newer milkrun's state",
        |i| rusqlite::Connection::open(i.path(STATE)).unwrap().pragma_update(None, "user_version", 99).unwrap(),
        1,
        &["the state file was written by a newer milkrun (schema 99, this one knows ", "use that version of milkrun"],
    ),
    case(
        "another program's database",
        |i| {
            remove(&i.path(STATE));
            rusqlite::Connection::open(i.path(STATE)).unwrap().execute_batch("CREATE TABLE a(b)").unwrap();
        },
        1,
        &["the state file is another program's database", "name another folder"],
    ),
    case(
        "garbage in place of the log of calls",
        |i| fs::write(i.path(QUOTA), b"garbage ".repeat(1000)).unwrap(),
        1,
        &["the quota file is not a database", "quota.db", "it only holds the last calls"],
    ),
    case(
        "a newer milkrun's log of calls",
        |i| rusqlite::Connection::open(i.path(QUOTA)).unwrap().pragma_update(None, "user_version", 99).unwrap(),
        1,
        &["the quota file was written by a newer milkrun"],
    ),
    case(
        "a file in place of the state's folder",
        |i| {
            remove(&i.path(".milkrun"));
            fs::write(i.path(".milkrun"), "x").unwrap();
        },
        1,
        &["File exists", ".milkrun", "the state is kept there: check that it is a folder that this user may write to"],
    ),
    case(
        "a folder that cannot be written",
        |i| {
            let accounts = fs::read_to_string(i.path("milkrun.toml")).unwrap();
            fs::write(i.path("milkrun.toml"), format!("[store]\npath = \"/proc/milkrun\"\n\n{accounts}")).unwrap();
        },
        1,
        &["/proc/milkrun", "the state is kept there: check that it is a folder that this user may write to"],
    ),
    case(
        "no journal",
        |i| remove(&i.path(".milkrun/journal")),
        1,
        &["a segment of the journal is missing", "000001.seg", "from a backup"],
    ),
    case(
        "garbage in place of the journal",
        |i| fs::write(i.path(JOURNAL), b"garbage").unwrap(),
        1,
        &["the journal is shorter than what was committed", "000001.seg", "from a backup"],
    ),
    case(
        "documents that were edited",
        |i| edit(&i.path(OUT), |bytes| *bytes.iter_mut().nth_back(4).unwrap() = b'x'),
        1,
        &["the file has other bytes before byte ", OUT, OUTSIDE],
    ),
    case(
        "documents that were cut",
        |i| edit(&i.path(OUT), |bytes| bytes.truncate(bytes.len() - 10)),
        1,
        &["the file has ", " were committed", OUT, OUTSIDE],
    ),
    case("documents that were moved away", |i| remove(&i.path(OUT)), 1, &["the file is missing, and ", OUT, OUTSIDE]),
    case(
        "a file in place of the documents' folder",
        |i| {
            remove(&i.path("out"));
            fs::write(i.path("out"), "x").unwrap();
        },
        1,
        &["the file cannot be written", OUT, "a file stands where a folder is needed"],
    ),
    case(
        "a vault that was sealed with another key",
        |i| i.set("MILKRUN_KEY", &"ab".repeat(32)),
        2,
        &["the vault was sealed with another key", "use that key; if it is lost"],
    ),
    case(
        "no key",
        |i| i.set("MILKRUN_KEY", "not a key"),
        2,
        &[
            "the master key is not 32 bytes in base64 or hexadecimal digits",
            "MILKRUN_KEY",
            "`milkrun init` makes a key",
        ],
    ),
    case(
        "an empty secret",
        |i| i.set("KM_SESSION", ""),
        2,
        &["the secret of `session` cannot be had: the secret is empty (env KM_SESSION)", "milkrun.toml"],
    ),
    case(
        "no secret",
        |i| i.unset("KM_APP_SECRET"),
        2,
        &["the secret of `app_secret` cannot be had", "KM_APP_SECRET", "milkrun.toml"],
    ),
    case(
        "another secret",
        |i| i.set("KM_APP_SECRET", "another-secret-that-is-wrong"),
        2,
        &["check `app_secret` and `sign_method`"],
    ),
    case("no settings", |i| remove(&i.path("milkrun.toml")), 2, &["milkrun.toml", "milkrun init"]),
    case("no flow", |i| remove(&i.path("flows/orders.toml")), 2, &["orders", "flows"]),
];

#[test]
fn what_cannot_be_used_is_one_clear_error_and_loses_nothing() {
    side_by_side(CASES, |Case { name, harm, code, says }| {
        let vendor = vendor();
        let mut installation = Installation::of_orders(&vendor, "");
        installation.milkrun(&["run", "orders"]).with(0);
        let kept = tempfile::tempdir().unwrap();
        for folder in [".milkrun", "out", "flows"] {
            copy(&installation.path(folder), &kept.path().join(folder));
        }
        fs::copy(installation.path("milkrun.toml"), kept.path().join("milkrun.toml")).unwrap();
        assert_eq!(vendor.control.change("orders", 7).unwrap().len(), 7);

        harm(&mut installation);
        let before = installation.content();
        let ended = installation.milkrun(&["run", "orders"]);
        assert_eq!(ended.code, Some(*code), "{name}: {ended}");
        let said = ended.said();
        let errors = said.lines().filter(|line| line.starts_with("error: ")).count();
        // A run that began says in its report why it failed.
        let reasons = ended.out.matches("why: ").count();
        assert_eq!(errors + reasons, 1, "{name}: {ended}");
        for part in *says {
            assert!(said.contains(part) || ended.out.contains(part), "{name}: `{part}` is not said: {ended}");
        }
        let after = installation.content();
        assert_eq!(after.get(Path::new(OUT)), before.get(Path::new(OUT)), "{name}: the documents were touched");

        for path in [".milkrun", "out", "flows"] {
            if installation.path(path).exists() {
                remove(&installation.path(path));
            }
            copy(&kept.path().join(path), &installation.path(path));
        }
        fs::copy(kept.path().join("milkrun.toml"), installation.path("milkrun.toml")).unwrap();
        installation.set_secrets(&vendor);
        installation.milkrun(&["run", "orders"]).with(0);
        installation.orders().assert_newest_are(&vendor.orders());
    });
}

#[test]
fn a_full_disk_is_said_and_the_next_run_goes_on() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "");
    fs::create_dir(installation.path("out")).unwrap();
    symlink("/dev/full", installation.path(OUT)).unwrap();
    let ended = installation.milkrun(&["run", "orders"]).with(1);
    for part in ["the disk is full", OUT, "No space left on device", "free some space and run again"] {
        assert!(ended.out.contains(part), "{ended}");
    }
    assert_eq!((ended.out.matches("why: ").count(), ended.said()), (1, String::new()), "{ended}");
    remove(&installation.path(OUT));
    fs::write(installation.path(OUT), "").unwrap();
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_are(&vendor.orders());
}

#[test]
fn a_run_that_could_not_begin_has_failed() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "");
    installation.milkrun(&["run", "orders"]).with(0);
    remove(&installation.path(OUT));
    installation.milkrun(&["run", "orders"]).with(1);
    let status = installation.milkrun(&["status", "--json"]).with(0).json();
    let last = &status["flows"][0]["last_run"];
    assert_eq!((&last["verdict"], last["ended"].is_string()), (&"failed".into(), true), "{status:#}");
    assert!(last["report"]["reason"].as_str().unwrap().contains("the file is missing"), "{status:#}");
}

#[test]
fn beginning_anew_asks_first_and_keeps_the_old_documents_aside() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "");
    installation.milkrun(&["run", "orders"]).with(0);
    edit(&installation.path(OUT), |bytes| bytes.truncate(100));
    let ended = installation.milkrun(&["run", "orders", "--restart"]).with(2);
    assert!(ended.said().contains("--yes"), "{ended}");
    assert_eq!(installation.path(OUT).metadata().unwrap().len(), 100, "nothing is done without a yes");
    installation.milkrun(&["run", "orders", "--restart", "--yes"]).with(0);
    installation.orders().assert_are(&vendor.orders());
    assert_eq!(installation.path("out/orders.jsonl.bak-1").metadata().unwrap().len(), 100);
    // What came after the last commit, as after a crash, is cut.
    edit(&installation.path(OUT), |bytes| bytes.extend_from_slice(b"{\"sid\":597"));
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_are(&vendor.orders());
}

#[test]
fn beginning_anew_tells_of_the_one_way_that_is_set() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "");
    let accounts = fs::read_to_string(installation.path("milkrun.toml")).unwrap();
    let set = |way: &str| {
        let target = "[[accounts.files.targets]]\nname = \"orders\"\npath = \"orders.jsonl\"\n";
        let text = format!("{accounts}\n{target}on_existing = \"{way}\"\n");
        fs::write(installation.path("milkrun.toml"), text).unwrap();
    };
    // Nobody answers, so nothing is done.
    let told = |lang: &str| installation.milkrun(&["run", "orders", "--restart", "--lang", lang]).with(2).said();
    set("refuse");
    assert!(told("en").contains("orders: everything is read again; the file of target `orders` holds nothing yet."));
    assert!(told("zh").contains("orders：将全部重新读取；目标 `orders` 的文件尚无内容。"));
    installation.milkrun(&["run", "orders", "--restart", "--yes"]).with(0);
    let before = fs::read(installation.path(OUT)).unwrap();

    let ways = [
        (
            "keep-aside",
            "is kept under another name, as `….bak-1`, and written anew.",
            "的文件会改名保留（如 `….bak-1`）",
        ),
        ("replace", "the file of target `orders` is overwritten.", "目标 `orders` 的文件会被覆盖。"),
        ("refuse", "has content, and it refuses to be written over", "的文件已有内容，且设置为拒绝覆盖"),
    ];
    for (way, ..) in ways {
        set(way);
        let (said, in_chinese) = (told("en"), told("zh"));
        for (other, other_english, other_chinese) in ways {
            assert_eq!(said.contains(other_english), other == way, "{way}: {said}");
            assert_eq!(in_chinese.contains(other_chinese), other == way, "{way}: {in_chinese}");
        }
    }
    // A yes does not help where the target refuses, and nothing is forgotten.
    let refused = installation.milkrun(&["run", "orders", "--restart", "--yes"]).with(2).said();
    assert!(refused.contains("move out/orders.jsonl away"), "{refused}");
    assert_eq!(fs::read(installation.path(OUT)).unwrap(), before);
    let again = installation.milkrun(&["run", "orders", "--json"]).with(0).json();
    assert_eq!(again["flows"][0]["counts"]["new"], 0, "{again:#}");
    set("replace");
    installation.milkrun(&["run", "orders", "--restart", "--yes"]).with(0);
    installation.orders().assert_are(&vendor.orders());
    assert!(!installation.path("out/orders.jsonl.bak-1").exists());
}

#[test]
fn a_state_that_cannot_be_looked_at_is_not_taken_for_none() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "");
    fs::write(installation.path(".milkrun"), "x").unwrap();
    for command in [["status", "--json"], ["dead-letters", "orders"]] {
        let ended = installation.milkrun(&command).with(1);
        let said = ended.out.clone() + &ended.said();
        assert!(said.contains("check that it is one, and that this user may read it"), "{ended}");
        assert!(ended.out.is_empty() || ended.json()["error"]["kind"] == "io", "{ended}");
    }
}
