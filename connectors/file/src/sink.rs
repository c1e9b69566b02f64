//! The sink: the files of one account, ready to be appended to.

use std::path::PathBuf;

use milkrun_core::stream::Title;
use milkrun_core::{AppendSink, Appender, Error, Existing, Idempotency, Result, TargetSpec, async_trait};

use crate::declared::Writer;
use crate::error::doing;
use crate::source::blocking;
use crate::write::{FileAppender, existing, probe};

/// How many documents are worth one sync.
const BATCH: u32 = 1000;

/// The files of one account, ready to be appended to.
#[derive(Debug)]
pub(crate) struct FileSink {
    installation: PathBuf,
    folder: String,
    targets: Vec<TargetSpec>,
    writers: Vec<Writer>,
}

impl FileSink {
    pub(crate) fn new(installation: PathBuf, folder: String, writers: Vec<Writer>) -> Self {
        Self { installation, folder, targets: writers.iter().map(spec).collect(), writers }
    }

    /// The target of that name; where none is declared, every name is one.
    fn writer(&self, target: &str) -> Result<Writer> {
        if self.writers.is_empty() {
            return Writer::undeclared(target, &self.installation, &self.folder);
        }
        self.writers.iter().find(|w| w.name == target).cloned().ok_or_else(|| {
            let names: Vec<_> = self.writers.iter().map(|w| w.name.as_str()).collect();
            let error = Error::config(format!("no target of this account is called `{target}`"));
            error.advise(milkrun_core::diagnostic::did_you_mean(target, &names))
        })
    }
}

fn spec(writer: &Writer) -> TargetSpec {
    TargetSpec {
        name: writer.name.clone(),
        title: Title::new(format!("the file {}", writer.file), format!("文件 {}", writer.file)),
        endpoint: writer.file.to_string(),
        idempotency: Idempotency::CommittedLength,
        only_new: false,
        batch: BATCH,
        fields: Vec::new(),
        notes: Vec::new(),
    }
}

#[async_trait]
impl AppendSink for FileSink {
    fn targets(&self) -> &[TargetSpec] {
        &self.targets
    }

    fn target(&self, name: &str) -> Option<TargetSpec> {
        self.writer(name).ok().map(|writer| spec(&writer))
    }

    async fn check(&self) -> Result<()> {
        let mut writers = self.writers.clone();
        if writers.is_empty() {
            writers.push(Writer::undeclared("milkrun", &self.installation, &self.folder)?);
        }
        blocking(move || {
            writers.iter().try_for_each(|writer| {
                let probed = probe(&writer.file.full());
                probed.map_err(|e| doing("the file cannot be written", e).with("file", &writer.file))
            })
        })
        .await
    }

    async fn existing(&self, target: &str) -> Result<Existing> {
        let writer = self.writer(target)?;
        blocking(move || existing(&writer)).await.map_err(|e| e.with("target", target))
    }

    async fn open(&self, target: &str, committed: Option<&str>) -> Result<Box<dyn Appender>> {
        let writer = self.writer(target)?;
        let committed = committed.map(str::to_owned);
        let opened = blocking(move || FileAppender::open(&writer, committed.as_deref()));
        Ok(Box::new(opened.await.map_err(|e| e.with("target", target))?))
    }
}
