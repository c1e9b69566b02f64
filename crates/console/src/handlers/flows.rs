//! One flow: where it stands, and starting, cancelling and backfilling it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::{Answer, Asking};
use crate::app::App;
use crate::extract::{Body, Path};
use crate::model::{Backfill, Flow};
use crate::refusal::Refusal;

/// One flow, and where it stands.
#[utoipa::path(
    get, path = "/api/v1/flows/{flow}", tag = "flows",
    params(("flow" = String, Path, description = "Its name.")),
    responses((status = 200, body = Flow)),
)]
pub(crate) async fn flow(State(app): State<App>, Extension(caller): Asking, Path(flow): Path<String>) -> Answer<Flow> {
    Ok(Json(app.desk.flow(&caller, &flow).await?))
}

/// Starts a run now.
#[utoipa::path(
    post, path = "/api/v1/flows/{flow}/run", tag = "flows",
    params(("flow" = String, Path, description = "Its name.")),
    responses((status = 202, description = "It was started.")),
)]
pub(crate) async fn run(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.desk.start(&caller, &flow).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Asks the flow's run to end in good order.
#[utoipa::path(
    post, path = "/api/v1/flows/{flow}/cancel", tag = "flows",
    params(("flow" = String, Path, description = "Its name.")),
    responses((status = 202, description = "It was asked.")),
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.desk.cancel(&caller, &flow).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Begins to read a span of the past beside the flow's runs.
#[utoipa::path(
    post, path = "/api/v1/flows/{flow}/backfill", tag = "flows",
    params(("flow" = String, Path, description = "Its name.")),
    request_body = Backfill,
    responses((status = 202, description = "It was started.")),
)]
pub(crate) async fn backfill(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
    Body(ask): Body<Backfill>,
) -> Result<StatusCode, Refusal> {
    if ask.from >= ask.until {
        return Err(Refusal::value("until", "the span ends before it begins"));
    }
    if ask.share.is_some_and(|share| !(1..=100).contains(&share)) {
        return Err(Refusal::value("share", "the share is a percentage from 1 to 100"));
    }
    app.desk.backfill(&caller, &flow, &ask).await?;
    Ok(StatusCode::ACCEPTED)
}
