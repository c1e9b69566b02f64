//! A killed run leaves no torn and no doubled line.

use std::fs::OpenOptions;
use std::io::Write as _;

use milkrun_core::{ErrorKind, Existing, SinkKind};

use crate::support::{Installation, read, target, write};

fn settings(path: &str) -> String {
    format!(
        "targets = [{{ name = 't', path = '{path}' }}]\nstreams = [{{ name = 's', path = '{path}', key = ['id'] }}]"
    )
}

const PATHS: [&str; 5] = ["x.jsonl", "x.json", "x.csv", "x.jsonl.gz", "x.json.zst"];

fn document(i: usize) -> String {
    format!("{{\"id\":\"{i}\"}}")
}

#[tokio::test]
async fn what_was_not_committed_is_cut() {
    for path in PATHS {
        let home = Installation::new();
        let account = home.open(&settings(path)).unwrap();
        let mut mark = None;
        let mut expected = Vec::new();
        for round in 0..8 {
            let mut appender = target(&account, "t", mark.as_deref()).await.unwrap();
            appender.push(&[&document(round)]).unwrap();
            mark = Some(appender.sync().await.unwrap());
            expected.push(document(round));
            // Durable, but the commit of its mark never came.
            appender.push(&[&document(100 + round)]).unwrap();
            appender.sync().await.unwrap();
            // Taken, but never written.
            appender.push(&[&document(200 + round)]).unwrap();
            drop(appender);
            // And half of a line.
            let mut file = OpenOptions::new().append(true).open(home.path(path)).unwrap();
            file.write_all(&b"{\"id\":\"torn"[..round]).unwrap();
        }
        write(&account, "t", mark.as_deref(), &[]).await.unwrap();
        assert_eq!(read(&account, 0, 3).await.unwrap(), expected, "{path}");
        assert_eq!(home.names("."), [path]);
    }
}

#[tokio::test]
async fn a_write_torn_at_any_byte_is_cut() {
    for path in PATHS {
        let home = Installation::new();
        let account = home.open(&settings(path)).unwrap();
        let mark = write(&account, "t", None, &[&document(1)]).await.unwrap();
        write(&account, "t", Some(&mark), &[&document(2)]).await.unwrap();
        let whole = home.get(path);
        let committed: serde_json::Value = serde_json::from_str(&mark).unwrap();
        let committed = usize::try_from(committed["len"].as_u64().unwrap()).unwrap();
        for len in committed..=whole.len() {
            home.put(path, &whole[..len]);
            write(&account, "t", Some(&mark), &[&document(2)]).await.unwrap();
            assert_eq!(home.get(path), whole, "{path} {len}");
        }
        for len in 0..committed {
            home.put(path, &whole[..len]);
            let refused = write(&account, "t", Some(&mark), &[&document(2)]).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::State);
            assert_eq!(home.get(path).len(), len, "a file that is refused stays as it is");
        }
    }
}

#[tokio::test]
async fn an_edited_file_is_refused_and_stays() {
    let home = Installation::new();
    let account = home.open(&settings("x.jsonl")).unwrap();
    let documents: Vec<_> = (0..1000).map(document).collect();
    let documents: Vec<_> = documents.iter().map(String::as_str).collect();
    let mark = write(&account, "t", None, &documents).await.unwrap();
    let good = home.text("x.jsonl");
    let edited = [good.replacen("\"0\"", "\"00\"", 1), good.replacen("\"999\"", "\"998\"", 1)];
    for text in edited {
        home.put("x.jsonl", &text);
        let refused = write(&account, "t", Some(&mark), &[]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::State);
        assert_eq!(home.text("x.jsonl"), text);
    }
    home.put("x.jsonl", good);
    assert_eq!(write(&account, "t", Some(&mark), &[]).await.unwrap(), mark);
}

#[tokio::test]
async fn a_file_of_the_user_is_kept_aside() {
    let home = Installation::new();
    let account = home.open("folder = 'out'").unwrap();
    home.put("out/x.jsonl", "mine\n");
    write(&account, "x", None, &[&document(1)]).await.unwrap();
    write(&account, "x", None, &[&document(2)]).await.unwrap();
    assert_eq!(home.names("out"), ["x.jsonl", "x.jsonl.bak-1", "x.jsonl.bak-2"]);
    assert_eq!(home.text("out/x.jsonl.bak-1"), "mine\n");
    assert_eq!(home.text("out/x.jsonl.bak-2"), "{\"id\":\"1\"}\n");
    assert_eq!(home.text("out/x.jsonl"), "{\"id\":\"2\"}\n");
}

#[tokio::test]
async fn a_file_without_rows_is_not_worth_keeping() {
    for path in PATHS {
        let home = Installation::new();
        let account = home.open(&settings(path)).unwrap();
        for _ in 0..3 {
            write(&account, "t", None, &[]).await.unwrap();
        }
        assert_eq!(home.names("."), [path]);
    }
}

#[tokio::test]
async fn replacing_is_a_choice() {
    let home = Installation::new();
    home.put("x.json", "[1,2,3,4,5,6,7,8,9,10]\n");
    let account = home.open("targets = [{ name = 't', path = 'x.json', on_existing = 'replace' }]").unwrap();
    write(&account, "t", None, &[]).await.unwrap();
    assert_eq!((home.text("x.json").as_str(), home.names(".")), ("[]\n", vec!["x.json".to_owned()]));
}

/// What is told before beginning anew is what then happens.
#[tokio::test]
async fn what_becomes_of_a_file_is_told_before() {
    let ways = [
        ("keep-aside", Existing::KeptAside, vec!["x.csv.gz", "x.csv.gz.bak-1"]),
        ("replace", Existing::Replaced, vec!["x.csv.gz"]),
        ("refuse", Existing::Refused, vec!["x.csv.gz"]),
    ];
    for (way, existing, names) in ways {
        let home = Installation::new();
        let settings = format!(
            "targets = [{{ name = 't', path = 'x.csv.gz', csv = {{ columns = ['id'] }}, on_existing = '{way}' }}]"
        );
        let account = home.open(&settings).unwrap();
        let Some(SinkKind::Appends(sink)) = &account.sink else { panic!("files are appended to") };
        assert_eq!(sink.existing("t").await.unwrap(), Existing::Nothing);
        assert!(home.names(".").is_empty(), "asking makes no file");
        // A header is no content.
        write(&account, "t", None, &[]).await.unwrap();
        assert_eq!(sink.existing("t").await.unwrap(), Existing::Nothing);
        write(&account, "t", None, &["{\"id\":1}"]).await.unwrap();
        let before = home.get("x.csv.gz");
        assert_eq!(sink.existing("t").await.unwrap(), existing);
        assert_eq!((home.names("."), home.get("x.csv.gz")), (vec!["x.csv.gz".to_owned()], before.clone()), "{way}");
        let begun = write(&account, "t", None, &[]).await;
        assert_eq!(begun.is_err(), existing == Existing::Refused, "{way}");
        assert_eq!(home.get("x.csv.gz") == before, existing == Existing::Refused, "{way}");
        assert_eq!(home.names("."), names, "{way}");
    }
}

#[tokio::test]
async fn a_refused_document_leaves_no_trace() {
    let home = Installation::new();
    let account = home.open("targets = [{ name = 't', path = 'x.csv', encoding = 'gb18030' }]").unwrap();
    let mut appender = target(&account, "t", None).await.unwrap();
    appender.push(&["{\"没有\":\"\u{e5e5}\"}"]).unwrap_err();
    appender.push(&["{\"id\":1}"]).unwrap();
    appender.push(&["{\"id\":1,\"more\":2}"]).unwrap_err();
    appender.push(&["{\"id\":\"\u{e5e5}\"}"]).unwrap_err();
    // The lines of one record arrive together or not at all.
    appender.push(&["{\"id\":2}", "{\"no\":3}"]).unwrap_err();
    appender.push(&["{\"id\":2}"]).unwrap();
    appender.finish().await.unwrap();
    assert_eq!(home.text("x.csv"), "id\n1\n2\n");
}

/// `/dev/full` is a disk without space.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_moves_nothing() {
    let home = Installation::new();
    let account = home.open("targets = [{ name = 't', path = '/dev/full', format = 'jsonl' }]").unwrap();
    let mut appender = target(&account, "t", None).await.unwrap();
    let before = appender.sync().await.unwrap();
    appender.push(&["{\"id\":1}"]).unwrap();
    let full = appender.sync().await.unwrap_err();
    assert_eq!((full.kind(), full.message()), (ErrorKind::Io, "the disk is full"));
    assert!(full.help().is_some());
    assert!(before.contains("\"len\":0,\"rows\":0"), "{before}");
}

#[tokio::test]
async fn a_second_writer_is_turned_away() {
    let home = Installation::new();
    let account = home.open("").unwrap();
    let mut first = target(&account, "x", None).await.unwrap();
    let mark = first.sync().await.unwrap();
    for mark in [None, Some(mark.as_str())] {
        assert_eq!(target(&account, "x", mark).await.unwrap_err().kind(), ErrorKind::Busy);
    }
    drop(first);
    target(&account, "x", Some(&mark)).await.unwrap();
}
