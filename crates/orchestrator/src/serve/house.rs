//! One installation, opened once and kept: files, accounts, state, runs, and who listens.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use milkrun_alerts::Alerts;
use milkrun_console::metrics::Metrics;
use milkrun_console::model::{Event, Mistake};
use milkrun_core::notes::Notes;
use milkrun_core::state::StateStore as _;
use milkrun_core::{Error, ErrorKind, Result};
use tokio::sync::{Notify, broadcast};

use super::alerts::LastRuns;
use super::loaded::{Loaded, Reader};
use super::runs::Runs;
use super::timetable::Timetable;
use super::watch::{self, Stamps};
use crate::commands::{Here, in_chinese};
use crate::config::{self, FILE, Reports};
use crate::desk::{Recents, hidden, mistakes};
use crate::environment::Environment;
use crate::show::Out;
use crate::text::{self, Lang, fill};
use crate::wiring::{Prepared, State, open_state};

/// How many events a slow listener may lag behind before it misses some.
const EVENTS: usize = 256;

/// An installation while the program runs.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) dir: PathBuf,
    pub(super) environment: Environment,
    pub(crate) out: Out,
    pub(crate) state: State,
    loaded: RwLock<Arc<Loaded>>,
    /// Why the files could not be read at all the last time.
    unreadable: Mutex<Option<Error>>,
    /// What the files looked like when they were read; held while they are read again.
    stamps: tokio::sync::Mutex<Stamps>,
    /// Held while a file is written, so that of two who write, one is told.
    pub(crate) writing: tokio::sync::Mutex<()>,
    pub(crate) runs: Runs,
    pub(crate) timetable: Timetable,
    pub(crate) alerts: Alerts,
    /// Is told when it is time to look for incidents.
    pub(super) look_soon: Notify,
    pub(super) last_runs: LastRuns,
    pub(crate) metrics: Metrics,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) recents: Recents,
    is_closing: AtomicBool,
}

/// Why an installation could not be opened.
#[derive(Debug)]
pub(crate) enum Closed {
    /// Something went wrong.
    Error(Error),
    /// The files are wrong, so that nothing could be done.
    Mistakes(Reports),
}

impl From<Error> for Closed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl House {
    /// Opens the installation of a command.
    ///
    /// # Errors
    /// If there is none, if its file has mistakes of grammar, and those of the state.
    pub(crate) async fn open(here: Here<'_>) -> Result<Arc<Self>, Closed> {
        let dir = here.dir();
        let (installation, reports) = config::load(&dir, here.out.lang)?;
        if installation.accounts.is_empty() && !reports.is_clean() {
            return Err(Closed::Mistakes(reports));
        }
        let state = open_state(&installation, here.environment, here.out.lang).await?;
        let reader =
            Reader { dir: &dir, environment: here.environment, scrubber: &here.out.scrubber, lang: here.out.lang };
        let stamps = watch::look(&dir, &watch::named_files(&installation));
        let loaded = Loaded::read(reader, &state, None).await?;
        let notes = Arc::clone(&state.store) as Arc<dyn Notes>;
        let client = milkrun_core::transport::client()?;
        let alerts = Alerts::new(loaded.alerts.clone(), notes, Arc::clone(&state.clock), client, in_chinese);
        let house = Self {
            dir,
            environment: here.environment.clone(),
            out: here.out.clone(),
            state,
            loaded: RwLock::new(Arc::new(loaded)),
            unreadable: Mutex::new(None),
            stamps: tokio::sync::Mutex::new(stamps),
            writing: tokio::sync::Mutex::new(()),
            runs: Runs::default(),
            timetable: Timetable::default(),
            alerts,
            look_soon: Notify::new(),
            last_runs: LastRuns::default(),
            metrics: crate::figures::figures().clone(),
            events: broadcast::channel(EVENTS).0,
            recents: Recents::default(),
            is_closing: AtomicBool::new(false),
        };
        house.log_mistakes();
        Ok(Arc::new(house))
    }

    /// The files as they are used now.
    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What keeps files from being used, in that language.
    pub(crate) fn mistakes(&self, lang: Lang) -> Vec<Mistake> {
        let unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let unreadable = unreadable.as_ref().map(|error| mistakes::of_error(error, &self.dir.join(FILE), lang));
        unreadable.into_iter().chain(self.loaded().mistakes(lang).iter().cloned()).collect()
    }

    /// Reads the files again if they have changed; says whether they have.
    ///
    /// # Errors
    /// Those of the state.
    pub(crate) async fn look_at_files(self: &Arc<Self>) -> Result<bool> {
        let named = watch::named_files(&self.loaded().installation);
        let mut stamps = self.stamps.lock().await;
        let now = watch::look(&self.dir, &named);
        if now == *stamps {
            return Ok(false);
        }
        // Before reading: what changes meanwhile is read once more.
        *stamps = now;
        self.read_files().await?;
        // What the files name now is watched from now on.
        let named = watch::named_files(&self.loaded().installation);
        let mut further = watch::look(&self.dir, &named);
        further.retain(|path, _| !stamps.contains_key(path));
        stamps.retain(|path, _| named.contains(path) || path.starts_with(self.dir.join("flows")));
        stamps.extend(further);
        Ok(true)
    }

    /// Reads the files, and lets runs under way go on with what has changed for them.
    async fn read_files(self: &Arc<Self>) -> Result<()> {
        let before = self.loaded();
        let lang = self.out.lang;
        let reader = Reader { dir: &self.dir, environment: &self.environment, scrubber: &self.out.scrubber, lang };
        match Loaded::read(reader, &self.state, Some(&before)).await {
            Ok(loaded) => {
                *self.unreadable.lock().unwrap_or_else(PoisonError::into_inner) = None;
                if !loaded.has_accounts_of(&before) {
                    self.state.forget_contexts();
                }
                self.alerts.replace(loaded.alerts.clone()).await;
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                self.go_on_with_changes(&before);
                self.take_timetables().await?;
            }
            Err(error) if matches!(error.kind(), ErrorKind::ConfigInvalid | ErrorKind::Io) => {
                tracing::warn!(%error, "the files cannot be read; what was read before stays in use");
                *self.unreadable.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            Err(error) => return Err(error),
        }
        self.look_soon.notify_one();
        self.log_mistakes();
        self.tell(Event::Reloaded { mistakes: self.mistakes(lang) });
        Ok(())
    }

    /// Asks the runs of changed flows to end at their next commit, to go on at once with the new files; those of flows
    /// that are gone to end.
    fn go_on_with_changes(&self, before: &Loaded) {
        let now = self.loaded();
        let same_accounts = now.has_accounts_of(before);
        for name in self.runs.flows() {
            if !now.usable.contains(&name) {
                tracing::info!(flow = name, "the flow is gone: its run ends");
                self.runs.cancel(&name);
            } else if !same_accounts || now.substance(&name) != before.substance(&name) {
                tracing::info!(flow = name, "the flow has changed: its run goes on with the new files");
                self.runs.renew(&name);
            }
        }
    }

    fn log_mistakes(&self) {
        for mistake in self.mistakes(self.out.lang) {
            let at = format!("{}:{}:{}", mistake.file, mistake.line, mistake.column);
            tracing::warn!(at, help = mistake.help, "{}", mistake.message);
        }
    }

    /// Whether the program is about to end.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// Asks all runs to end, waits for them so long, and drops what has not ended.
    pub(super) async fn close(&self, patience: Duration) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.runs.end(patience).await;
    }

    /// Tells whoever listens, without secrets: a vendor may repeat them in what it says.
    pub(crate) fn tell(&self, event: Event) {
        if self.events.receiver_count() == 0 {
            return;
        }
        match hidden(&self.out.scrubber, event) {
            // An error means that nobody listens any more.
            Ok(event) => drop(self.events.send(event)),
            Err(error) => tracing::error!(%error, "an event could not be told"),
        }
    }

    /// The flow as it is used now, ready to look with.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none, the mistakes of its files, and those of the state.
    pub(crate) async fn prepare(&self, name: &str, lang: Lang) -> Result<Prepared> {
        let loaded = self.loaded();
        loaded.require_file(name, lang)?;
        let (mut prepared, reports) = loaded.prepare(&self.state, |flow| flow == name, lang).await?;
        // A flow that is used has no mistakes of its own, or an earlier text without any is used.
        if let Some(flow) = prepared.pop().filter(|_| loaded.usable.contains(name)) {
            return Ok(flow);
        }
        let [own, _] = reports.of_flow(&self.dir, name);
        let own = own.into_iter().next();
        Err(own
            .map_or_else(|| Error::config(fill!(lang, text::FLOW_HAS_MISTAKES, flow = name)), Error::from)
            .advise(lang.say(text::MEND_FILES)))
    }

    /// All flows that can be used.
    ///
    /// # Errors
    /// Those of the state.
    pub(crate) async fn prepare_all(&self) -> Result<Vec<Prepared>> {
        Ok(self.loaded().prepare(&self.state, |_| true, self.out.lang).await?.0)
    }

    /// Where a flow's file is.
    pub(crate) fn flow_file(&self, name: &str) -> PathBuf {
        self.dir.join("flows").join(format!("{name}.toml"))
    }

    /// The store's number for a flow that has run.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is neither a file nor a past, and those of the state.
    pub(crate) async fn flow_id(&self, name: &str, lang: Lang) -> Result<Option<i64>> {
        match self.state.store.flow_id(name).await? {
            Some(id) => Ok(Some(id)),
            None => self.loaded().require_file(name, lang).map(|()| None),
        }
    }
}
