//! A served installation as a program sees it over HTTP.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::milkrun::Running;

/// After so long something that has to happen will not.
const PATIENCE: Duration = Duration::from_mins(1);

/// The console of a running `milkrun serve`.
#[derive(Debug)]
pub(crate) struct Console {
    pub(crate) url: String,
    csrf: String,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Console {
    /// Waits until `serve` says where its console is; it was started with `--json`.
    #[track_caller]
    pub(crate) fn of(serve: &mut Running) -> Self {
        let mut url = None;
        serve.until_written(|written| {
            let document = written.split_once("\n}").map(|(document, _)| format!("{document}\n}}"));
            let told = document.and_then(|text| serde_json::from_str::<Value>(&text).ok());
            url = told.and_then(|told| Some(told["console"].as_str()?.to_owned()));
            url.is_some()
        });
        let url = url.unwrap_or_else(|| panic!("it did not begin to serve: {}", serve.written()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut console = Self { url, csrf: String::new(), client: reqwest::Client::new(), runtime };
        let session = console.get("/session");
        session["csrf"].as_str().unwrap().clone_into(&mut console.csrf);
        console
    }

    /// One request: the status and the text of the answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let url = format!("{}{path}", self.url);
        let mut request = self.client.request(method.parse().unwrap(), url).header("x-csrf-token", &self.csrf);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }

    /// What a route of the API answers.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, text) = self.ask("GET", &format!("/api/v1{path}"), None);
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// What a route that does something answers.
    #[track_caller]
    pub(crate) fn does(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, text) = self.ask(method, &format!("/api/v1{path}"), Some(body));
        assert!((200..300).contains(&status), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// What a route that does something refuses with: the status, and the problem.
    #[track_caller]
    pub(crate) fn refuses(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, text) = self.ask(method, &format!("/api/v1{path}"), Some(body));
        assert!(status >= 400, "{path}: {status} {text}");
        (status, serde_json::from_str(&text).unwrap())
    }

    /// Asks again until the answer is as it has to become.
    #[track_caller]
    pub(crate) fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.get(path);
            if holds(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} stayed {answer:#}");
            std::thread::yield_now();
        }
    }
}
