//! Every position gives the same records, and a file that changes is seen.

use crate::support::{Installation, context, page, read};

fn stream(settings: &str) -> String {
    format!("folder = 'data'\nstreams = [{{ name = 's', key = ['id'], {settings} }}]")
}

#[tokio::test]
async fn every_position_and_size_gives_the_same_records() {
    let home = Installation::new();
    let record = |i: usize| format!("{{\"id\":{i},\"text\":\"[{{\\\"\"}}");
    home.put("data/a1.jsonl", format!("{}\n\n{}\n", record(0), record(1)));
    home.put("data/a2.jsonl", "\n");
    home.put("data/a3.jsonl", format!("{}\n{}", record(2), record(3)));
    home.put("data/a1.json", format!("[{{\"list\":[{},{}]}},{{\"list\":[]}}]", record(0), record(1)));
    home.put("data/a2.json", format!("[{{\"list\":[{}]}},{{\"x\":1,\"list\":[{}]}}]", record(2), record(3)));
    home.put("data/a1.csv", "id,t\n0,\"a\nb\"\n1,\n");
    home.put("data/a2.csv", "id,t\n2,\"\"\"\"\n3,x\n");
    for settings in ["path = 'a*.jsonl'", "path = 'a*.json', records = '[*].list[*]'", "path = 'a*.csv'"] {
        let account = home.open(&stream(settings)).unwrap();
        let all = read(&account, 0, 100).await.unwrap();
        assert_eq!(all.len(), 4, "{settings}");
        for size in 1..=5 {
            for at in 0..=4 {
                // The same account has walks open from before; a new one has none.
                for account in [&account, &home.open(&stream(settings)).unwrap()] {
                    assert_eq!(
                        read(account, at, size).await.unwrap(),
                        all[usize::try_from(at).unwrap()..],
                        "{settings}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn pages_end_at_nothing_one_full_page_and_one_more() {
    for (n, pages) in [(0, vec![0]), (1, vec![1]), (3, vec![3]), (4, vec![3, 1]), (6, vec![3, 3])] {
        let home = Installation::new();
        home.put("data/x.jsonl", "{\"id\":7}\n".repeat(n));
        let account = home.open(&stream("path = 'x.jsonl'")).unwrap();
        let mut found = Vec::new();
        let mut at = 0;
        loop {
            let page = page(&account, at, 3).await.unwrap();
            found.push(page.records.len());
            at += page.records.len() as u64;
            if page.has_next == Some(false) {
                assert_eq!(page.total, Some(n as u64));
                break;
            }
        }
        assert_eq!(found, pages);
    }
}

#[tokio::test]
async fn a_page_names_the_state_that_it_was_read_from() {
    let home = Installation::new();
    home.put("data/x.jsonl", "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    let account = home.open(&stream("path = '*.jsonl'")).unwrap();
    let first = page(&account, 0, 1).await.unwrap();
    let second = page(&account, 1, 1).await.unwrap();
    assert_eq!(first.snapshot, second.snapshot);
    // Another process sees the same state.
    let other = home.open(&stream("path = '*.jsonl'")).unwrap();
    assert_eq!(page(&other, 1, 1).await.unwrap().snapshot, first.snapshot);
    // A row changes before the walk comes to it: the page is read from the new state, and says so.
    home.put("data/x.jsonl", "{\"id\":1}\n{\"id\":2}\n{\"id\":30}\n");
    let third = page(&account, 2, 1).await.unwrap();
    assert_eq!(third.records[0].text(), "{\"id\":30}");
    assert_ne!(third.snapshot, first.snapshot);
    // A further file is another state too.
    home.put("data/w.jsonl", "{\"id\":0}\n");
    let again = page(&account, 2, 1).await.unwrap();
    assert_eq!(again.records[0].text(), "{\"id\":2}");
    assert_ne!(again.snapshot, third.snapshot);
    // Less is there than was read before: the total and the snapshot tell.
    home.put("data/w.jsonl", "");
    home.put("data/x.jsonl", "{\"id\":1}\n");
    let beyond = page(&account, 3, 1).await.unwrap();
    assert_eq!((beyond.records.len(), beyond.total, beyond.has_next), (0, Some(1), Some(false)));
}

#[tokio::test]
async fn a_folder_without_files_is_empty_only_if_declared() {
    let home = Installation::new();
    home.put("data/other.txt", "");
    let account = home.open(&stream("path = '*.jsonl', files_may_be_missing = true")).unwrap();
    assert!(read(&account, 0, 10).await.unwrap().is_empty());
    account.source.as_ref().unwrap().check(&context()).await.unwrap();
    let strict = home.open(&stream("path = '*.jsonl'")).unwrap();
    assert!(read(&strict, 0, 10).await.is_err());
    assert!(strict.source.as_ref().unwrap().check(&context()).await.is_err());
}

#[tokio::test]
async fn good_records_come_before_the_bad_one_is_named() {
    let home = Installation::new();
    home.put("data/x.jsonl", "{\"id\":1}\n{\"id\":2}\n{\"id\":3");
    home.put("data/x.json", "[{\"id\":1},\n{\"id\":2},\n{\"id\":3");
    home.put("data/x.csv", "id\n1\n2\n\"3");
    for path in ["x.jsonl", "x.json", "x.csv"] {
        let account = home.open(&stream(&format!("path = '{path}'"))).unwrap();
        let good = page(&account, 0, 2).await.unwrap();
        assert_eq!((good.records.len(), good.has_next), (2, Some(true)), "{path}");
        for _ in 0..2 {
            page(&account, 2, 2).await.unwrap_err();
        }
    }
}
