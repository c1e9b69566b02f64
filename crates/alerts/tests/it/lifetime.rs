//! An incident from its beginning to its end: told once, reminded of, held back in quiet hours, kept over a restart.

use milkrun_alerts::{About, Facts, QuietHours};
use milkrun_core::state::Verdict::{Failed, Reconciled, Unreconciled};

use crate::support::{HOUR, MINUTE, World, facts_of, flow, runs};

#[tokio::test]
async fn an_incident_is_told_once_and_its_end_once() {
    let world = World::new(|_| {}).await;
    world.tick(&runs(&[Reconciled])).await;
    assert!(world.told().is_empty());
    // It fails for three hours, and is looked at every half minute.
    for i in 0..360 {
        world.clock.pass(MINUTE / 2);
        let bad = [Reconciled].into_iter().chain(std::iter::repeat_n(Failed, 1 + i / 20)).collect::<Vec<_>>();
        world.tick(&runs(&bad)).await;
    }
    assert_eq!(world.told(), ["began run-failed/orders"]);
    for _ in 0..60 {
        world.clock.pass(MINUTE / 2);
        world.tick(&runs(&[Failed, Reconciled, Reconciled])).await;
    }
    assert_eq!(world.told(), ["began run-failed/orders", "ended run-failed/orders"]);
    let all = world.alerts.incidents(10).await.unwrap();
    assert_eq!((all.len(), all[0].is_open()), (1, false));
    assert_eq!(all[0].about, About::Flow("orders".to_owned()));
}

#[tokio::test]
async fn a_flow_that_fails_every_other_time_is_one_incident() {
    let world = World::new(|_| {}).await;
    let mut all = Vec::new();
    for i in 0..40 {
        all.push(if i % 2 == 0 { Failed } else { Reconciled });
        world.clock.pass(10 * MINUTE);
        world.tick(&runs(&all)).await;
    }
    assert_eq!(world.told(), ["began run-failed/orders"]);
    for _ in 0..3 {
        all.push(Reconciled);
        world.clock.pass(10 * MINUTE);
        world.tick(&runs(&all)).await;
    }
    assert_eq!(world.told(), ["began run-failed/orders", "ended run-failed/orders"]);
}

#[tokio::test]
async fn what_swings_around_a_bound_is_one_incident() {
    let world = World::new(|_| {}).await;
    let lag_of = |minutes: u32| {
        let mut orders = flow("orders");
        orders.up_to = Some(milkrun_core::Clock::now(&world.clock) - MINUTE * minutes);
        facts_of(orders)
    };
    // Two hours beyond the ten minutes of the timetable; it lets go at four fifths of that.
    for minutes in [125, 129, 131, 125, 131, 110, 131] {
        world.clock.pass(MINUTE);
        world.tick(&lag_of(minutes)).await;
    }
    assert_eq!(world.told(), ["began lag/orders"]);
    world.tick(&lag_of(100)).await;
    assert_eq!(world.told(), ["began lag/orders", "ended lag/orders"]);
}

#[tokio::test]
async fn people_are_reminded_of_what_stays_open() {
    let world = World::new(|settings| settings.remind = 6 * HOUR).await;
    for _ in 0..26 {
        world.tick(&runs(&[Failed])).await;
        world.clock.pass(HOUR);
    }
    let mut expected = vec!["began run-failed/orders"];
    expected.extend(["reminder run-failed/orders"; 4]);
    assert_eq!(world.told(), expected);
}

#[tokio::test]
async fn a_restart_neither_repeats_nor_forgets() {
    let mut world = World::new(|_| {}).await;
    world.tick(&runs(&[Failed])).await;
    for _ in 0..3 {
        world.restart();
        world.clock.pass(MINUTE);
        world.tick(&runs(&[Failed])).await;
    }
    assert_eq!(world.told(), ["began run-failed/orders"]);
    // It ends, and the program ends before that is told.
    world.alerts.look(&runs(&[Failed, Reconciled, Reconciled])).await.unwrap();
    world.restart();
    world.tick(&runs(&[Failed, Reconciled, Reconciled])).await;
    world.restart();
    world.tick(&runs(&[Failed, Reconciled, Reconciled])).await;
    assert_eq!(world.told(), ["began run-failed/orders", "ended run-failed/orders"]);
    assert_eq!(world.alerts.incidents(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_comes_again_is_a_new_incident() {
    let world = World::new(|_| {}).await;
    for verdicts in
        [&[Unreconciled][..], &[Unreconciled, Reconciled, Reconciled], &[Reconciled, Reconciled, Unreconciled]]
    {
        world.clock.pass(HOUR);
        world.tick(&runs(verdicts)).await;
    }
    let id = "run-unreconciled/orders";
    assert_eq!(world.told(), [format!("began {id}"), format!("ended {id}"), format!("began {id}")]);
    assert_eq!(world.alerts.incidents(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn quiet_hours_hold_back_and_end_in_one_digest() {
    let world = World::new(|settings| settings.quiet_hours = QuietHours::parse("22:00-08:00")).await;
    let with = |n_letters: u64, failed: bool| {
        let mut facts = runs(if failed { &[Failed] } else { &[Failed, Reconciled, Reconciled] });
        facts.flows[0].dead_letters = n_letters;
        facts
    };
    // Told in the evening, so that its end is news in the morning.
    world.tick(&with(0, true)).await;
    world.clock.set("2026-11-27T22:00:00+08:00");
    let mut night = flow("stock");
    night.dead_letters = 4;
    let mut facts = with(7, false);
    facts.flows.push(night.clone());
    world.tick(&facts).await;
    // What began in the night and is well again before the morning is no news.
    world.clock.set("2026-11-28T03:00:00+08:00");
    facts.flows[1].dead_letters = 0;
    world.tick(&facts).await;
    world.clock.set("2026-11-28T07:59:59+08:00");
    world.tick(&facts).await;
    assert_eq!(world.hook.n_requests(), 1, "the night is quiet");
    let waiting = world.alerts.deliver().await.unwrap();
    assert_eq!(waiting.again_at, Some("2026-11-28T08:00:00+08:00".parse().unwrap()));
    world.clock.set("2026-11-28T08:00:00+08:00");
    world.tick(&facts).await;
    world.tick(&facts).await;
    assert_eq!(world.hook.n_requests(), 2, "one digest");
    assert_eq!(world.told(), ["began run-failed/orders", "began dead-letters/orders", "ended run-failed/orders"]);
    // It is listed all the same.
    let all = world.alerts.incidents(10).await.unwrap();
    assert_eq!(all.iter().filter(|incident| incident.id == "dead-letters/stock").count(), 1);
}

#[tokio::test]
async fn a_flow_that_is_gone_ends_its_incidents() {
    let world = World::new(|_| {}).await;
    world.tick(&runs(&[Failed])).await;
    world.tick(&Facts::default()).await;
    assert_eq!(world.told(), ["began run-failed/orders", "ended run-failed/orders"]);
}

#[tokio::test]
async fn the_numbers_of_a_reminder_are_those_of_now() {
    let world = World::new(|_| {}).await;
    let letters = |n| {
        let mut orders = flow("orders");
        orders.dead_letters = n;
        facts_of(orders)
    };
    world.tick(&letters(1)).await;
    world.clock.pass(25 * HOUR);
    world.tick(&letters(812)).await;
    let last = &world.hook.requests()[1].body;
    assert!(last.contains("812 records were refused") && last.contains("\"documents\":812"), "{last}");
}
