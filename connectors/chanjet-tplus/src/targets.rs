//! The targets as data: the built-in table is `targets.toml`, and an account may declare more in the same form.

use milkrun_core::declared::{check_name, title_or_name};
use milkrun_core::stream::Title;
use milkrun_core::{Error, FieldSpec, Idempotency, Result, TargetSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::streams::{READS, Style, is_endpoint};

/// The field that the server checks for uniqueness.
pub(crate) const EXTERNAL_CODE: &str = "ExternalCode";

/// One create interface of T+, as a target.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The target's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// Entity and action, such as `saleDelivery/Create`. Only `Create` is taken: one call, one document.
    pub endpoint: String,
    /// The field that wraps a document.
    #[serde(default = "usual_wrapper")]
    pub wrapper: String,
    /// How a document is found by its `ExternalCode`. Without it, a document whose outcome is unknown is sent again
    /// under the same code, and the server's refusal of a second one counts as delivered.
    pub look_up: Option<LookUp>,
    /// What is asked of fields; a document that falls short is refused before it is sent.
    #[serde(default)]
    pub fields: Vec<FieldSpec>,
    /// Known traps.
    #[serde(default)]
    pub notes: Vec<Title>,
}

/// How a document is found by its `ExternalCode`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUp {
    /// Entity and action, such as `saleOrder/QueryPage`.
    pub endpoint: String,
    /// How it is asked.
    #[serde(default)]
    pub style: Style,
    /// The condition that carries the code.
    #[serde(default = "external_code")]
    pub condition: String,
    /// The field of a row that holds the code; rows of another code are not taken.
    #[serde(default = "external_code")]
    pub code: String,
    /// The field of a row that holds the document's id.
    #[serde(default = "id")]
    pub id: String,
}

fn usual_wrapper() -> String {
    "dto".to_owned()
}

fn external_code() -> String {
    EXTERNAL_CODE.to_owned()
}

fn id() -> String {
    "ID".to_owned()
}

/// The targets every account has, in the order of the documentation.
pub(crate) fn built_in() -> Vec<TargetConfig> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        targets: Vec<TargetConfig>,
    }
    let table: Table = toml::from_str(include_str!("targets.toml")).expect("a test reads this very text");
    table.targets
}

impl TargetConfig {
    /// What the engine needs to know.
    pub(crate) fn spec(&self) -> TargetSpec {
        TargetSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.endpoint.clone(),
            idempotency: Idempotency::Unique { field: EXTERNAL_CODE.to_owned(), look_up: self.look_up.is_some() },
            only_new: true,
            batch: 1,
            fields: self.fields.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Refuses what the vendor would refuse or misunderstand.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the target and the setting.
    pub(crate) fn validate(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::config(message).with("target", &self.name));
        check_name(&self.name)?;
        if !is_endpoint(&self.endpoint, &["Create"]) || !self.endpoint.ends_with("/Create") {
            return wrong(format!("`endpoint` is `{}`; it has to be an entity and `/Create`", self.endpoint));
        }
        if let Some(look_up) = &self.look_up {
            if !is_endpoint(&look_up.endpoint, &READS) {
                return wrong(format!("`look_up.endpoint` is `{}`; it has to be a reading action", look_up.endpoint));
            }
            if [&look_up.condition, &look_up.code, &look_up.id].into_iter().any(String::is_empty) {
                return wrong("the names in `look_up` may not be empty".to_owned());
            }
        }
        if self.wrapper.is_empty() || self.fields.iter().any(|field| field.path.is_empty()) {
            return wrong("`wrapper` and the paths of `fields` may not be empty".to_owned());
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
            let fields = spec.fields.iter().map(|field| format!("\n  {} {:?}", field.path, field.kind));
            let look_up = target.look_up.as_ref().map_or("cannot be looked up".to_owned(), |look_up| {
                format!("looked up by {} {:?} {}", look_up.endpoint, look_up.style, look_up.condition)
            });
            format!("{} = {}, {look_up}{}", spec.name, spec.endpoint, fields.collect::<String>())
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }
}
