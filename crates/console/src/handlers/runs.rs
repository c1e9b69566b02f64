//! The runs of a flow, and the calendar of all runs.

use axum::extract::State;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answer, Asking};
use crate::app::App;
use crate::extract::{GREATEST, Path, Query, known, limit};
use crate::model::{CalendarEntry, Run, RunPage};
use crate::refusal::Refusal;

/// The longest span of the calendar in seconds: 400 days.
const LONGEST_SPAN_SECS: i64 = 400 * 24 * 3600;

/// Which runs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsQuery {
    /// Those below this number.
    before: Option<u64>,
    /// So many at most; 50 if nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// The runs of a flow, newest first.
#[utoipa::path(
    get, path = "/api/v1/flows/{flow}/runs", tag = "runs",
    params(("flow" = String, Path, description = "Its name."), RunsQuery),
    responses((status = 200, body = RunPage)),
)]
pub(crate) async fn runs(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
    Query(query): Query<RunsQuery>,
) -> Answer<RunPage> {
    let before = query.before.map(|before| before.min(GREATEST));
    Ok(Json(app.desk.runs(&caller, &flow, before, limit(query.limit, 50, 500)?).await?))
}

/// One run with all its figures.
#[utoipa::path(
    get, path = "/api/v1/flows/{flow}/runs/{run}", tag = "runs",
    params(("flow" = String, Path, description = "The flow."), ("run" = u64, Path, description = "Its number.")),
    responses((status = 200, body = Run)),
)]
pub(crate) async fn run(
    State(app): State<App>,
    Extension(caller): Asking,
    Path((flow, run)): Path<(String, u64)>,
) -> Answer<Run> {
    Ok(Json(app.desk.run(&caller, &flow, known(run)?).await?))
}

/// Which days are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CalendarQuery {
    /// The first instant.
    from: Timestamp,
    /// The first instant after it; 400 days later at most.
    until: Timestamp,
}

/// The runs that began in a span of time, and those that are to begin in it.
#[utoipa::path(
    get, path = "/api/v1/calendar", tag = "runs", params(CalendarQuery),
    responses((status = 200, body = [CalendarEntry])),
)]
pub(crate) async fn calendar(
    State(app): State<App>,
    Extension(caller): Asking,
    Query(query): Query<CalendarQuery>,
) -> Answer<Vec<CalendarEntry>> {
    let secs = query.until.duration_since(query.from).as_secs();
    if query.from >= query.until {
        return Err(Refusal::value("until", "the span ends before it begins"));
    }
    if secs > LONGEST_SPAN_SECS {
        return Err(Refusal::value("until", "the span is longer than 400 days"));
    }
    Ok(Json(app.desk.calendar(&caller, query.from, query.until).await?))
}
