//! The targets as data: the built-in table is `targets.toml`, and an account may declare more in the same form.

use milkrun_core::declared::{check_name, title_or_name};
use milkrun_core::stream::Title;
use milkrun_core::{Error, FieldSpec, Idempotency, Result, TargetSpec};
use schemars::JsonSchema;
use serde::Deserialize;

/// One upload method of Jushuitan, as a target.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The target's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// The vendor's path, such as `/open/jushuitan/orders/upload`.
    pub path: String,
    /// How documents are put into a call.
    pub form: Form,
    /// The most documents one call may carry; more than one only with `idempotency = "upsert"`.
    #[serde(default = "one")]
    pub batch: u32,
    /// The document's field by which the rows of the answer name it.
    pub id: String,
    /// The names of the row's field with the vendor's own number, the likeliest first.
    #[serde(default)]
    pub ids: Vec<String>,
    /// How the vendor keeps one document from arriving twice.
    #[serde(default)]
    pub idempotency: Promise,
    /// The fields that together are the document's key at the vendor; `id` if left out.
    pub key: Option<Vec<String>>,
    /// With `idempotency = "key"`: the most characters that `id` may have.
    pub key_max_chars: Option<u32>,
    /// With `idempotency = "none"`: whether another upload of a known document changes it. If that is not known, changed
    /// records are refused, because a second document might come of them.
    #[serde(default)]
    pub updates: bool,
    /// The most lines in `items` of one document.
    pub most_items: Option<u32>,
    /// What is asked of fields.
    #[serde(default)]
    pub fields: Vec<FieldSpec>,
    /// Known traps.
    #[serde(default)]
    pub notes: Vec<Title>,
}

/// How documents are put into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A list of them.
    Array,
    /// A list of them in the field `items`.
    Items,
    /// One document by itself.
    Object,
}

/// How the vendor keeps one document from arriving twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// Nothing is known: an outcome that stays unknown is never sent again.
    #[default]
    None,
    /// The same `key` again replaces the document.
    Upsert,
    /// Of documents with the same `id` the first counts; it is made where the document has none.
    Key,
}

fn one() -> u32 {
    1
}

/// The targets every account of the new API has, in the order of the documentation.
pub(crate) fn built_in() -> Vec<TargetConfig> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        targets: Vec<TargetConfig>,
    }
    let table: Table = toml::from_str(include_str!("targets.toml")).expect("a test reads this very text");
    table.targets
}

/// The same, as the engine knows them.
pub(crate) fn specs() -> Vec<TargetSpec> {
    built_in().iter().map(TargetConfig::spec).collect()
}

impl TargetConfig {
    /// The fields that together are the document's key at the vendor.
    pub(crate) fn key(&self) -> &[String] {
        self.key.as_deref().unwrap_or(std::slice::from_ref(&self.id))
    }

    /// What the engine needs to know.
    pub(crate) fn spec(&self) -> TargetSpec {
        let idempotency = match self.idempotency {
            Promise::None => Idempotency::None,
            Promise::Upsert => Idempotency::Upsert { field: self.key().join("+") },
            Promise::Key => Idempotency::Key {
                field: self.id.clone(),
                max_len: self.key_max_chars.unwrap_or_default(),
                remembered_for: None,
                look_up: false,
            },
        };
        TargetSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.path.clone(),
            idempotency,
            only_new: self.only_new(),
            batch: self.batch,
            fields: self.all_fields(),
            notes: self.notes.iter().cloned().chain(self.only_new().then(only_new)).collect(),
        }
    }

    /// Whether the vendor is not known to change documents.
    pub(crate) fn only_new(&self) -> bool {
        self.idempotency == Promise::None && !self.updates
    }

    /// The declared fields; the one that names the document has to be there, unless it is made.
    fn all_fields(&self) -> Vec<FieldSpec> {
        let mut fields = self.fields.clone();
        if self.idempotency != Promise::Key && !fields.iter().any(|field| field.path == self.id) {
            let title = Title::new("The document's number", "单号");
            fields.insert(0, FieldSpec::new(&self.id, milkrun_core::FieldKind::Text, title).required());
        }
        fields
    }

    /// Refuses what the vendor would refuse, or what could not be judged.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the target and the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: &str| Err(Error::config(message.to_owned()).with("target", &self.name));
        check_name(&self.name)?;
        let is_path = self.path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-'));
        if !is_path || !self.path.starts_with("/open/") || self.path.ends_with("query") {
            return wrong("`path` has to begin with `/open/`, and paths that end in `query` do not write");
        }
        if self.id.is_empty() || self.key().is_empty() || self.key().iter().any(String::is_empty) {
            return wrong("`id` and `key` have to name fields, and none may be empty");
        }
        if self.batch == 0 || (self.form == Form::Object && self.batch > 1) {
            return wrong("`batch` has to be at least 1, and `form = \"object\"` takes one document");
        }
        if self.batch > 1 && self.idempotency != Promise::Upsert {
            return wrong(
                "`batch` above 1 needs `idempotency = \"upsert\"`: of a refused call nobody knows which row it was",
            );
        }
        if self.idempotency == Promise::Key && self.key_max_chars.is_none_or(|most| most < 32) {
            return wrong(
                "`idempotency = \"key\"` needs `key_max_chars` of at least 32, the length of the keys that are made",
            );
        }
        if self.most_items == Some(0) {
            return wrong("`most_items` has to be at least 1");
        }
        Ok(())
    }
}

/// What follows where the vendor is not known to change documents.
fn only_new() -> Title {
    Title::new(
        "What the vendor does with a second upload is not known: a record that changes after its delivery is refused, to \
         be changed there by hand.",
        "重复上传的效果未知：已送达的记录若再变动则拒绝发送，需在对方系统中手工修改。",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_targets() {
        let line = |target: TargetConfig| {
            target.validate().unwrap();
            assert!(target.title.is_some(), "{}", target.name);
            let spec = target.spec();
            let fields: Vec<_> = spec
                .fields
                .iter()
                .map(|field| {
                    let required = if field.required { "!" } else { "" };
                    let values = field.one_of.join("|");
                    format!("{}{required} {:?} {values}", field.path, field.kind).trim_end().to_owned()
                })
                .collect();
            format!(
                "{} = {} {:?} of {}: named by {}, gives {}, {:?}; {}",
                spec.name,
                spec.endpoint,
                target.form,
                spec.batch,
                target.id,
                target.ids.join("|"),
                spec.idempotency,
                fields.join(", "),
            )
        };
        insta::assert_snapshot!(built_in().into_iter().map(line).collect::<Vec<_>>().join("\n"));
    }
}
