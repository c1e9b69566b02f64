//! Backfills beside a flow's runs: whoever has the lease reads them, and they count in nobody's verdict but their own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use milkrun_core::state::{OpenBackfill, StateStore, Verdict};
use milkrun_core::stream::{StreamSpec, WindowSpec};
use milkrun_core::{Context, Error, ErrorKind, Page, PageRequest, Result, SinkKind, Source};
use milkrun_testkit::sample_stream;
use milkrun_testkit::sinks::MemoryAppend;
use milkrun_testkit::world::World;

use crate::backfill::{Backfill, Opened, backfill_open};
use crate::flow::{Stop, Work};
use crate::live::Quiet;
use crate::report::{Kind, Report};
use crate::run::run;
use crate::told::Setting;

/// Sixty rows of the last six hours, of which the flow itself reads the last one.
struct Past {
    setting: Setting,
    medium: MemoryAppend,
    began: Timestamp,
}

impl Past {
    fn new() -> Self {
        let window = WindowSpec { longest: Duration::from_mins(30), ..WindowSpec::beijing("modified") };
        let mut setting = Setting::appending(StreamSpec { window: Some(window), ..sample_stream() }, "");
        let began = setting.clock.now();
        let world = World::new(7, setting.flow.stream.clone(), 60, began, Duration::from_hours(6));
        let medium = MemoryAppend::new(7);
        setting.flow.source = Arc::new(world);
        setting.flow.sink = SinkKind::Appends(Arc::new(medium.clone()));
        setting.flow.span.since = Some(began - SignedDuration::from_hours(1));
        Self { setting, medium, began }
    }

    async fn open(&self, hours: std::ops::Range<i64>, share: u8) -> Result<Opened> {
        let ago = |hours| self.began - SignedDuration::from_hours(hours);
        let ask = Backfill { from: ago(hours.end), until: Some(ago(hours.start)), share };
        backfill_open(&self.setting.flow, &self.setting.around, &ask).await
    }

    async fn run(&self, work: Work) -> Report {
        run(&self.setting.flow, &self.setting.around, &work, &mut Stop::new().1, &Quiet).await.unwrap()
    }

    async fn left(&self) -> Option<OpenBackfill> {
        self.setting.store.flows().await.unwrap().remove(0).backfill
    }
}

#[tokio::test(start_paused = true)]
async fn live_runs_read_a_backfill_beside_their_own_slices() {
    let past = Past::new();
    past.setting.clock.sleep(Duration::from_mins(10)).await;
    let opened = past.open(1..7, 50).await.unwrap();
    assert_eq!(opened.slices, 12);
    let left = past.left().await.unwrap();
    assert_eq!((left.from, left.until, left.slices), (opened.from, opened.until, 12));
    let (mut n_runs, mut proved) = (0, 0);
    while past.left().await.is_some() {
        n_runs += 1;
        let report = past.run(Work::Due).await;
        assert_eq!((report.verdict, report.kind), (Verdict::Reconciled, Kind::Run), "{report:?}");
        assert_eq!((report.counts.open_slices, report.open.len()), (0, 0));
        proved += report.backfill.unwrap().proved;
        past.setting.clock.sleep(Duration::from_mins(5)).await;
        assert!(n_runs < 60, "the backfill does not get on");
    }
    assert!(proved >= 12, "{proved} in {n_runs} runs");
    assert!(n_runs > 1, "a run ends when its own slices are done");
    assert_eq!(past.medium.lines().len(), 60);
    assert_eq!(past.run(Work::Due).await.backfill, None);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_its_own_reads_all_of_it_and_leaves_the_flow_where_it_was() {
    let past = Past::new();
    past.setting.clock.sleep(Duration::from_mins(10)).await;
    // Before the flow has ever run: what it reads itself later is there already.
    past.open(0..7, 20).await.unwrap();
    let report = past.run(Work::Backfill).await;
    assert_eq!((report.verdict, report.kind, report.backfill), (Verdict::Reconciled, Kind::Backfill, None));
    assert_eq!((report.counts.new, past.left().await), (60, None));
    let flow = past.setting.store.flows().await.unwrap().remove(0);
    assert_eq!((flow.planned, flow.last_run.unwrap().id), (Vec::new(), 1));
    let report = past.run(Work::Due).await;
    assert_eq!((report.verdict, report.counts.new), (Verdict::Reconciled, 0));
    assert!(report.counts.unchanged > 0);
    // A second time, for the sake of it.
    past.open(2..4, 100).await.unwrap();
    let report = past.run(Work::Backfill).await;
    assert_eq!((report.verdict, report.counts.new, past.medium.lines().len()), (Verdict::Reconciled, 0, 60));
}

#[tokio::test(start_paused = true)]
async fn a_second_backfill_reads_what_is_open_of_the_first_as_a_part_of_it() {
    let past = Past::new();
    let slices = async |hours, share| past.open(hours, share).await.unwrap().slices;
    assert_eq!(slices(2..4, 20).await, 4);
    assert_eq!(slices(2..4, 20).await, 4);
    assert_eq!(past.left().await.unwrap().slices, 4);
    assert_eq!(slices(1..4, 50).await, 6);
    assert_eq!(past.left().await.unwrap().slices, 6);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_refused_before_anything_is_written() {
    let mut past = Past::new();
    let kind = |outcome: Result<Opened>| outcome.unwrap_err().kind();
    assert_eq!(kind(past.open(1..2, 0).await), ErrorKind::ConfigInvalid);
    assert_eq!(kind(past.open(1..2, 101).await), ErrorKind::ConfigInvalid);
    assert_eq!(kind(past.open(2..2, 20).await), ErrorKind::ConfigInvalid);
    assert_eq!(kind(past.open(-2..-1, 20).await), ErrorKind::ConfigInvalid);
    assert!(past.setting.store.flows().await.unwrap().is_empty());
    let lease = past.setting.store.acquire("flow", past.began).await.unwrap();
    assert_eq!(kind(past.open(1..2, 20).await), ErrorKind::Busy);
    past.setting.store.release(lease).await.unwrap();
    past.setting.flow.stream.window = None;
    assert_eq!(kind(past.open(1..2, 20).await), ErrorKind::ConfigInvalid);
    assert_eq!(past.left().await, None);
}

/// A vendor that keeps its rows for three hours and refuses to be asked for more.
#[derive(Debug)]
struct Forgetful(World, Timestamp);

#[async_trait]
impl Source for Forgetful {
    fn streams(&self) -> &[StreamSpec] {
        self.0.streams()
    }

    async fn check(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn read_page(&self, cx: &Context, ask: PageRequest<'_>) -> Result<Page> {
        if ask.slice.window.unwrap().from < self.1 {
            return Err(Error::new(ErrorKind::Forbidden, "too long ago"));
        }
        assert_eq!(
            (&*cx.party().name, cx.party().share),
            if ask.slice.window.unwrap().from < self.1 + HOURS { ("flow:backfill", 30) } else { ("flow", 100) }
        );
        self.0.read_page(cx, ask).await
    }
}

/// From what the vendor has forgotten to what the flow reads itself.
const HOURS: SignedDuration = SignedDuration::from_hours(2);

#[tokio::test(start_paused = true)]
async fn a_backfill_that_fails_fails_no_run_but_its_own() {
    let mut past = Past::new();
    let world = World::new(7, past.setting.flow.stream.clone(), 60, past.began, Duration::from_hours(6));
    past.setting.flow.source = Arc::new(Forgetful(world, past.began - SignedDuration::from_hours(3)));
    past.setting.clock.sleep(Duration::from_mins(10)).await;
    past.open(1..5, 30).await.unwrap();
    for _ in 0..3 {
        let report = past.run(Work::Due).await;
        assert_eq!((report.verdict, &report.reason), (Verdict::Reconciled, &None));
        let beside = report.backfill.unwrap();
        assert!(
            beside.open >= 4 && beside.set_aside.iter().all(|open| open.why.contains("too long ago")),
            "{beside:?}"
        );
    }
    let report = past.run(Work::Backfill).await;
    assert_eq!((report.verdict, report.error_kind.as_deref()), (Verdict::Failed, Some("forbidden")));
    assert!(past.left().await.unwrap().slices >= 4);
}
