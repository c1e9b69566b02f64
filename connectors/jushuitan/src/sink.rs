//! Writing: one call for several documents, judged row by row.

use std::sync::Arc;

use milkrun_core::record::{Pairs, plain_text};
use milkrun_core::transport::{Answer, Call};
use milkrun_core::{
    Context, Delivery, Error, ErrorKind, Operation, Receipt, Record, Result, Rows, Sink, TargetSpec, async_trait,
};
use serde_json::value::RawValue;

use crate::biz;
use crate::client::Client;
use crate::envelope::{truth_of, value};
use crate::source;
use crate::targets::{Form, Promise, TargetConfig};

/// One Jushuitan company, ready to be written to.
#[derive(Debug)]
pub(crate) struct JushuitanSink {
    client: Arc<Client>,
    /// In the order of `specs`.
    targets: Vec<TargetConfig>,
    specs: Vec<TargetSpec>,
}

/// A document on its way.
#[derive(Debug)]
struct Document {
    /// Its place in the batch.
    index: usize,
    /// What the answer's row calls it.
    id: String,
    /// What is sent.
    json: String,
    /// Nobody but an earlier attempt of this very delivery can have used the id.
    own_id: bool,
}

#[async_trait]
impl Sink for JushuitanSink {
    fn targets(&self) -> &[TargetSpec] {
        &self.specs
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        source::check(&self.client, cx).await
    }

    async fn deliver(&self, cx: &Context, batch: &[Delivery]) -> Result<Vec<Receipt>> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let target = self.target(&first.target)?;
        let mut receipts: Vec<Option<Receipt>> = vec![None; batch.len()];
        let mut documents = Vec::new();
        for (index, delivery) in batch.iter().enumerate() {
            match prepare(target, index, delivery) {
                Ok(document) => documents.push(document),
                Err(reason) => receipts[index] = Some(Receipt::Refused { reason }),
            }
        }
        let mut calls = groups(documents, target.batch as usize);
        calls.reverse();
        let mut had_effect = false;
        while let Some(mut documents) = calls.pop() {
            match self.send(cx, target, &documents).await {
                Ok(judged) => {
                    had_effect = true;
                    for (document, receipt) in documents.iter().zip(judged) {
                        receipts[document.index] = Some(receipt);
                    }
                }
                // Which row it was is found by halves; to send the others again replaces what they may have left.
                Err(error) if error.kind() == ErrorKind::Refused && documents.len() > 1 => {
                    calls.push(documents.split_off(documents.len() / 2));
                    calls.push(documents);
                }
                Err(error) if had_effect => {
                    let reason = error.to_string();
                    for document in documents.iter().chain(calls.iter().flatten()) {
                        receipts[document.index] = Some(Receipt::Unknown { reason: reason.clone() });
                    }
                    break;
                }
                Err(error) => return Err(error.with("target", &target.name)),
            }
        }
        Ok(receipts.into_iter().map(|receipt| receipt.expect("each document is in one call")).collect())
    }

    async fn look_up(&self, _: &Context, _: &Delivery) -> Result<Option<Receipt>> {
        // Never needed: what may have arrived is sent again where that is safe, and is left to a person elsewhere.
        Ok(Some(Receipt::Unknown { reason: "an upload is repeated or reported, not asked about".to_owned() }))
    }
}

impl JushuitanSink {
    pub(crate) fn new(client: Arc<Client>, targets: Vec<TargetConfig>) -> Self {
        let specs = targets.iter().map(TargetConfig::spec).collect();
        Self { client, targets, specs }
    }

    fn target(&self, name: &str) -> Result<&TargetConfig> {
        let target = self.targets.iter().find(|target| target.name == name);
        target.ok_or_else(|| Error::config("the account has no such target").with("target", name))
    }

    /// Sends one call: one receipt for each document, in their order.
    ///
    /// # Errors
    /// An error says that no document had an effect, or, for several that may be sent again, that one was refused.
    async fn send(&self, cx: &Context, target: &TargetConfig, documents: &[Document]) -> Result<Vec<Receipt>> {
        let answer = match (cx.call(self.upload(target, documents)).await, documents) {
            (Ok(answer), _) => answer,
            (Err(error), [document])
                if error.kind() == ErrorKind::Refused
                    && document.own_id
                    && says_used(error.message(), &document.id) =>
            {
                return Ok(vec![Receipt::Same { remote_id: None }]);
            }
            (Err(error), _) => return Receipt::of_failed_call(error, documents.len()),
        };
        Ok(match self.rows(&answer) {
            Ok(rows) => documents.iter().map(|document| self.judge(target, document, &rows)).collect(),
            Err(error) => vec![Receipt::Unknown { reason: error.to_string() }; documents.len()],
        })
    }

    fn upload(&self, target: &TargetConfig, documents: &[Document]) -> Call {
        let list = || biz::list(documents.iter().map(|document| &document.json));
        let text = match target.form {
            Form::Array => list(),
            Form::Items => biz::object([("items", list().as_str())]),
            Form::Object => documents.first().map(|document| document.json.clone()).unwrap_or_default(),
        };
        let call = self.client.call(&target.path, text);
        if target.idempotency == Promise::Upsert { call } else { call.not_idempotent() }
    }

    /// The rows of an answer: a list in `datas`, or one row in `data`.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if they are something else.
    fn rows(&self, answer: &Answer) -> Result<Vec<Record>> {
        let data: Pairs<'_> = self.client.data(answer)?;
        let found = ["datas", "data"].into_iter().find_map(|name| value(&data, name).filter(|json| *json != "null"));
        let unreadable =
            |cause: serde_json::Error| Error::malformed("the answer's rows cannot be read").caused_by(cause);
        match found {
            Some(json) if json.starts_with('{') => Ok(vec![Record::parse(json)?]),
            Some(json) => {
                let rows: Rows<'_> = serde_json::from_str(json).map_err(unreadable)?;
                Ok(rows.into_records(&answer.body))
            }
            None => Err(Error::malformed("the answer has no rows")),
        }
    }

    /// What the rows say of a document. Rows are matched by what they name, never by their place.
    fn judge(&self, target: &TargetConfig, document: &Document, rows: &[Record]) -> Receipt {
        let unknown = |reason: &str| Receipt::Unknown { reason: reason.to_owned() };
        let rows = rows.iter().filter(|row| plain(row, &target.id).as_deref() == Some(&document.id));
        let mut receipts: Vec<Receipt> = rows.map(|row| self.judge_row(target, document, row)).collect();
        receipts.dedup();
        match receipts.pop() {
            None => unknown("the vendor's answer does not mention this document"),
            Some(_) if !receipts.is_empty() => unknown("the vendor's answer says two things of this document"),
            Some(receipt) => receipt,
        }
    }

    fn judge_row(&self, target: &TargetConfig, document: &Document, row: &Record) -> Receipt {
        let flag = ["issuccess", "is_success"].into_iter().find_map(|name| row.get(name)).map(truth_of);
        let says = self.client.strike_out(&plain(row, "msg").unwrap_or_default());
        let remote_id = remote_id(target, row);
        match flag {
            Some(Ok(Some(true))) => Receipt::Done { remote_id },
            Some(Ok(Some(false))) if document.own_id && says_used(&says, &document.id) => Receipt::Same { remote_id },
            Some(Ok(Some(false))) if says.is_empty() => {
                Receipt::Refused { reason: "the vendor refuses this row without saying why".to_owned() }
            }
            Some(Ok(Some(false))) => Receipt::Refused { reason: says },
            // Some methods leave the flag out; a number of the vendor's own is given only to what is there.
            None | Some(Ok(None)) if remote_id.is_some() => Receipt::Done { remote_id },
            _ => Receipt::Unknown { reason: format!("the vendor does not say whether this row went well: {says}") },
        }
    }
}

/// Makes a delivery ready to be sent, or says why it cannot be.
fn prepare(target: &TargetConfig, index: usize, delivery: &Delivery) -> Result<Document, String> {
    if let (Operation::Update { remote_id }, true) = (&delivery.operation, target.only_new()) {
        return Err(format!("the vendor is not known to change such documents: change it there by hand ({remote_id})"));
    }
    let record = Record::parse(delivery.document.as_str()).map_err(|error| error.to_string())?;
    if let Some(most) = target.most_items {
        let items: Vec<&RawValue> =
            record.get("items").and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        if items.len() > most as usize {
            return Err(format!("`items` has {} lines, and the vendor takes {most} at most", items.len()));
        }
    }
    let given = plain(&record, &target.id);
    let (id, json, own_id) = match (given, target.idempotency) {
        (Some(id), _) => (id, record.text().to_owned(), target.idempotency == Promise::Key && delivery.attempts > 0),
        (None, Promise::Key) => {
            let id = delivery.idempotency_key.clone();
            let quoted = biz::quoted(&id);
            let others = record.fields().filter(|(name, _)| *name != target.id);
            let json = biz::object(others.chain([(target.id.as_str(), quoted.as_str())]));
            (id, json, true)
        }
        (None, _) => {
            return Err(format!("the document has no `{}`, by which the vendor's answer would name it", target.id));
        }
    };
    Ok(Document { index, id, json, own_id })
}

/// Documents in calls of at most so many, none with two of one id: the answer could not tell them apart.
fn groups(documents: Vec<Document>, most: usize) -> Vec<Vec<Document>> {
    let mut groups: Vec<Vec<Document>> = Vec::new();
    for document in documents {
        let fits = |group: &&mut Vec<Document>| group.len() < most && group.iter().all(|other| other.id != document.id);
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(document),
            None => groups.push(vec![document]),
        }
    }
    groups
}

fn remote_id(target: &TargetConfig, row: &Record) -> Option<String> {
    target.ids.iter().find_map(|field| plain(row, field))
}

/// A field as plain text, if it is there and not empty.
fn plain(record: &Record, field: &str) -> Option<String> {
    record.get(field).and_then(plain_text).filter(|text| !text.is_empty()).map(std::borrow::Cow::into_owned)
}

/// Whether a message says that the number of this document was used already.
///
/// Both have to be said: of a line that comes twice, or of a SKU that does not exist, nothing of the kind follows.
fn says_used(message: &str, id: &str) -> bool {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    says(&["单号", "so_id", &id.to_lowercase()]) && says(&["重复", "已存在", "已经存在", "already exist", "duplicate"])
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
