//! `写入空操作`: records are kept as JSON Lines, so that other flows can look them up, and nobody is called.

use std::collections::HashSet;
use std::mem;
use std::path::{Path, PathBuf};

use milkrun_core::declared::{check_name, title_or_name};
use milkrun_core::stream::Title;
use milkrun_core::{AppendSink, Appender, Error, ErrorKind, Existing, Idempotency, Result, TargetSpec, async_trait};

use crate::config::{KeptConfig, NoopConfig};
use crate::ids::IdRule;
use crate::kept::{Kept, digest, existing, probe};

/// How many documents are worth one sync.
const BATCH: u32 = 1000;

/// A folder in which records are kept.
#[derive(Debug)]
pub(crate) struct NoopSink {
    folder: PathBuf,
    declared: Vec<KeptConfig>,
    specs: Vec<TargetSpec>,
}

impl NoopSink {
    pub(crate) fn new(config: &NoopConfig, installation: &Path) -> Self {
        let spec = |target: &KeptConfig| spec(&target.name, target.title.as_ref(), target.id_check);
        Self {
            folder: installation.join(&config.folder),
            declared: config.targets.clone(),
            specs: config.targets.iter().map(spec).collect(),
        }
    }

    fn path(&self, target: &str) -> PathBuf {
        self.folder.join(format!("{target}.jsonl"))
    }
}

fn spec(name: &str, title: Option<&Title>, id_check: bool) -> TargetSpec {
    let note = Title::new(
        "idCheck: a document whose id is kept already is refused, so that a changed record becomes a dead letter.",
        "idCheck：已保存的 id 再次写入会被拒绝，变更的记录进入死信。",
    );
    TargetSpec {
        name: name.to_owned(),
        title: title_or_name(title, name),
        endpoint: format!("{name}.jsonl"),
        idempotency: Idempotency::CommittedLength,
        only_new: id_check,
        batch: BATCH,
        fields: Vec::new(),
        notes: if id_check { vec![note] } else { Vec::new() },
    }
}

#[async_trait]
impl AppendSink for NoopSink {
    fn targets(&self) -> &[TargetSpec] {
        &self.specs
    }

    fn target(&self, name: &str) -> Option<TargetSpec> {
        if self.declared.is_empty() {
            return check_name(name).is_ok().then(|| spec(name, None, false));
        }
        self.specs.iter().find(|target| target.name == name).cloned()
    }

    async fn check(&self) -> Result<()> {
        let folder = self.folder.clone();
        blocking(move || probe(&folder)).await
    }

    async fn existing(&self, target: &str) -> Result<Existing> {
        let path = self.path(target);
        blocking(move || existing(&path)).await.map_err(|error| error.with("target", target))
    }

    async fn open(&self, target: &str, committed: Option<&str>) -> Result<Box<dyn Appender>> {
        if self.target(target).is_none() {
            let names: Vec<_> = self.declared.iter().map(|declared| declared.name.as_str()).collect();
            let error = Error::config(format!("no target of this account is called `{target}`"));
            return Err(error.advise(milkrun_core::diagnostic::did_you_mean(target, &names)));
        }
        let declared = self.declared.iter().find(|declared| declared.name == target);
        let rule = declared.map(|declared| (declared.ids(), declared.id_check));
        let (path, committed) = (self.path(target), committed.map(str::to_owned));
        let opened = blocking(move || {
            let mut kept = Kept::open(&path, committed.as_deref())?;
            let known = match &rule {
                Some((ids, true)) => Some(kept.ids(ids)?),
                _ => None,
            };
            let rule = rule.map(|(ids, _)| ids);
            Ok(KeptAppender { shown: path.display().to_string(), rule, known, buffer: Vec::new(), kept: Some(kept) })
        });
        Ok(Box::new(opened.await.map_err(|error| error.with("target", target))?))
    }
}

/// An open file, and the lines that are not on it yet.
#[derive(Debug)]
struct KeptAppender {
    shown: String,
    rule: Option<IdRule>,
    /// The digests of the ids that are kept, where they are checked.
    known: Option<HashSet<u128>>,
    buffer: Vec<u8>,
    /// `None` while a sync is under way, and after one that was abandoned.
    kept: Option<Kept>,
}

impl KeptAppender {
    /// The line of a document, and the digest of its id if ids are minded.
    fn line(&self, document: &str) -> Result<(String, Option<u128>)> {
        let (id, document) = match &self.rule {
            Some(rule) => rule.apply(document).map(|(id, document)| (Some(digest(&id)), document))?,
            None => (None, document.to_owned()),
        };
        // In JSON, line breaks stand between values only; inside texts they are escaped.
        Ok((document.replace(['\n', '\r'], " "), id))
    }
}

#[async_trait]
impl Appender for KeptAppender {
    fn push(&mut self, documents: &[&str]) -> Result<()> {
        let mut fresh = HashSet::new();
        let mut lines = Vec::new();
        for document in documents {
            let (line, id) = self.line(document)?;
            if let (Some(id), Some(known)) = (id, &self.known)
                && (known.contains(&id) || !fresh.insert(id))
            {
                let message = "a document with this id is kept already (idCheck)";
                return Err(Error::new(ErrorKind::Refused, message)
                    .advise("set `id_check = false` if the last one of an id should count"));
            }
            lines.push(line);
        }
        for line in lines {
            self.buffer.extend_from_slice(line.as_bytes());
            self.buffer.push(b'\n');
        }
        if let Some(known) = &mut self.known {
            known.extend(fresh);
        }
        Ok(())
    }

    /// After an error the lines are still here, and a further call tries again.
    async fn sync(&mut self) -> Result<String> {
        let Some(mut kept) = self.kept.take() else {
            return Err(Error::new(ErrorKind::Interrupted, "an earlier writing of the file was abandoned")
                .with("file", &self.shown));
        };
        let lines = mem::take(&mut self.buffer);
        let (kept, lines, marked) = blocking(move || {
            let appended = if lines.is_empty() { Ok(()) } else { kept.append(&lines) };
            let is_kept = appended.is_ok();
            let marked = appended.and_then(|()| kept.mark());
            Ok((kept, if is_kept { Vec::new() } else { lines }, marked))
        })
        .await?;
        self.kept = Some(kept);
        self.buffer = lines;
        marked
    }

    /// The file is whole after each sync, so there is nothing more to do.
    async fn finish(&mut self) -> Result<String> {
        self.sync().await
    }

    fn place(&self) -> String {
        self.kept.as_ref().map_or_else(|| self.shown.clone(), |kept| kept.path().display().to_string())
    }
}

/// Does what may block beside the other work of the process.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| match e.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(e) => Err(Error::new(ErrorKind::Interrupted, "the process is ending").caused_by(e)),
    })
}
