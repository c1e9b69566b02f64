//! Every figure that is served: its name, its kind, its labels, and what it says.

use std::fmt::Write as _;

/// One figure.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, as queries write it.
    pub name: &'static str,
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, in one sentence.
    pub help: &'static str,
}

/// The kinds of figures.
pub const KINDS: [&str; 4] = ["counter", "gauge", "histogram", "info"];

const fn metric(name: &'static str, kind: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind, labels, help }
}

/// All figures.
#[rustfmt::skip]
pub const TABLE: &[Metric] = &[
    metric("milkrun_build_info", "info", &["version"], "The version of the program that runs."),
    metric("milkrun_run_total", "counter", &["flow", "verdict"], "Runs that have ended since the program was started, by verdict; one that was stopped is `partial`, `other` were killed."),
    metric("milkrun_records_total", "counter", &["flow", "fate"], "Records read by runs that have ended, by what became of them: new, changed, unchanged, older, filtered, refused."),
    metric("milkrun_documents_total", "counter", &["flow"], "Documents written by runs that have ended."),
    metric("milkrun_calls_total", "counter", &["account", "endpoint", "outcome"], "Calls to vendors, by outcome: ok, or the kind of the error."),
    metric("milkrun_call_seconds", "histogram", &["account"], "How long calls to vendors take, from sending to the whole answer."),
    metric("milkrun_flow_usable", "gauge", &["flow"], "Whether the flow can run: 0 if its files have mistakes."),
    metric("milkrun_flow_running", "gauge", &["flow"], "Whether a run of the flow is under way, here or in another process."),
    metric("milkrun_flow_lag_seconds", "gauge", &["flow"], "Seconds between now and the instant up to which everything is read and proved."),
    metric("milkrun_flow_last_run_timestamp_seconds", "gauge", &["flow"], "When the last run ended."),
    metric("milkrun_flow_last_verdict", "gauge", &["flow", "verdict"], "1 for the verdict of the last run, 0 for the others."),
    metric("milkrun_flow_next_start_timestamp_seconds", "gauge", &["flow"], "When the next run is to begin."),
    metric("milkrun_flow_delivered_documents", "gauge", &["flow"], "Documents in the ledger."),
    metric("milkrun_flow_open_slices", "gauge", &["flow"], "Slices that are not proved."),
    metric("milkrun_flow_pending_records", "gauge", &["flow"], "Records in the outbox: read, and not delivered yet."),
    metric("milkrun_flow_dead_letters", "gauge", &["flow"], "Refused records that wait for a person."),
    metric("milkrun_account_usable", "gauge", &["account"], "Whether the account can be used: 0 if its settings have mistakes."),
    metric("milkrun_quota_left", "gauge", &["account", "window"], "Calls left in the window of a limit."),
    metric("milkrun_quota_limit", "gauge", &["account", "window"], "Calls allowed in the window of a limit."),
    metric("milkrun_token_expires_timestamp_seconds", "gauge", &["account"], "When the account's token ends."),
    metric("milkrun_token_dead", "gauge", &["account"], "Whether the token cannot be renewed any more and a person has to act."),
    metric("milkrun_incidents_open", "gauge", &["rule"], "Incidents that are open, by the rule that found them."),
    metric("milkrun_config_mistakes", "gauge", &[], "Mistakes that keep files from being used."),
    metric("milkrun_disk_free_bytes", "gauge", &[], "Bytes that are free on the disk of the state."),
    metric("milkrun_disk_total_bytes", "gauge", &[], "Bytes of the disk of the state."),
    metric("milkrun_state_bytes", "gauge", &[], "Bytes that the state takes."),
];

/// The page `docs/metrics.md`.
pub fn page() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
         `GET /metrics` of the console serves these figures as OpenMetrics text, for whoever has the role viewer: \
         give Prometheus an access token. Counters begin at 0 when `milkrun serve` is started. \
         `docs/grafana/milkrun.json` is a dashboard of them.\n\n\
         ```yaml\n\
         scrape_configs:\n\
         \x20 - job_name: milkrun\n\
         \x20   authorization: { credentials_file: /etc/prometheus/milkrun-token }\n\
         \x20   static_configs: [{ targets: [\"127.0.0.1:7070\"] }]\n\
         ```\n\n\
         | name | kind | labels | what it says |\n| --- | --- | --- | --- |\n",
    );
    for Metric { name, kind, labels, help } in TABLE {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        writeln!(text, "| `{name}` | {kind} | {} | {help} |", labels.join(", ")).expect("memory takes it");
    }
    text.push_str(
        "\nLabels are names of flows, accounts, endpoints and rules, as many as the installation has. \
         A counter has 2,000 series at most; what comes later is counted under `other`.\n",
    );
    text
}
