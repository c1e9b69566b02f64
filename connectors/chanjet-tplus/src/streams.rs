//! The streams as data: the built-in table is `streams.toml`, and an account may declare more in the same form.

use std::collections::BTreeMap;
use std::time::Duration;

use milkrun_core::declared::{Late, Plan, UnitPaths, check_name, check_partition, hours, title_or_name};
use milkrun_core::page::End;
use milkrun_core::stream::{PageSize, Partition, TimeForm, Title};
use milkrun_core::{Error, Paging, Result, StreamSpec, WindowSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::filter::FilterValue;

/// The most records the vendor gives on a page.
pub(crate) const LARGEST_PAGE: u32 = 1000;

/// One read interface of T+, as a stream.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The stream's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// Entity and action, such as `inventory/Query`, in the case in which the vendor prints it. Only actions that begin
    /// with `Query`, `Find` or `Get` are taken, because others write.
    pub endpoint: String,
    /// How it is asked, and what it answers.
    #[serde(default)]
    pub style: Style,
    /// The field that wraps a query, `param` unless the vendor says otherwise (`dto`, `queryParam`); a voucher list has
    /// none.
    pub wrapper: Option<String>,
    /// The fields to ask for, with dots for those of other archives (`Unit.Code`); left out, the vendor chooses. A
    /// voucher list needs them: they are its columns.
    #[serde(default)]
    pub select: Vec<String>,
    /// The paths of the primary key's parts.
    pub key: Vec<String>,
    /// A field to be made of several others, where the vendor gives no key.
    pub make_key: Option<MakeKey>,
    /// The path of the number people know the record by.
    pub number: Option<String>,
    /// How a span of time is asked for; without it the stream is read whole.
    pub window: Option<WindowConfig>,
    /// How many records a page may have, 1000 at most.
    pub page_size: Option<PageSize>,
    /// Whether answers name the number of all records, as those of `QueryPage` and `currentStock/Query` do: then the
    /// last page is known by it, elsewhere an empty page ends the list. Voucher lists name their pages by themselves.
    #[serde(default)]
    pub total: bool,
    /// How a reading is proved complete.
    #[serde(default)]
    pub proof: Plan,
    /// Conditions, sent with every call.
    #[serde(default)]
    pub filter: BTreeMap<String, FilterValue>,
    /// The second call that gives a whole document.
    pub detail: Option<Detail>,
    /// The stream whose records each give one slice of this one. A `parameter` such as `Warehouse[].Code` puts the
    /// value into an object inside a list.
    pub partition: Option<Partition>,
    /// Units that a mapping must know.
    #[serde(default)]
    pub units: UnitPaths,
    /// Known traps.
    #[serde(default)]
    pub notes: Vec<Title>,
}

/// How a read interface is asked, and what it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// `{"param":{…}}`, answered by a list of objects: `Query`, `QueryPage` and their relatives.
    #[default]
    Query,
    /// `{"selectFields":[…],"paramDic":{…}}`, answered by columns and rows by position: `FindVoucherList`. The rows
    /// become objects with the names of the columns, which hold dots.
    VoucherList,
}

/// A field that is made of several others, so that it can be a key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeKey {
    /// The name of the new field.
    pub field: String,
    /// The paths of its parts; a part that is missing, null or empty is an empty one, and one part has to be there.
    pub parts: Vec<String>,
}

/// The second call that gives a whole document; its answer becomes the record's field `detail`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// Entity and action, such as `SaleDeliveryOpenApi/GetVoucherDTO`.
    pub endpoint: String,
    /// The path of the document's id in the row.
    pub from: String,
    /// The parameter that carries it.
    #[serde(default = "usual_parameter")]
    pub parameter: String,
}

/// How a stream is asked for a span of time, in Beijing time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// What the vendor calls the time that windows are over.
    pub axis: String,
    /// The parameter for the lower end, such as `UpdateDateBegin`.
    pub start: String,
    /// The parameter for the upper end, such as `UpdateDateEnd`.
    pub end: String,
    /// How times are sent.
    #[serde(default)]
    pub form: Form,
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
    /// `2026-08-01`.
    Date,
}

fn usual_parameter() -> String {
    "voucherID".to_owned()
}

fn usual_settle() -> u32 {
    60
}

fn usual_lookback() -> u32 {
    3_600
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

/// Parameters that are set by other settings.
const RESERVED: [&str; 6] = ["PageIndex", "PageSize", "SelectFields", "pageIndex", "pageSize", "selectFields"];

/// Whether an endpoint is an entity and an action with one of these beginnings.
pub(crate) fn is_endpoint(endpoint: &str, beginnings: &[&str]) -> bool {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let parts = endpoint.split_once('/');
    parts.is_some_and(|(entity, action)| {
        word(entity) && word(action) && beginnings.iter().any(|beginning| action.starts_with(beginning))
    })
}

/// How actions begin that only read.
pub(crate) const READS: [&str; 3] = ["Query", "Find", "Get"];

impl StreamConfig {
    /// What the engine needs to know; `page_size` replaces the usual one as far as the vendor's limits allow.
    pub(crate) fn spec(&self, page_size: Option<u32>) -> StreamSpec {
        let limits = self.limits();
        let window = self.window.as_ref().map(WindowConfig::spec);
        let parameter = if self.style == Style::Query { "PageIndex" } else { "pageIndex" };
        // An empty page is surer than a short one. Where a page should say more and does not, it is that page too.
        let says_more = self.total || self.style == Style::VoucherList;
        let end = if says_more { End::HasNext } else { End::EmptyPage };
        StreamSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.endpoint.clone(),
            key: self.key.clone(),
            number: self.number.clone(),
            // `Ts` comes in several forms whose order among each other is not known: what changed is told by content.
            version: None,
            proof: self.proof.proof(window.as_ref()),
            window,
            paging: Paging::PageNumber { parameter: parameter.to_owned(), first: 1, end },
            page_size: page_size.map_or(limits, |size| limits.with_usual(size)),
            partition: self.partition.clone(),
            list_may_be_missing: false,
            units: self.units.units(),
            notes: self.notes.clone(),
        }
    }

    /// How many records a page may have.
    pub(crate) fn limits(&self) -> PageSize {
        self.page_size.unwrap_or(PageSize { min: 1, usual: 500, max: Some(LARGEST_PAGE) })
    }

    /// Refuses what the vendor would refuse, misunderstand or ignore; `known` are the streams of the account.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the stream and the setting.
    pub(crate) fn validate(&self, known: &[&str]) -> Result<()> {
        let wrong = |message: String| Err(Error::config(message).with("stream", &self.name));
        check_name(&self.name)?;
        for endpoint in [Some(&self.endpoint), self.detail.as_ref().map(|d| &d.endpoint)].into_iter().flatten() {
            if !is_endpoint(endpoint, &READS) {
                return wrong(format!("`endpoint` is `{endpoint}`; it has to be an entity and a reading action"));
            }
        }
        let parts = self.make_key.as_ref().map(|made| ("make_key.parts", &made.parts));
        for (setting, names) in [("key", &self.key)].into_iter().chain(parts) {
            if names.is_empty() || names.iter().any(String::is_empty) {
                return wrong(format!("`{setting}` has to name at least one field, and none may be empty"));
            }
        }
        if self.style == Style::VoucherList && (self.select.is_empty() || self.wrapper.is_some()) {
            return wrong("a voucher list needs `select`, its columns, and has no `wrapper`".to_owned());
        }
        let made = self.make_key.as_ref();
        let needed = self.key.iter().chain(&self.number).chain(self.detail.as_ref().map(|detail| &detail.from));
        let is_made = |path: &String| made.is_some_and(|made| made.field == *path);
        let needed = needed.filter(|path| !is_made(path)).chain(made.iter().flat_map(|made| &made.parts));
        let mut missing = needed.filter(|path| !self.select.is_empty() && !self.select.contains(path));
        if let Some(path) = missing.next() {
            return wrong(format!("`select` lacks `{path}`, which the stream needs"));
        }
        let limits = self.limits();
        if !limits.is_sound() || limits.max.unwrap_or(limits.usual) > LARGEST_PAGE {
            return wrong("`page_size` has to keep 1 ≤ min ≤ usual ≤ max ≤ 1000".to_owned());
        }
        let says_total = self.total || self.style == Style::VoucherList;
        if self.proof == Plan::Backwards && !(self.window.is_some() && says_total) {
            return wrong("`proof = \"backwards\"` needs `window` and answers with a total".to_owned());
        }
        if let Some(window) = &self.window {
            if window.longest_hours == 0 || (window.form == Form::Date && window.longest_hours < 24) {
                return wrong("`window.longest_hours` has to be at least 1, and 24 for dates".to_owned());
            }
            if window.late.iter().any(|late| !late.is_sound() || late.axis != window.axis) {
                return wrong("a late pass has to be over the window's axis, with hours of at least 1".to_owned());
            }
        }
        if let Some(partition) = &self.partition {
            check_partition(partition, &self.name, known)?;
        }
        self.validate_parameters().or_else(wrong)
    }

    /// The names of all parameters: none empty, none twice, none that another setting sets.
    fn validate_parameters(&self) -> Result<(), String> {
        let mut names: Vec<&str> = self.filter.keys().map(String::as_str).collect();
        let parent = self.partition.as_ref().map(|parent| parent.parameter.as_str());
        names.extend(parent.map(|name| name.split_once("[].").map_or(name, |(name, _)| name)));
        names.extend(self.window.iter().flat_map(|window| [window.start.as_str(), &window.end]));
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0])) {
            return Err(format!("the parameter `{twice}` is set twice"));
        }
        match names.iter().find(|name| name.is_empty() || RESERVED.contains(name)) {
            Some(&"") => Err("a parameter has an empty name".to_owned()),
            Some(name) => Err(format!("the parameter `{name}` is set by another setting")),
            None => Ok(()),
        }
    }
}

impl WindowConfig {
    fn spec(&self) -> WindowSpec {
        let (form, granularity) = match self.form {
            Form::DateTime => (TimeForm::DateTime, Duration::from_secs(1)),
            Form::Date => (TimeForm::Date, hours(24)),
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
        let lines = built_in().into_iter().map(|stream| {
            let spec = stream.spec(None);
            let window = spec.window.as_ref().map_or("whole".to_owned(), |window| {
                let hours = |d: Duration| d.as_secs() / 3600;
                format!("{} {:?} {}h", window.axis, window.form, hours(window.longest))
            });
            let parent = spec.partition.as_ref().map(|p| format!(" of {}.{} as {}", p.stream, p.path, p.parameter));
            let detail = stream.detail.as_ref().map(|detail| format!(" + {}", detail.endpoint));
            format!(
                "{} = {:?} {}{}{}: key {}, {window}, {}..{} {:?}, {}, {} fields",
                spec.name,
                stream.style,
                spec.endpoint,
                detail.unwrap_or_default(),
                parent.unwrap_or_default(),
                spec.key.join("+"),
                spec.page_size.usual,
                spec.page_size.max.unwrap(),
                if let Paging::PageNumber { end, .. } = spec.paging { Some(end) } else { None },
                spec.proof.name(),
                stream.select.len(),
            )
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }
}
