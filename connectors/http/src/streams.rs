//! Streams as data: where they are, how they are paged, and how a span of time is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use milkrun_core::declared::{Late, Plan, UnitPaths, check_name, check_partition, hours, title_or_name};
use milkrun_core::page::End;
use milkrun_core::stream::{PageSize, Partition, Stamp, TimeForm, Title, zone};
use milkrun_core::{Error, Paging, Proof, Result, StreamSpec, Window, WindowSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::endpoint::{Endpoint, Method, Send, quota};
use crate::json::{Fixed, Plain};
use crate::rules::{AnswerConfig, is_path};

/// One kind of record that can be read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The stream's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// The path below `base_url`. A partition's or another parameter's name in braces is filled in: `/shops/{shop}/orders`.
    pub path: String,
    /// The verb.
    #[serde(default = "get")]
    pub verb: Method,
    /// Where parameters go: into the address for `get`, into a JSON body for `post`, unless set.
    pub send: Option<Send>,
    /// Fixed parameters of the address.
    #[serde(default)]
    pub query: BTreeMap<String, Plain>,
    /// Fixed values of the body, each under its path.
    #[serde(default)]
    pub body: BTreeMap<String, Fixed>,
    /// Fixed headers, beside the account's.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether numbers, such as the page, are written as text in a JSON body.
    #[serde(default)]
    pub numbers_as_text: bool,
    /// What is different about this stream's answers.
    #[serde(default)]
    pub answer: AnswerConfig,
    /// Whether the list may be missing or null where there are no records; otherwise that is an error.
    #[serde(default)]
    pub list_may_be_missing: bool,
    /// The paths of the primary key's parts.
    pub key: Vec<String>,
    /// The path of the number people know the record by.
    pub number: Option<String>,
    /// The field that grows with every change, if there is one.
    pub version: Option<VersionConfig>,
    /// How pages are asked for.
    #[serde(default)]
    pub paging: PagingConfig,
    /// How many records a page may have.
    #[serde(default = "usual_size")]
    pub page_size: PageSize,
    /// How a span of time is asked for; without it the stream is read whole.
    pub window: Option<WindowConfig>,
    /// How a reading is proved complete; row versions prove themselves.
    #[serde(default)]
    pub proof: Plan,
    /// The stream whose records each give one slice of this one.
    pub partition: Option<Partition>,
    /// Limits of this path alone, such as `["60/1m", "5/1s"]`, beside the account's.
    #[serde(default)]
    pub quota: Vec<String>,
    /// Fields with a unit.
    #[serde(default)]
    pub units: UnitPaths,
    /// Known traps, in English and in Chinese.
    #[serde(default)]
    pub notes: Vec<Title>,
}

/// A field that holds a point in time or a version.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionConfig {
    /// Its path in the record.
    pub field: String,
    /// How it is written.
    pub form: TimeForm,
    /// The number that stands for "never": milliseconds since 1970, or the version.
    pub none: Option<i64>,
}

/// How pages are asked for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PagingConfig {
    /// What a page is asked for by.
    #[serde(default)]
    pub kind: PagingKind,
    /// The parameter that says which page is wanted; for all kinds but `none` and `link`.
    pub parameter: Option<String>,
    /// The parameter that says how many records a page may have; without it, the vendor decides.
    pub size_parameter: Option<String>,
    /// For `page-number`: the number of the first page; 1 if left out.
    pub first: Option<u64>,
    /// For `page-number` and `offset`: how the last page is known.
    pub end: Option<EndKind>,
    /// For `cursor` and `link`: the path of what the next page is asked for with.
    pub next: Option<String>,
    /// For `row-version`: the record's field with the version.
    pub field: Option<String>,
}

/// What a page is asked for by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PagingKind {
    /// Everything comes in one answer.
    #[default]
    None,
    /// A page number.
    PageNumber,
    /// A number of records to skip.
    Offset,
    /// What each page gives for the next; a page that gives none is the last.
    Cursor,
    /// A row version that only grows, asked for inclusively.
    RowVersion,
    /// The address of the next page, in the body; it has to be one of the same host. A page that gives none is the last.
    Link,
}

/// How the last page is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndKind {
    /// It holds fewer records than were asked for. Only for vendors that never give less while more is there.
    ShortPage,
    /// It holds none.
    EmptyPage,
    /// `answer.has_next` says whether more follows.
    HasNext,
}

/// How a span of time is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// What the vendor calls the time that windows are over, such as `modified`.
    pub axis: String,
    /// The parameter that carries the axis, if it is sent.
    pub axis_parameter: Option<String>,
    /// The parameter for the lower end.
    pub start: String,
    /// The parameter for the upper end.
    pub end: String,
    /// How times are written.
    #[serde(default)]
    pub form: TimeFormat,
    /// The zone of times that are written as date and time, such as `Asia/Shanghai`.
    pub zone: String,
    /// Whether the vendor counts a record at the upper end as inside.
    #[serde(default = "yes")]
    pub until_inclusive: bool,
    /// Whether the vendor refuses a call without a window.
    #[serde(default)]
    pub required: bool,
    /// The longest span of one call.
    pub longest_hours: u32,
    /// How long after a change the vendor may still show the old state.
    #[serde(default = "usual_settle")]
    pub settle_secs: u32,
    /// How far the next run reaches back.
    #[serde(default = "usual_lookback")]
    pub lookback_secs: u32,
    /// Slower passes over older times.
    #[serde(default)]
    pub late: Vec<Late>,
}

/// How a time is written in a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeFormat {
    /// `2026-08-01 00:00:00`.
    #[default]
    DateTime,
    /// `2026-08-01`.
    Date,
    /// `2026-08-01T00:00:00+08:00`.
    Rfc3339,
    /// Milliseconds since 1970.
    EpochMs,
    /// Seconds since 1970.
    EpochSecs,
}

impl TimeFormat {
    /// Writes an instant.
    pub(crate) fn write(self, instant: Timestamp, zone: &TimeZone) -> String {
        let form = match self {
            Self::DateTime => TimeForm::DateTime,
            Self::Date => TimeForm::Date,
            Self::EpochMs => TimeForm::EpochMs,
            Self::EpochSecs => TimeForm::EpochSecs,
            Self::Rfc3339 => return instant.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        };
        milkrun_core::stream::write_time(instant, form, zone)
    }

    fn granularity(self) -> Duration {
        match self {
            Self::DateTime | Self::Rfc3339 | Self::EpochSecs => Duration::from_secs(1),
            Self::Date => hours(24),
            Self::EpochMs => Duration::from_millis(1),
        }
    }
}

fn get() -> Method {
    Method::Get
}

fn usual_size() -> PageSize {
    PageSize { min: 1, usual: 100, max: None }
}

fn usual_settle() -> u32 {
    60
}

fn usual_lookback() -> u32 {
    600
}

fn yes() -> bool {
    true
}

impl StreamConfig {
    /// The address with its fixed parts.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint {
            query: self.query.clone(),
            body: self.body.clone(),
            headers: self.headers.clone(),
            numbers_as_text: self.numbers_as_text,
            ..Endpoint::new(self.verb, &self.path, self.send)
        }
    }

    /// What the engine needs to know.
    pub(crate) fn spec(&self) -> StreamSpec {
        let window = self.window.as_ref().map(WindowConfig::spec);
        let paging = self.paging.paging();
        let proof = match paging {
            Paging::RowVersion { .. } => {
                Proof::RowVersion { assumes: "row versions become visible in the order they are given".to_owned() }
            }
            _ => self.proof.proof(window.as_ref()),
        };
        StreamSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.endpoint().name(),
            key: self.key.clone(),
            number: self.number.clone(),
            version: self.version.as_ref().map(|v| Stamp { field: v.field.clone(), form: v.form, none: v.none }),
            window,
            paging,
            page_size: self.page_size,
            proof,
            partition: self.partition.clone(),
            list_may_be_missing: self.list_may_be_missing,
            units: self.units.units(),
            notes: self.notes.clone(),
        }
    }

    /// Refuses what cannot be meant; `known` are the streams of the account, `base` its rules for answers.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the stream and the setting.
    pub(crate) fn validate(&self, known: &[&str], base: &AnswerConfig) -> Result<()> {
        self.check(known, base).map_err(|error| error.with("stream", &self.name))
    }

    fn check(&self, known: &[&str], base: &AnswerConfig) -> Result<()> {
        let wrong = |message: &str| Err(Error::config(message.to_owned()));
        check_name(&self.name)?;
        self.endpoint().validate("", false)?;
        let answer = self.answer.over(base);
        answer.validate("answer")?;
        if answer.list.is_none() {
            return wrong("`answer.list` is missing: it says where the records are; \"\" is the whole answer");
        }
        if self.key.is_empty() || self.key.iter().any(String::is_empty) {
            return wrong("`key` has to name at least one field, and none may be empty");
        }
        if !self.page_size.is_sound() {
            return wrong("`page_size` has to keep 1 ≤ min ≤ usual ≤ max");
        }
        self.paging.check(&answer)?;
        self.check_names()?;
        quota("", &self.quota)?;
        if self.proof == Plan::Backwards {
            let numbered = matches!(self.paging.kind, PagingKind::PageNumber | PagingKind::Offset);
            if self.window.is_none() || !numbered || answer.total.is_none() {
                return wrong("`proof = \"backwards\"` needs `window`, page numbers or offsets, and `answer.total`");
            }
        }
        self.window.iter().try_for_each(WindowConfig::check)?;
        self.partition.iter().try_for_each(|partition| check_partition(partition, &self.name, known))
    }

    /// The names of all parameters: none empty, none twice, and each name in the path is one of them.
    fn check_names(&self) -> Result<()> {
        let mut names: Vec<&str> = self.query.keys().chain(self.body.keys()).map(String::as_str).collect();
        names.extend(self.partition.as_ref().map(|partition| partition.parameter.as_str()));
        names.extend([&self.paging.parameter, &self.paging.size_parameter].into_iter().flatten().map(String::as_str));
        if let Some(window) = &self.window {
            names.extend([window.start.as_str(), &window.end]);
            names.extend(window.axis_parameter.as_deref());
        }
        if names.iter().any(|name| !is_path(name)) {
            return Err(Error::config("a parameter has an empty name"));
        }
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0])) {
            return Err(Error::config(format!("the parameter `{twice}` is set twice")));
        }
        let endpoint = self.endpoint();
        let unfilled = endpoint.placeholders().into_iter().find(|name| !names.contains(name)).map(ToOwned::to_owned);
        unfilled
            .map_or(Ok(()), |name| Err(Error::config(format!("`path` has `{{{name}}}`, which no parameter fills in"))))
    }
}

impl PagingConfig {
    fn paging(&self) -> Paging {
        let parameter = self.parameter.clone().unwrap_or_default();
        let end = match self.end.unwrap_or(EndKind::EmptyPage) {
            EndKind::ShortPage => End::ShortPage,
            EndKind::EmptyPage => End::EmptyPage,
            EndKind::HasNext => End::HasNext,
        };
        match self.kind {
            PagingKind::None => Paging::None,
            PagingKind::PageNumber => Paging::PageNumber { parameter, first: self.first.unwrap_or(1), end },
            PagingKind::Offset => Paging::Offset { parameter, end },
            PagingKind::Cursor => Paging::Cursor { parameter },
            PagingKind::RowVersion => Paging::RowVersion { parameter, field: self.field.clone().unwrap_or_default() },
            PagingKind::Link => Paging::Link,
        }
    }

    fn check(&self, answer: &AnswerConfig) -> Result<()> {
        use PagingKind::{Cursor, Link, None, Offset, PageNumber, RowVersion};
        let kind = self.kind;
        let given = [
            ("parameter", self.parameter.is_some(), matches!(kind, PageNumber | Offset | Cursor | RowVersion), true),
            ("size_parameter", self.size_parameter.is_some(), kind != None, false),
            ("first", self.first.is_some(), kind == PageNumber, false),
            ("end", self.end.is_some(), matches!(kind, PageNumber | Offset), false),
            ("next", self.next.is_some(), matches!(kind, Cursor | Link), true),
            ("field", self.field.is_some(), kind == RowVersion, true),
        ];
        for (setting, is_given, is_meant, is_needed) in given {
            if is_given && !is_meant {
                return Err(Error::config(format!("`paging.{setting}` means nothing for this `paging.kind`")));
            }
            if is_meant && is_needed && !is_given {
                return Err(Error::config(format!("`paging.{setting}` is missing for this `paging.kind`")));
            }
        }
        if self.first.is_some_and(|first| first > 1) {
            return Err(Error::config("`paging.first` has to be 0 or 1"));
        }
        if self.next.as_ref().is_some_and(|path| !is_path(path)) {
            return Err(Error::config("`paging.next` has to be names joined by `.`"));
        }
        if self.end == Some(EndKind::HasNext) && answer.has_next.is_none() {
            return Err(Error::config("`paging.end = \"has-next\"` needs `answer.has_next`"));
        }
        let by_size = self.end == Some(EndKind::ShortPage) || kind == RowVersion;
        if by_size && self.size_parameter.is_none() {
            return Err(Error::config(
                "`paging.size_parameter` is missing: without it nobody knows which page is short",
            ));
        }
        Ok(())
    }
}

impl WindowConfig {
    fn spec(&self) -> WindowSpec {
        let form = match self.form {
            TimeFormat::DateTime | TimeFormat::Rfc3339 => TimeForm::DateTime,
            TimeFormat::Date => TimeForm::Date,
            TimeFormat::EpochMs => TimeForm::EpochMs,
            TimeFormat::EpochSecs => TimeForm::EpochSecs,
        };
        WindowSpec {
            axis: self.axis.clone(),
            zone: self.zone.clone(),
            form,
            granularity: self.form.granularity(),
            until_inclusive: self.until_inclusive,
            longest: hours(self.longest_hours),
            settle: Duration::from_secs(self.settle_secs.into()),
            lookback: Duration::from_secs(self.lookback_secs.into()),
            late: self.late.iter().map(Into::into).collect(),
        }
    }

    /// The two ends as they are sent.
    ///
    /// # Errors
    /// Those of [`WindowSpec::bounds`].
    pub(crate) fn bounds(&self, window: Window) -> Result<(String, String)> {
        if self.form == TimeFormat::Date {
            // A day that has begun is asked for as a whole, in the zone's days.
            let zone = zone(&self.zone)?;
            let date = |at: Timestamp| at.to_zoned(zone.clone()).date();
            let last = window.until - jiff::SignedDuration::from_nanos(1);
            let after = date(last).tomorrow();
            let after = after.map_err(|e| Error::config("a window lies outside the years 1 to 9999").caused_by(e))?;
            return Ok((date(window.from).to_string(), after.to_string()));
        }
        // Cut and raised as the form needs it, but as instants.
        let spec = WindowSpec { form: TimeForm::EpochMs, ..self.spec() };
        let (from, until) = spec.bounds(window)?;
        let zone = spec.time_zone()?;
        let write = |ms: &str| {
            let instant = ms.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
            self.form.write(instant.expect("it was written from an instant"), &zone)
        };
        Ok((write(&from), write(&until)))
    }

    fn check(&self) -> Result<()> {
        zone(&self.zone).map_err(|error| error.with("setting", "`window.zone`"))?;
        if self.longest_hours == 0 || (self.form == TimeFormat::Date && self.longest_hours < 24) {
            return Err(Error::config("`window.longest_hours` has to be at least 1, and 24 where only dates are sent"));
        }
        for late in &self.late {
            if !late.is_sound() {
                return Err(Error::config("`every_hours` and `reach_hours` of a `late` pass have to be at least 1"));
            }
            if self.axis_parameter.is_none() && late.axis != self.axis {
                return Err(Error::config("a `late` pass over another axis needs `window.axis_parameter`"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_written_in_every_form() {
        let window = Window {
            from: "2026-07-31T16:00:00.5Z".parse().unwrap(),
            until: "2026-08-01T16:00:00.001Z".parse().unwrap(),
        };
        let forms = ["date-time", "date", "rfc3339", "epoch-ms", "epoch-secs"];
        let lines = forms.map(|form| {
            let text = format!(
                "axis = 'm'\nstart = 's'\nend = 'e'\nform = '{form}'\nzone = 'Asia/Shanghai'\nlongest_hours = 24"
            );
            let config: WindowConfig = toml::from_str(&text).unwrap();
            config.check().unwrap();
            let (from, until) = config.bounds(window).unwrap();
            format!("{form}: {from} to {until}")
        });
        insta::assert_snapshot!(lines.join("\n"), @r"
        date-time: 2026-08-01 00:00:00 to 2026-08-02 00:00:01
        date: 2026-08-01 to 2026-08-03
        rfc3339: 2026-08-01T00:00:00+08:00 to 2026-08-02T00:00:01+08:00
        epoch-ms: 1785513600500 to 1785600000001
        epoch-secs: 1785513600 to 1785600001
        ");
    }
}
