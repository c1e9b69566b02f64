//! Dead letters: looking at them, sending them again, and writing down that one has arrived.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::{Answer, Asking};
use crate::app::App;
use crate::extract::{Body, GREATEST, Path, Query, known, limit};
use crate::model::{ArrivedAs, DeadLetterPage, DeadLetterQuery, Replay};
use crate::refusal::Refusal;

/// Letters that one request may name.
const MOST_LETTERS: usize = 10_000;
/// The longest text to look for, and the longest id, in bytes.
const LONGEST_TEXT: usize = 1000;
/// Who may have refused a record.
const STAGES: [&str; 4] = ["key", "mapping", "target", "unknown"];

/// The refused records of a flow, oldest first.
#[utoipa::path(
    get, path = "/api/v1/flows/{flow}/dead-letters", tag = "dead letters",
    params(("flow" = String, Path, description = "The flow."), DeadLetterQuery),
    responses((status = 200, body = DeadLetterPage)),
)]
pub(crate) async fn dead_letters(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
    Query(mut query): Query<DeadLetterQuery>,
) -> Answer<DeadLetterPage> {
    query.limit = Some(limit(query.limit, 50, 500)?);
    query.after = query.after.map(|after| after.min(GREATEST));
    query.text = query.text.filter(|text| !text.is_empty());
    query.stage = query.stage.filter(|stage| !stage.is_empty());
    if query.text.as_ref().is_some_and(|text| text.len() > LONGEST_TEXT) {
        return Err(Refusal::value("text", "the text is too long"));
    }
    if query.stage.as_ref().is_some_and(|stage| !STAGES.contains(&stage.as_str())) {
        return Err(Refusal::value("stage", "the stage is none of key, mapping, target and unknown"));
    }
    Ok(Json(app.desk.dead_letters(&caller, &flow, &query).await?))
}

/// The letters that a request names, each of which the state can have.
pub(super) fn checked(letters: Option<&Vec<u64>>) -> Result<(), Refusal> {
    let Some(letters) = letters else { return Ok(()) };
    if letters.len() > MOST_LETTERS {
        return Err(Refusal::value("letters", "these are too many at a time"));
    }
    letters.iter().try_for_each(|letter| known(*letter).map(drop))
}

/// Sends refused records again: these, or all.
#[utoipa::path(
    post, path = "/api/v1/flows/{flow}/dead-letters/replay", tag = "dead letters",
    params(("flow" = String, Path, description = "The flow.")),
    request_body = Replay,
    responses((status = 202, description = "It was started.")),
)]
pub(crate) async fn replay(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
    Body(ask): Body<Replay>,
) -> Result<StatusCode, Refusal> {
    checked(ask.letters.as_ref())?;
    app.desk.replay(&caller, &flow, ask.letters).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Writes down that a record of unknown outcome has arrived.
#[utoipa::path(
    post, path = "/api/v1/flows/{flow}/dead-letters/{letter}/arrived", tag = "dead letters",
    params(("flow" = String, Path, description = "The flow."), ("letter" = u64, Path, description = "Its number.")),
    request_body = ArrivedAs,
    responses((status = 204, description = "It is written down.")),
)]
pub(crate) async fn arrived(
    State(app): State<App>,
    Extension(caller): Asking,
    Path((flow, letter)): Path<(String, u64)>,
    Body(ask): Body<ArrivedAs>,
) -> Result<StatusCode, Refusal> {
    let letter = known(letter)?;
    if ask.remote_id.as_ref().is_some_and(|id| id.len() > LONGEST_TEXT) {
        return Err(Refusal::value("remote_id", "the text is too long"));
    }
    app.desk.arrived(&caller, &flow, letter, ask.remote_id.filter(|id| !id.is_empty())).await?;
    Ok(StatusCode::NO_CONTENT)
}
