//! The mapping of a flow: looking at it, changing a draft, trying it, saving it.

use axum::extract::State;
use axum::{Extension, Json};

use super::{Answer, Asking, letters};
use crate::app::App;
use crate::extract::{Body, Path, limit};
use crate::model::{MappingDraft, MappingEdit, MappingPreview, MappingPreviewRequest, MappingView, Saved};

/// The mapping as it is saved.
#[utoipa::path(
    get, path = "/api/v1/flows/{flow}/mapping", tag = "mapping",
    params(("flow" = String, Path, description = "The flow.")),
    responses((status = 200, body = MappingView)),
)]
pub(crate) async fn mapping(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
) -> Answer<MappingView> {
    Ok(Json(app.desk.mapping(&caller, &flow).await?))
}

/// The same for a text that is not saved.
#[utoipa::path(
    post, path = "/api/v1/flows/{flow}/mapping/draft", tag = "mapping",
    params(("flow" = String, Path, description = "The flow.")),
    request_body = MappingDraft, responses((status = 200, body = MappingView)),
)]
pub(crate) async fn draft(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
    Body(draft): Body<MappingDraft>,
) -> Answer<MappingView> {
    Ok(Json(app.desk.draft(&caller, &flow, &draft).await?))
}

/// Changes one rule of a text, comments and order kept; saves nothing.
#[utoipa::path(
    post, path = "/api/v1/flows/{flow}/mapping/edit", tag = "mapping",
    params(("flow" = String, Path, description = "The flow.")),
    request_body = MappingEdit, responses((status = 200, body = MappingView)),
)]
pub(crate) async fn edit(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
    Body(edit): Body<MappingEdit>,
) -> Answer<MappingView> {
    Ok(Json(app.desk.edit_mapping(&caller, &flow, &edit).await?))
}

/// What a text would make of records; writes nothing.
#[utoipa::path(
    post, path = "/api/v1/flows/{flow}/mapping/preview", tag = "mapping",
    params(("flow" = String, Path, description = "The flow.")),
    request_body = MappingPreviewRequest, responses((status = 200, body = MappingPreview)),
)]
pub(crate) async fn preview(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
    Body(mut ask): Body<MappingPreviewRequest>,
) -> Answer<MappingPreview> {
    ask.limit = Some(limit(ask.limit, 5, 50)?);
    letters::checked(ask.letters.as_ref())?;
    Ok(Json(app.desk.preview_mapping(&caller, &flow, &ask).await?))
}

/// Saves a text, if the file is still the one that it was made from and the text has no mistakes.
#[utoipa::path(
    put, path = "/api/v1/flows/{flow}/mapping", tag = "mapping",
    params(("flow" = String, Path, description = "The flow.")),
    request_body = MappingDraft, responses((status = 200, body = Saved)),
)]
pub(crate) async fn save(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(flow): Path<String>,
    Body(draft): Body<MappingDraft>,
) -> Answer<Saved> {
    Ok(Json(app.desk.save_mapping(&caller, &flow, &draft).await?))
}
