//! What is written is what is read, byte for byte, in every form.

use proptest::prelude::*;

use crate::support::{Installation, page, read, read_file, target, write};

const EXACT: &str = r#"{"id":6920000000000000001,"n":1234567890123456789012,"a":0.10,"b":1000000000000000.01,"c":1E+2,"名":"收货，\"甲\"\n"}"#;

const FORMS: [(&str, &str, &str); 3] =
    [("json", "utf-8", "none"), ("jsonl", "gb18030", "gzip"), ("csv", "utf-8", "zstd")];

/// Every format with every encoding and every compression.
fn every_form() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let formats = FORMS.map(|f| f.0);
    let encodings = ["utf-8", "gb18030"];
    let compressions = ["none", "gzip", "zstd"];
    formats.into_iter().flat_map(move |f| encodings.into_iter().flat_map(move |e| compressions.map(|c| (f, e, c))))
}

fn settings((format, encoding, compression): (&str, &str, &str)) -> String {
    let form = format!("format = '{format}', encoding = '{encoding}', compression = '{compression}'");
    format!(
        "streams = [{{ name = 's', path = 'out/x', key = ['id'], {form} }}]\n\
         targets = [{{ name = 't', path = 'out/x', {form} }}]"
    )
}

/// The record that a document comes back as: CSV knows texts alone.
fn comes_back(format: &str, document: &str) -> String {
    if format != "csv" {
        return document.to_owned();
    }
    let record = milkrun_core::Record::parse(document).unwrap();
    let text = |json: &str| milkrun_core::record::plain_text(json).unwrap_or(json.into()).into_owned();
    let fields: Vec<_> =
        record.fields().map(|(n, v)| format!("{n:?}:{}", serde_json::to_string(&text(v)).unwrap())).collect();
    format!("{{{}}}", fields.join(","))
}

#[tokio::test]
async fn numbers_and_texts_come_back_byte_for_byte() {
    for form in every_form() {
        let home = Installation::new();
        let account = home.open(&settings(form)).unwrap();
        // Three runs, so that lists, headers, members and frames are continued.
        let second = EXACT.replace("6920000000000000001", "6920000000000000002");
        let mark = write(&account, "t", None, &[EXACT, &second]).await.unwrap();
        let mark = write(&account, "t", Some(&mark), &[]).await.unwrap();
        write(&account, "t", Some(&mark), &[EXACT]).await.unwrap();
        let expected = [EXACT, &second, EXACT].map(|d| comes_back(form.0, d));
        assert_eq!(read(&account, 0, 2).await.unwrap(), expected, "{form:?}");
    }
}

#[tokio::test]
async fn a_file_is_whole_after_every_sync() {
    for form in every_form() {
        let home = Installation::new();
        let account = home.open(&settings(form)).unwrap();
        let mut appender = target(&account, "t", None).await.unwrap();
        let mut expected = Vec::new();
        for i in 0..4 {
            let document = format!("{{\"id\":\"{i}\"}}");
            appender.push(&[&document]).unwrap();
            expected.push(document);
            appender.sync().await.unwrap();
            assert_eq!(read(&account, 0, 100).await.unwrap(), expected, "{form:?}");
        }
    }
}

#[tokio::test]
async fn files_have_the_form_that_others_expect() {
    let home = Installation::new();
    let account = home
        .open(
            "folder = 'out'\n\
             targets = [{ name = 'a', path = 'a.json' }, { name = 'b', path = 'b.csv' }, { name = 'c', path = 'c.ndjson' },\n\
             { name = 'd', path = 'd.csv', csv = { columns = ['id', '名', 'x'], delimiter = ';', bom = true } },\n\
             { name = 'e', path = 'e.csv', csv = { columns = ['id'] , header = false } }]",
        )
        .unwrap();
    for (name, empty) in
        [("a.json", "[]\n"), ("b.csv", ""), ("c.ndjson", ""), ("d.csv", "\u{feff}id;名;x\n"), ("e.csv", "")]
    {
        let target = &name[..1];
        let mark = write(&account, target, None, &[]).await.unwrap();
        assert_eq!(home.text(&format!("out/{name}")), empty);
        let one = write(&account, target, Some(&mark), &[r#"{"id":""}"#]).await.unwrap();
        let more = if name == "d.csv" { r#"{"x":[1, "a;b"],"名":null,"id":0.10}"# } else { r#"{"id":"a\"b"}"# };
        write(&account, target, Some(&one), &[more]).await.unwrap();
    }
    assert_eq!(home.text("out/a.json"), "[\n{\"id\":\"\"},\n{\"id\":\"a\\\"b\"}\n]\n");
    assert_eq!(home.text("out/b.csv"), "id\n\"\"\n\"a\"\"b\"\n");
    assert_eq!(home.text("out/c.ndjson"), "{\"id\":\"\"}\n{\"id\":\"a\\\"b\"}\n");
    assert_eq!(home.text("out/d.csv"), "\u{feff}id;名;x\n;;\n0.10;;\"[1, \"\"a;b\"\"]\"\n");
    assert_eq!(home.text("out/e.csv"), "\"\"\n\"a\"\"b\"\n");
}

#[tokio::test]
async fn a_document_over_several_lines_becomes_one() {
    let home = Installation::new();
    let account = home.open("").unwrap();
    write(&account, "x", None, &["{\n  \"id\": 1E+2,\r\n  \"t\": \"a\\nb\"\n}"]).await.unwrap();
    assert_eq!(home.text("x.jsonl"), "{  \"id\": 1E+2,  \"t\": \"a\\nb\"}\n");
}

#[tokio::test]
async fn records_lie_anywhere_in_json() {
    let clients = r#"[{"Shop":"甲","ClientList":[{"id":1E+2, "n":{"ClientList":[9]}}],"Rest":[{"ClientList":[{"id":0}]}]},
        {"ClientList" : [ ] , "x":-0.10e5},{"\u0043lientList":[{"id":3},{ }]}]"#;
    let read = |settings: &'static str, text: String| read_file(settings, "in.json", text);
    let found = read("records = '[*].ClientList[*]'", clients.to_owned()).await.unwrap();
    assert_eq!(found, [r#"{"id":1E+2, "n":{"ClientList":[9]}}"#, r#"{"id":3}"#, "{}"]);
    let found =
        read("records = 'data.list[*]'", format!("{{\"code\":0,\"data\":{{\"list\":{clients}}}}}")).await.unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(read("records = 'data'", r#"{"data":{"id":1}}"#.to_owned()).await.unwrap(), [r#"{"id":1}"#]);
    assert_eq!(read("", " {\"id\":\n0.10} ".to_owned()).await.unwrap(), ["{\"id\":\n0.10}"]);
    assert!(read("", "\u{feff}[]".to_owned()).await.unwrap().is_empty());
    let missing = "records = '[*].ClientList[*]', list_may_be_missing = true";
    let found = read(missing, r#"[{},{"ClientList":null},null,{"ClientList":[{"id":1}]}]"#.to_owned()).await.unwrap();
    assert_eq!(found, [r#"{"id":1}"#]);
}

#[tokio::test]
async fn what_others_write_is_read() {
    let gz = |text: &str| {
        use std::io::Write as _;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text.as_bytes()).unwrap();
        gz.finish().unwrap()
    };
    let two = [gz("{\"id\":1}\n{\"id\""), gz(":2}")].concat();
    assert_eq!(read_file("", "a.jsonl.gz", two).await.unwrap(), [r#"{"id":1}"#, r#"{"id":2}"#]);
    let lines = "\u{feff}\r\n{\"id\":1}\r\n\r\n  {\"id\":2} \n \t\n";
    assert_eq!(read_file("", "a.jsonl", lines).await.unwrap(), [r#"{"id":1}"#, r#"{"id":2}"#]);
    assert!(read_file("", "a.jsonl", "").await.unwrap().is_empty());
    let table = "\u{feff}id,\"名,称\"\r\n007,\"a\r\n\"\"b\"\"\"\r\n\r\n 1E+2 ,5\" pipe";
    let rows = [r#"{"id":"007","名,称":"a\r\n\"b\""}"#, r#"{"id":" 1E+2 ","名,称":"5\" pipe"}"#];
    assert_eq!(read_file("", "a.csv", table).await.unwrap(), rows);
    assert!(read_file("", "a.csv", "id,b\n").await.unwrap().is_empty());
    let (gb, _, _) = encoding_rs::GB18030.encode("id|品名\n1|螺丝😀\n");
    let rows = read_file("encoding = 'gb18030', csv = { delimiter = '|' }", "a.csv", gb).await.unwrap();
    assert_eq!(rows, [r#"{"id":"1","品名":"螺丝😀"}"#]);
    let rows = read_file("csv = { header = false, columns = ['id', 'b'] }", "a.csv", "1,2\n").await.unwrap();
    assert_eq!(rows, [r#"{"id":"1","b":"2"}"#]);
}

#[tokio::test]
async fn a_long_page_ends_early_and_says_so() {
    let home = Installation::new();
    let record = format!("{{\"id\":\"{}\"}}", "x".repeat(1024 * 1024));
    home.put("in.jsonl", format!("{record}\n").repeat(9));
    let account = home.open("streams = [{ name = 's', path = 'in.jsonl', key = ['id'] }]").unwrap();
    let first = page(&account, 0, 100).await.unwrap();
    assert_eq!((first.records.len(), first.has_next), (4, Some(true)));
    assert_eq!(read(&account, 0, 100).await.unwrap().len(), 9);
}

fn documents() -> impl Strategy<Value = Vec<String>> {
    // Any text but the few characters that GB18030 does not have.
    let text = "\\PC{0,12}|[\"',;\r\n\\\\\u{feff} ]{0,4}|[0-9]{1,22}\\.[0-9]{1,4}";
    let texts = prop::collection::vec(text, 3);
    let document = texts.prop_map(|t| {
        let t: Vec<_> = t.iter().map(|t| serde_json::to_string(&t.replace('\u{e5e5}', "")).unwrap()).collect();
        format!("{{\"id\":{},\"b\":{},\"c\":{}}}", t[0], t[1], t[2])
    });
    prop::collection::vec(document, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_documents_come_back(documents in documents(), form in 0..18_usize, size in 1..5_u32, cut in 0..12_usize) {
        let form = every_form().nth(form).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let documents: Vec<_> = documents.iter().map(String::as_str).collect();
        let cut = cut.min(documents.len());
        let found = runtime.block_on(async {
            let home = Installation::new();
            let account = home.open(&settings(form)).unwrap();
            let mark = write(&account, "t", None, &documents[..cut]).await.unwrap();
            write(&account, "t", Some(&mark), &documents[cut..]).await.unwrap();
            read(&account, 0, size).await.unwrap()
        });
        prop_assert_eq!(found, documents);
    }

    #[test]
    fn csv_is_the_csv_of_others(table in prop::collection::vec(prop::collection::vec("\\PC{0,6}|[\",\r\n ]{0,3}", 3), 1..6)) {
        let texts = |row: &[String]| row.iter().map(|f| serde_json::to_string(f).unwrap()).collect::<Vec<_>>();
        let documents: Vec<_> = table.iter().map(|r| {
            let t = texts(r);
            format!("{{\"a\":{},\"b\":{},\"c\":{}}}", t[0], t[1], t[2])
        }).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let home = Installation::new();
        let settings = "targets = [{ name = 't', path = 'x.csv' }]\nstreams = [{ name = 's', path = 'y.csv', key = ['a'] }]";
        let account = home.open(settings).unwrap();
        let refs: Vec<_> = documents.iter().map(String::as_str).collect();
        runtime.block_on(write(&account, "t", None, &refs)).unwrap();
        // Ours, read by theirs.
        let mut theirs = csv::Reader::from_path(home.path("x.csv")).unwrap();
        let rows: Vec<Vec<String>> = theirs.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
        prop_assert_eq!(&rows, &table);
        // Theirs, read by ours.
        let mut theirs = csv::Writer::from_path(home.path("y.csv")).unwrap();
        theirs.write_record(["a", "b", "c"]).unwrap();
        for row in &table {
            theirs.write_record(row).unwrap();
        }
        theirs.flush().unwrap();
        prop_assert_eq!(runtime.block_on(read(&account, 0, 2)).unwrap(), documents);
    }
}
