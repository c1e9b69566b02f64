//! The figures for Prometheus.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::metrics::CONTENT_TYPE;
use crate::refusal::Refusal;

/// The figures for Prometheus, as `OpenMetrics` text.
#[utoipa::path(
    get, path = "/metrics", tag = "installation",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")),
)]
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response, Refusal> {
    let text = app.desk.metrics().await?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}
