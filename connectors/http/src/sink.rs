//! Writing: one batch of documents, and what became of each.

use std::sync::Arc;

use milkrun_core::record::plain_text;
use milkrun_core::transport::Call;
use milkrun_core::{Context, Delivery, Error, ErrorKind, Operation, Receipt, Result, Sink, TargetSpec, async_trait};
use serde_json::value::RawValue;

use crate::client::Client;
use crate::endpoint::{Endpoint, Request, Send, Value};
use crate::error::{Class, is_duplicate};
use crate::json::{Tree, find, list, quoted};
use crate::rules::AnswerConfig;
use crate::source;
use crate::targets::{IdempotencyKind, LookUpConfig, RowsConfig, TargetConfig};

/// One vendor, ready to be written to.
#[derive(Debug)]
pub(crate) struct HttpSink {
    client: Arc<Client>,
    /// In the order of `specs`.
    targets: Vec<Target>,
    specs: Vec<TargetSpec>,
    check: Option<Endpoint>,
}

/// One target with its addresses.
#[derive(Debug)]
struct Target {
    config: TargetConfig,
    insert: Endpoint,
    update: Option<Endpoint>,
    look_up: Option<(LookUpConfig, Endpoint, AnswerConfig)>,
}

impl HttpSink {
    pub(crate) fn new(
        client: Arc<Client>,
        targets: &[TargetConfig],
        rules: &AnswerConfig,
        check: Option<Endpoint>,
    ) -> Self {
        let look_up = |config: &LookUpConfig| (config.clone(), config.endpoint(), config.answer.over(rules));
        let target = |config: &TargetConfig| Target {
            config: config.clone(),
            insert: config.endpoint(),
            update: config.update_endpoint(),
            look_up: config.idempotency.look_up.as_ref().map(look_up),
        };
        Self {
            client,
            targets: targets.iter().map(target).collect(),
            specs: targets.iter().map(TargetConfig::spec).collect(),
            check,
        }
    }

    fn target(&self, name: &str) -> Result<&Target> {
        let target = self.targets.iter().find(|target| target.config.name == name);
        target.ok_or_else(|| Error::config("the account has no such target").with("target", name))
    }
}

#[async_trait]
impl Sink for HttpSink {
    fn targets(&self) -> &[TargetSpec] {
        &self.specs
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        source::check(&self.client, self.check.as_ref(), cx).await
    }

    async fn deliver(&self, cx: &Context, batch: &[Delivery]) -> Result<Vec<Receipt>> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let target = self.target(&first.target)?;
        // What cannot be sent at all is refused alone, and the others go.
        let documents: Vec<Result<String>> = batch.iter().map(|delivery| target.document(delivery)).collect();
        let good: Vec<(&Delivery, &String)> =
            batch.iter().zip(&documents).filter_map(|(delivery, text)| Some((delivery, text.as_ref().ok()?))).collect();
        let mut receipts = match good.as_slice() {
            [] => Vec::new(),
            good => self.send(cx, target, good).await?,
        }
        .into_iter();
        let receipt = |text: Result<String>| match text {
            Ok(_) => receipts.next().expect("one receipt for each document"),
            Err(error) => Receipt::Refused { reason: error.to_string() },
        };
        Ok(documents.into_iter().map(receipt).collect())
    }

    async fn look_up(&self, cx: &Context, delivery: &Delivery) -> Result<Option<Receipt>> {
        let target = self.target(&delivery.target)?;
        if target.look_up.is_none() {
            let reason = "the target cannot be asked".to_owned();
            return Ok(Some(Receipt::Unknown { reason }));
        }
        let found = self.find(cx, target, &delivery.document).await?;
        // Of an update, the first document is there in any case.
        Ok(match (&delivery.operation, found) {
            (Operation::Insert, Some(remote_id)) => Some(Receipt::Same { remote_id }),
            (Operation::Insert | Operation::Update { .. }, _) => None,
        })
    }
}

impl HttpSink {
    async fn send(&self, cx: &Context, target: &Target, batch: &[(&Delivery, &String)]) -> Result<Vec<Receipt>> {
        let call = match target.call(batch, &self.client.base_url) {
            Ok(call) => call,
            Err(error) => return Receipt::of_failed_call(error, batch.len()),
        };
        let answer = match cx.call(call).await {
            Ok(answer) => answer,
            Err(error) if is_duplicate(&error) && batch.len() == 1 => {
                return self.duplicate(cx, target, &batch[0].0.document, error).await.map(|receipt| vec![receipt]);
            }
            Err(error) if batch.len() > 1 && error.kind() == ErrorKind::Refused => {
                return Err(
                    error.advise("the vendor does not say which document it refuses: set `batch = 1` for the target")
                );
            }
            Err(error) => return Receipt::of_failed_call(error, batch.len()),
        };
        let Some(rows) = &target.config.rows else {
            let remote_id = target.config.remote_id.as_ref().and_then(|path| text(&answer.body, path));
            if target.config.remote_id.is_some() && remote_id.is_none() {
                tracing::warn!(target_name = target.config.name, "a good answer has no id where `remote_id` says");
            }
            return Ok(vec![Receipt::Done { remote_id }; batch.len()]);
        };
        let results = find(&answer.body, &rows.list).and_then(|json| serde_json::from_str::<Vec<&RawValue>>(json).ok());
        let results = results.unwrap_or_default();
        if results.len() != batch.len() {
            let reason = format!("results and documents differ in number: {} and {}", results.len(), batch.len());
            return Ok(vec![Receipt::Unknown { reason }; batch.len()]);
        }
        let mut receipts = Vec::with_capacity(batch.len());
        for (result, (delivery, _)) in results.into_iter().zip(batch) {
            receipts.push(self.row(cx, target, rows, result.get(), &delivery.document).await);
        }
        Ok(receipts)
    }

    /// What one result says of its document.
    async fn row(&self, cx: &Context, target: &Target, rows: &RowsConfig, result: &str, document: &str) -> Receipt {
        let remote_id = rows.remote_id.as_ref().and_then(|path| text(result, path));
        let Some(path) = &rows.success else { return Receipt::Done { remote_id } };
        let Some(value) = text(result, path) else {
            return Receipt::Unknown { reason: "the result does not say whether it went well".to_owned() };
        };
        if rows.success_values.iter().any(|known| known.text() == value) {
            return Receipt::Done { remote_id };
        }
        let code = text(result, rows.code.as_ref().unwrap_or(path)).unwrap_or_default();
        let message = rows.message.as_ref().and_then(|path| text(result, path)).unwrap_or_default();
        let reason = self.client.hide(&format!("{message} (vendor_code: {code})"));
        match rows.codes.class(&code) {
            Some(Class::Duplicate) => {
                let error = Error::new(ErrorKind::Refused, reason);
                let receipt = self.duplicate(cx, target, document, error).await;
                receipt.unwrap_or_else(|error| Receipt::Unknown { reason: error.to_string() })
            }
            // There is no receipt for "not now": it is asked about, or sent again where that is safe.
            Some(Class::Temporary | Class::Throttled | Class::Token) if target.may_repeat() => {
                Receipt::Unknown { reason }
            }
            _ => Receipt::Refused { reason },
        }
    }

    /// The target says that it has the document already: where it can be asked, it has to be found there.
    async fn duplicate(&self, cx: &Context, target: &Target, document: &str, error: Error) -> Result<Receipt> {
        if target.look_up.is_none() {
            let reason = error.to_string();
            return Ok(if target.may_repeat() {
                Receipt::Same { remote_id: None }
            } else {
                Receipt::Refused { reason }
            });
        }
        match self.find(cx, target, document).await {
            Ok(Some(remote_id)) => Ok(Receipt::Same { remote_id }),
            Ok(None) => Ok(Receipt::Refused { reason: format!("{error}, and no such document can be found") }),
            Err(cause) => {
                Ok(Receipt::Unknown { reason: format!("{error}, and the target could not be asked: {cause}") })
            }
        }
    }

    /// The id of the document with the unique field's value, `Some(None)` if it is there without one.
    async fn find(&self, cx: &Context, target: &Target, document: &str) -> Result<Option<Option<String>>> {
        let Some((look_up, endpoint, rules)) = &target.look_up else { return Ok(None) };
        let field = target.config.idempotency.field.as_deref().unwrap_or_default();
        let value = text(document, field);
        let value = value
            .ok_or_else(|| Error::new(ErrorKind::Refused, "the document has no unique field").with("field", field))?;
        let mut request = endpoint.request(&self.client.base_url)?;
        request.set(look_up.parameter(), &Value::Text(value.clone()))?;
        let answer = cx.call(request.call(None)).await?;
        let path = rules.list.as_deref().unwrap_or_default();
        let Some(found) = find(&answer.body, path) else {
            return Err(Error::malformed("the answer has no list of what was found").with("path", path));
        };
        let found: Vec<&RawValue> = if found.starts_with('[') {
            serde_json::from_str(found).map_err(|cause| Error::malformed("the list cannot be read").caused_by(cause))?
        } else {
            vec![
                serde_json::from_str(found)
                    .map_err(|cause| Error::malformed("the answer cannot be read").caused_by(cause))?,
            ]
        };
        // What is found by a part of the value is another document.
        let wanted = look_up.field.as_deref().unwrap_or(field);
        let found = found.into_iter().find(|one| text(one.get(), wanted).is_some_and(|text| text == value));
        Ok(found.map(|one| look_up.remote_id.as_ref().and_then(|path| text(one.get(), path))))
    }
}

impl Target {
    fn may_repeat(&self) -> bool {
        matches!(self.config.idempotency.kind, IdempotencyKind::Key | IdempotencyKind::Upsert)
    }

    /// The document as it is sent, with the key in it where the target wants that.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if it cannot be sent.
    fn document(&self, delivery: &Delivery) -> Result<String> {
        let refused = |message: &'static str| Err(Error::new(ErrorKind::Refused, message));
        let rule = &self.config.idempotency;
        let is_update = matches!(delivery.operation, Operation::Update { .. });
        if is_update && self.update.is_none() && rule.kind != IdempotencyKind::Upsert {
            return refused("the record has changed since it was delivered, and the target has no `update`");
        }
        let needs_field = matches!(rule.kind, IdempotencyKind::Unique | IdempotencyKind::Upsert);
        if needs_field && rule.field.as_ref().is_none_or(|field| text(&delivery.document, field).is_none()) {
            return refused("the document has nothing in the field that tells it from others (`idempotency.field`)");
        }
        let key = rule.field.as_ref().filter(|_| rule.kind == IdempotencyKind::Key);
        let key = key.map(|field| (field, &delivery.idempotency_key));
        let id_field = self.config.update.as_ref().and_then(|update| update.id_field.as_ref());
        let id = match &delivery.operation {
            Operation::Update { remote_id } => id_field.map(|field| (field, remote_id)),
            Operation::Insert => None,
        };
        let mut tree = Tree::parse(&delivery.document)?;
        if key.is_none() && id.is_none() {
            return Ok(delivery.document.clone());
        }
        key.into_iter().chain(id).try_for_each(|(field, value)| tree.set(field, quoted(value)))?;
        Ok(tree.text())
    }

    /// The call that sends these documents, all of which can be sent.
    fn call(&self, batch: &[(&Delivery, &String)], base_url: &str) -> Result<Call> {
        let (delivery, document) = batch[0];
        let endpoint = match (&delivery.operation, &self.update) {
            (Operation::Update { .. }, Some(update)) => update,
            _ => &self.insert,
        };
        let mut request: Request<'_> = endpoint.request(base_url)?;
        if let Operation::Update { remote_id } = &delivery.operation
            && endpoint.placeholders().contains(&"remote_id")
        {
            request.set("remote_id", &Value::Text(remote_id.clone()))?;
        }
        request.fill_path(document)?;
        if let (IdempotencyKind::Key, Some(header)) = (self.config.idempotency.kind, &self.config.idempotency.header) {
            request.headers.push((header.to_ascii_lowercase(), delivery.idempotency_key.clone()));
        }
        let call = if endpoint.send == Send::Json {
            let documents = if self.config.is_list() {
                list(batch.iter().map(|(_, document)| (*document).clone()))
            } else {
                document.clone()
            };
            match &self.config.wrap {
                Some(path) => {
                    request.tree.set(path, documents)?;
                    request.call(None)
                }
                None => request.call(Some(documents)),
            }
        } else {
            for (name, json) in Tree::parse(document)?.fields().filter(|(_, json)| json != "null") {
                if json.starts_with(['{', '[']) {
                    let message = "a list or an object cannot go into an address or a form";
                    return Err(Error::new(ErrorKind::Refused, message).with("field", name));
                }
                request.set(name, &Value::Json(json))?;
            }
            request.call(None)
        };
        Ok(if self.may_repeat() { call } else { call.not_idempotent() })
    }
}

/// A plain value at a path, as text; an empty one counts as missing.
fn text(json: &str, path: &str) -> Option<String> {
    find(json, path).and_then(plain_text).map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty())
}
