//! State files that are damaged, newer, somebody else's, or cannot be written.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use milkrun_core::state::{Change, StateStore};
use milkrun_core::{Error, ErrorKind};
use milkrun_store::{SqliteStore, StoreOptions};

fn open(folder: &Path) -> milkrun_core::Result<std::sync::Arc<SqliteStore>> {
    SqliteStore::open(folder, StoreOptions::default())
}

/// Opening fails, says so, and leaves the file as it was.
fn refused(folder: &Path, file: &str) -> Error {
    let before = fs::read(folder.join(file)).unwrap();
    let error = open(folder).unwrap_err();
    assert!(error.help().is_some(), "{error}");
    assert!(error.fact("file").is_some_and(|path| path.ends_with(file)), "{error}");
    assert_eq!(fs::read(folder.join(file)).unwrap(), before, "{error}");
    error
}

/// A state file as the sqlite3 shell sees it.
fn sql(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_newer_file_is_left_alone() {
    for (file, what) in [("state.db", "state file"), ("quota.db", "quota file")] {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path()).unwrap());
        sql(&folder.path().join(file), "PRAGMA user_version = 99; DROP TABLE IF EXISTS flow;");
        let error = refused(folder.path(), file);
        assert_eq!(error.kind(), ErrorKind::State);
        let start = format!("the {what} was written by a newer milkrun (schema 99, this one knows ");
        assert!(error.message().starts_with(&start), "{error}");
    }
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let contents: [&[u8]; 4] = [b"x", b"{\"not\": \"a database\"}\n", &[0; 5000], &[0xff; 5000]];
    for content in contents {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("state.db"), content).unwrap();
        let error = refused(folder.path(), "state.db");
        assert_eq!((error.kind(), error.message()), (ErrorKind::State, "the state file is not a database"));
    }
}

#[test]
fn the_advice_for_each_file_is_its_own() {
    for (file, says, says_not) in [("state.db", "backup", "quotas"), ("quota.db", "quotas", "backup")] {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path()).unwrap());
        fs::write(folder.path().join(file), [0xff; 5000]).unwrap();
        let error = refused(folder.path(), file);
        let help = error.help().unwrap();
        assert!(help.contains(says) && !help.contains(says_not), "{file}: {help}");
    }
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let contents =
        ["CREATE TABLE theirs(a)", "PRAGMA user_version = 1", "PRAGMA application_id = 5; CREATE TABLE flow(a)"];
    for content in contents {
        let folder = tempfile::tempdir().unwrap();
        sql(&folder.path().join("state.db"), content);
        let error = refused(folder.path(), "state.db");
        assert_eq!((error.kind(), error.message()), (ErrorKind::State, "the state file is another program's database"));
    }
}

#[tokio::test]
async fn a_damaged_file_is_said_to_be_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let lease = store.acquire("orders", Timestamp::UNIX_EPOCH).await.unwrap();
    store.commit(lease, vec![Change::SinkMark("x".repeat(100_000))]).await.unwrap();
    drop(store);
    let path = folder.path().join("state.db");
    let whole = fs::read(&path).unwrap();

    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = refused(folder.path(), "state.db");
    assert_eq!((error.kind(), error.message()), (ErrorKind::State, "the state file is damaged"));

    // The first page is whole: what lies behind it is noticed when it is read.
    let mut torn = whole.clone();
    torn[4096..].fill(0xaa);
    fs::write(&path, &torn).unwrap();
    let outcome = match open(folder.path()) {
        Ok(store) => store.acquire("orders", Timestamp::UNIX_EPOCH).await.map(drop),
        Err(error) => Err(error),
    };
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::State, "the state file is damaged"));
    assert!(error.help().is_some());

    fs::write(&path, &whole).unwrap();
    let store = open(folder.path()).unwrap();
    let lease = store.acquire("orders", Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(store.load(lease).await.unwrap().sink_mark.map(|mark| mark.len()), Some(100_000));
}

#[test]
fn an_emptied_file_is_not_taken_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("state.db"), "").unwrap();
    drop(open(folder.path()).expect("a process was killed before it wrote anything"));
    fs::write(folder.path().join("state.db"), "").unwrap();
    let error = refused(folder.path(), "state.db");
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.message().contains("is empty"), "{error}");
}

#[test]
fn a_folder_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.fact("folder"), Some(path.display().to_string().as_str()));
        assert!(error.help().is_some());
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_state_file_that_is_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("state.db")).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert_eq!(error.message(), "the state file cannot be opened for writing");
    assert!(error.help().is_some());
}

#[tokio::test]
async fn a_file_system_that_cannot_be_written_is_named() {
    // Where the user is root, only the kernel's own file systems refuse.
    let error = open(Path::new("/proc/milkrun")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.fact("folder").is_some() && error.help().is_some());
}

#[test]
fn many_may_open_a_new_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| open(&path).unwrap());
        }
    });
    drop(open(&path).unwrap());
    assert_eq!(fs::read_dir(path.join("workers")).unwrap().count(), 0, "nobody has it open any more");
}
