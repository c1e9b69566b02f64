//! What every request is served with.

use std::ops::Deref;
use std::sync::Arc;

use milkrun_core::notes::Notes;
use milkrun_core::{Clock, Timestamp};
use tokio::sync::{Mutex, Semaphore};

use crate::access::audit::AuditLog;
use crate::access::password::Passwords;
use crate::access::session::Sessions;
use crate::access::throttle::Throttle;
use crate::access::{Access, random};
use crate::desk::Desk;

/// Event streams that may be open at a time.
const MOST_STREAMS: usize = 64;

/// What every request is served with. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Parts>);

/// The parts of [`App`].
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) desk: Arc<dyn Desk>,
    pub(crate) access: Access,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sessions: Sessions,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    pub(crate) audit: AuditLog,
    /// The token against cross-site requests where nobody has to sign in; new in each process.
    pub(crate) open_csrf: String,
    /// One permit for each event stream that may be open.
    pub(crate) streams: Arc<Semaphore>,
    /// When the desk was last asked whether it is well, and what it said.
    pub(crate) health: Mutex<Option<(Timestamp, bool)>>,
}

impl App {
    pub(crate) fn new(desk: Arc<dyn Desk>, access: Access, notes: Arc<dyn Notes>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Parts {
            desk,
            sessions: Sessions::new(Arc::clone(&notes), Arc::clone(&clock)),
            passwords: Passwords::new(&access),
            access,
            throttle: Throttle::default(),
            audit: AuditLog::new(notes, Arc::clone(&clock)),
            clock,
            open_csrf: random(),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            health: Mutex::new(None),
        }))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
