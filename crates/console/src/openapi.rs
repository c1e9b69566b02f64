//! The description of the API, for programs and for people who write them.

use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, Object, OpenApi, Ref, RefOr, Required, ResponseBuilder, Type};
use utoipa::{Modify, OpenApi as _};

use crate::handlers::{
    alerts, audit, events, flows, health, installation, letters, mapping, metrics, runs, session, trace,
};
use crate::model::{Event, Problem};
use crate::routes::{Need, ROUTES, Route};

/// The description of the API.
pub fn document() -> OpenApi {
    Description::openapi()
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Milkrun console",
        description = "What the console's page uses, and what other programs may use too. Records, documents and pages \
            are texts, because a JSON parser would round their numbers. Texts for people come in the language that \
            `accept-language` or `?lang=` asks for: Chinese or English. Programs send an access token as \
            `authorization: Bearer …`; whoever is signed in by cookie sends `x-csrf-token` with each change.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        health::health, metrics::metrics,
        session::sign_in, session::session, session::sign_out,
        installation::overview, installation::account, installation::doctor, installation::description,
        events::events,
        flows::flow, flows::run, flows::cancel, flows::backfill,
        runs::runs, runs::run, runs::calendar,
        letters::dead_letters, letters::replay, letters::arrived,
        trace::trace, trace::raw_page,
        mapping::mapping, mapping::draft, mapping::edit, mapping::preview, mapping::save,
        alerts::alerts, alerts::change, alerts::test, alerts::incidents,
        audit::audit,
    ),
    components(schemas(Problem, Event)),
    modifiers(&ByTable),
)]
struct Description;

/// Adds what the table of routes says: who may, how it fails, and the header of changes.
struct ByTable;

/// What a refusal means.
fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request is malformed.",
        401 => "Nobody is signed in, or the credentials are wrong.",
        403 => "Not allowed: the role, the `x-csrf-token`, another site's page, or a foreign host name.",
        404 => "There is no such thing.",
        409 => "It is busy, or was changed meanwhile.",
        413 => "The body is too long.",
        415 => "The body is not JSON.",
        422 => "It was understood and cannot be done; `mistakes` says where files are wrong.",
        429 => "Too many wrong attempts; wait as long as `retry-after` says.",
        503 => "Not for the moment.",
        _ => unreachable!("the table of routes has no other status"),
    }
}

/// All refusals of a route.
fn refusals(route: &Route) -> Vec<u16> {
    let mut all = vec![400, 403, 503];
    let asks = route.need != Need::Nothing || route.path.ends_with("/session");
    if asks {
        all.extend([401, 429]);
    }
    all.extend(route.refusals);
    if route.path == "/health" {
        all.retain(|status| *status == 403 || *status == 503);
    }
    all.sort_unstable();
    all
}

impl Modify for ByTable {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
            "milkrun-7070",
            "`milkrun-` and the port; over TLS `__Host-milkrun`.",
        ));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        for route in ROUTES {
            let item = document.paths.paths.get_mut(route.path).expect("each route is described");
            let (method, operation) = match route.method {
                "GET" => (HttpMethod::Get, &mut item.get),
                "POST" => (HttpMethod::Post, &mut item.post),
                "PUT" => (HttpMethod::Put, &mut item.put),
                _ => (HttpMethod::Delete, &mut item.delete),
            };
            add(operation.as_mut().expect("each route is described"), route, &method);
        }
    }
}

fn add(operation: &mut Operation, route: &Route, method: &HttpMethod) {
    operation.operation_id = route.action.map_or_else(|| operation.operation_id.take(), |name| Some(name.to_owned()));
    let is_health = route.path == "/health";
    for status in refusals(route) {
        let mut response = ResponseBuilder::new().description(meaning(status));
        if !(is_health && status == 503) {
            let problem = RefOr::<utoipa::openapi::Schema>::Ref(Ref::from_schema_name("Problem"));
            let content = ContentBuilder::new().schema(Some(problem)).build();
            response = response.content("application/json", content);
        }
        operation.responses.responses.insert(status.to_string(), response.build().into());
    }
    if let Need::Role(role) = route.need {
        let who = match role {
            crate::Role::Viewer => "For viewers and operators.",
            crate::Role::Operator => "For operators.",
        };
        let said = operation.description.take().unwrap_or_default();
        operation.description = Some(format!("{said}\n\n{who}").trim().to_owned());
        let none: [&str; 0] = [];
        operation.security =
            Some(vec![SecurityRequirement::new("token", none), SecurityRequirement::new("session", none)]);
        if *method != HttpMethod::Get {
            let header = ParameterBuilder::new()
                .name("x-csrf-token")
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some("From `GET /api/v1/session`; not needed with an access token."))
                .schema(Some(Object::with_type(Type::String)))
                .build();
            operation.parameters.get_or_insert_default().push(header.into());
        }
    }
}
