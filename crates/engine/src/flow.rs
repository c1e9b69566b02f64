//! A flow, ready to run: stream → mapping → target, with everything opened.

use std::sync::Arc;
use std::time::Duration;

use milkrun_core::state::{Journal, LedgerEntry, StateStore};
use milkrun_core::{Clock, Context, Error, Result, SinkKind, Source, StreamSpec, TargetSpec};
use milkrun_mapping::Mapping;

use crate::plan::Span;
use crate::prepare::{Mark, News};

/// One flow with its accounts opened and its mapping compiled.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The name: the file's name without its ending.
    pub name: String,
    /// What is read.
    pub stream: StreamSpec,
    /// Where it is read from.
    pub source: Arc<dyn Source>,
    /// The source account's surroundings.
    pub source_cx: Context,
    /// Where documents go.
    pub sink: SinkKind,
    /// The sink account's surroundings.
    pub sink_cx: Context,
    /// What they become there.
    pub target: TargetSpec,
    /// How records become documents.
    pub mapping: Arc<Mapping>,
    /// From when on, and how windows are cut.
    pub span: Span,
    /// How it runs.
    pub options: Options,
}

impl Flow {
    /// What is to be done with a record, given what the ledger knows of its key.
    pub(crate) fn news(&self, mark: &Mark, known: Option<&LedgerEntry>) -> News {
        match mark.news(known) {
            News::Changed if self.options.skip_changed => News::Unchanged,
            news => news,
        }
    }

    /// The same flow, whose calls are made in its own name: the flows of one account share its quota fairly.
    #[must_use]
    pub(crate) fn as_party(&self) -> Self {
        let in_its_name = |cx: &Context| cx.clone().as_party(&self.name);
        Self { source_cx: in_its_name(&self.source_cx), sink_cx: in_its_name(&self.sink_cx), ..self.clone() }
    }

    /// Checks what only shows when all parts are together.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting and the limit.
    pub fn validate(&self) -> Result<()> {
        let limits = self.stream.page_size;
        let size = self.options.page_size;
        if size < limits.min.max(1) || limits.max.is_some_and(|max| size > max) {
            let most = limits.max.map_or("any number".to_owned(), |max| max.to_string());
            return Err(Error::config("page_size is outside what the vendor allows")
                .with("page_size", size)
                .advise(format!("choose {} to {most} for `{}`", limits.min.max(1), self.stream.name)));
        }
        if self.stream.key.is_empty() {
            return Err(Error::config("the stream declares no key, so nothing could be proved")
                .with("stream", &self.stream.name)
                .advise("name the field or fields that tell one record from another"));
        }
        Ok(())
    }
}

/// How a flow runs. Each figure is bounded by what the vendor allows.
#[derive(Clone, Debug)]
pub struct Options {
    /// Records asked for per page.
    pub page_size: u32,
    /// Slices read side by side.
    pub concurrency: usize,
    /// Pages per commit, at most.
    pub batch_pages: usize,
    /// How long a page that was read waits for others before it is committed.
    pub batch_delay: Duration,
    /// How often a slice that cannot be split is read before it is left open.
    pub max_readings: u32,
    /// Deliveries under way at one time.
    pub sink_concurrency: usize,
    /// Documents per delivery; never more than the target takes.
    pub batch: u32,
    /// How often a delivery whose outcome is unknown is tried in one run.
    pub delivery_attempts: u32,
    /// Whether the pages are kept as they came. A target that is called needs them.
    pub journal: bool,
    /// Whether records that were delivered and have changed since are left as they were delivered.
    pub skip_changed: bool,
    /// How the keys that go with deliveries are made.
    pub keys: KeyRule,
    /// Whether a document that this flow has never sent is looked up before it is, at a target that forgets keys: for a
    /// flow that was renamed or begins anew, and whose documents were sent longer ago than the target remembers.
    pub ask_first: bool,
}

/// How the keys that a target remembers deliveries by are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRule {
    /// What the source is: its connector's name. Two systems may have accounts, streams and ids of the same name.
    pub system: String,
    /// Whether the source's key alone tells a document from every other one that is ever sent to the target, by whatever
    /// flow. An insert then carries it as it is, if it is short enough, and can be found by it at the target.
    pub plain: bool,
}

impl Options {
    /// The usual options for a stream and a target.
    pub fn usual(stream: &StreamSpec, target: &TargetSpec) -> Self {
        Self {
            page_size: stream.page_size.usual,
            concurrency: 8,
            batch_pages: 16,
            batch_delay: Duration::from_millis(20),
            max_readings: 6,
            sink_concurrency: 4,
            batch: target.batch,
            delivery_attempts: 5,
            journal: true,
            skip_changed: false,
            keys: KeyRule::default(),
            ask_first: false,
        }
    }
}

/// What a run works with beside its flow.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where the state is kept.
    pub store: Arc<dyn StateStore>,
    /// Where the pages are kept.
    pub journal: Arc<dyn Journal>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What a run takes its records from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// The source, from where the last run ended.
    Due,
    /// The source from the beginning: what was read and delivered is forgotten first, so that all is sent again.
    Anew,
    /// The spans of the past that are still to be read, see [`backfill`](mod@crate::backfill); nothing else.
    Backfill,
    /// Dead letters: these, or all of them.
    DeadLetters(Option<Vec<u64>>),
}

/// Asks a run to end early and in good order.
#[derive(Clone, Debug)]
pub struct Stop(tokio::sync::watch::Receiver<bool>);

/// The other end of [`Stop`].
#[derive(Debug)]
pub struct Stopper(tokio::sync::watch::Sender<bool>);

impl Stop {
    /// A pair: what asks, and what is asked.
    pub fn new() -> (Stopper, Self) {
        let (sender, receiver) = tokio::sync::watch::channel(false);
        (Stopper(sender), Self(receiver))
    }

    /// Whether the run should end.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when the run should end; never if nobody can ask any more.
    pub async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Stopper {
    /// Asks the run to end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
