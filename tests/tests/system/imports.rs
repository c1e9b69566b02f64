//! `milkrun import qeasy` and `include`: metadata of 轻易云 becomes a flow that runs, and every key is accounted for.

use std::collections::BTreeSet;

use milkrun_sandbox::chanjet;
use milkrun_testkit::http::Reply;

use crate::place::Place;
use crate::server::Server;
use crate::simulator::Simulator;

const PAGE_SOURCE: &str = include_str!("../../../crates/import/tests/samples/page-source.json");
const PAGE_TARGET: &str = include_str!("../../../crates/import/tests/samples/page-target.json");
/// The record of the page, and the body that the page shows for it.
const RECORD: &str = r#"{"refund_no":"TK2601050001","shop_no":"S01","refund_order_list":[{"goods_no":"A1","refund_num":"2.0000","refund_order_amount":"19.90"}]}"#;
const BODY: &str = r#"{"FBillNo":"TK2601050001","FSaleOrgId":{"FNumber":"100"},"FEntity":[{"FMaterialId":{"FNumber":"A1"},"FTaxPrice":"9.9500"}]}"#;
/// A target for items of T+.
const ITEMS: &str = r#"{"api":"/items","method":"POST","request":[
    {"field":"code","type":"string","value":"{{Code}}"},
    {"field":"class","type":"string","value":"{{InventoryClass.Code}}"},]}"#;
/// A source that the small server plays.
const REFUNDS: &str =
    r#"{"api":"/refunds","effect":"QUERY","method":"GET","id":"refund_no","number":"refund_no","request":[]}"#;

/// Items at the simulated T+, and how many of them are not disabled, which is what the page's source asks for.
const N_ITEMS: u32 = 30;
const N_USED: usize = 26;

/// A T+ with some items, a server that takes everything, and an installation whose accounts have the usual names.
fn start() -> (Simulator, Server, Place) {
    let settings = chanjet::Settings {
        n_inventory: N_ITEMS,
        n_vouchers: 3,
        app_secret: "vErY-sEcReT-aPp".to_owned(),
        access_token: "vErY-sEcReT-aCcEsS".to_owned(),
        refresh_token: "vErY-sEcReT-rEfReSh".to_owned(),
        ..chanjet::Settings::default()
    };
    let vendor = Simulator::tplus(settings.clone());
    let server = Server::start(|request| match request.path.as_str() {
        "/refunds" => Reply::json(format!("[{RECORD}]")),
        _ => Reply::json(r#"{"code":0}"#),
    });
    let accounts = format!(
        "[accounts.tplus]\nconnector = \"chanjet-tplus\"\nbase_url = \"{}\"\napp_key = \"{}\"\n\
         app_secret = {{ env = \"APP\" }}\naccess_token = {{ env = \"ACCESS\" }}\n\
         refresh_token = {{ env = \"REFRESH\" }}\n[accounts.api]\nconnector = \"http\"\nbase_url = \"{}\"\n",
        vendor.url, settings.app_key, server.url
    );
    let place = Place::new(&accounts).watching(&vendor.control).secret("APP", &settings.app_secret);
    let place = place.secret("ACCESS", &settings.access_token).secret("REFRESH", &settings.refresh_token);
    place.write("meta/page-source.json", PAGE_SOURCE);
    place.write("meta/page-target.json", PAGE_TARGET);
    place.write("meta/items.json", ITEMS);
    place.write("meta/refunds.json", REFUNDS);
    (vendor, server, place)
}

/// A day before the first change of the simulated items.
fn since(vendor: &Simulator) -> String {
    let before = vendor.control.now() - jiff::SignedDuration::from_hours(24 * 32);
    before.to_string()[..10].to_owned()
}

#[test]
fn the_pages_source_reads_tplus_and_its_target_gives_the_pages_body() {
    let (vendor, server, place) = start();
    let import = |source: &str, target: &str, out: &str| {
        let since = since(&vendor);
        place.milkrun(&["import", "qeasy", source, target, "--out", out, "--since", &since]).with(0)
    };
    import("meta/page-source.json", "meta/items.json", "flows/items.toml");
    import("meta/refunds.json", "meta/page-target.json", "flows/refunds.toml");
    place.milkrun(&["check"]).with(0);
    place.reconciles("items");
    place.reconciles("refunds");
    let items = server.bodies("/items");
    assert_eq!(items.len(), N_USED, "one call for each item that is used: {items:?}");
    assert_eq!(items.iter().collect::<BTreeSet<_>>().len(), N_USED, "{items:?}");
    assert!(items.iter().all(|body| body.contains(r#""class":"0101""#)), "{items:?}");
    assert_eq!(server.bodies("/batchSave"), [format!("[{BODY}]")], "rows in an array, as `operation` says");
    // What was imported does not send anything twice.
    place.reconciles("items");
    place.reconciles("refunds");
    assert_eq!((server.bodies("/items").len(), server.bodies("/batchSave").len()), (N_USED, 1));
}

#[test]
fn a_flow_may_include_the_metadata_as_it_is() {
    let (vendor, server, place) = start();
    let since = since(&vendor);
    place.flow(
        "items",
        &format!(
            "include = {{ qeasy = [\"../meta/page-source.json\", \"../meta/items.json\"] }}\n\
             [source]\nsince = \"{since}\"\n[mapping.fields]\ncode = {{ from = \"Code\", prefix = \"T-\" }}\n"
        ),
    );
    place.flow("refunds", "include = { qeasy = [\"../meta/refunds.json\", \"../meta/page-target.json\"] }\n");
    place.milkrun(&["check"]).with(0);
    place.reconciles("items");
    place.reconciles("refunds");
    let items = server.bodies("/items");
    assert_eq!(items.len(), N_USED);
    assert!(items.iter().all(|body| body.contains(r#""code":"T-"#)), "what the file says itself counts: {items:?}");
    assert_eq!(server.bodies("/batchSave"), [format!("[{BODY}]")]);
    // A mistake in the file's own part is shown where it stands.
    place.flow(
        "refunds",
        "include = { qeasy = [\"../meta/refunds.json\", \"../meta/nowhere.json\"] }\n[sink]\nbatch = 0\n",
    );
    let ended = place.milkrun(&["check", "--offline"]).with(2);
    assert!(ended.said().contains("refunds.toml:1:"), "{ended}");
    assert!(ended.said().contains("nowhere.json"), "{ended}");
    // The other flow runs all the same.
    place.reconciles("items");
}

#[test]
fn the_report_names_each_key_with_its_place() {
    let (_vendor, _server, place) = start();
    let ask = ["import", "qeasy", "meta/page-source.json", "meta/page-target.json", "--out", "flows/x.toml"];
    let ask = |more: &[&'static str]| ask.into_iter().chain(more.iter().copied()).collect::<Vec<_>>();
    let report = place.milkrun(&ask(&["--json"])).with(0).json();
    let keys = report["keys"].as_array().unwrap();
    let of = |fate: &str| keys.iter().filter(|key| key["fate"] == fate).count() as u64;
    for (count, fate) in [("carried", "carried"), ("translated", "translated"), ("decisions", "decision")] {
        assert_eq!(report[count].as_u64().unwrap(), of(fate), "{report:#}");
        assert!(of(fate) > 0, "{fate}: {report:#}");
    }
    let texts = [("source", PAGE_SOURCE), ("target", PAGE_TARGET)];
    for key in keys {
        let (_, text) = texts.iter().find(|(side, _)| key["side"] == *side).unwrap();
        let number = |name: &str| usize::try_from(key[name].as_u64().unwrap()).unwrap();
        let line = text.lines().nth(number("line") - 1).unwrap_or_else(|| panic!("no such line: {key:#}"));
        assert!((1..=line.chars().count()).contains(&number("column")), "{key:#}");
        let last = key["path"].as_str().unwrap().rsplit(['.', ']']).next().unwrap().to_owned();
        assert!(last.is_empty() || line.contains(&last), "`{last}` is not on its line: {key:#}");
    }
    // The same flow in Chinese; a file that is there is not written over.
    let flow = place.read("flows/x.toml");
    let refused = place.milkrun(&ask(&[])).with(2);
    assert!(refused.said().contains("--force") && place.read("flows/x.toml") == flow, "{refused}");
    let ended = place.milkrun(&ask(&["--force", "--lang", "zh"])).with(0);
    for decision in keys.iter().filter(|key| key["fate"] == "decision") {
        let (file, line, column) = (decision["file"].as_str().unwrap(), &decision["line"], &decision["column"]);
        assert!(ended.said().contains(&format!("{file}:{line}:{column}")), "{decision:#} is not in {ended}");
        assert!(ended.said().contains(decision["note"]["zh"].as_str().unwrap_or("警告")), "{decision:#} {ended}");
    }
    assert!(ended.said().contains("警告") && ended.out.contains("flows/x.toml"), "{ended}");
}

#[test]
fn text_that_is_no_metadata_is_refused_at_its_place() {
    let (_vendor, _server, place) = start();
    let import = |lang| {
        let ask = ["import", "qeasy", "meta/wrong.json", "--out", "flows/w.toml", "--lang", lang];
        place.milkrun(&ask).with(2).said()
    };
    for (text, at, en, zh) in [
        ("{\"api\":\"/a\",\n \"request\":[}", "2:13", "this brace closes no object", "此花括号没有对应的对象"),
        ("[]", "1:1", "the metadata has to be one JSON object", "元数据应为一个 JSON 对象"),
        ("", "1:1", "the text is empty", "文本为空"),
        ("{\"名\":\"/a\",\n", "1:11", "the text ends inside an object", "内容在对象中途结束"),
        ("{\n\"a\": [\n1,", "3:3", "it began in line 2: add `]`", "它始于第 2 行：请补上 `]`"),
        ("{\n  \"api\": \"/a\n}", "2:10", "a text begins here and is never ended", "文本从此处开始，却没有结束"),
    ] {
        place.write("meta/wrong.json", text);
        for (lang, said) in [("en", en), ("zh", zh)] {
            let ended = import(lang);
            assert!(ended.contains(&format!("meta/wrong.json:{at}\n")) && ended.contains(said), "{text}: {ended}");
        }
        assert!(!place.path("flows/w.toml").exists(), "{text}: nothing is written");
    }
    // A flow that includes it names the place too.
    place.flow("w", "include = { qeasy = [\"../meta/wrong.json\"] }\n");
    let ended = place.milkrun(&["check", "--offline", "--lang", "zh"]).with(2).said();
    let told = "meta/wrong.json:2:10：文本从此处开始，却没有结束";
    assert!(ended.contains(told) && ended.contains("flows/w.toml:1:22"), "{ended}");
    std::fs::remove_file(place.path("flows/w.toml")).unwrap();
    // An editor may have written GBK.
    std::fs::write(place.path("meta/wrong.json"), b"{\"a\": \"\xd6\xd0\"}").unwrap();
    let ended = import("en");
    assert!(ended.contains("meta/wrong.json:1:8\n") && ended.contains("the file is not UTF-8 from here on"), "{ended}");
    let ended = place.milkrun(&["import", "qeasy", "meta/missing.json", "--out", "flows/w.toml"]);
    assert!(ended.code != Some(0) && ended.said().contains("missing.json"), "{ended}");
}
