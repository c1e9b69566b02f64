//! How much room there is, and how fast it is filled.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::Result;
use milkrun_core::notes::Notes as _;

use crate::wiring::State;

/// The shelf that has the sizes of the last weeks.
const SHELF: &str = "sizes";
/// How often a size is noted.
const EVERY: SignedDuration = SignedDuration::from_mins(55);
/// How long sizes are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Growth is that of so long, and not told from less than a part of it.
const LOOK: SignedDuration = SignedDuration::from_hours(7 * 24);
const LEAST: SignedDuration = SignedDuration::from_hours(12);
const DAY_SECS: i128 = 86_400;

/// The disk that the state is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    /// Bytes that this user may still fill.
    pub(crate) free: u64,
    /// Bytes in all.
    pub(crate) total: u64,
}

/// The disk that `folder` is on.
///
/// # Errors
/// If the system does not say.
pub(crate) fn disk(folder: &Path) -> Result<Disk> {
    let at = |e: std::io::Error| milkrun_core::Error::from(e).with("folder", folder.display());
    Ok(Disk { free: fs4::available_space(folder).map_err(at)?, total: fs4::total_space(folder).map_err(at)? })
}

/// The bytes of the whole state.
///
/// # Errors
/// Those of the state.
pub(crate) async fn state_bytes(state: &State) -> Result<u64> {
    let sizes = state.store.sizes(&state.journal).await?;
    Ok(sizes.database + sizes.calls + sizes.journal)
}

/// Notes how large the state is, once an hour at most, so that its growth is known.
///
/// # Errors
/// Those of the state.
pub(crate) async fn note_sizes(state: &State) -> Result<()> {
    let now = state.clock.now();
    let last = state.store.recorded(SHELF, None, 1).await?;
    if last.first().is_some_and(|last| last.at > now - EVERY && last.at <= now) {
        return Ok(());
    }
    state.store.record(SHELF, now, &state_bytes(state).await?.to_string()).await?;
    state.store.forget_recorded(SHELF, now - KEPT).await.map(drop)
}

/// How many bytes the state has grown by a day in the last week; `None` if that is not known yet.
///
/// # Errors
/// Those of the state.
pub(crate) async fn growth(state: &State) -> Result<Option<i64>> {
    let now = state.clock.now();
    let noted = state.store.recorded(SHELF, None, 24 * 7).await?;
    let points = noted.iter().filter(|entry| entry.at >= now - LOOK && entry.at <= now);
    let points: Vec<(Timestamp, i128)> =
        points.filter_map(|entry| Some((entry.at, entry.text.parse().ok()?))).collect();
    let (Some((newest, much)), Some((oldest, little))) = (points.first(), points.last()) else { return Ok(None) };
    let span = newest.duration_since(*oldest);
    if span < LEAST {
        return Ok(None);
    }
    Ok(i64::try_from((much - little) * DAY_SECS / i128::from(span.as_secs())).ok())
}
