//! Opens the state of an installation, and builds what every account shares.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use milkrun_core::quota::Limiter;
use milkrun_core::state::StateStore;
use milkrun_core::token::Vault;
use milkrun_core::transport::{Transport, TransportOptions, client};
use milkrun_core::{Account, Clock, Context, Error, Result, SystemClock};
use milkrun_engine::Surroundings;
use milkrun_store::{FileJournal, JournalOptions, MasterKey, SqliteStore, StoreOptions};

use crate::config::{Installation, SecretSource, StoreConfig};
use crate::environment::Environment;
use crate::text::Lang;

/// The variable that may hold the master key where the settings name no other place.
const KEY_VARIABLE: &str = "MILKRUN_KEY";

/// The opened state, and one way to the vendor for each account, shared by all flows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) journal: Arc<FileJournal>,
    pub(crate) clock: Arc<dyn Clock>,
    ways: Mutex<Ways>,
}

/// The ways to vendors that were asked for.
#[derive(Debug, Default)]
struct Ways {
    client: Option<reqwest::Client>,
    contexts: BTreeMap<String, Context>,
}

/// The master key, where there is one.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if it cannot be used, or if the settings name
/// its place and it is not there.
pub(crate) async fn master_key(
    installation: &Installation,
    environment: &Environment,
    lang: Lang,
) -> Result<Option<MasterKey>> {
    let StoreConfig { key, key_is_set, .. } = &installation.store;
    if !key_is_set && let Some(text) = environment.variable(KEY_VARIABLE) {
        return MasterKey::from_text(&text).map(Some).map_err(|e| e.with("variable", KEY_VARIABLE));
    }
    match key {
        SecretSource::File(path) => {
            let path = installation.dir.join(path);
            if !key_is_set && !path.exists() {
                return Ok(None);
            }
            MasterKey::from_file(&path).map(Some)
        }
        source => {
            let text = source.fetch(lang, &installation.dir, environment, None).await?;
            MasterKey::from_text(text.expose()).map(Some).map_err(|e| e.with("key", source))
        }
    }
}

/// Whether the installation has any state yet; looking must not make one.
///
/// # Errors
/// If that cannot be found out: then it is not known that there is none.
pub(crate) fn has_state(installation: &Installation) -> Result<bool> {
    let file = installation.store.path.join("state.db");
    file.try_exists().map_err(|e| {
        Error::from(e)
            .with("file", file.display())
            .advise("the state is kept in this folder: check that it is one, and that this user may read it")
    })
}

/// Opens the state, which is made if it is missing.
///
/// # Errors
/// Those of the key and of the store.
pub(crate) async fn open_state(installation: &Installation, environment: &Environment, lang: Lang) -> Result<State> {
    let key = master_key(installation, environment, lang).await?;
    let folder = &installation.store.path;
    let store = SqliteStore::open(folder, StoreOptions { key, owner: None })?;
    let journal = FileJournal::new(&folder.join("journal"), JournalOptions::default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Ok(State { store, journal, clock, ways: Mutex::default() })
}

impl State {
    /// What the engine works with.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let store: Arc<dyn StateStore> = Arc::clone(&self.store) as _;
        Surroundings { store, journal: Arc::clone(&self.journal) as _, clock: Arc::clone(&self.clock) }
    }

    /// The surroundings of an account: the same for all that ask, so that they share quota and token.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub(crate) fn context(&self, name: &str, account: &Account) -> Result<Context> {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cx) = ways.contexts.get(name) {
            return Ok(cx.clone());
        }
        let clock = Arc::clone(&self.clock);
        let cx = match &account.protocol {
            None => Context::local(name, clock),
            Some(protocol) => {
                let limiter = Limiter::new(name, &account.quota, Arc::clone(&self.store) as _, Arc::clone(&clock));
                let tokens = account.tokens.clone();
                let vault =
                    tokens.map(|source| Vault::new(name, Arc::clone(&self.store) as _, source, Arc::clone(&clock)));
                let options = TransportOptions::default();
                let transport = Transport::new(ways.client()?, Arc::clone(protocol), limiter, vault, options);
                Context::new(name, clock, Arc::new(transport))
            }
        };
        let cx = cx.with_keeper(Arc::clone(&self.store) as _);
        ways.contexts.insert(name.to_owned(), cx.clone());
        Ok(cx)
    }

    /// The surroundings of an account, if somebody has asked for them.
    pub(crate) fn known_context(&self, name: &str) -> Option<Context> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).contexts.get(name).cloned()
    }

    /// Forgets the surroundings of all accounts, so that they are built anew from changed settings. Quotas and tokens
    /// are in the store, and go on.
    pub(crate) fn forget_contexts(&self) {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).contexts.clear();
    }
}

impl Ways {
    fn client(&mut self) -> Result<reqwest::Client> {
        if self.client.is_none() {
            self.client = Some(client()?);
        }
        Ok(self.client.clone().expect("it was set up above"))
    }
}
