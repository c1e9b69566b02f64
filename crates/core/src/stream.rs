//! What a source offers: streams as data, and the slices a reading is cut into.

use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::page::Paging;

/// One kind of record a source offers, described as data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StreamSpec {
    /// The stream's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese.
    pub title: Title,
    /// The vendor's method or path.
    pub endpoint: String,
    /// The paths of the primary key's parts.
    pub key: Vec<String>,
    /// The path of the number people know the record by.
    pub number: Option<String>,
    /// The field that grows with every change, if there is one.
    pub version: Option<Stamp>,
    /// How a span of time is asked for; `None` if the stream can only be read whole.
    pub window: Option<WindowSpec>,
    /// How pages are asked for.
    pub paging: Paging,
    /// How many records a page may have.
    pub page_size: PageSize,
    /// How a slice is proved complete.
    pub proof: Proof,
    /// The stream whose records each give one slice of this one, such as the items for stock per warehouse.
    pub partition: Option<Partition>,
    /// Whether an empty answer may leave out its list (then a missing list counts as empty unless a total says more).
    pub list_may_be_missing: bool,
    /// Units and special values that a mapping must know.
    pub units: Vec<Unit>,
    /// Known traps, for the documentation, in English and in Chinese.
    pub notes: Vec<Title>,
}

/// A short text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Title {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Title {
    /// A text in both languages.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

/// A field that holds a point in time or a version, and its form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// The path of the field.
    pub field: String,
    /// How it is written.
    pub form: TimeForm,
    /// The value that the vendor writes for "never", as [`read_stamp`] reads it.
    pub none: Option<i64>,
}

/// How a vendor writes an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeForm {
    /// `2026-08-01 00:00:00`, in the stream's zone.
    DateTime,
    /// `2026-08-01`, in the stream's zone.
    Date,
    /// Milliseconds since 1970, as number or text; a date-time text is read too.
    EpochMs,
    /// Seconds since 1970, as number or text.
    EpochSecs,
    /// A row version that only grows: digits, or hexadecimal digits of one length.
    Version,
}

/// How a stream is asked for a span of time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WindowSpec {
    /// What the vendor calls the time that the window is over, such as `upd_time`.
    pub axis: String,
    /// The zone of the times sent, such as `Asia/Shanghai`.
    pub zone: String,
    /// How times are sent.
    pub form: TimeForm,
    /// The smallest step of the times sent.
    pub granularity: Duration,
    /// Whether the vendor counts a record at the upper end as inside.
    pub until_inclusive: bool,
    /// The longest span one call may ask for.
    pub longest: Duration,
    /// How long after a change the vendor may still show the old state; the newest window ends that long ago.
    pub settle: Duration,
    /// How far the next run reaches back before the proved end, for changes that became visible late.
    pub lookback: Duration,
    /// Further passes over older times, for fields that are filled in late.
    pub late: Vec<LatePass>,
}

/// A slower pass over older times.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LatePass {
    /// What the vendor calls the time that this pass is over, such as `pay_time`.
    pub axis: String,
    /// How often it runs.
    pub every: Duration,
    /// How far it reaches back.
    pub reach: Duration,
}

/// How many records a page may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSize {
    /// The fewest the vendor accepts.
    pub min: u32,
    /// What is asked for unless set otherwise.
    pub usual: u32,
    /// The most the vendor accepts; left out if that is not known.
    pub max: Option<u32>,
}

impl PageSize {
    /// From 1 to `max`, usually `max`.
    pub const fn up_to(max: u32) -> Self {
        Self { min: 1, usual: max, max: Some(max) }
    }

    /// Whether the three figures go together: 1 ≤ min ≤ usual ≤ max.
    pub fn is_sound(self) -> bool {
        1 <= self.min && self.min <= self.usual && self.usual <= self.max.unwrap_or(self.usual)
    }

    /// The same with `usual` in place of the usual size, as far as the limits allow.
    ///
    /// Where the largest page is not known, a larger one than usual might be cut without a word.
    #[must_use]
    pub fn with_usual(self, usual: u32) -> Self {
        let most = self.max.unwrap_or(self.usual);
        Self { usual: usual.clamp(self.min, most), ..self }
    }
}

/// How a slice of the stream is proved complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "plan")]
pub enum Proof {
    /// A cursor of row versions that only grow, asked for inclusively.
    RowVersion {
        /// What the proof rests on.
        assumes: String,
    },
    /// Pages of a frozen window, last page first: rows that leave move only rows that are still to be read. Complete
    /// when the total stays the same and equals the distinct keys; otherwise the window is split and read again.
    Backwards {
        /// What the proof rests on: that no row enters the window while it is read.
        assumes: String,
    },
    /// Two consecutive readings with different page sizes give the same keys.
    ReadTwice,
    /// One reading of a state that the source itself holds still and names on every page.
    Snapshot {
        /// What the proof rests on.
        assumes: String,
    },
}

impl Proof {
    /// The plan's name, as in the flow's `proof` setting.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RowVersion { .. } => "row-version",
            Self::Backwards { .. } => "backwards",
            Self::ReadTwice => "read-twice",
            Self::Snapshot { .. } => "snapshot",
        }
    }

    /// What the proof rests on beyond what is checked.
    pub fn assumes(&self) -> &str {
        match self {
            Self::RowVersion { assumes } | Self::Backwards { assumes } | Self::Snapshot { assumes } => assumes,
            Self::ReadTwice => "no set of rows leaves and returns in step with both readings",
        }
    }
}

/// Another stream of the same account whose records each give one slice.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// The stream to take the values from.
    pub stream: String,
    /// The path of the value in its records; `a[*].b` takes one from each element.
    pub path: String,
    /// The vendor's parameter for it.
    pub parameter: String,
}

/// A unit or a special value that a mapping must know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// The path of the field; `*` stands for every element of a list.
    pub path: String,
    /// What it is measured in.
    pub unit: UnitKind,
}

/// What a field is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitKind {
    /// Hundredths of a yuan.
    Fen,
    /// Yuan.
    Yuan,
    /// Milliseconds since 1970; `946656000000` (2000-01-01 in Beijing) means none.
    EpochMs,
}

/// The part of a stream that one reading covers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// The time the window is over, if not the stream's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axis: Option<String>,
    /// The span of time, or `None` for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The parent's value, as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The row version to start at, or `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_version: Option<String>,
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.axis.as_ref().map(|axis| format!("by {axis}")));
        parts.extend(self.partition.as_ref().map(|value| format!("of {value}")));
        parts.extend(self.window.map(|w| w.to_string()));
        parts.extend(self.from_version.as_ref().map(|v| format!("from version {v}")));
        f.write_str(if parts.is_empty() { "everything" } else { "" })?;
        f.write_str(&parts.join(" "))
    }
}

/// A span of time, `[from, until)` in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

impl Window {
    /// How long it lasts.
    pub fn length(self) -> SignedDuration {
        self.until.duration_since(self.from)
    }

    /// Two halves, cut at a multiple of `granularity` after the start; `None` if it is too short to be cut.
    pub fn halves(self, granularity: Duration) -> Option<[Self; 2]> {
        let step = i128::try_from(granularity.as_nanos()).ok()?.max(1);
        let steps = self.length().as_nanos() / step;
        if steps < 2 {
            return None;
        }
        let offset = i64::try_from(step * (steps / 2)).ok()?;
        let middle = self.from + SignedDuration::from_nanos(offset);
        Some([Self { from: self.from, until: middle }, Self { from: middle, until: self.until }])
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.from, self.until)
    }
}

impl WindowSpec {
    /// A window over `axis` in Beijing time, sent as `yyyy-MM-dd HH:mm:ss`, one day at most, both ends inclusive.
    pub fn beijing(axis: &str) -> Self {
        const MINUTE: Duration = Duration::from_mins(1);
        Self {
            axis: axis.to_owned(),
            zone: "Asia/Shanghai".to_owned(),
            form: TimeForm::DateTime,
            granularity: Duration::from_secs(1),
            until_inclusive: true,
            longest: 24 * 60 * MINUTE,
            settle: MINUTE,
            lookback: 10 * MINUTE,
            late: Vec::new(),
        }
    }

    /// The zone of the times sent.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) if it is not a known zone.
    pub fn time_zone(&self) -> Result<TimeZone> {
        zone(&self.zone)
    }

    /// The two ends as they are sent.
    ///
    /// The lower end is cut and the upper end raised to the granularity. An inclusive upper end is sent as the first
    /// instant after the window, not as the last one in it: records may be stamped more finely than windows are asked
    /// for, and a record at the seam is read twice rather than not at all.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) if the zone is unknown.
    pub fn bounds(&self, window: Window) -> Result<(String, String)> {
        let zone = self.time_zone()?;
        let step = i128::try_from(self.granularity.as_nanos()).unwrap_or(1).max(1);
        let nanos = |t: Timestamp| t.as_nanosecond();
        let down = nanos(window.from).div_euclid(step) * step;
        let up = -(-nanos(window.until)).div_euclid(step) * step;
        let write = |nanos: i128| -> Result<String> {
            let instant = Timestamp::from_nanosecond(nanos)
                .map_err(|e| Error::config("a window lies outside the years 1 to 9999").caused_by(e))?;
            Ok(write_time(instant, self.form, &zone))
        };
        Ok((write(down)?, write(up)?))
    }
}

/// GMT+8, the zone of Chinese vendors, which know no summer time.
pub fn beijing() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

/// The zone of that name.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) if it is not a known zone.
pub fn zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(|e| Error::config("the time zone is not known").with("zone", name).caused_by(e))
}

/// Writes an instant in that form.
pub fn write_time(instant: Timestamp, form: TimeForm, zone: &TimeZone) -> String {
    match form {
        TimeForm::EpochMs => instant.as_millisecond().to_string(),
        TimeForm::EpochSecs | TimeForm::Version => instant.as_second().to_string(),
        TimeForm::Date => instant.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string(),
        TimeForm::DateTime => instant.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    }
}

/// Reads an instant or a version as a number that grows with it: milliseconds, or the version itself.
///
/// A text that is neither gives `None`.
pub fn read_stamp(text: &str, form: TimeForm, zone: &TimeZone) -> Option<i64> {
    match form {
        TimeForm::Version if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        TimeForm::Version => i64::from_str_radix(text, 16).ok(),
        TimeForm::EpochMs | TimeForm::EpochSecs => match text.parse::<i64>() {
            Ok(n) if form == TimeForm::EpochSecs => n.checked_mul(1000),
            Ok(n) => Some(n),
            Err(_) => read_date_time(text, zone),
        },
        TimeForm::DateTime | TimeForm::Date => read_date_time(text, zone),
    }
}

fn read_date_time(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_millisecond());
    }
    let civil = text.parse::<jiff::civil::DateTime>();
    let civil = civil.or_else(|_| text.parse::<jiff::civil::Date>().map(|d| d.at(0, 0, 0, 0))).ok()?;
    Some(zone.to_ambiguous_timestamp(civil).compatible().ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: &str, until: &str) -> Window {
        Window { from: from.parse().unwrap(), until: until.parse().unwrap() }
    }

    #[test]
    fn bounds_are_beijing_time_and_never_too_narrow() {
        let spec = WindowSpec::beijing("upd_time");
        let bounds = spec.bounds(window("2026-07-31T16:00:00.5Z", "2026-08-01T15:59:59.001Z")).unwrap();
        assert_eq!(bounds, ("2026-08-01 00:00:00".into(), "2026-08-02 00:00:00".into()));
        let ms = WindowSpec { form: TimeForm::EpochMs, granularity: Duration::from_millis(1), ..spec };
        let bounds = ms.bounds(window("2026-07-31T16:00:00.5Z", "2026-07-31T16:00:01Z")).unwrap();
        assert_eq!(bounds, ("1785513600500".into(), "1785513601000".into()));
    }

    #[test]
    fn halves_cover_the_window() {
        let whole = window("2026-08-01T00:00:00Z", "2026-08-01T00:00:05Z");
        let [a, b] = whole.halves(Duration::from_secs(1)).unwrap();
        assert_eq!((a.from, b.until, a.until), (whole.from, whole.until, b.from));
        assert_eq!(a.length().as_secs(), 2);
        assert!(window("2026-08-01T00:00:00Z", "2026-08-01T00:00:01Z").halves(Duration::from_secs(1)).is_none());
    }

    #[test]
    fn stamps_grow_with_time() {
        let zone = zone("Asia/Shanghai").unwrap();
        let read = |text, form| read_stamp(text, form, &zone);
        assert_eq!(read("2026-08-01 00:00:00", TimeForm::DateTime), Some(1_785_513_600_000));
        assert_eq!(read("2026-08-01 00:00:00.487", TimeForm::DateTime), Some(1_785_513_600_487));
        assert_eq!(read("2026-08-01", TimeForm::EpochMs), Some(1_785_513_600_000));
        assert_eq!(read("1785513600000", TimeForm::EpochMs), Some(1_785_513_600_000));
        assert_eq!(read("000000000A3F51C2", TimeForm::Version), Some(0x0A3F_51C2));
        assert_eq!(read("8839211500123", TimeForm::Version), Some(8_839_211_500_123));
        assert_eq!(read("------永久授权------", TimeForm::DateTime), None);
    }
}
