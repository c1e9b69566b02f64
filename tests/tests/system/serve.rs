//! `milkrun serve`: timetables, files that change, the end and what comes after it, and what the console does.

use std::fs;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_sandbox::kuaimai::Settings;
use milkrun_sandbox::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::console::Console;
use crate::installation::{Installation, orders_flow};
use crate::milkrun::Running;
use crate::vendor::{DAY, Vendor, settings};

const SERVE: &[&str] = &["serve", "--listen", "127.0.0.1:0", "--json"];

/// Starts serving, and waits until the console answers.
fn serve(installation: &Installation) -> (Running, Console) {
    let mut serve = installation.start(SERVE);
    let console = Console::of(&mut serve);
    (serve, console)
}

/// A span around the present, as the calendar is asked for it.
fn around_now() -> String {
    let (now, hour) = (Timestamp::now(), SignedDuration::from_hours(1));
    format!("from={}&until={}", now - hour, now + hour)
}

fn verdict(flow: &Value) -> Option<&str> {
    flow["last_run"]["verdict"].as_str()
}

fn last_run(flow: &Value) -> u64 {
    flow["last_run"]["id"].as_u64().unwrap_or(0)
}

/// Ends it as the system would, and asserts that it ended well.
#[track_caller]
fn end(serve: Running) {
    serve.terminate();
    let ended = serve.wait().with(0);
    assert!(!ended.err.contains("did not end in time"), "{ended}");
}

#[test]
fn timetables_start_runs_and_changed_files_are_used_at_once() {
    let vendor = Vendor::with_orders(60, DAY / 2);
    let installation = Installation::new(&vendor);
    let every_second =
        format!("schedule = \"* * * * * ?\"\n\n{}", orders_flow(&vendor, "settle = \"1s\"\nlookback = \"30d\"", ""));
    installation.flow("orders", &every_second);
    let (serve, console) = serve(&installation);
    let flow = console.until("/flows/orders", |flow| verdict(flow) == Some("reconciled"));
    assert_eq!(flow["schedule"], "* * * * * ?");
    assert!(flow["schedule_words"].is_string() && flow["next_start"].is_string(), "{flow:#}");
    installation.orders().assert_are(&vendor.orders());

    // A mapping that is saved is used for the next record.
    let mapped = format!("{every_second}\n[mapping]\nkeep = \"all\"\n[mapping.fields]\nmark = {{ const = \"new\" }}\n");
    installation.flow("orders", &mapped);
    vendor.control.change("orders", 3).unwrap();
    let out = installation.path("out/orders.jsonl");
    let marked = || fs::read_to_string(&out).unwrap().lines().filter(|line| line.contains("\"mark\":\"new\"")).count();
    console.until("/flows/orders", |_| marked() >= 3);

    // One with mistakes is not: what was good runs on.
    installation.flow("orders", &mapped.replace("const =", "konst ="));
    let overview = console.until("/overview", |overview| overview["mistakes"][0].is_object());
    assert_eq!(overview["mistakes"][0]["file"].as_str().map(|file| file.ends_with("orders.toml")), Some(true));
    let flow = console.get("/flows/orders");
    assert_eq!(flow["is_usable"], false);
    let before = last_run(&flow);
    console.until("/flows/orders", |flow| last_run(flow) > before + 1 && verdict(flow) == Some("reconciled"));
    let said = console.ask("GET", "/api/v1/overview?lang=zh", None).1;
    assert!(said.contains("错") || said.contains("没有") || said.contains("键"), "{said}");
    installation.flow("orders", &mapped);
    console.until("/overview", |overview| overview["mistakes"] == json!([]));
    let calendar = console.get(&format!("/calendar?{}", around_now()));
    let (past, coming): (Vec<_>, Vec<_>) =
        calendar.as_array().unwrap().iter().partition(|entry| entry["run"].is_number());
    assert!(!past.is_empty() && !coming.is_empty(), "{} past, {} to come", past.len(), coming.len());
    end(serve);
}

#[test]
fn one_program_serves_an_installation_at_a_time() {
    let vendor = Vendor::with_orders(10, DAY / 2);
    let installation = Installation::of_orders(&vendor, "");
    let (first, _) = serve(&installation);
    let second = installation.milkrun(&["serve", "--listen", "127.0.0.1:0"]).with(1);
    assert!(second.said().contains("`serve` is under way on this folder already: process "), "{second}");
    end(first);
    // And the right ends with the program that had it.
    let (third, _) = serve(&installation);
    end(third);
}

/// A vendor so slow that a run is certainly under way.
fn slow() -> Vendor {
    let latency = Duration::from_millis(60);
    Vendor::start(Settings { n_orders: 3_000, history: DAY * 10, latency, ..settings() })
}

#[test]
fn a_run_that_is_under_way_at_the_end_goes_on_at_the_next_start() {
    let vendor = slow();
    let installation = Installation::of_orders(&vendor, "window = \"1d\"\npage_size = 50");
    let (serving, console) = serve(&installation);
    console.does("POST", "/flows/orders/run", &json!({}));
    console.until("/flows/orders", |flow| flow["running"]["counts"]["pages"].as_u64() > Some(2));
    let (status, problem) = console.refuses("POST", "/flows/orders/run", &json!({}));
    assert_eq!((status, &problem["kind"]), (409, &json!("busy")));
    end(serving);
    assert!(installation.orders().len() < 3_000, "it ended before it was asked to");
    // Nobody asks for it: it was cut off.
    let (serving, console) = serve(&installation);
    let flow = console.until("/flows/orders", |flow| verdict(flow) == Some("reconciled"));
    assert_eq!(last_run(&flow), 2);
    installation.orders().assert_are(&vendor.orders());
    end(serving);
}

#[test]
fn a_run_that_another_process_keeps_from_beginning_begins_after_it() {
    let vendor = slow();
    let installation = Installation::of_orders(&vendor, "window = \"1d\"\npage_size = 50");
    let (serving, console) = serve(&installation);
    let mut other = installation.start(&["run", "orders"]);
    assert!(other.until(|| vendor.n_calls() > 3), "it ended at once");
    // It is under way there, and not cut off.
    let flow = console.until("/flows/orders", |flow| flow["elsewhere"]["run"] == 1);
    let who = flow["elsewhere"]["who"].as_str().unwrap();
    assert!(who.starts_with("process ") && flow["running"].is_null(), "{flow:#}");
    let runs = console.get("/flows/orders/runs");
    let run = &console.get("/flows/orders/runs/1")["summary"];
    for run in [run, &runs["runs"][0], &flow["recent"][0]] {
        assert_eq!((&run["is_under_way"], &run["run_by"], &run["reason"]), (&json!(true), &json!(who), &Value::Null));
    }
    let day = console.get(&format!("/calendar?{}", around_now()));
    assert_eq!(day[0]["is_under_way"], true, "{day:#}");
    let (status, problem) = console.refuses("POST", "/flows/orders/cancel", &json!({}));
    assert_eq!((status, &problem["kind"]), (409, &json!("busy")), "{problem:#}");
    assert!(problem["message"].as_str().unwrap().contains(who), "{problem:#}");
    console.does("POST", "/flows/orders/run", &json!({}));
    let is_told = |flow: &Value| flow["running"]["waits_for"].as_str().is_some_and(|why| why.contains("being run by"));
    console.until("/flows/orders", is_told);
    other.interrupt();
    other.wait();
    assert!(installation.orders().len() < 3_000, "it ended before it was asked to");
    let flow = console.until("/flows/orders", |flow| verdict(flow) == Some("reconciled"));
    assert_eq!(last_run(&flow), 2);
    installation.orders().assert_are(&vendor.orders());
    assert!(flow["elsewhere"].is_null(), "{flow:#}");
    end(serving);
}

#[test]
fn a_run_that_was_killed_elsewhere_was_cut_off() {
    let vendor = slow();
    let installation = Installation::of_orders(&vendor, "window = \"1d\"\npage_size = 50");
    let (serving, console) = serve(&installation);
    let mut other = installation.start(&["run", "orders"]);
    let is_noted = || console.get("/flows/orders/runs/1")["summary"]["records"].as_u64() > Some(0);
    console.until("/flows/orders", |flow| flow["elsewhere"]["run"] == 1);
    assert!(other.until(is_noted), "it ended before it was noted");
    other.kill();
    let flow = console.until("/flows/orders", |flow| flow["elsewhere"].is_null());
    for run in [&console.get("/flows/orders/runs/1")["summary"], &flow["recent"][0]] {
        assert!(run["is_under_way"].is_null() && run["run_by"].is_null() && run["ended"].is_null(), "{run:#}");
        assert_eq!(run["reason"], "the run was cut off");
    }
    let status = installation.milkrun(&["status"]).with(0);
    assert!(status.out.contains("cut off"), "{status}");
    let doctor = installation.milkrun(&["doctor", "--offline"]);
    assert!(doctor.out.contains("the last run of `orders` was cut off"), "{doctor}");
    end(serving);
}

#[test]
fn a_run_can_be_cancelled_and_a_changed_mapping_is_taken_on_by_it() {
    let vendor = slow();
    let installation = Installation::of_orders(&vendor, "window = \"1d\"\npage_size = 50");
    let (serving, console) = serve(&installation);
    console.does("POST", "/flows/orders/run", &json!({}));
    let pages = |flow: &Value| flow["running"]["counts"]["pages"].as_u64();
    console.until("/flows/orders", |flow| pages(flow) > Some(2));
    // The run goes on by itself as another one, with the new mapping.
    let mapping = console.get("/flows/orders/mapping");
    let text = format!(
        "{}\n[mapping]\nkeep = \"all\"\n[mapping.fields]\nmark = {{ const = \"new\" }}\n",
        mapping["text"].as_str().unwrap()
    );
    console.does("PUT", "/flows/orders/mapping", &json!({ "text": text, "revision": mapping["revision"] }));
    let flow = console.until("/flows/orders", |flow| flow["running"]["id"] == 2 && pages(flow) > Some(2));
    assert_eq!(flow["last_run"]["id"], 1);
    console.does("POST", "/flows/orders/cancel", &json!({}));
    let flow = console.until("/flows/orders", |flow| flow["running"].is_null());
    assert_eq!((last_run(&flow), verdict(&flow)), (2, Some("partial")));
    let reason = flow["last_run"]["reason"].as_str().unwrap();
    assert!(reason.contains("stopped"), "{reason}");
    assert!(!installation.milkrun(&["doctor", "--offline"]).out.contains("failed"), "nothing is wrong with it");
    let (status, _) = console.refuses("POST", "/flows/orders/cancel", &json!({}));
    assert_eq!(status, 404);
    // To its end: each order exactly once, the later ones with the mark.
    console.does("POST", "/flows/orders/run", &json!({}));
    console.until("/flows/orders", |flow| flow["running"].is_null() && verdict(flow) == Some("reconciled"));
    installation.orders().assert_are(&vendor.orders());
    let written = fs::read_to_string(installation.path("out/orders.jsonl")).unwrap();
    let n_marked = written.lines().filter(|line| line.contains("\"mark\":\"new\"")).count();
    assert!(n_marked > 0 && n_marked < 3_000, "{n_marked}");
    end(serving);
}

#[test]
fn a_run_says_when_its_calls_are_held_up() {
    let vendor = slow();
    let installation = Installation::of_orders(&vendor, "window = \"1d\"\npage_size = 50");
    installation.account(&vendor, "quota = [\"5/1m\"]\n");
    let (serving, console) = serve(&installation);
    console.does("POST", "/flows/orders/run", &json!({}));
    let is_told = |flow: &Value| {
        flow["running"]["waits_for"]
            .as_str()
            .is_some_and(|why| why.starts_with("the call limit of `km` (5/1m), until "))
    };
    console.until("/flows/orders", is_told);
    console.does("POST", "/flows/orders/cancel", &json!({}));
    console.until("/flows/orders", |flow| flow["running"].is_null());
    end(serving);
}

#[test]
fn a_run_says_when_its_token_is_being_renewed() {
    let vendor = slow();
    let installation = Installation::of_orders(&vendor, "window = \"1d\"\npage_size = 50");
    let held = FaultRule::new(Fault::Slow { delay: Duration::from_secs(20) });
    vendor.control.add_fault(held.next(1).method("open.token.refresh"));
    vendor.control.kill_session();
    let (serving, console) = serve(&installation);
    console.does("POST", "/flows/orders/run", &json!({}));
    console.until("/flows/orders", |flow| flow["running"]["waits_for"] == "the token of `km`, which is being renewed");
    console.does("POST", "/flows/orders/cancel", &json!({}));
    console.until("/flows/orders", |flow| flow["running"].is_null());
    end(serving);
}

#[test]
fn a_span_of_the_past_is_read_beside_a_run_and_by_itself() {
    let vendor = slow();
    let installation = Installation::of_orders(&vendor, "window = \"1d\"\npage_size = 50");
    let (serving, console) = serve(&installation);
    let (from, day) = (vendor.since(), SignedDuration::from_hours(24));
    let span = json!({ "from": from, "until": from + day * 2, "share": 100 });
    // While the flow runs, between two of its commits.
    console.does("POST", "/flows/orders/run", &json!({}));
    console.until("/flows/orders", |flow| flow["running"]["counts"]["pages"].as_u64() > Some(2));
    console.does("POST", "/flows/orders/backfill", &span);
    let is_done = |flow: &Value| flow["running"].is_null() && flow["backfills"] == json!([]);
    console.until("/flows/orders", |flow| is_done(flow) && verdict(flow) == Some("reconciled"));
    installation.orders().assert_are(&vendor.orders());
    // And while nothing else is under way.
    let before = vendor.n_calls();
    console.does("POST", "/flows/orders/backfill", &span);
    console.until("/flows/orders", |flow| is_done(flow) && vendor.n_calls() > before);
    installation.orders().assert_are(&vendor.orders());
    let empty = json!({ "from": from, "until": from });
    let (status, problem) = console.refuses("POST", "/flows/orders/backfill", &empty);
    assert!(status == 400 || status == 422, "{status} {problem:#}");
    // The program says of itself whether it is well.
    let address = console.url.trim_start_matches("http://").to_owned();
    let told = installation.milkrun(&["health", "--address", &address, "--json"]).with(0).json();
    assert_eq!(told["well"], true);
    end(serving);
    let gone = installation.milkrun(&["health", "--address", &address]).with(1);
    assert!(gone.out.contains("nobody answers at http://") && gone.out.contains("what to do: "), "{gone}");
    let gone = installation.milkrun(&["health", "--address", &address, "--json"]).with(1).json();
    assert_eq!((&gone["answers"], &gone["well"]), (&false.into(), &false.into()));
}

#[test]
fn a_refused_record_is_mended_in_the_editor_and_sent_again() {
    let vendor = Vendor::with_orders(80, DAY / 2);
    let installation = Installation::new(&vendor);
    let rules = "# What becomes of a status.\n[mapping]\nkeep = \"all\"\n\n[mapping.fields]\n\
                 state = { from = \"sysStatus\", values = { FINISHED = \"done\" } } # only one of them\n";
    installation.flow("orders", &orders_flow(&vendor, "", rules));
    let (serving, console) = serve(&installation);
    console.does("POST", "/flows/orders/run", &json!({}));
    let flow = console.until("/flows/orders", |flow| flow["running"].is_null() && verdict(flow) == Some("partial"));
    let n_dead = flow["dead_letters"].as_u64().unwrap();
    assert!(n_dead > 1, "{flow:#}");
    let page = console.get("/flows/orders/dead-letters?stage=mapping&limit=1");
    let letter = &page["letters"][0];
    assert_eq!(page["total"], n_dead);
    assert!(page["next"].is_number() && letter["reason"].as_str().unwrap().contains("state"), "{page:#}");
    // It is found by the number that people know it by, and told in Chinese too.
    let number = letter["number"].as_str().unwrap();
    let found = console.get(&format!("/trace?id={number}&lang=zh"));
    assert_eq!(found["dead_letters"][0]["id"], letter["id"], "{found:#}");
    assert_ne!(found["dead_letters"][0]["reason"], letter["reason"]);

    let mapping = console.get("/flows/orders/mapping");
    let revision = mapping["revision"].clone();
    let rule = mapping["rules"].as_array().unwrap().iter().find(|rule| rule["target"] == "state").unwrap();
    assert_eq!((&rule["from"][0], &rule["kind"]), (&json!("sysStatus"), &json!("from")));
    let sources = mapping["source"].as_array().unwrap();
    assert!(sources.iter().any(|field| field["path"] == "orders[*].oid" && field["kind"] == "number"), "{sources:?}");
    let toml = "{ from = \"sysStatus\", values = { FINISHED = \"done\" }, otherwise = \"other\" }";
    let edit = json!({ "text": mapping["text"], "revision": revision, "target": "state", "rule": { "toml": toml } });
    let edited = console.does("POST", "/flows/orders/mapping/edit", &edit);
    let text = edited["text"].as_str().unwrap();
    assert!(text.contains("# only one of them") && text.contains("otherwise"), "{text}");
    let ask = json!({ "text": text, "letters": [letter["id"]] });
    let preview = console.does("POST", "/flows/orders/mapping/preview", &ask);
    assert_eq!(preview["records"][0]["outcome"], "new", "{preview:#}");
    assert!(preview["records"][0]["documents"][0].as_str().unwrap().contains("\"state\":\"other\""), "{preview:#}");
    // Not with mistakes, and not over a file that somebody else has changed.
    let wrong = json!({ "text": text.replace("otherwise", "otherwize"), "revision": revision });
    let (status, problem) = console.refuses("PUT", "/flows/orders/mapping", &wrong);
    assert_eq!((status, problem["mistakes"][0]["help"].as_str()), (422, Some("did you mean `otherwise`?")));
    let stale = json!({ "text": text, "revision": "0" });
    assert_eq!(console.refuses("PUT", "/flows/orders/mapping", &stale).0, 409);
    console.does("PUT", "/flows/orders/mapping", &json!({ "text": text, "revision": revision }));

    console.does("POST", "/flows/orders/dead-letters/replay", &json!({ "letters": [letter["id"]] }));
    console.until("/flows/orders", |flow| flow["running"].is_null() && flow["dead_letters"] == n_dead - 1);
    let found = console.get(&format!("/trace?id={number}"));
    assert_eq!((found["found"].as_array().unwrap().len(), &found["dead_letters"]), (1, &json!([])), "{found:#}");
    console.does("POST", "/flows/orders/dead-letters/replay", &json!({}));
    console.until("/flows/orders", |flow| flow["running"].is_null() && flow["dead_letters"] == 0);
    installation.orders().assert_are(&vendor.orders());
    end(serving);
}

#[test]
fn no_secret_is_served_logged_or_copied() {
    let vendor = Vendor::with_orders(40, DAY / 2);
    let own = vendor.settings.clone();
    let installation = Installation::of_orders(&vendor, "attempts = 1");
    let (serving, console) = serve(&installation);
    console.does("POST", "/flows/orders/run", &json!({}));
    console.until("/flows/orders", |flow| flow["running"].is_null() && verdict(flow) == Some("reconciled"));
    // A vendor that repeats secrets in its messages.
    let message = format!("user {} of {} may not", own.session, own.app_secret);
    vendor.fault(FaultRule::new(Fault::VendorCode { code: "20014".to_owned(), message }));
    console.does("POST", "/flows/orders/run", &json!({}));
    let flow = console.until("/flows/orders", |flow| flow["running"].is_null() && verdict(flow) == Some("failed"));
    assert!(flow["last_run"]["reason"].as_str().unwrap().contains("user *** of *** may not"), "{flow:#}");

    let session = vendor.control.session();
    let mut secrets = vec![own.app_secret.clone(), own.session.clone(), own.refresh_token.clone()];
    secrets.extend(["session", "refresh_token"].map(|name| session[name].as_str().unwrap().to_owned()));
    secrets.push(crate::installation::KEY.to_owned());
    let number = {
        let body = console.get("/flows/orders/pages/1")["body"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&body).unwrap()["list"][0]["tid"].as_str().unwrap().to_owned()
    };
    let description = console.get("/openapi.json");
    let mut n_routes = 0;
    let paths = description["paths"].as_object().unwrap();
    let own_paths = ["/", "/metrics", "/health", "/api/v1/openapi.json"].map(str::to_owned);
    let gets = paths.iter().filter(|(_, methods)| methods["get"].is_object()).map(|(path, _)| path.clone());
    for path in own_paths.into_iter().chain(gets) {
        if path.ends_with("/events") {
            continue; // It has no end.
        }
        let names = [("{flow}", "orders"), ("{account}", "km"), ("{run}", "1"), ("{page}", "1")];
        let path = names.iter().fold(path, |path, (name, value)| path.replace(name, value));
        assert!(!path.contains('{'), "{path}");
        let path = match path.as_str() {
            path if path.ends_with("/trace") => format!("{path}?id={number}"),
            path if path.ends_with("/calendar") => format!("{path}?{}", around_now()),
            path => path.to_owned(),
        };
        let (status, text) = console.ask("GET", &path, None);
        assert!(status == 200, "{path}: {status} {text}");
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "`{secret}` is in {path}");
        }
        n_routes += 1;
    }
    assert!(n_routes > 15, "{n_routes}");
    installation.milkrun(&["backup", installation.path("copy").to_str().unwrap()]).with(0);
    end(serving);
    // The installation looks through all its files, logs at the lowest level and the copy among them.
    installation.assert_no_secret();
}

#[test]
fn a_console_with_mistakes_is_not_opened_and_they_are_shown_where_they_stand() {
    let vendor = Vendor::with_orders(1, DAY / 2);
    let installation = Installation::new(&vendor);
    let path = installation.path("milkrun.toml");
    let own = fs::read_to_string(&path).unwrap();
    // The second one would otherwise be a console without its only user, open to everybody on this machine.
    for (table, said) in [
        ("[console.tokens.grafana]\nrole = \"viewer\"\ntoken = \"short\"", "shorter than 20 characters"),
        ("[console.users.zhang]\nrole = \"viewer\"\npassword = \"plain\"", "no argon2id hash"),
    ] {
        fs::write(&path, format!("{own}\n{table}\n")).unwrap();
        let line = own.lines().count() + 4;
        let refused = installation.milkrun(&["serve", "--listen", "127.0.0.1:0"]).with(2);
        assert!(refused.err.contains(said) && refused.err.contains(&format!("milkrun.toml:{line}:")), "{refused}");
        let checked = installation.milkrun(&["check", "--offline"]).with(2);
        assert!(checked.err.contains(said), "{checked}");
        let found = installation.milkrun(&["doctor", "--offline"]).with(1);
        assert!(found.out.contains(said), "{found}");
        assert!(!format!("{refused}{checked}{found}").contains("\"plain\""), "{refused}");
    }
}
