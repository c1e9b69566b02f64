//! The streams as data: the built-in table is `streams.toml`, and an account may declare more in the same form.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use milkrun_core::declared::{Late, Plan, check_name, hours, title_or_name};
use milkrun_core::page::End;
use milkrun_core::stream::{PageSize, Stamp, TimeForm, Title};
use milkrun_core::{Error, Paging, Result, StreamSpec, WindowSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// One list interface of Yonyou, as a stream.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The stream's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// The interface's path, from `/yonbip/` on; those that save or delete are refused.
    pub path: String,
    /// How the interface is asked.
    #[serde(default)]
    pub form: Form,
    /// For `query-by-page`: the fields that are wanted, joined by commas.
    pub data: Option<String>,
    /// What is sent as `isSum`: true for one row per document, false for one row per line. Left out, it is not sent.
    pub is_sum: Option<bool>,
    /// How rows that are lines become documents; `isSum` is then false.
    pub lines: Option<LinesConfig>,
    /// The paths of the primary key's parts.
    #[serde(default = "usual_key")]
    pub key: Vec<String>,
    /// The path of the number people know the record by.
    pub number: Option<String>,
    /// The field with the time of the last change; empty if there is none.
    #[serde(default = "usual_version")]
    pub version: String,
    /// How a span of time is asked for; without it the stream is read whole.
    pub window: Option<WindowConfig>,
    /// Further conditions, sent with every call.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Further fields at the top of the body.
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
    /// The list of records in `data`.
    #[serde(default = "usual_list")]
    pub list: String,
    /// How many records a page may have.
    #[serde(default = "usual_page")]
    pub page_size: PageSize,
    /// How a reading is proved complete.
    #[serde(default)]
    pub proof: Plan,
    /// The codes that say success, as text.
    #[serde(default = "crate::client::usual_success")]
    pub success: Vec<String>,
    /// Known traps.
    #[serde(default)]
    pub notes: Vec<Title>,
}

/// How a list is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `pageIndex`, `pageSize`, `simpleVOs` and `queryOrders` at the top of the body.
    #[default]
    List,
    /// `data`, `page`, `condition.simpleVOs`, `queryOrders` and `partParam`.
    QueryByPage,
    /// Everything in one answer, as a list in `data`.
    Bare,
}

/// How rows that are lines become documents: one for each header, with its lines in a list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinesConfig {
    /// The field of the document that holds its lines, such as `purchaseOrders`.
    pub list: String,
    /// What the vendor puts before names of the line that the header has too, such as `purchaseOrders_`; the line's id is
    /// this and `id`. In the line it is left out.
    pub prefix: String,
    /// The fields that belong to the header. All others stay in the line, so that nothing is lost.
    pub header: Vec<String>,
}

/// One condition of `simpleVOs`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The field.
    pub field: String,
    /// The comparison; a wrong one is answered with the code 999.
    pub op: Op,
    /// The value, or the first of two.
    pub value1: Option<Value>,
    /// The second value, for `between`.
    pub value2: Option<Value>,
}

/// A comparison that the vendor knows for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Less than.
    Lt,
    /// Greater than.
    Gt,
    /// Equal or greater.
    Egt,
    /// Between two values.
    Between,
    /// One of a list.
    In,
    /// None of a list.
    Nin,
    /// Contains.
    Like,
    /// Ends with.
    Leftlike,
    /// Begins with.
    Rightlike,
    /// Has no value.
    IsNull,
    /// Has a value.
    IsNotNull,
}

impl Op {
    /// The comparison as the vendor writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Neq => "neq",
            Self::Lt => "lt",
            Self::Gt => "gt",
            Self::Egt => "egt",
            Self::Between => "between",
            Self::In => "in",
            Self::Nin => "nin",
            Self::Like => "like",
            Self::Leftlike => "leftlike",
            Self::Rightlike => "rightlike",
            Self::IsNull => "is_null",
            Self::IsNotNull => "is_not_null",
        }
    }
}

/// How a stream is asked for a span of time, in Beijing time, to the second.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// The field that windows are over: `pubts` changes with every save.
    #[serde(default = "usual_version")]
    pub axis: String,
    /// For lists with short filters: the parameter for the lower end, such as `open_vouchdate_begin`. Left out, the
    /// conditions `egt` and `lt` on the axis are sent.
    pub start: Option<String>,
    /// For lists with short filters: the parameter for the upper end.
    pub end: Option<String>,
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

fn usual_key() -> Vec<String> {
    vec!["id".to_owned()]
}

fn usual_version() -> String {
    "pubts".to_owned()
}

fn usual_list() -> String {
    "recordList".to_owned()
}

fn usual_page() -> PageSize {
    PageSize { min: 1, usual: 100, max: Some(500) }
}

fn usual_settle() -> u32 {
    60
}

fn usual_lookback() -> u32 {
    600
}

/// The streams every account has, in the order of the documentation.
pub(crate) fn built_in() -> Vec<StreamConfig> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        streams: Vec<StreamConfig>,
    }
    static TABLE: LazyLock<Vec<StreamConfig>> = LazyLock::new(|| {
        let table: Table = toml::from_str(include_str!("streams.toml")).expect("a test reads this very text");
        table.streams
    });
    TABLE.clone()
}

/// Fields of the body that are set for every call.
const RESERVED: [&str; 10] = [
    "pageIndex",
    "pageSize",
    "isSum",
    "simpleVOs",
    "queryOrders",
    "data",
    "page",
    "condition",
    "partParam",
    "access_token",
];

/// Refuses what is no path of the gateway.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
pub(crate) fn check_path(setting: &str, path: &str) -> Result<()> {
    let good = path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && !b"?#@\\".contains(&b));
    if good {
        return Ok(());
    }
    Err(Error::config(format!("`{setting}` has to be a path of the gateway, from `/yonbip/` on")).with("path", path))
}

impl StreamConfig {
    /// What the engine needs to know; `page_size` replaces the usual one as far as the limits allow.
    pub(crate) fn spec(&self, page_size: Option<u32>) -> StreamSpec {
        let window = self.window.as_ref().map(WindowConfig::spec);
        let stamp = |field: String| Stamp { field, form: TimeForm::DateTime, none: None };
        StreamSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.path.clone(),
            key: self.key.clone(),
            number: self.number.clone(),
            version: Some(self.version.clone()).filter(|field| !field.is_empty()).map(stamp),
            proof: self.proof.proof(window.as_ref()),
            window,
            paging: match self.form {
                Form::Bare => Paging::None,
                // The source works out whether more follows, from whatever the answer says of it.
                _ => Paging::PageNumber { parameter: "pageIndex".to_owned(), first: 1, end: End::HasNext },
            },
            page_size: page_size.map_or(self.page_size, |size| self.page_size.with_usual(size)),
            partition: None,
            list_may_be_missing: false,
            units: Vec::new(),
            notes: self.notes.clone(),
        }
    }

    /// Refuses what the vendor would refuse, misunderstand or ignore.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the stream and the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: &str| Err(Error::config(message.to_owned()).with("stream", &self.name));
        check_name(&self.name)?;
        check_path("path", &self.path).map_err(|error| error.with("stream", &self.name))?;
        let last = self.path.to_lowercase();
        let last = last.rsplit('/').find(|part| !part.is_empty() && *part != "v1").unwrap_or_default();
        // A write sent by a reading would be repeated on errors.
        if ["save", "delete", "submit", "audit", "insert", "add", "update"].iter().any(|word| last.contains(word)) {
            return wrong("`path` writes, and a stream only reads");
        }
        if self.key.is_empty() || self.key.iter().any(String::is_empty) {
            return wrong("`key` has to name at least one field, and none may be empty");
        }
        if self.success.is_empty() || self.success.iter().any(String::is_empty) {
            return wrong("`success` has to name at least one code, and none may be empty");
        }
        if let Some(name) = self.params.keys().find(|name| name.is_empty() || RESERVED.contains(&name.as_str())) {
            return wrong(&format!("`params.{name}` is set for every call and cannot be set here"));
        }
        if !self.page_size.is_sound() {
            return wrong("`page_size` has to keep 1 ≤ min ≤ usual ≤ max");
        }
        if self.proof == Plan::Backwards && (self.window.is_none() || self.lines.is_some()) {
            return wrong(
                "`proof = \"backwards\"` needs `window`, and no `lines`: the vendor's total counts lines then",
            );
        }
        if let Some(lines) = &self.lines {
            if self.is_sum == Some(true) {
                return wrong("`lines` needs rows per line, and `is_sum = true` gives one per document");
            }
            if self.key.len() != 1 || self.form != Form::List {
                return wrong("`lines` needs the usual form, and a key of one field");
            }
            let has = |name: &String| lines.header.contains(name);
            if lines.list.is_empty() || lines.prefix.is_empty() || !has(&self.key[0]) {
                return wrong("`lines` needs a list, a prefix, and the key among its header fields");
            }
            if !self.version.is_empty() && !has(&self.version) {
                return wrong("`lines.header` needs the version field");
            }
        }
        if self.form == Form::QueryByPage && self.data.as_ref().is_none_or(String::is_empty) {
            return wrong("`form = \"query-by-page\"` needs `data`, the wanted fields");
        }
        if self.form == Form::Bare && (self.window.is_some() || !self.conditions.is_empty()) {
            return wrong("`form = \"bare\"` takes no `window` and no `conditions`; use `params`");
        }
        if let Some(window) = &self.window {
            if window.start.is_some() != window.end.is_some() {
                return wrong("`window.start` and `window.end` go together");
            }
            if window.longest_hours == 0 || !window.late.iter().all(Late::is_sound) {
                return wrong("`longest_hours`, `every_hours` and `reach_hours` have to be at least 1");
            }
        }
        Ok(())
    }
}

impl WindowConfig {
    fn spec(&self) -> WindowSpec {
        WindowSpec {
            // `lt` leaves the end out; of the short filters nobody says it, and a record more is read twice at most.
            until_inclusive: self.start.is_some(),
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
    fn the_table_of_streams() {
        let lines = built_in().into_iter().map(|stream| {
            stream.validate().unwrap();
            assert!(stream.title.is_some(), "{}", stream.name);
            let spec = stream.spec(None);
            let window = spec.window.as_ref().map_or("whole".to_owned(), |window| {
                format!("{} {}h settle {}s", window.axis, window.longest.as_secs() / 3600, window.settle.as_secs())
            });
            let rows = match (&stream.lines, stream.is_sum) {
                (Some(lines), _) => format!("lines into {}", lines.list),
                (None, Some(true)) => "one row per document".to_owned(),
                _ => "rows".to_owned(),
            };
            let (key, size) = (spec.key.join("+"), spec.page_size);
            let max = size.max.map_or("?".to_owned(), |max| max.to_string());
            let paging =
                if spec.paging == Paging::None { "one answer".to_owned() } else { format!("{}..{max}", size.usual) };
            format!("{} = {}: key {key}, {rows}, {window}, {paging}, {}", spec.name, spec.endpoint, spec.proof.name())
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }
}
