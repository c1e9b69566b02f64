//! What a run says about itself when something goes wrong, when it is cut off, and when others use the same account.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use milkrun_core::connector::{AppendSink, Existing};
use milkrun_core::quota::{HeldBy, Limiter, MemoryQuotaLog};
use milkrun_core::state::{Stage, StateStore, Verdict};
use milkrun_core::stream::{Proof, StreamSpec, WindowSpec};
use milkrun_core::token::{Token, TokenPolicy, TokenSource, Vault};
use milkrun_core::transport::{Answer, Call, Protocol, Transport, TransportOptions, Wire, client};
use milkrun_core::{
    Appender, Clock, Context, Error, ErrorKind, Idempotency, Page, PageRequest, Quota, QuotaSpec, Result, SinkKind,
    Source, SystemClock, TargetSpec, Timestamp,
};
use milkrun_mapping::Mapping;
use milkrun_testkit::memory::{MemoryJournal, MemoryStore, MemoryTokens};
use milkrun_testkit::sample_stream;
use milkrun_testkit::sinks::{MemoryAppend, MemorySink, Trouble, sample_target};
use milkrun_testkit::world::World;

use crate::arrived::arrived;
use crate::flow::{Flow, Options, Stop, Surroundings, Work};
use crate::live::Quiet;
use crate::plan::Span;
use crate::report::Report;
use crate::run::run;

pub(crate) struct Setting {
    pub(crate) flow: Flow,
    pub(crate) store: MemoryStore,
    pub(crate) around: Surroundings,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Setting {
    /// Five rows that are read twice, two to a page.
    fn new(sink: SinkKind, target: TargetSpec, stream: StreamSpec, mapping: &str) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at("2026-08-01T03:00:00Z".parse().unwrap()));
        let world = World::new(7, stream.clone(), 5, clock.now(), Duration::from_hours(1));
        let options = Options { page_size: 2, delivery_attempts: 3, ..Options::usual(&stream, &target) };
        let flow = Flow {
            name: "flow".into(),
            source: Arc::new(world),
            source_cx: Context::local("source", Arc::clone(&clock)),
            sink,
            sink_cx: Context::local("sink", Arc::clone(&clock)),
            target,
            mapping: Arc::new(Mapping::compile_str(mapping).unwrap()),
            span: Span { since: Some("2026-08-01T00:00:00Z".parse().unwrap()), ..Span::default() },
            options,
            stream,
        };
        let store = MemoryStore::default();
        let around = Surroundings {
            store: Arc::new(store.clone()),
            journal: Arc::new(MemoryJournal::default()),
            clock: Arc::clone(&clock),
        };
        Self { flow, store, around, clock }
    }

    pub(crate) fn appending(stream: StreamSpec, mapping: &str) -> Self {
        let sink = SinkKind::Appends(Arc::new(MemoryAppend::new(7)));
        Self::new(sink, sample_target(Idempotency::CommittedLength, 1), stream, mapping)
    }

    pub(crate) async fn run(&self) -> Report {
        run(&self.flow, &self.around, &Work::Due, &mut Stop::new().1, &Quiet).await.unwrap()
    }
}

fn whole() -> StreamSpec {
    StreamSpec { window: None, proof: Proof::ReadTwice, ..sample_stream() }
}

/// Appends to nothing, and fails when it is told to.
#[derive(Clone, Debug, Default)]
struct Brittle(Arc<AtomicBool>);

#[async_trait]
impl AppendSink for Brittle {
    fn targets(&self) -> &[TargetSpec] {
        &[]
    }

    fn target(&self, _: &str) -> Option<TargetSpec> {
        None
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn existing(&self, _: &str) -> Result<Existing> {
        Ok(Existing::Nothing)
    }

    async fn open(&self, _: &str, _: Option<&str>) -> Result<Box<dyn Appender>> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Appender for Brittle {
    fn push(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    async fn sync(&mut self) -> Result<String> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Io, "the disk is full"));
        }
        Ok("mark".to_owned())
    }

    async fn finish(&mut self) -> Result<String> {
        self.sync().await
    }

    fn place(&self) -> String {
        "nowhere".to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_committed_is_not_counted() {
    let sink = Brittle::default();
    let target = sample_target(Idempotency::CommittedLength, 1);
    let setting = Setting::new(SinkKind::Appends(Arc::new(sink.clone())), target, whole(), "");
    // The mark at the beginning is made before the disk is full.
    setting.run().await;
    let setting = Setting { store: MemoryStore::default(), ..setting };
    let around = Surroundings { store: Arc::new(setting.store.clone()), ..setting.around.clone() };
    let lease = setting.store.acquire("flow", setting.clock.now()).await.unwrap();
    let mark = milkrun_core::state::Change::SinkMark("mark".to_owned());
    setting.store.commit(lease, vec![mark]).await.unwrap();
    setting.store.release(lease).await.unwrap();
    sink.0.store(true, Ordering::Relaxed);
    let report = run(&setting.flow, &around, &Work::Due, &mut Stop::new().1, &Quiet).await.unwrap();
    assert_eq!((report.verdict, report.error_kind.as_deref()), (Verdict::Failed, Some("io")));
    let counts = &report.counts;
    assert_eq!((counts.records, counts.new, counts.documents, counts.proved_slices), (0, 0, 0, 0), "{report:?}");
    sink.0.store(false, Ordering::Relaxed);
    let report = run(&setting.flow, &around, &Work::Due, &mut Stop::new().1, &Quiet).await.unwrap();
    let counts = &report.counts;
    assert_eq!((report.verdict, counts.new, counts.documents), (Verdict::Reconciled, 5, 5));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_read_twice_is_refused_once() {
    let only_two = "[fields]\nid = { from = \"id\", values = { \"1\" = \"one\", \"2\" = \"two\" } }";
    let setting = Setting::appending(whole(), only_two);
    for _ in 0..2 {
        let counts = setting.run().await.counts;
        assert_eq!(counts.records, 10, "each is read twice");
        let told = counts.new + counts.changed + counts.unchanged + counts.older + counts.filtered + counts.refused;
        assert_eq!((counts.refused, told), (3, 10), "{counts:?}");
        assert_eq!(setting.store.dead_letters(1, 0, 100).await.unwrap().len(), 3);
    }
    // Without a key too, where nothing else tells that it was there before.
    let keyless = Setting::appending(StreamSpec { key: vec!["number".into()], ..whole() }, "");
    let counts = keyless.run().await.counts;
    assert_eq!((counts.records, counts.refused, counts.unchanged), (10, 5, 5));
    assert_eq!(keyless.store.dead_letters(1, 0, 100).await.unwrap().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn restarts_plan_the_overlap_once() {
    let window = WindowSpec { longest: Duration::from_mins(30), ..WindowSpec::beijing("modified") };
    let setting = Setting::appending(StreamSpec { window: Some(window), ..sample_stream() }, "");
    let n_slices = async || {
        let lease = setting.store.acquire("flow", setting.clock.now()).await.unwrap();
        let state = setting.store.load(lease).await.unwrap();
        setting.store.release(lease).await.unwrap();
        (state.next_slice, state.planned[0].until)
    };
    // So that all rows are settled.
    setting.clock.sleep(Duration::from_mins(10)).await;
    let mut planned = Vec::new();
    for _ in 0..4 {
        let (stopper, mut stop) = Stop::new();
        stopper.stop();
        let report = run(&setting.flow, &setting.around, &Work::Due, &mut stop, &Quiet).await.unwrap();
        assert_eq!((report.verdict, report.error_kind.as_deref()), (Verdict::Partial, Some("interrupted")));
        planned.push(n_slices().await);
        setting.clock.sleep(Duration::from_secs(5)).await;
    }
    assert!(planned.iter().all(|first| *first == planned[0]), "{planned:?}");
    // The run that is let through reads what has become new as well.
    let report = setting.run().await;
    assert_eq!((report.verdict, report.counts.new), (Verdict::Reconciled, 5));
    let (next_slice, until) = n_slices().await;
    assert_eq!(next_slice, planned[0].0 + 1);
    assert!(until > planned[0].1);
}

/// A world that is reached by calls, of which nobody answers any.
#[derive(Debug)]
struct Called(World);

#[async_trait]
impl Source for Called {
    fn streams(&self) -> &[StreamSpec] {
        self.0.streams()
    }

    async fn check(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        let call = Call::form("orders.query", "http://127.0.0.1:1/", Vec::new()).not_idempotent().without_token();
        cx.call(call).await.unwrap_err();
        self.0.read_page(cx, ask).await
    }
}

#[derive(Debug)]
struct Plain;

impl Protocol for Plain {
    fn sign(&self, call: &Call, _: Option<&Token>, _: Timestamp) -> Result<Wire> {
        Ok(Wire::plain(call))
    }

    fn classify(&self, _: &Call, answer: &Answer) -> Result<()> {
        answer.http_ok()
    }
}

#[tokio::test(start_paused = true)]
async fn flows_of_one_account_count_their_own_calls() {
    let first = Setting::appending(whole(), "");
    let spec = QuotaSpec::account(Quota::unlimited());
    let limiter = Limiter::new("source", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&first.clock));
    let transport = Transport::new(client().unwrap(), Arc::new(Plain), limiter, None, TransportOptions::default());
    let cx = Context::new("source", Arc::clone(&first.clock), Arc::new(transport));
    let world = |n_rows| World::new(7, whole(), n_rows, first.clock.now(), Duration::from_hours(1));
    let flow = |name: &str, n_rows| Flow {
        name: name.into(),
        source: Arc::new(Called(world(n_rows))),
        source_cx: cx.clone(),
        sink: SinkKind::Appends(Arc::new(MemoryAppend::new(7))),
        ..first.flow.clone()
    };
    let (few, many) = (flow("few", 5), flow("many", 21));
    let (mut stop, mut stop_too) = (Stop::new().1, Stop::new().1);
    let (few, many) = tokio::join!(
        run(&few, &first.around, &Work::Due, &mut stop, &Quiet),
        run(&many, &first.around, &Work::Due, &mut stop_too, &Quiet)
    );
    let (few, many) = (few.unwrap(), many.unwrap());
    assert_eq!((few.calls, many.calls), (few.counts.pages, many.counts.pages));
    assert!(few.calls > 0 && many.calls > few.calls);
    assert_eq!(cx.transport().unwrap().stats().calls(), few.calls + many.calls);
}

/// A vendor that thinks for half a minute before it is asked for a token.
#[derive(Debug)]
struct Slow;

#[async_trait]
impl TokenSource for Slow {
    fn policy(&self) -> TokenPolicy {
        TokenPolicy { before_end: Duration::ZERO, longest_age: None, shortest_age: Duration::ZERO }
    }

    async fn grant(&self, cx: &Context) -> Result<Token> {
        cx.clock().sleep(Duration::from_secs(30)).await;
        let call = Call::form("token", "http://127.0.0.1:1/", Vec::new()).not_idempotent().without_token();
        Err(cx.call(call).await.unwrap_err())
    }

    async fn renew(&self, cx: &Context, _: &Token) -> Result<Token> {
        self.grant(cx).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_is_told_and_what_holds_it_up_itself() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(Timestamp::UNIX_EPOCH));
    let spec = QuotaSpec::account(Quota::unlimited());
    let limiter = Limiter::new("a", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
    let vault = Vault::new("a", Arc::new(MemoryTokens::default()), Arc::new(Slow), Arc::clone(&clock));
    let options = TransportOptions::default();
    let transport = Transport::new(client().unwrap(), Arc::new(Plain), limiter, Some(vault), options);
    let transport = Arc::new(transport);
    transport.limiter().pause(Duration::from_mins(2));
    let cx = Context::new("a", Arc::clone(&clock), Arc::clone(&transport)).as_party("flow");
    let told = async |secs| {
        clock.sleep(Duration::from_secs(secs)).await;
        let held = |party| transport.held_up(party, Duration::from_secs(5)).map(|held| (held.by, held.until));
        assert_eq!(held("other"), None, "it has no call that waits");
        held("flow")
    };
    let paused = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(2);
    let all = async { [told(4).await, told(10).await, told(30).await] };
    tokio::select! {
        biased;
        _ = cx.call(Call::form("orders", "http://127.0.0.1:1/", Vec::new())) => panic!("there is no token yet"),
        all = all => assert_eq!(
            all,
            [None, Some((HeldBy::Renewal, None)), Some((HeldBy::Vendor, Some(paused)))],
            "a short wait is not told"
        ),
    }
    assert_eq!(told(1).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_person_can_say_that_a_record_has_arrived() {
    for mapping in ["", "explode = \"lines\"\n[fields]\nid = \"id\"\nn = \"lines.n\""] {
        let target = sample_target(Idempotency::None, 2);
        let sink = MemorySink::new(7, target.clone());
        let setting = Setting::new(SinkKind::Calls(Arc::new(sink.clone())), target, whole(), mapping);
        sink.set_trouble(Trouble { lost_after: 100, ..Trouble::default() });
        assert_eq!(setting.run().await.verdict, Verdict::Partial);
        sink.set_trouble(Trouble::default());
        let letters = setting.store.dead_letters(1, 0, 100).await.unwrap();
        assert_eq!(letters.len(), 5);
        let say = |number, id: Option<&str>| arrived(&setting.flow, &setting.around, number, id.map(str::to_owned));
        assert_eq!(say(99, None).await.unwrap_err().kind(), ErrorKind::NotFound);
        if !mapping.is_empty() {
            assert_eq!(say(letters[0].id, Some("R")).await.unwrap_err().fact("documents"), Some("2"));
        }
        let n_documents: usize = sink.documents().values().map(Vec::len).sum();
        for letter in &letters {
            let id = mapping.is_empty().then_some("R7");
            assert_eq!(Some(say(letter.id, id).await.unwrap()), letter.key);
        }
        let report = setting.run().await;
        assert_eq!((report.verdict, report.counts.new), (Verdict::Reconciled, 0), "{report:?}");
        assert_eq!(sink.documents().values().map(Vec::len).sum::<usize>(), n_documents, "nothing was sent again");
        if mapping.is_empty() {
            let traced = setting.store.trace(letters[0].key.as_ref().unwrap()).await.unwrap();
            assert_eq!(traced[0].row.entry.remote_id.as_deref(), Some("R7"));
        }
    }
    // What was refused has not arrived.
    let target = sample_target(Idempotency::None, 2);
    let sink = MemorySink::new(7, target.clone());
    sink.set_trouble(Trouble { refuse: 100, ..Trouble::default() });
    let setting = Setting::new(SinkKind::Calls(Arc::new(sink)), target, whole(), "");
    setting.run().await;
    let letter = setting.store.dead_letters(1, 0, 1).await.unwrap().remove(0);
    assert_eq!(letter.stage, Stage::Target);
    let error = arrived(&setting.flow, &setting.around, letter.id, None).await.unwrap_err();
    assert_eq!(error.fact("stage"), Some("target"));
}
