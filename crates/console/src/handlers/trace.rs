//! What became of a record, and the page it was on.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answer, Asking};
use crate::app::App;
use crate::extract::{Path, Query, known};
use crate::model::{RawPage, Trace};
use crate::refusal::Refusal;

/// The longest id in bytes.
const LONGEST_ID: usize = 1000;

/// Which record is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TraceQuery {
    /// Its key or its business number.
    #[param(min_length = 1, max_length = 1000)]
    id: String,
    /// In this flow; left out: in all.
    flow: Option<String>,
}

/// What became of the record with that key or business number.
#[utoipa::path(
    get, path = "/api/v1/trace", tag = "trace", params(TraceQuery), responses((status = 200, body = Trace)),
)]
pub(crate) async fn trace(
    State(app): State<App>,
    Extension(caller): Asking,
    Query(query): Query<TraceQuery>,
) -> Answer<Trace> {
    let id = query.id.trim();
    if id.is_empty() || id.len() > LONGEST_ID {
        return Err(Refusal::value("id", "a key or a number is needed, of 1000 bytes at most"));
    }
    let flow = query.flow.as_deref().filter(|flow| !flow.is_empty());
    Ok(Json(app.desk.trace(&caller, id, flow).await?))
}

/// A journalled page as the vendor sent it.
#[utoipa::path(
    get, path = "/api/v1/flows/{flow}/pages/{page}", tag = "trace",
    params(("flow" = String, Path, description = "The flow."), ("page" = u64, Path, description = "Its number.")),
    responses((status = 200, body = RawPage)),
)]
pub(crate) async fn raw_page(
    State(app): State<App>,
    Extension(caller): Asking,
    Path((flow, page)): Path<(String, u64)>,
) -> Answer<RawPage> {
    Ok(Json(app.desk.raw_page(&caller, &flow, known(page)?).await?))
}
