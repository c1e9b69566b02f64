//! `milkrun alerts`: channels are tried out, incidents are listed with who was told of them, and forgotten in time.

use milkrun_testkit::http::Reply;
use serde_json::{Value, json};

use crate::console::Console;
use crate::place::Place;
use crate::server::Server;

/// The folder of accounts, one flow whose mapping refuses the second record, and two channels.
const ACCOUNTS: &str = r#"[accounts.source]
connector = "file"

[[accounts.source.streams]]
name = "items"
path = "items.json"
key = ["id"]

[accounts.files]
connector = "file"
folder = "out"

[alerts.rules]
disk-low = false

[alerts.channels.tickets]
kind = "webhook"
url = { env = "TICKETS_URL" }
secret = { env = "TICKETS_SECRET" }
lang = "en"

[alerts.channels.group]
kind = "wecom"
webhook = { env = "GROUP_URL" }
"#;
const FLOW: &str = r#"[source]
account = "source"
stream = "items"

[sink]
account = "files"
target = "items"

[mapping.fields]
sku = { from = "code", max_length = 3 }
"#;
const REFUSED: &str = r#"[{"id": 1, "code": "A-1"}, {"id": 2, "code": "A-2222"}]"#;

/// The webhook takes everything; the group's robot answers that its key is unknown, which nobody but a person mends.
fn channels() -> Server {
    Server::start(|request| {
        if request.path.starts_with("/tickets") {
            return Reply::new(204, "text/plain", "");
        }
        Reply::json(r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#)
    })
}

fn place(server: &Server) -> Place {
    let (tickets, group) = (format!("{}/tickets", server.url), format!("{}/group?key=vErY-sEcReT-kEy", server.url));
    let place = Place::new(ACCOUNTS)
        .secret("TICKETS_URL", &tickets)
        .secret("TICKETS_SECRET", "vErY-sEcReT-wOrD")
        .secret("GROUP_URL", &group)
        .hides("vErY-sEcReT-kEy");
    place.write("items.json", REFUSED);
    place.flow("items", FLOW);
    place
}

/// The messages that the webhook took.
fn taken(server: &Server) -> Vec<Value> {
    server.bodies("/tickets").iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

#[test]
fn channels_are_tried_out_one_or_all() {
    let server = channels();
    let place = place(&server);
    let one = place.milkrun(&["alerts", "test", "tickets"]).with(0);
    assert!(one.out.contains("tickets: a test message was sent to 127.0.0.1"), "{one}");
    let sent = taken(&server);
    assert_eq!((sent.len(), &sent[0]["notices"]), (1, &json!([])), "{sent:#?}");
    assert!(sent[0]["title"].is_string() && sent[0]["text"].is_string(), "{sent:#?}");

    // One that fails keeps none of the others from being tried.
    let all = place.milkrun(&["alerts", "test"]).with(1);
    assert!(all.out.contains("tickets: a test message was sent to"), "{all}");
    assert!(all.err.contains("group: the test message did not arrive") && all.err.contains("what to do: "), "{all}");
    assert_eq!((taken(&server).len(), server.bodies("/group").len()), (2, 1));
    let chinese = place.milkrun(&["alerts", "test", "--lang", "zh"]).with(1);
    assert!(chinese.out.contains("tickets：测试消息已发送到"), "{chinese}");
    assert!(chinese.err.contains("group：测试消息未送达") && chinese.err.contains("处理方法："), "{chinese}");

    let told = place.milkrun(&["alerts", "test", "--json"]).with(1).json();
    let tickets = told["channels"].as_array().unwrap().iter().find(|tried| tried["channel"] == "tickets").unwrap();
    let group = told["channels"].as_array().unwrap().iter().find(|tried| tried["channel"] == "group").unwrap();
    assert_eq!((&tickets["ok"], &tickets["error"]), (&true.into(), &Value::Null), "{told:#}");
    assert!(group["ok"] == false && group["error"]["message"].is_string(), "{told:#}");

    let unknown = place.milkrun(&["alerts", "test", "ticket"]).with(2);
    assert!(unknown.err.contains("no channel is called `ticket`"), "{unknown}");
    assert!(unknown.err.contains("did you mean `tickets`?"), "{unknown}");
    place.assert_no_secret();
}

#[test]
fn without_a_channel_or_its_secret_nothing_is_sent() {
    let place = Place::new(&ACCOUNTS[..ACCOUNTS.find("[alerts.channels.tickets]").unwrap()]);
    let none = place.milkrun(&["alerts", "test"]).with(2);
    assert!(none.err.contains("no channel is declared"), "{none}");
    let none = place.milkrun(&["alerts", "list"]).with(0);
    assert!(none.out.contains("No incident is open, and none was."), "{none}");
    assert!(none.out.contains("`milkrun serve` looks for incidents"), "{none}");
    assert_eq!(place.milkrun(&["alerts", "list", "--json"]).with(0).json(), json!({ "incidents": [] }));
    place.write("milkrun.toml", ACCOUNTS);
    let lacking = place.milkrun(&["alerts", "test"]).with(2);
    for part in ["milkrun.toml:18:7", "channel `tickets`: the secret of `url`", "export TICKETS_URL=…"] {
        assert!(lacking.err.contains(part), "{part} is missing: {lacking}");
    }
}

#[test]
fn incidents_are_told_once_listed_and_forgotten_when_their_time_is_over() {
    let server = channels();
    let place = place(&server);
    place.write("milkrun.toml", &ACCOUNTS[..ACCOUNTS.find("[alerts.channels.group]").unwrap()]);
    let mut serve = place.start(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let console = Console::of(&mut serve);
    console.does("POST", "/flows/items/run", &json!({}));
    let list = |arguments: &[&str]| place.milkrun(&[&["alerts", "list"], arguments].concat()).with(0);
    let listed = || list(&["--json"]).json()["incidents"].as_array().unwrap().clone();
    assert!(serve.until(|| listed().iter().any(|incident| incident["told"] == json!(["tickets"]))), "{:#?}", listed());
    let all = listed();
    assert_eq!((all.len(), &all[0]["id"], &all[0]["until"]), (1, &"dead-letters/items".into(), &Value::Null));
    let open = list(&[]);
    assert!(
        open.out.contains("Flow items: 1 record was refused and is a dead letter") && open.out.contains("  open  "),
        "{open}"
    );
    assert!(open.out.contains("  dead-letters/items: read why: milkrun dead-letters items"), "{open}");
    let chinese = list(&["--lang", "zh"]);
    assert!(chinese.out.contains("流程 items：1 条记录被拒绝") && chinese.out.contains("未恢复"), "{chinese}");

    // What was wrong is mended, and the record is sent again: that is told too, once.
    place.flow("items", &FLOW.replace("max_length = 3", "max_length = 9"));
    place.milkrun(&["replay", "items"]).with(0);
    let notices = || -> Vec<String> {
        let all = taken(&server);
        let notices = all.iter().flat_map(|message| message["notices"].as_array().unwrap());
        notices.map(|notice| format!("{} {}", notice["id"], notice["notice"]).replace('"', "")).collect()
    };
    let both = ["dead-letters/items began", "dead-letters/items ended"];
    assert!(serve.until(|| notices() == both), "{:?}", notices());
    let state = rusqlite::Connection::open(place.path(".milkrun/state.db")).unwrap();
    let n_past = || -> i64 {
        let count = "SELECT count(*) FROM line WHERE shelf = 'alerts.incidents'";
        state.query_row(count, [], |row| row.get(0)).unwrap()
    };
    assert!(serve.until(|| n_past() == 1), "{:#?}", listed());
    serve.terminate();
    serve.wait().with(0);
    let past = listed();
    assert!(past.len() == 1 && past[0]["until"].is_string(), "{past:#?}");

    // It is a part of the history, which is kept for 400 days.
    let forgotten = |arguments: &[&str]| {
        let arguments = [&["retain", "--json"], arguments].concat();
        place.milkrun(&arguments).with(0).json()["incidents"].clone()
    };
    assert_eq!((forgotten(&[]), n_past()), (json!(0), 1));
    let day = "86400 * 1000000000";
    state.execute(&format!("UPDATE line SET at = at - 401 * {day} WHERE shelf = 'alerts.incidents'"), []).unwrap();
    assert_eq!((forgotten(&["--dry-run"]), n_past()), (json!(1), 1));
    place.write("milkrun.toml", &format!("{}\n[retention]\nruns = \"never\"\n", place.read("milkrun.toml")));
    assert_eq!((forgotten(&[]), n_past()), (json!(0), 1));
    place.write("milkrun.toml", &place.read("milkrun.toml").replace("\"never\"", "\"400d\""));
    let done = place.milkrun(&["retain"]).with(0);
    assert!(done.out.contains("forgotten: runs 0, incidents 1, refused records 0"), "{done}");
    assert_eq!((forgotten(&[]), n_past()), (json!(0), 0));
    assert!(list(&[]).out.contains("No incident is open, and none was."), "{:#?}", listed());
    place.assert_no_secret();
}
