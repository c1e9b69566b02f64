//! The contract that every store keeps, kept by this one.

use std::path::Path;
use std::sync::Arc;

use milkrun_store::{FileJournal, JournalOptions, MasterKey, SqliteStore, StoreOptions};

use milkrun_testkit::notes::MemoryNotes;
use milkrun_testkit::store_contract;

fn open(folder: &Path) -> Arc<SqliteStore> {
    let key = MasterKey::from_text(&"42".repeat(32)).unwrap();
    SqliteStore::open(folder, StoreOptions { key: Some(key), ..StoreOptions::default() }).unwrap()
}

fn place() -> impl Fn() -> Arc<SqliteStore> {
    let folder = tempfile::tempdir().unwrap();
    move || open(&folder.path().join("state"))
}

#[tokio::test]
async fn state() {
    store_contract::state_store(place).await;
}

#[tokio::test]
async fn tokens() {
    store_contract::token_store(place).await;
}

#[tokio::test]
async fn calls() {
    store_contract::quota_log(place).await;
    store_contract::lasting_quota_log(place).await;
}

#[tokio::test]
async fn notes() {
    store_contract::notes(place).await;
}

#[tokio::test]
async fn notes_in_memory() {
    store_contract::notes(|| {
        let notes = Arc::new(MemoryNotes::default());
        move || Arc::clone(&notes)
    })
    .await;
}

#[tokio::test]
async fn journals() {
    for segment_bytes in [1, 2000, 64 << 20] {
        store_contract::journal(|| {
            let folder = tempfile::tempdir().unwrap();
            move || FileJournal::new(&folder.path().join("journal"), JournalOptions { segment_bytes })
        })
        .await;
    }
}
