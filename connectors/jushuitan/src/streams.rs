//! The streams as data: the built-in table is `streams.toml`, and an account may declare more in the same form.

use std::collections::BTreeMap;
use std::time::Duration;

use milkrun_core::declared::{Plan, UnitPaths, check_name, check_partition, hours, title_or_name};
use milkrun_core::page::End;
use milkrun_core::stream::{PageSize, Partition, Proof, Stamp, TimeForm, Title};
use milkrun_core::{Error, Paging, Result, StreamSpec, WindowSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::biz::Param;
use crate::config::Api;

/// One read method of Jushuitan.
///
/// With `cursor` and `window` it makes two streams: by row version under its name, and by windows of time as
/// `<name>-by-window`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The stream's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// The vendor's path, such as `/open/sku/query`; only those that end in `query` are taken, because others write.
    /// The old API's method is made from it.
    pub path: String,
    /// The names that the list of records may have in the answer, the likeliest first.
    #[serde(default = "usual_lists")]
    pub lists: Vec<String>,
    /// The paths of the primary key's parts.
    pub key: Vec<String>,
    /// The path of the number people know the record by.
    pub number: Option<String>,
    /// The field with the time of the last change, if there is one; by row version the version is used instead.
    pub version: Option<String>,
    /// How row versions are asked for, if the method has them.
    pub cursor: Option<CursorConfig>,
    /// How a span of time is asked for, if the method has that.
    pub window: Option<WindowConfig>,
    /// How many records a page may have.
    pub page_size: PageSize,
    /// How a reading that is not by row version is proved complete.
    #[serde(default)]
    pub proof: Plan,
    /// Further business parameters, sent with every call.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    /// The stream whose records each give one slice of this one.
    pub partition: Option<Partition>,
    /// The field of the record that gets the partition's value, where rows do not carry it.
    pub partition_into: Option<String>,
    /// Whether the method is offered with `api = "old"` too.
    #[serde(default)]
    pub old: bool,
    /// Units that a mapping must know.
    #[serde(default)]
    pub units: UnitPaths,
    /// Known traps.
    #[serde(default)]
    pub notes: Vec<Title>,
}

/// How row versions are asked for: from the last one seen, inclusive.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CursorConfig {
    /// The parameter.
    #[serde(default = "usual_cursor")]
    pub parameter: String,
    /// The record's field that holds the version.
    #[serde(default = "usual_version")]
    pub field: String,
    /// Whether the vendor wants nothing but paging beside it: neither `params` nor `is_get_total`.
    #[serde(default)]
    pub paging_only: bool,
}

/// How a stream is asked for a span of time, in Beijing time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// What the vendor calls the time that windows are over.
    #[serde(default = "usual_axis")]
    pub axis: String,
    /// The vendor's number for that time, sent as `date_type`; left out, the vendor's default holds.
    pub date_type: Option<u32>,
    /// The parameter for the lower end.
    #[serde(default = "usual_begin")]
    pub begin: String,
    /// The parameter for the upper end.
    #[serde(default = "usual_end")]
    pub end: String,
    /// Whether the vendor refuses a call without a window.
    #[serde(default)]
    pub required: bool,
    /// The longest span of one call, 1 to 168.
    #[serde(default = "usual_longest")]
    pub longest_hours: u32,
    /// How long after a change the vendor may still show the old state.
    #[serde(default = "usual_settle")]
    pub settle_secs: u32,
    /// How far the next run reaches back.
    #[serde(default = "usual_lookback")]
    pub lookback_secs: u32,
}

fn usual_lists() -> Vec<String> {
    vec!["datas".to_owned()]
}

fn usual_cursor() -> String {
    "start_ts".to_owned()
}

fn usual_version() -> String {
    "ts".to_owned()
}

fn usual_axis() -> String {
    "modified".to_owned()
}

fn usual_begin() -> String {
    "modified_begin".to_owned()
}

fn usual_end() -> String {
    "modified_end".to_owned()
}

fn usual_longest() -> u32 {
    LONGEST_HOURS
}

fn usual_settle() -> u32 {
    60
}

fn usual_lookback() -> u32 {
    600
}

/// The longest window of the vendor: seven days.
const LONGEST_HOURS: u32 = 168;

/// What the proof by row version rests on.
const IN_ORDER: &str = "row versions become visible in the order in which they are given";

/// Business parameters that the connector sets by itself.
const RESERVED: [&str; 4] = ["page_index", "page_size", "is_get_total", "date_type"];

/// The methods every account has, in the order of the documentation.
pub(crate) fn built_in() -> Vec<StreamConfig> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        streams: Vec<StreamConfig>,
    }
    let table: Table = toml::from_str(include_str!("streams.toml")).expect("a test reads this very text");
    table.streams
}

/// The streams every account of the new API has.
pub(crate) fn specs() -> Vec<StreamSpec> {
    let streams = built_in().into_iter().flat_map(|method| method.streams(Api::New));
    streams.map(|stream| stream.spec(Api::New, None)).collect()
}

/// One way of reading a method: a stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) method: StreamConfig,
    /// By row version, not by windows of time or whole.
    pub(crate) by_version: bool,
}

impl StreamConfig {
    /// The streams that the method makes with that API.
    ///
    /// The old API is only known to take windows, so that it has no streams by row version.
    pub(crate) fn streams(&self, api: Api) -> Vec<Stream> {
        let stream = |name: String, by_version| Stream { name, method: self.clone(), by_version };
        let both = self.cursor.is_some() && self.window.is_some();
        let mut streams = Vec::new();
        if self.cursor.is_some() && api == Api::New {
            streams.push(stream(self.name.clone(), true));
        }
        if self.window.is_some() || self.cursor.is_none() {
            let name = if both { format!("{}-by-window", self.name) } else { self.name.clone() };
            streams.push(stream(name, false));
        }
        streams.retain(|_| api == Api::New || self.old);
        streams
    }

    /// Refuses what the vendor would refuse, misunderstand or ignore; `known` are the streams of the account.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the stream and the setting.
    pub(crate) fn validate(&self, known: &[&str]) -> Result<()> {
        let wrong = |message: String| Err(Error::config(message).with("stream", &self.name));
        check_name(&self.name)?;
        // Every read of the documentation ends so and no write does; a write sent by a reading would be repeated.
        let is_path = self.path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-'));
        if !is_path || !self.path.starts_with("/open/") || !self.path.ends_with("query") {
            let path = &self.path;
            return wrong(format!("`path` is `{path}`, and only paths from `/open/` on that end in `query` read"));
        }
        for (setting, names) in [("key", &self.key), ("lists", &self.lists)] {
            if names.is_empty() || names.iter().any(String::is_empty) {
                return wrong(format!("`{setting}` has to name at least one field, and none may be empty"));
            }
        }
        if !self.page_size.is_sound() {
            return wrong("`page_size` has to keep 1 ≤ min ≤ usual ≤ max".to_owned());
        }
        if self.proof == Plan::Backwards && self.window.is_none() {
            return wrong("`proof = \"backwards\"` needs `window`".to_owned());
        }
        if self.window.as_ref().is_some_and(|window| !(1..=LONGEST_HOURS).contains(&window.longest_hours)) {
            return wrong("`window.longest_hours` has to be 1 to 168: the vendor gives seven days at most".to_owned());
        }
        if self.partition_into.is_some() && self.partition.is_none() {
            return wrong("`partition_into` needs `partition`".to_owned());
        }
        self.validate_parameters().or_else(wrong)?;
        self.partition.as_ref().map_or(Ok(()), |partition| check_partition(partition, &self.name, known))
    }

    /// The names of all business parameters: none empty, none twice, none that is set by the connector.
    fn validate_parameters(&self) -> Result<(), String> {
        let mut names: Vec<&str> = self.params.keys().map(String::as_str).collect();
        names.extend(self.partition.as_ref().map(|parent| parent.parameter.as_str()));
        names.extend(self.cursor.as_ref().map(|cursor| cursor.parameter.as_str()));
        names.extend(self.window.iter().flat_map(|window| [window.begin.as_str(), &window.end]));
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0])) {
            return Err(format!("the parameter `{twice}` is set twice"));
        }
        match names.iter().find(|name| name.is_empty() || RESERVED.contains(name)) {
            Some(&"date_type") => Err("set `window.date_type` instead of the parameter `date_type`".to_owned()),
            Some(&"") => Err("a parameter has an empty name".to_owned()),
            Some(name) => Err(format!("the parameter `{name}` is set for every call and cannot be set here")),
            None => Ok(()),
        }
    }
}

impl Stream {
    /// What the engine needs to know; `page_size` replaces the usual one as far as the vendor's limits allow.
    pub(crate) fn spec(&self, api: Api, page_size: Option<u32>) -> StreamSpec {
        let method = &self.method;
        let window = method.window.as_ref().filter(|_| !self.by_version).map(WindowConfig::spec);
        let cursor = method.cursor.as_ref().filter(|_| self.by_version);
        let version = cursor.map(|cursor| (&cursor.field, TimeForm::Version));
        let version = version.or_else(|| method.version.as_ref().map(|field| (field, TimeForm::DateTime)));
        let (paging, proof) = match cursor {
            Some(CursorConfig { parameter, field, .. }) => (
                Paging::RowVersion { parameter: parameter.clone(), field: field.clone() },
                Proof::RowVersion { assumes: IN_ORDER.to_owned() },
            ),
            None => (
                Paging::PageNumber { parameter: "page_index".to_owned(), first: 1, end: End::HasNext },
                method.proof.proof(window.as_ref()),
            ),
        };
        StreamSpec {
            name: self.name.clone(),
            title: self.title(),
            endpoint: api.endpoint(&method.path),
            key: method.key.clone(),
            number: method.number.clone(),
            version: version.map(|(field, form)| Stamp { field: field.clone(), form, none: None }),
            window,
            paging,
            page_size: page_size.map_or(method.page_size, |size| method.page_size.with_usual(size)),
            proof,
            partition: method.partition.clone(),
            list_may_be_missing: false,
            units: method.units.units(),
            notes: method.notes.clone(),
        }
    }

    fn title(&self) -> Title {
        let title = title_or_name(self.method.title.as_ref(), &self.method.name);
        if self.method.cursor.is_none() || self.method.window.is_none() {
            return title;
        }
        let (en, zh) =
            if self.by_version { ("by row version", "按行版本") } else { ("by time of change", "按修改时间") };
        Title::new(format!("{}, {en}", title.en), format!("{}（{zh}）", title.zh))
    }
}

impl WindowConfig {
    fn spec(&self) -> WindowSpec {
        WindowSpec {
            longest: hours(self.longest_hours),
            settle: Duration::from_secs(self.settle_secs.into()),
            lookback: Duration::from_secs(self.lookback_secs.into()),
            ..WindowSpec::beijing(&self.axis)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_is_valid() {
        let methods = built_in();
        let names: Vec<_> = methods.iter().map(|method| method.name.as_str()).collect();
        for method in &methods {
            method.validate(&names).unwrap();
            assert!(method.title.is_some(), "{}", method.name);
        }
    }

    fn table(api: Api) -> String {
        let streams = built_in().into_iter().flat_map(|method| method.streams(api));
        let lines = streams.map(|stream| {
            let spec = stream.spec(api, None);
            let window = spec.window.as_ref().map_or("whole".to_owned(), |window| {
                let hours = window.longest.as_secs() / 3600;
                let date_type = stream.method.window.as_ref().and_then(|window| window.date_type);
                let date_type = date_type.map(|n| format!(" date_type {n}")).unwrap_or_default();
                format!("{} {hours}h{date_type}", window.axis)
            });
            let window = if stream.by_version { "from version".to_owned() } else { window };
            let parameter = spec.paging.parameter().unwrap_or("-");
            let version = spec.version.as_ref().map_or("-".to_owned(), |v| format!("{} {:?}", v.field, v.form));
            let parent = spec.partition.as_ref().map(|p| format!(" of {}.{} as {}", p.stream, p.path, p.parameter));
            format!(
                "{} = {}{} [{}]: key {}, number {}, version {version}, {window}, {parameter}, {} a page, {}",
                spec.name,
                spec.endpoint,
                parent.unwrap_or_default(),
                stream.method.lists.join("|"),
                spec.key.join("+"),
                spec.number.as_deref().unwrap_or("-"),
                spec.page_size.max.unwrap(),
                spec.proof.name(),
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_table_of_streams() {
        insta::assert_snapshot!(format!("{}\n\nold:\n{}", table(Api::New), table(Api::Old)));
    }

    #[test]
    fn a_page_size_keeps_to_each_streams_limits() {
        let usual = |size| {
            let of = |name: &str| {
                let method = built_in().into_iter().find(|method| method.name == name).unwrap();
                method.streams(Api::New)[0].spec(Api::New, Some(size)).page_size.usual
            };
            ["orders", "skus", "suppliers"].map(of)
        };
        assert_eq!(usual(200), [100, 50, 200]);
        assert_eq!(usual(5), [5, 5, 5]);
    }
}
