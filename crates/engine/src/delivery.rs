//! What becomes of records that are refused, that explode, or whose outcome nobody knows.

use std::sync::Arc;
use std::time::Duration;

use milkrun_core::state::{Stage, StateStore, Verdict};
use milkrun_core::stream::{Proof, StreamSpec};
use milkrun_core::{Clock, Context, Idempotency, SinkKind, SystemClock};
use milkrun_mapping::Mapping;
use milkrun_testkit::memory::{MemoryJournal, MemoryStore};
use milkrun_testkit::sample_stream;
use milkrun_testkit::sinks::{MemorySink, Trouble, sample_target};
use milkrun_testkit::world::{Drift, World};

use crate::flow::{Flow, KeyRule, Options, Stop, Surroundings, Work};
use crate::live::Quiet;
use crate::plan::Span;
use crate::preview::{Fate, judge};
use crate::report::Report;
use crate::run::run;

struct Setting {
    flow: Flow,
    world: World,
    sink: MemorySink,
    store: MemoryStore,
    around: Surroundings,
}

impl Setting {
    fn new(idempotency: Idempotency, mapping: &str) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at("2026-08-01T03:00:00Z".parse().unwrap()));
        let stream = StreamSpec { window: None, proof: Proof::ReadTwice, ..sample_stream() };
        let world = World::new(7, stream.clone(), 5, clock.now(), Duration::from_hours(1));
        let target = sample_target(idempotency, 2);
        let sink = MemorySink::new(7, target.clone());
        let options = Options { delivery_attempts: 3, ..Options::usual(&stream, &target) };
        let flow = Flow {
            name: "flow".into(),
            stream,
            source: Arc::new(world.clone()),
            source_cx: Context::local("source", Arc::clone(&clock)),
            sink: SinkKind::Calls(Arc::new(sink.clone())),
            sink_cx: Context::local("sink", Arc::clone(&clock)),
            target,
            mapping: Arc::new(Mapping::compile_str(mapping).unwrap()),
            span: Span::default(),
            options,
        };
        let store = MemoryStore::default();
        let around = Surroundings {
            store: Arc::new(store.clone()),
            journal: Arc::new(MemoryJournal::default()),
            clock: Arc::clone(&clock),
        };
        Self { flow, world, sink, store, around }
    }

    async fn run(&self) -> Report {
        run(&self.flow, &self.around, &Work::Due, &mut Stop::new().1, &Quiet).await.unwrap()
    }

    async fn replay(&self) -> Report {
        run(&self.flow, &self.around, &Work::DeadLetters(None), &mut Stop::new().1, &Quiet).await.unwrap()
    }

    async fn stages(&self) -> Vec<Stage> {
        self.store.dead_letters(1, 0, 100).await.unwrap().into_iter().map(|letter| letter.stage).collect()
    }

    /// For each key, how many documents there are.
    fn n_documents(&self) -> Vec<usize> {
        self.sink.documents().values().map(Vec::len).collect()
    }
}

fn key() -> Idempotency {
    Idempotency::Key { field: "key".into(), max_len: 32, remembered_for: None, look_up: true }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_that_cannot_be_cleared_up_is_told_and_never_repeated() {
    let setting = Setting::new(Idempotency::None, "");
    setting.sink.set_trouble(Trouble { lost_after: 100, ..Trouble::default() });
    let report = setting.run().await;
    assert_eq!((report.verdict, report.counts.refused), (Verdict::Partial, 5));
    assert_eq!(setting.stages().await, [Stage::Unknown; 5]);
    setting.sink.set_trouble(Trouble::default());
    let report = setting.run().await;
    assert_eq!((report.verdict, report.counts.refused), (Verdict::Partial, 5));
    assert_eq!(setting.n_documents(), [1; 5], "sent once, and not again by itself");
    assert_eq!(setting.replay().await.verdict, Verdict::Reconciled);
    assert_eq!(setting.n_documents(), [2; 5], "a person said so");
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_is_not_sent_again_when_the_same_run_reads_it_again() {
    let mut setting = Setting::new(Idempotency::None, "");
    // Several pages are read twice, so that each record comes twice in one run.
    setting.flow.options.page_size = 2;
    setting.sink.set_trouble(Trouble { lost_after: 100, ..Trouble::default() });
    assert_eq!(setting.run().await.verdict, Verdict::Partial);
    assert_eq!(setting.n_documents(), [1; 5]);
    assert_eq!(setting.stages().await, [Stage::Unknown; 5]);
    setting.sink.set_trouble(Trouble::default());
    assert_eq!(setting.replay().await.verdict, Verdict::Reconciled);
    assert_eq!(setting.n_documents(), [2; 5], "a person said so");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_cleared_up_where_the_target_can_be_asked_or_told_twice() {
    let field = || "id".to_owned();
    let kinds = [
        key(),
        Idempotency::Unique { field: field(), look_up: true },
        Idempotency::Unique { field: field(), look_up: false },
        Idempotency::Skip { field: field() },
        Idempotency::Upsert { field: field() },
    ];
    for idempotency in kinds {
        let setting = Setting::new(idempotency, "");
        setting.sink.set_trouble(Trouble { lost_after: 100, ..Trouble::default() });
        let report = setting.run().await;
        let asked = matches!(setting.flow.target.idempotency, Idempotency::Unique { look_up: true, .. });
        assert_eq!(report.verdict, if asked { Verdict::Reconciled } else { Verdict::Partial }, "{report:?}");
        setting.sink.set_trouble(Trouble::default());
        assert_eq!(setting.run().await.verdict, Verdict::Reconciled);
        assert_eq!(setting.n_documents(), [1; 5]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_target_may_have_forgotten_is_asked_about_first() {
    let days = |n: u64| Duration::from_hours(24 * n);
    for (passed, asked) in [(days(26), false), (days(28), true), (days(400), true)] {
        let remembered_for = Some(days(30));
        let setting =
            Setting::new(Idempotency::Key { field: "key".into(), max_len: 32, remembered_for, look_up: true }, "");
        setting.sink.set_trouble(Trouble { lost_after: 100, ..Trouble::default() });
        assert_eq!(setting.run().await.verdict, Verdict::Partial);
        assert_eq!(setting.n_documents(), [1; 5]);
        setting.around.clock.sleep(passed).await;
        if asked {
            // Now the keys are as good as new to it.
            setting.sink.forget_keys();
            setting.sink.set_trouble(Trouble { look_up: 100, ..Trouble::default() });
            assert_eq!(setting.run().await.verdict, Verdict::Partial, "what cannot be asked about is not sent");
            assert_eq!(setting.n_documents(), [1; 5]);
        }
        setting.sink.set_trouble(Trouble::default());
        assert_eq!(setting.run().await.verdict, Verdict::Reconciled);
        assert_eq!((passed, setting.n_documents()), (passed, vec![1; 5]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_may_be_forgotten_by_a_target_that_cannot_be_asked_is_left_to_a_person() {
    let remembered_for = Some(Duration::from_hours(24 * 30));
    let idempotency = Idempotency::Key { field: "key".into(), max_len: 32, remembered_for, look_up: false };
    let mut setting = Setting::new(idempotency, "");
    setting.sink.set_trouble(Trouble { lost_after: 100, ..Trouble::default() });
    assert_eq!(setting.run().await.verdict, Verdict::Partial);
    setting.around.clock.sleep(Duration::from_hours(24 * 40)).await;
    setting.sink.forget_keys();
    setting.sink.set_trouble(Trouble::default());
    // To look first is no way out where nobody can be asked.
    setting.flow.options.ask_first = true;
    let report = setting.run().await;
    // Those of the outbox, and the same once more as they are read.
    assert_eq!((report.verdict, report.counts.refused), (Verdict::Partial, 10));
    assert_eq!(setting.stages().await, [Stage::Unknown; 5]);
    assert_eq!(setting.n_documents(), [1; 5], "none is sent under a key that is as good as new");
}

#[tokio::test(start_paused = true)]
async fn a_flow_under_another_name_doubles_nothing_and_leaves_nothing_stale() {
    let mut setting = Setting::new(key(), "");
    assert_eq!(setting.run().await.counts.new, 5);
    setting.world.set_drift(Drift { leave: 100, ..Drift::default() });
    setting.run().await;
    setting.world.set_drift(Drift::default());
    setting.flow.name = "renamed".into();
    let report = setting.run().await;
    assert_eq!((report.verdict, report.counts.new), (Verdict::Reconciled, 5), "{report:?}");
    let documents = setting.sink.documents();
    for row in setting.world.rows() {
        assert_eq!(documents[&row.id.to_string()], [row.text()], "one document, as it is now");
    }
    assert_eq!(setting.run().await.counts.unchanged, 5);
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_begins_anew_after_the_keys_are_forgotten_asks_first() {
    for ask_first in [false, true] {
        let remembered_for = Some(Duration::from_hours(24 * 30));
        let mut setting =
            Setting::new(Idempotency::Key { field: "key".into(), max_len: 32, remembered_for, look_up: true }, "");
        assert_eq!(setting.run().await.counts.new, 5);
        setting.world.set_drift(Drift { leave: 100, ..Drift::default() });
        setting.run().await;
        setting.world.set_drift(Drift::default());
        setting.sink.forget_keys();
        setting.flow.name = "renamed".into();
        setting.flow.options.ask_first = ask_first;
        let report = setting.run().await;
        assert_eq!(report.verdict, Verdict::Reconciled, "{report:?}");
        let n = if ask_first { 1 } else { 2 };
        assert_eq!(setting.n_documents(), [n; 5], "asked first: {ask_first}");
        if ask_first {
            let documents = setting.sink.documents();
            assert!(setting.world.rows().iter().all(|row| documents[&row.id.to_string()] == [row.text()]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keys_are_plain_where_the_flow_says_so_and_the_target_takes_them() {
    let idempotency_keys = async |keys: KeyRule, max_len: u32, name: &str| {
        let mut setting =
            Setting::new(Idempotency::Key { field: "key".into(), max_len, remembered_for: None, look_up: true }, "");
        setting.flow.options.keys = keys;
        setting.flow.name = name.into();
        setting.run().await;
        let rows = setting.world.rows();
        let mut keys = Vec::new();
        for row in rows {
            let trace = setting.store.trace(&milkrun_core::Key::of(&row.id.to_string())).await.unwrap();
            keys.push(trace[0].row.idempotency_key.clone().unwrap());
        }
        keys
    };
    let rule = |plain, system: &str| KeyRule { system: system.into(), plain };
    assert_eq!(idempotency_keys(rule(true, ""), 32, "flow").await, ["1", "2", "3", "4", "5"]);
    let hashed = idempotency_keys(rule(false, "km"), 32, "flow").await;
    assert!(hashed.iter().all(|key| key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit())), "{hashed:?}");
    assert_eq!(hashed, idempotency_keys(rule(false, "km"), 32, "another").await);
    assert_eq!(hashed, idempotency_keys(rule(true, "km"), 0, "flow").await, "too long for the target");
    assert_ne!(hashed, idempotency_keys(rule(false, "jst"), 32, "flow").await);
}

#[tokio::test(start_paused = true)]
async fn refused_records_are_replayed() {
    let setting = Setting::new(key(), "");
    setting.sink.set_trouble(Trouble { refuse: 100, ..Trouble::default() });
    assert_eq!(setting.run().await.verdict, Verdict::Partial);
    assert_eq!(setting.stages().await, [Stage::Target; 5]);
    let again = setting.replay().await;
    assert_eq!((again.verdict, again.counts.refused), (Verdict::Partial, 5));
    assert_eq!(setting.stages().await.len(), 5, "a letter that is refused again takes the place of the first");
    setting.sink.set_trouble(Trouble::default());
    let report = setting.replay().await;
    assert_eq!((report.verdict, report.counts.new), (Verdict::Reconciled, 5));
    assert!(setting.stages().await.is_empty());
    assert_eq!(setting.run().await.counts.unchanged, 5);
}

#[tokio::test(start_paused = true)]
async fn delivering_a_newer_version_settles_the_dead_letter() {
    let setting = Setting::new(key(), "");
    setting.sink.set_trouble(Trouble { refuse: 100, ..Trouble::default() });
    setting.run().await;
    setting.sink.set_trouble(Trouble::default());
    let report = setting.run().await;
    assert_eq!((report.verdict, report.counts.new), (Verdict::Reconciled, 5), "{report:?}");
    assert!(setting.stages().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_refuses_makes_dead_letters_and_the_others_go_on() {
    let setting =
        Setting::new(key(), "[fields]\nid = { from = \"id\", values = { \"1\" = \"one\", \"2\" = \"two\" } }");
    let report = setting.run().await;
    assert_eq!((report.counts.new, report.counts.refused), (2, 3));
    assert_eq!(setting.stages().await, [Stage::Mapping; 3]);
    let letter = &setting.store.dead_letters(1, 0, 1).await.unwrap()[0];
    assert!(letter.reason.contains("id"), "{}", letter.reason);
    assert!(letter.record.contains("\"amount\":0.10"), "the record is kept as it came");
}

#[tokio::test(start_paused = true)]
async fn what_is_previewed_is_what_happens() {
    let setting = Setting::new(key(), "filter = [ { field = \"id\", is_not = \"1\" } ]");
    let records = |setting: &Setting| {
        setting.world.rows().iter().map(|row| milkrun_core::Record::parse(row.text()).unwrap()).collect::<Vec<_>>()
    };
    let fates = |judged: Vec<crate::preview::Judged>| judged.into_iter().map(|j| j.fate).collect::<Vec<_>>();
    let before = fates(judge(&setting.flow, &setting.around, records(&setting)).await.unwrap());
    assert_eq!(before, [Fate::Filtered, Fate::New, Fate::New, Fate::New, Fate::New]);
    let report = setting.run().await;
    assert_eq!((report.counts.new, report.counts.filtered), (4, 1));
    setting.world.set_drift(Drift { flicker: 100, ..Drift::default() });
    setting.run().await;
    setting.world.set_drift(Drift::default());
    // What has vanished comes back in a newer version, which no run has seen.
    setting.world.settle(setting.around.clock.now());
    let after = fates(judge(&setting.flow, &setting.around, records(&setting)).await.unwrap());
    let n_changed = after.iter().filter(|fate| matches!(fate, Fate::Changed { remote_id: Some(_) })).count() as u64;
    let mut only_new = setting.flow.clone();
    only_new.target.only_new = true;
    let refused = fates(judge(&only_new, &setting.around, records(&setting)).await.unwrap());
    for (taken, refused) in after.iter().zip(&refused) {
        match taken {
            Fate::Changed { .. } => assert!(matches!(refused, Fate::Refused(_)), "{refused:?}"),
            other => assert_eq!(refused, other),
        }
    }
    assert!(n_changed > 0, "a test that shows nothing");
    let report = setting.run().await;
    assert_eq!(report.counts.changed, n_changed);
}

#[tokio::test(start_paused = true)]
async fn a_record_of_several_documents_is_done_when_all_of_them_are() {
    let setting =
        Setting::new(key(), "explode = \"lines\"\n[fields]\nid = \"id\"\nversion = \"version\"\nn = \"lines.n\"");
    setting.sink.set_trouble(Trouble { lost_after: 40, lost_before: 40, ..Trouble::default() });
    setting.run().await;
    setting.sink.set_trouble(Trouble::default());
    let report = setting.run().await;
    assert_eq!(report.verdict, Verdict::Reconciled, "{report:?}");
    assert_eq!(setting.n_documents(), [1; 10]);
    setting.world.set_drift(Drift { leave: 100, ..Drift::default() });
    setting.run().await;
    setting.world.set_drift(Drift::default());
    let report = setting.run().await;
    assert_eq!(report.verdict, Verdict::Reconciled);
    let documents = setting.sink.documents();
    for row in setting.world.rows() {
        for n in 0..2 {
            let expected = format!("{{\"id\":{},\"version\":{},\"n\":{}}}", row.id, row.version, n + 1);
            assert_eq!(documents[&format!("{}#{n}", row.id)], [expected]);
        }
    }
    assert_eq!(setting.run().await.counts.unchanged, 5);
}
