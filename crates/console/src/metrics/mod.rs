//! The figures for Prometheus: counters that events feed, and gauges of how things stand when somebody looks.
//!
//! `prometheus-client` writes them: three small crates that know the text form, where `metrics` with its exporter would
//! be thirteen and a global recorder. Labels are names of flows, accounts and endpoints, which are as many as the
//! installation has, and words of fixed lists; beyond [`MOST_SERIES`] a label becomes `other`.

mod gauges;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use self::table::{KINDS, Metric, TABLE, page};
use crate::model::{Counts, Overview, RunSummary};

/// The form in which the figures are written.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Series of one counter; what comes later is counted as `other`.
pub const MOST_SERIES: usize = 2000;

/// The bounds of `milkrun_call_seconds`.
const SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The verdicts of a run; one that was killed has none.
const VERDICTS: [&str; 4] = ["reconciled", "unreconciled", "partial", "failed"];

/// The labels of a series.
type Labels = Vec<(&'static str, String)>;

/// One call to a vendor.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The account.
    pub account: &'a str,
    /// The endpoint.
    pub endpoint: &'a str,
    /// The kind of its error; `None` if it went well.
    pub error: Option<&'a str>,
    /// How long it took.
    pub ms: u64,
}

/// All figures. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    version: String,
    runs: Bounded<Counter>,
    records: Bounded<Counter>,
    documents: Bounded<Counter>,
    calls: Bounded<Counter>,
    call_seconds: Bounded<Histogram>,
}

impl Metrics {
    /// The figures of a program of that version, all at zero.
    pub fn new(version: impl Into<String>) -> Self {
        Self {
            version: version.into(),
            runs: Bounded::new(Counter::default),
            records: Bounded::new(Counter::default),
            documents: Bounded::new(Counter::default),
            calls: Bounded::new(Counter::default),
            call_seconds: Bounded::new(|| Histogram::new(SECONDS)),
        }
    }

    /// Counts a run that has ended, and what became of its records.
    pub fn ended(&self, run: &RunSummary, counts: &Counts) {
        let flow = || ("flow", run.flow.clone());
        let verdict = run.verdict.as_deref().filter(|verdict| VERDICTS.contains(verdict)).unwrap_or("other");
        self.runs.of(vec![flow(), ("verdict", verdict.to_owned())]).inc_by(1);
        self.documents.of(vec![flow()]).inc_by(counts.documents);
        for (fate, n) in fates(counts) {
            self.records.of(vec![flow(), ("fate", fate.to_owned())]).inc_by(n);
        }
    }

    /// Counts a call.
    pub fn called(&self, call: &Call<'_>) {
        let account = ("account", call.account.to_owned());
        let outcome = ("outcome", call.error.unwrap_or("ok").to_owned());
        self.calls.of(vec![account.clone(), ("endpoint", call.endpoint.to_owned()), outcome]).inc_by(1);
        #[expect(clippy::cast_precision_loss, reason = "a call lasts less than 2^53 ms")]
        self.call_seconds.of(vec![account]).observe(call.ms as f64 / 1000.0);
    }

    /// Everything as text, with the gauges as `overview` has them.
    pub fn render(&self, overview: &Overview) -> String {
        let mut registry = Registry::default();
        for (family, name) in [
            (&self.runs, "milkrun_run_total"),
            (&self.records, "milkrun_records_total"),
            (&self.documents, "milkrun_documents_total"),
            (&self.calls, "milkrun_calls_total"),
        ] {
            registry.register(name.trim_end_matches("_total"), help(name), family.family.clone());
        }
        registry.register("milkrun_call_seconds", help("milkrun_call_seconds"), self.call_seconds.family.clone());
        gauges::register(&mut registry, &self.version, overview);
        let mut text = String::new();
        encode_registry(&mut text, &registry).and_then(|()| encode_eof(&mut text)).expect("memory takes it");
        text
    }
}

/// What became of the records of a run; those in the outbox are counted when they leave it.
fn fates(counts: &Counts) -> [(&'static str, u64); 6] {
    [
        ("new", counts.new),
        ("changed", counts.changed),
        ("unchanged", counts.unchanged),
        ("older", counts.older),
        ("filtered", counts.filtered),
        ("refused", counts.refused),
    ]
}

/// A figure whose series are bounded. Clones share them.
#[derive(Debug)]
struct Bounded<M, C = fn() -> M> {
    family: Family<Labels, M, C>,
    n_series: Arc<AtomicUsize>,
}

impl<M: Clone> Bounded<M> {
    fn new(make: fn() -> M) -> Self {
        Self { family: Family::new_with_constructor(make), n_series: Arc::default() }
    }

    /// The series of these labels, or of `other` in their place where there are too many already.
    fn of(&self, labels: Labels) -> M {
        if let Some(known) = self.family.get(&labels) {
            return known.clone();
        }
        let is_full = self.n_series.fetch_add(1, Ordering::Relaxed) >= MOST_SERIES;
        let other = |labels: Labels| labels.into_iter().map(|(name, _)| (name, "other".to_owned())).collect();
        self.family.get_or_create_owned(&if is_full { other(labels) } else { labels })
    }
}

impl<M, C: Clone> Clone for Bounded<M, C> {
    fn clone(&self) -> Self {
        Self { family: self.family.clone(), n_series: Arc::clone(&self.n_series) }
    }
}

/// What a figure says, by its name; the text form ends it with a full stop of its own.
fn help(name: &str) -> &'static str {
    let metric = TABLE.iter().find(|metric| metric.name == name).expect("each figure stands in the table");
    metric.help.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::*;

    fn overview() -> Overview {
        let flow = json!({
            "name": "orders", "source_account": "km", "stream": "orders", "sink_account": "u8", "target": "sales",
            "is_usable": true, "has_file": true, "recent": [], "delivered": 11, "open_slices": 2, "pending": 3,
            "dead_letters": 4, "backfills": [], "lag_secs": 90, "next_start": "2026-11-01T00:05:00Z",
            "last_run": run(),
        });
        let account = json!({
            "name": "km", "connector": "kuaimai", "title": "km", "is_usable": false, "calls": 7, "flows": ["orders"],
            "quotas": [{ "calls": 15, "per_secs": 1, "left": 9 }, { "calls": 20, "per_secs": 1, "left": 4 }],
            "token": { "expires": "2026-12-01T00:00:00Z" },
        });
        let incident =
            json!({ "id": "i", "rule": "lag", "title": "", "advice": "", "since": "2026-11-01T00:00:00Z", "told": [] });
        serde_json::from_value(json!({
            "now": "2026-11-01T00:00:00Z", "version": "0.1.0", "flows": [flow], "accounts": [account],
            "incidents": [incident], "mistakes": [], "disk": { "free": 1, "total": 2, "state": 3 },
        }))
        .unwrap()
    }

    fn run() -> Value {
        json!({ "id": 1, "flow": "orders", "started": "2026-11-01T00:00:00Z", "ended": "2026-11-01T00:01:00Z",
            "verdict": "partial", "records": 5, "documents": 4, "calls": 3 })
    }

    fn full() -> String {
        let metrics = Metrics::new("0.1.0");
        let counts = Counts { new: 3, refused: 1, documents: 4, ..Counts::default() };
        metrics.ended(&serde_json::from_value(run()).unwrap(), &counts);
        metrics.called(&Call { account: "km", endpoint: "trade.list", error: None, ms: 120 });
        metrics.called(&Call { account: "km", endpoint: "trade.list", error: Some("quota-exceeded"), ms: 20 });
        metrics.render(&overview())
    }

    /// Names and labels of all series of a text.
    fn series(text: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut all = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, rest) = line.split_once(['{', ' ']).unwrap();
            let name =
                ["_bucket", "_sum", "_count"].iter().fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
            let labels = rest.rsplit_once('}').map_or("", |(labels, _)| labels);
            let names = labels.split("\",").filter_map(|one| one.split_once('=')).map(|(name, _)| name.to_owned());
            let all: &mut BTreeSet<String> = all.entry(name.to_owned()).or_default();
            all.extend(names.filter(|name| name != "le"));
        }
        all
    }

    #[test]
    fn the_table_has_what_is_served_and_nothing_else() {
        let served = series(&full());
        let labels = |metric: &Metric| metric.labels.iter().map(|label| (*label).to_owned()).collect::<BTreeSet<_>>();
        let table: BTreeMap<_, _> = TABLE.iter().map(|metric| (metric.name.to_owned(), labels(metric))).collect();
        assert_eq!(served, table);
        for metric in TABLE {
            let family =
                metric.name.strip_suffix("_total").or(metric.name.strip_suffix("_info")).unwrap_or(metric.name);
            let line = format!("# TYPE {family} {}\n", metric.kind);
            assert!(full().contains(&line), "{line}");
        }
    }

    #[test]
    fn the_figures_are_those_of_the_installation() {
        let text = full();
        for line in [
            "milkrun_build_info{version=\"0.1.0\"} 1",
            "milkrun_run_total{flow=\"orders\",verdict=\"partial\"} 1",
            "milkrun_records_total{flow=\"orders\",fate=\"new\"} 3",
            "milkrun_records_total{flow=\"orders\",fate=\"older\"} 0",
            "milkrun_documents_total{flow=\"orders\"} 4",
            "milkrun_calls_total{account=\"km\",endpoint=\"trade.list\",outcome=\"ok\"} 1",
            "milkrun_calls_total{account=\"km\",endpoint=\"trade.list\",outcome=\"quota-exceeded\"} 1",
            "milkrun_call_seconds_bucket{le=\"0.05\",account=\"km\"} 1",
            "milkrun_call_seconds_count{account=\"km\"} 2",
            "milkrun_flow_lag_seconds{flow=\"orders\"} 90",
            "milkrun_flow_dead_letters{flow=\"orders\"} 4",
            "milkrun_flow_last_verdict{flow=\"orders\",verdict=\"partial\"} 1",
            "milkrun_flow_last_verdict{flow=\"orders\",verdict=\"reconciled\"} 0",
            "milkrun_flow_running{flow=\"orders\"} 0",
            "milkrun_account_usable{account=\"km\"} 0",
            "milkrun_quota_left{account=\"km\",window=\"1s\"} 4",
            "milkrun_quota_limit{account=\"km\",window=\"1s\"} 20",
            "milkrun_token_expires_timestamp_seconds{account=\"km\"} 1796083200",
            "milkrun_incidents_open{rule=\"lag\"} 1",
            "milkrun_state_bytes{} 3",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn labels_are_bounded_and_escaped() {
        let metrics = Metrics::new("0");
        for n in 0..MOST_SERIES + 100 {
            metrics.called(&Call { account: "km", endpoint: &format!("e{n}"), error: None, ms: 1 });
        }
        metrics.called(&Call { account: "km", endpoint: "e0", error: None, ms: 1 });
        metrics.called(&Call { account: "a\"\n\\b", endpoint: "e", error: None, ms: 1 });
        let text = metrics.render(&overview());
        assert_eq!(text.matches("milkrun_calls_total{").count(), MOST_SERIES + 1);
        assert!(text.contains("milkrun_calls_total{account=\"other\",endpoint=\"other\",outcome=\"other\"} 101\n"));
        assert!(text.contains("milkrun_calls_total{account=\"km\",endpoint=\"e0\",outcome=\"ok\"} 2\n"));
        assert!(text.contains("milkrun_call_seconds_count{account=\"a\\\"\\n\\\\b\"} 1\n"));
    }

    /// A flow or an account that is gone leaves no gauge behind.
    #[test]
    fn gauges_are_of_now() {
        let metrics = Metrics::new("0");
        assert!(metrics.render(&overview()).contains("milkrun_flow_pending_records"));
        let mut nothing = overview();
        (nothing.flows, nothing.accounts) = (Vec::new(), Vec::new());
        let text = metrics.render(&nothing);
        assert!(!text.contains("flow=\"orders\"") && !text.contains("account=\"km\""), "{text}");
    }
}
