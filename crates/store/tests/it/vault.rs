//! Secrets and tokens: sealed on the disk, hidden in messages, and out of reach without the key.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::token::{Begin, Token, TokenStore};
use milkrun_core::{ErrorKind, Secret};
use milkrun_store::{MasterKey, SqliteStore, StoreOptions};

const PLAIN: &str = "5f4dcc3b5aa765d61d83";

fn key(digit: &str) -> MasterKey {
    MasterKey::from_text(&digit.repeat(64)).unwrap()
}

fn open(folder: &Path, key: Option<MasterKey>) -> Arc<SqliteStore> {
    SqliteStore::open(folder, StoreOptions { key, ..StoreOptions::default() }).unwrap()
}

async fn renew(store: &SqliteStore, generation: u64) -> milkrun_core::Result<u64> {
    let begun = store.begin_renewal("km", generation, Timestamp::UNIX_EPOCH, Duration::from_mins(2)).await?;
    let Begin::Started { fence, .. } = begun else { panic!("{begun:?}") };
    store.finish_renewal("km", fence, &Token::new(Secret::new(PLAIN), Timestamp::UNIX_EPOCH)).await
}

#[tokio::test]
async fn secrets_are_kept_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), Some(key("1")));
    assert_eq!(store.get_secret("km").await.unwrap(), None);
    store.put_secret("km", &Secret::new("old")).await.unwrap();
    store.put_secret("km", &Secret::new(PLAIN)).await.unwrap();
    store.put_secret("a b", &Secret::new("")).await.unwrap();
    drop(store);
    let store = open(folder.path(), Some(key("1")));
    assert_eq!(store.get_secret("km").await.unwrap(), Some(Secret::new(PLAIN)));
    assert_eq!(store.list_secrets().await.unwrap(), ["a b", "km"]);
    assert!(store.remove_secret("km").await.unwrap());
    assert!(!store.remove_secret("km").await.unwrap());
    assert_eq!(store.get_secret("km").await.unwrap(), None);
}

#[tokio::test]
async fn nothing_is_on_the_disk_or_in_messages_in_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), Some(key("1")));
    store.put_secret("km", &Secret::new(PLAIN)).await.unwrap();
    renew(&store, 0).await.unwrap();
    let shown = format!("{store:?} {:?} {:?}", store.load_token("km").await, store.get_secret("km").await);
    assert!(!shown.contains(PLAIN), "{shown}");
    // The write-ahead log is there while the store is open, and the database alone when it is closed.
    let look = || {
        let mut n_files = 0;
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = fs::read(&path).unwrap();
                let plain = PLAIN.as_bytes();
                assert!(!bytes.windows(plain.len()).any(|part| part == plain), "{}", path.display());
                n_files += 1;
            }
        }
        n_files
    };
    assert!(look() >= 4);
    drop(store);
    assert!(look() >= 2);
}

#[tokio::test]
async fn another_key_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), Some(key("1")));
    store.put_secret("km", &Secret::new(PLAIN)).await.unwrap();
    renew(&store, 0).await.unwrap();
    drop(store);

    let store = open(folder.path(), Some(key("2")));
    let errors = [
        store.get_secret("km").await.unwrap_err(),
        store.load_token("km").await.unwrap_err(),
        renew(&store, 1).await.expect_err("before the vendor is asked"),
        store.put_secret("other", &Secret::new("x")).await.expect_err("two keys in one vault"),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.message().starts_with("the vault was sealed with another key"), "{error}");
        assert!(error.message().contains(key("1").id()) && error.help().is_some(), "{error}");
    }
    assert_eq!(store.list_secrets().await.unwrap(), ["km"]);
    store.put_secret("km", &Secret::new("new")).await.expect("the only secret may be replaced under a new key");
}

#[tokio::test]
async fn without_a_key_only_the_vault_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), Some(key("1")));
    store.put_secret("km", &Secret::new(PLAIN)).await.unwrap();
    renew(&store, 0).await.unwrap();
    drop(store);
    let store = open(folder.path(), None);
    assert!(store.load_token("unknown").await.unwrap().is_none());
    assert_eq!(store.get_secret("unknown").await.unwrap(), None);
    let errors = [
        store.get_secret("km").await.unwrap_err(),
        store.load_token("km").await.unwrap_err(),
        renew(&store, 1).await.unwrap_err(),
        store.put_secret("km", &Secret::new("x")).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.help().is_some_and(|help| help.contains("milkrun init")), "{error}");
    }
    assert!(store.remove_secret("km").await.unwrap());
}

#[tokio::test]
async fn a_forgotten_token_is_granted_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), Some(key("1")));
    assert_eq!(renew(&store, 0).await.unwrap(), 1);
    assert!(store.forget_token("km").await.unwrap());
    assert!(!store.forget_token("km").await.unwrap());
    assert!(store.load_token("km").await.unwrap().is_none());
    assert_eq!(renew(&store, 0).await.unwrap(), 2, "nobody takes it for the forgotten one");
}
