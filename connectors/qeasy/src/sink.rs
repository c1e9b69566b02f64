//! Writing: records are pushed into a scheme.

use std::sync::Arc;

use milkrun_core::transport::Body;
use milkrun_core::{Context, Delivery, Error, ErrorKind, Operation, Receipt, Result, Sink, TargetSpec, async_trait};

use crate::client::Client;
use crate::config::{TargetConfig, Via};

/// The platform, ready to be written to.
#[derive(Debug)]
pub(crate) struct QeasySink {
    client: Arc<Client>,
    /// In the order of `specs`.
    targets: Vec<TargetConfig>,
    specs: Vec<TargetSpec>,
}

impl QeasySink {
    pub(crate) fn new(client: Arc<Client>, targets: &[TargetConfig]) -> Self {
        Self { client, targets: targets.to_vec(), specs: targets.iter().map(TargetConfig::spec).collect() }
    }

    async fn push(&self, cx: &Context, target: &TargetConfig, documents: &[String]) -> Result<()> {
        let content = documents.join(",");
        let id_check = target.id_check;
        let body = format!(r#"{{"id":1,"multiple":true,"idCheck":{id_check},"content":[{content}]}}"#);
        let call = self.client.call(&target.path(), Body::Json(body));
        // The reference shows the push without a token.
        let call = if target.via == Via::Push { call.without_token() } else { call };
        cx.call(call).await.map(drop)
    }
}

/// The document's id, and the document with it.
///
/// # Errors
/// [`ErrorKind::Refused`] if it cannot be sent.
fn prepared(target: &TargetConfig, delivery: &Delivery) -> Result<(String, String)> {
    let (id, document) = target.ids().apply(&delivery.document)?;
    if target.id_check && matches!(delivery.operation, Operation::Update { .. }) {
        let message = "the record has changed, and with idCheck the platform skips a known id without a word";
        return Err(Error::new(ErrorKind::Refused, message).with("id", id));
    }
    Ok((id, document))
}

#[async_trait]
impl Sink for QeasySink {
    fn targets(&self) -> &[TargetSpec] {
        &self.specs
    }

    async fn check(&self, cx: &Context) -> Result<()> {
        // There is no call that proves the right to push, but the credentials can be proved.
        match cx.transport().and_then(|transport| transport.vault()) {
            Some(vault) => vault.current(cx).await.map(drop),
            None => Ok(()),
        }
    }

    async fn deliver(&self, cx: &Context, batch: &[Delivery]) -> Result<Vec<Receipt>> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let target = self.targets.iter().find(|target| target.name == first.target);
        let target =
            target.ok_or_else(|| Error::config("the account has no such target").with("target", &first.target))?;
        let prepared: Vec<Result<(String, String)>> = batch.iter().map(|delivery| prepared(target, delivery)).collect();
        let documents: Vec<String> =
            prepared.iter().filter_map(|one| one.as_ref().ok()).map(|(_, document)| document.clone()).collect();
        let sent = if documents.is_empty() { Ok(()) } else { self.push(cx, target, &documents).await };
        // One answer for all of them: whether it names records is not documented.
        let receipts = match sent {
            Ok(()) => None,
            Err(error) if error.kind() == ErrorKind::Refused && documents.len() > 1 => {
                return Err(
                    error.advise("the platform does not say which record it refuses: set `batch = 1` for the target")
                );
            }
            Err(error) => Some(Receipt::of_failed_call(error, documents.len())?),
        };
        let mut receipts = receipts.into_iter().flatten();
        let receipt = |one: Result<(String, String)>| match one {
            Ok((id, _)) => receipts.next().unwrap_or(Receipt::Done { remote_id: Some(id) }),
            Err(error) => Receipt::Refused { reason: error.to_string() },
        };
        Ok(prepared.into_iter().map(receipt).collect())
    }

    async fn look_up(&self, _: &Context, _: &Delivery) -> Result<Option<Receipt>> {
        // Never needed: a push is repeated where its outcome is unknown.
        Ok(Some(Receipt::Unknown { reason: "a push is repeated, not asked about".to_owned() }))
    }
}
