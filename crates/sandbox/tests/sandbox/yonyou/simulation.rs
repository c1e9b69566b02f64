//! Many senders under tokio's paused clock, with time-outs after the effect: each key makes exactly one document.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use milkrun_sandbox::yonyou::Settings;
use milkrun_sandbox::{Carried, Fault, FaultRule, Received};
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::yonyou::client::{Client, NOON, PURCHASE, order, settings};

const SENDERS: u32 = 6;
const DOCUMENTS: u32 = 40;

/// One delivery as the page's client rule has it; `key` gives the key of each attempt.
async fn deliver(client: &Client, start: Instant, key: &dyn Fn(u32) -> String) {
    for attempt in 0.. {
        let now = NOON * 1_000 + i64::try_from(start.elapsed().as_millis()).unwrap();
        client.control().set_clock(Timestamp::from_millisecond(now).unwrap());
        let outcome = client.outcome(PURCHASE, &order(&key(attempt), "1"));
        let limit = Duration::from_secs(20);
        tokio::time::sleep(outcome.took.min(limit)).await;
        let answer = match outcome.carried {
            Carried::Whole(answer) if outcome.took <= limit => answer,
            _ => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                continue;
            }
        };
        let done = [r#""code":"200""#, r#""code":"100004""#];
        if answer.status == 200 && done.iter().any(|code| answer.body.contains(code)) {
            return;
        }
        let again = [r#""code":"202""#, r#""code":"310504""#];
        assert!(again.iter().any(|code| answer.body.contains(code)), "{}", answer.body);
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// Each document is delivered by two senders at once, as after a crash whose process lives on.
async fn run(seed: u64, key: fn(u32, u32) -> String) -> Vec<Received> {
    let client = Rc::new(Client::new(Settings {
        seed,
        n_documents: 0,
        latency: Duration::from_millis(300),
        jitter: Duration::from_secs(2),
        token_life: Duration::from_hours(1_000),
        ..settings()
    }));
    let slow = |secs| Fault::Slow { delay: Duration::from_secs(secs) };
    for (fault, every) in [(Fault::LostAnswer, 5), (slow(25), 7), (slow(40), 11), (Fault::Reset, 13), (Fault::Cut, 17)]
    {
        client.control().add_fault(FaultRule::new(fault).every(every).method(PURCHASE));
    }
    let start = Instant::now();
    let senders = LocalSet::new();
    for sender in 0..SENDERS {
        let client = client.clone();
        senders.spawn_local(async move {
            for document in (0..DOCUMENTS).filter(|document| [0, 1].contains(&((document + sender) % (SENDERS / 2)))) {
                deliver(&client, start, &|attempt| key(document, attempt)).await;
                tokio::time::sleep(Duration::from_mins(7)).await;
            }
        });
    }
    senders.await;
    client.received("purchase-order")
}

#[tokio::test(start_paused = true)]
async fn one_key_for_a_document_makes_one_document() {
    for seed in 0..5 {
        let received = run(seed, |document, _| format!("D{document}")).await;
        assert_eq!(received.len(), DOCUMENTS as usize);
        assert!(received.iter().all(|received| received.ids.len() == 1 && received.calls >= 2), "{received:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_for_each_attempt_makes_doubles() {
    let received = run(1, |document, attempt| format!("D{document}-{attempt}")).await;
    let documents: usize = received.iter().map(|received| received.ids.len()).sum();
    assert!(documents > DOCUMENTS as usize, "{documents}");
}

#[tokio::test(start_paused = true)]
async fn a_simulation_is_the_same_each_time() {
    let again = |key: fn(u32, u32) -> String| run(3, key);
    assert_eq!(again(|document, _| format!("D{document}")).await, again(|document, _| format!("D{document}")).await);
}
