//! Counts calls to vendors for `/metrics`, from the events that tell of them.

use std::fmt;
use std::sync::LazyLock;

use milkrun_console::metrics::{Call, Metrics};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// The figures of this process: what is logged is of the whole process too.
static FIGURES: LazyLock<Metrics> = LazyLock::new(|| Metrics::new(env!("CARGO_PKG_VERSION")));

/// The figures of this process.
pub(crate) fn figures() -> &'static Metrics {
    &FIGURES
}

/// Counts each call.
#[derive(Debug)]
pub(crate) struct CallFigures(pub(crate) Metrics);

/// The fields of an event that are counted by.
#[derive(Debug, Default)]
struct Counted {
    account: String,
    endpoint: String,
    kind: Option<String>,
    ms: u64,
}

impl Visit for Counted {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "account" => value.clone_into(&mut self.account),
            "endpoint" => value.clone_into(&mut self.endpoint),
            "kind" => self.kind = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "ms" {
            self.ms = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for CallFigures {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut counted = Counted::default();
        event.record(&mut counted);
        // Other events of the same target tell of no call.
        if !counted.endpoint.is_empty() {
            let Counted { account, endpoint, kind, ms } = &counted;
            self.0.called(&Call { account, endpoint, error: kind.as_deref(), ms: *ms });
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn each_call_is_counted_by_account_endpoint_and_outcome() {
        let metrics = Metrics::new("0");
        let subscriber = tracing_subscriber::registry().with(CallFigures(metrics.clone()));
        tracing::subscriber::with_default(subscriber, || {
            for kind in [None, None, Some("quota-exceeded")] {
                let endpoint = "trade.list".to_owned();
                tracing::info!(target: "milkrun::call", account = "km", endpoint, status = 200_u16, ms = 40_u64, kind, "call");
            }
            tracing::info!(target: "milkrun::call", "something else");
        });
        let overview = serde_json::from_value(serde_json::json!({
            "now": "2026-11-01T00:00:00Z", "version": "0", "flows": [], "accounts": [], "incidents": [], "mistakes": [],
        }));
        let text = metrics.render(&overview.unwrap());
        for line in [
            "milkrun_calls_total{account=\"km\",endpoint=\"trade.list\",outcome=\"ok\"} 2",
            "milkrun_calls_total{account=\"km\",endpoint=\"trade.list\",outcome=\"quota-exceeded\"} 1",
            "milkrun_call_seconds_count{account=\"km\"} 3",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
