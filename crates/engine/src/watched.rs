//! What whoever watches a run is told, and what a run leaves behind that is killed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use milkrun_core::state::{StateStore, Verdict};
use milkrun_core::stream::{StreamSpec, WindowSpec};
use milkrun_testkit::sample_stream;
use milkrun_testkit::world::{Drift, World};

use crate::flow::{Stop, Stopper, Work};
use crate::live::{Observer, Progress, SliceNow};
use crate::report::{Kind, Report};
use crate::run::run;
use crate::told::Setting;

/// Remembers what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<(u64, u64, Vec<SliceNow>)>>);

impl Observer for Notes {
    fn progress(&self, now: &Progress<'_>) {
        assert_eq!(now.kind(), Kind::Run);
        assert!(now.started() <= "2026-08-01T05:00:00Z".parse().unwrap());
        self.0.lock().unwrap().push((now.id(), now.counts().records, now.slices(3)));
    }
}

/// Forty rows in windows of half an hour, two to a page, each page in a commit of its own.
fn setting(drift: Drift) -> Setting {
    let window = WindowSpec { longest: Duration::from_mins(30), ..WindowSpec::beijing("modified") };
    let mut setting = Setting::appending(StreamSpec { window: Some(window), ..sample_stream() }, "");
    let world = World::new(7, setting.flow.stream.clone(), 40, setting.clock.now(), Duration::from_hours(1));
    world.set_drift(drift);
    setting.flow.source = Arc::new(world);
    setting.flow.options.batch_pages = 1;
    setting
}

#[tokio::test(start_paused = true)]
async fn slices_are_told_with_how_far_they_are() {
    let setting = setting(Drift::default());
    setting.run().await;
    setting.clock.sleep(Duration::from_hours(1)).await;
    let notes = Notes::default();
    let report = run(&setting.flow, &setting.around, &Work::Due, &mut Stop::new().1, &notes).await.unwrap();
    assert_eq!((report.verdict, report.run, report.kind), (Verdict::Reconciled, 2, Kind::Run));
    let notes = notes.0.into_inner().unwrap();
    assert!(notes.iter().all(|(id, _, slices)| *id == 2 && slices.len() <= 3));
    let under_way: Vec<_> = notes.iter().flat_map(|(_, _, slices)| slices).filter(|slice| slice.pages > 0).collect();
    assert!(!under_way.is_empty());
    for slice in under_way {
        assert!(slice.window.is_some() && slice.records <= slice.pages * 2 && slice.why.is_none(), "{slice:?}");
    }
    assert_eq!(notes.last().unwrap().2, [], "in the end none is open");
}

#[tokio::test(start_paused = true)]
async fn slices_that_fail_are_told_with_the_reason() {
    let setting = setting(Drift { fail: 100, ..Drift::default() });
    let notes = Notes::default();
    let report = run(&setting.flow, &setting.around, &Work::Due, &mut Stop::new().1, &notes).await.unwrap();
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(!report.open.is_empty());
    for open in &report.open {
        assert!(open.window.is_some() && open.why.contains("the vendor is away"), "{open:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_has_left_word() {
    let setting = setting(Drift { slow: 100, ..Drift::default() });
    let (mut stop, notes) = (Stop::new().1, Notes::default());
    let life = run(&setting.flow, &setting.around, &Work::Due, &mut stop, &notes);
    assert!(tokio::time::timeout(Duration::from_mins(1), life).await.is_err(), "it is slow");
    setting.store.crash();
    let record = setting.store.runs(1, None, 1).await.unwrap().remove(0);
    assert_eq!((record.ended, record.verdict), (None, None));
    let report: Report = serde_json::from_str(&record.report).unwrap();
    assert_eq!((report.run, report.mapping.clone()), (record.id, Some(setting.flow.mapping.fingerprint())));
    assert!(report.counts.records > 0, "{report:?}");
    let told = notes.0.into_inner().unwrap().last().unwrap().1;
    assert!(report.counts.records <= told);
}

/// Asks the run to end as soon as no slice of it is open.
struct AtTheLast(Stopper);

impl Observer for AtTheLast {
    fn progress(&self, now: &Progress<'_>) {
        if now.slices(1).is_empty() {
            self.0.stop();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_before_it_plans_has_not_ended_by_itself() {
    let mut setting = setting(Drift { slow: 100, ..Drift::default() });
    setting.flow.options.concurrency = 1;
    let (mut stop, notes) = (Stop::new().1, Notes::default());
    let life = run(&setting.flow, &setting.around, &Work::Due, &mut stop, &notes);
    assert!(tokio::time::timeout(Duration::from_mins(1), life).await.is_err(), "it is slow");
    setting.store.crash();
    setting.clock.sleep(Duration::from_hours(1)).await;
    // It goes on with what was open, and plans the hour that has passed once that is done.
    let (stopper, mut stop) = Stop::new();
    let report = run(&setting.flow, &setting.around, &Work::Due, &mut stop, &AtTheLast(stopper)).await.unwrap();
    assert_eq!(report.open, []);
    assert_eq!((report.verdict, report.was_stopped()), (Verdict::Partial, true));
    assert!(report.reason.as_ref().unwrap().contains("stopped"), "{report:?}");
    // Without anything left to plan, it has ended by itself.
    setting.run().await;
    let (stopper, mut stop) = Stop::new();
    let report = run(&setting.flow, &setting.around, &Work::Due, &mut stop, &AtTheLast(stopper)).await.unwrap();
    assert_eq!((report.verdict, report.error_kind), (Verdict::Reconciled, None));
}
