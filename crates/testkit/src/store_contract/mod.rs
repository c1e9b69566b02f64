//! What every store has to do, as tests that run against any of them.
//!
//! Each suite takes a function that makes a new, empty [`Place`]. Each opening of it stands for a further worker on the
//! same state.
//!
//! ```ignore
//! store_contract::state_store(|| {
//!     let folder = tempfile::tempdir().unwrap();
//!     move || SqliteStore::open(folder.path(), StoreOptions::default()).unwrap()
//! })
//! .await;
//! ```

#![expect(clippy::unwrap_used, reason = "a contract is tests")]

mod journal;
mod ledger;
mod notes;
mod quota;
mod state;
mod token;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::{ErrorKind, Result};

pub use self::journal::journal;
pub use self::notes::notes;
pub use self::quota::{lasting_quota_log, quota_log};
pub use self::state::state_store;
pub use self::token::token_store;

/// Where state is kept.
pub trait Place<S: ?Sized> {
    /// A further worker on the same state.
    fn open(&self) -> Arc<S>;

    /// The worker dies.
    fn kill(&self, worker: Arc<S>) {
        drop(worker);
    }
}

/// Where dropping a worker is its death, a function that opens the place is enough.
impl<S: ?Sized, F: Fn() -> Arc<S>> Place<S> for F {
    fn open(&self) -> Arc<S> {
        self()
    }
}

/// An instant of the tests: so many seconds after the first of August 2026 in Beijing.
fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_785_513_600 + secs).unwrap()
}

fn kind<T>(outcome: Result<T>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

fn ms(at: Timestamp, ms: i64) -> Timestamp {
    at + SignedDuration::from_millis(ms)
}
