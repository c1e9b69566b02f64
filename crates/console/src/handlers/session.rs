//! Signing in and out.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use milkrun_core::Secret;

use super::Asking;
use crate::access::audit::Line;
use crate::access::guard::{Ticket, expected_csrf, session_id};
use crate::access::session::{Proof, csrf};
use crate::access::throttle::Counted;
use crate::access::{Access, LOCAL};
use crate::app::App;
use crate::desk::Role;
use crate::extract::Body;
use crate::model::{Session, SignIn};
use crate::refusal::Refusal;

/// The longest name and password, in bytes.
const LONGEST: usize = 1024;

/// Signs in with name and password, or with an access token alone.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, description = "Signed in; the cookie of the session is set.", body = Session)),
)]
pub(crate) async fn sign_in(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    use axum::extract::FromRequest as _;

    let (parts, body) = request.into_parts();
    let address = app.access.address(&parts);
    let headers = parts.headers.clone();
    let Body(SignIn { user, password }) = Body::from_request(Request::from_parts(parts, body), &()).await?;
    let password = Secret::new(password);
    if app.access.is_open() {
        return Ok(Json(told(LOCAL, Role::Operator, app.open_csrf.clone(), false)).into_response());
    }
    if password.expose().len() > LONGEST || user.as_ref().is_some_and(|user| user.len() > LONGEST) {
        return Err(Refusal::wrong_credentials());
    }
    let mut counted = vec![Counted::address(address)];
    counted.extend(user.as_deref().map(Counted::user));
    app.throttle.attempt(&counted, app.clock.now()).map_err(Refusal::too_many)?;
    let found = if let Some(name) = &user {
        let known = app.access.user(name);
        let fits = app.passwords.check(known.map(|known| &known.password), password).await?;
        let known = known.filter(|_| fits);
        known.map(|known| (name.clone(), known.role, Proof::Password, known.password.fingerprint()))
    } else {
        let token = app.access.token(password.expose());
        token.map(|token| (token.name.clone(), token.role, Proof::Token, token.fingerprint()))
    };
    let outcome = if found.is_some() { "done" } else { "wrong-credentials" };
    let name = found.as_ref().map(|(name, ..)| name.clone()).or(user).unwrap_or_default();
    let action = "session.sign-in".to_owned();
    app.audit.write(Line { user: name, address, action, subject: None, outcome: outcome.to_owned() }).await?;
    let (name, role, proof, opened_with) = found.ok_or_else(Refusal::wrong_credentials)?;
    app.throttle.succeeded(&counted);
    // Whatever id the browser came with, it gets another one.
    if let Some(old) = session_id(&app.access.cookie(), &headers) {
        app.sessions.close(old).await?;
    }
    let id = app.sessions.open(&name, proof, opened_with).await?;
    let mut response = Json(told(&name, role, csrf(&id), true)).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie(&app.access, &id, None));
    Ok(response)
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = Session)))]
pub(crate) async fn session(
    State(app): State<App>,
    Extension(caller): Asking,
    Extension(ticket): Extension<Ticket>,
) -> Json<Session> {
    let can_sign_out = matches!(ticket, Ticket::Session(_));
    Json(told(&caller.user, caller.role, expected_csrf(&app, &ticket), can_sign_out))
}

/// Signs out: the session ends, here and wherever else its cookie is.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session", responses((status = 204, description = "Signed out.")),
)]
pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(ticket): Extension<Ticket>,
) -> Result<(StatusCode, HeaderMap), Refusal> {
    let mut headers = HeaderMap::new();
    if let Ticket::Session(id) = ticket {
        app.sessions.close(&id).await?;
        headers.insert(header::SET_COOKIE, cookie(&app.access, "", Some(0)));
    }
    Ok((StatusCode::NO_CONTENT, headers))
}

fn told(user: &str, role: Role, csrf: String, can_sign_out: bool) -> Session {
    Session { user: user.to_owned(), role, csrf, can_sign_out }
}

/// The cookie of a session: no script sees it, and no other site's page sends it.
fn cookie(access: &Access, id: &str, max_age: Option<u32>) -> HeaderValue {
    let secure = if access.is_secure() { "; Secure" } else { "" };
    let max_age = max_age.map(|secs| format!("; Max-Age={secs}")).unwrap_or_default();
    let text = format!("{}={id}; Path=/; HttpOnly; SameSite=Strict{secure}{max_age}", access.cookie());
    HeaderValue::try_from(text).expect("it is ASCII")
}
