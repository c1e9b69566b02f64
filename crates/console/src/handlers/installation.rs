//! The installation as a whole: overview, accounts, doctor, and the description of the API.

use axum::extract::State;
use axum::{Extension, Json};

use super::{Answer, Asking};
use crate::app::App;
use crate::extract::Path;
use crate::model::{Account, Diagnosis, Overview};

/// Everything at a glance.
#[utoipa::path(get, path = "/api/v1/overview", tag = "installation", responses((status = 200, body = Overview)))]
pub(crate) async fn overview(State(app): State<App>, Extension(caller): Asking) -> Answer<Overview> {
    Ok(Json(app.desk.overview(&caller).await?))
}

/// One account.
#[utoipa::path(
    get, path = "/api/v1/accounts/{account}", tag = "installation",
    params(("account" = String, Path, description = "Its name.")),
    responses((status = 200, body = Account)),
)]
pub(crate) async fn account(
    State(app): State<App>,
    Extension(caller): Asking,
    Path(account): Path<String>,
) -> Answer<Account> {
    Ok(Json(app.desk.account(&caller, &account).await?))
}

/// What is wrong with state, clock, disk, accounts and configuration.
#[utoipa::path(get, path = "/api/v1/doctor", tag = "installation", responses((status = 200, body = [Diagnosis])))]
pub(crate) async fn doctor(State(app): State<App>, Extension(caller): Asking) -> Answer<Vec<Diagnosis>> {
    Ok(Json(app.desk.doctor(&caller).await?))
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "installation", responses((status = 200, body = Object)))]
pub(crate) async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi::document())
}
