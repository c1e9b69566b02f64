//! What is said about wrong files: each case changes one thing in a right installation.

use std::path::Path;
use std::time::Duration;

use milkrun_engine::timetable::{Missed, Overlap, Policy};

use super::{Reports, load};
use crate::environment::Environment;
use crate::show::{Out, Scrubber};
use crate::text::{self, Lang};
use crate::wiring::{Accounts, At, Secrets, open_accounts, open_alerts, open_console, prepare_flows};

const INSTALLATION: &str = r#"[accounts.km]
connector = "kuaimai"
app_key = "123456"
app_secret = { env = "KM_SECRET" }
session = { env = "KM_SESSION" }

[accounts.files]
connector = "file"
folder = "out"

[[accounts.files.targets]]
name = "orders"
path = "orders.jsonl"
"#;

const ALERTS: &str = r#"
[alerts]
quiet_hours = "22:00-08:00"
remind = "12h"

[alerts.channels.ops]
kind = "dingtalk"
webhook = { env = "OPS_WEBHOOK" }
secret = { env = "OPS_SECRET" }
keyword = "Milkrun"
lang = "en"

[alerts.channels.boss]
kind = "mail"
host = "smtp.example.com"
security = "starttls"
user = "alerts@example.com"
password = { env = "OPS_SECRET" }
from = "Milkrun <alerts@example.com>"
to = ["a@example.com", "b@example.com"]

[alerts.rules]
lag = "4h"
run-failed = 2
dead-letters = true
token-refused = false
disk-low = "5%"
"#;

const FLOW: &str = r#"schedule = "0 */5 * * * ?"

[source]
account = "km"
stream = "orders"
since = "2026-01-01"

[sink]
account = "files"
target = "orders"

[mapping.fields]
order_no = "tid"
amount = { from = "payAmount", type = "decimal" }
"#;

const I: &str = "milkrun.toml";
const F: &str = "flows/orders.toml";
/// What is appended to [`I`] where a case is about alerts.
const A: &str = "milkrun.toml with alerts";

/// Name, file, what is replaced, and what with.
type Case = (&'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    // Grammar.
    ("a quote is missing", I, "\"123456\"", "\"123456"),
    ("a key twice", F, "stream = \"orders\"", "stream = \"orders\"\nstream = \"items\""),
    ("a table twice", F, "[sink]", "[source]"),
    ("no value", F, "since = \"2026-01-01\"", "since ="),
    // milkrun.toml.
    ("unknown table", I, "[accounts.files]", "[alarms]\nurl = \"x\"\n\n[accounts.files]"),
    ("misspelt accounts", I, "[accounts.km]", "[acounts.km]"),
    ("no account", I, INSTALLATION, "# nothing yet\n"),
    ("an account that is no table", I, "[accounts.km]", "[accounts]\nother = 5\n\n[accounts.km]"),
    ("an account with a bad name", I, "[accounts.km]", "[accounts.\"k m\"]"),
    ("unknown connector", I, "connector = \"kuaimai\"", "connector = \"kuaimia\""),
    ("no connector", I, "connector = \"kuaimai\"\n", ""),
    ("misspelt connector key", I, "connector = \"kuaimai\"", "conector = \"kuaimai\""),
    ("connector of a wrong type", I, "connector = \"kuaimai\"", "connector = 7"),
    ("store of a wrong type", I, "[accounts.km]", "store = \"here\"\n\n[accounts.km]"),
    ("unknown store key", I, "[accounts.km]", "[store]\npaht = \"x\"\n\n[accounts.km]"),
    ("store key as text", I, "[accounts.km]", "[store]\nkey = \"abc\"\n\n[accounts.km]"),
    ("store key in the vault", I, "[accounts.km]", "[store]\nkey = { vault = \"k\" }\n\n[accounts.km]"),
    // Alerts.
    ("misspelt table of alerts", A, "[alerts.rules]", "[alerts.rule]"),
    ("a rule among the alerts", A, "remind =", "lag = \"2h\"\nremind ="),
    ("bad quiet hours", A, "22:00-08:00", "22-8"),
    ("quiet hours of a wrong type", A, "\"22:00-08:00\"", "22"),
    ("reminders too often", A, "12h", "1m"),
    ("unknown zone", A, "remind =", "zone = \"Asia/Peking\"\nremind ="),
    ("unknown rule", A, "dead-letters", "dead-leters"),
    ("bad bound", A, "\"4h\"", "\"4 hours\""),
    ("bound of a wrong type", A, "\"5%\"", "5"),
    ("no bound for this rule", A, "token-refused = false", "token-refused = 3"),
    ("channel without a kind", A, "kind = \"dingtalk\"\n", ""),
    ("misspelt kind", A, "kind = \"dingtalk\"", "knd = \"dingtalk\""),
    ("unknown kind", A, "\"dingtalk\"", "\"dingding\""),
    ("channel that is no table", A, "[alerts.channels.ops]", "[alerts.channels]\nother = 1\n\n[alerts.channels.ops]"),
    ("channel with a bad name", A, "[alerts.channels.ops]", "[alerts.channels.\"o p\"]"),
    ("unknown key of a channel", A, "keyword =", "keywrd ="),
    ("key of another kind", A, "kind = \"dingtalk\"", "kind = \"wecom\""),
    ("channel without an address", A, "webhook = { env = \"OPS_WEBHOOK\" }\n", ""),
    ("address that is none", A, "OPS_WEBHOOK", "OPS_SECRET"),
    ("variable of a channel not set", A, "OPS_WEBHOOK", "OPS_WEBHOK"),
    ("address in plain text", A, "{ env = \"OPS_WEBHOOK\" }", "\"https://example.com/t0ken-in-plain-text\""),
    ("unknown language", A, "lang = \"en\"", "lang = \"de\""),
    ("unknown security", A, "\"starttls\"", "\"ssl\""),
    ("password over an open connection", A, "\"starttls\"", "\"none\""),
    ("bad sender", A, "Milkrun <alerts@example.com>", "alerts"),
    ("bad recipient", A, "b@example.com", "b at example.com"),
    ("recipient of a wrong type", A, "\"b@example.com\"", "7"),
    ("no recipients", A, "to = [\"a@example.com\", \"b@example.com\"]\n", ""),
    ("unknown rule of a flow", F, "[source]", "[alerts]\nlagg = \"1d\"\n\n[source]"),
    ("rule of accounts in a flow", F, "[source]", "[alerts]\nquota-low = \"5%\"\n\n[source]"),
    ("store key in a keyring without a name", I, "[accounts.km]", "[store]\nkey = { keyring = \"\" }\n\n[accounts.km]"),
    // Upkeep.
    ("unknown retention key", I, "[accounts.km]", "[retention]\npage = \"30d\"\n\n[accounts.km]"),
    ("an age that is none", I, "[accounts.km]", "[retention]\nruns = \"forever\"\n\n[accounts.km]"),
    ("an age without a unit", I, "[accounts.km]", "[retention]\nruns = 400\n\n[accounts.km]"),
    ("a ledger that forgets too early", I, "[accounts.km]", "[retention]\nledger = \"30d\"\n\n[accounts.km]"),
    ("dead letters that go too early", I, "[accounts.km]", "[retention]\ndead_letters = \"7d\"\n\n[accounts.km]"),
    ("a size that is none", I, "[accounts.km]", "[retention]\npages_size = \"20 gigs\"\n\n[accounts.km]"),
    ("a size below the floor", I, "[accounts.km]", "[retention]\npages_size = \"1MiB\"\n\n[accounts.km]"),
    ("a log without a file", I, "[accounts.km]", "[logs]\nlevel = \"info\"\n\n[accounts.km]"),
    ("a level that is none", I, "[accounts.km]", "[logs]\nfile = \"x\"\nlevel = \"inof\"\n\n[accounts.km]"),
    // The console.
    ("console of a wrong type", I, "[accounts.km]", "console = true\n\n[accounts.km]"),
    (
        "unknown console key",
        I,
        "[accounts.km]",
        "[console]\nlisten = \"127.0.0.1:7070\"\nuser = \"zhang\"\n\n[accounts.km]",
    ),
    ("misspelt address", I, "[accounts.km]", "[console]\nlisten = \"localhost\"\n\n[accounts.km]"),
    ("address of a wrong type", I, "[accounts.km]", "[console]\nlisten = 7070\n\n[accounts.km]"),
    ("console open to everybody", I, "[accounts.km]", "[console]\nlisten = \"0.0.0.0:7070\"\n\n[accounts.km]"),
    (
        "console open behind a proxy",
        I,
        "[accounts.km]",
        "[console]\npublic_url = \"https://m.example\"\n\n[accounts.km]",
    ),
    (
        "console in plain text",
        I,
        "[accounts.km]",
        "[console]\nlisten = \"0.0.0.0:7070\"\n\n[console.tokens.grafana]\nrole = \"viewer\"\ntoken = { env = \"KM_SECRET\" }\n\n[accounts.km]",
    ),
    (
        "public address with a path",
        I,
        "[accounts.km]",
        "[console]\npublic_url = \"m.example/milkrun\"\n\n[accounts.km]",
    ),
    ("proxies as text", I, "[accounts.km]", "[console]\ntrusted_proxies = \"10.0.0.0/8\"\n\n[accounts.km]"),
    (
        "a proxy that is no network",
        I,
        "[accounts.km]",
        "[console]\ntrusted_proxies = [\"10.0.0.0/99\"]\n\n[console.tokens.grafana]\nrole = \"viewer\"\ntoken = { env = \"KM_SECRET\" }\n\n[accounts.km]",
    ),
    ("certificate without a key", I, "[accounts.km]", "[console]\ntls = { cert = \"a.pem\" }\n\n[accounts.km]"),
    (
        "unknown role",
        I,
        "[accounts.km]",
        "[console.tokens.grafana]\nrole = \"reader\"\ntoken = { env = \"KM_SECRET\" }\n\n[accounts.km]",
    ),
    ("user without a role", I, "[accounts.km]", "[console.users.zhang]\npasword = \"x\"\n\n[accounts.km]"),
    (
        "password in plain text",
        I,
        "[accounts.km]",
        "[console.users.zhang]\nrole = \"viewer\"\npassword = \"s3cr3t-value\"\n\n[accounts.km]",
    ),
    ("user with a bad name", I, "[accounts.km]", "[console.users.\"a b\"]\nrole = \"viewer\"\n\n[accounts.km]"),
    ("user that is no table", I, "[accounts.km]", "[console.users]\nzhang = \"s3cr3t-value\"\n\n[accounts.km]"),
    (
        "access token in plain text",
        I,
        "[accounts.km]",
        "[console.tokens.grafana]\nrole = \"viewer\"\ntoken = \"s3cr3t-value\"\n\n[accounts.km]",
    ),
    (
        "access token from an unknown source",
        I,
        "[accounts.km]",
        "[console.tokens.grafana]\nrole = \"viewer\"\ntoken = { envv = \"A\" }\n\n[accounts.km]",
    ),
    (
        "console in whose table of users nobody is",
        I,
        "[accounts.km]",
        "[console]\nlisten = \"0.0.0.0:7070\"\n\n[console.users]\n\n[accounts.km]",
    ),
    (
        "access token that is not set",
        I,
        "[accounts.km]",
        "[console.tokens.grafana]\nrole = \"viewer\"\ntoken = { env = \"NOBODY_HAS_SET_IT\" }\n\n[accounts.km]",
    ),
    (
        "certificate that is not there",
        I,
        "[accounts.km]",
        "[console]\ntls = { cert = \"console.pem\", key = \"milkrun.toml\" }\n\n[accounts.km]",
    ),
    (
        "certificate that is none",
        I,
        "[accounts.km]",
        "[console]\ntls = { cert = \"milkrun.toml\", key = \"milkrun.toml\" }\n\n[accounts.km]",
    ),
    (
        "address of another machine",
        I,
        "[accounts.km]",
        "[console]\nlisten = \"192.0.2.1:7070\"\n\n[console.tokens.grafana]\nrole = \"viewer\"\ntoken = { env = \"LONG_TOKEN\" }\n\n[accounts.km]",
    ),
    ("no access token", I, "[accounts.km]", "[console.tokens.grafana]\nrole = \"viewer\"\n\n[accounts.km]"),
    ("collector without a scheme", I, "[accounts.km]", "[telemetry]\notlp = \"localhost:4318\"\n\n[accounts.km]"),
    // Settings of an account.
    ("unknown setting", I, "app_key = \"123456\"", "app_key = \"123456\"\nappsecret = \"x\""),
    ("misspelt required setting", I, "app_key", "ap_key"),
    ("missing setting", I, "app_key = \"123456\"\n", ""),
    ("missing secret setting", I, "session = { env = \"KM_SESSION\" }\n", ""),
    ("number for text", I, "\"123456\"", "123456"),
    ("text for number", I, "session =", "calls_per_second = \"12\"\nsession ="),
    ("number out of its type", I, "session =", "concurrency = -1\nsession ="),
    ("number the connector refuses", I, "session =", "calls_per_second = 100\nsession ="),
    ("unknown choice", I, "session =", "sign_method = \"sha1\"\nsession ="),
    ("setting the connector refuses", I, "\"123456\"", "\"app-1\""),
    ("address the connector refuses", I, "session =", "base_url = \"gw.superboss.cc\"\nsession ="),
    ("unknown key in a list of tables", I, "path = \"orders.jsonl\"", "path = \"orders.jsonl\"\ncompresion = \"gzip\""),
    ("missing key in a list of tables", I, "path = \"orders.jsonl\"\n", ""),
    ("unknown choice in a list of tables", I, "path = \"orders.jsonl\"", "path = \"orders.jsonl\"\nencoding = \"gbk\""),
    ("a table for a list", I, "[[accounts.files.targets]]", "[accounts.files.targets]"),
    ("a target without a known format", I, "orders.jsonl", "orders.txt"),
    (
        "two targets of one name",
        I,
        "path = \"orders.jsonl\"",
        "path = \"a.jsonl\"\n\n[[accounts.files.targets]]\nname = \"orders\"\npath = \"b.jsonl\"",
    ),
    // Secrets.
    ("variable not set", I, "KM_SECRET", "KM_SECRT"),
    ("secret file not there", I, "{ env = \"KM_SECRET\" }", "{ file = \"secrets/app\" }"),
    ("secret not in the vault", I, "{ env = \"KM_SECRET\" }", "{ vault = \"km\" }"),
    ("unknown source of a secret", I, "{ env = \"KM_SECRET\" }", "{ envv = \"KM_SECRET\" }"),
    ("two sources of a secret", I, "{ env = \"KM_SECRET\" }", "{ env = \"A\", file = \"b\" }"),
    ("empty source of a secret", I, "{ env = \"KM_SECRET\" }", "{ env = \"\" }"),
    ("source of a secret of a wrong type", I, "{ env = \"KM_SECRET\" }", "{ env = 5 }"),
    ("secret of a wrong type", I, "{ env = \"KM_SECRET\" }", "123"),
    // A flow's keys.
    ("unknown key at the top", F, "schedule =", "shedule ="),
    ("key of the source at the top", F, "schedule = \"0 */5 * * * ?\"", "since = \"2026-01-01\""),
    ("key of the sink in the source", F, "since =", "target = \"orders\"\nsince ="),
    ("unknown key in the source", F, "since =", "sinc ="),
    ("unknown key in the sink", F, "target = \"orders\"", "target = \"orders\"\nbatchsize = 5"),
    ("no source", F, "[source]\naccount = \"km\"\nstream = \"orders\"\nsince = \"2026-01-01\"\n", ""),
    ("misspelt source", F, "[source]", "[sorce]"),
    ("no stream", F, "stream = \"orders\"\n", ""),
    ("misspelt stream", F, "stream =", "streem ="),
    ("empty stream", F, "stream = \"orders\"", "stream = \"\""),
    ("not a timetable", F, "0 */5 * * * ?", "every five minutes"),
    ("a field of a timetable", F, "0 */5 * * * ?", "0 */5 24 * * ?"),
    ("a weekday of a timetable", F, "0 */5 * * * ?", "0 0 9 ? * MOM-FRI"),
    ("a step of a timetable", F, "0 */5 * * * ?", "*/90 * * * *"),
    ("an unreadable field of a timetable", F, "0 */5 * * * ?", "0 9 */2/3 * *"),
    ("a question mark in the wrong field", F, "0 */5 * * * ?", "? * * * *"),
    ("everything and more in a field", F, "0 */5 * * * ?", "*,5 * * * *"),
    ("the last day twice", F, "0 */5 * * * ?", "0 0 9 L,LW * ?"),
    ("a word for a timetable", F, "0 */5 * * * ?", "@dialy"),
    ("a timetable that never starts anything", F, "0 */5 * * * ?", "0 0 2 30 2 ?"),
    ("day and weekday of a timetable", F, "0 */5 * * * ?", "0 0 2 1 * 2"),
    ("a stepped day beside a weekday", F, "0 */5 * * * ?", "0 2 */2 * 1"),
    ("timetable as number", F, "\"0 */5 * * * ?\"", "5"),
    ("timetable without cron", F, "\"0 */5 * * * ?\"", "{ zone = \"Asia/Shanghai\" }"),
    ("misspelt key of the timetable", F, "\"0 */5 * * * ?\"", "{ cron = \"@daily\", jiter = \"5s\" }"),
    ("key of the timetable at the top", F, "schedule =", "overlap = \"queue\"\nschedule ="),
    ("unknown zone", F, "\"0 */5 * * * ?\"", "{ cron = \"@daily\", zone = \"Asia/Shangai\" }"),
    (
        "zone that is called after another town",
        F,
        "\"0 */5 * * * ?\"",
        "{ cron = \"@daily\", zone = \"Asia/Beijing\" }",
    ),
    ("zone that is none", F, "\"0 */5 * * * ?\"", "{ cron = \"@daily\", zone = \"!\" }"),
    ("unknown overlap", F, "\"0 */5 * * * ?\"", "{ cron = \"@daily\", overlap = \"quque\" }"),
    ("unknown choice for missed starts", F, "\"0 */5 * * * ?\"", "{ cron = \"@daily\", missed = \"all\" }"),
    ("jitter without unit", F, "\"0 */5 * * * ?\"", "{ cron = \"@daily\", jitter = 30 }"),
    ("jitter that is too long", F, "\"0 */5 * * * ?\"", "{ cron = \"@daily\", jitter = \"2d\" }"),
    ("paused as text", F, "\"0 */5 * * * ?\"", "{ cron = \"@daily\", paused = \"true\" }"),
    (
        "source of a wrong type",
        F,
        "[source]\naccount = \"km\"\nstream = \"orders\"\nsince = \"2026-01-01\"\n",
        "source = \"km.orders\"\n",
    ),
    ("account of a wrong type", F, "account = \"km\"", "account = 1"),
    ("bad date", F, "2026-01-01", "2026-02-30"),
    ("date as number", F, "\"2026-01-01\"", "20260101"),
    ("bad duration", F, "since =", "lookback = \"10 minutes\"\nsince ="),
    ("duration without unit", F, "since =", "settle = 60\nsince ="),
    ("concurrency out of range", F, "since =", "concurrency = 0\nsince ="),
    ("concurrency as text", F, "since =", "concurrency = \"8\"\nsince ="),
    ("journal as text", F, "target = \"orders\"", "target = \"orders\"\njournal = \"true\""),
    // Names and limits that only show against the accounts.
    ("unknown account", F, "account = \"km\"", "account = \"kn\""),
    ("unknown stream", F, "stream = \"orders\"", "stream = \"order\""),
    ("unknown target", F, "target = \"orders\"", "target = \"orderz\""),
    ("account without streams", F, "account = \"km\"", "account = \"files\""),
    ("account without targets", F, "account = \"files\"", "account = \"km\""),
    ("no since", F, "since = \"2026-01-01\"\n", ""),
    ("until before since", F, "since =", "until = \"2025-12-31\"\nsince ="),
    ("window too long", F, "since =", "window = \"2d\"\nsince ="),
    ("window of nothing", F, "since =", "window = \"0s\"\nsince ="),
    ("window of a stream without", F, "stream = \"orders\"", "stream = \"warehouses\""),
    ("page size too large", F, "since =", "page_size = 500\nsince ="),
    ("batch too large", F, "target = \"orders\"", "target = \"orders\"\nbatch = 5000"),
    ("unknown proof", F, "since =", "proof = \"none\"\nsince ="),
    ("laxer proof", F, "since =", "proof = \"snapshot\"\nsince ="),
    // The mapping.
    ("unknown rule key", F, "type = \"decimal\"", "typ = \"decimal\""),
    ("unknown type", F, "\"decimal\"", "\"money\""),
    (
        "mapping of a wrong type",
        F,
        "[mapping.fields]\norder_no = \"tid\"\namount = { from = \"payAmount\", type = \"decimal\" }\n",
        "[mapping]\nfields = \"all\"\n",
    ),
    (
        "mapping in the sink",
        F,
        "[mapping.fields]\norder_no = \"tid\"\namount = { from = \"payAmount\", type = \"decimal\" }\n",
        "mapping = \"none\"\n",
    ),
    (
        "several mistakes at once",
        F,
        "[source]\naccount = \"km\"\nstream = \"orders\"",
        "[source]\nacount = \"km\"\nstream = 5\nwindow = \"x\"",
    ),
];

/// What a line begins with that says what is wrong, or what to write.
const WHO: [&str; 3] = ["错误：", "警告：", "= 建议："];

pub(super) fn put(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Checks an installation as `milkrun check` does before it calls anybody.
pub(super) fn check(dir: &Path, lang: Lang) -> Reports {
    let environment = Environment::of(&[
        ("KM_SECRET", "s3cr3t-value"),
        ("KM_SESSION", "session-value"),
        ("OPS_WEBHOOK", "https://oapi.dingtalk.com/robot/send?access_token=t0ken-of-ops"),
        ("OPS_SECRET", "SECt0ken"),
        ("LONG_TOKEN", "a-token-of-more-than-twenty-characters"),
    ]);
    let scrubber = Scrubber::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (installation, mut reports) = load(dir, lang).unwrap();
        let secrets = Secrets::Fetched { environment: &environment, vault: None, scrubber: &scrubber };
        let accounts = open_accounts(&installation, |_| true, secrets, lang, &mut reports).await.unwrap();
        prepare_flows(&installation, &accounts, None, |_| true, lang, &mut reports).await.unwrap();
        open_alerts(&installation, secrets, lang, &mut reports).await.unwrap();
        open_console(&installation, At::Settings, secrets, lang, &mut reports).await.unwrap();
        reports
    })
}

/// What a person reads about a case.
fn answer((_, file, before, after): Case, lang: Lang) -> String {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let installation = if file == A { format!("{INSTALLATION}{ALERTS}") } else { INSTALLATION.to_owned() };
    let file = if file == A { I } else { file };
    for (name, text) in [(I, &*installation), (F, FLOW)] {
        let text = if name == file {
            assert!(text.contains(before), "`{before}` is not in {name}");
            text.replacen(before, after, 1)
        } else {
            text.to_owned()
        };
        put(dir, name, &text);
    }
    let reports = check(dir, lang);
    let out = Out::plain(lang);
    let warnings = reports.warnings().into_iter().map(|file| out.warnings(&file));
    let mistakes = reports.mistakes();
    let shown: Vec<String> = warnings.chain(mistakes.iter().map(|file| out.mistakes(file))).collect();
    let shown = shown.join("\n").replace(&format!("{}/", dir.display()), "");
    assert!(!shown.contains("s3cr3t-value") && !shown.contains("t0ken"), "{shown}");
    shown
}

#[test]
fn a_right_installation_has_no_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), I, INSTALLATION);
    put(folder.path(), F, FLOW);
    let reports = check(folder.path(), Lang::En);
    assert!(reports.is_clean() && reports.warnings().is_empty(), "{:?}", reports.mistakes());
}

#[test]
fn what_is_wrong_with_a_flow_is_said_together_with_a_missing_secret() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), I, &INSTALLATION.replace("KM_SESSION", "NOBODY_HAS_SET_IT"));
    put(folder.path(), F, &FLOW.replace("stream = \"orders\"", "stream = \"ordres\""));
    for (lang, stream) in [(Lang::En, "no stream"), (Lang::Zh, "的数据流")] {
        let reports = check(folder.path(), lang);
        let said: Vec<String> = reports.mistakes().into_iter().map(|file| file.to_string()).collect();
        let said = said.join("\n");
        assert!(said.contains("NOBODY_HAS_SET_IT"), "{said}");
        assert!(said.contains("`ordres`") && said.contains("`orders`") && said.contains(stream), "{said}");
    }
    // Nothing runs on a stand-in.
    put(folder.path(), F, FLOW);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (installation, mut reports) = load(folder.path(), Lang::En).unwrap();
    let none = Accounts::new();
    let prepared = prepare_flows(&installation, &none, None, |_| true, Lang::En, &mut reports);
    assert!(runtime.block_on(prepared).unwrap().is_empty());
    assert!(reports.is_clean(), "{:?}", reports.mistakes());
}

/// An installation with metadata of another platform, whose source and target both have to be declared.
fn with_metadata(dir: &Path) {
    put(
        dir,
        I,
        "[accounts.api]\nconnector = \"http\"\nbase_url = \"https://api.example\"\n\
         [accounts.kept]\nconnector = \"qeasy\"\nnoop = {}\n[accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n",
    );
    put(
        dir,
        "meta/source.json",
        r#"{"api":"/refunds","effect":"QUERY","method":"GET","id":"no","number":"no","request":[]}"#,
    );
    let target = r#"{"api":"/save","method":"POST","request":[{"field":"No","type":"string","value":"{{no}}"}]}"#;
    put(dir, "meta/target.json", target);
}

const INCLUDE: &str = "include = { qeasy = [\"../meta/source.json\", \"../meta/target.json\"] }\n";

/// What is wrong, in English.
fn said(dir: &Path) -> String {
    let files = check(dir, Lang::En).mistakes();
    files.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_metadata_declares_is_left_out_where_the_account_is_of_another_connector() {
    let folder = tempfile::tempdir().unwrap();
    with_metadata(folder.path());
    for own in ["", "[sink]\naccount = \"kept\"\n", "[sink]\naccount = \"files\"\n"] {
        put(folder.path(), "flows/refunds.toml", &format!("{INCLUDE}{own}"));
        assert_eq!(said(folder.path()), "", "{own}");
    }
    // What a flow declares itself is meant.
    let own = "[sink]\naccount = \"kept\"\n[sink.declare]\npath = \"/save\"\n";
    put(folder.path(), "flows/refunds.toml", &format!("{INCLUDE}{own}"));
    let said = said(folder.path());
    assert!(said.contains("takes no `targets`") && said.contains("remove `[sink.declare]`"), "{said}");
}

#[test]
fn flows_may_declare_one_name_of_an_account_alike_and_not_differently() {
    let folder = tempfile::tempdir().unwrap();
    with_metadata(folder.path());
    put(folder.path(), "flows/a.toml", INCLUDE);
    let kept = format!("{INCLUDE}[sink]\naccount = \"kept\"\n");
    put(folder.path(), "flows/b.toml", &kept);
    assert_eq!(said(folder.path()), "");
    put(folder.path(), "flows/b.toml", &format!("{kept}[source.declare]\npath = \"/elsewhere\"\n"));
    let different = said(folder.path());
    for part in ["b.toml", "flow `a` declares `refunds`", "another name (`stream` in `[source]`)"] {
        assert!(different.contains(part), "{different}");
    }
    // Under a name of its own it is another stream.
    let renamed = format!("{kept}[source]\nstream = \"others\"\n[source.declare]\npath = \"/elsewhere\"\n");
    put(folder.path(), "flows/b.toml", &renamed);
    assert_eq!(said(folder.path()), "");
}

#[test]
fn alerts_are_read_with_their_channels_and_bounds() {
    use milkrun_alerts::{Bound, Rule, Setting};

    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), I, &format!("{INSTALLATION}{ALERTS}"));
    put(folder.path(), F, &FLOW.replace("[source]", "[alerts]\nlag = \"1d\"\nno-records = false\n\n[source]"));
    assert!(check(folder.path(), Lang::En).is_clean());
    let (installation, mut reports) = load(folder.path(), Lang::En).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let settings = runtime.block_on(open_alerts(&installation, Secrets::StandIn, Lang::En, &mut reports)).unwrap();
    let reached: Vec<_> = settings.channels.iter().map(|c| (c.name.as_str(), c.kind.name(), c.reaches())).collect();
    assert_eq!(
        reached,
        [("boss", "mail", "a@example.com, b@example.com".to_owned()), ("ops", "dingtalk", "robot.invalid".to_owned()),]
    );
    let on = |bound| Setting { is_on: true, bound: Some(bound) };
    let hours = |n| std::time::Duration::from_hours(n);
    assert_eq!(settings.rules.of_flow("orders", Rule::Lag), on(Bound::Time(hours(24))));
    assert_eq!(settings.rules.of_flow("other", Rule::Lag), on(Bound::Time(hours(4))));
    assert!(!settings.rules.of_flow("orders", Rule::NoRecords).is_on);
    assert_eq!(settings.rules.setting(Rule::RunFailed), on(Bound::Count(2)));
    assert_eq!(settings.rules.setting(Rule::DeadLetters), on(Bound::Count(1)));
    assert!(!settings.rules.setting(Rule::TokenRefused).is_on);
    assert_eq!(settings.rules.setting(Rule::DiskLow), on(Bound::Percent(5)));
    assert_eq!((settings.remind, settings.zone_name.as_str()), (hours(12), "Asia/Shanghai"));
    assert_eq!(settings.quiet_hours.unwrap().to_string(), "22:00-08:00");
}

/// What is found in `milkrun.toml` without secrets and network: mistakes, and warnings.
fn found_offline(dir: &Path) -> [String; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (installation, mut reports) = load(dir, Lang::En).unwrap();
    let (secrets, lang) = (Secrets::StandIn, Lang::En);
    runtime.block_on(async {
        open_alerts(&installation, secrets, lang, &mut reports).await.unwrap();
        open_console(&installation, At::Settings, secrets, lang, &mut reports).await.unwrap();
    });
    [reports.mistakes(), reports.warnings()].map(|all| all.iter().map(ToString::to_string).collect())
}

#[test]
fn what_stands_in_the_file_is_checked_without_secrets_too() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let of_channel = |address: &str| {
        put(dir, I, &format!("{INSTALLATION}\n[alerts.channels.ops]\nkind = \"dingtalk\"\nwebhook = {address}\n"));
        found_offline(dir)[0].clone()
    };
    let line = INSTALLATION.lines().count() + 4;
    let malformed = of_channel("\"oapi.dingtalk.com/robot\"");
    assert!(malformed.contains(&format!("{I}:{line}:11: ")), "{malformed}");
    assert_eq!(of_channel("\"https://oapi.dingtalk.com/robot/send?access_token=x\""), "");
    assert_eq!(of_channel("{ env = \"NOBODY_HAS_SET_IT\" }"), "");

    let of_console = |table: &str| {
        put(dir, I, &format!("{INSTALLATION}\n[console]\n{table}\n"));
        found_offline(dir)
    };
    let token = |token: &str| format!("[console.tokens.grafana]\nrole = \"viewer\"\ntoken = {token}");
    let [weak, _] = of_console(&token("\"too-short\""));
    assert!(weak.contains("`grafana` is shorter than 20 characters"), "{weak}");
    assert!(!weak.contains("too-short"), "{weak}");
    let elsewhere = token("{ env = \"NOBODY_HAS_SET_IT\" }");
    assert_eq!(of_console(&elsewhere), ["", ""]);
    // Others may reach it: who signs in with a token that is not fetched can still sign in.
    let [mistakes, warnings] = of_console(&format!("listen = \"192.0.2.1:7070\"\n{elsewhere}"));
    assert_eq!(mistakes, "");
    assert!(warnings.contains("this machine has no address 192.0.2.1"), "{warnings}");
    // The machine that they are for may have the files; a file that is there is looked at.
    let [mistakes, warnings] = of_console("tls = { cert = \"console.pem\", key = \"console.key\" }");
    assert_eq!(mistakes, "");
    assert_eq!(warnings.matches("there is no file").count(), 2, "{warnings}");
    let [mistakes, _] = of_console("tls = { cert = \"milkrun.toml\", key = \"milkrun.toml\" }");
    assert!(mistakes.contains("the file has no certificate"), "{mistakes}");
}

#[test]
fn a_port_that_is_taken_is_no_mistake_of_the_file() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let listen = taken.local_addr().unwrap();
    put(folder.path(), I, &format!("{INSTALLATION}\n[console]\nlisten = \"{listen}\"\n"));
    assert_eq!(found_offline(folder.path()), ["", ""]);
}

#[test]
fn a_timetable_is_a_text_or_a_table() {
    let read = |written: &str| {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), I, INSTALLATION);
        put(folder.path(), F, &FLOW.replacen("schedule = \"0 */5 * * * ?\"\n", written, 1));
        let (installation, reports) = load(folder.path(), Lang::En).unwrap();
        assert!(reports.is_clean(), "{written}: {:?}", reports.mistakes());
        installation.flows[0].schedule.clone()
    };
    assert!(read("").is_none());
    let plain = read("schedule = '0 */5 * * * ?'\n").unwrap();
    assert_eq!((plain.timetable.text(), plain.timetable.zone_name()), ("0 */5 * * * ?", "Asia/Shanghai"));
    assert_eq!((plain.policy, plain.paused), (Policy::default(), false));
    let all = r#"{ cron = "@daily", zone = "Europe/Berlin", overlap = "queue", missed = "each", jitter = "30s", paused = true }"#;
    let inline = read(&format!("schedule = {all}\n")).unwrap();
    assert_eq!((inline.timetable.text(), inline.timetable.zone_name()), ("@daily", "Europe/Berlin"));
    let policy = Policy { overlap: Overlap::Queue, missed: Missed::Each, jitter: Duration::from_secs(30) };
    assert_eq!((inline.policy, inline.paused), (policy, true));
    assert_eq!(read("[schedule]\ncron = \"*/5 * * * *\"\nmissed = \"skip\"\n").unwrap().policy.missed, Missed::Skip);
}

#[test]
fn the_pages_about_alerts_show_what_is_right() {
    for page in ["alerts.md", "alerts.zh.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
        let text = std::fs::read_to_string(path).unwrap();
        let example = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), I, &format!("{INSTALLATION}{example}"));
        put(folder.path(), F, FLOW);
        let (installation, mut reports) = load(folder.path(), Lang::En).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let settings = runtime.block_on(open_alerts(&installation, Secrets::StandIn, Lang::En, &mut reports)).unwrap();
        assert!(reports.is_clean() && reports.warnings().is_empty(), "{:?}", reports.mistakes());
        assert_eq!(settings.channels.len(), 4);
    }
}

#[test]
fn a_file_in_gbk_is_a_mistake_of_its_own_and_hides_no_others() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), I, INSTALLATION);
    put(folder.path(), "flows/other.toml", &FLOW.replace("\"orders\"", "\"ordrs\""));
    let gbk = [FLOW.as_bytes(), b"# \xd6\xd0\xce\xc4\n"].concat();
    std::fs::write(folder.path().join(F), &gbk).unwrap();
    let reports = check(folder.path(), Lang::En);
    let places: Vec<_> = reports.mistakes().iter().map(ToString::to_string).collect();
    let line = FLOW.lines().count() + 1;
    let of_gbk: Vec<_> = places.iter().filter(|place| place.contains(F)).collect();
    assert_eq!(of_gbk.len(), 1, "{places:?}");
    assert!(of_gbk[0].contains(&format!("{F}:{line}:3: the file is not UTF-8 from here on (save it as UTF-8")));
    assert!(places.iter().any(|place| place.contains("`ordrs`")), "{places:?}");

    put(folder.path(), F, FLOW);
    std::fs::remove_file(folder.path().join("flows/other.toml")).unwrap();
    let gbk = [b"# \xd6\xd0\xce\xc4\n", INSTALLATION.as_bytes()].concat();
    std::fs::write(folder.path().join(I), &gbk).unwrap();
    let reports = check(folder.path(), Lang::Zh);
    let places: Vec<_> = reports.mistakes().iter().map(ToString::to_string).collect();
    assert_eq!(places.len(), 1, "{places:?}");
    assert!(places[0].contains("milkrun.toml:1:3: 文件从此处起不是 UTF-8 编码"), "{places:?}");
}

#[test]
fn every_mistake_is_answered_with_its_place_and_what_to_write() {
    let mut all = String::new();
    for case in CASES {
        let answer = answer(*case, Lang::En);
        assert!(!answer.is_empty(), "{}: nothing is said", case.0);
        all.extend(["== ", case.0, "\n", &answer, "\n\n"]);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn every_mistake_is_answered_in_chinese_too() {
    let mut all = String::new();
    for case in CASES {
        let answer = answer(*case, Lang::Zh);
        let lines = answer.lines().map(str::trim_start);
        let said: Vec<&str> = lines.filter_map(|line| WHO.iter().find_map(|who| line.strip_prefix(who))).collect();
        assert!(!said.is_empty(), "{}: {answer}", case.0);
        for said in said {
            let is_chinese = said.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(is_chinese, "{}: {said}", case.0);
        }
        all.extend(["== ", case.0, "\n", &answer, "\n\n"]);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn an_inline_secret_is_warned_about_and_not_shown() {
    let case = ("", I, "{ env = \"KM_SECRET\" }", "\"inline-secret\"");
    let shown = answer(case, Lang::En);
    assert!(!shown.contains("inline-secret"), "{shown}");
    insta::assert_snapshot!(shown);
    // The address of a robot holds its token.
    for (before, after) in [
        ("kind = \"dingtalk\"\nwebhook = { env = \"OPS_WEBHOOK\" }", "webhok = \"https://example.com/?k=t0ken\""),
        ("webhook = { env = \"OPS_WEBHOOK\" }", "webhook = \"https://example.com/?k=t0ken"),
        ("webhook = { env = \"OPS_WEBHOOK\" }", "webhok = \"https://example.com/?k=t0ken\""),
        ("webhook = { env = \"OPS_WEBHOOK\" }", "url = \"https://example.com/?k=t0ken\" x"),
        ("[alerts.rules]", "[alerts.channels]\nx = { webhook = \"https://example.com/?k=t0ken\" }\n[alerts.rules]"),
    ] {
        let shown = answer(("", A, before, after), Lang::En);
        assert!(shown.contains("error") && !shown.contains("t0ken"), "{shown}");
    }
    // Nor beside a mistake of grammar, or under a wrong name.
    for after in ["\"inline-secret", "\"inline-secret\" x", "\"inline-secret\"\napp_secrt = \"inline-secret\""] {
        let shown = answer(("", I, "{ env = \"KM_SECRET\" }", after), Lang::En);
        assert!(shown.contains("error") && !shown.contains("inline-secret"), "{shown}");
    }
}

#[test]
fn two_flows_do_not_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), I, INSTALLATION);
    put(folder.path(), F, FLOW);
    put(folder.path(), "flows/other.toml", FLOW);
    let mistakes = check(folder.path(), Lang::En).mistakes();
    let shown: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    let shown = shown.join("\n").replace(&folder.path().display().to_string(), "");
    insta::assert_snapshot!(shown, @"/flows/other.toml:10:10: the target `orders` is written by flow `orders` already (give each flow a file of its own: two flows would cut each other's lines)");
}

#[test]
fn a_folder_without_an_installation_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = load(folder.path(), Lang::En).unwrap_err();
    let shown = Out::plain(Lang::En).error_text(&error).replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(shown, @r"
    error: a setting is missing or wrong
      there is no milkrun.toml in the folder FOLDER
      what to do: `milkrun init` makes one here; `--dir FOLDER` names another folder; `milkrun demo` shows one at work
    ");
}

#[test]
fn mistakes_of_other_flows_do_not_keep_a_flow_from_running() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), I, INSTALLATION);
    put(folder.path(), F, FLOW);
    put(folder.path(), "flows/other.toml", "nonsense");
    let mut reports = check(folder.path(), Lang::En);
    assert!(!reports.is_clean());
    reports.only_flows(folder.path(), &["orders".to_owned()]);
    assert!(reports.is_clean());
}

#[test]
fn what_demo_writes_is_right() {
    let folder = tempfile::tempdir().unwrap();
    for lang in [Lang::En, Lang::Zh] {
        let since = [("since", "2026-01-01")];
        put(folder.path(), I, &lang.file(text::DEMO_FILE, &[("url", "http://127.0.0.1:1/router"), ("app_key", "1")]));
        put(folder.path(), F, &lang.file(text::DEMO_ORDERS, &since));
        put(folder.path(), "flows/items.toml", &lang.file(text::DEMO_ITEMS, &since));
        assert_sound(folder.path(), lang);
    }
}

/// Whether `milkrun check --offline` finds nothing to say.
fn assert_sound(dir: &Path, lang: Lang) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (installation, mut reports) = load(dir, lang).unwrap();
    let accounts = open_accounts(&installation, |_| true, Secrets::StandIn, lang, &mut reports);
    let accounts = runtime.block_on(accounts).unwrap();
    let flows = prepare_flows(&installation, &accounts, None, |_| true, lang, &mut reports);
    let flows = runtime.block_on(flows).unwrap();
    let shown: Vec<_> = reports.mistakes().into_iter().chain(reports.warnings()).map(|file| file.to_string()).collect();
    assert!(shown.is_empty() && flows.len() == installation.flow_names.len(), "{}", shown.join("\n"));
}

#[test]
fn a_crontab_of_another_platform_becomes_a_timetable_or_is_left_to_a_person() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), I, INSTALLATION);
    let cases = [
        ("23 2 * * *", Some("23 2 * * *")),
        ("0 */5 *  * * ?", Some("0 */5 * * * ?")),
        ("4-59/10 6-23 * * *", Some("4-59/10 6-23 * * *")),
        ("0 0 3 ? * 2#1", Some("0 0 3 ? * 2#1")),
        ("61 2 * * *", None),
        ("0 0 3 30 2 ?", None),
        ("every night", None),
    ];
    for (crontab, expected) in cases {
        let source = format!(r#"{{"api":"/x","method":"POST","crontab":"{crontab}"}}"#);
        let options = milkrun_import::qeasy::Options {
            name: "x".to_owned(),
            since: "2026-01-01".to_owned(),
            source_account: Some("km".to_owned()),
            sink_account: Some("files".to_owned()),
            is_timetable: super::is_timetable,
        };
        let imported = milkrun_import::qeasy::import(&source, None, &options).unwrap();
        put(folder.path(), F, &imported.flow);
        let (installation, reports) = load(folder.path(), Lang::En).unwrap();
        assert!(reports.is_clean(), "{crontab}: {:?}", reports.mistakes());
        let schedule = installation.flows[0].schedule.as_ref();
        assert_eq!(schedule.map(|schedule| schedule.timetable.text()), expected, "{crontab}");
        let n_asked = imported.report.decisions().filter(|finding| finding.path.contains("crontab")).count();
        assert_eq!(n_asked, usize::from(expected.is_none()), "{crontab}");
    }
}

#[test]
fn a_ledger_never_forgets_what_a_flow_looks_back_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("flows")).unwrap();
    let write = |ledger: &str| {
        let text =
            INSTALLATION.replace("[accounts.km]", &format!("[retention]\nledger = \"{ledger}\"\n\n[accounts.km]"));
        std::fs::write(folder.path().join(I), text).unwrap();
        let flow = FLOW.replace("since = ", "lookback = \"10d\"\nsince = ");
        std::fs::write(folder.path().join(F), flow).unwrap();
        load(folder.path(), Lang::En).unwrap().1.mistakes()
    };
    let mistakes = write("40d");
    let one = &mistakes[0].all[0];
    assert_eq!(one.message, "`ledger` has to be at least 41d");
    assert!(one.help.as_ref().is_some_and(|help| help.contains("`orders` looks back over 10d")), "{one:?}");
    assert!(write("41d").is_empty() && write("never").is_empty());
}
