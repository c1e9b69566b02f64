//! What becomes of a start that comes while the flow runs, of starts that were missed, and by how much starts are spread.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::table::Timetable;

/// What becomes of a start that comes while the flow is running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// It is left out: the next start comes.
    #[default]
    Skip,
    /// It waits until the run has ended. One start waits at most; further ones are left out.
    Queue,
    /// The run is asked to end in good order, and then it starts.
    Cancel,
}

impl Overlap {
    /// All of them, as they are written.
    pub const NAMES: [(&'static str, Self); 3] =
        [("skip", Self::Skip), ("queue", Self::Queue), ("cancel", Self::Cancel)];
}

/// What becomes of the starts that nobody was there for: the program was down, or the machine asleep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    /// The flow starts once for all of them.
    #[default]
    Once,
    /// The flow starts for each of them, one after another; for the newest [`MOST_CAUGHT_UP`] if there were more.
    Each,
    /// They are left out.
    Skip,
}

impl Missed {
    /// All of them, as they are written.
    pub const NAMES: [(&'static str, Self); 3] = [("once", Self::Once), ("each", Self::Each), ("skip", Self::Skip)];
}

/// For so many missed starts a flow starts at most, however long nobody was there.
pub const MOST_CAUGHT_UP: usize = 100;

/// A start that is decided on later than this was missed; one that is less late is on time.
pub const ON_TIME: SignedDuration = SignedDuration::from_mins(1);

/// How a flow's timetable is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// When a start comes while the flow runs.
    pub overlap: Overlap,
    /// When nobody was there.
    pub missed: Missed,
    /// Starts are put off by up to this long, so that flows with one timetable do not all start at once. By how much
    /// depends on the flow's name and the start alone; no start is put off to the next one or beyond.
    pub jitter: Duration,
}

/// When a flow starts by itself, and how that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// At which instants.
    pub timetable: Timetable,
    /// What becomes of starts that cannot be followed.
    pub policy: Policy,
    /// Whether it is not followed for now.
    pub paused: bool,
}

/// Over how many starts a timetable's longest pause is looked for.
const STARTS: usize = 50;

impl Schedule {
    /// The longest time between two starts in the near future; none while it is not followed.
    pub fn longest_pause(&self, now: Timestamp) -> Option<Duration> {
        if self.paused {
            return None;
        }
        let next = |start: &Timestamp| self.timetable.next_after(*start);
        let starts: Vec<Timestamp> = std::iter::successors(self.timetable.next_after(now), next).take(STARTS).collect();
        starts.windows(2).filter_map(|two| Duration::try_from(two[1].duration_since(two[0])).ok()).max()
    }
}

impl Policy {
    /// When the flow begins for the start that its timetable has at `start`.
    pub fn begins(&self, flow: &str, timetable: &Timetable, start: Timestamp) -> Timestamp {
        let jitter = i64::try_from(self.jitter.as_millis()).unwrap_or(i64::MAX);
        if jitter == 0 {
            return start;
        }
        let room = timetable.next_after(start).map_or(i64::MAX, |next| next.as_millisecond() - start.as_millisecond());
        let most = u64::try_from(jitter.min(room - 1)).unwrap_or(0);
        let seed = format!("{flow}\0{}", start.as_second());
        let put_off = xxh3_64(seed.as_bytes()) % (most + 1);
        start + SignedDuration::from_millis(i64::try_from(put_off).expect("no more than `most`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timetable::table::zone;

    #[test]
    fn the_longest_pause_is_over_the_night_or_the_weekend() {
        let pause = |cron: &str, paused| {
            let timetable = Timetable::parse(cron, &zone("Asia/Shanghai").unwrap()).unwrap();
            let schedule = Schedule { timetable, policy: Policy::default(), paused };
            schedule.longest_pause("2026-11-27T02:00:00Z".parse().unwrap()).map(|pause| pause.as_secs() / 3600)
        };
        for (cron, hours) in [("0 * * * *", 1), ("0 8-20 * * *", 12), ("0 6 * * 1-5", 72), ("0 3 * * 1", 7 * 24)] {
            assert_eq!(pause(cron, false), Some(hours), "{cron}");
            assert_eq!(pause(cron, true), None, "{cron}");
        }
    }
}
