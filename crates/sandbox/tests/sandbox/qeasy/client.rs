//! A client that fetches a token and calls, without a socket.

use std::time::Duration;

use jiff::Timestamp;
use milkrun_sandbox::qeasy::{self, Settings};
use milkrun_sandbox::{Carried, Control, InProcess, InProcessAnswer, Outcome, Received};
use serde_json::{Value, json};

/// 2026-08-01 12:00:00 in Beijing, where the tests' clocks stand still.
pub(crate) const NOON: i64 = 1_785_556_800;
pub(crate) const SOURCE: &str = "6f9b2c1a-3d54-3e0b-9a77-0c5d8e1f2a34";
pub(crate) const SINK: &str = "b81d4f6e-7c20-3a95-8e13-52f0a9c7d461";
pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Settings for tests: the clock stands still at noon, a day of history, no quota.
pub(crate) fn settings() -> Settings {
    Settings {
        clock_start: Some(Timestamp::from_second(NOON).unwrap()),
        clock_frozen: true,
        history: Duration::from_hours(20),
        n_records: 250,
        quota: None,
        ..Settings::default()
    }
}

pub(crate) struct Client {
    pub(crate) vendor: InProcess,
    pub(crate) token: String,
}

pub(crate) struct Reply {
    pub(crate) answer: InProcessAnswer,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.answer.body).unwrap_or_else(|error| panic!("{error} in {}", self.answer.body))
    }

    #[track_caller]
    pub(crate) fn code(&self) -> u64 {
        assert_eq!(self.answer.status, 200, "{}", self.answer.body);
        let json = self.json();
        assert_eq!(json["success"] == true, json["code"] == 0);
        json["code"].as_u64().unwrap()
    }

    #[track_caller]
    pub(crate) fn content(&self) -> Value {
        assert_eq!(self.code(), 0, "{}", self.answer.body);
        self.json()["content"].clone()
    }
}

impl Client {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut client = Self { vendor: qeasy::in_process(settings), token: String::new() };
        client.log_in();
        client
    }

    pub(crate) fn control(&self) -> Control {
        self.vendor.control()
    }

    pub(crate) fn log_in(&mut self) {
        let body = json!({"app_key": "sandbox-app-key", "app_secret": "sandbox-app-secret"}).to_string();
        let content = self.raw("POST", "/v2/oauth", JSON, &body).content();
        content["access_token"].as_str().unwrap().clone_into(&mut self.token);
    }

    pub(crate) fn outcome(&self, verb: &str, path: &str, kind: &str, body: &str) -> Outcome {
        self.vendor.call(verb, path, &[("Content-Type", kind)], body.as_bytes())
    }

    /// One call as it is; nothing may go wrong on the way.
    #[track_caller]
    pub(crate) fn raw(&self, verb: &str, path: &str, kind: &str, body: &str) -> Reply {
        match self.outcome(verb, path, kind, body).carried {
            Carried::Whole(answer) => Reply { answer },
            other => panic!("{other:?}"),
        }
    }

    /// A v2 call with JSON.
    #[track_caller]
    pub(crate) fn v2(&self, scheme: &str, call: &str, body: &str) -> Reply {
        let path = format!("/v2/open-api/business/{scheme}/{call}?access_token={}", self.token);
        self.raw("POST", &path, JSON, body)
    }

    /// A v1 query.
    #[track_caller]
    pub(crate) fn v1(&self, fields: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.raw("POST", &format!("/api/open/operation/{SOURCE}/query"), FORM, &body)
    }

    #[track_caller]
    pub(crate) fn push(&self, scheme: &str, body: &str) -> Reply {
        self.raw("POST", &format!("/api/open/operation/{scheme}"), JSON, body)
    }

    pub(crate) fn received(&self, target: &str) -> Vec<Received> {
        self.control().received(target).unwrap()
    }
}

pub(crate) fn id(row: &Value) -> String {
    row["id"].as_str().map_or_else(|| row["id"].to_string(), str::to_owned)
}

pub(crate) fn ids(content: &Value) -> Vec<String> {
    content["rows"].as_array().unwrap().iter().map(id).collect()
}
