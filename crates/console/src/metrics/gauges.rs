//! How things stand, as gauges: made anew for each look, so that what is gone is not shown any more.

use std::collections::BTreeMap;

use jiff::Timestamp;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::{Labels, VERDICTS, help};
use crate::model::{Account, Flow, Overview};

/// The series of all gauges, by name.
#[derive(Debug, Default)]
struct Gauges(BTreeMap<&'static str, Family<Labels, Gauge>>);

impl Gauges {
    fn set(&mut self, name: &'static str, labels: &Labels, value: i64) {
        self.0.entry(name).or_default().get_or_create(labels).set(value);
    }
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}

/// Adds the gauges of an installation.
pub(super) fn register(registry: &mut Registry, version: &str, overview: &Overview) {
    registry.register("milkrun_build", help("milkrun_build_info"), Info::new(vec![("version", version.to_owned())]));
    let mut gauges = Gauges::default();
    overview.flows.iter().for_each(|flow| of_flow(&mut gauges, flow));
    overview.accounts.iter().for_each(|account| of_account(&mut gauges, account));
    let mut incidents: BTreeMap<&str, u64> = BTreeMap::new();
    for incident in &overview.incidents {
        *incidents.entry(&incident.rule).or_default() += 1;
    }
    for (rule, n) in incidents {
        gauges.set("milkrun_incidents_open", &vec![("rule", rule.to_owned())], number(n));
    }
    gauges.set("milkrun_config_mistakes", &Vec::new(), number(overview.mistakes.len() as u64));
    if let Some(disk) = &overview.disk {
        gauges.set("milkrun_disk_free_bytes", &Vec::new(), number(disk.free));
        gauges.set("milkrun_disk_total_bytes", &Vec::new(), number(disk.total));
        gauges.set("milkrun_state_bytes", &Vec::new(), number(disk.state));
    }
    for (name, family) in gauges.0 {
        registry.register(name, help(name), family);
    }
}

fn of_flow(gauges: &mut Gauges, flow: &Flow) {
    let labels = || vec![("flow", flow.name.clone())];
    gauges.set("milkrun_flow_usable", &labels(), flow.is_usable.into());
    gauges.set("milkrun_flow_running", &labels(), (flow.running.is_some() || flow.elsewhere.is_some()).into());
    gauges.set("milkrun_flow_delivered_documents", &labels(), number(flow.delivered));
    gauges.set("milkrun_flow_open_slices", &labels(), number(flow.open_slices));
    gauges.set("milkrun_flow_pending_records", &labels(), number(flow.pending));
    gauges.set("milkrun_flow_dead_letters", &labels(), number(flow.dead_letters));
    if let Some(lag) = flow.lag_secs {
        gauges.set("milkrun_flow_lag_seconds", &labels(), number(lag));
    }
    if let Some(at) = flow.next_start {
        gauges.set("milkrun_flow_next_start_timestamp_seconds", &labels(), seconds(at));
    }
    let Some(last) = &flow.last_run else { return };
    gauges.set("milkrun_flow_last_run_timestamp_seconds", &labels(), seconds(last.ended.unwrap_or(last.started)));
    for verdict in VERDICTS {
        let is_it = last.verdict.as_deref() == Some(verdict);
        let mut labels = labels();
        labels.push(("verdict", verdict.to_owned()));
        gauges.set("milkrun_flow_last_verdict", &labels, is_it.into());
    }
}

fn of_account(gauges: &mut Gauges, account: &Account) {
    let labels = || vec![("account", account.name.clone())];
    gauges.set("milkrun_account_usable", &labels(), account.is_usable.into());
    // Of two limits over the same time, the one that has less left counts.
    let mut windows: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
    for quota in &account.quotas {
        let least = windows.entry(quota.per_secs).or_insert((quota.left, quota.calls));
        *least = (*least).min((quota.left, quota.calls));
    }
    for (per_secs, (left, calls)) in windows {
        let mut labels = labels();
        labels.push(("window", format!("{per_secs}s")));
        gauges.set("milkrun_quota_left", &labels, left.into());
        gauges.set("milkrun_quota_limit", &labels, calls.into());
    }
    let Some(token) = &account.token else { return };
    gauges.set("milkrun_token_dead", &labels(), token.dead.is_some().into());
    if let Some(at) = token.expires {
        gauges.set("milkrun_token_expires_timestamp_seconds", &labels(), seconds(at));
    }
}
