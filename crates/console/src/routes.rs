//! All routes as data: who may use them, what is written down of it, and how they can fail.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use axum::{Router, http};

use crate::access::guard::guard;
use crate::app::App;
use crate::desk::Role;
use crate::handlers::{
    alerts, audit, events, flows, health, installation, letters, mapping, metrics, runs, session, trace,
};
use crate::refusal::Refusal;
use crate::{assets, extract, headers};

/// The longest body: a mapping with everything around it is a few kilobytes.
const LONGEST_BODY: usize = 1 << 20;
/// The longest body of a sign-in.
const LONGEST_SIGN_IN: usize = 16 << 10;
/// The longest time until an answer begins.
const LONGEST_ANSWER: Duration = Duration::from_mins(1);

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Everybody.
    Nothing,
    /// Whoever has this role, or a greater one.
    Role(Role),
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who may use it.
    pub need: Need,
    /// The name of what it changes in the audit log.
    pub action: Option<&'static str>,
    /// The statuses of its refusals beside 400, 401, 403, 429 and 503.
    pub refusals: &'static [u16],
    handler: fn() -> MethodRouter<App>,
}

const NOTHING: Need = Need::Nothing;
const VIEWER: Need = Need::Role(Role::Viewer);
const OPERATOR: Need = Need::Role(Role::Operator);

macro_rules! routes {
    ($($method:ident $path:literal $need:ident $action:expr, $refusals:expr, $handler:path;)*) => {
        &[$(Route {
            method: method!($method),
            path: $path,
            need: $need,
            action: $action,
            refusals: &$refusals,
            handler: || $method($handler),
        }),*]
    };
}

macro_rules! method {
    (get) => {
        "GET"
    };
    (post) => {
        "POST"
    };
    (put) => {
        "PUT"
    };
    (delete) => {
        "DELETE"
    };
}

/// All routes but those of the page. The router is made from this table, so that none is without its line.
#[rustfmt::skip]
pub const ROUTES: &[Route] = routes! {
    get "/health" NOTHING None, [], health::health;
    get "/metrics" VIEWER None, [], metrics::metrics;
    post "/api/v1/session" NOTHING None, [413, 415], session::sign_in;
    get "/api/v1/session" VIEWER None, [], session::session;
    delete "/api/v1/session" VIEWER Some("session.sign-out"), [], session::sign_out;
    get "/api/v1/overview" VIEWER None, [], installation::overview;
    get "/api/v1/events" VIEWER None, [], events::events;
    get "/api/v1/accounts/{account}" VIEWER None, [404], installation::account;
    get "/api/v1/flows/{flow}" VIEWER None, [404], flows::flow;
    post "/api/v1/flows/{flow}/run" OPERATOR Some("flow.run"), [404, 409, 422], flows::run;
    post "/api/v1/flows/{flow}/cancel" OPERATOR Some("flow.cancel"), [404, 409, 422], flows::cancel;
    post "/api/v1/flows/{flow}/backfill" OPERATOR Some("flow.backfill"), [404, 409, 413, 415, 422], flows::backfill;
    get "/api/v1/flows/{flow}/runs" VIEWER None, [404], runs::runs;
    get "/api/v1/flows/{flow}/runs/{run}" VIEWER None, [404], runs::run;
    get "/api/v1/calendar" VIEWER None, [], runs::calendar;
    get "/api/v1/flows/{flow}/dead-letters" VIEWER None, [404], letters::dead_letters;
    post "/api/v1/flows/{flow}/dead-letters/replay" OPERATOR Some("dead-letters.replay"), [404, 409, 413, 415, 422], letters::replay;
    post "/api/v1/flows/{flow}/dead-letters/{letter}/arrived" OPERATOR Some("dead-letters.arrived"), [404, 409, 413, 415, 422], letters::arrived;
    get "/api/v1/trace" VIEWER None, [404], trace::trace;
    get "/api/v1/flows/{flow}/pages/{page}" VIEWER None, [404], trace::raw_page;
    get "/api/v1/flows/{flow}/mapping" VIEWER None, [404, 422], mapping::mapping;
    post "/api/v1/flows/{flow}/mapping/draft" VIEWER None, [404, 409, 413, 415, 422], mapping::draft;
    post "/api/v1/flows/{flow}/mapping/edit" VIEWER None, [404, 409, 413, 415, 422], mapping::edit;
    post "/api/v1/flows/{flow}/mapping/preview" VIEWER None, [404, 409, 413, 415, 422], mapping::preview;
    put "/api/v1/flows/{flow}/mapping" OPERATOR Some("mapping.save"), [404, 409, 413, 415, 422], mapping::save;
    get "/api/v1/alerts" VIEWER None, [422], alerts::alerts;
    put "/api/v1/alerts" OPERATOR Some("alerts.change"), [404, 409, 413, 415, 422], alerts::change;
    post "/api/v1/alerts/channels/{channel}/test" OPERATOR Some("alerts.test"), [404, 409, 422], alerts::test;
    get "/api/v1/incidents" VIEWER None, [], alerts::incidents;
    get "/api/v1/doctor" VIEWER None, [], installation::doctor;
    get "/api/v1/audit" OPERATOR None, [], audit::audit;
    get "/api/v1/openapi.json" VIEWER None, [], installation::description;
};

/// The router over the table, with the page behind it and the checks around it.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let mut handler = (route.handler)();
        if route.path == "/api/v1/session" {
            handler = handler.layer(DefaultBodyLimit::max(LONGEST_SIGN_IN));
        }
        let guard = middleware::from_fn_with_state((app.clone(), route), guard);
        router = router.route(route.path, handler.route_layer(guard));
    }
    router
        .fallback(rest)
        .method_not_allowed_fallback(async || Refusal::wrong_method())
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn_with_state(app.clone(), own_host))
        .layer(middleware::from_fn_with_state(app.clone(), render))
        .layer(middleware::from_fn_with_state(app.clone(), headers::add))
        .with_state(app)
}

/// What is no route: a part of the page, or nothing.
async fn rest(request: Request) -> Response {
    let path = request.uri().path();
    let is_page = request.method() == http::Method::GET || request.method() == http::Method::HEAD;
    if path == "/api" || path.starts_with("/api/") {
        return Refusal::not_found().into_response();
    }
    if !is_page {
        return Refusal::wrong_method().into_response();
    }
    assets::serve(path, request.headers()).unwrap_or_else(|| Refusal::not_found().into_response())
}

/// Ends what takes too long, so that nobody holds a connection by sending slowly.
async fn in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(LONGEST_ANSWER, next.run(request)).await;
    answer.unwrap_or_else(|_| Refusal::busy_server("the answer took too long").into_response())
}

async fn own_host(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match app.access.check_host(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Writes refusals in the caller's language.
async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let lang = extract::lang(&parts);
    parts.extensions.insert(lang);
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(refusal) = response.extensions().get::<Refusal>() else { return response };
    let mut rendered = refusal.render(app.desk.as_ref(), lang);
    // Which methods an address takes instead.
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && let Some(allowed) = response.headers().get(http::header::ALLOW)
    {
        rendered.headers_mut().insert(http::header::ALLOW, allowed.clone());
    }
    rendered
}
