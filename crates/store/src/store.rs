//! How a folder is opened, and which trait is served by what.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use milkrun_core::notes::{Entry, Notes};
use milkrun_core::quota::{Admission, Lane, QuotaLog};
use milkrun_core::state::{
    Change, DeadLetter, FlowState, FlowSummary, JournalRef, Lease, LedgerEntry, OutboxPage, RunRecord, StateStore,
    TraceEntry,
};
use milkrun_core::token::{Begin, Keeper, StoredToken, Token, TokenStore};
use milkrun_core::{Error, ErrorKind, Key, Result, Secret};
use rusqlite::Connection;

use crate::database::Database;
use crate::key::MasterKey;
use crate::ledger::Recent;
use crate::quota::Calls;
use crate::reader::Readers;
use crate::worker::{Gate, Workers, describe_self};
use crate::writer::Writer;
use crate::{commit, lease, ledger, notes, query, schema, vault};

/// What a caller may choose when it opens a store.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// The key of the vault; without one, only tokens and secrets are out of reach.
    pub key: Option<MasterKey>,
    /// Who this is, for other processes to read; `process 1234 on host` if nothing is said.
    pub owner: Option<String>,
}

/// The state of one installation: flows, tokens, secrets and quotas, shared by all processes that open its folder.
///
/// | in the folder | holds |
/// | --- | --- |
/// | `state.db` | flows, ledger, outbox, dead letters, runs, the vault |
/// | `quota.db` | calls under way and ended |
/// | `workers/*.lock` | one locked file for each store that is open |
/// | `open.lock` | held while a process opens the folder |
///
/// One open store is one worker. When it is dropped, its leases are given back; when its process dies, they end.
pub struct SqliteStore {
    pub(crate) folder: PathBuf,
    pub(crate) owner: String,
    pub(crate) key: Option<Arc<MasterKey>>,
    /// The two files.
    pub(crate) databases: [Database; 2],
    /// Whether there may be leases to give back.
    has_leased: AtomicBool,
    pub(crate) readers: Readers,
    pub(crate) writer: Writer,
    recent: Recent,
    calls: Calls,
    /// Last, so that this worker lives until all its writing is done.
    pub(crate) workers: Arc<Workers>,
}

impl SqliteStore {
    /// Opens the state in `folder`, which is created if it is missing.
    ///
    /// It waits while another process opens the same folder, and reads and writes files meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if a file is damaged, another program's, or a newer milkrun's: nothing is changed then.
    /// [`ErrorKind::Busy`] if an older file has to be brought up to date while other processes use it.
    /// [`ErrorKind::Io`] if the folder cannot be read or written.
    pub fn open(folder: &Path, options: StoreOptions) -> Result<Arc<Self>> {
        let at = |error: Error| {
            let error = error.with("folder", folder.display());
            match error.help() {
                Some(_) => error,
                None => error.advise("the state is kept there: check that it is a folder that this user may write to"),
            }
        };
        fs::create_dir_all(folder).map_err(|e| at(e.into()))?;
        let gate = Gate::pass(folder).map_err(at)?;
        if folder.join(RESTORING).exists() {
            let error =
                Error::new(ErrorKind::State, "a restore of this folder broke off, and it holds parts of two states");
            return Err(at(error.advise("run `milkrun restore` with `--force` once more")));
        }
        let state =
            Database { path: folder.join("state.db"), what: "state file", schema: schema::STATE, durable: true };
        let quota =
            Database { path: folder.join("quota.db"), what: "quota file", schema: schema::QUOTA, durable: false };
        refuse_emptied(&state, &quota)?;
        let workers = Workers::join(folder.join("workers"), &gate).map_err(at)?;
        for database in [&state, &quota] {
            let may_migrate = || {
                if !workers.has_others()? {
                    return Ok(());
                }
                let message = format!("the {} is from an older milkrun, which is still running", database.what);
                Err(Error::new(ErrorKind::Busy, message)
                    .with("file", database.path().display())
                    .advise("end the other milkrun processes that use this folder, and run again"))
            };
            database.prepare(may_migrate).map_err(|f| database.explain(f))?;
        }
        let workers = Arc::new(workers);
        let store = Self {
            folder: folder.to_owned(),
            owner: options.owner.unwrap_or_else(describe_self),
            key: options.key.map(Arc::new),
            databases: [state.clone(), quota.clone()],
            has_leased: AtomicBool::new(false),
            readers: Readers::new(state.clone()),
            writer: Writer::start(state)?,
            recent: Recent::default(),
            calls: Calls::start(quota, Arc::clone(&workers))?,
            workers,
        };
        Ok(Arc::new(store))
    }

    /// Seals a secret and keeps it under `name`, in place of an earlier one.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] without the key that the vault was sealed with.
    pub async fn put_secret(&self, name: &str, secret: &Secret) -> Result<()> {
        let (key, name, secret) = (self.key.clone(), name.to_owned(), secret.clone());
        self.writer.run(move |conn| vault::put_secret(conn, key.as_deref(), &name, &secret)).await
    }

    /// The secret of that name, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`] without the key that it was sealed with.
    pub async fn get_secret(&self, name: &str) -> Result<Option<Secret>> {
        let (key, name) = (self.key.clone(), name.to_owned());
        self.readers.run(move |conn| vault::get_secret(conn, key.as_deref(), &name)).await
    }

    /// The names of all secrets, in order.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn list_secrets(&self) -> Result<Vec<String>> {
        self.readers.run(vault::list_secrets).await
    }

    /// Removes a secret; says whether there was one.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn remove_secret(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.writer.run(move |conn| vault::remove_secret(conn, &name)).await
    }

    /// Forgets the finished pages of a flow that lie in journal segments below that one, and returns below which
    /// segment nothing is needed any more, which may be less: pages with something to deliver stay.
    ///
    /// Give the returned number to [`FileJournal::remove_below`](crate::FileJournal::remove_below).
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn forget_pages_below(&self, flow: i64, segment: u32) -> Result<u32> {
        self.writer.run(move |conn| commit::forget_pages_below(conn, flow, segment)).await
    }

    /// Forgets the token of an account, so that the next call has a first one granted; says whether there was one.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn forget_token(&self, account: &str) -> Result<bool> {
        let account = account.to_owned();
        self.writer.run(move |conn| vault::forget_token(conn, &account)).await
    }
}

/// There while a restore moves files.
pub(crate) const RESTORING: &str = "restoring";

/// An empty state file is a new one only if the folder has not been used: the quota file is made after it.
fn refuse_emptied(state: &Database, quota: &Database) -> Result<()> {
    let len = |database: &Database| fs::metadata(database.path()).map(|m| m.len()).ok();
    if len(state) == Some(0) && len(quota).is_some_and(|n| n > 0) {
        return Err(Error::new(ErrorKind::State, "the state file is empty, though this folder has been used")
            .with("file", state.path().display())
            .advise("put a backup in its place, or remove it to begin anew, which delivers every record again"));
    }
    Ok(())
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("folder", &self.folder).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if *self.has_leased.get_mut() {
            let workers = Arc::clone(&self.workers);
            // Without this they end too, as the worker is dead; but a reader of the file should see it.
            self.writer.send(move |conn| lease::release_all(conn, workers.own()), drop);
        }
    }
}

#[async_trait]
impl StateStore for SqliteStore {
    async fn acquire(&self, flow: &str, now: Timestamp) -> Result<Lease> {
        self.has_leased.store(true, Ordering::Relaxed);
        let (flow, owner, workers) = (flow.to_owned(), self.owner.clone(), Arc::clone(&self.workers));
        let recent = self.recent.clone();
        let acquire = move |conn: &Connection| lease::acquire(conn, &workers, &owner, &flow, now);
        self.writer.run_and(acquire, move |lease| recent.clear(lease.flow)).await
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        let workers = Arc::clone(&self.workers);
        let recent = self.recent.clone();
        let release = move |conn: &Connection| lease::release(conn, workers.own(), lease);
        let forget = move |released: &mut bool| {
            if *released {
                recent.forget(lease.flow);
            }
        };
        self.writer.run_and(release, forget).await.map(drop)
    }

    async fn load(&self, lease: Lease) -> Result<FlowState> {
        let workers = Arc::clone(&self.workers);
        self.readers.run(move |conn| commit::load(conn, workers.own(), lease)).await
    }

    async fn seen(&self, flow: i64, keys: Vec<Key>) -> Result<Vec<Option<LedgerEntry>>> {
        let recent = self.recent.clone();
        self.writer.look(move |conn| ledger::seen(conn, flow, &keys, &recent)).await
    }

    async fn commit(&self, lease: Lease, changes: Vec<Change>) -> Result<()> {
        let workers = Arc::clone(&self.workers);
        let (recent, noted) = (self.recent.clone(), self.recent.clone());
        let apply = move |conn: &Connection| commit::apply(conn, workers.own(), lease, changes, &recent);
        self.writer.run_and(apply, move |written| noted.take(lease.flow, std::mem::take(written))).await.map(drop)
    }

    async fn open_pages(&self, flow: i64, after: Option<u64>, limit: u32) -> Result<Vec<OutboxPage>> {
        self.readers.run(move |conn| query::open_pages(conn, flow, after, limit)).await
    }

    async fn flows(&self) -> Result<Vec<FlowSummary>> {
        let workers = Arc::clone(&self.workers);
        self.readers.run(move |conn| query::flows(conn, &workers)).await
    }

    async fn remote_ids(&self, flow: i64, after: Option<Key>, limit: u32) -> Result<Vec<(Key, String)>> {
        self.readers.run(move |conn| ledger::remote_ids(conn, flow, after.as_ref(), limit)).await
    }

    async fn flow_id(&self, flow: &str) -> Result<Option<i64>> {
        let flow = flow.to_owned();
        self.readers.run(move |conn| query::flow_id(conn, &flow)).await
    }

    async fn runs(&self, flow: i64, before: Option<u64>, limit: u32) -> Result<Vec<RunRecord>> {
        self.readers.run(move |conn| query::runs(conn, flow, before, limit)).await
    }

    async fn dead_letters(&self, flow: i64, after: u64, limit: u32) -> Result<Vec<DeadLetter>> {
        self.readers.run(move |conn| query::dead_letters(conn, flow, after, limit)).await
    }

    async fn trace(&self, key: &Key) -> Result<Vec<TraceEntry>> {
        let key = key.clone();
        self.readers.run(move |conn| query::trace(conn, &key)).await
    }

    async fn journal_pages(&self, flow: i64, before: Option<u64>, limit: u32) -> Result<Vec<(u64, JournalRef)>> {
        self.readers.run(move |conn| query::journal_pages(conn, flow, before, limit)).await
    }
}

#[async_trait]
impl Keeper for SqliteStore {
    async fn kept(&self, account: &str, name: &str) -> Result<Option<Secret>> {
        self.get_secret(&kept_name(account, name)).await
    }

    async fn keep(&self, account: &str, name: &str, secret: &Secret) -> Result<()> {
        self.put_secret(&kept_name(account, name), secret).await
    }
}

/// What an account keeps is listed among the secrets, under a name that none set by hand has.
fn kept_name(account: &str, name: &str) -> String {
    format!("{account}/{name}")
}

#[async_trait]
impl TokenStore for SqliteStore {
    async fn load_token(&self, account: &str) -> Result<Option<StoredToken>> {
        let (key, account) = (self.key.clone(), account.to_owned());
        self.readers.run(move |conn| vault::load_token(conn, key.as_deref(), &account)).await
    }

    async fn begin_renewal(&self, account: &str, generation: u64, now: Timestamp, lasts: Duration) -> Result<Begin> {
        let (key, workers, account) = (self.key.clone(), Arc::clone(&self.workers), account.to_owned());
        self.writer
            .run(move |conn| vault::begin_renewal(conn, key.as_deref(), &workers, &account, generation, now, lasts))
            .await
    }

    async fn finish_renewal(&self, account: &str, fence: u64, token: &Token) -> Result<u64> {
        let (key, workers, account) = (self.key.clone(), Arc::clone(&self.workers), account.to_owned());
        let token = token.clone();
        self.writer
            .run(move |conn| vault::finish_renewal(conn, key.as_deref(), workers.own(), &account, fence, &token))
            .await
    }

    async fn abandon_renewal(&self, account: &str, fence: u64, unknown: bool) -> Result<()> {
        let (workers, account) = (Arc::clone(&self.workers), account.to_owned());
        self.writer.run(move |conn| vault::abandon_renewal(conn, workers.own(), &account, fence, unknown)).await
    }
}

#[async_trait]
impl Notes for SqliteStore {
    async fn notes(&self, shelf: &str) -> Result<Vec<(String, String)>> {
        let shelf = shelf.to_owned();
        self.readers.run(move |conn| notes::notes(conn, &shelf)).await
    }

    async fn note(&self, shelf: &str, name: &str) -> Result<Option<String>> {
        let (shelf, name) = (shelf.to_owned(), name.to_owned());
        self.readers.run(move |conn| notes::note(conn, &shelf, &name)).await
    }

    async fn put_notes(&self, shelf: &str, notes: Vec<(String, Option<String>)>) -> Result<()> {
        let shelf = shelf.to_owned();
        self.writer.run(move |conn| notes::put(conn, &shelf, &notes)).await
    }

    async fn record(&self, shelf: &str, at: Timestamp, text: &str) -> Result<u64> {
        let (shelf, text) = (shelf.to_owned(), text.to_owned());
        self.writer.run(move |conn| notes::record(conn, &shelf, at, &text)).await
    }

    async fn recorded(&self, shelf: &str, before: Option<u64>, limit: u32) -> Result<Vec<Entry>> {
        let shelf = shelf.to_owned();
        self.readers.run(move |conn| notes::recorded(conn, &shelf, before, limit)).await
    }

    async fn forget_recorded(&self, shelf: &str, before: Timestamp) -> Result<u64> {
        let shelf = shelf.to_owned();
        self.writer.run(move |conn| notes::forget(conn, &shelf, before)).await
    }
}

#[async_trait]
impl QuotaLog for SqliteStore {
    async fn enter(&self, lanes: &[Lane], now: Timestamp) -> Result<Admission> {
        self.calls.enter(lanes, now).await
    }

    fn leave(&self, ticket: u64, now: Timestamp) {
        self.calls.leave(ticket, now);
    }

    async fn left(&self, lane: &Lane, now: Timestamp) -> Result<Vec<u32>> {
        self.calls.left(lane, now).await
    }
}
