//! A JSON file with lists in lists, one call per client to a vendor that exists as configuration only: the token ends in
//! the middle, the process is killed, and every client is called once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread::{self, JoinHandle};

use milkrun_testkit::http::{FixtureServer, Reply, Request};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::installation::KEY;
use crate::milkrun::{Ended, Running, binary};

const CLIENTS: usize = 120;
/// After so many calls a token has ended.
const TOKEN_LIFE: u32 = 37;
const PASSWORD: &str = "vErY-sEcReT-pAsSwOrD";

/// What the vendor has seen.
#[derive(Debug, Default)]
struct Seen {
    /// How often each client's call was let in.
    calls: BTreeMap<String, u32>,
    /// Keys of calls, and the client that each of them created.
    created: BTreeMap<String, String>,
    n_tokens: u32,
    /// Calls that the token in use has still good for.
    left: u32,
    /// Calls that came with a token that had ended.
    n_refused: u32,
}

impl Seen {
    fn answer(&mut self, request: &Request) -> String {
        if request.path == "/login" {
            let knows = request.param("password").as_deref() == Some(PASSWORD);
            assert!(knows, "{}", request.body);
            self.n_tokens += 1;
            self.left = TOKEN_LIFE;
            return format!(r#"{{"code":0,"data":{{"token":"vErY-sEcReT-tOkEn-{}"}}}}"#, self.n_tokens);
        }
        let token = format!("Bearer vErY-sEcReT-tOkEn-{}", self.n_tokens);
        if self.left == 0 || request.header("authorization") != Some(&token) {
            self.n_refused += 1;
            return r#"{"code":401,"msg":"the token has ended"}"#.to_owned();
        }
        self.left -= 1;
        let id = request.param("ClientId").unwrap();
        *self.calls.entry(id.clone()).or_default() += 1;
        let key =
            request.header("idempotency-key").map_or_else(|| format!("{}", self.created.len()), ToOwned::to_owned);
        self.created.entry(key).or_insert_with(|| id.clone());
        format!(r#"{{"code":0,"data":{{"id":"R-{id}"}}}}"#)
    }

    fn n_calls(&self) -> usize {
        self.calls.values().sum::<u32>() as usize
    }
}

/// The vendor in a thread of its own; it stops when dropped.
struct Vendor {
    url: String,
    seen: Arc<Mutex<Seen>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Vendor {
    fn start() -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let own = Arc::clone(&seen);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = FixtureServer::start(move |request| Reply::json(own.lock().unwrap().answer(request)));
                let server = server.await.unwrap();
                tell.send(server.url().to_owned()).unwrap();
                // An error means that the handle is gone, which says the same.
                let _ = stopped.await;
            });
        });
        Self { url: told.recv().unwrap(), seen, stop: Some(stop), thread: Some(thread) }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.unwrap();
        }
    }
}

fn client(n: usize) -> String {
    // 19 digits, which no float holds.
    (6_920_000_000_000_000_000 + n as u64).to_string()
}

fn clients() -> BTreeSet<String> {
    (0..CLIENTS).map(client).collect()
}

/// An installation whose accounts are the file and the vendor; `promise` is the target's idempotency.
struct Installation(TempDir);

impl Installation {
    fn new(vendor: &Vendor, promise: &str) -> Self {
        let dir = TempDir::with_prefix("milkrun-").unwrap();
        let write = |path: &str, text: &str| fs::write(dir.path().join(path), text).unwrap();
        let groups: Vec<String> = (0..CLIENTS / 10)
            .map(|group| {
                let lines = (0..10)
                    .map(|n| format!(r#"{{"ClientId":{},"Name":"客户 {n}","Limit":0.10}}"#, client(group * 10 + n)));
                let empty = r#"{"Group":"nobody","ClientList":[]}"#;
                format!(r#"{{"Group":"G{group}","ClientList":[{}]}},{empty}"#, lines.collect::<Vec<_>>().join(","))
            })
            .collect();
        write("clients.json", &format!("[{}]", groups.join(",\n")));
        let url = &vendor.url;
        let accounts = format!(
            r#"
            [accounts.files]
            connector = "file"
            [[accounts.files.streams]]
            name = "clients"
            path = "clients.json"
            records = "[*].ClientList[*]"
            key = ["ClientId"]
            page_size = 50

            [accounts.acme]
            connector = "http"
            base_url = "{url}"
            [accounts.acme.auth.login]
            path = "/login"
            fields = {{ user = {{ env = "ACME_USER" }}, password = {{ env = "ACME_PASSWORD" }} }}
            token = "data.token"
            [accounts.acme.answer]
            success = "code"
            success_values = [0]
            message = "msg"
            codes = {{ token = [401] }}
            [[accounts.acme.targets]]
            name = "client"
            path = "/clients"
            idempotency = {promise}
            remote_id = "data.id"
            "#
        );
        write("milkrun.toml", &accounts);
        fs::create_dir(dir.path().join("flows")).unwrap();
        let flow = "[source]\naccount = \"files\"\nstream = \"clients\"\n\
                    [sink]\naccount = \"acme\"\ntarget = \"client\"\nconcurrency = 1\n";
        write("flows/clients.toml", flow);
        Self(dir)
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(binary());
        command.args(arguments).args(["--lang", "en", "--no-progress", "-vvv", "--dir"]).arg(self.0.path());
        command.env_clear().envs([("MILKRUN_KEY", KEY), ("ACME_USER", "me-myself"), ("ACME_PASSWORD", PASSWORD)]);
        Running::start(command, "", &self.0.path().join("console"))
    }

    fn milkrun(&self, arguments: &[&str]) -> Ended {
        let ended = self.start(arguments).wait();
        assert!(!(ended.out.clone() + &ended.err).contains("vErY-sEcReT"), "a secret is shown: {ended}");
        ended
    }

    /// Kills the flow whenever some more clients have been called; gives how often, and the last life.
    fn run_and_kill(&self, vendor: &Vendor, step: usize) -> (usize, Ended) {
        let mut n_kills = 0;
        loop {
            let enough = vendor.seen().n_calls() + step;
            let mut life = self.start(&["run", "clients"]);
            if life.until(|| vendor.seen().n_calls() >= enough) {
                let ended = life.kill();
                // It may have ended by itself just now.
                if ended.code.is_none() {
                    n_kills += 1;
                    continue;
                }
                return (n_kills, ended);
            }
            return (n_kills, life.wait());
        }
    }
}

const BY_KEY: &str = r#"{ kind = "key", header = "Idempotency-Key" }"#;

#[test]
fn every_client_is_called_once_though_the_token_ends_in_the_middle() {
    for promise in [BY_KEY, r#"{ kind = "none" }"#] {
        let vendor = Vendor::start();
        let installation = Installation::new(&vendor, promise);
        installation.milkrun(&["check"]).with(0);
        let report = installation.milkrun(&["run", "clients", "--json"]).with(0).json();
        assert_eq!(report["flows"][0]["verdict"], "reconciled", "{report:#}");
        {
            let seen = vendor.seen();
            assert_eq!(seen.calls.keys().cloned().collect::<BTreeSet<_>>(), clients());
            assert_eq!(seen.n_calls(), CLIENTS, "once each: {:?}", seen.calls);
            assert!(seen.n_tokens >= 3 && seen.n_refused >= 3, "{} tokens, {} refused", seen.n_tokens, seen.n_refused);
        }
        installation.milkrun(&["run", "clients"]).with(0);
        assert_eq!(vendor.seen().n_calls(), CLIENTS, "a second run calls nobody");
        let traced = installation.milkrun(&["trace", &client(77), "--json"]).with(0).json();
        assert!(traced.to_string().contains(&format!("R-{}", client(77))), "{traced:#}");
    }
}

#[test]
fn a_killed_run_goes_on_at_the_exact_client() {
    let vendor = Vendor::start();
    let installation = Installation::new(&vendor, BY_KEY);
    let (n_kills, last) = installation.run_and_kill(&vendor, 23);
    last.with(0);
    let seen = vendor.seen();
    assert!(n_kills >= 3, "{n_kills} kills");
    let mut created: Vec<_> = seen.created.values().cloned().collect();
    created.sort();
    assert_eq!(created, clients().into_iter().collect::<Vec<_>>(), "each client is there once");
    // Only the one whose answer was under way at a kill is asked for again, with its own key.
    let again = seen.n_calls() - CLIENTS;
    assert!(again <= n_kills, "{again} calls again after {n_kills} kills");
}

#[test]
fn where_nothing_keeps_a_call_from_having_two_effects_it_is_not_made_again() {
    let vendor = Vendor::start();
    let installation = Installation::new(&vendor, r#"{ kind = "none" }"#);
    let (n_kills, last) = installation.run_and_kill(&vendor, 23);
    let letters = installation.milkrun(&["dead-letters", "clients", "--limit", "1000", "--json"]).with(0).json();
    let letters = letters["dead_letters"].as_array().unwrap().len();
    let seen = vendor.seen();
    assert!(n_kills >= 3, "{n_kills} kills");
    assert!(seen.calls.values().all(|n| *n == 1), "nobody is called twice: {:?}", seen.calls);
    // What was under way at a kill is said, and everybody else was called.
    assert!(letters <= n_kills, "{letters} letters after {n_kills} kills");
    assert!(seen.calls.len() + letters >= CLIENTS, "{} called, {letters} letters", seen.calls.len());
    last.with(if letters == 0 { 0 } else { 3 });
}
