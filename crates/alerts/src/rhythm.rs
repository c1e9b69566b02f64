//! How often a flow usually finds something, so that its silence can be told from its nights and weekends.
//!
//! For each of the last fourteen days on which the flow found anything, the longest silence that ended on that day is
//! kept. The longest of them is what is usual; nothing is said before at least seven days are known, because a week
//! without its weekend would take the first Sunday for a fault.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::facts::RunFacts;

/// Days that are remembered.
const DAYS: usize = 14;
/// Time from the first to the last find, before which nothing is called usual.
const ENOUGH: Duration = Duration::from_hours(7 * 24);

/// What is known of a flow's finds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    /// The last run that was looked at.
    run: u64,
    /// When the first and the last run with fresh records began.
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// For each day, the longest silence in seconds that ended on it.
    days: BTreeMap<Date, u64>,
}

impl Rhythm {
    /// Takes the runs in that are newer than what is known; says whether there were any.
    pub(crate) fn take(&mut self, runs: &[RunFacts], zone: &TimeZone) -> bool {
        let mut is_changed = false;
        for run in runs.iter().rev() {
            if run.id <= self.run {
                continue;
            }
            (self.run, is_changed) = (run.id, true);
            if run.fresh == 0 {
                continue;
            }
            if let Some(last) = self.last {
                let silence = u64::try_from(run.started.duration_since(last).as_secs()).unwrap_or(0);
                let day = self.days.entry(zone.to_datetime(run.started).date()).or_default();
                *day = silence.max(*day);
                while self.days.len() > DAYS {
                    self.days.pop_first();
                }
            }
            self.first.get_or_insert(run.started);
            self.last = Some(run.started);
        }
        is_changed
    }

    /// When the flow last found something.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// The longest silence that is usual; `None` while too little is known.
    pub(crate) fn usual(&self) -> Option<Duration> {
        let known = Duration::try_from(self.last?.duration_since(self.first?)).ok()?;
        let longest = self.days.values().max().copied().map(Duration::from_secs)?;
        (known >= ENOUGH).then_some(longest)
    }
}

#[cfg(test)]
mod tests {
    use milkrun_core::state::Verdict;

    use super::*;

    /// A run in each hour; the shop sells from 8 to 20 o'clock, and not on Sundays.
    fn week(days: i64) -> Vec<RunFacts> {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        // A Monday.
        let start: Timestamp = "2026-11-02T00:00:00+08:00".parse().unwrap();
        let run = |hour: i64| {
            let started = start + jiff::SignedDuration::from_hours(hour);
            let local = zone.to_datetime(started);
            let is_open = (8..20).contains(&local.hour()) && local.weekday() != jiff::civil::Weekday::Sunday;
            RunFacts {
                id: u64::try_from(hour).unwrap() + 1,
                started,
                ended: started,
                verdict: Verdict::Reconciled,
                was_stopped: false,
                reason: None,
                fresh: u64::from(is_open),
                pending: 0,
            }
        };
        (0..days * 24).rev().map(run).collect()
    }

    #[test]
    fn nights_and_sundays_are_usual() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let mut rhythm = Rhythm::default();
        assert!(rhythm.take(&week(6), &zone));
        assert_eq!(rhythm.usual(), None, "a week is not known yet");
        assert!(rhythm.take(&week(9), &zone));
        assert!(!rhythm.take(&week(9), &zone), "nothing is new");
        // From Saturday 19:00 to Monday 8:00.
        assert_eq!(rhythm.usual(), Some(Duration::from_hours(37)));
        // In one piece or bit by bit, it is the same; and it survives being written down.
        let mut bit_by_bit = Rhythm::default();
        for day in 1..=9 {
            bit_by_bit.take(&week(day), &zone);
            bit_by_bit = serde_json::from_str(&serde_json::to_string(&bit_by_bit).unwrap()).unwrap();
        }
        assert_eq!(bit_by_bit, rhythm);
        rhythm.take(&week(60), &zone);
        assert_eq!(rhythm.days.len(), DAYS);
    }
}
