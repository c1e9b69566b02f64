//! Sinks in memory that fail, time out after the effect, refuse, and tear their last line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use milkrun_core::connector::{AppendSink, Appender, Existing, Sink};
use milkrun_core::stream::Title;
use milkrun_core::target::{Delivery, Idempotency, Operation, Receipt, TargetSpec};
use milkrun_core::{Context, Error, ErrorKind, Result};

use crate::dice::Dice;

/// A target of that idempotency.
pub fn sample_target(idempotency: Idempotency, batch: u32) -> TargetSpec {
    TargetSpec {
        name: "documents".into(),
        title: Title::new("Documents", "单据"),
        endpoint: "documents.save".into(),
        idempotency,
        only_new: false,
        batch,
        fields: Vec::new(),
        notes: Vec::new(),
    }
}

/// The chances of trouble, in percent, for each document.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// The call times out before it has an effect.
    pub lost_before: u64,
    /// The call times out after its effect.
    pub lost_after: u64,
    /// The whole call fails without an effect.
    pub fail: u64,
    /// A look-up fails.
    pub look_up: u64,
    /// A document is refused for good.
    pub refuse: u64,
}

/// A system that is called. Clones share it.
#[derive(Clone, Debug)]
pub struct MemorySink {
    targets: Arc<[TargetSpec]>,
    inner: Arc<Mutex<Sinked>>,
}

#[derive(Debug)]
struct Sinked {
    dice: Dice,
    trouble: Trouble,
    /// Every document: `(source key, text)` by its own id.
    documents: BTreeMap<u64, (String, String)>,
    keys: BTreeMap<String, u64>,
    next: u64,
    n_calls: u64,
}

impl MemorySink {
    /// An empty system.
    pub fn new(seed: u64, target: TargetSpec) -> Self {
        let inner = Sinked {
            dice: Dice::new(seed ^ 0x51AC),
            trouble: Trouble::default(),
            documents: BTreeMap::new(),
            keys: BTreeMap::new(),
            next: 1,
            n_calls: 0,
        };
        Self { targets: Arc::from([target]), inner: Arc::new(Mutex::new(inner)) }
    }

    fn inner(&self) -> MutexGuard<'_, Sinked> {
        self.inner.lock().expect("no holder panics")
    }

    /// The trouble from now on.
    pub fn set_trouble(&self, trouble: Trouble) {
        self.inner().trouble = trouble;
    }

    /// It remembers no key of the past any more.
    pub fn forget_keys(&self) {
        self.inner().keys.clear();
    }

    /// Its documents, by source key.
    pub fn documents(&self) -> BTreeMap<String, Vec<String>> {
        let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, text) in self.inner().documents.values() {
            by_key.entry(key.clone()).or_default().push(text.clone());
        }
        by_key
    }
}

impl Sinked {
    fn apply(&mut self, delivery: &Delivery, idempotency: &Idempotency) -> Receipt {
        let key = delivery.key.to_string();
        let done = |id: u64| Receipt::Done { remote_id: Some(id.to_string()) };
        if matches!(idempotency, Idempotency::Key { .. })
            && let Some(&id) = self.keys.get(&delivery.idempotency_key)
        {
            // A caller that has not sent it before does not know which version it is.
            if delivery.operation == Operation::Insert && delivery.attempts == 0 {
                return Receipt::Exists { remote_id: id.to_string() };
            }
            return Receipt::Same { remote_id: Some(id.to_string()) };
        }
        let existing = self.documents.iter().find(|(_, (k, _))| *k == key).map(|(id, _)| *id);
        let id = match (&delivery.operation, idempotency, existing) {
            (Operation::Update { remote_id }, ..) => remote_id.parse().expect("an id that was given out"),
            (Operation::Insert, Idempotency::Upsert { .. }, Some(id)) => id,
            (Operation::Insert, Idempotency::Unique { look_up: true, .. }, Some(_)) => {
                return Receipt::Refused { reason: "the number exists".into() };
            }
            (Operation::Insert, Idempotency::Unique { .. } | Idempotency::Skip { .. }, Some(id)) => {
                return Receipt::Same { remote_id: Some(id.to_string()) };
            }
            _ => {
                self.next += 1;
                self.next
            }
        };
        self.documents.insert(id, (key, delivery.document.clone()));
        self.keys.insert(delivery.idempotency_key.clone(), id);
        done(id)
    }
}

#[async_trait]
impl Sink for MemorySink {
    fn targets(&self) -> &[TargetSpec] {
        &self.targets
    }

    async fn check(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn deliver(&self, cx: &Context, batch: &[Delivery]) -> Result<Vec<Receipt>> {
        let wait = Duration::from_millis(self.inner().dice.below(200));
        cx.clock().sleep(wait).await;
        let receipts = {
            let inner = &mut *self.inner();
            inner.n_calls += 1;
            let trouble = inner.trouble;
            if inner.dice.percent(trouble.fail) {
                return Err(Error::new(ErrorKind::Unavailable, "the target is away"));
            }
            let unknown = || Receipt::Unknown { reason: "no answer in time".into() };
            let mut receipts = Vec::new();
            for delivery in batch {
                if inner.dice.percent(trouble.refuse) {
                    receipts.push(Receipt::Refused { reason: "the goods are not known".into() });
                    continue;
                }
                if inner.dice.percent(trouble.lost_before) {
                    receipts.push(unknown());
                    continue;
                }
                let receipt = inner.apply(delivery, &self.targets[0].idempotency);
                receipts.push(if inner.dice.percent(trouble.lost_after) { unknown() } else { receipt });
            }
            receipts
        };
        // The effect is there, and the answer may still be lost in a crash.
        cx.clock().sleep(wait).await;
        Ok(receipts)
    }

    async fn look_up(&self, cx: &Context, delivery: &Delivery) -> Result<Option<Receipt>> {
        cx.clock().sleep(Duration::from_millis(20)).await;
        let inner = &mut *self.inner();
        if inner.dice.percent(inner.trouble.look_up) {
            return Err(Error::new(ErrorKind::Unavailable, "the target is away"));
        }
        let key = delivery.key.to_string();
        // A caller that has not sent it before may find another version.
        let first = delivery.operation == Operation::Insert && delivery.attempts == 0;
        let found = inner.documents.iter().find(|(_, (k, text))| *k == key && (first || *text == delivery.document));
        Ok(found.map(|(id, _)| match id.to_string() {
            remote_id if first => Receipt::Exists { remote_id },
            remote_id => Receipt::Done { remote_id: Some(remote_id) },
        }))
    }
}

/// A medium that is appended to. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryAppend {
    targets: Arc<[TargetSpec]>,
    medium: Arc<Mutex<Medium>>,
}

#[derive(Debug)]
struct Medium {
    text: String,
    dice: Dice,
}

impl MemoryAppend {
    /// An empty medium.
    pub fn new(seed: u64) -> Self {
        let target = sample_target(Idempotency::CommittedLength, 1);
        let medium = Medium { text: String::new(), dice: Dice::new(seed ^ 0xF11E) };
        Self { targets: Arc::from([target]), medium: Arc::new(Mutex::new(medium)) }
    }

    /// The lines on the medium; the last one may be torn after a crash.
    pub fn lines(&self) -> Vec<String> {
        self.medium.lock().expect("no holder panics").text.lines().map(str::to_owned).collect()
    }
}

#[derive(Debug)]
struct MemoryAppender {
    medium: Arc<Mutex<Medium>>,
    waiting: String,
}

#[async_trait]
impl AppendSink for MemoryAppend {
    fn targets(&self) -> &[TargetSpec] {
        &self.targets
    }

    fn target(&self, name: &str) -> Option<TargetSpec> {
        self.targets.iter().find(|target| target.name == name).cloned()
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn existing(&self, _: &str) -> Result<Existing> {
        let is_empty = self.medium.lock().expect("no holder panics").text.is_empty();
        Ok(if is_empty { Existing::Nothing } else { Existing::Replaced })
    }

    async fn open(&self, _: &str, committed: Option<&str>) -> Result<Box<dyn Appender>> {
        let length: usize = committed.map_or(Ok(0), str::parse).expect("a mark that was given out");
        let medium = &mut *self.medium.lock().expect("no holder panics");
        if medium.text.len() < length {
            return Err(Error::new(ErrorKind::State, "the medium is shorter than what was committed"));
        }
        medium.text.truncate(length);
        Ok(Box::new(MemoryAppender { medium: Arc::clone(&self.medium), waiting: String::new() }))
    }
}

#[async_trait]
impl Appender for MemoryAppender {
    fn push(&mut self, documents: &[&str]) -> Result<()> {
        for document in documents {
            self.waiting.push_str(document);
            self.waiting.push('\n');
        }
        Ok(())
    }

    async fn sync(&mut self) -> Result<String> {
        // A crash in between leaves some of it.
        let cut = {
            let medium = &mut *self.medium.lock().expect("no holder panics");
            let cut = medium.dice.index(self.waiting.len()).unwrap_or(0);
            medium.text.push_str(&self.waiting[..cut]);
            cut
        };
        tokio::task::yield_now().await;
        let medium = &mut *self.medium.lock().expect("no holder panics");
        medium.text.push_str(&self.waiting[cut..]);
        self.waiting.clear();
        Ok(medium.text.len().to_string())
    }

    async fn finish(&mut self) -> Result<String> {
        self.sync().await
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}
