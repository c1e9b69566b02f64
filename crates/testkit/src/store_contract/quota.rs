//! What a log of calls promises.

use std::time::Duration;

use jiff::Timestamp;
use milkrun_core::quota::{Admission, Full, Lane, Quota, QuotaLog};

use super::{Place, at, ms};

/// What a log of calls promises.
pub async fn quota_log<S: QuotaLog + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    a_window_runs_from_the_answer(&place()).await;
    all_windows_hold_together(&place()).await;
    calls_under_way_count(&place()).await;
    a_call_enters_all_lanes_or_none(&place()).await;
    old_calls_are_forgotten(&place()).await;
}

/// What a log of calls promises that outlives its processes.
pub async fn lasting_quota_log<S: QuotaLog + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    workers_share_a_window(&place()).await;
    a_window_survives_a_restart(&place()).await;
    calls_of_a_dead_worker_end_when_it_is_noticed(&place()).await;
}
fn lane(name: &str, quota: Quota) -> Lane {
    Lane { name: name.into(), quota }
}

/// Enters one lane that must have room.
async fn enter<S: QuotaLog + ?Sized>(log: &S, lane: &Lane, now: Timestamp) -> u64 {
    match log.enter(std::slice::from_ref(lane), now).await.unwrap() {
        Admission::Entered(ticket) => ticket,
        Admission::Wait { full, .. } => panic!("{} is full: {full:?}", lane.name),
    }
}

/// Why one lane has no room, which must be full.
async fn full<S: QuotaLog + ?Sized>(log: &S, lane: &Lane, now: Timestamp) -> Full {
    match log.enter(std::slice::from_ref(lane), now).await.unwrap() {
        Admission::Entered(_) => panic!("{} has room", lane.name),
        Admission::Wait { full, .. } => full,
    }
}

/// The milliseconds to wait for it.
async fn wait<S: QuotaLog + ?Sized>(log: &S, lane: &Lane, now: Timestamp) -> u128 {
    full(log, lane, now).await.wait.as_millis()
}

async fn a_window_runs_from_the_answer<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let lane = lane("km", Quota::per_second(2));
    assert_eq!(log.left(&lane, at(0)).await.unwrap(), [2]);
    let (a, b) = (enter(&*log, &lane, at(0)).await, enter(&*log, &lane, at(0)).await);
    assert_ne!(a, b);
    log.leave(a, ms(at(0), 400));
    log.leave(b, ms(at(0), 600));
    assert_eq!(log.left(&lane, ms(at(0), 600)).await.unwrap(), [0]);
    // Both ends of a window count, so it is free one millisecond after it.
    assert_eq!(wait(&*log, &lane, ms(at(0), 600)).await, 801);
    assert_eq!(wait(&*log, &lane, ms(at(1), 400)).await, 1);
    assert_eq!(log.left(&lane, ms(at(1), 401)).await.unwrap(), [1]);
    let c = enter(&*log, &lane, ms(at(1), 401)).await;
    log.leave(c, ms(at(1), 450));
    assert_eq!(wait(&*log, &lane, ms(at(1), 450)).await, 151);
}

async fn all_windows_hold_together<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let lane = lane("km", Quota::per_second(2).and(3, Duration::from_mins(1)));
    for n in 0..3 {
        let ticket = enter(&*log, &lane, at(n)).await;
        log.leave(ticket, at(n));
    }
    assert_eq!(log.left(&lane, ms(at(2), 500)).await.unwrap(), [1, 0]);
    let of_minute = Full { rate: Some(lane.quota.rates[1]), wait: Duration::from_millis(50_001) };
    assert_eq!(full(&*log, &lane, at(10)).await, of_minute, "the rate that lasts longest is told");
    let ticket = enter(&*log, &lane, ms(at(60), 1)).await;
    log.leave(ticket, ms(at(61), 300));
    let ticket = enter(&*log, &lane, ms(at(61), 301)).await;
    log.leave(ticket, ms(at(61), 301));
    assert_eq!(full(&*log, &lane, ms(at(61), 500)).await.rate, Some(lane.quota.rates[0]));
}

async fn calls_under_way_count<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let few = lane("few", Quota::unlimited().at_once(1));
    let rated = lane("rated", Quota::unlimited().and(1, Duration::from_secs(1)));
    for lane in [few, rated] {
        let ticket = enter(&*log, &lane, at(0)).await;
        assert!(wait(&*log, &lane, at(3600)).await > 0, "{} has no answer yet", lane.name);
        assert_eq!(full(&*log, &lane, at(3600)).await.rate, lane.quota.rates.first().copied());
        log.leave(ticket, at(3600));
        enter(&*log, &lane, ms(at(3601), 1)).await;
    }
}

async fn a_call_enters_all_lanes_or_none<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let account = lane("km", Quota::per_second(5));
    let endpoint = lane("km/slow", Quota::unlimited().and(1, Duration::from_mins(1)));
    let both = [account.clone(), endpoint.clone()];
    let Admission::Entered(ticket) = log.enter(&both, at(0)).await.unwrap() else { panic!("both are free") };
    log.leave(ticket, at(0));
    for _ in 0..10 {
        let full = Full { rate: Some(both[1].quota.rates[0]), wait: Duration::from_millis(60_001) };
        assert_eq!(log.enter(&both, at(0)).await.unwrap(), Admission::Wait { lane: 1, full });
    }
    assert_eq!(log.left(&account, at(0)).await.unwrap(), [4], "a call that waits is counted nowhere");
    for _ in 0..4 {
        enter(&*log, &account, at(0)).await;
    }
    assert!(matches!(log.enter(&both, at(0)).await.unwrap(), Admission::Wait { lane: 0, .. }));
}

async fn old_calls_are_forgotten<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let log = place.open();
    let lane = lane("km", Quota::per_second(1));
    let mut tickets = std::collections::BTreeSet::new();
    for n in 0..200 {
        let ticket = enter(&*log, &lane, at(n * 100)).await;
        assert!(tickets.insert(ticket), "a ticket is given once");
        log.leave(ticket, at(n * 100));
        assert_eq!(wait(&*log, &lane, at(n * 100)).await, 1001);
    }
}

async fn workers_share_a_window<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let (first, second) = (place.open(), place.open());
    let lane = lane("km", Quota::per_second(2));
    let a = enter(&*first, &lane, at(0)).await;
    let b = enter(&*second, &lane, at(0)).await;
    assert_ne!(a, b);
    assert!(wait(&*first, &lane, at(0)).await > 0);
    second.leave(b, at(1));
    first.leave(a, at(2));
    // What a worker has left is counted in its own next question, and then by everybody.
    assert_eq!(first.left(&lane, at(2)).await.unwrap().len(), 1);
    assert_eq!(second.left(&lane, at(2)).await.unwrap(), [0]);
    assert_eq!(wait(&*second, &lane, at(2)).await, 1);
    assert_eq!(second.left(&lane, ms(at(2), 1)).await.unwrap(), [1]);
}

async fn a_window_survives_a_restart<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let lane = lane("km", Quota::unlimited().and(3, Duration::from_mins(1)));
    let log = place.open();
    for n in 0..3 {
        let ticket = enter(&*log, &lane, at(n)).await;
        log.leave(ticket, at(n));
    }
    place.kill(log);
    let log = place.open();
    assert_eq!(log.left(&lane, at(30)).await.unwrap(), [0]);
    assert_eq!(wait(&*log, &lane, at(30)).await, 30_001);
    enter(&*log, &lane, ms(at(60), 1)).await;
}

async fn calls_of_a_dead_worker_end_when_it_is_noticed<S: QuotaLog + ?Sized>(place: &impl Place<S>) {
    let (dead, living) = (place.open(), place.open());
    let lane = lane("km", Quota::unlimited().and(2, Duration::from_mins(1)));
    for n in 0..2 {
        enter(&*dead, &lane, at(n)).await;
    }
    assert!(wait(&*living, &lane, at(300)).await > 0, "they are under way");
    place.kill(dead);
    assert_eq!(wait(&*living, &lane, at(300)).await, 60_001);
    enter(&*living, &lane, ms(at(360), 1)).await;
    enter(&*living, &lane, ms(at(360), 1)).await;
}
