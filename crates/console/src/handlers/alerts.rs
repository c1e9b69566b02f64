//! Alerts: who is told of what, and what is or was wrong.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answer, Asking};
use crate::app::App;
use crate::extract::{Body, Path, Query, limit};
use crate::model::{AlertSettings, AlertSettingsChange, Incident, Saved};
use crate::refusal::Refusal;

/// Who is told of what, without secrets.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", responses((status = 200, body = AlertSettings)))]
pub(crate) async fn alerts(State(app): State<App>, Extension(caller): Asking) -> Answer<AlertSettings> {
    Ok(Json(app.desk.alerts(&caller).await?))
}

/// Changes rules and quiet hours.
#[utoipa::path(
    put, path = "/api/v1/alerts", tag = "alerts",
    request_body = AlertSettingsChange, responses((status = 200, body = Saved)),
)]
pub(crate) async fn change(
    State(app): State<App>,
    Extension(caller): Asking,
    Body(change): Body<AlertSettingsChange>,
) -> Answer<Saved> {
    Ok(Json(app.desk.change_alerts(&caller, &change).await?))
}

/// Sends a test message through a channel.
#[utoipa::path(
    post, path = "/api/v1/alerts/channels/{channel}/test", tag = "alerts",
    params(("channel" = String, Path, description = "Its name.")),
    responses((status = 204, description = "The message was taken.")),
)]
pub(crate) async fn test(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(channel): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.desk.test_channel(&caller, &channel).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many incidents are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct IncidentsQuery {
    /// So many at most; 50 if nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Incidents, the open ones first, then the newest.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "alerts", params(IncidentsQuery),
    responses((status = 200, body = [Incident])),
)]
pub(crate) async fn incidents(
    State(app): State<App>,
    Extension(caller): Asking,
    Query(query): Query<IncidentsQuery>,
) -> Answer<Vec<Incident>> {
    Ok(Json(app.desk.incidents(&caller, limit(query.limit, 50, 500)?).await?))
}
