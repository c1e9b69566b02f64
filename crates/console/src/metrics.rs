//! The figures for Prometheus.

/// The form in which the figures are written.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
