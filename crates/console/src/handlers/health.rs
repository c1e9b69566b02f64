//! Whether the console and what is behind it answer, for whoever restarts it if not.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::access::LOCAL;
use crate::app::App;
use crate::desk::{Caller, Lang, Role};

/// The desk has to answer within this time.
const LONGEST: Duration = Duration::from_secs(5);
/// An answer counts for so many seconds: everybody may ask, and asking must cost nothing.
const FRESH_SECS: i64 = 2;

/// Whether everything answers.
#[utoipa::path(
    get, path = "/health", tag = "installation",
    responses((status = 200, description = "Well.", body = String, content_type = "text/plain")),
)]
pub(crate) async fn health(State(app): State<App>) -> Response {
    // Whoever waits here finds a fresh answer afterwards.
    let mut last = app.health.lock().await;
    let now = app.clock.now();
    let fresh = last.filter(|(then, _)| now.duration_since(*then).as_secs() < FRESH_SECS);
    let is_well = if let Some((_, is_well)) = fresh {
        is_well
    } else {
        let caller = Caller { user: LOCAL.to_owned(), role: Role::Viewer, lang: Lang::En };
        let answer = tokio::time::timeout(LONGEST, app.desk.overview(&caller)).await;
        let is_well = answer.is_ok_and(|answer| answer.is_ok());
        *last = Some((app.clock.now(), is_well));
        is_well
    };
    if is_well {
        (StatusCode::OK, "well\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not well\n").into_response()
    }
}
