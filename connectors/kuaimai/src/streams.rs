//! The streams as data: the built-in table is `streams.toml`, and an account may declare more in the same form.

use std::collections::BTreeMap;
use std::time::Duration;

use milkrun_core::declared::{Late, Plan, UnitPaths, check_name, check_partition, hours, title_or_name};
use milkrun_core::page::End;
use milkrun_core::stream::{PageSize, Partition, Stamp, TimeForm, Title};
use milkrun_core::{Error, Paging, Result, StreamSpec, WindowSpec};
use schemars::JsonSchema;
use serde::Deserialize;

/// One read method of Kuaimai, as a stream.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The stream's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// The vendor's method; only those that end in `.query` or `.get` are taken, because others write.
    pub method: String,
    /// The names that the list of records may have in the answer, the likeliest first.
    #[serde(default = "usual_lists")]
    pub lists: Vec<String>,
    /// The paths of the primary key's parts.
    pub key: Vec<String>,
    /// The path of the number people know the record by.
    pub number: Option<String>,
    /// The field with the time of the last change, if there is one.
    pub version: Option<String>,
    /// How a span of time is asked for; without it the stream is read whole.
    pub window: Option<WindowConfig>,
    /// How many records a page may have; without it the method has no pages.
    pub page_size: Option<PageSize>,
    /// How a reading is proved complete.
    #[serde(default)]
    pub proof: Plan,
    /// Further parameters, sent with every call.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// The second call that gives a document's lines.
    pub detail: Option<Detail>,
    /// The stream whose records each give one slice of this one.
    pub partition: Option<Partition>,
    /// The list inside each row whose elements are the records.
    pub inner: Option<Inner>,
    /// Fields that the vendor calls by two names: `seen = "wanted"` renames the first where the second is missing.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Whether an empty answer may leave out its list, as Kuaimai's do.
    #[serde(default = "yes")]
    pub list_may_be_missing: bool,
    /// Units that a mapping must know.
    #[serde(default)]
    pub units: UnitPaths,
    /// Known traps.
    #[serde(default)]
    pub notes: Vec<Title>,
}

/// How a stream is asked for a span of time, in Beijing time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// What the vendor calls the time that windows are over, such as `upd_time`.
    pub axis: String,
    /// The parameter that carries the axis, such as `timeType`; without it the axis is not sent.
    pub axis_parameter: Option<String>,
    /// What is sent for an axis that the vendor calls by a number, such as `{ created = "1" }`.
    #[serde(default)]
    pub axis_values: BTreeMap<String, String>,
    /// The parameter for the lower end.
    pub start: String,
    /// The parameter for the upper end.
    pub end: String,
    /// How times are sent.
    #[serde(default)]
    pub form: Form,
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

/// How times are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `2026-08-01 00:00:00`.
    #[default]
    DateTime,
    /// Milliseconds since 1970.
    EpochMs,
}

/// The second call that gives a document's lines; its answer becomes the record's field `detail`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// The vendor's method.
    pub method: String,
    /// The parameter that names the document; its value is the head's field of the same name.
    #[serde(default = "usual_parameter")]
    pub parameter: String,
}

/// A list inside each row, whose elements are the records.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inner {
    /// The names that the inner list may have, the likeliest first.
    pub lists: Vec<String>,
    /// The field of the record that holds the element; the row's other fields stay beside it.
    pub field: String,
    /// For answers without an inner list: the row's field that holds the element's `id`.
    pub flat_id: String,
}

fn usual_lists() -> Vec<String> {
    vec!["list".to_owned()]
}

fn usual_parameter() -> String {
    "id".to_owned()
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

/// The streams every account has, in the order of the documentation.
pub(crate) fn built_in() -> Vec<StreamConfig> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        streams: Vec<StreamConfig>,
    }
    let table: Table = toml::from_str(include_str!("streams.toml")).expect("a test reads this very text");
    table.streams
}

/// How the vendor writes "never": 2000-01-01 in Beijing.
const NONE: i64 = 946_656_000_000;

/// Parameters that are set for every call, and spellings that the vendor ignores without a word.
const RESERVED: [&str; 12] = [
    "method",
    "appKey",
    "timestamp",
    "format",
    "version",
    "sign",
    "sign_method",
    "session",
    "pageNo",
    "pageSize",
    "page_no",
    "page_size",
];

impl StreamConfig {
    /// What the engine needs to know; `page_size` replaces the usual one as far as the vendor's limits allow.
    pub(crate) fn spec(&self, page_size: Option<u32>) -> StreamSpec {
        let limits = self.page_size.unwrap_or(PageSize { min: 1, usual: 200, max: None });
        let window = self.window.as_ref().map(WindowConfig::spec);
        StreamSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.method.clone(),
            key: self.key.clone(),
            number: self.number.clone(),
            version: self.version.clone().map(|field| Stamp { field, form: TimeForm::EpochMs, none: Some(NONE) }),
            proof: self.proof.proof(window.as_ref()),
            window,
            paging: self.paging(),
            page_size: page_size.map_or(limits, |size| limits.with_usual(size)),
            partition: self.partition.clone(),
            list_may_be_missing: self.list_may_be_missing,
            units: self.units.units(),
            notes: self.notes.clone(),
        }
    }

    fn paging(&self) -> Paging {
        let Some(limits) = self.page_size else { return Paging::None };
        let end = match (&self.inner, limits.max) {
            // A row may hold no or many records, so that only the source knows how many rows came.
            (Some(_), _) => End::HasNext,
            (None, Some(_)) => End::ShortPage,
            // A size above an unknown limit may be cut, and then every page is short.
            (None, None) => End::EmptyPage,
        };
        Paging::PageNumber { parameter: "pageNo".to_owned(), first: 1, end }
    }

    /// Refuses what the vendor would refuse, misunderstand or ignore; `known` are the streams of the account.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the stream and the setting.
    pub(crate) fn validate(&self, known: &[&str]) -> Result<()> {
        let wrong = |message: String| Err(Error::config(message).with("stream", &self.name));
        check_name(&self.name)?;
        for method in [Some(&self.method), self.detail.as_ref().map(|d| &d.method)].into_iter().flatten() {
            // Every documented read ends so and no write does; a write sent by a reading would be repeated on errors.
            if !matches!(method.rsplit('.').next(), Some("query" | "get")) {
                return wrong(format!("`method` is `{method}`, and only methods in `.query` or `.get` read"));
            }
        }
        let lists = [("key", &self.key), ("lists", &self.lists)];
        let inner = self.inner.as_ref().map(|inner| ("inner.lists", &inner.lists));
        for (setting, names) in lists.into_iter().chain(inner) {
            if names.is_empty() || names.iter().any(String::is_empty) {
                return wrong(format!("`{setting}` has to name at least one field, and none may be empty"));
            }
        }
        self.validate_parameters().or_else(wrong)?;
        if self.page_size.is_some_and(|size| !size.is_sound()) {
            return wrong("`page_size` has to keep 1 ≤ min ≤ usual ≤ max".to_owned());
        }
        if self.proof == Plan::Backwards && (self.window.is_none() || self.page_size.is_none() || self.inner.is_some())
        {
            return wrong("`proof = \"backwards\"` needs `window` and `page_size`, and no `inner`".to_owned());
        }
        if !self.rename.is_empty() && (self.inner.is_some() || self.detail.is_some()) {
            return wrong("`rename` does not go with `inner` or `detail`".to_owned());
        }
        if self.inner.is_some() && self.detail.is_some() {
            return wrong("`inner` does not go with `detail`".to_owned());
        }
        if let Some(window) = &self.window {
            if window.longest_hours == 0 {
                return wrong("`window.longest_hours` has to be at least 1".to_owned());
            }
            for late in &window.late {
                if !late.is_sound() {
                    return wrong("`every_hours` and `reach_hours` of a late pass have to be at least 1".to_owned());
                }
                if window.axis_parameter.is_none() && late.axis != window.axis {
                    return wrong("a late pass over another axis needs `window.axis_parameter`".to_owned());
                }
            }
            window.validate_axis_values().or_else(wrong)?;
        }
        if let Some(partition) = &self.partition {
            check_partition(partition, &self.name, known)?;
        }
        Ok(())
    }

    /// The names of all parameters: none empty, none twice, none that is set for every call.
    fn validate_parameters(&self) -> Result<(), String> {
        let mut names: Vec<&str> = self.params.keys().map(String::as_str).collect();
        if let Some((name, _)) = self.params.iter().find(|(_, value)| value.is_empty()) {
            return Err(format!("`params.{name}` is empty, and sources disagree on whether empty values are signed"));
        }
        names.extend(self.partition.as_ref().map(|parent| parent.parameter.as_str()));
        if let Some(window) = &self.window {
            names.extend([window.start.as_str(), &window.end]);
            names.extend(window.axis_parameter.as_deref());
        }
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0])) {
            return Err(format!("the parameter `{twice}` is set twice"));
        }
        names.extend(self.detail.as_ref().map(|detail| detail.parameter.as_str()));
        match names.iter().find(|name| name.is_empty() || RESERVED.contains(name)) {
            Some(&"page_no" | &"page_size") => {
                Err("the vendor ignores `page_no` and `page_size`; set the setting `page_size` instead".to_owned())
            }
            Some(&"") => Err("a parameter has an empty name".to_owned()),
            Some(name) => Err(format!("the parameter `{name}` is set for every call and cannot be set here")),
            None => Ok(()),
        }
    }
}

impl WindowConfig {
    /// What is sent for an axis: its value, or its own name.
    pub(crate) fn sent<'a>(&'a self, axis: &'a str) -> &'a str {
        self.axis_values.get(axis).map_or(axis, String::as_str)
    }

    /// The values of axes: each of an axis that is read, none empty, and a parameter that carries them.
    fn validate_axis_values(&self) -> Result<(), String> {
        if !self.axis_values.is_empty() && self.axis_parameter.is_none() {
            return Err("`window.axis_values` needs `window.axis_parameter`".to_owned());
        }
        let is_read = |axis: &String| *axis == self.axis || self.late.iter().any(|late| late.axis == *axis);
        match self.axis_values.iter().find(|(axis, value)| value.is_empty() || !is_read(axis)) {
            Some((axis, value)) if value.is_empty() => Err(format!("`window.axis_values.{axis}` is empty")),
            Some((axis, _)) => {
                Err(format!("no window of the stream is over `{axis}`, which `window.axis_values` names"))
            }
            None => Ok(()),
        }
    }

    fn spec(&self) -> WindowSpec {
        let (form, granularity) = match self.form {
            Form::DateTime => (TimeForm::DateTime, Duration::from_secs(1)),
            Form::EpochMs => (TimeForm::EpochMs, Duration::from_millis(1)),
        };
        WindowSpec {
            form,
            granularity,
            longest: hours(self.longest_hours),
            settle: Duration::from_secs(self.settle_secs.into()),
            lookback: Duration::from_secs(self.lookback_secs.into()),
            late: self.late.iter().map(Into::into).collect(),
            ..WindowSpec::beijing(&self.axis)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_is_valid() {
        let streams = built_in();
        let names: Vec<_> = streams.iter().map(|stream| stream.name.as_str()).collect();
        for stream in &streams {
            stream.validate(&names).unwrap();
            assert!(stream.title.is_some(), "{}", stream.name);
        }
    }

    #[test]
    fn the_table_of_streams() {
        let hours = |d: Duration| d.as_secs() / 3600;
        let lines = built_in().into_iter().map(|stream| {
            let spec = stream.spec(None);
            let window = spec.window.as_ref().map_or("whole".to_owned(), |window| {
                let late = window.late.iter().map(|l| format!(" +{}/{}h/{}h", l.axis, hours(l.every), hours(l.reach)));
                let settle = window.settle.as_secs();
                let late: String = late.collect();
                format!("{} {:?} {}h settle {settle}s{late}", window.axis, window.form, hours(window.longest))
            });
            let size = spec.page_size;
            let end = match &spec.paging {
                Paging::PageNumber { end, .. } => format!("{end:?}"),
                paging => format!("{paging:?}"),
            };
            let version = spec.version.as_ref().map_or("-", |version| &version.field);
            let parent = spec.partition.as_ref().map(|p| format!(" of {}.{} as {}", p.stream, p.path, p.parameter));
            let detail = stream.detail.as_ref().map(|detail| format!(" + {}", detail.method));
            format!(
                "{} = {}{}{}: key {}, version {version}, {window}, {}..{}..{} {end}, {}",
                spec.name,
                spec.endpoint,
                detail.unwrap_or_default(),
                parent.unwrap_or_default(),
                spec.key.join("+"),
                size.min,
                size.usual,
                size.max.map_or("?".to_owned(), |max| max.to_string()),
                spec.proof.name(),
            )
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_page_size_keeps_to_each_streams_limits() {
        let usual = |size| {
            let of = |name: &str| {
                let stream = built_in().into_iter().find(|stream| stream.name == name).unwrap();
                stream.spec(Some(size)).page_size.usual
            };
            ["orders", "stock", "shops", "transfers", "purchase-orders"].map(of)
        };
        assert_eq!(usual(200), [200, 100, 20, 20, 200]);
        assert_eq!(usual(5), [20, 5, 5, 20, 5]);
    }
}
