//! The limiter under a paused clock, seed by seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::*;
use crate::clock::{Clock, SystemClock};

/// A small generator, so that the delays are the same on every machine.
struct Seeded(u64);
impl Seeded {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::starting_at(Timestamp::UNIX_EPOCH))
}

/// The most arrivals in any window of that length, both ends included.
fn fullest(arrivals: &[Duration], per: Duration) -> usize {
    let inside = |a: Duration, end: Duration| a <= end && end.saturating_sub(a) <= per;
    arrivals.iter().map(|&end| arrivals.iter().filter(|&&a| inside(a, end)).count()).max().unwrap_or(0)
}

/// Sends for `span` through limiters that share a log, and returns the arrivals at the vendor.
async fn send(seed: u64, quota: Quota, span: Duration, n_limiters: usize, longest_ms: u64) -> Vec<Duration> {
    let log: Arc<dyn QuotaLog> = Arc::new(MemoryQuotaLog::default());
    let clock = clock();
    let start = tokio::time::Instant::now();
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..n_limiters {
        let limiter =
            Arc::new(Limiter::new("a", &QuotaSpec::account(quota.clone()), Arc::clone(&log), Arc::clone(&clock)));
        for m in 0..8 {
            let (limiter, arrivals) = (Arc::clone(&limiter), Arc::clone(&arrivals));
            let mut random = Seeded(seed * 1000 + n as u64 * 100 + m);
            senders.spawn(async move {
                loop {
                    let permit = limiter.acquire(&Party::default(), "x").await.unwrap();
                    if start.elapsed() >= span {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(random.below(longest_ms))).await;
                    arrivals.lock().unwrap().push(start.elapsed());
                    tokio::time::sleep(Duration::from_millis(random.below(longest_ms))).await;
                    drop(permit);
                }
            });
        }
    }
    senders.join_all().await;
    let mut arrivals = Arc::try_unwrap(arrivals).unwrap().into_inner().unwrap();
    arrivals.sort();
    arrivals
}

#[tokio::test(start_paused = true)]
async fn no_sliding_window_is_ever_exceeded() {
    let quota = Quota::per_second(5).and(100, Duration::from_mins(1));
    for seed in 0..40 {
        for (n_limiters, longest_ms) in [(1, 30), (2, 400), (3, 3000)] {
            let arrivals = send(seed, quota.clone(), Duration::from_secs(125), n_limiters, longest_ms).await;
            for rate in &quota.rates {
                let most = fullest(&arrivals, rate.per);
                assert!(most <= rate.calls as usize, "seed {seed}: {most} calls in {:?}", rate.per);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nearly_all_allowed_calls_are_used() {
    let quota = Quota::per_second(5).and(100, Duration::from_mins(1));
    for seed in 0..10 {
        let n_calls = send(seed, quota.clone(), Duration::from_secs(125), 2, 30).await.len();
        // 225 are possible: 100 in each of the first two minutes, 25 in the last five seconds.
        assert!(n_calls >= 223, "seed {seed}: {n_calls}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_every_caller() {
    let clock = clock();
    let spec = QuotaSpec::account(Quota::per_second(100));
    let limiter = Limiter::new("a", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
    limiter.pause(Duration::from_secs(7));
    limiter.acquire(&Party::default(), "x").await.unwrap();
    assert!(clock.now() >= Timestamp::UNIX_EPOCH + SignedDuration::from_secs(7));
    let spec = QuotaSpec::account(Quota::unlimited());
    let limiter = Limiter::new("b", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
    limiter.pause(Duration::from_secs(7));
    limiter.acquire(&Party::default(), "x").await.unwrap();
    assert!(clock.now() >= Timestamp::UNIX_EPOCH + SignedDuration::from_secs(14));
}

#[tokio::test(start_paused = true)]
async fn a_full_endpoint_does_not_hold_up_the_others() {
    let clock = clock();
    let mut spec = QuotaSpec::account(Quota::per_second(100));
    spec.endpoints.insert("slow".into(), Quota::unlimited().and(1, Duration::from_mins(1)));
    let limiter = Limiter::new("a", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
    drop(limiter.acquire(&Party::default(), "slow").await.unwrap());
    let party = Party::default();
    tokio::select! {
        biased;
        _ = limiter.acquire(&party, "slow") => panic!("the second call in a minute"),
        permit = limiter.acquire(&party, "fast") => drop(permit.unwrap()),
    }
    assert!(clock.now() < Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn what_holds_a_party_up_is_told_while_its_calls_wait() {
    let clock = clock();
    let spec = QuotaSpec::account(Quota::unlimited().and(1, Duration::from_mins(1)));
    let limiter = Limiter::new("a", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
    let (one, other) = (Party::new("one"), Party::new("other"));
    limiter.pause(Duration::from_secs(7));
    let second = Duration::from_secs(1);
    assert_eq!(limiter.held_up("one", second), None, "none of its calls waits");
    let told = |party: &str| {
        let held = limiter.held_up(party, second)?;
        let left = held.until.unwrap().duration_since(clock.now());
        assert_eq!(limiter.held_up(party, Duration::from_mins(1)), None, "it does not last so long");
        Some((held.by, left.as_secs()))
    };
    tokio::select! {
        biased;
        permit = limiter.acquire(&one, "x") => drop(permit.unwrap()),
        () = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!((told("one"), told("other")), (Some((HeldBy::Vendor, 5)), None));
            std::future::pending::<()>().await;
        } => {}
    }
    assert_eq!(told("one"), None);
    tokio::select! {
        biased;
        permit = limiter.acquire(&other, "x") => drop(permit.unwrap()),
        () = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!((told("other"), told("one")), (Some((limit(None, false), 50)), None));
            std::future::pending::<()>().await;
        } => {}
    }
}

/// One call a minute, for the whole account or for one endpoint, or a share of it.
fn limit(endpoint: Option<&str>, is_share: bool) -> HeldBy {
    let rate = Some(Rate { calls: 1, per: Duration::from_secs(if is_share { 120 } else { 60 }) });
    HeldBy::Limit(Limit { endpoint: endpoint.map(str::to_owned), is_share, rate })
}

#[tokio::test(start_paused = true)]
async fn the_limit_that_is_full_is_told() {
    let minute = || Quota::per_second(9).and(1, Duration::from_mins(1));
    let wide = || Quota::per_second(9);
    let half = Party { share: 50, ..Party::new("p") };
    let cases = [
        (minute(), wide(), Party::new("p"), limit(None, false)),
        (wide(), minute(), Party::new("p"), limit(Some("e"), false)),
        (minute(), wide(), half.clone(), limit(None, true)),
        (wide(), minute(), half, limit(Some("e"), true)),
    ];
    for (account, endpoint, party, expected) in cases {
        let clock = clock();
        // Another endpoint's name that begins alike, and one for which the limit is as wide.
        let endpoints = [("e".to_owned(), endpoint), ("e2".to_owned(), wide())];
        let spec = QuotaSpec { account, endpoints: BTreeMap::from(endpoints) };
        let limiter = Limiter::new("a", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock));
        drop(limiter.acquire(&party, "e").await.unwrap());
        let told = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                // A share is asked for when the whole has room.
                if let Some(held) = limiter.held_up("p", Duration::from_secs(30))
                    && held.by == expected
                {
                    return held.account;
                }
            }
        };
        tokio::select! {
            biased;
            _ = limiter.acquire(&party, "e") => panic!("{expected:?}: a second call before its time"),
            account = told => assert_eq!(account, "a"),
        }
        assert_eq!(limiter.held_up_first(Duration::ZERO), None, "nothing urgent waits");
    }
}

/// One call of a party: when it was asked for, and when it was let through.
#[derive(Clone, Debug)]
struct Served {
    party: usize,
    asked: usize,
    through: usize,
}

/// Parties with so many callers each ask for `span`; what is returned is in the order in which it was let through.
async fn contend(seed: u64, quota: Quota, parties: &[(usize, u8)], span: Duration) -> Vec<Served> {
    let clock = clock();
    let spec = QuotaSpec::account(quota);
    let limiter = Arc::new(Limiter::new("a", &spec, Arc::new(MemoryQuotaLog::default()), clock));
    let start = tokio::time::Instant::now();
    let served = Arc::new(Mutex::new(Vec::new()));
    let mut senders = tokio::task::JoinSet::new();
    for (party, &(n_callers, share)) in parties.iter().enumerate() {
        for n in 0..n_callers {
            let (limiter, served) = (Arc::clone(&limiter), Arc::clone(&served));
            let mut random = Seeded(seed * 1000 + party as u64 * 100 + n as u64);
            senders.spawn(async move {
                let name = Party { share, ..Party::new(&format!("party {party}")) };
                loop {
                    let asked = served.lock().unwrap().len();
                    let permit = limiter.acquire(&name, "x").await.unwrap();
                    if start.elapsed() >= span {
                        return;
                    }
                    {
                        let mut served = served.lock().unwrap();
                        let through = served.len();
                        served.push(Served { party, asked, through });
                    }
                    tokio::time::sleep(Duration::from_millis(random.below(60))).await;
                    drop(permit);
                }
            });
        }
    }
    senders.join_all().await;
    Arc::try_unwrap(served).unwrap().into_inner().unwrap()
}

fn calls_of(served: &[Served], party: usize) -> usize {
    served.iter().filter(|call| call.party == party).count()
}

#[tokio::test(start_paused = true)]
async fn parties_share_fairly_however_many_calls_they_ask_for() {
    for seed in 0..8 {
        let quota = Quota::per_second(5).and(100, Duration::from_mins(1));
        let served = contend(seed, quota, &[(16, 100), (4, 100), (2, 100)], Duration::from_mins(10)).await;
        let shares: Vec<_> = (0..3).map(|party| calls_of(&served, party)).collect();
        let fair = served.len() / 3;
        // Two callers cannot ask again before they have their answers, so a burst has a few calls for the others.
        assert!(shares.iter().all(|&calls| calls >= fair * 9 / 10), "seed {seed}: {shares:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_party_waits_for_more_than_twice_its_fair_share() {
    for seed in 0..20 {
        let rated = Quota::per_second(5).and(60, Duration::from_mins(1));
        for (quota, secs) in [(rated, 180), (Quota::unlimited().at_once(3), 5)] {
            let parties = [(8, 100), (1, 100), (1, 100), (30, 100), (2, 100)];
            let served = contend(seed, quota, &parties, Duration::from_secs(secs)).await;
            for party in 0..parties.len() {
                assert!(calls_of(&served, party) > 0, "seed {seed}: party {party} got nothing");
                // While a party waits, each of its calls is let through among twice as many as there are parties.
                let mut last = 0;
                for call in served.iter().filter(|call| call.party == party) {
                    let among = call.through - call.asked.max(last);
                    assert!(among <= 2 * parties.len(), "seed {seed}: {among} calls before {call:?}");
                    last = call.through;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_share_bounds_its_party_in_every_window_and_leaves_the_rest() {
    let quota = Quota::per_second(5).and(100, Duration::from_mins(1));
    for seed in 0..5 {
        let alone = contend(seed, quota.clone(), &[(8, 20)], Duration::from_secs(599)).await;
        // Of 20 a minute, all but what the answers take.
        assert!((196..=200).contains(&alone.len()), "seed {seed}: {}", alone.len());
        let beside = contend(seed, quota.clone(), &[(8, 20), (8, 100)], Duration::from_secs(599)).await;
        let (bounded, full) = (calls_of(&beside, 0), calls_of(&beside, 1));
        assert!((150..=200).contains(&bounded), "seed {seed}: {bounded}");
        assert!(bounded + full >= 990, "seed {seed}: {bounded} and {full}");
    }
}

#[test]
fn a_part_of_a_quota_is_never_nothing_and_never_too_much() {
    let quota = Quota::per_second(5).and(100, Duration::from_mins(1)).at_once(4).percent(10);
    let rate = |calls, per| Rate { calls, per };
    assert_eq!(quota.rates, [rate(1, Duration::from_secs(2)), rate(10, Duration::from_mins(1))]);
    assert_eq!(quota.concurrency, 1);
    let whole = Quota::per_second(7).at_once(9);
    assert_eq!(whole.percent(100), whole);
    assert_eq!(whole.percent(0), whole.percent(1));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_goes_before_all_that_waits() {
    let clock = clock();
    let spec = QuotaSpec::account(Quota::unlimited().and(1, Duration::from_secs(10)));
    let limiter = Arc::new(Limiter::new("a", &spec, Arc::new(MemoryQuotaLog::default()), Arc::clone(&clock)));
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let limiter = Arc::clone(&limiter);
        waiting.spawn(async move { drop(limiter.acquire(&Party::new("data"), "x").await.unwrap()) });
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(limiter.acquire_first("token").await.unwrap());
    assert!(clock.now() < Timestamp::UNIX_EPOCH + SignedDuration::from_secs(11));
    waiting.shutdown().await;
    // None of those that were given up counts as under way.
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(limiter.left().await.unwrap().unwrap().0, 1);
}

/// A log that answers late.
#[derive(Debug, Default)]
struct Late(MemoryQuotaLog);

#[async_trait::async_trait]
impl QuotaLog for Late {
    async fn enter(&self, lanes: &[Lane], now: Timestamp) -> crate::Result<Admission> {
        let admission = self.0.enter(lanes, now).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        admission
    }

    fn leave(&self, ticket: u64, now: Timestamp) {
        self.0.leave(ticket, now);
    }

    async fn left(&self, lane: &Lane, now: Timestamp) -> crate::Result<Vec<u32>> {
        self.0.left(lane, now).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_gone_leaves_no_call_under_way() {
    let spec = QuotaSpec::account(Quota::unlimited().and(1, Duration::from_secs(1)));
    let limiter = Limiter::new("a", &spec, Arc::new(Late::default()), clock());
    let gone = tokio::time::timeout(Duration::from_millis(500), limiter.acquire(&Party::default(), "x")).await;
    assert!(gone.is_err());
    let permit = tokio::time::timeout(Duration::from_secs(10), limiter.acquire(&Party::default(), "x")).await;
    assert!(permit.is_ok());
}
