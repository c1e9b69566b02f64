//! A desk that knows one flow `orders` and one account `km`, and remembers what it was asked to do.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use milkrun_console::model::{
    Account, AlertSettings, AlertSettingsChange, Backfill, CalendarEntry, DeadLetterPage, DeadLetterQuery, Diagnosis,
    Event, Flow, Incident, MappingDraft, MappingEdit, MappingPreview, MappingPreviewRequest, MappingView, Overview,
    Problem, RawPage, Run, RunPage, Saved, Trace,
};
use milkrun_console::{Caller, Desk, Lang};
use milkrun_core::{Error, ErrorKind, Result, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct TestDesk {
    /// What was asked to be done, as `user verb subject`.
    pub(crate) done: Arc<Mutex<Vec<String>>>,
    pub(crate) events: broadcast::Sender<Event>,
    /// What every answer is, if it is an error.
    pub(crate) fails: Arc<Mutex<Option<ErrorKind>>>,
}

impl Default for TestDesk {
    fn default() -> Self {
        Self { done: Arc::default(), events: broadcast::channel(4).0, fails: Arc::default() }
    }
}

/// A value of the model; fields that are missing make the test fail.
pub(crate) fn model<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn flow() -> Value {
    json!({
        "name": "orders", "source_account": "km", "stream": "orders", "sink_account": "u8", "target": "sales",
        "is_usable": true, "has_file": true, "recent": [], "delivered": 1, "open_slices": 2, "pending": 3,
        "dead_letters": 4, "backfills": [],
    })
}

fn account() -> Value {
    json!({ "name": "km", "connector": "kuaimai", "title": "快麦", "is_usable": true, "quotas": [], "calls": 7, "flows": ["orders"] })
}

fn summary() -> Value {
    json!({ "id": 1, "flow": "orders", "started": "2026-11-01T00:00:00Z", "records": 5, "documents": 5, "calls": 1 })
}

fn counts() -> Value {
    let names = [
        "pages",
        "records",
        "new",
        "changed",
        "unchanged",
        "older",
        "filtered",
        "refused",
        "pending",
        "documents",
        "open_slices",
        "proved_slices",
        "splits",
        "readings_in_vain",
        "expected",
    ];
    names.iter().map(|name| ((*name).to_owned(), json!(0))).collect::<serde_json::Map<_, _>>().into()
}

fn view(text: &str) -> Value {
    json!({ "flow": "orders", "text": text, "revision": "r1", "source": [], "target": [], "rules": [], "mistakes": [],
        "samples": ["{\"id\":6920000000000000001}"], "is_editable": true })
}

impl TestDesk {
    fn check(&self, known: bool) -> Result<()> {
        if let Some(kind) = *self.fails.lock().unwrap() {
            return Err(Error::new(kind, "the desk fails as it was told to"));
        }
        if known { Ok(()) } else { Err(Error::new(ErrorKind::NotFound, "there is no such thing here")) }
    }

    fn flow_is(&self, flow: &str) -> Result<()> {
        self.check(flow == "orders")
    }

    fn note(&self, caller: &Caller, verb: &str, subject: &str) {
        self.done.lock().unwrap().push(format!("{} {verb} {subject}", caller.user));
    }
}

#[async_trait]
impl Desk for TestDesk {
    async fn overview(&self, _: &Caller) -> Result<Overview> {
        self.check(true)?;
        Ok(model(json!({ "now": "2026-11-01T00:00:00Z", "version": "0.1.0", "flows": [flow()],
            "accounts": [account()], "incidents": [], "mistakes": [] })))
    }

    async fn account(&self, _: &Caller, name: &str) -> Result<Account> {
        self.check(name == "km")?;
        Ok(model(account()))
    }

    async fn flow(&self, _: &Caller, name: &str) -> Result<Flow> {
        self.flow_is(name)?;
        Ok(model(flow()))
    }

    async fn runs(&self, _: &Caller, flow: &str, _: Option<u64>, _: u32) -> Result<RunPage> {
        self.flow_is(flow)?;
        Ok(model(json!({ "runs": [summary()] })))
    }

    async fn run(&self, _: &Caller, flow: &str, run: u64) -> Result<Run> {
        self.check(flow == "orders" && run == 1)?;
        Ok(model(
            json!({ "summary": summary(), "counts": counts(), "proved": [], "open": [], "assumes": "", "promise": "" }),
        ))
    }

    async fn calendar(&self, _: &Caller, from: Timestamp, _: Timestamp) -> Result<Vec<CalendarEntry>> {
        self.check(true)?;
        Ok(model(json!([{ "flow": "orders", "at": from }])))
    }

    async fn start(&self, caller: &Caller, flow: &str) -> Result<()> {
        self.flow_is(flow)?;
        self.note(caller, "run", flow);
        Ok(())
    }

    async fn cancel(&self, caller: &Caller, flow: &str) -> Result<()> {
        self.flow_is(flow)?;
        self.note(caller, "cancel", flow);
        Ok(())
    }

    async fn backfill(&self, caller: &Caller, flow: &str, ask: &Backfill) -> Result<()> {
        self.flow_is(flow)?;
        self.note(caller, "backfill", &format!("{flow} {}", ask.from));
        Ok(())
    }

    async fn dead_letters(&self, _: &Caller, flow: &str, query: &DeadLetterQuery) -> Result<DeadLetterPage> {
        self.flow_is(flow)?;
        assert!(query.limit.is_some());
        Ok(model(json!({ "letters": [], "total": 0 })))
    }

    async fn replay(&self, caller: &Caller, flow: &str, letters: Option<Vec<u64>>) -> Result<()> {
        self.flow_is(flow)?;
        self.note(caller, "replay", &format!("{flow} {letters:?}"));
        Ok(())
    }

    async fn arrived(&self, caller: &Caller, flow: &str, letter: u64, remote_id: Option<String>) -> Result<()> {
        self.check(flow == "orders" && letter == 1)?;
        self.note(caller, "arrived", &format!("{flow} {letter} {remote_id:?}"));
        Ok(())
    }

    async fn trace(&self, _: &Caller, id: &str, _: Option<&str>) -> Result<Trace> {
        self.check(true)?;
        Ok(model(json!({ "id": id, "found": [], "dead_letters": [], "pending": [] })))
    }

    async fn raw_page(&self, _: &Caller, flow: &str, page: u64) -> Result<RawPage> {
        self.check(flow == "orders" && page == 1)?;
        Ok(model(json!({ "flow": flow, "page": page, "body": "{\"a\":0.10}", "records": 1 })))
    }

    async fn mapping(&self, _: &Caller, flow: &str) -> Result<MappingView> {
        self.flow_is(flow)?;
        Ok(model(view("[mapping]")))
    }

    async fn draft(&self, _: &Caller, flow: &str, draft: &MappingDraft) -> Result<MappingView> {
        self.flow_is(flow)?;
        Ok(model(view(&draft.text)))
    }

    async fn edit_mapping(&self, _: &Caller, flow: &str, edit: &MappingEdit) -> Result<MappingView> {
        self.flow_is(flow)?;
        Ok(model(view(&edit.text)))
    }

    async fn preview_mapping(&self, _: &Caller, flow: &str, _: &MappingPreviewRequest) -> Result<MappingPreview> {
        self.flow_is(flow)?;
        Ok(model(json!({ "mistakes": [], "records": [] })))
    }

    async fn save_mapping(&self, caller: &Caller, flow: &str, draft: &MappingDraft) -> Result<Saved> {
        self.flow_is(flow)?;
        if draft.revision != "r1" {
            return Err(Error::new(ErrorKind::Busy, "the file was changed meanwhile"));
        }
        self.note(caller, "save", flow);
        Ok(model(json!({ "revision": "r2" })))
    }

    async fn alerts(&self, _: &Caller) -> Result<AlertSettings> {
        self.check(true)?;
        Ok(model(json!({ "revision": "r1", "channels": [], "rules": [], "zone": "Asia/Shanghai" })))
    }

    async fn change_alerts(&self, caller: &Caller, _: &AlertSettingsChange) -> Result<Saved> {
        self.check(true)?;
        self.note(caller, "alerts", "");
        Ok(model(json!({ "revision": "r2" })))
    }

    async fn test_channel(&self, caller: &Caller, channel: &str) -> Result<()> {
        self.check(channel == "ops")?;
        self.note(caller, "test", channel);
        Ok(())
    }

    async fn incidents(&self, _: &Caller, _: u32) -> Result<Vec<Incident>> {
        self.check(true)?;
        Ok(Vec::new())
    }

    async fn doctor(&self, _: &Caller) -> Result<Vec<Diagnosis>> {
        self.check(true)?;
        Ok(Vec::new())
    }

    async fn metrics(&self) -> Result<String> {
        self.check(true)?;
        Ok("# EOF\n".to_owned())
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn problem(&self, lang: Lang, error: &Error) -> Problem {
        let facts = error.context().iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Problem {
            kind: error.kind().as_str().to_owned(),
            message: format!("{lang:?}: {}", error.message()),
            help: error.help().map(str::to_owned),
            facts,
            mistakes: Vec::new(),
        }
    }
}
