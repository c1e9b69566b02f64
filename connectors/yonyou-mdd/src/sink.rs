//! Writing: a document is sent with its key, whatever becomes of the call, until the vendor says what became of it.
//!
//! | the vendor's answer | receipt |
//! | --- | --- |
//! | 200 with the whole document: it is there now, or was within the last hour | done |
//! | 10004 or 100004 with the id alone: it was there before | the same, or exists |
//! | 202: the first call is still running; 310504, no answer, a torn connection | unknown: the same key again |
//! | any other code | refused, and the key stays good: failures are not remembered |

use std::fmt;
use std::sync::Arc;

use milkrun_core::record::plain_text;
use milkrun_core::{
    Context, Delivery, Error, ErrorKind, Operation, Receipt, Record, Result, Sink, TargetSpec, async_trait,
};

use crate::body::{self, Current, Object, Refusal, Stamp};
use crate::client::Client;
use crate::envelope;
use crate::list::{self as lists, Query};
use crate::receipts::{self, Row};
use crate::source;
use crate::streams::{Op, StreamConfig};
use crate::targets::{LONGEST_KEY, TargetConfig};

/// One tenant, ready to be written to.
pub(crate) struct YonyouSink {
    client: Arc<Client>,
    /// In the order of `specs`.
    targets: Vec<TargetConfig>,
    specs: Vec<TargetSpec>,
}

impl fmt::Debug for YonyouSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "YonyouSink({:?}, {} targets)", self.client, self.targets.len())
    }
}

/// A document that is ready to be sent, or why it is not.
enum Ready {
    Document {
        text: String,
        /// For an update, the time of the last change that it names.
        lock: Option<String>,
    },
    Not(Receipt),
}

impl YonyouSink {
    pub(crate) fn new(client: Arc<Client>, targets: Vec<TargetConfig>) -> Self {
        let specs = targets.iter().map(TargetConfig::spec).collect();
        Self { client, targets, specs }
    }

    fn target(&self, name: &str) -> Result<&TargetConfig> {
        let target = self.targets.iter().find(|target| target.name == name);
        target.ok_or_else(|| Error::config("the account has no such target").with("target", name))
    }

    /// Makes one call for these documents.
    ///
    /// # Errors
    /// An error says that none of them had an effect.
    async fn save(
        &self,
        cx: &Context,
        target: &TargetConfig,
        documents: &[String],
        rows: &[Row],
    ) -> Result<Vec<Receipt>> {
        // Repeating is the engine's: after 5 s and more, with the same key.
        let call = self.client.post(cx, &target.path, body::save(target, documents)).await?.not_idempotent();
        let sent = match cx.call(call).await {
            Ok(answer) => receipts::read(&answer.body, rows, &target.success),
            Err(error) => Err(error),
        };
        match sent {
            // Which of them was refused is not known: each goes by itself.
            Err(error) if error.kind() == ErrorKind::Refused && rows.len() > 1 => {
                Ok(vec![Receipt::Unknown { reason: error.to_string() }; rows.len()])
            }
            Err(error) => Receipt::of_failed_call(error, rows.len()),
            receipts => receipts,
        }
    }

    /// Sends new documents in one call, each for the first time.
    async fn send_all(&self, cx: &Context, target: &TargetConfig, batch: &[Delivery]) -> Result<Vec<Receipt>> {
        let mut receipts: Vec<Option<Receipt>> = Vec::new();
        let (mut documents, mut rows) = (Vec::new(), Vec::new());
        for delivery in batch {
            let receipt = match self.ready(cx, target, delivery).await? {
                Ready::Document { text, .. } => {
                    rows.push(row(target, delivery, &text));
                    documents.push(text);
                    None
                }
                Ready::Not(receipt) => Some(receipt),
            };
            receipts.push(receipt);
        }
        if !documents.is_empty() {
            let mut sent = self.save(cx, target, &documents, &rows).await?.into_iter();
            receipts.iter_mut().filter(|receipt| receipt.is_none()).for_each(|receipt| *receipt = sent.next());
        }
        let receipts = receipts.into_iter().map(|receipt| receipt.expect("one receipt for each row"));
        Ok(receipts.zip(batch).map(|(receipt, delivery)| judged(target, delivery, receipt)).collect())
    }

    /// Sends one document. An update that is refused, while somebody else has changed the document since it was read, is
    /// made anew and goes once more: failures are not remembered.
    async fn send_one(&self, cx: &Context, target: &TargetConfig, delivery: &Delivery) -> Result<Receipt> {
        let mut refused: Option<(Receipt, Option<String>)> = None;
        loop {
            let (text, lock) = match (self.ready(cx, target, delivery).await, &refused) {
                (Ok(Ready::Document { text, lock }), None) => (text, lock),
                (Ok(Ready::Document { text, lock }), Some((_, before))) if lock != *before => (text, lock),
                (_, Some((first, _))) => return Ok(first.clone()),
                (Ok(Ready::Not(receipt)), None) => return Ok(receipt),
                (Err(error), None) => return Err(error),
            };
            let row = row(target, delivery, &text);
            let receipt = self.save(cx, target, &[text], &[row]).await?.remove(0);
            if matches!(receipt, Receipt::Refused { .. }) && lock.is_some() && refused.is_none() {
                refused = Some((receipt, lock));
                continue;
            }
            return Ok(judged(target, delivery, receipt));
        }
    }

    /// The document as it goes on the wire.
    async fn ready(&self, cx: &Context, target: &TargetConfig, delivery: &Delivery) -> Result<Ready> {
        let refused = |reason: Refusal| Ok(Ready::Not(Receipt::Refused { reason }));
        let key = &delivery.idempotency_key;
        if target.key.is_some() && (key.is_empty() || key.chars().count() > LONGEST_KEY as usize) {
            return refused(format!("the idempotency key `{key}` does not have 1 to {LONGEST_KEY} characters"));
        }
        let current = match &delivery.operation {
            Operation::Insert => None,
            Operation::Update { .. } if !target.can_update() => {
                let name = &target.name;
                return refused(format!("the target `{name}` takes new documents only, and the record has changed"));
            }
            Operation::Update { remote_id } => match self.current(cx, target, remote_id).await? {
                Some(current) => Some(current),
                None => return refused(format!("the target has no document with the id {remote_id} any more")),
            },
        };
        let source = delivery.key.to_string();
        let stamp = Stamp { key, source: &source, current: current.as_ref() };
        match body::stamped(&delivery.document, target, stamp) {
            Ok(text) => Ok(Ready::Document { text, lock: current.and_then(|current| current.document.text("pubts")) }),
            Err(reason) => refused(reason),
        }
    }

    /// The document as the target has it; `None` if it is not there.
    async fn current(&self, cx: &Context, target: &TargetConfig, id: &str) -> Result<Option<Current>> {
        if let Some(path) = &target.detail {
            let call = self.client.get(cx, path, id).await?;
            let answer = match cx.call(call).await {
                Err(error) if error.fact("vendor_code") == Some("1002") => return Ok(None),
                outcome => outcome?,
            };
            let envelope = envelope::read(&answer.body)?;
            let Some(data) = envelope.data else { return Ok(None) };
            let document = Object::parse(data.get()).ok_or_else(|| Error::malformed("the answer holds no document"))?;
            if document.text("id").as_deref() != Some(id) {
                return Err(Error::malformed("another document came than was asked for").with("id", id));
            }
            return Ok(Some(Current { document, has_lines: true }));
        }
        let rows = self.rows_with(cx, target, "id", id).await?;
        let document = rows.first().and_then(|row| Object::parse(row.text()));
        Ok(document.map(|document| Current { document, has_lines: false }))
    }

    /// The documents whose field has this value.
    async fn rows_with(&self, cx: &Context, target: &TargetConfig, field: &str, value: &str) -> Result<Vec<Record>> {
        let path = target.list.as_ref().ok_or_else(|| {
            let error = Error::new(ErrorKind::Unexpected, "the vendor documents no list to look such documents up in");
            error.with("target", &target.name).advise("look at the target by hand, and replay or drop the record")
        })?;
        let mut stream = asking(path);
        stream.is_sum = Some(true);
        let query =
            Query { page: Some((1, 10)), conditions: vec![lists::condition(field, Op::Eq, value)], ..Query::default() };
        let call = self.client.post(cx, path, lists::body(&stream, &query)).await?;
        let answer = cx.call(call).await?;
        let listed = lists::read(&answer.body, &stream.list)?;
        let mut rows = listed.rows;
        // Where the rows are lines after all, a document comes several times.
        rows.dedup_by(|a, b| lists::text(a, "id") == lists::text(b, "id"));
        let keeps = |row: &Record| lists::text(row, field).as_deref() == Some(value);
        if !rows.iter().all(keeps) {
            let error = Error::new(ErrorKind::Incoherent, "the vendor does not keep to the condition");
            return Err(error.with("field", field).with("target", &target.name));
        }
        Ok(rows)
    }
}

/// A list of which only the path is known.
fn asking(path: &str) -> StreamConfig {
    let mut stream = crate::streams::built_in().remove(0);
    path.clone_into(&mut stream.path);
    stream.lines = None;
    stream
}

/// What the answer may name a document by.
fn row(target: &TargetConfig, delivery: &Delivery, text: &str) -> Row {
    let document = Object::parse(text).unwrap_or_default();
    let key = target.key.is_some().then(|| delivery.idempotency_key.clone());
    let own = own_number(target, &delivery.document);
    Row { names: key.into_iter().chain(document.text(body::SOURCE_UNIQUE)).chain(own).collect() }
}

/// The own number in a document.
fn own_number(target: &TargetConfig, document: &str) -> Option<String> {
    let record = Record::parse(document).ok()?;
    let json = record.at(&target.number)?;
    plain_text(&json).map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty())
}

/// A key that was used before this flow has ever sent it: the document may be of another version.
fn judged(target: &TargetConfig, delivery: &Delivery, receipt: Receipt) -> Receipt {
    match receipt {
        Receipt::Same { remote_id: Some(remote_id) }
            if delivery.operation == Operation::Insert && delivery.attempts == 0 && target.can_update() =>
        {
            Receipt::Exists { remote_id }
        }
        receipt => receipt,
    }
}

#[async_trait]
impl Sink for YonyouSink {
    fn targets(&self) -> &[TargetSpec] {
        &self.specs
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        source::check(&self.client, cx).await
    }

    async fn deliver(&self, cx: &Context, batch: &[Delivery]) -> Result<Vec<Receipt>> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let target = self.target(&first.target)?;
        // What becomes of a list with new and used keys is not documented: repetitions go one by one.
        if target.body.is_list() && batch.len() > 1 && batch.iter().all(|delivery| delivery.attempts == 0) {
            return self.send_all(cx, target, batch).await;
        }
        let mut receipts: Vec<Receipt> = Vec::new();
        for delivery in batch {
            match self.send_one(cx, target, delivery).await {
                Ok(receipt) => receipts.push(receipt),
                Err(error) if receipts.is_empty() => return Err(error),
                // Some had their effect already, so that this may not be an error of all.
                Err(error) => receipts.push(Receipt::Unknown { reason: error.to_string() }),
            }
        }
        Ok(receipts)
    }

    async fn look_up(&self, cx: &Context, delivery: &Delivery) -> Result<Option<Receipt>> {
        let target = self.target(&delivery.target)?;
        // Sent again, an update has the same effect: it names the id, and its lines.
        if delivery.operation != Operation::Insert {
            return Ok(None);
        }
        let number = own_number(target, &delivery.document).ok_or_else(|| {
            let error = Error::config("the document holds no number of its own to look it up by");
            error.with("target", &target.name).with("field", &target.number).advise(
                "map a number of your own, or name its field in `own_numbers`; until then look at the target by hand",
            )
        })?;
        let rows = self.rows_with(cx, target, &target.number, &number).await?;
        match rows.as_slice() {
            [] => Ok(None),
            [row] => {
                let found = Receipt::Same { remote_id: lists::text(row, "id") };
                Ok(Some(judged(target, delivery, found)))
            }
            _ => {
                let error =
                    Error::new(ErrorKind::Incoherent, "several documents have the number").with("number", number);
                Err(error.with("target", &target.name).advise("look at the target by hand: one of them is too many"))
            }
        }
    }
}
