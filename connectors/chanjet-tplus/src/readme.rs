//! The README's example is tried out, text by text.

use milkrun_core::connector::PageRequest;
use milkrun_core::{Opening, Position, Record, Slice, Window};
use milkrun_mapping::Mapping;
use toml::{Table, Value};

use crate::fixture::Stage;

const README: &str = include_str!("../README.md");

/// The code blocks of that language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let open = format!("```{language}\n");
    README.split(&open).skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

/// The settings of the account `tplus` in a block, with plain secrets in place of references.
fn account(block: &str, pem: &str) -> Table {
    let file: Table = block.parse().unwrap();
    let mut settings = file["accounts"]["tplus"].as_table().unwrap().clone();
    assert_eq!(settings.remove("connector"), Some(Value::from("chanjet-tplus")));
    for (name, value) in &mut settings {
        let is_reference =
            value.as_table().is_some_and(|t| t.len() == 1 && (t.contains_key("env") || t.contains_key("file")));
        if is_reference {
            let text = match name.as_str() {
                "pem" => pem,
                "message_secret" => "1234567890abcdef",
                _ => "hush",
            };
            *value = Value::from(text);
        }
    }
    settings
}

fn open(settings: Table) -> milkrun_core::Account {
    crate::source::open(&Opening { account: "tplus".into(), settings, folder: "/".into() }).unwrap()
}

#[test]
fn every_account_of_the_readme_opens() {
    let (_, pem) = crate::jwt::tests::new_key();
    let blocks = blocks("toml");
    let example = account(blocks[0], &pem);
    let files: Vec<&str> = blocks.iter().filter_map(|block| block.lines().next()).collect();
    assert_eq!(files.len(), 6, "{files:?}");
    for block in &blocks {
        match block.lines().next().unwrap() {
            "# flows/items.toml" => {}
            "# milkrun.toml" => {
                let mut settings = account_or_more(block, &pem);
                if !settings.contains_key("app_key") {
                    let more = std::mem::take(&mut settings);
                    settings = example.clone();
                    settings.extend(more);
                }
                let account = open(settings);
                for (kind, name) in [("streams", "units"), ("targets", "other-receive")] {
                    if block.contains(&format!("tplus.{kind}]]")) {
                        let source = account.source.as_ref().unwrap();
                        let streams = source.streams().iter().map(|stream| stream.name.clone());
                        let targets = account.sink.as_ref().unwrap().targets().iter().map(|target| target.name.clone());
                        let names: Vec<String> = if kind == "streams" { streams.collect() } else { targets.collect() };
                        assert!(names.iter().any(|other| other == name), "{names:?}");
                    }
                }
            }
            other => panic!("{other}"),
        }
    }
}

/// The same for blocks that only add to the account.
fn account_or_more(block: &str, pem: &str) -> Table {
    if block.contains("connector = \"chanjet-tplus\"") {
        return account(block, pem);
    }
    let file: Table = block.parse().unwrap();
    file["accounts"]["tplus"].as_table().unwrap().clone()
}

#[tokio::test]
async fn the_flow_asks_and_maps_as_the_readme_says() {
    let (toml, json) = (blocks("toml"), blocks("json"));
    let [request, record, document] = json[..] else { panic!("{json:?}") };
    let flow: Table = toml[1].parse().unwrap();
    let adjust = account(toml[0], "").remove("adjust").unwrap();
    let more = toml::to_string(&Table::from_iter([("adjust".to_owned(), adjust)])).unwrap();
    let stage = Stage::start(&format!("access_token = 'live'\n{more}"), move |_| format!("[{record}]").into()).await;
    let source = stage.account.source.as_ref().unwrap();
    let name = flow["source"]["stream"].as_str().unwrap();
    let stream = source.streams().iter().find(|stream| stream.name == name).unwrap();
    let spec = stream.window.as_ref().unwrap();
    // The first window of the flow: from `since` on, as long as one may be.
    let from: jiff::civil::Date = flow["source"]["since"].as_str().unwrap().parse().unwrap();
    let from = from.to_zoned(spec.time_zone().unwrap()).unwrap().timestamp();
    let window = Window { from, until: from + jiff::SignedDuration::try_from(spec.longest).unwrap() };
    let slice = Slice { window: Some(window), ..Slice::default() };
    let ask = PageRequest { stream, slice: &slice, at: &Position::Page(1), size: stream.page_size.usual };
    let page = source.read_page(&stage.cx, ask).await.unwrap();
    let requests = stage.server.requests();
    assert_eq!((requests[0].path.as_str(), requests[0].body.as_str()), ("/tplus/api/v2/inventory/Query", request));
    assert_eq!(page.records, [Record::parse(record).unwrap()]);
    let mapping = Mapping::compile_str(&toml::to_string(&flow["mapping"]).unwrap()).unwrap();
    let mut out = milkrun_mapping::Output::new();
    mapping.apply(&page.records[0], &mut out).unwrap();
    let sort = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
    assert_eq!(out.iter().map(sort).collect::<Vec<_>>(), [sort(document)]);
}
