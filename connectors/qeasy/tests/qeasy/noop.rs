//! Records that are kept: once each, whatever crashes, and nobody is called.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use milkrun_core::{ErrorKind, Existing, Idempotency};

use crate::support::{Installation, medium};

const FILE: &str = ".milkrun/kept/refunds.jsonl";
const DECLARED: &str = "[[noop.targets]]\nname = 'refunds'\n";

#[tokio::test]
async fn any_name_is_a_target_and_makes_no_call() {
    let home = Installation::new();
    let account = home.noop("");
    assert!(account.protocol.is_none() && account.tokens.is_none() && account.source.is_none());
    let sink = medium(&account);
    assert!(sink.targets().is_empty());
    assert_eq!(sink.target("refunds").unwrap().idempotency, Idempotency::CommittedLength);
    for wrong in ["../x", "a/b", "退货", ""] {
        assert!(sink.target(wrong).is_none(), "{wrong}");
        assert_eq!(sink.open(wrong, None).await.unwrap_err().kind(), ErrorKind::ConfigInvalid);
    }
    sink.check().await.unwrap();
    assert_eq!(fs::read_dir(home.path(".")).unwrap().count(), 0, "a check leaves nothing behind");
    let mut appender = sink.open("refunds", None).await.unwrap();
    appender.push(&["{\"n\":0.10}", "{\n\"id\":\r\n6920000000000000001}"]).unwrap();
    appender.finish().await.unwrap();
    assert_eq!(home.read(FILE), "{\"n\":0.10}\n{ \"id\":  6920000000000000001}\n");
    assert!(appender.place().ends_with(FILE));
}

#[tokio::test]
async fn what_was_not_committed_is_cut() {
    let home = Installation::new();
    let sink = medium(&home.noop(DECLARED));
    let mut mark = None;
    let mut expected = String::new();
    for round in 0..6 {
        let mut appender = sink.open("refunds", mark.as_deref()).await.unwrap();
        let document = format!("{{\"id\":\"{round}\"}}");
        appender.push(&[&document]).unwrap();
        mark = Some(appender.sync().await.unwrap());
        expected.push_str(&document);
        expected.push('\n');
        // Durable, but the commit of its mark never came; and taken, but never written.
        appender.push(&["{\"id\":\"lost\"}"]).unwrap();
        appender.sync().await.unwrap();
        appender.push(&["{\"id\":\"never\"}"]).unwrap();
        drop(appender);
        // And a part of a line.
        let mut file = OpenOptions::new().append(true).open(home.path(FILE)).unwrap();
        file.write_all(&b"{\"id\":\"torn"[..round]).unwrap();
    }
    // The id of what was cut is free again.
    let mut appender = sink.open("refunds", mark.as_deref()).await.unwrap();
    appender.push(&["{\"id\":\"lost\"}"]).unwrap();
    appender.finish().await.unwrap();
    assert_eq!(home.read(FILE), expected + "{\"id\":\"lost\"}\n");
}

#[tokio::test]
async fn what_becomes_of_the_kept_is_told_before() {
    let home = Installation::new();
    let sink = medium(&home.noop(""));
    assert_eq!(sink.existing("refunds").await.unwrap(), Existing::Nothing);
    let mut appender = sink.open("refunds", None).await.unwrap();
    assert_eq!(sink.existing("refunds").await.unwrap(), Existing::Nothing);
    appender.push(&["{\"id\":1}"]).unwrap();
    appender.finish().await.unwrap();
    drop(appender);
    assert_eq!(sink.existing("refunds").await.unwrap(), Existing::KeptAside);
    sink.open("refunds", None).await.unwrap();
    assert_eq!(home.read(&format!("{FILE}.bak-1")), "{\"id\":1}\n");
}

#[tokio::test]
async fn a_file_that_was_changed_is_refused_and_stays() {
    let home = Installation::new();
    let sink = medium(&home.noop(""));
    let mut appender = sink.open("refunds", None).await.unwrap();
    appender.push(&["{\"id\":1}"]).unwrap();
    let mark = appender.finish().await.unwrap();
    assert_eq!(sink.open("refunds", Some(&mark)).await.unwrap_err().kind(), ErrorKind::Busy, "somebody writes it");
    drop(appender);
    for text in ["{\"id\":2}\n", "{\"id\":1}", ""] {
        fs::write(home.path(FILE), text).unwrap();
        assert_eq!(sink.open("refunds", Some(&mark)).await.unwrap_err().kind(), ErrorKind::State, "{text:?}");
        assert_eq!(home.read(FILE), text);
    }
    fs::remove_file(home.path(FILE)).unwrap();
    assert_eq!(sink.open("refunds", Some(&mark)).await.unwrap_err().kind(), ErrorKind::State);
    assert_eq!(sink.open("refunds", Some("what")).await.unwrap_err().kind(), ErrorKind::State);
}

#[tokio::test]
async fn beginning_anew_keeps_the_old_file_aside() {
    let home = Installation::new();
    let sink = medium(&home.noop("folder = 'kept'"));
    for round in 0..3 {
        let mut appender = sink.open("refunds", None).await.unwrap();
        appender.push(&[&format!("{{\"id\":{round}}}")]).unwrap();
        appender.finish().await.unwrap();
    }
    assert_eq!(home.read("kept/refunds.jsonl"), "{\"id\":2}\n");
    assert_eq!(home.read("kept/refunds.jsonl.bak-1"), "{\"id\":0}\n");
    assert_eq!(home.read("kept/refunds.jsonl.bak-2"), "{\"id\":1}\n");
}

#[tokio::test]
async fn ids_are_checked_filled_in_and_remembered() {
    let home = Installation::new();
    let sink = medium(&home.noop(&format!("{DECLARED}missing_id = 'fill'\nsource = 'km/orders'\nid_from = ['no']")));
    let mut appender = sink.open("refunds", None).await.unwrap();
    appender.push(&["{\"no\":\"O1\"}", "{\"id\":\"A\"}"]).unwrap();
    let refused = |appender: &mut Box<dyn milkrun_core::Appender>, documents: &[&str]| {
        let error = appender.push(documents).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{documents:?}");
    };
    refused(&mut appender, &["{\"no\":\"O1\",\"changed\":true}"]);
    // All documents of a record, or none.
    refused(&mut appender, &["{\"id\":\"B\"}", "{\"id\":\"B\"}"]);
    refused(&mut appender, &["{\"id\":\"B\"}", "{}"]);
    let mark = appender.finish().await.unwrap();
    drop(appender);
    let mut appender = sink.open("refunds", Some(&mark)).await.unwrap();
    refused(&mut appender, &["{\"id\":\"A\"}"]);
    refused(&mut appender, &["{\"no\":\"O1\"}"]);
    appender.push(&["{\"id\":\"B\"}"]).unwrap();
    appender.finish().await.unwrap();
    let ids: Vec<String> = home.read(FILE).lines().map(|line| line.chars().take(44).collect()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0].starts_with("{\"id\":\"") && ids[0].matches('-').count() == 4, "{ids:?}");
}

#[tokio::test]
async fn without_idcheck_the_last_one_of_an_id_counts() {
    let home = Installation::new();
    let sink = medium(&home.noop(&format!("{DECLARED}id_check = false")));
    let mut appender = sink.open("refunds", None).await.unwrap();
    appender.push(&["{\"id\":\"A\"}"]).unwrap();
    appender.push(&["{\"id\":\"A\",\"n\":2}"]).unwrap();
    assert_eq!(appender.push(&["{}"]).unwrap_err().kind(), ErrorKind::Refused);
    appender.finish().await.unwrap();
    assert_eq!(home.read(FILE), "{\"id\":\"A\"}\n{\"id\":\"A\",\"n\":2}\n");
    assert!(sink.target("others").is_none(), "only what is declared is a target then");
}
