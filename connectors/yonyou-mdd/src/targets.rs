//! The targets as data: the built-in table is `targets.toml`, and an account may declare more in the same form.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use milkrun_core::declared::{check_name, title_or_name};
use milkrun_core::stream::Title;
use milkrun_core::{Error, FieldSpec, Idempotency, Result, TargetSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::body::{self, Object};
use crate::streams::check_path;

/// One save interface of Yonyou, as a target.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The target's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// The interface's path, from `/yonbip/` on.
    pub path: String,
    /// Where the documents lie in the body.
    #[serde(default)]
    pub body: BodyForm,
    /// The field that carries the idempotency key, for interfaces marked "MDD幂等": nearly always `resubmitCheckKey`.
    /// Left out where the interface is not marked so: then the key would be ignored.
    pub key: Option<String>,
    /// For interfaces without that mark: whether rows are matched by `sourceUnique`, and the own number is unique.
    #[serde(default)]
    pub unique: bool,
    /// Whether documents and lines carry `_status`.
    #[serde(default = "yes")]
    pub status: bool,
    /// The lists of lines: names, joined by `.` where a list lies in the lines of another one. `*` is every list of
    /// objects in the document.
    #[serde(default)]
    pub lines: Vec<String>,
    /// The field that tells one line of a document from another, such as `rowno`. Without it, an update replaces lines.
    pub line_key: Option<String>,
    /// The path that gives one document with its lines (`GET …?id=`). An update reads it first.
    pub detail: Option<String>,
    /// The path that lists such documents. A document is looked up there, and without `detail` an update reads it.
    pub list: Option<String>,
    /// Whether the interface can change documents that are there.
    #[serde(default = "yes")]
    pub updates: bool,
    /// Where documents hold a number of your own, by which they are looked up.
    #[serde(default = "usual_number")]
    pub number: String,
    /// The most documents one call may carry; more than 1 for lists only.
    #[serde(default = "one")]
    pub batch: u32,
    /// The codes that say success, as text.
    #[serde(default = "crate::client::usual_success")]
    pub success: Vec<String>,
    /// Further fields at the top of the body, such as `matchRule`.
    #[serde(default)]
    pub params: BTreeMap<String, serde_json::Value>,
    /// What is asked of fields.
    #[serde(default)]
    pub fields: Vec<FieldSpec>,
    /// Known traps.
    #[serde(default)]
    pub notes: Vec<Title>,
}

/// Where documents lie in the body of a save, and with them the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyForm {
    /// `{"data": {…}}`.
    #[default]
    Object,
    /// `{"data": [{…}, …]}`; the key is in each element.
    Array,
    /// The document is the body.
    Bare,
    /// The body is a list of documents; the key is in each element.
    BareArray,
}

impl BodyForm {
    /// Whether one call can carry several documents.
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::Array | Self::BareArray)
    }
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

fn usual_number() -> String {
    "code".to_owned()
}

/// How long keys are trusted: the vendor forgets them after "about one month", and the shortest has 28 days.
const REMEMBERED: Duration = Duration::from_hours(28 * 24);
/// The longest key.
pub(crate) const LONGEST_KEY: u32 = 32;

/// The targets every account has, in the order of the documentation.
pub(crate) fn built_in() -> Vec<TargetConfig> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        targets: Vec<TargetConfig>,
    }
    static TABLE: LazyLock<Vec<TargetConfig>> = LazyLock::new(|| {
        let table: Table = toml::from_str(include_str!("targets.toml")).expect("a test reads this very text");
        table.targets
    });
    TABLE.clone()
}

impl TargetConfig {
    /// What the engine needs to know.
    pub(crate) fn spec(&self) -> TargetSpec {
        let idempotency = match &self.key {
            Some(field) => Idempotency::Key {
                field: field.clone(),
                max_len: LONGEST_KEY,
                remembered_for: Some(REMEMBERED),
                look_up: self.list.is_some(),
            },
            None if self.unique => Idempotency::Unique { field: self.number.clone(), look_up: self.list.is_some() },
            None => Idempotency::None,
        };
        TargetSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.path.clone(),
            idempotency,
            only_new: !self.can_update(),
            batch: self.batch,
            fields: self.fields.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Whether documents that are there can be changed: the interface can, and what it wants to be told can be read.
    pub(crate) fn can_update(&self) -> bool {
        self.updates && self.status && (self.detail.is_some() || self.list.is_some())
    }

    /// Whether the vendor gives it fewer calls.
    pub(crate) fn is_finance(&self) -> bool {
        ["/yonbip/EFI/", "/yonbip/fi/"].iter().any(|prefix| self.path.starts_with(prefix))
    }

    /// The paths of the lists of lines that this document has.
    pub(crate) fn line_paths(&self, document: &Object) -> Vec<Vec<String>> {
        let split = |path: &String| path.split('.').map(str::to_owned).collect();
        let mut paths: Vec<Vec<String>> = self.lines.iter().filter(|path| *path != "*").map(split).collect();
        if self.lines.iter().any(|path| path == "*") {
            let is_lines = |json: &str| {
                body::elements(json).is_some_and(|lines| !lines.is_empty() && lines.iter().all(|l| l.starts_with('{')))
            };
            let lists = document.fields().filter(|(_, json)| is_lines(json)).map(|(name, _)| vec![name.to_owned()]);
            paths.extend(lists);
        }
        // Inner lists first: the outer ones are then complete.
        paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
        paths
    }

    /// Refuses what the vendor would refuse, or take and lose.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the target and the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: &str| Err(Error::config(message.to_owned()).with("target", &self.name));
        check_name(&self.name)?;
        for (setting, path) in
            [("path", Some(&self.path)), ("detail", self.detail.as_ref()), ("list", self.list.as_ref())]
        {
            if let Some(path) = path {
                check_path(setting, path).map_err(|error| error.with("target", &self.name))?;
            }
        }
        if self.batch == 0 || (self.batch > 1 && !self.body.is_list()) {
            return wrong("`batch` has to be at least 1, and 1 unless `body` is a list");
        }
        if self.key.as_ref().is_some_and(String::is_empty) {
            return wrong("`key` is empty; leave it out if the interface is not marked \"MDD幂等\"");
        }
        if self.lines.iter().any(|path| path.split('.').any(str::is_empty)) {
            return wrong("`lines` has an empty name");
        }
        if self.success.is_empty() || self.success.iter().any(String::is_empty) {
            return wrong("`success` has to name at least one code, and none may be empty");
        }
        if self.unique && (self.key.is_some() || self.list.is_none()) {
            return wrong("`unique` goes with `list`, and not with `key`");
        }
        if self.number.is_empty() {
            return wrong("`number` is empty");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_targets() {
        let lines = built_in().into_iter().map(|target| {
            target.validate().unwrap();
            assert!(target.title.is_some(), "{}", target.name);
            let spec = target.spec();
            let promise = match &spec.idempotency {
                Idempotency::Key { field, .. } => format!("key {field}"),
                Idempotency::Unique { field, .. } => format!("unique {field}"),
                other => format!("{other:?}"),
            };
            format!(
                "{} = {} {:?} x{}: {promise}, lines {}, {}, {} fields",
                spec.name,
                spec.endpoint,
                target.body,
                spec.batch,
                target.lines.join(" "),
                if target.can_update() { "updates" } else { "inserts only" },
                spec.fields.len(),
            )
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }
}
