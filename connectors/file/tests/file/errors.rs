//! Every mistake has one clear message: what is wrong, where, and what to do.

use std::fmt::Write as _;

use milkrun_core::SinkKind;

use crate::support::{Installation, read_file, shown, target, write};

#[test]
fn settings() {
    let stream = |settings: &str| format!("streams = [{{ name = 'orders', {settings} }}]");
    let target = |settings: &str| format!("targets = [{{ name = 'orders', {settings} }}]");
    let cases = [
        "foldr = 'x'".to_owned(),
        stream("path = 'a.json'"),
        stream("path = 'a.json', key = []"),
        stream("path = 'a.json', key = ['id'], page_size = 0"),
        stream("path = 'a.json', key = ['id'], colour = 'red'"),
        stream("path = '', key = ['id']"),
        stream("path = 'in/*', key = ['id']"),
        stream("path = 'a.xlsx', key = ['id']"),
        stream("path = 'a.json', key = ['id'], format = 'xml'"),
        stream("path = 'a.json', key = ['id'], encoding = 'gbk'"),
        stream("path = 'a.json', key = ['id'], compression = 'zip'"),
        stream("path = 'a.json', key = ['id'], records = '[0].x'"),
        stream("path = 'a.csv', key = ['id'], records = '[*]'"),
        stream("path = 'a.json', key = ['id'], csv = {}"),
        stream("path = 'a.csv', key = ['id'], csv = { delimiter = '，' }"),
        stream("path = 'a.csv', key = ['id'], csv = { delimiter = ';;' }"),
        stream("path = 'a.csv', key = ['id'], csv = { delimiter = '\"' }"),
        stream("path = 'a.csv', key = ['id'], csv = { header = false }"),
        stream("path = 'a.csv', key = ['id'], csv = { columns = ['id'] }"),
        stream("path = 'a.csv', key = ['id'], csv = { header = false, columns = ['id', 'id'] }"),
        stream("path = 'a.csv', key = ['id'], csv = { header = false, columns = [] }"),
        stream("path = 'a.csv', key = ['id'], csv = { header = false, columns = ['no'] }"),
        stream("path = 'a.csv', key = ['id'], csv = { bom = true }"),
        "streams = [{ name = 'a', path = 'a.csv', key = ['id'] }, { name = 'a', path = 'b.csv', key = ['id'] }]"
            .to_owned(),
        "streams = [{ name = 'My Orders', path = 'a.csv', key = ['id'] }]".to_owned(),
        target("path = 'out/*.json'"),
        target("path = 'out/'"),
        target("path = 'a.csv', encoding = 'gb18030', csv = { bom = true }"),
        target("path = 'a.json', on_existing = 'append'"),
        "targets = [{ name = 'a', path = 'x.json' }, { name = 'b', path = './y/../x.json' }]".to_owned(),
        "targets = [{ name = 'a', path = 'x.json' }, { name = 'a', path = 'y.json' }]".to_owned(),
    ];
    let mut table = String::new();
    for case in cases {
        let error = Installation::new().open(&case).expect_err(&case);
        writeln!(table, "{case}\n  {}", shown(&error)).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn what_is_read() {
    let gb = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let zst = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let gz = |text: &str| {
        use std::io::Write as _;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text.as_bytes()).unwrap();
        gz.finish().unwrap()
    };
    let cut = |mut bytes: Vec<u8>, n: usize| {
        bytes.truncate(bytes.len() - n);
        bytes
    };
    let nested = "records = '[*].ClientList[*]'";
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("", "torn.jsonl", b"{\"id\":1}\n\n{\"id\":".into()),
        ("", "cut-in-text.jsonl", b"{\"id\":1}\n{\"id\":\"a".into()),
        ("", "bad.jsonl", b"{\"id\":1}\n{\"id\":01}\n".into()),
        ("", "list.jsonl", b"{\"id\":1}\n[{\"id\":2}]\n".into()),
        ("", "two-on-a-line.jsonl", b"{\"id\":1},{\"id\":2}\n".into()),
        ("", "one-on-two-lines.jsonl", b"{\"id\":[1\n2]}\n".into()),
        ("", "both.jsonl", b"{\"id\":1},{\"id\":[1\n2]}\n".into()),
        ("", "gbk.jsonl", gb("{\"id\":1}\n{\"id\":\"收货\"}\n")),
        ("", "utf-16.jsonl", b"\xff\xfe{\0}\0".into()),
        ("", "packed.jsonl", gz("{\"id\":1}\n")),
        ("", "book.csv", b"PK\x03\x04....".into()),
        ("encoding = 'gb18030'", "utf-8.jsonl", "{\"id\":1}\n{\"id\":\"收\"}\n".into()),
        ("encoding = 'gb18030'", "cut.csv", cut(gb("id\n1\n收"), 1)),
        ("", "cut.jsonl.gz", cut(gz("{\"id\":1}\n{\"id\":2}\n"), 9)),
        ("", "not.jsonl.gz", b"{\"id\":1}\n".into()),
        ("", "empty.jsonl.gz", vec![]),
        ("", "cut.jsonl.zst", cut(zst("{\"id\":1}\n"), 3)),
        ("", "empty.json", b" \n".into()),
        ("", "html.json", b"<!DOCTYPE html>\n<html></html>".into()),
        ("", "number.json", b"17".into()),
        ("", "numbers.json", b"[17]".into()),
        ("", "cut.json", b"[{\"id\":1},\n{\"id\":2}\n".into()),
        ("", "cut-record.json", b"[{\"id\":1},\n{\"id\":2,\n".into()),
        ("", "bad-record.json", b"[{\"id\":1},\n{\"id\":2,\n\"x\":}]".into()),
        ("", "brackets.json", b"[{\"id\":1},\n{\"id\":[2}]]".into()),
        ("", "no-comma.json", b"[{\"id\":1}\n{\"id\":2}]".into()),
        ("", "comma-at-end.json", b"[{\"id\":1},]".into()),
        ("", "lines.json", b"{\"id\":1}\n{\"id\":2}\n".into()),
        ("records = 'data'", "list.json", b"{\"data\":[{\"id\":1}]}".into()),
        (nested, "missing.json", b"[{\"ClientList\":[]},\n{\"Shop\":1}]".into()),
        (nested, "null.json", b"[{\"ClientList\":null}]".into()),
        (nested, "object.json", b"[{\"ClientList\":{\"id\":1}}]".into()),
        (nested, "twice.json", b"[{\"ClientList\":[],\"ClientList\":[{\"id\":1}]}]".into()),
        (nested, "bad-aside.json", b"[{\"x\":[1,\n02],\"ClientList\":[]}]".into()),
        (nested, "bad-number.json", b"[{\"x\":tru,\"ClientList\":[]}]".into()),
        (nested, "cut-aside.json", b"[{\"x\":[1,\n".into()),
        ("", "empty.csv", b"\n".into()),
        ("", "ragged.csv", b"id,b\n1,2\n\n3\n".into()),
        ("", "open-quote.csv", b"id,b\n1,\"2\n3,4\n5,6\n".into()),
        ("", "after-quote.csv", b"id,b\n1,\"2\"x\n".into()),
        ("", "return.csv", b"id,b\r1,2\r".into()),
        ("", "twice.csv", b"id,b,id\n1,2,3\n".into()),
        ("", "no-name.csv", b"id,,b\n1,2,3\n".into()),
        ("", "gbk.csv", gb("id,b\n1,收货\n")),
        ("", "html.csv", b"<!DOCTYPE html><html>504</html>".into()),
        ("", "semicolons.csv", b"id;b\n1;2\n".into()),
    ];
    let mut table = String::new();
    for (settings, name, bytes) in cases {
        let error = read_file(settings, name, bytes).await.expect_err(name);
        writeln!(table, "{}", shown(&error)).unwrap();
    }
    let home = Installation::new();
    home.put("data/folder.json/x", "");
    for path in ["no.json", "no/*.json", "*.jsonl", "folder.json"] {
        let settings = format!("folder = 'data'\nstreams = [{{ name = 's', path = '{path}', key = ['id'] }}]");
        let account = home.open(&settings).unwrap();
        let error = crate::support::read(&account, 0, 10).await.expect_err(path);
        writeln!(table, "{}", shown(&error)).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn what_is_written() {
    let mut errors = Vec::new();
    let home = Installation::new();
    let any = home.open("folder = 'out'").unwrap();
    for name in ["../x", "", ".x", "a b"] {
        errors.push(target(&any, name, None).await.expect_err(name));
    }
    let mut lines = target(&any, "x", None).await.unwrap();
    for document in ["[1]", "", "{\"a\":\"\n\"}"] {
        errors.push(lines.push(&[document]).expect_err(document));
    }
    errors.push(target(&any, "x", None).await.unwrap_err());
    let declared = home
        .open(
            "targets = [{ name = 'orders', path = 'o.csv', encoding = 'gb18030' }, { name = 'items', path = 'i.jsonl' },\n\
             { name = 'old', path = 'i.jsonl.old', format = 'jsonl', on_existing = 'refuse' }]",
        )
        .unwrap();
    errors.push(target(&declared, "order", None).await.unwrap_err());
    let mut csv = target(&declared, "orders", None).await.unwrap();
    errors.push(csv.push(&["{}"]).unwrap_err());
    csv.push(&["{\"id\":1,\"b\":2}"]).unwrap();
    for document in ["{\"id\":1,\"c\":2}", "{\"id\":1,\"id\":2}", "{\"id\":\"\u{e5e5}\"}", "[]"] {
        errors.push(csv.push(&[document]).expect_err(document));
    }
    let csv_mark = csv.finish().await.unwrap();
    drop(csv);
    home.put("i.jsonl.old", "{}\n");
    errors.push(target(&declared, "old", None).await.unwrap_err());
    let mark = write(&declared, "items", None, &["{\"id\":1}"]).await.unwrap();
    home.put("i.jsonl", "{\"id\":2}\n");
    errors.push(target(&declared, "items", Some(&mark)).await.unwrap_err());
    home.put("i.jsonl", "{}");
    errors.push(target(&declared, "items", Some(&mark)).await.unwrap_err());
    std::fs::remove_file(home.path("i.jsonl")).unwrap();
    errors.push(target(&declared, "items", Some(&mark)).await.unwrap_err());
    errors.push(target(&declared, "items", Some("1234")).await.unwrap_err());
    for settings in ["path = 'o.csv'", "path = 'o.csv', encoding = 'gb18030', csv = { columns = ['id', 'c'] }"] {
        let other = home.open(&format!("targets = [{{ name = 'orders', {settings} }}]")).unwrap();
        errors.push(target(&other, "orders", Some(&csv_mark)).await.unwrap_err());
    }
    let below_file = home.open("folder = 'o.csv'").unwrap();
    errors.push(target(&below_file, "x", None).await.unwrap_err());
    let Some(SinkKind::Appends(sink)) = &below_file.sink else { panic!("files are appended to") };
    errors.push(sink.check().await.unwrap_err());
    let table: Vec<_> = errors.iter().map(shown).collect();
    insta::assert_snapshot!(table.join("\n"));
}
