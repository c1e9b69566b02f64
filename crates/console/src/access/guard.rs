//! Lets a request go on to its handler, or not, and writes down what it changed.

use axum::RequestExt as _;
use axum::extract::{RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use milkrun_core::{Error, ErrorKind};

use super::audit::Line;
use super::session::{Who, csrf};
use super::throttle::Counted;
use super::{LOCAL, same};
use crate::app::App;
use crate::desk::{Caller, Lang, Role};
use crate::refusal::Refusal;
use crate::routes::{Need, Route};

/// How a request proved who is calling.
#[derive(Clone, Debug)]
pub(crate) enum Ticket {
    /// Nobody has to sign in.
    Open,
    /// The id of a session.
    Session(String),
    /// An access token.
    Token,
}

/// The header that a page of another site cannot send.
pub(crate) const CSRF: &str = "x-csrf-token";

/// Stands in front of the handler of `route`.
pub(crate) async fn guard(
    State((app, route)): State<(App, &'static Route)>,
    mut request: Request,
    next: Next,
) -> Response {
    let subject = subject(&mut request).await;
    let (mut parts, body) = request.into_parts();
    let (who, refused) = match admit(&app, route, &mut parts).await {
        Ok(who) => (who, None),
        Err((who, refusal)) => (who, Some(refusal)),
    };
    let address = app.access.address(&parts);
    let response = match refused {
        Some(refusal) => refusal.into_response(),
        None => next.run(Request::from_parts(parts, body)).await,
    };
    let (Some(action), Some(who)) = (route.action, who) else { return response };
    let outcome = match response.extensions().get::<Refusal>() {
        Some(refusal) => refusal.kind(),
        None => "done",
    };
    let line = Line { user: who.user, address, action: action.to_owned(), subject, outcome: outcome.to_owned() };
    if let Err(error) = app.audit.write(line).await {
        tracing::error!(%error, action, "the audit log cannot be written");
    }
    response
}

/// What the request is about: the names and numbers in its path.
async fn subject(request: &mut Request) -> Option<String> {
    let params = request.extract_parts::<RawPathParams>().await.ok()?;
    let values: Vec<&str> = params.iter().map(|(_, value)| value).collect();
    (!values.is_empty()).then(|| values.join("/"))
}

/// Who calls, if they may; a refusal says who it was too, if that is known.
async fn admit(app: &App, route: &Route, parts: &mut Parts) -> Result<Option<Who>, (Option<Who>, Refusal)> {
    app.access.check_origin(&parts.method, &parts.headers).map_err(|refusal| (None, refusal))?;
    let Need::Role(role) = route.need else { return Ok(None) };
    let (who, ticket) = identify(app, parts).await.map_err(|refusal| (None, refusal))?;
    if !parts.method.is_safe()
        && let Err(refusal) = check_csrf(app, &ticket, &parts.headers)
    {
        return Err((Some(who), refusal));
    }
    if who.role < role {
        let error = Error::new(ErrorKind::Forbidden, "a viewer cannot do this").advise("ask an operator");
        return Err((Some(who), Refusal::forbidden("forbidden", error)));
    }
    let lang = parts.extensions.get::<Lang>().copied().unwrap_or_default();
    parts.extensions.insert(Caller { user: who.user.clone(), role: who.role, lang });
    parts.extensions.insert(ticket);
    Ok(Some(who))
}

/// Who calls: by access token, by session, or because nobody has to sign in.
pub(crate) async fn identify(app: &App, parts: &Parts) -> Result<(Who, Ticket), Refusal> {
    if app.access.is_open() {
        return Ok((Who { user: LOCAL.to_owned(), role: Role::Operator }, Ticket::Open));
    }
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(bearer).ok_or_else(Refusal::wrong_credentials)?;
        let counted = Counted::token(app.access.address(parts));
        let now = app.clock.now();
        app.throttle.wait(&counted, now).map_err(Refusal::too_many)?;
        let Some(token) = app.access.token(token) else {
            app.throttle.attempt(&[counted], now).map_err(Refusal::too_many)?;
            return Err(Refusal::wrong_credentials());
        };
        return Ok((Who { user: token.name.clone(), role: token.role }, Ticket::Token));
    }
    let id = session_id(&app.access.cookie(), &parts.headers).ok_or_else(Refusal::signed_out)?;
    let who = app.sessions.who(&app.access, id).await?.ok_or_else(Refusal::signed_out)?;
    Ok((who, Ticket::Session(id.to_owned())))
}

/// The token of `Bearer TOKEN`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The id in the session's cookie. If there are several of that name, somebody has planted one, and none counts.
pub(crate) fn session_id<'a>(cookie: &str, headers: &'a HeaderMap) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut own = pairs.filter(|(name, _)| *name == cookie).map(|(_, value)| value);
    match (own.next(), own.next()) {
        (Some(id), None) if !id.is_empty() => Some(id),
        _ => None,
    }
}

/// The token that changing requests have to carry.
pub(crate) fn expected_csrf(app: &App, ticket: &Ticket) -> String {
    match ticket {
        Ticket::Session(id) => csrf(id),
        Ticket::Open | Ticket::Token => app.open_csrf.clone(),
    }
}

fn check_csrf(app: &App, ticket: &Ticket, headers: &HeaderMap) -> Result<(), Refusal> {
    // No browser sends an access token by itself.
    if matches!(ticket, Ticket::Token) {
        return Ok(());
    }
    let sent = headers.get(CSRF).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if same(sent, &expected_csrf(app, ticket)) {
        return Ok(());
    }
    let error = Error::new(ErrorKind::Forbidden, "the header `x-csrf-token` is missing or wrong")
        .advise("load the page again; programs take the value from `GET /api/v1/session`");
    Err(Refusal::forbidden("csrf", error))
}
