//! A timetable: cron fields in a zone, and the instants they name.
//!
//! | form | fields | weekdays |
//! | --- | --- | --- |
//! | five | minute, hour, day, month, weekday | Sunday is 0 or 7, Monday is 1 |
//! | six | second first | as Quartz: Sunday is 1, Monday is 2, Saturday is 7 |
//! | seven | second first, year (1970 to 2099) last | as Quartz |
//! | a word | `@hourly`, `@daily`, `@midnight`, `@weekly` (Sunday), `@monthly`, `@yearly`, `@annually` | |
//!
//! - A field is `*`, a number, `1-5`, `*/5`, `0/10` (every tenth from 0 on), `1-30/2`, or several of them with commas. A
//!   span may run over the end: `22-2`, `FRI-MON`.
//! - Months and weekdays have names (`JAN`, `MON`), which mean the same in every form.
//! - `?` is `*`, for days and weekdays. `L` is the month's last day, `LW` its last from Monday to Friday, `15W` the day
//!   from Monday to Friday nearest to the 15th. `6L` is the last Friday of the month as Quartz counts, `2#1` its first
//!   Monday; `L` as a Quartz weekday is Saturday.
//! - Day and weekday both set: with five fields, either of them starts the flow, as cron has it. With six or seven it is
//!   a mistake, as it is for Quartz; and so it is with five where the day is written with a step, because crons differ.
//!
//! **Changes of clocks.** Where not every hour is named, a local time that comes twice starts the flow once, the first
//! time; local times that are skipped start it once together, at the instant of the change. Where every hour is named,
//! the timetable means a pace and goes on evenly: nothing is added for a skipped hour, and an hour that comes twice has
//! its starts twice.

use std::fmt;
use std::sync::Arc;

use croner::Cron;
use croner::parser::CronParser;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use milkrun_core::diagnostic::{did_you_mean, nearest};

use super::field::{Field, Item, Kind, Mistake};

/// The zone of a timetable that names none.
pub const DEFAULT_ZONE: &str = "Asia/Shanghai";

const WORDS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// The fields in croner's order: second, minute, hour, day, month, weekday, year.
#[derive(Clone, Debug)]
pub(crate) struct Fields(pub(crate) [Field; 7]);

impl Fields {
    pub(crate) fn second(&self) -> &Field {
        &self.0[0]
    }

    pub(crate) fn minute(&self) -> &Field {
        &self.0[1]
    }

    pub(crate) fn hour(&self) -> &Field {
        &self.0[2]
    }

    pub(crate) fn day(&self) -> &Field {
        &self.0[3]
    }

    pub(crate) fn month(&self) -> &Field {
        &self.0[4]
    }

    pub(crate) fn weekday(&self) -> &Field {
        &self.0[5]
    }

    pub(crate) fn year(&self) -> &Field {
        &self.0[6]
    }
}

/// When a flow starts by itself. Two are equal if they are written alike.
#[derive(Clone)]
pub struct Timetable {
    text: Arc<str>,
    zone_name: Arc<str>,
    zone: TimeZone,
    fields: Arc<Fields>,
    cron: Arc<Cron>,
}

impl PartialEq for Timetable {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.zone_name) == (&other.text, &other.zone_name)
    }
}

impl Eq for Timetable {}

impl fmt::Debug for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timetable({:?} in {})", self.text, self.zone_name)
    }
}

impl fmt::Display for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Finds a zone by its IANA name.
///
/// # Errors
/// If there is none of that name.
pub fn zone(name: &str) -> Result<TimeZone, Mistake> {
    let known = TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some());
    known.ok_or_else(|| {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // All of them would fill a page.
        let help = match nearest(name, &names) {
            Some(name) => did_you_mean(name, &[name]),
            None => "write a name such as Asia/Shanghai, Europe/Berlin or UTC".to_owned(),
        };
        Mistake::new(format!("there is no time zone `{name}`"), 0..name.len()).help(help)
    })
}

impl Timetable {
    /// Reads a timetable that is meant in `zone`.
    ///
    /// # Errors
    /// If it cannot be read, means different things to different crons, or never starts anything.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, Mistake> {
        let fields = fields(text)?;
        let canonical = fields.0.each_ref().map(Field::canonical).join(" ");
        let whole = 0..text.len();
        let unknown = |e: croner::errors::CronError| Mistake::new(e.to_string(), whole.clone());
        let cron = CronParser::builder().build().parse(&canonical).map_err(unknown)?;
        let table = Self {
            text: text.split_whitespace().collect::<Vec<_>>().join(" ").into(),
            zone_name: zone.iana_name().unwrap_or("UTC").into(),
            zone: zone.clone(),
            fields: Arc::new(fields),
            cron: Arc::new(cron),
        };
        let dawn = Timestamp::UNIX_EPOCH - SignedDuration::from_secs(1);
        if table.next_after(dawn).is_none() {
            let mistake = Mistake::new("this timetable never starts anything: there is no such day", whole);
            return Err(mistake.help("compare its day with its month and its year"));
        }
        Ok(table)
    }

    /// The timetable as it was written, blanks aside.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The IANA name of its zone.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// Its zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub(crate) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The first start after an instant, that instant excluded; `None` if there is none any more.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let at = whole_second(at)?;
        if self.is_pace() {
            let next = self.cron.find_next_occurrence(&at.to_zoned(self.zone.clone()), false).ok()?;
            return Some(next.timestamp());
        }
        let mut local = self.zone.to_datetime(at);
        loop {
            // Local times alone, so that croner meets no change of clocks.
            local = self.cron.find_next_occurrence(&local.to_zoned(TimeZone::UTC).ok()?, false).ok()?.datetime();
            let start = self.instant(local)?;
            if start > at {
                return Some(start);
            }
        }
    }

    /// The last start at an instant or before it; `None` if there was none.
    pub fn latest(&self, until: Timestamp) -> Option<Timestamp> {
        let until = whole_second(until)?;
        let find = |from: &jiff::Zoned, also: bool| self.cron.find_previous_occurrence(from, also).ok();
        if self.is_pace() {
            return find(&until.to_zoned(self.zone.clone()), true).map(|last| last.timestamp());
        }
        let mut local = self.last_local(until);
        let mut also = true;
        loop {
            local = find(&local.to_zoned(TimeZone::UTC).ok()?, also)?.datetime();
            also = false;
            let start = self.instant(local)?;
            if start <= until {
                return Some(start);
            }
        }
    }

    /// The starts in `[from, until)`, oldest first.
    pub fn starts(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        let before = from - SignedDuration::from_nanos(1);
        let first = self.next_after(before).filter(|start| *start >= from);
        std::iter::successors(first, |last| self.next_after(*last)).take_while(move |start| *start < until)
    }

    /// Whether every hour is named: then it means a pace.
    fn is_pace(&self) -> bool {
        self.fields.hour().is_full()
    }

    /// The instant of a local time: the first of two, or the end of the gap that it lies in.
    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                offset.to_timestamp(local).ok()
            }
            AmbiguousOffset::Gap { after, .. } => {
                let before_the_gap = after.to_timestamp(local).ok()?;
                self.zone.following(before_the_gap).next().map(|change| change.timestamp())
            }
        }
    }

    /// The last local time that was shown by `until`: in an hour that comes twice, the end of it.
    fn last_local(&self, until: Timestamp) -> DateTime {
        let local = self.zone.to_datetime(until);
        let AmbiguousOffset::Fold { before, after } = self.zone.to_ambiguous_timestamp(local).offset() else {
            return local;
        };
        if self.zone.to_offset(until) != after {
            return local;
        }
        let change = self.zone.preceding(until + SignedDuration::from_secs(1)).next();
        change.map_or(local, |change| before.to_datetime(change.timestamp() - SignedDuration::from_secs(1)))
    }
}

/// Croner knows no parts of seconds.
fn whole_second(at: Timestamp) -> Option<Timestamp> {
    let floor = at.as_nanosecond().div_euclid(1_000_000_000);
    Timestamp::from_second(i64::try_from(floor).ok()?).ok()
}

fn fields(text: &str) -> Result<Fields, Mistake> {
    let parts: Vec<(usize, &str)> = split(text);
    let whole = 0..text.len();
    if let [(at, word)] = parts[..]
        && word.starts_with('@')
    {
        let known = WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let Some((_, meant)) = known else {
            let names = WORDS.map(|(name, _)| name);
            let mistake = Mistake::new(format!("there is no timetable `{word}`"), at..at + word.len());
            return Err(mistake.help(did_you_mean(word, &names)));
        };
        return fields(meant);
    }
    let kinds: &[Kind] = match parts.len() {
        5 => &[Kind::Minute, Kind::Hour, Kind::Day, Kind::Month, Kind::Weekday],
        6 => &[Kind::Second, Kind::Minute, Kind::Hour, Kind::Day, Kind::Month, Kind::QuartzWeekday],
        7 => &[Kind::Second, Kind::Minute, Kind::Hour, Kind::Day, Kind::Month, Kind::QuartzWeekday, Kind::Year],
        n => {
            let mistake = Mistake::new(format!("a timetable has five, six or seven fields; this one has {n}"), whole);
            return Err(mistake.help(
                "write minute, hour, day, month and weekday (\"*/5 * * * *\"), or six fields with seconds first (\"0 */5 * * * ?\")",
            ));
        }
    };
    let mut read = Vec::new();
    if parts.len() == 5 {
        read.push(Field::fixed(Kind::Second, Item::Span { from: 0, to: 0, step: 1 }));
    }
    for ((at, part), kind) in parts.iter().zip(kinds) {
        read.push(Field::parse(*kind, part, *at)?);
    }
    if parts.len() < 7 {
        read.push(Field::fixed(Kind::Year, Item::Any));
    }
    let fields = Fields(<[Field; 7]>::try_from(read).expect("seven with the two that may be left out"));
    let both = !fields.day().is_star() && !fields.weekday().is_star();
    if both && parts.len() > 5 {
        let mistake =
            Mistake::new("day and weekday are both set, and of a timetable with seconds only one may be", whole);
        return Err(mistake.help("write `?` for one of them"));
    }
    if both && (fields.day().is_stepped() || fields.weekday().is_stepped()) {
        let mistake = Mistake::new(
            "day and weekday are both set, one of them with a step: crons disagree on what that means",
            whole,
        );
        return Err(mistake.help("write the days one by one, or `*` for one of the two"));
    }
    Ok(fields)
}

/// The fields, and where each begins.
fn split(text: &str) -> Vec<(usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split_whitespace().map(|part| (part.as_ptr() as usize - start, part)).collect()
}
