//! Several channels: each has its own mark, and one that fails is told by the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use milkrun_alerts::{Channel, ChannelKind, Facts, Lang, Settings};
use milkrun_core::Secret;
use milkrun_core::state::Verdict::{Failed, Reconciled};
use milkrun_testkit::http::{FixtureServer, Reply};

use crate::support::{HOUR, MINUTE, World, flow, hook, runs, serve, told};

fn told_by(server: &FixtureServer) -> Vec<String> {
    server.requests().iter().flat_map(told).collect()
}

#[tokio::test]
async fn a_channel_that_fails_blocks_no_other_and_catches_up() {
    let is_down = Arc::new(AtomicBool::new(true));
    let down = Arc::clone(&is_down);
    let broken =
        serve(
            move |_| {
                if down.load(Ordering::Relaxed) { Reply::new(503, "text/plain", "down") } else { Reply::json("{}") }
            },
        )
        .await;
    let mut world = World::new(|settings| settings.channels.insert(0, hook("boss", &broken))).await;
    for i in 0..40 {
        if i == 20 {
            world.restart();
        }
        world.tick(&runs(&[Failed])).await;
        world.clock.pass(MINUTE / 2);
    }
    // It is tried with growing pauses, and at once after the restart; after three failures the others tell it.
    let n_tries = broken.n_requests();
    assert!((4..=8).contains(&n_tries), "{n_tries}");
    assert_eq!(world.told(), ["began run-failed/orders", "began channel-failed/boss"]);
    let open = world.alerts.incidents(10).await.unwrap();
    let said = &open.iter().find(|incident| incident.id == "channel-failed/boss").unwrap().what;
    assert!(said.en.contains("the channel's server failed (http_status: 503"), "{}", said.en);
    assert!(said.zh.starts_with("通道 boss 无法发送消息：中文："), "{}", said.zh);
    is_down.store(false, Ordering::Relaxed);
    for _ in 0..70 {
        world.tick(&runs(&[Failed])).await;
        world.clock.pass(MINUTE / 2);
    }
    // Each channel was told exactly once; its own failure is no news for the channel itself.
    assert_eq!(told_by(&broken)[n_tries..], ["began run-failed/orders"]);
    assert_eq!(world.told(), ["began run-failed/orders", "began channel-failed/boss", "ended channel-failed/boss"]);
}

#[tokio::test]
async fn what_passed_while_a_channel_was_down_is_told_in_one_message() {
    let is_down = Arc::new(AtomicBool::new(true));
    let down = Arc::clone(&is_down);
    let broken = serve(move |_| if down.load(Ordering::Relaxed) { Reply::Abort } else { Reply::json("{}") }).await;
    let world = World::new(|settings| settings.channels = vec![hook("boss", &broken)]).await;
    world.tick(&runs(&[Failed])).await;
    world.clock.pass(HOUR);
    world.tick(&runs(&[Failed, Reconciled, Reconciled])).await;
    is_down.store(false, Ordering::Relaxed);
    world.clock.pass(HOUR);
    world.tick(&runs(&[Failed, Reconciled, Reconciled])).await;
    assert_eq!(told_by(&broken).last().unwrap(), "passed run-failed/orders");
    let n_requests = broken.n_requests();
    world.clock.pass(HOUR);
    world.tick(&runs(&[Failed, Reconciled, Reconciled])).await;
    assert_eq!(broken.n_requests(), n_requests);
}

#[tokio::test]
async fn a_refusal_is_told_at_once_and_settings_that_are_mended_are_tried_at_once() {
    let broken = serve(|_| Reply::json(r#"{"errcode":310000,"errmsg":"sign not match"}"#)).await;
    let robot = |url: &str| Channel {
        name: "boss".to_owned(),
        lang: Lang::Zh,
        kind: ChannelKind::DingTalk { webhook: Secret::new(url), secret: None, keyword: None },
    };
    let world = World::new(|settings| settings.channels.push(robot(broken.url()))).await;
    world.tick(&runs(&[Failed])).await;
    world.tick(&runs(&[Failed])).await;
    assert_eq!(world.told(), ["began run-failed/orders", "began channel-failed/boss"]);
    assert_eq!(broken.n_requests(), 1, "it would be refused again");
    let good = serve(|_| Reply::json(r#"{"errcode":0,"errmsg":"ok"}"#)).await;
    let mut settings: Settings = world.settings.clone();
    settings.channels[1] = robot(good.url());
    world.alerts.replace(settings).await;
    world.tick(&runs(&[Failed])).await;
    world.tick(&runs(&[Failed])).await;
    assert_eq!(good.n_requests(), 1);
    assert_eq!(world.told().last().unwrap(), "ended channel-failed/boss");
}

#[tokio::test]
async fn a_robot_gets_no_more_messages_than_it_takes_and_misses_nothing() {
    let robot = serve(|_| Reply::json(r#"{"errcode":0,"errmsg":"ok"}"#)).await;
    let webhook = Secret::new(format!("{}/send?access_token=t", robot.url()));
    let kind = ChannelKind::DingTalk { webhook, secret: None, keyword: None };
    let world = World::new(|settings| {
        settings.channels.push(Channel { name: "group".to_owned(), lang: Lang::Zh, kind });
    })
    .await;
    let mut facts = Facts::default();
    let mut n_most = 0;
    let mut sent = Vec::new();
    // Each second another flow has a dead letter.
    for second in 0..90 {
        let mut broken = flow(&format!("flow-{second}"));
        broken.dead_letters = 1;
        facts.flows.push(broken);
        world.tick(&facts).await;
        sent.push(robot.n_requests());
        let a_minute_ago = if second < 60 { 0 } else { sent[second - 60] };
        n_most = n_most.max(robot.n_requests() - a_minute_ago);
        world.clock.pass(Duration::from_secs(1));
    }
    assert!((10..=19).contains(&n_most), "{n_most}");
    world.clock.pass(2 * MINUTE);
    world.tick(&facts).await;
    let all: String = robot.requests().iter().map(|request| request.body.clone()).collect();
    for i in 0..90 {
        assert!(all.contains(&format!("flow-{i}：")), "flow-{i} is missing");
    }
    for request in robot.requests() {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert!(body["markdown"]["text"].as_str().unwrap().len() <= 20_000);
    }
}

#[tokio::test]
async fn a_flood_fits_into_one_message() {
    let robot = serve(|_| Reply::json(r#"{"errcode":0}"#)).await;
    let kind = ChannelKind::WeCom { webhook: Secret::new(format!("{}/send?key=k", robot.url())) };
    let world = World::new(|settings| {
        settings.channels = vec![Channel { name: "group".to_owned(), lang: Lang::Zh, kind }];
    })
    .await;
    let broken = |i: usize| {
        let mut broken = flow(&format!("flow-{i}"));
        broken.dead_letters = 3;
        broken
    };
    world.tick(&Facts { flows: (0..200).map(broken).collect(), ..Facts::default() }).await;
    let requests = robot.requests();
    let body: serde_json::Value = serde_json::from_str(&requests[0].body).unwrap();
    let content = body["markdown"]["content"].as_str().unwrap();
    assert!(content.len() <= 4096 && content.len() > 3000, "{}", content.len());
    assert!(content.starts_with("**200 条消息**") && content.contains("条：milkrun alerts list"), "{content}");
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn a_message_that_may_not_have_arrived_is_repeated_under_the_same_id() {
    let n_asked = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&n_asked);
    // The answer is lost the first time.
    let server = serve(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::Abort,
        _ => Reply::json("{}"),
    })
    .await;
    let world = World::new(|settings| settings.channels = vec![hook("ops", &server)]).await;
    world.tick(&runs(&[Failed])).await;
    world.clock.pass(MINUTE);
    world.tick(&runs(&[Failed])).await;
    let ids: Vec<_> = server.requests().iter().map(|r| r.header("x-milkrun-id").unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
}
