//! What an installation is looked after with: holds, sizes, retention, copies, and what the console asks.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use milkrun_core::state::{DeadLetter, Holder, RunRecord};
use milkrun_core::{Error, ErrorKind, Key, Result};

use crate::backup::{self, JournalPart};
use crate::console::{self, LetterFilter, RunMark, Sizes, TokenFacts};
use crate::database::Database;
use crate::fault::RESTORE;
use crate::hold::Hold;
use crate::journal::{FileJournal, sync_folder};
use crate::store::{RESTORING, SqliteStore};
use crate::worker::{Gate, any_alive};
use crate::{lease, quota, retain, schema};

/// The files of a state, in the order in which a restore puts them.
const STATE_FILES: [&str; 4] = ["journal", "state.db", "state.db-wal", "state.db-shm"];

/// The files of the log of calls; the log itself last, so that it never lies beside the writes of another one.
const CALL_FILES: [&str; 3] = ["quota.db-wal", "quota.db-shm", CALLS];
const CALLS: &str = "quota.db";

impl SqliteStore {
    /// Takes the right to do `name` on this folder, such as `serve`, which one process can have at a time. It ends when it is dropped, and with the process.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if another has it: the message says who, and since when.
    pub fn hold(&self, name: &str) -> Result<Hold> {
        Hold::take(&self.folder, name, &self.owner)
    }

    /// The folder of the state.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is known of an account's token, if it ever had one. Without the vault's key, tokens that an older version
    /// kept say nothing of their time.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn token_facts(&self, account: &str) -> Result<Option<TokenFacts>> {
        let (key, account) = (self.key.clone(), account.to_owned());
        self.readers.run(move |conn| console::token(conn, key.as_deref(), &account)).await
    }

    /// Writes down why an account's token cannot be renewed any more. A new token takes it away.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn token_died(&self, account: &str, reason: &str) -> Result<()> {
        let (account, reason) = (account.to_owned(), reason.to_owned());
        self.writer.run(move |conn| console::token_died(conn, &account, &reason)).await
    }

    /// Takes away what [`SqliteStore::token_died`] has written: the vendor accepts the account again, which does not
    /// take a new token where what a person sets is the token.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn token_lives(&self, account: &str) -> Result<()> {
        let account = account.to_owned();
        self.writer.run(move |conn| console::token_lives(conn, &account)).await
    }

    /// The runs of all flows that began in `[from, until)`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn runs_between(&self, from: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<RunMark>> {
        let workers = Arc::clone(&self.workers);
        self.readers.run(move |conn| console::runs_between(conn, &workers, from, until, limit)).await
    }

    /// The newest run of a flow that had begun by then, to the millisecond, as the ledger has it.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn run_at(&self, flow: i64, at: Timestamp) -> Result<Option<RunRecord>> {
        self.readers.run(move |conn| console::run_at(conn, flow, at)).await
    }

    /// Who has the right to run a flow; nobody if that worker is dead.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn holder(&self, flow: i64) -> Result<Option<Holder>> {
        let workers = Arc::clone(&self.workers);
        self.readers.run(move |conn| lease::holder(conn, &workers, flow)).await
    }

    /// How many dead letters of a flow the filter lets through.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn count_dead_letters(&self, flow: i64, filter: LetterFilter) -> Result<u64> {
        self.readers.run(move |conn| console::count_letters(conn, flow, &filter)).await
    }

    /// The dead letters of a flow that the filter lets through, above the number `after`, oldest first.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn find_dead_letters(
        &self,
        flow: i64,
        after: u64,
        limit: u32,
        filter: LetterFilter,
    ) -> Result<Vec<DeadLetter>> {
        self.readers.run(move |conn| console::find_letters(conn, flow, after, limit, &filter)).await
    }

    /// How large everything is.
    ///
    /// # Errors
    /// Those of the state file, and of the journal's folders.
    pub async fn sizes(&self, journal: &FileJournal) -> Result<Sizes> {
        let sizes = self.readers.run(console::sizes).await?;
        let [database, calls] = [0, 1].map(|n: usize| retain::bytes_of(self.databases[n].path()));
        Ok(Sizes { database, calls, journal: journal.bytes().await?, ..sizes })
    }

    /// The version of the state file's tables.
    pub fn schema_version() -> usize {
        schema::STATE.version()
    }

    /// What SQLite finds wrong with the state file and the log of calls, at most `most` lines each; nothing: they are
    /// sound. It reads them whole.
    ///
    /// # Errors
    /// Those of the files.
    pub async fn integrity(&self, most: u32) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for database in self.databases.clone() {
            all.extend(blocking(move || database.integrity(most)).await?);
        }
        Ok(all)
    }

    /// Leases whose worker is dead: by flow, who had it. The next run of the flow takes them over.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn dead_leases(&self) -> Result<Vec<(String, String)>> {
        let workers = Arc::clone(&self.workers);
        self.readers
            .run(move |conn| {
                let mut statement =
                    conn.prepare_cached("SELECT name, worker, owner FROM flow WHERE worker IS NOT NULL ORDER BY name")?;
                let rows = statement.query_map([], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
                })?;
                let mut dead = Vec::new();
                for row in rows {
                    let (flow, worker, owner) = row?;
                    if !workers.is_alive(&worker)? {
                        dead.push((flow, owner.unwrap_or_default()));
                    }
                }
                Ok(dead)
            })
            .await
    }

    /// Whether another process has this folder open.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if that cannot be found out.
    pub fn is_shared(&self) -> Result<bool> {
        self.workers.has_others()
    }

    /// Forgets rows of a flow's ledger that were delivered before `before`, and returns how many; with `dry`, only
    /// counts them. Others may write meanwhile: it is done a little at a time.
    ///
    /// A record that is forgotten and read once more counts as new.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn forget_ledger(&self, flow: i64, before: Timestamp, dry: bool) -> Result<u64> {
        let mut n_rows = 0;
        let mut after: Option<Key> = None;
        loop {
            let work = {
                let after = after.take();
                move |conn: &rusqlite::Connection| retain::forget_ledger(conn, flow, after.as_ref(), before, dry)
            };
            let chunk = if dry { self.readers.run(work).await? } else { self.writer.run(work).await? };
            n_rows += chunk.n_rows;
            match chunk.last {
                Some(last) => after = Some(last),
                None => return Ok(n_rows),
            }
        }
    }

    /// Forgets the runs of a flow that began before `before`, but for the last one, and returns how many; with `dry`,
    /// only counts them.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn forget_runs(&self, flow: i64, before: Timestamp, dry: bool) -> Result<u64> {
        self.writer.run(move |conn| retain::forget_runs(conn, flow, before, dry)).await
    }

    /// Forgets the dead letters of a flow that were refused before `before`, and returns how many; with `dry`, only
    /// counts them.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn forget_dead_letters(&self, flow: i64, before: Timestamp, dry: bool) -> Result<u64> {
        self.writer.run(move |conn| retain::forget_letters(conn, flow, before, dry)).await
    }

    /// How many slices of a flow are open, and below which segment no page of it has something to deliver.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn needed_pages(&self, flow: i64) -> Result<(u64, u32)> {
        self.readers.run(move |conn| retain::needed_pages(conn, flow)).await
    }

    /// The segments of the journal that pages of a flow lie in, ascending.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn segments_in_use(&self, flow: i64) -> Result<Vec<u32>> {
        self.readers.run(move |conn| retain::segments_in_use(conn, flow)).await
    }

    /// Gives pages of the state file that nothing lies on back to the file system.
    ///
    /// # Errors
    /// Those of the state file.
    pub async fn give_back(&self) -> Result<()> {
        let mut left = u64::MAX;
        loop {
            let now = self.writer.run(retain::give_back).await?;
            if now == 0 || now >= left {
                return Ok(());
            }
            left = now;
        }
    }

    /// Copies both databases into `folder`, each as it is at one instant, while others go on writing; returns what the
    /// copy of the state refers to in the journal. `progress` is told how many pages are done, and of how many.
    ///
    /// # Errors
    /// Those of the files; [`ErrorKind::ConfigInvalid`] if a copy is there already.
    pub async fn copy_into(
        &self,
        folder: &Path,
        progress: impl Fn(u64, u64) + Send + Sync + 'static,
    ) -> Result<Vec<JournalPart>> {
        let (databases, folder) = (self.databases.clone(), folder.to_owned());
        blocking(move || {
            for database in &databases {
                let to = folder.join(database.path().file_name().expect("a database is a file"));
                backup::copy(database, &to, &progress).map_err(|f| database.explain(f))?;
            }
            let copied = Database { path: folder.join("state.db"), ..databases[0].clone() };
            let parts = backup::journal_parts(copied.path()).map_err(|f| copied.explain(f))?;
            Ok(parts.0)
        })
        .await
    }
}

/// Puts the state in `new` in the place of the one in `folder`, whose files are moved to `aside`; nobody may have it
/// open. Where it breaks off, the folder does not open until it is done again.
///
/// The log of calls is only replaced by one that knows of a later call: vendors count the calls that were made since
/// the backup, whatever becomes of the state.
///
/// # Errors
/// [`ErrorKind::Busy`] if a process has the folder open; [`ErrorKind::Io`] if files cannot be moved.
pub fn replace_state(folder: &Path, new: &Path, aside: &Path) -> Result<()> {
    let at = |e: std::io::Error| Error::from(e).with("folder", folder.display());
    fs::create_dir_all(folder).map_err(at)?;
    let _gate = Gate::pass(folder)?;
    if any_alive(&folder.join("workers")).map_err(at)? {
        return Err(Error::new(ErrorKind::Busy, "a milkrun process has this state folder open")
            .with("folder", folder.display())
            .advise("end all milkrun processes that use this folder, and run again"));
    }
    let mark = folder.join(RESTORING);
    File::create(&mark).and_then(|file| file.sync_all()).map_err(at)?;
    // Where an attempt broke off that has moved it aside, that goes on.
    let keeps_calls = !aside.join(CALLS).exists() && keeps_calls(&folder.join(CALLS), &new.join(CALLS));
    for name in STATE_FILES.iter().chain(CALL_FILES.iter().filter(|_| !keeps_calls)) {
        let (here, there, put) = (folder.join(name), aside.join(name), new.join(name));
        if here.exists() {
            fs::create_dir_all(aside).map_err(at)?;
            // What an attempt that broke off has moved aside is the state before it; what is here came from that attempt.
            if there.exists() { remove_any(&here) } else { fs::rename(&here, &there) }.map_err(at)?;
        }
        if put.exists() {
            fs::rename(&put, &here).map_err(at)?;
        }
    }
    sync_folder(folder).map_err(at)?;
    fs::remove_file(&mark).map_err(at)
}

/// Whether the log of calls that is here stays.
fn keeps_calls(here: &Path, new: &Path) -> bool {
    // One that cannot be read, or in which no call has ended, has nothing to say.
    let newest = |path| quota::newest_end(path).ok().flatten();
    here.exists() && (!new.exists() || newest(here) >= newest(new))
}

fn remove_any(path: &Path) -> std::io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// What the state file of a backup refers to in the journal, once it has been found to be ours, whole, and not newer
/// than this program.
///
/// # Errors
/// [`ErrorKind::State`] otherwise.
pub async fn check_backup(folder: &Path) -> Result<Vec<JournalPart>> {
    let path = folder.join("state.db");
    let database = Database { path, what: "state file", schema: schema::STATE, durable: true };
    blocking(move || {
        let wrong = database.integrity(1)?;
        if let Some(line) = wrong.into_iter().next() {
            let what = database.what;
            let error = Error::new(ErrorKind::State, format!("the {what} is damaged")).advise(RESTORE);
            return Err(error.with("file", database.path().display()).with("finding", line));
        }
        backup::journal_parts(database.path()).map(|(parts, _)| parts).map_err(|f| database.explain(f))
    })
    .await
}

impl Database {
    /// What SQLite finds wrong with it.
    fn integrity(&self, most: u32) -> Result<Vec<String>> {
        let look = || {
            let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
            let conn = rusqlite::Connection::open_with_flags(self.path(), flags)?;
            self.schema.check(&conn, self)?;
            backup::integrity(&conn, most)
        };
        look().map_err(|f| self.explain(f))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| Err(Error::new(ErrorKind::Unexpected, "upkeep of the state broke off").caused_by(e)))
}
