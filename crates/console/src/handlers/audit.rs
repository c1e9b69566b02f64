//! The audit log.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use crate::app::App;
use crate::extract::{GREATEST, Query, limit};
use crate::model::Audit;

/// Which lines are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Those below this number.
    before: Option<u64>,
    /// So many at most; 100 if nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Who did what, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "installation", params(AuditQuery), responses((status = 200, body = [Audit])),
)]
pub(crate) async fn audit(State(app): State<App>, Query(query): Query<AuditQuery>) -> Answer<Vec<Audit>> {
    let before = query.before.map(|before| before.min(GREATEST));
    Ok(Json(app.audit.read(before, limit(query.limit, 100, 500)?).await?))
}
