//! Targets as data: how a document is sent, what keeps it from arriving twice, and where its id stands afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use milkrun_core::declared::{check_name, title_or_name};
use milkrun_core::stream::Title;
use milkrun_core::{Error, FieldSpec, Idempotency, Result, TargetSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::endpoint::{Endpoint, Method, Send, quota};
use crate::json::{Fixed, Plain};
use crate::place::check_header;
use crate::rules::{AnswerConfig, Codes, is_path};

/// One kind of document that can be sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The target's name: lower case, words joined by `-`.
    pub name: String,
    /// What it is, in English and in Chinese; the name if left out.
    pub title: Option<Title>,
    /// The path below `base_url`; a field's path in braces is filled in from the document: `/clients/{id}`.
    pub path: String,
    /// The verb.
    #[serde(default)]
    pub verb: Method,
    /// Where a document's fields go: into a JSON body for `post` and `put`, into the address for `get` and `delete`,
    /// unless set. Only JSON carries lists, objects and batches.
    pub send: Option<Send>,
    /// Fixed parameters of the address.
    #[serde(default)]
    pub query: BTreeMap<String, Plain>,
    /// Fixed values around the documents, each under its path; needs `wrap`.
    #[serde(default)]
    pub body: BTreeMap<String, Fixed>,
    /// Fixed headers, beside the account's.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The path in the body that the documents stand under; without it, the document or the list is the body.
    pub wrap: Option<String>,
    /// The most documents one call may carry.
    #[serde(default = "one")]
    pub batch: u32,
    /// Whether a single document is sent as a list too; always so where `batch` is more than 1.
    #[serde(default)]
    pub as_list: bool,
    /// What keeps one document from arriving twice.
    #[serde(default)]
    pub idempotency: IdempotencyConfig,
    /// How a changed document is sent to the one that the target has; without it, a document whose id is known is sent
    /// again only where that replaces the first one (`upsert`), and is refused otherwise.
    pub update: Option<UpdateConfig>,
    /// The path of the target's own id in a good answer; in the results of a batch, see `rows`.
    pub remote_id: Option<String>,
    /// Where an answer says what became of each document.
    pub rows: Option<RowsConfig>,
    /// What is asked of fields; a document that falls short is refused before it is sent.
    #[serde(default)]
    pub fields: Vec<FieldSpec>,
    /// What is different about this target's answers.
    #[serde(default)]
    pub answer: AnswerConfig,
    /// Limits of this path alone, such as `["60/1m", "5/1s"]`, beside the account's.
    #[serde(default)]
    pub quota: Vec<String>,
    /// Known traps, in English and in Chinese.
    #[serde(default)]
    pub notes: Vec<Title>,
}

/// What keeps one document from arriving twice.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdempotencyConfig {
    /// How.
    #[serde(default)]
    pub kind: IdempotencyKind,
    /// For `key`: the header that carries the key. Needs `batch = 1`.
    pub header: Option<String>,
    /// For `key`: the document's field that carries the key. For `unique` and `upsert`: the field that is the key.
    pub field: Option<String>,
    /// For `key`: its greatest length, from 32; 64 if left out.
    pub max_len: Option<u32>,
    /// For `key`: how long the target remembers it; for ever if left out. What may have arrived and is older becomes a
    /// dead letter.
    pub remembered_for_hours: Option<u32>,
    /// For `unique`: how the document with that field is looked for.
    pub look_up: Option<LookUpConfig>,
}

/// How a target keeps one document from arriving twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdempotencyKind {
    /// Not at all: what may or may not have arrived is never sent again by itself, and is reported.
    #[default]
    None,
    /// The same key again gives the first result. The key is 32 hexadecimal digits, the same on every attempt.
    Key,
    /// A second document with the same field is refused, and the first one can be looked up.
    Unique,
    /// The same field again replaces the document.
    Upsert,
}

/// How a document is looked for by its unique field.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUpConfig {
    /// The path below `base_url`; the unique field's value is filled in for `{value}`.
    pub path: String,
    /// The verb.
    #[serde(default = "get")]
    pub verb: Method,
    /// Where the parameter goes, unless as usual for the verb.
    pub send: Option<Send>,
    /// The parameter that carries the unique field's value, unless the path does.
    pub parameter: Option<String>,
    /// Fixed parameters of the address.
    #[serde(default)]
    pub query: BTreeMap<String, Plain>,
    /// Fixed values of the body, each under its path.
    #[serde(default)]
    pub body: BTreeMap<String, Fixed>,
    /// The field of what is found that has to have the value; the unique field itself if left out.
    pub field: Option<String>,
    /// The path of the id in what is found.
    pub remote_id: Option<String>,
    /// What is different about the answer. `answer.list` is needed.
    #[serde(default)]
    pub answer: AnswerConfig,
}

/// How a changed document is sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateConfig {
    /// The path below `base_url`; `{remote_id}` is the target's own id.
    pub path: String,
    /// The verb.
    #[serde(default = "put")]
    pub verb: Method,
    /// The document's field that carries the target's own id, if one does.
    pub id_field: Option<String>,
}

/// Where an answer says what became of each document, in the order they were sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowsConfig {
    /// The path of the list of results.
    pub list: String,
    /// The path in a result of the value that says whether it went well; without it, every result is a good one.
    pub success: Option<String>,
    /// The values there that mean that it went well.
    #[serde(default)]
    pub success_values: Vec<Plain>,
    /// The path of the id in a result.
    pub remote_id: Option<String>,
    /// The path of the code in a result; `success` if left out.
    pub code: Option<String>,
    /// The path of the message in a result.
    pub message: Option<String>,
    /// What the codes of results mean; those in no list mean that the document is refused.
    #[serde(default)]
    pub codes: Codes,
}

fn one() -> u32 {
    1
}

fn get() -> Method {
    Method::Get
}

fn put() -> Method {
    Method::Put
}

impl TargetConfig {
    /// The address with its fixed parts.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint {
            query: self.query.clone(),
            body: self.body.clone(),
            headers: self.headers.clone(),
            ..Endpoint::new(self.verb, &self.path, self.send)
        }
    }

    /// The address that changed documents go to, if it is another one.
    pub(crate) fn update_endpoint(&self) -> Option<Endpoint> {
        let update = self.update.as_ref()?;
        let send = self.send.filter(|_| update.verb == self.verb);
        let base = Endpoint::new(update.verb, &update.path, send);
        Some(Endpoint { query: self.query.clone(), body: self.body.clone(), headers: self.headers.clone(), ..base })
    }

    /// Whether documents are sent as a list.
    pub(crate) fn is_list(&self) -> bool {
        self.as_list || self.batch > 1
    }

    /// What the engine needs to know.
    pub(crate) fn spec(&self) -> TargetSpec {
        let rule = &self.idempotency;
        let field = rule.field.clone().unwrap_or_default();
        let idempotency = match rule.kind {
            IdempotencyKind::None => Idempotency::None,
            IdempotencyKind::Key => Idempotency::Key {
                field: rule.header.clone().unwrap_or(field),
                max_len: rule.max_len.unwrap_or(64),
                remembered_for: rule.remembered_for_hours.map(|hours| Duration::from_secs(u64::from(hours) * 3600)),
                look_up: false,
            },
            IdempotencyKind::Unique => Idempotency::Unique { field, look_up: true },
            IdempotencyKind::Upsert => Idempotency::Upsert { field },
        };
        TargetSpec {
            name: self.name.clone(),
            title: title_or_name(self.title.as_ref(), &self.name),
            endpoint: self.endpoint().name(),
            idempotency,
            only_new: self.update.is_none() && rule.kind != IdempotencyKind::Upsert,
            batch: self.batch,
            fields: self.fields.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Refuses what cannot be meant; `base` are the account's rules for answers.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the target and the setting.
    pub(crate) fn validate(&self, base: &AnswerConfig) -> Result<()> {
        self.check(base).map_err(|error| error.with("target", &self.name))
    }

    fn check(&self, base: &AnswerConfig) -> Result<()> {
        let wrong = |message: &str| Err(Error::config(message.to_owned()));
        check_name(&self.name)?;
        let endpoint = self.endpoint();
        endpoint.validate("", false)?;
        self.answer.over(base).validate("answer")?;
        quota("", &self.quota)?;
        if self.batch == 0 {
            return wrong("`batch` has to be at least 1");
        }
        let is_json = endpoint.send == Send::Json;
        if !is_json && (self.is_list() || self.wrap.is_some()) {
            return wrong("`batch`, `as_list` and `wrap` need `send = \"json\"`");
        }
        if self.batch > 1 && !endpoint.placeholders().is_empty() {
            return wrong("`path` names fields of the document, so that `batch` has to be 1");
        }
        if self.wrap.as_ref().is_some_and(|path| !is_path(path)) || (!self.body.is_empty() && self.wrap.is_none()) {
            return wrong("`wrap` has to say where the documents stand beside the values of `body`");
        }
        if self.fields.iter().any(|field| field.path.is_empty()) {
            return wrong("`fields` has an entry without a `path`");
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.fields.iter().find(|field| !seen.insert(&field.path)) {
            return Err(Error::config("`fields` names a field twice").with("field", &twice.path));
        }
        if self.remote_id.as_ref().is_some_and(|path| !is_path(path)) {
            return wrong("`remote_id` has to be names joined by `.`");
        }
        if self.batch > 1 && self.rows.is_none() && self.remote_id.is_some() {
            return wrong("`remote_id` is one of many in a batch: say in `rows` where the results are");
        }
        if let Some(update) = &self.update {
            self.update_endpoint().iter().try_for_each(|endpoint| endpoint.validate("update.", false))?;
            if self.batch > 1 {
                return wrong("`update` needs `batch = 1`");
            }
            let names_id = update.path.contains("{remote_id}") || update.id_field.is_some();
            if !names_id || (self.remote_id.is_none() && self.rows.is_none()) {
                return wrong("`update` needs `remote_id`, and `{remote_id}` in its path or an `id_field`");
            }
        }
        if let Some(rows) = &self.rows {
            if rows.success.is_some() == rows.success_values.is_empty() {
                return wrong("`rows.success` and `rows.success_values` go together");
            }
            let paths = [Some(&rows.list), rows.success.as_ref(), rows.remote_id.as_ref(), rows.code.as_ref()];
            if paths.into_iter().flatten().any(|path| !is_path(path)) {
                return wrong("`rows` has a path that is not names joined by `.`");
            }
        }
        self.check_idempotency(base)
    }

    fn check_idempotency(&self, base: &AnswerConfig) -> Result<()> {
        use IdempotencyKind::{Key, None, Unique, Upsert};
        let rule = &self.idempotency;
        let wrong = |message: &'static str| Err(Error::config(message));
        if rule.kind != Key && (rule.header.is_some() || rule.max_len.is_some() || rule.remembered_for_hours.is_some())
        {
            return wrong("`idempotency.kind` has to be \"key\" for `header`, `max_len` and `remembered_for_hours`");
        }
        if rule.field.as_ref().is_some_and(|path| !is_path(path)) {
            return wrong("`idempotency.field` has to be names joined by `.`");
        }
        match rule.kind {
            None if rule.field.is_some() => return wrong("`idempotency.kind` has to be set for `field`"),
            Key if rule.header.is_some() == rule.field.is_some() => {
                return wrong(
                    "`idempotency.header` or `idempotency.field` has to say where the key goes, and not both",
                );
            }
            Key if rule.header.is_some() && self.batch > 1 => {
                return wrong("`idempotency.header` carries the key of one document: `batch` has to be 1");
            }
            Key if rule.max_len.is_some_and(|most| most < 32) => {
                return wrong("`idempotency.max_len` has to be at least 32: a shorter key cannot tell documents apart");
            }
            Unique | Upsert if rule.field.is_none() => {
                return wrong("`idempotency.field` is missing: it says what is unique");
            }
            Unique if rule.look_up.is_none() => {
                return wrong(
                    "`idempotency.look_up` is missing: without it nobody can find out what became of a document",
                );
            }
            None | Key | Upsert if rule.look_up.is_some() => {
                return wrong("`idempotency.look_up` is for kind = \"unique\"");
            }
            _ => {}
        }
        rule.header.iter().try_for_each(|name| check_header("idempotency.header", name))?;
        rule.look_up.iter().try_for_each(|look_up| look_up.check(base))
    }
}

impl LookUpConfig {
    /// The address with its fixed parts.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let base = Endpoint::new(self.verb, &self.path, self.send);
        Endpoint { query: self.query.clone(), body: self.body.clone(), ..base }
    }

    /// The parameter's name, or the path's.
    pub(crate) fn parameter(&self) -> &str {
        self.parameter.as_deref().unwrap_or("value")
    }

    fn check(&self, base: &AnswerConfig) -> Result<()> {
        let endpoint = self.endpoint();
        endpoint.validate("idempotency.look_up.", false)?;
        let at = "idempotency.look_up";
        if self.parameter.is_none() && endpoint.placeholders() != ["value"] {
            return Err(Error::config(format!("`{at}.parameter` is missing, and `{at}.path` has no `{{value}}`")));
        }
        let answer = self.answer.over(base);
        answer.validate(&format!("{at}.answer"))?;
        if answer.list.is_none() {
            return Err(Error::config(format!("`{at}.answer.list` is missing: it says where what is found stands")));
        }
        Ok(())
    }
}
