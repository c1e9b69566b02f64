//! Sends spans to an OpenTelemetry collector, where the program was built with the feature `otel` and is told one.

use std::path::PathBuf;

use milkrun_core::{Error, Result};
use opentelemetry::trace::{Status, TracerProvider as _};
use opentelemetry::{KeyValue, Value};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter as Exports};
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::cli::Global;
use crate::config::collector;
use crate::show::{Out, Scrubber};

/// Where spans go.
#[derive(Debug)]
pub(crate) struct Telemetry(SdkTracerProvider);

impl Telemetry {
    /// What the installation asks for.
    ///
    /// # Errors
    /// If the collector's address is none.
    pub(crate) fn of(global: &Global, out: &Out) -> Result<Option<Self>> {
        let dir = global.dir.clone().unwrap_or_else(|| PathBuf::from("."));
        collector(&dir).map(|collector| Self::start(&collector, out.scrubber.clone())).transpose()
    }

    /// Sends spans to the collector at that address, such as `http://127.0.0.1:4318`; to `v1/traces` of it.
    ///
    /// # Errors
    /// If the address is none.
    pub(crate) fn start(collector: &str, scrubber: Scrubber) -> Result<Self> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
            .build()
            .map_err(|e| Error::config("the OpenTelemetry collector cannot be used").caused_by(e.to_string()))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder_empty().with_service_name("milkrun").with_attribute(version).build();
        let scrubbed = Scrubbed { exporter, scrubber };
        Ok(Self(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(scrubbed).build()))
    }

    /// Takes Milkrun's own spans, whatever else is logged: other crates know nothing of secrets.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer("milkrun")).with_location(false);
        layer.with_filter(Targets::new().with_target("milkrun", LevelFilter::INFO))
    }

    /// Sends what is left.
    pub(crate) fn end(self) {
        // A collector that cannot be reached must not make a run fail.
        let _ = self.0.shutdown();
    }
}

/// Strikes secrets out of spans before they leave.
#[derive(Debug)]
struct Scrubbed<E> {
    exporter: E,
    scrubber: Scrubber,
}

impl<E> Scrubbed<E> {
    fn scrub(&self, span: &mut SpanData) {
        let attributes = |attributes: &mut Vec<KeyValue>| {
            for KeyValue { value, .. } in attributes {
                // Numbers and truth values hold no secret.
                if matches!(value, Value::String(_) | Value::Array(_)) {
                    *value = self.scrubber.scrub(value.to_string()).into();
                }
            }
        };
        span.name = self.scrubber.scrub(span.name.to_string()).into();
        attributes(&mut span.attributes);
        for event in &mut span.events.events {
            event.name = self.scrubber.scrub(event.name.to_string()).into();
            attributes(&mut event.attributes);
        }
        if let Status::Error { description } = &mut span.status {
            *description = self.scrubber.scrub(description.to_string()).into();
        }
    }
}

impl<E: Exports> Exports for Scrubbed<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            self.scrub(span);
        }
        self.exporter.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: std::time::Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;

    use milkrun_core::Secret;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Takes one request and returns its first line and its body.
    fn collect(listener: &TcpListener) -> (String, String) {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(n) = line.to_lowercase().strip_prefix("content-length:") {
                length = n.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).unwrap();
        (first, String::from_utf8(body).unwrap())
    }

    #[test]
    fn a_collector_gets_the_spans_without_secrets() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let collector = std::thread::spawn(move || collect(&listener));
        let scrubber = Scrubber::default();
        scrubber.hide(&Secret::new("topsecret"));
        let telemetry = Telemetry::start(&address, scrubber).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(telemetry.layer()), || {
            let span = tracing::info_span!(target: "milkrun::call", "page", flow = "orders", page = "a topsecret b");
            let _inside = span.enter();
            tracing::info!(target: "milkrun::call", endpoint = "trade.list?key=topsecret", status = 200_u16, "call topsecret");
            tracing::info_span!(target: "hyper", "foreign").in_scope(|| {});
        });
        telemetry.end();
        let (first, body) = collector.join().unwrap();
        assert!(first.starts_with("POST /v1/traces "), "{first}");
        for said in ["\"page\"", "orders", "trade.list?key=***", "a *** b", "milkrun"] {
            assert!(body.contains(said), "{said} is not in {body}");
        }
        assert!(!body.contains("topsecret") && !body.contains("foreign"), "{body}");
    }
}
