//! What a token store promises.

use std::collections::BTreeMap;
use std::time::Duration;

use milkrun_core::token::{Begin, Token, TokenStore};
use milkrun_core::{ErrorKind, Secret};

use super::{Place, at, kind};

/// What a token store promises.
pub async fn token_store<S: TokenStore + ?Sized, P: Place<S>>(place: impl Fn() -> P) {
    a_token_comes_back_as_it_was(&place()).await;
    one_worker_renews_at_a_time(&place()).await;
    a_renewal_that_lost_its_lease_stores_nothing(&place()).await;
    an_unfinished_renewal_is_remembered(&place()).await;
    a_dead_workers_renewal_is_taken_over(&place()).await;
}
fn token(access: &str) -> Token {
    Token {
        access: Secret::new(access),
        refresh: Some(Secret::new("刷新-1")),
        obtained_at: at(0),
        expires_at: Some(at(2_592_000)),
        extra: BTreeMap::from([("session".to_owned(), Secret::new("cookie=1;"))]),
    }
}

const LASTS: Duration = Duration::from_mins(2);

fn started(begin: &Begin) -> (u64, bool) {
    match *begin {
        Begin::Started { fence, unfinished } => (fence, unfinished),
        Begin::Busy | Begin::Moved => panic!("{begin:?}"),
    }
}

/// Renews from `generation` without anything in the way.
async fn renew<S: TokenStore + ?Sized>(store: &S, account: &str, generation: u64, token: &Token) -> u64 {
    let begin = store.begin_renewal(account, generation, at(0), LASTS).await.unwrap();
    store.finish_renewal(account, started(&begin).0, token).await.unwrap()
}

async fn a_token_comes_back_as_it_was<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    assert!(store.load_token("km").await.unwrap().is_none());
    assert_eq!(renew(&*store, "km", 0, &token("first")).await, 1);
    assert_eq!(renew(&*store, "km", 1, &token("second")).await, 2);
    assert_eq!(renew(&*store, "yy", 0, &Token::new(Secret::new("other"), at(1))).await, 1);
    place.kill(store);
    let store = place.open();
    let held = store.load_token("km").await.unwrap().unwrap();
    assert_eq!((held.generation, held.token), (2, token("second")));
    let held = store.load_token("yy").await.unwrap().unwrap();
    assert_eq!((held.generation, held.token), (1, Token::new(Secret::new("other"), at(1))));
}

async fn one_worker_renews_at_a_time<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let (first, second) = (place.open(), place.open());
    let begin = first.begin_renewal("km", 0, at(0), LASTS).await.unwrap();
    let (fence, unfinished) = started(&begin);
    assert!(!unfinished);
    for other in [&first, &second] {
        assert_eq!(other.begin_renewal("km", 0, at(119), LASTS).await.unwrap(), Begin::Busy);
    }
    let elsewhere = second.begin_renewal("yy", 0, at(0), LASTS).await.unwrap();
    assert_eq!(started(&elsewhere).1, unfinished);
    assert!(first.load_token("km").await.unwrap().is_none());
    assert_eq!(first.finish_renewal("km", fence, &token("new")).await.unwrap(), 1);
    assert_eq!(second.begin_renewal("km", 0, at(1), LASTS).await.unwrap(), Begin::Moved);
    assert_eq!(second.begin_renewal("km", 7, at(1), LASTS).await.unwrap(), Begin::Moved);
    let begin = second.begin_renewal("km", 1, at(1), LASTS).await.unwrap();
    assert!(started(&begin).0 > fence);
}

async fn a_renewal_that_lost_its_lease_stores_nothing<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let (slow, quick) = (place.open(), place.open());
    assert_eq!(renew(&*slow, "km", 0, &token("first")).await, 1);
    let lost = started(&slow.begin_renewal("km", 1, at(0), LASTS).await.unwrap()).0;
    let begin = quick.begin_renewal("km", 1, at(120), LASTS).await.unwrap();
    let (fence, unfinished) = started(&begin);
    assert!(unfinished && fence > lost);
    assert_eq!(kind(slow.finish_renewal("km", lost, &token("lost")).await), Some(ErrorKind::Busy));
    slow.abandon_renewal("km", lost, false).await.unwrap();
    assert_eq!(slow.begin_renewal("km", 1, at(121), LASTS).await.unwrap(), Begin::Busy, "it is not the slow one's");
    assert_eq!(quick.finish_renewal("km", fence, &token("second")).await.unwrap(), 2);
    assert_eq!(kind(quick.finish_renewal("km", fence, &token("again")).await), Some(ErrorKind::Busy));
    assert_eq!(kind(quick.finish_renewal("unknown", fence, &token("x")).await), Some(ErrorKind::Busy));
    let held = slow.load_token("km").await.unwrap().unwrap();
    assert_eq!((held.generation, held.token), (2, token("second")));
}

async fn an_unfinished_renewal_is_remembered<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let store = place.open();
    let begin = async |generation| started(&store.begin_renewal("km", generation, at(0), LASTS).await.unwrap());
    for (unknown, unfinished) in [(false, false), (true, true), (false, false)] {
        let fence = begin(0).await.0;
        store.abandon_renewal("km", fence, unknown).await.unwrap();
        let (fence, remembered) = begin(0).await;
        assert_eq!(remembered, unfinished);
        store.abandon_renewal("km", fence, false).await.unwrap();
    }
    let fence = begin(0).await.0;
    store.abandon_renewal("km", fence, true).await.unwrap();
    let fence = begin(0).await.0;
    store.finish_renewal("km", fence, &token("new")).await.unwrap();
    assert!(!begin(1).await.1, "the intent was that of the earlier generation");
}

async fn a_dead_workers_renewal_is_taken_over<S: TokenStore + ?Sized>(place: &impl Place<S>) {
    let dead = place.open();
    let lost = started(&dead.begin_renewal("km", 0, at(0), LASTS).await.unwrap()).0;
    let living = place.open();
    assert_eq!(living.begin_renewal("km", 0, at(1), LASTS).await.unwrap(), Begin::Busy);
    place.kill(dead);
    let begin = living.begin_renewal("km", 0, at(1), LASTS).await.unwrap();
    let (fence, unfinished) = started(&begin);
    assert!(unfinished && fence > lost);
    assert_eq!(kind(living.finish_renewal("km", lost, &token("lost")).await), Some(ErrorKind::Busy));
    assert_eq!(living.finish_renewal("km", fence, &token("new")).await.unwrap(), 1);
}
