//! What keeps an installation well for months: forgetting, copying, bringing back, looking for what is wrong.
//!
//! Everything here returns data and prints nothing, so that the command line and the console can both show it.
//!
//! | file | answers |
//! | --- | --- |
//! | `retain` | what is forgotten now, and what may not be? |
//! | `backup`, `files`, `manifest`, `archive` | what belongs to a copy of an installation, and is it whole? |
//! | `restore` | how does a copy become an installation again? |
//! | `doctor` | what is wrong with state, clock, disk, accounts, files and flows? |
//! | `disk` | how much room is there, and how fast is it filled? |

mod archive;
mod backup;
mod disk;
mod doctor;
mod files;
mod manifest;
mod restore;
mod retain;

pub(crate) use self::backup::backup;
pub(crate) use self::disk::{disk, state_bytes};
pub(crate) use self::doctor::{Finding, Health, Patient, diagnose};
pub(crate) use self::restore::restore;
pub(crate) use self::retain::retain;

use crate::text::Text;

/// The right that upkeep takes on a state folder: copying and forgetting would disturb each other.
const HOLD: &str = "upkeep";

/// Where long work is told how far it is: what is done, how much of it, and of how much.
pub(crate) type Tell = std::sync::Arc<dyn Fn(Text, u64, u64) + Send + Sync>;

/// Work that waits for files, beside the runtime's own thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> milkrun_core::Result<T> + Send + 'static,
) -> milkrun_core::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| {
        Err(milkrun_core::Error::new(milkrun_core::ErrorKind::Unexpected, "upkeep broke off").caused_by(e))
    })
}
