//! The simulator without a socket behaves as the one behind it.

use std::time::Duration;

use milkrun_sandbox::kuaimai::{self, Settings};
use milkrun_sandbox::{Carried, Fault, FaultRule, InProcess, Outcome};
use serde_json::Value;

use crate::kuaimai::client::{beijing, encode, send, settings, signed, start};

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

fn body(now_ms: i64) -> String {
    let now = beijing(now_ms);
    let fields = [
        ("method", "item.list.query"),
        ("appKey", "100001"),
        ("timestamp", now.as_str()),
        ("format", "json"),
        ("version", "1.0"),
        ("sign_method", "md5"),
        ("session", "sandbox-access-token"),
    ];
    encode(&signed(fields.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()))
}

fn ask(vendor: &InProcess) -> Outcome {
    let body = body(vendor.control().now().as_millisecond());
    vendor.call("POST", vendor.path(), &[("Content-Type", FORM)], body.as_bytes())
}

#[tokio::test]
async fn it_answers_as_the_server_does() {
    let vendor = kuaimai::in_process(settings());
    let sandbox = start(settings()).await;
    let served = send(&sandbox, "POST", "/router", FORM, &body(sandbox.control().now().as_millisecond())).await;
    let Carried::Whole(answer) = ask(&vendor).carried else { panic!("nothing was to go wrong") };
    assert_eq!(answer.body, served.unwrap().body);
    assert_eq!((answer.status, answer.content_type), (200, "application/json;charset=UTF-8"));
    assert_eq!(vendor.control().stats().calls, sandbox.control().stats().calls);
    assert_eq!(ask_raw(&vendor, "GET", "/other?x=1"), 404);
}

fn ask_raw(vendor: &InProcess, verb: &str, path: &str) -> u16 {
    let Carried::Whole(answer) = vendor.call(verb, path, &[], b"").carried else { panic!("nothing was to go wrong") };
    answer.status
}

#[test]
fn limits_follow_the_clock_that_the_caller_moves() {
    let limits = vec![(2, Duration::from_secs(1))];
    let vendor = kuaimai::in_process(Settings { limits, clock_frozen: false, ..settings() });
    let statuses = |n: usize| -> Vec<(u16, Option<u64>)> {
        (0..n)
            .map(|_| match ask(&vendor).carried {
                Carried::Whole(answer) => (answer.status, answer.retry_after),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    assert_eq!(statuses(3), [(200, None), (200, None), (429, Some(1))]);
    vendor.control().advance_clock(Duration::from_secs(1));
    assert_eq!(statuses(1), [(200, None)]);
}

#[test]
fn faults_are_told_apart() {
    let vendor = kuaimai::in_process(Settings { latency: Duration::from_millis(80), ..settings() });
    let strike = |fault| {
        vendor.control().clear_faults();
        vendor.control().add_fault(FaultRule::new(fault).next(1));
        ask(&vendor)
    };
    let whole = ask(&vendor);
    assert_eq!(whole.took, Duration::from_millis(80));
    assert_eq!(strike(Fault::Reset).carried, Carried::Reset);
    assert!(matches!(strike(Fault::LostAnswer).carried, Carried::Lost(answer) if answer.body.contains("\"items\"")));
    assert!(matches!(strike(Fault::Cut).carried, Carried::Cut(_)));
    let slow = strike(Fault::Slow { delay: Duration::from_secs(30) });
    assert_eq!(slow.took, Duration::from_millis(30_080));
    assert!(matches!(slow.carried, Carried::Whole(_)));
    let Carried::Whole(half) = strike(Fault::Truncated).carried else { panic!("half of it arrives as a whole") };
    assert!(serde_json::from_str::<Value>(&half.body).is_err());
    let outcomes = vendor.control().stats().outcomes;
    assert_eq!((outcomes["ok"], outcomes["reset"]), (5, 1));
}
